//! Those who are to be called back: a list that flows and programs put entries on and agents take them from.
//!
//! Invariant: an entry is there from the moment it is put until somebody says that it is done; a restart changes nothing.

use crate::desk::{Actor, NOTE_MAX};
use crate::id::{AgentId, CallId, Name, QueueId, TenantId};
use crate::time::Wall;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Most entries of a tenant that are not done.
pub const CALLBACKS_MAX: usize = 10_000;
/// Longest number, bytes.
pub const CALLBACK_NUMBER_MAX: usize = 64;
/// Longest note, bytes.
pub const CALLBACK_NOTE_MAX: usize = NOTE_MAX;

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// One who is to be called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// It is done, and gone.
    Done,
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
