//! The one room that touches the world: threads, sockets, files, clocks, signals.
//!
//! Invariant: nothing here decides about a call. What comes from outside becomes an input of an engine, what an engine
//! wants becomes a system call, and a panic in an engine costs the call in hand. Every queue between threads is a
//! bounded lane with a name, a counter and a policy.

pub mod agent_order;
pub mod alone;
mod application;
mod aside;
pub mod asking;
mod bans;
mod bar;
pub mod boot;
mod campaigns;
mod chats;
pub mod cli;
mod clicks;
pub mod clock;
pub mod config;
mod control;
pub mod demo;
mod desk;
mod dns;
pub mod enterprise;
pub mod explain;
pub mod fetch;
pub mod files;
pub mod flow_graph;
pub mod flow_run;
pub mod flow_test;
pub mod flows;
pub mod gateway;
pub mod gauges;
pub mod guard;
pub mod hashing;
pub mod held;
pub mod hep;
pub mod http;
pub mod hub;
pub mod journal;
pub mod lines;
pub mod log;
pub mod media;
pub mod metrics;
mod objects;
pub mod outgoing;
pub mod owed;
pub mod password;
mod placing;
pub mod prompts;
pub mod question;
pub mod recordings;
pub mod reload;
pub mod report_command;
mod reports;
mod room;
pub mod run;
pub mod shard;
mod signin;
pub mod speech;
pub mod stop;
pub mod streams;
pub mod switch;
mod tables;
pub mod trace;
mod transfer;
pub mod transport;
pub mod user_command;
mod vault;
pub mod walls;
pub mod webhooks;
pub mod why;

/// Threads for HTTP, the database and signals.
const RUNTIME_THREADS: usize = 2;

/// The tokio runtime for everything that is not a call.
///
/// # Errors
/// The operating system refuses threads.
pub fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(RUNTIME_THREADS).thread_name("control").enable_all();
    builder.build().map_err(|why| format!("the operating system refuses threads: {why}"))
}
