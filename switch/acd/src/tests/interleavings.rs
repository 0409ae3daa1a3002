//! Random interleavings of everything, reloads and restarts included, with every invariant checked
//! after each step; then silence. Nothing may be left that silence does not end.

use super::bench::*;
use crate::{AcdCommand, AcdInput, AcdOutput};
use cordboard_model::cause::Cause;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::service::{
    AgentKind, AgentOrder, BusyWhen, ChatSlots, Duty, Nobody, QueueKind, Reserve, RingMost, Role, Service,
    Strategy, WantedSkill,
};
use cordboard_model::time::Duration;
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

const RUNS: u64 = 17_000;
const STEPS: usize = 60;
const AGENTS: [&str; 5] = ["1001", "1002", "1003", "1004", "1005"];
const QUEUES: [&str; 3] = ["help", "sales", "vip"];
const STATUSES: [AgentStatus; 9] = [
    AgentStatus::SignedOut,
    AgentStatus::Ready,
    AgentStatus::NotReady,
    AgentStatus::Rest,
    AgentStatus::Ringing,
    AgentStatus::Talking,
    AgentStatus::WrapUp,
    AgentStatus::Hold,
    AgentStatus::Away,
];
const CAUSES: [Cause; 7] = [
    Cause::NoAnswer,
    Cause::Busy,
    Cause::Declined,
    Cause::Unreachable,
    Cause::NotRegistered,
    Cause::Congestion,
    Cause::Cancelled,
];

