//! What is heard before two are joined: that the talk is recorded, and the agent's number.
//!
//! Invariants: whether a talk is recorded is decided once, before the caller is answered for it; a call draws its lot once,
//! so all its talks fall under one share. What is heard before is heard once, and never keeps two apart for longer than
//! `CallLimits::opening`.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::leg::{Heard, Leg};
use cordboard_model::audio::{RecordRule, RecordWhen, WhenUnrecorded};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::LegId;
use cordboard_model::media::{PlayItem, Repeat};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    /// What the caller is still to hear, and what the other.
    caller: Vec<PlayItem>,
    peer: Vec<PlayItem>,
    /// Whether the talk is recorded is decided.
    decided: bool,
    /// They hear it.
    on: bool,
}

impl Opening {
    /// Nothing is heard, and nothing is to be decided.
    pub(crate) fn decided() -> Self {
        Self { decided: true, ..Self::default() }
    }

    /// The caller hears the agent's number; both do, if that is said.
    pub(crate) fn number(items: Vec<PlayItem>, both: bool) -> Self {
        let peer = if both { items.clone() } else { Vec::new() };
        Self { caller: items, peer, ..Self::default() }
    }
}

fn hears_it(leg: &Leg) -> bool {
    matches!(leg.playing, Some((_, Heard::Opening)))
}

impl Call {
    /// What is said about recording: by the agent, or else the queue, or else the trunk.
    pub(crate) fn record_rule(&self, desk: &Desk) -> RecordRule {
        let peer = match &self.doing {
            Doing::Talk(talk) => self.leg(talk.peer),
            _ => None,
        };
        let agent = peer.and_then(|leg| leg.agent.as_ref()).or(self.caller.agent.as_ref());
        let of_agent = agent.and_then(|agent| desk.manners.agents.get(agent));
        let of_queue = self.manner.as_ref().and_then(|manner| manner.record.as_ref());
        let trunk = self.incoming.trunk.as_ref().or_else(|| peer.and_then(|leg| leg.trunk.as_ref()));
        let of_trunk = trunk.and_then(|trunk| desk.manners.trunks.get(trunk));
        of_agent.or(of_queue).or(of_trunk).cloned().unwrap_or_default()
    }

    /// Whether the rule has a talk recorded for which nobody has asked.
    fn falls_under(&mut self, desk: &mut Desk, rule: &RecordRule) -> bool {
        match rule.when {
            RecordWhen::Never | RecordWhen::OnDemand => false,
            RecordWhen::Always => true,
            RecordWhen::Share(percent) => *self.lot.get_or_insert_with(|| desk.lot()) < percent,
        }
    }

    /// Whether the call would have to be recorded, cannot be, and is refused for that.
    pub(crate) fn is_refused_unrecorded(&mut self, desk: &mut Desk) -> bool {
        let rule = self.record_rule(desk);
        desk.unrecordable
            && rule.on_failure == WhenUnrecorded::Refuse
            && self.falls_under(desk, &rule)
            && !self.urgent
    }

    /// Decides whether the talk is recorded. False if the call is refused instead.
    pub(crate) fn decide_recording(&mut self, desk: &mut Desk) -> bool {
        match &self.doing {
            Doing::Talk(talk) if !talk.opening.decided => {}
            _ => return true,
        }
        let rule = self.record_rule(desk);
        let asked = self.recording_rule.wanted();
        let wanted = rule.when != RecordWhen::Never && asked.unwrap_or_else(|| self.falls_under(desk, &rule));
        if wanted && desk.unrecordable && rule.on_failure == WhenUnrecorded::Refuse && !self.urgent {
            self.end(desk, Cause::Administrative, Party::Switch);
            return false;
        }
        if let Doing::Talk(talk) = &mut self.doing {
            talk.record = wanted;
            talk.opening.decided = true;
            if let Some(said) = rule.announcement.filter(|_| wanted) {
                talk.opening.caller.insert(0, PlayItem::Asset(said.clone()));
                talk.opening.peer.insert(0, PlayItem::Asset(said));
            }
        }
        true
    }

    /// Whether what is to be heard before was heard. Else it is being heard, and the two are joined after it.
    pub(crate) fn is_opened(&mut self, desk: &mut Desk) -> bool {
        let (peer, opening) = match &mut self.doing {
            Doing::Talk(talk) if !talk.joined => (talk.peer, &mut talk.opening),
            _ => return true,
        };
        if opening.on {
            return false;
        }
        let (first, second) = (core::mem::take(&mut opening.caller), core::mem::take(&mut opening.peer));
        if first.is_empty() && second.is_empty() {
            return true;
        }
        let caller = self.caller.id;
        self.stop_play(desk, caller);
        let hears = self.play(desk, caller, Heard::Opening, first, Repeat::Once);
        let also = self.play(desk, peer, Heard::Opening, second, Repeat::Once);
        if !hears && !also {
            return true;
        }
        if let Doing::Talk(talk) = &mut self.doing {
            talk.opening.on = true;
        }
        desk.set(Timer::Opening(self.id), desk.limits.opening);
        false
    }

    /// One of the two has heard it.
    pub(crate) fn opening_heard(&mut self, desk: &mut Desk) {
        if self.legs().any(hears_it) {
            return;
        }
        desk.clear(Timer::Opening(self.id));
        if let Doing::Talk(talk) = &mut self.doing
            && core::mem::take(&mut talk.opening.on)
        {
            self.join(desk);
        }
    }

    /// It takes too long.
    pub(crate) fn on_opening_deadline(&mut self, desk: &mut Desk) {
        let all: Vec<LegId> = self.legs().filter(|leg| hears_it(leg)).map(|leg| leg.id).collect();
        for leg in all {
            self.stop_play(desk, leg);
        }
        self.opening_heard(desk);
    }
}
