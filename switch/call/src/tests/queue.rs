//! Waiting, and the agents who ring for it.

use super::rig::*;
use crate::*;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::leg::LegEvent;
use cordboard_model::verb::{Destination, QueueEnd, Verb, VerbAnswer};

fn withdraw(rig: &mut Rig, who: &str) {
    let (call, agent) = (rig.call, agent(who));
    rig.tell(CallInput::OfferWithdrawn { call, agent, elsewhere: false });
}

fn queue_ends(rig: &mut Rig, end: QueueEnd, overflow: Option<Destination>) {
    let call = rig.call;
    rig.tell(CallInput::QueueEnded { call, end, overflow });
}

#[test]
fn a_caller_waits_with_music_is_served_recorded_and_left_by_the_agent() {
    let mut rig = Rig::waiting();
    rig.after(20_000);
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.after(4_000);
    rig.leg(leg, LegEvent::Answered);
    rig.after(60_000);
    rig.hangs_up(leg, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    rig.nothing_left();
    let cdr = rig.cdr();
    assert_eq!((cdr.cause, cdr.ended_by), (Cause::Normal, Party::Callee));
    assert_eq!(cdr.agent, Some(agent("1001")));
    assert_eq!(cdr.bridged.unwrap().0 - cdr.answered.unwrap().0, 24_000);
    assert_eq!(cdr.recordings.len(), 1);
    assert_eq!(cdr.queues.len(), 1);
    assert_eq!(cdr.queues[0].outcome, "served");
    assert_eq!(cdr.queues[0].agent, Some(agent("1001")));
    assert_eq!(cdr.queues[0].left.0 - cdr.queues[0].entered.0, 24_000);
}

#[test]
fn an_agent_who_does_not_answer_leaves_the_caller_with_his_music() {
    for (cause, status) in [
        (Cause::Busy, Some(486)),
        (Cause::Declined, Some(603)),
        (Cause::NotRegistered, None),
        (Cause::Unreachable, None),
    ] {
        let mut rig = Rig::waiting();
        rig.offer("1001");
        rig.said();
        let leg = rig.leg_of("1001");
        rig.hangs_up(leg, cause, status);
        let said = rig.said();
        assert!(said.contains(&format!("default/1001 failed {cause:?}\n")), "{said}");
        assert!(!said.contains("play"), "{said}");
        assert!(rig.plays(rig.caller));
        rig.offer("1002");
        assert!(rig.said().contains("1002: Dial"));
    }
}

/// What the switch lacks looked like what a device answers, and cost the agent the same.
#[test]
fn what_the_switch_lacks_is_told_apart_from_what_a_device_answers() {
    let fails = |carried: bool| {
        let mut rig = Rig::waiting();
        rig.offer("1001");
        let leg = rig.leg_of("1001");
        if carried {
            rig.tell(CallInput::Carried { leg });
        }
        rig.said();
        rig.hangs_up(leg, Cause::Congestion, Some(503));
        rig.said()
    };
    assert!(fails(false).contains("default/1001 failed Unreachable\n"), "his phone says that it has no room");
    assert!(fails(true).contains("default/1001 failed Congestion\n"), "the trunk to his number has none");
    let mut rig = Rig::waiting();
    rig.media = false;
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.said();
    rig.open_fails(leg);
    assert!(rig.said().contains("default/1001 failed Congestion\n"), "no port is free");
}

#[test]
fn an_agent_who_lets_it_ring_is_told_no_answer_and_his_late_200_is_ended() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.phones = false;
    rig.said();
    rig.after(15_000);
    insta::assert_snapshot!(rig.said());
    rig.leg(leg, LegEvent::Answered);
    assert_eq!(rig.said(), "1001: HangUp { cause: NoAnswer }");
}

#[test]
fn the_caller_leaves_while_an_agent_rings() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Ringing);
    rig.said();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.cdr().queues[0].outcome, "abandoned");
    assert_eq!(rig.cdr().legs[1].cause, Cause::Cancelled);
    rig.nothing_left();
}

#[test]
fn the_caller_leaves_a_talk_and_the_agent_is_released_once() {
    let (mut rig, leg) = Rig::talking();
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.hangs_up(leg, Cause::Normal, None);
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    rig.nothing_left();
}

#[test]
fn an_announcement_interrupts_the_music_which_goes_on_after_it() {
    let mut rig = Rig::waiting();
    rig.said();
    let (call, announcement) = (rig.call, vec![asset("you-are"), asset("third")]);
    rig.tell(CallInput::Position { call, announcement });
    rig.music();
    rig.play_ends(rig.caller);
    insta::assert_snapshot!(rig.said());
}

