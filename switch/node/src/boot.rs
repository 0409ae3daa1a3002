//! Puts the switch together: reads what survived, makes lanes and threads, and says when it is ready.

use crate::clock::{Clock, wall_now};
use crate::config::{Loaded, Machine};
use crate::gauges::{MediaGauges, ShardGauges};
use crate::hub::Hub;
use crate::journal::{JournalGauges, JournalOrder, JournalThread};
use crate::media::{MediaOrder, MediaSetup, MediaThread, PortPool, PortRange, RecorderOrder};
use crate::metrics::{Gauges, LaneReading};
use crate::recorder::{Recorder, RecorderGauges};
use crate::reload::Reloader;
use crate::shard::{Order, ShardSetup, ShardThread};
use crate::switch::{Closer, NodeSwitch};
use cordboard_core::{Restore, Shard, ShardCommand, ShardConfig};
use cordboard_lane::{Receiver, Sender, lane};
use cordboard_media::{MediaConfig, MediaEngine};
use cordboard_model::config::Snapshot;
use cordboard_model::event::Event;
use cordboard_model::journal::JournalRecord;
use cordboard_plugin_api::Registry;
use cordboard_store::{
    Journal, JournalOptions, Recovered, Store, StoreOptions, Stored, Writer, lost_by_restart,
};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Slots of the lanes, by what waits in them.
const MEDIA_EVENTS: usize = 16_384;
const MEDIA_ORDERS: usize = 16_384;
const API_ORDERS: usize = 4_096;
const RECORDER_CHUNKS: usize = 8_192;
const EVENTS: usize = 65_536;
const STORED: usize = 65_536;
/// Receive buffer of a SIP socket, bytes: a burst of a second at a thousand calls a second.
const SIP_BUFFER: usize = 4 << 20;

