//! What programs do with the parties of calls: they play to them, collect keys from them, join them and send them on.

use crate::common::{AGENT, CALLER, Phone, answers_when_told, at, calls, field, hear_each_other};
use crate::ringing::calls_with_digest;
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MENU};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::process::wait_for;
use cordboard_tests::switch::{SOON, Switch};
use serde_json::{Value, json};
use std::path::Path;

/// What programs play, hertz: neither party's tone.
const PLAYED: u16 = 880;

/// Begins something in a call. Gives its id.
fn begin(switch: &Switch, call: &str, what: &str, body: &Value) -> Result<String, Fail> {
    let answer = switch.api.send("POST", &format!("/api/v1/calls/{call}/{what}"), &body.to_string())?;
    let begun = answer.json()?;
    ensure(answer.status == 201, || format!("{what} is answered {}: {begun}", answer.status))?;
    Ok(at(&begun, what).as_str().unwrap_or_default().to_owned())
}

fn refused(switch: &Switch, path: &str, body: &Value, code: &str) -> Outcome {
    let answer = switch.api.send("POST", path, &body.to_string())?;
    let problem = answer.json()?;
    ensure(answer.status == 409 && problem["code"] == code, || {
        format!("{path} is answered {}: {problem}, not {code}", answer.status)
    })
}

fn text(value: &Value, path: &str) -> String {
    at(value, path).as_str().unwrap_or_default().to_owned()
}

/// Two who talk: one hears what a program plays and is heard meanwhile, then both do, then each the other again; keys are
/// collected from one, a secret first.
pub fn play_and_collect(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1001").trunk().number("600", "user:1001");
    let switch = Switch::start(dir, &config)?;
    let mut events = switch.api.events(None)?;
    let mut phone = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_registered("1001", 1)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    phone.answers_now()?;
    hear_each_other(&mut caller, &mut phone)?;
    let call = text(&switch.wait_stage("bridged")?, "call");
    changes_data(&switch, &call)?;
    let tone = json!([{"tone": PLAYED, "seconds": 0.6}]);
    let play = begin(&switch, &call, "play", &json!({"items": tone, "to": "caller", "repeat": true}))?;
    caller.voice.hears("the caller", f64::from(PLAYED), SOON)?;
    phone.voice.forget();
    phone.voice.hears("the called party", CALLER, SOON)?;
    let view = switch.api.get(&format!("/api/v1/calls/{call}"))?;
    field(&view, "plays.0.play", play.as_str())?;
    let path = format!("/api/v1/calls/{call}/play/{play}");
    ensure(switch.api.send("DELETE", &path, "")?.status == 200, || "it is not stopped".into())?;
    ensure(switch.api.send("DELETE", &path, "")?.status == 404, || "it is stopped twice".into())?;
    hear_each_other(&mut caller, &mut phone)?;
    let both = begin(&switch, &call, "play", &json!({"items": tone, "repeat": true}))?;
    caller.voice.hears("the caller", f64::from(PLAYED), SOON)?;
    phone.voice.hears("the called party", f64::from(PLAYED), SOON)?;
    // another one takes its place, and ends by itself
    let last = begin(&switch, &call, "play", &json!({"items": tone}))?;
    let told = events.until("the end of the last playback", |event| {
        event["type"] == "play_ended" && event["play"] == last.as_str()
    })?;
    let end = |play: &str| told.iter().find(|event| event["type"] == "play_ended" && event["play"] == play);
    field(end(&both).unwrap_or(&Value::Null), "how", "replaced")?;
    field(end(&last).unwrap_or(&Value::Null), "how", "finished")?;
    hear_each_other(&mut caller, &mut phone)?;
    collects(&switch, &call, &mut events, &caller, &phone)?;
    hear_each_other(&mut caller, &mut phone)?;
    caller.hangs_up()?;
    phone.ended()?;
    field(&switch.wait_cdrs(1)?[0], "data.order", 4711)?;
    switch.ensure_nothing_left()
}

