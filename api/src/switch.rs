//! The one trait between the control plane and the switch, in the model's words. `node` implements it.

use crate::chat_switch::Chats;
use crate::control_switch::Control;
use crate::events::{EventFilter, Events, Follow};
use crate::figures::{ReportAsked, Rows, RowsAsked};
use crate::flows::{FlowDone, FlowOrder, FlowSource, FlowVersion, FlowView, FlowWhich};
use crate::objects::Objects;
use crate::vault::Vault;
use crate::webhooks::Webhooks;
use cordboard_model::access::Scopes;
use cordboard_model::callback::{Callback, CallbackId, NewCallback};
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{Cdr, RecordingEntry, SupervisionMode};
use cordboard_model::chat::ChatFault;
use cordboard_model::config::Secret;
use cordboard_model::desk::{DeskOrder, DeskView, PERSON, PlaceOrder};
use cordboard_model::event::Event;
use cordboard_model::figures::{Report, WallView};
use cordboard_model::guard::{BanView, Bar, Network};
use cordboard_model::id::{
    AgentId, CallId, FlowId, LegId, Name, QueueId, RecordingId, TenantId, TrunkId, UserId,
};
use cordboard_model::originate::NewCall;
use cordboard_model::record::{AgentInterval, LegRow, VisitRow};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::{SessionView, SignInFault};
use cordboard_model::stream::StreamWay;
use cordboard_model::time::Wall;
use cordboard_model::trace::{TraceEntry, TraceKey, TraceView};
use cordboard_model::verb::Destination;
use cordboard_model::verb::RecordAct;
use cordboard_model::view::{AgentView, CallView, ContactView, QueueView, RouteView, TrunkView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

/// An answer that comes later.
pub type Later<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send>>;

/// What an integrator asks the switch to do. Every id in it is of the asking tenant: the routes see to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// End a call.
    HangUp(CallId, Cause),
    /// Put the party of a leg on hold (`true`) or take it off.
    Hold(LegId, bool),
    /// Send the party that talks to `by` in a call elsewhere.
    Transfer(Transfer),
    /// Send the party to the target that is consulted (`true`), or take the transfer back.
    EndTransfer(CallId, bool),
    /// Send the caller of an agent aside to a flow, and back to the agent after it.
    Aside(Box<Aside>),
    /// Take him back before the flow is over.
    TakeBack(CallId),
    /// Change entries of a call's data, all of them or none; null removes one.
    Data(CallId, BTreeMap<String, serde_json::Value>),
    /// Begin, end, pause or resume the recording of a call.
    Record(Record),
    /// Have a program listen to a call.
    Listen(Box<Listen>),
    /// Have it listen no longer.
    ListenNoMore(CallId),
    /// Keep a recording from being deleted (`true`), or no longer.
    HoldRecording(RecordingId, bool),
    /// Change who is in a call, or who hears whom.
    Room(Room),
    /// Have nobody hear the party of a leg (`true`), or everybody again.
    Mute(LegId, bool),
    /// Send these keys, of `0-9*#A-D`, to the party of a leg.
    Keys(LegId, String),
    /// Keys pressed on a leg are a secret from now on (`true`), or no longer.
    Secret(LegId, bool),
    /// Put one who is to be called back on the list.
    Callback(NewCallback),
    /// Take him off it; `by` is who asks.
    CallbackDone(CallbackId, String),
    /// Wrong passwords of an agent count no longer; the last says who asks.
    Unlock(AgentId, String),
    /// Begin a call between two parties. Answered with what is being done, and the call.
    NewCall(Box<NewCall>),
    /// Put a caller who waits somewhere else.
    Place(PlaceOrder),
    /// Do something at an agent's desk.
    Desk(Box<DeskOrder>),
    /// Change what an agent wants to be; the last says who asks.
    Agent(AgentId, AgentOrder, String),
    /// Take a trunk out of service for new calls (`true`), or back in.
    BlockTrunk(TrunkId, bool),
    /// Put or remove a row of a table that flows look things up in.
    Row(Row),
    /// So many messages wait for an account: new ones, and old.
    Messages(UserId, u32, u32),
    /// Keep a source off the SIP port. The operator's own tenant alone may.
    Ban(Box<Bar>),
    /// Take back a ban of a source on the SIP port. The operator's own tenant alone may.
    LiftBan(Network),
    /// Take no new calls, and stop when those that are up are over, or their time is; with `now`, end them. The operator's own
    /// tenant alone may.
    Stop {
        /// At once.
        now: bool,
    },
    /// Read the configuration again; all or nothing. Answered with what changed, in words.
    Reload,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table.
    pub table: Name,
    /// The row's key.
    pub key: String,
    /// The cells behind the key by the names of their columns; removed if none.
    pub cells: Option<BTreeMap<String, String>>,
    /// Who asks, as the event has it.
    pub by: String,
}

