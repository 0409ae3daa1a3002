//! A leg's audio handed out in even pieces while a program listens, and the program's audio on its way to the party.
//!
//! Invariant: made by a command; no packet and no tick allocates after that. Both ways are bounded: of what nobody takes
//! the oldest is dropped and counted, and what does not fit in is refused and counted by whoever brings it.

use crate::codec::g711::{self, Law};
use crate::graph::feed::{Feed, Pulled};
use crate::kit::Stock;
use cordboard_model::id::StreamId;
use cordboard_model::media::Codec;
use cordboard_model::stream::Track;
use cordboard_model::time::{Duration, Time};

/// Samples a second, of either way.
pub(crate) const LIVE_HZ: u32 = 8_000;
/// Samples of one piece: 20 ms.
pub const LIVE_CHUNK: usize = 160;
/// How often a piece is handed out.
pub(crate) const LIVE_STEP: Duration = Duration::from_millis(20);
/// Pieces that wait to be taken: a fifth of a second, after which whoever takes them hangs.
const WAITING: usize = 10;
/// Samples that wait to be played. Who brings them stays about 200 ms ahead, so this is never full but by mistake.
const AHEAD: usize = 8_000;

/// One piece of what a party says, in mu-law, with how far the program's audio has been played.
#[derive(Clone, Copy, Debug)]
pub struct LiveChunk {
    /// Of the program that has the party.
    pub talker: Option<StreamId>,
    /// Of the program that listens, and what it calls this party.
    pub listener: Option<(StreamId, Track)>,
    /// 20 ms.
    pub codes: [u8; LIVE_CHUNK],
    /// Pieces before this one that nobody took in time.
    pub dropped: u64,
    /// Samples of the program's that were played, or thrown away by its wish, since the beginning.
    pub played: u64,
    /// And that were taken: what is handed in next is the sample after these.
    pub taken: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Live {
    talker: Option<StreamId>,
    listener: Option<(StreamId, Track)>,
    feed: Box<Feed>,
    pieces: [[u8; LIVE_CHUNK]; WAITING],
    first: usize,
    waiting: usize,
    dropped: u64,
    down: Box<[i16]>,
    at: usize,
    held: usize,
    played: u64,
    pub queued: bool,
}

impl Live {
    /// Begins, of nobody yet, with room for what a program says if it is to say anything; allocates.
    pub(crate) fn new(codec: Codec, talks: bool) -> Self {
        Self {
            talker: None,
            listener: None,
            feed: Box::new(Feed::new(codec, LIVE_HZ)),
            pieces: [[0; LIVE_CHUNK]; WAITING],
            first: 0,
            waiting: 0,
            dropped: 0,
            down: vec![0; if talks { AHEAD } else { 0 }].into(),
            at: 0,
            held: 0,
            played: 0,
            queued: false,
        }
    }

    /// A program has the party from now on. Allocates if none was expected to.
    pub(crate) fn talk(&mut self, stream: StreamId) {
        self.talker = Some(stream);
        if self.down.is_empty() {
            self.down = vec![0; AHEAD].into();
        }
        self.down.fill(0);
        (self.at, self.held, self.played) = (0, 0, 0);
    }

    /// Whether it decodes what a party says in this codec.
    pub(crate) fn is_for(&self, codec: Codec) -> bool {
        self.feed.codec() == codec
    }

    /// A program listens from now on.
    pub(crate) fn listen(&mut self, stream: StreamId, track: Track) {
        self.listener = Some((stream, track));
    }

    /// One of them is done.
    pub(crate) fn stop(&mut self, stream: StreamId) {
        self.talker = self.talker.filter(|talker| *talker != stream);
        self.listener = self.listener.filter(|(listener, _)| *listener != stream);
    }

    /// Whether no program is left.
    pub(crate) fn is_idle(&self) -> bool {
        self.talker.is_none() && self.listener.is_none()
    }

    /// The program that has the party.
    pub(crate) fn talker(&self) -> Option<StreamId> {
        self.talker
    }

    /// Where the party's packets go.
    pub(crate) fn feed(&mut self) -> &mut Feed {
        &mut self.feed
    }

    /// The party speaks another codec from now on.
    pub(crate) fn set_codec(&mut self, codec: Codec, stock: &mut Stock) {
        if self.feed.codec() != codec {
            let made = stock.feed(codec, LIVE_HZ);
            stock.discard(core::mem::replace(&mut self.feed, made));
        }
    }

    /// 20 ms have passed.
    pub(crate) fn step(&mut self, now: Time) {
        let mut pcm = [0; LIVE_CHUNK];
        if self.feed.is_on() && self.feed.pull(&mut pcm, now) != Pulled::Sound {
            pcm = [0; LIVE_CHUNK];
        }
        if self.waiting == WAITING {
            self.first = (self.first + 1) % WAITING;
            self.waiting -= 1;
            self.dropped += 1;
        }
        let place = (self.first + self.waiting) % WAITING;
        if let Some(piece) = self.pieces.get_mut(place) {
            for (code, sample) in piece.iter_mut().zip(pcm) {
                *code = g711::encode(Law::Mu, sample);
            }
        }
        self.waiting += 1;
    }

