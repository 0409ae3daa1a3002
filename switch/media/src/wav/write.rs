//! The header of a recording that grows. The writer appends audio and rewrites the 44 bytes at the
//! start in place every second: whatever moment the switch is killed at, the file plays up to the
//! last second, and players that trust the file's length play all of it.

use core::fmt;

/// The growing WAV file of one recording: two channels of PCM16 at 8 kHz. Knows the header only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WavWriterState {
    data_bytes: u32,
}

/// The file has reached the 4 GiB that a WAV header can name, after 37 hours: what follows is not
/// kept, and the file stays whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavFull;

impl fmt::Display for WavFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the recording has reached 4 GiB, the most a WAV file can hold")
    }
}

impl std::error::Error for WavFull {}

impl WavWriterState {
    /// Length of the header in bytes; the audio follows it.
    pub const HEADER_LEN: usize = 44;
    /// Bytes of one frame: two samples of two bytes.
    pub const FRAME_LEN: u32 = 4;
    /// Most audio: whole frames, such that the RIFF size still fits its 32 bits.
    pub const DATA_MAX: u32 = (u32::MAX - 36) / Self::FRAME_LEN * Self::FRAME_LEN;

    /// A file that already holds this much audio (after a restart, from its length).
    pub fn resumed(data_bytes: u64) -> Self {
        let most = u64::from(Self::DATA_MAX);
        Self { data_bytes: data_bytes.min(most) as u32 }
    }

    /// Notes that `bytes` of audio are appended. Refused as a whole if they would not fit; nothing
    /// more is to be written then.
    pub fn append(&mut self, bytes: usize) -> Result<(), WavFull> {
        let after = u32::try_from(bytes)
            .ok()
            .and_then(|bytes| self.data_bytes.checked_add(bytes))
            .filter(|after| *after <= Self::DATA_MAX);
        self.data_bytes = after.ok_or(WavFull)?;
        Ok(())
    }

    /// Bytes of audio so far.
    pub fn data_bytes(&self) -> u32 {
        self.data_bytes
    }

    /// The header for what was appended so far: written at offset 0.
    pub fn header(&self) -> [u8; Self::HEADER_LEN] {
        let mut out = [0; Self::HEADER_LEN];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            for byte in bytes {
                out[at] = *byte;
                at += 1;
            }
        };
        put(b"RIFF");
        put(&(self.data_bytes + 36).to_le_bytes());
        put(b"WAVEfmt ");
        put(&16u32.to_le_bytes());
        put(&1u16.to_le_bytes());
        put(&2u16.to_le_bytes());
        put(&8_000u32.to_le_bytes());
        put(&32_000u32.to_le_bytes());
        put(&4u16.to_le_bytes());
        put(&16u16.to_le_bytes());
        put(b"data");
        put(&self.data_bytes.to_le_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Audio;

    #[test]
    fn the_header_at_any_moment_makes_a_file_that_plays() {
        let mut state = WavWriterState::default();
        let mut audio = Vec::new();
        for second in 0..3i16 {
            let chunk: Vec<u8> =
                (0..8_000).flat_map(|_| [second * 100, second * 100]).flat_map(i16::to_le_bytes).collect();
            state.append(chunk.len()).unwrap();
            audio.extend(chunk);
            let mut file = state.header().to_vec();
            file.extend(&audio);
            let played = Audio::from_wav(&file).unwrap();
            assert_eq!(played.pcm().len(), 8_000 * (usize::try_from(second).unwrap() + 1));
            assert_eq!(played.pcm().last(), Some(&(second * 100)));
        }
    }

    #[test]
    fn the_header_is_the_canonical_one() {
        let mut state = WavWriterState::default();
        state.append(32_000).unwrap();
        let expected = b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1f\0\0\
            \0\x7d\0\0\x04\0\x10\0data\0\x7d\0\0";
        assert_eq!(state.header().as_slice(), expected.as_slice());
    }

    #[test]
    fn at_4_gib_it_refuses_and_the_file_stays_whole() {
        let mut state = WavWriterState::resumed(u64::from(WavWriterState::DATA_MAX) - 640);
        assert_eq!(state.append(640), Ok(()));
        let full = state;
        assert_eq!(state.append(4), Err(WavFull));
        assert_eq!(state, full);
        assert_eq!(state.header()[4..8], (WavWriterState::DATA_MAX + 36).to_le_bytes());
        assert_eq!(WavWriterState::resumed(u64::MAX), full);
    }
}
