//! Conferences and supervision over the API, with who hears whom asserted by tone at every phone.

use crate::common::{AGENT, CALLER, Phone, SOON, answers_when_told, at, calls, field, hear_each_other};
use cordboard_tests::Fail;
use cordboard_tests::config::{Config, MUSIC};
use cordboard_tests::fail::{Outcome, ensure};
use cordboard_tests::scenario::{MU_LAW, Scenario};
use cordboard_tests::switch::Switch;
use serde_json::Value;
use std::path::Path;

/// Tone of the third phone, Hz.
const THIRD: f64 = 880.0;
/// All tones, hold music with them.
const TONES: [f64; 4] = [CALLER, AGENT, THIRD, MUSIC];

/// A caller talks to agent 1001, whom a queue gave him; 1002 may be called.
fn talking(dir: &Path, third: &Scenario) -> Result<(Switch, [Phone; 3], String), Fail> {
    let config = Config::new(dir)?.agent("1001").queue("").trunk().user("1002");
    let switch = Switch::start(dir, &config)?;
    let mut agent = Phone::registered(dir, "1001", 5071, &answers_when_told(), AGENT)?;
    let third = Phone::registered(dir, "1002", 5072, third, THIRD)?;
    let mut caller = Phone::by_trunk(dir, "501", &calls(), CALLER)?;
    agent.answers_now()?;
    hear_each_other(&mut caller, &mut agent)?;
    let call = switch.wait_stage("bridged")?;
    let path = format!("/api/v1/calls/{}", at(&call, "call").as_str().unwrap_or_default());
    Ok((switch, [caller, agent, third], path))
}

/// Waits until each of the three hears these tones and none of the others.
fn ears(phones: &[Phone; 3], what: &str, expected: [&[f64]; 3]) -> Outcome {
    for ((phone, name), tones) in phones.iter().zip(["the caller", "the agent", "the third"]).zip(expected) {
        phone.voice.hears_these(&format!("{name}, {what},"), tones, &TONES, SOON)?;
    }
    Ok(())
}

fn joins(phones: &mut [Phone; 3]) -> Outcome {
    phones[2].answers_now()?;
    phones[2].speaks()
}

