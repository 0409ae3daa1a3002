//! A flow that has the call for a while in place of its own: one that those who wait hear, one to which an agent sends his
//! caller aside, and one that asks the caller when the agent has hung up.
//!
//! Invariants: at most one stands above the call's own flow, which waits meanwhile at its step and is told nothing; whoever
//! takes the call away from what it was above ends it, and then the own flow has its step again. A wait's flow never ends
//! the wait but by handing the call over or by hanging up. Who is sent aside comes back to the agent who sent him, whatever
//! becomes of the flow; if that one has left, the talk is over when the flow is.

use crate::call::{Call, Doing};
use crate::connect::Talk;
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::flow::FlowRun;
use crate::input::Ticket;
use crate::leg::Heard;
use crate::output::FlowOutput;
use crate::room::RoomRefusal;
use crate::verbs;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::{CallId, FlowId, LegId};
use cordboard_model::media::{PlayItem, Repeat, Tone};
use cordboard_model::time::Time;
use cordboard_model::verb::{QueueEnd, Verb, VerbAnswer};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a flow above is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Those who wait hear it.
    Wait,
    /// An agent's caller was sent aside to it.
    Aside,
    /// It asks the caller whom the agent has left.
    Survey,
}

/// A talk that waits for its caller, who was sent aside.
#[derive(Debug)]
pub(crate) struct Aside {
    pub(crate) talk: Talk,
    /// The agent has left meanwhile.
    gone: bool,
}

/// What the agent hears who waits for his caller, so that he knows the line to be alive.
const WAITS: [PlayItem; 2] = [PlayItem::Tone(Tone::Beep, 200), PlayItem::Silence(4_800)];

impl CallEngine {
    /// Sends the caller of an agent aside to a flow, with these entries in his call data, and back to the agent after it.
    ///
    /// # Errors
    /// If the call is not an agent and another who talk, or the data does not fit.
    pub fn send_aside(
        &mut self,
        call: CallId,
        flow: FlowId,
        data: BTreeMap<String, Value>,
        now: Time,
    ) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, |call, desk| call.send_aside(desk, flow, data))
    }

    /// Takes him back before the flow is over.
    ///
    /// # Errors
    /// If nobody was sent aside.
    pub fn take_back(&mut self, call: CallId, now: Time) -> Result<(), RoomRefusal> {
        self.ask_room(call, now, |call, desk| {
            call.aside.as_ref().ok_or(RoomRefusal::None)?;
            call.end_side(desk, false);
            call.back_from_aside(desk);
            Ok(())
        })
    }
}

impl Call {
    /// Whether a flow of the wait runs.
    pub(crate) fn has_wait_flow(&self) -> bool {
        matches!(&self.flow, Some(FlowRun { side: Some(Side::Wait), .. }))
    }

    fn side(&self) -> Option<Side> {
        self.flow.as_ref().and_then(|flow| flow.side)
    }

    /// Whether the flow that runs may do no more with the call than ask and tell.
    pub(crate) fn is_bound(&self) -> bool {
        matches!(self.side(), Some(Side::Wait | Side::Aside))
    }

    /// Whether steps may be done for the flow that runs.
    pub(crate) fn flow_has_call(&self) -> bool {
        match &self.doing {
            Doing::Flow => true,
            Doing::Queue(_) => self.has_wait_flow(),
            _ => false,
        }
    }

    /// Begins a flow above the call's own. Not a second one.
    pub(crate) fn begin_side(&mut self, desk: &mut Desk, flow: FlowId, side: Side) {
        if self.flow.as_ref().is_some_and(|flow| flow.side.is_some()) {
            return;
        }
        let above = self.flow.is_some();
        self.below = self.flow.take();
        self.run_flow(desk, flow, Some(side), above);
    }

