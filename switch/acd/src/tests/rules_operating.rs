//! What a night without anybody who looks after it does to agents and callers: the rules that end by themselves what the
//! switch began by itself.

use super::bench::*;
use crate::{AcdCommand, AcdInput, AcdOutput, Outcome};
use cordboard_model::cause::Cause;
use cordboard_model::id::AgentId;
use cordboard_model::service::{AgentOrder, BusyWhen, Spare};
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::{Destination, QueueEnd};
use cordboard_model::view::AgentStatus::{self, *};

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

/// 1001 signs in by himself and serves `sales`; his phone is there.
fn alone() -> Bench {
    let mut agent = agent_config("1001", &["sales"]);
    agent.auto_sign_in = true;
    let mut b = Bench::of(snapshot(vec![queue_config("sales")], vec![agent]));
    b.contacts("1001", 1);
    b.take();
    b
}

/// What the journal would know of an agent: what was said of him last.
fn journalled(out: &[AcdOutput], of: &AgentId) -> (AgentStatus, Option<String>) {
    let said = |o: &AcdOutput| match o {
        AcdOutput::AgentChanged { agent, status, reason, .. } if agent == of => {
            Some((*status, reason.clone()))
        }
        _ => None,
    };
    out.iter().rev().find_map(said).unwrap()
}

/// The switch is killed and started again with the same configuration; no phone has registered yet.
fn restarted(b: &mut Bench, name: &str) -> Bench {
    let (status, reason) = journalled(&b.take(), &agent(name));
    let mut b = Bench::of(b.config.clone());
    b.command(restore(name, status, reason)).unwrap();
    b
}

fn restore(name: &str, status: AgentStatus, reason: Option<String>) -> AcdCommand<'static> {
    AcdCommand::RestoreAgent { agent: agent(name), status, reason, limit: None, since: NOON }
}

/// Three phones that were not answered at five past six left every caller of the night waiting: their agents were on a
/// break that only a desk could end, which they had none of, and a restart brought the break back.
#[test]
fn who_signs_in_by_himself_and_lets_a_call_ring_is_asked_again_after_a_minute() {
    let mut b = alone();
    b.enter(1);
    b.fail(1, "1001", Cause::NoAnswer);
    assert_eq!(b.status("1001"), Ready);
    b.take();
    b.pass(59_999);
    assert_eq!(b.offers(), []);
    b.pass(1);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.queue_mut("sales").service.unanswered.no_answer = Spare::Rest;
    b.configure();
    b.abandon(1);
    b.enter(2);
    b.fail(2, "1001", Cause::NoAnswer);
    assert_eq!(b.status("1001"), Rest, "the queue says so");
}

#[test]
fn what_the_switch_did_to_one_who_signs_in_by_himself_ends_with_a_restart_and_what_people_did_does_not() {
    let mut b = alone();
    b.queue_mut("sales").service.unanswered.no_answer = Spare::Rest;
    b.configure();
    b.enter(1);
    b.fail(1, "1001", Cause::NoAnswer);
    let mut b = restarted(&mut b, "1001");
    assert_eq!(b.status("1001"), Ready);
    b.enter(2);
    assert_eq!(b.offers(), [], "his phone has not registered yet");
    b.contacts("1001", 1);
    assert_eq!(b.offers(), [to(2, "1001")]);
    b.abandon(2);
    let lunch = AgentOrder::Rest { reason: Some("lunch".into()), limit: None };
    b.order("1001", lunch).unwrap();
    assert_eq!(restarted(&mut b, "1001").status("1001"), Rest);
    b.order("1001", AgentOrder::SignOut).unwrap();
    assert_eq!(restarted(&mut b, "1001").status("1001"), SignedOut);
    b.agent_mut("1001").auto_sign_in = false;
    let mut desk = Bench::of(b.config.clone());
    desk.command(restore("1001", Rest, Some("no_answer".into()))).unwrap();
    assert_eq!(desk.status("1001"), Rest, "he has a desk to end it at");
}

#[test]
fn who_signs_in_by_himself_does_so_again_when_his_phone_is_back() {
    let mut b = alone();
    b.graced("1001", 60);
    b.contacts("1001", 0);
    b.pass(60_000);
    assert_eq!(b.status("1001"), SignedOut);
    b.enter(1);
    b.take();
    b.contacts("1001", 1);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.abandon(1);
    b.sign_out("1001");
    b.contacts("1001", 0);
    b.contacts("1001", 1);
    assert_eq!(b.status("1001"), SignedOut, "that was his own wish");
    b.sign_in("1001");
    b.ready("1001").unwrap();
    b.contacts("1001", 0);
    b.pass(60_000);
    let mut b = restarted(&mut b, "1001");
    assert_eq!(b.status("1001"), Away, "he was signed out, and is missed again");
    b.contacts("1001", 1);
    assert_eq!(b.status("1001"), Ready);
}

