//! Campaigns: lists of numbers that the switch calls by itself, within times and at a pace.

use crate::calendar::Hours;
use crate::callback::CallbackId;
use crate::id::{CallId, Name, RecordingId, TenantId};
use crate::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Longest name of a campaign, characters.
pub const CAMPAIGN_NAME_MAX: usize = 100;
/// Longest description, characters.
pub const CAMPAIGN_ABOUT_MAX: usize = 200;
/// Most campaigns of a tenant.
pub const CAMPAIGNS_MAX: usize = 1_000;
/// Most campaigns of a tenant of one kind that are not over.
pub const CAMPAIGNS_ACTIVE: usize = 20;
/// Most numbers of a campaign that are still to be called.
pub const PENDING_MAX: u64 = 200_000;
/// Most numbers of a campaign, those that were called among them.
pub const NUMBERS_MAX: u64 = 1_000_000;
/// Most numbers that are added at a time.
pub const NUMBERS_AT_ONCE: usize = 1_000;
/// Longest number, bytes.
pub const CALLED_MAX: usize = 32;
/// Longest data of one number, bytes as JSON.
pub const NUMBER_DATA_MAX: usize = 4_096;
/// Most calls of a campaign at a time.
pub const LINES_MAX: u32 = 1_000;
/// Most calls to one number.
pub const ATTEMPTS_MAX: u32 = 10;

/// How a campaign calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignKind {
    /// A flow talks to who answers: a bot's.
    SmartIvr,
    /// Who answers is given to an agent of a queue. Called are as many as agents are free for.
    Predictive,
    /// A flow talks to who answers.
    AutomaticIvr,
    /// An agent is offered the number, and it is called when he has accepted.
    Preview,
    /// An agent is taken first, and then the number is called.
    PreOccupied,
}

impl CampaignKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::SmartIvr, Self::Predictive, Self::AutomaticIvr, Self::Preview, Self::PreOccupied];

    /// Whether the agent comes first.
    pub fn is_agent_first(self) -> bool {
        matches!(self, Self::Preview | Self::PreOccupied)
    }

    /// Whether it has a flow, and no agents.
    pub fn is_by_flow(self) -> bool {
        matches!(self, Self::SmartIvr | Self::AutomaticIvr)
    }
}

/// Who talks to those who are called.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignGoal {
    /// A flow.
    Flow(Name),
    /// The agents of a queue.
    Queue(Name),
}

/// A number of the house that is shown.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ShownNumber {
    /// It.
    pub number: String,
    /// The lowest is shown.
    #[serde(default)]
    pub priority: u8,
}

/// What a campaign is, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CampaignSpec {
    /// For people.
    pub name: String,
    /// For people; may be empty.
    #[serde(default)]
    pub description: String,
    /// How it calls. It stays what it is.
    pub kind: CampaignKind,
    /// Who talks.
    pub goal: CampaignGoal,
    /// From when on.
    pub begins: Wall,
    /// Until when.
    pub ends: Wall,
    /// When on working days, by the tenant's clocks.
    pub workdays: Vec<Hours>,
    /// When on other days.
    #[serde(default)]
    pub holidays: Vec<Hours>,
    /// Numbers that are shown; none: the usual one.
    #[serde(default)]
    pub shown: Vec<ShownNumber>,
    /// How long it rings at who is called, seconds, 5 to 120.
    pub ring_s: u32,
    /// 1 to 5; the highest has free agents and lines first.
    pub priority: u8,
    /// Calls for a hundred free agents: 100 is one for each.
    pub rate: u32,
    /// Most calls at a time.
    pub lines: u32,
    /// How often one number is called until somebody is reached, at most.
    pub attempts: u32,
    /// How long after a call in vain it is called again, seconds.
    pub every_s: u32,
    /// Where results are posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What else a program said of it, given back as it was.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub said: Value,
}

/// A campaign.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Campaign {
    /// Its number among the tenant's.
    pub id: u64,
    /// Whose.
    pub tenant: TenantId,
    /// What it is.
    #[serde(flatten)]
    pub spec: CampaignSpec,
    /// Nobody is called meanwhile.
    pub paused: bool,
    /// When it was made.
    pub made: Wall,
    /// Who made it.
    pub by: String,
}

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// It calls, has called everybody, or has not begun.
    Running,
    /// Somebody has paused it.
    Paused,
    /// Its time is over.
    Over,
}

impl Campaign {
    /// Where it stands.
    pub fn state(&self, now: Wall) -> CampaignState {
        match self.paused {
            _ if now >= self.spec.ends => CampaignState::Over,
            true => CampaignState::Paused,
            false => CampaignState::Running,
        }
    }
}

/// Where a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberState {
    /// It is to be called.
    Pending,
    /// It is being called, or an agent is sought for it.
    Calling,
    /// It has its result.
    Done,
}

impl NumberState {
    /// As the database has it.
    pub fn code(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Calling => 1,
            Self::Done => 2,
        }
    }
}

