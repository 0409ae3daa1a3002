//! An agent in a call, found without his leg: where he stands, and what he may order there.
//!
//! Invariant: an order is obeyed, or refused with one reason and nothing has changed.

use crate::call::{Call, Doing};
use crate::desk::Desk;
use crate::engine::CallEngine;
use crate::leg::{Leg, LegState};
use crate::output::DialTarget;
use crate::room::RoomRefusal;
use crate::transfer::{Stage, TransferRefusal, Wanted};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::desk::{
    DeskFault, Goal, RecordingNow, Seat, SeatOrder, SeatState, TransferWay, WrapUp, wrap_up_into,
};
use cordboard_model::id::{AgentId, CallId, LegId, QueueId, UserId};
use cordboard_model::leg::Target;
use cordboard_model::time::Time;
use cordboard_model::verb::Destination;

impl From<TransferRefusal> for DeskFault {
    fn from(refused: TransferRefusal) -> Self {
        match refused {
            TransferRefusal::NotFound => Self::NotInCall,
            TransferRefusal::NotTalking => Self::NotTalking,
            TransferRefusal::UnderWay => Self::Consulting,
            TransferRefusal::None => Self::NotConsulting,
            TransferRefusal::Alone => Self::Alone,
            TransferRefusal::Conference => Self::Conference,
            TransferRefusal::Recordings => Self::Recordings,
        }
    }
}

/// Why somebody is not added or taken out.
fn of_room(refused: RoomRefusal) -> DeskFault {
    match refused {
        RoomRefusal::NotFound => DeskFault::NoSuchParty,
        RoomRefusal::NotTalking => DeskFault::NotTalking,
        RoomRefusal::UnderWay => DeskFault::Conference,
        RoomRefusal::None => DeskFault::NotConsulting,
        RoomRefusal::Full => DeskFault::Full,
        RoomRefusal::Own => DeskFault::OwnCall,
        RoomRefusal::Recordings => DeskFault::Recordings,
    }
}

impl CallEngine {
    /// Where an agent stands in a call. `user` is his account.
    pub fn seat(&self, call: CallId, agent: &AgentId, user: &UserId) -> Option<Seat> {
        let known = self.calls.get(&call)?;
        let seat = known.seat(agent, user)?;
        Some(Seat { recording: known.recording_now(&self.desk), ..seat })
    }

    /// Does what is ordered in the name of who is at the end of `leg`.
    ///
    /// # Errors
    /// If that is not possible now; nothing has changed then.
    pub fn seat_order(
        &mut self,
        call: CallId,
        leg: LegId,
        order: SeatOrder,
        now: Time,
    ) -> Result<(), DeskFault> {
        self.desk.now = now;
        let mut answer = Err(DeskFault::NotInCall);
        self.with(call, |call, desk| answer = call.seat_order(desk, leg, order));
        answer
    }

    /// Keeps what an agent said of a call. False if the call has its record already.
    pub fn wrap_up(&mut self, call: CallId, said: WrapUp, now: Time) -> bool {
        self.desk.now = now;
        let mut kept = false;
        self.with(call, |call, _| {
            kept = !call.closed;
            if kept {
                wrap_up_into(&mut call.wrap_ups, said);
            }
        });
        kept
    }

    /// Has a caller who waits do so in another queue.
    ///
    /// # Errors
    /// If he does not wait.
    pub fn requeue(&mut self, call: CallId, queue: QueueId, now: Time) -> Result<(), DeskFault> {
        self.desk.now = now;
        let mut answer = Err(DeskFault::NotWaiting);
        self.with(call, |call, desk| answer = call.requeue(desk, queue));
        answer
    }

    /// What agents said of a call so far.
    pub fn wrap_ups(&self, call: CallId) -> &[WrapUp] {
        self.calls.get(&call).map(|call| call.wrap_ups.as_slice()).unwrap_or_default()
    }

