//! The switch in a world of our own making: a clock that only moves when nothing is left to do, a network
//! that loses and reorders what it is told to, and phones that say and hear tones.
//!
//! Invariant: a world is a function of its seed and its script. Nothing here reads a clock, opens a socket or
//! draws a number of its own, so a run repeats byte for byte.
//!
//! - [`phone`]: scripted phones, agents' and callers', and carriers, which are phones with many lines. They
//!   know nothing of the world, so that they serve on real sockets too.
//! - [`world`]: one switch (shard and media engine, with their lanes and the journal), the network, the clock.
//! - [`setup`]: configurations in a few words.
//! - [`random`]: worlds drawn from a seed, and what must hold at the end of each.

pub mod phone;
pub mod random;
pub mod setup;
pub mod world;
