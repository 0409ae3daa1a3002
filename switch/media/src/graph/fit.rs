//! What a party says on its way to a recording of another rate.
//!
//! Invariant: a sample stands at its own moment: what the low-pass holds back is made good, and what it still holds when there
//! is a gap is written before the gap, not behind it.

use crate::codec::resample::Resampler;

/// Samples that are brought to the other rate at once.
const PIECE: usize = 160;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    resampler: Resampler,
    rates: (u32, u32),
    /// The frame that follows what came last.
    next: Option<i64>,
}

impl Fit {
    /// From one rate to the other; `None` if they are the same. Allocates.
    pub(crate) fn new(from: u32, to: u32) -> Option<Self> {
        Resampler::new(from, to).map(|resampler| Self { resampler, rates: (from, to), next: None })
    }

    /// From which rate to which.
    pub(crate) fn rates(&self) -> (u32, u32) {
        self.rates
    }

    /// How many frames so many samples make.
    pub(crate) fn frames(&self, samples: usize) -> i64 {
        self.resampler.makes(samples) as i64
    }

    /// Takes samples that begin at the frame `first`; what they make is put, with the frame at which it begins.
    pub(crate) fn run(&mut self, first: i64, pcm: &[i16], mut put: impl FnMut(i64, &[i16])) {
        let delay = self.resampler.delay();
        let mut out = [0; 2 * PIECE];
        let mut rings = 0;
        if self.next != Some(first) {
            if let Some(next) = self.next {
                let rest = [0; PIECE];
                let rest = rest.get(..self.resampler.needs(delay)).unwrap_or_default();
                let made = self.resampler.run(rest, &mut out);
                put(next - delay as i64, out.get(..made).unwrap_or_default());
            }
            self.resampler.reset();
            rings = delay;
        }
        let mut at = first - delay as i64;
        for piece in pcm.chunks(PIECE) {
            let made = self.resampler.run(piece, &mut out);
            // what comes before the first sample is not its time yet
            let early = rings.min(made);
            put(at + early as i64, out.get(early..made).unwrap_or_default());
            rings -= early;
            at += made as i64;
        }
        self.next = Some(first + self.frames(pcm.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clicks in packets of 20 ms at these frames of 8 kHz, each packet at its own place: where they are loudest at 16 kHz.
    fn clicks(packets: &[(i64, usize)]) -> Vec<usize> {
        let mut fit = Fit::new(8_000, 16_000).unwrap();
        let mut tape = vec![0i16; 16_000];
        for (first, click) in packets {
            let mut pcm = [0; 160];
            pcm[*click] = 20_000;
            fit.run(*first, &pcm, |at, piece| tape[at as usize..][..piece.len()].copy_from_slice(piece));
        }
        let loud = |n: &usize| tape[*n] > 9_000 && tape[*n] >= tape[*n - 1] && tape[*n] > tape[*n + 1];
        (1..tape.len() - 1).filter(loud).collect()
    }

    #[test]
    fn a_sample_stands_at_its_moment_beside_a_gap_too() {
        // two that follow each other, one after a gap, one before its time
        let packets = [(1_600, 80), (1_920, 158), (3_200, 2), (4_800, 159), (4_480, 80), (6_400, 80)];
        let mut wanted: Vec<usize> =
            packets.iter().map(|(first, click)| *first as usize + click * 2).collect();
        wanted.sort_unstable();
        let found = clicks(&packets);
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.abs_diff(wanted) <= 1, "{found}, not {wanted}");
        }
    }
}
