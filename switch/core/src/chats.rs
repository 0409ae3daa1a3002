//! Chats: carried to the queues and back, written down before they are told, and what readers ask of them.
//!
//! Invariant: what was said in a chat is told to nobody, and its sender is not told that it was taken, before the journal has
//! it. (A journal slower than `limits.journal_wait` is overtaken in the first, with an alarm, and never in the second.)

use crate::io::ShardOutput;
use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_acd::{AcdCommand, AcdInput, AcdOutput, Outcome};
use cordboard_chat::{ChatEngine, ChatInput, ChatOutput, LeaveHow, QueueOrder, TRANSFER_WAIT};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{CallTimes, Cdr};
use cordboard_model::chat::{
    ChatAct, ChatActor, ChatEnd, ChatEvent, ChatFault, ChatMessage, ChatRecord, ChatView, NewChat,
};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::PartyId;
use cordboard_model::service::{Channel, Work};
use cordboard_model::signin::TokenHash;
use cordboard_model::time::{Duration, Time, TimerReason, WallClock};
use cordboard_model::verb::{Destination, Wish};
use cordboard_model::view::AgentStatus;
use std::collections::{BTreeMap, VecDeque};

/// Tickets of chats: those of calls are counted from one.
const TICKETS: u64 = 1 << 63;
/// A record that the journal has not answered for by then, after it was late, is given up: its sender is told to try again.
const GIVE_UP: Duration = Duration::from_secs(4);
/// Most records that are waited for.
const OWED_MAX: usize = 20_000;

const LATE: TimerReason = TimerReason("journal late for a chat");

/// A record that is being written, and what is to be told after it.
#[derive(Debug)]
struct Owed {
    ticket: u64,
    /// When it is told all the same; when it is given up, if it was.
    due: Time,
    late: bool,
    told: Vec<Told>,
}

#[derive(Debug)]
enum Told {
    Event(CallId, Box<ChatEvent>),
    News(CallId, Option<u64>),
}

/// Something was done with a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatDone {
    /// The number of the message, if something was said.
    pub number: Option<u32>,
    /// It is done for good when [`ShardOutput::ChatKept`] says so; at once if there is none.
    pub ticket: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Chats {
    pub(crate) engine: ChatEngine,
    owed: VecDeque<Owed>,
    next: u64,
    /// Messages of each chat that may be shown.
    shown: BTreeMap<CallId, u32>,
}

impl Chats {
    pub(crate) fn new(wall: WallClock) -> Self {
        Self { engine: ChatEngine::new(wall), owed: VecDeque::new(), next: TICKETS, shown: BTreeMap::new() }
    }

    /// Records that the journal has still to write.
    pub(crate) fn owed(&self) -> usize {
        self.owed.len()
    }

    /// When something is due, and why.
    pub(crate) fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        let late = self.owed.front().map(|owed| (owed.due, LATE));
        late.into_iter().chain(self.engine.poll_timeout()).min_by_key(|(at, _)| *at)
    }
}

/// The call of an output that is a chat's, too.
fn call_of(output: &AcdOutput) -> Option<CallId> {
    match output {
        AcdOutput::Offer { call, .. }
        | AcdOutput::Withdraw { call, .. }
        | AcdOutput::QueueEnded { call, .. }
        | AcdOutput::Entered { call, .. }
        | AcdOutput::Position { call, .. } => Some(*call),
        _ => None,
    }
}

impl Shard {
    /// Opens a chat for a tenant.
    ///
    /// # Errors
    /// See [`ChatFault`]; nothing is changed then.
    pub fn open_chat(
        &mut self,
        tenant: TenantId,
        new: NewChat,
        token: TokenHash,
        now: Time,
    ) -> Result<(CallId, ChatDone), ChatFault> {
        self.now = now.max(self.now);
        self.in_hand = None;
        if self.stop != Stop::No || self.unrecordable {
            return Err(ChatFault::NoChats);
        }
        self.takes_chats(&new.queue, Some(new.channel))?;
        let chat = self.calls.new_call(tenant);
        self.chats.engine.open(chat, new, token, self.now)?;
        self.settle();
        let ticket = self.last_ticket();
        Ok((chat, ChatDone { number: None, ticket }))
    }

