//! A floor of agents and callers around the engine, in virtual time, without packets: who comes when, how long he waits,
//! talks and holds out is drawn from a seed.

use crate::tests::bench::{agent, call, queue};
use crate::{AcdCommand, AcdEngine, AcdInput, AcdOutput, Outcome};
use cordboard_model::cause::Cause;
use cordboard_model::config::Snapshot;
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::{Duration, Time, WallClock};
use cordboard_model::verb::Destination;
use core::cmp::Reverse;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// What happens by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A caller of this queue comes, and the next is drawn.
    Comes(usize),
    /// He has waited as long as he will.
    GivesUp(CallId),
    /// The agent answers, or does not, the offer of this number.
    Answers(CallId, AgentId, u64),
    /// The talk is over.
    Ends(CallId, AgentId),
    /// An agent does something.
    Agent(AgentId, Does),
}

/// What agents do of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Does {
    Come,
    Ready,
    Rest,
    Go,
}

/// One visit to a queue, as it was.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) queue: QueueId,
    pub(super) call: CallId,
    pub(super) entered: Time,
    pub(super) left: Time,
    pub(super) outcome: Outcome,
    pub(super) agent: Option<AgentId>,
    pub(super) talk: Duration,
}

/// How people behave.
#[derive(Clone)]
pub(super) struct People {
    /// Callers a second, of each queue at each hour of the day.
    pub(super) arrivals: Vec<[f64; 24]>,
    pub(super) service: Duration,
    pub(super) patience: Option<Duration>,
    /// Until an agent answers.
    pub(super) rings: Duration,
    /// Of a thousand offers, so many ring in vain.
    pub(super) missed: u64,
    /// Of a thousand talks, so many are sent on to the next queue.
    pub(super) sent_on: u64,
    /// Nobody comes after this.
    pub(super) closes: Time,
}

pub(super) struct Floor {
    pub(super) engine: AcdEngine,
    pub(super) now: Time,
    pub(super) people: People,
    queues: Vec<QueueId>,
    agenda: BinaryHeap<Reverse<(Time, u64, What)>>,
    serial: u64,
    calls: u64,
    offers: BTreeMap<AgentId, u64>,
    rng: ChaCha8Rng,
    open: BTreeMap<CallId, (QueueId, Time, Option<AgentId>)>,
    talking: BTreeMap<CallId, usize>,
    gone: BTreeSet<AgentId>,
    pub(super) visits: Vec<Visit>,
    /// Every change of an agent: when, who, to what.
    pub(super) changes: Vec<(Time, AgentId, cordboard_model::view::AgentStatus)>,
    pub(super) offered: u64,
    pub(super) missed: u64,
}

impl Floor {
    pub(super) fn new(config: &Snapshot, people: People, wall: WallClock, seed: u64) -> Self {
        let mut engine = AcdEngine::new(wall);
        let _ = engine.handle_command(AcdCommand::Configure(config), Time::ZERO);
        let queues = (0..people.arrivals.len()).map(|n| queue(&format!("q{n:02}"))).collect();
        let mut floor = Self {
            engine,
            now: Time::ZERO,
            people,
            queues,
            agenda: BinaryHeap::new(),
            serial: 0,
            calls: 0,
            offers: BTreeMap::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            open: BTreeMap::new(),
            talking: BTreeMap::new(),
            gone: BTreeSet::new(),
            visits: Vec::new(),
            changes: Vec::new(),
            offered: 0,
            missed: 0,
        };
        for n in 0..floor.queues.len() {
            floor.next_caller(n);
        }
        floor
    }

