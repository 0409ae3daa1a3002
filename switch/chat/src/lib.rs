//! Chats: who says what to whom, and when a chat is over.
//!
//! Invariant: the messages of a chat are numbered from one without gaps, in the order in which they were taken, and none is
//! taken that is not written down first ([`ChatOutput::Step`] comes before the event of it). A chat that was opened ends
//! exactly once. Who gets a chat is not decided here: a chat waits in a queue like a call, and the queue engine says whose
//! turn it is.
//!
//! The engine is plain data. Time, configuration and everything that happens are arguments; what is to be done comes out of
//! [`ChatEngine::poll_output`].

mod acts;
mod api;
mod engine;
mod queue;
#[cfg(test)]
mod tests;

pub use api::{ChatInput, ChatOutput, LeaveHow, QueueOrder, TRANSFER_WAIT};
pub use engine::ChatEngine;
