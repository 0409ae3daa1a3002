//! Rate limits and requests that are sent twice.

use crate::{KEY, OTHER_KEY, furnish, serve, serve_with};
use cordboard_api::rate::RateLimit;
use cordboard_api::state::ApiConfig;
use cordboard_model::id::TenantId;

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
