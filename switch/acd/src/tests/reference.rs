//! The queue as one would write it on a napkin: lists, searched from one end to the other at every
//! step. Slow, and too simple to be wrong in the same way as the engine.

use crate::RING_MARGIN;
use cordboard_model::cause::Cause;
use cordboard_model::service::Strategy;
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::QueueEnd;
use cordboard_model::view::AgentStatus;

/// What a failed offer costs, and what it costs where nobody was reached.
const SHORT: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(30);

pub(super) struct RefQueue {
    pub(super) ring: Duration,
    pub(super) wrap_up: Duration,
    pub(super) max_wait: Duration,
    pub(super) max_length: usize,
    pub(super) rest_on_no_answer: bool,
    pub(super) strategy: Strategy,
    pub(super) ageing: Option<Duration>,
    /// So many free agents are kept for callers of this priority.
    pub(super) reserve: (usize, u64),
}

pub(super) struct RefCaller {
    pub(super) call: u64,
    pub(super) queue: usize,
    pub(super) priority: u8,
    pub(super) since: Time,
    /// Never, for one who is to be called back.
    pub(super) gives_up: Option<Time>,
    /// His time was over while it rang: he leaves when nobody answers.
    pub(super) over: bool,
    /// He is to be called back; whether he is called before an agent rings, and for how long that agent is kept.
    pub(super) absent: Option<Option<Duration>>,
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
    /// The queue whose callers he takes after those of others.
    pub(super) second: Option<usize>,
    /// What his skills are worth.
    pub(super) skill: u32,
    /// Calls taken since he signed in.
    pub(super) taken: u64,
    /// When each queue offered him a call last, counted in offers.
    pub(super) turns: [u64; 3],
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
    /// Agents kept free in the last step, for one who is called before they ring.
    pub(super) kept: Vec<(u64, usize)>,
    /// Those who lost their turn in the last step.
    pub(super) stranded: Vec<u64>,
    /// Waits ended in the last step.
    pub(super) ends: Vec<(u64, QueueEnd)>,
    /// Offers made so far.
    pub(super) made: u64,
}

impl Reference {
    pub(super) fn enter(&mut self, call: u64, q: usize, limit: Duration, priority: u8, now: Time) {
        self.drop_caller(call);
        let queue = &self.queues[q];
        let here = || self.callers.iter().filter(|c| c.queue == q);
        let at_once = here().all(|c| c.at.is_some()) && self.agents.iter().any(|a| a.free_for(q));
        if here().filter(|c| c.absent.is_none()).count() >= queue.max_length && !at_once {
            self.ends.push((call, QueueEnd::Full));
            return;
        }
        self.callers.push(RefCaller {
            call,
            queue: q,
            priority,
            since: now,
            gives_up: Some(now + limit.min(queue.max_wait)),
            over: false,
            absent: None,
            at: None,
        });
    }

    /// One who goes and has his place: at the end of the list, which is where he goes by when he came.
    pub(super) fn keep(
        &mut self,
        call: u64,
        from: u64,
        (q, priority): (usize, u8),
        since: Time,
        absent: Option<Duration>,
    ) {
        self.drop_caller(from);
        self.drop_caller(call);
        let (gives_up, over, absent, at) = (None, false, Some(absent), None);
        self.callers.push(RefCaller { call, queue: q, priority, since, gives_up, over, absent, at });
    }

    /// He is there, and waits from now on.
    pub(super) fn arrive(
        &mut self,
        call: u64,
        (q, priority): (usize, u8),
        since: Time,
        limit: Duration,
        now: Time,
    ) {
        let queue = &self.queues[q];
        let gives_up = Some(now + limit.min(queue.max_wait));
        let until = now + queue.ring + RING_MARGIN;
        let known = self.callers.iter_mut().find(|c| c.call == call && c.queue == q && c.absent.is_some());
        let Some(caller) = known else {
            self.drop_caller(call);
            self.callers.push(RefCaller {
                call,
                queue: q,
                priority,
                since,
                gives_up,
                over: false,
                absent: None,
                at: None,
            });
            return;
        };
        caller.gives_up = gives_up;
        let reserved = caller.absent.take().flatten().is_some();
        if let Some(a) = caller.at.filter(|_| reserved) {
            self.agents[a].busy = Busy::Ringing { call, until, rang: false, queue: q };
            self.offers.push((call, a));
        }
    }

    pub(super) fn drop_caller(&mut self, call: u64) {
        self.callers.retain(|c| c.call != call);
        for agent in &mut self.agents {
            if matches!(agent.busy, Busy::Ringing { call: c, .. } if c == call) {
                agent.busy = Busy::No;
            }
        }
    }

