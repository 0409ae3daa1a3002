//! Figures: records of what queues and agents do, and the sums made of them.
//!
//! Invariant: a figure is a sum over raw records and nothing else. [`Ledger`] writes the records while calls run, and its
//! live figures take the steps that [`Fold`] takes for a finished record: at the end of a day both have the same sums.
//!
//! Every part of a visit (wait, offers, talk, wrap-up) counts in the interval in which the call entered the queue, and each
//! row of a report is made of whole visits; the time of agents is cut where intervals end. What each figure means is in
//! docs/figures.md.
//!
//! Nothing here decides who gets whom, and the engine knows nothing of it: it is fed with the engine's inputs and outputs.

mod cell;
mod fold;
mod grid;
mod histogram;
mod ledger;
mod live;
#[cfg(test)]
mod tests;

pub use fold::{Fold, ROWS_MAX, TooManyRows};
pub use grid::{Grid, GridError, PARTS_MAX, day_after, day_named, day_of};
pub use histogram::{ERROR, Histogram};
pub use ledger::{Ledger, Moment};
