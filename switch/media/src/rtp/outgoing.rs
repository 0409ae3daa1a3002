//! The stream we send on a leg: one SSRC, one sequence, one clock, whatever feeds it.
//!
//! Invariant: over bridge, playback, digits, hold and a change of source, the sequence goes on by one
//! and the timestamp goes on with the time that passed; neither ever goes back. While one source
//! feeds the stream its own gaps and order are kept, so that the receiver sees the loss that there was.

use super::header::Place;
use super::reception::Arrival;
use super::{Clock, ahead};
use cordboard_model::time::{Duration, Time};
use rand_core::RngCore;

/// Slack when judging whether a source's timestamp goes with the time that passed.
const TIMESTAMP_SLACK: Duration = Duration::from_secs(10);

/// The clock of video, whatever its codec.
const VIDEO_HZ: u32 = 90_000;
/// How far back a packet may be asked for again: two seconds of 500 packets each.
const ASKED_BACK: u16 = 1_000;
/// How much later a picture may be shown than one that is sent after it.
const PICTURES_AHEAD: Duration = Duration::from_secs(1);

/// "the initial value of the sequence number ... SHOULD be ... between 0 and 2^15 - 1" where it is secured (RFC 3711 3.3.1):
/// a receiver that misses the first packets then still knows how often the number has wrapped.
const FIRST_MAX: u16 = 0x7fff;

/// What we feed a stream with ourselves. Each has a cadence of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// Playback, digits, or a partner's audio made anew.
    Frames,
    /// The mix of several.
    Mix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Nobody,
    Local(Own),
    /// The leg of this key, in this epoch.
    Relay {
        leg: u32,
        epoch: u32,
    },
}

/// One packet of a relayed source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relayed {
    pub leg: u32,
    pub arrival: Arrival,
    pub timestamp: u32,
    /// Samples it lasts.
    pub samples: u32,
    /// Audio, whose timestamp is checked; an event repeats the one it began with.
    pub audio: bool,
}

/// A key's event that was relayed: all its packets bear one timestamp, whoever else fed the stream between them.
#[derive(Clone, Copy, Debug)]
struct Key {
    source: Source,
    /// The source's timestamp of it, and ours.
    theirs: u32,
    ours: u32,
}

/// The stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing {
    ssrc: u32,
    clock: Clock,
    /// The number after the highest one sent.
    next: u16,
    /// The timestamp after the last sample sent.
    end: u32,
    /// The timestamp and the moment of the first packet: the stream's clock runs from there, so that
    /// what a change of source costs never adds up.
    first: Option<(u32, Time)>,
    source: Source,
    /// What is added to the source's numbers.
    sequence_shift: u16,
    timestamp_shift: u32,
    /// Packets of the source below this number have no place.
    floor: u64,
    newest: u64,
    newest_audio: Option<(u32, Time)>,
    /// The last two: a packet of the one before may come late.
    keys: [Option<Key>; 2],
    packets: u64,
    octets: u64,
}

impl Outgoing {
    /// A stream with random SSRC, first number and first timestamp (RFC 3550 5.1).
    pub(crate) fn new(rng: &mut impl RngCore) -> Self {
        Self {
            ssrc: rng.next_u32(),
            clock: Clock::default(),
            next: rng.next_u32() as u16 & FIRST_MAX,
            end: rng.next_u32(),
            first: None,
            source: Source::Nobody,
            sequence_shift: 0,
            timestamp_shift: 0,
            floor: 0,
            newest: 0,
            newest_audio: None,
            keys: [None; 2],
            packets: 0,
            octets: 0,
        }
    }

    /// The stream's timestamps count this clock from now on, from where they are: one source, whose clock changes in the
    /// middle (RFC 7160 4.1 tells receivers how to cope with that).
    pub(crate) fn set_clock(&mut self, clock: Clock, now: Time) {
        if clock == self.clock {
            return;
        }
        if self.first.is_some() {
            self.end = self.timestamp_at(now);
            self.first = Some((self.end, now));
        }
        self.clock = clock;
        self.source = Source::Nobody;
    }

