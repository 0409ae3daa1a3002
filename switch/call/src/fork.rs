//! Several who ring together for a flow's caller, and words to who answers before the two are joined.
//!
//! Invariants: one of them at most is joined, and the others are let go in the same breath; while a prompt plays or a key
//! is waited for, the caller hears what he heard, and nobody hears him. Without a question the first answer takes the
//! call; with one the first key does, so that others may answer meanwhile and be asked too.

use crate::call::{Call, Doing};
use crate::connect::Talk;
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::leg::{Heard, LegState};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::dial::Accept;
use cordboard_model::id::{AgentId, LegId};
use cordboard_model::media::{PlayItem, Repeat};
use cordboard_model::time::Duration;
use cordboard_model::verb::VerbAnswer;

/// Those who ring, or have answered and are spoken to.
#[derive(Debug)]
pub(crate) struct Fork {
    pub(crate) ways: Vec<Branch>,
    pub(crate) whisper: Vec<PlayItem>,
    pub(crate) accept: Option<Accept>,
    /// Each who answers is to be joined, not the first alone.
    pub(crate) gathers: bool,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) leg: LegId,
    pub(crate) agent: Option<AgentId>,
    /// It has answered.
    pub(crate) answered: bool,
}

impl Fork {
    /// Whether this leg is one of them.
    pub(crate) fn has(&self, leg: LegId) -> bool {
        self.ways.iter().any(|way| way.leg == leg)
    }

    /// Whether this leg has answered and is spoken to.
    fn speaks_to(&self, leg: LegId) -> bool {
        self.ways.iter().any(|way| way.leg == leg && way.answered)
    }

    /// The agent who has answered, or the only one who rings.
    pub(crate) fn agent(&self) -> Option<&AgentId> {
        let answered = self.ways.iter().find(|way| way.answered);
        let only = if self.ways.len() == 1 { self.ways.first() } else { None };
        answered.or(only)?.agent.as_ref()
    }
}

impl Call {
    /// One of them answered: he is spoken to, or joined.
    pub(crate) fn branch_answered(&mut self, desk: &mut Desk, leg: LegId) {
        let Doing::Fork(fork) = &mut self.doing else { return };
        let Some(way) = fork.ways.iter_mut().find(|way| way.leg == leg) else { return };
        way.answered = true;
        if fork.gathers {
            return self.gather(desk);
        }
        let mut items = fork.whisper.clone();
        let asks = fork.accept.is_some();
        items.extend(fork.accept.iter().flat_map(|accept| accept.prompt.iter().cloned()));
        if !asks {
            self.keep_only(desk, leg, Cause::AnsweredElsewhere);
        }
        if !self.play(desk, leg, Heard::Whisper, items, Repeat::Once) {
            self.branch_heard(desk, leg);
        }
    }

    /// He has heard everything: his key has its time, or he is joined.
    pub(crate) fn branch_heard(&mut self, desk: &mut Desk, leg: LegId) {
        let Doing::Fork(fork) = &self.doing else { return };
        if !fork.speaks_to(leg) {
            return;
        }
        match &fork.accept {
            Some(accept) => {
                desk.set(Timer::Ring(leg), Duration::from_millis(accept.timeout_ms.into()));
            }
            None => self.branch_taken(desk, leg),
        }
    }

    /// A key of one who was asked. Says whether it was meant for us.
    pub(crate) fn branch_key(&mut self, desk: &mut Desk, leg: LegId, digit: char) -> bool {
        let Doing::Fork(fork) = &self.doing else { return false };
        if !fork.speaks_to(leg) {
            return false;
        }
        match &fork.accept {
            Some(accept) if accept.key == digit => self.branch_taken(desk, leg),
            Some(accept) if accept.refuse == Some(digit) => self.branch_refused(desk, leg, Cause::Declined),
            _ => {}
        }
        true
    }

    /// Whether this leg was asked for a key and its time is up; then it has refused.
    pub(crate) fn branch_late(&mut self, desk: &mut Desk, leg: LegId) -> bool {
        let late = matches!(&self.doing, Doing::Fork(fork) if fork.speaks_to(leg));
        if late {
            self.branch_refused(desk, leg, Cause::NoAnswer);
        }
        late
    }

