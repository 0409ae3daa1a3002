//! An ear for the keys of a party that has them as tones.
//!
//! Invariant: what comes late or twice is not heard, and a pause that was not sent is heard as silence: with the packets of
//! silence left out, the same key twice would be one.

use crate::codec::{self, Decoder};
use crate::dtmf::detect::Detector;
use crate::rtp::header::PAYLOAD_MAX;
use crate::rtp::reception::Arrival;
use crate::rtp::{Clock, ahead};
use cordboard_model::media::Codec;

/// Most presses that end within one packet: a packet is 200 ms at most, a press and its pause 60 at least.
pub(crate) const KEYS_MAX: usize = 4;
/// Milliseconds that must be missing before they count as silence: a lost packet or two is passed over.
const GAP_MS: u64 = 50;
/// Samples of as much silence as makes a difference: 100 ms.
const SILENCE: usize = 800;
/// Samples of the longest packet.
const PACKET_MAX: usize = PAYLOAD_MAX;

/// See the module.
#[derive(Debug)]
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
        let end = timestamp.wrapping_add(codec::ticks(self.codec, codes));
        let gap = Clock::new(self.codec.clock_hz()).ticks_in_ms(GAP_MS);
        match self.newest {
            Some((epoch, _, _)) if epoch != arrival.epoch => {
                self.decoder.reset();
                self.detector = Detector::default();
            }
            Some((_, newest, _)) if arrival.extended <= newest => return keys,
            Some((_, _, expected)) if i64::from(ahead(timestamp, expected)) >= gap as i64 => {
                self.detector.hear(&[0; SILENCE], |_| ());
            }
            _ => {}
        }
        self.newest = Some((arrival.epoch, arrival.extended, end));
        let mut free = keys.iter_mut();
        let mut pcm = [0; PACKET_MAX];
        let len = self.decoder.decode(codes, &mut pcm);
        self.detector.hear(pcm.get(..len).unwrap_or_default(), |key| {
            if let Some(place) = free.next() {
                *place = Some(key);
            }
        });
        keys
    }
}
