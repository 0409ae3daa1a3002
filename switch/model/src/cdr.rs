//! The call detail record: exactly one per call.

use crate::cause::{Cause, Party};
use crate::desk::WrapUp;
use crate::finding::Finding;
use crate::id::{AgentId, CallId, FlowId, LegId, QueueId, RecordingId, TenantId, TrunkId};
use crate::leg::PartyId;
use crate::media::{Codec, LegStats};
use crate::path::PathFault;
use crate::record::VisitAccount;
use crate::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which side of the switch a leg is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegRole {
    /// The party that called.
    Caller,
    /// A device or trunk that we called.
    Callee,
}

/// One leg in the record.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LegRecord {
    /// The leg.
    pub leg: LegId,
    /// Its side.
    pub role: LegRole,
    /// Who is at its end.
    pub party: PartyId,
    /// The agent it belongs to.
    pub agent: Option<AgentId>,
    /// When it came or was dialled.
    pub started: Wall,
    /// When its party's phone rang, or was heard early; none of who called us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rang: Option<Wall>,
    /// When it was picked up, where a key had to be pressed before it counted as answered: a mailbox picks up, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picked_up: Option<Wall>,
    /// When it was answered.
    pub answered: Option<Wall>,
    /// When it ended.
    pub ended: Wall,
    /// Why.
    pub cause: Cause,
    /// The SIP status behind the end, if there was one.
    pub sip_status: Option<u16>,
    /// Its media figures.
    pub stats: LegStats,
    /// Its video, if it had some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoRecord>,
    /// What these figures come to, in words; nothing for a leg that was never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The same for programs, piece by piece; none in records of before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The number that was shown as the caller's, if it was taken from a pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presented: Option<String>,
    /// The trunk that carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk: Option<TrunkId>,
}

/// The video of a leg, in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct VideoRecord {
    /// What it was in.
    pub codec: Codec,
    /// Packets of the party, duplicates among them.
    pub received: u64,
    /// Packets sent to the party.
    pub sent: u64,
    /// Packets of the party that never came.
    pub lost: u64,
    /// Packets sent that the party says never came, if it reports.
    pub far_lost: Option<u64>,
    /// Interarrival jitter at the end, microseconds.
    pub jitter_us: u32,
    /// Packets that were not sealed with the agreed key, or came twice.
    pub unsealed: u64,
    /// What was wrong with its way to the party, or with its keys, at the end.
    #[serde(default)]
    pub fault: Option<PathFault>,
}

/// One wait in a queue.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct QueueVisit {
    /// Which queue.
    pub queue: QueueId,
    /// When the wait began.
    pub entered: Wall,
    /// When it ended.
    pub left: Wall,
    /// The agent who took the call.
    pub agent: Option<AgentId>,
    /// `served`, `abandoned`, `timeout` ...
    pub outcome: String,
    /// The agent who consulted the queue, for a wait that he began in the caller's stead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consulted_by: Option<AgentId>,
    /// What it was made of; none for visits of a call that a restart cut, and for those from before there were accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<VisitAccount>>,
}

/// How a party was sent elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferKind {
    /// Without a word to the target before.
    Blind,
    /// After the target was spoken to, or at least rung.
    Attended,
    /// Another device took the place of one: a pickup.
    Taken,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferOutcome {
    /// It is under way, or the call ended meanwhile.
    Open,
    /// The party talks to the target, or was given to its flow or queue.
    Done,
    /// The target was not reached. The party was brought back to who had transferred it, if he could be.
    Failed,
    /// Who had transferred took it back.
    Cancelled,
    /// All three talk together from then on.
    Conference,
}

/// One transfer within a call. A phone's own and the switch's make the same.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TransferRecord {
    /// When it was asked for.
    pub at: Wall,
    /// How.
    pub kind: TransferKind,
    /// The leg of who transferred, or whose place was taken.
    pub by: LegId,
    /// Where to, as dialled.
    pub to: String,
    /// The leg that reached the target.
    pub leg: Option<LegId>,
    /// The call in which the target was spoken to, if it was another one. Its record names this call as `joined`.
    pub consultation: Option<CallId>,
    /// What became of it.
    pub outcome: TransferOutcome,
    /// Why it failed.
    pub cause: Option<Cause>,
}

/// What a supervisor does in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionMode {
    /// He hears everybody and is heard by nobody.
    Listen,
    /// He hears everybody and is heard by the agent alone.
    Whisper,
    /// He hears everybody and is heard by everybody.
    BargeIn,
    /// He has taken the agent's place.
    Intercept,
}

impl SupervisionMode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Listen, Self::Whisper, Self::BargeIn, Self::Intercept];

    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::BargeIn => "barge_in",
            Self::Intercept => "intercept",
        }
    }

    /// The mode of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// From when on a supervisor did what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SupervisionTurn {
    /// What.
    pub mode: SupervisionMode,
    /// From when on; until the next turn or the end.
    pub at: Wall,
}

