//! The sealed form of a recording: its audio in chunks, each encrypted and authenticated with AES-256-GCM.
//!
//! ```text
//! file   = header *chunk
//! header = "CORDREC1" format(1) channels(1) rate(4) idlen(1) id salt(32) check(16)
//! chunk  = number(8) kind(1) length(4) ciphertext(length) tag(16)
//! ```
//!
//! Numbers are big-endian. The key of a file is derived from the configured key and the file's salt (HKDF, SHA-256), so
//! no two files share one, and `number`, which is never used twice in a file, is the nonce. Header, number, kind and
//! length are authenticated with each chunk. Numbers go up by one; where a disk refused some, a chunk of the kind `gap`
//! says how many and how much silence stands in their place. The last chunk says how long the whole is.
//!
//! Invariant: what can be read is what was written, in order and from the beginning: a chunk that is changed, moved, left
//! out or taken from another file is an error, and a file without its last chunk is known to be cut. A file that was
//! cut by a crash has all its whole chunks.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use std::fmt;
use std::io::{self, Read};

/// How a sealed file begins.
const MAGIC: &[u8; 8] = b"CORDREC1";
/// What a file's two keys are derived for.
const KEY_INFO: &[&[u8]] = &[b"cordboard recording key"];
const CHECK_INFO: &[&[u8]] = &[b"cordboard recording check"];
const SALT: usize = 32;
const CHECK: usize = 16;
const TAG: usize = 16;
/// Bytes of a chunk before its ciphertext.
const CHUNK_HEAD: usize = 13;
/// Longest chunk that is read: many times what is written, for the length is not authenticated before it is read.
const CHUNK_MAX: usize = 1 << 20;
/// Longest name of a key, bytes.
pub const KEY_ID_MAX: usize = 64;
/// Length of a chunk that ends a file.
const END_LEN: usize = CHUNK_HEAD + 9 + TAG;

/// What a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Audio,
    /// Chunks that the disk refused: how many, and bytes of silence.
    Gap,
    /// Bytes of audio in all, and whether a crash had cut the file.
    End,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Kind::Audio => 0,
            Kind::Gap => 1,
            Kind::End => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Kind::Audio, Kind::Gap, Kind::End].into_iter().find(|kind| kind.code() == code)
    }
}

