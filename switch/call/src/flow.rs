//! The call's flow: started, asked, answered, stopped.
//!
//! Invariant: every step that is taken is answered once, unless the flow is stopped or ends before; a
//! flow that was stopped, has ended or has failed is told nothing more.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::input::{Fallback, Ticket};
use crate::leg::Heard;
use crate::output::FlowOutput;
use crate::side::Side;
use crate::verbs;
use crate::verbs::collect::Collect;
use crate::verbs::conference::Gathering;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::event::EventKind;
use cordboard_model::id::{FlowId, LegId, StreamId};
use cordboard_model::media::Repeat;
use cordboard_model::time::Duration;
use cordboard_model::verb::{FirstEnd, Verb, VerbAnswer};

/// A flow that runs.
#[derive(Debug)]
pub(crate) struct FlowRun {
    pub(crate) id: FlowId,
    /// The step it waits for.
    pub(crate) step: Option<Step>,
    /// The agent hung up, and nothing was done for the caller since: if the flow lets him go now, it was the
    /// agent who ended the call.
    pub(crate) left: bool,
    /// What for, if it stands above the call's own.
    pub(crate) side: Option<Side>,
}

/// A step under way.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) ticket: Ticket,
    pub(crate) kind: StepKind,
}

/// What is waited for.
#[derive(Debug)]
pub(crate) enum StepKind {
    /// The caller being answered.
    Answer,
    /// A playback's end.
    Play {
        /// A key ends it.
        barge_in: bool,
    },
    /// Keys.
    Collect(Collect),
    /// Time.
    Wait,
    /// The first of several things.
    First {
        /// A key is one of them.
        key: bool,
    },
    /// A queue.
    Enqueue,
    /// A device that rings.
    Transfer,
    /// One or several who were dialled, and the talk if the flow goes on after it.
    Dial(DialRule),
    /// Several who ring, or talk with the caller.
    Conference(Gathering),
    /// A program that has the caller's audio.
    Stream(StreamId),
}

/// How a talk with who was dialled goes on and ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DialRule {
    /// Its longest time.
    pub(crate) talk: Option<Duration>,
    /// The flow has the caller again after it.
    pub(crate) go_on: bool,
    /// Others are rung at once if nobody takes the call.
    pub(crate) more: bool,
}

impl Call {
    /// Hands the call to a flow; one that runs is stopped first.
    pub(crate) fn start_flow(&mut self, desk: &mut Desk, flow: FlowId) {
        self.stop_flow(desk, false);
        self.doing = Doing::Flow;
        self.run_flow(desk, flow, None, false);
    }

    /// For the record, which has the last of them if there are too many, and those that ran again then once.
    fn note_flow(&mut self, desk: &Desk, flow: &FlowId) {
        if self.flows.len() >= desk.limits.leg_records.max(1) {
            if self.flows.contains(flow) {
                return;
            }
            self.flows.remove(0);
        }
        self.flows.push(flow.clone());
    }

    /// Runs a flow: the call's own, or one at its side, above another if that goes on later.
    pub(crate) fn run_flow(&mut self, desk: &mut Desk, flow: FlowId, side: Option<Side>, above: bool) {
        self.digits.clear();
        self.note_flow(desk, &flow);
        self.flow = Some(FlowRun { id: flow.clone(), step: None, left: false, side });
        let call = self.id;
        desk.event(self.tenant(), EventKind::FlowStarted { call, flow: flow.clone() });
        desk.flow(FlowOutput::Start {
            call,
            flow,
            from: self.caller.party.clone(),
            to: self.incoming.to.clone(),
            data: self.data.clone(),
            above,
        });
    }

    /// Ends the flow from our side.
    pub(crate) fn stop_flow(&mut self, desk: &mut Desk, hung_up: bool) {
        desk.clear(Timer::Step(self.id));
        desk.clear(Timer::Conference(self.id));
        self.close_stream(desk);
        self.below = None;
        if let Some(flow) = self.flow.take() {
            self.end_entry(desk, flow.step.as_ref(), true);
            desk.flow(FlowOutput::Stop { call: self.id, hung_up });
        }
    }

    /// The flow asks for a step.
    pub(crate) fn on_verb(&mut self, desk: &mut Desk, ticket: Ticket, verb: Verb) {
        let Some(flow) = &self.flow else { return };
        let busy = flow.step.is_some() || !self.flow_has_call();
        if !busy && self.is_bound() {
            return self.side_verb(desk, ticket, verb);
        }
        if busy {
            let answer = VerbAnswer::Failed(Cause::ProtocolError);
            desk.flow(FlowOutput::Answer { call: self.id, ticket, answer });
        } else {
            verbs::begin(self, desk, ticket, verb);
        }
    }

    /// Takes a step up.
    pub(crate) fn begin_step(&mut self, ticket: Ticket, kind: StepKind) {
        if let Some(flow) = &mut self.flow {
            flow.step = Some(Step { ticket, kind });
            flow.left = false;
        }
    }

    /// Answers a step that needs no waiting.
    pub(crate) fn answer_now(&mut self, desk: &mut Desk, ticket: Ticket, answer: VerbAnswer) {
        desk.flow(FlowOutput::Answer { call: self.id, ticket, answer });
    }

    /// Answers the step under way. The flow has the call again.
    pub(crate) fn finish_step(&mut self, desk: &mut Desk, answer: VerbAnswer) {
        desk.clear(Timer::Step(self.id));
        desk.clear(Timer::Conference(self.id));
        if let Some(step) = self.flow.as_mut().and_then(|flow| flow.step.take()) {
            if !self.has_wait_flow() {
                self.doing = Doing::Flow;
            }
            self.end_entry(desk, Some(&step), false);
            self.answer_now(desk, step.ticket, answer);
        }
    }

