//! An agent consults a queue: every ear asserted by tone, and what the records say of it.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field};
use crate::desks::{SILENCE, THIRD, TONES, config, order, path, refused, talking, wait_state};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// What the agent asks for.
const HELP: &str = r#"{"queue": "help"}"#;

/// Agent 1001 serves `sales`; 1002 and those of `more` serve `help`.
fn house(dir: &Path, help: &str, more: &[&str]) -> Result<Config, Fail> {
    Ok(with_help(config(dir)?, help, more))
}

fn with_help(config: Config, help: &str, more: &[&str]) -> Config {
    let queue = format!("[tenant.default.queue.help]\nmusic = \"music\"\n{help}");
    let mut config = config.more(&queue);
    for name in ["1002"].iter().chain(more) {
        let agent = format!("[tenant.default.agent.{name}]\nqueues = [\"help\"]\nauto_sign_in = true");
        config = config.user(name).more(&agent);
    }
    config
}

/// A phone of an agent of `help`, who is ready.
fn helper(dir: &Path, switch: &Switch, name: &str, port: u16) -> Result<Phone, Fail> {
    let phone = Phone::registered(dir, name, port, &answers_when_told(), THIRD)?;
    switch.wait_agent(name, "ready")?;
    Ok(phone)
}

/// Who is offered the consultation answers, and speaks to who consults.
fn answers(switch: &Switch, third: &mut Phone, agent: &mut Phone) -> Outcome {
    third.answers_now()?;
    third.speaks()?;
    wait_state(switch, "1001", "consulting")?;
    agent.voice.hears_these("who consults", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("who is consulted", &[AGENT], &TONES, SOON)
}

/// The visits of a record, as `queue outcome consulting-agent agent`.
fn visits(cdr: &Value) -> Vec<String> {
    let word = |visit: &Value, path: &str| at(visit, path).as_str().unwrap_or("-").to_owned();
    let visit = |visit: &Value| {
        ["queue.name", "outcome", "consulted_by.name", "agent.name"].map(|path| word(visit, path)).join(" ")
    };
    at(cdr, "queues").as_array().map(|all| all.iter().map(visit).collect()).unwrap_or_default()
}

fn ensure_visits(cdr: &Value, wanted: &[&str]) -> Outcome {
    let found = visits(cdr);
    ensure(found == wanted, || format!("the visits are {found:?}, not {wanted:?}: {cdr}"))
}

/// He hears the queue's music, takes it back, and asks again; its agent answers, and gets the party with his data.
pub fn completes(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &house(dir, "", &[])?)?;
    let mut third = helper(dir, &switch, "1002", 5072)?;
    switch.api.post(&path("1002", "not-ready"))?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    order(&switch, "1001", "consult", HELP)?;
    agent.voice.hears_these("who consults a queue", &[MUSIC], &TONES, SOON)?;
    caller.voice.hears_these("the caller, who waits,", &[MUSIC], &TONES, SOON)?;
    refused(&switch, "1001", "consult/conference", "", "not_consulting")?;
    order(&switch, "1001", "consult/cancel", "")?;
    caller.voice.hears_these("the caller, brought back,", &[AGENT], &TONES, SOON)?;
    order(&switch, "1001", "consult", HELP)?;
    switch.api.post(&path("1002", "ready"))?;
    answers(&switch, &mut third, &mut agent)?;
    wait_state(&switch, "1002", "consulted")?;
    caller.voice.hears_these("the caller, who waits on,", &[MUSIC], &TONES, SOON)?;
    order(&switch, "1001", "consult/complete", "")?;
    agent.ended()?;
    caller.voice.hears_these("the caller, sent on,", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("who has him now", &[CALLER], &TONES, SOON)?;
    field(&wait_state(&switch, "1002", "talking")?, "calls.0.queue.name", "help")?;
    switch.wait_agent("1001", "wrap_up")?;
    caller.hangs_up()?;
    third.ended()?;
    switch.wait_agent("1002", "wrap_up")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "agent.name", "1002")?;
    field(&cdr, "transfers.0.outcome", "cancelled")?;
    field(&cdr, "transfers.1.outcome", "done")?;
    field(&cdr, "transfers.1.to", "queue:help")?;
    ensure_visits(&cdr, &["sales served - 1001", "help ended 1001 -", "help served 1001 1002"])?;
    // each visit has an account of its own, and what the agents did stands in it
    field(&cdr, "queues.1.account.position", 1)?;
    field(&cdr, "queues.2.account.offers.0.end", "answered")?;
    field(&cdr, "queues.2.account.ended_by", "caller")?;
    switch.ensure_nothing_left()
}

