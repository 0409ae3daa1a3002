//! What is kept of keys, people and sessions, and the log that is only added to.

use super::access::audit_query;
use super::*;
use crate::scratch::Scratch;
use cordboard_model::access::{
    AccessWrite, AuditEntry, AuditFilter, Kept, KeyRecord, Outcome, Role, Scopes, UserRecord, UserSession,
};
use cordboard_model::id::{AgentId, Name};
use cordboard_model::once::{OnceAnswer, OnceMark, PageSession};
use cordboard_model::signin::{KeptPassword, PasswordHash, TokenHash};
use sqlx::Row;
use std::collections::BTreeSet;

const T: TenantId = TenantId::DEFAULT;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn user(tenant: TenantId, who: &str) -> UserRecord {
    let hash = PasswordHash("$argon2id$x".into());
    UserRecord {
        tenant,
        name: name(who),
        display: "Li Wei".into(),
        roles: BTreeSet::from([Role::Auditor]),
        password: KeptPassword { hash, set: Wall(1), by_other: true, former: Vec::new() },
        totp: None,
        disabled: false,
        made: Wall(1),
        by: "command line".into(),
        signed_in: None,
    }
}

fn key(tenant: TenantId) -> KeyRecord {
    KeyRecord {
        tenant,
        id: name("k1"),
        name: "bar".into(),
        hash: TokenHash([7; 32]),
        scopes: Scopes::new(["calls:read"]).unwrap(),
        made: Wall(1),
        by: "user li".into(),
        expires: None,
        revoked: None,
        used: None,
    }
}

fn session(tenant: TenantId) -> UserSession {
    UserSession {
        id: name("s1"),
        hash: TokenHash([8; 32]),
        tenant,
        user: name("li"),
        roles: BTreeSet::from([Role::Auditor]),
        since: Wall(1),
        until: Wall(9),
        used: Wall(1),
        address: "192.0.2.1".into(),
        agent: "curl".into(),
        enrolling: false,
    }
}

fn entry(tenant: TenantId, at: i64, who: &str, action: &str) -> AuditEntry {
    AuditEntry {
        id: 0,
        tenant,
        at: Wall(at),
        who: who.into(),
        from: "192.0.2.1".into(),
        action: action.into(),
        resource: "users/li".into(),
        outcome: Outcome::Done,
        status: 200,
        code: None,
        asked: Some(serde_json::json!({ "display": "Li" })),
        before: None,
        after: Some(serde_json::json!({ "display": "Li" })),
    }
}

async fn store(scratch: &Scratch) -> Store {
    Store::open(&scratch.path().join("x.db")).await.unwrap()
}

#[tokio::test]
async fn keys_people_and_sessions_are_there_when_it_is_answered_and_after_a_new_start() {
    let scratch = Scratch::new();
    let first = store(&scratch).await;
    let (li, bar, his) = (user(T, "li"), key(T), session(T));
    let writes = vec![
        AccessWrite::NewUser(Box::new(li.clone())),
        AccessWrite::Key(Box::new(bar.clone())),
        AccessWrite::Session(Box::new(his.clone())),
    ];
    first.keep(writes, vec![entry(T, 1, "user li", "createUser")]).await.unwrap();
    // Answered is committed: nothing is closed or flushed in between, as after a crash.
    let second = store(&scratch).await;
    assert_eq!(
        second.kept().await,
        Ok(Kept { keys: vec![bar.clone()], sessions: vec![his.clone()], ..Kept::default() })
    );
    assert_eq!(second.user(T, &li.name).await, Ok(Some(li.clone())));
    assert_eq!(second.user(acme(), &li.name).await, Ok(None), "nobody of that name there");
    assert_eq!(second.users(acme()).await, Ok(vec![]));
    assert_eq!(second.audit(T, &AuditFilter { limit: 10, ..Default::default() }).await.unwrap().len(), 1);
    let gone = vec![AccessWrite::NoUser(T, li.name.clone()), AccessWrite::NoSession(T, his.id)];
    let revoked = KeyRecord { revoked: Some(Wall(5)), ..bar };
    let gone = gone.into_iter().chain([AccessWrite::Key(Box::new(revoked.clone()))]).collect();
    second.keep(gone, Vec::new()).await.unwrap();
    assert_eq!(second.kept().await, Ok(Kept { keys: vec![revoked], ..Kept::default() }));
    assert_eq!(second.users(T).await, Ok(vec![]));
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_and_nothing_of_that_request_is_kept() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let new = |who: &str| AccessWrite::NewUser(Box::new(user(T, who)));
    store.keep(vec![new("li")], Vec::new()).await.unwrap();
    let twice = store.keep(vec![new("chen"), new("li")], vec![entry(T, 1, "user li", "createUser")]);
    assert_eq!(twice.await, Err(StoreError::Exists));
    assert_eq!(store.users(T).await.unwrap().len(), 1, "chen came with the one who was refused");
    assert!(store.audit(T, &AuditFilter { limit: 10, ..Default::default() }).await.unwrap().is_empty());
    assert_eq!(store.status().down, None, "the database is not down for that");
    assert_eq!(store.keep(vec![new("chen")], Vec::new()).await, Ok(()));
}

