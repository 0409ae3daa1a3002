//! What a journal says was alive, and what it says was closed.
//!
//! Invariant: a call that was opened is afterwards either in [`Recovered::calls`] or in
//! [`Recovered::closed`], never in both and never in neither.

use super::scan::Damage;
use cordboard_model::callback::{Callback, CallbackId};
use cordboard_model::cdr::{Cdr, RecordingEntry};
use cordboard_model::chat::{ChatRecord, ChatStep};
use cordboard_model::desk::WrapUp;
use cordboard_model::device::AgentDevice;
use cordboard_model::guard::{Bar, Network};
use cordboard_model::id::{AgentId, CallId, IntervalId, LegId, Name, QueueId, RecordingId, TenantId, UserId};
use cordboard_model::journal::{ContactRecord, DialogRecord, JournalRecord};
use cordboard_model::leg::PartyId;
use cordboard_model::record::{AgentInterval, IntervalEnd};
use cordboard_model::signin::SignInRecord;
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How long after its call was closed a dialog may still need a BYE, milliseconds: Timer F, 64*T1
/// (RFC 3261 17.1.2.2). The closing record is written before the last BYE is sent.
pub(crate) const LINGER_MS: i64 = 32_000;
/// Queues of a call that is up that are kept, the last that it entered: its record has no more.
pub(crate) const QUEUES_MAX: usize = 64;

/// What was alive when the journal was last written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Contacts that were registered and not removed, by account and URI. Those that have expired
    /// since are included: see [`Recovered::drop_expired`].
    pub contacts: Vec<ContactRecord>,
    /// The last known state of each agent.
    pub agents: Vec<AgentRecord>,
    /// What agents have chosen to be rung at.
    pub devices: Vec<(AgentId, AgentDevice)>,
    /// What flows had counted; what is forgotten since is included.
    pub counters: Vec<Counted>,
    /// Who talked to which caller last; what is forgotten since is included.
    pub talks: Vec<Talk>,
    /// Calls that programs have had begun under tokens, oldest first; what is forgotten since is included.
    pub asked: Vec<AskedCall>,
    /// Who was kept off the SIP port by somebody; what has ended since is included.
    pub bars: Vec<Bar>,
    /// Rows of tables that were put or removed, in the order of tenants, tables and keys.
    pub rows: Vec<ChangedRow>,
    /// Calls without a closing record: interrupted calls.
    pub calls: Vec<OpenCall>,
    /// Recordings without a closing record: their files end where the switch did.
    pub recordings: Vec<OpenRecording>,
    /// Call records that the database may not have; to be inserted again, by id.
    pub closed: Vec<Cdr>,
    /// Recordings that the database may not have; to be inserted again, by id.
    pub finished: Vec<RecordingEntry>,
    /// Who is to be called back.
    pub callbacks: Vec<Callback>,
    /// Chats that are not over.
    pub chats: Vec<ChatRecord>,
    /// Records of chats that are over and that the database may not have; to be put again, by id.
    pub chats_over: Vec<ChatRecord>,
    /// How agents sign in, and where they are.
    pub sign_ins: Vec<SignInRecord>,
    /// What agents said of calls, in order, that their records in the database may not have yet.
    pub wrap_ups: Vec<(CallId, WrapUp)>,
    /// Stretches of agents' work that were open: see [`super::cut_intervals`].
    pub open_intervals: Vec<AgentInterval>,
    /// Those that were over and that the database may not have; to be inserted again, by id.
    pub intervals: Vec<AgentInterval>,
    /// When the newest record was written: the last moment of which the journal knows. After a compaction that is the newest
    /// of those that were alive.
    pub last: Option<Wall>,
    /// Confirmed dialogs whose call is closed, or was never opened: they need a BYE but no record.
    pub stray_dialogs: Vec<(CallId, LegId, DialogRecord)>,
    /// Parts of the file that are not records and were skipped. An operator should look.
    pub damage: Vec<Damage>,
    /// The end of the file that was cut off: the write during which the switch was killed.
    pub torn: Option<Damage>,
    /// Where the whole damaged file was kept, if anything but a plain tear was skipped.
    pub kept: Option<PathBuf>,
    /// Records of a call that the journal does not know; nothing was lost with them.
    pub strays: u64,
}

