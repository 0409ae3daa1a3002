//! Who waits, who is free, and who gets whom.
//!
//! Invariant: between two calls of the engine no caller waits in a queue that a free agent serves.
//! Callers are served by priority, then by the length of their wait; of the free agents the one
//! idle longest is taken. An agent's status is never stored as a wish: it is derived from his legs
//! and from what he asked for, and each status that he did not ask for has an end (see
//! [`AcdEngine`]).
//!
//! The engine is plain data. Time, configuration and everything that happens are arguments; what
//! is to be done comes out of [`AcdEngine::poll_output`].

mod api;
mod engine;

pub use api::{AcdCommand, AcdInput, AcdOutput, Outcome, Refused, RefusedReason};
pub use engine::AcdEngine;
