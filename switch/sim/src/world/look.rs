//! What became of it all.

use super::{Trace, World};
use cordboard_model::cdr::Cdr;
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::{CallId, RecordingId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::Time;
use std::collections::BTreeMap;

impl World {
    /// The time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The trace, empty unless one was asked for.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// SIP messages as the phones sent and got them, since the last call of this.
    pub fn take_ladder(&mut self) -> String {
        core::mem::take(&mut self.ladder).join("\n")
    }

    /// Closing records.
    pub fn cdrs(&self) -> &[Cdr] {
        &self.cdrs
    }

    /// Calls that have an opening record, in order.
    pub fn opened(&self) -> &[CallId] {
        &self.opened
    }

    /// The call that a dialog belongs or belonged to, by its Call-ID, from the journal.
    pub fn call_of(&self, call_id: &str) -> Option<CallId> {
        self.dialogs.get(call_id).copied()
    }

    /// Every event so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Every journal record so far.
    pub fn journal(&self) -> &[JournalRecord] {
        &self.journal
    }

    /// Recorded audio: left and right in turn.
    pub fn audio(&self) -> &BTreeMap<RecordingId, Vec<i16>> {
        &self.audio
    }

    /// Alarms so far, by their words.
    pub fn alarms(&self) -> Vec<String> {
        let alarm = |event: &Event| match &event.what {
            EventKind::Alarm { code, .. } => Some(code.clone()),
            _ => None,
        };
        self.events.iter().filter_map(alarm).collect()
    }

    /// What is wrong with the world itself: a clock that does not move, for one.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// What is left anywhere, in words; empty when all is quiet.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left: Vec<String> =
            self.shard.leftovers().into_iter().map(|l| format!("shard: {l}")).collect();
        if self.media.legs() > 0 {
            left.push(format!("media: {} legs", self.media.legs()));
        }
        if self.media.recordings() > 0 {
            left.push(format!("media: {} recordings", self.media.recordings()));
        }
        if self.ports.open_count() > 0 {
            left.push(format!("media: {} ports", self.ports.open_count()));
        }
        if self.agenda.len() > 0 {
            left.push(format!("world: {} happenings", self.agenda.len()));
        }
        for handset in &self.handsets {
            let of = |l: String| format!("phone {}: {l}", handset.name);
            left.extend(handset.phone.leftovers().into_iter().map(of));
        }
        left
    }

    /// Whether nothing is left of any call.
    pub fn is_quiet(&self) -> bool {
        self.agenda.len() == 0
            && self.media.legs() == 0
            && self.ports.open_count() == 0
            && self.shard.is_quiescent()
            && self.handsets.iter().all(|handset| handset.phone.is_idle())
    }
}
