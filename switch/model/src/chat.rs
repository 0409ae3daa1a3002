//! Chats: a customer on a web page, and agents who answer him in text.

use crate::cdr::QueueVisit;
use crate::id::{AgentId, CallId, Name, QueueId, TenantId};
use crate::service::Channel;
use crate::signin::TokenHash;
use crate::time::{Duration, Wall};
use core::fmt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What tokens of customers begin with.
pub const CHAT_TOKEN_PREFIX: &str = "cbc_";
/// Longest message, bytes.
pub const CHAT_TEXT_MAX: usize = 4_000;
/// Longest id or name of a customer, and longest id that a sender gives a message, bytes.
pub const CHAT_WORD_MAX: usize = 128;
/// Most call data of a chat, bytes as JSON.
pub const CHAT_DATA_MAX: usize = 16_384;
/// Longest comment of a survey, bytes.
pub const CHAT_COMMENT_MAX: usize = 1_000;
/// Best mark of a survey; the worst is 1.
pub const CHAT_SCORE_MAX: u8 = 10;
/// Most messages of one chat.
pub const CHAT_MESSAGES_MAX: usize = 1_000;
/// Most bytes of text of one chat.
pub const CHAT_TRANSCRIPT_MAX: usize = 256 * 1024;
/// Most chats of a tenant that are not over; those that are count while their customers may still look at them.
pub const CHATS_MAX: usize = 2_000;
/// Most queues and agents that a chat goes to one after the other.
pub const CHAT_VISITS_MAX: usize = 64;

/// Who has written.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "side")]
pub enum ChatFrom {
    /// The customer.
    Customer,
    /// An agent.
    Agent {
        /// His work number.
        agent: Name,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Counted from one within the chat, without gaps.
    pub number: u32,
    /// When it was taken.
    pub at: Wall,
    /// Who has written it.
    pub from: ChatFrom,
    /// What.
    pub text: String,
    /// The sender's own id: what is sent again with it is not said twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// What a chat is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatStage {
    /// The customer waits in a queue.
    Waiting,
    /// He talks to an agent.
    Open,
    /// It is over.
    Closed,
}

/// How a chat ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatEnd {
    /// The customer closed it.
    Customer,
    /// The agent did.
    Agent,
    /// Somebody with a key, or a supervisor, did.
    Operator,
    /// The customer said nothing for too long.
    Silence,
    /// The wait limit came first.
    Timeout,
    /// The queue took nobody more.
    Full,
    /// Nobody was signed in to the queue.
    NobodySignedIn,
    /// The agent that he was to talk to is not there.
    NoAgent,
    /// The queue is not there any more.
    Gone,
}

impl ChatEnd {
    /// The word used in records and events.
    pub fn as_str(self) -> &'static str {
        match self {
            ChatEnd::Customer => "customer",
            ChatEnd::Agent => "agent",
            ChatEnd::Operator => "operator",
            ChatEnd::Silence => "silence",
            ChatEnd::Timeout => "timeout",
            ChatEnd::Full => "full",
            ChatEnd::NobodySignedIn => "nobody_signed_in",
            ChatEnd::NoAgent => "no_agent",
            ChatEnd::Gone => "gone",
        }
    }
}

/// What the customer thinks of it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ChatSurvey {
    /// 1 to [`CHAT_SCORE_MAX`].
    pub score: u8,
    /// In his words; may be empty.
    #[serde(default)]
    pub comment: String,
    /// When he said it.
    pub at: Wall,
}

/// The customer, as the integrator knows him.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ChatCustomer {
    /// The integrator's id of him; may be empty.
    #[serde(default)]
    pub id: String,
    /// His name, for the agent; may be empty.
    #[serde(default)]
    pub name: String,
}