#[tokio::test]
async fn the_log_is_searched_by_who_what_and_when_in_pages_and_no_tenant_sees_anothers() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let mut all = Vec::new();
    for n in 0..10_i64 {
        let who = if n % 2 == 0 { "user li" } else { "key bar" };
        all.push(entry(T, n, who, if n < 5 { "createUser" } else { "revokeKey" }));
    }
    all.push(entry(acme(), 3, "user li", "createUser"));
    store.keep(Vec::new(), all).await.unwrap();
    let ats = |entries: Vec<AuditEntry>| entries.iter().map(|entry| entry.at.0).collect::<Vec<_>>();
    let asked = AuditFilter { limit: 100, ..AuditFilter::default() };
    assert_eq!(ats(store.audit(acme(), &asked).await.unwrap()), [3]);
    let li = AuditFilter { who: Some("user li".into()), limit: 2, ..AuditFilter::default() };
    let page = store.audit(T, &li).await.unwrap();
    let last = page.last().map(|entry| (entry.at, entry.id));
    assert_eq!(ats(page), [8, 6]);
    assert_eq!(ats(store.audit(T, &AuditFilter { before: last, ..li.clone() }).await.unwrap()), [4, 2]);
    let within = AuditFilter { from: Some(Wall(3)), to: Some(Wall(6)), ..asked.clone() };
    assert_eq!(ats(store.audit(T, &within).await.unwrap()), [5, 4, 3]);
    let made = AuditFilter { action: Some("createUser".into()), from: Some(Wall(3)), ..asked.clone() };
    assert_eq!(ats(store.audit(T, &made).await.unwrap()), [4, 3]);
    for none in [
        AuditFilter { outcome: Some(Outcome::Refused), ..asked.clone() },
        AuditFilter { source: Some("192.0.2.2".into()), ..asked.clone() },
        AuditFilter { resource: Some("users".into()), ..asked.clone() },
    ] {
        assert!(store.audit(T, &none).await.unwrap().is_empty(), "{none:?}");
    }
    let of = AuditFilter { resource: Some("users/li".into()), ..asked };
    assert_eq!(store.audit(T, &of).await.unwrap().len(), 10);
    for filter in [li, within, made, of] {
        let mut sql = audit_query("EXPLAIN QUERY PLAN ", T, &filter);
        let rows = sql.build().fetch_all(store.reader(T).await.unwrap().db()).await.unwrap();
        let plan: String = rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect();
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
    }
}

#[tokio::test]
async fn the_log_is_not_changed_and_is_cut_at_its_old_end_alone() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let both = |at| [entry(T, at, "user li", "createUser"), entry(acme(), at, "user li", "createUser")];
    store.keep(Vec::new(), [1, 2, 3].into_iter().flat_map(both).collect()).await.unwrap();
    let path = scratch.path().join("x.db");
    let mut other = connect_options(&path, Duration::from_secs(1)).connect().await.unwrap();
    for sql in ["UPDATE audit SET who = 'user chen'", "DELETE FROM audit", "DELETE FROM audit WHERE at = 1"] {
        let refused = sqlx::query(sql).execute(&mut other).await.unwrap_err();
        assert!(refused.to_string().contains("the audit log is only"), "{refused}");
    }
    store.cut_audit(T, Wall(3)).await.unwrap();
    store.cut_audit(T, Wall(2)).await.unwrap();
    let asked = AuditFilter { limit: 100, ..AuditFilter::default() };
    assert_eq!(store.audit(T, &asked).await.unwrap().len(), 1);
    assert_eq!(store.audit(acme(), &asked).await.unwrap().len(), 3, "another tenant's is kept");
    let again = store.keep(Vec::new(), vec![entry(T, 4, "user li", "createUser")]).await;
    assert_eq!(again, Ok(()));
    let numbers: Vec<u64> = store.audit(T, &asked).await.unwrap().iter().map(|entry| entry.id).collect();
    assert_eq!(numbers, [7, 5], "numbers rise and are not given twice");
}