#[test]
fn a_key_leaves_the_queue_and_the_agent_who_rings_is_let_go_without_blame() {
    let mut rig = Rig::in_flow();
    rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: "1*".into(),
        staffed: false,
        wish: None,
    });
    rig.offer("1001");
    rig.said();
    rig.keys("2");
    assert_eq!(rig.said(), "", "a key that means nothing here");
    rig.keys("1");
    insta::assert_snapshot!(rig.said());
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.cdr().queues[0].outcome, "key");
    rig.nothing_left();
}

#[test]
fn an_offer_the_queue_takes_back_is_not_reported_and_the_next_one_rings() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    rig.said();
    withdraw(&mut rig, "1001");
    withdraw(&mut rig, "1001");
    rig.offer("1002");
    insta::assert_snapshot!(rig.said());
}

#[test]
fn an_offer_taken_back_while_the_agent_answers_puts_the_caller_back_to_his_music() {
    // The queue withdrew at the moment the agent answered. It ignores the answer and goes on waiting with the
    // caller, so the agent's leg must go and the caller must not be left with nobody.
    let (mut rig, _) = Rig::talking();
    withdraw(&mut rig, "1001");
    insta::assert_snapshot!(rig.said());
    assert!(rig.plays(rig.caller));
    queue_ends(&mut rig, QueueEnd::Timeout, None);
    assert_eq!(rig.ended(), (Cause::QueueTimeout, Party::Switch));
    assert_eq!(rig.cdr().queues[0].outcome, "timeout");
    rig.nothing_left();
}

#[test]
fn an_offer_for_a_call_that_cannot_take_it_is_refused_at_once() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    rig.said();
    rig.offer("1001");
    assert_eq!(rig.said(), "queue: default/1001 failed Congestion", "he rings already");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    rig.said();
    rig.offer("1003");
    assert_eq!(rig.said(), "queue: default/1003 failed Congestion", "the queue may have the caller still");
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
    rig.said();
    rig.offer("1004");
    assert_eq!(rig.said(), "queue: default/1004 failed Cancelled, caller gone");
}

#[test]
fn the_end_of_a_wait_is_the_flows_answer() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: Some(9),
        priority: 3,
        keys: String::new(),
        staffed: false,
        wish: None,
    });
    rig.music();
    rig.said();
    queue_ends(&mut rig, QueueEnd::Timeout, Some(Destination::User(user("bob"))));
    insta::assert_snapshot!(rig.said());
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Timeout)));
}

/// The call ended with the agent's hang-up although a flow waited for `enqueue`: its answer `served`, which
/// the flow's designer is promised, was never given.
#[test]
fn the_flow_has_the_caller_again_when_the_agent_hangs_up() {
    let mut rig = Rig::in_flow();
    let ticket = rig.verb(Verb::Enqueue {
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        keys: String::new(),
        staffed: false,
        wish: None,
    });
    rig.music();
    rig.offer("1001");
    let leg = rig.leg_of("1001");
    rig.leg(leg, LegEvent::Answered);
    rig.said();
    rig.hangs_up(leg, Cause::Normal, None);
    assert_eq!(rig.answer_to(ticket), Some(VerbAnswer::Queue(QueueEnd::Served)));
    assert!(!rig.plays(rig.caller));
    rig.after(1_000);
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.ended(), (Cause::Normal, Party::Caller));
    assert_eq!(rig.cdr().queues[0].outcome, "served");
    assert_eq!(rig.cdr().agent, Some(agent("1001")));
    rig.nothing_left();
}

#[test]
fn without_a_flow_the_end_of_a_wait_leads_to_the_overflow_or_ends_the_call() {
    let mut rig = Rig::waiting();
    queue_ends(&mut rig, QueueEnd::Full, Some(Destination::User(user("bob"))));
    assert!(rig.said().contains("bob: Dial"));
    assert!(!rig.plays(rig.caller));
    for (end, cause, outcome) in [
        (QueueEnd::Timeout, Cause::QueueTimeout, "timeout"),
        (QueueEnd::Full, Cause::QueueFull, "full"),
        (QueueEnd::NobodySignedIn, Cause::QueueFull, "nobody_signed_in"),
        (QueueEnd::Gone, Cause::NoRoute, "gone"),
    ] {
        let mut rig = Rig::waiting();
        queue_ends(&mut rig, end, None);
        assert_eq!(rig.ended(), (cause, Party::Switch));
        assert_eq!(rig.cdr().queues[0].outcome, outcome);
        rig.nothing_left();
    }
}