/// All of a chat: what the journal keeps while it lasts, and the record of it after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRecord {
    /// The chat. It shares its id with its call record, its queue visits and the call data of calls that came of it.
    pub chat: CallId,
    /// Hash of the customer's token.
    pub token: TokenHash,
    /// By which way it came.
    pub channel: Channel,
    /// The customer.
    pub customer: ChatCustomer,
    /// Call data.
    #[serde(default)]
    pub data: BTreeMap<String, Value>,
    /// Higher is served first.
    #[serde(default)]
    pub priority: u8,
    /// Who opened it: `key shop`.
    pub by: String,
    /// When.
    pub opened: Wall,
    /// When an agent took it first.
    #[serde(default)]
    pub accepted: Option<Wall>,
    /// When it was over.
    #[serde(default)]
    pub closed: Option<Wall>,
    /// How.
    #[serde(default)]
    pub end: Option<ChatEnd>,
    /// Who ended it, in words; empty if nobody did.
    #[serde(default)]
    pub ended_by: String,
    /// What it is doing.
    pub stage: ChatStage,
    /// The queue it waits in, or came from last.
    pub queue: QueueId,
    /// The agent who has it, or had it last.
    #[serde(default)]
    pub agent: Option<AgentId>,
    /// Since when it has its place in the queue, while it waits.
    pub since: Wall,
    /// Its waits.
    #[serde(default)]
    pub visits: Vec<QueueVisit>,
    /// What was said.
    #[serde(default)]
    pub messages: Vec<ChatMessage>,
    /// What the customer thinks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survey: Option<ChatSurvey>,
    /// Counts the records of the same chat after its end.
    #[serde(default)]
    pub version: u32,
}

/// A chat as readers see it: everything but its messages and what opens it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ChatView {
    /// The chat.
    pub chat: CallId,
    /// By which way it came.
    pub channel: Channel,
    /// The customer.
    pub customer: ChatCustomer,
    /// Call data.
    pub data: BTreeMap<String, Value>,
    /// What it is doing.
    pub stage: ChatStage,
    /// The queue it waits in, or came from last.
    pub queue: QueueId,
    /// Its place there, from one, while it waits.
    pub position: Option<u32>,
    /// Who is offered it now.
    pub offered_to: Vec<AgentId>,
    /// The agent who has it, or had it last.
    pub agent: Option<AgentId>,
    /// When it was opened.
    pub opened: Wall,
    /// When an agent took it first.
    pub accepted: Option<Wall>,
    /// When it was over.
    pub closed: Option<Wall>,
    /// How.
    pub end: Option<ChatEnd>,
    /// Who ended it.
    pub ended_by: String,
    /// Number of the last message; zero before the first.
    pub last_message: u32,
    /// Whether the customer types, and whether the agent does.
    pub typing: (bool, bool),
    /// Whether the customer may say what he thinks of it.
    pub survey_open: bool,
    /// What he said.
    pub survey: Option<ChatSurvey>,
    /// Its waits.
    pub visits: Vec<QueueVisit>,
    /// Grows with every change that a reader sees.
    pub news: u64,
}

impl ChatRecord {
    /// Whose it is.
    pub fn tenant(&self) -> TenantId {
        self.chat.tenant
    }

    /// As readers see it when it is over and nobody works on it any more.
    pub fn view(&self) -> ChatView {
        ChatView {
            chat: self.chat,
            channel: self.channel,
            customer: self.customer.clone(),
            data: self.data.clone(),
            stage: self.stage,
            queue: self.queue.clone(),
            position: None,
            offered_to: Vec::new(),
            agent: self.agent.clone(),
            opened: self.opened,
            accepted: self.accepted,
            closed: self.closed,
            end: self.end,
            ended_by: self.ended_by.clone(),
            last_message: self.messages.last().map_or(0, |message| message.number),
            typing: (false, false),
            survey_open: false,
            survey: self.survey.clone(),
            visits: self.visits.clone(),
            news: 0,
        }
    }
}

