//! Prompts and music from their files: decoded once, away from every thread that carries a call.
//!
//! A file is told by its first bytes, not by its name: WAV, Ogg with Vorbis or Opus, or MP3. All of them end as the WAV reader's
//! samples, so mixing down, resampling and encoding are written once. Whatever a file holds, it costs an error with a
//! reason and not more: sizes are bounded, and a decoder that panics is caught.

use cordboard_media::ogg::{OggError, read_opus};
use cordboard_media::{Audio, WavError, wav};
use cordboard_model::id::AssetId;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// How the names of files end that are prompts.
pub const ENDINGS: [&str; 5] = ["wav", "mp3", "ogg", "oga", "opus"];
/// Largest file, bytes: an hour of 16-bit stereo at 48 kHz takes 690 MB and is no prompt; this is six minutes of it, or
/// an hour of MP3 at 128 kbit/s.
pub const FILE_MAX: u64 = 64 << 20;
/// Most samples of all channels that are kept while decoding: 128 MB.
const SAMPLES_MAX: usize = 64 << 20;
/// Most headers and pages without audio in a row: a file of such is no prompt.
const EMPTY_MAX: usize = 4_096;

/// Why a file cannot be a prompt: always the file's fault, or its disk's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptError {
    /// It cannot be read.
    Io(String),
    /// It is larger than [`FILE_MAX`].
    TooLarge(u64),
    /// Not WAV, not MP3, not Ogg.
    Unknown,
    /// WAV that is not right, or audio of another format with channels, a rate or a length that is not taken.
    Wav(WavError),
    /// Ogg with neither Vorbis nor Opus, or broken.
    Ogg(String),
    /// MP3 without a whole frame, or one that changes its format.
    Mp3(&'static str),
    /// The decoder gave up in a way that it should not.
    Decoder,
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PromptError::Io(why) => f.write_str(why),
            PromptError::TooLarge(size) => write!(f, "{size} bytes; at most {FILE_MAX} are taken"),
            PromptError::Unknown => f.write_str("neither WAV nor MP3 nor Ogg"),
            PromptError::Wav(why) => why.fmt(f),
            PromptError::Ogg(why) => write!(f, "Ogg that cannot be played: {why}"),
            PromptError::Mp3(why) => write!(f, "MP3 that cannot be played: {why}"),
            PromptError::Decoder => f.write_str("its decoder fails on it"),
        }
    }
}

impl From<WavError> for PromptError {
    fn from(why: WavError) -> Self {
        PromptError::Wav(why)
    }
}

/// What a file was when it was decoded.
type Stamp = (PathBuf, u64, Option<SystemTime>);

/// The prompts that are decoded, so that a reload decodes only files that changed.
#[derive(Debug, Default)]
pub struct Prompts {
    known: BTreeMap<AssetId, (Stamp, Arc<Audio>)>,
}

/// What became of a file.
#[derive(Debug)]
pub enum Found {
    /// As it was.
    Same,
    /// New or changed.
    Audio(Arc<Audio>),
}

impl Prompts {
    /// Decodes a file, if it is not the one that was decoded before.
    ///
    /// # Errors
    /// The file cannot be a prompt; what was known under its name goes on.
    pub fn load(&mut self, asset: &AssetId, path: &Path) -> Result<Found, PromptError> {
        let about = std::fs::metadata(path).map_err(|why| PromptError::Io(why.to_string()))?;
        if about.len() > FILE_MAX {
            return Err(PromptError::TooLarge(about.len()));
        }
        let stamp = (path.to_owned(), about.len(), about.modified().ok());
        if self.known.get(asset).is_some_and(|(known, _)| *known == stamp && stamp.2.is_some()) {
            return Ok(Found::Same);
        }
        let bytes = std::fs::read(path).map_err(|why| PromptError::Io(why.to_string()))?;
        let audio = Arc::new(decode(&bytes)?);
        self.known.insert(asset.clone(), (stamp, Arc::clone(&audio)));
        Ok(Found::Audio(audio))
    }

    /// Keeps these and gives the names of the others, which are known no longer.
    pub fn retain(&mut self, kept: impl Fn(&AssetId) -> bool) -> Vec<AssetId> {
        let gone: Vec<AssetId> = self.known.keys().filter(|asset| !kept(asset)).cloned().collect();
        for asset in &gone {
            self.known.remove(asset);
        }
        gone
    }
}

/// Audio from the bytes of a file.
///
/// # Errors
/// They are no file that can be played.
pub fn decode(bytes: &[u8]) -> Result<Audio, PromptError> {
    // A decoder of another's making is not trusted to keep its word about every file there could be.
    catch_unwind(AssertUnwindSafe(|| read(bytes))).unwrap_or(Err(PromptError::Decoder))
}

