//! Legs whose audio a program has: pieces out, audio in.

use super::MediaEngine;
use crate::graph::live::{LIVE_STEP, Live, LiveChunk};
use cordboard_model::id::{LegId, StreamId};
use cordboard_model::media::Codec;
use cordboard_model::stream::Track;
use cordboard_model::time::Time;

impl MediaEngine {
    /// A program has the leg from now on. One stream a leg: a second one takes the place of the first.
    pub(super) fn begin_live(&mut self, id: LegId, stream: StreamId, now: Time) {
        self.with_program(id, true, now, |live| live.talk(stream));
        if let Some(key) = self.find(id) {
            self.start_ticking(key, now);
        }
    }

    /// A program listens to the leg's party from now on; one that did gives way.
    pub(super) fn begin_listening(&mut self, id: LegId, stream: StreamId, track: Track, now: Time) {
        self.with_program(id, false, now, |live| live.listen(stream, track));
    }

    fn with_program(&mut self, id: LegId, talks: bool, now: Time, change: impl FnOnce(&mut Live)) {
        let Some(key) = self.find(id) else {
            return;
        };
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let is_new = leg.live.is_none();
        let codec = leg.stream.map_or(Codec::Pcma, |stream| stream.params.codec);
        change(leg.live.get_or_insert_with(|| self.stock.live(codec, talks)));
        if is_new {
            self.resume_live(key, now);
        }
    }

    /// The leg's pieces are made and handed out from now on, if a program has it. Allocates.
    pub(super) fn resume_live(&mut self, key: u32, now: Time) {
        if self.live_of(key).is_none() {
            return;
        }
        let reach = self.legs.reach();
        self.live_steps.reserve(reach);
        self.live.reserve(reach - self.live.len().min(reach));
        let slot = self.live_steps.slot_from(now + LIVE_STEP);
        self.live_steps.schedule(key, slot, now);
    }

    /// The leg's pieces wait: it leaves, or another program takes it.
    pub(super) fn pause_live(&mut self, key: u32) {
        self.live_steps.cancel(key);
        self.live.retain(|waiting| *waiting != key);
        if let Some(live) = self.live_of(key) {
            live.queued = false;
        }
    }

    pub(super) fn stop_live(&mut self, id: LegId, stream: StreamId) {
        let Some(key) = self.find(id) else {
            return;
        };
        let Some(live) = self.live_of(key) else {
            return;
        };
        live.stop(stream);
        if live.is_idle() {
            self.end_live(key);
        }
    }

    /// The leg goes on without programs.
    pub(super) fn end_live(&mut self, key: u32) {
        self.pause_live(key);
        if let Some(leg) = self.legs.get_mut(key) {
            self.stock.discard(leg.live.take());
        }
    }

    fn live_of(&mut self, key: u32) -> Option<&mut Live> {
        self.legs.get_mut(key)?.live.as_deref_mut()
    }

    pub(super) fn step_live(&mut self, key: u32, slot: u64, now: Time) {
        // Steps that were missed, up to what may wait, are made up for: the program's clock is ours.
        let step = self.live_steps.slot_at(Time::ZERO + LIVE_STEP).max(1);
        let late = self.live_steps.slot_at(now).saturating_sub(slot) / step;
        let Some(live) = self.live_of(key) else {
            return;
        };
        for _ in 0..=late.min(8) {
            live.step(now);
        }
        let queue = !live.queued;
        live.queued = true;
        if queue {
            self.live.push_back(key);
        }
        self.live_steps.schedule(key, slot + (late + 1) * step, now);
    }

    /// The next piece of what a party says to its program. Each call serves the leg that has waited longest.
    pub fn poll_live(&mut self) -> Option<LiveChunk> {
        while let Some(key) = self.live.pop_front() {
            let Some(live) = self.live_of(key) else {
                continue;
            };
            let chunk = live.take();
            live.queued = live.has_waiting();
            if live.queued {
                self.live.push_back(key);
            }
            if chunk.is_some() {
                return chunk;
            }
        }
        None
    }

    /// Audio of a program for its party, in mu-law at 8 kHz, from its sample `at` on; says how many samples found room.
    pub fn feed_live(&mut self, leg: LegId, stream: StreamId, at: u64, codes: &[u8]) -> usize {
        let key = self.by_id.get(&leg);
        let live = key.and_then(|key| self.live_of(key)).filter(|live| live.talker() == Some(stream));
        live.map_or(0, |live| live.put(at, codes))
    }

    /// Throws away what a program's party has not heard yet of what comes before its sample `to`.
    pub fn clear_live(&mut self, leg: LegId, stream: StreamId, to: u64) {
        let key = self.by_id.get(&leg);
        if let Some(live) = key.and_then(|key| self.live_of(key)).filter(|live| live.talker() == Some(stream))
        {
            live.clear(to);
        }
    }
}
