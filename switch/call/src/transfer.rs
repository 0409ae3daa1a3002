//! Sending a party elsewhere: blind, or after the target was spoken to.
//!
//! Invariants: while a transfer is under way `Call::caller` is the party that is sent, and the talk's peer is who sends
//! it, whoever of the two called; the party that is sent is never without sound: hold audio, then ring-back, then the
//! target; it is lost only with the call. A transfer ends in one word in the record, and one last status to who asked
//! by REFER. If the target is not reached, the two talk again, or who sent is rung once more.

use crate::call::{Call, Doing};
use crate::connect::{Connect, Talk};
use crate::consult::Asked;
use crate::desk::{Desk, Timer};
use crate::leg::{Heard, LegState};
use crate::opening::Opening;
use crate::output::CallOutput;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{TransferKind, TransferOutcome, TransferRecord};
use cordboard_model::desk::Goal;
use cordboard_model::id::{AgentId, LegId};
use cordboard_model::leg::{Incoming, LegCommand, PartyId};
use cordboard_model::media::{MediaCommand, Repeat};
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Who sends.
    pub(crate) by: LegId,
    /// Where to.
    pub(crate) to: Goal,
    /// The target is to be spoken to first.
    pub(crate) consult: bool,
    /// Of a REFER.
    pub(crate) ticket: Option<u32>,
}

/// Why a transfer is not begun, completed or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferRefusal {
    /// There is no such call, or the leg is not in it.
    NotFound,
    /// The call is not two parties who talk.
    NotTalking,
    /// A transfer is under way already.
    UnderWay,
    /// There is no transfer to complete or take back.
    None,
    /// Who would take it back is gone.
    Alone,
    /// More than two talk, or somebody is being added.
    Conference,
    /// The talk is recorded, and could not be any more after it: the call has as many recordings as one may have.
    Recordings,
}

impl TransferRefusal {
    /// The status that tells a phone.
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::NotFound => 481,
            Self::NotTalking | Self::None | Self::Alone | Self::Conference | Self::Recordings => 403,
            Self::UnderWay => 491,
        }
    }
}

/// Who is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Routing.
    Routing,
    /// The target.
    Ringing,
    /// Who sends talks to the target.
    Consulting,
    /// Who sent is rung, since the target was not reached.
    Recall,
}

/// A transfer under way.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// The talk it interrupted. Its peer is who sends.
    pub(crate) talk: Talk,
    pub(crate) stage: Stage,
    /// The leg that rings or is spoken to.
    pub(crate) target: Option<LegId>,
    pub(crate) agent: Option<AgentId>,
    /// The queue that is consulted: it gives the target.
    pub(crate) asked: Option<Asked>,
    pub(crate) ticket: Option<u32>,
    /// The target is to be spoken to before the party is sent.
    pub(crate) consult: bool,
    /// Who sends is gone, or was let go.
    pub(crate) gone: bool,
    /// The target rings.
    rings: bool,
    /// The target's early media is heard.
    heard_early: bool,
    pub(crate) record: TransferRecord,
}

impl Transfer {
    /// As readers see it.
    /// Whether a queue has still to give the target.
    pub(crate) fn asks_queue(&self) -> bool {
        self.asked.as_ref().is_some_and(Asked::waits)
    }

    /// Who hears how the target is reached: who consults it, or the party that is sent.
    fn listener(&self, kept: LegId) -> LegId {
        if self.consult && !self.gone { self.talk.peer } else { kept }
    }
}