#[test]
fn only_this_engine_says_that_a_caller_was_served() {
    let mut rig = Rig::waiting();
    rig.said();
    queue_ends(&mut rig, QueueEnd::Served, None);
    assert_eq!(rig.said(), "");
    assert!(rig.plays(rig.caller));
}

#[test]
fn queues_that_overflow_into_each_other_end_at_the_limit() {
    let mut rig = Rig::waiting();
    for _ in 0..40 {
        queue_ends(&mut rig, QueueEnd::Timeout, Some(Destination::Queue(queue("sales"))));
        is_taken(&mut rig);
    }
    assert_eq!(rig.ended(), (Cause::NoRoute, Party::Switch));
    rig.nothing_left();
}

/// The queue takes him.
fn is_taken(rig: &mut Rig) {
    let call = rig.call;
    rig.tell(CallInput::Music { call, items: Vec::new() });
}

/// Two queues with nobody signed in, each of which sends its callers to the other, made 32 visits of one caller within a
/// moment, and a call that had ended with `no_route`: the figures of both were ruined for the day.
#[test]
fn queues_that_back_each_other_up_and_take_nobody_are_asked_once_each() {
    let sends = |name: &str| Some(Destination::Queue(queue(name)));
    let mut rig = Rig::new();
    rig.incoming();
    rig.route(Destination::Queue(queue("sales")));
    queue_ends(&mut rig, QueueEnd::NobodySignedIn, sends("support"));
    queue_ends(&mut rig, QueueEnd::NobodySignedIn, sends("sales"));
    assert_eq!(rig.ended(), (Cause::QueueFull, Party::Switch));
    let visits: Vec<_> = rig.cdr().queues.iter().map(|visit| visit.queue.name.to_string()).collect();
    assert_eq!(visits, ["sales", "support"]);
    rig.nothing_left();

    // One who has waited between is asked for again.
    let mut rig = Rig::waiting();
    queue_ends(&mut rig, QueueEnd::Full, sends("support"));
    queue_ends(&mut rig, QueueEnd::Full, sends("sales"));
    is_taken(&mut rig);
    queue_ends(&mut rig, QueueEnd::Timeout, sends("support"));
    is_taken(&mut rig);
    queue_ends(&mut rig, QueueEnd::Timeout, None);
    assert_eq!(rig.ended(), (Cause::QueueTimeout, Party::Switch));
    assert_eq!(rig.cdr().queues.len(), 4);
    rig.nothing_left();
}

#[test]
fn a_wait_that_ends_while_an_agent_rings_stops_his_device() {
    let mut rig = Rig::waiting();
    rig.offer("1001");
    rig.said();
    queue_ends(&mut rig, QueueEnd::Timeout, None);
    let said = rig.said();
    assert!(said.contains("1001: HangUp { cause: Cancelled }"), "{said}");
    assert!(!said.contains("queue:"), "{said}");
    rig.nothing_left();
}

#[test]
fn the_records_of_a_caller_whom_many_agents_let_ring_stay_few() {
    let mut rig = Rig::waiting();
    for _ in 0..200 {
        rig.offer("1001");
        let leg = rig.leg_of("1001");
        rig.hangs_up(leg, Cause::Busy, Some(486));
    }
    rig.hangs_up(rig.caller, Cause::Normal, None);
    assert_eq!(rig.cdr().legs.len(), 1 + 64);
    rig.nothing_left();
}

#[test]
fn readers_see_queue_and_agent_while_it_rings_and_while_they_talk() {
    let (rig, _) = Rig::talking();
    let view = rig.engine.view(rig.call).unwrap();
    assert_eq!(view.stage, cordboard_model::view::CallStage::Bridged);
    assert_eq!(view.queue, Some(queue("sales")));
    assert_eq!(view.agent, Some(agent("1001")));
    assert_eq!(view.legs.len(), 2);
    assert!(view.legs.iter().all(|leg| leg.answered && !leg.held));
    assert_eq!(rig.engine.calls(TENANT).len(), 1);
    let other = cordboard_model::id::TenantId::new("other").unwrap();
    assert_eq!(rig.engine.calls(other).len(), 0);
}

fn answered_elsewhere(rig: &mut Rig, who: &str) {
    let (call, agent) = (rig.call, agent(who));
    rig.tell(CallInput::OfferWithdrawn { call, agent, elsewhere: true });
}

