//! What is bounded, whoever asks for it.

use crate::figures::{Fold, Grid, ROWS_MAX, TooManyRows};
use cordboard_model::figures::{ReportBy, ReportStep};
use cordboard_model::id::{AgentId, IdMaker, TenantId};
use cordboard_model::record::{AgentInterval, IntervalEnd};
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;
use jiff::tz::TimeZone;

const DAY: i64 = 86_400_000;

/// A month of agents who were ready all of it.
fn month(agents: u32, step: ReportStep) -> Result<usize, TooManyRows> {
    let (from, to) = (Wall(0), Wall(31 * DAY));
    let mut ids = IdMaker::new(1, 0);
    let mut fold = Fold::new(ReportBy::Agents, Grid::new(from, to, step, &TimeZone::UTC).unwrap());
    for agent in 0..agents {
        fold.interval(&AgentInterval {
            id: ids.interval(TenantId::DEFAULT),
            agent: AgentId::new(TenantId::DEFAULT, &agent.to_string()).unwrap(),
            status: AgentStatus::Ready,
            why: String::new(),
            reason: None,
            call: None,
            work: None,
            from,
            to,
            end: IntervalEnd::Known,
        });
    }
    fold.finish(&TimeZone::UTC).map(|(rows, _)| rows.len())
}

/// A thousand agents by quarters of an hour for a month were three million rows: gigabytes, for one request.
#[test]
fn a_report_of_more_rows_than_it_may_have_is_refused_whole() {
    let quarters = 31 * 96;
    assert_eq!(month(16, ReportStep::Quarter), Ok(16 * quarters));
    assert!(17 * quarters > ROWS_MAX);
    assert_eq!(month(17, ReportStep::Quarter), Err(TooManyRows));
    assert_eq!(month(100, ReportStep::Quarter), Err(TooManyRows));
    assert_eq!(month(100, ReportStep::Day), Ok(100 * 31));
}