/// The last known state of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRecord {
    /// Who.
    pub agent: AgentId,
    /// What he was; what he asked for, if he was in a call and is not to be ready after it.
    pub status: AgentStatus,
    /// The reason that was given for it.
    pub reason: Option<String>,
    /// How long his break may be, if that was said; milliseconds.
    pub limit_ms: Option<u64>,
    /// Since when.
    pub since: Wall,
}

/// What a flow had counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// For whom.
    pub tenant: TenantId,
    /// What.
    pub name: String,
    /// How much.
    pub value: i64,
    /// When it is forgotten.
    pub ends: Wall,
}

/// Who talked to a caller last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// Who.
    pub agent: AgentId,
    /// The caller's number.
    pub caller: String,
    /// When it was over.
    pub at: Wall,
    /// When it is forgotten.
    pub ends: Wall,
}

/// A call that a program has had begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedCall {
    /// The call.
    pub call: CallId,
    /// Under which token.
    pub token: String,
    /// When that is forgotten.
    pub ends: Wall,
}

/// A row of a table that does not stand as in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedRow {
    /// Whose.
    pub tenant: TenantId,
    /// Of which table.
    pub table: Name,
    /// Which.
    pub key: String,
    /// The cells by the names of their columns; removed if none.
    pub cells: Option<BTreeMap<String, String>>,
}

/// An interrupted call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// The call.
    pub call: CallId,
    /// Who called; empty if the opening record was damaged.
    pub from: PartyId,
    /// What was dialled; empty if the opening record was damaged.
    pub to: PartyId,
    /// When it came; the start of the switch if the opening record was damaged.
    pub started: Wall,
    /// Legs that had a confirmed dialog, in the order of their confirmation.
    pub legs: Vec<OpenLeg>,
    /// Queues it entered, in order.
    pub queues: Vec<QueueEntry>,
}

/// A leg of an interrupted call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLeg {
    /// The leg.
    pub leg: LegId,
    /// How to end it.
    pub dialog: DialogRecord,
    /// The agent at its end.
    pub agent: Option<AgentId>,
    /// When its dialog was confirmed.
    pub up: Wall,
    /// When its dialog ended, if it had ended before the switch did.
    pub down: Option<Wall>,
}

/// An entry into a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// Which queue.
    pub queue: QueueId,
    /// When.
    pub at: Wall,
    /// The agent who consulted it, if one did.
    pub by: Option<AgentId>,
}

/// A recording without a closing record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecording {
    /// The recording.
    pub recording: RecordingId,
    /// Its call.
    pub call: CallId,
    /// When it began.
    pub started: Wall,
}

impl OpenCall {
    fn new(call: CallId) -> Self {
        Self {
            call,
            from: PartyId::default(),
            to: PartyId::default(),
            started: Wall(i64::from(call.start) * 1_000),
            legs: Vec::new(),
            queues: Vec::new(),
        }
    }

    /// The queue it was waiting in: it entered one, and no agent answered since.
    pub fn waiting_in(&self) -> Option<&QueueEntry> {
        let last = self.queues.last()?;
        let served = |leg: &OpenLeg| leg.agent.is_some() && leg.up >= last.at;
        (!self.legs.iter().any(served)).then_some(last)
    }

    /// The agent who talked last.
    pub fn agent(&self) -> Option<&AgentId> {
        self.legs.iter().rev().find_map(|leg| leg.agent.as_ref())
    }
}

impl Recovered {
    /// Every dialog that needs a BYE, with its call and leg.
    pub fn dialogs(&self) -> impl Iterator<Item = (CallId, LegId, &DialogRecord)> {
        let open = self.calls.iter().flat_map(|call| {
            let up = call.legs.iter().filter(|leg| leg.down.is_none());
            up.map(|leg| (call.call, leg.leg, &leg.dialog))
        });
        let stray = self.stray_dialogs.iter().map(|(c, l, d)| (*c, *l, d));
        open.chain(stray)
    }

    /// Calls that were waiting in a queue, in the order in which they entered it.
    pub fn waiting(&self) -> Vec<(&OpenCall, &QueueEntry)> {
        let entry = |call| OpenCall::waiting_in(call).map(|entry| (call, entry));
        let mut waiting: Vec<_> = self.calls.iter().filter_map(entry).collect();
        waiting.sort_by_key(|(call, entry)| (entry.at, call.call));
        waiting
    }

