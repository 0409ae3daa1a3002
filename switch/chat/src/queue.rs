//! The way of a chat through queues and to agents.

use crate::api::{ChatOutput, QueueOrder};
use crate::engine::{ChatEngine, Timer};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::QueueVisit;
use cordboard_model::chat::{CHAT_VISITS_MAX, ChatEnd, ChatEvent, ChatStage, ChatStep};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::time::{Duration, Time, TimerReason, Wall};
use cordboard_model::verb::QueueEnd;

impl ChatEngine {
    /// It waits in a queue from now on, for this agent first if for one.
    pub(crate) fn enter(&mut self, id: CallId, queue: QueueId, agent: Option<AgentId>, now: Time) {
        let at = self.date(now);
        let Some(chat) = self.chats.get_mut(&id) else { return };
        let visit = QueueVisit {
            queue: queue.clone(),
            entered: at,
            left: at,
            agent: None,
            outcome: String::new(),
            consulted_by: None,
            account: None,
        };
        chat.record.visits.push(visit);
        (chat.record.stage, chat.record.queue, chat.record.agent) =
            (ChatStage::Waiting, queue.clone(), agent.clone());
        chat.record.since = at;
        (chat.position, chat.wish) = (None, agent.clone());
        chat.typing.1 = false;
        let (priority, visits) = (chat.record.priority, chat.record.visits.clone());
        self.deadlines.clear(&Timer::Typing(id, false));
        self.watch(id, now);
        let step = ChatStep::Waits { queue: queue.clone(), agent: agent.clone(), since: at, visits };
        self.step(id, step);
        let enter = QueueOrder::Enter { chat: id, queue, priority, agent, since: None };
        self.out.push_back(ChatOutput::Queue(enter));
        self.news(id);
    }

    /// It waits where it did before a restart, or where it came from, since then.
    pub(crate) fn wait_again(&mut self, id: CallId, now: Time) {
        let at = self.date(now);
        let Some(chat) = self.chats.get_mut(&id) else { return };
        if chat.record.stage == ChatStage::Closed {
            return;
        }
        let since = match chat.record.stage {
            // who had an agent goes before those who came after him
            ChatStage::Open => chat.record.opened,
            _ => chat.record.since,
        };
        let outcome = if chat.record.stage == ChatStage::Open { "served" } else { "lost_by_restart" };
        if let Some(last) = chat.record.visits.last_mut().filter(|last| last.outcome.is_empty()) {
            (last.left, last.outcome) = (at, outcome.to_owned());
        }
        let queue = chat.record.queue.clone();
        chat.record.visits.push(QueueVisit {
            queue: queue.clone(),
            entered: at,
            left: at,
            agent: None,
            outcome: String::new(),
            consulted_by: None,
            account: None,
        });
        (chat.record.stage, chat.record.agent, chat.record.since) = (ChatStage::Waiting, None, since);
        let (priority, visits) = (chat.record.priority, chat.record.visits.clone());
        self.watch(id, now);
        self.step(id, ChatStep::Waits { queue: queue.clone(), agent: None, since, visits });
        let enter = QueueOrder::Enter { chat: id, queue, priority, agent: None, since: Some(since) };
        self.out.push_back(ChatOutput::Queue(enter));
        self.news(id);
    }

    pub(crate) fn offered(&mut self, id: CallId, agent: AgentId, ring: Duration, now: Time) {
        let Some(chat) = self.waiting(id) else { return };
        chat.offered.insert(agent.clone());
        self.deadlines.set(Timer::Ring(id, agent.clone()), now + ring, TimerReason("chat: not taken"));
        self.out.push_back(ChatOutput::Queue(QueueOrder::Seen { chat: id, agent }));
        self.news(id);
    }

    /// He has no offer of it any more; says whether he had.
    pub(crate) fn not_offered(&mut self, id: CallId, agent: &AgentId) -> bool {
        self.deadlines.clear(&Timer::Ring(id, agent.clone()));
        let had = self.chats.get_mut(&id).is_some_and(|chat| chat.offered.remove(agent));
        if had {
            self.news(id);
        }
        had
    }

    pub(crate) fn not_taken(&mut self, id: CallId, agent: &AgentId, why: Cause) {
        if !self.not_offered(id, agent) {
            return;
        }
        let (chat, who) = (id, agent.clone());
        self.out.push_back(ChatOutput::Queue(QueueOrder::NotTaken { chat, agent: who.clone(), why }));
        self.event(id, ChatEvent::NotAccepted { agent: who, why: why.as_str().to_owned() });
    }

    /// He takes it: the others are not offered it any more, and the queue says so to each of them.
    pub(crate) fn taken(&mut self, id: CallId, agent: &AgentId, now: Time) {
        let at = self.date(now);
        self.visit_ends(id, "served", Some(agent), at);
        let Some(chat) = self.chats.get_mut(&id) else { return };
        let offered = core::mem::take(&mut chat.offered);
        (chat.record.stage, chat.record.agent) = (ChatStage::Open, Some(agent.clone()));
        chat.record.accepted.get_or_insert(at);
        (chat.position, chat.wish) = (None, None);
        let visits = chat.record.visits.clone();
        for other in offered {
            self.deadlines.clear(&Timer::Ring(id, other));
        }
        self.step(id, ChatStep::Taken { agent: agent.clone(), at, visits });
        self.out.push_back(ChatOutput::Queue(QueueOrder::Took { chat: id, agent: agent.clone() }));
        self.event(id, ChatEvent::Accepted { agent: agent.clone() });
        self.news(id);
        self.watch(id, now);
    }

    pub(crate) fn queue_ended(&mut self, id: CallId, end: QueueEnd, to: Option<QueueId>, now: Time) {
        let at = self.date(now);
        let Some(chat) = self.waiting(id) else { return };
        for agent in core::mem::take(&mut chat.offered) {
            self.deadlines.clear(&Timer::Ring(id, agent));
        }
        let (word, end) = match end {
            QueueEnd::Timeout => ("timeout", ChatEnd::Timeout),
            QueueEnd::Full => ("full", ChatEnd::Full),
            QueueEnd::NobodySignedIn => ("nobody_signed_in", ChatEnd::NobodySignedIn),
            QueueEnd::NoAgent => ("no_agent", ChatEnd::NoAgent),
            _ => ("gone", ChatEnd::Gone),
        };
        // sent round and round, it ends where it is
        let to = to.filter(|_| self.may_go_on(id));
        match to {
            Some(queue) => {
                self.visit_ends(id, word, None, at);
                self.event(id, ChatEvent::Transferred { queue: queue.clone(), agent: None, by: word.into() });
                self.enter(id, queue, None, now);
            }
            None => self.close(id, end, String::new(), now),
        }
    }

    /// Whether it has been in fewer queues than it may.
    pub(crate) fn may_go_on(&self, id: CallId) -> bool {
        self.record(id).is_some_and(|record| record.visits.len() < CHAT_VISITS_MAX)
    }

    /// The wait that goes on is over.
    pub(crate) fn visit_ends(&mut self, id: CallId, outcome: &str, agent: Option<&AgentId>, at: Wall) {
        let Some(chat) = self.chats.get_mut(&id) else { return };
        if let Some(last) = chat.record.visits.last_mut().filter(|last| last.outcome.is_empty()) {
            (last.left, last.outcome, last.agent) = (at, outcome.to_owned(), agent.cloned());
        }
    }
}