/// Why the switch did not start. Each names the thing and what to do.
#[derive(Debug)]
pub enum BootError {
    /// An address cannot be bound.
    Bind(&'static str, SocketAddr, io::Error),
    /// The journal cannot be used.
    Journal(cordboard_store::JournalError),
    /// The database cannot be used.
    Store(cordboard_store::StoreError),
    /// The operating system refused a thread, an epoll or random bytes.
    System(io::Error),
    /// Two plugins have one name.
    Plugins(String),
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BootError::Bind(what, addr, why) => {
                write!(f, "cannot listen for {what} on {addr}: {why}")
            }
            BootError::Journal(why) => write!(f, "the journal cannot be used: {why}"),
            BootError::Store(why) => write!(f, "the database cannot be used: {why}"),
            BootError::System(why) => {
                write!(f, "the operating system refused what every switch needs: {why}")
            }
            BootError::Plugins(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for BootError {}

/// The built-in routing plugins.
pub fn registry() -> Result<Registry, BootError> {
    Registry::new(vec![
        Box::new(cordboard_plugin_called_number::CalledNumberPlugin),
        Box::new(cordboard_plugin_registered_extension::RegisteredExtensionPlugin),
    ])
    .map_err(|why| BootError::Plugins(why.to_string()))
}

/// A running switch.
pub struct Running {
    /// What the control plane speaks to.
    pub switch: Arc<NodeSwitch>,
    /// To the shard.
    pub orders: Sender<Order>,
    /// Bound SIP addresses.
    pub sip: Vec<SocketAddr>,
    clock: Clock,
    threads: Vec<JoinHandle<()>>,
    hub: tokio::task::JoinHandle<()>,
    store: Arc<Store>,
    stopping: Arc<AtomicBool>,
}

/// The lanes of the switch, both ends.
struct Lanes {
    media_events: (Sender<Order>, Receiver<Order>),
    journalled: (Sender<Order>, Receiver<Order>),
    api: (Sender<Order>, Receiver<Order>),
    journal: (Sender<JournalOrder>, Receiver<JournalOrder>),
    stored: (Sender<Stored>, Receiver<Stored>),
    recorder: (Sender<RecorderOrder>, Receiver<RecorderOrder>),
    events: (Sender<Event>, Receiver<Event>),
}

impl Lanes {
    fn new(calls: usize) -> Self {
        Self {
            media_events: lane("media to shard", MEDIA_EVENTS),
            journalled: lane("journal to shard", calls * 2 + 1_024),
            api: lane("api to shard", API_ORDERS),
            // An opening, a closing and both dialogs of every call that may be up find room at once.
            journal: lane("shard to journal", calls * 8 + 1_024),
            stored: lane("store to journal", STORED),
            recorder: lane("media to recorder", RECORDER_CHUNKS),
            events: lane("shard to hub", EVENTS),
        }
    }

    /// What a stop closes, in the order of the way down: into the shard, then into the writers.
    fn closers(&self) -> Vec<Closer> {
        fn of<T: Send + 'static>(sender: &Sender<T>) -> Closer {
            let sender = sender.clone();
            Box::new(move || sender.close())
        }
        vec![
            of(&self.media_events.0),
            of(&self.journalled.0),
            of(&self.api.0),
            of(&self.recorder.0),
            of(&self.journal.0),
            of(&self.events.0),
        ]
    }

    fn readings(&self) -> Vec<LaneReading> {
        fn of<T: Send + 'static>(sender: &Sender<T>) -> LaneReading {
            let sender = sender.clone();
            Box::new(move || sender.stats())
        }
        vec![
            of(&self.media_events.0),
            of(&self.journalled.0),
            of(&self.api.0),
            of(&self.journal.0),
            of(&self.recorder.0),
            of(&self.events.0),
        ]
    }
}

/// What was read from the disk.
struct Kept {
    writer: Writer,
    recovered: Recovered,
    lost: Vec<cordboard_model::cdr::Cdr>,
}

/// Steps 1 to 3 of a start: the journal is read, interrupted calls get their records, and those are on the disk
/// before anything else happens.
fn recover(machine: &Machine, clock: &Clock) -> Result<Kept, BootError> {
    let options = JournalOptions { sync_every: machine.journal.sync, ..JournalOptions::default() };
    let opened = Journal::open_with(&machine.journal.dir, options).map_err(BootError::Journal)?;
    let (journal, mut recovered) = opened;
    for damage in &recovered.damage {
        tracing::warn!(?damage, kept = ?recovered.kept, "part of the journal could not be read and was skipped");
    }
    let now = wall_now();
    recovered.drop_expired(now);
    let lost = lost_by_restart(&recovered, now);
    let mut writer = journal.into_writer().map_err(BootError::Journal)?;
    for cdr in &lost {
        let record = JournalRecord::CallClosed(Box::new(cdr.clone()));
        writer.append(&record, now).map_err(BootError::Journal)?;
    }
    writer.commit(clock.now()).and_then(|_| writer.sync()).map_err(BootError::Journal)?;
    if !lost.is_empty() {
        tracing::warn!(
            calls = lost.len(),
            "calls were lost by the restart; each has its record, and its ends get a BYE"
        );
    }
    Ok(Kept { writer, recovered, lost })
}

impl Kept {
    /// What the shard takes back.
    fn restore(&self) -> Restore {
        let of_calls = self.recovered.dialogs().map(|(_, _, dialog)| dialog.clone());
        let strays = self.recovered.stray_dialogs.iter().map(|(_, _, dialog)| dialog.clone());
        let agents = self.recovered.agents.iter();
        Restore {
            contacts: self.recovered.contacts.clone(),
            agents: agents.map(|record| (record.agent.clone(), record.status, record.since)).collect(),
            dialogs: of_calls.chain(strays).collect(),
        }
    }

