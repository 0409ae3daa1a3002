//! The engine: which call runs which version of which flow, its tickets, its time and its answers.
//!
//! Invariant: between two calls of the engine every coroutine waits at exactly one verb, whose ticket is
//! the only one that is accepted.

use crate::check::check;
use crate::error::{FlowError, FlowErrorKind};
use crate::io::{FlowCommand, FlowInput, FlowOutput, FlowRecord, PartyId};
use crate::texts::Texts;
use crate::verb::{Asked, Reply};
use crate::vm::shared::CallState;
use crate::vm::{self, CALLS_PER_VM, Fault, Resume, Step, Vm};
use cordboard_model::config::{FlowLimits, Snapshot};
use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{CallId, FlowId};
use cordboard_model::time::{Time, TimerReason};
use cordboard_model::verb::{QueueEnd, Verb, VerbAnswer};
use mlua::Thread;
use std::collections::{BTreeMap, VecDeque};

/// Most answers kept of a call; a call that was given more cannot be rebuilt.
pub const ANSWERS_MAX: usize = 2_048;

const WALL: TimerReason = TimerReason("flow: longest life");

/// The verb a coroutine waits at.
#[derive(Clone, Debug)]
struct Open {
    ticket: u64,
    verb: Verb,
    asked: Asked,
    line: u32,
}

/// One coroutine with what belongs to it.
struct Run {
    thread: Thread,
    vm: usize,
    flow: FlowId,
    version: u64,
    limits: FlowLimits,
    started: Time,
    first_data: BTreeMap<String, String>,
    state: CallState,
    tickets: u64,
    open: Option<Open>,
    answers: Vec<VerbAnswer>,
    answers_complete: bool,
}

/// Runs flows. Not `Send`: it is made and kept on the thread of its shard.
pub struct FlowEngine {
    seed: [u8; 32],
    // Before the machines, so that coroutines go first.
    runs: BTreeMap<CallId, Run>,
    vms: Vec<Option<Vm>>,
    texts: Texts,
    limits: FlowLimits,
    deadlines: Deadlines<CallId>,
    outputs: VecDeque<FlowOutput>,
}

