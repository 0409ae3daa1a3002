//! Those who are to be called back: their places, and their turns.

use super::bench::*;
use crate::{AcdCommand, AcdInput, AcdOutput, Outcome};
use cordboard_model::cause::Cause;
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::QueueEnd;
use cordboard_model::view::AgentStatus;

/// He is to be called back who came `ago` seconds ago.
fn keep(b: &mut Bench, n: u64, (priority, ago): (u8, u64), reserve: Option<u64>, from: Option<u64>) {
    let now = NOON.0 + i64::try_from(b.now.as_millis()).unwrap();
    b.tell(AcdInput::Absent {
        call: call(n),
        queue: queue("sales"),
        priority,
        since: Wall(now - i64::try_from(ago * 1_000).unwrap()),
        reserve: reserve.map(Duration::from_secs),
        from: from.map(call),
    });
}

fn arrives(b: &mut Bench, n: u64, priority: u8, back: bool) {
    let (call, queue, since) = (call(n), queue("sales"), NOON);
    b.tell(AcdInput::Arrived { call, queue, timeout_ms: None, priority, since, back });
}

/// What was said of absent callers, in words.
fn told(b: &mut Bench) -> Vec<String> {
    let word = |output: AcdOutput| match output {
        AcdOutput::Recalled { call, .. } => Some(format!("recalled {}", call.number)),
        AcdOutput::Reserved { call, agent, .. } => Some(format!("{} kept for {}", agent.name, call.number)),
        AcdOutput::Stranded { call, .. } => Some(format!("stranded {}", call.number)),
        AcdOutput::Offer { call, agent, .. } => Some(format!("{} rings for {}", agent.name, call.number)),
        AcdOutput::Entered { call, position, .. } => Some(format!("{} waits at {position}", call.number)),
        AcdOutput::Left { call, outcome, .. } => Some(format!("{} left {}", call.number, outcome.as_str())),
        AcdOutput::Withdraw { call, .. } => Some(format!("withdraw {}", call.number)),
        _ => None,
    };
    b.take().into_iter().filter_map(word).collect()
}

/// Nobody is ready; 1 and 2 wait.
fn two_wait() -> Bench {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    b.enter(1);
    b.pass(60_000);
    b.enter(2);
    b.pass(30_000);
    b.take();
    b
}

#[test]
fn who_goes_keeps_his_place_and_his_turn_comes_by_when_he_came() {
    let mut b = two_wait();
    keep(&mut b, 11, (0, 90), None, Some(1));
    assert_eq!(b.left(), [(call(1).number, Outcome::Callback)]);
    b.take();
    b.enter(3);
    assert_eq!(b.waiting("sales"), [2, 3]);
    let view = b.engine.queues(T).remove(0);
    assert_eq!((view.callbacks, view.waiting[0].position), (1, 2), "he counts for those behind him");
    assert_eq!((view.offered, view.abandoned), (3, 0));
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(told(&mut b), ["recalled 11", "1001 rings for 11"]);
    b.rings(11, "1001");
    b.answer(11, "1001");
    assert_eq!(told(&mut b), ["11 left served"]);
    assert_eq!(b.status("1001"), AgentStatus::Talking);
    b.release(11, "1001");
    b.pass(10_000);
    assert_eq!(told(&mut b), ["1001 rings for 2"]);
    let view = b.engine.queues(T).remove(0);
    assert_eq!((view.offered, view.answered, view.callbacks), (3, 0, 0), "he was counted when he came");
}

#[test]
fn a_place_is_as_old_as_it_is_over_a_restart_and_priority_and_ageing_count() {
    // before the start of the switch
    let mut b = two_wait();
    keep(&mut b, 11, (0, 86_400), None, None);
    keep(&mut b, 12, (0, 86_401), None, None);
    keep(&mut b, 13, (2, 1), None, None);
    b.ready("1001").unwrap();
    let mut order = Vec::new();
    for _ in 0..5 {
        let (n, _) = b.offers().remove(0);
        order.push(n);
        b.answer(n, "1001");
        b.release(n, "1001");
        b.pass(10_000);
    }
    assert_eq!(order, [13, 12, 11, 1, 2]);
    let mut b = two_wait();
    b.queue_mut("sales").service.ageing = Some(Duration::from_secs(20));
    b.configure();
    // three steps are worth a minute: he stands before who came fifty seconds earlier
    keep(&mut b, 11, (3, 0), None, None);
    keep(&mut b, 12, (0, 50), None, None);
    assert!(b.engine.explain_queue(&queue("sales"), b.now).unwrap().contains("2 are to be called back"));
    b.abandon(1);
    b.abandon(2);
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(11, "1001")]);
}

