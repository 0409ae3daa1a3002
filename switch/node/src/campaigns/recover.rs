//! What was being called when the switch stopped, or when something of the event stream was missed.

use super::run::Runner;
use crate::clock::wall_now;
use crate::switch::ask;
use cordboard_acd::campaign::Dialler;
use cordboard_model::callback::{CALLBACKS_MAX, CallbackId, CallbackState};
use cordboard_model::callback_page::CallbackPage;
use cordboard_model::campaign::{CampaignNumber, CampaignWrite, NumberState, NumbersAsked, Outcome};
use cordboard_model::id::{CallId, TenantId};
use cordboard_store::{Store, StoreError};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Numbers of a campaign that is gone which go at a time.
const FORGET: u32 = 1_000;
/// Numbers that are read at a time.
const PAGE: u32 = 500;
/// How long the record of a call that is over may take to come.
const RECORD_COMES: Duration = Duration::from_secs(10);
/// How long a database that did not answer is left alone.
const LOAD_AGAIN: Duration = Duration::from_secs(2);

impl Runner {
    /// Reads what the database has, unless that is known.
    pub(super) async fn load(&mut self) {
        if self.loaded || Instant::now() < self.load_at {
            return;
        }
        self.load_at = Instant::now() + LOAD_AGAIN;
        match self.read().await {
            Ok(()) => {
                self.loaded = true;
                self.look_again().await;
            }
            Err(why) => {
                tracing::warn!(tenant = %self.tenant, %why, "campaigns cannot be read; nobody is called by them");
            }
        }
    }

    async fn read(&mut self) -> Result<(), StoreError> {
        let store = std::sync::Arc::clone(&self.ways.store);
        let campaigns = store.campaigns().await?;
        let (counts, last) = store.campaign_counts(self.tenant).await?;
        self.last_number = last;
        self.diallers.clear();
        for campaign in campaigns.into_iter().filter(|campaign| campaign.tenant == self.tenant) {
            let id = campaign.id;
            self.last_campaign = self.last_campaign.max(id);
            self.counts.insert(id, counts.get(&id).copied().unwrap_or_default());
            let mut dialler = Dialler::new(campaign);
            let mut after = 0;
            loop {
                let state = Some(NumberState::Calling);
                let asked = NumbersAsked { campaign: id, state, after, limit: PAGE };
                let numbers = store.campaign_numbers(self.tenant, asked).await?;
                let Some(last) = numbers.last() else { break };
                after = last.id;
                numbers.into_iter().for_each(|number| dialler.restore(number));
            }
            self.diallers.insert(id, dialler);
            self.telling.owes(id);
        }
        // of one that was deleted when the switch stopped
        for gone in counts.keys().filter(|id| !self.diallers.contains_key(id)) {
            self.last_campaign = self.last_campaign.max(*gone);
            forget(&store, self.tenant, *gone).await?;
        }
        Ok(())
    }

    /// Sees what became of all that is in hand.
    pub(super) async fn look_again(&mut self) {
        if !self.loaded {
            return;
        }
        let ids: Vec<u64> = self.diallers.keys().copied().collect();
        for id in ids {
            let Some(dialler) = self.diallers.get(&id) else { continue };
            let (calls, places, asked) = (dialler.calls(), dialler.places(), dialler.asked());
            for (number, call) in calls {
                self.call_again(id, number, call).await;
            }
            for (number, place, _) in places {
                self.place_again(id, number, place).await;
            }
            self.asked_again(id, asked).await;
        }
    }

    async fn call_again(&mut self, campaign: u64, id: u64, call: CallId) {
        let up = ask(self.ways.shard.clone(), move |shard| shard.call(call).is_some()).await;
        // if it is up, or nobody knows, its end will be told
        if up == Ok(false) {
            self.over(campaign, id, Some(call)).await;
        }
    }

