//! The store of the ladders: bytes one after the other in one block that is reserved at the start, and an entry for each
//! piece.
//!
//! Invariants: nothing is allocated after the start; an entry is there exactly as long as its bytes are; entries are
//! numbered from one without gaps.

use cordboard_model::id::CallId;
use cordboard_model::time::Time;
use cordboard_model::trace::TraceLimits;
use cordboard_sip::engine::Flow;
use std::collections::VecDeque;

/// Whose an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// Of the messages with one Call-ID, by its hash.
    Dialog(u64),
    /// Of a call of ours.
    Call(CallId),
}

/// What is beside the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A message.
    Message { flow: Flow, sent: bool },
    /// A note, in JSON.
    Note,
}

/// One piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) at: Time,
    pub(super) owner: Owner,
    /// The number of the owner's entry before this one; zero for the first.
    pub(super) before: u64,
    pub(super) kind: Kind,
    /// Counted over all that was ever written.
    start: u64,
    len: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ring {
    bytes: Box<[u8]>,
    entries: VecDeque<Entry>,
    most: usize,
    /// The number of the first entry.
    first: u64,
    /// Where the next piece begins, counted over all that was ever written.
    end: u64,
}

impl Ring {
    pub(super) fn new(limits: TraceLimits) -> Self {
        let most = limits.steps as usize;
        Self {
            // Zeroed memory is not touched before it is used.
            bytes: vec![0; limits.bytes].into_boxed_slice(),
            entries: VecDeque::with_capacity(if limits.bytes == 0 { 0 } else { most }),
            most,
            first: 1,
            end: 0,
        }
    }

    /// Adds a piece. What had to go for it is told to `gone`, oldest first. None if it is longer than all the room.
    pub(super) fn push(
        &mut self,
        (at, owner, before, kind): (Time, Owner, u64, Kind),
        piece: &[u8],
        mut gone: impl FnMut(u64, Entry),
    ) -> Option<u64> {
        let (room, len) = (self.bytes.len(), piece.len());
        if len > room || self.most == 0 || room == 0 {
            return None;
        }
        let place = self.end % room as u64;
        // A piece is never parted: what does not fit before the end begins at the beginning.
        let start = if place + len as u64 > room as u64 { self.end - place + room as u64 } else { self.end };
        self.end = start + len as u64;
        while let Some(oldest) = self.entries.front()
            && (oldest.start + (room as u64) < self.end || self.entries.len() >= self.most)
        {
            if let Some(oldest) = self.entries.pop_front() {
                self.first += 1;
                gone(self.first - 1, oldest);
            }
        }
        let from = (start % room as u64) as usize;
        self.bytes.get_mut(from..from + len)?.copy_from_slice(piece);
        self.entries.push_back(Entry { at, owner, before, kind, start, len });
        Some(self.last())
    }

    /// The number of the last entry; of the one before the first when there is none.
    pub(super) fn last(&self) -> u64 {
        self.first + self.entries.len() as u64 - 1
    }

    /// An entry, if it is still there.
    pub(super) fn get(&self, number: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Its bytes.
    pub(super) fn bytes(&self, entry: &Entry) -> &[u8] {
        let from = self.place(entry);
        self.bytes.get(from..from + entry.len).unwrap_or_default()
    }

    /// Its bytes, to be written over.
    pub(super) fn bytes_mut(&mut self, number: u64) -> &mut [u8] {
        let Some(entry) = self.get(number).copied() else {
            return &mut [];
        };
        let from = self.place(&entry);
        self.bytes.get_mut(from..from + entry.len).unwrap_or_default()
    }

    fn place(&self, entry: &Entry) -> usize {
        (entry.start % (self.bytes.len() as u64).max(1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(bytes: usize, steps: u32) -> Ring {
        Ring::new(TraceLimits { bytes, steps })
    }

    fn push(ring: &mut Ring, piece: &[u8], gone: &mut Vec<u64>) -> Option<u64> {
        let what = (Time::ZERO, Owner::Dialog(1), 0, Kind::Note);
        ring.push(what, piece, |number, _| gone.push(number))
    }

    #[test]
    fn the_oldest_goes_when_its_bytes_are_needed_and_never_before() {
        let mut ring = ring(10, 100);
        let mut gone = Vec::new();
        assert_eq!(push(&mut ring, b"aaaa", &mut gone), Some(1));
        assert_eq!(push(&mut ring, b"bbbb", &mut gone), Some(2));
        assert_eq!(push(&mut ring, b"cc", &mut gone), Some(3));
        assert!(gone.is_empty());
        assert_eq!(push(&mut ring, b"ddd", &mut gone), Some(4));
        assert_eq!(gone, [1]);
        let text = |ring: &Ring, number| ring.get(number).map(|e| ring.bytes(e).to_vec());
        assert_eq!(text(&ring, 1), None);
        assert_eq!(text(&ring, 2).unwrap(), b"bbbb");
        assert_eq!(text(&ring, 3).unwrap(), b"cc");
        assert_eq!(text(&ring, 4).unwrap(), b"ddd");
    }

    #[test]
    fn pieces_of_any_length_come_back_as_they_were_until_they_are_gone() {
        let mut ring = ring(1_000, 40);
        let mut kept = std::collections::BTreeMap::new();
        for n in 0u64..5_000 {
            let piece = vec![n as u8; (n as usize * 37) % 301];
            let mut gone = Vec::new();
            let number = push(&mut ring, &piece, &mut gone).unwrap();
            kept.insert(number, piece);
            gone.iter().for_each(|number| drop(kept.remove(number).unwrap()));
            assert!(kept.len() <= 40 && kept.values().map(Vec::len).sum::<usize>() <= 1_000);
            for (number, piece) in &kept {
                assert_eq!(ring.bytes(ring.get(*number).unwrap()), piece);
            }
        }
    }

    #[test]
    fn what_is_longer_than_all_the_room_is_not_kept() {
        let mut none = ring(0, 100);
        assert_eq!(push(&mut none, b"a", &mut Vec::new()), None);
        let mut small = ring(4, 100);
        assert_eq!(push(&mut small, b"aaaaa", &mut Vec::new()), None);
        assert_eq!(push(&mut small, b"aaaa", &mut Vec::new()), Some(1));
    }
}
