//! What the agent gateway needs of the switch beside calls, agents and events: what is configured on a tenant's floor, and
//! a way out to the pages that want their events pushed.

use crate::switch::Later;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::service::{QueueKind, Role};
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

/// An agent, as he is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanAgent {
    /// Name shown to people.
    pub display: String,
    /// The account whose devices ring.
    pub user: Name,
    /// What he is there for.
    pub role: Role,
    /// Queues he serves.
    pub queues: Vec<Name>,
}

/// A queue, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanQueue {
    /// Name shown to people.
    pub display: String,
    /// What it is for.
    pub kind: QueueKind,
}

/// What is configured on a tenant's floor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FloorPlan {
    /// Name shown to people.
    pub display: String,
    /// Its agents.
    pub agents: BTreeMap<Name, PlanAgent>,
    /// Its queues.
    pub queues: BTreeMap<Name, PlanQueue>,
    /// Access codes, and where they lead.
    pub numbers: Vec<(String, Destination)>,
    /// Its flows.
    pub flows: Vec<Name>,
}

/// Something that is sent to an agent's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Where to.
    pub url: String,
    /// Header names with their values.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: String,
}

/// The switch as the gateway needs it beside [`crate::switch::Switch`].
pub trait Beside: Send + Sync + 'static {
    /// What is configured on a tenant's floor.
    fn floor_plan(&self, tenant: TenantId) -> Later<FloorPlan>;
    /// Whether the configuration allows posts to this URL.
    fn may_post(&self, url: &str) -> bool;
    /// Posts. Answered with the body of a 200.
    fn post(&self, post: Post) -> Later<String>;
}
