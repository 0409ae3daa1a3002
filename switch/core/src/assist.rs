//! Smart agents: a program of their tenant listens to the calls that queues give them.
//!
//! Invariant: it listens from when such an agent has the call until he leaves it, and takes nobody's place: where a program
//! listens already, that one goes on alone, whoever asked for it.

use crate::shard::Shard;
use cordboard_call::ListenAsked;
use cordboard_model::id::{AgentId, CallId};
use cordboard_model::stream::StreamWay;
use std::collections::BTreeMap;

/// Calls that a program listens to for an agent.
pub(crate) type Assisted = BTreeMap<CallId, AgentId>;

impl Shard {
    /// An agent has a call.
    pub(crate) fn assist(&mut self, call: CallId, agent: &AgentId) {
        let smart = self.snapshot.agent(agent).is_some_and(|agent| agent.duty.smart);
        let program = self.snapshot.tenant(agent.tenant).and_then(|tenant| tenant.desk.smart.as_ref());
        let Some(url) = program.filter(|_| smart).map(|program| program.url.clone()) else { return };
        let parameters = [("agent".to_owned(), agent.name.to_string())].into();
        let by = format!("agent {}", agent.name);
        let asked = ListenAsked { url, parameters, way: StreamWay::Both, by };
        // Refused where one listens already.
        if self.calls.listen(call, Some(asked), self.now).is_ok() {
            self.assisted.insert(call, agent.clone());
        }
    }

    /// He has left it.
    pub(crate) fn assist_no_more(&mut self, call: CallId, agent: &AgentId) {
        if self.assisted.get(&call) == Some(agent) {
            self.assisted.remove(&call);
            // Refused where the program has left by itself, or the call is over.
            let _ = self.calls.listen(call, None, self.now);
        }
    }
}
