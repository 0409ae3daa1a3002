//! `cargo xtask ci`: what has to hold before a change lands, in one run that compiles once.
//!
//! Every step runs even when one before it failed, so that one run tells everything. The last line
//! is `N passed, M failed`: tests, with each failed step that is not a run of tests counted as one.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::loom;
use crate::outcome::Outcome;
use crate::steps::{Steps, cargo, copied, plain};
use crate::tidy::{self, Options, ran};

/// Where the output of all tests is kept, for `tidy --ran` and for whoever looks later.
const RAN: &str = "var/ran.txt";
const TESTS: &str = "tests";
const LOOM: &str = "loom";
/// A test that waits for what never comes would else take the whole run, and what the others had to say, with it. The
/// longest executable of tests, that of the whole switch, takes ten minutes on two cores.
const BOUNDED: &str = "target.'cfg(unix)'.runner = ['timeout', '--signal=ABRT', '2400']";

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let mut options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(why) => return Outcome::Misused(why),
    };
    let ran = root.join(RAN);
    let mut copy = match fs::create_dir_all(root.join("var")).and_then(|()| File::create(&ran)) {
        Ok(file) => file,
        Err(error) => return Outcome::Misused(format!("{}: {error}", ran.display())),
    };
    options.ran = Some(ran.clone());

    let mut steps = Steps::default();
    compile_and_test(root, &mut steps, &mut copy);
    steps.step("tidy", || Ok(tidy::check_and_print(root, &options)));
    steps.print();
    match close(&ran, &steps) {
        Ok(passed) => Outcome::of(passed),
        Err(error) => Outcome::Misused(format!("{}: {error}", ran.display())),
    }
}

fn compile_and_test(root: &Path, steps: &mut Steps, copy: &mut File) {
    steps.step("format", || plain(cargo(root, &["fmt", "--all", "--check"])));
    steps.step("clippy", || {
        let strict = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
        plain(cargo(root, &strict))
    });
    // Tests of the whole switch start the binary, which `cargo test` alone would not build for a
    // package other than its own. With the tests in the same command the features are the same too,
    // so that nothing is compiled again after this.
    steps.step("build", || plain(cargo(root, &["build", "--workspace", "--bins", "--tests"])));
    steps.step(TESTS, || {
        copied(cargo(root, &["test", "--config", BOUNDED, "--workspace", "--no-fail-fast"]), copy)
    });
    steps.step(LOOM, || copied(loom::command(root), copy));
    steps.step("benches compile", || plain(cargo(root, &["check", "--workspace", "--benches"])));
}

/// Prints the closing line; true when all is well.
fn close(ran: &Path, steps: &Steps) -> io::Result<bool> {
    let results = ran::read(&String::from_utf8_lossy(&fs::read(ran)?));
    for name in results.failed() {
        println!("failed: {name}");
    }
    let all_steps = steps.failed(&[]);
    let failed = failures(results.failed_count(), steps.failed(&[TESTS, LOOM]), all_steps);
    println!("{} passed, {failed} failed", results.passed_count());
    Ok(results.passed_count() > 0 && all_steps == 0 && failed == 0)
}

/// Failed tests, and failed steps that are no run of tests. A run of tests that failed without a
/// failed test (it did not compile, or it crashed) must not hide behind a count of nought.
fn failures(tests: usize, other_steps: usize, all_steps: usize) -> usize {
    if tests == 0 { all_steps } else { tests + other_steps }
}

#[cfg(test)]
mod tests {
    use super::failures;

    #[test]
    fn a_failed_step_is_never_counted_as_nought() {
        assert_eq!(failures(0, 0, 0), 0);
        assert_eq!(failures(3, 0, 1), 3, "three tests of one run");
        assert_eq!(failures(3, 1, 2), 4, "and the format");
        assert_eq!(failures(0, 0, 1), 1, "a run that did not compile");
        assert_eq!(failures(0, 2, 2), 2, "format and tidy");
    }
}
