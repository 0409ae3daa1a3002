//! The task that owns the write connection.
//!
//! Records come by a bounded queue and are written in batches, one transaction each. When SQLite is
//! locked or the disk is full, the batch in hand is tried again, ever more slowly, while the queue
//! fills; a full queue refuses. Nothing is lost by that: the journal has every record.

use super::access::{self, What};
use super::chats::put_chat;
use super::error::{StoreError, is_transient};
use super::{Stored, connect_options};
use cordboard_model::cdr::{Cdr, RecordingEntry};
use cordboard_model::chat::ChatRecord;
use cordboard_model::desk::{WrapUp, wrap_up_into};
use cordboard_model::id::CallId;
use cordboard_model::record::AgentInterval;
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection, Row};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};

/// Most records in one transaction.
pub(super) const BATCH: usize = 256;
/// What comes within this time of the first record goes into the same transaction: each costs a sync of the disk, and nobody
/// waits for a call's record as long as the journal has it. Where somebody waits or asks, or a transaction is full, it is cut short.
const GATHER: Duration = Duration::from_secs(1);
/// Most records in one statement.
const ROWS: usize = 64;
/// First and longest pause before a failed batch is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// What is asked of the writer.
#[derive(Debug)]
pub(crate) enum Write {
    Cdr(Box<Cdr>),
    Recording(RecordingEntry),
    WrapUp(CallId, Box<WrapUp>),
    Interval(Box<AgentInterval>),
    Chat(Box<ChatRecord>),
    /// Somebody waits until it is committed.
    Asked(Asked),
    /// Answered when everything before it is committed or given up.
    Flush(oneshot::Sender<()>),
}

/// What somebody waits for, and how he is told what came of it.
#[derive(Debug)]
pub(crate) struct Asked {
    what: What,
    failed: Mutex<Option<StoreError>>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Asked {
    pub(crate) fn new(what: What, done: oneshot::Sender<Result<(), StoreError>>) -> Self {
        Self { what, failed: Mutex::default(), done }
    }

    fn fail(&self, why: StoreError) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Who has given up meanwhile misses nothing.
    fn tell(self) {
        let failed = self.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        let _ = self.done.send(failed.map_or(Ok(()), Err));
    }
}

impl Write {
    fn stored(&self) -> Option<Stored> {
        match self {
            Write::Cdr(cdr) => Some(Stored::Cdr(cdr.call)),
            Write::Recording(entry) => Some(Stored::Recording(entry.recording)),
            Write::WrapUp(call, said) => Some(Stored::WrapUp(*call, said.at)),
            Write::Interval(interval) => Some(Stored::Interval(interval.id)),
            Write::Chat(chat) => Some(Stored::Chat(chat.chat, chat.version)),
            Write::Asked(_) | Write::Flush(_) => None,
        }
    }
}

/// Figures shared with [`super::Store`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) written: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) retries: AtomicU64,
    /// Why the database takes nothing now.
    down: Mutex<Option<StoreError>>,
}

impl Counters {
    pub(crate) fn down(&self) -> Option<StoreError> {
        self.down.lock().map_or(None, |down| down.clone())
    }

    fn set_down(&self, why: Option<StoreError>) {
        if let Ok(mut down) = self.down.lock() {
            *down = why;
        }
    }
}

/// Told of every committed record.
pub(crate) type OnStored = Arc<dyn Fn(Stored) + Send + Sync>;

pub(crate) struct Writer {
    pub(crate) path: PathBuf,
    pub(crate) db: SqliteConnection,
    pub(crate) busy: Duration,
    pub(crate) counters: Arc<Counters>,
    /// Somebody waits, or there is enough.
    pub(crate) now: Arc<Notify>,
    pub(crate) on_stored: Option<OnStored>,
}

