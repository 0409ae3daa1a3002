//! A signed-in agent: his guids, the events that wait for him, and what was last seen of his desk.
//!
//! Invariant: no lock is held while anything is waited for; events leave in the order in which they came, each once.

use super::beside::FloorPlan;
use super::guid::{GuidRules, Guids, Worth};
use super::news::{News, Told};
use super::seen::{Seen, State};
use cordboard_model::id::{AgentId, CallId, Name, QueueId, RecordingId};
use cordboard_model::time::Wall;
use core::time::Duration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Where an agent's events go, if they are not polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PushTo {
    pub(crate) url: String,
    pub(crate) token: String,
}

/// What was said at the sign-in and holds from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// His phone answers by itself, where it can be told.
    pub(crate) auto_answer: bool,
    /// He is idle after a call; otherwise he works until he says that he is.
    pub(crate) auto_idle: bool,
}

/// What a seat is made of.
pub(crate) struct NewSeat {
    pub(crate) agent: AgentId,
    pub(crate) vdn: u32,
    pub(crate) plan: FloorPlan,
    pub(crate) skills: BTreeMap<Name, u32>,
    pub(crate) token: String,
    pub(crate) push: Option<PushTo>,
    pub(crate) manner: Manner,
    pub(crate) phone: String,
    pub(crate) rules: GuidRules,
    pub(crate) events: usize,
    pub(crate) start: State,
    pub(crate) date: Wall,
}

/// One.
pub(crate) struct Seat {
    pub(crate) agent: AgentId,
    pub(crate) vdn: u32,
    pub(crate) plan: FloorPlan,
    pub(crate) skills: BTreeMap<Name, u32>,
    /// Of the switch's own session.
    pub(crate) token: String,
    /// Since when he is signed in.
    pub(crate) since: Wall,
    pub(crate) phone: String,
    pub(crate) pushes: bool,
    events: usize,
    inner: Mutex<Inner>,
    /// Something waits for him, or he is gone.
    pub(crate) waiting: Notify,
    /// His desk is to be looked at.
    pub(crate) look: Notify,
    gone: AtomicBool,
}

/// What changes of it.
pub(crate) struct Inner {
    pub(crate) guids: Guids,
    /// The last sign of life.
    pub(crate) heard: Duration,
    pub(crate) seen: Seen,
    pub(crate) news: News,
    pub(crate) recordings: BTreeMap<RecordingId, (CallId, Wall)>,
    pub(crate) push: Option<PushTo>,
    pub(crate) manner: Manner,
    /// The last order and when it came, for the page that comes back.
    pub(crate) command: (u8, Wall),
    queue: VecDeque<Value>,
    lost: u64,
    /// Counts polls: an older one ends when a newer one comes.
    polls: u64,
}

impl Seat {
    pub(crate) fn new(new: NewSeat, now: Duration) -> Arc<Self> {
        let guids = Guids::new(new.rules, new.token.clone(), now);
        let inner = Inner {
            guids,
            heard: now,
            seen: Seen::idle(new.start),
            // chats may have gone on without him
            news: News { texts: true, ..News::default() },
            recordings: BTreeMap::new(),
            push: new.push.clone(),
            manner: new.manner,
            command: (0, new.date),
            queue: VecDeque::new(),
            lost: 0,
            polls: 0,
        };
        Arc::new(Self {
            agent: new.agent,
            vdn: new.vdn,
            plan: new.plan,
            skills: new.skills,
            token: new.token,
            since: new.date,
            phone: new.phone,
            pushes: new.push.is_some(),
            events: new.events,
            inner: Mutex::new(inner),
            waiting: Notify::new(),
            look: Notify::new(),
            gone: AtomicBool::new(false),
        })
    }

    /// What changes of it. Never kept over a wait.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// His work number.
    pub(crate) fn workno(&self) -> &str {
        self.agent.name.as_str()
    }

    /// What his guid is worth.
    pub(crate) fn worth(&self, guid: &str, now: Duration) -> Worth {
        self.lock().guids.look(guid, now)
    }

    /// A sign of life; gives the next guid, if it is time for it.
    pub(crate) fn beat(&self, guid: &str, now: Duration) -> Option<String> {
        let mut inner = self.lock();
        inner.heard = now;
        inner.guids.beat(guid, now)
    }

    /// He is still there.
    pub(crate) fn heard(&self, now: Duration) {
        self.lock().heard = now;
    }

