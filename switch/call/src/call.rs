//! One call: what it is doing, its legs, and what a leg's news means to it.
//!
//! Invariants: [`Doing`] alone says who is responsible for the call's next step (a port, routing, a flow,
//! a queue, a ringing device, two talkers, the end). A flow may be alive below a queue or a ringing device;
//! its pending step is then that wait. `caller` is the party that the call is for: who called, or whom a transfer left.

use crate::acts::Acts;
use crate::connect::{Connect, Talk};
use crate::desk::{Desk, Timer};
use crate::flow::FlowRun;
use crate::fork::Fork;
use crate::leg::{Leg, LegAct, LegInput, LegState, Port};
use crate::listen::Listening;
use crate::originate::Originating;
use crate::output::DialTarget;
use crate::queue::{Offer, Wait};
use crate::record::{Recording, RecordingRule};
use crate::room::Room;
use crate::side::Aside;
use crate::told::Told;
use crate::transfer::Transfer;
use cordboard_model::audio::QueueAudio;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::{CallTimes, LegRole, QueueVisit, Supervision, TransferRecord};
use cordboard_model::desk::WrapUp;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, CallId, FlowId, LegId, QueueId, TenantId};
use cordboard_model::leg::{Incoming, LegCommand, Target};
use cordboard_model::media::{MediaCommand, PlayItem};
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_model::verb::Destination;
use cordboard_model::view::{CallStage, RouteReason};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Who is responsible for the next step.
#[derive(Debug)]
pub(crate) enum Doing {
    /// The caller's media port is asked for.
    Opening,
    /// One party of a call that we begin is called; then the other is.
    Originating(Box<Originating>),
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
    /// Several ring for the flow, or have answered and are spoken to.
    Fork(Fork),
    /// The called party answered.
    Talk(Talk),
    /// A party is being sent elsewhere.
    Transfer(Box<Transfer>),
    /// The caller takes the place of this leg of another call as soon as he is answered.
    Taking(LegId),
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

/// An agent whom a queue gave, until he is released.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) leg: LegId,
    pub(crate) agent: AgentId,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) incoming: Incoming,
    /// The party that the call is for.
    pub(crate) caller: Leg,
    /// Legs that we called, in the order of their beginning.
    pub(crate) callees: Vec<Leg>,
    pub(crate) doing: Doing,
    pub(crate) flow: Option<FlowRun>,
    /// The call's own flow, while another one stands above it.
    pub(crate) below: Option<FlowRun>,
    /// The talk that waits for the caller, who was sent aside.
    pub(crate) aside: Option<Aside>,
    /// Keys typed ahead.
    pub(crate) digits: VecDeque<char>,
    pub(crate) data: BTreeMap<String, Value>,
    pub(crate) started: Wall,
    /// The same on the clock that lengths are counted by.
    pub(crate) begun: Time,
    pub(crate) times: CallTimes,
    pub(crate) answered: Option<Wall>,
    pub(crate) bridged: Option<Wall>,
    /// The agent who talked last.
    pub(crate) agent: Option<AgentId>,
    pub(crate) flows: Vec<FlowId>,
    pub(crate) visits: Vec<QueueVisit>,
    pub(crate) recordings: Vec<Recording>,
    /// What a flow or the API has said about recording.
    pub(crate) recording_rule: RecordingRule,
    /// A program that listens.
    pub(crate) listening: Option<Listening>,
    /// What programs have under way with its parties.
    pub(crate) acts: Acts,
    pub(crate) route: Vec<RouteReason>,
    pub(crate) hops: u32,
    /// The queues that would not have it, since it last waited in one or was elsewhere.
    pub(crate) refused_by: Vec<QueueId>,
    /// Its place in a queue, where nothing gives it a better one.
    pub(crate) priority: u8,
    /// Where it goes if nobody answers where it was sent.
    pub(crate) otherwise: Option<Destination>,
    /// We began it, in the name of the account that `incoming` has, or of the house.
    pub(crate) ours: bool,
    /// A program sends it to a number, by rights that are not the caller's.
    pub(crate) ordered: bool,
    /// How long who is called second rings, where that is not as usual.
    pub(crate) ring: Option<Duration>,
    /// It is a call for help: no limit of ours ends it.
    pub(crate) urgent: bool,
    /// The music of the last queue.
    pub(crate) music: Vec<PlayItem>,
    /// What else is so in that queue.
    pub(crate) manner: Option<Arc<QueueAudio>>,
    /// The call's lot, 0 to 99, where a share is recorded.
    pub(crate) lot: Option<u8>,
    /// What readers were told last.
    pub(crate) told: Told,
    /// Who rings for the queue it waits in.
    pub(crate) offers: Vec<Offer>,
    /// Agents whose queues wait for their release: one, and those whom he got by consulting queues.
    pub(crate) serving: Vec<Serving>,
    /// The queue whose call it is: it waited there for itself last.
    pub(crate) queue: Option<QueueId>,
    /// Who else is in the talk.
    pub(crate) room: Room,
    pub(crate) transfers: Vec<TransferRecord>,
    /// Those that are over.
    pub(crate) supervisions: Vec<Supervision>,
    /// What agents said of it.
    pub(crate) wrap_ups: Vec<WrapUp>,
    /// The call that one of its parties went to.
    pub(crate) joined: Option<CallId>,
    pub(crate) end: Option<End>,
    /// `Closing` was sent.
    pub(crate) closed: bool,
    /// `Forgotten` was sent.
    pub(crate) forgotten: bool,
}

