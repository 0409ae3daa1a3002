//! Callers: how they come, wait and go.

use crate::agent::IdleSince;
use crate::api::{AcdOutput, Outcome};
use crate::engine::{AcdEngine, Timer};
use crate::queue::{Place, Queue, Waiting};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::time::{Duration, Time, TimerReason};
use cordboard_model::verb::{QueueEnd, Wish};
use cordboard_model::view::AgentStatus;

/// Shortest interval between two announcements to one caller, whatever the queue says.
pub const ANNOUNCE_MIN: Duration = Duration::from_secs(1);

const CALLER_GONE: &str = "the caller left while it rang";

/// A caller who comes.
pub(crate) struct Entry {
    pub(crate) call: CallId,
    pub(crate) queue: QueueId,
    pub(crate) timeout_ms: Option<u32>,
    pub(crate) priority: u8,
    pub(crate) staffed: bool,
    pub(crate) wish: Option<Wish>,
}

/// The agent a caller waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) agent: AgentId,
    /// He takes no other.
    pub(crate) only: bool,
}

impl AcdEngine {
    pub(crate) fn enter(&mut self, entry: Entry, now: Time) {
        self.leave(entry.call, Outcome::Moved, None, "the caller was moved", now);
        if let Some(refusal) = self.refusal(&entry) {
            self.ended(entry.call, entry.queue, refusal);
            return;
        }
        let wanted = entry.wish.as_ref().and_then(|wish| self.wanted(&entry, wish));
        let Entry { call, queue: id, timeout_ms, priority, staffed, wish } = entry;
        let Some(queue) = self.queues.get_mut(&id) else {
            return;
        };
        self.serial += 1;
        let place = Place::new(priority, IdleSince::at(now), self.serial, queue.ageing());
        let position = queue.insert(place, call, wanted.is_none());
        queue.offered += 1;
        let asked = timeout_ms.map(|ms| Duration::from_millis(u64::from(ms)));
        let limit = asked.map_or(queue.config.max_wait, |t| t.min(queue.config.max_wait));
        self.deadlines.set(Timer::Wait(call), now + limit, TimerReason("acd: longest wait"));
        self.out.push_back(AcdOutput::Entered { call, queue: id.clone(), position });
        if let Some(wanted) = &wanted {
            self.held.entry(wanted.agent.clone()).or_default().insert(place, call);
            self.touched_agents.insert(wanted.agent.clone());
            if let Some(wait) = wish.and_then(|wish| wish.wait) {
                let reason = TimerReason("acd: wait for the agent he knows");
                self.deadlines.set(Timer::Stick(call), now + wait, reason);
            }
        }
        let (queue, offered_to, placed) = (id.clone(), Vec::new(), false);
        let (due, leaves, absent) = (None, None, None);
        let wish = wanted;
        let waiting =
            Waiting { queue, place, priority, offered_to, placed, staffed, wish, due, leaves, absent };
        self.calls.insert(call, waiting);
        self.watch_busy(call, &id, now);
        self.touched.insert(id);
        self.announce(call, now);
    }

    /// The agent he waits for, if that agent may come.
    fn wanted(&self, entry: &Entry, wish: &Wish) -> Option<Wanted> {
        let only = wish.wait.is_none();
        self.may_come(&wish.agent, &entry.queue, only).then(|| Wanted { agent: wish.agent.clone(), only })
    }

    /// Whether an agent serves the queue and will take a call before long, or, for a caller who takes no other, at some
    /// time: while he is signed in.
    pub(crate) fn may_come(&self, id: &AgentId, queue: &QueueId, only: bool) -> bool {
        self.agents.get(id).filter(|agent| !agent.removed).is_some_and(|agent| {
            let is_there =
                if only { agent.status != AgentStatus::SignedOut } else { is_coming(agent.status) };
            is_there && agent.serves.contains(queue)
        })
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
        let wait = queue.wait(position, now).filter(|_| queue.config.announce_wait);
        self.out.push_back(AcdOutput::Position { call, queue: waiting.queue.clone(), position, wait });
        let reason = TimerReason("acd: announcement");
        let next = now + every.max(ANNOUNCE_MIN);
        self.deadlines.set(Timer::Announce(call), next, reason);
    }

