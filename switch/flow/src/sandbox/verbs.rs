//! The bridge from `call` in Lua to the verbs: reads Lua values into plain arguments, asks the verb's file
//! for the request, and leaves it with the call for the coroutine to yield.

use super::Host;
use crate::verb::arg::{
    self, ALL_ENTRIES_MAX, Arg, BadOption, DEPTH_MAX, ENTRIES_MAX, JSON_DEPTH_MAX, TEXT_MAX,
};
use crate::verb::{self, Plain, Request};
use crate::vm::raised;
use crate::vm::shared::{Pending, Shared, Wanted};
use cordboard_model::id::TenantId;
use mlua::{Lua, LuaString, MultiValue, Result, Table, UserData, UserDataMethods, Value};

/// What a flow may pass on and not read.
struct Hidden(String);

impl UserData for Hidden {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("length", |_, this, ()| Ok(this.0.len()));
        methods.add_method("equals", |_, this, other: Value| {
            Ok(match &other {
                Value::String(text) => verb::collect_secret::same(this.0.as_bytes(), &text.as_bytes()),
                other => hidden(other)
                    .is_some_and(|other| verb::collect_secret::same(this.0.as_bytes(), other.as_bytes())),
            })
        });
    }
}

fn hidden(value: &Value) -> Option<String> {
    value.as_userdata()?.borrow::<Hidden>().ok().map(|hidden| hidden.0.clone())
}

impl Plain {
    /// As a value of the machine.
    pub(crate) fn into_lua(self, lua: &Lua) -> Result<Value> {
        Ok(match self {
            Plain::Nil => Value::Nil,
            Plain::Bool(b) => Value::Boolean(b),
            Plain::Int(n) => Value::Integer(n),
            Plain::Number(n) => Value::Number(n),
            Plain::Text(text) => Value::String(lua.create_string(text)?),
            Plain::Secret(text) => Value::UserData(lua.create_userdata(Hidden(text))?),
            Plain::List(values) => {
                let table = lua.create_table_with_capacity(values.len(), 0)?;
                for (at, value) in (1_i64..).zip(values) {
                    table.raw_set(at, value.into_lua(lua)?)?;
                }
                Value::Table(table)
            }
            Plain::Record(fields) => {
                let table = lua.create_table_with_capacity(0, fields.len())?;
                for (name, value) in fields {
                    table.raw_set(name, value.into_lua(lua)?)?;
                }
                Value::Table(table)
            }
        })
    }
}

/// Adds the functions to the table that the prelude gets.
pub(super) fn install(host: &Host<'_>) -> Result<()> {
    host.add("request", request)?;
    host.add("library", |lua, shared, name: Value| text(lua, shared, "require", &name, Wanted::Library))?;
    host.add("flow", |lua, shared, name: Value| text(lua, shared, verb::run::NAME, &name, Wanted::Flow))?;
    host.add("data_kind", |_, _, args: MultiValue| {
        let values: Vec<Value> = args.into_iter().collect();
        verb::get::kind(&read_all(&values, DEPTH_MAX)?).map_err(|error| raised::bad_option(error.0))
    })?;
    host.add("dial_targets", |_, shared, args| dial_targets(shared, args))?;
    host.add("collect_tries", |_, shared, args| collect_tries(shared, args))?;
    host.add("menu_tries", menu_tries)?;
    host.add("menu_took", |lua, shared, branch: String| {
        if shared.watches() {
            let place = shared.place(lua);
            shared.watched(|watched| watched.taken.push((place, branch)));
        }
        Ok(())
    })?;
    host.add("returned", |_, shared, value: Value| {
        let read =
            read(&value, JSON_DEPTH_MAX).map_err(|error| shared.read(&Value::Error(Box::new(error))).text);
        let written = read.and_then(|value| verb::json::write(&value)).map(|written| written.shown);
        shared.with(|state| state.returned = Some(written));
        Ok(())
    })?;
    host.add("log", |lua, shared, text: LuaString| log(lua, shared, &text))?;
    host.add("data_get", |lua, shared, key: Value| data_get(lua, shared, &key))?;
    host.add("data_set", |lua, shared, (key, value): (Value, Value)| data_set(lua, shared, &key, &value))?;
    host.add("data_list", |lua, shared, ()| {
        let known = shared.with(|state| state.data.clone());
        let plain = known.into_iter().map(|(key, value)| (key, verb::json::plain(value)));
        Plain::Record(plain.collect()).into_lua(lua)
    })?;
    host.add("from", |_, shared, ()| Ok(shared.with(|state| state.from.clone())))?;
    host.add("to", |_, shared, ()| Ok(shared.with(|state| state.to.clone())))?;
    host.add("unknown", |_, _, name: Value| unknown(&name))?;
    host.add("no_colon", |_, _, name: String| -> Result<()> {
        Err(raised::bad_option(format!("{name}: write call:{name}(...) with a colon")))
    })?;
    host.add("no_set", |_, _, name: Value| no_set(&name))
}

