//! What a queue says of what is heard and recorded, and of how long a call may last.

use super::rig::*;
use crate::*;
use cordboard_model::audio::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::dial::Accept;
use cordboard_model::id::{AssetId, TrunkId};
use cordboard_model::leg::{Incoming, LegEvent, PartyId};
use cordboard_model::media::MediaEvent;
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::{CollectEnd, Destination, QueueEnd, RecordAct, Verb, VerbAnswer};
use std::collections::BTreeMap;
use std::sync::Arc;

fn prompt(name: &str) -> AssetId {
    AssetId::new(TENANT, name).unwrap()
}

fn config(audio: QueueAudio) -> CallConfig {
    let mut config = CallConfig::new(0x6560_0000, 0);
    config.manners.queues.insert(queue("sales"), Arc::new(audio));
    config
}

/// A caller who was sent to `sales`.
fn sent(audio: QueueAudio) -> Rig {
    let mut rig = Rig::with(config(audio));
    rig.incoming();
    rig.route(Destination::Queue(queue("sales")));
    rig.music();
    rig
}

/// The same with his flow, which has put him there.
fn sent_by_flow(audio: QueueAudio, keys: &str) -> (Rig, Ticket) {
    let mut rig = Rig::with(config(audio));
    rig.incoming();
    rig.route(Destination::Flow(flow("menu")));
    rig.verb(Verb::Answer);
    let ticket = rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: keys.into(),
        staffed: false,
        wish: None,
    });
    rig.music();
    rig.said();
    (rig, ticket)
}

/// Agent 1001 answers, whose number is `number`.
fn served(rig: &mut Rig, number: &[&str]) -> cordboard_model::id::LegId {
    rig.offer_saying("1001", number);
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.leg(leg, LegEvent::Answered);
    leg
}

fn recorded(when: RecordWhen) -> QueueAudio {
    QueueAudio { record: Some(RecordRule::new(when)), ..QueueAudio::default() }
}

#[test]
fn a_caller_who_is_answered_with_the_agent_hears_music_before_and_his_record_says_when() {
    let mut rig = sent(QueueAudio { answer: AnswerAt::Agent, ..QueueAudio::default() });
    let said = rig.said();
    assert!(said.contains("alice: EarlyMedia") && said.contains("queue: enter default/sales"), "{said}");
    assert!(said.contains("play to alice: music for ever") && !said.contains("alice: Answer"), "{said}");
    rig.after(20_000);
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.after(3_000);
    rig.said();
    rig.leg(leg, LegEvent::Answered);
    let said = rig.said();
    let (answer, bridge) = (said.find("alice: Answer"), said.find("bridge alice and 1001"));
    assert!(answer.is_some() && answer < bridge, "{said}");
    rig.after(10_000);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let cdr = rig.cdr();
    let begun = cdr.started.0;
    assert_eq!(cdr.times.early, Some(Wall(begun)));
    assert_eq!(cdr.times.rang, Some(Wall(begun + 20_000)));
    assert_eq!(cdr.answered, Some(Wall(begun + 23_000)));
    assert_eq!(cdr.times.charged, None, "nobody outside");
    assert_eq!(cdr.queues[0].entered, Wall(begun));
    rig.nothing_left();
}

#[test]
fn a_caller_whom_nobody_serves_is_refused_where_he_was_not_answered() {
    let mut rig = sent(QueueAudio { answer: AnswerAt::Agent, ..QueueAudio::default() });
    let call = rig.call;
    rig.tell(CallInput::QueueEnded { call, end: QueueEnd::Timeout, overflow: None });
    assert_eq!(rig.ended(), (Cause::QueueTimeout, Party::Switch));
    assert_eq!(rig.cdr().answered, None);
    assert_eq!(rig.cdr().legs[0].sip_status, Some(Cause::QueueTimeout.sip_status()));
    rig.nothing_left();
}

#[test]
fn one_who_is_answered_already_waits_as_ever() {
    let (mut rig, _) = sent_by_flow(QueueAudio { answer: AnswerAt::Agent, ..QueueAudio::default() }, "");
    served(&mut rig, &[]);
    let said = rig.said();
    assert!(!said.contains("EarlyMedia") && said.contains("bridge alice and 1001"), "{said}");
}

