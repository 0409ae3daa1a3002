//! Places that are kept: those who are called back when their turn in the queue comes.
//!
//! Invariant: an entry with a place is one of these: among the callers of its queue, asleep until a time, being called by one
//! call, in an agent's hands, or undone. Which one follows from the entry and the clock alone ([`Shard::due`]), so that a
//! restart finds it again; calls that stand for it in the queue are new after each turn.

use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_acd::{AcdCommand, AcdInput};
use cordboard_call::{CONFIRM, FirstParty, Origin, Recall};
use cordboard_model::ask::{CallbackAnswer, CallbackAsk};
use cordboard_model::calendar::{Calendar, CalendarState};
use cordboard_model::callback::{
    CALLBACKS_MAX, Callback, CallbackChange, CallbackFirst, CallbackId, CallbackRules, CallbackState,
    CallbackWindow, KeptPlace,
};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{Cdr, LegRecord, LegRole};
use cordboard_model::config::Agent;
use cordboard_model::deadline::Deadlines;
use cordboard_model::desk::Goal;
use cordboard_model::device::AgentPhone;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::media::{PlayItem, Tone};
use cordboard_model::plan;
use cordboard_model::time::{Duration, Time, TimerReason, Wall};
use cordboard_model::verb::Destination;
use cordboard_plugin_api::{RouteEnd, RouteRequest};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What callers are called who show no number.
pub(crate) const NOBODY: [&str; 5] = ["", "anonymous", "restricted", "unavailable", "unknown"];
/// How long one waits for whom no call could be begun.
const NO_CALLS: Duration = Duration::from_secs(30);
/// How long a window that is not known is taken for closed before it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);
/// The outcome of an entry whose queue is not configured.
const QUEUE_GONE: &str = "queue_gone";
/// How long it is remembered how often somebody asked.
const DAY: Duration = Duration::from_secs(86_400);
/// Of so many numbers.
const TODAY_MAX: usize = 2 * CALLBACKS_MAX;
/// After so many calls to customers in a row that never reached a phone somebody should look.
const FAULTS: u32 = 3;
/// How a phone shows who is to be called back.
const SHOWN: &str = "Call-back";

/// Which entry stands where.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// By the calls that stand for them in their queues.
    tickets: BTreeMap<CallId, CallbackId>,
    /// By the calls that call them.
    running: BTreeMap<CallId, CallbackId>,
    /// The call of either kind of each.
    of: BTreeMap<CallbackId, CallId>,
    /// When each is to be looked at again.
    pub(crate) wake: Deadlines<CallbackId>,
    /// The queues were told to call nobody back now.
    held: bool,
    /// How often callers have put a number on the list, or have put any, since when.
    today: BTreeMap<(TenantId, bool, String), (u32, Time)>,
    /// Callers who have a place and wait for themselves meanwhile.
    themselves: BTreeMap<CallId, CallbackId>,
    /// How many calls to customers of a queue failed one after another by no fault of theirs.
    faults: BTreeMap<QueueId, u32>,
}

impl Places {
    /// Counts that a number is put on the list, or that one puts some. False if that was so as often as it may be in a day.
    fn counts_today(&mut self, of: (TenantId, bool, String), most: u32, now: Time) -> bool {
        let over = |since: Time| now.since(since) >= DAY;
        if self.today.len() >= TODAY_MAX && !self.today.contains_key(&of) {
            self.today.retain(|_, (_, since)| !over(*since));
            if self.today.len() >= TODAY_MAX {
                self.today.pop_first();
            }
        }
        let (count, since) = self.today.entry(of).or_insert((0, now));
        if over(*since) {
            (*count, *since) = (0, now);
        }
        *count = count.saturating_add(1);
        *count <= most
    }

    /// The call by which somebody who has a place waits for himself.
    fn himself(&self, id: &CallbackId) -> Option<CallId> {
        self.themselves.iter().find(|(_, known)| *known == id).map(|(call, _)| *call)
    }

    fn stands(&mut self, id: &CallbackId, call: CallId) {
        self.tickets.insert(call, id.clone());
        self.of.insert(id.clone(), call);
    }

    fn runs(&mut self, id: &CallbackId, call: CallId) {
        self.tickets.remove(&call);
        self.running.insert(call, id.clone());
        self.of.insert(id.clone(), call);
    }

