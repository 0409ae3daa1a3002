//! The engine: its state, its entry points, and the end of a chat.

use crate::api::{ChatInput, ChatOutput, LeaveHow, QueueOrder};
use cordboard_model::cause::Cause;
use cordboard_model::chat::{
    CHATS_MAX, ChatEnd, ChatEvent, ChatFault, ChatFrom, ChatMessage, ChatRecord, ChatRules, ChatStage,
    ChatStep, ChatView,
};
use cordboard_model::config::Snapshot;
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::signin::TokenHash;
use cordboard_model::time::{Duration, Time, TimerReason, Wall, WallClock};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A customer writes at most one message in this time, in the long run ...
const PACE: Duration = Duration::from_secs(1);
/// ... and so many at once.
const BURST: u32 = 20;
/// Who types says so again within this time.
const TYPING: Duration = Duration::from_secs(10);

/// What a deadline is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The agent has not taken what he is offered.
    Ring(CallId, AgentId),
    /// The customer is told that it ends soon.
    Warning(CallId),
    /// He has said nothing for too long.
    Silence(CallId),
    /// He waits too long for an answer.
    Answer(CallId),
    /// Nobody types any more: the customer (`true`), or the agent.
    Typing(CallId, bool),
    /// It was over long enough.
    Forget(CallId),
}

/// One chat, and what is known of it besides its record.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    pub(crate) record: ChatRecord,
    pub(crate) position: Option<u32>,
    pub(crate) offered: BTreeSet<AgentId>,
    /// The agent it waits for first.
    pub(crate) wish: Option<AgentId>,
    /// Bytes of its messages.
    pub(crate) bytes: usize,
    /// Whether the customer types, and whether the agent does.
    pub(crate) typing: (bool, bool),
    /// When the messages that the customer has sent are used up, at his pace.
    pub(crate) paced: Time,
    pub(crate) news: u64,
}

/// Chats of every tenant.
///
/// | stage | ends at the latest |
/// | --- | --- |
/// | waiting | with the queue's longest wait |
/// | open, the customer's turn | after the queue's silence |
/// | open, the agent's turn | when he answers or closes it, or is signed out; the supervisors are told after the queue's answer time |
/// | closed | after the queue's survey time: then nobody can look at it here |
#[derive(Clone, Debug)]
pub struct ChatEngine {
    pub(crate) wall: WallClock,
    pub(crate) rules: BTreeMap<QueueId, ChatRules>,
    pub(crate) chats: BTreeMap<CallId, Chat>,
    pub(crate) tokens: BTreeMap<TokenHash, CallId>,
    /// Chats that are not over, by tenant.
    pub(crate) open: BTreeMap<TenantId, usize>,
    /// Those that are over and are still kept, in that order.
    pub(crate) over: BTreeMap<TenantId, VecDeque<CallId>>,
    pub(crate) deadlines: Deadlines<Timer>,
    pub(crate) out: VecDeque<ChatOutput>,
}

impl ChatEngine {
    /// An engine without chats.
    pub fn new(wall: WallClock) -> Self {
        Self {
            wall,
            rules: BTreeMap::new(),
            chats: BTreeMap::new(),
            tokens: BTreeMap::new(),
            open: BTreeMap::new(),
            over: BTreeMap::new(),
            deadlines: Deadlines::default(),
            out: VecDeque::new(),
        }
    }

    /// Takes a new relation between monotonic and wall clock.
    pub fn set_wall(&mut self, wall: WallClock) {
        self.wall = wall;
    }

    /// Takes the rules of the queues.
    pub fn configure(&mut self, snapshot: &Snapshot) {
        let queues = snapshot.tenants.values().flat_map(|tenant| tenant.queues.values());
        self.rules = queues.map(|queue| (queue.id.clone(), queue.service.chat)).collect();
    }

