//! What plugins ask of the world: a server, or a flow that decides.
//!
//! Invariant: a question is open as long as its run waits for it, and no longer: an answer that comes later finds nobody,
//! and a flow that decides ends with the run. Such a flow has an id of its own, which is never a call's.

use crate::io::ShardOutput;
use crate::shard::Shard;
use cordboard_flow::{FlowCommand, FlowInput, FlowOutput};
use cordboard_model::event::EventKind;
use cordboard_model::fetch::Fetched;
use cordboard_model::id::{CallId, FlowId};
use cordboard_model::verb::{Verb, VerbAnswer};
use cordboard_plugin_api::{Ask, AskAnswer, AskId};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Questions by HTTP, by the ticket they went out with.
    fetches: BTreeMap<u64, (CallId, AskId)>,
    /// Flows that decide, by the id they run under.
    flows: BTreeMap<CallId, (CallId, AskId)>,
    /// The question of each call: it has one at a time.
    of_call: BTreeMap<CallId, Open>,
}

/// Where a question is.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// At a server, with this ticket.
    Fetch(u64),
    /// With a flow that runs under this id.
    Flow(CallId),
}

impl Asking {
    pub(super) fn is_empty(&self) -> bool {
        self.fetches.is_empty() && self.flows.is_empty() && self.of_call.is_empty()
    }
}

impl Shard {
    /// The run of the call waits for no answer any more.
    pub(crate) fn stop_asking(&mut self, call: CallId) {
        match self.routing.asking.of_call.remove(&call) {
            Some(Open::Fetch(ticket)) => {
                self.routing.asking.fetches.remove(&ticket);
            }
            Some(Open::Flow(run)) => self.stop_deciding(run),
            None => {}
        }
    }

    fn stop_deciding(&mut self, run: CallId) {
        self.routing.asking.flows.remove(&run);
        self.fetches.forget(run);
        self.flow_command(FlowCommand::Stop { call: run });
    }

    pub(super) fn ask_outside(&mut self, call: CallId, id: AskId, what: Ask) {
        match what {
            Ask::Fetch(fetch) => match self.order_of(call, *fetch) {
                Ok(order) => {
                    let ticket = self.fetches.ticket();
                    self.routing.asking.fetches.insert(ticket, (call, id));
                    self.routing.asking.of_call.insert(call, Open::Fetch(ticket));
                    self.out.push_back(ShardOutput::Fetch { ticket, order: Box::new(order) });
                }
                Err(why) => self.route_answer(call, id, failed(why.as_str())),
            },
            Ask::Flow(flow) => self.ask_flow(call, id, flow),
        }
    }

    fn ask_flow(&mut self, call: CallId, id: AskId, flow: FlowId) {
        let Some(request) = self.routing.runs.get(&call).map(|run| run.request().clone()) else {
            return;
        };
        let run = self.calls.new_call(call.tenant);
        self.routing.asking.flows.insert(run, (call, id));
        self.routing.asking.of_call.insert(call, Open::Flow(run));
        let mut data = request.data;
        let trunk = request.trunk.map(|trunk| ("trunk".to_owned(), Value::from(trunk.name.as_str())));
        let user = request.user.map(|user| ("user".to_owned(), Value::from(user.name.as_str())));
        data.extend(trunk.into_iter().chain(user));
        let (from, to) = (request.from.user.as_str().into(), request.to.user.as_str().into());
        self.flow_command(FlowCommand::Start { call: run, flow, from, to, data });
    }

    fn route_answer(&mut self, call: CallId, id: AskId, answer: AskAnswer) {
        self.in_hand = Some(call);
        self.advance_route(call, |run, registry, sight, now| {
            run.handle_answer(id, answer, registry, sight, now)
        });
    }

    /// An answer by HTTP. False if no plugin asked.
    pub(crate) fn on_fetched_for_route(&mut self, ticket: u64, fetched: &Fetched) -> bool {
        let Some((call, id)) = self.routing.asking.fetches.remove(&ticket) else {
            return false;
        };
        self.routing.asking.of_call.remove(&call);
        let answer = match fetched {
            Fetched::Answer { status, body, .. } => {
                AskAnswer::Fetched { status: *status, body: body.clone() }
            }
            Fetched::Failed(why) => failed(why.as_str()),
        };
        self.route_answer(call, id, answer);
        true
    }

    /// What a flow says that decides; given back if it is one of a call.
    pub(crate) fn on_deciding_flow(&mut self, output: FlowOutput) -> Option<FlowOutput> {
        let run = output.call();
        let Some((call, id)) = self.routing.asking.flows.get(&run).copied() else {
            return Some(output);
        };
        self.in_hand = Some(call);
        match output {
            FlowOutput::Verb { ticket, verb: Verb::Ask(ask), .. } => {
                let answer = self.asked(run, ask);
                self.flows.handle_input(FlowInput::Answer { call: run, ticket, answer }, self.now);
            }
            FlowOutput::Verb { ticket, verb: Verb::Http(fetch), .. } => self.fetch_alone(run, ticket, *fetch),
            FlowOutput::Verb { ticket, verb: Verb::GetData { key }, .. } => {
                let known =
                    self.routing.runs.get(&call).and_then(|run| run.request().data.get(&key).cloned());
                let answer = VerbAnswer::Data(known);
                self.flows.handle_input(FlowInput::Answer { call: run, ticket, answer }, self.now);
            }
            FlowOutput::Verb { verb: Verb::SetData { key, .. }, .. } => {
                let why = format!("data is given in what it returns, as data = {{{key} = ...}}");
                self.decided(run, call, id, failed(&why));
            }
            FlowOutput::Verb { .. } => {
                let why = "it wants something done with the call, which it only sends on";
                self.decided(run, call, id, failed(why));
            }
            FlowOutput::Ended { returned, .. } => {
                let answer = match returned.transpose() {
                    Ok(returned) => AskAnswer::Returned(returned),
                    Err(why) => failed(&why),
                };
                self.decided(run, call, id, answer);
            }
            FlowOutput::Failed { error, .. } => self.decided(run, call, id, failed(&error.to_string())),
            FlowOutput::Log { text, file, line, .. } => {
                let text = format!("{file}:{line}: {text}");
                self.event(call.tenant, EventKind::FlowLog { call, text });
            }
        }
        None
    }

    fn decided(&mut self, run: CallId, call: CallId, id: AskId, answer: AskAnswer) {
        self.routing.asking.of_call.remove(&call);
        self.stop_deciding(run);
        self.route_answer(call, id, answer);
    }
}

fn failed(why: &str) -> AskAnswer {
    AskAnswer::Failed { why: why.to_owned() }
}
