//! The replay lists of a direction, one for each SSRC (RFC 3711 3.2.3: a context belongs to an SSRC).
//!
//! Invariant: only authenticated packets make or move an entry, so that a stranger can fill nothing.

use super::window::{self, Window};

/// SSRC kept at a time. A peer has one, and a new one when it restarts its stream; the one not heard for the longest gives
/// way. Its packets could be replayed after five others came from the peer itself.
const STREAMS: usize = 6;

#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    /// `None`: known from under an earlier key, of which only the rollover count is left.
    window: Option<Window>,
    roc: u64,
    /// When it was noted last, counted in notes.
    used: u64,
}

/// All of a direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Streams {
    slots: [Option<Stream>; STREAMS],
    notes: u64,
}

impl Streams {
    fn find(&self, ssrc: u32) -> Option<&Stream> {
        self.slots.iter().flatten().find(|stream| stream.ssrc == ssrc)
    }

    /// The same sources under another key.
    pub(super) fn remembered(&self) -> Self {
        let slots = self.slots.map(|slot| {
            let mut stream = slot?;
            stream.roc = stream.window.map_or(stream.roc, |window| window.newest() >> 16);
            stream.window = None;
            Some(stream)
        });
        Self { slots, notes: self.notes }
    }

    /// The indexes that a packet of this number may have, the likeliest first. None: before the beginning, or after the
    /// end.
    pub(super) fn candidates(&self, ssrc: u32, sequence: u16) -> [Option<u64>; 2] {
        match self.find(ssrc) {
            Some(Stream { window: Some(window), .. }) => [window::guess(window.newest(), sequence), None],
            // A known source under a new key: most begin their count again, some go on.
            Some(Stream { roc, .. }) if *roc > 0 => {
                [Some(u64::from(sequence)), Some(roc << 16 | u64::from(sequence))]
            }
            _ => [Some(u64::from(sequence)), None],
        }
    }

    /// Whether a packet with this index was here, or is too old to tell.
    pub(super) fn is_stale(&self, ssrc: u32, index: u64) -> bool {
        self.find(ssrc).and_then(|stream| stream.window).is_some_and(|window| window.is_stale(index))
    }

    /// The newest index.
    pub(super) fn newest(&self, ssrc: u32) -> Option<u64> {
        self.find(ssrc)?.window.map(|window| window.newest())
    }

    /// Notes an authenticated packet.
    pub(super) fn note(&mut self, ssrc: u32, index: u64) {
        self.notes += 1;
        let used = self.notes;
        let oldest = |slot: &Option<Stream>| {
            slot.map_or((1, 0), |s| if s.ssrc == ssrc { (0, 0) } else { (2, s.used) })
        };
        let Some(slot) = self.slots.iter_mut().min_by_key(|slot| oldest(slot)) else {
            return;
        };
        match slot {
            Some(Stream { ssrc: known, window: Some(window), used: last, .. }) if *known == ssrc => {
                window.note(index);
                *last = used;
            }
            _ => *slot = Some(Stream { ssrc, window: Some(Window::begin(index)), roc: 0, used }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_not_heard_for_the_longest_gives_way() {
        let mut streams = Streams::default();
        for ssrc in 0..STREAMS as u32 {
            streams.note(ssrc, 5);
        }
        streams.note(0, 6);
        streams.note(99, 7);
        assert!(streams.is_stale(0, 5) && streams.is_stale(99, 7));
        assert!(!streams.is_stale(1, 5), "forgotten");
        assert!(streams.is_stale(2, 5));
    }

    #[test]
    fn under_a_new_key_a_count_begins_again_or_goes_on() {
        let mut streams = Streams::default();
        streams.note(7, 3 << 16 | 9);
        assert_eq!(streams.candidates(7, 10), [Some(3 << 16 | 10), None]);
        let mut after = streams.remembered();
        assert_eq!(after.candidates(7, 10), [Some(10), Some(3 << 16 | 10)]);
        assert!(!after.is_stale(7, 10));
        after.note(7, 3 << 16 | 10);
        assert_eq!(after.candidates(7, 11), [Some(3 << 16 | 11), None]);
    }
}
