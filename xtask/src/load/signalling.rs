//! `load signalling`: how many bridged calls a second one switch takes, and what each costs.
//!
//! SIPp calls, the switch bridges with ports bound for both legs, SIPp answers; no packet flows. The rate
//! climbs until calls fail or come later than asked; then half of the best rate is held, and the cost and
//! the time to the answer are taken there.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::drive;
use super::kamailio::Kamailio;
use super::machine::{self, Others, Whole};
use super::options::{AGAINST, Options};
use super::probe::{self, Measured};
use super::sipp::{Calls, Counts, Sipp};
use super::switch::Switch;
use crate::outcome::Outcome;

/// How long a call is held after its answer.
const HOLD: Duration = Duration::from_secs(1);
/// A rate counts as reached if this part of it was; the start and the end of SIPp are in the time.
const REACHED: f64 = 0.9;
/// Parts of `--rate` that are tried, in per cent.
const STEPS: [u32; 4] = [25, 50, 75, 100];
/// The probe's calls: fifty a second beside the load.
const PROBE_EVERY: Duration = Duration::from_millis(20);
/// Transactions that may stand before half load begins. RFC 3261 keeps three of each call for 32 s, and at
/// 40,000 the switch refuses: that limit is for sustained rates, and the climb has used some of it.
const STANDING: f64 = 20_000.0;

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let options = Options::new(arguments, &["--rate", "--seconds"], &["--no-build", AGAINST]);
    drive(root, "signalling", options, |binary, dir, options| {
        let (rate, seconds) = (options.number("--rate", 800), options.number("--seconds", 24));
        println!(
            "{} cores; the switch on one of them, SIPp and the probe on another; a call is held {} s",
            machine::cores(),
            HOLD.as_secs()
        );
        let ours = || Ok::<_, String>(Under::Switch(Switch::start(binary, dir)?));
        if !options.flag(AGAINST) {
            return measure(root, dir, ours()?, rate, seconds).map(|brought| brought.whole);
        }
        let peer = || Ok::<_, String>(Under::Kamailio(Kamailio::start(dir)?));
        let mut turns = Vec::new();
        for turn in 1..=TURNS {
            println!("-- Cordboard, turn {turn}");
            let own = measure(root, dir, ours()?, rate, seconds)?;
            println!("-- Kamailio as a stateful proxy, turn {turn}");
            turns.push((own, measure(root, dir, peer()?, rate, seconds)?));
        }
        compare(&turns);
        Ok(turns.iter().all(|(own, peer)| own.whole && peer.whole))
    })
}

/// How often each is measured when two are compared.
const TURNS: u32 = 2;

/// What is under load.
enum Under {
    Switch(Switch),
    Kamailio(Kamailio),
}

/// What a run brought.
struct Brought {
    /// Whether no call failed at half load, and nothing was left.
    whole: bool,
    best: f64,
    /// CPU seconds for a thousand calls at half load.
    cpu: f64,
    /// INVITE to 200 at half load, milliseconds.
    p50: f64,
    p99: f64,
}

/// The better turn of each against the other's: others on the machine only make a figure worse.
fn compare(turns: &[(Brought, Brought)]) {
    let least = |of: fn(&Brought) -> f64| {
        let own = turns.iter().map(|(own, _)| of(own)).fold(f64::INFINITY, f64::min);
        let peer = turns.iter().map(|(_, peer)| of(peer)).fold(f64::INFINITY, f64::min);
        (own, own / peer)
    };
    let (cpu, cpus) = least(|brought| brought.cpu);
    let (p50, p50s) = least(|brought| brought.p50);
    let (p99, p99s) = least(|brought| brought.p99);
    let (each, eachs) = least(|brought| 1.0 / brought.best);
    println!(
        "result against=kamailio cpu_seconds_per_1000={cpu:.3} cpu_ratio={cpus:.2} p50_ms={p50:.2} p50_ratio={p50s:.2} \
         p99_ms={p99:.2} p99_ratio={p99s:.2} calls_per_second={:.0} calls_per_second_ratio={:.2}",
        1.0 / each,
        1.0 / eachs
    );
}

/// The two sides and what is between them.
struct Stand<'a> {
    root: &'a Path,
    dir: &'a Path,
    under: Under,
    called: Sipp,
}

/// What one rate brought.
struct Step {
    calls: Calls,
    counts: Counts,
    /// Calls a second that came and were answered.
    reached: f64,
    /// Of the whole switch and of its signalling thread, seconds.
    cpu: f64,
    shard: f64,
    others: Others,
}

impl Stand<'_> {
    fn cpu(&self) -> (f64, f64) {
        match &self.under {
            Under::Switch(switch) => {
                let pid = switch.pid();
                (machine::cpu(pid).unwrap_or(0.0), machine::cpu_of_thread(pid, "shard").unwrap_or(0.0))
            }
            Under::Kamailio(kamailio) => (kamailio.cpu(), 0.0),
        }
    }

    /// One rate for so long; returns when the last call is over.
    fn step(&self, rate: u32, lasting: Duration, name: &str) -> Result<Step, String> {
        let count = (f64::from(rate) * lasting.as_secs_f64()).ceil() as u32;
        let calls = Calls { rate, count, hold: HOLD };
        let ours = || machine::cpu_of_ended() + machine::cpu(self.called.pid()).unwrap_or(0.0);
        let (whole, (cpu, shard), used) = (Whole::read(), self.cpu(), ours());
        let begun = Instant::now();
        let mut caller = Sipp::caller(self.root, self.dir, name, 5060, calls)?;
        caller.wait(lasting * 3 + HOLD + Duration::from_secs(10))?;
        let took = begun.elapsed().saturating_sub(HOLD);
        let counts = caller.counts()?;
        let (cpu, shard) = (self.cpu().0 - cpu, self.cpu().1 - shard);
        let others = Whole::read().others(whole, cpu + ours() - used);
        let reached = counts.successful as f64 / took.as_secs_f64();
        Ok(Step { calls, counts, reached, cpu, shard, others })
    }
}

