//! What readers may ask of the shard. Nothing here changes anything.

use crate::shard::Shard;
use cordboard_model::id::{AgentId, CallId, TenantId, UserId};
use cordboard_model::view::{AgentView, CallView, ContactView, QueueView};

/// Counters since the start of the switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// SIP messages received.
    pub sip_messages: u64,
    /// Calls that came in and were taken.
    pub calls: u64,
    /// Calls refused because a limit was reached or the switch stops.
    pub calls_refused: u64,
    /// Calls that have a closing record.
    pub calls_ended: u64,
    /// Journal records that came later than `limits.journal_wait`.
    pub journal_late: u64,
    /// Chats opened.
    pub chats: u64,
    /// Chats that are over.
    pub chats_ended: u64,
    /// Messages that were said in chats.
    pub chat_messages: u64,
    /// Panics caught.
    pub panics: u64,
}

impl Shard {
    /// Calls of a tenant, in the order they came.
    pub fn calls(&self, tenant: TenantId) -> Vec<CallView> {
        self.calls.calls(tenant)
    }

    /// The same, without those whose end was told: what a reader of the events knows of.
    pub fn open_calls(&self, tenant: TenantId) -> Vec<CallView> {
        let mut calls = self.calls.calls(tenant);
        calls.retain(|view| !self.calls.is_over(view.call));
        calls
    }

    /// One call, unless its end was told.
    pub fn open_call(&self, call: CallId) -> Option<CallView> {
        self.calls.view(call).filter(|view| !self.calls.is_over(view.call))
    }

    /// One call.
    pub fn call(&self, call: CallId) -> Option<CallView> {
        self.calls.view(call)
    }

    /// The flows that a call ran, as long as they are kept: the newest some hundred of all calls.
    pub fn finished_flows(&self, call: CallId) -> Vec<cordboard_flow::Finished> {
        self.flows.finished(call)
    }

    /// Queues of a tenant.
    pub fn queues(&self, tenant: TenantId) -> Vec<QueueView> {
        self.acd.queues(tenant)
    }

    /// Agents of a tenant.
    pub fn agents(&self, tenant: TenantId) -> Vec<AgentView> {
        self.acd.agents(tenant).into_iter().map(|view| self.with_locks(self.with_line(view))).collect()
    }

    /// One agent.
    pub fn agent(&self, agent: &AgentId) -> Option<AgentView> {
        self.acd.agent(agent).map(|view| self.with_locks(self.with_line(view)))
    }

    fn with_locks(&self, view: AgentView) -> AgentView {
        AgentView { locks: self.sign_ins.locks(&view.agent, self.wall.at(self.now)), ..view }
    }

    /// Whether there is such an account.
    pub fn has_account(&self, user: &UserId) -> bool {
        self.snapshot.tenant(user.tenant).is_some_and(|tenant| tenant.users.contains_key(&user.name))
    }

    /// Registered devices of a tenant.
    pub fn contacts(&self, tenant: TenantId) -> Vec<ContactView> {
        let users = self.snapshot.tenant(tenant).map(|tenant| tenant.users.values());
        users.into_iter().flatten().flat_map(|user| self.sip.contacts(&user.id)).collect()
    }

    /// Number of the last event of a tenant; zero before the first.
    pub fn last_event(&self, tenant: TenantId) -> u64 {
        self.numbering.last(tenant)
    }

    /// Calls up.
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// Chats that are not over, and what of chats the journal has still to write.
    pub fn chat_counts(&self) -> (usize, usize) {
        (self.chats.engine.open_count(), self.chats.owed())
    }

    /// Counters.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// SIP transactions that are not over.
    pub fn transaction_count(&self) -> usize {
        self.sip.transactions_len()
    }

    /// Whether every call is over, recorded, and its ends know it: the moment to stop. Unlike
    /// [`Shard::is_quiescent`] it does not wait for what only runs out, as an agent's wrap-up does.
    pub fn is_at_rest(&self) -> bool {
        self.calls.is_quiescent() && self.sip.is_at_rest() && self.gate.is_empty() && self.goodbyes.is_empty()
    }

    /// Whether nothing is left of any call: no call, leg, session, transaction, flow, wait, record to be written.
    pub fn is_quiescent(&self) -> bool {
        self.leftovers().is_empty()
    }

    /// What is left, in words; empty when nothing is.
    pub fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        let mut note = |is: bool, what: &str| {
            if is {
                left.push(what.to_owned());
            }
        };
        note(!self.calls.is_quiescent(), "a call, leg, playback or call timer");
        note(!self.sip.is_quiescent(), "a session or transaction");
        note(!self.flows.is_empty(), "a flow");
        note(!self.acd.is_quiescent(), "a waiting call or an agent in passing");
        note(!self.legs.is_empty(), "a leg of the shard");
        note(!self.gate.is_empty(), "a record that the journal owes");
        note(!self.routing.is_empty(), "a routing run");
        note(!self.speeches.is_empty(), "a step that waits for speech");
        note(!self.spoken.is_empty(), "a playback that waits for speech");
        note(!self.fetches.is_empty(), "a step that waits for a server");
        note(!self.phone_desks.is_empty(), "a call on which somebody has signed in");
        note(!self.outside.is_empty(), "a call outside a queue");
        note(!self.places.is_quiescent(), "a call that calls back");
        note(!self.offered.is_empty(), "an offer of a call that is gone");
        note(!self.ledger.is_empty(), "a call in the ledger");
        note(!self.lamps.is_empty(), "a lamp of a call that is gone");
        note(!self.trunks.is_empty(), "a call of a trunk");
        note(!self.goodbyes.is_empty(), "a BYE without its answer");
        note(!self.lines.is_empty(), "a line to an agent");
        note(!self.clicks.is_empty(), "a visitor's call on its way to its queue");
        note(!self.assisted.is_empty(), "a program that listens for an agent");
        left
    }
}
