//! What readers of the switch see: the API, the page, the command line.

use crate::act::{CollectView, PlayView};
use crate::cause::Cause;
use crate::cdr::{Supervision, TransferRecord};
use crate::device::{AgentDevice, LineState};
use crate::id::{AgentId, CallId, LegId, QueueId, TenantId, TrunkId, UserId};
use crate::leg::PartyId;
use crate::service::Role;
use crate::signin::SignInLock;
use crate::time::Wall;
use crate::verb::Destination;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an agent is, derived from his legs and what he asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Not at work.
    SignedOut,
    /// May be offered a call.
    Ready,
    /// Not to be offered one.
    NotReady,
    /// On a break, or put there after a ring without answer.
    Rest,
    /// A call is offered to him.
    Ringing,
    /// In a call.
    Talking,
    /// In a call that is on hold, by either side.
    Hold,
    /// After a call, until the wrap-up time ends.
    WrapUp,
    /// Ready, but his device is gone; he is signed out if it does not come back.
    Away,
}

impl AgentStatus {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SignedOut,
        Self::Ready,
        Self::NotReady,
        Self::Rest,
        Self::Ringing,
        Self::Talking,
        Self::Hold,
        Self::WrapUp,
        Self::Away,
    ];

    /// The word used in events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            AgentStatus::SignedOut => "signed_out",
            AgentStatus::Ready => "ready",
            AgentStatus::NotReady => "not_ready",
            AgentStatus::Rest => "rest",
            AgentStatus::Ringing => "ringing",
            AgentStatus::Talking => "talking",
            AgentStatus::Hold => "hold",
            AgentStatus::WrapUp => "wrap_up",
            AgentStatus::Away => "away",
        }
    }

    /// Whether he is it because of a call, whatever he asked for.
    pub fn is_of_a_call(self) -> bool {
        use AgentStatus::{Hold, Ringing, Talking, WrapUp};
        matches!(self, Ringing | Talking | Hold | WrapUp)
    }
}

/// What a call is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStage {
    /// Being routed.
    Routing,
    /// A flow runs.
    Flow,
    /// Waiting in a queue.
    Queued,
    /// A device or agent rings.
    Ringing,
    /// Two parties talk.
    Bridged,
    /// A party is being sent elsewhere, or waits while somebody else is asked.
    Transferring,
    /// Ending: legs are being taken down.
    Ending,
}

/// One leg as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LegView {
    /// The leg.
    pub leg: LegId,
    /// Who is at its end.
    pub party: PartyId,
    /// Whether it is answered.
    pub answered: bool,
    /// Whether it is on hold, by either side.
    pub held: bool,
    /// Whether nobody hears its party, by our doing.
    #[serde(default)]
    pub muted: bool,
    /// What is wrong with its audio now: `nothing` or `one_way`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unheard: Option<Unheard>,
}

/// How a party that should be heard is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unheard {
    /// Nothing of it ever came.
    Nothing,
    /// It was heard before, and its partner is.
    OneWay,
}

/// One call as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CallView {
    /// The call.
    pub call: CallId,
    /// Who called.
    pub from: PartyId,
    /// What was dialled.
    pub to: PartyId,
    /// What it is doing.
    pub stage: CallStage,
    /// When it came.
    pub started: Wall,
    /// When the caller was answered.
    pub answered: Option<Wall>,
    /// Since when caller and agent talk.
    pub bridged: Option<Wall>,
    /// The queue it waits in or came from.
    pub queue: Option<QueueId>,
    /// The agent it rings at or talks to.
    pub agent: Option<AgentId>,
    /// Its legs.
    pub legs: Vec<LegView>,
    /// Call data.
    pub data: BTreeMap<String, Value>,
    /// Why it went where it went: one line per plugin asked.
    pub route: Vec<RouteReason>,
    /// The transfer under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferRecord>,
    /// Who supervises it, or is rung for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision: Option<Supervision>,
    /// The leg of who speaks, in a conference or a supervised call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<LegId>,
    /// What programs have played to its parties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plays: Vec<PlayView>,
    /// The keys that a program has collected from one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect: Option<CollectView>,
}

/// What one routing plugin said.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RouteReason {
    /// The plugin.
    pub plugin: String,
    /// `pass`, `amend`, `decide`, `refuse`, `ask` or `late`.
    pub verdict: String,
    /// Why, in words.
    pub why: String,
    /// Rules of it that were looked at and not taken, each with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<String>,
}

