//! How late audio is where no packet carries the time it was sent: words that are heard to begin, and music that keeps its pace.

/// Packets of a word and the murmur behind it, as `voices` of the benches writes them.
const PERIOD: usize = 50;
/// Of them, those that may be loud: of the word, and of its echo in a codec.
const WORD: usize = 12;
/// Packets without a loud sample before one is the beginning of a word.
const QUIET: u32 = 10;
/// What comes later than this after a word was not that word.
const LATEST: u64 = 800_000_000;
/// Nanoseconds of a sample of 8 kHz.
const SAMPLE: u64 = 125_000;

/// Who says which of a file's packets, so that one party at a time says a word.
pub(super) fn turn(at: usize, party: usize, parties: usize) -> usize {
    let turn = at % (PERIOD * parties);
    let packet = turn % PERIOD;
    match turn / PERIOD == party {
        true => packet,
        false => WORD + packet % (PERIOD - WORD),
    }
}

/// Listens to A-law for words.
#[derive(Debug, Default)]
pub(super) struct Ear {
    quiet: u32,
}

impl Ear {
    /// How long ago a word was said that begins in this packet, which came at `came`; the last was said at `said`, both in
    /// nanoseconds.
    pub(super) fn hears(&mut self, payload: &[u8], came: u64, said: u64) -> Option<u32> {
        // A-law (G.711): every other bit is inverted, the highest is the sign; the fifth segment and louder.
        let Some(at) = payload.iter().position(|octet| (octet ^ 0x55) & 0x7f >= 0x40) else {
            self.quiet += 1;
            return None;
        };
        let begins = core::mem::take(&mut self.quiet) >= QUIET;
        let late = (came + at as u64 * SAMPLE).checked_sub(said)?;
        (begins && late < LATEST).then_some(late as u32)
    }
}

/// The pace of a stream that nobody's packets drive.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the packet of timestamp nought would have come at the earliest.
    earliest: Option<i64>,
}

impl Pace {
    /// How much later than the promptest packet of its stream this one came, nanoseconds.
    pub(super) fn late(&mut self, timestamp: u32, came: u64) -> Option<u32> {
        let due = i64::try_from(came).ok()? - i64::from(timestamp) * SAMPLE as i64;
        let earliest = self.earliest.map_or(due, |earliest| earliest.min(due));
        self.earliest = Some(earliest);
        u32::try_from(due - earliest).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: u8 = 0x7f ^ 0x55;
    const SOFT: u8 = 0x55;

    #[test]
    fn one_party_at_a_time_says_a_word() {
        for at in 0..300 {
            let words = (0..3).filter(|party| turn(at, *party, 3) < WORD).count();
            assert_eq!(words, usize::from(at % PERIOD < WORD), "{at}");
        }
    }

    #[test]
    fn a_word_is_late_by_its_packet_and_its_place_there() {
        let mut ear = Ear::default();
        for _ in 0..QUIET {
            assert_eq!(ear.hears(&[SOFT; 160], 0, 0), None);
        }
        let mut begins = [SOFT; 160];
        begins[80..].fill(LOUD);
        assert_eq!(ear.hears(&begins, 50_000_000, 20_000_000), Some(40_000_000));
        assert_eq!(ear.hears(&[LOUD; 160], 70_000_000, 20_000_000), None, "it has begun");
    }

    #[test]
    fn the_promptest_packet_of_a_stream_is_on_time() {
        let mut pace = Pace::default();
        assert_eq!(pace.late(160, 1_020_000_000), Some(0));
        assert_eq!(pace.late(320, 1_043_000_000), Some(3_000_000));
        assert_eq!(pace.late(480, 1_059_000_000), Some(0));
        assert_eq!(pace.late(640, 1_080_000_000), Some(1_000_000));
    }
}
