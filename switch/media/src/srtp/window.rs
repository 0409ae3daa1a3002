//! Where a packet stands in its stream: the rollover counter (RFC 3711 3.3.1) and the replay list (3.3.2).
//!
//! Invariant: an index is guessed before a packet is authenticated and noted only after; and the 48 bits of an index
//! never wrap.

/// Packets behind the newest that are told from replays. "At a minimum, the window size SHALL be 64": 128, so that a burst
/// of a hundred packets may be delayed.
const WINDOW: u64 = 128;
/// The highest index: "when 2^48 SRTP packets ... have been secured with the same key ..., the key management MUST be
/// called to provide new master key(s) ..., or the session MUST be terminated" (9.2). At 100 packets a second that takes
/// 89,000 years.
const INDEX_MAX: u64 = (1 << 48) - 1;

/// The index a packet would have: 2^16 times the rollover counter, plus its number. `newest` is the highest index
/// of the stream so far. `None`: it would lie before the stream's beginning, or beyond the life of a key.
pub(super) fn guess(newest: u64, sequence: u16) -> Option<u64> {
    let (roc, last) = (newest >> 16, newest as u16);
    // RFC 3711, Appendix A.
    let roc = if last < 0x8000 {
        if i32::from(sequence) - i32::from(last) > 0x8000 { roc.checked_sub(1)? } else { roc }
    } else if last - 0x8000 > sequence {
        roc + 1
    } else {
        roc
    };
    Some(roc << 16 | u64::from(sequence)).filter(|index| *index <= INDEX_MAX)
}

/// What is known of the indexes of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    newest: u64,
    /// Bit n: `newest - n` was there.
    seen: u128,
}

impl Window {
    /// A stream that begins with this packet.
    pub(super) const fn begin(index: u64) -> Self {
        Self { newest: index, seen: 1 }
    }

    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether an index was there, or is too old for us to know.
    pub(super) const fn is_stale(&self, index: u64) -> bool {
        if index > self.newest {
            return false;
        }
        let behind = self.newest - index;
        behind >= WINDOW || self.seen & (1 << behind) != 0
    }

    /// Notes a packet that was shown to be right.
    pub(super) fn note(&mut self, index: u64) {
        if index > self.newest {
            let step = index - self.newest;
            self.seen = if step >= WINDOW { 0 } else { self.seen << step } | 1;
            self.newest = index;
        } else if self.newest - index < WINDOW {
            self.seen |= 1 << (self.newest - index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_guessed_over_every_wrap_and_back() {
        let at = |roc: u64, sequence: u64| roc << 16 | sequence;
        for (newest, sequence, expected) in [
            (at(0, 10), 11, Some(at(0, 11))),
            (at(0, 10), 0x800a, Some(at(0, 0x800a))),
            (at(0, 10), 0x800b, None),
            (at(1, 10), 0x800b, Some(at(0, 0x800b))),
            (at(1, 0), 0xffff, Some(at(0, 0xffff))),
            (at(0, 0xffff), 0, Some(at(1, 0))),
            (at(0, 0x9000), 0x0fff, Some(at(1, 0x0fff))),
            (at(0, 0x9000), 0x1000, Some(at(0, 0x1000))),
            (at(7, 0xfff0), 0x20, Some(at(8, 0x20))),
            (at(0xffff_ffff, 0xffff), 0, None),
        ] {
            assert_eq!(guess(newest, sequence), expected, "{newest:x} {sequence:x}");
        }
    }

    #[test]
    fn a_packet_is_new_once_and_one_too_old_never() {
        let mut window = Window::begin(1_000);
        assert!(window.is_stale(1_000) && !window.is_stale(1_001) && !window.is_stale(999));
        window.note(1_003);
        for (index, stale) in
            [(1_000, true), (1_001, false), (1_002, false), (1_003, true), (876, false), (875, true)]
        {
            assert_eq!(window.is_stale(index), stale, "{index}");
        }
        window.note(1_001);
        assert!(window.is_stale(1_001) && !window.is_stale(1_002));
        window.note(1_003 + WINDOW);
        assert!(!window.is_stale(1_004) && window.is_stale(1_003), "one fits, the next is too old");
        window.note(1 << 40);
        assert!(window.is_stale(1_004) && !window.is_stale((1 << 40) - 1));
    }
}