#[test]
fn a_carrier_charges_from_the_first_answer_on_its_own_leg() {
    let mut rig = Rig::new();
    let incoming = Incoming {
        leg: rig.caller,
        from: PartyId::new("+4930"),
        to: PartyId::new("501"),
        trunk: Some(TrunkId::new(TENANT, "carrier").unwrap()),
        user: None,
        replaces: None,
        data: BTreeMap::new(),
    };
    let call = rig.call;
    rig.tell(CallInput::New { call, incoming });
    rig.after(500);
    rig.route(Destination::Queue(queue("sales")));
    rig.music();
    rig.after(30_000);
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    rig.hangs_up(leg, Cause::Normal, None);
    let cdr = rig.cdr();
    assert_eq!(cdr.times.charged, Some(Wall(cdr.started.0 + 500)));
    assert_eq!(cdr.bridged, Some(Wall(cdr.started.0 + 30_500)));
}

/// Of a caller of the house who talked to an agent's mobile no record said that a carrier charged for it.
#[test]
fn an_agents_telephone_outside_is_charged_from_when_it_is_picked_up() {
    for key in [true, false] {
        let mut rig = Rig::waiting();
        rig.offer("1001");
        let leg = rig.leg_of("1001");
        rig.tell(CallInput::Carried { leg });
        let accept = Accept { prompt: Vec::new(), key: '1', refuse: None, timeout_ms: 15_000 };
        rig.tell(CallInput::Confirm { leg, accept });
        rig.after(1_000);
        rig.leg(leg, LegEvent::Ringing);
        rig.after(1_000);
        rig.leg(leg, LegEvent::Answered);
        rig.after(3_000);
        if key {
            rig.tell(CallInput::Media(MediaEvent::Digit { leg, digit: '1' }));
        } else {
            rig.after(12_000);
        }
        rig.after(1_000);
        rig.hangs_up(rig.caller, Cause::Normal, None);
        let cdr = rig.cdr();
        let his = cdr.legs.iter().find(|record| record.leg == leg).unwrap();
        let after = |ms: i64| Some(Wall(his.started.0 + ms));
        assert_eq!((his.rang, his.picked_up, cdr.times.charged), (after(1_000), after(2_000), after(2_000)));
        assert_eq!(his.answered, after(5_000).filter(|_| key), "a mailbox has not answered");
    }
}

