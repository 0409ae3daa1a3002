//! The basic functions that need care: `pairs` and `next` in an order of ours, `setmetatable` and `rawset`
//! that leave the library alone, what `pcall` may give back, and the one handler of uncaught errors.

use super::Host;
use super::args::{Args, whole};
use crate::vm::Fault;
use crate::vm::raised;
use crate::vm::shared::Shared;
use core::cmp::Ordering;
use mlua::{Lua, LuaString, MultiValue, Result, Table, Value};

/// What looking at one entry of a table costs, in instructions.
const ENTRY: u64 = 16;

/// Adds the functions to the table that the prelude gets.
pub(super) fn install(host: &Host<'_>) -> Result<()> {
    host.add("keys", |lua, shared, table: Table| keys(lua, shared, &table))?;
    host.add("next", next)?;
    host.add("setmetatable", setmetatable)?;
    host.add("rawset", |lua, _, args| rawset(lua, args))?;
    host.add("metafield", |_, _, (value, name): (Value, String)| metafield(&value, name))?;
    host.add("caught", caught)?;
    host.add("fault", fault)?;
    host.add("unhandled", unhandled)?;
    host.add("fault_text", |_, shared, text: LuaString| {
        shared.with(|state| {
            if let Some(fault) = &mut state.fault {
                fault.text = text.to_string_lossy();
            }
        });
        Ok(())
    })?;
    host.add("readonly", |_, _, what: String| -> Result<()> {
        Err(raised::runtime(format!("{what} is part of the library and cannot be changed")))
    })
}

/// A key that has a place in our order: numbers, then strings, then false and true.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Int(i64),
    Float(f64),
    Text(Vec<u8>),
    Bool(bool),
}

impl Key {
    fn new(value: &Value) -> Result<Key> {
        match value {
            Value::Integer(n) => Ok(Key::Int(*n)),
            Value::Number(n) => Ok(Key::Float(*n)),
            Value::String(text) => Ok(Key::Text(text.as_bytes().to_vec())),
            Value::Boolean(b) => Ok(Key::Bool(*b)),
            other => Err(raised::runtime(format!(
                "a table with a {} as a key has no order to be listed in",
                other.type_name()
            ))),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Key::Int(_) | Key::Float(_) => 0,
            Key::Text(_) => 1,
            Key::Bool(_) => 2,
        }
    }

