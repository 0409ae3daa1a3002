//! One call: what it is doing, its legs, and what a leg's news means to it.
//!
//! Invariant: [`Doing`] alone says who is responsible for the call's next step (a port, routing, a flow,
//! a queue, a ringing device, two talkers, the end). A flow may be alive below a queue or a ringing device;
//! its pending step is then that wait.

use crate::connect::{Connect, Talk};
use crate::desk::{Desk, Timer};
use crate::flow::FlowRun;
use crate::leg::{Leg, LegAct, LegEnd, LegInput, LegState, Port};
use crate::output::{CallOutput, DialTarget};
use crate::queue::Wait;
use crate::record::Recording;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{LegRole, QueueVisit};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, FlowId, LegId, QueueId, TenantId};
use cordboard_model::leg::{Incoming, LegCommand, LegEvent, PartyId};
use cordboard_model::media::{LegStats, MediaCommand, PlayItem};
use cordboard_model::time::{Duration, Wall};
use cordboard_model::verb::Destination;
use cordboard_model::view::{CallStage, RouteReason};
use std::collections::{BTreeMap, VecDeque};

/// Who is responsible for the next step.
#[derive(Debug)]
pub(crate) enum Doing {
    /// The caller's media port is asked for.
    Opening,
    /// Routing is asked.
    Routing,
    /// The flow.
    Flow,
    /// The flow failed; its apology plays, then the call goes here or ends.
    Apology(Option<Destination>),
    /// A queue.
    Queue(Wait),
    /// A device rings.
    Connect(Connect),
    /// The called party answered.
    Talk(Talk),
    /// Nobody: the end is decided.
    Ending,
}

/// The end, once it is decided. The first decision stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) cause: Cause,
    pub(crate) by: Party,
    pub(crate) at: Wall,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) incoming: Incoming,
    pub(crate) caller: Leg,
    /// Legs that we called, in the order of their beginning.
    pub(crate) callees: Vec<Leg>,
    pub(crate) doing: Doing,
    pub(crate) flow: Option<FlowRun>,
    /// Keys typed ahead.
    pub(crate) digits: VecDeque<char>,
    pub(crate) data: BTreeMap<String, String>,
    pub(crate) started: Wall,
    pub(crate) answered: Option<Wall>,
    pub(crate) bridged: Option<Wall>,
    /// The agent who talked last.
    pub(crate) agent: Option<AgentId>,
    pub(crate) flows: Vec<FlowId>,
    pub(crate) visits: Vec<QueueVisit>,
    pub(crate) recordings: Vec<Recording>,
    pub(crate) route: Vec<RouteReason>,
    pub(crate) hops: u32,
    /// The music of the last queue.
    pub(crate) music: Vec<PlayItem>,
    /// What readers were told last.
    pub(crate) told: (CallStage, Option<QueueId>, Option<AgentId>),
    pub(crate) end: Option<End>,
    /// `Closing` was sent.
    pub(crate) closed: bool,
    /// `Forgotten` was sent.
    pub(crate) forgotten: bool,
}

impl Call {
    /// Takes a call in and asks for the caller's port. `full` refuses it at once.
    pub(crate) fn begin(id: CallId, incoming: Incoming, full: bool, desk: &mut Desk) -> Self {
        let started = desk.wall_now();
        let (from, to) = (incoming.from.clone(), incoming.to.clone());
        let mut call = Self {
            id,
            caller: Leg::new(incoming.leg, LegRole::Caller, from.clone(), started),
            incoming,
            callees: Vec::new(),
            doing: Doing::Opening,
            flow: None,
            digits: VecDeque::new(),
            data: BTreeMap::new(),
            started,
            answered: None,
            bridged: None,
            agent: None,
            flows: Vec::new(),
            visits: Vec::new(),
            recordings: Vec::new(),
            route: Vec::new(),
            hops: 0,
            music: Vec::new(),
            told: (CallStage::Routing, None, None),
            end: None,
            closed: false,
            forgotten: false,
        };
        let leg = call.caller.id;
        desk.legs.insert(leg, id);
        let party = from.clone();
        desk.event(id.tenant, EventKind::CallStarted { call: id, from, to });
        desk.event(
            id.tenant,
            EventKind::LegStarted {
                call: id,
                leg,
                party,
            },
        );
        if full {
            call.caller.port = Port::Free;
            call.end(desk, Cause::Congestion, Party::Switch);
        } else {
            desk.set(Timer::Length(id), desk.limits.call_length);
            desk.set(Timer::Leg(leg), desk.limits.media_open);
            desk.media(MediaCommand::Open { leg, near: None });
        }
        call
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.id.tenant
    }