#[test]
fn the_caller_hears_the_agents_number_before_they_are_joined() {
    let mut rig = sent(QueueAudio::default());
    rig.said();
    let leg = served(&mut rig, &["number", "1"]);
    let said = rig.said();
    assert!(said.contains("play to alice: number, 1") && !said.contains("bridge"), "{said}");
    assert!(!rig.plays(leg), "the agent hears it too");
    rig.play_ends(rig.caller);
    assert!(rig.said().contains("bridge alice and 1001"));
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn both_hear_the_number_where_that_is_said_and_are_joined_after_the_later() {
    let mut rig = sent(QueueAudio { number_to: NumberTo::Both, ..QueueAudio::default() });
    let leg = served(&mut rig, &["number"]);
    assert!(rig.plays(leg) && rig.plays(rig.caller));
    rig.said();
    rig.play_ends(leg);
    assert_eq!(rig.said(), "");
    rig.play_ends(rig.caller);
    assert!(rig.said().contains("bridge alice and 1001"));
}

#[test]
fn a_number_that_never_ends_keeps_nobody_apart() {
    let mut rig = sent(QueueAudio::default());
    served(&mut rig, &["number"]);
    rig.said();
    rig.after(30_000);
    let said = rig.said();
    assert!(said.contains("stop play to alice") && said.contains("bridge alice and 1001"), "{said}");
}

#[test]
fn who_leaves_while_the_number_is_heard_leaves_nothing_behind() {
    for agent_leaves in [true, false] {
        let mut rig = sent(QueueAudio { number_to: NumberTo::Both, ..QueueAudio::default() });
        let leg = served(&mut rig, &["number"]);
        let goes = if agent_leaves { leg } else { rig.caller };
        rig.hangs_up(goes, Cause::Normal, None);
        assert_eq!(rig.cdr().bridged, None);
        assert!(rig.said().contains("queue: default/1001 released"));
        rig.nothing_left();
    }
}

#[test]
fn a_held_party_hears_the_queues_own_hold_audio() {
    let mut rig = sent(QueueAudio { hold: Some(prompt("held")), ..QueueAudio::default() });
    let leg = served(&mut rig, &[]);
    rig.said();
    rig.leg(leg, LegEvent::PeerHold { on: true });
    assert!(rig.said().contains("play to alice: held for ever"));
}

#[test]
fn without_hold_audio_of_its_own_a_queue_has_its_music_for_the_held() {
    let mut rig = sent(QueueAudio::default());
    let leg = served(&mut rig, &[]);
    rig.said();
    rig.leg(leg, LegEvent::PeerHold { on: true });
    assert!(rig.said().contains("play to alice: music for ever"));
}

#[test]
fn every_talk_is_recorded_or_those_that_are_asked_for_or_none() {
    for (when, by_itself, if_asked) in [
        (RecordWhen::Always, true, true),
        (RecordWhen::OnDemand, false, true),
        (RecordWhen::Never, false, false),
        (RecordWhen::Share(100), true, true),
    ] {
        let mut rig = sent(recorded(when));
        served(&mut rig, &[]);
        assert_eq!(rig.said().contains("record alice left"), by_itself, "{when:?}");
        let asked = RecordAsked { act: RecordAct::Start, by: "key desk".into(), why: String::new() };
        let (call, now) = (rig.call, rig.now);
        let answer = rig.engine.record(call, asked, now);
        assert_eq!(answer.is_ok(), if_asked, "{when:?}");
        rig.drain();
        let refused = (!if_asked).then_some(RecordRefusal::Forbidden);
        assert_eq!(answer.err(), refused);
        assert_eq!(rig.cdr_at_the_end().recordings.len(), usize::from(if_asked));
    }
}

#[test]
fn a_flow_cannot_have_recorded_what_is_never_recorded() {
    let mut rig = Rig::with(config(recorded(RecordWhen::Never)));
    let carrier = TrunkId::new(TENANT, "carrier").unwrap();
    let mut other = CallConfig::new(1, 0);
    other.manners.trunks.insert(carrier.clone(), RecordRule::new(RecordWhen::Never));
    rig.command(CallCommand::Configure(Box::new(other)));
    let incoming = Incoming {
        leg: rig.caller,
        from: PartyId::new("+4930"),
        to: PartyId::new("600"),
        trunk: Some(carrier),
        user: None,
        replaces: None,
        data: BTreeMap::new(),
    };
    let call = rig.call;
    rig.tell(CallInput::New { call, incoming });
    rig.route(Destination::Flow(flow("menu")));
    rig.verb(Verb::Answer);
    let ticket = rig.verb(Verb::Record { act: RecordAct::Start, why: String::new() });
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Failed(Cause::Forbidden)));
}

/// How many of a thousand calls are recorded, and which.
fn drawn(share: u8, seed: u8) -> Vec<bool> {
    let mut config = config(recorded(RecordWhen::Share(share)));
    config.seed = [seed; 32];
    let mut rig = Rig::with(config);
    let mut all = Vec::new();
    for n in 0..1_000 {
        let (call, _) = rig.another("alice", Destination::Queue(queue("sales")), None);
        rig.call = call;
        rig.offer("1001");
        let leg = rig.leg_of("1001");
        rig.leg(leg, LegEvent::Answered);
        rig.hangs_up(leg, Cause::Normal, None);
        all.push(!rig.cdr_of(call).recordings.is_empty());
        assert_eq!(all.len(), n + 1);
    }
    all
}

