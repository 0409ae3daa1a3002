//! More than two who talk: somebody is added, or who was consulted is; whoever leaves, the others go on.
//!
//! Invariants: the two talk on while a third rings. `Call::caller` and the talk's peer are always two who talk: when one
//! of them leaves, a guest takes the place. With fewer than two the talk ends as it would have ended without a guest.

use crate::call::{Call, Doing};
use crate::connect::Talk;
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::output::CallOutput;
use crate::room::{Guest, RoomRefusal, TALKERS_MAX};
use crate::transfer::Stage;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{TransferOutcome, TransferRecord};
use cordboard_model::desk::Goal;
use cordboard_model::event::{ConferenceChange, EventKind};
use cordboard_model::id::{AgentId, CallId, LegId};
use cordboard_model::leg::{Incoming, LegCommand, PartyId};
use cordboard_model::media::MediaCommand;
use cordboard_model::time::Time;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

impl CallEngine {
    /// Adds somebody to those who talk: `by` (the called party, an agent as a rule, if none is named) has `to` rung. The
    /// others talk on meanwhile.
    ///
    /// # Errors
    /// If the call is not parties who talk, somebody is being added already, or there is no place.
    pub fn conference(
        &mut self,
        call: CallId,
        by: Option<LegId>,
        to: &str,
        now: Time,
    ) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, |call, desk| call.add_guest(desk, by, Goal::Number(to.to_owned())))
    }

    /// Makes a conference of a consultation: the party that waits, who consults and who is consulted.
    ///
    /// # Errors
    /// If nobody is being spoken to.
    pub fn conference_with_consulted(&mut self, call: CallId, now: Time) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, Call::merge)
    }

    /// Takes a party out of those who talk. The others go on; the call ends if that leaves fewer than two.
    ///
    /// # Errors
    /// If the leg is not one of them, nor rings to become one.
    pub fn remove(&mut self, call: CallId, leg: LegId, now: Time) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, |call, desk| call.remove(desk, leg))
    }

    /// Has nobody hear the party of a leg, or everybody again.
    ///
    /// # Errors
    /// If the leg is not one that talks.
    pub fn mute(&mut self, call: CallId, leg: LegId, muted: bool, now: Time) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, |call, desk| call.mute(desk, leg, muted))
    }
}

impl Call {
    pub(crate) fn add_guest(
        &mut self,
        desk: &mut Desk,
        by: Option<LegId>,
        goal: Goal,
    ) -> Result<(), RoomRefusal> {
        let talkers = self.talkers();
        let Doing::Talk(talk) = &self.doing else {
            return Err(RoomRefusal::NotTalking);
        };
        let by = by.unwrap_or(talk.peer);
        if talkers.is_empty() {
            return Err(RoomRefusal::NotTalking);
        }
        if !talkers.contains(&by) {
            return Err(RoomRefusal::NotFound);
        }
        if self.room.asks() {
            return Err(RoomRefusal::UnderWay);
        }
        if self.room.guests.len() + 2 >= TALKERS_MAX {
            return Err(RoomRefusal::Full);
        }
        let shown = goal.to_string();
        self.tell_conference(desk, None, &shown, ConferenceChange::Asked, None);
        self.room.asked = Some(shown);
        let to = match goal {
            Goal::Number(to) => to,
            Goal::Place(place) => {
                self.guest_routed(desk, Ok(place));
                return Ok(());
            }
        };
        desk.set(Timer::Route(self.id), desk.limits.route);
        let from = self.leg(by).map(|leg| leg.party.clone()).unwrap_or_default();
        let incoming = Incoming {
            leg: by,
            from,
            to: PartyId::new(&to),
            trunk: None,
            user: None,
            replaces: None,
            data: BTreeMap::new(),
        };
        desk.out.push_back(CallOutput::Route { call: self.id, incoming });
        Ok(())
    }

    pub(crate) fn tell_conference(
        &self,
        desk: &mut Desk,
        leg: Option<LegId>,
        to: &str,
        change: ConferenceChange,
        cause: Option<Cause>,
    ) {
        let (call, to) = (self.id, to.to_owned());
        desk.event(self.tenant(), EventKind::CallConference { call, leg, to, change, cause });
    }

    /// Routing's word on where the guest is. Flows and queues cannot be guests.
    pub(crate) fn guest_routed(&mut self, desk: &mut Desk, to: Result<Destination, Cause>) {
        let Some(wanted) = self.room.asked.clone() else { return };
        let to = match to {
            Ok(Destination::Flow(_) | Destination::Queue(_)) => Err(Cause::Forbidden),
            other => other,
        };
        let from = self.talk_peer_party();
        let rung = to.and_then(|to| self.ring_device(desk, to, from).ok_or(Cause::NoRoute));
        match rung {
            Err(cause) => self.guest_failed(desk, cause),
            Ok((leg, agent)) => {
                desk.clear(Timer::Route(self.id));
                self.room.asked = None;
                self.tell_conference(desk, Some(leg), &wanted, ConferenceChange::Asked, None);
                self.room.guests.push(Guest { leg, agent, to: wanted, up: false });
            }
        }
    }

    fn talk_peer_party(&self) -> PartyId {
        match &self.doing {
            Doing::Talk(talk) => self.leg(talk.peer).map(|leg| leg.party.clone()).unwrap_or_default(),
            _ => PartyId::default(),
        }
    }

