//! Between vocabularies: one file per room, each saying what that room's words mean to the others.

mod acd;
mod call;
mod flow;
mod identity;
mod keys;
mod media;
mod room;
mod sip;
mod transfer;

pub use flow::{check_flow, flow_uses};
pub(crate) use identity::Came;
pub use room::RoomOrder;
