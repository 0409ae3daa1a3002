//! The engine against the napkin: the same random events, and after each the same offers in the same order and for the same
//! reasons, the same ends, the same statuses, the same waiting lists, the same next deadline.

use super::bench::*;
use super::reference::{Busy, RefAgent, RefQueue, Reference};
use crate::{AcdCommand, AcdEngine, AcdInput, AcdOutput};
use cordboard_model::cause::Cause;
use cordboard_model::config::{self, Queue};
use cordboard_model::id::AgentId;
use cordboard_model::id::Name;
use cordboard_model::service::{
    AgentKind, AgentOrder, ChatSlots, QueueKind, Reserve, RingMost, Spare, Strategy, WantedSkill, Work,
};
use cordboard_model::time::{Duration, Time, WallClock};
use cordboard_model::verb::Wish;
use cordboard_model::view::AgentStatus;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

const RUNS: u64 = 100_000;
const STEPS: usize = 60;
/// The last is one of chats.
const QUEUES: [&str; 4] = ["help", "sales", "vip", "web"];
const WEB: usize = 3;
const AGENTS: [(&str, &[usize]); 4] =
    [("1001", &[0]), ("1002", &[0, 1]), ("1003", &[1, 2, WEB]), ("1004", &[0, 1, 2, WEB])];

/// The level below which nobody is offered callers of a queue that wants one.
const LEAST: u8 = 10;

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(n).unwrap()).unwrap()
    }
}

/// How the queues of a run serve.
struct Variant(u64);

impl Variant {
    fn queues(&self, queues: &mut [config::Queue; 4]) {
        const STRATEGIES: [Strategy; 6] = [
            Strategy::LongestIdle,
            Strategy::FewestCalls,
            Strategy::HighestSkill,
            Strategy::RoundRobin,
            Strategy::RingAll,
            Strategy::LeastOccupied,
        ];
        for (n, queue) in (0..).zip(queues.iter_mut()) {
            let service = &mut queue.service;
            service.strategy = STRATEGIES[usize::try_from((self.0 + n) % 6).unwrap()];
            service.ring_all_most = RingMost(if (self.0 / 5).is_multiple_of(2) { 10 } else { 2 });
            let least = if (self.0 / 4 + n).is_multiple_of(3) { LEAST } else { 0 };
            service.skills.insert(Name::new("english").unwrap(), WantedSkill { weight: 3, least });
            if (self.0 / 10 + n).is_multiple_of(3) {
                service.ageing = Some(Duration::from_secs(4));
            }
        }
        // A caller who ages into his turn is for the other tests: the napkin has no clock for it.
        if self.0 / 30 % 2 == 1 && queues[1].service.ageing.is_none() {
            queues[1].service.reserve = Some(Reserve { agents: 1, priority: 1 });
        }
    }

    fn agent(&self, agent: &mut config::Agent) {
        let number: u64 = agent.id.name.as_str().parse().unwrap();
        let level = u8::try_from(number * 7 % 4 * 10).unwrap();
        agent.duty.skills.insert(Name::new("english").unwrap(), level);
        if (self.0 / 60 + number).is_multiple_of(3) {
            agent.duty.preference.insert(agent.queues[0].name.clone(), 2);
        }
        if agent.queues.iter().any(|queue| queue.name.as_str() == QUEUES[WEB]) {
            agent.duty.kind = AgentKind::AllRound;
        }
        let bits = self.0 / 7 + number;
        agent.duty.chats = ChatSlots {
            most: u8::try_from(1 + bits % 3).unwrap(),
            during_call: (bits / 3).is_multiple_of(2),
            calls_beside: (bits / 6).is_multiple_of(2),
        };
    }
}

