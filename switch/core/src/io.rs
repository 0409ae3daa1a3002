//! What the shell gives the shard and what it gets back.

use crate::rows::Cells;
use crate::video::VideoRule;
use cordboard_model::callback::Callback;
use cordboard_model::cause::Cause;
use cordboard_model::chat::ChatRecord;
use cordboard_model::config::Snapshot;
use cordboard_model::device::AgentDevice;
use cordboard_model::dns::{DnsAnswer, DnsQuery};
use cordboard_model::event::{Event, EventKind};
use cordboard_model::fetch::{FetchOrder, Fetched};
use cordboard_model::guard::Bar;
use cordboard_model::id::{AgentId, AssetId, CallId, LegId, Name, StreamId, TenantId};
use cordboard_model::journal::{ContactRecord, DialogRecord, JournalRecord};
use cordboard_model::media::{MediaCommand, MediaEvent};
use cordboard_model::signin::{HashWork, Hashed, SignInRecord};
use cordboard_model::speech::Speech;
use cordboard_model::stream::{StreamCommand, StreamOutcome};
use cordboard_model::time::{Duration, Wall, WallClock};
use cordboard_model::trace::TraceLimits;
use cordboard_model::view::AgentStatus;
use cordboard_sip::engine::{Datagram, Flow, Transport};
use cordboard_sip::sdp::DtlsSelf;
use cordboard_sip::wire::Frame;
use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a shard is made with.
#[derive(Clone, Debug)]
pub struct ShardConfig {
    /// Which shard; part of every id, tag and branch.
    pub shard: u8,
    /// The second (UTC) at which the switch was started.
    pub start_secs: u32,
    /// Thirty-two bytes that every random choice comes from.
    pub seed: [u8; 32],
    /// The address our SIP socket is bound to.
    pub local: SocketAddr,
    /// What we listen on, with the transports, in the order of preference.
    pub listeners: Vec<(Transport, SocketAddr)>,
    /// Those of them, by TLS, that take no peer without a certificate that we trust.
    pub authenticated: Vec<SocketAddr>,
    /// What peers reach us by, where that differs.
    pub advertised: Option<SocketAddr>,
    /// The same for those that reach us by the other address family.
    pub advertised_other: Option<IpAddr>,
    /// Where the ports of legs are reached in the address family that the media threads do not name.
    pub media_other: Option<IpAddr>,
    /// What descriptions say of DTLS and ICE; none: browsers get no audio.
    pub dtls: Option<DtlsSelf>,
    /// Packet length that we offer, milliseconds, 10 to 60.
    pub ptime_ms: u8,
    /// Whether our offers ask for RTCP on the RTP port (RFC 5761); who asks us for it gets it in any case.
    pub rtcp_mux: bool,
    /// Whether calls may have video, and how much; none: it is refused.
    pub video: Option<VideoRule>,
    /// Comfort noise is offered, and taken where it is offered.
    pub comfort_noise: bool,
    /// Turns time into dates.
    pub wall: WallClock,
    /// The key that panics the call in hand, for the test of what a panic costs. Ignored in release builds.
    pub panic_key: Option<char>,
    /// How much of the ladders of calls is kept.
    pub trace: TraceLimits,
}

/// What happened outside.
#[derive(Debug)]
pub enum ShardInput<'a> {
    /// A SIP message came.
    Datagram(Datagram<'a>),
    /// A stream of SIP messages held this next.
    Frame {
        /// The connection.
        flow: Flow,
        /// What it held.
        frame: Frame,
        /// The same as it came; empty for what is no message.
        bytes: &'a [u8],
    },
    /// A connection is gone, or could not be opened.
    FlowClosed(Flow),
    /// A media thread reports.
    Media(MediaEvent),
    /// The journal has the record with this ticket (`true`), or could not write it.
    Journalled {
        /// From [`ShardOutput::Journal`].
        ticket: u64,
        /// Whether it is on its way to the disk.
        ok: bool,
    },
    /// The wall clock moved.
    Wall(WallClock),
    /// A question to the domain name system is answered.
    Looked {
        /// From [`ShardOutput::Lookup`].
        ticket: u64,
        /// The answer.
        answer: DnsAnswer,
    },
    /// A stream ended, or never had a connection.
    StreamEnded {
        /// Its call.
        call: CallId,
        /// Which.
        stream: StreamId,
        /// How.
        outcome: StreamOutcome,
    },
    /// Speech was made, and every media thread has it; or it could not be made.
    Spoken {
        /// From [`ShardOutput::Speak`].
        ticket: u64,
        /// By which name it is played.
        asset: Option<AssetId>,
    },
    /// A question by HTTP is answered, or will not be.
    Fetched {
        /// From [`ShardOutput::Fetch`].
        ticket: u64,
        /// What came of it.
        fetched: Fetched,
    },
    /// A password was looked at, or there was no room for that.
    Hashed {
        /// From [`ShardOutput::Hash`].
        ticket: u64,
        /// What came of it.
        hashed: Hashed,
    },
}