fn read(bytes: &[u8]) -> Result<Audio, PromptError> {
    match bytes {
        [b'R', b'I', b'F', b'F', ..] => Ok(Audio::from_wav(bytes)?),
        [b'O', b'g', b'g', b'S', ..] => ogg(bytes),
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => mp3(bytes),
        _ => Err(PromptError::Unknown),
    }
}

fn mp3(bytes: &[u8]) -> Result<Audio, PromptError> {
    let mut reader = nanomp3::SliceReader::<i16>::new(bytes);
    let mut pcm: Vec<i16> = Vec::new();
    loop {
        match reader.read_frame() {
            Ok(Some(samples)) => pcm.extend_from_slice(samples),
            Ok(None) => break,
            // A file that ends, or breaks, after audio is as long as it is good.
            Err(_) if !pcm.is_empty() => break,
            Err(_) => return Err(PromptError::Mp3("its frames are broken")),
        }
        if pcm.len() > SAMPLES_MAX {
            return Err(PromptError::Wav(WavError::TooLong));
        }
    }
    let channels = match reader.channels() {
        Some(nanomp3::Channels::Mono) => 1,
        Some(nanomp3::Channels::Stereo) => 2,
        None => return Err(PromptError::Mp3("there is no whole frame in it")),
    };
    if pcm.is_empty() {
        return Err(PromptError::Mp3("there is no audio in it"));
    }
    from_samples(&pcm, reader.sample_rate(), channels)
}

fn ogg(bytes: &[u8]) -> Result<Audio, PromptError> {
    if bytes.get(..512).unwrap_or(bytes).windows(8).any(|window| window == b"OpusHead") {
        return opus(bytes);
    }
    let broken = |why: lewton::VorbisError| PromptError::Ogg(why.to_string());
    let mut reader = lewton::inside_ogg::OggStreamReader::new(Cursor::new(bytes)).map_err(broken)?;
    let (rate, channels) = (reader.ident_hdr.audio_sample_rate, reader.ident_hdr.audio_channels);
    let mut pcm: Vec<i16> = Vec::new();
    let mut empty = 0;
    loop {
        match reader.read_dec_packet_itl() {
            Ok(Some(samples)) => {
                empty = if samples.is_empty() { empty + 1 } else { 0 };
                pcm.extend_from_slice(&samples);
            }
            Ok(None) => break,
            Err(_) if !pcm.is_empty() => break,
            Err(why) => return Err(broken(why)),
        }
        if pcm.len() > SAMPLES_MAX {
            return Err(PromptError::Wav(WavError::TooLong));
        }
        if empty > EMPTY_MAX {
            return Err(PromptError::Ogg("there is hardly any audio in it".into()));
        }
    }
    if pcm.is_empty() {
        return Err(PromptError::Ogg("there is no audio in it".into()));
    }
    from_samples(&pcm, rate, u16::from(channels))
}

/// libopus makes samples of the rate that prompts are kept at, whatever there was before it: the highest one, or, of a file
/// that is too long for that (over half an hour of stereo), the telephone's.
const OPUS_HZ: [u32; 2] = [16_000, 8_000];

fn opus(bytes: &[u8]) -> Result<Audio, PromptError> {
    let [wide, narrow] = OPUS_HZ;
    let (rate, read) = match read_opus(bytes, wide, SAMPLES_MAX) {
        Err(OggError::TooLong) => (narrow, read_opus(bytes, narrow, SAMPLES_MAX)),
        read => (wide, read),
    };
    let audio = read.map_err(|why| match why {
        OggError::TooLong => PromptError::Wav(WavError::TooLong),
        why => PromptError::Ogg(why.to_string()),
    })?;
    from_samples(&audio.pcm, rate, audio.channels)
}

/// Interleaved samples, by way of the WAV reader: it knows which rates, channels and lengths are taken.
fn from_samples(pcm: &[i16], rate: u32, channels: u16) -> Result<Audio, PromptError> {
    let seconds = pcm.len() as u64 / u64::from(channels.max(1)) / u64::from(rate.max(1));
    if seconds > wav::DURATION_MAX.as_secs() {
        return Err(PromptError::Wav(WavError::TooLong));
    }
    Ok(Audio::from_wav(&wav_of(pcm, rate, channels))?)
}

