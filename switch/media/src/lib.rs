//! The media engine of one media thread: RTP in, RTP out, for one leg or thousands.
//!
//! **Invariant: the engine owns no packet.** The shell owns sockets and the packet buffer; the engine
//! takes `&mut` of that buffer, rewrites it in place and says where that same buffer goes. Nothing
//! on the path of a packet allocates, frees, locks, logs, or copies the packet.
//!
//! The run loop of a shell (a media thread, or the simulator):
//!
//! 1. give what came: [`MediaEngine::handle_packet`] and [`MediaEngine::handle_rtcp`] for datagrams,
//!    [`MediaEngine::handle_command`] for commands (or [`MediaEngine::handle_prepared`], with what obeying one needs made
//!    elsewhere by a [`KitMaker`]), [`MediaEngine::port_opened`] and
//!    [`MediaEngine::port_failed`] for answers; obey the [`Verdict`] at once;
//! 2. when [`MediaEngine::poll_timeout`] has come, call [`MediaEngine::handle_timeout`];
//! 3. drain, each until `None`: [`MediaEngine::poll_transmit`] (RTP socket), [`MediaEngine::poll_rtcp`]
//!    (RTCP socket), [`MediaEngine::poll_output`], [`MediaEngine::poll_event`],
//!    [`MediaEngine::poll_recorded`], [`MediaEngine::poll_discarded`] (to be freed elsewhere).
//!
//! Several inputs before a drain are legal.
//!
//! Deliberately absent: video.

pub mod audio;
pub mod codec;
mod dtls;
mod dtmf;
pub mod engine;
mod graph;
mod ice;
mod index;
mod jitter;
mod kit;
pub mod ogg;
mod quality;
mod rtcp;
mod rtp;
mod slab;
mod srtp;
pub mod tone;
pub mod wav;
mod wheel;

pub use audio::Audio;
pub use dtls::{Identity, IdentityError};
pub use engine::{
    MediaConfig, MediaCounters, MediaEngine, MediaOutput, PortKey, RecordRate, Recorded, Traveller, Verdict,
};
pub use graph::live::{LIVE_CHUNK, LiveChunk};
pub use kit::{Discarded, Kit, KitCounters, KitMaker};
pub use wav::WavError;
