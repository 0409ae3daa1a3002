//! Chats: the slots that agents have for them, beside the one for a call.
//!
//! Invariant: an agent has one offer at a time, of a call or of a chat; he has at most as many chats as he may have, counting
//! the one he is offered, those that go on and those that he wraps up. Only what he had before the configuration or his own
//! wish changed, or a restart, can leave him more.

use crate::agent::{Agent, Asked, IdleSince, Intent, Leg};
use crate::api::{AcdOutput, Refused, RefusedReason};
use crate::engine::{AcdEngine, Timer};
use cordboard_model::cause::Cause;
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::service::Work;
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::view::AgentStatus;

/// A chat that takes a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chat {
    /// How long he wraps it up.
    pub(crate) wrap_up: Duration,
    /// It is over, and he wraps it up until then.
    pub(crate) until: Option<Time>,
}

/// As what his queues count an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) signed_in: bool,
    /// He would take a call, or a chat, if nothing but his device keeps it from him.
    pub(crate) for_calls: bool,
    pub(crate) for_chats: bool,
    /// He takes what comes, at once or when he is done with what he has.
    pub(crate) coming: bool,
}

impl Standing {
    pub(crate) fn is_ready(self, work: Work) -> bool {
        match work {
            Work::Call => self.for_calls,
            Work::Chat => self.for_chats,
        }
    }
}

impl Agent {
    /// How many chats take a slot of his, the one he is offered not counted.
    pub(crate) fn load(&self) -> u8 {
        u8::try_from(self.chats.len()).unwrap_or(u8::MAX)
    }

    /// How many he may have.
    pub(crate) fn most_chats(&self) -> u8 {
        let most = self.config.duty.chats.most;
        self.wanted_chats.map_or(most, |wanted| wanted.min(most))
    }

    pub(crate) fn slots_left(&self) -> u8 {
        self.most_chats().saturating_sub(self.load())
    }

    /// Whether he is offered this chat.
    pub(crate) fn has_chat_offer(&self, call: CallId) -> bool {
        self.chat_offer.as_ref().is_some_and(|offer| offer.call == call)
    }

    /// Whether he has a chat that goes on.
    pub(crate) fn is_chatting(&self) -> bool {
        self.chats.values().any(|chat| chat.until.is_none())
    }

    /// Whether what was asked of him, or the loss of his device, signs him out when he has nothing to do any more.
    pub(crate) fn is_leaving(&self) -> bool {
        self.gone || self.pending.as_ref().is_some_and(|asked| asked.intent == Intent::SignedOut)
    }

    pub(crate) fn takes_calls_beside(&self) -> bool {
        self.chats.is_empty() || self.config.duty.chats.calls_beside
    }

    /// What he is mostly there for: chats, if all his queues are of chats.
    pub(crate) fn work(&self) -> Work {
        if self.only_chats { Work::Chat } else { Work::Call }
    }

    /// The same in words.
    pub(crate) fn work_word(&self) -> &'static str {
        if self.only_chats { "chats" } else { "calls" }
    }

    /// Whether his status lets him take such work.
    pub(crate) fn may_take(&self, work: Work) -> bool {
        match (self.derive().0, work) {
            (AgentStatus::Ready, _) => !self.is_leaving(),
            (AgentStatus::Talking | AgentStatus::Hold, Work::Chat) => {
                let stays = self.intent == Intent::Ready && self.pending.is_none() && !self.gone;
                stays && self.config.duty.chats.during_call && self.chat_offer.is_none()
            }
            _ => false,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing {
            signed_in: self.status != AgentStatus::SignedOut,
            for_calls: self.may_take(Work::Call) && self.takes_calls_beside(),
            for_chats: self.may_take(Work::Chat) && self.slots_left() > 0,
            coming: crate::callers::is_coming(self.status),
        }
    }
}

impl AcdEngine {
    /// What a queue gives its agents.
    pub(crate) fn work_of(&self, queue: &QueueId) -> Work {
        self.queues.get(queue).map_or(Work::Call, |queue| queue.config.service.kind.work())
    }

    /// He no longer has the offer of `call`.
    pub(crate) fn clear_offer(&mut self, id: &AgentId, call: CallId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let is_chat = agent.chat_offer.take_if(|offer| offer.call == call).is_some();
        if is_chat {
            self.deadlines.clear(&Timer::ChatRing(id.clone()));
        } else {
            agent.leg = Leg::None;
            self.deadlines.clear(&Timer::Ring(id.clone()));
        }
    }

    /// Ends the offer of a chat, without blame.
    pub(crate) fn stop_chat_offer(&mut self, id: &AgentId) {
        if let Some(offer) = self.agents.get(id).and_then(|agent| agent.chat_offer.clone()) {
            self.withdraw(offer.call, id);
            self.take_back(id, &offer);
        }
    }

