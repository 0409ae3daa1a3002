//! Ringing a device for a caller.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::LegRole;
use cordboard_model::id::TrunkId;
use cordboard_model::leg::{LegCommand, LegEvent};
use cordboard_model::media::MediaEvent;
use cordboard_model::verb::{Destination, Verb, VerbAnswer};

fn to_bob() -> Rig {
    Rig::routed(Destination::User(user("bob")))
}

#[test]
fn a_call_to_an_extension_from_ringing_to_the_callers_bye() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Ringing);
    rig.leg(bob, LegEvent::Ringing);
    rig.after(3_000);
    rig.leg(bob, LegEvent::Answered);
    rig.after(10_000);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.nothing_left();
    let cdr = rig.cdr();
    assert_eq!((cdr.cause, cdr.ended_by), (Cause::Normal, Party::Caller));
    assert_eq!(cdr.answered.unwrap().0 - cdr.started.0, 3_000);
    assert_eq!(cdr.bridged, cdr.answered);
    assert_eq!(cdr.ended.0 - cdr.started.0, 13_000);
    assert_eq!(cdr.legs.len(), 2);
    assert_eq!(cdr.legs[1].role, LegRole::Callee);
    assert_eq!((cdr.legs[0].stats.received, cdr.legs[1].stats.received), (50, 50));
}

#[test]
fn the_called_party_hangs_up_first() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Answered);
    rig.said();
    rig.hangs_up(bob, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.ended(), (Cause::Normal, Party::Callee));
    rig.nothing_left();
}

#[test]
fn early_media_is_heard_once_and_the_bridge_is_not_made_twice() {
    let mut rig = Rig::routed(Destination::Trunk(TrunkId::new(TENANT, "carrier").unwrap(), "0861".into()));
    let peer = rig.leg_of("0861");
    rig.said();
    rig.leg(peer, LegEvent::Ringing);
    rig.leg(peer, LegEvent::EarlyMedia);
    rig.leg(peer, LegEvent::EarlyMedia);
    rig.leg(peer, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
}

#[test]
fn each_way_not_to_answer_refuses_the_caller_with_its_cause() {
    for (cause, status) in [
        (Cause::Busy, 486),
        (Cause::Declined, 603),
        (Cause::NotRegistered, 480),
        (Cause::NotFound, 404),
        (Cause::Unreachable, 480),
        (Cause::Congestion, 503),
    ] {
        let mut rig = to_bob();
        let bob = rig.leg_of("bob");
        rig.hangs_up(bob, cause, Some(status));
        assert_eq!(rig.ended(), (cause, Party::Callee));
        let caller = &rig.cdr().legs[0];
        assert_eq!((caller.cause, caller.sip_status), (cause, Some(cause.sip_status())));
        assert_eq!(rig.cdr().legs[1].sip_status, Some(status));
        assert_eq!(rig.cdr().answered, None);
        assert!(rig.said().contains(&format!("alice: HangUp {{ cause: {cause:?} }}")));
        rig.nothing_left();
    }
}

#[test]
fn nobody_answers_within_the_ring_limit() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Ringing);
    rig.after(59_999);
    rig.said();
    rig.after(1);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.ended(), (Cause::NoAnswer, Party::Switch));
    rig.nothing_left();
}

#[test]
fn the_caller_gives_up_while_it_rings() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Ringing);
    rig.said();
    rig.hangs_up(rig.caller, Cause::Cancelled, Some(487));
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.ended(), (Cause::Cancelled, Party::Caller));
    assert_eq!(rig.cdr().legs[0].sip_status, Some(487));
    rig.nothing_left();
}

#[test]
fn a_200_that_crosses_our_cancel_is_ended_once_more() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Ringing);
    rig.phones = false;
    rig.hangs_up(rig.caller, Cause::Cancelled, Some(487));
    rig.said();
    rig.leg(bob, LegEvent::Answered);
    assert_eq!(rig.said(), "bob: HangUp { cause: Cancelled }");
    assert_eq!(rig.cdr().answered, None);
    assert_eq!(rig.cdr().bridged, None);
    rig.leg(bob, LegEvent::Ended { cause: Cause::Normal, by_peer: false, sip_status: None });
    rig.nothing_left();
}

