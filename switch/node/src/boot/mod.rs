//! Puts the switch together: reads what survived, makes lanes and threads, and says when it is ready.

mod events;
mod lanes;
mod number;
mod recover;
mod threads;

use crate::alone::Alone;
use crate::campaigns::{Dialling, Ways};
use crate::chats::ChatDesk;
use crate::clock::Clock;
use crate::config::{Listen, Loaded, Machine};
use crate::dns::Dns;
use crate::fetch;
use crate::files::raise_limit;
use crate::gateway::Pushing;
use crate::hashing::{self, Hasher};
use crate::hep::{Hep, HepOrder};
use crate::hub::{Hub, HubHandle, HubSetup};
use crate::journal::{JournalOrder, JournalThread};
use crate::media::{MediaOrder, RecorderOrder};
use crate::metrics::Gauges;
use crate::recordings::keeper::Keeper;
use crate::recordings::{Keeping, Recorder};
use crate::reload::Reloader;
use crate::shard::{Order, ShardSetup};
use crate::speech::{self, Speaker, Wish};
use crate::stop::{self, StopOrder};
use crate::streams::{Piece, StreamCounts, StreamSetup, Streams as Programs};
use crate::switch::NodeSwitch;
use crate::transport::{
    self, Bound, Desk, DeskSetup, Listed, SipOverHttp, StreamGauges, StreamOrder, TlsError, TlsStore,
};
use crate::walls::Walls;
use crate::webhooks::Deliveries;
use cordboard_core::ShardCommand;
use cordboard_lane::{Receiver, Sender};
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::event::Event;
use cordboard_model::stream::StreamCommand;
use cordboard_plugin_api::Registry;
use cordboard_sip::engine::Transport;
use cordboard_store::{Store, StoreOptions, Stored, Writer};
use events::Begun;
use lanes::Lanes;
use recover::{give_recovered, recover};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use threads::{making, spawn, start_builder, start_media, start_shard};
use tokio::sync::mpsc;

/// Receive buffer of a SIP socket, bytes: a burst of a second at a thousand calls a second.
const SIP_BUFFER: usize = 4 << 20;

