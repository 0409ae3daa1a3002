//! One tenant's chats, a clock, and everything the engine said. Every step ends with a check of what must always hold.

use crate::{ChatEngine, ChatInput, ChatOutput, QueueOrder};
use cordboard_model::chat::{
    ChatAct, ChatActor, ChatCustomer, ChatFault, ChatFrom, ChatRecord, ChatRules, ChatStage, ChatStep,
    NewChat,
};
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::service::Channel;
use cordboard_model::signin::TokenHash;
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::verb::QueueEnd;
use std::collections::BTreeMap;

pub(super) const T: TenantId = TenantId::DEFAULT;
/// 2026-11-20 12:00:00 UTC.
pub(super) const NOON: Wall = Wall(1_795_176_000_000);

pub(super) fn chat(n: u64) -> CallId {
    CallId { tenant: T, start: 1, shard: 0, number: n }
}

pub(super) fn agent(name: &str) -> AgentId {
    AgentId::new(T, name).unwrap()
}

pub(super) fn queue(name: &str) -> QueueId {
    QueueId::new(T, name).unwrap()
}

pub(super) fn of(name: &str) -> ChatActor {
    ChatActor::Agent(agent(name))
}

pub(super) fn say(text: &str) -> ChatAct {
    ChatAct::Say { text: text.into(), id: None }
}

pub(super) fn new_chat() -> NewChat {
    NewChat {
        queue: queue("web"),
        channel: Channel::Web,
        customer: ChatCustomer { id: "c-17".into(), name: "Ann".into() },
        data: BTreeMap::new(),
        priority: 0,
        text: None,
        by: "key shop".into(),
    }
}

pub(super) struct Bench {
    pub(super) engine: ChatEngine,
    pub(super) now: Time,
    /// Outputs since [`Bench::take`].
    pub(super) out: Vec<ChatOutput>,
    /// What a journal would know: every chat as its steps make it.
    pub(super) journal: BTreeMap<CallId, ChatRecord>,
    pub(super) closed: BTreeMap<CallId, ChatRecord>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let mut engine = ChatEngine::new(WallClock { at_zero: NOON });
        let rules = ChatRules { survey: Duration::from_secs(100), ..ChatRules::default() };
        engine.rules = ["web", "sales"].iter().map(|name| (queue(name), rules)).collect();
        let (journal, closed) = (BTreeMap::new(), BTreeMap::new());
        Self { engine, now: Time::from_millis(1_000), out: Vec::new(), journal, closed }
    }

    pub(super) fn open(&mut self, n: u64) -> Result<(), ChatFault> {
        self.open_with(n, new_chat())
    }

    pub(super) fn open_with(&mut self, n: u64, new: NewChat) -> Result<(), ChatFault> {
        let token = TokenHash([u8::try_from(n % 251).unwrap(); 32]);
        let done = self.engine.open(chat(n), new, token, self.now);
        self.drain();
        done
    }

    pub(super) fn act(&mut self, n: u64, actor: &ChatActor, act: ChatAct) -> Result<Option<u32>, ChatFault> {
        let done = self.engine.act(chat(n), actor, act, self.now);
        self.drain();
        done
    }

    pub(super) fn tell(&mut self, input: ChatInput) {
        self.engine.handle_input(input, self.now);
        self.drain();
    }

    pub(super) fn offer(&mut self, n: u64, name: &str) {
        let ring = Duration::from_secs(20);
        self.tell(ChatInput::Offered { chat: chat(n), agent: agent(name), ring });
    }

    /// Opened, offered and taken.
    pub(super) fn talk(&mut self, n: u64, name: &str) {
        self.open(n).unwrap();
        self.offer(n, name);
        self.act(n, &of(name), ChatAct::Accept).unwrap();
        self.take();
    }

    pub(super) fn ended(&mut self, n: u64, end: QueueEnd, to: Option<&str>) {
        self.tell(ChatInput::QueueEnded { chat: chat(n), end, to: to.map(queue) });
    }

    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some((at, _)) = self.engine.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.engine.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn take(&mut self) -> Vec<ChatOutput> {
        core::mem::take(&mut self.out)
    }

    /// What the queues were told since the last look.
    pub(super) fn orders(&mut self) -> Vec<QueueOrder> {
        let order = |output| match output {
            ChatOutput::Queue(order) => Some(order),
            _ => None,
        };
        self.take().into_iter().filter_map(order).collect()
    }

    pub(super) fn stage(&self, n: u64) -> ChatStage {
        self.engine.view(chat(n)).unwrap().stage
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            match &output {
                ChatOutput::Opened(record) => {
                    assert!(self.journal.insert(record.chat, (**record).clone()).is_none(), "opened twice");
                }
                ChatOutput::Step { chat, step } => {
                    if let (ChatStep::Said { message }, Some(known)) = (&**step, self.journal.get(chat)) {
                        let last = known.messages.last().map_or(0, |last| last.number);
                        assert!(message.number <= last + 1, "{chat}: a gap before {}", message.number);
                    }
                    if let Some(known) = self.journal.get_mut(chat) {
                        known.take((**step).clone());
                    }
                }
                ChatOutput::Closed(record) => {
                    let before = self.closed.insert(record.chat, (**record).clone());
                    assert_eq!(before.is_some(), record.version > 0, "{}: closed twice", record.chat);
                    self.journal.remove(&record.chat);
                }
                _ => {}
            }
            self.out.push(output);
        }
        self.check();
    }

    /// What the journal knows is what the engine knows, and every chat that is not over has an end.
    fn check(&self) {
        for (id, known) in &self.journal {
            let record = self.engine.record(*id).unwrap();
            assert_eq!(known, record, "{id}: the journal has something else");
        }
        let open = self.engine.views(T).len();
        assert_eq!((open, open), (self.journal.len(), self.engine.count(T)));
        for view in self.engine.views(T) {
            let chat = &self.engine.chats[&view.chat];
            assert!(chat.offered.is_empty() || view.stage == ChatStage::Waiting, "{}", view.chat);
            let open = chat.record.visits.iter().filter(|visit| visit.outcome.is_empty()).count();
            assert_eq!(
                open,
                usize::from(view.stage == ChatStage::Waiting),
                "{}: {:?}",
                view.chat,
                chat.record
            );
            let numbers = chat.record.messages.iter().map(|message| message.number);
            assert!(numbers.eq(1..=view.last_message), "{}: numbers", view.chat);
            let his = chat.record.messages.last().is_some_and(|last| last.from == ChatFrom::Customer);
            let silence = self.engine.deadlines.get(&crate::engine::Timer::Silence(view.chat)).is_some();
            assert_eq!(silence, view.stage == ChatStage::Open && !his, "{}: whose turn is it?", view.chat);
        }
    }
}
