//! Codecs. One file each, and what they have in common: from one leg's codes to samples and back.
//!
//! Invariant: a decoder and an encoder belong to one leg and one direction, are made by a command, and allocate nothing
//! when they are used. Each works at the rate nearest to the one that is wanted of it, so that little is left to resample.

pub(crate) mod comfort;
pub(crate) mod conceal;
pub mod g711;
pub mod g722;
pub mod opus;
pub mod resample;

use cordboard_model::media::{Codec, OpusParams};
use g711::Law;
use opus::OpusConfig;

/// The rate of the telephone band, and of recordings.
pub(crate) const NARROW: u32 = 8_000;
/// The rate of wideband speech.
pub(crate) const WIDE: u32 = 16_000;

/// RTP clock ticks that a payload of a codec lasts.
pub(crate) fn ticks(codec: Codec, payload: &[u8]) -> u32 {
    match codec {
        Codec::Pcma | Codec::Pcmu | Codec::G722 => payload.len() as u32,
        Codec::L16 => payload.len() as u32 / 2,
        Codec::Opus => opus::ticks(payload),
        // a picture lasts until the next, and its packets bear one timestamp
        Codec::H264 | Codec::Vp8 => 0,
    }
}

/// The rate at which two codecs meet with the fewest steps: the higher one of what both carry, 16 kHz at most, for that is
/// the band of speech.
pub(crate) fn common_rate(one: Codec, other: Codec) -> u32 {
    one.sample_hz().min(other.sample_hz()).min(WIDE)
}

/// What turns a party's codes into samples.
#[derive(Debug)]
pub enum Decoder {
    /// A table: no memory.
    G711(Law),
    /// G.722; whether both bands or the lower one alone.
    G722(Box<g722::Decoder>, bool),
    /// Opus.
    Opus(Box<opus::Decoder>),
    /// Linear samples; those at 8 kHz by way of a low-pass.
    L16(Option<Box<resample::Resampler>>),
}

impl Decoder {
    /// One at its beginning for samples at 8 kHz. Allocates.
    pub fn new(codec: Codec) -> Self {
        Self::at(codec, NARROW)
    }

    /// One at its beginning for samples at `rate` hertz or, if that is more than the codec carries, at
    /// [`Decoder::rate`]. Allocates.
    pub fn at(codec: Codec, rate: u32) -> Self {
        match codec {
            Codec::Pcma => Decoder::G711(Law::A),
            Codec::Pcmu => Decoder::G711(Law::Mu),
            Codec::G722 => Decoder::G722(Box::default(), rate > NARROW),
            Codec::Opus => Decoder::Opus(Box::new(opus::Decoder::new(rate))),
            // video is never decoded
            Codec::H264 | Codec::Vp8 => Decoder::L16(None),
            Codec::L16 => Decoder::L16(resample::Resampler::new(WIDE, rate.min(WIDE)).map(Box::new)),
        }
    }

    /// Makes samples at `rate` from now on and keeps what it knows of the party, if both bands have memories of their own: false
    /// if not, for then another decoder is needed.
    pub(crate) fn turn(&mut self, rate: u32) -> bool {
        match self {
            Decoder::G722(_, is_wide) => *is_wide = rate > NARROW,
            _ => return false,
        }
        true
    }

    /// Samples a second that it makes.
    pub fn rate(&self) -> u32 {
        match self {
            Decoder::G711(_) | Decoder::G722(_, false) | Decoder::L16(Some(_)) => NARROW,
            Decoder::G722(_, true) | Decoder::L16(None) => WIDE,
            Decoder::Opus(state) => state.rate(),
        }
    }

    /// Forgets what it heard: another source begins.
    pub fn reset(&mut self) {
        match self {
            Decoder::G711(_) | Decoder::L16(None) => {}
            Decoder::G722(state, _) => **state = g722::Decoder::default(),
            Decoder::Opus(state) => state.reset(),
            Decoder::L16(Some(low_pass)) => low_pass.reset(),
        }
    }

    /// Samples of a packet's codes; how many were written.
    pub fn decode(&mut self, codes: &[u8], out: &mut [i16]) -> usize {
        match self {
            Decoder::G711(law) => {
                let table = g711::decoder(*law);
                for (sample, code) in out.iter_mut().zip(codes) {
                    *sample = table[usize::from(*code)];
                }
                codes.len().min(out.len())
            }
            Decoder::G722(state, false) => state.narrow(codes, out),
            Decoder::G722(state, true) => state.wide(codes, out),
            Decoder::Opus(state) => state.decode(codes, out),
            Decoder::L16(None) => {
                let written = (codes.len() / 2).min(out.len());
                from_network(codes, out);
                written
            }
            Decoder::L16(Some(low_pass)) => {
                let mut written = 0;
                for piece in codes.chunks(4 * PIECE) {
                    let mut wide = [0; 2 * PIECE];
                    from_network(piece, &mut wide);
                    let room = out.get_mut(written..).unwrap_or_default();
                    written += low_pass.run(wide.get(..piece.len() / 2).unwrap_or_default(), room);
                }
                written
            }
        }
    }

