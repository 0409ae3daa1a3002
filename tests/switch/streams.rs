//! SIPp over TCP, which has neither baresip's nor linphone's ideas of a connection.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, calls, field, hear_each_other, setup};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::sipp::{Setup, Sipp};
use cordboard_tests::sound::Voice;
use cordboard_tests::switch::Switch;
use std::path::Path;

/// `1002` at 5072, registered by this transport.
fn called(dir: &Path, tcp: bool) -> Result<Phone, Fail> {
    let setup = Setup { tcp, ..setup("called", "1002", 5072) };
    Sipp::register(dir, &setup, 600)?;
    let voice = Voice::new("127.0.0.1", setup.rtp, AGENT)?;
    Ok(Phone { sipp: Sipp::listen(dir, &answers_when_told(), &setup)?, voice })
}

/// A call from UDP to TCP and one from TCP to UDP; SIPp that calls by TCP can only be hung up on.
pub fn called_and_calling(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.listen("tcp:127.0.0.1:5060").user("1002").trunk();
    let switch = Switch::start(dir, &config)?;
    let mut agent = called(dir, true)?;
    let mut caller = Phone::by_trunk(dir, "1002", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let invite = agent.sipp.received("INVITE").remove(0);
    let via = invite.header("Via").unwrap_or_default();
    ensure(via.starts_with("SIP/2.0/TCP "), || format!("the called phone got Via {via}"))?;
    agent.hangs_up()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "callee")?;

    // Its audio port is the next phone's.
    drop(agent);
    let gone = Setup { tcp: true, ..setup("gone", "1002", 5072) };
    Sipp::register(dir, &gone, 0)?;
    switch.wait_registered("1002", 0)?;
    let mut agent = called(dir, false)?;
    let asks = Scenario::caller(MU_LAW).invites().is_answered().is_hung_up();
    let from = Setup { ip: "127.0.0.2", port: 5091, rtp: 41_300, tcp: true, ..setup("by-tcp", "1002", 5091) };
    let voice = Voice::new("127.0.0.2", from.rtp, CALLER)?;
    let mut caller =
        Phone { sipp: Sipp::start(dir, &asks, &Setup { caller: "caller", password: "", ..from })?, voice };
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    agent.hangs_up()?;
    caller.ended()?;
    field(&switch.wait_cdrs(2)?[0], "cause", "normal")?;
    switch.ensure_nothing_left()
}
