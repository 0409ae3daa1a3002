//! Callers who are not there and keep their places: they are to be called back.
//!
//! Invariant: one who is absent stands among the callers by when he came and by his priority, as if he waited; no limit of the
//! wait ends him, and he takes none of the queue's places from those who are there. A call is used for one turn: if that
//! comes to nothing he is given his place again by another one.

use crate::agent::{IdleSince, Leg, RING_MARGIN};
use crate::api::{AcdOutput, Outcome};
use crate::dispatch::Pair;
use crate::engine::{AcdEngine, Timer};
use crate::queue::{Place, Waiting};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::time::{Duration, Time, TimerReason, Wall};
use cordboard_model::verb::QueueEnd;

/// What is so of one who is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Absent {
    /// He is called before an agent rings, who is kept free for so long.
    pub(crate) reserve: Option<Duration>,
    /// His turn has come, and it was said.
    pub(crate) recalled: bool,
}

/// A place that is to be kept.
pub(crate) struct Kept {
    pub(crate) call: CallId,
    pub(crate) queue: QueueId,
    pub(crate) priority: u8,
    pub(crate) since: Wall,
    pub(crate) reserve: Option<Duration>,
    pub(crate) from: Option<CallId>,
}

/// One who has a place and is there.
pub(crate) struct Arrival {
    pub(crate) call: CallId,
    pub(crate) queue: QueueId,
    pub(crate) timeout_ms: Option<u32>,
    pub(crate) priority: u8,
    pub(crate) since: Wall,
    pub(crate) back: bool,
}

impl AcdEngine {
    /// Where a call waits, since when, and with which priority it came.
    pub fn place_of(&self, call: CallId) -> Option<(QueueId, Wall, u8)> {
        let waiting = self.calls.get(&call)?;
        Some((waiting.queue.clone(), waiting.place.since.date(self.wall), waiting.priority))
    }

    pub(crate) fn keep_place(&mut self, kept: Kept, now: Time) {
        let Kept { call, queue, priority, since, reserve, from } = kept;
        for before in from.into_iter().chain([call]) {
            self.leave(before, Outcome::Callback, None, "the caller is to be called back", now);
        }
        let absent = Some(Absent { reserve, recalled: false });
        if self.stand(call, &queue, (priority, since), absent, now).is_none() {
            self.ended(call, queue, (QueueEnd::Gone, None));
        }
    }

    /// Those who are absent have turns no longer, or again.
    pub(crate) fn hold_absent(&mut self, held: bool) {
        self.absent_held = held;
        self.queues.values_mut().for_each(|queue| queue.absent_held = held);
        let absent = |(call, waiting): (&CallId, &Waiting)| waiting.absent.is_some().then_some(*call);
        for call in self.calls.iter().filter_map(absent).collect::<Vec<_>>() {
            self.reopen(call);
        }
    }

    /// Puts one among the callers where he belongs by when he came. Gives his position.
    fn stand(
        &mut self,
        call: CallId,
        id: &QueueId,
        (priority, since): (u8, Wall),
        absent: Option<Absent>,
        now: Time,
    ) -> Option<u32> {
        let queue = self.queues.get_mut(id).filter(|_| id.tenant == call.tenant)?;
        self.serial += 1;
        let since = IdleSince::restored(since, self.wall, now);
        let place = Place::new(priority, since, self.serial, queue.ageing());
        queue.insert(place, call, absent.is_none() || !queue.absent_held);
        queue.absent += usize::from(absent.is_some());
        let position = queue.position(place);
        let (offered_to, placed, staffed) = (Vec::new(), false, false);
        let (wish, due, leaves) = (None, None, None);
        let queue = id.clone();
        let waiting =
            Waiting { queue, place, priority, offered_to, placed, staffed, wish, due, leaves, absent };
        self.calls.insert(call, waiting);
        self.touched.insert(id.clone());
        Some(position)
    }

