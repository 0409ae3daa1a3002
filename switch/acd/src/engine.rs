//! The engine: its state, its five entry points, and how a change of an agent is settled.

use crate::absent::{Arrival, Kept};
use crate::agent::{Agent, IdleSince};
use crate::api::{AcdCommand, AcdInput, AcdOutput, Refused};
use crate::callers::{Entry, is_coming};
use crate::dispatch::turn;
use crate::queue::{Place, Queue, Turn, Waiting};
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId, UserId};
use cordboard_model::service::Work;
use cordboard_model::time::{Time, TimerReason, Wall, WallClock};
use cordboard_model::view::AgentStatus;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a deadline is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Wait(CallId),
    Announce(CallId),
    /// He has waited so long that the queue counts as busy.
    Busy(CallId),
    /// He takes any agent from then on.
    Stick(CallId),
    /// Its first caller has gained the priority he needs.
    Ripe(QueueId),
    Ring(AgentId),
    /// Nobody has said whether he takes the chat that he is offered.
    ChatRing(AgentId),
    /// He has wrapped up this chat.
    ChatWrapUp(AgentId, CallId),
    WrapUp(AgentId),
    Hold(AgentId),
    /// His break is as long as it may be.
    Rest(AgentId),
    /// His device was gone as long as it may be.
    Device(AgentId),
}

/// Queues and agents of every tenant.
///
/// Every status an agent did not ask for ends:
///
/// | status | ends at the latest |
/// | --- | --- |
/// | ringing | ring time of the queue and [`crate::RING_MARGIN`] after the offer |
/// | wrap-up | wrap-up time of the queue after the call |
/// | away | the time without a device that he is given |
/// | talking, hold | with [`AcdInput::AgentReleased`], or [`AcdInput::AgentBusyOutside`] without a call. It has no deadline here: a leg cannot outlast the longest call and the media silence limit, which the call engine keeps |
///
/// Time spent in a penalty after a failed offer is the status ready, and bounded too.
#[derive(Clone, Debug)]
pub struct AcdEngine {
    pub(crate) wall: WallClock,
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) calls: BTreeMap<CallId, Waiting>,
    /// Registered devices of every account that has any.
    pub(crate) contacts: BTreeMap<UserId, u32>,
    /// Whose calls ring at an account.
    pub(crate) by_user: BTreeMap<UserId, BTreeSet<AgentId>>,
    /// Whose calls ring at a number.
    pub(crate) by_number: BTreeMap<(TenantId, String), BTreeSet<AgentId>>,
    pub(crate) deadlines: Deadlines<Timer>,
    /// Callers who wait for one agent and are not being offered, by agent.
    pub(crate) held: BTreeMap<AgentId, BTreeMap<Place, CallId>>,
    /// Queues that got a caller or a free agent since the last decision.
    pub(crate) touched: BTreeSet<QueueId>,
    /// Agents who became free, or got a caller who waits for them, since then.
    pub(crate) touched_agents: BTreeSet<AgentId>,
    /// Queues that lost an agent since then.
    pub(crate) deserted: BTreeSet<QueueId>,
    /// Callers who are no longer offered, and of whom something was due meanwhile.
    pub(crate) due: BTreeSet<CallId>,
    /// Agents who may not be coming any more.
    pub(crate) gone_agents: BTreeSet<AgentId>,
    /// Those who are to be called back have no turn now.
    pub(crate) absent_held: bool,
    /// Callers counted, for the order within one moment.
    pub(crate) serial: u64,
    pub(crate) out: VecDeque<AcdOutput>,
}

impl AcdEngine {
    /// An engine without queues or agents.
    pub fn new(wall: WallClock) -> Self {
        Self {
            wall,
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            calls: BTreeMap::new(),
            contacts: BTreeMap::new(),
            by_user: BTreeMap::new(),
            by_number: BTreeMap::new(),
            deadlines: Deadlines::default(),
            held: BTreeMap::new(),
            touched: BTreeSet::new(),
            touched_agents: BTreeSet::new(),
            deserted: BTreeSet::new(),
            due: BTreeSet::new(),
            gone_agents: BTreeSet::new(),
            absent_held: false,
            serial: 0,
            out: VecDeque::new(),
        }
    }

    /// Takes a new relation between monotonic and wall clock.
    pub fn set_wall(&mut self, wall: WallClock) {
        self.wall = wall;
    }

