//! The rules about callers, one test each.

use super::bench::*;
use crate::{AcdInput, AcdOutput, Outcome, RING_MARGIN};
use cordboard_model::cause::Cause;
use cordboard_model::id::{CallId, QueueId, TenantId, UserId};
use cordboard_model::service::{AgentOrder, Spare};
use cordboard_model::time::Duration;
use cordboard_model::verb::QueueEnd;
use cordboard_model::view::AgentStatus;

#[test]
fn the_longest_waiting_caller_is_served_first() {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    for n in 1..=3 {
        b.enter(n);
        b.pass(100);
    }
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.answer(1, "1001");
    b.release(1, "1001");
    b.pass(10_000);
    assert_eq!(b.offers(), [to(2, "1001")]);
}

#[test]
fn callers_of_one_moment_are_served_as_they_came() {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    b.enter(9);
    b.enter(3);
    assert_eq!(b.waiting("sales"), [9, 3]);
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(9, "1001")]);
}

#[test]
fn priority_overtakes_the_lower_and_nobody_of_its_own() {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    for (n, priority) in [(1, 0), (2, 5), (3, 5), (4, 9)] {
        b.enter_as(n, "sales", priority);
        b.pass(100);
    }
    assert_eq!(b.waiting("sales"), [4, 2, 3, 1]);
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(4, "1001")]);
}

/// Whoever asked to wait only while the queue is staffed is sent back at once, and when the last agent signs out; the
/// others wait on.
#[test]
fn who_waits_for_a_staffed_queue_leaves_it_with_the_last_agent() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.not_ready("1001");
    b.not_ready("1002");
    b.enter_staffed(1);
    b.enter(2);
    b.enter_staffed(3);
    assert_eq!(b.waiting("sales"), [1, 2, 3]);
    b.take();
    b.sign_out("1001");
    assert_eq!(b.ends(), [], "one is still there");
    b.sign_out("1002");
    assert_eq!(b.ends(), [(1, QueueEnd::NobodySignedIn), (3, QueueEnd::NobodySignedIn)]);
    assert_eq!(b.left(), [(1, Outcome::NobodySignedIn), (3, Outcome::NobodySignedIn)]);
    assert_eq!(b.waiting("sales"), [2]);
    b.take();
    b.enter_staffed(4);
    assert_eq!(b.ends(), [(4, QueueEnd::NobodySignedIn)]);
    assert_eq!(b.left(), [], "it never entered");
}

/// A reload that takes the last agent from a queue is the same to who waits there.
#[test]
fn who_waits_for_a_staffed_queue_leaves_it_when_a_reload_takes_its_last_agent() {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    b.enter_staffed(1);
    b.take();
    let mut elsewhere = b.remove_agent("1001");
    elsewhere.queues.clear();
    b.put_agent(elsewhere);
    b.configure();
    assert_eq!(b.ends(), [(1, QueueEnd::NobodySignedIn)]);
}

#[test]
fn the_position_at_entry_counts_only_those_served_before() {
    let mut b = Bench::with_agents(&[]);
    let mut positions = Vec::new();
    for (n, priority) in [(1, 0), (2, 5), (3, 0), (4, 5), (5, 9)] {
        b.enter_as(n, "sales", priority);
        for output in b.take() {
            if let AcdOutput::Entered { position, .. } = output {
                positions.push(position);
            }
        }
    }
    assert_eq!(positions, [1, 1, 3, 2, 1]);
    assert_eq!(b.waiting("sales"), [5, 2, 4, 1, 3]);
}

#[test]
fn an_agent_of_several_queues_takes_the_longest_waiting_over_them() {
    let config = snapshot(
        vec![queue_config("help"), queue_config("sales")],
        vec![agent_config("1001", &["help", "sales"])],
    );
    let mut b = Bench::of(config);
    b.enter_as(1, "sales", 0);
    b.pass(100);
    b.enter_as(2, "help", 0);
    b.pass(100);
    b.enter_as(3, "help", 1);
    b.arrive("1001");
    assert_eq!(b.offers(), [to(3, "1001")], "priority before wait");
    b.answer(3, "1001");
    b.release(3, "1001");
    b.pass(10_000);
    assert_eq!(b.offers(), [to(1, "1001")], "then the longest wait, whichever queue");
}

