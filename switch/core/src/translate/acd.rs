//! What the queues decide, told to calls, readers and the journal.

use crate::shard::Shard;
use cordboard_acd::AcdOutput;
use cordboard_call::CallInput;
use cordboard_flow::say::{Lang, agent_number, digits, queue_position, queue_wait};
use cordboard_model::audio::{NumberAudio, NumberPart};
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, AssetId, CallId, Name, QueueId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::media::{PlayItem, Tone};
use cordboard_model::time::Duration;
use cordboard_model::view::AgentStatus;

impl Shard {
    pub(crate) fn on_acd(&mut self, output: AcdOutput) {
        self.note_acd(&output);
        if self.on_acd_of_chat(&output) {
            return;
        }
        match output {
            AcdOutput::Recalled { call, agent, .. } => _ = self.recall(call, &agent),
            AcdOutput::Reserved { call, agent, queue, why } => {
                if self.recall(call, &agent) {
                    self.event(call.tenant, EventKind::QueueReserved { call, queue, agent, why });
                }
            }
            AcdOutput::Stranded { call, .. } => self.stranded(call),
            AcdOutput::Offer { call, queue, agent, why, .. } if self.calls_agent_first(call) => {
                self.event(call.tenant, EventKind::QueueEntered { call, queue: queue.clone(), position: 1 });
                self.offered.entry(call).or_default().insert(agent.clone());
                self.event(call.tenant, EventKind::QueueOffered { call, queue, agent, why });
            }
            // a turn that could not be taken: nothing was offered
            AcdOutput::Offer { call, .. } if self.calls.view(call).is_none() => {}
            AcdOutput::Offer { call, queue, agent, user, ring, why } => {
                let offered =
                    EventKind::QueueOffered { call, queue: queue.clone(), agent: agent.clone(), why };
                self.event(call.tenant, offered);
                self.offered.entry(call).or_default().insert(agent.clone());
                let display =
                    self.snapshot.agent(&agent).map(|agent| agent.display.clone()).unwrap_or_default();
                let number = self.agent_number(&queue, &agent);
                self.tell_call(call, CallInput::Offer { call, agent, user, display, ring, number });
            }
            AcdOutput::Withdraw { call, agent, elsewhere } => {
                self.not_offered(call, &agent);
                self.tell_call(call, CallInput::OfferWithdrawn { call, agent, elsewhere });
            }
            AcdOutput::QueueEnded { call, .. } if self.place_gone(call) => {}
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
            AcdOutput::Left { call, queue, outcome, .. } => {
                let outcome = outcome.as_str().to_owned();
                self.event(call.tenant, EventKind::QueueLeft { call, queue, outcome });
            }
            AcdOutput::AgentChanged { agent, status, since, why, call, reason, limit, by } => {
                let limit_ms = limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
                let (who, said) = (agent.clone(), reason.clone());
                let record = JournalRecord::Agent { agent: who, status, reason: said, limit_ms, since };
                self.journal(None, record);
                if self.acd.wish(&agent) != Some(AgentStatus::Ready) {
                    self.note_wish(&agent);
                }
                let who = agent.clone();
                self.event(agent.tenant, EventKind::AgentStatus { agent, status, why, call, reason, by });
                self.mind_line_of(&who, status);
                self.note_sign_out(&who, status);
            }
            AcdOutput::ChatsChanged { agent, chats, most } => {
                self.event(agent.tenant, EventKind::AgentChats { agent, chats, most });
            }
            AcdOutput::Overdue { agent, since } => {
                self.event(agent.tenant, EventKind::AgentOverdue { agent, since });
            }
        }
    }

    /// A soft tone now and then, where the queue has no music: who waits in silence takes the line for dead. Nothing, where
    /// that is what it is to be: who waits sends us packets, and we send none.
    fn music(&self, queue: &QueueId) -> Vec<PlayItem> {
        let config = self.snapshot.queue(queue);
        match config.and_then(|queue| queue.music.clone()) {
            Some(music) => vec![PlayItem::Asset(music)],
            None if config.is_some_and(|queue| queue.audio.silent) => Vec::new(),
            None => vec![PlayItem::Tone(Tone::Beep, 200), PlayItem::Silence(4_800)],
        }
    }

    /// What is heard of an agent's number, in the queue's language. A name that no phone has keys for is not read.
    fn agent_number(&self, queue: &QueueId, agent: &AgentId) -> Vec<PlayItem> {
        let config = self.snapshot.queue(queue);
        let Some((config, lang)) = config.and_then(|config| Some((config, Lang::new(&config.language)?)))
        else {
            return Vec::new();
        };
        let items = |names: Vec<Name>| -> Vec<PlayItem> {
            let asset = |name| PlayItem::Asset(AssetId { tenant: queue.tenant, name });
            names.into_iter().map(asset).collect()
        };
        match &config.audio.number {
            NumberAudio::None => Vec::new(),
            NumberAudio::Default => items(agent_number(lang, agent.name.as_str())),
            NumberAudio::Own(parts) => {
                let read = || items(digits(lang, agent.name.as_str()).unwrap_or_default());
                let heard = |part: &NumberPart| match part {
                    NumberPart::Prompt(prompt) => vec![PlayItem::Asset(prompt.clone())],
                    NumberPart::Number => read(),
                };
                parts.iter().flat_map(heard).collect()
            }
        }
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