    /// Recordings that the restart cut: what is on the disk is all there is.
    fn cut_recordings(&self, dir: &std::path::Path) -> Vec<cordboard_model::cdr::RecordingEntry> {
        let length = |recording| {
            let file = crate::recorder::file_of(dir, recording);
            let bytes = std::fs::metadata(file).map(|meta| meta.len()).unwrap_or(0);
            // 8 kHz, two channels, 16 bits: 32 bytes a millisecond.
            bytes.saturating_sub(44) / 32
        };
        let entry = |open: &cordboard_store::OpenRecording| cordboard_model::cdr::RecordingEntry {
            recording: open.recording,
            call: open.call,
            started: open.started,
            length_ms: length(open.recording),
            dropped_ms: 0,
        };
        self.recovered.recordings.iter().map(entry).collect()
    }
}

fn bind_sip(machine: &Machine) -> Result<(Vec<std::net::UdpSocket>, Vec<SocketAddr>), BootError> {
    let mut sockets = Vec::new();
    let mut bound = Vec::new();
    for addr in &machine.sip.listen {
        let failed = |why| BootError::Bind("SIP", *addr, why);
        let socket = crate::media::bind_udp(*addr, Some(SIP_BUFFER)).map_err(failed)?;
        let socket = std::net::UdpSocket::from(socket);
        bound.push(socket.local_addr().map_err(failed)?);
        sockets.push(socket);
    }
    Ok((sockets, bound))
}

fn seed() -> Result<[u8; 32], BootError> {
    use std::io::Read;
    let mut seed = [0; 32];
    let mut random = std::fs::File::open("/dev/urandom").map_err(BootError::System)?;
    random.read_exact(&mut seed).map_err(BootError::System)?;
    Ok(seed)
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, BootError> {
    std::thread::Builder::new().name(name).spawn(work).map_err(BootError::System)
}

/// The media threads, with the shard's end of their lanes.
struct MediaThreads {
    orders: Vec<Sender<MediaOrder>>,
    gauges: Vec<Arc<MediaGauges>>,
    handles: Vec<JoinHandle<()>>,
}

fn start_media(loaded: &Loaded, lanes: &Lanes, clock: Clock) -> Result<MediaThreads, BootError> {
    let machine = &loaded.machine.media;
    let threads = usize::from(machine.threads.max(1));
    let range = PortRange { address: machine.address, first: machine.port_min, last: machine.port_max };
    let public = (machine.advertised != machine.address).then_some(machine.advertised);
    let mut started = MediaThreads { orders: Vec::new(), gauges: Vec::new(), handles: Vec::new() };
    for index in 0..threads {
        let (orders, receiver) = lane("shard to media", MEDIA_ORDERS);
        let config = MediaConfig {
            silence_limit: loaded.snapshot.limits.media_silence,
            tick: Duration::from_millis(u64::from(machine.ptime)),
            ..MediaConfig::default()
        };
        let ports = PortPool::new(range.part(index, threads), machine.port_linger);
        let gauges = Arc::new(MediaGauges::default());
        gauges.ports_free.store(ports.free() as u64, Relaxed);
        let setup = MediaSetup {
            engine: MediaEngine::new(config, seed()?),
            ports,
            public,
            orders: receiver,
            events: lanes.media_events.0.clone(),
            recorder: lanes.recorder.0.clone(),
            clock,
            gauges: Arc::clone(&gauges),
        };
        let thread = MediaThread::new(setup).map_err(BootError::System)?;
        started.handles.push(spawn(format!("media-{index}"), move || thread.run())?);
        started.orders.push(orders);
        started.gauges.push(gauges);
    }
    Ok(started)
}

/// Starts the switch. It takes calls when this returns.
///
/// # Errors
/// See [`BootError`].
pub async fn start(path: PathBuf, loaded: Loaded, clock: Clock) -> Result<Running, BootError> {
    let started = Instant::now();
    let (sockets, sip) = bind_sip(&loaded.machine)?;
    let kept = recover(&loaded.machine, &clock)?;
    let lanes = Lanes::new(loaded.snapshot.limits.calls as usize);
    let store = open_store(&loaded.machine, &lanes).await?;
    let cut = kept.cut_recordings(&loaded.machine.recordings.dir);
    give_recovered(&store, &kept, cut);
    let media = start_media(&loaded, &lanes, clock)?;

    let making = making(&loaded, &kept, &sip, &clock)?;
    let gauges = Arc::new(Gauges {
        started,
        shard: Arc::new(ShardGauges::default()),
        media: media.gauges,
        journal: Arc::new(JournalGauges::default()),
        recorder: Arc::new(RecorderGauges::default()),
        store: Arc::clone(&store),
        lanes: lanes.readings(),
    });
    let reloader = Reloader::new(path, loaded.clone(), lanes.api.0.clone(), media.orders.clone());
    reloader.load_assets(&loaded);

    let mut threads = media.handles;
    let closers = lanes.closers();
    let shard_gauges = Arc::clone(&gauges.shard);
    let orders = vec![lanes.media_events.1, lanes.journalled.1, lanes.api.1];
    let (to_media, journal, events) = (media.orders, lanes.journal.0, lanes.events.0);
    let setup = move |shard| ShardSetup {
        shard,
        sockets,
        orders,
        media: to_media,
        journal,
        events,
        clock,
        gauges: shard_gauges,
    };
    threads.insert(0, start_shard(making, clock, setup).await?);
    let dir = loaded.machine.recordings.dir.clone();
    let recorder = Recorder::new(
        dir.clone(),
        lanes.recorder.1,
        lanes.media_events.0,
        clock,
        Arc::clone(&gauges.recorder),
    );
    threads.push(spawn("recorder".into(), move || recorder.run())?);
    let journal = JournalThread {
        writer: kept.writer,
        orders: lanes.journal.1,
        stored: lanes.stored.1,
        shard: lanes.journalled.0,
        store: Arc::clone(&store),
        clock,
        gauges: Arc::clone(&gauges.journal),
    };
    threads.push(spawn("journal".into(), move || journal.run())?);
    let (hub, handle) = Hub::new(clock.start_secs(), lanes.events.1, lanes.api.0.clone());
    let hub = tokio::spawn(hub.run());
    let stopping = Arc::new(AtomicBool::new(false));
    let orders = lanes.api.0;
    let switch = Arc::new(NodeSwitch {
        orders: orders.clone(),
        hub: handle,
        store: Arc::clone(&store),
        recordings: dir,
        gauges,
        reloader,
        stopping: Arc::clone(&stopping),
        closers,
    });
    Ok(Running { switch, orders, sip, clock, threads, hub, store, stopping })
}

async fn open_store(machine: &Machine, lanes: &Lanes) -> Result<Arc<Store>, BootError> {
    let stored = lanes.stored.0.clone();
    // A full lane costs a second, idempotent write at the next start.
    let on_stored = move |what| {
        let _ = stored.try_send(what);
    };
    let options = StoreOptions { on_stored: Some(Arc::new(on_stored)), ..StoreOptions::default() };
    let store = Store::open_with(&machine.store.path, options).await.map_err(BootError::Store)?;
    Ok(Arc::new(store))
}

/// Gives the database what it may have missed, without waiting for it.
fn give_recovered(store: &Arc<Store>, kept: &Kept, cut: Vec<cordboard_model::cdr::RecordingEntry>) {
    let closed: Vec<_> = kept.recovered.closed.iter().chain(&kept.lost).cloned().collect();
    let finished: Vec<_> = kept.recovered.finished.iter().cloned().chain(cut).collect();
    let store = Arc::clone(store);
    tokio::spawn(async move {
        if let Err(why) = store.put_recovered(closed, finished).await {
            tracing::warn!(%why, "the database did not take what the journal recovered; the journal keeps it");
        }
    });
}

/// What a shard is made from, on its own thread: Lua's state may not move between threads.
struct Making {
    config: ShardConfig,
    registry: Registry,
    snapshot: Arc<Snapshot>,
    restore: Restore,
}

impl Making {
    /// A shard with its configuration and what survived.
    fn make(self, clock: &Clock) -> Shard {
        let mut shard = Shard::new(self.config, self.registry);
        shard.handle_command(ShardCommand::Configure(self.snapshot), clock.now());
        shard.handle_command(ShardCommand::Restore(Box::new(self.restore)), clock.now());
        shard
    }
}

fn making(loaded: &Loaded, kept: &Kept, sip: &[SocketAddr], clock: &Clock) -> Result<Making, BootError> {
    let unspecified = SocketAddr::from(([127, 0, 0, 1], 5060));
    let local = sip.first().copied().unwrap_or(unspecified);
    let advertised = loaded.machine.sip.advertised(local);
    let config = ShardConfig {
        shard: 0,
        start_secs: clock.start_secs(),
        seed: seed()?,
        local,
        advertised: (advertised != local).then_some(advertised),
        ptime_ms: loaded.machine.media.ptime,
        wall: clock.wall(),
        panic_key: std::env::var("CORDBOARD_TEST_PANIC_KEY").ok().and_then(|key| key.chars().next()),
    };
    let snapshot = Arc::new(loaded.snapshot.clone());
    Ok(Making { config, registry: registry()?, snapshot, restore: kept.restore() })
}

/// Starts the signalling thread; it takes calls when this returns.
async fn start_shard(
    making: Making,
    clock: Clock,
    setup: impl FnOnce(Shard) -> ShardSetup + Send + 'static,
) -> Result<JoinHandle<()>, BootError> {
    let (ready, wait) = tokio::sync::oneshot::channel();
    let handle = spawn("shard".into(), move || {
        // If nobody waits any more, the start was given up: the thread ends with its lanes.
        match ShardThread::new(setup(making.make(&clock))) {
            Ok(thread) => {
                if ready.send(Ok(())).is_ok() {
                    thread.run();
                }
            }
            Err(why) => drop(ready.send(Err(why))),
        }
    })?;
    match wait.await {
        Ok(Ok(())) => Ok(handle),
        Ok(Err(why)) => Err(BootError::System(why)),
        Err(_) => Err(BootError::System(io::Error::other("the signalling thread ended at its start"))),
    }
}

/// Longest time that a stop waits for calls to end and for what they still have to say.
const STOP: Duration = Duration::from_secs(5);

impl Running {
    /// Watches the wall clock until the switch stops; told to the shard when it moves.
    pub async fn watch_clock(orders: Sender<Order>, mut clock: Clock) {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some(wall) = clock.moved()
                && orders.try_send(Order::Wall(wall)).is_err()
                && orders.is_closed()
            {
                return;
            }
        }
    }

    /// The clock of this switch.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Refuses new calls, ends those that are up, writes everything down, and ends every thread.
    pub async fn stop(self) {
        self.stopping.store(true, Relaxed);
        // With a full lane the calls end when their threads do, and the journal has them as interrupted.
        let _ = self.orders.try_send(Order::Command(ShardCommand::Stop { end: true }));
        let end = Instant::now() + STOP;
        while Instant::now() < end {
            let (answer, wait) = tokio::sync::oneshot::channel();
            let question = move |shard: &mut Shard| {
                let _ = answer.send(shard.is_quiescent());
            };
            if self.orders.try_send(Order::Ask(Box::new(question))).is_err() || wait.await.unwrap_or(true) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.switch.close_lanes();
        let threads = self.threads;
        // A thread that panicked has said so already.
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().for_each(|t| drop(t.join()))).await;
        if joined.is_err() {
            tracing::error!("a thread could not be joined");
        }
        self.hub.abort();
        self.store.close().await;
    }
}