impl Step {
    fn kept(&self) -> bool {
        self.counts.failed == 0
            && self.counts.successful == u64::from(self.calls.count)
            && self.reached >= REACHED * f64::from(self.calls.rate)
    }

    fn print(&self) {
        let per_call = |seconds: f64| 1e6 * seconds / (self.counts.successful.max(1) as f64);
        println!(
            "{:>6} {:>9.1} {:>7} {:>7} {:>7} {:>13.0} {:>13.0} {:>8.0} {:>7.0}",
            self.calls.rate,
            self.reached,
            self.counts.successful,
            self.counts.failed,
            self.counts.repeated,
            per_call(self.cpu),
            per_call(self.shard),
            self.others.foreign,
            self.others.steal,
        );
    }
}

fn measure(root: &Path, dir: &Path, under: Under, rate: u32, seconds: u32) -> Result<Brought, String> {
    let called = Sipp::called(root, dir)?;
    let stand = Stand { root, dir, under, called };
    println!(
        "{:>6} {:>9} {:>7} {:>7} {:>7} {:>13} {:>13} {:>8} {:>7}",
        "rate",
        "reached/s",
        "calls",
        "failed",
        "resent",
        "switch us/call",
        "shard us/call",
        "foreign%",
        "steal%"
    );
    // Half of the time for the climb, half for half load.
    let each = Duration::from_secs_f64(f64::from(seconds) / 2.0 / STEPS.len() as f64);
    let mut best: Option<f64> = None;
    for part in STEPS {
        let step = stand.step((rate * part / 100).max(1), each, &format!("caller-{part}"))?;
        step.print();
        if !step.kept() {
            break;
        }
        best = Some(step.reached);
    }
    let Some(best) = best else {
        return Err("not even the lowest rate was reached".to_owned());
    };
    let half = (best / 2.0).round().max(1.0) as u32;
    let lasting = Duration::from_secs_f64(f64::from(seconds) / 2.0);
    if let Under::Switch(switch) = &stand.under {
        rest(switch);
    }
    println!("half load, with a probe of {} calls a second beside it:", 1_000 / PROBE_EVERY.as_millis());
    let probing = thread::spawn(move || probe::run(PROBE_EVERY, lasting));
    let mut step = stand.step(half, lasting, "caller-half")?;
    let probed = match probing.join() {
        Ok(Ok(probed)) => probed,
        Ok(Err(error)) => return Err(format!("the probe: {error}")),
        Err(_) => return Err("the probe ended badly".to_owned()),
    };
    let failed = step.counts.failed + probed.failed;
    // Both load the switch, so both share its cost.
    step.counts.successful += probed.answers.len() as u64;
    step.print();
    let left = finish(stand)?;
    report(best, &step, &probed, failed);
    Ok(Brought {
        whole: left && failed == 0,
        best,
        cpu: 1_000.0 * step.cpu / step.counts.successful.max(1) as f64,
        p50: probed.percentile(0.5).unwrap_or(f64::INFINITY),
        p99: probed.percentile(0.99).unwrap_or(f64::INFINITY),
    })
}

/// Waits until most transactions of the climb have ended.
fn rest(switch: &Switch) {
    let begun = Instant::now();
    while switch.metric("cordboard_sip_transactions").is_some_and(|standing| standing > STANDING)
        && begun.elapsed() < Duration::from_secs(33)
    {
        thread::sleep(Duration::from_millis(200));
    }
    if begun.elapsed() > Duration::from_secs(1) {
        println!("waited {:.0} s for transactions of the climb to end", begun.elapsed().as_secs_f64());
    }
}

/// Nothing may be left; then the switch is stopped.
fn finish(stand: Stand<'_>) -> Result<bool, String> {
    if let Under::Switch(switch) = &stand.under {
        switch.wait_calls(0)?;
    }
    // The called side writes its counts down every second.
    thread::sleep(Duration::from_millis(1_500));
    let called = stand.called.counts()?;
    let whole = called.failed == 0 && called.current == 0;
    println!(
        "called side: {} calls, {} failed, {} never ended",
        called.created, called.failed, called.current
    );
    let Under::Switch(switch) = stand.under else {
        return Ok(whole);
    };
    for name in
        ["cordboard_journal_late_total", "cordboard_calls_refused_total", "cordboard_panics_caught_total"]
    {
        let value = switch.metric(name);
        println!("{name} {}", value.map_or("unknown".to_owned(), |value| value.to_string()));
    }
    switch.stop()?;
    Ok(whole)
}

fn report(best: f64, half: &Step, probed: &Measured, failed: u64) {
    let calls = half.counts.successful.max(1) as f64;
    let of = |part: f64| probed.percentile(part).map_or("unknown".to_owned(), |ms| format!("{ms:.2}"));
    println!(
        "result calls_per_second={best:.0} cpu_seconds_per_1000={:.3} shard_us_per_call={:.0} p50_ms={} p99_ms={} \
         failed={failed} foreign_percent={:.0} steal_percent={:.0}",
        1_000.0 * half.cpu / calls,
        1e6 * half.shard / calls,
        of(0.5),
        of(0.99),
        half.others.foreign,
        half.others.steal,
    );
}
