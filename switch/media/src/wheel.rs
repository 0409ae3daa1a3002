//! A timing wheel: a deadline for each of many keys, the next one known at once.
//!
//! Invariant: a key has at most one deadline. A slot is a moment `n * width` after the start of the
//! switch, so a key that is scheduled again at `slot + period` never drifts. Nothing is allocated
//! after [`Wheel::reserve`].

use cordboard_model::time::{Duration, Time};

const SLOTS: u64 = 64;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
    /// The slot it is wanted at; beyond the wheel's reach it is parked at the far end on the way.
    due: u64,
    /// The list it is in, or none.
    list: Option<u8>,
}

/// Deadlines by key, in slots of equal width.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    width_ns: u64,
    /// Every slot up to this one is empty.
    done: u64,
    heads: [u32; SLOTS as usize],
    occupied: u64,
    links: Vec<Link>,
}

impl Wheel {
    pub(crate) fn new(width: Duration) -> Self {
        Self {
            width_ns: u64::try_from(width.as_nanos()).unwrap_or(u64::MAX).max(1),
            done: 0,
            heads: [NONE; SLOTS as usize],
            occupied: 0,
            links: Vec::new(),
        }
    }

    /// With room for so many keys: until there are more, nothing is allocated.
    pub(crate) fn with_room(width: Duration, keys: usize) -> Self {
        Self { links: Vec::with_capacity(keys), ..Self::new(width) }
    }

    /// Makes room for keys below `keys`.
    pub(crate) fn reserve(&mut self, keys: usize) {
        let empty = Link { before: NONE, after: NONE, due: 0, list: None };
        if self.links.len() < keys {
            self.links.resize(keys, empty);
        }
    }

    /// The slot that `at` falls into.
    pub(crate) fn slot_at(&self, at: Time) -> u64 {
        at.as_nanos() / self.width_ns
    }

    /// The first slot that begins at or after `at`.
    pub(crate) fn slot_from(&self, at: Time) -> u64 {
        at.as_nanos().div_ceil(self.width_ns)
    }

    /// When a slot begins.
    pub(crate) fn time_of(&self, slot: u64) -> Time {
        Time::from_nanos(slot.saturating_mul(self.width_ns))
    }

    /// Sets the deadline of `key`, replacing the one it had; not before the next slot.
    pub(crate) fn schedule(&mut self, key: u32, slot: u64, now: Time) {
        self.cancel(key);
        if self.occupied == 0 {
            // An idle wheel begins again from now; a late one must not lose the slots in between.
            let empty = self.slot_at(now).min(slot.saturating_sub(1));
            self.done = self.done.max(empty);
        }
        self.park(key, slot.max(self.done + 1));
    }

    fn park(&mut self, key: u32, due: u64) {
        let place = due.clamp(self.done + 1, self.done + SLOTS - 1) % SLOTS;
        let list = place as u8;
        let head = self.heads[usize::from(list)];
        let Some(link) = self.links.get_mut(key as usize) else {
            return;
        };
        *link = Link { before: NONE, after: head, due, list: Some(list) };
        if let Some(next) = self.links.get_mut(head as usize) {
            next.before = key;
        }
        self.heads[usize::from(list)] = key;
        self.occupied |= 1 << list;
    }

    /// Takes the deadline of `key` away, if it has one.
    pub(crate) fn cancel(&mut self, key: u32) {
        let Some(link) = self.links.get_mut(key as usize) else {
            return;
        };
        let Some(list) = link.list.take() else {
            return;
        };
        let (before, after) = (link.before, link.after);
        if let Some(next) = self.links.get_mut(after as usize) {
            next.before = before;
        }
        match self.links.get_mut(before as usize) {
            Some(previous) => previous.after = after,
            None => self.heads[usize::from(list)] = after,
        }
        if self.heads[usize::from(list)] == NONE {
            self.occupied &= !(1 << list);
        }
    }

