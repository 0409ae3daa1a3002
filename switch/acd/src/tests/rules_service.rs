//! How queues serve: strategies, skills, priorities, whom callers know, and where those go who cannot be served.

use super::bench::*;
use crate::{AcdOutput, Outcome, RefusedReason};
use cordboard_model::cause::Cause;
use cordboard_model::id::Name;
use cordboard_model::service::{
    AgentKind, AgentOrder, BusyWhen, Nobody, QueueKind, Reserve, Role, Spare, Strategy, WantedSkill,
};
use cordboard_model::time::Duration;
use cordboard_model::verb::{Destination, QueueEnd};
use cordboard_model::view::AgentStatus;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn to_queue(text: &str) -> Destination {
    Destination::Queue(queue(text))
}

/// Three agents who are ready, 1001 idle longest, in a queue that was changed.
fn three(change: impl FnOnce(&mut Bench)) -> Bench {
    let mut b = Bench::with_agents(&["1001", "1002", "1003"]);
    change(&mut b);
    b.configure();
    b.take();
    b
}

/// Who gets the calls 1 to `n`, each of them ended before the next comes.
fn order_of(b: &mut Bench, n: u64) -> Vec<String> {
    let mut got = Vec::new();
    for call in 1..=n {
        b.enter(call);
        let offers = b.offers();
        assert_eq!(offers.len(), 1, "{call}");
        let agent = offers[0].1.clone();
        b.answer(call, &agent);
        b.pass(30_000);
        b.release(call, &agent);
        b.pass(30_000);
        b.take();
        got.push(agent);
    }
    got
}

fn strategy(strategy: Strategy) -> impl FnOnce(&mut Bench) {
    move |b| b.queue_mut("sales").service.strategy = strategy
}

/// Its name for people is not what it is known by: a reload that changes it changes nothing else.
#[test]
fn a_queue_with_another_name_for_people_is_the_same_queue() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.answer(1, "1001");
    b.pass(2_000);
    b.enter(2);
    b.pass(5_000);
    b.enter(3);
    let before = b.engine.queues(T).remove(0);
    b.take();
    b.queue_mut("sales").display = "Customer service".to_owned();
    b.configure();
    assert_eq!(b.offers(), [], "nobody is rung for it");
    let after = b.engine.queues(T).remove(0);
    assert_eq!(after.display, "Customer service");
    assert_eq!(cordboard_model::view::QueueView { display: before.display.clone(), ..after }, before);
    b.release(1, "1001");
    b.pass(10_000);
    assert_eq!(b.offers(), [to(2, "1001")], "who waits is where he was");
}

#[test]
fn who_has_taken_the_fewest_calls_since_he_signed_in_comes_first() {
    let mut b = three(strategy(Strategy::FewestCalls));
    b.not_ready("1002");
    b.not_ready("1003");
    assert_eq!(order_of(&mut b, 2), ["1001", "1001"]);
    b.ready("1002").unwrap();
    b.pass(60_000);
    b.enter(7);
    assert_eq!(b.offers(), [to(7, "1002")], "1001 is idle as long, and has taken two");
    b.answer(7, "1002");
    b.sign_out("1001");
    b.arrive("1001");
    b.take();
    b.enter(8);
    assert_eq!(b.offers(), [to(8, "1001")], "he begins anew");
}

#[test]
fn who_was_busy_for_the_smallest_part_of_his_time_comes_first() {
    let mut b = three(strategy(Strategy::LeastOccupied));
    b.not_ready("1003");
    b.enter(1);
    b.enter(2);
    b.answer(1, "1001");
    b.answer(2, "1002");
    b.pass(10_000);
    b.release(2, "1002");
    b.pass(60_000);
    b.release(1, "1001");
    b.pass(15_000);
    b.take();
    b.enter(3);
    assert_eq!(b.offers(), [to(3, "1002")]);
    let why = b.engine.explain_queue(&queue("sales"), b.now).unwrap();
    assert!(why.contains("agent 1: default/1001, occupied 90.90 %"), "{why}");
}

