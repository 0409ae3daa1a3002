//! The engine's face: finds the call that an input is about and lets it act.

use crate::call::{Call, Doing};
use crate::config::CallConfig;
use crate::desk::{Desk, Timer};
use crate::input::{CallCommand, CallInput};
use crate::join;
use crate::listen::{ListenAsked, ListenRefusal};
use crate::output::CallOutput;
use crate::queue::{Offered, refuse_offer};
use crate::record::{RecordAsked, RecordRefusal};
use crate::room::RoomRefusal;
use crate::transfer::{Stage, TransferRefusal, Wanted};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::desk::Goal;
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, PlaybackId, RecordingId, TenantId};
use cordboard_model::leg::{Incoming, LegCommand, LegEvent};
use cordboard_model::media::MediaEvent;
use cordboard_model::time::{Time, TimerReason, WallClock};
use cordboard_model::verb::Destination;
use cordboard_model::view::{CallView, RouteReason};
use std::collections::BTreeMap;

/// Every call of a shard.
#[derive(Debug)]
pub struct CallEngine {
    pub(crate) calls: BTreeMap<CallId, Box<Call>>,
    pub(crate) desk: Desk,
}

impl CallEngine {
    /// An engine without calls. `wall` gives the dates of records.
    pub fn new(config: CallConfig, wall: WallClock) -> Self {
        Self { calls: BTreeMap::new(), desk: Desk::new(config, wall) }
    }

    /// The wall clock moved against the monotonic clock.
    pub fn set_wall(&mut self, wall: WallClock) {
        self.desk.set_wall(wall);
    }

    /// An id for a call that comes in.
    pub fn new_call(&mut self, tenant: TenantId) -> CallId {
        self.desk.ids.call(tenant)
    }

    /// An id for its first leg.
    pub fn new_leg(&mut self, tenant: TenantId) -> LegId {
        self.desk.ids.leg(tenant)
    }

    /// An id for something that is played beside what calls play.
    pub fn new_playback(&mut self, tenant: TenantId) -> PlaybackId {
        self.desk.ids.playback(tenant)
    }

    /// Takes in what happened. Inputs about calls or legs that are gone are absorbed.
    pub fn handle_input(&mut self, input: CallInput, now: Time) {
        self.desk.now = now;
        match input {
            CallInput::New { call, incoming } => self.begin(call, incoming),
            CallInput::Leg(leg, LegEvent::TransferAsked { ticket, replaces: Some(other), .. }) => {
                let asked = self.join_by(leg, other, Some(ticket));
                if let (Err(refused), Some(call)) = (asked, self.call_of(leg)) {
                    let status = refused.status();
                    self.with(call, |_, desk| desk.leg(leg, LegCommand::TransferResult { ticket, status }));
                }
            }
            CallInput::Leg(leg, event) => {
                self.with_leg(leg, |call, desk| call.on_leg(desk, leg, &event));
            }
            CallInput::Media(event) => self.on_media(event),
            CallInput::Marked { call, marks } => {
                self.with(call, |call, desk| call.mark(desk, marks));
            }
            CallInput::Routed { call, to, reasons } => {
                self.with(call, |call, desk| routed(call, desk, Ok(to), reasons));
            }
            CallInput::Refused { call, cause, reasons } => {
                self.with(call, |call, desk| routed(call, desk, Err(cause), reasons));
            }
            CallInput::VerbRequest { call, ticket, verb } => {
                self.with(call, |call, desk| call.on_verb(desk, ticket, verb));
            }
            CallInput::Answered { call, ticket, answer } => {
                self.with(call, |call, desk| call.on_answered(desk, ticket, answer));
            }
            CallInput::StreamEnded { call, stream, outcome } => {
                self.with(call, |call, desk| call.on_stream_ended(desk, stream, outcome));
            }
            CallInput::FlowEnded { call } => self.with(call, Call::on_flow_ended),
            CallInput::FlowFailed { call, error, fallback } => {
                self.with(call, |call, desk| call.on_flow_failed(desk, error, fallback));
            }
            CallInput::Confirm { leg, accept } => {
                self.with_leg(leg, |call, _| call.must_confirm(leg, accept));
            }
            CallInput::Carried { leg } => self.with_leg(leg, |call, _| call.is_carried(leg)),
            CallInput::Offer { call, agent, user, display, ring, number } => {
                self.on_offer(call, Offered { agent, user, display, ring, number });
            }
            CallInput::OfferWithdrawn { call, agent, elsewhere } => {
                self.with(call, |call, desk| call.on_offer_withdrawn(desk, &agent, elsewhere));
            }
            CallInput::QueueEnded { call, end, overflow } => {
                self.with(call, |call, desk| call.on_queue_ended(desk, end, overflow));
            }
            CallInput::Spoken { call, act, items } => {
                self.with(call, |call, desk| call.act_spoken(desk, act, items));
            }
            CallInput::Music { call, items } => {
                self.with(call, |call, desk| call.on_music(desk, items));
            }
            CallInput::Position { call, announcement } => {
                self.with(call, |call, desk| call.on_position(desk, announcement));
            }
        }
        self.settle_places();
    }

