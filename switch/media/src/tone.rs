//! Tones: a sine to make them, a cadence to cut them, Goertzel's filter to find them.

mod cadence;
mod goertzel;
mod sine;

pub(crate) use cadence::ToneTable;
pub use goertzel::Goertzel;
pub use sine::Sine;