struct Pair {
    engine: AcdEngine,
    napkin: Reference,
    ids: Vec<AgentId>,
    now: Time,
    calls: u64,
    made: u64,
    offers: Vec<(u64, String)>,
    /// Why the engine made them.
    reasons: Vec<String>,
    /// Offers to those who were waited for, and to those to whom somebody gave a caller.
    wished: u64,
    placed: u64,
    /// Agents kept free.
    kept: Vec<(u64, String)>,
    /// Those who lost their turn, and those of them who have to be given their places again.
    stranded: Vec<u64>,
    /// Who is to be called back: his queue, his priority, when he came, and how long an agent is kept for him.
    places: BTreeMap<u64, (usize, u8, Time, Option<Duration>)>,
    recalled: u64,
    ends: Vec<(u64, cordboard_model::verb::QueueEnd)>,
}

/// A queue as the napkin has it.
fn on_napkin(q: &Queue) -> RefQueue {
    let reserve = |r: Reserve| (usize::try_from(r.agents).unwrap(), r.priority.into());
    RefQueue {
        ring: q.ring,
        wrap_up: q.wrap_up,
        max_wait: q.max_wait,
        max_length: usize::try_from(q.max_length).unwrap(),
        rest_on_no_answer: q.service.unanswered.no_answer == Spare::Usual,
        strategy: q.service.strategy,
        chat: q.service.kind.work() == Work::Chat,
        most: match q.service.strategy {
            Strategy::RingAll => q.service.ring_all_most.0.into(),
            _ => 1,
        },
        ageing: q.service.ageing,
        name: q.id.to_string(),
        made: 0,
        reserve: q.service.reserve.map_or((0, 0), reserve),
    }
}

/// The queues of an agent that want no more skill than he has.
fn eligible(agent: &config::Agent, serves: &[usize], queues: &[Queue]) -> Vec<usize> {
    let wants = |q: &&usize| queues[**q].service.skills.iter();
    let level = |name: &Name| agent.duty.skills.get(name).copied().unwrap_or(0);
    let may = |q: &&usize| wants(q).all(|(name, wanted)| level(name) >= wanted.least);
    serves.iter().filter(may).copied().collect()
}

impl Pair {
    fn new(variant: &Variant) -> Self {
        let mut queues = QUEUES.map(queue_config);
        no_rest(&mut queues[0]);
        queues[0].max_length = 3;
        queues[1].wrap_up = Duration::ZERO;
        queues[2].max_wait = Duration::from_secs(15);
        queues[2].ring = Duration::from_secs(5);
        queues[WEB].service.kind = QueueKind::Multimedia;
        queues[WEB].wrap_up = Duration::from_secs(4);
        variant.queues(&mut queues);
        let napkin_queues = queues.iter().map(on_napkin);
        let now = Time::from_millis(1_000);
        let agents = AGENTS.map(|(name, serves)| {
            let names: Vec<&str> = serves.iter().map(|q| QUEUES[*q]).collect();
            let mut agent = agent_config(name, &names);
            variant.agent(&mut agent);
            agent
        });
        let english = Name::new("english").unwrap();
        let napkin_agents = AGENTS.map(|(name, serves)| {
            let agent = agents.iter().find(|a| a.id.name.as_str() == name).unwrap();
            RefAgent {
                serves: eligible(agent, serves, &queues),
                second: QUEUES.iter().position(|q| agent.duty.preference.contains_key(*q)),
                skill: agent.duty.skills.get(&english).copied().map_or(0, u32::from) * 3,
                taken: 0,
                signed_in: now,
                turned: Vec::new(),
                turns: [0; 4],
                slots: {
                    let slots = agent.duty.chats;
                    (slots.most.into(), slots.during_call, slots.calls_beside)
                },
                chat_offer: None,
                chats: BTreeMap::new(),
                wish: AgentStatus::SignedOut,
                later: None,
                busy: Busy::No,
                outside: false,
                wrap_up: None,
                spared: None,
                devices: 0,
                idle: now,
            }
        });
        let napkin = Reference {
            queues: napkin_queues.collect(),
            agents: napkin_agents.into(),
            ..Reference::default()
        };
        let mut engine = AcdEngine::new(WallClock { at_zero: NOON });
        let config = snapshot(queues.to_vec(), agents.to_vec());
        let configure = AcdCommand::Configure(&config);
        engine.handle_command(configure, now).unwrap();
        Self {
            engine,
            napkin,
            ids: AGENTS.iter().map(|(name, _)| agent(name)).collect(),
            now,
            calls: 0,
            made: 0,
            offers: Vec::new(),
            reasons: Vec::new(),
            wished: 0,
            placed: 0,
            kept: Vec::new(),
            stranded: Vec::new(),
            places: BTreeMap::new(),
            recalled: 0,
            ends: Vec::new(),
        }
    }

