//! What the tests said: lines `test NAME ... ok` as Rust's own harness prints them, and as the
//! harness of the whole switch does.

use std::collections::BTreeMap;

/// How a test ended. The worst counts when a name comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Passed,
    Ignored,
    Failed,
}

/// The ends of all tests of a run.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    by_name: BTreeMap<String, End>,
    passed: usize,
    failed: usize,
}

/// Reads the output of a run; lines that are no test's are passed over.
pub(crate) fn read(output: &str) -> Ran {
    let mut ran = Ran::default();
    for line in output.lines() {
        let Some((name, end)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... ")) else {
            continue;
        };
        let end = match end.split([' ', ',', '(']).next() {
            Some("ok") => End::Passed,
            Some("ignored") => End::Ignored,
            Some("FAILED") => End::Failed,
            _ => continue,
        };
        match end {
            End::Passed => ran.passed += 1,
            End::Failed => ran.failed += 1,
            End::Ignored => {}
        }
        let name = name.trim_end_matches(" - should panic").to_owned();
        let kept = ran.by_name.entry(name).or_insert(end);
        *kept = end.max(*kept);
    }
    ran
}

impl Ran {
    pub(crate) fn passed_count(&self) -> usize {
        self.passed
    }

    pub(crate) fn failed_count(&self) -> usize {
        self.failed
    }

    pub(crate) fn failed(&self) -> impl Iterator<Item = &str> {
        self.by_name.iter().filter(|(_, end)| **end == End::Failed).map(|(name, _)| name.as_str())
    }

    /// `None` when the test passed. A test is found by its whole name or by the end of it, from a
    /// `::` on; when several are meant, all must have passed.
    pub(crate) fn why_not_passed(&self, test: &str) -> Option<&'static str> {
        let meant = |name: &str| {
            name.strip_suffix(test).is_some_and(|before| before.is_empty() || before.ends_with("::"))
        };
        let worst = self.by_name.iter().filter(|(name, _)| meant(name)).map(|(_, end)| *end).max();
        match worst {
            Some(End::Passed) => None,
            Some(End::Ignored) => Some("was ignored"),
            Some(End::Failed) => Some("failed"),
            None => Some("did not run"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    const OUTPUT: &str = "\
running 5 tests
test tests::a_full_lane_refuses ... ok
test tests::short - should panic ... ok
test tests::left_out ... ignored, for a reason
test tests::slow has been running for over 60 seconds
test tests::slow ... FAILED
test switch/lane/src/lib.rs - (line 31) ... ok
test register with 401 ... ok (1.2 s)
test other::twice ... ok
test tests::twice ... FAILED
test result: FAILED. 3 passed; 1 failed; 1 ignored
";

    #[test]
    fn a_test_counts_only_when_it_ran_and_passed() {
        let ran = read(OUTPUT);
        let why = |test| ran.why_not_passed(test);
        assert_eq!(why("a_full_lane_refuses"), None);
        assert_eq!(why("tests::a_full_lane_refuses"), None);
        assert_eq!(why("short"), None);
        assert_eq!(why("register with 401"), None);
        assert_eq!(why("refuses"), Some("did not run"));
        assert_eq!(why("left_out"), Some("was ignored"));
        assert_eq!(why("slow"), Some("failed"));
        assert_eq!(why("twice"), Some("failed"));
    }

    #[test]
    fn a_run_is_counted_by_its_tests() {
        let ran = read(OUTPUT);
        assert_eq!((ran.passed_count(), ran.failed_count()), (5, 2));
        assert_eq!(ran.failed().collect::<Vec<_>>(), ["tests::slow", "tests::twice"]);
    }
}
