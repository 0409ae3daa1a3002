//! What a reader is shown: parsed, without secrets, and in order.

use super::ring::{Entry, Kind, Owner};
use super::{Ladder, redact, scan};
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, TenantId};
use cordboard_model::time::{Time, Wall, WallClock};
use cordboard_model::trace::{
    TraceEntry, TraceKey, TraceMessage, TraceNote, TraceParty, TraceStep, TraceView, TraceWhat,
};
use cordboard_sip::engine::Flow;
use std::collections::{BTreeMap, BTreeSet};

/// Steps that are gone through for a list of ladders: a bound for the time it takes.
const LIST_STEPS: u64 = 20_000;
/// Most steps of a ladder that are shown, the last ones: some milliseconds of the signalling thread.
const SHOWN: usize = 2_000;
/// How far back the original of a repetition is looked for, in messages of its dialog.
const REPEATED_WITHIN: usize = 32;

/// One message as it is given to others than readers of ladders. Its secrets stand in it: [`redact`] is for whoever
/// takes it, off the signalling thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// How it travelled, and its two ends.
    pub flow: Flow,
    /// Whether the switch sent it.
    pub sent: bool,
    /// When.
    pub at: Time,
    /// The call it belongs to, if it became one.
    pub call: Option<CallId>,
    /// The message.
    pub bytes: Vec<u8>,
}

impl Tapped {
    /// Its Call-ID.
    pub fn call_id(&self) -> String {
        scan::call_id(&self.bytes).map(|id| String::from_utf8_lossy(id).into_owned()).unwrap_or_default()
    }
}

impl Ladder {
    /// A ladder, if there is one that its reader may see.
    pub fn view(&self, key: &TraceKey, clock: WallClock) -> Option<TraceView> {
        let (call, dialogs) = match key {
            TraceKey::Call(call) => (Some(*call), self.calls.get(call)?.dialogs.clone()),
            TraceKey::Sip(tenant, call_id) => {
                let hash = self.hash(call_id.as_bytes());
                let dialog = self.dialogs.get(&hash)?;
                match dialog.calls.last() {
                    Some(call) if call.tenant == *tenant => {
                        (Some(*call), self.calls.get(call)?.dialogs.clone())
                    }
                    None if dialog.tenant.unwrap_or(TenantId::DEFAULT) == *tenant => (None, vec![hash]),
                    _ => return None,
                }
            }
        };
        let mut numbers = BTreeSet::new();
        let lasts = dialogs.iter().filter_map(|hash| self.dialogs.get(hash)).map(|dialog| dialog.last);
        let own = call.and_then(|call| self.calls.get(&call)).map(|of_call| of_call.last);
        let mut cut = false;
        for mut number in lasts.chain(own) {
            let mut left = SHOWN;
            while let Some(entry) = self.ring.get(number)
                && left > 0
            {
                left -= 1;
                numbers.insert(number);
                number = entry.before;
            }
            cut |= number != 0;
        }
        while numbers.len() > SHOWN {
            cut |= numbers.pop_first().is_some();
        }
        let mut made = Making { ladder: self, clock, parties: Vec::new(), names: BTreeMap::new() };
        let steps: Vec<_> = numbers.into_iter().filter_map(|number| made.step(number)).collect();
        let mut view = TraceView { call, parties: made.parties, steps, cut };
        name(&mut view, &made.names);
        Some(view)
    }

    /// The last ladders of a tenant, newest first.
    pub fn recent(&self, tenant: TenantId, most: usize, clock: WallClock) -> Vec<TraceEntry> {
        let mut seen = BTreeSet::new();
        let mut list: Vec<TraceEntry> = Vec::new();
        let last = self.ring.last();
        for number in (last.saturating_sub(LIST_STEPS)..=last).rev() {
            let Some(entry) = self.ring.get(number).filter(|_| list.len() < most) else {
                break;
            };
            let (Owner::Dialog(hash), Kind::Message { .. }) = (entry.owner, entry.kind) else {
                continue;
            };
            let Some(dialog) = self.dialogs.get(&hash) else {
                continue;
            };
            let call = dialog.calls.last().copied();
            let of = call.map(|call| call.tenant).or(dialog.tenant).unwrap_or(TenantId::DEFAULT);
            if of != tenant || !seen.insert(call.map_or(Owner::Dialog(hash), Owner::Call)) {
                continue;
            }
            let bytes = self.ring.bytes(entry);
            list.push(TraceEntry {
                call,
                call_id: scan::call_id(bytes).map(|id| String::from_utf8_lossy(id).into_owned()),
                from: scan::user(bytes, "From", b'f'),
                to: scan::user(bytes, "To", b't'),
                last: clock.at(entry.at),
                title: scan::title(bytes),
            });
        }
        list
    }

