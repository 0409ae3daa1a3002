//! What a call costs its media thread besides its packets: two legs made, joined and freed, in each pair of codecs; and a
//! browser's handshake, in all and its longest datagram.

use cordboard_benches::setups::{Handshakes, SetUps};
use cordboard_model::media::Codec::{G722, Opus, Pcma};
use criterion::Criterion;
use std::time::Duration;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("set-ups");
    for (name, codecs, recorded) in [
        ("relayed", [Pcma, Pcma], false),
        ("relayed and recorded", [Pcma, Pcma], true),
        ("A-law and G.722", [Pcma, G722], false),
        ("A-law and Opus", [Pcma, Opus], false),
    ] {
        let mut calls = SetUps::new(codecs, recorded);
        group.bench_function(name, |b| b.iter(|| calls.call()));
    }
    let hands = Handshakes::new();
    for (name, longest) in [("handshake, both sides", false), ("handshake, its longest datagram", true)] {
        group.bench_function(name, |b| {
            b.iter_custom(|times| {
                let one = |_| {
                    let shaken = hands.shake();
                    if longest { shaken.longest } else { shaken.whole }
                };
                (0..times).map(one).sum::<Duration>()
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