/// A phone that was away during a talk wiped out what its agent had asked for after it: both stood in one place.
#[test]
fn a_phone_that_is_away_during_a_talk_and_comes_back_leaves_what_was_asked_for_after_it() {
    for back in [false, true] {
        let mut b = Bench::with_agents(&["1001"]);
        b.queue_mut("sales").wrap_up = Duration::ZERO;
        b.graced("1001", 60);
        b.enter(1);
        b.answer(1, "1001");
        b.rest("1001");
        b.contacts("1001", 0);
        b.pass(100_000);
        assert!(b.explain("1001").contains("after the call he will be signed out"), "{}", b.explain("1001"));
        if back {
            b.contacts("1001", 1);
        }
        b.release(1, "1001");
        assert_eq!(b.status("1001"), if back { Rest } else { SignedOut });
    }
}

/// `sales` sends who has waited 40 s to `help`, where two may wait; 1001 serves it.
fn busy_after_forty() -> Bench {
    let (mut sales, mut help) = (queue_config("sales"), queue_config("help"));
    sales.service.on_busy = Some(Destination::Queue(queue("help")));
    sales.service.busy_when = Some(BusyWhen::Wait(secs(40)));
    sales.service.busy_room = Some(80);
    sales.max_wait = secs(100);
    help.max_length = 2;
    let agents = vec![agent_config("1001", &["sales"]), agent_config("1002", &["help"])];
    let mut b = Bench::of(snapshot(vec![sales, help], agents));
    b.sign_in("1001");
    b.contacts("1001", 1);
    b.sign_in("1002");
    b
}

/// Seen: an agent's phone rang, and the caller was taken away from under it and put into another queue, where he waited
/// again from nothing.
#[test]
fn nobody_is_sent_on_for_a_long_wait_while_an_agent_rings_for_him_and_at_once_when_that_fails() {
    let mut b = busy_after_forty();
    b.enter(1);
    b.pass(30_000);
    b.ready("1001").unwrap();
    b.rings(1, "1001");
    b.pass(15_000);
    assert_eq!((b.left(), b.withdrawn()), (vec![], vec![]));
    b.answer(1, "1001");
    assert_eq!(b.left(), [(1, Outcome::Served)]);

    let mut b = busy_after_forty();
    b.enter(1);
    b.pass(30_000);
    b.ready("1001").unwrap();
    b.pass(15_000);
    b.take();
    b.fail(1, "1001", Cause::Declined);
    assert_eq!(b.left(), [(1, Outcome::Busy)]);
    assert_eq!(b.ends(), [(1, QueueEnd::Full)]);
    assert_eq!(b.offers(), [], "nobody else rang for him before");
}

#[test]
fn the_longest_wait_ends_when_the_agent_who_rings_has_not_answered_and_not_before() {
    let mut b = busy_after_forty();
    b.queue_mut("sales").service.busy_when = None;
    b.configure();
    b.enter(1);
    b.pass(90_000);
    b.ready("1001").unwrap();
    b.rings(1, "1001");
    b.pass(15_000);
    assert_eq!((b.left(), b.status("1001")), (vec![], Ringing));
    b.take();
    b.pass(10_000);
    assert_eq!(b.left(), [(1, Outcome::Timeout)], "20 s of ringing, and 5 s for a report");
    assert_eq!(b.status("1001"), Rest, "he let it ring");

    let mut b = busy_after_forty();
    b.queue_mut("sales").service.busy_when = None;
    b.configure();
    b.enter(1);
    b.pass(90_000);
    b.ready("1001").unwrap();
    b.pass(15_000);
    b.not_ready("1001");
    assert_eq!(b.left(), [(1, Outcome::Timeout)]);
}

/// Where there was no room when his time had come it was never looked again.
#[test]
fn who_has_waited_long_is_sent_on_when_there_is_room_where_he_would_go() {
    let mut b = busy_after_forty();
    b.enter_as(8, "help", 0);
    b.enter_as(9, "help", 0);
    b.enter(1);
    b.pass(60_000);
    assert_eq!(b.left(), [], "70 of 100 for the agent who is not ready, 30 for two of two places");
    b.abandon(8);
    b.abandon(9);
    b.take();
    b.pass(4_999);
    assert_eq!(b.left(), []);
    b.pass(1);
    assert_eq!(b.left(), [(1, Outcome::Busy)]);
}

