//! A room in which more than two hear each other, or in which not everybody hears everybody.
//!
//! Invariants: who hears whom is a matrix of bits, stated whole by a command; nobody hears himself. A member's audio is
//! pulled once for each step and summed once for each distinct set of speakers; members that hear the same, in the same
//! codec and packet length, share one encoder and its packets. A sum never wraps: it is clipped. A step allocates nothing.

use crate::codec::Encoder;
use crate::codec::opus::OpusConfig;
use crate::graph::feed::{Feed, Pulled};
use crate::graph::loudness::{Gain, Speaker, mean_square};
use cordboard_model::id::CallId;
use cordboard_model::media::{Codec, MIX_MEMBERS_MAX, OpusParams};
use cordboard_model::time::{Duration, Time};

/// Samples a second of what is mixed. Of everything here that counts in samples, this is the one place that says how long
/// one is.
pub(crate) const RATE: u32 = 8_000;
/// A step, milliseconds, where every member's packets are a multiple of it, and where not.
const STEP_MS: u8 = 20;
const SHORT_STEP_MS: u8 = 10;
/// Samples of the longest step.
const STEP_SAMPLES: usize = samples_of(STEP_MS);
/// Samples of the longest packet, 60 ms, and what a step may leave over.
const FRAME_SAMPLES: usize = samples_of(60);
/// Bytes of the longest packet: 30 ms of L16.
const CODES_MAX: usize = 2 * FRAME_SAMPLES;

const fn samples_of(ms: u8) -> usize {
    ms as usize * (RATE as usize / 1_000)
}

/// Where a leg sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    /// Key of the mix.
    pub mix: u32,
    pub place: u8,
    /// Nobody hears its party in the mix, and no recording does.
    pub muted: bool,
}

/// What a member is sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub codec: Codec,
    pub ptime_ms: u8,
    /// What the party wants of Opus: members that want other things have encoders of their own.
    pub opus: OpusParams,
}

/// One who sits in the room. A place whose leg has gone stays empty until the matrix is stated anew.
#[derive(Debug)]
pub(crate) struct Member {
    /// Key of the leg.
    pub leg: Option<u32>,
    /// Bit n: hears the member at place n.
    pub hears: u32,
    /// Heard by nobody.
    pub muted: bool,
    /// What it is sent in; `None` until that was agreed.
    pub shape: Option<Shape>,
    /// What it says, if anybody hears it.
    pub feed: Option<Box<Feed>>,
    gain: Gain,
    pcm: [i16; STEP_SAMPLES],
    /// Which of the outs it is sent.
    out: Option<u8>,
}

impl Member {
    pub(crate) fn new(leg: Option<u32>, hears: u32, muted: bool) -> Self {
        Self {
            leg,
            hears,
            muted,
            shape: None,
            feed: None,
            gain: Gain::default(),
            pcm: [0; STEP_SAMPLES],
            out: None,
        }
    }
}

/// What one or several members are sent.
#[derive(Debug)]
struct Out {
    hears: u32,
    shape: Shape,
    encoder: Encoder,
    pcm: [i16; FRAME_SAMPLES + STEP_SAMPLES],
    held: usize,
    codes: [u8; CODES_MAX],
    /// Length of the packet's payload that this step has made, and where in time it begins.
    ready: Option<(usize, Time)>,
}

impl Out {
    fn new(hears: u32, shape: Shape, opus: &OpusConfig) -> Self {
        Self {
            hears,
            shape,
            encoder: Encoder::at(shape.codec, RATE, opus, &shape.opus),
            pcm: [0; FRAME_SAMPLES + STEP_SAMPLES],
            held: 0,
            codes: [0; CODES_MAX],
            ready: None,
        }
    }

    /// Takes a step's mix; makes a packet when there is enough for one.
    fn take(&mut self, mixed: &[i16], at: Time) {
        self.ready = None;
        let end = self.held + mixed.len();
        if let Some(room) = self.pcm.get_mut(self.held..end) {
            room.copy_from_slice(mixed);
            self.held = end;
        }
        let frame = samples_of(self.shape.ptime_ms).min(FRAME_SAMPLES);
        if self.held < frame {
            return;
        }
        let before = self.held.saturating_sub(mixed.len());
        let begins = at - Duration::from_millis((before as u64 * 1_000) / u64::from(RATE));
        let len = self.encoder.encode(self.pcm.get(..frame).unwrap_or_default(), &mut self.codes);
        self.pcm.copy_within(frame..self.held, 0);
        self.held -= frame;
        self.ready = Some((len, begins));
    }
}

