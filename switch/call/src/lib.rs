//! Calls and legs: a back-to-back user agent in the switch's own words. No SIP, no Lua and no queue
//! discipline here; `core` translates between this engine and those.
//!
//! Invariants:
//! - every call that was taken gets exactly one [`CallOutput::Closing`] and afterwards exactly one
//!   [`CallOutput::Forgotten`];
//! - `Closing` comes before the command that ends the call's last living leg;
//! - every [`CallInput::Offer`] that the queue does not take back itself is answered by exactly one
//!   [`QueueOutput::OfferFailed`] or [`QueueOutput::OfferAnswered`]; exactly one
//!   [`QueueOutput::AgentReleased`] follows the latter;
//! - every media leg that was opened is closed, every recording that was begun is stopped;
//! - every state that waits for another room has a deadline, and any input in any state is legal.

mod acts;
mod call;
mod cdr;
mod conference;
mod config;
mod confirm;
mod connect;
mod consult;
mod cover;
mod desk;
mod engine;
mod flow;
mod fork;
mod hold;
mod input;
mod join;
mod leg;
mod legs;
mod length;
mod listen;
mod manners;
mod marks;
mod moving;
mod opening;
mod originate;
mod output;
mod play;
mod ports;
mod queue;
mod recall;
mod record;
mod room;
mod seat;
mod side;
mod supervise;
mod teardown;
mod told;
mod transfer;
mod verbs;
mod verdict;
mod view;

#[cfg(test)]
mod tests;

pub use acts::ActRefusal;
pub use config::{CallConfig, CallLimits};
pub use engine::CallEngine;
pub use input::{CallCommand, CallInput, Fallback, Ticket};
pub use listen::{ListenAsked, ListenRefusal};
pub use manners::Manners;
pub use marks::Marks;
pub use moving::{MoveRefusal, MoveTo};
pub use originate::{FirstParty, Origin};
pub use output::{CallOutput, DialTarget, FlowOutput, QueueOutput};
pub use recall::{CONFIRM, Recall};
pub use record::{RecordAsked, RecordRefusal};
pub use room::RoomRefusal;
pub use supervise::Supervise;
pub use transfer::TransferRefusal;
pub use verbs::data::DataRefusal;