/// A program that is to listen to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The call.
    pub call: CallId,
    /// Where the program is: `ws://` or `wss://`.
    pub url: String,
    /// What it is told.
    pub parameters: BTreeMap<String, String>,
    /// Whom it hears.
    pub way: StreamWay,
    /// Who asks, as the event has it.
    pub by: String,
}

/// What is asked of a call's recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The call.
    pub call: CallId,
    /// What.
    pub act: RecordAct,
    /// Who asks, as the mark of a pause has it.
    pub by: String,
    /// Why, in his words; may be empty.
    pub why: String,
}

/// A recording as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RecordingView {
    /// Its entry.
    #[serde(flatten)]
    pub entry: RecordingEntry,
    /// Its file, from the manifest; none while there is no manifest, or no file any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<RecordingFile>,
    /// It is not deleted, however old.
    pub held: bool,
}

/// The file of a recording.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RecordingFile {
    /// `wav`, `opus` or `sealed`.
    pub format: String,
    /// Of the audio.
    pub codec: String,
    /// Channels.
    pub channels: u8,
    /// Samples a second on each channel.
    pub sample_rate: u32,
    /// Length of the file as it lies there.
    pub bytes: u64,
    /// SHA-256 of the file as it lies there, hexadecimal.
    pub sha256: String,
    /// The name of the key it is sealed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Opens audio from a byte on. It may take its time: not on a thread that others wait for.
pub type OpenAudio = Box<dyn FnOnce(u64) -> std::io::Result<Box<dyn std::io::Read + Send>> + Send>;

/// The audio of a recording: a WAV file, or an Ogg one with Opus.
pub struct RecordingAudio {
    /// Differs when the audio does (RFC 9110 8.8.3), where that can be told without reading it.
    pub tag: Option<String>,
    /// What it is.
    pub media_type: &'static str,
    /// Its length, bytes.
    pub len: u64,
    /// Opens it.
    pub open: OpenAudio,
}

/// A caller who is to be sent aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// His call.
    pub call: CallId,
    /// The flow.
    pub flow: FlowId,
    /// What is put into the call data before.
    pub data: BTreeMap<String, serde_json::Value>,
}

/// A transfer that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The call.
    pub call: CallId,
    /// The leg of who sends; the called party's if none.
    pub by: Option<LegId>,
    /// Where to.
    pub to: TransferTo,
}

/// Where a party is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferTo {
    /// To a number, as who sends would dial it.
    Number(String),
    /// The same, once who sends has spoken to it.
    Consult(String),
    /// To an agent, an account, a queue or a flow; with `true`, once who sends has spoken to him or to whom the queue gives.
    Place(Destination, bool),
    /// To whom the same party reached in this other call.
    Call(CallId),
}

/// A change of who is in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The call.
    pub call: CallId,
    /// What is wanted.
    pub order: RoomOrder,
}

/// What may be wanted of a call besides its two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomOrder {
    /// Add whom this number reaches, as the party of this leg would dial it; the called party if none is named.
    Add(Option<LegId>, String),
    /// Who is being consulted, who consults and who waits talk together.
    AddConsulted,
    /// Take a party out.
    Remove(LegId),
    /// Ring a supervisor.
    Supervise {
        /// What he will do.
        mode: SupervisionMode,
        /// His phone.
        by: Phone,
        /// The leg of whom he supervises; the call's agent if none is named.
        of: Option<LegId>,
    },
    /// Have him do something else.
    Change(SupervisionMode),
    /// Let him go.
    EndSupervision,
}

/// A phone of the tenant's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phone {
    /// An agent's.
    Agent(AgentId),
    /// An account's.
    Extension(UserId),
}

/// What is asked about in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Why an agent is what he is, and what keeps calls from him.
    Agent(AgentId),
    /// Who waits in a queue in which order, who would take them, and why not the others.
    Queue(QueueId),
}

/// Filter of a search in the call detail records. Newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CdrFilter {
    /// Started at or after.
    pub from: Option<Wall>,
    /// Started before.
    pub to: Option<Wall>,
    /// The agent who talked last.
    pub agent: Option<AgentId>,
    /// A queue the call waited in.
    pub queue: Option<QueueId>,
    /// Where the last page ended.
    pub before: Option<CallId>,
    /// Rows of a page, 1 to 1,000.
    pub limit: u32,
}

/// Which recordings, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingsAsked {
    /// Where the last page ended.
    pub before: Option<RecordingId>,
    /// Rows of a page, 1 to 1,000.
    pub limit: u32,
    /// Those that were begun for this.
    pub label: Option<String>,
    /// Those of this call.
    pub call: Option<CallId>,
}

