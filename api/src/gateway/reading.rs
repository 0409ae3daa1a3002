//! Keeps the chats of a seat up to date: which are his, and what was said in them.

use super::Gateway;
use super::news::Told;
use super::seat::Seat;
use super::seen::Seen;
use super::texts::Text;
use crate::switch::Refusal;
use cordboard_model::chat::{ChatAct, ChatActor, ChatEvent};
use cordboard_model::id::CallId;
use serde_json::json;
use std::collections::BTreeMap;

/// Most messages that are read at a time; who comes to a longer chat is told the last ones.
const READ: u32 = 100;

impl Gateway {
    /// An event of a chat: whose desks are to be looked at.
    pub(super) fn on_chat(&self, chat: CallId, what: &ChatEvent) {
        self.note(chat, |news| news.texts = true);
        let of = match what {
            ChatEvent::Accepted { agent } => agent,
            ChatEvent::NotAccepted { agent, why } => {
                let late = why == "no_answer";
                return self.note_of(agent, |news| {
                    news.texts = true;
                    if late && news.not_taken.len() < super::news::News::MOST {
                        news.not_taken.push(chat);
                    }
                });
            }
            _ => return,
        };
        self.note_of(of, |news| news.texts = true);
    }

    /// His chats, if anything has happened to them.
    ///
    /// # Errors
    /// The switch cannot say now; they are to be looked at again.
    pub(super) async fn texts(&self, seat: &Seat) -> Result<Option<BTreeMap<CallId, Text>>, Refusal> {
        if !core::mem::take(&mut seat.lock().news.texts) {
            return Ok(None);
        }
        match self.read(seat).await {
            Ok(texts) => Ok(Some(texts)),
            Err(why) => {
                seat.lock().news.texts = true;
                Err(why)
            }
        }
    }

    async fn read(&self, seat: &Seat) -> Result<BTreeMap<CallId, Text>, Refusal> {
        let views = self.switch.chats(seat.agent.tenant).await?;
        let before = seat.lock().seen.texts.clone();
        let mut texts = BTreeMap::new();
        for view in &views {
            let Some(mut text) = Text::of(view, &seat.agent, before.get(&view.chat)) else { continue };
            if text.is_behind() {
                let since = text.told.max(text.last.saturating_sub(READ));
                let said = self.switch.chat_messages(text.chat, since, READ as usize).await;
                // one that is over meanwhile is told as gone by its own event
                text.read(said.unwrap_or_default(), &seat.agent);
            }
            texts.insert(text.chat, text);
        }
        Ok(texts)
    }

    /// Takes chats that have come, if he said at the sign-in that he wants that.
    pub(super) async fn take_texts(&self, seat: &Seat, old: &Seen, new: &Seen, told: &mut [Told]) {
        if !seat.lock().manner.auto_answer {
            return;
        }
        let came =
            new.texts.values().filter(|text| !text.open && old.texts.get(&text.chat).is_none_or(|b| b.open));
        for text in came {
            let actor = ChatActor::Agent(seat.agent.clone());
            if self.switch.chat_act(text.chat, actor, ChatAct::Accept).await.is_err() {
                continue;
            }
            let rings = |(kind, content): &&mut Told| {
                *kind == "AgentEvent_Ringing" && content["callid"] == text.id.as_str()
            };
            if let Some(event) = told.iter_mut().find(rings) {
                let mut content = text.ringing();
                content["mediaType"] = json!(text.media_type());
                *event = ("AgentEvent_Auto_Answer", content);
            }
        }
    }
}
