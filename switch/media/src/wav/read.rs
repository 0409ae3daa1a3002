//! Reads a RIFF WAVE file into PCM16. The sizes in it are believed only as far as the bytes
//! reach: files cut short, and those of programs that never went back to fill them in, still play.

use crate::codec::g711::{ALAW_TO_PCM, ULAW_TO_PCM};
use cordboard_model::time::Duration;
use core::fmt;

/// Longest prompt or music: an hour takes 115 MB when loaded, and 173 with more than the telephone band.
pub const DURATION_MAX: Duration = Duration::from_secs(3_600);

const PCM: u16 = 1;
const ALAW: u16 = 6;
const ULAW: u16 = 7;
const EXTENSIBLE: u16 = 0xfffe;

/// Why bytes are not a WAV file we can play: always the file's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WavError {
    /// Does not begin with RIFF and WAVE.
    NotWav,
    /// There is no complete `fmt ` chunk before the data.
    NoFormat,
    /// There is no `data` chunk.
    NoData,
    /// An encoding that is not read.
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
    /// Plays longer than [`DURATION_MAX`].
    TooLong,
}

impl fmt::Display for WavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WavError::NotWav => write!(f, "not a WAV file (no RIFF and WAVE at its start)"),
            WavError::NoFormat => write!(f, "a WAV file without a complete fmt chunk"),
            WavError::NoData => write!(f, "a WAV file without a data chunk"),
            WavError::Encoding { format, bits } => write!(
                f,
                "WAV encoding {format} with {bits} bits; expected PCM of 16 or 8 bits, A-law or mu-law"
            ),
            WavError::Channels(n) => write!(f, "{n} channels; expected one or two"),
            WavError::Rate(hz) => write!(f, "sample rate {hz} Hz; expected 8,000 to 48,000"),
            WavError::TooLong => write!(f, "longer than {} s", DURATION_MAX.as_secs()),
        }
    }
}

impl std::error::Error for WavError {}

#[derive(Clone, Copy)]
enum Encoding {
    Pcm16,
    Pcm8,
    Alaw,
    Ulaw,
}

