//! Callers: how they come, wait and go.

use crate::agent::Leg;
use crate::api::{AcdOutput, Outcome};
use crate::engine::{AcdEngine, Timer};
use crate::queue::{Place, Waiting};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::verb::QueueEnd;
use core::cmp::Reverse;

/// Shortest interval between two announcements to one caller, whatever the queue says.
pub const ANNOUNCE_MIN: Duration = Duration::from_secs(1);

const CALLER_GONE: &str = "the caller hung up while it rang";

impl AcdEngine {
    pub(crate) fn enter(
        &mut self,
        call: CallId,
        id: QueueId,
        (timeout_ms, staffed): (Option<u32>, bool),
        priority: u8,
        now: Time,
    ) {
        self.leave(call, Outcome::Moved, true, "the caller was moved", now);
        let refuse = |end| AcdOutput::QueueEnded { call, queue: id.clone(), end };
        let known = id.tenant == call.tenant;
        if staffed && known && self.is_unstaffed(&id) {
            self.out.push_back(refuse(QueueEnd::NobodySignedIn));
            return;
        }
        let Some(queue) = self.queues.get_mut(&id).filter(|_| known) else {
            self.out.push_back(refuse(QueueEnd::Gone));
            return;
        };
        if queue.is_full() {
            self.out.push_back(refuse(QueueEnd::Full));
            return;
        }
        self.serial += 1;
        let place = Place { priority: Reverse(priority), since: now, serial: self.serial };
        let position = queue.insert(place, call);
        queue.offered += 1;
        let asked = timeout_ms.map(|ms| Duration::from_millis(u64::from(ms)));
        let limit = asked.map_or(queue.config.max_wait, |t| t.min(queue.config.max_wait));
        let reason = TimerReason("acd: longest wait");
        self.deadlines.set(Timer::Wait(call), now + limit, reason);
        self.out.push_back(AcdOutput::Entered { call, queue: id.clone(), position });
        let waiting = Waiting { queue: id.clone(), place, offered_to: None, staffed };
        self.calls.insert(call, waiting);
        self.touched.insert(id);
        self.announce(call, now);
    }

    pub(crate) fn announce(&mut self, call: CallId, now: Time) {
        let Some(waiting) = self.calls.get(&call) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.queue) else {
            return;
        };
        let Some(every) = queue.config.announce_every else {
            return;
        };
        let position = queue.position(waiting.place);
        let wait = queue.wait(position).filter(|_| queue.config.announce_wait);
        self.out.push_back(AcdOutput::Position { call, queue: waiting.queue.clone(), position, wait });
        let reason = TimerReason("acd: announcement");
        let next = now + every.max(ANNOUNCE_MIN);
        self.deadlines.set(Timer::Announce(call), next, reason);
    }

    /// Takes a caller out of his queue. An agent who rings for him becomes free without blame;
    /// `withdraw` says whether his leg has still to be taken down.
    pub(crate) fn leave(
        &mut self,
        call: CallId,
        outcome: Outcome,
        withdraw: bool,
        why: &str,
        now: Time,
    ) -> Option<QueueId> {
        let waiting = self.calls.remove(&call)?;
        self.deadlines.clear(&Timer::Wait(call));
        self.deadlines.clear(&Timer::Announce(call));
        if let Some(queue) = self.queues.get_mut(&waiting.queue) {
            queue.remove(waiting.place);
            match outcome {
                Outcome::Served => {
                    queue.answered += 1;
                    queue.served(waiting.place.since, now);
                }
                Outcome::Abandoned => queue.abandoned += 1,
                Outcome::Timeout => queue.timed_out += 1,
                Outcome::Gone | Outcome::Moved | Outcome::NobodySignedIn => {}
            }
        }
        self.out.push_back(AcdOutput::Left { call, queue: waiting.queue.clone(), outcome });
        if let Some(agent) = waiting.offered_to {
            if withdraw {
                self.withdraw(call, &agent);
            }
            self.deadlines.clear(&Timer::Ring(agent.clone()));
            self.change(&agent, |a| a.leg = Leg::None);
            self.settle(&agent, why, now);
        }
        Some(waiting.queue)
    }

    /// Whether the queue is there and nobody is signed in to it.
    fn is_unstaffed(&self, id: &QueueId) -> bool {
        self.queues.get(id).is_some_and(|queue| self.staff(queue).0 == 0)
    }

    /// Sends back who wanted to wait only while somebody is signed in, where the last agent has left.
    pub(crate) fn dismiss_unstaffed(&mut self, now: Time) {
        for queue in core::mem::take(&mut self.deserted) {
            if !self.is_unstaffed(&queue) {
                continue;
            }
            let order = self.queues.get(&queue).map(|queue| &queue.order);
            let staffed = |call: &CallId| self.calls.get(call).is_some_and(|waiting| waiting.staffed);
            let all: Vec<CallId> =
                order.into_iter().flat_map(|order| order.values().copied()).filter(staffed).collect();
            for call in all {
                self.leave(call, Outcome::NobodySignedIn, true, "the last agent signed out", now);
                let end = QueueEnd::NobodySignedIn;
                self.out.push_back(AcdOutput::QueueEnded { call, queue: queue.clone(), end });
            }
        }
    }

    pub(crate) fn abandoned(&mut self, call: CallId, now: Time) {
        self.leave(call, Outcome::Abandoned, true, CALLER_GONE, now);
    }

    /// The offer ended because the caller did: the leg that reports it is down already, one of an
    /// agent tried after it is not.
    pub(crate) fn gone_while_ringing(&mut self, call: CallId, reporter: &AgentId, now: Time) {
        let ringing = self.calls.get(&call).and_then(|w| w.offered_to.as_ref());
        let withdraw = ringing != Some(reporter);
        self.leave(call, Outcome::Abandoned, withdraw, CALLER_GONE, now);
    }

    pub(crate) fn waited_long_enough(&mut self, call: CallId, now: Time) {
        let why = "the caller's longest wait ended while it rang";
        if let Some(queue) = self.leave(call, Outcome::Timeout, true, why, now) {
            let end = QueueEnd::Timeout;
            self.out.push_back(AcdOutput::QueueEnded { call, queue, end });
        }
    }
}
