//! The harness of the whole-switch tests: a private loopback for each, the switch as its users start it, phones that
//! are not ours, and ears that tell one tone from another.
//!
//! Invariant: a test waits for events with a limit, never for time to pass; and it leaves no process behind.

pub mod api;
pub mod baresip;
pub mod browser;
pub mod certificate;
pub mod config;
pub mod desk;
pub mod fail;
pub mod linphone;
pub mod names;
pub mod net;
pub mod peer;
pub mod process;
pub mod runner;
pub mod scenario;
pub mod sipp;
pub mod sound;
pub mod switch;

pub use fail::{Fail, Outcome};
