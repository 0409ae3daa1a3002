//! An agent consults a queue: who waits, who hears what, and whose call it is, whoever leaves at which moment.

use super::rig::*;
use crate::*;
use cordboard_model::audio::{NumberTo, QueueAudio, RecordRule, RecordWhen, WhenUnrecorded};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{TransferKind, TransferOutcome};
use cordboard_model::desk::{DeskFault, Goal, SeatOrder, SeatState};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AssetId, LegId, QueueId};
use cordboard_model::leg::LegEvent;
use cordboard_model::verb::{Destination, QueueEnd};
use cordboard_model::view::CallStage;
use std::sync::Arc;

fn state(rig: &Rig, who: &str) -> Option<SeatState> {
    rig.engine.seat(rig.call, &agent(who), &user(who)).map(|seat| seat.state)
}

fn order(rig: &mut Rig, leg: LegId, order: SeatOrder) -> Result<(), DeskFault> {
    let answer = rig.engine.seat_order(rig.call, leg, order, rig.now);
    rig.drain();
    answer
}

fn consult(queue_name: &str) -> SeatOrder {
    SeatOrder::Consult(Goal::Place(Destination::Queue(queue(queue_name))))
}

fn queue_ends(rig: &mut Rig, end: QueueEnd, overflow: Option<Destination>) {
    let call = rig.call;
    rig.tell(CallInput::QueueEnded { call, end, overflow });
}

fn queue_of(rig: &Rig) -> Option<QueueId> {
    rig.engine.view(rig.call).and_then(|view| view.queue)
}

/// An agent of `sales` talks to a caller and consults `help`.
fn consults_in(mut rig: Rig, leg: LegId) -> (Rig, LegId) {
    assert_eq!(order(&mut rig, leg, consult("help")), Ok(()));
    assert!(rig.said().contains("queue: enter default/help"));
    assert_eq!(state(&rig, "1001"), Some(SeatState::Consulting));
    rig.music();
    assert!(rig.plays(leg) && rig.plays(rig.caller), "both hear music, of their own");
    rig.said();
    (rig, leg)
}

fn consults() -> (Rig, LegId) {
    let (rig, leg) = Rig::talking();
    consults_in(rig, leg)
}

/// Agent `who` of the queue answers.
fn answers(rig: &mut Rig, who: &str) -> LegId {
    rig.offer(who);
    let leg = rig.leg_of(who);
    rig.leg(leg, LegEvent::Ringing);
    rig.leg(leg, LegEvent::Answered);
    leg
}

fn visits(rig: &Rig) -> Vec<String> {
    let visit = |visit: &cordboard_model::cdr::QueueVisit| {
        let by = visit.consulted_by.as_ref().map(|by| format!(" for {}", by.name)).unwrap_or_default();
        format!("{} {}{by}", visit.queue.name, visit.outcome)
    };
    rig.cdr().queues.iter().map(visit).collect()
}

#[test]
fn a_queue_is_consulted_and_the_agent_it_gives_gets_the_party() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, consult("help")), Ok(()));
    rig.music();
    let (call, announcement) = (rig.call, vec![asset("position")]);
    rig.tell(CallInput::Position { call, announcement });
    rig.play_ends(leg);
    let other = answers(&mut rig, "1002");
    assert_eq!(
        (state(&rig, "1001"), state(&rig, "1002")),
        (Some(SeatState::Consulting), Some(SeatState::Consulted))
    );
    assert_eq!(queue_of(&rig), Some(queue("sales")), "it is the first queue's call still");
    assert_eq!(order(&mut rig, other, SeatOrder::Complete), Err(DeskFault::NotConsulting));
    assert_eq!(order(&mut rig, leg, SeatOrder::Complete), Ok(()));
    assert_eq!((state(&rig, "1001"), state(&rig, "1002")), (None, Some(SeatState::Talking)));
    assert_eq!(queue_of(&rig), Some(queue("help")));
    rig.hangs_up(other, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.nothing_left();
    assert_eq!(rig.cdr().agent, Some(agent("1002")));
    assert_eq!(visits(&rig), ["sales served", "help served for 1001"]);
    let transfer = &rig.cdr().transfers[0];
    assert_eq!((transfer.kind, transfer.outcome), (TransferKind::Attended, TransferOutcome::Done));
    assert_eq!(transfer.to, "queue:help");
}

