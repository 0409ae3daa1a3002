//! Goertzel's filter: how much of one frequency is in a piece of audio. The measure of a call that works.

use core::f64::consts::TAU;

/// Goertzel's filter at 8 kHz for one frequency.
#[derive(Clone, Debug)]
pub struct Goertzel {
    coefficient: f64,
    before: f64,
    before_that: f64,
    fed: u64,
}

impl Goertzel {
    /// A filter for this frequency in hertz.
    pub fn new(hertz: f64) -> Self {
        Self { coefficient: 2.0 * (TAU * hertz / 8_000.0).cos(), before: 0.0, before_that: 0.0, fed: 0 }
    }

    /// Feeds one sample.
    pub fn push(&mut self, sample: i16) {
        let now = f64::from(sample) + self.coefficient * self.before - self.before_that;
        self.before_that = self.before;
        self.before = now;
        self.fed += 1;
    }

    /// Mean square of the component at the frequency, over what was fed: a steady sine of amplitude A
    /// gives A*A/2. Zero when nothing was fed.
    pub fn power(&self) -> f64 {
        if self.fed == 0 {
            return 0.0;
        }
        let square = self.before * self.before + self.before_that * self.before_that
            - self.coefficient * self.before * self.before_that;
        2.0 * square / (self.fed as f64 * self.fed as f64)
    }

    /// Mean square of the component of `samples` at `hertz`.
    pub fn power_of(samples: &[i16], hertz: f64) -> f64 {
        let mut filter = Self::new(hertz);
        for sample in samples {
            filter.push(*sample);
        }
        filter.power()
    }

    /// The share (0 to 1) of the power of `samples` that is at `hertz`; 0 for silence. Give it at
    /// least 400 samples (50 ms) to tell tones 40 Hz apart.
    pub fn share(samples: &[i16], hertz: f64) -> f64 {
        let total: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
        if total == 0.0 {
            return 0.0;
        }
        (Self::power_of(samples, hertz) * samples.len() as f64 / total).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Sine;

    #[test]
    fn it_measures_the_power_of_its_own_tone_and_of_no_other() {
        let mut tone = [0; 800];
        Sine::new(440, 10_000).fill(&mut tone);
        let power = Goertzel::power_of(&tone, 440.0);
        assert!((power - 50_000_000.0).abs() < 100_000.0, "{power}");
        assert!(Goertzel::share(&tone, 440.0) > 0.99);
        assert!(Goertzel::share(&tone, 660.0) < 0.01);
    }

    #[test]
    fn it_tells_two_tones_apart_when_both_sound() {
        let (mut a, mut b) = (Sine::new(440, 6_000), Sine::new(660, 3_000));
        let both: Vec<i16> = (0..1_600).map(|_| a.sample() + b.sample()).collect();
        let (low, high) = (Goertzel::share(&both, 440.0), Goertzel::share(&both, 660.0));
        assert!((low - 0.8).abs() < 0.02 && (high - 0.2).abs() < 0.02, "{low} {high}");
    }

    #[test]
    fn silence_has_no_share_of_anything() {
        assert_eq!(Goertzel::share(&[0; 160], 440.0), 0.0);
        assert_eq!(Goertzel::new(440.0).power(), 0.0);
    }
}
