//! DTLS-SRTP (RFC 5763, RFC 5764): the keys of a stream, agreed on beside it and proved by the fingerprints of the session
//! descriptions.
//!
//! dimpl 0.9 does the protocol, DTLS 1.2 alone: sans-IO, no unsafe code, time as an argument, bounded queues. Its own back ends are
//! aws-lc-rs, which we stay away from, and RustCrypto, whose 0.14 family would be in the tree beside the one that is there (49
//! crates); so it stands on ring by `provider.rs`, and brings seven small crates. rtc-dtls 0.21, which was looked at first,
//! brings 34. Without RSA: browsers and what is built on their stacks show ECDSA certificates, and who has none but an RSA one
//! gets `Handshake` as its fault.
//!
//! **Invariant: keys leave this folder only after the certificate of the peer had the fingerprint that signalling named.**
//!
//! Keys and nonces of a handshake come from the operating system, as ring wants it, and not from the engine's seed: DTLS stays
//! outside the simulator's trace. A handshake allocates.

mod association;
mod certificate;
mod provider;

#[cfg(test)]
mod tests;

pub(crate) use association::{Association, Step};
pub use certificate::{Identity, IdentityError};

/// Whether a datagram is DTLS by its first byte (RFC 7983 7).
pub(crate) fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram, [20..=63, ..])
}
