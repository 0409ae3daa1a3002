//! What the agent gateway is told at the start.

use cordboard_model::id::{Name, TenantId};
use core::time::Duration;
use serde::Serialize;
use std::collections::BTreeMap;

/// A tenant whose agents sign in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GatewayTenant {
    /// Which.
    pub id: TenantId,
    /// The number that clients know it by.
    pub vdn: u32,
    /// Numbers that clients know its queues by, where they are said.
    pub skills: BTreeMap<Name, u32>,
}

/// `[agent_gateway]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GatewayConfig {
    /// Whose agents sign in here. None: the gateway answers nobody.
    pub tenants: Vec<GatewayTenant>,
    /// How old a guid is when a poll or a heartbeat brings the next one.
    pub guid_interval: Duration,
    /// How old it is when it opens nothing any more.
    pub guid_timeout: Duration,
    /// After so long without a poll or a heartbeat an agent is signed out.
    pub silence: Duration,
    /// How long a poll waits for an event.
    pub poll_wait: Duration,
    /// Most events that wait for an agent; the oldest goes first.
    pub events: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            tenants: Vec::new(),
            guid_interval: Duration::from_secs(60),
            guid_timeout: Duration::from_secs(120),
            silence: Duration::from_secs(120),
            poll_wait: Duration::from_secs(10),
            events: 256,
        }
    }
}
