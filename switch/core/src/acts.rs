//! What programs have done with the parties of calls: what is to be said is made first, outside, as for a flow's step; and
//! callers who are sent elsewhere, or joined, by order.
//!
//! Invariant: what waits for its speech is told once: of all of it, or that something could not be made. A call that is over
//! leaves nothing behind.

use crate::io::ShardOutput;
use crate::shard::Shard;
use cordboard_call::{ActRefusal, CallInput, MoveRefusal, MoveTo};
use cordboard_model::act::{CollectAsked, Collected, PlayAsked};
use cordboard_model::desk::{DeskFault, Goal};
use cordboard_model::id::{ActId, AssetId, CallId, UserId};
use cordboard_model::media::PlayItem;
use cordboard_model::speech::Speech;
use cordboard_model::time::Time;
use cordboard_model::verb::Destination;
use std::collections::BTreeMap;

/// Why a caller is not sent elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendRefusal {
    /// He may not leave where he is.
    Stays(MoveRefusal),
    /// He cannot go where he is to go.
    Target(DeskFault),
}

/// What waits for its speech.
#[derive(Debug)]
struct Waiting {
    call: CallId,
    items: Vec<PlayItem>,
    /// What is said, each once, by the ticket it was asked for with; and the asset once it is there.
    wanted: Vec<(u64, Speech, Option<AssetId>)>,
}

/// All that waits.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    waiting: BTreeMap<ActId, Waiting>,
    acts: BTreeMap<u64, ActId>,
}

impl Spoken {
    /// The call is over.
    pub(crate) fn forget(&mut self, call: CallId) {
        let of_call = self.waiting.iter().filter(|(_, waiting)| waiting.call == call);
        let gone: Vec<ActId> = of_call.map(|(act, _)| *act).collect();
        for act in gone {
            self.take(act);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.acts.is_empty()
    }

    fn take(&mut self, act: ActId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&act)?;
        for (ticket, ..) in &waiting.wanted {
            self.acts.remove(ticket);
        }
        Some(waiting)
    }
}

impl Shard {
    /// Has something played to parties of a call. Gives the playback.
    ///
    /// # Errors
    /// If one of them is not there, is on hold, or hears a flow.
    pub fn play_to(&mut self, call: CallId, asked: PlayAsked, now: Time) -> Result<ActId, ActRefusal> {
        self.order_act(call, now, |shard| shard.calls.play_to(call, asked, shard.now))
    }

    /// Has keys collected from a party of a call. Gives the entry.
    ///
    /// # Errors
    /// If that party is not there, is on hold, or is asked for keys already.
    pub fn collect_from(
        &mut self,
        call: CallId,
        asked: CollectAsked,
        now: Time,
    ) -> Result<ActId, ActRefusal> {
        self.order_act(call, now, |shard| shard.calls.collect_from(call, asked, shard.now))
    }

    /// Stops a playback or an entry of keys.
    ///
    /// # Errors
    /// If it is not under way in this call.
    pub fn stop_act(&mut self, call: CallId, act: ActId, now: Time) -> Result<(), ActRefusal> {
        self.order_act(call, now, |shard| shard.calls.stop_act(call, act, shard.now))
    }

    /// What is known of an entry of keys: under way, or one of the newest that are over.
    pub fn collected(&self, call: CallId, act: ActId) -> Option<Collected> {
        self.calls.collected(call, act)
    }

    /// Whether the caller of this call is with a flow or a queue, where he can be sent elsewhere without anybody who sends.
    pub fn is_alone(&self, call: CallId) -> bool {
        self.calls.is_alone(call)
    }

    /// Sends the caller of a flow or a queue elsewhere. A number is one that this account, or the house, may dial.
    ///
    /// # Errors
    /// If he is with neither, or cannot go there.
    pub fn send(
        &mut self,
        call: CallId,
        goal: Goal,
        account: Option<UserId>,
        now: Time,
    ) -> Result<(), SendRefusal> {
        self.order_act(call, now, |shard| {
            let to = shard.sent_where(call, goal, account).map_err(SendRefusal::Target)?;
            shard.calls.send(call, to, shard.now).map_err(SendRefusal::Stays)
        })
    }

    /// Joins the callers of two calls, each with a flow or a queue: `other` ends, and its caller is in `call`.
    ///
    /// # Errors
    /// If one of them is with neither, or is not answered.
    pub fn bridge(&mut self, call: CallId, other: CallId, now: Time) -> Result<(), MoveRefusal> {
        self.order_act(call, now, |shard| shard.calls.bridge(call, other, shard.now))
    }

    fn order_act<T, E>(
        &mut self,
        call: CallId,
        now: Time,
        act: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.now = now.max(self.now);
        self.in_hand = Some(call);
        let answer = act(self);
        self.settle();
        answer
    }

    fn sent_where(&self, call: CallId, goal: Goal, account: Option<UserId>) -> Result<MoveTo, DeskFault> {
        self.goal_is_there(&goal)?;
        match goal {
            Goal::Place(Destination::Agent(agent)) if !self.can_ring(&agent) => Err(DeskFault::NoDevice),
            Goal::Place(place) => Ok(MoveTo::Place(place)),
            Goal::Number(number) => {
                if account.as_ref().is_some_and(|user| !self.has_account(user)) {
                    return Err(DeskFault::NoSuchTarget);
                }
                let inside = self.may_dial(call.tenant, account.as_ref(), &number)?;
                // one that was routed before is read as its account would dial it
                let number = if self.calls.was_routed(call) { number } else { inside };
                Ok(MoveTo::Number(number, account))
            }
        }
    }

    /// A call wants this made before it is played.
    pub(crate) fn speak_for(&mut self, call: CallId, act: ActId, items: Vec<PlayItem>) {
        let mut wanted: Vec<(u64, Speech, Option<AssetId>)> = Vec::new();
        for item in &items {
            if let PlayItem::Say(speech) = item
                && wanted.iter().all(|(_, known, _)| known != &**speech)
            {
                wanted.push((self.speeches.ticket(), (**speech).clone(), None));
            }
        }
        for (ticket, speech, _) in &wanted {
            self.spoken.acts.insert(*ticket, act);
            let (ticket, tenant, speech) = (*ticket, call.tenant, speech.clone());
            self.out.push_back(ShardOutput::Speak { ticket, tenant, speech });
        }
        self.spoken.waiting.insert(act, Waiting { call, items, wanted });
    }

    /// Speech is there, or cannot be made. False if nothing here waits for it.
    pub(crate) fn act_spoken(&mut self, ticket: u64, asset: Option<&AssetId>) -> bool {
        let Some(act) = self.spoken.acts.get(&ticket).copied() else { return false };
        let Some(waiting) = self.spoken.waiting.get_mut(&act) else { return true };
        let call = waiting.call;
        if let Some((.., place)) = waiting.wanted.iter_mut().find(|(known, ..)| *known == ticket) {
            *place = asset.cloned();
        }
        if asset.is_some() && waiting.wanted.iter().any(|(.., place)| place.is_none()) {
            return true;
        }
        let Some(Waiting { mut items, wanted, .. }) = self.spoken.take(act) else { return true };
        for item in &mut items {
            if let PlayItem::Say(speech) = item
                && let Some((.., Some(asset))) = wanted.iter().find(|(_, known, _)| known == &**speech)
            {
                *item = PlayItem::Asset(asset.clone());
            }
        }
        self.in_hand = Some(call);
        let items = asset.is_some().then_some(items);
        self.calls.handle_input(CallInput::Spoken { call, act, items }, self.now);
        true
    }
}
