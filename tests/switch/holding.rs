//! Hold and retrieve by re-INVITE, from either end: the other hears music meanwhile, then the voice again.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::Outcome;
use cordboard_tests::scenario::{MU_LAW, NOWHERE, Scenario};
use cordboard_tests::switch::Switch;
use std::path::Path;

/// Holds in this way and retrieves as told, then ends either way.
fn holds(talking: Scenario, way: &str) -> Scenario {
    let held = talking.waits_for_word().offers_again(way).is_agreed();
    held.waits_for_word().offers_again("sendrecv").is_agreed().ends()
}

pub fn by_the_caller(dir: &Path) -> Outcome {
    caller_holds(dir, "sendonly")
}

pub fn both_ways_stopped(dir: &Path) -> Outcome {
    caller_holds(dir, "inactive")
}

/// RFC 2543's way, which old phones still have.
pub fn sent_to_nowhere(dir: &Path) -> Outcome {
    caller_holds(dir, NOWHERE)
}

fn caller_holds(dir: &Path, way: &str) -> Outcome {
    let calls = holds(Scenario::caller(MU_LAW).invites().is_answered(), way);
    hold(dir, &calls, &answers_when_told(), true)
}

pub fn by_the_agent(dir: &Path) -> Outcome {
    let rings = Scenario::called(MU_LAW).says(180, "Ringing").waits_for_word().answers();
    hold(dir, &calls(), &holds(rings, "sendonly"), false)
}

fn hold(dir: &Path, calls: &Scenario, rings: &Scenario, by_caller: bool) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.agent("1001").queue("").trunk())?;
    let mut agent = Phone::registered(dir, "1001", 5071, rings, AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", calls, CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let mut events = switch.api.events(None)?;
    {
        let (holder, held) = if by_caller { (&mut caller, &agent) } else { (&mut agent, &caller) };
        let invites = holder.sipp.sent("INVITE").len();
        holder.sipp.go_on()?;
        events.until("the hold", |e| e["type"] == "leg_held" && e["held"] == true)?;
        held.voice.forget();
        held.voice.hears("who is held", MUSIC, SOON)?;
        switch.wait_agent("1001", "hold")?;
        holder.sipp.wait_sent("ACK", invites + 1)?;
        holder.sipp.go_on()?;
        events.until("the end of the hold", |e| e["type"] == "leg_held" && e["held"] == false)?;
        holder.sipp.wait_sent("INVITE", invites + 2)?;
        switch.wait_agent("1001", "talking")?;
    }
    caller.voice.forget();
    agent.voice.forget();
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    field(&switch.wait_cdrs(1)?.remove(0), "cause", "normal")?;
    switch.ensure_nothing_left()
}