#[test]
fn after_no_answer_the_caller_is_at_the_head_with_his_wait() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.not_ready("1002");
    b.enter(1);
    b.pass(1_000);
    b.enter(2);
    let since = b.engine.queues(T)[0].waiting[0].since;
    b.rings(1, "1001");
    b.pass(19_000);
    b.take();
    b.fail(1, "1001", Cause::NoAnswer);
    assert_eq!(b.offers(), []);
    assert_eq!(b.waiting("sales"), [1, 2]);
    assert_eq!(b.engine.queues(T)[0].waiting[0].since, since);
    b.ready("1002").unwrap();
    assert_eq!(b.offers(), [to(1, "1002")]);
}

#[test]
fn a_failed_offer_goes_to_the_next_agent_at_once() {
    for cause in [Cause::NoAnswer, Cause::Busy, Cause::Declined, Cause::Unreachable] {
        let mut b = Bench::with_agents(&["1001", "1002"]);
        b.enter(1);
        assert_eq!(b.offers(), [to(1, "1001")]);
        b.fail(1, "1001", cause);
        assert_eq!(b.offers(), [to(1, "1002")], "{cause:?}");
    }
}

/// Field report: a switch rang one agent for one caller hundreds of times a minute because a
/// refusal led to the next offer in the same moment.
#[test]
fn no_caller_is_offered_to_the_same_failing_agent_without_delay() {
    for cause in [
        Cause::NoAnswer,
        Cause::Busy,
        Cause::Declined,
        Cause::NotRegistered,
        Cause::Unreachable,
        Cause::Congestion,
        Cause::Forbidden,
        Cause::Cancelled,
        Cause::InternalError,
    ] {
        let mut b = Bench::with_agents(&["1001"]);
        no_rest(b.queue_mut("sales"));
        b.configure();
        b.enter(1);
        b.take();
        b.fail(1, "1001", cause);
        b.pass(4_999);
        assert_eq!(b.offers(), [], "{cause:?}");
        b.pass(30_001);
        assert_eq!(b.offers().first(), Some(&to(1, "1001")), "{cause:?}");
    }
}

/// A switch that had no port free sent its agents away for that, as if their phones could not be reached.
#[test]
fn who_could_not_be_rung_for_want_of_a_line_pays_nothing_for_it() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.queue_mut("sales").service.unanswered.unreachable = Spare::SignOut;
    b.configure();
    b.pass(10_000);
    b.enter_for(1, "1001", None);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.fail(1, "1001", Cause::Congestion);
    let view = b.engine.agent(&agent("1001")).unwrap();
    assert_eq!(view.status, AgentStatus::Ready);
    assert!(view.why.contains("the switch had no line to ring him; next at "), "{}", view.why);
    // he waits for him alone all the same, and each time a little longer
    for pause in [5_000, 10_000, 20_000, 30_000, 30_000] {
        b.pass(pause - 1);
        assert_eq!(b.offers(), [], "{pause}");
        b.pass(1);
        assert_eq!(b.offers(), [to(1, "1001")], "{pause}");
        b.fail(1, "1001", Cause::Congestion);
    }
    b.pass(30_000);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.answer(1, "1001");
    b.release(1, "1001");
    b.pass(10_000);
    b.take();
    // another is before him that has been idle for longer; whom no line was found for keeps his turn
    b.enter(2);
    assert_eq!(b.offers(), [to(2, "1002")]);
    b.fail(2, "1002", Cause::Congestion);
    assert_eq!(b.offers(), [to(2, "1001")]);
    b.pass(5_000);
    b.enter(3);
    assert_eq!(b.offers(), [to(3, "1002")], "after five seconds: it was not in a row");
    b.fail(3, "1002", Cause::Unreachable);
    assert_eq!(b.engine.agent(&agent("1002")).unwrap().status, AgentStatus::SignedOut);
}

