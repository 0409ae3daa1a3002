//! What happens while recordings cannot be written, because their disk is full or gone.
//!
//! Invariant: no policy ends a call that is up or holds up its audio; each says by an alarm what it does.

use cordboard_model::event::EventKind;
use serde::Serialize;

/// The operator's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// Calls go on; what is not written is silence.
    #[default]
    GoOn,
    /// The same, and the oldest recordings are deleted until there is room: but for those that are held, and not before they
    /// are finished and described.
    DeleteOldest,
    /// The same for calls that are up; new ones are refused with 503 until recordings can be written again.
    RefuseCalls,
}

impl WhenFull {
    /// Their names in the configuration.
    pub const NAMES: &'static [(&'static str, WhenFull)] = &[
        ("go_on", WhenFull::GoOn),
        ("delete_oldest", WhenFull::DeleteOldest),
        ("refuse_calls", WhenFull::RefuseCalls),
    ];

    /// What is told when it begins and when it is over.
    pub(crate) fn alarm(self, failing: bool) -> EventKind {
        let (code, text) = match (failing, self) {
            (true, WhenFull::GoOn) => (
                "recordings_failing",
                "recordings cannot be written; calls go on, and what is not written is silence. \
                 Look at the disk that holds them",
            ),
            (true, WhenFull::DeleteOldest) => (
                "recordings_failing",
                "recordings cannot be written, and what is not written is silence; if the disk is full, \
                 the oldest recordings that are not held are being deleted",
            ),
            (true, WhenFull::RefuseCalls) => (
                "recordings_failing",
                "recordings cannot be written; calls that are up go on, in silence on record, and new ones are \
                 refused with 503. Look at the disk that holds them",
            ),
            (false, _) => {
                ("recordings_written", "recordings are written again; their entries say how much is silence")
            }
        };
        EventKind::Alarm { code: code.to_owned(), text: text.to_owned() }
    }
}