#[test]
fn turns_are_taken_whoever_is_idle_longest() {
    let mut b = three(strategy(Strategy::RoundRobin));
    b.enter(1);
    b.fail(1, "1001", Cause::Declined);
    assert_eq!(b.offers(), [to(1, "1001"), to(1, "1002")]);
    b.abandon(1);
    b.pass(6_000);
    b.enter(2);
    assert_eq!(b.offers(), [to(2, "1003")], "those two had their turns");
}

fn wanted(weight: u8, least: u8) -> WantedSkill {
    WantedSkill { weight, least }
}

fn knows(b: &mut Bench, agent: &str, skills: &[(&str, u8)]) {
    b.agent_mut(agent).duty.skills = skills.iter().map(|(skill, level)| (name(skill), *level)).collect();
}

#[test]
fn the_highest_skill_counts_by_the_queues_weights_and_who_knows_too_little_does_not_serve() {
    let mut b = three(|b| {
        let service = &mut b.queue_mut("sales").service;
        service.strategy = Strategy::HighestSkill;
        service.skills = [(name("english"), wanted(3, 20)), (name("billing"), wanted(1, 0))].into();
        knows(b, "1001", &[("english", 40), ("billing", 100)]);
        knows(b, "1002", &[("english", 80)]);
        knows(b, "1003", &[("english", 10), ("billing", 100)]);
    });
    b.enter(1);
    b.enter(2);
    b.enter(3);
    assert_eq!(b.offers(), [to(1, "1002"), to(2, "1001")], "240 before 220; 10 is below 20");
    let why = b.engine.explain_queue(&queue("sales"), b.now).unwrap();
    assert!(why.contains("not default/1003: he does not serve it: english 10 is below 20"), "{why}");
    b.fail(1, "1002", Cause::Declined);
    b.pass(5_000);
    let why = b.offers();
    assert_eq!(why, [to(1, "1002")]);
}

#[test]
fn an_offer_says_the_terms_that_decided_it_and_they_add_up() {
    let mut b = three(|b| {
        let service = &mut b.queue_mut("sales").service;
        service.strategy = Strategy::HighestSkill;
        service.skills = [(name("english"), wanted(3, 0))].into();
        service.ageing = Some(secs(10));
        knows(b, "1001", &[("english", 40)]);
        knows(b, "1002", &[("english", 80)]);
    });
    let why = |b: &mut Bench| {
        let out = b.take();
        let offer = out.into_iter().find_map(|o| match o {
            AcdOutput::Offer { why, .. } => Some(why),
            _ => None,
        });
        offer.unwrap()
    };
    b.enter(1);
    let now = why(&mut b);
    assert!(
        now.starts_with(
            "caller: priority 0, waited 0.000 s, before 0 others in default/sales; agent: skill 240, idle "
        ),
        "{now}"
    );
    assert!(now.ends_with("before 2 others free there"), "{now}");
    for agent in ["1001", "1003"] {
        b.not_ready(agent);
    }
    b.enter_as(2, "sales", 2);
    b.take();
    b.pass(15_000);
    b.ready("1003").unwrap();
    let aged = why(&mut b);
    assert!(aged.starts_with("caller: priority 2 + 1 by waiting = 3, waited 15.000 s"), "{aged}");
    assert!(aged.contains("agent: skill 0, idle 0.000 s"), "{aged}");
}

#[test]
fn who_waits_gains_priority_and_overtakes_who_came_with_more() {
    let mut b = Bench::with_agents(&["1001"]);
    b.queue_mut("sales").service.ageing = Some(secs(30));
    b.configure();
    b.not_ready("1001");
    b.enter_as(1, "sales", 0);
    b.pass(59_000);
    b.enter_as(2, "sales", 2);
    b.enter_as(3, "sales", 1);
    b.pass(2_000);
    b.enter_as(4, "sales", 2);
    assert_eq!(b.waiting("sales"), [2, 1, 4, 3], "59 s are worth less than two steps of 30 s, 61 s more");
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(2, "1001")]);
}

