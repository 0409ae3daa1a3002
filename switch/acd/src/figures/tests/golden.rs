//! Small days, with every figure worked out by hand.

use super::floor::{Floor, story, work};
use crate::tests::bench::{agent, agent_config, queue_config};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::figures::{Figures, Ratio, ReportBy, ReportStep};
use cordboard_model::record::{IntervalEnd, OfferEnd};
use cordboard_model::service::AgentOrder;
use cordboard_model::view::AgentStatus;

/// One queue with the target of 20 s and the threshold of 5 s, one agent, 10 s of wrap-up.
///
/// | call | what happens | seconds |
/// | --- | --- | --- |
/// | 1 | enters 10, answered 14, on hold 20 to 30, over 74; wrap-up to 84 | wait 4, talk 50, hold 10 |
/// | 2 | enters 76, hangs up 79 | wait 3, short |
/// | 3 | enters 80, offered 84, answered 102, over 132; wrap-up to 142 | wait 22, talk 30 |
/// | 4 | enters 133, hangs up 141 | wait 8 |
/// | 5 | enters 150, rings out 170; the agent is ready again at 200; hangs up ringing, 205 | wait 55 |
/// | 6 | enters 310, after the agent went home at 300; ended by the wait limit at 610 | wait 300 |
fn morning() -> Floor {
    let queues = vec![queue_config("sales")];
    let agents = vec![agent_config("1", &["sales"])];
    let mut floor = Floor::new("2026-06-01T08:00:00+02:00", "Europe/Berlin", queues, agents);
    floor.ready("1");
    let s = |seconds: u64| seconds * 1_000;
    floor.until(s(10));
    floor.enter(1, "sales");
    floor.until(s(14));
    floor.answer(1);
    floor.until(s(20));
    floor.held(1, true);
    floor.until(s(30));
    floor.held(1, false);
    floor.until(s(74));
    floor.released(1);
    floor.over(1, Party::Caller);
    floor.until(s(76));
    floor.enter(2, "sales");
    floor.until(s(79));
    floor.gives_up(2);
    floor.until(s(80));
    floor.enter(3, "sales");
    floor.until(s(102));
    floor.answer(3);
    floor.until(s(132));
    floor.released(3);
    floor.over(3, Party::Callee);
    floor.until(s(133));
    floor.enter(4, "sales");
    floor.until(s(141));
    floor.gives_up(4);
    floor.until(s(150));
    floor.enter(5, "sales");
    floor.until(s(170));
    floor.fails(5, Cause::NoAnswer);
    floor.until(s(200));
    floor.order("1", AgentOrder::Ready);
    floor.until(s(205));
    floor.gives_up(5);
    floor.until(s(300));
    floor.goes_home("1");
    floor.until(s(310));
    floor.enter(6, "sales");
    floor.until(s(610));
    floor.over(6, Party::Switch);
    floor
}

/// What every formula comes to.
fn of_the_queue() -> Figures {
    Figures {
        offered: 6,
        answered: 2,
        answered_in_target: 1,
        abandoned: 3,
        short_abandoned: 1,
        abandoned_in_target: 2,
        timed_out: 1,
        // 1 of 6 without the short one
        service_level: Ratio::new(1, 5),
        service_level_of_answered: Ratio::new(1, 2),
        service_level_with_abandoned: Ratio::new(3, 5),
        abandon_rate: Ratio::new(2, 6),
        asa_ms: Some(13_000),
        // the first of two, up to one in 128 too high
        wait_p50_ms: Some(4_015),
        wait_p90_ms: Some(22_000),
        wait_p99_ms: Some(22_000),
        wait_max_ms: Some(22_000),
        abandoned_wait_ms: Some(22_000),
        offers: 4,
        offers_answered: 2,
        non_response: 1,
        non_response_with_hangups: 2,
        non_response_rate: Ratio::new(1, 4),
        handled: 2,
        talk_ms: 80_000,
        hold_ms: 10_000,
        wrap_up_ms: 20_000,
        aht_ms: Some(55_000),
        ..Figures::default()
    }
}

