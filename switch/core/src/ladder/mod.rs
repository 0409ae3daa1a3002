//! The ladders of the last calls: the messages of all their legs and what happened to them, on one time axis.
//!
//! Invariants:
//! - memory is bounded by [`TraceLimits`] and reserved at the start; the oldest step goes first;
//! - on the path of a message stands one look for its Call-ID, one look into a table and one copy; it is parsed when
//!   somebody looks;
//! - keys that were pressed while a leg told a secret are written over as they come; all other secrets before anything
//!   leaves ([`redact`]);
//! - a reader sees what is his tenant's; requests that became no call are the operator's own tenant's.
//!
//! Messages that belong to no INVITE are not kept: registrations and OPTIONS would leave no room for calls.

mod redact;
mod ring;
mod scan;
mod view;

pub use redact::redact;
pub use view::Tapped;

use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, TenantId};
use cordboard_model::time::{Duration, Time};
use cordboard_model::trace::{TraceLimits, TraceNote};
use cordboard_sip::engine::Flow;
use core::hash::Hasher;
use ring::{Kind, Owner, Ring};
use serde::Serialize;
use std::collections::BTreeMap;
use std::hash::DefaultHasher;

/// How long keys are still written over after a leg has told its secret: a repetition of the request that told one may
/// come for 64 times T1 (RFC 3261 17.1.2.2).
const SECRET_AFTER: Duration = Duration::from_secs(32);
/// How long keys that are pressed are no event's after a leg has told its secret: who typed more of it than was asked for, or
/// was cut short, goes on typing for no longer.
const SECRET_TYPED: Duration = Duration::from_secs(3);
/// How long after its secret a leg counts as still telling it: as long as its audio stays covered.
const SECRET_TAIL: Duration = Duration::from_millis(500);

/// The messages with one Call-ID.
#[derive(Clone, Debug, Default)]
struct Dialog {
    /// Its last entry.
    last: u64,
    /// The calls it is of, by now the last of them.
    calls: Vec<CallId>,
    leg: Option<LegId>,
    /// Whose it is, where that is known without a call.
    tenant: Option<TenantId>,
}

/// What is known of a call.
#[derive(Clone, Debug, Default)]
struct OfCall {
    /// Its last note; zero when none is left.
    last: u64,
    dialogs: Vec<u64>,
}

/// A leg that tells a secret.
#[derive(Clone, Copy, Debug)]
struct Secret {
    call: CallId,
    /// When it has been told long enough ago; none while it is being told.
    until: Option<Time>,
}

/// [`TraceNote::Event`] without a copy of the event.
#[derive(Serialize)]
struct EventNote<'a> {
    note: &'static str,
    event: &'a EventKind,
}

/// See the module.
#[derive(Debug)]
pub struct Ladder {
    ring: Ring,
    dialogs: BTreeMap<u64, Dialog>,
    calls: BTreeMap<CallId, OfCall>,
    secrets: BTreeMap<LegId, Secret>,
    /// Keeps strangers from choosing Call-IDs with the hash of another.
    key: [u8; 32],
    off: bool,
    scratch: Vec<u8>,
}

impl Ladder {
    /// An empty one. `key`: 32 random bytes.
    pub fn new(limits: TraceLimits, key: [u8; 32]) -> Self {
        Self {
            ring: Ring::new(limits),
            dialogs: BTreeMap::new(),
            calls: BTreeMap::new(),
            secrets: BTreeMap::new(),
            key,
            off: limits.bytes == 0,
            scratch: Vec::new(),
        }
    }

