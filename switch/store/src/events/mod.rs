//! The events of each tenant on the disk, so that who reads the stream finds what it missed, over a restart too.
//!
//! **Invariant: what is read is what was written, in the order of its numbers, up to a place that is named.** Where
//! something is missing (it was never written, or is too old) the reader is told so and does not go on as if nothing were.
//!
//! A tenant has a folder with segments: `<first number>-<start>.events`, begun at each start of the switch and when one
//! is full. The oldest go when all are larger than they may be together, or all in them is older than it may be. A torn
//! tail, of a crash in the middle of a write, is cut off when the folder is opened. One thread writes; any number read,
//! beside it and without asking it.
//!
//! Deliberately absent: an index (a segment is passed over at the speed of memory), and waiting for the disk: what must
//! survive a loss of power is the journal's, and the stream says by a gap what it could not keep.

mod concern;
mod frame;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use concern::Concerns;
pub use reader::{EventReader, Next};
pub use writer::{EventLog, EventLogOptions, Opened};

use cordboard_model::event::Event;
use cordboard_model::id::{CallId, Name, TenantId};
use cordboard_model::view::{AgentView, CallView, QueueView};
use serde::{Deserialize, Serialize};

/// Numbers that a start leaves out after one that was not ended in order: more than can have been given to events
/// that never reached the disk. So no number is ever used twice, whatever a reader has seen.
pub const LEFT_OUT: u64 = 1_000_000;

/// An event, with whom it concerns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The event's `type`.
    #[serde(rename = "k")]
    pub kind: String,
    /// The call that it is about.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// Agents.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Name>,
    /// Queues.
    #[serde(rename = "q", default, skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Name>,
    /// The event.
    #[serde(rename = "e")]
    pub event: Event,
}

/// The state of a tenant as of an event, kept in the stream where events alone do not lead to it: after a start, after
/// another configuration, and after events that were lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The last event that it includes.
    pub seq: u64,
    /// Numbers, first and last, of events that may have been and are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<(u64, u64)>,
    /// Calls up.
    pub calls: Vec<CallView>,
    /// Queues.
    pub queues: Vec<QueueView>,
    /// Agents.
    pub agents: Vec<AgentView>,
}

/// What a stream is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An event.
    Event(Box<Told>),
    /// The state as of the event before.
    State(Box<State>),
}

impl Entry {
    /// The number of the event, or of the last that the state includes.
    pub fn seq(&self) -> u64 {
        match self {
            Entry::Event(told) => told.event.seq,
            Entry::State(state) => state.seq,
        }
    }
}

/// Where a reader left off: which start of the switch gave it the number, and the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The start.
    pub start: u32,
    /// The last event that was seen.
    pub seq: u64,
}

/// The folder of a tenant.
fn folder(dir: &std::path::Path, tenant: TenantId) -> std::path::PathBuf {
    dir.join(tenant.as_str())
}

/// A segment by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Segment {
    first: u64,
    start: u32,
    path: std::path::PathBuf,
}

/// What a segment is called.
fn file_name(first: u64, start: u32) -> String {
    format!("{first:020}-{start}.events")
}

/// The segments of a folder, oldest first. What has another name is somebody else's.
fn segments(folder: &std::path::Path) -> std::io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(why) => return Err(why),
    };
    for entry in entries {
        let path = entry?.path();
        let named = path.file_name().and_then(|name| name.to_str());
        let stem = named.and_then(|name| name.strip_suffix(".events"));
        let Some((first, start)) = stem.and_then(|stem| stem.split_once('-')) else { continue };
        if let (Ok(first), Ok(start)) = (first.parse(), start.parse()) {
            found.push(Segment { first, start, path });
        }
    }
    found.sort();
    Ok(found)
}
