//! An adaptive jitter buffer for a stream that is decoded.
//!
//! Invariant: it is asked for so many samples at a time and gives as many; its clock is the caller's. What is played at a
//! moment is decided by RTP timestamps and arrival times alone: `cursor` goes on with each sample asked for, and is
//! compared with where it ought to be (the newest sample that the quickest packet of the last seconds would have brought,
//! less the delay that the slowest needed). A difference is made good five milliseconds at a time, a large one at once.
//! So jitter, a path that becomes longer, and a sender's clock that drifts are one and the same thing here.
//!
//! All positions are samples at the rate of the decoder. Memory is taken once.

mod delay;

use cordboard_model::time::{Duration, Time};
use delay::Delay;

/// Packets that may wait; the oldest gives way.
const SLOTS: usize = 32;
/// A loss is repaired by the packet after it, where packets tell of the one before them, as long as losses happen: for so
/// long after one, packets wait for one more.
const LOSSY: Duration = Duration::from_secs(30);
/// And so much longer, milliseconds.
const LOSSY_MS: i64 = 10;
/// The cursor is moved when it is behind by a turn, within which a stream begins anywhere, and by more than this,
/// milliseconds.
const BEHIND_MS: i64 = 5;
/// Or before its place by more than this: then the slowest packets are late.
const BEFORE_MS: i64 = 2;
/// By so much, milliseconds.
const STEP_MS: i64 = 5;
/// At once, when it is off by more than this, milliseconds.
const JUMP_MS: i64 = 240;
/// Between two steps, milliseconds: one in twenty is not heard. A stream that must wait longer is late until it does.
const REST_MS: i64 = 100;
const REST_LATE_MS: i64 = 40;
/// Packets too late in sequence: the path has become longer, and what was known of it is forgotten.
const LATE_RUN: u8 = 5;
/// Longest packet, milliseconds.
const LENGTH_MAX_MS: i64 = 120;
/// A loss is concealed for so long, milliseconds, then there is silence.
const CONCEAL_MS: i64 = 60;

/// What is to be played next. Positions and lengths in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// This payload: decode it, and say how long it was with [`JitterBuffer::played`].
    Packet(&'a [u8]),
    /// So many samples were lost, or are not here in time: invent them.
    Conceal(usize),
    /// So many samples were lost, and this payload, which comes after them, tells of the last of them.
    Recover(&'a [u8], usize),
    /// So many samples were never sent: silence.
    Pause(usize),
}

/// How the cursor is to be set right within the samples asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adjust {
    /// Not at all.
    None,
    /// What was decoded and not given is of another time: forget it.
    Jump,
    /// So many samples more are taken than given.
    Shorten(usize),
    /// So many samples fewer are taken than given.
    Lengthen(usize),
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    number: u64,
    at: i64,
    len: u16,
}

/// What became of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct JitterCounters {
    /// Came after their time, or had no room.
    pub late: u64,
    /// Came twice.
    pub twice: u64,
    /// Samples that were invented.
    pub concealed: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct JitterBuffer {
    /// Samples a second.
    rate: i64,
    delay: Delay,
    slots: [Option<Slot>; SLOTS],
    payloads: Box<[u8]>,
    payload_max: usize,
    /// Packets tell of the one before them.
    redundant: bool,
    /// When packets were lost last.
    lossy: Option<Time>,
    /// The next sample to play; `None` until the first packet's time has come.
    cursor: Option<i64>,
    /// The number of the packet that was played last.
    last: Option<u64>,
    /// The number of the packet that said that silence follows.
    silence: Option<u64>,
    /// Number and position of the packet that came last, and how long packets are.
    came: Option<(u64, i64)>,
    length: i64,
    /// Invented samples in a row.
    invented: i64,
    /// Samples since the last step.
    rested: i64,
    /// Packets in sequence that were late.
    late_run: u8,
    counters: JitterCounters,
    /// Of the invented samples, those that were told of.
    told: u64,
}

impl JitterBuffer {
    /// An empty one for samples at `rate` and payloads of `payload_max` octets. `redundant`: packets tell of the one before
    /// them. Allocates 32 payloads.
    pub(crate) fn new(rate: u32, payload_max: usize, redundant: bool) -> Self {
        Self {
            rate: i64::from(rate),
            delay: Delay::new(rate),
            slots: [None; SLOTS],
            payloads: vec![0; SLOTS * payload_max].into(),
            payload_max,
            redundant,
            lossy: None,
            cursor: None,
            last: None,
            silence: None,
            came: None,
            length: i64::from(rate) / 50,
            invented: 0,
            rested: 0,
            late_run: 0,
            counters: JitterCounters::default(),
            told: 0,
        }
    }

