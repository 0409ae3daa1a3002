//! Where in the file the records stand that a compaction must carry over.
//!
//! Positions only: a live call costs the writer some dozens of bytes, not a second copy of its state.

use super::fold::{LINGER_MS, QUEUES_MAX};
use cordboard_model::callback::CallbackId;
use cordboard_model::guard::Network;
use cordboard_model::id::{AgentId, CallId, IntervalId, LegId, Name, RecordingId, TenantId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::record::IntervalEnd;
use cordboard_model::time::Wall;
use std::collections::{BTreeMap, VecDeque};

/// One line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) length: u32,
}

/// The lines that are alive.
#[derive(Debug, Default)]
pub(crate) struct Index {
    contacts: BTreeMap<(UserId, String), Place>,
    agents: BTreeMap<AgentId, Place>,
    wishes: BTreeMap<AgentId, Place>,
    devices: BTreeMap<AgentId, Place>,
    /// With the time at which each is forgotten.
    counters: BTreeMap<(TenantId, String), (Wall, Place)>,
    talks: BTreeMap<(TenantId, String), (Wall, Place)>,
    asked: BTreeMap<(TenantId, String), (Wall, Place)>,
    bars: BTreeMap<Network, (Wall, Place)>,
    rows: BTreeMap<(TenantId, Name, String), Place>,
    callbacks: BTreeMap<CallbackId, Place>,
    sign_ins: BTreeMap<AgentId, Place>,
    /// All lines of each chat that is not over.
    chats: BTreeMap<CallId, Vec<Place>>,
    /// Records of those that are over and that the database has not confirmed, with their versions.
    unstored_chats: BTreeMap<CallId, (u32, Place)>,
    newest: Wall,
    calls: BTreeMap<CallId, CallLines>,
    /// Closed calls some of whose dialogs may still need a BYE, with the time of the closing.
    lingering: VecDeque<(Wall, CallId)>,
    recordings: BTreeMap<RecordingId, Place>,
    /// Closing records the database has not confirmed.
    unstored_calls: BTreeMap<CallId, Place>,
    unstored_recordings: BTreeMap<RecordingId, Place>,
    /// What agents said of calls that were closed.
    unstored_wrap_ups: BTreeMap<(CallId, Wall), Place>,
    /// Stretches of agents' work that go on.
    intervals: BTreeMap<IntervalId, Place>,
    /// Those that are over and that the database has not confirmed.
    unstored_intervals: BTreeMap<IntervalId, Place>,
}

/// The lines of one call.
#[derive(Debug, Default)]
struct CallLines {
    /// In order; a dialog's lines name its leg.
    lines: Vec<(Option<LegId>, Place)>,
    /// The last queues that it entered.
    queues: VecDeque<Place>,
    /// What each agent said of it last.
    said: BTreeMap<AgentId, Place>,
    /// Dialogs that are up.
    up: Vec<LegId>,
    opened: bool,
    closed: bool,
}

impl Index {
    /// Takes what is forgotten by itself.
    fn kept_for_a_time(&mut self, place: Place, record: &JournalRecord) {
        match record {
            JournalRecord::Counted { tenant, name, ends, .. } => {
                self.counters.insert((*tenant, name.clone()), (*ends, place));
            }
            JournalRecord::Talked { agent, caller, ends, .. } => {
                self.talks.insert((agent.tenant, caller.clone()), (*ends, place));
            }
            JournalRecord::CallAsked { call, token, ends } => {
                self.asked.insert((call.tenant, token.clone()), (*ends, place));
            }
            JournalRecord::Barred(bar) => _ = self.bars.insert(bar.source, (bar.until, place)),
            JournalRecord::Unbarred { source } => _ = self.bars.remove(source),
            _ => {}
        }
    }

