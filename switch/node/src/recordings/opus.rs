//! A recording as Opus in Ogg while it grows, in the clear or sealed.

use crate::recordings::audio::TAIL;
use crate::recordings::sealed::{SealError, Sealer};
use crate::recordings::writer::write_at;
use cordboard_media::ogg::{self, OpusFile, Whole};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Silence in place of what was refused is written in pieces of ten minutes at most, seconds.
const SILENCE: u64 = 600;

/// See the module.
pub struct OpusShape {
    ogg: OpusFile,
    sealer: Option<Box<Sealer>>,
    /// Bytes of the file that are good.
    len: u64,
    /// Samples of each channel that were refused since the last write that worked.
    hole: u64,
}

impl OpusShape {
    /// Nothing yet, of samples at `rate` hertz. `serial`: of the stream in the file.
    pub fn new(serial: u32, rate: u32, sealer: Option<Sealer>) -> Self {
        Self { ogg: OpusFile::new(serial, rate), sealer: sealer.map(Box::new), len: 0, hole: 0 }
    }

    /// Samples of each channel that the file stands for.
    pub fn samples(&self) -> u64 {
        self.ogg.samples()
    }

    /// Writes little-endian samples of both channels. What is refused now is silence in what is written next.
    pub fn write(&mut self, file: &mut Option<File>, path: &Path, gathered: &[u8]) -> io::Result<()> {
        let mut done = self.fill(file, path);
        let samples = gathered.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        let pcm: Vec<i16> = samples.collect();
        let (mark, mut pages) = (self.ogg.mark(), Vec::new());
        self.ogg.append(&pcm, &mut pages);
        if done.is_ok() && !pages.is_empty() {
            done = self.put(file, path, &pages);
        }
        if done.is_err() {
            self.hole += self.ogg.back_to(mark);
        }
        done
    }

    /// Silence in place of what was refused.
    fn fill(&mut self, file: &mut Option<File>, path: &Path) -> io::Result<()> {
        while self.hole > 0 {
            let (mark, mut pages) = (self.ogg.mark(), Vec::new());
            let some = self.hole.min(SILENCE * u64::from(self.ogg.rate()));
            self.ogg.silence(some, &mut pages);
            if let Err(why) = self.put(file, path, &pages) {
                self.ogg.back_to(mark);
                return Err(why);
            }
            self.hole -= some;
        }
        Ok(())
    }

    fn put(&mut self, file: &mut Option<File>, path: &Path, pages: &[u8]) -> io::Result<()> {
        let is_first = self.len == 0;
        let mut plain = if is_first { self.ogg.headers() } else { Vec::new() };
        plain.extend_from_slice(pages);
        let Some(sealer) = &mut self.sealer else {
            write_at(file, path, &plain, self.len)?;
            self.len += plain.len() as u64;
            return Ok(());
        };
        let (number, mut out) = (sealer.number(), Vec::with_capacity(plain.len() + 256));
        if is_first {
            out.extend(sealer.header());
        }
        let sealed = sealer.audio(&plain, &mut out).map_err(io::Error::from);
        let done = sealed.and_then(|()| write_at(file, path, &out, self.len));
        match done {
            Ok(()) => {
                self.len += out.len() as u64;
                sealer.taken();
            }
            Err(_) => sealer.was_left_out(number, plain.len()),
        }
        done
    }

    /// The last page, and the last chunk of a sealed file. Nothing is behind it.
    pub fn end(&mut self, file: &mut Option<File>, path: &Path) -> io::Result<()> {
        self.fill(file, path)?;
        let mut pages = Vec::new();
        self.ogg.end(&mut pages);
        self.put(file, path, &pages)?;
        if let Some(sealer) = &mut self.sealer {
            let mut out = Vec::new();
            sealer.end(false, &mut out)?;
            write_at(file, path, &out, self.len)?;
            self.len += out.len() as u64;
        }
        // A write that failed half-way may have left something.
        file.as_ref().map_or(Ok(()), |file| file.set_len(self.len))
    }
}

/// How much of a file is whole.
///
/// # Errors
/// It cannot be read.
pub fn whole(path: &Path) -> io::Result<Whole> {
    Ok(ogg::whole(&std::fs::read(path)?, &mut Vec::new()))
}

/// Ends a file that a crash has cut: what is behind its last whole page goes, and that page is marked as the last.
///
/// # Errors
/// The disk refuses.
pub fn mend(path: &Path) -> Result<(), SealError> {
    let mut last = Vec::new();
    let whole = ogg::whole(&std::fs::read(path)?, &mut last);
    if whole.ended {
        return Ok(());
    }
    let file = std::fs::OpenOptions::new().write(true).open(path)?;
    // What a crash leaves half written is at the end. Behind a page that is damaged further up there is audio.
    if file.metadata()?.len().saturating_sub(whole.len) > TAIL {
        return Err(SealError::Damaged(whole.len));
    }
    file.set_len(whole.len)?;
    file.write_all_at(&last, whole.len.saturating_sub(last.len() as u64))?;
    Ok(())
}
