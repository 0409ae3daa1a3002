//! Who talked to which caller last, for callers who are to get the same agent again.
//!
//! Invariant: what is remembered is in the journal too, and of a switch with more callers than [`TALKS_MAX`] those who called
//! longest ago are forgotten.

use crate::shard::Shard;
use cordboard_model::cdr::Cdr;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::time::Wall;
use std::collections::{BTreeMap, BTreeSet};

/// Most callers that are remembered, of all tenants.
pub const TALKS_MAX: usize = 200_000;
/// Longest number that is.
const NUMBER_MAX: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Talks {
    last: BTreeMap<(TenantId, String), (AgentId, Wall)>,
    /// The same by time.
    by_time: BTreeSet<(Wall, TenantId, String)>,
}

impl Talks {
    /// The agent who talked to a caller last, and when.
    pub(crate) fn get(&self, tenant: TenantId, caller: &str) -> Option<&(AgentId, Wall)> {
        self.last.get(&(tenant, caller.to_owned()))
    }

    /// An agent has talked to a caller.
    pub(crate) fn set(&mut self, agent: AgentId, caller: String, at: Wall) {
        let tenant = agent.tenant;
        if let Some((_, before)) = self.last.insert((tenant, caller.clone()), (agent, at)) {
            self.by_time.remove(&(before, tenant, caller.clone()));
        }
        self.by_time.insert((at, tenant, caller));
        while self.last.len() > TALKS_MAX
            && let Some((_, tenant, caller)) = self.by_time.pop_first()
        {
            self.last.remove(&(tenant, caller));
        }
    }
}

impl Shard {
    /// A call is over: who talked in it is remembered, where the tenant wants it.
    pub(crate) fn note_talk(&mut self, cdr: &Cdr) {
        let tenant = cdr.call.tenant;
        let rule = self.snapshot.tenant(tenant).and_then(|tenant| tenant.routes.last_agent.as_ref());
        let (Some(within), Some(agent), Some(at)) =
            (rule.map(|rule| rule.within), &cdr.agent, cdr.bridged.map(|_| cdr.ended))
        else {
            return;
        };
        let caller = cdr.from.user.as_str();
        // who withholds his number is nobody in particular
        if caller.is_empty() || caller.len() > NUMBER_MAX || !caller.contains(|c: char| c.is_ascii_digit()) {
            return;
        }
        let (agent, caller) = (agent.clone(), caller.to_owned());
        let ends = Wall(at.0.saturating_add(i64::try_from(within.as_millis()).unwrap_or(i64::MAX)));
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
        assert_eq!((talks.last.len(), talks.by_time.len()), (TALKS_MAX, TALKS_MAX));
    }
}
