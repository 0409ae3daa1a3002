//! The only place that reads a clock: nanoseconds since the start, and the date of the start.

use cordboard_model::time::{Duration, Time, Wall, WallClock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How far the wall clock may move against the monotonic clock before engines are told.
const DRIFT: Duration = Duration::from_millis(50);

/// The clocks of this process. Copied to every thread.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: WallClock,
    number: u32,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let at_zero = wall_now();
        let number = u32::try_from(at_zero.0 / 1_000).unwrap_or(u32::MAX);
        Self { start: Instant::now(), wall: WallClock { at_zero }, number }
    }

    /// The same clock with the number that this start was given.
    pub fn numbered(self, number: u32) -> Self {
        Self { number, ..self }
    }

    /// Time since the start.
    pub fn now(&self) -> Time {
        Time::ZERO + self.start.elapsed()
    }

    /// The moment that time is counted from.
    pub fn epoch(&self) -> Instant {
        self.start
    }

    /// The pair of clocks as read at the start, or as last told.
    pub fn wall(&self) -> WallClock {
        self.wall
    }

    /// Takes over the pair that another copy of this clock has found to have [moved](Self::moved).
    pub fn set_wall(&mut self, wall: WallClock) {
        self.wall = wall;
    }

    /// The UTC second of the start, or more if an earlier start had that number: part of every id.
    pub fn start_secs(&self) -> u32 {
        self.number
    }

    /// A new pair if the wall clock has moved since the last one.
    pub fn moved(&mut self) -> Option<WallClock> {
        let told = self.wall.at(self.now()).0;
        let real = wall_now().0;
        if i128::from(told - real).unsigned_abs() < DRIFT.as_millis() {
            return None;
        }
        self.wall.at_zero.0 += real - told;
        Some(self.wall)
    }
}

/// The date now, milliseconds UTC.
pub fn wall_now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
