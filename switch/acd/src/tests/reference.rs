//! The queue as one would write it on a napkin: lists, searched from one end to the other at every
//! step. Slow, and too simple to be wrong in the same way as the engine.

use crate::RING_MARGIN;
use cordboard_model::cause::Cause;
use cordboard_model::service::Strategy;
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::QueueEnd;
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;

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
    /// It is one of chats.
    pub(super) chat: bool,
    /// So many agents may ring for one caller.
    pub(super) most: usize,
    pub(super) ageing: Option<Duration>,
    /// Its name in reasons.
    pub(super) name: String,
    /// Offers it has made so far.
    pub(super) made: u64,
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
    pub(super) at: Vec<usize>,
    /// Nobody rings beside the agent who was kept free for him, or to whom a supervisor gave him.
    pub(super) alone: bool,
    /// The agent he waits for.
    pub(super) wish: Option<RefWish>,
}

/// He has this agent and no other; or until that moment.
#[derive(Clone, Copy)]
pub(super) struct RefWish {
    pub(super) agent: usize,
    pub(super) until: Option<Time>,
}

impl RefCaller {
    /// Whether one more agent may ring for him.
    pub(super) fn takes_more(&self, queue: &RefQueue) -> bool {
        let most = if self.absent.is_some() { 1 } else { queue.most };
        self.at.len() < most && !self.over && !self.alone && self.wish.is_none()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    No,
    Ringing { call: u64, until: Time, rang: bool, queue: usize },
    Talking { call: u64, queue: usize },
}

impl Busy {
    /// The same if it is for this call.
    fn of(self, call: u64) -> Self {
        match self {
            Busy::Ringing { call: c, .. } | Busy::Talking { call: c, .. } if c == call => self,
            _ => Busy::No,
        }
    }
}

pub(super) struct RefAgent {
    pub(super) serves: Vec<usize>,
    /// The queue whose callers he takes after those of others.
    pub(super) second: Option<usize>,
    /// What his skills are worth.
    pub(super) skill: u32,
    /// Calls taken since he signed in.
    pub(super) taken: u64,
    /// When he signed in, and since then each time at which he became busy or was busy no more.
    pub(super) signed_in: Time,
    pub(super) turned: Vec<(Time, bool)>,
    /// When each queue offered him a call last, counted in offers.
    pub(super) turns: [u64; 4],
    /// How many chats he may have; whether he gets chats while he talks, and calls while he has chats.
    pub(super) slots: (usize, bool, bool),
    /// The chat he is offered: until when, whether he has seen it, and its queue.
    pub(super) chat_offer: Option<(u64, Time, bool, usize)>,
    /// His chats; of one that is over, until when he wraps it up. With the time that he has for that.
    pub(super) chats: BTreeMap<u64, (Duration, Option<Time>)>,
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
            Busy::No if self.chat_offer.is_some() => AgentStatus::Ringing,
            Busy::No => self.wish,
        }
    }

    pub(super) fn free_for(&self, queue: usize, chat: bool) -> bool {
        let (most, during_call, beside) = self.slots;
        let leaves = self.later == Some(AgentStatus::SignedOut);
        let ready = self.status() == AgentStatus::Ready && !leaves;
        let free = if chat {
            let stays = self.wish == AgentStatus::Ready && self.later.is_none();
            let talks = self.status() == AgentStatus::Talking && during_call && stays;
            let spared = self.spared.is_some_and(|(_, by_device)| !by_device);
            (ready || talks && self.chat_offer.is_none()) && !spared && self.chats.len() < most
        } else {
            ready && self.devices > 0 && self.spared.is_none() && (beside || self.chats.is_empty())
        };
        free && self.serves.contains(&queue)
    }

    /// Whether a supervisor may give him work that he did not ask for.
    fn can_be_given(&self, chat: bool) -> bool {
        let here = self.status() != AgentStatus::SignedOut && self.later != Some(AgentStatus::SignedOut);
        let rings = matches!(self.busy, Busy::Ringing { .. });
        let can = match chat {
            true => !rings && self.chats.len() < self.slots.0,
            false => self.busy == Busy::No && !self.outside && self.devices > 0,
        };
        here && can && self.chat_offer.is_none()
    }

    fn is_busy(&self) -> bool {
        matches!(self.status(), AgentStatus::Talking | AgentStatus::WrapUp) || !self.chats.is_empty()
    }

    /// What part of his time he was busy, millionths: the sum of all stretches.
    fn occupied(&self, now: Time) -> i64 {
        let ends = self.turned.iter().skip(1).map(|(at, _)| *at).chain([now]);
        let stretches = self.turned.iter().zip(ends).filter(|((_, busy), _)| *busy);
        let busy: u128 = stretches.map(|((from, _), to)| to.since(*from).as_nanos()).sum();
        i64::try_from(busy * 1_000_000 / now.since(self.signed_in).as_nanos().max(1)).unwrap()
    }

    fn is_chatting(&self) -> bool {
        self.chats.values().any(|(_, until)| until.is_none())
    }

    /// What he is offered.
    pub(super) fn offered(&self) -> Option<u64> {
        match self.busy {
            Busy::Ringing { call, .. } => Some(call),
            _ => self.chat_offer.map(|(call, ..)| call),
        }
    }

    fn offer(&mut self, (call, chat): (u64, bool), until: Time, queue: usize) {
        match chat {
            true => self.chat_offer = Some((call, until, false, queue)),
            false => self.busy = Busy::Ringing { call, until, rang: false, queue },
        }
    }

    /// He is not offered it any more. Says from which queue it came.
    fn not_offered(&mut self, call: u64) -> Option<usize> {
        if let Some((.., queue)) = self.chat_offer.take_if(|(c, ..)| *c == call) {
            return Some(queue);
        }
        match self.busy {
            Busy::Ringing { call: c, queue, .. } if c == call => {
                self.busy = Busy::No;
                Some(queue)
            }
            _ => None,
        }
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
    /// Why each of them was made; nothing where an agent had been kept free.
    pub(super) reasons: Vec<Option<String>>,
    /// Agents kept free in the last step, for one who is called before they ring.
    pub(super) kept: Vec<(u64, usize)>,
    /// Those who lost their turn in the last step.
    pub(super) stranded: Vec<u64>,
    /// Waits ended in the last step.
    pub(super) ends: Vec<(u64, QueueEnd)>,
}

