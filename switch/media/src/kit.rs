//! What obeying a command needs, made before it is given: codec states, feeds, keys at work, ears, players, recorders.
//!
//! Invariant: a kit changes nothing of what is heard, and none is ever needed. The engine takes from it what fits and makes
//! itself what is missing, which is counted; what it has no more use for, of legs that ended too, it gives away by
//! [`MediaEngine::poll_discarded`](crate::MediaEngine::poll_discarded), and frees nothing itself as long as there is room for
//! that, which is counted as well. So a thread that carries packets neither allocates nor frees for the calls that come and go.
//!
//! Deliberately absent: kits for ICE and DTLS, whose parts come to be step by step with what the peer sends; for mixes, whose
//! members are stated whole; and for legs that go from one thread to another.

mod maker;

pub use maker::KitMaker;

use crate::audio::Audio;
use crate::codec::Decoder;
use crate::codec::opus::OpusConfig;
use crate::graph::ear::Ear;
use crate::graph::feed::Feed;
use crate::graph::fit::Fit;
use crate::graph::leg::Coders;
use crate::graph::live::Live;
use crate::graph::mouth::Mouth;
use crate::graph::player::Player;
use crate::graph::recorder::Recorder;
use crate::srtp::Srtp;
use cordboard_model::id::{PlaybackId, RecordingId};
use cordboard_model::media::{Codec, MediaCommand, OpusParams};
use cordboard_model::srtp::SrtpKeys;
use cordboard_model::time::{Duration, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// Discarded things that may wait for who frees them: those of some legs that end at once. They are asked for after each
/// command.
const SPENT: usize = 256;

/// What a command needs. Made by a [`KitMaker`].
#[derive(Debug, Default)]
#[expect(
    clippy::vec_box,
    reason = "each is used in its box: to put it into one would allocate where it is used"
)]
pub struct Kit {
    /// The command itself, once it was obeyed: it has lists and names of its own.
    obeyed: Option<MediaCommand>,
    coders: Option<Box<Coders>>,
    mouths: Vec<Box<Mouth>>,
    tapes: Vec<(Codec, Box<Decoder>)>,
    feeds: Vec<Box<Feed>>,
    fits: Vec<Box<Fit>>,
    ear: Option<Box<Ear>>,
    srtp: Option<Box<Srtp>>,
    player: Option<Box<Player>>,
    recorder: Option<Box<Recorder>>,
    live: Option<Box<Live>>,
}

/// Something that an engine has no more use for: to be dropped where freeing it holds up nothing.
pub struct Discarded(#[expect(dead_code, reason = "it is only dropped")] Left);

/// What is left of it.
#[expect(dead_code, reason = "they are only dropped")]
enum Left {
    Part(Box<dyn Send>),
    Audio(Arc<Audio>),
}

impl core::fmt::Debug for Discarded {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Discarded")
    }
}

impl From<Arc<Audio>> for Discarded {
    fn from(audio: Arc<Audio>) -> Self {
        Self(Left::Audio(audio))
    }
}

/// What was made and freed by an engine itself, although kits are there to save it from that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KitCounters {
    /// Parts that no kit had.
    pub made_here: u64,
    /// Parts that nobody had asked for in time.
    pub freed_here: u64,
}

/// An engine's parts: those of the kit in hand, and those that it is done with.
#[derive(Debug)]
pub(crate) struct Stock {
    opus: OpusConfig,
    kit: Option<Box<Kit>>,
    spent: VecDeque<Discarded>,
    counters: KitCounters,
}

impl Stock {
    /// Without a kit. `opus`: how what is made here encodes.
    pub(crate) fn new(opus: OpusConfig) -> Self {
        Self { opus, kit: None, spent: VecDeque::with_capacity(SPENT), counters: KitCounters::default() }
    }

    /// The kit of the command that is obeyed next.
    pub(crate) fn open(&mut self, kit: Option<Box<Kit>>) {
        self.kit = kit;
    }

    /// The command was obeyed: it goes with its kit.
    pub(crate) fn shut(&mut self, obeyed: MediaCommand) {
        if let Some(mut kit) = self.kit.take() {
            kit.obeyed = Some(obeyed);
            self.discard(kit);
        }
    }

