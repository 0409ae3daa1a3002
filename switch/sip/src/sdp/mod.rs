//! Session descriptions and the offer/answer model (RFC 8866, RFC 3264, RFC 4733).
//!
//! Invariants: one audio stream is used and, where both parties of a call share it, one of video; every other stream
//! of an offer is refused in its place with port 0; an answer has as many streams as its offer, in its order; payload types are
//! taken as their owner numbered them; a stream is secured as the rule of its peer says; what cannot be read gives an error that names 400 or
//! 488, and never a panic.
//!
//! sdp-types 0.3 reads and writes the lines, and no type of it leaves this folder. It is strict
//! with lines that decide nothing here (bandwidth, time zones, keys), so those are taken out
//! before it sees the text. It reads bare LF; tests/sdp holds it against damaged bodies.

#[cfg(test)]
mod browser;
mod crypto;
mod description;
mod error;
mod negotiate;
mod path;
#[cfg(test)]
mod secured;
mod video;

pub(crate) use crypto::KeySeed;
pub use crypto::{Crypto, DtlsSelf, Keying, Security};
pub use description::{Connection, Media, Origin, RtpMap, SessionDescription};
pub use error::SdpError;
pub use negotiate::{Local, Negotiated, accept_answer, answer, codecs_of, keying_offered, offer};
pub(crate) use negotiate::{audio_address, with_video};
pub use path::Setup;
pub use video::{LocalVideo, MAX_VIDEO_FORMATS, VideoFormat, VideoSettled, VideoTerms, video_of};
pub(crate) use video::{accepted as accept_video, direction as video_direction};

/// The media type of a session description.
pub const MEDIA_TYPE: &str = "application/sdp";

/// Bytes of one description. The largest of WebRTC have about 10 KiB.
pub const MAX_SDP_BYTES: usize = 32 * 1024;

/// Streams of one description.
pub const MAX_MEDIA: usize = 32;

/// Attribute lines of one description, all streams together.
pub const MAX_ATTRIBUTES: usize = 1024;

/// Formats of one stream that are looked at; payload types end at 127.
pub const MAX_FORMATS: usize = 128;
