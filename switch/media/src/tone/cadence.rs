//! The tones the switch makes itself: frequency and cadence (ITU-T E.180 and its supplement 2).

use cordboard_model::media::Tone;
use cordboard_model::tone::{Sound, TonePlan};

/// Peak value of every tone: -10 dBm0, where a full-scale sine is +3.14 dBm0 (G.711 table 5).
const PEAK: i16 = 7_218;

/// Positions within one period: samples of 1 Hz at 16 kHz.
const STEPS: u64 = 16_000;

/// One period of 1 Hz at 16 kHz, so that every whole frequency is a stride through it. At 8 kHz strides are twice as long.
#[derive(Clone, Debug)]
pub(crate) struct ToneTable(Box<[i16]>);

impl ToneTable {
    pub(crate) fn new() -> Self {
        let step = |n| (f64::from(n) / STEPS as f64 * core::f64::consts::TAU).sin();
        Self((0..STEPS as u32).map(|n| (f64::from(PEAK) * step(n)).round() as i16).collect())
    }

    /// Sample `at` of a tone at 8 kHz, counted from its beginning. What no country was said for is China's.
    pub(crate) fn sample(&self, tone: Tone, at: u64) -> i16 {
        self.wide(tone, at * 2)
    }

    /// The same at 16 kHz.
    pub(crate) fn wide(&self, tone: Tone, at: u64) -> i16 {
        match tone {
            Tone::Of(plan, signal) => self.sound(plan.pattern(signal).at(at / 16), at),
            Tone::Beep if at < 3_200 => self.sound(Sound::Pure(1_000), at),
            Tone::Beep => 0,
            Tone::Hertz(hertz) => self.sound(Sound::Pure(hertz.clamp(100, 3_400)), at),
            Tone::RingBack | Tone::Busy | Tone::Congestion | Tone::Dial | Tone::Information => {
                self.wide(tone.of(TonePlan::default()), at)
            }
        }
    }

    /// What a sound is made of adds up to the same peak.
    fn sound(&self, sound: Sound, at: u64) -> i16 {
        match sound {
            Sound::Silence => 0,
            Sound::Pure(hertz) => self.sine(hertz, at),
            Sound::Sum(one, other) => self.sine(one, at) / 2 + self.sine(other, at) / 2,
            // cos(c) * (1 + cos(m)) is the carrier and half of it on either side
            Sound::Modulated(carrier, by) => {
                let sides = [carrier.saturating_sub(by), carrier.saturating_add(by)];
                self.sine(carrier, at) / 2 + sides.map(|hertz| self.sine(hertz, at) / 4).iter().sum::<i16>()
            }
        }
    }

    fn sine(&self, hertz: u16, at: u64) -> i16 {
        let phase = (at % STEPS) * u64::from(hertz) % STEPS;
        usize::try_from(phase).ok().and_then(|phase| self.0.get(phase).copied()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Goertzel;
    use cordboard_model::tone::Signal;

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
    fn at_16_khz_every_second_sample_is_the_one_at_8_and_the_others_lie_between() {
        let table = ToneTable::new();
        for tone in [Tone::Busy, Tone::Beep, Tone::Hertz(3_400)] {
            for at in 0..8_000u64 {
                assert_eq!(table.wide(tone, at * 2), table.sample(tone, at));
            }
        }
        let wide: Vec<i16> = (0..16_000).map(|at| table.wide(Tone::Hertz(2_000), at)).collect();
        assert!(Goertzel::share(&wide, 1_000.0) > 0.999, "2 kHz at 16 is 1 kHz at 8, and nothing else");
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

    /// Each country's plan as one would hear it: every segment of every tone has its frequencies and nothing else, and
    /// lasts as long as it should.
    #[test]
    fn each_countrys_tones_have_its_frequencies_and_its_cadence() {
        let table = ToneTable::new();
        for country in TonePlan::countries() {
            let plan = TonePlan::of_country(country).unwrap();
            for (name, signal) in Signal::NAMES {
                let (tone, mut from) = (Tone::Of(plan, signal), 0);
                // twice through it: the second time is like the first
                let segments = plan.pattern(signal).0;
                for (sound, ms) in segments.iter().chain(segments) {
                    let pcm: Vec<i16> =
                        (from..from + u64::from(*ms) * 8).map(|at| table.sample(tone, at)).collect();
                    from += pcm.len() as u64;
                    let what = format!("{country} {name} {sound:?} {ms}");
                    assert!(pcm.iter().all(|s| s.unsigned_abs() <= PEAK.unsigned_abs()), "{what}");
                    let share = |hertz: u16| Goertzel::share(&pcm, f64::from(hertz));
                    match *sound {
                        Sound::Silence => assert!(pcm.iter().all(|s| *s == 0), "{what}"),
                        Sound::Pure(hertz) => assert!(share(hertz) > 0.98, "{what}: {}", share(hertz)),
                        Sound::Sum(a, b) => {
                            let (a, b) = (share(a), share(b));
                            assert!(a > 0.45 && b > 0.45, "{what}: {a} {b}");
                        }
                        Sound::Modulated(c, m) => {
                            let parts = [share(c - m), share(c), share(c + m)];
                            let whole: f64 = parts.iter().sum();
                            assert!((0.96..1.05).contains(&whole) && parts[1] > 0.6, "{what}: {parts:?}");
                            assert!(parts[0] > 0.1 && parts[2] > 0.1, "{what}: {parts:?}");
                        }
                    }
                }
            }
        }
    }

    /// The rows that most callers hear, against the figures of the supplement written down once more.
    #[test]
    fn ring_back_of_five_countries_sounds_when_the_supplement_says() {
        let runs = |country: &str, ms: u64| {
            let tone = Tone::Of(TonePlan::of_country(country).unwrap(), Signal::RingBack);
            let table = ToneTable::new();
            // a sine crosses zero: a millisecond is silent if nothing of it sounds
            let sounds = |ms: u64| (ms * 8..ms * 8 + 8).any(|at| table.sample(tone, at) != 0);
            let mut runs: Vec<(bool, u64)> = Vec::new();
            for ms in 0..ms {
                match runs.last_mut() {
                    Some((on, length)) if *on == sounds(ms) => *length += 1,
                    _ => runs.push((sounds(ms), 1)),
                }
            }
            runs
        };
        assert_eq!(runs("CN", 5_000), [(true, 1_000), (false, 4_000)]);
        assert_eq!(runs("US", 6_000), [(true, 2_000), (false, 4_000)]);
        assert_eq!(runs("GB", 3_000), [(true, 400), (false, 200), (true, 400), (false, 2_000)]);
        assert_eq!(runs("FR", 5_000), [(true, 1_500), (false, 3_500)]);
        assert_eq!(runs("RU", 4_000), [(true, 800), (false, 3_200)]);
    }
}
