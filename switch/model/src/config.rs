//! The checked configuration as the engines get it: one immutable snapshot, exchanged whole.
//!
//! Parsing, positions and messages live in `node`; by the time a [`Snapshot`] exists, every
//! reference in it resolves.

use crate::access::AccessTerms;
use crate::application::Application;
use crate::audio::{QueueAudio, RecordRule};
use crate::calendar::Calendar;
use crate::callback::CallbackRules;
use crate::desk::TenantDesk;
use crate::flows::SipFlows;
use crate::guard::GuardLimits;
use crate::id::{AgentId, AssetId, FlowId, Name, QueueId, TenantId, TrunkId, UserId};
use crate::lookup::LookupTable;
use crate::media::{Codec, DtmfKind};
use crate::number::TrunkNumbers;
use crate::plan::{NumberForm, NumberPlan};
use crate::record::QueueFigures;
use crate::routes::Routes;
use crate::service::{Duty, Service};
use crate::signin::TenantSignIn;
use crate::srtp::SrtpRule;
use crate::third_party::ThirdPartyTerms;
use crate::tone::TonePlan;
use crate::verb::Destination;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole configuration that engines may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counted from one; every reload adds one.
    pub version: u64,
    /// Limits of the machine.
    pub limits: Limits,
    /// Tenants by id.
    pub tenants: BTreeMap<TenantId, Tenant>,
}

/// Limits that hold for the whole switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most calls at a time; the next gets 503.
    pub calls: u32,
    /// Longest call.
    pub call_length: Duration,
    /// Longest time without RTP and RTCP on a leg that is not held.
    pub media_silence: Duration,
    /// Longest time without RTP from a party that should be heard before that is told. Zero: it is not told.
    pub media_unheard: Duration,
    /// Longest time a device may ring when nothing else says so.
    pub ring: Duration,
    /// How long a 200 or the last BYE waits for the journal before it goes out anyway, with an alarm.
    pub journal_wait: Duration,
    /// How long calls that are up may go on when the switch is to stop.
    pub drain: Duration,
    /// Shortest and longest registration.
    pub register_min: Duration,
    /// Longest registration; a longer wish is shortened to it.
    pub register_max: Duration,
    /// Most contacts of one account.
    pub contacts: u32,
    /// Budgets of a flow.
    pub flow: FlowLimits,
    /// SIP timers, RFC 3261 17.
    pub sip: SipTimers,
    /// How SIP reaches its peers.
    pub flows: SipFlows,
    /// Digest algorithms in the order offered (RFC 8760 2.4); one that is missing is refused.
    pub digest: Vec<DigestAlgorithm>,
    /// Defence of the SIP port.
    pub guard: GuardLimits,
    /// Whether an account's device may send a call elsewhere by a 3xx, within the tenant's numbers.
    pub redirects: bool,
    /// Soft and loud voices of a conference are made equal.
    pub conference_gain: bool,
}

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DigestAlgorithm {
    /// SHA-256 (RFC 7616).
    #[serde(rename = "SHA-256")]
    Sha256,
    /// MD5 (RFC 2617): what many phones know alone.
    #[serde(rename = "MD5")]
    Md5,
}

/// SIP's base timers. Changed only on closed networks and in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipTimers {
    /// Round-trip estimate; 500 ms.
    pub t1: Duration,
    /// Longest retransmission interval; 4 s.
    pub t2: Duration,
    /// Longest time a message stays in the network; 5 s.
    pub t4: Duration,
    /// From one refresh of a session to its end (RFC 4028); zero asks for none.
    pub session_expires: Duration,
    /// The least that a peer may ask for there; at least 90 s.
    pub session_min: Duration,
}

impl Default for SipTimers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            session_expires: Duration::from_secs(1_800),
            session_min: Duration::from_secs(90),
        }
    }
}

/// What one flow may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLimits {
    /// Instructions of the Lua machine per resume.
    pub instructions: u64,
    /// Bytes a call's flow may add to the machine.
    pub memory: u64,
    /// Longest life of a flow.
    pub wall: Duration,
    /// Steps a flow may take in its life.
    pub verbs: u32,
    /// Calls that share one Lua machine, and so stand still while its garbage is collected.
    pub together: u32,
}

