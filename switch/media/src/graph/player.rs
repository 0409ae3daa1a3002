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
            Item::Audio(audio) => audio.pcm().len() as u64,
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
            Item::Audio(audio) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let pcm = audio.pcm().get(from..).unwrap_or_default();
                for (to, sample) in out.iter_mut().zip(pcm) {
                    *to = *sample;
                }
            }
            Item::Tone(tone, _) => {
                for (to, at) in out.iter_mut().zip(at..) {
                    *to = tones.sample(*tone, at);
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
    items: Box<[Item]>,
    repeat: Repeat,
    item: usize,
    /// Samples of the item already played.
    at: u64,
}

impl Player {
    /// A player at the beginning of `items`. `None` if there is nothing to play in them.
    pub(crate) fn new(playback: PlaybackId, mut items: Vec<Item>, repeat: Repeat) -> Option<Self> {
        items.retain(|item| item.len() > 0);
        (!items.is_empty()).then(|| Self { playback, items: items.into(), repeat, item: 0, at: 0 })
    }

    /// Which playback this is.
    pub(crate) fn playback(&self) -> PlaybackId {
        self.playback
    }

    /// The next frame, as codes of G.711; what is left of it after the end is silence. Says whether the playlist has ended.
    pub(crate) fn frame(&mut self, law: Law, tones: &ToneTable, out: &mut [u8]) -> bool {
        let rest = self.each(out, |item, at, now| item.write(at, law, tones, now));
        rest.fill(g711::silence(law));
        self.has_ended()
    }

    /// The same as samples at 8 kHz.
    pub(crate) fn pcm(&mut self, tones: &ToneTable, out: &mut [i16]) -> bool {
        let rest = self.each(out, |item, at, now| item.write_pcm(at, tones, now));
        rest.fill(0);
        self.has_ended()
    }

    /// Moves on by as many samples as `out` has, item after item; what is left of it after the end.
    fn each<'a, T>(&mut self, out: &'a mut [T], mut write: impl FnMut(&Item, u64, &mut [T])) -> &'a mut [T] {
        let mut rest = out;
        while !rest.is_empty() {
            let Some((item, at, len)) = self.take(rest.len()) else {
                break;
            };
            let (now, after) = rest.split_at_mut(len);
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
        Player::new(IdMaker::new(1, 0).playback(TenantId::DEFAULT), items, repeat)
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
    fn nothing_is_no_playlist() {
        assert!(player(vec![], Repeat::Once).is_none());
        assert!(player(vec![Item::Silence(0)], Repeat::Forever).is_none());
    }
}
