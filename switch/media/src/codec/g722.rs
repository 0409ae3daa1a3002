//! ITU-T G.722: 7 kHz audio in 64 kbit/s, two sub-bands of adaptive differential PCM.
//!
//! Invariant: bit exact with the recommendation in mode 1 (64 kbit/s, the only one that RTP carries,
//! RFC 3551 4.5.2). Blocks have the names of the recommendation, clause 6.2, whose arithmetic is that of 16-bit words:
//! every sum is limited to them.
//!
//! One code is two samples at 16 kHz. A party that has but 8 kHz is served by the lower band alone, without the filter
//! bank and without a resampler: that band, coded or decoded, is the signal up to 4 kHz at 8 kHz.

mod band;
mod bank;

use band::{HIGH, LOW, Predictor};
use bank::{Analysis, Synthesis};

/// Code bits of the upper band that mean the smallest step: silence there.
const QUIET_HIGH: u8 = 0xc0;
/// What a band's samples are limited to before the filter bank (block LIMIT).
const LIMIT: (i32, i32) = (-16_384, 16_383);

/// A sum as the recommendation's adders make it.
fn limit(sum: i32) -> i32 {
    sum.clamp(-32_768, 32_767)
}

/// The product of two words in Q15.
fn multiply(a: i32, b: i32) -> i32 {
    (a * b) >> 15
}

/// The coder's state.
#[derive(Clone, Debug)]
pub struct Encoder {
    low: Predictor,
    high: Predictor,
    bank: Analysis,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { low: Predictor::new(&LOW), high: Predictor::new(&HIGH), bank: Analysis::default() }
    }
}

impl Encoder {
    /// Codes of samples at 16 kHz; how many were written. An odd last sample, and what has no room, is left out.
    pub fn wide(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        let pairs = pcm.chunks_exact(2);
        let mut written = 0;
        for (pair, code) in pairs.zip(out) {
            let (low, high) = self.bank.split(i32::from(pair[0]), i32::from(pair[1]));
            let lower = band::quantize_low(&mut self.low, low);
            let upper = band::quantize_high(&mut self.high, high);
            *code = upper << 6 | lower;
            written += 1;
        }
        written
    }

    /// Codes of samples at 8 kHz, whose upper band is silent; how many were written.
    pub fn narrow(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        for (sample, code) in pcm.iter().zip(out.iter_mut()) {
            // The filter bank hands on half of what it is given.
            *code = QUIET_HIGH | band::quantize_low(&mut self.low, i32::from(*sample) >> 1);
        }
        pcm.len().min(out.len())
    }
}

/// The decoder's state.
#[derive(Clone, Debug)]
pub struct Decoder {
    low: Predictor,
    high: Predictor,
    bank: Synthesis,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { low: Predictor::new(&LOW), high: Predictor::new(&HIGH), bank: Synthesis::default() }
    }
}

impl Decoder {
    /// Samples at 16 kHz, two for each code; how many were written.
    pub fn wide(&mut self, codes: &[u8], out: &mut [i16]) -> usize {
        let mut written = 0;
        for (code, pair) in codes.iter().zip(out.chunks_exact_mut(2)) {
            let low = band::reconstruct_low(&mut self.low, code & 0x3f);
            let high = band::reconstruct_high(&mut self.high, code >> 6);
            let (first, second) = self.bank.join(low, high);
            pair.copy_from_slice(&[first, second]);
            written += 2;
        }
        written
    }

