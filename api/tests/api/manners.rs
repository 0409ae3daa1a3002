//! Rate limits and requests that are sent twice.

use crate::{KEY, OTHER_KEY, furnish, serve, serve_on, serve_with};
use cordboard_api::rate::RateLimit;
use cordboard_api::state::ApiConfig;
use cordboard_model::id::TenantId;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let rate = RateLimit { per_second: 1, burst: 3 };
    let served = serve_with(ApiConfig { rate, ..ApiConfig::default() }).await;
    for left in ["2", "1", "0"] {
        let answer = served.get(KEY, "/api/v1/calls").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("ratelimit-policy"), "\"requests\";q=3;w=3");
        let told = answer.header("ratelimit");
        assert!(told.starts_with(&format!("\"requests\";r={left};t=")), "{told}");
    }
    let refused = served.get(KEY, "/api/v1/calls").await;
    assert_eq!(refused.problem(429)["code"], "rate_limit");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(served.get(OTHER_KEY, "/api/v1/calls").await.status, 200, "another key has its own");
    assert_eq!(served.ask("GET", "/healthz", &[("x-api-key", KEY)], "").await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_answered_again_and_carried_out_once() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let ask = async |key: &str, mark: &str, body: &str| {
        let headers = [("x-api-key", key), ("idempotency-key", mark)];
        served.ask("POST", "/api/v1/calls", &headers, body).await
    };
    let body = r#"{"first": {"agent": "1001"}, "then": {"number": "+493012345"}}"#;
    let first = ask(KEY, "order-1", body).await;
    assert_eq!(first.status, 201, "{}", first.text());
    assert!(!first.has_header("idempotency-replayed"));
    let again = ask(KEY, "order-1", body).await;
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("content-type"), "application/json");
    let other = ask(KEY, "order-2", body).await;
    assert_ne!(other.json()["call"], first.json()["call"], "another key is another call");

    let changed = body.replace("12345", "54321");
    assert_eq!(ask(KEY, "order-1", &changed).await.problem(422)["code"], "key_used");
    assert_eq!(ask(KEY, "", body).await.problem(400)["field"], "Idempotency-Key");
    // A refusal is an answer as well; one for who has no right to ask is none.
    assert_eq!(ask(KEY, "order-3", "{}").await.problem(400)["field"], "first");
    assert_eq!(ask(KEY, "order-3", "{}").await.header("idempotency-replayed"), "true");
    ask("a-wrong-key", "order-4", body).await.problem(401);
    assert!(!ask("a-wrong-key", "order-4", body).await.has_header("idempotency-replayed"));
    assert!(!ask(OTHER_KEY, "order-1", &changed).await.has_header("idempotency-replayed"));
}

/// Over a restart a request is answered as it was; one whose answer nobody knows is not done again, and one that was not done may be.
#[tokio::test]
async fn what_was_asked_with_a_key_is_done_once_over_a_restart() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let body = r#"{"first": {"agent": "1001"}, "then": {"number": "+493012345"}}"#;
    let ask = async |served: &crate::Served, mark: &str, body: &str| {
        served.ask("POST", "/api/v1/calls", &[("x-api-key", KEY), ("idempotency-key", mark)], body).await
    };
    let first = ask(&served, "order-1", body).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let refused = ask(&served, "order-2", "{}").await;
    assert_eq!(refused.status, 400);
    let key = r#"{"name": "robot", "scopes": ["calls:read"]}"#;
    let shown = [("x-api-key", KEY), ("idempotency-key", "key-1")];
    assert_eq!(served.ask("POST", "/api/v1/keys", &shown, key).await.status, 201);
    let calls = served.get(KEY, "/api/v1/calls").await.text();
    assert!(calls.contains(first.json()["call"].as_str().unwrap()), "{calls}");

    let served = serve_on(served.switch.clone(), ApiConfig::default()).await;
    let again = ask(&served, "order-1", body).await;
    assert_eq!((again.status, again.text()), (201, first.text()));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("content-type"), "application/json");
    assert_eq!(ask(&served, "order-2", "{}").await.text(), refused.text());
    assert_eq!(served.get(KEY, "/api/v1/calls").await.text(), calls, "nothing was done again");
    assert_eq!(ask(&served, "order-1", "{}").await.problem(422)["code"], "key_used");
    let secret = served.ask("POST", "/api/v1/keys", &shown, key).await;
    assert_eq!(secret.problem(409)["code"], "shown_once");

    // The switch was killed before it was answered.
    served.switch.shelf.open().answers.clear();
    let served = serve_on(served.switch.clone(), ApiConfig::default()).await;
    assert_eq!(ask(&served, "order-1", body).await.problem(409)["code"], "key_outcome_unknown");
    assert_eq!(ask(&served, "order-1", body).await.problem(409)["code"], "key_outcome_unknown");
    // A database that takes nothing keeps nobody from his calls.
    served.switch.shelf.open().down = true;
    assert_eq!(ask(&served, "order-3", body).await.status, 201);
    assert_eq!(ask(&served, "order-3", body).await.header("idempotency-replayed"), "true");
}

