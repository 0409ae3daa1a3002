//! A panic in an engine is caught, counted and logged; the thread goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Panics caught since the start.
static CAUGHT: AtomicU64 = AtomicU64::new(0);

/// Runs `work`; `None` if it panicked. The caller decides what of its state it still trusts.
pub fn guarded<T>(what: &'static str, work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(_) => {
            CAUGHT.fetch_add(1, Relaxed);
            tracing::error!(what, "a panic was caught; see the message before this");
            None
        }
    }
}

/// Panics caught since the start.
pub fn caught() -> u64 {
    CAUGHT.load(Relaxed)
}
