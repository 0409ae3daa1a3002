//! The ring that carries the items, behind a private trait so that loom can explore the protocol
//! around it: crossbeam's ring is tested by its own project, ours is the order of calls into it.

/// A bounded first-in first-out ring, usable from several threads at once.
pub(crate) trait Ring<T> {
    fn with_capacity(capacity: usize) -> Self;
    /// Gives the item back when every cell is taken.
    fn put(&self, item: T) -> Result<(), T>;
    fn take(&self) -> Option<T>;
    /// May be out of date as soon as it returns.
    fn is_vacant(&self) -> bool;
}

#[cfg(not(loom))]
pub(crate) type LaneRing<T> = crossbeam_queue::ArrayQueue<T>;

#[cfg(not(loom))]
impl<T> Ring<T> for crossbeam_queue::ArrayQueue<T> {
    fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity)
    }

    fn put(&self, item: T) -> Result<(), T> {
        Self::push(self, item)
    }

    fn take(&self) -> Option<T> {
        Self::pop(self)
    }

    fn is_vacant(&self) -> bool {
        Self::is_empty(self)
    }
}

#[cfg(loom)]
pub(crate) type LaneRing<T> = modelled::ModelRing<T>;

#[cfg(loom)]
mod modelled {
    use super::Ring;
    use loom::sync::Mutex;
    use loom::sync::atomic::{AtomicUsize, Ordering};
    use std::collections::VecDeque;

    /// Items under a mutex, and beside it the two positions as plain atomics.
    ///
    /// `is_empty` reads the positions without the mutex, as crossbeam's does: were it to take the
    /// mutex, the mutex would order a push against the consumer's going to sleep, and loom could not
    /// see what happens when the protocol forgets to.
    pub(crate) struct ModelRing<T> {
        items: Mutex<VecDeque<T>>,
        capacity: usize,
        pushed: AtomicUsize,
        popped: AtomicUsize,
    }

    impl<T> Ring<T> for ModelRing<T> {
        fn with_capacity(capacity: usize) -> Self {
            Self {
                items: Mutex::new(VecDeque::with_capacity(capacity)),
                capacity,
                pushed: AtomicUsize::new(0),
                popped: AtomicUsize::new(0),
            }
        }

        fn put(&self, item: T) -> Result<(), T> {
            let Ok(mut items) = self.items.lock() else {
                return Err(item);
            };
            assert!(items.len() < self.capacity, "the holder of a slot found no room");
            items.push_back(item);
            self.pushed.fetch_add(1, Ordering::Release);
            Ok(())
        }

        fn take(&self) -> Option<T> {
            let item = self.items.lock().ok()?.pop_front()?;
            self.popped.fetch_add(1, Ordering::Release);
            Some(item)
        }

        fn is_vacant(&self) -> bool {
            let pushed = self.pushed.load(Ordering::Acquire);
            self.popped.load(Ordering::Acquire) == pushed
        }
    }
}
