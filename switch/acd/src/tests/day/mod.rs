//! Days of a contact centre, in seconds: that waits and abandonment are what theory says of them, and that what is
//! written of a day adds up.

mod erlang;
mod floor;

use super::bench::{agent_config, queue, queue_config, snapshot, user};
use crate::{AcdInput, Outcome};
use cordboard_model::config::Snapshot;
use cordboard_model::service::{Spare, Strategy};
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;
use erlang::Theory;
use floor::{Does, Floor, People, What, agent_of};
use std::collections::BTreeMap;

const DAY: u64 = 86_400;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn at(s: u64) -> Time {
    Time::from_millis(s * 1_000)
}

/// One queue of this theory, its agents at work for the whole time, served at once and without wrap-up.
fn steady(theory: &Theory, strategy: Strategy, days: u64, seed: u64) -> Floor {
    let mut config = queue_config("q00");
    config.wrap_up = Duration::ZERO;
    config.max_wait = secs(60_000);
    config.max_length = 10_000;
    config.service.strategy = strategy;
    let agents = (0..theory.agents).map(|n| agent_config(agent_of(n).name.as_str(), &["q00"]));
    let config = snapshot(vec![config], agents.collect());
    let people = People {
        arrivals: vec![[theory.arrivals; 24]],
        service: Duration::from_secs_f64(theory.service),
        patience: theory.patience.map(Duration::from_secs_f64),
        rings: Duration::ZERO,
        missed: 0,
        sent_on: 0,
        closes: at(days * DAY),
    };
    let mut floor = Floor::new(&config, people, WallClock { at_zero: Wall(0) }, seed);
    for n in 0..theory.agents {
        let id = agent_of(n);
        floor.engine.handle_input(AcdInput::Contacts { user: user(id.name.as_str()), count: 1 }, Time::ZERO);
        floor.plan(Time::ZERO, What::Agent(id, Does::Come));
    }
    floor.run();
    floor
}

/// What a floor came to: the share who waited, the mean wait of all, the share who gave up, the share served within 20 s.
fn came_to(floor: &Floor) -> (f64, f64, f64, f64) {
    let all = floor.visits.len() as f64;
    let count = |is: &dyn Fn(&floor::Visit) -> bool| floor.visits.iter().filter(|v| is(v)).count() as f64;
    let wait = |v: &floor::Visit| v.left.since(v.entered);
    let waited: f64 = floor.visits.iter().map(|v| wait(v).as_secs_f64()).sum();
    let served = |v: &floor::Visit| v.outcome == Outcome::Served;
    (
        count(&|v| wait(v) > Duration::ZERO) / all,
        waited / all,
        count(&|v| v.outcome == Outcome::Abandoned) / all,
        count(&|v| served(v) && wait(v) <= secs(20)) / all,
    )
}

/// Within two points of the shares and a tenth of the mean wait, over some hundred thousand callers.
#[test]
fn waits_are_what_erlang_says_of_a_queue_whose_callers_never_give_up() {
    for (agents, load, strategy) in [
        (5, 4.0, Strategy::LongestIdle),
        (20, 17.0, Strategy::RoundRobin),
        (60, 52.0, Strategy::LeastOccupied),
    ] {
        let theory = Theory { arrivals: load / 180.0, service: 180.0, patience: None, agents };
        let days = 400_000 * 180 / (load as u64 * DAY) + 1;
        let (waits, wait, _, in_time) = came_to(&steady(&theory, strategy, days, 7));
        let said = theory.expected();
        assert!((waits - said.waits).abs() < 0.02, "{agents} agents: {waits} wait, {said:?}");
        assert!((wait / said.wait - 1.0).abs() < 0.1, "{agents} agents: {wait} s, {said:?}");
        let wanted = theory.served_within(20.0);
        assert!((in_time - wanted).abs() < 0.02, "{agents} agents: {in_time} in time, {wanted} said");
    }
}

#[test]
fn abandonment_is_what_erlang_says_of_callers_who_give_up() {
    for (agents, load, patience) in [(10, 11.0, 90.0), (40, 42.0, 60.0), (40, 36.0, 240.0)] {
        let theory = Theory { arrivals: load / 180.0, service: 180.0, patience: Some(patience), agents };
        let days = 100_000 * 180 / (load as u64 * DAY) + 1;
        let (waits, wait, abandons, _) = came_to(&steady(&theory, Strategy::LongestIdle, days, 11));
        let said = theory.expected();
        assert!((waits - said.waits).abs() < 0.02, "{agents} agents: {waits} wait, {said:?}");
        assert!((wait / said.wait - 1.0).abs() < 0.1, "{agents} agents: {wait} s, {said:?}");
        assert!((abandons - said.abandons).abs() < 0.01, "{agents} agents: {abandons} give up, {said:?}");
    }
}

