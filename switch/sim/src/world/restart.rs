//! The switch is killed and started again: what it knew is gone, but for its journal.

use super::agenda::Happening;
use super::ports::Ports;
use super::{START_SECS, World, new_media, new_shard};
use cordboard_core::{Restore, RestoredAgent, ShardCommand};
use cordboard_model::config::Snapshot;
use cordboard_model::id::{AgentId, CallId, LegId, UserId};
use cordboard_model::journal::{ContactRecord, DialogRecord, JournalRecord};
use cordboard_model::time::Duration;
use rand_core::RngCore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the journal says.
#[derive(Default)]
struct Fold {
    contacts: BTreeMap<(UserId, String), ContactRecord>,
    agents: BTreeMap<AgentId, RestoredAgent>,
    dialogs: BTreeMap<(CallId, LegId), DialogRecord>,
}

impl Fold {
    fn take(&mut self, record: JournalRecord) {
        match record {
            JournalRecord::Registered(contact) => {
                self.contacts.insert((contact.user.clone(), contact.uri.clone()), contact);
            }
            JournalRecord::Unregistered { user, uri } => drop(self.contacts.remove(&(user, uri))),
            JournalRecord::Agent { agent, status, reason, limit_ms, since } => {
                let limit = limit_ms.map(Duration::from_millis);
                let restored = RestoredAgent { agent: agent.clone(), status, reason, limit, since };
                drop(self.agents.insert(agent, restored));
            }
            JournalRecord::DialogUp { call, leg, dialog, .. } => {
                self.dialogs.insert((call, leg), dialog);
            }
            JournalRecord::DialogDown { call, leg } => drop(self.dialogs.remove(&(call, leg))),
            _ => {}
        }
    }

    /// The records that say the same of devices and agents.
    fn records(&self) -> Vec<JournalRecord> {
        let contacts = self.contacts.values().cloned().map(JournalRecord::Registered);
        let agents = self.agents.values().map(|restored| JournalRecord::Agent {
            agent: restored.agent.clone(),
            status: restored.status,
            reason: restored.reason.clone(),
            limit_ms: restored.limit.and_then(|limit| u64::try_from(limit.as_millis()).ok()),
            since: restored.since,
        });
        contacts.chain(agents).collect()
    }
}

impl World {
    /// Kills the switch and starts it again at once with this configuration and what the journal held. Gives
    /// the Call-IDs of the dialogs that were up: each is to get a BYE.
    pub fn restart(&mut self, snapshot: Snapshot) -> BTreeSet<String> {
        let now = self.now;
        self.trace.line(now, || "killed and started again".to_owned());
        let mut fold = Fold::default();
        for record in core::mem::take(&mut self.journal) {
            fold.take(record);
        }
        self.journal = fold.records();
        let closed: BTreeSet<CallId> = self.cdrs.iter().map(|cdr| cdr.call).collect();
        let opened = self.opened.iter().filter(|call| !closed.contains(call));
        self.lost = opened.copied().collect();
        self.starts += 1;
        let mut seed = || {
            let mut seed = [0; 32];
            self.rng.fill_bytes(&mut seed);
            seed
        };
        let (shard_seed, media_seed) = (seed(), seed());
        let Ok(shard) = new_shard(&self.config, START_SECS + self.starts, shard_seed) else {
            return BTreeSet::new();
        };
        self.shard = shard;
        self.media = new_media(&snapshot, media_seed);
        self.ports = Ports::new(self.starts);
        self.events.clear();
        // What was on a lane, or owed by the journal, was the dead process's.
        self.agenda.retain(|what| {
            !matches!(
                what,
                Happening::Journalled { .. } | Happening::MediaCommand(_) | Happening::MediaEvent(_)
            )
        });
        self.order(ShardCommand::Configure(Arc::new(snapshot)));
        let up = fold.dialogs.values().map(|dialog| dialog.call_id.clone()).collect();
        let restore = Restore {
            contacts: fold.contacts.into_values().collect(),
            agents: fold.agents.into_values().collect(),
            dialogs: fold.dialogs.into_values().collect(),
            ..Restore::default()
        };
        self.order(ShardCommand::Restore(Box::new(restore)));
        up
    }

    /// Calls that were up when the switch was killed: their records are the shell's to write.
    pub fn lost(&self) -> &[CallId] {
        &self.lost
    }
}
