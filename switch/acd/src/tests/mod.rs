//! Tests of the engine as a whole, and the bench they run on.

pub(crate) mod bench;
mod check;
mod day;
mod interleavings;
mod model;
mod reference;
mod rules;
mod rules_absent;
mod rules_agents;
mod rules_chats;
mod rules_device;
mod rules_operating;
mod rules_ring_all;
mod rules_service;
mod table;
