//! What belongs to the machine: addresses, folders, limits.

use super::Checks;
use super::error::Problem;
use super::recordings;
use super::secret::ApiKey;
use super::section::Section;
use super::sip::{SipMachine, no_overlap, read_sip, values};
use super::value::{boolean, duration, integer, ip, listen, one_of, size, socket, some_text, wrong};
use super::{FetchMachine, SpeechMachine, StreamsMachine};
use crate::recordings::full::WhenFull;
use crate::recordings::keeper::Rules;
use crate::recordings::sealed::MasterKey;
use crate::recordings::writer::{Format, Keeping};
use cordboard_media::RecordRate;
use cordboard_media::codec::opus::OpusConfig;
use cordboard_model::config::{DigestAlgorithm, FlowLimits, Limits, SipTimers};
use cordboard_model::trace::TraceLimits;
use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What belongs to the machine. All but `api_keys`, `webhooks` and `huawei` takes effect at the next start alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Signalling.
    pub sip: SipMachine,
    /// Audio.
    pub media: MediaMachine,
    /// The control API and the pages.
    pub http: HttpMachine,
    /// The database.
    pub store: StoreMachine,
    /// The journal.
    pub journal: JournalMachine,
    /// What is kept of the event stream.
    pub events: super::events::EventsMachine,
    /// Recordings.
    pub recordings: RecordingsMachine,
    /// The ladders of calls.
    pub trace: TraceMachine,
    /// Programs that calls may be given to.
    pub streams: StreamsMachine,
    /// What flows ask by HTTP.
    pub fetch: FetchMachine,
    /// The agent gateway.
    pub gateway: super::GatewayMachine,
    /// Who asks with an access key. This changes with a reload.
    #[serde(skip)]
    pub huawei: std::sync::Arc<cordboard_api::huawei::config::HuaweiConfig>,
    /// Flows that are kept by the API.
    pub flows: super::FlowsMachine,
    /// Text to speech.
    pub speech: SpeechMachine,
    /// Where events may be posted to.
    pub webhook_rules: super::WebhooksMachine,
    /// How enterprises are asked about their agents.
    pub third_party: super::ThirdPartyMachine,
    /// Webhooks. These change with a reload.
    #[serde(skip)]
    pub webhooks: Vec<super::WebhookConfig>,
    /// The log.
    pub log: LogMachine,
    /// Name servers; those of the system if none is given.
    pub dns: Vec<SocketAddr>,
    /// Keys to the control API.
    #[serde(skip)]
    pub api_keys: Vec<ApiKey>,
}

/// `[media]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MediaMachine {
    /// The address that RTP sockets are bound to.
    pub address: IpAddr,
    /// The address that stands in session descriptions; never unspecified.
    pub advertised: IpAddr,
    /// The IPv6 address for peers that have one, beside an IPv4 address in `advertised`.
    pub advertised6: Option<Ipv6Addr>,
    /// First port of the range; even.
    pub port_min: u16,
    /// Last port of the range.
    pub port_max: u16,
    /// Media threads.
    pub threads: u16,
    /// How they ask for their sockets.
    pub sockets: SocketsBy,
    /// Packet length when the peer does not ask for another, milliseconds.
    pub ptime: u8,
    /// How long the port of a leg that ended is not given to another.
    pub port_linger: Duration,
    /// Whether our offers ask for RTCP on the RTP port.
    pub rtcp_mux: bool,
    /// The most that a party is asked to send of video, kilobits a second; none: there is no video.
    pub video_kbit: Option<u32>,
    /// Whether the video of callers who wait is taken.
    pub video_waiting: bool,
    /// Whether comfort noise is agreed on with whoever knows it.
    pub comfort_noise: bool,
    /// How Opus is encoded.
    pub opus: OpusConfig,
    /// Whether we only answer ICE checks.
    pub ice_lite: bool,
}

/// How media threads ask the operating system for their sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SocketsBy {
    /// epoll.
    Epoll,
    /// `io_uring`, where it can be had.
    IoUring,
}

