//! Numbers on their way in and out: read by the country plan, written for the carrier, and the caller's number taken from
//! a pool. What was dialled and what was shown go into the call's record.

use super::Out;
use crate::legs::Leg;
use crate::shard::Shard;
use cordboard_model::cdr::{AsDialled, Cdr};
use cordboard_model::config::{Agent, NumberPool, PoolChoice, Tenant, Trunk, TrunkIdentity};
use cordboard_model::id::{CallId, LegId, Name, QueueId};
use cordboard_model::leg::PartyId;
use cordboard_model::plan;
use cordboard_model::view::RouteReason;
use cordboard_plugin_api::Urgent;
use cordboard_sip::engine::IncomingCall;
use std::collections::BTreeMap;

/// What is kept of numbers while their calls last.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// As they came, where that is not what the call works with.
    dialled: BTreeMap<CallId, AsDialled>,
    /// The queue that a call entered last.
    queues: BTreeMap<CallId, QueueId>,
    /// What is to be shown as the caller's number, where an agent has asked for it.
    asked: BTreeMap<CallId, String>,
    /// What a leg showed as its caller's number, taken from a pool.
    presented: BTreeMap<LegId, String>,
    /// How often each pool gave a number, for the next in its round.
    given: BTreeMap<(cordboard_model::id::TenantId, Name), usize>,
}

impl Numbers {
    pub(crate) fn forget(&mut self, call: CallId, legs: &[LegId]) {
        self.dialled.remove(&call);
        self.queues.remove(&call);
        self.asked.remove(&call);
        self.presented.retain(|leg, _| !legs.contains(leg));
    }

    pub(crate) fn is_empty(&self) -> bool {
        let none_asked = self.asked.is_empty() && self.presented.is_empty();
        self.dialled.is_empty() && self.queues.is_empty() && none_asked
    }

    /// The call has entered this queue.
    pub(crate) fn queued(&mut self, call: CallId, queue: QueueId) {
        self.queues.insert(call, queue);
    }

    /// The queue that the call entered last.
    pub(crate) fn queue_of(&self, call: CallId) -> Option<&QueueId> {
        self.queues.get(&call)
    }

    /// This number is shown where the call leaves by a trunk.
    pub(crate) fn show(&mut self, call: CallId, number: String) {
        self.asked.insert(call, number);
    }

    fn next(&mut self, tenant: &Tenant, name: &Name, pool: &NumberPool, called: &str) -> Option<String> {
        let given = self.given.entry((tenant.id, name.clone())).or_default();
        let chosen = choose(pool, called, *given)?;
        *given = given.wrapping_add(1);
        Some(chosen.to_owned())
    }
}

/// The number that is shown: the next in the round, of all or of those that share the longest beginning with the number
/// that is called.
fn choose<'a>(pool: &'a NumberPool, called: &str, given: usize) -> Option<&'a str> {
    let alike = |number: &String| number.bytes().zip(called.bytes()).take_while(|(a, b)| a == b).count();
    let most = match pool.choice {
        PoolChoice::RoundRobin => 0,
        PoolChoice::Area => pool.numbers.iter().map(alike).max().unwrap_or(0),
    };
    let fitting: Vec<&String> = pool.numbers.iter().filter(|number| alike(number) >= most).collect();
    fitting.get(given % fitting.len().max(1)).map(|number| number.as_str())
}

