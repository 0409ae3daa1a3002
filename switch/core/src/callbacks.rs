//! Those who are to be called back.
//!
//! Invariant: what changes here is written to the journal, and taken back from it at the next start.

use crate::shard::Shard;
use cordboard_model::callback::{
    CALLBACK_NOTE_MAX, CALLBACK_NUMBER_MAX, CALLBACKS_MAX, Callback, CallbackChange, CallbackId,
    CallbackState, NewCallback,
};
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::desk::DeskFault;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, Name, QueueId, TenantId};
use cordboard_model::journal::JournalRecord;
use std::collections::{BTreeMap, BTreeSet};

/// Why an entry is not put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackRefused {
    /// The tenant has [`CALLBACKS_MAX`].
    Full,
    /// The number is empty or too long, or the note is too long.
    TooLarge,
    /// The tenant has no such queue.
    NoSuchQueue,
    /// Its agents may not call that number.
    NotDialable,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    entries: BTreeMap<CallbackId, Callback>,
    /// Those who have a place, by their queue and number.
    placed: BTreeMap<(QueueId, String), BTreeSet<CallbackId>>,
    counts: BTreeMap<TenantId, usize>,
    /// Whose list is nearly full, as was told.
    warned: BTreeSet<TenantId>,
    given: u64,
}

impl Callbacks {
    /// Takes an entry back from the journal, or as it is from now on.
    pub(crate) fn restore(&mut self, entry: Callback) {
        self.remove(&entry.id);
        *self.counts.entry(entry.id.tenant).or_default() += 1;
        if let Some(place) = place_of(&entry) {
            self.placed.entry(place).or_default().insert(entry.id.clone());
        }
        self.entries.insert(entry.id.clone(), entry);
    }

    fn remove(&mut self, id: &CallbackId) {
        let Some(entry) = self.entries.remove(id) else { return };
        if let Some(count) = self.counts.get_mut(&id.tenant) {
            *count = count.saturating_sub(1);
        }
        if let Some(place) = place_of(&entry)
            && let Some(ids) = self.placed.get_mut(&place)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.placed.remove(&place);
            }
        }
    }

    pub(crate) fn count(&self, tenant: TenantId) -> usize {
        self.counts.get(&tenant).copied().unwrap_or(0)
    }

    /// Those who have a place in a queue by this number.
    pub(crate) fn at(&self, queue: &QueueId, number: &str) -> impl Iterator<Item = &Callback> {
        let ids = self.placed.get(&(queue.clone(), number.to_owned()));
        ids.into_iter().flatten().filter_map(|id| self.entries.get(id))
    }

    pub(crate) fn get(&self, id: &CallbackId) -> Option<&Callback> {
        self.entries.get(id)
    }

    /// Those of all tenants.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Callback> {
        self.entries.values()
    }

    /// An id that was never given, by a switch that began at `start`.
    pub(crate) fn new_id(&mut self, start: u32, tenant: TenantId) -> Option<CallbackId> {
        self.given += 1;
        let name = Name::new(&format!("{start:x}-{}", self.given)).ok()?;
        Some(CallbackId { tenant, name })
    }
}

/// Where an entry is found by its number.
fn place_of(entry: &Callback) -> Option<(QueueId, String)> {
    entry.kept.as_ref()?;
    Some((entry.queue.clone()?, entry.number.clone()))
}

impl Shard {
    /// Who is to be called back for a tenant, the longest waiting first: a page of the list.
    pub fn callbacks(&self, tenant: TenantId, page: &CallbackPage) -> Vec<Callback> {
        let fits = |entry: &&Callback| entry.id.tenant == tenant && page.has(entry);
        let mut entries: Vec<&Callback> = self.callbacks.entries.values().filter(fits).collect();
        entries.sort_by_key(|entry| (entry.since, &entry.id.name));
        // notes are long: only those of the page are copied
        entries.into_iter().take(page.limit).cloned().collect()
    }

