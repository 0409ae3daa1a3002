//! Orders at an agent's desk: which call is meant, whether he may, and what the rooms are told.
//!
//! Invariant: an order is refused before anything has changed, and every one that is obeyed is an event that says by whom.

use crate::shard::Shard;
use crate::stop::Stop;
use cordboard_call::{DialTarget, FirstParty, Origin, RecordAsked, RecordRefusal, RoomRefusal, Supervise};
use cordboard_model::callback::{CallbackChange, CallbackId};
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::desk::{
    Actor, CallbackOrder, DeskAct, DeskCall, DeskFault, DeskOrder, DeskView, Goal, Seat, SeatOrder,
    SeatState, TransferWay, WrapUp,
};
use cordboard_model::device::DeviceChoice;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId, Name, QueueId, UserId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::leg::{PartyId, Target};
use cordboard_model::plan;
use cordboard_model::time::Time;
use cordboard_model::verb::{Destination, RecordAct};
use cordboard_model::view::AgentStatus;
use cordboard_sip::engine::SipCommand;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What desks leave behind: the call that each agent was in last, with the queue it came from.
pub(crate) type LastCalls = BTreeMap<AgentId, (CallId, Option<QueueId>)>;

/// What was done, in words.
type Done = Result<Vec<String>, DeskFault>;

/// An agent at his desk.
struct At {
    agent: AgentId,
    user: UserId,
    call: Option<CallId>,
    by: Actor,
}

impl Shard {
    /// Does what is ordered at an agent's desk. Gives what was done, in words.
    ///
    /// # Errors
    /// If it is not possible now, or not allowed; nothing has changed then.
    pub fn desk(&mut self, order: DeskOrder, now: Time) -> Done {
        self.now = now.max(self.now);
        self.in_hand = None;
        let answer = self.obey(order);
        self.settle();
        answer
    }

    fn obey(&mut self, order: DeskOrder) -> Done {
        let DeskOrder { agent, call, by, act } = order;
        let user = self.account_of(&agent).ok_or(DeskFault::NoSuchAgent)?;
        let at = At { agent, user, call, by };
        // being supervised is no affair of who is: in his own name an agent would let his supervisor go
        let watch = matches!(act, DeskAct::Supervise { .. } | DeskAct::Change(_) | DeskAct::EndSupervision);
        self.may_order(&at.by, (!watch).then_some(&at.agent))?;
        if let DeskAct::WrapUp { code, note } = act {
            return self.desk_wrap_up(&at, code, note.unwrap_or_default());
        }
        let wants = matches!(act, DeskAct::Want(_) | DeskAct::Device(_));
        if !wants && self.status_of(&at.agent)? == AgentStatus::SignedOut {
            return Err(DeskFault::NotSignedIn);
        }
        match act {
            DeskAct::Answer => self.desk_answer(&at),
            DeskAct::Device(choice) => self.desk_device(&at, choice),
            DeskAct::Line(on) => self.desk_line(&at, on),
            DeskAct::Want(what) => self.desk_want(&at.agent, &at.by, what),
            DeskAct::Seat(order) => self.desk_seat(&at, order),
            DeskAct::Keys(keys) => self.desk_keys(&at, &keys),
            DeskAct::Record(act) => self.desk_record(&at, act),
            DeskAct::Dial { to, shown, data } => self.desk_dial(&at, to, shown, data).map(|(_, told)| told),
            DeskAct::Callback(id, order) => self.desk_callback(&at, &id, order),
            DeskAct::Supervise { mode, extension } => self.desk_supervise(&at, mode, extension),
            DeskAct::Change(mode) => self.desk_change(&at, Some(mode)),
            DeskAct::EndSupervision => self.desk_change(&at, None),
            DeskAct::WrapUp { .. } => Ok(Vec::new()),
        }
    }

    fn status_of(&self, agent: &AgentId) -> Result<AgentStatus, DeskFault> {
        self.acd.agent(agent).map(|view| view.status).ok_or(DeskFault::NoSuchAgent)
    }