    fn order(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Int(a), Key::Int(b)) => a.cmp(b),
            (Key::Float(a), Key::Float(b)) => a.total_cmp(b),
            (Key::Int(a), Key::Float(b)) => int_to_float(*a, *b),
            (Key::Float(a), Key::Int(b)) => int_to_float(*b, *a).reverse(),
            (Key::Text(a), Key::Text(b)) => a.cmp(b),
            (Key::Bool(a), Key::Bool(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn into_value(self, lua: &Lua) -> Result<Value> {
        Ok(match self {
            Key::Int(n) => Value::Integer(n),
            Key::Float(n) => Value::Number(n),
            Key::Text(text) => Value::String(lua.create_string(text)?),
            Key::Bool(b) => Value::Boolean(b),
        })
    }
}

/// Compares exactly; a float key is never a whole number in the range of integers.
fn int_to_float(a: i64, b: f64) -> Ordering {
    match whole(b.floor()) {
        Some(below) if a <= below => Ordering::Less,
        Some(_) => Ordering::Greater,
        None if b > 0.0 => Ordering::Less,
        None => Ordering::Greater,
    }
}

fn charge(shared: &Shared, entries: u64) -> Result<()> {
    if shared.meter.charge(entries * ENTRY) { Ok(()) } else { Err(raised::budget()) }
}

fn all_keys(shared: &Shared, table: &Table) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    table.for_each(|key: Value, _: Value| {
        charge(shared, 1)?;
        keys.push(Key::new(&key)?);
        Ok(())
    })?;
    Ok(keys)
}

/// The keys of a table in order, as a list.
fn keys(lua: &Lua, shared: &Shared, table: &Table) -> Result<Table> {
    let mut keys = all_keys(shared, table)?;
    if !shared.meter.room_for(lua, keys.len() * 16) {
        return Err(raised::budget());
    }
    keys.sort_by(Key::order);
    let list = lua.create_table_with_capacity(keys.len(), 0)?;
    for key in keys {
        list.raw_push(key.into_value(lua)?)?;
    }
    Ok(list)
}

/// The least key above the given one, with its value.
fn next(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<MultiValue> {
    let args = Args::new(lua, "next", args);
    let table = args.table(1)?;
    let after = match args.value(2) {
        Value::Nil => None,
        key => Some(Key::new(&key)?),
    };
    let beyond = |key: &Key| after.as_ref().is_none_or(|after| key.order(after) == Ordering::Greater);
    let least = all_keys(shared, &table)?.into_iter().filter(beyond).min_by(Key::order);
    match least {
        None => Ok([Value::Nil].into_iter().collect()),
        Some(key) => {
            let key = key.into_value(lua)?;
            let value = table.raw_get(&key)?;
            Ok([key, value].into_iter().collect())
        }
    }
}

fn protected(table: &Table) -> Result<bool> {
    match table.metatable() {
        Some(meta) => Ok(meta.raw_get::<Value>("__metatable")? != Value::Nil),
        None => Ok(false),
    }
}

fn setmetatable(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<Table> {
    let args = Args::new(lua, "setmetatable", args);
    let table = args.table(1)?;
    if protected(&table)? {
        return Err(raised::runtime("cannot change a protected metatable"));
    }
    let meta = match args.value(2) {
        Value::Nil => None,
        Value::Table(meta) => Some(meta),
        _ => return args.bad(2, "nil or table expected"),
    };
    if let Some(meta) = &meta {
        for name in ["__gc", "__mode"] {
            if meta.raw_get::<Value>(name)? != Value::Nil {
                return Err(raised::runtime(format!("'{name}' is not available to flows")));
            }
        }
        shared.meter.note_metatable();
    }
    table.set_metatable(meta)?;
    Ok(table)
}

fn rawset(lua: &Lua, args: MultiValue) -> Result<Table> {
    let args = Args::new(lua, "rawset", args);
    let table = args.table(1)?;
    if protected(&table)? {
        return Err(raised::runtime("cannot rawset into a protected table"));
    }
    let key = args.value(2);
    if matches!(key, Value::Nil) || matches!(key, Value::Number(n) if n.is_nan()) {
        return args.bad(2, "a key cannot be nil or not-a-number");
    }
    table.raw_set(key, args.value(3))?;
    Ok(table)
}

/// A field of a value's metatable, whatever `__metatable` says. Only tables have metatables of a flow.
fn metafield(value: &Value, name: String) -> Result<Value> {
    match value {
        Value::Table(table) => match table.metatable() {
            Some(meta) => meta.raw_get(name),
            None => Ok(Value::Nil),
        },
        _ => Ok(Value::Nil),
    }
}

/// What `pcall` gives for a raised value: whether the flow must stop, and the value as the flow sees it.
fn caught(lua: &Lua, shared: &Shared, value: Value) -> Result<(bool, Value)> {
    let error = match &value {
        Value::Error(error) => Value::Error(error.clone()),
        Value::String(text) if *text == raised::OUT_OF_MEMORY => value.clone(),
        _ => match shared.meter.spent() {
            None => return Ok((false, value)),
            Some(_) => Value::Nil,
        },
    };
    let read = shared.read(&error);
    if read.kind == crate::error::FlowErrorKind::Memory {
        shared.meter.spend(read.kind);
    }
    if shared.meter.spent().is_some() {
        shared.place(lua);
        return Ok((true, Value::Nil));
    }
    let place = read.place.unwrap_or_else(|| shared.meter.place());
    let text = match shared.with(|state| state.chunks.written(place)) {
        None => read.text,
        Some(place) => format!("{place}{}", read.text),
    };
    Ok((false, Value::String(lua.create_string(text)?)))
}

/// The message handler of a flow: notes the error and its place before the stack is unwound.
fn fault(lua: &Lua, shared: &Shared, value: Value) -> Result<Value> {
    let read = shared.read(&value);
    if read.kind == crate::error::FlowErrorKind::Memory {
        shared.meter.spend(read.kind);
    }
    let place = read.place.unwrap_or_else(|| shared.place(lua));
    shared.with(|state| state.fault = Some(Fault { place, kind: read.kind, text: read.text }));
    // An error value cannot be handed back as it is; the prelude only asks whether it is a table.
    Ok(match value {
        Value::Table(_) => value,
        _ => Value::Nil,
    })
}

/// What ended a flow without passing the handler: a refused allocation, or an error while one was handled.
fn unhandled(lua: &Lua, shared: &Shared, value: Value) -> Result<()> {
    if shared.with(|state| state.fault.is_none()) {
        fault(lua, shared, value)?;
    }
    Ok(())
}