/// Whom nobody knows writes nothing down, whatever key he has; and what was begun is not done again because the store is slow to say
/// what came of it.
#[tokio::test]
async fn a_key_is_of_somebody_who_is_known_and_a_store_that_is_busy_does_nothing_twice() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let body = r#"{"first": {"agent": "1001"}, "then": {"number": "+493012345"}}"#;
    for shown in ["a-wrong-key", "cbs_0000000000000000000000000000000000000000000", "cbc_no-chat"] {
        let headers = [("x-api-key", shown), ("idempotency-key", "order-1")];
        served.ask("POST", "/api/v1/calls", &headers, body).await.problem(401);
    }
    assert!(served.switch.shelf.open().once.is_empty());
    let ask = async |served: &crate::Served| {
        let headers = [("x-api-key", KEY), ("idempotency-key", "order-1")];
        served.ask("POST", "/api/v1/calls", &headers, body).await
    };
    let first = ask(&served).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let calls = served.get(KEY, "/api/v1/calls").await.text();

    let served = serve_on(served.switch.clone(), ApiConfig::default()).await;
    served.switch.shelf.open().deaf = true;
    let busy = ask(&served).await;
    assert_eq!((busy.header("retry-after"), &busy.problem(503)["code"]), ("1", &"key_busy".into()));
    assert_eq!(served.get(KEY, "/api/v1/calls").await.text(), calls);
    served.switch.shelf.open().deaf = false;
    assert_eq!(ask(&served).await.text(), first.text());
}

/// A token is given again to who asks again, and is not on the disk; who has it asks with keys as well.
#[tokio::test]
async fn a_token_that_is_given_again_is_not_on_the_disk() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let ask = async |served: &crate::Served, key: &str, path: &str, body: &str| {
        let headers = [("x-api-key", key), ("idempotency-key", "one")];
        served.ask("POST", path, &headers, body).await
    };
    let (chats, chat) = ("/api/v1/chats", r#"{"queue": "web", "customer": {"id": "c-1"}}"#);
    let first = ask(&served, KEY, chats, chat).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let token = first.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(ask(&served, KEY, chats, chat).await.text(), first.text());
    let kept: Vec<_> = served.switch.shelf.open().answers.values().cloned().collect();
    assert!(kept.len() == 1 && !kept[0].1.contains(&token), "{kept:?}");
    let (says, text) = ("/api/v1/chat/messages", r#"{"text": "hello"}"#);
    let said = ask(&served, &token, says, text).await;
    assert_eq!(said.status, 200, "{}", said.text());
    let again = ask(&served, &token, says, text).await;
    assert_eq!((again.text(), again.header("idempotency-replayed")), (said.text(), "true"));

    let served = serve_on(served.switch.clone(), ApiConfig::default()).await;
    assert_eq!(ask(&served, KEY, chats, chat).await.problem(409)["code"], "shown_once");
}

/// The connection is lost while the request waits for the store: it is done all the same, and answered when it is asked again.
#[tokio::test]
async fn who_hangs_up_before_the_answer_has_it_when_he_asks_again() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let gate = Arc::new(Semaphore::new(0));
    served.switch.shelf.open().gate = Some(Arc::clone(&gate));
    let body = r#"{"first": {"agent": "1001"}, "then": {"number": "+493012345"}}"#;
    let request = format!(
        "POST /api/v1/calls HTTP/1.1\r\nhost: {}\r\nx-api-key: {KEY}\r\nidempotency-key: order-1\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        served.addr,
        body.len()
    );
    let ask = async || {
        let headers = [("x-api-key", KEY), ("idempotency-key", "order-1")];
        served.ask("POST", "/api/v1/calls", &headers, body).await
    };
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // It is under way: it waits there.
    while served.switch.shelf.open().gate.as_ref().is_some_and(|gate| Arc::strong_count(gate) < 3) {
        tokio::task::yield_now().await;
    }
    drop(stream);
    let mut answer = ask().await;
    gate.add_permits(1);
    while answer.status == 409 {
        assert_eq!(answer.problem(409)["code"], "key_under_way");
        answer = ask().await;
    }
    assert_eq!((answer.status, answer.header("idempotency-replayed")), (201, "true"));
}
