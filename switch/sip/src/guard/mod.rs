//! The guard of the SIP port: who is heard, who is answered, and how often.
//!
//! Invariants:
//! - a source that is banned, or shows the name of a scanning tool, costs a look into a table and at most a kilobyte
//!   read; nothing of it is parsed and nothing answered;
//! - no memory grows with what strangers send: every table has a fixed size and forgets the oldest;
//! - the addresses of trunks, of devices that have shown a password, and of whom we call are not banned. A sender's
//!   address is not proof over UDP: whoever writes a trunk's address into his packets must not be able to cut it off;
//! - who is kept off by hand begins nothing any more, whatever he has shown, but emergency calls; of a device that has shown its
//!   password what goes on is heard, so that a call that is up comes to its end;
//! - a stranger gets no more than [`AMPLIFICATION`] times the bytes he sent over UDP, for they may go to a victim.
//!
//! IPv6 sources are networks of 64 bits: that is what one subscriber has.

mod bars;
mod bucket;
mod calls;
mod overload;
mod scanner;
mod table;
mod urgent;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use cordboard_model::guard::{BanView, Bar, BarFault, GuardLimits, Network};
use cordboard_model::time::{Time, WallClock};

use crate::engine::Flow;
use crate::wire::Method;
use bars::Bars;
use bucket::{Bucket, per_second};
use calls::Calls;
pub(crate) use calls::Place;
use overload::Overload;
use table::Table;
use urgent::Urgent;
pub(crate) use urgent::invited;

/// Most bytes of an answer for each byte of a stranger's request over UDP. The smallest request that can be read has
/// about 160 bytes, its challenge by two algorithms 600; real ones have twice as much of the former.
pub(crate) const AMPLIFICATION: usize = 5;
/// Longest ban for what came over UDP without proof that the sender is where he says: a liar who wants a device cut off
/// has to go on lying.
const UNPROVED_BAN_MAX: Duration = Duration::from_secs(600);
/// How long an address is known after it has shown a password or we have called it: two of the longest registrations.
const KNOWN: Duration = Duration::from_secs(7_200);
/// Least time between two alarms about bans; those between are counted.
const ALARM_EVERY: Duration = Duration::from_secs(10);
/// What a good password takes off the score: its own challenge, and one more.
const FORGIVEN: u64 = 500;

/// What a source does that devices do not, or seldom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offence {
    /// It says that it is a tool for scanning.
    Scanner,
    /// What it sends cannot be read.
    Malformed,
    /// A password that is wrong.
    Password,
    /// Something that is refused whoever sends it.
    Refused,
    /// A request without credentials. Every device sends one now and then, and shows its password next.
    Bare,
}

impl Offence {
    /// Thousandths of an offence.
    const fn weight(self) -> u64 {
        match self {
            Self::Scanner => u64::MAX,
            Self::Malformed | Self::Password => 1_000,
            Self::Refused => 500,
            Self::Bare => 250,
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::Scanner => "the name of a scanning tool",
            Self::Malformed => "messages that cannot be read",
            Self::Password => "wrong passwords",
            Self::Refused => "requests that are refused",
            Self::Bare => "requests without a password",
        }
    }
}

/// A ban, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banned {
    /// Who.
    pub source: Network,
    /// What for.
    pub why: &'static str,
    /// How long.
    pub length: Duration,
    /// Bans that were not told of since the last that was.
    pub others: u64,
}

/// What the guard has done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuardFigures {
    /// Bans.
    pub bans: u64,
    /// Messages of banned sources and scanning tools, dropped unread.
    pub dropped: u64,
    /// Answers to strangers that were not sent: too many, or too long for what was asked.
    pub unanswered: u64,
    /// Requests refused for the load of the switch.
    pub overload: u64,
    /// Calls refused for the limit of an account or a called number.
    pub over_limit: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Score {
    offences: Bucket,
    answers: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Ban {
    until: Time,
    times: u32,
    dropped: u64,
    why: &'static str,
}

/// What is known of a message before it is read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// It is from an address of a trunk.
    pub(crate) is_peer: bool,
    /// It is an INVITE to an emergency number.
    pub(crate) is_help: bool,
    /// It begins nothing: a response, or a request within what is there ([`goes_on`]).
    pub(crate) goes_on: bool,
}

/// Whether the first bytes are those of a response, or of a request that is within a dialog or belongs to an INVITE.
pub(crate) fn goes_on(bytes: &[u8]) -> bool {
    [&b"SIP/2.0 "[..], b"ACK ", b"BYE ", b"CANCEL ", b"PRACK ", b"UPDATE "]
        .iter()
        .any(|begin| bytes.starts_with(begin))
}

/// Whether a request of this method is of those.
pub(crate) const fn is_within(method: &Method) -> bool {
    matches!(method, Method::Ack | Method::Bye | Method::Cancel | Method::Prack | Method::Update)
}

