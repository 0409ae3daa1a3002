//! What a flow dials: several at once, words to who answers, and the flow that goes on after the talk.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::dial::{Accept, Dial, DialEnd};
use cordboard_model::id::LegId;
use cordboard_model::leg::LegEvent;
use cordboard_model::media::MediaEvent;
use cordboard_model::verb::{Destination, Verb, VerbAnswer};

fn all(names: &[&str]) -> Dial {
    let mut dial = Dial::one(Destination::User(user(names[0])));
    for name in &names[1..] {
        dial.ways.extend(Dial::one(Destination::User(user(name))).ways);
    }
    dial
}

fn asks(names: &[&str]) -> Dial {
    let accept = Accept { prompt: vec![asset("accept")], key: '1', refuse: Some('2'), timeout_ms: 4_000 };
    Dial { accept: Some(accept), whisper: vec![asset("whisper")], ..all(names) }
}

fn dial(dial: Dial) -> Verb {
    Verb::Dial(Box::new(dial))
}

fn presses(rig: &mut Rig, leg: LegId, digit: char) {
    rig.tell(CallInput::Media(MediaEvent::Digit { leg, digit }));
}

#[test]
fn the_first_of_several_who_answers_has_the_call_and_the_others_are_cancelled() {
    let mut rig = Rig::in_flow();
    rig.verb(dial(all(&["anna", "bert", "carl"])));
    let (anna, bert) = (rig.leg_of("anna"), rig.leg_of("bert"));
    rig.leg(anna, LegEvent::Ringing);
    rig.leg(bert, LegEvent::Ringing);
    rig.leg(bert, LegEvent::Answered);
    // crosses the cancelling
    rig.leg(anna, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(bert, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
    let causes: Vec<Cause> = rig.cdr().legs.iter().map(|leg| leg.cause).collect();
    assert_eq!(causes[1..], [Cause::AnsweredElsewhere, Cause::Normal, Cause::AnsweredElsewhere]);
    rig.nothing_left();
}

#[test]
fn when_the_last_of_several_is_lost_the_flow_hears_why() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(dial(all(&["anna", "bert"])));
    let (anna, bert) = (rig.leg_of("anna"), rig.leg_of("bert"));
    rig.leg(anna, LegEvent::Ringing);
    assert!(rig.plays(rig.caller), "ring-back");
    rig.hangs_up(anna, Cause::Busy, Some(486));
    assert_eq!(rig.answer_to(ticket), None);
    rig.hangs_up(bert, Cause::Declined, Some(603));
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Failed(Cause::Declined)));
    assert!(!rig.plays(rig.caller));
    let late = rig.verb(dial(all(&["anna", "bert"])));
    rig.after(60_000);
    assert_eq!(rig.answer_to(late), Some(VerbAnswer::Failed(Cause::NoAnswer)));
}

#[test]
fn who_answers_is_spoken_to_alone_before_he_is_joined() {
    let mut rig = Rig::in_flow();
    let whisper = vec![asset("whisper")];
    rig.verb(dial(Dial { whisper, music: vec![asset("music")], ..all(&["anna", "bert"]) }));
    let anna = rig.leg_of("anna");
    rig.leg(anna, LegEvent::Ringing);
    rig.leg(anna, LegEvent::Answered);
    let before = rig.said();
    assert!(before.contains("play to anna: whisper") && !before.contains("bridge"), "{before}");
    assert!(before.contains("play to alice: music for ever") && !before.contains("RingBack"), "{before}");
    assert!(rig.plays(rig.caller));
    rig.play_ends(anna);
    let after = rig.said();
    assert!(after.contains("bridge alice and anna") && after.contains("flow: stop"), "{after}");
}

#[test]
fn who_is_asked_takes_the_call_by_his_key_while_others_are_asked_too() {
    let mut rig = Rig::in_flow();
    rig.verb(dial(asks(&["anna", "bert", "carl"])));
    let (anna, bert) = (rig.leg_of("anna"), rig.leg_of("bert"));
    rig.leg(anna, LegEvent::Answered);
    rig.leg(bert, LegEvent::Answered);
    presses(&mut rig, bert, '5');
    rig.play_ends(anna);
    assert!(!rig.said().contains("bridge"));
    presses(&mut rig, bert, '1');
    insta::assert_snapshot!(rig.said());
    let caller = rig.caller;
    rig.hangs_up(caller, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    rig.nothing_left();
}

#[test]
fn who_refuses_or_is_silent_is_let_go_and_the_others_ring_on() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(dial(asks(&["anna", "bert"])));
    let (anna, bert) = (rig.leg_of("anna"), rig.leg_of("bert"));
    rig.leg(anna, LegEvent::Answered);
    presses(&mut rig, anna, '2');
    assert!(rig.said().contains("leg anna ended Declined"));
    assert_eq!(rig.answer_to(ticket), None);
    rig.leg(bert, LegEvent::Answered);
    rig.after(30_000);
    assert_eq!(rig.answer_to(ticket), None, "no time runs while he is spoken to");
    rig.play_ends(bert);
    rig.after(3_999);
    assert_eq!(rig.answer_to(ticket), None);
    rig.after(1);
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Failed(Cause::NoAnswer)));
    let next = rig.verb(Verb::Answer);
    assert_eq!(rig.answer_to(next), Some(VerbAnswer::Done));
}

