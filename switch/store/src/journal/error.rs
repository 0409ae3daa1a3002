//! What can go wrong with the journal: always the machine's or the operator's fault, never a caller's.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why the journal could not be opened or written.
#[derive(Debug)]
pub enum JournalError {
    /// Another process has this journal open.
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The file was written by a later version of Cordboard.
    Newer {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: u32,
        /// The format this version knows.
        known: u32,
    },
    /// No space is left, or a quota or file size limit is reached. The batch is kept and the next
    /// commit tries again.
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    Io {
        /// What was tried, as a verb: `write`, `open` ...
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A record is longer than 4 MiB; it was not taken.
    RecordTooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The batch is at its limit: commit before appending more.
    BatchFull,
    /// A record cannot be written as JSON; a fault of ours. It was not taken.
    Unwritable(String),
}

impl JournalError {
    /// An error of the operating system, with "no space" told apart.
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match source.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => JournalError::DiskFull { path: path.to_owned() },
            _ => JournalError::Io { doing, path: path.to_owned(), source },
        }
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JournalError::InUse { dir } => {
                write!(f, "the journal in {} is in use by another process", dir.display())
            }
            JournalError::Newer { path, found, known } => {
                write!(f, "{} has journal format {found}; this version knows {known}", path.display())
            }
            JournalError::DiskFull { path } => {
                write!(f, "no space left for the journal {}", path.display())
            }
            JournalError::Io { doing, path, source } => {
                write!(f, "cannot {doing} {}: {source}", path.display())
            }
            JournalError::RecordTooLong { bytes } => {
                write!(f, "a journal record of {bytes} bytes is too long")
            }
            JournalError::BatchFull => write!(f, "the journal's batch is full"),
            JournalError::Unwritable(why) => write!(f, "a journal record cannot be written: {why}"),
        }
    }
}

impl std::error::Error for JournalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            JournalError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
