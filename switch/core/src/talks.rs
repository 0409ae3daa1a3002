//! Who talked to which caller last, for callers who are to get the same agent again.
//!
//! Invariants: what is remembered is in the journal too, and of a switch with more callers than [`TALKS_MAX`] those of the tenant
//! with the most are forgotten who called it longest ago. Customers whom call data tells are known under names that no
//! caller's number can be.

use crate::shard::Shard;
use cordboard_acd::{AcdInput, Wish};
use cordboard_model::cdr::Cdr;
use cordboard_model::id::{AgentId, CallId, QueueId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::{Duration, Wall};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most callers that are remembered, of all tenants.
pub const TALKS_MAX: usize = 200_000;
/// Longest number that is.
const NUMBER_MAX: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Talks {
    last: BTreeMap<(TenantId, String), (AgentId, Wall)>,
    /// The same by tenant and time.
    by_time: BTreeMap<TenantId, BTreeSet<(Wall, String)>>,
}

impl Talks {
    /// The agent who talked to a caller last, and when.
    pub(crate) fn get(&self, tenant: TenantId, caller: &str) -> Option<&(AgentId, Wall)> {
        self.last.get(&(tenant, caller.to_owned()))
    }

    /// An agent has talked to a caller.
    pub(crate) fn set(&mut self, agent: AgentId, caller: String, at: Wall) {
        let tenant = agent.tenant;
        let by_time = self.by_time.entry(tenant).or_default();
        if let Some((_, before)) = self.last.insert((tenant, caller.clone()), (agent, at)) {
            by_time.remove(&(before, caller.clone()));
        }
        by_time.insert((at, caller));
        while self.last.len() > TALKS_MAX && self.forget_one() {}
    }

    /// Forgets who called longest ago of the tenant with the most: one whom thousands call up pushes nobody else's out.
    fn forget_one(&mut self) -> bool {
        let most = self.by_time.iter_mut().max_by_key(|(_, callers)| callers.len());
        let Some((tenant, (_, caller))) = most.and_then(|(id, callers)| Some((*id, callers.pop_first()?)))
        else {
            return false;
        };
        self.last.remove(&(tenant, caller)).is_some()
    }
}

/// Under what a caller is remembered who is known by call data.
fn customer(key: &str, data: &BTreeMap<String, Value>) -> Option<String> {
    let value = match data.get(key)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let name = format!("{key}={value}");
    (!value.is_empty() && name.len() <= NUMBER_MAX).then_some(name)
}

fn after(at: Wall, time: Duration) -> Wall {
    Wall(at.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
}

/// A number by which a caller can be remembered: who withholds his is nobody in particular. What a caller says of himself
/// is no customer's name, which has a `=` in it.
pub(crate) fn number(from: &str) -> Option<&str> {
    let fits = from.len() <= NUMBER_MAX && !from.contains('=');
    Some(from).filter(|from| fits && from.contains(|c: char| c.is_ascii_digit()))
}

impl Shard {
    /// Whom a caller would have who enters a queue, where it gives callers whom they know.
    pub(crate) fn wish(&self, call: CallId, queue: &QueueId) -> Option<Wish> {
        let stick = self.snapshot.queue(queue)?.service.stick.as_ref()?;
        let view = self.calls.view(call)?;
        let caller = match &stick.key {
            Some(key) => customer(key, &view.data)?,
            None => number(&view.from.user)?.to_owned(),
        };
        let (agent, at) = self.talks.get(call.tenant, &caller)?;
        let known = after(*at, stick.memory) > self.wall.at(self.now);
        known.then(|| Wish { agent: agent.clone(), wait: Some(stick.wait) })
    }

    /// Remembers who talked in a call to a customer of the queues that it waited in.
    fn note_customer(&mut self, cdr: &Cdr) {
        let (Some(agent), true) = (&cdr.agent, cdr.bridged.is_some()) else {
            return;
        };
        let sticks =
            cdr.queues.iter().filter_map(|visit| self.snapshot.queue(&visit.queue)?.service.stick.clone());
        let mut noted: BTreeMap<String, Wall> = BTreeMap::new();
        for stick in sticks {
            let caller = match &stick.key {
                Some(key) => customer(key, &cdr.data),
                None => number(&cdr.from.user).map(str::to_owned),
            };
            if let Some(caller) = caller {
                let ends = noted.entry(caller).or_insert(cdr.ended);
                *ends = (*ends).max(after(cdr.ended, stick.memory));
            }
        }
        for (caller, ends) in noted {
            self.talks.set(agent.clone(), caller.clone(), cdr.ended);
            let record = JournalRecord::Talked { agent: agent.clone(), caller, at: cdr.ended, ends };
            self.journal(None, record);
        }
    }

    /// A leg of the call is on hold or no longer: so its agents talk, or hold.
    pub(crate) fn note_hold(&mut self, call: CallId) {
        let Some(view) = self.calls.view(call) else {
            return;
        };
        let on = view.legs.iter().any(|leg| leg.held);
        let agents: Vec<AgentId> =
            view.legs.iter().filter_map(|leg| self.legs.get(leg.leg)?.agent.clone()).collect();
        for agent in agents {
            self.acd.handle_input(AcdInput::Held { agent, call, on }, self.now);
        }
    }

    /// A call is over: who talked in it is remembered, where the tenant wants it.
    pub(crate) fn note_talk(&mut self, cdr: &Cdr) {
        self.note_customer(cdr);
        let tenant = cdr.call.tenant;
        let rule = self.snapshot.tenant(tenant).and_then(|tenant| tenant.routes.last_agent.as_ref());
        let (Some(within), Some(agent), Some(at)) =
            (rule.map(|rule| rule.within), &cdr.agent, cdr.bridged.map(|_| cdr.ended))
        else {
            return;
        };
        let Some(caller) = number(&cdr.from.user) else {
            return;
        };
        let (agent, caller) = (agent.clone(), caller.to_owned());
        let ends = after(at, within);
        self.talks.set(agent.clone(), caller.clone(), at);
        self.journal(None, JournalRecord::Talked { agent, caller, at, ends });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_agent_of_a_caller_is_remembered_and_the_oldest_callers_are_forgotten() {
        let agent = |name: &str| AgentId::new(TenantId::DEFAULT, name).unwrap();
        let mut talks = Talks::default();
        talks.set(agent("1001"), "+4930".into(), Wall(1));
        talks.set(agent("1002"), "+4930".into(), Wall(2));
        assert_eq!(talks.get(TenantId::DEFAULT, "+4930"), Some(&(agent("1002"), Wall(2))));
        assert_eq!(talks.get(TenantId::new("other").unwrap(), "+4930"), None);
        for n in 0..TALKS_MAX {
            talks.set(agent("1001"), n.to_string(), Wall(3 + i64::try_from(n).unwrap()));
        }
        assert_eq!(talks.get(TenantId::DEFAULT, "+4930"), None);
        let ours = &talks.by_time[&TenantId::DEFAULT];
        assert_eq!((talks.last.len(), ours.len()), (TALKS_MAX, TALKS_MAX));
    }

    /// One limit for all, whoever called longest ago: a tenant whom a machine called with ever new numbers had the agents of
    /// all others' callers forgotten.
    #[test]
    fn a_tenant_with_ever_new_callers_has_its_own_forgotten_and_not_anothers() {
        let (loud, calm) = (TenantId::DEFAULT, TenantId::new("calm").unwrap());
        let agent = |tenant| AgentId::new(tenant, "1001").unwrap();
        let mut talks = Talks::default();
        talks.set(agent(calm), "+4930".into(), Wall(1));
        for n in 0..TALKS_MAX + 5 {
            talks.set(agent(loud), n.to_string(), Wall(3 + i64::try_from(n).unwrap()));
        }
        assert!(talks.get(calm, "+4930").is_some());
        assert_eq!((talks.get(loud, "5"), talks.get(loud, "6").is_some()), (None, true));
        assert_eq!(talks.last.len(), TALKS_MAX);
    }

    /// A caller from `customer=4711` had the agent of customer 4711.
    #[test]
    fn no_callers_number_is_a_customers_name() {
        let data = BTreeMap::from([("customer".to_owned(), Value::from("4711"))]);
        let name = customer("customer", &data).unwrap();
        assert_eq!(number(&name), None);
        assert_eq!(number("anonymous"), None);
        for is in ["+4930", "4711", "*31#4711", "desk4"] {
            assert_eq!(number(is), Some(is));
        }
    }
}
