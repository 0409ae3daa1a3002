//! `[events]`: how much of the event stream is kept on the disk.

use super::section::Section;
use super::value::{duration, size};
use core::time::Duration;
use serde::Serialize;

/// `[events]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventsMachine {
    /// How long an event is kept.
    pub keep: Duration,
    /// Bytes of a tenant's events, beyond which the oldest go sooner.
    pub size: u64,
}

pub(super) fn read(section: &Section<'_>) -> EventsMachine {
    let minute = Duration::from_secs(60);
    let read = EventsMachine {
        keep: section.or("keep", 60 * minute, duration(minute..=7 * 24 * 60 * minute)),
        size: section.or("size", 256 << 20, size(1 << 20..=64 << 30)),
    };
    section.finish();
    read
}
