//! The whole walk: a caller reaches a menu, presses a key, waits with music, talks to an agent, is recorded, and leaves
//! a record.

use crate::common::{
    AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other, in_order,
};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MENU, MUSIC, PLACE};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::sound::read_recording;
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;

/// A menu that leads to the queue by the key 2.
const FLOW: &str = r#"
call:answer()
local key = call:collect{prompt = "menu", max = 1, first = 20}
call:log("the caller chose " .. tostring(key))
call.data.choice = key
if key == "2" then
  call:enqueue("sales")
end
call:hang_up()
"#;

fn switch(dir: &Path) -> Result<Switch, Fail> {
    let config = Config::new(dir)?
        .agent("1001")
        .queue("record = true\nannounce_every = \"1h\"\nwrap_up = \"1s\"")
        .flow("menu", FLOW)?
        .number("500", "flow:menu")
        .trunk();
    Switch::start(dir, &config)
}

pub fn hung_up_by_the_caller(dir: &Path) -> Outcome {
    let (switch, mut caller, mut agent) = until_they_talk(dir)?;
    caller.hangs_up()?;
    agent.ended()?;
    afterwards(&switch, "caller")
}

pub fn hung_up_by_the_agent(dir: &Path) -> Outcome {
    let (switch, mut caller, mut agent) = until_they_talk(dir)?;
    agent.hangs_up()?;
    caller.ended()?;
    afterwards(&switch, "callee")
}

fn until_they_talk(dir: &Path) -> Result<(Switch, Phone, Phone), Fail> {
    let switch = switch(dir)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    // Not ready yet, so that the caller waits long enough to be told a place.
    switch.api.post("/api/v1/agents/1001/rest")?;
    let mut caller = Phone::by_trunk(dir, "500", &calls(), CALLER)?;
    caller.speaks()?;
    caller.voice.hears("the caller in the menu", MENU, SOON)?;
    caller.voice.press('2');
    let queued = switch.wait_stage("queued")?;
    field(&queued, "queue.name", "sales")?;
    field(&queued, "data.choice", "2")?;
    caller.voice.hears("the caller in the queue, of the place,", PLACE, SOON)?;
    caller.voice.hears("the caller in the queue", MUSIC, SOON)?;
    switch.api.post("/api/v1/agents/1001/ready")?;
    switch.wait_agent("1001", "ringing")?;
    caller.voice.hears("the caller while the agent rings", MUSIC, SOON)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let bridged = switch.wait_stage("bridged")?;
    field(&bridged, "agent.name", "1001")?;
    switch.wait_agent("1001", "talking")?;
    // Half a second of both for the recording.
    for _ in 0..2 {
        caller.voice.forget();
        caller.voice.hears("the caller", AGENT, SOON)?;
        agent.voice.forget();
        agent.voice.hears("the agent", CALLER, SOON)?;
    }
    Ok((switch, caller, agent))
}

fn afterwards(switch: &Switch, by: &str) -> Outcome {
    let view = switch.wait_agent("1001", "wrap_up")?;
    ensure(view["until"].is_number(), || format!("wrap-up without an end: {view}"))?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "normal")?;
    field(&cdr, "ended_by", by)?;
    field(&cdr, "from.user", "caller")?;
    field(&cdr, "from.display", "Caller")?;
    field(&cdr, "to.user", "500")?;
    field(&cdr, "agent.name", "1001")?;
    field(&cdr, "flows.0.name", "menu")?;
    field(&cdr, "queues.0.queue.name", "sales")?;
    field(&cdr, "queues.0.outcome", "served")?;
    field(&cdr, "queues.0.agent.name", "1001")?;
    field(&cdr, "legs.0.role", "caller")?;
    field(&cdr, "legs.1.role", "callee")?;
    field(&cdr, "legs.1.agent.name", "1001")?;
    field(&cdr, "data.choice", "2")?;
    in_order(&cdr, &["started", "answered", "queues.0.entered", "queues.0.left", "bridged", "ended"])?;
    recording(switch, &cdr)?;
    switch.wait_agent("1001", "ready")?;
    switch.ensure_nothing_left()
}

/// The recording is listed, can be fetched whole and in part, and has the caller on the left.
fn recording(switch: &Switch, cdr: &Value) -> Outcome {
    let id = at(cdr, "recordings.0").as_str().unwrap_or_default().to_owned();
    let listed = switch.wait_recordings(1)?;
    field(&listed[0], "recording", id.clone())?;
    field(&listed[0], "call", cdr["call"].clone())?;
    field(&listed[0], "dropped_ms", 0)?;
    let path = format!("/api/v1/recordings/{id}");
    let whole = switch.api.send("GET", &path, "")?;
    ensure(whole.status == 200, || format!("the recording: {}", whole.head))?;
    let file = switch.dir().join("fetched.wav");
    std::fs::write(&file, &whole.body)?;
    let recording = read_recording(&file)?;
    recording.ensure_tones(CALLER, AGENT)?;
    let ms = listed[0]["length_ms"].as_u64().unwrap_or_default();
    let heard = recording.left.len() as u64 / 8;
    ensure(ms.abs_diff(heard) < 100, || format!("listed as {ms} ms, is {heard} ms"))?;
    let part = switch.api.send_with("GET", &path, "Range: bytes=100-199\r\n", "")?;
    ensure(part.status == 206, || format!("a part of the recording: {}", part.head))?;
    ensure(whole.body.get(100..200) == Some(&part.body), || "the part is another one".into())?;
    let stranger = switch.api.send_as("GET", &path, "not-a-key-of-this-switch")?;
    ensure(stranger.status == 401, || format!("a stranger gets {}", stranger.head))
}
