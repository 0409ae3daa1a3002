//! Whom an event concerns: the agents and queues that it names, and of a call those who are with it.
//!
//! Invariant: it is said once, when the event is told, and kept with it: whoever reads later, from whichever place on,
//! needs nothing of what was before.
//!
//! An agent is with a call from the event that names both (an offer, a stage, his status) until he is in no call any more,
//! his wrap-up included; a queue, from the first that names both until the call is over.

use super::Told;
use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::{CallId, Name, TenantId};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most agents and most queues that are kept for a call, and most calls of a tenant: far more than there are. It is a
/// bound, for a call whose end was never told.
const OF_CALL: usize = 64;
const CALLS: usize = 100_000;

/// Who is with a call.
#[derive(Clone, Debug, Default)]
struct With {
    agents: Vec<Name>,
    queues: Vec<Name>,
}

/// Who is with which call, of one tenant.
#[derive(Clone, Debug, Default)]
pub struct Concerns {
    calls: BTreeMap<CallId, With>,
    /// The same by agents: who is through with his call is found without a look at all calls.
    of_agents: BTreeMap<Name, BTreeSet<CallId>>,
}

/// What an event names.
#[derive(Debug, Default)]
struct Named {
    agents: Vec<Name>,
    queues: Vec<Name>,
    call: Option<CallId>,
}

impl Concerns {
    /// Says whom an event concerns. Each is to be given once, in the order of the numbers.
    pub fn tell(&mut self, event: Event) -> Told {
        let mut value = serde_json::to_value(&event.what).unwrap_or_default();
        // The record names everybody who ever was with it.
        if let Some(entries) = value.as_object_mut() {
            entries.remove("cdr");
        }
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut named = Named::default();
        named.look(&value, event.tenant);
        if let Some(call) = named.call {
            let with = self.calls.entry(call).or_default();
            let before = with.agents.len();
            join(&mut with.agents, &mut named.agents);
            for agent in with.agents.iter().skip(before) {
                self.of_agents.entry(agent.clone()).or_default().insert(call);
            }
            join(&mut with.queues, &mut named.queues);
        }
        let Named { agents, queues, call } = named;
        match &event.what {
            EventKind::CallEnded { call, .. } => self.forget(*call),
            EventKind::AgentStatus { agent, status, .. } if !status.is_of_a_call() => {
                for call in self.of_agents.remove(&agent.name).unwrap_or_default() {
                    if let Some(with) = self.calls.get_mut(&call) {
                        with.agents.retain(|one| *one != agent.name);
                    }
                }
            }
            _ => {}
        }
        if self.calls.len() > CALLS
            && let Some(first) = self.calls.keys().next().copied()
        {
            self.forget(first);
        }
        Told { kind, call, agents, queues, event }
    }

    /// Nobody is with the call any more.
    fn forget(&mut self, call: CallId) {
        for agent in self.calls.remove(&call).map(|with| with.agents).unwrap_or_default() {
            if let Some(calls) = self.of_agents.get_mut(&agent) {
                calls.remove(&call);
                if calls.is_empty() {
                    self.of_agents.remove(&agent);
                }
            }
        }
    }
}

/// Each gets what the other has.
fn join(known: &mut Vec<Name>, named: &mut Vec<Name>) {
    for name in named.drain(..) {
        if known.len() < OF_CALL && !known.contains(&name) {
            known.push(name);
        }
    }
    named.clone_from(known);
}

impl Named {
    fn look(&mut self, value: &Value, tenant: TenantId) {
        match value {
            Value::Object(entries) => {
                for (key, inner) in entries {
                    self.entry(key, inner, tenant);
                }
            }
            Value::Array(all) => all.iter().for_each(|inner| self.look(inner, tenant)),
            _ => {}
        }
    }

    fn entry(&mut self, key: &str, inner: &Value, tenant: TenantId) {
        match key {
            // What is in there is the caller's, and may be called anything.
            "value" | "data" => {}
            "agent" | "taken_by" => self.agents.extend(name_of(inner, tenant)),
            "queue" => self.queues.extend(name_of(inner, tenant)),
            "call" => self.call = self.call.or(inner.as_str().and_then(|text| text.parse().ok())),
            _ => self.look(inner, tenant),
        }
    }
}

