//! Tests of the engine as a whole, and the bench they run on.

pub(crate) mod bench;
mod check;
mod day;
mod interleavings;
mod model;
mod reference;
mod reference_reason;
mod rules;
mod rules_absent;
mod rules_agents;
mod rules_chats;
mod rules_device;
mod rules_operating;
mod rules_ring_all;
mod rules_service;
mod table;

use cordboard_model::time::Duration;

/// How long this thread has worked: others on the same machine do not count.
pub(crate) struct Clock(u64);

impl Clock {
    /// Nanoseconds on a processor so far, as Linux tells them.
    fn now() -> u64 {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        told.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn begin() -> Self {
        Self(Self::now())
    }

    pub(crate) fn is_under_a_minute(&self) {
        let worked = Duration::from_nanos(Self::now() - self.0);
        assert!(worked < Duration::from_secs(60), "it took {worked:?}");
    }
}
