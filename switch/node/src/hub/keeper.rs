//! The thread that writes events to the disk. The hub does not wait for it, and nobody else knows of it.
//!
//! Invariant: what cannot be written costs nobody but who comes back for it: the stream goes on from memory, an alarm says
//! so, and what is missing on the disk is a hole there that its readers are told of.

use crate::clock::wall_now;
use crate::metrics::line;
use crate::shard::Order;
use cordboard_core::ShardCommand;
use cordboard_lane::{Receiver, Sender, Sleep, lane};
use cordboard_model::event::EventKind;
use cordboard_model::id::TenantId;
use cordboard_store::events::{Entry, EventLog};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Entries that may wait for the disk: a minute of a switch at its most.
const WAITING: usize = 65_536;
/// Entries that are written at once.
const BATCH: usize = 4_096;
/// How often the disk is made to keep what was written, and how often what is too old is looked for.
const SYNC: Duration = Duration::from_secs(1);
const SWEEP: Duration = Duration::from_secs(30);
/// What the disk has for a key.
const HIDDEN: char = '?';

/// What readers and the disk are counted by.
#[derive(Debug, Default)]
pub struct EventGauges {
    /// Readers of the stream.
    pub readers: AtomicU64,
    /// Readers who were cut for being behind.
    pub cut: AtomicU64,
    /// Readers who came back for events of the disk.
    pub replays: AtomicU64,
    /// Readers who were told of a gap.
    pub gaps: AtomicU64,
    /// Entries that the disk has.
    pub kept: AtomicU64,
    /// Entries that it did not take.
    pub not_kept: AtomicU64,
    /// 1 while it takes none.
    pub failing: AtomicU64,
}

impl EventGauges {
    /// For /metrics.
    pub fn render(&self, out: &mut String) {
        let g = |gauge: &AtomicU64| gauge.load(Relaxed);
        line(out, "gauge", "cordboard_event_readers", "Readers of event streams.", g(&self.readers));
        for (name, help, gauge) in [
            ("readers_cut", "Readers who were cut for being behind.", &self.cut),
            ("replays", "Readers who came back for events of the disk.", &self.replays),
            ("gaps", "Readers who were told of a gap.", &self.gaps),
            ("kept", "Events that the disk has taken.", &self.kept),
            ("not_kept", "Events that it has not.", &self.not_kept),
        ] {
            line(out, "counter", &format!("cordboard_event_{name}_total"), help, g(gauge));
        }
    }
}

/// What is on its way.
enum Keep {
    Entry {
        tenant: TenantId,
        entry: Arc<Entry>,
        at: i64,
    },
    /// Who waits until all before it is written.
    Mark(oneshot::Sender<()>),
}

/// The way to the thread. Whoever has it [`Keeper::flush`]es once for all that came together: a wake-up for each entry
/// costs more than its writing.
pub(super) struct Keeper {
    ways: Sender<Keep>,
    thread: JoinHandle<()>,
    gauges: Arc<EventGauges>,
}

impl Keeper {
    /// Starts it. Alarms go to `shard`.
    ///
    /// # Errors
    /// The system refuses a thread.
    pub(super) fn start(log: EventLog, shard: Sender<Order>, gauges: Arc<EventGauges>) -> io::Result<Keeper> {
        let (ways, taken) = lane("hub to keeper", WAITING);
        let told = Arc::clone(&gauges);
        let work = Work { log, taken, shard, gauges: told, synced: Instant::now(), swept: Instant::now() };
        let thread = std::thread::Builder::new().name("events".into()).spawn(move || work.run())?;
        Ok(Keeper { ways, thread, gauges })
    }

    /// Has an entry written, some time after [`Keeper::flush`].
    pub(super) fn keep(&self, tenant: TenantId, entry: &Arc<Entry>) {
        let keep = Keep::Entry { tenant, entry: Arc::clone(entry), at: wall_now().0 };
        if self.ways.try_send_quietly(keep).is_err() {
            // A disk that hangs: what it does not take is a hole.
            self.gauges.not_kept.fetch_add(1, Relaxed);
        }
    }

    /// Wakes the thread for what it was given.
    pub(super) fn flush(&self) {
        self.ways.flush();
    }

