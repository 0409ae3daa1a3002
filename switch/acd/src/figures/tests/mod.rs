//! The ledger and the fold on floors where the real engine decides.

mod clocks;
mod day;
mod floor;
mod golden;
mod limits;
