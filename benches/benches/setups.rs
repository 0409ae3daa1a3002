//! What a call costs its media thread besides its packets: two legs made, joined and freed, in each pair of codecs, with their
//! parts made and freed by that thread itself and with those made and freed beside it, and what that then costs there; and a
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
        for (how, beside, theirs) in
            [("all by itself", false, false), ("media thread", true, false), ("beside it", true, true)]
        {
            let mut calls = SetUps::new(codecs, recorded, beside);
            group.bench_function(format!("{name}, {how}"), |b| {
                b.iter_custom(|times| {
                    let one = |_| calls.call();
                    let took = (0..times).map(one);
                    took.map(|took| if theirs { took.beside } else { took.media }).sum::<Duration>()
                });
            });
        }
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
