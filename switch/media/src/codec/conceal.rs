//! Concealment of lost audio for codecs that have none of their own: the last period of the voice goes on and fades, in the
//! manner of ITU-T G.711 appendix I.

use super::NARROW;

/// Samples kept at the highest rate, 16 kHz: 30 ms. All other lengths are those at 8 kHz, and twice that at 16.
const KEPT: usize = 480;
/// Periods looked for: voices of 66 to 200 Hz.
const PERIODS: core::ops::Range<usize> = 40..121;
/// Samples that are compared to find the period: each at 8 kHz, every second one at 16.
const COMPARED: usize = 100;
/// Samples until what is invented has faded: 60 ms.
const FADE: i32 = 480;

/// What was heard last, and how far the invention has got.
#[derive(Clone, Debug)]
pub(crate) struct Conceal {
    kept: [i16; KEPT],
    period: usize,
    invented: i32,
    /// Samples for each one at 8 kHz: 1 or 2.
    scale: usize,
}

impl Default for Conceal {
    fn default() -> Self {
        Self::new(NARROW)
    }
}

impl Conceal {
    /// Nothing heard yet, at 8 or 16 kHz.
    pub(crate) fn new(rate: u32) -> Self {
        let scale = if rate > NARROW { 2 } else { 1 };
        Self { kept: [0; KEPT], period: 0, invented: 0, scale }
    }

    /// Forgets what was heard.
    pub(crate) fn reset(&mut self) {
        (self.kept, self.period, self.invented) = ([0; KEPT], 0, 0);
    }

    /// What was decoded and is heard.
    pub(crate) fn hear(&mut self, pcm: &[i16]) {
        self.invented = 0;
        let last = pcm.get(pcm.len().saturating_sub(KEPT)..).unwrap_or_default();
        self.kept.copy_within(last.len().., 0);
        self.kept[KEPT - last.len()..].copy_from_slice(last);
    }

    /// Samples in place of lost ones, after those before.
    pub(crate) fn invent(&mut self, out: &mut [i16]) {
        if self.invented == 0 {
            self.period = self.find_period();
        }
        let fade = FADE * self.scale as i32;
        for sample in out {
            let at = KEPT - self.period + self.invented as usize % self.period.max(1);
            let gain = (fade - self.invented).max(0);
            let last = i32::from(self.kept.get(at).copied().unwrap_or(0));
            *sample = (last * gain / fade) as i16;
            self.invented = self.invented.saturating_add(1);
        }
    }

    /// The shift at which the last samples are most like themselves.
    fn find_period(&self) -> usize {
        let (step, length) = (self.scale, COMPARED * self.scale);
        let recent = &self.kept[KEPT - length..];
        let likeness = |period: usize| {
            let before = &self.kept[KEPT - length - period * step..KEPT - period * step];
            let product = |a: &[i16], b: &[i16]| -> i64 {
                let pairs = a.iter().zip(b).step_by(step);
                pairs.map(|(a, b)| i64::from(*a) * i64::from(*b)).sum()
            };
            // The square of the correlation, with its sign, without a root: compared by share of the energy.
            let (common, energy) = (product(recent, before), product(before, before).max(1));
            common.signum()
                * (i128::from(common) * i128::from(common) / i128::from(energy)).min(1 << 60) as i64
        };
        PERIODS.max_by_key(|period| likeness(*period)).unwrap_or(PERIODS.start) * step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Goertzel, Sine};

    #[test]
    fn a_tone_goes_on_in_its_period_and_fades_within_60_ms() {
        let mut tone = [0; 480];
        Sine::new(160, 10_000).fill(&mut tone);
        let mut conceal = Conceal::default();
        conceal.hear(&tone[..400]);
        let mut invented = [0; 560];
        for piece in invented.chunks_mut(80) {
            conceal.invent(piece);
        }
        assert!(Goertzel::share(&invented[..250], 160.0) > 0.9);
        let leap = (i32::from(invented[0]) - i32::from(tone[399])).abs();
        assert!(leap < 1_400, "it goes on where it was: {leap}");
        assert!(invented[480..].iter().all(|s| *s == 0));
        assert!(
            invented[240..480].iter().map(|s| s.abs()).max() < invented[..160].iter().map(|s| s.abs()).max()
        );
    }

    #[test]
    fn silence_stays_silence() {
        let mut out = [1; 160];
        Conceal::default().invent(&mut out);
        assert_eq!(out, [0; 160]);
    }
}
