//! One Lua machine with the calls that live in it.
//!
//! Invariants:
//! - A flow's code runs only inside its coroutine. No function of the library calls back into Lua from
//!   Rust; whatever calls back (`sort`, `gsub`, `tostring`, `pairs`) is written in Lua, in the prelude.
//!   Hence a running flow can always be yielded from the hook, and a spent budget is final.
//! - A call sees the library through read-only proxies and writes into its own environment.
//! - A machine hosts few calls (`limits.flow.together`), so that a full collection is short, whoever made it necessary.

pub mod compile;
pub mod meter;
pub mod place;
pub mod raised;
pub mod shared;

use crate::error::FlowErrorKind;
use crate::sandbox;
use crate::verb::{Asked, Plain};
use cordboard_model::config::FlowLimits;
use cordboard_model::verb::Verb;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Thread, Value};
use place::{Chunk, Place};
use shared::{CallState, Pending, Shared, Wanted};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// The name of the prelude's text in the machine.
pub const PRELUDE_CHUNK: &str = "=cordboard";
/// Garbage that may pile up before a collection, bytes.
const GARBAGE: usize = 256 << 10;
/// What a call may hold without anybody looking, bytes.
const UNLOOKED_PER_CALL: usize = 32 << 10;

/// What went wrong in a flow; the engine adds the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line.
    pub place: Place,
    /// What kind.
    pub kind: FlowErrorKind,
    /// What is wrong, without the place.
    pub text: String,
}

/// Where a resume ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// At a verb.
    Verb {
        /// What is to be done.
        verb: Verb,
        /// How its answer is to be read.
        asked: Asked,
        /// The line that asked.
        place: Place,
    },
    /// At one of the tenant's texts, to be taken in.
    Text(Wanted),
    /// At the end of the text.
    Finished,
    /// In an error.
    Failed(Fault),
}

/// With what a coroutine is resumed.
pub enum Resume {
    /// It begins, with the first of its texts.
    Begin,
    /// One of its texts, as a function.
    Text(usize),
    /// The verb's results.
    Values(Vec<Plain>),
    /// The verb raises this.
    Raise(String),
}

/// One machine.
pub struct Vm {
    lua: Lua,
    shared: Rc<Shared>,
    runner: Function,
    environment: Function,
    /// What runs a version of a text, by the name that messages have for it.
    versions: BTreeMap<(u64, Rc<str>), Function>,
    /// Calls that live here.
    pub calls: usize,
    /// Memory without any call.
    base: usize,
    /// Memory at which the next collection is due.
    collect_at: usize,
    /// Whether the calls hold so much that each resume is measured.
    measured: bool,
}

impl Vm {
    /// A machine with the library and no flows; it may be watched line by line.
    pub fn new(seed: [u8; 32], watch: bool) -> mlua::Result<Vm> {
        let libs = StdLib::COROUTINE | StdLib::STRING | StdLib::TABLE | StdLib::MATH | StdLib::UTF8;
        let lua = Lua::new_with(libs, LuaOptions::default())?;
        let shared = Rc::new(Shared::new(seed));
        let library = sandbox::install(&lua, &shared)?;
        shared.meter.install(&lua)?;
        let hook = Rc::clone(&shared);
        let every = HookTriggers::new().every_nth_instruction(meter::HOOK_EVERY);
        let every = if watch { every.every_line() } else { every };
        lua.set_global_hook(every, move |lua, frame| hook.look(lua, frame))?;
        let mut vm = Vm {
            lua,
            shared,
            runner: library.runner,
            environment: library.environment,
            versions: BTreeMap::new(),
            calls: 0,
            base: 0,
            collect_at: 0,
            measured: false,
        };
        vm.settle()?;
        Ok(vm)
    }

    /// Measures the machine as it is when nothing runs.
    fn settle(&mut self) -> mlua::Result<()> {
        self.lua.gc_collect()?;
        self.base = self.lua.used_memory();
        self.collect_at = self.base + GARBAGE;
        Ok(())
    }

