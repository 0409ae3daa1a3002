//! A recording's audio as a WAV or an Ogg file, whatever form it lies in.

use crate::recordings::opus::mend as mend_ogg;
use crate::recordings::sealed::{self, Coding, Ending, Form, MasterKey, SealError, Unsealer};
use crate::recordings::writer::FORM;
use cordboard_media::ogg;
use cordboard_media::wav::WavWriterState;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// A WAV file, or an Ogg one, made from a sealed one, as it is read.
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

/// Length of the WAV or Ogg file that a recording's file is, or is made into.
///
/// # Errors
/// It is missing, cannot be opened with `keys`, or is cut.
pub fn length(path: &Path, keys: &[MasterKey]) -> Result<u64, SealError> {
    let file = File::open(path)?;
    if !is_sealed(path) {
        return Ok(file.metadata()?.len());
    }
    let (form, Ending { bytes, .. }) = sealed::length(&file, keys)?;
    Ok(bytes + header(form, bytes).len() as u64)
}

/// What stands before the audio of a sealed file when it is a file of its own: Ogg has its headers in it.
fn header(form: Form, bytes: u64) -> Vec<u8> {
    match form.coding {
        Coding::Pcm16 => WavWriterState::resumed(form.rate, bytes).header().to_vec(),
        Coding::OggOpus => Vec::new(),
    }
}

/// The media type of what [`open`] gives.
///
/// # Errors
/// It is missing, or no sealed file.
pub fn media_type(path: &Path, keys: &[MasterKey]) -> Result<&'static str, SealError> {
    let coding = if is_sealed(path) {
        Unsealer::open(File::open(path)?, keys)?.form.coding
    } else if is_opus(path) {
        Coding::OggOpus
    } else {
        Coding::Pcm16
    };
    Ok(match coding {
        Coding::Pcm16 => "audio/wav",
        // RFC 7845 9
        Coding::OggOpus => "audio/ogg; codecs=opus",
    })
}

/// Milliseconds of audio in a sealed file that is whole.
///
/// # Errors
/// It cannot be read or opened.
pub fn sealed_ms(path: &Path, keys: &[MasterKey]) -> Result<u64, SealError> {
    let (form, ending) = sealed::length(&File::open(path)?, keys)?;
    if form.coding == Coding::Pcm16 {
        return Ok(form.ms(ending.bytes));
    }
    let mut plain = Vec::new();
    unsealed(File::open(path)?, keys, ending.bytes)?.read_to_end(&mut plain)?;
    Ok(ogg::whole(&plain, &mut Vec::new()).ms)
}

/// Samples a second of a recording, as its file says; those of the telephone where it says nothing.
///
/// # Errors
/// It cannot be read, or is sealed with a key that is not there.
pub fn rate(path: &Path, keys: &[MasterKey]) -> Result<u32, SealError> {
    if is_sealed(path) {
        return Ok(Unsealer::open(File::open(path)?, keys)?.form.rate);
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    let told = if is_opus(path) { ogg::rate_of(&head) } else { WavWriterState::rate_of(&head) };
    Ok(told.unwrap_or(FORM.rate))
}

/// Whether a recording's file is sealed.
pub fn is_sealed(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "sealed")
}

/// Whether it is an Ogg file in the clear.
pub fn is_opus(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "opus")
}

/// The WAV or Ogg file from byte `from` on.
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
    let piece = header(from.form, bytes);
    Ok(Unsealed { from, piece, at: 0 })
}

/// Writes a sealed file as the WAV or Ogg file that is in it. What is whole of one that was cut or damaged is written, too, and the fault is
/// the answer.
///
/// # Errors
/// The key is not there or the wrong one, the file is cut or damaged, or a disk refuses.
pub fn decrypt(from: &Path, to: &Path, keys: &[MasterKey]) -> Result<u64, SealError> {
    let mut unsealer = Unsealer::open(BufReader::new(File::open(from)?), keys)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(to)?;
    let form = unsealer.form;
    let (mut wav, mut audio) = (WavWriterState::new(form.rate), Vec::new());
    io::Write::write_all(&mut file, &header(form, 0))?;
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
    io::Write::write_all(&mut file, &header(form, wav.data_bytes()))?;
    ended
}

/// Bytes in which the head of a file is, page header of an Ogg file included.
const HEAD: u64 = 512;
/// A kill costs the last write at most.
pub(super) const TAIL: u64 = 256 * 1024;

fn is_tail(path: &Path, at: u64) -> io::Result<bool> {
    Ok(std::fs::metadata(path)?.len().saturating_sub(at) <= TAIL)
}

/// Ends a file that a crash has cut: of a sealed one what is behind its last whole chunk goes, and a last chunk says so; an
/// Ogg file ends with its last whole page; a WAV file is as long as its header says.
///
/// # Errors
/// Its key is not there, or the disk refuses.
pub fn mend(path: &Path, keys: &[MasterKey]) -> Result<(), SealError> {
    use std::os::unix::fs::FileExt;
    if is_opus(path) {
        return mend_ogg(path);
    }
    if !is_sealed(path) {
        return Ok(());
    }
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
