//! What an agent orders in the call that he is in, without naming a leg.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{TransferKind, TransferOutcome};
use cordboard_model::desk::{DeskFault, Goal, RecordingNow, Seat, SeatOrder, SeatState, TransferWay, WrapUp};
use cordboard_model::id::{LegId, Name};
use cordboard_model::leg::{LegEvent, PartyId};
use cordboard_model::time::Wall;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

fn seat(rig: &Rig, who: &str) -> Option<Seat> {
    rig.engine.seat(rig.call, &agent(who), &user(who))
}

fn state(rig: &Rig, who: &str) -> Option<SeatState> {
    seat(rig, who).map(|seat| seat.state)
}

fn order(rig: &mut Rig, leg: LegId, order: SeatOrder) -> Result<(), DeskFault> {
    let answer = rig.engine.seat_order(rig.call, leg, order, rig.now);
    rig.drain();
    answer
}

fn to_agent(name: &str) -> Goal {
    Goal::Place(Destination::Agent(agent(name)))
}

fn to_queue(name: &str) -> Goal {
    Goal::Place(Destination::Queue(queue(name)))
}

#[test]
fn an_agent_is_found_in_his_call_by_his_name_or_his_account() {
    let mut rig = Rig::waiting();
    assert_eq!(state(&rig, "1001"), None);
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    assert_eq!(state(&rig, "1001"), Some(SeatState::Ringing));
    rig.leg(leg, LegEvent::Answered);
    assert_eq!(
        seat(&rig, "1001"),
        Some(Seat { leg, state: SeatState::Talking, held: false, muted: false, recording: RecordingNow::On })
    );
    assert_eq!(rig.engine.seat(rig.call, &agent("other"), &user("1001")).map(|seat| seat.leg), Some(leg));
    assert_eq!(state(&rig, "1002"), None);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(state(&rig, "1001"), None);
    rig.nothing_left();
}

#[test]
fn hold_has_the_other_party_wait_with_music_and_each_order_is_refused_twice() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(false)), Err(DeskFault::NotHeld));
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(true)), Ok(()));
    let said = rig.said();
    assert!(said.contains("media: play to alice: music for ever"), "{said}");
    assert!(said.contains("media: mix alice hears nobody; 1001 hears nobody"), "{said}");
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(true)), Err(DeskFault::HeldAlready));
    assert!(seat(&rig, "1001").unwrap().held);
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(false)), Ok(()));
    assert!(!seat(&rig, "1001").unwrap().held && !rig.plays(rig.caller));
    assert!(rig.said().contains("bridge alice and 1001"), "joined packet by packet again");
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn mute_is_of_who_orders_it() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, SeatOrder::Mute(false)), Err(DeskFault::NotMuted));
    assert_eq!(order(&mut rig, leg, SeatOrder::Mute(true)), Ok(()));
    assert!(rig.said().contains("1001 muted hears alice"));
    assert_eq!(order(&mut rig, leg, SeatOrder::Mute(true)), Err(DeskFault::MutedAlready));
    assert!(seat(&rig, "1001").unwrap().muted);
    assert_eq!(order(&mut rig, leg, SeatOrder::Mute(false)), Ok(()));
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn released_by_order_a_call_ends_as_if_the_agent_had_hung_up() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, SeatOrder::Release), Ok(()));
    rig.nothing_left();
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
    assert!(rig.said().contains("queue: default/1001 released"));
    assert_eq!(order(&mut rig, leg, SeatOrder::Release), Err(DeskFault::NotInCall));
}

#[test]
fn released_while_it_rings_an_offer_is_declined_and_the_caller_waits_on() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.said();
    assert_eq!(order(&mut rig, leg, SeatOrder::Release), Ok(()));
    assert!(rig.said().contains("queue: default/1001 failed Declined"));
    assert_eq!(state(&rig, "1001"), None);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn a_consultation_with_an_agent_by_name_is_completed_by_who_began_it_alone() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, SeatOrder::Complete), Err(DeskFault::NotConsulting));
    assert_eq!(order(&mut rig, leg, SeatOrder::Add(to_queue("sales"))), Err(DeskFault::NotAPerson));
    assert_eq!(order(&mut rig, leg, SeatOrder::Consult(to_agent("1002"))), Ok(()));
    let other = rig.leg_of("1002");
    assert_eq!(state(&rig, "1001"), Some(SeatState::Consulting));
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(true)), Err(DeskFault::Consulting));
    assert_eq!(order(&mut rig, leg, SeatOrder::Consult(to_agent("1003"))), Err(DeskFault::Consulting));
    rig.leg(other, LegEvent::Answered);
    assert_eq!(state(&rig, "1002"), Some(SeatState::Consulted));
    assert_eq!(order(&mut rig, other, SeatOrder::Complete), Err(DeskFault::NotConsulting));
    assert_eq!(order(&mut rig, leg, SeatOrder::Complete), Ok(()));
    assert_eq!((state(&rig, "1001"), state(&rig, "1002")), (None, Some(SeatState::Talking)));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    let transfer = &rig.cdr().transfers[0];
    assert_eq!((transfer.kind, transfer.outcome), (TransferKind::Attended, TransferOutcome::Done));
    assert_eq!(transfer.to, "agent:1002");
}

