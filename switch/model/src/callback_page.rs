//! A page of the list of those who are to be called back.
//!
//! Invariant: pages follow each other without gap or repetition, whatever is put on the list or taken off it meanwhile.

use crate::callback::Callback;
use crate::id::{Name, QueueId};
use crate::time::Wall;

/// Which entries, the longest waiting first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackPage {
    /// Of this queue alone.
    pub queue: Option<QueueId>,
    /// What follows this place: since when its entry waits, and its name.
    pub after: Option<(Wall, Name)>,
    /// At most so many.
    pub limit: usize,
}

impl CallbackPage {
    /// The place of an entry, as text.
    pub fn place(entry: &Callback) -> String {
        format!("{}.{}", entry.since.0, entry.id.name)
    }

    /// Reads a place.
    pub fn read(text: &str) -> Option<(Wall, Name)> {
        let (since, name) = text.split_once('.')?;
        Some((Wall(since.parse().ok()?), Name::new(name).ok()?))
    }

    /// Whether an entry is of the page's queue and follows its place.
    pub fn has(&self, entry: &Callback) -> bool {
        let of_queue = self.queue.is_none() || entry.queue == self.queue;
        of_queue
            && self.after.as_ref().is_none_or(|after| (entry.since, &entry.id.name) > (after.0, &after.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let name = |text: &str| Name::new(text).unwrap();
        assert_eq!(CallbackPage::read("1700.65-1"), Some((Wall(1_700), name("65-1"))));
        for wrong in ["", ".", "1700", "x.65-1", "1700."] {
            assert_eq!(CallbackPage::read(wrong), None, "{wrong}");
        }
    }
}
