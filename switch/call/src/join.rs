//! Two calls become one: an attended transfer across calls, and a leg that takes another's place.
//!
//! Invariants: a leg moves whole: its session, port and deadlines go with it; what it leaves behind is a line in the
//! record of the call it was in, which ends as transferred and names the other. Nothing moves that is neither up nor
//! ringing, and a call that cannot give or take stays as it was.

use crate::call::{Call, Doing};
use crate::connect::Talk;
use crate::desk::{Desk, Timer};
use crate::leg::{Leg, LegEnd, LegState, Port};
use crate::opening::Opening;
use crate::output::{CallOutput, QueueOutput};
use crate::told::ToldLeg;
use crate::transfer::{Found, TransferRefusal};
use cordboard_model::act::ActEnd;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{TransferKind, TransferOutcome, TransferRecord};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, LegId};
use cordboard_model::leg::LegCommand;
use cordboard_model::media::MediaCommand;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

/// What the other call has for the party that is sent.
#[derive(Debug)]
enum Gift {
    /// A leg, with the agent at its end.
    Leg(LegId, Option<AgentId>),
    /// The place in a queue, or the flow.
    Place(Destination),
}

impl Call {
    /// What the call has to give to one who takes the place of `leg`.
    fn gift(&self, leg: LegId) -> Option<Gift> {
        match &self.doing {
            Doing::Talk(_) if !self.room.is_for_two() => None,
            Doing::Talk(talk) if talk.joined && leg == self.caller.id => {
                Some(Gift::Leg(talk.peer, talk.agent.clone()))
            }
            Doing::Talk(talk) if talk.joined && leg == talk.peer => {
                Some(Gift::Leg(self.caller.id, self.caller.agent.clone()))
            }
            Doing::Connect(connect) if leg == self.caller.id => {
                let target = self.leg(connect.leg)?;
                let moves = matches!(target.state, LegState::Calling | LegState::Ringing);
                moves.then(|| Gift::Leg(connect.leg, connect.agent.clone()))
            }
            Doing::Queue(wait) if leg == self.caller.id => {
                Some(Gift::Place(Destination::Queue(wait.queue.clone())))
            }
            Doing::Flow if leg == self.caller.id => {
                self.flow.as_ref().map(|flow| Gift::Place(Destination::Flow(flow.id.clone())))
            }
            _ => None,
        }
    }

    /// Takes a leg out. What stays behind is how it ended here.
    pub(crate) fn give_away(&mut self, desk: &mut Desk, id: LegId, to: CallId) -> Option<Leg> {
        let at = desk.wall_now();
        let (call, tenant) = (self.id, self.tenant());
        match &self.doing {
            Doing::Talk(talk) if talk.joined => self.unjoin_media(desk),
            Doing::Connect(connect) if connect.heard_early => desk.media(MediaCommand::Unbridge { leg: id }),
            _ => {}
        }
        self.end_acts(desk, ActEnd::Replaced);
        self.stop_recordings(desk);
        self.stop_play(desk, id);
        let leg = self.leg_mut(id)?;
        let mut left = Leg::new(leg.id, leg.role, leg.party.clone(), leg.started);
        left.agent.clone_from(&leg.agent);
        left.answered = leg.answered;
        left.state = LegState::Gone;
        left.port = Port::Free;
        left.end = Some(LegEnd { at, cause: Cause::Transferred, sip_status: None });
        let leg = core::mem::replace(leg, left);
        self.joined = Some(to);
        desk.event(tenant, EventKind::LegEnded { call, leg: id, cause: Cause::Transferred });
        desk.out.push_back(CallOutput::Moved { leg: id, from: call, to });
        Some(leg)
    }

    pub(crate) fn take_in(&mut self, desk: &mut Desk, leg: Leg) {
        self.drop_old_records(desk);
        desk.legs.insert(leg.id, self.id);
        let (call, id, party) = (self.id, leg.id, leg.party.clone());
        desk.event(self.tenant(), EventKind::LegStarted { call, leg: id, party });
        self.callees.push(leg);
        // nobody of this call holds or mutes it
        if let Some(leg) = self.leg_mut(id) {
            leg.muted = false;
            leg.told = ToldLeg::default();
            leg.holding.wanted = false;
            leg.holding.orderer = None;
        }
        self.ask_hold(desk, id);
    }

    /// Whether another leg may take the place of this one.
    fn can_be_taken(&self, leg: LegId) -> bool {
        match &self.doing {
            Doing::Talk(talk) => {
                talk.joined && self.room.is_for_two() && (leg == talk.peer || leg == self.caller.id)
            }
            Doing::Connect(connect) => connect.leg == leg,
            Doing::Fork(_) => self.branch_rings(leg),
            Doing::Queue(_) => self.is_offered(leg),
            _ => false,
        }
    }

    /// A leg that has just come takes the place of `old`.
    fn put_in_place(&mut self, desk: &mut Desk, old: LegId, new: Leg) {
        let id = new.id;
        let to = new.party.user.clone();
        let was_up = self.leg(old).is_some_and(|leg| leg.state == LegState::Up);
        self.take_in(desk, new);
        let mut record = false;
        let doing = core::mem::replace(&mut self.doing, Doing::Ending);
        match doing {
            Doing::Talk(talk) => {
                self.doing = Doing::Talk(talk);
                if let Ok(talk) = self.interrupt(desk, old) {
                    record = talk.record;
                }
            }
            Doing::Connect(connect) => {
                if connect.heard_early {
                    desk.media(MediaCommand::Unbridge { leg: self.caller.id });
                }
                self.stop_flow(desk, false);
            }
            Doing::Fork(fork) => {
                for other in fork.ways.iter().filter(|way| way.leg != old) {
                    self.stop_play(desk, other.leg);
                    self.hang_up_leg(desk, other.leg, Cause::AnsweredElsewhere);
                }
                self.stop_flow(desk, false);
            }
            Doing::Queue(_) => self.picked_up(desk, old),
            _ => {}
        }
        let opened = self.open_record(desk, TransferKind::Taken, old, &to);
        self.close_record(desk, TransferRecord { leg: Some(id), outcome: TransferOutcome::Done, ..opened });
        let cause = if was_up { Cause::Transferred } else { Cause::AnsweredElsewhere };
        self.hang_up_leg(desk, old, cause);
        self.release_agent(desk, old);
        self.let_go(desk);
        let opening = if was_up { Opening::decided() } else { Opening::default() };
        self.doing = Doing::Talk(Talk { record, opening, ..Talk::new(id, None) });
        self.join(desk);
    }

