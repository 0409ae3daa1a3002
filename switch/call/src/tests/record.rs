//! Recording by flow and by the API, pauses with their marks, and secrets.

use super::rig::*;
use crate::*;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::LegEvent;
use cordboard_model::media::MediaCommand;
use cordboard_model::verb::{RecordAct, Verb, VerbAnswer};

fn ask(rig: &mut Rig, act: RecordAct) -> Result<(), RecordRefusal> {
    let asked = RecordAsked { act, by: "key desk".into(), why: "card".into() };
    let done = rig.engine.record(rig.call, asked, rig.now);
    rig.drain();
    done
}

fn entries(rig: &Rig) -> Vec<RecordingEntry> {
    let of = |output: &CallOutput| match output {
        CallOutput::Journal(JournalRecord::RecordingClosed(entry)) => Some(entry.clone()),
        _ => None,
    };
    rig.outputs.iter().filter_map(of).collect()
}

#[test]
fn a_pause_leaves_its_mark_in_an_event_and_in_the_entry() {
    let (mut rig, agent_leg) = Rig::talking();
    assert_eq!(ask(&mut rig, RecordAct::Pause), Ok(()));
    assert_eq!(ask(&mut rig, RecordAct::Pause), Ok(()), "the second says nothing new");
    rig.after(5_000);
    assert_eq!(ask(&mut rig, RecordAct::Resume), Ok(()));
    assert_eq!(ask(&mut rig, RecordAct::Resume), Ok(()));
    rig.after(1_000);
    let said = rig.said();
    assert_eq!(said.matches("on: true").count(), 1, "{said}");
    assert_eq!(said.matches("on: false").count(), 1, "{said}");
    assert!(said.contains("sample: 800, by: \"key desk\", why: \"card\""), "{said}");
    assert!(said.contains("RecordingResumed"), "{said}");
    rig.hangs_up(agent_leg, Cause::Normal, None);
    let [entry] = &entries(&rig)[..] else { panic!("one recording") };
    let [pause] = &entry.pauses[..] else { panic!("one pause: {entry:?}") };
    assert_eq!((pause.from_sample, pause.to_sample), (800, Some(1_600)));
    assert_eq!((pause.by.as_str(), pause.why.as_str()), ("key desk", "card"));
    let resumed = pause.resumed.clone().unwrap();
    assert_eq!((resumed.at.0 - pause.at.0, resumed.by.as_str()), (5_000, "key desk"));
    let who: Vec<_> = entry.parties.iter().map(|party| party.party.user.as_str()).collect();
    assert_eq!(who, ["alice", "1001"]);
    assert_eq!(entry.parties[1].agent, Some(agent("1001")));
}

#[test]
fn a_stop_ends_a_recording_and_a_start_begins_another() {
    let (mut rig, agent_leg) = Rig::talking();
    assert_eq!(ask(&mut rig, RecordAct::Start), Ok(()), "it is recorded already");
    assert_eq!(rig.said(), "");
    assert_eq!(ask(&mut rig, RecordAct::Stop), Ok(()));
    for act in [RecordAct::Stop, RecordAct::Pause, RecordAct::Resume] {
        assert_eq!(ask(&mut rig, act), Err(RecordRefusal::Nobody), "{act:?}");
    }
    assert_eq!(ask(&mut rig, RecordAct::Start), Ok(()));
    let said = rig.said();
    assert!(said.contains("stop record") && said.contains("record alice left, 1001 right"), "{said}");
    rig.hangs_up(agent_leg, Cause::Normal, None);
    assert_eq!(entries(&rig).len(), 2);
    assert_eq!(rig.cdr().recordings.len(), 2);
    rig.nothing_left();
    assert_eq!(ask(&mut rig, RecordAct::Start), Err(RecordRefusal::NotFound));
}

#[test]
fn a_call_has_only_so_many_recordings() {
    let (mut rig, _) = Rig::talking();
    for _ in 1..64 {
        assert_eq!(ask(&mut rig, RecordAct::Stop), Ok(()));
        assert_eq!(ask(&mut rig, RecordAct::Start), Ok(()));
    }
    assert_eq!(ask(&mut rig, RecordAct::Stop), Ok(()));
    assert_eq!(ask(&mut rig, RecordAct::Start), Err(RecordRefusal::Limit));
}

