//! Chats of the fake: one queue, `web`, whose chats are offered to agent 1001 at once.

use super::{Fake, Floor, missing};
use cordboard_api::chat_switch::{Chats, ChatsAsked, OpenedChat};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::chat::{
    ChatAct, ChatActor, ChatEnd, ChatEvent, ChatFault, ChatFrom, ChatMessage, ChatRecord, ChatStage,
    ChatSurvey, ChatView, NewChat,
};
use cordboard_model::config::Secret;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, TenantId};
use cordboard_model::signin::TokenHash;

/// One chat.
#[derive(Clone, Debug)]
pub struct FakeChat {
    pub record: ChatRecord,
    pub token: String,
    pub offered: Vec<AgentId>,
    pub news: u64,
}

impl FakeChat {
    fn view(&self) -> ChatView {
        ChatView {
            position: (self.record.stage == ChatStage::Waiting).then_some(1),
            offered_to: self.offered.clone(),
            survey_open: self.record.stage == ChatStage::Closed && self.record.survey.is_none(),
            news: self.news,
            ..self.record.view()
        }
    }
}

impl Floor {
    fn chat_event(&mut self, chat: CallId, what: ChatEvent) {
        self.event(EventKind::Chat { chat, what: Box::new(what) });
    }

    fn open_chat(&mut self, new: NewChat) -> Result<OpenedChat, Refusal> {
        if new.queue.name.as_str() != "web" {
            return Err(Refusal::Chat(ChatFault::NotOfChats));
        }
        let (chat, at) = (self.ids.call(self.tenant), self.now);
        let token = format!("cbc_{chat}");
        let record = ChatRecord {
            chat,
            token: TokenHash([0; 32]),
            channel: new.channel,
            customer: new.customer.clone(),
            data: new.data,
            priority: new.priority,
            by: new.by,
            opened: at,
            accepted: None,
            closed: None,
            end: None,
            ended_by: String::new(),
            stage: ChatStage::Waiting,
            queue: new.queue.clone(),
            agent: None,
            since: at,
            visits: Vec::new(),
            messages: Vec::new(),
            survey: None,
            version: 0,
        };
        self.chats.push(FakeChat { record, token: token.clone(), offered: Vec::new(), news: 1 });
        self.chat_event(chat, ChatEvent::Opened { queue: new.queue, customer: new.customer });
        if let Some(text) = new.text {
            self.chat_act(chat, &ChatActor::Customer, ChatAct::Say { text, id: None })?;
        }
        self.offer_chat(chat, "1001");
        Ok(OpenedChat { chat, token: Secret(token) })
    }

    /// It waits, and this agent may take it.
    fn offer_chat(&mut self, id: CallId, agent: &str) {
        let agent = AgentId::new(self.tenant, agent).ok();
        let (Some(agent), Some(chat)) = (agent, self.chats.iter_mut().find(|chat| chat.record.chat == id))
        else {
            return;
        };
        (chat.record.stage, chat.record.agent, chat.offered) =
            (ChatStage::Waiting, None, vec![agent.clone()]);
        let queue = chat.record.queue.clone();
        self.event(EventKind::QueueOffered { call: id, queue, agent, why: "he is free".into() });
    }

    /// Whoever is offered it has let it ring for too long.
    pub fn chat_not_taken(&mut self, id: CallId) {
        let Some(chat) = self.chats.iter_mut().find(|chat| chat.record.chat == id) else {
            return;
        };
        for agent in std::mem::take(&mut chat.offered) {
            self.chat_event(id, ChatEvent::NotAccepted { agent, why: "no_answer".into() });
        }
    }