    fn tell(&mut self, input: AcdInput, also: impl FnOnce(&mut Reference, Time)) {
        self.engine.handle_input(input, self.now);
        self.compare(also);
    }

    fn ask(&mut self, command: AcdCommand<'_>, also: impl FnOnce(&mut Reference, Time)) {
        // A refusal leaves everything as it was, on the napkin too.
        let _ = self.engine.handle_command(command, self.now);
        self.compare(also);
    }

    fn compare(&mut self, also: impl FnOnce(&mut Reference, Time)) {
        let before: Vec<AgentStatus> = self.napkin.agents.iter().map(RefAgent::status).collect();
        also(&mut self.napkin, self.now);
        self.napkin.settle(&before, self.now);
        while let Some(output) = self.engine.poll_output() {
            match output {
                AcdOutput::Offer { call, agent, why, .. } => {
                    self.offers.push((call.number, agent.name.to_string()));
                    self.wished += u64::from(why.starts_with("the caller waited for this agent"));
                    self.placed += u64::from(why.starts_with("placed by"));
                    self.reasons.push(why);
                    self.made += 1;
                }
                AcdOutput::Reserved { call, agent, .. } => {
                    self.kept.push((call.number, agent.name.to_string()));
                    self.made += 1;
                }
                AcdOutput::Stranded { call, .. } => self.stranded.push(call.number),
                AcdOutput::Recalled { .. } => self.recalled += 1,
                AcdOutput::QueueEnded { call, end, .. } => self.ends.push((call.number, end)),
                _ => {}
            }
        }
        let name = |(call, a): (u64, usize)| (call, AGENTS[a].0.to_string());
        let offers: Vec<_> = self.napkin.offers.drain(..).map(name).collect();
        assert_eq!(core::mem::take(&mut self.offers), offers);
        let reasons = core::mem::take(&mut self.reasons);
        for (why, on_napkin) in reasons.iter().zip(self.napkin.reasons.drain(..)) {
            assert_eq!(*why, on_napkin.unwrap_or_else(|| why.clone()));
        }
        let kept: Vec<_> = self.napkin.kept.drain(..).map(name).collect();
        assert_eq!(core::mem::take(&mut self.kept), kept);
        let mut stranded = core::mem::take(&mut self.napkin.stranded);
        stranded.sort_unstable();
        self.stranded.sort_unstable();
        assert_eq!(self.stranded, stranded);
        let mut ends = core::mem::take(&mut self.napkin.ends);
        // Waits that end in one moment have no order among them.
        ends.sort_by_key(|(call, _)| *call);
        self.ends.sort_by_key(|(call, _)| *call);
        assert_eq!(core::mem::take(&mut self.ends), ends);
        for (id, agent) in self.ids.iter().zip(&self.napkin.agents) {
            assert_eq!(self.engine.agents[id].status, agent.status(), "{id}");
            let chats = self.engine.agents[id].chats.iter().map(|(call, chat)| (call.number, chat.until));
            let on_napkin = agent.chats.iter().map(|(call, (_, until))| (*call, *until));
            assert!(chats.eq(on_napkin), "{id}");
        }
        let next = self.engine.poll_timeout().map(|(at, _)| at);
        assert_eq!(next, self.napkin.next(), "{}", self.napkin.words());
        // as the shard does: by another call
        for call in core::mem::take(&mut self.stranded) {
            if let Some((q, priority, since, reserve)) = self.places.remove(&call) {
                self.keep(None, (q, priority), since, reserve);
            }
        }
    }