    /// Nobody is found who could be rung.
    pub(crate) fn guest_failed(&mut self, desk: &mut Desk, cause: Cause) {
        desk.clear(Timer::Route(self.id));
        if let Some(to) = self.room.asked.take() {
            self.tell_conference(desk, None, &to, ConferenceChange::Failed, Some(cause));
        }
    }

    /// The last word about a guest.
    pub(crate) fn tell_guest(&self, desk: &mut Desk, guest: &Guest, cause: Option<Cause>) {
        let change = if guest.up { ConferenceChange::Left } else { ConferenceChange::Failed };
        self.tell_conference(desk, Some(guest.leg), &guest.to, change, cause);
    }

    /// A guest has answered.
    pub(crate) fn guest_up(&mut self, desk: &mut Desk, id: LegId) {
        let joined = matches!(&self.doing, Doing::Talk(talk) if talk.joined);
        let Some(guest) = self.room.guests.iter_mut().find(|guest| guest.leg == id).filter(|_| joined) else {
            return self.hang_up_leg(desk, id, Cause::Cancelled);
        };
        guest.up = true;
        let to = guest.to.clone();
        self.tell_conference(desk, Some(id), &to, ConferenceChange::Joined, None);
        self.settle_hold(desk);
    }

    /// A guest is gone, or was not reached.
    pub(crate) fn guest_left(&mut self, desk: &mut Desk, id: LegId, cause: Cause) -> bool {
        let Some(at) = self.room.guests.iter().position(|guest| guest.leg == id) else {
            return false;
        };
        let guest = self.room.guests.remove(at);
        self.tell_guest(desk, &guest, Some(cause));
        self.let_go_of_all(desk, id);
        true
    }

    /// One of the two is gone: a guest who talks takes the place. False if there is none.
    pub(crate) fn talker_left(&mut self, desk: &mut Desk, id: LegId, cause: Cause) -> bool {
        let Doing::Talk(talk) = &self.doing else { return false };
        let (peer, record) = (talk.peer, talk.record);
        let joined = talk.joined && (id == peer || id == self.caller.id);
        if id == self.caller.id && self.ends_with_caller() {
            return false;
        }
        let Some(at) = self.room.guests.iter().position(|guest| guest.up).filter(|_| joined) else {
            return false;
        };
        let guest = self.room.guests.remove(at);
        let to = self.leg(id).map(|leg| leg.party.user.clone()).unwrap_or_default();
        self.tell_conference(desk, Some(id), &to, ConferenceChange::Left, Some(cause));
        self.stop_recordings(desk);
        if id == self.caller.id {
            // whom the flow was for is gone; the time that it gave the others stays
            let until = self.conference_until();
            self.stop_flow(desk, true);
            if let Some(until) = until {
                desk.set(Timer::Conference(self.id), until.since(desk.now));
            }
            self.promote(peer);
        }
        self.take_place(desk, guest.leg, guest.agent);
        self.let_go_of_all(desk, id);
        self.release_agent(desk, id);
        self.record_talk(desk, guest.leg, record);
        true
    }

    /// A leg is the talk's peer from now on.
    pub(crate) fn take_place(&mut self, desk: &mut Desk, leg: LegId, agent: Option<AgentId>) {
        if let Doing::Talk(talk) = &mut self.doing {
            talk.peer = leg;
            talk.agent.clone_from(&agent);
            talk.wait = None;
        }
        self.agent = agent.or(self.agent.take());
        self.tell_stage(desk);
    }

    /// Makes a conference of a consultation.
    pub(crate) fn merge(&mut self, desk: &mut Desk) -> Result<(), RoomRefusal> {
        match &self.doing {
            Doing::Transfer(transfer) if transfer.stage == Stage::Consulting && !transfer.gone => {}
            _ => return Err(RoomRefusal::None),
        }
        let Some(mut transfer) = self.take_transfer() else {
            return Err(RoomRefusal::None);
        };
        let Some(leg) = transfer.target else {
            self.doing = Doing::Transfer(Box::new(transfer));
            return Err(RoomRefusal::None);
        };
        if let Some(ticket) = transfer.ticket.take() {
            desk.leg(transfer.talk.peer, LegCommand::TransferResult { ticket, status: 200 });
        }
        desk.media(MediaCommand::Unbridge { leg });
        let outcome = TransferOutcome::Conference;
        let to = transfer.record.to.clone();
        self.close_record(desk, TransferRecord { leg: Some(leg), outcome, ..transfer.record });
        self.room.guests.push(Guest { leg, agent: transfer.agent, to: to.clone(), up: true });
        self.tell_conference(desk, Some(leg), &to, ConferenceChange::Joined, None);
        self.let_go(desk);
        self.doing = Doing::Talk(Talk { joined: false, heard_early: false, ..transfer.talk });
        self.join(desk);
        Ok(())
    }

    pub(crate) fn remove(&mut self, desk: &mut Desk, id: LegId) -> Result<(), RoomRefusal> {
        let rings = self.room.guests.iter().any(|guest| guest.leg == id);
        if !rings && !self.talks(id) {
            return Err(RoomRefusal::NotFound);
        }
        if id == self.caller.id && self.room.there().is_empty() {
            self.end(desk, Cause::Administrative, Party::Operator);
            return Ok(());
        }
        // first the news, then the port: a recording is stopped before one of its legs is closed
        self.leg_lost(desk, id, Cause::Administrative, false);
        self.hang_up_leg(desk, id, Cause::Administrative);
        Ok(())
    }
}