impl Call {
    /// Begins one. Who asked by REFER is told; others by the result.
    pub(crate) fn begin_transfer(&mut self, desk: &mut Desk, wanted: Wanted) -> Result<(), TransferRefusal> {
        if !self.may_be_interrupted(desk) {
            return Err(TransferRefusal::Recordings);
        }
        let talk = self.interrupt(desk, wanted.by)?;
        let kind = if wanted.consult { TransferKind::Attended } else { TransferKind::Blind };
        let record = self.open_record(desk, kind, wanted.by, &wanted.to.to_string());
        self.doing = Doing::Transfer(Box::new(Transfer {
            talk,
            stage: Stage::Routing,
            target: None,
            agent: None,
            asked: None,
            ticket: wanted.ticket,
            consult: wanted.consult,
            gone: false,
            rings: false,
            heard_early: false,
            record,
        }));
        self.report(desk, 100);
        self.hold_audio(desk);
        let to = match wanted.to {
            Goal::Number(to) => PartyId::new(&to),
            Goal::Place(place) => {
                self.transfer_routed(desk, Ok(place));
                return Ok(());
            }
        };
        desk.set(Timer::Route(self.id), desk.limits.route);
        let from = self.leg(wanted.by).map(|leg| leg.party.clone()).unwrap_or_default();
        let incoming = Incoming {
            leg: wanted.by,
            from,
            to,
            trunk: None,
            user: None,
            replaces: None,
            data: BTreeMap::new(),
        };
        desk.out.push_back(CallOutput::Route { call: self.id, incoming });
        Ok(())
    }

    /// Takes two talkers apart, so that the party which stays is the anchor of the call.
    pub(crate) fn interrupt(&mut self, desk: &mut Desk, by: LegId) -> Result<Talk, TransferRefusal> {
        let mut talk = match core::mem::replace(&mut self.doing, Doing::Ending) {
            Doing::Talk(talk)
                if talk.joined && (by == talk.peer || by == self.caller.id) && self.room.is_for_two() =>
            {
                talk
            }
            other => {
                let refused = match &other {
                    Doing::Transfer(_) => TransferRefusal::UnderWay,
                    Doing::Talk(talk) if talk.joined && !self.room.is_for_two() => {
                        TransferRefusal::Conference
                    }
                    _ => TransferRefusal::NotTalking,
                };
                self.doing = other;
                return Err(refused);
            }
        };
        self.stop_recordings(desk);
        self.unjoin_media(desk);
        if by == self.caller.id {
            let stays = talk.peer;
            talk.agent = self.caller.agent.clone();
            talk.peer = by;
            self.promote(stays);
        }
        talk.joined = false;
        talk.heard_early = false;
        Ok(talk)
    }

    /// Makes another leg the anchor of the call; the one that was it is a leg like others.
    pub(crate) fn promote(&mut self, id: LegId) {
        if let Some(leg) = self.callees.iter_mut().find(|leg| leg.id == id) {
            core::mem::swap(leg, &mut self.caller);
        }
    }

    pub(crate) fn open_record(
        &mut self,
        desk: &mut Desk,
        kind: TransferKind,
        by: LegId,
        to: &str,
    ) -> TransferRecord {
        let record = TransferRecord {
            at: desk.wall_now(),
            kind,
            by,
            to: to.to_owned(),
            leg: None,
            consultation: None,
            outcome: TransferOutcome::Open,
            cause: None,
        };
        self.tell_transfer(desk, &record);
        record
    }

    /// The last word about a transfer.
    pub(crate) fn close_record(&mut self, desk: &mut Desk, record: TransferRecord) {
        self.tell_transfer(desk, &record);
        // a call that is handed about for ever keeps its latest transfers
        if self.transfers.len() >= desk.limits.leg_records.max(1) {
            self.transfers.remove(0);
        }
        self.transfers.push(record);
    }

    fn transfer(&mut self) -> Option<&mut Transfer> {
        match &mut self.doing {
            Doing::Transfer(transfer) => Some(transfer),
            _ => None,
        }
    }

    pub(crate) fn take_transfer(&mut self) -> Option<Transfer> {
        match core::mem::replace(&mut self.doing, Doing::Ending) {
            Doing::Transfer(transfer) => Some(*transfer),
            other => {
                self.doing = other;
                None
            }
        }
    }

    /// Tells who asked by REFER, once it is known and while he is there.
    fn report(&mut self, desk: &mut Desk, status: u16) {
        let Some(transfer) = self.transfer() else { return };
        let (by, gone) = (transfer.talk.peer, transfer.gone);
        let ticket = if status >= 200 { transfer.ticket.take() } else { transfer.ticket };
        if let Some(ticket) = ticket.filter(|_| !gone) {
            desk.leg(by, LegCommand::TransferResult { ticket, status });
        }
    }