struct World {
    b: Bench,
    rng: ChaCha8Rng,
    /// The last status said of each agent.
    said: BTreeMap<AgentId, (AgentStatus, Option<CallId>, Option<String>)>,
    /// Calls that entered and have not left.
    inside: BTreeMap<CallId, u32>,
    /// Nobody goes where he is sent any more.
    still: bool,
    hops: BTreeMap<CallId, u32>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            b: Bench::of(snapshot(Vec::new(), Vec::new())),
            rng: ChaCha8Rng::seed_from_u64(seed),
            said: BTreeMap::new(),
            inside: BTreeMap::new(),
            still: false,
            hops: BTreeMap::new(),
        };
        world.reload();
        world
    }

    fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }

    fn pick<X: Copy>(&mut self, from: &[X]) -> X {
        let n = self.below(u64::try_from(from.len()).unwrap());
        from[usize::try_from(n).unwrap()]
    }

    /// A configuration with some of the queues and agents.
    fn reload(&mut self) {
        let mut queues = Vec::new();
        for name in QUEUES {
            if self.below(4) > 0 {
                let mut queue = queue_config(name);
                queue.max_length = u32::try_from(self.below(6)).unwrap();
                queue.wrap_up = Duration::from_secs(self.below(3) * 5);
                if self.below(2) == 0 {
                    no_rest(&mut queue);
                }
                self.service(name, &mut queue.service);
                queue.announce_every = [None, Some(Duration::from_secs(7))][(name == "vip") as usize];
                queues.push(queue);
            }
        }
        let mut agents = Vec::new();
        for name in AGENTS {
            if self.below(5) > 0 {
                // A name may stand twice and a queue may be missing: the engine bears it.
                let serves = [self.pick(&QUEUES), self.pick(&QUEUES)];
                let mut agent = agent_config(name, &serves);
                agent.auto_sign_in = self.below(2) == 0;
                agent.user = user(self.pick(&AGENTS));
                agent.duty = self.duty();
                agents.push(agent);
            }
        }
        self.b.config = snapshot(queues, agents);
        self.b.configure();
    }

    /// Rules of a queue, any of them.
    fn service(&mut self, name: &str, service: &mut Service) {
        const STRATEGIES: [Strategy; 7] = [
            Strategy::LongestIdle,
            Strategy::FewestCalls,
            Strategy::HighestSkill,
            Strategy::LeastOccupied,
            Strategy::RoundRobin,
            Strategy::RingAll,
            Strategy::RingAll,
        ];
        service.kind = self.pick(&[QueueKind::Voice, QueueKind::Multimedia]);
        service.strategy = self.pick(&STRATEGIES);
        service.ring_all_most = RingMost(self.pick(&[1, 2, 10]));
        service.ageing = self.pick(&[None, Some(Duration::from_secs(9))]);
        service.reserve = self.pick(&[None, None, Some(Reserve { agents: 1, priority: 2 })]);
        service.length_share = self.pick(&[None, None, Some(150)]);
        let others: Vec<&str> = QUEUES.into_iter().filter(|other| *other != name).collect();
        let to = Destination::Queue(queue(self.pick(&others)));
        if self.below(2) == 0 {
            service.on_busy = Some(to.clone());
            let occupancy = BusyWhen::Occupancy(self.pick(&[0, 60, 100]));
            service.busy_when =
                self.pick(&[None, Some(occupancy), Some(BusyWhen::Wait(Duration::from_secs(3)))]);
            service.busy_room = self.pick(&[None, Some(80)]);
        }
        if self.below(2) == 0 {
            service.nobody = Nobody::To(to);
        }
        if self.below(3) == 0 {
            let wanted = WantedSkill { weight: self.pick(&[1, 3]), least: self.pick(&[0, 40]) };
            service.skills.insert(cordboard_model::id::Name::new("english").unwrap(), wanted);
        }
    }

    /// What an agent is there for.
    fn duty(&mut self) -> Duty {
        let role = self.pick(&[Role::Agent, Role::Agent, Role::Supervisor, Role::Outbound]);
        let mut duty = Duty { role, ..Duty::default() };
        let level = self.pick(&[30, 60, 90]);
        duty.skills.insert(cordboard_model::id::Name::new("english").unwrap(), level);
        duty.preference.insert(queue(self.pick(&QUEUES)).name, 2);
        duty.device_grace = self.pick(&[None, Some(Duration::from_secs(20))]);
        duty.kind = self.pick(&[AgentKind::AllRound, AgentKind::AllRound, AgentKind::Voice]);
        duty.chats = ChatSlots {
            most: self.pick(&[1, 2, 5]),
            during_call: self.pick(&[true, false]),
            calls_beside: self.pick(&[true, false]),
        };
        duty.rest_limit = self.pick(&[None, Some(Duration::from_secs(30))]);
        duty
    }

    /// One who was sent to another queue goes there, as the shard would have it.
    fn follow(&mut self, sent: Vec<(CallId, QueueId)>) {
        for (call, to) in sent {
            let hops = self.hops.entry(call).or_default();
            *hops += 1;
            // a call goes to so many places and no more
            if *hops > 8 {
                continue;
            }
            self.b.enter_as(call.number, to.name.as_str(), 0);
            self.hear();
        }
    }

    fn step(&mut self) {
        let name = self.pick(&AGENTS);
        let id = agent(name);
        let n = self.some_call(name);
        match self.below(32) {
            28 | 29 => self.keep(n),
            30 => self.arrive(n),
            0..=3 => {
                let (queue, priority) = (self.pick(&QUEUES), self.pick(&[0, 0, 1]));
                let n = 1 + self.below(30);
                self.b.enter_as(n, queue, priority);
            }
            4 => self.b.abandon(n),
            5 | 6 => self.b.rings(n, name),
            7..=9 => self.b.answer(n, name),
            10 => {
                let why = self.pick(&CAUSES);
                self.b.fail(n, name, why);
            }
            11 => self.b.tell(AcdInput::OfferFailed {
                call: call(n),
                agent: id,
                why: Cause::Cancelled,
                caller_gone: true,
            }),
            12 | 13 => self.b.release(n, name),
            14 => {
                let count = self.pick(&[0, 1, 1, 2]);
                self.b.contacts(name, count);
            }
            15 => {
                let outside = self.pick(&[None, None, Some(90), Some(1)]);
                self.b.outside(name, outside);
            }
            16..=18 => self.intent(id),
            19 if self.below(3) == 0 => self.has_chat(n, id),
            19 => {
                let status = self.pick(&STATUSES);
                let (agent, since) = (id, NOON);
                let limit = None;
                let restore = AcdCommand::RestoreAgent { agent, status, reason: None, limit, since };
                // Refused when he is not configured just now.
                let _ = self.b.command(restore);
            }
            20 => self.reload(),
            21 => {
                let wait = self.pick(&[None, Some(5), Some(40)]);
                self.b.enter_for(1 + self.b.now.as_nanos() % 30, name, wait);
            }
            22 => {
                let place = AcdCommand::Place { call: call(n), agent: id, by: "2001".into() };
                let _ = self.b.command(place);
            }
            23 => {
                let _ = self.b.command(AcdCommand::PutFirst { call: call(n) });
            }
            25 => {
                let account = AgentDevice::Account(user(self.pick(&AGENTS)));
                let number = AgentDevice::Number("+4930".into());
                let device = [None, Some(account), Some(number)][self.below(3) as usize].clone();
                // Refused when he is not configured just now.
                let _ = self.b.command(AcdCommand::Device { agent: id, device });
            }
            24 => {
                let on = self.below(2) == 0;
                self.b.holds(n, name, on);
            }
            _ => {
                let ms = self.pick(&[0, 10, 1_000, 5_000, 25_000, 60_000]);
                self.b.pass(ms);
            }
        }
        self.hear();
    }

    fn has_chat(&mut self, n: u64, agent: AgentId) {
        let (call, queue) = (call(n), queue(self.pick(&QUEUES)));
        // Refused when he is not signed in.
        let _ = self.b.command(AcdCommand::RestoreChat { call, queue, agent });
    }

    /// One goes and is to be called back, or one comes who is.
    fn keep(&mut self, n: u64) {
        let (id, priority, ago) = (queue(self.pick(&QUEUES)), self.pick(&[0, 0, 3]), self.pick(&[0, 90_000]));
        let from = self.pick(&[None, Some(call(n))]);
        let reserve = self.pick(&[None, Some(Duration::from_secs(11))]);
        let call = call(1 + self.below(30));
        let since = cordboard_model::time::Wall(NOON.0 - ago);
        self.b.tell(AcdInput::Absent { call, queue: id, priority, since, reserve, from });
    }

    fn arrive(&mut self, n: u64) {
        let (id, back) = (queue(self.pick(&QUEUES)), self.below(2) == 0);
        let (timeout_ms, priority) = (None, 0);
        self.b.tell(AcdInput::Arrived { call: call(n), queue: id, timeout_ms, priority, since: NOON, back });
    }

    fn intent(&mut self, agent: AgentId) {
        let what = match self.below(6) {
            0 => AgentOrder::SignIn,
            1 => AgentOrder::SignOut,
            2 => AgentOrder::NotReady { reason: None },
            3 => AgentOrder::Rest { reason: None, limit: None },
            _ => AgentOrder::Ready,
        };
        let by = [None, Some("2001".to_owned())][usize::from(self.below(3) == 0)].clone();
        // Refused when he is not configured or signed out just now.
        let _ = self.b.command(AcdCommand::Order { agent, what, by });
    }

    fn some_call(&mut self, name: &str) -> u64 {
        let view = self.b.engine.agent(&agent(name));
        let chats = view.as_ref().map(|a| a.chats.clone()).unwrap_or_default();
        if !chats.is_empty() && self.below(3) == 0 {
            return self.pick(&chats).number;
        }
        let current = view.and_then(|a| a.call);
        match (current, self.below(6)) {
            (Some(call), 1..) => call.number,
            _ => 1 + self.below(30),
        }
    }

    /// Exactly one word for each change, one way in and one way out for each wait.
    fn hear(&mut self) {
        let mut sent = Vec::new();
        for output in self.b.take() {
            match output {
                AcdOutput::AgentChanged { agent, status, call, reason, .. } => {
                    let before = self.said.insert(agent.clone(), (status, call, reason.clone()));
                    let before = before.unwrap_or((AgentStatus::SignedOut, None, None));
                    // a break that is asked for again begins again
                    let again = status == AgentStatus::Rest;
                    assert!(again || before != (status, call, reason), "{agent}: said twice");
                }
                AcdOutput::Entered { call, .. } | AcdOutput::Recalled { call, .. } => {
                    assert_eq!(self.inside.insert(call, 1), None, "{call}: entered twice");
                }
                AcdOutput::Left { call, .. } => {
                    assert!(self.inside.remove(&call).is_some(), "{call}: left twice");
                }
                AcdOutput::QueueEnded { call, to: Some(Destination::Queue(to)), .. } => sent.push((call, to)),
                _ => {}
            }
        }
        for view in self.b.engine.agents(T) {
            let said = self.said.get(&view.agent).cloned();
            let said = said.unwrap_or((AgentStatus::SignedOut, None, None));
            assert_eq!((view.status, view.call, view.reason), said, "{}: changed in silence", view.agent);
        }
        let waiting = self.b.engine.queues(T).iter().map(|q| q.waiting.len()).sum::<usize>();
        let recalled = |w: &&crate::queue::Waiting| w.absent.is_some_and(|absent| absent.recalled);
        let recalled = self.b.engine.calls.values().filter(recalled).count();
        assert_eq!(waiting + recalled, self.inside.len());
        if !self.still {
            self.follow(sent);
        }
    }

    /// No one reports anything any more: only time passes.
    fn silence(&mut self) {
        self.still = true;
        // each of them would have his turn with every agent, one after the other
        let absent = self.b.engine.calls.iter().filter(|(_, w)| w.absent.is_some());
        for n in absent.map(|(call, _)| call.number).collect::<Vec<_>>() {
            self.b.abandon(n);
        }
        self.hear();
        self.b.pass(400_000);
        self.hear();
        assert_eq!(self.b.engine.poll_timeout(), None);
        for view in self.b.engine.agents(T) {
            let stuck = matches!(view.status, AgentStatus::Ringing | AgentStatus::WrapUp);
            assert!(!stuck, "{}", self.b.engine.explain_agent(&view.agent).unwrap());
        }
        assert_eq!(self.inside.len(), 0);
        for view in self.b.engine.agents(T) {
            let name = view.agent.name.as_str();
            for call in view.call.into_iter().chain(view.chats) {
                self.b.release(call.number, name);
            }
            self.b.outside(name, None);
        }
        self.b.pass(400_000);
        self.hear();
        assert!(self.b.engine.is_quiescent());
        assert_eq!(self.b.engine.poll_timeout(), None);
    }
}

#[test]
fn no_interleaving_leaves_a_stuck_state() {
    for seed in 0..RUNS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.silence();
    }
}