/// The message at hand.
#[derive(Clone, Copy, Debug)]
struct Hand {
    flow: Flow,
    len: usize,
    exempt: bool,
    /// An INVITE to an emergency number, one of those that are looked at.
    urgent: bool,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    limits: GuardLimits,
    scores: Table<Network, Score>,
    bans: Table<Network, Ban>,
    bars: Bars,
    known: Table<SocketAddr, Time>,
    calls: Calls,
    overload: Overload,
    urgent: Urgent,
    hand: Option<Hand>,
    told: Option<Time>,
    untold: u64,
    figures: GuardFigures,
}

/// Who sends, as far as bans go.
fn source_of(address: IpAddr) -> Network {
    let address = address.to_canonical();
    Network::new(address, if address.is_ipv4() { 32 } else { 64 })
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Guard {
    pub(crate) fn new(limits: GuardLimits) -> Self {
        let size = limits.sources as usize;
        Self {
            scores: Table::new(size),
            bans: Table::new(size),
            bars: Bars::default(),
            known: Table::new(size.saturating_mul(4)),
            calls: Calls::new(size),
            overload: Overload::new(size),
            urgent: Urgent::new(size),
            limits,
            hand: None,
            told: None,
            untold: 0,
            figures: GuardFigures::default(),
        }
    }

    /// Exchanges the limits. Bans stay, but for networks that are allowed now.
    pub(crate) fn configure(&mut self, limits: &GuardLimits) {
        let size = limits.sources as usize;
        self.limits = limits.clone();
        self.scores.resize(size);
        self.bans.resize(size);
        self.known.resize(size.saturating_mul(4));
        self.calls.resize(size);
        self.urgent.resize(size);
    }

    /// The first look at what came: whether it is to be read at all.
    pub(crate) fn admit(&mut self, flow: Flow, bytes: &[u8], look: Look, now: Time) -> bool {
        let exempt = look.is_peer || self.is_exempt(flow, now);
        let urgent = look.is_help && self.urgent.take(source_of(flow.remote.ip()), exempt, now);
        self.hand = Some(Hand { flow, len: bytes.len(), exempt, urgent });
        let heard = urgent || look.is_peer || look.goes_on && self.is_known(flow, now);
        if !heard && self.is_barred(flow.remote.ip(), now) {
            self.bars.drops(flow.remote.ip(), now);
            self.figures.dropped += 1;
            return false;
        }
        if exempt || urgent {
            return true;
        }
        let banned = self.bans.get_mut(&source_of(flow.remote.ip())).filter(|ban| ban.until > now);
        if let Some(ban) = banned {
            ban.dropped += 1;
        } else if !scanner::is_scanner(bytes, &self.limits.scanners) {
            return true;
        }
        self.figures.dropped += 1;
        false
    }

    /// The same for a message of a stream, which was cut out and read already.
    pub(crate) fn admit_read(&mut self, flow: Flow, agent: &str, look: Look, now: Time) -> bool {
        let line = format!("User-Agent: {agent}");
        self.admit(flow, line.as_bytes(), look, now)
    }

    /// Whether the message at hand is an INVITE to an emergency number that is looked at whatever else is so.
    pub(crate) fn is_urgent(&self) -> bool {
        self.hand.is_some_and(|hand| hand.urgent)
    }

    /// What the first look found to be a scanner is banned for it.
    pub(crate) fn scanned(&mut self, now: Time) -> Option<Banned> {
        let ip = self.hand?.flow.remote.ip();
        let is_banned = self.bans.get(&source_of(ip)).is_some_and(|ban| ban.until > now);
        if is_banned || self.is_barred(ip, now) { None } else { self.offence(Offence::Scanner, now) }
    }

    fn is_exempt(&self, flow: Flow, now: Time) -> bool {
        !self.limits.enabled || self.is_known(flow, now) || self.is_allowed(flow.remote.ip())
    }

    fn is_known(&self, flow: Flow, now: Time) -> bool {
        self.known.get(&canonical(flow.remote)).is_some_and(|until| *until > now)
    }

    fn is_allowed(&self, address: IpAddr) -> bool {
        self.limits.allow.iter().any(|network| network.contains(address))
    }

    fn is_barred(&self, address: IpAddr, now: Time) -> bool {
        self.bars.has(address, now) && !self.is_allowed(address)
    }

    /// Keeps a source off by hand.
    pub(crate) fn bar(&mut self, bar: Bar, now: Time, clock: WallClock) -> Result<(), BarFault> {
        if let Some(network) = self.limits.allow.iter().find(|network| network.overlaps(&bar.source)) {
            return Err(BarFault::Allowed(*network));
        }
        self.bars.put(bar, now, clock)
    }

    /// Takes that back; false if nobody had made it.
    pub(crate) fn unbar(&mut self, source: &Network, now: Time) -> bool {
        self.bars.remove(source, now)
    }

    /// Whether a stranger may have this answer to the message at hand.
    pub(crate) fn may_answer(&mut self, length: usize, now: Time) -> bool {
        let Some(hand) = self.hand.filter(|hand| !hand.exempt) else {
            return true;
        };
        // those that are looked at are few
        let rate_kept = hand.urgent;
        let too_long = !hand.flow.transport.is_reliable() && length > hand.len.saturating_mul(AMPLIFICATION);
        let rate = self.limits.answers_per_second;
        let source = source_of(hand.flow.remote.ip());
        let may = !too_long
            && (rate_kept || self.scores.used(source, Score::default, |score| score.answers.take(rate, now)));
        self.figures.unanswered += u64::from(!may);
        may
    }

    /// Counts an offence by the sender of the message at hand; a ban that is to be told of.
    pub(crate) fn offence(&mut self, offence: Offence, now: Time) -> Option<Banned> {
        let hand = self.hand.filter(|hand| !hand.exempt)?;
        let source = source_of(hand.flow.remote.ip());
        let leak = per_second(self.limits.offences, self.limits.window);
        let most = u64::from(self.limits.offences) * 1_000;
        let full = self
            .scores
            .used(source, Score::default, |score| score.offences.add(offence.weight(), leak, now) >= most);
        full.then(|| self.ban(source, hand.flow, offence, now)).flatten()
    }

    fn ban(&mut self, source: Network, flow: Flow, offence: Offence, now: Time) -> Option<Banned> {
        let (first, max) = (self.limits.ban, self.limits.ban_max);
        let max = if flow.transport.is_reliable() { max } else { max.min(UNPROVED_BAN_MAX.max(first)) };
        self.scores.remove(&source);
        let new = || Ban { until: now, times: 0, dropped: 0, why: offence.why() };
        let length = self.bans.used(source, new, |ban| {
            // Who kept quiet for as long as a ban can be begins anew.
            ban.times = if now.since(ban.until) > max.max(first) { 1 } else { ban.times.saturating_add(1) };
            let length = first.saturating_mul(1 << (ban.times - 1).min(20)).min(max);
            (ban.until, ban.why) = (now + length, offence.why());
            length
        });
        self.figures.bans += 1;
        if self.told.is_some_and(|told| now.since(told) < ALARM_EVERY) {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(Banned { source, why: offence.why(), length, others: core::mem::take(&mut self.untold) })
    }

    /// The sender of the message at hand has shown a password.
    pub(crate) fn proved(&mut self, now: Time) {
        let Some(hand) = self.hand else {
            return;
        };
        self.know(hand.flow.remote, now);
        if let Some(score) = self.scores.get_mut(&source_of(hand.flow.remote.ip())) {
            score.offences.forgive(FORGIVEN);
        }
    }

    /// We have business with this address.
    pub(crate) fn know(&mut self, address: SocketAddr, now: Time) {
        self.known.used(canonical(address), || now, |until| *until = now + KNOWN);
    }

    /// Takes a ban back that the guard made; false if there was none. The source is an address, or as [`Self::bans`] has it.
    pub(crate) fn lift(&mut self, source: Network, now: Time) -> bool {
        let address = source.first();
        if source != source_of(address) && source != Network::new(address, 128) {
            return false;
        }
        let source = source_of(address);
        self.scores.remove(&source);
        self.bans.remove(&source).is_some_and(|ban| ban.until > now)
    }

    /// Who is banned.
    pub(crate) fn bans(&self, now: Time, clock: WallClock) -> Vec<BanView> {
        let view = |(source, ban): (&Network, &Ban)| BanView {
            source: *source,
            why: ban.why.to_owned(),
            until: clock.at(ban.until),
            times: ban.times,
            dropped: ban.dropped,
            by: None,
        };
        let made = self.bans.iter().filter(|(_, ban)| ban.until > now).map(view);
        self.bars.views(now).chain(made).collect()
    }

    pub(crate) fn figures(&self) -> GuardFigures {
        self.figures
    }

    /// How long the message that comes next has waited.
    pub(crate) fn note_delay(&mut self, delay: Duration) {
        self.overload.delay = delay;
    }

    /// Whether the switch has fallen behind so far that this request outside any dialog is not looked at. Known trunks
    /// are served for twice as long.
    pub(crate) fn is_behind(&mut self, is_peer: bool) -> bool {
        let behind = self.overload.is_behind(self.limits.overload_delay, is_peer);
        self.figures.overload += u64::from(behind);
        behind
    }

    /// Whether this call may be made; it is counted if so. Asked once for each INVITE that is not a repetition.
    /// One for help is taken whatever else is up.
    pub(crate) fn takes_call(
        &mut self,
        branch: &str,
        place: &Place,
        (is_peer, urgent): (bool, bool),
        now: Time,
    ) -> bool {
        if urgent {
            return true;
        }
        let Some(once) = self.overload.first_time(branch) else {
            self.figures.overload += 1;
            return false;
        };
        if !self.calls.fit(&self.limits, place, now) {
            self.figures.over_limit += 1;
            return false;
        }
        let taken = self.overload.take(self.limits.calls_per_second, is_peer, now);
        if !taken {
            self.overload.refuse(once);
            self.figures.overload += 1;
        }
        taken
    }

    /// The call that was taken last has this session.
    pub(crate) fn call_began(&mut self, id: crate::engine::SessionId, place: Place) {
        self.calls.began(id, place);
    }

    /// A session is over.
    pub(crate) fn call_ended(&mut self, id: crate::engine::SessionId) {
        self.calls.ended(id);
    }
}