const BACK_ENDS: &[(&str, SocketsBy)] = &[("epoll", SocketsBy::Epoll), ("io_uring", SocketsBy::IoUring)];

/// `[http]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpMachine {
    /// The address to listen on. Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Requests that a key or a session may make a second, in the long run.
    pub rate: u32,
    /// The same at once.
    pub rate_burst: u32,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Origins of pages that may show ours in a frame.
    pub frames: Vec<String>,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreMachine {
    /// The database file.
    pub path: PathBuf,
}

/// `[journal]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalMachine {
    /// Its folder.
    pub dir: PathBuf,
    /// Longest time a record that is written waits for fsync.
    pub sync: Duration,
}

/// `[recordings]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordingsMachine {
    /// Their folder.
    pub dir: PathBuf,
    /// What new ones are.
    pub format: Format,
    /// And with how many samples a second.
    pub rate: RecordRate,
    /// The name of the key that new ones are sealed with.
    pub seal_with: Option<String>,
    /// Every key.
    #[serde(skip)]
    pub keys: Vec<MasterKey>,
    /// How long they are kept.
    #[serde(skip)]
    pub rules: Rules,
    /// What happens while they cannot be written.
    pub when_full: WhenFull,
}

impl RecordingsMachine {
    /// Where they are and how they are kept.
    pub fn keeping(&self) -> Keeping {
        let key = self.keys.iter().find(|key| Some(&key.id) == self.seal_with.as_ref()).cloned();
        let keys = self.keys.clone();
        Keeping { dir: self.dir.clone(), format: self.format, key, keys, when_full: self.when_full }
    }
}

/// `[trace]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceMachine {
    /// How much is kept.
    pub limits: TraceLimits,
    /// Who gets a copy of every message.
    pub hep: Option<HepMachine>,
}

/// `[trace.hep]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HepMachine {
    /// The collector.
    pub address: SocketAddr,
    /// By what it tells switches apart.
    pub capture_id: u32,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogMachine {
    /// What is written.
    pub level: LogLevel,
}

/// How much is written to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What stopped something.
    Error,
    /// What someone should look at.
    Warn,
    /// Milestones of calls.
    Info,
    /// Changes of state.
    Debug,
    /// Packets and messages.
    Trace,
}

