//! One switch, a network and phones, under a clock of our own.
//!
//! Invariant: everything that happens is planned in one agenda or is a deadline of one machine; the earliest
//! comes first, and what comes first at equal times is fixed. The switch here is the real shard and the real
//! media engine; what is invented is what the shell does: sockets, ports, lanes with a delay that keep their
//! order, and a journal that takes its time.

mod agenda;
mod carry;
mod edge;
mod ladder;
mod look;
mod network;
mod ports;
mod restart;
mod trace;
mod vandal;

pub use agenda::{Sending, Wish};
pub use edge::{Depends, Edge};
pub use network::{Drop, Path, Way};
pub use trace::Trace;

use crate::phone::{Phone, PhoneCall, PhoneCommand, PhoneConfig, PhoneEvent};
use crate::setup::{DOMAIN, prompts};
use agenda::{Agenda, Happening};
use cordboard_core::{AcdCommand, Shard, ShardCommand, ShardConfig};
use cordboard_media::{MediaConfig, MediaEngine};
use cordboard_model::cdr::Cdr;
use cordboard_model::config::Snapshot;
use cordboard_model::dns::{DnsAnswer, DnsQuery};
use cordboard_model::event::Event;
use cordboard_model::fetch::{FetchOrder, Fetched};
use cordboard_model::id::{AgentId, CallId, LegId, RecordingId, StreamId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::service::AgentOrder;
use cordboard_model::time::{Duration, Time, Wall, WallClock};
use cordboard_model::trace::TraceLimits;
use cordboard_plugin_api::{DuplicatePlugin, Registry};
use cordboard_plugin_called_number::CalledNumberPlugin;
use cordboard_plugin_registered_extension::RegisteredExtensionPlugin;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use edge::Edges;
use network::Network;
use ports::Ports;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use std::collections::BTreeMap;
use std::sync::Arc;
use vandal::Vandal;

/// Where the switch is.
pub const SWITCH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 5_060);
/// The second (UTC) at which every world begins: 2026-01-05 08:00.
const START_SECS: u32 = 1_767_600_000;
/// The date at the beginning of every world.
pub const WALL_AT_ZERO: Wall = Wall(START_SECS as i64 * 1_000);
/// More steps than this without the clock moving are a fault.
const STEPS_MAX: u32 = 50_000;

/// What a world is made with.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Everything that is drawn comes from this.
    pub seed: u64,
    /// Whether a trace is written.
    pub trace: bool,
    /// Longest delay of a lane between the shard and the media engine.
    pub lane: Duration,
    /// How the journal behaves.
    pub journal: Journal,
    /// Whether recorded audio is kept.
    pub keep_audio: bool,
    /// See [`ShardConfig::panic_key`].
    pub panic_key: Option<char>,
    /// SIP messages of phones that a vandal copies, damages and sends on, in a thousand.
    pub vandal_in_1000: u32,
}

impl WorldConfig {
    /// Quick lanes, a journal of 2 to 5 ms, audio kept, no trace.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            trace: false,
            lane: Duration::from_micros(500),
            journal: Journal::default(),
            keep_audio: true,
            panic_key: None,
            vandal_in_1000: 0,
        }
    }
}

/// How the journal behaves.
#[derive(Clone, Copy, Debug)]
pub struct Journal {
    /// Shortest time until a record is written.
    pub from: Duration,
    /// Longest time.
    pub to: Duration,
    /// Records that take [`Journal::late`] longer, in a thousand.
    pub late_in_1000: u32,
    /// See there.
    pub late: Duration,
    /// Records that cannot be written, in a thousand.
    pub fails_in_1000: u32,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            from: Duration::from_millis(2),
            to: Duration::from_millis(5),
            late_in_1000: 0,
            late: Duration::ZERO,
            fails_in_1000: 0,
        }
    }
}

/// A phone and where it is.
#[derive(Debug)]
struct Handset {
    name: String,
    phone: Phone,
    events: Vec<(Time, PhoneEvent)>,
}

/// See the module.
pub struct World {
    config: WorldConfig,
    now: Time,
    steps: u32,
    rng: ChaCha8Rng,
    shard: Shard,
    media: MediaEngine,
    ports: Ports,
    network: Network,
    edges: Edges,
    agenda: Agenda,
    handsets: Vec<Handset>,
    by_ip: BTreeMap<IpAddr, usize>,
    to_media: Time,
    to_shard: Time,
    trace: Trace,
    /// What the domain name system knows.
    names: BTreeMap<DnsQuery, DnsAnswer>,
    /// What servers say, by URL; any other cannot be reached.
    pub pages: BTreeMap<String, Fetched>,
    /// What flows asked.
    pub asked: Vec<FetchOrder>,
    /// Legs that programs have.
    bots: BTreeMap<StreamId, (CallId, LegId)>,
    ladder: Vec<String>,
    events: Vec<Event>,
    journal: Vec<JournalRecord>,
    cdrs: Vec<Cdr>,
    opened: Vec<CallId>,
    lost: Vec<CallId>,
    dialogs: BTreeMap<String, CallId>,
    vandal: Option<Vandal>,
    starts: u32,
    audio: BTreeMap<RecordingId, Vec<i16>>,
    fault: Option<String>,
    buf: Vec<u8>,
}

