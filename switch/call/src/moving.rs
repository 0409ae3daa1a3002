//! A caller who is with a flow or a queue is sent elsewhere by order, or talks with the caller of another such call.
//!
//! Invariants: an order that is refused changes nothing. One that is obeyed takes the call away from its flow and its queue:
//! the flow hears no more of it, an agent who rings is let go without blame. Who talks is not taken from whom he talks to:
//! that is a transfer, which has somebody who sends.

use crate::call::{Call, Doing};
use crate::connect::Talk;
use crate::desk::{Desk, Timer};
use crate::engine::CallEngine;
use crate::leg::Port;
use crate::output::CallOutput;
use cordboard_model::act::ActEnd;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::id::{CallId, UserId};
use cordboard_model::leg::{Incoming, PartyId};
use cordboard_model::time::Time;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

/// Why it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveRefusal {
    /// There is no such call, or it is ending.
    NotFound,
    /// Both are the same call.
    Same,
    /// The caller is not answered yet.
    NotUp,
    /// The caller talks with somebody, or is about to.
    Talking,
    /// The caller's agent waits for him.
    Aside,
    /// The call was sent about as often as one may be.
    TooOften,
}

/// Where a caller is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoveTo {
    /// There.
    Place(Destination),
    /// To a number, by the rules for this account, or for the house.
    Number(String, Option<UserId>),
}

impl CallEngine {
    /// Whether the call is a caller with a flow or a queue, and nobody talks.
    pub fn is_alone(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|call| call.may_move().is_ok())
    }

    /// Sends the caller of a flow or a queue elsewhere.
    ///
    /// # Errors
    /// If he is with neither, is not answered, or was sent about too often.
    pub fn send(&mut self, call: CallId, to: MoveTo, now: Time) -> Result<(), MoveRefusal> {
        self.desk.now = now;
        let mut answer = Err(MoveRefusal::NotFound);
        self.with(call, |call, desk| answer = call.send(desk, to));
        answer
    }

    /// Joins the callers of two calls, each with a flow or a queue: `other` ends, and its caller is in `call`.
    ///
    /// # Errors
    /// If one of them is with neither, or is not answered.
    pub fn bridge(&mut self, call: CallId, other: CallId, now: Time) -> Result<(), MoveRefusal> {
        self.desk.now = now;
        let joined = bridge(&mut self.calls, &mut self.desk, call, other);
        self.with(other, |_, _| ());
        self.with(call, |_, _| ());
        joined
    }
}

impl Call {
    fn may_move(&self) -> Result<(), MoveRefusal> {
        if self.end.is_some() {
            return Err(MoveRefusal::NotFound);
        }
        if self.aside.is_some() {
            return Err(MoveRefusal::Aside);
        }
        match &self.doing {
            Doing::Flow | Doing::Queue(_) | Doing::Apology(_) => {}
            _ => return Err(MoveRefusal::Talking),
        }
        if self.caller_is_up() && self.caller.port == Port::Open { Ok(()) } else { Err(MoveRefusal::NotUp) }
    }

    fn send(&mut self, desk: &mut Desk, to: MoveTo) -> Result<(), MoveRefusal> {
        self.may_move()?;
        if self.hops >= desk.limits.hops {
            return Err(MoveRefusal::TooOften);
        }
        self.leave_place(desk, "moved");
        match to {
            MoveTo::Place(place) => self.go(desk, place),
            MoveTo::Number(number, user) => self.route_to(desk, &number, user),
        }
        Ok(())
    }

    /// Neither flow nor queue has the caller any more.
    fn leave_place(&mut self, desk: &mut Desk, outcome: &str) {
        self.end_acts(desk, ActEnd::Replaced);
        self.leave_queue(desk, outcome);
        self.stop_flow(desk, false);
        self.stop_play(desk, self.caller.id);
        self.otherwise = None;
    }

    fn route_to(&mut self, desk: &mut Desk, number: &str, user: Option<UserId>) {
        self.ordered = true;
        self.doing = Doing::Routing;
        desk.set(Timer::Route(self.id), desk.limits.route);
        let (leg, from, to) = (self.caller.id, self.caller.party.clone(), PartyId::new(number));
        let data = BTreeMap::new();
        let incoming = Incoming { leg, from, to, trunk: None, user, replaces: None, data };
        desk.out.push_back(CallOutput::Route { call: self.id, incoming });
    }
}

fn bridge(
    calls: &mut BTreeMap<CallId, Box<Call>>,
    desk: &mut Desk,
    call: CallId,
    other: CallId,
) -> Result<(), MoveRefusal> {
    if call == other {
        return Err(MoveRefusal::Same);
    }
    if call.tenant != other.tenant {
        return Err(MoveRefusal::NotFound);
    }
    for one in [call, other] {
        calls.get(&one).ok_or(MoveRefusal::NotFound)?.may_move()?;
    }
    let from = calls.get_mut(&other).ok_or(MoveRefusal::NotFound)?;
    let (id, agent, data) = (from.caller.id, from.caller.agent.clone(), from.data.clone());
    from.leave_place(desk, "picked_up");
    let leg = from.give_away(desk, id, call);
    from.end(desk, Cause::Transferred, Party::Switch);
    let (Some(into), Some(leg)) = (calls.get_mut(&call), leg) else { return Err(MoveRefusal::NotFound) };
    into.leave_place(desk, "picked_up");
    // what was written down about the call that stays counts for more
    for (key, value) in data {
        into.data.entry(key).or_insert(value);
    }
    into.take_in(desk, leg);
    into.doing = Doing::Talk(Talk::new(id, agent));
    into.join(desk);
    Ok(())
}
