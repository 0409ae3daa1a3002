//! Anything in any order: what must always hold is checked after each step by the bench.

use super::bench::*;
use crate::{ChatInput, ChatOutput, QueueOrder};
use cordboard_model::chat::{CHAT_VISITS_MAX, ChatAct, ChatActor, ChatStage};
use cordboard_model::id::CallId;
use cordboard_model::verb::QueueEnd;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;

const RUNS: u64 = 2_000;
const STEPS: usize = 80;
const AGENTS: [&str; 3] = ["1001", "1002", "1003"];

/// Where a queue engine would have each chat, by what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Queue,
    Agent,
}

struct World {
    b: Bench,
    rng: ChaCha8Rng,
    next: u64,
    at: BTreeMap<CallId, At>,
}

impl World {
    fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }

    fn pick<X: Clone>(&mut self, from: &[X]) -> X {
        let n = self.below(u64::try_from(from.len()).unwrap());
        from[usize::try_from(n).unwrap()].clone()
    }

    /// A queue engine hears nothing that contradicts what it heard before.
    fn hear(&mut self) {
        for output in self.b.take() {
            let ChatOutput::Queue(order) = output else { continue };
            match order {
                QueueOrder::Enter { chat, .. } => _ = self.at.insert(chat, At::Queue),
                QueueOrder::Leave { chat, .. } => {
                    assert_eq!(self.at.remove(&chat), Some(At::Queue), "{chat}")
                }
                QueueOrder::Took { chat, .. } => {
                    assert_eq!(self.at.insert(chat, At::Agent), Some(At::Queue), "{chat}");
                }
                QueueOrder::Released { chat, .. } => {
                    assert_eq!(self.at.remove(&chat), Some(At::Agent), "{chat}");
                }
                QueueOrder::NotTaken { chat, .. } | QueueOrder::Seen { chat, .. } => {
                    assert_eq!(self.at.get(&chat), Some(&At::Queue), "{chat}");
                }
                QueueOrder::Has { .. } => panic!("nothing was restored"),
            }
        }
        for view in self.b.engine.views(T) {
            let at = if view.stage == ChatStage::Waiting { At::Queue } else { At::Agent };
            assert_eq!(self.at.get(&view.chat), Some(&at), "{}", view.chat);
            assert!(view.visits.len() <= CHAT_VISITS_MAX);
        }
    }

    fn step(&mut self) {
        let n = 1 + self.below(self.next.max(1));
        let name = self.pick(&AGENTS);
        let actor =
            self.pick(&[ChatActor::Customer, of(name), of(name), ChatActor::Operator("key shop".into())]);
        match self.below(14) {
            0 => {
                self.next += 1;
                let _ = self.b.open(self.next);
            }
            1 | 2 if self.at.get(&chat(n)) == Some(&At::Queue) => self.b.offer(n, name),
            3 => self.b.tell(ChatInput::Withdrawn { chat: chat(n), agent: agent(name) }),
            4 if self.at.get(&chat(n)) == Some(&At::Queue) && self.below(4) == 0 => {
                let end = self.pick(&[QueueEnd::Timeout, QueueEnd::Full, QueueEnd::NoAgent]);
                let to = self.pick(&[None, Some("sales")]);
                self.at.remove(&chat(n));
                self.b.ended(n, end, to);
            }
            5 => {
                let ms = self.pick(&[0, 100, 5_000, 20_000, 130_000, 700_000]);
                self.b.pass(ms);
            }
            _ => {
                let act = match self.below(9) {
                    0 | 1 => say("text"),
                    2 => ChatAct::Say { text: "again".into(), id: Some("m-1".into()) },
                    3 => ChatAct::Type(self.below(2) == 0),
                    4 | 5 => ChatAct::Accept,
                    6 => ChatAct::Reject,
                    7 => self.pick(&[ChatAct::ToQueue(queue("sales")), ChatAct::ToAgent(agent("1002"))]),
                    _ => self.pick(&[ChatAct::Close, ChatAct::Survey { score: 5, comment: String::new() }]),
                };
                let _ = self.b.act(n, &actor, act);
            }
        }
        self.hear();
    }
}

#[test]
fn no_interleaving_of_chats_loses_one_or_tells_the_queues_what_is_not_so() {
    let (mut closed, mut said) = (0, 0);
    for seed in 0..RUNS {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let mut world = World { b: Bench::new(), rng, next: 0, at: BTreeMap::new() };
        for _ in 0..STEPS {
            world.step();
        }
        let n = world.next;
        for n in 1..=n {
            let _ = world.b.act(n, &ChatActor::Customer, ChatAct::Close);
            world.hear();
        }
        world.b.pass(200_000);
        world.hear();
        assert_eq!(world.b.engine.poll_timeout(), None, "something is left");
        assert!(world.at.is_empty() && world.b.engine.chats.is_empty() && world.b.engine.tokens.is_empty());
        assert_eq!(world.b.closed.len() as u64, n, "each ended once");
        closed += world.b.closed.len();
        said += world.b.closed.values().map(|record| record.messages.len()).sum::<usize>();
    }
    assert!(closed > 5_000 && said > 2_000, "{closed} chats and {said} messages prove little");
}
