//! Several channels of Opus in one packet, each with a stream of its own (RFC 7845 3, RFC 6716 B): for files, not for calls.
//! Allocates.

/// Longest packet, milliseconds (RFC 6716 3.2.5).
const PACKET_MS: usize = 120;

/// Two channels that have nothing in common: what is said on one is not heard on the other.
#[derive(Debug)]
pub(crate) struct PairEncoder {
    /// None if there was no memory for it: nothing is written.
    state: Option<opus::MSEncoder>,
    rate: u32,
}

impl PairEncoder {
    /// One for samples at `rate` hertz, with so many bits a second for both channels together.
    pub(crate) fn new(rate: u32, bitrate: u32, complexity: u8) -> Self {
        // two streams, none of them of two channels that are coupled
        let mut state = opus::MSEncoder::new(rate, 2, 0, &[0, 1], opus::Application::Voip).ok();
        if let Some(state) = &mut state {
            // Each of them fails on values out of range alone, and these are within.
            let _ = state.set_bitrate(opus::Bitrate::Bits(bitrate.clamp(12_000, 256_000) as i32));
            let _ = state.set_complexity(i32::from(complexity.min(10)));
            let _ = state.set_signal(opus::Signal::Voice);
        }
        Self { state, rate }
    }

    /// Samples of each channel by which what comes out is later than what went in.
    pub(crate) fn lookahead(&mut self) -> u32 {
        let told = self.state.as_mut().and_then(|state| state.get_lookahead().ok());
        told.and_then(|samples| u32::try_from(samples).ok()).unwrap_or(self.rate / 150)
    }

    /// A packet of interleaved samples, 20 ms of them. Empty if there is no encoder.
    pub(crate) fn encode(&mut self, pcm: &[i16]) -> Vec<u8> {
        // Two packets of 1,275 octets and their length (RFC 6716 3.2.1).
        let packet = self.state.as_mut().and_then(|state| state.encode_vec(pcm, 2 * 1_277).ok());
        packet.unwrap_or_default()
    }
}

/// Reads what [`PairEncoder`] and others make.
#[derive(Debug)]
pub(crate) struct ManyDecoder {
    state: opus::MSDecoder,
    channels: usize,
    out: Vec<i16>,
}

impl ManyDecoder {
    /// One for samples at `rate` hertz of the channels of `mapping`; each names its stream and its place in it (RFC 7845
    /// 5.1.1). `gain`: in 256ths of a decibel. `None`: that cannot be.
    pub(crate) fn new(rate: u32, streams: u8, coupled: u8, mapping: &[u8], gain: i16) -> Option<Self> {
        let mut state = opus::MSDecoder::new(rate, streams, coupled, mapping).ok()?;
        state.set_gain(i32::from(gain)).ok()?;
        let channels = mapping.len();
        let out = vec![0; rate as usize / 1_000 * PACKET_MS * channels];
        Some(Self { state, channels, out })
    }

    /// Interleaved samples of a packet; none of one that is broken.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> &[i16] {
        if packet.is_empty() {
            return &[];
        }
        let frames = self.state.decode(packet, &mut self.out, false).unwrap_or(0);
        self.out.get(..frames * self.channels).unwrap_or_default()
    }
}
