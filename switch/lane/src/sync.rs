//! The atomics of the protocol: the standard library's, or loom's when the protocol is explored.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

/// Keeps a value on cache lines of its own, so that producers and consumer do not slow each other
/// by writing words that happen to be neighbours. 128 bytes: x86 prefetches lines in pairs.
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);