    /// The clock of its timestamps.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// The timestamp that belongs to a moment, not before the end of what was sent.
    pub(crate) fn timestamp_at(&self, at: Time) -> u32 {
        let Some((timestamp, begun)) = self.first else {
            return self.end;
        };
        let clock = timestamp.wrapping_add(self.clock.ticks_in(at.since(begun)) as u32);
        if ahead(clock, self.end) > 0 { clock } else { self.end }
    }

    fn place(&self, sequence: u16, timestamp: u32, restarted: bool) -> Place {
        Place { sequence, timestamp, ssrc: self.ssrc, restarted }
    }

    fn ends(&mut self, timestamp: u32, samples: u32, at: Time) {
        let end = timestamp.wrapping_add(samples);
        if self.first.is_none() || ahead(end, self.end) > 0 {
            self.end = end;
        }
        self.first.get_or_insert((timestamp, at));
    }

    /// Whatever fed the stream no longer does: the next packet begins anew.
    pub(crate) fn detach(&mut self) {
        self.source = Source::Nobody;
    }

    /// We feed the stream no longer; who else does goes on.
    pub(crate) fn end_local(&mut self) {
        if matches!(self.source, Source::Local(_)) {
            self.source = Source::Nobody;
        }
    }

    /// The place of a relayed packet. `None`: it is older than the present source's beginning.
    pub(crate) fn relay(&mut self, packet: Relayed, now: Time) -> Option<Place> {
        let Relayed { leg, arrival, .. } = packet;
        let source = Source::Relay { leg, epoch: arrival.epoch };
        let number = arrival.extended;
        let mut restarted = false;
        if self.source != source {
            restarted = self.first.is_some();
            self.source = source;
            self.sequence_shift = self.next.wrapping_sub(number as u16);
            self.timestamp_shift = self.timestamp_at(now).wrapping_sub(packet.timestamp);
            self.floor = if self.first.is_none() { 0 } else { number };
            self.newest = number;
            self.newest_audio = None;
        } else if number < self.floor {
            return None;
        } else if packet.audio && number > self.newest && self.is_off(packet.timestamp, now) {
            restarted = true;
            self.timestamp_shift = self.timestamp_at(now).wrapping_sub(packet.timestamp);
            self.floor = number;
        }
        self.newest = self.newest.max(number);
        let sequence = (number as u16).wrapping_add(self.sequence_shift);
        let after = sequence.wrapping_add(1);
        if self.first.is_none() || (after.wrapping_sub(self.next) as i16) > 0 {
            self.next = after;
        }
        let mut timestamp = packet.timestamp.wrapping_add(self.timestamp_shift);
        if !packet.audio {
            timestamp = self.key_began(source, packet.timestamp, timestamp);
        }
        if packet.audio && number == self.newest {
            self.newest_audio = Some((packet.timestamp, now));
        }
        self.ends(timestamp, packet.samples, now);
        Some(self.place(sequence, timestamp, restarted))
    }

    /// Which packet of the leg that feeds the stream one of ours was. `None`: of another source, or before its beginning.
    pub(crate) fn source_number(&self, leg: u32, sequence: u16) -> Option<u16> {
        if !matches!(self.source, Source::Relay { leg: from, .. } if from == leg) {
            return None;
        }
        let number = sequence.wrapping_sub(self.sequence_shift);
        let behind = (self.newest as u16).wrapping_sub(number);
        let is_known = behind <= ASKED_BACK && self.newest.saturating_sub(u64::from(behind)) >= self.floor;
        is_known.then_some(number)
    }