    /// The party that is sent hears hold audio from now on.
    fn hold_audio(&mut self, desk: &mut Desk) {
        let kept = self.caller.id;
        if !matches!(self.caller.playing, Some((_, Heard::Hold))) {
            let items = self.hold_items(desk);
            self.play(desk, kept, Heard::Hold, items, Repeat::Forever);
        }
    }

    /// Routing's word on where the target is.
    pub(crate) fn transfer_routed(&mut self, desk: &mut Desk, to: Result<Destination, Cause>) {
        let to = match to {
            Ok(to) => to,
            Err(cause) => return self.transfer_failed(desk, cause),
        };
        let kept = self.caller.id;
        let Some(transfer) = self.transfer() else { return };
        if matches!(to, Destination::Flow(_) | Destination::Queue(_)) {
            return match (transfer.consult && !transfer.gone, to) {
                (true, Destination::Queue(queue)) => self.consult_queue(desk, queue),
                // a flow is not spoken to
                (true, _) => self.transfer_failed(desk, Cause::Forbidden),
                (false, to) => self.hand_over(desk, to),
            };
        }
        let shown = transfer.listener(kept);
        let from = self.leg(shown).map(|leg| leg.party.clone()).unwrap_or_default();
        let Some((leg, agent)) = self.ring_device(desk, to, from) else {
            return self.transfer_failed(desk, Cause::NoRoute);
        };
        if let Some(transfer) = self.transfer() {
            transfer.stage = Stage::Ringing;
            transfer.target = Some(leg);
            transfer.agent = agent;
        }
    }

    /// The party is given to a flow or queue: who sent it has done his part.
    pub(crate) fn hand_over(&mut self, desk: &mut Desk, to: Destination) {
        self.report(desk, 200);
        let Some(transfer) = self.take_transfer() else { return };
        let record = TransferRecord { outcome: TransferOutcome::Done, ..transfer.record };
        self.close_record(desk, record);
        let by =
            self.leg(transfer.talk.peer).and_then(|leg| leg.agent.as_ref()).map(|by| by.name.to_string());
        if let (Some(by), Destination::Flow(_)) = (by, &to) {
            // what does not fit is left out: nobody is cut off for it
            let _ = self.put_data(desk, "sentBy".to_owned(), by.into());
        }
        self.let_leave(desk, transfer.talk.peer);
        self.let_go(desk);
        self.stop_flow(desk, false);
        self.go(desk, to);
    }

    /// Who sent the party leaves the call.
    pub(crate) fn let_leave(&mut self, desk: &mut Desk, by: LegId) {
        self.hang_up_leg(desk, by, Cause::Transferred);
        self.release_agent(desk, by);
    }

    /// The target rings.
    pub(crate) fn transfer_rings(&mut self, desk: &mut Desk) {
        let kept = self.caller.id;
        let Some(transfer) = self.transfer() else { return };
        if core::mem::replace(&mut transfer.rings, true) {
            return;
        }
        let (hears, by) = (transfer.listener(kept), transfer.talk.peer);
        // who sends blindly by API has no phone that tells him
        let also = !transfer.consult && transfer.ticket.is_none() && !transfer.gone;
        self.report(desk, 180);
        self.play_ring_back(desk, hears);
        if also {
            self.play_ring_back(desk, by);
        }
    }

    /// The target sends audio before its answer.
    pub(crate) fn transfer_early(&mut self, desk: &mut Desk) {
        let kept = self.caller.id;
        let Some(transfer) = self.transfer() else { return };
        if core::mem::replace(&mut transfer.heard_early, true) {
            return;
        }
        transfer.rings = true;
        let (hears, target) = (transfer.listener(kept), transfer.target);
        self.report(desk, 183);
        self.stop_play(desk, hears);
        if let Some(target) = target {
            desk.media(MediaCommand::Bridge { a: hears, b: target });
        }
    }