fn changes_data(switch: &Switch, call: &str) -> Outcome {
    let path = format!("/api/v1/calls/{call}/data");
    let change = |body: &Value| switch.api.send("PATCH", &path, &body.to_string());
    ensure(change(&json!({"order": 4711, "vip": true}))?.status == 200, || "it is not changed".into())?;
    ensure(change(&json!({"vip": null}))?.status == 200, || "an entry is not taken away".into())?;
    // as long as the reference lets an agent send along, and no longer
    let most = change(&json!({"vip": "v".repeat(16_384)}))?;
    ensure(most.status == 200, || format!("16 KiB are answered {}", most.status))?;
    ensure(change(&json!({"vip": null}))?.status == 200, || "they are not taken away".into())?;
    let long = change(&json!({"order": 1, "note": "n".repeat(16_385)}))?;
    ensure(long.status == 422 || long.status == 400, || format!("too much is answered {}", long.status))?;
    let view = switch.api.get(&format!("/api/v1/calls/{call}"))?;
    field(&view, "data", json!({"order": 4711}))
}

fn collects(
    switch: &Switch,
    call: &str,
    events: &mut cordboard_tests::api::Stream,
    caller: &Phone,
    phone: &Phone,
) -> Outcome {
    let secret = begin(switch, call, "collect", &json!({"max": 6, "min": 2, "secret": true, "first": 20}))?;
    refused(switch, &format!("/api/v1/calls/{call}/collect"), &json!({"max": 1}), "collecting")?;
    for key in ['4', '2', '#'] {
        caller.voice.press(key);
    }
    let outcome = wait_for("the secret", SOON, || {
        let found = switch.api.get(&format!("/api/v1/calls/{call}/collect/{secret}")).ok()?;
        (!found["how"].is_null()).then_some(found)
    })?;
    field(&outcome, "how", "terminator")?;
    field(&outcome, "digits", "42")?;
    ensure(phone.voice.keys().is_empty(), || "the called party got keys of a secret".into())?;
    let open = begin(switch, call, "collect", &json!({"max": 1, "first": 20}))?;
    caller.voice.press('7');
    let told = events.until("the end of the second entry", |event| {
        event["type"] == "collect_ended" && event["collect"] == open.as_str()
    })?;
    let end = |entry: &str| {
        let is_it = |event: &&Value| event["type"] == "collect_ended" && event["collect"] == entry;
        told.iter().find(is_it).cloned().unwrap_or(Value::Null)
    };
    field(&end(&open), "digits", "7")?;
    field(&end(&open), "how", "max")?;
    field(&end(&secret), "digits", Value::Null)
}

/// One caller has a flow that waits, the other waits in a queue: a program joins them.
pub fn bridged(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1002").agent("1001").queue("").trunk();
    let config = config.flow("parked", "call:answer() call:wait(3600)")?;
    let config = config.number("600", "flow:parked").number("700", "queue:sales");
    let switch = Switch::start(dir, &config)?;
    let agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    switch.api.post("/api/v1/agents/1001/not-ready")?;
    let mut parked = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    parked.sipp.wait_up()?;
    let first = text(&switch.wait_stage("flow")?, "call");
    begin(&switch, &first, "play", &json!({"items": [{"tone": PLAYED, "seconds": 60}]}))?;
    parked.speaks()?;
    parked.voice.hears("who is parked", f64::from(PLAYED), SOON)?;
    let mut waiting = Phone::calls(dir, "1002", 5072, "700", &calls_with_digest(), AGENT)?;
    waiting.sipp.wait_up()?;
    let second = text(&switch.wait_stage("queued")?, "call");
    let path = format!("/api/v1/calls/{first}/bridge");
    refused(&switch, &path, &json!({"call": first}), "same_call")?;
    switch.api.post_body(&path, &json!({"call": second}).to_string())?;
    hear_each_other(&mut parked, &mut waiting)?;
    let view = switch.api.get(&format!("/api/v1/calls/{first}"))?;
    field(&view, "stage", "bridged")?;
    refused(&switch, &format!("/api/v1/calls/{first}/send"), &json!({"to": {"queue": "sales"}}), "talking")?;
    waiting.hangs_up()?;
    parked.ended()?;
    let cdrs = switch.wait_cdrs(2)?;
    let of = |call: &str| cdrs.iter().find(|cdr| cdr["call"] == call).cloned().unwrap_or(Value::Null);
    field(&of(&second), "joined", first.as_str())?;
    field(&of(&second), "cause", "transferred")?;
    field(&of(&second), "queues.0.outcome", "picked_up")?;
    ensure(at(&of(&first), "legs").as_array().is_some_and(|legs| legs.len() == 2), || format!("{cdrs:?}"))?;
    drop(agent);
    switch.ensure_nothing_left()
}

