//! RTP (RFC 3550): reading and rewriting headers, whom to believe, what was lost, what we send.

pub(crate) mod header;
pub(crate) mod latch;
pub(crate) mod outgoing;
pub(crate) mod reception;

use cordboard_model::time::{Duration, Time};

/// The clock of a stream's timestamps. 8 kHz where nothing was agreed on yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock(u32);

impl Default for Clock {
    fn default() -> Self {
        Self(8_000)
    }
}

impl Clock {
    /// A clock of so many hertz, 8,000 or more.
    pub(crate) const fn new(hertz: u32) -> Self {
        Self(if hertz < 8_000 { 8_000 } else { hertz })
    }

    /// Ticks a second.
    pub(crate) fn hertz(self) -> u32 {
        self.0
    }

    /// Ticks in a duration.
    pub(crate) fn ticks_in(self, duration: Duration) -> u64 {
        let ticks = duration.as_nanos() * u128::from(self.0) / 1_000_000_000;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// Ticks in so many milliseconds.
    pub(crate) fn ticks_in_ms(self, ms: u64) -> u64 {
        ms * u64::from(self.0) / 1_000
    }

    /// The clock at a moment, as RTP counts: modulo 2^32.
    pub(crate) fn at(self, at: Time) -> u32 {
        self.ticks_in(at.since(Time::ZERO)) as u32
    }

    /// Microseconds in so many ticks.
    pub(crate) fn us_in(self, ticks: u64) -> u32 {
        u32::try_from(ticks.saturating_mul(1_000_000) / u64::from(self.0)).unwrap_or(u32::MAX)
    }
}

/// An SSRC, a first sequence number or a first timestamp, and its successors, are compared by their
/// distance: positive when `a` is the later one.
pub(crate) fn ahead(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}
