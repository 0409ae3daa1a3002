//! Campaigns as the control plane sees them.

use crate::switch::Later;
use cordboard_model::campaign::{
    BusinessResult, Campaign, CampaignNumber, CampaignSpec, CampaignState, NewNumber, NumberCounts,
    NumbersAsked,
};
use cordboard_model::id::TenantId;
use schemars::JsonSchema;
use serde::Serialize;

/// What is asked of a tenant's campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignOrder {
    /// Make one; the last says who asks, as [`crate::switch::Caller::actor`] has it.
    Create(Box<CampaignSpec>, String),
    /// It is so from now on. Its kind stays.
    Change(u64, Box<CampaignSpec>),
    /// It, with its counts.
    Get(u64),
    /// All of them.
    List,
    /// Call nobody (`true`), or go on.
    Pause(u64, bool),
    /// It goes, with its numbers. Not while it runs.
    Delete(u64),
    /// Add numbers, all of them or none.
    Add(u64, Vec<NewNumber>),
    /// Its numbers.
    Numbers(NumbersAsked),
    /// A number by its number.
    Number(u64),
    /// What came of a number in business.
    Say(u64, BusinessResult),
}

/// A campaign as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct CampaignView {
    /// It.
    #[serde(flatten)]
    pub campaign: Campaign,
    /// Where it stands.
    pub state: CampaignState,
    /// How many of its numbers stand where.
    pub numbers: NumberCounts,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignDone {
    /// The campaign, as it is now.
    One(Box<CampaignView>),
    /// All of them, by their numbers.
    Many(Vec<CampaignView>),
    /// Numbers: those that were added, or asked for.
    Numbers(Vec<CampaignNumber>),
    /// It is gone.
    Gone,
}

/// Refused with [`crate::switch::Refusal::Named`]: it runs, is paused, or is over, and must not be.
pub const WRONG_STATE: &str = "campaign_state";
/// Refused so: there are as many as there may be.
pub const CAMPAIGN_FULL: &str = "campaign_full";

/// Campaigns of all tenants.
pub trait Campaigns: Send + Sync + 'static {
    /// Does something, or answers. What changes is in the database when this answers.
    fn campaigns(&self, tenant: TenantId, order: CampaignOrder) -> Later<CampaignDone>;
}
