//! Whom a flow rings for its caller, what each side hears before the two are joined, and how it may end.

use crate::media::PlayItem;
use crate::verb::Destination;
use serde::{Deserialize, Serialize};

/// Most that are rung together.
pub const DIAL_WAYS_MAX: usize = 16;

/// Who is rung, and how the two come together and part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    /// Rung together; at least one. The first that answers, or accepts, has the call.
    pub ways: Vec<DialWay>,
    /// What the answering side alone hears before it is joined; nothing if empty.
    pub whisper: Vec<PlayItem>,
    /// The answering side must press a key before it is joined.
    pub accept: Option<Accept>,
    /// What the caller hears until then, for ever; ring-back if empty.
    pub music: Vec<PlayItem>,
    /// Longest talk, milliseconds.
    pub talk_ms: Option<u32>,
    /// The flow goes on when the called side leaves first; it ends at the answer if not.
    pub go_on: bool,
    /// If nobody takes the call, others are rung at once: the music goes on.
    pub more: bool,
}

impl Dial {
    /// One who rings, for as long as any device, and ends the flow by his answer.
    pub fn one(to: Destination) -> Self {
        let ways = vec![DialWay { to, timeout_ms: None, number: None, name: None }];
        Self {
            ways,
            whisper: Vec::new(),
            accept: None,
            music: Vec::new(),
            talk_ms: None,
            go_on: false,
            more: false,
        }
    }

    /// The lists of what is played.
    pub fn items_mut(&mut self) -> impl Iterator<Item = &mut Vec<PlayItem>> {
        let question = self.accept.as_mut().map(|accept| &mut accept.prompt);
        [&mut self.whisper, &mut self.music].into_iter().chain(question)
    }
}

/// One who is rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialWay {
    /// Whom; never a flow or a queue.
    pub to: Destination,
    /// How long it rings, milliseconds; as long as any device if none.
    pub timeout_ms: Option<u32>,
    /// The number that is shown as calling; the caller's if none.
    pub number: Option<String>,
    /// The name that is shown as calling; the caller's if neither it nor a number is given.
    pub name: Option<String>,
}

/// What the answering side is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accept {
    /// The question.
    pub prompt: Vec<PlayItem>,
    /// The key that takes the call.
    pub key: char,
    /// The key that refuses it; only time does if none.
    pub refuse: Option<char>,
    /// Time for the key after the question, milliseconds.
    pub timeout_ms: u32,
}

/// How a talk ended after which the flow goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialEnd {
    /// The called side hung up first.
    Served,
    /// The talk had its longest time.
    Limit,
}

impl DialEnd {
    /// As flows write it.
    pub fn as_str(self) -> &'static str {
        match self {
            DialEnd::Served => "served",
            DialEnd::Limit => "limit",
        }
    }
}
