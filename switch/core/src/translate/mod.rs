//! Between vocabularies: one file per room, each saying what that room's words mean to the others.

mod acd;
mod aside;
mod call;
mod desk;
mod flow;
mod identity;
mod keys;
mod media;
mod placing;
mod room;
mod sip;
mod transfer;

pub(crate) use desk::LastCalls;
pub use flow::{check_flow, flow_uses};
pub(crate) use identity::Came;
pub use room::RoomOrder;
pub use transfer::PlaceRefusal;
