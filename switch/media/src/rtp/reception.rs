//! What arrives: sequence numbers without a wrap, loss, jitter (RFC 3550 6.4.1, A.1, A.3, A.8).
//!
//! Invariant: sequence numbers are extended to u64 before anything compares them. An epoch is a run of
//! one synchronisation source without a restart; numbers of two epochs are never compared.

use super::{Clock, ahead};
use cordboard_model::time::{Duration, Time};

/// RFC 3550 A.1: a larger step forward is a restart.
const MAX_DROPOUT: u16 = 3_000;
/// RFC 3550 A.1: a packet this far behind is late; farther behind is a restart.
const MAX_MISORDER: u16 = 100;
/// Packets of a source that was just replaced are late, not a change back.
const OLD_SOURCE: Duration = Duration::from_millis(500);
/// A step of transit time beyond this is a new time base at the sender, not jitter.
const TRANSIT_STEP_MAX: Duration = Duration::from_secs(1);
/// The first number of an epoch lies here, so that late ones before it do not go below zero.
const FIRST: u64 = 1 << 32;

/// A packet's place among those received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Which run of numbers.
    pub epoch: u32,
    /// The extended sequence number.
    pub extended: u64,
}

/// Reception of one leg.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reception {
    clock: Clock,
    epoch: u32,
    ssrc: Option<u32>,
    replaced: Option<(u32, Time)>,
    base: u64,
    highest: u64,
    /// Bit n: `highest - n` has been received.
    window: u64,
    /// The number that would confirm a restart (RFC 3550 A.1, `bad_seq`).
    restart_at: Option<u16>,
    /// Packets of this epoch, duplicates not counted.
    unique: u64,
    /// Lost in earlier epochs.
    lost_before: u64,
    received: u64,
    transit: Option<u32>,
    /// Sixteen times the jitter, in samples; the highest it was.
    jitter_16: u32,
    jitter_peak_16: u32,
    /// Steps of the numbers over packets that had not come.
    gaps: u32,
    /// Packets that came behind later ones.
    late: u32,
    /// At the last report: expected and received in this epoch.
    reported: (u64, u64),
}

impl Reception {
    /// Takes a packet of the right source. `None`: it belongs to no run (a late one of a replaced
    /// source, or the first after a wild jump).
    pub(crate) fn take(&mut self, ssrc: u32, sequence: u16, now: Time) -> Option<Arrival> {
        if self.ssrc != Some(ssrc) {
            if let Some((old, at)) = self.replaced
                && old == ssrc
                && now.since(at) < OLD_SOURCE
            {
                return None;
            }
            self.replaced = self.ssrc.map(|old| (old, now));
            self.begin(ssrc, sequence);
            return Some(self.count(FIRST + u64::from(sequence)));
        }
        let step = sequence.wrapping_sub(self.highest as u16);
        if step < MAX_DROPOUT {
            self.restart_at = None;
            return Some(self.count(self.highest + u64::from(step)));
        }
        let behind = step.wrapping_neg();
        if behind <= MAX_MISORDER {
            return Some(self.count(self.highest - u64::from(behind)));
        }
        if self.restart_at == Some(sequence) {
            self.begin(ssrc, sequence);
            return Some(self.count(FIRST + u64::from(sequence)));
        }
        self.restart_at = Some(sequence.wrapping_add(1));
        None
    }

    /// The source's timestamps count this clock from now on.
    pub(crate) fn set_clock(&mut self, clock: Clock) {
        if clock == self.clock {
            return;
        }
        let turned =
            |ticks: u32| (u64::from(ticks) * u64::from(clock.hertz()) / u64::from(self.clock.hertz())) as u32;
        (self.jitter_16, self.jitter_peak_16) = (turned(self.jitter_16), turned(self.jitter_peak_16));
        self.transit = None;
        self.clock = clock;
    }

    /// The peer has moved: what comes next is not measured against what came before.
    pub(crate) fn forget(&mut self) {
        self.lost_before = self.lost();
        self.ssrc = None;
        self.replaced = None;
    }

