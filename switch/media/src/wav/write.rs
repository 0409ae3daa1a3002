//! The header of a recording that grows. The writer appends audio and rewrites the bytes at the start in place every
//! second: whatever moment the switch is killed at, the file plays up to the last second, and players that trust the
//! file's length play all of it.
//!
//! From 4 GiB on (37 hours) sizes no longer fit 32 bits, and the file becomes RF64 where it is (EBU Tech 3306 4: "a
//! 'JUNK' chunk ... as a placeholder for the 'ds64' chunk ... if the file size exceeds 4 Gbyte, replace the chunk
//! ID 'RIFF' with 'RF64', the chunk ID 'JUNK' with 'ds64'").

/// The growing WAV file of one recording: two channels of PCM16. Knows the header only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavWriterState {
    rate: u32,
    data_bytes: u64,
}

/// What a size is that stands in the `ds64` chunk instead.
const ELSEWHERE: u32 = u32::MAX;
/// Where the rate stands in the header.
const RATE_AT: usize = 60;
/// Length of a `ds64` chunk without a table.
const DS64: u32 = 28;

impl WavWriterState {
    /// Length of the header in bytes; the audio follows it.
    pub const HEADER_LEN: usize = 80;
    /// Bytes of one frame: two samples of two bytes.
    pub const FRAME_LEN: u64 = 4;

    /// An empty file of `rate` samples a second on each channel.
    pub fn new(rate: u32) -> Self {
        Self::resumed(rate, 0)
    }

    /// A file that already holds this much audio (after a restart, from its length).
    pub fn resumed(rate: u32, data_bytes: u64) -> Self {
        Self { rate, data_bytes }
    }

    /// The rate that a file was begun with, from its header. `None`: it is none of ours.
    pub fn rate_of(header: &[u8]) -> Option<u32> {
        let is_ours = header.get(48..52) == Some(b"fmt ".as_slice());
        let rate = header.get(RATE_AT..RATE_AT + 4).filter(|_| is_ours)?;
        Some(u32::from_le_bytes(rate.try_into().ok()?)).filter(|rate| *rate > 0)
    }

    /// Notes that `bytes` of audio are appended.
    pub fn append(&mut self, bytes: usize) {
        self.data_bytes = self.data_bytes.saturating_add(bytes as u64);
    }

    /// Bytes of audio so far.
    pub fn data_bytes(&self) -> u64 {
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
        let riff = self.data_bytes + Self::HEADER_LEN as u64 - 8;
        let (is_long, short) = match u32::try_from(riff) {
            Ok(riff) if riff < ELSEWHERE => (false, (riff, self.data_bytes as u32)),
            _ => (true, (ELSEWHERE, ELSEWHERE)),
        };
        put(if is_long { b"RF64" } else { b"RIFF" });
        put(&short.0.to_le_bytes());
        put(b"WAVE");
        put(if is_long { b"ds64" } else { b"JUNK" });
        put(&DS64.to_le_bytes());
        let sizes = [riff, self.data_bytes, self.data_bytes / Self::FRAME_LEN];
        sizes.iter().for_each(|size| put(&(if is_long { *size } else { 0 }).to_le_bytes()));
        put(&0u32.to_le_bytes());
        put(b"fmt ");
        put(&16u32.to_le_bytes());
        put(&1u16.to_le_bytes());
        put(&2u16.to_le_bytes());
        put(&self.rate.to_le_bytes());
        put(&(self.rate * Self::FRAME_LEN as u32).to_le_bytes());
        put(&4u16.to_le_bytes());
        put(&16u16.to_le_bytes());
        put(b"data");
        put(&short.1.to_le_bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Audio;

    #[test]
    fn the_header_at_any_moment_makes_a_file_that_plays() {
        let mut state = WavWriterState::new(8_000);
        let mut audio = Vec::new();
        for second in 0..3i16 {
            let chunk: Vec<u8> =
                (0..8_000).flat_map(|_| [second * 100, second * 100]).flat_map(i16::to_le_bytes).collect();
            state.append(chunk.len());
            audio.extend(chunk);
            let mut file = state.header().to_vec();
            file.extend(&audio);
            let played = Audio::from_wav(&file).unwrap();
            assert_eq!(played.pcm().len(), 8_000 * (usize::try_from(second).unwrap() + 1));
            assert_eq!(played.pcm().last(), Some(&(second * 100)));
        }
    }

    #[test]
    fn the_header_has_room_for_what_a_longer_file_must_say() {
        let mut state = WavWriterState::new(8_000);
        state.append(32_000);
        let header = state.header();
        assert_eq!(header[..20], *b"RIFF\x48\x7d\0\0WAVEJUNK\x1c\0\0\0");
        assert_eq!(header[20..48], [0; 28]);
        let format = b"fmt \x10\0\0\0\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0data\0\x7d\0\0";
        assert_eq!(header[48..], *format);
        assert_eq!(WavWriterState::rate_of(&header), Some(8_000));
        let wide = WavWriterState::new(16_000).header();
        assert_eq!(
            (&wide[60..64], &wide[64..68]),
            (&16_000u32.to_le_bytes()[..], &64_000u32.to_le_bytes()[..])
        );
        assert_eq!(WavWriterState::rate_of(&wide), Some(16_000));
        assert_eq!(WavWriterState::rate_of(&wide[..62]), None);
    }

    #[test]
    fn from_4_gib_on_the_sizes_stand_in_64_bits() {
        let last = u64::from(u32::MAX) - 76;
        let short = WavWriterState::resumed(8_000, last / 4 * 4).header();
        assert_eq!(&short[..4], b"RIFF");
        let mut state = WavWriterState::resumed(8_000, u64::from(u32::MAX) - 71);
        state.append(40_000);
        let long = state.header();
        assert_eq!((&long[..4], &long[12..16]), (&b"RF64"[..], &b"ds64"[..]));
        assert_eq!((&long[4..8], &long[76..]), (&[0xff; 4][..], &[0xff; 4][..]));
        let at = |at: usize| u64::from_le_bytes(long[at..at + 8].try_into().unwrap());
        let data = u64::from(u32::MAX) - 71 + 40_000;
        assert_eq!((at(20), at(28), at(36)), (data + 72, data, data / 4));
        assert_eq!(long[48..72], short[48..72], "the format stands where it stood");
    }
}