    /// A call stands for nobody any more. Gives for whom it did.
    fn ends(&mut self, call: CallId) -> Option<CallbackId> {
        let id = self.tickets.remove(&call).or_else(|| self.running.remove(&call))?;
        self.of.remove(&id);
        Some(id)
    }

    fn is_running(&self, id: &CallbackId) -> bool {
        self.of.get(id).is_some_and(|call| self.running.contains_key(call))
    }

    fn ticket(&self, id: &CallbackId) -> Option<CallId> {
        self.of.get(id).copied().filter(|call| self.tickets.contains_key(call))
    }

    /// Whether a call calls somebody back.
    pub(crate) fn calls_back(&self, call: CallId) -> bool {
        self.running.contains_key(&call)
    }

    /// Whether nobody is being called.
    pub(crate) fn is_quiescent(&self) -> bool {
        self.running.is_empty() && self.themselves.is_empty()
    }
}

impl Shard {
    /// A caller asks to be called back: his place in the queue is kept, if he can be called.
    pub(crate) fn keep_place(&mut self, call: CallId, ask: CallbackAsk) -> Result<CallbackAnswer, Cause> {
        let waits = self.acd.place_of(call);
        let queue = ask.queue.clone().or_else(|| waits.as_ref().map(|(queue, ..)| queue.clone()));
        let queue = queue.ok_or(Cause::NotFound)?;
        let rules = self.snapshot.queue(&queue).ok_or(Cause::NotFound)?.callback.clone();
        let tenant = self.snapshot.tenant(call.tenant).ok_or(Cause::NotFound)?;
        if ask.calendar.as_ref().is_some_and(|name| !tenant.kit.calendars.contains_key(name)) {
            return Err(Cause::NotFound);
        }
        let asker = self.calls.view(call).map(|view| view.from.user).unwrap_or_default();
        let number = match &ask.number {
            Some(number) => plan::called(tenant, None, number),
            None => asker.clone(),
        };
        if NOBODY.contains(&number.to_ascii_lowercase().as_str()) {
            return Ok(CallbackAnswer::Anonymous);
        }
        let other = number != asker;
        let is_allowed = rules.to.is_empty() || rules.to.iter().any(|prefix| number.starts_with(prefix));
        if (other && !rules.other) || !is_allowed || !self.can_be_called(&queue, &number) {
            return Ok(CallbackAnswer::NotDialable);
        }
        let waits = waits.filter(|(of, ..)| *of == queue);
        let known = self.place_known(&queue, &number);
        if known.is_none() && self.callbacks.count(call.tenant) >= CALLBACKS_MAX {
            return Ok(CallbackAnswer::Full);
        }
        if known.is_none() && !self.may_ask_today(call.tenant, (&asker, &number), rules.a_day) {
            return Ok(CallbackAnswer::TooOften);
        }
        let now = self.wall.at(self.now);
        let (arrived, priority) = waits.as_ref().map_or((now, ask.priority), |(_, at, p)| (*at, *p));
        let answer = if known.is_some() { CallbackAnswer::Known } else { CallbackAnswer::Kept };
        let kept = self.place_asked(&ask, &rules, (arrived, priority), (call, other));
        let change = if known.is_some() { CallbackChange::Changed } else { CallbackChange::Put };
        let entry = self.entry_asked(known, (queue.clone(), number), ask.note, kept);
        let entry = entry.ok_or(Cause::InternalError)?;
        let (id, by) = (entry.id.clone(), entry.by.clone());
        // he is told when the journal has it
        let ticket = self.gate.keeping(call, self.now, self.snapshot.limits.journal_wait);
        self.keep_callback(Some(ticket), entry, change, &by);
        self.calls.keep_place(call, &queue, id.name.as_str(), self.now);
        // who waited for himself does so no longer
        let before = self.places.themselves.remove(&call);
        self.settle_as(&id, Some(waits.map(|_| call)));
        if let Some(before) = before.filter(|before| *before != id) {
            // he has named another number: the place by his own is as it was, for it may be a colleague's
            self.settle_place(&before);
        }
        Ok(answer)
    }

