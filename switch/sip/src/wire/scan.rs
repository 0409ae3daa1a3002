//! The character classes and small scanners of RFC 3261 section 25.1.
//! Invariant: no scanner reads past its slice, and each makes progress or stops.

/// Whether `byte` may stand in a `token`.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Whether `text` is a `token`: one or more token bytes.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// Whether `byte` is linear white space; folds are already spaces when values are scanned.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `text` without linear white space at its ends.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The index just past the quoted string that opens at `start`, or `None` if it never closes.
pub(crate) fn quoted_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The text of a quoted string: quotes taken off, each quoted pair replaced by its character.
/// A text that is not quoted comes back as it is.
pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(character) = chars.next() {
        match character {
            '\\' => plain.extend(chars.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// Writes `text` as a quoted string. Line ends cannot be quoted and become spaces.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\r' | '\n' => out.push(' '),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// The next comma of `bytes` at or after `from` that stands outside quotes and angle brackets.
fn list_comma(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut in_angle = false;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if !in_angle => {
                at = quoted_end(bytes, at)?;
                continue;
            }
            b'<' => in_angle = true,
            b'>' => in_angle = false,
            b',' if !in_angle => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The elements of a comma-separated list, trimmed, empty ones included so that the reader of
/// the element can refuse them.
pub(crate) fn split_list(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let element = match list_comma(text.as_bytes(), 0) {
            Some(comma) => {
                rest = text.get(comma + 1..);
                text.get(..comma).unwrap_or_default()
            }
            None => {
                rest = None;
                text
            }
        };
        Some(trim(element))
    })
}

/// Whether `text` can stand on one line: no CR and no LF.
pub(crate) fn is_single_line(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'\r' | b'\n'))
}

/// `text` with every CR and LF turned into a space, so that no value can begin a header.
pub(crate) fn single_line(text: String) -> String {
    if is_single_line(&text) {
        return text;
    }
    text.chars().map(|c| if matches!(c, '\r' | '\n') { ' ' } else { c }).collect()
}

/// A number of decimal digits only: no sign, no blank. `None` when malformed or above `u64`.
pub(crate) fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_split() {
        let list: Vec<_> = split_list(r#""a, \", b" <sip:x,y@h>, <sip:z@h> , "#).collect();
        assert_eq!(list, [r#""a, \", b" <sip:x,y@h>"#, "<sip:z@h>", ""]);
    }

    #[test]
    fn an_open_quote_takes_the_rest_of_the_list() {
        let list: Vec<_> = split_list(r#"a, "b, c"#).collect();
        assert_eq!(list, ["a", r#""b, c"#]);
    }

    #[test]
    fn a_backslash_at_the_end_closes_nothing() {
        assert_eq!(quoted_end(b"\"abc\\", 0), None);
        assert_eq!(quoted_end(b"\"abc\\\"", 0), None);
        assert_eq!(quoted_end(b"\"abc\\\"\"", 0), Some(7));
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        let text = "a \"quoted\" back\\slash \u{0}";
        let mut quoted = String::new();
        push_quoted(&mut quoted, text);
        assert_eq!(unquote(&quoted), text);
    }

    #[test]
    fn signs_and_blanks_are_not_numbers() {
        for text in ["", "+1", "-1", " 1", "1 ", "0x1", "99999999999999999999"] {
            assert_eq!(digits(text), None, "{text:?}");
        }
        assert_eq!(digits("0068"), Some(68));
    }
}
