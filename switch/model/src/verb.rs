//! What a flow can ask of a call, and the answers it is resumed with.

use crate::ask::{Ask, Told};
use crate::cause::Cause;
use crate::conference::{Attended, Conference, ConferenceEnd};
use crate::dial::{Dial, DialEnd};
use crate::fetch::{Fetch, Fetched};
use crate::id::{AgentId, FlowId, QueueId, TrunkId, UserId};
use crate::media::PlayItem;
use crate::signin::{PhoneAct, PhoneEnd};
use crate::stream::StreamOutcome;
use crate::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest key of call data, bytes.
pub const DATA_KEY_MAX: usize = 64;
/// Longest value of call data, bytes; of what is no string, of its JSON.
pub const DATA_VALUE_MAX: usize = 16_384;
/// Most bytes of all keys and values of call data in a call.
pub const DATA_BYTES_MAX: usize = 32 << 10;
/// Most entries of call data in a call.
pub const DATA_ENTRIES_MAX: usize = 64;

/// Where a call goes next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// Run a flow.
    Flow(FlowId),
    /// Wait in a queue.
    Queue(QueueId),
    /// Ring one agent.
    Agent(AgentId),
    /// Ring an account's devices.
    User(UserId),
    /// A number by a trunk.
    Trunk(TrunkId, String),
}

/// Longest reason of a pause, bytes.
pub const RECORD_WHY_MAX: usize = 256;

/// What becomes of a call's recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordAct {
    /// Record from now on, the talks that follow too.
    Start,
    /// No longer, nor the talks that follow.
    Stop,
    /// Silence, while the clock goes on.
    Pause,
    /// The end of a pause.
    Resume,
}

impl RecordAct {
    /// Every one.
    pub const ALL: [RecordAct; 4] = [RecordAct::Start, RecordAct::Stop, RecordAct::Pause, RecordAct::Resume];

    /// As flows and the API write it.
    pub fn as_str(self) -> &'static str {
        match self {
            RecordAct::Start => "start",
            RecordAct::Stop => "stop",
            RecordAct::Pause => "pause",
            RecordAct::Resume => "resume",
        }
    }
}

/// One step of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Answer the call. Does nothing if it is answered.
    Answer,
    /// Play a list. Before an answer it is early media.
    Play {
        /// In this order.
        items: Vec<PlayItem>,
        /// Whether a key ends it; the key stays in the digit buffer.
        barge_in: bool,
    },
    /// Collect keys, playing a prompt that the first key ends.
    Collect {
        /// What is played first; may be empty.
        prompt: Vec<PlayItem>,
        /// Fewest digits that count as an entry.
        min: u8,
        /// Collection ends when this many came; 1 to 64.
        max: u8,
        /// Keys that end the entry and are not part of it.
        terminators: String,
        /// Time for the first key after the prompt, milliseconds.
        first_timeout_ms: u32,
        /// Time between keys, milliseconds.
        inter_timeout_ms: u32,
        /// What the entry may look like (see [`crate::keys`]): it ends as soon as that is decided. Any if empty.
        #[serde(default)]
        patterns: Vec<String>,
        /// Keys that are no entry end it as [`CollectEnd::Invalid`], in the way of [`CollectEnd::Timeout`] or a terminator.
        #[serde(default)]
        strict: bool,
        /// The keys are a secret: no event, ladder or recording has them, and nobody hears them.
        #[serde(default)]
        secret: bool,
        /// Who hears the caller meanwhile: the first of keys or words counts. Never with `secret`.
        #[serde(default)]
        ear: Option<Box<Ear>>,
    },
    /// Begin, end, pause or resume recording.
    Record {
        /// What.
        act: RecordAct,
        /// Why, for the mark of a pause; at most [`RECORD_WHY_MAX`] bytes.
        why: String,
    },
    /// Wait in a queue until an agent answers or the wait ends.
    Enqueue {
        /// Which queue.
        queue: QueueId,
        /// Longest wait, milliseconds; the queue's own limit if none.
        timeout_ms: Option<u32>,
        /// Higher is served first.
        priority: u8,
        /// Keys that leave it.
        #[serde(default)]
        keys: String,
        /// Wait only while somebody is signed in to it; else the end is [`QueueEnd::NobodySignedIn`].
        #[serde(default)]
        staffed: bool,
        /// The agent he would have.
        #[serde(default)]
        wish: Option<Wish>,
    },
    /// Hand the call over. The flow ends unless it fails.
    Transfer {
        /// Where to.
        to: Destination,
    },
    /// Ring agents, accounts or numbers together, until one answers.
    Dial(Box<Dial>),
    /// Ring several together, and join each who answers to the caller and to those who are there.
    Conference(Box<Conference>),
    /// Tell a caller who is not answered that it rings.
    Ring,
    /// Refuse a caller who is not answered.
    Reject {
        /// Why.
        cause: Cause,
    },
    /// End the call.
    HangUp {
        /// Why.
        cause: Cause,
    },
    /// Set an entry of the call data; null removes it.
    SetData {
        /// At most [`DATA_KEY_MAX`] bytes.
        key: String,
        /// At most [`DATA_VALUE_MAX`] bytes.
        value: Value,
    },
    /// Read an entry of the call data.
    GetData {
        /// Which.
        key: String,
    },
    /// Give the caller's audio to a program, and the caller what the program sends, until it is done.
    Stream {
        /// Where the program listens: `ws://` or `wss://`.
        url: String,
        /// What it is told at the start.
        parameters: BTreeMap<String, String>,
        /// Longest time, milliseconds.
        timeout_ms: Option<u32>,
    },
    /// Wait for the first of several things.
    First(First),
    /// Ask what is not of the call. The shard answers.
    Ask(Ask),
    /// Ask a server. The shard has it carried out.
    Http(Box<Fetch>),
    /// What an agent on a telephone does by keys. The shard has it done.
    Phone(Box<PhoneAct>),
    /// Let time pass, without audio.
    Wait {
        /// Milliseconds.
        ms: u32,
    },
    /// Write a line to the call's log.
    Log {
        /// At most 1,024 bytes are kept.
        text: String,
    },
}