    /// Does something in a chat.
    ///
    /// # Errors
    /// See [`ChatFault`]; nothing is changed then.
    pub fn chat_act(
        &mut self,
        chat: CallId,
        actor: &ChatActor,
        act: ChatAct,
        now: Time,
    ) -> Result<ChatDone, ChatFault> {
        self.now = now.max(self.now);
        self.in_hand = None;
        match &act {
            ChatAct::ToQueue(queue) => {
                let channel = self.chats.engine.record(chat).map(|record| record.channel);
                self.takes_chats(queue, channel)?;
            }
            ChatAct::ToAgent(agent) => self.may_have(chat, agent)?,
            _ => {}
        }
        let number = self.chats.engine.act(chat, actor, act, self.now)?;
        self.settle();
        Ok(ChatDone { number, ticket: self.last_ticket() })
    }

    /// The queue is one of chats, and of this channel.
    fn takes_chats(&self, queue: &QueueId, channel: Option<Channel>) -> Result<(), ChatFault> {
        let service = &self.snapshot.queue(queue).ok_or(ChatFault::NoSuchQueue)?.service;
        let channels = &service.channels;
        let fits = channels.is_empty() || channel.is_none_or(|channel| channels.contains(&channel));
        if service.kind.work() == Work::Chat && fits { Ok(()) } else { Err(ChatFault::NotOfChats) }
    }

    /// The agent serves the queue of the chat and is signed in.
    fn may_have(&self, chat: CallId, agent: &AgentId) -> Result<(), ChatFault> {
        let record = self.chats.engine.record(chat).ok_or(ChatFault::NoSuchChat)?;
        let serves = self.snapshot.agent(agent).is_some_and(|known| known.queues.contains(&record.queue));
        let is_in = self.acd.agent(agent).is_some_and(|view| view.status != AgentStatus::SignedOut);
        let other = record.agent.as_ref() != Some(agent);
        if agent.tenant == chat.tenant && serves && is_in && other {
            Ok(())
        } else {
            Err(ChatFault::NoSuchAgent)
        }
    }

    /// Which chat a customer's token opens.
    pub fn chat_of_token(&self, token: &TokenHash) -> Option<CallId> {
        self.chats.engine.by_token(token)
    }

    /// One chat; those that are over are here only while their customers may look at them.
    pub fn chat(&self, chat: CallId) -> Option<ChatView> {
        let view = self.chats.engine.view(chat)?;
        let last_message = self.chats.shown.get(&chat).copied().unwrap_or(0);
        Some(ChatView { last_message, ..view })
    }

    /// The chats of a tenant that are not over.
    pub fn chats(&self, tenant: TenantId) -> Vec<ChatView> {
        let views = self.chats.engine.views(tenant).into_iter();
        views.filter_map(|view| self.chat(view.chat)).collect()
    }

    /// What was said in a chat after the message of this number, at most so many.
    pub fn chat_messages(&self, chat: CallId, since: u32, most: usize) -> Option<Vec<ChatMessage>> {
        let shown = self.chats.shown.get(&chat).copied().unwrap_or(0);
        let mut messages = self.chats.engine.messages(chat, since, most)?;
        messages.retain(|message| message.number <= shown);
        Some(messages)
    }

    /// Whether what the queues say is about a chat; then it is carried there.
    pub(crate) fn on_acd_of_chat(&mut self, output: &AcdOutput) -> bool {
        let Some(chat) = call_of(output).filter(|call| self.chats.engine.has(*call)) else {
            return false;
        };
        let input = match output.clone() {
            AcdOutput::Offer { agent, queue, ring, why, .. } => {
                let who = agent.clone();
                self.event(chat.tenant, EventKind::QueueOffered { call: chat, queue, agent: who, why });
                ChatInput::Offered { chat, agent, ring }
            }
            AcdOutput::Withdraw { agent, .. } => ChatInput::Withdrawn { chat, agent },
            AcdOutput::QueueEnded { end, to, .. } => {
                let to = to.and_then(|to| match to {
                    Destination::Queue(queue) => Some(queue),
                    _ => None,
                });
                ChatInput::QueueEnded { chat, end, to }
            }
            AcdOutput::Entered { queue, position, .. } => {
                self.event(chat.tenant, EventKind::QueueEntered { call: chat, queue, position });
                ChatInput::Position { chat, position }
            }
            AcdOutput::Position { position, .. } => ChatInput::Position { chat, position },
            _ => return false,
        };
        self.chats.engine.handle_input(input, self.now);
        true
    }