    /// Nobody has said whether he took it.
    pub(crate) fn nobody_reported_chat(&mut self, id: &AgentId, now: Time) {
        if let Some(offer) = self.agents.get(id).and_then(|agent| agent.chat_offer.clone()) {
            self.withdraw(offer.call, id);
            self.failed(offer.call, id, Cause::NoAnswer, now);
        }
    }

    /// A chat of his is over; says whether it was one of his.
    pub(crate) fn chat_released(&mut self, call: CallId, id: &AgentId, now: Time) -> bool {
        let Some(agent) = self.agents.get_mut(id) else { return false };
        let Some(chat) = agent.chats.get_mut(&call).filter(|chat| chat.until.is_none()) else {
            return false;
        };
        let ends = now + chat.wrap_up;
        match ends > now {
            true => {
                chat.until = Some(ends);
                let timer = Timer::ChatWrapUp(id.clone(), call);
                self.deadlines.set(timer, ends, TimerReason("acd: wrap-up of a chat"));
            }
            false => _ = agent.chats.remove(&call),
        }
        agent.idle = IdleSince::at(now);
        let why = match agent.is_talking() {
            true => "",
            false => agent.after_talk(),
        };
        self.settle(id, why, now);
        true
    }

    pub(crate) fn chat_wrapped_up(&mut self, id: &AgentId, call: CallId, now: Time) {
        self.change(id, |agent| _ = agent.chats.remove(&call));
        self.settle(id, "", now);
    }

    /// His chats that are over need no wrap-up any more.
    pub(crate) fn end_chat_wrap_ups(&mut self, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        for (call, _) in agent.chats.extract_if(.., |_, chat| chat.until.is_some()) {
            self.deadlines.clear(&Timer::ChatWrapUp(id.clone(), call));
        }
    }

    /// He has a chat that he had before a restart.
    pub(crate) fn restore_chat(
        &mut self,
        call: CallId,
        queue: &QueueId,
        id: &AgentId,
        now: Time,
    ) -> Result<(), Refused> {
        let agent = self.known(id)?;
        if agent.intent == Intent::SignedOut {
            let why = format!("agent {id} is not signed in");
            return Err(Refused { reason: RefusedReason::SignedOut, why });
        }
        let wrap_up = self.queues.get(queue).map(|queue| queue.config.wrap_up).unwrap_or_default();
        self.deadlines.clear(&Timer::ChatWrapUp(id.clone(), call));
        self.change(id, |agent| _ = agent.chats.insert(call, Chat { wrap_up, until: None }));
        self.settle(id, "has his chats as before the restart", now);
        Ok(())
    }

    /// One who has chats leaves when they are over; until then he gets no more. Says whether that is so.
    pub(crate) fn leaves_after_chats(&mut self, id: &AgentId, asked: &Asked) -> bool {
        let Some(agent) = self.agents.get_mut(id) else { return false };
        if asked.intent != Intent::SignedOut || !agent.is_chatting() {
            return false;
        }
        agent.obey(Asked { intent: Intent::NotReady, ..asked.clone() });
        agent.pending = Some(asked.clone());
        true
    }

    /// He wants at most so many chats at once. Those that he has stay his.
    pub(crate) fn want_chats(&mut self, id: &AgentId, most: u8, now: Time) -> Result<(), Refused> {
        if self.known(id)?.intent == Intent::SignedOut {
            let why = format!("agent {id} is not signed in");
            return Err(Refused { reason: RefusedReason::SignedOut, why });
        }
        self.change(id, |agent| agent.wanted_chats = Some(most));
        self.settle(id, "", now);
        Ok(())
    }

    /// Says how many chats he has and may have, if it is another number now; and counts him as what he is to his queues.
    pub(crate) fn tell_chats(&mut self, id: &AgentId, now: Time) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let (load, most) = (agent.load(), agent.most_chats());
        let (told, told_most) = core::mem::replace(&mut agent.told_chats, (load, most));
        if told != load {
            agent.account(agent.status, now);
        }
        if (told, told_most) != (load, most) {
            let chats = agent.chats.keys().copied().collect();
            self.out.push_back(AcdOutput::ChatsChanged { agent: id.clone(), chats, most });
        }
        self.count(id);
    }

    /// Keeps count of who is signed in to his queues, and of who is ready.
    fn count(&mut self, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else { return };
        let has = agent.standing();
        let had = core::mem::replace(&mut agent.counted, has);
        if had == has {
            return;
        }
        let step = |n: &mut u32, had: bool, has: bool| match (had, has) {
            (false, true) => *n = n.saturating_add(1),
            (true, false) => *n = n.saturating_sub(1),
            _ => {}
        };
        for name in &agent.serves {
            if let Some(queue) = self.queues.get_mut(name) {
                let work = queue.config.service.kind.work();
                step(&mut queue.signed_in, had.signed_in, has.signed_in);
                step(&mut queue.ready, had.is_ready(work), has.is_ready(work));
                step(&mut queue.working, had.coming, has.coming);
            }
        }
    }
}