const QUEUES: usize = 20;
const AGENTS: usize = 300;
/// Of a queue's fifteen agents so many are there by night, when an eighth of the calls of an hour by day come.
const BY_NIGHT: usize = 3;

/// A day of twenty queues without overflow, each with fifteen agents of its own: most come at eight and go at twenty.
fn by_shifts(theory: &[Theory; 24], seed: u64) -> Floor {
    let name = |n: usize| format!("q{:02}", n % QUEUES);
    let queues = (0..QUEUES).map(|n| {
        let mut config = queue_config(&name(n));
        (config.wrap_up, config.max_wait, config.max_length) = (Duration::ZERO, secs(60_000), 10_000);
        config
    });
    let agents = (0..AGENTS).map(|n| agent_config(agent_of(n).name.as_str(), &[&name(n)]));
    let people = People {
        arrivals: vec![core::array::from_fn(|hour| theory[hour].arrivals); QUEUES],
        service: Duration::from_secs_f64(theory[0].service),
        patience: theory[0].patience.map(Duration::from_secs_f64),
        rings: Duration::ZERO,
        missed: 0,
        sent_on: 0,
        closes: at(DAY),
    };
    let config = snapshot(queues.collect(), agents.collect());
    let mut floor = Floor::new(&config, people, WallClock { at_zero: Wall(1_795_132_800_000) }, seed);
    for n in 0..AGENTS {
        let id = agent_of(n);
        floor.engine.handle_input(AcdInput::Contacts { user: user(id.name.as_str()), count: 1 }, Time::ZERO);
        let by_night = n / QUEUES < BY_NIGHT;
        floor.plan(at(if by_night { 0 } else { 8 * 3_600 }), What::Agent(id.clone(), Does::Come));
        if !by_night {
            floor.plan(at(20 * 3_600), What::Agent(id, Does::Go));
        }
    }
    floor.run();
    floor
}

/// The day as a whole is the sum of its hours, each as theory says of one that lasts: within two points of the shares and a tenth
/// of the mean wait. That is what an hour's edge costs, for the callers who are there when the agents go wait longer than theory
/// says of either hour. Queues that overflow, and agents who serve several, have no such theory: their day is added up below.
#[test]
fn a_day_by_shifts_is_what_erlang_says_of_its_hours() {
    let clock = super::Clock::begin();
    let hour = |hour: usize| {
        let by_day = (8..20).contains(&hour);
        let (load, agents) = if by_day { (13.5, AGENTS / QUEUES) } else { (1.6, BY_NIGHT) };
        Theory { arrivals: load / 150.0, service: 150.0, patience: Some(120.0), agents }
    };
    let theory: [Theory; 24] = core::array::from_fn(hour);
    let all: f64 = theory.iter().map(|hour| hour.arrivals).sum();
    let mean = |of: fn(&erlang::Expected) -> f64| -> f64 {
        theory.iter().map(|hour| hour.arrivals * of(&hour.expected())).sum::<f64>() / all
    };
    let floor = by_shifts(&theory, 2_027);
    assert!(floor.visits.len() > 60_000, "{} calls", floor.visits.len());
    let (waits, wait, abandons, _) = came_to(&floor);
    let said = (mean(|of| of.waits), mean(|of| of.wait), mean(|of| of.abandons));
    assert!((waits - said.0).abs() < 0.02, "{waits} wait, {said:?}");
    assert!((wait / said.1 - 1.0).abs() < 0.1, "{wait} s, {said:?}");
    assert!((abandons - said.2).abs() < 0.02, "{abandons} give up, {said:?}");
    clock.is_under_a_minute();
}

/// Three hundred agents in three shifts, each in three of twenty queues, which overflow into the next.
fn centre() -> Snapshot {
    let name = |n: usize| format!("q{:02}", n % QUEUES);
    const STRATEGIES: [Strategy; 4] =
        [Strategy::LongestIdle, Strategy::FewestCalls, Strategy::RoundRobin, Strategy::LeastOccupied];
    let queues = (0..QUEUES).map(|n| {
        let mut config = queue_config(&name(n));
        config.wrap_up = secs(10);
        config.max_wait = secs(60);
        config.service.strategy = STRATEGIES[n % STRATEGIES.len()];
        config.service.unanswered.no_answer = if n % 2 == 0 { Spare::Rest } else { Spare::For(secs(5)) };
        if n % 3 == 0 {
            config.service.on_timeout = Some(Destination::Queue(queue(&name(n + 1))));
        }
        config
    });
    let agents = (0..AGENTS).map(|n| {
        let of = [name(n), name(n + 7), name(n / 3)];
        agent_config(agent_of(n).name.as_str(), &of.each_ref().map(String::as_str))
    });
    snapshot(queues.collect(), agents.collect())
}

