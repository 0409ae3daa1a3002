//! RTP (RFC 3550): reading and rewriting headers, whom to believe, what was lost, what we send.

pub(crate) mod header;
pub(crate) mod latch;
pub(crate) mod outgoing;
pub(crate) mod reception;

use cordboard_model::time::{Duration, Time};

/// Samples of the 8 kHz clock in a duration.
pub(crate) fn samples_in(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos() / 125_000).unwrap_or(u64::MAX)
}

/// The 8 kHz clock at a moment, as RTP counts: modulo 2^32.
pub(crate) fn clock_at(at: Time) -> u32 {
    (at.as_nanos() / 125_000) as u32
}

/// An SSRC, a first sequence number or a first timestamp, and its successors, are compared by their
/// distance: positive when `a` is the later one.
pub(crate) fn ahead(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}