    /// Whether a caller may put a number on the list: neither he nor that number has been there too often. Withheld numbers
    /// count for nobody in particular, and the number that they name counts.
    fn may_ask_today(&mut self, tenant: TenantId, (asker, number): (&str, &str), most: u32) -> bool {
        let now = self.now;
        let shown = !NOBODY.contains(&asker.to_ascii_lowercase().as_str());
        let number = self.places.counts_today((tenant, true, number.to_owned()), most, now);
        let asker = !shown || self.places.counts_today((tenant, false, asker.to_owned()), most, now);
        number && asker
    }

    fn place_asked(
        &self,
        ask: &CallbackAsk,
        rules: &CallbackRules,
        (arrived, priority): (Wall, u8),
        (call, other): (CallId, bool),
    ) -> KeptPlace {
        let after = |time: Duration| Wall(self.wall.at(self.now).0.saturating_add(ms(time)));
        let asked = |seconds: Option<u32>, usual: Duration| {
            seconds.map_or(usual, |seconds| Duration::from_secs(seconds.into()))
        };
        let every = asked(ask.every, rules.every);
        let first = ask.first.unwrap_or(rules.first);
        // who named a number need not be there: somebody else is not made to wait, nor waited for, at our cost
        let unknown = other && first == CallbackFirst::Customer;
        KeptPlace {
            arrived,
            priority,
            first,
            most: ask.attempts.unwrap_or(rules.attempts),
            every_s: u32::try_from(every.as_secs()).unwrap_or(u32::MAX),
            expires: after(asked(ask.expires, rules.expires)),
            window: ask.calendar.clone().map(CallbackWindow::Calendar).or_else(|| rules.window.clone()),
            confirm: rules.confirm.or(unknown.then_some(AgentPhone::KEY)),
            call: Some(call),
            other,
            data: ask.data.clone(),
            next: None,
            ring_s: None,
        }
    }

    /// A new entry, or the one that there is, which keeps the older place.
    fn entry_asked(
        &mut self,
        known: Option<Callback>,
        (queue, number): (QueueId, String),
        note: String,
        kept: KeptPlace,
    ) -> Option<Callback> {
        let Some(mut entry) = known else {
            let id = self.callbacks.new_id(self.config.start_secs, queue.tenant)?;
            return Some(Callback {
                id,
                number,
                since: self.wall.at(self.now),
                by: format!("queue {}", queue.name),
                queue: Some(queue),
                note,
                attempts: 0,
                last_attempt: None,
                last_call: None,
                taken_by: None,
                state: CallbackState::Waiting,
                outcome: String::new(),
                kept: Some(Box::new(kept)),
            });
        };
        if !note.is_empty() {
            entry.note = note;
        }
        if let Some(old) = entry.kept.take() {
            let (arrived, priority) = (old.arrived.min(kept.arrived), old.priority.max(kept.priority));
            let (call, next) = (old.call, old.next);
            // who has called from it himself once is known there
            let other = old.other && kept.other;
            entry.kept = Some(Box::new(KeptPlace { arrived, priority, call, next, other, ..kept }));
        }
        Some(entry)
    }

    /// The entry by which a number has a place in a queue, unless it is being called or in an agent's hands.
    fn place_known(&self, queue: &QueueId, number: &str) -> Option<Callback> {
        let has = |entry: &&Callback| matches!(entry.state, CallbackState::Waiting | CallbackState::Asleep);
        self.callbacks.at(queue, number).find(has).cloned()
    }

    /// Whether the agents of a queue may call a number: by the rules of the first of them.
    pub(crate) fn can_be_called(&self, queue: &QueueId, number: &str) -> bool {
        let Some(tenant) = self.snapshot.tenant(queue.tenant) else { return false };
        let serves = |agent: &&Agent| agent.queues.contains(queue);
        let user = tenant.agents.values().find(serves).map(|agent| agent.user.clone());
        let from = user.as_ref().map(|user| user.name.to_string()).unwrap_or_default();
        let (_, to) = plan::inside(tenant, None, true, &from, number);
        let request = RouteRequest {
            user,
            at: self.wall.at(self.now),
            ..RouteRequest::new(tenant.id, PartyId::new(&from), PartyId::new(&to))
        };
        let is_person = |to: &Destination| !matches!(to, Destination::Flow(_) | Destination::Queue(_));
        match self.explain_route(request).map(|outcome| outcome.end) {
            Some(RouteEnd::Decided { to, urgent: None, .. }) => is_person(&to),
            _ => false,
        }
    }

