//! The ladder of a call as readers see it: messages of all its legs and what happened to it, on one time axis.

use crate::cause::{Cause, Party};
use crate::event::EventKind;
use crate::id::{CallId, LegId, TenantId};
use crate::media::{AudioNews, LegStats, OpenError, StreamParams};
use crate::path::PathFault;
use crate::srtp::SrtpSuite;
use crate::time::Wall;
use core::net::SocketAddr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// How much of the ladders of all calls is kept. The oldest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TraceLimits {
    /// Bytes of messages and events; none keeps nothing.
    pub bytes: usize,
    /// Messages and events.
    pub steps: u32,
}

impl Default for TraceLimits {
    /// Some 4,000 bridged calls, of about 16 KB each.
    fn default() -> Self {
        Self { bytes: 64 << 20, steps: 131_072 }
    }
}

/// Which ladder is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceKey {
    /// That of a call of ours.
    Call(CallId),
    /// That in which a SIP Call-ID stands, for a reader of this tenant.
    Sip(TenantId, String),
}

/// A ladder.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TraceView {
    /// The call; none for a request that became no call.
    pub call: Option<CallId>,
    /// Whoever exchanged messages with the switch, in the order of their first.
    pub parties: Vec<TraceParty>,
    /// What happened, in order.
    pub steps: Vec<TraceStep>,
    /// Its beginning is no longer kept.
    pub cut: bool,
}

/// A far end.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TraceParty {
    /// How it is reached: `udp`, `tcp`, `tls`, `ws` or `wss`.
    pub transport: String,
    /// Its address.
    pub address: SocketAddr,
    /// The number or user at that end, where it is known.
    pub name: String,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TraceStep {
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// What.
    #[serde(flatten)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub what: TraceWhat,
}

/// What a step is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TraceWhat {
    /// A SIP message.
    Message(TraceMessage),
    /// Something that happened to the call.
    Note(TraceNote),
}

/// A SIP message, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceMessage {
    /// The far end: an index into [`TraceView::parties`].
    pub party: usize,
    /// Whether the switch sent it.
    pub sent: bool,
    /// How it travelled.
    pub transport: String,
    /// Our end, as the socket is bound.
    pub local: SocketAddr,
    /// The peer's end.
    pub remote: SocketAddr,
    /// It is the same as one before it: a retransmission.
    pub repeated: bool,
    /// The leg it belongs to, if it became one.
    pub leg: Option<LegId>,
    /// Its Call-ID.
    pub call_id: String,
    /// `INVITE`, `180 Ringing`.
    pub title: String,
    /// Whether it carries a session description.
    pub sdp: bool,
    /// The message. Secrets are written over with `*`, so that its length holds.
    #[serde(rename = "text", serialize_with = "lossy")]
    pub bytes: Vec<u8>,
}

fn lossy<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&String::from_utf8_lossy(bytes))
}

/// What happened to a call beside its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum TraceNote {
    /// As in the event stream: routing, flow, queue, agent, legs.
    Event {
        /// What.
        event: EventKind,
    },
    /// The call is over.
    Ended {
        /// Why.
        cause: Cause,
        /// Who ended it.
        by: Party,
    },
    /// About a leg's audio.
    Media {
        /// The leg.
        leg: LegId,
        /// What.
        media: TraceMedia,
    },
}

/// What is told of a leg's audio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TraceMedia {
    /// It has a port.
    Opened {
        /// Ours.
        local: SocketAddr,
    },
    /// It has none.
    OpenFailed {
        /// Why.
        why: OpenError,
    },
    /// Offer and answer are settled.
    Agreed {
        /// On this.
        params: StreamParams,
        /// How it is secured, if it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suite: Option<SrtpSuite>,
        /// The keys are agreed on by DTLS beside it.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        dtls: bool,
    },
    /// The first packet came.
    Heard {
        /// From here.
        from: SocketAddr,
    },
    /// Nothing came for as long as is allowed.
    Silent,
    /// The party is not heard, or heard again, or late.
    Audio {
        /// What.
        #[serde(flatten)]
        news: AudioNews,
    },
    /// There will be no keys.
    PathFailed {
        /// Why.
        fault: PathFault,
    },
    /// A key was pressed, told by RTP.
    Digit {
        /// Which; `?` for all while a secret is told.
        digit: char,
    },
    /// A playback ended.
    PlayDone {
        /// False if it was stopped.
        finished: bool,
    },
    /// It has ended.
    Closed {
        /// With these figures.
        stats: LegStats,
    },
}

/// A ladder in a list.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TraceEntry {
    /// The call; none for a request that became no call.
    pub call: Option<CallId>,
    /// The Call-ID of its last message; none when it has none.
    pub call_id: Option<String>,
    /// The user part of From, as the caller gave it.
    pub from: String,
    /// The user part of To.
    pub to: String,
    /// When its last message was.
    pub last: Wall,
    /// Its last message: `BYE`, `404 Not Found`.
    pub title: String,
}