#[test]
fn agents_are_kept_free_for_callers_of_priority() {
    let mut b = three(|b| b.queue_mut("sales").service.reserve = Some(Reserve { agents: 2, priority: 5 }));
    b.enter(1);
    b.enter(2);
    b.enter_as(3, "sales", 5);
    assert_eq!(b.offers(), [to(1, "1001"), to(3, "1002")], "2 waits although 1003 is free");
    assert_eq!(b.waiting("sales"), [3, 1, 2]);
    let why = b.engine.explain_queue(&queue("sales"), b.now).unwrap();
    assert!(why.contains("2 agents are kept free for callers of priority 5 and more"), "{why}");
    b.fail(1, "1001", Cause::Busy);
    b.pass(5_000);
    assert_eq!(b.offers(), [], "two are free again, and that is as many as are kept");
    b.fail(3, "1002", Cause::Busy);
    assert_eq!(b.offers(), [to(3, "1003")], "1003 is kept for him, and 1001 too");
}

#[test]
fn who_ages_into_the_priority_that_agents_are_kept_for_gets_one_at_that_moment() {
    let mut b = Bench::with_agents(&["1001"]);
    let service = &mut b.queue_mut("sales").service;
    service.reserve = Some(Reserve { agents: 1, priority: 2 });
    service.ageing = Some(secs(10));
    b.configure();
    b.enter(1);
    b.pass(19_999);
    assert_eq!(b.offers(), []);
    b.pass(1);
    assert_eq!(b.offers(), [to(1, "1001")]);
}

#[test]
fn an_agent_of_several_queues_takes_the_one_he_prefers_and_priority_comes_before() {
    let mut agent = agent_config("1001", &["sales", "help"]);
    agent.duty.preference.insert(name("sales"), 2);
    let mut b = Bench::of(snapshot(vec![queue_config("sales"), queue_config("help")], vec![agent]));
    b.enter_as(1, "sales", 0);
    b.pass(1_000);
    b.enter_as(2, "help", 0);
    b.arrive("1001");
    assert_eq!(b.offers(), [to(2, "1001")]);
    b.abandon(2);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.abandon(1);
    b.not_ready("1001");
    b.enter_as(3, "help", 0);
    b.enter_as(4, "sales", 1);
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(4, "1001")]);
}

#[test]
fn an_agent_who_prefers_a_queue_is_taken_before_one_who_is_idle_longer() {
    let mut b = three(|b| {
        b.agent_mut("1001").duty.preference.insert(name("sales"), 3);
    });
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1002")]);
}

#[test]
fn role_and_kind_say_who_serves() {
    let mut b = three(|b| {
        b.agent_mut("1001").duty.role = Role::Outbound;
        b.agent_mut("1002").duty.kind = AgentKind::Multimedia;
        b.agent_mut("1003").duty.role = Role::Supervisor;
    });
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1003")]);
    b.abandon(1);
    b.queue_mut("sales").service.kind = QueueKind::Multimedia;
    b.configure();
    b.enter(2);
    assert_eq!(b.offers(), [to(2, "1002")]);
    let why = b.engine.explain_queue(&queue("sales"), b.now).unwrap();
    assert!(
        why.contains("not default/1001: he does not serve it: a voice agent, a multimedia queue"),
        "{why}"
    );
}

#[test]
fn who_comes_again_waits_for_whom_he_knows_and_for_so_long() {
    let mut b = three(|_| {});
    b.enter_for(1, "1003", Some(20));
    assert_eq!(b.offers(), [to(1, "1003")], "although 1001 is idle longest");
    b.answer(1, "1003");
    b.take();
    b.enter_for(2, "1003", Some(20));
    assert_eq!(b.offers(), [], "he is talking, and two others are free");
    b.pass(19_999);
    assert_eq!(b.offers(), []);
    b.pass(1);
    assert_eq!(b.offers(), [to(2, "1001")]);
    b.enter_for(3, "1003", Some(20));
    b.release(1, "1003");
    b.take();
    b.ready("1003").unwrap();
    assert_eq!(b.offers(), [to(3, "1003")]);
    b.fail(3, "1003", Cause::Declined);
    assert_eq!(b.offers(), [to(3, "1002")], "he had his chance");
}