#[test]
fn a_consultation_is_taken_back_or_becomes_a_talk_of_three() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, SeatOrder::Consult(to_agent("1002"))), Ok(()));
    let other = rig.leg_of("1002");
    rig.leg(other, LegEvent::Answered);
    assert_eq!(order(&mut rig, leg, SeatOrder::Cancel), Ok(()));
    assert_eq!((state(&rig, "1001"), state(&rig, "1002")), (Some(SeatState::Talking), None));
    assert_eq!(order(&mut rig, leg, SeatOrder::Consult(to_agent("1003"))), Ok(()));
    let third = rig.leg_of("1003");
    rig.leg(third, LegEvent::Answered);
    rig.said();
    assert_eq!(order(&mut rig, leg, SeatOrder::Merge), Ok(()));
    assert!(rig.said().contains("hears"));
    assert_eq!(state(&rig, "1003"), Some(SeatState::Talking));
    // of three, who holds leaves the others to themselves
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(true)), Ok(()));
    assert!(rig.said().contains("1001: Hold { on: true }"));
    assert_eq!(
        order(&mut rig, leg, SeatOrder::Transfer(to_queue("sales"), TransferWay::Blind)),
        Err(DeskFault::Conference)
    );
    assert_eq!(order(&mut rig, leg, SeatOrder::Remove(other)), Err(DeskFault::NoSuchParty));
    assert_eq!(order(&mut rig, leg, SeatOrder::Remove(third)), Ok(()));
    assert_eq!((state(&rig, "1001"), state(&rig, "1003")), (Some(SeatState::Talking), None));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn a_blind_transfer_lets_the_agent_go_at_once_and_one_after_success_does_not() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(
        order(&mut rig, leg, SeatOrder::Transfer(to_agent("1002"), TransferWay::AfterSuccess)),
        Ok(())
    );
    assert_eq!(state(&rig, "1001"), Some(SeatState::Sending));
    let busy = rig.leg_of("1002");
    rig.hangs_up(busy, Cause::Busy, Some(486));
    assert_eq!(state(&rig, "1001"), Some(SeatState::Talking), "the two talk again");
    assert_eq!(order(&mut rig, leg, SeatOrder::Transfer(to_agent("1003"), TransferWay::Blind)), Ok(()));
    assert_eq!(state(&rig, "1001"), None);
    let third = rig.leg_of("1003");
    rig.leg(third, LegEvent::Ringing);
    assert!(rig.plays(rig.caller), "the caller is never without sound");
    rig.leg(third, LegEvent::Answered);
    assert_eq!(state(&rig, "1003"), Some(SeatState::Talking));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    let outcomes: Vec<_> = rig.cdr().transfers.iter().map(|transfer| transfer.outcome).collect();
    assert_eq!(outcomes, [TransferOutcome::Failed, TransferOutcome::Done]);
}