    /// Removes the contacts that ended at or before `now`, and gives them back: the caller journals
    /// each as `Unregistered`.
    pub fn drop_expired(&mut self, now: Wall) -> Vec<ContactRecord> {
        let (ended, alive) = core::mem::take(&mut self.contacts).into_iter().partition(|c| c.expires <= now);
        self.contacts = alive;
        ended
    }
}

/// The fold itself: fed with every record in order, then finished.
#[derive(Debug, Default)]
pub(crate) struct Fold {
    contacts: BTreeMap<(UserId, String), ContactRecord>,
    agents: BTreeMap<AgentId, AgentRecord>,
    /// What agents who are in a call will be after it.
    wishes: BTreeMap<AgentId, AgentStatus>,
    devices: BTreeMap<AgentId, AgentDevice>,
    counters: BTreeMap<(TenantId, String), Counted>,
    talks: BTreeMap<(TenantId, String), Talk>,
    asked: BTreeMap<(TenantId, String), AskedCall>,
    bars: BTreeMap<Network, Bar>,
    rows: BTreeMap<(TenantId, Name, String), ChangedRow>,
    /// Calls with an opening record and none that closes them.
    open: BTreeMap<CallId, OpenCall>,
    /// Calls seen without an opening record so far.
    unopened: BTreeMap<CallId, OpenCall>,
    closed: BTreeMap<CallId, Closed>,
    order: Vec<CallId>,
    recordings: BTreeMap<RecordingId, OpenRecording>,
    finished: BTreeMap<RecordingId, RecordingEntry>,
    callbacks: BTreeMap<CallbackId, Callback>,
    chats: BTreeMap<CallId, ChatRecord>,
    chats_over: BTreeMap<CallId, ChatRecord>,
    sign_ins: BTreeMap<AgentId, SignInRecord>,
    wrap_ups: Vec<(CallId, WrapUp)>,
    open_intervals: BTreeMap<IntervalId, AgentInterval>,
    intervals: BTreeMap<IntervalId, AgentInterval>,
    newest: Option<Wall>,
    strays: u64,
}

/// A closed call, with what a BYE would need.
#[derive(Debug)]
struct Closed {
    cdr: Cdr,
    at: Wall,
    legs: Vec<OpenLeg>,
}

impl Fold {
    /// Takes the next record, which was written at `at`.
    pub(crate) fn take(&mut self, at: Wall, record: JournalRecord) {
        self.newest = self.newest.max(Some(at));
        match record {
            JournalRecord::CallOpened { call, from, to, started } => self.opened(call, from, to, started),
            JournalRecord::DialogUp { call, leg, dialog, agent } => {
                let legs = self.legs(call);
                legs.retain(|known| known.leg != leg);
                legs.push(OpenLeg { leg, dialog, agent, up: at, down: None });
            }
            JournalRecord::DialogDown { call, leg } => self.dialog_down(at, call, leg),
            JournalRecord::Queued { call, queue, at, by } => self.queued(call, QueueEntry { queue, at, by }),
            JournalRecord::RecordingOpened { recording, call, started } => {
                if !self.finished.contains_key(&recording) {
                    let open = OpenRecording { recording, call, started };
                    self.recordings.insert(recording, open);
                }
            }
            JournalRecord::RecordingClosed(entry) => {
                self.recordings.remove(&entry.recording);
                self.finished.insert(entry.recording, entry);
            }
            JournalRecord::CallClosed(cdr) => self.call_closed(at, *cdr),
            JournalRecord::WrappedUp { call, said } => self.wrap_ups.push((call, said)),
            JournalRecord::Callback(entry) => {
                self.callbacks.insert(entry.id.clone(), *entry);
            }
            JournalRecord::CallbackDone { id } => {
                self.callbacks.remove(&id);
            }
            JournalRecord::Registered(contact) => {
                let key = (contact.user.clone(), contact.uri.clone());
                self.contacts.insert(key, contact);
            }
            JournalRecord::Unregistered { user, uri } => {
                self.contacts.remove(&(user, uri));
            }
            kept @ (JournalRecord::Counted { .. }
            | JournalRecord::Talked { .. }
            | JournalRecord::CallAsked { .. }
            | JournalRecord::Barred(_)
            | JournalRecord::Unbarred { .. }) => self.kept_for_a_time(kept),
            JournalRecord::TableRow { tenant, table, key, cells, hides } => {
                self.row(ChangedRow { tenant, table, key, cells }, hides);
            }
            JournalRecord::AgentInterval(interval) => self.interval(*interval),
            JournalRecord::Agent { agent, status, reason, limit_ms, since } => {
                if !status.is_of_a_call() {
                    self.wishes.remove(&agent);
                }
                let record = AgentRecord { agent: agent.clone(), status, reason, limit_ms, since };
                self.agents.insert(agent, record);
            }
            JournalRecord::AgentWish { agent, wish } => {
                self.wishes.insert(agent, wish);
            }
            JournalRecord::AgentDevice { agent, device } => match device {
                Some(device) => _ = self.devices.insert(agent, device),
                None => _ = self.devices.remove(&agent),
            },
            JournalRecord::ChatOpened(record) => self.chat_opened(*record),
            JournalRecord::ChatStep { chat, step } => self.chat_step(chat, *step),
            JournalRecord::ChatClosed(record) => self.chat_closed(*record),
            JournalRecord::SignIn(record) => {
                self.sign_ins.insert(record.agent.clone(), *record);
            }
        }
    }

