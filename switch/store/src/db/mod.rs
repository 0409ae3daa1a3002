//! The database: SQLite, one connection that writes and a few that only read.
//!
//! **Invariant: no record is reported as [`Stored`] before its transaction is committed and synced,
//! and no question can be asked without a tenant, but whose a key is, and at a start which campaigns there are.**
//!
//! Writes are given to a bounded queue and never waited for. A database that is locked, full or gone
//! has a name in [`StoreStatus::down`]; the writes are tried again while the queue fills, then
//! refused and counted. The journal remains the truth: what was refused comes back at the next start.

mod access;
mod campaigns;
mod chats;
mod error;
mod query;
mod readers;
mod rows;
mod schema;
mod writer;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod campaign_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod rows_tests;
#[cfg(test)]
mod tests;

pub use chats::{ChatFilter, ChatPage};
pub use error::StoreError;
pub use query::{CdrFilter, CdrPage, Cursor, PAGE, PAGE_MAX, RecordingFilter, RecordingPage};
pub use rows::{REPORT_MAX, RowCursor, RowFilter, RowPage};

use cordboard_model::cdr::{Cdr, RecordingEntry};
use cordboard_model::chat::ChatRecord;
use cordboard_model::desk::WrapUp;
use cordboard_model::id::{CallId, IntervalId, RecordingId, TenantId};
use cordboard_model::record::AgentInterval;
use cordboard_model::time::Wall;
use readers::{Reader, Readers};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use writer::{BATCH, Counters, OnStored, Write, Writer};

/// A record that is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A call's record.
    Cdr(CallId),
    /// A recording's entry.
    Recording(RecordingId),
    /// What an agent said of a call at that moment.
    WrapUp(CallId, Wall),
    /// A stretch of an agent's work.
    Interval(IntervalId),
    /// A chat's record, of this version.
    Chat(CallId, u32),
}

/// What the caller may choose.
#[derive(Clone)]
pub struct StoreOptions {
    /// Most writes that wait; 65,536, an hour at twenty calls a second. It takes memory for those that do wait,
    /// some 100 MB for all of them.
    pub queue: usize,
    /// Connections that read; 3. One tenant's questions have all but one of them at most.
    pub readers: u32,
    /// How long SQLite waits for a lock that another process holds; 1 s.
    pub busy: Duration,
    /// How long a question waits for its tenant's turn, and then for a connection that is free; 5 s each.
    pub read_wait: Duration,
    /// Called from the writing task for each committed record. It must not block: hand the id to a
    /// lane. An id that is lost costs a second, idempotent write at the next start.
    pub on_stored: Option<Arc<dyn Fn(Stored) + Send + Sync>>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            queue: 65_536,
            readers: 3,
            busy: Duration::from_secs(1),
            read_wait: Duration::from_secs(5),
            on_stored: None,
        }
    }
}

impl core::fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("StoreOptions")
            .field("queue", &self.queue)
            .field("readers", &self.readers)
            .field("busy", &self.busy)
            .field("read_wait", &self.read_wait)
            .finish_non_exhaustive()
    }
}

/// How the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStatus {
    /// Records committed since the start.
    pub written: u64,
    /// Records refused because the queue was full.
    pub refused: u64,
    /// Records SQLite refused for good; a fault of ours.
    pub failed: u64,
    /// Batches tried again.
    pub retries: u64,
    /// Writes that wait now.
    pub queued: u64,
    /// Why the last write failed, if it did; none once one succeeds.
    pub down: Option<StoreError>,
}

/// How long a question waits for what was given to the writer before it.
const SETTLE: Duration = Duration::from_millis(250);

/// The database. Shared behind an `Arc`; needs a tokio runtime.
#[derive(Debug)]
pub struct Store {
    /// None once closed: the writing task ends when the last sender is gone.
    queue: std::sync::Mutex<Option<mpsc::Sender<Write>>>,
    readers: Readers,
    counters: Arc<Counters>,
    /// Ends the writer's gathering.
    now: Arc<Notify>,
    stop: Arc<AtomicU64>,
    task: Mutex<Option<JoinHandle<()>>>,
}

fn connect_options(path: &Path, busy: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // The journal lets go of a record once it is committed here: the commit must be on the disk.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(busy)
        .disable_statement_logging()
}

impl Store {
    /// Opens the database file with the default options, making it and its folder if they do not
    /// exist, and brings it to the known schema.
    pub async fn open(path: &Path) -> Result<Store, StoreError> {
        Store::open_with(path, StoreOptions::default()).await
    }