    /// The target, or who is rung again, answered.
    pub(crate) fn transfer_answered(&mut self, desk: &mut Desk) {
        let Some(transfer) = self.transfer() else { return };
        match transfer.stage {
            Stage::Ringing if transfer.consult && !transfer.gone => {
                transfer.stage = Stage::Consulting;
                let (by, target, early) = (transfer.talk.peer, transfer.target, transfer.heard_early);
                let mut record = transfer.record.clone();
                record.leg = target;
                self.tell_transfer(desk, &record);
                self.stop_play(desk, by);
                if let (Some(target), false) = (target, early) {
                    desk.media(MediaCommand::Bridge { a: by, b: target });
                }
            }
            Stage::Recall => self.recalled(desk),
            _ => self.transfer_done(desk),
        }
    }

    /// The party and the target are joined.
    fn transfer_done(&mut self, desk: &mut Desk) {
        self.report(desk, 200);
        let Some(transfer) = self.take_transfer() else { return };
        let Some(target) = transfer.target else { return };
        let consulted = transfer.stage == Stage::Consulting;
        if consulted {
            desk.media(MediaCommand::Unbridge { leg: target });
        }
        let outcome = TransferOutcome::Done;
        self.close_record(desk, TransferRecord { leg: Some(target), outcome, ..transfer.record });
        self.let_leave(desk, transfer.talk.peer);
        self.let_go(desk);
        let opening = match transfer.asked {
            Some(asked) => self.given_by_queue(desk, asked),
            None => transfer.talk.opening,
        };
        self.doing = Doing::Talk(Talk {
            record: transfer.talk.record,
            heard_early: transfer.heard_early && !consulted,
            opening,
            ..Talk::new(target, transfer.agent)
        });
        self.join(desk);
    }

    /// The target was not reached, or left before the party was sent.
    pub(crate) fn transfer_failed(&mut self, desk: &mut Desk, cause: Cause) {
        if self.transfer().is_some_and(|transfer| transfer.stage == Stage::Recall) {
            return self.recall_failed(desk, cause);
        }
        self.report(desk, cause.sip_status());
        self.bring_back(desk, TransferOutcome::Failed, Some(cause));
    }

    /// The two talk again, or who sent is rung.
    fn bring_back(&mut self, desk: &mut Desk, outcome: TransferOutcome, cause: Option<Cause>) {
        desk.clear(Timer::Route(self.id));
        let Some(mut transfer) = self.take_transfer() else { return };
        if transfer.asked.take().is_some_and(|asked| asked.waits()) {
            self.leave_consulted(desk);
        }
        if let Some(target) = transfer.target {
            self.release_agent(desk, target);
        }
        let apart = transfer.heard_early || transfer.stage == Stage::Consulting;
        if let (Some(target), true) = (transfer.target, apart) {
            desk.media(MediaCommand::Unbridge { leg: target });
        }
        let record =
            TransferRecord { leg: transfer.target.take(), outcome, cause, ..transfer.record.clone() };
        self.close_record(desk, record);
        let by = transfer.talk.peer;
        if !transfer.gone {
            self.stop_play(desk, by);
            self.let_go(desk);
            self.doing = Doing::Talk(transfer.talk);
            return self.join(desk);
        }
        let again =
            self.leg(by).and_then(|leg| Some((leg.back.clone()?, leg.party.clone(), leg.agent.clone())));
        let Some((device, party, agent)) = again else {
            self.doing = Doing::Transfer(Box::new(transfer));
            return self.recall_failed(desk, cause.unwrap_or(Cause::Normal));
        };
        self.hold_audio(desk);
        let from = self.caller.party.clone();
        let leg = self.call_out(desk, (device, from), party, agent.clone(), desk.limits.ring);
        transfer.stage = Stage::Recall;
        transfer.target = Some(leg);
        transfer.agent = agent;
        transfer.rings = false;
        transfer.heard_early = false;
        self.doing = Doing::Transfer(Box::new(transfer));
    }