/// Steps that are due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beat {
    /// The millisecond of the oldest step not made yet.
    pub at_ms: u64,
    pub pending: u8,
    /// Steps that came too late to be made.
    pub skipped: u32,
    /// It stands in the queue of those with steps to make.
    pub queued: bool,
    /// Members that were looked at for a packet of the present step; all, if none is under way.
    pub told: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Mix {
    pub id: CallId,
    opus: OpusConfig,
    pub members: Vec<Member>,
    /// Everybody is made as loud.
    pub gain: bool,
    pub beat: Beat,
    outs: Vec<Out>,
    speaker: Speaker,
    step_ms: u8,
    mixed: [i16; STEP_SAMPLES],
    total: [i32; STEP_SAMPLES],
}

impl Mix {
    /// An empty room. Allocates.
    pub(crate) fn new(id: CallId, opus: OpusConfig) -> Self {
        Self {
            id,
            opus,
            members: Vec::with_capacity(4),
            gain: false,
            beat: Beat { told: usize::MAX, ..Beat::default() },
            outs: Vec::new(),
            speaker: Speaker::default(),
            step_ms: STEP_MS,
            mixed: [0; STEP_SAMPLES],
            total: [0; STEP_SAMPLES],
        }
    }

    /// How far a step goes, milliseconds.
    pub(crate) fn step_ms(&self) -> u8 {
        self.step_ms
    }

