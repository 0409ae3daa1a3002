//! Ringing: extensions, agents who do not answer, forks, and callers who give up.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, at, calls, field, hear_each_other, in_order};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use std::path::Path;

fn two_extensions(dir: &Path) -> Result<Switch, Fail> {
    Switch::start(dir, &Config::new(dir)?.user("1001").user("1002"))
}

/// An account's phone that calls, says who it is, and ends either way.
pub fn calls_with_digest() -> Scenario {
    Scenario::caller(MU_LAW).invites_with_digest().is_answered().ends()
}

pub fn extension_to_extension(dir: &Path) -> Outcome {
    let switch = two_extensions(dir)?;
    let mut called = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let mut caller = Phone::calls(dir, "1001", 5071, "1002", &calls_with_digest(), CALLER)?;
    caller.sipp.wait_received("SIP/2.0 180", 1)?;
    called.answers_now()?;
    hear_each_other(&mut caller, &mut called)?;
    let invite = called.sipp.received("INVITE");
    let from = invite.first().and_then(|m| m.header("From")).unwrap_or_default().to_owned();
    ensure(from.contains("sip:1001@"), || format!("the called phone is shown {from}"))?;
    called.hangs_up()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "callee")?;
    field(&cdr, "from.user", "1001")?;
    field(&cdr, "to.user", "1002")?;
    in_order(&cdr, &["started", "answered", "bridged", "ended"])?;
    switch.ensure_nothing_left()
}

pub fn cancelled(dir: &Path) -> Outcome {
    let switch = two_extensions(dir)?;
    let rings = Scenario::called(MU_LAW).says(180, "Ringing").is_cancelled();
    let mut called = Phone::registered(dir, "1002", 5072, &rings, 0.0)?;
    let gives_up = Scenario::caller(MU_LAW).invites_with_digest();
    let gives_up = gives_up.may_receive(100).receives(180).waits_for_word().cancels();
    let mut caller = Phone::calls(dir, "1001", 5071, "1002", &gives_up, 0.0)?;
    caller.sipp.wait_received("SIP/2.0 180", 1)?;
    caller.gives_up()?;
    called.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "cancelled")?;
    field(&cdr, "ended_by", "caller")?;
    field(&cdr, "answered", serde_json::Value::Null)?;
    field(&cdr, "bridged", serde_json::Value::Null)?;
    switch.ensure_left_resting(1)
}

pub fn abandoned(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &Config::new(dir)?.agent("1001").queue("").trunk())?;
    let rings = Scenario::called(MU_LAW).says(180, "Ringing").is_cancelled();
    let mut agent = Phone::registered(dir, "1001", 5071, &rings, 0.0)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.sipp.wait_sent("SIP/2.0 180", 1)?;
    switch.wait_agent("1001", "ringing")?;
    caller.hangs_up()?;
    agent.ended()?;
    // It was not his doing: no break, no wrap-up.
    switch.wait_agent("1001", "ready")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "ended_by", "caller")?;
    field(&cdr, "queues.0.outcome", "abandoned")?;
    field(&cdr, "queues.0.agent", serde_json::Value::Null)?;
    field(&cdr, "bridged", serde_json::Value::Null)?;
    let queues = switch.api.list("/api/v1/queues")?;
    field(&queues[0], "abandoned", 1)?;
    field(&queues[0], "waiting", serde_json::json!([]))?;
    switch.ensure_left_resting(1)
}

