//! Ringing a device or a trunk for a caller, and joining the two.
//!
//! Invariant: the caller is answered only after the called party was; the two are joined when both are up,
//! or earlier, one way, if the called side sends audio before its answer.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::flow::StepKind;
use crate::leg::{Heard, LegState};
use crate::opening::Opening;
use crate::output::{CallOutput, DialTarget, QueueOutput};
use crate::queue::Wait;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::dial::DialEnd;
use cordboard_model::id::{AgentId, LegId};
use cordboard_model::leg::{Incoming, LegCommand, PartyId, Target};
use cordboard_model::media::{MediaCommand, PlayItem, Repeat, Tone};
use cordboard_model::time::Duration;
use cordboard_model::verb::{Destination, QueueEnd, VerbAnswer};

/// How long the ring-back tone is played before it begins anew, milliseconds: a multiple of every country's period.
const RING_BACK_MS: u32 = 180_000;

/// A device that rings for the caller.
#[derive(Debug)]
pub(crate) struct Connect {
    pub(crate) leg: LegId,
    pub(crate) agent: Option<AgentId>,
    /// The caller hears it already.
    pub(crate) heard_early: bool,
}

/// The called party answered.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) peer: LegId,
    pub(crate) agent: Option<AgentId>,
    /// The wait that a queue's offer ended. The queue wants its `AgentReleased`.
    pub(crate) wait: Option<Wait>,
    /// The talk is recorded.
    pub(crate) record: bool,
    /// Bridged before the answer.
    pub(crate) heard_early: bool,
    /// Both are up and bridged.
    pub(crate) joined: bool,
    /// What they hear before.
    pub(crate) opening: Opening,
}

impl Talk {
    /// With this party, an agent perhaps, who is to be joined.
    pub(crate) fn new(peer: LegId, agent: Option<AgentId>) -> Self {
        let opening = Opening::default();
        Self { peer, agent, wait: None, record: false, heard_early: false, joined: false, opening }
    }
}

impl Call {
    /// Rings an agent, an account or a number, and waits for it.
    pub(crate) fn ring_at(&mut self, desk: &mut Desk, to: Destination) {
        let from = self.caller.party.clone();
        if let Some((leg, agent)) =
            self.ring_device_for(desk, to, from, self.ring.unwrap_or(desk.limits.ring))
        {
            self.doing = Doing::Connect(Connect { leg, agent, heard_early: false });
        }
    }

    /// Rings an agent, an account or a number, which sees `from` as calling. Flows and queues are not rung.
    pub(crate) fn ring_device(
        &mut self,
        desk: &mut Desk,
        to: Destination,
        from: PartyId,
    ) -> Option<(LegId, Option<AgentId>)> {
        self.ring_device_for(desk, to, from, desk.limits.ring)
    }

    /// The same, for a time.
    pub(crate) fn ring_device_for(
        &mut self,
        desk: &mut Desk,
        to: Destination,
        from: PartyId,
        ring: Duration,
    ) -> Option<(LegId, Option<AgentId>)> {
        let (to, party, agent) = match to {
            Destination::Agent(agent) => {
                let party = PartyId::new(agent.name.as_str());
                (DialTarget::Agent(agent.clone()), party, Some(agent))
            }
            Destination::User(user) => {
                let party = PartyId::new(user.name.as_str());
                (DialTarget::Target(Target::User(user)), party, None)
            }
            Destination::Trunk(trunk, number) => {
                let party = PartyId::new(&number);
                (DialTarget::Target(Target::Trunk(trunk, number)), party, None)
            }
            Destination::Flow(_) | Destination::Queue(_) => return None,
        };
        let leg = self.call_out(desk, (to, from), party, agent.clone(), ring);
        Some((leg, agent))
    }

