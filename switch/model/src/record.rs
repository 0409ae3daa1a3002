//! The records beside the call's own: what a wait in a queue was made of, each leg by itself, each stretch of an agent's
//! work. Figures are made of these and of nothing else.
//!
//! Invariant: a visit and a leg stand in the record of their call and nowhere else, so that they cannot be lost or doubled
//! without it; a stretch of an agent's work is written once, when it is over.

use crate::cause::{Cause, Party};
use crate::cdr::{LegRecord, QueueVisit};
use crate::id::{AgentId, CallId, FlowId, IntervalId, QueueId, TrunkId};
use crate::time::Wall;
use crate::view::AgentStatus;
use core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most offers of one visit that are written down one by one; what is beyond is counted.
pub const OFFERS_MAX: usize = 64;

/// How the figures of a queue judge its callers' waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct QueueFigures {
    /// A caller who is answered within this time was answered in time.
    pub target: Duration,
    /// A caller who hangs up within this time has not waited: he is counted, but apart.
    pub short_abandon: Duration,
}

impl Default for QueueFigures {
    fn default() -> Self {
        Self { target: Duration::from_secs(20), short_abandon: Duration::from_secs(5) }
    }
}

/// How an offer to an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    /// He answered.
    Answered,
    /// It rang out, with the caller still there.
    NoAnswer,
    /// His phone was busy.
    Busy,
    /// He declined.
    Declined,
    /// His phone could not be reached.
    Unreachable,
    /// He had no registered phone.
    NotRegistered,
    /// The caller was gone first, or left the queue.
    CallerGone,
    /// The queue took it back: he became not ready, the wait ended.
    Withdrawn,
    /// Another agent who rang for the same caller was faster.
    Elsewhere,
    /// Anything else.
    Failed,
}

impl OfferEnd {
    /// Every end, in the order of the documents.
    pub const ALL: [Self; 10] = [
        Self::Answered,
        Self::NoAnswer,
        Self::Busy,
        Self::Declined,
        Self::Unreachable,
        Self::NotRegistered,
        Self::CallerGone,
        Self::Withdrawn,
        Self::Elsewhere,
        Self::Failed,
    ];

    /// What a failed offer's cause comes to.
    pub fn of(cause: Cause, caller_gone: bool) -> Self {
        match cause {
            _ if caller_gone => Self::CallerGone,
            Cause::NoAnswer => Self::NoAnswer,
            Cause::Busy => Self::Busy,
            Cause::Declined => Self::Declined,
            Cause::Unreachable => Self::Unreachable,
            Cause::NotRegistered | Cause::NotFound => Self::NotRegistered,
            _ => Self::Failed,
        }
    }
}

/// One offer of a call to an agent.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct OfferRecord {
    /// To whom.
    pub agent: AgentId,
    /// When.
    pub at: Wall,
    /// Whether his phone said that it rings.
    pub rang: bool,
    /// How long it lasted, milliseconds.
    pub ms: u64,
    /// How it ended.
    pub end: OfferEnd,
}

/// What a wait in a queue was made of, and the talk that came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct VisitAccount {
    /// The place at entry, from one. Zero: the queue did not take the call, and there was no wait.
    pub position: u32,
    /// What the queue called an answer in time, milliseconds.
    pub target_ms: u64,
    /// What it called a short wait of one who hung up, milliseconds.
    pub short_ms: u64,
    /// How long the wait was, milliseconds.
    pub wait_ms: u64,
    /// To whom the call was offered, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<OfferRecord>,
    /// Offers beyond [`OFFERS_MAX`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offers_more: u32,
    /// He was called back: his wait was counted by the visit that he ended so.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub callback: bool,
    /// How long the agent of this queue talked with the caller, without hold, milliseconds.
    pub talk_ms: u64,
    /// How long either of them was on hold meanwhile, milliseconds.
    pub hold_ms: u64,
    /// Who ended that talk, if it ended with the call. Nobody did where the caller went elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Party>,
    /// The trunk that the call came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<TrunkId>,
    /// Flows that the call had run before, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<FlowId>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl QueueVisit {
    /// Whether the queue did not take the call: it was full, or nobody was signed in.
    pub fn is_refused(&self) -> bool {
        match &self.account {
            Some(account) => account.position == 0,
            // from before there were accounts
            None => self.outcome == "full",
        }
    }

    /// How long the wait was, milliseconds.
    pub fn wait_ms(&self) -> u64 {
        let by_dates = || u64::try_from(self.left.0.saturating_sub(self.entered.0)).unwrap_or(0);
        self.account.as_ref().map_or_else(by_dates, |account| account.wait_ms)
    }
}

/// A visit by itself.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct VisitRow {
    /// The call, which names the tenant.
    pub call: CallId,
    /// Which of its visits, from zero.
    pub number: u32,
    /// The visit.
    #[serde(flatten)]
    pub visit: QueueVisit,
}

/// A leg by itself.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LegRow {
    /// The call, which names the tenant.
    pub call: CallId,
    /// The leg.
    #[serde(flatten)]
    pub leg: LegRecord,
}

/// As much of a call as figures need.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CallRow {
    /// The call, which names the tenant.
    pub call: CallId,
    /// When it came.
    pub started: Wall,
    /// Whether the caller was answered.
    pub answered: bool,
    /// Flows that it ran, in order.
    pub flows: Vec<FlowId>,
}

/// The visit that an agent's work was for.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WorkFor {
    /// The queue.
    pub queue: QueueId,
    /// When the call entered it.
    pub entered: Wall,
    /// The trunk that the call came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<TrunkId>,
    /// Flows that it had run before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<FlowId>,
}

/// What is known of the end of a stretch of an agent's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalEnd {
    /// It goes on.
    Open,
    /// It ended then.
    Known,
    /// The switch was cut off: it lasted until then at least, which is the last that the journal knew.
    Cut,
}

/// A stretch in which an agent was one thing. There are none for the time in which he was signed out.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AgentInterval {
    /// Its id.
    pub id: IntervalId,
    /// Who.
    pub agent: AgentId,
    /// What he was.
    pub status: AgentStatus,
    /// Why, in words.
    pub why: String,
    /// The reason that he gave, where one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The call that he rang, talked or wrapped up for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The visit that this was for, where a queue gave him the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkFor>,
    /// How many chats he had, those included that he wrapped up.
    #[serde(default, skip_serializing_if = "no_chats")]
    pub chats: u8,
    /// From when.
    pub from: Wall,
    /// Until when, not included.
    pub to: Wall,
    /// What is known of the end.
    pub end: IntervalEnd,
}

fn no_chats(n: &u8) -> bool {
    *n == 0
}

impl AgentInterval {
    /// How long, milliseconds.
    pub fn ms(&self) -> u64 {
        u64::try_from(self.to.0.saturating_sub(self.from.0)).unwrap_or(0)
    }

    /// The same, ended: at `to`, or where it began if that is earlier.
    pub fn ended(self, to: Wall, end: IntervalEnd) -> Self {
        Self { to: to.max(self.from), end, ..self }
    }
}
