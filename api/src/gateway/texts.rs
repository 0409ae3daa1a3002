//! Chats as an agent's desk has them: what was last seen of each, and what has happened to it since, in the reference's events.
//!
//! Invariant: pure. Like calls, chats are compared with what they were, so that a missed event of the switch's own costs
//! nothing: every message that another side has said is told once, in order, under the number of its chat.

use super::news::{News, Told, Words};
use super::number;
use super::seen::Seen;
use cordboard_model::chat::{ChatFrom, ChatMessage, ChatStage, ChatView};
use cordboard_model::id::{AgentId, CallId, Name};
use cordboard_model::service::Channel;
use serde_json::{Value, json};

/// `mediaAbility` of text.
const TEXT: &str = "5";

/// One of his chats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) chat: CallId,
    /// The number that he knows it by.
    pub(crate) id: String,
    /// The customer, by his id, or his name where he has none.
    pub(crate) customer: String,
    pub(crate) queue: Name,
    pub(crate) channel: Channel,
    /// He talks in it; otherwise it is offered to him.
    pub(crate) open: bool,
    /// The agent who had it before him.
    pub(crate) sent_by: Option<String>,
    /// Number of the last message, and of the last one that he was told, or has said himself.
    pub(crate) last: u32,
    pub(crate) told: u32,
    /// What others have said since the last look: who, and what.
    pub(crate) fresh: Vec<(String, String)>,
}

impl Text {
    /// As it is seen; none if it is not his. `before` tells what he was told already.
    pub(crate) fn of(view: &ChatView, me: &AgentId, before: Option<&Text>) -> Option<Self> {
        let open = view.stage == ChatStage::Open && view.agent.as_ref() == Some(me);
        if !open && !view.offered_to.contains(me) {
            return None;
        }
        let customer = match (view.customer.id.is_empty(), view.customer.name.is_empty()) {
            (false, _) => view.customer.id.clone(),
            (true, false) => view.customer.name.clone(),
            (true, true) => "anonymous".to_owned(),
        };
        let of_others = view.visits.iter().rev().filter_map(|visit| visit.agent.as_ref());
        let sender = of_others.map(|agent| agent.name.to_string()).next();
        Some(Self {
            chat: view.chat,
            id: number::of_call(view.chat),
            customer,
            queue: view.queue.name.clone(),
            channel: view.channel,
            open,
            sent_by: match before {
                Some(before) => before.sent_by.clone(),
                None => sender.filter(|_| view.accepted.is_some() && !open),
            },
            last: view.last_message,
            told: before.filter(|before| before.open == open).map_or(0, |before| before.told),
            fresh: Vec::new(),
        })
    }

    /// Whether there is something to read that he was not told.
    pub(crate) fn is_behind(&self) -> bool {
        self.open && self.last > self.told
    }

    /// Takes what was said since the message that he was told last.
    pub(crate) fn read(&mut self, messages: Vec<ChatMessage>, me: &AgentId) {
        for message in messages {
            if message.number <= self.told {
                continue;
            }
            self.told = message.number;
            match message.from {
                ChatFrom::Customer => self.fresh.push((self.customer.clone(), message.text)),
                ChatFrom::Agent { agent } if agent != me.name => {
                    self.fresh.push((agent.to_string(), message.text));
                }
                ChatFrom::Agent { .. } => {}
            }
        }
        self.last = self.last.max(self.told);
    }

    /// `mediaType` of the reference: a chat of a page, or one of another network.
    pub(crate) fn media_type(&self) -> u8 {
        match self.channel {
            Channel::Web => 51,
            Channel::Email | Channel::Sms => 17,
            _ => 53,
        }
    }

    /// What `AgentEvent_Ringing` and `AgentEvent_Auto_Answer` say.
    pub(crate) fn ringing(&self) -> Value {
        json!({
            "caller": self.customer,
            "called": self.queue,
            "callid": self.id,
            "type": "main",
            "feature": "0",
            "mediaAbility": TEXT,
            "transfer": if self.sent_by.is_some() { "yes" } else { "no" },
            "transfrom": self.sent_by.clone().unwrap_or_default(),
        })
    }

    fn talking(&self) -> Told {
        let content = json!({
            "caller": self.customer,
            "called": self.queue,
            "callid": self.id,
            "feature": "0",
            "type": "main",
            "mediaAbility": TEXT,
        });
        ("AgentEvent_Talking", content)
    }

