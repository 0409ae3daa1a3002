//! The rules about agents, one test each.

use super::bench::*;
use crate::{AcdCommand, AcdInput, AcdOutput, Outcome, RefusedReason};
use cordboard_model::cause::Cause;
use cordboard_model::service::AgentOrder;
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_model::view::AgentStatus::{self, *};

/// Something that happens on the bench.
type Step = fn(&mut Bench);

#[test]
fn the_agent_idle_longest_is_taken() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.answer(1, "1001");
    b.release(1, "1001");
    b.pass(10_000);
    b.enter(2);
    assert_eq!(b.offers(), [to(2, "1002")]);
}

#[test]
fn agents_idle_equally_long_are_taken_by_work_number() {
    let agents = ["1003", "1001", "1002"].map(|n| agent_config(n, &["sales"]));
    let mut b = Bench::of(snapshot(vec![queue_config("sales")], agents.to_vec()));
    for name in ["1003", "1002", "1001"] {
        b.arrive(name);
    }
    for n in 1..=3 {
        b.enter(n);
    }
    let order = [to(1, "1001"), to(2, "1002"), to(3, "1003")];
    assert_eq!(b.offers(), order);
}

#[test]
fn ring_no_answer_sends_the_agent_to_rest() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.rings(1, "1001");
    b.take();
    b.fail(1, "1001", Cause::NoAnswer);
    assert_eq!(b.went("1001"), [Rest]);
    b.pass(200_000);
    assert_eq!(b.offers(), [], "rest has no end of its own");
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(1, "1001")]);
}

#[test]
fn ring_no_answer_leaves_him_ready_where_the_queue_says_so_and_last_in_line() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    no_rest(b.queue_mut("sales"));
    b.configure();
    b.enter(1);
    b.fail(1, "1001", Cause::NoAnswer);
    assert_eq!(b.status("1001"), Ready);
    b.fail(1, "1002", Cause::NoAnswer);
    b.take();
    b.pass(5_000);
    assert_eq!(b.offers(), [to(1, "1001")]);
}

/// Field report: agents were sent to rest because callers lost patience while it rang.
#[test]
fn a_caller_who_hangs_up_while_it_rings_costs_the_agent_nothing() {
    for by_report in [false, true] {
        let mut b = Bench::with_agents(&["1001", "1002"]);
        b.enter(1);
        b.rings(1, "1001");
        b.pass(15_000);
        b.take();
        match by_report {
            false => b.abandon(1),
            true => b.tell(AcdInput::OfferFailed {
                call: call(1),
                agent: agent("1001"),
                why: Cause::NoAnswer,
                caller_gone: true,
            }),
        }
        assert_eq!(b.went("1001"), [Ready]);
        assert_eq!(b.left(), [(1, Outcome::Abandoned)]);
        assert_eq!(b.withdrawn().is_empty(), by_report, "his leg is down only if reported");
        b.take();
        b.enter(2);
        assert_eq!(b.offers(), [to(2, "1001")], "he is still idle longest");
    }
}

#[test]
fn a_late_report_that_the_caller_is_gone_stops_the_agent_who_rings_now() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.enter(1);
    b.fail(1, "1001", Cause::Busy);
    b.take();
    b.tell(AcdInput::OfferFailed {
        call: call(1),
        agent: agent("1001"),
        why: Cause::Cancelled,
        caller_gone: true,
    });
    assert_eq!(b.withdrawn(), [to(1, "1002")]);
    assert_eq!(b.status("1002"), Ready);
}

#[test]
fn busy_and_declined_leave_him_ready_after_a_short_penalty() {
    for cause in [Cause::Busy, Cause::Declined] {
        let mut b = Bench::with_agents(&["1001"]);
        b.enter(1);
        b.take();
        b.fail(1, "1001", cause);
        assert_eq!(b.went("1001"), [Ready]);
        let word = cause.as_str();
        let explain = b.explain("1001");
        assert!(explain.contains(&format!("the last offer failed ({word}); next at 12:00:07")), "{explain}");
        b.take();
        b.pass(4_999);
        assert_eq!(b.offers(), []);
        b.pass(1);
        assert_eq!(b.offers(), [to(1, "1001")]);
    }
}

#[test]
fn an_unreachable_device_is_skipped_until_registrations_change_or_time_passes() {
    for cause in [Cause::Unreachable, Cause::NotRegistered] {
        for registers in [true, false] {
            let mut b = Bench::with_agents(&["1001"]);
            b.enter(1);
            b.fail(1, "1001", cause);
            b.take();
            b.pass(29_999);
            assert_eq!(b.offers(), []);
            match registers {
                true => b.contacts("1001", 2),
                false => b.pass(1),
            }
            assert_eq!(b.offers(), [to(1, "1001")]);
        }
    }
}