    fn recalled(&mut self, desk: &mut Desk) {
        let Some(transfer) = self.take_transfer() else { return };
        let Some(peer) = transfer.target else { return };
        let heard_early = transfer.heard_early;
        self.let_go(desk);
        self.doing =
            Doing::Talk(Talk { peer, agent: transfer.agent, wait: None, heard_early, ..transfer.talk });
        self.join(desk);
    }

    /// Nobody is left for the party: its flow has it again, or it is let go.
    fn recall_failed(&mut self, desk: &mut Desk, cause: Cause) {
        self.take_transfer();
        self.stop_play(desk, self.caller.id);
        if let Some(answer) = self.after_talk(desk, None, Cause::Normal) {
            self.doing = Doing::Flow;
            self.let_go(desk);
            return self.finish_step(desk, answer);
        }
        self.end(desk, cause, Party::Switch);
    }

    /// A leg was lost while a transfer is under way.
    pub(crate) fn transfer_lost(&mut self, desk: &mut Desk, id: LegId, cause: Cause) {
        let Some(transfer) = self.transfer() else { return };
        if transfer.target == Some(id) {
            if transfer.stage == Stage::Ringing && self.transfer_redirected(desk, id) {
                return;
            }
            let Some(transfer) = self.transfer() else { return };
            return match transfer.stage {
                Stage::Consulting if transfer.gone => self.transfer_failed(desk, cause),
                // the consultation is over, and nobody was to be sent: the two talk again
                Stage::Consulting => {
                    self.report(desk, 487);
                    self.bring_back(desk, TransferOutcome::Cancelled, Some(cause));
                }
                _ => self.transfer_failed(desk, cause),
            };
        }
        if transfer.talk.peer == id && !transfer.gone {
            self.sender_gone(desk);
        }
    }

    /// The target's device sends the call elsewhere.
    fn transfer_redirected(&mut self, desk: &mut Desk, id: LegId) -> bool {
        let Some(to) = self.leg_mut(id).and_then(|leg| leg.redirect.take()) else {
            return false;
        };
        self.hops = self.hops.saturating_add(1);
        if self.hops > desk.limits.hops {
            return false;
        }
        let Some(transfer) = self.transfer() else { return false };
        if core::mem::take(&mut transfer.heard_early) {
            desk.media(MediaCommand::Unbridge { leg: id });
        }
        transfer.stage = Stage::Routing;
        transfer.target = None;
        transfer.rings = false;
        desk.set(Timer::Route(self.id), desk.limits.route);
        let (from, to) = (self.caller.party.clone(), PartyId::new(&to));
        let data = BTreeMap::new();
        let incoming = Incoming { leg: id, from, to, trunk: None, user: None, replaces: None, data };
        desk.out.push_back(CallOutput::Route { call: self.id, incoming });
        true
    }

    /// Who sends has left: what he began goes on without him.
    pub(crate) fn sender_gone(&mut self, desk: &mut Desk) {
        let kept = self.caller.id;
        let Some(transfer) = self.transfer() else { return };
        let hears = transfer.listener(kept);
        transfer.gone = true;
        transfer.talk.wait = None;
        let by = transfer.talk.peer;
        self.release_agent(desk, by);
        let Some(transfer) = self.transfer() else { return };
        if transfer.stage == Stage::Consulting {
            return self.transfer_done(desk);
        }
        if let Some(asked) = transfer.asked.take() {
            return self.party_waits(desk, asked);
        }
        let (early, rings, target) = (transfer.heard_early, transfer.rings, transfer.target);
        if hears == kept {
            return;
        }
        // he consulted: the party hears now what he heard
        match target {
            Some(target) if early => {
                desk.media(MediaCommand::Unbridge { leg: target });
                self.stop_play(desk, kept);
                desk.media(MediaCommand::Bridge { a: kept, b: target });
            }
            _ if rings => self.play_ring_back(desk, kept),
            _ => {}
        }
    }