    /// Carries out a command.
    pub fn handle_command(&mut self, command: AcdCommand<'_>, now: Time) -> Result<(), Refused> {
        let done = match command {
            AcdCommand::Configure(snapshot) => {
                self.configure(snapshot, now);
                Ok(())
            }
            AcdCommand::Order { agent, what, by } => self.order(&agent, what, by, now),
            AcdCommand::Device { agent, device } => self.choose_device(&agent, device, now),
            AcdCommand::Place { call, agent, by } => self.place(call, &agent, &by, now),
            AcdCommand::PutFirst { call } => self.put_first(call),
            AcdCommand::RestoreChat { call, queue, agent } => self.restore_chat(call, &queue, &agent, now),
            AcdCommand::HoldAbsent(held) => {
                self.hold_absent(held);
                Ok(())
            }
            AcdCommand::RestoreAgent { agent, status, reason, limit, since } => {
                self.restore(&agent, (status, reason, limit), since, now)
            }
        };
        self.dispatch(now);
        done
    }

    /// Takes in what happened. What no longer fits (an answer to a withdrawn offer, the end of a
    /// call that left) is ignored.
    pub fn handle_input(&mut self, input: AcdInput, now: Time) {
        match input {
            AcdInput::Enter { call, queue, timeout_ms, priority, staffed, wish } => {
                self.enter(Entry { call, queue, timeout_ms, priority, staffed, wish }, now);
            }
            AcdInput::Absent { call, queue, priority, since, reserve, from } => {
                self.keep_place(Kept { call, queue, priority, since, reserve, from }, now);
            }
            AcdInput::Arrived { call, queue, timeout_ms, priority, since, back } => {
                self.arrived(Arrival { call, queue, timeout_ms, priority, since, back }, now);
            }
            AcdInput::Leaving { call, how } => self.leaving(call, how),
            AcdInput::Abandoned { call } => self.abandoned(call, now),
            AcdInput::OfferRinging { call, agent } => self.rings(call, &agent),
            AcdInput::OfferAnswered { call, agent } => self.answered(call, &agent, now),
            AcdInput::OfferFailed { call, agent, why, caller_gone: false } => {
                self.failed(call, &agent, why, now)
            }
            AcdInput::OfferFailed { call, agent, .. } => self.gone_while_ringing(call, &agent, now),
            AcdInput::AgentReleased { call, agent } => self.released(call, &agent, now),
            AcdInput::Held { agent, call, on } => self.holds(&agent, call, on, now),
            AcdInput::Contacts { user, count } => self.registered(user, count, now),
            AcdInput::AgentBusyOutside { agent, call } => self.outside(&agent, call, now),
        }
        self.dispatch(now);
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(timer) = self.deadlines.pop_due(now) {
            match timer {
                Timer::Wait(call) => self.waited_long_enough(call, now),
                Timer::Announce(call) => self.announce(call, now),
                Timer::Busy(call) => self.waited_too_long(call, now),
                Timer::Stick(call) => self.takes_any(call),
                Timer::Ripe(queue) => {
                    self.touched.insert(queue);
                }
                Timer::Ring(agent) => self.nobody_reported(&agent, now),
                Timer::ChatRing(agent) => self.nobody_reported_chat(&agent, now),
                Timer::ChatWrapUp(agent, call) => self.chat_wrapped_up(&agent, call, now),
                Timer::WrapUp(agent) => {
                    self.change(&agent, |a| a.wrap_up = None);
                    self.settle(&agent, "the wrap-up time is over", now);
                }
                Timer::Hold(agent) => {
                    self.change(&agent, |a| a.hold = None);
                    self.settle(&agent, "", now);
                }
                Timer::Rest(agent) => self.overdue(&agent),
                Timer::Device(agent) => self.missed_too_long(&agent, now),
            }
        }
        self.dispatch(now);
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<AcdOutput> {
        self.out.pop_front()
    }

    /// When the engine wants to be woken, and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.deadlines.next()
    }

    pub(crate) fn change(&mut self, id: &AgentId, f: impl FnOnce(&mut Agent)) {
        if let Some(agent) = self.agents.get_mut(id) {
            f(agent);
        }
    }