#[test]
fn a_share_of_the_calls_is_recorded_the_same_ones_for_the_same_seed() {
    let first = drawn(20, 1);
    let count = first.iter().filter(|recorded| **recorded).count();
    assert!((160..=240).contains(&count), "{count} of 1000");
    assert_eq!(first, drawn(20, 1));
    assert_ne!(first, drawn(20, 2));
    assert!(drawn(1, 3).iter().filter(|recorded| **recorded).count() < 40);
}

#[test]
fn the_agent_is_asked_before_the_queue_and_the_queue_before_the_trunk() {
    let rules = [
        (Some(RecordWhen::Never), Some(RecordWhen::Always), Some(RecordWhen::Always), false),
        (None, Some(RecordWhen::Never), Some(RecordWhen::Always), false),
        (None, None, Some(RecordWhen::Always), true),
        (None, None, None, false),
        (Some(RecordWhen::Always), Some(RecordWhen::Never), None, true),
    ];
    for (of_agent, of_queue, of_trunk, expected) in rules {
        let audio = QueueAudio { record: of_queue.map(RecordRule::new), ..QueueAudio::default() };
        let mut config = config(audio);
        let carrier = TrunkId::new(TENANT, "carrier").unwrap();
        config.manners.agents.extend(of_agent.map(|when| (agent("1001"), RecordRule::new(when))));
        config.manners.trunks.extend(of_trunk.map(|when| (carrier.clone(), RecordRule::new(when))));
        let mut rig = Rig::with(config);
        let incoming = Incoming {
            leg: rig.caller,
            from: PartyId::new("+4930"),
            to: PartyId::new("501"),
            trunk: Some(carrier),
            user: None,
            replaces: None,
            data: BTreeMap::new(),
        };
        let call = rig.call;
        rig.tell(CallInput::New { call, incoming });
        rig.route(Destination::Queue(queue("sales")));
        served(&mut rig, &[]);
        let said = rig.said();
        assert_eq!(said.contains("record +4930 left"), expected, "{of_agent:?} {of_queue:?} {of_trunk:?}");
    }
}

#[test]
fn both_hear_that_they_are_recorded_before_the_number_and_before_it_begins() {
    let rule = RecordRule { announcement: Some(prompt("recorded")), ..RecordRule::new(RecordWhen::Always) };
    let mut rig = sent(QueueAudio { record: Some(rule), ..QueueAudio::default() });
    let leg = served(&mut rig, &["number"]);
    let said = rig.said();
    assert!(said.contains("play to alice: recorded, number") && said.contains("play to 1001: recorded"));
    assert!(!said.contains("media: record"), "{said}");
    rig.play_ends(leg);
    rig.play_ends(rig.caller);
    assert!(rig.said().contains("record alice left, 1001 right"));
}

#[test]
fn where_recordings_cannot_be_written_a_queue_goes_on_or_refuses() {
    for (on_failure, goes_on) in [(WhenUnrecorded::GoOn, true), (WhenUnrecorded::Refuse, false)] {
        let rule = RecordRule { on_failure, ..RecordRule::new(RecordWhen::Always) };
        let mut rig = Rig::with(config(QueueAudio { record: Some(rule), ..QueueAudio::default() }));
        rig.command(CallCommand::Unrecordable(true));
        rig.incoming();
        rig.route(Destination::Queue(queue("sales")));
        let said = rig.said();
        assert_eq!(said.contains("queue: enter"), goes_on, "{said}");
        if !goes_on {
            assert_eq!(rig.ended(), (Cause::Administrative, Party::Switch));
            assert!(!said.contains("alice: Answer"), "answered and then refused");
            rig.nothing_left();
        }
    }
}

#[test]
fn a_call_that_cannot_be_recorded_any_more_when_the_agent_answers_is_ended() {
    let rule = RecordRule { on_failure: WhenUnrecorded::Refuse, ..RecordRule::new(RecordWhen::Always) };
    let mut rig = sent(QueueAudio { record: Some(rule), ..QueueAudio::default() });
    rig.command(CallCommand::Unrecordable(true));
    served(&mut rig, &[]);
    assert_eq!(rig.ended(), (Cause::Administrative, Party::Switch));
    assert_eq!(rig.cdr().bridged, None);
    rig.nothing_left();
}