#[test]
fn no_limit_of_the_wait_ends_one_who_is_absent_and_he_takes_no_place_of_others() {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    let queue = b.queue_mut("sales");
    queue.max_length = 1;
    queue.max_wait = Duration::from_secs(20);
    b.configure();
    keep(&mut b, 11, (0, 0), None, None);
    b.enter(1);
    b.enter(2);
    assert_eq!(b.ends(), [(2, QueueEnd::Full)]);
    b.take();
    b.pass(100_000);
    assert_eq!(b.ends(), [(1, QueueEnd::Timeout)]);
    b.sign_out("1001");
    b.pass(600_000);
    assert_eq!(b.engine.queues(T)[0].callbacks, 1, "nobody signed in ends him no more");
    assert!(b.engine.is_quiescent());
    b.take();
    b.remove_queue("sales");
    b.configure();
    assert_eq!(b.ends(), [(11, QueueEnd::Gone)]);
}

#[test]
fn a_turn_that_comes_to_nothing_strands_him_and_costs_the_agent_what_the_queue_says() {
    for (why, status) in [(Cause::NoAnswer, AgentStatus::Rest), (Cause::Busy, AgentStatus::Ready)] {
        let mut b = Bench::with_agents(&["1001"]);
        keep(&mut b, 11, (0, 50), None, None);
        b.take();
        b.fail(11, "1001", why);
        assert_eq!(told(&mut b), ["11 left unanswered", "stranded 11"]);
        assert_eq!(b.status("1001"), status);
        keep(&mut b, 12, (0, 50), None, None);
        assert_eq!(b.engine.queues(T)[0].callbacks, 1);
    }
    let mut b = Bench::with_agents(&["1001"]);
    keep(&mut b, 11, (0, 50), None, None);
    b.take();
    b.not_ready("1001");
    assert_eq!(told(&mut b), ["withdraw 11", "11 left unanswered", "stranded 11"]);
    b.ready("1001").unwrap();
    keep(&mut b, 12, (0, 50), None, None);
    b.take();
    b.pass(25_000);
    assert_eq!(told(&mut b), ["withdraw 12", "12 left unanswered", "stranded 12"], "nobody reported");
}

#[test]
fn an_agent_is_kept_free_for_one_who_is_called_first_and_rings_when_he_has_answered() {
    let mut b = Bench::with_agents(&["1001"]);
    keep(&mut b, 11, (0, 50), Some(40), None);
    assert_eq!(told(&mut b), ["1001 kept for 11"]);
    assert_eq!(b.status("1001"), AgentStatus::Ringing);
    b.enter(1);
    b.pass(30_000);
    b.take();
    arrives(&mut b, 11, 0, true);
    assert_eq!(told(&mut b), ["11 waits at 1", "1001 rings for 11"]);
    // the agent lets it ring, and he waits like others, before all of them
    b.fail(11, "1001", Cause::Busy);
    assert_eq!(b.waiting("sales"), [11, 1]);
    b.pass(5_000);
    assert_eq!(b.offers(), [to(11, "1001")]);
    b.answer(11, "1001");
    assert_eq!(b.left(), [(11, Outcome::Served)]);
}

#[test]
fn an_agent_who_was_kept_free_in_vain_is_free_without_blame() {
    let mut b = Bench::with_agents(&["1001"]);
    keep(&mut b, 11, (0, 50), Some(40), None);
    b.take();
    b.abandon(11);
    assert_eq!(told(&mut b), ["withdraw 11"]);
    assert_eq!(b.status("1001"), AgentStatus::Ready);
    // and by the clock, if nobody says anything
    keep(&mut b, 12, (0, 50), Some(40), None);
    b.take();
    b.pass(44_999);
    assert_eq!(told(&mut b), Vec::<String>::new());
    b.pass(1);
    assert_eq!(told(&mut b), ["withdraw 12", "stranded 12"]);
}

#[test]
fn who_calls_by_himself_takes_the_place_that_he_has() {
    let mut b = two_wait();
    arrives(&mut b, 5, 0, false);
    assert_eq!(b.waiting("sales"), [5, 1, 2], "he came before them");
    let view = b.engine.queues(T).remove(0);
    assert_eq!(view.offered, 3);
    arrives(&mut b, 6, 4, false);
    assert_eq!(b.waiting("sales"), [6, 5, 1, 2]);
    b.take();
    b.pass(300_000);
    assert!(b.ends().contains(&(5, QueueEnd::Timeout)), "he waits like others");
}

#[test]
fn a_supervisor_gives_one_who_is_absent_to_an_agent_but_not_twice() {
    let mut b = two_wait();
    keep(&mut b, 11, (0, 0), None, None);
    let place = |n: u64| AcdCommand::Place { call: call(n), agent: agent("1001"), by: "2001".into() };
    b.take();
    b.command(place(11)).unwrap();
    assert_eq!(told(&mut b), ["recalled 11", "1001 rings for 11"]);
    assert!(b.command(place(11)).is_err());
    keep(&mut b, 12, (0, 0), None, None);
    b.command(AcdCommand::PutFirst { call: call(12) }).unwrap();
    assert_eq!(told(&mut b), Vec::<String>::new());
    b.answer(11, "1001");
    b.release(11, "1001");
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(12, "1001")]);
}
