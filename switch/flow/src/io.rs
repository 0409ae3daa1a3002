//! What goes into the flow engine and what comes out.

use crate::error::FlowError;
use crate::texts::Text;
use cordboard_model::config::Snapshot;
use cordboard_model::id::{CallId, FlowId};
use cordboard_model::verb::{Verb, VerbAnswer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One end of a call, as a flow sees it in `call.from` and `call.to`: the number or user name, as
/// dialled, without scheme and domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartyId(pub String);

impl From<&str> for PartyId {
    fn from(text: &str) -> Self {
        PartyId(text.to_owned())
    }
}

/// What the shard asks of the engine.
#[derive(Clone, Debug)]
pub enum FlowCommand<'a> {
    /// Take the flows and budgets of this snapshot. All or nothing: if one flow does not compile, every
    /// error is returned and the flows stay as they were. Running calls keep the version they began with.
    Configure(&'a Snapshot),
    /// Run a flow on a call. A flow that still runs on the call is ended first, silently.
    Start {
        /// The call.
        call: CallId,
        /// The flow.
        flow: FlowId,
        /// The calling party.
        from: PartyId,
        /// The called number.
        to: PartyId,
        /// The call data as it is now.
        data: BTreeMap<String, Value>,
    },
    /// Set the flow of a call aside, at the verb it waits for: the next one runs above it. Only one is kept so.
    Park {
        /// The call.
        call: CallId,
    },
    /// End what runs above, silently, if it still runs: the one that was set aside has the call again.
    Unpark {
        /// The call.
        call: CallId,
    },
    /// End the flow of a call, and one that was set aside: the caller is gone, or the call was taken elsewhere. Nothing
    /// more is said about the call, not even `Ended`.
    Stop {
        /// The call.
        call: CallId,
    },
}

/// What the world tells the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowInput {
    /// What became of a verb. An answer whose ticket is not the one that is open is ignored.
    Answer {
        /// The call.
        call: CallId,
        /// The ticket the verb came with.
        ticket: u64,
        /// The answer.
        answer: VerbAnswer,
    },
}

/// What the engine says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowOutput {
    /// Do this and answer with the ticket. After `HangUp` no answer is awaited: `Ended` follows at once.
    Verb {
        /// The call.
        call: CallId,
        /// Counted from one within the run of the flow.
        ticket: u64,
        /// What to do.
        verb: Verb,
    },
    /// The flow came to its end, hung up, or handed the call over.
    Ended {
        /// The call.
        call: CallId,
        /// The flow.
        flow: FlowId,
        /// What its text returned, as JSON, or why that cannot be written so.
        returned: Option<Result<String, String>>,
    },
    /// The flow failed: play its apology and follow its fallback.
    Failed {
        /// The call.
        call: CallId,
        /// The flow.
        flow: FlowId,
        /// Why, with file and line.
        error: FlowError,
    },
    /// A line for the call's log, from `print` or `call:log`. No answer is awaited.
    Log {
        /// The call.
        call: CallId,
        /// At most 1,024 bytes.
        text: String,
        /// The flow's file.
        file: String,
        /// The line it came from, 0 if unknown.
        line: u32,
    },
}

/// From what a coroutine can be rebuilt: the flow's text and every answer it was given, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowRecord {
    /// The call.
    pub call: CallId,
    /// The flow.
    pub flow: FlowId,
    /// The calling party.
    pub from: PartyId,
    /// The called number.
    pub to: PartyId,
    /// The call data at the start.
    pub data: BTreeMap<String, Value>,
    /// The file the text came from.
    pub file: String,
    /// The text the call began with, which a later configuration may have replaced.
    pub source: Arc<str>,
    /// The budgets the call began with.
    pub limits: cordboard_model::config::FlowLimits,
    /// When it began.
    pub started: cordboard_model::time::Time,
    /// Every answer since.
    pub answers: Vec<VerbAnswer>,
    /// The libraries and other flows it took in, in their order.
    #[serde(default)]
    pub texts: Vec<Text>,
}

impl FlowOutput {
    /// The call this is about.
    pub fn call(&self) -> CallId {
        match self {
            FlowOutput::Verb { call, .. }
            | FlowOutput::Ended { call, .. }
            | FlowOutput::Failed { call, .. }
            | FlowOutput::Log { call, .. } => *call,
        }
    }
}
