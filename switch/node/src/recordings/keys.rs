//! Keys by reference: the configuration names where a key is, and never has it.

use crate::recordings::sealed::{KEY_ID_MAX, MasterKey};
use std::io::Read;
use std::path::Path;

/// Longest file that may hold a key.
const FILE_MAX: u64 = 4_096;

/// The key `id` from where `reference` says: `env:NAME` or `file:PATH`, the path from `base`. It is 64 hexadecimal digits;
/// white space around them does not matter.
///
/// # Errors
/// In words: the reference is none, nothing is there, or it is no key. What was found is not in them.
pub fn load(id: &str, reference: &str, base: &Path) -> Result<MasterKey, String> {
    if id.is_empty() || id.len() > KEY_ID_MAX {
        return Err(format!("the name of a key has 1 to {KEY_ID_MAX} bytes"));
    }
    let text = if let Some(name) = reference.strip_prefix("env:") {
        std::env::var(name).map_err(|_| format!("the environment has no variable {name}"))?
    } else if let Some(path) = reference.strip_prefix("file:") {
        let (path, mut text) = (base.join(path), String::new());
        let file = std::fs::File::open(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        file.take(FILE_MAX).read_to_string(&mut text).map_err(|why| format!("{}: {why}", path.display()))?;
        text
    } else {
        return Err("expected \"env:NAME\" or \"file:PATH\"".to_owned());
    };
    let bytes = digits(text.trim()).ok_or("what is there is not a key: 64 hexadecimal digits are")?;
    Ok(MasterKey::new(id.to_owned(), bytes))
}

fn digits(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let text = text.as_bytes();
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks(2)) {
        let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_digits_where_the_reference_says_and_no_fault_shows_it() {
        let dir = std::env::temp_dir().join(format!("cordboard-keys-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("good"), format!(" {}\n", "0aF1".repeat(16))).unwrap();
        std::fs::write(dir.join("short"), "cafe").unwrap();
        let key = load("2026", "file:good", &dir).unwrap();
        assert_eq!(format!("{key:?}"), "MasterKey { id: \"2026\", .. }");
        assert_eq!(key, MasterKey::new("2026".into(), [0x0a, 0xf1].repeat(16).try_into().unwrap()));
        let fault = |reference| load("2026", reference, &dir).unwrap_err();
        assert_eq!(fault("file:short"), "what is there is not a key: 64 hexadecimal digits are");
        assert!(fault("file:nothing").contains("nothing: "));
        assert_eq!(
            fault("env:CORDBOARD_NO_SUCH_KEY"),
            "the environment has no variable CORDBOARD_NO_SUCH_KEY"
        );
        assert_eq!(fault("0aF1"), "expected \"env:NAME\" or \"file:PATH\"");
        assert!(load(&"x".repeat(65), "file:good", &dir).is_err());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
