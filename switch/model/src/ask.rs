//! What a flow asks that is not of its call, and what it is told.

use crate::calendar::{CalendarState, Moment};
use crate::id::{Name, QueueId};
use crate::view::QueueState;
use serde::{Deserialize, Serialize};

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
        /// Which.
        queue: QueueId,
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
}