    /// The party that was to be sent has left. True if who consulted and the target go on as a call of their own.
    pub(crate) fn party_gone(&mut self, desk: &mut Desk) -> bool {
        let Some(transfer) = self.transfer() else { return false };
        let (true, false, Some(target)) = (transfer.consult, transfer.gone, transfer.target) else {
            return false;
        };
        let stage = transfer.stage;
        self.report(desk, 487);
        let Some(transfer) = self.take_transfer() else { return false };
        let outcome = TransferOutcome::Cancelled;
        let record =
            TransferRecord { leg: Some(target), outcome, cause: Some(Cause::Normal), ..transfer.record };
        self.close_record(desk, record);
        self.promote(transfer.talk.peer);
        self.stop_flow(desk, true);
        let (agent, heard_early) = (transfer.agent, transfer.heard_early);
        if stage == Stage::Consulting {
            // who was recorded is gone
            let opening = Opening::decided();
            self.doing = Doing::Talk(Talk { heard_early: true, opening, ..Talk::new(target, agent) });
            self.join(desk);
        } else {
            self.doing = Doing::Connect(Connect { leg: target, agent, heard_early });
        }
        true
    }

    /// Sends the party to the target that is spoken to, or rings.
    pub(crate) fn complete_transfer(&mut self, desk: &mut Desk) -> Result<(), TransferRefusal> {
        let transfer = self.transfer().ok_or(TransferRefusal::None)?;
        if !transfer.consult || transfer.gone {
            return Err(TransferRefusal::None);
        }
        if transfer.stage == Stage::Consulting {
            self.transfer_done(desk);
            return Ok(());
        }
        let by = transfer.talk.peer;
        self.report(desk, 200);
        self.sender_gone(desk);
        self.let_leave(desk, by);
        Ok(())
    }

    /// Takes it back: the two talk again.
    pub(crate) fn cancel_transfer(&mut self, desk: &mut Desk) -> Result<(), TransferRefusal> {
        let transfer = self.transfer().ok_or(TransferRefusal::None)?;
        if transfer.gone {
            return Err(TransferRefusal::Alone);
        }
        let target = transfer.target;
        self.report(desk, 487);
        self.bring_back(desk, TransferOutcome::Cancelled, None);
        if let Some(target) = target {
            self.hang_up_leg(desk, target, Cause::Cancelled);
        }
        Ok(())
    }

    /// The call ends while a transfer is under way. Its legs are ended with the others.
    pub(crate) fn end_transfer(&mut self, desk: &mut Desk, mut transfer: Transfer) {
        if let Some(ticket) = transfer.ticket.take().filter(|_| !transfer.gone) {
            let status = 487;
            desk.leg(transfer.talk.peer, LegCommand::TransferResult { ticket, status });
        }
        if transfer.asks_queue() {
            self.leave_consulted(desk);
        }
        if transfer.stage != Stage::Recall {
            let leg = transfer.target;
            self.close_record(desk, TransferRecord { leg, ..transfer.record });
        }
        self.part(desk, transfer.talk);
    }

    /// Takes a leg of another call in as the target: it is up, or rings.
    pub(crate) fn adopt_target(&mut self, desk: &mut Desk, found: Found, talk: Talk, ticket: Option<u32>) {
        let Found { leg, agent, mut record } = found;
        record.leg = Some(leg);
        let is_up = self.leg(leg).is_some_and(|leg| leg.state == LegState::Up && !leg.is_asked());
        let rings = self.leg(leg).is_some_and(|leg| leg.state == LegState::Ringing || leg.is_asked());
        if !is_up {
            self.tell_transfer(desk, &record);
        }
        self.doing = Doing::Transfer(Box::new(Transfer {
            talk,
            stage: Stage::Ringing,
            target: Some(leg),
            agent,
            asked: None,
            ticket,
            consult: false,
            gone: false,
            rings: false,
            heard_early: false,
            record,
        }));
        self.report(desk, 100);
        if is_up {
            return self.transfer_done(desk);
        }
        self.hold_audio(desk);
        if rings {
            self.transfer_rings(desk);
        }
    }
}

/// The target of an attended transfer, taken out of the call in which it was spoken to.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) leg: LegId,
    pub(crate) agent: Option<AgentId>,
    pub(crate) record: TransferRecord,
}