#[test]
fn a_200_that_comes_while_the_record_waits_for_figures_still_gets_its_bye_after_the_record() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Ringing);
    rig.media = false;
    rig.hangs_up(rig.caller, Cause::Cancelled, Some(487));
    rig.leg(bob, LegEvent::Answered);
    assert!(!rig.said().contains("bob: HangUp"));
    rig.after(200);
    let said = rig.said();
    let closing = said.find("CLOSING").unwrap();
    assert!(said.find("bob: HangUp").unwrap() > closing, "{said}");
}

#[test]
fn the_caller_gives_up_between_the_called_partys_answer_and_ours() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.phones = false;
    rig.leg(bob, LegEvent::Answered);
    assert!(rig.said().ends_with("alice: Answer\n  event: leg bob answered"));
    rig.hangs_up(rig.caller, Cause::Cancelled, Some(487));
    let said = rig.said();
    assert!(!said.contains("bridge"), "{said}");
    assert!(said.contains("bob: HangUp"), "{said}");
    assert_eq!(rig.cdr().bridged, None);
    assert!(rig.cdr().legs[1].answered.is_some());
}

#[test]
fn a_port_is_opened_before_the_call_is_dialled_and_one_that_is_refused_is_not_closed() {
    let mut rig = Rig::new();
    rig.incoming();
    rig.media = false;
    rig.said();
    rig.route(Destination::User(user("bob")));
    let bob = rig.leg_of("bob");
    assert!(!rig.said().contains("Dial"));
    rig.open_fails(bob);
    assert_eq!(rig.ended_after_close(), (Cause::Congestion, Party::Switch));
    assert!(!rig.said().contains("close bob"));
}

#[test]
fn a_caller_without_a_port_is_refused_for_congestion() {
    let mut rig = Rig::new();
    rig.media = false;
    rig.incoming();
    rig.said();
    rig.open_fails(rig.caller);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.ended(), (Cause::Congestion, Party::Switch));
    rig.nothing_left();
}

#[test]
fn a_port_or_a_route_that_never_comes_ends_the_call() {
    let mut rig = Rig::new();
    rig.media = false;
    rig.incoming();
    rig.after(10_000);
    assert_eq!(rig.ended(), (Cause::Congestion, Party::Switch));

    let mut rig = Rig::new();
    rig.incoming();
    rig.after(5_000);
    assert_eq!(rig.ended(), (Cause::NoRoute, Party::Switch));
    rig.nothing_left();
}

#[test]
fn routing_may_refuse_and_a_second_word_of_it_is_absorbed() {
    let mut rig = Rig::new();
    rig.incoming();
    let (call, reasons) = (rig.call, Vec::new());
    rig.tell(CallInput::Refused { call, cause: Cause::Forbidden, reasons });
    rig.route(Destination::User(user("bob")));
    assert_eq!(rig.ended(), (Cause::Forbidden, Party::Switch));
    assert_eq!(rig.cdr().legs[0].sip_status, Some(403));
    rig.nothing_left();
}

#[test]
fn a_call_over_the_limit_is_refused_without_a_port_and_still_has_its_record() {
    let mut config = CallConfig::new(1, 0);
    config.limits.calls = 0;
    let mut rig = Rig::with(config);
    rig.incoming();
    assert!(!rig.said().contains("open"));
    assert_eq!(rig.ended(), (Cause::Congestion, Party::Switch));
    rig.nothing_left();
}

#[test]
fn a_flow_whose_transfer_fails_goes_on_with_the_cause() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(Verb::Transfer { to: Destination::Agent(agent("1001")) });
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.hangs_up(leg, Cause::Busy, Some(486));
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Failed(Cause::Busy)));
    let next = rig.verb(Verb::Answer);
    assert_eq!(rig.answer_to(next), Some(VerbAnswer::Done));
}

#[test]
fn a_flow_whose_transfer_succeeds_is_stopped_and_ring_back_with_it() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(Verb::Transfer { to: Destination::Agent(agent("1001")) });
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    assert!(rig.plays(rig.caller), "ring-back");
    rig.said();
    rig.leg(leg, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.answer_to(ticket), None);
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.cdr().agent, Some(agent("1001")));
    rig.nothing_left();
}

