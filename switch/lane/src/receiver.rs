//! The consumer's side.

use std::fmt;
use std::sync::Arc;

use crate::protocol::Shared;
use crate::stats::LaneStats;
use crate::wake::{Wake, WakerAlreadySet};

/// What the consumer is to do next, from [`Receiver::prepare_sleep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "sleeping on a lane that is ready loses time, on one that is finished it never ends"]
pub enum Sleep {
    /// Something waits: pop it, do not sleep.
    Ready,
    /// Nothing waits: sleep. The waker is called when that changes.
    Armed,
    /// Closed, drained, and no permit is out: nothing will come any more.
    Finished,
}

/// The one consumer of a lane. Dropping it closes the lane.
///
/// A consumer of several lanes pops each until it is empty, then calls [`Receiver::prepare_sleep`] on
/// all of them, and sleeps only if none says [`Sleep::Ready`]:
///
/// ```
/// # use cordboard_lane::{Sleep, lane};
/// let (sender, mut lane) = lane::<u8>("example", 4);
/// let consumer = std::thread::current();
/// lane.set_waker(move || consumer.unpark()).expect("no waker is set yet");
/// let producer = std::thread::spawn(move || sender.try_send(7));
/// let mut got = Vec::new();
/// loop {
///     while let Some(item) = lane.pop() {
///         got.push(item);
///     }
///     match lane.prepare_sleep() {
///         Sleep::Ready => {}
///         Sleep::Armed => std::thread::park(),
///         Sleep::Finished => break,
///     }
/// }
/// assert_eq!(got, [7]);
/// # producer.join().expect("joined").expect("sent");
/// ```
pub struct Receiver<T: Send> {
    shared: Arc<Shared<T>>,
    /// We announced a sleep and have not withdrawn it; known only to us, so that `pop` pays a read of
    /// its own memory and not of the producers'.
    announced: bool,
}

impl<T: Send> Receiver<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared, announced: false }
    }

    /// The oldest item, or `None` when nothing waits now. Also says that the consumer is awake, so
    /// that no producer calls the waker until the next [`Receiver::prepare_sleep`].
    pub fn pop(&mut self) -> Option<T> {
        self.withdraw();
        self.shared.pop()
    }

    /// Announces that the consumer goes to sleep, then looks once more.
    pub fn prepare_sleep(&mut self) -> Sleep {
        self.shared.announce_sleep();
        self.announced = true;
        // First whether the lane is finished: only then nothing can come between the two looks.
        let state = if self.shared.is_finished() {
            Sleep::Finished
        } else if self.shared.is_empty() {
            return Sleep::Armed;
        } else {
            Sleep::Ready
        };
        self.withdraw();
        state
    }

    /// Sets what wakes the consumer. A lane without a waker is one that is polled.
    ///
    /// # Errors
    /// [`WakerAlreadySet`] the second time: producers read it without a lock.
    pub fn set_waker(&mut self, waker: impl Wake + 'static) -> Result<(), WakerAlreadySet> {
        self.withdraw();
        self.shared.set_waker(Box::new(waker)).map_err(|_| WakerAlreadySet)
    }

    /// Closes the lane: producers get no more permits. What was sent can still be popped; go on until
    /// [`Sleep::Finished`].
    pub fn close(&self) {
        self.shared.close();
    }

    /// Whether either side closed the lane. Items may still wait and permits may still be out.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Closed, drained, and no permit is out: nothing will come any more.
    pub fn is_finished(&self) -> bool {
        self.shared.is_finished()
    }

    /// The lane's name.
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// The lane's counters.
    pub fn stats(&self) -> LaneStats {
        self.shared.stats()
    }

    fn withdraw(&mut self) {
        if self.announced {
            self.announced = false;
            self.shared.withdraw_sleep();
        }
    }
}

impl<T: Send> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Nobody sleeps any more: a producer's close or send must not call the waker of a thread
        // that has moved on.
        self.withdraw();
        self.shared.close();
    }
}

impl<T: Send> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("stats", &self.stats()).finish()
    }
}