    /// After every change of an agent: says it if his status is another one now, and puts him in
    /// or out of the free lists.
    pub(crate) fn settle(&mut self, id: &AgentId, why: &str, now: Time) {
        let idle = self.agents.get(id).and_then(|a| {
            // Ringing in vain costs no idle time; `failed` sets it where it does.
            let was_free = matches!(a.status, AgentStatus::Ready | AgentStatus::Ringing | AgentStatus::Away);
            (a.derive().0 == AgentStatus::Ready && !was_free).then_some(IdleSince::at(now))
        });
        self.settle_since(id, why, self.wall.at(now), idle, now);
    }

    pub(crate) fn settle_since(
        &mut self,
        id: &AgentId,
        why: &str,
        since: Wall,
        idle: Option<IdleSince>,
        now: Time,
    ) {
        if self.agents.get(id).is_some_and(|agent| agent.derive().0 == AgentStatus::SignedOut) {
            self.end_chat_wrap_ups(id);
        }
        let Some(agent) = self.agents.get_mut(id) else {
            return;
        };
        agent.idle = idle.unwrap_or(agent.idle);
        let (status, call) = agent.derive();
        let reason = agent.reason.clone().filter(|_| has_reason(status));
        let told = (agent.status, agent.call, &agent.told);
        let anew = core::mem::take(&mut agent.anew) && status == AgentStatus::Rest;
        if anew || (status, call, &reason) != told {
            let before = agent.status;
            if anew || status != before || call != agent.call {
                agent.since = since;
            }
            (agent.status, agent.call, agent.told) = (status, call, reason.clone());
            agent.why = why.into();
            agent.account(before, now);
            let by = agent.by.clone().filter(|_| status == agent.intent.status());
            let limit = agent.limit.filter(|_| status == AgentStatus::Rest);
            let (agent, why) = (id.clone(), why.into());
            self.out.push_back(AcdOutput::AgentChanged {
                agent,
                status,
                since,
                why,
                call,
                reason,
                limit,
                by,
            });
            self.leaves_behind(id, status);
            self.watch_rest(id, anew || before != AgentStatus::Rest, now);
        }
        self.tell_chats(id, now);
        self.watch_device(id, now);
        let Some(agent) = self.agents.get(id) else {
            return;
        };
        if agent.wrap_up.is_none() {
            self.deadlines.clear(&Timer::WrapUp(id.clone()));
        }
        match agent.removed && status == AgentStatus::SignedOut {
            true => self.forget(id),
            false => self.index(id),
        }
    }

    /// Those who wait for one who does not come are looked at.
    fn leaves_behind(&mut self, id: &AgentId, status: AgentStatus) {
        let Some(agent) = self.agents.get(id) else {
            return;
        };
        if status == AgentStatus::SignedOut {
            self.deserted.extend(agent.serves.iter().cloned());
        }
        if self.held.contains_key(id) && !is_coming(status) {
            self.gone_agents.insert(id.clone());
        }
    }

    pub(crate) fn index(&mut self, id: &AgentId) {
        let Some(agent) = self.agents.get(id) else {
            return;
        };
        let free = [agent.free(Work::Call), agent.free(Work::Chat)];
        let in_queue = |name: &QueueId| {
            let queue = self.queues.get(name)?;
            let [for_calls, for_chats] = free;
            let idle = match queue.config.service.kind.work() {
                Work::Call => for_calls,
                Work::Chat => for_chats,
            }?;
            Some((name.clone(), turn(agent, name, queue, idle)))
        };
        let wanted: Vec<(QueueId, Turn)> = agent.serves.iter().filter_map(in_queue).collect();
        if free.iter().any(Option::is_some) && self.held.contains_key(id) {
            self.touched_agents.insert(id.clone());
        }
        if wanted == agent.indexed {
            return;
        }
        let had = match self.agents.get_mut(id) {
            Some(agent) => core::mem::replace(&mut agent.indexed, wanted.clone()),
            None => return,
        };
        for (name, turn) in had {
            if let Some(queue) = self.queues.get_mut(&name) {
                queue.free.remove(&(turn, id.clone()));
            }
        }
        for (name, turn) in wanted {
            if let Some(queue) = self.queues.get_mut(&name) {
                queue.free.insert((turn, id.clone()));
                self.touched.insert(name);
            }
        }
    }
}

/// Whether a status is one that a reason is given for.
fn has_reason(status: AgentStatus) -> bool {
    matches!(status, AgentStatus::NotReady | AgentStatus::Rest | AgentStatus::SignedOut)
}
