//! A caller who is sent aside to a flow by his agent, and one who is asked when the agent has hung up.

use super::rig::*;
use crate::*;
use cordboard_model::audio::QueueAudio;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::LegId;
use cordboard_model::leg::LegEvent;
use cordboard_model::verb::{Destination, QueueEnd, RecordAct, Verb, VerbAnswer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn config(audio: QueueAudio) -> CallConfig {
    let mut config = CallConfig::new(0x6560_0000, 0);
    config.manners.queues.insert(queue("sales"), Arc::new(audio));
    config
}

/// A caller who talks to agent 1001, from queue `sales`; perhaps brought by his flow, whose step is given.
pub(super) fn talking(audio: QueueAudio, by_flow: bool) -> (Rig, LegId, Ticket) {
    let mut rig = Rig::with(config(audio));
    rig.incoming();
    let mut ticket = 0;
    if by_flow {
        rig.route(Destination::Flow(flow("menu")));
        rig.verb(Verb::Answer);
        ticket = rig.verb(Verb::Enqueue {
            queue: queue("sales"),
            timeout_ms: None,
            priority: 0,
            keys: String::new(),
            staffed: false,
        });
    } else {
        rig.route(Destination::Queue(queue("sales")));
    }
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.leg(leg, LegEvent::Answered);
    rig.said();
    (rig, leg, ticket)
}

pub(super) fn send_aside(rig: &mut Rig, data: Value) -> Result<(), RoomRefusal> {
    let data: BTreeMap<String, Value> = serde_json::from_value(data).unwrap();
    let (call, now) = (rig.call, rig.now);
    let answer = rig.engine.send_aside(call, flow("verify"), data, now);
    rig.drain();
    answer
}

fn flow_ends(rig: &mut Rig) {
    let call = rig.call;
    rig.tell(CallInput::FlowEnded { call });
}

#[test]
fn a_caller_is_verified_aside_and_comes_back_to_the_same_agent_with_the_result() {
    for by_flow in [false, true] {
        let (mut rig, leg, ticket) = talking(QueueAudio::default(), by_flow);
        send_aside(&mut rig, json!({"verifyServiceNo": "7"})).unwrap();
        let said = rig.said();
        assert!(said.contains("media: unbridge alice") && said.contains("play to 1001: Beep"), "{said}");
        assert!(said.contains(if by_flow {
            "flow: start default/verify above"
        } else {
            "flow: start default/verify"
        }));
        assert!(!said.contains("released"), "{said}");
        let (asked, sent) = (rig.engine.view(rig.call).unwrap(), &rig.engine.view(rig.call).unwrap().data);
        assert_eq!(asked.agent, Some(agent("1001")));
        assert_eq!((&sent["verifyServiceNo"], &sent["verifyWorkNo"]), (&json!("7"), &json!("1001")));
        let done = rig.verb(Verb::SetData { key: "verifyResult".into(), value: json!(1) });
        assert_eq!(rig.answer_to(done), Some(VerbAnswer::Done));
        rig.said();
        flow_ends(&mut rig);
        let said = rig.said();
        assert!(said.contains("bridge alice and 1001"), "{said}");
        assert!(!rig.plays(leg));
        assert_eq!(rig.engine.view(rig.call).unwrap().data["verifyResult"], json!(1));
        assert_eq!(rig.answer_to(ticket), None);
        rig.hangs_up(leg, Cause::Normal, None);
        if by_flow {
            assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Served)));
        } else {
            assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
            rig.nothing_left();
        }
    }
}

#[test]
fn a_flow_aside_hears_and_asks_and_does_nothing_else_with_the_call() {
    let (mut rig, _, _) = talking(QueueAudio::default(), false);
    send_aside(&mut rig, json!({})).unwrap();
    for verb in [
        Verb::Transfer { to: Destination::Flow(flow("other")) },
        Verb::Record { act: RecordAct::Start, why: String::new() },
        Verb::Enqueue {
            queue: queue("sales"),
            timeout_ms: None,
            priority: 0,
            keys: String::new(),
            staffed: false,
        },
    ] {
        let refused = rig.verb(verb);
        assert_eq!(rig.answer_to(refused), Some(VerbAnswer::Failed(Cause::ProtocolError)));
    }
    let heard = rig.verb(Verb::Play { items: vec![asset("card")], barge_in: false });
    rig.play_ends(rig.caller);
    assert_eq!(rig.answer_to(heard), Some(VerbAnswer::Played { key: None }));
    // one that hangs up is over, and the call is not
    rig.verb(Verb::HangUp { cause: Cause::Normal });
    flow_ends(&mut rig);
    assert!(rig.said().contains("bridge alice and 1001"));
}