    /// The calls that an agent is in, the one that orders mean first: what he does, before what he has put on hold, before
    /// what rings.
    fn seats(&self, agent: &AgentId, user: &UserId) -> Vec<(CallId, Seat)> {
        // at an account that he has only named his are the calls that are rung there for him, and no others
        let own = || self.snapshot.agent(agent).map(|known| &known.user);
        let user = if self.is_his_place(agent, user) { user } else { own().unwrap_or(user) };
        let mut calls: BTreeSet<CallId> = self.outside.of(agent).collect();
        calls.extend(self.acd.agent(agent).and_then(|view| view.call));
        let seat = |call: CallId| Some((call, self.calls.seat(call, agent, user)?));
        let mut seats: Vec<_> = calls.into_iter().filter_map(seat).collect();
        let rings = |seat: &Seat| seat.state == SeatState::Ringing;
        seats.sort_by_key(|(call, seat)| (rings(seat), seat.held, seat.state, *call));
        seats
    }

    /// The call that an order means: the one that is named, or the first that fits.
    fn seat_for(&mut self, at: &At, fits: impl Fn(&Seat) -> bool) -> Result<(CallId, Seat), DeskFault> {
        let seats = self.seats(&at.agent, &at.user);
        let found = match at.call {
            Some(named) => {
                let found = seats.into_iter().find(|(call, _)| *call == named);
                found.ok_or(DeskFault::NotInCall)?
            }
            None => {
                let fitting = seats.iter().find(|(_, seat)| fits(seat)).or(seats.first());
                *fitting.ok_or(DeskFault::NoCall)?
            }
        };
        self.in_hand = Some(found.0);
        Ok(found)
    }

    fn desk_device(&mut self, at: &At, choice: DeviceChoice) -> Done {
        if !self.may_sit_at(&at.agent, &at.by, &choice) {
            return Err(DeskFault::DeskTaken);
        }
        let device = self.choose_device(&at.agent, choice)?;
        self.note_order(at, "device", None, device.to_string());
        Ok(vec![format!("agent {} is rung at {device}", at.agent)])
    }

    fn desk_line(&mut self, at: &At, on: bool) -> Done {
        let state = self.order_line(&at.agent, on)?;
        self.note_order(at, if on { "connect" } else { "disconnect" }, None, String::new());
        Ok(vec![format!("the line of agent {} is {}", at.agent, state.as_str())])
    }

    fn note_order(&mut self, at: &At, order: &str, call: Option<CallId>, to: String) {
        let (agent, by) = (at.agent.clone(), at.by.to_string());
        self.event(at.agent.tenant, EventKind::DeskOrder { agent, order: order.into(), call, to, by });
    }

    fn desk_answer(&mut self, at: &At) -> Done {
        let (call, seat) = self.seat_for(at, |seat| seat.state == SeatState::Ringing)?;
        if seat.state != SeatState::Ringing {
            return Err(DeskFault::NotRinging);
        }
        if self.calls.confirm(seat.leg, self.now) {
            // he is there: it is as good as the key
            self.note_order(at, "answer", Some(call), String::new());
            return Ok(vec![format!("agent {} has call {call}", at.agent)]);
        }
        let session = self.legs.get(seat.leg).and_then(|leg| leg.session);
        let session = session.filter(|session| self.sip.can_be_told(*session));
        let session = session.ok_or(DeskFault::PhoneCannotAnswer)?;
        self.sip.handle_command(SipCommand::Talk { session }, self.now);
        self.note_order(at, "answer", Some(call), String::new());
        Ok(vec![format!("the phone of agent {} is told to answer call {call}", at.agent)])
    }

    fn desk_seat(&mut self, at: &At, order: SeatOrder) -> Done {
        let wants_held = matches!(order, SeatOrder::Hold(false));
        let (call, seat) = self.seat_for(at, |seat| !wants_held || seat.held)?;
        let (word, to) = in_words(&order);
        if let SeatOrder::Consult(goal) | SeatOrder::Transfer(goal, _) | SeatOrder::Add(goal) = &order {
            self.is_there(goal)?;
        }
        self.calls.seat_order(call, seat.leg, order, self.now)?;
        let shown = if to.is_empty() { String::new() } else { format!(" {to}") };
        self.note_order(at, word, Some(call), to);
        Ok(vec![format!("agent {}: {}{shown} in call {call}", at.agent, word.replace('_', " "))])
    }

