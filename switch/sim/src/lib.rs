//! The switch in a world of our own making: a clock that only moves when nothing is left to do, a network
//! that loses and reorders what it is told to, and phones that say and hear tones.
//!
//! Invariant: a world is a function of its seed and its script. Nothing here reads a clock, opens a socket or
//! draws a number of its own, so a run repeats byte for byte.

pub mod phone;
