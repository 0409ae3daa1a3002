//! The engine: which call runs which version of which flow, its tickets, its time and its answers.
//!
//! Invariant: between two calls of the engine every coroutine waits at exactly one verb, whose ticket is
//! the only one that is accepted.

use crate::check::check;
use crate::error::{FlowError, FlowErrorKind};
use crate::io::{FlowCommand, FlowInput, FlowOutput, FlowRecord, PartyId};
use crate::recorded::{Finished, HowEnded};
use crate::seen::{At, Passed, Seen};
use crate::texts::{self, Text, TextName, Texts};
use crate::verb::{Asked, Reply};
use crate::vm::place::{Chunks, Place};
use crate::vm::shared::{CallState, Wanted};
use crate::vm::{self, Fault, Resume, Step, Vm};
use crate::wiped::Trail;
use cordboard_model::config::{FlowLimits, Snapshot};
use cordboard_model::data;
use cordboard_model::deadline::Deadlines;
use cordboard_model::fetch::Fetched;
use cordboard_model::id::{CallId, FlowId, Name};
use cordboard_model::time::{Time, TimerReason};
use cordboard_model::verb::{QueueEnd, Verb, VerbAnswer};
use mlua::Thread;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// Most answers kept of a call; a call that was given more cannot be rebuilt.
pub const ANSWERS_MAX: usize = 2_048;

/// What taking in a text costs, in instructions.
const TEXT_COSTS: u64 = 2_000;
/// Most bytes of what others said that are kept of a call, likewise.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Most flows that are over of which a test can be made, and what they may take: the last minutes of a busy switch.
const FINISHED_MAX: usize = 500;
const FINISHED_BYTES_MAX: usize = 8 << 20;

const WALL: TimerReason = TimerReason("flow: longest life");

/// The verb a coroutine waits at.
#[derive(Clone, Debug)]
struct Open {
    ticket: u64,
    verb: Verb,
    asked: Asked,
    place: Place,
}

/// One coroutine with what belongs to it.
struct Run {
    thread: Thread,
    vm: usize,
    flow: FlowId,
    generation: u64,
    limits: FlowLimits,
    started: Time,
    /// When its instructions were counted anew.
    counted: Time,
    first_data: BTreeMap<String, Value>,
    state: CallState,
    tickets: u64,
    open: Option<Open>,
    answers: Vec<VerbAnswer>,
    answers_complete: bool,
    answer_bytes: usize,
    /// What of them is a secret.
    trail: Trail,
}

/// Runs flows. Not `Send`: it is made and kept on the thread of its shard.
pub struct FlowEngine {
    seed: [u8; 32],
    // Before the machines, so that coroutines go first.
    runs: BTreeMap<CallId, Run>,
    /// Those that wait below another one.
    parked: BTreeMap<CallId, Run>,
    vms: Vec<Option<Vm>>,
    texts: Texts,
    limits: FlowLimits,
    deadlines: Deadlines<CallId>,
    outputs: VecDeque<FlowOutput>,
    /// Flows that are over, the newest last.
    finished: VecDeque<Finished>,
    /// What they take, bytes.
    finished_bytes: usize,
    /// What was seen, if that is kept.
    seen: Option<Box<Seen>>,
}