    fn branch_refused(&mut self, desk: &mut Desk, leg: LegId, cause: Cause) {
        self.stop_play(desk, leg);
        self.hang_up_leg(desk, leg, cause);
        self.leg_lost(desk, leg, cause, false);
    }

    /// He has the call.
    fn branch_taken(&mut self, desk: &mut Desk, leg: LegId) {
        self.keep_only(desk, leg, Cause::AnsweredElsewhere);
        self.stop_play(desk, leg);
        desk.clear(Timer::Ring(leg));
        let Doing::Fork(fork) = &mut self.doing else { return };
        let agent = fork.ways.iter_mut().find(|way| way.leg == leg).and_then(|way| way.agent.take());
        let peer = leg;
        self.doing = Doing::Talk(Talk::new(peer, agent));
        self.dialled(desk, peer);
        self.join(desk);
    }

    /// Lets the others go.
    pub(crate) fn keep_only(&mut self, desk: &mut Desk, leg: LegId, cause: Cause) {
        let Doing::Fork(fork) = &mut self.doing else { return };
        let (kept, others): (Vec<_>, Vec<_>) =
            core::mem::take(&mut fork.ways).into_iter().partition(|way| way.leg == leg);
        fork.ways = kept;
        for other in others {
            self.stop_play(desk, other.leg);
            self.hang_up_leg(desk, other.leg, cause);
        }
    }

    /// One of them is lost: the others ring on; after the last the flow has the caller again.
    pub(crate) fn branch_lost(&mut self, desk: &mut Desk, leg: LegId, cause: Cause, by_peer: bool) {
        if let Some(leg) = self.leg_mut(leg) {
            // with others who ring, a device that sends the call elsewhere has only refused it
            leg.redirect = None;
        }
        let Doing::Fork(fork) = &mut self.doing else { return };
        fork.ways.retain(|way| way.leg != leg);
        if fork.gathers {
            return self.gathered_lost(desk, leg, cause);
        }
        if !fork.ways.is_empty() {
            return;
        }
        self.stop_ring_back(desk);
        if self.step_kind().is_some() {
            return self.finish_step(desk, VerbAnswer::Failed(cause));
        }
        let by = if by_peer { Party::Callee } else { Party::Switch };
        self.end(desk, cause, by);
    }

    /// Nobody has taken the call: the caller hears nothing of it any more, unless others are rung to the same music.
    pub(crate) fn stop_ring_back(&mut self, desk: &mut Desk) {
        let more = matches!(self.step_kind(), Some(StepKind::Dial(rule)) if rule.more);
        if !more || !matches!(self.caller.playing, Some((_, Heard::Music))) {
            self.stop_play(desk, self.caller.id);
        }
    }

    /// Whether one of them rings, so that another phone may take the call from it.
    pub(crate) fn branch_rings(&self, leg: LegId) -> bool {
        let rings = self.leg(leg).is_some_and(|leg| {
            matches!(leg.state, LegState::Calling | LegState::Ringing | LegState::Opening)
        });
        rings && matches!(&self.doing, Doing::Fork(fork) if fork.has(leg) && !fork.gathers)
    }

    /// Whom the flow has rung has the call: the talk has its time, and the flow waits for its end or is over.
    pub(crate) fn dialled(&mut self, desk: &mut Desk, peer: LegId) {
        let (talk, go_on) = match self.step_kind() {
            Some(StepKind::Dial(rule)) => (rule.talk, rule.go_on),
            _ => (None, false),
        };
        if let Some(talk) = talk {
            desk.set(Timer::Talk(peer), talk);
        }
        if !go_on {
            self.stop_flow(desk, false);
        }
    }

    /// The talk has had its time.
    pub(crate) fn on_talk_deadline(&mut self, desk: &mut Desk, peer: LegId) {
        if self.leg(peer).is_some_and(|leg| leg.state == LegState::Up) {
            // first the news, then the port: a recording is stopped before one of its legs is closed
            self.leg_lost(desk, peer, Cause::MaxDuration, false);
            self.hang_up_leg(desk, peer, Cause::MaxDuration);
        }
    }
}