    pub(crate) fn on_chat(&mut self, output: ChatOutput) {
        match output {
            ChatOutput::Opened(record) => {
                let at = self.moment();
                self.ledger.came(record.chat, None, at);
                self.owe(JournalRecord::ChatOpened(record));
            }
            ChatOutput::Step { chat, step } => self.owe(JournalRecord::ChatStep { chat, step }),
            ChatOutput::Closed(record) => {
                if record.version == 0 {
                    let mut cdr = cdr_of(&record);
                    self.ledger_into(&mut cdr);
                    self.journal(None, JournalRecord::CallClosed(Box::new(cdr)));
                }
                self.owe(JournalRecord::ChatClosed(record));
            }
            ChatOutput::Queue(order) => self.on_queue_order(order),
            ChatOutput::Event { chat, what } => {
                match *what {
                    ChatEvent::Opened { .. } => self.figures.chats += 1,
                    ChatEvent::Message { .. } => self.figures.chat_messages += 1,
                    ChatEvent::Closed { .. } => self.figures.chats_ended += 1,
                    _ => {}
                }
                self.tell_chat(Told::Event(chat, what));
            }
            ChatOutput::News { chat, news } => self.tell_chat(Told::News(chat, news)),
        }
    }

    fn on_queue_order(&mut self, order: QueueOrder) {
        let input = match order {
            QueueOrder::Enter { chat: call, queue, priority, since: Some(since), .. } => {
                AcdInput::Arrived { call, queue, timeout_ms: None, priority, since, back: false }
            }
            QueueOrder::Enter { chat: call, queue, priority, agent, since: None } => {
                let wish = agent.map(|agent| Wish { agent, wait: Some(TRANSFER_WAIT) });
                AcdInput::Enter { call, queue, timeout_ms: None, priority, staffed: false, wish }
            }
            QueueOrder::Leave { chat: call, how } => {
                let how = match how {
                    LeaveHow::Abandoned => Outcome::Abandoned,
                    LeaveHow::Ended => Outcome::Ended,
                };
                self.acd.handle_input(AcdInput::Leaving { call, how }, self.now);
                let gone = AcdInput::Abandoned { call };
                let at = self.moment();
                self.ledger.note_input(&gone, at);
                return self.acd.handle_input(gone, self.now);
            }
            QueueOrder::Seen { chat: call, agent } => AcdInput::OfferRinging { call, agent },
            QueueOrder::Took { chat: call, agent } => {
                let at = self.moment();
                self.ledger.note_event(&EventKind::CallAnswered { call }, at);
                AcdInput::OfferAnswered { call, agent }
            }
            QueueOrder::NotTaken { chat: call, agent, why } => {
                AcdInput::OfferFailed { call, agent, why, caller_gone: false }
            }
            QueueOrder::Released { chat: call, agent } => AcdInput::AgentReleased { call, agent },
            QueueOrder::Has { chat, queue, agent } => {
                let command = AcdCommand::RestoreChat { call: chat, queue, agent };
                if self.acd.handle_command(command, self.now).is_err() {
                    self.chats.engine.handle_input(ChatInput::NotThere { chat }, self.now);
                }
                return;
            }
        };
        self.tell_acd(input);
    }

    /// Has something written down; what follows is told after it.
    fn owe(&mut self, record: JournalRecord) {
        self.chats.next += 1;
        let ticket = self.chats.next;
        let due = self.now + self.snapshot.limits.journal_wait;
        self.chats.owed.push_back(Owed { ticket, due, late: false, told: Vec::new() });
        if self.chats.owed.len() > OWED_MAX
            && let Some(oldest) = self.chats.owed.pop_front()
        {
            self.tell_all(oldest.told);
            self.out.push_back(ShardOutput::ChatKept { ticket: oldest.ticket, ok: false });
        }
        self.journal(Some(ticket), record);
    }

    fn last_ticket(&self) -> Option<u64> {
        self.chats.owed.back().map(|owed| owed.ticket)
    }

    fn tell_chat(&mut self, told: Told) {
        match self.chats.owed.back_mut() {
            Some(owed) if !owed.late => owed.told.push(told),
            _ => self.tell_all(vec![told]),
        }
    }

    fn tell_all(&mut self, told: Vec<Told>) {
        for told in told {
            match told {
                Told::Event(chat, what) => {
                    if let ChatEvent::Message { message } = &*what {
                        self.chats.shown.insert(chat, message.number);
                    }
                    self.event(chat.tenant, EventKind::Chat { chat, what });
                }
                Told::News(chat, news) => {
                    if news.is_none() {
                        self.chats.shown.remove(&chat);
                    }
                    self.out.push_back(ShardOutput::ChatNews { chat, news });
                }
            }
        }
    }

