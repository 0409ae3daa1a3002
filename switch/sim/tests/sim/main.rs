//! The whole switch in virtual time: scenarios with their ladders, and random worlds.

mod basic;
mod ending;
mod extensions;
mod faults;
mod fork;
mod hold;
mod queue;
mod stage;