    /// It rings. A caller without audio from us is told (180); one with audio hears the tone.
    pub(crate) fn ring_back(&mut self, desk: &mut Desk) {
        let hears_us = self.caller_is_up() || self.caller.told_early;
        let leg = self.caller.id;
        if self.caller.state == LegState::Arrived && !self.caller.told_ringing {
            self.caller.told_ringing = true;
            desk.leg(leg, LegCommand::Ring);
        }
        let hears_it = matches!(self.caller.playing, Some((_, Heard::Music | Heard::RingBack)));
        if hears_us && !hears_it {
            self.play_ring_back(desk, leg);
        }
    }

    /// A party hears the ring-back tone.
    pub(crate) fn play_ring_back(&mut self, desk: &mut Desk, leg: LegId) {
        let tone = vec![PlayItem::Tone(Tone::RingBack, RING_BACK_MS)];
        self.play(desk, leg, Heard::RingBack, tone, Repeat::Forever);
    }

    /// The called side sends audio before its answer.
    pub(crate) fn connect_early(&mut self, desk: &mut Desk) {
        let Doing::Connect(connect) = &mut self.doing else {
            return;
        };
        if connect.heard_early {
            return;
        }
        connect.heard_early = true;
        let peer = connect.leg;
        self.open_ear(desk);
        self.stop_play(desk, self.caller.id);
        desk.media(MediaCommand::Bridge { a: self.caller.id, b: peer });
    }

    /// The device answered: a flow that transferred has done its work.
    pub(crate) fn connect_answered(&mut self, desk: &mut Desk) {
        let Doing::Connect(connect) = &mut self.doing else {
            return;
        };
        let peer = connect.leg;
        let talk = Talk { heard_early: connect.heard_early, ..Talk::new(peer, connect.agent.take()) };
        self.doing = Doing::Talk(talk);
        self.dialled(desk, peer);
        self.join(desk);
    }

    /// The device did not answer: the call goes where the device sends it, or the flow goes on, or the caller is refused for the same cause.
    pub(crate) fn connect_failed(&mut self, desk: &mut Desk, cause: Cause, by_peer: bool) {
        let Doing::Connect(connect) = &self.doing else {
            return;
        };
        let (leg, heard_early) = (connect.leg, connect.heard_early);
        if self.redirected(desk, leg) {
            return;
        }
        if heard_early {
            desk.media(MediaCommand::Unbridge { leg: self.caller.id });
        }
        self.stop_ring_back(desk);
        if matches!(self.step_kind(), Some(StepKind::Transfer | StepKind::Dial(_))) {
            self.finish_step(desk, VerbAnswer::Failed(cause));
        } else if let Some(to) = self.otherwise.take() {
            self.go(desk, to);
        } else {
            let by = if by_peer { Party::Callee } else { Party::Switch };
            self.end(desk, cause, by);
        }
    }

    /// The device sends the call elsewhere: routing is asked, in the name of who sends it. False if it does not, or the
    /// call has been sent about too often.
    pub(crate) fn redirected(&mut self, desk: &mut Desk, id: LegId) -> bool {
        let leg = self.leg_mut(id);
        let Some((to, party)) = leg.and_then(|leg| Some((leg.redirect.take()?, leg.party.clone()))) else {
            return false;
        };
        self.hops = self.hops.saturating_add(1);
        if self.hops > desk.limits.hops {
            return false;
        }
        if matches!(&self.doing, Doing::Connect(connect) if connect.heard_early) {
            desk.media(MediaCommand::Unbridge { leg: self.caller.id });
        }
        self.stop_play(desk, self.caller.id);
        self.data.insert("diverted_from".to_owned(), party.user.into());
        self.data.insert("diversion_reason".to_owned(), "unconditional".into());
        self.doing = Doing::Routing;
        desk.set(Timer::Route(self.id), desk.limits.route);
        let from = self.caller.party.clone();
        let to = PartyId::new(&to);
        let data = std::collections::BTreeMap::new();
        let incoming = Incoming { leg: id, from, to, trunk: None, user: None, replaces: None, data };
        desk.out.push_back(CallOutput::Route { call: self.id, incoming });
        true
    }

