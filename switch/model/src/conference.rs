//! A talk of several that a flow begins: who is rung for it, how it ended, and what became of each.

use crate::cause::Cause;
use crate::dial::DialWay;
use crate::media::PlayItem;
use serde::{Deserialize, Serialize};

/// Who is rung together, each to join the caller as soon as he answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conference {
    /// At least one.
    pub ways: Vec<DialWay>,
    /// What the caller hears while he is alone, for ever; ring-back if empty.
    pub music: Vec<PlayItem>,
    /// Longest time, ringing included, milliseconds.
    pub talk_ms: Option<u32>,
    /// The others talk on when the caller leaves; all are let go if not.
    pub without_caller: bool,
}

/// How it ended for a caller who stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConferenceEnd {
    /// All the others have left.
    Ended,
    /// It had its longest time.
    Limit,
    /// Nobody came.
    Nobody,
}

impl ConferenceEnd {
    /// As flows and tests write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ConferenceEnd::Ended => "ended",
            ConferenceEnd::Limit => "limit",
            ConferenceEnd::Nobody => "nobody",
        }
    }
}

/// What became of one who was rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attended {
    /// The agent's or account's name, or the number.
    pub who: String,
    /// For how long he was there, milliseconds; none if he never was.
    pub joined_ms: Option<u64>,
    /// Why he left, or did not come.
    pub cause: Cause,
}
