//! The event stream and the control plane, as an integrator sees them.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::Config;
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;

fn switch(dir: &Path) -> Result<Switch, Fail> {
    Switch::start(dir, &Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"\nrecord = true").trunk())
}

fn numbers(messages: &[Value]) -> Vec<u64> {
    messages.iter().filter(|m| m["message"] == "event").filter_map(|m| m["seq"].as_u64()).collect()
}

/// One whole call by the queue.
fn one_call(dir: &Path) -> Outcome {
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()
}

pub fn since_a_cut(dir: &Path) -> Outcome {
    let switch = switch(dir)?;
    let ended = |event: &Value| event["type"] == "call_ended";
    let mut uncut = switch.api.events(None)?;
    let mut cut = switch.api.events(None)?;
    let start = cut.read()?["start"].as_u64().unwrap_or_default();
    one_call(dir)?;
    let all = uncut.until("the first call's end", ended)?;
    // Cut in the middle of the call, while the other goes on.
    let before = cut.until("the answer", |event| event["type"] == "call_answered")?;
    cut.cut();
    let last = numbers(&before).last().copied().unwrap_or_default();
    one_call(dir)?;
    let rest = uncut.until("the second call's end", ended)?;
    let mut again = switch.api.events(Some(&format!("{start}-{last}")))?;
    let hello = again.read()?;
    field(&hello, "message", "hello")?;
    field(&hello, "start", start)?;
    again.until("the first call's end", ended).and_then(|mut after| {
        after.extend(again.until("the second call's end", ended)?);
        let gap = after.iter().find(|m| m["message"] != "event");
        ensure(gap.is_none(), || format!("not an event: {gap:?}"))?;
        let whole: Vec<u64> = numbers(&all).into_iter().chain(numbers(&rest)).collect();
        let joined: Vec<u64> = numbers(&before).into_iter().chain(numbers(&after)).collect();
        let first = whole.first().copied().unwrap_or_default();
        let gapless = whole.iter().enumerate().all(|(i, seq)| *seq == first + i as u64);
        ensure(gapless && whole.len() > 20, || format!("numbers of the uncut reader: {whole:?}"))?;
        ensure(whole == joined, || format!("uncut {whole:?}, cut and joined {joined:?}"))?;
        let texts = |parts: [&[Value]; 2]| -> Vec<String> {
            let events = parts.into_iter().flatten().filter(|m| m["message"] == "event");
            events.map(Value::to_string).collect()
        };
        ensure(texts([&all, &rest]) == texts([&before, &after]), || "the same numbers, other events".into())
    })?;
    switch.ensure_nothing_left()
}

/// Killed while a call is up: who comes back gets what it had missed of the first life, a gap where something may be lost,
/// the state that is left, the end of the call that was cut, and then what happens.
pub fn since_another_start(dir: &Path) -> Outcome {
    let mut first = switch(dir)?;
    let mut uncut = first.api.events(None)?;
    let start = uncut.read()?["start"].as_u64().unwrap_or_default();
    one_call(dir)?;
    let mut all = uncut.until("the first call's end", |event| event["type"] == "call_ended")?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let bridged = |event: &Value| event["type"] == "call_stage" && event["stage"] == "bridged";
    all.extend(uncut.until("the second call's talk", bridged)?);
    let cut = first.wait_stage("bridged")?["call"].clone();
    first.kill();
    let switch = Switch::restart(dir)?;
    let mut stream = switch.api.events(Some(&format!("{start}-5")))?;
    let hello = stream.read()?;
    ensure(hello["start"].as_u64().is_some_and(|again| again > start), || format!("{hello} after {start}"))?;
    let mut before = stream.until("a gap", |message| message["message"] == "gap")?;
    let gap = before.pop().unwrap_or_default();
    let told = |messages: &[Value]| -> Vec<String> {
        let events = messages.iter().filter(|m| m["message"] == "event");
        events.filter(|m| m["seq"].as_u64() > Some(5)).map(Value::to_string).collect()
    };
    let (had, got) = (told(&all), told(&before));
    ensure(got.starts_with(&had) && had.len() > 20, || format!("had {had:#?}, and got {got:#?}"))?;
    let last = numbers(&before).last().copied().unwrap_or_default();
    field(&gap, "from", last + 1)?;
    let snapshot = stream.read()?;
    field(&snapshot, "message", "snapshot")?;
    field(&snapshot, "calls", serde_json::json!([]))?;
    field(&snapshot, "agents.0.agent.name", "1001")?;
    field(&snapshot, "queues.0.queue.name", "sales")?;
    let seq = snapshot["seq"].as_u64().unwrap_or_default();
    ensure(gap["to"].as_u64() <= Some(seq) && seq > last, || format!("{gap} before {seq}"))?;
    // What happens from now on follows the snapshot without a hole; first of all, what became of the call.
    switch.api.post("/api/v1/agents/1001/rest")?;
    let next = stream.until("the break", |event| event["type"] == "agent_status")?;
    ensure(numbers(&next).first() == Some(&(seq + 1)), || format!("after {seq}: {next:?}"))?;
    let ended = next.iter().find(|event| event["type"] == "call_ended" && event["call"] == cut);
    let ended = ended.ok_or_else(|| Fail(format!("no end of {cut}: {next:?}")))?;
    field(ended, "cdr.cause", "lost_by_restart")?;
    // Who had read on to the end of the first life gets no event twice.
    let mut late = switch.api.events(Some(&format!("{start}-{last}")))?;
    late.read()?;
    field(&late.read()?, "message", "gap")?;
    field(&late.read()?, "seq", seq)?;
    for wrong in ["5", "x-5", "-"] {
        let refused = switch.api.send_with("GET", &format!("/api/v1/events?since={wrong}"), UPGRADE, "")?;
        ensure(refused.status == 400 || refused.status == 422, || {
            format!("since={wrong}: {}", refused.head)
        })?;
    }
    Ok(())
}

