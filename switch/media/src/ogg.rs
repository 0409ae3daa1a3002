//! Opus in Ogg (RFC 7845): recordings that grow, and files that are read.
//!
//! Invariant: a file is whole up to its last whole page, whatever moment its writer is killed at; a page is judged by its
//! checksum, and nothing in a file is believed beyond what the file has.

mod page;
mod read;
mod write;

pub use read::{OggError, OpusAudio, Whole, rate_of, read_opus, whole};
pub use write::{Mark, OpusFile};

/// The rate that granule positions count, whatever the audio's own (RFC 7845 4).
const GRANULE_HZ: u32 = 48_000;
/// With which the ID header begins (RFC 7845 5.1),
const HEAD: &[u8; 8] = b"OpusHead";
/// and the comment header (5.2).
const TAGS: &[u8; 8] = b"OpusTags";
