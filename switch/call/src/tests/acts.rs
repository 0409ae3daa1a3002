//! What programs have done with the parties of a call: playbacks, entries of keys, callers who are sent elsewhere or joined.

use super::rig::*;
use crate::*;
use cordboard_model::act::{ActEnd, CollectAsked, Entered, Hearers, PlayAsked};
use cordboard_model::cause::Cause;
use cordboard_model::event::EventKind;
use cordboard_model::id::{ActId, CallId};
use cordboard_model::leg::LegEvent;
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::speech::Speech;
use cordboard_model::verb::{Destination, Verb};

fn play(rig: &mut Rig, to: Hearers, items: Vec<PlayItem>) -> Result<ActId, ActRefusal> {
    let asked = PlayAsked { to, items, repeat: Repeat::Once, by: "key desk".into() };
    let done = rig.engine.play_to(rig.call, asked, rig.now);
    rig.drain();
    done
}

fn pin(secret: bool) -> CollectAsked {
    let what = Entered {
        min: 2,
        max: 4,
        terminators: "#".into(),
        first_ms: 5_000,
        inter_ms: 3_000,
        patterns: Vec::new(),
        secret,
    };
    CollectAsked { leg: None, prompt: vec![asset("pin")], what, by: "key desk".into() }
}

fn collect(rig: &mut Rig, asked: CollectAsked) -> Result<ActId, ActRefusal> {
    let done = rig.engine.collect_from(rig.call, asked, rig.now);
    rig.drain();
    done
}

fn stop(rig: &mut Rig, act: ActId) -> Result<(), ActRefusal> {
    let done = rig.engine.stop_act(rig.call, act, rig.now);
    rig.drain();
    done
}

fn ends(rig: &Rig) -> Vec<ActEnd> {
    let end = |output: &CallOutput| match output {
        CallOutput::Event(_, EventKind::PlayEnded { how, .. } | EventKind::CollectEnded { how, .. }) => {
            Some(*how)
        }
        _ => None,
    };
    rig.outputs.iter().filter_map(end).collect()
}

fn outcome(rig: &Rig, act: ActId) -> (Option<ActEnd>, Option<String>) {
    let found = rig.engine.collected(rig.call, act).expect("an entry that is known");
    (found.how, found.digits)
}

