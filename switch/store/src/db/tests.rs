//! The database with real files.

use super::*;
use crate::scratch::Scratch;
use cordboard_model::cause::{Cause, Party};
use cordboard_model::cdr::QueueVisit;
use cordboard_model::desk::WrapUp;
use cordboard_model::id::{AgentId, IdMaker, Name, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::time::Wall;
use std::collections::BTreeMap;

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(super) fn cdr(call: CallId, started: i64, agent: Option<&str>, queue: Option<&str>) -> Cdr {
    let visit = |queue: &str| QueueVisit {
        queue: QueueId::new(call.tenant, queue).unwrap(),
        entered: Wall(started),
        left: Wall(started + 1),
        agent: None,
        outcome: "served".into(),
        consulted_by: None,
        account: None,
    };
    Cdr {
        call,
        from: PartyId::new("1001"),
        to: PartyId::new("500"),
        started: Wall(started),
        answered: Some(Wall(started + 1)),
        bridged: None,
        ended: Wall(started + 1_000),
        cause: Cause::Normal,
        ended_by: Party::Caller,
        agent: agent.map(|agent| AgentId::new(call.tenant, agent).unwrap()),
        flows: Vec::new(),
        queues: queue.map(visit).into_iter().collect(),
        legs: Vec::new(),
        recordings: Vec::new(),
        data: BTreeMap::from([("key".into(), "värde".into())]),
        transfers: Vec::new(),
        supervisions: Vec::new(),
        wrap_ups: Vec::new(),
        joined: None,
        dialled: None,
        times: cordboard_model::cdr::CallTimes::default(),
    }
}

async fn store(scratch: &Scratch) -> Store {
    Store::open(&scratch.path().join("sub/cordboard.db")).await.unwrap()
}

fn calls(page: &CdrPage) -> Vec<u64> {
    page.items.iter().map(|cdr| cdr.call.number).collect()
}

/// Who was told that a call has ended, and asked for its record at once, was told that there is none.
#[tokio::test]
async fn a_record_is_there_for_who_asks_for_it_as_soon_as_the_call_is_over() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    let (call, none) = (ids.call(TenantId::DEFAULT), ids.call(TenantId::DEFAULT));
    store.put_cdr(cdr(call, 1, None, None)).unwrap();
    assert_eq!(store.cdr_now(TenantId::DEFAULT, call).await.unwrap().map(|cdr| cdr.call), Some(call));
    assert_eq!(store.cdr_now(TenantId::DEFAULT, none).await.unwrap(), None);
}

/// Records are gathered for a second; nobody who looks is to see that.
#[tokio::test]
async fn a_question_is_answered_with_what_was_given_before_it() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    let begun = std::time::Instant::now();
    for asked in 1..=3 {
        let queues = ["sales", "help"];
        for queue in queues {
            store.put_cdr(cdr(ids.call(TenantId::DEFAULT), asked, None, Some(queue))).unwrap();
        }
        let of = |queue| CdrFilter { queue, ..CdrFilter::default() };
        let all = store.cdrs(TenantId::DEFAULT, &of(None)).await.unwrap();
        assert_eq!(all.items.len(), 2 * asked as usize);
        let sales = store.cdrs(TenantId::DEFAULT, &of(Some(Name::new("sales").unwrap()))).await.unwrap();
        assert_eq!(sales.items.len(), asked as usize);
    }
    assert!(begun.elapsed() < Duration::from_millis(900), "nobody waited for the second to pass");
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_after_a_new_start() {
    let scratch = Scratch::new();
    let first = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    let call = ids.call(TenantId::DEFAULT);
    let record = cdr(call, 5, Some("1001"), Some("sales"));
    let entry = RecordingEntry {
        recording: ids.recording(TenantId::DEFAULT),
        call,
        started: Wall(6),
        length_ms: 20,
        dropped_ms: 0,
        pauses: Vec::new(),
        parties: Vec::new(),
        label: String::new(),
        deleted: None,
    };
    first.put_cdr(record.clone()).unwrap();
    first.put_recording(entry.clone()).unwrap();
    first.close().await;
    let second = store(&scratch).await;
    let tenant = TenantId::DEFAULT;
    assert_eq!(second.cdr(tenant, call).await, Ok(Some(record)));
    let found = second.recording(tenant, entry.recording).await;
    assert_eq!(found, Ok(Some(entry)));
}

