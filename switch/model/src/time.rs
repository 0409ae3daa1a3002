//! Time as the engines see it: nanoseconds since the process began, and the wall beside it.
//!
//! Durations come from [`Time`], dates from [`Wall`]. No engine reads a clock: the shell passes
//! `now` to every call.

use core::fmt;
use core::ops::{Add, Sub};
use serde::{Deserialize, Serialize};

pub use core::time::Duration;

/// A moment on the monotonic clock: nanoseconds since the switch was started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Time(u64);

impl Time {
    /// The start of the switch.
    pub const ZERO: Time = Time(0);
    /// Later than any moment that will come.
    pub const FAR: Time = Time(u64::MAX);

    /// The moment `ns` nanoseconds after the start.
    pub const fn from_nanos(ns: u64) -> Self {
        Time(ns)
    }
    /// The moment `ms` milliseconds after the start.
    pub const fn from_millis(ms: u64) -> Self {
        Time(ms.saturating_mul(1_000_000))
    }
    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Whole milliseconds since the start.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
    /// The first multiple of `grain` that is not before this; the same moment if `grain` is zero.
    #[must_use]
    pub fn rounded_up(self, grain: Duration) -> Time {
        let grain = u64::try_from(grain.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.checked_next_multiple_of(grain).unwrap_or(self.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, d: Duration) -> Time {
        let ns = u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(ns))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, d: Duration) -> Time {
        let ns = u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.saturating_sub(ns))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000_000, (self.0 % 1_000_000_000) / 1_000)
    }
}

/// A date: milliseconds since 1970-01-01T00:00:00Z. Stored and sent in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Wall(pub i64);

/// Turns a [`Time`] into a [`Wall`]. The shell gives one at the start and a new one whenever the
/// wall clock moves against the monotonic clock by 50 ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClock {
    /// The date at [`Time::ZERO`].
    pub at_zero: Wall,
}

impl WallClock {
    /// The date at `t`.
    pub fn at(self, t: Time) -> Wall {
        Wall(self.at_zero.0.saturating_add(i64::try_from(t.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Why an engine wants to be woken; it travels with the deadline so that a wake-up can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct TimerReason(pub &'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_rounded_up_to_a_grain_and_not_beyond_the_end() {
        let grain = Duration::from_millis(250);
        let up = |ms| Time::from_millis(ms).rounded_up(grain);
        assert_eq!([up(0), up(1), up(250), up(251)], [0, 250, 250, 500].map(Time::from_millis));
        assert_eq!(Time::FAR.rounded_up(grain), Time::FAR);
        assert_eq!(Time::from_millis(7).rounded_up(Duration::ZERO), Time::from_millis(7));
    }

    #[test]
    fn time_saturates_at_both_ends() {
        assert_eq!(Time::ZERO - Duration::from_secs(1), Time::ZERO);
        assert_eq!(Time::FAR + Duration::from_secs(1), Time::FAR);
        assert_eq!(Time::ZERO.since(Time::from_millis(5)), Duration::ZERO);
        assert_eq!(Time::from_millis(1500).since(Time::from_millis(500)), Duration::from_secs(1));
    }

    #[test]
    fn wall_follows_the_offset_it_was_given() {
        let clock = WallClock { at_zero: Wall(1_000) };
        assert_eq!(clock.at(Time::from_millis(250)), Wall(1_250));
    }
}
