//! Patterns of keys: what an entry may look like, judged after every key.
//!
//! `0` to `9`, `*`, `#`, `A` to `D` are themselves, `X` is any digit, `Z` one of 1 to 9, `N` one of 2 to 9, and a `.` at the
//! end any number of further digits, at least one.

/// Most patterns of one entry.
pub const PATTERNS_MAX: usize = 32;
/// Longest pattern.
pub const PATTERN_MAX: usize = 64;

/// What the keys so far are to a list of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// One fits, and no further key could lead to another.
    Fits,
    /// One fits, and further keys may fit as well.
    MayGoOn,
    /// None fits yet.
    Incomplete,
    /// None will.
    Never,
}

/// Whether a text can be a pattern.
pub fn is_pattern(text: &str) -> bool {
    let body = text.strip_suffix('.').unwrap_or(text);
    let known = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D' | 'X' | 'Z' | 'N');
    text.len() <= PATTERN_MAX && !text.is_empty() && body.chars().all(known)
}

/// Most keys that any of the patterns may have; none if one has no end.
pub fn longest(patterns: &[String]) -> Option<usize> {
    let length = |pattern: &String| (!pattern.ends_with('.')).then_some(pattern.len());
    patterns.iter().map(length).try_fold(0, |most, length| Some(most.max(length?)))
}

/// Judges the keys so far.
pub fn judge(patterns: &[String], typed: &str) -> Judged {
    let (mut fits, mut goes_on) = (false, false);
    for pattern in patterns {
        let (this, more) = judge_one(pattern, typed);
        fits |= this;
        goes_on |= more;
    }
    match (fits, goes_on) {
        (true, false) => Judged::Fits,
        (true, true) => Judged::MayGoOn,
        (false, true) => Judged::Incomplete,
        (false, false) => Judged::Never,
    }
}

/// Whether the keys fit, and whether more of them may.
fn judge_one(pattern: &str, typed: &str) -> (bool, bool) {
    let (body, open) = match pattern.strip_suffix('.') {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let mut keys = typed.chars();
    for wanted in body.chars() {
        match keys.next() {
            None => return (false, true),
            Some(key) if !takes(wanted, key) => return (false, false),
            Some(_) => {}
        }
    }
    let rest = keys.as_str();
    if !open {
        return (rest.is_empty(), false);
    }
    let digits = rest.chars().all(|key| key.is_ascii_digit());
    (digits && !rest.is_empty(), digits)
}

fn takes(wanted: char, key: char) -> bool {
    match wanted {
        'X' => key.is_ascii_digit(),
        'Z' => matches!(key, '1'..='9'),
        'N' => matches!(key, '2'..='9'),
        own => own == key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(patterns: &[&str], typed: &str) -> Judged {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        judge(&patterns, typed)
    }

    #[test]
    fn an_entry_is_decided_as_early_as_it_is_unambiguous() {
        use Judged as J;
        for (patterns, typed, wanted) in [
            (&["1XXX"][..], "", J::Incomplete),
            (&["1XXX"], "1", J::Incomplete),
            (&["1XXX"], "123", J::Incomplete),
            (&["1XXX"], "1234", J::Fits),
            (&["1XXX"], "12345", J::Never),
            (&["1XXX"], "2", J::Never),
            (&["1XXX"], "1*", J::Never),
            (&["0", "1XXX"], "0", J::Fits),
            (&["1", "1XXX"], "1", J::MayGoOn),
            (&["1", "1XXX"], "12", J::Incomplete),
            (&["NXX", "911"], "911", J::Fits),
            (&["NXX"], "1", J::Never),
            (&["ZX"], "0", J::Never),
            (&["ZX"], "10", J::Fits),
            (&["*X"], "*", J::Incomplete),
            (&["*X"], "*7", J::Fits),
            (&["*X"], "**", J::Never),
            (&["#"], "#", J::Fits),
            (&["0."], "0", J::Incomplete),
            (&["0."], "04", J::MayGoOn),
            (&["0."], "04930123", J::MayGoOn),
            (&["0."], "04#", J::Never),
            (&["."], "", J::Incomplete),
            (&["."], "9", J::MayGoOn),
            (&["D1"], "D1", J::Fits),
            (&[], "1", J::Never),
        ] {
            assert_eq!(judged(patterns, typed), wanted, "{patterns:?} {typed:?}");
        }
    }

    #[test]
    fn a_pattern_is_of_keys_and_their_kinds_and_the_longest_is_known_unless_one_is_open() {
        for text in ["1XXX", "*9#", "NXXZ", "0.", ".", "ABCD"] {
            assert!(is_pattern(text), "{text}");
        }
        for text in ["", "1-2", "x", "0.1", "..", "\u{e9}", "E"] {
            assert!(!is_pattern(text), "{text}");
        }
        assert!(!is_pattern(&"1".repeat(65)));
        let list = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        assert_eq!(longest(&list(&["1", "1XXX"])), Some(4));
        assert_eq!(longest(&list(&["1", "0."])), None);
    }
}
