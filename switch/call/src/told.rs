//! What readers are told of a call, so that who takes a snapshot and changes it by each event has what the switch has.
//!
//! Invariant: after every input what a view shows is what was told: where something changed and nobody said so, it is said then.

use crate::call::Call;
use crate::desk::Desk;
use crate::leg::LegState;
use cordboard_model::cdr::{TransferOutcome, TransferRecord};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, LegId, QueueId};
use cordboard_model::media::AudioNews;
use cordboard_model::view::{CallStage, Unheard};

/// What readers were told last.
#[derive(Debug)]
pub(crate) struct Told {
    stage: (CallStage, Option<QueueId>, Option<AgentId>),
    speaker: Option<LegId>,
    /// The transfer under way. Its last word takes it away, but for one that the call's end cuts.
    pub(crate) transfer: Option<TransferRecord>,
}

impl Default for Told {
    fn default() -> Self {
        Self { stage: (CallStage::Routing, None, None), speaker: None, transfer: None }
    }
}

/// What readers were told last of a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ToldLeg {
    pub(crate) answered: bool,
    pub(crate) held: bool,
    pub(crate) muted: bool,
    pub(crate) unheard: Option<Unheard>,
}

impl Call {
    /// Tells readers what has changed and was not told yet. Called after every input.
    pub(crate) fn tell_changes(&mut self, desk: &mut Desk) {
        self.tell_legs(desk);
        self.tell_speaker(desk);
        self.tell_stage(desk);
    }

    /// Tells readers what the call does, if that changed.
    pub(crate) fn tell_stage(&mut self, desk: &mut Desk) {
        let (stage, queue, agent) = (self.stage(), self.queue_now(), self.agent_now());
        let (told, queue_told, agent_told) = &self.told.stage;
        // after every input, and seldom news: nothing is copied to find that out
        if (*told, queue_told.as_ref(), agent_told.as_ref()) == (stage, queue, agent) {
            return;
        }
        let (call, queue, agent) = (self.id, queue.cloned(), agent.cloned());
        self.told.stage = (stage, queue.clone(), agent.clone());
        desk.event(self.tenant(), EventKind::CallStage { call, stage, queue, agent });
    }

    fn tell_legs(&mut self, desk: &mut Desk) {
        let (call, tenant) = (self.id, self.tenant());
        for leg in core::iter::once(&mut self.caller).chain(&mut self.callees) {
            let now = leg.to_tell();
            if leg.state == LegState::Gone || leg.told == now {
                continue;
            }
            let ToldLeg { answered, held, muted, unheard } = now;
            let (before, leg) = (core::mem::replace(&mut leg.told, now), leg.id);
            if before.answered != answered {
                desk.event(tenant, EventKind::LegAnswered { call, leg });
            }
            if before.held != held {
                desk.event(tenant, EventKind::LegHeld { call, leg, held });
            }
            if before.muted != muted {
                desk.event(tenant, EventKind::LegMuted { call, leg, muted });
            }
            if before.unheard != unheard {
                let news = match unheard {
                    Some(Unheard::Nothing) => AudioNews::Nothing,
                    Some(Unheard::OneWay) => AudioNews::OneWay,
                    None => AudioNews::Back,
                };
                desk.event(tenant, EventKind::LegAudio { call, leg, news });
            }
        }
    }

    /// Tells readers who speaks, if that changed.
    pub(crate) fn tell_speaker(&mut self, desk: &mut Desk) {
        let leg = self.room.speaker;
        if self.told.speaker != leg {
            self.told.speaker = leg;
            desk.event(self.tenant(), EventKind::Speaking { call: self.id, leg });
        }
    }

    /// Tells readers of a transfer: how it stands, or its last word.
    pub(crate) fn tell_transfer(&mut self, desk: &mut Desk, record: &TransferRecord) {
        self.told.transfer = Some(record.clone()).filter(|record| record.outcome == TransferOutcome::Open);
        let transfer = Box::new(record.clone());
        desk.event(self.tenant(), EventKind::CallTransfer { call: self.id, transfer });
    }
}
