//! The engine: its state, its five entry points, and how a change of an agent is settled.

use crate::agent::{Agent, IdleSince, Intent};
use crate::api::{AcdCommand, AcdInput, AcdOutput, Refused};
use crate::queue::{Queue, Waiting};
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{AgentId, CallId, QueueId, UserId};
use cordboard_model::time::{Time, TimerReason, Wall, WallClock};
use cordboard_model::view::AgentStatus;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a deadline is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Wait(CallId),
    Announce(CallId),
    Ring(AgentId),
    WrapUp(AgentId),
    Hold(AgentId),
}

/// Queues and agents of every tenant.
///
/// Every status an agent did not ask for ends:
///
/// | status | ends at the latest |
/// | --- | --- |
/// | ringing | ring time of the queue and [`crate::RING_MARGIN`] after the offer |
/// | wrap-up | wrap-up time of the queue after the call |
/// | talking | with [`AcdInput::AgentReleased`], or [`AcdInput::AgentBusyOutside`] without a call. It has no deadline here: a leg cannot outlast the longest call and the media silence limit, which the call engine keeps |
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
    pub(crate) deadlines: Deadlines<Timer>,
    /// Queues that got a caller or a free agent since the last decision.
    pub(crate) touched: BTreeSet<QueueId>,
    /// Queues that lost an agent since then.
    pub(crate) deserted: BTreeSet<QueueId>,
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
            deadlines: Deadlines::default(),
            touched: BTreeSet::new(),
            deserted: BTreeSet::new(),
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
            AcdCommand::SignIn { agent } => self.sign_in(&agent, now),
            AcdCommand::SignOut { agent } => self.intend(&agent, Intent::SignedOut, now),
            AcdCommand::Ready { agent } => self.intend(&agent, Intent::Ready, now),
            AcdCommand::NotReady { agent } => self.intend(&agent, Intent::NotReady, now),
            AcdCommand::Rest { agent } => self.intend(&agent, Intent::Rest, now),
            AcdCommand::RestoreAgent { agent, status, since } => self.restore(&agent, status, since, now),
        };
        self.dispatch(now);
        done
    }

    /// Takes in what happened. What no longer fits (an answer to a withdrawn offer, the end of a
    /// call that left) is ignored.
    pub fn handle_input(&mut self, input: AcdInput, now: Time) {
        match input {
            AcdInput::Enter { call, queue, timeout_ms, priority, staffed } => {
                self.enter(call, queue, (timeout_ms, staffed), priority, now)
            }
            AcdInput::Abandoned { call } => self.abandoned(call, now),
            AcdInput::OfferRinging { call, agent } => self.rings(call, &agent),
            AcdInput::OfferAnswered { call, agent } => self.answered(call, &agent, now),
            AcdInput::OfferFailed { call, agent, why, caller_gone: false } => {
                self.failed(call, &agent, why, now)
            }
            AcdInput::OfferFailed { call, agent, .. } => self.gone_while_ringing(call, &agent, now),
            AcdInput::AgentReleased { call, agent } => self.released(call, &agent, now),
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
                Timer::Ring(agent) => self.nobody_reported(&agent, now),
                Timer::WrapUp(agent) => {
                    self.change(&agent, |a| a.wrap_up = None);
                    self.settle(&agent, "the wrap-up time is over", now);
                }
                Timer::Hold(agent) => {
                    self.change(&agent, |a| a.hold = None);
                    self.settle(&agent, "", now);
                }
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
            let was_free = matches!(a.status, AgentStatus::Ready | AgentStatus::Ringing);
            (a.derive().0 == AgentStatus::Ready && !was_free).then_some(IdleSince::at(now))
        });
        self.settle_since(id, why, self.wall.at(now), idle);
    }

    pub(crate) fn settle_since(&mut self, id: &AgentId, why: &str, since: Wall, idle: Option<IdleSince>) {
        let Some(agent) = self.agents.get_mut(id) else {
            return;
        };
        agent.idle = idle.unwrap_or(agent.idle);
        let (status, call) = agent.derive();
        if (status, call) != (agent.status, agent.call) {
            (agent.status, agent.call, agent.since) = (status, call, since);
            agent.why = why.into();
            self.out.push_back(AcdOutput::AgentChanged {
                agent: id.clone(),
                status,
                since,
                why: why.into(),
                call,
            });
            if status == AgentStatus::SignedOut {
                self.deserted.extend(agent.serves.iter().cloned());
            }
        }
        if agent.wrap_up.is_none() {
            self.deadlines.clear(&Timer::WrapUp(id.clone()));
        }
        match agent.removed && status == AgentStatus::SignedOut {
            true => self.forget(id),
            false => self.index(id),
        }
    }

    pub(crate) fn index(&mut self, id: &AgentId) {
        let Some(agent) = self.agents.get_mut(id) else {
            return;
        };
        let wanted = agent.free();
        let had = core::mem::replace(&mut agent.indexed, wanted);
        if wanted == had {
            return;
        }
        for name in &agent.serves {
            let Some(queue) = self.queues.get_mut(name) else {
                continue;
            };
            if let Some(old) = had {
                queue.free.remove(&(old, id.clone()));
            }
            if let Some(idle) = wanted {
                queue.free.insert((idle, id.clone()));
                self.touched.insert(name.clone());
            }
        }
    }
}
