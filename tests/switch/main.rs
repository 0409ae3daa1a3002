//! Whole-switch tests: SIPp, baresip and a browser against the running binary.

use cordboard_tests::runner;
use std::process::ExitCode;

static TESTS: &[runner::Test] = &[];

fn main() -> ExitCode {
    runner::main(TESTS)
}
