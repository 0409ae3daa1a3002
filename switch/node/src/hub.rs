//! The event hub: keeps the last events of each tenant and serves readers, new ones and those who come back.
//!
//! Invariant: a reader gets every event after the one it named, in order, or a gap with a snapshot. A reader that does
//! not keep up is cut with a reason and can come back with the last number it saw.

use crate::log::EventLog;
use crate::shard::Order;
use cordboard_api::switch::{Since, StreamItem, Subscription};
use cordboard_core::Shard;
use cordboard_lane::{Receiver, Sender};
use cordboard_model::event::Event;
use cordboard_model::id::TenantId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

/// Events kept for each tenant.
const KEPT: usize = 10_000;
/// After events were passed on, those that follow within this time are passed on together: the signalling thread pays for
/// each time it wakes this one, and a call makes ten events in as many turns.
const GATHER: Duration = Duration::from_millis(5);
/// Items that a reader may be behind before it is cut: all that can be kept for it, and some that are new meanwhile.
const BEHIND: usize = KEPT + 1_024;

/// A new reader.
pub struct Subscribe {
    tenant: TenantId,
    since: Option<Since>,
    out: mpsc::Sender<StreamItem>,
}

/// To the hub, from the API.
#[derive(Clone)]
pub struct HubHandle {
    new: mpsc::Sender<Subscribe>,
}

impl HubHandle {
    /// Adds a reader. With more new readers at once than the hub can take, the stream ends at once with a reason.
    pub fn subscribe(&self, tenant: TenantId, since: Option<Since>) -> Subscription {
        let (out, items) = mpsc::channel(BEHIND);
        let refused = out.clone();
        if self.new.try_send(Subscribe { tenant, since, out }).is_err() {
            let _ = refused.try_send(StreamItem::Closing { reason: "overloaded".into() });
        }
        items
    }
}

struct Reader {
    out: mpsc::Sender<StreamItem>,
    /// The last number it got, or that its snapshot covers.
    seen: u64,
}

#[derive(Default)]
struct Stream {
    kept: VecDeque<Arc<Event>>,
    last: u64,
    readers: Vec<Reader>,
}

/// The hub's state.
pub struct Hub {
    start: u32,
    events: Receiver<Event>,
    new: mpsc::Receiver<Subscribe>,
    shard: Sender<Order>,
    streams: BTreeMap<TenantId, Stream>,
    log: EventLog,
}

/// What a snapshot is made of.
type Views = (u64, StreamItem);

impl Hub {
    /// A hub that numbers its events by `start`.
    pub fn new(start: u32, events: Receiver<Event>, shard: Sender<Order>) -> (Hub, HubHandle) {
        let (sender, new) = mpsc::channel(256);
        (
            Hub { start, events, new, shard, streams: BTreeMap::new(), log: EventLog::default() },
            HubHandle { new: sender },
        )
    }

    /// The same, running.
    pub fn start(start: u32, events: Receiver<Event>, shard: Sender<Order>) -> (JoinHandle<()>, HubHandle) {
        let (hub, handle) = Self::new(start, events, shard);
        (tokio::spawn(hub.run()), handle)
    }

    /// Runs until the shard is gone; then every reader is told.
    pub async fn run(mut self) {
        let notify = Arc::new(Notify::new());
        let waker = Arc::clone(&notify);
        if self.events.set_waker(move || waker.notify_one()).is_err() {
            return;
        }
        loop {
            let mut gather = false;
            while let Some(event) = self.events.pop() {
                self.publish(event);
                gather = true;
            }
            // While events are gathered, sleep is not announced, and nobody wakes this task for them.
            let more = async {
                match gather {
                    true => tokio::time::sleep(GATHER).await,
                    false => notify.notified().await,
                }
            };
            if !gather {
                match self.events.prepare_sleep() {
                    cordboard_lane::Sleep::Ready => continue,
                    cordboard_lane::Sleep::Finished => break,
                    cordboard_lane::Sleep::Armed => {}
                }
            }
            tokio::select! {
                () = more => {}
                Some(subscribe) = self.new.recv() => self.admit(subscribe).await,
            }
        }
        for stream in self.streams.values_mut() {
            for reader in stream.readers.drain(..) {
                let _ = reader.out.try_send(StreamItem::Closing { reason: "shutdown".into() });
            }
        }
    }

