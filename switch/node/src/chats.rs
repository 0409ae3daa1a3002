//! Chats as the control plane sees them: the shard decides, the journal says when it is for good, and who waits for news is
//! woken.
//!
//! Invariant: nobody is told that something was taken before the journal has it.

use crate::switch::{NodeSwitch, ask, missing, store_refusal};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cordboard_api::chat_switch::{Chats, ChatsAsked, OpenedChat};
use cordboard_api::switch::{Later, Refusal};
use cordboard_core::{ChatDone, Shard};
use cordboard_model::chat::{
    CHAT_TOKEN_PREFIX, ChatAct, ChatActor, ChatMessage, ChatRecord, ChatView, NewChat,
};
use cordboard_model::config::Secret;
use cordboard_model::id::{CallId, TenantId};
use cordboard_model::signin::TokenHash;
use cordboard_store::{ChatFilter, Cursor};
use dashmap::DashMap;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How long who did something waits for the journal before he is told to try again.
const WRITTEN: Duration = Duration::from_secs(5);
/// How long who waits for news is kept waiting.
const NEWS: Duration = Duration::from_secs(25);
/// Random bytes of a token.
const TOKEN: usize = 32;

/// Between the signalling thread and those who wait.
#[derive(Debug, Default)]
pub struct ChatDesk {
    /// Who waits until something is written.
    kept: DashMap<u64, oneshot::Sender<bool>>,
    /// Who waits for news of a chat.
    bells: DashMap<CallId, watch::Sender<u64>>,
}

impl ChatDesk {
    /// The journal has what the ticket names, or could not write it.
    pub fn kept(&self, ticket: u64, ok: bool) {
        if let Some((_, waits)) = self.kept.remove(&ticket) {
            // who waited may have given up
            let _ = waits.send(ok);
        }
    }

    /// A chat has news, or is gone.
    pub fn news(&self, chat: CallId, news: Option<u64>) {
        match news {
            Some(news) => self.bells.view(&chat, |_, bell| _ = bell.send_replace(news)).unwrap_or_default(),
            None => _ = self.bells.remove(&chat),
        }
    }

    /// Is told of what is news from now on.
    fn listen(&self, chat: CallId, seen: u64) -> watch::Receiver<u64> {
        self.bells.entry(chat).or_insert_with(|| watch::channel(seen).0).subscribe()
    }

    /// Nobody waits for news of a chat any more.
    fn tidy(&self, chat: CallId) {
        self.bells.remove_if(&chat, |_, bell| bell.receiver_count() == 0);
    }
}

/// A token that nobody can guess, and its hash.
fn token() -> Result<(String, TokenHash), Refusal> {
    let mut bytes = [0; TOKEN];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_| Refusal::Internal("the operating system gives no random bytes".to_owned()))?;
    let text = format!("{CHAT_TOKEN_PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let hash = hash_of(&text);
    Ok((text, hash))
}

fn hash_of(token: &str) -> TokenHash {
    TokenHash(Sha256::digest(token).into())
}

impl NodeSwitch {
    /// Does something with chats and waits until the journal has it.
    fn written<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Shard) -> Result<(T, ChatDone), Refusal> + Send + 'static,
    ) -> Later<T> {
        let (orders, desk) = (self.orders.clone(), Arc::clone(&self.chat_desk));
        Box::pin(async move {
            let (told, written) = oneshot::channel();
            let at_desk = Arc::clone(&desk);
            // on the signalling thread, and so before the journal can have answered
            let done = ask(orders, move |shard| {
                let (answer, done) = act(shard)?;
                match done.ticket {
                    Some(ticket) => _ = at_desk.kept.insert(ticket, told),
                    None => _ = told.send(true),
                }
                Ok::<_, Refusal>((answer, done.ticket))
            });
            let (answer, ticket) = done.await??;
            match tokio::time::timeout(WRITTEN, written).await {
                Ok(Ok(true)) => Ok(answer),
                _ => {
                    if let Some(ticket) = ticket {
                        desk.kept.remove(&ticket);
                    }
                    Err(Refusal::Busy(1))
                }
            }
        })
    }
}

impl Chats for NodeSwitch {
    fn chats(&self, tenant: TenantId) -> Later<Vec<ChatView>> {
        self.later(move |shard| shard.chats(tenant))
    }