/// Why the switch did not start. Each names the thing and what to do.
#[derive(Debug)]
pub enum BootError {
    /// An address cannot be bound.
    Bind(&'static str, SocketAddr, io::Error),
    /// The journal cannot be used.
    Journal(cordboard_store::JournalError),
    /// The number of this start cannot be kept in this file.
    Number(PathBuf, io::Error),
    /// The database cannot be used.
    Store(cordboard_store::StoreError),
    /// The operating system refused a thread, an epoll or random bytes.
    System(io::Error),
    /// Certificates cannot be used.
    Tls(TlsError),
    /// Two plugins have one name.
    Plugins(String),
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BootError::Bind(what, addr, why) => {
                write!(f, "cannot listen for {what} on {addr}: {why}")?;
                let section = what.to_lowercase();
                match why.kind() {
                    io::ErrorKind::AddrInUse => {
                        let port = addr.port();
                        write!(
                            f,
                            "; `ss -lunpt 'sport = :{port}'` names who has it, [{section}] listen changes it"
                        )
                    }
                    io::ErrorKind::AddrNotAvailable => {
                        write!(
                            f,
                            "; [{section}] listen must be an address of this machine (`ip addr` lists them)"
                        )
                    }
                    io::ErrorKind::PermissionDenied => {
                        write!(f, "; ports below 1024 need a right of their own")
                    }
                    _ => Ok(()),
                }
            }
            BootError::Journal(why) => write!(f, "the journal cannot be used: {why}"),
            BootError::Number(path, why) => {
                let path = path.display();
                write!(f, "cannot write {path}: {why}; without it two starts could give calls the same id")
            }
            BootError::Store(why) => write!(f, "the database cannot be used: {why}"),
            BootError::System(why) => {
                write!(f, "the operating system refused what every switch needs: {why}")
            }
            BootError::Tls(why) => why.fmt(f),
            BootError::Plugins(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for BootError {}

/// The built-in routing plugins.
pub fn registry() -> Result<Registry, BootError> {
    Registry::new(vec![
        Box::new(cordboard_plugin_calendar::CalendarPlugin),
        Box::new(cordboard_plugin_called_number::CalledNumberPlugin),
        Box::new(cordboard_plugin_caller_lists::CallerListsPlugin),
        Box::new(cordboard_plugin_emergency::EmergencyPlugin),
        Box::new(cordboard_plugin_http_decision::HttpDecisionPlugin),
        Box::new(cordboard_plugin_last_agent::LastAgentPlugin),
        Box::new(cordboard_plugin_loop_guard::LoopGuardPlugin),
        Box::new(cordboard_plugin_lua_decision::LuaDecisionPlugin),
        Box::new(cordboard_plugin_portability::PortabilityPlugin),
        Box::new(cordboard_plugin_registered_extension::RegisteredExtensionPlugin),
        Box::new(cordboard_plugin_share::SharePlugin),
        Box::new(cordboard_plugin_trunk_choice::TrunkChoicePlugin),
    ])
    .map_err(|why| BootError::Plugins(why.to_string()))
}

/// A running switch.
pub struct Running {
    /// What the control plane speaks to.
    pub switch: Arc<NodeSwitch>,
    /// To the shard.
    pub orders: Sender<Order>,
    /// Where SIP is spoken.
    pub sip: Vec<Listen>,
    /// Orders to stop that came by the API.
    pub stops: mpsc::Receiver<StopOrder>,
    /// Connections for SIP.
    streams: Streams,
    clock: Clock,
    threads: Vec<JoinHandle<()>>,
    hub: tokio::task::JoinHandle<()>,
    store: Arc<Store>,
}

/// The sockets that SIP is spoken on.
struct SipSockets {
    udp: Vec<std::net::UdpSocket>,
    streams: Vec<Bound>,
    /// All of them as bound, in the order of the configuration.
    all: Vec<Listen>,
    /// What those for TLS show.
    tls: Arc<TlsStore>,
}

/// The sockets for SIP, once the process may open as many files as it needs.
async fn bind_sip(loaded: &Loaded) -> Result<SipSockets, BootError> {
    open_files(loaded);
    let machine = &loaded.machine;
    let tls = TlsStore::new(&machine.sip.tls, &machine.sip.listen).map_err(BootError::Tls)?;
    let mut sockets =
        SipSockets { udp: Vec::new(), streams: Vec::new(), all: Vec::new(), tls: Arc::new(tls) };
    for listen in &machine.sip.listen {
        let address = if listen.transport == Transport::Udp {
            let failed = |why| BootError::Bind("SIP", listen.address, why);
            let socket = crate::media::bind_udp(listen.address, Some(SIP_BUFFER), false).map_err(failed)?;
            let socket = std::net::UdpSocket::from(socket);
            let address = socket.local_addr().map_err(failed)?;
            sockets.udp.push(socket);
            address
        } else {
            let bound = transport::bind(*listen).await?;
            let address = bound.local;
            sockets.streams.push(bound);
            address
        };
        sockets.all.push(Listen { address, ..*listen });
    }
    Ok(sockets)
}

/// Has as many files open as calls and connections may need, or says that it may not.
fn open_files(loaded: &Loaded) {
    if let Some(warning) = raise_limit(loaded.snapshot.limits.calls, loaded.machine.sip.connections) {
        tracing::warn!("{warning}");
    }
}

/// Starts the switch. It takes calls when this returns.
///
/// # Errors
/// See [`BootError`].
pub async fn start(path: PathBuf, loaded: Loaded, clock: Clock) -> Result<Running, BootError> {
    let SipSockets { udp, streams, all, tls } = bind_sip(&loaded).await?;
    let mut kept = recover(&loaded.machine, clock)?;
    let (clock, keeping) = (kept.clock, loaded.machine.recordings.keeping());
    let lanes = Lanes::new(loaded.snapshot.limits.calls as usize);
    let store = open_store(&loaded.machine, &lanes).await?;
    let (ended, given) = give_recovered(&store, &mut kept, &keeping)?;
    let media = start_media(&loaded, &lanes, clock)?;
    let (restore, begin, begun) = events::open(&loaded, &mut kept);
    let making = making(&loaded, restore, &all, &clock, media.fingerprint)?;
    let gauges = Arc::new(Gauges::new(media.gauges, Arc::clone(&store), lanes.readings()));
    let reloader = reloader((path, &loaded), &lanes.api.0, &media.orders, &tls);

    let (mut threads, closers, shard_gauges) = (media.handles, lanes.closers(), Arc::clone(&gauges.shard));
    let to_builder = (lanes.builder.1, lanes.discarded.1, lanes.media_events.0.clone());
    threads.push(start_builder(&loaded, to_builder, &media.orders, Arc::clone(&gauges.builder))?);
    let dns = Dns::start(&loaded.machine.dns, lanes.api.0.clone(), Arc::clone(&tls));
    let (speech, programs) = start_voices(&loaded, &media.orders, &lanes.api.0, lanes.pieces.1, &gauges)?;
    let (fetch, hash, hasher) = start_fetch(&loaded.machine, &lanes.api.0, &gauges)?;
    let hep = start_hep(&loaded.machine, lanes.hep, &mut threads)?;
    let ((chat_desk, at_shard), stops) = (shared::<ChatDesk>(), stop::orders());
    let setup = move |shard| ShardSetup {
        chat_desk: at_shard,
        shard: begin.of(shard),
        sockets: udp,
        orders: vec![lanes.media_events.1, lanes.journalled.1, lanes.api.1, lanes.streams.1],
        streams: lanes.to_streams.0,
        media: media.orders,
        builder: lanes.builder.0,
        journal: lanes.journal.0,
        fetch,
        hash,
        dns,
        programs,
        speech,
        events: lanes.events.0,
        ended: lanes.ended.0,
        hep,
        clock,
        gauges: shard_gauges,
    };
    threads.insert(0, start_shard(making, clock, setup).await?);
    let (ways, to_keeper) = ((lanes.to_streams.1, lanes.streams.0), (lanes.ended.1, lanes.api.0.clone()));
    let streams = start_streams(&loaded.machine, ways, &tls, streams, (&gauges.streams, &reloader));
    threads.push(start_recorder(keeping.clone(), (lanes.recorder.1, lanes.media_events.0), clock, &gauges)?);
    threads.push(start_keeper(&loaded.machine, to_keeper, (&store, &gauges), ended)?);
    let (to_journal, orders) = ((lanes.journal.1, lanes.stored.1, lanes.journalled.0), lanes.api.0);
    threads.push(start_journal(kept.writer, to_journal, &store, clock, &gauges)?);
    let (hub, handle) = start_hub(begun, (lanes.events.1, &orders), clock, &gauges);
    start_seeding(given, &store, &reloader, &orders, clock);
    let switch = Arc::new(NodeSwitch {
        dialling: start_dialling(&loaded.machine, (&store, &orders), &handle, &reloader)?,
        orders: orders.clone(),
        hasher,
        webhooks: start_webhooks(&loaded.machine, (&handle, &orders), &gauges, &reloader)?,
        hub: handle,
        store: Arc::clone(&store),
        recordings: keeping,
        enterprises: start_enterprises(&loaded.machine)?,
        streams: loaded.machine.streams.allowed.clone(),
        gauges,
        reloader,
        stopping: Arc::default(),
        stops: stops.0,
        closers,
        alone: Alone::default(),
        walls: Walls::default(),
        chat_desk,
    });
    Ok(Running { switch, orders, sip: all, stops: stops.1, streams, clock, threads, hub, store })
}

/// Who reads the configuration again.
fn reloader(
    (path, loaded): (PathBuf, &Loaded),
    shard: &Sender<Order>,
    media: &[Sender<MediaOrder>],
    tls: &Arc<TlsStore>,
) -> Arc<Reloader> {
    Reloader::new(path, loaded.clone(), shard.clone(), media.to_vec(), Arc::clone(tls))
}

/// One thing for two who share it.
fn shared<T: Default>() -> (Arc<T>, Arc<T>) {
    let one: Arc<T> = Arc::default();
    (Arc::clone(&one), one)
}

/// The event hub, with what the streams begin with.
fn start_hub(
    begun: Begun,
    (events, shard): (Receiver<Event>, &Sender<Order>),
    clock: Clock,
    gauges: &Gauges,
) -> (tokio::task::JoinHandle<()>, HubHandle) {
    let (begun, log) = begun.parts();
    let (start, shard, gauges) = (clock.start_secs(), shard.clone(), Arc::clone(&gauges.events));
    Hub::start(HubSetup { start, events, shard, begun, log, gauges })
}

/// Who posts events.
fn start_webhooks(
    machine: &Machine,
    (hub, shard): (&HubHandle, &Sender<Order>),
    gauges: &Gauges,
    reloader: &Reloader,
) -> Result<Arc<Deliveries>, BootError> {
    let rules = machine.webhook_rules.clone();
    let tls = transport::trusting(rules.ca.as_deref()).map_err(BootError::Tls)?;
    let dir = machine.journal.dir.join("webhooks");
    let (ways, counted) = ((hub.clone(), shard.clone()), Arc::clone(&gauges.webhooks));
    let webhooks = Deliveries::start(dir, (rules, tls), ways, counted, &machine.webhooks);
    reloader.have_follow(&webhooks);
    Ok(webhooks)
}

fn start_recorder(
    keeping: Keeping,
    (orders, shard): (Receiver<RecorderOrder>, Sender<Order>),
    clock: Clock,
    gauges: &Gauges,
) -> Result<JoinHandle<()>, BootError> {
    let recorder = Recorder::new(keeping, orders, shard, clock, Arc::clone(&gauges.recorder));
    spawn("recorder".into(), move || recorder.run())
}

fn start_journal(
    writer: Writer,
    (orders, stored, shard): (Receiver<JournalOrder>, Receiver<Stored>, Sender<Order>),
    store: &Arc<Store>,
    clock: Clock,
    gauges: &Gauges,
) -> Result<JoinHandle<()>, BootError> {
    let (store, gauges) = (Arc::clone(store), Arc::clone(&gauges.journal));
    let journal = JournalThread { writer, orders, stored, shard, store, clock, gauges };
    spawn("journal".into(), move || journal.run())
}

/// The keeper of finished recordings, who has those that ended before the start to look at.
fn start_keeper(
    machine: &Machine,
    (entries, shard): (Receiver<RecordingEntry>, Sender<Order>),
    (store, gauges): (&Arc<Store>, &Gauges),
    ended: Vec<RecordingEntry>,
) -> Result<JoinHandle<()>, BootError> {
    let (keeping, rules) = (machine.recordings.keeping(), machine.recordings.rules.clone());
    let runtime = tokio::runtime::Handle::current();
    let gauges = Arc::clone(&gauges.recorder);
    let keeper = Keeper { keeping, rules, entries, shard, store: Arc::clone(store), gauges, runtime };
    spawn("keeper".into(), move || keeper.run(ended))
}

/// Today's figures from before the start, once the database has what the restart cut.
fn start_seeding(
    given: tokio::task::JoinHandle<()>,
    store: &Arc<Store>,
    reloader: &Arc<Reloader>,
    orders: &Sender<Order>,
    clock: Clock,
) {
    let (store, reloader, orders) = (Arc::clone(store), Arc::clone(reloader), orders.clone());
    tokio::spawn(async move {
        let _ = given.await;
        crate::reports::seed(store, reloader, orders, clock.start_secs()).await;
    });
}

/// Who makes what flows say, and who carries streams to programs.
fn start_voices(
    loaded: &Loaded,
    media: &[Sender<MediaOrder>],
    shard: &Sender<Order>,
    pieces: Receiver<Piece>,
    gauges: &Gauges,
) -> Result<(mpsc::Sender<Wish>, mpsc::Sender<StreamCommand>), BootError> {
    let speech = start_speech(loaded, media, shard)?;
    Ok((speech, start_programs(loaded, pieces, media, shard, Arc::clone(&gauges.programs))?))
}

/// Who makes what flows say.
fn start_speech(
    loaded: &Loaded,
    media: &[Sender<MediaOrder>],
    shard: &Sender<Order>,
) -> Result<mpsc::Sender<Wish>, BootError> {
    let engine = speech::engine(&loaded.machine.speech).map_err(BootError::Tls)?;
    Ok(Speaker::start(&loaded.machine.speech, engine, media.to_vec(), shard.clone()))
}

/// The way of agents' events to their pages.
fn start_pushing(machine: &Machine) -> Result<Arc<Pushing>, BootError> {
    let tls = transport::trusting(machine.gateway.ca.as_deref()).map_err(BootError::Tls)?;
    Ok(Pushing::new(machine.gateway.clone(), tls))
}

/// Who calls by lists, and posts what came of it.
fn start_dialling(
    machine: &Machine,
    (store, shard): (&Arc<Store>, &Sender<Order>),
    hub: &HubHandle,
    reloader: &Arc<Reloader>,
) -> Result<Arc<Dialling>, BootError> {
    Ok(Dialling::start(Ways {
        store: Arc::clone(store),
        shard: shard.clone(),
        hub: hub.clone(),
        reloader: Arc::clone(reloader),
        pushing: start_pushing(machine)?,
    }))
}

/// How enterprises are asked about their agents.
fn start_enterprises(machine: &Machine) -> Result<Arc<crate::enterprise::Enterprises>, BootError> {
    let tls = transport::trusting(machine.third_party.ca.as_deref()).map_err(BootError::Tls)?;
    Ok(crate::enterprise::Enterprises::new(machine.third_party.clone(), tls))
}

/// Who asks for flows by HTTP, and who looks at passwords for them and for the API.
fn start_fetch(
    machine: &Machine,
    shard: &Sender<Order>,
    gauges: &Gauges,
) -> Result<(mpsc::Sender<fetch::Question>, mpsc::Sender<hashing::Job>, Hasher), BootError> {
    let tls = transport::trusting(machine.fetch.ca.as_deref()).map_err(BootError::Tls)?;
    let hasher = Hasher::new(Arc::clone(&gauges.passwords_refused));
    let jobs = hashing::start(hasher.clone(), shard.clone());
    Ok((fetch::start(machine.fetch.clone(), tls, shard.clone()), jobs, hasher))
}

/// Who carries streams to programs.
fn start_programs(
    loaded: &Loaded,
    pieces: Receiver<Piece>,
    media: &[Sender<MediaOrder>],
    shard: &Sender<Order>,
    counts: Arc<StreamCounts>,
) -> Result<mpsc::Sender<StreamCommand>, BootError> {
    let machine = loaded.machine.streams.clone();
    let tls = transport::trusting(machine.ca.as_deref()).map_err(BootError::Tls)?;
    let (media, shard) = (media.to_vec(), shard.clone());
    Ok(Programs::start(StreamSetup { machine, tls, pieces, media, shard, counts }))
}

/// The thread that sends copies of messages to a collector, and the way to it; none where none is configured.
fn start_hep(
    machine: &Machine,
    (orders, copies): (Sender<HepOrder>, Receiver<HepOrder>),
    threads: &mut Vec<JoinHandle<()>>,
) -> Result<Option<Sender<HepOrder>>, BootError> {
    let Some(hep) = &machine.trace.hep else {
        return Ok(None);
    };
    let sender = Hep::new(copies, hep.address, hep.capture_id).map_err(BootError::System)?;
    threads.push(spawn("hep".into(), move || sender.run())?);
    Ok(Some(orders))
}

/// The tasks of SIP's connections.
struct Streams {
    over_http: SipOverHttp,
    desk: tokio::task::JoinHandle<()>,
    listening: Vec<tokio::task::JoinHandle<()>>,
}

fn start_streams(
    machine: &Machine,
    (orders, shard): (Receiver<StreamOrder>, Sender<Order>),
    tls: &Arc<TlsStore>,
    bound: Vec<Bound>,
    (gauges, reloader): (&Arc<StreamGauges>, &Arc<Reloader>),
) -> Streams {
    let most = machine.sip.connections as usize;
    let setup = DeskSetup { orders, shard, tls: Arc::clone(tls), gauges: Arc::clone(gauges), most };
    let (desk, shared) = Desk::new(setup);
    let desk = tokio::spawn(desk.run());
    // not kept alive by connections: its lanes end with the switch
    let known = Arc::downgrade(reloader);
    let listed = Listed::by(move |origin| known.upgrade().is_some_and(|known| known.lists(origin)));
    let origins = machine.sip.origins.clone();
    let over_http = SipOverHttp::new(shared.clone(), origins, listed, machine.http.listen);
    let listening = transport::serve(bound, &shared, tls, &over_http, most);
    Streams { over_http, desk, listening }
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

/// Longest time that a stop waits for calls to end and for what they still have to say.
const STOP: Duration = Duration::from_secs(5);
/// Longest time that a stop then waits for threads to write down what they have.
const JOIN: Duration = Duration::from_secs(10);

impl Running {
    /// Watches the wall clock until the switch stops; told to the shard when it moves.
    pub async fn watch_clock(orders: Sender<Order>, mut clock: Clock) {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut read = clock;
            let Some(wall) = read.moved() else {
                continue;
            };
            match orders.try_send(Order::Wall(wall)) {
                Ok(()) => clock = read,
                Err(_) if orders.is_closed() => return,
                // A full lane: the same move is found again in a second.
                Err(_) => {}
            }
        }
    }

    /// Takes SIP connections over the HTTP listener.
    pub fn sip_over_http(&self) -> SipOverHttp {
        self.streams.over_http.clone()
    }

    /// The clock of this switch.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Refuses new calls, ends those that are up, writes everything down, and ends every thread.
    pub async fn stop(self) {
        self.switch.stopping.store(true, Relaxed);
        // With a full lane the calls end when their threads do, and the journal has them as interrupted.
        let _ = self.orders.try_send(Order::Command(ShardCommand::Stop { end: true }));
        let end = Instant::now() + STOP;
        while Instant::now() < end {
            let (answer, wait) = tokio::sync::oneshot::channel();
            let question = Order::ask(
                |shard| shard.is_at_rest(),
                move |rests| {
                    let _ = answer.send(rests);
                },
            );
            if self.orders.try_send(question).is_err() {
                break;
            }
            match tokio::time::timeout_at(end.into(), wait).await {
                Ok(Ok(false)) => tokio::time::sleep(Duration::from_millis(20)).await,
                Ok(_) => break,
                Err(_) => tracing::error!("calls that were up when the switch stopped have not ended"),
            }
        }
        self.switch.close_lanes();
        join(self.threads).await;
        // The hub ends with the lane from the shard, and tells its readers.
        let _ = tokio::time::timeout(STOP, self.hub).await;
        // The desk ends with its lane; connections send what they have and end with it.
        let _ = tokio::time::timeout(STOP, self.streams.desk).await;
        self.streams.listening.iter().for_each(tokio::task::JoinHandle::abort);
        self.store.close().await;
    }
}

/// Waits until the threads have ended. One that hangs is named and left behind: a stop comes to an end.
async fn join(threads: Vec<JoinHandle<()>>) {
    let end = Instant::now() + JOIN;
    for thread in threads {
        while !thread.is_finished() && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let name = thread.thread().name().unwrap_or_default().to_owned();
        if !thread.is_finished() {
            tracing::error!(thread = name, "a thread hangs and is left behind");
        } else if thread.join().is_err() {
            tracing::error!(thread = name, "a thread had panicked");
        }
    }
}
