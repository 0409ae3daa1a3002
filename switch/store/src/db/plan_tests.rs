//! How questions find their records, and what is left for others while one is answered.

use super::query::{cdrs_query, recordings_query};
use super::rows::{RowCursor, RowFilter, page_query};
use super::tests::cdr;
use super::*;
use crate::scratch::Scratch;
use cordboard_model::id::{IdMaker, Name, TenantId};
use cordboard_model::time::Wall;
use sqlx::sqlite::Sqlite;
use sqlx::{QueryBuilder, Row};

const T: TenantId = TenantId::DEFAULT;
const EXPLAIN: &str = "EXPLAIN QUERY PLAN ";

/// What the database would do, a step a line.
async fn plan(store: &Store, mut sql: QueryBuilder<Sqlite>) -> String {
    let rows = sql.build().fetch_all(store.reader(T).await.unwrap().db()).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
}

/// A queue that no agent worked for had all stretches of work of its tenant read, years of them, and nobody else's question
/// was answered meanwhile. So had any one call: there was an index, but the records by time are in the order that is wanted,
/// and the database took that one.
#[tokio::test]
async fn every_search_is_by_an_index_that_has_what_is_searched_for() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path().join("x.db")).await.unwrap();
    let name = || Some(Name::new("x").unwrap());
    let call = IdMaker::new(1, 0).call(T);
    let cursor = || RowCursor { started: Wall(9), row: "a".into() };
    for table in ["leg", "queue_visit", "agent_interval"] {
        for which in 0..32_u8 {
            let has = |bit: u8| which & (1 << bit) != 0;
            if table == "leg" && has(2) {
                continue;
            }
            let filter = RowFilter {
                call: has(0).then_some(call),
                agent: name().filter(|_| has(1)),
                queue: name().filter(|_| has(2)),
                from: has(3).then_some(Wall(1)),
                to: has(3).then_some(Wall(9)),
                before: has(4).then(cursor),
                limit: None,
            };
            let plan = plan(&store, page_query(EXPLAIN, table, T, &filter)).await;
            let columns = ["call_id", "agent", "queue"].into_iter().zip(0..);
            let asked: Vec<_> = columns.filter(|(_, bit)| has(*bit)).map(|(column, _)| column).collect();
            let by = |column: &&str| plan.contains(&format!("(tenant=? AND {column}=?"));
            let found =
                if asked.is_empty() { plan.contains("_by_time (tenant=?") } else { asked.iter().any(by) };
            assert!(found && !plan.contains("SCAN"), "{table} by {asked:?}: {plan}");
        }
    }
    for (agent, queue) in [(name(), None), (None, name()), (name(), name()), (None, None)] {
        let filter = CdrFilter { agent, queue, ..CdrFilter::default() };
        let plan = plan(&store, cdrs_query(EXPLAIN, T, &filter)).await;
        let by = |column: &str| plan.contains(&format!("(tenant=? AND {column}=?"));
        let found = match (&filter.agent, &filter.queue) {
            (None, None) => plan.contains("cdr_by_time"),
            (agent, queue) => (agent.is_some() && by("agent")) || (queue.is_some() && by("queue")),
        };
        assert!(found && !plan.contains("SCAN"), "{filter:?}: {plan}");
    }
    let all = RecordingFilter::default();
    for (filter, by) in [
        (
            RecordingFilter { label: Some("message".into()), ..all.clone() },
            "_by_label (tenant=? AND <expr>=?",
        ),
        (RecordingFilter { call: Some(call), ..all.clone() }, "_by_call (tenant=? AND call_id=?"),
        (all, "_by_time (tenant=?"),
    ] {
        let plan = plan(&store, recordings_query(EXPLAIN, T, &filter)).await;
        assert!(plan.contains(by), "{plan}");
    }
}

#[tokio::test]
async fn no_tenant_has_all_connections_and_who_waits_too_long_is_told_that_it_is_busy() {
    let scratch = Scratch::new();
    let options = StoreOptions { read_wait: Duration::from_millis(300), ..StoreOptions::default() };
    let store = Store::open_with(&scratch.path().join("x.db"), options).await.unwrap();
    let call = IdMaker::new(1, 0).call(T);
    store.put_cdr(cdr(call, 1, None, None)).unwrap();
    store.flush().await.unwrap();
    let other = TenantId::new("acme").unwrap();
    let held = [store.reader(T).await.unwrap(), store.reader(T).await.unwrap()];
    assert_eq!(store.cdr(T, call).await, Err(StoreError::Busy), "its own share is used up");
    assert_eq!(store.cdr(other, call).await, Ok(None), "another tenant has the third");
    let third = store.reader(other).await.unwrap();
    let fourth = TenantId::new("beta").unwrap();
    assert_eq!(store.cdr(fourth, call).await, Err(StoreError::Busy), "there is none left");
    drop((held, third));
    assert!(store.cdr(T, call).await.unwrap().is_some());
}
