//! Who keeps a party from being heard, and for how long.

use super::rig::*;
use super::side::{send_aside, talking};
use crate::*;
use cordboard_model::audio::QueueAudio;
use cordboard_model::media::MediaCommand;
use cordboard_model::verb::Verb;
use serde_json::json;

/// The entry of a card.
fn card() -> Verb {
    Verb::Collect {
        prompt: Vec::new(),
        min: 4,
        max: 4,
        terminators: String::new(),
        first_timeout_ms: 5_000,
        inter_timeout_ms: 2_000,
        patterns: Vec::new(),
        strict: false,
        secret: true,
        ear: None,
    }
}

/// Whether the caller is covered, as media were told last.
fn covered(rig: &Rig) -> bool {
    let told = |output: &CallOutput| match output {
        CallOutput::Media(MediaCommand::Secret { leg, on }) if *leg == rig.caller => Some(*on),
        _ => None,
    };
    rig.outputs.iter().rev().find_map(told).unwrap_or(false)
}

fn operator(rig: &mut Rig, on: bool) {
    assert!(rig.engine.cover(rig.caller, on, rig.now));
    rig.drain();
}

#[test]
fn who_was_typing_a_secret_stays_covered_until_he_types_no_longer() {
    let (mut rig, _, _) = talking(QueueAudio::default(), false);
    send_aside(&mut rig, json!({})).unwrap();
    rig.verb(card());
    rig.keys("41");
    assert!(covered(&rig));
    let (call, now) = (rig.call, rig.now);
    rig.engine.take_back(call, now).unwrap();
    rig.drain();
    assert!(rig.said().contains("bridge alice and 1001") && covered(&rig), "the two talk, and he types on");
    rig.after(2_000);
    rig.keys("1");
    rig.after(2_900);
    assert!(covered(&rig));
    rig.after(200);
    assert!(!covered(&rig));
    rig.hangs_up(rig.caller, cordboard_model::cause::Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn an_entry_that_is_complete_covers_nobody_any_more() {
    let (mut rig, _, _) = talking(QueueAudio::default(), false);
    send_aside(&mut rig, json!({})).unwrap();
    rig.verb(card());
    rig.keys("4111");
    assert!(!covered(&rig));
}

#[test]
fn what_an_operator_covers_no_flow_uncovers_and_the_other_way_round() {
    let (mut rig, _, _) = talking(QueueAudio::default(), false);
    operator(&mut rig, true);
    send_aside(&mut rig, json!({})).unwrap();
    rig.verb(card());
    rig.keys("4111");
    assert!(covered(&rig));
    operator(&mut rig, false);
    assert!(!covered(&rig));
    rig.verb(card());
    operator(&mut rig, true);
    operator(&mut rig, false);
    assert!(covered(&rig), "the flow still asks");
}
