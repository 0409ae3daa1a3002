//! Sending a party elsewhere.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{Cdr, TransferKind, TransferOutcome};
use cordboard_model::id::LegId;
use cordboard_model::leg::LegEvent;
use cordboard_model::verb::{Destination, Verb, VerbAnswer};

fn refer(rig: &mut Rig, by: LegId, to: &str) {
    rig.leg(by, LegEvent::TransferAsked { ticket: 7, to: to.into(), replaces: None });
}

fn to_carol() -> Destination {
    Destination::User(user("carol"))
}

/// Agent 1001 has asked for carol, who rings.
fn carol_rings() -> (Rig, LegId, LegId) {
    let (mut rig, agent) = Rig::talking();
    refer(&mut rig, agent, "carol");
    rig.route(to_carol());
    let carol = rig.leg_of("carol");
    rig.leg(carol, LegEvent::Ringing);
    (rig, agent, carol)
}

fn transfers(cdr: &Cdr) -> Vec<(TransferKind, TransferOutcome, Option<Cause>)> {
    cdr.transfers.iter().map(|transfer| (transfer.kind, transfer.outcome, transfer.cause)).collect()
}

#[test]
fn a_blind_transfer_from_hold_audio_over_ring_back_to_the_target() {
    let (mut rig, _, carol) = carol_rings();
    rig.leg(carol, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    rig.nothing_left();
    let cdr = rig.cdr();
    assert_eq!(transfers(cdr), [(TransferKind::Blind, TransferOutcome::Done, None)]);
    let legs: Vec<_> = cdr.legs.iter().map(|leg| (leg.party.user.as_str(), leg.cause)).collect();
    assert_eq!(legs, [("alice", Cause::Normal), ("1001", Cause::Transferred), ("carol", Cause::Normal)]);
    assert_eq!((cdr.cause, cdr.ended_by), (Cause::Normal, Party::Callee));
    assert_eq!(cdr.recordings.len(), 2, "each talk has its recording");
}

#[test]
fn a_target_that_does_not_answer_brings_the_two_together_again() {
    let (mut rig, agent, carol) = carol_rings();
    rig.said();
    rig.hangs_up(carol, Cause::Busy, Some(486));
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(agent, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(transfers(rig.cdr()), [(TransferKind::Blind, TransferOutcome::Failed, Some(Cause::Busy))]);
}

#[test]
fn who_sent_and_left_is_rung_again_when_the_target_does_not_answer() {
    let (mut rig, agent, carol) = carol_rings();
    rig.hangs_up(agent, Cause::Normal, None);
    rig.said();
    rig.after(60_000);
    let again = rig.leg_of("1001");
    assert!(again != agent && again != carol);
    rig.leg(again, LegEvent::Ringing);
    rig.leg(again, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn a_party_for_whom_nobody_is_left_hears_the_end() {
    let (mut rig, agent, carol) = carol_rings();
    rig.hangs_up(agent, Cause::Normal, None);
    rig.hangs_up(carol, Cause::Declined, Some(603));
    let again = rig.leg_of("1001");
    rig.hangs_up(again, Cause::NotRegistered, Some(480));
    assert_eq!(rig.ended(), (Cause::NotRegistered, Party::Switch));
    rig.nothing_left();
}

#[test]
fn the_caller_too_can_send_the_called_party() {
    let mut rig = Rig::new();
    let (call, boss) = rig.another("boss", Destination::User(user("bob")), None);
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Answered);
    rig.said();
    refer(&mut rig, boss, "carol");
    rig.tell(CallInput::Routed { call, to: to_carol(), reasons: Vec::new() });
    let carol = rig.leg_of("carol");
    rig.leg(carol, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(bob, Cause::Normal, None);
    let cdr = rig.cdr_of(call);
    let legs: Vec<_> = cdr.legs.iter().map(|leg| leg.party.user.as_str()).collect();
    assert_eq!(legs, ["boss", "bob", "carol"]);
    assert_eq!(cdr.ended_by, Party::Callee);
}

#[test]
fn a_transfer_to_a_queue_is_done_when_the_party_waits() {
    let (mut rig, agent) = Rig::talking();
    refer(&mut rig, agent, "4001");
    rig.route(Destination::Queue(queue("support")));
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(rig.cdr().queues.len(), 2);
}

#[test]
fn a_number_that_leads_nowhere_fails_the_transfer_and_not_the_call() {
    let (mut rig, agent) = Rig::talking();
    refer(&mut rig, agent, "nobody");
    let call = rig.call;
    rig.said();
    rig.tell(CallInput::Refused { call, cause: Cause::NoRoute, reasons: Vec::new() });
    insta::assert_snapshot!(rig.said());
    // and routing that says nothing does the same
    refer(&mut rig, agent, "nobody");
    rig.after(60_000);
    assert!(rig.said().contains("TransferResult { ticket: 7, status: 404 }"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn the_party_that_is_sent_hangs_up_while_the_target_rings() {
    let (mut rig, _, _) = carol_rings();
    rig.said();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.nothing_left();
    assert_eq!(transfers(rig.cdr()), [(TransferKind::Blind, TransferOutcome::Open, None)]);
}

#[test]
fn a_second_wish_is_refused_while_the_first_is_under_way() {
    let (mut rig, agent, _) = carol_rings();
    rig.said();
    refer(&mut rig, agent, "dave");
    let second = LegEvent::TransferAsked { ticket: 8, to: "dave".into(), replaces: None };
    rig.leg(agent, second);
    assert!(rig.said().contains("TransferResult { ticket: 8, status: 491 }"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

/// A caller, an agent who consults carol, and carol, who is up.
fn consulting() -> (Rig, LegId, LegId) {
    let (mut rig, agent) = Rig::talking();
    let (call, now) = (rig.call, rig.now);
    rig.engine.transfer(call, None, "carol", true, now).unwrap();
    rig.route(to_carol());
    let carol = rig.leg_of("carol");
    rig.leg(carol, LegEvent::Ringing);
    rig.leg(carol, LegEvent::Answered);
    (rig, agent, carol)
}

#[test]
fn a_consultation_that_is_completed() {
    let (mut rig, _, carol) = consulting();
    let (call, now) = (rig.call, rig.now);
    rig.engine.complete_transfer(call, now).unwrap();
    rig.after(0);
    rig.leg(carol, LegEvent::Confirmed);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(transfers(rig.cdr()), [(TransferKind::Attended, TransferOutcome::Done, None)]);
}

#[test]
fn a_consultation_without_transfer_gives_the_party_back() {
    let (mut rig, agent, carol) = consulting();
    rig.said();
    let (call, now) = (rig.call, rig.now);
    rig.engine.cancel_transfer(call, now).unwrap();
    rig.leg(carol, LegEvent::Confirmed);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.engine.cancel_transfer(call, now), Err(TransferRefusal::None));
    rig.hangs_up(agent, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(transfers(rig.cdr()), [(TransferKind::Attended, TransferOutcome::Cancelled, None)]);
}

#[test]
fn who_is_consulted_hangs_up_and_the_two_talk_again() {
    let (mut rig, agent, carol) = consulting();
    rig.said();
    rig.hangs_up(carol, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(agent, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn who_consults_hangs_up_and_has_sent_the_party_by_that() {
    let (mut rig, agent, carol) = consulting();
    rig.said();
    rig.hangs_up(agent, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn the_party_leaves_during_a_consultation_and_the_other_two_talk_on() {
    let (mut rig, agent, carol) = consulting();
    rig.said();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    rig.nothing_left();
    let _ = agent;
}

#[test]
fn a_consultation_that_is_completed_while_it_rings_goes_on_as_a_blind_one() {
    let (mut rig, agent) = Rig::talking();
    let (call, now) = (rig.call, rig.now);
    rig.engine.transfer(call, Some(agent), "carol", true, now).unwrap();
    rig.route(to_carol());
    let carol = rig.leg_of("carol");
    rig.leg(carol, LegEvent::Ringing);
    rig.said();
    rig.engine.complete_transfer(call, now).unwrap();
    rig.leg(carol, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    rig.nothing_left();
}

/// Caller and agent talk; the agent's phone has called carol meanwhile.
fn second_call(answered: bool) -> (Rig, LegId, (cordboard_model::id::CallId, LegId), LegId) {
    let (mut rig, agent) = Rig::talking();
    rig.leg(agent, LegEvent::PeerHold { on: true });
    let second = rig.another("1001", to_carol(), None);
    let carol = rig.leg_of("carol");
    rig.leg(carol, LegEvent::Ringing);
    if answered {
        rig.leg(carol, LegEvent::Answered);
    }
    rig.said();
    (rig, agent, second, carol)
}

#[test]
fn an_attended_transfer_by_a_phone_joins_its_two_calls() {
    let (mut rig, agent, (other, own), carol) = second_call(true);
    rig.leg(agent, LegEvent::TransferAsked { ticket: 7, to: "carol".into(), replaces: Some(own) });
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    assert!(rig.engine.is_quiescent());
    let (first, second) = (rig.cdr_of(rig.call), rig.cdr_of(other));
    assert_eq!(transfers(first), [(TransferKind::Attended, TransferOutcome::Done, None)]);
    assert_eq!(first.transfers[0].consultation, Some(other));
    assert_eq!((second.cause, second.joined), (Cause::Transferred, Some(rig.call)));
    let names = |cdr: &Cdr| cdr.legs.iter().map(|leg| leg.party.user.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(first), names(second)),
        (vec!["alice".into(), "1001".into(), "carol".into()], vec!["1001".into(), "carol".into()])
    );
}

/// "a phone's own transfer and the switch's give the same CDR chain"
#[test]
fn the_records_are_the_same_whether_a_phone_or_the_api_joins_two_calls() {
    let chain = |by_phone: bool| {
        let (mut rig, agent, (other, own), carol) = second_call(true);
        let (call, now) = (rig.call, rig.now);
        match by_phone {
            true => {
                rig.leg(agent, LegEvent::TransferAsked { ticket: 7, to: "carol".into(), replaces: Some(own) })
            }
            false => rig.engine.transfer_to_call(call, None, other, now).unwrap(),
        }
        rig.after(0);
        rig.hangs_up(carol, Cause::Normal, None);
        (rig.cdr_of(rig.call).clone(), rig.cdr_of(other).clone())
    };
    assert_eq!(chain(true), chain(false));
}

#[test]
fn a_phone_that_lets_go_while_its_second_call_rings_hands_the_ringing_over() {
    let (mut rig, agent, (_, own), carol) = second_call(false);
    rig.leg(agent, LegEvent::TransferAsked { ticket: 7, to: "carol".into(), replaces: Some(own) });
    rig.leg(carol, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    assert!(rig.engine.is_quiescent());
}

#[test]
fn a_phone_whose_second_call_waits_in_a_queue_gives_its_place_away() {
    let (mut rig, agent) = Rig::talking();
    let (other, own) = rig.another("1001", Destination::Queue(queue("support")), None);
    rig.said();
    rig.leg(agent, LegEvent::TransferAsked { ticket: 7, to: "4001".into(), replaces: Some(own) });
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert!(rig.engine.is_quiescent());
    assert_eq!(rig.cdr_of(other).joined, Some(rig.call));
}

#[test]
fn a_wish_that_names_a_leg_of_no_other_call_is_refused_and_changes_nothing() {
    let (mut rig, agent) = Rig::talking();
    let own = rig.caller;
    for other in [own, LegId { number: 1 << 40, ..own }] {
        rig.leg(agent, LegEvent::TransferAsked { ticket: 7, to: "x".into(), replaces: Some(other) });
        let said = rig.said();
        let refused = ["status: 403", "status: 481"].iter().any(|status| said.contains(status));
        assert!(refused && said.lines().count() == 1, "{said}");
    }
    rig.hangs_up(agent, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn another_device_takes_a_call_that_is_up() {
    let (mut rig, agent) = Rig::talking();
    let (other, desk) = rig.another("mobile", Destination::User(user("x")), Some(agent));
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(desk, Cause::Normal, None);
    assert!(rig.engine.is_quiescent());
    let cdr = rig.cdr_of(rig.call);
    assert_eq!(transfers(cdr), [(TransferKind::Taken, TransferOutcome::Done, None)]);
    assert_eq!((cdr.cause, rig.cdr_of(other).joined), (Cause::Normal, Some(rig.call)));
}

#[test]
fn a_ringing_call_is_picked_up_from_another_device() {
    let mut rig = Rig::routed(Destination::User(user("bob")));
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Ringing);
    rig.said();
    let (_, desk) = rig.another("colleague", to_carol(), Some(bob));
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(desk, Cause::Normal, None);
    assert!(rig.engine.is_quiescent());
}

#[test]
fn a_call_offered_to_an_agent_is_picked_up_and_leaves_the_queue() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    let agent = rig.leg_of("1001");
    rig.leg(agent, LegEvent::Ringing);
    rig.said();
    let (_, desk) = rig.another("colleague", to_carol(), Some(agent));
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(desk, Cause::Normal, None);
    assert!(rig.engine.is_quiescent());
    assert_eq!(rig.cdr_of(rig.call).queues[0].outcome, "picked_up");
}

#[test]
fn who_comes_too_late_for_a_place_is_refused() {
    let (mut rig, agent) = Rig::talking();
    rig.hangs_up(agent, Cause::Normal, None);
    let (late, _) = rig.another("colleague", to_carol(), Some(agent));
    assert_eq!(rig.cdr_of(late).cause, Cause::NotFound);
    assert!(rig.engine.is_quiescent());
}

/// A survey after the talk: the flow that put the caller into the queue has him again, whoever he talked to last.
#[test]
fn the_flow_goes_on_after_a_talk_that_was_transferred() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: String::new(),
        staffed: false,
    });
    rig.offer("1001");
    let agent = rig.leg_of("1001");
    rig.leg(agent, LegEvent::Answered);
    refer(&mut rig, agent, "carol");
    rig.route(to_carol());
    let carol = rig.leg_of("carol");
    rig.leg(carol, LegEvent::Answered);
    assert_eq!(rig.answer_to(ticket), None);
    rig.hangs_up(carol, Cause::Normal, None);
    assert!(matches!(rig.answer_to(ticket), Some(VerbAnswer::Queue(_))));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
}

#[test]
fn a_target_that_forwards_its_calls_is_followed() {
    let (mut rig, _, carol) = carol_rings();
    rig.leg(carol, LegEvent::Redirected { to: "dave".into() });
    rig.hangs_up(carol, Cause::Unreachable, Some(302));
    rig.said();
    rig.route(Destination::User(user("dave")));
    let dave = rig.leg_of("dave");
    rig.leg(dave, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(dave, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(transfers(rig.cdr()), [(TransferKind::Blind, TransferOutcome::Done, None)]);
}

#[test]
fn who_was_held_in_one_call_is_not_held_in_the_other_that_he_is_given_to() {
    let (mut rig, _, (other, _), carol) = second_call(true);
    rig.command(CallCommand::Hold { leg: carol });
    let (call, now) = (rig.call, rig.now);
    rig.said();
    rig.engine.transfer_to_call(call, None, other, now).unwrap();
    rig.drain();
    let said = rig.said();
    assert!(said.contains("carol: Hold { on: false }"), "{said}");
    assert!(said.contains("bridge alice and carol"), "{said}");
    assert!(!rig.plays(carol));
}
