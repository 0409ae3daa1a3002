//! A recording's audio as a WAV file, whatever form it lies in.

use crate::recordings::sealed::{self, Ending, MasterKey, SealError, Unsealer};
use cordboard_media::wav::WavWriterState;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// A WAV file made from a sealed one, as it is read.
struct Unsealed {
    from: Unsealer<BufReader<File>>,
    /// What was opened and not read yet: first the header.
    piece: Vec<u8>,
    at: usize,
}

impl Read for Unsealed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            self.at = 0;
            if !self.from.next(&mut self.piece)? {
                return Ok(0);
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        self.at += len;
        Ok(len)
    }
}

/// Length of the WAV file that a recording's file is, or is made into.
///
/// # Errors
/// It is missing, cannot be opened with `keys`, or is cut.
pub fn length(path: &Path, keys: &[MasterKey]) -> Result<u64, SealError> {
    let file = File::open(path)?;
    if !is_sealed(path) {
        return Ok(file.metadata()?.len());
    }
    let (_, Ending { bytes, .. }) = sealed::length(&file, keys)?;
    Ok(bytes + WavWriterState::HEADER_LEN as u64)
}

/// Whether a recording's file is sealed.
pub fn is_sealed(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "sealed")
}

/// The WAV file from byte `from` on.
///
/// # Errors
/// As [`length`].
pub fn open(path: &Path, keys: &[MasterKey], from: u64) -> Result<Box<dyn Read + Send>, SealError> {
    let mut file = File::open(path)?;
    if !is_sealed(path) {
        file.seek(SeekFrom::Start(from))?;
        return Ok(Box::new(file));
    }
    let (_, ending) = sealed::length(&file, keys)?;
    file.rewind()?;
    let mut wav = unsealed(file, keys, ending.bytes)?;
    io::copy(&mut (&mut wav).take(from), &mut io::sink())?;
    Ok(Box::new(wav))
}

fn unsealed(file: File, keys: &[MasterKey], bytes: u64) -> Result<Unsealed, SealError> {
    let from = Unsealer::open(BufReader::new(file), keys)?;
    let piece = WavWriterState::resumed(bytes).header().to_vec();
    Ok(Unsealed { from, piece, at: 0 })
}

/// Writes a sealed file as a WAV file. What is whole of one that was cut or damaged is written, too, and the fault is
/// the answer.
///
/// # Errors
/// The key is not there or the wrong one, the file is cut or damaged, or a disk refuses.
pub fn decrypt(from: &Path, to: &Path, keys: &[MasterKey]) -> Result<u64, SealError> {
    let mut unsealer = Unsealer::open(BufReader::new(File::open(from)?), keys)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(to)?;
    let (mut wav, mut audio) = (WavWriterState::default(), Vec::new());
    io::Write::write_all(&mut file, &wav.header())?;
    let ended = loop {
        match unsealer.next(&mut audio) {
            Ok(true) => {
                io::Write::write_all(&mut file, &audio)?;
                wav.append(audio.len());
            }
            Ok(false) => break Ok(wav.data_bytes()),
            Err(why) => break Err(why),
        }
    };
    file.rewind()?;
    io::Write::write_all(&mut file, &wav.header())?;
    ended
}

/// A kill costs the last write at most.
const TAIL: u64 = 256 * 1024;

fn is_tail(path: &Path, at: u64) -> io::Result<bool> {
    Ok(std::fs::metadata(path)?.len().saturating_sub(at) <= TAIL)
}

/// Ends a sealed file that a crash has cut: what is behind its last whole chunk goes, and a last chunk says so.
///
/// # Errors
/// Its key is not there, or the disk refuses.
pub fn mend(path: &Path, keys: &[MasterKey]) -> Result<(), SealError> {
    use std::os::unix::fs::FileExt;
    let mut unsealer = Unsealer::open(BufReader::new(File::open(path)?), keys)?;
    let mut audio = Vec::new();
    loop {
        match unsealer.next(&mut audio) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // A kill in the middle of a write leaves a part of a chunk, whose end may be anything.
            Err(SealError::Cut | SealError::Damaged(_)) if is_tail(path, unsealer.at())? => break,
            Err(why) => return Err(why),
        }
    }
    let at = unsealer.at();
    let mut sealer = unsealer.into_sealer();
    let mut end = Vec::new();
    sealer.end(true, &mut end)?;
    let file = std::fs::OpenOptions::new().write(true).open(path)?;
    file.set_len(at)?;
    file.write_all_at(&end, at)?;
    Ok(())
}
