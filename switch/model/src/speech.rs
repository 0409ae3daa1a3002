//! Speech that is made from text.

use serde::{Deserialize, Serialize};

/// Longest text of one speech, bytes: some four minutes of talk.
pub const TEXT_MAX: usize = 4_096;
/// Longest name of a language or a voice, bytes.
pub const NAME_MAX: usize = 64;

/// What is to be said, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Speech {
    /// 1 to [`TEXT_MAX`] bytes.
    pub text: String,
    /// A language tag as `en` or `zh-cn`; see [`is_name`].
    pub language: String,
    /// A voice by the engine's name for it; the language's own if none. See [`is_name`].
    pub voice: Option<String>,
}

/// Whether this can name a language or a voice: letters, digits, `-`, `_`, `.` and `+`, a letter or digit first, so that
/// no engine takes it for an option or a path.
pub fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    text.len() <= NAME_MAX && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_neither_an_option_nor_a_path() {
        for name in ["en", "zh-cn", "cmn-latn-pinyin", "en+f3", "tts-1.hd"] {
            assert!(is_name(name), "{name}");
        }
        let long = "e".repeat(65);
        for name in ["", "-w", "../en", "en us", "en;x", "/etc", "\u{4e2d}", long.as_str()] {
            assert!(!is_name(name), "{name}");
        }
    }
}
