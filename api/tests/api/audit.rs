//! What was changed, by whom and from where; and what every answer carries.

use crate::people::{person, token};
use crate::{KEY, OTHER_KEY, Served, furnish, serve};
use cordboard_api::catalog::catalog;
use cordboard_model::access::{AccessTerms, AuditEntry, Outcome};
use cordboard_model::id::TenantId;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn log(served: &Served) -> Vec<AuditEntry> {
    served.switch.shelf.open().log.clone()
}

#[tokio::test]
async fn each_change_is_in_the_log_with_who_from_where_before_and_after_and_no_secret() {
    let served = serve().await;
    person(&served, "li", &["supervisor"]).await;
    let body = json!({ "roles": ["auditor"], "display": "Li Wei" }).to_string();
    assert_eq!(served.ask("PUT", "/api/v1/users/li", &[("x-api-key", KEY)], &body).await.status, 200);
    let entries = served.get(KEY, "/api/v1/audit?action=changeUser").await.ok();
    let entry = &entries["items"][0];
    assert_eq!((&entry["who"], &entry["from"]), (&json!("key fake"), &json!("127.0.0.1")));
    assert_eq!(
        (&entry["resource"], &entry["outcome"], &entry["status"]),
        (&json!("users/li"), &json!("done"), &json!(200))
    );
    assert_eq!(
        (&entry["before"]["roles"], &entry["after"]["roles"]),
        (&json!(["supervisor"]), &json!(["auditor"]))
    );
    assert_eq!(entry["asked"]["display"], "Li Wei");
    let made = log(&served).into_iter().find(|entry| entry.action == "createUser").unwrap();
    assert_eq!(made.asked.unwrap()["password"], "(hidden)");
    let li = token(&served).await;
    served.post(&li, "/api/v1/config/reload", "").await.problem(403);
    served.get(&li, "/api/v1/audit").await.ok();
    let last = log(&served).pop().unwrap();
    assert_eq!(
        (last.who.as_str(), last.outcome, last.code.as_deref()),
        ("user li", Outcome::Refused, Some("scope_missing"))
    );
    let wrong = json!({ "user": "li", "password": "wrong-horse-7" }).to_string();
    served.ask("POST", "/api/v1/session", &[], &wrong).await.problem(401);
    let refused = served.get(KEY, "/api/v1/audit?action=beginSession&outcome=refused").await.ok();
    assert_eq!(refused["items"][0]["code"], "wrong_password");
    assert_eq!(
        served.get(KEY, "/api/v1/audit?action=beginSession&outcome=done").await.ok()["items"][0]["who"],
        "user li"
    );
    assert_eq!(served.get(OTHER_KEY, "/api/v1/audit").await.ok(), json!({ "items": [] }));
    let count = log(&served).len();
    served.get(KEY, "/api/v1/calls").await.ok();
    assert_eq!(log(&served).len(), count, "what only reads is not noted");
}

#[tokio::test]
async fn orders_of_keys_are_noted_and_those_of_agents_at_their_desks_are_not() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    served.post(KEY, &format!("/api/v1/legs/{}/keys", floor.talking_leg), r#"{"keys": "4929123"}"#).await;
    let noted = log(&served).pop().unwrap();
    assert_eq!((noted.action.as_str(), noted.asked.unwrap()), ("sendKeys", json!({ "keys": "(hidden)" })));
    let count = log(&served).len();
    served.post(crate::fake::door::TOKEN, "/api/v1/agents/1001/ready", "").await;
    assert_eq!(log(&served).len(), count);
    let body = json!({ "password": crate::fake::door::PASSWORD }).to_string();
    served.ask("POST", "/api/v1/agents/1001/sign-in", &[], &body).await.ok();
    assert_eq!(log(&served).pop().unwrap().who, "agent 1001", "but how he signs in is");
}

#[tokio::test]
async fn the_log_is_read_in_pages_by_filters_and_as_a_table() {
    let served = serve().await;
    for n in 0..5 {
        let body = json!({ "name": format!("=key {n}"), "scopes": ["calls:read"] }).to_string();
        assert_eq!(served.post(KEY, "/api/v1/keys", &body).await.status, 201);
    }
    let first = served.get(KEY, "/api/v1/audit?limit=3").await.ok();
    let rest = format!("/api/v1/audit?limit=3&before={}", first["next"].as_str().unwrap());
    let rest = served.get(KEY, &rest).await.ok();
    let ids = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&first), ids(&rest), rest.get("next")), (vec![5, 4, 3], vec![2, 1], None));
    let table = served.get(KEY, "/api/v1/audit.csv?limit=2").await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert!(table.header("link").contains("rel=\"next\""));
    let text = table.text();
    assert!(text.starts_with("id,at,who,from,action,") && text.lines().count() == 3, "{text}");
    for (query, field) in
        [("outcome=perhaps", "outcome"), ("before=x", "before"), ("from=x", "from"), ("when=1", "when")]
    {
        let problem = served.get(KEY, &format!("/api/v1/audit?{query}")).await.problem(400);
        assert_eq!(problem["field"], field);
    }
}