/// The first agent's phone is busy, the second answers: all three talk, then the two who are left.
pub fn confers(dir: &Path) -> Outcome {
    let config = house(dir, "strategy = \"fewest_calls\"", &["1003"])?;
    let switch = Switch::start(dir, &config)?;
    let busy = Scenario::called(MU_LAW).says(486, "Busy Here").receives_request("ACK");
    let mut other = Phone::registered(dir, "1003", 5073, &busy, 0.0)?;
    switch.wait_agent("1003", "ready")?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    order(&switch, "1001", "consult", HELP)?;
    other.ended()?;
    agent.voice.hears_these("who consults, still,", &[MUSIC], &TONES, SOON)?;
    // he rings as soon as he is there
    let mut third = Phone::registered(dir, "1002", 5072, &answers_when_told(), THIRD)?;
    answers(&switch, &mut third, &mut agent)?;
    order(&switch, "1001", "consult/conference", "")?;
    caller.voice.hears_these("the caller, of three,", &[AGENT, THIRD], &TONES, SOON)?;
    agent.voice.hears_these("the agent, of three,", &[CALLER, THIRD], &TONES, SOON)?;
    third.voice.hears_these("the third", &[CALLER, AGENT], &TONES, SOON)?;
    order(&switch, "1001", "release", "")?;
    agent.ended()?;
    switch.wait_agent("1001", "wrap_up")?;
    caller.voice.hears_these("the caller, of two,", &[THIRD], &TONES, SOON)?;
    switch.wait_agent("1002", "talking")?;
    order(&switch, "1002", "release", "")?;
    third.ended()?;
    caller.ended()?;
    switch.wait_agent("1002", "wrap_up")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "transfers.0.outcome", "conference")?;
    ensure_visits(&cdr, &["sales served - 1001", "help served 1001 1002"])?;
    field(&cdr, "queues.1.account.offers.0.end", "busy")?;
    switch.ensure_left_resting(1)
}