    /// Takes a caller out of his queue. Agents who ring for him become free without blame, and their legs are taken down, but
    /// for one of `known`: he has answered, or has reported that the caller is gone.
    pub(crate) fn leave(
        &mut self,
        call: CallId,
        outcome: Outcome,
        known: Option<&AgentId>,
        why: &str,
        now: Time,
    ) -> Option<QueueId> {
        let waiting = self.calls.remove(&call)?;
        for timer in [Timer::Wait, Timer::Announce, Timer::Busy, Timer::Stick] {
            self.deadlines.clear(&timer(call));
        }
        if let Some(wanted) = &waiting.wish {
            self.unhold(&wanted.agent, waiting.place);
        }
        if let Some(queue) = self.queues.get_mut(&waiting.queue) {
            queue.remove(waiting.place);
            count(queue, waiting.absent.is_some(), outcome);
            if outcome == Outcome::Served {
                queue.served(waiting.place.since, now);
            }
            // one who was put first may have waited for the sake of others whose priority is higher than that of the next
            self.touched.insert(waiting.queue.clone());
        }
        let served = outcome == Outcome::Served;
        if waiting.absent.is_none_or(|absent| absent.recalled) {
            let agent = known.filter(|_| served).cloned();
            self.out.push_back(AcdOutput::Left { call, queue: waiting.queue.clone(), outcome, agent });
        }
        for agent in waiting.offered_to {
            if known != Some(&agent) {
                self.out.push_back(AcdOutput::Withdraw { call, agent: agent.clone(), elsewhere: served });
            }
            self.clear_offer(&agent, call);
            self.settle(&agent, why, now);
        }
        Some(waiting.queue)
    }

    pub(crate) fn leaving(&mut self, call: CallId, how: Outcome) {
        if let Some(waiting) = self.calls.get_mut(&call) {
            waiting.leaves = Some(how);
        }
    }

    fn way_of_leaving(&self, call: CallId) -> Outcome {
        self.calls.get(&call).and_then(|waiting| waiting.leaves).unwrap_or(Outcome::Abandoned)
    }

    pub(crate) fn abandoned(&mut self, call: CallId, now: Time) {
        self.leave(call, self.way_of_leaving(call), None, CALLER_GONE, now);
    }

    /// The offer ended because the caller did: the leg that reports it is down already, those of
    /// others who ring are not.
    pub(crate) fn gone_while_ringing(&mut self, call: CallId, reporter: &AgentId, now: Time) {
        self.leave(call, self.way_of_leaving(call), Some(reporter), CALLER_GONE, now);
    }

    /// He waited long enough for the agent he knows: any other may take him.
    pub(crate) fn takes_any(&mut self, call: CallId) {
        self.deadlines.clear(&Timer::Stick(call));
        let Some(waiting) = self.calls.get_mut(&call) else {
            return;
        };
        let Some(wanted) = waiting.wish.take() else {
            return;
        };
        let place = waiting.place;
        self.unhold(&wanted.agent, place);
        self.reopen(call);
    }

    /// Nobody waits for an agent who does not come: his callers take any other, and those who take no other are told when
    /// he has signed out, or serves their queue no more.
    pub(crate) fn give_up_on_agents(&mut self, now: Time) {
        for id in core::mem::take(&mut self.gone_agents) {
            let held = self.held.get(&id);
            let callers: Vec<CallId> = held.into_iter().flat_map(|held| held.values().copied()).collect();
            for call in callers {
                let Some((waiting, wanted)) =
                    self.calls.get(&call).and_then(|w| w.wish.as_ref().map(|wanted| (w, wanted)))
                else {
                    continue;
                };
                if self.may_come(&id, &waiting.queue, wanted.only) {
                    continue;
                }
                if !wanted.only {
                    self.takes_any(call);
                } else if let Some(queue) = self.leave(call, Outcome::NoAgent, None, "", now) {
                    self.ended(call, queue, (QueueEnd::NoAgent, None));
                }
            }
        }
    }

    pub(crate) fn unhold(&mut self, agent: &AgentId, place: Place) {
        if let Some(held) = self.held.get_mut(agent) {
            held.remove(&place);
            if held.is_empty() {
                self.held.remove(agent);
            }
        }
    }
}

/// One is no longer among those who wait. Who was absent was counted when he waited by himself.
fn count(queue: &mut Queue, absent: bool, outcome: Outcome) {
    match outcome {
        _ if absent => queue.absent = queue.absent.saturating_sub(1),
        Outcome::Served => queue.answered += 1,
        Outcome::Abandoned => queue.abandoned += 1,
        Outcome::Timeout => queue.timed_out += 1,
        Outcome::Gone
        | Outcome::Moved
        | Outcome::NobodySignedIn
        | Outcome::NoAgent
        | Outcome::Busy
        | Outcome::Key
        | Outcome::Flow
        | Outcome::PickedUp
        | Outcome::Ended
        | Outcome::Callback
        | Outcome::Unanswered => {}
    }
}

/// Whether an agent of this status will take a call before long.
pub(crate) fn is_coming(status: AgentStatus) -> bool {
    use AgentStatus::{Away, Hold, NotReady, Ready, Rest, Ringing, SignedOut, Talking, WrapUp};
    match status {
        Ready | Ringing | Talking | Hold | WrapUp => true,
        SignedOut | NotReady | Rest | Away => false,
    }
}