    pub(crate) fn leg(&self, id: LegId) -> Option<&Leg> {
        self.legs().find(|leg| leg.id == id)
    }

    pub(crate) fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        core::iter::once(&mut self.caller)
            .chain(self.callees.iter_mut())
            .find(|leg| leg.id == id)
    }

    /// Every leg, the caller's first.
    pub(crate) fn legs(&self) -> impl Iterator<Item = &Leg> {
        core::iter::once(&self.caller).chain(self.callees.iter())
    }

    /// Begins a leg to somebody: asks for its port; it is dialled when the port is there.
    pub(crate) fn call_out(
        &mut self,
        desk: &mut Desk,
        to: DialTarget,
        party: PartyId,
        agent: Option<AgentId>,
        ring: Duration,
    ) -> LegId {
        self.drop_old_records(desk);
        let id = desk.ids.leg(self.tenant());
        let mut leg = Leg::new(id, LegRole::Callee, party.clone(), desk.wall_now());
        leg.agent = agent;
        leg.dial = Some(to);
        self.callees.push(leg);
        desk.legs.insert(id, self.id);
        let started = EventKind::LegStarted {
            call: self.id,
            leg: id,
            party,
        };
        desk.event(self.tenant(), started);
        desk.set(Timer::Leg(id), desk.limits.media_open);
        desk.set(Timer::Ring(id), ring);
        desk.media(MediaCommand::Open {
            leg: id,
            near: Some(self.caller.id),
        });
        id
    }

    /// Keeps the record of a call that rings many agents short: the oldest that never answered go.
    fn drop_old_records(&mut self, desk: &mut Desk) {
        while self.callees.len() >= desk.limits.leg_records {
            let old = |leg: &Leg| leg.is_finished() && leg.answered.is_none();
            let Some(at) = self.callees.iter().position(old) else {
                return;
            };
            let leg = self.callees.remove(at);
            desk.legs.remove(&leg.id);
        }
    }

    /// Puts one event through the leg's table and does what the table says.
    pub(crate) fn on_leg(&mut self, desk: &mut Desk, id: LegId, event: &LegEvent) {
        let act = self.step(id, LegInput::from(event));
        match (act, event) {
            (LegAct::TellUp, _) => self.leg_up(desk, id),
            (LegAct::TellRinging, _) => self.leg_rings(desk, id),
            (LegAct::TellEarly, _) => self.leg_early(desk, id),
            (LegAct::TellHold, LegEvent::PeerHold { on }) => self.peer_hold(desk, id, *on),
            (LegAct::TellHoldDone, LegEvent::HoldDone { on, ok }) => {
                self.hold_done(desk, id, *on, *ok);
            }
            (LegAct::TellDigit, LegEvent::Digit(digit)) => self.digit(desk, id, *digit),
            (
                LegAct::TellGone,
                LegEvent::Ended {
                    cause,
                    by_peer,
                    sip_status,
                },
            ) => {
                self.leg_gone(desk, id, *cause, *by_peer, *sip_status);
            }
            (LegAct::SendHangUp, _) => {
                let cause = self
                    .leg(id)
                    .and_then(|leg| leg.end)
                    .map_or(Cause::Cancelled, |e| e.cause);
                desk.leg(id, LegCommand::HangUp { cause });
            }
            _ => {}
        }
    }

    /// The deadline of a leg's state.
    pub(crate) fn on_leg_deadline(&mut self, desk: &mut Desk, id: LegId) {
        match self.step(id, LegInput::Deadline) {
            LegAct::TellNoPort => self.end(desk, Cause::Congestion, Party::Switch),
            LegAct::TellStuck => self.end(desk, Cause::InternalError, Party::Switch),
            LegAct::TellGone => {
                let known = self.leg(id).and_then(|leg| leg.end);
                let cause = known.map_or(Cause::Congestion, |end| end.cause);
                self.leg_gone(desk, id, cause, false, None);
            }
            _ => {}
        }
    }

    /// The media thread made the leg's port.
    pub(crate) fn on_opened(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.port != Port::Asked {
            return; // a second word, or it was closed meanwhile
        }
        leg.port = Port::Open;
        let dial = leg.dial.take();
        let agent = leg.agent.clone();
        match (self.step(id, LegInput::Opened), dial) {
            (LegAct::Dial, Some(to)) => {
                desk.clear(Timer::Leg(id));
                let (call, from) = (self.id, self.incoming.from.clone());
                desk.out.push_back(CallOutput::Dial {
                    call,
                    leg: id,
                    to,
                    from,
                    agent,
                });
            }
            (LegAct::TellOpened, _) => {
                desk.clear(Timer::Leg(id));
                if matches!(self.doing, Doing::Opening) {
                    self.doing = Doing::Routing;
                    desk.set(Timer::Route(self.id), desk.limits.route);
                    let (call, incoming) = (self.id, self.incoming.clone());
                    desk.out.push_back(CallOutput::Route { call, incoming });
                }
            }
            _ => {}
        }
    }

    /// The media thread has no port for the leg.
    pub(crate) fn on_open_failed(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        if !matches!(leg.port, Port::Asked | Port::Closing) {
            return;
        }
        leg.port = Port::Free;
        match self.step(id, LegInput::OpenFailed) {
            LegAct::TellNoPort => self.end(desk, Cause::Congestion, Party::Switch),
            LegAct::TellGone => self.leg_gone(desk, id, Cause::Congestion, false, None),
            _ => {}
        }
    }

    /// The port is free again; these are its figures.
    pub(crate) fn on_closed(&mut self, desk: &mut Desk, id: LegId, stats: LegStats) {
        let Some(leg) = self.leg_mut(id) else { return };
        if leg.port == Port::Free {
            return;
        }
        let asked = leg.port == Port::Closing;
        leg.port = Port::Free;
        leg.stats = stats;
        leg.playing = None;
        if !asked {
            // The media thread dropped a leg in use: without audio the leg is worth nothing.
            self.port_lost(desk, id);
        }
    }

    /// The leg's port went away under it.
    fn port_lost(&mut self, desk: &mut Desk, id: LegId) {
        if id == self.caller.id {
            return self.end(desk, Cause::InternalError, Party::Switch);
        }
        self.hang_up_leg(desk, id, Cause::InternalError);
        self.leg_lost(desk, id, Cause::InternalError, false);
    }

    /// Neither RTP nor RTCP for longer than the limit: a talker or caller whose machine is gone.
    pub(crate) fn on_silent(&mut self, desk: &mut Desk, id: LegId) {
        let counts =
            id == self.caller.id || matches!(&self.doing, Doing::Talk(talk) if talk.peer == id);
        let up = self
            .leg(id)
            .is_some_and(|leg| leg.state == LegState::Up && !leg.is_held());
        if counts && up {
            self.end(desk, Cause::MediaTimeout, Party::Switch);
        }
    }

    /// Moves a leg by its table.
    pub(crate) fn step(&mut self, id: LegId, input: LegInput) -> LegAct {
        let Some(leg) = self.leg_mut(id) else {
            return LegAct::Absorb;
        };
        let (to, act) = leg.state.on(input);
        leg.state = to;
        act
    }

    /// Answers the caller, if that was not done yet.
    pub(crate) fn answer_caller(&mut self, desk: &mut Desk) {
        let id = self.caller.id;
        if self.step(id, LegInput::Answer) == LegAct::SendAnswer {
            desk.set(Timer::Leg(id), desk.limits.answer);
            desk.leg(id, LegCommand::Answer);
        }
    }

    /// Whether the caller is answered and there.
    pub(crate) fn caller_is_up(&self) -> bool {
        self.caller.state == LegState::Up
    }

    /// A leg is answered.
    fn leg_up(&mut self, desk: &mut Desk, id: LegId) {
        let now = desk.wall_now();
        desk.clear(Timer::Leg(id));
        desk.clear(Timer::Ring(id));
        if let Some(leg) = self.leg_mut(id) {
            leg.answered = Some(now);
        }
        if id == self.caller.id {
            self.answered = Some(now);
            desk.event(self.tenant(), EventKind::CallAnswered { call: self.id });
            self.caller_up(desk);
        } else {
            self.callee_up(desk, id);
        }
    }

    /// The caller is answered: whoever waited for it goes on.
    fn caller_up(&mut self, desk: &mut Desk) {
        match &self.doing {
            Doing::Flow => self.answer_done(desk),
            Doing::Queue(_) => self.enter(desk),
            Doing::Talk(_) => self.join(desk),
            _ => {}
        }
    }

    /// A device answered.
    fn callee_up(&mut self, desk: &mut Desk, id: LegId) {
        if self.end.is_some() {
            return; // it is the last leg and is ended after the record
        }
        match &self.doing {
            Doing::Queue(wait) if wait.rings_at(id) => self.offer_answered(desk),
            Doing::Connect(connect) if connect.leg == id => self.connect_answered(desk),
            // Nobody waits for it: it must not talk to itself.
            _ => self.hang_up_leg(desk, id, Cause::Cancelled),
        }
    }

    fn leg_rings(&mut self, desk: &mut Desk, id: LegId) {
        match &self.doing {
            Doing::Queue(wait) if wait.rings_at(id) => self.offer_rings(desk),
            Doing::Connect(connect) if connect.leg == id => self.ring_back(desk),
            _ => {}
        }
    }

    /// Only a caller who waits for this very device hears it early; one in a queue keeps his music.
    fn leg_early(&mut self, desk: &mut Desk, id: LegId) {
        match &self.doing {
            Doing::Queue(wait) if wait.rings_at(id) => self.offer_rings(desk),
            Doing::Connect(connect) if connect.leg == id => self.connect_early(desk),
            _ => {}
        }
    }

    /// A leg rang for as long as it may.
    pub(crate) fn on_ring_deadline(&mut self, desk: &mut Desk, id: LegId) {
        let rings = self.leg(id).is_some_and(|leg| {
            matches!(
                leg.state,
                LegState::Opening | LegState::Calling | LegState::Ringing
            )
        });
        if rings {
            self.hang_up_leg(desk, id, Cause::NoAnswer);
            self.leg_lost(desk, id, Cause::NoAnswer, false);
        }
    }

    /// A leg is over: keeps its end, frees its port, and tells whoever relied on it.
    fn leg_gone(
        &mut self,
        desk: &mut Desk,
        id: LegId,
        cause: Cause,
        by_peer: bool,
        sip_status: Option<u16>,
    ) {
        desk.clear(Timer::Leg(id));
        desk.clear(Timer::Ring(id));
        desk.clear(Timer::Hold(id));
        self.note_end(desk, id, cause, sip_status);
        // First the news, then the port: a recording is stopped before one of its legs is closed.
        self.leg_lost(desk, id, cause, by_peer);
        self.close_port(desk, id);
    }

    /// Keeps how a leg ended and says so, once. A status that is learnt later is still added.
    pub(crate) fn note_end(
        &mut self,
        desk: &mut Desk,
        id: LegId,
        cause: Cause,
        sip_status: Option<u16>,
    ) {
        let at = desk.wall_now();
        let (call, tenant) = (self.id, self.tenant());
        let Some(leg) = self.leg_mut(id) else { return };
        match &mut leg.end {
            Some(end) => end.sip_status = sip_status.or(end.sip_status),
            none => {
                *none = Some(LegEnd {
                    at,
                    cause,
                    sip_status,
                });
                desk.event(
                    tenant,
                    EventKind::LegEnded {
                        call,
                        leg: id,
                        cause,
                    },
                );
            }
        }
    }

    /// What a lost leg means to the call.
    fn leg_lost(&mut self, desk: &mut Desk, id: LegId, cause: Cause, by_peer: bool) {
        if self.end.is_some() {
            return;
        }
        if id == self.caller.id {
            let by = if by_peer {
                Party::Caller
            } else {
                Party::Switch
            };
            return self.end(desk, cause, by);
        }
        match &self.doing {
            Doing::Queue(wait) if wait.rings_at(id) => self.offer_failed(desk, cause),
            Doing::Connect(connect) if connect.leg == id => {
                self.connect_failed(desk, cause, by_peer);
            }
            Doing::Talk(talk) if talk.peer == id => {
                let by = if by_peer {
                    Party::Callee
                } else {
                    Party::Switch
                };
                self.end(desk, cause, by);
            }
            _ => {}
        }
    }

    /// Ends one leg, whatever its state, and frees its port.
    pub(crate) fn hang_up_leg(&mut self, desk: &mut Desk, id: LegId, cause: Cause) {
        let act = self.step(id, LegInput::HangUp);
        if act == LegAct::Absorb {
            return;
        }
        desk.clear(Timer::Ring(id));
        desk.clear(Timer::Leg(id));
        desk.clear(Timer::Hold(id));
        self.note_end(desk, id, cause, None);
        if act == LegAct::SendHangUp {
            desk.set(Timer::Leg(id), desk.limits.teardown);
            desk.leg(id, LegCommand::HangUp { cause });
        }
        self.close_port(desk, id);
    }

    /// Frees a leg's port, once.
    pub(crate) fn close_port(&mut self, desk: &mut Desk, id: LegId) {
        let Some(leg) = self.leg_mut(id) else { return };
        leg.playing = None;
        if matches!(leg.port, Port::Asked | Port::Open) {
            leg.port = Port::Closing;
            desk.media(MediaCommand::Close { leg: id });
        }
    }

    /// Sends the call on. Counted, so that no ring of overflows and fallbacks turns for ever.
    pub(crate) fn go(&mut self, desk: &mut Desk, to: Destination) {
        self.hops = self.hops.saturating_add(1);
        if self.hops > desk.limits.hops {
            return self.end(desk, Cause::NoRoute, Party::Switch);
        }
        match to {
            Destination::Flow(flow) => self.start_flow(desk, flow),
            Destination::Queue(queue) => self.enqueue(desk, queue, None, 0),
            Destination::Agent(_) | Destination::User(_) | Destination::Trunk(..) => {
                self.ring_at(desk, to);
            }
        }
    }

    /// What the call is doing, in the readers' words.
    pub(crate) fn stage(&self) -> CallStage {
        match &self.doing {
            Doing::Opening | Doing::Routing => CallStage::Routing,
            Doing::Flow | Doing::Apology(_) => CallStage::Flow,
            Doing::Queue(wait) if wait.offer.is_some() => CallStage::Ringing,
            Doing::Queue(_) => CallStage::Queued,
            Doing::Connect(_) => CallStage::Ringing,
            Doing::Talk(talk) if talk.joined => CallStage::Bridged,
            Doing::Talk(_) => CallStage::Ringing,
            Doing::Ending => CallStage::Ending,
        }
    }

    /// The agent it rings at or talks to.
    pub(crate) fn agent_now(&self) -> Option<&AgentId> {
        match &self.doing {
            Doing::Queue(wait) => wait.offer.as_ref().map(|offer| &offer.agent),
            Doing::Connect(connect) => connect.agent.as_ref(),
            Doing::Talk(talk) => talk.agent.as_ref(),
            _ => None,
        }
    }

    /// The queue it waits in or came from.
    pub(crate) fn queue_now(&self) -> Option<&QueueId> {
        match &self.doing {
            Doing::Queue(wait) => Some(&wait.queue),
            _ => self.visits.last().map(|visit| &visit.queue),
        }
    }

    /// Tells readers what the call does, if that changed.
    pub(crate) fn tell_stage(&mut self, desk: &mut Desk) {
        let stage = self.stage();
        let queue = match &self.doing {
            Doing::Queue(wait) => Some(wait.queue.clone()),
            Doing::Talk(talk) => talk.wait.as_ref().map(|wait| wait.queue.clone()),
            _ => None,
        };
        let agent = self.agent_now().cloned();
        let told = (stage, queue, agent);
        if self.told != told {
            self.told = told.clone();
            let (stage, queue, agent) = told;
            let call = self.id;
            desk.event(
                self.tenant(),
                EventKind::CallStage {
                    call,
                    stage,
                    queue,
                    agent,
                },
            );
        }
    }
}