#[test]
fn a_flow_aside_that_fails_gives_the_caller_back() {
    let (mut rig, _, _) = talking(QueueAudio::default(), true);
    send_aside(&mut rig, json!({})).unwrap();
    rig.said();
    let call = rig.call;
    rig.tell(CallInput::FlowFailed { call, error: "line 3".into(), fallback: Fallback::default() });
    let said = rig.said();
    assert!(said.contains("flow failed") && said.contains("flow: back"), "{said}");
    assert!(said.contains("bridge alice and 1001"), "{said}");
}

#[test]
fn the_agent_takes_his_caller_back_before_the_flow_is_over() {
    let (mut rig, _, _) = talking(QueueAudio::default(), false);
    let (call, now) = (rig.call, rig.now);
    assert_eq!(rig.engine.take_back(call, now), Err(RoomRefusal::None));
    send_aside(&mut rig, json!({})).unwrap();
    assert_eq!(send_aside(&mut rig, json!({})), Err(RoomRefusal::NotTalking), "he is aside already");
    rig.verb(Verb::Wait { ms: 60_000 });
    rig.said();
    assert_eq!(rig.engine.take_back(call, now), Ok(()));
    rig.drain();
    let said = rig.said();
    assert!(said.contains("flow: stop\n") && said.contains("bridge alice and 1001"), "{said}");
    rig.after(61_000);
    assert!(!rig.said().contains("flow: Done"));
}

#[test]
fn nothing_of_what_is_done_aside_is_recorded_and_the_talk_after_it_is() {
    let audio = QueueAudio {
        record: Some(cordboard_model::audio::RecordRule::new(cordboard_model::audio::RecordWhen::Always)),
        ..QueueAudio::default()
    };
    let (mut rig, leg, _) = talking(audio, false);
    send_aside(&mut rig, json!({})).unwrap();
    assert!(rig.said().contains("media: stop record"));
    flow_ends(&mut rig);
    assert!(rig.said().contains("record alice left, 1001 right"));
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.cdr().recordings.len(), 2);
}

#[test]
fn an_agent_who_leaves_meanwhile_is_released_and_the_call_ends_with_the_flow() {
    for by_flow in [false, true] {
        let (mut rig, leg, ticket) = talking(QueueAudio::default(), by_flow);
        send_aside(&mut rig, json!({})).unwrap();
        rig.said();
        rig.hangs_up(leg, Cause::Normal, None);
        assert!(rig.said().contains("queue: default/1001 released"));
        let heard = rig.verb(Verb::Play { items: vec![asset("thanks")], barge_in: false });
        rig.play_ends(rig.caller);
        assert_eq!(rig.answer_to(heard), Some(VerbAnswer::Played { key: None }));
        flow_ends(&mut rig);
        if by_flow {
            assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Served)));
            rig.hangs_up(rig.caller, Cause::Normal, None);
        } else {
            assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
        }
        rig.nothing_left();
    }
}

#[test]
fn a_caller_who_hangs_up_aside_ends_the_call_and_frees_the_agent() {
    let (mut rig, _, _) = talking(QueueAudio::default(), true);
    send_aside(&mut rig, json!({})).unwrap();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    assert!(rig.said().contains("queue: default/1001 released"));
    rig.nothing_left();
}

#[test]
fn only_the_caller_of_an_agent_is_sent_aside() {
    let mut rig = Rig::routed(Destination::User(user("bob")));
    let leg = rig.leg_of("bob");
    rig.leg(leg, LegEvent::Answered);
    assert_eq!(send_aside(&mut rig, json!({})), Err(RoomRefusal::NotTalking));
    let mut rig = Rig::waiting();
    assert_eq!(send_aside(&mut rig, json!({})), Err(RoomRefusal::NotTalking));
}

fn surveyed() -> QueueAudio {
    QueueAudio { survey: Some(flow("survey")), ..QueueAudio::default() }
}

#[test]
fn a_caller_whom_the_agent_leaves_is_asked_and_the_answer_stands_in_the_record() {
    let (mut rig, leg, _) = talking(surveyed(), false);
    rig.hangs_up(leg, Cause::Normal, None);
    let said = rig.said();
    assert!(
        said.contains("queue: default/1001 released") && said.contains("flow: start default/survey"),
        "{said}"
    );
    rig.verb(Verb::SetData { key: "surveyScore".into(), value: json!(5) });
    flow_ends(&mut rig);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
    let cdr = rig.cdr();
    assert_eq!(cdr.data["surveyScore"], json!(5));
    assert_eq!((&cdr.data["surveyAgent"], &cdr.data["surveyQueue"]), (&json!("1001"), &json!("sales")));
    assert_eq!(cdr.agent, Some(agent("1001")));
    rig.nothing_left();
}

