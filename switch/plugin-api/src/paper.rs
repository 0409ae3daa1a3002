//! A tenant on paper: what plugins would see of a switch that does not run.

use crate::routing::{RouteContext, TrunkRoom};
use cordboard_model::calendar::{self, CalendarState};
use cordboard_model::config::Tenant;
use cordboard_model::id::{AgentId, Name, TrunkId, UserId};
use cordboard_model::time::{Duration, Wall};
use std::collections::{BTreeMap, BTreeSet};

/// The configuration of a tenant, with facts of a day that is made up: nothing is said of what is not in it.
#[derive(Clone, Debug)]
pub struct Paper<'a> {
    /// The configuration.
    pub tenant: &'a Tenant,
    /// Devices of accounts that do not have just one.
    pub contacts: BTreeMap<UserId, u32>,
    /// Who talked to which caller last, and how long ago.
    pub talks: BTreeMap<String, (AgentId, Duration)>,
    /// Agents that are ready.
    pub ready: BTreeSet<AgentId>,
    /// Trunks that cannot carry one more call.
    pub rooms: BTreeMap<TrunkId, TrunkRoom>,
    /// Calls between any two numbers.
    pub alike: u32,
    /// Emergency calls.
    pub urgent: u32,
}

impl<'a> Paper<'a> {
    /// A day on which every account has one device, every trunk has room, and nobody has called yet.
    pub fn new(tenant: &'a Tenant) -> Self {
        Self {
            tenant,
            contacts: BTreeMap::new(),
            talks: BTreeMap::new(),
            ready: BTreeSet::new(),
            rooms: BTreeMap::new(),
            alike: 1,
            urgent: 0,
        }
    }
}

impl RouteContext for Paper<'_> {
    fn tenant(&self) -> &Tenant {
        self.tenant
    }

    fn contacts(&self, user: &UserId) -> u32 {
        let one = || u32::from(self.tenant.users.contains_key(&user.name));
        self.contacts.get(user).copied().unwrap_or_else(one)
    }

    fn agent_of(&self, user: &UserId) -> Option<AgentId> {
        self.tenant.agents.values().find(|agent| agent.user == *user).map(|agent| agent.id.clone())
    }

    fn calendar(&self, name: &Name, at: Wall) -> Option<CalendarState> {
        let calendar = self.tenant.kit.calendars.get(name)?;
        Some(calendar.state(at, &calendar::zone(&calendar.zone)?))
    }

    fn row(&self, table: &Name, key: &str) -> Option<Vec<(String, String)>> {
        self.tenant.kit.tables.get(table)?.row(key)
    }

    fn last_agent(&self, caller: &str) -> Option<(AgentId, Duration)> {
        self.talks.get(caller).cloned()
    }

    fn is_ready(&self, agent: &AgentId) -> bool {
        self.ready.contains(agent)
    }

    fn trunk(&self, id: &TrunkId) -> TrunkRoom {
        if let Some(room) = self.rooms.get(id) {
            return *room;
        }
        match self.tenant.trunks.get(&id.name) {
            Some(trunk) if !trunk.gateways.is_empty() || !trunk.named.is_empty() => TrunkRoom::Ready,
            _ => TrunkRoom::Missing,
        }
    }

    fn alike(&self, _: &str, _: &str) -> u32 {
        self.alike
    }

    fn urgent(&self) -> u32 {
        self.urgent
    }
}