/// Why a sealed file cannot be read.
#[derive(Debug)]
pub enum SealError {
    /// It is not a sealed recording, or of a later version.
    NotSealed,
    /// The key of this name is not configured.
    UnknownKey(String),
    /// The key of this name is another one than it was sealed with.
    WrongKey(String),
    /// A chunk is not what was written: changed, moved or left out. Its place in the file.
    Damaged(u64),
    /// The file ends without its last chunk: the switch was killed, or somebody has cut it.
    Cut,
    /// The file cannot be read or written.
    Io(io::Error),
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SealError::NotSealed => write!(f, "not a sealed recording"),
            SealError::UnknownKey(id) => {
                write!(f, "sealed with the key {id:?}, which [recordings.keys] does not have")
            }
            SealError::WrongKey(id) => {
                write!(f, "the key {id:?} of [recordings.keys] is not the one it was sealed with")
            }
            SealError::Damaged(at) => write!(f, "the chunk at byte {at} was changed, moved or left out"),
            SealError::Cut => write!(f, "cut: the last chunk is missing; what comes before it is whole"),
            SealError::Io(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for SealError {}

impl From<io::Error> for SealError {
    fn from(why: io::Error) -> Self {
        SealError::Io(why)
    }
}

impl From<SealError> for io::Error {
    fn from(why: SealError) -> Self {
        match why {
            SealError::Io(why) => why,
            other => io::Error::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// A key of the configuration, by its name. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    /// Its name, which stands in every file that is sealed with it.
    pub id: String,
    bytes: [u8; 32],
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id).finish_non_exhaustive()
    }
}

struct Bytes(usize);

impl KeyType for Bytes {
    fn len(&self) -> usize {
        self.0
    }
}

fn broken<E>(_: E) -> SealError {
    SealError::Io(io::Error::other("the cipher refused"))
}

impl MasterKey {
    /// A key of 32 bytes.
    pub fn new(id: String, bytes: [u8; 32]) -> Self {
        Self { id, bytes }
    }

    /// The key of one file, and what tells that it is the right one.
    fn of_file(&self, salt: &[u8]) -> Result<(LessSafeKey, [u8; CHECK]), SealError> {
        let derived = Salt::new(HKDF_SHA256, salt).extract(&self.bytes);
        let key = derived.expand(KEY_INFO, &AES_256_GCM).map_err(broken)?;
        let key = LessSafeKey::new(UnboundKey::from(key));
        let mut check = [0; CHECK];
        let told = derived.expand(CHECK_INFO, Bytes(CHECK)).map_err(broken)?;
        told.fill(&mut check).map_err(broken)?;
        Ok((key, check))
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// What is sealed: the byte `format` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Interleaved samples of 16 bits, little-endian: 1.
    Pcm16,
    /// An Ogg file with Opus (RFC 7845): 2.
    OggOpus,
}

impl Coding {
    fn code(self) -> u8 {
        match self {
            Coding::Pcm16 => 1,
            Coding::OggOpus => 2,
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Coding::Pcm16, Coding::OggOpus].into_iter().find(|coding| coding.code() == code)
    }
}

/// What the audio of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// What was sealed.
    pub coding: Coding,
    /// Channels, interleaved.
    pub channels: u8,
    /// Samples a second.
    pub rate: u32,
}

impl Form {
    /// How long so many bytes of samples of 16 bits play.
    pub fn ms(self, bytes: u64) -> u64 {
        let second = u64::from(self.rate) * u64::from(self.channels) * 2;
        bytes.saturating_mul(1_000) / second.max(1)
    }
}

/// Seals what is written to one file.
pub struct Sealer {
    key: LessSafeKey,
    header: Vec<u8>,
    /// Of the next chunk.
    number: u64,
    /// Chunks that were refused, and bytes of audio in them.
    refused: (u64, u64),
    /// Audio so far, that which was refused included.
    bytes: u64,
}

impl Sealer {
    /// For a new file. `salt` is random and of this file alone.
    ///
    /// # Errors
    /// The cipher refuses, or the name of the key is too long.
    pub fn new(key: &MasterKey, form: Form, salt: [u8; SALT]) -> Result<Self, SealError> {
        let (file_key, check) = key.of_file(&salt)?;
        let id_len = u8::try_from(key.id.len()).ok().filter(|len| usize::from(*len) <= KEY_ID_MAX);
        let mut header = MAGIC.to_vec();
        header.extend([form.coding.code(), form.channels]);
        header.extend(form.rate.to_be_bytes());
        header.push(id_len.ok_or(SealError::NotSealed)?);
        header.extend(key.id.as_bytes());
        header.extend(salt);
        header.extend(check);
        Ok(Self { key: file_key, header, number: 0, refused: (0, 0), bytes: 0 })
    }

    /// What stands before the first chunk.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Audio so far, bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn chunk(&mut self, kind: Kind, plain: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        let len = u32::try_from(plain.len()).map_err(broken)?;
        let begin = out.len();
        out.extend(self.number.to_be_bytes());
        out.push(kind.code());
        out.extend(len.to_be_bytes());
        let aad = [&self.header[..], &out[begin..]].concat();
        let number = self.number;
        // Counted before it is used: whatever becomes of this chunk, its number is never used again.
        self.number += 1;
        let text = out.len();
        out.extend(plain);
        let sealed = self.key.seal_in_place_separate_tag(nonce(number), Aad::from(aad), &mut out[text..]);
        out.extend(sealed.map_err(broken)?.as_ref());
        Ok(())
    }

    /// Appends to `out` what is to be written for the next samples.
    ///
    /// # Errors
    /// The cipher refuses.
    pub fn audio(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        self.gap(out)?;
        self.bytes += plain.len() as u64;
        self.chunk(Kind::Audio, plain, out)
    }

    fn gap(&mut self, out: &mut Vec<u8>) -> Result<(), SealError> {
        let (chunks, bytes) = self.refused;
        if chunks == 0 {
            return Ok(());
        }
        let plain = [chunks.to_be_bytes(), bytes.to_be_bytes()].concat();
        self.chunk(Kind::Gap, &plain, out)
    }

    /// What `audio` gave since `number` was that is in the file.
    pub fn taken(&mut self) {
        self.refused = (0, 0);
    }

    /// It is not: `bytes` of audio become silence.
    pub fn was_refused(&mut self, from: u64, bytes: usize) {
        let (chunks, silent) = self.refused;
        self.refused = (chunks + (self.number - from), silent + bytes as u64);
    }

    /// It is not, and nothing stands in its place: it will be told in another way.
    pub fn was_left_out(&mut self, from: u64, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes as u64);
        self.was_refused(from, 0);
    }