#[test]
fn a_refreshed_registration_is_no_change() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.fail(1, "1001", Cause::Unreachable);
    b.take();
    b.contacts("1001", 1);
    assert_eq!(b.offers(), []);
}

#[test]
fn a_busy_agent_is_not_forgiven_by_a_registration() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.fail(1, "1001", Cause::Busy);
    b.take();
    b.contacts("1001", 2);
    assert_eq!(b.offers(), []);
}

#[test]
fn an_agent_without_device_is_not_offered_calls_and_explain_says_so() {
    let mut b = Bench::with_agents(&["1001"]);
    b.contacts("1001", 0);
    b.enter(1);
    assert_eq!(b.offers(), []);
    assert_eq!(b.status("1001"), Ready);
    assert_eq!(
        b.explain("1001"),
        "agent default/1001 (Agent 1001) is ready since 12:00:01 UTC: asked for it. \
         He gets no calls: account default/1001 has no registered device. \
         Serves default/sales (1 waiting)."
    );
    b.contacts("1001", 1);
    assert_eq!(b.offers(), [to(1, "1001")]);
}

#[test]
fn wrap_up_ends_at_its_deadline() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.take();
    b.release(1, "1001");
    assert_eq!(b.went("1001"), [WrapUp]);
    let view = b.engine.agent(&agent("1001")).unwrap();
    assert_eq!(view.until, Some(Wall(view.since.0 + 10_000)));
    b.enter(2);
    b.pass(9_999);
    assert_eq!(b.offers(), []);
    b.pass(1);
    assert_eq!(b.went("1001"), [Ready, Ringing]);
    assert_eq!(b.offers(), [to(2, "1001")]);
}

#[test]
fn an_agent_ends_his_wrap_up_by_saying_what_he_wants() {
    let wishes: [(Step, AgentStatus); 4] = [
        (|b| b.ready("1001").unwrap(), Ready),
        (|b| b.not_ready("1001"), NotReady),
        (|b| b.rest("1001"), Rest),
        (|b| b.sign_out("1001"), SignedOut),
    ];
    for (wish, status) in wishes {
        let mut b = Bench::with_agents(&["1001"]);
        b.enter(1);
        b.answer(1, "1001");
        b.release(1, "1001");
        wish(&mut b);
        assert_eq!(b.status("1001"), status);
        assert_eq!(b.engine.poll_timeout(), None);
    }
}

#[test]
fn a_queue_without_wrap_up_makes_him_ready_at_once() {
    let mut b = Bench::with_agents(&["1001"]);
    b.queue_mut("sales").wrap_up = Duration::ZERO;
    b.configure();
    b.enter(1);
    b.answer(1, "1001");
    b.take();
    b.release(1, "1001");
    assert_eq!(b.went("1001"), [Ready]);
}

#[test]
fn signing_out_while_talking_takes_effect_after_the_call() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.take();
    b.sign_out("1001");
    assert_eq!(b.went("1001"), []);
    assert!(b.explain("1001").contains("After the call he will be signed out."));
    b.release(1, "1001");
    assert_eq!(b.went("1001"), [SignedOut], "without wrap-up");
}

#[test]
fn signing_in_again_takes_back_a_sign_out_that_waits() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.sign_out("1001");
    b.sign_in("1001");
    b.take();
    b.release(1, "1001");
    b.pass(10_000);
    assert_eq!(b.went("1001"), [WrapUp, Ready]);
}

#[test]
fn a_rest_asked_for_while_talking_comes_after_the_wrap_up() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.take();
    b.rest("1001");
    b.release(1, "1001");
    b.pass(10_000);
    assert_eq!(b.went("1001"), [WrapUp, Rest]);
}

#[test]
fn not_ready_while_it_rings_takes_the_offer_back() {
    let wishes: [(Step, AgentStatus); 3] = [
        (|b| b.not_ready("1001"), NotReady),
        (|b| b.rest("1001"), Rest),
        (|b| b.sign_out("1001"), SignedOut),
    ];
    for (wish, status) in wishes {
        let mut b = Bench::with_agents(&["1001", "1002"]);
        b.enter(1);
        b.take();
        wish(&mut b);
        assert_eq!(b.withdrawn(), [to(1, "1001")]);
        assert_eq!(b.went("1001"), [status]);
        assert_eq!(b.offers(), [to(1, "1002")]);
    }
}

#[test]
fn commands_are_refused_to_strangers_and_to_the_signed_out() {
    let mut b = Bench::with_agents(&["1001"]);
    b.sign_out("1001");
    let refused = b.ready("1001").unwrap_err();
    assert_eq!(refused.reason, RefusedReason::SignedOut);
    assert_eq!(refused.why, "agent default/1001 is not signed in");
    let agent = agent("7777");
    let refused = b.command(AcdCommand::Order { agent, what: AgentOrder::SignIn, by: None }).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::NoSuchAgent);
    b.sign_out("1001");
    assert_eq!(b.status("1001"), SignedOut, "signing out twice is no mistake");
}

