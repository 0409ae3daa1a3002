//! What a program has done with the parties of a call while it is up: something is played to them, or keys are collected
//! from one of them.

use crate::id::{ActId, LegId};
use crate::media::{PlayItem, Repeat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most things in one list of what is played.
pub const ITEMS_MAX: usize = 128;
/// Most entries of keys whose outcome is kept for who asks, the newest.
pub const OUTCOMES_MAX: usize = 4_096;

/// How a playback or an entry of keys ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActEnd {
    /// All of it was played.
    Finished,
    /// A key that ends an entry was pressed.
    Terminator,
    /// As many keys came as were wanted.
    Max,
    /// The keys are one of the patterns.
    Pattern,
    /// No key came in time.
    Timeout,
    /// The keys are no entry: too few, or like none of the patterns.
    Invalid,
    /// It was stopped by an order.
    Stopped,
    /// The call did something else: another playback, a hold, the next step of its flow, an agent who answered.
    Replaced,
    /// Whoever heard it or pressed keys has left.
    Left,
    /// It could not be played: no such prompt, or speech that was not made.
    Failed,
}

/// Who is to hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearers {
    /// Everybody who talks; where nobody does, who called.
    All,
    /// The party that the call is for.
    Caller,
    /// Whom it talks to.
    Called,
    /// The party of this leg.
    Leg(LegId),
}

/// What is asked for, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayAsked {
    /// Who is to hear it.
    pub to: Hearers,
    /// In this order.
    pub items: Vec<PlayItem>,
    /// Once, or until it is stopped.
    pub repeat: Repeat,
    /// `key wallboard`.
    pub by: String,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Fewest keys.
    pub min: u8,
    /// Most keys.
    pub max: u8,
    /// Keys that end it.
    pub terminators: String,
    /// Longest wait for the first key, milliseconds.
    pub first_ms: u32,
    /// Longest wait between keys, milliseconds.
    pub inter_ms: u32,
    /// What it may look like; anything if empty.
    pub patterns: Vec<String>,
    /// Nobody else is to know it.
    pub secret: bool,
}

/// What is asked for, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectAsked {
    /// Whose keys; those of the party that the call is for if none.
    pub leg: Option<LegId>,
    /// What is played before.
    pub prompt: Vec<PlayItem>,
    /// What an entry is.
    pub what: Entered,
    /// `key wallboard`.
    pub by: String,
}

/// A playback under way.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PlayView {
    /// It.
    pub play: ActId,
    /// Whose parties hear it.
    pub legs: Vec<LegId>,
    /// Who asked: `key wallboard`.
    pub by: String,
}

/// An entry of keys under way.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CollectView {
    /// It.
    pub collect: ActId,
    /// Whose keys.
    pub leg: LegId,
    /// Who asked: `key wallboard`.
    pub by: String,
}

/// An entry of keys, as who asks for its outcome is told.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Collected {
    /// It.
    pub collect: ActId,
    /// Whose keys.
    pub leg: LegId,
    /// How it ended; none while it is under way.
    pub how: Option<ActEnd>,
    /// What was entered; none while it is under way, if it is no entry, and of a secret once the call is over.
    pub digits: Option<String>,
    /// It is a secret: no event has the keys.
    pub secret: bool,
}