    /// Where an entry stands by the clock, and when that has to be looked at again.
    fn due(&mut self, entry: &Callback, kept: &KeptPlace) -> (CallbackState, Option<Wall>) {
        let now = self.wall.at(self.now);
        if entry.taken_by.is_some() {
            return (CallbackState::Listed, None);
        }
        if entry.attempts >= kept.most || now >= kept.expires {
            return (CallbackState::Undone, Some(self.forgotten_at(entry, kept)));
        }
        if self.places.himself(&entry.id).is_some() {
            return (CallbackState::Asleep, None);
        }
        if self.has_no_queue(entry) {
            // a configuration in which there is one again gives him his place back
            return (CallbackState::Asleep, Some(kept.expires));
        }
        if let Some(next) = kept.next.filter(|next| *next > now) {
            return (CallbackState::Asleep, Some(next.min(kept.expires)));
        }
        let Some(window) = &kept.window else {
            return (CallbackState::Waiting, Some(kept.expires));
        };
        let state = self.window(entry.id.tenant, window, now);
        let is_open = state.as_ref().is_some_and(|state| state.open);
        let lasts = state.map_or(Some(LOOK_AGAIN), |state| {
            state.changes.map(|seconds| Duration::from_secs(u64::from(seconds.max(1))))
        });
        let until = lasts.map(|lasts| Wall(now.0.saturating_add(ms(lasts))));
        let state = if is_open { CallbackState::Waiting } else { CallbackState::Asleep };
        (state, Some(until.map_or(kept.expires, |until| until.min(kept.expires))))
    }

    /// When an entry that is not tried any more leaves the list, unless somebody has taken it.
    fn forgotten_at(&self, entry: &Callback, kept: &KeptPlace) -> Wall {
        let rules = entry.queue.as_ref().and_then(|queue| self.snapshot.queue(queue));
        let keep = rules.map_or_else(|| CallbackRules::default().keep, |queue| queue.callback.keep);
        let last = entry.last_attempt.filter(|_| entry.attempts >= kept.most);
        Wall(last.unwrap_or(kept.expires).0.saturating_add(ms(keep)))
    }

    fn has_no_queue(&self, entry: &Callback) -> bool {
        entry.queue.as_ref().is_some_and(|queue| self.snapshot.queue(queue).is_none())
    }

    /// What a window says of a moment; none if it is not known.
    fn window(&mut self, tenant: TenantId, window: &CallbackWindow, at: Wall) -> Option<CalendarState> {
        let home = self.snapshot.tenant(tenant)?;
        let calendar = match window {
            CallbackWindow::Calendar(name) => home.kit.calendars.get(name)?.clone(),
            CallbackWindow::Hours(hours) => Calendar {
                zone: home.zone.clone(),
                week: core::array::from_fn(|_| vec![*hours]),
                holidays: Vec::new(),
            },
        };
        let zone = self.zones.get(&calendar.zone)?;
        Some(calendar.state(at, &zone))
    }

    /// Has an entry stand where it belongs now.
    pub(crate) fn settle_place(&mut self, id: &CallbackId) {
        self.settle_as(id, None);
    }

    /// The same of one who has just asked for it. He may have an older place, or another priority, from now on; by `asked.0` he
    /// waits until then.
    fn settle_as(&mut self, id: &CallbackId, asked: Option<Option<CallId>>) {
        let entry = self.callbacks.get(id).cloned();
        let place = entry.as_ref().and_then(|entry| Some((entry, entry.kept.as_deref()?)));
        if self.places.is_running(id) && place.is_some() {
            return;
        }
        let (state, wake) =
            place.map_or((CallbackState::Listed, None), |(entry, kept)| self.due(entry, kept));
        match wake {
            Some(at) => {
                let left = at.0.saturating_sub(self.wall.at(self.now).0);
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
                self.places.wake.set(id.clone(), self.now + left, TimerReason("call-back"));
            }
            None => _ = self.places.wake.clear(id),
        }
        let (waits, ticket) = (state == CallbackState::Waiting, self.places.ticket(id));
        let from = asked.flatten();
        for call in ticket.into_iter().chain(from).filter(|_| !waits) {
            self.places.ends(call);
            self.tell_acd(AcdInput::Abandoned { call });
        }
        let Some(mut entry) = entry.filter(|entry| entry.kept.is_some()) else { return };
        if state == CallbackState::Undone && wake.is_some_and(|at| at <= self.wall.at(self.now)) {
            self.places.wake.clear(id);
            let by = entry.by.clone();
            return self.keep_callback(None, entry, CallbackChange::Forgotten, &by);
        }
        if entry.state != state {
            entry.state = state;
            if self.has_no_queue(&entry) {
                entry.outcome = QUEUE_GONE.to_owned();
            } else if entry.outcome == QUEUE_GONE {
                entry.outcome.clear();
            }
            let change = match state {
                CallbackState::Waiting => CallbackChange::Waits,
                CallbackState::Asleep => CallbackChange::Sleeps,
                CallbackState::Undone => CallbackChange::Undone,
                CallbackState::Listed | CallbackState::Calling => CallbackChange::Changed,
            };
            let by = entry.by.clone();
            self.keep_callback(None, entry.clone(), change, &by);
        }
        if waits && (ticket.is_none() || asked.is_some()) {
            self.stand_in_queue(&entry, ticket, from);
        }
    }

