//! What callers and agents of a queue hear, what of it is recorded, and how long they may talk.

use crate::id::{AssetId, FlowId};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// The longest that a call of a queue may last, from its coming to its end, where nothing is said.
pub const TALK_MAX: Duration = Duration::from_secs(86_400);

/// A part of an announcement of the agent's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberPart {
    /// A prompt.
    Prompt(AssetId),
    /// The number, key by key, in the queue's language.
    Number,
}

/// What is heard before caller and agent are joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberAudio {
    /// The agent's work number in the queue's language; nothing where that is more than keys of a phone.
    #[default]
    Default,
    /// Nothing.
    None,
    /// These, in this order.
    Own(Vec<NumberPart>),
}

/// Who hears the agent's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberTo {
    /// The caller; the agent hears nothing meanwhile.
    #[default]
    Caller,
    /// Both.
    Both,
}

/// When a caller who is not answered yet is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerAt {
    /// When he comes to the queue.
    #[default]
    Entry,
    /// When an agent answers. What he hears before is early media (183).
    Agent,
}

/// Which talks are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordWhen {
    /// None, whoever asks for it.
    Never,
    /// Those for which a flow, an agent or the API asks.
    #[default]
    OnDemand,
    /// Those, and of the other calls so many in a hundred, 1 to 100, drawn.
    Share(u8),
    /// All.
    Always,
}

/// What becomes of a call that was to be recorded and cannot be, because recordings cannot be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnrecorded {
    /// It goes on.
    #[default]
    GoOn,
    /// It is refused.
    Refuse,
}

/// What is recorded of a queue, an agent or a trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRule {
    /// Which talks.
    pub when: RecordWhen,
    /// What both hear before.
    pub announcement: Option<AssetId>,
    /// What becomes of a call that cannot be recorded.
    pub on_failure: WhenUnrecorded,
}

impl RecordRule {
    /// A rule that says nothing but which talks.
    pub fn new(when: RecordWhen) -> Self {
        Self { when, ..Self::default() }
    }
}

/// What callers and agents of a queue hear, beside its music.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueAudio {
    /// Nothing is sent to those who wait, where the queue has no music.
    #[serde(default)]
    pub silent: bool,
    /// The flow that has those who wait, in place of music.
    pub wait_flow: Option<FlowId>,
    /// What a held party of its calls hears; the music if none.
    pub hold: Option<AssetId>,
    /// What is heard of the agent's number.
    pub number: NumberAudio,
    /// By whom.
    pub number_to: NumberTo,
    /// When its callers are answered.
    pub answer: AnswerAt,
    /// What is recorded; where nothing is said, the trunk decides.
    pub record: Option<RecordRule>,
    /// Longest call, from its coming to its end.
    pub max_talk: Duration,
    /// So long before that end the agent hears a tone; none if zero.
    pub talk_warning: Duration,
    /// The flow that has the caller when the agent hangs up first.
    pub survey: Option<FlowId>,
}

impl Default for QueueAudio {
    fn default() -> Self {
        Self {
            silent: false,
            wait_flow: None,
            hold: None,
            number: NumberAudio::Default,
            number_to: NumberTo::Caller,
            answer: AnswerAt::Entry,
            record: None,
            max_talk: TALK_MAX,
            talk_warning: Duration::ZERO,
            survey: None,
        }
    }
}
