//! One queue: who waits, in which order, and who of its agents is free.
//!
//! Invariant: `open` is `order` without the callers at whom no more agents may ring, which is one where the queue does not ring
//! all, and without those who wait for one agent alone or were given to one; `by_priority` counts `order`.

use crate::absent::Absent;
use crate::agent::IdleSince;
use crate::api::Outcome;
use crate::callers::Wanted;
use cordboard_model::config;
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::service::Strategy;
use cordboard_model::time::{Duration, Time};
use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Who was answered so long ago says nothing of how long others will wait.
const PACE_MEMORY: Duration = Duration::from_secs(15 * 60);
/// One answer changes the pace by this part of the difference: what was eight answers ago counts for a third.
const PACE_OF: u32 = 8;
/// Of the occupancy, a thousandth each: the part of the agents, and that of the places.
const OF_AGENTS: u64 = 700;
const OF_PLACES: u64 = 300;

/// The place of a caller among all who wait in his queue. It does not change while he waits, unless a supervisor puts
/// him first.
///
/// Where callers gain priority by waiting, each step of it is worth as much as the time in which it is gained. Then who
/// comes first of two callers is the same at any time, and the order is that of `at`: when he would have come without
/// his priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    rank: Reverse<u16>,
    /// Nanoseconds since the start of the switch, before it if negative.
    at: i64,
    pub(crate) since: IdleSince,
    pub(crate) serial: u64,
}

/// The rank of one who was put first.
const FIRST: u16 = u16::MAX;

impl Place {
    pub(crate) fn new(priority: u8, since: IdleSince, serial: u64, ageing: Option<Duration>) -> Self {
        let came = since.nanos();
        let (rank, at) = match ageing {
            None => (u16::from(priority), came),
            Some(step) => (0, came.saturating_sub(nanos(step).saturating_mul(i64::from(priority)))),
        };
        Self { rank: Reverse(rank), at, since, serial }
    }

    /// The same, before all others.
    pub(crate) fn first(self) -> Self {
        Self { rank: Reverse(FIRST), ..self }
    }

    /// The priority that he has now.
    pub(crate) fn priority(&self, ageing: Option<Duration>, now: Time) -> u16 {
        let gained = match ageing.map(nanos) {
            Some(step @ 1..) => {
                let now = nanos(Duration::from_nanos(now.as_nanos()));
                now.saturating_sub(self.at).max(0) / step
            }
            _ => 0,
        };
        u16::try_from(gained).unwrap_or(FIRST).max(self.rank.0)
    }
}

fn nanos(d: Duration) -> i64 {
    i64::try_from(d.as_nanos()).unwrap_or(i64::MAX)
}

/// One waiting caller.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) queue: QueueId,
    pub(crate) place: Place,
    pub(crate) priority: u8,
    /// Who rings for him, in the order of the offers: one, unless the queue rings all.
    pub(crate) offered_to: Vec<AgentId>,
    /// Somebody gave him to the agent who rings: no other rings beside.
    pub(crate) placed: bool,
    /// Only while an agent is signed in.
    pub(crate) staffed: bool,
    /// He waits for this agent.
    pub(crate) wish: Option<Wanted>,
    /// What was due while an agent rang for him.
    pub(crate) due: Option<Due>,
    /// How he leaves, if he does not hang up.
    pub(crate) leaves: Option<Outcome>,
    /// He is not there, and is to be called back.
    pub(crate) absent: Option<Absent>,
}

/// What becomes of a caller when the agent who rings for him does not answer. The later one is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// He has waited so long that the queue counts as busy.
    Busy,
    /// His longest wait is over.
    Timeout,
}

/// Where an agent stands among the free ones of a queue: the first is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    pub(crate) preference: u8,
    /// Chats that he has.
    pub(crate) load: u8,
    /// By the queue's strategy: less is sooner.
    pub(crate) term: i64,
    pub(crate) idle: IdleSince,
}

