//! Calls that visitors of pages begin: given to who has a key for it, shown once, and refused by name.

use crate::access::made;
use crate::{KEY, OTHER_KEY, serve};
use serde_json::{Value, json};

const CLICKS: &str = "/api/v1/click-calls";

fn asked() -> Value {
    json!({ "queue": "help", "customer": { "id": "c-17", "name": "Ann" }, "page": "https://shop.example/cart", "data": { "order": 4711 } })
}

#[tokio::test]
async fn a_visitor_is_given_what_his_page_calls_by_and_nobody_sees_it_again() {
    let served = serve().await;
    let headers = [("x-api-key", KEY), ("idempotency-key", "click-1")];
    let answer = served.ask("POST", CLICKS, &headers, &asked().to_string()).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{}", answer.text());
    let given = answer.json();
    let call = given["call"].as_str().unwrap();
    assert_eq!(
        given,
        json!({
            "call": call, "uri": "sip:visitor@default.example", "to": "sip:help@default.example", "username": format!("~{call}"),
            "password": format!("a-pass-for-{call}"), "lasts": 60, "path": "/sip", "video": false,
        })
    );
    // who asks again for the same gets the same, and no other call
    let again = served.ask("POST", CLICKS, &headers, &asked().to_string()).await;
    assert_eq!((again.status, again.json()), (201, given.clone()));
    // what is written down of it has no password in it
    let entries = served.get(KEY, "/api/v1/audit").await.ok();
    assert!(entries.to_string().contains("openClickCall"), "{entries}");
    assert!(!entries.to_string().contains("a-pass-for"), "{entries}");
}

#[tokio::test]
async fn what_is_not_given_is_refused_by_its_field() {
    let served = serve().await;
    let ask = async |more: Value| {
        let mut body = asked();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        served.ask("POST", CLICKS, &[("x-api-key", KEY)], &body.to_string()).await
    };
    for (more, status, code, field) in [
        (json!({ "queue": "web" }), 409, "not_of_clicks", Some("queue")),
        (json!({ "queue": "gone" }), 409, "no_such_queue", Some("queue")),
        (json!({ "queue": "full" }), 429, "too_many_clicks", None),
        (json!({ "customer": { "name": "a".repeat(129) } }), 422, "bad_text", Some("customer")),
        (json!({ "page": "a\nb" }), 422, "bad_text", Some("page")),
        (json!({ "data": { "a": "x".repeat(20_000) } }), 422, "bad_data", Some("data")),
    ] {
        let answer = ask(more).await;
        let problem = answer.problem(status);
        assert_eq!((&problem["code"], problem["field"].as_str()), (&json!(code), field), "{problem}");
        assert_eq!(answer.header("retry-after").is_empty(), status != 429, "{problem}");
    }
    for more in
        [json!({ "queue": "" }), json!({ "queue": 7 }), json!({ "agent": "" }), json!({ "number": "112" })]
    {
        ask(more).await.problem(400);
    }
}

#[tokio::test]
async fn each_key_gives_calls_of_its_own_tenant_and_one_without_the_scope_none() {
    let served = serve().await;
    let body = asked().to_string();
    let theirs = served.ask("POST", CLICKS, &[("x-api-key", OTHER_KEY)], &body).await;
    assert_eq!(theirs.status, 201, "{}", theirs.text());
    assert_eq!(theirs.json()["to"], "sip:help@acme.example");
    let (reader, _) = made(&served, &["chats:control", "calls:read"]).await;
    served.ask("POST", CLICKS, &[("x-api-key", &reader)], &body).await.problem(403);
    let (server, _) = made(&served, &["click-calls:control"]).await;
    assert_eq!(served.ask("POST", CLICKS, &[("x-api-key", &server)], &body).await.status, 201);
    served.ask("POST", CLICKS, &[], &body).await.problem(401);
}

const CHECKS: &str = "/api/v1/line-checks";

#[tokio::test]
async fn who_has_shown_nothing_is_given_a_call_that_measures_and_not_too_many() {
    let served = serve().await;
    let ask = async |body: &str| served.ask("POST", CHECKS, &[], body).await;
    let answer = ask("{}").await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{}", answer.text());
    let given = answer.json();
    assert_eq!((&given["to"], &given["path"]), (&json!("sip:line-check@default.example"), &json!("/sip")));
    assert_eq!(ask(r#"{"tenant": "other"}"#).await.problem(404)["code"], "no_such_flow");
    assert_eq!(ask(r#"{"tenant": "no such name"}"#).await.problem(400)["field"], "tenant");
    assert_eq!(ask(r#"{"queue": "help"}"#).await.status, 400);
    let mut slowed = None;
    for _ in 0..10 {
        let answer = ask("{}").await;
        slowed = (answer.status == 429).then(|| answer.header("retry-after").to_owned()).or(slowed);
    }
    assert_eq!(slowed.as_deref(), Some("3"), "one address has ten, and then one in three seconds");
}