    /// Whether nobody is left in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.iter().all(|member| member.leg.is_none())
    }

    /// Keys of the legs that are there.
    pub(crate) fn legs(&self) -> impl Iterator<Item = u32> {
        self.members.iter().filter_map(|member| member.leg)
    }

    /// Seats everybody anew. Who sat at another place and is heard now keeps how loud he is made.
    pub(crate) fn seat(&mut self, mut members: Vec<Member>) {
        let mut moved = [None; MIX_MEMBERS_MAX];
        for (place, member) in members.iter_mut().enumerate() {
            let same = |old: &Member| old.leg.is_some() && old.leg == member.leg;
            if let Some(before) = self.members.iter().position(same) {
                member.gain = self.members.get(before).map_or(member.gain, |old| old.gain);
                if let Some(to) = moved.get_mut(before) {
                    *to = Some(place);
                }
            }
        }
        self.speaker.moves(&moved);
        self.members = members;
    }

    /// Those that somebody may hear.
    fn speakers(&self) -> u32 {
        let can = |(place, member): (usize, &Member)| match (member.leg, member.muted) {
            (Some(_), false) => bit(place),
            _ => 0,
        };
        self.members.iter().enumerate().map(can).fold(0, core::ops::BitOr::bitor)
    }

    /// Whom a member hears.
    pub(crate) fn heard_by(&self, place: usize) -> u32 {
        let hears = self.members.get(place).map_or(0, |member| member.hears);
        hears & !bit(place) & self.speakers()
    }

    /// Whether anybody hears a member.
    pub(crate) fn is_heard(&self, place: usize) -> bool {
        let hears = |at: usize| {
            self.members.get(at).is_some_and(|m| m.leg.is_some()) && self.heard_by(at) & bit(place) != 0
        };
        (0..self.members.len()).any(hears)
    }

    /// Sets who is sent what, after the matrix or what a member agreed on has changed. An encoder whose packets are still
    /// wanted goes on. Allocates.
    pub(crate) fn arrange(&mut self) {
        let mut old = core::mem::take(&mut self.outs);
        for place in 0..self.members.len() {
            let hears = self.heard_by(place);
            let Some(member) = self.members.get_mut(place) else {
                continue;
            };
            member.out = None;
            let Some(shape) = member.shape.filter(|_| member.leg.is_some()) else {
                continue;
            };
            let same = |out: &Out| out.hears == hears && out.shape == shape;
            let at = self.outs.iter().position(same).unwrap_or_else(|| {
                let kept = old.iter().position(same).map(|at| old.swap_remove(at));
                self.outs.push(kept.unwrap_or_else(|| Out::new(hears, shape, &self.opus)));
                self.outs.len() - 1
            });
            member.out = u8::try_from(at).ok();
        }
        let whole = |out: &Out| out.shape.ptime_ms.is_multiple_of(STEP_MS);
        self.step_ms = if self.outs.iter().all(whole) { STEP_MS } else { SHORT_STEP_MS };
    }

    /// Empties a place. The speaker, if it was that one, speaks no more: true.
    pub(crate) fn vacate(&mut self, place: usize) -> bool {
        if let Some(member) = self.members.get_mut(place) {
            *member = Member::new(None, 0, false);
        }
        self.arrange();
        self.speaker.leaves(place)
    }

    /// Makes one step. Says who speaks, if that has changed: a place, or nobody.
    pub(crate) fn step(&mut self, at: Time) -> Option<Option<usize>> {
        let samples = samples_of(self.step_ms);
        let mut sounding = 0;
        let mut levels = [0.0; MIX_MEMBERS_MAX];
        for ((place, member), level) in self.members.iter_mut().enumerate().zip(&mut levels) {
            let Some(feed) = member.feed.as_mut().filter(|feed| feed.is_on()) else {
                continue;
            };
            let pcm = member.pcm.get_mut(..samples).unwrap_or_default();
            if feed.pull(pcm, at) != Pulled::Sound || member.muted {
                continue;
            }
            *level = mean_square(pcm);
            if self.gain {
                member.gain.apply(pcm, *level);
            }
            sounding |= bit(place);
        }
        self.sum_all(sounding, samples);
        for at_out in 0..self.outs.len() {
            let Some(hears) = self.outs.get(at_out).map(|out| out.hears & sounding) else {
                continue;
            };
            self.sum(hears, sounding, samples);
            if let Some(out) = self.outs.get_mut(at_out) {
                out.take(self.mixed.get(..samples).unwrap_or_default(), at);
            }
        }
        let levels = levels.get(..self.members.len()).unwrap_or_default();
        self.speaker.step(levels, self.step_ms)
    }

    fn sum_all(&mut self, sounding: u32, samples: usize) {
        let Self { members, total, .. } = self;
        total.fill(0);
        if sounding.count_ones() < 3 {
            return; // nobody hears more than one: the sum of all is not wanted
        }
        for (_, member) in members.iter().enumerate().filter(|(place, _)| sounding & bit(*place) != 0) {
            for (sum, sample) in total.iter_mut().zip(&member.pcm).take(samples) {
                *sum += i32::from(*sample);
            }
        }
    }

    /// Mixes those of `hears`: by adding them up, or by taking the others from the sum of all, whichever is less work.
    fn sum(&mut self, hears: u32, sounding: u32, samples: usize) {
        let Self { members, total, mixed, .. } = self;
        let mut sums = [0i32; STEP_SAMPLES];
        let missing = sounding & !hears;
        let by_all = sounding.count_ones() >= 3 && missing.count_ones() < hears.count_ones();
        let (places, sign) = if by_all { (missing, -1) } else { (hears, 1) };
        if by_all {
            sums = *total;
        }
        for (_, member) in members.iter().enumerate().filter(|(place, _)| places & bit(*place) != 0) {
            for (sum, sample) in sums.iter_mut().zip(&member.pcm).take(samples) {
                *sum += sign * i32::from(*sample);
            }
        }
        for (sample, sum) in mixed.iter_mut().zip(sums) {
            *sample = sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
    }

    /// What this step has made for a member: its leg, the packet's payload, and when it begins.
    pub(crate) fn packet_for(&self, place: usize) -> Option<(u32, &[u8], Time)> {
        let member = self.members.get(place)?;
        let out = self.outs.get(usize::from(member.out?))?;
        let (len, at) = out.ready?;
        Some((member.leg?, out.codes.get(..len)?, at))
    }
}

/// The bit of a place.
pub(crate) fn bit(place: usize) -> u32 {
    u32::try_from(place).ok().and_then(|place| 1u32.checked_shl(place)).unwrap_or(0)
}
