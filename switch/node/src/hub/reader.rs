//! Readers: how one is admitted, where it begins, and what it is given.

use super::keeper::{EventGauges, Keeper};
use super::replay::{Back, Way};
use super::{Hub, Stream, Subscribe};
use crate::shard::Order;
use cordboard_api::events::{Concerned, EventFilter, Follow};
use cordboard_api::switch::{Since, StreamItem};
use cordboard_core::Shard;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::view::{AgentView, CallView, QueueView};
use cordboard_store::events::Entry;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::{mpsc, oneshot};

/// One who follows.
pub(super) struct Reader {
    pub(super) out: mpsc::Sender<StreamItem>,
    pub(super) filter: Arc<EventFilter>,
    /// The last number that was looked at for it, or that its snapshot covers.
    pub(super) seen: u64,
    /// The last number that it was told.
    pub(super) told: u64,
    /// Its place was given by another start, and it has not been told of this one's.
    pub(super) stranger: bool,
}

/// What a snapshot is made of: the last event, calls, queues, agents.
type Views = (u64, Vec<CallView>, Vec<QueueView>, Vec<AgentView>);

impl Reader {
    /// The items that an entry is for it.
    pub(super) fn items(&mut self, entry: &Entry) -> Vec<StreamItem> {
        let items = items(entry, &self.filter, (self.seen, self.stranger));
        self.seen = entry.seq();
        self.stranger &= matches!(entry, Entry::Event(_));
        items
    }
}

fn items(entry: &Entry, filter: &EventFilter, (seen, stranger): (u64, bool)) -> Vec<StreamItem> {
    match entry {
        Entry::Event(told) => {
            let concerned =
                Concerned { kind: &told.kind, call: told.call, agents: &told.agents, queues: &told.queues };
            match filter.takes(concerned) {
                true => vec![StreamItem::Event(Box::new(told.event.clone()))],
                false => Vec::new(),
            }
        }
        Entry::State(state) => {
            // What it had of the numbers that are lost it keeps; a stranger who has seen them all has seen others.
            let from = |(first, to): (u64, u64)| match seen < to {
                true => Some((first.max(seen + 1), to)),
                false => stranger.then_some((first, to)),
            };
            let gap = state.lost.and_then(from).map(|(from, to)| StreamItem::Gap { from, to });
            let (calls, queues, agents) = filter.narrow(&state.calls, &state.queues, &state.agents);
            let snapshot = StreamItem::Snapshot { seq: state.seq, calls, queues, agents };
            gap.into_iter().chain([snapshot]).collect()
        }
    }
}

impl Reader {
    /// Gives the reader an entry it has not seen. False: it is gone, or was cut for being behind.
    pub(super) fn give(&mut self, entry: &Entry, gauges: &EventGauges) -> bool {
        let seq = entry.seq();
        if seq < self.seen || (seq == self.seen && matches!(entry, Entry::Event(_))) {
            return true;
        }
        let items = self.items(entry);
        if items.is_empty() {
            return true;
        }
        if self.out.capacity() <= items.len() {
            gauges.cut.fetch_add(1, Relaxed);
            let _ = self.out.try_send(StreamItem::Closing { reason: "slow_reader".into() });
            return false;
        }
        self.told = seq;
        items.into_iter().all(|item| self.out.try_send(item).is_ok())
    }

    /// Tells how far the stream is, if that is news. False: it is gone.
    pub(super) fn tell_position(&mut self) -> bool {
        if self.told < self.seen && self.out.capacity() > 2 {
            self.told = self.seen;
            let _ = self.out.try_send(StreamItem::Position { seq: self.seen });
        }
        !self.out.is_closed()
    }
}

/// Where a reader's place is.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Among what is in memory.
    Here,
    /// Among what is on the disk, perhaps.
    Before,
    /// Nowhere: it is yet to come.
    Nowhere,
}

impl Hub {
    pub(super) async fn admit(&mut self, subscribe: Subscribe) {
        let Subscribe { follow: Follow { tenant, since, filter }, out } = subscribe;
        let stream = self.streams.entry(tenant).or_default();
        if out.try_send(StreamItem::Hello { start: self.start, last: stream.last }).is_err() {
            return;
        }
        let filter = Arc::new(filter);
        let stranger = since.is_some_and(|since| since.start != self.start);
        let mut reader = Reader { out, filter, seen: 0, told: 0, stranger };
        let Some(since) = since else {
            self.begin_anew(tenant, reader).await;
            return;
        };
        (reader.seen, reader.told) = (since.seq, since.seq);
        match self.find(tenant, since) {
            Found::Here => self.follow_on(tenant, reader),
            Found::Before => {
                let way = Way { tenant, since, reader, tried: false };
                if let Some(way) = self.lead(way) {
                    self.gap(tenant, way.since, way.reader).await;
                }
            }
            Found::Nowhere => self.gap(tenant, since, reader).await,
        }
    }

