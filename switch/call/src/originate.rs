//! Calls that the switch begins: one party is called first, then the other.
//!
//! Invariant: until the first has answered the other hears nothing of the call; from then on it is his call like one that he
//! dialled.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::leg::{Leg, LegState, Port};
use crate::output::{CallOutput, DialTarget};
use crate::recall::Recall;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::LegRole;
use cordboard_model::desk::Goal;
use cordboard_model::id::{AgentId, CallId, LegId, UserId};
use cordboard_model::leg::{Incoming, PartyId, Target};
use cordboard_model::time::{Duration, Time};
use cordboard_model::verb::Destination;
use serde_json::Value;
use std::collections::BTreeMap;

/// Who is called first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstParty {
    /// An agent by the devices of his account.
    Agent(AgentId, UserId),
    /// An account's devices.
    User(UserId),
    /// A number. Routing is asked for its way, and later for that of the other, in the name of this account.
    Number(String, Option<UserId>),
}

/// A call that is to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The call; from [`CallEngine::new_call`], used once.
    pub call: CallId,
    /// Its first leg; from [`CallEngine::new_leg`], used once.
    pub leg: LegId,
    /// Who is called first.
    pub first: FirstParty,
    /// The same, as the other party and records see him.
    pub caller: PartyId,
    /// Who is called then.
    pub to: Goal,
    /// The same, as records have it and as the first one's phone shows it.
    pub shown: PartyId,
    /// Call data from the start.
    pub data: BTreeMap<String, Value>,
    /// How long the phone of each rings, where that is not as usual.
    pub rings: [Option<Duration>; 2],
    /// It calls somebody back for a queue.
    pub recall: Option<Recall>,
}

/// A call whose first party is being called.
#[derive(Debug)]
pub(crate) struct Originating {
    pub(crate) goal: Goal,
    rings: [Option<Duration>; 2],
    pub(crate) recall: Option<Recall>,
    /// Routing is asked where he is.
    pub(crate) routes: bool,
    /// He has answered and is asked for a key.
    pub(crate) asks: bool,
}

impl CallEngine {
    /// Begins a call. What becomes of it is told as of any other.
    pub fn originate(&mut self, origin: Origin, now: Time) {
        self.desk.now = now;
        let id = origin.call;
        if self.calls.contains_key(&id) || self.desk.legs.contains_key(&origin.leg) {
            return; // a second word about the same call
        }
        let full = self.calls.len() >= usize::try_from(self.desk.limits.calls).unwrap_or(usize::MAX);
        let call = Call::originate(origin, full, &mut self.desk);
        self.calls.insert(id, Box::new(call));
        self.with(id, |_, _| ());
    }
}

impl Call {
    fn originate(origin: Origin, full: bool, desk: &mut Desk) -> Self {
        let Origin { call: id, leg, first, caller: party, to, shown, data, rings, recall } = origin;
        let mut caller = Leg::new(leg, LegRole::Caller, party.clone(), desk.wall_now());
        caller.state = LegState::Opening;
        let (device, agent, user, number) = match first {
            FirstParty::Agent(agent, user) => {
                (Some(DialTarget::Agent(agent.clone())), Some(agent), Some(user), None)
            }
            FirstParty::User(user) => {
                (Some(DialTarget::Target(Target::User(user.clone()))), None, Some(user), None)
            }
            FirstParty::Number(number, user) => (None, None, user, Some(number)),
        };
        caller.agent.clone_from(&agent);
        caller.back.clone_from(&device);
        caller.dial = device.map(|device| (device, shown.clone()));
        let incoming = Incoming {
            leg,
            from: party,
            to: shown,
            trunk: None,
            user,
            replaces: None,
            data: BTreeMap::new(),
        };
        let mut call = Self::new(id, incoming, caller, BTreeMap::new());
        call.begin_recall(desk, recall.as_ref());
        let routes = number.is_some();
        call.doing =
            Doing::Originating(Box::new(Originating { goal: to, rings, recall, routes, asks: false }));
        call.agent = agent;
        call.ours = true;
        call.enters(desk, full);
        for (key, value) in data {
            // what does not fit is left out: a call is not lost for it
            let _ = call.put_data(desk, key, value);
        }
        match number {
            _ if full => {}
            Some(number) => call.find_first(desk, &number),
            None => desk.set(Timer::Ring(leg), rings[0].unwrap_or(desk.limits.ring)),
        }
        call
    }

    /// Asks where the number is that is called first.
    fn find_first(&mut self, desk: &mut Desk, number: &str) {
        self.caller.port = Port::Free;
        let (from, to) = (self.incoming.to.clone(), PartyId::new(number));
        let incoming = Incoming { from, to, ..self.incoming.clone() };
        desk.set(Timer::Route(self.id), desk.limits.route);
        desk.out.push_back(CallOutput::Route { call: self.id, incoming });
    }

    /// Whether routing is asked where the first party is.
    pub(crate) fn finds_first(&self) -> bool {
        matches!(&self.doing, Doing::Originating(originating) if originating.routes)
    }

    /// Routing's word on that: his phone is rung.
    pub(crate) fn first_routed(&mut self, desk: &mut Desk, to: Result<Destination, Cause>) {
        let Doing::Originating(originating) = &mut self.doing else { return };
        originating.routes = false;
        let ring = originating.rings[0].unwrap_or(desk.limits.ring);
        let device = match to {
            Ok(Destination::Agent(agent)) => DialTarget::Agent(agent),
            Ok(Destination::User(user)) => DialTarget::Target(Target::User(user)),
            Ok(Destination::Trunk(trunk, number)) => DialTarget::Target(Target::Trunk(trunk, number)),
            // a flow or queue of ours is nobody to be called
            Ok(Destination::Flow(_) | Destination::Queue(_)) => {
                return self.end(desk, Cause::NoRoute, Party::Switch);
            }
            Err(cause) => return self.end(desk, cause, Party::Switch),
        };
        let leg = self.caller.id;
        self.caller.trunk = match &device {
            DialTarget::Target(Target::Trunk(trunk, _)) => Some(trunk.clone()),
            _ => None,
        };
        self.caller.back = self.caller.trunk.is_none().then(|| device.clone());
        self.caller.dial = Some((device, self.incoming.to.clone()));
        self.caller.port = Port::Asked;
        desk.set(Timer::Ring(leg), ring);
        self.open_caller(desk);
    }

    /// The first party has answered: the other is called now.
    pub(crate) fn originated(&mut self, desk: &mut Desk) {
        let originating = match core::mem::replace(&mut self.doing, Doing::Routing) {
            Doing::Originating(originating) => *originating,
            other => return self.doing = other,
        };
        let Originating { goal, rings, recall, .. } = originating;
        self.ring = rings[1];
        match (recall, self.caller.agent.clone()) {
            (Some(recall), Some(agent)) => self.agent_recalled(desk, agent, &recall),
            (Some(recall), None) => return self.customer_recalled(desk, goal, recall),
            (None, _) => {}
        }
        match goal {
            Goal::Place(place) => self.go(desk, place),
            Goal::Number(_) => {
                desk.set(Timer::Route(self.id), desk.limits.route);
                let (call, incoming) = (self.id, self.incoming.clone());
                desk.out.push_back(CallOutput::Route { call, incoming });
            }
        }
    }

    /// He has answered, and is asked for a key before anybody else is called.
    pub(crate) fn asks_first(&mut self, goal: Goal, recall: Recall) {
        let rings = [None, self.ring];
        let recall = Some(recall);
        self.doing =
            Doing::Originating(Box::new(Originating { goal, rings, recall, routes: false, asks: true }));
    }
}
