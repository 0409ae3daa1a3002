//! Calls and legs: a back-to-back user agent in the switch's own words. No SIP, no Lua and no queue
//! discipline here; `core` translates between this engine and those.
//!
//! Invariants:
//! - every call that was taken gets exactly one [`CallOutput::Closing`] and afterwards exactly one
//!   [`CallOutput::Forgotten`];
//! - `Closing` comes before the command that ends the call's last living leg;
//! - every [`CallInput::Offer`] is answered by exactly one [`QueueOutput::OfferFailed`] or by one
//!   [`QueueOutput::OfferAnswered`] that one [`QueueOutput::AgentReleased`] follows;
//! - every media leg that was opened is closed, every recording that was begun is stopped;
//! - every state that waits for another room has a deadline, and any input in any state is legal.

mod config;
mod desk;
mod engine;
mod input;
mod output;

pub use config::{CallConfig, CallLimits};
pub use engine::CallEngine;
pub use input::{CallCommand, CallInput, Fallback, Ticket};
pub use output::{CallOutput, DialTarget, FlowOutput, QueueOutput};
