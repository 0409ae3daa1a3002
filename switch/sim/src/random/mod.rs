//! Worlds drawn from a seed: a floor of agents, callers and a carrier, a bad network, and hang-ups at the worst
//! moment; and what must hold of each.
//!
//! Invariant: a seed is the whole of a run. The same seed gives the same trace, byte for byte; what fails is
//! told with the seed that repeats it.
//!
//! What must hold: in the end nothing is left (no call, leg, port, timer or transaction, in the switch or in
//! any phone); every call that was taken has one record, which agrees with what the phones saw; parties who
//! are bridged hear each other; no agent is in a state that nothing will end; who follows the events from a snapshot on
//! has what the switch has, after each of them.

mod check;
mod dice;
mod floor;
mod probe;
mod reader;
mod run;

pub use run::{Outcome, run};
