//! The number of this start, which is part of every id that is made in it.
//!
//! Invariant: of all starts on one journal folder none has the number of an earlier one, also when two fall into one
//! second or the wall clock was set back. Otherwise two calls could share an id, and one of their records be lost.

use std::fs::{File, rename};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file that keeps the last number.
pub(super) fn file(dir: &Path) -> PathBuf {
    dir.join("start.number")
}

/// Takes a number: the second of the start, or one more than the last. The caller holds the journal's lock.
///
/// # Errors
/// The file cannot be written. One that cannot be read, or holds no number, counts as none.
pub(super) fn claim(dir: &Path, now: u32) -> io::Result<u32> {
    let path = file(dir);
    let last = std::fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u32>().ok());
    let number = last.map_or(now, |last| now.max(last.saturating_add(1)));
    let new = path.with_extension("new");
    let mut written = File::create(&new)?;
    writeln!(written, "{number}")?;
    written.sync_all()?;
    rename(&new, &path)?;
    File::open(dir)?.sync_all()?;
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_starts_in_one_second_or_with_a_clock_set_back_have_different_numbers() {
        let dir = std::env::temp_dir().join(format!("cordboard-start-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        assert_eq!(claim(&dir, 1_000).unwrap(), 1_000);
        assert_eq!(claim(&dir, 1_000).unwrap(), 1_001);
        assert_eq!(claim(&dir, 400).unwrap(), 1_002);
        assert_eq!(claim(&dir, 2_000).unwrap(), 2_000);
        std::fs::write(file(&dir), "torn by a power cut").unwrap();
        assert_eq!(claim(&dir, 2_001).unwrap(), 2_001);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
