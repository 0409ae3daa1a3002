//! The counters of a lane, as metrics and alarms read them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A reading of a lane's counters. Each value is right for some moment near the call; they are not
/// read as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneStats {
    /// The lane's name.
    pub name: &'static str,
    /// Slots in all.
    pub capacity: usize,
    /// Slots taken now: permits held and items waiting.
    pub depth: usize,
    /// The most slots ever taken at one time.
    pub depth_high_water: usize,
    /// Items sent since the lane was made.
    pub sent: u64,
    /// Times a slot was refused because the lane was full.
    pub refused_full: u64,
    /// Times a slot was refused because the lane was closed.
    pub refused_closed: u64,
    /// Times the consumer was woken from a sleep it had announced.
    pub woken: u64,
    /// Whether the lane is closed.
    pub closed: bool,
}

impl LaneStats {
    /// Refusals of both kinds.
    pub fn refused(&self) -> u64 {
        self.refused_full.saturating_add(self.refused_closed)
    }
}

/// The counters themselves. Always the standard library's atomics: they order nothing, so loom has
/// nothing to explore in them.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) sent: AtomicU64,
    pub(crate) refused_full: AtomicU64,
    pub(crate) refused_closed: AtomicU64,
    pub(crate) woken: AtomicU64,
    pub(crate) high_water: AtomicUsize,
}

impl Counters {
    pub(crate) fn bump(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Raises the mark if `depth` is above it. The common case is one read.
    pub(crate) fn reached(&self, depth: usize) {
        if depth > self.high_water.load(Ordering::Relaxed) {
            self.high_water.fetch_max(depth, Ordering::Relaxed);
        }
    }
}
