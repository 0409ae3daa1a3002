//! Figures as readers see them: of a queue, an agent, a tenant, a trunk or a flow, now or over a stretch of time. What each
//! one means, with its formula, is in docs/figures.md.

use crate::id::{AgentId, CallId, Name, QueueId, TenantId};
use crate::time::Wall;
use crate::view::AgentStatus;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A part of a whole. Written as a number with four decimals; null of nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    /// The part.
    pub part: u64,
    /// The whole.
    pub whole: u64,
}

impl Ratio {
    /// `part` of `whole`.
    pub const fn new(part: u64, whole: u64) -> Self {
        Self { part, whole }
    }

    /// As a number; none of nothing.
    pub fn value(self) -> Option<f64> {
        (self.whole > 0).then(|| (self.part as f64 / self.whole as f64 * 10_000.0).round() / 10_000.0)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(s)
    }
}

/// What stands in a cell of a table.
trait Cell {
    fn cell(&self) -> String;
}

impl Cell for u64 {
    fn cell(&self) -> String {
        self.to_string()
    }
}

impl Cell for Option<u64> {
    fn cell(&self) -> String {
        self.map(|n| n.to_string()).unwrap_or_default()
    }
}

impl Cell for Ratio {
    fn cell(&self) -> String {
        self.value().map(|n| format!("{n:.4}")).unwrap_or_default()
    }
}

macro_rules! figures {
    ($($(#[$doc:meta])* $name:ident: $kind:ty,)*) => {
        /// The figures of one thing over one stretch of time. Times are in milliseconds.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
        pub struct Figures {
            $($(#[$doc])* pub $name: $kind,)*
        }

        impl Figures {
            /// Their names, in the order of [`Figures::cells`].
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Their values as texts; empty where there is none.
            pub fn cells(&self) -> Vec<String> {
                vec![$(self.$name.cell()),*]
            }
        }
    };
}

figures! {
    /// Calls that came.
    calls: u64,
    /// Of those, answered by a party or a flow.
    calls_answered: u64,
    /// Calls that entered the queue.
    offered: u64,
    /// Calls that the queue did not take: it was full, or nobody was signed in.
    refused: u64,
    /// Of those offered, answered by an agent.
    answered: u64,
    /// Of those, within the target.
    answered_in_target: u64,
    /// Of those offered, hung up by the caller before an answer.
    abandoned: u64,
    /// Of those, within the threshold of a short wait.
    short_abandoned: u64,
    /// Of those that hung up, within the target.
    abandoned_in_target: u64,
    /// Of those offered, ended by the wait limit.
    timed_out: u64,
    /// Of those offered, gone in another way: a key, another queue, an operator, a restart.
    left_otherwise: u64,
    /// Answered in the target, of those offered without short abandons.
    service_level: Ratio,
    /// Answered in the target, of those answered.
    service_level_of_answered: Ratio,
    /// Answered or hung up within the target, of those answered or hung up.
    service_level_with_abandoned: Ratio,
    /// Hung up after the threshold, of those offered.
    abandon_rate: Ratio,
    /// Mean wait of those answered.
    asa_ms: Option<u64>,
    /// The wait that half of those answered did not exceed.
    wait_p50_ms: Option<u64>,
    /// The wait that nine in ten did not exceed.
    wait_p90_ms: Option<u64>,
    /// The wait that ninety-nine in a hundred did not exceed.
    wait_p99_ms: Option<u64>,
    /// The longest wait of those answered.
    wait_max_ms: Option<u64>,
    /// Mean wait of those that hung up.
    abandoned_wait_ms: Option<u64>,
    /// Offers to agents.
    offers: u64,
    /// Of those, answered.
    offers_answered: u64,
    /// Of those, rung out with the caller still there.
    non_response: u64,
    /// The same and those during which the caller hung up.
    non_response_with_hangups: u64,
    /// Of the offers, refused: busy or declined.
    offers_refused: u64,
    /// Of the offers, that no phone took: unreachable, not registered, failed.
    offers_failed: u64,
    /// Of the offers, taken back by the queue.
    offers_withdrawn: u64,
    /// Of the offers, those of a caller for whom several rang and whom another answered.
    offers_elsewhere: u64,
    /// Rung out with the caller still there, of the offers.
    non_response_rate: Ratio,
    /// Talks with an agent that are over.
    handled: u64,
    /// Of those, the time of talk without hold.
    talk_ms: u64,
    /// Of those, the time of hold.
    hold_ms: u64,
    /// The time of wrap-up after them.
    wrap_up_ms: u64,
    /// Talk, hold and wrap-up of one handled.
    aht_ms: Option<u64>,
    /// Time of agents in the status ready.
    time_ready_ms: u64,
    /// Ringing.
    time_ringing_ms: u64,
    /// Talking, hold included, whoever gave them the call.
    time_talking_ms: u64,
    /// In wrap-up.
    time_wrap_up_ms: u64,
    /// Not ready.
    time_not_ready_ms: u64,
    /// At rest.
    time_rest_ms: u64,
    /// In any other status but signed out.
    time_other_ms: u64,
    /// With a chat at least, in none of the statuses talking, hold and wrap-up. It is in none of the times above.
    time_chatting_ms: u64,
    /// Talking, chatting and in wrap-up, of that and ready.
    occupancy: Ratio,
    /// Legs that came by the trunk.
    legs_in: u64,
    /// Of those, answered.
    legs_in_answered: u64,
    /// Legs that left by the trunk.
    legs_out: u64,
    /// Of those, answered.
    legs_out_answered: u64,
    /// Time from answer to end of all of them.
    legs_talk_ms: u64,
    /// Time from beginning to end of all of them.
    legs_ms: u64,
}

/// What a report has a row for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportBy {
    /// Each queue.
    Queues,
    /// Each agent.
    Agents,
    /// The tenant.
    Tenant,
    /// Each trunk.
    Trunks,
    /// Each flow.
    Flows,
}

impl ReportBy {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Queues, Self::Agents, Self::Tenant, Self::Trunks, Self::Flows];

    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queues => "queues",
            Self::Agents => "agents",
            Self::Tenant => "tenant",
            Self::Trunks => "trunks",
            Self::Flows => "flows",
        }
    }

    /// The kind of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }
}