    /// Somebody is to be called back, who waits by a call or not.
    fn keep(
        &mut self,
        from: Option<u64>,
        (q, priority): (usize, u8),
        since: Time,
        reserve: Option<Duration>,
    ) {
        self.calls += 1;
        let n = self.calls;
        self.places.insert(n, (q, priority, since, reserve));
        let input = AcdInput::Absent {
            call: call(n),
            queue: queue(QUEUES[q]),
            priority,
            since: WallClock { at_zero: NOON }.at(since),
            reserve,
            from: from.map(call),
        };
        let before = from.unwrap_or(n);
        self.tell(input, |napkin, _| napkin.keep(n, before, (q, priority), since, reserve));
    }

    /// A caller leaves and is to be called back, or one comes on the list by himself.
    fn goes(&mut self, dice: &mut Dice) {
        let here: Vec<(u64, usize, u8, Time)> = self
            .napkin
            .callers
            .iter()
            .filter(|c| c.absent.is_none())
            .map(|c| (c.call, c.queue, c.priority, c.since))
            .collect();
        let reserve = [None, Some(Duration::from_secs(8))][dice.below(2)];
        match here.is_empty() || dice.below(4) == 0 {
            true => {
                let (q, priority) = (dice.below(QUEUES.len()), [0, 0, 1, 7][dice.below(4)]);
                self.keep(None, (q, priority), self.now, reserve);
            }
            false => {
                let (from, q, priority, since) = here[dice.below(here.len())];
                self.keep(Some(from), (q, priority), since, reserve);
            }
        }
    }

    /// One who is to be called back is there: he was called and has answered, or calls by himself.
    fn arrives(&mut self, dice: &mut Dice) {
        let Some((n, (q, priority, since, _))) = self.places.pop_first() else { return };
        let own = dice.below(3) == 0;
        if own {
            self.tell(AcdInput::Abandoned { call: call(n) }, |napkin, _| napkin.drop_caller(n));
            self.calls += 1;
        }
        let n = if own { self.calls } else { n };
        let input = AcdInput::Arrived {
            call: call(n),
            queue: queue(QUEUES[q]),
            timeout_ms: Some(9_000),
            priority,
            since: WallClock { at_zero: NOON }.at(since),
            back: false,
        };
        let limit = Duration::from_secs(9);
        self.tell(input, |napkin, now| napkin.arrive(n, (q, priority), since, limit, now));
    }

    fn compare_lists(&self) {
        for view in self.engine.queues(T) {
            let name = view.queue.name.as_str();
            let q = QUEUES.iter().position(|q| *q == name).unwrap();
            let waiting: Vec<u64> = view.waiting.iter().map(|w| w.call.number).collect();
            assert_eq!(waiting, self.napkin.waiting(q), "{name}");
            assert_eq!(view.callbacks as usize, self.napkin.absent(q), "{name}");
        }
    }