    /// Begins a transfer of the party that talks to `by` in a call; with `consult` the target is spoken to first. Who
    /// sends is the called party, an agent as a rule, if none is named.
    ///
    /// # Errors
    /// If the call is not two parties who talk, or another transfer is under way.
    pub fn transfer(
        &mut self,
        call: CallId,
        by: Option<LegId>,
        to: &str,
        consult: bool,
        now: Time,
    ) -> Result<(), TransferRefusal> {
        self.transfer_to(call, by, Goal::Number(to.to_owned()), consult, now)
    }

    /// The same to a place: an agent, an account, and, without a word before, a queue or a flow. A queue can be spoken to, as
    /// well: it gives one of its agents.
    ///
    /// # Errors
    /// As [`CallEngine::transfer`].
    pub fn transfer_to(
        &mut self,
        call: CallId,
        by: Option<LegId>,
        to: Goal,
        consult: bool,
        now: Time,
    ) -> Result<(), TransferRefusal> {
        self.desk.now = now;
        let by = self.sender(call, by)?;
        let wanted = Wanted { by, to, consult, ticket: None };
        self.ask(call, |call, desk| call.begin_transfer(desk, wanted))
    }

    /// Sends the party that talks to `by` in one call to whom the same party reached in `other`.
    ///
    /// # Errors
    /// If `call` is not two parties who talk, or `other` is not the caller's way to a target.
    pub fn transfer_to_call(
        &mut self,
        call: CallId,
        by: Option<LegId>,
        other: CallId,
        now: Time,
    ) -> Result<(), TransferRefusal> {
        self.desk.now = now;
        let by = self.sender(call, by)?;
        let party = self.calls.get(&call).and_then(|call| call.leg(by)).map(|leg| leg.party.user.clone());
        let legs = self.calls.get(&other).ok_or(TransferRefusal::NotFound)?;
        // the same party's leg there; the one that called if its names differ
        let same =
            legs.legs().filter(|leg| leg.is_alive()).find(|leg| Some(&leg.party.user) == party.as_ref());
        let leg = same.map_or(legs.caller.id, |leg| leg.id);
        self.join_by(by, leg, None)
    }

    /// Sends the party to the target that is spoken to, or rings.
    ///
    /// # Errors
    /// If no target is spoken to or rings for that.
    pub fn complete_transfer(&mut self, call: CallId, now: Time) -> Result<(), TransferRefusal> {
        self.desk.now = now;
        self.ask(call, Call::complete_transfer)
    }

    /// Takes a transfer back: the two talk again.
    ///
    /// # Errors
    /// If there is none, or who began it has left.
    pub fn cancel_transfer(&mut self, call: CallId, now: Time) -> Result<(), TransferRefusal> {
        self.desk.now = now;
        self.ask(call, Call::cancel_transfer)
    }

    /// Begins, ends, pauses or resumes the recording of a call. `by` is who asks and `why` his reason, for the mark of a
    /// pause.
    ///
    /// # Errors
    /// If there is nothing to record, or nothing that is recorded.
    pub fn record(&mut self, call: CallId, asked: RecordAsked, now: Time) -> Result<(), RecordRefusal> {
        self.desk.now = now;
        let mut answer = Err(RecordRefusal::NotFound);
        self.with(call, |call, desk| answer = call.record(desk, asked));
        answer
    }

    /// Has a program listen to a call (`Some`), or no longer.
    ///
    /// # Errors
    /// If nobody is there to be heard, a program listens already, or none does.
    pub fn listen(
        &mut self,
        call: CallId,
        asked: Option<ListenAsked>,
        now: Time,
    ) -> Result<(), ListenRefusal> {
        self.desk.now = now;
        let mut answer = Err(ListenRefusal::NotFound);
        self.with(call, |call, desk| {
            answer = match asked {
                Some(asked) => call.listen(desk, asked),
                None => call.listen_no_more(desk),
            };
        });
        answer
    }

