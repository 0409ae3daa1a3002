//! Random and damaged input: an answer or nothing, never a panic, and the leg still works.

use crate::harness::{Rtp, World, params, phone};
use cordboard_media::{MediaConfig, PortKey};
use cordboard_model::media::{Codec, Direction, MediaCommand, MediaEvent, PlayItem, Repeat, Tone};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, n: u32) -> u32 {
        self.0.next_u32() % n
    }
    fn bytes(&mut self, longest: u32) -> Vec<u8> {
        let mut out = vec![0; self.below(longest) as usize];
        self.0.fill_bytes(&mut out);
        out
    }
}

#[test]
fn random_and_damaged_packets_do_no_harm() {
    let mut dice = Dice(ChaCha8Rng::seed_from_u64(11));
    let mut world = World::bridged(Codec::Pcmu, Codec::Pcma);
    world.record(0, 1);
    for n in 0..60_000u32 {
        let leg = dice.below(2) as usize;
        let mut packet = match dice.below(4) {
            0 => dice.bytes(1_800),
            1 => Rtp::event(n, n as u16, n * 7, dice.below(256) as u8, n % 3 == 0, 9).bytes(),
            2 => {
                let mut report = vec![0x80 | dice.below(32) as u8, 200 + dice.below(8) as u8];
                report.extend(dice.bytes(120));
                report
            }
            _ => Rtp::audio([0, 8][leg], dice.below(3), n, n as u8).bytes(),
        };
        for _ in 0..dice.below(4) {
            if let Some(last) = packet.len().checked_sub(1) {
                let at = dice.below(packet.len() as u32) as usize;
                packet[at.min(last)] = dice.0.next_u32() as u8;
            }
        }
        if dice.below(5) == 0 {
            packet.truncate(dice.below(60) as usize);
        }
        if dice.below(3) == 0 {
            world.engine.handle_rtcp(PortKey(leg as u32), phone(leg), &mut packet, world.now);
        } else {
            world.give(leg, phone(leg), &packet);
        }
        world.run(u64::from(dice.below(4)));
    }
    assert!(world.stats(0).malformed > 1_000);
    world.run(2_000);
    let fresh: Vec<_> = (0..3).map(|n| world.say(0, &Rtp::audio(0, 5_555, n, 0))).collect();
    assert!(fresh.iter().any(Option::is_some), "the leg still relays");
}

#[test]
fn random_commands_in_any_order_leave_nothing_behind() {
    for seed in 0..40 {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let mut world = World::new(MediaConfig::default());
        let mut recordings = Vec::new();
        let (mut plays, mut recorded) = (0, 0);
        for _ in 0..400 {
            if world.legs.is_empty() || dice.below(12) == 0 {
                world.open_bare();
            }
            let n = dice.below(world.legs.len() as u32) as usize;
            let m = dice.below(world.legs.len() as u32) as usize;
            let leg = world.legs[n];
            match dice.below(11) {
                0 | 1 => {
                    let mut params = params(n, Codec::DEFAULT[dice.below(2) as usize]);
                    params.ptime_ms = dice.0.next_u32() as u8;
                    params.direction = Direction::new(dice.below(3) > 0, dice.below(3) > 0);
                    world.configure(n, params);
                }
                2 | 3 => {
                    let items = vec![PlayItem::Tone(Tone::Busy, dice.below(900))];
                    let repeat = [Repeat::Once, Repeat::Forever][dice.below(2) as usize];
                    world.play(n, items, repeat);
                    plays += 1;
                }
                4 => world.bridge(n, m),
                5 => world.command(MediaCommand::Unbridge { leg }),
                6 => {
                    let digits = "19*".into();
                    let length_ms = dice.0.next_u32() as u16;
                    world.command(MediaCommand::SendDigits { leg, digits, length_ms });
                }
                7 => {
                    recordings.push(world.record(n, m));
                    recorded += 1;
                }
                8 if !recordings.is_empty() => {
                    let at = dice.below(recordings.len() as u32) as usize;
                    let recording = recordings[at];
                    world.command(MediaCommand::StopRecord { recording });
                }
                9 => world.command(MediaCommand::Close { leg }),
                _ => {
                    let held = dice.below(2) == 0;
                    world.command(MediaCommand::Held { leg, held });
                }
            }
            for k in 0..dice.below(6) {
                let port = dice.below(world.legs.len() as u32) as usize;
                world.say(port, &Rtp::audio([0, 8][port % 2], 1, k, 0));
            }
            world.run(u64::from(dice.below(100)));
        }
        for leg in world.legs.clone() {
            world.command(MediaCommand::Close { leg });
        }
        world.run(1_000);
        assert_eq!((world.engine.legs(), world.engine.recordings()), (0, 0), "seed {seed}");
        assert_eq!(world.engine.poll_timeout(), None, "seed {seed}: no timer is left");
        assert_eq!(world.play_done().len(), plays, "seed {seed}: each playback ends once");
        let closed = |(_, e): &&(u64, MediaEvent)| matches!(e, MediaEvent::RecordingClosed { .. });
        assert_eq!(world.events.iter().filter(closed).count(), recorded, "seed {seed}");
        assert_eq!(world.closed_ports.len(), world.legs.len(), "seed {seed}");
    }
}
