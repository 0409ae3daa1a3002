//! A day at random, with the real engine: what is folded in quarters, hours and days comes to the same, to what a plain count
//! over the raw records says, and to what the live figures said.

use super::floor::Floor;
use crate::figures::ERROR;
use crate::tests::Clock;
use crate::tests::bench::{agent, agent_config, call, queue_config};
use crate::{AcdOutput, Outcome};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::LegRecord;
use cordboard_model::figures::{Figures, ReportBy, ReportRow, ReportStep};
use cordboard_model::id::{FlowId, QueueId, TrunkId};
use cordboard_model::record::{CallRow, OfferEnd};
use cordboard_model::service::{AgentOrder, RingMost, Strategy};
use cordboard_model::time::Wall;
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

/// How much goes on.
#[derive(Clone, Copy)]
struct Size {
    queues: usize,
    agents: usize,
    calls: u64,
}

/// A small house's day, and a large one's.
const SMALL: Size = Size { queues: 5, agents: 24, calls: 4_000 };
const LARGE: Size = Size { queues: 20, agents: 300, calls: 60_000 };

fn queue_name(n: usize) -> String {
    format!("queue-{n:02}")
}

#[derive(Clone, Debug)]
enum Act {
    Arrives(u64),
    GivesUp(u64),
    Answers(u64, String),
    Fails(u64, String, Cause),
    Hold(u64, bool),
    Released(u64),
    Ready(usize),
    Rest(usize),
    Home(usize),
}

struct Day {
    floor: Floor,
    rng: ChaCha12Rng,
    agenda: BTreeMap<(u64, u64), Act>,
    serial: u64,
    came: BTreeSet<u64>,
    waiting: BTreeSet<u64>,
    talking: BTreeSet<u64>,
    queues: usize,
    end: u64,
}

impl Day {
    fn one_of(&mut self, count: u64) -> u64 {
        self.rng.next_u64() % count
    }

    fn plan(&mut self, ms: u64, act: Act) {
        self.serial += 1;
        self.agenda.insert((ms, self.serial), act);
    }

    fn now(&self) -> u64 {
        self.floor.now().as_millis()
    }

    fn soon(&mut self, from: u64, to: u64, act: Act) {
        let at = self.now() + from + self.one_of(to - from);
        self.plan(at, act);
    }

