//! SIP as a pure state machine: messages, transactions, dialogs, sessions, offer and answer,
//! digest, registrar.
//!
//! Invariant: nothing here opens a socket, reads a clock or draws a number of its own; the shell
//! gives bytes, the time and a seed to [`engine::SipEngine`] and does what it says.

pub mod auth;
pub mod client;
mod dialog;
pub mod engine;
mod guard;
pub mod identity;
mod keyed;
pub mod locate;
mod page;
mod registrar;
pub mod sdp;
mod session;
mod stun;
mod subscription;
mod transaction;
pub mod wire;
