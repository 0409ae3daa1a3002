//! Places that are kept: a caller leaves a queue, is called back when his turn comes, and what becomes of it.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, field, hear_each_other};
use crate::ringing::calls_with_digest;
use crate::sight::command;
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MENU};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;

/// What those hear who wait: whoever presses a key is to be called back.
const OFFER: &str = "call:collect({prompt = 'menu', max = 1, first = 30})
    call:log('place', call:queue().position)
    call:log('answer', call:callback({note = 'after six', data = {order = 7}}))
    call:hang_up()";
/// The tone by which a customer is asked for a key, Hz.
const BEEP: f64 = 1_000.0;

/// Agent 1001, the queue with the offer, and the customer's account 1003.
fn config(dir: &Path, queue: &str) -> Result<Config, Fail> {
    let queue = format!("wait_flow = \"offer\"\n{queue}");
    Ok(Config::new(dir)?.agent("1001").queue(&queue).user("1003").flow("offer", OFFER)?)
}

fn order(switch: &Switch, what: &str) -> Outcome {
    switch.api.post(&format!("/api/v1/agents/1001/{what}")).map(|_| ())
}

fn entries(switch: &Switch) -> Result<Vec<Value>, Fail> {
    switch.api.list("/api/v1/callbacks")
}

/// The only entry, when it is in this state.
fn entry(switch: &Switch, state: &str) -> Result<Value, Fail> {
    let mut last = Vec::new();
    let seen = wait_for(&format!("the entry to be {state}"), SOON, || {
        last = entries(switch).ok()?;
        last.first().filter(|entry| entry["state"] == state).cloned()
    });
    seen.map_err(|why| Fail(format!("{why}: {last:?}")))
}

/// While nobody is ready 1003 calls, waits, and leaves with his place kept. Gives the entry.
fn leaves(dir: &Path, switch: &Switch) -> Result<Value, Fail> {
    let mut caller = Phone::calls(dir, "1003", 5075, "501", &calls_with_digest(), CALLER)?;
    caller.speaks()?;
    caller.voice.hears("the caller, waiting,", MENU, SOON)?;
    caller.voice.press('5');
    switch.wait_logged("answer kept")?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "queues.0.outcome", "callback")?;
    let entry = entry(switch, "waiting")?;
    field(&entry, "number", "1003")?;
    field(&entry, "kept.arrived", at(&cdr, "queues.0.entered").clone())?;
    field(&cdr, "data.callback", at(&entry, "id.name").clone())?;
    Ok(entry)
}

/// The last call called this entry's caller back, and he and the agent talked.
fn was_called_back(switch: &Switch, cdrs: usize, entry: &Value) -> Outcome {
    let cdr = switch.wait_cdrs(cdrs)?.remove(0);
    field(&cdr, "data.callback", at(entry, "id.name").clone())?;
    field(&cdr, "data.order", 7)?;
    field(&cdr, "data.callbackNote", "after six")?;
    field(&cdr, "queues.0.outcome", "served")?;
    field(&cdr, "queues.0.account.callback", true)?;
    field(&cdr, "agent.name", "1001")?;
    ensure(cdr["bridged"].is_u64(), || format!("they never talked: {cdr}"))?;
    let left = wait_for("the list to be empty", SOON, || entries(switch).ok().filter(Vec::is_empty));
    left.map(|_| ())
}