impl Default for FlowLimits {
    fn default() -> Self {
        Self {
            instructions: 1_000_000,
            memory: 1 << 20,
            wall: Duration::from_secs(3_600),
            verbs: 10_000,
            together: 64,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 4_000,
            call_length: Duration::from_secs(4 * 3_600),
            media_silence: Duration::from_secs(60),
            media_unheard: Duration::from_secs(10),
            ring: Duration::from_secs(60),
            journal_wait: Duration::from_millis(50),
            drain: Duration::from_secs(60),
            register_min: Duration::from_secs(60),
            register_max: Duration::from_secs(3_600),
            contacts: 10,
            flow: FlowLimits::default(),
            sip: SipTimers::default(),
            flows: SipFlows::default(),
            digest: vec![DigestAlgorithm::Sha256, DigestAlgorithm::Md5],
            guard: GuardLimits::default(),
            redirects: true,
            conference_gain: false,
        }
    }
}

/// One tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Name shown to people.
    pub display: String,
    /// IANA time zone.
    pub zone: String,
    /// How its phones dial; none leaves numbers as they are dialled.
    pub plan: Option<NumberPlan>,
    /// SIP domains and addresses that mean this tenant; the first is the digest realm.
    pub domains: Vec<String>,
    /// Codecs in the order we prefer.
    pub codecs: Vec<Codec>,
    /// The country whose tones its callers hear.
    #[serde(default)]
    pub tones: TonePlan,
    /// Routing plugins in the order they are asked.
    pub routing: Vec<String>,
    /// What those are told.
    #[serde(default)]
    pub routes: Routes,
    /// SIP accounts.
    pub users: BTreeMap<Name, User>,
    /// Agents.
    pub agents: BTreeMap<Name, Agent>,
    /// What their desks may do.
    #[serde(default)]
    pub desk: TenantDesk,
    /// How its agents sign in.
    #[serde(default)]
    pub sign_in: TenantSignIn,
    /// How people who administrate it sign in, and whose pages may ask.
    pub access: AccessTerms,
    /// The enterprise that speaks for its agents, if one does.
    #[serde(default)]
    pub third_party: Option<ThirdPartyTerms>,
    /// Applications that act for it.
    #[serde(default)]
    pub applications: Vec<Application>,
    /// Queues.
    pub queues: BTreeMap<Name, Queue>,
    /// Flows.
    pub flows: BTreeMap<Name, Flow>,
    /// What its flows may use.
    #[serde(default)]
    pub kit: FlowKit,
    /// Numbers that are shown to those who are called.
    pub pools: BTreeMap<Name, NumberPool>,
    /// Called-number routes, in the order written.
    pub numbers: Vec<CalledNumber>,
    /// Trunks.
    pub trunks: BTreeMap<Name, Trunk>,
}

impl Tenant {
    /// One that has nothing yet, in UTC.
    pub fn new(id: TenantId) -> Self {
        Self {
            id,
            display: String::new(),
            zone: "UTC".into(),
            plan: None,
            domains: Vec::new(),
            codecs: Vec::new(),
            tones: TonePlan::default(),
            routing: Vec::new(),
            routes: Routes::default(),
            users: BTreeMap::new(),
            agents: BTreeMap::new(),
            desk: TenantDesk::default(),
            sign_in: TenantSignIn::default(),
            access: AccessTerms::default(),
            third_party: None,
            applications: Vec::new(),
            queues: BTreeMap::new(),
            flows: BTreeMap::new(),
            kit: FlowKit::default(),
            pools: BTreeMap::new(),
            numbers: Vec::new(),
            trunks: BTreeMap::new(),
        }
    }
}