#[test]
fn nobody_waits_for_an_agent_who_does_not_come() {
    let mut b = three(|_| {});
    b.rest("1003");
    b.take();
    b.enter_for(1, "1003", Some(20));
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.outside("1002", Some(90));
    b.enter_for(2, "1002", Some(20));
    b.ready("1003").unwrap();
    b.take();
    b.order("1002", AgentOrder::SignOut).unwrap();
    assert_eq!(b.offers(), [], "he talks still");
    b.outside("1002", None);
    assert_eq!(b.offers(), [to(2, "1003")]);
}

#[test]
fn who_takes_no_other_agent_waits_for_him_until_he_signs_out() {
    let mut b = three(|_| {});
    b.outside("1002", Some(90));
    b.enter_for(1, "1002", None);
    b.pass(100_000);
    b.order("1002", AgentOrder::Rest { reason: None, limit: None }).unwrap();
    b.outside("1002", None);
    assert_eq!(b.offers(), []);
    b.sign_out("1002");
    assert_eq!(b.ends(), [(1, QueueEnd::NoAgent)]);
    assert_eq!(b.left(), [(1, Outcome::NoAgent)]);
    b.take();
    b.enter_for(2, "1002", None);
    assert_eq!(b.ends(), [(2, QueueEnd::NoAgent)]);
    assert_eq!(b.left(), []);
}

/// He was given the callers of a queue that he does not serve, when they took no other; and who waited for one whom a
/// reload took from the queue waited for nobody.
#[test]
fn who_takes_no_other_agent_is_told_at_once_that_he_does_not_serve_the_queue_and_when_he_no_longer_does() {
    let mut b = three(|_| {});
    b.agent_mut("1003").queues.clear();
    b.configure();
    b.take();
    b.enter_for(1, "1003", None);
    b.enter_for(2, "1999", None);
    assert_eq!(b.ends(), [(1, QueueEnd::NoAgent), (2, QueueEnd::NoAgent)]);
    assert_eq!(b.offers(), []);
    b.enter_for(3, "1003", Some(20));
    assert_eq!(b.offers(), [to(3, "1001")], "who takes others too has one of them");
    b.outside("1002", Some(90));
    b.enter_for(4, "1002", None);
    b.take();
    b.agent_mut("1002").queues.clear();
    b.configure();
    assert_eq!(b.ends(), [(4, QueueEnd::NoAgent)]);
    assert_eq!(b.left(), [(4, Outcome::NoAgent)]);
}

/// Where the switch sent callers since the last look.
fn sent(b: &mut Bench) -> Vec<(u64, QueueEnd, Option<Destination>)> {
    let sent = |o: AcdOutput| match o {
        AcdOutput::QueueEnded { call, end, to, .. } => Some((call.number, end, to)),
        _ => None,
    };
    b.take().into_iter().filter_map(sent).collect()
}

#[test]
fn a_wait_that_is_over_goes_where_the_queue_says() {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    b.queue_mut("sales").service.on_timeout = Some(to_queue("late"));
    b.configure();
    b.enter(1);
    b.take();
    b.pass(300_000);
    assert_eq!(sent(&mut b), [(1, QueueEnd::Timeout, Some(to_queue("late")))]);
}