/// The agent's phone rings when he is ready, shows whom he is to call back, and when he answers that one's phone rings.
pub fn agent_first(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &config(dir, "wrap_up = \"0s\"")?)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), CALLER)?;
    let mut party = Phone::registered(dir, "1003", 5073, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    order(&switch, "not-ready")?;
    let kept = leaves(dir, &switch)?;
    field(&switch.api.get("/api/v1/queues")?, "items.0.callbacks", 1)?;
    let said = command(dir, &["queue", "explain", "sales", "-c", "cordboard.toml"])?;
    ensure(said.contains("is to be called back"), || said.clone())?;
    order(&switch, "ready")?;
    let rings = agent.sipp.wait_received("INVITE", 1)?;
    let from = rings.header("From").unwrap_or_default().to_owned();
    ensure(from.contains("Call-back") && from.contains("sip:1003@"), || {
        format!("the agent is shown {from}")
    })?;
    field(&entry(&switch, "calling")?, "attempts", 0)?;
    agent.answers_now()?;
    party.answers_now()?;
    hear_each_other(&mut agent, &mut party)?;
    switch.wait_agent("1001", "talking")?;
    agent.hangs_up()?;
    party.ended()?;
    was_called_back(&switch, 2, &kept)?;
    switch.wait_agent("1001", "ready")?;
    switch.ensure_nothing_left()
}

/// An agent is kept free, the customer's phone rings, he presses the key, and then the agent's phone rings.
pub fn customer_first(dir: &Path) -> Outcome {
    let rules = "callback_first = \"customer\"\ncallback_confirm = \"1\"\nwrap_up = \"0s\"";
    let switch = Switch::start(dir, &config(dir, rules)?)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut party = Phone::registered(dir, "1003", 5073, &answers_when_told(), CALLER)?;
    switch.wait_agent("1001", "ready")?;
    order(&switch, "not-ready")?;
    let kept = leaves(dir, &switch)?;
    order(&switch, "ready")?;
    switch.wait_agent("1001", "ringing")?;
    party.answers_now()?;
    party.speaks()?;
    party.voice.hears("the customer, asked,", BEEP, SOON)?;
    party.voice.press('7');
    let rang = agent.sipp.received("INVITE").len();
    ensure(rang == 0, || "the agent's phone rang before the customer had accepted".into())?;
    party.voice.press('1');
    agent.answers_now()?;
    hear_each_other(&mut party, &mut agent)?;
    agent.hangs_up()?;
    party.ended()?;
    was_called_back(&switch, 2, &kept)?;
    switch.ensure_nothing_left()
}

/// The customer is busy at the first attempt; then the switch is killed. The place is as it was, and the next attempt
/// reaches him.
pub fn again(dir: &Path) -> Outcome {
    let mut switch = Switch::start(dir, &config(dir, "wrap_up = \"10m\"\ncallback_every = \"1s\"")?)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), CALLER)?;
    let busy = Scenario::called(MU_LAW).says(486, "Busy Here").receives_request("ACK");
    let mut party = Phone::registered(dir, "1003", 5073, &busy, AGENT)?;
    switch.wait_agent("1001", "ready")?;
    order(&switch, "not-ready")?;
    let kept = leaves(dir, &switch)?;
    order(&switch, "ready")?;
    agent.answers_now()?;
    party.ended()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(2)?.remove(0);
    field(&cdr, "cause", "busy")?;
    switch.wait_agent("1001", "wrap_up")?;
    let tried = wait_for("the attempt to be counted", SOON, || {
        entries(&switch).ok()?.into_iter().find(|entry| entry["attempts"] == 1)
    })?;
    field(&tried, "outcome", "busy")?;
    order(&switch, "not-ready")?;
    let waits = entry(&switch, "waiting")?;
    switch.kill();

    drop((agent, party));
    let switch = Switch::restart(dir)?;
    let after = entry(&switch, "waiting")?;
    ensure(after == waits, || format!("{waits} before, {after} after"))?;
    field(&after, "kept.arrived", at(&kept, "kept.arrived").clone())?;
    let mut agent = Phone::listening(dir, 5071, &answers_when_told(), 1, CALLER)?;
    let mut party = Phone::listening(dir, 5073, &answers_when_told(), 1, AGENT)?;
    switch.wait_agent("1001", "not_ready")?;
    order(&switch, "ready")?;
    agent.answers_now()?;
    party.answers_now()?;
    hear_each_other(&mut agent, &mut party)?;
    agent.hangs_up()?;
    party.ended()?;
    was_called_back(&switch, 3, &kept)
}
