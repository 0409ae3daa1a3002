//! Opus (RFC 6716) over RTP (RFC 7587), by libopus. With `many` the only user of its crate.
//!
//! Invariant: a state is made by a command at the rate that its side needs (libopus works at 8, 16 and 48 kHz itself, so
//! nothing is resampled for it) and allocates nothing afterwards. All is mono: "a receiver MUST be able to decode both mono
//! and stereo" (RFC 7587 6.1), and the decoder mixes stereo down.

pub(crate) mod many;

use cordboard_model::media::OpusParams;

/// How we encode. What the party wants goes before it where it asks for less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OpusConfig {
    /// Bits a second, 6,000 to 128,000. Default 28,000: RFC 7587 3.1.1 recommends 16 to 20 kbit/s for speech of 16 kHz, and
    /// the redundancy takes its part; for loss of 10 % libopus leaves it out below some 24,000. Speech of 8 kHz gets five
    /// sevenths of it, for the same reason.
    pub bitrate: u32,
    /// 0 to 10: CPU time for quality. Default 5: beyond it little is heard in speech, and 10 costs twice as much.
    pub complexity: u8,
    /// Each packet carries the one before it once more, coarsely, for parties that make use of it. Default on.
    pub fec: bool,
    /// Loss that the redundancy is made for, percent, 0 to 50: at 0 there is none. Default 10.
    pub expected_loss: u8,
    /// Nothing is sent in silence to parties that ask for that. Default on.
    pub dtx: bool,
}

impl Default for OpusConfig {
    fn default() -> Self {
        Self { bitrate: 28_000, complexity: 5, fec: true, expected_loss: 10, dtx: true }
    }
}

/// RTP clock ticks (48 kHz) that a packet lasts, by its first octets (RFC 6716 3.1, 3.2); 0 for what is no packet.
pub(crate) fn ticks(packet: &[u8]) -> u32 {
    let Some(toc) = packet.first() else {
        return 0;
    };
    let config = toc >> 3;
    let frame = match config {
        // SILK: 10, 20, 40, 60 ms
        0..=11 => [480, 960, 1_920, 2_880][usize::from(config & 3)],
        // Hybrid: 10, 20 ms
        12..=15 => [480, 960][usize::from(config & 1)],
        // CELT: 2.5, 5, 10, 20 ms
        _ => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => packet.get(1).map_or(0, |count| u32::from(count & 0x3f)),
    };
    // "The total duration of a packet MUST NOT exceed 120 ms" (R5)
    Some(frame * frames).filter(|ticks| *ticks <= 5_760).unwrap_or(0)
}

/// Whether a packet says that silence follows (RFC 6716 2.1.9): it has nothing but its first octet, or one more.
pub(crate) fn is_silence(packet: &[u8]) -> bool {
    (1..=2).contains(&packet.len())
}

/// A party's decoder.
#[derive(Debug)]
pub struct Decoder {
    /// None if there was no memory for it: silence.
    state: Option<opus::Decoder>,
    rate: u32,
}

impl Decoder {
    /// One for samples at `rate` hertz: 8,000, 16,000 or 48,000. Allocates.
    pub fn new(rate: u32) -> Self {
        Self { state: opus::Decoder::new(rate, opus::Channels::Mono).ok(), rate }
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Another source begins.
    pub fn reset(&mut self) {
        if let Some(state) = &mut self.state {
            // It fails on no state that was made.
            let _ = state.reset_state();
        }
    }

    /// Samples of a packet; how many. 0 for what is no packet or has no room.
    pub fn decode(&mut self, packet: &[u8], out: &mut [i16]) -> usize {
        if packet.is_empty() {
            return 0;
        }
        self.run(packet, out, false)
    }

    /// Samples of what was lost before `packet`, as far as `packet` tells of it; what came before that is invented, and so is
    /// all of it when `packet` tells nothing. `out` is exactly the loss.
    pub fn repair(&mut self, packet: &[u8], out: &mut [i16]) {
        let step = self.rate as usize / 400;
        let whole = out.len() / step * step;
        let (head, tail) = out.split_at_mut(out.len() - whole);
        head.fill(0);
        if tail.is_empty() || packet.is_empty() || self.run(packet, tail, true) == 0 {
            self.invent(tail);
        }
    }

    /// Samples in place of lost ones, and the noise of a silence. What is left of 2.5 ms is silence.
    pub fn invent(&mut self, out: &mut [i16]) {
        let step = self.rate as usize / 400;
        let mut rest = out;
        while rest.len() >= step {
            // At most what libopus makes at once, 120 ms.
            let len = (rest.len() / step * step).min(step * 48);
            let (now, after) = rest.split_at_mut(len);
            if self.run(&[], now, false) == 0 {
                now.fill(0);
            }
            rest = after;
        }
        rest.fill(0);
    }

    fn run(&mut self, packet: &[u8], out: &mut [i16], fec: bool) -> usize {
        self.state.as_mut().and_then(|state| state.decode(packet, out, fec).ok()).unwrap_or(0)
    }
}

/// A party's encoder.
#[derive(Debug)]
pub struct Encoder {
    state: Option<opus::Encoder>,
    rate: u32,
    dtx: bool,
}

impl Encoder {
    /// One for samples at `rate` hertz: 8,000, 16,000 or 48,000, as `config` says and within what the party wants.
    /// Allocates.
    pub fn new(rate: u32, config: &OpusConfig, wanted: &OpusParams) -> Self {
        let mut state = opus::Encoder::new(rate, opus::Channels::Mono, opus::Application::Voip).ok();
        let dtx = config.dtx && wanted.dtx;
        if let Some(state) = &mut state {
            let narrow = rate <= 8_000 || wanted.playback_hz <= 8_000;
            let bitrate = if narrow { config.bitrate / 7 * 5 } else { config.bitrate };
            let bitrate = bitrate.min(wanted.bitrate).clamp(6_000, 128_000);
            // Each of them fails on values out of range alone, and these are within.
            let _ = state.set_bitrate(opus::Bitrate::Bits(bitrate as i32));
            let _ = state.set_complexity(i32::from(config.complexity.min(10)));
            let _ = state.set_signal(opus::Signal::Voice);
            let fec = config.fec && wanted.fec;
            let _ = state.set_inband_fec(fec);
            let _ = state.set_packet_loss_perc(if fec { i32::from(config.expected_loss.min(50)) } else { 0 });
            let _ = state.set_dtx(dtx);
            let band = match wanted.playback_hz {
                0..=8_000 => opus::Bandwidth::Narrowband,
                8_001..=12_000 => opus::Bandwidth::Mediumband,
                12_001..=16_000 => opus::Bandwidth::Wideband,
                16_001..=24_000 => opus::Bandwidth::Superwideband,
                _ => opus::Bandwidth::Fullband,
            };
            let _ = state.set_max_bandwidth(band);
        }
        Self { state, rate, dtx }
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// A packet of `pcm`, which is 10, 20, 40 or 60 ms; its length. 0: there is nothing to send, for it is silent.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        let len = self.state.as_mut().and_then(|state| state.encode(pcm, out).ok()).unwrap_or(0);
        // "If the return value is 2 bytes or less, then the packet does not need to be transmitted (DTX)."
        if self.dtx && len <= 2 { 0 } else { len }
    }
}