    /// A goal that is named must be there.
    fn is_there(&self, goal: &Goal) -> Result<(), DeskFault> {
        let is_there = match goal {
            Goal::Place(Destination::Agent(id)) => self.snapshot.agent(id).is_some(),
            Goal::Place(Destination::Queue(id)) => self.snapshot.queue(id).is_some(),
            Goal::Place(Destination::Flow(id)) => self.snapshot.flow(id).is_some(),
            _ => true,
        };
        is_there.then_some(()).ok_or(DeskFault::NoSuchTarget)
    }

    fn desk_keys(&mut self, at: &At, keys: &str) -> Done {
        let (call, seat) = self.seat_for(at, |_| true)?;
        let others = self.calls.others_who_talk(call, seat.leg);
        if others.is_empty() {
            return Err(DeskFault::NotTalking);
        }
        for leg in others {
            self.send_keys(leg, keys);
        }
        // keys may be a secret: how many there were is all that is told
        self.note_order(at, "keys", Some(call), String::new());
        Ok(vec![format!("{} keys are being sent into call {call}", keys.len())])
    }

    /// A recording is not his to end: who had it begun does that, or the end of the talk.
    fn desk_record(&mut self, at: &At, act: RecordAct) -> Done {
        let (call, seat) = self.seat_for(at, |seat| seat.state == SeatState::Talking)?;
        if seat.state == SeatState::Ringing {
            return Err(DeskFault::NotTalking);
        }
        let asked = RecordAsked { act, by: at.by.to_string(), why: String::new() };
        self.calls.record(call, asked, self.now).map_err(|refused| of_recording(refused, act))?;
        self.note_order(at, &format!("record_{}", act.as_str()), Some(call), String::new());
        Ok(vec![format!("agent {}: {} the recording of call {call}", at.agent, act.as_str())])
    }

    fn desk_dial(
        &mut self,
        at: &At,
        to: Goal,
        shown: Option<String>,
        data: BTreeMap<String, Value>,
    ) -> Result<(CallId, Vec<String>), DeskFault> {
        let busy = matches!(
            self.status_of(&at.agent)?,
            AgentStatus::Ringing | AgentStatus::Talking | AgentStatus::Hold
        );
        if busy || !self.seats(&at.agent, &at.user).is_empty() {
            return Err(DeskFault::InCall);
        }
        let full = self.calls.len() >= self.snapshot.limits.calls as usize;
        if self.stop != Stop::No || self.unrecordable || full {
            return Err(DeskFault::NoCalls);
        }
        if !self.can_ring(&at.agent) {
            return Err(DeskFault::NoDevice);
        }
        self.is_there(&to)?;
        let shown = shown.map(|number| self.may_show(&at.agent, &number)).transpose()?;
        let call = self.originate(at, to.clone(), data);
        if let Some(number) = shown {
            self.trunks.numbers.show(call, number);
        }
        self.note_order(at, "call", Some(call), to.to_string());
        let told = format!("the phone of agent {} rings, then {to} is called", at.agent);
        Ok((call, vec![told, format!("call {call}")]))
    }

    fn desk_callback(&mut self, at: &At, id: &CallbackId, order: CallbackOrder) -> Done {
        let (agent, by) = (&at.agent, at.by.to_string());
        if matches!(order, CallbackOrder::Take | CallbackOrder::Call) {
            self.may_call_back(at, id)?;
        }
        let change = match order {
            CallbackOrder::Take => CallbackChange::Taken,
            CallbackOrder::GiveBack => CallbackChange::GivenBack,
            CallbackOrder::Done => CallbackChange::Done,
            CallbackOrder::Call => {
                let entry = self.callback_for(agent, id)?;
                let data = BTreeMap::from([("callback".to_owned(), Value::from(entry.id.name.as_str()))]);
                let (call, told) = self.desk_dial(at, Goal::Number(entry.number), None, data)?;
                if let Some(queue) = entry.queue {
                    // its pool is shown from, and its codes are given
                    self.trunks.numbers.queued(call, queue);
                }
                self.note_attempt(agent, id, call, &by);
                return Ok(told);
            }
        };
        self.change_callback(agent, id, change, &by)?;
        let word = match order {
            CallbackOrder::Take => "taken",
            CallbackOrder::GiveBack => "given back",
            CallbackOrder::Done | CallbackOrder::Call => "done",
        };
        Ok(vec![format!("call-back {id} is {word}")])
    }

