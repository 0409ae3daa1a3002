//! What the benches share: messages as phones and carriers send them, and two rigs that hold an engine
//! between scripted peers.
//!
//! Invariant: a rig measures the engine alone. What its peers do (building packets, reading answers) lies
//! outside the time that is counted, and a rig that did not do what it was asked says so instead of giving
//! a time.
//!
//! The benches themselves are in `benches/benches`; docs/measuring.md says how to run and read them.

pub mod call;
pub mod flows;
pub mod media;
pub mod messages;
pub mod setups;
pub mod voice;