    fn chats_over(&self, tenant: TenantId, asked: ChatsAsked) -> Later<Vec<ChatRecord>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            let before = match asked.before {
                None => None,
                Some(chat) => {
                    let last = store.chat(tenant, chat).await.map_err(store_refusal)?;
                    let last = last.ok_or_else(|| missing(format!("the record of chat {chat}")))?;
                    Some(Cursor { started: last.opened, id: chat })
                }
            };
            let filter = ChatFilter {
                from: asked.from,
                to: asked.to,
                agent: asked.agent.map(|agent| agent.name),
                queue: asked.queue.map(|queue| queue.name),
                customer: asked.customer,
                limit: Some(asked.limit),
                before,
            };
            Ok(store.chats(tenant, &filter).await.map_err(store_refusal)?.items)
        })
    }

    fn chat(&self, chat: CallId) -> Later<ChatView> {
        let answer = self.later(move |shard| shard.chat(chat));
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            if let Some(view) = answer.await? {
                return Ok(view);
            }
            let found = store.chat(chat.tenant, chat).await.map_err(store_refusal)?;
            found.map(|record| record.view()).ok_or_else(|| missing(format!("chat {chat}")))
        })
    }

    fn chat_messages(&self, chat: CallId, since: u32, most: usize) -> Later<Vec<ChatMessage>> {
        let answer = self.later(move |shard| shard.chat_messages(chat, since, most));
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            if let Some(messages) = answer.await? {
                return Ok(messages);
            }
            let found = store.chat(chat.tenant, chat).await.map_err(store_refusal)?;
            let record = found.ok_or_else(|| missing(format!("chat {chat}")))?;
            Ok(record.messages.into_iter().filter(|said| said.number > since).take(most).collect())
        })
    }

    fn chat_news(&self, chat: CallId, seen: u64) -> Later<u64> {
        let (orders, desk) = (self.orders.clone(), Arc::clone(&self.chat_desk));
        Box::pin(async move {
            // first the bell, then the question: nothing is missed between the two
            let mut bell = desk.listen(chat, seen);
            let now = ask(orders, move |shard| shard.chat(chat).map(|view| view.news)).await;
            let news = match now {
                Ok(Some(news)) if news <= seen => {
                    let rang = tokio::time::timeout(NEWS, bell.wait_for(|news| *news > seen)).await;
                    match rang {
                        Ok(Ok(news)) => Ok(*news),
                        // the chat is gone
                        Ok(Err(_)) => Err(missing(format!("chat {chat}"))),
                        Err(_) => Ok(seen),
                    }
                }
                Ok(Some(news)) => Ok(news),
                Ok(None) => Err(missing(format!("chat {chat}"))),
                Err(refusal) => Err(refusal),
            };
            drop(bell);
            desk.tidy(chat);
            news
        })
    }

    fn open_chat(&self, tenant: TenantId, new: NewChat) -> Later<OpenedChat> {
        let (text, hash) = match token() {
            Ok(made) => made,
            Err(refusal) => return Box::pin(std::future::ready(Err(refusal))),
        };
        let opened = self.written(move |shard| {
            let now = shard.now();
            shard.open_chat(tenant, new, hash, now).map_err(Refusal::Chat)
        });
        Box::pin(async move { Ok(OpenedChat { chat: opened.await?, token: Secret(text) }) })
    }

    fn chat_act(&self, chat: CallId, actor: ChatActor, act: ChatAct) -> Later<Option<u32>> {
        self.written(move |shard| {
            let now = shard.now();
            let done = shard.chat_act(chat, &actor, act, now).map_err(Refusal::Chat)?;
            Ok((done.number, done))
        })
    }

    fn chat_of(&self, token: &str) -> Later<CallId> {
        let hash = hash_of(token);
        let answer = self.later(move |shard| shard.chat_of_token(&hash));
        Box::pin(async move { answer.await?.ok_or_else(|| missing("no such chat")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_a_chat_is_long_random_and_kept_as_its_hash_alone() {
        let ((one, hash), (two, _)) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), CHAT_TOKEN_PREFIX.len() + 43);
        assert_ne!(one, two);
        assert_eq!(hash_of(&one), hash);
    }
}