    /// The oldest piece that waits.
    pub(crate) fn take(&mut self) -> Option<LiveChunk> {
        if self.waiting == 0 {
            return None;
        }
        let codes = self.pieces.get(self.first).copied()?;
        self.first = (self.first + 1) % WAITING;
        self.waiting -= 1;
        let dropped = core::mem::take(&mut self.dropped);
        let taken = self.played + self.held as u64;
        let (talker, listener) = (self.talker, self.listener);
        Some(LiveChunk { talker, listener, codes, dropped, played: self.played, taken })
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Audio of the program, in mu-law, from its sample `at` on; says how many samples found room. What it has already is
    /// passed over, and what was lost on the way to it counts as played: places in the program's audio stay places.
    pub(crate) fn put(&mut self, at: u64, codes: &[u8]) -> usize {
        let next = self.played + self.held as u64;
        self.played += at.saturating_sub(next);
        let known = usize::try_from(next.saturating_sub(at)).unwrap_or(usize::MAX);
        let codes = codes.get(known..).unwrap_or_default();
        let room = self.down.len() - self.held;
        let taken = codes.len().min(room);
        for code in codes.iter().take(taken) {
            let place = (self.at + self.held) % self.down.len();
            if let Some(sample) = self.down.get_mut(place) {
                *sample = g711::ULAW_TO_PCM[usize::from(*code)];
            }
            self.held += 1;
        }
        taken
    }

    /// Throws away what waits to be played of what comes before the program's sample `to`, taken or still on its way.
    pub(crate) fn clear(&mut self, to: u64) {
        let ahead = to.saturating_sub(self.played);
        let thrown = usize::try_from(ahead).unwrap_or(usize::MAX).min(self.held);
        self.pass(thrown);
        self.played += ahead;
    }

    /// The next samples for the party; silence where the program says nothing.
    pub(crate) fn say(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = 0;
            if self.held > 0 {
                *sample = self.down.get(self.at).copied().unwrap_or(0);
                self.at = (self.at + 1) % self.down.len();
                self.held -= 1;
                self.played += 1;
            }
        }
    }

    /// Time passes and nothing is heard.
    pub(crate) fn skip(&mut self, samples: u32) {
        let passed = (samples as usize).min(self.held);
        self.pass(passed);
        self.played += passed as u64;
    }

    /// Takes out so many, of those that are held. One who is only heard has no room for any.
    fn pass(&mut self, samples: usize) {
        if let Some(at) = (self.at + samples).checked_rem(self.down.len()) {
            self.at = at;
            self.held -= samples;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};

    fn live() -> Live {
        let mut live = Live::new(Codec::Pcmu, true);
        live.talk(IdMaker::new(1, 0).stream(TenantId::DEFAULT));
        live
    }

    #[test]
    fn what_is_played_is_counted_and_what_is_thrown_away_counts_as_played() {
        let mut live = live();
        let codes: Vec<u8> = (0..400u32).map(|n| g711::encode(Law::Mu, (n * 50) as i16)).collect();
        assert_eq!(live.put(0, &codes), 400);
        let mut out = [1; 160];
        live.say(&mut out);
        assert_eq!(
            out[..3],
            [0, g711::ULAW_TO_PCM[usize::from(codes[1])], g711::ULAW_TO_PCM[usize::from(codes[2])]]
        );
        live.skip(40);
        live.step(Time::ZERO);
        let piece = live.take().unwrap();
        assert_eq!((piece.played, piece.taken), (200, 400));
        live.clear(400);
        live.say(&mut out);
        assert_eq!(out, [0; 160]);
        live.step(Time::ZERO);
        assert_eq!(live.take().unwrap().played, 400);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_a_ring_goes_round_and_round() {
        let mut live = live();
        assert_eq!(live.put(0, &[0x80; 9_000]), AHEAD);
        assert_eq!(live.put(AHEAD as u64, &[0x80; 1]), 0);
        let mut out = [0; 160];
        for n in 0..200 {
            live.say(&mut out);
            assert!(out.iter().all(|sample| *sample == g711::ULAW_TO_PCM[0x80]));
            assert_eq!(live.put(AHEAD as u64 + n * 160, &[0x80; 160]), 160);
        }
    }

    #[test]
    fn what_comes_twice_is_heard_once_what_was_lost_keeps_its_place_and_a_late_clear_spares_what_is_new() {
        let mut live = live();
        let mut out = [0; 80];
        assert_eq!(live.put(0, &[0x10; 160]), 160);
        assert_eq!(live.put(80, &[0x20; 160]), 80, "the first half was there");
        for (code, played) in [(0x10, 80), (0x10, 160), (0x20, 240)] {
            live.say(&mut out);
            assert!(out.iter().all(|sample| *sample == g711::ULAW_TO_PCM[code]), "{played}");
            assert_eq!(live.played, played);
        }
        assert_eq!(live.put(400, &[0x30; 160]), 160, "160 samples never came");
        live.clear(100);
        assert_eq!((live.played, live.held), (400, 160), "that is long over");
        live.clear(480);
        assert_eq!((live.played, live.held), (480, 80));
        live.say(&mut out);
        assert_eq!((live.played, out[0]), (560, g711::ULAW_TO_PCM[0x30]));
        live.clear(1_000);
        assert_eq!(live.put(900, &[0x40; 200]), 100, "what was thrown away before it came is not heard");
        assert_eq!((live.played, live.held), (1_000, 100));
    }

    #[test]
    fn pieces_that_nobody_takes_are_dropped_oldest_first_and_counted() {
        let mut live = live();
        for ms in 0..13u64 {
            live.step(Time::from_millis(ms * 20));
        }
        let first = live.take().unwrap();
        assert_eq!(first.dropped, 3);
        let rest = core::iter::from_fn(|| live.take()).collect::<Vec<_>>();
        assert_eq!((rest.len(), rest[0].dropped), (9, 0));
        assert!(!live.has_waiting());
    }
}
