//! What supervisors do with callers who wait.

use crate::agent::{IdleSince, Leg};
use crate::api::{Refused, RefusedReason};
use crate::dispatch::{Pair, turn};
use crate::engine::AcdEngine;
use crate::reason::By;
use cordboard_model::id::{AgentId, CallId};
use cordboard_model::service::Work;
use cordboard_model::time::Time;
use cordboard_model::view::AgentStatus;

impl AcdEngine {
    /// Offers a waiting caller to an agent, whoever else would get him. Of several who ring for him, that agent alone rings on.
    pub(crate) fn place(&mut self, call: CallId, id: &AgentId, by: &str, now: Time) -> Result<(), Refused> {
        let ringing = self.calls.get(&call).map(|waiting| waiting.offered_to.clone()).unwrap_or_default();
        let rings_on = ringing.len() > 1 && ringing.contains(id);
        if !rings_on {
            let work = self.calls.get(&call).map_or(Work::Call, |waiting| self.work_of(&waiting.queue));
            self.can_be_given(id, work)?;
        }
        let waiting = self.calls.get(&call).ok_or_else(|| not_waiting(call))?;
        if waiting.absent.is_some() && !waiting.offered_to.is_empty() {
            return Err(not_waiting(call)); // he is being called back
        }
        let (queue, place) = (waiting.queue.clone(), waiting.place);
        for other in ringing.iter().filter(|other| *other != id) {
            match self.agents.get(other).is_some_and(|agent| agent.chat_offer.is_some()) {
                true => self.stop_chat_offer(other),
                false => self.stop_ringing(other),
            }
            self.settle(other, "the call was given to another agent", now);
        }
        if rings_on {
            if let Some(waiting) = self.calls.get_mut(&call) {
                waiting.placed = true;
            }
            self.reopen(call);
            return Ok(());
        }
        if let Some(wanted) = self.calls.get(&call).and_then(|waiting| waiting.wish.clone()) {
            self.unhold(&wanted.agent, place);
        }
        self.change(id, |a| {
            // What he did after his last call ends here; if he rings in vain, he has been idle since then and no longer.
            if a.wrap_up.take().is_some() {
                a.idle = IdleSince::at(now);
            }
        });
        let pair = self.agents.get(id).zip(self.queues.get(&queue)).map(|(agent, of)| Pair {
            turn: turn(agent, &queue, of, agent.idle),
            queue: queue.clone(),
            call,
            agent: id.clone(),
            by: By::Placed(by),
        });
        if let Some(pair) = pair {
            self.make_offer(&pair, now);
        }
        Ok(())
    }

    /// Puts a waiting caller before all others of his queue.
    pub(crate) fn put_first(&mut self, call: CallId) -> Result<(), Refused> {
        let waiting = self.calls.get_mut(&call).ok_or_else(|| not_waiting(call))?;
        let (before, place) = (waiting.place, waiting.place.first());
        waiting.place = place;
        let held = waiting.wish.clone();
        if let Some(queue) = self.queues.get_mut(&waiting.queue) {
            queue.remove(before);
            queue.insert(place, call, queue.may_offer(waiting));
            self.touched.insert(waiting.queue.clone());
        }
        if let Some(held) = held.and_then(|wanted| self.held.get_mut(&wanted.agent))
            && held.remove(&before).is_some()
        {
            held.insert(place, call);
        }
        Ok(())
    }

    /// Whether an agent can be given a call that he did not ask for.
    fn can_be_given(&self, id: &AgentId, work: Work) -> Result<(), Refused> {
        let agent = self.known(id)?;
        let refused = |reason, why: &str| Err(Refused { reason, why: format!("agent {id} {why}") });
        match agent.status {
            AgentStatus::SignedOut => refused(RefusedReason::SignedOut, "is not signed in"),
            _ if work == Work::Call && (agent.leg != Leg::None || agent.outside.is_some()) => {
                refused(RefusedReason::HasCall, "has a call already")
            }
            _ if agent.is_leaving() => refused(RefusedReason::SignedOut, "is about to sign out"),
            _ if agent.chat_offer.is_some() => refused(RefusedReason::HasCall, "is offered a chat already"),
            _ if work == Work::Chat && matches!(agent.leg, Leg::Ringing(_)) => {
                refused(RefusedReason::HasCall, "is offered a call already")
            }
            _ if work == Work::Chat && agent.slots_left() == 0 => {
                refused(RefusedReason::HasCall, "has no slot for one more chat")
            }
            _ if work == Work::Chat => Ok(()),
            _ if !agent.has_device() => refused(RefusedReason::NoDevice, "has no registered device"),
            _ => Ok(()),
        }
    }
}

fn not_waiting(call: CallId) -> Refused {
    Refused { reason: RefusedReason::NotWaiting, why: format!("call {call} does not wait in a queue") }
}
