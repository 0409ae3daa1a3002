//! The right to one slot, taken before the work that will fill it begins.

use std::fmt;
use std::mem;
use std::sync::Arc;

use crate::protocol::Shared;

/// A slot of a lane, held while the item for it is being made. Dropping it frees the slot.
#[must_use = "a permit that is dropped gives its slot back"]
pub struct Permit<'a, T: Send> {
    shared: &'a Shared<T>,
}

impl<'a, T: Send> Permit<'a, T> {
    pub(crate) fn new(shared: &'a Shared<T>) -> Self {
        Self { shared }
    }

    /// Sends the item. Cannot fail, also not on a lane closed since. If the consumer itself is gone,
    /// the item stays in the ring and is dropped with the lane.
    pub fn send(self, item: T) {
        let shared = self.shared;
        // The slot now belongs to the item; the permit must not give it back.
        mem::forget(self);
        shared.fill_slot(item);
    }

    /// Like [`Permit::send`], without waking the consumer: [`Sender::flush`](crate::Sender::flush) must follow.
    pub fn send_quietly(self, item: T) {
        let shared = self.shared;
        mem::forget(self);
        shared.fill_quietly(item);
    }
}

impl<T: Send> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.shared.give_back();
    }
}

impl<T: Send> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("lane", &self.shared.name).finish()
    }
}

/// A [`Permit`] that borrows nothing, to be kept for as long as a call lasts. It outlives every
/// [`Sender`](crate::Sender): the consumer is not told that the lane is finished while one is held.
#[must_use = "a permit that is dropped gives its slot back"]
pub struct OwnedPermit<T: Send> {
    /// `None` only after `send`, when the slot belongs to the item.
    shared: Option<Arc<Shared<T>>>,
}

impl<T: Send> OwnedPermit<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared: Some(shared) }
    }

    /// Sends the item. Cannot fail, also not on a lane closed since. If the consumer itself is gone,
    /// the item stays in the ring and is dropped with the lane.
    pub fn send(mut self, item: T) {
        if let Some(shared) = self.shared.take() {
            shared.fill_slot(item);
        }
    }
}

impl<T: Send> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.give_back();
        }
    }
}

impl<T: Send> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lane = self.shared.as_ref().map(|shared| shared.name);
        f.debug_struct("OwnedPermit").field("lane", &lane).finish()
    }
}
