//! Reading the arguments of library functions, with Lua's own wording for wrong ones.

use crate::vm::raised;
use mlua::{Lua, LuaString, MultiValue, Result, Table, Value};

/// The arguments of one call of the library function `name`.
pub struct Args<'a> {
    lua: &'a Lua,
    name: &'static str,
    values: MultiValue,
}

impl<'a> Args<'a> {
    /// Arguments of `name`.
    pub fn new(lua: &'a Lua, name: &'static str, values: MultiValue) -> Self {
        Self { lua, name, values }
    }

    /// The `i`-th, counted from one; `nil` if there are fewer.
    pub fn value(&self, i: usize) -> Value {
        self.values.get(i - 1).cloned().unwrap_or(Value::Nil)
    }

    fn wrong(&self, i: usize, text: &str) -> mlua::Error {
        raised::runtime(format!("bad argument #{i} to '{}' ({text})", self.name))
    }

    /// An error about the `i`-th.
    pub fn bad<T>(&self, i: usize, text: &str) -> Result<T> {
        Err(self.wrong(i, text))
    }

    fn expected<T>(&self, i: usize, what: &str) -> Result<T> {
        let got = match self.values.get(i - 1) {
            None => "no value",
            Some(Value::Integer(_)) => "number",
            Some(value) => value.type_name(),
        };
        self.bad(i, &format!("{what} expected, got {got}"))
    }

    /// A string, or a number as one.
    pub fn text(&self, i: usize) -> Result<LuaString> {
        match self.value(i) {
            Value::String(text) => Ok(text),
            number @ (Value::Integer(_) | Value::Number(_)) => match self.lua.coerce_string(number)? {
                Some(text) => Ok(text),
                None => self.expected(i, "string"),
            },
            _ => self.expected(i, "string"),
        }
    }

    /// A table.
    pub fn table(&self, i: usize) -> Result<Table> {
        match self.value(i) {
            Value::Table(table) => Ok(table),
            _ => self.expected(i, "table"),
        }
    }

    /// A whole number; `default` if there is none.
    pub fn int_or(&self, i: usize, default: Option<i64>) -> Result<i64> {
        match (self.value(i), default) {
            (Value::Integer(n), _) => Ok(n),
            (Value::Nil, Some(default)) => Ok(default),
            (Value::Number(n), _) => match whole(n) {
                Some(n) => Ok(n),
                None => self.bad(i, "number has no integer representation"),
            },
            (Value::String(text), _) if text.as_bytes().len() <= 64 => {
                match self.lua.coerce_integer(Value::String(text))? {
                    Some(n) => Ok(n),
                    None => self.expected(i, "number"),
                }
            }
            _ => self.expected(i, "number"),
        }
    }

    /// A whole number.
    pub fn int(&self, i: usize) -> Result<i64> {
        self.int_or(i, None)
    }
}

/// A float that is a whole number in range.
pub fn whole(n: f64) -> Option<i64> {
    let fits = n.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&n);
    fits.then_some(n as i64)
}

/// Where a position counted from one, or from the end if negative, lies; counted from zero, at most `len`
/// beyond the end by one.
pub fn start(position: i64, len: usize) -> usize {
    let len = len as i64;
    let from_one = match position {
        p if p > 0 => p,
        0 => 1,
        p if p < -len => 1,
        p => len + p + 1,
    };
    usize::try_from(from_one - 1).unwrap_or(usize::MAX)
}
