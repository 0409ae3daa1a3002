//! A sine at 8 kHz that never drifts: the phase is an integer.

/// Samples a second.
const RATE: u32 = 8_000;

/// A sine at 8 kHz; the phase is kept between calls.
#[derive(Clone, Copy, Debug)]
pub struct Sine {
    hertz: u32,
    amplitude: f64,
    /// The phase in 1/8,000 of a turn.
    phase: u32,
}

impl Sine {
    /// A sine of `hertz` (0 to 4,000) with this peak value.
    pub fn new(hertz: u16, amplitude: i16) -> Self {
        Self { hertz: u32::from(hertz) % RATE, amplitude: f64::from(amplitude), phase: 0 }
    }

    /// The next sample.
    pub fn sample(&mut self) -> i16 {
        let turn = f64::from(self.phase) / f64::from(RATE);
        self.phase = (self.phase + self.hertz) % RATE;
        (self.amplitude * (turn * core::f64::consts::TAU).sin()).round() as i16
    }

    /// Fills `out` with the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.sample();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_hertz_repeats_every_eight_samples() {
        let mut sine = Sine::new(1_000, 10_000);
        let mut out = [0; 16];
        sine.fill(&mut out);
        assert_eq!(out[..8], [0, 7_071, 10_000, 7_071, 0, -7_071, -10_000, -7_071]);
        assert_eq!(out[..8], out[8..]);
    }
}