    /// The decoder makes samples at another rate from now on; what waits goes on waiting.
    pub(crate) fn rescale(&mut self, rate: u32) {
        let (from, to) = (self.rate, i64::from(rate));
        let of = |value: i64| scaled(value, from, to);
        let of_count = |value: u64| u64::try_from(of(value as i64)).unwrap_or(0);
        self.delay.rescale(rate);
        self.slots.iter_mut().flatten().for_each(|slot| slot.at = of(slot.at));
        (self.cursor, self.came) = (self.cursor.map(of), self.came.map(|(number, at)| (number, of(at))));
        (self.length, self.invented, self.rested) =
            (of(self.length).max(1), of(self.invented), of(self.rested));
        let untold = self.counters.concealed - self.told;
        self.told = of_count(self.told);
        self.counters.concealed = self.told + of_count(untold);
        self.rate = to;
    }

    /// Another source begins: nothing of the old one is played.
    pub(crate) fn reset(&mut self) {
        self.rest();
        self.delay.reset();
    }

    /// The sender is silent: what comes next is played after the delay that is known.
    pub(crate) fn rest(&mut self) {
        self.slots = [None; SLOTS];
        (self.cursor, self.last, self.invented, self.rested, self.late_run) = (None, None, 0, 0, 0);
    }

    /// Samples that were invented since this was last asked.
    pub(crate) fn take_concealed(&mut self) -> u64 {
        let told = core::mem::replace(&mut self.told, self.counters.concealed);
        self.counters.concealed - told
    }

    /// What became of packets so far.
    #[cfg(test)]
    pub(crate) fn counters(&self) -> JitterCounters {
        self.counters
    }

    /// How long a packet that is not late waits, samples.
    #[cfg(test)]
    pub(crate) fn target(&self) -> i64 {
        self.delay.target()
    }

    /// Whether anything waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// Takes a packet: its extended number, the position of its first sample, when it came.
    pub(crate) fn put(&mut self, number: u64, at: i64, payload: &[u8], now: Time) {
        if self.cursor.is_none() && self.is_empty() && self.delay.off(at, now) > self.ms(JUMP_MS) {
            // A sender whose clock stood while it was silent, or ran on from anywhere.
            self.delay.reset();
        }
        self.delay.hear(at, now);
        if let Some((before, began)) = self.came.replace((number, at)) {
            if number == before + 1 && (1..=self.ms(LENGTH_MAX_MS)).contains(&(at - began)) {
                self.length = at - began;
            }
            if self.redundant {
                self.wait_for_redundancy(number > before + 1, now);
            }
        }
        let passed = self.cursor.is_some_and(|cursor| at < cursor);
        if passed || payload.len() > self.payload_max {
            self.counters.late += 1;
            self.late_run = self.late_run.saturating_add(1);
            if self.late_run < LATE_RUN || payload.len() > self.payload_max {
                return;
            }
            self.reset();
            self.delay.hear(at, now);
        }
        self.late_run = 0;
        if self.slots.iter().flatten().any(|slot| slot.number == number) {
            self.counters.twice += 1;
            return;
        }
        let Some(place) = self.room() else {
            return;
        };
        if let Some(to) =
            self.payloads.get_mut(place * self.payload_max..place * self.payload_max + payload.len())
        {
            to.copy_from_slice(payload);
        }
        self.slots[place] = Some(Slot { number, at, len: payload.len() as u16 });
    }

    /// While packets are lost, each waits for the next one, which tells of it.
    fn wait_for_redundancy(&mut self, lost: bool, now: Time) {
        if lost {
            self.lossy = Some(now);
        }
        let lossy = self.lossy.is_some_and(|at| now.since(at) < LOSSY);
        let floor = if lossy { self.length + self.ms(LOSSY_MS) } else { 0 };
        self.delay.set_floor(floor);
    }

    /// A packet of this number says that nothing is lost between it and the next one.
    pub(crate) fn silent(&mut self, number: u64) {
        self.silence = Some(number);
    }

    /// A free slot; the oldest packet gives way.
    fn room(&mut self) -> Option<usize> {
        let free = self.slots.iter().position(Option::is_none);
        if free.is_none() {
            self.counters.late += 1;
        }
        free.or_else(|| self.first())
    }

    /// The slot of the packet that is next in order.
    fn first(&self) -> Option<usize> {
        let slots = self.slots.iter().enumerate();
        let taken = slots.filter_map(|(place, slot)| Some((slot.as_ref()?.at, place)));
        taken.min().map(|(_, place)| place)
    }

    fn ms(&self, ms: i64) -> i64 {
        ms * self.rate / 1_000
    }

