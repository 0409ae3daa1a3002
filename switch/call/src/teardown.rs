//! The end of a call, in this order: the decision; every leg but one told to hang up; media closed; the
//! record; the last leg told to hang up; nothing left.
//!
//! Invariants: the first decision stands; the record is made once; after `CallLimits::teardown` the call
//! is gone, whoever has not answered.

use crate::call::{Call, Doing, End};
use crate::desk::{Desk, Timer};
use crate::leg::{Leg, LegState, Port};
use crate::output::CallOutput;
use crate::record::Recording;
use cordboard_model::act::ActEnd;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::LegRole;
use cordboard_model::event::EventKind;
use cordboard_model::id::LegId;
use cordboard_model::leg::LegCommand;

impl Call {
    /// Decides the end.
    pub(crate) fn end(&mut self, desk: &mut Desk, cause: Cause, by: Party) {
        if self.end.is_some() {
            return;
        }
        self.end = Some(End { cause, by, at: desk.wall_now() });
        let id = self.id;
        desk.clear(Timer::Length(id));
        desk.clear(Timer::Warning(id));
        desk.clear(Timer::Opening(id));
        desk.clear(Timer::Route(id));
        desk.clear(Timer::Conference(id));
        desk.set(Timer::Teardown(id), desk.limits.teardown);
        // Their legs are ended with the others: one may be the last, which waits for the record.
        self.refuse_offers(desk, Cause::Cancelled);
        match core::mem::replace(&mut self.doing, Doing::Ending) {
            Doing::Queue(wait) => self.abandon(desk, &wait, by),
            Doing::Originating(originating) => self.end_recall(desk, originating.recall, cause, by),
            Doing::Talk(talk) => self.part(desk, talk),
            Doing::Transfer(transfer) => self.end_transfer(desk, *transfer),
            _ => {}
        }
        if let Some(aside) = self.aside.take() {
            self.part(desk, aside.talk);
        }
        self.end_acts(desk, ActEnd::Left);
        self.dismiss(desk);
        self.release_any(desk);
        self.stop_flow(desk, true);
        self.tell_stage(desk);
        let last = self.last_leg();
        for leg in self.living() {
            if Some(leg) == last {
                desk.clear(Timer::Ring(leg));
                self.close_port(desk, leg);
            } else {
                let cause = self.cause_for(leg, cause);
                self.hang_up_leg(desk, leg, cause);
            }
        }
        desk.set(Timer::Close(id), desk.limits.close_wait);
    }

    /// The leg that hears of the end after the journal does: the caller's if it lives.
    fn last_leg(&self) -> Option<LegId> {
        // one that waits for its port has no session that could be told
        let told = self.legs().find(|leg| leg.is_alive() && leg.state != LegState::Opening);
        told.map(|leg| leg.id).or_else(|| self.living().first().copied())
    }

    fn living(&self) -> Vec<LegId> {
        let living = self.legs().filter(|leg| leg.is_alive());
        living.map(|leg| leg.id).collect()
    }

    /// A device that never answered is cancelled, whatever ends the call.
    fn cause_for(&self, id: LegId, cause: Cause) -> Cause {
        match self.leg(id) {
            Some(leg) if leg.role == LegRole::Callee && leg.answered.is_none() => Cause::Cancelled,
            _ => cause,
        }
    }

    fn waits_for_figures(&self) -> bool {
        self.legs().any(|leg| leg.port == Port::Closing)
    }

    /// Goes as far towards the end as can be gone. Called after every input.
    pub(crate) fn progress(&mut self, desk: &mut Desk) {
        self.settle_acts(desk);
        self.settle_listening(desk);
        self.tell_changes(desk);
        if self.end.is_none() {
            return;
        }
        if !self.closed && !self.waits_for_figures() {
            self.close(desk);
        }
        let finished = self.legs().all(Leg::is_finished) && self.recordings.iter().all(Recording::is_closed);
        if self.closed && finished {
            self.forget(desk);
        }
    }