#[test]
fn a_queue_to_which_nobody_is_signed_in_releases_sends_on_or_lets_wait() {
    let mut b = Bench::of(snapshot(vec![queue_config("sales")], vec![agent_config("1001", &["sales"])]));
    b.enter(1);
    assert_eq!(b.waiting("sales"), [1]);
    b.take();
    b.queue_mut("sales").service.nobody = Nobody::Release;
    b.configure();
    b.enter(2);
    assert_eq!(sent(&mut b), [(2, QueueEnd::NobodySignedIn, None)]);
    b.queue_mut("sales").service.nobody = Nobody::To(to_queue("night"));
    b.configure();
    b.enter(3);
    assert_eq!(sent(&mut b), [(3, QueueEnd::NobodySignedIn, Some(to_queue("night")))]);
    assert_eq!(b.waiting("sales"), [1], "who waits is left alone");
    b.sign_in("1001");
    b.enter(4);
    assert_eq!(b.waiting("sales"), [1, 4]);
}

#[test]
fn the_longest_queue_is_a_number_or_a_share_of_those_signed_in() {
    let mut b = three(|b| b.queue_mut("sales").service.length_share = Some(50));
    for agent in ["1001", "1002", "1003"] {
        b.not_ready(agent);
    }
    for n in 1..=3 {
        b.enter(n);
    }
    assert_eq!(b.waiting("sales"), [1, 2], "half of three, rounded up");
    assert_eq!(b.ends(), [(3, QueueEnd::Full)]);
    b.sign_out("1001");
    b.abandon(1);
    b.take();
    b.enter(4);
    assert_eq!(b.ends(), [(4, QueueEnd::Full)], "half of two");
}

#[test]
fn a_queue_of_no_length_serves_who_need_not_wait() {
    let mut b = Bench::with_agents(&["1001"]);
    b.queue_mut("sales").max_length = 0;
    b.configure();
    b.enter(1);
    assert_eq!(b.offers(), [to(1, "1001")]);
    b.enter(2);
    assert_eq!(b.ends(), [(2, QueueEnd::Full)]);
}

/// Four agents, of whom `busy` are not ready, and `waiting` callers of ten places.
fn occupied(busy: usize, waiting: u64, change: impl FnOnce(&mut Bench)) -> Bench {
    let mut b = Bench::with_agents(&["1001", "1002", "1003", "1004"]);
    b.queue_mut("sales").max_length = 10;
    b.queue_mut("sales").service.reserve = Some(Reserve { agents: 9, priority: 9 });
    change(&mut b);
    b.configure();
    for agent in ["1001", "1002", "1003", "1004"].into_iter().take(busy) {
        b.not_ready(agent);
    }
    for n in 1..=waiting {
        b.enter(n);
    }
    b.take();
    b
}

/// (agents who are not idle / agents signed in) x 70 % + (callers / places) x 30 %.
#[test]
fn occupancy_is_seventy_parts_agents_and_thirty_parts_places() {
    for (busy, waiting, occupancy) in
        [(0, 0, 0), (1, 0, 175), (4, 0, 700), (4, 10, 1_000), (2, 5, 500), (0, 1, 30)]
    {
        let b = occupied(busy, waiting, |_| {});
        assert_eq!(b.engine.queues[&queue("sales")].occupancy(), occupancy, "{busy} busy, {waiting} wait");
    }
    let empty = Bench::of(snapshot(vec![queue_config("sales")], Vec::new()));
    assert_eq!(empty.engine.queues[&queue("sales")].occupancy(), 700, "nobody there is as bad as all busy");
}

#[test]
fn a_queue_that_is_busy_by_its_occupancy_sends_on_who_comes() {
    let busy = |b: &mut Bench| {
        let service = &mut b.queue_mut("sales").service;
        service.on_busy = Some(to_queue("help"));
        service.busy_when = Some(BusyWhen::Occupancy(50));
    };
    let mut b = occupied(2, 4, busy);
    b.enter(90);
    assert_eq!(sent(&mut b), [], "35 + 12 are less than 50");
    b.enter(91);
    assert_eq!(sent(&mut b), [(91, QueueEnd::Full, Some(to_queue("help")))], "35 + 15 are not");
}

