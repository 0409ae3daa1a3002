//! The event hub: keeps the last events of each tenant and serves readers, new ones and those who come back.
//!
//! Invariant: a reader gets every event after the one it named that its filter lets through, in order, or a gap with a
//! snapshot. A reader that does not keep up is cut with a reason and can come back with the last number it saw.
//!
//! Numbers go on over a restart. Where events alone do not lead from one state to the next (a start, another
//! configuration, numbers that were lost on the way) the state itself stands in the stream, between two events, for readers
//! of now as for those who come back for it. The newest entries are in memory, those of the last hour on the disk
//! ([`keeper`]); a reader who needs these is led through them by a task of its own ([`replay`]) and then taken over.

mod keeper;
mod reader;
mod readers;
mod replay;
#[cfg(test)]
mod tests;

pub use keeper::EventGauges;

use crate::log::EventLog as LogOfEvents;
use crate::shard::Order;
use cordboard_api::events::Follow;
use cordboard_api::switch::{StreamItem, Subscription};
use cordboard_core::Shard;
use cordboard_lane::{Receiver, Sender};
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::TenantId;
use cordboard_store::events::{Concerns, Entry, EventLog, State};
use keeper::Keeper;
use reader::views;
use readers::Readers;
use replay::{Back, Replays};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Interval;

/// Entries kept in memory for each tenant.
const KEPT: usize = 10_000;
/// After events were passed on, those that follow within this time are passed on together: the signalling thread pays for
/// each time it wakes this one, and a call makes ten events in as many turns.
const GATHER: Duration = Duration::from_millis(3);
/// The same while nobody reads: what is kept for who comes back may be kept a little later.
const GATHER_ALONE: Duration = Duration::from_millis(50);
/// Items that a reader may be behind before it is cut: all that can be kept for it, and some that are new meanwhile.
const BEHIND: usize = KEPT + 1_024;
/// How often readers with a filter are told how far the stream is, if nothing was for them.
const POSITION: Duration = Duration::from_secs(20);
/// States that wait to be taken.
const STATES: usize = 256;

/// A new reader.
pub struct Subscribe {
    follow: Follow,
    out: mpsc::Sender<StreamItem>,
}

/// To the hub, from the API.
#[derive(Clone)]
pub struct HubHandle {
    new: mpsc::Sender<Subscribe>,
}

impl HubHandle {
    /// Adds a reader. With more new readers at once than the hub can take, the stream ends at once with a reason.
    pub fn follow(&self, follow: Follow) -> Subscription {
        let (out, items) = mpsc::channel(BEHIND);
        let refused = out.clone();
        if self.new.try_send(Subscribe { follow, out }).is_err() {
            let _ = refused.try_send(StreamItem::Closing { reason: "overloaded".into() });
        }
        items
    }
}

#[derive(Default)]
struct Stream {
    kept: VecDeque<Arc<Entry>>,
    last: u64,
    readers: Readers,
    concerns: Concerns,
    /// Events up to this number made the state that the stream began with.
    begun: u64,
    /// A state is wanted, and could not be asked for.
    wanted: bool,
    /// Numbers that were lost before the next state.
    lost: Option<(u64, u64)>,
    /// A state that waits for its turn among the events.
    state: Option<State>,
}

/// What the hub is made of.
pub struct HubSetup {
    /// The start that numbers the events.
    pub start: u32,
    /// Events, in the order of their numbers.
    pub events: Receiver<Event>,
    /// Where a state is asked for.
    pub shard: Sender<Order>,
    /// The states that the streams begin with, each as of the last event before.
    pub begun: Vec<(TenantId, State)>,
    /// The folder and the files there; none if they cannot be used.
    pub log: Option<(PathBuf, EventLog)>,
    /// What is counted.
    pub gauges: Arc<EventGauges>,
}