#[test]
fn a_flow_records_its_caller_and_the_talk_that_follows_paused_as_it_was() {
    let mut rig = Rig::in_flow();
    let record = |act| Verb::Record { act, why: "card".into() };
    let nothing = rig.verb(record(RecordAct::Pause));
    assert_eq!(rig.answer_to(nothing), Some(VerbAnswer::Failed(Cause::NotFound)));
    let begun = rig.verb(record(RecordAct::Start));
    assert_eq!(rig.answer_to(begun), Some(VerbAnswer::Done));
    rig.verb(record(RecordAct::Pause));
    let said = rig.said();
    assert!(said.contains("record alice left, nobody right"), "{said}");
    assert!(said.contains("by: \"flow menu\", why: \"card\""), "{said}");
    rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: String::new(),
        staffed: false,
    });
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    let said = rig.said();
    let talk = said.split("record alice left, 1001 right").nth(1).expect("the talk is recorded");
    assert!(said.contains("stop record") && talk.contains("on: true"), "{said}");
    rig.hangs_up(leg, Cause::Normal, None);
    let entries = entries(&rig);
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.label == "card"), "what the flow began them for");
    assert!(entries.iter().all(|entry| entry.pauses.len() == 1 && entry.pauses[0].to_sample.is_none()));
    let verb = Verb::Record { act: RecordAct::Start, why: "x".repeat(257) };
    let long = rig.verb(verb);
    assert_eq!(rig.answer_to(long), Some(VerbAnswer::Limit("reason".into())));
}

#[test]
fn a_stop_by_the_flow_counts_for_more_than_the_queue() {
    let mut rig = Rig::in_flow();
    rig.verb(Verb::Record { act: RecordAct::Start, why: String::new() });
    rig.verb(Verb::Record { act: RecordAct::Stop, why: String::new() });
    rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: String::new(),
        staffed: false,
    });
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.said();
    rig.leg(leg, LegEvent::Answered);
    let said = rig.said();
    assert!(said.contains("bridge") && !said.contains("record"), "{said}");
}

#[test]
fn keys_of_a_secret_are_covered_from_the_prompt_to_the_end_of_the_entry() {
    let collect = || Verb::Collect {
        prompt: vec![asset("pin")],
        min: 1,
        max: 4,
        terminators: "#".into(),
        first_timeout_ms: 5_000,
        inter_timeout_ms: 2_000,
        patterns: Vec::new(),
        strict: false,
        secret: true,
        ear: None,
    };
    let secrets = |rig: &Rig| -> Vec<bool> {
        let of = |output: &CallOutput| match output {
            CallOutput::Media(MediaCommand::Secret { on, .. }) => Some(*on),
            _ => None,
        };
        rig.outputs.iter().filter_map(of).collect()
    };
    let mut rig = Rig::in_flow();
    rig.verb(collect());
    assert_eq!(secrets(&rig), [true]);
    rig.keys("12#");
    assert_eq!(secrets(&rig), [true, false]);
    let ticket = rig.verb(collect());
    rig.play_ends(rig.caller);
    rig.after(5_001);
    assert!(rig.answer_to(ticket).is_some());
    assert_eq!(secrets(&rig), [true, false, true, false], "the time is up");
    rig.verb(collect());
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(secrets(&rig).len(), 6, "the flow is stopped in the middle");
}

#[test]
fn a_recorded_talk_is_not_interrupted_where_it_could_not_be_recorded_after_it() {
    let (mut rig, leg) = Rig::talking();
    for _ in 1..64 {
        ask(&mut rig, RecordAct::Stop).unwrap();
        ask(&mut rig, RecordAct::Start).unwrap();
    }
    let goal = cordboard_model::desk::Goal::Number("+4930".into());
    let consult = cordboard_model::desk::SeatOrder::Consult(goal);
    let refused = rig.engine.seat_order(rig.call, leg, consult.clone(), rig.now);
    assert_eq!(refused, Err(cordboard_model::desk::DeskFault::Recordings));
    rig.drain();
    ask(&mut rig, RecordAct::Stop).unwrap();
    assert_eq!(rig.engine.seat_order(rig.call, leg, consult, rig.now), Ok(()), "nothing is lost now");
}
