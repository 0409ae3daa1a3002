//! The event stream: one per tenant, numbered without gaps, over restarts too.

use crate::act::ActEnd;
use crate::callback::{Callback, CallbackChange};
use crate::campaign::{CampaignChange, NumberNews};
use crate::cause::{Cause, Party};
use crate::cdr::{Cdr, Supervision, TransferRecord};
use crate::chat::ChatEvent;
use crate::desk::WrapUp;
use crate::device::{AgentDevice, LineEnd};
use crate::id::{
    ActId, AgentId, CallId, FlowId, LegId, Name, QueueId, RecordingId, StreamId, TenantId, TrunkId, UserId,
};
use crate::leg::PartyId;
use crate::media::AudioNews;
use crate::signin::SessionEnd;
use crate::stream::{StreamEnd, StreamWay};
use crate::time::Wall;
use crate::view::{AgentStatus, CallStage, RouteReason};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whose stream.
    pub tenant: TenantId,
    /// From one on, without gaps within one start of the switch; the next goes on behind it.
    pub seq: u64,
    /// When.
    pub at: Wall,
    /// What.
    #[serde(flatten)]
    pub what: EventKind,
}

/// What became of who was to join a call of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConferenceChange {
    /// He is being called.
    Asked,
    /// He is in it.
    Joined,
    /// He was not reached.
    Failed,
    /// He has left.
    Left,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// A call came in.
    CallStarted {
        /// The call.
        call: CallId,
        /// Who calls.
        from: PartyId,
        /// What was dialled.
        to: PartyId,
    },
    /// Routing decided.
    CallRouted {
        /// The call.
        call: CallId,
        /// Where it goes, in words: `queue default/sales`.
        to: String,
        /// What each plugin said.
        reasons: Vec<RouteReason>,
    },
    /// The call does something else now.
    CallStage {
        /// The call.
        call: CallId,
        /// What.
        stage: CallStage,
        /// The queue, when it waits or rings from one.
        queue: Option<QueueId>,
        /// The agent, when he rings or talks.
        agent: Option<AgentId>,
    },
    /// The caller was answered.
    CallAnswered {
        /// The call.
        call: CallId,
    },
    /// A leg began.
    LegStarted {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// Who is at its end.
        party: PartyId,
    },
    /// The party of a leg has answered, or did before the leg came into this call.
    LegAnswered {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
    },
    /// A leg is on hold, or no longer.
    LegHeld {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// Whether it is on hold.
        held: bool,
    },
    /// The party of a leg is not heard, or heard again, or late.
    LegAudio {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// What: `nothing`, `one_way`, `back`, or `late` with `packets` and `by_ms`.
        #[serde(flatten)]
        news: AudioNews,
    },
    /// A leg is muted, or no longer.
    LegMuted {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// Whether nobody hears its party.
        muted: bool,
    },
    /// Somebody is being added to a call of two, joins it, or leaves.
    CallConference {
        /// The call.
        call: CallId,
        /// The leg, once there is one.
        leg: Option<LegId>,
        /// Who, as dialled.
        to: String,
        /// What became of it.
        change: ConferenceChange,
        /// Why not, or why no longer.
        cause: Option<Cause>,
    },
    /// A supervision was asked for, changed, or is over.
    CallSupervised {
        /// The call.
        call: CallId,
        /// As the record will have it. With `ended` it is the last word.
        supervision: Box<Supervision>,
    },
    /// Somebody else speaks, in a conference or a supervised call; or nobody.
    Speaking {
        /// The call.
        call: CallId,
        /// The leg of who speaks.
        leg: Option<LegId>,
    },
    /// A leg ended.
    LegEnded {
        /// The call.
        call: CallId,
        /// The leg.
        leg: LegId,
        /// Why.
        cause: Cause,
    },
    /// A transfer was asked for, goes on, or is over.
    CallTransfer {
        /// The call.
        call: CallId,
        /// As the record will have it. An outcome other than `open` is the last word.
        transfer: Box<TransferRecord>,
    },
    /// A key was pressed in a flow that does not collect a secret.
    Digit {
        /// The call.
        call: CallId,
        /// The key.
        digit: char,
    },
    /// An entry of the call data changed.
    DataChanged {
        /// The call.
        call: CallId,
        /// Which.
        key: String,
        /// The new value; null when removed.
        value: Value,
    },
    /// A flow began on a call.
    FlowStarted {
        /// The call.
        call: CallId,
        /// The flow.
        flow: FlowId,
    },
    /// A flow failed.
    FlowFailed {
        /// The call.
        call: CallId,
        /// The flow.
        flow: FlowId,
        /// File, line and reason.
        error: String,
    },
    /// A flow wrote to its log.
    FlowLog {
        /// The call.
        call: CallId,
        /// The text.
        text: String,
    },
    /// A call entered a queue.
    QueueEntered {
        /// The call.
        call: CallId,
        /// The queue.
        queue: QueueId,
        /// Its place, from one.
        position: u32,
    },
    /// An agent is kept free for one who is being called back, and who has still to answer.
    QueueReserved {
        /// The call.
        call: CallId,
        /// From this queue.
        queue: QueueId,
        /// The agent.
        agent: AgentId,
        /// The terms that led to this pair, in words.
        why: String,
    },
    /// A call is offered to an agent.
    QueueOffered {
        /// The call.
        call: CallId,
        /// The queue.
        queue: QueueId,
        /// To whom.
        agent: AgentId,
        /// Why him, in words.
        why: String,
    },
    /// A call left a queue.
    QueueLeft {
        /// The call.
        call: CallId,
        /// The queue.
        queue: QueueId,
        /// `served`, `abandoned`, `timeout` ...
        outcome: String,
    },
    /// An agent's status changed.
    AgentStatus {
        /// Who.
        agent: AgentId,
        /// What he is now.
        status: AgentStatus,
        /// Why, in words.
        why: String,
        /// The call that did it.
        call: Option<CallId>,
        /// Why he is not ready or on a break, in the words of who asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Who asked for it, if not he himself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Something happened to a chat. That it entered a queue, was offered and left it is told as of calls.
    Chat {
        /// The chat.
        chat: CallId,
        /// What happened.
        #[serde(flatten)]
        what: Box<ChatEvent>,
    },
    /// Other chats take the slots of an agent: they go on, or he wraps them up.
    AgentChats {
        /// Who.
        agent: AgentId,
        /// The chats.
        chats: Vec<CallId>,
        /// How many he may have.
        most: u8,
    },
    /// An agent's break is longer than it may be. Once for each break.
    AgentOverdue {
        /// Who.
        agent: AgentId,
        /// Since when he rests.
        since: Wall,
    },
    /// The line that is kept up to an agent's device is up, or is not any more.
    AgentLine {
        /// Whose.
        agent: AgentId,
        /// Whether it is up.
        up: bool,
        /// Why it is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<LineEnd>,
    },
    /// An agent has signed in with his password.
    SessionBegan {
        /// Who.
        agent: AgentId,
        /// Where, in his words; or the number that he called from.
        #[serde(rename = "where")]
        place: String,
        /// The address that asked for it; empty of one that was begun by keys.
        address: String,
        /// It was begun by the keys of a telephone.
        phone: bool,
        /// What is rung for him, where it was not: whoever had a session before may have chosen it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<AgentDevice>,
    },
    /// His session is over: its token opens nothing any more.
    SessionEnded {
        /// Who.
        agent: AgentId,
        /// Why.
        why: SessionEnd,
        /// Where it was.
        #[serde(rename = "where")]
        place: String,
    },
    /// A password was refused.
    SignInFailed {
        /// Of whom.
        agent: AgentId,
        /// The address, or the number, that it came from.
        from: String,
        /// `wrong_password`, or `locked` if it was one too many.
        why: String,
    },
    /// An agent has another password.
    PasswordSet {
        /// Who.
        agent: AgentId,
        /// By whom: `agent 1001`, `key wallboard`.
        by: String,
    },
    /// Wrong passwords of an agent count no longer.
    SignInUnlocked {
        /// Whose.
        agent: AgentId,
        /// By whom: `agent 1009`, `key wallboard`.
        by: String,
    },
    /// Something was ordered at an agent's desk, and is being done.
    DeskOrder {
        /// Whose desk.
        agent: AgentId,
        /// `hold`, `transfer`, `supervise` ...
        order: String,
        /// In which call.
        call: Option<CallId>,
        /// Whom it is about: `agent:1002`, a number, a supervisor's mode; may be empty.
        to: String,
        /// Who ordered: `agent 1009`, `key wallboard`.
        by: String,
    },
    /// An agent has said what became of a call, during it or after.
    CallWrappedUp {
        /// The call.
        call: CallId,
        /// What he said.
        said: Box<WrapUp>,
    },
    /// A caller who waits was put somewhere else by a supervisor.
    CallPlaced {
        /// The call.
        call: CallId,
        /// Where: `agent:1002`, `queue:help`, `first`.
        to: String,
        /// Who ordered: `agent 1009`, `key wallboard`.
        by: String,
    },
    /// The list of those who are to be called back has changed.
    CallbackChanged {
        /// The entry, as it is now.
        callback: Box<Callback>,
        /// What became of it.
        change: CallbackChange,
        /// By whom: `agent 1001`, `key wallboard`.
        by: String,
    },
    /// A campaign was made, changed, paused or resumed, its time is over, or it was deleted.
    CampaignChanged {
        /// Its number among the tenant's.
        campaign: u64,
        /// Its name.
        name: String,
        /// What became of it.
        change: CampaignChange,
    },
    /// A number of a campaign is being called, is to be called again, has its result, or a program has said what came of it.
    CampaignNumber {
        /// As it is now.
        #[serde(flatten)]
        news: Box<NumberNews>,
    },
    /// An account has a new contact or refreshed one for the first time after a change.
    Registered {
        /// Whose.
        user: UserId,
        /// The Contact URI.
        uri: String,
    },
    /// A contact is gone.
    Unregistered {
        /// Whose.
        user: UserId,
        /// The Contact URI.
        uri: String,
    },
    /// A recording began.
    RecordingStarted {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
    },
    /// A recording is silent from a sample on: nobody is recorded until it is resumed.
    RecordingPaused {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
        /// The first silent sample, counted from the start of the recording on each channel.
        sample: u64,
        /// Who asked: `key wallboard`, `flow payment`.
        by: String,
        /// Why, in his words; may be empty.
        why: String,
    },
    /// A recording that was paused goes on.
    RecordingResumed {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
        /// The first sample that is not silent.
        sample: u64,
        /// Who asked.
        by: String,
    },
    /// A recording's file was deleted.
    RecordingDeleted {
        /// The recording.
        recording: RecordingId,
        /// The call it belonged to, if that is known.
        call: Option<CallId>,
        /// Why, in words.
        why: String,
    },
    /// A recording can be fetched.
    RecordingReady {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
        /// Length, milliseconds.
        length_ms: u64,
    },
    /// A program gets a call's audio, or will as soon as there is a connection.
    StreamStarted {
        /// The call.
        call: CallId,
        /// The stream.
        stream: StreamId,
        /// What the program does.
        way: StreamWay,
        /// Who asked: `key wallboard`, `flow payment`.
        by: String,
    },
    /// It gets it no longer, or there never was a connection.
    StreamEnded {
        /// The call.
        call: CallId,
        /// The stream.
        stream: StreamId,
        /// How.
        end: StreamEnd,
    },
    /// A program has something played to parties of a call.
    PlayStarted {
        /// The call.
        call: CallId,
        /// The playback.
        play: ActId,
        /// Whose parties hear it.
        legs: Vec<LegId>,
        /// Who asked: `key wallboard`.
        by: String,
    },
    /// It is over.
    PlayEnded {
        /// The call.
        call: CallId,
        /// The playback.
        play: ActId,
        /// How.
        how: ActEnd,
    },
    /// A program has keys collected from a party of a call.
    CollectStarted {
        /// The call.
        call: CallId,
        /// The entry.
        collect: ActId,
        /// Whose keys.
        leg: LegId,
        /// Who asked: `key wallboard`.
        by: String,
    },
    /// The entry is over.
    CollectEnded {
        /// The call.
        call: CallId,
        /// The entry.
        collect: ActId,
        /// Whose keys.
        leg: LegId,
        /// How.
        how: ActEnd,
        /// What was entered; none of a secret, or if it is no entry.
        digits: Option<String>,
    },
    /// The call is over.
    CallEnded {
        /// The call.
        call: CallId,
        /// Why.
        cause: Cause,
        /// Who ended it.
        by: Party,
        /// The whole record.
        cdr: Box<Cdr>,
    },
    /// Something about a trunk changed: `up`, `down`, `blocked`, `unblocked`, `registered`, `not registered: 403`,
    /// `failed over to udp:192.0.2.1:5060`.
    TrunkChanged {
        /// The trunk.
        trunk: TrunkId,
        /// Which of its gateways, where it is about one.
        gateway: Option<String>,
        /// What it is now.
        state: String,
    },
    /// A row of a table that flows look things up in was put or removed by the API.
    TableChanged {
        /// The table.
        table: Name,
        /// The row's key.
        key: String,
        /// Whether it was removed.
        removed: bool,
        /// By whom.
        by: String,
    },
    /// The configuration was exchanged.
    ConfigReloaded {
        /// Its number, counted from one at the start.
        version: u64,
    },
    /// Something an operator should look at.
    Alarm {
        /// A stable word for it.
        code: String,
        /// What is wrong and what to do.
        text: String,
    },
}
