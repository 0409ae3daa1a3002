//! Writing the journal: group commit, sync by interval, compaction.

use super::frame::{self, EncodeError, HEADER};
use super::index::{Index, Place};
use super::{FILE, Journal, JournalError, JournalOptions, NEW_FILE, sync_dir};
use crate::db::Stored;
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::{Time, Wall};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Most bytes of one batch.
const BATCH_MAX: usize = 16 << 20;

/// What the writer has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Records taken.
    pub records: u64,
    /// Batches written.
    pub commits: u64,
    /// Calls of fsync.
    pub syncs: u64,
    /// Compactions.
    pub compactions: u64,
    /// Bytes the file has now.
    pub size: u64,
    /// Closing records that wait for the database's confirmation.
    pub unstored: u64,
}

/// Writes the journal. Owned by one thread, which drives it so:
///
/// ```text
/// loop {
///     take all that waits in the lane: append() each
///     commit(now)            one write(2); now tell those who wait for their records
///     sync_if_due(now)
///     compact_if_due()
///     sleep until the lane wakes it or next_sync()
/// }
/// at the end: commit, sync
/// ```
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    file: File,
    _lock: File,
    options: JournalOptions,
    index: Index,
    /// End of what is committed; the next batch is written there.
    size: u64,
    batch: Vec<u8>,
    /// When the oldest committed byte that is not synced was committed.
    unsynced: Option<Time>,
    compact_at: u64,
    stats: WriterStats,
}

impl Writer {
    pub(super) fn new(journal: Journal) -> Self {
        Writer {
            dir: journal.dir,
            file: journal.file,
            _lock: journal.lock,
            options: journal.options,
            index: journal.index,
            size: journal.size,
            batch: Vec::with_capacity(64 << 10),
            unsynced: None,
            compact_at: journal.options.compact_at,
            stats: WriterStats::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// Adds a record to the batch. `at` is the wall time; it becomes the time of a dialog's
    /// confirmation and end in the record of an interrupted call.
    ///
    /// On an error the record was not taken and the batch is as it was.
    pub fn append(&mut self, record: &JournalRecord, at: Wall) -> Result<(), JournalError> {
        let begin = self.batch.len();
        if begin >= BATCH_MAX {
            return Err(JournalError::BatchFull);
        }
        frame::encode(record, at, &mut self.batch).map_err(|e| match e {
            EncodeError::TooLong(bytes) => JournalError::RecordTooLong { bytes },
            EncodeError::Json(e) => JournalError::Unwritable(e.to_string()),
        })?;
        let place = Place { offset: self.size + begin as u64, length: (self.batch.len() - begin) as u32 };
        self.index.take(place, at, record);
        self.stats.records += 1;
        Ok(())
    }

    /// Whether a batch waits to be committed.
    pub fn has_batch(&self) -> bool {
        !self.batch.is_empty()
    }

    /// Writes the batch with one write(2), more only if the system takes it in parts. Gives the
    /// number of bytes. On an error the whole batch is kept, and the next commit writes it at the
    /// same place: a half-written batch is never followed by another.
    pub fn commit(&mut self, now: Time) -> Result<usize, JournalError> {
        if self.batch.is_empty() {
            return Ok(0);
        }
        let written = self.batch.len();
        self.file
            .write_all_at(&self.batch, self.size)
            .map_err(|e| JournalError::io("write", &self.path(), e))?;
        self.size += written as u64;
        self.batch.clear();
        // A batch with one very long record must not hold its memory for ever.
        self.batch.shrink_to(1 << 20);
        self.unsynced.get_or_insert(now);
        self.stats.commits += 1;
        Ok(written)
    }

    /// When the next sync is due; none if all is synced.
    pub fn next_sync(&self) -> Option<Time> {
        self.unsynced.map(|since| since + self.options.sync_every)
    }

    /// Syncs if the oldest commit has waited long enough; says whether it did.
    pub fn sync_if_due(&mut self, now: Time) -> Result<bool, JournalError> {
        match self.next_sync() {
            Some(due) if due <= now => self.sync().map(|()| true),
            _ => Ok(false),
        }
    }

    /// Makes all that is committed survive a power cut. After an error the disk must be taken as
    /// failing: what it has forgotten it does not say.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if self.unsynced.is_none() {
            return Ok(());
        }
        self.file.sync_data().map_err(|e| JournalError::io("sync", &self.path(), e))?;
        self.unsynced = None;
        self.stats.syncs += 1;
        Ok(())
    }