#[test]
fn transfers_in_a_ring_end_at_the_limit() {
    let mut rig = Rig::in_flow();
    for _ in 0..40 {
        rig.verb(Verb::Transfer { to: Destination::Flow(flow("menu")) });
    }
    assert_eq!(rig.ended(), (Cause::NoRoute, Party::Switch));
    assert_eq!(rig.cdr().flows.len(), 32);
    rig.nothing_left();
}

#[test]
fn an_answer_that_gets_stuck_ends_the_call() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.phones = false;
    rig.leg(bob, LegEvent::Answered);
    rig.after(35_000);
    assert_eq!(rig.ended(), (Cause::InternalError, Party::Switch));
}

#[test]
fn a_port_that_is_lost_under_the_called_party_ends_the_talk() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Answered);
    let stats = Default::default();
    rig.tell(CallInput::Media(MediaEvent::Closed { leg: bob, stats }));
    assert_eq!(rig.ended(), (Cause::InternalError, Party::Switch));
    rig.nothing_left();
}

#[test]
fn the_dialled_leg_names_target_and_caller() {
    let rig = to_bob();
    let dialled = rig.outputs.iter().find_map(|output| match output {
        CallOutput::Dial { to, from, .. } => Some((to.clone(), from.user.clone())),
        _ => None,
    });
    let target = cordboard_model::leg::Target::User(user("bob"));
    assert_eq!(dialled, Some((DialTarget::Target(target), "alice".into())));
    let dials = |o: &CallOutput| matches!(o, CallOutput::Leg(_, LegCommand::Dial { .. }));
    assert!(!rig.outputs.iter().any(dials));
}

impl Rig {
    /// The end, when the media thread answers nothing.
    fn ended_after_close(&mut self) -> (Cause, Party) {
        self.after(200);
        self.ended()
    }
}

/// A phone that forwards its calls: routing is asked anew, and the caller rings on.
#[test]
fn a_device_that_sends_the_call_elsewhere_is_followed() {
    let mut rig = to_bob();
    let bob = rig.leg_of("bob");
    rig.leg(bob, LegEvent::Ringing);
    rig.said();
    rig.leg(bob, LegEvent::Redirected { to: "carol".into() });
    rig.hangs_up(bob, Cause::Unreachable, Some(302));
    rig.route(Destination::User(user("carol")));
    let carol = rig.leg_of("carol");
    rig.leg(carol, LegEvent::Answered);
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(carol, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(rig.cdr().data["diverted_from"], "bob");
    assert_eq!(rig.cdr().legs[1].sip_status, Some(302));
}

#[test]
fn phones_that_send_a_call_round_in_a_ring_end_it() {
    let mut rig = to_bob();
    let mut rounds = 0;
    while rig.engine.view(rig.call).is_some() {
        let bob = rig.leg_of("bob");
        rig.leg(bob, LegEvent::Redirected { to: "bob".into() });
        rig.hangs_up(bob, Cause::Unreachable, Some(302));
        rig.route(Destination::User(user("bob")));
        rounds += 1;
        assert!(rounds < 100, "it goes round for ever");
    }
    rig.nothing_left();
}

#[test]
fn who_is_sent_to_an_agent_that_does_not_answer_goes_where_routing_says_then() {
    let mut rig = Rig::new();
    rig.incoming();
    let call = rig.call;
    let marks = crate::Marks {
        otherwise: Some(Destination::Queue(queue("sales"))),
        priority: 7,
        ..Default::default()
    };
    rig.tell(CallInput::Marked { call, marks });
    rig.route(Destination::Agent(agent("1001")));
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.hangs_up(leg, Cause::NoAnswer, Some(480));
    let said = rig.said();
    // the caller is answered, to wait: he has heard ringing so far
    assert!(said.contains("Answer") && !said.contains("call ended"), "{said}");
    assert_eq!(rig.engine.view(call).map(|view| view.stage), Some(cordboard_model::view::CallStage::Queued));
}