#[test]
fn the_queue_limits_the_wait() {
    let mut b = Bench::with_agents(&[]);
    b.enter(1);
    b.pass(299_999);
    assert_eq!(b.ends(), []);
    b.pass(1);
    assert_eq!(b.ends(), [(1, QueueEnd::Timeout)]);
    assert_eq!(b.left(), [(1, Outcome::Timeout)]);
    assert_eq!(b.engine.queues(T)[0].timed_out, 1);
    assert_eq!(b.engine.poll_timeout(), None);
}

#[test]
fn the_flow_may_shorten_the_wait_but_not_stretch_it() {
    for (asked, ends_at) in [(5_000, 5_000), (900_000, 300_000)] {
        let mut b = Bench::with_agents(&[]);
        b.tell(AcdInput::Enter {
            call: call(1),
            queue: queue("sales"),
            timeout_ms: Some(asked),
            priority: 0,
            staffed: false,
            wish: None,
        });
        b.pass(ends_at - 1);
        assert_eq!(b.ends(), [], "{asked}");
        b.pass(1);
        assert_eq!(b.ends(), [(1, QueueEnd::Timeout)], "{asked}");
    }
}

#[test]
fn a_full_queue_takes_no_more() {
    let mut b = Bench::with_agents(&[]);
    b.queue_mut("sales").max_length = 2;
    b.configure();
    for n in 1..=3 {
        b.enter(n);
    }
    assert_eq!(b.ends(), [(3, QueueEnd::Full)]);
    assert_eq!(b.left(), [], "it never entered");
    assert_eq!(b.engine.queues(T)[0].offered, 2);
    b.abandon(1);
    b.enter(4);
    assert_eq!(b.waiting("sales"), [2, 4]);
}

#[test]
fn a_queue_without_agents_lets_callers_wait() {
    let mut b = Bench::with_agents(&["1001"]);
    b.sign_out("1001");
    b.enter(1);
    b.pass(60_000);
    assert_eq!((b.ends(), b.waiting("sales")), (vec![], vec![1]));
}

#[test]
fn an_unknown_queue_is_gone() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter_as(1, "nowhere", 0);
    assert_eq!(b.ends(), [(1, QueueEnd::Gone)]);
}

#[test]
fn a_call_cannot_enter_the_queue_of_another_tenant() {
    let mut b = Bench::with_agents(&["1001"]);
    let acme = TenantId::new("acme").unwrap();
    let stranger = CallId { tenant: acme, ..call(1) };
    b.tell(AcdInput::Enter {
        call: stranger,
        queue: queue("sales"),
        timeout_ms: None,
        priority: 0,
        staffed: false,
        wish: None,
    });
    assert_eq!(b.ends(), [(1, QueueEnd::Gone)]);
    assert_eq!(b.offers(), []);
}

#[test]
fn the_same_names_in_two_tenants_never_meet() {
    let acme = TenantId::new("acme").unwrap();
    let mut config = snapshot(vec![queue_config("sales")], vec![agent_config("1001", &["sales"])]);
    let mut other = config.tenants[&T].clone();
    other.id = acme;
    for q in other.queues.values_mut() {
        q.id.tenant = acme;
    }
    for a in other.agents.values_mut() {
        a.id.tenant = acme;
        a.auto_sign_in = true;
        a.user.tenant = acme;
        // A reference across tenants, which no checked configuration has.
        a.queues.insert(0, queue("sales"));
        a.queues[1].tenant = acme;
    }
    config.tenants.insert(acme, other);
    let mut b = Bench::of(config);
    b.enter(7);
    let other = other_user(acme);
    b.tell(AcdInput::Contacts { user: other, count: 1 });
    assert_eq!(b.offers(), [], "acme/1001 is free, default/1001 is not");
    assert_eq!(b.waiting("sales"), [7]);
    b.tell(AcdInput::Enter {
        call: CallId { tenant: acme, ..call(7) },
        queue: QueueId { tenant: acme, ..queue("sales") },
        timeout_ms: None,
        priority: 0,
        staffed: false,
        wish: None,
    });
    assert_eq!(b.offers(), [to(7, "1001")]);
    assert_eq!(b.status("1001"), AgentStatus::SignedOut);
    assert_eq!(b.engine.agents(acme)[0].status, AgentStatus::Ringing);
}

