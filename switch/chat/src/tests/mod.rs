//! Tests of the engine as a whole, and the bench they run on.

mod bench;
mod interleavings;
mod rules;
mod table;
