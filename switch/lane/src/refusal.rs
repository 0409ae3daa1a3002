//! Why a lane takes nothing now.

use std::error::Error;
use std::fmt;

/// Why a lane gave no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Every slot is reserved or filled: the consumer is behind. The owner of the lane has a policy
    /// for this (refuse the call, drop the statistic, count silence).
    Full,
    /// One of the sides closed the lane; it will never have a slot again.
    Closed,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the lane is full",
            Self::Closed => "the lane is closed",
        })
    }
}

impl Error for Refusal {}

/// An item that was not sent, given back with the reason.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Refused<T> {
    /// What was to be sent.
    pub item: T,
    /// Why it was not.
    pub why: Refusal,
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<T> Error for Refused<T> {}