    /// A number between nothing and one.
    fn chance(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn one_of_thousand(&mut self, n: u64) -> bool {
        self.rng.next_u64() % 1_000 < n
    }

    /// An exponential time of this mean.
    pub(super) fn drawn(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.chance()).ln())
    }

    pub(super) fn plan(&mut self, at: Time, what: What) {
        self.serial += 1;
        self.agenda.push(Reverse((at, self.serial, what)));
    }

    fn next_caller(&mut self, n: usize) {
        let hour = usize::try_from(self.now.as_nanos() / 3_600_000_000_000 % 24).unwrap_or(0);
        let rate = self.people.arrivals[n][hour];
        // In an hour without callers the next hour is asked.
        let in_hour = self.now.as_nanos() % 3_600_000_000_000;
        let next_hour = self.now + Duration::from_nanos(3_600_000_000_000 - in_hour);
        let at = match rate > 0.0 {
            true => self.now + self.drawn(Duration::from_secs_f64(1.0 / rate)),
            false => next_hour,
        };
        // A time drawn by the rate of this hour holds until it ends: then it is drawn anew.
        match at >= next_hour {
            true => self.plan(next_hour, What::Comes(n + DRAW_AGAIN)),
            false => self.plan(at, What::Comes(n)),
        }
    }

    /// Runs until nothing is left to happen.
    pub(super) fn run(&mut self) {
        loop {
            let due = self.engine.poll_timeout().map(|(at, _)| at);
            let next = self.agenda.peek().map(|Reverse((at, ..))| *at);
            match (due, next) {
                (Some(due), next) if next.is_none_or(|next| due <= next) => {
                    self.now = self.now.max(due);
                    self.engine.handle_timeout(self.now);
                    self.hear();
                }
                (_, Some(_)) => {
                    let Some(Reverse((at, _, what))) = self.agenda.pop() else { return };
                    self.now = at;
                    self.happens(what);
                    self.hear();
                }
                (_, None) => return,
            }
        }
    }

    fn happens(&mut self, what: What) {
        match what {
            What::Comes(n) if self.now >= self.people.closes => {
                let _ = n;
            }
            What::Comes(n) if n >= DRAW_AGAIN => self.next_caller(n - DRAW_AGAIN),
            What::Comes(n) => {
                self.calls += 1;
                let (id, to) = (call(self.calls), self.queues[n].clone());
                self.enter(id, to);
                if let Some(patience) = self.people.patience {
                    let at = self.now + self.drawn(patience);
                    self.plan(at, What::GivesUp(id));
                }
                self.next_caller(n);
            }
            What::GivesUp(id) => self.tell(AcdInput::Abandoned { call: id }),
            What::Answers(id, agent, offer) if self.offers.get(&agent) == Some(&offer) => {
                self.answers(id, agent)
            }
            What::Answers(..) => {}
            What::Ends(id, agent) => self.ends(id, agent),
            What::Agent(agent, order) => self.agent(&agent, order),
        }
    }

    fn enter(&mut self, id: CallId, to: QueueId) {
        self.tell(AcdInput::Enter {
            call: id,
            queue: to,
            timeout_ms: None,
            priority: 0,
            staffed: false,
            wish: None,
        });
    }

    fn answers(&mut self, id: CallId, agent: AgentId) {
        if self.one_of_thousand(self.people.missed) {
            self.missed += 1;
            let why = Cause::NoAnswer;
            self.tell(AcdInput::OfferFailed { call: id, agent: agent.clone(), why, caller_gone: false });
            let back = self.now + Duration::from_secs(60);
            return self.plan(back, What::Agent(agent, Does::Ready));
        }
        if let Some(open) = self.open.get_mut(&id) {
            open.2 = Some(agent.clone());
        }
        self.tell(AcdInput::OfferAnswered { call: id, agent: agent.clone() });
        let at = self.now + self.drawn(self.people.service);
        self.plan(at, What::Ends(id, agent));
    }

    fn ends(&mut self, id: CallId, agent: AgentId) {
        if let Some(index) = self.talking.remove(&id) {
            let visit = &mut self.visits[index];
            visit.talk = self.now.since(visit.left);
            let queue = visit.queue.clone();
            self.tell(AcdInput::AgentReleased { call: id, agent });
            if self.one_of_thousand(self.people.sent_on) {
                let n = self.queues.iter().position(|known| *known == queue).unwrap_or(0);
                let next = self.queues[(n + 1) % self.queues.len()].clone();
                self.enter(id, next);
            }
        }
    }

    fn agent(&mut self, id: &AgentId, order: Does) {
        if self.gone.contains(id) {
            return;
        }
        if order == Does::Go {
            self.gone.insert(id.clone());
        }
        let what = match order {
            Does::Come => AgentOrder::SignIn,
            Does::Ready => AgentOrder::Ready,
            Does::Rest => AgentOrder::Rest { reason: Some("break".into()), limit: None },
            Does::Go => AgentOrder::SignOut,
        };
        let _ = self.engine.handle_command(AcdCommand::Order { agent: id.clone(), what, by: None }, self.now);
        if order == Does::Come {
            self.hear();
            self.agent(id, Does::Ready);
        }
    }

    fn tell(&mut self, input: AcdInput) {
        self.engine.handle_input(input, self.now);
        self.hear();
    }

    fn hear(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                AcdOutput::Entered { call, queue, .. } => {
                    self.open.insert(call, (queue, self.now, None));
                }
                AcdOutput::Offer { call, agent, .. } => {
                    self.offered += 1;
                    self.serial += 1;
                    self.offers.insert(agent.clone(), self.serial);
                    let (at, offer) = (self.now + self.people.rings, self.serial);
                    self.plan(at, What::Answers(call, agent, offer));
                }
                AcdOutput::Withdraw { agent, .. } => drop(self.offers.remove(&agent)),
                AcdOutput::Left { call, outcome, .. } => self.left(call, outcome),
                AcdOutput::QueueEnded { call, to: Some(Destination::Queue(to)), .. } => self.enter(call, to),
                AcdOutput::AgentChanged { agent, status, .. } => self.changes.push((self.now, agent, status)),
                _ => {}
            }
        }
    }

    fn left(&mut self, call: CallId, outcome: Outcome) {
        let Some((queue, entered, agent)) = self.open.remove(&call) else { return };
        if outcome == Outcome::Served {
            self.talking.insert(call, self.visits.len());
        }
        let agent = agent.filter(|_| outcome == Outcome::Served);
        let (left, talk) = (self.now, Duration::ZERO);
        self.visits.push(Visit { queue, call, entered, left, outcome, agent, talk });
    }
}

/// Added to the number of a queue whose next caller is to be drawn anew.
const DRAW_AGAIN: usize = 1_000;

/// The agent of a number.
pub(super) fn agent_of(n: usize) -> AgentId {
    agent(&format!("{}", 1_000 + n))
}