#[test]
fn a_call_ends_when_its_queue_says_counted_from_its_coming_and_the_agent_is_warned() {
    let audio = QueueAudio {
        max_talk: Duration::from_secs(60),
        talk_warning: Duration::from_secs(15),
        ..QueueAudio::default()
    };
    let mut rig = sent(audio);
    rig.after(20_000);
    let leg = served(&mut rig, &[]);
    rig.said();
    rig.after(24_000);
    assert_eq!(rig.said(), "");
    rig.after(1_000);
    assert!(rig.said().contains("play to 1001: Beep"), "no warning");
    assert!(!rig.plays(rig.caller));
    rig.play_ends(leg);
    rig.after(15_000);
    assert_eq!(rig.ended(), (Cause::MaxDuration, Party::Switch));
    assert_eq!(rig.cdr().ended.0 - rig.cdr().started.0, 60_000);
    rig.nothing_left();
}

#[test]
fn no_queue_lets_a_call_last_longer_than_any_may_and_one_without_a_wish_as_long() {
    for max_talk in [TALK_MAX, Duration::from_secs(7_200)] {
        let mut config = config(QueueAudio { max_talk, ..QueueAudio::default() });
        config.limits.call_length = Duration::from_secs(3_600);
        let mut rig = Rig::with(config);
        rig.incoming();
        rig.route(Destination::Queue(queue("sales")));
        served(&mut rig, &[]);
        rig.after(3_599_000);
        assert!(!rig.said().contains("CLOSING"));
        rig.after(1_000);
        assert_eq!(rig.ended(), (Cause::MaxDuration, Party::Switch));
    }
}

/// A queue whose callers have the flow `waiting`.
fn with_flow() -> QueueAudio {
    QueueAudio { wait_flow: Some(flow("waiting")), ..QueueAudio::default() }
}

#[test]
fn a_wait_has_a_flow_which_is_ended_when_the_agent_answers() {
    let mut rig = sent(with_flow());
    let said = rig.said();
    assert!(said.contains("flow: start default/waiting"), "{said}");
    assert!(!said.contains("play to alice: music"), "{said}");
    let ticket = rig.verb(Verb::Play { items: vec![asset("news")], barge_in: false });
    assert!(rig.said().contains("play to alice: news"));
    rig.play_ends(rig.caller);
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Played { key: None }));
    rig.verb(Verb::Play { items: vec![asset("more")], barge_in: false });
    rig.said();
    let leg = served(&mut rig, &[]);
    let said = rig.said();
    let (stop, bridge) = (said.find("flow: stop\n"), said.find("bridge alice and 1001"));
    assert!(stop.is_some() && stop < bridge, "{said}");
    assert!(!said.contains("hung up"), "{said}");
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.cdr().flows, [flow("waiting")]);
    rig.nothing_left();
}

#[test]
fn the_flow_that_put_the_caller_there_waits_below_the_waits_and_is_answered_after_it() {
    let (mut rig, ticket) = sent_by_flow(with_flow(), "");
    assert_eq!(rig.outputs_of_flows(), ["start menu", "answer", "start waiting above"]);
    let asked = rig.verb(Verb::Collect {
        prompt: vec![asset("question")],
        min: 1,
        max: 1,
        terminators: String::new(),
        first_timeout_ms: 5_000,
        inter_timeout_ms: 1_000,
        patterns: Vec::new(),
        strict: false,
        secret: false,
        ear: None,
    });
    rig.keys("7");
    let digits = VerbAnswer::Digits { digits: "7".into(), end: CollectEnd::Max };
    assert_eq!(rig.answer_to(asked), Some(digits));
    assert_eq!(rig.answer_to(ticket), None);
    let call = rig.call;
    rig.said();
    rig.tell(CallInput::QueueEnded { call, end: QueueEnd::Timeout, overflow: None });
    let said = rig.said();
    let (back, answer) = (said.find("flow: back"), said.find("flow: Queue(Timeout)"));
    assert!(back.is_some() && back < answer, "{said}");
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Timeout)));
    let next = rig.verb(Verb::Play { items: vec![asset("sorry")], barge_in: false });
    rig.play_ends(rig.caller);
    assert_eq!(rig.answer_to(next), Some(VerbAnswer::Played { key: None }));
}