    /// Does what an operator, the API or `core` wants. Commands about calls or legs that are gone are absorbed.
    pub fn handle_command(&mut self, command: CallCommand, now: Time) {
        self.desk.now = now;
        match command {
            CallCommand::HangUp { call, cause, by } => {
                self.with(call, |call, desk| call.end(desk, cause, by));
            }
            CallCommand::HangUpAll(cause) => {
                let all: Vec<CallId> = self.calls.keys().copied().collect();
                for call in all {
                    self.with(call, |call, desk| call.end(desk, cause, Party::Switch));
                }
            }
            CallCommand::Hold { leg } => {
                self.with_leg(leg, |call, desk| call.want_hold(desk, leg, true));
            }
            CallCommand::Retrieve { leg } => {
                self.with_leg(leg, |call, desk| call.want_hold(desk, leg, false));
            }
            CallCommand::Abort { call } => self.with(call, Call::abort),
            CallCommand::Unrecordable(whether) => self.desk.unrecordable = whether,
            CallCommand::Configure(config) => self.desk.configure(*config),
        }
    }

    /// Lets every deadline act that is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.desk.now = now;
        while let Some(timer) = self.desk.deadlines.pop_due(now) {
            match timer {
                Timer::Length(call) => self.with(call, |call, desk| {
                    call.end(desk, Cause::MaxDuration, Party::Switch);
                }),
                Timer::Warning(call) => self.with(call, Call::on_warning),
                Timer::Opening(call) => self.with(call, Call::on_opening_deadline),
                Timer::Route(call) => self.with(call, |call, desk| match &call.doing {
                    _ if call.room.asks() => call.guest_failed(desk, Cause::NoRoute),
                    Doing::Transfer(_) => call.transfer_failed(desk, Cause::NoRoute),
                    Doing::Talk(_) | Doing::Queue(_) => {}
                    _ => call.not_routed(desk, Cause::NoRoute),
                }),
                Timer::Step(call) => self.with(call, Call::on_step_deadline),
                Timer::Entry(call) => self.with(call, Call::on_entry_deadline),
                Timer::Close(call) => self.with(call, Call::close),
                Timer::Teardown(call) => self.with(call, Call::on_teardown_deadline),
                Timer::Conference(call) => self.with(call, Call::on_conference_deadline),
                Timer::Ring(leg) => {
                    self.with_leg(leg, |call, desk| call.on_ring_deadline(desk, leg));
                }
                Timer::Leg(leg) => {
                    self.with_leg(leg, |call, desk| call.on_leg_deadline(desk, leg));
                }
                Timer::Talk(leg) => {
                    self.with_leg(leg, |call, desk| call.on_talk_deadline(desk, leg));
                }
                Timer::Cover(leg) => {
                    self.with_leg(leg, |call, desk| call.on_cover_deadline(desk, leg));
                }
                Timer::Hold(leg) => {
                    self.with_leg(leg, |call, desk| call.on_hold_deadline(desk, leg));
                }
            }
        }
    }

    /// The next thing to do. `None` until the next input.
    pub fn poll_output(&mut self) -> Option<CallOutput> {
        self.desk.out.pop_front()
    }

    /// When to call [`CallEngine::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.desk.deadlines.next()
    }

    /// One call as readers see it.
    pub fn view(&self, call: CallId) -> Option<CallView> {
        self.calls.get(&call).map(|call| call.view())
    }

    /// A tenant's calls as readers see them, in the order they came.
    pub fn calls(&self, tenant: TenantId) -> Vec<CallView> {
        let all = self.calls.values();
        let ours = all.filter(|call| call.tenant() == tenant);
        ours.map(|call| call.view()).collect()
    }

    /// Whether the end of the call was told, or it is gone. Its last leg may wait for the journal yet.
    pub fn is_over(&self, call: CallId) -> bool {
        self.calls.get(&call).is_none_or(|call| call.closed)
    }

    /// Whether the call ends, or is gone.
    pub fn is_ending(&self, call: CallId) -> bool {
        self.calls.get(&call).is_none_or(|call| matches!(call.doing, Doing::Ending))
    }

    /// Whether the phone of who is called first has rung.
    pub fn has_rung(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|call| call.caller.rang.is_some())
    }

    /// Whether routing has spoken about the call before.
    pub fn was_routed(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|call| !call.route.is_empty())
    }

    /// Whether routing is asked for a call that we begin, or that a program sends to a number: by what trunk its first party
    /// was called or came gives him no rights and takes none from who asked for it.
    pub fn asks_for_us(&self, call: CallId, leg: LegId) -> bool {
        let of_us = |call: &Call| call.ours || call.ordered;
        let asks = |call: &Call| of_us(call) && call.caller.id == leg && matches!(call.doing, Doing::Routing);
        self.calls.get(&call).is_some_and(|call| asks(call))
    }

    /// Whether the first party of a call that we begin has still to answer.
    pub fn calls_first(&self, call: CallId) -> bool {
        let is_first = |call: &Call| matches!(call.doing, Doing::Opening | Doing::Originating(_));
        self.calls.get(&call).is_none_or(|call| is_first(call))
    }

    /// An entry of a call's data that is a string.
    pub fn data(&self, call: CallId, key: &str) -> Option<&str> {
        self.calls.get(&call)?.data.get(key)?.as_str()
    }

    /// How the last wait of a call in a queue ended, or is ending: as its record will have it.
    pub fn left_queue_as(&self, call: CallId) -> Option<&str> {
        self.calls.get(&call)?.visits.last().map(|visit| visit.outcome.as_str())
    }

    /// The call that a leg belongs to.
    pub fn call_of(&self, leg: LegId) -> Option<CallId> {
        self.desk.legs.get(&leg).copied()
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether no call, leg, playback, recording or deadline is left.
    pub fn is_quiescent(&self) -> bool {
        self.calls.is_empty()
            && self.desk.legs.is_empty()
            && self.desk.recordings.is_empty()
            && self.desk.deadlines.is_empty()
    }

    fn sender(&self, call: CallId, by: Option<LegId>) -> Result<LegId, TransferRefusal> {
        let found = self.calls.get(&call).ok_or(TransferRefusal::NotFound)?;
        match (by, &found.doing) {
            (Some(by), _) => found.leg(by).map(|leg| leg.id).ok_or(TransferRefusal::NotFound),
            (None, Doing::Talk(talk)) => Ok(talk.peer),
            (None, Doing::Transfer(_)) => Err(TransferRefusal::UnderWay),
            (None, _) => Err(TransferRefusal::NotTalking),
        }
    }

    fn ask(
        &mut self,
        call: CallId,
        act: impl FnOnce(&mut Call, &mut Desk) -> Result<(), TransferRefusal>,
    ) -> Result<(), TransferRefusal> {
        let mut answer = Err(TransferRefusal::NotFound);
        self.with(call, |call, desk| answer = act(call, desk));
        answer
    }

    /// Lets a call act for the API.
    pub(crate) fn ask_room<T>(
        &mut self,
        call: CallId,
        now: Time,
        act: impl FnOnce(&mut Call, &mut Desk) -> Result<T, RoomRefusal>,
    ) -> Result<T, RoomRefusal> {
        self.desk.now = now;
        let mut answer = Err(RoomRefusal::NotFound);
        self.with(call, |call, desk| answer = act(call, desk));
        answer
    }

    /// Joins the calls of two legs of one party.
    fn join_by(&mut self, by: LegId, other: LegId, ticket: Option<u32>) -> Result<(), TransferRefusal> {
        let call = self.call_of(by).ok_or(TransferRefusal::NotFound)?;
        let source = self.call_of(other).ok_or(TransferRefusal::NotFound)?;
        let joined = join::attended(&mut self.calls, &mut self.desk, (call, by), (source, other), ticket);
        self.with(source, |_, _| ());
        self.with(call, |_, _| ());
        joined
    }

    /// Lets callers who want another's place have it.
    fn settle_places(&mut self) {
        while let Some((taker, old, answered)) = self.desk.places.pop() {
            if !answered {
                join::ask_place(&mut self.calls, &mut self.desk, taker, old);
            } else if let Some(into) = join::take_place(&mut self.calls, &mut self.desk, taker, old) {
                self.with(into, |_, _| ());
            }
            self.with(taker, |_, _| ());
        }
    }

    fn begin(&mut self, id: CallId, incoming: Incoming) {
        if self.calls.contains_key(&id) || self.desk.legs.contains_key(&incoming.leg) {
            return; // a second word about the same call
        }
        let full = self.calls.len() >= usize::try_from(self.desk.limits.calls).unwrap_or(usize::MAX);
        let call = Call::begin(id, incoming, full, &mut self.desk);
        self.calls.insert(id, Box::new(call));
        self.with(id, |_, _| ());
    }

    fn on_media(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Opened { leg, .. } => {
                self.with_leg(leg, |call, desk| call.on_opened(desk, leg));
            }
            MediaEvent::OpenFailed { leg, .. } => {
                self.with_leg(leg, |call, desk| call.on_open_failed(desk, leg));
            }
            MediaEvent::Digit { leg, digit } => {
                self.with_leg(leg, |call, desk| call.digit(desk, leg, digit));
            }
            MediaEvent::PlayDone { leg, playback, finished } => {
                self.with_leg(leg, |call, desk| call.on_play_done(desk, leg, playback, finished));
            }
            MediaEvent::Locked { .. } | MediaEvent::DigitDue { .. } | MediaEvent::Vacated { .. } => {}
            MediaEvent::Speaking { mix, leg } => {
                self.with(mix, |call, desk| call.speaks(desk, leg));
            }
            // what was to be heard never will be: as good as silence, told sooner
            MediaEvent::Silent { leg } | MediaEvent::PathFailed { leg, .. } => {
                self.with_leg(leg, |call, desk| call.on_silent(desk, leg));
            }
            MediaEvent::Audio { leg, news } => {
                self.with_leg(leg, |call, desk| call.on_audio(desk, leg, news));
            }
            MediaEvent::RecordingPaused { recording, on, sample } => {
                self.with_recording(recording, |call, desk| {
                    call.on_recording_paused(desk, recording, on, sample);
                });
            }
            MediaEvent::RecordingClosed { recording, length_ms, dropped_ms } => {
                self.with_recording(recording, |call, desk| {
                    call.on_recording_closed(desk, recording, length_ms, dropped_ms);
                });
            }
            MediaEvent::Closed { leg, stats } => {
                self.with_leg(leg, |call, desk| call.on_closed(desk, leg, stats));
            }
        }
    }

    /// An offer for a call that is gone is refused too: the queue holds an agent for it.
    fn on_offer(&mut self, call: CallId, offered: Offered) {
        if self.calls.contains_key(&call) {
            self.with(call, |call, desk| call.on_offer(desk, offered));
        } else {
            refuse_offer(&mut self.desk, call, offered.agent, Cause::Cancelled, true);
        }
    }

    /// Lets a call act, then brings it as far towards its end as it can go.
    pub(crate) fn with(&mut self, id: CallId, act: impl FnOnce(&mut Call, &mut Desk)) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        act(call, &mut self.desk);
        call.progress(&mut self.desk);
        if call.forgotten {
            self.calls.remove(&id);
        }
    }

    pub(crate) fn with_leg(&mut self, leg: LegId, act: impl FnOnce(&mut Call, &mut Desk)) {
        if let Some(call) = self.desk.legs.get(&leg).copied() {
            self.with(call, act);
        }
    }

    fn with_recording(&mut self, id: RecordingId, act: impl FnOnce(&mut Call, &mut Desk)) {
        if let Some(call) = self.desk.recordings.get(&id).copied() {
            self.with(call, act);
        }
    }
}