    /// The legs of the others who talk with who is at the end of `leg`.
    pub fn others_who_talk(&self, call: CallId, leg: LegId) -> Vec<LegId> {
        let talkers = self.calls.get(&call).map(|call| call.talkers()).unwrap_or_default();
        if !talkers.contains(&leg) {
            return Vec::new();
        }
        talkers.into_iter().filter(|other| *other != leg).collect()
    }
}

impl Call {
    fn seat(&self, agent: &AgentId, user: &UserId) -> Option<Seat> {
        let is_his = |leg: &&Leg| {
            let back = match &leg.back {
                Some(DialTarget::Agent(known)) => known == agent,
                Some(DialTarget::Target(Target::User(known))) => known == user,
                _ => false,
            };
            leg.is_alive() && (back || leg.agent.as_ref() == Some(agent))
        };
        let leg = self.legs().find(is_his).filter(|_| self.end.is_none())?;
        let held = !self.held_at(leg.id).is_empty();
        let recording = RecordingNow::Off;
        Some(Seat { leg: leg.id, state: self.seat_state(leg), held, muted: leg.muted, recording })
    }

    fn seat_state(&self, leg: &Leg) -> SeatState {
        let rings =
            matches!(leg.state, LegState::Opening | LegState::Calling | LegState::Ringing) || leg.is_asked();
        let supervises = self.room.watch.as_ref().is_some_and(|watch| watch.record.leg == leg.id);
        match &self.doing {
            _ if rings => SeatState::Ringing,
            _ if supervises => SeatState::Supervising,
            Doing::Talk(talk) if talk.joined => SeatState::Talking,
            Doing::Transfer(transfer) if transfer.talk.peer == leg.id => match transfer.consult {
                true => SeatState::Consulting,
                false => SeatState::Sending,
            },
            Doing::Transfer(transfer) if transfer.target == Some(leg.id) => SeatState::Consulted,
            Doing::Transfer(_) => SeatState::Waiting,
            _ => SeatState::Dialling,
        }
    }

    /// Whose leg is on hold when who is at the end of `leg` holds: the other one's where two talk, his own where several
    /// do, who then go on without him.
    fn held_by(&self, leg: LegId) -> Option<LegId> {
        let talkers = self.talkers();
        let is_one = talkers.contains(&leg);
        match talkers.as_slice() {
            [a, b] if is_one => Some(if *a == leg { *b } else { *a }),
            _ => is_one.then_some(leg),
        }
    }

    /// Who is on hold by the word of who is at the end of `leg`, however many talk since; or whom he would hold now, if
    /// somebody else does.
    fn held_at(&self, leg: LegId) -> Vec<LegId> {
        let now = self.held_by(leg);
        let is_his =
            |held: &&Leg| held.holding.wanted && (held.holding.orderer == Some(leg) || Some(held.id) == now);
        self.legs().filter(is_his).map(|held| held.id).collect()
    }

    fn seat_order(&mut self, desk: &mut Desk, leg: LegId, order: SeatOrder) -> Result<(), DeskFault> {
        if self.end.is_some() || !self.leg(leg).is_some_and(Leg::is_alive) {
            return Err(DeskFault::NotInCall);
        }
        match order {
            SeatOrder::Release => {
                self.leaves(desk, leg);
                Ok(())
            }
            SeatOrder::Hold(on) => self.seat_hold(desk, leg, on),
            SeatOrder::Mute(on) => self.seat_mute(desk, leg, on),
            SeatOrder::Consult(goal) => {
                let to = if is_queue(&goal) { goal } else { person(goal)? };
                let wanted = Wanted { by: leg, to, consult: true, ticket: None };
                Ok(self.begin_transfer(desk, wanted)?)
            }
            SeatOrder::Complete => self.as_sender(leg).and_then(|()| Ok(self.complete_transfer(desk)?)),
            SeatOrder::Cancel => self.as_sender(leg).and_then(|()| Ok(self.cancel_transfer(desk)?)),
            SeatOrder::Merge => self.as_sender(leg).and_then(|()| self.merge(desk).map_err(of_room)),
            SeatOrder::Transfer(goal, way) => self.seat_transfer(desk, leg, goal, way),
            SeatOrder::Add(goal) => {
                let goal = person(goal)?;
                self.add_guest(desk, Some(leg), goal).map_err(of_room)
            }
            SeatOrder::Remove(other) => {
                if !self.talks(leg) {
                    return Err(DeskFault::NotTalking);
                }
                self.remove(desk, other).map_err(of_room)
            }
        }
    }