/// What would become of a call.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RouteView {
    /// Whose call it is: another tenant's where a trunk's number was given to him.
    pub tenant: TenantId,
    /// Who calls, as the tenant works with the number.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// What each routing plugin said. Empty for another tenant's call: that is his.
    pub reasons: Vec<RouteReason>,
    /// Where it goes.
    pub goes_to: Option<Destination>,
    /// Why it is refused.
    pub refused: Option<Cause>,
}

/// Whether a gateway lives, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatewayState {
    /// It was not asked, or has not answered yet. Calls are sent to it.
    Unknown,
    /// It answers.
    Up,
    /// It does not. No call is sent to it.
    Down,
}

/// One gateway of a trunk.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct GatewayView {
    /// `udp:192.0.2.1:5060`.
    pub address: String,
    /// Whether it lives.
    pub state: GatewayState,
}

/// A registration with a carrier.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RegistrationView {
    /// Whether the carrier knows us now.
    pub registered: bool,
    /// What it said last: a SIP status, 408 for silence.
    pub last_status: Option<u16>,
}

/// One trunk as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TrunkView {
    /// The trunk.
    pub trunk: TrunkId,
    /// Calls it carries, both ways.
    pub calls: u32,
    /// How many it may.
    pub max_calls: u32,
    /// An operator took it out of service for new calls.
    pub blocked: bool,
    /// Where calls are sent.
    pub gateways: Vec<GatewayView>,
    /// Of trunks that register.
    pub registration: Option<RegistrationView>,
}

/// One agent as readers see him.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AgentView {
    /// The agent.
    pub agent: AgentId,
    /// Name shown to people.
    pub display: String,
    /// What he is.
    pub status: AgentStatus,
    /// Since when.
    pub since: Wall,
    /// When the status ends by itself, if it does.
    pub until: Option<Wall>,
    /// The account whose devices ring.
    pub user: UserId,
    /// What is rung for him, where that is another account, or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<AgentDevice>,
    /// The line to his device that is kept up; none if none is kept now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineState>,
    /// How many devices of his account, or of the one he chose, are registered.
    pub contacts: u32,
    /// The call he rings or talks in.
    pub call: Option<CallId>,
    /// Why he is what he is, in words.
    pub why: String,
    /// Why he is not ready or on a break, in the words of who asked for it.
    #[serde(default)]
    pub reason: Option<String>,
    /// What he is there for.
    #[serde(default)]
    pub role: Role,
    /// The chats that take a slot of his: those that go on, and those that he wraps up.
    #[serde(default)]
    pub chats: Vec<CallId>,
    /// How many he may have.
    #[serde(default)]
    pub chat_slots: u8,
    /// The part of the house that he is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// A program listens to the calls that queues give him.
    #[serde(default)]
    pub smart: bool,
    /// For third parties: he may choose the numbers that are shown.
    #[serde(default)]
    pub numbers_label: bool,
    /// Why no password is looked at for him now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<SignInLock>,
    /// Calls and chats taken since the start of the switch.
    pub handled: u64,
}

/// One queue as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct QueueView {
    /// The queue.
    pub queue: QueueId,
    /// Name shown to people.
    pub display: String,
    /// Who waits, in the order of service.
    pub waiting: Vec<WaitingView>,
    /// How many besides are not there and have their places, for they are to be called back.
    #[serde(default)]
    pub callbacks: u32,
    /// Agents who serve it: signed in, and ready among them.
    pub agents_signed_in: u32,
    /// Ready now.
    pub agents_ready: u32,
    /// Calls that entered since the start.
    pub offered: u64,
    /// Of those, answered by an agent.
    pub answered: u64,
    /// Of those, gone before an answer.
    pub abandoned: u64,
    /// Of those, ended by the wait limit.
    pub timed_out: u64,
}

/// What a flow is told of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueState {
    /// How many wait.
    pub waiting: u32,
    /// Whether it takes no more.
    pub full: bool,
    /// Agents who serve it and are signed in.
    pub agents: u32,
    /// Of those, who get the next call.
    pub ready: u32,
    /// How long one who enters now will wait, seconds; of one who waits there, how long it still is. None if nothing is known
    /// to tell it by.
    pub wait: Option<u32>,
    /// The place of the caller who asks, from one, if he waits there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

/// One waiting caller.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WaitingView {
    /// The call.
    pub call: CallId,
    /// Since when it waits.
    pub since: Wall,
    /// Its place, from one.
    pub position: u32,
    /// The agent it is offered to right now.
    pub offered_to: Vec<AgentId>,
}

/// A registered contact as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ContactView {
    /// Whose.
    pub user: UserId,
    /// The Contact URI.
    pub uri: String,
    /// Where requests go.
    pub flow: String,
    /// The device's User-Agent.
    pub user_agent: String,
    /// When it ends.
    pub expires: Wall,
}