impl Call {
    /// Takes a call in and asks for the caller's port. `full` refuses it at once.
    pub(crate) fn begin(id: CallId, mut incoming: Incoming, full: bool, desk: &mut Desk) -> Self {
        let started = desk.wall_now();
        let data = core::mem::take(&mut incoming.data);
        let caller = Leg::new(incoming.leg, LegRole::Caller, incoming.from.clone(), started);
        let mut call = Self::new(id, incoming, caller, data);
        call.caller.back = call.incoming.user.clone().map(|user| DialTarget::Target(Target::User(user)));
        call.enters(desk, full);
        call
    }

    /// A call of which nobody knows yet.
    pub(crate) fn new(id: CallId, incoming: Incoming, caller: Leg, data: BTreeMap<String, Value>) -> Self {
        Self {
            id,
            started: caller.started,
            caller,
            incoming,
            callees: Vec::new(),
            doing: Doing::Opening,
            flow: None,
            below: None,
            aside: None,
            digits: VecDeque::new(),
            data,
            begun: Time::ZERO,
            times: CallTimes::default(),
            answered: None,
            bridged: None,
            agent: None,
            flows: Vec::new(),
            visits: Vec::new(),
            recordings: Vec::new(),
            recording_rule: RecordingRule::default(),
            listening: None,
            acts: Acts::default(),
            route: Vec::new(),
            hops: 0,
            refused_by: Vec::new(),
            priority: 0,
            otherwise: None,
            ours: false,
            ordered: false,
            ring: None,
            urgent: false,
            music: Vec::new(),
            offers: Vec::new(),
            manner: None,
            lot: None,
            told: Told::default(),
            serving: Vec::new(),
            queue: None,
            room: Room::default(),
            transfers: Vec::new(),
            supervisions: Vec::new(),
            wrap_ups: Vec::new(),
            joined: None,
            end: None,
            closed: false,
            forgotten: false,
        }
    }

    /// It is there from now on: readers hear of it, and the caller's port is asked for.
    pub(crate) fn enters(&mut self, desk: &mut Desk, full: bool) {
        let (id, leg) = (self.id, self.caller.id);
        let (from, to) = (self.incoming.from.clone(), self.incoming.to.clone());
        self.begun = desk.now;
        self.caller.trunk.clone_from(&self.incoming.trunk);
        desk.legs.insert(leg, id);
        let party = self.caller.party.clone();
        desk.event(id.tenant, EventKind::CallStarted { call: id, from, to });
        desk.event(id.tenant, EventKind::LegStarted { call: id, leg, party });
        if full {
            self.caller.port = Port::Free;
            self.end(desk, Cause::Congestion, Party::Switch);
        } else {
            desk.set(Timer::Length(id), desk.limits.call_length);
            if !self.finds_first() {
                self.open_caller(desk);
            }
        }
    }

