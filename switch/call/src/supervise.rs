//! A supervisor in a call: he listens, whispers to the agent, barges in, or takes the agent's place.
//!
//! Invariants: one supervisor at a time; his phone is rung like any other, and the call goes on whatever he does. He is
//! let go when the agent he supervises leaves or the talk ends, and the record has what he did and when. While the agent
//! sends the caller elsewhere nobody is joined, so he hears nothing; when the two talk again he is back.

use crate::call::{Call, Doing};
use crate::desk::Desk;
use crate::engine::CallEngine;
use crate::leg::Leg;
use crate::output::DialTarget;
use crate::room::RoomRefusal;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{Supervision, SupervisionMode, SupervisionTurn};
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId};
use cordboard_model::leg::{PartyId, Target};
use cordboard_model::time::Time;

/// Who wants to supervise, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervise {
    /// What he will do.
    pub mode: SupervisionMode,
    /// His phone: the devices of an agent, or of an account.
    pub by: DialTarget,
    /// The leg of the agent who is supervised; the call's agent if none is named.
    pub of: Option<LegId>,
}

/// A supervisor, or who will be one when he answers.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) up: bool,
    pub(crate) record: Supervision,
}

impl CallEngine {
    /// Has a supervisor's phone rung. Gives its leg.
    ///
    /// # Errors
    /// If nobody talks, the call has a supervisor, or he is the agent himself.
    pub fn supervise(&mut self, call: CallId, wanted: Supervise, now: Time) -> Result<LegId, RoomRefusal> {
        self.ask_room(call, now, |call, desk| call.supervise(desk, wanted))
    }

    /// Has the supervisor do something else.
    ///
    /// # Errors
    /// If there is none.
    pub fn change_supervision(
        &mut self,
        call: CallId,
        mode: SupervisionMode,
        now: Time,
    ) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, |call, desk| call.change_watch(desk, mode))
    }

    /// Lets the supervisor go.
    ///
    /// # Errors
    /// If there is none.
    pub fn end_supervision(&mut self, call: CallId, now: Time) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, |call, desk| {
            call.room.watch.as_ref().ok_or(RoomRefusal::None)?;
            call.end_watch(desk, Cause::Normal);
            call.settle_hold(desk);
            Ok(())
        })
    }
}

impl Call {
    fn supervise(&mut self, desk: &mut Desk, wanted: Supervise) -> Result<LegId, RoomRefusal> {
        let talkers = self.talkers();
        if talkers.is_empty() {
            return Err(RoomRefusal::NotTalking);
        }
        if self.room.watch.is_some() {
            return Err(RoomRefusal::UnderWay);
        }
        let of = wanted.of.or_else(|| self.agent_leg()).ok_or(RoomRefusal::NotTalking)?;
        if !talkers.contains(&of) {
            return Err(RoomRefusal::NotFound);
        }
        let (party, agent) = match &wanted.by {
            DialTarget::Agent(agent) => (PartyId::new(agent.name.as_str()), Some(agent.clone())),
            DialTarget::Target(Target::User(user)) => (PartyId::new(user.name.as_str()), None),
            DialTarget::Target(Target::Trunk(_, number)) => (PartyId::new(number), None),
        };
        let is_own = |leg: &Leg| {
            (agent.is_some() && leg.agent == agent)
                || leg.back.as_ref().is_some_and(|back| *back == wanted.by)
        };
        if talkers.iter().filter_map(|leg| self.leg(*leg)).any(is_own) {
            return Err(RoomRefusal::Own);
        }
        let from = self.caller.party.clone();
        let target = (wanted.by, from);
        let leg = self.call_out(desk, target, party.clone(), agent.clone(), desk.limits.ring);
        let record = Supervision {
            leg,
            by: party,
            agent,
            of,
            mode: wanted.mode,
            asked: desk.wall_now(),
            turns: Vec::new(),
            ended: None,
            cause: None,
        };
        self.tell_watch(desk, &record);
        self.room.watch = Some(Watch { up: false, record });
        Ok(leg)
    }

    /// The leg of the agent in the talk; the called party's, if there is none.
    pub(crate) fn agent_leg(&self) -> Option<LegId> {
        let Doing::Talk(talk) = &self.doing else { return None };
        let of_agent = |leg: &&Leg| leg.agent.is_some();
        let peer = self.leg(talk.peer).filter(of_agent);
        let caller = core::iter::once(&self.caller).find(of_agent);
        Some(peer.or(caller).map_or(talk.peer, |leg| leg.id))
    }