/// What an operator, the API or the shell wants.
#[derive(Clone, Debug)]
pub enum ShardCommand {
    /// Exchange the configuration. Calls keep what they began with.
    Configure(Arc<Snapshot>),
    /// Take back what the journal held. Once, after the first `Configure`.
    Restore(Box<Restore>),
    /// Change what an agent wants to be. Answered at once by [`crate::Shard::agent_intent`] instead where the
    /// refusal matters.
    HangUp(CallId, Cause),
    /// Put a leg's party on hold or take it off.
    Hold(LegId, bool),
    /// Something that the shell knows goes into a tenant's event stream.
    Tell(TenantId, Box<EventKind>),
    /// Recordings cannot be written, or can be again: in between new calls are refused with 503.
    Unrecordable(bool),
    /// Recordings cannot be written, or can be again: queues, agents and trunks say what becomes of their calls.
    RecordingsFail(bool),
    /// Take no new calls. Those that are up are ended at once with `end`, and otherwise when `limits.drain` is over.
    Stop {
        /// End them at once.
        end: bool,
    },
}

/// An agent as the journal knew him.
#[derive(Clone, Debug)]
pub struct RestoredAgent {
    /// Who.
    pub agent: AgentId,
    /// His last status.
    pub status: AgentStatus,
    /// The reason that was given for it.
    pub reason: Option<String>,
    /// How long his break may be, if that was said.
    pub limit: Option<Duration>,
    /// Since when.
    pub since: Wall,
}

/// What the journal held at the start.
#[derive(Clone, Debug, Default)]
pub struct Restore {
    /// Contacts that have not expired.
    pub contacts: Vec<ContactRecord>,
    /// Agents as they were.
    pub agents: Vec<RestoredAgent>,
    /// What agents had chosen to be rung at.
    pub devices: Vec<(AgentId, AgentDevice)>,
    /// Dialogs of calls that the restart interrupted: each gets a BYE.
    pub dialogs: Vec<DialogRecord>,
    /// What flows had counted, and when it is forgotten.
    pub counters: Vec<(TenantId, String, i64, Wall)>,
    /// Who talked to which caller last: agent, caller, when it was over, when it is forgotten.
    pub talks: Vec<(AgentId, String, Wall, Wall)>,
    /// Calls that programs had begun under tokens, oldest first, and when each token is forgotten.
    pub asked: Vec<(CallId, String, Wall)>,
    /// Whom somebody had kept off the SIP port.
    pub bars: Vec<Bar>,
    /// Who is to be called back.
    pub callbacks: Vec<Callback>,
    /// Chats that were not over.
    pub chats: Vec<ChatRecord>,
    /// Calls that were cut after somebody had answered whom we called, or who called.
    pub answered: BTreeSet<CallId>,
    /// How agents sign in, and where they are.
    pub sign_ins: Vec<SignInRecord>,
    /// Rows of tables that were put, or removed (no cells).
    pub rows: Vec<(TenantId, Name, String, Option<Cells>)>,
    /// The numbers that events go on from.
    pub events: Vec<(TenantId, u64)>,
}

/// What the shell is to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum ShardOutput {
    /// Send a SIP message.
    Transmit {
        /// Where.
        flow: Flow,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Tell the media thread of the leg.
    Media(MediaCommand),
    /// Write to the journal. With a ticket: answer with [`ShardInput::Journalled`].
    Journal {
        /// Names the record in the answer; none if nobody waits.
        ticket: Option<u64>,
        /// What to write.
        record: Box<JournalRecord>,
    },
    /// Ask the domain name system. Answer with [`ShardInput::Looked`].
    Lookup {
        /// Names the question in the answer.
        ticket: u64,
        /// The question.
        query: DnsQuery,
        /// The domain for whose sake it is asked: what a certificate of the addresses must be for (RFC 5922 4).
        domain: String,
    },
    /// Begin, end, or tell something to, a stream to a program.
    Stream(StreamCommand),
    /// Make speech. Answer with [`ShardInput::Spoken`].
    Speak {
        /// Names it in the answer.
        ticket: u64,
        /// For whom.
        tenant: TenantId,
        /// What.
        speech: Speech,
    },
    /// Ask by HTTP. Answer with [`ShardInput::Fetched`], within the time the question has.
    Fetch {
        /// Names it in the answer.
        ticket: u64,
        /// The question.
        order: Box<FetchOrder>,
    },
    /// Look at a password, beside the signalling thread. Answer with [`ShardInput::Hashed`].
    Hash {
        /// Names it in the answer.
        ticket: u64,
        /// Whose agent it is of.
        tenant: TenantId,
        /// What is to be done.
        work: Box<HashWork>,
    },
    /// Something that was done with a chat is written, or could not be: then who did it has to try again.
    ChatKept {
        /// Names it.
        ticket: u64,
        /// Whether it is.
        ok: bool,
    },
    /// Readers of a chat have something to see, or (none) it is forgotten here.
    ChatNews {
        /// The chat.
        chat: CallId,
        /// Grows.
        news: Option<u64>,
    },
    /// Publish.
    Event(Event),
}
