//! What is bounded, whoever asks for it.

use super::floor::Floor;
use crate::figures::{Fold, Grid, ROWS_MAX, TooManyRows};
use crate::tests::bench::{agent_config, call, queue_config};
use cordboard_model::figures::{ReportBy, ReportStep};
use cordboard_model::id::{AgentId, IdMaker, TenantId};
use cordboard_model::record::{AgentInterval, IntervalEnd};
use cordboard_model::service::AgentOrder;
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
            chats: 0,
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

/// A flow that has its caller wait, a second at a time, for a day.
#[test]
fn of_a_call_that_enters_queues_without_end_the_last_visits_are_kept() {
    let queues = vec![queue_config("sales"), queue_config("help")];
    let mut floor = Floor::new("2026-05-04T00:00:00Z", "UTC", queues, vec![agent_config("1", &["sales"])]);
    floor.ready("1");
    floor.order("1", AgentOrder::NotReady { reason: None });
    for n in 0..500_u64 {
        floor.until(n * 1_000);
        floor.enter(1, ["sales", "help"][usize::try_from(n % 2).unwrap()]);
    }
    assert_eq!(floor.ledger.visits_of(call(1)), 64);
    floor.until(500_000);
    floor.gives_up(1);
    assert!(floor.ledger.is_empty());
    // each account is of the visit that it stands in
    let accounts: Vec<_> = floor.visits.iter().map(|visit| visit.account.as_ref()).collect();
    assert!(accounts[..436].iter().all(Option::is_none));
    assert!(accounts[436..].iter().flatten().all(|account| account.wait_ms == 1_000));
    assert_eq!(accounts[436..].iter().flatten().count(), 64);
    assert_eq!(floor.wall().waiting, 0);
}
