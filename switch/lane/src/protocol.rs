//! The part both sides share: the word of slots, the consumer's announcement of sleep, the close.

use std::sync::OnceLock;

use crate::refusal::Refusal;
use crate::ring::{LaneRing, Ring};
use crate::stats::{Counters, LaneStats};
use crate::sync::{Apart, AtomicBool, AtomicUsize, Ordering, fence};
use crate::wake::Wake;

/// Lowest bit of the word of slots: no new permit from now on.
const CLOSED: usize = 1;
/// One slot in the word of slots.
const SLOT: usize = 2;
/// Above any real capacity, below what could overflow the word on a 32-bit machine.
const MOST_SLOTS: usize = 1 << (usize::BITS / 2 - 1);

pub(crate) struct Shared<T> {
    pub(crate) name: &'static str,
    capacity: usize,
    ring: LaneRing<T>,
    /// Slots that are not free, times `SLOT`, plus `CLOSED`.
    ///
    /// The two live in one word because "closed, and nothing more can come" has to be decided at one
    /// moment: with a flag of its own a producer could pass the flag, be overtaken by the close and by
    /// the consumer's last look, and then send into a lane that nobody drains.
    slots: Apart<AtomicUsize>,
    /// The consumer announced that it goes to sleep and nobody has woken it since.
    sleeping: Apart<AtomicBool>,
    senders: AtomicUsize,
    waker: OnceLock<Box<dyn Wake>>,
    counters: Apart<Counters>,
}

impl<T> Shared<T> {
    pub(crate) fn new(name: &'static str, capacity: usize) -> Self {
        let capacity = capacity.clamp(1, MOST_SLOTS);
        Self {
            name,
            capacity,
            ring: LaneRing::with_capacity(capacity),
            slots: Apart(AtomicUsize::new(0)),
            sleeping: Apart(AtomicBool::new(false)),
            senders: AtomicUsize::new(1),
            waker: OnceLock::new(),
            counters: Apart(Counters::default()),
        }
    }

    /// Takes a slot. The Acquire pairs with the Release in `give_back`: whoever gets a slot that the
    /// consumer freed also sees the cell of the ring as free, so the later push finds room.
    pub(crate) fn take_slot(&self) -> Result<(), Refusal> {
        let mut slots = self.slots.0.load(Ordering::Relaxed);
        loop {
            if slots & CLOSED != 0 {
                Counters::bump(&self.counters.0.refused_closed);
                return Err(Refusal::Closed);
            }
            if slots / SLOT >= self.capacity {
                Counters::bump(&self.counters.0.refused_full);
                return Err(Refusal::Full);
            }
            match self.slots.0.compare_exchange_weak(slots, slots + SLOT, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => {
                    self.counters.0.reached(slots / SLOT + 1);
                    return Ok(());
                }
                Err(now) => slots = now,
            }
        }
    }

    /// Fills a slot that the caller holds, and says so.
    pub(crate) fn fill_slot(&self, item: T) {
        self.fill_quietly(item);
        self.wake_if_sleeping();
    }

    /// Fills a slot that the caller holds. A consumer that sleeps sleeps on, until [`Shared::flush`].
    pub(crate) fn fill_quietly(&self, item: T) {
        let mut item = item;
        // Room is certain: no more items are in the ring than slots are taken, and ours is one of
        // them without an item yet. The loop is there so that nothing is lost were that ever wrong.
        while let Err(back) = self.ring.put(item) {
            item = back;
            std::hint::spin_loop();
        }
        Counters::bump(&self.counters.0.sent);
    }

    /// Tells the consumer of what was sent quietly. What is no longer there has been taken, and nobody is woken for
    /// it: a thread that flushes all its lanes after each turn must not wake those it had nothing for.
    pub(crate) fn flush(&self) {
        if !self.is_empty() {
            self.wake_if_sleeping();
        }
    }

    /// Frees a slot whose permit was dropped. On a closed lane this may have been the last thing the
    /// consumer waited for.
    pub(crate) fn give_back(&self) {
        let before = self.slots.0.fetch_sub(SLOT, Ordering::AcqRel);
        if before == SLOT | CLOSED {
            self.wake_if_sleeping();
        }
    }

    /// Takes the oldest item and frees its slot.
    pub(crate) fn pop(&self) -> Option<T> {
        let item = self.ring.take()?;
        self.slots.0.fetch_sub(SLOT, Ordering::AcqRel);
        Some(item)
    }

    /// Closes the lane for new permits. Wakes the consumer, for whom a close is news.
    pub(crate) fn close(&self) {
        let before = self.slots.0.fetch_or(CLOSED, Ordering::AcqRel);
        if before & CLOSED == 0 {
            self.wake_if_sleeping();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.slots.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Closed, nothing waiting and no permit out: nothing can come any more.
    pub(crate) fn is_finished(&self) -> bool {
        self.slots.0.load(Ordering::Acquire) == CLOSED
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ring.is_vacant()
    }

    /// The producers' half of the wake-up. Each side writes its own word, then fences, then reads the
    /// other's: in whatever order they run, at least one sees the other, so either the consumer finds
    /// the item or we find the consumer asleep. Of several producers the exchange lets one do the
    /// call. A swap would do as well, but loom orders stores only in part and takes a loser's write
    /// for one that may undo a sleep announced later.
    fn wake_if_sleeping(&self) {
        fence(Ordering::SeqCst);
        let sleeping = &self.sleeping.0;
        if sleeping.load(Ordering::Relaxed)
            && sleeping.compare_exchange(true, false, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            Counters::bump(&self.counters.0.woken);
            if let Some(waker) = self.waker.get() {
                waker.wake();
            }
        }
    }

    /// The consumer's half: after this call, look again before sleeping.
    pub(crate) fn announce_sleep(&self) {
        self.sleeping.0.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(crate) fn withdraw_sleep(&self) {
        self.sleeping.0.store(false, Ordering::Relaxed);
    }

    /// Gives the waker back when there is one already.
    pub(crate) fn set_waker(&self, waker: Box<dyn Wake>) -> Result<(), Box<dyn Wake>> {
        self.waker.set(waker)
    }

    pub(crate) fn add_sender(&self) {
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    /// The last producer's leaving closes the lane: nobody could ask for a permit any more.
    pub(crate) fn remove_sender(&self) {
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }

    pub(crate) fn stats(&self) -> LaneStats {
        let slots = self.slots.0.load(Ordering::Acquire);
        let counters = &self.counters.0;
        // The counters are the standard library's also under loom, and so is their ordering.
        let relaxed = std::sync::atomic::Ordering::Relaxed;
        LaneStats {
            name: self.name,
            capacity: self.capacity,
            depth: slots / SLOT,
            depth_high_water: counters.high_water.load(relaxed),
            sent: counters.sent.load(relaxed),
            refused_full: counters.refused_full.load(relaxed),
            refused_closed: counters.refused_closed.load(relaxed),
            woken: counters.woken.load(relaxed),
            closed: slots & CLOSED != 0,
        }
    }
}
