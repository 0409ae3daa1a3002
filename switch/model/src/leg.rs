//! Commands to a leg and what a leg reports: signalling without SIP's words. `core` translates.

use crate::cause::Cause;
use crate::id::{LegId, TrunkId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A number or user with its display name.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PartyId {
    /// The user part as it came: a number as dialled, an extension, or `anonymous`.
    pub user: String,
    /// The display name, without quotes; empty when there was none.
    pub display: String,
}

impl PartyId {
    /// A party without display name.
    pub fn new(user: &str) -> Self {
        Self { user: user.into(), display: String::new() }
    }
}

/// Where a new leg is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Every registered contact of an account, in parallel.
    User(UserId),
    /// A number by a trunk.
    Trunk(TrunkId, String),
}

/// What the call engine asks of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegCommand {
    /// Call out. The leg's media is opened by `core` first, which offers it.
    Dial {
        /// Where to.
        target: Target,
        /// Who calls, as shown to the called party.
        from: PartyId,
    },
    /// Tell the caller that it rings (180).
    Ring,
    /// Let the caller hear us before the answer (183 with session description).
    EarlyMedia,
    /// Answer (200 with session description).
    Answer,
    /// Refuse or end, whatever the state: final response, CANCEL or BYE.
    HangUp {
        /// Why; gives status and Reason.
        cause: Cause,
    },
    /// Put the party on hold, or take it off, by re-INVITE.
    Hold {
        /// True to hold.
        on: bool,
    },
    /// Tell the party what became of its [`LegEvent::TransferAsked`].
    TransferResult {
        /// Of the request.
        ticket: u32,
        /// 100 accepts it, 180 tells of ringing, 200 and above is the last word; 300 and above said first refuses it.
        status: u16,
    },
}

/// What a leg reports to the call engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegEvent {
    /// A device rings.
    Ringing,
    /// The called side sends audio before answering.
    EarlyMedia,
    /// Answered and media settled.
    Answered,
    /// Our answer was acknowledged (ACK): the dialog is complete.
    Confirmed,
    /// The party put us on hold, or took us off.
    PeerHold {
        /// True when we are on hold.
        on: bool,
    },
    /// A hold that we asked for was accepted or refused.
    HoldDone {
        /// What was asked.
        on: bool,
        /// Whether it is so now.
        ok: bool,
    },
    /// The party wants the other one sent elsewhere (REFER). Answered by [`LegCommand::TransferResult`].
    TransferAsked {
        /// Names it in the answers.
        ticket: u32,
        /// The number, as dialled.
        to: String,
        /// The leg whose place the other party is to take: one of the same party's other call.
        replaces: Option<LegId>,
    },
    /// The called device says where the call shall go instead (3xx). Its end follows.
    Redirected {
        /// The number, as dialled.
        to: String,
    },
    /// The leg is over. Nothing follows.
    Ended {
        /// Why.
        cause: Cause,
        /// True if the party ended it, false if we did.
        by_peer: bool,
        /// The SIP status behind it, for the record; none after a BYE.
        sip_status: Option<u16>,
    },
}

/// A new call that has come in, before routing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// Its first leg.
    pub leg: LegId,
    /// Who calls.
    pub from: PartyId,
    /// What was dialled.
    pub to: PartyId,
    /// The trunk it came by, if its address is a trunk's.
    pub trunk: Option<TrunkId>,
    /// The authenticated account, if it authenticated.
    pub user: Option<UserId>,
    /// The leg whose place it takes (an INVITE with Replaces). It is not routed then.
    pub replaces: Option<LegId>,
    /// Call data that it brings along.
    pub data: BTreeMap<String, Value>,
}
