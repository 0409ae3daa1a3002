//! Errors that library functions and verbs raise, and how any raised value reads as a fault.

use crate::error::FlowErrorKind;
use core::fmt;
use mlua::{Error, Value};

/// What Lua says when the allocator refuses.
pub const OUT_OF_MEMORY: &str = "not enough memory";

/// An error raised by the host on behalf of a library function or verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// What kind.
    pub kind: FlowErrorKind,
    /// The line of the flow, 0 until it is noted.
    pub line: u32,
    /// What is wrong, without the place.
    pub text: String,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Raised {}

fn raise(kind: FlowErrorKind, text: impl Into<String>) -> Error {
    Error::external(Raised { kind, line: 0, text: text.into() })
}

/// The error with the line it was raised at, if it is the host's and has none yet.
pub fn at_line(error: Error, line: impl FnOnce() -> u32) -> Error {
    match error.downcast_ref::<Raised>() {
        Some(raised) if raised.line == 0 => Error::external(Raised { line: line(), ..raised.clone() }),
        _ => error,
    }
}

/// An error of the flow's making.
pub fn runtime(text: impl Into<String>) -> Error {
    raise(FlowErrorKind::Runtime, text.into())
}

/// A wrong option of a verb.
pub fn bad_option(text: impl Into<String>) -> Error {
    raise(FlowErrorKind::BadOption, text.into())
}

/// A verb that does not exist.
pub fn unknown_verb(text: impl Into<String>) -> Error {
    raise(FlowErrorKind::UnknownVerb, text.into())
}

/// A budget is spent; which one, the meter knows.
pub fn budget() -> Error {
    raise(FlowErrorKind::Instructions, "a budget is used up".to_owned())
}

/// A raised value as far as it can be read without running the flow's code.
pub struct Read {
    /// What kind of error it is.
    pub kind: FlowErrorKind,
    /// The line its text names, if it names one.
    pub line: Option<u32>,
    /// The text without the place.
    pub text: String,
}

/// Reads a raised value. `chunk` is the name by which Lua calls the flow's text in messages.
pub fn read(value: &Value, chunk: &str) -> Read {
    match value {
        Value::String(text) => read_text(&text.to_string_lossy(), chunk),
        Value::Error(error) => read_error(error, chunk),
        Value::Nil => plain("an error without a message (nil) was raised".to_owned()),
        Value::Boolean(b) => plain(b.to_string()),
        Value::Integer(i) => plain(i.to_string()),
        Value::Number(n) => plain(n.to_string()),
        other => plain(format!("an error object was raised (a {})", other.type_name())),
    }
}

fn plain(text: String) -> Read {
    Read { kind: FlowErrorKind::Runtime, line: None, text }
}

fn read_error(error: &Error, chunk: &str) -> Read {
    if let Some(raised) = error.downcast_ref::<Raised>() {
        return Read {
            kind: raised.kind,
            line: (raised.line > 0).then_some(raised.line),
            text: raised.text.clone(),
        };
    }
    match error {
        Error::CallbackError { cause, .. } => read_error(cause, chunk),
        Error::MemoryError(_) => {
            Read { kind: FlowErrorKind::Memory, line: None, text: OUT_OF_MEMORY.to_owned() }
        }
        Error::RuntimeError(text) => read_text(text, chunk),
        other => plain(other.to_string()),
    }
}

/// Globals of Lua that a flow does not have, and what to use where there is something.
const ABSENT: [(&str, &str); 13] = [
    ("io", ""),
    ("os", ""),
    ("debug", ""),
    ("package", ""),
    ("require", "; a flow is one file"),
    ("load", ""),
    ("loadstring", ""),
    ("loadfile", ""),
    ("dofile", "; a flow is one file"),
    ("coroutine", ""),
    ("collectgarbage", ""),
    ("unpack", "; use table.unpack"),
    ("setfenv", ""),
];

/// A message of Lua's about a global that is not there, with a word about those that other hosts have.
fn explained(text: &str) -> String {
    let global = text.strip_suffix("')").and_then(|text| text.rsplit_once("(global '")).map(|(_, name)| name);
    let absent = global.and_then(|name| ABSENT.iter().find(|(absent, _)| *absent == name));
    match absent {
        Some((name, instead)) => format!("{text}: a flow has no '{name}'{instead}"),
        None if global == Some("call") => format!("{text}: this flow gave 'call' another value"),
        None => text.to_owned(),
    }
}

fn read_text(text: &str, chunk: &str) -> Read {
    let text = text.split("\nstack traceback:").next().unwrap_or(text);
    if text == OUT_OF_MEMORY {
        return Read { kind: FlowErrorKind::Memory, line: None, text: text.to_owned() };
    }
    if let Some((line, rest)) = strip_place(text, chunk) {
        return Read { kind: FlowErrorKind::Runtime, line: Some(line), text: explained(rest) };
    }
    let library = super::PRELUDE_CHUNK.trim_start_matches('=');
    let text = strip_place(text, library).map_or(text, |(_, rest)| rest);
    plain(text.to_owned())
}

/// Splits `chunk:line: rest`.
pub fn strip_place<'a>(text: &'a str, chunk: &str) -> Option<(u32, &'a str)> {
    let rest = text.strip_prefix(chunk)?.strip_prefix(':')?;
    let (line, rest) = rest.split_once(": ")?;
    Some((line.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_taken_from_the_text_of_the_flow_and_dropped_from_that_of_the_library() {
        let own = read_text("menu.lua:12: attempt to call a nil value", "menu.lua");
        assert_eq!((own.line, own.text.as_str()), (Some(12), "attempt to call a nil value"));
        let library = read_text("cordboard:88: attempt to compare two nil values", "menu.lua");
        assert_eq!((library.line, library.text.as_str()), (None, "attempt to compare two nil values"));
        let free = read_text("no place: here", "menu.lua");
        assert_eq!((free.line, free.text.as_str()), (None, "no place: here"));
    }

    #[test]
    fn what_other_lua_hosts_have_and_a_flow_has_not_is_said_to_be_absent() {
        let os = read_text("menu.lua:1: attempt to index a nil value (global 'os')", "menu.lua");
        assert_eq!(os.text, "attempt to index a nil value (global 'os'): a flow has no 'os'");
        let require = read_text("menu.lua:1: attempt to call a nil value (global 'require')", "menu.lua");
        assert!(require.text.ends_with(": a flow has no 'require'; a flow is one file"));
        let own = read_text("menu.lua:1: attempt to call a nil value (global 'playy')", "menu.lua");
        assert_eq!(own.text, "attempt to call a nil value (global 'playy')");
    }

    #[test]
    fn a_traceback_is_not_part_of_the_message() {
        let read = read_text("menu.lua:3: x\nstack traceback:\n\t[C]: in ?", "menu.lua");
        assert_eq!(read.text, "x");
    }
}