#[test]
fn several_ring_and_the_queue_lets_the_others_go_when_one_has_answered() {
    let mut rig = Rig::waiting();
    for who in ["1001", "1002", "1003"] {
        rig.offer(who);
        let leg = rig.leg_of(who);
        rig.leg(leg, LegEvent::Ringing);
    }
    assert_eq!(rig.engine.view(rig.call).unwrap().agent, None, "it is any of three");
    rig.said();
    let leg = rig.leg_of("1002");
    rig.leg(leg, LegEvent::Answered);
    let said = rig.said();
    assert!(said.contains("queue: default/1002 answered") && !said.contains("HangUp"), "{said}");
    answered_elsewhere(&mut rig, "1001");
    answered_elsewhere(&mut rig, "1003");
    let said = rig.said();
    for who in ["1001", "1003"] {
        assert!(said.contains(&format!("{who}: HangUp {{ cause: AnsweredElsewhere }}")), "{said}");
    }
    assert!(!said.contains("queue:"), "{said}");
    rig.hangs_up(leg, Cause::Normal, None);
    rig.nothing_left();
    let cdr = rig.cdr();
    assert_eq!(cdr.agent, Some(agent("1002")));
    let causes: Vec<Cause> = cdr.legs.iter().skip(1).map(|leg| leg.cause).collect();
    assert_eq!(causes, [Cause::AnsweredElsewhere, Cause::Normal, Cause::AnsweredElsewhere]);
}

/// Two answers cross each other and the queue's word that it has withdrawn the first: the second phone is let go, the first
/// agent too, and the third rings on for the caller, who waits again.
#[test]
fn answers_that_cross_leave_the_caller_with_who_still_rings() {
    let mut rig = Rig::waiting();
    for who in ["1001", "1002", "1003"] {
        rig.offer(who);
    }
    let [first, second, third] = ["1001", "1002", "1003"].map(|who| rig.leg_of(who));
    rig.leg(first, LegEvent::Answered);
    rig.said();
    rig.leg(second, LegEvent::Answered);
    let said = rig.said();
    assert!(said.contains("1002: HangUp { cause: AnsweredElsewhere }"), "{said}");
    assert!(said.contains("queue: default/1002 failed AnsweredElsewhere"), "{said}");
    withdraw(&mut rig, "1001");
    assert!(rig.plays(rig.caller), "his music again");
    rig.leg(third, LegEvent::Answered);
    assert!(rig.said().contains("queue: default/1003 answered"));
    rig.hangs_up(rig.caller, Cause::Normal, None);
    rig.nothing_left();
    assert_eq!(rig.cdr().agent, Some(agent("1003")));
}

#[test]
fn a_caller_is_answered_when_the_queue_takes_him_and_hears_then_what_it_said() {
    let mut rig = Rig::new();
    rig.phones = false;
    rig.incoming();
    rig.route(Destination::Queue(queue("sales")));
    let said = rig.said();
    assert!(said.contains("queue: enter") && !said.contains("Answer"), "{said}");
    rig.music();
    let call = rig.call;
    rig.tell(CallInput::Position { call, announcement: vec![asset("third")] });
    let said = rig.said();
    assert!(said.contains("alice: Answer") && !said.contains("play"), "{said}");
    rig.leg(rig.caller, LegEvent::Answered);
    let said = rig.said();
    assert!(said.contains("play to alice: third") && !said.contains("music"), "{said}");
    rig.play_ends(rig.caller);
    assert!(rig.said().contains("play to alice: music for ever"));
}

#[test]
fn a_caller_who_heard_something_before_the_answer_is_answered_all_the_same() {
    let mut rig = Rig::new();
    rig.phones = false;
    rig.incoming();
    rig.route(Destination::Flow(flow("menu")));
    rig.verb(Verb::Play { items: vec![asset("welcome")], barge_in: false });
    assert!(rig.said().contains("alice: EarlyMedia"));
    rig.play_ends(rig.caller);
    rig.verb(Verb::Transfer { to: Destination::Queue(queue("sales")) });
    rig.music();
    assert!(rig.said().contains("alice: Answer"));
}

#[test]
fn a_caller_whom_the_queue_does_not_take_is_never_answered() {
    for end in [QueueEnd::Full, QueueEnd::NobodySignedIn] {
        let mut rig = Rig::new();
        rig.incoming();
        rig.route(Destination::Queue(queue("sales")));
        let call = rig.call;
        rig.tell(CallInput::QueueEnded { call, end, overflow: None });
        assert!(!rig.said().contains("Answer"));
        assert_eq!((rig.ended(), rig.cdr().answered), ((Cause::QueueFull, Party::Switch), None));
        rig.nothing_left();
    }
}
