//! What a party says and presses while it tells a secret: neither heard nor recorded.
//!
//! Invariant: a leg is covered while anybody wants it: an operator, a step of a flow that collects a secret, or, after a step
//! that was cut short, the time in which who was typing goes on typing. Media are told of changes alone.

use crate::call::Call;
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::flow::{Step, StepKind};
use cordboard_model::id::LegId;
use cordboard_model::media::MediaCommand;
use cordboard_model::time::Time;
use core::time::Duration;

/// How long after the last key of an entry that was cut short its party stays covered: who did not notice that nobody asks
/// any more presses the next key within this time.
const TYPES_ON: Duration = Duration::from_secs(3);

/// Who wants a leg covered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cover {
    operator: bool,
    entry: bool,
    /// A program collects a secret from him.
    asked: bool,
    cut: bool,
}

impl Cover {
    fn is_on(self) -> bool {
        self.operator || self.entry || self.asked || self.cut
    }
}

impl CallEngine {
    /// An operator wants a leg covered, or no longer. False if there is no such leg.
    pub fn cover(&mut self, leg: LegId, on: bool, now: Time) -> bool {
        self.desk.now = now;
        let is_there = self.call_of(leg).is_some();
        self.with_leg(leg, |call, desk| call.set_cover(desk, leg, |cover| cover.operator = on));
        is_there
    }
}

impl Call {
    fn set_cover(&mut self, desk: &mut Desk, id: LegId, change: impl FnOnce(&mut Cover)) {
        let Some(leg) = self.leg_mut(id) else { return };
        let before = leg.cover.is_on();
        change(&mut leg.cover);
        let on = leg.cover.is_on();
        if on != before {
            desk.media(MediaCommand::Secret { leg: id, on });
        }
    }

    /// A step collects a secret from the caller.
    pub(crate) fn begin_secret(&mut self, desk: &mut Desk) {
        self.set_cover(desk, self.caller.id, |cover| cover.entry = true);
    }

    /// A program collects a secret from a party (`on`), or no longer. `cut`: not by the entry's own end.
    pub(crate) fn cover_entry(&mut self, desk: &mut Desk, id: LegId, on: bool, cut: bool) {
        if cut {
            desk.set(Timer::Cover(id), TYPES_ON);
        }
        self.set_cover(desk, id, |cover| {
            cover.cut |= cut;
            cover.asked = on;
        });
    }

    /// A step that collected keys is over: they are a secret no longer, and nobody hears the caller for it. `cut`: not by its
    /// own end.
    pub(crate) fn end_entry(&mut self, desk: &mut Desk, step: Option<&Step>, cut: bool) {
        let Some(StepKind::Collect(rule)) = step.map(|step| &step.kind) else { return };
        if rule.is_secret() {
            let (id, cut) = (self.caller.id, cut && self.end.is_none());
            if cut {
                desk.set(Timer::Cover(id), TYPES_ON);
            }
            self.set_cover(desk, id, |cover| {
                cover.cut |= cut;
                cover.entry = false;
            });
        }
        if let Some(stream) = rule.ear() {
            self.close_hearing(desk, stream);
        }
    }

    /// A key of somebody who may still be typing.
    pub(crate) fn types_on(&self, desk: &mut Desk, leg: LegId) {
        if self.leg(leg).is_some_and(|leg| leg.cover.cut) {
            desk.set(Timer::Cover(leg), TYPES_ON);
        }
    }

    /// He types no longer.
    pub(crate) fn on_cover_deadline(&mut self, desk: &mut Desk, leg: LegId) {
        self.set_cover(desk, leg, |cover| cover.cut = false);
    }
}
