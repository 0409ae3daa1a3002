//! What a party is spoken to by: its codec's encoder, and the way there from 8 kHz.

use crate::codec::opus::OpusConfig;
use crate::codec::resample::Resampler;
use crate::codec::{Encoder, NARROW};
use cordboard_model::media::{Codec, OpusParams};

/// See the module.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub codec: Codec,
    pub opus: OpusParams,
    encoder: Encoder,
    /// From 8 kHz to the encoder's rate, if that is another.
    up: Option<Resampler>,
}

impl Mouth {
    /// One at its beginning for samples at `rate`, or as near as the codec comes to it. Allocates.
    pub(crate) fn at(codec: Codec, opus: OpusParams, rate: u32, config: &OpusConfig) -> Self {
        let encoder = Encoder::at(codec, rate, config, &opus);
        let up = Resampler::new(NARROW, encoder.rate());
        Self { codec, opus, encoder, up }
    }

    /// Samples a second that it takes.
    pub(crate) fn rate(&self) -> u32 {
        self.encoder.rate()
    }

    /// Takes the other's rate, and what belongs to it. Where both bands have memories of their own, the encoder's likeness of the
    /// party's decoder stays.
    pub(crate) fn become_as(&mut self, made: &mut Mouth) {
        if !self.encoder.turn(made.rate()) {
            core::mem::swap(&mut self.encoder, &mut made.encoder);
        }
        core::mem::swap(&mut self.up, &mut made.up);
    }

    /// Codes of samples at [`Mouth::rate`].
    pub(crate) fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> usize {
        self.encoder.encode(pcm, out)
    }

    /// Brings samples at 8 kHz to [`Mouth::rate`]; how many. `None`: that is their rate.
    pub(crate) fn widen(&mut self, pcm: &[i16], out: &mut [i16]) -> Option<usize> {
        self.up.as_mut().map(|up| up.run(pcm, out))
    }
}
