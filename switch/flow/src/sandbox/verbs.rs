//! The bridge from `call` in Lua to the verbs: reads Lua values into plain arguments, asks the verb's file
//! for the request, and leaves it with the call for the coroutine to yield.

use crate::verb::arg::{self, Arg, BadOption, DEPTH_MAX, ENTRIES_MAX, TEXT_MAX};
use crate::verb::{self, Plain, Request};
use crate::vm::raised;
use crate::vm::shared::{Pending, Shared};
use cordboard_model::id::TenantId;
use mlua::{Lua, MultiValue, Result, Table, Value};
use std::rc::Rc;

impl Plain {
    /// As a value of the machine.
    pub(crate) fn into_lua(self, lua: &Lua) -> Result<Value> {
        Ok(match self {
            Plain::Nil => Value::Nil,
            Plain::Bool(b) => Value::Boolean(b),
            Plain::Text(text) => Value::String(lua.create_string(text)?),
        })
    }
}

/// Adds the functions to the table that the prelude gets.
pub fn install(lua: &Lua, into: &Table, shared: &Rc<Shared>) -> Result<()> {
    let s = Rc::clone(shared);
    into.raw_set(
        "request",
        lua.create_function(move |lua, args| request(lua, &s, args))?,
    )?;
    let s = Rc::clone(shared);
    into.raw_set(
        "menu_tries",
        lua.create_function(move |_, args| menu_tries(&s, args))?,
    )?;
    let s = Rc::clone(shared);
    into.raw_set(
        "log",
        lua.create_function(move |lua, text: mlua::LuaString| log(lua, &s, &text))?,
    )?;
    let s = Rc::clone(shared);
    into.raw_set(
        "data_get",
        lua.create_function(move |lua, key: Value| data_get(lua, &s, &key))?,
    )?;
    let s = Rc::clone(shared);
    into.raw_set(
        "data_set",
        lua.create_function(move |lua, (key, value): (Value, Value)| {
            data_set(lua, &s, &key, &value)
        })?,
    )?;
    let s = Rc::clone(shared);
    into.raw_set(
        "data_list",
        lua.create_function(move |lua, ()| {
            lua.create_table_from(s.with(|state| state.data.clone()))
        })?,
    )?;
    let s = Rc::clone(shared);
    into.raw_set(
        "from",
        lua.create_function(move |_, ()| Ok(s.with(|state| state.from.clone())))?,
    )?;
    let s = Rc::clone(shared);
    into.raw_set(
        "to",
        lua.create_function(move |_, ()| Ok(s.with(|state| state.to.clone())))?,
    )?;
    into.raw_set(
        "unknown",
        lua.create_function(|_, name: Value| -> Result<()> {
            match name {
                Value::String(name) => {
                    Err(raised::unknown_verb(verb::unknown(&name.to_string_lossy())))
                }
                other => Err(raised::unknown_verb(format!(
                    "call has no field of type {}",
                    other.type_name()
                ))),
            }
        })?,
    )?;
    into.raw_set(
        "no_colon",
        lua.create_function(|_, name: String| -> Result<()> {
            Err(raised::bad_option(format!(
                "{name}: write call:{name}(...) with a colon"
            )))
        })?,
    )?;
    into.raw_set(
        "no_set",
        lua.create_function(|_, name: Value| -> Result<()> {
            let name = match name {
                Value::String(name) => name.to_string_lossy(),
                other => other.type_name().to_owned(),
            };
            Err(raised::runtime(format!(
                "call.{name} cannot be set; keep values in variables or in call.data"
            )))
        })?,
    )
}

/// Reads one Lua value, looking into tables as they are, without metatables.
fn read(value: &Value, depth: usize) -> Result<Arg> {
    Ok(match value {
        Value::Nil => Arg::Nil,
        Value::Boolean(b) => Arg::Bool(*b),
        Value::Integer(n) => Arg::Int(*n),
        Value::Number(n) => match super::args::whole(*n) {
            Some(n) => Arg::Int(n),
            None => Arg::Number(*n),
        },
        Value::String(text) if text.as_bytes().len() > TEXT_MAX => {
            return Err(raised::bad_option(format!(
                "a text given to a verb has at most {TEXT_MAX} bytes"
            )));
        }
        Value::String(text) => Arg::Text(text.to_string_lossy()),
        Value::Table(_) if depth == 0 => {
            return Err(raised::bad_option("tables given to a verb nest too deep"));
        }
        Value::Table(table) => Arg::Table(read_table(table, depth - 1)?),
        other => Arg::Other(other.type_name()),
    })
}