/// The hub's state.
pub struct Hub {
    start: u32,
    events: Receiver<Event>,
    new: mpsc::Receiver<Subscribe>,
    shard: Sender<Order>,
    streams: BTreeMap<TenantId, Stream>,
    log: LogOfEvents,
    keeper: Option<Keeper>,
    replays: Replays,
    back: mpsc::Receiver<Back>,
    states: mpsc::Receiver<(TenantId, State)>,
    states_to: mpsc::Sender<(TenantId, State)>,
    positions: Interval,
    gauges: Arc<EventGauges>,
}

impl Hub {
    /// A hub, and the way to it.
    pub fn new(setup: HubSetup) -> (Hub, HubHandle) {
        let HubSetup { start, events, shard, begun, log, gauges } = setup;
        let (sender, new) = mpsc::channel(256);
        let (states_to, states) = mpsc::channel(STATES);
        let (dir, log) = log.unzip();
        let keeper = log.and_then(|log| {
            let started = Keeper::start(log, shard.clone(), Arc::clone(&gauges));
            started.inspect_err(|why| tracing::error!(%why, "events are not kept on the disk")).ok()
        });
        let (replays, back) = Replays::new(dir, Arc::clone(&gauges));
        let mut hub = Hub {
            start,
            events,
            new,
            shard,
            streams: BTreeMap::new(),
            log: LogOfEvents::default(),
            keeper,
            replays,
            back,
            states,
            states_to,
            positions: tokio::time::interval_at(tokio::time::Instant::now() + POSITION, POSITION),
            gauges,
        };
        for (tenant, state) in begun {
            let stream = hub.streams.entry(tenant).or_default();
            (stream.last, stream.begun) = (state.seq, state.seq);
            hub.add(tenant, Entry::State(Box::new(state)));
        }
        (hub, HubHandle { new: sender })
    }

    /// The same, running.
    pub fn start(setup: HubSetup) -> (JoinHandle<()>, HubHandle) {
        let (hub, handle) = Self::new(setup);
        (tokio::spawn(hub.run()), handle)
    }

