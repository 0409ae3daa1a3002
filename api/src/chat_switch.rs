//! What the control plane asks the switch about chats.

use crate::switch::Later;
use cordboard_model::chat::{ChatAct, ChatActor, ChatMessage, ChatRecord, ChatView, NewChat};
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::time::Wall;

/// Which chats that are over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatsAsked {
    /// Opened at or after this time.
    pub from: Option<Wall>,
    /// Opened before this time.
    pub to: Option<Wall>,
    /// This agent had it last.
    pub agent: Option<AgentId>,
    /// It came from this queue last.
    pub queue: Option<QueueId>,
    /// Of this customer, by the integrator's id.
    pub customer: Option<String>,
    /// What follows this chat.
    pub before: Option<CallId>,
    /// At most so many.
    pub limit: u32,
}

/// A chat that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedChat {
    /// The chat.
    pub chat: CallId,
    /// What opens it for its customer. Shown once.
    pub token: Secret,
}

/// Chats. Every id in what is asked is of the asking tenant: the routes see to it.
pub trait Chats: Send + Sync + 'static {
    /// Those of a tenant that are not over, the oldest first.
    fn chats(&self, tenant: TenantId) -> Later<Vec<ChatView>>;
    /// Those that are, the newest first.
    fn chats_over(&self, tenant: TenantId, asked: ChatsAsked) -> Later<Vec<ChatRecord>>;
    /// One, over or not.
    fn chat(&self, chat: CallId) -> Later<ChatView>;
    /// What was said in it after the message of this number, at most so many.
    fn chat_messages(&self, chat: CallId, since: u32, most: usize) -> Later<Vec<ChatMessage>>;
    /// [`ChatView::news`] once it is above this, and at the latest after some 25 seconds. Not found when the chat is over
    /// and its customer cannot look at it any more.
    fn chat_news(&self, chat: CallId, seen: u64) -> Later<u64>;
    /// Opens one. Answered when the journal has it.
    fn open_chat(&self, tenant: TenantId, new: NewChat) -> Later<OpenedChat>;
    /// Does something in it. Answered when the journal has it, with the number of the message if something was said.
    fn chat_act(&self, chat: CallId, actor: ChatActor, act: ChatAct) -> Later<Option<u32>>;
    /// Which chat a customer's token opens.
    fn chat_of(&self, token: &str) -> Later<CallId>;
}
