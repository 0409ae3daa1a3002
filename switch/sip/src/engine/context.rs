//! What every part of the engine needs: the time, the configuration, the random numbers, the
//! outputs and the deadlines.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use cordboard_model::deadline::Deadlines;
use cordboard_model::time::{Time, TimerReason};

use super::tokens::Tokens;
use super::{Directory, Flow, SessionId, SipConfig, SipEvent, SipOutput};
use crate::transaction::{Timer, TxId};
use crate::wire::{HeaderName, Host, Message, NameAddr, SipUri};

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimerKey {
    /// A transaction's.
    Tx(TxId, Timer),
    /// A session's.
    Session(SessionId, SessionTimer),
    /// A contact expires.
    Contact(u64),
    /// A subscription expires.
    Subscription(u64),
    /// A peer's BYE has waited long enough for its answer.
    Bye(SessionId),
}

/// What a session may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SessionTimer {
    /// To repeat a 2xx (RFC 3261 13.3.1.4).
    Repeat2xx,
    /// To give up waiting for its ACK.
    NoAck,
    /// To try a re-INVITE again (14.1).
    Glare,
    /// To repeat a provisional response (13.3.1.1).
    Progress,
    /// For the Expires of an INVITE (13.3.1).
    Expires,
    /// To refresh the session (RFC 4028 10).
    Refresh,
    /// For a refresh that does not come (RFC 4028 10).
    Lapse,
    /// To repeat a reliable provisional response (RFC 3262 3).
    Repeat1xx,
    /// To give up waiting for its PRACK.
    NoPrack,
}

impl SessionTimer {
    /// All of them.
    pub(crate) const ALL: [SessionTimer; 9] = [
        Self::Repeat2xx,
        Self::NoAck,
        Self::Glare,
        Self::Progress,
        Self::Expires,
        Self::Refresh,
        Self::Lapse,
        Self::Repeat1xx,
        Self::NoPrack,
    ];

    const fn reason(self) -> TimerReason {
        TimerReason(match self {
            Self::Repeat2xx => "sip 2xx repeat",
            Self::NoAck => "sip ack missing",
            Self::Glare => "sip glare wait",
            Self::Progress => "sip provisional repeat",
            Self::Expires => "sip invitation expires",
            Self::Refresh => "sip session refresh",
            Self::Lapse => "sip session lapse",
            Self::Repeat1xx => "sip 1xx repeat",
            Self::NoPrack => "sip prack missing",
        })
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) now: Time,
    pub(crate) config: SipConfig,
    pub(crate) directory: Directory,
    pub(crate) tokens: Tokens,
    pub(crate) out: VecDeque<SipOutput>,
    pub(crate) deadlines: Deadlines<TimerKey>,
    /// Peers that took no TCP connection, and until when they are not asked for one.
    pub(crate) no_tcp: BTreeMap<SocketAddr, Time>,
}

/// Transactions that only wait for repetitions end together, at the next multiple of this: nobody sees when, each call leaves
/// half a dozen of them, and each time the thread wakes for one alone costs as much as a message.
const LINGER: Duration = Duration::from_millis(250);

impl Context {
    pub(crate) fn transmit(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.out.push_back(SipOutput::Transmit { flow, bytes });
    }

    pub(crate) fn event(&mut self, event: SipEvent) {
        self.out.push_back(SipOutput::Event(event));
    }

    pub(crate) fn start_tx(&mut self, id: TxId, timer: Timer, after: Duration) {
        let key = TimerKey::Tx(id, timer);
        let due = self.now + after;
        let due = if timer.lingers() && !after.is_zero() { due.rounded_up(LINGER) } else { due };
        self.deadlines.set(key, due, timer.reason());
    }

    pub(crate) fn stop_tx(&mut self, id: TxId, timer: Timer) {
        self.deadlines.clear(&TimerKey::Tx(id, timer));
    }

    pub(crate) fn start_session(&mut self, id: SessionId, timer: SessionTimer, after: Duration) {
        let key = TimerKey::Session(id, timer);
        self.deadlines.set(key, self.now + after, timer.reason());
    }