/// What came of calling a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A flow, or an agent, talked to who answered.
    Reached,
    /// Busy.
    Busy,
    /// Nobody answered while it rang.
    NoAnswer,
    /// It was declined.
    Declined,
    /// There is no such number.
    Vacant,
    /// It is switched off, or out of reach.
    Unreachable,
    /// Who answered was gone before an agent came.
    LeftWaiting,
    /// Nobody came within the queue's longest wait.
    WaitTimeout,
    /// Nobody is there who could come.
    NoAgent,
    /// No line was free, or no trunk.
    NoLine,
    /// The number may not be called.
    BadNumber,
    /// What became of it is not known: the switch was stopped in the middle.
    Unknown,
    /// A fault.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 13] = [
        Self::Reached,
        Self::Busy,
        Self::NoAnswer,
        Self::Declined,
        Self::Vacant,
        Self::Unreachable,
        Self::LeftWaiting,
        Self::WaitTimeout,
        Self::NoAgent,
        Self::NoLine,
        Self::BadNumber,
        Self::Unknown,
        Self::Failed,
    ];
}

/// What came of a number in the end.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct NumberResult {
    /// What.
    pub outcome: Outcome,
    /// The last call to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// When that began.
    pub at: Wall,
    /// Its first recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingId>,
}

/// What a program, or an agent by it, says came of a number in business.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct BusinessResult {
    /// Its code.
    pub code: String,
    /// More of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Which agent says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
}

/// A number of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CampaignNumber {
    /// Its number among the tenant's.
    pub id: u64,
    /// Whose.
    pub tenant: TenantId,
    /// The campaign.
    pub campaign: u64,
    /// What the program calls it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// Whom to call.
    pub called: String,
    /// Goes with the call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, Value>,
    /// Where it stands.
    pub state: NumberState,
    /// How often it was called.
    pub attempts: u32,
    /// Not before.
    pub due: Wall,
    /// The call that calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The entry of the call-back list by which it waits for an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<CallbackId>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<NumberResult>,
    /// What a program says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business: Option<BusinessResult>,
    /// When its result is posted next, if it has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Wall>,
    /// How often that was tried.
    #[serde(default)]
    pub posts: u32,
}

/// What became of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignChange {
    /// It was made.
    Made,
    /// It was changed.
    Changed,
    /// Nobody is called for now.
    Paused,
    /// It goes on.
    Resumed,
    /// Its time is over.
    Over,
    /// It is gone, and its numbers are.
    Deleted,
}

/// A number of a campaign, as the event stream tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberNews {
    /// The campaign.
    pub campaign: u64,
    /// The number's number among the tenant's.
    pub number: u64,
    /// What the program calls it; may be empty.
    pub session: String,
    /// Whom to call.
    pub called: String,
    /// Where it stands.
    pub state: NumberState,
    /// How often it was called.
    pub attempts: u32,
    /// The call that calls it.
    pub call: Option<CallId>,
    /// What came of it in the end.
    pub result: Option<NumberResult>,
    /// What a program says of it.
    pub business: Option<BusinessResult>,
}

impl From<&CampaignNumber> for NumberNews {
    fn from(number: &CampaignNumber) -> Self {
        Self {
            campaign: number.campaign,
            number: number.id,
            session: number.session.clone(),
            called: number.called.clone(),
            state: number.state,
            attempts: number.attempts,
            call: number.call,
            result: number.result.clone(),
            business: number.business.clone(),
        }
    }
}

/// A number that is to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewNumber {
    /// Whom to call.
    pub called: String,
    /// What the program calls it.
    #[serde(default)]
    pub session: String,
    /// Goes with the call.
    #[serde(default)]
    pub data: BTreeMap<String, Value>,
}

/// How many numbers of a campaign stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct NumberCounts {
    /// Still to be called.
    pub pending: u64,
    /// Being called.
    pub calling: u64,
    /// With their result.
    pub done: u64,
}

impl NumberCounts {
    /// All of them.
    pub fn all(self) -> u64 {
        self.pending + self.calling + self.done
    }

    /// Those of a state.
    pub fn of(&mut self, state: NumberState) -> &mut u64 {
        match state {
            NumberState::Pending => &mut self.pending,
            NumberState::Calling => &mut self.calling,
            NumberState::Done => &mut self.done,
        }
    }
}

/// What is written of campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignWrite {
    /// It is so from now on.
    Campaign(Box<Campaign>),
    /// It is gone. Its numbers go by [`CampaignWrite::NoNumbers`].
    NoCampaign(TenantId, u64),
    /// It is so from now on.
    Number(Box<CampaignNumber>),
    /// So many numbers of one go, at most.
    NoNumbers(TenantId, u64, u32),
}

/// A question for numbers of a campaign, by their numbers upward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumbersAsked {
    /// The campaign.
    pub campaign: u64,
    /// In this state only.
    pub state: Option<NumberState>,
    /// Behind this one.
    pub after: u64,
    /// So many at most.
    pub limit: u32,
}
