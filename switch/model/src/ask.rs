//! What a flow asks that is not of its call, and what it is told.

use crate::calendar::{CalendarState, Moment};
use crate::callback::CallbackFirst;
use crate::id::{Name, QueueId};
use crate::view::QueueState;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest name of a counter, bytes.
pub const COUNTER_NAME_MAX: usize = 128;
/// Longest time that a counter is kept, seconds: 30 days.
pub const COUNTER_SECONDS_MAX: u32 = 2_592_000;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// What time it is.
    Now {
        /// In which zone; the tenant's if none.
        zone: Option<String>,
    },
    /// Whether an office is open.
    Calendar {
        /// The tenant's calendar of this name.
        name: Name,
    },
    /// Look a key up.
    Lookup {
        /// The tenant's table of this name.
        table: Name,
        /// At most [`crate::lookup::KEY_MAX`] bytes.
        key: String,
    },
    /// How a queue stands.
    Queue {
        /// Which; the one that the caller waits in if none.
        queue: Option<QueueId>,
    },
    /// Count something for all calls of the tenant.
    Count {
        /// What; at most [`COUNTER_NAME_MAX`] bytes.
        name: String,
        /// How much is added; zero only looks.
        add: i64,
        /// It is not counted beyond this.
        most: Option<i64>,
        /// How long it is kept from its first count on; at most [`COUNTER_SECONDS_MAX`].
        seconds: u32,
    },
    /// Keep the caller's place in a queue, and call him back when his turn comes.
    Callback(Box<CallbackAsk>),
}

/// A call-back that is asked for. What is left out is as the queue has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackAsk {
    /// In which queue; in the one that he waits in if none.
    pub queue: Option<QueueId>,
    /// At which number; the caller's own if none.
    pub number: Option<String>,
    /// What the agent reads of it.
    pub note: String,
    /// Call data of the call that calls back.
    pub data: BTreeMap<String, Value>,
    /// The priority of one who does not wait in the queue yet.
    pub priority: u8,
    /// Who is called first.
    pub first: Option<CallbackFirst>,
    /// How often.
    pub attempts: Option<u32>,
    /// How far apart, seconds.
    pub every: Option<u32>,
    /// How long it is tried, seconds.
    pub expires: Option<u32>,
    /// While this calendar is open.
    pub calendar: Option<Name>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackAnswer {
    /// His place is kept.
    Kept,
    /// He had one there already, and keeps the older one.
    Known,
    /// He shows no number and has given none.
    Anonymous,
    /// The rules of the tenant do not let the agents of the queue call it.
    NotDialable,
    /// The tenant's list is full.
    Full,
    /// He, or this number, has been put on the list as often as is allowed in a day.
    TooOften,
}

impl CallbackAnswer {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Kept, Self::Known, Self::Anonymous, Self::NotDialable, Self::Full, Self::TooOften];

    /// Whether he will be called back.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Kept | Self::Known)
    }

    /// The word that flows are given.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Known => "known",
            Self::Anonymous => "anonymous",
            Self::NotDialable => "not_dialable",
            Self::Full => "full",
            Self::TooOften => "too_often",
        }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The time.
    Now(Moment),
    /// What the calendar says.
    Calendar(CalendarState),
    /// The row with its columns' names; none if there is no such key.
    Row(Option<Vec<(String, String)>>),
    /// How the queue stands.
    Queue(QueueState),
    /// What has been counted, this time included; none if it would have been too much, and was not counted.
    Count(Option<i64>),
    /// What becomes of a call-back.
    Callback(CallbackAnswer),
}