#[tokio::test]
async fn no_tenant_sees_what_is_anothers() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    let (ours, theirs) = (ids.call(TenantId::DEFAULT), ids.call(acme()));
    store.put_cdr(cdr(ours, 1, None, Some("sales"))).unwrap();
    store.put_cdr(cdr(theirs, 2, None, Some("sales"))).unwrap();
    store.flush().await.unwrap();
    assert_eq!(store.cdr(acme(), ours).await, Ok(None));
    let filter = CdrFilter { queue: Some(Name::new("sales").unwrap()), ..CdrFilter::default() };
    for filter in [filter, CdrFilter::default()] {
        let page = store.cdrs(acme(), &filter).await.unwrap();
        assert_eq!(calls(&page), [theirs.number]);
    }
}

#[tokio::test]
async fn writing_a_record_again_neither_doubles_nor_changes_it() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let call = IdMaker::new(1, 0).call(TenantId::DEFAULT);
    let real = cdr(call, 5, None, None);
    let mut lost = real.clone();
    lost.cause = Cause::LostByRestart;
    store.put_cdr(real.clone()).unwrap();
    store.flush().await.unwrap();
    store.put_recovered(vec![lost], vec![], vec![]).await.unwrap();
    store.flush().await.unwrap();
    let filter = CdrFilter::default();
    let page = store.cdrs(TenantId::DEFAULT, &filter).await.unwrap();
    assert_eq!(page.items, [real]);
}

#[tokio::test]
async fn what_is_said_of_a_call_joins_its_record_and_nothing_else() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    let (call, other) = (ids.call(TenantId::DEFAULT), ids.call(TenantId::DEFAULT));
    let said = |at, code: Option<&str>, note: &str| WrapUp {
        agent: AgentId::new(TenantId::DEFAULT, "1001").unwrap(),
        at: Wall(at),
        code: code.map(|code| Name::new(code).unwrap()),
        note: note.into(),
        by: String::new(),
    };
    store.put_wrap_up(call, said(1, Some("early"), "")).unwrap();
    store.put_cdr(cdr(call, 5, Some("1001"), Some("sales"))).unwrap();
    store.put_cdr(cdr(other, 6, None, None)).unwrap();
    store.put_wrap_up(call, said(7, Some("sold"), "")).unwrap();
    store
        .put_recovered_wrap_ups(vec![(call, said(7, Some("sold"), "")), (call, said(8, None, "two"))])
        .await
        .unwrap();
    store.flush().await.unwrap();
    let found = store.cdr(TenantId::DEFAULT, call).await.unwrap().unwrap();
    assert_eq!(found.wrap_ups, [said(8, Some("sold"), "two")]);
    assert_eq!(found, Cdr { wrap_ups: found.wrap_ups.clone(), ..cdr(call, 5, Some("1001"), Some("sales")) });
    assert_eq!(store.cdr(TenantId::DEFAULT, other).await, Ok(Some(cdr(other, 6, None, None))));
    assert_eq!(store.status().failed, 0);
}

