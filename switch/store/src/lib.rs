//! What must survive: the journal, which is the truth, and the database, which answers questions.
//!
//! **Invariant: a record is dropped from the journal only after the database has committed it, or
//! after nothing that is alive needs it.** So a crash at any moment, and a database that is down for
//! any time, lose no call record and double none.
//!
//! [`journal`] is an append-only file, written by one thread in batches, before the moment it speaks
//! of (a 200 is sent, a last BYE is sent). It uses the standard library alone. [`db`] is SQLite
//! behind a bounded queue and one write connection; it is never on the path of a call. [`events`] keeps the last hour of
//! each tenant's stream in segments.
//!
//! The way of one start, as `node` walks it:
//!
//! 1. [`Journal::open`] reads the file and gives [`Recovered`]: what was alive, and what was closed
//!    since the last compaction.
//! 2. [`lost_by_restart`] makes the records of the interrupted calls, [`cut_intervals`] ends the stretches of agents' work.
//! 3. [`Journal::into_writer`] compacts and gives the [`Writer`]. The records of step 2 are appended
//!    as `CallClosed` and committed at once: from here a second crash finds them closed.
//! 4. All closed records are given to [`Store`]; every write there is idempotent by id.
//! 5. [`Store`] says what is committed ([`Stored`]); that is told to [`Writer::stored`], and the next
//!    compaction leaves it out.
//!
//! Deliberately absent: reading the journal while it is written, several journals for one switch,
//! and any query without a tenant.

pub mod db;
pub mod events;
pub mod journal;

#[cfg(test)]
mod scratch;

pub use db::{
    CdrFilter, CdrPage, ChatFilter, ChatPage, Cursor, REPORT_MAX, RecordingFilter, RecordingPage, RowCursor,
    RowFilter, RowPage, Store, StoreError, StoreOptions, StoreStatus, Stored,
};
pub use journal::{
    AgentRecord, AskedCall, Damage, Fault, Journal, JournalError, JournalOptions, OpenCall, OpenLeg,
    OpenRecording, QueueEntry, Recovered, Talk, Writer, WriterStats, cut_intervals, lost_by_restart,
};