    /// Puts an entry on the list.
    ///
    /// # Errors
    /// See [`CallbackRefused`]; nothing is changed then.
    pub fn put_callback(&mut self, tenant: TenantId, new: NewCallback) -> Result<Callback, CallbackRefused> {
        let NewCallback { number, queue, note, by } = new;
        let fits = (1..=CALLBACK_NUMBER_MAX).contains(&number.len()) && note.len() <= CALLBACK_NOTE_MAX;
        if !fits {
            return Err(CallbackRefused::TooLarge);
        }
        if queue.as_ref().is_some_and(|queue| self.snapshot.queue(queue).is_none()) {
            return Err(CallbackRefused::NoSuchQueue);
        }
        if self.callbacks.count(tenant) >= CALLBACKS_MAX {
            return Err(CallbackRefused::Full);
        }
        let id = self.callbacks.new_id(self.config.start_secs, tenant).ok_or(CallbackRefused::TooLarge)?;
        let entry = Callback {
            id,
            number,
            since: self.wall.at(self.now),
            queue,
            note,
            attempts: 0,
            last_attempt: None,
            last_call: None,
            taken_by: None,
            by: by.to_string(),
            state: CallbackState::Listed,
            outcome: String::new(),
            kept: None,
        };
        self.keep_callback(None, entry.clone(), CallbackChange::Put, &entry.by);
        Ok(entry)
    }

    /// An entry is so from now on. `ticket`: what waits until the journal has it.
    pub(crate) fn keep_callback(
        &mut self,
        ticket: Option<u64>,
        entry: Callback,
        change: CallbackChange,
        by: &str,
    ) {
        let id = entry.id.clone();
        let by = by.to_owned();
        match change {
            CallbackChange::Done | CallbackChange::Forgotten => {
                self.callbacks.remove(&id);
                self.journal(ticket, JournalRecord::CallbackDone { id: id.clone() });
            }
            _ => {
                self.callbacks.restore(entry.clone());
                self.journal(ticket, JournalRecord::Callback(Box::new(entry.clone())));
            }
        }
        self.event(id.tenant, EventKind::CallbackChanged { callback: Box::new(entry), change, by });
        self.warn_of_list(id.tenant);
    }

    /// Somebody should look at a list before it is full: callers can be told no other way then.
    fn warn_of_list(&mut self, tenant: TenantId) {
        let count = self.callbacks.count(tenant);
        if count < CALLBACKS_MAX / 2 {
            self.callbacks.warned.remove(&tenant);
        } else if count >= CALLBACKS_MAX / 5 * 4 && self.callbacks.warned.insert(tenant) {
            let code = "callbacks_nearly_full".to_owned();
            let text = format!(
                "{count} of at most {CALLBACKS_MAX} entries stand on the list of call-backs of tenant {tenant}; when it is \
                 full no caller is called back. Take off those that are undone, or shorten callback_keep"
            );
            self.event(tenant, EventKind::Alarm { code, text });
        }
    }

    /// An entry that this agent has, or may have.
    pub(crate) fn callback_for(&self, agent: &AgentId, id: &CallbackId) -> Result<Callback, DeskFault> {
        let entry = self.callbacks.entries.get(id).ok_or(DeskFault::NoSuchCallback)?;
        match &entry.taken_by {
            Some(other) if other != agent => Err(DeskFault::CallbackTaken),
            None if entry.state == CallbackState::Calling => Err(DeskFault::CallbackTaken),
            _ => Ok(entry.clone()),
        }
    }

    /// He takes it, gives it back, or says that it is done.
    pub(crate) fn change_callback(
        &mut self,
        agent: &AgentId,
        id: &CallbackId,
        change: CallbackChange,
        by: &str,
    ) -> Result<(), DeskFault> {
        let mut entry = self.callback_for(agent, id)?;
        match change {
            CallbackChange::Taken => entry.taken_by = Some(agent.clone()),
            _ if entry.taken_by.is_none() => return Err(DeskFault::CallbackNotTaken),
            CallbackChange::GivenBack => entry.taken_by = None,
            _ => {}
        }
        self.keep_callback(None, entry, change, by);
        self.settle_place(id);
        Ok(())
    }

    /// It is called by who has taken it.
    pub(crate) fn note_attempt(&mut self, agent: &AgentId, id: &CallbackId, call: CallId, by: &str) {
        if let Ok(mut entry) = self.callback_for(agent, id) {
            entry.taken_by = Some(agent.clone());
            entry.attempts = entry.attempts.saturating_add(1);
            entry.last_attempt = Some(self.wall.at(self.now));
            entry.last_call = Some(call);
            self.keep_callback(None, entry, CallbackChange::Called, by);
            self.settle_place(id);
        }
    }

    /// Takes an entry off the list, whoever has it. False if there is none.
    pub fn remove_callback(&mut self, id: &CallbackId, by: &str) -> bool {
        let Some(entry) = self.callbacks.entries.get(id).cloned() else {
            return false;
        };
        self.keep_callback(None, entry, CallbackChange::Done, by);
        self.settle_place(id);
        self.settle();
        true
    }
}