#[test]
fn an_agent_removed_while_talking_finishes_and_goes() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.enter(2);
    b.take();
    b.remove_agent("1001");
    b.configure();
    assert_eq!(b.status("1001"), Talking);
    let refused = b.ready("1001").unwrap_err();
    assert_eq!(refused.reason, RefusedReason::NoSuchAgent);
    b.release(1, "1001");
    assert_eq!(b.went("1001"), [SignedOut]);
    assert_eq!(b.engine.agent(&agent("1001")), None);
    assert_eq!(b.waiting("sales"), [2]);
}

#[test]
fn an_agent_who_comes_back_before_his_last_call_ends_stays() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    let config = b.remove_agent("1001");
    b.configure();
    b.put_agent(config);
    b.configure();
    b.take();
    b.release(1, "1001");
    b.pass(10_000);
    assert_eq!(b.went("1001"), [WrapUp, Ready]);
}

#[test]
fn an_agent_removed_while_it_rings_gives_the_caller_back() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.enter(1);
    b.take();
    b.remove_agent("1001");
    b.configure();
    assert_eq!(b.withdrawn(), [to(1, "1001")]);
    assert_eq!(b.went("1001"), [SignedOut]);
    assert_eq!(b.offers(), [to(1, "1002")]);
}

#[test]
fn an_agent_who_gets_another_queue_serves_it() {
    let config =
        snapshot(vec![queue_config("help"), queue_config("sales")], vec![agent_config("1001", &["sales"])]);
    let mut b = Bench::of(config);
    b.arrive("1001");
    b.enter_as(1, "help", 0);
    assert_eq!(b.offers(), []);
    b.put_agent(agent_config("1001", &["help"]));
    b.configure();
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.answer(1, "1001");
    b.release(1, "1001");
    b.pass(10_000);
    b.enter_as(2, "sales", 0);
    assert_eq!(b.offers(), [], "he does not serve sales any more");
}

#[test]
fn after_a_restart_agents_are_as_they_were_without_their_calls() {
    let rows = [
        (SignedOut, SignedOut, true),
        (Ready, Ready, true),
        (NotReady, NotReady, true),
        (Rest, Rest, true),
        (Ringing, Ready, false),
        (Talking, Ready, false),
        (WrapUp, Ready, false),
    ];
    for (before, after, keeps_since) in rows {
        let mut b = Bench::of(snapshot(vec![queue_config("sales")], vec![agent_config("1001", &["sales"])]));
        let since = Wall(NOON.0 - 3_600_000);
        let (who, reason) = (agent("1001"), None);
        let restore = AcdCommand::RestoreAgent { agent: who, status: before, reason, limit: None, since };
        b.command(restore).unwrap();
        let view = b.engine.agent(&agent("1001")).unwrap();
        let expected = if keeps_since { since } else { Wall(NOON.0 + 1_000) };
        assert_eq!((view.status, view.since), (after, expected), "{before:?}");
    }
}

#[test]
fn what_the_journal_knew_goes_before_signing_in_by_itself() {
    let mut config = agent_config("1001", &["sales"]);
    config.auto_sign_in = true;
    let mut b = Bench::of(snapshot(vec![queue_config("sales")], vec![config]));
    assert_eq!(b.status("1001"), Ready);
    let restore = AcdCommand::RestoreAgent {
        agent: agent("1001"),
        status: SignedOut,
        reason: None,
        limit: None,
        since: NOON,
    };
    b.command(restore).unwrap();
    assert_eq!(b.went("1001"), [Ready, SignedOut]);
}

#[test]
fn the_order_of_idle_agents_survives_a_restart() {
    let agents = ["1001", "1002"].map(|n| agent_config(n, &["sales"]));
    let mut b = Bench::of(snapshot(vec![queue_config("sales")], agents.to_vec()));
    for (name, ago) in [("1001", 5_000), ("1002", 60_000)] {
        b.contacts(name, 1);
        let restore = AcdCommand::RestoreAgent {
            agent: agent(name),
            status: Ready,
            reason: None,
            limit: None,
            since: Wall(NOON.0 - ago),
        };
        b.command(restore).unwrap();
    }
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1002")]);
}

#[test]
fn a_call_outside_the_queues_makes_him_busy_and_free_after() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.outside("1001", Some(90));
    assert_eq!(b.went("1001"), [Talking]);
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1002")]);
    b.answer(1, "1002");
    b.enter(2);
    b.take();
    b.outside("1001", None);
    assert_eq!(b.went("1001"), [Ready, Ringing], "no wrap-up after it");
    assert_eq!(b.offers(), [to(2, "1001")]);
}