    /// Says that the database has committed a record; the next compaction leaves it out.
    pub fn stored(&mut self, what: Stored) {
        match what {
            Stored::Cdr(call) => self.index.call_stored(call),
            Stored::Recording(recording) => self.index.recording_stored(recording),
            Stored::WrapUp(call, at) => self.index.wrap_up_stored(call, at),
            Stored::Interval(interval) => self.index.interval_stored(interval),
            Stored::Chat(chat, version) => self.index.chat_stored(chat, version),
        }
    }

    /// What was done so far.
    pub fn stats(&self) -> WriterStats {
        WriterStats { size: self.size, unstored: self.index.unstored() as u64, ..self.stats }
    }

    /// Compacts if the file has grown over its limit; says whether it did. A failure leaves the
    /// journal as it was, and the next attempt comes after as much growth again.
    pub fn compact_if_due(&mut self) -> Result<bool, JournalError> {
        if self.size <= self.compact_at || self.has_batch() {
            return Ok(false);
        }
        match self.compact() {
            Ok(()) => Ok(true),
            Err(e) => {
                self.compact_at = self.size + self.options.compact_at;
                Err(e)
            }
        }
    }

    pub(super) fn compact_if_dead(&mut self) -> Result<(), JournalError> {
        let live: u64 = self.index.places().iter().map(|p| u64::from(p.length)).sum();
        if live + HEADER.len() as u64 == self.size {
            return Ok(());
        }
        self.compact()
    }

    /// Writes what is alive into a new file and puts it in the journal's place. Needs an empty
    /// batch; with one that waits it does nothing.
    pub fn compact(&mut self) -> Result<(), JournalError> {
        if self.has_batch() {
            return Ok(());
        }
        let new = self.dir.join(NEW_FILE);
        let written = self.write_live(&new);
        let (file, size) = match written {
            Ok(written) => written,
            Err(e) => {
                // Space for the records themselves matters more than this file.
                let _ = fs::remove_file(&new);
                return Err(JournalError::io("compact", &new, e));
            }
        };
        let path = self.path();
        fs::rename(&new, &path).map_err(|e| JournalError::io("rename", &new, e))?;
        self.file = file;
        self.size = size;
        self.index.moved(HEADER.len() as u64);
        self.unsynced = None;
        self.stats.compactions += 1;
        self.compact_at = self.options.compact_at.max(size.saturating_mul(2));
        sync_dir(&self.dir)
    }

    fn write_live(&mut self, new: &std::path::Path) -> io::Result<(File, u64)> {
        let file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(new)?;
        let mut out = BufWriter::with_capacity(256 << 10, &file);
        out.write_all(HEADER)?;
        let mut size = HEADER.len() as u64;
        let mut line = Vec::new();
        for place in self.index.places() {
            line.resize(place.length as usize, 0);
            self.file.read_exact_at(&mut line, place.offset)?;
            // A disk that gives back other bytes than it was given must not be copied from.
            if frame::decode(&line).is_err() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the record at offset {} reads back damaged", place.offset),
                ));
            }
            out.write_all(&line)?;
            size += u64::from(place.length);
        }
        out.flush()?;
        drop(out);
        file.sync_all()?;
        Ok((file, size))
    }

    #[cfg(test)]
    pub(super) fn swap_file(&mut self, file: File) -> File {
        core::mem::replace(&mut self.file, file)
    }
}