impl FlowEngine {
    /// An engine without flows. The seed feeds `math.random` of every call.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            runs: BTreeMap::new(),
            parked: BTreeMap::new(),
            vms: Vec::new(),
            texts: Texts::default(),
            limits: FlowLimits::default(),
            deadlines: Deadlines::default(),
            outputs: VecDeque::new(),
            finished: VecDeque::new(),
            finished_bytes: 0,
            seen: None,
        }
    }

    /// The flows that a call ran, as long as they are kept, in the order in which they ended.
    pub fn finished(&self, call: CallId) -> Vec<Finished> {
        self.finished.iter().filter(|finished| finished.record.call == call).cloned().collect()
    }

    /// Keeps a flow that is over, for a test to be made of it. The oldest give way.
    fn keep(&mut self, call: CallId, end: HowEnded) {
        let Some(record) = self.record(call) else { return };
        let trail = self.runs.get_mut(&call).map(|run| core::mem::take(&mut run.trail)).unwrap_or_default();
        let finished = Finished::new(record, end, trail);
        self.finished_bytes += finished.heft();
        self.finished.push_back(finished);
        while self.finished.len() > FINISHED_MAX || self.finished_bytes > FINISHED_BYTES_MAX {
            let Some(gone) = self.finished.pop_front() else { break };
            self.finished_bytes = self.finished_bytes.saturating_sub(gone.heft());
        }
    }

    /// Keeps what is seen of calls from now on: for the test bench, whose calls are few.
    pub fn watch(&mut self) {
        self.seen = Some(Box::default());
    }

    /// What was seen, and nothing is from now on.
    pub fn take_seen(&mut self) -> Seen {
        self.seen.take().map(|seen| *seen).unwrap_or_default()
    }

    /// Notes what became of the verb before, where what is seen is kept.
    pub fn note_answer(&mut self, text: &str) {
        if let Some(seen) = &mut self.seen {
            seen.note(Passed::Answer(text.to_owned()));
        }
    }

    /// Takes over what the call's coroutine saw, and the verb that it asks for.
    fn note_seen(&mut self, call: CallId, step: &Step) {
        let (Some(seen), Some(run)) = (&mut self.seen, self.runs.get_mut(&call)) else {
            return;
        };
        let watched = run.state.watched.as_deref_mut().map(core::mem::take).unwrap_or_default();
        let chunks = &run.state.chunks;
        let at = |place: Place| At { file: file(&self.texts, chunks, place), line: place.line };
        for place in watched.lines {
            let At { file, line } = at(place);
            seen.lines.entry(file).or_default().insert(line);
        }
        for (place, branches) in watched.menus {
            seen.menus.entry(at(place)).or_default().extend(branches);
        }
        for (place, branch) in watched.taken {
            seen.note(Passed::Choice(at(place), branch));
        }
        if let Step::Verb { verb, place, .. } = step {
            seen.note(Passed::Verb(at(*place), crate::line::line(verb)));
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
            FlowCommand::Park { call } => {
                self.park(call);
                Ok(())
            }
            FlowCommand::Unpark { call } => {
                self.stop(call);
                self.unpark(call);
                Ok(())
            }
            FlowCommand::Stop { call } => {
                self.stop(call);
                self.unpark(call);
                self.stop(call);
                Ok(())
            }
        }
    }

    fn configure(&mut self, snapshot: &Snapshot) -> Result<(), Vec<FlowError>> {
        let unchecked = texts::of(snapshot).filter(|text| !self.texts.is_current(text));
        let errors: Vec<FlowError> =
            unchecked.filter_map(|text| check(&text.source, &text.file).err()).flatten().collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        self.limits = snapshot.limits.flow;
        let gone = self.texts.replace(texts::of(snapshot));
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
        data: BTreeMap<String, Value>,
        now: Time,
    ) {
        self.stop(call);
        let generation = self.texts.current();
        let name = TextName::Flow(flow.clone());
        let Some(version) = self.texts.version(generation, &name) else {
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
        match self.spawn(call, flow.clone(), (generation, version), (from, to, data), limits, now) {
            Ok(step) => self.conclude(call, step, true),
            Err(error) => self.outputs.push_back(FlowOutput::Failed { call, flow, error }),
        }
    }

    /// Makes a coroutine and runs it to its first verb.
    fn spawn(
        &mut self,
        call: CallId,
        flow: FlowId,
        (generation, version): (u64, u64),
        (from, to, data): (PartyId, PartyId, BTreeMap<String, Value>),
        limits: FlowLimits,
        started: Time,
    ) -> Result<Step, FlowError> {
        let mut chunks = Chunks::default();
        let host = self.vm_with_room().and_then(|vm| {
            self.take_in(vm, version, &mut chunks)?;
            match &mut self.vms[vm] {
                Some(host) => host.spawn().map(|thread| (vm, thread)),
                None => Err(mlua::Error::runtime("no machine")),
            }
        });
        let (vm, thread) = host.map_err(|error| {
            let fault =
                Fault { place: Place::default(), kind: FlowErrorKind::Internal, text: error.to_string() };
            self.error(&chunks, fault, &limits)
        })?;
        self.texts.enter(generation);
        let state = CallState {
            call: Some(call),
            from: from.0,
            to: to.0,
            data: data.clone(),
            fresh: true,
            verbs_left: limits.verbs,
            place: Place { text: 0, line: 1 },
            left: limits.instructions,
            chunks,
            watched: self.seen.as_ref().map(|_| Box::default()),
            ..CallState::default()
        };
        let run = Run {
            thread,
            vm,
            flow,
            generation,
            limits,
            started,
            counted: started,
            first_data: data,
            state,
            tickets: 0,
            open: None,
            answers: Vec::new(),
            answers_complete: true,
            answer_bytes: 0,
            trail: Trail::default(),
        };
        self.runs.insert(call, run);
        self.deadlines.set(call, started + limits.wall, WALL);
        Ok(self.resume(call, Resume::Begin))
    }

    /// Gives a machine a version of a text, and a call its place.
    fn take_in(&mut self, vm: usize, version: u64, chunks: &mut Chunks) -> mlua::Result<usize> {
        if let Some(at) = chunks.of_version(version) {
            return Ok(at);
        }
        let lost = || mlua::Error::runtime("the text is gone");
        let text = self.texts.get(version).ok_or_else(lost)?;
        let at = chunks.add(vm::compile::chunk(&text.file), version);
        if let (Some(vm), Some(chunk)) = (self.vms.get_mut(vm).and_then(Option::as_mut), chunks.get(at))
            && !vm.has(chunk)
        {
            vm.compile(chunk, &text.source)?;
        }
        Ok(at)
    }

    /// A machine with room for one more call.
    fn vm_with_room(&mut self) -> mlua::Result<usize> {
        let most = self.limits.together as usize;
        let roomy = |vm: &Option<Vm>| vm.as_ref().is_some_and(|vm| vm.calls < most);
        if let Some(at) = self.vms.iter().position(roomy) {
            return Ok(at);
        }
        let vm = Vm::new(self.seed, self.seen.is_some())?;
        match self.vms.iter().position(Option::is_none) {
            Some(at) => {
                self.vms[at] = Some(vm);
                Ok(at)
            }
            None => {
                self.vms.push(Some(vm));
                Ok(self.vms.len() - 1)
            }
        }
    }

    /// Runs a coroutine to its next verb or its end. The texts that it takes in on the way are given to it.
    fn resume(&mut self, call: CallId, mut with: Resume) -> Step {
        loop {
            match self.resume_once(call, with) {
                Step::Text(wanted) => {
                    if let Some(run) = self.runs.get_mut(&call) {
                        run.state.left = run.state.left.saturating_sub(TEXT_COSTS);
                    }
                    with = self.wanted(call, wanted);
                }
                step => return step,
            }
        }
    }

    /// One of the tenant's texts, or why it cannot be had.
    fn wanted(&mut self, call: CallId, wanted: Wanted) -> Resume {
        let Some(run) = self.runs.get_mut(&call) else {
            return Resume::Raise("the coroutine is gone".to_owned());
        };
        let mut chunks = core::mem::take(&mut run.state.chunks);
        let (vm, place, generation) = (run.vm, run.state.place, run.generation);
        let found = self
            .find(call, generation, &wanted)
            .and_then(|version| self.take_in(vm, version, &mut chunks).map_err(|error| error.to_string()));
        let place = chunks.written(place).unwrap_or_default();
        if let Some(run) = self.runs.get_mut(&call) {
            run.state.chunks = chunks;
        }
        match found {
            Ok(at) => Resume::Text(at),
            Err(why) => Resume::Raise(format!("{place}{why}")),
        }
    }

    fn find(&self, call: CallId, generation: u64, wanted: &Wanted) -> Result<u64, String> {
        let (verb, kind, name) = match wanted {
            Wanted::Library(name) => ("require", "library", name),
            Wanted::Flow(name) => (crate::verb::run::NAME, "flow", name),
        };
        let parsed = Name::new(name).map_err(|error| format!("{verb}: {error}"))?;
        let key = match wanted {
            Wanted::Library(_) => TextName::Library(call.tenant, parsed),
            Wanted::Flow(_) => TextName::Flow(FlowId { tenant: call.tenant, name: parsed }),
        };
        if let Some(version) = self.texts.version(generation, &key) {
            return Ok(version);
        }
        let others = self.texts.names(generation).filter_map(|other| match (other, wanted) {
            (TextName::Library(tenant, name), Wanted::Library(_)) if *tenant == call.tenant => {
                Some(name.as_str())
            }
            (TextName::Flow(id), Wanted::Flow(_)) if id.tenant == call.tenant => Some(id.name.as_str()),
            _ => None,
        });
        let hint = crate::verb::nearest(name, others).map(|near| format!("; did you mean '{near}'?"));
        Err(format!("{verb}: there is no {kind} '{name}'{}", hint.unwrap_or_default()))
    }

    fn resume_once(&mut self, call: CallId, with: Resume) -> Step {
        let lost = || {
            Step::Failed(Fault {
                place: Place::default(),
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
        vm.resume(&run.thread, &mut run.state, &run.limits, with)
    }

    /// Acts on where a resume ended. `aloud` is false while answers are replayed.
    fn conclude(&mut self, call: CallId, step: Step, aloud: bool) {
        self.tell_logs(call, aloud);
        self.note_seen(call, &step);
        match step {
            Step::Verb { verb, asked, place } => {
                let Some(run) = self.runs.get_mut(&call) else {
                    return;
                };
                run.tickets += 1;
                let ticket = run.tickets;
                let hung_up = asked == Asked::HangUp;
                run.open = Some(Open { ticket, verb: verb.clone(), asked, place });
                if aloud {
                    self.outputs.push_back(FlowOutput::Verb { call, ticket, verb });
                }
                if hung_up {
                    self.end(call);
                }
            }
            // Given what it wanted before it comes here.
            Step::Finished | Step::Text(_) => self.end(call),
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
        for (text, place) in logs {
            let file = file(&self.texts, &run.state.chunks, place);
            self.outputs.push_back(FlowOutput::Log { call, text, file, line: place.line });
        }
    }

    /// The flow is over.
    fn end(&mut self, call: CallId) {
        self.keep(call, HowEnded::Ended);
        if let Some(run) = self.remove(call) {
            self.outputs.push_back(FlowOutput::Ended { call, flow: run.flow, returned: run.state.returned });
        }
    }

    fn fail(&mut self, call: CallId, fault: Fault) {
        let Some(run) = self.runs.get(&call) else {
            return;
        };
        let error = self.error(&run.state.chunks, fault, &run.limits);
        self.keep(call, HowEnded::Failed(error.text.clone()));
        if let Some(run) = self.remove(call) {
            self.outputs.push_back(FlowOutput::Failed { call, flow: run.flow, error });
        }
    }

    fn error(&self, chunks: &Chunks, fault: Fault, limits: &FlowLimits) -> FlowError {
        let file = file(&self.texts, chunks, fault.place);
        let text = if fault.text.is_empty() { vm::spent(fault.kind, limits, 1) } else { fault.text };
        FlowError { file, line: fault.place.line, column: None, kind: fault.kind, text }
    }

    /// Lets go of a coroutine; its machine too, if it was the last one there.
    fn remove(&mut self, call: CallId) -> Option<Run> {
        let run = self.runs.remove(&call)?;
        self.deadlines.clear(&call);
        let gone = self.texts.leave(run.generation);
        self.forget(&gone);
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
        self.keep(call, HowEnded::Stopped);
        if self.remove(call).is_some() {
            let other = |output: &FlowOutput| output.call() != call;
            self.outputs.retain(other);
        }
    }

    fn park(&mut self, call: CallId) {
        if self.parked.contains_key(&call) {
            // the one above ends for the next: below it there is one already
            return self.stop(call);
        }
        if let Some(run) = self.runs.remove(&call) {
            self.deadlines.clear(&call);
            self.parked.insert(call, run);
        }
    }

    fn unpark(&mut self, call: CallId) {
        if let Some(run) = self.parked.remove(&call) {
            self.deadlines.set(call, run.started + run.limits.wall, WALL);
            self.runs.insert(call, run);
        }
    }

    /// Takes an answer and runs the flow to its next verb. An answer to a verb that is not open is ignored.
    pub fn handle_input(&mut self, input: FlowInput, now: Time) {
        let FlowInput::Answer { call, ticket, answer } = input;
        let is_open = |run: &Run| run.open.as_ref().is_some_and(|open| open.ticket == ticket);
        let Some(run) = self.runs.get_mut(&call).filter(|run| is_open(run)) else {
            return;
        };
        // A step that took no time gives no instructions: a flow that takes many such would hold up everybody.
        if now > run.counted {
            run.counted = now;
            run.state.left = run.limits.instructions;
        }
        self.answer(call, answer, true);
    }

    fn answer(&mut self, call: CallId, answer: VerbAnswer, aloud: bool) {
        let Some(run) = self.runs.get_mut(&call) else {
            return;
        };
        let Some(open) = run.open.clone() else { return };
        run.state.left = run.state.left.saturating_sub(open.asked.costs());
        run.answer_bytes += heft(&answer);
        if run.answers.len() < ANSWERS_MAX && run.answer_bytes <= ANSWER_BYTES_MAX && run.answers_complete {
            run.trail.note(run.answers.len(), &open.verb, &answer);
            run.answers.push(answer.clone());
        } else {
            run.trail.forget();
            run.answers_complete = false;
            run.answers = Vec::new();
        }
        note_data(&mut run.state, &open.asked, &answer);
        if let Some(text) = not_done(&open.verb, &answer) {
            run.state.logs.push((text, open.place));
        }
        let step = match open.asked.reply(answer) {
            Reply::End => Step::Finished,
            Reply::Values(values) => self.resume(call, Resume::Values(values)),
            Reply::Raise(text) => {
                let text = format!("{}{text}", run.state.chunks.written(open.place).unwrap_or_default());
                self.resume(call, Resume::Raise(text))
            }
        };
        self.conclude(call, step, aloud);
    }

    /// Ends the flows whose time is up.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(call) = self.deadlines.pop_due(now) {
            let open = self.runs.get(&call).and_then(|run| run.open.as_ref());
            let place = open.map(|open| open.place).unwrap_or_default();
            self.fail(call, Fault { place, kind: FlowErrorKind::Wall, text: String::new() });
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
        let mut texts = run.state.chunks.iter().map(|chunk| self.texts.get(chunk.version).cloned());
        let text = texts.next()??;
        Some(FlowRecord {
            call,
            flow: run.flow.clone(),
            from: PartyId(run.state.from.clone()),
            to: PartyId(run.state.to.clone()),
            data: run.first_data.clone(),
            file: text.file,
            source: text.source,
            texts: texts.collect::<Option<Vec<Text>>>()?,
            limits: run.limits,
            started: run.started,
            answers: run.answers.clone(),
        })
    }

    /// Rebuilds a coroutine by replaying its answers; the verb it then waits for is put out again. Log
    /// lines are not. A record that does not lead to a verb is refused, and nothing is put out.
    pub fn rebuild(&mut self, record: FlowRecord) -> Result<(), FlowError> {
        let FlowRecord { call, flow, from, to, data, file, source, limits, started, answers, texts } = record;
        self.stop(call);
        let name = TextName::Flow(flow.clone());
        let own = Text { name: name.clone(), file: file.clone(), source };
        let all: Vec<Text> = texts.into_iter().chain([own]).collect();
        let wrong = all.iter().find_map(|text| check(&text.source, &text.file).err());
        if let Some(error) = wrong.and_then(|errors| errors.into_iter().next()) {
            return Err(error);
        }
        let generation = self.texts.adopt(all);
        let version = self.texts.version(generation, &name).unwrap_or_default();
        let said = self.outputs.len();
        let step = self.spawn(call, flow, (generation, version), (from, to, data), limits, started)?;
        self.conclude(call, step, false);
        for answer in answers {
            // The times are not known any more, and the flow stood the test once.
            if let Some(run) = self.runs.get_mut(&call) {
                run.state.left = run.limits.instructions;
            }
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
        self.runs.len() + self.parked.len()
    }

    /// How many Lua machines they share.
    pub fn machines(&self) -> usize {
        self.vms.iter().flatten().count()
    }

    /// Whether no coroutine is alive.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.parked.is_empty()
    }
}

/// How many bytes of an answer are not of our making.
fn heft(answer: &VerbAnswer) -> usize {
    match answer {
        VerbAnswer::Fetched(fetched) => match &**fetched {
            Fetched::Answer { body, .. } => body.len(),
            Fetched::Failed(_) => 0,
        },
        VerbAnswer::Data(Some(value)) => data::bytes(value),
        VerbAnswer::Dialled { who, .. } => who.len(),
        VerbAnswer::Said { words, .. } => words.len(),
        VerbAnswer::Conferred { parties, .. } => parties.iter().map(|party| party.who.len() + 32).sum(),
        VerbAnswer::Streamed(outcome) => outcome.result.as_ref().map_or(0, String::len),
        _ => 0,
    }
}

/// The file of a line.
fn file(texts: &Texts, chunks: &Chunks, place: Place) -> String {
    let text = chunks.get(place.text).and_then(|chunk| texts.get(chunk.version));
    text.map(|text| text.file.clone()).unwrap_or_default()
}

/// What the call's log says of a verb that could not be done.
fn not_done(verb: &Verb, answer: &VerbAnswer) -> Option<String> {
    let why = match answer {
        VerbAnswer::Failed(cause) => cause.as_str(),
        VerbAnswer::Queue(QueueEnd::Gone) => "there is no such queue",
        _ => return None,
    };
    let text = format!("{}: {why}", crate::line::line(verb));
    Some(crate::verb::log::line(text.as_bytes()))
}

/// Keeps what a flow knows of the call data up to date.
fn note_data(state: &mut CallState, asked: &Asked, answer: &VerbAnswer) {
    match (asked, answer) {
        (_, VerbAnswer::Failed(_) | VerbAnswer::Limit(_)) => {}
        (Asked::SetData(key, value), _) if data::is_none(value) => {
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