/// One supervision of a call, from the ringing of the supervisor's phone to his leaving, or his taking the call over.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Supervision {
    /// The supervisor's leg.
    pub leg: LegId,
    /// Who he is.
    pub by: PartyId,
    /// The same, if he is an agent.
    pub agent: Option<AgentId>,
    /// The leg of the agent who is supervised.
    pub of: LegId,
    /// What is wanted at present.
    pub mode: SupervisionMode,
    /// When it was asked for.
    pub asked: Wall,
    /// What he did; empty if his phone was not answered.
    pub turns: Vec<SupervisionTurn>,
    /// When it ended.
    pub ended: Option<Wall>,
    /// Why.
    pub cause: Option<Cause>,
}

/// Numbers as they came, where the country plan or a trunk's rules made others of them.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AsDialled {
    /// Who called.
    pub from: String,
    /// What was dialled.
    pub to: String,
}

/// Moments of a call that tariffs and service levels are reckoned from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CallTimes {
    /// When a device that was called for it first rang.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rang: Option<Wall>,
    /// When the caller first heard us before an answer (183).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early: Option<Wall>,
    /// From when on a carrier charges for it: the first answer on a leg by a trunk, ours to its caller or its party's to us. An
    /// agent's telephone outside is one, and is answered for the carrier when it is picked up.
    /// None where nobody outside was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged: Option<Wall>,
}

/// The record of one call.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Cdr {
    /// The call, which names the tenant.
    pub call: CallId,
    /// Who called.
    pub from: PartyId,
    /// What was dialled.
    pub to: PartyId,
    /// When the call came.
    pub started: Wall,
    /// When the switch or a party answered the caller.
    pub answered: Option<Wall>,
    /// When caller and agent (or extension) were first joined.
    pub bridged: Option<Wall>,
    /// When it rang, was heard early, and began to be charged.
    #[serde(default)]
    pub times: CallTimes,
    /// When the last leg ended.
    pub ended: Wall,
    /// Why it ended.
    pub cause: Cause,
    /// Who ended it.
    pub ended_by: Party,
    /// The agent who talked last.
    pub agent: Option<AgentId>,
    /// Flows that ran, in order.
    pub flows: Vec<FlowId>,
    /// Waits, in order.
    pub queues: Vec<QueueVisit>,
    /// Legs, in order of their beginning.
    pub legs: Vec<LegRecord>,
    /// Recordings.
    pub recordings: Vec<RecordingId>,
    /// Call data at the end.
    pub data: BTreeMap<String, Value>,
    /// Transfers, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<TransferRecord>,
    /// Who supervised it, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supervisions: Vec<Supervision>,
    /// What agents said of it, during it or after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrap_ups: Vec<WrapUp>,
    /// The call that a party of this one was joined to by a transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<CallId>,
    /// As it was dialled, where `from` or `to` are written otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialled: Option<AsDialled>,
}

impl Cdr {
    /// Whose record it is.
    pub fn tenant(&self) -> TenantId {
        self.call.tenant
    }
}

/// A finished recording.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RecordingEntry {
    /// The recording, which names the tenant.
    pub recording: RecordingId,
    /// The call it belongs to.
    pub call: CallId,
    /// When it began.
    pub started: Wall,
    /// Length, milliseconds.
    pub length_ms: u64,
    /// Audio lost to a slow writer, milliseconds.
    pub dropped_ms: u64,
    /// Stretches of silence that were asked for, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<RecordingPause>,
    /// Who is on the left, and on the right if anybody. Unknown for a recording that a restart cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<RecordedParty>,
    /// What it was begun for, in the words of the flow or key that asked for it; empty if nobody said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// When and why its file was deleted, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<RecordingDeleted>,
}

/// The end of a recording's file.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RecordingDeleted {
    /// When.
    pub at: Wall,
    /// Why, in words.
    pub why: String,
}

/// Whom a channel of a recording has.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RecordedParty {
    /// The leg.
    pub leg: LegId,
    /// Who is at its end.
    pub party: PartyId,
    /// The agent it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
}

/// A stretch of a recording that is silent because somebody asked for it: its audit mark.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RecordingPause {
    /// The first sample that is silent, counted from the start of the recording on each channel, at its rate.
    pub from_sample: u64,
    /// The first that is not; none if the recording ended before.
    pub to_sample: Option<u64>,
    /// When it was asked for.
    pub at: Wall,
    /// Who asked: `key wallboard`, `flow payment`.
    pub by: String,
    /// Why, in his words; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// When it was ended, and by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Resumed>,
}

/// The end of a pause.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Resumed {
    /// When.
    pub at: Wall,
    /// Who asked.
    pub by: String,
}
