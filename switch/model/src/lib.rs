//! The vocabulary of the switch: words that every room understands, and nothing that decides.
//!
//! Invariant: no type here has behaviour beyond construction, conversion, comparison and printing
//! ([`deadline::Deadlines`], a sorted list of times, is the one container). Nothing opens a file,
//! reads a clock or draws a number. Every id, configuration object, address of record and event
//! carries a [`id::TenantId`].

pub mod access;
pub mod act;
pub mod application;
pub mod ask;
pub mod audio;
pub mod calendar;
pub mod callback;
pub mod callback_page;
pub mod campaign;
pub mod cause;
pub mod cdr;
pub mod chat;
pub mod click;
pub mod codec;
pub mod conference;
pub mod config;
pub mod data;
pub mod deadline;
pub mod desk;
pub mod device;
pub mod dial;
pub mod dns;
pub mod event;
pub mod fetch;
pub mod figures;
pub mod finding;
pub mod flows;
pub mod guard;
pub mod id;
pub mod journal;
pub mod keys;
pub mod leg;
pub mod lookup;
pub mod media;
pub mod number;
pub mod once;
pub mod originate;
pub mod path;
pub mod plan;
pub mod record;
pub mod routes;
mod schema;
pub mod service;
pub mod signin;
pub mod speech;
pub mod srtp;
pub mod stream;
pub mod telephone;
pub mod third_party;
pub mod time;
pub mod tone;
pub mod trace;
pub mod verb;
pub mod view;
