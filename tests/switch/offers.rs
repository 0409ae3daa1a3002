//! Offers and responses beyond the plain call: reliable ringing, late offers, fax.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use std::path::Path;

/// A carrier's caller and a phone that it calls.
fn both(dir: &Path, calls: &Scenario, rings: &Scenario) -> Result<(Switch, Phone, Phone), Fail> {
    let switch = Switch::start(dir, &Config::new(dir)?.user("1002").trunk())?;
    let called = Phone::registered(dir, "1002", 5072, rings, AGENT)?;
    let caller = Phone::by_trunk(dir, "1002", calls, CALLER)?;
    Ok((switch, caller, called))
}

/// They hear each other, the caller hangs up, and one record says so.
fn ends_well(switch: &Switch, caller: &mut Phone, called: &mut Phone) -> Outcome {
    caller.voice.forget();
    called.voice.forget();
    hear_each_other(caller, called)?;
    caller.hangs_up()?;
    called.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "caller")
}

/// The ring comes for certain: with 100rel, an RSeq, and again until its PRACK.
pub fn reliable_ring(dir: &Path) -> Outcome {
    let asks = Scenario::caller(MU_LAW).invites_saying("Require: 100rel\nSupported: 100rel\n");
    let asks = asks.may_receive(100).acknowledges_reliable(180).receives(200).acknowledges_first().ends();
    let (switch, mut caller, mut called) = both(dir, &asks, &answers_when_told())?;
    caller.sipp.wait_sent("PRACK", 1)?;
    called.answers_now()?;
    ends_well(&switch, &mut caller, &mut called)?;
    switch.ensure_nothing_left()
}

/// What is announced before the answer is heard, and the description of a reliable 183 holds for the call.
pub fn reliable_progress(dir: &Path) -> Outcome {
    let rings = Scenario::called(MU_LAW).progresses_reliably().waits_for_word();
    let rings = rings.answers_without_description().ends();
    let (switch, mut caller, mut called) = both(dir, &calls(), &rings)?;
    let prack = called.sipp.wait_received("PRACK", 1)?;
    let rack = prack.header("RAck").unwrap_or_default();
    ensure(rack.starts_with("4711 ") && rack.ends_with(" INVITE"), || format!("RAck is {rack:?}"))?;
    caller.sipp.wait_received("SIP/2.0 183", 1)?;
    called.speaks()?;
    caller.voice.hears("the caller, before the answer,", AGENT, SOON)?;
    called.sipp.go_on()?;
    ends_well(&switch, &mut caller, &mut called)?;
    switch.ensure_nothing_left()
}

/// Who calls without an offer gets ours in the 200, and answers it in the ACK.
pub fn offerless(dir: &Path) -> Outcome {
    let asks = Scenario::caller(MU_LAW).invites_without_offer().may_receive(100).may_receive(180);
    let asks = asks.may_receive(183).receives(200).acknowledges_with_answer().ends();
    let (switch, mut caller, mut called) = both(dir, &asks, &answers_when_told())?;
    called.answers_now()?;
    ends_well(&switch, &mut caller, &mut called)?;
    switch.ensure_nothing_left()
}

/// A fax machine that begins to whistle: its gateway offers T.38, is told no, and stays with G.711.
pub fn fax(dir: &Path) -> Outcome {
    let asks = Scenario::caller(MU_LAW).invites().is_answered().waits_for_word().offers_fax_in_vain().ends();
    let (switch, mut caller, mut called) = both(dir, &asks, &answers_when_told())?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    caller.sipp.go_on()?;
    let refusal = caller.sipp.wait_received("SIP/2.0 488", 1)?;
    let warning = refusal.header("Warning").unwrap_or_default();
    ensure(warning.starts_with("304 "), || format!("the Warning is {warning:?}"))?;
    caller.sipp.wait_sent("ACK", 2)?;
    ensure(called.sipp.received("INVITE").len() == 1, || "the other side was asked for a fax".into())?;
    ends_well(&switch, &mut caller, &mut called)?;
    switch.ensure_nothing_left()
}