    /// The number of the next chunk.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Appends the last chunk. `cut`: a crash had ended the recording.
    ///
    /// # Errors
    /// The cipher refuses.
    pub fn end(&mut self, cut: bool, out: &mut Vec<u8>) -> Result<(), SealError> {
        self.gap(out)?;
        let mut plain = self.bytes.to_be_bytes().to_vec();
        plain.push(u8::from(cut));
        self.chunk(Kind::End, &plain, out)
    }
}

/// How a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Bytes of audio.
    pub bytes: u64,
    /// A crash had ended it.
    pub cut: bool,
}

/// Reads a sealed file from its beginning.
pub struct Unsealer<R> {
    from: R,
    key: LessSafeKey,
    header: Vec<u8>,
    /// The name of its key.
    pub key_id: String,
    /// What its audio is.
    pub form: Form,
    number: u64,
    /// Where the next chunk begins.
    at: u64,
    /// Audio so far.
    bytes: u64,
    /// Silence of a gap that is still to be given.
    silence: u64,
    ending: Option<Ending>,
}

fn header_of(from: &mut impl Read) -> Result<(Vec<u8>, Form, String), SealError> {
    let mut fixed = [0; 15];
    from.read_exact(&mut fixed).map_err(|_| SealError::NotSealed)?;
    let [magic @ .., format, channels, r0, r1, r2, r3, id_len] = fixed;
    if magic != *MAGIC || usize::from(id_len) > KEY_ID_MAX {
        return Err(SealError::NotSealed);
    }
    let coding = Coding::of(format).ok_or(SealError::NotSealed)?;
    let mut rest = vec![0; usize::from(id_len) + SALT + CHECK];
    from.read_exact(&mut rest).map_err(|_| SealError::NotSealed)?;
    let id = rest.get(..usize::from(id_len)).and_then(|id| std::str::from_utf8(id).ok());
    let id = id.ok_or(SealError::NotSealed)?.to_owned();
    let form = Form { coding, channels, rate: u32::from_be_bytes([r0, r1, r2, r3]) };
    Ok(([&fixed[..], &rest].concat(), form, id))
}

impl<R: Read> Unsealer<R> {
    /// Reads the header and finds the key.
    ///
    /// # Errors
    /// It is no sealed file, or its key is not among `keys`.
    pub fn open(mut from: R, keys: &[MasterKey]) -> Result<Self, SealError> {
        let (header, form, key_id) = header_of(&mut from)?;
        let Some(key) = keys.iter().find(|key| key.id == key_id) else {
            return Err(SealError::UnknownKey(key_id));
        };
        let salt = header.get(header.len() - SALT - CHECK..header.len() - CHECK).unwrap_or_default();
        let (key, check) = key.of_file(salt)?;
        if header.last_chunk::<CHECK>() != Some(&check) {
            return Err(SealError::WrongKey(key_id));
        }
        let at = header.len() as u64;
        Ok(Self { from, key, header, key_id, form, number: 0, at, bytes: 0, silence: 0, ending: None })
    }