    /// A coroutine for a call.
    pub fn spawn(&mut self) -> mlua::Result<Thread> {
        let thread = self.lua.create_thread(self.runner.clone())?;
        self.calls += 1;
        Ok(thread)
    }

    /// Whether the machine has this version of a text.
    pub fn has(&self, chunk: &Chunk) -> bool {
        self.versions.contains_key(&(chunk.version, Rc::clone(&chunk.name)))
    }

    /// Compiles a version of a text. The text was checked before.
    pub fn compile(&mut self, chunk: &Chunk, source: &str) -> mlua::Result<()> {
        let before = self.lua.used_memory();
        let factory = compile::factory(&self.lua, source, &chunk.name)?;
        self.versions.insert((chunk.version, Rc::clone(&chunk.name)), factory);
        self.lua.gc_collect()?;
        // Garbage of calls may have gone as well; the base then stays too low, which errs on the safe side.
        self.base += self.lua.used_memory().saturating_sub(before);
        self.collect_at = self.lua.used_memory() + GARBAGE;
        Ok(())
    }

    /// Forgets a version of a text that no call runs.
    pub fn forget(&mut self, version: u64) {
        self.versions.retain(|(known, _), _| *known != version);
    }

    /// Runs a coroutine to its next verb or its end.
    pub fn resume(
        &mut self,
        thread: &Thread,
        state: &mut CallState,
        limits: &FlowLimits,
        with: Resume,
    ) -> Step {
        let used = self.lua.used_memory();
        if self.lua.used_memory() > self.collect_at {
            self.collect();
        }
        self.shared.enter(core::mem::take(state));
        let meter = &self.shared.meter;
        let (habits, place, left) = self.shared.with(|state| (state.habits, state.place, state.left));
        meter.begin(&self.lua, left, limits.memory, habits, place);
        // The library below resumes a panic of a callback here; it must cost this call only.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.run(thread, with)));
        let habits = self.shared.meter.end(&self.lua);
        *state = self.shared.leave(habits);
        state.place = self.shared.meter.place();
        state.left = self.shared.meter.left();
        let outcome = outcome.unwrap_or_else(|_| Err(internal("the Lua machine panicked")));
        let step = self.conclude(thread, state, limits, outcome);
        self.measure(state, used, limits.memory).map_or(step, Step::Failed)
    }

    fn run(&self, thread: &Thread, with: Resume) -> Result<(), Fault> {
        let args = self.arguments(with).map_err(|error| self.refused(error))?;
        match thread.resume::<MultiValue>(args) {
            Ok(_) => Ok(()),
            Err(error) => {
                // The runner catches what a flow raises; only a refused allocation outside it comes here.
                Err(self.refused(error))
            }
        }
    }

    fn refused(&self, error: mlua::Error) -> Fault {
        let read = self.shared.read(&Value::Error(Box::new(error)));
        if read.kind == FlowErrorKind::Memory {
            self.shared.meter.spend(read.kind);
        }
        Fault { place: read.place.unwrap_or_default(), kind: read.kind, text: read.text }
    }

    /// What runs one of the texts of the call at hand.
    fn factory(&self, at: usize) -> Value {
        let key = self
            .shared
            .with(|state| state.chunks.get(at).map(|chunk| (chunk.version, Rc::clone(&chunk.name))));
        let factory = key.and_then(|key| self.versions.get(&key)).cloned();
        factory.map_or(Value::Nil, Value::Function)
    }

    fn arguments(&self, with: Resume) -> mlua::Result<MultiValue> {
        match with {
            Resume::Begin => {
                let environment: Table = self.environment.call(())?;
                Ok([self.factory(0), Value::Table(environment)].into_iter().collect())
            }
            Resume::Text(at) => Ok([Value::Nil, self.factory(at)].into_iter().collect()),
            Resume::Values(values) => {
                let mut args = vec![Value::Nil];
                for value in values {
                    args.push(value.into_lua(&self.lua)?);
                }
                Ok(args.into_iter().collect())
            }
            Resume::Raise(text) => Ok([Value::String(self.lua.create_string(text)?)].into_iter().collect()),
        }
    }