    /// Something is needed no more.
    pub(crate) fn discard<T: Send + 'static>(&mut self, part: impl Into<Option<Box<T>>>) {
        if let Some(part) = part.into() {
            self.give_away(Discarded(Left::Part(part)));
        }
    }

    fn give_away(&mut self, discarded: Discarded) {
        if self.spent.len() < SPENT {
            self.spent.push_back(discarded);
        } else {
            self.counters.freed_here += 1;
        }
    }

    /// The next thing that is needed no more.
    pub(crate) fn poll(&mut self) -> Option<Discarded> {
        self.spent.pop_front()
    }

    pub(crate) fn counters(&self) -> KitCounters {
        self.counters
    }

    /// A part of the kit, or one that is made now.
    fn take<T>(&mut self, of: impl FnOnce(&mut Kit) -> Option<T>, make: impl FnOnce() -> T) -> T {
        match self.kit.as_deref_mut().and_then(of) {
            Some(part) => part,
            None => {
                self.counters.made_here += 1;
                make()
            }
        }
    }

    pub(crate) fn coders(&mut self, codec: Codec, opus: OpusParams) -> Box<Coders> {
        let config = self.opus;
        self.take(
            |kit| kit.coders.take_if(|coders| coders.codec == codec && coders.opus == opus),
            || Box::new(Coders::new(codec, opus, &config)),
        )
    }

    pub(crate) fn mouth(&mut self, codec: Codec, opus: OpusParams, rate: u32) -> Box<Mouth> {
        let (config, rate) = (self.opus, rate.min(codec.sample_hz()));
        let fits = |mouth: &Mouth| mouth.codec == codec && mouth.opus == opus && mouth.rate() == rate;
        self.take(
            |kit| pick(&mut kit.mouths, |mouth| fits(mouth)),
            || Box::new(Mouth::at(codec, opus, rate, &config)),
        )
    }

    pub(crate) fn tape(&mut self, codec: Codec, rate: u32) -> Box<Decoder> {
        let rate = rate.min(codec.sample_hz());
        let found = |kit: &mut Kit| {
            pick(&mut kit.tapes, |(of, tape)| *of == codec && tape.rate() == rate).map(|(_, tape)| tape)
        };
        self.take(found, || Box::new(Decoder::at(codec, rate)))
    }

    pub(crate) fn feed(&mut self, codec: Codec, rate: u32) -> Box<Feed> {
        self.take(
            |kit| pick(&mut kit.feeds, |feed| feed.codec() == codec && feed.rate() == rate),
            || Box::new(Feed::new(codec, rate)),
        )
    }

    /// From one rate to the other; `None` if they are the same.
    pub(crate) fn fit(&mut self, from: u32, to: u32) -> Option<Box<Fit>> {
        let found = |kit: &mut Kit| pick(&mut kit.fits, |fit| fit.rates() == (from, to)).map(Some);
        self.take(found, || Fit::new(from, to).map(Box::new))
    }

    pub(crate) fn ear(&mut self, codec: Codec) -> Box<Ear> {
        self.take(|kit| kit.ear.take_if(|ear| ear.codec() == codec), || Box::new(Ear::new(codec)))
    }

    /// `None` only for keys whose lengths are not their suite's.
    pub(crate) fn srtp(&mut self, keys: &SrtpKeys) -> Option<Box<Srtp>> {
        let found = |kit: &mut Kit| kit.srtp.take_if(|srtp| srtp.is_for(keys)).map(Some);
        self.take(found, || Srtp::new(keys).map(Box::new))
    }

    /// One without items.
    pub(crate) fn player(&mut self, playback: PlaybackId, items: usize) -> Box<Player> {
        self.take(
            |kit| kit.player.take_if(|player| player.room() >= items),
            || Box::new(Player::with_room(playback, items)),
        )
    }

    /// One that begins now.
    pub(crate) fn recorder(
        &mut self,
        id: RecordingId,
        rate: u32,
        ring: Duration,
        now: Time,
    ) -> Box<Recorder> {
        let mut recorder = self.take(
            |kit| kit.recorder.take_if(|recorder| recorder.rate() == rate),
            || Box::new(Recorder::new(id, rate, ring, now)),
        );
        recorder.begin(id, now);
        recorder
    }

    pub(crate) fn live(&mut self, codec: Codec, talks: bool) -> Box<Live> {
        self.take(|kit| kit.live.take_if(|live| live.is_for(codec)), || Box::new(Live::new(codec, talks)))
    }
}

/// Takes out the first that fits.
fn pick<T>(parts: &mut Vec<T>, fits: impl FnMut(&T) -> bool) -> Option<T> {
    let at = parts.iter().position(fits)?;
    Some(parts.swap_remove(at))
}
