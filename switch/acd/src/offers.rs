//! Offers: what becomes of a call that rings at an agent, and of the agent after it.

use crate::agent::{Asked, Hold, IdleSince, Intent, Leg, Offer};
use crate::api::{AcdOutput, Outcome};
use crate::chats::Chat;
use crate::engine::{AcdEngine, Timer};
use cordboard_model::cause::Cause;
use cordboard_model::id::{AgentId, CallId};
use cordboard_model::service::Spare;
use cordboard_model::time::{Duration, Time, TimerReason};

/// How long an agent is offered nothing whom the switch itself could not ring: it may find a port later. Twice as long each time
/// in a row, so that a switch without ports does not busy itself with that.
const NO_LINE: Duration = Duration::from_secs(5);
/// At most.
const NO_LINE_MOST: Duration = Duration::from_secs(30);

impl AcdEngine {
    pub(crate) fn rings(&mut self, call: CallId, id: &AgentId) {
        self.change(id, |a| match (&mut a.leg, &mut a.chat_offer) {
            (Leg::Ringing(offer), _) if offer.call == call => offer.rang = true,
            (_, Some(offer)) if offer.call == call => offer.rang = true,
            _ => {}
        });
    }

    pub(crate) fn answered(&mut self, call: CallId, id: &AgentId, now: Time) {
        let Some(offer) = self.offer(call, id) else {
            return;
        };
        let is_chat = self.agents.get(id).is_some_and(|agent| agent.has_chat_offer(call));
        self.clear_offer(id, call);
        if let Some(waiting) = self.calls.get_mut(&call) {
            waiting.offered_to.retain(|agent| agent != id);
        }
        let what = if is_chat { "took a chat" } else { "answered a call" };
        let why = format!("{what} from queue {}", offer.queue);
        self.leave(call, Outcome::Served, Some(id), "another agent answered first", now);
        if is_chat {
            self.deadlines.clear(&Timer::ChatWrapUp(id.clone(), call));
        }
        self.change(id, |a| {
            a.handled += 1;
            a.taken += 1;
            a.no_lines = 0;
            match is_chat {
                true => _ = a.chats.insert(call, Chat { wrap_up: offer.wrap_up, until: None }),
                false => a.leg = Leg::Talking(offer),
            }
        });
        self.settle(id, &why, now);
    }

    pub(crate) fn failed(&mut self, call: CallId, id: &AgentId, cause: Cause, now: Time) {
        let Some(offer) = self.offer(call, id) else {
            return;
        };
        if Hold::is_ours(cause) {
            return self.had_no_line(id, &offer, cause, now);
        }
        if let Some(waiting) = self.calls.get_mut(&call)
            && waiting.wish.as_ref().is_some_and(|wanted| wanted.agent == *id && !wanted.only)
        {
            // he had his chance
            waiting.wish = None;
            self.deadlines.clear(&Timer::Stick(call));
        }
        let is_chat = self.agents.get(id).is_some_and(|agent| agent.has_chat_offer(call));
        self.take_back(id, &offer);
        let (policy, device) = Hold::policy(&offer.unanswered, cause);
        // no device of his took part in the offer of a chat
        let device = device && !is_chat;
        let policy = policy.of(self.agents.get(id).is_some_and(|agent| agent.config.auto_sign_in));
        let word = cause.as_str().replace('_', " ");
        let why = match cause {
            _ if is_chat => format!("did not take a chat from queue {}: {word}", offer.queue),
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
        let asked = intent.map(|intent| Asked { reason: Some(cause.as_str().into()), ..Asked::own(intent) });
        let later = asked.as_ref().is_some_and(|asked| self.leaves_after_chats(id, asked));
        self.change(id, |a| {
            a.idle = IdleSince::at(now);
            a.no_lines = 0;
            match asked.filter(|_| !later) {
                // a chat that he let pass while he talks
                Some(asked) if a.is_talking() => a.pending = Some(asked),
                Some(asked) => a.obey(asked),
                None => {}
            }
        });
        self.settle(id, &why, now);
    }

    /// The switch itself could not ring him: that is no fault of his. He keeps his wish, how long he has been idle, and the
    /// callers who wait for him alone, and is offered nothing for a moment.
    fn had_no_line(&mut self, id: &AgentId, offer: &Offer, cause: Cause, now: Time) {
        self.take_back(id, offer);
        let before = self.agents.get(id).map_or(0, |agent| agent.no_lines);
        let pause = NO_LINE.saturating_mul(1 << before.min(8)).min(NO_LINE_MOST);
        let hold = Hold { until: now + pause, cause, device: false };
        self.change(id, |a| {
            a.hold = Some(hold);
            a.no_lines = before.saturating_add(1);
        });
        self.deadlines.set(Timer::Hold(id.clone()), hold.until, TimerReason("acd: no line to ring him"));
        self.settle(id, "the switch had no line to ring him", now);
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
            self.chat_released(call, id, now);
            return;
        };
        if offer.call != call {
            self.chat_released(call, id, now);
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

    /// Ends an offer: the caller is back in his place, unless others ring for him; then one more may.
    pub(crate) fn take_back(&mut self, id: &AgentId, offer: &Offer) {
        self.clear_offer(id, offer.call);
        let Some(waiting) = self.calls.get_mut(&offer.call) else {
            return;
        };
        waiting.offered_to.retain(|agent| agent != id);
        if waiting.absent.is_some() {
            return self.strand(offer.call);
        }
        if waiting.due.is_some() {
            self.due.insert(offer.call);
        }
        let (place, idle) = (waiting.place, waiting.offered_to.is_empty());
        waiting.placed &= !idle;
        if let Some(wanted) = waiting.wish.clone().filter(|_| idle) {
            self.held.entry(wanted.agent.clone()).or_default().insert(place, offer.call);
            // one who does not come any more is given up at once
            self.gone_agents.insert(wanted.agent.clone());
            self.touched_agents.insert(wanted.agent);
        } else {
            self.reopen(offer.call);
        }
    }

    /// Puts a caller among those whom agents are looked for, or takes him out, as it is with him now.
    pub(crate) fn reopen(&mut self, call: CallId) {
        let Some(waiting) = self.calls.get(&call) else {
            return;
        };
        let Some(queue) = self.queues.get_mut(&waiting.queue) else {
            return;
        };
        match queue.may_offer(waiting) {
            true => {
                queue.open.insert(waiting.place, call);
                self.touched.insert(waiting.queue.clone());
            }
            false => _ = queue.open.remove(&waiting.place),
        }
    }

    pub(crate) fn withdraw(&mut self, call: CallId, agent: &AgentId) {
        let agent = agent.clone();
        self.out.push_back(AcdOutput::Withdraw { call, agent, elsewhere: false });
    }

    /// Ends whatever he is offered, without blame.
    pub(crate) fn stop_offers(&mut self, id: &AgentId) {
        self.stop_ringing(id);
        self.stop_chat_offer(id);
    }

    /// Ends an offer that rings at him, without blame.
    pub(crate) fn stop_ringing(&mut self, id: &AgentId) {
        if let Some(Leg::Ringing(offer)) = self.agents.get(id).map(|a| a.leg.clone()) {
            self.withdraw(offer.call, id);
            self.take_back(id, &offer);
        }
    }
}