    fn incoming(&self, (number, name): (u32, String)) -> Told {
        let content = json!({
            "callId": self.id,
            "skillName": name,
            "skillId": number.to_string(),
            "caller": self.customer,
            "called": self.queue,
            "lastReleaseAgentId": "",
            "mediaType": self.media_type().to_string(),
            "releaseAndReQueueCount": "0",
            "releaseAndReQueueCallFlag": "0",
        });
        ("AgentEvent_Incoming_CallInfo", content)
    }

    fn message(&self, (who, text): &(String, String), me: &str) -> Told {
        let content = json!({
            "callid": self.id,
            "caller": who,
            "called": me,
            "feature": "0",
            "type": "main",
            "message": text,
            "mediaAbility": TEXT,
        });
        ("AgentEvent_MessageData", content)
    }

    /// It is his no longer.
    fn gone(&self, out: &mut Vec<Told>, news: &News) {
        let id = Value::String(self.id.clone());
        if !self.open && news.not_taken.contains(&self.chat) {
            return out.push(("AgentEvent_No_Answer", id));
        }
        out.push(("AgentEvent_Call_Release", id));
        let content = json!({ "callid": self.id, "number": self.customer });
        out.push(("AgentEvent_Customer_Release", content));
    }
}

/// What has happened to his chats between two looks.
pub(crate) fn between(out: &mut Vec<Told>, old: &Seen, new: &Seen, news: &News, words: &Words<'_>) {
    for (chat, text) in &new.texts {
        let before = old.texts.get(chat);
        let back = before.filter(|before| before.open && !text.open);
        back.iter().for_each(|before| before.gone(out, news));
        if before.is_none() || back.is_some() {
            out.push(("AgentEvent_Ringing", text.ringing()));
        }
        if text.open && before.is_none_or(|before| !before.open) {
            out.push(text.talking());
            out.push(text.incoming((words.skill)(text.queue.as_str())));
        }
        out.extend(text.fresh.iter().map(|said| text.message(said, words.me)));
    }
    for (chat, text) in &old.texts {
        if !new.texts.contains_key(chat) {
            text.gone(out, news);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::State;
    use super::*;
    use cordboard_model::chat::ChatCustomer;
    use cordboard_model::id::{IdMaker, QueueId, TenantId};
    use cordboard_model::time::Wall;

    fn me() -> AgentId {
        AgentId::new(TenantId::DEFAULT, "1001").unwrap()
    }

    fn view() -> ChatView {
        ChatView {
            chat: IdMaker::new(1_456_404_171, 0).call(TenantId::DEFAULT),
            channel: Channel::Web,
            customer: ChatCustomer { id: "c-17".into(), name: "Ann".into() },
            data: Default::default(),
            stage: ChatStage::Waiting,
            queue: QueueId::new(TenantId::DEFAULT, "web").unwrap(),
            position: Some(1),
            offered_to: vec![me()],
            agent: None,
            opened: Wall(1),
            accepted: None,
            closed: None,
            end: None,
            ended_by: String::new(),
            last_message: 0,
            typing: (false, false),
            survey_open: false,
            survey: None,
            visits: Vec::new(),
            news: 1,
        }
    }

    fn open() -> ChatView {
        ChatView {
            stage: ChatStage::Open,
            agent: Some(me()),
            offered_to: Vec::new(),
            accepted: Some(Wall(2)),
            ..view()
        }
    }

    fn seen(text: Option<Text>) -> Seen {
        let texts = text.into_iter().map(|text| (text.chat, text)).collect();
        Seen { texts, ..Seen::idle(State::Idle) }
    }

    fn told(old: &Seen, new: &Seen, news: &News) -> Vec<Told> {
        let mut out = Vec::new();
        let words = Words { me: "1001", skill: &|_| (31, "Web".into()), date: Wall(9) };
        between(&mut out, old, new, news, &words);
        out
    }

    fn kinds(told: &[Told]) -> Vec<&'static str> {
        told.iter().map(|(kind, _)| *kind).collect()
    }

    fn said(number: u32, from: ChatFrom, text: &str) -> ChatMessage {
        ChatMessage { number, at: Wall(3), from, text: text.into(), id: None }
    }

    #[test]
    fn a_chat_rings_is_talked_in_and_goes_under_one_number() {
        let none = seen(None);
        let rings = seen(Text::of(&view(), &me(), None));
        let first = told(&none, &rings, &News::default());
        assert_eq!(kinds(&first), ["AgentEvent_Ringing"]);
        assert_eq!(
            (&first[0].1["callid"], &first[0].1["mediaAbility"]),
            (&json!("1456404171-256"), &json!("5"))
        );
        assert_eq!((&first[0].1["caller"], &first[0].1["transfer"]), (&json!("c-17"), &json!("no")));
        let mut text = Text::of(&ChatView { last_message: 3, ..open() }, &me(), rings.texts.values().next());
        assert!(text.as_ref().unwrap().is_behind());
        let agent = |name: &str| ChatFrom::Agent { agent: Name::new(name).unwrap() };
        let messages = vec![
            said(1, ChatFrom::Customer, "hello"),
            said(2, agent("1002"), "one moment"),
            said(3, agent("1001"), "hi"),
        ];
        text.as_mut().unwrap().read(messages.clone(), &me());
        text.as_mut().unwrap().read(messages, &me());
        let talks = seen(text);
        let second = told(&rings, &talks, &News::default());
        let wanted = [
            "AgentEvent_Talking",
            "AgentEvent_Incoming_CallInfo",
            "AgentEvent_MessageData",
            "AgentEvent_MessageData",
        ];
        assert_eq!(kinds(&second), wanted, "his own words are not told him, and nothing twice");
        assert_eq!((&second[1].1["mediaType"], &second[1].1["skillId"]), (&json!("51"), &json!("31")));
        assert_eq!((&second[2].1["caller"], &second[2].1["message"]), (&json!("c-17"), &json!("hello")));
        assert_eq!((&second[3].1["caller"], &second[3].1["called"]), (&json!("1002"), &json!("1001")));
        let again = Text::of(&ChatView { last_message: 3, ..open() }, &me(), talks.texts.values().next());
        assert!(!again.as_ref().unwrap().is_behind());
        assert_eq!(told(&talks, &seen(again), &News::default()), []);
        let over = told(&talks, &none, &News::default());
        assert_eq!(over[0], ("AgentEvent_Call_Release", json!("1456404171-256")));
        assert_eq!(over[1].1, json!({ "callid": "1456404171-256", "number": "c-17" }));
    }

    #[test]
    fn one_that_is_not_taken_in_time_is_no_answer_and_one_that_is_rejected_a_release() {
        let rings = seen(Text::of(&view(), &me(), None));
        let late = News { not_taken: vec![view().chat], ..News::default() };
        assert_eq!(told(&rings, &seen(None), &late), [("AgentEvent_No_Answer", json!("1456404171-256"))]);
        let rejected = told(&rings, &seen(None), &News::default());
        assert_eq!(kinds(&rejected), ["AgentEvent_Call_Release", "AgentEvent_Customer_Release"]);
    }

    #[test]
    fn one_that_comes_from_another_agent_says_so_and_one_of_others_is_not_his() {
        let other = AgentId::new(TenantId::DEFAULT, "1002").unwrap();
        let visit = cordboard_model::cdr::QueueVisit {
            queue: view().queue,
            entered: Wall(1),
            left: Wall(2),
            agent: Some(other.clone()),
            outcome: "served".into(),
            consulted_by: None,
            account: None,
        };
        let sent = ChatView { accepted: Some(Wall(2)), visits: vec![visit], ..view() };
        let text = Text::of(&sent, &me(), None).unwrap();
        assert_eq!(
            (&text.ringing()["transfer"], &text.ringing()["transfrom"]),
            (&json!("yes"), &json!("1002"))
        );
        assert_eq!(Text::of(&ChatView { agent: Some(other), ..open() }, &me(), None), None);
        assert_eq!(Text::of(&ChatView { offered_to: Vec::new(), ..view() }, &me(), None), None);
    }

    /// Back in the queue by his own transfer, it may be offered to him again.
    #[test]
    fn one_that_comes_back_to_who_sent_it_ends_and_rings_anew() {
        let talks = seen(Text::of(&ChatView { last_message: 2, ..open() }, &me(), None));
        let back = Text::of(&view(), &me(), talks.texts.values().next());
        let events = told(&talks, &seen(back), &News::default());
        let wanted = ["AgentEvent_Call_Release", "AgentEvent_Customer_Release", "AgentEvent_Ringing"];
        assert_eq!(kinds(&events), wanted);
    }
}