#[test]
fn a_queue_that_is_busy_after_a_wait_sends_on_who_has_waited_so_long() {
    let mut b = occupied(4, 0, |b| {
        let service = &mut b.queue_mut("sales").service;
        service.on_busy = Some(to_queue("help"));
        service.busy_when = Some(BusyWhen::Wait(secs(40)));
    });
    b.enter(1);
    b.pass(39_999);
    assert_eq!(sent(&mut b), []);
    b.pass(1);
    assert_eq!(b.left(), [(1, Outcome::Busy)]);
    assert_eq!(sent(&mut b), [(1, QueueEnd::Full, Some(to_queue("help")))]);
}

/// Who cannot be taken there is released where he was refused, and waits on where he waits.
#[test]
fn a_busy_queue_sends_nobody_where_there_is_no_room() {
    let crowded = |when: Option<BusyWhen>| {
        let mut help = queue_config("help");
        help.max_length = 1;
        let agents = vec![agent_config("1001", &["sales"]), agent_config("1002", &["help"])];
        let mut sales = queue_config("sales");
        sales.max_length = 1;
        sales.service.on_busy = Some(to_queue("help"));
        sales.service.busy_when = when;
        sales.service.busy_room = Some(80);
        let mut b = Bench::of(snapshot(vec![sales, help], agents));
        b.sign_in("1001");
        b.sign_in("1002");
        b.enter(1);
        b.take();
        b
    };
    let mut b = crowded(None);
    b.enter(2);
    assert_eq!(sent(&mut b), [(2, QueueEnd::Full, Some(to_queue("help")))], "70 of 100 are taken there");
    b.enter_as(3, "help", 0);
    b.take();
    b.enter(4);
    assert_eq!(sent(&mut b), [(4, QueueEnd::Full, None)], "it is full there");
    let mut b = crowded(Some(BusyWhen::Wait(secs(5))));
    b.enter_as(3, "help", 0);
    b.take();
    b.pass(10_000);
    assert_eq!((sent(&mut b), b.waiting("sales")), (vec![], vec![1]));
}

#[test]
fn each_way_not_to_answer_costs_what_the_queue_says() {
    let mut b = Bench::with_agents(&["1001"]);
    let unanswered = &mut b.queue_mut("sales").service.unanswered;
    unanswered.no_answer = Spare::NotReady;
    unanswered.busy = Spare::For(secs(1));
    unanswered.declined = Spare::Rest;
    unanswered.unreachable = Spare::For(secs(3));
    unanswered.not_registered = Spare::SignOut;
    b.configure();
    let costs = [
        (Cause::NoAnswer, AgentStatus::NotReady),
        (Cause::Busy, AgentStatus::Ready),
        (Cause::Declined, AgentStatus::Rest),
        (Cause::Unreachable, AgentStatus::Ready),
        (Cause::NotRegistered, AgentStatus::SignedOut),
    ];
    for (n, (cause, status)) in (1..).zip(costs) {
        b.sign_in("1001");
        b.ready("1001").unwrap();
        b.enter(n);
        b.fail(n, "1001", cause);
        assert_eq!(b.status("1001"), status, "{cause:?}");
        let reason = b.engine.agent(&agent("1001")).unwrap().reason;
        let told = (status != AgentStatus::Ready).then(|| cause.as_str().to_owned());
        assert_eq!(reason, told, "{cause:?}");
        b.take();
        b.abandon(n);
        b.pass(3_000);
    }
}

#[test]
fn a_break_that_lasts_too_long_is_told_once() {
    let mut b = Bench::with_agents(&["1001", "1002"]);
    b.agent_mut("1001").duty.rest_limit = Some(secs(60));
    b.configure();
    let overdue =
        |b: &mut Bench| b.take().into_iter().filter(|o| matches!(o, AcdOutput::Overdue { .. })).count();
    b.rest("1001");
    b.rest("1002");
    b.pass(59_999);
    assert_eq!(overdue(&mut b), 0);
    b.pass(1);
    assert_eq!(overdue(&mut b), 1, "1002 has no limit");
    b.pass(600_000);
    assert_eq!(overdue(&mut b), 0);
    let short = AgentOrder::Rest { reason: Some("tea".into()), limit: Some(secs(10)) };
    b.ready("1001").unwrap();
    b.order("1001", short).unwrap();
    b.pass(10_000);
    assert_eq!(overdue(&mut b), 1);
    b.ready("1001").unwrap();
    b.rest("1001");
    b.ready("1001").unwrap();
    b.pass(600_000);
    assert_eq!(overdue(&mut b), 0, "it ended before");
}