#[tokio::test]
async fn many_records_at_once_of_calls_with_and_without_queues_each_stand_once_and_the_first_of_each() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    let calls: Vec<CallId> = (0..300).map(|_| ids.call(TenantId::DEFAULT)).collect();
    for (at, call) in (1..).zip(&calls) {
        // Every fiftieth was in a queue, every seventh is told of again in the same breath, otherwise.
        let queue = (at % 50 == 0).then_some("sales");
        store.put_cdr(cdr(*call, at, None, queue)).unwrap();
        if at % 7 == 0 {
            store.put_cdr(Cdr { cause: Cause::InternalError, ..cdr(*call, at, None, None) }).unwrap();
        }
    }
    store.flush().await.unwrap();
    let all = CdrFilter { limit: Some(1_000), ..CdrFilter::default() };
    let found = store.cdrs(TenantId::DEFAULT, &all).await.unwrap();
    assert_eq!(found.items.len(), 300);
    assert!(found.items.iter().all(|cdr| cdr.cause == Cause::Normal));
    let sales = CdrFilter { queue: Some(Name::new("sales").unwrap()), ..all };
    assert_eq!(store.cdrs(TenantId::DEFAULT, &sales).await.unwrap().items.len(), 6);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap_and_filters_hold() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    for i in 0..25 {
        let call = ids.call(TenantId::DEFAULT);
        let agent = (i % 2 == 0).then_some("1001");
        let queue = (i % 3 == 0).then_some("sales");
        // Several calls begin in the same millisecond.
        store.put_cdr(cdr(call, i / 4, agent, queue)).unwrap();
    }
    store.flush().await.unwrap();
    let mut filter = CdrFilter { limit: Some(4), ..CdrFilter::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.cdrs(TenantId::DEFAULT, &filter).await.unwrap();
        seen.extend(page.items.iter().map(|cdr| (cdr.started, cdr.call)));
        let Some(next) = page.next else { break };
        filter.before = Some(next.to_string().parse().unwrap());
    }
    assert_eq!(seen.len(), 25);
    let times: Vec<_> = seen.iter().map(|(started, _)| started.0).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    let filter = CdrFilter {
        from: Some(Wall(1)),
        to: Some(Wall(4)),
        agent: Some(Name::new("1001").unwrap()),
        queue: Some(Name::new("sales").unwrap()),
        ..CdrFilter::default()
    };
    let page = store.cdrs(TenantId::DEFAULT, &filter).await.unwrap();
    // Of calls 4 to 15, counted from zero, the sixth ones; ids count from one.
    assert_eq!(calls(&page), [13, 7]);
}

#[tokio::test]
async fn recordings_are_found_by_call_and_the_last_entry_stands() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut ids = IdMaker::new(1, 0);
    let tenant = TenantId::DEFAULT;
    let (call, other) = (ids.call(tenant), ids.call(tenant));
    let mut entry = RecordingEntry {
        recording: ids.recording(tenant),
        call,
        started: Wall(6),
        length_ms: 20,
        dropped_ms: 0,
        pauses: Vec::new(),
        parties: Vec::new(),
        label: String::new(),
        deleted: None,
    };
    store.put_recording(entry.clone()).unwrap();
    entry.length_ms = 40;
    store.put_recording(entry.clone()).unwrap();
    store.flush().await.unwrap();
    let of = |call| RecordingFilter { call: Some(call), ..RecordingFilter::default() };
    let page = store.recordings(tenant, &of(call)).await.unwrap();
    assert_eq!(page.items, [entry.clone()]);
    let page = store.recordings(tenant, &of(other)).await.unwrap();
    assert!(page.items.is_empty());
    let message = RecordingEntry {
        recording: ids.recording(tenant),
        label: "message for sales".into(),
        ..entry.clone()
    };
    store.put_recording(message.clone()).unwrap();
    store.flush().await.unwrap();
    let labelled = |label: &str| RecordingFilter { label: Some(label.into()), ..RecordingFilter::default() };
    let page = store.recordings(tenant, &labelled("message for sales")).await.unwrap();
    assert_eq!(page.items, [message]);
    let page = store.recordings(tenant, &labelled("message for")).await.unwrap();
    assert!(page.items.is_empty(), "a label is compared whole");
}

