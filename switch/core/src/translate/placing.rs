//! What supervisors order: what agents are, and callers who wait.
//!
//! Invariant: an order in an agent's name is about himself, or he is a supervisor of the same tenant; a key may give any.
//! Each is an event that says by whom.

use crate::shard::Shard;
use cordboard_acd::{AcdCommand, Refused, RefusedReason};
use cordboard_model::desk::{Actor, DeskFault, PlaceOrder, PlaceTo};
use cordboard_model::event::EventKind;
use cordboard_model::id::AgentId;
use cordboard_model::service::{AgentOrder, Role};
use cordboard_model::time::Time;

fn fault(refused: &Refused) -> DeskFault {
    match refused.reason {
        RefusedReason::NoSuchAgent => DeskFault::NoSuchTarget,
        RefusedReason::SignedOut => DeskFault::NotSignedIn,
        RefusedReason::NotWaiting => DeskFault::NotWaiting,
        RefusedReason::HasCall => DeskFault::InCall,
        RefusedReason::NoDevice => DeskFault::NoDevice,
        RefusedReason::DeviceTaken => DeskFault::DeviceTaken,
    }
}

impl Shard {
    /// Whether somebody may order something about `of`: a key, he himself, or a supervisor.
    pub(crate) fn may_order(&self, by: &Actor, of: Option<&AgentId>) -> Result<(), DeskFault> {
        let Some(actor) = by.agent.as_ref().filter(|actor| Some(*actor) != of) else {
            return Ok(());
        };
        let role = self.snapshot.agent(actor).map(|agent| agent.duty.role);
        if role == Some(Role::Supervisor) { Ok(()) } else { Err(DeskFault::NotSupervisor) }
    }

    /// An agent is to be something, by his own wish or somebody else's.
    pub(crate) fn desk_want(
        &mut self,
        agent: &AgentId,
        by: &Actor,
        what: AgentOrder,
    ) -> Result<Vec<String>, DeskFault> {
        let other = by.agent.as_ref() != Some(agent);
        let command = AcdCommand::Order { agent: agent.clone(), what, by: other.then(|| by.to_string()) };
        self.acd.handle_command(command, self.now).map_err(|refused| fault(&refused))?;
        self.note_wish(agent);
        Ok(self.acd.explain_agent(agent).into_iter().collect())
    }

    /// Gives a caller who waits to an agent, has him wait in another queue, or puts him first. Gives what was done, in
    /// words.
    ///
    /// # Errors
    /// If he does not wait, the agent cannot be given a call, or who asks is no supervisor; nothing has changed then.
    pub fn place(&mut self, order: PlaceOrder, now: Time) -> Result<Vec<String>, DeskFault> {
        self.now = now.max(self.now);
        let PlaceOrder { call, to, by } = order;
        self.in_hand = Some(call);
        self.may_order(&by, None)?;
        let by = by.to_string();
        let (done, to) = match to {
            PlaceTo::Agent(agent) => {
                let to = format!("agent:{}", agent.name);
                let command = AcdCommand::Place { call, agent, by: by.clone() };
                (self.acd.handle_command(command, self.now).map_err(|refused| fault(&refused)), to)
            }
            PlaceTo::Queue(queue) if self.snapshot.queue(&queue).is_none() => {
                (Err(DeskFault::NoSuchTarget), String::new())
            }
            PlaceTo::Queue(queue) => {
                let to = format!("queue:{}", queue.name);
                (self.calls.requeue(call, queue, self.now), to)
            }
            PlaceTo::First => {
                let done = self.acd.handle_command(AcdCommand::PutFirst { call }, self.now);
                (done.map_err(|refused| fault(&refused)), "first".to_owned())
            }
        };
        if done.is_ok() {
            let told = EventKind::CallPlaced { call, to: to.clone(), by };
            self.event(call.tenant, told);
        }
        self.settle();
        done.map(|()| vec![format!("call {call} is placed: {to}")])
    }
}
