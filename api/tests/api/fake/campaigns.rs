//! Campaigns of the fake: kept as they are made, and nobody is called.

use super::Fake;
use super::vault::BEGIN;
use cordboard_api::campaign_switch::{CampaignDone, CampaignOrder, CampaignView, Campaigns, WRONG_STATE};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::campaign::{
    Campaign, CampaignNumber, CampaignState, NewNumber, NumberCounts, NumberState,
};
use cordboard_model::id::TenantId;
use std::collections::BTreeMap;

/// What a tenant has.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Campaigns.
    pub campaigns: BTreeMap<u64, Campaign>,
    /// Their numbers.
    pub numbers: BTreeMap<u64, CampaignNumber>,
}

fn missing(id: u64) -> Refusal {
    Refusal::NotFound(format!("campaign {id}"))
}

/// A number that is to be called, with its own number.
pub fn number(tenant: TenantId, campaign: u64, (id, called): (u64, &str)) -> CampaignNumber {
    CampaignNumber {
        id,
        tenant,
        campaign,
        session: String::new(),
        called: called.to_owned(),
        data: BTreeMap::new(),
        state: NumberState::Pending,
        attempts: 0,
        due: BEGIN,
        call: None,
        place: None,
        result: None,
        business: None,
        owed: None,
        posts: 0,
    }
}

impl Kept {
    fn view(&self, id: u64) -> Result<CampaignDone, Refusal> {
        let campaign = self.campaigns.get(&id).ok_or_else(|| missing(id))?;
        let pending = self.numbers.values().filter(|number| number.campaign == id).count() as u64;
        let numbers = NumberCounts { pending, ..NumberCounts::default() };
        let view = CampaignView { campaign: campaign.clone(), state: campaign.state(BEGIN), numbers };
        Ok(CampaignDone::One(Box::new(view)))
    }

    fn add(&mut self, tenant: TenantId, campaign: u64, new: Vec<NewNumber>) -> Result<CampaignDone, Refusal> {
        self.view(campaign)?;
        let first = self.numbers.len() as u64 + 1;
        let row = |(id, NewNumber { called, session, data }): (u64, NewNumber)| CampaignNumber {
            session,
            data,
            ..number(tenant, campaign, (id, &called))
        };
        let rows: Vec<CampaignNumber> = (first..).zip(new).map(row).collect();
        self.numbers.extend(rows.iter().map(|row| (row.id, row.clone())));
        Ok(CampaignDone::Numbers(rows))
    }

    fn order(&mut self, tenant: TenantId, order: CampaignOrder) -> Result<CampaignDone, Refusal> {
        match order {
            CampaignOrder::Create(spec, by) => {
                let id = self.campaigns.len() as u64 + 1;
                let made = Campaign { id, tenant, spec: *spec, paused: false, made: BEGIN, by };
                self.campaigns.insert(id, made);
                self.view(id)
            }
            CampaignOrder::Change(id, spec) => {
                self.campaigns.get_mut(&id).ok_or_else(|| missing(id))?.spec = *spec;
                self.view(id)
            }
            CampaignOrder::Get(id) => self.view(id),
            CampaignOrder::List => {
                let views = self.campaigns.keys().filter_map(|id| match self.view(*id) {
                    Ok(CampaignDone::One(view)) => Some(*view),
                    _ => None,
                });
                Ok(CampaignDone::Many(views.collect()))
            }
            CampaignOrder::Pause(id, paused) => {
                let campaign = self.campaigns.get_mut(&id).ok_or_else(|| missing(id))?;
                if campaign.paused == paused {
                    return Err(Refusal::Named(WRONG_STATE, format!("campaign {id} is not so")));
                }
                campaign.paused = paused;
                self.view(id)
            }
            CampaignOrder::Delete(id) => {
                let campaign = self.campaigns.get(&id).ok_or_else(|| missing(id))?;
                if campaign.state(BEGIN) == CampaignState::Running {
                    return Err(Refusal::Named(WRONG_STATE, format!("campaign {id} runs")));
                }
                self.campaigns.remove(&id);
                Ok(CampaignDone::Gone)
            }
            CampaignOrder::Add(id, new) => self.add(tenant, id, new),
            CampaignOrder::Numbers(asked) => {
                self.view(asked.campaign)?;
                let fits = |row: &&CampaignNumber| row.campaign == asked.campaign && row.id > asked.after;
                let rows = self.numbers.values().filter(fits).take(asked.limit as usize);
                Ok(CampaignDone::Numbers(rows.cloned().collect()))
            }
            CampaignOrder::Number(id) => {
                let row = self.numbers.get(&id).cloned().ok_or_else(|| missing(id))?;
                Ok(CampaignDone::Numbers(vec![row]))
            }
            CampaignOrder::Say(id, said) => {
                let row = self.numbers.get_mut(&id).ok_or_else(|| missing(id))?;
                row.business = Some(said);
                Ok(CampaignDone::Numbers(vec![row.clone()]))
            }
        }
    }
}

impl Campaigns for Fake {
    fn campaigns(&self, tenant: TenantId, order: CampaignOrder) -> Later<CampaignDone> {
        self.answer(tenant, |floor| floor.campaigns.order(tenant, order))
    }
}