    /// Routing found nothing for where a device sent the call: its flow hears it, or the caller.
    pub(crate) fn not_routed(&mut self, desk: &mut Desk, cause: Cause) {
        if matches!(self.step_kind(), Some(StepKind::Transfer | StepKind::Dial(_))) {
            return self.finish_step(desk, VerbAnswer::Failed(cause));
        }
        self.end(desk, cause, Party::Switch);
    }

    /// Joins caller and called party once both are up. The caller is answered now if he was not.
    pub(crate) fn join(&mut self, desk: &mut Desk) {
        if !self.decide_recording(desk) {
            return;
        }
        if !self.caller_is_up() {
            return self.answer_caller(desk);
        }
        if !self.is_opened(desk) {
            return;
        }
        let now = desk.wall_now();
        let Doing::Talk(talk) = &mut self.doing else {
            return;
        };
        if talk.joined {
            return;
        }
        talk.joined = true;
        let (peer, early, record) = (talk.peer, talk.heard_early, talk.record);
        let agent = talk.agent.clone();
        self.stop_play(desk, self.caller.id);
        if early {
            self.joined_early(peer);
            self.settle_room(desk);
        } else {
            self.join_media(desk);
        }
        self.bridged = self.bridged.or(Some(now));
        self.agent = agent.or(self.agent.take());
        self.record_talk(desk, peer, record);
        self.act_on_watch(desk);
    }

    /// What a flow that waits for the end of the talk is told of it; none if no flow does.
    pub(crate) fn after_talk(
        &mut self,
        desk: &Desk,
        peer: Option<LegId>,
        cause: Cause,
    ) -> Option<VerbAnswer> {
        match self.step_kind() {
            Some(StepKind::Enqueue) => Some(VerbAnswer::Queue(QueueEnd::Served)),
            Some(StepKind::Dial(_)) => {
                let end = if cause == Cause::MaxDuration { DialEnd::Limit } else { DialEnd::Served };
                let who = peer.and_then(|peer| self.leg(peer)).map(|leg| leg.party.user.clone());
                Some(VerbAnswer::Dialled { end, who: who.unwrap_or_default() })
            }
            Some(StepKind::Conference(_)) => self.conferred(desk.wall_now(), false),
            _ => None,
        }
    }

    /// The called side is gone and the caller is not: the flow that waits for that has him again.
    pub(crate) fn served(&mut self, desk: &mut Desk, answer: VerbAnswer) {
        let talk = match core::mem::replace(&mut self.doing, Doing::Flow) {
            Doing::Talk(talk) => talk,
            other => return self.doing = other,
        };
        if talk.joined {
            self.unjoin_media(desk);
        }
        self.part(desk, talk);
        self.let_go(desk);
        self.finish_step(desk, answer);
        if let Some(flow) = &mut self.flow {
            flow.left = true;
        }
    }

    /// The talk is over, or never quite began.
    pub(crate) fn part(&mut self, desk: &mut Desk, talk: Talk) {
        self.stop_recordings(desk);
        self.dismiss(desk);
        drop(talk);
        self.release_any(desk);
    }

    /// Whatever agents the call still has from queues are released.
    pub(crate) fn release_any(&mut self, desk: &mut Desk) {
        for serving in core::mem::take(&mut self.serving) {
            desk.queue(QueueOutput::AgentReleased { call: self.id, agent: serving.agent });
        }
    }

    /// The leg is of no more use to the call: if a queue's agent is at its end, his queue learns it.
    pub(crate) fn release_agent(&mut self, desk: &mut Desk, leg: LegId) {
        if let Some(at) = self.serving.iter().position(|serving| serving.leg == leg) {
            let serving = self.serving.remove(at);
            desk.queue(QueueOutput::AgentReleased { call: self.id, agent: serving.agent });
        }
    }
}
