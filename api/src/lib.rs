//! The control plane: HTTP routes, event streams and pages over the switch.
//!
//! Invariant: it reaches the switch only through [`switch::Switch`], in the model's words; it keeps no
//! state of calls of its own, and every route but health, metrics and pages knows its tenant from the key.

mod aside;
mod asked;
mod begin;
mod bulk;
mod callback;
mod chat;
pub mod chat_switch;
mod desk;
mod device;
pub mod figures;
pub mod flows;
pub mod key;
mod listen;
pub mod pages;
pub mod params;
pub mod problem;
pub mod recording;
mod room;
mod route;
pub mod routes;
mod signin;
pub mod state;
pub mod stream;
pub mod switch;
mod table;
mod trace;
mod transfer;
pub mod visitor;