impl World {
    /// A world with a running switch and no phones.
    ///
    /// # Errors
    /// Two plugins have one name.
    pub fn new(config: WorldConfig, snapshot: Snapshot) -> Result<Self, DuplicatePlugin> {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let mut seed = || {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            seed
        };
        let shard = new_shard(&config, START_SECS, seed())?;
        let media = new_media(&snapshot, seed());
        let network = Network::new(ChaCha8Rng::from_seed(seed()));
        let vandal = Vandal { rng: ChaCha8Rng::seed_from_u64(!config.seed), in_1000: config.vandal_in_1000 };
        let mut world = Self {
            now: Time::ZERO,
            steps: 0,
            rng: ChaCha8Rng::from_seed(seed()),
            shard,
            media,
            ports: Ports::new(0),
            network,
            edges: Edges::default(),
            agenda: Agenda::default(),
            handsets: Vec::new(),
            by_ip: BTreeMap::new(),
            to_media: Time::ZERO,
            to_shard: Time::ZERO,
            trace: Trace::new(config.trace),
            ladder: Vec::new(),
            names: BTreeMap::new(),
            pages: BTreeMap::new(),
            asked: Vec::new(),
            bots: BTreeMap::new(),
            events: Vec::new(),
            journal: Vec::new(),
            cdrs: Vec::new(),
            opened: Vec::new(),
            lost: Vec::new(),
            dialogs: BTreeMap::new(),
            vandal: (config.vandal_in_1000 > 0).then_some(vandal),
            starts: 0,
            audio: BTreeMap::new(),
            fault: None,
            buf: vec![0; 2_048],
            config,
        };
        world.order(ShardCommand::Configure(Arc::new(snapshot)));
        Ok(world)
    }

    // Phones.

    /// What the next phone would be made with: a host of its own, `user` as name and password, a tone.
    pub fn phone_config(&self, user: &str, tone_hz: u16) -> PhoneConfig {
        let n = self.handsets.len();
        let host = IpAddr::V4(Ipv4Addr::new(198, 51, 100, u8::try_from(n + 1).unwrap_or(255)));
        let (sip, rtp) = (SocketAddr::new(host, 5_060), SocketAddr::new(host, 4_000));
        let mut config = PhoneConfig::new(user, user, sip, rtp, SWITCH);
        config.domain = DOMAIN.into();
        config.tone_hz = tone_hz;
        config.seed = self.config.seed.wrapping_mul(1_000).wrapping_add(n as u64);
        config
    }

