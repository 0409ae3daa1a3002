//! Calls by which a queue calls somebody back who has his place in it.
//!
//! Invariant: where the agent is called first, his phone is an offer of the queue, which ends in one word; where the customer
//! is, the queue hears of him when he has accepted, or that he is gone.

use crate::call::{Call, Doing, Serving};
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::leg::Heard;
use crate::output::QueueOutput;
use crate::queue::{Wait, refuse_offer};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::desk::Goal;
use cordboard_model::id::{AgentId, CallId, LegId, QueueId};
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::time::{Duration, Time};

/// How long a customer may take to say that it is he: he hears what asks him several times.
pub const CONFIRM: Duration = Duration::from_secs(20);

/// What a call is that calls somebody back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// The queue in which he has his place.
    pub queue: QueueId,
    /// The key by which a customer who is called first says that it is he, and what asks him for it.
    pub confirm: Option<(char, Vec<PlayItem>)>,
}

impl CallEngine {
    /// The caller is to be called back and has his place in this queue: if he waits there he does so no longer, and the flow
    /// of the wait has him.
    pub fn keep_place(&mut self, call: CallId, queue: &QueueId, name: &str, now: Time) {
        self.desk.now = now;
        self.with(call, |call, desk| {
            let _ = call.put_data(desk, "callback".to_owned(), name.into());
            call.keep_place(desk, queue);
        });
    }
}

impl Call {
    fn keep_place(&mut self, desk: &mut Desk, queue: &QueueId) {
        match core::mem::replace(&mut self.doing, Doing::Flow) {
            Doing::Queue(wait) if wait.entered && wait.queue == *queue => {}
            other => return self.doing = other,
        }
        // the queue learns it with the place that he has from now on, and lets the agents go itself
        self.cancel_offers(desk);
        self.leave(desk, None, "callback");
        if !self.has_wait_flow() {
            self.stop_play(desk, self.caller.id);
        }
    }

    /// The agent's phone is to be rung: that is a visit of the queue's.
    pub(crate) fn begin_recall(&mut self, desk: &mut Desk, recall: Option<&Recall>) {
        let Some(recall) = recall else { return };
        self.manner = Some(desk.manners.queue(&recall.queue));
        self.queue = Some(recall.queue.clone());
        if self.caller.agent.is_some() {
            self.visit(desk, &recall.queue, None);
        }
    }

    /// The agent's phone rings.
    pub(crate) fn recall_rings(&mut self, desk: &mut Desk) {
        let Doing::Originating(originating) = &self.doing else { return };
        if let (Some(_), Some(agent)) = (&originating.recall, self.caller.agent.clone()) {
            desk.queue(QueueOutput::OfferRinging { call: self.id, agent });
        }
    }

    /// The agent has answered: the customer is called now.
    pub(crate) fn agent_recalled(&mut self, desk: &mut Desk, agent: AgentId, recall: &Recall) {
        self.manner = Some(desk.manners.queue(&recall.queue));
        desk.queue(QueueOutput::OfferAnswered { call: self.id, agent: agent.clone() });
        self.leave(desk, Some(agent.clone()), "served");
        self.serving.push(Serving { leg: self.caller.id, agent });
        self.limit_length(desk);
    }

    /// The customer has answered: he says that it is he, or waits for the agent at once.
    pub(crate) fn customer_recalled(&mut self, desk: &mut Desk, goal: Goal, recall: Recall) {
        let Some((_, prompt)) = recall.confirm.clone() else {
            return self.wait_in(desk, Wait::new(recall.queue, None, 0));
        };
        self.asks_first(goal, recall);
        self.play(desk, self.caller.id, Heard::Whisper, prompt, Repeat::Forever);
        desk.set(Timer::Step(self.id), CONFIRM);
    }

    /// A key of a customer who is asked for one. True if it was meant for us.
    pub(crate) fn recall_key(&mut self, desk: &mut Desk, leg: LegId, digit: char) -> bool {
        let Doing::Originating(originating) = &self.doing else { return false };
        let recall = originating.recall.as_ref().filter(|_| originating.asks && leg == self.caller.id);
        let Some((key, queue)) = recall.and_then(|r| Some((r.confirm.as_ref()?.0, r.queue.clone()))) else {
            return false;
        };
        if digit == key {
            desk.clear(Timer::Step(self.id));
            self.stop_play(desk, leg);
            self.wait_in(desk, Wait::new(queue, None, 0));
        }
        true
    }

    /// He has pressed no key: it was a machine, or somebody else.
    pub(crate) fn recall_unconfirmed(&mut self, desk: &mut Desk) -> bool {
        let asks = matches!(&self.doing, Doing::Originating(originating) if originating.asks);
        if asks {
            self.end(desk, Cause::Declined, Party::Callee);
        }
        asks
    }

    /// The queue takes the turn back: an agent's phone rings no longer, and a customer's who has not answered. One who has is
    /// not hung up on: he waits for the next agent. False if this call calls nobody back.
    pub(crate) fn recall_withdrawn(&mut self, desk: &mut Desk) -> bool {
        let Doing::Originating(originating) = &mut self.doing else { return false };
        if !originating.asks && originating.recall.take().is_some() {
            if self.caller.agent.is_some() {
                self.leave(desk, None, "unanswered");
            }
            self.end(desk, Cause::Cancelled, Party::Switch);
        }
        true
    }

    /// The call ends before the first party has answered.
    pub(crate) fn end_recall(&mut self, desk: &mut Desk, recall: Option<Recall>, why: Cause, by: Party) {
        match (recall, self.caller.agent.clone()) {
            (None, _) => {}
            (Some(_), Some(agent)) => {
                self.leave(desk, None, "unanswered");
                refuse_offer(desk, self.id, agent, why, by == Party::Operator);
            }
            (Some(_), None) => desk.queue(QueueOutput::Abandoned { call: self.id }),
        }
    }
}
