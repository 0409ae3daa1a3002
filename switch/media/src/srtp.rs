//! Secure RTP and RTCP (RFC 3711) with AES-CM of 128 and 256 bits (RFC 6188) and AES-GCM (RFC 7714).
//!
//! **Invariant: everything behind this folder is plain RTP.** A packet is opened in the shell's buffer before
//! anything else looks at it, and sealed there after everything else is done with it. Nothing here allocates but
//! [`Srtp::new`]. What was not authenticated changes no state.
//!
//! Our own packet logic over RustCrypto's aes, hmac, sha1 and ring's AES-GCM, not rtc-srtp 0.21: that one makes a
//! `BytesMut` for each packet each way, keeps state for every SSRC a stranger names before it looks at the tag, tells
//! replays by 16 of the 48 bits of an index, and seals one index as often as it is asked to. It is the other end in
//! our tests.
//!
//! Deliberately absent: key derivation rates, several master keys at a time, F8, null ciphers, encrypted header
//! extensions (RFC 6904); session descriptions refuse them.

mod cipher;
mod derive;
mod packet;
mod report;
mod streams;
mod window;

#[cfg(test)]
mod tests;

use crate::kit::Stock;
use cipher::Transform;
use cordboard_model::srtp::{Mki, SrtpKey, SrtpKeys};
use derive::Use;
use streams::Streams;

/// Bytes by which a packet can grow: the longest tag and an SRTCP index. We send no MKI.
pub(crate) const GROWTH: usize = 20;

/// Why a packet was not taken, or not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Not SRTP by its lengths.
    Malformed,
    /// It was here before, or is too old to tell.
    Stale,
    /// The tag is wrong: another key, or somebody changed it.
    Forged,
    /// The buffer has no room for the tag.
    NoRoom,
    /// The key has secured all the packets it may (RFC 3711 9.2).
    Exhausted,
}

/// One direction under one master key.
struct Half {
    master: SrtpKey,
    rtp: Transform,
    rtcp: Transform,
    /// By SSRC: indexes seen or sent.
    streams: Streams,
    reports: Streams,
}

impl Half {
    fn new(master: &SrtpKey) -> Option<Self> {
        Some(Self {
            master: *master,
            rtp: derive::transform(master, Use::Rtp)?,
            rtcp: derive::transform(master, Use::Rtcp)?,
            streams: Streams::default(),
            reports: Streams::default(),
        })
    }

    fn mki(&self) -> Option<Mki> {
        self.master.mki()
    }
}

/// Both directions of a leg.
pub(crate) struct Srtp {
    send: Half,
    receive: Half,
}

impl Srtp {
    /// Derives the session keys. `None` only for keys whose lengths are not their suite's, which [`SrtpKey`] rules out.
    pub(crate) fn new(keys: &SrtpKeys) -> Option<Self> {
        Some(Self { send: Half::new(&keys.send)?, receive: Half::new(&keys.receive)? })
    }

    /// Takes what was negotiated anew. A direction whose key stays keeps its counters: "previously stored and used keys
    /// MUST NOT be used again" (RFC 3711 9.2), which beginning again with the same key would be. With a new key of
    /// the peer its streams may begin at a rollover count of zero, as most do, or go on.
    pub(crate) fn rekey(&mut self, keys: &SrtpKeys, stock: &mut Stock) {
        let [sends, receives] = [self.send.master != keys.send, self.receive.master != keys.receive];
        if !sends && !receives {
            return;
        }
        let Some(mut made) = stock.srtp(keys) else {
            return;
        };
        if sends {
            core::mem::swap(&mut self.send, &mut made.send);
        }
        if receives {
            made.receive.streams = self.receive.streams.remembered();
            core::mem::swap(&mut self.receive, &mut made.receive);
        }
        stock.discard(made);
    }

    /// Whether it was made for these keys.
    pub(crate) fn is_for(&self, keys: &SrtpKeys) -> bool {
        self.send.master == keys.send && self.receive.master == keys.receive
    }
}

impl core::fmt::Debug for Srtp {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Srtp").field("suite", &self.send.master.suite()).finish_non_exhaustive()
    }
}

/// A word of a packet.
fn word(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// Whether a packet carries the agreed name of its key.
fn carries(packet: &[u8], at: usize, mki: Option<Mki>) -> bool {
    let Some(mki) = mki else {
        return true;
    };
    let len = usize::from(mki.len.min(8));
    let value = mki.value.to_be_bytes();
    packet.get(at..at + len) == value.get(8 - len..)
}