    /// The flow above is over, if there is one: by its own end, or because the call is needed elsewhere.
    pub(crate) fn end_side(&mut self, desk: &mut Desk, by_itself: bool) {
        let Some(run) = self.flow.take_if(|flow| flow.side.is_some()) else {
            return;
        };
        desk.clear(Timer::Step(self.id));
        self.end_entry(desk, run.step.as_ref(), true);
        self.digits.clear();
        self.flow = self.below.take();
        let call = self.id;
        if self.flow.is_some() {
            desk.flow(FlowOutput::Back { call });
        } else if !by_itself {
            desk.flow(FlowOutput::Stop { call, hung_up: false });
        }
    }

    /// The flow of the wait is over, if one runs; a survey that waits in a queue goes on.
    pub(crate) fn end_wait_flow(&mut self, desk: &mut Desk) {
        if self.has_wait_flow() {
            self.end_side(desk, false);
        }
    }

    /// A flow above came to its end, or failed. True if that was one.
    pub(crate) fn side_ended(&mut self, desk: &mut Desk) -> bool {
        let Some(side) = self.side() else { return false };
        self.end_side(desk, true);
        match side {
            Side::Wait if matches!(self.doing, Doing::Queue(_)) => self.resume_music(desk),
            Side::Wait if matches!(self.doing, Doing::Flow) => self.place_is_kept(desk),
            Side::Aside => self.back_from_aside(desk),
            Side::Survey if matches!(self.doing, Doing::Flow) => self.talk_is_over(desk),
            _ => {}
        }
        true
    }

    /// The flow of a wait has said goodbye to one who is to be called back.
    fn place_is_kept(&mut self, desk: &mut Desk) {
        match self.flow.is_some() {
            true => self.finish_step(desk, VerbAnswer::Queue(QueueEnd::Callback)),
            false => self.end(desk, Cause::Normal, Party::Switch),
        }
    }

    /// The flow that waited for the talk's end has the call again, or the call ends: the agent has hung up.
    fn talk_is_over(&mut self, desk: &mut Desk) {
        match self.after_talk(desk, None, Cause::Normal) {
            Some(answer) => {
                self.finish_step(desk, answer);
                if let Some(flow) = &mut self.flow {
                    flow.left = true;
                }
            }
            None => self.end(desk, Cause::Normal, Party::Callee),
        }
    }

    fn send_aside(
        &mut self,
        desk: &mut Desk,
        flow: FlowId,
        data: BTreeMap<String, Value>,
    ) -> Result<(), RoomRefusal> {
        let joined = matches!(&self.doing, Doing::Talk(talk) if talk.joined);
        let agent = self.agent_leg().filter(|_| joined).ok_or(RoomRefusal::NotTalking)?;
        if self.room.watch.is_some() || !self.room.is_for_two() {
            return Err(RoomRefusal::UnderWay);
        }
        if !self.may_be_interrupted(desk) {
            return Err(RoomRefusal::Recordings);
        }
        let name = self.leg(agent).and_then(|leg| leg.agent.as_ref()).map(|agent| agent.name.to_string());
        let name = name.ok_or(RoomRefusal::NotTalking)?;
        let talk = self.interrupt(desk, agent).map_err(|_| RoomRefusal::NotTalking)?;
        self.aside = Some(Aside { talk, gone: false });
        for (key, value) in data.into_iter().chain([("verifyWorkNo".to_owned(), name.into())]) {
            // what does not fit is left out: nobody is cut off for it
            let _ = self.put_data(desk, key, value);
        }
        self.let_go(desk);
        self.play(desk, agent, Heard::Hold, WAITS.to_vec(), Repeat::Forever);
        self.doing = Doing::Flow;
        self.begin_side(desk, flow, Side::Aside);
        Ok(())
    }

    /// The flow aside is over: agent and caller talk again.
    fn back_from_aside(&mut self, desk: &mut Desk) {
        let Some(Aside { talk, gone }) = self.aside.take() else { return };
        self.stop_play(desk, self.caller.id);
        if gone {
            return self.talk_is_over(desk);
        }
        self.stop_play(desk, talk.peer);
        self.doing = Doing::Talk(talk);
        self.join(desk);
    }