/// A WAV file of these samples.
pub(crate) fn wav_of(pcm: &[i16], rate: u32, channels: u16) -> Vec<u8> {
    let data = u32::try_from(pcm.len() * 2).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(44 + pcm.len() * 2);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&data.saturating_add(36).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16u32.to_le_bytes());
    bytes.extend_from_slice(&1u16.to_le_bytes());
    bytes.extend_from_slice(&channels.to_le_bytes());
    bytes.extend_from_slice(&rate.to_le_bytes());
    bytes.extend_from_slice(&rate.saturating_mul(2 * u32::from(channels)).to_le_bytes());
    bytes.extend_from_slice(&(2 * channels).to_le_bytes());
    bytes.extend_from_slice(&16u16.to_le_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&data.to_le_bytes());
    bytes.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_media::tone::Goertzel;
    use cordboard_model::id::TenantId;

    /// A second of 440 Hz: MP3 at 44.1 kHz stereo, Vorbis at 48 kHz mono, MP3 at 16 kHz mono (MPEG-2), Opus of 48 kHz
    /// stereo made by opusenc.
    const TONES: [(&str, &[u8]); 4] = [
        ("mp3", include_bytes!("../tests/prompts/tone-44k-stereo.mp3")),
        ("ogg", include_bytes!("../tests/prompts/tone-48k-mono.ogg")),
        ("mp3", include_bytes!("../tests/prompts/tone-16k-mono.mp3")),
        ("opus", include_bytes!("../tests/prompts/tone-48k-stereo.opus")),
    ];

    #[test]
    fn mp3_vorbis_and_opus_become_the_tone_that_was_encoded() {
        for (what, bytes) in TONES {
            let audio = decode(bytes).unwrap();
            let ms = audio.duration().as_millis();
            assert!((950..1_150).contains(&ms), "{what}: {ms} ms");
            let middle = &audio.pcm()[1_600..6_400];
            let share = Goertzel::share(middle, 440.0);
            assert!(share > 0.98, "{what}: {share}");
        }
    }

    #[test]
    fn what_is_no_prompt_is_told_with_its_reason() {
        let said = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        assert_eq!(said(b""), "neither WAV nor MP3 nor Ogg");
        assert_eq!(said(b"<html>not found</html>"), "neither WAV nor MP3 nor Ogg");
        assert_eq!(said(b"ID3\x04\0\0\0\0\0\0"), "MP3 that cannot be played: there is no whole frame in it");
        assert!(said(b"OggS").starts_with("Ogg that cannot be played: "), "{}", said(b"OggS"));
        assert_eq!(said(b"RIFF\0\0\0\0WAVE"), "a WAV file without a complete fmt chunk");
        let mut opus = TONES[1].1[..60].to_vec();
        opus[28..36].copy_from_slice(b"OpusHead");
        let why = "it does not begin with the header of an Opus stream";
        assert_eq!(said(&opus), format!("Ogg that cannot be played: {why}"));
        assert_eq!(said(&TONES[3].1[..500]), "Ogg that cannot be played: there is no audio in it");
    }

    /// Bytes changed, cut and doubled at random, from a seed: each file is an error or audio of a bounded length.
    #[test]
    fn mutated_files_are_refused_or_played_and_never_panic() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut dice = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below.max(1) as u64) as usize
        };
        let mut played = 0;
        for round in 0..600 {
            let mut bytes = TONES[round % TONES.len()].1.to_vec();
            for _ in 0..=dice(12) {
                let at = dice(bytes.len());
                match dice(4) {
                    0 => bytes.truncate(at.max(4)),
                    1 => bytes[at] = dice(256) as u8,
                    2 => bytes[at] ^= 1 << dice(8),
                    _ => {
                        let piece = bytes[at..(at + 64).min(bytes.len())].to_vec();
                        let to = dice(bytes.len());
                        bytes.splice(to..to, piece);
                    }
                }
            }
            match decode(&bytes) {
                Ok(audio) => {
                    played += 1;
                    assert!(audio.duration().as_secs() < 60, "round {round}: {audio:?}");
                }
                Err(why) => assert!(!why.to_string().is_empty()),
            }
        }
        assert!(played > 100, "most damage is not to the head: {played}");
    }

    #[test]
    fn a_file_is_decoded_again_only_when_it_changed_and_a_broken_one_keeps_the_old() {
        let dir = std::env::temp_dir().join(format!("cordboard-prompts-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("tone.mp3");
        std::fs::write(&path, TONES[0].1).unwrap();
        let asset = AssetId::new(TenantId::DEFAULT, "tone").unwrap();
        let mut prompts = Prompts::default();
        assert!(matches!(prompts.load(&asset, &path), Ok(Found::Audio(_))));
        assert!(matches!(prompts.load(&asset, &path), Ok(Found::Same)));
        std::fs::write(&path, TONES[2].1).unwrap();
        assert!(matches!(prompts.load(&asset, &path), Ok(Found::Audio(_))));
        std::fs::write(&path, b"broken").unwrap();
        assert_eq!(prompts.load(&asset, &path).unwrap_err(), PromptError::Unknown);
        assert_eq!(prompts.retain(|_| true), []);
        assert_eq!(prompts.retain(|_| false), [asset]);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
