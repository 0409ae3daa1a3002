//! The threads that carry calls: media threads and the signalling thread.

use super::lanes::Lanes;
use super::{BootError, registry};
use crate::clock::Clock;
use crate::config::{Listen, Loaded, SocketsBy};
use crate::gauges::{BuilderGauges, MediaGauges};
use crate::media::{
    BuildOrder, Builder, ByEpoll, ByUring, MediaOrder, MediaSetup, MediaThread, OwnPorts, Pairs, PortPool,
    PortRange, Sockets,
};
use crate::shard::{Order, ShardSetup, ShardThread};
use cordboard_core::{Restore, Shard, ShardCommand, ShardConfig, VideoRule};
use cordboard_lane::{Receiver, Sender, lane};
use cordboard_media::{Discarded, Identity, KitMaker, MediaConfig, MediaEngine};
use cordboard_model::config::Snapshot;
use cordboard_plugin_api::Registry;
use cordboard_sip::engine::Transport;
use cordboard_sip::sdp::DtlsSelf;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

/// Slots of the lane to a media thread: a burst of commands for every call that may be up.
const MEDIA_ORDERS: usize = 16_384;

pub(super) fn seed() -> Result<[u8; 32], BootError> {
    let mut seed = [0; 32];
    let mut random = std::fs::File::open("/dev/urandom").map_err(BootError::System)?;
    random.read_exact(&mut seed).map_err(BootError::System)?;
    Ok(seed)
}

pub(super) fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, BootError> {
    std::thread::Builder::new().name(name).spawn(work).map_err(BootError::System)
}

/// The media threads, with the shard's end of their lanes.
pub(super) struct MediaThreads {
    pub(super) orders: Vec<Sender<MediaOrder>>,
    pub(super) gauges: Vec<Arc<MediaGauges>>,
    pub(super) handles: Vec<JoinHandle<()>>,
    /// SHA-256 of the certificate that they show.
    pub(super) fingerprint: [u8; 32],
}

fn media_config(loaded: &Loaded) -> MediaConfig {
    let machine = &loaded.machine.media;
    MediaConfig {
        silence_limit: loaded.snapshot.limits.media_silence,
        unheard_limit: loaded.snapshot.limits.media_unheard,
        tick: Duration::from_millis(u64::from(machine.ptime)),
        // Two for each call that may be up, all of them on one thread if it comes so, and those that just end.
        legs_max: loaded.snapshot.limits.calls.saturating_mul(2).saturating_add(1_024),
        opus: machine.opus,
        record_rate: loaded.machine.recordings.rate,
        ..MediaConfig::default()
    }
}

/// Whether `io_uring` is configured and can be had. Where it cannot, calls go on by epoll, and the log says why.
fn can_have_uring(wanted: SocketsBy, try_out: impl FnOnce() -> io::Result<()>) -> bool {
    wanted == SocketsBy::IoUring && try_out().inspect_err(refused).is_ok()
}

fn refused(why: &io::Error) {
    tracing::warn!(
        %why,
        "[media] sockets = \"io_uring\" is not to be had here (a kernel before 6.1, a seccomp filter, or \
         kernel.io_uring_disabled): epoll is used"
    );
}

fn run_media(
    index: usize,
    setup: MediaSetup,
    sockets: impl Sockets + Send + 'static,
) -> Result<JoinHandle<()>, BootError> {
    let thread = MediaThread::new(setup, sockets).map_err(BootError::System)?;
    spawn(format!("media-{index}"), move || thread.run())
}

/// Starts who makes and frees what media threads need for legs, between them and the shard.
pub(super) fn start_builder(
    loaded: &Loaded,
    (orders, discarded, events): (Receiver<BuildOrder>, Receiver<Discarded>, Sender<Order>),
    media: &[Sender<MediaOrder>],
    gauges: Arc<BuilderGauges>,
) -> Result<JoinHandle<()>, BootError> {
    let config = media_config(loaded);
    let maker = KitMaker::new(config, config.legs_max as usize);
    let (media, owed) = (media.to_vec(), VecDeque::new());
    let builder = Builder { orders, discarded, media, events, maker, owed, gauges };
    spawn("builder".into(), move || builder.run())
}

