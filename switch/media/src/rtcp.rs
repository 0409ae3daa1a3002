//! RTCP (RFC 3550 6): reading what comes, as a sign of life and for round trips; reporting what came.

pub(crate) mod read;
pub(crate) mod write;