impl FlowEngine {
    /// An engine without flows. The seed feeds `math.random` of every call.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            runs: BTreeMap::new(),
            vms: Vec::new(),
            texts: Texts::default(),
            limits: FlowLimits::default(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Obeys a command. Only `Configure` can fail; the errors are all there are, and the flows stay as
    /// they were.
    pub fn handle_command(&mut self, command: FlowCommand<'_>, now: Time) -> Result<(), Vec<FlowError>> {
        match command {
            FlowCommand::Configure(snapshot) => self.configure(snapshot),
            FlowCommand::Start { call, flow, from, to, data } => {
                self.start(call, flow, from, to, data, now);
                Ok(())
            }
            FlowCommand::Stop { call } => {
                self.stop(call);
                Ok(())
            }
        }
    }

    fn configure(&mut self, snapshot: &Snapshot) -> Result<(), Vec<FlowError>> {
        let flows = || snapshot.tenants.values().flat_map(|tenant| tenant.flows.values());
        let unchecked = flows().filter(|flow| !self.texts.is_current(flow));
        let errors: Vec<FlowError> =
            unchecked.filter_map(|flow| check(&flow.source, &flow.file).err()).flatten().collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        self.limits = snapshot.limits.flow;
        let gone = self.texts.replace(flows());
        self.forget(&gone);
        Ok(())
    }

    fn forget(&mut self, versions: &[u64]) {
        for vm in self.vms.iter_mut().flatten() {
            versions.iter().for_each(|version| vm.forget(*version));
        }
    }

    fn start(
        &mut self,
        call: CallId,
        flow: FlowId,
        from: PartyId,
        to: PartyId,
        data: BTreeMap<String, String>,
        now: Time,
    ) {
        self.stop(call);
        let Some(version) = self.texts.current(&flow) else {
            let text = format!("no flow '{}' is configured", flow.name);
            let error = FlowError {
                file: flow.to_string(),
                line: 0,
                column: None,
                kind: FlowErrorKind::NoSuchFlow,
                text,
            };
            self.outputs.push_back(FlowOutput::Failed { call, flow, error });
            return;
        };
        let limits = self.limits;
        match self.spawn(call, flow.clone(), version, (from, to, data), limits, now) {
            Ok(step) => self.conclude(call, step, true),
            Err(error) => self.outputs.push_back(FlowOutput::Failed { call, flow, error }),
        }
    }

    /// Makes a coroutine and runs it to its first verb.
    fn spawn(
        &mut self,
        call: CallId,
        flow: FlowId,
        version: u64,
        (from, to, data): (PartyId, PartyId, BTreeMap<String, String>),
        limits: FlowLimits,
        started: Time,
    ) -> Result<Step, FlowError> {
        let place = self.vm_with_room(version).and_then(|vm| match &mut self.vms[vm] {
            Some(host) => host.spawn().map(|thread| (vm, thread)),
            None => Err(mlua::Error::runtime("no machine")),
        });
        let (vm, thread) = place.map_err(|error| {
            let fault = Fault { line: 0, kind: FlowErrorKind::Internal, text: error.to_string() };
            self.error(version, fault, &limits)
        })?;
        self.texts.enter(version);
        let state = CallState {
            call: Some(call),
            from: from.0,
            to: to.0,
            data: data.clone(),
            fresh: true,
            verbs_left: limits.verbs,
            line: 1,
            ..CallState::default()
        };
        let run = Run {
            thread,
            vm,
            flow,
            version,
            limits,
            started,
            first_data: data,
            state,
            tickets: 0,
            open: None,
            answers: Vec::new(),
            answers_complete: true,
        };
        self.runs.insert(call, run);
        self.deadlines.set(call, started + limits.wall, WALL);
        Ok(self.resume(call, Resume::Begin(version)))
    }

    /// A machine with room for one more call that has this version of a text.
    fn vm_with_room(&mut self, version: u64) -> mlua::Result<usize> {
        let roomy = |vm: &Option<Vm>| vm.as_ref().is_some_and(|vm| vm.calls < CALLS_PER_VM);
        let at = match self.vms.iter().position(roomy) {
            Some(at) => at,
            None => {
                let vm = Vm::new(self.seed)?;
                match self.vms.iter().position(Option::is_none) {
                    Some(at) => {
                        self.vms[at] = Some(vm);
                        at
                    }
                    None => {
                        self.vms.push(Some(vm));
                        self.vms.len() - 1
                    }
                }
            }
        };
        if let (Some(vm), Some(text)) = (&mut self.vms[at], self.texts.get(version))
            && !vm.has(version)
        {
            vm.compile(version, &text.source, &text.file)?;
        }
        Ok(at)
    }

    fn resume(&mut self, call: CallId, with: Resume) -> Step {
        let lost = || {
            Step::Failed(Fault {
                line: 0,
                kind: FlowErrorKind::Internal,
                text: "the coroutine is gone".to_owned(),
            })
        };
        let Some(run) = self.runs.get_mut(&call) else {
            return lost();
        };
        let Some(vm) = self.vms.get_mut(run.vm).and_then(Option::as_mut) else {
            return lost();
        };
        run.open = None;
        vm.resume(&run.thread, &mut run.state, &run.limits, run.version, with)
    }

    /// Acts on where a resume ended. `aloud` is false while answers are replayed.
    fn conclude(&mut self, call: CallId, step: Step, aloud: bool) {
        self.tell_logs(call, aloud);
        match step {
            Step::Verb { verb, asked, line } => {
                let Some(run) = self.runs.get_mut(&call) else {
                    return;
                };
                run.tickets += 1;
                let ticket = run.tickets;
                let hung_up = asked == Asked::HangUp;
                run.open = Some(Open { ticket, verb: verb.clone(), asked, line });
                if aloud {
                    self.outputs.push_back(FlowOutput::Verb { call, ticket, verb });
                }
                if hung_up {
                    self.end(call);
                }
            }
            Step::Finished => self.end(call),
            Step::Failed(fault) => self.fail(call, fault),
        }
    }

    fn tell_logs(&mut self, call: CallId, aloud: bool) {
        let Some(run) = self.runs.get_mut(&call) else {
            return;
        };
        let logs = core::mem::take(&mut run.state.logs);
        if !aloud {
            return;
        }
        let file = self.texts.get(run.version).map(|text| text.file.clone()).unwrap_or_default();
        let log = |(text, line)| FlowOutput::Log { call, text, file: file.clone(), line };
        self.outputs.extend(logs.into_iter().map(log));
    }

    /// The flow is over.
    fn end(&mut self, call: CallId) {
        if let Some(run) = self.remove(call) {
            self.outputs.push_back(FlowOutput::Ended { call, flow: run.flow });
        }
    }

    fn fail(&mut self, call: CallId, fault: Fault) {
        let Some(run) = self.runs.get(&call) else {
            return;
        };
        let error = self.error(run.version, fault, &run.limits);
        if let Some(run) = self.remove(call) {
            self.outputs.push_back(FlowOutput::Failed { call, flow: run.flow, error });
        }
    }

    fn error(&self, version: u64, fault: Fault, limits: &FlowLimits) -> FlowError {
        let file = self.texts.get(version).map(|text| text.file.clone()).unwrap_or_default();
        let text = if fault.text.is_empty() { vm::spent(fault.kind, limits, 1) } else { fault.text };
        FlowError { file, line: fault.line, column: None, kind: fault.kind, text }
    }

    /// Lets go of a coroutine; its machine too, if it was the last one there.
    fn remove(&mut self, call: CallId) -> Option<Run> {
        let run = self.runs.remove(&call)?;
        self.deadlines.clear(&call);
        if let Some(gone) = self.texts.leave(run.version) {
            self.forget(&[gone]);
        }
        if let Some(slot) = self.vms.get_mut(run.vm)
            && let Some(vm) = slot
        {
            vm.calls -= 1;
            // One machine is kept, so that the next call finds the flows compiled.
            if vm.calls == 0 && run.vm > 0 {
                *slot = None;
            }
        }
        Some(run)
    }

    fn stop(&mut self, call: CallId) {
        if self.remove(call).is_some() {
            let other = |output: &FlowOutput| output.call() != call;
            self.outputs.retain(other);
        }
    }

    /// Takes an answer and runs the flow to its next verb. An answer to a verb that is not open is ignored.
    pub fn handle_input(&mut self, input: FlowInput, _now: Time) {
        let FlowInput::Answer { call, ticket, answer } = input;
        let is_open = |run: &Run| run.open.as_ref().is_some_and(|open| open.ticket == ticket);
        if self.runs.get(&call).is_some_and(is_open) {
            self.answer(call, answer, true);
        }
    }

    fn answer(&mut self, call: CallId, answer: VerbAnswer, aloud: bool) {
        let Some(run) = self.runs.get_mut(&call) else {
            return;
        };
        let Some(open) = run.open.clone() else { return };
        if run.answers.len() < ANSWERS_MAX {
            run.answers.push(answer.clone());
        } else {
            run.answers_complete = false;
            run.answers = Vec::new();
        }
        note_data(&mut run.state, &open.asked, &answer);
        if let Some(text) = not_done(&open.verb, &answer) {
            run.state.logs.push((text, open.line));
        }
        let step = match open.asked.reply(answer) {
            Reply::End => Step::Finished,
            Reply::Values(values) => self.resume(call, Resume::Values(values)),
            Reply::Raise(text) => {
                let place = self.texts.get(run.version).map(|t| crate::vm::compile::chunk(&t.file));
                let text = format!("{}:{}: {text}", place.unwrap_or_default(), open.line);
                self.resume(call, Resume::Raise(text))
            }
        };
        self.conclude(call, step, aloud);
    }

    /// Ends the flows whose time is up.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(call) = self.deadlines.pop_due(now) {
            let line = self.runs.get(&call).and_then(|run| run.open.as_ref()).map_or(0, |open| open.line);
            self.fail(call, Fault { line, kind: FlowErrorKind::Wall, text: String::new() });
        }
    }

    /// The next thing to do or to tell.
    pub fn poll_output(&mut self) -> Option<FlowOutput> {
        self.outputs.pop_front()
    }

    /// When the engine wants to be woken. O(1).
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        self.deadlines.next()
    }

    /// From what the coroutine of a call can be rebuilt; `None` if there is none, or if it was given
    /// more than [`ANSWERS_MAX`] answers.
    pub fn record(&self, call: CallId) -> Option<FlowRecord> {
        let run = self.runs.get(&call).filter(|run| run.answers_complete)?;
        let text = self.texts.get(run.version)?;
        Some(FlowRecord {
            call,
            flow: run.flow.clone(),
            from: PartyId(run.state.from.clone()),
            to: PartyId(run.state.to.clone()),
            data: run.first_data.clone(),
            file: text.file.clone(),
            source: text.source.clone(),
            limits: run.limits,
            started: run.started,
            answers: run.answers.clone(),
        })
    }

    /// Rebuilds a coroutine by replaying its answers; the verb it then waits for is put out again. Log
    /// lines are not. A record that does not lead to a verb is refused, and nothing is put out.
    pub fn rebuild(&mut self, record: FlowRecord) -> Result<(), FlowError> {
        let FlowRecord { call, flow, from, to, data, file, source, limits, started, answers } = record;
        self.stop(call);
        if let Some(error) = check(&source, &file).err().and_then(|errors| errors.into_iter().next()) {
            return Err(error);
        }
        let version = self.texts.adopt(&flow, &file, &source);
        let said = self.outputs.len();
        let step = self.spawn(call, flow, version, (from, to, data), limits, started)?;
        self.conclude(call, step, false);
        for answer in answers {
            self.answer(call, answer, false);
        }
        let open = self.runs.get(&call).and_then(|run| run.open.clone());
        match open {
            Some(open) => {
                self.outputs.push_back(FlowOutput::Verb { call, ticket: open.ticket, verb: open.verb });
                Ok(())
            }
            None => {
                self.outputs.truncate(said);
                Err(FlowError {
                    file,
                    line: 0,
                    column: None,
                    kind: FlowErrorKind::Internal,
                    text: "the recorded answers do not lead to a verb".to_owned(),
                })
            }
        }
    }

    /// How many coroutines are alive.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether no coroutine is alive.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// What the call's log says of a verb that could not be done.
fn not_done(verb: &Verb, answer: &VerbAnswer) -> Option<String> {
    let why = match answer {
        VerbAnswer::Failed(cause) => cause.as_str(),
        VerbAnswer::Queue(QueueEnd::Gone) => "there is no such queue",
        _ => return None,
    };
    let text = format!("{}: {why}", crate::script::line(verb));
    Some(crate::verb::log::line(text.as_bytes()))
}

/// Keeps what a flow knows of the call data up to date.
fn note_data(state: &mut CallState, asked: &Asked, answer: &VerbAnswer) {
    match (asked, answer) {
        (_, VerbAnswer::Failed(_) | VerbAnswer::Limit(_)) => {}
        (Asked::SetData(key, value), _) if value.is_empty() => {
            state.data.remove(key);
        }
        (Asked::SetData(key, value), _) => {
            state.data.insert(key.clone(), value.clone());
        }
        (Asked::GetData(key), VerbAnswer::Data(Some(value))) => {
            state.data.insert(key.clone(), value.clone());
        }
        (Asked::GetData(key), VerbAnswer::Data(None)) => {
            state.data.remove(key);
        }
        _ => {}
    }
    if asked.takes_time() {
        state.fresh = false;
    }
}
