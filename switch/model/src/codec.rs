//! Codecs, and what a party wants of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A codec: of audio, which all these rooms speak of, or of video, which is relayed and never looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// G.711 mu-law, static payload type 0.
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s, static payload type 9: 16 kHz audio under an 8 kHz RTP clock.
    G722,
    /// Opus (RFC 6716, RFC 7587): audio of any rate up to 48 kHz under a 48 kHz RTP clock.
    Opus,
    /// Linear samples of 16 bits at 16 kHz (RFC 3551 4.5.11): 256 kbit/s, for machines beside us.
    L16,
    /// H.264 video (RFC 6184).
    H264,
    /// VP8 video (RFC 7741).
    Vp8,
}

impl Codec {
    /// Every codec of audio.
    pub const ALL: [Codec; 5] = [Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu, Codec::L16];
    /// Every codec of video.
    pub const VIDEO: [Codec; 2] = [Codec::H264, Codec::Vp8];
    /// What is offered where nothing is configured, in this order.
    pub const DEFAULT: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

    /// The encoding name of its registration.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
            Codec::L16 => "L16",
            Codec::H264 => "H264",
            Codec::Vp8 => "VP8",
        }
    }

    /// Whether it is one of video.
    pub fn is_video(self) -> bool {
        matches!(self, Codec::H264 | Codec::Vp8)
    }

    /// RTP clock rate in hertz. "Even though the actual sampling rate for G.722 audio is 16,000 Hz, the RTP clock rate
    /// for the G722 payload format is 8,000 Hz" (RFC 3551 4.5.2).
    pub fn clock_hz(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            Codec::L16 => 16_000,
            // "A 90 kHz clock rate MUST be used" (RFC 6184 8.2.1), and RFC 7741 4.1 says the same.
            Codec::H264 | Codec::Vp8 => 90_000,
            // "the RTP timestamp is incremented with a 48000 Hz clock rate for all modes of Opus and all sampling rates"
            // (RFC 7587 4.1)
            Codec::Opus => 48_000,
        }
    }

    /// The highest rate of samples that it carries and that we make of it, hertz; 0 of video, of which none are made.
    pub fn sample_hz(self) -> u32 {
        match self {
            Codec::H264 | Codec::Vp8 => 0,
            Codec::Pcmu | Codec::Pcma => 8_000,
            Codec::G722 | Codec::L16 => 16_000,
            Codec::Opus => 48_000,
        }
    }

    /// Channels as its `a=rtpmap` names them: "the number of channels MUST be 2" for Opus (RFC 7587 7), whatever is sent.
    pub fn channels(self) -> u32 {
        match self {
            Codec::Opus => 2,
            _ => 1,
        }
    }

    /// The payload type that we offer it with: that of RFC 3551, where one is fixed, else one of the dynamic ones.
    pub fn static_payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 111,
            Codec::L16 => 112,
            // ours are those of the party whose video it is
            Codec::H264 => 97,
            Codec::Vp8 => 96,
        }
    }

    /// The packet length that it can have and that is nearest below the one wanted, both in milliseconds, 10 to 60.
    pub fn packet_ms(self, wanted: u8) -> u8 {
        match self {
            // RFC 6716 2.1.4: frames of 10, 20, 40 and 60 ms, of those that we make.
            Codec::Opus => match wanted {
                0..20 => 10,
                20..40 => 20,
                40..60 => 40,
                _ => 60,
            },
            // Longer ones do not fit beside what a network carries in one piece.
            Codec::L16 => wanted.clamp(10, 30),
            _ => wanted,
        }
    }
}

/// What a party takes of the feedback about its video (RFC 4585, RFC 5104).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoFeedback {
    /// `nack`: which packets are missing.
    pub nack: bool,
    /// `nack pli`: a picture is lost.
    pub pli: bool,
    /// `ccm fir`: a whole picture is wanted.
    pub fir: bool,
    /// `goog-remb`: how many bits a second come through.
    pub remb: bool,
}

/// What a party says of the Opus that it wants (RFC 7587 6.1). The default is what holds where it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpusParams {
    /// `useinbandfec`: it makes use of the redundancy for lost packets.
    pub fec: bool,
    /// `usedtx`: it would rather have nothing sent in silence.
    pub dtx: bool,
    /// `maxplaybackrate`: it plays no more than this, hertz.
    pub playback_hz: u32,
    /// `maxaveragebitrate`: bits a second.
    pub bitrate: u32,
}

impl Default for OpusParams {
    fn default() -> Self {
        Self { fec: false, dtx: false, playback_hz: 48_000, bitrate: 510_000 }
    }
}
