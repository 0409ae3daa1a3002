//! What the library functions of a machine see of the call that is running in it.

use super::Fault;
use super::meter::{Habits, Meter};
use super::place::{self, Chunks, Place};
use super::raised::{self, Read};
use crate::error::FlowErrorKind;
use crate::verb::Asked;
use cordboard_model::id::CallId;
use cordboard_model::verb::Verb;
use core::cell::RefCell;
use mlua::debug::{Debug, DebugEvent};
use mlua::{Lua, Result, Value, VmState};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::collections::{BTreeMap, BTreeSet};

/// Longest line of the log, bytes.
pub const LOG_MAX: usize = 1_024;

/// What a flow has asked for and not yet yielded.
#[derive(Clone, Debug)]
pub enum Pending {
    /// A verb.
    Verb {
        /// What is to be done.
        verb: Verb,
        /// How its answer is to be read.
        asked: Asked,
        /// The line that asked.
        place: Place,
    },
    /// One of the tenant's texts, by its name.
    Text(Wanted),
}

/// A text that a flow takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// By `require`.
    Library(String),
    /// By `call:run`.
    Flow(String),
}

/// What a call's flow is made of besides its coroutine. Plain data, kept by the engine between verbs.
#[derive(Clone, Debug, Default)]
pub struct CallState {
    /// The call; set as soon as the flow is started.
    pub call: Option<CallId>,
    /// The calling party.
    pub from: String,
    /// The called number.
    pub to: String,
    /// The call data as last known.
    pub data: BTreeMap<String, serde_json::Value>,
    /// Whether `data` is the truth: no verb has let time pass since it was read.
    pub fresh: bool,
    /// Steps the flow may still take.
    pub verbs_left: u32,
    /// What makes its instructions dearer.
    pub habits: Habits,
    /// Its texts.
    pub chunks: Chunks,
    /// The last line of it that was seen.
    pub place: Place,
    /// Instructions that are left until time has passed.
    pub left: u64,
    /// Memory it was measured to hold, bytes.
    pub held: u64,
    /// Its random numbers, from the first time it asks for one.
    pub random: Option<Box<ChaCha8Rng>>,
    /// The verb it is about to yield.
    pub pending: Option<Pending>,
    /// Its lines for the log, with the line of the text they came from.
    pub logs: Vec<(String, Place)>,
    /// The error it ended in.
    pub fault: Option<Fault>,
    /// What its text returned, as JSON, or why that cannot be written so.
    pub returned: Option<core::result::Result<String, String>>,
    /// What was seen of it, at the test bench.
    pub watched: Option<Box<Watched>>,
}

/// What was seen of a call since it was last looked at.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Its lines.
    pub lines: BTreeSet<Place>,
    /// The menus it asked, with their branches.
    pub menus: Vec<(Place, Vec<String>)>,
    /// The branches that were taken.
    pub taken: Vec<(Place, String)>,
}

/// One per machine, behind the library's functions.
pub struct Shared {
    /// The budgets of the resume that is on.
    pub meter: Meter,
    seed: [u8; 32],
    state: RefCell<CallState>,
}

impl Shared {
    /// For a machine whose calls draw their random numbers from `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { meter: Meter::default(), seed, state: RefCell::default() }
    }

    /// A call begins to run.
    pub fn enter(&self, state: CallState) {
        self.state.replace(state);
    }

    /// It stopped running.
    pub fn leave(&self, habits: Habits) -> CallState {
        let mut state = self.state.take();
        state.habits = habits;
        state
    }

    /// Reads a raised value of the call that runs.
    pub fn read(&self, value: &Value) -> Read {
        raised::read(value, &self.state.borrow().chunks)
    }

    /// Works on the call that runs. Not to be nested.
    pub fn with<R>(&self, f: impl FnOnce(&mut CallState) -> R) -> R {
        f(&mut self.state.borrow_mut())
    }

    /// The line of the flow that runs.
    pub fn place(&self, lua: &Lua) -> Place {
        if let Some(place) = place::innermost(lua, &self.state.borrow().chunks) {
            self.meter.note_place(place);
        }
        self.meter.place()
    }

    /// Looks at the budgets; called by the hook.
    pub fn look(&self, lua: &Lua, frame: &Debug<'_>) -> Result<VmState> {
        // Lines are told of at the test bench alone, and cost nothing there.
        if matches!(frame.event(), DebugEvent::Line) {
            let place = place::of(frame, &self.state.borrow().chunks);
            self.watched(|watched| watched.lines.extend(place));
            return Ok(VmState::Continue);
        }
        self.meter.look(lua, || place::of(frame, &self.state.borrow().chunks))
    }

    /// Whether what is seen of the call that runs is kept.
    pub fn watches(&self) -> bool {
        self.state.borrow().watched.is_some()
    }

    /// Notes what was seen of the call that runs.
    pub fn watched(&self, note: impl FnOnce(&mut Watched)) {
        if let Some(watched) = &mut self.state.borrow_mut().watched {
            note(watched);
        }
    }

    /// Works on the random numbers of the call that runs. They depend on the engine's seed and the call.
    pub fn random<R>(&self, f: impl FnOnce(&mut ChaCha8Rng) -> R) -> R {
        self.with(|state| {
            let number = state.call.map_or(0, |call| call.number);
            let fresh = || {
                let mut random = ChaCha8Rng::from_seed(self.seed);
                random.set_stream(number);
                Box::new(random)
            };
            f(state.random.get_or_insert_with(fresh))
        })
    }

    /// Begins the random numbers of the call that runs anew.
    pub fn reseed(&self, number: u64) {
        let mut seed = self.seed;
        for (byte, more) in seed.iter_mut().zip(number.to_le_bytes()) {
            *byte ^= more;
        }
        let mut random = ChaCha8Rng::from_seed(seed);
        random.set_stream(u64::MAX);
        self.with(|state| state.random = Some(Box::new(random)));
    }

    /// Takes one of the flow's steps; false if there is none left.
    pub fn take_step(&self) -> bool {
        let left = self.with(|state| match state.verbs_left.checked_sub(1) {
            Some(left) => {
                state.verbs_left = left;
                true
            }
            None => false,
        });
        if !left {
            self.meter.spend(FlowErrorKind::Verbs);
        }
        left
    }
}
