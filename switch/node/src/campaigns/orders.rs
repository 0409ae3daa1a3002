//! What is ordered of campaigns.

use super::recover::forget;
use super::run::Runner;
use crate::clock::wall_now;
use crate::switch::{missing, store_refusal};
use cordboard_acd::campaign::{Dialler, faults};
use cordboard_api::campaign_switch::{CAMPAIGN_FULL, CampaignDone, CampaignOrder, CampaignView, WRONG_STATE};
use cordboard_api::switch::Refusal;
use cordboard_model::campaign::{
    BusinessResult, CALLED_MAX, CAMPAIGNS_ACTIVE, CAMPAIGNS_MAX, Campaign, CampaignChange, CampaignNumber,
    CampaignSpec, CampaignState, CampaignWrite, NUMBER_DATA_MAX, NUMBERS_AT_ONCE, NUMBERS_MAX, NewNumber,
    NumberState, PENDING_MAX,
};
use cordboard_model::time::Wall;
use std::sync::Arc;

type Done = Result<CampaignDone, Refusal>;

fn full(why: String) -> Refusal {
    Refusal::Named(CAMPAIGN_FULL, why)
}

impl Runner {
    pub(super) async fn order(&mut self, order: CampaignOrder) -> Done {
        if !self.loaded {
            return Err(Refusal::Busy(1));
        }
        match order {
            CampaignOrder::Create(spec, by) => self.create(*spec, by).await,
            CampaignOrder::Change(id, spec) => self.change(id, *spec).await,
            CampaignOrder::Get(id) => self.view(id),
            CampaignOrder::List => {
                let now = wall_now();
                Ok(CampaignDone::Many(
                    self.diallers.values().map(|of| self.seen(of.campaign(), now)).collect(),
                ))
            }
            CampaignOrder::Pause(id, paused) => self.pause(id, paused).await,
            CampaignOrder::Delete(id) => self.delete(id).await,
            CampaignOrder::Add(id, numbers) => self.add(id, numbers).await,
            CampaignOrder::Numbers(asked) => {
                self.known(asked.campaign)?;
                let numbers = self.ways.store.campaign_numbers(self.tenant, asked).await;
                numbers.map(CampaignDone::Numbers).map_err(store_refusal)
            }
            CampaignOrder::Number(id) => {
                let number = self.number(id).await?;
                Ok(CampaignDone::Numbers(vec![number]))
            }
            CampaignOrder::Say(id, said) => self.say(id, said).await,
        }
    }

    fn known(&self, id: u64) -> Result<&Campaign, Refusal> {
        self.diallers.get(&id).map(Dialler::campaign).ok_or_else(|| missing(format!("campaign {id}")))
    }

    fn seen(&self, campaign: &Campaign, now: Wall) -> CampaignView {
        let numbers = self.counts.get(&campaign.id).copied().unwrap_or_default();
        CampaignView { state: campaign.state(now), campaign: campaign.clone(), numbers }
    }

    fn view(&self, id: u64) -> Done {
        Ok(CampaignDone::One(Box::new(self.seen(self.known(id)?, wall_now()))))
    }

    /// What is wrong with it here and now.
    fn check(&self, spec: &CampaignSpec, now: Wall) -> Result<(), Refusal> {
        let loaded = self.ways.reloader.current();
        let tenant = loaded.snapshot.tenant(self.tenant).ok_or_else(|| missing("the tenant"))?;
        let mut faults = faults(spec, now, tenant);
        if spec.url.as_ref().is_some_and(|url| !self.ways.pushing.allows(url)) {
            faults.push("url: no URL below one that the configuration allows".to_owned());
        }
        if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
    }

    async fn keep(&self, write: CampaignWrite) -> Result<(), Refusal> {
        self.ways.store.keep_campaigns(vec![write]).await.map_err(store_refusal)
    }

    async fn create(&mut self, spec: CampaignSpec, by: String) -> Done {
        let now = wall_now();
        self.check(&spec, now)?;
        if self.diallers.len() >= CAMPAIGNS_MAX {
            return Err(full(format!("a tenant has at most {CAMPAIGNS_MAX} campaigns")));
        }
        let is_active = |of: &&Dialler| {
            of.campaign().spec.kind == spec.kind && of.campaign().state(now) != CampaignState::Over
        };
        if self.diallers.values().filter(is_active).count() >= CAMPAIGNS_ACTIVE {
            return Err(full(format!("at most {CAMPAIGNS_ACTIVE} campaigns of one kind are not over")));
        }
        let id = self.last_campaign + 1;
        let campaign = Campaign { id, tenant: self.tenant, spec, paused: false, made: now, by };
        self.keep(CampaignWrite::Campaign(Box::new(campaign.clone()))).await?;
        self.last_campaign = id;
        self.counts.insert(id, Default::default());
        self.diallers.insert(id, Dialler::new(campaign.clone()));
        self.campaign_became(&campaign, CampaignChange::Made).await;
        self.view(id)
    }

    /// It is so from now on, in the database first.
    async fn becomes(&mut self, campaign: Campaign, change: CampaignChange) -> Done {
        let id = campaign.id;
        self.keep(CampaignWrite::Campaign(Box::new(campaign.clone()))).await?;
        if let Some(dialler) = self.diallers.get_mut(&id) {
            dialler.change(campaign.clone());
        }
        self.campaign_became(&campaign, change).await;
        self.telling.owes(id);
        self.view(id)
    }

    async fn change(&mut self, id: u64, spec: CampaignSpec) -> Done {
        let known = self.known(id)?.clone();
        if known.spec.kind != spec.kind {
            return Err(Refusal::Invalid(vec!["kind: it stays what it is".to_owned()]));
        }
        self.check(&spec, wall_now())?;
        self.becomes(Campaign { spec, ..known }, CampaignChange::Changed).await
    }