/// What a WebSocket begins with (RFC 6455 4.1).
const UPGRADE: &str =
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

pub fn shown_and_hung_up(dir: &Path) -> Outcome {
    let switch = switch(dir)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.sipp.wait_sent("SIP/2.0 180", 1)?;
    let queue = switch.api.list("/api/v1/queues")?.remove(0);
    field(&queue, "waiting.0.position", 1)?;
    field(&queue, "waiting.0.offered_to.0.name", "1001")?;
    field(&queue, "offered", 1)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let listed = switch.wait_stage("bridged")?;
    let id = listed["call"].as_str().unwrap_or_default().to_owned();
    let call = switch.api.get(&format!("/api/v1/calls/{id}"))?;
    field(&call, "agent.name", "1001")?;
    field(&call, "queue.name", "sales")?;
    field(&call, "from.user", "caller")?;
    field(&call, "legs.1.answered", true)?;
    ensure(call["route"].to_string().contains("called-number"), || format!("why it went there: {call}"))?;
    let shown = switch.wait_agent("1001", "talking")?;
    field(&shown, "call", id.clone())?;
    switch.api.post(&format!("/api/v1/calls/{id}/hangup"))?;
    caller.ended()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "cause", "administrative")?;
    field(&cdr, "ended_by", "operator")?;
    field(&switch.api.get(&format!("/api/v1/cdrs/{id}"))?, "call", id.clone())?;
    switch.wait_recordings(1)?;
    let gone = switch.api.send("POST", &format!("/api/v1/calls/{id}/hangup"), "")?;
    ensure(gone.status == 404, || format!("hanging up twice: {}", gone.head))?;
    for (path, status) in
        [("/api/v1/calls/default.1-2-3", 404), ("/api/v1/calls/nonsense", 404), ("/api/v1/cdrs?limit=0", 422)]
    {
        let answer = switch.api.send("GET", path, "")?;
        let near = answer.status == status || (status == 422 && answer.status == 400);
        ensure(near, || format!("{path}: {}", answer.head))?;
    }
    let stranger = switch.api.send_as("GET", "/api/v1/calls", "no-such-key-at-all")?;
    ensure(stranger.status == 401, || format!("a stranger: {}", stranger.head))?;
    switch.wait_agent("1001", "ready")?;
    cordboard_tests::process::wait_for("the handled call to be counted", SOON, || {
        let agents = switch.api.list("/api/v1/agents").ok()?;
        agents.iter().any(|agent| agent["handled"] == 1).then_some(())
    })?;
    switch.ensure_nothing_left()
}

/// A flow sets call data of every type. The event stream, the view of the call while the agent rings, and the record have each as it was
/// set, and another flow of the call reads it so.
pub fn typed_data(dir: &Path) -> Outcome {
    let flow = "call:answer()
        call.data.text = '7' call.data.whole = 7 call.data.part = 2.5 call.data.no = false
        call.data.list = {1, 'two', true} call.data.order = {number = 17, items = {'lamp'}}
        call.data.gone = 1 call.data.gone = nil
        call:run('reader')
        call:enqueue('sales')";
    let reader = "call:wait(0.1) local data = call.data
        call:log('read', math.type(data.whole), data.part * 2, data.no, data.list[2], data.order.items[1], data.text .. '!')";
    let config = Config::new(dir)?.agent("1001").queue("").trunk().number("600", "flow:set");
    let switch = Switch::start(dir, &config.flow("set", flow)?.flow("reader", reader)?)?;
    let mut events = switch.api.events(None)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    switch.wait_logged("read integer 5.0 false two lamp 7!")?;
    let wanted = serde_json::json!({
        "text": "7", "whole": 7, "part": 2.5, "no": false, "list": [1, "two", true],
        "order": {"number": 17, "items": ["lamp"]},
    });
    let told = events.until("the last entry", |event| {
        event["type"] == "data_changed" && event["key"] == "gone" && event["value"].is_null()
    })?;
    for (key, value) in wanted.as_object().into_iter().flatten() {
        let told = told.iter().find(|event| event["type"] == "data_changed" && event["key"] == *key);
        ensure(told.is_some_and(|event| event["value"] == *value), || format!("{key} is told as {told:?}"))?;
    }
    agent.answers_now()?;
    let call = switch.wait_stage("bridged")?;
    ensure(call["data"] == wanted, || format!("the view has {}", call["data"]))?;
    hear_each_other(&mut caller, &mut agent)?;
    caller.hangs_up()?;
    agent.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    ensure(cdr["data"] == wanted, || format!("the record has {}", cdr["data"]))?;
    switch.ensure_nothing_left()
}