    /// He is there from now on, and waits like others; an agent who was kept free for him is offered the call.
    pub(crate) fn arrived(&mut self, arrival: Arrival, now: Time) {
        let Arrival { call, queue: id, timeout_ms, priority, since, back } = arrival;
        let agent = match self.calls.get_mut(&call) {
            Some(waiting) if waiting.absent.is_some() && waiting.queue == id => {
                let absent = waiting.absent.take();
                let kept = absent.is_some_and(|absent| absent.reserve.is_some());
                let agent = waiting.offered_to.first().cloned().filter(|_| kept);
                // who was kept free for him rings alone
                waiting.placed = agent.is_some();
                if absent.is_some_and(|absent| absent.recalled) {
                    let outcome = Outcome::Moved;
                    let left = AcdOutput::Left { call, queue: id.clone(), outcome, agent: None };
                    self.out.push_back(left);
                }
                if let Some(queue) = self.queues.get_mut(&id) {
                    queue.absent = queue.absent.saturating_sub(1);
                }
                agent
            }
            _ => {
                self.leave(call, Outcome::Moved, None, "the caller was moved", now);
                if self.stand(call, &id, (priority, since), None, now).is_none() {
                    return self.ended(call, id, (QueueEnd::Gone, None));
                }
                None
            }
        };
        self.reopen(call);
        if back {
            let _ = self.put_first(call);
        }
        let Some((queue, waiting)) = self.queues.get_mut(&id).zip(self.calls.get(&call)) else { return };
        // who was called back was counted when he waited by himself
        queue.offered += u64::from(!back);
        let position = queue.position(waiting.place);
        let limit = timeout_ms.map_or(Duration::MAX, |ms| Duration::from_millis(u64::from(ms)));
        let limit = limit.min(queue.config.max_wait);
        self.deadlines.set(Timer::Wait(call), now + limit, TimerReason("acd: longest wait"));
        self.out.push_back(AcdOutput::Entered { call, queue: id.clone(), position });
        if let Some(agent) = agent {
            self.offer_kept(call, &id, agent, now);
        }
        self.announce(call, now);
    }

    /// The agent who was kept free for one who has answered is offered his call.
    fn offer_kept(&mut self, call: CallId, id: &QueueId, agent: AgentId, now: Time) {
        let Some((queue, found)) = self.queues.get(id).zip(self.agents.get(&agent)) else { return };
        let (ring, user) = (queue.config.ring, found.config.user.clone());
        let patience = found.patience();
        // what rang before was not this
        self.change(&agent, |a| match (&mut a.leg, &mut a.chat_offer) {
            (_, Some(offer)) if offer.call == call => offer.rang = false,
            (Leg::Ringing(offer), _) => offer.rang = false,
            _ => {}
        });
        let reason = TimerReason("acd: no report on an offer");
        // by what he was kept free for: the queue may be of another kind by now
        let is_chat = self.agents.get(&agent).is_some_and(|a| a.has_chat_offer(call));
        let timer = match is_chat {
            false => Timer::Ring(agent.clone()),
            true => Timer::ChatRing(agent.clone()),
        };
        self.deadlines.set(timer, now + ring + patience + RING_MARGIN, reason);
        let why = format!("agent {agent} was kept free for the caller, who was called back and has answered");
        self.out.push_back(AcdOutput::Offer { call, queue: id.clone(), agent, user, ring, why });
    }

    /// Says whose turn it is. Gives how long the agent may take, or be kept free.
    pub(crate) fn tell_offer(&mut self, pair: &Pair<'_>, ring: Duration, why: String) -> Duration {
        let (call, queue, agent) = (pair.call, pair.queue.clone(), pair.agent.clone());
        let user = self.agents.get(&agent).map(|agent| agent.config.user.clone());
        let (Some(waiting), Some(user)) = (self.calls.get_mut(&call), user) else { return ring };
        let place = waiting.place;
        match &mut waiting.absent {
            Some(Absent { reserve: Some(reserve), .. }) => {
                let reserve = *reserve;
                self.out.push_back(AcdOutput::Reserved { call, queue, agent, why });
                return reserve;
            }
            Some(absent) => {
                absent.recalled = true;
                let position = self.queues.get(&queue).map_or(1, |queue| queue.position(place));
                let (queue, agent) = (queue.clone(), agent.clone());
                self.out.push_back(AcdOutput::Recalled { call, queue, agent, position });
            }
            None => {}
        }
        self.out.push_back(AcdOutput::Offer { call, queue, agent, user, ring, why });
        ring
    }

    /// The turn of one who is absent came to nothing: he has to be given his place again, by another call.
    pub(crate) fn strand(&mut self, call: CallId) {
        let Some(waiting) = self.calls.remove(&call) else { return };
        if let Some(queue) = self.queues.get_mut(&waiting.queue) {
            queue.remove(waiting.place);
            queue.absent = queue.absent.saturating_sub(1);
        }
        let queue = waiting.queue;
        if waiting.absent.is_some_and(|absent| absent.recalled) {
            let outcome = Outcome::Unanswered;
            self.out.push_back(AcdOutput::Left { call, queue: queue.clone(), outcome, agent: None });
        }
        self.out.push_back(AcdOutput::Stranded { call, queue });
    }
}
