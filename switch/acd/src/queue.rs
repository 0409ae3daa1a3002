//! One queue: who waits, in which order, and who of its agents is free.
//!
//! Invariant: `open` is `order` without the callers who are being offered; `by_priority` counts
//! `order`.

use crate::agent::IdleSince;
use cordboard_model::config;
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::time::{Duration, Time};
use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// One answer changes the pace by this part of the difference: what was eight answers ago counts for a third.
const PACE_OF: u32 = 8;

/// The place of a caller among all who wait: by priority, then by when he came, then by who came
/// first within one moment. It does not change while he waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) priority: Reverse<u8>,
    pub(crate) since: Time,
    pub(crate) serial: u64,
}

/// One waiting caller.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) queue: QueueId,
    pub(crate) place: Place,
    pub(crate) offered_to: Option<AgentId>,
    /// Only while an agent is signed in.
    pub(crate) staffed: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) config: config::Queue,
    pub(crate) members: BTreeSet<AgentId>,
    pub(crate) free: BTreeSet<(IdleSince, AgentId)>,
    pub(crate) order: BTreeMap<Place, CallId>,
    pub(crate) open: BTreeMap<Place, CallId>,
    by_priority: BTreeMap<u8, usize>,
    pub(crate) offered: u64,
    pub(crate) answered: u64,
    pub(crate) abandoned: u64,
    pub(crate) timed_out: u64,
    /// When a caller was last answered.
    last_answer: Option<Time>,
    /// How far apart callers are answered while others wait, smoothed.
    pace: Option<Duration>,
}

impl Queue {
    pub(crate) fn new(config: config::Queue) -> Self {
        Self {
            config,
            members: BTreeSet::new(),
            free: BTreeSet::new(),
            order: BTreeMap::new(),
            open: BTreeMap::new(),
            by_priority: BTreeMap::new(),
            offered: 0,
            answered: 0,
            abandoned: 0,
            timed_out: 0,
            last_answer: None,
            pace: None,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        u32::try_from(self.order.len()).unwrap_or(u32::MAX) >= self.config.max_length
    }

    /// Lets a new caller wait; says his position. He came last, so those ahead are exactly those
    /// of his priority and above.
    pub(crate) fn insert(&mut self, place: Place, call: CallId) -> u32 {
        self.order.insert(place, call);
        self.open.insert(place, call);
        *self.by_priority.entry(place.priority.0).or_default() += 1;
        let position: usize = self.by_priority.range(place.priority.0..).map(|(_, n)| n).sum();
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.open.remove(&place);
        if self.order.remove(&place).is_none() {
            return;
        }
        if let Some(n) = self.by_priority.get_mut(&place.priority.0) {
            *n -= 1;
            if *n == 0 {
                self.by_priority.remove(&place.priority.0);
            }
        }
    }

    /// The position of a caller, counted from one. Walks over those ahead: for announcements, not
    /// for decisions.
    pub(crate) fn position(&self, place: Place) -> u32 {
        u32::try_from(self.order.range(..=place).count()).unwrap_or(u32::MAX)
    }

    /// A caller who came at `since` is answered. That he waited already when the one before him was answered says that
    /// the queue was never empty between the two: then the time between them is one to go by.
    pub(crate) fn served(&mut self, since: Time, now: Time) {
        if let Some(last) = self.last_answer.replace(now).filter(|last| since <= *last) {
            let between = now.since(last);
            self.pace = Some(self.pace.map_or(between, |pace| (pace * (PACE_OF - 1) + between) / PACE_OF));
        }
    }

    /// How long the caller at this place, from one, will wait; none before two were answered of those who had to wait.
    pub(crate) fn wait(&self, position: u32) -> Option<Duration> {
        self.pace.map(|pace| pace * position)
    }

    /// The caller to be served next, if there is someone to serve him.
    pub(crate) fn ripe(&self) -> Option<Place> {
        self.free.first()?;
        self.open.first_key_value().map(|(place, _)| *place)
    }
}
