//! WAV files: reading prompts, and the header of a recording that grows.

mod read;
mod resample;
mod write;

pub use read::{DURATION_MAX, WavError};
pub use write::WavWriterState;

pub(crate) use read::read;
pub(crate) use resample::resample;
