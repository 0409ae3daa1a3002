//! Stream: a program has the caller's audio until it closes its connection, or the flow's time is up. Keys are told to it
//! and to nobody else.
//!
//! Invariant: a stream that was opened is closed by whoever ends the step first: the program, the deadline, or the flow's
//! end; and the media thread hears of it once.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::input::Ticket;
use crate::leg::Port;
use crate::output::CallOutput;
use cordboard_model::cause::Cause;
use cordboard_model::data;
use cordboard_model::event::EventKind;
use cordboard_model::id::StreamId;
use cordboard_model::media::MediaCommand;
use cordboard_model::stream::{StreamCommand, StreamEnd, StreamOpening, StreamOutcome, StreamWay};
use cordboard_model::time::Duration;
use cordboard_model::verb::VerbAnswer;
use std::collections::BTreeMap;

impl Call {
    pub(super) fn verb_stream(
        &mut self,
        desk: &mut Desk,
        ticket: Ticket,
        url: String,
        parameters: BTreeMap<String, String>,
        timeout_ms: Option<u32>,
    ) {
        self.open_ear(desk);
        if self.caller.port != Port::Open {
            return self.answer_now(desk, ticket, VerbAnswer::Failed(Cause::InternalError));
        }
        let (stream, call, leg) = (desk.ids.stream(self.tenant()), self.id, self.caller.id);
        let parameters = self.told_programs(parameters);
        let flow = self.flow.as_ref().map(|flow| flow.id.name.as_str()).unwrap_or_default();
        let (by, way) = (format!("flow {flow}"), StreamWay::Talk);
        self.begin_step(ticket, StepKind::Stream(stream));
        desk.media(MediaCommand::Live { leg, stream });
        let opening = StreamOpening { stream, call, leg, way, url, parameters };
        desk.out.push_back(CallOutput::Stream(StreamCommand::Open(Box::new(opening))));
        desk.event(self.tenant(), EventKind::StreamStarted { call, stream, way, by });
        if let Some(ms) = timeout_ms {
            desk.set(Timer::Step(self.id), Duration::from_millis(ms.into()));
        }
    }

    /// What a program is told at the start: what is asked for, and of the call what has no name among that.
    pub(crate) fn told_programs(&self, mut parameters: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let known = [
            ("call", self.id.to_string()),
            ("from", self.caller.party.user.clone()),
            ("to", self.incoming.to.user.clone()),
        ];
        for (key, value) in known {
            parameters.entry(key.to_owned()).or_insert(value);
        }
        for (key, value) in &self.data {
            parameters.entry(key.clone()).or_insert_with(|| data::shown(value));
        }
        parameters
    }

    fn tell_stream_end(&self, desk: &mut Desk, stream: StreamId, end: StreamEnd) {
        let call = self.id;
        desk.event(self.tenant(), EventKind::StreamEnded { call, stream, end });
    }

    /// The stream of the step under way.
    fn stream(&mut self) -> Option<StreamId> {
        match self.step_kind() {
            Some(StepKind::Stream(stream)) => Some(*stream),
            _ => None,
        }
    }

    /// A key of the caller's; says whether it was the program's.
    pub(crate) fn stream_digit(&mut self, desk: &mut Desk, digit: char) -> bool {
        let stream = self.stream();
        if let Some(stream) = stream {
            let call = self.id;
            desk.out.push_back(CallOutput::Stream(StreamCommand::Digit { call, stream, digit }));
        }
        stream.is_some()
    }

    /// The program ended it, or there never was a connection.
    pub(crate) fn on_stream_ended(&mut self, desk: &mut Desk, stream: StreamId, outcome: StreamOutcome) {
        if self.listener_ended(desk, stream, outcome.end) || self.heard(desk, stream, &outcome) {
            return;
        }
        if self.stream() == Some(stream) {
            desk.media(MediaCommand::StopLive { leg: self.caller.id, stream });
            self.tell_stream_end(desk, stream, outcome.end);
            self.finish_step(desk, VerbAnswer::Streamed(outcome));
        }
    }

    /// The flow's time is up.
    pub(crate) fn stream_timeout(&mut self, desk: &mut Desk) {
        self.end_stream(desk, StreamEnd::Timeout);
        self.finish_step(desk, VerbAnswer::Streamed(StreamEnd::Timeout.into()));
    }

    /// Ends the stream of the step under way, if it is one, for the call has no more use for it.
    pub(crate) fn close_stream(&mut self, desk: &mut Desk) {
        self.end_stream(desk, StreamEnd::Stopped);
    }

    fn end_stream(&mut self, desk: &mut Desk, end: StreamEnd) {
        if let Some(stream) = self.stream() {
            desk.media(MediaCommand::StopLive { leg: self.caller.id, stream });
            desk.out.push_back(CallOutput::Stream(StreamCommand::Close { stream }));
            self.tell_stream_end(desk, stream, end);
        }
    }
}