    /// Samples at 8 kHz, one for each code: the lower band. How many were written.
    pub fn narrow(&mut self, codes: &[u8], out: &mut [i16]) -> usize {
        for (code, sample) in codes.iter().zip(out.iter_mut()) {
            let low = band::reconstruct_low(&mut self.low, code & 0x3f);
            *sample = limit(low * 2) as i16;
        }
        codes.len().min(out.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Goertzel, Sine};

    fn noise(seed: u32, samples: usize) -> Vec<i16> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        };
        (0..samples).map(|_| next()).collect()
    }

    /// FNV-1a, 64 bits.
    fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
        bytes
            .into_iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn silence_costs_the_smallest_steps_and_decodes_to_silence() {
        let mut codes = [0; 400];
        assert_eq!(Encoder::default().wide(&[0; 800], &mut codes), 400);
        let mut pcm = [1; 800];
        assert_eq!(Decoder::default().wide(&codes, &mut pcm), 800);
        assert!(pcm.iter().all(|s| s.abs() <= 3), "{pcm:?}");
    }

    #[test]
    fn a_tone_above_the_telephone_band_comes_through() {
        let mut tone = [0i16; 3_200];
        for (n, sample) in tone.iter_mut().enumerate() {
            let phase = n as f64 * 6_000.0 / 16_000.0 * core::f64::consts::TAU;
            *sample = (phase.sin() * 8_000.0) as i16;
        }
        let (mut codes, mut back) = ([0; 1_600], [0; 3_200]);
        Encoder::default().wide(&tone, &mut codes);
        Decoder::default().wide(&codes, &mut back);
        // The filter counts at 8 kHz: 6 kHz of 16 is 3 kHz of 8.
        let power = Goertzel::power_of(&back[800..], 3_000.0);
        assert!((power / 32_000_000.0 - 1.0).abs() < 0.1, "{power}");
        assert!(Goertzel::share(&back[800..], 3_000.0) > 0.95);
    }

    #[test]
    fn eight_kilohertz_take_the_lower_band_in_both_directions() {
        let mut tone = [0; 1_600];
        Sine::new(1_000, 8_000).fill(&mut tone);
        let mut codes = [0; 1_600];
        assert_eq!(Encoder::default().narrow(&tone, &mut codes), 1_600);
        let (mut narrow, mut wide) = ([0; 1_600], [0; 3_200]);
        assert_eq!(Decoder::default().narrow(&codes, &mut narrow), 1_600);
        assert!(Goertzel::share(&narrow[400..], 1_000.0) > 0.99);
        let power = Goertzel::power_of(&narrow[400..], 1_000.0);
        assert!((power / 32_000_000.0 - 1.0).abs() < 0.05, "{power}");
        Decoder::default().wide(&codes, &mut wide);
        assert!(Goertzel::share(&wide[800..], 500.0) > 0.99, "1 kHz of 16 is 500 Hz of 8");
        // And a wideband speaker is heard by who has 8 kHz.
        Encoder::default().wide(&wide, &mut codes);
        Decoder::default().narrow(&codes, &mut narrow);
        assert!(Goertzel::share(&narrow[400..], 1_000.0) > 0.99);
    }

    #[test]
    fn nothing_overflows_at_full_scale() {
        let mut worst = noise(1, 8_000);
        for (n, sample) in worst.iter_mut().enumerate().take(4_000) {
            *sample = if n / 7 % 2 == 0 { i16::MIN } else { i16::MAX };
        }
        let mut codes = [0; 4_000];
        Encoder::default().wide(&worst, &mut codes);
        let any: Vec<u8> = noise(2, 20_000).into_iter().map(|s| s as u8).collect();
        let mut pcm = [0; 40_000];
        for codes in [&codes[..], &any] {
            Decoder::default().wide(codes, &mut pcm);
            Decoder::default().narrow(codes, &mut pcm);
        }
    }

    /// The arithmetic was held against the ITU's own sequences (tests/scripts/g722.rs, where they are to be had); these
    /// digests, taken from that same arithmetic, watch it everywhere else.
    #[test]
    fn the_arithmetic_is_that_which_matched_the_itu_sequences() {
        let mut input = noise(722, 16_000);
        // Half loud noise, half noise that swells from nothing.
        for (n, sample) in input.iter_mut().enumerate().skip(8_000) {
            *sample = (i32::from(*sample) * (n as i32 - 8_000) / 8_000) as i16;
        }
        let (mut codes, mut pcm) = (vec![0; 8_000], vec![0; 16_000]);
        Encoder::default().wide(&input, &mut codes);
        Decoder::default().wide(&codes, &mut pcm);
        let decoded = digest(pcm.iter().flat_map(|s| s.to_le_bytes()));
        assert_eq!(
            (digest(codes.iter().copied()), decoded),
            (3_219_441_472_048_026_223, 4_578_376_190_826_766_184)
        );
    }
}