    async fn pause(&mut self, id: u64, paused: bool) -> Done {
        let known = self.known(id)?.clone();
        let (state, now) = (known.state(wall_now()), wall_now());
        let wanted = if paused { CampaignState::Running } else { CampaignState::Paused };
        if state != wanted {
            return Err(Refusal::Named(WRONG_STATE, format!("campaign {id} is {state:?}").to_lowercase()));
        }
        let change = if paused { CampaignChange::Paused } else { CampaignChange::Resumed };
        let done = self.becomes(Campaign { paused, ..known }, change).await?;
        if paused {
            self.let_go(id, now).await;
        }
        Ok(done)
    }

    /// Whoever waits for an agent waits no longer.
    async fn let_go(&mut self, id: u64, now: Wall) {
        let places = self.diallers.get(&id).map(Dialler::places).unwrap_or_default();
        for (number, place, served) in places {
            if served {
                continue;
            }
            let row = self.diallers.get_mut(&id).and_then(|dialler| dialler.given_back(number, now));
            self.settled(row).await;
            self.remove_place(place).await;
        }
    }

    async fn delete(&mut self, id: u64) -> Done {
        let known = self.known(id)?.clone();
        if known.state(wall_now()) == CampaignState::Running {
            return Err(Refusal::Named(WRONG_STATE, format!("campaign {id} runs: pause it first")));
        }
        self.keep(CampaignWrite::NoCampaign(self.tenant, id)).await?;
        self.let_go(id, wall_now()).await;
        self.diallers.remove(&id);
        self.counts.remove(&id);
        self.telling.forget(id);
        self.campaign_became(&known, CampaignChange::Deleted).await;
        let (store, tenant) = (Arc::clone(&self.ways.store), self.tenant);
        tokio::spawn(async move {
            if let Err(why) = forget(&store, tenant, id).await {
                tracing::warn!(%tenant, campaign = id, %why, "numbers of a campaign that is gone go at the next start");
            }
        });
        Ok(CampaignDone::Gone)
    }

    async fn add(&mut self, id: u64, new: Vec<NewNumber>) -> Done {
        let known = self.known(id)?;
        let now = wall_now();
        if known.state(now) == CampaignState::Over {
            return Err(Refusal::Named(WRONG_STATE, format!("campaign {id} is over")));
        }
        let faults = faults_of(&new);
        if !faults.is_empty() {
            return Err(Refusal::Invalid(faults));
        }
        let counts = self.counts.get(&id).copied().unwrap_or_default();
        let count = new.len() as u64;
        if counts.pending + count > PENDING_MAX || counts.all() + count > NUMBERS_MAX {
            return Err(full(format!(
                "a campaign has at most {PENDING_MAX} numbers that are to be called, and {NUMBERS_MAX} in all"
            )));
        }
        let mut rows = Vec::with_capacity(new.len());
        for (NewNumber { called, session, data }, id_of) in new.into_iter().zip(self.last_number + 1..) {
            rows.push(CampaignNumber {
                id: id_of,
                tenant: self.tenant,
                campaign: id,
                session,
                called,
                data,
                state: NumberState::Pending,
                attempts: 0,
                due: now,
                call: None,
                place: None,
                result: None,
                business: None,
                owed: None,
                posts: 0,
            });
        }
        let writes = rows.iter().map(|row| CampaignWrite::Number(Box::new(row.clone()))).collect();
        self.ways.store.keep_campaigns(writes).await.map_err(store_refusal)?;
        self.last_number += count;
        self.counts.entry(id).or_default().pending += count;
        if let Some(dialler) = self.diallers.get_mut(&id) {
            dialler.filled();
        }
        Ok(CampaignDone::Numbers(rows))
    }

    async fn number(&self, id: u64) -> Result<CampaignNumber, Refusal> {
        let number = self.ways.store.campaign_number(self.tenant, id).await.map_err(store_refusal)?;
        let number = number.filter(|number| self.diallers.contains_key(&number.campaign));
        number.ok_or_else(|| missing(format!("number {id}")))
    }

    async fn say(&mut self, id: u64, said: BusinessResult) -> Done {
        let mut number = self.number(id).await?;
        number.business = Some(said.clone());
        self.keep(CampaignWrite::Number(Box::new(number.clone()))).await?;
        if let Some(dialler) = self.diallers.get_mut(&number.campaign) {
            dialler.said(id, said);
        }
        let numbers = vec![number];
        self.numbers_became(&numbers).await;
        Ok(CampaignDone::Numbers(numbers))
    }
}

/// What is wrong with numbers that are to be added.
fn faults_of(new: &[NewNumber]) -> Vec<String> {
    let mut faults = Vec::new();
    if new.is_empty() || new.len() > NUMBERS_AT_ONCE {
        faults.push(format!("numbers: 1 to {NUMBERS_AT_ONCE}"));
    }
    for (index, number) in new.iter().enumerate() {
        let plain = |c: char| c.is_ascii_digit() || c == '*' || c == '#';
        let digits = number.called.strip_prefix('+').unwrap_or(&number.called);
        if digits.is_empty() || number.called.len() > CALLED_MAX || !digits.chars().all(plain) {
            faults.push(format!("numbers[{index}].called: {:?} is no number", number.called));
        }
        if number.session.len() > 128 {
            faults.push(format!("numbers[{index}].session: at most 128 bytes"));
        }
        if serde_json::to_string(&number.data).is_ok_and(|data| data.len() > NUMBER_DATA_MAX) {
            faults.push(format!("numbers[{index}].data: at most {NUMBER_DATA_MAX} bytes"));
        }
    }
    faults
}
