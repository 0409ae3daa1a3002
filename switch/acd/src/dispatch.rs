//! Who gets whom.
//!
//! The caller is the first by priority and wait among the queues that have a free agent; the
//! agent is the one of that queue idle longest, equal times by work number. Only queues that got
//! a caller or an agent since the last decision are looked at: in all others one side is empty.
//! So a decision costs a few look-ups in ordered lists, however many wait.

use crate::agent::{Leg, Offer, RING_MARGIN};
use crate::api::AcdOutput;
use crate::engine::{AcdEngine, Timer};
use cordboard_model::id::QueueId;
use cordboard_model::time::{Duration, Time, TimerReason};
use core::fmt;

/// The terms of one decision.
struct Terms<'a> {
    queue: &'a QueueId,
    priority: u8,
    waited: Duration,
    other_callers: usize,
    idle: Duration,
    other_agents: usize,
}

impl fmt::Display for Terms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "caller: priority {}, waited {}, before {} others in {}; agent: idle {}, before {} others free there",
            self.priority,
            Seconds(self.waited),
            self.other_callers,
            self.queue,
            Seconds(self.idle),
            self.other_agents,
        )
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.0.as_secs(), self.0.subsec_millis())
    }
}

impl AcdEngine {
    /// Makes every offer that can be made.
    pub(crate) fn dispatch(&mut self, now: Time) {
        self.dismiss_unstaffed(now);
        while let Some(queue) = self.next_queue() {
            if self.make_offer(&queue, now).is_none() {
                break;
            }
        }
        self.touched.clear();
    }

    fn next_queue(&self) -> Option<QueueId> {
        self.touched
            .iter()
            .filter_map(|id| Some((self.queues.get(id)?.ripe()?, id)))
            .min()
            .map(|(_, id)| id.clone())
    }

    fn make_offer(&mut self, id: &QueueId, now: Time) -> Option<()> {
        let queue = self.queues.get_mut(id)?;
        let (idle, agent_id) = queue.free.first()?.clone();
        let (place, call) = queue.open.pop_first()?;
        let agent = self.agents.get_mut(&agent_id)?;
        let why = Terms {
            queue: id,
            priority: place.priority.0,
            waited: now.since(place.since),
            other_callers: queue.open.len(),
            idle: idle.length(now),
            other_agents: queue.free.len() - 1,
        }
        .to_string();
        agent.leg = Leg::Ringing(Offer {
            call,
            queue: id.clone(),
            rang: false,
            wrap_up: queue.config.wrap_up,
            rest_on_no_answer: queue.config.rest_on_no_answer,
        });
        if let Some(waiting) = self.calls.get_mut(&call) {
            waiting.offered_to = Some(agent_id.clone());
        }
        let ring = queue.config.ring;
        self.out.push_back(AcdOutput::Offer {
            call,
            queue: id.clone(),
            agent: agent_id.clone(),
            user: agent.config.user.clone(),
            ring,
            why,
        });
        let reason = TimerReason("acd: no report on an offer");
        let until = now + ring + RING_MARGIN;
        self.deadlines.set(Timer::Ring(agent_id.clone()), until, reason);
        let why = format!("a call from queue {id} is offered");
        self.settle(&agent_id, &why, now);
        Some(())
    }
}
