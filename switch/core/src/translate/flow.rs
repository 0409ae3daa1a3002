//! What flows ask, told to calls.

use crate::shard::Shard;
use cordboard_call::{CallInput, Fallback};
use cordboard_flow::{FlowCommand, FlowInput, FlowOutput};
use cordboard_model::cause::Cause;
use cordboard_model::event::EventKind;
use cordboard_model::id::FlowId;
use cordboard_model::media::PlayItem;
use cordboard_model::verb::{Destination, Verb, VerbAnswer};

impl Shard {
    pub(crate) fn on_flow(&mut self, output: FlowOutput) {
        let Some(output) = self.on_deciding_flow(output) else { return };
        match output {
            FlowOutput::Verb { call, ticket, verb: Verb::Ask(ask) } => {
                let answer = self.asked(call, ask);
                self.flows.handle_input(FlowInput::Answer { call, ticket, answer }, self.now);
            }
            FlowOutput::Verb { call, ticket, verb: Verb::Http(fetch) } => {
                self.fetch_alone(call, ticket, *fetch)
            }
            FlowOutput::Verb { call, ticket, verb: Verb::Phone(act) } => self.phone_step(call, ticket, *act),
            FlowOutput::Verb { call, ticket, verb } => {
                if self.leads_nowhere(&verb) {
                    let answer = VerbAnswer::Failed(Cause::NotFound);
                    return self.flows.handle_input(FlowInput::Answer { call, ticket, answer }, self.now);
                }
                if let Some(verb) = self.speak_first(call, ticket, verb) {
                    self.begin_step(call, ticket, verb);
                }
            }
            FlowOutput::Ended { call, .. } => {
                self.speeches.forget(call);
                self.fetches.forget(call);
                self.phone_desks.leave(call);
                self.tell_call(call, CallInput::FlowEnded { call });
            }
            FlowOutput::Failed { call, flow, error } => {
                self.speeches.forget(call);
                self.fetches.forget(call);
                self.phone_desks.leave(call);
                let fallback = self.fallback(&flow);
                let error = error.to_string();
                self.tell_call(call, CallInput::FlowFailed { call, error, fallback });
            }
            FlowOutput::Log { call, text, file, line } => {
                let text = format!("{file}:{line}: {text}");
                self.event(call.tenant, EventKind::FlowLog { call, text });
            }
        }
    }

    /// A transfer that would take the call from its flow, to a flow or queue that is not there. (Others ring first,
    /// and the flow hears what became of it.)
    fn leads_nowhere(&self, verb: &Verb) -> bool {
        match verb {
            Verb::Transfer { to: Destination::Flow(flow) } => self.snapshot.flow(flow).is_none(),
            Verb::Transfer { to: Destination::Queue(queue) } => self.snapshot.queue(queue).is_none(),
            _ => false,
        }
    }

    /// Only a configuration can be refused, and it was checked before it came here.
    pub(crate) fn flow_command(&mut self, command: FlowCommand<'_>) {
        let _ = self.flows.handle_command(command, self.now);
    }

    fn fallback(&self, flow: &FlowId) -> Fallback {
        let Some(flow) = self.snapshot.flow(flow) else {
            return Fallback::default();
        };
        Fallback {
            apology: flow.apology.clone().map(PlayItem::Asset).into_iter().collect(),
            to: flow.fallback.clone(),
        }
    }
}

/// What of the tenant's a text names outright: "library", "flow", "calendar" or "table", its name, line and column.
pub fn flow_uses(source: &str) -> Vec<(&'static str, String, u32, u32)> {
    let found = cordboard_flow::uses(source).into_iter();
    found.map(|used| (used.kind.as_str(), used.name, used.line, used.column)).collect()
}

/// Checks the text of a flow without running it. Each fault is line, column (from one) and reason.
pub fn check_flow(source: &str, file: &str) -> Vec<(u32, u32, String)> {
    let faults = cordboard_flow::check(source, file).err().unwrap_or_default();
    faults.into_iter().map(|fault| (fault.line, fault.column.unwrap_or(1), fault.text)).collect()
}
