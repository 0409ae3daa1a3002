//! Conferences, supervision and mutes that the API asks for.

use crate::shard::Shard;
use cordboard_call::{RoomRefusal, Supervise};
use cordboard_model::cdr::SupervisionMode;
use cordboard_model::id::{CallId, LegId};
use cordboard_model::time::Time;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomOrder {
    /// Have `by` (the called party if none is named) add whom this number reaches.
    Add(Option<LegId>, String),
    /// Make a conference of a consultation.
    AddConsulted,
    /// Take a party out.
    Remove(LegId),
    /// Have nobody hear a party, or everybody again.
    Mute(LegId, bool),
    /// Ring a supervisor.
    Supervise(Supervise),
    /// Have him do something else.
    Change(SupervisionMode),
    /// Let him go.
    EndSupervision,
}

impl Shard {
    /// Does what a call's room is asked for. Gives the supervisor's leg, if he is rung.
    ///
    /// # Errors
    /// If that is not possible now.
    pub fn room(&mut self, call: CallId, order: RoomOrder, now: Time) -> Result<Option<LegId>, RoomRefusal> {
        self.now = now.max(self.now);
        self.in_hand = Some(call);
        let (now, calls) = (self.now, &mut self.calls);
        let answer = match order {
            RoomOrder::Add(by, to) => calls.conference(call, by, &to, now).map(|()| None),
            RoomOrder::AddConsulted => calls.conference_with_consulted(call, now).map(|()| None),
            RoomOrder::Remove(leg) => calls.remove(call, leg, now).map(|()| None),
            RoomOrder::Mute(leg, muted) => calls.mute(call, leg, muted, now).map(|()| None),
            RoomOrder::Supervise(wanted) => calls.supervise(call, wanted, now).map(Some),
            RoomOrder::Change(mode) => calls.change_supervision(call, mode, now).map(|()| None),
            RoomOrder::EndSupervision => calls.end_supervision(call, now).map(|()| None),
        };
        self.settle();
        answer
    }
}
