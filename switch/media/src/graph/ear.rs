//! An ear for the keys of a party that has them as tones.
//!
//! Invariant: what comes late or twice is not heard, and a pause that was not sent is heard as silence: with the packets of
//! silence left out, the same key twice would be one.

use crate::codec::Decoder;
use crate::dtmf::detect::Detector;
use crate::rtp::ahead;
use crate::rtp::reception::Arrival;
use cordboard_model::media::Codec;

/// Most presses that end within one packet: a packet is 200 ms at most, a press and its pause 60 at least.
pub(crate) const KEYS_MAX: usize = 4;
/// Samples that must be missing before they count as silence: a lost packet or two is passed over.
const GAP: i32 = 400;
/// As much silence as makes a difference: 100 ms.
const SILENCE: usize = 800;
/// Samples that are decoded at once.
const PIECE: usize = 80;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Ear {
    codec: Codec,
    decoder: Decoder,
    detector: Detector,
    /// Of the newest packet: epoch, number, and the timestamp after it.
    newest: Option<(u32, u64, u32)>,
}

impl Ear {
    pub(crate) fn new(codec: Codec) -> Self {
        Self { codec, decoder: Decoder::new(codec), detector: Detector::default(), newest: None }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// Whether the tones of a key are there.
    pub(crate) fn hears_tones(&self) -> bool {
        self.detector.hears_tones()
    }

    /// Takes a packet's codes; says the keys that are known with it.
    pub(crate) fn take(
        &mut self,
        arrival: Arrival,
        timestamp: u32,
        codes: &[u8],
    ) -> [Option<char>; KEYS_MAX] {
        let mut keys = [None; KEYS_MAX];
        let end = timestamp.wrapping_add(codes.len() as u32);
        match self.newest {
            Some((epoch, _, _)) if epoch != arrival.epoch => {
                self.decoder.reset();
                self.detector = Detector::default();
            }
            Some((_, newest, _)) if arrival.extended <= newest => return keys,
            Some((_, _, expected)) if ahead(timestamp, expected) >= GAP => {
                self.detector.hear(&[0; SILENCE], |_| ());
            }
            _ => {}
        }
        self.newest = Some((arrival.epoch, arrival.extended, end));
        let mut free = keys.iter_mut();
        for piece in codes.chunks(PIECE) {
            let mut pcm = [0; PIECE];
            let len = self.decoder.decode(piece, &mut pcm);
            self.detector.hear(pcm.get(..len).unwrap_or_default(), |key| {
                if let Some(place) = free.next() {
                    *place = Some(key);
                }
            });
        }
        keys
    }
}
