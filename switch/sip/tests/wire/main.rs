//! Tests of the wire layer against messages that others wrote.

mod corpora;
mod mutation;
mod torture;
