//! A prompt or a piece of music, decoded once and encoded once, away from the media thread.

use crate::codec::g711::{self, Law};
use crate::wav::{self, WavError};
use cordboard_model::time::Duration;
use core::fmt;

/// Immutable audio: mono PCM16 at 8 kHz with both G.711 encodings computed beforehand.
/// Takes 4 bytes a sample, 32 KB a second.
#[derive(Clone, PartialEq, Eq)]
pub struct Audio {
    pcm: Box<[i16]>,
    alaw: Box<[u8]>,
    ulaw: Box<[u8]>,
}

impl Audio {
    /// From samples at 8 kHz.
    pub fn from_pcm(pcm: &[i16]) -> Self {
        let encoded = |law| pcm.iter().map(|s| g711::encode(law, *s)).collect();
        Self { pcm: pcm.into(), alaw: encoded(Law::A), ulaw: encoded(Law::Mu) }
    }

    /// From a WAV file: PCM16, 8-bit, A-law or mu-law; mono, or stereo, which is mixed down; any rate
    /// from 8 to 48 kHz, resampled to 8 kHz.
    pub fn from_wav(bytes: &[u8]) -> Result<Self, WavError> {
        wav::read(bytes).map(|pcm| Self::from_pcm(&pcm))
    }

    /// The samples.
    pub fn pcm(&self) -> &[i16] {
        &self.pcm
    }

    /// The same as codes of G.711. Other codecs have a memory and are encoded as they are played.
    pub fn encoded(&self, law: Law) -> &[u8] {
        match law {
            Law::A => &self.alaw,
            Law::Mu => &self.ulaw,
        }
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(self.pcm.len() as u64 * 125)
    }
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audio({:?})", self.duration())
    }
}
