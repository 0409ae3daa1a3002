//! A playlist on its way to one party, frame by frame.

use crate::audio::Audio;
use crate::codec::g711::{self, Law};
use crate::tone::ToneTable;
use cordboard_model::id::PlaybackId;
use cordboard_model::media::{Repeat, Tone};
use std::sync::Arc;

/// Longest playlist; a longer one is refused.
pub(crate) const ITEMS_MAX: usize = 256;

/// One thing to play, its asset found.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Audio(Arc<Audio>),
    /// For this many samples.
    Tone(Tone, u64),
    Silence(u64),
}

impl Item {
    fn len(&self) -> u64 {
        match self {
            Item::Audio(audio) => audio.narrow_len() as u64,
            Item::Tone(_, samples) | Item::Silence(samples) => *samples,
        }
    }

    /// Writes the codes of G.711 of the samples from `at` on; the item reaches that far.
    fn write(&self, at: u64, law: Law, tones: &ToneTable, out: &mut [u8]) {
        match self {
            Item::Audio(audio) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let codes = audio.encoded(law).get(from..).unwrap_or_default();
                for (to, code) in out.iter_mut().zip(codes) {
                    *to = *code;
                }
            }
            Item::Tone(tone, _) => {
                for (to, at) in out.iter_mut().zip(at..) {
                    *to = g711::encode(law, tones.sample(*tone, at));
                }
            }
            Item::Silence(_) => out.fill(g711::silence(law)),
        }
    }

    /// Writes the samples from `at` on, at 8 kHz.
    fn write_pcm(&self, at: u64, tones: &ToneTable, out: &mut [i16]) {
        match self {
            Item::Audio(audio) => audio.write_narrow(usize::try_from(at).unwrap_or(usize::MAX), out),
            Item::Tone(tone, _) => {
                for (to, at) in out.iter_mut().zip(at..) {
                    *to = tones.sample(*tone, at);
                }
            }
            Item::Silence(_) => out.fill(0),
        }
    }

    /// The same at 16 kHz; `at` counts at 8.
    fn write_wide(&self, at: u64, tones: &ToneTable, out: &mut [i16]) {
        match self {
            Item::Audio(audio) => audio.write_wide(usize::try_from(at).unwrap_or(usize::MAX / 4), out),
            Item::Tone(tone, _) => {
                for (to, at) in out.iter_mut().zip(at.saturating_mul(2)..) {
                    *to = tones.wide(*tone, at);
                }
            }
            Item::Silence(_) => out.fill(0),
        }
    }
}

/// Where in the playlist we are.
#[derive(Clone, Debug)]
pub(crate) struct Player {
    playback: PlaybackId,
    items: Vec<Item>,
    repeat: Repeat,
    item: usize,
    /// Samples of the item already played, at 8 kHz.
    at: u64,
}

impl Player {
    /// A player with nothing to play yet, and room for so many items. Allocates.
    pub(crate) fn with_room(playback: PlaybackId, items: usize) -> Self {
        Self { playback, items: Vec::with_capacity(items), repeat: Repeat::Once, item: 0, at: 0 }
    }

    /// At the beginning of these. Whether there is anything to play in them.
    pub(crate) fn begin(
        &mut self,
        playback: PlaybackId,
        items: impl Iterator<Item = Item>,
        repeat: Repeat,
    ) -> bool {
        self.items.clear();
        self.items.extend(items.filter(|item| item.len() > 0));
        (self.playback, self.repeat, self.item, self.at) = (playback, repeat, 0, 0);
        !self.items.is_empty()
    }

    /// For how many items there is room.
    pub(crate) fn room(&self) -> usize {
        self.items.capacity()
    }

    /// Which playback this is.
    pub(crate) fn playback(&self) -> PlaybackId {
        self.playback
    }