    /// The one that invents what was lost by itself, if it is that.
    pub(crate) fn concealing(&mut self) -> Option<&mut opus::Decoder> {
        match self {
            Decoder::Opus(state) => Some(state),
            _ => None,
        }
    }
}

/// Samples of 10 ms at 8 kHz: what is converted at once on the stack.
const PIECE: usize = 80;

/// "in network byte order (most significant byte first)" (RFC 3551 4.5.11)
fn from_network(codes: &[u8], out: &mut [i16]) {
    for (sample, pair) in out.iter_mut().zip(codes.chunks_exact(2)) {
        *sample = i16::from_be_bytes([pair[0], pair[1]]);
    }
}

/// What turns samples into codes for a party.
#[derive(Debug)]
pub enum Encoder {
    /// A table: no memory.
    G711(Law),
    /// G.722; whether both bands or the lower one alone.
    G722(Box<g722::Encoder>, bool),
    /// Opus.
    Opus(Box<opus::Encoder>),
    /// Linear samples; those at 8 kHz by way of a low-pass.
    L16(Option<Box<resample::Resampler>>),
}

impl Encoder {
    /// One at its beginning for samples at 8 kHz. Allocates.
    pub fn new(codec: Codec) -> Self {
        Self::at(codec, NARROW, &OpusConfig::default(), &OpusParams::default())
    }

    /// One at its beginning for samples at `rate` hertz or, if that is more than the codec carries, at
    /// [`Encoder::rate`]. Opus as configured, within what the party wants. Allocates.
    pub fn at(codec: Codec, rate: u32, config: &OpusConfig, wanted: &OpusParams) -> Self {
        match codec {
            Codec::Pcma => Encoder::G711(Law::A),
            Codec::Pcmu => Encoder::G711(Law::Mu),
            Codec::G722 => Encoder::G722(Box::default(), rate > NARROW),
            Codec::Opus => Encoder::Opus(Box::new(opus::Encoder::new(rate, config, wanted))),
            // nor encoded
            Codec::H264 | Codec::Vp8 => Encoder::L16(None),
            Codec::L16 => Encoder::L16(resample::Resampler::new(rate.min(WIDE), WIDE).map(Box::new)),
        }
    }

    /// Takes samples at `rate` from now on, or as near as the codec, which it is one of, comes to it. Its likeness of the party's
    /// decoder is kept where both bands have memories of their own. Allocates if that is another rate.
    pub(crate) fn tune(&mut self, codec: Codec, rate: u32, config: &OpusConfig, wanted: &OpusParams) {
        if rate.min(codec.sample_hz()) != self.rate() && !self.turn(rate) {
            *self = Self::at(codec, rate, config, wanted);
        }
    }

    /// Takes samples at `rate` from now on and keeps what it knows of the party, if both bands have memories of their own: false
    /// if not, for then another encoder is needed.
    pub(crate) fn turn(&mut self, rate: u32) -> bool {
        match self {
            Encoder::G722(_, is_wide) => *is_wide = rate > NARROW,
            _ => return false,
        }
        true
    }

    /// Samples a second that it takes.
    pub fn rate(&self) -> u32 {
        match self {
            Encoder::G711(_) | Encoder::G722(_, false) | Encoder::L16(Some(_)) => NARROW,
            Encoder::G722(_, true) | Encoder::L16(None) => WIDE,
            Encoder::Opus(state) => state.rate(),
        }
    }

    /// Codes of a packet's samples; how many octets were written. 0: the party is not to be sent this packet.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        match self {
            Encoder::G711(law) => {
                for (code, sample) in out.iter_mut().zip(pcm) {
                    *code = g711::encode(*law, *sample);
                }
                pcm.len().min(out.len())
            }
            Encoder::G722(state, false) => state.narrow(pcm, out),
            Encoder::G722(state, true) => state.wide(pcm, out),
            Encoder::Opus(state) => state.encode(pcm, out),
            Encoder::L16(None) => to_network(pcm, out),
            Encoder::L16(Some(low_pass)) => {
                let mut written = 0;
                for piece in pcm.chunks(PIECE) {
                    let mut wide = [0; 2 * PIECE];
                    let len = low_pass.run(piece, &mut wide);
                    let room = out.get_mut(written..).unwrap_or_default();
                    written += to_network(wide.get(..len).unwrap_or_default(), room);
                }
                written
            }
        }
    }
}

fn to_network(pcm: &[i16], out: &mut [u8]) -> usize {
    for (pair, sample) in out.chunks_exact_mut(2).zip(pcm) {
        pair.copy_from_slice(&sample.to_be_bytes());
    }
    pcm.len().min(out.len() / 2) * 2
}