/// The agent a caller would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Who.
    pub agent: AgentId,
    /// How long he waits for him before any other takes him; none: he takes no other, and if that agent is signed out or
    /// does not serve the queue, the end is [`QueueEnd::NoAgent`].
    pub wait: Option<Duration>,
}

/// A program that recognises what the caller says while keys are awaited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ear {
    /// Where it listens: `ws://` or `wss://`.
    pub url: String,
    /// What it is told at the start.
    pub parameters: BTreeMap<String, String>,
}

/// What is waited for; at least a time or a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    /// A key. It stays in the digit buffer.
    pub key: bool,
    /// A time, milliseconds.
    pub ms: Option<u32>,
    /// The answer of a server. The shard has it carried out.
    pub fetch: Option<Box<Fetch>>,
    /// What the caller hears meanwhile, for ever; silence if empty.
    pub music: Vec<PlayItem>,
}

/// What came first, unless it was a server's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstEnd {
    /// This key.
    Key(char),
    /// The time.
    Time,
}

/// How an entry of keys ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CollectEnd {
    /// A terminator was pressed.
    Terminator,
    /// The wanted number of keys came.
    Max,
    /// No key in time.
    Timeout,
    /// One of the patterns is there, and no other can come.
    Pattern,
    /// There were keys, but they are no entry.
    Invalid,
}

/// What became of a wait in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueEnd {
    /// An agent answered, they talked, and the agent's side hung up first.
    Served,
    /// Nobody answered in time.
    Timeout,
    /// The queue takes no more.
    Full,
    /// No agent is signed in to it, and it was to be waited only while one is.
    NobodySignedIn,
    /// The one agent he takes is signed out, or does not serve the queue.
    NoAgent,
    /// There is no such queue any more.
    Gone,
    /// The caller pressed a key that leaves it.
    Key(char),
    /// He is to be called back, and has his place.
    Callback,
}

/// What a flow is resumed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerbAnswer {
    /// Done, nothing to say.
    Done,
    /// The playback ended; the key that cut it short, if one did.
    Played {
        /// The key.
        key: Option<char>,
    },
    /// The keys.
    Digits {
        /// Without the terminator.
        digits: String,
        /// How the entry ended.
        end: CollectEnd,
    },
    /// What the caller said before he pressed a key.
    Said {
        /// As the recogniser understood it; empty if it did not.
        words: String,
        /// How sure it is, percent, if it says so.
        confidence: Option<u8>,
    },
    /// The wait ended without, or after, an agent.
    Queue(QueueEnd),
    /// The talk with who was dialled is over.
    Dialled {
        /// How.
        end: DialEnd,
        /// Who it was: the agent's or account's name, or the number.
        who: String,
    },
    /// The conference is over, and the caller is still there.
    Conferred {
        /// How.
        end: ConferenceEnd,
        /// What became of each who was rung, in their order.
        parties: Vec<Attended>,
    },
    /// What was waited for came.
    First(FirstEnd),
    /// The stream ended.
    Streamed(StreamOutcome),
    /// A value of the call data.
    Data(Option<Value>),
    /// What was asked.
    Told(Box<Told>),
    /// What a server said.
    Fetched(Box<Fetched>),
    /// What became of what an agent on a telephone wanted.
    Phone(PhoneEnd),
    /// The step could not be done.
    Failed(Cause),
    /// A limit was reached: which.
    Limit(String),
    /// The caller is gone. The coroutine is ended, not resumed, unless it asked to be told.
    HungUp,
}