    fn begin(&mut self, ssrc: u32, sequence: u16) {
        self.lost_before = self.lost();
        self.epoch = self.epoch.wrapping_add(1);
        self.ssrc = Some(ssrc);
        self.base = FIRST + u64::from(sequence);
        self.highest = self.base;
        self.window = 0;
        self.restart_at = None;
        self.unique = 0;
        self.transit = None;
        self.reported = (0, 0);
    }

    fn count(&mut self, extended: u64) -> Arrival {
        self.received += 1;
        self.base = self.base.min(extended);
        let duplicate = if extended > self.highest {
            let step = u32::try_from(extended - self.highest).unwrap_or(u32::MAX);
            self.gaps += u32::from(step > 1);
            self.window = self.window.checked_shl(step).unwrap_or(0) | 1;
            self.highest = extended;
            false
        } else {
            let bit = u32::try_from(self.highest - extended).unwrap_or(u32::MAX);
            let mask = 1u64.checked_shl(bit).unwrap_or(0);
            let seen = self.window & mask != 0;
            self.window |= mask;
            self.late += u32::from(!seen && bit > 0);
            seen
        };
        self.unique += u64::from(!duplicate);
        Arrival { epoch: self.epoch, extended }
    }

    /// Takes the timing of an audio packet into the jitter. Event packets repeat their timestamp and
    /// say nothing about it.
    pub(crate) fn time(&mut self, timestamp: u32, now: Time) {
        let transit = self.clock.at(now).wrapping_sub(timestamp);
        if let Some(last) = self.transit {
            let step = ahead(transit, last).saturating_abs();
            if u64::from(step.unsigned_abs()) <= self.clock.ticks_in(TRANSIT_STEP_MAX) {
                // J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16, in integers as in A.8.
                let decay = (self.jitter_16 + 8) >> 4;
                self.jitter_16 = self.jitter_16 + step.unsigned_abs() - decay;
                self.jitter_peak_16 = self.jitter_peak_16.max(self.jitter_16);
            }
        }
        self.transit = Some(transit);
    }

    fn expected(&self) -> u64 {
        match self.ssrc {
            Some(_) => self.highest - self.base + 1,
            None => 0,
        }
    }

    /// Packets that never came, over all epochs.
    pub(crate) fn lost(&self) -> u64 {
        self.lost_before + self.expected().saturating_sub(self.unique)
    }

    /// Packets taken.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Interarrival jitter in microseconds.
    pub(crate) fn jitter_us(&self) -> u32 {
        self.clock.us_in(u64::from(self.jitter_16)) / 16
    }

    /// The highest it was.
    pub(crate) fn jitter_peak_us(&self) -> u32 {
        self.clock.us_in(u64::from(self.jitter_peak_16)) / 16
    }

    /// The highest is looked for from now on.
    pub(crate) fn peak_anew(&mut self) {
        self.jitter_peak_16 = self.jitter_16;
    }

    /// Gaps in the numbers, and packets that came late, over all epochs. A gap that late packets filled counts too.
    pub(crate) fn gaps_and_late(&self) -> (u64, u64) {
        (u64::from(self.gaps).min(self.lost()), u64::from(self.late))
    }

    /// The source heard now.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// The report block about this source (RFC 3550 6.4.1), without the times of the last SR.
    pub(crate) fn report(&mut self) -> Option<ReportBlock> {
        let ssrc = self.ssrc?;
        let (expected, unique) = (self.expected(), self.unique);
        let since_expected = expected.saturating_sub(self.reported.0);
        let since_lost = since_expected.saturating_sub(unique.saturating_sub(self.reported.1));
        self.reported = (expected, unique);
        Some(ReportBlock {
            ssrc,
            fraction_lost: (since_lost * 256).checked_div(since_expected).unwrap_or(0).min(255) as u8,
            lost: expected.saturating_sub(unique).min(0x7f_ffff) as u32,
            highest: (self.highest - FIRST) as u32,
            jitter: self.jitter_16 >> 4,
        })
    }
}

