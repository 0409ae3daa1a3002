//! The budgets of one resume: instructions, and memory asked for.
//!
//! Invariant: once a budget is spent it stays spent for the rest of the resume. The hook then yields
//! the coroutine, which no `pcall` can catch, and the host lets go of it.
//!
//! The collector stands still while a flow runs, so memory asked for only grows, and everything whose
//! cost follows its size is bounded by it. Operators can still be made to read one long string over
//! and over; therefore an instruction costs more the larger the largest thing the flow ever made.

use crate::error::FlowErrorKind;
use crate::vm::place::Place;
use core::cell::{Cell, RefCell};
use mlua::{Lua, Result, Table, VmState};

/// Instructions between two looks at the budgets. Operators on long strings and failed allocations are
/// dear, so looks are close together.
pub const HOOK_EVERY: u32 = 100;
/// Growth between two looks, bytes, that makes each instruction cost one more.
const GROWTH_UNIT: usize = 2_048;
/// So many tables with metatables make each instruction cost one more: a lookup may walk them all.
const METATABLES_UNIT: u32 = 64;
/// Above the budget, so that the meter says when it is spent before the allocator does.
const SLACK: usize = 64 << 10;

/// What a flow did in former resumes that makes its instructions dearer; kept with the call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// Largest growth between two looks, bytes.
    pub growth: usize,
    /// Metatables set.
    pub metatables: u32,
}

impl Habits {
    /// How often each instruction counts.
    pub fn weight(self) -> u64 {
        let grown = (self.growth / GROWTH_UNIT) as u64;
        1 + grown + u64::from(self.metatables / METATABLES_UNIT)
    }
}

/// Counts what the resume that is on may still use.
#[derive(Default)]
pub struct Meter {
    on: Cell<bool>,
    left: Cell<u64>,
    ceiling: Cell<usize>,
    seen: Cell<usize>,
    /// Holds one table weakly. If it is gone, an allocation was refused and the collector made room: the
    /// flow asked for more than it may, however little is in use now.
    sentinel: RefCell<Option<Table>>,
    place: Cell<Place>,
    habits: Cell<Habits>,
    spent: Cell<Option<FlowErrorKind>>,
}

impl Meter {
    /// Prepares a new machine.
    pub fn install(&self, lua: &Lua) -> Result<()> {
        lua.gc_stop();
        let weak = lua.create_table()?;
        weak.raw_set("__mode", "v")?;
        let sentinel = lua.create_table()?;
        sentinel.set_metatable(Some(weak))?;
        self.sentinel.replace(Some(sentinel));
        Ok(())
    }

    /// Begins a resume with these budgets, and tells the allocator.
    pub fn begin(&self, lua: &Lua, instructions: u64, memory: u64, habits: Habits, place: Place) {
        self.place.set(place);
        let used = lua.used_memory();
        let ceiling = used.saturating_add(usize::try_from(memory).unwrap_or(usize::MAX));
        self.left.set(instructions);
        self.ceiling.set(ceiling);
        self.seen.set(used);
        self.habits.set(habits);
        self.spent.set(None);
        self.on.set(true);
        if let Some(sentinel) = self.sentinel.borrow().as_ref() {
            // Without room even for this, the first look finds the budget spent.
            let _ = lua.create_table().and_then(|table| sentinel.raw_set(1, table));
        }
        // Fails only for a machine whose allocator is not the library's own; ours always is.
        let _ = lua.set_memory_limit(ceiling.saturating_add(SLACK));
    }

    /// Ends the resume; what the flow did is to be kept with its call.
    pub fn end(&self, lua: &Lua) -> Habits {
        self.on.set(false);
        let _ = lua.set_memory_limit(0);
        self.habits.get()
    }

    /// The budget that is spent, if one is.
    pub fn spent(&self) -> Option<FlowErrorKind> {
        self.spent.get()
    }

    /// Declares a budget spent. The first one named stays.
    pub fn spend(&self, kind: FlowErrorKind) {
        if self.spent.get().is_none() {
            self.spent.set(Some(kind));
        }
    }

    /// The last line of the flow that was seen.
    pub fn place(&self) -> Place {
        self.place.get()
    }

    /// Remembers a line of the flow.
    pub fn note_place(&self, place: Place) {
        self.place.set(place);
    }

    /// Charges work that a library function does at one go; false if the budget does not cover it.
    pub fn charge(&self, instructions: u64) -> bool {
        match self.left.get().checked_sub(instructions) {
            Some(left) => {
                self.left.set(left);
                true
            }
            None => {
                self.left.set(0);
                self.spend(FlowErrorKind::Instructions);
                false
            }
        }
    }

    /// Instructions left.
    pub fn left(&self) -> u64 {
        self.left.get()
    }

    /// Whether `bytes` more fit into the budget of memory; if not, it is spent.
    pub fn room_for(&self, lua: &Lua, bytes: usize) -> bool {
        let fits = lua.used_memory().saturating_add(bytes) <= self.ceiling.get() && !self.was_collected();
        if !fits {
            self.spend(FlowErrorKind::Memory);
        }
        fits
    }

    fn was_collected(&self) -> bool {
        self.sentinel.borrow().as_ref().is_some_and(|sentinel| sentinel.raw_len() == 0)
    }

    /// Counts a table that got a metatable.
    pub fn note_metatable(&self) {
        let mut habits = self.habits.get();
        habits.metatables = habits.metatables.saturating_add(1);
        self.habits.set(habits);
    }

    /// Looks at the budgets; called by the hook.
    pub fn look(&self, lua: &Lua, place: impl FnOnce() -> Option<Place>) -> Result<VmState> {
        if !self.on.get() {
            return Ok(VmState::Continue);
        }
        if let Some(place) = place() {
            self.place.set(place);
        }
        if self.spent.get().is_some() {
            // The yield below did not happen: a library function is on the stack that cannot be
            // yielded across. An error unwinds to where it can.
            return Err(super::raised::budget());
        }
        let used = lua.used_memory();
        let seen = self.seen.replace(used);
        let mut habits = self.habits.get();
        habits.growth = habits.growth.max(used.saturating_sub(seen));
        self.habits.set(habits);
        self.charge(u64::from(HOOK_EVERY) * habits.weight());
        if used > self.ceiling.get() || self.was_collected() {
            self.spend(FlowErrorKind::Memory);
        }
        if self.spent.get().is_none() {
            return Ok(VmState::Continue);
        }
        Ok(VmState::Yield)
    }
}