#[test]
fn a_caller_who_leaves_while_somebody_is_asked_takes_everybody_along() {
    let mut rig = Rig::in_flow();
    rig.verb(dial(asks(&["anna", "bert"])));
    let anna = rig.leg_of("anna");
    rig.leg(anna, LegEvent::Answered);
    let caller = rig.caller;
    rig.hangs_up(caller, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    rig.nothing_left();
}

fn dialled(end: DialEnd, who: &str) -> Option<VerbAnswer> {
    Some(VerbAnswer::Dialled { end, who: who.into() })
}

#[test]
fn the_flow_goes_on_when_the_called_side_leaves_first() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(dial(Dial { go_on: true, ..all(&["anna"]) }));
    let anna = rig.leg_of("anna");
    rig.leg(anna, LegEvent::Ringing);
    rig.leg(anna, LegEvent::Answered);
    assert!(rig.said().contains("bridge"));
    rig.hangs_up(anna, Cause::Normal, None);
    assert_eq!(rig.answer_to(ticket), dialled(DialEnd::Served, "anna"));
    let next = rig.verb(Verb::Play { items: vec![asset("survey")], barge_in: true });
    assert!(rig.plays(rig.caller));
    rig.play_ends(rig.caller);
    assert_eq!(rig.answer_to(next), Some(VerbAnswer::Played { key: None }));
    let call = rig.call;
    rig.tell(CallInput::FlowEnded { call });
    assert!(rig.cdr().bridged.is_some());
    rig.nothing_left();
}

#[test]
fn a_talk_that_has_had_its_time_is_ended_for_the_flow_or_for_all() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(dial(Dial { go_on: true, talk_ms: Some(5_000), ..all(&["anna", "bert"]) }));
    let bert = rig.leg_of("bert");
    rig.leg(bert, LegEvent::Answered);
    rig.after(4_999);
    assert_eq!(rig.answer_to(ticket), None);
    rig.after(1);
    assert_eq!(rig.answer_to(ticket), dialled(DialEnd::Limit, "bert"));
    rig.verb(dial(Dial { talk_ms: Some(5_000), ..all(&["carl"]) }));
    let carl = rig.leg_of("carl");
    rig.leg(carl, LegEvent::Answered);
    rig.after(5_000);
    assert_eq!(rig.ended(), (Cause::MaxDuration, Party::Switch));
    rig.nothing_left();
}

#[test]
fn music_goes_on_while_one_after_another_rings() {
    let mut rig = Rig::in_flow();
    let music = || vec![asset("music")];
    let first = rig.verb(dial(Dial { music: music(), more: true, ..all(&["anna"]) }));
    let anna = rig.leg_of("anna");
    rig.hangs_up(anna, Cause::Busy, None);
    assert_eq!(rig.answer_to(first), Some(VerbAnswer::Failed(Cause::Busy)));
    let second = rig.verb(dial(Dial { music: music(), ..all(&["bert"]) }));
    let said = rig.said();
    assert_eq!(said.matches("play to alice").count(), 1, "{said}");
    let bert = rig.leg_of("bert");
    rig.hangs_up(bert, Cause::Busy, None);
    assert_eq!(rig.answer_to(second), Some(VerbAnswer::Failed(Cause::Busy)));
    assert!(!rig.plays(rig.caller));
}

#[test]
fn the_number_and_name_that_the_flow_says_are_shown() {
    let mut rig = Rig::in_flow();
    let mut both = all(&["anna", "bert", "carl"]);
    both.ways[0].number = Some("4000".into());
    both.ways[1].name = Some("Sales".into());
    rig.verb(dial(both));
    let shown = rig.outputs.iter().filter_map(|output| match output {
        CallOutput::Dial { from, .. } => Some((from.user.clone(), from.display.clone())),
        _ => None,
    });
    let pair = |user: &str, name: &str| (user.to_owned(), name.to_owned());
    assert_eq!(shown.collect::<Vec<_>>(), [pair("4000", ""), pair("alice", "Sales"), pair("alice", "")]);
}

#[test]
fn another_phone_may_take_the_call_from_one_of_several_that_ring() {
    let mut rig = Rig::in_flow();
    rig.verb(dial(all(&["anna", "bert"])));
    let anna = rig.leg_of("anna");
    rig.leg(anna, LegEvent::Ringing);
    let first = rig.call;
    let (_, taker) = rig.another("dora", Destination::User(user("nobody")), Some(anna));
    let said = rig.said();
    assert!(said.contains("bridge alice and dora"), "{said}");
    assert!(said.contains("leg bert ended AnsweredElsewhere"), "{said}");
    rig.hangs_up(taker, Cause::Normal, None);
    assert_eq!(rig.cdr_of(first).cause, Cause::Normal);
}