#[test]
fn a_blind_transfer_that_reaches_nobody_rings_the_agent_again() {
    let (mut rig, leg) = Rig::talking();
    assert_eq!(order(&mut rig, leg, SeatOrder::Transfer(to_agent("1002"), TransferWay::Blind)), Ok(()));
    let other = rig.leg_of("1002");
    rig.hangs_up(other, Cause::Declined, Some(603));
    assert_eq!(state(&rig, "1001"), Some(SeatState::Ringing));
    assert!(rig.plays(rig.caller));
    let again = rig.leg_of("1001");
    rig.leg(again, LegEvent::Answered);
    assert_eq!(state(&rig, "1001"), Some(SeatState::Talking));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn a_party_sent_to_a_queue_waits_there_and_the_agent_is_free() {
    let (mut rig, leg) = Rig::talking();
    let after = SeatOrder::Transfer(to_queue("help"), TransferWay::AfterSuccess);
    assert_eq!(order(&mut rig, leg, after), Err(DeskFault::NotAPerson));
    assert_eq!(order(&mut rig, leg, SeatOrder::Transfer(to_queue("help"), TransferWay::Blind)), Ok(()));
    assert!(rig.said().contains("queue: default/1001 released\n"));
    assert_eq!(state(&rig, "1001"), None);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    let queues: Vec<_> = rig.cdr().queues.iter().map(|visit| visit.queue.name.as_str()).collect();
    assert_eq!(queues, ["sales", "help"]);
}

fn origin(rig: &Rig, to: Goal) -> Origin {
    Origin {
        call: rig.call,
        leg: rig.caller,
        first: FirstParty::Agent(agent("1001"), user("1001")),
        caller: PartyId::new("1001"),
        shown: PartyId::new(&to.to_string()),
        to,
        data: BTreeMap::from([("campaign".to_owned(), "spring".into())]),
        rings: [None, None],
        recall: None,
    }
}

fn originated(to: Goal) -> Rig {
    let mut rig = Rig::new();
    rig.engine.originate(origin(&rig, to), rig.now);
    rig.drain();
    rig
}

#[test]
fn who_calls_out_is_rung_first_and_hears_the_other_ring() {
    let mut rig = originated(Goal::Number("+4930".into()));
    let caller = rig.caller;
    rig.leg(caller, LegEvent::Ringing);
    assert_eq!(state(&rig, "1001"), Some(SeatState::Ringing));
    rig.said();
    rig.leg(caller, LegEvent::Answered);
    let said = rig.said();
    assert!(
        said.ends_with("route\n  event: leg 1001 answered\n  event: stage Routing"),
        "nobody is called before: {said}"
    );
    rig.route(Destination::Agent(agent("1002")));
    assert_eq!(state(&rig, "1001"), Some(SeatState::Dialling));
    let other = rig.leg_of("1002");
    rig.leg(other, LegEvent::Ringing);
    assert!(rig.plays(caller));
    rig.leg(other, LegEvent::Answered);
    assert!(rig.said().contains("bridge 1001 and 1002"));
    assert_eq!(order(&mut rig, caller, SeatOrder::Hold(true)), Ok(()));
    assert!(rig.said().contains("1002: Hold { on: true }"));
    assert_eq!(order(&mut rig, caller, SeatOrder::Release), Ok(()));
    rig.nothing_left();
    let cdr = rig.cdr();
    assert_eq!((cdr.cause, cdr.ended_by), (Cause::Normal, Party::Caller));
    assert_eq!((cdr.from.user.as_str(), cdr.to.user.as_str()), ("1001", "+4930"));
    assert_eq!(cdr.data.get("campaign"), Some(&"spring".into()));
}

#[test]
fn nobody_is_called_for_an_agent_who_does_not_answer() {
    for ends in [0, 1, 2, 3] {
        let mut rig = originated(to_agent("1002"));
        let caller = rig.caller;
        rig.leg(caller, LegEvent::Ringing);
        let expected = match ends {
            0 => {
                rig.after(60_000);
                (Cause::NoAnswer, Party::Switch)
            }
            1 => {
                rig.hangs_up(caller, Cause::Declined, Some(603));
                (Cause::Declined, Party::Caller)
            }
            2 => {
                assert_eq!(order(&mut rig, caller, SeatOrder::Release), Ok(()));
                (Cause::Cancelled, Party::Caller)
            }
            _ => {
                rig.command(CallCommand::HangUp {
                    call: rig.call,
                    cause: Cause::Administrative,
                    by: Party::Operator,
                });
                (Cause::Administrative, Party::Operator)
            }
        };
        rig.nothing_left();
        assert_eq!(rig.ended(), expected);
        assert_eq!(rig.cdr().legs.len(), 1, "only his own leg was ever there");
    }
    let mut rig = Rig::new();
    rig.media = false;
    rig.engine.originate(origin(&rig, to_agent("1002")), rig.now);
    rig.drain();
    rig.open_fails(rig.caller);
    rig.nothing_left();
    assert_eq!(rig.ended(), (Cause::Congestion, Party::Switch));
}

#[test]
fn what_is_said_of_a_call_is_in_its_record_and_refused_after_it() {
    let (mut rig, leg) = Rig::talking();
    let said = |code: &str| WrapUp {
        agent: agent("1001"),
        at: Wall(5),
        code: Some(Name::new(code).unwrap()),
        note: "two of them".into(),
        by: "key page".into(),
    };
    let now = rig.now;
    assert!(rig.engine.wrap_up(rig.call, said("sold"), now));
    assert_eq!(rig.engine.wrap_ups(rig.call), [said("sold")]);
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(rig.cdr().wrap_ups, [said("sold")]);
    assert!(!rig.engine.wrap_up(rig.call, said("sold"), now));
}

#[test]
fn a_caller_who_is_moved_waits_in_the_other_queue_and_the_offer_is_over() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.said();
    assert_eq!(rig.engine.requeue(rig.call, queue("help"), rig.now), Ok(()));
    rig.drain();
    let said = rig.said();
    assert!(said.contains("1001: HangUp") && said.contains("queue: enter default/help"), "{said}");
    // the queue takes its offer back when it learns of it, and gives the caller to somebody else
    let (call, who) = (rig.call, agent("1001"));
    rig.tell(CallInput::OfferWithdrawn { call, agent: who, elsewhere: false });
    rig.music();
    rig.offer("1002");
    let other = rig.leg_of("1002");
    rig.leg(other, LegEvent::Answered);
    assert_eq!(state(&rig, "1002"), Some(SeatState::Talking));
    assert_eq!(rig.engine.requeue(rig.call, queue("help"), rig.now), Err(DeskFault::NotWaiting));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    let visits: Vec<_> =
        rig.cdr().queues.iter().map(|v| (v.queue.name.as_str(), v.outcome.as_str())).collect();
    assert_eq!(visits, [("sales", "moved"), ("help", "served")]);
}

