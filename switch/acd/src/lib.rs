//! Who waits, who is free, and who gets whom.
//!
//! Invariant: between two calls of the engine no caller waits in a queue that a free agent serves.
//! Callers are served by priority, then by the length of their wait; of the free agents the one is
//! taken whom the queue's strategy puts first. An agent's status is never stored as a wish: it is derived from his legs
//! and from what he asked for, and each status that he did not ask for has an end (see
//! [`AcdEngine`]).
//!
//! The engine is plain data. Time, configuration and everything that happens are arguments; what
//! is to be done comes out of [`AcdEngine::poll_output`].

mod absent;
mod agent;
mod api;
mod callers;
pub mod campaign;
mod chats;
mod configure;
mod device;
mod dispatch;
mod engine;
mod explain;
pub mod figures;
mod intents;
mod offers;
mod overflow;
mod placing;
mod queue;
mod reason;
mod telephone;
#[cfg(test)]
mod tests;
mod views;

pub use agent::RING_MARGIN;
pub use api::{AcdCommand, AcdInput, AcdOutput, Outcome, Refused, RefusedReason};
pub use callers::ANNOUNCE_MIN;
pub use engine::AcdEngine;
pub use explain::Clock;