impl Reference {
    pub(super) fn enter(
        &mut self,
        call: u64,
        (q, priority): (usize, u8),
        limit: Duration,
        wish: Option<(usize, Option<Duration>)>,
        now: Time,
    ) {
        self.drop_caller(call);
        let comes = wish.is_some_and(|(a, wait)| self.may_come(a, q, wait.is_none()));
        if matches!(wish, Some((_, None))) && !comes {
            self.ends.push((call, QueueEnd::NoAgent));
            return;
        }
        let wish = wish.filter(|_| comes);
        let wish = wish.map(|(agent, wait)| RefWish { agent, until: wait.map(|wait| now + wait) });
        let queue = &self.queues[q];
        let here = || self.callers.iter().filter(|c| c.queue == q);
        let at_once =
            here().all(|c| !c.takes_more(queue)) && self.agents.iter().any(|a| a.free_for(q, queue.chat));
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
            at: Vec::new(),
            alone: false,
            wish,
        });
    }

    /// Whether an agent serves a queue and is at work; for a caller who takes no other, at least signed in.
    fn may_come(&self, a: usize, q: usize, only: bool) -> bool {
        use AgentStatus::{Hold, Ready, Ringing, SignedOut, Talking, WrapUp};
        let status = self.agents[a].status();
        let is_there = match only {
            true => status != SignedOut,
            false => matches!(status, Ready | Ringing | Talking | Hold | WrapUp),
        };
        is_there && self.agents[a].serves.contains(&q)
    }

    /// A supervisor gives a waiting caller to an agent.
    pub(super) fn give(&mut self, call: u64, a: usize, now: Time) {
        let Some(c) = self.callers.iter().position(|c| c.call == call) else { return };
        let (q, ringing) = (self.callers[c].queue, self.callers[c].at.clone());
        let chat = self.queues[q].chat;
        let rings_on = ringing.len() > 1 && ringing.contains(&a);
        let is_called_back = self.callers[c].absent.is_some() && !ringing.is_empty();
        if is_called_back || !rings_on && !self.agents[a].can_be_given(chat) {
            return;
        }
        for other in ringing.iter().filter(|other| **other != a) {
            self.agents[*other].not_offered(call);
            self.put_back(call, *other);
        }
        let Some(c) = self.callers.iter().position(|c| c.call == call) else { return };
        self.callers[c].alone = true;
        if rings_on {
            return;
        }
        if self.agents[a].wrap_up.take().is_some() {
            self.agents[a].idle = now;
        }
        self.make(c, a, "placed by 2001; ", now);
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
        let (gives_up, over, alone, absent, at) = (None, false, false, Some(absent), Vec::new());
        let (queue, wish) = (q, None);
        self.callers.push(RefCaller {
            call,
            queue,
            priority,
            since,
            gives_up,
            over,
            alone,
            absent,
            at,
            wish,
        });
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
                at: Vec::new(),
                alone: false,
                wish: None,
            });
            return;
        };
        caller.gives_up = gives_up;
        let reserved = caller.absent.take().flatten().is_some();
        let kept = caller.at.first().copied().filter(|_| reserved);
        caller.alone = kept.is_some();
        if let Some(a) = kept {
            let chat = self.queues[q].chat;
            self.agents[a].offer((call, chat), until, q);
            self.offers.push((call, a));
            self.reasons.push(None);
        }
    }

    pub(super) fn drop_caller(&mut self, call: u64) {
        self.callers.retain(|c| c.call != call);
        for agent in &mut self.agents {
            agent.not_offered(call);
        }
    }

    /// One who is absent has had his turn, and has to be given his place again.
    fn put_back(&mut self, call: u64, a: usize) {
        if self.callers.iter().any(|c| c.call == call && c.absent.is_some()) {
            self.callers.retain(|c| c.call != call);
            self.stranded.push(call);
        }
        for caller in &mut self.callers {
            if caller.call == call {
                caller.at.retain(|at| *at != a);
                caller.alone &= !caller.at.is_empty();
            }
        }
    }

    pub(super) fn rings(&mut self, call: u64, a: usize) {
        if let Busy::Ringing { call: c, rang, .. } = &mut self.agents[a].busy {
            *rang |= *c == call;
        }
        if let Some((c, _, rang, _)) = &mut self.agents[a].chat_offer {
            *rang |= *c == call;
        }
    }

    pub(super) fn answered(&mut self, call: u64, a: usize) {
        let Some(queue) = self.agents[a].not_offered(call) else { return };
        self.drop_caller(call);
        self.agents[a].taken += 1;
        match self.queues[queue].chat {
            true => _ = self.agents[a].chats.insert(call, (self.queues[queue].wrap_up, None)),
            false => self.agents[a].busy = Busy::Talking { call, queue },
        }
    }

    pub(super) fn failed(&mut self, call: u64, a: usize, why: Cause, now: Time) {
        let Some(queue) = self.agents[a].not_offered(call) else { return };
        for caller in self.callers.iter_mut().filter(|c| c.call == call) {
            // he had his chance
            caller.wish = caller.wish.filter(|wish| wish.agent != a || wish.until.is_none());
        }
        self.put_back(call, a);
        let agent = &mut self.agents[a];
        agent.idle = now;
        match why {
            Cause::NoAnswer if self.queues[queue].rest_on_no_answer => match agent.status() {
                AgentStatus::Talking => agent.later = Some(AgentStatus::Rest),
                _ => agent.wish = AgentStatus::Rest,
            },
            Cause::NoAnswer => agent.spared = Some((now + SHORT, false)),
            Cause::Busy | Cause::Declined => agent.spared = Some((now + SHORT, false)),
            _ => agent.spared = Some((now + LONG, !self.queues[queue].chat)),
        }
    }

    pub(super) fn released(&mut self, call: u64, a: usize, now: Time) {
        let Busy::Talking { queue, .. } = self.agents[a].busy.of(call) else {
            return self.chat_released(call, a, now);
        };
        let wrap_up = self.queues[queue].wrap_up;
        let agent = &mut self.agents[a];
        agent.busy = Busy::No;
        agent.wrap_up = (wrap_up > Duration::ZERO).then(|| now + wrap_up);
        self.talk_ended(a);
    }

    fn chat_released(&mut self, call: u64, a: usize, now: Time) {
        let agent = &mut self.agents[a];
        let Some((wrap_up, until @ None)) = agent.chats.get_mut(&call) else { return };
        match *wrap_up > Duration::ZERO {
            true => *until = Some(now + *wrap_up),
            false => _ = agent.chats.remove(&call),
        }
        agent.idle = now;
        self.talk_ended(a);
    }

    fn talk_ended(&mut self, a: usize) {
        let agent = &mut self.agents[a];
        if agent.status() != AgentStatus::Talking {
            if agent.is_chatting() && agent.later == Some(AgentStatus::SignedOut) {
                agent.wish = AgentStatus::NotReady;
                return;
            }
            agent.wish = agent.later.take().unwrap_or(agent.wish);
            if agent.wish == AgentStatus::SignedOut {
                agent.wrap_up = None;
                agent.chats.clear();
            }
        }
    }

    fn no_chat_offer(&mut self, a: usize) {
        if let Some((call, ..)) = self.agents[a].chat_offer.take() {
            self.put_back(call, a);
        }
    }

    pub(super) fn outside(&mut self, a: usize, on: bool) {
        if let (true, Busy::Ringing { call, .. }) = (on, self.agents[a].busy) {
            self.agents[a].busy = Busy::No;
            self.put_back(call, a);
        }
        if on && !self.agents[a].slots.1 {
            self.no_chat_offer(a);
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
        if self.agents[a].wish == AgentStatus::SignedOut {
            return;
        }
        if wish != AgentStatus::Ready {
            self.no_chat_offer(a);
        }
        let agent = &mut self.agents[a];
        if agent.status() == AgentStatus::Talking {
            agent.later = (wish != agent.wish).then_some(wish);
            return;
        }
        if wish != AgentStatus::Ready
            && let Busy::Ringing { call, .. } = agent.busy
        {
            agent.busy = Busy::No;
            self.put_back(call, a);
        }
        let agent = &mut self.agents[a];
        agent.wrap_up = None;
        agent.chats.retain(|_, (_, until)| until.is_none());
        let leaves = wish == AgentStatus::SignedOut && agent.is_chatting();
        agent.later = leaves.then_some(wish);
        agent.wish = if leaves { AgentStatus::NotReady } else { wish };
    }

    /// What its agents have, for who looks for a difference.
    pub(super) fn words(&self) -> String {
        let words = |a: &RefAgent| {
            format!(
                "{:?} offer {:?} chats {:?} wrap-up {:?} spared {:?}",
                a.status(),
                a.chat_offer,
                a.chats,
                a.wrap_up,
                a.spared
            )
        };
        self.agents.iter().map(words).collect::<Vec<_>>().join("; ")
    }

    /// The next moment at which something happens by itself.
    pub(super) fn next(&self) -> Option<Time> {
        let ringing = |a: &RefAgent| match a.busy {
            Busy::Ringing { until, .. } => Some(until),
            _ => None,
        };
        let agents = self.agents.iter();
        agents
            .flat_map(|a| {
                let chat = a.chat_offer.map(|(_, until, ..)| until);
                let wrapped = a.chats.values().filter_map(|(_, until)| *until).min();
                [ringing(a), a.wrap_up, a.spared.map(|s| s.0), chat, wrapped]
            })
            .flatten()
            .chain(self.callers.iter().filter(|c| !c.over).filter_map(|c| c.gives_up))
            .chain(self.callers.iter().filter_map(|c| c.wish?.until))
            .min()
    }

    pub(super) fn timeout(&mut self, now: Time) {
        for caller in &mut self.callers {
            caller.over |= caller.gives_up.is_some_and(|at| at <= now);
            caller.wish = caller.wish.filter(|wish| wish.until.is_none_or(|until| until > now));
        }
        for a in 0..self.agents.len() {
            if let Busy::Ringing { call, until, rang, .. } = self.agents[a].busy
                && until <= now
            {
                let why = if rang { Cause::NoAnswer } else { Cause::Unreachable };
                self.failed(call, a, why, now);
            }
            if let Some((call, until, ..)) = self.agents[a].chat_offer
                && until <= now
            {
                self.failed(call, a, Cause::NoAnswer, now);
            }
            let agent = &mut self.agents[a];
            agent.chats.retain(|_, (_, until)| until.is_none_or(|until| until > now));
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
            if *before == AgentStatus::SignedOut && agent.status() != AgentStatus::SignedOut {
                (agent.signed_in, agent.turned) = (now, Vec::new());
            }
            if agent.is_busy() != agent.turned.last().is_some_and(|(_, busy)| *busy) {
                agent.turned.push((now, agent.is_busy()));
            }
        }
        self.give_up_on_agents();
        let over = self.callers.extract_if(.., |c| c.over && c.at.is_empty());
        self.ends.extend(over.map(|c| (c.call, QueueEnd::Timeout)));
        while let Some((c, a)) = self.best_pair(now) {
            let by = if self.callers[c].wish.is_some() { "the caller waited for this agent; " } else { "" };
            self.make(c, a, by, now);
        }
    }

    /// Who waits for one who does not come takes any other, or leaves if he wanted no other.
    fn give_up_on_agents(&mut self) {
        for c in (0..self.callers.len()).rev() {
            let caller = &self.callers[c];
            let Some(wish) = caller.wish.filter(|_| caller.at.is_empty()) else { continue };
            if self.may_come(wish.agent, caller.queue, wish.until.is_none()) {
                continue;
            }
            match wish.until {
                Some(_) => self.callers[c].wish = None,
                None => {
                    let caller = self.callers.remove(c);
                    self.ends.push((caller.call, QueueEnd::NoAgent));
                }
            }
        }
    }

    fn make(&mut self, c: usize, a: usize, by: &str, now: Time) {
        let why = self.reason(c, a, by, now);
        let caller = &mut self.callers[c];
        caller.at.push(a);
        let reserve = caller.absent.flatten();
        let until = now + reserve.unwrap_or(self.queues[caller.queue].ring) + RING_MARGIN;
        let (call, queue) = (caller.call, caller.queue);
        let chat = self.queues[queue].chat;
        self.agents[a].offer((call, chat), until, queue);
        self.queues[queue].made += 1;
        self.agents[a].turns[queue] = self.queues[queue].made;
        match reserve.is_some() {
            true => self.kept.push((call, a)),
            false => {
                self.offers.push((call, a));
                self.reasons.push(Some(why));
            }
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

    pub(super) fn priority(&self, caller: &RefCaller, now: Time) -> u64 {
        let step = self.queues[caller.queue].ageing.map(|step| step.as_nanos());
        let gained = step.map_or(0, |step| now.since(caller.since).as_nanos() / step);
        u64::from(caller.priority) + u64::try_from(gained).unwrap()
    }

    /// The first caller of a queue for whom one more agent may ring, if he may be served.
    fn first_caller(&self, q: usize, now: Time) -> Option<usize> {
        let queue = &self.queues[q];
        let open = self.callers.iter().enumerate().filter(|(_, c)| c.queue == q && c.takes_more(queue));
        let (first, caller) = open.min_by_key(|(i, c)| (self.place(c), c.since, *i))?;
        let free = self.agents.iter().filter(|a| a.free_for(q, queue.chat)).count();
        let (kept, priority) = self.queues[q].reserve;
        (free > kept || self.priority(caller, now) >= priority).then_some(first)
    }

    /// What a queue's strategy goes by; less is sooner.
    pub(super) fn term(&self, a: usize, q: usize, now: Time) -> i64 {
        let agent = &self.agents[a];
        match self.queues[q].strategy {
            Strategy::FewestCalls => i64::try_from(agent.taken).unwrap(),
            Strategy::HighestSkill | Strategy::RingAll => -i64::from(agent.skill),
            Strategy::RoundRobin => i64::try_from(agent.turns[q]).unwrap(),
            Strategy::LeastOccupied => agent.occupied(now),
            Strategy::LongestIdle => 0,
        }
    }

    fn first_agent(&self, q: usize, now: Time) -> Option<usize> {
        let chat = self.queues[q].chat;
        let free = (0..self.agents.len()).filter(|a| self.agents[*a].free_for(q, chat));
        let key = |a: usize| {
            let agent = &self.agents[a];
            (agent.second == Some(q), agent.chats.len(), self.term(a, q, now), agent.idle)
        };
        free.min_by_key(|a| (key(*a), *a))
    }

    fn best_pair(&self, now: Time) -> Option<(usize, usize)> {
        let by_order = (0..self.queues.len())
            .filter_map(|q| Some((self.first_caller(q, now)?, self.first_agent(q, now)?)));
        let by_wish = self.callers.iter().enumerate().filter_map(|(c, caller)| {
            let agent = caller.wish.filter(|_| caller.at.is_empty())?.agent;
            let free = self.agents[agent].free_for(caller.queue, self.queues[caller.queue].chat);
            free.then_some((c, agent))
        });
        by_order.chain(by_wish).min_by_key(|(c, a)| {
            let caller = &self.callers[*c];
            let second = self.agents[*a].second == Some(caller.queue);
            (core::cmp::Reverse(self.priority(caller, now)), second, caller.since, *c)
        })
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
