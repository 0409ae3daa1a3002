//! Who makes kits: it sees every command of a switch in its order and knows from that what an engine will need.
//!
//! Invariant: it decides nothing. What it takes a leg for may be wrong, after a command that came to nothing in the engine: then a
//! kit has too much, or the engine makes what is missing.

use super::Kit;
use crate::codec::{Decoder, NARROW, WIDE};
use crate::engine::{MediaConfig, RecordRate};
use crate::graph::bridge;
use crate::graph::ear::Ear;
use crate::graph::feed::Feed;
use crate::graph::fit::Fit;
use crate::graph::leg::{self, Coders};
use crate::graph::live::{LIVE_HZ, Live};
use crate::graph::mouth::Mouth;
use crate::graph::player::Player;
use crate::graph::recorder::Recorder;
use crate::srtp::Srtp;
use cordboard_model::id::{LegId, PlaybackId, RecordingId};
use cordboard_model::media::{Codec, DtmfKind, MediaCommand, MixMember, StreamParams};
use cordboard_model::path::MediaPath;
use cordboard_model::srtp::SrtpKeys;
use cordboard_model::time::Time;
use std::collections::BTreeMap;

/// What commands have said of a leg.
#[derive(Debug, Default)]
struct Known {
    params: Option<StreamParams>,
    dtmf: DtmfKind,
    keys: Option<SrtpKeys>,
    /// The codec of its ear.
    ear: Option<Codec>,
    /// The rate at which it is spoken to; `None` when a playback may have changed that.
    rate: Option<u32>,
    /// Something was played to it, and may be still.
    plays: bool,
    /// The feed that its partner has of it.
    said: Option<(Codec, u32)>,
    partner: Option<LegId>,
    /// The rate of what records it.
    taped: Option<u32>,
    /// A program has it.
    live: bool,
}

/// Makes the kits of one switch.
#[derive(Debug)]
pub struct KitMaker {
    config: MediaConfig,
    /// Legs it knows at most: of more the oldest is forgotten, which costs kits.
    legs_max: usize,
    legs: BTreeMap<LegId, Known>,
}

impl KitMaker {
    /// For engines of this configuration, which have at most so many legs together.
    pub fn new(config: MediaConfig, legs_max: usize) -> Self {
        Self { config, legs_max: legs_max.max(1), legs: BTreeMap::new() }
    }

    /// Legs it knows.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    /// The kit of a command; `None` if it needs none. Commands come in the order in which engines obey them.
    pub fn prepare(&mut self, command: &MediaCommand) -> Option<Box<Kit>> {
        let mut kit = Box::<Kit>::default();
        match command {
            MediaCommand::Open { leg, .. } => {
                if self.legs.len() >= self.legs_max {
                    self.legs.pop_first();
                }
                self.legs.insert(*leg, Known::default());
                return None;
            }
            MediaCommand::Configure { leg, params, keys, path, .. } => {
                self.configure(*leg, *params, keys.as_deref(), path.as_deref(), &mut kit);
            }
            MediaCommand::Play { leg, playback, items, .. } => {
                self.play(*leg, *playback, items.len(), &mut kit);
            }
            MediaCommand::StopPlay { leg, .. } => self.join(*leg, &mut kit),
            MediaCommand::Bridge { a, b } => {
                if self.legs.get(a).is_none_or(|known| known.partner != Some(*b)) {
                    self.bridge(*a, *b);
                }
                self.join(*a, &mut kit);
            }
            MediaCommand::Dtmf { leg, kind } => {
                if let Some(known) = self.legs.get_mut(leg) {
                    known.dtmf = *kind;
                    known.prick_ear(&mut kit);
                }
            }
            MediaCommand::Record { recording, left, right } => {
                self.record(*recording, *left, *right, &mut kit);
            }
            MediaCommand::Live { leg, .. } => self.begin_live(*leg, true, &mut kit),
            MediaCommand::Listen { leg, .. } => self.begin_live(*leg, false, &mut kit),
            MediaCommand::Mix { members, .. } => self.seat(members),
            MediaCommand::Unbridge { leg } => {
                self.part(*leg);
                return None;
            }
            MediaCommand::Vacate { leg } => {
                self.part(*leg);
                if let Some(known) = self.legs.get_mut(leg) {
                    (known.taped, known.live) = (None, false);
                }
                return None;
            }
            MediaCommand::Close { leg } => {
                self.forget(*leg);
                return None;
            }
            // It goes with a kit for what it has itself.
            MediaCommand::SendDigits { .. } => {}
            _ => return None,
        }
        Some(kit)
    }

    /// A leg is gone without having been closed.
    pub fn forget(&mut self, leg: LegId) {
        self.part(leg);
        self.legs.remove(&leg);
    }

    fn configure(
        &mut self,
        leg: LegId,
        params: StreamParams,
        keys: Option<&SrtpKeys>,
        path: Option<&MediaPath>,
        kit: &mut Kit,
    ) {
        let Some(known) = self.legs.get_mut(&leg) else {
            return;
        };
        let before = known.params.replace(params);
        let same = |old: StreamParams| old.codec == params.codec && old.opus == params.opus;
        if !params.codec.is_video() && !before.is_some_and(same) {
            kit.coders = Some(Box::new(Coders::new(params.codec, params.opus, &self.config.opus)));
            known.spoken_at(NARROW);
            if known.plays {
                // which may have more than the telephone band
                kit.add_mouth(&params, WIDE, &self.config);
            }
            if let Some(taped) = known.taped {
                kit.add_tape(params.codec, taped);
            }
            if known.live {
                kit.feeds.push(Box::new(Feed::new(params.codec, LIVE_HZ)));
            }
        }
        known.prick_ear(kit);
        let sealed = keys.filter(|_| path.is_none_or(|path| path.dtls.is_none()));
        if let Some(keys) = sealed.filter(|keys| known.keys.as_ref() != Some(*keys)) {
            kit.srtp = Srtp::new(keys).map(Box::new);
        }
        known.keys = sealed.copied();
        self.join(leg, kit);
    }