    /// Only who began a transfer may end it.
    fn as_sender(&self, leg: LegId) -> Result<(), DeskFault> {
        match &self.doing {
            Doing::Transfer(transfer) if transfer.talk.peer == leg => Ok(()),
            _ => Err(DeskFault::NotConsulting),
        }
    }

    /// He leaves as if his phone had ended the call, or refuses it while it rings.
    fn leaves(&mut self, desk: &mut Desk, leg: LegId) {
        let rings = self.leg(leg).is_some_and(|leg| leg.answered.is_none());
        let cause = if rings { Cause::Declined } else { Cause::Normal };
        if leg == self.caller.id && rings {
            return self.end(desk, Cause::Cancelled, Party::Caller);
        }
        // first the news, then the port: a recording is stopped before one of its legs is closed
        self.leg_lost(desk, leg, cause, true);
        if self.end.is_none() {
            self.hang_up_leg(desk, leg, if rings { Cause::Cancelled } else { cause });
        }
    }

    fn seat_hold(&mut self, desk: &mut Desk, leg: LegId, on: bool) -> Result<(), DeskFault> {
        if matches!(&self.doing, Doing::Transfer(transfer) if transfer.talk.peer == leg) {
            return Err(DeskFault::Consulting);
        }
        let target = self.held_by(leg).ok_or(DeskFault::NotTalking)?;
        let held = self.held_at(leg);
        match (held.is_empty(), on) {
            (false, true) => return Err(DeskFault::HeldAlready),
            (true, false) => return Err(DeskFault::NotHeld),
            (true, true) => {
                if let Some(held) = self.leg_mut(target) {
                    held.holding.orderer = Some(leg);
                }
                self.want_hold(desk, target, true);
            }
            (false, false) => held.into_iter().for_each(|held| self.want_hold(desk, held, false)),
        }
        Ok(())
    }

    fn seat_mute(&mut self, desk: &mut Desk, leg: LegId, on: bool) -> Result<(), DeskFault> {
        let is_on = self.leg(leg).is_some_and(|leg| leg.muted);
        match (is_on, on) {
            (true, true) => Err(DeskFault::MutedAlready),
            (false, false) => Err(DeskFault::NotMuted),
            _ => self.mute(desk, leg, on).map_err(of_room),
        }
    }

    fn seat_transfer(
        &mut self,
        desk: &mut Desk,
        leg: LegId,
        goal: Goal,
        way: TransferWay,
    ) -> Result<(), DeskFault> {
        let goal = if way == TransferWay::AfterSuccess { person(goal)? } else { goal };
        let wanted = Wanted { by: leg, to: goal, consult: false, ticket: None };
        self.begin_transfer(desk, wanted)?;
        let sends = matches!(&self.doing, Doing::Transfer(transfer) if transfer.stage != Stage::Recall);
        if way == TransferWay::Blind && sends {
            self.sender_gone(desk);
            self.let_leave(desk, leg);
        }
        Ok(())
    }
}

/// A queue can be consulted: it gives one of its agents.
fn is_queue(goal: &Goal) -> bool {
    matches!(goal, Goal::Place(Destination::Queue(_)))
}

/// One who can be spoken to, or waited for.
fn person(goal: Goal) -> Result<Goal, DeskFault> {
    match goal {
        Goal::Place(Destination::Flow(_) | Destination::Queue(_)) => Err(DeskFault::NotAPerson),
        goal => Ok(goal),
    }
}