#[test]
fn a_key_that_leaves_the_queue_is_not_the_waits_flows() {
    let (mut rig, ticket) = sent_by_flow(with_flow(), "1");
    rig.keys("1");
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Key('1'))));
    assert!(rig.said().contains("flow: back"));
}

#[test]
fn a_waits_flow_that_is_over_or_fails_leaves_the_caller_to_the_music() {
    for fails in [true, false] {
        let mut rig = sent(with_flow());
        rig.said();
        let call = rig.call;
        rig.tell(match fails {
            true => CallInput::FlowFailed { call, error: "line 1".into(), fallback: Fallback::default() },
            false => CallInput::FlowEnded { call },
        });
        let said = rig.said();
        assert!(said.contains("play to alice: music for ever"), "{said}");
        assert!(!said.contains("flow: stop"), "{said}");
        assert_eq!(said.contains("flow failed"), fails);
        served(&mut rig, &[]);
        assert!(rig.said().contains("bridge alice and 1001"));
    }
}

#[test]
fn a_waits_flow_may_take_the_caller_elsewhere_and_do_nothing_else_with_the_call() {
    let (mut rig, ticket) = sent_by_flow(with_flow(), "");
    for verb in [
        Verb::Enqueue {
            queue: queue("sales"),
            timeout_ms: None,
            priority: 0,
            keys: String::new(),
            staffed: false,
            wish: None,
        },
        Verb::Record { act: RecordAct::Start, why: String::new() },
        Verb::Ring,
    ] {
        let refused = rig.verb(verb);
        assert_eq!(rig.answer_to(refused), Some(VerbAnswer::Failed(Cause::ProtocolError)));
    }
    rig.offer("1001");
    rig.said();
    rig.verb(Verb::Transfer { to: Destination::Flow(flow("call-back")) });
    let said = rig.said();
    assert!(said.contains("queue: default/1001 failed Cancelled, caller gone\nqueue: abandoned"), "{said}");
    assert!(said.contains("flow: start default/call-back\n"), "{said}");
    assert_eq!(rig.answer_to(ticket), None, "its own flow is over");
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.cdr().queues[0].outcome, "flow");
    rig.nothing_left();
}

#[test]
fn the_place_is_not_told_over_a_waits_flow() {
    let mut rig = sent(with_flow());
    rig.said();
    let (call, announcement) = (rig.call, vec![asset("you-are")]);
    rig.tell(CallInput::Position { call, announcement });
    assert_eq!(rig.said(), "");
}

#[test]
fn who_hangs_up_while_the_waits_flow_runs_leaves_nothing() {
    let (mut rig, _) = sent_by_flow(with_flow(), "");
    rig.verb(Verb::Wait { ms: 60_000 });
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert!(rig.said().contains("flow: stop, hung up"));
    assert_eq!(rig.cdr().queues[0].outcome, "abandoned");
    rig.tell(CallInput::Media(MediaEvent::Digit { leg: rig.caller, digit: '1' }));
    rig.nothing_left();
}

#[test]
fn an_earlier_order_to_record_does_not_bring_who_is_never_recorded_into_a_recording() {
    let mut rig = Rig::with(config(recorded(RecordWhen::Never)));
    rig.incoming();
    rig.route(Destination::Flow(flow("menu")));
    rig.verb(Verb::Answer);
    rig.verb(Verb::Record { act: RecordAct::Start, why: String::new() });
    assert!(rig.said().contains("record alice left, nobody right"));
    rig.verb(Verb::Transfer { to: Destination::Queue(queue("sales")) });
    rig.music();
    served(&mut rig, &[]);
    let said = rig.said();
    assert!(said.contains("bridge alice and 1001") && !said.contains("1001 right"), "{said}");
}