/// A SIP account. The password is not here: only what digest needs (RFC 7616 3.4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its address of record within the tenant.
    pub id: UserId,
    /// Name shown to people.
    pub display: String,
    /// MD5(user:realm:password), hexadecimal.
    pub ha1_md5: String,
    /// SHA-256(user:realm:password), hexadecimal.
    pub ha1_sha256: String,
    /// How keys reach its devices.
    pub dtmf: DtmfKind,
    /// Whether the streams of its devices are secured.
    pub srtp: SrtpRule,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// His work number.
    pub id: AgentId,
    /// Name shown to people.
    pub display: String,
    /// The account whose devices ring.
    pub user: UserId,
    /// Queues he serves.
    pub queues: Vec<QueueId>,
    /// Whether he is signed in and ready as soon as the switch is up, for phones without a desk.
    pub auto_sign_in: bool,
    /// What he is there for.
    #[serde(flatten)]
    pub duty: Duty,
    /// What of his talks is recorded; where nothing is said, his queue or the trunk decides.
    #[serde(default)]
    pub record: Option<RecordRule>,
}

/// A skill queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Its id.
    pub id: QueueId,
    /// Name shown to people.
    pub display: String,
    /// Music while waiting, for ever; a soft tone now and then if none, or nothing if its audio says so.
    pub music: Option<AssetId>,
    /// Announce the place in the queue at entry and then at this interval.
    pub announce_every: Option<Duration>,
    /// Announce with it how long the wait will be, where that is known.
    pub announce_wait: bool,
    /// Language of the announcement's prompts: `en` or `zh`.
    pub language: String,
    /// How long an agent's device rings before the next is tried.
    pub ring: Duration,
    /// Time after a call in which the agent gets none.
    pub wrap_up: Duration,
    /// Longest wait.
    pub max_wait: Duration,
    /// Most callers waiting.
    pub max_length: u32,
    /// The numbers that are shown where its calls, or those of its agents, leave by a trunk.
    pub caller_pool: Option<Name>,
    /// What its callers and agents hear besides, what is recorded, and how long they may talk.
    #[serde(default)]
    pub audio: QueueAudio,
    /// Whom it gives to whom, and what it does with those it cannot serve.
    #[serde(flatten)]
    pub service: Service,
    /// How its figures judge waits.
    #[serde(default)]
    pub figures: QueueFigures,
    /// How it calls back those who keep their places in it.
    #[serde(default)]
    pub callback: CallbackRules,
}

/// A Lua flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Its id.
    pub id: FlowId,
    /// The file, for messages.
    pub file: String,
    /// Its text.
    pub source: String,
    /// What is played when it fails.
    pub apology: Option<AssetId>,
    /// Where the call goes then; hung up if none.
    pub fallback: Option<Destination>,
}

/// What the flows of a tenant may use beside the call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowKit {
    /// Texts that flows take in by `require`, by name.
    pub libraries: BTreeMap<Name, Library>,
    /// Opening hours, by name.
    pub calendars: BTreeMap<Name, Calendar>,
    /// What flows look things up in, by name. Shared, for a configuration is exchanged more often than its tables change.
    pub tables: BTreeMap<Name, Arc<LookupTable>>,
    /// How URLs begin that flows may ask.
    pub http_allowed: Vec<String>,
    /// What flows may show to servers, by name.
    pub secrets: BTreeMap<Name, FlowSecret>,
}

/// What a flow may show to a server without knowing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowSecret {
    /// The whole value of a header.
    pub value: Secret,
    /// How URLs begin that it may be sent to.
    pub to: Vec<String>,
}

/// A text that flows take in by `require`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// The file, for messages.
    pub file: String,
    /// Its text.
    pub source: String,
}

/// Which number of a pool is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolChoice {
    /// One after the other.
    #[default]
    RoundRobin,
    /// One of those that share the longest beginning with the called number, one after the other.
    Area,
}

/// Numbers that are shown to those who are called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberPool {
    /// Which.
    pub choice: PoolChoice,
    /// Never empty, in the order written.
    pub numbers: Vec<String>,
}

/// A called-number route: access code with optional extension code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalledNumber {
    /// The number dialled, or its beginning when `extension` digits follow.
    pub access_code: String,
    /// The digits that must follow the access code.
    pub extension_code: Option<String>,
    /// Where such calls go.
    pub to: Destination,
}