    /// `ticket`: the call by which he stands there already.
    fn stand_in_queue(&mut self, entry: &Callback, ticket: Option<CallId>, from: Option<CallId>) {
        let (Some(queue), Some(kept)) = (entry.queue.clone(), entry.kept.as_deref()) else { return };
        let rules = self.snapshot.queue(&queue).map(|queue| queue.callback.clone()).unwrap_or_default();
        let accept = if kept.confirm.is_some() { CONFIRM } else { Duration::ZERO };
        let reserve = (kept.first == CallbackFirst::Customer).then(|| rules.ring + accept);
        let (priority, since) = (kept.priority, kept.arrived);
        let call = ticket.unwrap_or_else(|| self.calls.new_call(queue.tenant));
        self.places.stands(&entry.id, call);
        self.tell_acd(AcdInput::Absent { call, queue, priority, since, reserve, from });
    }

    /// Looks at those whose time has come.
    pub(crate) fn callbacks_due(&mut self) {
        while let Some(id) = self.places.wake.pop_due(self.now) {
            self.settle_place(&id);
        }
    }

    /// Whether a call of ours can be begun now.
    fn may_begin(&self) -> bool {
        let full = self.calls.len() >= self.snapshot.limits.calls as usize;
        self.stop == Stop::No && !self.unrecordable && !full
    }

    /// Lets the queues give turns to those who are to be called back only while calls can be begun. True if that is another
    /// word than the last.
    pub(crate) fn minds_turns(&mut self) -> bool {
        let held = !self.may_begin();
        let changes = core::mem::replace(&mut self.places.held, held) != held;
        if changes {
            // it refuses nothing
            let _ = self.acd.handle_command(AcdCommand::HoldAbsent(held), self.now);
        }
        changes
    }

    /// It is somebody's turn, with this agent. False if the call stands for nobody.
    pub(crate) fn recall(&mut self, call: CallId, agent: &AgentId) -> bool {
        let Some(id) = self.places.tickets.get(&call).cloned() else { return false };
        let user = self.snapshot.agent(agent).map(|agent| agent.user.clone());
        let entry = self.callbacks.get(&id).cloned();
        let (Some(mut entry), Some(user), true) = (entry, user, self.may_begin()) else {
            self.not_now(call);
            return true;
        };
        let (Some(queue), Some(kept)) = (entry.queue.clone(), entry.kept.clone()) else { return true };
        self.places.runs(&id, call);
        entry.state = CallbackState::Calling;
        entry.last_attempt = Some(self.wall.at(self.now));
        entry.last_call = Some(call);
        let by = format!("agent {}", agent.name);
        self.keep_callback(None, entry.clone(), CallbackChange::Called, &by);
        self.trunks.numbers.queued(call, queue.clone());
        let mut data = kept.data.clone();
        data.insert("callback".to_owned(), Value::from(id.name.as_str()));
        if !entry.note.is_empty() {
            data.insert("callbackNote".to_owned(), Value::from(entry.note.as_str()));
        }
        let rules = self.snapshot.queue(&queue).map(|queue| queue.callback.clone()).unwrap_or_default();
        let origin = match kept.first {
            CallbackFirst::Agent => self.agent_first(call, (agent.clone(), user), &entry, &rules),
            CallbackFirst::Customer => {
                let display = self.snapshot.queue(&queue).map(|known| known.display.clone());
                let shown = PartyId { user: queue.name.to_string(), display: display.unwrap_or_default() };
                let leg = self.calls.new_leg(call.tenant);
                let confirm = kept.confirm.map(|key| (key, self.asks_for_key(&queue, key, &rules)));
                let first = FirstParty::Number(entry.number.clone(), Some(user));
                let caller = PartyId::new(&entry.number);
                let to = Goal::Place(Destination::Queue(queue.clone()));
                let (rings, recall) = ([Some(rules.ring), None], Some(Recall { queue, confirm }));
                Origin { call, leg, first, caller, to, shown, data: BTreeMap::new(), rings, recall }
            }
        };
        self.begin_call(Origin { data, ..origin });
        true
    }