    fn pass(&mut self, d: Duration) {
        let end = self.now + d;
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.engine.handle_timeout(at);
            self.compare(|napkin, now| napkin.timeout(now));
        }
        self.now = end;
    }

    /// The call an agent rings or talks for; now and then another one.
    fn some_call(&self, a: usize, dice: &mut Dice) -> u64 {
        match self.napkin.agents[a].busy {
            _ if self.napkin.agents[a].chat_offer.is_some() && dice.below(8) > 1 => {
                self.napkin.agents[a].offered().unwrap()
            }
            _ if !self.napkin.agents[a].chats.is_empty() && dice.below(2) == 0 => {
                let chats = &self.napkin.agents[a].chats;
                *chats.keys().nth(dice.below(chats.len())).unwrap()
            }
            Busy::Ringing { call, .. } | Busy::Talking { call, .. } if dice.below(8) > 0 => call,
            _ => u64::try_from(dice.below(usize::try_from(self.calls + 1).unwrap())).unwrap(),
        }
    }

    fn busy_agent(&self, dice: &mut Dice) -> Option<usize> {
        let busy = |a: &usize| {
            let agent = &self.napkin.agents[*a];
            agent.busy != Busy::No || agent.chat_offer.is_some() || !agent.chats.is_empty()
        };
        let busy: Vec<usize> = (0..AGENTS.len()).filter(busy).collect();
        match busy.is_empty() || dice.below(8) == 0 {
            true => None,
            false => Some(busy[dice.below(busy.len())]),
        }
    }

    fn step(&mut self, dice: &mut Dice) {
        let a = dice.below(AGENTS.len());
        match dice.below(25) {
            23 | 24 => self.place(a, dice),
            20 | 21 => self.goes(dice),
            22 => self.arrives(dice),
            0..=3 => self.enter(dice),
            4 => {
                let n = self.some_call(a, dice);
                self.tell(AcdInput::Abandoned { call: call(n) }, |napkin, _| napkin.drop_caller(n));
            }
            5..=12 => {
                let a = self.busy_agent(dice).unwrap_or(a);
                self.report(a, dice);
            }
            13..=16 => self.intend(a, dice),
            17..=18 => {
                let ms = [0, 1, 900, 5_000, 12_000, 40_000][dice.below(6)];
                self.pass(Duration::from_millis(ms));
            }
            _ => {
                let soon = self.napkin.next().map(|at| at.since(self.now));
                self.pass(soon.unwrap_or_default());
            }
        }
    }

    /// A supervisor gives a caller who waits to an agent, or tries to.
    fn place(&mut self, a: usize, dice: &mut Dice) {
        let waiting: Vec<u64> = self.napkin.callers.iter().map(|c| c.call).collect();
        let n = match waiting.is_empty() {
            true => self.calls,
            false => waiting[dice.below(waiting.len())],
        };
        let agent = self.ids[a].clone();
        let place = AcdCommand::Place { call: call(n), agent, by: "2001".into() };
        self.ask(place, |napkin, now| napkin.give(n, a, now));
    }

    fn enter(&mut self, dice: &mut Dice) {
        // One in ten comes back while it waits or talks.
        let again = self.calls > 0 && dice.below(10) == 0;
        let n = match again {
            true => u64::try_from(dice.below(usize::try_from(self.calls).unwrap())).unwrap() + 1,
            false => self.calls + 1,
        };
        self.calls = self.calls.max(n);
        let q = dice.below(QUEUES.len());
        let limit = [None, Some(2_000), Some(25_000)][dice.below(3)];
        let priority = [0, 0, 0, 1, 7][dice.below(5)];
        // One in three knows the agent he wants. No other time of the test is a sum of these.
        let waits = [None, Some(Duration::from_millis(3_337)), Some(Duration::from_millis(17_411))];
        let wish = (dice.below(3) == 0).then(|| (dice.below(AGENTS.len()), waits[dice.below(3)]));
        let input = AcdInput::Enter {
            call: call(n),
            queue: queue(QUEUES[q]),
            timeout_ms: limit,
            priority,
            staffed: false,
            wish: wish.map(|(a, wait)| Wish { agent: self.ids[a].clone(), wait }),
        };
        let limit = limit.map_or(Duration::MAX, |ms| Duration::from_millis(ms.into()));
        self.tell(input, |napkin, now| napkin.enter(n, (q, priority), limit, wish, now));
    }

    fn report(&mut self, a: usize, dice: &mut Dice) {
        let n = self.some_call(a, dice);
        let (call, agent) = (call(n), self.ids[a].clone());
        match dice.below(8) {
            0 => self.tell(AcdInput::OfferRinging { call, agent }, |napkin, _| napkin.rings(n, a)),
            1 | 2 => {
                let input = AcdInput::OfferAnswered { call, agent };
                self.tell(input, |napkin, _| napkin.answered(n, a));
            }
            3 | 4 => {
                let input = AcdInput::AgentReleased { call, agent };
                self.tell(input, |napkin, now| napkin.released(n, a, now));
            }
            5 => {
                let input = AcdInput::OfferFailed { call, agent, why: Cause::Cancelled, caller_gone: true };
                self.tell(input, |napkin, _| napkin.drop_caller(n));
            }
            _ => {
                let why =
                    [Cause::NoAnswer, Cause::Busy, Cause::Declined, Cause::Unreachable, Cause::NotRegistered]
                        [dice.below(5)];
                let input = AcdInput::OfferFailed { call, agent, why, caller_gone: false };
                self.tell(input, |napkin, now| napkin.failed(n, a, why, now));
            }
        }
    }

    fn intend(&mut self, a: usize, dice: &mut Dice) {
        let agent = self.ids[a].clone();
        match dice.below(11) {
            0 | 1 => self.ask(order(AGENTS[a].0, AgentOrder::SignIn), |napkin, _| napkin.sign_in(a)),
            2 => {
                let wish = AgentStatus::SignedOut;
                self.ask(order(AGENTS[a].0, AgentOrder::SignOut), |napkin, _| napkin.wish(a, wish));
            }
            3..=5 => {
                let wish = AgentStatus::Ready;
                self.ask(order(AGENTS[a].0, AgentOrder::Ready), |napkin, _| napkin.wish(a, wish));
            }
            6 => {
                let wish = AgentStatus::NotReady;
                self.ask(order(AGENTS[a].0, AgentOrder::NotReady { reason: None }), |napkin, _| {
                    napkin.wish(a, wish)
                });
            }
            7 => {
                let wish = AgentStatus::Rest;
                self.ask(order(AGENTS[a].0, AgentOrder::Rest { reason: None, limit: None }), |napkin, _| {
                    napkin.wish(a, wish)
                });
            }
            8 | 9 => {
                let count = [0, 1, 1, 2][dice.below(4)];
                let user = user(AGENTS[a].0);
                let input = AcdInput::Contacts { user, count };
                self.tell(input, |napkin, _| napkin.devices(a, count));
            }
            _ => {
                let on = !self.napkin.agents[a].outside;
                let call = on.then(|| call(1_000_000));
                let input = AcdInput::AgentBusyOutside { agent, call };
                self.tell(input, |napkin, _| napkin.outside(a, on));
            }
        }
    }
}