    fn hash(&self, call_id: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.key);
        hasher.write(call_id);
        hasher.finish()
    }

    /// A message came (`sent` false) or leaves.
    pub(crate) fn message(&mut self, flow: Flow, sent: bool, bytes: &[u8], now: Time) {
        if self.off {
            return;
        }
        let Some(call_id) = scan::call_id(bytes) else {
            return;
        };
        let hash = self.hash(call_id);
        let before = match self.dialogs.get(&hash) {
            Some(dialog) => dialog.last,
            None if scan::is_invite(bytes) => 0,
            None => return,
        };
        let kind = Kind::Message { flow, sent };
        let Some(number) = self.push((now, Owner::Dialog(hash), before, kind), bytes) else {
            return;
        };
        let dialog = self.dialogs.entry(hash).or_default();
        dialog.last = number;
        if !self.secrets.is_empty() && scan::may_tell_keys(bytes) {
            let calls = dialog.calls.clone();
            if calls.iter().any(|call| self.repeats_secret(*call, now)) {
                redact::redact_keys(self.ring.bytes_mut(number));
            }
        }
    }

    /// Something happened to a call.
    pub(crate) fn note(&mut self, call: CallId, note: &impl Serialize, now: Time) {
        if self.off {
            return;
        }
        let mut text = core::mem::take(&mut self.scratch);
        text.clear();
        let before = self.calls.get(&call).map_or(0, |known| known.last);
        if serde_json::to_writer(&mut text, note).is_ok()
            && let Some(number) = self.push((now, Owner::Call(call), before, Kind::Note), &text)
        {
            self.calls.entry(call).or_default().last = number;
        }
        self.scratch = text;
    }

    /// The same for an event of the stream, if it is about a call.
    pub(crate) fn event(&mut self, what: &EventKind, now: Time) {
        let Some(call) = call_of(what) else {
            return;
        };
        match what {
            // The record that comes with it is kept elsewhere.
            EventKind::CallEnded { cause, by, .. } => {
                self.note(call, &TraceNote::Ended { cause: *cause, by: *by }, now);
            }
            event => self.note(call, &EventNote { note: "event", event }, now),
        }
    }

    /// The messages with this Call-ID are those of a leg of a call. A leg that goes from one call to another is shown on
    /// both; never on calls of two tenants.
    pub(crate) fn tie(&mut self, call: CallId, leg: LegId, call_id: &str) {
        let hash = self.hash(call_id.as_bytes());
        let Some(dialog) = self.dialogs.get_mut(&hash) else {
            return;
        };
        if dialog.calls.iter().any(|known| known.tenant != call.tenant) {
            return;
        }
        dialog.leg = Some(leg);
        dialog.calls.retain(|known| *known != call);
        dialog.calls.push(call);
        let of_call = self.calls.entry(call).or_default();
        if !of_call.dialogs.contains(&hash) {
            of_call.dialogs.push(hash);
        }
    }

    /// A request that becomes no call was for this tenant.
    pub(crate) fn refused(&mut self, tenant: TenantId, call_id: &str) {
        let hash = self.hash(call_id.as_bytes());
        if let Some(dialog) = self.dialogs.get_mut(&hash) {
            dialog.tenant = Some(tenant);
        }
    }

    /// From now on (`on`), or no longer, keys that are pressed on this leg are a secret.
    pub(crate) fn set_secret(&mut self, leg: LegId, call: CallId, on: bool, now: Time) {
        self.secrets.retain(|_, secret| secret.until.is_none_or(|until| until > now));
        match on {
            true => drop(self.secrets.insert(leg, Secret { call, until: None })),
            false => self.end_secrets(|known, _| known == leg, now),
        }
    }

    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallId, now: Time) {
        if !self.secrets.is_empty() {
            self.end_secrets(|_, known| known == call, now);
        }
    }

    fn end_secrets(&mut self, which: impl Fn(LegId, CallId) -> bool, now: Time) {
        let open = self.secrets.iter_mut().filter(|(_, secret)| secret.until.is_none());
        for (_, secret) in open.filter(|(leg, secret)| which(**leg, secret.call)) {
            secret.until = Some(now + SECRET_AFTER);
        }
    }

    /// Whether a message of this call may tell a secret, or tell it again: what one leg is asked for may be told by another
    /// that relays it.
    fn repeats_secret(&self, call: CallId, now: Time) -> bool {
        self.has_secret(call, SECRET_AFTER, now)
    }

    /// Whether a key that is pressed now in this call may belong to a secret.
    pub(crate) fn tells_secret(&self, call: CallId, now: Time) -> bool {
        self.has_secret(call, SECRET_TYPED, now)
    }

    /// Whether a leg of this call is asked for a secret, or was a moment ago: its last key may still be on its way.
    pub(crate) fn asks_secret(&self, call: CallId, now: Time) -> bool {
        self.has_secret(call, SECRET_TAIL, now)
    }

    /// Whether a leg of this call tells a secret, or did at the most `within` ago.
    fn has_secret(&self, call: CallId, within: Duration, now: Time) -> bool {
        let over = now + (SECRET_AFTER - within);
        let on = |secret: &Secret| secret.call == call && secret.until.is_none_or(|until| until > over);
        self.secrets.values().any(on)
    }

    fn push(&mut self, what: (Time, Owner, u64, Kind), piece: &[u8]) -> Option<u64> {
        let (dialogs, calls) = (&mut self.dialogs, &mut self.calls);
        self.ring.push(what, piece, |number, gone| match gone.owner {
            Owner::Dialog(hash) if dialogs.get(&hash).is_some_and(|dialog| dialog.last == number) => {
                for call in dialogs.remove(&hash).unwrap_or_default().calls {
                    tidy(calls, dialogs, call);
                }
            }
            Owner::Call(call) => {
                if let Some(of_call) = calls.get_mut(&call).filter(|known| known.last == number) {
                    of_call.last = 0;
                    tidy(calls, dialogs, call);
                }
            }
            Owner::Dialog(_) => {}
        })
    }
}

