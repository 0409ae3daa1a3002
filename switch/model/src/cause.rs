//! Why a leg or a call ended, and whose doing it was. Decided where the end is known, never guessed later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a leg or a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Hung up after an answer.
    Normal,
    /// The caller gave up before an answer (CANCEL).
    Cancelled,
    /// The called party is busy (486, 600).
    Busy,
    /// Nobody answered in time (408, 480 after ringing, our own limit).
    NoAnswer,
    /// The called party declined (603, 403 from a phone).
    Declined,
    /// No such number or user (404, 484, 604).
    NotFound,
    /// The user exists but has no registered device.
    NotRegistered,
    /// The peer cannot be reached: no response, ICMP error, connection refused.
    Unreachable,
    /// Refused for lack of rights (401/407 exhausted, 403 by us).
    Forbidden,
    /// No common codec or unusable session description (488, 415).
    Incompatible,
    /// The party was transferred, or another leg took its place.
    Transferred,
    /// Another leg of the same fork answered (Reason: SIP;cause=200).
    AnsweredElsewhere,
    /// We, or the peer, are out of capacity (503, 500 with Retry-After).
    Congestion,
    /// The peer violated the protocol.
    ProtocolError,
    /// No RTP or RTCP came for longer than the limit.
    MediaTimeout,
    /// The call reached its maximum length.
    MaxDuration,
    /// The flow ended the call.
    FlowEnded,
    /// The flow failed and its fallback could not take the call.
    FlowFailed,
    /// The caller waited longer than the queue allows.
    QueueTimeout,
    /// The queue is full or closed.
    QueueFull,
    /// The switch refused to take the call on: routing found nothing.
    NoRoute,
    /// An operator or the API ended it.
    Administrative,
    /// The switch is stopping.
    Shutdown,
    /// Speech could not be made from text: there is no engine, or it failed or was too slow.
    SpeechFailed,
    /// A fault of ours (panic caught, invariant broken).
    InternalError,
    /// The switch was restarted while the call was up.
    LostByRestart,
}

/// Who ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The calling side.
    Caller,
    /// The called side: agent, extension, trunk.
    Callee,
    /// The flow, the queue or the switch by rule.
    Switch,
    /// A person or program over the control API.
    Operator,
}

impl Cause {
    /// The SIP final response that refuses a call for this cause (RFC 3261 21).
    pub fn sip_status(self) -> u16 {
        match self {
            Cause::Normal
            | Cause::Transferred
            | Cause::FlowEnded
            | Cause::NoAnswer
            | Cause::NotRegistered
            | Cause::QueueTimeout => 480,
            Cause::Cancelled | Cause::AnsweredElsewhere => 487,
            Cause::Busy | Cause::QueueFull => 486,
            Cause::Declined => 603,
            Cause::NotFound | Cause::NoRoute => 404,
            Cause::Forbidden => 403,
            Cause::Incompatible => 488,
            Cause::Unreachable | Cause::MediaTimeout | Cause::MaxDuration => 480,
            Cause::Congestion | Cause::Shutdown | Cause::Administrative => 503,
            Cause::ProtocolError => 400,
            Cause::FlowFailed | Cause::SpeechFailed | Cause::InternalError | Cause::LostByRestart => 500,
        }
    }

    /// The cause that a SIP final response of 300 or above means.
    pub fn from_sip_status(code: u16) -> Cause {
        match code {
            401 | 403 | 407 => Cause::Forbidden,
            404 | 410 | 484 | 485 | 604 => Cause::NotFound,
            408 | 480 => Cause::NoAnswer,
            406 | 415 | 488 | 606 => Cause::Incompatible,
            486 | 600 => Cause::Busy,
            487 => Cause::Cancelled,
            603 | 607 | 608 => Cause::Declined,
            500 | 503 | 504 => Cause::Congestion,
            // where else it would be is nobody's answer to who called
            300..=399 | 502 | 580 => Cause::Unreachable,
            _ => Cause::ProtocolError,
        }
    }

    /// The ITU-T Q.850 value for a Reason header (RFC 3326).
    pub fn q850(self) -> u8 {
        match self {
            Cause::Normal
            | Cause::Cancelled
            | Cause::Transferred
            | Cause::FlowEnded
            | Cause::Administrative => 16,
            Cause::Busy | Cause::QueueFull => 17,
            Cause::NoAnswer | Cause::QueueTimeout => 19,
            Cause::NotRegistered | Cause::Unreachable => 20,
            Cause::Declined | Cause::Forbidden => 21,
            Cause::AnsweredElsewhere => 26,
            Cause::NotFound | Cause::NoRoute => 1,
            Cause::Incompatible => 88,
            Cause::Congestion | Cause::Shutdown => 42,
            Cause::MediaTimeout | Cause::MaxDuration => 102,
            Cause::ProtocolError => 111,
            Cause::FlowFailed | Cause::SpeechFailed | Cause::InternalError | Cause::LostByRestart => 41,
        }
    }

    /// The word used in records, events and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Normal => "normal",
            Cause::Cancelled => "cancelled",
            Cause::Busy => "busy",
            Cause::NoAnswer => "no_answer",
            Cause::Declined => "declined",
            Cause::NotFound => "not_found",
            Cause::NotRegistered => "not_registered",
            Cause::Unreachable => "unreachable",
            Cause::Forbidden => "forbidden",
            Cause::Incompatible => "incompatible",
            Cause::Transferred => "transferred",
            Cause::AnsweredElsewhere => "answered_elsewhere",
            Cause::Congestion => "congestion",
            Cause::ProtocolError => "protocol_error",
            Cause::MediaTimeout => "media_timeout",
            Cause::MaxDuration => "max_duration",
            Cause::FlowEnded => "flow_ended",
            Cause::FlowFailed => "flow_failed",
            Cause::QueueTimeout => "queue_timeout",
            Cause::QueueFull => "queue_full",
            Cause::NoRoute => "no_route",
            Cause::Administrative => "administrative",
            Cause::Shutdown => "shutdown",
            Cause::SpeechFailed => "speech_failed",
            Cause::InternalError => "internal_error",
            Cause::LostByRestart => "lost_by_restart",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_serialised_form() {
        for cause in [Cause::Normal, Cause::AnsweredElsewhere, Cause::LostByRestart, Cause::NoAnswer] {
            let json = serde_json::to_string(&cause).unwrap();
            assert_eq!(json, format!("\"{}\"", cause.as_str()));
        }
    }

    #[test]
    fn a_status_sent_for_a_cause_reads_back_as_that_kind_of_end() {
        for cause in [Cause::Busy, Cause::NotFound, Cause::Declined, Cause::Incompatible, Cause::Forbidden] {
            assert_eq!(Cause::from_sip_status(cause.sip_status()), cause);
        }
    }
}
