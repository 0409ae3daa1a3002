//! What the configuration says of what is heard and recorded, as calls need it.

use cordboard_model::audio::{QueueAudio, RecordRule};
use cordboard_model::config::Snapshot;
use cordboard_model::id::{AgentId, QueueId, TrunkId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// See the module. A call keeps what its queue had when it came there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// Of queues; as where nothing is said for one that is not here.
    pub queues: BTreeMap<QueueId, Arc<QueueAudio>>,
    /// What is recorded of agents for whom that is said.
    pub agents: BTreeMap<AgentId, RecordRule>,
    /// The same of trunks.
    pub trunks: BTreeMap<TrunkId, RecordRule>,
}

impl Manners {
    /// Those of a configuration.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut manners = Self::default();
        for tenant in snapshot.tenants.values() {
            let queues = tenant.queues.values();
            manners.queues.extend(queues.map(|queue| (queue.id.clone(), Arc::new(queue.audio.clone()))));
            let agents = tenant.agents.values();
            manners.agents.extend(agents.filter_map(|agent| Some((agent.id.clone(), agent.record.clone()?))));
            let trunks = tenant.trunks.values();
            manners.trunks.extend(trunks.filter_map(|trunk| Some((trunk.id.clone(), trunk.record.clone()?))));
        }
        manners
    }

    pub(crate) fn queue(&self, queue: &QueueId) -> Arc<QueueAudio> {
        self.queues.get(queue).cloned().unwrap_or_default()
    }
}
