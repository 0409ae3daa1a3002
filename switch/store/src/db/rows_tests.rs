//! Rows of figures with real files.

use super::rows::{RowCursor, RowFilter};
use super::tests::cdr;
use super::*;
use crate::scratch::Scratch;
use cordboard_model::cause::Cause;
use cordboard_model::cdr::{LegRecord, LegRole, QueueVisit};
use cordboard_model::id::{AgentId, FlowId, IdMaker, Name, QueueId, TenantId, TrunkId};
use cordboard_model::leg::PartyId;
use cordboard_model::media::LegStats;
use cordboard_model::record::{IntervalEnd, VisitAccount, WorkFor};
use cordboard_model::time::Wall;
use cordboard_model::view::AgentStatus;

const T: TenantId = TenantId::DEFAULT;

fn leg(ids: &mut IdMaker, started: i64, agent: Option<&str>) -> LegRecord {
    LegRecord {
        leg: ids.leg(T),
        role: if agent.is_some() { LegRole::Callee } else { LegRole::Caller },
        party: PartyId::new("1001"),
        agent: agent.map(|agent| AgentId::new(T, agent).unwrap()),
        started: Wall(started),
        rang: None,
        picked_up: None,
        answered: None,
        ended: Wall(started + 5),
        cause: Cause::Normal,
        sip_status: None,
        stats: LegStats::default(),
        video: None,
        verdict: None,
        findings: Vec::new(),
        presented: None,
        trunk: agent.is_none().then(|| TrunkId::new(T, "carrier").unwrap()),
    }
}

fn visit(queue: &str, entered: i64, agent: Option<&str>) -> QueueVisit {
    QueueVisit {
        queue: QueueId::new(T, queue).unwrap(),
        entered: Wall(entered),
        left: Wall(entered + 9),
        agent: agent.map(|agent| AgentId::new(T, agent).unwrap()),
        outcome: if agent.is_some() { "served" } else { "abandoned" }.into(),
        consulted_by: None,
        account: Some(Box::new(VisitAccount { position: 1, talk_ms: 7, ..VisitAccount::default() })),
    }
}

/// A call that entered two queues, with two legs.
fn call(ids: &mut IdMaker, started: i64) -> Cdr {
    let mut cdr = cdr(ids.call(T), started, None, None);
    cdr.legs = vec![leg(ids, started, None), leg(ids, started + 2, Some("1001"))];
    cdr.queues = vec![visit("sales", started + 1, None), visit("help", started + 20, Some("1001"))];
    cdr.flows = vec![FlowId::new(T, "menu").unwrap()];
    cdr
}

fn interval(ids: &mut IdMaker, agent: &str, from: i64, to: i64, entered: Option<i64>) -> AgentInterval {
    let queue = QueueId::new(T, "sales").unwrap();
    AgentInterval {
        id: ids.interval(T),
        agent: AgentId::new(T, agent).unwrap(),
        status: if entered.is_some() { AgentStatus::WrapUp } else { AgentStatus::Ready },
        why: String::new(),
        reason: None,
        call: None,
        work: entered.map(|at| WorkFor { queue, entered: Wall(at), trunk: None, flows: Vec::new() }),
        chats: 0,
        from: Wall(from),
        to: Wall(to),
        end: IntervalEnd::Known,
    }
}

async fn of_range(store: &Store, from: i64, to: i64) -> Vec<AgentInterval> {
    let mut all = Vec::new();
    store.each_interval(T, (Wall(from), Wall(to)), |interval| all.push(interval)).await.unwrap();
    all.sort_by_key(|interval| interval.id);
    all
}

#[tokio::test]
async fn each_leg_and_each_visit_is_a_row_beside_its_call_and_no_second_record_adds_any() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path().join("x.db")).await.unwrap();
    let mut ids = IdMaker::new(1, 0);
    let (one, two) = (call(&mut ids, 100), call(&mut ids, 200));
    let mut lost = call(&mut ids, 300);
    lost.call = one.call;
    store.put_cdr(one.clone()).unwrap();
    store.put_cdr(two.clone()).unwrap();
    store.flush().await.unwrap();
    store.put_cdr(lost).unwrap();
    store.flush().await.unwrap();
    let visits = store.visits(T, &RowFilter::default()).await.unwrap();
    let told: Vec<_> = visits.items.iter().map(|row| (row.call, row.number, row.visit.clone())).collect();
    let of = |cdr: &Cdr, n: u32| (cdr.call, n, cdr.queues[n as usize].clone());
    assert_eq!(told, [of(&two, 1), of(&two, 0), of(&one, 1), of(&one, 0)], "the newest first");
    let filter = RowFilter { call: Some(one.call), ..RowFilter::default() };
    let legs = store.legs(T, &filter).await.unwrap();
    let mut told: Vec<_> = legs.items.iter().map(|row| row.leg.clone()).collect();
    told.reverse();
    assert_eq!(told, one.legs);
    let sales =
        RowFilter { queue: Some(Name::new("sales").unwrap()), to: Some(Wall(150)), ..RowFilter::default() };
    assert_eq!(store.visits(T, &sales).await.unwrap().items.len(), 1);
    let agent = RowFilter { agent: Some(Name::new("1001").unwrap()), ..RowFilter::default() };
    assert_eq!(store.legs(T, &agent).await.unwrap().items.len(), 2);
    let other = TenantId::new("acme").unwrap();
    assert!(store.visits(other, &RowFilter::default()).await.unwrap().items.is_empty());
    let mut calls = Vec::new();
    let count = store.each_call(T, (Wall(0), Wall(200)), |call| calls.push(call)).await.unwrap();
    assert_eq!((count, calls[0].call, calls[0].flows.clone()), (1, one.call, one.flows.clone()));
    assert!(calls[0].answered);
}