/// The reminder of a break kept the limit of the first one: two seconds for a coffee, then an hour for lunch, and the alarm
/// came after two seconds; an hour, then a second, and it never came.
#[test]
fn a_break_that_is_asked_for_again_begins_again_with_its_own_limit() {
    let overdue = |b: &mut Bench| b.take().iter().filter(|o| matches!(o, AcdOutput::Overdue { .. })).count();
    let rest = |b: &mut Bench, reason: &str, limit: u64| {
        let (reason, limit) = (Some(reason.to_owned()), Some(secs(limit)));
        b.order("1001", AgentOrder::Rest { reason, limit }).unwrap();
    };
    let mut b = Bench::with_agents(&["1001"]);
    rest(&mut b, "coffee", 2);
    b.pass(1_000);
    rest(&mut b, "lunch", 3_600);
    let since = b.engine.agent(&agent("1001")).unwrap().since;
    assert_eq!(since, b.engine.wall.at(b.now));
    b.pass(3_599_999);
    assert_eq!(overdue(&mut b), 0);
    b.pass(1);
    assert_eq!(overdue(&mut b), 1);
    rest(&mut b, "lunch", 3_600);
    assert_eq!(b.went("1001"), [Rest], "told again, though reason and limit are the same");
    rest(&mut b, "lunch", 1);
    b.pass(1_000);
    assert_eq!(overdue(&mut b), 1);
    rest(&mut b, "lunch", 1);
    b.rest("1001");
    b.pass(5_000_000);
    assert_eq!(overdue(&mut b), 0, "the last one has no limit");
}

#[test]
fn the_limit_of_a_break_outlives_a_restart() {
    let mut b = Bench::with_agents(&["1001"]);
    let limit = Some(secs(600));
    b.order("1001", AgentOrder::Rest { reason: None, limit }).unwrap();
    let said = b.take().into_iter().find_map(|o| match o {
        AcdOutput::AgentChanged { limit, .. } => limit,
        _ => None,
    });
    assert_eq!(said, limit);
    let mut b = Bench::of(b.config.clone());
    let (agent, since) = (agent("1001"), Wall(NOON.0 - 300_000));
    b.command(AcdCommand::RestoreAgent { agent, status: Rest, reason: None, limit, since }).unwrap();
    b.take();
    b.pass(298_999);
    assert_eq!(b.take(), []);
    b.pass(1);
    assert!(matches!(b.take().as_slice(), [AcdOutput::Overdue { .. }]));
}

/// Two agents of `sales`, 1001 at work and 1002 signed out; callers 3, 4 and 5 wait, and one was answered every 50 s.
fn paced() -> Bench {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.queue_mut("sales").wrap_up = Duration::ZERO;
    b.configure();
    b.sign_out("1002");
    for n in 1..=5 {
        b.enter(n);
    }
    b.answer(1, "1001");
    for n in 2..=3 {
        b.pass(50_000);
        b.release(n - 1, "1001");
        b.answer(n, "1001");
    }
    b
}

fn told(b: &Bench) -> Option<u32> {
    b.engine.queue_state(&queue("sales"), b.now).unwrap().wait
}

/// At three in the afternoon callers were told "about a minute" for as long as nobody was answered at all.
#[test]
fn the_wait_that_is_told_grows_while_nobody_is_answered_and_is_not_told_when_it_says_nothing() {
    let mut b = paced();
    assert_eq!(told(&b), Some(150), "two wait, one is answered every 50 s");
    b.pass(50_000);
    assert_eq!(told(&b), Some(150));
    b.pass(30_000);
    assert_eq!(told(&b), Some(240), "nobody was answered for 80 s");
    b.pass(120_000);
    b.abandon(4);
    b.abandon(5);
    assert_eq!(told(&b), Some(50), "nobody waits: that nobody was answered says nothing");
    b.enter(6);
    b.pass(60_000);
    assert_eq!(told(&b), Some(120), "since somebody waits again");
    b.pass(640_001);
    b.enter(7);
    assert_eq!(told(&b), None, "nobody was answered for a quarter of an hour");
}

#[test]
fn the_wait_that_is_told_is_by_as_many_agents_as_work_and_none_without_any() {
    let mut b = paced();
    b.sign_in("1002");
    assert_eq!(told(&b), Some(150), "he is not ready");
    b.contacts("1002", 0);
    b.ready("1002").unwrap();
    assert_eq!(told(&b), Some(75), "one more who takes calls");
    b.rest("1002");
    assert_eq!(told(&b), Some(150));
    b.rest("1001");
    b.release(3, "1001");
    assert_eq!(told(&b), None, "nobody is coming");
}

/// A caller who left by a key for a call-back counted as one who lost patience.
#[test]
fn only_who_hangs_up_has_abandoned_his_call() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    let ways = [Outcome::Key, Outcome::Flow, Outcome::PickedUp, Outcome::Ended, Outcome::Abandoned];
    for (n, how) in (1..).zip(ways) {
        // the first two while an agent rings, and one of those by the report of the offer
        b.enter(n);
        b.take();
        b.tell(AcdInput::Leaving { call: call(n), how });
        match n {
            1 => b.tell(AcdInput::OfferFailed {
                call: call(1),
                agent: agent("1001"),
                why: Cause::Cancelled,
                caller_gone: true,
            }),
            _ => b.abandon(n),
        }
        assert_eq!(b.left(), [(n, how)]);
        assert_eq!(Outcome::of_leaving(how.as_str()), how);
    }
    assert_eq!(b.engine.queues(T)[0].abandoned, 1);
    assert_eq!(b.status("1001"), Ready, "none of it was his doing");
}
