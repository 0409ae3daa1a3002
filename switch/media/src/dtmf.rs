//! Digits as RTP events (RFC 4733): the payload, telling presses apart, sending them. Digits as tones (Q.23, Q.24).

pub(crate) mod detect;
pub(crate) mod event;
pub(crate) mod pair;
pub(crate) mod receive;
pub(crate) mod send;
