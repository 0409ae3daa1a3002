//! A phone that speaks by itself: a tone in packets at the pace of its own clock, over a path with faults.

use super::{number, value};
use crate::harness::{Rtp, sine_codes};
use cordboard_model::media::StreamParams;
use cordboard_model::time::{Duration, Time};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

/// Samples of a tone before it begins anew.
const LOOP: usize = 60 * 8_000;

/// The code of a key, and the packets of its event that were made.
struct Press {
    code: u8,
    made: u64,
    updates: u64,
    began: u32,
}

/// What the path does to packets, by their number from 0 on.
struct Path {
    lose: Vec<(u64, u64)>,
    twice: Vec<(u64, u64)>,
    /// First, last, milliseconds.
    late: Option<((u64, u64), u64)>,
    /// These wait for the last of them.
    stall: Vec<(u64, u64)>,
    loss_percent: u32,
    jitter_ms: u32,
    rng: ChaCha8Rng,
}

pub struct Speaker {
    pub leg: usize,
    params: StreamParams,
    /// A minute of the tone.
    codes: Vec<u8>,
    ptime_ms: u64,
    begun: Time,
    /// Between two packets by the switch's clock, nanoseconds.
    period: u64,
    packets: u64,
    n: u64,
    sequence: u16,
    first_timestamp: u32,
    ssrc: u32,
    /// Speech and silence in turn, milliseconds.
    talk: Option<(u64, u64)>,
    comfort: Option<u8>,
    was_silent: bool,
    press: Option<Press>,
    path: Path,
    under_way: BTreeMap<(Time, u64), Vec<u8>>,
}

fn ranges(words: &[&str], key: &str) -> Vec<(u64, u64)> {
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        (first.parse().unwrap(), last.parse().unwrap())
    };
    value(words, key).map(|text| text.split(',').map(range).collect()).unwrap_or_default()
}

fn holds(ranges: &[(u64, u64)], n: u64) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&n))
}

impl Path {
    fn new(words: &[&str]) -> Self {
        let late = value(words, "late").map(|text| {
            let (which, ms) = text.split_once(':').unwrap();
            (ranges(&[&format!("late={which}")], "late")[0], ms.parse().unwrap())
        });
        Self {
            lose: ranges(words, "lose"),
            twice: ranges(words, "twice"),
            late,
            stall: ranges(words, "stall"),
            loss_percent: number(words, "loss").unwrap_or(0),
            jitter_ms: number(words, "jitter").unwrap_or(0),
            rng: ChaCha8Rng::seed_from_u64(number(words, "seed").unwrap_or(1)),
        }
    }

    /// How often a packet arrives, and how much later than it was sent.
    fn carry(&mut self, n: u64, ptime_ms: u64) -> (usize, Duration) {
        let lost = holds(&self.lose, n) || self.rng.next_u32() % 100 < self.loss_percent;
        let jitter = self.rng.next_u32() % (self.jitter_ms + 1);
        let late = self.late.filter(|(range, _)| holds(&[*range], n)).map_or(0, |(_, ms)| ms);
        let stall = self.stall.iter().find(|range| holds(&[**range], n));
        let late = late + stall.map_or(0, |(_, last)| (last - n) * ptime_ms);
        let copies = if lost { 0 } else { 1 + usize::from(holds(&self.twice, n)) };
        (copies, Duration::from_millis(u64::from(jitter) + late))
    }
}

impl Speaker {
    pub fn new(leg: usize, params: StreamParams, words: &[&str], now: Time) -> Self {
        let hertz = words[2].parse().unwrap();
        let ptime_ms = number(words, "ptime").unwrap_or(20);
        let ppm: i64 = number(words, "ppm").unwrap_or(0);
        let talk = value(words, "talk").map(|text| {
            let (on, off) = text.split_once('/').unwrap();
            (on.parse().unwrap(), off.parse().unwrap())
        });
        Self {
            leg,
            params,
            codes: sine_codes(params.codec, hertz, LOOP),
            ptime_ms,
            begun: now,
            // a clock that is fast by so much makes its packets closer
            period: (ptime_ms as i64 * (1_000_000 - ppm)) as u64,
            packets: number::<u64>(words, "for").map_or(u64::MAX, |ms| ms / ptime_ms),
            n: 0,
            sequence: number(words, "seq").unwrap_or(1),
            first_timestamp: number(words, "ts").unwrap_or(160),
            ssrc: number(words, "ssrc").unwrap_or(leg as u32 + 1),
            talk,
            comfort: number(words, "cn"),
            was_silent: true,
            press: None,
            path: Path::new(words),
            under_way: BTreeMap::new(),
        }
    }