#[test]
fn every_formula_on_a_morning_worked_out_by_hand() {
    let floor = morning();
    assert_eq!(floor.total(ReportBy::Queues, Some("sales")), of_the_queue());
    let time = Figures {
        time_ready_ms: 113_000,
        time_ringing_ms: 47_000,
        time_talking_ms: 90_000,
        time_wrap_up_ms: 20_000,
        time_rest_ms: 30_000,
        occupancy: Ratio::new(110_000, 223_000),
        ..of_the_queue()
    };
    assert_eq!(floor.total(ReportBy::Tenant, None), time);
    let own = Figures {
        offers: 4,
        offers_answered: 2,
        non_response: 1,
        non_response_with_hangups: 2,
        non_response_rate: Ratio::new(1, 4),
        handled: 2,
        talk_ms: 80_000,
        hold_ms: 10_000,
        wrap_up_ms: 20_000,
        aht_ms: Some(55_000),
        time_ready_ms: 113_000,
        time_ringing_ms: 47_000,
        time_talking_ms: 90_000,
        time_wrap_up_ms: 20_000,
        time_rest_ms: 30_000,
        occupancy: Ratio::new(110_000, 223_000),
        ..Figures::default()
    };
    assert_eq!(floor.total(ReportBy::Agents, Some("1")), own);
}

#[test]
fn the_wall_of_the_same_morning_says_the_same_at_its_end_and_what_waits_before() {
    let mut floor = morning();
    let wall = floor.wall();
    assert_eq!(wall.queues[0].today, of_the_queue());
    assert_eq!(wall.agents[0].today, floor.total(ReportBy::Agents, Some("1")));
    // the calls themselves have no record in this test
    assert_eq!(Figures { calls: 0, ..wall.today }, floor.total(ReportBy::Tenant, None));
    assert_eq!(
        (wall.waiting, wall.longest_wait_ms, wall.agents[0].status),
        (0, None, AgentStatus::SignedOut)
    );
    floor.until(620_000);
    floor.enter(7, "sales");
    floor.until(630_000);
    floor.enter(8, "sales");
    floor.until(635_000);
    let wall = floor.wall();
    let queue = &wall.queues[0];
    assert_eq!((queue.waiting, queue.waiting_over_target, queue.longest_wait_ms), (2, 0, Some(15_000)));
    // Of these two nobody knows yet.
    assert_eq!((queue.today.offered, queue.today.service_level), (8, Ratio::new(1, 5)));
    floor.until(641_000);
    let queue = &floor.wall().queues[0];
    assert_eq!((queue.waiting_over_target, queue.today.service_level), (1, Ratio::new(1, 6)));
    floor.ready("1");
    let wall = floor.wall();
    assert_eq!(wall.agents_by_status, [("ringing", 1)].into());
    assert_eq!(wall.queues[0].agents, [("ringing", 1)].into());
    assert_eq!(wall.agents[0].queue.as_ref().map(|queue| queue.name.as_str()), Some("sales"));
}

#[test]
fn each_visit_and_each_stretch_of_work_is_written_down_with_what_it_was_for() {
    let floor = morning();
    let visits = &floor.visits;
    let told = |n: usize| visits[n].account.as_ref().unwrap();
    let ends = |n: usize| told(n).offers.iter().map(|o| (o.end, o.rang, o.ms)).collect::<Vec<_>>();
    assert_eq!(ends(0), [(OfferEnd::Answered, true, 4_000)]);
    assert_eq!((told(0).wait_ms, told(0).talk_ms, told(0).hold_ms), (4_000, 50_000, 10_000));
    assert_eq!((told(0).ended_by, told(2).ended_by), (Some(Party::Caller), Some(Party::Callee)));
    assert_eq!(ends(4), [(OfferEnd::NoAnswer, false, 20_000), (OfferEnd::CallerGone, false, 5_000)]);
    assert_eq!((told(1).position, told(5).ended_by), (1, None));
    let outcomes: Vec<&str> = visits.iter().map(|visit| visit.outcome.as_str()).collect();
    assert_eq!(outcomes, ["served", "abandoned", "served", "abandoned", "abandoned", "timeout"]);
    let story = story(&floor.intervals, &agent("1"));
    let story: Vec<(&str, u64)> = story.iter().map(|(status, ms)| (&**status, ms / 1_000)).collect();
    assert_eq!(
        story,
        [
            ("not_ready", 0),
            ("ready", 10),
            ("ringing", 4),
            ("talking", 60),
            ("wrap_up", 10),
            ("ready", 0),
            ("ringing", 18),
            ("talking", 30),
            ("wrap_up", 10),
            ("ready", 8),
            ("ringing", 20),
            ("rest", 30),
            ("ready", 0),
            ("ringing", 5),
            ("ready", 95),
        ]
    );
    let chain = floor.intervals.windows(2).all(|pair| pair[0].to == pair[1].from);
    assert!(chain && floor.intervals.iter().all(|interval| interval.end == IntervalEnd::Known));
    let wrap_up = floor.intervals.iter().filter(|interval| interval.status == AgentStatus::WrapUp);
    let of: Vec<_> = wrap_up.map(|interval| work(interval).unwrap().1).collect();
    assert_eq!(of, [visits[0].entered, visits[2].entered]);
}