/// Why the switch does not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such thing in this tenant.
    NotFound(String),
    /// It is not possible in the present state; why, in words.
    Conflict(String),
    /// The same, with a word for programs that stays what it is.
    Named(&'static str, String),
    /// The request is wrong; one line per fault.
    Invalid(Vec<String>),
    /// The switch is overloaded or stopping; come back in so many seconds.
    Busy(u32),
    /// Nobody is signed in, and no password is set; why.
    SignIn(SignInFault),
    /// Nothing is done with a chat; why.
    Chat(ChatFault),
    /// A fault of ours.
    Internal(String),
}

/// Where a reader of the event stream left off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The start of the switch (UTC second) that numbered the event.
    pub start: u32,
    /// The last event seen.
    pub seq: u64,
}

/// One message to a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum StreamItem {
    /// First message always: which start numbers the events and the last number so far.
    Hello {
        /// The start of the switch.
        start: u32,
        /// The last event so far.
        last: u64,
    },
    /// An event.
    Event(Box<Event>),
    /// Events between these numbers are no longer held; a snapshot follows.
    Gap {
        /// The first missing.
        from: u64,
        /// The last missing.
        to: u64,
    },
    /// The state as of event `seq`.
    Snapshot {
        /// The last event it includes.
        seq: u64,
        /// Calls up.
        calls: Vec<CallView>,
        /// Queues.
        queues: Vec<QueueView>,
        /// Agents.
        agents: Vec<AgentView>,
    },
    /// Everything up to this event that the reader's filter lets through was sent: the place to come back to moves on
    /// while nothing comes.
    Position {
        /// The event.
        seq: u64,
    },
    /// The figures of now, for a reader who asked for them: at most once a second while something changes.
    Wall(Box<WallView>),
    /// The stream ends here; why.
    Closing {
        /// `slow_reader`, `shutdown` ...
        reason: String,
    },
}

/// An event stream. It ends after a `Closing` item.
pub type Subscription = mpsc::Receiver<StreamItem>;

/// Who asks with a key, or in a session of a person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant it opens.
    pub tenant: TenantId,
    /// The key's name, or the person's, for the log.
    pub key: String,
    /// What he may ask for.
    pub scopes: Scopes,
    /// The person, if it is one.
    pub person: Option<Box<Person>>,
}

/// A person who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub name: Name,
    /// The id of his session.
    pub session: Name,
    /// He must have a second factor first, and may do nothing else.
    pub enrolling: bool,
}

impl Caller {
    /// A key with this name and everything open.
    pub fn key(tenant: TenantId, name: impl Into<String>) -> Self {
        Self { tenant, key: name.into(), scopes: Scopes::all(), person: None }
    }

    /// What an order's record has of him, as [`cordboard_model::desk::Actor`] prints it.
    pub fn actor(&self) -> String {
        match &self.person {
            Some(person) => format!("{PERSON}{}", person.name),
            None => self.key.clone(),
        }
    }
}

impl core::fmt::Display for Caller {
    /// As events and records have it: `key wallboard`, `user li`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.person {
            Some(person) => write!(f, "{PERSON}{}", person.name),
            None => write!(f, "key {}", self.key),
        }
    }
}

/// An agent who asks with the token of his session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCaller {
    /// Who.
    pub agent: AgentId,
    /// He may order others about.
    pub supervisor: bool,
}

/// A password to be looked at, and what is wanted with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Whose.
    pub agent: AgentId,
    /// It; none if a key vouches for who asks.
    pub password: Option<Secret>,
    /// Another one, from now on.
    pub new: Option<Secret>,
    /// A session that is to begin.
    pub session: Option<WantedSession>,
    /// The address that asks.
    pub address: String,
    /// Who asks, for the event of a new password.
    pub by: String,
}

/// A session that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSession {
    /// Where, for who signs in elsewhere later.
    pub place: String,
    /// One elsewhere is ended.
    pub take_over: bool,
}

/// It is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The token of the session, if one was wanted. It is shown once.
    pub token: Option<Secret>,
}

/// How the switch is, for /healthz.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Health {
    /// Whether calls are taken.
    pub ready: bool,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Calls up.
    pub calls: u32,
    /// What is wrong, in words; empty when nothing is.
    pub problems: Vec<String>,
}

