//! What can go wrong with the database: the machine's fault, the operator's, or load.

use core::fmt;
use std::path::{Path, PathBuf};

/// Why the database gave no answer or took no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The file cannot be opened or made.
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite or the system said.
        why: String,
    },
    /// The file was made by a later version of Cordboard.
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema it has.
        found: u32,
        /// What that version calls its last step.
        name: String,
        /// The schema this version knows.
        known: u32,
    },
    /// A step to a new schema failed; the file is as it was.
    Migration {
        /// The step's number.
        number: u32,
        /// Its name.
        name: String,
        /// What SQLite said.
        why: String,
    },
    /// Another process holds the database for too long.
    Locked,
    /// No space is left.
    DiskFull,
    /// The queue of writes is full. The record is in the journal and comes back at the next start.
    QueueFull,
    /// The store is closed.
    Closed,
    /// All connections that read were busy for too long.
    Busy,
    /// A stored record cannot be read.
    Unreadable {
        /// Its id.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// There is one of that name already.
    Exists,
    /// More records than a report may be made of.
    TooMany(u64),
    /// SQLite refused for another reason.
    Database(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Open { path, why } => {
                write!(f, "cannot open the database {}: {why}", path.display())
            }
            StoreError::NewerSchema { path, found, name, known } => write!(
                f,
                "the database {} has schema {found} ({name}); this version knows {known}",
                path.display()
            ),
            StoreError::Migration { number, name, why } => {
                write!(f, "the database's step {number} ({name}) failed: {why}")
            }
            StoreError::Locked => write!(f, "the database is locked by another process"),
            StoreError::DiskFull => write!(f, "no space left for the database"),
            StoreError::QueueFull => write!(f, "the queue to the database is full"),
            StoreError::Closed => write!(f, "the store is closed"),
            StoreError::Busy => write!(f, "every connection to the database is busy"),
            StoreError::Unreadable { id, why } => write!(f, "the record {id} is unreadable: {why}"),
            StoreError::Exists => write!(f, "there is one of that name already"),
            StoreError::TooMany(most) => {
                write!(f, "more than {most} records in this time; take a shorter one")
            }
            StoreError::Database(why) => write!(f, "the database refused: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// SQLite's primary result codes that another attempt may not meet: BUSY, LOCKED, NOMEM, READONLY,
/// INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL.
const TRANSIENT: [i32; 9] = [5, 6, 7, 8, 9, 10, 13, 14, 15];

/// The primary result code, if SQLite gave one (its extended codes hold it in the low byte).
fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<i32>().ok()? & 0xFF)
}

/// Whether the same write may succeed later.
pub(crate) fn is_transient(error: &sqlx::Error) -> bool {
    match code(error) {
        Some(code) => TRANSIENT.contains(&code),
        None => !matches!(
            error,
            sqlx::Error::Encode(_) | sqlx::Error::TypeNotFound { .. } | sqlx::Error::Protocol(_)
        ),
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match (code(&error), &error) {
            (Some(5 | 6), _) => StoreError::Locked,
            (Some(13), _) => StoreError::DiskFull,
            (Some(19), _) => StoreError::Exists,
            (_, sqlx::Error::PoolTimedOut) => StoreError::Busy,
            (_, sqlx::Error::PoolClosed) => StoreError::Closed,
            _ => StoreError::Database(error.to_string()),
        }
    }
}

/// The same for an opening, where the path says more than the kind.
pub(crate) fn opening(path: &Path, error: &sqlx::Error) -> StoreError {
    match code(error) {
        Some(5 | 6) => StoreError::Locked,
        Some(13) => StoreError::DiskFull,
        _ => StoreError::Open { path: path.to_owned(), why: error.to_string() },
    }
}