#[test]
fn a_call_that_goes_on_to_another_queue_is_handled_by_each_for_its_own_part() {
    let queues = vec![queue_config("sales"), queue_config("help")];
    let agents = vec![agent_config("1", &["sales"]), agent_config("2", &["help"])];
    let mut floor = Floor::new("2026-06-01T08:00:00Z", "UTC", queues, agents);
    floor.ready("1");
    floor.ready("2");
    floor.enter(1, "sales");
    floor.until(10_000);
    floor.answer(1);
    floor.until(40_000);
    floor.released(1);
    floor.enter(1, "help");
    floor.until(45_000);
    floor.answer(1);
    floor.held(1, true);
    floor.until(65_000);
    floor.released(1);
    floor.over(1, Party::Callee);
    floor.until(80_000);
    let talk = |by, name| {
        let figures = floor.total(by, name);
        (figures.handled, figures.talk_ms, figures.hold_ms, figures.wrap_up_ms, figures.aht_ms)
    };
    assert_eq!(talk(ReportBy::Queues, Some("sales")), (1, 30_000, 0, 10_000, Some(40_000)));
    assert_eq!(talk(ReportBy::Queues, Some("help")), (1, 0, 20_000, 10_000, Some(30_000)));
    assert_eq!(talk(ReportBy::Agents, Some("1")), (1, 30_000, 0, 10_000, Some(40_000)));
    assert_eq!(talk(ReportBy::Agents, Some("2")), (1, 0, 20_000, 10_000, Some(30_000)));
    assert_eq!(talk(ReportBy::Tenant, None), (2, 30_000, 20_000, 20_000, Some(35_000)));
    // Who hangs up in the end has not ended the first talk.
    let by: Vec<_> = floor.visits.iter().map(|visit| visit.account.as_ref().unwrap().ended_by).collect();
    assert_eq!(by, [None, Some(Party::Callee)]);
}

#[test]
fn refused_callers_are_not_offered_and_those_who_leave_otherwise_are_told_apart() {
    let mut queue = queue_config("sales");
    queue.max_length = 1;
    let mut floor = Floor::new(
        "2026-06-01T08:00:00Z",
        "UTC",
        vec![queue, queue_config("help")],
        vec![agent_config("1", &[])],
    );
    floor.enter(1, "sales");
    floor.until(7_000);
    floor.enter(2, "sales");
    floor.over(2, Party::Switch);
    // The first one goes to the other queue by himself, and leaves that one by a key.
    floor.enter(1, "help");
    floor.until(9_000);
    let (call, how) = (crate::tests::bench::call(1), crate::Outcome::Key);
    floor.tell(crate::AcdInput::Leaving { call, how });
    floor.gives_up(1);
    let figures = floor.total(ReportBy::Queues, Some("sales"));
    let of =
        |figures: &Figures| (figures.offered, figures.refused, figures.left_otherwise, figures.abandoned);
    assert_eq!(of(&figures), (1, 1, 1, 0));
    let wall = floor.wall();
    let help = wall.queues.iter().find(|queue| queue.queue.name.as_str() == "help").unwrap();
    assert_eq!(of(&help.today), (1, 0, 1, 0));
    assert_eq!(of(&wall.queues[1].today), (1, 1, 1, 0));
    // Each half hour is made of the visits that entered in it, and they come to the same.
    let (rows, _) = floor.report(ReportBy::Queues, floor.grid(ReportStep::Quarter));
    assert_eq!(rows.iter().map(|row| row.figures.offered).sum::<u64>(), 2);
}
