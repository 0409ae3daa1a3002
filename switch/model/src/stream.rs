//! A call's audio given to a program by WebSocket, and the program's audio given to the call: what is wished, what is
//! told, and how it ends.

use crate::id::{CallId, LegId, StreamId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most parameters of a stream, and longest name and value of one, bytes.
pub const PARAMETERS_MAX: usize = 32;
/// See [`PARAMETERS_MAX`].
pub const PARAMETER_MAX: usize = 1_024;
/// Longest URL, bytes.
pub const URL_MAX: usize = 2_048;

/// What a program does in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamWay {
    /// It has the caller: hears him and is heard by him.
    #[default]
    Talk,
    /// It listens to the caller.
    Inbound,
    /// To whom the caller talks to.
    Outbound,
    /// To both, each in a track of its own.
    Both,
}

impl StreamWay {
    /// Whether it hears this track.
    pub fn hears(self, track: Track) -> bool {
        match track {
            Track::Inbound => self != StreamWay::Outbound,
            Track::Outbound => matches!(self, StreamWay::Outbound | StreamWay::Both),
        }
    }
}

/// Whose audio a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// The caller's.
    Inbound,
    /// That of whom he talks to.
    Outbound,
}

impl Track {
    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Track::Inbound => "inbound",
            Track::Outbound => "outbound",
        }
    }
}

/// What a stream is begun with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOpening {
    /// Names it.
    pub stream: StreamId,
    /// Its call.
    pub call: CallId,
    /// The caller's.
    pub leg: LegId,
    /// What the program does.
    pub way: StreamWay,
    /// Where the program listens: `ws://` or `wss://`.
    pub url: String,
    /// What it is told at the start: the flow's parameters; `call`, `from` and `to`; and the call data, each where nothing
    /// before has its name.
    pub parameters: BTreeMap<String, String>,
}

/// What the shell does with streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamCommand {
    /// Connect. The leg's media thread has been told. Answered, once, by the stream's end.
    Open(Box<StreamOpening>),
    /// The party pressed a key.
    Digit {
        /// Its call.
        call: CallId,
        /// The stream.
        stream: StreamId,
        /// Of `0-9*#A-D`.
        digit: char,
    },
    /// The call has no more use for it. No answer follows.
    Close {
        /// The stream.
        stream: StreamId,
    },
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamEnd {
    /// The program closed it: it is done.
    Closed,
    /// It lasted as long as the flow allows.
    Timeout,
    /// The call had no more use for it: the caller hung up, or it was taken back.
    Stopped,
    /// The URL is not among those that are allowed, or none at all.
    Forbidden,
    /// Nobody answers there, or the certificate is not right.
    Unreachable,
    /// The program does not take it: it answers with no WebSocket.
    Refused,
    /// There was no connection in time.
    Late,
    /// What the program sent is not of the protocol.
    ProtocolError,
    /// The connection was lost.
    Lost,
    /// More streams than are allowed at a time.
    Overloaded,
}

/// How a stream ended, and what the program leaves the flow with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOutcome {
    /// How.
    pub end: StreamEnd,
    /// What the program found out, at most [`PARAMETER_MAX`] bytes.
    pub result: Option<String>,
    /// How sure it is of that, percent, if it says so.
    #[serde(default)]
    pub confidence: Option<u8>,
}

impl From<StreamEnd> for StreamOutcome {
    fn from(end: StreamEnd) -> Self {
        Self { end, result: None, confidence: None }
    }
}

impl StreamEnd {
    /// The word for flows and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            StreamEnd::Closed => "closed",
            StreamEnd::Timeout => "timeout",
            StreamEnd::Stopped => "stopped",
            StreamEnd::Forbidden => "forbidden",
            StreamEnd::Unreachable => "unreachable",
            StreamEnd::Refused => "refused",
            StreamEnd::Late => "late",
            StreamEnd::ProtocolError => "protocol_error",
            StreamEnd::Lost => "lost",
            StreamEnd::Overloaded => "overloaded",
        }
    }

    /// Whether the program had the call and gave it back, or the flow's time was up.
    pub fn was_served(self) -> bool {
        matches!(self, StreamEnd::Closed | StreamEnd::Timeout)
    }
}
