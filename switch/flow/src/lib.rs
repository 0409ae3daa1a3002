//! The Lua host: one coroutine per call, and nothing a flow does reaches further than its own call.
//!
//! A flow is a Lua 5.4 text. It runs until it asks for something (`call:play(...)`): then its coroutine
//! yields a [`cordboard_model::verb::Verb`], and is resumed with the answer. See `docs/flows.md` for the
//! language as designers write it.
//!
//! Two uses beside the switch: [`check`] finds what is wrong with a text without running it, and
//! [`script`] runs one against written answers in virtual time.

mod check;
mod counters;
mod engine;
mod error;
mod io;
mod lexer;
mod line;
mod recorded;
mod sandbox;
pub mod say;
pub mod script;
mod seen;
mod texts;
mod uses;
mod verb;
mod vm;
mod wiped;

pub use check::check;
pub use counters::{COUNTERS_MAX, Counters, TooMany};
pub use engine::{ANSWERS_MAX, FlowEngine};
pub use error::{FlowError, FlowErrorKind};
pub use io::{FlowCommand, FlowInput, FlowOutput, FlowRecord, PartyId};
pub use recorded::{Finished, HowEnded, as_test};
pub use seen::{At, Branch, Coverage, Passed, Seen, coverage};
pub use texts::{Text, TextName};
pub use uses::{Use, UseKind, uses};
pub use verb::NAMES as VERBS;