    /// Comes when all that was to be kept before is written, or cannot be.
    pub(super) fn written(&self) -> oneshot::Receiver<()> {
        let (mark, written) = oneshot::channel();
        // With no place for it the answer is an error, at once.
        let _ = self.ways.try_send(Keep::Mark(mark));
        written
    }

    /// Writes what waits, says that nothing comes after it, and ends. May take as long as the disk does.
    pub(super) fn end(self) {
        drop(self.ways);
        if self.thread.join().is_err() {
            tracing::error!("the thread that keeps events had panicked");
        }
    }
}

struct Work {
    log: EventLog,
    taken: Receiver<Keep>,
    shard: Sender<Order>,
    gauges: Arc<EventGauges>,
    synced: Instant,
    swept: Instant,
}

impl Work {
    fn run(mut self) {
        let thread = std::thread::current();
        if self.taken.set_waker(move || thread.unpark()).is_err() {
            return;
        }
        loop {
            match self.taken.pop() {
                Some(first) => self.write(first),
                None => match self.taken.prepare_sleep() {
                    Sleep::Ready => continue,
                    Sleep::Armed => std::thread::park_timeout(SYNC),
                    Sleep::Finished => break,
                },
            }
            if self.synced.elapsed() >= SYNC {
                self.synced = Instant::now();
                let outcome = self.log.sync();
                self.told(outcome);
            }
            if self.swept.elapsed() >= SWEEP {
                self.swept = Instant::now();
                if let Err(why) = self.log.sweep(wall_now().0) {
                    tracing::warn!(%why, "old events cannot be deleted");
                }
            }
        }
        if let Err(why) = self.log.end() {
            tracing::warn!(%why, "the events' files were not ended in order: their readers will be told of a gap");
        }
    }

    fn write(&mut self, first: Keep) {
        let (mut count, mut marks) = (0, Vec::new());
        let rest = std::iter::from_fn(|| self.taken.pop());
        for keep in std::iter::once(first).chain(rest).take(BATCH) {
            let (tenant, entry, at) = match keep {
                Keep::Entry { tenant, entry, at } => (tenant, entry, at),
                Keep::Mark(mark) => {
                    marks.push(mark);
                    continue;
                }
            };
            match hidden(&entry) {
                Some(hidden) => self.log.put(tenant, &hidden, at),
                None => self.log.put(tenant, &entry, at),
            }
            count += 1;
        }
        let outcome = self.log.flush();
        let counter = if outcome.is_ok() { &self.gauges.kept } else { &self.gauges.not_kept };
        counter.fetch_add(count, Relaxed);
        for mark in marks {
            // Who has gone meanwhile needs no answer.
            let _ = mark.send(());
        }
        self.told(outcome);
    }

    /// Alarms when it begins to fail, and says when it is over.
    fn told(&self, outcome: io::Result<()>) {
        let failing = u64::from(outcome.is_err());
        if self.gauges.failing.swap(failing, Relaxed) == failing {
            return;
        }
        let (code, text) = match outcome {
            Ok(()) => ("events_kept", "events are kept on the disk again".to_owned()),
            Err(why) => (
                "events_not_kept",
                format!(
                    "events are not kept on the disk ({why}): who comes back late or after a restart misses some"
                ),
            ),
        };
        let alarm = EventKind::Alarm { code: code.into(), text };
        let tell = ShardCommand::Tell(TenantId::DEFAULT, Box::new(alarm));
        // A full lane costs the alarm; the figure stays.
        let _ = self.shard.try_send(Order::Command(tell));
    }
}

/// A key that a caller pressed is not kept: it may be one of a PIN, where a flow did not say that it is a secret.
fn hidden(entry: &Entry) -> Option<Entry> {
    let Entry::Event(told) = entry else { return None };
    if !matches!(told.event.what, EventKind::Digit { .. } | EventKind::CollectEnded { .. }) {
        return None;
    }
    let mut told = told.clone();
    match &mut told.event.what {
        EventKind::Digit { digit, .. } => *digit = HIDDEN,
        EventKind::CollectEnded { digits: Some(digits), .. } => {
            *digits = digits.chars().map(|_| HIDDEN).collect();
        }
        _ => {}
    }
    Some(Entry::Event(told))
}
