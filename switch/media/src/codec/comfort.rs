//! Comfort noise (RFC 3389): a level that was sent once stands for the silence until the next word.
//!
//! "The RTP payload [...] consists of a single octet of noise level": the rest of the payload describes a spectrum, which
//! "MAY be ignored" here: the noise is white.

/// The payload type, "static payload type 13 for RTP timestamp clock rate of 8,000 Hz" (5).
pub(crate) const PAYLOAD_TYPE: u8 = 13;

/// Noise at a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comfort {
    peak: i32,
    state: u32,
}

impl Comfort {
    /// Noise of a payload's first octet: "0 to 127 representing 0 to -127 dBov".
    pub(crate) fn new(level: u8) -> Self {
        let effective = 32_767.0 * 10f64.powf(-f64::from(level & 0x7f) / 20.0);
        // Of evenly spread values the effective one is the peak by the root of three. Louder than speech is no comfort.
        let peak = (effective * 1.732).min(4_000.0);
        Self { peak: peak as i32, state: 0x2545_f491 }
    }

    /// The next samples.
    pub(crate) fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let spread = (self.state >> 16) as i32 - 0x8000;
            *sample = ((spread * self.peak) >> 15) as i16;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_has_its_level_and_is_never_loud() {
        for (level, expected) in [(50u8, 103.6), (60, 32.8), (0x80 | 60, 32.8)] {
            let mut out = [0; 8_000];
            Comfort::new(level).fill(&mut out);
            let square: f64 = out.iter().map(|s| f64::from(*s) * f64::from(*s)).sum::<f64>() / 8_000.0;
            assert!((square.sqrt() / expected - 1.0).abs() < 0.05, "{level}: {}", square.sqrt());
        }
        let mut out = [0; 8_000];
        Comfort::new(0).fill(&mut out);
        assert!(out.iter().all(|s| s.abs() <= 4_000));
        Comfort::new(127).fill(&mut out);
        assert!(out.iter().all(|s| *s == 0 || *s == -1));
    }
}