#[tokio::test]
async fn what_opens_once_is_known_after_a_restart_and_forgotten_when_it_would_not_be_taken_any_more() {
    let scratch = Scratch::new();
    let shown = |mark: u8, until, at| {
        vec![AccessWrite::Once(OnceMark { mark: [mark; 16], until: Wall(until), at: Wall(at) })]
    };
    let first = store(&scratch).await;
    assert_eq!(first.keep(shown(1, 100, 0), Vec::new()).await, Ok(()));
    assert_eq!(first.keep(shown(1, 100, 1), Vec::new()).await, Err(StoreError::Exists));
    // nothing is closed in between, as after a crash
    let second = store(&scratch).await;
    let again = second.keep(shown(1, 100, 99), Vec::new()).await;
    assert_eq!(again, Err(StoreError::Exists), "a restart forgets none");
    assert_eq!(second.keep(shown(2, 300, 100), Vec::new()).await, Ok(()));
    assert_eq!(second.keep(shown(1, 400, 100), Vec::new()).await, Ok(()), "its time was over");
}

#[tokio::test]
async fn how_a_request_was_answered_is_known_after_a_restart_and_forgotten_in_time() {
    let scratch = Scratch::new();
    let first = store(&scratch).await;
    let keep = async |store: &Store, write| store.keep(vec![write], Vec::new()).await;
    let mark = |at| AccessWrite::Once(OnceMark { mark: [1; 16], until: Wall(100), at: Wall(at) });
    let given = |mark: u8, at, answer: &str| {
        let (until, answer) = (Wall(at + 100), answer.to_owned());
        let given = OnceAnswer { mark: [mark; 16], request: [7; 32], until, at: Wall(at), answer };
        AccessWrite::OnceAnswer(Box::new(given))
    };
    assert_eq!(keep(&first, mark(0)).await, Ok(()));
    assert_eq!(keep(&first, AccessWrite::NotOnce([1; 16])).await, Ok(()));
    assert_eq!(keep(&first, mark(1)).await, Ok(()), "it opened nothing the first time");
    assert_eq!(first.answer([1; 16]).await, Ok(None), "it is being carried out");
    assert_eq!(keep(&first, given(1, 2, "done")).await, Ok(()));
    assert_eq!(keep(&first, given(1, 3, "other")).await, Ok(()));
    let second = store(&scratch).await;
    assert_eq!(second.answer([1; 16]).await, Ok(Some(([7; 32], "done".to_owned()))), "the first stands");
    assert_eq!(keep(&second, given(2, 200, "later")).await, Ok(()));
    assert_eq!(second.answer([1; 16]).await, Ok(None), "its time was over");
}

#[tokio::test]
async fn sessions_of_enterprises_pages_are_kept_with_hashes_of_their_tokens() {
    let scratch = Scratch::new();
    let store = store(&scratch).await;
    let session = PageSession {
        id: name("s1"),
        agent: AgentId::new(acme(), "1001").unwrap(),
        token: TokenHash([1; 32]),
        refresh: TokenHash([2; 32]),
        before: Some((TokenHash([3; 32]), Wall(5))),
        place: "https://crm.example".into(),
        at: Wall(6),
    };
    let keep = async |write| store.keep(vec![write], Vec::new()).await.unwrap();
    keep(AccessWrite::Page(Box::new(session.clone()))).await;
    let next = PageSession { at: Wall(7), ..session };
    keep(AccessWrite::Page(Box::new(next.clone()))).await;
    assert_eq!(store.kept().await.unwrap().pages, [next]);
    keep(AccessWrite::NoPage(acme(), name("s1"))).await;
    assert_eq!(store.kept().await.unwrap().pages, []);
}
