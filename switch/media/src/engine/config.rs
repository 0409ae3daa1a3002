//! The words of the engine's own surface: its limits, its keys, its answers.

use crate::codec::opus::OpusConfig;
use cordboard_model::id::{LegId, RecordingId};
use cordboard_model::time::Duration;
use core::net::SocketAddr;

/// Limits of one engine. Each has a reason, and reaching it a named outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaConfig {
    /// Longest time without RTP and RTCP before `Silent`. Zero: never. Default 60 s.
    pub silence_limit: Duration,
    /// Longest time without RTP of a party that should be heard before it is told. Zero: it is not. Default 10 s.
    pub unheard_limit: Duration,
    /// Packet time of a leg that has not been told one by `Configure`. Default 20 ms.
    pub tick: Duration,
    /// Packets in sequence from one source that lock a leg to it. Default 3.
    pub learn_packets: u8,
    /// Most legs; one more is answered `OpenFailed(Overloaded)`. Default 8,192.
    pub legs_max: u32,
    /// Events that may wait for `poll_event` before digits, locks and silences are dropped and
    /// counted. Ends (`PlayDone`, `RecordingClosed`, `Closed`) are never dropped. Default 4,096.
    pub events_max: usize,
    /// Packets of one leg that a late tick may send at once; what is later is skipped. Default 4.
    pub catch_up_max: u8,
    /// Audio a recording holds for its poller, de-jitter window included: 4 bytes a frame, so 16 KB
    /// at the default of 512 ms, and twice that at 16 kHz. Older audio becomes counted silence.
    pub record_ring: Duration,
    /// Samples a second of new recordings. Default 8 kHz.
    pub record_rate: RecordRate,
    /// Mean time between two RTCP reports of a leg (RFC 3550 6.2). Zero: none sent. Default 5 s.
    pub rtcp_interval: Duration,
    /// How Opus is encoded.
    pub opus: OpusConfig,
}

/// Samples a second of a recording: settled when it begins, for a file has one rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub enum RecordRate {
    /// 8 kHz: what the telephone carries.
    #[default]
    Narrow,
    /// 16 kHz, whatever the parties speak.
    Wide,
    /// 16 kHz if one of its parties speaks a codec that carries it when the recording begins, 8 kHz if not.
    Auto,
}

/// Audio of a recording, for whoever writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Which.
    pub recording: RecordingId,
    /// Samples a second on each channel: 8,000 or 16,000, the same from beginning to end.
    pub rate: u32,
    /// How many frames, of a left and a right sample each.
    pub frames: usize,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            silence_limit: Duration::from_secs(60),
            unheard_limit: Duration::from_secs(10),
            tick: Duration::from_millis(20),
            learn_packets: 3,
            legs_max: 8_192,
            events_max: 4_096,
            catch_up_max: 4,
            record_ring: Duration::from_millis(512),
            record_rate: RecordRate::default(),
            rtcp_interval: Duration::from_secs(5),
            opus: OpusConfig::default(),
        }
    }
}

/// A leg's pair of ports (RTP, and RTCP one up) in the shell's own numbering: small and dense, for
/// it indexes a table. A key above [`PortKey::MAX`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortKey(pub u32);

impl PortKey {
    /// The highest key.
    pub const MAX: PortKey = PortKey((1 << 20) - 1);
}

/// What is to be done with the packet just handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send `buf[offset..offset + len]` of that same buffer from the RTP socket of `port` to `to`.
    Send {
        /// Whose RTP socket it leaves by.
        port: PortKey,
        /// Where it goes.
        to: SocketAddr,
        /// Where the packet begins now.
        offset: usize,
        /// Its length.
        len: usize,
    },
    /// Nothing is to be sent.
    Keep,
}

/// What the engine asks of its shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaOutput {
    /// Bind a pair of ports; answer with `port_opened` or `port_failed`.
    OpenPort {
        /// For this leg.
        leg: LegId,
    },
    /// Give the pair back. No packet of it may be handed in afterwards.
    ClosePort(PortKey),
    /// The second port of the pair, which is there from the start, is needed no more or again: RTCP goes by the first
    /// (RFC 5761), or no longer does.
    RtcpPort {
        /// Of this pair.
        port: PortKey,
        /// It is needed.
        wanted: bool,
    },
}

/// What the engine refused or skipped, counted from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaCounters {
    /// Events dropped because nobody polled.
    pub events_dropped: u64,
    /// Digits not sent: not a digit, too many waiting, or no telephone-event agreed.
    pub digits_refused: u64,
    /// Packets for a port that belongs to no leg.
    pub unknown_port: u64,
    /// Packets of playback or digits skipped because ticks came too late.
    pub frames_skipped: u64,
    /// Packets from the right source that could not be relayed in order: older than the present
    /// mapping of sequence numbers, or of a synchronisation source that was just replaced.
    pub stale: u64,
    /// Packets not sent over secure RTP: their number was sent before (a source that repeats numbers), or the key has
    /// secured all it may.
    pub unsealable: u64,
    /// Commands for a leg, playback or recording that does not exist, or that exists already.
    pub commands_ignored: u64,
}