    /// Whether `key` has a deadline.
    pub(crate) fn has(&self, key: u32) -> bool {
        self.links.get(key as usize).is_some_and(|link| link.list.is_some())
    }

    fn next_slot(&self) -> Option<u64> {
        if self.occupied == 0 {
            return None;
        }
        let first = self.done + 1;
        let ahead = self.occupied.rotate_right((first % SLOTS) as u32).trailing_zeros();
        Some(first + u64::from(ahead))
    }

    /// When the wheel wants to be looked at next.
    pub(crate) fn next(&self) -> Option<Time> {
        self.next_slot().map(|slot| self.time_of(slot))
    }

    /// Takes one key that is due at `now`, with the slot it was due at, earliest first.
    pub(crate) fn pop(&mut self, now: Time) -> Option<(u32, u64)> {
        let reached = self.slot_at(now);
        while let Some(slot) = self.next_slot().filter(|slot| *slot <= reached) {
            self.done = slot - 1;
            let key = self.heads[(slot % SLOTS) as usize];
            let due = self.links.get(key as usize).map_or(0, |link| link.due);
            self.cancel(key);
            if due > slot {
                self.park(key, due);
            } else {
                return Some((key, slot));
            }
        }
        // Up to the slot before the next occupied one, everything is empty.
        self.done = self.done.max(reached);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wheel() -> Wheel {
        let mut wheel = Wheel::new(Duration::from_millis(1));
        wheel.reserve(8);
        wheel
    }

    fn ms(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn keys_come_out_at_their_slot_and_earliest_first() {
        let mut w = wheel();
        w.schedule(1, 20, ms(0));
        w.schedule(2, 5, ms(0));
        assert_eq!(w.next(), Some(ms(5)));
        assert_eq!(w.pop(ms(4)), None);
        assert_eq!(w.pop(ms(30)), Some((2, 5)));
        assert_eq!(w.pop(ms(30)), Some((1, 20)));
        assert_eq!(w.pop(ms(30)), None);
        assert_eq!(w.next(), None);
    }

    #[test]
    fn a_period_never_drifts_however_late_the_wake_up() {
        let mut w = wheel();
        w.schedule(0, 3, ms(0));
        let mut seen = Vec::new();
        for now in [3, 31, 90, 91, 200] {
            while let Some((key, slot)) = w.pop(ms(now)) {
                seen.push(slot);
                w.schedule(key, slot + 20, ms(now));
            }
        }
        assert_eq!(seen, [3, 23, 43, 63, 83, 103, 123, 143, 163, 183]);
    }

    #[test]
    fn a_deadline_beyond_the_wheel_is_kept_on_time() {
        let mut w = wheel();
        w.schedule(4, 1_000, ms(0));
        let mut now = 0;
        while now < 999 {
            now = w.next().unwrap().as_millis().min(999);
            assert_eq!(w.pop(ms(now)), None, "at {now}");
        }
        assert_eq!(w.pop(ms(1_000)), Some((4, 1_000)));
    }

    #[test]
    fn cancel_and_replace_leave_one_deadline_at_most() {
        let mut w = wheel();
        for key in 0..4 {
            w.schedule(key, 10, ms(0));
        }
        w.cancel(2);
        w.schedule(1, 11, ms(0));
        let mut seen = Vec::new();
        while let Some(popped) = w.pop(ms(50)) {
            seen.push(popped);
        }
        assert_eq!(seen, [(3, 10), (0, 10), (1, 11)]);
        assert!(!w.has(3));
    }

    #[test]
    fn an_empty_wheel_that_slept_for_long_starts_from_now() {
        let mut w = wheel();
        w.schedule(0, 5_000, ms(4_990));
        assert_eq!(w.next(), Some(ms(5_000)));
        w.schedule(1, 1, ms(4_995));
        assert_eq!(w.next(), Some(ms(4_991)), "the past is the next slot");
    }
}