    /// What a resume came to, the strongest reason first.
    fn conclude(
        &self,
        thread: &Thread,
        state: &mut CallState,
        limits: &FlowLimits,
        outcome: Result<(), Fault>,
    ) -> Step {
        let pending = state.pending.take();
        let fault = state.fault.take();
        let meter = &self.shared.meter;
        if let Some(kind) = meter.spent() {
            let place = fault.map(|f| f.place).filter(|place| place.is_known()).unwrap_or(meter.place());
            let text = spent(kind, limits, state.habits.weight());
            return Step::Failed(Fault { place, kind, text });
        }
        if let Err(fault) = outcome {
            let place = if fault.place.is_known() { fault.place } else { meter.place() };
            return Step::Failed(Fault { place, ..fault });
        }
        if let Some(fault) = fault {
            return Step::Failed(fault);
        }
        if thread.is_resumable() {
            return match pending {
                Some(Pending::Verb { verb, asked, place }) => Step::Verb { verb, asked, place },
                Some(Pending::Text(wanted)) => Step::Text(wanted),
                None => Step::Failed(internal("the flow stopped without a verb")),
            };
        }
        Step::Finished
    }

    fn collect(&mut self) {
        // A collection fails only in a finaliser, and flows have none.
        let _ = self.lua.gc_collect();
        let used = self.lua.used_memory();
        self.collect_at = used + GARBAGE.max(used - self.base.min(used));
    }

    /// Watches what the calls of this machine hold between verbs. While all of them together hold little,
    /// nobody is measured. Above that every resume is, exactly, and a call that adds more than its
    /// budget fails.
    fn measure(&mut self, state: &mut CallState, before: usize, memory: u64) -> Option<Fault> {
        let unlooked =
            usize::try_from(memory).unwrap_or(usize::MAX).saturating_add(self.calls * UNLOOKED_PER_CALL);
        let used = self.lua.used_memory();
        if !self.measured && used.saturating_sub(self.base) <= unlooked {
            return None;
        }
        self.collect();
        let held = self.lua.used_memory().saturating_sub(self.base);
        let was_measured = self.measured;
        self.measured = held > unlooked / 2;
        if !was_measured {
            // Alone in the machine, everything held is this call's.
            state.held = if self.calls == 1 { held as u64 } else { 0 };
        } else {
            let (now, before) = (self.lua.used_memory() as u64, before as u64);
            state.held = (state.held + now).saturating_sub(before);
        }
        let over = state.held > memory;
        over.then(|| Fault {
            place: self.shared.meter.place(),
            kind: FlowErrorKind::Memory,
            text: format!("the flow keeps more than its budget of {memory} bytes of memory"),
        })
    }
}

fn internal(text: &str) -> Fault {
    Fault { place: Place::default(), kind: FlowErrorKind::Internal, text: text.to_owned() }
}

/// What to tell a designer whose flow used up a budget. `times` is how often each instruction counted.
pub fn spent(kind: FlowErrorKind, limits: &FlowLimits, times: u64) -> String {
    match kind {
        FlowErrorKind::Instructions if times > 1 => format!(
            "the flow used up its budget of {} instructions between two steps; each counted {times} times \
             for the size of the values the flow made",
            limits.instructions
        ),
        FlowErrorKind::Instructions => format!(
            "the flow used up its budget of {} instructions between two steps; does this loop end?",
            limits.instructions
        ),
        FlowErrorKind::Memory => {
            format!("the flow used up its budget of {} bytes of memory between two steps", limits.memory)
        }
        FlowErrorKind::Wall => {
            format!("the flow ran longer than its budget of {} seconds", limits.wall.as_secs())
        }
        FlowErrorKind::Verbs => format!("the flow took more steps than its budget of {}", limits.verbs),
        other => other.as_str().to_owned(),
    }
}
