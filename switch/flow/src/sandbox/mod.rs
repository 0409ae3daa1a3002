//! The library as flows see it.
//!
//! Invariant: what is shared between calls is reachable only through proxies that refuse to be written,
//! and no function of it calls back into a flow from Rust or C.
//!
//! Deliberately absent: `io`, `os`, `debug`, `package`, `require`, `load` and its kin, `coroutine`,
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

use crate::vm::PRELUDE_CHUNK;
use crate::vm::shared::Shared;
use mlua::{Function, Lua, LuaString, Result, Table};
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
    let rust = lua.create_table()?;
    base::install(lua, &rust, shared)?;
    string::install(lua, &rust, shared)?;
    table::install(lua, &rust, shared)?;
    math::install(lua, &rust, shared)?;
    verbs::install(lua, &rust, shared)?;
    let verbs = lua.create_sequence_from(crate::verb::NAMES)?;
    let prelude = lua
        .load(include_str!("prelude.lua"))
        .set_name(PRELUDE_CHUNK)
        .into_function()?;
    let (library, strings): (Table, Table) = prelude.call((raw, rust, verbs))?;
    lua.set_type_metatable::<LuaString>(Some(strings));
    // Nothing of a flow reads the machine's own globals; without them it cannot even by mistake.
    globals.clear()?;
    Ok(Library {
        runner: library.raw_get("run")?,
        environment: library.raw_get("environment")?,
    })
}