    /// What asks a customer for the key by which he says that it is he.
    fn asks_for_key(&self, queue: &QueueId, key: char, rules: &CallbackRules) -> Vec<PlayItem> {
        if let Some(prompt) = &rules.prompt {
            return vec![PlayItem::Asset(prompt.clone()), PlayItem::Silence(2_000)];
        }
        if key == AgentPhone::KEY && rules.confirm.is_none() {
            // nobody has thought of a prompt, since no key was to be asked for
            return self.question(queue.tenant, Some(queue));
        }
        vec![PlayItem::Tone(Tone::Beep, 200), PlayItem::Silence(1_800)]
    }

    fn agent_first(
        &mut self,
        call: CallId,
        (agent, user): (AgentId, cordboard_model::id::UserId),
        entry: &Callback,
        rules: &CallbackRules,
    ) -> Origin {
        let leg = self.calls.new_leg(call.tenant);
        // his phone answers by itself where it does for what queues offer
        self.legs.add(leg, call).own_wish = true;
        let display = self.snapshot.user(&user).map(|user| user.display.clone()).unwrap_or_default();
        let caller = PartyId { user: user.name.to_string(), display };
        let tenant = self.snapshot.tenant(call.tenant);
        let number = tenant.map(|home| plan::inside(home, None, true, &caller.user, &entry.number).1);
        let number = number.unwrap_or_else(|| entry.number.clone());
        let shown = PartyId { user: number.clone(), display: SHOWN.to_owned() };
        let ring = entry.queue.as_ref().and_then(|queue| self.snapshot.queue(queue)).map(|queue| queue.ring);
        let recall = entry.queue.clone().map(|queue| Recall { queue, confirm: None });
        Origin {
            call,
            leg,
            first: FirstParty::Agent(agent, user),
            caller,
            to: Goal::Number(number),
            shown,
            data: BTreeMap::new(),
            rings: [ring, Some(entry_ring(entry).unwrap_or(rules.ring))],
            recall,
        }
    }

    /// No call can be begun now: the agent is free for others.
    fn not_now(&mut self, call: CallId) {
        let Some(id) = self.places.ends(call) else { return };
        self.tell_acd(AcdInput::Abandoned { call });
        self.ledger.forget(call);
        self.put_off(&id, self.later(NO_CALLS));
        self.settle_place(&id);
    }

    fn later(&self, time: Duration) -> Wall {
        Wall(self.wall.at(self.now).0.saturating_add(ms(time)))
    }

    fn put_off(&mut self, id: &CallbackId, next: Wall) {
        if let Some(mut entry) = self.callbacks.get(id).cloned()
            && let Some(kept) = &mut entry.kept
        {
            kept.next = Some(next);
            let by = entry.by.clone();
            self.keep_callback(None, entry, CallbackChange::Changed, &by);
        }
    }

    /// The turn of one who is to be called back came to nothing: he has it again, unless he is on the line already. Whose phone
    /// has rung for it has been tried: it is not rung again at once.
    pub(crate) fn stranded(&mut self, call: CallId) {
        let of = self.places.running.get(&call).and_then(|id| self.callbacks.get(id)?.kept.as_ref());
        let has_rung =
            of.is_some_and(|kept| kept.first == CallbackFirst::Customer) && self.calls.has_rung(call);
        if self.calls.is_ending(call)
            && !has_rung
            && let Some(id) = self.places.ends(call)
        {
            self.settle_place(&id);
        }
    }

