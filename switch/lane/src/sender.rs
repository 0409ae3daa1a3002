//! The producers' side.

use std::fmt;
use std::sync::Arc;

use crate::permit::{OwnedPermit, Permit};
use crate::protocol::Shared;
use crate::refusal::{Refusal, Refused};
use crate::stats::LaneStats;

/// One producer of a lane. Clone it for each further producer; when the last is dropped the lane
/// closes.
pub struct Sender<T: Send> {
    shared: Arc<Shared<T>>,
}

impl<T: Send> Sender<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared }
    }

    /// Takes a slot for an item that is yet to be made.
    ///
    /// # Errors
    /// [`Refusal::Full`] when every slot is taken, [`Refusal::Closed`] when the lane is closed.
    pub fn reserve(&self) -> Result<Permit<'_, T>, Refusal> {
        self.shared.take_slot()?;
        Ok(Permit::new(&self.shared))
    }

    /// Like [`Sender::reserve`], with a permit that can be kept in a call's record.
    ///
    /// # Errors
    /// As [`Sender::reserve`].
    pub fn reserve_owned(&self) -> Result<OwnedPermit<T>, Refusal> {
        self.shared.take_slot()?;
        Ok(OwnedPermit::new(Arc::clone(&self.shared)))
    }

    /// Sends an item that is at hand already.
    ///
    /// # Errors
    /// Gives the item back with the reason, when the lane is full or closed.
    pub fn try_send(&self, item: T) -> Result<(), Refused<T>> {
        match self.shared.take_slot() {
            Ok(()) => {
                self.shared.fill_slot(item);
                Ok(())
            }
            Err(why) => Err(Refused { item, why }),
        }
    }

    /// Like [`Sender::try_send`], without waking the consumer: [`Sender::flush`] must follow before this producer waits
    /// for anything. A producer that sends many items in a row so pays for one wake-up and not for one each, which
    /// costs a system call and, where both threads share a core, a change of threads.
    ///
    /// # Errors
    /// As [`Sender::try_send`].
    pub fn try_send_quietly(&self, item: T) -> Result<(), Refused<T>> {
        match self.shared.take_slot() {
            Ok(()) => {
                self.shared.fill_quietly(item);
                Ok(())
            }
            Err(why) => Err(Refused { item, why }),
        }
    }

    /// Wakes the consumer if it sleeps. Costs a fence and a read if it does not.
    pub fn flush(&self) {
        self.shared.flush();
    }

    /// Closes the lane for every producer. What was sent is drained; permits taken before may still
    /// send. Closing twice is closing once.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Whether either side closed the lane.
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// The lane's name.
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// The lane's counters.
    pub fn stats(&self) -> LaneStats {
        self.shared.stats()
    }
}

impl<T: Send> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.add_sender();
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T: Send> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.remove_sender();
    }
}

impl<T: Send> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("stats", &self.stats()).finish()
    }
}