/// Forgets what is gone of a call, and the call when nothing is left of it.
fn tidy(calls: &mut BTreeMap<CallId, OfCall>, dialogs: &BTreeMap<u64, Dialog>, call: CallId) {
    if let Some(of_call) = calls.get_mut(&call) {
        of_call.dialogs.retain(|hash| dialogs.contains_key(hash));
        if of_call.dialogs.is_empty() && of_call.last == 0 {
            calls.remove(&call);
        }
    }
}

/// The call that an event is about.
fn call_of(what: &EventKind) -> Option<CallId> {
    match what {
        EventKind::CallStarted { call, .. }
        | EventKind::CallRouted { call, .. }
        | EventKind::CallStage { call, .. }
        | EventKind::CallAnswered { call }
        | EventKind::LegStarted { call, .. }
        | EventKind::LegAnswered { call, .. }
        | EventKind::LegHeld { call, .. }
        | EventKind::LegAudio { call, .. }
        | EventKind::LegEnded { call, .. }
        | EventKind::CallTransfer { call, .. }
        | EventKind::LegMuted { call, .. }
        | EventKind::CallConference { call, .. }
        | EventKind::CallSupervised { call, .. }
        | EventKind::CallWrappedUp { call, .. }
        | EventKind::CallPlaced { call, .. }
        | EventKind::Digit { call, .. }
        | EventKind::DataChanged { call, .. }
        | EventKind::FlowStarted { call, .. }
        | EventKind::FlowFailed { call, .. }
        | EventKind::FlowLog { call, .. }
        | EventKind::QueueEntered { call, .. }
        | EventKind::QueueOffered { call, .. }
        | EventKind::QueueReserved { call, .. }
        | EventKind::QueueLeft { call, .. }
        | EventKind::RecordingStarted { call, .. }
        | EventKind::RecordingPaused { call, .. }
        | EventKind::RecordingResumed { call, .. }
        | EventKind::RecordingReady { call, .. }
        | EventKind::StreamStarted { call, .. }
        | EventKind::StreamEnded { call, .. }
        | EventKind::PlayStarted { call, .. }
        | EventKind::PlayEnded { call, .. }
        | EventKind::CollectStarted { call, .. }
        | EventKind::CollectEnded { call, .. }
        | EventKind::CallEnded { call, .. } => Some(*call),
        EventKind::AgentStatus { call, .. } | EventKind::DeskOrder { call, .. } => *call,
        _ => None,
    }
}

#[cfg(test)]
mod tests;
