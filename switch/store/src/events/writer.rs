//! Writes events, keeps the folders within their bounds, and finds out at the start where the last one left off.

use super::frame::{put, put_end};
use super::reader::{end_of, newest};
use super::{Entry, LEFT_OUT, Segment, file_name, folder, segments};
use cordboard_model::id::TenantId;
use core::time::Duration;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A tenant's segments are this part of all that it may keep, so that what goes at once is little.
const PARTS: u64 = 16;
/// Least size of a segment, bytes.
const SEGMENT_MIN: u64 = 64 << 10;

/// What is kept, and how.
#[derive(Clone, Debug)]
pub struct EventLogOptions {
    /// How long an event is kept.
    pub keep: Duration,
    /// Bytes of a tenant's events, beyond which the oldest go sooner.
    pub size: u64,
}

/// What was found at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whose.
    pub tenant: TenantId,
    /// The last number that is on the disk.
    pub last: u64,
    /// The switch ended in order: nothing came after it.
    pub ended: bool,
}

impl Opened {
    /// The number that the first event of this start comes after.
    pub fn base(&self) -> u64 {
        if self.ended { self.last } else { self.last.saturating_add(LEFT_OUT) }
    }
}

/// The file that a tenant's events go to.
#[derive(Debug)]
struct Tail {
    file: File,
    path: PathBuf,
    /// Bytes that are whole.
    length: u64,
    dirty: bool,
}

#[derive(Debug, Default)]
struct Stream {
    tail: Option<Tail>,
    /// Frames that wait for [`EventLog::flush`].
    pending: Vec<u8>,
    /// The last number that was put.
    last: u64,
    /// The first number in `pending`, if a segment has to be begun for it.
    first: u64,
    /// The last one did not reach the disk: what comes next belongs into another segment.
    broken: bool,
}

/// The writing end.
#[derive(Debug)]
pub struct EventLog {
    dir: PathBuf,
    options: EventLogOptions,
    start: u32,
    streams: BTreeMap<TenantId, Stream>,
}

impl EventLog {
    /// Opens the folder, which is made if it is not there, for the start with this number. Tails that a crash has torn
    /// are cut off.
    ///
    /// # Errors
    /// It cannot be made, read or mended.
    pub fn open(dir: &Path, options: EventLogOptions, start: u32) -> io::Result<(EventLog, Vec<Opened>)> {
        make_folder(dir)?;
        let mut opened = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let named = entry.file_name().to_str().and_then(|name| TenantId::new(name).ok());
            let Some(tenant) = named.filter(|_| entry.path().is_dir()) else { continue };
            opened.extend(mend(&entry.path(), tenant)?);
        }
        opened.sort_by_key(|opened| opened.tenant);
        let log = EventLog { dir: dir.to_owned(), options, start, streams: BTreeMap::new() };
        Ok((log, opened))
    }

    /// Takes an entry; [`EventLog::flush`] writes it. `at` is the wall clock, milliseconds.
    pub fn put(&mut self, tenant: TenantId, entry: &Entry, at: i64) {
        let stream = self.streams.entry(tenant).or_default();
        let (seq, is_state) = (entry.seq(), matches!(entry, Entry::State(_)));
        if stream.pending.is_empty() {
            stream.first = if is_state { seq.saturating_add(1) } else { seq };
        }
        if put(&mut stream.pending, entry, at) {
            stream.last = seq;
        }
    }

    /// Writes what was taken. What cannot be written is dropped, which its readers are told by a hole.
    ///
    /// # Errors
    /// The first of what went wrong; the other tenants' events are written all the same.
    pub fn flush(&mut self) -> io::Result<()> {
        let limit = (self.options.size / PARTS).max(SEGMENT_MIN);
        let mut outcome = Ok(());
        for (tenant, stream) in &mut self.streams {
            if stream.pending.is_empty() {
                continue;
            }
            let folder = folder(&self.dir, *tenant);
            let written = stream.write(&folder, self.start, limit);
            stream.pending.clear();
            if let Err(why) = written {
                stream.broken = true;
                outcome = outcome.and(Err(why));
            }
        }
        outcome
    }

    /// Has the disk keep what was written.
    ///
    /// # Errors
    /// It cannot.
    pub fn sync(&mut self) -> io::Result<()> {
        for tail in self.streams.values_mut().filter_map(|stream| stream.tail.as_mut()) {
            if std::mem::take(&mut tail.dirty) {
                tail.file.sync_data()?;
            }
        }
        Ok(())
    }

    /// Deletes what is too old, or beyond the size, as of `now` on the wall clock, milliseconds.
    ///
    /// # Errors
    /// A folder cannot be read, or a file not be deleted.
    pub fn sweep(&mut self, now: i64) -> io::Result<()> {
        let keep = i64::try_from(self.options.keep.as_millis()).unwrap_or(i64::MAX);
        let oldest = now.saturating_sub(keep);
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let Some(tenant) = entry.file_name().to_str().and_then(|name| TenantId::new(name).ok()) else {
                continue;
            };
            let tail = self.streams.get(&tenant).and_then(|stream| stream.tail.as_ref());
            let tail = tail.map(|tail| tail.path.clone());
            sweep(&entry.path(), tail.as_deref(), oldest, self.options.size)?;
        }
        Ok(())
    }

    /// Says in each stream that the switch ended in order, and that nothing comes after.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn end(mut self) -> io::Result<()> {
        self.flush()?;
        for stream in self.streams.values_mut().filter(|stream| !stream.broken) {
            let Some(tail) = &mut stream.tail else { continue };
            let mut frame = Vec::new();
            put_end(&mut frame, stream.last);
            tail.file.write_all(&frame)?;
            tail.dirty = true;
        }
        self.sync()
    }
}

