//! Raw records in, figures out: for a report, or for the part of a day that was before the start.

use super::cell::Sums;
use super::grid::Grid;
use cordboard_model::cdr::{LegRecord, QueueVisit};
use cordboard_model::figures::{Figures, ReportBy, ReportRow};
use cordboard_model::id::{FlowId, Name};
use cordboard_model::record::{AgentInterval, CallRow};
use cordboard_model::time::Wall;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// Most rows of a report: a quarter's of 17 agents for a month, or a day's of 50,000; some 50 MB as text.
pub const ROWS_MAX: usize = 50_000;

/// Whose sums: a name, or none for the tenant's.
type Whose = Option<Name>;

/// There would be more than [`ROWS_MAX`] rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyRows;

impl core::fmt::Display for TooManyRows {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "more than {ROWS_MAX} rows; take a shorter time or longer intervals")
    }
}

/// The fold. Records may come in any order, each once, and of one tenant.
#[derive(Clone, Debug)]
pub struct Fold {
    by: ReportBy,
    grid: Grid,
    parts: BTreeMap<(usize, Whose), Sums>,
    /// What there was no row for. None while there is room.
    beyond: Option<Box<Sums>>,
}

/// Each of some names once.
pub(super) fn once(flows: &[FlowId]) -> impl Iterator<Item = &Name> {
    let names = flows.iter().enumerate();
    names.filter(|(at, flow)| !flows.iter().take(*at).any(|other| other == *flow)).map(|(_, flow)| &flow.name)
}

impl Fold {
    /// Nothing yet.
    pub fn new(by: ReportBy, grid: Grid) -> Self {
        Self { by, grid, parts: BTreeMap::new(), beyond: None }
    }

    fn sums(&mut self, part: usize, whose: Option<&Name>) -> &mut Sums {
        let row = (part, whose.cloned());
        if self.parts.len() >= ROWS_MAX && !self.parts.contains_key(&row) {
            return self.beyond.get_or_insert_default();
        }
        self.parts.entry(row).or_default()
    }

    /// Whether there are more rows than a report may have: what is folded from here on is for nothing.
    pub fn is_over(&self) -> bool {
        self.beyond.is_some()
    }

    /// A call's record.
    pub fn call(&mut self, call: &CallRow) {
        let Some(part) = self.grid.find(call.started) else { return };
        match self.by {
            ReportBy::Tenant => self.sums(part, None).call(call.answered),
            ReportBy::Flows => {
                once(&call.flows).for_each(|flow| self.sums(part, Some(flow)).call(call.answered));
            }
            ReportBy::Queues | ReportBy::Agents | ReportBy::Trunks => {}
        }
    }

    /// A leg's record.
    pub fn leg(&mut self, leg: &LegRecord) {
        let (Some(trunk), ReportBy::Trunks) = (&leg.trunk, self.by) else { return };
        if let Some(part) = self.grid.find(leg.started) {
            self.sums(part, Some(&trunk.name)).leg(leg);
        }
    }

    /// A visit's record.
    pub fn visit(&mut self, visit: &QueueVisit) {
        let Some(part) = self.grid.find(visit.entered) else { return };
        let account = visit.account.as_deref();
        match self.by {
            ReportBy::Queues => self.sums(part, Some(&visit.queue.name)).visit(visit),
            ReportBy::Tenant => self.sums(part, None).visit(visit),
            ReportBy::Trunks => {
                if let Some(trunk) = account.and_then(|account| account.trunk.as_ref()) {
                    self.sums(part, Some(&trunk.name)).visit(visit);
                }
            }
            ReportBy::Flows => {
                let flows = account.map(|account| &*account.flows).unwrap_or_default();
                once(flows).for_each(|flow| self.sums(part, Some(flow)).visit(visit));
            }
            ReportBy::Agents => {
                for offer in account.iter().flat_map(|account| &account.offers) {
                    self.sums(part, Some(&offer.agent.name)).offer(offer.end);
                }
                if let Some(agent) = visit.agent.as_ref().filter(|_| visit.outcome == "served") {
                    let talk = account.map_or((0, 0), |account| (account.talk_ms, account.hold_ms));
                    self.sums(part, Some(&agent.name)).handle(talk.0, talk.1);
                }
            }
        }
    }

    /// A stretch of an agent's work.
    pub fn interval(&mut self, interval: &AgentInterval) {
        if matches!(self.by, ReportBy::Agents | ReportBy::Tenant) && !self.is_over() {
            let whose = (self.by == ReportBy::Agents).then(|| interval.agent.name.clone());
            let shares: Vec<_> = self.grid.shares(interval.from, interval.to).collect();
            for (part, ms) in shares {
                self.sums(part, whose.as_ref()).time(interval.status, interval.chats, ms);
            }
        }
        let Some(work) = interval.work.as_ref().filter(|_| interval.status.as_str() == "wrap_up") else {
            return;
        };
        let Some(part) = self.grid.find(work.entered) else { return };
        let ms = interval.ms();
        match self.by {
            ReportBy::Queues => self.sums(part, Some(&work.queue.name)).wrap_up(ms),
            ReportBy::Agents => self.sums(part, Some(&interval.agent.name)).wrap_up(ms),
            ReportBy::Tenant => self.sums(part, None).wrap_up(ms),
            ReportBy::Trunks => {
                if let Some(trunk) = &work.trunk {
                    self.sums(part, Some(&trunk.name)).wrap_up(ms);
                }
            }
            ReportBy::Flows => once(&work.flows).for_each(|flow| self.sums(part, Some(flow)).wrap_up(ms)),
        }
    }

    /// The rows, by time and name, and those over the whole of the time, by name. `zone` is for what clocks show.
    ///
    /// # Errors
    /// If there are more than a report may have.
    pub fn finish(self, zone: &TimeZone) -> Result<(Vec<ReportRow>, Vec<ReportRow>), TooManyRows> {
        if self.is_over() {
            return Err(TooManyRows);
        }
        let mut totals: BTreeMap<Whose, Sums> = BTreeMap::new();
        let mut rows = Vec::with_capacity(self.parts.len());
        for ((part, whose), sums) in self.parts {
            totals.entry(whose.clone()).or_default().merge(&sums);
            if let Some(range) = self.grid.part(part) {
                rows.push(row(range, whose, sums.figures(0), zone));
            }
        }
        let range = self.grid.range();
        let totals = totals.into_iter().map(|(whose, sums)| row(range, whose, sums.figures(0), zone));
        Ok((rows, totals.collect()))
    }

    /// The sums of a fold that was not cut.
    pub(super) fn into_whole(self) -> impl Iterator<Item = (Whose, Sums)> {
        self.parts.into_iter().map(|((_, whose), sums)| (whose, sums))
    }
}

fn row((from, to): (Wall, Wall), name: Whose, figures: Figures, zone: &TimeZone) -> ReportRow {
    ReportRow { from, to, local: shown(from, zone), name, figures }
}

/// A moment as a clock of the zone shows it, with its distance from UTC.
fn shown(at: Wall, zone: &TimeZone) -> String {
    let stamp = Timestamp::from_millisecond(at.0).unwrap_or_default();
    stamp.display_with_offset(zone.to_offset(stamp)).to_string()
}