    /// One who is absent has had his turn, and has to be given his place again.
    fn put_back(&mut self, call: u64) {
        if self.callers.iter().any(|c| c.call == call && c.absent.is_some()) {
            self.callers.retain(|c| c.call != call);
            self.stranded.push(call);
        }
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
            self.agents[a].taken += 1;
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
            Cause::NoAnswer => agent.spared = Some((now + SHORT, false)),
            Cause::Busy | Cause::Declined => agent.spared = Some((now + SHORT, false)),
            _ => agent.spared = Some((now + LONG, true)),
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
            // a leg that was his when he left may still be up
            if agent.busy == Busy::No {
                agent.taken = 0;
            }
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
            .chain(self.callers.iter().filter(|c| !c.over).filter_map(|c| c.gives_up))
            .min()
    }

    pub(super) fn timeout(&mut self, now: Time) {
        for caller in &mut self.callers {
            caller.over |= caller.gives_up.is_some_and(|at| at <= now);
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
        let over = self.callers.extract_if(.., |c| c.over && c.at.is_none());
        self.ends.extend(over.map(|c| (c.call, QueueEnd::Timeout)));
        while let Some((c, a)) = self.best_pair(now) {
            let caller = &mut self.callers[c];
            caller.at = Some(a);
            let reserve = caller.absent.flatten();
            let until = now + reserve.unwrap_or(self.queues[caller.queue].ring) + RING_MARGIN;
            let (call, queue) = (caller.call, caller.queue);
            self.agents[a].busy = Busy::Ringing { call, until, rang: false, queue };
            self.made += 1;
            self.agents[a].turns[queue] = self.made;
            let told = if reserve.is_some() { &mut self.kept } else { &mut self.offers };
            told.push((call, a));
        }
    }

    /// Less is sooner, within his queue.
    fn place(&self, caller: &RefCaller) -> (i64, i64) {
        let ns = |d: u128| i64::try_from(d).unwrap();
        let came = ns(caller.since.since(Time::ZERO).as_nanos());
        match self.queues[caller.queue].ageing {
            None => (-i64::from(caller.priority), came),
            // a step of priority is worth the time in which it is gained
            Some(step) => (0, came - ns(step.as_nanos()) * i64::from(caller.priority)),
        }
    }

    fn priority(&self, caller: &RefCaller, now: Time) -> u64 {
        let step = self.queues[caller.queue].ageing.map(|step| step.as_nanos());
        let gained = step.map_or(0, |step| now.since(caller.since).as_nanos() / step);
        u64::from(caller.priority) + u64::try_from(gained).unwrap()
    }

    /// The first caller of a queue who is not being offered, if he may be served.
    fn first_caller(&self, q: usize, now: Time) -> Option<usize> {
        let open = self.callers.iter().enumerate().filter(|(_, c)| c.queue == q && c.at.is_none());
        let (first, caller) = open.min_by_key(|(i, c)| (self.place(c), c.since, *i))?;
        let free = self.agents.iter().filter(|a| a.free_for(q)).count();
        let (kept, priority) = self.queues[q].reserve;
        (free > kept || self.priority(caller, now) >= priority).then_some(first)
    }

    fn first_agent(&self, q: usize) -> Option<usize> {
        let free = self.agents.iter().enumerate().filter(|(_, a)| a.free_for(q));
        let key = |a: &RefAgent| {
            let term = match self.queues[q].strategy {
                Strategy::FewestCalls => i64::try_from(a.taken).unwrap(),
                Strategy::HighestSkill => -i64::from(a.skill),
                Strategy::RoundRobin => i64::try_from(a.turns[q]).unwrap(),
                Strategy::LongestIdle | Strategy::LeastOccupied => 0,
            };
            (a.second == Some(q), term, a.idle)
        };
        free.min_by_key(|(i, a)| (key(a), *i)).map(|(i, _)| i)
    }

    fn best_pair(&self, now: Time) -> Option<(usize, usize)> {
        let pairs = (0..self.queues.len()).filter_map(|q| {
            let (c, a) = (self.first_caller(q, now)?, self.first_agent(q)?);
            let caller = &self.callers[c];
            let second = self.agents[a].second == Some(q);
            Some(((core::cmp::Reverse(self.priority(caller, now)), second, caller.since, c), (c, a)))
        });
        pairs.min_by_key(|(order, _)| *order).map(|(_, pair)| pair)
    }

    /// Who waits in a queue, in the order of service.
    pub(super) fn waiting(&self, q: usize) -> Vec<u64> {
        let mut here: Vec<&RefCaller> = self.callers.iter().filter(|c| c.queue == q).collect();
        here.sort_by_key(|c| (self.place(c), c.since));
        here.iter().filter(|c| c.absent.is_none()).map(|c| c.call).collect()
    }

    /// Those who are to be called back to a queue.
    pub(super) fn absent(&self, q: usize) -> usize {
        self.callers.iter().filter(|c| c.queue == q && c.absent.is_some()).count()
    }
}