    /// A leg is gone: true if it is the agent's whose caller is aside, who goes on there alone.
    pub(crate) fn left_aside(&mut self, desk: &mut Desk, id: LegId) -> bool {
        let Some(aside) = self.aside.as_mut().filter(|aside| aside.talk.peer == id) else {
            return false;
        };
        aside.gone = true;
        self.release_agent(desk, id);
        true
    }

    /// The agent has hung up first: true if the queue has a survey for its caller, who is asked now.
    pub(crate) fn is_surveyed(&mut self, desk: &mut Desk, agent: LegId) -> bool {
        // a survey that sent him to somebody goes on itself
        let survey = self.manner.as_ref().and_then(|manner| manner.survey.clone());
        let survey = survey.filter(|_| self.side().is_none());
        let left = self.leg(agent).and_then(|leg| leg.agent.clone());
        let (Some(survey), Some(left), None) = (survey, left, &self.caller.agent) else {
            return false;
        };
        let talk = match core::mem::replace(&mut self.doing, Doing::Flow) {
            Doing::Talk(talk) if talk.joined && self.caller_is_up() => talk,
            other => {
                self.doing = other;
                return false;
            }
        };
        self.unjoin_media(desk);
        self.part(desk, talk);
        self.let_go(desk);
        let queue = self.queue_now().map(|queue| queue.name.to_string()).unwrap_or_default();
        for (key, value) in [("surveyAgent", left.name.to_string()), ("surveyQueue", queue)] {
            let _ = self.put_data(desk, key.to_owned(), value.into());
        }
        self.begin_side(desk, survey, Side::Survey);
        true
    }

    /// The same in a call that a queue began with its agent: the customer whom he has called back is asked.
    pub(crate) fn is_recalled_surveyed(&mut self, desk: &mut Desk) -> bool {
        let (agent, began) = (self.caller.id, self.ours && self.caller.agent.is_some());
        let customer = match &self.doing {
            Doing::Talk(talk) if talk.joined && began && self.queue.is_some() => talk.peer,
            _ => return false,
        };
        if self.leg(customer).is_none_or(|leg| leg.agent.is_some()) {
            return false;
        }
        // it is the customer that the call is for from now on
        self.change_ends(customer, agent);
        let asked = self.is_surveyed(desk, agent);
        if !asked {
            self.change_ends(agent, customer);
        }
        asked
    }

    fn change_ends(&mut self, anchor: LegId, peer: LegId) {
        self.promote(anchor);
        if let Doing::Talk(talk) = &mut self.doing {
            talk.peer = peer;
        }
    }

    /// A wait's flow, or one aside, asks for a step: what is heard and asked, and what ends the wait. One aside that would
    /// hang up is only over.
    pub(crate) fn side_verb(&mut self, desk: &mut Desk, ticket: Ticket, verb: Verb) {
        match verb {
            Verb::Play { .. }
            | Verb::Collect { .. }
            | Verb::Wait { .. }
            | Verb::First(_)
            | Verb::SetData { .. }
            | Verb::GetData { .. }
            | Verb::Log { .. } => verbs::begin(self, desk, ticket, verb),
            Verb::Answer if self.caller_is_up() => self.answer_now(desk, ticket, VerbAnswer::Done),
            Verb::HangUp { .. } if self.aside.is_some() => {}
            Verb::Transfer { to } if self.aside.is_none() => {
                self.leave_queue(desk, "flow");
                self.stop_flow(desk, false);
                self.go(desk, to);
            }
            Verb::HangUp { cause } => self.end(desk, cause, Party::Switch),
            _ => self.answer_now(desk, ticket, VerbAnswer::Failed(Cause::ProtocolError)),
        }
    }
}
