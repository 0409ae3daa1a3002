//! What the queues decide, told to calls, readers and the journal.

use crate::shard::Shard;
use cordboard_acd::AcdOutput;
use cordboard_call::CallInput;
use cordboard_flow::say::{Lang, queue_position, queue_wait};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AssetId, CallId, QueueId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::PlayItem;
use cordboard_model::time::Duration;
use cordboard_model::view::AgentStatus;

impl Shard {
    pub(crate) fn on_acd(&mut self, output: AcdOutput) {
        self.note_acd(&output);
        match output {
            AcdOutput::Offer { call, queue, agent, user, ring, why } => {
                let offered =
                    EventKind::QueueOffered { call, queue: queue.clone(), agent: agent.clone(), why };
                self.event(call.tenant, offered);
                self.offered.insert(call, agent.clone());
                let display =
                    self.snapshot.agent(&agent).map(|agent| agent.display.clone()).unwrap_or_default();
                let record = self.snapshot.queue(&queue).is_some_and(|queue| queue.record);
                self.tell_call(call, CallInput::Offer { call, agent, user, display, ring, record });
            }
            AcdOutput::Withdraw { call, .. } => self.tell_call(call, CallInput::OfferWithdrawn { call }),
            AcdOutput::QueueEnded { call, end, to, .. } => {
                self.tell_call(call, CallInput::QueueEnded { call, end, overflow: to });
            }
            AcdOutput::Entered { call, queue, position } => {
                let items = self.music(&queue);
                self.event(call.tenant, EventKind::QueueEntered { call, queue, position });
                self.tell_call(call, CallInput::Music { call, items });
            }
            AcdOutput::Position { call, queue, position, wait } => {
                self.announce(call, &queue, position, wait)
            }
            AcdOutput::Left { call, queue, outcome } => {
                let outcome = outcome.as_str().to_owned();
                self.event(call.tenant, EventKind::QueueLeft { call, queue, outcome });
            }
            AcdOutput::AgentChanged { agent, status, since, why, call, reason, by } => {
                let record =
                    JournalRecord::Agent { agent: agent.clone(), status, reason: reason.clone(), since };
                self.journal(None, record);
                if self.acd.wish(&agent) != Some(AgentStatus::Ready) {
                    self.note_wish(&agent);
                }
                self.event(agent.tenant, EventKind::AgentStatus { agent, status, why, call, reason, by });
            }
            AcdOutput::Overdue { agent, since } => {
                self.event(agent.tenant, EventKind::AgentOverdue { agent, since });
            }
        }
    }

    fn music(&self, queue: &QueueId) -> Vec<PlayItem> {
        let music = self.snapshot.queue(queue).and_then(|queue| queue.music.clone());
        music.map(PlayItem::Asset).into_iter().collect()
    }

    /// "You are number three in the queue", and "you will wait for about two minutes", in the queue's language.
    fn announce(&mut self, call: CallId, queue: &QueueId, position: u32, wait: Option<Duration>) {
        let Some(config) = self.snapshot.queue(queue) else {
            return;
        };
        let Some(lang) = Lang::new(&config.language) else {
            return;
        };
        let asset = |name| PlayItem::Asset(AssetId { tenant: queue.tenant, name });
        let place = queue_position(lang, u64::from(position));
        let wait = wait.map(|wait| queue_wait(lang, wait.as_secs())).unwrap_or_default();
        let announcement = place.into_iter().chain(wait).map(asset).collect();
        self.tell_call(call, CallInput::Position { call, announcement });
    }
}
