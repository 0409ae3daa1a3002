//! Callers whom a queue cannot serve: why, and where they go instead. (Queues that send them round in a circle are the
//! call's business: it goes to so many places and no more.)

use crate::api::{AcdOutput, Outcome};
use crate::callers::Entry;
use crate::engine::{AcdEngine, Timer};
use crate::queue::{Due, Queue};
use cordboard_model::id::{CallId, QueueId};
use cordboard_model::service::{BusyWhen, Nobody};
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::verb::{Destination, QueueEnd};
use cordboard_model::view::AgentStatus;

/// How long who is better off where he waits does so before it is looked again whether there is room for him elsewhere.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl AcdEngine {
    /// Why a caller cannot wait, and where his queue sends him.
    pub(crate) fn refusal(&self, entry: &Entry) -> Option<(QueueEnd, Option<Destination>)> {
        let Some(queue) = self.queues.get(&entry.queue).filter(|_| entry.queue.tenant == entry.call.tenant)
        else {
            return Some((QueueEnd::Gone, None));
        };
        let service = &queue.config.service;
        let nobody = || match &service.nobody {
            Nobody::To(to) => Some(to.clone()),
            Nobody::Wait | Nobody::Release => None,
        };
        let alone = entry.wish.as_ref().filter(|wish| wish.wait.is_none());
        let absent = alone.is_some_and(|wish| {
            let agent = self.agents.get(&wish.agent).filter(|agent| !agent.removed);
            agent.is_none_or(|agent| agent.status == AgentStatus::SignedOut)
        });
        let unstaffed =
            alone.is_none() && queue.signed_in == 0 && (entry.staffed || service.nobody != Nobody::Wait);
        if absent || unstaffed {
            return Some((QueueEnd::NobodySignedIn, nobody()));
        }
        let occupied = match service.busy_when {
            Some(BusyWhen::Occupancy(limit)) if service.on_busy.is_some() => {
                queue.occupancy() >= u32::from(limit) * 10
            }
            _ => false,
        };
        (occupied || queue.is_full()).then(|| (QueueEnd::Full, self.way_of_busy(queue)))
    }

    /// Where a busy queue sends its callers, if there is room.
    fn way_of_busy(&self, queue: &Queue) -> Option<Destination> {
        let to = queue.config.service.on_busy.clone()?;
        let (Destination::Queue(target), Some(room)) = (&to, queue.config.service.busy_room) else {
            return Some(to);
        };
        let has_room = self.queues.get(target).is_some_and(|t| t.occupancy() < u32::from(room) * 10);
        has_room.then_some(to)
    }

    /// Tells that a wait ended without an agent.
    pub(crate) fn ended(&mut self, call: CallId, queue: QueueId, (end, to): (QueueEnd, Option<Destination>)) {
        self.out.push_back(AcdOutput::QueueEnded { call, queue, end, to });
    }

    /// What is due of a caller waits while an agent rings for him: he is about to be answered. Says whether it does.
    fn waits_for_an_answer(&mut self, call: CallId, due: Due) -> bool {
        let Some(waiting) = self.calls.get_mut(&call).filter(|waiting| waiting.offered_to.is_some()) else {
            return false;
        };
        waiting.due = waiting.due.max(Some(due));
        true
    }

    /// The offers of these callers came to nothing: what was due meanwhile is done before anybody else rings for them.
    pub(crate) fn end_what_is_due(&mut self, now: Time) {
        for call in core::mem::take(&mut self.due) {
            let waiting = self.calls.get_mut(&call).filter(|waiting| waiting.offered_to.is_none());
            match waiting.and_then(|waiting| waiting.due.take()) {
                Some(Due::Timeout) => self.waited_long_enough(call, now),
                Some(Due::Busy) => self.waited_too_long(call, now),
                None => {}
            }
        }
    }

    pub(crate) fn waited_long_enough(&mut self, call: CallId, now: Time) {
        if self.waits_for_an_answer(call, Due::Timeout) {
            return;
        }
        if let Some(queue) = self.leave(call, Outcome::Timeout, true, "", now) {
            let to = self.queues.get(&queue).and_then(|queue| queue.config.service.on_timeout.clone());
            self.ended(call, queue, (QueueEnd::Timeout, to));
        }
    }

    /// A queue that is busy for who has waited for some time sends him on then.
    pub(crate) fn watch_busy(&mut self, call: CallId, id: &QueueId, now: Time) {
        let service = self.queues.get(id).map(|queue| &queue.config.service);
        let Some(service) = service.filter(|service| service.on_busy.is_some()) else {
            return;
        };
        if let Some(BusyWhen::Wait(wait)) = service.busy_when {
            let reason = TimerReason("acd: busy after a wait");
            self.deadlines.set(Timer::Busy(call), now + wait, reason);
        }
    }

    pub(crate) fn waited_too_long(&mut self, call: CallId, now: Time) {
        if self.waits_for_an_answer(call, Due::Busy) {
            return;
        }
        let queue = self.calls.get(&call).and_then(|waiting| self.queues.get(&waiting.queue));
        let Some(queue) = queue.filter(|queue| queue.config.service.on_busy.is_some()) else {
            return;
        };
        let Some(to) = self.way_of_busy(queue) else {
            // there is no room where he would be sent: he is better off here, for now
            let reason = TimerReason("acd: whether there is room elsewhere");
            return self.deadlines.set(Timer::Busy(call), now + LOOK_AGAIN, reason);
        };
        if let Some(queue) = self.leave(call, Outcome::Busy, true, "", now) {
            self.ended(call, queue, (QueueEnd::Full, Some(to)));
        }
    }

    /// Sends back who wanted to wait only while somebody is signed in, where the last agent has left.
    pub(crate) fn dismiss_unstaffed(&mut self, now: Time) {
        for id in core::mem::take(&mut self.deserted) {
            let Some(queue) = self.queues.get(&id).filter(|queue| queue.signed_in == 0) else {
                continue;
            };
            let staffed = |call: &CallId| self.calls.get(call).is_some_and(|waiting| waiting.staffed);
            let all: Vec<CallId> = queue.order.values().copied().filter(staffed).collect();
            for call in all {
                self.leave(call, Outcome::NobodySignedIn, true, "the last agent signed out", now);
                self.ended(call, id.clone(), (QueueEnd::NobodySignedIn, None));
            }
        }
    }
}
