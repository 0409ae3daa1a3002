//! A prompt or a piece of music, decoded once and encoded once, away from the media thread.

use crate::wav::WavError;
use cordboard_model::time::Duration;

/// Immutable audio: mono PCM16 at 8 kHz with both G.711 encodings computed beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    pcm: Box<[i16]>,
}

impl Audio {
    /// From samples at 8 kHz.
    pub fn from_pcm(pcm: &[i16]) -> Self {
        Self { pcm: pcm.into() }
    }

    /// From a WAV file: PCM16, 8-bit, A-law or mu-law; mono or stereo (mixed down); resampled to 8 kHz.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, WavError> {
        crate::wav::read(bytes)
    }

    /// The samples.
    pub fn pcm(&self) -> &[i16] {
        &self.pcm
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.pcm.len() as u64 * 125)
    }
}
