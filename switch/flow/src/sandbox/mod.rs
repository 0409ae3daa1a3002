//! The library as flows see it.
//!
//! Invariant: what is shared between calls is reachable only through proxies that refuse to be written,
//! and no function of it calls back into a flow from Rust or C.
//!
//! Deliberately absent: `io`, `os`, `debug`, `package`, `load` and its kin, `coroutine`,
//! `collectgarbage`, `string.dump`, `string.pack` and its kin.

mod args;
mod base;
mod math;
pub mod pattern;
#[cfg(test)]
mod pattern_tests;
mod string;
mod table;
mod verbs;

use crate::vm::shared::Shared;
use crate::vm::{PRELUDE_CHUNK, raised};
use mlua::{FromLuaMulti, Function, IntoLuaMulti, Lua, LuaString, Result, Table};
use std::rc::Rc;

/// What the machine needs of the prelude.
pub struct Library {
    /// The body of every coroutine.
    pub runner: Function,
    /// Makes the environment of a call.
    pub environment: Function,
}

/// Functions of the machine's own library that are safe as they are, or that the prelude guards.
const RAW: [&str; 12] = [
    "assert",
    "error",
    "getmetatable",
    "pcall",
    "rawequal",
    "rawget",
    "rawlen",
    "select",
    "tonumber",
    "tostring",
    "type",
    "xpcall",
];

/// Where the functions of the host are put for the prelude.
struct Host<'a> {
    lua: &'a Lua,
    table: Table,
    shared: &'a Rc<Shared>,
}

impl Host<'_> {
    /// Adds a function. An error it returns gets the flow's line here, while the stack is as it was.
    fn add<A, R>(&self, name: &str, f: impl Fn(&Lua, &Shared, A) -> Result<R> + 'static) -> Result<()>
    where
        A: FromLuaMulti,
        R: IntoLuaMulti,
    {
        let shared = Rc::clone(self.shared);
        let function = self.lua.create_function(move |lua, args: A| {
            f(lua, &shared, args).map_err(|error| raised::at_line(error, || shared.place(lua)))
        })?;
        self.table.raw_set(name, function)
    }
}

/// Builds the library in a new machine.
pub fn install(lua: &Lua, shared: &Rc<Shared>) -> Result<Library> {
    let globals = lua.globals();
    let raw = lua.create_table()?;
    for name in RAW {
        raw.raw_set(name, globals.raw_get::<Function>(name)?)?;
    }
    for name in ["string", "table", "math", "utf8"] {
        raw.raw_set(name, globals.raw_get::<Table>(name)?)?;
    }
    let coroutine: Table = globals.raw_get("coroutine")?;
    raw.raw_set("yield", coroutine.raw_get::<Function>("yield")?)?;
    raw.raw_set("running", coroutine.raw_get::<Function>("running")?)?;
    // By coroutine what its `require` has; goes with the coroutine.
    let (libraries, weak) = (lua.create_table()?, lua.create_table()?);
    weak.raw_set("__mode", "k")?;
    libraries.set_metatable(Some(weak))?;
    raw.raw_set("libraries", libraries)?;
    let host = Host { lua, table: lua.create_table()?, shared };
    base::install(&host)?;
    string::install(&host)?;
    table::install(&host)?;
    math::install(&host)?;
    verbs::install(&host)?;
    let verbs = lua.create_sequence_from(crate::verb::NAMES)?;
    let prelude = lua.load(include_str!("prelude.lua")).set_name(PRELUDE_CHUNK).into_function()?;
    let (library, strings): (Table, Table) = prelude.call((raw, host.table, verbs))?;
    lua.set_type_metatable::<LuaString>(Some(strings));
    // Nothing of a flow reads the machine's own globals; without them it cannot even by mistake.
    globals.clear()?;
    Ok(Library { runner: library.raw_get("run")?, environment: library.raw_get("environment")? })
}
