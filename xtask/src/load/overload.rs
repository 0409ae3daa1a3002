//! `load overload`: how many calls end well when ten times too many come.
//!
//! The switch is held to a tenth of a rate: by `[sip] calls_per_second`, or (`--quota`) to a tenth of a core by the
//! kernel. First it gets what it can carry, then ten times that. Callers repeat what is not answered, as RFC 3261
//! wants. A call counts when the called side saw it from INVITE to the answer of its BYE.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::drive;
use super::machine::{self, Whole};
use super::options::Options;
use super::quota::Quota;
use super::sipp::{Calls, Counts, Sipp};
use super::switch::{More, Switch};
use crate::outcome::Outcome;

/// How long a call is held after its answer.
const HOLD: Duration = Duration::from_secs(1);
/// Under ten times the load at least this part of the best must go on ending well.
const KEPT: f64 = 0.9;
/// Rates tried under a quota, calls a second; the best is the one at which the most calls ended well.
const RATES: [u32; 6] = [40, 60, 80, 100, 130, 160];
/// Per cent of a core under a quota.
const SHARE: u32 = 10;

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let options = Options::new(arguments, &["--rate", "--seconds"], &["--quota", "--no-build"]);
    drive(root, "overload", options, |binary, dir, options| {
        let (rate, seconds) = (options.number("--rate", 400), options.number("--seconds", 10));
        let lasting = Duration::from_secs(u64::from(seconds));
        let quota = options.flag("--quota");
        let limit = format!("calls_per_second = {}", (rate / 10).max(1));
        let more = More { sip: if quota { "" } else { &limit }, ..More::default() };
        let switch = Switch::start_with(binary, dir, more)?;
        let held = if quota { Some(Quota::hold(switch.pid(), SHARE)?) } else { None };
        let called = Sipp::called(root, dir)?;
        let stand = Stand { root, dir, switch, called };
        let passed = stand.measure(if quota { &RATES } else { &[] }, rate / 10, lasting);
        drop(stand);
        drop(held);
        passed
    })
}

/// The two sides and the switch between them.
struct Stand<'a> {
    root: &'a Path,
    dir: &'a Path,
    switch: Switch,
    called: Sipp,
}

/// What one rate brought.
struct Load {
    rate: u32,
    /// Calls that ended well, a second.
    completed: f64,
    caller: Counts,
    cpu: f64,
}

impl Stand<'_> {
    /// Calls at this rate for so long.
    fn load(&self, rate: u32, lasting: Duration) -> Result<Load, String> {
        let count = (f64::from(rate) * lasting.as_secs_f64()).ceil() as u32;
        let before = self.settled()?;
        let cpu = machine::cpu(self.switch.pid()).unwrap_or(0.0);
        let calls = Calls { rate, count, hold: HOLD };
        let mut caller = Sipp::caller(self.root, self.dir, &format!("overload-{rate}"), 5060, calls)?;
        caller.wait(lasting + Duration::from_secs(60))?;
        let cpu = machine::cpu(self.switch.pid()).unwrap_or(0.0) - cpu;
        let completed = self.settled()?.successful - before.successful;
        let load = Load {
            rate,
            completed: completed as f64 / lasting.as_secs_f64(),
            caller: caller.counts()?,
            cpu: cpu / lasting.as_secs_f64(),
        };
        println!(
            "{:>7} {:>11.1} {:>7} {:>7} {:>9.0}",
            load.rate,
            load.completed,
            load.caller.failed,
            load.caller.repeated,
            100.0 * load.cpu
        );
        Ok(load)
    }

    /// The called side's counts, once no call is up and it has written that down.
    fn settled(&self) -> Result<Counts, String> {
        let begun = Instant::now();
        loop {
            // It writes its counts down every second.
            sleep(Duration::from_millis(1_200));
            let counts = self.called.counts()?;
            if counts.current == 0 {
                return Ok(counts);
            }
            if begun.elapsed() > Duration::from_secs(40) {
                return Err(format!("{} calls of the called side do not end", counts.current));
            }
        }
    }

    fn measure(&self, climb: &[u32], tenth: u32, lasting: Duration) -> Result<bool, String> {
        println!("{:>7} {:>11} {:>7} {:>7} {:>9}", "offered", "completed/s", "failed", "resent", "switch %");
        let whole = Whole::read();
        let mut best =
            if climb.is_empty() { self.load(tenth, lasting)? } else { self.load(climb[0], lasting)? };
        for rate in climb.iter().skip(1) {
            let next = self.load(*rate, lasting)?;
            let worse = next.completed < 0.9 * f64::from(*rate);
            if next.completed > best.completed {
                best = next;
            }
            if worse {
                break;
            }
        }
        let many = self.load((best.completed * 10.0).round().max(1.0) as u32, lasting)?;
        let others = Whole::read().others(whole, 0.0);
        let ratio = many.completed / best.completed.max(f64::MIN_POSITIVE);
        println!(
            "result best_per_second={:.1} offered={} completed_per_second={:.1} ratio={ratio:.3} resent={} \
             busy_percent={:.0} steal_percent={:.0}",
            best.completed, many.rate, many.completed, many.caller.repeated, others.foreign, others.steal
        );
        Ok(ratio >= KEPT)
    }
}
