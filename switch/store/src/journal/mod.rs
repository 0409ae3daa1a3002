//! The journal: an append-only file of what was accepted, written before it is done.
//!
//! **Invariant: what [`Writer::commit`] has returned from is read back by [`Journal::open`] after the
//! process is killed at any moment; what [`Writer::sync`] has returned from, also after the machine is.**
//!
//! The file is text, one record per line with length, checksum and stamp, so that an operator can
//! read it with a pager. A kill leaves at most a torn last line, which is cut off. Damage in the
//! middle (a failing disk) is named with its offset and skipped, and the damaged file is kept.
//!
//! A compaction writes what is alive into a new file, syncs it, renames it over the old one and syncs
//! the folder: a kill in between leaves the old file or the new one, whole.
//!
//! Deliberately absent: a thread and a clock. `node` drives [`Writer`] from a lane on its own thread.

mod crc;
mod error;
mod fold;
mod frame;
mod index;
mod lost;
mod scan;
mod writer;

#[cfg(test)]
mod bar_tests;
#[cfg(test)]
mod chat_tests;
#[cfg(test)]
mod interval_tests;
#[cfg(test)]
mod tests;

use cordboard_model::time::Duration;
use fold::Fold;
use index::{Index, Place};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use crc::crc32;
pub use error::JournalError;
pub use fold::{
    AgentRecord, AskedCall, ChangedRow, Counted, OpenCall, OpenLeg, OpenRecording, QueueEntry, Recovered,
    Talk,
};
pub use frame::Fault;
pub use lost::{cut_intervals, lost_by_restart};
pub use scan::Damage;
pub use writer::{Writer, WriterStats};

use crate::db::Stored;

/// The journal's file in its folder.
const FILE: &str = "journal.log";
/// The file a compaction writes before it takes the journal's place.
const NEW_FILE: &str = "journal.new";
/// Held locked as long as a process has the journal open.
const LOCK_FILE: &str = "journal.lock";
/// Most damaged files that are kept.
const KEPT_MAX: u32 = 16;

/// What the operator may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalOptions {
    /// Longest time a committed record waits for fsync; 20 ms. Zero syncs with every commit.
    pub sync_every: Duration,
    /// The file is compacted when it exceeds this many bytes; 16 MiB. When more than half of that
    /// is alive, at twice what is alive.
    pub compact_at: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { sync_every: Duration::from_millis(20), compact_at: 16 << 20 }
    }
}

/// A journal that has been read and is not written yet.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    file: File,
    /// Keeps other processes out until it is dropped.
    lock: File,
    options: JournalOptions,
    index: Index,
    size: u64,
    /// Whether bytes were skipped that the next compaction must not carry on.
    damaged: bool,
}

impl Journal {
    /// Opens the journal in `dir` with the default options, making both if they do not exist.
    pub fn open(dir: &Path) -> Result<(Journal, Recovered), JournalError> {
        Journal::open_with(dir, JournalOptions::default())
    }

    /// Opens the journal in `dir`, making both if they do not exist. Cuts off a torn end.
    pub fn open_with(dir: &Path, options: JournalOptions) -> Result<(Journal, Recovered), JournalError> {
        fs::create_dir_all(dir).map_err(|e| JournalError::io("create", dir, e))?;
        let lock = lock(dir)?;
        // Left by a compaction that was killed; the journal itself is whole.
        let unfinished = dir.join(NEW_FILE);
        match fs::remove_file(&unfinished) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(JournalError::io("remove", &unfinished, e));
            }
            _ => {}
        }
        let path = dir.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(JournalError::io("read", &path, e)),
        };
        let (mut fold, mut index) = (Fold::default(), Index::default());
        let scanned = scan::scan(&bytes, |offset, length, at, record| {
            index.take(Place { offset, length }, at, &record);
            fold.take(at, record);
        });
        let scanned = scanned.map_err(|scan::Newer(found)| JournalError::Newer {
            path: path.clone(),
            found,
            known: frame::FORMAT,
        })?;
        // A torn write leaves part of a line; a tail with whole lines in it is damage worth keeping.
        let tail = bytes.get(scanned.end..).unwrap_or_default();
        let damaged = !scanned.damage.is_empty() || tail.contains(&b'\n');
        let kept = if damaged { keep(dir)? } else { None };
        let file = open_file(dir, scanned.end)?;
        let size = scanned.end.max(frame::HEADER.len()) as u64;
        let mut recovered = fold.finish(scanned.damage, scanned.torn);
        recovered.kept = kept;
        let damaged = !recovered.damage.is_empty();
        let journal = Journal { dir: dir.to_owned(), file, lock, options, index, size, damaged };
        Ok((journal, recovered))
    }

    /// Says that the database has committed a record: the compaction of [`Journal::into_writer`]
    /// leaves it out.
    pub fn stored(&mut self, what: Stored) {
        match what {
            Stored::Cdr(call) => self.index.call_stored(call),
            Stored::Recording(recording) => self.index.recording_stored(recording),
            Stored::WrapUp(call, at) => self.index.wrap_up_stored(call, at),
            Stored::Interval(interval) => self.index.interval_stored(interval),
            Stored::Chat(chat, version) => self.index.chat_stored(chat, version),
        }
    }

    /// Compacts the file if anything in it is dead, and begins to write.
    pub fn into_writer(self) -> Result<Writer, JournalError> {
        let damaged = self.damaged;
        let mut writer = Writer::new(self);
        if damaged {
            writer.compact()?;
        } else {
            writer.compact_if_dead()?;
        }
        Ok(writer)
    }
}

/// Locks the folder against a second process.
fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join(LOCK_FILE);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| JournalError::io("open", &path, e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(e)) => Err(JournalError::io("lock", &path, e)),
    }
}

/// Opens the journal for writing at `end`, with what follows cut off and the first line in place.
fn open_file(dir: &Path, end: usize) -> Result<File, JournalError> {
    use std::os::unix::fs::FileExt;
    let path = dir.join(FILE);
    let io = |doing| {
        let path = path.clone();
        move |e| JournalError::io(doing, &path, e)
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(io("open"))?;
    file.set_len(end as u64).map_err(io("truncate"))?;
    if end == 0 {
        file.write_all_at(frame::HEADER, 0).map_err(io("write"))?;
    }
    file.sync_all().map_err(io("sync"))?;
    sync_dir(dir)?;
    Ok(file)
}

/// Makes a rename or a new file in `dir` survive a power cut.
fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| JournalError::io("sync", dir, e))
}

/// Keeps a copy of the damaged journal under a name that is free, for the operator. None if there
/// are as many as are kept.
fn keep(dir: &Path) -> Result<Option<PathBuf>, JournalError> {
    for n in 1..=KEPT_MAX {
        let path = dir.join(format!("journal.damaged.{n}"));
        if path.exists() {
            continue;
        }
        fs::copy(dir.join(FILE), &path).map_err(|e| JournalError::io("copy", &path, e))?;
        return Ok(Some(path));
    }
    Ok(None)
}