/// What happens to a chat while it lasts, for the journal: its record is the sum of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum ChatStep {
    /// Something was said. Again, if it has a number that is there.
    Said {
        /// What.
        message: ChatMessage,
    },
    /// It waits in a queue.
    Waits {
        /// Which.
        queue: QueueId,
        /// The agent it waits for; none if anybody may take it.
        agent: Option<AgentId>,
        /// Since when it has its place.
        since: Wall,
        /// Its waits.
        visits: Vec<QueueVisit>,
    },
    /// An agent has it.
    Taken {
        /// Who.
        agent: AgentId,
        /// When.
        at: Wall,
        /// Its waits.
        visits: Vec<QueueVisit>,
    },
}

impl ChatRecord {
    /// Takes a step of the journal.
    pub fn take(&mut self, step: ChatStep) {
        match step {
            ChatStep::Said { message } => {
                if self.messages.last().is_none_or(|last| last.number < message.number) {
                    self.messages.push(message);
                }
            }
            ChatStep::Waits { queue, agent, since, visits } => {
                (self.stage, self.queue, self.agent) = (ChatStage::Waiting, queue, agent);
                (self.since, self.visits) = (since, visits);
            }
            ChatStep::Taken { agent, at, visits } => {
                (self.stage, self.agent, self.visits) = (ChatStage::Open, Some(agent), visits);
                self.accepted.get_or_insert(at);
            }
        }
    }
}

/// Something in the event stream of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ChatEvent {
    /// It was opened.
    Opened {
        /// The queue it was opened into.
        queue: QueueId,
        /// The customer.
        customer: ChatCustomer,
    },
    /// An agent took it.
    Accepted {
        /// Who.
        agent: AgentId,
    },
    /// An agent did not take it.
    NotAccepted {
        /// Who.
        agent: AgentId,
        /// `no_answer`, `declined` ...
        why: String,
    },
    /// Something was said.
    Message {
        /// What. Its word in JSON is another, for `message` says there what a line of the stream is.
        #[serde(rename = "said", alias = "message")]
        message: ChatMessage,
    },
    /// Somebody types, or does no longer.
    Typing {
        /// Who.
        from: ChatFrom,
        /// Whether.
        on: bool,
    },
    /// The customer waits for an answer for so long that somebody should look.
    Unanswered {
        /// Who has it.
        agent: AgentId,
    },
    /// The customer says nothing, and the chat ends soon.
    Silent,
    /// It was sent elsewhere.
    Transferred {
        /// To which queue.
        queue: QueueId,
        /// To which agent.
        agent: Option<AgentId>,
        /// By whom.
        by: String,
    },
    /// It is over.
    Closed {
        /// How.
        end: ChatEnd,
        /// By whom; empty if nobody did.
        by: String,
    },
    /// The customer said what he thinks of it.
    Surveyed {
        /// What.
        survey: ChatSurvey,
    },
}

/// How a queue of chats looks after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatRules {
    /// A chat in which the customer says nothing for so long, while it is his turn, is over.
    pub silence: Duration,
    /// He is told so long before.
    pub warning: Duration,
    /// Somebody should look when the customer has waited so long for an answer of his agent.
    pub answer: Option<Duration>,
    /// For so long after its end a customer may look at a chat, and say what he thinks of it.
    pub survey: Duration,
}

impl Default for ChatRules {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { silence: secs(600), warning: secs(60), answer: Some(secs(120)), survey: secs(900) }
    }
}

/// A chat that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChat {
    /// Into which queue.
    pub queue: QueueId,
    /// By which way it comes.
    pub channel: Channel,
    /// The customer.
    pub customer: ChatCustomer,
    /// Call data.
    pub data: BTreeMap<String, Value>,
    /// Higher is served first.
    pub priority: u8,
    /// What he says first.
    pub text: Option<String>,
    /// Who opens it.
    pub by: String,
}

/// Who acts in a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatActor {
    /// The customer.
    Customer,
    /// An agent.
    Agent(AgentId),
    /// Who has a key, or a supervisor; in words.
    Operator(String),
}

