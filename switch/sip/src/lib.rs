//! See ARCHITECTURE.md.

pub mod wire;
