//! Codecs. One file each; the tables are made at compile time.

pub mod g711;
