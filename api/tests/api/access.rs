//! Keys that are made over the API, and what keys and people may ask for.

use crate::fake::vault::BEGIN;
use crate::{KEY, OTHER_KEY, Served, serve};
use cordboard_api::catalog::{Access, catalog};
use cordboard_model::access::{Role, Scopes, scopes_of};
use cordboard_model::time::Wall;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Makes a key with these scopes; gives it and its id.
pub async fn made(served: &Served, scopes: &[&str]) -> (String, String) {
    let body = json!({ "name": "test", "scopes": scopes }).to_string();
    let answer = served.post(KEY, "/api/v1/keys", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    (made["key"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_key_is_shown_once_and_opens_what_it_was_made_for_until_it_is_revoked() {
    let served = serve().await;
    let (key, id) = made(&served, &["calls:read"]).await;
    assert!(key.starts_with("cbk_") && key.len() == 47, "{key}");
    let kept = served.switch.shelf.open().keys.values().next().cloned().unwrap();
    assert!(!serde_json::to_string(&kept).unwrap().contains(&key[4..]), "it is kept as its hash alone");
    assert_eq!(served.get(&key, "/api/v1/calls").await.status, 200);
    let refused = served.get(&key, "/api/v1/queues").await;
    let problem = refused.problem(403);
    assert_eq!((&problem["code"], &problem["field"]), (&json!("scope_missing"), &json!("queues:read")));
    assert_eq!(
        refused.header("www-authenticate"),
        "Bearer error=\"insufficient_scope\", scope=\"queues:read\""
    );
    let view = served.get(KEY, &format!("/api/v1/keys/{id}")).await.ok();
    assert_eq!(view["used"], json!(BEGIN.0));
    assert!(!view.to_string().contains(&key[4..]) && view.get("key").is_none(), "{view}");
    served.get(OTHER_KEY, &format!("/api/v1/keys/{id}")).await.problem(404);
    served.ask("DELETE", &format!("/api/v1/keys/{id}"), &[("x-api-key", OTHER_KEY)], "").await.problem(404);
    assert_eq!(served.get(&key, "/api/v1/calls").await.status, 200);
    served.post(&key, "/api/v1/calls/default.6b000000-0-1/hangup", "").await.problem(403);
    assert_eq!(served.switch.shelf.open().log.last().unwrap().who, format!("key test {id}"));
    let gone = served.ask("DELETE", &format!("/api/v1/keys/{id}"), &[("x-api-key", KEY)], "").await.ok();
    assert_eq!(gone["revoked"], json!(BEGIN.0));
    served.get(&key, "/api/v1/calls").await.problem(401);
    let all = served.get(KEY, "/api/v1/keys").await.ok();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "what it was is still listed: {all}");
    assert_eq!(served.get(OTHER_KEY, "/api/v1/keys").await.ok(), json!({ "items": [] }));
}

#[tokio::test]
async fn a_key_expires() {
    let served = serve().await;
    let expires = BEGIN.0 + 60_000;
    let body = json!({ "name": "short", "scopes": ["calls:read"], "expires": expires }).to_string();
    let key = served.post(KEY, "/api/v1/keys", &body).await.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(served.get(&key, "/api/v1/calls").await.status, 200);
    served.switch.shelf.open().now = Some(Wall(expires));
    served.get(&key, "/api/v1/calls").await.problem(401);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_named_and_nobody_gives_more_than_he_has() {
    let served = serve().await;
    for (body, field) in [
        (json!({ "name": "", "scopes": ["calls:read"] }), "name"),
        (json!({ "name": "x".repeat(65), "scopes": ["calls:read"] }), "name"),
        (json!({ "name": "user li", "scopes": ["calls:read"] }), "name"),
        (json!({ "name": "x", "scopes": [] }), "scopes"),
        (json!({ "name": "x", "scopes": ["calls"] }), "scopes"),
        (json!({ "name": "x", "scopes": ["bells:read"] }), "scopes"),
        (json!({ "name": "x", "scopes": ["calls:read"], "expires": BEGIN.0 }), "expires"),
        (json!({ "name": "x" }), "name"),
    ] {
        let problem = served.post(KEY, "/api/v1/keys", &body.to_string()).await.problem(400);
        assert_eq!(problem["field"], field, "{body}: {problem}");
    }
    let (key, _) = made(&served, &["keys:*", "calls:read"]).await;
    let more = json!({ "name": "x", "scopes": ["calls:*"] }).to_string();
    assert_eq!(served.post(&key, "/api/v1/keys", &more).await.problem(403)["code"], "more_than_own");
    let same = json!({ "name": "x", "scopes": ["calls:read"] }).to_string();
    assert_eq!(served.post(&key, "/api/v1/keys", &same).await.status, 201);
    let (star, _) = made(&served, &["*"]).await;
    served.post(&star, "/api/v1/stop", "").await.problem(403);
    let machine = json!({ "name": "x", "scopes": ["switch:*"] }).to_string();
    assert_eq!(served.post(&star, "/api/v1/keys", &machine).await.problem(403)["code"], "more_than_own");
}

/// The routes come from the catalogue, so that a new one cannot be missed: with every scope but the one that it needs each refuses
/// and names that scope, before it looks at anything else.
#[tokio::test]
async fn every_route_needs_the_scope_of_its_entry() {
    let served = serve().await;
    let all: BTreeSet<&str> = cordboard_api::catalog::scopes();
    let mut asked = 0;
    for scope in &all {
        let others: Vec<&str> = all.iter().copied().filter(|other| other != scope).collect();
        let (key, _) = made(&served, &others).await;
        for op in catalog().iter().filter(|op| op.access.scope() == Some(scope)) {
            let path = op.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
            let path = path.collect::<Vec<_>>().join("/");
            let answer = served.ask(op.method.as_str(), &path, &[("x-api-key", &key)], "{}").await;
            assert_eq!(answer.status, 403, "{} {path}: {}", op.method, answer.text());
            assert_eq!(answer.json()["field"], **scope, "{} {path}", op.method);
            asked += 1;
        }
    }
    assert!(asked > 80, "{asked}");
}

/// What a key may do where an agent would show his password.
#[tokio::test]
async fn a_key_signs_agents_in_and_sets_passwords_only_with_the_scope_for_orders() {
    let served = serve().await;
    let (key, _) = made(&served, &["agents:read"]).await;
    for op in catalog().iter().filter(|op| op.access == Access::Password) {
        let path = op.path.replace("{name}", "1001");
        let answer = served.ask(op.method.as_str(), &path, &[("x-api-key", &key)], "{}").await;
        assert_eq!(answer.problem(403)["field"], "agents:control", "{}", op.id);
    }
}

#[tokio::test]
async fn every_grant_of_a_role_opens_something_and_scopes_are_listed_with_what_they_open() {
    let known = cordboard_api::catalog::scopes();
    for role in Role::ALL {
        for grant in role.grants() {
            let one = Scopes::new([*grant]).unwrap();
            assert!(
                known.iter().any(|scope| one.cover(scope)),
                "{role:?} is given {grant}, which opens nothing"
            );
        }
    }
    let everybody = scopes_of(&BTreeSet::from([Role::Administrator, Role::Operator]));
    let closed: Vec<_> = known.iter().filter(|scope| !everybody.cover(scope)).collect();
    assert!(closed.is_empty(), "nobody may: {closed:?}");
    let served = serve().await;
    let (key, _) = made(&served, &["keys:read"]).await;
    let listed = served.get(&key, "/api/v1/scopes").await.ok();
    let items: Vec<Value> = listed["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), known.len());
    let held: Vec<_> = items.iter().filter(|item| item["held"] == true).map(|item| &item["scope"]).collect();
    assert_eq!(held, [&json!("keys:read")]);
    let ops: usize = items.iter().map(|item| item["operations"].as_array().unwrap().len()).sum();
    assert_eq!(ops, catalog().iter().filter(|op| op.access.scope().is_some()).count());
}

/// What is shown once was remembered with its answer, and given out again for a day to whoever had the key of the request, even
/// one that was revoked meanwhile: answers that are remembered were given before anybody looked who asks.
#[tokio::test]
async fn a_request_that_is_sent_again_shows_no_secret_and_a_revoked_key_is_answered_nothing() {
    let served = serve().await;
    let (key, id) = made(&served, &["keys:*", "calls:*"]).await;
    let body = json!({ "name": "x", "scopes": ["calls:read"] }).to_string();
    let ask = async |mark: &str, path: &str, body: &str| {
        served.ask("POST", path, &[("x-api-key", &key), ("idempotency-key", mark)], body).await
    };
    let first = ask("one", "/api/v1/keys", &body).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let again = ask("one", "/api/v1/keys", &body).await;
    assert_eq!(again.problem(409)["code"], "shown_once");
    assert!(!again.text().contains("cbk_"));
    let order = "/api/v1/calls/default.6b000000-0-1/hangup";
    let (first, again) = (ask("two", order, "").await, ask("two", order, "").await);
    assert_eq!((first.status, first.body), (again.status, again.body));
    served.ask("DELETE", &format!("/api/v1/keys/{id}"), &[("x-api-key", KEY)], "").await.ok();
    ask("two", order, "").await.problem(401);
    ask("one", "/api/v1/keys", &body).await.problem(401);
}
