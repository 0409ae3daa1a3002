//! Steps of flows that say something: what they say is made first, outside, and then they are done.
//!
//! Invariant: a step waits here until everything it says is there, or one thing of it cannot be made; then it goes on to
//! the call, or its flow hears of the failure. A flow that ends meanwhile leaves nothing behind.

use crate::io::ShardOutput;
use crate::shard::Shard;
use cordboard_flow::FlowInput;
use cordboard_model::cause::Cause;
use cordboard_model::id::{AssetId, CallId};
use cordboard_model::media::PlayItem;
use cordboard_model::speech::Speech;
use cordboard_model::verb::{Verb, VerbAnswer};
use std::collections::BTreeMap;

/// A step that waits for its speech.
#[derive(Debug)]
struct Waiting {
    /// The flow's.
    ticket: u64,
    verb: Verb,
    /// What it says, each once, by the ticket it was asked for with; and the asset once it is there.
    wanted: Vec<(u64, Speech, Option<AssetId>)>,
}

/// Every step that waits.
#[derive(Debug, Default)]
pub(crate) struct Speeches {
    next: u64,
    waiting: BTreeMap<CallId, Waiting>,
    calls: BTreeMap<u64, CallId>,
}

impl Speeches {
    /// A ticket for something that is to be made.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The flow of the call waits no longer.
    pub(crate) fn forget(&mut self, call: CallId) -> Option<()> {
        let gone = self.waiting.remove(&call)?;
        for (ticket, ..) in gone.wanted {
            self.calls.remove(&ticket);
        }
        Some(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.calls.is_empty()
    }

    fn take(&mut self, call: CallId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&call)?;
        for (ticket, ..) in &waiting.wanted {
            self.calls.remove(ticket);
        }
        Some(waiting)
    }
}

/// The lists of what a step plays.
fn lists(verb: &mut Verb) -> Vec<&mut Vec<PlayItem>> {
    match verb {
        Verb::Play { items, .. } => vec![items],
        Verb::Collect { prompt, .. } => vec![prompt],
        Verb::Dial(dial) => dial.items_mut().collect(),
        Verb::First(first) => vec![&mut first.music],
        Verb::Conference(conference) => vec![&mut conference.music],
        _ => Vec::new(),
    }
}

fn items(verb: &mut Verb) -> impl Iterator<Item = &mut PlayItem> {
    lists(verb).into_iter().flatten()
}

impl Shard {
    /// Has made what a step says; gives the step back if it says nothing.
    pub(crate) fn speak_first(&mut self, call: CallId, ticket: u64, mut verb: Verb) -> Option<Verb> {
        let mut wanted: Vec<(u64, Speech, Option<AssetId>)> = Vec::new();
        for item in items(&mut verb) {
            if let PlayItem::Say(speech) = item
                && wanted.iter().all(|(_, known, _)| known != &**speech)
            {
                wanted.push((self.speeches.ticket(), (**speech).clone(), None));
            }
        }
        if wanted.is_empty() {
            return Some(verb);
        }
        self.speeches.forget(call);
        for (ticket, speech, _) in &wanted {
            self.speeches.calls.insert(*ticket, call);
            let (ticket, tenant, speech) = (*ticket, call.tenant, speech.clone());
            self.out.push_back(ShardOutput::Speak { ticket, tenant, speech });
        }
        self.speeches.waiting.insert(call, Waiting { ticket, verb, wanted });
        None
    }

    /// Speech is there, or cannot be made.
    pub(crate) fn on_spoken(&mut self, ticket: u64, asset: Option<AssetId>) {
        if self.act_spoken(ticket, asset.as_ref()) {
            return;
        }
        let Some(call) = self.speeches.calls.get(&ticket).copied() else {
            return;
        };
        self.in_hand = Some(call);
        let Some(asset) = asset else {
            return self.speech_failed(call);
        };
        let Some(waiting) = self.speeches.waiting.get_mut(&call) else {
            return;
        };
        if let Some((.., place)) = waiting.wanted.iter_mut().find(|(known, ..)| *known == ticket) {
            *place = Some(asset);
        }
        if waiting.wanted.iter().any(|(.., place)| place.is_none()) {
            return;
        }
        let Some(Waiting { ticket, mut verb, wanted }) = self.speeches.take(call) else {
            return;
        };
        for item in items(&mut verb) {
            if let PlayItem::Say(speech) = item
                && let Some((.., Some(asset))) = wanted.iter().find(|(_, known, _)| known == &**speech)
            {
                *item = PlayItem::Asset(asset.clone());
            }
        }
        self.begin_step(call, ticket, verb);
    }

    /// A playback fails by name. An entry of keys waits for its key in silence, as with any prompt that is not there; so does
    /// who is dialled.
    fn speech_failed(&mut self, call: CallId) {
        let Some(Waiting { ticket, mut verb, .. }) = self.speeches.take(call) else {
            return;
        };
        if matches!(verb, Verb::Collect { .. } | Verb::Dial(_) | Verb::Conference(_) | Verb::First(_)) {
            let spoken = |list: &Vec<PlayItem>| list.iter().any(|item| matches!(item, PlayItem::Say(_)));
            lists(&mut verb).into_iter().filter(|list| spoken(list)).for_each(Vec::clear);
            return self.begin_step(call, ticket, verb);
        }
        let answer = VerbAnswer::Failed(Cause::SpeechFailed);
        self.flows.handle_input(FlowInput::Answer { call, ticket, answer }, self.now);
    }
}