    /// Whether there is something to play at `now`, and how the cursor is to be set right in this turn. Asked once before
    /// each turn of [`JitterBuffer::next`]; `held` samples were decoded and not given yet.
    pub(crate) fn begin(&mut self, samples: usize, held: usize, now: Time) -> Option<Adjust> {
        let wanted = self.delay.cursor(now)?;
        let turn = samples as i64;
        let Some(cursor) = self.cursor else {
            let first = self.first().and_then(|place| self.slots[place])?;
            if wanted < first.at + self.ahead(turn) {
                return None;
            }
            self.cursor = Some(first.at);
            return Some(Adjust::None);
        };
        let missing = turn - held as i64;
        if missing <= 0 {
            return Some(Adjust::None);
        }
        let off = wanted - cursor - self.ahead(missing);
        if off.abs() > self.ms(JUMP_MS) {
            // Time was lost on the way, or the sender paused for long: go where the stream is.
            let there = wanted - self.ahead(turn);
            self.cursor = Some(there);
            self.drop_passed(there);
            return Some(Adjust::Jump);
        }
        self.rested += turn;
        let in_place = off <= turn + self.ms(BEHIND_MS) && off >= -self.ms(BEFORE_MS);
        let rest = self.ms(if off > 0 { REST_MS } else { REST_LATE_MS });
        if in_place || self.rested < rest {
            return Some(Adjust::None);
        }
        self.rested = 0;
        let step = self.ms(STEP_MS) as usize;
        Some(if off > 0 { Adjust::Shorten(step) } else { Adjust::Lengthen(step) })
    }

    /// How far beyond the cursor the last packet begins that so many samples need: it must be here by now.
    fn ahead(&self, samples: i64) -> i64 {
        (samples - 1).max(0) / self.length * self.length
    }

    fn drop_passed(&mut self, cursor: i64) {
        for slot in &mut self.slots {
            if slot.is_some_and(|slot| slot.at < cursor) {
                *slot = None;
                self.counters.late += 1;
            }
        }
    }

    /// What comes next, for at most `most` samples where nothing is there. `silent`: the party said that it is silent, so
    /// that nothing is lost where nothing is here.
    pub(crate) fn next(&mut self, most: usize, silent: bool) -> Next<'_> {
        let cursor = self.cursor.unwrap_or(0);
        self.drop_passed(cursor);
        let found = self.first().and_then(|place| Some((place, self.slots[place]?)));
        let Some((place, slot)) = found else {
            if silent {
                self.advance(most as i64);
                return Next::Pause(most);
            }
            return self.invent(most as i64);
        };
        let gap = (slot.at - cursor).min(most as i64);
        if gap > 0 {
            let before = slot.number.checked_sub(1);
            if before == self.last || before == self.silence || self.last.is_none() {
                self.advance(gap);
                return Next::Pause(gap as usize);
            }
            if self.redundant {
                return self.recover(place, slot, cursor);
            }
            return self.invent(gap);
        }
        self.slots[place] = None;
        self.last = Some(slot.number);
        self.invented = 0;
        let start = place * self.payload_max;
        Next::Packet(self.payloads.get(start..start + usize::from(slot.len)).unwrap_or_default())
    }

    /// All that is missing before a packet, at once: what it tells of lies at the end.
    fn recover(&mut self, place: usize, slot: Slot, cursor: i64) -> Next<'_> {
        let missing = slot.at - cursor;
        if missing > self.ms(LENGTH_MAX_MS) {
            return self.invent(missing - self.ms(LENGTH_MAX_MS));
        }
        self.advance(missing);
        self.invented = 0;
        self.counters.concealed += (missing - self.length).max(0).unsigned_abs();
        let start = place * self.payload_max;
        let payload = self.payloads.get(start..start + usize::from(slot.len)).unwrap_or_default();
        Next::Recover(payload, missing.unsigned_abs() as usize)
    }

    /// Nothing is here: something like what was, for a while.
    fn invent(&mut self, samples: i64) -> Next<'static> {
        let left = self.ms(CONCEAL_MS) - self.invented;
        self.invented = self.invented.saturating_add(samples);
        self.advance(samples);
        if left <= 0 || self.last.is_none() {
            return Next::Pause(samples as usize);
        }
        self.counters.concealed += samples.unsigned_abs();
        Next::Conceal(samples as usize)
    }

    fn advance(&mut self, samples: i64) {
        if let Some(cursor) = self.cursor.as_mut() {
            *cursor += samples;
        }
    }

    /// The packet that was given last was so many samples long.
    pub(crate) fn played(&mut self, samples: usize) {
        self.advance(samples as i64);
    }
}

/// A position or a length at another rate.
fn scaled(value: i64, from: i64, to: i64) -> i64 {
    i64::try_from((i128::from(value) * i128::from(to)).div_euclid(i128::from(from.max(1)))).unwrap_or(0)
}

#[cfg(test)]
mod tests;