    fn publish(&mut self, event: Event) {
        self.log.write(&event, Instant::now());
        let stream = self.streams.entry(event.tenant).or_default();
        stream.last = event.seq;
        let event = Arc::new(event);
        if stream.kept.len() >= KEPT {
            stream.kept.pop_front();
        }
        stream.kept.push_back(Arc::clone(&event));
        stream.readers.retain_mut(|reader| reader.give(&event));
    }

    async fn admit(&mut self, subscribe: Subscribe) {
        let Subscribe { tenant, since, out } = subscribe;
        let stream = self.streams.entry(tenant).or_default();
        // Where nothing happens nothing is sent, and who is gone is noticed here alone.
        stream.readers.retain(|reader| !reader.out.is_closed());
        let hello = StreamItem::Hello { start: self.start, last: stream.last };
        if out.try_send(hello).is_err() {
            return;
        }
        let first = stream.kept.front().map_or(stream.last + 1, |event| event.seq);
        let seen = match since {
            Some(since)
                if since.start == self.start
                    && since.seq.saturating_add(1) >= first
                    && since.seq <= stream.last =>
            {
                since.seq
            }
            other => {
                if let Some(since) = other {
                    // Another start numbered what it saw (or it names what is yet to come), or it is too long ago:
                    // what is missing is named.
                    let is_ours = since.start == self.start && since.seq <= stream.last;
                    let from = if is_ours { since.seq + 1 } else { 1 };
                    let gap = StreamItem::Gap { from, to: stream.last.max(from) };
                    let _ = out.try_send(gap);
                }
                let Some((seq, snapshot)) = self.snapshot(tenant).await else {
                    let _ = out.try_send(StreamItem::Closing { reason: "overloaded".into() });
                    return;
                };
                if out.try_send(snapshot).is_err() {
                    return;
                }
                seq
            }
        };
        let stream = self.streams.entry(tenant).or_default();
        let mut reader = Reader { out, seen };
        if stream.kept.iter().all(|event| reader.give(event)) {
            stream.readers.push(reader);
        }
    }

    /// Asks the shard for the state as of its last event.
    async fn snapshot(&self, tenant: TenantId) -> Option<Views> {
        let (answer, views) = oneshot::channel();
        let question = move |shard: &mut Shard| {
            let seq = shard.last_event(tenant);
            let snapshot = StreamItem::Snapshot {
                seq,
                calls: shard.calls(tenant),
                queues: shard.queues(tenant),
                agents: shard.agents(tenant),
            };
            let _ = answer.send((seq, snapshot));
        };
        self.shard.try_send(Order::Ask(Box::new(question))).ok()?;
        views.await.ok()
    }
}

impl Reader {
    /// Gives the reader an event it has not seen. False: it is gone, or was cut for being behind.
    fn give(&mut self, event: &Arc<Event>) -> bool {
        if event.seq <= self.seen {
            return true;
        }
        if self.out.capacity() <= 1 {
            let _ = self.out.try_send(StreamItem::Closing { reason: "slow_reader".into() });
            return false;
        }
        self.seen = event.seq;
        self.out.try_send(StreamItem::Event(Box::new(Event::clone(event)))).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_lane::lane;
    use cordboard_model::event::EventKind;
    use cordboard_model::time::Wall;

    #[tokio::test]
    async fn a_reader_that_names_an_event_to_come_gets_a_gap_and_the_next_reader_is_served() {
        let ((events, from_shard), (orders, mut asked)) = (lane("events", 8), lane("orders", 8));
        let (hub, handle) = Hub::new(7, from_shard, orders);
        let running = tokio::spawn(hub.run());
        let what = EventKind::ConfigReloaded { version: 1 };
        assert!(events.try_send(Event { tenant: TenantId::DEFAULT, seq: 1, at: Wall(0), what }).is_ok());
        let mut lost = handle.subscribe(TenantId::DEFAULT, Some(Since { start: 7, seq: u64::MAX }));
        assert!(matches!(lost.recv().await, Some(StreamItem::Hello { .. })));
        assert!(matches!(lost.recv().await, Some(StreamItem::Gap { .. })));
        // There is no shard here: its question is dropped, and the reader is told to come again.
        drop(asked.pop());
        assert!(matches!(lost.recv().await, Some(StreamItem::Closing { .. })));
        let mut next = handle.subscribe(TenantId::DEFAULT, Some(Since { start: 7, seq: 0 }));
        assert!(matches!(next.recv().await, Some(StreamItem::Hello { .. })));
        assert!(matches!(next.recv().await, Some(StreamItem::Event(event)) if event.seq == 1));
        events.close();
        assert!(running.await.is_ok());
    }
}