fn other_user(tenant: TenantId) -> UserId {
    UserId { tenant, ..user("1001") }
}

#[test]
fn a_removed_queue_ends_the_wait_of_its_callers() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.enter(2);
    b.take();
    b.remove_queue("sales");
    b.configure();
    assert_eq!(b.withdrawn(), [to(1, "1001")]);
    assert_eq!(b.ends(), [(1, QueueEnd::Gone), (2, QueueEnd::Gone)]);
    assert_eq!(b.went("1001"), [AgentStatus::Ready]);
    assert!(b.engine.queues(T).is_empty());
    assert!(b.engine.is_quiescent());
}

#[test]
fn a_queue_and_an_agent_that_come_later_are_used() {
    let mut b = Bench::with_agents(&[]);
    b.enter(1);
    b.contacts("1001", 1);
    let mut newcomer = agent_config("1001", &["sales"]);
    newcomer.auto_sign_in = true;
    b.take();
    b.put_agent(newcomer);
    b.configure();
    assert_eq!(b.went("1001"), [AgentStatus::Ready, AgentStatus::Ringing]);
    assert_eq!(b.offers(), [to(1, "1001")]);
}

#[test]
fn callers_keep_place_and_limits_over_a_reload() {
    let mut b = Bench::with_agents(&[]);
    b.enter(1);
    b.pass(1_000);
    b.enter(2);
    let queue = b.queue_mut("sales");
    queue.max_wait = Duration::from_secs(1);
    queue.max_length = 1;
    b.configure();
    assert_eq!((b.ends(), b.waiting("sales")), (vec![], vec![1, 2]));
    b.pass(298_999);
    assert_eq!(b.ends(), []);
    b.pass(1);
    assert_eq!(b.ends(), [(1, QueueEnd::Timeout)]);
}

#[test]
fn a_call_that_enters_again_is_moved() {
    let config =
        snapshot(vec![queue_config("help"), queue_config("sales")], vec![agent_config("1001", &["sales"])]);
    let mut b = Bench::of(config);
    b.arrive("1001");
    b.enter_as(1, "sales", 0);
    b.take();
    b.enter_as(1, "help", 0);
    assert_eq!(b.left(), [(1, Outcome::Moved)]);
    assert_eq!(b.withdrawn(), [to(1, "1001")]);
    assert_eq!(b.waiting("help"), [1]);
    assert_eq!(b.waiting("sales"), [0_u64; 0]);
}

#[test]
fn the_place_is_announced_at_entry_and_then_at_the_interval() {
    let mut b = Bench::with_agents(&[]);
    b.queue_mut("sales").announce_every = Some(Duration::from_secs(30));
    b.configure();
    b.enter(1);
    b.pass(10_000);
    b.enter(2);
    let said = |b: &mut Bench| -> Vec<(u64, u32)> {
        let say = |o: &AcdOutput| match o {
            AcdOutput::Position { call, position, .. } => Some((call.number, *position)),
            _ => None,
        };
        b.take().iter().filter_map(say).collect()
    };
    assert_eq!(said(&mut b), [(1, 1), (2, 2)]);
    b.pass(20_000);
    assert_eq!(said(&mut b), [(1, 1)]);
    b.abandon(1);
    b.pass(10_000);
    assert_eq!(said(&mut b), [(2, 1)]);
    b.abandon(2);
    b.pass(100_000);
    assert_eq!(said(&mut b), []);
}

