//! Errors that library functions and verbs raise, and how any raised value reads as a fault.

use super::place::{Chunks, Place};
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
    /// The line of the flow, unknown until it is noted.
    pub place: Place,
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
    Error::external(Raised { kind, place: Place::default(), text: text.into() })
}

/// The error with the line it was raised at, if it is the host's and has none yet.
pub fn at_line(error: Error, place: impl FnOnce() -> Place) -> Error {
    match error.downcast_ref::<Raised>() {
        Some(raised) if !raised.place.is_known() => {
            Error::external(Raised { place: place(), ..raised.clone() })
        }
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
    pub place: Option<Place>,
    /// The text without the place.
    pub text: String,
}

/// Reads a raised value of a call with these texts.
pub fn read(value: &Value, chunks: &Chunks) -> Read {
    match value {
        Value::String(text) => read_text(&text.to_string_lossy(), chunks),
        Value::Error(error) => read_error(error, chunks),
        Value::Nil => plain("an error without a message (nil) was raised".to_owned()),
        Value::Boolean(b) => plain(b.to_string()),
        Value::Integer(i) => plain(i.to_string()),
        Value::Number(n) => plain(n.to_string()),
        other => plain(format!("an error object was raised (a {})", other.type_name())),
    }
}

fn plain(text: String) -> Read {
    Read { kind: FlowErrorKind::Runtime, place: None, text }
}

fn read_error(error: &Error, chunks: &Chunks) -> Read {
    if let Some(raised) = error.downcast_ref::<Raised>() {
        return Read {
            kind: raised.kind,
            place: raised.place.is_known().then_some(raised.place),
            text: raised.text.clone(),
        };
    }
    match error {
        Error::CallbackError { cause, .. } => read_error(cause, chunks),
        Error::MemoryError(_) => {
            Read { kind: FlowErrorKind::Memory, place: None, text: OUT_OF_MEMORY.to_owned() }
        }
        Error::RuntimeError(text) => read_text(text, chunks),
        other => plain(other.to_string()),
    }
}

/// Globals of Lua that a flow does not have, and what to use where there is something.
const ABSENT: [(&str, &str); 12] = [
    ("io", ""),
    ("os", ""),
    ("debug", ""),
    ("package", ""),
    ("load", ""),
    ("loadstring", ""),
    ("loadfile", ""),
    ("dofile", "; use require"),
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

fn read_text(text: &str, chunks: &Chunks) -> Read {
    let text = text.split("\nstack traceback:").next().unwrap_or(text);
    if text == OUT_OF_MEMORY {
        return Read { kind: FlowErrorKind::Memory, place: None, text: text.to_owned() };
    }
    if let Some((place, rest)) = chunks.strip(text) {
        return Read { kind: FlowErrorKind::Runtime, place: Some(place), text: explained(rest) };
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

    fn read_in_menu(text: &str) -> Read {
        let mut chunks = Chunks::default();
        chunks.add("menu.lua".into(), 1);
        read_text(text, &chunks)
    }

    #[test]
    fn the_place_is_taken_from_the_text_of_the_flow_and_dropped_from_that_of_the_library() {
        let own = read_in_menu("menu.lua:12: attempt to call a nil value");
        let place = Some(Place { text: 0, line: 12 });
        assert_eq!((own.place, own.text.as_str()), (place, "attempt to call a nil value"));
        let library = read_in_menu("cordboard:88: attempt to compare two nil values");
        assert_eq!((library.place, library.text.as_str()), (None, "attempt to compare two nil values"));
        let free = read_in_menu("no place: here");
        assert_eq!((free.place, free.text.as_str()), (None, "no place: here"));
    }

    #[test]
    fn what_other_lua_hosts_have_and_a_flow_has_not_is_said_to_be_absent() {
        let os = read_in_menu("menu.lua:1: attempt to index a nil value (global 'os')");
        assert_eq!(os.text, "attempt to index a nil value (global 'os'): a flow has no 'os'");
        let dofile = read_in_menu("menu.lua:1: attempt to call a nil value (global 'dofile')");
        assert!(dofile.text.ends_with(": a flow has no 'dofile'; use require"));
        let own = read_in_menu("menu.lua:1: attempt to call a nil value (global 'playy')");
        assert_eq!(own.text, "attempt to call a nil value (global 'playy')");
    }

    #[test]
    fn a_traceback_is_not_part_of_the_message() {
        let read = read_in_menu("menu.lua:3: x\nstack traceback:\n\t[C]: in ?");
        assert_eq!(read.text, "x");
    }
}