    /// The timestamp of a key's event: what it was given with its first packet.
    fn key_began(&mut self, source: Source, theirs: u32, ours: u32) -> u32 {
        let known = |key: &&Key| key.source == source && key.theirs == theirs;
        if let Some(key) = self.keys.iter().flatten().find(known) {
            return key.ours;
        }
        self.keys = [Some(Key { source, theirs, ours }), self.keys[0]];
        ours
    }

    /// Whether a source's timestamp has left the time that passed: back, or far ahead.
    fn is_off(&self, timestamp: u32, now: Time) -> bool {
        let Some((last, at)) = self.newest_audio else {
            return false;
        };
        let step = ahead(timestamp, last);
        // Pictures may be sent in another order than they are shown in.
        if step < 0 && self.clock.hertz() == VIDEO_HZ {
            return u64::from(step.unsigned_abs()) > self.clock.ticks_in(PICTURES_AHEAD);
        }
        step < 0 || u64::from(step.unsigned_abs()) > self.clock.ticks_in(now.since(at) + TIMESTAMP_SLACK)
    }

    /// A packet of the source is not passed on: its number is closed up, it is not a loss.
    pub(crate) fn leave_out(&mut self, leg: u32, arrival: Arrival) {
        let source = Source::Relay { leg, epoch: arrival.epoch };
        if self.source == source && arrival.extended > self.newest {
            self.sequence_shift = self.sequence_shift.wrapping_sub(1);
            self.newest = arrival.extended;
            self.floor = arrival.extended + 1;
        }
    }

    /// We feed the stream ourselves from `at` on: says the timestamp of the frame that begins there,
    /// and whether the stream began anew with it.
    pub(crate) fn begin_local(&mut self, at: Time) -> (u32, bool) {
        self.begin(Own::Frames, at)
    }

    /// The same, said which of our sources it is. From one to the other the stream begins anew, with the time that passed.
    pub(crate) fn begin(&mut self, own: Own, at: Time) -> (u32, bool) {
        let source = Source::Local(own);
        let restarted = self.source != source;
        if restarted {
            self.end = self.timestamp_at(at);
            self.source = source;
            self.first.get_or_insert((self.end, at));
        }
        (self.end, restarted)
    }

    /// The place of a packet of our own with this timestamp.
    pub(crate) fn local(&mut self, timestamp: u32, restarted: bool) -> Place {
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        self.place(sequence, timestamp, restarted)
    }

    /// The local clock goes on by a frame, whether or not a packet was sent for it.
    pub(crate) fn advance_local(&mut self, samples: u32) {
        if matches!(self.source, Source::Local(_)) {
            self.end = self.end.wrapping_add(samples);
        }
    }

    /// Counts a packet that leaves with this much payload.
    pub(crate) fn count(&mut self, payload: usize) {
        self.packets += 1;
        self.octets += payload as u64;
    }

    /// Packets and payload octets sent.
    pub(crate) fn sent(&self) -> (u64, u64) {
        (self.packets, self.octets)
    }

    /// Our SSRC.
    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_core::SeedableRng;

    struct Script {
        out: Outgoing,
        first: Option<(u16, u32)>,
    }

    impl Script {
        fn new() -> Self {
            Self { out: Outgoing::new(&mut ChaCha8Rng::seed_from_u64(3)), first: None }
        }

        /// Sequence and timestamp relative to the first packet, and whether it restarted.
        fn told(&mut self, place: Place) -> (i16, i32, bool) {
            let (sequence, timestamp) = *self.first.get_or_insert((place.sequence, place.timestamp));
            (place.sequence.wrapping_sub(sequence) as i16, ahead(place.timestamp, timestamp), place.restarted)
        }

        fn relay(&mut self, ms: u64, epoch: u32, number: u64, timestamp: u32) -> Option<(i16, i32, bool)> {
            let relayed = Relayed {
                leg: 4,
                arrival: Arrival { epoch, extended: (1 << 32) + number },
                timestamp,
                samples: 160,
                audio: true,
            };
            let place = self.out.relay(relayed, Time::from_millis(ms))?;
            Some(self.told(place))
        }