impl LogLevel {
    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

const LEVELS: &[(&str, LogLevel)] = &[
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn s(n: u64) -> Duration {
    Duration::from_secs(n)
}

const DAY: Duration = s(86_400);

/// `[store]`.
pub(super) fn read_store(store: &Section<'_>, base: &Path) -> StoreMachine {
    StoreMachine { path: base.join(store.or("path", "../var/cordboard.db".to_owned(), some_text)) }
}

/// Reads the machine's sections. The keys of the API are added by the caller.
pub(super) fn read(root: &Section<'_>, base: &Path, checks: &Checks<'_>) -> Machine {
    let sip = root.section("sip");
    let (sip_machine, main) = read_sip(&sip, base);
    let media = read_media(&root.section("media"), main, &sip_machine);
    no_overlap(&sip, &sip_machine, &media);
    // These are read with the limits; here they only count as known.
    sip.has("timers");
    for key in ["digest", "redirects", "guard", "calls_per_second", "overload_delay"]
        .into_iter()
        .chain(super::flows::KEYS)
    {
        sip.has(key);
    }
    sip.finish();

    let path =
        |section: &Section<'_>, key, default: &str| base.join(section.or(key, default.into(), some_text));
    let http = root.section("http");
    let http_machine = HttpMachine {
        listen: http.or("listen", SocketAddr::from(([127, 0, 0, 1], 8080)), listen),
        rate: http.or("rate", 1_000, integer(1..=1_000_000, "requests a second")),
        rate_burst: http.or("rate_burst", 2_000, integer(1..=1_000_000, "requests")),
        trusted_proxies: http.list("trusted_proxies", ip).map(values).unwrap_or_default(),
        frames: super::access::origins(&http, "frames"),
    };
    http.finish();
    let store = root.section("store");
    let store_machine = read_store(&store, base);
    store.finish();
    let journal = root.section("journal");
    let journal_machine = JournalMachine {
        dir: path(&journal, "dir", "../var/journal"),
        sync: ms(journal.or("sync_ms", 100, integer(0..=10_000, "milliseconds"))),
    };
    journal.finish();
    let recordings_machine = recordings::read(root.section("recordings"), base);
    let log = root.section("log");
    let log_machine = LogMachine { level: log.or("level", LogLevel::Info, one_of(LEVELS)) };
    log.finish();
    let dns = root.section("dns");
    let servers = dns.list("servers", socket).map_or_else(Vec::new, |list| list.value);
    dns.finish();
    Machine {
        sip: sip_machine,
        media,
        http: http_machine,
        store: store_machine,
        journal: journal_machine,
        events: super::events::read(&root.section("events")),
        recordings: recordings_machine,
        trace: read_trace(&root.section("trace")),
        streams: super::streams::read(&root.section("streams"), base),
        fetch: super::fetch::read(&root.section("fetch"), base),
        gateway: super::GatewayMachine::default(),
        huawei: std::sync::Arc::default(),
        flows: super::kept::read(&root.section("flows"), base),
        speech: super::speech::read(&root.section("speech"), base, checks.env),
        webhook_rules: super::webhooks::read(&root.section("webhooks"), base),
        third_party: super::third_party::machine(&root.section("third_party"), base),
        webhooks: Vec::new(),
        log: log_machine,
        dns: servers.into_iter().map(|server| server.value).collect(),
        api_keys: Vec::new(),
    }
}

/// An address that peers can be told.
pub(super) fn told(node: &super::tree::Node) -> Result<IpAddr, super::section::Wrong> {
    match ip(node)? {
        ip if ip.is_unspecified() => Err(wrong(node, "an address that peers can reach")),
        ip => Ok(ip),
    }
}

/// An IPv6 address that peers can be told.
pub(super) fn told6(node: &super::tree::Node) -> Result<Ipv6Addr, super::section::Wrong> {
    match told(node)? {
        IpAddr::V6(ip) => Ok(ip),
        IpAddr::V4(_) => Err(wrong(node, "an IPv6 address that peers can reach")),
    }
}

pub(super) fn needs_public(section: &Section<'_>, key: &'static str, because: &str, expected: &str) {
    // A value that is there and wrong has been reported.
    if section.has(key).is_some() {
        return;
    }
    let problem = Problem::MissingKey {
        key: key.into(),
        section: section.shown(),
        expected: format!("{expected}, because {because:?} is every address of the machine"),
    };
    let pos = match because {
        "listen" => section.has("listen"),
        _ => section.has("address"),
    };
    section.report().error(pos.unwrap_or(section.pos), problem);
}

fn read_media(media: &Section<'_>, first: SocketAddr, sip: &SipMachine) -> MediaMachine {
    let address = media.or("address", first.ip(), ip);
    let public = media.opt("public", told).map(|at| at.value).or(sip.public);
    let public6 = media.opt("public6", told6);
    if let Some(at) = public6.as_ref().filter(|_| address != IpAddr::V6(Ipv6Addr::UNSPECIFIED)) {
        let why = format!("expected address = \"::\", whose ports take both families, found {address}");
        media.conflict("public6", at.pos, why);
    }
    let both = address == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let public6 = public6.map(|at| at.value).or(sip.public6.filter(|_| both));
    let given = media.has("address").is_some();
    if address.is_unspecified() && public.is_none() && public6.is_none() && given {
        needs_public(media, "public", "address", "an address that phones and carriers can reach");
    }
    let port = |key, default| {
        media.opt(key, integer(1_024..=65_535, "")).map_or((default, None), |at| (at.value, Some(at.pos)))
    };
    let (port_min, low) = port("port_min", 20_000u16);
    let (port_max, high) = port("port_max", 39_999u16);
    if let Some(pos) = low.filter(|_| port_min % 2 == 1) {
        // RFC 3550 11: RTP takes the even port of a pair.
        media.conflict("port_min", pos, format!("expected an even port, found {port_min}"));
    }
    if let Some(pos) = high.or(low).filter(|_| port_max <= port_min) {
        let why = format!("expected a port above port_min = {port_min}, found {port_max}");
        media.conflict("port_max", pos, why);
    }
    let machine = MediaMachine {
        address,
        // One alone is all that peers are told, whatever its family.
        advertised: public.or(public6.map(IpAddr::V6)).unwrap_or(address),
        advertised6: public6.filter(|_| public.is_some_and(|public| public.is_ipv4())),
        port_min,
        port_max,
        threads: media.or("threads", 1, integer(1..=64, "threads")),
        sockets: media.or("sockets", SocketsBy::Epoll, one_of(BACK_ENDS)),
        ptime: media.or("ptime", 20, ptime),
        port_linger: media.or("port_linger", s(2), duration(ms(0)..=s(60))),
        rtcp_mux: media.or("rtcp_mux", false, boolean),
        video_kbit: read_video(media),
        video_waiting: media.or("video_waiting", false, boolean),
        comfort_noise: media.or("comfort_noise", false, boolean),
        opus: read_opus(media),
        ice_lite: media.or("ice_lite", false, boolean),
    };
    // read with the limits
    media.has("conference_gain");
    media.finish();
    machine
}

fn read_video(media: &Section<'_>) -> Option<u32> {
    let kbit = media.or("video_kbit", 2_000, integer(64..=50_000, "kilobits a second"));
    media.or("video", true, boolean).then_some(kbit)
}

fn read_opus(media: &Section<'_>) -> OpusConfig {
    let default = OpusConfig::default();
    let bits = integer(6_000..=128_000, "bits a second");
    let loss = media.or("opus_loss", default.expected_loss, integer(0..=50, "percent"));
    OpusConfig {
        bitrate: media.or("opus_bitrate", default.bitrate, bits),
        complexity: media.or("opus_complexity", default.complexity, integer(0..=10, "steps")),
        fec: loss > 0,
        expected_loss: loss,
        dtx: media.or("opus_dtx", default.dtx, boolean),
    }
}

/// Packet lengths that G.711 is sent in (RFC 3551 4.2: multiples of the 10 ms tick here).
fn ptime(node: &super::tree::Node) -> Result<u8, super::section::Wrong> {
    match integer(10..=60, "milliseconds")(node) {
        Ok(n) if n % 10 == 0 => Ok(n),
        _ => Err(wrong(node, "10, 20, 30, 40, 50 or 60 milliseconds")),
    }
}

/// Reads `[limits]` and `[sip.timers]`.
pub(super) fn read_limits(root: &Section<'_>) -> Limits {
    let d = Limits::default();
    let limits = root.section("limits");
    let register_min = limits.opt("register_min", duration(s(1)..=DAY));
    let register_max = limits.opt("register_max", duration(s(1)..=DAY * 7));
    let low = register_min.as_ref().map_or(d.register_min, |at| at.value);
    let high = register_max.as_ref().map_or(d.register_max, |at| at.value);
    if low > high {
        let at = register_max.or(register_min);
        let pos = at.map_or(limits.pos, |at| at.pos);
        limits.conflict("register_max", pos, "expected at least register_min");
    }
    let read = Limits {
        calls: limits.or("calls", d.calls, integer(1..=100_000, "calls")),
        call_length: limits.or("call_length", d.call_length, duration(s(1)..=DAY * 7)),
        media_silence: limits.or("media_silence", d.media_silence, duration(ms(100)..=DAY)),
        media_unheard: limits.or("media_unheard", d.media_unheard, duration(s(0)..=DAY)),
        ring: limits.or("ring", d.ring, duration(ms(100)..=s(600))),
        journal_wait: limits.or("journal_wait", d.journal_wait, duration(ms(1)..=s(5))),
        drain: limits.or("drain", d.drain, duration(s(0)..=DAY)),
        register_min: low,
        register_max: high,
        contacts: limits.or("contacts", d.contacts, integer(1..=100, "contacts")),
        flow: read_flow_limits(&limits.section("flow")),
        sip: read_timers(root),
        flows: super::flows::read(&root.section("sip")),
        digest: read_digest(&root.section("sip")),
        redirects: root.section("sip").or("redirects", true, boolean),
        conference_gain: root.section("media").or("conference_gain", false, boolean),
        guard: super::guard::read(&root.section("sip")),
    };
    limits.finish();
    read
}

fn read_flow_limits(flow: &Section<'_>) -> FlowLimits {
    let d = FlowLimits::default();
    let count = |key, default, range| flow.or(key, default, integer(range, "instructions"));
    let read = FlowLimits {
        instructions: count("instructions", d.instructions, 1_000..=1_000_000_000),
        memory: flow.or("memory", d.memory, size(64 << 10..=256 << 20)),
        wall: flow.or("wall", d.wall, duration(s(1)..=DAY)),
        verbs: flow.or("verbs", d.verbs, integer(1..=10_000_000, "steps")),
        together: flow.or("together", d.together, integer(1..=1_024, "calls")),
    };
    flow.finish();
    read
}

/// `digest` of `[sip]`.
fn read_digest(sip: &Section<'_>) -> Vec<DigestAlgorithm> {
    const WORDS: &[(&str, DigestAlgorithm)] =
        &[("SHA-256", DigestAlgorithm::Sha256), ("MD5", DigestAlgorithm::Md5)];
    let Some(list) = sip.list("digest", one_of(WORDS)) else {
        return Limits::default().digest;
    };
    if sip.is_empty_list("digest") {
        sip.conflict("digest", list.pos, "expected at least one algorithm");
    }
    for (i, at) in list.value.iter().enumerate() {
        if list.value[..i].iter().any(|before| before.value == at.value) {
            sip.conflict("digest", at.pos, "listed twice");
        }
    }
    list.value.iter().map(|at| at.value).collect()
}

fn read_timers(root: &Section<'_>) -> SipTimers {
    let d = SipTimers::default();
    let timers = root.section("sip").section("timers");
    let t1 = timers.opt("t1", duration(ms(1)..=s(10)));
    let t2 = timers.opt("t2", duration(ms(1)..=s(60)));
    let read = SipTimers {
        t1: t1.as_ref().map_or(d.t1, |at| at.value),
        t2: t2.as_ref().map_or(d.t2, |at| at.value),
        t4: timers.or("t4", d.t4, duration(ms(1)..=s(60))),
        session_expires: timers.or("session_expires", d.session_expires, duration(s(0)..=DAY)),
        session_min: timers.or("session_min", d.session_min, duration(s(90)..=DAY)),
    };
    if read.t1 > read.t2 {
        let pos = t2.or(t1).map_or(timers.pos, |at| at.pos);
        timers.conflict("t2", pos, "expected at least t1");
    }
    timers.finish();
    read
}

/// Reads `[trace]`.
fn read_trace(trace: &Section<'_>) -> TraceMachine {
    let d = TraceLimits::default();
    let bytes = trace.or("bytes", d.bytes as u64, size(0..=16 << 30));
    let limits = TraceLimits {
        bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        steps: trace.or("steps", d.steps, integer(1_000..=10_000_000, "messages and events")),
    };
    let hep = trace.section("hep");
    let address = hep.opt("address", listen);
    let capture_id = hep.or("capture_id", 2_001, integer(0..=u32::MAX, ""));
    if let Some(at) = address.as_ref().filter(|_| bytes == 0) {
        hep.conflict("address", at.pos, "copies are made of what [trace] bytes keeps, which is nothing");
    }
    if let Some(at) = address.as_ref().filter(|at| at.value.port() == 0 || at.value.ip().is_unspecified()) {
        hep.conflict("address", at.pos, "expected the address and port of a collector");
    }
    hep.finish();
    trace.finish();
    TraceMachine { limits, hep: address.map(|at| HepMachine { address: at.value, capture_id }) }
}

/// True or false, or the default.
pub(super) fn flag(section: &Section<'_>, key: &'static str, default: bool) -> bool {
    section.or(key, default, boolean)
}