    fn enters(&mut self, n: u64) {
        let queue = queue_name(self.one_of(self.queues as u64) as usize);
        // A few come from inside; who goes on to another queue is in his call already.
        match n % 7 {
            _ if !self.came.insert(n) => self.floor.enter(n, &queue),
            0 => self.floor.enter(n, &queue),
            of => self.floor.enter_by(n, &queue, &format!("carrier-{}", of % 2), &format!("menu-{}", of % 3)),
        }
        self.waiting.insert(n);
        // Few are patient, some are not at all.
        let patience = if self.one_of(8) == 0 { 4_000 } else { 400_000 };
        self.soon(100, patience, Act::GivesUp(n));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Arrives(n) => self.enters(n),
            Act::GivesUp(n) => {
                if self.waiting.remove(&n) {
                    self.floor.gives_up(n);
                }
            }
            Act::Answers(n, who) if self.rings(n, &who) => self.floor.answer_by(n, &agent(&who)),
            Act::Fails(n, who, why) if self.rings(n, &who) => self.floor.fails_at(n, &agent(&who), why),
            Act::Hold(n, held) => self.floor.held(n, held),
            Act::Released(n) => {
                self.talking.remove(&n);
                self.floor.held(n, false);
                self.floor.released(n);
                match self.one_of(6) {
                    0 => self.enters(n),
                    by => self.floor.over(n, if by % 2 == 0 { Party::Caller } else { Party::Callee }),
                }
            }
            Act::Ready(at) => {
                self.floor.ready(&(100 + at).to_string());
                if self.now() < self.end {
                    self.soon(600_000, 5_000_000, Act::Rest(at));
                }
            }
            Act::Rest(at) => {
                self.floor.order(
                    &(100 + at).to_string(),
                    AgentOrder::Rest { reason: Some("tea".into()), limit: None },
                );
                self.soon(60_000, 900_000, Act::Ready(at));
            }
            Act::Home(at) => self.floor.goes_home(&(100 + at).to_string()),
            Act::Answers(..) | Act::Fails(..) => {}
        }
    }

    fn rings(&self, n: u64, who: &str) -> bool {
        self.waiting.contains(&n) && self.floor.ringing.contains(&(call(n), agent(who)))
    }

    fn hear(&mut self) {
        while let Some(news) = self.floor.news.pop_front() {
            match news {
                AcdOutput::Offer { call, agent, .. } => {
                    let (n, who) = (call.number, agent.name.to_string());
                    match self.one_of(12) {
                        0 => self.soon(19_999, 20_000, Act::Fails(n, who, Cause::NoAnswer)),
                        1 => self.soon(1_000, 4_000, Act::Fails(n, who, Cause::Declined)),
                        // nobody reports: the engine takes the offer back
                        2 => {}
                        _ => self.soon(1_000, 12_000, Act::Answers(n, who)),
                    }
                }
                AcdOutput::Left { call, outcome: Outcome::Served, .. } => {
                    let n = call.number;
                    self.waiting.remove(&n);
                    self.talking.insert(n);
                    let talk = 5_000 + self.one_of(300_000);
                    let now = self.now();
                    if self.one_of(3) == 0 {
                        self.plan(now + talk / 4, Act::Hold(n, true));
                        self.plan(now + talk / 2, Act::Hold(n, false));
                    }
                    self.plan(now + talk, Act::Released(n));
                }
                AcdOutput::Left { call, outcome: Outcome::Timeout, .. }
                | AcdOutput::QueueEnded { call, .. }
                    if self.waiting.remove(&call.number) =>
                {
                    self.floor.over(call.number, Party::Switch);
                }
                _ => {}
            }
        }
    }

    /// From the first moment of a day to shortly before its last.
    fn lived(seed: u8, at: &str, hours: u64, size: Size) -> Floor {
        let mut queues: Vec<_> = (0..size.queues).map(|n| queue_config(&queue_name(n))).collect();
        queues[3].max_length = 4;
        queues[1].service.strategy = Strategy::RingAll;
        queues[1].service.ring_all_most = RingMost(3);
        let serves = |n: usize| [n, n * 7 + 1].map(|n| queue_name(n % size.queues));
        let agents = (0..size.agents)
            .map(|n| agent_config(&(100 + n).to_string(), &serves(n).each_ref().map(String::as_str)));
        let mut floor = Floor::new(at, "Europe/Berlin", queues, agents.collect());
        floor.whole = true;
        let end = hours * 3_600_000;
        let rng = ChaCha12Rng::from_seed([seed; 32]);
        let (came, waiting, talking) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (agenda, queues) = (BTreeMap::new(), size.queues);
        let mut day =
            Self { floor, rng, agenda, serial: 0, came, waiting, talking, queues, end: end - 4_000_000 };
        for n in 1..=size.calls {
            let at = day.one_of(end - 4_000_000);
            day.plan(at, Act::Arrives(n));
        }
        for n in 0..size.agents {
            let at = day.one_of(5_000_000);
            day.plan(at, Act::Ready(n));
            // Some are still there when the day is over.
            if n % 4 != 0 {
                let at = end - 2_000_000 + day.one_of(1_000_000);
                day.plan(at, Act::Home(n));
            }
        }
        loop {
            let due = day.agenda.first_key_value().map(|((at, _), _)| *at).filter(|at| *at < end - 1);
            // What the engine does by itself may make news on the way.
            let engine = day.floor.engine.poll_timeout().map(|(at, _)| at.as_millis()).unwrap_or(end);
            match due {
                Some(at) if at <= engine => {
                    day.floor.until(at);
                    if day.floor.news.is_empty()
                        && let Some((_, act)) = day.agenda.pop_first()
                    {
                        // One who went home does not come back from his rest.
                        let home = |n: usize| day_over(&day, n);
                        let skip = matches!(act, Act::Ready(n) | Act::Rest(n) if home(n));
                        if !skip {
                            day.act(act);
                        }
                    }
                }
                _ if engine < end - 1 => day.floor.until(engine),
                _ => break,
            }
            day.hear();
        }
        assert!(day.waiting.is_empty() && day.talking.is_empty(), "everybody is gone");
        day.floor.until(end - 1);
        day.floor
    }
}