    /// Makes the record, then ends the last leg.
    pub(crate) fn close(&mut self, desk: &mut Desk) {
        let Some(end) = self.end else { return };
        if self.closed {
            return;
        }
        desk.clear(Timer::Close(self.id));
        let living = self.living();
        for leg in &living {
            let cause = self.cause_for(*leg, end.cause);
            let refused = *leg == self.caller.id && self.caller.state == LegState::Arrived;
            let status = refused.then(|| cause.sip_status());
            self.note_end(desk, *leg, cause, status);
        }
        let cdr = Box::new(self.cdr(end));
        self.closed = true;
        let call = self.id;
        desk.out.push_back(CallOutput::Closing { call, cdr: cdr.clone() });
        let ended = EventKind::CallEnded { call, cause: end.cause, by: end.by, cdr };
        desk.event(self.tenant(), ended);
        for leg in living {
            let cause = self.cause_for(leg, end.cause);
            self.hang_up_leg(desk, leg, cause);
        }
    }

    /// A panic was caught while this call was in hand: nothing is waited for, and every command that the fault
    /// may have swallowed is given again.
    pub(crate) fn abort(&mut self, desk: &mut Desk) {
        let text = format!("call {} was ended after a fault in the switch; see the log", self.id);
        let code = "call_aborted".into();
        desk.event(self.tenant(), EventKind::Alarm { code, text });
        let swallowed = |leg: &&Leg| leg.state == LegState::Ending;
        let ending: Vec<LegId> = self.legs().filter(swallowed).map(|leg| leg.id).collect();
        self.end(desk, Cause::InternalError, Party::Switch);
        if !self.closed {
            let at = desk.wall_now();
            self.end = Some(End { cause: Cause::InternalError, by: Party::Switch, at });
            self.close(desk);
        }
        let cause = Cause::InternalError;
        for leg in ending {
            desk.leg(leg, LegCommand::HangUp { cause });
        }
        self.stop_recordings(desk);
        for leg in self.legs().map(|leg| leg.id).collect::<Vec<_>>() {
            self.hang_up_leg(desk, leg, cause);
            self.close_port(desk, leg);
        }
        desk.set(Timer::Teardown(self.id), desk.limits.teardown);
    }

    /// Whoever has not answered by now is not waited for.
    pub(crate) fn on_teardown_deadline(&mut self, desk: &mut Desk) {
        self.close(desk);
        let mut left = Vec::new();
        for leg in self.legs().filter(|leg| !leg.is_finished()) {
            left.push(format!("leg {} ({:?}, media {:?})", leg.id, leg.state, leg.port));
        }
        for recording in self.recordings.iter().filter(|r| !r.is_closed()) {
            left.push(format!("recording {}", recording.id));
        }
        let text = format!("call {} was forgotten by force; not gone in time: {}", self.id, left.join(", "));
        let code = "call_teardown".into();
        desk.event(self.tenant(), EventKind::Alarm { code, text });
        self.forget(desk);
    }

    /// Nothing is left here.
    fn forget(&mut self, desk: &mut Desk) {
        if self.forgotten {
            return;
        }
        self.forgotten = true;
        let id = self.id;
        let before = [Timer::Length, Timer::Warning, Timer::Opening, Timer::Route, Timer::Entry];
        for timer in before.into_iter().chain([Timer::Step, Timer::Conference, Timer::Close, Timer::Teardown])
        {
            desk.clear(timer(id));
        }
        for leg in self.legs() {
            // one that went to another call is not ours any more
            if desk.legs.get(&leg.id) != Some(&id) {
                continue;
            }
            desk.legs.remove(&leg.id);
            for timer in [Timer::Ring, Timer::Leg, Timer::Hold, Timer::Talk, Timer::Cover] {
                desk.clear(timer(leg.id));
            }
        }
        for recording in &self.recordings {
            desk.recordings.remove(&recording.id);
        }
        self.forget_secrets(desk);
        desk.out.push_back(CallOutput::Forgotten { call: id });
    }
}