    pub(crate) fn start_bye(&mut self, id: SessionId, after: Duration) {
        let reason = TimerReason("sip bye unanswered");
        self.deadlines.set(TimerKey::Bye(id), self.now + after, reason);
    }

    pub(crate) fn stop_session(&mut self, id: SessionId, timer: SessionTimer) {
        self.deadlines.clear(&TimerKey::Session(id, timer));
    }

    /// How long until a timer of a session fires, if it runs.
    pub(crate) fn session_left(&self, id: SessionId, timer: SessionTimer) -> Option<Duration> {
        self.deadlines.get(&TimerKey::Session(id, timer)).map(|at| at.since(self.now))
    }

    /// Whether a session waits before it sends a re-INVITE again.
    pub(crate) fn glare_waits(&self, id: SessionId) -> bool {
        let key = TimerKey::Session(id, SessionTimer::Glare);
        self.deadlines.get(&key).is_some()
    }

    /// What peers reach us by on this flow: host and port for Via and Contact.
    pub(crate) fn sent_by(&self, flow: &Flow) -> (Host, u16) {
        let own = flow.local.ip().to_canonical();
        let is_v4 = flow.remote.ip().to_canonical().is_ipv4();
        let fits = |told: &std::net::IpAddr| told.is_ipv4() == is_v4;
        let all = || self.config.advertised.map(|told| told.ip().to_canonical()).filter(fits);
        let told = self.directory.told(flow.remote.ip()).filter(fits).or_else(all);
        let other = || self.config.advertised_other.filter(fits);
        (Host::from(told.or_else(other).unwrap_or(own)), flow.local.port())
    }

    /// Our Contact on this flow.
    pub(crate) fn contact(&self, flow: &Flow) -> String {
        self.contact_of(flow, "cordboard")
    }

    /// The same with a user of its own.
    pub(crate) fn contact_of(&self, flow: &Flow, user: &str) -> String {
        let (host, port) = self.sent_by(flow);
        let mut uri = SipUri::new(Some(user), host, Some(port));
        if flow.transport != super::Transport::Udp {
            uri.params.set("transport", Some(flow.transport.as_str()));
        }
        NameAddr::new(uri).to_string()
    }
}

/// Methods we take: "The Allow header field MUST list the set of methods supported by the UAS"
/// (8.2.1).
pub(crate) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, REGISTER, UPDATE, PRACK, REFER, NOTIFY, SUBSCRIBE, MESSAGE";
/// Bodies we take, in Accept.
pub(crate) const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf";
/// Who we are, in User-Agent and Server.
pub(crate) const PRODUCT: &str = "Cordboard";

/// Adds what every response of ours that makes or tells of a dialog carries.
pub(crate) fn describe(response: &mut Message) {
    response.push(HeaderName::Allow, ALLOW);
    response.push(HeaderName::Supported, SUPPORTED);
}

/// Extensions we know, in Supported (20.37): Path (RFC 3327) of a registration, reliable provisional responses (RFC 3262),
/// session timers (RFC 4028), Replaces (RFC 3891), REFER without a subscription (RFC 4488).
pub(crate) const SUPPORTED: &str = "path, 100rel, timer, replaces, norefersub";

/// Whether an option tag is one of [`SUPPORTED`], or of those that concern registrations alone.
pub(crate) fn is_supported(tag: &str) -> bool {
    SUPPORTED.split(", ").chain([crate::registrar::OPTION]).any(|known| known.eq_ignore_ascii_case(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_timer_has_one_deadline() {
        let mut deadlines: Deadlines<TimerKey> = Deadlines::default();
        let key = TimerKey::Session(SessionId(1), SessionTimer::Glare);
        deadlines.set(key, Time::from_millis(5), SessionTimer::Glare.reason());
        deadlines.set(key, Time::from_millis(9), SessionTimer::Glare.reason());
        assert_eq!(deadlines.len(), 1);
    }
}
