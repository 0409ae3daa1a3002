//! What the shard tells the ladders of calls, and what readers may ask of them.

use crate::ladder::Ladder;
use crate::shard::Shard;
use cordboard_model::event::EventKind;
use cordboard_model::id::{CallId, LegId, TenantId};
use cordboard_model::media::{MediaCommand, MediaEvent};
use cordboard_model::trace::{TraceEntry, TraceKey, TraceMedia, TraceNote, TraceView};
use cordboard_sip::engine::Flow;

impl Shard {
    /// A ladder, without its secrets; none if it is no longer kept or not its reader's.
    pub fn trace(&self, key: &TraceKey) -> Option<TraceView> {
        self.ladder.view(key, self.wall)
    }

    /// The last ladders of a tenant, newest first; `most` at most.
    pub fn traces(&self, tenant: TenantId, most: usize) -> Vec<TraceEntry> {
        self.ladder.recent(tenant, most, self.wall)
    }

    /// The ladders, for what exports messages as they come.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// From now on (`on`), or no longer, the keys pressed on this leg are a secret: no event tells them, they are
    /// written over in the ladder of its call, by RTP and by INFO, and what the party says and presses is neither
    /// recorded nor heard by another. For whoever collects a secret, and for operators. False if there is no such leg.
    pub fn set_secret(&mut self, leg: LegId, on: bool) -> bool {
        let is_there = self.calls.cover(leg, on, self.now);
        self.settle();
        is_there
    }

    /// The ladder's part of it.
    pub(crate) fn note_secret(&mut self, command: &MediaCommand) {
        if let MediaCommand::Secret { leg, on } = *command
            && let Some(call) = self.calls.call_of(leg)
        {
            self.ladder.set_secret(leg, call, on, self.now);
        }
    }

    /// What came, unless the guard has dropped it: a flood of what nobody reads must not push calls out. `dropped`: how
    /// many it had dropped before.
    pub(crate) fn keep_message(&mut self, dropped: u64, flow: Flow, bytes: &[u8]) {
        if self.sip.guard_figures().dropped == dropped {
            self.ladder.message(flow, false, bytes, self.now);
        }
    }

    /// Messages of legs that are new, or have gone to another call, are shown with it from now on.
    pub(crate) fn tie_legs(&mut self) {
        for leg in self.legs.take_changed() {
            let Some((call, Some(session))) = self.legs.get(leg).map(|found| (found.call, found.session))
            else {
                continue;
            };
            for call_id in self.sip.call_ids(session) {
                self.ladder.tie(call, leg, call_id);
            }
        }
    }

    /// Whether an event tells a key of a secret.
    pub(crate) fn is_secret(&self, what: &EventKind) -> bool {
        matches!(what, EventKind::Digit { call, .. } if self.ladder.tells_secret(*call, self.now))
    }

    /// Whether a party of a call is asked for a secret now.
    pub(crate) fn asks_secret(&self, call: CallId) -> bool {
        self.ladder.asks_secret(call, self.now)
    }

    pub(crate) fn note_media(&mut self, leg: LegId, media: TraceMedia) {
        if let Some(call) = self.legs.get(leg).map(|found| found.call) {
            self.ladder.note(call, &TraceNote::Media { leg, media }, self.now);
        }
    }

    pub(crate) fn note_media_event(&mut self, event: &MediaEvent) {
        let (leg, media) = match *event {
            MediaEvent::Opened { leg, local } => (leg, TraceMedia::Opened { local }),
            MediaEvent::OpenFailed { leg, why } => (leg, TraceMedia::OpenFailed { why }),
            MediaEvent::Locked { leg, from } => (leg, TraceMedia::Heard { from }),
            MediaEvent::Silent { leg } => (leg, TraceMedia::Silent),
            MediaEvent::Audio { leg, news } => (leg, TraceMedia::Audio { news }),
            MediaEvent::PathFailed { leg, fault } => (leg, TraceMedia::PathFailed { fault }),
            MediaEvent::PlayDone { leg, finished, .. } => (leg, TraceMedia::PlayDone { finished }),
            MediaEvent::Closed { leg, stats } => (leg, TraceMedia::Closed { stats }),
            MediaEvent::Digit { leg, digit } => {
                let call = self.legs.get(leg).map(|found| found.call);
                let secret = call.is_some_and(|call| self.ladder.tells_secret(call, self.now));
                (leg, TraceMedia::Digit { digit: if secret { '?' } else { digit } })
            }
            // the INFO stands in the ladder
            MediaEvent::DigitDue { .. }
            | MediaEvent::Vacated { .. }
            | MediaEvent::RecordingPaused { .. }
            | MediaEvent::RecordingClosed { .. }
            | MediaEvent::Speaking { .. } => return,
        };
        self.note_media(leg, media);
    }
}
