//! The tones the switch makes itself: frequency and cadence (ITU-T E.180; 450 Hz as in China).

use super::Sine;
use cordboard_model::media::Tone;

/// Peak value of every tone: -10 dBm0, where a full-scale sine is +3.14 dBm0 (G.711 table 5).
const PEAK: i16 = 7_218;

/// One period of 1 Hz, so that every whole frequency is a stride through it.
#[derive(Clone, Debug)]
pub(crate) struct ToneTable(Box<[i16]>);

impl ToneTable {
    pub(crate) fn new() -> Self {
        let mut table = vec![0; 8_000];
        Sine::new(1, PEAK).fill(&mut table);
        Self(table.into())
    }

    /// Sample `at` of a tone, counted from its beginning.
    pub(crate) fn sample(&self, tone: Tone, at: u64) -> i16 {
        let (hertz, sounds) = match tone {
            Tone::RingBack => (450, at % 40_000 < 8_000),
            Tone::Busy => (450, at % 5_600 < 2_800),
            Tone::Beep => (1_000, at < 1_600),
            Tone::Hertz(hertz) => (u64::from(hertz.clamp(100, 3_400)), true),
        };
        if !sounds {
            return 0;
        }
        let phase = (at % 8_000) * hertz % 8_000;
        usize::try_from(phase).ok().and_then(|phase| self.0.get(phase).copied()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Goertzel;

    fn piece(tone: Tone, from: u64, samples: u64) -> Vec<i16> {
        let table = ToneTable::new();
        (from..from + samples).map(|at| table.sample(tone, at)).collect()
    }

    #[test]
    fn ring_back_sounds_one_second_of_five() {
        assert!(Goertzel::share(&piece(Tone::RingBack, 0, 8_000), 450.0) > 0.99);
        assert!(piece(Tone::RingBack, 8_000, 32_000).iter().all(|s| *s == 0));
        assert!(Goertzel::share(&piece(Tone::RingBack, 40_000, 8_000), 450.0) > 0.99);
    }

    #[test]
    fn busy_sounds_350_ms_of_700() {
        assert!(Goertzel::share(&piece(Tone::Busy, 0, 2_800), 450.0) > 0.99);
        assert!(piece(Tone::Busy, 2_800, 2_800).iter().all(|s| *s == 0));
        assert!(Goertzel::share(&piece(Tone::Busy, 5_600, 2_800), 450.0) > 0.99);
    }

    #[test]
    fn a_beep_is_200_ms_long_and_a_sine_has_no_end() {
        assert!(Goertzel::share(&piece(Tone::Beep, 0, 1_600), 1_000.0) > 0.99);
        assert!(piece(Tone::Beep, 1_600, 8_000).iter().all(|s| *s == 0));
        assert!(Goertzel::share(&piece(Tone::Hertz(660), 79_900, 8_000), 660.0) > 0.99);
    }
}