    /// Whether an agent may take an entry. Its queue's number is shown when he calls, and its queue's codes are his to give, so
    /// he takes those of his own queues; a supervisor, or a key by itself, may give him any.
    fn may_call_back(&self, at: &At, id: &CallbackId) -> Result<(), DeskFault> {
        let Some(queue) = self.callback_for(&at.agent, id)?.queue else { return Ok(()) };
        let serves = self.snapshot.agent(&at.agent).is_some_and(|agent| agent.queues.contains(&queue));
        if serves || self.may_order(&at.by, None).is_ok() {
            return Ok(());
        }
        Err(DeskFault::CallbackOfAnotherQueue)
    }

    /// The number that an agent wants shown, as the tenant's plan reads it: his own, or one of a pool of his queues.
    fn may_show(&self, agent: &AgentId, number: &str) -> Result<String, DeskFault> {
        let tenant = self.snapshot.tenant(agent.tenant).ok_or(DeskFault::NoSuchAgent)?;
        let number = plan::read(tenant.plan.as_ref(), number);
        let own = tenant.desk.agents.get(&agent.name).and_then(|desk| desk.caller_number.as_ref());
        let config = tenant.agents.get(&agent.name).ok_or(DeskFault::NoSuchAgent)?;
        let pools = config.queues.iter().filter_map(|queue| {
            let pool = tenant.queues.get(&queue.name)?.caller_pool.as_ref()?;
            tenant.pools.get(pool)
        });
        let allowed =
            own == Some(&number) || pools.flat_map(|pool| &pool.numbers).any(|known| *known == number);
        allowed.then_some(number).ok_or(DeskFault::NumberNotAllowed)
    }

    fn originate(&mut self, at: &At, to: Goal, data: BTreeMap<String, Value>) -> CallId {
        let tenant = at.agent.tenant;
        // whatever is rung for him, he calls as himself
        let own = self.snapshot.agent(&at.agent).map_or_else(|| at.user.clone(), |agent| agent.user.clone());
        let display = self.snapshot.user(&own).map(|user| user.display.clone()).unwrap_or_default();
        let caller = PartyId { user: own.name.to_string(), display };
        let to = match (to, self.snapshot.tenant(tenant)) {
            (Goal::Number(number), Some(tenant)) => {
                Goal::Number(plan::inside(tenant, None, true, &caller.user, &number).1)
            }
            (to, _) => to,
        };
        let shown = match &to {
            Goal::Place(Destination::Agent(id)) => {
                let display = self.snapshot.agent(id).map(|agent| agent.display.clone()).unwrap_or_default();
                PartyId { user: id.name.to_string(), display }
            }
            to => PartyId::new(&to.to_string()),
        };
        let (call, leg) = (self.calls.new_call(tenant), self.calls.new_leg(tenant));
        // a page may order with the key alone; another agent who is named is another
        self.legs.add(leg, call).own_wish = at.by.agent.as_ref().is_none_or(|by| *by == at.agent);
        let first = FirstParty::Agent(at.agent.clone(), own);
        let rings = [None, None];
        self.begin_call(Origin { call, leg, first, caller, to, shown, data, rings, recall: None });
        call
    }

    /// Begins a call of ours: the journal first.
    pub(crate) fn begin_call(&mut self, origin: Origin) {
        let call = origin.call;
        self.figures.calls += 1;
        self.in_hand = Some(call);
        let ticket = self.gate.opening(call, self.now, self.snapshot.limits.journal_wait);
        let (from, to, started) = (origin.caller.clone(), origin.shown.clone(), self.wall.at(self.now));
        self.journal(Some(ticket), JournalRecord::CallOpened { call, from, to, started });
        self.ledger.came(call, None, self.moment());
        self.calls.originate(origin, self.now);
    }