/// What is asked of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatAct {
    /// Say something. With an id of the sender's, sent again it is not said twice.
    Say {
        /// What.
        text: String,
        /// His id.
        id: Option<String>,
    },
    /// He types, or does no longer.
    Type(bool),
    /// Take it.
    Accept,
    /// Do not take it.
    Reject,
    /// Send it to a queue.
    ToQueue(QueueId),
    /// Send it to an agent, who serves the queue it is in.
    ToAgent(AgentId),
    /// End it.
    Close,
    /// Say what he thinks of it.
    Survey {
        /// 1 to [`CHAT_SCORE_MAX`].
        score: u8,
        /// In his words; may be empty.
        comment: String,
    },
}

/// Why something is not done with a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatFault {
    /// There is none.
    NoSuchChat,
    /// The tenant has no such queue.
    NoSuchQueue,
    /// The queue is not one of chats, or not of this channel.
    NotOfChats,
    /// There is no such agent, or he does not serve the queue or is not signed in.
    NoSuchAgent,
    /// There are too many chats.
    TooMany,
    /// The switch is stopping, or cannot write records.
    NoChats,
    /// It is over.
    Closed,
    /// It is not over.
    NotClosed,
    /// It is not this agent's, or he is not offered it.
    NotHis,
    /// The customer cannot do that, or only he can.
    NotForHim,
    /// What was said is empty, too long, or not text.
    BadText,
    /// The mark is not one.
    BadScore,
    /// The chat is as long as it may be.
    Full,
    /// More in a short time than one can type; seconds after which to try again.
    TooFast(u32),
}

impl ChatFault {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            ChatFault::NoSuchChat => "no_such_chat",
            ChatFault::NoSuchQueue => "no_such_queue",
            ChatFault::NotOfChats => "not_of_chats",
            ChatFault::NoSuchAgent => "no_such_agent",
            ChatFault::TooMany => "too_many_chats",
            ChatFault::NoChats => "no_chats",
            ChatFault::Closed => "chat_closed",
            ChatFault::NotClosed => "chat_not_closed",
            ChatFault::NotHis => "not_his_chat",
            ChatFault::NotForHim => "not_for_him",
            ChatFault::BadText => "bad_text",
            ChatFault::BadScore => "bad_score",
            ChatFault::Full => "chat_full",
            ChatFault::TooFast(_) => "too_fast",
        }
    }
}

impl fmt::Display for ChatFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChatFault::NoSuchChat => f.write_str("there is no such chat"),
            ChatFault::NoSuchQueue => f.write_str("there is no such queue"),
            ChatFault::NotOfChats => f.write_str("the queue takes no chats of this channel"),
            ChatFault::NoSuchAgent => {
                f.write_str("there is no such agent who is signed in and serves the queue")
            }
            ChatFault::TooMany => write!(f, "there are {CHATS_MAX} chats already"),
            ChatFault::NoChats => f.write_str("the switch is stopping, or cannot write records"),
            ChatFault::Closed => f.write_str("the chat is over"),
            ChatFault::NotClosed => f.write_str("the chat is not over"),
            ChatFault::NotHis => f.write_str("the agent does not have the chat, or is not offered it"),
            ChatFault::NotForHim => f.write_str("that is for the other side"),
            ChatFault::BadText => write!(f, "1 to {CHAT_TEXT_MAX} bytes of text, in lines"),
            ChatFault::BadScore => {
                write!(f, "1 to {CHAT_SCORE_MAX}, and a comment of at most {CHAT_COMMENT_MAX} bytes")
            }
            ChatFault::Full => {
                write!(f, "a chat has at most {CHAT_MESSAGES_MAX} messages and {CHAT_TRANSCRIPT_MAX} bytes")
            }
            ChatFault::TooFast(seconds) => write!(f, "too many messages; again in {seconds} s"),
        }
    }
}