#[derive(Clone, Debug)]
pub(crate) struct Queue {
    pub(crate) config: config::Queue,
    pub(crate) members: BTreeSet<AgentId>,
    pub(crate) free: BTreeSet<(Turn, AgentId)>,
    pub(crate) order: BTreeMap<Place, CallId>,
    pub(crate) open: BTreeMap<Place, CallId>,
    by_priority: BTreeMap<Reverse<u16>, usize>,
    /// How many of `order` are to be called back.
    pub(crate) absent: usize,
    /// They have no turn now.
    pub(crate) absent_held: bool,
    /// How many of its agents are signed in, and how many of those ready.
    pub(crate) signed_in: u32,
    pub(crate) ready: u32,
    /// How many of its agents take calls, at once or when they are done with the one they have.
    pub(crate) working: u32,
    pub(crate) offered: u64,
    pub(crate) answered: u64,
    pub(crate) abandoned: u64,
    pub(crate) timed_out: u64,
    /// Offers made, for those who take turns.
    pub(crate) turns: u64,
    /// When a caller was last answered.
    last_answer: Option<Time>,
    /// Since when somebody waits.
    waited_for: Option<IdleSince>,
    /// How far apart one agent who works here answers callers while others wait, smoothed: the time between two answers
    /// times the agents who worked.
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
            absent: 0,
            absent_held: false,
            signed_in: 0,
            ready: 0,
            working: 0,
            offered: 0,
            answered: 0,
            abandoned: 0,
            timed_out: 0,
            turns: 0,
            last_answer: None,
            waited_for: None,
            pace: None,
        }
    }

    pub(crate) fn ageing(&self) -> Option<Duration> {
        self.config.service.ageing
    }

    /// The most who may wait now.
    pub(crate) fn places(&self) -> u32 {
        match self.config.service.length_share {
            None => self.config.max_length,
            Some(share) => {
                let places = (u64::from(share) * u64::from(self.signed_in)).div_ceil(100);
                u32::try_from(places).unwrap_or(u32::MAX)
            }
        }
    }

    /// Whether one more agent may ring for this caller of the queue, whoever is first in it.
    pub(crate) fn may_offer(&self, waiting: &Waiting) -> bool {
        let most = match self.config.service.strategy {
            // he is called back for one agent
            _ if waiting.absent.is_some() => usize::from(!self.absent_held),
            Strategy::RingAll => self.config.service.ring_all_most.0.max(1).into(),
            _ => 1,
        };
        let is_open = waiting.wish.is_none() && !waiting.placed && waiting.due.is_none();
        is_open && waiting.offered_to.len() < most
    }

    /// Those who wait and are there.
    pub(crate) fn present(&self) -> usize {
        self.order.len().saturating_sub(self.absent)
    }

    /// Whether nobody more may wait. One who is served at once does not wait.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = u32::try_from(self.present()).unwrap_or(u32::MAX);
        let at_once = self.open.is_empty() && !self.free.is_empty();
        waiting >= self.places() && !at_once
    }

    /// How busy it is, thousandths: see [`cordboard_model::service::Service::busy_when`]. Of a queue without agents, or
    /// without places, that part is the whole.
    pub(crate) fn occupancy(&self) -> u32 {
        let part = |of: u64, taken: u64, all: u64| match all {
            0 => of,
            _ => of * taken.min(all) / all,
        };
        let agents = part(OF_AGENTS, self.signed_in.saturating_sub(self.ready).into(), self.signed_in.into());
        let waiting = u64::try_from(self.present()).unwrap_or(u64::MAX);
        let places = part(OF_PLACES, waiting, self.places().into());
        u32::try_from(agents + places).unwrap_or(u32::MAX)
    }

    /// Lets a new caller wait; says his position. Where priorities do not age, he came last: those ahead are exactly
    /// those of his priority and above.
    pub(crate) fn insert(&mut self, place: Place, call: CallId, is_open: bool) -> u32 {
        self.waited_for.get_or_insert(place.since);
        self.order.insert(place, call);
        if is_open {
            self.open.insert(place, call);
        }
        *self.by_priority.entry(place.rank).or_default() += 1;
        if self.ageing().is_some() {
            return self.position(place);
        }
        let position: usize = self.by_priority.range(..=place.rank).map(|(_, n)| n).sum();
        u32::try_from(position).unwrap_or(u32::MAX)
    }

    pub(crate) fn remove(&mut self, place: Place) {
        self.open.remove(&place);
        if self.order.remove(&place).is_none() {
            return;
        }
        self.waited_for.take_if(|_| self.order.is_empty());
        if let Some(n) = self.by_priority.get_mut(&place.rank) {
            *n -= 1;
            if *n == 0 {
                self.by_priority.remove(&place.rank);
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
    pub(crate) fn served(&mut self, since: IdleSince, now: Time) {
        if let Some(last) = self.last_answer.replace(now).filter(|last| since <= IdleSince::at(*last)) {
            let between = now.since(last).saturating_mul(self.working.max(1));
            self.pace = Some(self.pace.map_or(between, |pace| (pace * (PACE_OF - 1) + between) / PACE_OF));
        }
    }

    /// How long the caller at this place, from one, will wait. None before two were answered of those who had to wait, none
    /// when nobody was for so long that it says nothing of now, and none while no agent is there to take him.
    ///
    /// Every caller before him takes as long as it took lately, by as many agents as there are now; and no less than the
    /// time that has passed already since somebody waits and nobody was answered.
    pub(crate) fn wait(&self, position: u32, now: Time) -> Option<Duration> {
        let last = self.last_answer.filter(|last| now.since(*last) <= PACE_MEMORY)?;
        let pace = self.pace?.checked_div(self.working)?;
        let silence =
            self.waited_for.map(|since| since.max(IdleSince::at(last)).length(now)).unwrap_or_default();
        Some(pace.max(silence).saturating_mul(position))
    }

    /// The caller to be served next, if there is someone to serve him.
    pub(crate) fn ripe(&self, now: Time) -> Option<Place> {
        self.free.first()?;
        let (place, _) = self.open.first_key_value()?;
        let kept = self.config.service.reserve.is_some_and(|reserve| {
            self.free.len() <= usize::try_from(reserve.agents).unwrap_or(usize::MAX)
                && place.priority(self.ageing(), now) < u16::from(reserve.priority)
        });
        (!kept).then_some(*place)
    }

    /// When a caller who is kept waiting for the sake of others has gained the priority that ends it.
    pub(crate) fn ripens(&self, now: Time) -> Option<Time> {
        let (reserve, step) = (self.config.service.reserve?, self.ageing()?);
        let (place, _) = self.open.first_key_value().filter(|_| !self.free.is_empty())?;
        let needed = i64::from(reserve.priority).saturating_mul(nanos(step)).saturating_add(place.at);
        let at = Time::from_nanos(u64::try_from(needed).unwrap_or(0));
        (at > now).then_some(at)
    }

    /// Whether agents are taken by what is known only when one is needed.
    pub(crate) fn asks_all(&self) -> bool {
        self.config.service.strategy == Strategy::LeastOccupied
    }
}