#[test]
fn the_flow_that_brought_the_caller_has_him_after_the_survey() {
    let (mut rig, leg, ticket) = talking(surveyed(), true);
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.answer_to(ticket), None);
    flow_ends(&mut rig);
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Served)));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn who_hangs_up_first_himself_is_asked_nothing() {
    let (mut rig, _, _) = talking(surveyed(), false);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert!(!rig.said().contains("survey"));
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    let (mut rig, leg, _) = talking(QueueAudio::default(), false);
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
}

#[test]
fn a_survey_that_hangs_up_or_is_hung_up_on_ends_the_call() {
    let (mut rig, leg, _) = talking(surveyed(), false);
    rig.hangs_up(leg, Cause::Normal, None);
    rig.verb(Verb::HangUp { cause: Cause::Normal });
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
    let (mut rig, leg, _) = talking(surveyed(), true);
    rig.hangs_up(leg, Cause::Normal, None);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    rig.nothing_left();
}

#[test]
fn a_flow_to_which_an_agent_sends_his_caller_knows_by_whom() {
    let (mut rig, leg, _) = talking(QueueAudio::default(), false);
    let (call, now) = (rig.call, rig.now);
    rig.engine.transfer(call, Some(leg), "700", false, now).unwrap();
    rig.drain();
    rig.route(Destination::Flow(flow("survey")));
    assert_eq!(rig.engine.view(call).unwrap().data["sentBy"], json!("1001"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.cdr().agent, Some(agent("1001")));
}

#[test]
fn a_held_caller_who_is_sent_aside_is_retrieved_for_it() {
    let (mut rig, _, _) = talking(QueueAudio::default(), false);
    rig.command(CallCommand::Hold { leg: rig.caller });
    rig.said();
    send_aside(&mut rig, json!({})).unwrap();
    assert!(rig.said().contains("alice: Hold { on: false }"));
}

#[test]
fn a_pause_may_end_while_the_caller_is_aside() {
    use cordboard_model::audio::{RecordRule, RecordWhen};
    let audio = QueueAudio { record: Some(RecordRule::new(RecordWhen::Always)), ..QueueAudio::default() };
    let (mut rig, _, _) = talking(audio, false);
    let ask = |rig: &mut Rig, act| {
        let asked = RecordAsked { act, by: "key desk".into(), why: "card".into() };
        let done = rig.engine.record(rig.call, asked, rig.now);
        rig.drain();
        done
    };
    ask(&mut rig, RecordAct::Pause).unwrap();
    send_aside(&mut rig, json!({})).unwrap();
    assert_eq!(ask(&mut rig, RecordAct::Resume), Ok(()));
    rig.said();
    flow_ends(&mut rig);
    let said = rig.said();
    assert!(said.contains("record alice left, 1001 right") && !said.contains("on: true"), "{said}");
    send_aside(&mut rig, json!({})).unwrap();
    assert_eq!(ask(&mut rig, RecordAct::Stop), Ok(()), "what goes on recorded later can be stopped now");
    rig.said();
    flow_ends(&mut rig);
    assert!(!rig.said().contains("record alice"));
}

#[test]
fn a_survey_that_waits_in_a_queue_or_dials_is_answered() {
    let enqueue = || Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: "*".into(),
        staffed: false,
    };
    let (mut rig, leg, ticket) = talking(surveyed(), true);
    rig.hangs_up(leg, Cause::Normal, None);
    let waits = rig.verb(enqueue());
    rig.music();
    rig.keys("*");
    assert_eq!(rig.answer_to(waits), Some(VerbAnswer::Queue(QueueEnd::Key('*'))));
    let again = rig.verb(enqueue());
    let call = rig.call;
    rig.tell(CallInput::QueueEnded { call, end: QueueEnd::Timeout, overflow: None });
    assert_eq!(rig.answer_to(again), Some(VerbAnswer::Queue(QueueEnd::Timeout)));
    let served = rig.verb(enqueue());
    rig.offer("1002");
    let second = rig.leg_of("1002");
    rig.leg(second, LegEvent::Answered);
    assert_eq!(rig.answer_to(served), None);
    rig.hangs_up(second, Cause::Normal, None);
    assert_eq!(rig.answer_to(served), Some(VerbAnswer::Queue(QueueEnd::Served)), "no second survey");
    flow_ends(&mut rig);
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Served)));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

/// A page that sent its caller aside and took him back in a loop made a record that was too long for the journal.
#[test]
fn a_caller_who_is_sent_aside_ten_thousand_times_has_a_record_of_bounded_length() {
    let (mut rig, _, _) = talking(QueueAudio::default(), false);
    for _ in 0..10_000 {
        send_aside(&mut rig, json!({})).unwrap();
        let (call, now) = (rig.call, rig.now);
        rig.engine.take_back(call, now).unwrap();
        rig.drain();
        rig.said();
    }
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(rig.cdr().flows.len(), 64);
}
