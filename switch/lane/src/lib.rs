//! Bounded queues between the threads of the switch.
//!
//! **Invariant: a slot belongs to exactly one holder at a time: it is free, or held by a permit, or
//! filled by an item that waits.** One atomic word counts the slots that are not free and says
//! whether the lane is closed, so that three promises hold together:
//!
//! 1. *Reserve.* A [`Permit`] is taken before the work begins. A lane without a free slot refuses at
//!    that moment, with a typed reason; sending with a permit cannot fail afterwards. A permit that is
//!    dropped gives its slot back.
//! 2. *Wake.* The consumer says that it is going to sleep with [`Receiver::prepare_sleep`]. A producer
//!    calls the [`Wake`] object only after that, and only once for each sleep: no wake-up is lost and
//!    none is spent on a consumer that is awake. A producer that has many items sends them quietly and
//!    flushes once: the wake-up is then the flush's.
//! 3. *Close.* Either side may close. From then on nobody gets a new permit, what was sent is still
//!    drained, and a permit taken before the close may still send. The consumer is told
//!    [`Sleep::Finished`] when the last of these is gone, and not before: a call that reserved the
//!    slot of its closing record gets that record written even when the switch is going down.
//!
//! The ring is allocated when the lane is made and nothing is allocated after. Nothing here takes a
//! lock. One caveat comes with crossbeam's ring: a producer that is descheduled between claiming its
//! cell and filling it makes the consumer spin in [`Receiver::pop`] until it runs again.
//!
//! Deliberately absent: a blocking send, waking a producer when a slot becomes free (a full lane is
//! refused, never waited for), several consumers, and a lane without a bound.
//!
//! The protocol of these three promises is explored by loom, with the ring replaced by a modelled
//! one: `cargo xtask loom`.
//!
//! ```
//! use cordboard_lane::{Sleep, lane};
//!
//! let (to_writer, mut from_shard) = lane::<&str>("cdr", 2);
//! let closing = to_writer.reserve_owned().expect("an empty lane has a slot");
//! to_writer.try_send("opening record").expect("the second slot");
//! assert!(to_writer.reserve().is_err(), "both slots are taken");
//!
//! closing.send("closing record");
//! assert_eq!(from_shard.pop(), Some("opening record"));
//! assert_eq!(from_shard.pop(), Some("closing record"));
//! assert_eq!(from_shard.prepare_sleep(), Sleep::Armed);
//! ```

mod permit;
mod protocol;
mod receiver;
mod refusal;
mod ring;
mod sender;
mod stats;
mod sync;
mod wake;

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;

use std::sync::Arc;

use protocol::Shared;

pub use permit::{OwnedPermit, Permit};
pub use receiver::{Receiver, Sleep};
pub use refusal::{Refusal, Refused};
pub use sender::Sender;
pub use stats::LaneStats;
pub use wake::{Wake, WakerAlreadySet};

/// Makes a lane of `capacity` slots. `name` stands in counters and alarms.
///
/// All memory is allocated here. A capacity of 0 is taken as 1: a lane that can carry nothing has no
/// use, and a limit read from a configuration must not stop the switch. The capacity is also capped
/// at 2^31 slots, far above what fits in memory.
pub fn lane<T: Send>(name: &'static str, capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared::new(name, capacity));
    (Sender::new(Arc::clone(&shared)), Receiver::new(shared))
}
