//! Packet scripts in virtual time: what goes in, what comes out.

mod corpus;
mod digits;
mod fuzz;
mod g711;
mod golden;
mod harness;
mod impairment;
mod learning;
mod lifecycle;
mod playback;
mod recording;
mod reports;
mod silence;
