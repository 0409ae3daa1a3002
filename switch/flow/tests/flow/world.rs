//! Short ways to run a flow's text in tests.

use cordboard_flow::{FlowCommand, FlowEngine, FlowError, FlowInput, FlowOutput};
use cordboard_model::config::{Flow, FlowLimits, Snapshot, Tenant};
use cordboard_model::id::{CallId, FlowId, TenantId};
use cordboard_model::time::Time;
use cordboard_model::verb::{Verb, VerbAnswer};
use std::collections::BTreeMap;

/// The flow's id.
pub fn flow_id(name: &str) -> FlowId {
    FlowId::new(TenantId::DEFAULT, name).unwrap()
}

/// The call of this number.
pub fn call(number: u64) -> CallId {
    CallId { tenant: TenantId::DEFAULT, start: 1, shard: 0, number }
}

/// A configuration with these flows, by name.
pub fn snapshot(limits: FlowLimits, flows: &[(&str, &str)]) -> Snapshot {
    let flow = |(name, source): &(&str, &str)| {
        let id = flow_id(name);
        let flow = Flow {
            id: id.clone(),
            file: format!("flows/{name}.lua"),
            source: (*source).to_owned(),
            apology: None,
            fallback: None,
        };
        (id.name, flow)
    };
    let tenant = Tenant {
        id: TenantId::DEFAULT,
        flows: flows.iter().map(flow).collect(),
        ..Tenant::new(TenantId::DEFAULT)
    };
    let mut snapshot = Snapshot::empty();
    snapshot.limits.flow = limits;
    snapshot.tenants.insert(TenantId::DEFAULT, tenant);
    snapshot
}

/// An engine with one flow, `main`.
pub fn engine(limits: FlowLimits, source: &str) -> FlowEngine {
    let mut engine = FlowEngine::new([7; 32]);
    engine
        .handle_command(FlowCommand::Configure(&snapshot(limits, &[("main", source)])), Time::ZERO)
        .unwrap();
    engine
}

/// Starts `main` on a call.
pub fn start(engine: &mut FlowEngine, number: u64) {
    let start = FlowCommand::Start {
        call: call(number),
        flow: flow_id("main"),
        from: "1001".into(),
        to: "100".into(),
        data: BTreeMap::new(),
    };
    engine.handle_command(start, Time::ZERO).unwrap();
}

/// Answers the verb of this ticket.
pub fn answer(engine: &mut FlowEngine, number: u64, ticket: u64, answer: VerbAnswer) {
    // Every step took a while.
    let now = Time::from_millis(ticket);
    engine.handle_input(FlowInput::Answer { call: call(number), ticket, answer }, now);
}

/// Everything the engine has to say.
pub fn drain(engine: &mut FlowEngine) -> Vec<FlowOutput> {
    std::iter::from_fn(|| engine.poll_output()).collect()
}

/// How a run of `main` on one call ends if every verb is answered with `Done`: its log lines, and its error.
pub fn run_with(limits: FlowLimits, source: &str) -> (Vec<String>, Option<FlowError>) {
    let mut engine = engine(limits, source);
    start(&mut engine, 1);
    finish(&mut engine, 1)
}

/// Answers every verb of a call with `Done` until its flow is over.
pub fn finish(engine: &mut FlowEngine, number: u64) -> (Vec<String>, Option<FlowError>) {
    let mut logs = Vec::new();
    while let Some(output) = engine.poll_output() {
        match output {
            FlowOutput::Log { text, .. } => logs.push(text),
            FlowOutput::Verb { verb: Verb::HangUp { .. }, .. } => {}
            FlowOutput::Verb { ticket, .. } => answer(engine, number, ticket, VerbAnswer::Done),
            FlowOutput::Ended { .. } => return (logs, None),
            FlowOutput::Failed { error, .. } => return (logs, Some(error)),
        }
    }
    panic!("the flow is neither over nor waiting");
}

/// The log lines of a text that must not fail.
pub fn logs(source: &str) -> Vec<String> {
    let (logs, error) = run_with(FlowLimits::default(), source);
    assert_eq!(error.map(|e| e.to_string()), None, "after {logs:?}");
    logs
}

/// The error of a text that must fail.
pub fn failure(source: &str) -> FlowError {
    let (logs, error) = run_with(FlowLimits::default(), source);
    error.unwrap_or_else(|| panic!("the flow did not fail; it said {logs:?}"))
}