    /// Takes the record written at `place` in the moment `at`.
    pub(crate) fn take(&mut self, place: Place, at: Wall, record: &JournalRecord) {
        self.forget_lingering(at);
        self.newest = self.newest.max(at);
        match record {
            JournalRecord::CallOpened { call, .. } => self.opened(place, *call),
            JournalRecord::Queued { call, .. } => self.queued(place, *call),
            JournalRecord::Callback(entry) => {
                self.callbacks.insert(entry.id.clone(), place);
            }
            JournalRecord::CallbackDone { id } => {
                self.callbacks.remove(id);
            }
            JournalRecord::WrappedUp { call, said } => match self.calls.get_mut(call) {
                // of a call that is up it goes into the record, which is in the journal then: each one's last word
                Some(lines) if lines.opened && !lines.closed => {
                    lines.said.insert(said.agent.clone(), place);
                }
                _ => {
                    self.unstored_wrap_ups.insert((*call, said.at), place);
                }
            },
            JournalRecord::DialogUp { call, leg, .. } => self.dialog_up(place, at, *call, *leg),
            JournalRecord::DialogDown { call, leg } => self.dialog_down(place, *call, *leg),
            JournalRecord::RecordingOpened { recording, .. } => {
                if !self.unstored_recordings.contains_key(recording) {
                    self.recordings.insert(*recording, place);
                }
            }
            JournalRecord::RecordingClosed(entry) => {
                self.recordings.remove(&entry.recording);
                self.unstored_recordings.insert(entry.recording, place);
            }
            JournalRecord::CallClosed(cdr) => self.call_closed(place, at, cdr.call),
            JournalRecord::Registered(contact) => {
                let key = (contact.user.clone(), contact.uri.clone());
                self.contacts.insert(key, place);
            }
            JournalRecord::Unregistered { user, uri } => {
                self.contacts.remove(&(user.clone(), uri.clone()));
            }
            JournalRecord::Counted { .. }
            | JournalRecord::Talked { .. }
            | JournalRecord::CallAsked { .. }
            | JournalRecord::Barred(_)
            | JournalRecord::Unbarred { .. } => {
                self.kept_for_a_time(place, record);
            }
            JournalRecord::TableRow { tenant, table, key, cells, hides } => {
                let row = (*tenant, table.clone(), key.clone());
                self.row(place, row, cells.is_some() || *hides);
            }
            JournalRecord::AgentInterval(interval) => {
                self.interval(place, interval.id, interval.end == IntervalEnd::Open);
            }
            JournalRecord::Agent { agent, status, .. } => {
                if !status.is_of_a_call() {
                    self.wishes.remove(agent);
                }
                self.agents.insert(agent.clone(), place);
            }
            JournalRecord::AgentWish { agent, .. } => {
                self.wishes.insert(agent.clone(), place);
            }
            JournalRecord::AgentDevice { agent, device } => self.device(place, agent, device.is_some()),
            JournalRecord::SignIn(record) => self.sign_in(place, record.agent.clone()),
            JournalRecord::ChatOpened(_) | JournalRecord::ChatStep { .. } | JournalRecord::ChatClosed(_) => {
                self.chat(place, record)
            }
        }
    }

    /// A row that does not stand as in its file, or does again.
    fn row(&mut self, place: Place, row: (TenantId, Name, String), differs: bool) {
        match differs {
            true => _ = self.rows.insert(row, place),
            false => _ = self.rows.remove(&row),
        }
    }

    /// A line of a chat.
    fn chat(&mut self, place: Place, record: &JournalRecord) {
        match record {
            JournalRecord::ChatOpened(record) if !self.unstored_chats.contains_key(&record.chat) => {
                self.chats.insert(record.chat, vec![place]);
            }
            JournalRecord::ChatStep { chat, .. } => {
                if let Some(lines) = self.chats.get_mut(chat) {
                    lines.push(place);
                }
            }
            JournalRecord::ChatClosed(record) => {
                self.chats.remove(&record.chat);
                self.unstored_chats.insert(record.chat, (record.version, place));
            }
            _ => {}
        }
    }

    /// The newest counts.
    fn sign_in(&mut self, place: Place, agent: AgentId) {
        self.sign_ins.insert(agent, place);
    }

    /// What he is rung at, until that is the usual again.
    fn device(&mut self, place: Place, agent: &AgentId, chosen: bool) {
        if chosen {
            self.devices.insert(agent.clone(), place);
        } else {
            self.devices.remove(agent);
        }
    }

    fn opened(&mut self, place: Place, call: CallId) {
        if !self.unstored_calls.contains_key(&call) {
            let lines = self.call(call);
            lines.opened = true;
            lines.lines.push((None, place));
        }
    }

    fn queued(&mut self, place: Place, call: CallId) {
        if self.unstored_calls.contains_key(&call) {
            return;
        }
        let queues = &mut self.call(call).queues;
        if queues.len() >= QUEUES_MAX {
            queues.pop_front();
        }
        queues.push_back(place);
    }

    fn dialog_up(&mut self, place: Place, at: Wall, call: CallId, leg: LegId) {
        let late = self.unstored_calls.contains_key(&call);
        let lines = self.call(call);
        lines.up.retain(|known| *known != leg);
        lines.up.push(leg);
        lines.lines.push((Some(leg), place));
        if late && !lines.closed {
            lines.closed = true;
            self.lingering.push_back((at, call));
        }
    }

    /// A stretch of an agent's work, which goes on or is over.
    fn interval(&mut self, place: Place, id: IntervalId, is_open: bool) {
        let over = self.unstored_intervals.contains_key(&id);
        if is_open && !over {
            self.intervals.insert(id, place);
        } else if !is_open {
            self.intervals.remove(&id);
            self.unstored_intervals.entry(id).or_insert(place);
        }
    }

    fn call(&mut self, call: CallId) -> &mut CallLines {
        self.calls.entry(call).or_default()
    }

