//! Scenarios in virtual time, written as ladders of what the engine is told and what it says.

mod acts;
mod conference;
mod confirm;
mod connect;
mod consult;
mod cover;
mod dial;
mod ending;
mod flow;
mod hearing;
mod hold;
mod listen;
mod manners;
mod queue;
mod random;
mod record;
mod rig;
mod room;
mod seat;
mod side;
mod transfer;
