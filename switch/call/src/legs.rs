//! What the legs report, put through their table and told to whoever relies on them.
//!
//! Invariant: a leg's end is written down once and frees its port; the last leg of a call whose end is decided
//! is not ended here but in `teardown`, after the record.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::leg::{Leg, LegAct, LegEnd, LegInput, LegState};
use crate::output::DialTarget;
use crate::transfer::Wanted;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::LegRole;
use cordboard_model::desk::Goal;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, LegId};
use cordboard_model::leg::{LegCommand, LegEvent, PartyId, Target};
use cordboard_model::media::MediaCommand;
use cordboard_model::time::{Duration, Wall};

impl Call {
    /// Begins a leg to somebody, who sees `from` as calling: asks for its port; it is dialled when the port is there.
    pub(crate) fn call_out(
        &mut self,
        desk: &mut Desk,
        (to, from): (DialTarget, PartyId),
        party: PartyId,
        agent: Option<AgentId>,
        ring: Duration,
    ) -> LegId {
        self.drop_old_records(desk);
        let id = desk.ids.leg(self.tenant());
        let mut leg = Leg::new(id, LegRole::Callee, party.clone(), desk.wall_now());
        leg.agent = agent;
        leg.trunk = match &to {
            DialTarget::Target(Target::Trunk(trunk, _)) => Some(trunk.clone()),
            _ => None,
        };
        leg.back = leg.trunk.is_none().then(|| to.clone());
        leg.dial = Some((to, from));
        self.callees.push(leg);
        desk.legs.insert(id, self.id);
        let started = EventKind::LegStarted { call: self.id, leg: id, party };
        desk.event(self.tenant(), started);
        desk.set(Timer::Leg(id), desk.limits.media_open);
        // Who calls for help rings on, whoever does not answer.
        if !self.urgent {
            desk.set(Timer::Ring(id), ring);
        }
        desk.media(MediaCommand::Open { leg: id, near: Some(self.caller.id) });
        id
    }

    /// Keeps the record of a call that rings many agents short: the oldest that never answered go.
    pub(crate) fn drop_old_records(&mut self, desk: &mut Desk) {
        while self.callees.len() >= desk.limits.leg_records {
            let old = |leg: &Leg| leg.is_finished() && leg.answered.is_none();
            let Some(at) = self.callees.iter().position(old) else {
                return;
            };
            let leg = self.callees.remove(at);
            desk.legs.remove(&leg.id);
        }
    }

    /// Puts one event through the leg's table and does what the table says.
    pub(crate) fn on_leg(&mut self, desk: &mut Desk, id: LegId, event: &LegEvent) {
        let act = self.step(id, LegInput::from(event));
        match (act, event) {
            (LegAct::TellUp, _) if self.asks_to_confirm(desk, id) => {}
            (LegAct::TellUp, _) => self.is_up(desk, id),
            (LegAct::TellRinging, _) => self.leg_rings(desk, id),
            (LegAct::TellEarly, _) => self.leg_early(desk, id),
            (LegAct::TellHold, LegEvent::PeerHold { on }) => self.peer_hold(desk, id, *on),
            (LegAct::TellHoldDone, LegEvent::HoldDone { on, ok }) => {
                self.hold_done(desk, id, *on, *ok);
            }
            (LegAct::TellTransfer, LegEvent::TransferAsked { ticket, to, .. }) => {
                self.transfer_asked(desk, id, *ticket, to);
            }
            (LegAct::KeepRedirect, LegEvent::Redirected { to }) => {
                if let Some(leg) = self.leg_mut(id) {
                    leg.redirect = Some(to.clone());
                }
            }
            (LegAct::RefuseTransfer, LegEvent::TransferAsked { ticket, .. }) => {
                desk.leg(id, LegCommand::TransferResult { ticket: *ticket, status: 403 });
            }
            (LegAct::TellGone, LegEvent::Ended { cause, by_peer, sip_status }) => {
                self.leg_gone(desk, id, *cause, *by_peer, *sip_status);
            }
            (LegAct::SendHangUp, _) => {
                let cause = self.leg(id).and_then(|leg| leg.end).map_or(Cause::Cancelled, |e| e.cause);
                desk.leg(id, LegCommand::HangUp { cause });
            }
            _ => {}
        }
    }

    /// The deadline of a leg's state.
    pub(crate) fn on_leg_deadline(&mut self, desk: &mut Desk, id: LegId) {
        match self.step(id, LegInput::Deadline) {
            LegAct::TellNoPort => self.end(desk, Cause::Congestion, Party::Switch),
            LegAct::TellStuck => self.end(desk, Cause::InternalError, Party::Switch),
            LegAct::TellGone => {
                let known = self.leg(id).and_then(|leg| leg.end);
                let cause = known.map_or(Cause::Congestion, |end| end.cause);
                self.leg_gone(desk, id, cause, false, None);
            }
            _ => {}
        }
    }

