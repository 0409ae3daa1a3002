//! One RTP packet through a bridge: in, and out in the same buffer. No socket is part of it.

use cordboard_benches::media::Bridges;
use cordboard_model::media::Codec::{Pcma, Pcmu};
use criterion::Criterion;

/// Enough that no two packets in a row find the same leg in the nearest cache.
const MANY: u32 = 2_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("forward");
    for (name, a, b) in [("relayed", Pcma, Pcma), ("A-law to mu-law", Pcma, Pcmu)] {
        for pairs in [1, MANY] {
            let mut bridges = Bridges::new(pairs, a, b);
            group.bench_function(format!("{name}, {pairs} bridges"), |b| b.iter(|| bridges.forward()));
        }
    }
    group.finish();
    criterion.final_summary();
}