    /// Runs until the shard is gone; then every reader is told, and what waits for the disk is written.
    pub async fn run(mut self) {
        let notify = Arc::new(Notify::new());
        let waker = Arc::clone(&notify);
        if self.events.set_waker(move || waker.notify_one()).is_err() {
            return;
        }
        loop {
            let gather = self.catch_up();
            self.take_states();
            if let Some(keeper) = &self.keeper {
                keeper.flush();
            }
            let pause = if self.is_read() { GATHER } else { GATHER_ALONE };
            // While events are gathered, sleep is not announced, and nobody wakes this task for them.
            let more = async {
                match gather {
                    true => tokio::time::sleep(pause).await,
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
                Some(subscribe) = self.new.recv() => {
                    // he may know of what was gathered since
                    self.catch_up();
                    self.admit(subscribe).await;
                }
                Some(back) = self.back.recv() => self.take_back(back).await,
                Some((tenant, state)) = self.states.recv() => self.hold(tenant, state),
                _ = self.positions.tick() => self.tell_positions(),
            }
        }
        for stream in self.streams.values_mut() {
            for reader in stream.readers.take_all() {
                let _ = reader.out.try_send(StreamItem::Closing { reason: "shutdown".into() });
            }
        }
        if let Some(keeper) = self.keeper.take() {
            let _ = tokio::task::spawn_blocking(move || keeper.end()).await;
        }
    }

    /// Passes on all that has come; whether there was any.
    fn catch_up(&mut self) -> bool {
        let mut any = false;
        while let Some(event) = self.events.pop() {
            self.publish(event);
            any = true;
        }
        any
    }

    fn is_read(&self) -> bool {
        self.streams.values().any(|stream| !stream.readers.is_empty())
    }

    fn publish(&mut self, event: Event) {
        self.log.write(&event, Instant::now());
        let (tenant, seq) = (event.tenant, event.seq);
        // A state that was made before this event is there already, if it was asked for: its turn is now.
        while let Ok((tenant, state)) = self.states.try_recv() {
            self.hold(tenant, state);
        }
        let stream = self.streams.entry(tenant).or_default();
        if seq <= stream.begun {
            return;
        }
        if stream.state.as_ref().is_some_and(|state| state.seq < seq) {
            self.place(tenant);
        }
        let stream = self.streams.entry(tenant).or_default();
        let lost = (seq > stream.last + 1).then_some((stream.last + 1, seq - 1));
        let renewed = matches!(event.what, EventKind::ConfigReloaded { .. });
        stream.last = seq;
        let told = stream.concerns.tell(event);
        self.add(tenant, Entry::Event(Box::new(told)));
        if renewed || lost.is_some() {
            self.owe(tenant, lost);
        }
    }

    /// An entry of the stream, to whoever is there, to memory and to the disk.
    fn add(&mut self, tenant: TenantId, entry: Entry) {
        let entry = Arc::new(entry);
        if let Some(keeper) = &self.keeper {
            keeper.keep(tenant, &entry);
        }
        let stream = self.streams.entry(tenant).or_default();
        if stream.kept.len() >= KEPT {
            stream.kept.pop_front();
        }
        let gone = stream.readers.give(&entry, &self.gauges);
        stream.kept.push_back(entry);
        self.gauges.readers.fetch_sub(gone as u64, Relaxed);
    }

    /// Asks the shard for the state, which readers need to go on from.
    fn owe(&mut self, tenant: TenantId, lost: Option<(u64, u64)>) {
        let stream = self.streams.entry(tenant).or_default();
        let first = stream.lost.or(lost).map(|(first, _)| first);
        let last = lost.or(stream.lost).map(|(_, last)| last);
        stream.lost = first.zip(last);
        let states = self.states_to.clone();
        let question = Order::ask(
            move |shard| state_of(shard, tenant),
            move |state| {
                let _ = states.try_send((tenant, state));
            },
        );
        stream.wanted = self.shard.try_send(question).is_err();
    }

    /// A state has come: it stands after the last event that it includes.
    fn hold(&mut self, tenant: TenantId, mut state: State) {
        let stream = self.streams.entry(tenant).or_default();
        state.lost = stream.lost.take();
        stream.state = Some(state);
    }

    fn take_states(&mut self) {
        let due = |stream: &Stream| stream.state.as_ref().is_some_and(|state| state.seq <= stream.last);
        let due: Vec<TenantId> =
            self.streams.iter().filter(|(_, stream)| due(stream)).map(|(tenant, _)| *tenant).collect();
        due.into_iter().for_each(|tenant| self.place(tenant));
    }

    fn place(&mut self, tenant: TenantId) {
        let stream = self.streams.entry(tenant).or_default();
        let Some(mut state) = stream.state.take() else { return };
        if state.seq > stream.last {
            // What it includes beyond that did not come, and will not.
            state.lost = Some((state.lost.map_or(stream.last + 1, |(first, _)| first), state.seq));
            stream.last = state.seq;
        }
        self.add(tenant, Entry::State(Box::new(state)));
    }

    fn tell_positions(&mut self) {
        let wanted = self.streams.iter().filter(|(_, stream)| stream.wanted).map(|(tenant, _)| *tenant);
        for tenant in wanted.collect::<Vec<_>>() {
            self.owe(tenant, None);
        }
        for stream in self.streams.values_mut() {
            // Where nothing happens nothing is sent, and who is gone is noticed here alone.
            self.gauges.readers.fetch_sub(stream.readers.tell_position() as u64, Relaxed);
        }
    }
}

/// The whole state of a tenant, as of its last event.
pub fn state_of(shard: &Shard, tenant: TenantId) -> State {
    let (seq, calls, queues, agents) = views(shard, tenant, &Default::default());
    State { seq, lost: None, calls, queues, agents }
}