    fn row(&mut self, row: ChangedRow, hides: bool) {
        let which = (row.tenant, row.table.clone(), row.key.clone());
        match row.cells.is_some() || hides {
            true => _ = self.rows.insert(which, row),
            false => _ = self.rows.remove(&which),
        }
    }

    fn chat_opened(&mut self, record: ChatRecord) {
        if !self.chats_over.contains_key(&record.chat) {
            self.chats.insert(record.chat, record);
        }
    }

    fn chat_step(&mut self, chat: CallId, step: ChatStep) {
        match self.chats.get_mut(&chat) {
            Some(record) => record.take(step),
            None => self.strays += 1,
        }
    }

    fn chat_closed(&mut self, record: ChatRecord) {
        self.chats.remove(&record.chat);
        self.chats_over.insert(record.chat, record);
    }

    /// A stretch begins, or is over. The first record of its end stands.
    fn interval(&mut self, interval: AgentInterval) {
        let over = self.intervals.contains_key(&interval.id);
        if interval.end == IntervalEnd::Open && !over {
            self.open_intervals.insert(interval.id, interval);
        } else if interval.end != IntervalEnd::Open {
            self.open_intervals.remove(&interval.id);
            self.intervals.entry(interval.id).or_insert(interval);
        }
    }

    fn opened(&mut self, call: CallId, from: PartyId, to: PartyId, started: Wall) {
        if self.closed.contains_key(&call) || self.open.contains_key(&call) {
            self.strays += 1;
            return;
        }
        // A callee's dialog may be confirmed before the caller is answered.
        let known = self.unopened.remove(&call);
        let known = known.unwrap_or_else(|| OpenCall::new(call));
        let open = OpenCall { from, to, started, ..known };
        self.open.insert(call, open);
    }

    fn call_closed(&mut self, at: Wall, cdr: Cdr) {
        let call = cdr.call;
        let open = self.open.remove(&call);
        let open = open.or_else(|| self.unopened.remove(&call));
        if self.closed.contains_key(&call) {
            // The first closing record stands.
            self.strays += 1;
            return;
        }
        let legs = open.map(|open| open.legs).unwrap_or_default();
        self.closed.insert(call, Closed { cdr, at, legs });
        self.order.push(call);
    }

    /// Takes what is forgotten by itself.
    fn kept_for_a_time(&mut self, record: JournalRecord) {
        match record {
            JournalRecord::Counted { tenant, name, value, ends } => {
                let counted = Counted { tenant, name: name.clone(), value, ends };
                self.counters.insert((tenant, name), counted);
            }
            JournalRecord::Talked { agent, caller, at, ends } => {
                let key = (agent.tenant, caller.clone());
                self.talks.insert(key, Talk { agent, caller, at, ends });
            }
            JournalRecord::CallAsked { call, token, ends } => {
                self.asked.insert((call.tenant, token.clone()), AskedCall { call, token, ends });
            }
            JournalRecord::Barred(bar) => _ = self.bars.insert(bar.source, *bar),
            JournalRecord::Unbarred { source } => _ = self.bars.remove(&source),
            _ => {}
        }
    }

