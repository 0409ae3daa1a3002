//! `load queue`: how soon an agent who is free has the next caller, and how soon a caller rings at an agent.
//!
//! First queues that are full: callers wait without a sound, every INVITE a real one; each agent serves three queues, talks
//! for a while, hangs up, and is called again. The time from his BYE to his next INVITE is taken as it is, then with the
//! database locked by another process, then with it back; then all hang up as soon as they answer, and decisions are
//! counted, half of them with the database locked again. Second few agents and no queue: the time from a caller's INVITE to the agent's, and what a call costs.

pub(super) mod agents;
pub(super) mod callers;
mod digest;
mod lock;
mod shared;
mod words;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::drive;
use super::machine::{self, Others, Whole};
use super::options::Options;
use super::switch::{KEY, More, Switch};
use crate::outcome::Outcome;
use agents::Seen;
use lock::Lock;
pub(super) use shared::Shared;
use shared::{AFTER, BEFORE, BURST, BURST_LOCKED, IDLE, LOCKED};

/// Calls a second while queues are filled.
const FILL: u32 = 400;
/// Transactions that may stand when a burst begins: RFC 3261 keeps three of each call for 32 s, and at 40,000 the switch
/// refuses.
const STANDING: f64 = 12_000.0;
/// How long an agent talks in the second part.
const SHORT: Duration = Duration::from_secs(2);
/// Longest wait for what must come.
const SOON: Duration = Duration::from_secs(60);
/// Goals, milliseconds: from free to the next caller; from INVITE to INVITE; and CPU seconds for a thousand calls.
const GOAL_FREE: f64 = 20.0;
const GOAL_RING: [f64; 2] = [3.0, 10.0];
const GOAL_CPU: f64 = 2.0;

/// How much of everything.
struct Plan {
    waiting: u32,
    agents: u32,
    queues: u32,
    seconds: u32,
    talk: u32,
    burst: u32,
    few: u32,
    rate: u32,
    /// Callers are answered with the agent.
    unanswered: bool,
}

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let numbers =
        ["--waiting", "--agents", "--queues", "--seconds", "--talk", "--burst", "--few", "--rate"].as_slice();
    drive(
        root,
        "queue",
        Options::new(arguments, numbers, &["--unanswered", "--no-build"]),
        |binary, dir, options| {
            let plan = Plan {
                waiting: options.number("--waiting", 10_000),
                agents: options.number("--agents", 1_000),
                queues: options.number("--queues", 50),
                seconds: options.number("--seconds", 30),
                talk: options.number("--talk", 10),
                burst: options.number("--burst", 5_000),
                few: options.number("--few", 100),
                rate: options.number("--rate", 20),
                unanswered: options.flag("--unanswered"),
            };
            println!("{} cores; the switch on one of them, callers and agents on another", machine::cores());
            let full = plan.full(binary, dir)?;
            // The next switch has a journal and a database of its own.
            std::fs::remove_dir_all(dir.join("var"))
                .map_err(|error| format!("the first part's files: {error}"))?;
            let few = plan.few(binary, dir)?;
            Ok(full && few)
        },
    )
}

/// A switch with these agents and queues.
pub(super) fn start(
    binary: &Path,
    dir: &Path,
    agents: u32,
    queues: u32,
    calls: Option<u32>,
    answer: &str,
) -> Result<Switch, String> {
    let mut sections =
        format!("[tenant.default.trunk.callers]\npeers = [\"{}\"]\nmax_calls = 100000\n", words::CALLERS);
    for queue in 0..queues {
        let number = callers::FIRST_QUEUE + queue;
        sections.push_str(&format!(
            "[tenant.default.queue.q{queue}]\nmusic = \"none\"\nwrap_up = \"0s\"\nmax_wait = \"1h\"\nmax_length = 10000\n\
             answer = \"{answer}\"\n\
             [[tenant.default.number]]\naccess_code = \"{number}\"\nto = \"queue:q{queue}\"\n"
        ));
    }
    sections.push_str(&agents::accounts(agents, queues));
    sections.push_str(&format!("[[api_key]]\nname = \"load\"\nkey = \"{KEY}\"\n"));
    let more = More {
        calls,
        // All come by UDP; ports may have the files that connections would.
        sip: "digest = [\"MD5\"]\nconnections = 64\n",
        // Nobody makes a sound, and that is no news.
        limits: "media_unheard = \"0s\"\n",
        sections: &sections,
        ..More::default()
    };
    Switch::start_with(binary, dir, more)
}

