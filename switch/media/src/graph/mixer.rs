//! A room in which more than two hear each other, or in which not everybody hears everybody.
//!
//! Invariants: who hears whom is a matrix of bits, stated whole by a command; nobody hears himself. A member's audio is
//! pulled once for each step and summed once for each distinct set of speakers; members that hear the same, in the same
//! codec and packet length, share one encoder and its packets. A sum never wraps: it is clipped. A step allocates nothing.
//!
//! All is mixed at one rate: 16 kHz where one whose codec carries it hears another, 8 kHz where nobody would hear the
//! difference. It is settled when somebody comes or goes; what was said before that and not heard yet goes through.

use crate::codec::opus::OpusConfig;
use crate::codec::resample::{Resampler, bring};
use crate::codec::{Encoder, NARROW, WIDE};
use crate::graph::feed::{Feed, Pulled};
use crate::graph::loudness::{Gain, Speaker, mean_square};
use crate::kit::Stock;
use cordboard_model::id::CallId;
use cordboard_model::media::{Codec, MIX_MEMBERS_MAX, OpusParams};
use cordboard_model::time::{Duration, Time};

/// A step, milliseconds, where every member's packets are a multiple of it, and where not.
const STEP_MS: u8 = 20;
const SHORT_STEP_MS: u8 = 10;
/// The longest packet, milliseconds.
const FRAME_MS: u8 = 60;
/// Samples of the longest step.
const STEP_SAMPLES: usize = samples_of(STEP_MS, WIDE);
/// Samples of the longest packet.
const FRAME_SAMPLES: usize = samples_of(FRAME_MS, WIDE);
/// Bytes of the longest packet: 30 ms of L16.
const CODES_MAX: usize = 960;

const fn samples_of(ms: u8, rate: u32) -> usize {
    ms as usize * (rate as usize / 1_000)
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
    /// Samples a second of the mix, and the way from there to what the encoder takes, if that is less.
    rate: u32,
    down: Option<Resampler>,
    pcm: [i16; FRAME_SAMPLES + STEP_SAMPLES],
    held: usize,
    codes: [u8; CODES_MAX],
    /// Length of the packet's payload that this step has made, and where in time it begins.
    ready: Option<(usize, Time)>,
}

impl Out {
    fn new(hears: u32, shape: Shape, rate: u32, opus: &OpusConfig) -> Self {
        let encoder = Encoder::at(shape.codec, rate, opus, &shape.opus);
        Self {
            hears,
            shape,
            down: Resampler::new(rate, encoder.rate()),
            encoder,
            rate,
            pcm: [0; FRAME_SAMPLES + STEP_SAMPLES],
            held: 0,
            codes: [0; CODES_MAX],
            ready: None,
        }
    }

    /// Takes mixes of another rate from now on. Allocates if it is another.
    fn tune(&mut self, rate: u32, opus: &OpusConfig) {
        if rate != self.rate {
            self.held = bring(&mut self.pcm, self.held, self.rate, rate);
            self.encoder.tune(self.shape.codec, rate, opus, &self.shape.opus);
            self.down = Resampler::new(rate, self.encoder.rate());
            self.rate = rate;
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
        let frame = samples_of(self.shape.ptime_ms.min(FRAME_MS), self.rate);
        if self.held < frame {
            return;
        }
        let before = self.held.saturating_sub(mixed.len());
        let begins = at - Duration::from_millis((before as u64 * 1_000) / u64::from(self.rate));
        let pcm = self.pcm.get(..frame).unwrap_or_default();
        let len = match &mut self.down {
            None => self.encoder.encode(pcm, &mut self.codes),
            Some(down) => {
                let mut narrow = [0; FRAME_SAMPLES / 2];
                let made = down.run(pcm, &mut narrow);
                self.encoder.encode(narrow.get(..made).unwrap_or_default(), &mut self.codes)
            }
        };
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
    /// Samples a second of what is mixed.
    rate: u32,
    mixed: [i16; STEP_SAMPLES],
    total: [i32; STEP_SAMPLES],
    sums: [i32; STEP_SAMPLES],
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
            rate: NARROW,
            mixed: [0; STEP_SAMPLES],
            total: [0; STEP_SAMPLES],
            sums: [0; STEP_SAMPLES],
        }
    }