    /// How it ended, once that was read.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Where the next chunk begins: up to here the file is whole.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next audio, in `out`: a chunk's, or up to as much silence of a gap as a chunk may have. False at the end.
    ///
    /// # Errors
    /// The file is damaged, cut, or cannot be read.
    pub fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, SealError> {
        out.clear();
        if self.ending.is_some() {
            return Ok(false);
        }
        if self.silence > 0 {
            return Ok(self.give_silence(out));
        }
        let (number, kind) = self.chunk(out)?;
        let damaged = SealError::Damaged(self.at);
        let (mut missing, mut silence) = (0, 0);
        if kind == Kind::Gap {
            let (Some(chunks), Some(bytes)) = (out.first_chunk::<8>(), out.last_chunk::<8>()) else {
                return Err(damaged);
            };
            (missing, silence) = (u64::from_be_bytes(*chunks), u64::from_be_bytes(*bytes));
        }
        if self.number.checked_add(missing) != Some(number) {
            return Err(damaged);
        }
        self.at += (CHUNK_HEAD + out.len() + TAG) as u64;
        self.number = number + 1;
        match kind {
            Kind::Audio => self.bytes += out.len() as u64,
            Kind::Gap => {
                (self.bytes, self.silence) = (self.bytes.saturating_add(silence), silence);
                return Ok(self.give_silence(out));
            }
            Kind::End => return self.at_end(out, damaged),
        }
        Ok(true)
    }

    fn give_silence(&mut self, out: &mut Vec<u8>) -> bool {
        let some = self.silence.min(CHUNK_MAX as u64);
        self.silence -= some;
        out.clear();
        out.resize(some as usize, 0);
        true
    }

    fn at_end(&mut self, out: &mut Vec<u8>, damaged: SealError) -> Result<bool, SealError> {
        let told = out.first_chunk::<8>().map(|told| u64::from_be_bytes(*told));
        if told != Some(self.bytes) || self.from.read(&mut [0])? != 0 {
            return Err(damaged);
        }
        self.ending = Some(Ending { bytes: self.bytes, cut: out.last() == Some(&1) });
        out.clear();
        Ok(false)
    }

    /// Reads one chunk into `out`.
    fn chunk(&mut self, out: &mut Vec<u8>) -> Result<(u64, Kind), SealError> {
        let mut head = [0; CHUNK_HEAD];
        self.fill(&mut head)?;
        let [number @ .., code, l0, l1, l2, l3] = head;
        let (number, len) = (u64::from_be_bytes(number), u32::from_be_bytes([l0, l1, l2, l3]) as usize);
        let kind = Kind::of(code).filter(|_| len <= CHUNK_MAX).ok_or(SealError::Damaged(self.at))?;
        out.resize(len + TAG, 0);
        self.fill(out)?;
        let aad = [&self.header[..], &head].concat();
        let opened = self.key.open_in_place(nonce(number), Aad::from(aad), out);
        opened.map_err(|_| SealError::Damaged(self.at))?;
        out.truncate(len);
        Ok((number, kind))
    }

    fn fill(&mut self, buf: &mut [u8]) -> Result<(), SealError> {
        self.from.read_exact(buf).map_err(|why| match why.kind() {
            io::ErrorKind::UnexpectedEof => SealError::Cut,
            _ => SealError::Io(why),
        })
    }

    /// What continues a file that was cut after its last whole chunk.
    pub fn into_sealer(self) -> Sealer {
        let Self { key, header, number, bytes, .. } = self;
        Sealer { key, header, number, refused: (0, 0), bytes }
    }
}

/// How long the audio of a whole file is, from its last chunk alone.
///
/// # Errors
/// As [`Unsealer::next`].
pub fn length(file: &std::fs::File, keys: &[MasterKey]) -> Result<(Form, Ending), SealError> {
    use std::os::unix::fs::FileExt;
    let unsealer = Unsealer::open(file, keys)?;
    let size = file.metadata()?.len();
    let at = size.checked_sub(END_LEN as u64).filter(|at| *at >= unsealer.at).ok_or(SealError::Cut)?;
    let mut last = [0; END_LEN];
    file.read_exact_at(&mut last, at)?;
    let (head, text) = last.split_at_mut(CHUNK_HEAD);
    let number = head.first_chunk::<8>().map_or(0, |number| u64::from_be_bytes(*number));
    if head.get(8) != Some(&Kind::End.code()) {
        return Err(SealError::Cut);
    }
    let aad = [&unsealer.header[..], head].concat();
    let plain =
        unsealer.key.open_in_place(nonce(number), Aad::from(aad), text).map_err(|_| SealError::Cut)?;
    let bytes = plain.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    Ok((unsealer.form, Ending { bytes, cut: plain.last() == Some(&1) }))
}

#[cfg(test)]
mod tests;