    /// Puts the phone of this configuration behind a router; it is told of no other address than its own, inside.
    pub fn behind(&mut self, edge: Edge, config: &mut PhoneConfig) {
        let inside =
            IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(self.handsets.len() + 2).unwrap_or(255)));
        config.sip_addr.set_ip(inside);
        config.rtp_addr.set_ip(inside);
        self.edges.put(edge, inside);
    }

    /// Whether a message of the switch would come through to a phone now.
    pub fn reaches(&self, name: &str) -> bool {
        let near = self.phone(name).map(|phone| phone.config().sip_addr);
        near.is_some_and(|near| self.edges.reaches(SWITCH, near, self.now))
    }

    /// A router forgets every port that it has given out.
    pub fn forget(&mut self, router: IpAddr) {
        self.edges.forget(router);
    }

    /// Puts a phone into the world; names are for people.
    pub fn add_phone(&mut self, name: &str, config: PhoneConfig) {
        self.by_ip.insert(config.sip_addr.ip(), self.handsets.len());
        let phone = Phone::new(config, self.now);
        self.handsets.push(Handset { name: name.into(), phone, events: Vec::new() });
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.handsets.iter().position(|handset| handset.name == name)
    }

    /// A phone.
    pub fn phone(&self, name: &str) -> Option<&Phone> {
        self.handsets.get(self.place(name)?).map(|handset| &handset.phone)
    }

    /// All phones with their names.
    pub fn phones(&self) -> impl Iterator<Item = (&str, &Phone)> {
        self.handsets.iter().map(|handset| (handset.name.as_str(), &handset.phone))
    }

    /// What happened to a phone so far.
    pub fn phone_events(&self, name: &str) -> &[(Time, PhoneEvent)] {
        let handset = self.place(name).and_then(|at| self.handsets.get(at));
        handset.map_or(&[], |handset| &handset.events)
    }

    /// Tells a phone something now. False if there is no such phone.
    pub fn tell(&mut self, name: &str, command: PhoneCommand) -> bool {
        let Some(at) = self.place(name) else { return false };
        self.phone_command(at, command);
        true
    }

    /// Tells a phone something at a time to come. False if there is no such phone.
    pub fn tell_at(&mut self, at: Time, name: &str, command: PhoneCommand) -> bool {
        let Some(phone) = self.place(name) else { return false };
        self.agenda.plan(at.max(self.now), Happening::Phone(phone, Box::new(command)));
        true
    }

    /// The latest call of a phone that is under way.
    pub fn latest(&self, name: &str) -> Option<PhoneCall> {
        self.phone(name)?.calls().into_iter().next_back()
    }

    /// The share of a tone in what the latest call of a phone hears now.
    pub fn share(&self, name: &str, hertz: u16) -> f64 {
        let heard = self.phone(name).zip(self.latest(name));
        heard.map_or(0.0, |(phone, call)| phone.hears(call, hertz, self.now))
    }

    /// Whether the latest call of a phone hears this tone now, and hardly anything else.
    pub fn hears(&self, name: &str, hertz: u16) -> bool {
        self.share(name, hertz) > 0.8
    }

    // The network.

    /// How packets fare where nothing else is said.
    pub fn set_path(&mut self, path: Path) {
        self.network.set_default(path);
    }

    /// How packets fare between a phone and the switch.
    pub fn path(&mut self, name: &str, way: Way) -> Option<&mut Path> {
        let host = self.phone(name)?.config().sip_addr.ip();
        Some(self.network.path(host, way))
    }

    /// Loses the next SIP messages of this kind.
    pub fn lose(&mut self, name: &str, way: Way, begins: &str, holds: &str, count: u32) {
        if let Some(phone) = self.phone(name) {
            let host = phone.config().sip_addr.ip();
            self.network.lose(Drop { host, way, begins: begins.into(), holds: holds.into(), count });
        }
    }

    /// Whether a phone is cut off in either direction.
    pub fn is_cut(&self, name: &str) -> bool {
        let host = self.phone(name).map(|phone| phone.config().sip_addr.ip());
        host.is_some_and(|host| self.network.is_cut(host))
    }

    /// Cuts a phone off at a time, both ways, or joins it again.
    pub fn cut_at(&mut self, at: Time, name: &str, cut: bool) {
        if let Some(phone) = self.place(name) {
            self.agenda.plan(at.max(self.now), Happening::Cut { phone, cut });
        }
    }

    // The switch.

    /// The shard.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Commands the shard now.
    pub fn order(&mut self, command: ShardCommand) {
        self.shard.handle_command(command, self.now);
        self.drain_shard();
    }

    /// Commands the shard at a time to come.
    pub fn order_at(&mut self, at: Time, command: ShardCommand) {
        self.agenda.plan(at.max(self.now), Happening::Command(Box::new(command)));
    }

    /// An agent wishes something now.
    pub fn wish(&mut self, agent: &AgentId, wish: Wish) {
        let agent = agent.clone();
        self.trace.line(self.now, || format!("agent {agent} wishes {wish:?}"));
        let what = match wish {
            Wish::SignIn => AgentOrder::SignIn,
            Wish::SignOut => AgentOrder::SignOut,
            Wish::Ready => AgentOrder::Ready,
            Wish::NotReady => AgentOrder::NotReady { reason: None },
            Wish::Rest => AgentOrder::Rest { reason: None, limit: None },
        };
        let command = AcdCommand::Order { agent, what, by: None };
        // A refusal is the answer to one who is signed out.
        let _ = self.shard.agent_intent(command, self.now);
        self.drain_shard();
    }

    /// An agent wishes something at a time to come.
    pub fn wish_at(&mut self, at: Time, agent: &AgentId, wish: Wish) {
        self.agenda.plan(at.max(self.now), Happening::Wish(agent.clone(), wish));
    }

    /// From now on the domain name system answers this question so. What it was not told it has no records of.
    pub fn name(&mut self, query: DnsQuery, answer: DnsAnswer) {
        self.names.insert(query, answer);
    }

    /// The API wants a party sent elsewhere at a time to come. What is refused is refused silently.
    pub fn send_at(&mut self, at: Time, call: CallId, sending: Sending) {
        self.agenda.plan(at.max(self.now), Happening::Send(call, sending));
    }

    /// To be called after a step panicked and the panic was caught. Gives the call it cost.
    pub fn after_panic(&mut self) -> Option<CallId> {
        let call = self.shard.after_panic(self.now);
        self.drain_shard();
        call
    }

    // The clock.

    /// Runs until a time.
    pub fn run_until(&mut self, until: Time) {
        while self.step(until) {}
    }

    /// Runs for a while.
    pub fn run_for(&mut self, length: Duration) {
        self.run_until(self.now + length);
    }

    /// Runs until all is quiet, for at most this long. False if it did not become quiet.
    pub fn run_until_quiet(&mut self, longest: Duration) -> bool {
        let until = self.now + longest;
        while !self.is_quiet() {
            if !self.step(until) {
                return self.is_quiet();
            }
        }
        true
    }

    /// Lets the next thing happen, if it comes at `until` at the latest; else the clock stands there.
    pub fn step(&mut self, until: Time) -> bool {
        let machines = [
            self.agenda.next(),
            self.shard.poll_timeout().map(|(at, _)| at),
            self.media.poll_timeout().map(|(at, _)| at),
        ];
        let phones = self.handsets.iter().map(|handset| handset.phone.poll_timeout().map(|(at, _)| at));
        let due = machines.into_iter().chain(phones).enumerate();
        let next = due.filter_map(|(who, at)| Some((at?, who))).min();
        let Some((at, who)) = next.filter(|(at, _)| *at <= until && self.fault.is_none()) else {
            self.now = self.now.max(until);
            return false;
        };
        self.watch(at, who);
        match who {
            0 => {
                if let Some(what) = self.agenda.pop() {
                    self.happen(what);
                }
            }
            1 => {
                self.shard.handle_timeout(self.now);
                self.drain_shard();
            }
            2 => {
                self.media.handle_timeout(self.now);
                self.drain_media();
            }
            phone => {
                if let Some(handset) = self.handsets.get_mut(phone - 3) {
                    handset.phone.handle_timeout(self.now);
                }
                self.drain_phone(phone - 3);
            }
        }
        true
    }

    /// Moves the clock, and notices when it does not move.
    fn watch(&mut self, at: Time, who: usize) {
        if at > self.now {
            self.now = at;
            self.steps = 0;
            return;
        }
        self.steps += 1;
        if self.steps > STEPS_MAX {
            let why = match who {
                0 => "the agenda".to_owned(),
                1 => format!("the shard, {:?}", self.shard.poll_timeout()),
                2 => format!("the media engine, {:?}", self.media.poll_timeout()),
                phone => format!("phone {}", phone - 3),
            };
            self.fault = Some(format!("the clock stands at {:?}: {why}", self.now));
        }
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        let most = most.as_nanos() as u64;
        if most == 0 { Duration::ZERO } else { Duration::from_nanos(self.rng.next_u64() % (most + 1)) }
    }

    /// The id of an agent of the one tenant there is.
    pub fn agent(&self, name: &str) -> Option<AgentId> {
        AgentId::new(TenantId::DEFAULT, name).ok()
    }
}

