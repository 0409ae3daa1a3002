//! One telephone has one agent at a time.
//!
//! Invariant: of those for whom one account, or one number, is rung, one is signed in at most. Who would be the second is
//! refused, and told who is there. Where a new configuration has put two at one telephone, he stays who talks, or was there
//! first; the other is signed out, after his call.

use crate::agent::{Agent, Asked, Intent};
use crate::api::{Refused, RefusedReason};
use crate::engine::AcdEngine;
use cordboard_model::device::AgentDevice;
use cordboard_model::id::AgentId;
use cordboard_model::time::Time;

/// The reason of those who are signed out because another agent is at their telephone.
pub(crate) const DEVICE_TAKEN: &str = "device_taken";

/// Whether he is at his telephone.
fn is_there(agent: &Agent) -> bool {
    agent.intent != Intent::SignedOut && !agent.removed
}

impl AcdEngine {
    /// The agent who is signed in at a telephone of `of`'s tenant, if it is not `of` himself.
    pub fn holder(&self, of: &AgentId, device: &AgentDevice) -> Option<&AgentId> {
        let agents = match device {
            AgentDevice::Account(user) => self.by_user.get(user),
            AgentDevice::Number(number) => self.by_number.get(&(of.tenant, number.clone())),
        };
        let mut others = agents.into_iter().flatten().filter(|id| *id != of);
        others.find(|id| self.agents.get(*id).is_some_and(is_there))
    }

    /// Whether no other agent is signed in at this one's telephone, or at the one that he would have.
    ///
    /// # Errors
    /// One is, and who.
    pub(crate) fn is_free_for(&self, id: &AgentId, device: &AgentDevice) -> Result<(), Refused> {
        let Some(other) = self.holder(id, device) else { return Ok(()) };
        let why =
            format!("agent {other} is signed in at {device}, which is the telephone of agent {id}, too");
        Err(Refused { reason: RefusedReason::DeviceTaken, why })
    }

    /// Whether he leaves his telephone to another, once his call is over: he cannot take that back.
    pub(crate) fn may_stay(&self, id: &AgentId) -> Result<(), Refused> {
        let Some(agent) = self.agents.get(id) else { return Ok(()) };
        // asked to leave once more he leaves all the same, whatever the reason is then
        let leaves = agent.pending.as_ref().is_some_and(|asked| asked.intent == Intent::SignedOut);
        if leaves { self.is_free_for(id, &agent.device()) } else { Ok(()) }
    }

    /// After a change of the configuration: one stays at each telephone.
    pub(crate) fn one_at_each(&mut self, now: Time) {
        let of_accounts = self.by_user.values();
        let shared = of_accounts.chain(self.by_number.values()).filter(|agents| agents.len() > 1);
        let shared: Vec<Vec<AgentId>> = shared.map(|agents| agents.iter().cloned().collect()).collect();
        for agents in shared {
            let there = agents.iter().filter_map(|id| Some((id, self.agents.get(id)?)));
            let there = there.filter(|(_, agent)| is_there(agent));
            let mut there: Vec<_> =
                there.map(|(id, agent)| (!agent.is_talking(), agent.signed_in, id.clone())).collect();
            there.sort();
            let mut there = there.into_iter().map(|(.., id)| id);
            let Some(first) = there.next() else { continue };
            for second in there.collect::<Vec<_>>() {
                self.leave_telephone(&second, &first, now);
            }
        }
    }

    /// He is signed out, for another is at his telephone; if he talks or has chats, after that.
    fn leave_telephone(&mut self, id: &AgentId, to: &AgentId, now: Time) {
        let asked = Asked { reason: Some(DEVICE_TAKEN.to_owned()), ..Asked::own(Intent::SignedOut) };
        self.stop_offers(id);
        let talks = self.agents.get(id).is_some_and(Agent::is_talking);
        let chats = !talks && self.leaves_after_chats(id, &asked);
        self.change(id, |a| match (talks, chats) {
            (true, _) => a.pending = Some(asked),
            (false, true) => a.wrap_up = None,
            (false, false) => {
                a.wrap_up = None;
                a.obey(asked);
            }
        });
        self.settle(id, &format!("agent {to} is at his telephone"), now);
    }
}