    /// He is signed out, or somebody else sits here.
    pub(crate) fn leave(&self) {
        self.gone.store(true, Ordering::Release);
        self.waiting.notify_waiters();
        self.waiting.notify_one();
        self.look.notify_one();
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Events for him.
    pub(crate) fn tell(&self, told: Vec<Told>, date: Wall) {
        if told.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for (kind, content) in told {
            if inner.queue.len() >= self.events {
                inner.queue.pop_front();
                inner.lost += 1;
            }
            let event = json!({
                "eventType": kind,
                "workNo": self.workno(),
                "content": content,
                "eventGenTime": date.0,
            });
            inner.queue.push_back(event);
        }
        drop(inner);
        self.waiting.notify_waiters();
        self.waiting.notify_one();
    }

    /// The next event for a poll, and how many were lost before it.
    pub(crate) fn next(&self) -> Option<(Value, u64)> {
        let mut inner = self.lock();
        let event = inner.queue.pop_front()?;
        let lost = core::mem::take(&mut inner.lost);
        Some((event, lost))
    }

    /// All that waits, for a push; it stays until [`Seat::pushed`].
    pub(crate) fn batch(&self, most: usize) -> Vec<Value> {
        self.lock().queue.iter().take(most).cloned().collect()
    }

    /// So many of them have arrived. What was dropped meanwhile, for there was too much, is not counted twice.
    pub(crate) fn pushed(&self, batch: &[Value]) {
        let mut inner = self.lock();
        for sent in batch {
            if inner.queue.front() == Some(sent) {
                inner.queue.pop_front();
            }
        }
    }

    /// A new poll, which ends the one before.
    pub(crate) fn begin_poll(&self) -> u64 {
        let polls = {
            let mut inner = self.lock();
            inner.polls += 1;
            inner.polls
        };
        self.waiting.notify_waiters();
        polls
    }

    /// Whether this poll is the last one.
    pub(crate) fn is_last(&self, poll: u64) -> bool {
        self.lock().polls == poll
    }

    /// The queue of a number.
    pub(crate) fn queue_of(&self, skill: &str) -> Option<QueueId> {
        let number: u32 = skill.parse().ok()?;
        let (name, _) = self.skills.iter().find(|(_, known)| **known == number)?;
        Some(QueueId { tenant: self.agent.tenant, name: name.clone() })
    }

    /// The number of a queue, and the name that people know it by.
    pub(crate) fn skill(&self, name: &str) -> (u32, String) {
        let number = self.skills.get(name).copied().unwrap_or_default();
        let display = self.plan.queues.get(name).map(|queue| queue.display.clone()).unwrap_or_default();
        (number, if display.is_empty() { name.to_owned() } else { display })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::TenantId;

    pub(crate) fn seat(events: usize) -> Arc<Seat> {
        let rules = GuidRules { interval: Duration::from_secs(60), timeout: Duration::from_secs(120) };
        let new = NewSeat {
            agent: AgentId::new(TenantId::DEFAULT, "1001").unwrap(),
            vdn: 1,
            plan: FloorPlan::default(),
            skills: BTreeMap::new(),
            token: "cbs_secret".into(),
            push: None,
            manner: Manner { auto_answer: false, auto_idle: true },
            phone: String::new(),
            rules,
            events,
            start: State::Idle,
            date: Wall(1),
        };
        Seat::new(new, Duration::ZERO)
    }

    #[test]
    fn events_come_one_by_one_in_order_and_what_is_too_much_is_counted() {
        let seat = seat(2);
        let events = ["AgentState_Ready", "AgentState_Busy", "AgentState_Work"];
        seat.tell(events.map(|kind| (kind, Value::Null)).into(), Wall(7));
        let (event, lost) = seat.next().unwrap();
        assert_eq!((event["eventType"].as_str(), lost), (Some("AgentState_Busy"), 1));
        assert_eq!(event["workNo"], "1001");
        assert_eq!(event["eventGenTime"], 7);
        let (event, lost) = seat.next().unwrap();
        assert_eq!((event["eventType"].as_str(), lost), (Some("AgentState_Work"), 0));
        assert!(seat.next().is_none());
    }

    #[test]
    fn what_was_pushed_goes_and_what_came_meanwhile_stays() {
        let seat = seat(3);
        seat.tell(vec![("AgentState_Ready", Value::Null), ("AgentState_Busy", Value::Null)], Wall(1));
        let batch = seat.batch(10);
        seat.tell(vec![("AgentState_Work", Value::Null)], Wall(2));
        seat.pushed(&batch);
        assert_eq!(seat.batch(10).len(), 1);
        let batch = seat.batch(10);
        seat.tell(vec![("AgentState_Ready", Value::Null); 4], Wall(3));
        seat.pushed(&batch);
        assert_eq!(seat.batch(10).len(), 3, "what was dropped for room takes nothing else with it");
    }

    #[test]
    fn an_older_poll_ends_when_a_newer_one_comes() {
        let seat = seat(3);
        let first = seat.begin_poll();
        assert!(seat.is_last(first));
        let second = seat.begin_poll();
        assert!(!seat.is_last(first) && seat.is_last(second));
    }
}
