//! Exchanging the configuration while calls wait and agents talk.

use crate::agent::{Agent, Asked, Intent};
use crate::api::Outcome;
use crate::device::is_there;
use crate::engine::{AcdEngine, Timer};
use crate::queue::Queue;
use cordboard_model::config::{self, Snapshot};
use cordboard_model::device::AgentDevice;
use cordboard_model::id::{AgentId, CallId, QueueId};
use cordboard_model::service::{Role, Work};
use cordboard_model::time::Time;
use cordboard_model::verb::QueueEnd;

impl AcdEngine {
    pub(crate) fn configure(&mut self, snapshot: &Snapshot, now: Time) {
        self.remove_queues(snapshot, now);
        for (tenant, name, queue) in of_tenants(snapshot, |t| &t.queues) {
            let id = QueueId { tenant, name: name.clone() };
            match self.queues.get_mut(&id) {
                Some(known) => known.config = queue.clone(),
                None => {
                    self.queues.insert(id, Queue::new(queue.clone()));
                }
            }
        }
        // Lists of agents are made anew: a reload may walk over all of them, a call may not.
        for queue in self.queues.values_mut() {
            queue.absent_held = self.absent_held;
            queue.members.clear();
            queue.free.clear();
        }
        for agent in self.agents.values_mut() {
            agent.indexed.clear();
        }
        self.remove_agents(snapshot, now);
        self.by_user.clear();
        self.by_number.clear();
        for (tenant, name, agent) in of_tenants(snapshot, |t| &t.agents) {
            let id = AgentId { tenant, name: name.clone() };
            self.put_agent(id, (snapshot, agent), now);
        }
        self.one_at_each(now);
        self.recount();
        // How many may ring for one caller may be another number now.
        for call in self.calls.keys().copied().collect::<Vec<_>>() {
            self.reopen(call);
        }
        self.deserted.extend(self.queues.keys().cloned());
        self.gone_agents.extend(self.held.keys().cloned());
        self.touched.extend(self.queues.keys().cloned());
    }

    /// Counts anew who is signed in to which queue.
    fn recount(&mut self) {
        for queue in self.queues.values_mut() {
            let agents = || queue.members.iter().filter_map(|id| self.agents.get(id));
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let work = queue.config.service.kind.work();
            let signed_in = agents().filter(|agent| agent.counted.signed_in).count();
            let ready = agents().filter(|agent| agent.counted.is_ready(work)).count();
            let working = agents().filter(|agent| agent.counted.coming).count();
            (queue.signed_in, queue.ready) = (count(signed_in), count(ready));
            queue.working = count(working);
        }
    }

    fn remove_queues(&mut self, snapshot: &Snapshot, now: Time) {
        let gone: Vec<QueueId> =
            self.queues.keys().filter(|id| snapshot.queue(id).is_none()).cloned().collect();
        for id in gone {
            let calls: Vec<CallId> = match self.queues.get(&id) {
                Some(queue) => queue.order.values().copied().collect(),
                None => continue,
            };
            for call in calls {
                self.leave(call, Outcome::Gone, None, "the queue was removed", now);
                self.ended(call, id.clone(), (QueueEnd::Gone, None));
            }
            self.deadlines.clear(&Timer::Ripe(id.clone()));
            self.queues.remove(&id);
        }
    }

    fn remove_agents(&mut self, snapshot: &Snapshot, now: Time) {
        let gone: Vec<AgentId> =
            self.agents.keys().filter(|id| snapshot.agent(id).is_none()).cloned().collect();
        for id in gone {
            self.stop_offers(&id);
            self.change(&id, |a| {
                a.removed = true;
                a.serves.clear();
                match (a.is_talking(), a.is_chatting()) {
                    (true, _) => a.pending = Some(Asked::own(Intent::SignedOut)),
                    (false, true) => {
                        a.pending = Some(Asked::own(Intent::SignedOut));
                        a.obey(Asked::own(Intent::NotReady));
                    }
                    (false, false) => a.obey(Asked::own(Intent::SignedOut)),
                }
            });
            self.settle(&id, "is no longer configured", now);
        }
    }

    fn put_agent(&mut self, id: AgentId, (snapshot, config): (&Snapshot, &config::Agent), now: Time) {
        let is_new = !self.agents.contains_key(&id);
        let at = self.wall.at(now);
        let agent = self.agents.entry(id.clone()).or_insert_with(|| Agent::new(config.clone(), 0, now, at));
        if core::mem::take(&mut agent.removed) {
            agent.pending = None;
        }
        let phone = |of: &config::Agent| of.duty.phone.number.clone().map(AgentDevice::Number);
        if agent.chosen.is_some() && agent.chosen == phone(&agent.config) {
            // he chose his telephone, whatever its number
            agent.chosen = phone(config);
        }
        agent.config = config.clone();
        // a choice that the configuration has no room for any more is as if it had not been made
        agent.chosen.take_if(|device| !is_there(snapshot, device));
        agent.serves.clear();
        for name in &config.queues {
            let Some(queue) = self.queues.get_mut(name) else {
                continue;
            };
            let fits = name.tenant == id.tenant && can_serve(config, &queue.config);
            if fits && queue.members.insert(id.clone()) {
                agent.serves.push(name.clone());
            }
        }
        let of_chats = |name: &QueueId| {
            self.queues.get(name).is_some_and(|queue| queue.config.service.kind.work() == Work::Chat)
        };
        agent.only_chats = !agent.serves.is_empty() && agent.serves.iter().all(of_chats);
        agent.turns.retain(|queue, _| config.queues.contains(queue));
        if is_new && config.auto_sign_in {
            agent.intent = Intent::Ready;
        }
        self.put_device(&id);
        self.settle(&id, "signs in by itself", now);
    }

    /// Removes an agent who is done with his last call.
    pub(crate) fn forget(&mut self, id: &AgentId) {
        self.agents.remove(id);
        for timer in [Timer::Ring, Timer::ChatRing, Timer::WrapUp, Timer::Hold, Timer::Rest, Timer::Device] {
            self.deadlines.clear(&timer(id.clone()));
        }
    }
}

/// Whether an agent may get the callers of a queue that he is listed for: by his role, his kind and what he knows.
pub(crate) fn can_serve(agent: &config::Agent, queue: &config::Queue) -> bool {
    let knows = |(name, wanted): (&_, &cordboard_model::service::WantedSkill)| {
        agent.duty.skills.get(name).copied().unwrap_or(0) >= wanted.least
    };
    agent.duty.role != Role::Outbound
        && agent.duty.kind.serves(queue.service.kind)
        && queue.service.skills.iter().all(knows)
}

/// Everything of one kind, over all tenants.
fn of_tenants<'a, T>(
    snapshot: &'a Snapshot,
    kind: impl Fn(&'a config::Tenant) -> &'a std::collections::BTreeMap<cordboard_model::id::Name, T>,
) -> impl Iterator<Item = (cordboard_model::id::TenantId, &'a cordboard_model::id::Name, &'a T)>
where
    T: 'a,
{
    snapshot
        .tenants
        .iter()
        .flat_map(move |(id, tenant)| kind(tenant).iter().map(move |(name, it)| (*id, name, it)))
}
