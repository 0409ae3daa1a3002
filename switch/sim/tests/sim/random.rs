//! Random worlds: two thousand of them, in parts that run side by side.

use cordboard_sim::random::run;
use std::collections::BTreeSet;

/// Ends that are common enough to be met in every part.
const OFTEN: [&str; 12] = [
    "administrative",
    "busy",
    "cancelled",
    "declined",
    "flow_failed",
    "max_duration",
    "media_timeout",
    "no_answer",
    "no_route",
    "normal",
    "queue_full",
    "queue_timeout",
];

/// Runs the seeds from `from` on. What fails is told with the command that repeats it.
fn worlds(from: u64, count: u64) {
    let mut failed = Vec::new();
    let (mut bridged, mut probes, mut compared) = (0, 0, 0);
    let mut causes = BTreeSet::new();
    for seed in from..from + count {
        let outcome = run(seed, false);
        assert!(outcome.begun >= 5, "seed {seed} begins {} calls", outcome.begun);
        assert!(outcome.length.as_secs() >= 60, "seed {seed} takes {:?}", outcome.length);
        assert_eq!(outcome.loud, seed % 20 == 0);
        bridged += outcome.bridged;
        probes += outcome.probes;
        compared += outcome.compared;
        causes.extend(outcome.causes.into_keys());
        if !outcome.faults.is_empty() {
            failed.push(format!("cargo xtask sim --seed {seed}: {:#?}", outcome.faults));
        }
    }
    assert!(failed.is_empty(), "{} of {count} worlds failed\n{}", failed.len(), failed.join("\n"));
    assert!(bridged as u64 > 2 * count, "{bridged} calls were bridged in {count} worlds");
    for cause in OFTEN {
        assert!(causes.contains(cause), "no call of {count} worlds ended as {cause}");
    }
    assert!(compared as u64 > 100 * count, "a reader's state was looked at after {compared} events");
    assert!(probes as u64 > 2 * count, "{probes} probes were made in {count} worlds");
}

#[test]
fn nothing_is_left_of_worlds_0_to_249() {
    worlds(0, 250);
}

#[test]
fn nothing_is_left_of_worlds_250_to_499() {
    worlds(250, 250);
}

#[test]
fn nothing_is_left_of_worlds_500_to_749() {
    worlds(500, 250);
}

#[test]
fn nothing_is_left_of_worlds_750_to_999() {
    worlds(750, 250);
}

#[test]
fn nothing_is_left_of_worlds_1000_to_1249() {
    worlds(1_000, 250);
}

#[test]
fn nothing_is_left_of_worlds_1250_to_1499() {
    worlds(1_250, 250);
}

#[test]
fn nothing_is_left_of_worlds_1500_to_1749() {
    worlds(1_500, 250);
}

#[test]
fn nothing_is_left_of_worlds_1750_to_1999() {
    worlds(1_750, 250);
}

/// Ten worlds, in which calls are queued, offered, transferred, joined, supervised and cut: who has a snapshot and takes in
/// each event after it has what the switch says it has, wherever he began.
#[test]
fn a_snapshot_changed_by_each_event_is_what_the_switch_has() {
    let mut compared = 0;
    for seed in 100..112 {
        let outcome = run(seed, false);
        assert_eq!(outcome.faults, Vec::<String>::new(), "seed {seed}");
        compared += outcome.compared;
    }
    assert!(compared > 2_000, "{compared} events");
}

/// Two with every packet, the rest with probes.
#[test]
fn a_seed_repeats_byte_for_byte() {
    for seed in [0, 1, 2, 3, 5, 8, 13, 21, 34, 40] {
        let (first, again) = (run(seed, true), run(seed, true));
        assert!(first.trace.len() > 100_000, "the trace of seed {seed} has {} bytes", first.trace.len());
        let differs = first.trace.lines().zip(again.trace.lines()).find(|(a, b)| a != b);
        assert!(first.trace == again.trace, "seed {seed} differs first at {differs:?}");
    }
}

#[test]
fn a_trace_changes_nothing() {
    for seed in [0, 7] {
        let (with, without) = (run(seed, true), run(seed, false));
        assert_eq!(with.length, without.length);
        assert_eq!((with.taken, with.bridged, with.probes), (without.taken, without.bridged, without.probes));
        assert_eq!(with.faults, without.faults);
    }
}