    /// Its call is over, and its end was not heard.
    async fn over(&mut self, campaign: u64, id: u64, call: Option<CallId>) {
        let now = wall_now();
        let cdr = match call {
            Some(call) => self.record_of(call).await,
            None => None,
        };
        // one that has ended just now gets its record in a moment, and its end is told before that, as a rule
        let since = *self.missing.entry(id).or_insert_with(Instant::now);
        if call.is_some() && cdr.is_none() && since.elapsed() < RECORD_COMES {
            return;
        }
        self.missing.remove(&id);
        let Some(dialler) = self.diallers.get_mut(&campaign) else { return };
        // of one for whom an agent was sought the entry is gone: this was the call
        let waited = dialler.place_over(id, now);
        let number = match (waited, &cdr) {
            (Some(number), _) => Some(number),
            (None, Some(cdr)) => dialler.ended(id, cdr, now),
            (None, None) => dialler.failed(id, Outcome::Unknown, now),
        };
        self.settled(number).await;
    }

    async fn place_again(&mut self, campaign: u64, id: u64, place: CallbackId) {
        let asked = place.clone();
        let Ok(entry) = ask(self.ways.shard.clone(), move |shard| shard.callback(&asked)).await else {
            return;
        };
        let state = entry.as_ref().map(|entry| entry.state);
        if matches!(state, Some(CallbackState::Waiting | CallbackState::Asleep | CallbackState::Calling)) {
            return;
        }
        let call = entry.and_then(|entry| entry.last_call);
        let known = self.diallers.get_mut(&campaign).and_then(|dialler| match call {
            Some(call) => dialler.rung(id, call).and_then(|number| number.call),
            None => dialler.call_of(id),
        });
        self.over(campaign, id, known).await;
        self.remove_place(place).await;
    }

    /// The switch was asked to call them, or not: it is asked once more, and calls none of them twice.
    async fn asked_again(&mut self, campaign: u64, asked: Vec<CampaignNumber>) {
        let Some(dialler) = self.diallers.get(&campaign).filter(|_| !asked.is_empty()) else { return };
        let campaign = dialler.campaign().clone();
        let places =
            if campaign.spec.kind.is_agent_first() { self.places_of(campaign.id).await } else { Vec::new() };
        for number in asked {
            let place = places.iter().find(|(id, _)| *id == number.id).map(|(_, place)| place.clone());
            match place {
                Some(place) => {
                    let row = self.diallers.get_mut(&campaign.id).and_then(|of| of.placed(number.id, place));
                    self.write(row.into_iter().collect()).await;
                }
                None => self.begin(&campaign, number, wall_now()).await,
            }
        }
        // a token of before gives a call that may be over
        let of = self.diallers.get(&campaign.id).map(Dialler::calls).unwrap_or_default();
        for (number, call) in of {
            self.call_again(campaign.id, number, call).await;
        }
    }

    /// The entries of the list that were put for a campaign, with their numbers.
    async fn places_of(&self, campaign: u64) -> Vec<(u64, CallbackId)> {
        let tenant = self.tenant;
        let page = CallbackPage { queue: None, after: None, limit: CALLBACKS_MAX };
        let entries = ask(self.ways.shard.clone(), move |shard| shard.callbacks(tenant, &page)).await;
        let mut known = BTreeSet::new();
        let mut places = Vec::new();
        for entry in entries.unwrap_or_default() {
            let said = |name: &str| entry.kept.as_ref()?.data.get(name)?.as_u64();
            if let (Some(of), Some(number)) = (said("campaign"), said("campaignNumber"))
                && of == campaign
                && known.insert(number)
            {
                places.push((number, entry.id.clone()));
            }
        }
        places
    }
}

/// The numbers of a campaign that is gone go, some at a time: others write in between.
pub(super) async fn forget(store: &Store, tenant: TenantId, campaign: u64) -> Result<(), StoreError> {
    loop {
        let asked = NumbersAsked { campaign, state: None, after: 0, limit: 1 };
        if store.campaign_numbers(tenant, asked).await?.is_empty() {
            return Ok(());
        }
        store.keep_campaigns(vec![CampaignWrite::NoNumbers(tenant, campaign, FORGET)]).await?;
    }
}