    /// From now on by what was agreed anew; its numbers go on.
    pub fn agree_on(&mut self, params: StreamParams, hertz: u16, ptime_ms: Option<u64>) {
        self.params = params;
        self.codes = sine_codes(params.codec, hertz, LOOP);
        if let Some(ptime) = ptime_ms {
            self.ptime_ms = ptime;
        }
    }

    pub fn press(&mut self, digit: char, ms: u64) {
        let code = "0123456789*#ABCD".find(digit).unwrap() as u8;
        let updates = ms.div_ceil(self.ptime_ms);
        self.press = Some(Press { code, made: 0, updates, began: self.timestamp() });
    }

    fn spoken_at(&self) -> Option<Time> {
        (self.n < self.packets).then(|| self.begun + Duration::from_nanos(self.n * self.period))
    }

    /// When it next does something.
    pub fn due(&self) -> Option<Time> {
        let arrives = self.under_way.keys().next().map(|(at, _)| *at);
        self.spoken_at().into_iter().chain(arrives).min()
    }

    /// What arrives now.
    pub fn step(&mut self, now: Time) -> Vec<Vec<u8>> {
        while self.spoken_at().is_some_and(|at| at <= now) {
            if let Some(packet) = self.packet() {
                let (copies, delay) = self.path.carry(self.n, self.ptime_ms);
                for copy in 0..copies {
                    let at = now + delay + Duration::from_millis(3 * copy as u64);
                    self.under_way.insert((at, self.n), packet.bytes());
                }
            }
            self.n += 1;
        }
        let later = self.under_way.split_off(&(now + Duration::from_nanos(1), 0));
        core::mem::replace(&mut self.under_way, later).into_values().collect()
    }

    fn timestamp(&self) -> u32 {
        self.first_timestamp.wrapping_add((self.n * self.ptime_ms * 8) as u32)
    }

    /// The packet of this moment, if there is one.
    fn packet(&mut self) -> Option<Rtp> {
        let silent = self.talk.is_some_and(|(on, off)| self.n * self.ptime_ms % (on + off) >= on);
        let mut packet = Rtp::audio(self.params.recv_payload_type, self.ssrc, 0, 0);
        packet.timestamp = self.timestamp();
        if self.press.is_some() {
            self.event(&mut packet);
        } else if silent {
            let level = self.comfort.filter(|_| !self.was_silent);
            self.was_silent = true;
            let number = self.params.comfort.map_or(13, |(_, receive)| receive);
            (packet.payload_type, packet.payload) = (number, vec![level?]);
        } else {
            packet.marker = core::mem::take(&mut self.was_silent);
            let (len, at) = (self.ptime_ms as usize * 8, (self.n * self.ptime_ms * 8) as usize);
            packet.payload = self.codes.iter().cycle().skip(at % LOOP).take(len).copied().collect();
        }
        packet.sequence = self.sequence;
        self.sequence = self.sequence.wrapping_add(1);
        Some(packet)
    }

    /// An update of a key's event, or one of the three that end it (RFC 4733 2.5.1.4).
    fn event(&mut self, packet: &mut Rtp) {
        let Some(press) = self.press.as_mut() else {
            return;
        };
        press.made += 1;
        let duration = press.made.min(press.updates) * self.ptime_ms * 8;
        let end = press.made >= press.updates;
        let event = Rtp::event(self.ssrc, 0, press.began, press.code, end, duration as u16);
        *packet = Rtp { marker: press.made == 1, ..event };
        packet.payload_type = self.params.dtmf.map_or(101, |(_, receive)| receive);
        if press.made >= press.updates + 2 {
            self.press = None;
        }
    }
}
