//! Calls that no queue gave, and the agents whose phones they keep busy.
//!
//! Invariant: the two indexes say the same, so that a call ends without a look at all others.

use cordboard_model::deadline::Deadlines;
use cordboard_model::id::{AgentId, CallId};
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    by_call: BTreeMap<CallId, BTreeSet<AgentId>>,
    by_agent: BTreeMap<AgentId, BTreeSet<CallId>>,
    /// Calls of which no more is known than the number that they show, and until when that counts.
    pub(crate) doubts: Deadlines<CallId>,
}

impl Outside {
    /// The call keeps the agent's phone busy.
    pub(crate) fn add(&mut self, call: CallId, agent: AgentId) {
        self.by_agent.entry(agent.clone()).or_default().insert(call);
        self.by_call.entry(call).or_default().insert(agent);
    }

    /// The calls that keep the agent's phone busy, the oldest first.
    pub(crate) fn of(&self, agent: &AgentId) -> impl Iterator<Item = CallId> {
        self.by_agent.get(agent).into_iter().flatten().copied()
    }

    /// The agents whose phones the call keeps busy.
    pub(crate) fn agents(&self, call: CallId) -> Vec<AgentId> {
        self.by_call.get(&call).into_iter().flatten().cloned().collect()
    }

    /// The agent's phone has left the call. Gives the oldest call that still keeps it busy; none if the phone was not
    /// kept busy by this one.
    #[expect(
        clippy::option_option,
        reason = "the outer says whether anything changed, the inner what is left"
    )]
    pub(crate) fn leave(&mut self, call: CallId, agent: &AgentId) -> Option<Option<CallId>> {
        let agents = self.by_call.get_mut(&call)?;
        if !agents.remove(agent) {
            return None;
        }
        if agents.is_empty() {
            self.by_call.remove(&call);
        }
        let calls = self.by_agent.get_mut(agent)?;
        calls.remove(&call);
        let other = calls.first().copied();
        if other.is_none() {
            self.by_agent.remove(agent);
        }
        Some(other)
    }

    /// The call is over. Gives the agents it kept busy, each with the oldest call that still does.
    pub(crate) fn forget(&mut self, call: CallId) -> Vec<(AgentId, Option<CallId>)> {
        self.doubts.clear(&call);
        let agents = self.by_call.remove(&call).unwrap_or_default();
        let still = |agent: AgentId| {
            let calls = self.by_agent.get_mut(&agent)?;
            calls.remove(&call);
            let other = calls.first().copied();
            if other.is_none() {
                self.by_agent.remove(&agent);
            }
            Some((agent, other))
        };
        agents.into_iter().filter_map(still).collect()
    }

    /// Whether no phone is busy outside of a queue.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_call.is_empty() && self.by_agent.is_empty() && self.doubts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};

    #[test]
    fn an_agent_is_free_when_the_last_of_his_calls_is_over() {
        let mut ids = IdMaker::new(1, 0);
        let (one, two) = (ids.call(TenantId::DEFAULT), ids.call(TenantId::DEFAULT));
        let agent = |name| AgentId::new(TenantId::DEFAULT, name).unwrap();
        let mut outside = Outside::default();
        outside.add(one, agent("1001"));
        outside.add(one, agent("1002"));
        outside.add(two, agent("1001"));
        outside.add(two, agent("1001"));
        assert_eq!(outside.forget(one), [(agent("1001"), Some(two)), (agent("1002"), None)]);
        assert_eq!(outside.forget(one), []);
        assert_eq!(outside.forget(two), [(agent("1001"), None)]);
        assert!(outside.is_empty());
    }

    #[test]
    fn an_agent_who_leaves_a_call_that_goes_on_is_free_of_it() {
        let mut ids = IdMaker::new(1, 0);
        let (one, two) = (ids.call(TenantId::DEFAULT), ids.call(TenantId::DEFAULT));
        let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
        let mut outside = Outside::default();
        outside.add(one, agent.clone());
        outside.add(two, agent.clone());
        assert_eq!(outside.leave(one, &agent), Some(Some(two)));
        assert_eq!(outside.leave(one, &agent), None);
        assert_eq!(outside.leave(two, &agent), Some(None));
        assert!(outside.is_empty());
    }
}
