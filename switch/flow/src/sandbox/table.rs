//! The table functions that are better done at one go: `concat` and `unpack`. They look at the entries
//! themselves, not through metatables, so that nothing of the flow runs inside them.

use super::Host;
use super::args::Args;
use crate::vm::raised;
use crate::vm::shared::Shared;
use mlua::{Lua, MultiValue, Result, Value};

/// Most values that `unpack` gives.
const UNPACK_MAX: i64 = 250;

/// Adds the functions to the table that the prelude gets.
pub(super) fn install(host: &Host<'_>) -> Result<()> {
    host.add("concat", concat)?;
    host.add("unpack", |lua, _, args| unpack(lua, args))
}

fn concat(lua: &Lua, shared: &Shared, args: MultiValue) -> Result<Value> {
    let args = Args::new(lua, "concat", args);
    let table = args.table(1)?;
    let separator = match args.value(2) {
        Value::Nil => None,
        _ => Some(args.text(2)?),
    };
    let separator = separator.as_ref().map(|s| s.as_bytes());
    let separator: &[u8] = separator.as_deref().unwrap_or_default();
    let (from, to) = (args.int_or(3, Some(1))?, args.int_or(4, Some(table.raw_len() as i64))?);
    let mut out = Vec::new();
    let mut at = from;
    while at <= to {
        if !shared.meter.charge(4) {
            return Err(raised::budget());
        }
        match table.raw_get::<Value>(at)? {
            Value::String(text) => out.extend_from_slice(&text.as_bytes()),
            number @ (Value::Integer(_) | Value::Number(_)) => {
                if let Some(text) = lua.coerce_string(number)? {
                    out.extend_from_slice(&text.as_bytes());
                }
            }
            other => {
                let name = other.type_name();
                return Err(raised::runtime(format!(
                    "invalid value ({name}) at index {at} in table for 'concat'"
                )));
            }
        }
        if at < to {
            out.extend_from_slice(separator);
        }
        if !shared.meter.room_for(lua, out.len()) {
            return Err(raised::budget());
        }
        let Some(after) = at.checked_add(1) else {
            break;
        };
        at = after;
    }
    lua.create_string(out).map(Value::String)
}

fn unpack(lua: &Lua, args: MultiValue) -> Result<MultiValue> {
    let args = Args::new(lua, "unpack", args);
    let table = args.table(1)?;
    let (from, to) = (args.int_or(2, Some(1))?, args.int_or(3, Some(table.raw_len() as i64))?);
    if from > to {
        return Ok(MultiValue::new());
    }
    if to.checked_sub(from).is_none_or(|n| n >= UNPACK_MAX) {
        return Err(raised::runtime(format!("too many results to unpack (at most {UNPACK_MAX})")));
    }
    (from..=to).map(|i| table.raw_get::<Value>(i)).collect()
}