#[test]
fn whose_device_is_gone_is_away_and_signed_out_when_that_lasts() {
    let mut b = Bench::with_agents(&["1001"]);
    b.graced("1001", 60);
    b.contacts("1001", 0);
    assert_eq!(b.status("1001"), AgentStatus::Away);
    b.pass(59_999);
    b.contacts("1001", 1);
    assert_eq!(b.status("1001"), AgentStatus::Ready);
    b.contacts("1001", 0);
    b.pass(60_000);
    assert_eq!(b.status("1001"), AgentStatus::SignedOut);
    assert!(b.explain("1001").contains("his device was gone for 60.000 s"), "{}", b.explain("1001"));
    b.contacts("1001", 1);
    assert_eq!(b.status("1001"), AgentStatus::SignedOut);
}

#[test]
fn who_talks_while_his_device_is_gone_is_signed_out_after_unless_it_comes_back() {
    for back in [false, true] {
        let mut b = Bench::with_agents(&["1001"]);
        b.graced("1001", 60);
        b.enter(1);
        b.answer(1, "1001");
        b.contacts("1001", 0);
        b.pass(100_000);
        assert_eq!(b.status("1001"), AgentStatus::Talking);
        if back {
            b.contacts("1001", 1);
        }
        b.release(1, "1001");
        let wanted = if back { AgentStatus::WrapUp } else { AgentStatus::SignedOut };
        assert_eq!(b.status("1001"), wanted);
    }
}

#[test]
fn a_supervisors_order_says_by_whom_and_why() {
    let mut b = three(|_| {});
    let by = |agent_name: &str, what| crate::AcdCommand::Order {
        agent: agent(agent_name),
        what,
        by: Some("2001".into()),
    };
    let reason = Some("fire drill".to_owned());
    b.command(by("1001", AgentOrder::NotReady { reason: reason.clone() })).unwrap();
    let told = b.take().into_iter().find_map(|o| match o {
        AcdOutput::AgentChanged { reason, by, .. } => Some((reason, by)),
        _ => None,
    });
    assert_eq!(told, Some((reason, Some("2001".into()))));
    assert!(b.explain("1001").contains("2001 asked for it"), "{}", b.explain("1001"));
    b.command(by("1001", AgentOrder::NotReady { reason: Some("x".repeat(100)) })).unwrap();
    let kept = b.engine.agent(&agent("1001")).unwrap().reason.unwrap();
    assert_eq!(kept.len(), 64);
}

#[test]
fn a_waiting_caller_is_placed_at_an_agent_whoever_would_get_him() {
    let mut b = three(|_| {});
    let place = |n: u64, name: &str| crate::AcdCommand::Place {
        call: call(n),
        agent: agent(name),
        by: "2001".into(),
    };
    b.enter(1);
    b.take();
    b.command(place(1, "1003")).unwrap();
    assert_eq!(b.withdrawn(), [to(1, "1001")]);
    assert_eq!(b.status("1001"), AgentStatus::Ready);
    let why = b.take().into_iter().find_map(|o| match o {
        AcdOutput::Offer { agent, why, .. } => Some((agent.name.to_string(), why)),
        _ => None,
    });
    let (to_whom, why) = why.unwrap();
    assert_eq!(to_whom, "1003");
    assert!(why.starts_with("placed by 2001; caller: priority 0"), "{why}");
    b.answer(1, "1003");
    b.not_ready("1002");
    b.not_ready("1001");
    b.enter(2);
    b.take();
    b.command(place(2, "1002")).unwrap();
    assert_eq!(b.offers(), [to(2, "1002")], "not ready, and given it all the same");
    b.answer(2, "1002");
    b.release(2, "1002");
    b.pass(10_000);
    assert_eq!(b.status("1002"), AgentStatus::NotReady, "as he wished");
    for (n, agent, reason) in [
        (9, "1001", RefusedReason::NotWaiting),
        (2, "1003", RefusedReason::HasCall),
        (2, "7777", RefusedReason::NoSuchAgent),
    ] {
        assert_eq!(b.command(place(n, agent)).unwrap_err().reason, reason);
    }
    b.sign_out("1001");
    assert_eq!(b.command(place(2, "1001")).unwrap_err().reason, RefusedReason::SignedOut);
}

