//! A prompt or a piece of music, decoded once and encoded once, away from the media thread.

use crate::codec::g711::{self, Law, ULAW_TO_PCM};
use crate::codec::resample::between;
use crate::codec::{NARROW, WIDE};
use crate::wav::{self, WavError, resample};
use cordboard_model::time::Duration;
use core::fmt;

/// What lies above the telephone band is kept if it is more than this part of the whole, 40 dB below it: speech has some 25
/// dB more there, and a recording of a telephone line that was stored at 44.1 kHz has nothing.
const HIGH_PART: f64 = 1e-4;

/// Immutable audio with both G.711 encodings computed beforehand, and samples for codecs that have a memory: at 16 kHz if there
/// is anything to hear above the telephone band, at 8 kHz if not.
/// Takes 32 KB a second, 48 KB with the higher band.
#[derive(Clone, PartialEq, Eq)]
pub struct Audio {
    pcm: Box<[i16]>,
    /// Samples a second: 8,000 or 16,000.
    rate: u32,
    alaw: Box<[u8]>,
    ulaw: Box<[u8]>,
}

impl Audio {
    /// From samples at 8 kHz.
    pub fn from_pcm(pcm: &[i16]) -> Self {
        Self::made(pcm.into(), NARROW, pcm)
    }

    /// From samples at any rate from 8 to 48 kHz.
    ///
    /// # Errors
    /// The rate is another.
    pub fn from_samples(pcm: Vec<i16>, rate: u32) -> Result<Self, WavError> {
        if !(NARROW..=48_000).contains(&rate) {
            return Err(WavError::Rate(rate));
        }
        if rate == NARROW {
            return Ok(Self::from_pcm(&pcm));
        }
        let mut wide = resample(pcm, rate, WIDE);
        let narrow = resample(wide.clone(), WIDE, NARROW);
        if !is_wide(&wide, &narrow) {
            return Ok(Self::from_pcm(&narrow));
        }
        wide.truncate(narrow.len() * 2);
        Ok(Self::made(wide.into(), WIDE, &narrow))
    }

    fn made(pcm: Box<[i16]>, rate: u32, narrow: &[i16]) -> Self {
        let encoded = |law| narrow.iter().map(|s| g711::encode(law, *s)).collect();
        Self { pcm, rate, alaw: encoded(Law::A), ulaw: encoded(Law::Mu) }
    }

    /// From a WAV file: PCM16, 8-bit, A-law or mu-law; mono, or stereo, which is mixed down; any rate
    /// from 8 to 48 kHz.
    ///
    /// # Errors
    /// It is no WAV file that can be played.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, WavError> {
        let (pcm, rate) = wav::read(bytes)?;
        Self::from_samples(pcm, rate)
    }

    /// The samples, at [`Audio::rate`].
    pub fn pcm(&self) -> &[i16] {
        &self.pcm
    }

    /// Samples a second of [`Audio::pcm`]: 16,000 if there is anything above the telephone band, 8,000 if not.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Whether there is more than the telephone band.
    pub(crate) fn is_wide(&self) -> bool {
        self.rate > NARROW
    }

    /// How many samples it has at 8 kHz.
    pub(crate) fn narrow_len(&self) -> usize {
        self.alaw.len()
    }

    /// The same as codes of G.711. Other codecs have a memory and are encoded as they are played.
    pub fn encoded(&self, law: Law) -> &[u8] {
        match law {
            Law::A => &self.alaw,
            Law::Mu => &self.ulaw,
        }
    }

    /// Writes samples at 8 kHz, from the sample `from` on, as far as it goes.
    pub(crate) fn write_narrow(&self, from: usize, out: &mut [i16]) {
        if !self.is_wide() {
            let pcm = self.pcm.get(from..).unwrap_or_default();
            out.iter_mut().zip(pcm).for_each(|(to, sample)| *to = *sample);
            return;
        }
        // A codec that carries more plays this only when it was just exchanged: what its codes say is good enough.
        let codes = self.ulaw.get(from..).unwrap_or_default();
        out.iter_mut().zip(codes).for_each(|(to, code)| *to = ULAW_TO_PCM[usize::from(*code)]);
    }

    /// Writes samples at 16 kHz, from that of the sample `from` at 8 kHz on, as far as it goes.
    pub(crate) fn write_wide(&self, from: usize, out: &mut [i16]) {
        if self.is_wide() {
            let pcm = self.pcm.get(from * 2..).unwrap_or_default();
            out.iter_mut().zip(pcm).for_each(|(to, sample)| *to = *sample);
            return;
        }
        for (n, pair) in out.chunks_exact_mut(2).enumerate() {
            let sample = self.pcm.get(from + n).copied().unwrap_or(0);
            pair.copy_from_slice(&[sample, between(&self.pcm, from + n)]);
        }
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.alaw.len() as u64 * 125)
    }

    /// Bytes of memory that it takes.
    pub fn bytes(&self) -> usize {
        self.pcm.len() * 2 + self.alaw.len() * 2
    }
}