    fn desk_supervise(&mut self, at: &At, mode: SupervisionMode, extension: Option<UserId>) -> Done {
        let (call, seat) = self.seat_for(at, |seat| seat.state == SeatState::Talking)?;
        let by = match (extension, &at.by.agent) {
            (Some(user), _) if !self.has_account(&user) => return Err(DeskFault::NoSuchTarget),
            (Some(user), _) => DialTarget::Target(Target::User(user)),
            (None, Some(agent)) => DialTarget::Agent(agent.clone()),
            (None, None) => return Err(DeskFault::NoSuchTarget),
        };
        let own_wish = matches!(by, DialTarget::Agent(_));
        let wanted = Supervise { mode, by, of: Some(seat.leg) };
        let leg = self.calls.supervise(call, wanted, self.now).map_err(of_watch)?;
        self.legs.add(leg, call).own_wish = own_wish;
        self.note_order(at, "supervise", Some(call), mode.as_str().to_owned());
        Ok(vec!["the supervisor's phone rings".to_owned(), format!("leg {leg}")])
    }

    fn desk_change(&mut self, at: &At, mode: Option<SupervisionMode>) -> Done {
        let (call, _) = self.seat_for(at, |seat| seat.state == SeatState::Talking)?;
        let done = match mode {
            Some(mode) => self.calls.change_supervision(call, mode, self.now),
            None => self.calls.end_supervision(call, self.now),
        };
        done.map_err(of_watch)?;
        let word = mode.map_or("end", SupervisionMode::as_str);
        self.note_order(at, "supervise", Some(call), word.to_owned());
        Ok(vec![match mode {
            Some(mode) => format!("the supervisor's mode is {}", mode.as_str()),
            None => "the supervisor is let go".to_owned(),
        }])
    }

    /// What an agent says of the call that he is in, or of his last one.
    fn desk_wrap_up(&mut self, at: &At, code: Option<Name>, note: String) -> Done {
        let call = match self.seat_for(at, |_| true) {
            Ok((call, _)) => call,
            Err(why) => {
                let last = self.last_calls.get(&at.agent).map(|(call, _)| *call);
                let named = at.call.is_none() || at.call == last;
                match last.filter(|_| named) {
                    Some(last) => last,
                    None if at.call.is_some() => return Err(why),
                    None => return Err(DeskFault::NothingToWrapUp),
                }
            }
        };
        if code.as_ref().is_some_and(|code| !self.codes_of(&at.agent, call).contains(code)) {
            return Err(DeskFault::NoSuchCode);
        }
        let by = at.by.agent.as_ref() != Some(&at.agent);
        let by = if by { at.by.to_string() } else { String::new() };
        let said = WrapUp { agent: at.agent.clone(), at: self.wall.at(self.now), code, note, by };
        self.calls.wrap_up(call, said.clone(), self.now);
        self.journal(None, JournalRecord::WrappedUp { call, said: said.clone() });
        let shown = said.code.as_ref().map_or_else(|| "a note".to_owned(), ToString::to_string);
        self.event(call.tenant, EventKind::CallWrappedUp { call, said: Box::new(said) });
        Ok(vec![format!("call {call}: {shown} is kept")])
    }

    /// The wrap-up codes that an agent may give to a call: those of the tenant and those of its queue.
    fn codes_of(&self, agent: &AgentId, call: CallId) -> Vec<Name> {
        let Some(tenant) = self.snapshot.tenant(agent.tenant) else {
            return Vec::new();
        };
        let last = || self.last_calls.get(agent).filter(|(last, _)| *last == call);
        let queue =
            self.trunks.numbers.queue_of(call).or_else(|| last().and_then(|(_, queue)| queue.as_ref()));
        let of_queue = queue.and_then(|queue| tenant.desk.queue_codes.get(&queue.name));
        let mut codes = tenant.desk.codes.clone();
        codes
            .extend(of_queue.into_iter().flatten().filter(|code| !tenant.desk.codes.contains(code)).cloned());
        codes
    }

