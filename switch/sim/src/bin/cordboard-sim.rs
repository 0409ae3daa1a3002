//! Runs random worlds: `cordboard-sim --seeds N [--from S]`, or one with its trace: `--seed S [--trace FILE]`.

use cordboard_sim::random::{Outcome, run};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

const USAGE: &str = "\
usage: cordboard-sim [--seeds N] [--from S] [--threads T]
       cordboard-sim --seed S [--trace FILE]

  --seeds N     how many worlds to run; 2000 if not said
  --from S      the first seed; 0 if not said
  --threads T   how many at a time; as many as there are processors if not said
  --seed S      run this world alone
  --trace FILE  and write everything that happened in it to FILE";

#[derive(Default)]
struct Args {
    seeds: Option<u64>,
    from: u64,
    threads: Option<usize>,
    seed: Option<u64>,
    trace: Option<String>,
}

fn args() -> Result<Args, String> {
    let mut args = Args::default();
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{name} needs a number, not {value}"));
        match name.as_str() {
            "--seeds" => args.seeds = Some(number()?),
            "--from" => args.from = number()?,
            "--threads" => args.threads = usize::try_from(number()?).ok(),
            "--seed" => args.seed = Some(number()?),
            "--trace" => args.trace = Some(value),
            _ => return Err(format!("there is no {name}")),
        }
    }
    Ok(args)
}

fn main() -> ExitCode {
    match args() {
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            ExitCode::from(2)
        }
        Ok(Args { seed: Some(seed), trace, .. }) => one(seed, trace),
        Ok(args) => many(&args),
    }
}

fn one(seed: u64, trace: Option<String>) -> ExitCode {
    let outcome = run(seed, trace.is_some());
    println!(
        "seed {seed}: {} calls begun, {} taken, {} bridged, {} probes, {:.1} virtual seconds",
        outcome.begun,
        outcome.taken,
        outcome.bridged,
        outcome.probes,
        outcome.length.as_secs_f64()
    );
    if let Some(file) = trace
        && let Err(why) = std::fs::write(&file, &outcome.trace)
    {
        eprintln!("{file}: {why}");
        return ExitCode::from(2);
    }
    report(&outcome);
    if outcome.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report(outcome: &Outcome) {
    for fault in &outcome.faults {
        println!("seed {}: {fault}", outcome.seed);
    }
}

fn many(args: &Args) -> ExitCode {
    let seeds = args.seeds.unwrap_or(2_000);
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = args.threads.unwrap_or(processors).max(1);
    let began = Instant::now();
    let next = AtomicU64::new(args.from);
    let end = args.from + seeds;
    let (tell, told) = mpsc::channel();
    let mut failed = Vec::new();
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    let (mut done, mut calls, mut bridged, mut probes) = (0, 0, 0, 0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || tell.send(run(seed, false)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        for outcome in told {
            done += 1;
            calls += outcome.taken;
            bridged += outcome.bridged;
            probes += outcome.probes;
            let named = |(cause, n): (&&str, &usize)| ((*cause).to_owned(), *n);
            let alarms = outcome.alarms.iter().map(|(alarm, n)| (format!("alarm {alarm}"), *n));
            for (what, n) in outcome.causes.iter().map(named).chain(alarms) {
                *causes.entry(what).or_insert(0) += n;
            }
            if !outcome.faults.is_empty() {
                report(&outcome);
                failed.push(outcome.seed);
            }
            if done % 500 == 0 {
                let secs = began.elapsed().as_secs_f64();
                println!("{done} of {seeds} seeds, {:.1} a second", done as f64 / secs);
            }
        }
    });
    let secs = began.elapsed().as_secs_f64();
    println!(
        "{done} seeds in {secs:.1} s, {:.1} a second; {calls} calls, {bridged} bridged, {probes} probes",
        done as f64 / secs
    );
    println!("{causes:?}");
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    failed.sort_unstable();
    println!("{} failed: {failed:?}", failed.len());
    println!("to see one: cargo xtask sim --seed {} --trace trace.txt", failed[0]);
    ExitCode::FAILURE
}