/// What a report says of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReportBlock {
    pub ssrc: u32,
    /// In 1/256, since the last report.
    pub fraction_lost: u8,
    pub lost: u32,
    pub highest: u32,
    /// In samples.
    pub jitter: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    fn take(r: &mut Reception, sequence: u16) -> Option<u64> {
        r.take(1, sequence, at(0)).map(|a| a.extended - FIRST)
    }

    #[test]
    fn numbers_go_on_over_the_wrap_and_late_ones_keep_their_place() {
        let mut r = Reception::default();
        assert_eq!(take(&mut r, 65_534), Some(65_534));
        assert_eq!(take(&mut r, 1), Some(65_537));
        assert_eq!(take(&mut r, 65_535), Some(65_535));
        assert_eq!(take(&mut r, 0), Some(65_536));
        assert_eq!((r.lost(), r.received()), (0, 4));
    }

    #[test]
    fn loss_counts_neither_late_packets_nor_duplicates() {
        let mut r = Reception::default();
        for sequence in [10, 11, 15, 14, 14, 14, 16] {
            take(&mut r, sequence);
        }
        assert_eq!(r.lost(), 2, "12 and 13");
        assert_eq!(r.received(), 7);
        take(&mut r, 9);
        assert_eq!(r.lost(), 2, "the first one was late");
    }

    #[test]
    fn a_peer_that_moved_begins_anew_and_its_losses_stay_counted() {
        let mut r = Reception::default();
        take(&mut r, 100);
        take(&mut r, 103);
        r.forget();
        assert_eq!(r.lost(), 2);
        assert_eq!(r.take(1, 900, at(0)).map(|a| a.epoch), Some(2));
        take(&mut r, 902);
        assert_eq!((r.lost(), r.received()), (3, 4));
    }

    #[test]
    fn a_wild_jump_needs_a_second_packet() {
        let mut r = Reception::default();
        take(&mut r, 100);
        assert_eq!(take(&mut r, 30_000), None);
        assert_eq!(take(&mut r, 101), Some(101), "it was a stray one");
        assert_eq!(take(&mut r, 30_000), None);
        let first = r.take(1, 30_001, at(0)).unwrap();
        assert_eq!((first.epoch, first.extended - FIRST), (2, 30_001));
        assert_eq!(r.lost(), 0);
    }

    #[test]
    fn a_new_source_is_taken_at_once_and_the_old_one_is_stale_for_a_while() {
        let mut r = Reception::default();
        r.take(1, 100, at(0));
        assert_eq!(r.take(2, 7, at(20)).map(|a| a.epoch), Some(2));
        assert_eq!(r.take(1, 101, at(25)), None);
        assert_eq!(r.take(2, 8, at(40)).map(|a| a.epoch), Some(2));
        assert_eq!(r.take(1, 200, at(600)).map(|a| a.epoch), Some(3));
    }

    #[test]
    fn jitter_follows_the_example_of_alternating_delay() {
        let mut r = Reception::default();
        for n in 0..2_000u32 {
            let late = if n % 2 == 0 { 0 } else { 10 };
            r.time(n * 160, at(u64::from(n) * 20 + late));
        }
        // |D| is 10 ms each time, so J converges on 10 ms.
        assert!((9_500..=10_500).contains(&r.jitter_us()), "{}", r.jitter_us());
        r.time(5, at(60_000));
        assert!(r.jitter_us() < 10_600, "a new time base is not jitter");
    }

    #[test]
    fn a_report_tells_the_loss_since_the_last_one() {
        let mut r = Reception::default();
        for sequence in 0..100 {
            if sequence % 4 != 1 {
                take(&mut r, sequence);
            }
        }
        let first = r.report().unwrap();
        assert_eq!((first.fraction_lost, first.lost, first.highest), (64, 25, 99));
        for sequence in 100..200 {
            take(&mut r, sequence);
        }
        let second = r.report().unwrap();
        assert_eq!((second.fraction_lost, second.lost), (0, 25));
    }
}
