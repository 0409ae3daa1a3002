//! `call:log("caller chose", choice)`: a line in the call's log, with the flow's file and line. Values are
//! joined by a space; `print` does the same with a tab. Counts as a step of the flow, and returns at once.

use crate::vm::shared::LOG_MAX;

/// As written in a flow.
pub const NAME: &str = "log";

/// What is kept of a line: at most [`LOG_MAX`] bytes, control characters made harmless.
pub fn line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..LOG_MAX).unwrap_or(text));
    let mut line: String = text.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect();
    let mut end = line.len().min(LOG_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_has_a_limit() {
        assert_eq!(line(b"one\ntwo\x1b[31m"), "one two [31m");
        assert!(line(&[0xff; 5_000]).len() <= LOG_MAX);
    }
}
