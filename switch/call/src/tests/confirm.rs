//! Telephones outside, which must press a key before they are joined with anybody.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::dial::Accept;
use cordboard_model::id::LegId;
use cordboard_model::leg::LegEvent;
use cordboard_model::media::{MediaCommand, MediaEvent};
use cordboard_model::verb::Destination;

const WAIT_MS: u32 = 15_000;

fn accept() -> Accept {
    Accept { prompt: vec![asset("press-one")], key: '1', refuse: None, timeout_ms: WAIT_MS }
}

/// A telephone is told what it must confirm, as the shard does when it dials it, and answers.
fn answers(rig: &mut Rig, name: &str) -> LegId {
    let leg = rig.leg_of(name);
    rig.tell(CallInput::Confirm { leg, accept: accept() });
    rig.leg(leg, LegEvent::Ringing);
    rig.leg(leg, LegEvent::Answered);
    leg
}

/// A caller who waits, and an agent's telephone that has answered.
fn asked() -> (Rig, LegId) {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    rig.said();
    let leg = answers(&mut rig, "1001");
    (rig, leg)
}

fn key(rig: &mut Rig, leg: LegId, digit: char) {
    rig.tell(CallInput::Media(MediaEvent::Digit { leg, digit }));
}

fn bridges(rig: &Rig) -> usize {
    let is_bridge = |o: &&CallOutput| matches!(o, CallOutput::Media(MediaCommand::Bridge { .. }));
    rig.outputs.iter().filter(is_bridge).count()
}

#[test]
fn the_key_joins_him_and_not_the_answer() {
    let (mut rig, leg) = asked();
    assert_eq!(rig.said(), "queue: default/1001 rings\nmedia: play to 1001: press-one");
    assert_eq!(bridges(&rig), 0);
    assert!(rig.plays(leg) && rig.plays(rig.caller), "he hears the question, the caller his music");
    key(&mut rig, leg, '5');
    assert_eq!((rig.said().as_str(), bridges(&rig)), ("", 0));
    rig.after(4_000);
    key(&mut rig, leg, '1');
    assert!(rig.said().contains("queue: default/1001 answered"));
    assert_eq!(bridges(&rig), 1);
    rig.after(60_000);
    rig.hangs_up(leg, Cause::Normal, None);
    let cdr = rig.cdr();
    assert_eq!((cdr.cause, cdr.agent.clone()), (Cause::Normal, Some(agent("1001"))));
    // he has answered when he has pressed it
    assert_eq!(cdr.legs[1].answered, cdr.bridged);
    rig.nothing_left();
}

#[test]
fn a_mailbox_presses_nothing_and_has_not_answered() {
    let (mut rig, leg) = asked();
    rig.said();
    rig.play_ends(leg);
    rig.after(u64::from(WAIT_MS) - 1);
    assert_eq!(rig.said(), "");
    rig.after(1);
    let said = rig.said();
    assert!(said.contains("1001: HangUp { cause: NoAnswer }"), "{said}");
    assert!(said.contains("queue: default/1001 failed NoAnswer"), "{said}");
    assert_eq!(bridges(&rig), 0);
    assert!(rig.plays(rig.caller));
    rig.offer("1002");
    assert!(rig.said().contains("1002: Dial"));
}

#[test]
fn who_hangs_up_instead_has_declined() {
    let (mut rig, leg) = asked();
    rig.said();
    rig.hangs_up(leg, Cause::Normal, None);
    let said = rig.said();
    assert!(said.contains("failed Declined"), "{said}");
    rig.after(60_000);
    assert_eq!(rig.said(), "", "the time for the key is over with the leg");
}

#[test]
fn a_caller_who_leaves_meanwhile_costs_nobody_anything() {
    let (mut rig, leg) = asked();
    rig.said();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let said = rig.said();
    assert!(said.contains("queue: default/1001 failed Cancelled"), "{said}");
    key(&mut rig, leg, '1');
    assert_eq!(rig.cdr().queues[0].outcome, "abandoned");
    rig.nothing_left();
}

#[test]
fn what_comes_before_the_key_is_not_heard() {
    let mut rig = Rig::routed(Destination::Agent(agent("1001")));
    let leg = rig.leg_of("1001");
    rig.tell(CallInput::Confirm { leg, accept: accept() });
    rig.leg(leg, LegEvent::EarlyMedia);
    assert_eq!(bridges(&rig), 0, "a mailbox may speak early, too");
    rig.leg(leg, LegEvent::Answered);
    assert_eq!(bridges(&rig), 0);
    key(&mut rig, leg, '1');
    assert_eq!(bridges(&rig), 1);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    rig.nothing_left();
}

#[test]
fn who_is_called_by_name_and_presses_nothing_has_not_answered() {
    let mut rig = Rig::routed(Destination::Agent(agent("1001")));
    answers(&mut rig, "1001");
    rig.after(WAIT_MS.into());
    assert_eq!(rig.ended().0, Cause::NoAnswer);
    rig.nothing_left();
}
