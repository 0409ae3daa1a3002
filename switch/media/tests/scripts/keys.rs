//! Ten thousand random paths under keys: what a thumb pressed is what is told and what the other party gets, once each.

use crate::harness::{Rtp, Sent, World, params, phone};
use cordboard_media::MediaConfig;
use cordboard_model::media::{Codec, DtmfKind, MediaCommand, MediaEvent};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
/// A packet comes this much later than it was sent, at most: less than the shortest pause between two presses.
const JITTER_MAX_MS: u32 = 50;

/// How the other party has keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Other {
    /// As events, under another payload type, relayed.
    Events,
    /// As events, beside audio that is decoded.
    BesideDecoded,
    /// By signalling.
    Signalling,
    /// As tones.
    Tones,
}

struct Thumb {
    rng: ChaCha8Rng,
    pressed: String,
    ssrc: u32,
    sequence: u16,
    base: u32,
    /// Packets with when they arrive, in milliseconds.
    arrivals: Vec<(u32, usize, Vec<u8>)>,
}

impl Thumb {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (ssrc, sequence, base) = (rng.next_u32(), rng.next_u32() as u16, rng.next_u32());
        Self { rng, pressed: String::new(), ssrc, sequence, base, arrivals: Vec::new() }
    }

    fn below(&mut self, n: u32) -> u32 {
        self.rng.next_u32() % n
    }

    /// Sends a packet at this millisecond, unless it is lost.
    fn send(&mut self, ms: u32, mut packet: Rtp, is_lost: bool) {
        packet.ssrc = self.ssrc;
        packet.sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        let copies = if is_lost { 0 } else { 1 + u32::from(self.below(20) == 0) };
        for _ in 0..copies {
            let arrives = ms + self.below(JITTER_MAX_MS + 1);
            self.arrivals.push((arrives, self.arrivals.len(), packet.bytes()));
        }
    }

    fn speak(&mut self, ms: &mut u32, packets: u32) {
        for _ in 0..packets {
            let mut packet = Rtp::audio(8, 0, 0, 0xd5);
            packet.timestamp = self.base.wrapping_add(*ms * 8);
            let lost = self.below(20) == 0;
            self.send(*ms, packet, lost);
            *ms += 20;
        }
    }

    /// One press: updates every 20 ms or 50, the end three times. Of the three any two are lost, or one, or none; updates are
    /// lost as they please.
    fn press(&mut self, ms: &mut u32) {
        let code = self.below(16) as u8;
        self.pressed.push(KEYS[usize::from(code)]);
        let (every, updates) = ([20, 50][self.below(2) as usize], 1 + self.below(8));
        let began = self.base.wrapping_add(*ms * 8);
        for n in 1..=updates {
            let lost = self.below(4) == 0;
            let duration = (n * every * 8) as u16;
            self.send(*ms, Rtp { marker: n == 1, ..Rtp::event(0, 0, began, code, false, duration) }, lost);
            *ms += every;
        }
        let kept = self.below(3);
        let also = self.below(6);
        // the ends come in a burst, or at the pace of the updates
        let apart = [0, every][self.below(2) as usize];
        for n in 0..3 {
            let end = Rtp::event(0, 0, began, code, true, (updates * every * 8) as u16);
            self.send(*ms, end, n != kept && n != also);
            *ms += apart;
        }
        *ms += 20;
    }

    /// Speech and presses in turn, in the order of arrival.
    fn type_on(&mut self) {
        let mut ms = 0;
        self.speak(&mut ms, 5);
        for _ in 0..2 + self.below(4) {
            self.press(&mut ms);
            // silence between two keys, or speech: a hand needs more than 80 ms
            let pause = 4 + self.below(6);
            if self.below(2) == 0 {
                self.speak(&mut ms, pause);
            } else {
                ms += pause * 20;
            }
        }
        self.arrivals.sort();
    }
}