    fn tell_watch(&self, desk: &mut Desk, record: &Supervision) {
        let supervision = Box::new(record.clone());
        desk.event(self.tenant(), EventKind::CallSupervised { call: self.id, supervision });
    }

    fn change_watch(&mut self, desk: &mut Desk, mode: SupervisionMode) -> Result<(), RoomRefusal> {
        let most = desk.limits.leg_records.max(1);
        let at = desk.wall_now();
        let watch = self.room.watch.as_mut().ok_or(RoomRefusal::None)?;
        if watch.record.mode == mode {
            return Ok(());
        }
        watch.record.mode = mode;
        if watch.up {
            // one who changes for ever keeps his latest turns
            if watch.record.turns.len() >= most {
                watch.record.turns.remove(0);
            }
            watch.record.turns.push(SupervisionTurn { mode, at });
        }
        let (up, record) = (watch.up, watch.record.clone());
        self.tell_watch(desk, &record);
        if up {
            self.act_on_watch(desk);
        }
        Ok(())
    }

    /// The supervisor has answered.
    pub(crate) fn watch_up(&mut self, desk: &mut Desk) {
        let at = desk.wall_now();
        let Some(watch) = self.room.watch.as_mut() else { return };
        watch.up = true;
        let mode = watch.record.mode;
        watch.record.turns.push(SupervisionTurn { mode, at });
        let record = watch.record.clone();
        self.tell_watch(desk, &record);
        self.act_on_watch(desk);
    }

    /// Does what the supervisor wants, as far as it can be done now.
    pub(crate) fn act_on_watch(&mut self, desk: &mut Desk) {
        let joined = matches!(&self.doing, Doing::Talk(talk) if talk.joined);
        let takes = |watch: &Watch| watch.up && watch.record.mode == SupervisionMode::Intercept;
        if joined && self.room.watch.as_ref().is_some_and(takes) {
            self.check_watch(desk);
            self.intercept(desk);
        }
        self.settle_hold(desk);
    }

    /// A supervisor whose agent has left is let go.
    pub(crate) fn check_watch(&mut self, desk: &mut Desk) {
        let Some(watch) = &self.room.watch else { return };
        if !self.talks(watch.record.of) {
            self.end_watch(desk, Cause::Normal);
        }
    }

    /// The supervisor takes the agent's place.
    fn intercept(&mut self, desk: &mut Desk) {
        let Some(watch) = self.room.watch.take() else { return };
        let (leg, of) = (watch.record.leg, watch.record.of);
        let agent = watch.record.agent.clone();
        self.close_watch(desk, watch, Cause::Normal);
        let record = matches!(&self.doing, Doing::Talk(talk) if talk.record);
        let guest = self.room.guests.iter_mut().find(|guest| guest.leg == of);
        let was_guest = guest.is_some();
        if let Some(guest) = guest {
            guest.leg = leg;
            guest.agent = agent;
        } else {
            self.stop_recordings(desk);
            if of == self.caller.id
                && let Doing::Talk(talk) = &self.doing
            {
                let stays = talk.peer;
                self.stop_flow(desk, true);
                self.promote(stays);
            }
            self.take_place(desk, leg, agent);
        }
        // who was muted is a talker now
        if let Some(leg) = self.leg_mut(leg) {
            leg.muted = false;
        }
        self.hang_up_leg(desk, of, Cause::Transferred);
        self.release_agent(desk, of);
        self.let_go(desk);
        if !was_guest && let Doing::Talk(talk) = &self.doing {
            let peer = talk.peer;
            self.record_talk(desk, peer, record);
        }
    }

    /// Lets the supervisor go, if there is one.
    pub(crate) fn end_watch(&mut self, desk: &mut Desk, cause: Cause) {
        let Some(watch) = self.room.watch.take() else { return };
        let leg = watch.record.leg;
        self.close_watch(desk, watch, cause);
        self.let_out(desk, leg, cause);
    }

    fn close_watch(&mut self, desk: &mut Desk, watch: Watch, cause: Cause) {
        let ended = Some(desk.wall_now());
        let record = Supervision { ended, cause: Some(cause), ..watch.record };
        self.tell_watch(desk, &record);
        if self.supervisions.len() >= desk.limits.leg_records.max(1) {
            self.supervisions.remove(0);
        }
        self.supervisions.push(record);
    }
}
