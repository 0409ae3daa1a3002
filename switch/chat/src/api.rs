//! What goes into the engine and what comes out of it.

use cordboard_model::cause::Cause;
use cordboard_model::chat::{ChatEvent, ChatRecord, ChatStep};
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::QueueEnd;

/// How long a chat that is sent to one agent waits for him before any other takes it.
pub const TRANSFER_WAIT: Duration = Duration::from_secs(60);

/// What the queue engine has decided about a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatInput {
    /// It waits, at this place.
    Position {
        /// The chat.
        chat: CallId,
        /// From one.
        position: u32,
    },
    /// An agent is offered it; answered by [`QueueOrder::Took`] or [`QueueOrder::NotTaken`].
    Offered {
        /// The chat.
        chat: CallId,
        /// Who.
        agent: AgentId,
        /// How long he has to take it.
        ring: Duration,
    },
    /// He is offered it no longer.
    Withdrawn {
        /// The chat.
        chat: CallId,
        /// Who.
        agent: AgentId,
    },
    /// The wait ended without an agent.
    QueueEnded {
        /// The chat.
        chat: CallId,
        /// How.
        end: QueueEnd,
        /// The queue it is sent to instead, if to any.
        to: Option<QueueId>,
    },
    /// The agent who is to have it again after a restart is not there: it waits from now on.
    NotThere {
        /// The chat.
        chat: CallId,
    },
}

/// How a chat leaves its queue, if nobody takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveHow {
    /// The customer is gone.
    Abandoned,
    /// Somebody ended it.
    Ended,
}

/// What the queue engine is to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueOrder {
    /// The chat waits from now on. One that waits already is moved.
    Enter {
        /// The chat.
        chat: CallId,
        /// Where.
        queue: QueueId,
        /// Higher is served first.
        priority: u8,
        /// The agent it waits for first, for [`TRANSFER_WAIT`].
        agent: Option<AgentId>,
        /// It has waited there since then already, and keeps its place.
        since: Option<Wall>,
    },
    /// It waits no longer.
    Leave {
        /// The chat.
        chat: CallId,
        /// Why.
        how: LeaveHow,
    },
    /// The agent has seen the offer.
    Seen {
        /// The chat.
        chat: CallId,
        /// Who.
        agent: AgentId,
    },
    /// The agent has taken it.
    Took {
        /// The chat.
        chat: CallId,
        /// Who.
        agent: AgentId,
    },
    /// The agent has not.
    NotTaken {
        /// The chat.
        chat: CallId,
        /// Who.
        agent: AgentId,
        /// Why.
        why: Cause,
    },
    /// The agent is done with it.
    Released {
        /// The chat.
        chat: CallId,
        /// Who.
        agent: AgentId,
    },
    /// He had it before a restart and has it again; answered by [`ChatInput::NotThere`] if he is not there.
    Has {
        /// The chat.
        chat: CallId,
        /// The queue it came from.
        queue: QueueId,
        /// Who.
        agent: AgentId,
    },
}

/// What the engine wants done, or known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatOutput {
    /// Write it down: a chat is opened.
    Opened(Box<ChatRecord>),
    /// Write it down. What follows of this chat is to be told after it is.
    Step {
        /// The chat.
        chat: CallId,
        /// What happened.
        step: Box<ChatStep>,
    },
    /// Write it down: the chat is over, or there is more of it (its version is above zero then).
    Closed(Box<ChatRecord>),
    /// For the queue engine.
    Queue(QueueOrder),
    /// For the event stream.
    Event {
        /// The chat.
        chat: CallId,
        /// What happened.
        what: Box<ChatEvent>,
    },
    /// Readers of this chat have something to see; none any more if it is gone.
    News {
        /// The chat.
        chat: CallId,
        /// [`cordboard_model::chat::ChatView::news`]; none if there is no such chat any more.
        news: Option<u64>,
    },
}