    fn queued(&mut self, call: CallId, entry: QueueEntry) {
        if self.closed.contains_key(&call) {
            self.strays += 1;
            return;
        }
        let open = match self.open.get_mut(&call) {
            Some(open) => open,
            None => self.unopened.entry(call).or_insert_with(|| OpenCall::new(call)),
        };
        if open.queues.len() >= QUEUES_MAX {
            open.queues.remove(0);
        }
        open.queues.push(entry);
    }

    fn legs(&mut self, call: CallId) -> &mut Vec<OpenLeg> {
        if let Some(closed) = self.closed.get_mut(&call) {
            return &mut closed.legs;
        }
        if let Some(open) = self.open.get_mut(&call) {
            return &mut open.legs;
        }
        let open = self.unopened.entry(call);
        &mut open.or_insert_with(|| OpenCall::new(call)).legs
    }

    fn dialog_down(&mut self, at: Wall, call: CallId, leg: LegId) {
        let known = self.closed.contains_key(&call)
            || self.open.contains_key(&call)
            || self.unopened.contains_key(&call);
        if !known {
            self.strays += 1;
            return;
        }
        let legs = self.legs(call);
        if let Some(known) = legs.iter_mut().find(|known| known.leg == leg) {
            known.down.get_or_insert(at);
        }
    }

    /// What is known at the end. Where the file is damaged, a call without an opening record may
    /// have had one: it counts as interrupted, and the database keeps the record it has, if any.
    pub(crate) fn finish(mut self, damage: Vec<Damage>, torn: Option<Damage>) -> Recovered {
        let newest = self.newest.unwrap_or_default();
        // The calls are over: whoever asked for a break meanwhile has it since then.
        for (agent, wish) in core::mem::take(&mut self.wishes) {
            if let Some(record) = self.agents.get_mut(&agent) {
                (record.status, record.since) = (wish, newest);
            }
        }
        let mut stray_dialogs = Vec::new();
        let mut strays = self.strays;
        let mut stray = |call: CallId, legs: Vec<OpenLeg>| {
            let up = legs.into_iter().filter(|leg| leg.down.is_none());
            stray_dialogs.extend(up.map(|leg| (call, leg.leg, leg.dialog)));
        };
        for (call, open) in core::mem::take(&mut self.unopened) {
            if damage.is_empty() {
                strays += open.queues.len() as u64;
                stray(call, open.legs);
            } else {
                self.open.insert(call, open);
            }
        }
        let mut closed = Vec::with_capacity(self.order.len());
        for call in self.order {
            let Some(ended) = self.closed.remove(&call) else {
                continue;
            };
            if newest.0.saturating_sub(ended.at.0) < LINGER_MS {
                stray(call, ended.legs);
            }
            closed.push(ended.cdr);
        }
        let mut asked: Vec<AskedCall> = self.asked.into_values().collect();
        asked.sort_by_key(|asked| (asked.ends, asked.call));
        Recovered {
            contacts: self.contacts.into_values().collect(),
            agents: self.agents.into_values().collect(),
            devices: self.devices.into_iter().collect(),
            counters: self.counters.into_values().collect(),
            talks: self.talks.into_values().collect(),
            asked,
            bars: self.bars.into_values().collect(),
            rows: self.rows.into_values().collect(),
            calls: self.open.into_values().collect(),
            recordings: self.recordings.into_values().collect(),
            closed,
            finished: self.finished.into_values().collect(),
            callbacks: self.callbacks.into_values().collect(),
            chats: self.chats.into_values().collect(),
            chats_over: self.chats_over.into_values().collect(),
            sign_ins: self.sign_ins.into_values().collect(),
            wrap_ups: self.wrap_ups,
            open_intervals: self.open_intervals.into_values().collect(),
            intervals: self.intervals.into_values().collect(),
            last: self.newest,
            stray_dialogs,
            damage,
            torn,
            kept: None,
            strays,
        }
    }
}
