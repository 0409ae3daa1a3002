//! Recordings: begun and ended by command, fed by packets, handed over to whoever writes them.

use super::{MediaEngine, RecordRate, Recorded};
use crate::codec::{NARROW, WIDE};
use crate::graph::leg::Tap;
use crate::graph::recorder::{Channel, Recorder, STEP};
use cordboard_model::id::{LegId, RecordingId};
use cordboard_model::media::MediaEvent;
use cordboard_model::time::Time;

/// A recording and whom it hears.
#[derive(Debug)]
pub(super) struct Recording {
    pub recorder: Box<Recorder>,
    /// Keys of the left and the right leg while they exist.
    pub parties: [Option<u32>; 2],
    /// It stands in the queue of those with audio to hand over.
    pub queued: bool,
}

impl MediaEngine {
    pub(super) fn begin_recording(&mut self, id: RecordingId, left: LegId, right: Option<LegId>, now: Time) {
        if self.by_recording.contains(&id) {
            self.counters.commands_ignored += 1;
            return;
        }
        let parties = [Some(left), right].map(|leg| self.by_id.get(&leg?));
        if !self.can_tap(parties) {
            self.tell(MediaEvent::RecordingClosed { recording: id, length_ms: 0, dropped_ms: 0 });
            return;
        }
        let (rate, ring) = (self.record_rate(parties), self.config.record_ring);
        let recorder = self.stock.recorder(id, rate, ring, now);
        let key = self.recordings.insert(Recording { recorder, parties, queued: false });
        self.by_recording.insert(id, key);
        for (party, channel) in parties.into_iter().zip([Channel::Left, Channel::Right]) {
            let leg = party.and_then(|party| self.legs.get_mut(party));
            if let Some(tap) = leg.and_then(|leg| leg.taps.iter_mut().find(|t| t.is_none())) {
                *tap = Some(Tap { recording: key, channel });
            }
        }
        for party in parties.into_iter().flatten() {
            self.tune_tape(party);
        }
        let reach = self.recordings.reach();
        self.steps.reserve(reach);
        self.recorded.reserve(reach - self.recorded.len().min(reach));
        let slot = self.steps.slot_from(now + STEP);
        self.steps.schedule(key, slot, now);
    }

    /// The rate of a recording that begins now.
    fn record_rate(&self, parties: [Option<u32>; 2]) -> u32 {
        let is_wide = |key: u32| {
            let stream = self.legs.get(key).and_then(|leg| leg.stream);
            stream.is_some_and(|stream| stream.params.codec.sample_hz() > NARROW)
        };
        match self.config.record_rate {
            RecordRate::Narrow => NARROW,
            RecordRate::Wide => WIDE,
            RecordRate::Auto if parties.into_iter().flatten().any(is_wide) => WIDE,
            RecordRate::Auto => NARROW,
        }
    }

    /// Has a leg's recordings hear it at the rate that they want, as far as its codec goes. Allocates if that is another than
    /// before.
    pub(super) fn tune_tape(&mut self, key: u32) {
        let Some(leg) = self.legs.get_mut(key) else {
            return;
        };
        let recordings = leg.taps.iter().flatten().filter_map(|tap| self.recordings.get(tap.recording));
        let wanted = recordings.map(|recording| recording.recorder.rate()).max();
        let (Some(wanted), Some(coders)) = (wanted, leg.coders.as_mut()) else {
            return;
        };
        coders.tune_tape(wanted, &mut self.stock);
        let rate = coders.tape.rate();
        for tap in leg.taps.iter().flatten() {
            if let Some(recording) = self.recordings.get_mut(tap.recording) {
                recording.recorder.expect(tap.channel, rate, &mut self.stock);
            }
        }
    }

    /// At least one party exists here, and those that do have a free tap.
    fn can_tap(&self, parties: [Option<u32>; 2]) -> bool {
        let free = |key: u32| {
            let leg = self.legs.get(key);
            leg.map_or(0, |leg| leg.taps.iter().filter(|t| t.is_none()).count())
        };
        match parties {
            [None, None] => false,
            [Some(one), Some(other)] if one == other => free(one) >= 2,
            _ => parties.into_iter().flatten().all(|key| free(key) >= 1),
        }
    }