#[test]
fn who_consults_a_queue_has_his_party_again_when_he_takes_it_back_or_nobody_comes() {
    let (mut rig, leg) = consults();
    rig.offer("1002");
    rig.said();
    assert_eq!(order(&mut rig, leg, SeatOrder::Merge), Err(DeskFault::NotConsulting), "nobody is spoken to");
    assert_eq!(order(&mut rig, leg, SeatOrder::Cancel), Ok(()));
    let said = rig.said();
    assert!(said.contains("queue: default/1002 failed Cancelled, caller gone\nqueue: abandoned"), "{said}");
    assert_eq!((state(&rig, "1001"), state(&rig, "1002")), (Some(SeatState::Talking), None));
    for end in [QueueEnd::Timeout, QueueEnd::NobodySignedIn, QueueEnd::Gone] {
        assert_eq!(order(&mut rig, leg, consult("help")), Ok(()));
        rig.offer("1002");
        rig.said();
        queue_ends(&mut rig, end, Some(Destination::Flow(flow("menu"))));
        assert!(!rig.said().contains("queue: "), "the queue knows");
        assert_eq!((state(&rig, "1001"), state(&rig, "1002")), (Some(SeatState::Talking), None));
    }
    // and after the consultation, whoever ends it
    for ends in ["he", "the other"] {
        assert_eq!(order(&mut rig, leg, consult("help")), Ok(()));
        let other = answers(&mut rig, "1003");
        rig.said();
        match ends {
            "he" => assert_eq!(order(&mut rig, leg, SeatOrder::Cancel), Ok(())),
            _ => rig.hangs_up(other, Cause::Normal, None),
        }
        assert!(rig.said().contains("queue: default/1003 released"), "{ends}");
        assert_eq!(state(&rig, "1001"), Some(SeatState::Talking));
    }
    assert_eq!(queue_of(&rig), Some(queue("sales")));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    let words: Vec<_> = rig.cdr().queues.iter().map(|visit| visit.outcome.as_str()).collect();
    assert_eq!(words, ["served", "ended", "timeout", "nobody_signed_in", "gone", "served", "served"]);
    assert!(rig.cdr().queues.iter().skip(1).all(|visit| visit.consulted_by == Some(agent("1001"))));
}

#[test]
fn an_agent_who_does_not_take_a_consultation_leaves_it_waiting_for_the_next() {
    let (mut rig, leg) = consults();
    for (n, why) in [Cause::Busy, Cause::Declined, Cause::Unreachable, Cause::NotRegistered, Cause::NoAnswer]
        .into_iter()
        .enumerate()
    {
        let name = format!("11{n:02}");
        rig.offer(&name);
        let other = rig.leg_of(&name);
        rig.leg(other, LegEvent::Ringing);
        rig.said();
        match why {
            Cause::NoAnswer => rig.after(60_000),
            _ => rig.hangs_up(other, why, None),
        }
        let said = rig.said();
        assert!(said.contains(&format!("queue: default/{name} failed {why:?}")), "{said}");
        assert!(!said.contains("abandoned") && rig.plays(leg) && rig.plays(rig.caller), "{said}");
    }
    answers(&mut rig, "1002");
    assert_eq!(state(&rig, "1002"), Some(SeatState::Consulted));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    // the customer has left: the two agents talk on
    assert_eq!(rig.engine.view(rig.call).map(|view| view.stage), Some(CallStage::Bridged));
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
    let said = rig.said();
    assert!(said.contains("queue: default/1001 released") && said.contains("queue: default/1002 released"));
}

#[test]
fn a_consulted_queue_that_does_not_take_the_call_is_stood_in_for() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, consult("help")), Ok(()));
    rig.said();
    let next = || Some(Destination::Queue(queue("experts")));
    queue_ends(&mut rig, QueueEnd::Full, next());
    assert!(rig.said().contains("queue: enter default/experts"));
    // which sends back to the first, that would not have it
    queue_ends(&mut rig, QueueEnd::Full, Some(Destination::Queue(queue("help"))));
    assert_eq!(state(&rig, "1001"), Some(SeatState::Talking));
    assert_eq!(order(&mut rig, leg, consult("help")), Ok(()));
    rig.music();
    queue_ends(&mut rig, QueueEnd::Timeout, Some(Destination::Agent(agent("1009"))));
    let other = rig.leg_of("1009");
    rig.leg(other, LegEvent::Answered);
    assert_eq!(state(&rig, "1009"), Some(SeatState::Consulted));
    assert_eq!(order(&mut rig, leg, SeatOrder::Complete), Ok(()));
    assert_eq!(queue_of(&rig), Some(queue("sales")), "no queue gave him");
    rig.hangs_up(other, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(
        visits(&rig),
        ["sales served", "help full for 1001", "experts full for 1001", "help timeout for 1001"]
    );
}