    /// A reader has been led through what is on the disk, or could not be.
    pub(super) async fn take_back(&mut self, back: Back) {
        let Back { way, moved, whole } = back;
        let Way { tenant, since, mut reader, .. } = way;
        if reader.out.is_closed() {
            return;
        }
        let here = Since { start: self.start, seq: reader.seen };
        let found = self.find(tenant, here);
        match found {
            _ if !whole => self.gap(tenant, since, reader).await,
            Found::Here => self.follow_on(tenant, reader),
            // Memory has moved on meanwhile: what it had then is on the disk, or never will be.
            Found::Before if moved || !way.tried => {
                reader.told = reader.seen;
                let way = Way { tenant, since: here, reader, tried: true };
                if let Some(way) = self.lead(way) {
                    self.gap(tenant, way.since, way.reader).await;
                }
            }
            Found::Before | Found::Nowhere => self.gap(tenant, since, reader).await,
        }
    }

    fn lead(&self, way: Way) -> Option<Way> {
        self.replays.lead(way, self.keeper.as_ref().map(Keeper::written))
    }

    fn find(&self, tenant: TenantId, since: Since) -> Found {
        let Some(stream) = self.streams.get(&tenant) else { return Found::Nowhere };
        if since.start > self.start || (since.start == self.start && since.seq > stream.last) {
            return Found::Nowhere;
        }
        let ours = since.start == self.start;
        let from = stream.kept.front().map_or(stream.last + 1, |entry| match &**entry {
            Entry::Event(told) => told.event.seq,
            Entry::State(state) => state.seq + 1,
        });
        match ours && since.seq + 1 >= from {
            true => Found::Here,
            false => Found::Before,
        }
    }

    /// It gets what is in memory after its place, and what comes.
    fn follow_on(&mut self, tenant: TenantId, mut reader: Reader) {
        let stream: &mut Stream = self.streams.entry(tenant).or_default();
        if stream.kept.iter().all(|entry| reader.give(entry, &self.gauges)) {
            stream.readers.add(reader);
            self.gauges.readers.fetch_add(1, Relaxed);
        }
    }

    /// It is told what it misses, and gets a snapshot.
    async fn gap(&mut self, tenant: TenantId, since: Since, reader: Reader) {
        self.gauges.gaps.fetch_add(1, Relaxed);
        let last = self.streams.get(&tenant).map_or(0, |stream| stream.last);
        // It names what is yet to come, or what another log has numbered: all of ours is missing.
        let from = if reader.seen > last || since.start > self.start { 1 } else { reader.seen + 1 };
        let _ = reader.out.try_send(StreamItem::Gap { from, to: last.max(from) });
        self.begin_anew(tenant, reader).await;
    }

    /// It gets a snapshot, and what comes after it.
    async fn begin_anew(&mut self, tenant: TenantId, mut reader: Reader) {
        let Some((seq, calls, queues, agents)) = self.snapshot(tenant, &reader.filter).await else {
            let _ = reader.out.try_send(StreamItem::Closing { reason: "overloaded".into() });
            return;
        };
        let snapshot = StreamItem::Snapshot { seq, calls, queues, agents };
        if reader.out.try_send(snapshot).is_err() {
            return;
        }
        (reader.seen, reader.told) = (seq, seq);
        let stream = self.streams.entry(tenant).or_default();
        // What the snapshot includes and what of it is still on its way here is passed over.
        let later = |entry: &&Arc<Entry>| entry.seq() > seq;
        if stream.kept.iter().filter(later).all(|entry| reader.give(entry, &self.gauges)) {
            stream.readers.add(reader);
            self.gauges.readers.fetch_add(1, Relaxed);
        }
    }

    /// Asks the shard for the state as of its last event.
    async fn snapshot(&self, tenant: TenantId, filter: &Arc<EventFilter>) -> Option<Views> {
        let (answer, wait) = oneshot::channel();
        let filter = Arc::clone(filter);
        let question = Order::ask(
            move |shard| views(shard, tenant, &filter),
            move |views| {
                let _ = answer.send(views);
            },
        );
        self.shard.try_send(question).ok()?;
        wait.await.ok()
    }
}

/// What a filter is about, as of the last event. Of a thousand agents who each want their own, none costs the others'.
pub(super) fn views(shard: &Shard, tenant: TenantId, filter: &EventFilter) -> Views {
    let seq = shard.last_event(tenant);
    let EventFilter { agents, queues, calls, .. } = filter;
    if !queues.is_empty() || (agents.is_empty() && calls.is_empty()) {
        let (calls, queues, agents) = (shard.open_calls(tenant), shard.queues(tenant), shard.agents(tenant));
        if filter.is_of_all() {
            return (seq, calls, queues, agents);
        }
        let (calls, queues, agents) = filter.narrow(&calls, &queues, &agents);
        return (seq, calls, queues, agents);
    }
    let agent = |name: &_| shard.agent(&AgentId { tenant, name: Clone::clone(name) });
    let agents: Vec<AgentView> = agents.iter().filter_map(agent).collect();
    let with = agents.iter().filter_map(|agent| agent.call);
    let wanted: BTreeSet<_> =
        calls.iter().copied().filter(|call| call.tenant == tenant).chain(with).collect();
    let calls = wanted.into_iter().filter_map(|call| shard.open_call(call)).collect();
    (seq, calls, Vec::new(), agents)
}
