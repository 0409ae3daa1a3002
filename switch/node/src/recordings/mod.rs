//! Recordings on the disk: written, sealed, described, checked, kept and deleted.

pub mod audio;
pub mod full;
pub mod keeper;
pub mod keys;
pub mod manifest;
pub mod opus;
pub(crate) mod order;
pub mod sealed;
pub mod tool;
pub mod writer;

pub use writer::{Keeping, Recorder, RecorderGauges, ensure_file, file_of, found_file, sealed_file_of};