/// What a report is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub enum ReportStep {
    /// Quarters of an hour.
    #[serde(rename = "15m")]
    Quarter,
    /// Hours.
    #[serde(rename = "1h")]
    Hour,
    /// Days of the tenant's zone.
    #[serde(rename = "1d")]
    Day,
    /// Nothing: it is one.
    #[serde(rename = "all")]
    Whole,
}

impl ReportStep {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Quarter, Self::Hour, Self::Day, Self::Whole];

    /// The word used in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarter => "15m",
            Self::Hour => "1h",
            Self::Day => "1d",
            Self::Whole => "all",
        }
    }

    /// The step of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }
}

/// One row of a report.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct ReportRow {
    /// From when.
    pub from: Wall,
    /// Until when, not included.
    pub to: Wall,
    /// `from` as a clock of the zone shows it: `2026-03-29T01:45:00+01:00`.
    pub local: String,
    /// Whose figures; none for the tenant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Report {
    /// Whose.
    pub tenant: TenantId,
    /// What it has rows for.
    pub by: ReportBy,
    /// What it is cut into.
    pub interval: ReportStep,
    /// From when.
    pub from: Wall,
    /// Until when, not included.
    pub to: Wall,
    /// The tenant's zone.
    pub zone: String,
    /// Rows that have something in them, by time and name.
    pub rows: Vec<ReportRow>,
    /// The same over the whole of the time, by name.
    pub totals: Vec<ReportRow>,
}

/// A queue on the wall.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct WallQueue {
    /// The queue.
    pub queue: QueueId,
    /// Name shown to people.
    pub display: String,
    /// Who waits now.
    pub waiting: u64,
    /// Of those, longer than the target.
    pub waiting_over_target: u64,
    /// How long the one has waited who waits longest, milliseconds.
    pub longest_wait_ms: Option<u64>,
    /// Agents who serve it, by status; those who are signed out are not counted.
    pub agents: BTreeMap<&'static str, u32>,
    /// Today's figures.
    pub today: Figures,
}

/// An agent on the wall.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct WallAgent {
    /// The agent.
    pub agent: AgentId,
    /// Name shown to people.
    pub display: String,
    /// What he is.
    pub status: AgentStatus,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Wall>,
    /// The call he rings, talks or wraps up for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// The queue that gave it to him.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueId>,
    /// Today's figures.
    pub today: Figures,
}

/// Today's figures of a trunk or a flow on the wall.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct WallRow {
    /// Whose.
    pub name: Name,
    /// Today's figures.
    pub today: Figures,
}

/// The figures of now.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct WallView {
    /// Whose.
    pub tenant: TenantId,
    /// As of when.
    pub at: Wall,
    /// The tenant's zone.
    pub zone: String,
    /// When its day began.
    pub day: Wall,
    /// What was before the start of the switch is in the figures, too. False for a moment after the start, and where the
    /// database could not be asked.
    pub complete: bool,
    /// Who waits now, in all queues.
    pub waiting: u64,
    /// How long the one has waited who waits longest, milliseconds.
    pub longest_wait_ms: Option<u64>,
    /// Agents by status; those who are signed out are not counted.
    pub agents_by_status: BTreeMap<&'static str, u32>,
    /// Today's figures of all.
    pub today: Figures,
    /// Queues, by name.
    pub queues: Vec<WallQueue>,
    /// Agents, by name.
    pub agents: Vec<WallAgent>,
    /// Trunks that had a call today, by name.
    pub trunks: Vec<WallRow>,
    /// Flows that ran today, by name.
    pub flows: Vec<WallRow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_nothing_is_null_and_others_have_four_decimals() {
        let json = |ratio| serde_json::to_string(&ratio).unwrap();
        assert_eq!(json(Ratio::new(0, 0)), "null");
        assert_eq!(json(Ratio::new(2, 3)), "0.6667");
        assert_eq!(json(Ratio::new(3, 3)), "1.0");
        assert_eq!((Ratio::new(1, 3).cell(), Ratio::new(1, 0).cell()), ("0.3333".into(), String::new()));
    }

    #[test]
    fn every_figure_has_a_name_and_a_cell() {
        let figures = Figures { calls: 7, asa_ms: Some(9), ..Figures::default() };
        let cells = figures.cells();
        assert_eq!(cells.len(), Figures::NAMES.len());
        let of = |name: &str| cells[Figures::NAMES.iter().position(|known| *known == name).unwrap()].clone();
        assert_eq!((of("calls"), of("asa_ms"), of("aht_ms")), ("7".into(), "9".into(), String::new()));
    }
}
