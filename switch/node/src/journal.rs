//! The journal thread: group commit, fsync by interval, and the way of closed records to the database.

use crate::clock::Clock;
use crate::shard::Order;
use cordboard_lane::{Receiver, Sender, Sleep};
use cordboard_model::journal::JournalRecord;
use cordboard_model::record::IntervalEnd;
use cordboard_model::time::{Duration, Wall};
use cordboard_store::{Store, Stored, Writer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How long a failed write waits for the next try.
const RETRY: Duration = Duration::from_millis(100);

/// How often an idle journal looks for what the database has confirmed.
const CONFIRM: Duration = Duration::from_secs(1);

/// To the journal thread.
#[derive(Debug)]
pub enum JournalOrder {
    /// To be written.
    Record {
        /// Who waits for it, if anybody does.
        ticket: Option<u64>,
        /// What to write.
        record: Box<JournalRecord>,
        /// When it happened.
        at: Wall,
    },
    /// The shard is told when all that was put before this is written, or cannot be.
    Mark(u64),
}

/// Counters of the journal, read by the metrics and /healthz.
#[derive(Debug, Default)]
pub struct JournalGauges {
    /// Records written.
    pub records: AtomicU64,
    /// Writes, each of many records.
    pub commits: AtomicU64,
    /// Failed writes and syncs.
    pub failed: AtomicU64,
    /// Bytes of the file.
    pub bytes: AtomicU64,
    /// Records that the database has not confirmed.
    pub unstored: AtomicU64,
    /// Whether the last write or sync failed.
    pub failing: AtomicBool,
}

/// The journal thread's state.
pub struct JournalThread {
    /// The file.
    pub writer: Writer,
    /// From the shard.
    pub orders: Receiver<JournalOrder>,
    /// From the database: what it has committed.
    pub stored: Receiver<Stored>,
    /// To the shard: what is written.
    pub shard: Sender<Order>,
    /// The database.
    pub store: Arc<Store>,
    /// The clock.
    pub clock: Clock,
    /// Read by the metrics.
    pub gauges: Arc<JournalGauges>,
}

impl JournalThread {
    /// Runs until the shard is gone and everything is written and synced.
    pub fn run(mut self) {
        let thread = std::thread::current();
        if self.orders.set_waker(move || thread.unpark()).is_err() {
            return;
        }
        let mut waiting: Vec<u64> = Vec::with_capacity(1_024);
        loop {
            let mark = self.take(&mut waiting);
            self.commit(&mut waiting);
            self.passed(mark);
            while let Some(stored) = self.stored.pop() {
                self.writer.stored(stored);
            }
            self.housekeeping();
            match self.orders.prepare_sleep() {
                Sleep::Ready => {}
                Sleep::Finished => break,
                Sleep::Armed => self.sleep(),
            }
        }
        let now = self.clock.now();
        if self.writer.commit(now).and_then(|_| self.writer.sync()).is_err() {
            tracing::error!("the journal's last records could not be written");
        }
    }

    fn sleep(&self) {
        let now = self.clock.now();
        // What failed is tried again, but not at once and for ever.
        if self.writer.has_batch() || self.gauges.failing.load(Relaxed) {
            std::thread::park_timeout(RETRY);
            return;
        }
        match self.writer.next_sync() {
            Some(due) => std::thread::park_timeout(due.since(now)),
            // Nobody wakes this thread for what the database has confirmed.
            None if self.gauges.unstored.load(Relaxed) > 0 => std::thread::park_timeout(CONFIRM),
            None => std::thread::park(),
        }
    }

    /// Takes all that waits into one batch. Gives the last mark in it.
    fn take(&mut self, waiting: &mut Vec<u64>) -> Option<u64> {
        let mut last = None;
        while let Some(order) = self.orders.pop() {
            let (ticket, record, at) = match order {
                JournalOrder::Record { ticket, record, at } => (ticket, record, at),
                JournalOrder::Mark(mark) => {
                    last = Some(mark);
                    continue;
                }
            };
            match self.writer.append(&record, at) {
                Ok(()) => waiting.extend(ticket),
                Err(why) => {
                    tracing::error!(%why, "a journal record was not taken");
                    self.failed();
                    if let Some(ticket) = ticket {
                        self.answer(ticket, false);
                        self.shard.flush();
                    }
                }
            }
            self.to_store(*record);
        }
        last
    }

    /// Tells the shard that what stands before a mark is in the file, or could not be put there.
    fn passed(&self, mark: Option<u64>) {
        if let Some(mark) = mark {
            // A full lane: the shard tells who waits by its own deadline.
            let _ = self.shard.try_send(Order::Written(mark));
        }
    }

    fn commit(&mut self, waiting: &mut Vec<u64>) {
        if !self.writer.has_batch() {
            return;
        }
        let ok = match self.writer.commit(self.clock.now()) {
            Ok(_) => true,
            Err(why) => {
                if !self.gauges.failing.load(Relaxed) {
                    tracing::error!(%why, "the journal cannot be written; calls go on without it");
                }
                self.failed();
                false
            }
        };
        for ticket in waiting.drain(..) {
            self.answer(ticket, ok);
        }
        self.shard.flush();
    }

    fn housekeeping(&mut self) {
        let now = self.clock.now();
        match self.writer.sync_if_due(now) {
            Ok(_) => self.gauges.failing.store(self.writer.has_batch(), Relaxed),
            Err(why) => {
                if !self.gauges.failing.load(Relaxed) {
                    tracing::error!(%why, "the journal cannot be synced; its disk must be taken as failing");
                }
                self.failed();
            }
        }
        if let Err(why) = self.writer.compact_if_due() {
            tracing::warn!(%why, "the journal could not be compacted; it is tried again when it has grown");
        }
        let stats = self.writer.stats();
        self.gauges.records.store(stats.records, Relaxed);
        self.gauges.commits.store(stats.commits, Relaxed);
        self.gauges.bytes.store(stats.size, Relaxed);
        self.gauges.unstored.store(stats.unstored, Relaxed);
    }

    fn failed(&self) {
        self.gauges.failing.store(true, Relaxed);
        self.gauges.failed.fetch_add(1, Relaxed);
    }

    fn answer(&self, ticket: u64, ok: bool) {
        // A full lane: the shard goes on by its own deadline and raises the alarm.
        let _ = self.shard.try_send_quietly(Order::Journalled(ticket, ok));
    }

    /// What the database is to know. What it refuses now is given to it again at the next start, from the journal.
    fn to_store(&self, record: JournalRecord) {
        let refused = match record {
            JournalRecord::CallClosed(cdr) => self.store.put_cdr(*cdr),
            JournalRecord::RecordingClosed(entry) => self.store.put_recording(entry),
            JournalRecord::WrappedUp { call, said } => self.store.put_wrap_up(call, said),
            JournalRecord::ChatClosed(chat) => self.store.put_chat(*chat),
            JournalRecord::AgentInterval(interval) if interval.end != IntervalEnd::Open => {
                self.store.put_interval(*interval)
            }
            _ => Ok(()),
        };
        if let Err(why) = refused {
            tracing::warn!(%why, "the database took no record; the journal keeps it");
        }
    }
}
