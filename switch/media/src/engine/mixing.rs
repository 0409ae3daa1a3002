//! Mixes: stated by command, stepped by time, sent member by member.
//!
//! Invariant: a leg sits in one mix or is joined with one partner, never both; what its party is sent is one stream all
//! through, and what the party has said and nobody has heard goes along where the codec allows it.

use super::MediaEngine;
use super::PortKey;
use crate::graph::bridge::{Content, Passage};
use crate::graph::feed::Feed;
use crate::graph::mixer::{Beat, Member, Mix, Seat, Shape, bit};
use cordboard_model::id::CallId;
use cordboard_model::media::{MIX_MEMBERS_MAX, MediaEvent, MixMember};
use cordboard_model::time::Time;
use core::net::SocketAddr;

/// Mixes that come after each other lie this far apart in the tick, milliseconds.
const PHASE_STEP: u64 = 7;

impl MediaEngine {
    /// States who is in a mix and hears whom.
    pub(super) fn mix(&mut self, id: CallId, members: &[MixMember], gain: bool, now: Time) {
        if members.len() > MIX_MEMBERS_MAX {
            self.counters.commands_ignored += 1;
            return;
        }
        let keys: Vec<Option<u32>> = members.iter().map(|member| self.find(member.leg)).collect();
        let said: Vec<Option<Box<Feed>>> =
            keys.iter().map(|key| key.and_then(|key| self.take_feed(key))).collect();
        let before = self.by_mix.get(&id).copied();
        self.seat_anew(before, &keys);
        if keys.iter().all(Option::is_none) {
            return self.end_if_empty(before);
        }
        let mix = before.unwrap_or_else(|| self.begin_mix(id));
        let seats = members.iter().zip(keys).zip(said).map(|((member, key), feed)| {
            let mut seat = Member::new(key, member.hears, member.muted);
            seat.feed = feed;
            seat
        });
        let seats: Vec<Member> = seats.collect();
        for (place, member) in (0u8..).zip(&seats) {
            if let Some(leg) = member.leg.and_then(|key| self.legs.get_mut(key)) {
                leg.seat = Some(Seat { mix, place, muted: member.muted });
            }
        }
        if let Some(room) = self.mixes.get_mut(mix) {
            room.seat(seats);
            room.gain = gain;
        }
        self.arrange_mix(mix);
        self.start_beating(mix, now);
    }

    /// Whoever sits in the mix gets up without a change to his stream; whoever comes from elsewhere leaves that.
    fn seat_anew(&mut self, mix: Option<u32>, keys: &[Option<u32>]) {
        for key in keys.iter().flatten() {
            let there = self.legs.get(*key).and_then(|leg| leg.seat).map(|seat| seat.mix);
            if there.is_none() || there != mix {
                self.part(*key);
            }
        }
        let left: Vec<u32> = match mix.and_then(|mix| self.mixes.get(mix)) {
            Some(room) => room.legs().filter(|leg| !keys.contains(&Some(*leg))).collect(),
            None => return,
        };
        for key in left {
            self.get_up(key);
        }
    }

    fn begin_mix(&mut self, id: CallId) -> u32 {
        let mix = self.mixes.insert(Mix::new(id, self.config.opus));
        self.by_mix.insert(id, mix);
        let reach = self.mixes.reach();
        self.beats.reserve(reach);
        self.mixing.reserve(reach - self.mixing.len().min(reach));
        mix
    }

    /// What a leg's party has said and nobody has heard yet, decoded for the partner or the mix. Allocates nothing.
    pub(super) fn take_feed(&mut self, key: u32) -> Option<Box<Feed>> {
        let leg = self.legs.get(key)?;
        if let Some(seat) = leg.seat {
            let room = self.mixes.get_mut(seat.mix)?;
            return room.members.get_mut(usize::from(seat.place))?.feed.take();
        }
        let partner = leg.partner?;
        self.legs.get_mut(partner)?.feed.take()
    }

    /// Takes a leg out of its mix, if it sits in one.
    pub(super) fn leave_mix(&mut self, key: u32) {
        let Some(seat) = self.legs.get(key).and_then(|leg| leg.seat) else {
            return;
        };
        self.get_up(key);
        self.arrange_mix(seat.mix);
        self.end_if_empty(Some(seat.mix));
    }