/// Whether an agent's work is over for today.
fn day_over(day: &Day, n: usize) -> bool {
    !n.is_multiple_of(4) && day.now() >= day.end + 2_000_000
}

/// What is added up in figures.
type Sum = (&'static str, fn(&Figures) -> u64);

macro_rules! sums {
    ($($name:ident)*) => { &[$((stringify!($name), |figures| figures.$name)),*] };
}

const SUMS: &[Sum] = sums!(
    calls calls_answered legs_in legs_in_answered legs_out legs_talk_ms legs_ms
    offered refused answered answered_in_target abandoned short_abandoned abandoned_in_target timed_out
    left_otherwise offers offers_answered non_response non_response_with_hangups offers_refused offers_failed
    offers_withdrawn offers_elsewhere handled talk_ms hold_ms wrap_up_ms time_ready_ms time_ringing_ms time_talking_ms
    time_wrap_up_ms time_not_ready_ms time_rest_ms
);

fn added(rows: &[ReportRow]) -> BTreeMap<(Option<String>, &'static str), u64> {
    let mut all = BTreeMap::new();
    for row in rows {
        for (name, of) in SUMS {
            *all.entry((row.name.as_ref().map(ToString::to_string), *name)).or_default() += of(&row.figures);
        }
    }
    all
}

/// Whether a visit, or the work after it, is one's own: a queue's, a trunk's, a flow's.
fn is_of(by: ReportBy, name: &str, queue: &QueueId, trunk: Option<&TrunkId>, flows: &[FlowId]) -> bool {
    match by {
        ReportBy::Trunks => trunk.is_some_and(|trunk| trunk.name.as_str() == name),
        ReportBy::Flows => flows.iter().any(|flow| flow.name.as_str() == name),
        _ => queue.name.as_str() == name,
    }
}

/// A plain count over the raw records, of one queue, trunk or flow from one moment to another.
fn counted(floor: &Floor, by: ReportBy, name: &str, (from, to): (Wall, Wall)) -> Figures {
    let mut count = Figures::default();
    let mut waits = Vec::new();
    for visit in &floor.visits {
        let account = visit.account.as_ref().unwrap();
        if !is_of(by, name, &visit.queue, account.trunk.as_ref(), &account.flows)
            || visit.entered < from
            || visit.entered >= to
        {
            continue;
        }
        if account.position == 0 {
            count.refused += 1;
            continue;
        }
        count.offered += 1;
        let seconds = account.wait_ms as f64 / 1_000.0;
        if visit.outcome == "served" {
            count.answered += 1;
            waits.push(account.wait_ms);
            if seconds <= 20.0 {
                count.answered_in_target += 1;
            }
            count.handled += 1;
            count.talk_ms += account.talk_ms;
            count.hold_ms += account.hold_ms;
        } else if visit.outcome == "abandoned" {
            count.abandoned += 1;
            if seconds <= 5.0 {
                count.short_abandoned += 1;
            }
        } else if visit.outcome == "timeout" {
            count.timed_out += 1;
        } else {
            count.left_otherwise += 1;
        }
        count.offers += account.offers.len() as u64;
        let of = |end| account.offers.iter().filter(|offer| offer.end == end).count() as u64;
        count.offers_answered += of(OfferEnd::Answered);
        count.non_response += of(OfferEnd::NoAnswer);
        count.offers_elsewhere += of(OfferEnd::Elsewhere);
        count.non_response_with_hangups += of(OfferEnd::NoAnswer) + of(OfferEnd::CallerGone);
    }
    for interval in &floor.intervals {
        if let Some(work) = &interval.work
            && interval.status.as_str() == "wrap_up"
            && is_of(by, name, &work.queue, work.trunk.as_ref(), &work.flows)
            && work.entered >= from
            && work.entered < to
        {
            count.wrap_up_ms += (interval.to.0 - interval.from.0) as u64;
        }
    }
    calls_and_legs(&mut count, floor, by, name, (from, to));
    waits.sort_unstable();
    count.wait_max_ms = waits.last().copied();
    count.wait_p90_ms = (!waits.is_empty()).then(|| waits[(waits.len() * 9).div_ceil(10) - 1]);
    count.asa_ms =
        (!waits.is_empty()).then(|| (waits.iter().sum::<u64>() as f64 / waits.len() as f64).round() as u64);
    count
}

/// The same of calls of a flow, and of legs by a trunk.
fn calls_and_legs(count: &mut Figures, floor: &Floor, by: ReportBy, name: &str, (from, to): (Wall, Wall)) {
    let within = |at: Wall| at >= from && at < to;
    if by == ReportBy::Flows {
        let ran =
            |row: &&CallRow| within(row.started) && row.flows.iter().any(|flow| flow.name.as_str() == name);
        count.calls = floor.calls.iter().filter(ran).count() as u64;
        count.calls_answered = floor.calls.iter().filter(ran).filter(|row| row.answered).count() as u64;
    }
    if by == ReportBy::Trunks {
        let by_it = |leg: &&LegRecord| leg.trunk.as_ref().is_some_and(|trunk| trunk.name.as_str() == name);
        for leg in floor.legs.iter().filter(by_it).filter(|leg| within(leg.started)) {
            count.legs_in += 1;
            count.legs_ms += (leg.ended.0 - leg.started.0) as u64;
        }
    }
}

/// Each quarter's figures of each, and each one's of the day, are what a plain count says.
fn is_as_counted(floor: &Floor, by: ReportBy) {
    let (rows, totals) = floor.report(by, floor.grid(ReportStep::Quarter));
    assert!(totals.len() > 1, "{by:?}");
    for row in rows.iter().chain(&totals) {
        let name = row.name.as_ref().unwrap().as_str();
        let (told, plain) = (row.figures, counted(floor, by, name, (row.from, row.to)));
        let of = |f: &Figures| {
            let waits =
                (f.offered, f.refused, f.answered, f.answered_in_target, f.abandoned, f.short_abandoned);
            let ends = (f.timed_out, f.left_otherwise, f.offers, f.offers_answered, f.non_response);
            let calls = (f.calls, f.calls_answered, f.legs_in, f.legs_ms);
            (
                (waits, calls),
                ends,
                f.offers_elsewhere,
                f.non_response_with_hangups,
                f.handled,
                f.talk_ms,
                f.hold_ms,
                f.wrap_up_ms,
                f.asa_ms,
            )
        };
        assert_eq!(of(&told), of(&plain), "{name} from {}", row.local);
        assert_eq!(told.wait_max_ms, plain.wait_max_ms);
        let (p90, exact) = (told.wait_p90_ms.unwrap_or(0), plain.wait_p90_ms.unwrap_or(0));
        assert!(p90 >= exact && p90 - exact <= exact / ERROR, "{name}: {p90} for {exact}");
    }
}

fn reconciles(floor: &mut Floor) {
    let grid = |step| floor.grid(step);
    for by in [ReportBy::Queues, ReportBy::Agents, ReportBy::Tenant, ReportBy::Trunks, ReportBy::Flows] {
        let (quarters, total) = floor.report(by, grid(ReportStep::Quarter));
        let (hours, of_hours) = floor.report(by, grid(ReportStep::Hour));
        let (days, _) = floor.report(by, grid(ReportStep::Day));
        let wanted = added(&total);
        assert!(quarters.len() > hours.len() && hours.len() > days.len());
        assert_eq!(added(&quarters), wanted, "{by:?}: quarters");
        assert_eq!(added(&hours), wanted, "{by:?}: hours");
        assert_eq!(added(&days), wanted, "{by:?}: days");
        let figures = |rows: &[ReportRow]| rows.iter().map(|row| row.figures).collect::<Vec<_>>();
        assert_eq!(figures(&days), figures(&total), "percentiles and all");
        assert_eq!(figures(&of_hours), figures(&total));
    }
    for by in [ReportBy::Queues, ReportBy::Trunks, ReportBy::Flows] {
        is_as_counted(floor, by);
    }
    every_moment_is_told(floor);
}

/// Every millisecond of every agent is in one status, no stretch overlaps the next, and the live figures say the same.
fn every_moment_is_told(floor: &mut Floor) {
    let open = floor.ledger.open_intervals(crate::tests::bench::T, floor.moment());
    let all: u64 = floor.intervals.iter().chain(&open).map(|interval| interval.ms()).sum();
    let f = floor.total(ReportBy::Tenant, None);
    let times = f.time_ready_ms + f.time_ringing_ms + f.time_talking_ms + f.time_wrap_up_ms;
    assert_eq!(times + f.time_not_ready_ms + f.time_rest_ms + f.time_other_ms + f.time_chatting_ms, all);
    let wall = floor.wall();
    assert_eq!(wall.today, f, "live, of all");
    for queue in &wall.queues {
        let name = queue.queue.name.as_str();
        assert_eq!(queue.today, floor.total(ReportBy::Queues, Some(name)), "live, of {name}");
    }
    for (by, rows) in [(ReportBy::Trunks, &wall.trunks), (ReportBy::Flows, &wall.flows)] {
        assert!(rows.len() > 1, "{by:?}");
        for row in rows {
            assert_eq!(row.today, floor.total(by, Some(row.name.as_str())), "live, of {}", row.name);
        }
    }
    for agent in &wall.agents {
        let name = agent.agent.name.as_str();
        assert_eq!(agent.today, floor.total(ReportBy::Agents, Some(name)), "live, of {name}");
    }
}

#[test]
fn a_day_of_some_thousand_calls_adds_up_in_quarters_hours_days_by_hand_and_live() {
    let mut floor = Day::lived(1, "2026-06-01T00:00:00+02:00", 24, SMALL);
    reconciles(&mut floor);
    // The day had all of it.
    let f = floor.total(ReportBy::Tenant, None);
    let some = [f.refused, f.short_abandoned, f.timed_out, f.non_response, f.offers_refused, f.hold_ms];
    let ends = f.offers_answered + f.non_response_with_hangups + f.offers_refused + f.offers_failed;
    assert_eq!(ends + f.offers_withdrawn + f.offers_elsewhere, f.offers);
    assert!(f.offers_elsewhere > f.answered / 10, "one queue in five rings all: {f:?}");
    assert!(some.iter().all(|n| *n > 0), "{f:?}");
    assert!(f.offered > SMALL.calls && f.answered > SMALL.calls / 2 && f.offers_failed > 0, "{f:?}");
    assert!(floor.ledger.is_empty(), "nothing is kept of calls that are over");
}

#[test]
fn so_do_days_of_25_and_of_23_hours() {
    reconciles(&mut Day::lived(2, "2026-10-25T00:00:00+02:00", 25, SMALL));
    reconciles(&mut Day::lived(3, "2026-03-29T00:00:00+01:00", 23, SMALL));
}

/// A large house on the day on which the clock is put back.
#[test]
fn a_day_of_25_hours_and_sixty_thousand_calls_adds_up() {
    let clock = Clock::begin();
    let mut floor = Day::lived(4, "2026-10-25T00:00:00+02:00", 25, LARGE);
    clock.is_under_a_minute();
    reconciles(&mut floor);
    let f = floor.total(ReportBy::Tenant, None);
    assert!(f.offered > LARGE.calls && f.answered > LARGE.calls / 2, "{f:?}");
    assert!(floor.ledger.is_empty(), "nothing is kept of calls that are over");
}