/// Sixty thousand callers, most of them by day; agents come, rest, miss calls and go.
fn a_day(wall: Wall, seed: u64) -> Floor {
    let mut hours = [0.2; 24];
    hours[8..20].fill(1.7);
    let sum: f64 = hours.iter().sum();
    let rates = hours.map(|share| 60_000.0 / QUEUES as f64 * share / sum / 3_600.0);
    let people = People {
        arrivals: vec![rates; QUEUES],
        service: secs(150),
        patience: Some(secs(120)),
        rings: secs(4),
        missed: 20,
        sent_on: 50,
        closes: at(DAY - 3_600),
    };
    let mut floor = Floor::new(&centre(), people, WallClock { at_zero: wall }, seed);
    for n in 0..AGENTS {
        let id = agent_of(n);
        floor.engine.handle_input(AcdInput::Contacts { user: user(id.name.as_str()), count: 1 }, Time::ZERO);
        // Shifts of nine hours from 6, 8 and 13 o'clock, and a few by night.
        let begins = [8, 8, 13, 6, 13, 0][n % 6] * 3_600 + (n as u64 * 37) % 600;
        let shift = if n % 6 == 5 { 24 * 3_600 - 601 } else { 9 * 3_600 };
        floor.plan(at(begins), What::Agent(id.clone(), Does::Come));
        for tea in 1..4 {
            let rests = begins + tea * shift / 4;
            floor.plan(at(rests), What::Agent(id.clone(), Does::Rest));
            floor.plan(at(rests + 900), What::Agent(id.clone(), Does::Ready));
        }
        floor.plan(at(begins + shift), What::Agent(id, Does::Go));
    }
    floor.run();
    floor
}

#[test]
fn a_day_of_sixty_thousand_calls_adds_up() {
    let floor = a_day(Wall(1_795_132_800_000), 2_026);
    let calls: std::collections::BTreeSet<_> = floor.visits.iter().map(|visit| visit.call).collect();
    assert!((58_000..64_000).contains(&calls.len()), "{} calls", calls.len());
    assert!(floor.engine.is_quiescent());
    // Each queue's counters are what the visits say.
    for view in floor.engine.queues(super::bench::T) {
        let of = |outcome| {
            floor.visits.iter().filter(|v| v.queue == view.queue && v.outcome == outcome).count() as u64
        };
        assert_eq!(view.answered, of(Outcome::Served), "{}", view.queue);
        assert_eq!(view.abandoned, of(Outcome::Abandoned), "{}", view.queue);
        assert_eq!(view.timed_out, of(Outcome::Timeout), "{}", view.queue);
        let all = floor.visits.iter().filter(|v| v.queue == view.queue).count() as u64;
        assert_eq!(view.offered, all, "{}", view.queue);
    }
    // What agents talked is what callers talked, and each agent's day is as long as any other's.
    let talked: Duration = floor.visits.iter().map(|visit| visit.talk).sum();
    let mut times: BTreeMap<Word, Duration> = BTreeMap::new();
    let mut last: BTreeMap<_, (Time, AgentStatus)> = BTreeMap::new();
    for (when, agent, status) in &floor.changes {
        if let Some((since, before)) = last.insert(agent, (*when, *status)) {
            *times.entry(before.as_str()).or_default() += when.since(since);
        }
    }
    assert_eq!(times["talking"], talked);
    assert!(last.values().all(|(_, status)| *status == AgentStatus::SignedOut), "somebody works on");
    let served = floor.visits.iter().filter(|visit| visit.outcome == Outcome::Served).count() as u64;
    let handled: u64 = floor.engine.agents(super::bench::T).iter().map(|agent| agent.handled).sum();
    assert_eq!(handled, served);
    let by = |agent: &cordboard_model::id::AgentId| {
        floor.visits.iter().filter(|v| v.agent.as_ref() == Some(agent)).count() as u64
    };
    for agent in floor.engine.agents(super::bench::T).iter().step_by(29) {
        assert_eq!(agent.handled, by(&agent.agent), "{}", agent.agent);
    }
    assert!(floor.missed > 500 && floor.offered >= served + floor.missed, "{} missed", floor.missed);
    let overflowed = floor.visits.iter().filter(|visit| visit.outcome == Outcome::Timeout).count();
    let gave_up = floor.visits.iter().filter(|visit| visit.outcome == Outcome::Abandoned).count();
    assert!(overflowed > 100 && gave_up > 100, "{overflowed} overflowed, {gave_up} gave up");
}

type Word = &'static str;