#[tokio::test]
async fn what_could_not_be_noted_is_not_taken_but_calls_go_on() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    served.switch.shelf.open().down = true;
    let body = json!({ "name": "x", "scopes": ["calls:read"] }).to_string();
    assert_eq!(served.post(KEY, "/api/v1/keys", &body).await.problem(503)["code"], "audit_down");
    assert!(served.switch.shelf.open().keys.is_empty());
    assert_eq!(served.post(KEY, &format!("/api/v1/calls/{}/hangup", floor.talking), "").await.status, 200);
    assert_eq!(served.get(KEY, "/api/v1/calls").await.status, 200);
}

#[tokio::test]
async fn every_answer_carries_its_headers() {
    let served = serve().await;
    let mut paths: Vec<String> = catalog().iter().map(|op| op.path.clone()).collect();
    paths.extend(["/", "/assets/none", "/nowhere.js", "/api/v1/none"].map(str::to_owned));
    for path in paths {
        for method in ["GET", "PATCH"] {
            let answer = served.ask(method, &path, &[("x-api-key", KEY)], "").await;
            let of = |name: &str| answer.header(name).to_owned();
            assert_eq!(of("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(of("referrer-policy"), "no-referrer", "{path}");
            assert!(of("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
            if path.starts_with("/api/") {
                assert!(of("content-security-policy").starts_with("default-src 'none'"), "{path}");
                assert_eq!(of("cache-control"), "no-store", "{path}");
            }
            assert!(!answer.has_header("access-control-allow-origin"), "{path}");
        }
    }
}

#[tokio::test]
async fn only_pages_that_are_named_may_show_ours_in_a_frame() {
    let config = cordboard_api::state::ApiConfig {
        frames: vec!["https://crm.example.com".into(), "https://other.example".into()],
        ..Default::default()
    };
    let served = crate::serve_with(config).await;
    let page = served.ask("GET", "/", &[], "").await.header("content-security-policy").to_owned();
    assert!(page.contains("frame-ancestors https://crm.example.com https://other.example;"), "{page}");
    let api = served.get(KEY, "/api/v1/calls").await.header("content-security-policy").to_owned();
    assert!(api.contains("frame-ancestors 'none'"), "{api}");
}

#[tokio::test]
async fn a_page_of_another_origin_reads_the_answers_of_the_tenant_that_lists_it_and_no_others() {
    let served = serve().await;
    let desk = "https://desk.example.com";
    let terms = AccessTerms { origins: BTreeSet::from([desk.to_owned()]), ..AccessTerms::default() };
    served.switch.shelf.open().terms.insert(TenantId::DEFAULT, terms);
    let ask = async |method: &str, key: &str, origin: &str, more: &[(&str, &str)]| {
        let mut headers = vec![("x-api-key", key), ("origin", origin)];
        headers.extend(more);
        served.ask(method, "/api/v1/calls", &headers, "").await
    };
    let listed = ask("GET", KEY, desk, &[]).await;
    assert_eq!(listed.header("access-control-allow-origin"), desk);
    assert_eq!(listed.header("vary"), "origin");
    for (key, origin) in [
        (OTHER_KEY, desk),
        (KEY, "https://desk.example.com.evil.example"),
        (KEY, "http://desk.example.com"),
        (KEY, "https://DESK.example.com"),
        (KEY, "null"),
    ] {
        let other = ask("GET", key, origin, &[]).await;
        assert_eq!((other.status, other.has_header("access-control-allow-origin")), (200, false), "{origin}");
    }
    let asks =
        [("access-control-request-method", "POST"), ("access-control-request-headers", "authorization")];
    let may = ask("OPTIONS", "", desk, &asks).await;
    assert_eq!((may.status, may.header("access-control-allow-origin")), (204, desk));
    assert!(may.header("access-control-allow-headers").contains("authorization"));
    let not = ask("OPTIONS", "", "https://evil.example", &asks).await;
    assert_eq!(
        (not.problem(403)["code"].clone(), not.has_header("access-control-allow-origin")),
        (json!("origin"), false)
    );
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let served = serve().await;
    let mut stream = tokio::net::TcpStream::connect(served.addr).await.unwrap();
    let head = format!(
        "POST /api/v1/keys HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\nconnection: close\r\ncontent-length: 3000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "it is told before it has sent anything: {answer}");
}
