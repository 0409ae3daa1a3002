//! WAV files: reading prompts, and the header of a recording that grows.

use crate::audio::Audio;

/// Why bytes are not a WAV file we can play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WavError {
    /// Does not begin with RIFF and WAVE.
    NotWav,
    /// There is no complete `fmt ` chunk before the data.
    NoFormat,
    /// There is no `data` chunk.
    NoData,
    /// An encoding that is not read: its format tag and bits per sample.
    Encoding {
        /// The `wFormatTag`.
        format: u16,
        /// Bits per sample.
        bits: u16,
    },
    /// More than two channels, or none.
    Channels(u16),
    /// A sample rate outside 8,000 to 48,000 hertz.
    Rate(u32),
    /// Plays longer than the limit.
    TooLong,
}

pub(crate) fn read(_bytes: &[u8]) -> Result<Audio, WavError> {
    Err(WavError::NotWav)
}

/// The growing WAV file of one recording: two channels of PCM16 at 8 kHz. Knows the header only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WavWriterState {
    data_bytes: u32,
}

/// The file has reached the 4 GiB that a WAV header can name (37 hours): what follows is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavFull;

impl WavWriterState {
    /// Length of the header in bytes; the audio follows it.
    pub const HEADER_LEN: usize = 44;

    /// Notes that `bytes` of audio were appended. Once refused, the file is complete as it is.
    pub fn append(&mut self, bytes: usize) -> Result<(), WavFull> {
        let _ = bytes;
        Err(WavFull)
    }

    /// The header for what was appended so far: written at offset 0 in place.
    pub fn header(&self) -> [u8; Self::HEADER_LEN] {
        [0; Self::HEADER_LEN]
    }
}
