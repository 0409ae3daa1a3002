//! How a stream finds its way between two parties and how its keys are agreed on beside it: ICE (RFC 8445) and DTLS-SRTP
//! (RFC 5763, RFC 5764), as session descriptions settle them and media threads use them.
//!
//! Invariant: a password is shown by nothing: `Debug` names its user alone.

use core::fmt;
use core::net::SocketAddr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// With which one end proves to the other that its checks are its own (RFC 8445 5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct IceCredentials {
    /// The user fragment, 4 to 256 characters.
    pub user: String,
    /// The password, 22 to 256 characters.
    pub password: String,
}

impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceCredentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An address at which a party may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub address: SocketAddr,
    /// How much the party likes it; more is better.
    pub priority: u32,
}

/// What both ends said of ICE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceTerms {
    /// Ours.
    pub ours: IceCredentials,
    /// The peer's.
    pub theirs: IceCredentials,
    /// The peer's addresses, UDP and of our family; more of them may be learnt from its checks.
    pub candidates: Vec<Candidate>,
    /// We only answer checks (RFC 8445 2.5).
    pub lite: bool,
    /// We choose the pair of addresses that is used. Of two ends that both believe so one gives in later.
    pub controlling: bool,
}

/// Which end begins a DTLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DtlsRole {
    /// We do: `a=setup:active` is ours.
    Client,
    /// The peer does.
    Server,
}

/// A hash function for certificates (RFC 8122 5) that is not broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FingerprintHash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl FingerprintHash {
    /// Every function.
    pub const ALL: [FingerprintHash; 3] =
        [FingerprintHash::Sha256, FingerprintHash::Sha384, FingerprintHash::Sha512];

    /// Its name in `a=fingerprint`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            FingerprintHash::Sha256 => "sha-256",
            FingerprintHash::Sha384 => "sha-384",
            FingerprintHash::Sha512 => "sha-512",
        }
    }

    /// Bytes of a hash.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            FingerprintHash::Sha256 => 32,
            FingerprintHash::Sha384 => 48,
            FingerprintHash::Sha512 => 64,
        }
    }
}

/// The hash of a certificate, by which a session description names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// By which function.
    pub hash: FingerprintHash,
    /// As many bytes as it makes.
    pub digest: Vec<u8>,
}

/// What both ends said of DTLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DtlsTerms {
    /// Our part in the handshake.
    pub role: DtlsRole,
    /// Of the certificate that the peer must show.
    pub theirs: Fingerprint,
}

/// Both, each where it was agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaPath {
    /// Addresses are found by ICE; none: the one of the description, and what is learnt from packets.
    pub ice: Option<IceTerms>,
    /// Keys are agreed on by DTLS beside the stream; nothing is sent or taken before.
    pub dtls: Option<DtlsTerms>,
}

/// Why a stream that was agreed on never came to be, or ended, on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathFault {
    /// The peer's certificate is not the one that its session description names.
    WrongCertificate,
    /// DTLS could not be agreed on: nothing in common, a broken message, no answer.
    Handshake,
    /// No pair of addresses has carried a check and its answer.
    NoPath,
    /// The peer has stopped answering the checks that ask whether it still wants our packets (RFC 7675).
    ConsentLost,
}