fn supervise(switch: &Switch, path: &str, mode: &str) -> Outcome {
    switch.api.put(&format!("{path}/supervise"), &format!(r#"{{"mode": "{mode}"}}"#)).map(|_| ())
}

/// An extension listens, whispers, barges in, whispers again and takes the agent's place.
pub fn every_mode(dir: &Path) -> Outcome {
    let (switch, mut phones, path) = talking(dir, &answers_when_told())?;
    let rings = r#"{"mode": "listen", "extension": "1002"}"#;
    switch.api.post_body(&format!("{path}/supervise"), rings)?;
    let second = switch.api.send("POST", &format!("{path}/supervise"), rings)?;
    ensure(second.status == 409, || format!("a second supervisor: {}", second.status))?;
    joins(&mut phones)?;
    ears(&phones, "listened to", [&[AGENT], &[CALLER], &[CALLER, AGENT]])?;
    supervise(&switch, &path, "whisper")?;
    ears(&phones, "with a whisper", [&[AGENT], &[CALLER, THIRD], &[CALLER, AGENT]])?;
    supervise(&switch, &path, "barge_in")?;
    ears(&phones, "barged in on", [&[AGENT, THIRD], &[CALLER, THIRD], &[CALLER, AGENT]])?;
    supervise(&switch, &path, "whisper")?;
    ears(&phones, "with a whisper again", [&[AGENT], &[CALLER, THIRD], &[CALLER, AGENT]])?;
    supervise(&switch, &path, "intercept")?;
    let [mut caller, mut agent, mut third] = phones;
    agent.ended()?;
    caller.voice.hears_these("the caller, intercepted,", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("who intercepted", &[CALLER], &TONES, SOON)?;
    switch.wait_agent("1001", "wrap_up")?;
    caller.hangs_up()?;
    third.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    field(&cdr, "supervisions.0.by.user", "1002")?;
    field(&cdr, "supervisions.0.cause", "normal")?;
    for (n, mode) in ["listen", "whisper", "barge_in", "whisper", "intercept"].into_iter().enumerate() {
        field(&cdr, &format!("supervisions.0.turns.{n}.mode"), mode)?;
    }
    switch.ensure_nothing_left()
}

/// The supervised call ends: the supervisor is let go.
pub fn let_go(dir: &Path) -> Outcome {
    let (switch, mut phones, path) = talking(dir, &answers_when_told())?;
    switch.api.post_body(&format!("{path}/supervise"), r#"{"mode": "whisper", "extension": "1002"}"#)?;
    joins(&mut phones)?;
    ears(&phones, "with a whisper", [&[AGENT], &[CALLER, THIRD], &[CALLER, AGENT]])?;
    field(&switch.api.get(&path)?, "supervision.mode", "whisper")?;
    let [mut caller, mut agent, mut third] = phones;
    caller.hangs_up()?;
    agent.ended()?;
    third.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    ensure(at(&cdr, "supervisions.0.ended").is_u64(), || format!("no end in {cdr}"))?;
    switch.ensure_nothing_left()
}

/// A phone that is put on hold and taken back, twice asked.
fn is_held() -> Scenario {
    let up = Scenario::called(MU_LAW).says(180, "Ringing").waits_for_word().answers();
    up.is_offered_again("recvonly").is_offered_again("sendrecv").ends()
}

/// Three talk; one of them is put on hold, comes back, is muted and heard again; the agent leaves and two go on.
pub fn conference(dir: &Path) -> Outcome {
    let (switch, mut phones, path) = talking(dir, &is_held())?;
    switch.api.post_body(&format!("{path}/conference"), r#"{"to": "1002"}"#)?;
    joins(&mut phones)?;
    let together: [&[f64]; 3] = [&[AGENT, THIRD], &[CALLER, THIRD], &[CALLER, AGENT]];
    ears(&phones, "of three", together)?;
    let transfer = switch.api.send("POST", &format!("{path}/transfer"), r#"{"to": "1002"}"#)?;
    ensure(transfer.status == 409, || format!("a conference was transferred: {}", transfer.status))?;
    let view = switch.api.get(&path)?;
    let legs = at(&view, "legs").as_array().cloned().unwrap_or_default();
    let third = legs.iter().find(|leg| at(leg, "party.user") == "1002").map(|leg| at(leg, "leg").clone());
    let third = third.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let hold = format!("/api/v1/legs/{third}/hold");
    switch.api.post_body(&hold, r#"{"on": true}"#)?;
    ears(&phones, "one held", [&[AGENT], &[CALLER], &[MUSIC]])?;
    switch.api.post_body(&hold, r#"{"on": false}"#)?;
    ears(&phones, "of three again", together)?;
    let mute = format!("/api/v1/legs/{third}/mute");
    switch.api.post_body(&mute, r#"{"on": true}"#)?;
    ears(&phones, "one muted", [&[AGENT], &[CALLER], &[CALLER, AGENT]])?;
    switch.api.post_body(&mute, r#"{"on": false}"#)?;
    ears(&phones, "none muted", together)?;
    let [mut caller, mut agent, mut third] = phones;
    agent.hangs_up()?;
    caller.voice.hears_these("the caller, of two,", &[THIRD], &TONES, SOON)?;
    third.voice.hears_these("the third, of two,", &[CALLER], &TONES, SOON)?;
    caller.hangs_up()?;
    third.ended()?;
    let cdr = switch.wait_cdrs(1)?.remove(0);
    ensure(at(&cdr, "legs").as_array().is_some_and(|legs| legs.len() == 3), || format!("legs in {cdr}"))?;
    switch.ensure_nothing_left()
}
