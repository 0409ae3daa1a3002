//! The queue as one would write it on a napkin: lists, searched from one end to the other at every
//! step. Slow, and too simple to be wrong in the same way as the engine.

use crate::{BUSY_PENALTY, NO_ANSWER_PENALTY, RING_MARGIN, UNREACHABLE_PENALTY};
use cordboard_model::cause::Cause;
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::QueueEnd;
use cordboard_model::view::AgentStatus;

pub(super) struct RefQueue {
    pub(super) ring: Duration,
    pub(super) wrap_up: Duration,
    pub(super) max_wait: Duration,
    pub(super) max_length: usize,
    pub(super) rest_on_no_answer: bool,
}

pub(super) struct RefCaller {
    pub(super) call: u64,
    pub(super) queue: usize,
    pub(super) priority: u8,
    pub(super) since: Time,
    pub(super) gives_up: Time,
    pub(super) at: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    No,
    Ringing { call: u64, until: Time, rang: bool, queue: usize },
    Talking { call: u64, queue: usize },
}

pub(super) struct RefAgent {
    pub(super) serves: Vec<usize>,
    pub(super) wish: AgentStatus,
    pub(super) later: Option<AgentStatus>,
    pub(super) busy: Busy,
    pub(super) outside: bool,
    pub(super) wrap_up: Option<Time>,
    /// Until when he is spared, and whether a registration ends that.
    pub(super) spared: Option<(Time, bool)>,
    pub(super) devices: u32,
    pub(super) idle: Time,
}

impl RefAgent {
    pub(super) fn status(&self) -> AgentStatus {
        match self.busy {
            Busy::Ringing { .. } => AgentStatus::Ringing,
            Busy::Talking { .. } => AgentStatus::Talking,
            Busy::No if self.wish == AgentStatus::SignedOut => AgentStatus::SignedOut,
            Busy::No if self.outside => AgentStatus::Talking,
            Busy::No if self.wrap_up.is_some() => AgentStatus::WrapUp,
            Busy::No => self.wish,
        }
    }

    fn free_for(&self, queue: usize) -> bool {
        self.status() == AgentStatus::Ready
            && self.devices > 0
            && self.spared.is_none()
            && self.serves.contains(&queue)
    }
}

#[derive(Default)]
pub(super) struct Reference {
    pub(super) queues: Vec<RefQueue>,
    /// In the order they came.
    pub(super) callers: Vec<RefCaller>,
    pub(super) agents: Vec<RefAgent>,
    /// Offers made in the last step: call and agent.
    pub(super) offers: Vec<(u64, usize)>,
    /// Waits ended in the last step.
    pub(super) ends: Vec<(u64, QueueEnd)>,
}

impl Reference {
    pub(super) fn enter(&mut self, call: u64, q: usize, limit: Duration, priority: u8, now: Time) {
        self.drop_caller(call);
        let queue = &self.queues[q];
        if self.callers.iter().filter(|c| c.queue == q).count() >= queue.max_length {
            self.ends.push((call, QueueEnd::Full));
            return;
        }
        self.callers.push(RefCaller {
            call,
            queue: q,
            priority,
            since: now,
            gives_up: now + limit.min(queue.max_wait),
            at: None,
        });
    }

    pub(super) fn drop_caller(&mut self, call: u64) {
        self.callers.retain(|c| c.call != call);
        for agent in &mut self.agents {
            if matches!(agent.busy, Busy::Ringing { call: c, .. } if c == call) {
                agent.busy = Busy::No;
            }
        }
    }

    fn put_back(&mut self, call: u64) {
        for caller in &mut self.callers {
            if caller.call == call {
                caller.at = None;
            }
        }
    }

    pub(super) fn rings(&mut self, call: u64, a: usize) {
        if let Busy::Ringing { call: c, rang, .. } = &mut self.agents[a].busy {
            *rang |= *c == call;
        }
    }

    pub(super) fn answered(&mut self, call: u64, a: usize) {
        if let Busy::Ringing { call: c, queue, .. } = self.agents[a].busy
            && c == call
        {
            self.callers.retain(|c| c.call != call);
            self.agents[a].busy = Busy::Talking { call, queue };
        }
    }

    pub(super) fn failed(&mut self, call: u64, a: usize, why: Cause, now: Time) {
        let Busy::Ringing { call: c, queue, .. } = self.agents[a].busy else {
            return;
        };
        if c != call {
            return;
        }
        self.put_back(call);
        let agent = &mut self.agents[a];
        agent.busy = Busy::No;
        agent.idle = now;
        match why {
            Cause::NoAnswer if self.queues[queue].rest_on_no_answer => {
                agent.wish = AgentStatus::Rest;
            }
            Cause::NoAnswer => agent.spared = Some((now + NO_ANSWER_PENALTY, false)),
            Cause::Busy | Cause::Declined => agent.spared = Some((now + BUSY_PENALTY, false)),
            _ => agent.spared = Some((now + UNREACHABLE_PENALTY, true)),
        }
    }

