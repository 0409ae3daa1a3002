//! What 20 ms of a conference cost: three speak, all hear, each has a packet of his own. No socket is part of it.

use cordboard_benches::media::Conference;
use cordboard_model::media::Codec::{G722, Pcma};
use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("mix");
    for (name, codec) in [("A-law", Pcma), ("G.722", G722)] {
        for members in [3, 4, 8, 16, 32] {
            let mut conference = Conference::new(members, codec);
            group.bench_function(format!("{name}, {members} members"), |b| b.iter(|| conference.tick()));
        }
    }
    group.finish();
    criterion.final_summary();
}