/// How a gateway is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SipTransport {
    /// Datagrams.
    #[default]
    Udp,
    /// A stream.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// One way out of a trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Where calls are sent.
    pub address: SocketAddr,
    /// How.
    pub transport: SipTransport,
    /// The lowest is tried first (RFC 2782).
    pub priority: u16,
    /// Among those of one priority, its share of the calls (RFC 2782).
    pub weight: u16,
    /// The domain that it was found by: what a certificate must be for, and the host of Request-URIs.
    pub domain: Option<String>,
}

/// A way out of a trunk that is known by a name (RFC 3263).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedGateway {
    /// The domain or host.
    pub host: String,
    /// With a port, only the host's addresses are asked for.
    pub port: Option<u16>,
    /// With a transport, only its service is asked for.
    pub transport: Option<SipTransport>,
    /// The lowest is tried first, before what the domain says itself.
    pub priority: u16,
}

impl Gateway {
    /// UDP, first in order, with a share like any other.
    pub fn at(address: SocketAddr) -> Self {
        Self { address, transport: SipTransport::Udp, priority: 0, weight: 1, domain: None }
    }
}

/// Something that no log, event or page shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Secret(pub String);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(secret)")
    }
}

/// Who we are to a carrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkAccount {
    /// The user name, for digest and for the address of record.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The carrier's domain: in From, To and the address of record.
    pub domain: String,
    /// How long a registration is asked for; none if the carrier wants none.
    pub register: Option<Duration>,
}

/// How it is found out whether a gateway lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrunkHealth {
    /// Time between two OPTIONS; none sends none.
    pub every: Option<Duration>,
    /// Failures in a row that make a gateway count as down.
    pub down_after: u8,
    /// Successes in a row that make it count as up again.
    pub up_after: u8,
    /// How long an INVITE may be without any answer before the next gateway is tried.
    pub silence: Duration,
}

impl Default for TrunkHealth {
    fn default() -> Self {
        Self {
            every: Some(Duration::from_secs(30)),
            down_after: 3,
            up_after: 2,
            silence: Duration::from_secs(4),
        }
    }
}

/// Refusals after which the next gateway is tried, where nothing else is said: what says that this gateway cannot, not
/// that the called party will not.
pub const FAILOVER: [u16; 6] = [408, 500, 502, 503, 504, 580];

/// How the identity of a caller is told on a trunk, which says that each side believes the other (RFC 3325 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrunkIdentity {
    /// It is not: what comes is not believed, and nothing that a caller withholds is told.
    #[default]
    None,
    /// P-Asserted-Identity (RFC 3325).
    Asserted,
    /// Remote-Party-ID, which came before it.
    RemoteParty,
}

/// A number of a trunk that is another tenant's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedNumber {
    /// As the trunk's plan reads it.
    pub number: String,
    /// Whose calls to it are.
    pub tenant: TenantId,
}

/// A trunk: a carrier or another switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trunk {
    /// Its id.
    pub id: TrunkId,
    /// Addresses whose requests are this trunk's, without authentication; port 0 means any.
    pub peers: Vec<SocketAddr>,
    /// Our end of what is sent to it: a listener. The first that fits if none.
    pub local: Option<SocketAddr>,
    /// What it is told as our address in Via and Contact; what all are told if none.
    pub told: Option<IpAddr>,
    /// What it is told as the address of our audio; what all are told if none.
    pub told_media: Option<IpAddr>,
    /// Whether it is offered the video of our parties. It may offer its own in any case.
    pub video: bool,
    /// Where calls by this trunk are sent.
    pub gateways: Vec<Gateway>,
    /// The same by names.
    pub named: Vec<NamedGateway>,
    /// Most calls at a time.
    pub max_calls: u32,
    /// Most new calls in a second, both ways; none if that does not matter.
    pub calls_per_second: Option<u32>,
    /// Who we are to the carrier, where it asks.
    pub account: Option<TrunkAccount>,
    /// How gateways are watched.
    pub health: TrunkHealth,
    /// Refusals after which the next gateway is tried.
    pub failover: Vec<u16>,
    /// How numbers are written on the carrier's side.
    pub numbers: TrunkNumbers,
    /// How numbers are dialled on the carrier's side; the tenant's plan if none.
    pub plan: Option<NumberPlan>,
    /// The numbers that are shown where no queue names others; the caller's own if none.
    pub caller_pool: Option<Name>,
    /// Numbers of it that are other tenants'.
    pub shared: Vec<SharedNumber>,
    /// Codecs in the order preferred on this trunk; those of the tenant if empty.
    pub codecs: Vec<Codec>,
    /// How keys reach the carrier.
    pub dtmf: DtmfKind,
    /// Whether its streams are secured.
    pub srtp: SrtpRule,
    /// How the carrier wants numbers, where there is a plan.
    pub number_form: NumberForm,
    /// Whether parties behind it may send those they talk to elsewhere (REFER).
    pub transfers: bool,
    /// How callers are identified.
    pub identity: TrunkIdentity,
    /// What of its calls is recorded, where neither agent nor queue says it.
    pub record: Option<RecordRule>,
}