#[test]
fn the_wait_is_told_by_how_far_apart_callers_are_answered_while_others_wait() {
    let mut b = Bench::with_agents(&["1001"]);
    b.queue_mut("sales").announce_every = Some(Duration::from_secs(3_600));
    b.configure();
    let told = |b: &mut Bench| -> Vec<Option<u64>> {
        let wait = |o: &AcdOutput| match o {
            AcdOutput::Position { wait, .. } => Some(wait.map(|wait| wait.as_secs())),
            _ => None,
        };
        b.take().iter().filter_map(wait).collect()
    };
    let id = queue("sales");
    assert_eq!(b.engine.queue_state(&id, b.now).unwrap().wait, Some(0), "somebody is ready");
    b.enter(1);
    b.answer(1, "1001");
    assert_eq!(b.engine.queue_state(&id, b.now).unwrap().wait, None, "nothing to go by");
    // Nobody waited between the first answer and the second call: the time between says nothing of the pace.
    b.pass(50_000);
    b.release(1, "1001");
    b.pass(10_000);
    b.enter(2);
    b.answer(2, "1001");
    b.enter(3);
    b.enter(4);
    assert_eq!(told(&mut b), [None, None, None, None]);
    b.pass(40_000);
    b.release(2, "1001");
    b.pass(10_000);
    b.answer(3, "1001");
    b.enter(5);
    assert_eq!(told(&mut b), [Some(100)], "second in the queue, at one answer every 50 seconds");
    let state = b.engine.queue_state(&id, b.now).unwrap();
    assert_eq!((state.waiting, state.agents, state.ready, state.full), (2, 1, 0, false));
    assert_eq!(state.wait, Some(150));
}

#[test]
fn an_announcement_interval_of_nothing_does_not_stop_the_switch() {
    let mut b = Bench::with_agents(&[]);
    b.queue_mut("sales").announce_every = Some(Duration::ZERO);
    b.configure();
    b.enter(1);
    b.take();
    b.pass(3_000);
    assert_eq!(b.take().len(), 3);
}

#[test]
fn the_reason_of_an_offer_holds_the_terms_it_was_made_by() {
    let mut b = Bench::with_agents(&["1001", "1002", "1003"]);
    b.not_ready("1001");
    b.not_ready("1002");
    b.not_ready("1003");
    for (n, priority) in [(1, 0), (2, 7), (3, 0)] {
        b.enter_as(n, "sales", priority);
    }
    b.pass(2_500);
    b.take();
    b.ready("1001").unwrap();
    b.answer(2, "1001");
    let why = |out: Vec<AcdOutput>| -> Vec<String> {
        let why = |o: AcdOutput| match o {
            AcdOutput::Offer { why, .. } => Some(why),
            _ => None,
        };
        out.into_iter().filter_map(why).collect()
    };
    assert_eq!(
        why(b.take()),
        ["caller: priority 7, waited 2.500 s, before 2 others in default/sales; \
          agent: idle 0.000 s, before 0 others free there"]
    );
    b.abandon(1);
    b.abandon(3);
    b.ready("1002").unwrap();
    b.pass(1_250);
    b.ready("1003").unwrap();
    b.enter(4);
    assert_eq!(
        why(b.take()),
        ["caller: priority 0, waited 0.000 s, before 0 others in default/sales; \
          agent: idle 1.250 s, before 1 others free there"]
    );
}

/// Field report: agents stayed reserved for ever when the leg's report was lost.
#[test]
fn an_offer_that_nobody_reports_on_is_given_up() {
    for (rang, status) in [(true, AgentStatus::Rest), (false, AgentStatus::Ready)] {
        let mut b = Bench::with_agents(&["1001"]);
        b.enter(1);
        if rang {
            b.rings(1, "1001");
        }
        let margin = u64::try_from(RING_MARGIN.as_millis()).unwrap();
        b.pass(20_000 + margin - 1);
        assert_eq!(b.status("1001"), AgentStatus::Ringing);
        b.take();
        b.pass(1);
        assert_eq!(b.withdrawn(), [to(1, "1001")]);
        assert_eq!(b.status("1001"), status);
        b.take();
        b.answer(1, "1001");
        assert_eq!(b.take(), [], "an answer that crosses the withdrawal is too late");
    }
}