pub(super) fn start_media(loaded: &Loaded, lanes: &Lanes, clock: Clock) -> Result<MediaThreads, BootError> {
    let machine = &loaded.machine.media;
    let threads = usize::from(machine.threads.max(1));
    let range = PortRange { address: machine.address, first: machine.port_min, last: machine.port_max };
    let public = (machine.advertised != machine.address).then_some(machine.advertised);
    let told = [public, machine.advertised6.map(IpAddr::V6)];
    let most = crate::files::pairs(loaded.snapshot.limits.calls, loaded.machine.sip.connections);
    let own = Arc::new(OwnPorts::new(machine.address, told.into_iter().flatten()).at_most(most));
    let config = media_config(loaded);
    let by_uring = can_have_uring(machine.sockets, ByUring::try_out);
    let identity = Identity::new(clock.epoch()).map_err(|why| BootError::System(io::Error::other(why)))?;
    let fingerprint = identity.fingerprint();
    let mut started =
        MediaThreads { orders: Vec::new(), gauges: Vec::new(), handles: Vec::new(), fingerprint };
    for index in 0..threads {
        let (orders, receiver) = lane("builder to media", MEDIA_ORDERS);
        let [a, b, c, d, ..] = seed()?;
        let pool = PortPool::new(range.part(index, threads), Arc::clone(&own))
            .begin_at(u32::from_le_bytes([a, b, c, d]));
        let ports = Pairs::new(pool, machine.port_linger);
        let ports_each = ports.pool().unbound();
        let gauges = Arc::new(MediaGauges::default());
        gauges.ports_free.store(ports.free() as u64, Relaxed);
        let setup = MediaSetup {
            engine: MediaEngine::new(config, seed()?).with_identity(identity.clone()),
            ports,
            public,
            orders: receiver,
            events: lanes.media_events.0.clone(),
            recorder: lanes.recorder.0.clone(),
            discarded: lanes.discarded.0.clone(),
            pieces: lanes.pieces.0.clone(),
            place: index,
            clock,
            gauges: Arc::clone(&gauges),
        };
        let made = by_uring.then(|| ByUring::new(ports_each).inspect_err(refused));
        let by_uring = made.and_then(Result::ok);
        gauges.io_uring.store(u64::from(by_uring.is_some()), Relaxed);
        started.handles.push(match by_uring {
            Some(sockets) => run_media(index, setup, sockets)?,
            None => run_media(index, setup, ByEpoll::new().map_err(BootError::System)?)?,
        });
        started.orders.push(orders);
        started.gauges.push(gauges);
    }
    Ok(started)
}

/// What a shard is made from, on its own thread: Lua's state may not move between threads.
pub(super) struct Making {
    pub(super) config: ShardConfig,
    pub(super) registry: Registry,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) restore: Restore,
}

impl Making {
    /// A shard with its configuration and what survived.
    pub(super) fn make(self, clock: &Clock) -> Shard {
        let mut shard = Shard::new(self.config, self.registry);
        shard.handle_command(ShardCommand::Configure(self.snapshot), clock.now());
        shard.handle_command(ShardCommand::Restore(Box::new(self.restore)), clock.now());
        shard
    }
}

pub(super) fn making(
    loaded: &Loaded,
    restore: Restore,
    sip: &[Listen],
    clock: &Clock,
    fingerprint: [u8; 32],
) -> Result<Making, BootError> {
    let unspecified = SocketAddr::from(([127, 0, 0, 1], 5060));
    let listeners = sip.iter().map(|at| (at.transport, at.address)).collect();
    let demands = |at: &&Listen| {
        let pair = loaded.machine.sip.tls.pair_for(at);
        at.transport == Transport::Tls && pair.is_some_and(|pair| pair.client_ca.is_some())
    };
    let authenticated = sip.iter().filter(demands).map(|at| at.address).collect();
    let udp = sip.iter().find(|at| at.transport == Transport::Udp).or(sip.first());
    let local = udp.map_or(unspecified, |at| at.address);
    let advertised = loaded.machine.sip.advertised(local);
    // What is told by the other family: of the two that are configured the one that `advertised` is not.
    let sip = &loaded.machine.sip;
    let told = [sip.public, sip.public6.map(IpAddr::V6)].into_iter().flatten();
    let advertised_other = told.into_iter().find(|ip| ip.is_ipv4() != advertised.is_ipv4());
    let config = ShardConfig {
        shard: 0,
        start_secs: clock.start_secs(),
        seed: seed()?,
        local,
        listeners,
        authenticated,
        advertised: (advertised != local).then_some(advertised),
        advertised_other,
        media_other: loaded.machine.media.advertised6.map(IpAddr::V6),
        dtls: Some(DtlsSelf { fingerprint, ice_lite: loaded.machine.media.ice_lite }),
        ptime_ms: loaded.machine.media.ptime,
        rtcp_mux: loaded.machine.media.rtcp_mux,
        video: loaded
            .machine
            .media
            .video_kbit
            .map(|kbit| VideoRule { kbit, waiting: loaded.machine.media.video_waiting }),
        comfort_noise: loaded.machine.media.comfort_noise,
        wall: clock.wall(),
        trace: loaded.machine.trace.limits,
        panic_key: std::env::var("CORDBOARD_TEST_PANIC_KEY").ok().and_then(|key| key.chars().next()),
    };
    let snapshot = Arc::new(loaded.snapshot.clone());
    Ok(Making { config, registry: registry()?, snapshot, restore })
}

/// Starts the signalling thread; it takes calls when this returns.
pub(super) async fn start_shard(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_kernel_refuses_io_uring_epoll_is_used_and_where_it_is_not_wanted_nobody_asks() {
        let refuses = || Err(io::ErrorKind::PermissionDenied.into());
        assert!(!can_have_uring(SocketsBy::IoUring, refuses));
        assert!(can_have_uring(SocketsBy::IoUring, || Ok(())));
        assert!(!can_have_uring(SocketsBy::Epoll, || panic!("it was asked for")));
    }
}
