//! The manifest beside each recording: what it is, who is on it, what was left out, and the hash of its file.
//!
//! Invariant: a manifest is whole or not there: it is written beside its name and moved to it. The audio is on the disk
//! before it.

use crate::recordings::audio;
use crate::recordings::opus::whole;
use crate::recordings::sealed::{self, Coding, Form, MasterKey, SealError, Unsealer};
use crate::recordings::writer::{FORM, Keeping, found_file};
use cordboard_media::wav::WavWriterState;
use cordboard_model::cdr::{RecordedParty, RecordingEntry, RecordingPause};
use cordboard_model::id::{CallId, RecordingId, TenantId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The form of manifests that is written.
const VERSION: u32 = 1;
/// Bytes that are hashed at a time.
const PIECE: usize = 256 * 1024;
/// Longest manifest that is read.
const LONGEST: u64 = 1 << 20;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this form.
    pub version: u32,
    /// The recording.
    pub recording: RecordingId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The call it belongs to.
    pub call: CallId,
    /// Who is on the left, and on the right if anybody.
    pub parties: Vec<RecordedParty>,
    /// When it began, UTC (RFC 3339).
    pub started: String,
    /// When it ended.
    pub ended: String,
    /// `wav`, `opus` or `sealed`.
    pub format: String,
    /// Of the audio: `pcm_s16le`, or `opus` (in Ogg, in a sealed file, too).
    pub codec: String,
    /// Channels.
    pub channels: u8,
    /// Samples a second on each channel.
    pub sample_rate: u32,
    /// Length of the audio, milliseconds.
    pub length_ms: u64,
    /// Of it, silence in place of what could not be written in time, milliseconds.
    pub dropped_ms: u64,
    /// Silence that was asked for.
    pub pauses: Vec<RecordingPause>,
    /// The name of the key it is sealed with.
    pub key: Option<String>,
    /// The name of its file, beside the manifest.
    pub file: String,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file as it lies there, hexadecimal.
    pub sha256: String,
}