#[test]
fn the_party_keeps_the_place_in_the_queue_when_who_consults_it_leaves() {
    for completes in [true, false] {
        let (mut rig, leg) = consults();
        rig.offer("1002");
        let other = rig.leg_of("1002");
        rig.leg(other, LegEvent::Ringing);
        rig.said();
        match completes {
            true => assert_eq!(order(&mut rig, leg, SeatOrder::Complete), Ok(())),
            false => rig.hangs_up(leg, Cause::Normal, None),
        }
        let said = rig.said();
        assert!(said.contains("queue: default/1001 released"), "{said}");
        assert!(!said.contains("enter") && !said.contains("abandoned"), "{said}");
        assert!(said.contains("play to alice: music for ever"), "the queue's music: {said}");
        assert_eq!(queue_of(&rig), Some(queue("help")));
        rig.leg(other, LegEvent::Answered);
        assert_eq!(state(&rig, "1002"), Some(SeatState::Talking));
        rig.hangs_up(rig.caller, Cause::Normal, None);
        rig.nothing_left();
        assert_eq!(rig.cdr().agent, Some(agent("1002")));
        assert_eq!(visits(&rig), ["sales served", "help served for 1001"]);
    }
    // before the queue has said that it takes the call, too
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, consult("help")), Ok(()));
    rig.hangs_up(leg, Cause::Normal, None);
    rig.said();
    rig.music();
    assert!(rig.said().contains("play to alice: music for ever"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(visits(&rig), ["sales served", "help abandoned for 1001"]);
}

#[test]
fn a_party_who_leaves_while_a_queue_is_consulted_ends_the_call_and_the_wait() {
    let (mut rig, _) = consults();
    rig.offer("1002");
    rig.said();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let said = rig.said();
    assert!(said.contains("queue: default/1002 failed Cancelled, caller gone"), "{said}");
    assert!(said.contains("queue: abandoned") && said.contains("queue: default/1001 released"), "{said}");
    rig.nothing_left();
    assert_eq!(visits(&rig), ["sales served", "help ended for 1001"]);
}

#[test]
fn a_consultation_with_a_queue_becomes_a_conference_and_each_agent_is_released_once() {
    let (mut rig, leg) = consults();
    let other = answers(&mut rig, "1002");
    assert_eq!(order(&mut rig, leg, SeatOrder::Merge), Ok(()));
    assert_eq!(
        (state(&rig, "1001"), state(&rig, "1002")),
        (Some(SeatState::Talking), Some(SeatState::Talking))
    );
    rig.said();
    rig.hangs_up(other, Cause::Normal, None);
    let said = rig.said();
    assert!(said.contains("queue: default/1002 released") && !said.contains("1001 released"), "{said}");
    rig.hangs_up(leg, Cause::Normal, None);
    assert!(rig.said().contains("queue: default/1001 released"));
    rig.nothing_left();
}

/// The queue's word crosses the answer of the agent whom it gave: for the queue the call still waits.
#[test]
fn an_offer_taken_back_under_a_consultation_brings_the_party_back() {
    let (mut rig, _) = consults();
    answers(&mut rig, "1002");
    rig.said();
    let call = rig.call;
    rig.tell(CallInput::OfferWithdrawn { call, agent: agent("1002"), elsewhere: false });
    let said = rig.said();
    assert!(said.contains("queue: default/1002 released\nqueue: abandoned"), "{said}");
    assert_eq!((state(&rig, "1001"), state(&rig, "1002")), (Some(SeatState::Talking), None));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

/// The second queue's talks are recorded and its agents' numbers said: not for who consults, but when the party comes.
#[test]
fn what_the_consulted_queue_says_counts_when_the_party_is_sent() {
    let mut config = CallConfig::new(0x6560_0000, 0);
    let audio = QueueAudio {
        number_to: NumberTo::Caller,
        record: Some(RecordRule {
            when: RecordWhen::Always,
            announcement: Some(AssetId::new(TENANT, "recorded").unwrap()),
            on_failure: WhenUnrecorded::GoOn,
        }),
        ..QueueAudio::default()
    };
    config.manners.queues.insert(queue("help"), Arc::new(audio));
    let mut rig = Rig::with(config);
    rig.incoming();
    rig.route(Destination::Queue(queue("sales")));
    rig.music();
    let leg = answers(&mut rig, "1001");
    let (mut rig, leg) = consults_in(rig, leg);
    rig.offer_saying("1002", &["one", "two"]);
    let other = rig.leg_of("1002");
    rig.leg(other, LegEvent::Answered);
    assert!(!rig.said().contains("recorded"));
    assert_eq!(order(&mut rig, leg, SeatOrder::Complete), Ok(()));
    let said = rig.said();
    assert!(said.contains("play to alice: recorded, one, two"), "{said}");
    rig.play_ends(rig.caller);
    rig.play_ends(other);
    assert!(rig.said().contains("media: record alice left, 1002 right"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    let recorded =
        |event: &CallOutput| matches!(event, CallOutput::Event(_, EventKind::RecordingStarted { .. }));
    assert_eq!(rig.outputs.iter().filter(|event| recorded(event)).count(), 2, "of each queue one");
}