/// A flow that speaks has its caller for itself; a program takes him from it all the same, and sends him to a queue.
pub fn sent_on(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.agent("1001").queue("wrap_up = \"0s\"").trunk();
    let config = config.flow("talks", "call:answer() while true do call:play('menu') end")?;
    let switch = Switch::start(dir, &config.number("600", "flow:talks"))?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    caller.speaks()?;
    caller.voice.hears("the caller", MENU, SOON)?;
    let call = text(&switch.wait_stage("flow")?, "call");
    let path = |what: &str| format!("/api/v1/calls/{call}/{what}");
    let beep = json!({"items": [{"tone": "beep"}]});
    refused(&switch, &path("play"), &beep, "flow_has_call")?;
    refused(&switch, &path("collect"), &json!({"max": 1}), "flow_has_call")?;
    refused(&switch, &path("send"), &json!({"to": {"queue": "none"}}), "no_such_target")?;
    refused(&switch, &path("send"), &json!({"to": {"number": "77"}}), "not_dialable")?;
    let unknown = switch.api.send("POST", &path("play"), &json!({"items": ["none"]}).to_string())?;
    ensure(unknown.status == 422, || format!("a prompt that is not there is answered {}", unknown.status))?;
    caller.voice.hears("the caller, still", MENU, SOON)?;
    switch.api.post_body(&path("send"), &json!({"to": {"queue": "sales"}}).to_string())?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    agent.hangs_up()?;
    caller.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "queues.0.outcome", "served")?;
    field(&cdr, "agent.name", "1001")?;
    switch.ensure_nothing_left()
}

/// Two accounts who talk: a program sends the caller to a queue, and then from its agent to a flow.
pub fn transferred(dir: &Path) -> Outcome {
    let config = Config::new(dir)?.user("1002").agent("1001").queue("wrap_up = \"0s\"").trunk();
    let config = config.flow("talks", "call:answer() while true do call:play('menu') end")?;
    let switch = Switch::start(dir, &config.number("600", "user:1002"))?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let mut phone = Phone::registered(dir, "1002", 5072, &answers_when_told(), AGENT)?;
    switch.wait_agent("1001", "ready")?;
    switch.wait_registered("1002", 1)?;
    let mut caller = Phone::by_trunk(dir, "600", &calls(), CALLER)?;
    phone.answers_now()?;
    hear_each_other(&mut caller, &mut phone)?;
    let call = text(&switch.wait_stage("bridged")?, "call");
    let path = format!("/api/v1/calls/{call}/transfer");
    refused(&switch, &path, &json!({"queue": "none"}), "no_such_target")?;
    refused(&switch, &path, &json!({"flow": "talks", "consult": true}), "not_a_person")?;
    switch.api.post_body(&path, &json!({"queue": "sales"}).to_string())?;
    phone.ended()?;
    agent.answers_now()?;
    caller.voice.forget();
    hear_each_other(&mut caller, &mut agent)?;
    switch.api.post_body(&path, &json!({"flow": "talks"}).to_string())?;
    agent.ended()?;
    caller.voice.hears("the caller", MENU, SOON)?;
    caller.hangs_up()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "transfers.0.to", "queue:sales")?;
    field(&cdr, "transfers.1.to", "flow:talks")?;
    field(&cdr, "transfers.1.outcome", "done")?;
    switch.ensure_nothing_left()
}
