//! A thousand random networks: loss, reordering, duplicates, jitter, digits among the audio. What
//! arrives goes out, one for one, in a stream that a receiver can put back together.

use crate::harness::{Rtp, World};
use cordboard_model::media::Codec;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeSet;

struct Network(ChaCha8Rng);

impl Network {
    fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n
    }

    /// The order in which a stream of 200 packets arrives, in milliseconds; lost ones are missing,
    /// some come twice.
    fn arrivals(&mut self) -> Vec<(u32, u32)> {
        let (loss, twice, jitter) = (self.below(20), self.below(5), 1 + self.below(120));
        let mut arrivals = Vec::new();
        for n in 0..200 {
            let copies = if self.below(100) < loss { 0 } else { 1 + u32::from(self.below(100) < twice) };
            for _ in 0..copies {
                arrivals.push((n * 20 + self.below(jitter), n));
            }
        }
        arrivals.sort();
        arrivals
    }
}

#[test]
fn a_thousand_impaired_streams_go_out_one_for_one() {
    for seed in 0..1_000 {
        let mut network = Network(ChaCha8Rng::seed_from_u64(seed));
        let (ssrc, base) = (network.0.next_u32(), network.0.next_u32());
        let arrivals = network.arrivals();
        let mut world = World::bridged(Codec::Pcma, Codec::Pcma);
        // Packets 40 to 49 and 120 to 129 are a press of `4` and of `2`.
        let packet = |n: u32| {
            let sequence = (base as u16).wrapping_add(n as u16);
            let mut packet = Rtp::audio(8, ssrc, n, n as u8);
            packet.sequence = sequence;
            packet.timestamp = base.wrapping_add(n * 160);
            let pressed = [(40, 4), (120, 2)].into_iter().find(|(f, _)| (*f..f + 10).contains(&n));
            if let Some((first, code)) = pressed {
                let began = base.wrapping_add(first * 160);
                let (end, part) = (n - first >= 7, (n - first + 1).min(8) as u16);
                packet = Rtp::event(ssrc, sequence, began, code, end, 160 * part);
            }
            packet
        };
        let mut shift = None;
        for (ms, n) in &arrivals {
            world.run_to(1_000 + u64::from(*ms));
            let given = packet(*n);
            let sent = world.say(0, &given).unwrap_or_else(|| panic!("seed {seed}, packet {n}"));
            let now = (
                sent.sequence().wrapping_sub(given.sequence),
                sent.timestamp().wrapping_sub(given.timestamp),
            );
            assert_eq!(now, *shift.get_or_insert(now), "seed {seed}, packet {n}");
            assert_eq!(sent.payload(), given.payload, "seed {seed}, packet {n}");
        }
        let came: BTreeSet<u32> = arrivals.iter().map(|(_, n)| *n).collect();
        let expected: String = [(40, '4'), (120, '2')]
            .into_iter()
            .filter(|(first, _)| came.range(*first..first + 10).next().is_some())
            .map(|(_, digit)| digit)
            .collect();
        assert_eq!(world.digits(0), expected, "seed {seed}");
        let stats = world.stats(0);
        assert_eq!(stats.received, arrivals.len() as u64, "seed {seed}");
        let span = came.last().unwrap() - came.first().unwrap() + 1;
        assert_eq!(stats.lost, u64::from(span) - came.len() as u64, "seed {seed}");
        assert_eq!(world.stats(1).sent, arrivals.len() as u64);
    }
}