fn world(other: Other) -> World {
    let mut world = World::new(MediaConfig::default());
    world.open(params(0, Codec::Pcma));
    let codec = if other == Other::BesideDecoded { Codec::G722 } else { Codec::Pcma };
    let mut partner = params(1, codec);
    partner.dtmf = match other {
        Other::Events | Other::BesideDecoded => Some((97, 97)),
        Other::Signalling | Other::Tones => None,
    };
    world.open(partner);
    let kind = match other {
        Other::Events | Other::BesideDecoded => DtmfKind::Rfc4733,
        Other::Signalling => DtmfKind::Info,
        Other::Tones => DtmfKind::Inband,
    };
    let leg = world.legs[1];
    world.command(MediaCommand::Dtmf { leg, kind });
    world.bridge(0, 1);
    world
}

/// What a phone reads from what it was sent.
fn read(sent: &[&Sent], other: Other) -> String {
    let mut reader = World::new(MediaConfig::default());
    let codec = if other == Other::BesideDecoded { Codec::G722 } else { Codec::Pcma };
    let mut own = params(0, codec);
    own.dtmf = (other != Other::Tones).then_some((97, 97));
    reader.open(own);
    for packet in sent {
        reader.run_to(packet.at_ms);
        reader.give(0, phone(0), &packet.bytes);
    }
    reader.digits(0)
}

fn due(world: &World) -> String {
    let due = |(_, event): &(u64, MediaEvent)| match event {
        MediaEvent::DigitDue { digit, .. } => Some(*digit),
        _ => None,
    };
    world.events.iter().filter_map(due).collect()
}

fn one_for_one(seed: u64, other: Other) {
    let mut thumb = Thumb::new(seed);
    thumb.type_on();
    let mut world = world(other);
    for (ms, _, bytes) in &thumb.arrivals {
        world.run_to(1_000 + u64::from(*ms));
        world.give(0, phone(0), bytes);
    }
    world.run(2_000);
    assert_eq!(world.digits(0), thumb.pressed, "seed {seed}, {other:?}: what is told");
    let got = match other {
        Other::Signalling => due(&world),
        _ => read(&world.sent_by(1), other),
    };
    assert_eq!(got, thumb.pressed, "seed {seed}, {other:?}: what the other party gets");
}

#[test]
fn ten_thousand_impaired_runs_of_keys_come_out_one_for_one() {
    for seed in 0..10_000 {
        let other = match seed % 50 {
            0 => Other::Tones,
            n if n % 3 == 0 => Other::Signalling,
            n if n % 3 == 1 => Other::BesideDecoded,
            _ => Other::Events,
        };
        one_for_one(seed, other);
    }
}

/// Keys that we send over a path that loses and disorders them.
#[test]
fn a_thousand_impaired_runs_of_keys_that_we_send_are_read_one_for_one() {
    for seed in 0..1_000 {
        let mut path = Thumb::new(seed);
        let keys: String = (0..4).map(|_| KEYS[path.below(16) as usize]).collect();
        let mut world = world(Other::Events);
        let leg = world.legs[1];
        let length_ms = 40 + path.below(200) as u16;
        world.command(MediaCommand::SendDigits { leg, digits: keys.clone(), length_ms });
        world.run(4_000);
        let mut arrivals = Vec::new();
        for (n, sent) in world.sent.iter().enumerate() {
            let is_end = sent.payload_type() == 97 && sent.payload()[1] & 0x80 != 0;
            if is_end || path.below(4) > 0 {
                let jitter = u64::from(path.below(JITTER_MAX_MS));
                arrivals.push((sent.at_ms + jitter, n));
            }
        }
        // of the three ends of a key, two are lost
        let ends: Vec<usize> =
            (0..world.sent.len()).filter(|n| world.sent[*n].payload()[1] & 0x80 != 0).collect();
        for three in ends.chunks(3) {
            let kept = three[path.below(3) as usize];
            arrivals.retain(|(_, n)| !three.contains(n) || *n == kept);
        }
        arrivals.sort();
        let sent: Vec<Sent> =
            arrivals.iter().map(|(at_ms, n)| Sent { at_ms: *at_ms, ..world.sent[*n].clone() }).collect();
        assert_eq!(read(&sent.iter().collect::<Vec<_>>(), Other::Events), keys, "seed {seed}");
    }
}
