//! Those who are to be called back: a list that flows and programs put entries on and agents take them from.
//!
//! Invariant: an entry is there from the moment it is put until somebody says that it is done; a restart changes nothing.

use crate::calendar::Hours;
use crate::desk::{Actor, NOTE_MAX};
use crate::id::{AgentId, AssetId, CallId, Name, QueueId, TenantId};
use crate::time::{Duration, Wall};
use core::fmt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most entries of a tenant that are not done.
pub const CALLBACKS_MAX: usize = 10_000;
/// Longest number, bytes.
pub const CALLBACK_NUMBER_MAX: usize = 64;
/// Longest note, bytes.
pub const CALLBACK_NOTE_MAX: usize = NOTE_MAX;

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
pub struct CallbackId {
    /// Whose.
    pub tenant: TenantId,
    /// Given once, also over restarts.
    pub name: Name,
}

impl fmt::Display for CallbackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.name)
    }
}

/// Who is called first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackFirst {
    /// The agent: when he has answered, the customer is called.
    #[default]
    Agent,
    /// The customer: when he has answered, the agent who was kept free for him is rung.
    Customer,
}

impl CallbackFirst {
    /// The word used in flows, the API and the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Customer => "customer",
        }
    }

    /// What a word means.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Agent, Self::Customer].into_iter().find(|first| first.as_str() == name)
    }
}

/// When somebody may be called back.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackWindow {
    /// While the tenant's calendar of this name is open.
    Calendar(Name),
    /// Each day in these hours, in the tenant's zone.
    Hours(Hours),
}

/// How a queue calls back those who keep their places in it, where nobody says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRules {
    /// Who is called first.
    pub first: CallbackFirst,
    /// How often the customer is called at most.
    pub attempts: u32,
    /// How long after an attempt in vain he keeps out of the way of others.
    pub every: Duration,
    /// How long an entry is tried.
    pub expires: Duration,
    /// How long the customer's phone rings.
    pub ring: Duration,
    /// When he may be called; at any time if none.
    pub window: Option<CallbackWindow>,
    /// The key by which a customer who is called first says that it is he; none is asked for if none.
    pub confirm: Option<char>,
    /// What asks him for it.
    pub prompt: Option<AssetId>,
    /// A caller may name another number than the one that he calls from.
    pub other: bool,
    /// What a number that is called back begins with; any if there are none.
    pub to: Vec<String>,
    /// How often in a day one number is put on the list by callers, and how often one caller puts any.
    pub a_day: u32,
    /// How long an entry that is not tried any more stays on the list.
    pub keep: Duration,
}

impl Default for CallbackRules {
    fn default() -> Self {
        Self {
            first: CallbackFirst::Agent,
            attempts: 3,
            every: Duration::from_secs(300),
            expires: Duration::from_secs(86_400),
            ring: Duration::from_secs(30),
            window: None,
            confirm: None,
            prompt: None,
            other: true,
            to: Vec::new(),
            a_day: 10,
            keep: Duration::from_secs(604_800),
        }
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// An agent has to take it.
    #[default]
    Listed,
    /// It has its place in the queue, and its turn comes.
    Waiting,
    /// It has its place and no turn for a while: it was tried in vain, or it is not the time.
    Asleep,
    /// It is being called.
    Calling,
    /// It was tried for as often or as long as it may be. An agent may take it.
    Undone,
}

/// The place of one who is to be called back when his turn comes.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct KeptPlace {
    /// When he came: since then he waits.
    pub arrived: Wall,
    /// The priority that he came with.
    pub priority: u8,
    /// Who is called first.
    pub first: CallbackFirst,
    /// How often he is called at most.
    pub most: u32,
    /// How long after an attempt in vain he is called again, seconds.
    pub every_s: u32,
    /// When it is given up.
    pub expires: Wall,
    /// When he may be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<CallbackWindow>,
    /// The key by which he says that it is he.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<char>,
    /// The call in which he asked for it, if it was by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// It is another number than the one that he called from: whoever calls from it need not be he.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub other: bool,
    /// Call data of the call that calls him back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Value>,
    /// Not before, after an attempt in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Wall>,
    /// How long his phone rings, seconds; as the queue says if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_s: Option<u32>,
}

/// One who is to be called back.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Callback {
    /// The entry.
    pub id: CallbackId,
    /// Whom to call, as an agent would dial it.
    pub number: String,
    /// Since when.
    pub since: Wall,
    /// For whose sake: the queue that he called.
    #[serde(default)]
    pub queue: Option<QueueId>,
    /// What is known of it; may be empty.
    #[serde(default)]
    pub note: String,
    /// How often he was called.
    #[serde(default)]
    pub attempts: u32,
    /// When he was called last.
    #[serde(default)]
    pub last_attempt: Option<Wall>,
    /// The call of that.
    #[serde(default)]
    pub last_call: Option<CallId>,
    /// Who has taken it.
    #[serde(default)]
    pub taken_by: Option<AgentId>,
    /// Who put it: `key wallboard`, `flow main`.
    #[serde(default)]
    pub by: String,
    /// Where it stands.
    #[serde(default)]
    pub state: CallbackState,
    /// What became of the last attempt: `reached`, `no_answer`, `busy` ...; empty before the first.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// The place that it has in its queue, if it is to be done without anybody's taking it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Box<KeptPlace>>,
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackChange {
    /// It was put.
    Put,
    /// An agent has taken it.
    Taken,
    /// He has given it back.
    GivenBack,
    /// It is being called.
    Called,
    /// It waits in its queue from now on.
    Waits,
    /// It has no turn for a while.
    Sleeps,
    /// It was put once more, and is changed by that.
    Changed,
    /// It is not tried any more.
    Undone,
    /// It is done, and gone.
    Done,
    /// Nobody has taken it since it was not tried any more, and it is gone.
    Forgotten,
}

/// What is put on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCallback {
    /// Whom to call.
    pub number: String,
    /// For whose sake.
    pub queue: Option<QueueId>,
    /// What is known of it.
    pub note: String,
    /// Who puts it.
    pub by: Actor,
}

/// One who is to be called when an agent of a queue is free for him, once: the agent first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlace {
    /// Whom to call.
    pub number: String,
    /// Whose agents.
    pub queue: QueueId,
    /// How long his phone rings, seconds; as the queue says if none.
    pub ring_s: Option<u32>,
    /// When it is given up.
    pub expires: Wall,
    /// Call data.
    pub data: BTreeMap<String, Value>,
    /// Who puts it.
    pub by: Actor,
}