fn name_of(value: &Value, tenant: TenantId) -> Option<Name> {
    let is_ours = value.get("tenant")?.as_str()? == tenant.as_str();
    Name::new(value.get("name")?.as_str()?).ok().filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::cause::Cause;
    use cordboard_model::id::{AgentId, IdMaker, QueueId};
    use cordboard_model::time::Wall;
    use cordboard_model::view::{AgentStatus, CallStage};

    const US: TenantId = TenantId::DEFAULT;

    struct Bench {
        concerns: Concerns,
        seq: u64,
    }

    impl Bench {
        fn tell(&mut self, what: EventKind) -> (String, Vec<String>, Vec<String>) {
            self.seq += 1;
            let told = self.concerns.tell(Event { tenant: US, seq: self.seq, at: Wall(0), what });
            let names = |all: Vec<Name>| all.iter().map(Name::to_string).collect();
            (told.kind, names(told.agents), names(told.queues))
        }
    }

    fn status(agent: &AgentId, status: AgentStatus, call: Option<CallId>) -> EventKind {
        let (agent, why) = (agent.clone(), String::new());
        EventKind::AgentStatus { agent, status, why, call, reason: None, by: None }
    }

    #[test]
    fn a_call_concerns_who_is_with_it_until_he_is_through_with_it() {
        let (agent, other) = (AgentId::new(US, "1001").unwrap(), AgentId::new(US, "1002").unwrap());
        let queue = QueueId::new(US, "sales").unwrap();
        let mut ids = IdMaker::new(7, 0);
        let (call, leg) = (ids.call(US), ids.leg(US));
        let mut bench = Bench { concerns: Concerns::default(), seq: 0 };
        let none: (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let held = EventKind::LegHeld { call, leg, held: true };
        let (kind, agents, queues) = bench.tell(held.clone());
        assert_eq!((kind.as_str(), (agents, queues)), ("leg_held", none.clone()));
        let entered = EventKind::QueueEntered { call, queue: queue.clone(), position: 1 };
        assert_eq!(bench.tell(entered).2, ["sales"]);
        let offered = |agent: &AgentId| EventKind::QueueOffered {
            call,
            queue: queue.clone(),
            agent: agent.clone(),
            why: String::new(),
        };
        assert_eq!(bench.tell(offered(&other)).1, ["1002"]);
        assert_eq!(bench.tell(offered(&agent)).1, ["1002", "1001"]);
        // The other did not answer.
        assert_eq!(bench.tell(status(&other, AgentStatus::Ready, None)).1, ["1002"]);
        let stage = CallStage::Bridged;
        let agent_now = Some(agent.clone());
        bench.tell(EventKind::CallStage { call, stage, queue: None, agent: agent_now });
        let (_, agents, queues) = bench.tell(held.clone());
        assert_eq!((agents, queues), (vec!["1001".to_owned()], vec!["sales".to_owned()]));
        bench.tell(status(&agent, AgentStatus::WrapUp, Some(call)));
        let ended = EventKind::LegEnded { call, leg, cause: Cause::Normal };
        assert_eq!(bench.tell(ended.clone()).1, ["1001"]);
        bench.tell(status(&agent, AgentStatus::Ready, None));
        assert_eq!(bench.tell(ended).1, Vec::<String>::new());
        assert!(bench.concerns.of_agents.is_empty(), "{:?}", bench.concerns.of_agents);
        // Of a call that ends with an agent nothing is left either.
        bench.tell(offered(&agent));
        assert_eq!(bench.concerns.of_agents.len(), 1);
    }

    #[test]
    fn what_a_caller_is_said_to_be_names_nobody() {
        let call = IdMaker::new(7, 0).call(US);
        let value = serde_json::json!({"agent": {"tenant": "default", "name": "1001"}});
        let mut bench = Bench { concerns: Concerns::default(), seq: 0 };
        let told = bench.tell(EventKind::DataChanged { call, key: "agent".into(), value });
        assert_eq!((told.1, told.2), (Vec::new(), Vec::new()));
    }
}