    /// The messages that came after the step of this number, which is moved on: for what exports them as they come.
    pub fn tap(&self, seen: &mut u64, mut take: impl FnMut(Tapped)) {
        let last = self.ring.last();
        for number in *seen + 1..=last {
            let Some(entry) = self.ring.get(number) else {
                continue;
            };
            let (Owner::Dialog(hash), Kind::Message { flow, sent }) = (entry.owner, entry.kind) else {
                continue;
            };
            let call = self.dialogs.get(&hash).and_then(|dialog| dialog.calls.last().copied());
            take(Tapped { flow, sent, at: entry.at, call, bytes: self.ring.bytes(entry).to_vec() });
        }
        *seen = last;
    }
}

struct Making<'a> {
    ladder: &'a Ladder,
    clock: WallClock,
    parties: Vec<TraceParty>,
    /// Who is at the end of which leg.
    names: BTreeMap<LegId, String>,
}

impl Making<'_> {
    fn step(&mut self, number: u64) -> Option<TraceStep> {
        let entry = self.ladder.ring.get(number)?;
        let what = match entry.kind {
            Kind::Message { flow, sent } => TraceWhat::Message(self.message(entry, flow, sent)),
            Kind::Note => {
                let note = serde_json::from_slice(self.ladder.ring.bytes(entry)).ok()?;
                if let TraceNote::Event { event: EventKind::LegStarted { leg, party, .. } } = &note {
                    let name = if party.user.is_empty() { &party.display } else { &party.user };
                    self.names.insert(*leg, name.clone());
                }
                TraceWhat::Note(note)
            }
        };
        let Wall(zero) = self.clock.at_zero;
        let since = i64::try_from(entry.at.as_nanos() / 1_000).unwrap_or(i64::MAX);
        Some(TraceStep { at_us: zero.saturating_mul(1_000).saturating_add(since), what })
    }

    fn message(&mut self, entry: &Entry, flow: Flow, sent: bool) -> TraceMessage {
        let raw = self.ladder.ring.bytes(entry);
        let transport = flow.transport.as_str();
        let known = |party: &TraceParty| party.transport == transport && party.address == flow.remote;
        let party = self.parties.iter().position(known).unwrap_or_else(|| {
            let transport = transport.to_owned();
            self.parties.push(TraceParty { transport, address: flow.remote, name: String::new() });
            self.parties.len() - 1
        });
        let mut bytes = raw.to_vec();
        redact(&mut bytes);
        let leg = match entry.owner {
            Owner::Dialog(hash) => self.ladder.dialogs.get(&hash).and_then(|dialog| dialog.leg),
            Owner::Call(_) => None,
        };
        TraceMessage {
            party,
            sent,
            transport: transport.to_owned(),
            local: flow.local,
            remote: flow.remote,
            repeated: self.is_repeated(entry, flow, sent),
            leg,
            call_id: scan::call_id(raw)
                .map(|id| String::from_utf8_lossy(id).into_owned())
                .unwrap_or_default(),
            title: scan::title(raw),
            sdp: scan::has_sdp(raw),
            bytes,
        }
    }

    /// Whether the same bytes went the same way before.
    fn is_repeated(&self, entry: &Entry, flow: Flow, sent: bool) -> bool {
        let ring = &self.ladder.ring;
        let bytes = ring.bytes(entry);
        let mut number = entry.before;
        for _ in 0..REPEATED_WITHIN {
            let Some(before) = ring.get(number) else {
                break;
            };
            let same_way =
                matches!(before.kind, Kind::Message { flow: f, sent: s } if f == flow && s == sent);
            if same_way && ring.bytes(before) == bytes {
                return true;
            }
            number = before.before;
        }
        false
    }
}

/// Gives each far end the name of the party of its first leg that has one.
fn name(view: &mut TraceView, names: &BTreeMap<LegId, String>) {
    for step in &view.steps {
        let TraceWhat::Message(message) = &step.what else {
            continue;
        };
        let found = message.leg.and_then(|leg| names.get(&leg));
        if let (Some(name), Some(party)) = (found, view.parties.get_mut(message.party))
            && party.name.is_empty()
        {
            party.name.clone_from(name);
        }
    }
}