#[tokio::test]
async fn a_schema_of_a_later_version_is_refused_by_name() {
    let scratch = Scratch::new();
    store(&scratch).await.close().await;
    let path = scratch.path().join("sub/cordboard.db");
    let options = connect_options(&path, Duration::from_secs(1));
    let mut db = options.connect().await.unwrap();
    sqlx::query("INSERT INTO schema_version VALUES (99, 'flying cars', 0)").execute(&mut db).await.unwrap();
    let refused = Store::open(&path).await.unwrap_err();
    assert_eq!(
        refused,
        StoreError::NewerSchema { path, found: 99, name: "flying cars".into(), known: schema::KNOWN }
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let scratch = Scratch::new();
    let path = scratch.path().join("x.db");
    std::fs::write(&path, "not a database, but long enough to be read as one".repeat(40)).unwrap();
    let refused = Store::open(&path).await.unwrap_err();
    assert!(matches!(refused, StoreError::Open { .. }), "{refused}");
}

/// A look for missing steps of the schema that begins with a transaction to write makes a start beside a backup that holds
/// the database fail with "the database is locked".
#[tokio::test]
async fn a_database_that_another_process_holds_is_opened_and_gets_its_records_afterwards() {
    let scratch = Scratch::new();
    let path = scratch.path().join("x.db");
    Store::open(&path).await.unwrap().close().await;
    let mut other = connect_options(&path, Duration::from_secs(1)).connect().await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let options = StoreOptions { busy: Duration::from_millis(1), ..StoreOptions::default() };
    let store = Store::open_with(&path, options).await.unwrap();
    let call = IdMaker::new(1, 0).call(TenantId::DEFAULT);
    store.put_cdr(cdr(call, 1, None, None)).unwrap();
    while store.status().down.is_none() {
        tokio::task::yield_now().await;
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    store.flush().await.unwrap();
    assert!(store.cdr(TenantId::DEFAULT, call).await.unwrap().is_some());
}

#[tokio::test]
async fn a_locked_database_is_named_the_queue_stays_bounded_and_all_comes_in_afterwards() {
    let scratch = Scratch::new();
    let path = scratch.path().join("x.db");
    let (told, mut stored) = mpsc::unbounded_channel();
    let options = StoreOptions {
        queue: 4,
        busy: Duration::from_millis(1),
        on_stored: Some(Arc::new(move |id| told.send(id).unwrap())),
        ..StoreOptions::default()
    };
    let store = Store::open_with(&path, options).await.unwrap();
    let mut other = connect_options(&path, Duration::from_secs(1)).connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let mut ids = IdMaker::new(1, 0);
    let mut taken = Vec::new();
    let mut put = |store: &Store| {
        let call = ids.call(TenantId::DEFAULT);
        let done = store.put_cdr(cdr(call, 1, None, None));
        if done.is_ok() {
            taken.push(Stored::Cdr(call));
        }
        done
    };
    put(&store).unwrap();
    while store.status().down.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.status().down, Some(StoreError::Locked));
    for _ in 0..4 {
        put(&store).unwrap();
    }
    assert_eq!(put(&store), Err(StoreError::QueueFull));
    let status = store.status();
    assert_eq!((status.refused, status.written, status.queued), (1, 0, 4));
    assert!(stored.try_recv().is_err(), "nothing is committed yet");
    sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    store.flush().await.unwrap();
    let status = store.status();
    assert_eq!((status.written, status.down), (5, None));
    assert!(status.retries > 0);
    let mut told = Vec::new();
    while let Ok(id) = stored.try_recv() {
        told.push(id);
    }
    assert_eq!(told, taken);
}

#[tokio::test]
async fn a_closed_store_takes_nothing_and_says_so() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    store.close().await;
    let call = IdMaker::new(1, 0).call(TenantId::DEFAULT);
    assert_eq!(store.put_cdr(cdr(call, 1, None, None)), Err(StoreError::Closed));
    let asked = store.cdr(TenantId::DEFAULT, call).await;
    assert_eq!(asked, Err(StoreError::Closed));
}
