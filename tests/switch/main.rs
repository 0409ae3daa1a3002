//! Whole-switch tests: SIPp, baresip and a browser against the running binary.

mod common;
mod registering;
mod walk;

use cordboard_tests::runner::{self, Test, test};
use std::process::ExitCode;

static TESTS: &[Test] = &[
    test("sipp_registers_with_md5_digest_and_unregisters", registering::registers_and_unregisters),
    test("sipp_registration_with_a_wrong_password_is_refused", registering::wrong_password),
    test("a_registration_expires", registering::expires),
    test("registrations_survive_a_kill_and_a_restart", registering::survive),
    test("sipp_call_menu_queue_agent_hung_up_by_the_caller", walk::hung_up_by_the_caller),
    test("sipp_call_menu_queue_agent_hung_up_by_the_agent", walk::hung_up_by_the_agent),
];

fn main() -> ExitCode {
    runner::main(TESTS)
}