/// Why a recording is not what its manifest says.
#[derive(Debug)]
pub enum VerifyError {
    /// A file cannot be read.
    Io(PathBuf, io::Error),
    /// The manifest cannot be understood.
    Unreadable(PathBuf, String),
    /// The file has another length.
    Length {
        /// The manifest's.
        expected: u64,
        /// The file's.
        found: u64,
    },
    /// The file has another hash.
    Hash {
        /// The manifest's.
        expected: String,
        /// The file's.
        found: String,
    },
    /// What is sealed in it cannot be opened.
    Sealed(SealError),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyError::Io(path, why) => write!(f, "{}: {why}", path.display()),
            VerifyError::Unreadable(path, why) => write!(f, "{}: not a manifest: {why}", path.display()),
            VerifyError::Length { expected, found } => {
                write!(f, "the file has {found} bytes, its manifest says {expected}")
            }
            VerifyError::Hash { expected, found } => {
                write!(f, "the file was changed: its SHA-256 is {found}, its manifest says {expected}")
            }
            VerifyError::Sealed(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for VerifyError {}

/// Where the manifest of a recording is.
pub fn path_of(dir: &Path, recording: RecordingId) -> PathBuf {
    dir.join(recording.tenant.as_str()).join(format!("{recording}.json"))
}

/// The manifest of a recording, if it has one.
pub fn read(dir: &Path, recording: RecordingId) -> Option<Manifest> {
    read_at(&path_of(dir, recording)).ok()
}

fn read_at(path: &Path) -> Result<Manifest, VerifyError> {
    let io = |why| VerifyError::Io(path.to_owned(), why);
    let mut text = String::new();
    File::open(path).map_err(io)?.take(LONGEST).read_to_string(&mut text).map_err(io)?;
    serde_json::from_str(&text).map_err(|why| VerifyError::Unreadable(path.to_owned(), why.to_string()))
}

fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

fn hash(file: &mut File) -> io::Result<(u64, String)> {
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            len => {
                hash.update(piece.get(..len).unwrap_or_default());
                bytes += len as u64;
            }
        }
    }
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// Writes the manifest of a finished recording: reads its file once.
///
/// # Errors
/// The file is missing, or the disk refuses.
pub fn write(keeping: &Keeping, entry: &RecordingEntry) -> io::Result<Manifest> {
    let recording = entry.recording;
    let path = found_file(&keeping.dir, recording).ok_or(io::ErrorKind::NotFound)?;
    let mut file = File::open(&path)?;
    let rate = audio::rate(&path, &keeping.keys)?;
    let (format, coding, key) = if audio::is_sealed(&path) {
        let sealed = Unsealer::open(&file, &keeping.keys)?;
        ("sealed", sealed.form.coding, Some(sealed.key_id))
    } else if audio::is_opus(&path) {
        ("opus", Coding::OggOpus, None)
    } else {
        ("wav", Coding::Pcm16, None)
    };
    io::Seek::rewind(&mut file)?;
    let (bytes, sha256) = hash(&mut file)?;
    let manifest = Manifest {
        version: VERSION,
        recording,
        tenant: recording.tenant,
        call: entry.call,
        parties: entry.parties.clone(),
        started: rfc3339(entry.started.0),
        ended: rfc3339(entry.started.0.saturating_add(i64::try_from(entry.length_ms).unwrap_or(0))),
        format: format.to_owned(),
        codec: match coding {
            Coding::Pcm16 => "pcm_s16le",
            Coding::OggOpus => "opus",
        }
        .to_owned(),
        channels: FORM.channels,
        sample_rate: rate,
        length_ms: entry.length_ms,
        dropped_ms: entry.dropped_ms,
        pauses: entry.pauses.clone(),
        key,
        file: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        bytes,
        sha256,
    };
    let to = path_of(&keeping.dir, recording);
    let beside = to.with_extension("json.part");
    let text = serde_json::to_vec_pretty(&manifest)?;
    let mut part = File::create(&beside)?;
    part.write_all(&text)?;
    part.write_all(b"\n")?;
    part.sync_all()?;
    std::fs::rename(&beside, &to)?;
    Ok(manifest)
}

/// Checks a recording's file, or its manifest, against each other; what is sealed is opened, too, if its key is among
/// `keys`. Says in words what was found.
///
/// # Errors
/// They do not agree, or cannot be read.
pub fn verify(file: &Path, keys: &[MasterKey]) -> Result<String, VerifyError> {
    let manifest = read_at(&file.with_extension("json"))?;
    let audio = file.with_file_name(&manifest.file);
    let io = |why| VerifyError::Io(audio.clone(), why);
    let mut opened = File::open(&audio).map_err(io)?;
    let (found, sha256) = hash(&mut opened).map_err(io)?;
    if found != manifest.bytes {
        return Err(VerifyError::Length { expected: manifest.bytes, found });
    }
    if sha256 != manifest.sha256 {
        return Err(VerifyError::Hash { expected: manifest.sha256, found: sha256 });
    }
    let mut told = format!("{}: {found} bytes, SHA-256 {sha256}", audio.display());
    if let Some(key) = &manifest.key {
        match keys.iter().any(|known| known.id == *key) {
            true => {
                io::Seek::rewind(&mut opened).map_err(io)?;
                let ending = open_all(opened, keys).map_err(VerifyError::Sealed)?;
                told += &format!("; sealed with the key {key:?}, every chunk is whole");
                told += if ending.cut { "; a restart had cut it" } else { "" };
            }
            false => {
                told +=
                    &format!("; sealed with the key {key:?}, which was not given: its chunks were not opened")
            }
        }
    }
    Ok(told)
}

fn open_all(file: File, keys: &[MasterKey]) -> Result<sealed::Ending, SealError> {
    let mut unsealer = Unsealer::open(io::BufReader::new(file), keys)?;
    let mut audio = Vec::new();
    while unsealer.next(&mut audio)? {}
    unsealer.ending().ok_or(SealError::Cut)
}

/// Milliseconds of audio that a file holds; nothing if it cannot be read.
pub fn length_ms(keeping: &Keeping, recording: RecordingId) -> u64 {
    let Some(path) = found_file(&keeping.dir, recording) else {
        return 0;
    };
    let told = if audio::is_sealed(&path) {
        audio::sealed_ms(&path, &keeping.keys).ok()
    } else if audio::is_opus(&path) {
        whole(&path).ok().map(|found| found.ms)
    } else {
        let len = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let form = audio::rate(&path, &keeping.keys).map(|rate| Form { rate, ..FORM });
        form.ok().map(|form| form.ms(len.saturating_sub(WavWriterState::HEADER_LEN as u64)))
    };
    told.unwrap_or(0)
}