    /// The step under way.
    pub(crate) fn step_kind(&mut self) -> Option<&mut StepKind> {
        let step = self.flow.as_mut()?.step.as_mut()?;
        Some(&mut step.kind)
    }

    /// The flow came to its end by itself. Below a queue or a ringing device the call goes on without it.
    pub(crate) fn on_flow_ended(&mut self, desk: &mut Desk) {
        self.close_stream(desk);
        if self.side_ended(desk) {
            return;
        }
        let Some(flow) = self.flow.take() else { return };
        desk.clear(Timer::Step(self.id));
        desk.clear(Timer::Conference(self.id));
        if matches!(self.doing, Doing::Flow) && flow.left {
            self.end(desk, Cause::Normal, Party::Callee);
        } else if matches!(self.doing, Doing::Flow) {
            self.end(desk, Cause::FlowEnded, Party::Switch);
        }
    }

    /// The flow failed. Below a queue or a ringing device the call goes on without it.
    pub(crate) fn on_flow_failed(&mut self, desk: &mut Desk, error: String, fallback: Fallback) {
        self.close_stream(desk);
        if let Some(flow) = self.flow.as_ref().filter(|flow| flow.side.is_some()) {
            let (call, flow) = (self.id, flow.id.clone());
            desk.event(self.tenant(), EventKind::FlowFailed { call, flow, error });
            self.side_ended(desk);
            return;
        }
        let Some(flow) = self.flow.take() else { return };
        desk.clear(Timer::Step(self.id));
        desk.clear(Timer::Conference(self.id));
        self.end_entry(desk, flow.step.as_ref(), true);
        let (call, flow) = (self.id, flow.id);
        desk.event(self.tenant(), EventKind::FlowFailed { call, flow, error });
        if !matches!(self.doing, Doing::Flow) {
            return;
        }
        self.stop_play(desk, self.caller.id);
        self.doing = Doing::Apology(fallback.to);
        self.open_ear(desk);
        let leg = self.caller.id;
        if self.play(desk, leg, Heard::Apology, fallback.apology, Repeat::Once) {
            desk.set(Timer::Step(self.id), desk.limits.apology);
        } else {
            self.follow_fallback(desk);
        }
    }

    /// The apology is over.
    pub(crate) fn follow_fallback(&mut self, desk: &mut Desk) {
        let Doing::Apology(to) = &mut self.doing else {
            return;
        };
        let to = to.take();
        desk.clear(Timer::Step(self.id));
        self.stop_play(desk, self.caller.id);
        match to {
            Some(to) => self.go(desk, to),
            None => self.end(desk, Cause::FlowFailed, Party::Switch),
        }
    }

    /// The caller is answered while the flow has the call.
    pub(crate) fn answer_done(&mut self, desk: &mut Desk) {
        if matches!(self.step_kind(), Some(StepKind::Answer)) {
            self.finish_step(desk, VerbAnswer::Done);
        }
    }

    /// The playback of a step ended by itself.
    pub(crate) fn step_heard(&mut self, desk: &mut Desk, finished: bool) {
        match self.step_kind() {
            Some(StepKind::Play { .. }) => self.play_done(desk, finished),
            Some(StepKind::Collect(_)) => self.prompt_done(desk),
            _ => {}
        }
    }

    /// The deadline of a step.
    pub(crate) fn on_step_deadline(&mut self, desk: &mut Desk) {
        if matches!(self.doing, Doing::Apology(_)) {
            return self.follow_fallback(desk);
        }
        if self.recall_unconfirmed(desk) {
            return;
        }
        match self.step_kind() {
            Some(StepKind::Wait) => self.finish_step(desk, VerbAnswer::Done),
            Some(StepKind::Collect(_)) => self.collect_timeout(desk),
            Some(StepKind::Stream(_)) => self.stream_timeout(desk),
            Some(StepKind::First { .. }) => self.first_came(desk, VerbAnswer::First(FirstEnd::Time)),
            _ => {}
        }
    }

    /// A key. It counts only while a flow has the call; else the media thread carries it across the bridge.
    pub(crate) fn digit(&mut self, desk: &mut Desk, leg: LegId, digit: char) {
        self.types_on(desk, leg);
        let known = digit.is_ascii_digit() || matches!(digit, '*' | '#' | 'A'..='D');
        if known && self.entry_key(desk, leg, digit) {
            return;
        }
        if self.confirm_key(desk, leg, digit)
            || self.branch_key(desk, leg, digit)
            || self.recall_key(desk, leg, digit)
        {
            return;
        }
        let ours = leg == self.caller.id && self.flow.is_some();
        if known && ours && matches!(self.doing, Doing::Queue(_)) && self.key_in_queue(desk, digit) {
            return;
        }
        if !known || !ours || !self.flow_has_call() {
            return;
        }
        let call = self.id;
        desk.event(self.tenant(), EventKind::Digit { call, digit });
        if self.stream_digit(desk, digit) {
            return;
        }
        if self.digits.len() < desk.limits.digits {
            self.digits.push_back(digit);
        }
        match self.step_kind() {
            Some(StepKind::Play { barge_in: true }) => self.play_cut(desk, digit),
            Some(StepKind::First { key: true }) => {
                self.first_came(desk, VerbAnswer::First(FirstEnd::Key(digit)));
            }
            Some(StepKind::Collect(_)) => self.collect_keys(desk),
            _ => {}
        }
    }
}