    pub(super) fn pause_recording(&mut self, id: RecordingId, on: bool, now: Time) {
        let key = self.by_recording.get(&id);
        let Some(recording) = key.and_then(|key| self.recordings.get_mut(key)) else {
            self.counters.commands_ignored += 1;
            return;
        };
        if let Some(sample) = recording.recorder.pause(on, now) {
            self.tell(MediaEvent::RecordingPaused { recording: id, on, sample });
        }
    }

    pub(super) fn stop_recording(&mut self, key: u32, now: Time) {
        let Some(recording) = self.recordings.get_mut(key) else {
            return;
        };
        recording.recorder.close(now);
        self.steps.cancel(key);
        let parties = core::mem::take(&mut recording.parties);
        for party in parties.into_iter().flatten() {
            if let Some(leg) = self.legs.get_mut(party) {
                for tap in &mut leg.taps {
                    if tap.is_some_and(|tap| tap.recording == key) {
                        *tap = None;
                    }
                }
            }
        }
        self.finish_or_queue(key);
    }

    /// A party is gone: its channel is silent from now on; with the last one the recording ends.
    pub(super) fn leave_recordings(&mut self, leg: u32, taps: &[Option<Tap>], now: Time) {
        for tap in taps.iter().flatten() {
            let Some(recording) = self.recordings.get_mut(tap.recording) else {
                continue;
            };
            for party in &mut recording.parties {
                *party = party.filter(|key| *key != leg);
            }
            if recording.parties == [None, None] {
                self.stop_recording(tap.recording, now);
            }
        }
    }

    pub(super) fn step_recording(&mut self, key: u32, slot: u64, now: Time) {
        let Some(recording) = self.recordings.get_mut(key) else {
            return;
        };
        recording.recorder.tick(now);
        // The clock is read from `now`: steps that were missed need not be made up for.
        let step = self.steps.slot_at(Time::ZERO + STEP).max(1);
        let missed = self.steps.slot_at(now).saturating_sub(slot) / step;
        self.steps.schedule(key, slot + (missed + 1) * step, now);
        self.finish_or_queue(key);
    }

    /// Queues a recording that has audio; ends one that was stopped and has none.
    fn finish_or_queue(&mut self, key: u32) {
        let Some(recording) = self.recordings.get_mut(key) else {
            return;
        };
        if recording.recorder.is_done() {
            self.end_recording(key);
        } else if !recording.queued && recording.recorder.waiting() > 0 {
            recording.queued = true;
            self.recorded.push_back(key);
        }
    }

    fn end_recording(&mut self, key: u32) {
        let Some(recording) = self.recordings.remove(key) else {
            return;
        };
        self.recorded.retain(|waiting| *waiting != key);
        self.by_recording.remove(&recording.recorder.id());
        let (length_ms, dropped_ms) = recording.recorder.lengths_ms();
        self.tell(MediaEvent::RecordingClosed { recording: recording.recorder.id(), length_ms, dropped_ms });
        self.stock.discard(recording.recorder);
    }

    /// Recorded audio: interleaved left and right, that many frames at the front of `out`. Each call
    /// serves the recording that has waited longest. Poll only when the writer can take it: what
    /// waits longer than the ring is long becomes silence, counted in `dropped_ms`.
    pub fn poll_recorded(&mut self, out: &mut [i16]) -> Option<Recorded> {
        if out.len() < 2 {
            return None;
        }
        while let Some(key) = self.recorded.pop_front() {
            let Some(recording) = self.recordings.get_mut(key) else {
                continue;
            };
            recording.queued = false;
            let (id, rate) = (recording.recorder.id(), recording.recorder.rate());
            let frames = recording.recorder.take(out);
            self.finish_or_queue(key);
            if frames > 0 {
                return Some(Recorded { recording: id, rate, frames });
            }
        }
        None
    }
}
