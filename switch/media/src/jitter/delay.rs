//! How long packets must wait so that nearly none is late.
//!
//! The transit of a packet is when it came less what it says of its time; only differences mean anything. The least transit
//! of the last seconds is the path itself, the greatest beyond it is the jitter that must be waited for.

use cordboard_model::time::{Duration, Time};

/// What is forgotten: between one and two of these. A change of path is followed after that.
const WINDOW: Duration = Duration::from_secs(5);
/// Least and most time that a packet waits, milliseconds.
const LEAST_MS: i64 = 10;
const MOST_MS: i64 = 200;

/// Of one window.
#[derive(Clone, Copy, Debug)]
struct Seen {
    least: i64,
    most: i64,
}

impl Seen {
    const NOTHING: Seen = Seen { least: i64::MAX, most: i64::MIN };
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Delay {
    rate: i64,
    now: Seen,
    before: Seen,
    begun: Time,
    /// What a packet waits at least, samples, if that is more than the least time.
    floor: i64,
}

impl Delay {
    pub(super) fn new(rate: u32) -> Self {
        let rate = i64::from(rate);
        Self { rate, now: Seen::NOTHING, before: Seen::NOTHING, begun: Time::ZERO, floor: 0 }
    }

    /// Counts at another rate from now on; what is known stays known.
    pub(super) fn rescale(&mut self, rate: u32) {
        let (from, to) = (self.rate, i64::from(rate));
        for seen in [&mut self.now, &mut self.before].into_iter().filter(|seen| seen.least != i64::MAX) {
            (seen.least, seen.most) =
                (super::scaled(seen.least, from, to), super::scaled(seen.most, from, to));
        }
        (self.rate, self.floor) = (to, super::scaled(self.floor, from, to));
    }

    pub(super) fn reset(&mut self) {
        (self.now, self.before, self.begun) = (Seen::NOTHING, Seen::NOTHING, Time::ZERO);
    }

    /// Packets wait at least so many samples.
    pub(super) fn set_floor(&mut self, samples: i64) {
        self.floor = samples;
    }

    fn clock(&self, now: Time) -> i64 {
        let nanos = i128::from(now.as_nanos()) * i128::from(self.rate) / 1_000_000_000;
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }

    /// A packet that begins at sample `at` came now.
    pub(super) fn hear(&mut self, at: i64, now: Time) {
        if now.since(self.begun) >= WINDOW {
            self.before = self.now;
            self.now = Seen::NOTHING;
            self.begun = now;
        }
        let transit = self.clock(now) - at;
        self.now.least = self.now.least.min(transit);
        self.now.most = self.now.most.max(transit);
    }

    /// How far a packet that comes now is from the path that is known; 0 where none is.
    pub(super) fn off(&self, at: i64, now: Time) -> i64 {
        let least = self.now.least.min(self.before.least);
        if least == i64::MAX { 0 } else { (self.clock(now) - at - least).saturating_abs() }
    }

    /// What a packet that took the least time waits, samples.
    pub(super) fn target(&self) -> i64 {
        let least = self.now.least.min(self.before.least);
        let spread = self.now.most.max(self.before.most).saturating_sub(least);
        let (least, most) = (LEAST_MS * self.rate / 1_000, MOST_MS * self.rate / 1_000);
        spread.clamp(least.max(self.floor).min(most), most)
    }

    /// The sample that is to be played now; `None` before the first packet.
    pub(super) fn cursor(&self, now: Time) -> Option<i64> {
        let least = self.now.least.min(self.before.least);
        (least != i64::MAX).then(|| self.clock(now) - least - self.target())
    }
}