/// Waits until a counter is at least so high.
pub(super) fn wait(what: &str, counter: &AtomicU32, least: u32) -> Result<(), String> {
    let begun = Instant::now();
    while counter.load(Relaxed) < least {
        if begun.elapsed() > SOON {
            return Err(format!("{} of {least} {what} after {SOON:?}", counter.load(Relaxed)));
        }
        sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Callers and agents on threads of their own while `drive` goes on; what the agents saw.
fn with_both<T>(
    shared: &Shared,
    (agents, queues): (u32, u32),
    first: impl FnOnce() -> Result<(), String>,
    drive: impl FnOnce() -> Result<T, String>,
) -> Result<(T, Seen), String> {
    machine::stay_apart();
    thread::scope(|scope| {
        let calling = scope.spawn(|| callers::run(shared, queues));
        let filled = first();
        let serving = filled.is_ok().then(|| scope.spawn(|| agents::run(shared, agents)));
        let driven = filled.and_then(|()| drive());
        shared.over.store(true, Relaxed);
        let wrong = |side: &str| format!("the {side} ended badly");
        let of = |side: &str, error: std::io::Error| format!("the {side}: {error}");
        let called = calling.join().map_err(|_| wrong("callers"))?.map_err(|error| of("callers", error));
        let seen = serving.map(|serving| serving.join().map_err(|_| wrong("agents")));
        let seen = seen.transpose()?.transpose().map_err(|error| of("agents", error));
        // Why a side has ended says more than that the other waited for it.
        let (seen, ()) = (seen?, called?);
        Ok((driven?, seen.unwrap_or_default()))
    })
}

/// What the machine had done at a moment.
pub(super) struct Reading {
    whole: Whole,
    ours: f64,
    cpu: f64,
    shard: f64,
}

/// What was used since then: seconds of the switch and of its signalling thread, and what others had of the machine.
pub(super) struct Spent {
    pub(super) cpu: f64,
    shard: f64,
    pub(super) others: Others,
}

impl Reading {
    pub(super) fn take(switch: &Switch) -> Self {
        let pid = switch.pid();
        let cpu = machine::cpu(pid).unwrap_or(0.0);
        let shard = machine::cpu_of_thread(pid, "shard").unwrap_or(0.0);
        let ours = cpu + machine::cpu(std::process::id()).unwrap_or(0.0);
        Self { whole: Whole::read(), ours, cpu, shard }
    }

    pub(super) fn spent(self, switch: &Switch) -> Spent {
        let now = Self::take(switch);
        let others = now.whole.others(self.whole, now.ours - self.ours);
        Spent { cpu: now.cpu - self.cpu, shard: now.shard - self.shard, others }
    }
}

/// What the first part brings beside what agents saw.
struct Full {
    busy: Spent,
    /// The burst with the store well, and with it stopped.
    bursts: [Spent; 2],
    /// Records in the database, calls that they are of, and calls that were over.
    rows: (u64, u64),
    over: u64,
}

impl Plan {
    /// Full queues.
    fn full(&self, binary: &Path, dir: &Path) -> Result<bool, String> {
        let answer = if self.unanswered { "agent" } else { "entry" };
        let switch = start(binary, dir, self.agents, self.queues, None, answer)?;
        let talks = self.agents * (3 * self.seconds + 60) / self.talk.max(1);
        let shared =
            Shared::of(self.waiting + self.agents * 2 + talks, Duration::from_secs(self.talk.into()));
        let fill = || {
            shared.rate.store(FILL, Relaxed);
            shared.wanted.store(self.waiting, Relaxed);
            wait("callers wait", &shared.answered, self.waiting)?;
            println!("{} callers wait in {} queues", self.waiting, self.queues);
            Ok(())
        };
        let (full, seen) =
            with_both(&shared, (self.agents, self.queues), fill, || self.phases(&switch, &shared, dir))?;
        let counted = |counter: &AtomicU32| counter.load(Relaxed);
        let mut good = true;
        for (phase, name) in [(BEFORE, "store_well"), (LOCKED, "store_stopped"), (AFTER, "store_back")] {
            let mut times: Vec<u64> =
                seen.free.iter().filter(|free| free.0 == phase).map(|free| free.2).collect();
            let (p50, p99, most) = percentiles(&mut times);
            println!(
                "result {name} decisions={} free_to_invite_p50_ms={p50:.2} p99_ms={p99:.2} most_ms={most:.2}",
                times.len()
            );
            good &= p99 < GOAL_FREE;
        }
        for (spent, (phase, name)) in
            full.bursts.iter().zip([(BURST, "burst"), (BURST_LOCKED, "burst_store_stopped")])
        {
            let (count, a_second) = pace(&seen, phase);
            println!(
                "result {name} decisions={count} decisions_per_second={a_second:.0} shard_us_per_decision={:.0}",
                1e6 * spent.shard / f64::from(count.max(1))
            );
        }
        let Full { rows: (rows, calls), over, .. } = full;
        println!(
            "result waiting={} agents={} queues={} failed={} resent={} calls_over={over} records={rows} of_calls={calls} \
             foreign_percent={:.0} steal_percent={:.0}",
            self.waiting,
            self.agents,
            self.queues,
            counted(&shared.failed),
            counted(&shared.resent),
            full.busy.others.foreign,
            full.busy.others.steal,
        );
        Ok(good && counted(&shared.failed) == 0 && rows == over && calls == over)
    }

    fn phases(&self, switch: &Switch, shared: &Shared, dir: &Path) -> Result<Full, String> {
        shared.refill.store(true, Relaxed);
        wait("agents are registered", &shared.registered, self.agents)?;
        // Each had one call, so that what follows is spread over the time of a talk.
        wait("agents were called", &shared.offered, self.agents)?;
        let phase = |phase: u8, seconds: u32| {
            shared.phase.store(phase, Relaxed);
            sleep(Duration::from_secs(seconds.into()));
        };
        phase(IDLE, self.talk);
        let before = Reading::take(switch);
        phase(BEFORE, self.seconds);
        let lock = Lock::take(dir)?;
        phase(LOCKED, self.seconds);
        lock.release()?;
        phase(AFTER, self.seconds);
        let busy = before.spent(switch);
        shared.phase.store(IDLE, Relaxed);
        shared.refill.store(false, Relaxed);
        rest(switch);
        let before = Reading::take(switch);
        shared.phase.store(BURST, Relaxed);
        shared.talk_ms.store(0, Relaxed);
        wait("decisions of a burst", &shared.burst, self.burst / 2)?;
        let well = before.spent(switch);
        let lock = Lock::take(dir)?;
        let before = Reading::take(switch);
        shared.phase.store(BURST_LOCKED, Relaxed);
        wait("decisions of a burst with the store stopped", &shared.burst, self.burst)?;
        let stopped = before.spent(switch);
        shared.phase.store(IDLE, Relaxed);
        lock.release()?;
        shared.talk_ms.store(3_600_000, Relaxed);
        let (rows, over) = self.stored(switch, shared, dir)?;
        Ok(Full { busy, bursts: [well, stopped], rows, over })
    }

    /// Waits until the database has what there is; the records, and how many there must be.
    fn stored(&self, switch: &Switch, shared: &Shared, dir: &Path) -> Result<((u64, u64), u64), String> {
        // What was being ended when the burst was over.
        sleep(Duration::from_secs(1));
        let begun = Instant::now();
        loop {
            let over = switch.metric("cordboard_calls_ended_total").ok_or("the switch does not answer")?;
            let owed = switch.metric("cordboard_journal_unstored").unwrap_or(1.0);
            let all = over >= f64::from(shared.ended.load(Relaxed));
            if owed == 0.0 && all || begun.elapsed() > SOON {
                return Ok((lock::records(dir)?, over as u64));
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// Few agents, and nobody waits.
    fn few(&self, binary: &Path, dir: &Path) -> Result<bool, String> {
        let switch = start(binary, dir, self.few, 1, None, "entry")?;
        let count = self.rate * self.seconds * 2;
        let shared = Shared::of(count, SHORT);
        let drive = || {
            wait("agents are registered", &shared.registered, self.few)?;
            shared.phase.store(BEFORE, Relaxed);
            shared.rate.store(self.rate, Relaxed);
            let before = Reading::take(&switch);
            shared.wanted.store(count, Relaxed);
            sleep(Duration::from_secs(u64::from(2 * self.seconds)));
            wait("calls are over", &shared.ended, count)?;
            Ok(before.spent(&switch))
        };
        let (used, seen) = with_both(&shared, (self.few, 1), || Ok(()), drive)?;
        let mut times: Vec<u64> =
            seen.ring.iter().filter(|ring| ring.0 == BEFORE).map(|ring| ring.1).collect();
        let (p50, p99, most) = percentiles(&mut times);
        let cpu = 1_000.0 * used.cpu / f64::from(count.max(1));
        let failed = shared.failed.load(Relaxed);
        println!(
            "result agents={} rate={} calls={} time_to_ring_p50_ms={p50:.2} p99_ms={p99:.2} most_ms={most:.2} \
             cpu_seconds_per_1000={cpu:.2} shard_us_per_call={:.0} failed={failed} resent={} \
             foreign_percent={:.0} steal_percent={:.0}",
            self.few,
            self.rate,
            times.len(),
            1e6 * used.shard / f64::from(count.max(1)),
            shared.resent.load(Relaxed),
            used.others.foreign,
            used.others.steal,
        );
        let [goal_p50, goal_p99] = GOAL_RING;
        Ok(p50 <= goal_p50
            && p99 <= goal_p99
            && cpu <= GOAL_CPU
            && failed == 0
            && times.len() == count as usize)
    }
}

/// Waits until most transactions have ended.
fn rest(switch: &Switch) {
    let begun = Instant::now();
    while switch.metric("cordboard_sip_transactions").is_some_and(|standing| standing > STANDING)
        && begun.elapsed() < Duration::from_secs(33)
    {
        sleep(Duration::from_millis(200));
    }
}

/// Half of the times, and 99 of a hundred, did not exceed these, and none the last; milliseconds, and without end if there is none.
pub(super) fn percentiles(times: &mut [u64]) -> (f64, f64, f64) {
    times.sort_unstable();
    let of = |part: f64| {
        let rank = (part * times.len() as f64).ceil() as usize;
        times.get(rank.max(1) - 1).map_or(f64::INFINITY, |ns| *ns as f64 / 1e6)
    };
    (of(0.5), of(0.99), of(1.0))
}

/// Decisions of a burst, and how many a second from the first to the last.
fn pace(seen: &Seen, phase: u8) -> (u32, f64) {
    let burst = seen.free.iter().filter(|free| free.0 == phase).map(|free| free.1);
    let (count, first, last) =
        burst.fold((0_u32, u64::MAX, 0), |(count, first, last), at| (count + 1, first.min(at), last.max(at)));
    let seconds = last.saturating_sub(first) as f64 / 1e9;
    (count, if seconds > 0.0 { f64::from(count) / seconds } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured_and_without_values_no_goal_is_met() {
        let mut times: Vec<u64> = (1..=200).rev().map(|ms| ms * 1_000_000).collect();
        assert_eq!(percentiles(&mut times), (100.0, 198.0, 200.0));
        assert!(percentiles(&mut []).1.is_infinite());
    }

    #[test]
    fn the_pace_is_that_of_the_burst_alone() {
        let free = vec![
            (BEFORE, 0, 1),
            (BURST, 1_000_000_000, 1),
            (BURST, 1_500_000_000, 1),
            (BURST, 2_000_000_000, 1),
            (BURST_LOCKED, 2_500_000_000, 1),
        ];
        let seen = Seen { free, ..Seen::default() };
        assert_eq!(pace(&seen, BURST), (3, 3.0));
        assert_eq!(pace(&Seen::default(), BURST), (0, 0.0));
    }
}