    /// Moves a leg by its table.
    pub(crate) fn step(&mut self, id: LegId, input: LegInput) -> LegAct {
        let Some(leg) = self.leg_mut(id) else {
            return LegAct::Absorb;
        };
        let (to, act) = leg.state.on(input);
        leg.state = to;
        act
    }

    /// A leg is answered, and confirmed if it had to be.
    pub(crate) fn is_up(&mut self, desk: &mut Desk, id: LegId) {
        self.tell_unheard(desk, id);
        self.leg_up(desk, id);
    }

    /// A leg is answered.
    fn leg_up(&mut self, desk: &mut Desk, id: LegId) {
        let now = desk.wall_now();
        desk.clear(Timer::Leg(id));
        desk.clear(Timer::Ring(id));
        if let Some(leg) = self.leg_mut(id) {
            leg.answered = Some(now);
        }
        self.note_charged(id, now);
        if id == self.caller.id {
            self.answered = Some(now);
            desk.event(self.tenant(), EventKind::CallAnswered { call: self.id });
            self.caller_up(desk);
        } else {
            self.callee_up(desk, id);
        }
    }

    /// Somebody outside has picked up: his carrier charges from then on.
    pub(crate) fn note_charged(&mut self, id: LegId, now: Wall) {
        if self.leg(id).is_some_and(|leg| leg.trunk.is_some() || leg.carried) {
            self.times.charged.get_or_insert(now);
        }
    }

    fn transfer_asked(&mut self, desk: &mut Desk, by: LegId, ticket: u32, to: &str) {
        let to = Goal::Number(to.to_owned());
        let wanted = Wanted { by, to, consult: false, ticket: Some(ticket) };
        if let Err(refused) = self.begin_transfer(desk, wanted) {
            desk.leg(by, LegCommand::TransferResult { ticket, status: refused.status() });
        }
    }

    /// The caller is answered: whoever waited for it goes on.
    fn caller_up(&mut self, desk: &mut Desk) {
        match &self.doing {
            Doing::Originating(_) => self.originated(desk),
            Doing::Flow => self.answer_done(desk),
            Doing::Queue(_) => self.hears_queue(desk),
            Doing::Talk(_) => self.join(desk),
            Doing::Fork(_) => self.gather(desk),
            Doing::Taking(old) => desk.places.push((self.id, *old, true)),
            _ => {}
        }
    }

    /// A device answered.
    fn callee_up(&mut self, desk: &mut Desk, id: LegId) {
        if self.end.is_some() {
            return; // it is the last leg and is ended after the record
        }
        match &self.doing {
            _ if self.is_offered(id) => self.offer_answered(desk, id),
            Doing::Connect(connect) if connect.leg == id => self.connect_answered(desk),
            Doing::Fork(fork) if fork.has(id) => self.branch_answered(desk, id),
            Doing::Transfer(transfer) if transfer.target == Some(id) => self.transfer_answered(desk),
            _ if self.room.waits_for(id) => self.room_up(desk, id),
            // Nobody waits for it: it must not talk to itself.
            _ => self.hang_up_leg(desk, id, Cause::Cancelled),
        }
    }

    /// The first device rings for the call; not one that is to join those who talk.
    fn note_rang(&mut self, desk: &Desk, id: LegId) {
        if let Some(leg) = self.leg_mut(id) {
            leg.rang.get_or_insert(desk.wall_now());
        }
        if self.bridged.is_none() && !self.room.waits_for(id) {
            self.times.rang.get_or_insert(desk.wall_now());
        }
    }

    fn leg_rings(&mut self, desk: &mut Desk, id: LegId) {
        self.note_rang(desk, id);
        match &self.doing {
            _ if self.is_offered(id) => self.offer_rings(desk, id),
            Doing::Originating(_) if id == self.caller.id => self.recall_rings(desk),
            Doing::Connect(connect) if connect.leg == id => self.ring_back(desk),
            Doing::Fork(fork) if fork.has(id) => self.ring_back(desk),
            Doing::Transfer(transfer) if transfer.target == Some(id) => self.transfer_rings(desk),
            _ => {}
        }
    }

    /// Only a caller who waits for this very device hears it early; one in a queue keeps his music.
    fn leg_early(&mut self, desk: &mut Desk, id: LegId) {
        if self.leg(id).is_some_and(|leg| leg.confirm.is_some()) {
            // who is not there yet is not heard: what comes may be a mailbox
            return self.leg_rings(desk, id);
        }
        self.note_rang(desk, id);
        match &self.doing {
            _ if self.is_offered(id) => self.offer_rings(desk, id),
            Doing::Originating(_) if id == self.caller.id => self.recall_rings(desk),
            Doing::Connect(connect) if connect.leg == id => self.connect_early(desk),
            // which of several he would hear is nobody's guess
            Doing::Fork(fork) if fork.has(id) => self.ring_back(desk),
            Doing::Transfer(transfer) if transfer.target == Some(id) => self.transfer_early(desk),
            _ => {}
        }
    }