#[tokio::test]
async fn pages_of_rows_follow_each_other_by_the_printed_cursor() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path().join("x.db")).await.unwrap();
    let mut ids = IdMaker::new(1, 0);
    for n in 0..9 {
        store.put_cdr(call(&mut ids, n / 3)).unwrap();
    }
    store.flush().await.unwrap();
    let mut filter = RowFilter { limit: Some(4), ..RowFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.legs(T, &filter).await.unwrap();
        seen.extend(page.items.iter().map(|row| (row.leg.started, row.leg.leg)));
        let Some(next) = page.next else { break };
        filter.before = Some(RowCursor::read(&next.to_string()).unwrap());
    }
    assert_eq!(seen.len(), 18);
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 18);
    assert_eq!(RowCursor::read("nothing"), None);
}

#[tokio::test]
async fn a_database_of_the_first_schema_gets_the_rows_of_the_calls_it_has() {
    let scratch = Scratch::new();
    let path = scratch.path().join("old.db");
    let mut ids = IdMaker::new(1, 0);
    let mut old = call(&mut ids, 100);
    old.queues.iter_mut().for_each(|visit| visit.account = None);
    let mut db = connect_options(&path, Duration::from_secs(1)).connect().await.unwrap();
    let first = include_str!("../../migrations/0001-records.sql");
    let version = "CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL,
                   applied INTEGER NOT NULL) STRICT; INSERT INTO schema_version VALUES (1, 'records', 0);";
    sqlx::raw_sql(first).execute(&mut db).await.unwrap();
    sqlx::raw_sql(version).execute(&mut db).await.unwrap();
    sqlx::query("INSERT INTO cdr VALUES (?, 'default', 100, 101, NULL, 1100, 'a', 'b', 'normal', NULL, ?)")
        .bind(old.call.to_string())
        .bind(serde_json::to_string(&old).unwrap())
        .execute(&mut db)
        .await
        .unwrap();
    drop(db);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.cdr(T, old.call).await, Ok(Some(old.clone())));
    let visits = store.visits(T, &RowFilter::default()).await.unwrap().items;
    assert_eq!(visits.iter().map(|row| row.visit.clone()).rev().collect::<Vec<_>>(), old.queues);
    assert_eq!(store.legs(T, &RowFilter::default()).await.unwrap().items.len(), 2);
    // What comes from now on has its rows as well.
    store.put_cdr(call(&mut ids, 500)).unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.legs(T, &RowFilter::default()).await.unwrap().items.len(), 4);
}

#[tokio::test]
async fn a_stretch_of_work_stands_once_and_is_found_by_every_time_that_it_touches() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path().join("x.db")).await.unwrap();
    let mut ids = IdMaker::new(1, 0);
    let early = interval(&mut ids, "1", 0, 100, None);
    let nothing = interval(&mut ids, "1", 100, 100, None);
    let long = interval(&mut ids, "1", 100, 400, None);
    let other = interval(&mut ids, "2", 50, 150, None);
    let wrap_up = interval(&mut ids, "2", 350, 360, Some(290));
    let all = [&early, &nothing, &long, &other, &wrap_up];
    for interval in all {
        store.put_interval(interval.clone()).unwrap();
    }
    store.flush().await.unwrap();
    let again = AgentInterval { end: IntervalEnd::Cut, to: Wall(9_000), ..long.clone() };
    store.put_recovered(vec![], vec![], vec![again]).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.intervals(T, &RowFilter::default()).await.unwrap().items.len(), 5);
    let is = |some: &[&AgentInterval]| some.iter().map(|interval| (*interval).clone()).collect::<Vec<_>>();
    assert_eq!(of_range(&store, 0, 1_000).await, is(&all));
    assert_eq!(of_range(&store, 120, 140).await, is(&[&long, &other]));
    // After a call that entered before the end of it, an agent wrapped up after it.
    assert_eq!(of_range(&store, 200, 300).await, is(&[&long, &wrap_up]));
    assert_eq!(of_range(&store, 400, 500).await, is(&[]));
    let filter = RowFilter { agent: Some(Name::new("2").unwrap()), limit: Some(1), ..RowFilter::default() };
    assert_eq!(store.intervals(T, &filter).await.unwrap().items, [wrap_up]);
}