#[derive(Clone, Copy)]
struct Format {
    encoding: Encoding,
    channels: u16,
    rate: u32,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

/// Samples of a WAV file as mono PCM16, and its rate.
pub(crate) fn read(bytes: &[u8]) -> Result<(Vec<i16>, u32), WavError> {
    if bytes.get(..4) != Some(b"RIFF".as_slice()) || bytes.get(8..12) != Some(b"WAVE".as_slice()) {
        return Err(WavError::NotWav);
    }
    let mut format = None;
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let (Some(name), Some(size)) = (rest.get(..4), u32_at(rest, 4)) {
        let body = rest.get(8..).unwrap_or_default();
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(body.len());
        let (chunk, after) = body.split_at(size);
        match name {
            b"fmt " => format = Some(read_format(chunk)?),
            b"data" => return decode(chunk, format.ok_or(WavError::NoFormat)?),
            _ => {}
        }
        rest = after.get(size % 2..).unwrap_or_default();
    }
    Err(if format.is_none() { WavError::NoFormat } else { WavError::NoData })
}

fn read_format(chunk: &[u8]) -> Result<Format, WavError> {
    let field = |at| u16_at(chunk, at).ok_or(WavError::NoFormat);
    let (mut format, channels, bits) = (field(0)?, field(2)?, field(14)?);
    let rate = u32_at(chunk, 4).ok_or(WavError::NoFormat)?;
    if format == EXTENSIBLE {
        // The first two bytes of the sub-format's GUID are the format tag.
        format = field(24)?;
    }
    let encoding = match (format, bits) {
        (PCM, 16) => Encoding::Pcm16,
        (PCM, 8) => Encoding::Pcm8,
        (ALAW, 8) => Encoding::Alaw,
        (ULAW, 8) => Encoding::Ulaw,
        _ => return Err(WavError::Encoding { format, bits }),
    };
    if !(1..=2).contains(&channels) {
        return Err(WavError::Channels(channels));
    }
    if !(8_000..=48_000).contains(&rate) {
        return Err(WavError::Rate(rate));
    }
    Ok(Format { encoding, channels, rate })
}

fn decode(data: &[u8], format: Format) -> Result<(Vec<i16>, u32), WavError> {
    let width = match format.encoding {
        Encoding::Pcm16 => 2,
        Encoding::Pcm8 | Encoding::Alaw | Encoding::Ulaw => 1,
    };
    let frame = width * usize::from(format.channels);
    let longest = DURATION_MAX.as_secs().saturating_mul(u64::from(format.rate));
    if (data.len() / frame) as u64 > longest {
        return Err(WavError::TooLong);
    }
    let sample = |bytes: &[u8]| -> i32 {
        match (format.encoding, bytes) {
            (Encoding::Pcm16, [low, high, ..]) => i32::from(i16::from_le_bytes([*low, *high])),
            (Encoding::Pcm8, [byte, ..]) => (i32::from(*byte) - 128) << 8,
            (Encoding::Alaw, [code, ..]) => i32::from(ALAW_TO_PCM[usize::from(*code)]),
            (Encoding::Ulaw, [code, ..]) => i32::from(ULAW_TO_PCM[usize::from(*code)]),
            (_, _) => 0,
        }
    };
    let mono: Vec<i16> = data
        .chunks_exact(frame)
        .map(|frame| match format.channels {
            2 => ((sample(frame) + sample(&frame[width..])) / 2) as i16,
            _ => sample(frame) as i16,
        })
        .collect();
    Ok((mono, format.rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::Audio;
    use crate::tone::Goertzel;

    /// A WAV file of these fields; `extra` chunks come before the data.
    fn wav(format: u16, channels: u16, rate: u32, bits: u16, extra: &[u8], data: &[u8]) -> Vec<u8> {
        let mut out = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        let frame = channels * bits / 8;
        out.extend(format.to_le_bytes());
        out.extend(channels.to_le_bytes());
        out.extend(rate.to_le_bytes());
        out.extend((rate * u32::from(frame)).to_le_bytes());
        out.extend(frame.to_le_bytes());
        out.extend(bits.to_le_bytes());
        out.extend(extra);
        out.extend(b"data");
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        out
    }

    fn sine(hertz: f64, rate: u32, samples: u32) -> Vec<i16> {
        (0..samples)
            .map(|n| {
                let turn = f64::from(n) * hertz / f64::from(rate);
                (8_000.0 * (turn * core::f64::consts::TAU).sin()) as i16
            })
            .collect()
    }

    fn bytes(samples: &[i16]) -> Vec<u8> {
        samples.iter().flat_map(|s| s.to_le_bytes()).collect()
    }

    #[test]
    fn pcm16_at_8_khz_is_taken_as_it_is() {
        let samples = sine(440.0, 8_000, 800);
        let read = Audio::from_wav(&wav(1, 1, 8_000, 16, b"", &bytes(&samples))).unwrap();
        assert_eq!(read.pcm(), samples);
        assert_eq!(read.duration(), Duration::from_millis(100));
    }

    #[test]
    fn every_rate_keeps_the_tone_its_level_and_its_length() {
        for rate in [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000] {
            let samples = sine(1_000.0, rate, rate);
            let read = Audio::from_wav(&wav(1, 1, rate, 16, b"", &bytes(&samples))).unwrap();
            assert_eq!(read.pcm().len(), 8_000, "{rate}");
            let middle = &read.pcm()[400..7_600];
            assert!(Goertzel::share(middle, 1_000.0) > 0.999, "{rate}");
            let power = Goertzel::power_of(middle, 1_000.0);
            assert!((power / 32_000_000.0 - 1.0).abs() < 0.02, "{rate}: {power}");
        }
    }

    #[test]
    fn what_8_khz_cannot_carry_is_filtered_and_does_not_fold_back() {
        for rate in [16_000, 44_100, 48_000] {
            let samples = sine(5_000.0, rate, rate);
            let read = Audio::from_wav(&wav(1, 1, rate, 16, b"", &bytes(&samples))).unwrap();
            assert_eq!(read.rate(), 16_000);
            let mut narrow = vec![0; 7_600];
            read.write_narrow(0, &mut narrow);
            let loudest = narrow[400..].iter().map(|s| s.abs()).max();
            assert!(loudest < Some(40), "{rate}: {loudest:?}, which is above -46 dB");
        }
    }

    #[test]
    fn stereo_is_mixed_down() {
        let data: Vec<u8> = bytes(&[1_000, 3_000, -2_000, 2_000]);
        let read = Audio::from_wav(&wav(1, 2, 8_000, 16, b"", &data)).unwrap();
        assert_eq!(read.pcm(), [2_000, 0]);
    }

    #[test]
    fn eight_bits_and_both_laws_are_read() {
        let read = |format, data: &[u8]| Audio::from_wav(&wav(format, 1, 8_000, 8, b"", data));
        assert_eq!(read(1, &[128, 255, 0]).unwrap().pcm(), [0, 32_512, -32_768]);
        assert_eq!(read(6, &[0xd5, 0xaa]).unwrap().pcm(), [8, 32_256]);
        assert_eq!(read(7, &[0xff, 0x80]).unwrap().pcm(), [0, 32_124]);
    }

    #[test]
    fn other_chunks_odd_sizes_and_unfilled_sizes_do_no_harm() {
        let mut file = wav(1, 1, 8_000, 16, b"LIST\x03\0\0\0abc\0", &bytes(&[5, 6, 7]));
        let size_at = file.len() - 6 - 4;
        file[size_at..size_at + 4].copy_from_slice(&[0xff; 4]);
        assert_eq!(Audio::from_wav(&file).unwrap().pcm(), [5, 6, 7]);
    }

    #[test]
    fn each_refusal_says_what_is_wrong() {
        let cases = [
            (b"OggS and more than 12 bytes".to_vec(), WavError::NotWav),
            (b"RIFF\0\0\0\0WAVE".to_vec(), WavError::NoFormat),
            (b"RIFF\0\0\0\0WAVEdata\x02\0\0\0ab".to_vec(), WavError::NoFormat),
            (wav(1, 1, 8_000, 16, b"", b"")[..36].to_vec(), WavError::NoData),
            (wav(3, 1, 8_000, 32, b"", b""), WavError::Encoding { format: 3, bits: 32 }),
            (wav(1, 6, 8_000, 16, b"", b""), WavError::Channels(6)),
            (wav(1, 1, 4_000, 16, b"", b""), WavError::Rate(4_000)),
        ];
        for (file, why) in cases {
            assert_eq!(Audio::from_wav(&file), Err(why));
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_an_answer_and_not_a_panic() {
        let file = wav(1, 2, 44_100, 16, b"LIST\x03\0\0\0abc\0", &[7; 64]);
        for end in 0..file.len() {
            let _ = Audio::from_wav(&file[..end]);
        }
    }
}
