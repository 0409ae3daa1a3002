//! What customers, agents and operators do in chats.

use crate::api::{ChatOutput, QueueOrder};
use crate::engine::ChatEngine;
use cordboard_model::cause::Cause;
use cordboard_model::chat::{
    CHAT_COMMENT_MAX, CHAT_DATA_MAX, CHAT_MESSAGES_MAX, CHAT_SCORE_MAX, CHAT_TEXT_MAX, CHAT_TRANSCRIPT_MAX,
    CHAT_WORD_MAX, CHATS_MAX, ChatAct, ChatActor, ChatEnd, ChatEvent, ChatFault, ChatFrom, ChatMessage,
    ChatRecord, ChatStage, ChatStep, ChatSurvey, NewChat,
};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::signin::TokenHash;
use cordboard_model::time::Time;

/// Whether it is text of people: no control characters but the end of a line and the tabulator.
fn is_text(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

fn is_message(text: &str) -> bool {
    (1..=CHAT_TEXT_MAX).contains(&text.len()) && is_text(text) && !text.trim().is_empty()
}

impl ChatEngine {
    /// Opens a chat under this id; the customer's token, of which this is the hash, opens it for him.
    ///
    /// # Errors
    /// There are too many, or what is said of it is too much; nothing is changed then.
    pub fn open(&mut self, id: CallId, new: NewChat, token: TokenHash, now: Time) -> Result<(), ChatFault> {
        let NewChat { queue, channel, customer, data, priority, text, by } = new;
        if self.count(id.tenant) >= CHATS_MAX || self.tokens.contains_key(&token) {
            return Err(ChatFault::TooMany);
        }
        let words = [&customer.id, &customer.name];
        let fits = words.iter().all(|word| word.len() <= CHAT_WORD_MAX && is_text(word));
        let size: usize = data.iter().map(|(key, value)| key.len() + value.to_string().len()).sum();
        if !fits || size > CHAT_DATA_MAX || text.as_deref().is_some_and(|text| !is_message(text)) {
            return Err(ChatFault::BadText);
        }
        let at = self.date(now);
        let record = ChatRecord {
            chat: id,
            token,
            channel,
            customer: customer.clone(),
            data,
            priority,
            by,
            opened: at,
            accepted: None,
            closed: None,
            end: None,
            ended_by: String::new(),
            stage: ChatStage::Waiting,
            queue: queue.clone(),
            agent: None,
            since: at,
            visits: Vec::new(),
            messages: Vec::new(),
            survey: None,
            version: 0,
        };
        self.out.push_back(ChatOutput::Opened(Box::new(record.clone())));
        self.put(record, now);
        self.event(id, ChatEvent::Opened { queue: queue.clone(), customer });
        if let Some(text) = text {
            self.say(id, ChatFrom::Customer, text, None, now)?;
        }
        self.enter(id, queue, None, now);
        Ok(())
    }

    /// Does something in a chat. Gives the number of the message, if something was said.
    ///
    /// # Errors
    /// Why it is not done; nothing is changed then.
    pub fn act(
        &mut self,
        id: CallId,
        actor: &ChatActor,
        act: ChatAct,
        now: Time,
    ) -> Result<Option<u32>, ChatFault> {
        let chat = self.chats.get(&id).ok_or(ChatFault::NoSuchChat)?;
        let stage = chat.record.stage;
        if let ChatAct::Survey { score, comment } = act {
            return self.survey(id, actor, score, comment, now).map(|()| None);
        }
        if stage == ChatStage::Closed {
            return Err(ChatFault::Closed);
        }
        match (act, actor) {
            (ChatAct::Say { text, id: key }, ChatActor::Customer) => {
                self.says(id, ChatFrom::Customer, text, key, now).map(Some)
            }
            (ChatAct::Say { text, id: key }, ChatActor::Agent(agent)) => {
                self.holds(id, agent)?;
                let from = ChatFrom::Agent { agent: agent.name.clone() };
                self.says(id, from, text, key, now).map(Some)
            }
            (ChatAct::Type(on), ChatActor::Customer) => {
                self.types(id, true, on, now);
                Ok(None)
            }
            (ChatAct::Type(on), ChatActor::Agent(agent)) => {
                self.holds(id, agent)?;
                self.types(id, false, on, now);
                Ok(None)
            }
            (ChatAct::Accept | ChatAct::Reject, ChatActor::Agent(agent)) if !chat.offered.contains(agent) => {
                Err(ChatFault::NotHis)
            }
            (ChatAct::Accept, ChatActor::Agent(agent)) => {
                self.taken(id, agent, now);
                Ok(None)
            }
            (ChatAct::Reject, ChatActor::Agent(agent)) => {
                self.not_taken(id, agent, Cause::Declined);
                Ok(None)
            }
            (ChatAct::ToQueue(queue), by) => self.send(id, by, queue, None, now),
            (ChatAct::ToAgent(agent), by) => {
                let queue = chat.record.queue.clone();
                self.send(id, by, queue, Some(agent), now)
            }
            (ChatAct::Close, by) => {
                let (end, word) = match by {
                    ChatActor::Customer => (ChatEnd::Customer, String::new()),
                    ChatActor::Agent(agent) => {
                        self.holds(id, agent)?;
                        (ChatEnd::Agent, format!("agent {}", agent.name))
                    }
                    ChatActor::Operator(word) => (ChatEnd::Operator, word.clone()),
                };
                self.close(id, end, word, now);
                Ok(None)
            }
            _ => Err(ChatFault::NotForHim),
        }
    }

    /// Whether this agent has the chat.
    fn holds(&self, id: CallId, agent: &AgentId) -> Result<(), ChatFault> {
        let record = self.record(id).ok_or(ChatFault::NoSuchChat)?;
        let his = record.stage == ChatStage::Open && record.agent.as_ref() == Some(agent);
        if his { Ok(()) } else { Err(ChatFault::NotHis) }
    }

    /// Something is said, or said again: then it is written down again too, so that who asks knows it is.
    fn says(
        &mut self,
        id: CallId,
        from: ChatFrom,
        text: String,
        key: Option<String>,
        now: Time,
    ) -> Result<u32, ChatFault> {
        if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > CHAT_WORD_MAX || !is_text(key)) {
            return Err(ChatFault::BadText);
        }
        let record = self.record(id).ok_or(ChatFault::NoSuchChat)?;
        let before =
            record.messages.iter().rev().find(|said| key.is_some() && said.id == key && said.from == from);
        if let Some(message) = before.cloned() {
            let number = message.number;
            self.step(id, ChatStep::Said { message });
            return Ok(number);
        }
        if !is_message(&text) {
            return Err(ChatFault::BadText);
        }
        let bytes = self.chats.get(&id).map_or(0, |chat| chat.bytes);
        if record.messages.len() >= CHAT_MESSAGES_MAX || bytes + text.len() > CHAT_TRANSCRIPT_MAX {
            return Err(ChatFault::Full);
        }
        if from == ChatFrom::Customer {
            self.pace(id, now)?;
        }
        self.say(id, from, text, key, now)
    }

    fn say(
        &mut self,
        id: CallId,
        from: ChatFrom,
        text: String,
        key: Option<String>,
        now: Time,
    ) -> Result<u32, ChatFault> {
        let at = self.date(now);
        let chat = self.chats.get_mut(&id).ok_or(ChatFault::NoSuchChat)?;
        let number = chat.record.messages.last().map_or(0, |last| last.number).saturating_add(1);
        chat.bytes += text.len();
        let is_customer = from == ChatFrom::Customer;
        let message = ChatMessage { number, at, from, text, id: key };
        chat.record.messages.push(message.clone());
        self.step(id, ChatStep::Said { message: message.clone() });
        self.event(id, ChatEvent::Message { message });
        self.types(id, is_customer, false, now);
        self.news(id);
        self.watch(id, now);
        Ok(number)
    }

    /// Sends it to a queue, for one agent first if for one.
    fn send(
        &mut self,
        id: CallId,
        by: &ChatActor,
        queue: QueueId,
        agent: Option<AgentId>,
        now: Time,
    ) -> Result<Option<u32>, ChatFault> {
        let word = match by {
            ChatActor::Customer => return Err(ChatFault::NotForHim),
            ChatActor::Agent(agent) => {
                self.holds(id, agent)?;
                format!("agent {}", agent.name)
            }
            ChatActor::Operator(word) => word.clone(),
        };
        if queue.tenant != id.tenant {
            return Err(ChatFault::NoSuchQueue);
        }
        if !self.may_go_on(id) {
            return Err(ChatFault::Full);
        }
        let at = self.date(now);
        let record = self.record(id).ok_or(ChatFault::NoSuchChat)?;
        let (stage, had) = (record.stage, record.agent.clone());
        match (stage, had) {
            (ChatStage::Open, Some(agent)) => {
                self.out.push_back(ChatOutput::Queue(QueueOrder::Released { chat: id, agent }));
            }
            _ => {
                self.visit_ends(id, "moved", None, at);
                let offered = self.chats.get(&id).map(|chat| chat.offered.clone()).unwrap_or_default();
                offered.iter().for_each(|agent| _ = self.not_offered(id, agent));
            }
        }
        self.event(id, ChatEvent::Transferred { queue: queue.clone(), agent: agent.clone(), by: word });
        self.enter(id, queue, agent, now);
        Ok(None)
    }

    fn survey(
        &mut self,
        id: CallId,
        actor: &ChatActor,
        score: u8,
        comment: String,
        now: Time,
    ) -> Result<(), ChatFault> {
        let at = self.date(now);
        if *actor != ChatActor::Customer {
            return Err(ChatFault::NotForHim);
        }
        if !(1..=CHAT_SCORE_MAX).contains(&score) || comment.len() > CHAT_COMMENT_MAX || !is_text(&comment) {
            return Err(ChatFault::BadScore);
        }
        let chat = self.chats.get_mut(&id).ok_or(ChatFault::NoSuchChat)?;
        if chat.record.stage != ChatStage::Closed {
            return Err(ChatFault::NotClosed);
        }
        let survey = ChatSurvey { score, comment, at };
        chat.record.survey = Some(survey.clone());
        chat.record.version = chat.record.version.saturating_add(1);
        let record = Box::new(chat.record.clone());
        self.out.push_back(ChatOutput::Closed(record));
        self.event(id, ChatEvent::Surveyed { survey });
        self.news(id);
        Ok(())
    }
}
