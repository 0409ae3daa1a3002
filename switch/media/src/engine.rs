//! The engine: commands, packets and time in; packets, events and requests out.

mod config;

pub use config::{MediaConfig, MediaCounters, MediaOutput, PortKey, Verdict};

use crate::audio::Audio;
use cordboard_model::id::{AssetId, LegId, RecordingId, TenantId};
use cordboard_model::media::{LegStats, MediaCommand, MediaEvent, OpenError};
use cordboard_model::time::{Time, TimerReason};
use core::net::SocketAddr;
use std::sync::Arc;

/// One media thread's engine.
#[derive(Debug)]
pub struct MediaEngine {
    config: MediaConfig,
}

impl MediaEngine {
    /// An engine without legs. `seed` feeds SSRC, first sequence number and timestamp of each leg.
    pub fn new(config: MediaConfig, _seed: [u8; 32]) -> Self {
        Self { config }
    }

    /// Obeys a command.
    pub fn handle_command(&mut self, _command: MediaCommand, _now: Time) {}

    /// The answer to `OpenPort`: the pair is bound and `local` is the address of its RTP socket.
    pub fn port_opened(&mut self, _leg: LegId, _port: PortKey, _local: SocketAddr, _now: Time) {}

    /// The other answer to `OpenPort`.
    pub fn port_failed(&mut self, _leg: LegId, _why: OpenError, _now: Time) {}

    /// Makes an asset known; gives back the one it replaces, for the shell to drop elsewhere.
    pub fn load_asset(&mut self, _asset: AssetId, _audio: Arc<Audio>) -> Option<Arc<Audio>> {
        None
    }

    /// Forgets a tenant's assets; playbacks that are on keep theirs.
    pub fn drop_assets(&mut self, _tenant: TenantId) -> Vec<Arc<Audio>> {
        Vec::new()
    }

    /// A datagram on the RTP socket of `port`.
    pub fn handle_packet(
        &mut self,
        _port: PortKey,
        _from: SocketAddr,
        _buf: &mut [u8],
        _now: Time,
    ) -> Verdict {
        Verdict::Keep
    }

    /// A datagram on the RTCP socket of `port`.
    pub fn handle_rtcp(&mut self, _port: PortKey, _from: SocketAddr, _buf: &[u8], _now: Time) {}

    /// Runs the ticks that are due.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// The next packet for an RTP socket, written to the front of `buf` (256 bytes are not enough:
    /// give at least [`MediaEngine::TRANSMIT_MIN`]).
    pub fn poll_transmit(
        &mut self,
        _buf: &mut [u8],
        _now: Time,
    ) -> Option<(PortKey, SocketAddr, usize)> {
        None
    }

    /// The next packet for an RTCP socket, in the same way.
    pub fn poll_rtcp(
        &mut self,
        _buf: &mut [u8],
        _now: Time,
    ) -> Option<(PortKey, SocketAddr, usize)> {
        None
    }

    /// The next request to the shell.
    pub fn poll_output(&mut self) -> Option<MediaOutput> {
        None
    }

    /// The next event for the shard.
    pub fn poll_event(&mut self) -> Option<MediaEvent> {
        None
    }

    /// Recorded audio: interleaved left and right, `frames` pairs at the front of `out`. Poll it only
    /// when the writer can take it: what waits too long becomes silence that the engine counts.
    pub fn poll_recorded(&mut self, _out: &mut [i16]) -> Option<(RecordingId, usize)> {
        None
    }

    /// When [`MediaEngine::handle_timeout`] is wanted next, and why.
    pub fn poll_timeout(&self) -> Option<(Time, TimerReason)> {
        None
    }

    /// The figures of a leg so far.
    pub fn leg_stats(&self, _leg: LegId) -> Option<LegStats> {
        None
    }

    /// What was refused or skipped so far.
    pub fn counters(&self) -> MediaCounters {
        MediaCounters::default()
    }

    /// Legs that exist.
    pub fn legs(&self) -> usize {
        0
    }

    /// Shortest buffer for `poll_transmit` and `poll_rtcp`.
    pub const TRANSMIT_MIN: usize = 512;

    /// The limits it was made with.
    pub fn config(&self) -> &MediaConfig {
        &self.config
    }
}