    fn dialog_down(&mut self, place: Place, call: CallId, leg: LegId) {
        let Some(lines) = self.calls.get_mut(&call) else {
            return;
        };
        lines.up.retain(|known| *known != leg);
        if lines.opened && !lines.closed {
            lines.lines.push((Some(leg), place));
        } else if lines.up.is_empty() {
            self.calls.remove(&call);
        } else {
            lines.lines.retain(|(of, _)| *of != Some(leg));
        }
    }

    fn call_closed(&mut self, place: Place, at: Wall, call: CallId) {
        // The first closing record stands.
        self.unstored_calls.entry(call).or_insert(place);
        let Some(lines) = self.calls.get_mut(&call) else {
            return;
        };
        if lines.up.is_empty() {
            self.calls.remove(&call);
            return;
        }
        lines.queues.clear();
        lines.said.clear();
        let up = core::mem::take(&mut lines.up);
        lines.lines.retain(|(leg, _)| leg.is_some_and(|leg| up.contains(&leg)));
        lines.up = up;
        if !core::mem::replace(&mut lines.closed, true) {
            self.lingering.push_back((at, call));
        }
    }

    fn forget_lingering(&mut self, now: Wall) {
        while let Some((at, call)) = self.lingering.front().copied() {
            if now.0.saturating_sub(at.0) < LINGER_MS {
                break;
            }
            self.lingering.pop_front();
            if self.calls.get(&call).is_some_and(|lines| lines.closed) {
                self.calls.remove(&call);
            }
        }
    }

    /// The database has the call's record.
    pub(crate) fn call_stored(&mut self, call: CallId) {
        self.unstored_calls.remove(&call);
    }

    /// The database has the recording's entry.
    pub(crate) fn recording_stored(&mut self, recording: RecordingId) {
        self.unstored_recordings.remove(&recording);
    }

    /// The database has the stretch of an agent's work.
    pub(crate) fn interval_stored(&mut self, interval: IntervalId) {
        self.unstored_intervals.remove(&interval);
    }

    /// The database has this record of the chat.
    pub(crate) fn chat_stored(&mut self, chat: CallId, version: u32) {
        if self.unstored_chats.get(&chat).is_some_and(|(newest, _)| *newest <= version) {
            self.unstored_chats.remove(&chat);
        }
    }

    /// The database has what was said of the call at that moment.
    pub(crate) fn wrap_up_stored(&mut self, call: CallId, at: Wall) {
        self.unstored_wrap_ups.remove(&(call, at));
    }

    /// Closing records, and what was said after them, that the database has not confirmed.
    pub(crate) fn unstored(&self) -> usize {
        let calls = self.unstored_calls.len() + self.unstored_wrap_ups.len();
        calls + self.unstored_recordings.len() + self.unstored_intervals.len() + self.unstored_chats.len()
    }

    fn places_mut(&mut self) -> Vec<&mut Place> {
        let mut all: Vec<&mut Place> = Vec::new();
        all.extend(self.contacts.values_mut());
        all.extend(self.agents.values_mut());
        all.extend(self.wishes.values_mut());
        all.extend(self.devices.values_mut());
        all.extend(self.counters.values_mut().map(|(_, place)| place));
        all.extend(self.talks.values_mut().map(|(_, place)| place));
        all.extend(self.asked.values_mut().map(|(_, place)| place));
        all.extend(self.bars.values_mut().map(|(_, place)| place));
        all.extend(self.rows.values_mut());
        all.extend(self.callbacks.values_mut());
        all.extend(self.sign_ins.values_mut());
        all.extend(self.chats.values_mut().flatten());
        all.extend(self.unstored_chats.values_mut().map(|(_, place)| place));
        for call in self.calls.values_mut() {
            all.extend(call.lines.iter_mut().map(|(_, place)| place));
            all.extend(call.queues.iter_mut().chain(call.said.values_mut()));
        }
        all.extend(self.recordings.values_mut());
        all.extend(self.unstored_calls.values_mut());
        all.extend(self.unstored_recordings.values_mut());
        all.extend(self.unstored_wrap_ups.values_mut());
        all.extend(self.intervals.values_mut());
        all.extend(self.unstored_intervals.values_mut());
        all.sort();
        all
    }

    /// Every line that is alive, in the order of the file.
    pub(crate) fn places(&mut self) -> Vec<Place> {
        let newest = self.newest;
        self.counters.retain(|_, (ends, _)| *ends > newest);
        self.talks.retain(|_, (ends, _)| *ends > newest);
        self.asked.retain(|_, (ends, _)| *ends > newest);
        self.bars.retain(|_, (ends, _)| *ends > newest);
        self.places_mut().into_iter().map(|p| *p).collect()
    }

    /// Says that the live lines now stand one after the other from `begin` on.
    pub(crate) fn moved(&mut self, begin: u64) {
        let mut offset = begin;
        for place in self.places_mut() {
            place.offset = offset;
            offset += u64::from(place.length);
        }
    }
}
