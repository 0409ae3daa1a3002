//! See ARCHITECTURE.md.

pub mod sdp;
pub mod wire;
