//! Random interleavings of everything, reloads and restarts included, with every invariant checked
//! after each step; then silence. Nothing may be left that silence does not end.

use super::bench::*;
use crate::{AcdCommand, AcdInput, AcdOutput};
use cordboard_model::cause::Cause;
use cordboard_model::id::{AgentId, CallId};
use cordboard_model::time::Duration;
use cordboard_model::view::AgentStatus;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

const RUNS: u64 = 4_000;
const STEPS: usize = 60;
const AGENTS: [&str; 5] = ["1001", "1002", "1003", "1004", "1005"];
const QUEUES: [&str; 3] = ["help", "sales", "vip"];
const STATUSES: [AgentStatus; 7] = [
    AgentStatus::SignedOut,
    AgentStatus::Ready,
    AgentStatus::NotReady,
    AgentStatus::Rest,
    AgentStatus::Ringing,
    AgentStatus::Talking,
    AgentStatus::WrapUp,
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
    said: BTreeMap<AgentId, (AgentStatus, Option<CallId>)>,
    /// Calls that entered and have not left.
    inside: BTreeMap<CallId, u32>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            b: Bench::of(snapshot(Vec::new(), Vec::new())),
            rng: ChaCha8Rng::seed_from_u64(seed),
            said: BTreeMap::new(),
            inside: BTreeMap::new(),
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
                queue.rest_on_no_answer = self.below(2) == 0;
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
                agents.push(agent);
            }
        }
        self.b.config = snapshot(queues, agents);
        self.b.configure();
    }

    fn step(&mut self) {
        let name = self.pick(&AGENTS);
        let id = agent(name);
        let n = self.some_call(name);
        match self.below(24) {
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
            19 => {
                let status = self.pick(&STATUSES);
                let (agent, since) = (id, NOON);
                let restore = AcdCommand::RestoreAgent { agent, status, since };
                // Refused when he is not configured just now.
                let _ = self.b.command(restore);
            }
            20 => self.reload(),
            _ => {
                let ms = self.pick(&[0, 10, 1_000, 5_000, 25_000, 60_000]);
                self.b.pass(ms);
            }
        }
        self.hear();
    }

    fn intent(&mut self, agent: AgentId) {
        let command = match self.below(6) {
            0 => AcdCommand::SignIn { agent },
            1 => AcdCommand::SignOut { agent },
            2 => AcdCommand::NotReady { agent },
            3 => AcdCommand::Rest { agent },
            _ => AcdCommand::Ready { agent },
        };
        // Refused when he is not configured or signed out just now.
        let _ = self.b.command(command);
    }

    fn some_call(&mut self, name: &str) -> u64 {
        let current = self.b.engine.agent(&agent(name)).and_then(|a| a.call);
        match (current, self.below(6)) {
            (Some(call), 1..) => call.number,
            _ => 1 + self.below(30),
        }
    }

    /// Exactly one word for each change, one way in and one way out for each wait.
    fn hear(&mut self) {
        for output in self.b.take() {
            match output {
                AcdOutput::AgentChanged { agent, status, call, .. } => {
                    let before = self.said.insert(agent.clone(), (status, call));
                    let before = before.unwrap_or((AgentStatus::SignedOut, None));
                    assert_ne!(before, (status, call), "{agent}: said twice");
                }
                AcdOutput::Entered { call, .. } => {
                    assert_eq!(self.inside.insert(call, 1), None, "{call}: entered twice");
                }
                AcdOutput::Left { call, .. } => {
                    assert!(self.inside.remove(&call).is_some(), "{call}: left twice");
                }
                _ => {}
            }
        }
        for view in self.b.engine.agents(T) {
            let said = self.said.get(&view.agent).copied();
            let said = said.unwrap_or((AgentStatus::SignedOut, None));
            assert_eq!((view.status, view.call), said, "{}: changed in silence", view.agent);
        }
        let waiting = self.b.engine.queues(T).iter().map(|q| q.waiting.len()).sum::<usize>();
        assert_eq!(waiting, self.inside.len());
    }

    /// No one reports anything any more: only time passes.
    fn silence(&mut self) {
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
            if let Some(call) = view.call {
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