    fn get_up(&mut self, key: u32) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        leg.outgoing.detach();
        let Some(seat) = leg.seat.take() else {
            return;
        };
        let Some(room) = self.mixes.get_mut(seat.mix) else {
            return;
        };
        let mix = room.id;
        if room.vacate(usize::from(seat.place)) {
            self.mention(MediaEvent::Speaking { mix, leg: None });
        }
    }

    fn end_if_empty(&mut self, mix: Option<u32>) {
        let Some(key) = mix.filter(|key| self.mixes.get(*key).is_some_and(Mix::is_empty)) else {
            return;
        };
        self.beats.cancel(key);
        self.mixing.retain(|waiting| *waiting != key);
        if let Some(room) = self.mixes.remove(key) {
            self.by_mix.remove(&room.id);
        }
    }

    /// What a member of a mix agreed on has changed.
    pub(super) fn prepare_seat(&mut self, key: u32) {
        if let Some(seat) = self.legs.get(key).and_then(|leg| leg.seat) {
            self.arrange_mix(seat.mix);
        }
    }

    /// Gives each member of a mix what it needs, and takes what it does not. Allocates.
    fn arrange_mix(&mut self, mix: u32) {
        let Some(room) = self.mixes.get_mut(mix) else {
            return;
        };
        for member in &mut room.members {
            let leg = member.leg.and_then(|key| self.legs.get(key));
            let params = leg.and_then(|leg| leg.stream.map(|stream| stream.params));
            member.shape = leg.zip(params).map(|(leg, params)| Shape {
                codec: params.codec,
                ptime_ms: leg.ptime_ms(),
                opus: params.opus,
            });
        }
        room.tune(&mut self.stock);
        let rate = room.rate();
        for place in 0..room.members.len() {
            let is_heard = room.is_heard(place);
            let Some(member) = room.members.get_mut(place) else {
                continue;
            };
            let codec = member.shape.map(|shape| shape.codec).filter(|_| is_heard);
            if member.feed.as_ref().map(|feed| feed.codec()) != codec {
                let feed = codec.map(|codec| self.stock.feed(codec, rate));
                self.stock.discard(core::mem::replace(&mut member.feed, feed));
            }
        }
        room.arrange();
    }

    fn start_beating(&mut self, mix: u32, now: Time) {
        if self.beats.has(mix) {
            return;
        }
        let Some(room) = self.mixes.get_mut(mix) else {
            return;
        };
        room.beat = Beat { told: usize::MAX, ..Beat::default() };
        // one step from now at most, so that nobody waits for it
        let place = u64::from(mix) * PHASE_STEP % u64::from(room.step_ms());
        let slot = self.beats.slot_at(now) + 1 + place;
        self.beats.schedule(mix, slot, now);
    }

    /// A mix's step is due.
    pub(super) fn beat_mix(&mut self, key: u32, slot: u64, now: Time) {
        let reached = self.beats.slot_at(now);
        let most = u64::from(self.config.catch_up_max.max(1));
        let Some(room) = self.mixes.get_mut(key) else {
            return;
        };
        let step = u64::from(room.step_ms());
        let behind = reached.saturating_sub(slot) / step;
        let beat = &mut room.beat;
        if beat.pending == 0 && beat.skipped == 0 {
            beat.at_ms = slot;
        }
        let mut steps = 1;
        if behind >= most {
            steps = behind + 1 - most;
            beat.skipped = beat.skipped.saturating_add(u32::try_from(steps).unwrap_or(u32::MAX));
            self.counters.frames_skipped += steps;
        } else if u64::from(beat.pending) >= most {
            beat.skipped = beat.skipped.saturating_add(1);
            self.counters.frames_skipped += 1;
        } else {
            beat.pending += 1;
        }
        if !beat.queued {
            beat.queued = true;
            self.mixing.push_back(key);
        }
        self.beats.schedule(key, slot + steps * step, now);
    }

    /// The next packet that a mix has for a member.
    pub(super) fn poll_mixes(&mut self, buf: &mut [u8]) -> Option<(PortKey, SocketAddr, usize)> {
        while let Some(key) = self.mixing.front().copied() {
            if self.mixes.get(key).is_none() {
                self.mixing.pop_front();
                continue;
            }
            if let Some(sent) = self.tell_members(key, buf) {
                return Some(sent);
            }
            self.skip_steps(key);
            let Some(room) = self.mixes.get_mut(key) else {
                continue;
            };
            if room.beat.pending == 0 {
                room.beat.queued = false;
                self.mixing.pop_front();
                continue;
            }
            self.step_mix(key);
        }
        None
    }

    /// Steps that were not made: what is sent next begins anew, with the time that passed.
    fn skip_steps(&mut self, key: u32) {
        let Some(room) = self.mixes.get_mut(key) else {
            return;
        };
        let skipped = core::mem::take(&mut room.beat.skipped);
        if skipped == 0 {
            return;
        }
        room.beat.at_ms += u64::from(skipped) * u64::from(room.step_ms());
        for leg in room.legs() {
            if let Some(leg) = self.legs.get_mut(leg) {
                leg.outgoing.end_local();
            }
        }
    }

    fn step_mix(&mut self, key: u32) {
        let Some(room) = self.mixes.get_mut(key) else {
            return;
        };
        let at = Time::from_millis(room.beat.at_ms);
        room.beat.pending -= 1;
        room.beat.at_ms += u64::from(room.step_ms());
        room.beat.told = 0;
        let changed = room.step(at);
        let mix = room.id;
        for place in 0..room.members.len() {
            let feed = room.members.get_mut(place).and_then(|member| member.feed.as_mut());
            let invented = feed.map_or(0, |feed| feed.take_concealed_us());
            if invented == 0 {
                continue;
            }
            for (hearing, member) in room.members.iter().enumerate() {
                let hears = room.heard_by(hearing) & bit(place) != 0;
                if let Some(leg) = member.leg.filter(|_| hears).and_then(|key| self.legs.get_mut(key)) {
                    leg.concealed_us += invented;
                }
            }
        }
        if let Some(speaker) = changed {
            let leg = speaker.and_then(|place| room.members.get(place)?.leg);
            let leg = leg.and_then(|key| self.legs.get(key)).map(|leg| leg.id);
            self.mention(MediaEvent::Speaking { mix, leg });
        }
    }

    fn tell_members(&mut self, key: u32, buf: &mut [u8]) -> Option<(PortKey, SocketAddr, usize)> {
        let room = self.mixes.get_mut(key)?;
        while room.beat.told < room.members.len() {
            let place = room.beat.told;
            room.beat.told += 1;
            let Some((leg, codes, at)) = room.packet_for(place) else {
                continue;
            };
            let Some(leg) = self.legs.get_mut(leg) else {
                continue;
            };
            let (Some((port, to)), Some(len)) = (leg.target(), leg.mix_frame(buf, codes, at)) else {
                continue;
            };
            match leg.seal(buf, len, false) {
                Some(len) => return Some((port, to, len)),
                None => self.counters.unsealable += 1,
            }
        }
        None
    }

    /// A packet of a member: it is heard at the next step.
    pub(super) fn say(&mut self, seat: Seat, passage: Passage, buf: &[u8], now: Time) {
        let has_tones = |leg: &crate::graph::leg::Leg| leg.ear.as_ref().is_some_and(|ear| ear.hears_tones());
        let is_key = self.legs.get(passage.from).is_some_and(has_tones);
        let room = self.mixes.get_mut(seat.mix);
        let member = room.and_then(|room| room.members.get_mut(usize::from(seat.place)));
        let Some(feed) = member.and_then(|member| member.feed.as_mut()) else {
            return;
        };
        let header = passage.header;
        match passage.content {
            Content::Audio(codec) if codec == feed.codec() => {
                let codes = buf.get(header.payload_start..header.payload_end).unwrap_or_default();
                feed.put(passage.arrival, header.timestamp, codes, now);
                // each gets the key in his own way, and not as tones, too
                if is_key {
                    feed.hush(now);
                }
            }
            Content::Audio(_) => {}
            Content::Event(_) => feed.hush(now),
            Content::Comfort(level) => feed.comfort(passage.arrival, level),
        }
    }

    /// A member pressed a key: whoever hears the member gets it, each in his own way.
    pub(super) fn pressed_in_mix(&mut self, seat: Seat, digit: char, now: Time) {
        let presser = usize::from(seat.place);
        for place in 0..MIX_MEMBERS_MAX {
            let room = self.mixes.get(seat.mix);
            let hears = room.filter(|room| room.heard_by(place) & bit(presser) != 0);
            let leg = hears.and_then(|room| room.members.get(place)?.leg);
            if let Some(key) = leg.filter(|key| self.legs.get(*key).is_some()) {
                self.pass_on(key, digit, now);
            }
        }
    }
}