    /// The journal has a record, and all that were given to it before; or could not write it. False if it is none of a chat.
    pub(crate) fn chat_kept(&mut self, ticket: u64, ok: bool) -> bool {
        if ticket < TICKETS {
            return false;
        }
        while self.chats.owed.front().is_some_and(|owed| owed.ticket <= ticket) {
            let Some(owed) = self.chats.owed.pop_front() else { break };
            self.tell_all(owed.told);
            self.out.push_back(ShardOutput::ChatKept { ticket: owed.ticket, ok });
        }
        true
    }

    /// Does what is due: chats, and records that are late.
    pub(crate) fn chats_due(&mut self) {
        let now = self.now;
        while let Some(owed) = self.chats.owed.front_mut().filter(|owed| owed.due <= now) {
            if owed.late {
                let (ticket, told) = (owed.ticket, core::mem::take(&mut owed.told));
                self.chats.owed.pop_front();
                self.tell_all(told);
                self.out.push_back(ShardOutput::ChatKept { ticket, ok: false });
                continue;
            }
            // all that waits is told in its order; who has sent it is told when it is written
            for owed in &mut self.chats.owed {
                (owed.late, owed.due) = (true, now + GIVE_UP);
            }
            let told: Vec<Told> = self.chats.owed.iter_mut().flat_map(|owed| owed.told.drain(..)).collect();
            self.tell_all(told);
            self.figures.journal_late += 1;
            let text = "the journal is slower than limits.journal_wait; chats are told without it. Look at the disk that holds it";
            let code = "journal_late".to_owned();
            self.event(TenantId::DEFAULT, EventKind::Alarm { code, text: text.into() });
        }
        self.chats.engine.handle_timeout(now);
    }

    /// Takes chats back from the journal, after the agents. The oldest has the first place.
    pub(crate) fn restore_chats(&mut self, mut records: Vec<ChatRecord>) {
        records.sort_by_key(|record| (record.since, record.chat));
        for record in records {
            let (chat, last) = (record.chat, record.messages.last().map_or(0, |last| last.number));
            if self.snapshot.queue(&record.queue).is_none() {
                // its queue is gone, and nobody would ever take it
                let at = self.wall.at(self.now);
                let end = Some(ChatEnd::Gone);
                let stage = cordboard_model::chat::ChatStage::Closed;
                let closed = ChatRecord { stage, closed: Some(at), end, ..record };
                self.on_chat(ChatOutput::Closed(Box::new(closed)));
                continue;
            }
            self.chats.shown.insert(chat, last);
            let at = self.moment();
            self.ledger.came(chat, None, at);
            self.chats.engine.restore(record, self.now);
            // before the next one: whose agent is not there any more takes his place now
            while let Some(output) = self.chats.engine.poll_output() {
                self.on_chat(output);
            }
        }
    }
}

/// The call record of a chat: it has the same id, its visits, and no legs.
fn cdr_of(record: &ChatRecord) -> Cdr {
    let ended = record.closed.unwrap_or(record.opened);
    let (cause, ended_by) = match record.end {
        Some(ChatEnd::Customer) if record.accepted.is_none() => (Cause::Cancelled, Party::Caller),
        Some(ChatEnd::Customer) => (Cause::Normal, Party::Caller),
        Some(ChatEnd::Agent) => (Cause::Normal, Party::Callee),
        Some(ChatEnd::Operator) => (Cause::Administrative, Party::Operator),
        Some(ChatEnd::Silence) => (Cause::Normal, Party::Switch),
        Some(ChatEnd::Timeout) => (Cause::QueueTimeout, Party::Switch),
        Some(ChatEnd::Full | ChatEnd::NobodySignedIn) => (Cause::QueueFull, Party::Switch),
        Some(ChatEnd::NoAgent | ChatEnd::Gone) | None => (Cause::NotFound, Party::Switch),
    };
    let first = record.visits.first().map_or(&record.queue, |visit| &visit.queue);
    Cdr {
        call: record.chat,
        from: PartyId { user: record.customer.id.clone(), display: record.customer.name.clone() },
        to: PartyId::new(first.name.as_str()),
        started: record.opened,
        answered: record.accepted,
        bridged: record.accepted,
        ended,
        cause,
        ended_by,
        agent: record.agent.clone(),
        flows: Vec::new(),
        queues: record.visits.clone(),
        legs: Vec::new(),
        recordings: Vec::new(),
        data: record.data.clone(),
        transfers: Vec::new(),
        supervisions: Vec::new(),
        wrap_ups: Vec::new(),
        joined: None,
        dialled: None,
        times: CallTimes::default(),
    }
}