    fn chat_act(&mut self, id: CallId, actor: &ChatActor, act: ChatAct) -> Result<Option<u32>, Refusal> {
        let at = self.now;
        let refuse = |fault| Err(Refusal::Chat(fault));
        let Some(chat) = self.chats.iter_mut().find(|chat| chat.record.chat == id) else {
            return refuse(ChatFault::NoSuchChat);
        };
        let over = chat.record.stage == ChatStage::Closed;
        chat.news += 1;
        match (act, actor) {
            (ChatAct::Survey { score, comment }, ChatActor::Customer) if over => {
                chat.record.survey = Some(ChatSurvey { score, comment, at });
                Ok(None)
            }
            _ if over => refuse(ChatFault::Closed),
            (ChatAct::Say { text, .. }, _) if text.is_empty() => refuse(ChatFault::BadText),
            (ChatAct::Say { text, id: key }, actor) => {
                let from = match actor {
                    ChatActor::Agent(agent) if chat.record.agent.as_ref() != Some(agent) => {
                        return refuse(ChatFault::NotHis);
                    }
                    ChatActor::Agent(agent) => ChatFrom::Agent { agent: agent.name.clone() },
                    _ => ChatFrom::Customer,
                };
                let number = chat.record.messages.last().map_or(0, |last| last.number) + 1;
                let message = ChatMessage { number, at, from, text, id: key };
                chat.record.messages.push(message.clone());
                self.chat_event(id, ChatEvent::Message { message });
                Ok(Some(number))
            }
            (ChatAct::Accept, ChatActor::Agent(agent)) if chat.offered.contains(agent) => {
                (chat.record.stage, chat.record.agent) = (ChatStage::Open, Some(agent.clone()));
                chat.record.accepted = Some(at);
                chat.offered.clear();
                self.chat_event(id, ChatEvent::Accepted { agent: agent.clone() });
                Ok(None)
            }
            (ChatAct::Reject, ChatActor::Agent(agent)) if chat.offered.contains(agent) => {
                chat.offered.clear();
                self.chat_event(id, ChatEvent::NotAccepted { agent: agent.clone(), why: "declined".into() });
                Ok(None)
            }
            (ChatAct::ToQueue(_) | ChatAct::ToAgent(_) | ChatAct::Close, ChatActor::Agent(agent))
                if chat.record.agent.as_ref() != Some(agent) =>
            {
                refuse(ChatFault::NotHis)
            }
            (ChatAct::ToQueue(queue), actor) => {
                let by = format!("{actor:?}");
                (chat.record.stage, chat.record.agent, chat.record.queue) =
                    (ChatStage::Waiting, None, queue.clone());
                self.chat_event(id, ChatEvent::Transferred { queue, agent: None, by });
                Ok(None)
            }
            (ChatAct::ToAgent(agent), actor) => {
                let (queue, by) = (chat.record.queue.clone(), format!("{actor:?}"));
                self.chat_event(id, ChatEvent::Transferred { queue, agent: Some(agent.clone()), by });
                self.offer_chat(id, agent.name.as_str());
                Ok(None)
            }
            (ChatAct::Accept | ChatAct::Reject, _) => refuse(ChatFault::NotHis),
            (ChatAct::Close, actor) => {
                self.close_chat(id, actor);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn close_chat(&mut self, id: CallId, actor: &ChatActor) {
        let Some(chat) = self.chats.iter_mut().find(|chat| chat.record.chat == id) else {
            return;
        };
        chat.record.stage = ChatStage::Closed;
        let end = match actor {
            ChatActor::Customer => ChatEnd::Customer,
            ChatActor::Agent(_) => ChatEnd::Agent,
            ChatActor::Operator(_) => ChatEnd::Operator,
        };
        chat.record.end = Some(end);
        if let ChatActor::Operator(by) = actor {
            chat.record.ended_by.clone_from(by);
        }
        let by = chat.record.ended_by.clone();
        self.chat_event(id, ChatEvent::Closed { end, by });
    }

    fn find_chat(&self, id: CallId) -> Result<&FakeChat, Refusal> {
        self.chats.iter().find(|chat| chat.record.chat == id).ok_or_else(|| missing(&id))
    }
}

impl Chats for Fake {
    fn chats(&self, tenant: TenantId) -> Later<Vec<ChatView>> {
        self.answer(tenant, |floor| {
            let open = floor.chats.iter().filter(|chat| chat.record.stage != ChatStage::Closed);
            Ok(open.map(FakeChat::view).collect())
        })
    }

    fn chats_over(&self, tenant: TenantId, asked: ChatsAsked) -> Later<Vec<ChatRecord>> {
        self.answer(tenant, move |floor| {
            let over = floor.chats.iter().filter(|chat| chat.record.stage == ChatStage::Closed);
            let fits = over.filter(|chat| asked.agent.is_none() || chat.record.agent == asked.agent);
            Ok(fits.map(|chat| chat.record.clone()).take(asked.limit as usize).collect())
        })
    }

    fn chat(&self, chat: CallId) -> Later<ChatView> {
        self.answer(chat.tenant, move |floor| Ok(floor.find_chat(chat)?.view()))
    }

    fn chat_messages(&self, chat: CallId, since: u32, most: usize) -> Later<Vec<ChatMessage>> {
        self.answer(chat.tenant, move |floor| {
            let messages = floor.find_chat(chat)?.record.messages.iter();
            Ok(messages.filter(|said| said.number > since).take(most).cloned().collect())
        })
    }

    fn chat_news(&self, chat: CallId, seen: u64) -> Later<u64> {
        let fake = self.clone();
        Box::pin(async move {
            loop {
                let news = fake.on(chat.tenant, |floor| floor.find_chat(chat).map(|chat| chat.news))?;
                if news > seen {
                    return Ok(news);
                }
                tokio::task::yield_now().await;
            }
        })
    }

    fn open_chat(&self, tenant: TenantId, new: NewChat) -> Later<OpenedChat> {
        self.answer(tenant, move |floor| floor.open_chat(new))
    }

    fn chat_act(&self, chat: CallId, actor: ChatActor, act: ChatAct) -> Later<Option<u32>> {
        self.answer(chat.tenant, move |floor| floor.chat_act(chat, &actor, act))
    }

    fn chat_of(&self, token: &str) -> Later<CallId> {
        let mut found = None;
        for tenant in [TenantId::DEFAULT].into_iter().chain(TenantId::new("acme")) {
            let chat = self.on(tenant, |floor| {
                floor.chats.iter().find(|chat| chat.token == token).map(|chat| chat.record.chat)
            });
            found = found.or(chat);
        }
        let answer = found.ok_or_else(|| Refusal::NotFound("no such chat".into()));
        Box::pin(std::future::ready(answer))
    }
}