#[test]
fn a_placed_call_says_how_busy_the_agent_was_and_ends_his_wrap_up() {
    let mut b = three(|b| {
        strategy(Strategy::LeastOccupied)(b);
        b.queue_mut("sales").wrap_up = Duration::from_secs(60);
    });
    b.not_ready("1002");
    b.not_ready("1003");
    b.enter(1);
    b.answer(1, "1001");
    b.pass(9_000);
    b.release(1, "1001");
    b.pass(1_000);
    assert_eq!(b.status("1001"), AgentStatus::WrapUp);
    b.enter(2);
    b.take();
    b.command(crate::AcdCommand::Place { call: call(2), agent: agent("1001"), by: "2001".into() }).unwrap();
    let why = b.take().into_iter().find_map(|o| match o {
        AcdOutput::Offer { why, .. } => Some(why),
        _ => None,
    });
    let why = why.unwrap();
    assert!(why.contains("agent: occupied 76.92 %, idle 0.000 s"), "10 of 13 s: {why}");
    // He rings in vain, and is idle since his work after the call was ended, not since before it.
    b.abandon(2);
    assert_eq!(b.status("1001"), AgentStatus::Ready);
    b.pass(2_000);
    let why = b.engine.explain_queue(&queue("sales"), b.now).unwrap();
    assert!(why.contains("agent 1: default/1001, occupied 66.66 %, idle 2.000 s"), "10 of 15 s: {why}");
}

#[test]
fn a_caller_who_is_put_first_is_served_first() {
    let mut b = Bench::with_agents(&["1001"]);
    b.not_ready("1001");
    b.enter_as(1, "sales", 9);
    b.enter(2);
    b.enter(3);
    b.command(crate::AcdCommand::PutFirst { call: call(3) }).unwrap();
    assert_eq!(b.waiting("sales"), [3, 1, 2]);
    let refused = b.command(crate::AcdCommand::PutFirst { call: call(8) }).unwrap_err();
    assert_eq!(refused.reason, RefusedReason::NotWaiting);
    b.take();
    b.ready("1001").unwrap();
    assert_eq!(b.offers(), [to(3, "1001")]);
}

#[test]
fn an_agent_who_puts_his_caller_on_hold_is_shown_so() {
    let mut b = Bench::with_agents(&["1001"]);
    b.enter(1);
    b.holds(1, "1001", true);
    assert_eq!(b.status("1001"), AgentStatus::Ringing, "nobody is on hold yet");
    b.answer(1, "1001");
    b.holds(1, "1001", true);
    assert_eq!(b.status("1001"), AgentStatus::Hold);
    b.holds(1, "1001", false);
    assert_eq!(b.status("1001"), AgentStatus::Talking);
    b.holds(1, "1001", true);
    b.release(1, "1001");
    assert_eq!(b.status("1001"), AgentStatus::WrapUp);
}

#[test]
fn a_queue_explains_itself() {
    let mut b = three(|b| b.queue_mut("sales").service.reserve = Some(Reserve { agents: 1, priority: 5 }));
    b.not_ready("1003");
    b.enter(1);
    b.enter(2);
    b.enter_for(3, "1001", Some(60));
    b.pass(5_000);
    insta::assert_snapshot!(b.engine.explain_queue(&queue("sales"), b.now).unwrap());
}