#[test]
fn whom_an_agent_holds_he_can_retrieve_however_many_talk_since() {
    let (mut rig, leg) = Rig::talking();
    order(&mut rig, leg, SeatOrder::Hold(true)).unwrap();
    order(&mut rig, leg, SeatOrder::Add(to_agent("1002"))).unwrap();
    let other = rig.leg_of("1002");
    rig.leg(other, LegEvent::Answered);
    assert!(seat(&rig, "1001").unwrap().held);
    rig.said();
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(false)), Ok(()));
    assert!(rig.said().contains("alice: Hold { on: false }"));
    // his own leg, where three talk; then two do
    order(&mut rig, leg, SeatOrder::Hold(true)).unwrap();
    rig.hangs_up(other, Cause::Normal, None);
    assert!(seat(&rig, "1001").unwrap().held);
    assert_eq!(order(&mut rig, leg, SeatOrder::Hold(false)), Ok(()));
    assert!(rig.said().contains("1001: Hold { on: false }"));
}

#[test]
fn whom_an_agent_held_is_let_go_when_he_leaves_a_conference() {
    let (mut rig, leg) = Rig::talking();
    order(&mut rig, leg, SeatOrder::Hold(true)).unwrap();
    order(&mut rig, leg, SeatOrder::Add(to_agent("1002"))).unwrap();
    let other = rig.leg_of("1002");
    rig.leg(other, LegEvent::Answered);
    rig.said();
    order(&mut rig, leg, SeatOrder::Release).unwrap();
    let said = rig.said();
    assert!(said.contains("alice: Hold { on: false }"), "{said}");
    assert!(!rig.plays(rig.caller));
}

#[test]
fn a_caller_who_is_moved_and_ends_before_he_is_there_leaves_his_old_queue_too() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    rig.said();
    let mut strict = CallConfig::new(0x6560_0000, 0);
    let rule = cordboard_model::audio::RecordRule {
        on_failure: cordboard_model::audio::WhenUnrecorded::Refuse,
        ..cordboard_model::audio::RecordRule::new(cordboard_model::audio::RecordWhen::Always)
    };
    let audio = cordboard_model::audio::QueueAudio { record: Some(rule), ..Default::default() };
    strict.manners.queues.insert(queue("support"), std::sync::Arc::new(audio));
    rig.command(CallCommand::Configure(Box::new(strict)));
    rig.command(CallCommand::Unrecordable(true));
    let (call, now) = (rig.call, rig.now);
    rig.engine.requeue(call, queue("support"), now).unwrap();
    rig.drain();
    let said = rig.said();
    assert!(said.contains("queue: abandoned"), "{said}");
}

/// An agent's page that moved one caller to and fro a million times had a visit kept for each, and the caller's longest wait
/// began anew with each.
#[test]
fn a_caller_is_moved_as_often_as_any_call_is_sent_on_and_no_more() {
    let mut rig = Rig::waiting();
    let mut moved = 0;
    for n in 0..1_000 {
        match rig.engine.requeue(rig.call, queue(["help", "sales"][n % 2]), rig.now) {
            Ok(()) => moved += 1,
            Err(why) => assert_eq!(why, DeskFault::MovedTooOften),
        }
        rig.drain();
    }
    // that brought him into the first queue counts, too
    assert_eq!(moved + 1, CallConfig::new(1, 0).limits.hops);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(rig.cdr().queues.last().unwrap().outcome, "abandoned");
}