impl Trunk {
    /// A trunk with nothing but a name.
    pub fn new(id: TrunkId) -> Self {
        Self {
            id,
            peers: Vec::new(),
            local: None,
            told: None,
            told_media: None,
            video: false,
            gateways: Vec::new(),
            named: Vec::new(),
            max_calls: 100,
            calls_per_second: None,
            account: None,
            health: TrunkHealth::default(),
            failover: FAILOVER.to_vec(),
            numbers: TrunkNumbers::default(),
            plan: None,
            caller_pool: None,
            shared: Vec::new(),
            codecs: Vec::new(),
            dtmf: DtmfKind::Rfc4733,
            srtp: SrtpRule::default(),
            number_form: NumberForm::E164,
            transfers: false,
            identity: TrunkIdentity::None,
            record: None,
        }
    }

    /// Whether calls from this address are this trunk's: a peer, or a gateway of a carrier that we register with.
    pub fn is_peer(&self, from: SocketAddr) -> bool {
        let is = |peer: SocketAddr| {
            same_ip(peer.ip(), from.ip()) && (peer.port() == 0 || peer.port() == from.port())
        };
        let registers = self.account.as_ref().is_some_and(|account| account.register.is_some());
        self.peers.iter().any(|peer| is(*peer))
            || registers && self.gateways.iter().any(|gateway| same_ip(gateway.address.ip(), from.ip()))
    }
}

impl Snapshot {
    /// A configuration with one empty tenant.
    pub fn empty() -> Self {
        Self { version: 0, limits: Limits::default(), tenants: BTreeMap::new() }
    }

    /// A tenant's part.
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// The tenant that a SIP domain or address means.
    pub fn tenant_of_domain(&self, host: &str) -> Option<&Tenant> {
        self.tenants.values().find(|t| t.domains.iter().any(|d| d.eq_ignore_ascii_case(host)))
    }

    /// The trunk whose peer this address is.
    pub fn trunk_of_peer(&self, from: SocketAddr) -> Option<&Trunk> {
        self.tenants.values().flat_map(|t| t.trunks.values()).find(|t| t.is_peer(from))
    }

    /// A queue.
    pub fn queue(&self, id: &QueueId) -> Option<&Queue> {
        self.tenant(id.tenant)?.queues.get(&id.name)
    }

    /// An agent.
    pub fn agent(&self, id: &AgentId) -> Option<&Agent> {
        self.tenant(id.tenant)?.agents.get(&id.name)
    }

    /// A flow.
    pub fn flow(&self, id: &FlowId) -> Option<&Flow> {
        self.tenant(id.tenant)?.flows.get(&id.name)
    }

    /// An account.
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.tenant(id.tenant)?.users.get(&id.name)
    }

    /// A trunk.
    pub fn trunk(&self, id: &TrunkId) -> Option<&Trunk> {
        self.tenant(id.tenant)?.trunks.get(&id.name)
    }
}

/// Whether two addresses are one, an IPv4 address mapped into IPv6 included.
fn same_ip(a: IpAddr, b: IpAddr) -> bool {
    a.to_canonical() == b.to_canonical()
}
