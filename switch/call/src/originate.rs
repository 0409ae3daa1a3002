//! Calls that the switch begins: the phone of who calls rings first, then who is called.
//!
//! Invariant: until his phone is answered nobody else hears of the call; from then on it is his call like one that he
//! dialled.

use crate::call::{Call, Doing};
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::leg::{Leg, LegState};
use crate::output::{CallOutput, DialTarget};
use cordboard_model::cdr::LegRole;
use cordboard_model::desk::Goal;
use cordboard_model::id::{AgentId, CallId, LegId, UserId};
use cordboard_model::leg::{Incoming, PartyId};
use cordboard_model::time::Time;
use serde_json::Value;
use std::collections::BTreeMap;

/// A call that is to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The call; from [`CallEngine::new_call`], used once.
    pub call: CallId,
    /// Its first leg; from [`CallEngine::new_leg`], used once.
    pub leg: LegId,
    /// Who calls.
    pub agent: AgentId,
    /// His account, whose devices ring.
    pub user: UserId,
    /// Who calls, as the called party and records see him.
    pub caller: PartyId,
    /// Who is called.
    pub to: Goal,
    /// Who is called, as records have it and as his own phone shows it.
    pub shown: PartyId,
    /// Call data from the start.
    pub data: BTreeMap<String, Value>,
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
        let Origin { call: id, leg, agent, user, caller: party, to, shown, data } = origin;
        let device = DialTarget::Agent(agent.clone());
        let mut caller = Leg::new(leg, LegRole::Caller, party.clone(), desk.wall_now());
        caller.state = LegState::Opening;
        caller.agent = Some(agent.clone());
        caller.back = Some(device.clone());
        caller.dial = Some((device, shown.clone()));
        let incoming = Incoming {
            leg,
            from: party,
            to: shown,
            trunk: None,
            user: Some(user),
            replaces: None,
            data: BTreeMap::new(),
        };
        let mut call = Self::new(id, incoming, caller, BTreeMap::new());
        call.doing = Doing::Originating(to);
        call.agent = Some(agent);
        call.enters(desk, full);
        for (key, value) in data {
            // what does not fit is left out: a call is not lost for it
            let _ = call.put_data(desk, key, value);
        }
        if !full {
            desk.set(Timer::Ring(leg), desk.limits.ring);
        }
        call
    }

    /// His phone is answered: who is called is called now.
    pub(crate) fn originated(&mut self, desk: &mut Desk) {
        let goal = match core::mem::replace(&mut self.doing, Doing::Routing) {
            Doing::Originating(goal) => goal,
            other => return self.doing = other,
        };
        match goal {
            Goal::Place(place) => self.go(desk, place),
            Goal::Number(_) => {
                desk.set(Timer::Route(self.id), desk.limits.route);
                let (call, incoming) = (self.id, self.incoming.clone());
                desk.out.push_back(CallOutput::Route { call, incoming });
            }
        }
    }
}
