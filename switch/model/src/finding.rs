//! What a leg's figures come to, for programs: whose fault bad audio was, piece by piece.

use crate::path::PathFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A direction of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the party to the switch.
    Up,
    /// From the switch to the party, of which only his own reports can tell.
    Down,
}

/// Why nothing was heard of a party, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// His certificate is not the one that his session description names.
    WrongCertificate,
    /// DTLS gave no keys.
    Handshake,
    /// None of the addresses in his session description answers.
    NoPath,
    /// He has stopped answering.
    ConsentLost,
    /// His packets come from another address than agreed.
    OtherAddress,
    /// His packets do not open under the keys that were agreed.
    OtherKeys,
    /// His session description names a private address.
    PrivateAddress,
    /// It is not known.
    Unknown,
}

impl From<PathFault> for Silence {
    fn from(fault: PathFault) -> Self {
        match fault {
            PathFault::WrongCertificate => Self::WrongCertificate,
            PathFault::Handshake => Self::Handshake,
            PathFault::NoPath => Self::NoPath,
            PathFault::ConsentLost => Self::ConsentLost,
        }
    }
}

/// One thing that a leg's figures say of its audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Finding {
    /// Nothing was ever heard of the party.
    NoAudio {
        /// Why.
        why: Silence,
    },
    /// He was not heard for a while.
    NotHeard {
        /// For so long.
        seconds: u64,
    },
    /// A direction has no fault.
    Clean {
        /// Which.
        way: Way,
    },
    /// The party does not report what he hears.
    Unreported,
    /// A direction loses packets.
    Loses {
        /// Which.
        way: Way,
        /// So many in a hundred.
        percent: u64,
        /// Many at a time.
        bursts: bool,
    },
    /// Packets of a direction come unevenly.
    Jitters {
        /// Which.
        way: Way,
        /// By so much, milliseconds.
        ms: u32,
    },
    /// What the party sends comes late.
    Late {
        /// By so much at most, milliseconds.
        ms: u32,
    },
    /// There and back takes long.
    RoundTrip {
        /// So long, milliseconds.
        ms: u32,
    },
}