impl Writer {
    /// Runs until every sender is gone and the queue is empty, or `stop` is set while the database
    /// is down.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Write>, stop: Arc<AtomicU64>) {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            self.gather(&mut batch, &mut queue).await;
            let mut pause = RETRY.0;
            loop {
                let Err(error) = self.write(&batch).await else {
                    self.counters.set_down(None);
                    break;
                };
                if !is_transient(&error) {
                    self.write_singly(&batch).await;
                    break;
                }
                self.counters.retries.fetch_add(1, Ordering::Relaxed);
                self.counters.set_down(Some(error.into()));
                if stop.load(Ordering::Relaxed) > 0 {
                    // Whatever is not written comes back from the journal at the next start.
                    return;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY.1);
                self.reconnect().await;
            }
            for write in batch.drain(..) {
                match write {
                    Write::Flush(done) => _ = done.send(()),
                    Write::Asked(asked) => asked.tell(),
                    _ => {}
                }
            }
        }
        let _ = self.db.close().await;
    }

    /// Adds to the batch what comes soon, unless somebody waits for it. One sleep, for each time that this task wakes costs
    /// as much as a record.
    async fn gather(&self, batch: &mut Vec<Write>, queue: &mut mpsc::Receiver<Write>) {
        let is_waited_for = |write: &Write| matches!(write, Write::Flush(_) | Write::Asked(_));
        if batch.len() < BATCH && !batch.iter().any(is_waited_for) {
            let _ = tokio::time::timeout(GATHER, self.now.notified()).await;
        }
        while batch.len() < BATCH
            && let Ok(write) = queue.try_recv()
        {
            batch.push(write);
        }
    }

    /// A connection that an I/O error has broken does not heal; a new one may.
    async fn reconnect(&mut self) {
        let options = connect_options(&self.path, self.busy);
        if let Ok(db) = options.connect().await {
            self.db = db;
        }
    }

    async fn write(&mut self, batch: &[Write]) -> Result<(), sqlx::Error> {
        if batch.iter().all(|write| matches!(write, Write::Flush(_))) {
            return Ok(());
        }
        let mut tx = self.db.begin_with("BEGIN IMMEDIATE").await?;
        let intervals: Vec<&AgentInterval> = batch.iter().filter_map(interval).collect();
        for some in intervals.chunks(ROWS) {
            put_intervals(&mut tx, some).await?;
        }
        // Nothing depends on the order of an interval and what is not one.
        let others: Vec<&Write> = batch.iter().filter(|write| interval(write).is_none()).collect();
        let mut rest = &*others;
        while let Some((first, others)) = rest.split_first() {
            let cdrs = rest.iter().map_while(|write| cdr(write)).take(ROWS).collect::<Vec<_>>();
            if cdrs.is_empty() {
                put(&mut tx, first).await?;
                rest = others;
            } else {
                put_cdrs(&mut tx, &cdrs).await?;
                rest = rest.get(cdrs.len()..).unwrap_or_default();
            }
        }
        tx.commit().await?;
        self.committed(batch);
        Ok(())
    }

    /// After a batch failed for good: finds the record that did it and writes the others.
    async fn write_singly(&mut self, batch: &[Write]) {
        for write in batch {
            if let Err(error) = self.write(core::slice::from_ref(write)).await {
                if let Write::Asked(asked) = write {
                    // who asked is told: it is his fault, as a name that is taken, or he tells of ours
                    asked.fail(error.into());
                    continue;
                }
                self.counters.failed.fetch_add(1, Ordering::Relaxed);
                self.counters.set_down(Some(error.into()));
            }
        }
    }

    fn committed(&self, batch: &[Write]) {
        for stored in batch.iter().filter_map(Write::stored) {
            self.counters.written.fetch_add(1, Ordering::Relaxed);
            if let Some(on_stored) = &self.on_stored {
                on_stored(stored);
            }
        }
    }
}

async fn put(db: &mut SqliteConnection, write: &Write) -> Result<(), sqlx::Error> {
    match write {
        Write::Cdr(cdr) => put_cdrs(db, &[cdr]).await,
        Write::Recording(entry) => put_recording(db, entry).await,
        Write::WrapUp(call, said) => put_wrap_up(db, *call, said).await,
        Write::Interval(interval) => put_intervals(db, &[interval]).await,
        Write::Chat(chat) => put_chat(db, chat).await,
        Write::Asked(asked) => access::put(db, &asked.what).await,
        Write::Flush(_) => Ok(()),
    }
}

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|e| sqlx::Error::Encode(Box::new(e)))
}

fn cdr(write: &Write) -> Option<&Cdr> {
    match write {
        Write::Cdr(cdr) => Some(cdr),
        _ => None,
    }
}

fn interval(write: &Write) -> Option<&AgentInterval> {
    match write {
        Write::Interval(interval) => Some(interval),
        _ => None,
    }
}