    /// A leg rang for as long as it may.
    pub(crate) fn on_ring_deadline(&mut self, desk: &mut Desk, id: LegId) {
        if self.confirm_late(desk, id) || self.branch_late(desk, id) {
            return;
        }
        let rings = self.leg(id).is_some_and(|leg| {
            matches!(leg.state, LegState::Opening | LegState::Calling | LegState::Ringing)
        });
        if rings && id == self.caller.id {
            // it is the last leg, which is ended after the record
            return self.end(desk, Cause::NoAnswer, Party::Switch);
        }
        if rings {
            self.hang_up_leg(desk, id, Cause::NoAnswer);
            self.leg_lost(desk, id, Cause::NoAnswer, false);
        }
    }

    /// A leg is over: keeps its end, frees its port, and tells whoever relied on it.
    pub(crate) fn leg_gone(
        &mut self,
        desk: &mut Desk,
        id: LegId,
        cause: Cause,
        by_peer: bool,
        sip_status: Option<u16>,
    ) {
        desk.clear(Timer::Leg(id));
        desk.clear(Timer::Ring(id));
        desk.clear(Timer::Hold(id));
        desk.clear(Timer::Talk(id));
        desk.clear(Timer::Cover(id));
        let asked = self.leg(id).is_some_and(|leg| leg.confirm.as_ref().is_some_and(|confirm| confirm.asked));
        // who hangs up instead of pressing the key does not want the call
        let cause = if asked && by_peer && cause == Cause::Normal { Cause::Declined } else { cause };
        self.note_end(desk, id, cause, sip_status);
        // First the news, then the port: a recording is stopped before one of its legs is closed.
        self.leg_lost(desk, id, cause, by_peer);
        self.close_port(desk, id);
    }

    /// Keeps how a leg ended and says so, once. A status that is learnt later is still added.
    pub(crate) fn note_end(&mut self, desk: &mut Desk, id: LegId, cause: Cause, sip_status: Option<u16>) {
        let at = desk.wall_now();
        let (call, tenant) = (self.id, self.tenant());
        let Some(leg) = self.leg_mut(id) else { return };
        match &mut leg.end {
            Some(end) => end.sip_status = sip_status.or(end.sip_status),
            none => {
                *none = Some(LegEnd { at, cause, sip_status });
                desk.event(tenant, EventKind::LegEnded { call, leg: id, cause });
            }
        }
    }

    /// What a lost leg means to the call, and to who supervises its party.
    pub(crate) fn leg_lost(&mut self, desk: &mut Desk, id: LegId, cause: Cause, by_peer: bool) {
        if self.end.is_some() {
            return;
        }
        self.go_on_without(desk, id, cause, by_peer);
        // one whom a queue gave for a consultation may be anybody in the call by now
        self.release_agent(desk, id);
        let is_supervised = self.room.watch.as_ref().is_some_and(|watch| watch.record.of == id);
        if is_supervised && self.end.is_none() {
            self.end_watch(desk, Cause::Normal);
        }
    }

    fn go_on_without(&mut self, desk: &mut Desk, id: LegId, cause: Cause, by_peer: bool) {
        let by = match self.leg(id).map(|leg| leg.role) {
            _ if !by_peer => Party::Switch,
            Some(LegRole::Caller) => Party::Caller,
            _ => Party::Callee,
        };
        if self.left_room(desk, id, cause) {
            return;
        }
        if id == self.caller.id {
            if by_peer && self.is_recalled_surveyed(desk) {
                return;
            }
            if !self.party_gone(desk) {
                self.end(desk, cause, by);
            }
            return;
        }
        if self.gather_again(desk, id, cause) || self.left_aside(desk, id) {
            return;
        }
        let leaves = matches!(&self.doing, Doing::Talk(talk) if talk.peer == id);
        if leaves && by_peer && self.is_surveyed(desk, id) {
            return;
        }
        match &self.doing {
            _ if self.is_offered(id) => self.offer_failed(desk, id, cause),
            Doing::Connect(connect) if connect.leg == id => {
                self.connect_failed(desk, cause, by_peer);
            }
            Doing::Fork(fork) if fork.has(id) => self.branch_lost(desk, id, cause, by_peer),
            Doing::Talk(talk) if talk.peer == id => match self.after_talk(desk, Some(id), cause) {
                Some(answer) => self.served(desk, answer),
                None => self.end(desk, cause, by),
            },
            Doing::Transfer(_) => self.transfer_lost(desk, id, cause),
            _ => {}
        }
    }

    /// Ends one leg, whatever its state, and frees its port.
    pub(crate) fn hang_up_leg(&mut self, desk: &mut Desk, id: LegId, cause: Cause) {
        let act = self.step(id, LegInput::HangUp);
        if act == LegAct::Absorb {
            return;
        }
        desk.clear(Timer::Ring(id));
        desk.clear(Timer::Leg(id));
        desk.clear(Timer::Hold(id));
        desk.clear(Timer::Talk(id));
        self.note_end(desk, id, cause, None);
        if act == LegAct::SendHangUp {
            desk.set(Timer::Leg(id), desk.limits.teardown);
            desk.leg(id, LegCommand::HangUp { cause });
        }
        self.close_port(desk, id);
    }
}