/// Nobody is signed in there; then nobody comes in time: each time the two talk again, and the agent learns why.
pub fn comes_back(dir: &Path) -> Outcome {
    let empty = "max_wait = \"1s\"\n[tenant.default.queue.empty]\nmusic = \"music\"";
    let switch = Switch::start(dir, &house(dir, empty, &[])?)?;
    let third = helper(dir, &switch, "1002", 5072)?;
    switch.api.post(&path("1002", "not-ready"))?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    for (queue, cause) in [("empty", "queue_full"), ("help", "queue_timeout")] {
        let mut events = switch.api.events(None)?;
        order(&switch, "1001", "consult", &format!(r#"{{"queue": "{queue}"}}"#))?;
        let failed = |e: &Value| e["type"] == "call_transfer" && e["transfer"]["outcome"] == "failed";
        let told = events.until("the failure", failed)?.pop().unwrap_or_default();
        field(&told, "transfer.cause", cause)?;
        wait_state(&switch, "1001", "talking")?;
        caller.voice.forget();
        agent.voice.forget();
        caller.voice.hears_these("the caller, who is back,", &[AGENT], &TONES, SOON)?;
        agent.voice.hears_these("the agent, who has him again,", &[CALLER], &TONES, SOON)?;
    }
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    ensure_visits(&cdr, &["sales served - 1001", "empty nobody_signed_in 1001 -", "help timeout 1001 -"])?;
    field(&cdr, "queues.0.account.ended_by", "caller")?;
    drop(third);
    switch.ensure_nothing_left()
}

/// The agent completes before anybody has answered: his party has the place, and the agent of that queue.
pub fn party_waits(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &house(dir, "", &[])?)?;
    let mut third = helper(dir, &switch, "1002", 5072)?;
    switch.api.post(&path("1002", "not-ready"))?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    order(&switch, "1001", "consult", HELP)?;
    agent.voice.hears_these("who consults a queue", &[MUSIC], &TONES, SOON)?;
    order(&switch, "1001", "release", "")?;
    agent.ended()?;
    switch.wait_agent("1001", "wrap_up")?;
    switch.wait_calls("queued", 1)?;
    caller.voice.hears_these("the caller, who waits,", &[MUSIC], &TONES, SOON)?;
    switch.api.post(&path("1002", "ready"))?;
    third.answers_now()?;
    third.speaks()?;
    caller.voice.hears_these("the caller, served,", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("who has him now", &[CALLER], &TONES, SOON)?;
    ensure(!caller.voice.heard_within(AGENT, SILENCE), || "the agent who left is heard".into())?;
    order(&switch, "1002", "release", "")?;
    third.ended()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "agent.name", "1002")?;
    field(&cdr, "transfers.0.outcome", "done")?;
    ensure_visits(&cdr, &["sales served - 1001", "help served 1001 1002"])?;
    switch.ensure_nothing_left()
}

/// The caller hangs up while the second agent's phone rings: it stops, nobody is blamed, and the first agent wraps up.
pub fn caller_leaves(dir: &Path) -> Outcome {
    let switch = Switch::start(dir, &house(dir, "", &[])?)?;
    let rings = Scenario::called(MU_LAW).says(180, "Ringing").is_cancelled();
    let mut third = Phone::registered(dir, "1002", 5072, &rings, THIRD)?;
    switch.wait_agent("1002", "ready")?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    order(&switch, "1001", "consult", HELP)?;
    switch.wait_agent("1002", "ringing")?;
    caller.hangs_up()?;
    agent.ended()?;
    third.ended()?;
    switch.wait_agent("1001", "wrap_up")?;
    switch.wait_agent("1002", "ready")?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "ended_by", "caller")?;
    ensure_visits(&cdr, &["sales served - 1001", "help ended 1001 -"])?;
    field(&cdr, "queues.1.account.offers.0.end", "caller_gone")?;
    field(&cdr, "transfers.0.outcome", "open")?;
    switch.ensure_left_resting(1)
}

/// Killed while they speak: all three are let go at the next start, one record says so, the agents are as they were.
pub fn killed(dir: &Path) -> Outcome {
    let sales = Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"").trunk();
    let mut switch = Switch::start(dir, &with_help(sales, "wrap_up = \"0s\"", &[]))?;
    let mut third = helper(dir, &switch, "1002", 5072)?;
    let (mut caller, mut agent) = talking(dir, &switch, &answers_when_told(), &calls())?;
    order(&switch, "1001", "consult", HELP)?;
    answers(&switch, &mut third, &mut agent)?;
    switch.kill();
    let start = Instant::now();
    let switch = Switch::restart(dir)?;
    for phone in [&mut caller, &mut agent, &mut third] {
        phone.ended()?;
    }
    let took = start.elapsed();
    ensure(took < Duration::from_secs(5), || format!("the last BYE came {took:?} after the start"))?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "lost_by_restart")?;
    ensure_visits(&cdr, &["sales served - 1001", "help served 1001 1002"])?;
    switch.wait_agent("1001", "ready")?;
    switch.wait_agent("1002", "ready")?;
    switch.ensure_nothing_left()
}