/// Stretches of agents' work, in one statement. The first record of each stands.
async fn put_intervals(db: &mut SqliteConnection, intervals: &[&AgentInterval]) -> Result<(), sqlx::Error> {
    let rows = intervals.iter().map(|interval| {
        let work = interval.work.as_ref();
        Ok((
            interval.id.to_string(),
            interval.agent.tenant.as_str(),
            interval.from.0,
            interval.to.0,
            interval.call.map(|call| call.to_string()),
            interval.agent.name.as_str(),
            work.map(|work| work.queue.name.as_str()),
            interval.status.as_str(),
            work.map(|work| work.entered.0),
            json(interval)?,
        ))
    });
    let rows = rows.collect::<Result<Vec<_>, sqlx::Error>>()?;
    // One text for any number of rows, so that it is prepared once.
    sqlx::query(
        "INSERT INTO agent_interval
             (row_id, tenant, started, ended, call_id, agent, queue, status, visit, record)
         SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8,
                value->>9
         FROM json_each(?) WHERE true ON CONFLICT (row_id) DO NOTHING",
    )
    .bind(json(&rows)?)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// Two statements for many: each passes between two threads, which costs more than a row, and so does each row that one gives back.
/// The first record of a call stands: "lost by restart" never replaces what is known better, and brings no queues either,
/// which is why they go first.
async fn put_cdrs(db: &mut SqliteConnection, cdrs: &[&Cdr]) -> Result<(), sqlx::Error> {
    let mut queues = BTreeSet::new();
    let mut rows = Vec::with_capacity(cdrs.len());
    for cdr in cdrs {
        let (call, tenant) = (cdr.call.to_string(), cdr.tenant());
        let visits = cdr.queues.iter().map(|visit| visit.queue.name.as_str());
        queues.extend(visits.map(|queue| (tenant.as_str().to_owned(), queue, cdr.started.0, call.clone())));
        rows.push((
            (call, tenant.as_str().to_owned()),
            (cdr.started.0, cdr.answered.map(|at| at.0), cdr.bridged.map(|at| at.0), cdr.ended.0),
            (&cdr.from.user, &cdr.to.user, cdr.cause.as_str()),
            (cdr.agent.as_ref().map(|agent| agent.name.as_str()), json(cdr)?),
        ));
    }
    if !queues.is_empty() {
        sqlx::query(
            "INSERT INTO cdr_queue (tenant, queue, started, call_id)
             SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each(?)
             WHERE NOT EXISTS (SELECT 1 FROM cdr WHERE call_id = value->>3) ON CONFLICT DO NOTHING",
        )
        .bind(json(&queues)?)
        .execute(&mut *db)
        .await?;
    }
    sqlx::query(
        "INSERT INTO cdr (call_id, tenant, started, answered, bridged, ended,
                          from_user, to_user, cause, agent, record)
         SELECT value->>'$[0][0]', value->>'$[0][1]', value->>'$[1][0]', value->>'$[1][1]', value->>'$[1][2]',
                value->>'$[1][3]', value->>'$[2][0]', value->>'$[2][1]', value->>'$[2][2]', value->>'$[3][0]',
                value->>'$[3][1]'
         FROM json_each(?) WHERE true ON CONFLICT (call_id) DO NOTHING",
    )
    .bind(json(&rows)?)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// What is said of a call that has its record joins it. One that has none has it in the record that comes.
async fn put_wrap_up(db: &mut SqliteConnection, call: CallId, said: &WrapUp) -> Result<(), sqlx::Error> {
    let id = call.to_string();
    let row =
        sqlx::query("SELECT record FROM cdr WHERE call_id = ?").bind(&id).fetch_optional(&mut *db).await?;
    let Some(row) = row else {
        return Ok(());
    };
    let text: String = row.try_get(0)?;
    let mut cdr: Cdr = serde_json::from_str(&text).map_err(|e| sqlx::Error::Decode(Box::new(e)))?;
    wrap_up_into(&mut cdr.wrap_ups, said.clone());
    let record = json(&cdr)?;
    sqlx::query("UPDATE cdr SET record = ? WHERE call_id = ?")
        .bind(record)
        .bind(id)
        .execute(&mut *db)
        .await?;
    Ok(())
}

/// The last entry of a recording stands: a repaired file may turn out longer.
async fn put_recording(db: &mut SqliteConnection, entry: &RecordingEntry) -> Result<(), sqlx::Error> {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO recording (recording_id, tenant, call_id, started, length_ms, dropped_ms, record)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (recording_id) DO UPDATE SET
             started = excluded.started, length_ms = excluded.length_ms,
             dropped_ms = excluded.dropped_ms, record = excluded.record",
    )
    .bind(entry.recording.to_string())
    .bind(entry.recording.tenant.as_str())
    .bind(entry.call.to_string())
    .bind(entry.started.0)
    .bind(signed(entry.length_ms))
    .bind(signed(entry.dropped_ms))
    .bind(json(entry)?)
    .execute(&mut *db)
    .await?;
    Ok(())
}