/// Routing's word. A second one is absorbed.
fn routed(call: &mut Call, desk: &mut Desk, to: Result<Destination, Cause>, reasons: Vec<RouteReason>) {
    let transfers = matches!(&call.doing, Doing::Transfer(transfer) if transfer.stage == Stage::Routing);
    if call.room.asks() {
        return call.guest_routed(desk, to);
    }
    let finds_first = call.finds_first();
    if !matches!(call.doing, Doing::Routing) && !transfers && !finds_first {
        return;
    }
    desk.clear(Timer::Route(call.id));
    call.route = reasons.clone();
    let told = match &to {
        Ok(to) => in_words(to),
        Err(cause) => format!("refused {}", cause.as_str()),
    };
    let id = call.id;
    desk.event(call.tenant(), EventKind::CallRouted { call: id, to: told, reasons });
    match to {
        to if transfers => call.transfer_routed(desk, to),
        to if finds_first => call.first_routed(desk, to),
        Ok(to) => {
            // a device that sent the call there took it from the flow that had rung it
            if matches!(to, Destination::Flow(_) | Destination::Queue(_)) {
                call.stop_flow(desk, false);
            }
            call.go(desk, to);
        }
        Err(cause) => call.not_routed(desk, cause),
    }
}

fn in_words(to: &Destination) -> String {
    match to {
        Destination::Flow(flow) => format!("flow {flow}"),
        Destination::Queue(queue) => format!("queue {queue}"),
        Destination::Agent(agent) => format!("agent {agent}"),
        Destination::User(user) => format!("user {user}"),
        Destination::Trunk(trunk, number) => format!("trunk {trunk} {number}"),
    }
}