    /// Whether a call calls somebody back by way of the agent, who has still to answer. What is offered it later is for
    /// whom he consults, or to whom he sends the customer.
    pub(crate) fn calls_agent_first(&self, call: CallId) -> bool {
        let entry = self.places.running.get(&call).and_then(|id| self.callbacks.get(id));
        let kept = entry.and_then(|entry| entry.kept.as_ref());
        kept.is_some_and(|kept| kept.first == CallbackFirst::Agent) && self.calls.calls_first(call)
    }

    /// A call is gone, perhaps without a record.
    pub(crate) fn recall_forgotten(&mut self, call: CallId) {
        self.was_there_himself(call, false);
        if let Some(id) = self.places.ends(call) {
            self.tell_acd(AcdInput::Abandoned { call });
            self.settle_place(&id);
        }
    }

    /// The queue of one who has a place is gone: he keeps it until there is one of that name again. False if the call stands
    /// for nobody.
    pub(crate) fn place_gone(&mut self, call: CallId) -> bool {
        if !self.places.tickets.contains_key(&call) {
            return false;
        }
        let Some(id) = self.places.ends(call) else { return false };
        if self.callbacks.get(&id).is_some_and(|entry| !self.has_no_queue(entry)) {
            // the queues know less than the configuration, and will not know more at once
            self.put_off(&id, self.later(LOOK_AGAIN));
        }
        self.settle_place(&id);
        true
    }

    /// One who had a place has waited for himself, and is gone: if he was served it is done, else it is as it was.
    fn was_there_himself(&mut self, call: CallId, served: bool) {
        let Some(id) = self.places.themselves.remove(&call) else { return };
        if let Some(mut entry) = self.callbacks.get(&id).cloned().filter(|_| served) {
            entry.outcome = "called_himself".to_owned();
            let by = entry.by.clone();
            self.keep_callback(None, entry, CallbackChange::Done, &by);
        }
        self.settle_place(&id);
    }

    /// A call that called somebody back is over: what became of it.
    pub(crate) fn recalled(&mut self, cdr: &Cdr) {
        self.was_there_himself(cdr.call, cdr.bridged.is_some());
        let Some(id) = self.places.ends(cdr.call) else { return };
        // one who was called first and has not accepted has an agent kept free
        self.tell_acd(AcdInput::Abandoned { call: cdr.call });
        let Some(mut entry) = self.callbacks.get(&id).cloned() else { return };
        let Some(kept) = &mut entry.kept else { return };
        let by = entry.by.clone();
        if kept.first == CallbackFirst::Agent && cdr.answered.is_none() {
            return self.settle_place(&id); // the agent's phone was not answered: he was not called
        }
        let counts = was_tried(cdr, kept.first);
        entry.attempts = entry.attempts.saturating_add(u32::from(counts));
        if cdr.bridged.is_some() {
            entry.outcome = "reached".to_owned();
            self.keep_callback(None, entry, CallbackChange::Done, &by);
            return self.settle_place(&id);
        }
        entry.outcome = cdr.cause.as_str().to_owned();
        kept.next = Some(Wall(self.wall.at(self.now).0.saturating_add(i64::from(kept.every_s) * 1_000)));
        if let Some(queue) = entry.queue.clone() {
            self.note_fault(queue, cdr.cause, counts);
        }
        self.keep_callback(None, entry, CallbackChange::Changed, &by);
        self.settle_place(&id);
    }

    /// A customer was called in vain: by a fault of his, or of ours or a carrier's, which somebody should mend.
    fn note_fault(&mut self, queue: QueueId, cause: Cause, counts: bool) {
        if counts {
            self.places.faults.remove(&queue);
            return;
        }
        let faults = self.places.faults.entry(queue.clone()).or_default();
        *faults = faults.saturating_add(1);
        if *faults == FAULTS {
            let (cause, code) = (cause.as_str(), "callbacks_fail".to_owned());
            let text = format!(
                "{FAULTS} call-backs of queue {queue} in a row reached no telephone ({cause}); they are tried again, and it \
                 does not count as an attempt. Look at the trunks and at what its agents may dial"
            );
            self.event(queue.tenant, EventKind::Alarm { code, text });
        }
    }