    pub(super) fn released(&mut self, call: u64, a: usize, now: Time) {
        let Busy::Talking { call: c, queue } = self.agents[a].busy else {
            return;
        };
        if c == call {
            let wrap_up = self.queues[queue].wrap_up;
            let agent = &mut self.agents[a];
            agent.busy = Busy::No;
            agent.wrap_up = (wrap_up > Duration::ZERO).then(|| now + wrap_up);
            self.talk_ended(a);
        }
    }

    fn talk_ended(&mut self, a: usize) {
        let agent = &mut self.agents[a];
        if agent.status() != AgentStatus::Talking {
            agent.wish = agent.later.take().unwrap_or(agent.wish);
            if agent.wish == AgentStatus::SignedOut {
                agent.wrap_up = None;
            }
        }
    }

    pub(super) fn outside(&mut self, a: usize, on: bool) {
        if let (true, Busy::Ringing { call, .. }) = (on, self.agents[a].busy) {
            self.agents[a].busy = Busy::No;
            self.put_back(call);
        }
        self.agents[a].outside = on;
        self.talk_ended(a);
    }

    pub(super) fn devices(&mut self, a: usize, count: u32) {
        let agent = &mut self.agents[a];
        if agent.devices != count {
            agent.devices = count;
            agent.spared = agent.spared.filter(|(_, by_device)| !by_device);
        }
    }

    pub(super) fn sign_in(&mut self, a: usize) {
        let agent = &mut self.agents[a];
        if agent.wish == AgentStatus::SignedOut {
            agent.wish = AgentStatus::NotReady;
        } else if agent.later == Some(AgentStatus::SignedOut) {
            agent.later = None;
        }
    }

    pub(super) fn wish(&mut self, a: usize, wish: AgentStatus) {
        let agent = &mut self.agents[a];
        if agent.wish == AgentStatus::SignedOut {
            return;
        }
        if agent.status() == AgentStatus::Talking {
            agent.later = Some(wish);
            return;
        }
        if wish != AgentStatus::Ready
            && let Busy::Ringing { call, .. } = agent.busy
        {
            agent.busy = Busy::No;
            self.put_back(call);
        }
        self.agents[a].wish = wish;
        self.agents[a].wrap_up = None;
    }

    /// The next moment at which something happens by itself.
    pub(super) fn next(&self) -> Option<Time> {
        let ringing = |a: &RefAgent| match a.busy {
            Busy::Ringing { until, .. } => Some(until),
            _ => None,
        };
        let agents = self.agents.iter();
        agents
            .flat_map(|a| [ringing(a), a.wrap_up, a.spared.map(|s| s.0)])
            .flatten()
            .chain(self.callers.iter().map(|c| c.gives_up))
            .min()
    }

    pub(super) fn timeout(&mut self, now: Time) {
        while let Some(i) = self.callers.iter().position(|c| c.gives_up <= now) {
            let call = self.callers[i].call;
            self.drop_caller(call);
            self.ends.push((call, QueueEnd::Timeout));
        }
        for a in 0..self.agents.len() {
            if let Busy::Ringing { call, until, rang, .. } = self.agents[a].busy
                && until <= now
            {
                let why = if rang { Cause::NoAnswer } else { Cause::Unreachable };
                self.failed(call, a, why, now);
            }
            let agent = &mut self.agents[a];
            agent.wrap_up = agent.wrap_up.filter(|t| *t > now);
            agent.spared = agent.spared.filter(|(t, _)| *t > now);
        }
    }

    /// After every step, with the statuses before it: idle times, then every possible offer.
    pub(super) fn settle(&mut self, before: &[AgentStatus], now: Time) {
        for (agent, before) in self.agents.iter_mut().zip(before) {
            let was_free = matches!(before, AgentStatus::Ready | AgentStatus::Ringing);
            if agent.status() == AgentStatus::Ready && !was_free {
                agent.idle = now;
            }
        }
        while let Some((c, a)) = self.best_pair() {
            let caller = &mut self.callers[c];
            caller.at = Some(a);
            let until = now + self.queues[caller.queue].ring + RING_MARGIN;
            self.agents[a].busy =
                Busy::Ringing { call: caller.call, until, rang: false, queue: caller.queue };
            self.offers.push((caller.call, a));
        }
    }

    fn best_pair(&self) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize)> = None;
        for (c, caller) in self.callers.iter().enumerate() {
            for (a, agent) in self.agents.iter().enumerate() {
                if caller.at.is_some() || !agent.free_for(caller.queue) {
                    continue;
                }
                let better = best.is_none_or(|(bc, ba)| {
                    let other = &self.callers[bc];
                    match bc == c {
                        true => agent.idle < self.agents[ba].idle,
                        // Those who came before stand before in the list.
                        false => caller.priority > other.priority,
                    }
                });
                if better {
                    best = Some((c, a));
                }
            }
        }
        best
    }

    /// Who waits in a queue, in the order of service.
    pub(super) fn waiting(&self, q: usize) -> Vec<u64> {
        let mut here: Vec<&RefCaller> = self.callers.iter().filter(|c| c.queue == q).collect();
        here.sort_by_key(|c| (core::cmp::Reverse(c.priority), c.since));
        here.iter().map(|c| c.call).collect()
    }
}
