//! The Lua host: one coroutine per call, and nothing a flow does reaches further than its own call.

mod engine;
mod error;
mod io;
pub mod say;

pub use engine::{FlowEngine, check};
pub use error::{FlowError, FlowErrorKind};
pub use io::{FlowCommand, FlowInput, FlowOutput, FlowRecord, PartyId};
