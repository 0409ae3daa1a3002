//! How a sleeping consumer is woken; the shell brings the means (an eventfd, a poller's waker).

use std::error::Error;
use std::fmt;

/// Wakes the thread that consumes a lane.
///
/// Called by a producer, at most once for each sleep the consumer announced. The call must not block
/// and must be remembered when it comes between the announcement and the sleep itself, as an eventfd,
/// a poller's waker and `Thread::unpark` all do. One object may serve several lanes of a thread.
pub trait Wake: Send + Sync {
    /// Makes the consumer's sleep end, now or as soon as it begins.
    fn wake(&self);
}

impl<F: Fn() + Send + Sync> Wake for F {
    fn wake(&self) {
        self();
    }
}

/// A lane's waker is set once, before its consumer first sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WakerAlreadySet;

impl fmt::Display for WakerAlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lane already has a waker")
    }
}

impl Error for WakerAlreadySet {}