    /// How far a step goes, milliseconds.
    pub(crate) fn step_ms(&self) -> u8 {
        self.step_ms
    }

    /// Samples a second of what is mixed.
    pub(crate) fn rate(&self) -> u32 {
        self.rate
    }

    /// Settles the rate by who sits there now, and has everybody's audio come and go at it. Who is muted for a while changes
    /// nothing. Allocates if it is another rate.
    pub(crate) fn tune(&mut self, stock: &mut Stock) {
        let is_wide = |member: &Member| {
            member.leg.is_some() && member.shape.is_some_and(|shape| shape.codec.sample_hz() > NARROW)
        };
        let wide = self.members.iter().enumerate().filter(|(_, member)| is_wide(member));
        let wide = wide.map(|(place, _)| bit(place)).fold(0, core::ops::BitOr::bitor);
        let hears_wide =
            |(place, member): (usize, &Member)| is_wide(member) && member.hears & wide & !bit(place) != 0;
        self.rate = if self.members.iter().enumerate().any(hears_wide) { WIDE } else { NARROW };
        for feed in self.members.iter_mut().filter_map(|member| member.feed.as_mut()) {
            feed.tune(self.rate, stock);
        }
        for out in &mut self.outs {
            out.tune(self.rate, &self.opus);
        }
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
                if let Some(old) = self.members.get(before) {
                    (member.gain, member.out) = (old.gain, old.out);
                }
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

    /// Sets who is sent what, after the matrix or what a member agreed on has changed. A member's encoder goes on with what he
    /// hears now, for its likeness of his decoder and what waits in it; one whom it is no longer enough for gets a new one.
    /// Allocates.
    pub(crate) fn arrange(&mut self) {
        let mut old: Vec<Option<Out>> = core::mem::take(&mut self.outs).into_iter().map(Some).collect();
        for place in 0..self.members.len() {
            let hears = self.heard_by(place);
            let Some(member) = self.members.get_mut(place) else {
                continue;
            };
            let before = member.out.take();
            let Some(shape) = member.shape.filter(|_| member.leg.is_some()) else {
                continue;
            };
            let same = |out: &Out| out.hears == hears && out.shape == shape;
            let at = self.outs.iter().position(same).unwrap_or_else(|| {
                let own = before.and_then(|at| old.get_mut(usize::from(at)));
                let kept = own.and_then(|out| out.take_if(|out| out.shape == shape));
                let kept = kept.map(|out| Out { hears, ..out });
                self.outs.push(kept.unwrap_or_else(|| Out::new(hears, shape, self.rate, &self.opus)));
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
        let samples = samples_of(self.step_ms, self.rate);
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
        let total = total.get_mut(..samples).unwrap_or_default();
        total.fill(0);
        if sounding.count_ones() < 3 {
            return; // nobody hears more than one: the sum of all is not wanted
        }
        for (_, member) in members.iter().enumerate().filter(|(place, _)| sounding & bit(*place) != 0) {
            for (sum, sample) in total.iter_mut().zip(&member.pcm) {
                *sum += i32::from(*sample);
            }
        }
    }

    /// Mixes those of `hears`: by adding them up, or by taking the others from the sum of all, whichever is less work.
    fn sum(&mut self, hears: u32, sounding: u32, samples: usize) {
        let Self { members, total, mixed, sums, .. } = self;
        let sums = sums.get_mut(..samples).unwrap_or_default();
        let missing = sounding & !hears;
        let by_all = sounding.count_ones() >= 3 && missing.count_ones() < hears.count_ones();
        let (places, sign) = if by_all { (missing, -1) } else { (hears, 1) };
        match total.get(..samples) {
            Some(total) if by_all => sums.copy_from_slice(total),
            _ => sums.fill(0),
        }
        for (_, member) in members.iter().enumerate().filter(|(place, _)| places & bit(*place) != 0) {
            for (sum, sample) in sums.iter_mut().zip(&member.pcm) {
                *sum += sign * i32::from(*sample);
            }
        }
        for (sample, sum) in mixed.iter_mut().zip(sums) {
            *sample = (*sum).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
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
