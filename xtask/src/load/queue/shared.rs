//! What the two sides and the driver tell each other while a run goes on.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What is being measured, by which each figure is filed.
pub(super) const IDLE: u8 = 0;
pub(super) const BEFORE: u8 = 1;
pub(super) const LOCKED: u8 = 2;
pub(super) const AFTER: u8 = 3;
pub(super) const BURST: u8 = 4;
/// A burst with the store stopped.
pub(super) const BURST_LOCKED: u8 = 5;

/// Callers' numbers begin with this one, so that a number says which call it is.
const FIRST: u32 = 5_000_000;

/// Shared by the threads of a run.
pub(in crate::load) struct Shared {
    start: Instant,
    /// When the INVITE of each call was sent, nanoseconds from the start.
    invited: Vec<AtomicU64>,
    /// How long an agent talks, milliseconds; with 0 all hang up at once.
    pub(super) talk_ms: AtomicU64,
    /// Whether a caller who was served is followed by another.
    pub(super) refill: AtomicBool,
    /// New calls that are wanted, in all, and how many a second.
    pub(in crate::load) wanted: AtomicU32,
    pub(in crate::load) rate: AtomicU32,
    pub(super) phase: AtomicU8,
    pub(in crate::load) over: AtomicBool,
    /// Calls that wait or were answered, that were over, that went wrong; requests that were sent again.
    pub(super) answered: AtomicU32,
    pub(in crate::load) ended: AtomicU32,
    pub(in crate::load) failed: AtomicU32,
    pub(super) resent: AtomicU32,
    /// Agents' phones that are registered, calls that came to them, and those of a burst.
    pub(in crate::load) registered: AtomicU32,
    pub(super) offered: AtomicU32,
    pub(super) burst: AtomicU32,
    /// What is taken down of each agent, for who looks at that; and where one who talks was looked for last.
    desks: Vec<Desk>,
    looked: AtomicUsize,
}

/// When an agent hung up and when he was told to leave, nanoseconds from the start, until somebody has taken it up; and
/// whether he talks.
#[derive(Default)]
struct Desk {
    left: AtomicU64,
    ordered: AtomicU64,
    talks: AtomicBool,
}

impl Shared {
    /// For so many calls.
    pub(in crate::load) fn of(calls: u32, talk: Duration) -> Self {
        Self {
            start: Instant::now(),
            invited: (0..calls).map(|_| AtomicU64::new(0)).collect(),
            talk_ms: AtomicU64::new(u64::try_from(talk.as_millis()).unwrap_or(u64::MAX)),
            refill: AtomicBool::new(false),
            wanted: AtomicU32::new(0),
            rate: AtomicU32::new(1),
            phase: AtomicU8::new(IDLE),
            over: AtomicBool::new(false),
            answered: AtomicU32::new(0),
            ended: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            resent: AtomicU32::new(0),
            registered: AtomicU32::new(0),
            offered: AtomicU32::new(0),
            burst: AtomicU32::new(0),
            desks: Vec::new(),
            looked: AtomicUsize::new(0),
        }
    }

    /// With what is taken down of so many agents.
    pub(in crate::load) fn with_agents(mut self, agents: u32) -> Self {
        self.desks = (0..agents).map(|_| Desk::default()).collect();
        self
    }

    /// The talk of an agent begins.
    pub(super) fn begins(&self, agent: usize) {
        if let Some(desk) = self.desks.get(agent) {
            desk.talks.store(true, Relaxed);
        }
    }

    /// An agent is about to hang up.
    pub(super) fn leaves(&self, agent: usize) {
        if let Some(desk) = self.desks.get(agent) {
            desk.talks.store(false, Relaxed);
            desk.left.store(self.now(), Relaxed);
        }
    }

    /// When he hung up, once.
    pub(in crate::load) fn left(&self, agent: usize) -> Option<u64> {
        self.desks.get(agent).map(|desk| desk.left.swap(0, Relaxed)).filter(|at| *at > 0)
    }

    /// An agent who talks, once for each talk.
    pub(in crate::load) fn talks(&self) -> Option<usize> {
        let first = self.looked.load(Relaxed);
        let mut order = (0..self.desks.len()).map(|n| (first + n) % self.desks.len());
        let talks =
            |agent: &usize| self.desks.get(*agent).is_some_and(|desk| desk.talks.swap(false, Relaxed));
        let found = order.find(talks)?;
        self.looked.store(found + 1, Relaxed);
        Some(found)
    }

    /// An agent is about to be told to leave.
    pub(in crate::load) fn orders(&self, agent: usize) {
        if let Some(desk) = self.desks.get(agent) {
            desk.ordered.store(self.now(), Relaxed);
        }
    }

    /// When he was told, once.
    pub(super) fn ordered(&self, agent: usize) -> Option<u64> {
        self.desks.get(agent).map(|desk| desk.ordered.swap(0, Relaxed)).filter(|at| *at > 0)
    }

    /// Calls that there is room for.
    pub(super) fn room(&self) -> u32 {
        u32::try_from(self.invited.len()).unwrap_or(u32::MAX)
    }

    pub(in crate::load) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The number that a call shows.
    pub(super) fn number(call: u32) -> u32 {
        FIRST + call
    }

    /// A call is about to be sent.
    pub(super) fn invites(&self, call: u32) {
        if let Some(at) = self.invited.get(call as usize) {
            at.store(self.now(), Relaxed);
        }
    }

    /// When the call that shows this number was sent.
    pub(super) fn invited(&self, number: &str) -> Option<u64> {
        let call = number.parse::<u32>().ok()?.checked_sub(FIRST)?;
        self.invited.get(call as usize).map(|at| at.load(Relaxed)).filter(|at| *at > 0)
    }

    pub(super) fn phase(&self) -> u8 {
        self.phase.load(Relaxed)
    }

    pub(in crate::load) fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }
}

/// Adds one, and says what it was before.
pub(super) fn count(counter: &AtomicU32) -> u32 {
    counter.fetch_add(1, Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_who_talks_is_told_once_and_each_moment_is_taken_up_once() {
        let shared = Shared::of(0, Duration::ZERO).with_agents(3);
        assert_eq!((shared.talks(), shared.left(1), shared.ordered(1)), (None, None, None));
        shared.begins(2);
        shared.begins(0);
        assert_eq!((shared.talks(), shared.talks(), shared.talks()), (Some(0), Some(2), None));
        shared.begins(1);
        shared.leaves(1);
        shared.orders(1);
        assert_eq!(shared.talks(), None, "he has hung up");
        assert!(shared.left(1).is_some() && shared.left(1).is_none());
        assert!(shared.ordered(1).is_some() && shared.ordered(1).is_none());
    }

    #[test]
    fn a_call_is_known_by_the_number_that_it_shows() {
        let shared = Shared::of(10, Duration::ZERO);
        assert_eq!(shared.invited("5000003"), None, "it was not sent yet");
        shared.invites(3);
        assert!(shared.invited("5000003").is_some());
        assert_eq!(Shared::number(3), 5_000_003);
        assert_eq!(
            (shared.invited("5000010"), shared.invited("42"), shared.invited("x")),
            (None, None, None)
        );
    }
}