    /// Whether anything in it has more than the telephone band.
    pub(crate) fn is_wide(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Audio(audio) if audio.is_wide()))
    }

    /// The next frame, as codes of G.711; what is left of it after the end is silence. Says whether the playlist has ended.
    pub(crate) fn frame(&mut self, law: Law, tones: &ToneTable, out: &mut [u8]) -> bool {
        let rest = self.each(out, 1, |item, at, now| item.write(at, law, tones, now));
        rest.fill(g711::silence(law));
        self.has_ended()
    }

    /// The same as samples at 8 kHz.
    pub(crate) fn pcm(&mut self, tones: &ToneTable, out: &mut [i16]) -> bool {
        let rest = self.each(out, 1, |item, at, now| item.write_pcm(at, tones, now));
        rest.fill(0);
        self.has_ended()
    }

    /// The same as samples at 16 kHz, an even number of them.
    pub(crate) fn wide(&mut self, tones: &ToneTable, out: &mut [i16]) -> bool {
        let rest = self.each(out, 2, |item, at, now| item.write_wide(at, tones, now));
        rest.fill(0);
        self.has_ended()
    }

    /// Moves on by as many samples as `out` has, `per` of them for each at 8 kHz, item after item; what is left of it after the
    /// end.
    fn each<'a, T>(
        &mut self,
        out: &'a mut [T],
        per: usize,
        mut write: impl FnMut(&Item, u64, &mut [T]),
    ) -> &'a mut [T] {
        let mut rest = out;
        while rest.len() >= per {
            let Some((item, at, len)) = self.take(rest.len() / per) else {
                break;
            };
            let (now, after) = rest.split_at_mut(len * per);
            if let Some(item) = self.items.get(item) {
                write(item, at, now);
            }
            rest = after;
        }
        rest
    }

    /// Time passes and nothing is heard. Says whether the playlist has ended.
    pub(crate) fn skip(&mut self, samples: u32) -> bool {
        let mut rest = samples as usize;
        while rest > 0 {
            match self.take(rest) {
                Some((_, _, len)) => rest -= len,
                None => break,
            }
        }
        self.has_ended()
    }

    fn has_ended(&self) -> bool {
        self.item >= self.items.len()
    }

    /// Moves on by at most `most` samples of one item: which item, from where, how many.
    fn take(&mut self, most: usize) -> Option<(usize, u64, usize)> {
        let item = self.item;
        let left = self.items.get(item)?.len() - self.at;
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(most);
        let at = self.at;
        self.at += len as u64;
        if len as u64 == left {
            self.at = 0;
            self.item += 1;
            if self.repeat == Repeat::Forever {
                self.item %= self.items.len();
            }
        }
        Some((item, at, len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};

    fn player(items: Vec<Item>, repeat: Repeat) -> Option<Player> {
        let playback = IdMaker::new(1, 0).playback(TenantId::DEFAULT);
        let mut player = Player::with_room(playback, items.len());
        player.begin(playback, items.into_iter(), repeat).then_some(player)
    }

    fn ramp(from: i16, samples: i16) -> Item {
        let pcm: Vec<i16> = (from..from + samples).map(|n| n * 256).collect();
        Item::Audio(Arc::new(Audio::from_pcm(&pcm)))
    }

    fn codes(item: &Item) -> Vec<u8> {
        match item {
            Item::Audio(audio) => audio.encoded(Law::A).to_vec(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn items_follow_each_other_within_a_frame_and_the_end_is_padded() {
        let (a, b) = (ramp(0, 6), ramp(20, 7));
        let expected = [codes(&a), vec![0xd5; 2], codes(&b), vec![0xd5; 1]].concat();
        let mut player = player(vec![a, Item::Silence(2), b], Repeat::Once).unwrap();
        let tones = ToneTable::new();
        let mut out = [0; 16];
        assert!(!player.frame(Law::A, &tones, &mut out[..8]));
        assert!(player.frame(Law::A, &tones, &mut out[8..]));
        assert_eq!(out.as_slice(), expected);
    }

    #[test]
    fn for_ever_begins_again_within_the_frame() {
        let a = ramp(0, 6);
        let expected = codes(&a).repeat(4);
        let mut player = player(vec![a], Repeat::Forever).unwrap();
        let mut out = [0; 24];
        for frame in out.chunks_mut(8) {
            assert!(!player.frame(Law::A, &ToneTable::new(), frame));
        }
        assert_eq!(out.as_slice(), expected);
    }

    #[test]
    fn skipping_goes_as_far_as_playing() {
        let items = || vec![ramp(0, 100), Item::Tone(Tone::Beep, 50), Item::Silence(30)];
        let (mut played, mut skipped) =
            (player(items(), Repeat::Once).unwrap(), player(items(), Repeat::Once).unwrap());
        let mut out = [0; 16];
        for _ in 0..12 {
            let ended = played.frame(Law::Mu, &ToneTable::new(), &mut out);
            assert_eq!(skipped.skip(16), ended);
        }
        assert!(played.has_ended());
    }

    #[test]
    fn at_16_khz_items_of_both_rates_follow_each_other_as_long_as_at_8() {
        let loud = |rate: u32| {
            let pcm = (0..rate / 5).map(|n| if n % 3 == 0 { 9_000 } else { -4_500 }).collect();
            Item::Audio(Arc::new(Audio::from_samples(pcm, rate).unwrap()))
        };
        let items = || vec![loud(16_000), Item::Tone(Tone::Hertz(1_000), 99), loud(8_000), Item::Silence(77)];
        let mut narrow = player(items(), Repeat::Forever).unwrap();
        let mut wide = player(items(), Repeat::Forever).unwrap();
        assert!(wide.is_wide() && !player(vec![loud(8_000)], Repeat::Once).unwrap().is_wide());
        let tones = ToneTable::new();
        for _ in 0..70 {
            let (mut eight, mut sixteen) = ([0; 80], [0; 160]);
            narrow.pcm(&tones, &mut eight);
            wide.wide(&tones, &mut sixteen);
            assert_eq!((narrow.item, narrow.at), (wide.item, wide.at));
        }
        let mut once = player(vec![Item::Tone(Tone::Hertz(1_000), 99), loud(8_000)], Repeat::Once).unwrap();
        let mut out = [1; 4_000];
        assert!(once.wide(&tones, &mut out));
        assert_eq!(out[198], 9_000, "the samples of 8 kHz are every second one of 16");
        assert!(out[198 + 3_200..].iter().all(|sample| *sample == 0));
    }

    #[test]
    fn nothing_is_no_playlist() {
        assert!(player(vec![], Repeat::Once).is_none());
        assert!(player(vec![Item::Silence(0)], Repeat::Forever).is_none());
    }
}