#[test]
fn the_engine_does_what_the_napkin_does() {
    let (mut offers, mut answered, mut recalled, mut chats) = (0, 0, 0, 0);
    let (mut wished, mut placed) = (0, 0);
    for seed in 0..RUNS {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        let mut pair = Pair::new(&Variant(seed));
        for (a, (name, _)) in AGENTS.iter().enumerate() {
            // Most of the shift is at work from the start, so that short runs have offers.
            if dice.below(4) > 0 {
                let (user, count) = (user(name), 1);
                let input = AcdInput::Contacts { user, count };
                pair.tell(input, |napkin, _| napkin.devices(a, 1));
                let sign_in = order(name, AgentOrder::SignIn);
                pair.ask(sign_in, |napkin, _| napkin.sign_in(a));
                let wish = AgentStatus::Ready;
                pair.ask(order(name, AgentOrder::Ready), |napkin, _| napkin.wish(a, wish));
            }
        }
        for _ in 0..STEPS {
            pair.step(&mut dice);
        }
        pair.compare_lists();
        let handled = pair.engine.agents.values().map(|a| a.handled);
        answered += handled.sum::<u64>();
        chats += pair.engine.agents.values().map(|a| a.chats.len()).max().unwrap();
        offers += pair.made;
        recalled += pair.recalled;
        wished += pair.wished;
        placed += pair.placed;
    }
    assert!(wished > RUNS / 4 && placed > RUNS / 2, "{wished} wishes and {placed} placings prove little");
    assert!(chats > 10_000, "{chats} chats at the end of all runs prove little");
    assert!(recalled > RUNS, "{recalled} were called back");
    assert!(offers > 5 * RUNS && answered > RUNS, "{offers} offers and {answered} answers prove little");
}
