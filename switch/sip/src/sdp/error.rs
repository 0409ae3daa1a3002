//! Why a description cannot be used.

use std::fmt;

/// What is wrong with a session description, or with us for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdpError {
    /// It cannot be read, at this line (1 is the first; 0 for the whole).
    Malformed {
        /// The line.
        line: usize,
    },
    /// It is above a limit of this module.
    TooLarge,
    /// No stream of plain RTP audio is offered, or it has port 0.
    NoAudio,
    /// The audio stream has no codec that we may use.
    NoCommonCodec,
    /// The address is a host name, or of another network than the Internet.
    NoAddress,
    /// The answer refuses the audio stream.
    Refused,
    /// The answer has not the streams that were offered.
    Mismatch,
    /// The stream is plain RTP, and only secure RTP is taken.
    NotSecured,
    /// No key that is offered is for a suite of ours with parameters of ours.
    NoCommonCrypto,
    /// The stream is to be secured by DTLS and does not say with which certificate, or who begins.
    NoFingerprint,
}

impl SdpError {
    /// The status code for a request with such an offer: 400 when the peer wrote no valid
    /// description, 488 when it is valid and we cannot serve it (RFC 3261 21.4.26).
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Malformed { .. } | Self::TooLarge | Self::Mismatch => 400,
            Self::NoAudio
            | Self::NoCommonCodec
            | Self::NoAddress
            | Self::Refused
            | Self::NotSecured
            | Self::NoFingerprint
            | Self::NoCommonCrypto => 488,
        }
    }
}

impl SdpError {
    /// The warn-code that says the same (RFC 3261 20.43).
    #[must_use]
    pub const fn warning(self) -> u16 {
        match self {
            // "304 Media type not available"
            Self::NoAudio | Self::Refused => 304,
            // "305 Incompatible media format"
            Self::NoCommonCodec | Self::NoCommonCrypto | Self::NoFingerprint => 305,
            // "302 Incompatible transport protocol"
            Self::NotSecured => 302,
            // "301 Incompatible network address formats"
            Self::NoAddress => 301,
            // "399 Miscellaneous warning"
            Self::Malformed { .. } | Self::TooLarge | Self::Mismatch => 399,
        }
    }
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { line: 0 } => f.write_str("malformed session description"),
            Self::Malformed { line } => write!(f, "malformed session description, line {line}"),
            Self::TooLarge => f.write_str("session description too large"),
            Self::NoAudio => f.write_str("no audio stream that can be taken"),
            Self::NoCommonCodec => f.write_str("no common codec"),
            Self::NoAddress => f.write_str("no usable media address"),
            Self::Refused => f.write_str("audio stream refused"),
            Self::Mismatch => f.write_str("answer does not fit the offer"),
            Self::NotSecured => f.write_str("secure RTP is required"),
            Self::NoFingerprint => f.write_str("no usable a=fingerprint and a=setup for DTLS"),
            Self::NoCommonCrypto => f.write_str("no common crypto-suite for secure RTP"),
        }
    }
}

impl std::error::Error for SdpError {}
