//! Digits as RTP events (RFC 4733): the payload, telling presses apart, sending them.

pub(crate) mod event;
pub(crate) mod receive;
pub(crate) mod send;
