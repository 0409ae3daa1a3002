//! What plugins may see of the shard: one tenant of it.

use crate::shard::Shard;
use crate::talks::number;
use cordboard_model::calendar::CalendarState;
use cordboard_model::config::Tenant;
use cordboard_model::id::{AgentId, CallId, Name, TrunkId, UserId};
use cordboard_model::time::{Duration, Wall};
use cordboard_model::view::AgentStatus;
use cordboard_plugin_api::{RouteContext, TrunkRoom};

/// See the module.
pub(super) struct Sight<'a> {
    pub(super) shard: &'a Shard,
    pub(super) tenant: &'a Tenant,
    /// The call at hand; none if it is not placed.
    pub(super) call: Option<CallId>,
}

impl RouteContext for Sight<'_> {
    fn tenant(&self) -> &Tenant {
        self.tenant
    }

    fn contacts(&self, user: &UserId) -> u32 {
        u32::try_from(self.shard.sip.contact_count(user)).unwrap_or(u32::MAX)
    }

    fn agent_of(&self, user: &UserId) -> Option<AgentId> {
        self.shard.agent_of.get(user).cloned()
    }

    fn calendar(&self, name: &Name, at: Wall) -> Option<CalendarState> {
        let calendar = self.tenant.kit.calendars.get(name)?;
        Some(calendar.state(at, self.shard.zones.known(&calendar.zone)?))
    }

    fn row(&self, table: &Name, key: &str) -> Option<Vec<(String, String)>> {
        self.shard.row(self.tenant.id, table, key)
    }

    fn last_agent(&self, caller: &str) -> Option<(AgentId, Duration)> {
        let (agent, at) = self.shard.talks.get(self.tenant.id, number(caller)?)?;
        let ago = self.shard.wall.at(self.shard.now).0.saturating_sub(at.0);
        Some((agent.clone(), Duration::from_millis(u64::try_from(ago).unwrap_or(0))))
    }

    fn is_ready(&self, agent: &AgentId) -> bool {
        self.shard.acd.agent(agent).is_some_and(|view| view.status == AgentStatus::Ready)
    }

    fn trunk(&self, id: &TrunkId) -> TrunkRoom {
        match self.tenant.trunks.get(&id.name) {
            // what the domain name system says is in the shard's own configuration
            Some(_) => self
                .shard
                .snapshot
                .trunk(id)
                .map_or(TrunkRoom::Missing, |trunk| self.shard.trunks.room(trunk, self.shard.now)),
            None => TrunkRoom::Missing,
        }
    }

    fn alike(&self, from: &str, to: &str) -> u32 {
        let pair = (self.tenant.id, from.to_owned(), to.to_owned());
        self.shard.routing.alike.get(&pair).copied().unwrap_or(0)
    }

    fn urgent(&self) -> u32 {
        let others = |call: &&CallId| call.tenant == self.tenant.id && Some(**call) != self.call;
        u32::try_from(self.shard.routing.urgent.iter().filter(others).count()).unwrap_or(u32::MAX)
    }
}
