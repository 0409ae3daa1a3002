//! `load memory`: what a bridged call weighs, as the difference of two numbers of calls that are up. What
//! the switch takes at its start is in neither.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::drive;
use super::machine;
use super::options::Options;
use super::sipp::{Calls, Sipp};
use super::switch::Switch;
use crate::outcome::Outcome;

/// Calls a second while the calls are set up.
const RATE: u32 = 100;

pub(crate) fn run(root: &Path, arguments: &[String]) -> Outcome {
    let options = Options::new(arguments, &["--calls", "--settle"], &["--no-build"]);
    drive(root, "memory", options, |binary, dir, options| {
        let (calls, settle) = (options.number("--calls", 1_000), options.number("--settle", 35));
        measure(root, binary, dir, calls, settle).map(|()| true)
    })
}

fn measure(root: &Path, binary: &Path, dir: &Path, calls: u32, settle: u32) -> Result<(), String> {
    let switch = Switch::start(binary, dir)?;
    let called = Sipp::called(root, dir)?;
    let hold = Duration::from_secs(3_600);
    let set_up = Duration::from_secs(u64::from(calls.div_ceil(RATE)));
    let weigh = |up: u32| {
        switch.wait_calls(up)?;
        // Transactions of the set-up, which no standing call has, end after 32 s.
        sleep(Duration::from_secs(u64::from(settle)));
        switch.wait_calls(up)?;
        let bytes = machine::resident(switch.pid()).ok_or("the switch has no memory to weigh")?;
        println!("{up:>6} calls up: {:>7} KB resident", bytes / 1_024);
        Ok::<f64, String>(bytes as f64)
    };
    let more = |name: &str, port: u16| {
        let caller = Sipp::caller(root, dir, name, port, Calls { rate: RATE, count: calls, hold })?;
        sleep(set_up);
        Ok::<Sipp, String>(caller)
    };
    weigh_empty(&switch)?;
    let first = more("caller-first", 5060)?;
    let one = weigh(calls)?;
    let second = more("caller-second", 5061)?;
    let two = weigh(2 * calls)?;
    println!("result kb_per_call={:.1} calls={calls}", (two - one) / 1_024.0 / f64::from(calls));
    // The calls are still up: both ends go before the switch, which is not asked to end them.
    drop((first, second, called));
    Ok(())
}

fn weigh_empty(switch: &Switch) -> Result<(), String> {
    let bytes = machine::resident(switch.pid()).ok_or("the switch has no memory to weigh")?;
    println!("{:>6} calls up: {:>7} KB resident", 0, bytes / 1_024);
    Ok(())
}