    /// Takes a chat back from the journal. To be told after the agents are.
    pub fn restore(&mut self, record: ChatRecord, now: Time) {
        let id = record.chat;
        if record.stage == ChatStage::Closed || self.chats.contains_key(&id) {
            return;
        }
        self.put(record, now);
        let Some(chat) = self.chats.get(&id) else { return };
        match (chat.record.stage, chat.record.agent.clone()) {
            (ChatStage::Open, Some(agent)) => {
                let queue = chat.record.queue.clone();
                self.out.push_back(ChatOutput::Queue(QueueOrder::Has { chat: id, queue, agent }));
                self.watch(id, now);
            }
            _ => self.wait_again(id, now),
        }
    }

    /// Takes in what the queues have decided. What no longer fits is ignored.
    pub fn handle_input(&mut self, input: ChatInput, now: Time) {
        match input {
            ChatInput::Position { chat, position } => {
                if let Some(found) = self.waiting(chat) {
                    found.position = Some(position);
                    self.news(chat);
                }
            }
            ChatInput::Offered { chat, agent, ring } => self.offered(chat, agent, ring, now),
            ChatInput::Withdrawn { chat, agent } => {
                self.not_offered(chat, &agent);
            }
            ChatInput::QueueEnded { chat, end, to } => self.queue_ended(chat, end, to, now),
            ChatInput::NotThere { chat } => self.wait_again(chat, now),
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(timer) = self.deadlines.pop_due(now) {
            match timer {
                Timer::Ring(chat, agent) => self.not_taken(chat, &agent, Cause::NoAnswer),
                Timer::Warning(chat) => {
                    self.event(chat, ChatEvent::Silent);
                    self.news(chat);
                }
                Timer::Silence(chat) => self.close(chat, ChatEnd::Silence, String::new(), now),
                Timer::Answer(chat) => {
                    if let Some(agent) = self.chats.get(&chat).and_then(|chat| chat.record.agent.clone()) {
                        self.event(chat, ChatEvent::Unanswered { agent });
                    }
                }
                Timer::Typing(chat, customer) => self.types(chat, customer, false, now),
                Timer::Forget(chat) => self.forget(chat),
            }
        }
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<ChatOutput> {
        self.out.pop_front()
    }

    /// When the engine wants to be woken, and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.deadlines.next()
    }

    /// Whether this is a chat that is not forgotten.
    pub fn has(&self, chat: CallId) -> bool {
        self.chats.contains_key(&chat)
    }

    /// How many are not over, of every tenant.
    pub fn open_count(&self) -> usize {
        self.open.values().sum()
    }

    /// Chats of a tenant that are not over.
    pub fn count(&self, tenant: TenantId) -> usize {
        self.open.get(&tenant).copied().unwrap_or(0)
    }

    /// Which chat a customer's token opens.
    pub fn by_token(&self, token: &TokenHash) -> Option<CallId> {
        self.tokens.get(token).copied()
    }

    /// One chat.
    pub fn view(&self, chat: CallId) -> Option<ChatView> {
        let found = self.chats.get(&chat)?;
        Some(ChatView {
            position: found.position.filter(|_| found.record.stage == ChatStage::Waiting),
            offered_to: found.offered.iter().cloned().collect(),
            typing: found.typing,
            survey_open: found.record.stage == ChatStage::Closed && found.record.survey.is_none(),
            news: found.news,
            ..found.record.view()
        })
    }

    /// The chats of a tenant that are not over, the oldest first.
    pub fn views(&self, tenant: TenantId) -> Vec<ChatView> {
        let open = self.chats.values().filter(|chat| chat.record.stage != ChatStage::Closed);
        let of_tenant = open.filter(|chat| chat.record.chat.tenant == tenant);
        of_tenant.filter_map(|chat| self.view(chat.record.chat)).collect()
    }

    /// What was said after the message of this number, at most so many.
    pub fn messages(&self, chat: CallId, since: u32, most: usize) -> Option<Vec<ChatMessage>> {
        let messages = &self.chats.get(&chat)?.record.messages;
        let from = messages.partition_point(|message| message.number <= since);
        Some(messages.iter().skip(from).take(most).cloned().collect())
    }

    /// The whole record.
    pub fn record(&self, chat: CallId) -> Option<&ChatRecord> {
        self.chats.get(&chat).map(|chat| &chat.record)
    }

    pub(crate) fn rules(&self, queue: &QueueId) -> ChatRules {
        self.rules.get(queue).copied().unwrap_or_default()
    }

    pub(crate) fn waiting(&mut self, chat: CallId) -> Option<&mut Chat> {
        self.chats.get_mut(&chat).filter(|chat| chat.record.stage == ChatStage::Waiting)
    }

    pub(crate) fn date(&self, now: Time) -> Wall {
        self.wall.at(now)
    }

    pub(crate) fn event(&mut self, chat: CallId, what: ChatEvent) {
        self.out.push_back(ChatOutput::Event { chat, what: Box::new(what) });
    }

    pub(crate) fn step(&mut self, chat: CallId, step: ChatStep) {
        self.out.push_back(ChatOutput::Step { chat, step: Box::new(step) });
    }

    pub(crate) fn news(&mut self, chat: CallId) {
        if let Some(found) = self.chats.get_mut(&chat) {
            found.news += 1;
            self.out.push_back(ChatOutput::News { chat, news: Some(found.news) });
        }
    }

    /// Enters a chat into the tables.
    pub(crate) fn put(&mut self, record: ChatRecord, now: Time) {
        let (id, token) = (record.chat, record.token);
        let bytes = record.messages.iter().map(|message| message.text.len()).sum();
        let chat = Chat {
            record,
            position: None,
            offered: BTreeSet::new(),
            wish: None,
            bytes,
            typing: (false, false),
            paced: now,
            news: 1,
        };
        self.chats.insert(id, chat);
        self.tokens.insert(token, id);
        *self.open.entry(id.tenant).or_default() += 1;
    }

    /// Whether the customer may say one more thing now.
    pub(crate) fn pace(&mut self, chat: CallId, now: Time) -> Result<(), ChatFault> {
        let Some(found) = self.chats.get_mut(&chat) else { return Err(ChatFault::NoSuchChat) };
        let next = found.paced.max(now) + PACE;
        let ahead = next.since(now);
        if ahead > PACE * BURST {
            let wait = (ahead - PACE * BURST).as_secs().saturating_add(1);
            return Err(ChatFault::TooFast(u32::try_from(wait).unwrap_or(u32::MAX)));
        }
        found.paced = next;
        Ok(())
    }

    /// Somebody types or does no longer.
    pub(crate) fn types(&mut self, id: CallId, customer: bool, on: bool, now: Time) {
        let Some(chat) = self.chats.get_mut(&id) else { return };
        let side = if customer { &mut chat.typing.0 } else { &mut chat.typing.1 };
        let changed = core::mem::replace(side, on) != on;
        let from = match (customer, &chat.record.agent) {
            (true, _) => ChatFrom::Customer,
            (false, Some(agent)) => ChatFrom::Agent { agent: agent.name.clone() },
            (false, None) => return,
        };
        let timer = Timer::Typing(id, customer);
        match on {
            true => self.deadlines.set(timer, now + TYPING, TimerReason("chat: typing")),
            false => _ = self.deadlines.clear(&timer),
        }
        if changed {
            self.event(id, ChatEvent::Typing { from, on });
            self.news(id);
        }
    }

    /// Waits for whoever has to say something now.
    pub(crate) fn watch(&mut self, id: CallId, now: Time) {
        for timer in [Timer::Warning(id), Timer::Silence(id), Timer::Answer(id)] {
            self.deadlines.clear(&timer);
        }
        let Some(chat) = self.chats.get(&id).filter(|chat| chat.record.stage == ChatStage::Open) else {
            return;
        };
        let rules = self.rules(&chat.record.queue);
        let his_turn = matches!(chat.record.messages.last(), Some(last) if last.from == ChatFrom::Customer);
        if his_turn {
            if let Some(answer) = rules.answer {
                self.deadlines.set(Timer::Answer(id), now + answer, TimerReason("chat: no answer"));
            }
            return;
        }
        self.deadlines.set(Timer::Silence(id), now + rules.silence, TimerReason("chat: silence"));
        let soon = rules.silence.saturating_sub(rules.warning);
        if soon > Duration::ZERO && rules.warning > Duration::ZERO {
            self.deadlines.set(Timer::Warning(id), now + soon, TimerReason("chat: silent"));
        }
    }

    /// Ends a chat, whatever it is doing. Of one that is over nothing changes.
    pub(crate) fn close(&mut self, id: CallId, end: ChatEnd, by: String, now: Time) {
        let at = self.date(now);
        let Some(chat) = self.chats.get_mut(&id).filter(|chat| chat.record.stage != ChatStage::Closed) else {
            return;
        };
        let (stage, agent) = (chat.record.stage, chat.record.agent.clone());
        (chat.record.stage, chat.record.closed, chat.record.end) = (ChatStage::Closed, Some(at), Some(end));
        chat.record.ended_by.clone_from(&by);
        (chat.position, chat.wish, chat.typing) = (None, None, (false, false));
        let offered = core::mem::take(&mut chat.offered);
        let keep = self.rules.get(&chat.record.queue).copied().unwrap_or_default();
        for agent in offered {
            self.deadlines.clear(&Timer::Ring(id, agent));
        }
        for timer in [
            Timer::Warning(id),
            Timer::Silence(id),
            Timer::Answer(id),
            Timer::Typing(id, true),
            Timer::Typing(id, false),
        ] {
            self.deadlines.clear(&timer);
        }
        match (stage, agent) {
            (ChatStage::Open, Some(agent)) => {
                self.out.push_back(ChatOutput::Queue(QueueOrder::Released { chat: id, agent }));
            }
            (ChatStage::Waiting, _) => self.leave(id, end, at),
            _ => {}
        }
        if let Some(chat) = self.chats.get(&id) {
            self.out.push_back(ChatOutput::Closed(Box::new(chat.record.clone())));
        }
        self.event(id, ChatEvent::Closed { end, by });
        self.news(id);
        self.was_closed(id, keep.survey, now);
    }

    /// A chat that waits leaves its queue, if the queue did not say so itself.
    fn leave(&mut self, id: CallId, end: ChatEnd, at: Wall) {
        let (how, outcome) = match end {
            ChatEnd::Customer => (Some(LeaveHow::Abandoned), "abandoned"),
            ChatEnd::Agent | ChatEnd::Operator | ChatEnd::Silence => (Some(LeaveHow::Ended), "ended"),
            other => (None, other.as_str()),
        };
        self.visit_ends(id, outcome, None, at);
        if let Some(how) = how {
            self.out.push_back(ChatOutput::Queue(QueueOrder::Leave { chat: id, how }));
        }
    }

    fn was_closed(&mut self, id: CallId, keep: Duration, now: Time) {
        if let Some(open) = self.open.get_mut(&id.tenant) {
            *open = open.saturating_sub(1);
        }
        let over = self.over.entry(id.tenant).or_default();
        over.push_back(id);
        let oldest = if over.len() > CHATS_MAX { over.front().copied() } else { None };
        self.deadlines.set(Timer::Forget(id), now + keep, TimerReason("chat: over"));
        if let Some(oldest) = oldest {
            self.forget(oldest);
        }
    }

    fn forget(&mut self, id: CallId) {
        self.deadlines.clear(&Timer::Forget(id));
        if let Some(chat) = self.chats.remove(&id) {
            self.tokens.remove(&chat.record.token);
            self.out.push_back(ChatOutput::News { chat: id, news: None });
        }
        if let Some(over) = self.over.get_mut(&id.tenant) {
            over.retain(|other| *other != id);
        }
    }
}