    /// Asks for the caller's port.
    pub(crate) fn open_caller(&mut self, desk: &mut Desk) {
        let leg = self.caller.id;
        desk.set(Timer::Leg(leg), desk.limits.media_open);
        desk.media(MediaCommand::Open { leg, near: None });
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.id.tenant
    }

    pub(crate) fn leg(&self, id: LegId) -> Option<&Leg> {
        self.legs().find(|leg| leg.id == id)
    }

    pub(crate) fn leg_mut(&mut self, id: LegId) -> Option<&mut Leg> {
        core::iter::once(&mut self.caller).chain(self.callees.iter_mut()).find(|leg| leg.id == id)
    }

    /// Every leg, the caller's first.
    pub(crate) fn legs(&self) -> impl Iterator<Item = &Leg> {
        core::iter::once(&self.caller).chain(self.callees.iter())
    }

    /// Answers the caller, if that was not done yet.
    pub(crate) fn answer_caller(&mut self, desk: &mut Desk) {
        let id = self.caller.id;
        if self.step(id, LegInput::Answer) == LegAct::SendAnswer {
            desk.set(Timer::Leg(id), desk.limits.answer);
            desk.leg(id, LegCommand::Answer);
        }
    }

    /// What a held party of this call hears.
    pub(crate) fn hold_items(&self, desk: &Desk) -> Vec<PlayItem> {
        match self.manner.as_ref().and_then(|manner| manner.hold.clone()) {
            Some(own) => vec![PlayItem::Asset(own)],
            None => desk.hold_music(self.tenant(), &self.music),
        }
    }

    /// Whether the caller is answered and there.
    pub(crate) fn caller_is_up(&self) -> bool {
        self.caller.state == LegState::Up
    }

    /// Sends the call on. Counted, so that no ring of overflows and fallbacks turns for ever.
    pub(crate) fn go(&mut self, desk: &mut Desk, to: Destination) {
        self.hops = self.hops.saturating_add(1);
        if self.hops > desk.limits.hops {
            return self.end(desk, Cause::NoRoute, Party::Switch);
        }
        if !matches!(to, Destination::Queue(_)) {
            self.refused_by.clear();
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
            Doing::Opening | Doing::Routing | Doing::Taking(_) => CallStage::Routing,
            Doing::Transfer(_) => CallStage::Transferring,
            Doing::Flow | Doing::Apology(_) => CallStage::Flow,
            Doing::Queue(_) if !self.offers.is_empty() => CallStage::Ringing,
            Doing::Queue(_) => CallStage::Queued,
            Doing::Originating(_) | Doing::Connect(_) | Doing::Fork(_) => CallStage::Ringing,
            Doing::Talk(talk) if talk.joined => CallStage::Bridged,
            Doing::Talk(_) => CallStage::Ringing,
            Doing::Ending => CallStage::Ending,
        }
    }

    /// The agent it rings at or talks to.
    pub(crate) fn agent_now(&self) -> Option<&AgentId> {
        match &self.doing {
            Doing::Originating(_) => self.caller.agent.as_ref(),
            Doing::Queue(_) => match self.offers.as_slice() {
                [offer] => Some(&offer.agent),
                // nobody, or any of several
                _ => None,
            },
            Doing::Connect(connect) => connect.agent.as_ref(),
            Doing::Fork(fork) => fork.agent(),
            Doing::Talk(talk) => talk.agent.as_ref(),
            Doing::Transfer(transfer) => transfer.talk.agent.as_ref(),
            Doing::Flow => self.aside.as_ref().and_then(|aside| aside.talk.agent.as_ref()),
            _ => None,
        }
    }

    /// The queue it waits in or came from.
    pub(crate) fn queue_now(&self) -> Option<&QueueId> {
        match &self.doing {
            Doing::Queue(wait) => Some(&wait.queue),
            _ => self.queue.as_ref(),
        }
    }
}
