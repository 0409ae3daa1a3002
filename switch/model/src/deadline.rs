//! A sorted list of deadlines, one per key: what every engine answers `poll_timeout` from.

use crate::time::{Time, TimerReason};
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// At most one deadline per key; equal times come out in key order, so that a run repeats exactly.
#[derive(Clone, Debug)]
pub struct Deadlines<K: Ord + Clone> {
    by_time: BTreeSet<(Time, K)>,
    by_key: BTreeMap<K, (Time, TimerReason)>,
}

impl<K: Ord + Clone> Default for Deadlines<K> {
    fn default() -> Self {
        Self { by_time: BTreeSet::new(), by_key: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Deadlines<K> {
    /// Sets the deadline of `key`, replacing the one it had.
    pub fn set(&mut self, key: K, at: Time, reason: TimerReason) {
        if let Some((old, _)) = self.by_key.insert(key.clone(), (at, reason)) {
            self.by_time.remove(&(old, key.clone()));
        }
        self.by_time.insert((at, key));
    }

    /// Removes the deadline of `key`; says whether there was one.
    pub fn clear(&mut self, key: &K) -> bool {
        match self.by_key.remove(key) {
            Some((at, _)) => self.by_time.remove(&(at, key.clone())),
            None => false,
        }
    }

    /// When `key` is due, if it is set.
    pub fn get(&self, key: &K) -> Option<Time> {
        self.by_key.get(key).map(|(at, _)| *at)
    }

    /// The earliest deadline and its reason.
    pub fn next(&self) -> Option<(Time, TimerReason)> {
        let (at, key) = self.by_time.first()?;
        self.by_key.get(key).map(|(_, reason)| (*at, *reason))
    }

    /// Takes one key that is due at `now`, the earliest first.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        let (at, _) = self.by_time.first()?;
        if *at > now {
            return None;
        }
        let (_, key) = self.by_time.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }

    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const R: TimerReason = TimerReason("test");

    #[test]
    fn a_key_has_one_deadline_and_the_earliest_comes_first() {
        let mut d = Deadlines::default();
        d.set("b", Time::from_millis(20), R);
        d.set("a", Time::from_millis(10), R);
        d.set("b", Time::from_millis(5), R);
        assert_eq!(d.next(), Some((Time::from_millis(5), R)));
        assert_eq!(d.pop_due(Time::from_millis(4)), None);
        assert_eq!(d.pop_due(Time::from_millis(10)), Some("b"));
        assert_eq!(d.pop_due(Time::from_millis(10)), Some("a"));
        assert!(d.is_empty());
    }
}