impl Stream {
    fn write(&mut self, folder: &Path, start: u32, limit: u64) -> io::Result<()> {
        let full = self.tail.as_ref().is_none_or(|tail| tail.length >= limit);
        if full || self.broken {
            if let Some(tail) = self.tail.take().filter(|tail| tail.dirty) {
                tail.file.sync_data()?;
            }
            self.tail = Some(Tail::begin(folder, self.first, start)?);
            self.broken = false;
        }
        let Some(tail) = &mut self.tail else { return Ok(()) };
        tail.dirty = true;
        if let Err(why) = tail.file.write_all(&self.pending) {
            // What is there in part would hide what comes after it.
            let _ = tail.file.set_len(tail.length);
            if tail.length == 0 {
                let _ = fs::remove_file(&tail.path);
            }
            return Err(why);
        }
        tail.length += self.pending.len() as u64;
        Ok(())
    }
}

impl Tail {
    fn begin(folder: &Path, first: u64, start: u32) -> io::Result<Tail> {
        make_folder(folder)?;
        let path = folder.join(file_name(first, start));
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let length = file.metadata()?.len();
        Ok(Tail { file, path, length, dirty: false })
    }
}

fn make_folder(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Cuts off a torn tail, and says where the stream left off; nothing of a folder without segments.
fn mend(folder: &Path, tenant: TenantId) -> io::Result<Option<Opened>> {
    let found = segments(folder)?;
    let Some(newest) = found.last() else { return Ok(None) };
    let (length, last, ended) = end_of(&newest.path, newest.first)?;
    let file = OpenOptions::new().write(true).open(&newest.path)?;
    if file.metadata()?.len() > length {
        file.set_len(length)?;
        file.sync_all()?;
    }
    Ok(Some(Opened { tenant, last, ended }))
}

/// Deletes the oldest segments; never the one that is written.
fn sweep(folder: &Path, tail: Option<&Path>, oldest: i64, size: u64) -> io::Result<()> {
    let found = segments(folder)?;
    let length = |segment: &Segment| fs::metadata(&segment.path).map(|data| data.len()).unwrap_or_default();
    let mut all: u64 = found.iter().map(length).sum();
    for segment in &found {
        let bytes = length(segment);
        let is_old = || newest(&segment.path).map(|at| at.is_none_or(|at| at < oldest));
        if tail == Some(segment.path.as_path()) || (all <= size && !is_old()?) {
            break;
        }
        fs::remove_file(&segment.path)?;
        all = all.saturating_sub(bytes);
    }
    Ok(())
}