#[test]
fn figures_of_a_queue_add_up() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.enter(2);
    b.abandon(2);
    b.enter(3);
    b.pass(300_000);
    b.enter(4);
    let view = &b.engine.queues(T)[0];
    let figures = [view.offered, view.answered, view.abandoned, view.timed_out];
    assert_eq!(figures, [4, 1, 1, 1]);
    assert_eq!(view.waiting.len(), 1);
    assert_eq!((view.agents_signed_in, view.agents_ready), (1, 0));
    assert_eq!(b.engine.agent(&agent("1001")).unwrap().handled, 1);
}

#[test]
fn ten_thousand_callers_of_fifty_queues_are_served_in_the_order_they_came() {
    let name = |q: usize| format!("q{q:02}");
    let queues = (0..50).map(|q| config_of(&name(q))).collect();
    let mut agents = Vec::new();
    for a in 0..1_000 {
        let mut config = agent_config(&format!("a{a:04}"), &[]);
        config.queues = (0..3).map(|k| queue(&name((a + 17 * k) % 50))).collect();
        agents.push(config);
    }
    let mut b = Bulk::of(snapshot(queues, agents));
    for n in 0..10_000 {
        b.enter(n, &name(usize::try_from(n).unwrap() % 50));
    }
    for a in 0..1_000 {
        b.arrive(&format!("a{a:04}"));
    }
    let mut last = std::collections::BTreeMap::new();
    let mut served = 0;
    while let Some(output) = b.engine.poll_output() {
        let AcdOutput::Offer { call, queue, agent, .. } = output else {
            continue;
        };
        let before = last.insert(queue.clone(), call.number);
        assert!(before < Some(call.number), "{queue}: {before:?} before {call}");
        served += 1;
        b.serve(call, agent);
    }
    assert_eq!(served, 10_000);
    assert!(b.engine.is_quiescent());
}

fn config_of(name: &str) -> cordboard_model::config::Queue {
    let mut queue = queue_config(name);
    queue.max_length = 1_000;
    queue.wrap_up = Duration::ZERO;
    queue
}

/// The bench without checks after each step, for large numbers.
struct Bulk {
    engine: crate::AcdEngine,
    now: cordboard_model::time::Time,
}

impl Bulk {
    fn of(config: cordboard_model::config::Snapshot) -> Self {
        let b = Bench::of(config);
        Self { engine: b.engine, now: b.now }
    }

    fn tell(&mut self, input: AcdInput) {
        self.now = self.now + Duration::from_millis(1);
        self.engine.handle_input(input, self.now);
    }

    fn enter(&mut self, n: u64, name: &str) {
        self.tell(AcdInput::Enter {
            call: call(n),
            queue: queue(name),
            timeout_ms: None,
            priority: 0,
            staffed: false,
            wish: None,
        });
    }

    fn arrive(&mut self, name: &str) {
        let (user, count, agent) = (user(name), 1, agent(name));
        self.tell(AcdInput::Contacts { user, count });
        let sign_in = order(agent.name.as_str(), AgentOrder::SignIn);
        self.engine.handle_command(sign_in, self.now).unwrap();
        let ready = order(agent.name.as_str(), AgentOrder::Ready);
        self.engine.handle_command(ready, self.now).unwrap();
    }

    fn serve(&mut self, call: CallId, agent: cordboard_model::id::AgentId) {
        let who = agent.clone();
        self.tell(AcdInput::OfferAnswered { call, agent: who });
        self.tell(AcdInput::AgentReleased { call, agent });
    }
}
