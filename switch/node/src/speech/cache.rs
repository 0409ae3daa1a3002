//! Speech that was made, on disk: one file for each content, the oldest gone first when there is too much.
//!
//! A folder that cannot be used costs speech that is made again, and a line in the log.

use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How the names of its files end; others in the folder are left alone.
const ENDING: &str = "speech";

/// Where, and how much.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    most: u64,
}

/// The name of a content.
pub(super) fn key(identity: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((identity.len() as u64).to_le_bytes());
    hash.update(identity);
    hash.update(text);
    // half of it: 128 bits tell apart all that will ever be said
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Cache {
    /// A cache of at most `most` bytes; none if that is 0.
    pub(super) fn new(dir: PathBuf, most: u64) -> Self {
        Self { dir, most }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.dir.join(format!("{key}.{ENDING}"))
    }

    /// What was kept. It is the youngest from now on.
    pub(super) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.path(key);
        let read = move || {
            let bytes = fs::read(&path).ok()?;
            // without a new date it is only gone earlier
            let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
            Some(bytes)
        };
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    /// Keeps this, and makes room for it.
    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>) {
        let (cache, path) = (self.clone(), self.path(key));
        let write = move || cache.write(&path, &bytes);
        if let Ok(Err(why)) = tokio::task::spawn_blocking(write).await {
            tracing::warn!(dir = %self.dir.display(), %why, "speech cannot be kept; it is made again each time");
        }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() as u64 > self.most {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        // A crash in the middle leaves a file that is no speech, not half a speech.
        let draft = path.with_extension("draft");
        fs::write(&draft, bytes)?;
        fs::rename(&draft, path)?;
        self.trim()
    }

    fn trim(&self) -> io::Result<()> {
        let mut kept: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == ENDING)
                && let Ok(about) = fs::metadata(&path)
            {
                kept.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len(), path));
            }
        }
        kept.sort();
        let mut taken: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in kept {
            if taken <= self.most {
                break;
            }
            fs::remove_file(path)?;
            taken -= bytes;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn what_was_not_wanted_for_longest_goes_first_and_other_files_stay() {
        let dir = std::env::temp_dir().join(format!("cordboard-speech-cache-{}", std::process::id()));
        let cache = Cache::new(dir.clone(), 250);
        let old = |key: &str, secs| {
            let file = fs::File::open(cache.path(key)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(secs)).unwrap();
        };
        for (key, secs) in [("a", 30), ("b", 20)] {
            cache.put(key, vec![1; 100]).await;
            old(key, secs);
        }
        fs::write(dir.join("notes.txt"), [0; 500]).unwrap();
        assert_eq!(cache.get("a").await, Some(vec![1; 100]), "and it is the youngest now");
        cache.put("c", vec![2; 100]).await;
        assert_eq!(cache.get("b").await, None);
        assert_eq!(cache.get("a").await, Some(vec![1; 100]));
        assert_eq!(cache.get("c").await, Some(vec![2; 100]));
        cache.put("whale", vec![0; 251]).await;
        assert_eq!(cache.get("whale").await, None, "more than all there may be");
        assert!(dir.join("notes.txt").exists());
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn engine_voice_language_and_text_are_one_content_only_together() {
        let all = [key("a", "bc"), key("ab", "c"), key("a", "b"), key("", "abc")];
        assert!(all.iter().all(|one| one.len() == 32));
        let mut apart = all.to_vec();
        apart.sort();
        apart.dedup();
        assert_eq!(apart.len(), all.len());
    }
}