    fn play(&mut self, leg: LegId, playback: PlaybackId, items: usize, kit: &mut Kit) {
        kit.player = Some(Box::new(Player::with_room(playback, items)));
        let Some(known) = self.legs.get_mut(&leg) else {
            return;
        };
        if let Some(params) = known.params.filter(|params| params.codec.sample_hz() > NARROW) {
            kit.add_mouth(&params, WIDE, &self.config);
        }
        (known.plays, known.rate) = (true, None);
    }

    fn record(&mut self, recording: RecordingId, left: LegId, right: Option<LegId>, kit: &mut Kit) {
        let parties = || [Some(left), right].into_iter().flatten();
        let codec = |legs: &BTreeMap<LegId, Known>, leg: &LegId| Some(legs.get(leg)?.params?.codec);
        let wide =
            parties().any(|leg| codec(&self.legs, &leg).is_some_and(|codec| codec.sample_hz() > NARROW));
        let rate = match self.config.record_rate {
            RecordRate::Wide => WIDE,
            RecordRate::Auto if wide => WIDE,
            RecordRate::Auto | RecordRate::Narrow => NARROW,
        };
        kit.recorder = Some(Box::new(Recorder::new(recording, rate, self.config.record_ring, Time::ZERO)));
        for leg in parties() {
            if let Some(codec) = codec(&self.legs, &leg) {
                kit.add_tape(codec, rate);
            }
            if let Some(known) = self.legs.get_mut(&leg) {
                known.taped = known.taped.max(Some(rate));
            }
        }
    }

    fn begin_live(&mut self, leg: LegId, talks: bool, kit: &mut Kit) {
        if let Some(known) = self.legs.get_mut(&leg) {
            let codec = known.params.map_or(Codec::Pcma, |params| params.codec);
            kit.live = Some(Box::new(Live::new(codec, talks)));
            known.live = true;
        }
    }

    /// In a mix nobody has a partner, and what is said there is not followed here.
    fn seat(&mut self, members: &[MixMember]) {
        members.iter().for_each(|member| self.part(member.leg));
    }

    fn part(&mut self, leg: LegId) {
        let Some(known) = self.legs.get_mut(&leg) else {
            return;
        };
        known.said = None;
        if let Some(partner) = known.partner.take().and_then(|partner| self.legs.get_mut(&partner)) {
            (partner.partner, partner.said) = (None, None);
        }
    }

    /// Two are joined: what each has said goes along, and nothing else.
    fn bridge(&mut self, a: LegId, b: LegId) {
        let said = [a, b].map(|leg| self.legs.get(&leg).and_then(|known| known.said));
        self.part(a);
        self.part(b);
        for ((leg, partner), said) in [(a, b), (b, a)].into_iter().zip(said) {
            if let Some(known) = self.legs.get_mut(&leg) {
                (known.partner, known.said) = (Some(partner), said);
            }
        }
    }

    /// What a leg and its partner need to hear each other.
    fn join(&mut self, leg: LegId, kit: &mut Kit) {
        let Some(partner) = self.legs.get(&leg).and_then(|known| known.partner) else {
            return;
        };
        let tick = self.config.tick.as_millis().min(255) as u8;
        for (from, to) in [(partner, leg), (leg, partner)] {
            let params = |leg| self.legs.get(&leg).and_then(|known: &Known| known.params);
            let (Some(speaks), Some(hears)) = (params(from), params(to)) else {
                return;
            };
            let meeting = bridge::meeting(&speaks, &hears, tick);
            if let (Some((_, rate)), Some(known)) = (meeting, self.legs.get_mut(&to))
                && known.rate != Some(rate)
            {
                kit.add_mouth(&hears, rate, &self.config);
                if known.plays && rate != WIDE {
                    kit.add_mouth(&hears, WIDE, &self.config);
                }
                known.spoken_at(rate);
            }
            if let Some(known) = self.legs.get_mut(&from) {
                if let Some((codec, rate)) = meeting.filter(|meeting| known.said != Some(*meeting)) {
                    kit.feeds.push(Box::new(Feed::new(codec, rate)));
                }
                known.said = meeting;
            }
        }
    }
}

impl Known {
    fn spoken_at(&mut self, rate: u32) {
        self.rate = (!self.plays).then_some(rate);
    }

    fn prick_ear(&mut self, kit: &mut Kit) {
        let wanted = self.params.and_then(|params| leg::listens(self.dtmf, &params));
        if self.ear != wanted {
            kit.ear = wanted.map(|codec| Box::new(Ear::new(codec)));
            self.ear = wanted;
        }
    }
}

impl Kit {
    /// Not for codecs that are spoken at one rate alone.
    fn add_mouth(&mut self, params: &StreamParams, rate: u32, config: &MediaConfig) {
        if params.codec.sample_hz() > NARROW && !params.codec.is_video() {
            self.mouths.push(Box::new(Mouth::at(params.codec, params.opus, rate, &config.opus)));
        }
    }

    /// What a recording at `rate` needs of a party, if its decoder makes something else.
    fn add_tape(&mut self, codec: Codec, rate: u32) {
        let reached = rate.min(codec.sample_hz());
        if reached > NARROW && !codec.is_video() {
            self.tapes.push((codec, Box::new(Decoder::at(codec, reached))));
        }
        self.fits.extend(Fit::new(reached, rate).map(Box::new));
    }
}