fn unknown(name: &Value) -> Result<()> {
    Err(raised::unknown_verb(match name {
        Value::String(name) => verb::unknown(&name.to_string_lossy()),
        other => format!("call has no field of type {}", other.type_name()),
    }))
}

fn no_set(name: &Value) -> Result<()> {
    let name = match name {
        Value::String(name) => name.to_string_lossy(),
        other => other.type_name().to_owned(),
    };
    let text = format!("call.{name} cannot be set; keep values in variables or in call.data");
    Err(raised::runtime(text))
}

/// Reads one Lua value, looking into tables as they are, without metatables.
fn read(value: &Value, depth: usize) -> Result<Arg> {
    read_within(value, depth, &mut ALL_ENTRIES_MAX.clone())
}

/// The same; `left` is how many entries the tables may have together. A table that stands in many places counts each time.
fn read_within(value: &Value, depth: usize, left: &mut usize) -> Result<Arg> {
    Ok(match value {
        Value::Nil => Arg::Nil,
        Value::Boolean(b) => Arg::Bool(*b),
        Value::Integer(n) => Arg::Int(*n),
        Value::Number(n) => match super::args::whole(*n) {
            Some(n) => Arg::Int(n),
            None => Arg::Number(*n),
        },
        Value::String(text) if text.as_bytes().len() > TEXT_MAX => {
            return Err(raised::bad_option(format!("a text given to a verb has at most {TEXT_MAX} bytes")));
        }
        Value::String(text) => Arg::Text(text.to_string_lossy()),
        Value::Table(_) if depth == 0 => {
            return Err(raised::bad_option("tables given to a verb nest too deep"));
        }
        Value::Table(table) => Arg::Table(read_table(table, depth - 1, left)?),
        other => match hidden(other) {
            Some(text) => Arg::Secret(text),
            None => Arg::Other(other.type_name()),
        },
    })
}

fn read_table(table: &Table, depth: usize, left: &mut usize) -> Result<arg::Table> {
    let mut read_in = arg::Table::default();
    let mut entries = 0;
    let listed = table.raw_len().min(ENTRIES_MAX + 1);
    for i in 1..=listed {
        take(left)?;
        read_in.list.push(read_within(&table.raw_get::<Value>(i)?, depth, left)?);
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
        take(left)?;
        read_in.named.insert(name, read_within(&value, depth, left)?);
        Ok(())
    })?;
    Ok(read_in)
}

fn take(left: &mut usize) -> Result<()> {
    *left = left.checked_sub(1).ok_or_else(|| {
        raised::bad_option(format!("the tables given to a verb have more than {ALL_ENTRIES_MAX} entries"))
    })?;
    Ok(())
}

fn read_all(values: &[Value], depth: usize) -> Result<Vec<Arg>> {
    let left = &mut ALL_ENTRIES_MAX.clone();
    let mut args =
        values.iter().map(|value| read_within(value, depth, left)).collect::<Result<Vec<Arg>>>()?;
    while args.last() == Some(&Arg::Nil) {
        args.pop();
    }
    Ok(args)
}

fn tenant(shared: &Shared) -> TenantId {
    shared.with(|state| state.call.map_or(TenantId::DEFAULT, |call| call.tenant))
}

