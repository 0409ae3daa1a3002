//! What talkers say, in every codec, and what the codecs alone cost: what a load is made of, and what it is compared with.

use cordboard_media::codec::opus::OpusConfig;
use cordboard_media::codec::resample::Resampler;
use cordboard_media::codec::{Decoder, Encoder};
use cordboard_model::media::{Codec, OpusParams};
use std::time::{Duration, Instant};

/// Packets of 20 ms in a loop of speech: two seconds.
const FRAMES: usize = 100;
/// The most that two codecs meet at: the band of speech.
const WIDE: u32 = 16_000;
/// The longest packet.
const PACKET: usize = 1_500;
/// Samples of 20 ms at 48 kHz, and somewhat more.
const SAMPLES: usize = 1_000;

/// Packets of a word and what follows it: a second.
const WORD: usize = 50;
/// Of them, those of the word.
const SPOKEN: usize = 10;

/// A voice of 120 Hz whose loudness goes up and down three times a second, in packets of 20 ms.
pub fn speech(codec: Codec) -> Vec<Vec<u8>> {
    said(codec, FRAMES, |t| voice(t) * 6_000.0)
}

fn voice(t: f64) -> f64 {
    let voice: f64 = (1..16).map(|k| (t * 120.0 * f64::from(k)).sin() / f64::from(k)).sum();
    voice * (t * 1.5).sin().abs()
}

/// A loud word that begins with the first packet, at once, and a murmur to the end of the second: it costs the codecs what
/// speech costs, and does not reach what is taken for a word.
pub fn word(codec: Codec) -> Vec<Vec<u8>> {
    let end = core::f64::consts::TAU * SPOKEN as f64 / 50.0;
    said(codec, WORD, |t| if t < end { (t * 500.0).cos() * 12_000.0 } else { voice(t) * 150.0 })
}

/// So many packets of 20 ms; `sample` is given the time in turns, of which a second has one.
fn said(codec: Codec, packets: usize, sample: impl Fn(f64) -> f64) -> Vec<Vec<u8>> {
    let mut encoder = encoder(codec, WIDE);
    let (rate, mut out) = (f64::from(encoder.rate()), [0; PACKET]);
    let len = encoder.rate() as usize / 50;
    let sample = |at: usize| sample(at as f64 / rate * core::f64::consts::TAU) as i16;
    let frame = |n: usize| {
        let pcm: Vec<i16> = (n * len..(n + 1) * len).map(sample).collect();
        let written = encoder.encode(&pcm, &mut out);
        out.get(..written).unwrap_or_default().to_vec()
    };
    (0..packets).map(frame).collect()
}

fn encoder(codec: Codec, rate: u32) -> Encoder {
    Encoder::at(codec, rate, &OpusConfig::default(), &OpusParams { fec: true, ..OpusParams::default() })
}

/// What stands between two codecs: a decoder, an encoder, and what brings the one's rate to the other's.
struct Chain {
    decoder: Decoder,
    between: Option<Resampler>,
    encoder: Encoder,
    pcm: [i16; SAMPLES],
    fitted: [i16; SAMPLES],
    out: [u8; PACKET],
}

impl Chain {
    fn new(from: Codec, to: Codec) -> Self {
        let rate = from.sample_hz().min(to.sample_hz()).min(WIDE);
        let (decoder, encoder) = (Decoder::at(from, rate), encoder(to, rate));
        let between = Resampler::new(decoder.rate(), encoder.rate());
        Self { decoder, between, encoder, pcm: [0; SAMPLES], fitted: [0; SAMPLES], out: [0; PACKET] }
    }

    /// Octets that the packet has become.
    fn turn(&mut self, packet: &[u8]) -> usize {
        let len = self.decoder.decode(packet, &mut self.pcm);
        let pcm = self.pcm.get(..len).unwrap_or_default();
        let pcm = match &mut self.between {
            None => pcm,
            Some(between) => {
                let len = between.run(pcm, &mut self.fitted);
                self.fitted.get(..len).unwrap_or_default()
            }
        };
        self.encoder.encode(pcm, &mut self.out)
    }
}

/// What one packet of 20 ms of speech costs the codecs alone, from one to the other: the cheapest of several loops.
pub fn cost(from: Codec, to: Codec) -> Duration {
    let (speech, mut chain) = (speech(from), Chain::new(from, to));
    let mut once = || {
        let begun = Instant::now();
        for packet in &speech {
            std::hint::black_box(chain.turn(packet));
        }
        begun.elapsed()
    };
    let loops = (0..20).map(|_| once());
    loops.min().unwrap_or_default() / FRAMES as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_begins_with_its_first_packet_and_a_murmur_follows() {
        let loud = |packet: &Vec<u8>| packet.iter().filter(|octet| (**octet ^ 0x55) & 0x7f >= 0x40).count();
        let octets: Vec<usize> = word(Codec::Pcma).iter().map(loud).collect();
        assert!(octets[..SPOKEN].iter().all(|loud| *loud > 100), "{octets:?}");
        assert!(octets[SPOKEN + 1..].iter().all(|loud| *loud == 0), "{octets:?}");
    }

    #[test]
    fn speech_in_any_codec_becomes_packets_of_any_other() {
        for from in [Codec::Pcma, Codec::Pcmu, Codec::G722, Codec::Opus, Codec::L16] {
            for to in [Codec::Pcma, Codec::G722, Codec::Opus] {
                let mut chain = Chain::new(from, to);
                let lengths: Vec<usize> = speech(from).iter().map(|packet| chain.turn(packet)).collect();
                assert_eq!(lengths.len(), FRAMES);
                match to {
                    Codec::Opus => assert!(lengths.iter().all(|len| (10..300).contains(len)), "{lengths:?}"),
                    _ => assert!(lengths.iter().all(|len| *len == 160), "{from:?} {to:?} {lengths:?}"),
                }
            }
        }
    }
}