fn new_shard(config: &WorldConfig, start_secs: u32, seed: [u8; 32]) -> Result<Shard, DuplicatePlugin> {
    let registry = Registry::new(vec![Box::new(CalledNumberPlugin), Box::new(RegisteredExtensionPlugin)])?;
    let config = ShardConfig {
        shard: 0,
        start_secs,
        seed,
        local: SWITCH,
        listeners: Vec::new(),
        advertised: None,
        advertised_other: None,
        media_other: None,
        dtls: None,
        authenticated: Vec::new(),
        ptime_ms: 20,
        rtcp_mux: false,
        video: Some(cordboard_core::VideoRule { kbit: 1_500, waiting: false }),
        comfort_noise: false,
        wall: WallClock { at_zero: WALL_AT_ZERO },
        panic_key: config.panic_key,
        trace: TraceLimits { bytes: 1 << 20, steps: 4_096 },
    };
    Ok(Shard::new(config, registry))
}

fn new_media(snapshot: &Snapshot, seed: [u8; 32]) -> MediaEngine {
    let limits = &snapshot.limits;
    let config = MediaConfig {
        silence_limit: limits.media_silence,
        unheard_limit: limits.media_unheard,
        ..MediaConfig::default()
    };
    let mut media = MediaEngine::new(config, seed);
    for (asset, audio) in prompts() {
        drop(media.load_asset(asset, Arc::new(audio)));
    }
    media
}
