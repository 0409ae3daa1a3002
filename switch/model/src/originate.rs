//! Calls that a program begins: one party is called first, then the other.

use crate::desk::{Actor, Goal};
use crate::id::{AgentId, UserId};
use crate::time::Duration;
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest token by which a program says that it has asked for the same before, bytes.
pub const TOKEN_MAX: usize = 128;
/// How many tokens of a tenant are remembered, the newest.
pub const TOKENS_MAX: usize = 10_000;
/// How long a token outlives a restart, milliseconds: who asks again after his own outage does so within this time.
pub const TOKEN_KEPT_MS: i64 = 86_400_000;
/// The entry of the call data that says who asked for the call.
pub const ASKED_BY: &str = "askedBy";

/// Who is called first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstGoal {
    /// An agent, at his devices.
    Agent(AgentId),
    /// An account's devices.
    User(UserId),
    /// A number.
    Number(String),
}

/// A call that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    /// Who is called first.
    pub first: FirstGoal,
    /// Who is called when he has answered.
    pub then: Goal,
    /// The account whose rules say which numbers may be called; if none, that of the party who is one, or those of the house.
    pub account: Option<UserId>,
    /// The number that is shown where the call leaves by a trunk, if not the usual one.
    pub shown: Option<String>,
    /// How long the phone of each rings.
    pub rings: [Option<Duration>; 2],
    /// Call data from the start.
    pub data: BTreeMap<String, Value>,
    /// The same token asks for the same call, once.
    pub token: Option<String>,
    /// Who asks.
    pub by: Actor,
}
