//! What is rung for agents: which account or number each has, and who is at one.
//!
//! Invariant: the indexes by account and by number name exactly the agents whose device that is.

use crate::agent::{Agent, Intent};
use crate::api::{Refused, RefusedReason};
use crate::engine::{AcdEngine, Timer};
use cordboard_model::config::Snapshot;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::{AgentId, TenantId, UserId};
use cordboard_model::time::Time;
use cordboard_model::view::AgentStatus;

impl AcdEngine {
    /// What is rung for an agent.
    pub fn device(&self, id: &AgentId) -> Option<AgentDevice> {
        self.agents.get(id).map(|agent| agent.device())
    }

    /// Those at work for whom an account is rung: one, but where a new configuration has put another there who still talks. Who
    /// has signed out has left the desk, though what he chose is kept for the next time.
    pub fn at_work_at(&self, user: &UserId) -> impl Iterator<Item = &AgentId> {
        let works = |agent: &Agent| agent.status != AgentStatus::SignedOut && !agent.removed;
        let agents = self.by_user.get(user).into_iter().flatten();
        agents.filter(move |id| self.agents.get(*id).is_some_and(works))
    }

    /// Those for whom an account is rung.
    pub fn agents_at(&self, user: &UserId) -> Vec<AgentId> {
        self.by_user.get(user).into_iter().flatten().cloned().collect()
    }

    /// Those for whom this number is rung.
    pub fn at_number(&self, tenant: TenantId, number: &str) -> impl Iterator<Item = &AgentId> {
        self.by_number.get(&(tenant, number.to_owned())).into_iter().flatten()
    }

    /// He is rung elsewhere from now on.
    pub(crate) fn choose_device(
        &mut self,
        id: &AgentId,
        device: Option<AgentDevice>,
        now: Time,
    ) -> Result<(), Refused> {
        let agent = self.known(id)?;
        if device.as_ref().and_then(AgentDevice::account).is_some_and(|user| user.tenant != id.tenant) {
            let why = format!("agent {id} has no account of another tenant");
            return Err(Refused { reason: RefusedReason::NoDevice, why });
        }
        let wanted = device.clone().unwrap_or_else(|| agent.config.duty.phone.usual(&agent.config.user));
        if agent.intent != Intent::SignedOut {
            self.is_free_for(id, &wanted)?;
        }
        let (before, number) = (agent.device(), agent.device().number().map(str::to_owned));
        self.change(id, |a| a.chosen = device);
        let after = self.device(id);
        if after.as_ref() == Some(&before) {
            return Ok(());
        }
        self.stop_ringing(id);
        if let Some(agents) = before.account().and_then(|user| self.by_user.get_mut(user)) {
            agents.remove(id);
        }
        if let Some(number) = number {
            let key = (id.tenant, number);
            if let Some(agents) = self.by_number.get_mut(&key) {
                agents.remove(id);
                if agents.is_empty() {
                    self.by_number.remove(&key);
                }
            }
        }
        self.put_device(id);
        // what the other one cost him is no fault of this one
        let mut forgiven = false;
        self.change(id, |a| forgiven = a.hold.take_if(|hold| hold.device).is_some());
        if forgiven {
            self.deadlines.clear(&Timer::Hold(id.clone()));
        }
        let why = after.map(|device| format!("is rung at {device} now")).unwrap_or_default();
        self.settle(id, &why, now);
        Ok(())
    }

    /// Enters his device into the indexes, and counts what is registered of it.
    pub(crate) fn put_device(&mut self, id: &AgentId) {
        let contacts = match self.device(id) {
            Some(AgentDevice::Account(user)) => {
                let count = self.contacts.get(&user).copied().unwrap_or(0);
                self.by_user.entry(user).or_default().insert(id.clone());
                count
            }
            Some(AgentDevice::Number(number)) => {
                self.by_number.entry((id.tenant, number)).or_default().insert(id.clone());
                0
            }
            None => return,
        };
        self.change(id, |a| {
            a.contacts = contacts;
            a.gone &= !a.has_device();
        });
    }
}

/// Whether a device that was chosen can still be rung: an account must be there.
pub(crate) fn is_there(snapshot: &Snapshot, device: &AgentDevice) -> bool {
    match device {
        AgentDevice::Account(user) => {
            snapshot.tenant(user.tenant).is_some_and(|tenant| tenant.users.contains_key(&user.name))
        }
        AgentDevice::Number(_) => true,
    }
}