/// The switch as the control plane sees it. Every method may be called from any thread and returns at once;
/// the answer comes through the future.
pub trait Switch:
    Chats
    + crate::click_switch::Clicks
    + Control
    + Events
    + Webhooks
    + Objects
    + Vault
    + crate::gateway::beside::Beside
    + crate::bar::phones::PagePhones
    + crate::third_party::beside::ThirdParties
    + crate::huawei::config::Configured
    + crate::aliyun::beside::Applications
    + crate::table_switch::Tables
    + crate::campaign_switch::Campaigns
    + Send
    + Sync
    + 'static
{
    /// Whose API key this is. The key is compared by its hash, in constant time.
    fn authenticate(&self, key: &str) -> Option<Caller>;
    /// Whose session this token opens; the session is used with that.
    fn session(&self, token: &str) -> Later<AgentCaller>;
    /// Where an agent is signed in with his password.
    fn session_of(&self, agent: AgentId) -> Later<Option<SessionView>>;
    /// Signs an agent in, or sets his password.
    fn sign_in(&self, order: SignIn) -> Later<SignedIn>;
    /// How the switch is.
    fn health(&self) -> Health;
    /// Metrics in the Prometheus text format 0.0.4.
    fn metrics(&self) -> String;
    /// Calls up.
    fn calls(&self, tenant: TenantId) -> Later<Vec<CallView>>;
    /// One call that is up.
    fn call(&self, call: CallId) -> Later<CallView>;
    /// The ladder of a call: its messages, without their secrets, and what happened to it.
    fn trace(&self, key: TraceKey) -> Later<TraceView>;
    /// The last ladders, newest first, `most` at most.
    fn traces(&self, tenant: TenantId, most: usize) -> Later<Vec<TraceEntry>>;
    /// Queues with who waits.
    fn queues(&self, tenant: TenantId) -> Later<Vec<QueueView>>;
    /// Agents with what they do.
    fn agents(&self, tenant: TenantId) -> Later<Vec<AgentView>>;
    /// Why things are as they are, in words.
    fn why(&self, what: Why) -> Later<String>;
    /// An agent with his calls, as his page begins with them.
    fn desk(&self, agent: AgentId) -> Later<DeskView>;
    /// Who is to be called back for a tenant, or for one of its queues, the longest waiting first.
    fn callbacks(&self, tenant: TenantId, page: CallbackPage) -> Later<Vec<Callback>>;
    /// A row of a tenant's table with the names of its columns.
    fn row(&self, tenant: TenantId, table: Name, key: String) -> Later<BTreeMap<String, String>>;

    /// Registered devices.
    fn contacts(&self, tenant: TenantId) -> Later<Vec<ContactView>>;
    /// Trunks, with the state of their gateways.
    fn trunks(&self, tenant: TenantId) -> Later<Vec<TrunkView>>;
    /// What would become of a call that is not placed: `trunk`, `from`, `to`.
    fn explain(&self, tenant: TenantId, trunk: Option<TrunkId>, from: String, to: String)
    -> Later<RouteView>;
    /// Sources that the SIP port gives no answers. Empty for all but the operator's own tenant.
    fn bans(&self, tenant: TenantId) -> Later<Vec<BanView>>;
    /// Call detail records, newest first.
    fn cdrs(&self, tenant: TenantId, filter: CdrFilter) -> Later<Vec<Cdr>>;
    /// One call detail record.
    fn cdr(&self, call: CallId) -> Later<Cdr>;
    /// Figures over a stretch of time.
    fn report(&self, tenant: TenantId, asked: ReportAsked) -> Later<Report>;
    /// The figures of now.
    fn wall(&self, tenant: TenantId) -> Later<WallView>;
    /// Legs of calls that are over, newest first.
    fn legs(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<LegRow>>;
    /// Queue visits of calls that are over, newest first.
    fn visits(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<VisitRow>>;
    /// Stretches of agents' work that are over, newest first.
    fn intervals(&self, tenant: TenantId, asked: RowsAsked) -> Later<Rows<AgentInterval>>;
    /// Recordings, newest first.
    fn recordings(&self, tenant: TenantId, asked: RecordingsAsked) -> Later<Vec<RecordingView>>;
    /// The audio of a recording, opened if it is sealed.
    fn recording_audio(&self, recording: RecordingId) -> Later<RecordingAudio>;
    /// Flows, with who keeps their texts.
    fn flows(&self, tenant: TenantId) -> Later<Vec<FlowView>>;
    /// Texts of a flow.
    fn flow(&self, flow: FlowId, which: FlowWhich) -> Later<FlowSource>;
    /// The versions of a flow that is kept by the API, newest first.
    fn flow_versions(&self, flow: FlowId) -> Later<Vec<FlowVersion>>;
    /// What a finished call did in its flow, as a test in TOML; of the flow of this name, or of its first one.
    fn flow_test(&self, call: CallId, flow: Option<String>) -> Later<String>;
    /// Does something with a flow; `by` is who asks, for the list of versions.
    fn flow_order(&self, flow: FlowId, by: String, order: FlowOrder) -> Later<FlowDone>;
    /// Does something. Answered with what was done, in words.
    fn command(&self, tenant: TenantId, command: Command) -> Later<Vec<String>>;
    /// The event stream from `since`, or from now.
    fn subscribe(&self, tenant: TenantId, since: Option<Since>) -> Subscription {
        self.follow(Follow { tenant, since, filter: EventFilter::default() })
    }
}