#[test]
fn a_call_outside_while_it_rings_takes_the_offer_back() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.enter(1);
    b.take();
    b.outside("1001", Some(90));
    assert_eq!(b.withdrawn(), [to(1, "1001")]);
    assert_eq!(b.offers(), [to(1, "1002")]);
    assert_eq!(b.status("1001"), Talking);
}

#[test]
fn the_queues_own_call_is_not_outside() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.take();
    b.outside("1001", Some(1));
    assert_eq!(b.take(), []);
    b.answer(1, "1001");
    b.take();
    b.outside("1001", Some(1));
    assert_eq!(b.take(), []);
}

#[test]
fn a_consultation_keeps_him_talking_after_the_queues_call() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.outside("1001", Some(90));
    b.take();
    b.release(1, "1001");
    let view = b.engine.agent(&agent("1001")).unwrap();
    assert_eq!((view.status, view.call), (Talking, Some(call(90))));
    b.pass(4_000);
    b.outside("1001", None);
    assert_eq!(b.status("1001"), WrapUp, "what is left of it");
    b.pass(5_999);
    assert_eq!(b.status("1001"), WrapUp);
    b.pass(1);
    assert_eq!(b.status("1001"), Ready);
}

#[test]
fn a_signed_out_agent_may_use_his_phone() {
    let mut b = Bench::with_agents(&["1001"]);
    b.sign_out("1001");
    b.take();
    b.outside("1001", Some(90));
    b.outside("1001", None);
    assert_eq!(b.take(), []);
}

/// The statuses that an agent did not ask for, each with what ends it when nothing else happens.
#[test]
fn every_transient_state_has_an_end() {
    let wrap_up: Step = |b| {
        b.enter(1);
        b.answer(1, "1001");
        b.release(1, "1001");
    };
    let cases: [(AgentStatus, Step, Duration); 2] = [
        (Ringing, |b| b.enter(1), Duration::from_secs(20) + crate::RING_MARGIN),
        (WrapUp, wrap_up, Duration::from_secs(10)),
    ];
    for (status, reach, longest) in cases {
        let mut b = Bench::with_agents(&["1001"]);
        reach(&mut b);
        assert_eq!(b.status("1001"), status);
        let view = b.engine.agent(&agent("1001")).unwrap();
        assert!(view.until.is_some(), "readers see when it ends");
        b.pass(u64::try_from(longest.as_millis()).unwrap());
        assert_ne!(b.status("1001"), status);
    }
    // Talking ends with its leg, whose length the call engine limits.
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    assert_eq!(b.engine.poll_timeout(), None);
    b.release(1, "1001");
    assert_ne!(b.status("1001"), Talking);
}

#[test]
fn reports_that_fit_nothing_change_nothing() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.enter(1);
    b.take();
    b.answer(1, "1002");
    b.answer(2, "1001");
    b.fail(1, "1002", Cause::NoAnswer);
    b.fail(2, "1001", Cause::NoAnswer);
    b.release(1, "1001");
    b.release(1, "1002");
    b.rings(1, "9999");
    b.outside("9999", Some(3));
    b.abandon(77);
    b.contacts("9999", 3);
    assert_eq!(b.take(), []);
    assert_eq!(b.status("1001"), Ringing);
}

#[test]
fn several_inputs_before_a_drain_are_legal() {
    let mut b = Bench::with_agents(&["1001"]);
    let at = |ms: u64| Time::from_millis(10_000 + ms);
    b.engine.handle_input(
        AcdInput::Enter {
            call: call(1),
            queue: queue("sales"),
            timeout_ms: None,
            priority: 0,
            staffed: false,
            wish: None,
        },
        at(0),
    );
    b.engine.handle_input(AcdInput::Abandoned { call: call(1) }, at(1));
    b.engine.handle_input(AcdInput::OfferAnswered { call: call(1), agent: agent("1001") }, at(2));
    b.now = at(3);
    b.pass(0);
    b.contacts("9999", 1);
    assert_eq!(b.withdrawn(), [to(1, "1001")], "the answered leg is taken down");
    assert_eq!(b.status("1001"), Ready);
    assert!(b.engine.is_quiescent());
}

#[test]
fn a_change_names_its_time_by_the_wall_clock() {
    let mut b = Bench::with_agents(&["1001"]);
    let at_zero = Wall(NOON.0 + 86_400_000);
    b.engine.set_wall(cordboard_model::time::WallClock { at_zero });
    b.rest("1001");
    let changed = b.take();
    let Some(AcdOutput::AgentChanged { since, .. }) = changed.last() else {
        unreachable!("{changed:?}");
    };
    assert_eq!(*since, Wall(at_zero.0 + 2_000));
}