impl Shard {
    /// Reads the numbers of a call that came; what they were is kept beside.
    pub(crate) fn numbers_inside(
        &mut self,
        call: CallId,
        trunk: Option<&Trunk>,
        incoming: &mut IncomingCall,
    ) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(tenant) = snapshot.tenant(call.tenant) else { return };
        let came = AsDialled { from: incoming.from.user.clone(), to: incoming.to.user.clone() };
        let (from, to) = plan::inside(tenant, trunk, incoming.user.is_some(), &came.from, &came.to);
        if (&from, &to) == (&came.from, &came.to) {
            return;
        }
        let AsDialled { from: caller, to: called } = &came;
        let written = match trunk {
            Some(_) => "as the carrier writes it",
            None => "as dialled",
        };
        let reason = RouteReason {
            plugin: trunk.map_or("number plan".into(), |trunk| format!("trunk {}", trunk.id.name)),
            verdict: "amend".into(),
            why: format!("{caller} calls {called}, {written}: {from} calls {to}"),
            rejected: Vec::new(),
        };
        (incoming.from.user, incoming.to.user) = (from, to);
        self.routing.note(call, Some(reason));
        self.trunks.numbers.dialled.insert(call, came);
    }

    /// Caller and called number of a call that leaves by a trunk, as its carrier gets them.
    pub(crate) fn numbers_outside(&mut self, call: CallId, leg: LegId, trunk: &Trunk, out: &mut Out) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(tenant) = snapshot.tenant(call.tenant) else { return };
        // a trunk that was tried before may have shown another
        self.trunks.numbers.presented.remove(&leg);
        if let Some(shown) = self.shown_outside(tenant, (call, leg), trunk, &out.number) {
            out.from = PartyId::new(&shown);
            // It is the house's own: nobody is given away by it, and it is what the carrier knows us by.
            out.told.private = false;
            out.told.asserted = out.told.asserted.take().map(|_| PartyId::new(&shown));
            self.trunks.numbers.presented.insert(leg, shown);
        }
        if let Some(asserted) = &mut out.told.asserted {
            asserted.user = plan::outside(tenant, trunk, &asserted.user, "").0;
        }
        (out.from.user, out.number) = plan::outside(tenant, trunk, &out.from.user, &out.number);
    }

    /// The same of a call for help: the number is as it was dialled, and who calls is never withheld.
    pub(super) fn numbers_of_help(
        &mut self,
        (call, leg): (CallId, LegId),
        trunk: &Trunk,
        help: &Urgent,
        out: &mut Out,
    ) {
        let snapshot = std::sync::Arc::clone(&self.snapshot);
        let Some(tenant) = snapshot.tenant(call.tenant) else { return };
        let withheld = self.others(leg).find_map(|other| other.came.as_deref()?.withheld().cloned());
        self.trunks.numbers.presented.remove(&leg);
        if let Some(caller) = &help.caller {
            out.from = PartyId::new(caller);
            self.trunks.numbers.presented.insert(leg, caller.clone());
        } else if let Some(withheld) = withheld {
            out.from = withheld;
        }
        out.told.private = false;
        out.from.user = plan::outside(tenant, trunk, &out.from.user, "").0;
        out.told.asserted = Some(out.from.clone()).filter(|_| out.told.form != TrunkIdentity::None);
        out.told.geolocation.clone_from(&help.location);
    }

    /// The number that is shown: the one an agent has asked for, else one of the pool of the queue that the call was in,
    /// else his own, else one of a pool.
    fn shown_outside(
        &mut self,
        tenant: &Tenant,
        (call, leg): (CallId, LegId),
        trunk: &Trunk,
        number: &str,
    ) -> Option<String> {
        if let Some(asked) = self.trunks.numbers.asked.get(&call) {
            return Some(asked.clone());
        }
        let own = self.agent_in(tenant, (call, leg)).and_then(|agent| tenant.desk.agents.get(&agent.id.name));
        let own = own.and_then(|desk| desk.caller_number.clone());
        let of_queue = self.trunks.numbers.queue_of(call);
        if own.is_some()
            && of_queue.and_then(|id| tenant.queues.get(&id.name)?.caller_pool.as_ref()).is_none()
        {
            return own;
        }
        let (name, pool) = self.pool_of(tenant, (call, leg), trunk)?;
        let called = plan::called(tenant, None, number);
        self.trunks.numbers.next(tenant, name, pool, &called)
    }

    /// The agent whose account, or telephone, is in the call, beside who is called by this leg.
    fn agent_in<'a>(&self, tenant: &'a Tenant, (call, called): (CallId, LegId)) -> Option<&'a Agent> {
        let others = || self.legs.of(call).iter().filter(|leg| **leg != called);
        let legs = || others().filter_map(|leg| self.legs.get(*leg));
        // whom a leg was rung for is known; whose an account is, only as long as nobody else sits there
        let of_leg = |leg: &Leg| leg.agent.clone().or_else(|| self.agent_at(leg.user.as_ref()?));
        let agent = legs().find_map(of_leg)?;
        tenant.agents.get(&agent.name)
    }

    /// The pool of the queue that the call was in, or that the calling agent serves, or else of the trunk.
    fn pool_of<'a>(
        &self,
        tenant: &'a Tenant,
        (call, leg): (CallId, LegId),
        trunk: &Trunk,
    ) -> Option<(&'a Name, &'a NumberPool)> {
        let of_queue = |id: &QueueId| tenant.queues.get(&id.name)?.caller_pool.clone();
        let of_call = || self.trunks.numbers.queues.get(&call).and_then(of_queue);
        let of_agent = || self.agent_in(tenant, (call, leg))?.queues.iter().find_map(of_queue);
        let name = of_call().or_else(of_agent).or_else(|| trunk.caller_pool.clone())?;
        tenant.pools.get_key_value(&name)
    }

    /// Writes into a call's record what is known of its numbers.
    pub(crate) fn numbers_into(&self, cdr: &mut Cdr) {
        cdr.dialled = self.trunks.numbers.dialled.get(&cdr.call).cloned();
        for leg in &mut cdr.legs {
            leg.presented = self.trunks.numbers.presented.get(&leg.leg).cloned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(choice: PoolChoice, numbers: &[&str]) -> NumberPool {
        NumberPool { choice, numbers: numbers.iter().map(|n| (*n).to_owned()).collect() }
    }

    #[test]
    fn a_pool_goes_round_and_by_area_among_those_nearest_to_the_called_number() {
        let numbers = ["+49301", "+49302", "+49891"];
        let round = pool(PoolChoice::RoundRobin, &numbers);
        let chosen: Vec<_> = (0..4).filter_map(|given| choose(&round, "+49891234", given)).collect();
        assert_eq!(chosen, ["+49301", "+49302", "+49891", "+49301"]);
        let area = pool(PoolChoice::Area, &numbers);
        assert_eq!(choose(&area, "+49891234", 0), Some("+49891"));
        let chosen: Vec<_> = (0..3).filter_map(|given| choose(&area, "+49305555", given)).collect();
        assert_eq!(chosen, ["+49301", "+49302", "+49301"]);
        assert_eq!(choose(&pool(PoolChoice::Area, &[]), "+4930", 3), None);
    }
}
