//! Who answers a telephone outside must press a key before anybody is joined with him: a mailbox answers, too.
//!
//! Invariant: a leg that has to be confirmed is answered, for all of the call, when its key is pressed and not before. Until
//! then nobody hears it, it hears the question alone, and it is lost when the time is over.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::leg::{Heard, Leg};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::dial::Accept;
use cordboard_model::id::LegId;
use cordboard_model::media::Repeat;
use cordboard_model::time::{Duration, Time};

/// What a leg is asked when it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirm {
    accept: Accept,
    /// It was answered, and its key is waited for.
    pub(crate) asked: bool,
}

impl CallEngine {
    /// Who answers a leg is there, as if he had pressed the key. False if it is asked for none.
    pub fn confirm(&mut self, leg: LegId, now: Time) -> bool {
        self.desk.now = now;
        let mut confirmed = false;
        self.with_leg(leg, |call, desk| confirmed = call.confirm(desk, leg));
        confirmed
    }
}

impl Call {
    /// Who answers there must press a key.
    pub(crate) fn must_confirm(&mut self, id: LegId, accept: Accept) {
        if let Some(leg) = self.leg_mut(id).filter(|leg| leg.answered.is_none()) {
            leg.confirm = Some(Box::new(Confirm { accept, asked: false }));
        }
    }

    /// A trunk carries this leg, whoever was called.
    pub(crate) fn is_carried(&mut self, id: LegId) {
        if let Some(leg) = self.leg_mut(id) {
            leg.carried = true;
        }
    }

    /// A device answered. True if it must confirm that, and is asked to.
    pub(crate) fn asks_to_confirm(&mut self, desk: &mut Desk, id: LegId) -> bool {
        let now = desk.wall_now();
        let Some(leg) = self.leg_mut(id) else { return false };
        let Some(confirm) = leg.confirm.as_mut() else { return false };
        confirm.asked = true;
        let Accept { prompt, timeout_ms, .. } = confirm.accept.clone();
        leg.picked_up = Some(now);
        self.note_charged(id, now);
        desk.clear(Timer::Leg(id));
        // counted from the answer: how long somebody may be kept waiting for nothing does not hang on the question
        desk.set(Timer::Ring(id), Duration::from_millis(timeout_ms.into()));
        self.play(desk, id, Heard::Question, prompt, Repeat::Once);
        true
    }

    /// A key of one who is asked to confirm. Says whether it was meant for us.
    pub(crate) fn confirm_key(&mut self, desk: &mut Desk, id: LegId, digit: char) -> bool {
        let asked = self.leg(id).filter(|leg| leg.is_asked());
        let Some(accept) = asked.and_then(|leg| leg.confirm.as_ref()).map(|confirm| &confirm.accept) else {
            return false;
        };
        if accept.key == digit {
            self.confirm(desk, id);
        } else if accept.refuse == Some(digit) {
            self.unconfirmed(desk, id, Cause::Declined);
        }
        true
    }

    /// Who answers is there. False if that leg is not asked.
    fn confirm(&mut self, desk: &mut Desk, id: LegId) -> bool {
        let Some(leg) = self.leg_mut(id).filter(|leg| leg.is_asked()) else {
            return false;
        };
        leg.confirm = None;
        desk.clear(Timer::Ring(id));
        self.stop_play(desk, id);
        self.is_up(desk, id);
        true
    }

    /// Whether this leg was asked for a key and its time is up; then nobody has answered.
    pub(crate) fn confirm_late(&mut self, desk: &mut Desk, id: LegId) -> bool {
        let late = self.leg(id).is_some_and(Leg::is_asked);
        if late {
            self.unconfirmed(desk, id, Cause::NoAnswer);
        }
        late
    }

    fn unconfirmed(&mut self, desk: &mut Desk, id: LegId, cause: Cause) {
        self.stop_play(desk, id);
        if id == self.caller.id {
            // it is the last leg, which is ended after the record
            return self.end(desk, cause, Party::Switch);
        }
        self.hang_up_leg(desk, id, cause);
        self.leg_lost(desk, id, cause, false);
    }
}
