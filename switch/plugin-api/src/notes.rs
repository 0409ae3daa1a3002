//! What a plugin looked at and did not take.

use core::fmt::Display;

/// Most rules that are told of; of those beyond, how many.
pub const NOTES_MAX: usize = 16;

/// Rules that a plugin did not take, each with its reason.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    lines: Vec<String>,
    more: usize,
}

impl Notes {
    /// This rule does not apply, for this reason.
    pub fn reject(&mut self, rule: impl Display, why: impl Display) {
        match self.lines.len() < NOTES_MAX {
            true => self.lines.push(format!("{rule}: {why}")),
            false => self.more += 1,
        }
    }

    /// As readers get them.
    pub fn into_lines(self) -> Vec<String> {
        let Self { mut lines, more } = self;
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_rules_are_told_of_and_the_rest_counted() {
        let mut notes = Notes::default();
        (0..20).for_each(|n| notes.reject(format_args!("rule {n}"), "too dear"));
        let lines = notes.into_lines();
        assert_eq!((lines.len(), lines[0].as_str()), (NOTES_MAX + 1, "rule 0: too dear"));
        assert_eq!(lines[NOTES_MAX], "and 4 more");
        assert_eq!(Notes::default().into_lines(), [""; 0]);
    }
}
