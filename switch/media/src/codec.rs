//! Codecs. One file each, and what they have in common: from one leg's codes to samples and back.
//!
//! Invariant: a decoder and an encoder belong to one leg and one direction, are made by a command, and allocate nothing
//! when they are used.

pub(crate) mod comfort;
pub(crate) mod conceal;
pub mod g711;
pub mod g722;

use cordboard_model::media::Codec;
use g711::Law;

/// What turns a party's codes into samples at 8 kHz.
#[derive(Clone, Debug)]
pub enum Decoder {
    /// A table: no memory.
    G711(Law),
    /// The lower band of G.722.
    G722(Box<g722::Decoder>),
}

impl Decoder {
    /// One at its beginning. Allocates.
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Decoder::G711(Law::A),
            Codec::Pcmu => Decoder::G711(Law::Mu),
            Codec::G722 => Decoder::G722(Box::default()),
        }
    }

    /// Forgets what it heard: another source begins.
    pub fn reset(&mut self) {
        match self {
            Decoder::G711(_) => {}
            Decoder::G722(state) => **state = g722::Decoder::default(),
        }
    }

    /// Samples at 8 kHz of `codes`; how many were written.
    pub fn decode(&mut self, codes: &[u8], out: &mut [i16]) -> usize {
        match self {
            Decoder::G711(law) => {
                let table = g711::decoder(*law);
                for (sample, code) in out.iter_mut().zip(codes) {
                    *sample = table[usize::from(*code)];
                }
                codes.len().min(out.len())
            }
            Decoder::G722(state) => state.narrow(codes, out),
        }
    }
}

/// What turns samples at 8 kHz into codes for a party.
#[derive(Clone, Debug)]
pub enum Encoder {
    /// A table: no memory.
    G711(Law),
    /// The lower band of G.722.
    G722(Box<g722::Encoder>),
}

impl Encoder {
    /// One at its beginning. Allocates.
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Encoder::G711(Law::A),
            Codec::Pcmu => Encoder::G711(Law::Mu),
            Codec::G722 => Encoder::G722(Box::default()),
        }
    }

    /// Codes of samples at 8 kHz; how many were written.
    pub fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        match self {
            Encoder::G711(law) => {
                for (code, sample) in out.iter_mut().zip(pcm) {
                    *code = g711::encode(*law, *sample);
                }
                pcm.len().min(out.len())
            }
            Encoder::G722(state) => state.narrow(pcm, out),
        }
    }
}
