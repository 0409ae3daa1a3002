//! Offers: what becomes of a call that rings at an agent, and of the agent after it.

use crate::agent::{Asked, Hold, IdleSince, Intent, Leg, Offer};
use crate::api::{AcdOutput, Outcome};
use crate::engine::{AcdEngine, Timer};
use cordboard_model::cause::Cause;
use cordboard_model::id::{AgentId, CallId};
use cordboard_model::service::Spare;
use cordboard_model::time::{Time, TimerReason};

impl AcdEngine {
    pub(crate) fn rings(&mut self, call: CallId, id: &AgentId) {
        self.change(id, |a| match &mut a.leg {
            Leg::Ringing(offer) if offer.call == call => offer.rang = true,
            _ => {}
        });
    }

    pub(crate) fn answered(&mut self, call: CallId, id: &AgentId, now: Time) {
        let Some(offer) = self.offer(call, id) else {
            return;
        };
        self.deadlines.clear(&Timer::Ring(id.clone()));
        if let Some(waiting) = self.calls.get_mut(&call) {
            waiting.offered_to = None;
        }
        let why = format!("answered a call from queue {}", offer.queue);
        self.leave(call, Outcome::Served, false, "", now);
        self.change(id, |a| {
            a.handled += 1;
            a.taken += 1;
            a.leg = Leg::Talking(offer);
        });
        self.settle(id, &why, now);
    }

    pub(crate) fn failed(&mut self, call: CallId, id: &AgentId, cause: Cause, now: Time) {
        let Some(offer) = self.offer(call, id) else {
            return;
        };
        if let Some(waiting) = self.calls.get_mut(&call)
            && waiting.wish.as_ref().is_some_and(|wanted| wanted.agent == *id && !wanted.only)
        {
            // he had his chance
            waiting.wish = None;
            self.deadlines.clear(&Timer::Stick(call));
        }
        self.take_back(id, &offer);
        let (policy, device) = Hold::policy(&offer.unanswered, cause);
        let policy = policy.of(self.agents.get(id).is_some_and(|agent| agent.config.auto_sign_in));
        let word = cause.as_str().replace('_', " ");
        let why = match cause {
            Cause::NoAnswer => format!("let a call from queue {} ring", offer.queue),
            _ => format!("his phone did not take a call: {word}"),
        };
        let intent = match policy {
            Spare::For(time) => {
                let hold = Hold { until: now + time, cause, device };
                self.change(id, |a| a.hold = Some(hold));
                self.deadlines.set(Timer::Hold(id.clone()), hold.until, TimerReason("acd: penalty"));
                None
            }
            Spare::Rest | Spare::Usual => Some(Intent::Rest),
            Spare::NotReady => Some(Intent::NotReady),
            Spare::SignOut => Some(Intent::SignedOut),
        };
        self.change(id, |a| {
            a.idle = IdleSince::at(now);
            if let Some(intent) = intent {
                a.obey(Asked { reason: Some(cause.as_str().into()), ..Asked::own(intent) });
            }
        });
        self.settle(id, &why, now);
    }

    pub(crate) fn nobody_reported(&mut self, id: &AgentId, now: Time) {
        let Some(Leg::Ringing(offer)) = self.agents.get(id).map(|a| a.leg.clone()) else {
            return;
        };
        self.withdraw(offer.call, id);
        let cause = match offer.rang {
            true => Cause::NoAnswer,
            false => Cause::Unreachable,
        };
        self.failed(offer.call, id, cause, now);
    }

    pub(crate) fn released(&mut self, call: CallId, id: &AgentId, now: Time) {
        let Some(Leg::Talking(offer)) = self.agents.get(id).map(|a| a.leg.clone()) else {
            return;
        };
        if offer.call != call {
            return;
        }
        let ends = now + offer.wrap_up;
        let mut wraps_up = false;
        let mut why = "";
        self.change(id, |a| {
            a.leg = Leg::None;
            a.held = false;
            a.wrap_up = (ends > now).then_some(call);
            why = a.after_talk();
            wraps_up = a.wrap_up.is_some();
        });
        if wraps_up {
            let reason = TimerReason("acd: wrap-up");
            self.deadlines.set(Timer::WrapUp(id.clone()), ends, reason);
        }
        self.settle(id, why, now);
    }

    /// The offer that rings at `id` for `call`.
    pub(crate) fn offer(&self, call: CallId, id: &AgentId) -> Option<Offer> {
        self.agents.get(id)?.rings_for(call).cloned()
    }

    /// Ends an offer: the caller is back in his place.
    pub(crate) fn take_back(&mut self, id: &AgentId, offer: &Offer) {
        self.deadlines.clear(&Timer::Ring(id.clone()));
        self.change(id, |a| a.leg = Leg::None);
        let Some(waiting) = self.calls.get_mut(&offer.call) else {
            return;
        };
        if waiting.absent.is_some() {
            return self.strand(offer.call);
        }
        waiting.offered_to = None;
        if waiting.due.is_some() {
            self.due.insert(offer.call);
        }
        let (place, id) = (waiting.place, waiting.queue.clone());
        if let Some(wanted) = waiting.wish.clone() {
            self.held.entry(wanted.agent.clone()).or_default().insert(place, offer.call);
            // one who does not come any more is given up at once
            self.gone_agents.insert(wanted.agent.clone());
            self.touched_agents.insert(wanted.agent);
        } else if let Some(queue) = self.queues.get_mut(&id) {
            queue.open.insert(place, offer.call);
            self.touched.insert(id);
        }
    }

    pub(crate) fn withdraw(&mut self, call: CallId, agent: &AgentId) {
        let agent = agent.clone();
        self.out.push_back(AcdOutput::Withdraw { call, agent });
    }

    /// Ends an offer that rings at him, without blame.
    pub(crate) fn stop_ringing(&mut self, id: &AgentId) {
        if let Some(Leg::Ringing(offer)) = self.agents.get(id).map(|a| a.leg.clone()) {
            self.withdraw(offer.call, id);
            self.take_back(id, &offer);
        }
    }
}