    /// The same with chosen options.
    pub async fn open_with(path: &Path, options: StoreOptions) -> Result<Store, StoreError> {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir)
                .map_err(|e| StoreError::Open { path: path.to_owned(), why: e.to_string() })?;
        }
        let failed = |e: sqlx::Error| error::opening(path, &e);
        let write = connect_options(path, options.busy);
        let mut db = write.connect().await.map_err(failed)?;
        schema::migrate(&mut db, path).await?;
        let count = options.readers.max(1);
        let read = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(options.busy)
            .disable_statement_logging();
        let readers = SqlitePoolOptions::new()
            .max_connections(count)
            .acquire_timeout(options.read_wait)
            .connect_with(read)
            .await
            .map_err(failed)?;
        let (queue, receiver) = mpsc::channel(options.queue.max(1));
        let (counters, stop) = (Arc::new(Counters::default()), Arc::new(AtomicU64::new(0)));
        let now = Arc::new(Notify::new());
        let writer = Writer {
            path: path.to_owned(),
            db,
            busy: options.busy,
            counters: Arc::clone(&counters),
            now: Arc::clone(&now),
            on_stored: options.on_stored as Option<OnStored>,
        };
        let task = tokio::spawn(writer.run(receiver, Arc::clone(&stop)));
        Ok(Store {
            queue: std::sync::Mutex::new(Some(queue)),
            readers: Readers::new(readers, count, options.read_wait),
            counters,
            now,
            stop,
            task: Mutex::new(Some(task)),
        })
    }

    fn sender(&self) -> Option<mpsc::Sender<Write>> {
        self.queue.lock().map_or(None, |queue| queue.clone())
    }

    fn put(&self, write: Write) -> Result<(), StoreError> {
        let sender = self.sender().ok_or(StoreError::Closed)?;
        let sent = sender.try_send(write).map_err(|e| {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            match e {
                mpsc::error::TrySendError::Full(_) => StoreError::QueueFull,
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            }
        });
        // A transaction's worth waits: no reason to gather any longer.
        if sender.max_capacity() - sender.capacity() >= BATCH.min(sender.max_capacity()) {
            self.now.notify_one();
        }
        sent
    }

    /// Gives a call's record to the writer, without waiting. A call that has a record keeps it.
    pub fn put_cdr(&self, cdr: Cdr) -> Result<(), StoreError> {
        self.put(Write::Cdr(Box::new(cdr)))
    }

    /// Gives a recording's entry to the writer, without waiting. It replaces the one there was.
    pub fn put_recording(&self, entry: RecordingEntry) -> Result<(), StoreError> {
        self.put(Write::Recording(entry))
    }

    /// Gives what an agent said of a call to the writer, without waiting: it joins the call's record, if there is one by
    /// then.
    pub fn put_wrap_up(&self, call: CallId, said: WrapUp) -> Result<(), StoreError> {
        self.put(Write::WrapUp(call, Box::new(said)))
    }

    /// The same of all that a journal recovered, waiting for room. After [`Store::put_recovered`].
    pub async fn put_recovered_wrap_ups(&self, said: Vec<(CallId, WrapUp)>) -> Result<(), StoreError> {
        let sender = self.sender().ok_or(StoreError::Closed)?;
        for (call, said) in said {
            sender.send(Write::WrapUp(call, Box::new(said))).await.map_err(|_| StoreError::Closed)?;
        }
        Ok(())
    }

    /// Gives a stretch of an agent's work that is over to the writer, without waiting. One that is there stays as it is.
    pub fn put_interval(&self, interval: AgentInterval) -> Result<(), StoreError> {
        self.put(Write::Interval(Box::new(interval)))
    }

    /// Gives a chat's record to the writer, without waiting. It replaces an older version.
    pub fn put_chat(&self, chat: ChatRecord) -> Result<(), StoreError> {
        self.put(Write::Chat(Box::new(chat)))
    }

    /// The same of all that a journal recovered, waiting for room.
    pub async fn put_recovered_chats(&self, chats: Vec<ChatRecord>) -> Result<(), StoreError> {
        let sender = self.sender().ok_or(StoreError::Closed)?;
        for chat in chats {
            sender.send(Write::Chat(Box::new(chat))).await.map_err(|_| StoreError::Closed)?;
        }
        Ok(())
    }

    /// Gives everything a journal recovered to the writer, waiting for room. For the start, where
    /// there may be more than the queue takes.
    pub async fn put_recovered(
        &self,
        closed: Vec<Cdr>,
        finished: Vec<RecordingEntry>,
        intervals: Vec<AgentInterval>,
    ) -> Result<(), StoreError> {
        let sender = self.sender().ok_or(StoreError::Closed)?;
        let closed = closed.into_iter().map(|cdr| Write::Cdr(Box::new(cdr)));
        let intervals = intervals.into_iter().map(|interval| Write::Interval(Box::new(interval)));
        for write in closed.chain(finished.into_iter().map(Write::Recording)).chain(intervals) {
            sender.send(write).await.map_err(|_| StoreError::Closed)?;
        }
        Ok(())
    }

    /// Waits until all that was given before is committed or given up. With a database that is down
    /// this is as long as it is down: give it a time limit.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let sender = self.sender().ok_or(StoreError::Closed)?;
        let (done, wait) = oneshot::channel();
        sender.send(Write::Flush(done)).await.map_err(|_| StoreError::Closed)?;
        self.now.notify_one();
        drop(sender);
        wait.await.map_err(|_| StoreError::Closed)
    }

    /// How the store is.
    pub fn status(&self) -> StoreStatus {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let queued = |sender: mpsc::Sender<Write>| sender.max_capacity() - sender.capacity();
        StoreStatus {
            written: count(&self.counters.written),
            refused: count(&self.counters.refused),
            failed: count(&self.counters.failed),
            retries: count(&self.counters.retries),
            queued: self.sender().map_or(0, queued) as u64,
            down: self.counters.down(),
        }
    }

    /// Writes what waits and closes the file. If the database is down the writer gives up after the
    /// attempt in hand; the journal has the rest.
    pub async fn close(&self) {
        self.stop.store(1, Ordering::Relaxed);
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
        self.now.notify_one();
        let task = self.task.lock().await.take();
        if let Some(task) = task {
            let _ = task.await;
        }
        self.readers.close().await;
    }

    /// A connection for a question about records: those that were given before it belong to its answer. A database that
    /// takes nothing costs the question no more than [`SETTLE`].
    async fn settled(&self, tenant: TenantId) -> Result<Reader, StoreError> {
        if self.counters.down().is_none() {
            let _ = tokio::time::timeout(SETTLE, self.flush()).await;
        }
        self.reader(tenant).await
    }

    /// A connection for a tenant's question.
    async fn reader(&self, tenant: TenantId) -> Result<Reader, StoreError> {
        self.readers.of(tenant).await
    }
}