    /// The leg of an agent who was up in a call is over: of that call he may still say something.
    pub(crate) fn note_last_call(&mut self, agent: AgentId, call: CallId) {
        let queue = self.trunks.numbers.queue_of(call).cloned();
        self.last_calls.insert(agent, (call, queue));
    }

    /// All that an agent's page needs to begin with.
    pub fn desk_view(&self, agent: &AgentId) -> Option<DeskView> {
        let user = self.account_of(agent)?;
        let call = |(call, seat): (CallId, Seat)| {
            let codes = self.codes_of(agent, call);
            let wrap_ups = self.calls.wrap_ups(call).to_vec();
            Some(DeskCall { seat, call: self.calls.view(call)?, codes, wrap_ups })
        };
        let last_call = self.last_calls.get(agent).map(|(call, _)| *call);
        Some(DeskView {
            agent: self.agent(agent)?,
            calls: self.seats(agent, &user).into_iter().filter_map(call).collect(),
            last_call,
            last_codes: last_call.map(|call| self.codes_of(agent, call)).unwrap_or_default(),
        })
    }

    /// Whether the phone at the end of a leg is asked to answer by itself: what a queue offers to its agent, and what he has
    /// ordered himself, where he is for sure. Whoever else calls him would be in his room before he knows, and he in the room
    /// of whom he names.
    pub(crate) fn answers_itself(&self, call: CallId, leg: LegId) -> bool {
        let Some(found) = self.legs.get(leg) else { return false };
        let Some(agent) = found.agent.as_ref().filter(|_| found.own_wish || self.calls.offers(call, leg))
        else {
            return false;
        };
        let tenant = self.snapshot.tenant(agent.tenant);
        let wants =
            tenant.and_then(|tenant| tenant.desk.agents.get(&agent.name)).is_some_and(|d| d.auto_answer);
        let is_there = found.user.as_ref().is_some_and(|user| self.is_his_place(agent, user));
        wants && is_there && self.status_of(agent).is_ok_and(|status| status != AgentStatus::SignedOut)
    }
}

/// Why nothing is recorded, or paused.
fn of_recording(refused: RecordRefusal, act: RecordAct) -> DeskFault {
    match refused {
        RecordRefusal::NotFound => DeskFault::NotInCall,
        RecordRefusal::Nobody if act == RecordAct::Start => DeskFault::NotTalking,
        RecordRefusal::Nobody => DeskFault::NotRecorded,
        RecordRefusal::Limit => DeskFault::RecordingsFull,
        RecordRefusal::Forbidden => DeskFault::NeverRecorded,
    }
}

fn of_watch(refused: RoomRefusal) -> DeskFault {
    match refused {
        RoomRefusal::NotFound | RoomRefusal::NotTalking | RoomRefusal::Full => DeskFault::NotTalking,
        RoomRefusal::UnderWay => DeskFault::Supervised,
        RoomRefusal::None => DeskFault::NotSupervised,
        RoomRefusal::Own => DeskFault::OwnCall,
        RoomRefusal::Recordings => DeskFault::Recordings,
    }
}

/// The order's word, and whom it is about.
fn in_words(order: &SeatOrder) -> (&'static str, String) {
    match order {
        SeatOrder::Release => ("release", String::new()),
        SeatOrder::Hold(true) => ("hold", String::new()),
        SeatOrder::Hold(false) => ("retrieve", String::new()),
        SeatOrder::Mute(true) => ("mute", String::new()),
        SeatOrder::Mute(false) => ("unmute", String::new()),
        SeatOrder::Consult(goal) => ("consult", goal.to_string()),
        SeatOrder::Complete => ("complete", String::new()),
        SeatOrder::Cancel => ("cancel", String::new()),
        SeatOrder::Merge => ("merge", String::new()),
        SeatOrder::Transfer(goal, TransferWay::Blind) => ("transfer", goal.to_string()),
        SeatOrder::Transfer(goal, TransferWay::AfterSuccess) => ("transfer_after_success", goal.to_string()),
        SeatOrder::Add(goal) => ("add", goal.to_string()),
        SeatOrder::Remove(leg) => ("remove", leg.to_string()),
    }
}