fn read_table(table: &Table, depth: usize) -> Result<arg::Table> {
    let mut read_in = arg::Table::default();
    let mut entries = 0;
    let listed = table.raw_len().min(ENTRIES_MAX + 1);
    for i in 1..=listed {
        read_in.list.push(read(&table.raw_get::<Value>(i)?, depth)?);
    }
    table.for_each(|key: Value, value: Value| {
        entries += 1;
        if entries > ENTRIES_MAX {
            return Err(raised::bad_option(format!(
                "a table given to a verb has at most {ENTRIES_MAX} entries"
            )));
        }
        let name = match &key {
            Value::Integer(n) if (1..=listed as i64).contains(n) => return Ok(()),
            Value::Integer(n) => n.to_string(),
            Value::String(name) => name.to_string_lossy(),
            other => format!("a {}", other.type_name()),
        };
        read_in.named.insert(name, read(&value, depth)?);
        Ok(())
    })?;
    Ok(read_in)
}

fn read_all(values: &[Value]) -> Result<Vec<Arg>> {
    let mut args = values
        .iter()
        .map(|value| read(value, DEPTH_MAX))
        .collect::<Result<Vec<Arg>>>()?;
    while args.last() == Some(&Arg::Nil) {
        args.pop();
    }
    Ok(args)
}

fn tenant(shared: &Shared) -> TenantId {
    shared.with(|state| state.call.map_or(TenantId::DEFAULT, |call| call.tenant))
}

/// Leaves a request for the coroutine to yield.
fn leave(
    lua: &Lua,
    shared: &Shared,
    request: std::result::Result<Request, BadOption>,
) -> Result<()> {
    let line = shared.line(lua);
    let (verb, asked) = request.map_err(|error| raised::bad_option(error.0))?;
    if !shared.take_step() {
        return Err(raised::budget());
    }
    shared.with(|state| state.pending = Some(Pending { verb, asked, line }));
    Ok(())
}

/// `request(name, ...)`.
fn request(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<()> {
    let values: Vec<Value> = args.into_iter().collect();
    let (Some(Value::String(name)), Some(rest)) = (values.first(), values.get(1..)) else {
        return Err(raised::runtime("a verb without a name"));
    };
    let args = read_all(rest)?;
    leave(
        lua,
        shared,
        verb::request(&name.to_string_lossy(), tenant(shared), &args),
    )
}

fn menu_tries(shared: &Shared, args: MultiValue) -> Result<i64> {
    let values: Vec<Value> = args.into_iter().collect();
    verb::menu::tries(tenant(shared), &read_all(&values)?)
        .map_err(|error| raised::bad_option(error.0))
}

fn log(lua: &Lua, shared: &Shared, text: &mlua::LuaString) -> Result<()> {
    let line = shared.line(lua);
    if !shared.take_step() {
        return Err(raised::budget());
    }
    let text = verb::log::line(&text.as_bytes());
    shared.with(|state| state.logs.push((text, line)));
    Ok(())
}

/// `data_get(key)`: true and the value if it is known to be the truth; false if it has been asked for.
fn data_get(lua: &Lua, shared: &Shared, key: &Value) -> Result<(bool, Value)> {
    let request = verb::data::get(&read(key, DEPTH_MAX)?);
    if let Ok((_, verb::Asked::GetData(key))) = &request {
        let known = shared.with(|state| state.fresh.then(|| state.data.get(key).cloned()));
        if let Some(known) = known {
            let value = known.map_or(Plain::Nil, Plain::Text).into_lua(lua)?;
            return Ok((true, value));
        }
    }
    leave(lua, shared, request)?;
    Ok((false, Value::Nil))
}

fn data_set(lua: &Lua, shared: &Shared, key: &Value, value: &Value) -> Result<()> {
    let request = verb::data::set(&read(key, DEPTH_MAX)?, &read(value, DEPTH_MAX)?);
    leave(lua, shared, request)
}