pub fn next_agent(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").agent("1002").agent("1003").agent("1004");
    let switch = Switch::start(dir, &config.queue("ring = \"1s\"\non_no_answer = \"rest\"").trunk())?;
    let refuses = |status, reason| Scenario::called(MU_LAW).says(status, reason).receives_request("ACK");
    // The longest idle is asked first.
    let mut busy = Phone::registered(dir, "1001", 5071, &refuses(486, "Busy Here"), 0.0)?;
    let mut declines = Phone::registered(dir, "1002", 5072, &refuses(603, "Decline"), 0.0)?;
    let silent = Scenario::called(MU_LAW).says(180, "Ringing").is_cancelled();
    let mut silent = Phone::registered(dir, "1003", 5073, &silent, 0.0)?;
    let mut answers = Phone::registered(dir, "1004", 5074, &answers_when_told(), AGENT)?;
    switch.wait_agent("1004", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    busy.ended()?;
    declines.ended()?;
    silent.ended()?;
    answers.answers_now()?;
    hear_each_other(&mut caller, &mut answers)?;
    let agents = switch.api.list("/api/v1/agents")?;
    let status = |name: &str| agents.iter().find(|a| a["agent"]["name"] == name).map(|a| &a["status"]);
    ensure(status("1003").is_some_and(|s| s == "rest"), || format!("who let it ring: {agents:?}"))?;
    ensure(status("1001").is_some_and(|s| s != "ringing"), || format!("who was busy: {agents:?}"))?;
    caller.hangs_up()?;
    answers.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "agent.name", "1004")?;
    let causes: Vec<&str> =
        (1..5).filter_map(|leg| at(&cdr, &format!("legs.{leg}.cause")).as_str()).collect();
    ensure(causes == ["busy", "declined", "no_answer", "normal"], || format!("{causes:?} in {cdr}"))?;
    switch.ensure_left_resting(3)
}

/// One missed call took an agent without a desk out for good: nobody was there to end his break, and the journal brought it
/// back at every start.
pub fn unattended(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("ring = \"1s\"\non_no_answer = \"rest\"").trunk();
    let mut switch = Switch::start(dir, &config)?;
    let silent = Scenario::called(MU_LAW).says(180, "Ringing").is_cancelled();
    let mut silent = Phone::registered(dir, "1001", 5071, &silent, 0.0)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    silent.ended()?;
    field(&switch.wait_agent("1001", "rest")?, "reason", "no_answer")?;
    caller.hangs_up()?;
    switch.wait_cdrs(1)?;
    switch.kill();
    let switch = Switch::restart(dir)?;
    let agent = switch.wait_agent("1001", "ready")?;
    field(&agent, "contacts", 1)?;
    field(&agent, "reason", serde_json::Value::Null)?;
    // A break that he asked for is his.
    switch.api.post("/api/v1/agents/1001/rest")?;
    drop(switch);
    Switch::restart(dir)?.wait_agent("1001", "rest")?;
    Ok(())
}

pub fn fork(dir: &Path) -> Outcome {
    let switch = two_extensions(dir)?;
    let mut first = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    let loses = Scenario::called(MU_LAW).says(180, "Ringing").is_cancelled();
    let mut second = Phone::registered(dir, "1002", 5073, &loses, 0.0)?;
    switch.wait_registered("1002", 2)?;
    let mut caller = Phone::calls(dir, "1001", 5071, "1002", &calls_with_digest(), CALLER)?;
    second.sipp.wait_sent("SIP/2.0 180", 1)?;
    first.answers_now()?;
    second.ended()?;
    let cancel = second.sipp.received("CANCEL");
    let reason = cancel.first().and_then(|m| m.header("Reason")).unwrap_or_default().to_owned();
    ensure(reason.contains("cause=200"), || format!("not told that another took it: {reason:?}"))?;
    hear_each_other(&mut caller, &mut first)?;
    caller.hangs_up()?;
    first.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", "caller")?;
    switch.ensure_left_resting(1)
}

pub fn late_answer(dir: &Path) -> Outcome {
    let switch = two_extensions(dir)?;
    let mut first = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    // Its 200 was on the way when the CANCEL came.
    let late = Scenario::called(MU_LAW).says(180, "Ringing").receives_request("CANCEL").agrees();
    let mut second = Phone::registered(dir, "1002", 5073, &late.answers().is_hung_up(), 0.0)?;
    switch.wait_registered("1002", 2)?;
    let mut caller = Phone::calls(dir, "1001", 5071, "1002", &calls_with_digest(), CALLER)?;
    second.sipp.wait_sent("SIP/2.0 180", 1)?;
    first.answers_now()?;
    second.ended()?;
    hear_each_other(&mut caller, &mut first)?;
    caller.hangs_up()?;
    first.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    switch.ensure_nothing_left()
}
