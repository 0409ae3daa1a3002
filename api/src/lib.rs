//! The control plane: HTTP routes, event streams and pages over the switch.
//!
//! Invariant: it reaches the switch only through [`switch::Switch`], in the model's words; it keeps no
//! state of calls of its own, and every route but health, metrics and pages knows its tenant from the key.

mod access;
mod again;
pub mod aliyun;
mod aside;
mod asked;
pub mod audit;
mod bans;
pub mod bar;
mod begin;
mod brake;
mod bulk;
mod callback;
pub mod catalog;
mod chat;
pub mod chat_switch;
pub mod contract;
mod control;
pub mod control_switch;
mod desk;
mod device;
pub mod events;
mod feed;
pub mod figures;
pub mod flows;
pub mod gateway;
pub mod huawei;
pub mod key;
mod listen;
pub mod objects;
mod once;
pub mod openapi;
mod own;
pub mod pages;
pub mod params;
pub mod problem;
pub mod rate;
pub mod recording;
mod room;
mod route;
pub mod routes;
mod shield;
mod signin;
pub mod state;
pub mod stream;
pub mod surface;
pub mod switch;
mod table;
pub mod table_switch;
pub mod third_party;
mod trace;
mod transfer;
pub mod vault;
pub mod visitor;
pub mod webhooks;