/// Leaves a request for the coroutine to yield.
fn leave(lua: &Lua, shared: &Shared, request: std::result::Result<Request, BadOption>) -> Result<()> {
    let place = shared.place(lua);
    let (verb, asked) = request.map_err(|error| raised::bad_option(error.0))?;
    if !shared.take_step() {
        return Err(raised::budget());
    }
    shared.with(|state| state.pending = Some(Pending::Verb { verb, asked, place }));
    Ok(())
}

/// `request(name, ...)`.
fn request(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<()> {
    let values: Vec<Value> = args.into_iter().collect();
    let (Some(Value::String(name)), Some(rest)) = (values.first(), values.get(1..)) else {
        return Err(raised::runtime("a verb without a name"));
    };
    let name = name.to_string_lossy();
    let depth = match name.as_str() {
        verb::http::NAME => JSON_DEPTH_MAX,
        verb::first::NAME => JSON_DEPTH_MAX + 1,
        _ => DEPTH_MAX,
    };
    let args = read_all(rest, depth)?;
    leave(lua, shared, verb::request(&name, tenant(shared), &args))
}

/// Leaves the wish for one of the tenant's texts for the coroutine to yield.
fn text(lua: &Lua, shared: &Shared, verb: &str, name: &Value, want: fn(String) -> Wanted) -> Result<()> {
    shared.place(lua);
    let name = verb::run::name(verb, &read(name, DEPTH_MAX)?).map_err(|error| raised::bad_option(error.0))?;
    if !shared.take_step() {
        return Err(raised::budget());
    }
    shared.with(|state| state.pending = Some(Pending::Text(want(name))));
    Ok(())
}

fn dial_targets(shared: &Shared, args: MultiValue) -> Result<i64> {
    let values: Vec<Value> = args.into_iter().collect();
    let args = read_all(&values, DEPTH_MAX)?;
    verb::dial::targets(tenant(shared), &args).map_err(|error| raised::bad_option(error.0))
}

/// `collect_tries(verb, ...)`.
fn collect_tries(shared: &Shared, args: MultiValue) -> Result<i64> {
    let values: Vec<Value> = args.into_iter().collect();
    let args = read_all(&values, DEPTH_MAX)?;
    let verb = match args.first() {
        Some(Arg::Text(name)) if name == verb::collect_secret::NAME => verb::collect_secret::NAME,
        _ => verb::collect::NAME,
    };
    verb::collect::tries(tenant(shared), verb, args.get(1..).unwrap_or_default())
        .map_err(|error| raised::bad_option(error.0))
}

fn menu_tries(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<i64> {
    let values: Vec<Value> = args.into_iter().collect();
    let args = read_all(&values, DEPTH_MAX)?;
    let tries = verb::menu::tries(tenant(shared), &args).map_err(|error| raised::bad_option(error.0))?;
    if shared.watches() {
        let place = shared.place(lua);
        shared.watched(|watched| watched.menus.push((place, verb::menu::branches(&args))));
    }
    Ok(tries)
}

fn log(lua: &Lua, shared: &Shared, text: &LuaString) -> Result<()> {
    let place = shared.place(lua);
    if !shared.take_step() {
        return Err(raised::budget());
    }
    let text = verb::log::line(&text.as_bytes());
    shared.with(|state| state.logs.push((text, place)));
    Ok(())
}

/// `data_get(key)`: true and the value if it is known to be the truth; false if it has been asked for.
fn data_get(lua: &Lua, shared: &Shared, key: &Value) -> Result<(bool, Value)> {
    let request = verb::data::get(&read(key, DEPTH_MAX)?);
    if let Ok((_, verb::Asked::GetData(key))) = &request {
        let known = shared.with(|state| state.fresh.then(|| state.data.get(key).cloned()));
        if let Some(known) = known {
            let value = known.map_or(Plain::Nil, verb::json::plain).into_lua(lua)?;
            return Ok((true, value));
        }
    }
    leave(lua, shared, request)?;
    Ok((false, Value::Nil))
}

fn data_set(lua: &Lua, shared: &Shared, key: &Value, value: &Value) -> Result<()> {
    let request = verb::data::set(&read(key, DEPTH_MAX)?, &read(value, JSON_DEPTH_MAX)?);
    leave(lua, shared, request)
}