    fn picked_up(&mut self, desk: &mut Desk, old: LegId) {
        let call = self.id;
        for leg in self.refuse_offers(desk, Cause::AnsweredElsewhere).into_iter().filter(|leg| *leg != old) {
            self.hang_up_leg(desk, leg, Cause::AnsweredElsewhere);
        }
        desk.queue(QueueOutput::Abandoned { call });
        self.leave(desk, None, "picked_up");
        self.stop_flow(desk, false);
    }
}

/// Sends the party that talks to `by` in one call to whom `other` reached in another (RFC 3891, 5589 7): by a phone's
/// REFER (`ticket`) or by the API.
pub(crate) fn attended(
    calls: &mut BTreeMap<CallId, Box<Call>>,
    desk: &mut Desk,
    (call, by): (CallId, LegId),
    (source, other): (CallId, LegId),
    ticket: Option<u32>,
) -> Result<(), TransferRefusal> {
    if call == source || call.tenant != source.tenant {
        return Err(TransferRefusal::NotTalking);
    }
    let gift = calls.get(&source).and_then(|from| from.gift(other)).ok_or(TransferRefusal::NotFound)?;
    let data = calls.get(&source).map(|from| from.data.clone()).unwrap_or_default();
    let to = calls.get(&source).map(|from| from.incoming.to.user.clone()).unwrap_or_default();
    let into = calls.get_mut(&call).ok_or(TransferRefusal::NotFound)?;
    let talk = into.interrupt(desk, by)?;
    // what was written down about the party that is sent counts for more than what was about the consultation
    for (key, value) in data {
        into.data.entry(key).or_insert(value);
    }
    let mut record = into.open_record(desk, TransferKind::Attended, by, &to);
    record.consultation = Some(source);
    match gift {
        Gift::Place(place) => {
            if let Some(from) = calls.get_mut(&source) {
                from.joined = Some(call);
                from.end(desk, Cause::Transferred, Party::Switch);
            }
            if let Some(into) = calls.get_mut(&call) {
                into.given_place(desk, talk, record, ticket, place);
            }
        }
        Gift::Leg(id, agent) => {
            let leg = calls.get_mut(&source).and_then(|from| {
                let leg = from.give_away(desk, id, call);
                from.end(desk, Cause::Transferred, Party::Switch);
                leg
            });
            let (Some(into), Some(leg)) = (calls.get_mut(&call), leg) else {
                return Err(TransferRefusal::NotFound);
            };
            into.take_in(desk, leg);
            into.adopt_target(desk, Found { leg: id, agent, record }, talk, ticket);
        }
    }
    Ok(())
}

impl Call {
    fn given_place(
        &mut self,
        desk: &mut Desk,
        talk: Talk,
        record: TransferRecord,
        ticket: Option<u32>,
        place: Destination,
    ) {
        let by = talk.peer;
        for status in [100, 200] {
            if let Some(ticket) = ticket {
                desk.leg(by, LegCommand::TransferResult { ticket, status });
            }
        }
        self.close_record(desk, TransferRecord { outcome: TransferOutcome::Done, ..record });
        self.let_leave(desk, by);
        self.let_go(desk);
        self.stop_flow(desk, false);
        self.go(desk, place);
    }
}

/// A call came whose caller wants the place of `old`: he is answered if it can be had.
pub(crate) fn ask_place(calls: &mut BTreeMap<CallId, Box<Call>>, desk: &mut Desk, taker: CallId, old: LegId) {
    let source = desk.legs.get(&old).copied().filter(|source| *source != taker);
    let free = source.and_then(|source| calls.get(&source)).is_some_and(|call| call.can_be_taken(old));
    let Some(taker) = calls.get_mut(&taker) else { return };
    match free {
        true => {
            taker.doing = Doing::Taking(old);
            taker.answer_caller(desk);
        }
        false => taker.end(desk, Cause::NotFound, Party::Switch),
    }
}

/// He is answered: he takes it. Gives the call that he is in from now on.
pub(crate) fn take_place(
    calls: &mut BTreeMap<CallId, Box<Call>>,
    desk: &mut Desk,
    taker: CallId,
    old: LegId,
) -> Option<CallId> {
    let source = desk.legs.get(&old).copied().filter(|source| *source != taker);
    let free = source.filter(|source| calls.get(source).is_some_and(|call| call.can_be_taken(old)));
    let from = calls.get_mut(&taker)?;
    let Some(into) = free else {
        from.end(desk, Cause::NotFound, Party::Switch);
        return None;
    };
    let new = from.caller.id;
    let leg = from.give_away(desk, new, into);
    from.end(desk, Cause::Transferred, Party::Switch);
    if let (Some(leg), Some(call)) = (leg, calls.get_mut(&into)) {
        desk.clear(Timer::Route(into));
        call.put_in_place(desk, old, leg);
    }
    Some(into)
}
