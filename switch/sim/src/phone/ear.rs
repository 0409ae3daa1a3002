//! What a phone heard last, and which tones are in it.

use cordboard_media::codec::Decoder;
use cordboard_media::tone::Goertzel;
use cordboard_model::media::Codec;
use cordboard_model::time::{Duration, Time};
use std::collections::VecDeque;

/// Packets kept.
const KEPT: usize = 10;
/// Older than this is silence by now.
const FRESH: Duration = Duration::from_millis(150);

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ear {
    packets: VecDeque<(Time, Vec<i16>)>,
    decoder: Option<(Codec, Decoder)>,
    /// What is heard is kept.
    pub open: bool,
}

impl Ear {
    /// Hears a packet's codes.
    pub fn hear(&mut self, codec: Codec, codes: &[u8], now: Time) {
        if !self.open {
            return;
        }
        if self.decoder.as_ref().is_none_or(|(of, _)| *of != codec) {
            self.decoder = Some((codec, Decoder::new(codec)));
        }
        let Some((_, decoder)) = self.decoder.as_mut() else {
            return;
        };
        let mut pcm =
            if self.packets.len() >= KEPT { self.packets.pop_front().map(|(_, pcm)| pcm) } else { None }
                .unwrap_or_default();
        pcm.resize(codes.len(), 0);
        decoder.decode(codes, &mut pcm);
        self.packets.push_back((now, pcm));
    }

    /// Forgets what was heard, and listens.
    pub fn listen(&mut self) {
        self.packets.clear();
        self.open = true;
    }

    /// How many packets were heard since it listens, up to the ten that are kept.
    pub fn packets(&self) -> usize {
        self.packets.len()
    }

    /// The share of `hertz` in what is kept, whenever it came: 0 for silence.
    pub fn share_of_kept(&self, hertz: u16) -> f64 {
        Self::share(self.packets.iter(), hertz)
    }

    /// The share of `hertz` in what was heard just now: 0 for silence.
    pub fn share_now(&self, hertz: u16, now: Time) -> f64 {
        let fresh = |heard: &&(Time, Vec<i16>)| now.since(heard.0) <= FRESH;
        Self::share(self.packets.iter().filter(fresh), hertz)
    }

    /// The mean over packets: each is judged alone, for a lost one would turn the phase.
    fn share<'a>(packets: impl Iterator<Item = &'a (Time, Vec<i16>)>, hertz: u16) -> f64 {
        let mut sum = 0.0;
        let mut count = 0;
        for (_, pcm) in packets {
            sum += Goertzel::share(pcm, f64::from(hertz));
            count += 1;
        }
        if count == 0 { 0.0 } else { sum / f64::from(count) }
    }
}