        fn local(&mut self, ms: u64) -> (i16, i32, bool) {
            let at = Time::from_millis(ms);
            let (timestamp, restarted) = self.out.begin_local(at);
            let place = self.out.local(timestamp, restarted);
            self.out.advance_local(160);
            self.told(place)
        }
    }

    #[test]
    fn a_relayed_stream_keeps_its_loss_and_order() {
        let mut s = Script::new();
        assert_eq!(s.relay(0, 1, 65_535, 9_000), Some((0, 0, false)));
        assert_eq!(s.relay(60, 1, 65_538, 9_480), Some((3, 480, false)));
        assert_eq!(s.relay(61, 1, 65_537, 9_320), Some((2, 320, false)));
        assert_eq!(s.relay(62, 1, 65_534, 8_840), Some((-1, -160, false)), "nothing came before");
        assert_eq!(s.relay(80, 1, 65_539, 9_640), Some((4, 640, false)));
    }

    #[test]
    fn playback_bridge_and_new_source_make_one_stream() {
        let mut s = Script::new();
        assert_eq!(s.local(100), (0, 0, true));
        assert_eq!(s.local(120), (1, 160, false));
        assert_eq!(s.relay(145, 1, 500, 77), Some((2, 360, true)), "5 ms after the frame's end");
        assert_eq!(s.relay(150, 1, 499, 0), None, "its place was taken by the playback");
        assert_eq!(s.relay(165, 1, 501, 237), Some((3, 520, false)));
        assert_eq!(s.relay(185, 2, 9, 1 << 31), Some((4, 680, true)));
        s.out.detach();
        assert_eq!(s.relay(1_205, 2, 60, 0), Some((5, 680 + 1_020 * 8, true)), "held for a second");
        assert_eq!(s.local(1_220), (6, 680 + 1_040 * 8, true), "never before the end of the last");
    }

    #[test]
    fn a_key_keeps_its_timestamp_when_audio_of_our_own_comes_between_its_packets() {
        let mut s = Script::new();
        let mut key = |ms: u64, number: u64, timestamp: u32| {
            let arrival = Arrival { epoch: 1, extended: (1 << 32) + number };
            let relayed = Relayed { leg: 4, arrival, timestamp, samples: 400, audio: false };
            let place = s.out.relay(relayed, Time::from_millis(ms)).unwrap();
            s.out.begin_local(Time::from_millis(ms + 30));
            s.out.advance_local(160);
            s.told(place).1
        };
        assert_eq!([key(0, 10, 900), key(100, 11, 900), key(200, 12, 900)], [0; 3]);
        let next = key(400, 13, 9_000);
        assert!(next > 0);
        assert_eq!([key(440, 14, 900), key(500, 15, 9_000)], [0, next], "one that came late");
    }

    #[test]
    fn a_packet_left_out_is_no_loss() {
        let mut s = Script::new();
        s.relay(0, 1, 10, 0);
        let event = |number: u64| Arrival { epoch: 1, extended: (1 << 32) + number };
        s.out.leave_out(4, event(11));
        s.out.leave_out(4, event(12));
        s.out.leave_out(4, event(12));
        assert_eq!(s.relay(60, 1, 13, 480), Some((1, 480, false)));
    }

    #[test]
    fn a_timestamp_that_leaves_the_time_is_set_right_and_a_pause_is_not_touched() {
        let mut s = Script::new();
        s.relay(0, 1, 10, 1_000_000);
        assert_eq!(s.relay(20, 1, 11, 500), Some((1, 160, true)));
        assert_eq!(s.relay(40, 1, 12, 660), Some((2, 320, false)));
        let pause = 660 + 60_000 * 8;
        assert_eq!(s.relay(60_040, 1, 13, pause), Some((3, 480_320, false)));
        assert_eq!(s.relay(60_060, 1, 14, pause + (1 << 30)), Some((4, 480_480, true)));
    }
}
