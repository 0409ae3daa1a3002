//! What a flow costs the thread of its shard: a call begun, a verb answered; and how long the longest of many answers holds
//! up everybody, by how many calls share a Lua machine.

use cordboard_benches::flows::{Flows, pauses};
use criterion::Criterion;
use std::process::Command;

/// Calls that wait meanwhile.
const WAITING: u64 = 10_000;
/// Answers of which the longest are told.
const ANSWERS: u64 = 300_000;

/// Makes this a process that measures for one number of calls that share a machine.
const PAUSES: &str = "--pauses";

fn main() {
    let mut arguments = std::env::args().skip_while(|arg| arg != PAUSES).skip(1);
    if let Some(together) = arguments.next().and_then(|number| number.parse().ok()) {
        tell(together);
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("flows");
    let mut waiting = Flows::waiting(WAITING, 64);
    group.bench_function("an answer among 10,000 that wait", |b| b.iter(|| waiting.answer_next()));
    group.bench_function("a call from its begin to its end", |b| b.iter(|| waiting.whole_call()));
    group.finish();
    criterion.final_summary();
    drop(waiting);
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    println!("one of {ANSWERS} answers among {WAITING} calls, us:");
    println!(
        "{:>10} {:>8} {:>8} {:>8} {:>8} {:>12}",
        "together", "p50", "p99", "p99.9", "longest", "KB per call"
    );
    // Each in a process of its own: what one frees would be what the next weighs nothing in.
    for together in ["16", "64", "256", "1024"] {
        let measured =
            std::env::current_exe().and_then(|exe| Command::new(exe).args([PAUSES, together]).status());
        if !measured.is_ok_and(|status| status.success()) {
            println!("{together:>10} could not be measured");
        }
    }
}

/// One line of the table.
fn tell(together: u32) {
    let pauses = pauses(WAITING, together, ANSWERS);
    let [half, most, nearly, longest] = pauses.times.map(|time| time.as_secs_f64() * 1e6);
    println!(
        "{together:>10} {half:>8.1} {most:>8.1} {nearly:>8.1} {longest:>8.1} {:>12.1}",
        pauses.kilobytes
    );
}