    /// A call that enters a queue: if its caller has a place there, or was called back to it, he takes that.
    pub(crate) fn arrival(
        &mut self,
        call: CallId,
        queue: &QueueId,
        timeout_ms: Option<u32>,
        came_with: u8,
    ) -> Option<AcdInput> {
        let known = match self.places.running.get(&call) {
            Some(id) => self.callbacks.get(id).cloned(),
            None => {
                let number = self.calls.view(call)?.from.user;
                // where another number was named, who calls from it may be anybody
                let is_he = |entry: &Callback| entry.kept.as_ref().is_some_and(|kept| !kept.other);
                let known = self.place_known(queue, &number).filter(is_he);
                known.filter(|entry| self.places.himself(&entry.id).is_none_or(|by| by == call))
            }
        };
        let entry = known.filter(|entry| entry.queue.as_ref() == Some(queue))?;
        let kept = entry.kept.as_deref()?;
        let back = self.places.calls_back(call);
        let (queue, since, priority) = (queue.clone(), kept.arrived, kept.priority.max(came_with));
        if !back {
            // a number may be shared: the entry is done when he was served, and not before
            let before = self.places.themselves.insert(call, entry.id.clone());
            // in another queue he had one, too, and has left that queue
            for id in before.filter(|id| *id != entry.id).into_iter().chain([entry.id.clone()]) {
                self.settle_place(&id);
            }
        }
        Some(AcdInput::Arrived { call, queue, timeout_ms, priority, since, back })
    }

    /// There is another configuration: queues may be gone, or back, and windows others.
    pub(crate) fn resettle_places(&mut self) {
        for entry in self.places_in_order() {
            self.settle_place(&entry.id);
        }
    }

    /// Those who have a place, in the order in which they came.
    fn places_in_order(&self) -> Vec<Callback> {
        let has_place = |entry: &&Callback| entry.kept.is_some();
        let mut entries: Vec<Callback> = self.callbacks.all().filter(has_place).cloned().collect();
        entries.sort_by_key(|entry| (entry.kept.as_ref().map(|kept| kept.arrived), entry.id.clone()));
        entries
    }

    /// After a start: each stands where it stood. A call that was cut counts as an attempt if somebody had answered in it: the
    /// agent, after whom the customer was called at once, or the customer. What rang, or had not even rung, costs no attempt.
    pub(crate) fn restore_places(&mut self, answered: &BTreeSet<CallId>) {
        for mut entry in self.places_in_order() {
            let id = entry.id.clone();
            let counts = entry.last_call.is_some_and(|call| answered.contains(&call));
            if let (CallbackState::Calling, Some(kept), true) = (entry.state, &mut entry.kept, counts) {
                let last = entry.last_attempt.unwrap_or(kept.arrived);
                kept.next = Some(Wall(last.0.saturating_add(i64::from(kept.every_s) * 1_000)));
                entry.attempts = entry.attempts.saturating_add(1);
                entry.outcome = Cause::LostByRestart.as_str().to_owned();
                let by = entry.by.clone();
                self.keep_callback(None, entry, CallbackChange::Changed, &by);
            }
            self.settle_place(&id);
        }
    }
}

/// Whether a customer was tried: his phone rang, or the far end said why it did not. That no trunk could take the call is not his
/// fault, nor that the rules do not let this agent call him.
fn was_tried(cdr: &Cdr, first: CallbackFirst) -> bool {
    let side = match first {
        CallbackFirst::Agent => LegRole::Callee,
        CallbackFirst::Customer => LegRole::Caller,
    };
    let ours = matches!(
        cdr.cause,
        Cause::Congestion
            | Cause::Unreachable
            | Cause::NoRoute
            | Cause::Forbidden
            | Cause::Incompatible
            | Cause::ProtocolError
            | Cause::Shutdown
            | Cause::InternalError
    );
    let his = |leg: &LegRecord| leg.role == side;
    let rang = |leg: &LegRecord| his(leg) && (leg.rang.is_some() || leg.answered.is_some());
    !ours || cdr.bridged.is_some() || cdr.legs.iter().any(rang)
}

/// How long the phone of who is called rings, where the entry says.
fn entry_ring(entry: &Callback) -> Option<Duration> {
    let seconds = entry.kept.as_ref()?.ring_s?;
    Some(Duration::from_secs(seconds.into()))
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