/// Whether samples at 16 kHz have something that those at 8 kHz lack. Every second of the former is compared, which is a fair
/// half.
fn is_wide(wide: &[i16], narrow: &[i16]) -> bool {
    let square = |sample: i32| f64::from(sample) * f64::from(sample);
    let pairs = || wide.iter().step_by(2).zip(narrow).map(|(w, n)| (i32::from(*w), i32::from(*n)));
    let whole: f64 = pairs().map(|(w, _)| square(w)).sum();
    let high: f64 = pairs().map(|(w, n)| square(w - n)).sum();
    high > whole * HIGH_PART
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audio({:?}, {} Hz)", self.duration(), self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Goertzel;

    fn sines(tones: &[(f64, f64)], rate: u32, samples: u32) -> Vec<i16> {
        let at = |n: u32, (hertz, peak): &(f64, f64)| {
            peak * (f64::from(n) * hertz / f64::from(rate) * core::f64::consts::TAU).sin()
        };
        (0..samples).map(|n| tones.iter().map(|tone| at(n, tone)).sum::<f64>() as i16).collect()
    }

    /// Share of a frequency at 16 kHz: Goertzel's filter counts at 8.
    fn share(pcm: &[i16], hertz: f64) -> f64 {
        Goertzel::share(pcm, hertz / 2.0)
    }

    #[test]
    fn what_lies_above_the_telephone_band_is_kept_from_every_rate() {
        for rate in [16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
            let audio = Audio::from_samples(sines(&[(6_000.0, 8_000.0)], rate, rate), rate).unwrap();
            assert_eq!(
                (audio.rate(), audio.pcm().len(), audio.narrow_len()),
                (16_000, 16_000, 8_000),
                "{rate}"
            );
            assert!(share(&audio.pcm()[800..15_200], 6_000.0) > 0.99, "{rate}");
            assert_eq!(audio.bytes(), 48_000);
            assert_eq!(audio.duration(), Duration::from_secs(1));
        }
    }

    #[test]
    fn a_telephone_recording_stored_at_another_rate_costs_no_more_memory() {
        for rate in [11_025, 16_000, 44_100, 48_000] {
            let audio =
                Audio::from_samples(sines(&[(440.0, 8_000.0), (3_000.0, 800.0)], rate, rate), rate).unwrap();
            assert_eq!((audio.rate(), audio.bytes()), (8_000, 32_000), "{rate}");
        }
        let hissing =
            Audio::from_samples(sines(&[(440.0, 8_000.0), (5_000.0, 300.0)], 48_000, 48_000), 48_000);
        assert_eq!(hissing.unwrap().rate(), 16_000, "28 dB below is heard");
        assert_eq!(Audio::from_samples(vec![0; 9], 96_000), Err(WavError::Rate(96_000)));
    }

    #[test]
    fn samples_at_8_khz_are_heard_at_16_as_they_were_and_mirror_nowhere() {
        let audio = Audio::from_pcm(&sines(&[(1_000.0, 8_000.0), (3_000.0, 8_000.0)], 8_000, 8_000));
        let mut wide = vec![0; 4_000];
        for (n, frame) in wide.chunks_mut(320).enumerate() {
            audio.write_wide(n * 160 + 1_000, frame);
        }
        for hertz in [1_000.0, 3_000.0] {
            let share = share(&wide, hertz);
            assert!((0.49..0.51).contains(&share), "{hertz}: {share}");
        }
        assert!(share(&wide, 5_000.0) + share(&wide, 7_000.0) < 1e-5);
    }

    #[test]
    fn the_telephone_band_of_wideband_audio_is_there_for_who_has_no_more() {
        let tones = [(1_000.0, 8_000.0), (6_000.0, 8_000.0)];
        let audio = Audio::from_samples(sines(&tones, 16_000, 16_000), 16_000).unwrap();
        let mut narrow = vec![0; 4_000];
        audio.write_narrow(800, &mut narrow);
        assert!(Goertzel::share(&narrow, 1_000.0) > 0.99);
        let mut past = [7; 4];
        audio.write_narrow(7_998, &mut past);
        audio.write_wide(9_000, &mut past);
        assert_eq!(past[2..], [7, 7], "nothing is written after the end");
    }
}