#[test]
fn two_who_talk_hear_what_a_program_plays_and_then_each_other() {
    let (mut rig, agent) = Rig::talking();
    let act = play(&mut rig, Hearers::All, vec![asset("news")]).unwrap();
    let view = rig.engine.view(rig.call).unwrap();
    assert_eq!((view.plays[0].play, view.plays[0].legs.as_slice()), (act, &[rig.caller, agent][..]));
    rig.play_ends(rig.caller);
    assert!(ends(&rig).is_empty(), "the agent hears it yet");
    rig.play_ends(agent);
    assert_eq!(ends(&rig), [ActEnd::Finished]);
    assert!(rig.engine.view(rig.call).unwrap().plays.is_empty());
    assert_eq!(stop(&mut rig, act), Err(ActRefusal::NoAct));
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn one_side_alone_hears_it_another_takes_its_place_and_an_order_stops_it() {
    let (mut rig, agent) = Rig::talking();
    play(&mut rig, Hearers::Called, vec![asset("news")]).unwrap();
    let second = play(&mut rig, Hearers::Leg(agent), vec![asset("more")]).unwrap();
    assert_eq!(ends(&rig), [ActEnd::Replaced]);
    assert_eq!(stop(&mut rig, second), Ok(()));
    assert_eq!(ends(&rig), [ActEnd::Replaced, ActEnd::Stopped]);
    assert_eq!(play(&mut rig, Hearers::Caller, Vec::new()), Err(ActRefusal::Nothing));
    play(&mut rig, Hearers::Caller, vec![asset("news")]).unwrap();
    rig.hangs_up(agent, Cause::Normal, None);
    assert_eq!(ends(&rig).last(), Some(&ActEnd::Left), "the talk is over, and the call with it");
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn who_waits_hears_his_music_again_and_what_the_queue_says_comes_first() {
    let mut rig = Rig::waiting();
    rig.said();
    play(&mut rig, Hearers::All, vec![asset("news")]).unwrap();
    rig.play_ends(rig.caller);
    assert_eq!(ends(&rig), [ActEnd::Finished]);
    assert!(rig.said().contains("play to alice: music for ever"));
    play(&mut rig, Hearers::All, vec![asset("news")]).unwrap();
    let call = rig.call;
    rig.tell(CallInput::Position { call, announcement: vec![asset("third")] });
    assert_eq!(ends(&rig), [ActEnd::Finished, ActEnd::Replaced]);
    play(&mut rig, Hearers::All, vec![asset("news")]).unwrap();
    rig.offer("1001");
    let agent = rig.leg_of("1001");
    rig.leg(agent, LegEvent::Answered);
    assert_eq!(ends(&rig), [ActEnd::Finished, ActEnd::Replaced, ActEnd::Replaced]);
}

#[test]
fn a_flow_that_speaks_has_its_caller_for_itself_and_one_that_waits_lends_him() {
    let mut rig = Rig::in_flow();
    assert_eq!(play(&mut rig, Hearers::All, vec![asset("news")]), Err(ActRefusal::Flow));
    rig.verb(Verb::Wait { ms: 60_000 });
    let act = play(&mut rig, Hearers::All, vec![asset("news")]).unwrap();
    assert!(collect(&mut rig, pin(false)).is_ok());
    assert_eq!(ends(&rig), [ActEnd::Replaced], "the prompt is heard instead");
    assert_eq!(stop(&mut rig, act), Err(ActRefusal::NoAct));
    assert_eq!(collect(&mut rig, pin(false)), Err(ActRefusal::Collecting));
    rig.after(60_000);
    assert_eq!(ends(&rig), [ActEnd::Replaced, ActEnd::Replaced], "the flow goes on");
    assert_eq!(play(&mut rig, Hearers::All, vec![asset("news")]), Err(ActRefusal::Flow));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn an_entry_follows_the_rules_of_a_flows_step_and_its_outcome_can_be_asked_for() {
    let (mut rig, _) = Rig::talking();
    let first = collect(&mut rig, pin(false)).unwrap();
    assert_eq!(outcome(&rig, first), (None, None));
    rig.keys("12#");
    assert_eq!(outcome(&rig, first), (Some(ActEnd::Terminator), Some("12".into())));
    let short = collect(&mut rig, pin(false)).unwrap();
    rig.keys("1");
    rig.keys("#");
    assert_eq!(outcome(&rig, short), (Some(ActEnd::Invalid), None));
    let full = collect(&mut rig, pin(false)).unwrap();
    rig.keys("12345");
    assert_eq!(outcome(&rig, full), (Some(ActEnd::Max), Some("1234".into())));
    let silent = collect(&mut rig, pin(false)).unwrap();
    rig.play_ends(rig.caller);
    rig.after(4_999);
    assert_eq!(outcome(&rig, silent), (None, None));
    rig.after(1);
    assert_eq!(outcome(&rig, silent), (Some(ActEnd::Timeout), None));
    let stopped = collect(&mut rig, pin(false)).unwrap();
    rig.keys("7");
    assert_eq!(stop(&mut rig, stopped), Ok(()));
    assert_eq!(outcome(&rig, stopped), (Some(ActEnd::Stopped), None));
    let cut = collect(&mut rig, pin(false)).unwrap();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(outcome(&rig, cut), (Some(ActEnd::Left), None));
    assert_eq!(outcome(&rig, first), (Some(ActEnd::Terminator), Some("12".into())), "known after the call");
    rig.nothing_left();
}

#[test]
fn a_secret_is_in_no_event_heard_by_nobody_and_forgotten_with_the_call() {
    let (mut rig, agent) = Rig::talking();
    let act = collect(&mut rig, pin(true)).unwrap();
    rig.keys("4321");
    assert_eq!(outcome(&rig, act), (Some(ActEnd::Max), Some("4321".into())));
    let said = rig.said();
    assert!(said.contains("Secret") && said.contains("collect ended Max None"), "{said}");
    assert!(!said.contains("4321") && !said.contains("digit"), "{said}");
    rig.hangs_up(agent, Cause::Normal, None);
    assert_eq!(outcome(&rig, act), (Some(ActEnd::Max), None));
    rig.nothing_left();
}

#[test]
fn what_is_said_is_made_first_and_what_cannot_be_made_fails() {
    let (mut rig, _) = Rig::talking();
    let speech = Speech { text: "Hello".into(), language: "en".into(), voice: None };
    let say = || vec![PlayItem::Say(Box::new(speech.clone()))];
    let act = play(&mut rig, Hearers::Caller, say()).unwrap();
    let call = rig.call;
    assert!(!rig.said().contains("media: play"));
    rig.tell(CallInput::Spoken { call, act, items: Some(vec![asset("hello")]) });
    assert!(rig.said().contains("media: play to alice: hello"));
    rig.play_ends(rig.caller);
    let act = play(&mut rig, Hearers::Caller, say()).unwrap();
    rig.tell(CallInput::Spoken { call, act, items: None });
    assert_eq!(ends(&rig), [ActEnd::Finished, ActEnd::Failed]);
    let asked = CollectAsked { prompt: say(), ..pin(false) };
    let entry = collect(&mut rig, asked).unwrap();
    rig.tell(CallInput::Spoken { call, act: entry, items: None });
    rig.after(5_000);
    assert_eq!(outcome(&rig, entry), (Some(ActEnd::Timeout), None), "the key was waited for in silence");
}

fn send(rig: &mut Rig, to: Destination) -> Result<(), MoveRefusal> {
    let done = rig.engine.send(rig.call, MoveTo::Place(to), rig.now);
    rig.drain();
    done
}

fn bridge(rig: &mut Rig, call: CallId, other: CallId) -> Result<(), MoveRefusal> {
    let done = rig.engine.bridge(call, other, rig.now);
    rig.drain();
    done
}

#[test]
fn a_caller_is_sent_from_flow_to_queue_to_agent_and_not_out_of_a_talk() {
    let mut rig = Rig::in_flow();
    assert_eq!(send(&mut rig, Destination::Queue(queue("sales"))), Ok(()));
    rig.music();
    rig.offer("1001");
    assert_eq!(send(&mut rig, Destination::Agent(agent("1002"))), Ok(()));
    let leg = rig.leg_of("1002");
    assert_eq!(send(&mut rig, Destination::Queue(queue("sales"))), Err(MoveRefusal::Talking));
    rig.leg(leg, LegEvent::Answered);
    assert_eq!(send(&mut rig, Destination::Queue(queue("sales"))), Err(MoveRefusal::Talking));
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.cdr().queues[0].outcome, "moved");
    rig.nothing_left();
}

#[test]
fn two_callers_with_flows_or_queues_talk_and_each_call_has_its_record() {
    let mut rig = Rig::in_flow();
    let first = rig.call;
    let caller = rig.caller;
    assert_eq!(bridge(&mut rig, first, first), Err(MoveRefusal::Same));
    let (second, other) = rig.another("bob", Destination::Queue(queue("sales")), None);
    rig.tell(CallInput::Music { call: second, items: vec![asset("music")] });
    rig.said();
    assert_eq!(bridge(&mut rig, first, second), Ok(()));
    let said = rig.said();
    for wanted in ["flow: stop", "queue: abandoned", "bob moved", "media: bridge alice and bob"] {
        assert!(said.contains(wanted), "no {wanted:?} in\n{said}");
    }
    assert_eq!(bridge(&mut rig, first, second), Err(MoveRefusal::Talking));
    assert_eq!(bridge(&mut rig, second, first), Err(MoveRefusal::NotFound), "that call is over");
    rig.hangs_up(other, Cause::Normal, None);
    rig.hangs_up(caller, Cause::Normal, None);
    let told = rig.cdr_of(second);
    assert_eq!(
        (told.cause, told.joined, told.queues[0].outcome.as_str()),
        (Cause::Transferred, Some(first), "picked_up")
    );
    assert_eq!(rig.cdr_of(first).legs.len(), 2);
    assert!(rig.engine.is_quiescent(), "{:?}", rig.engine);
}
