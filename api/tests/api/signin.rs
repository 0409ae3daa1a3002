//! Agents who sign in with a password, and what the token of a session opens.

use crate::fake::door::{CHIEF, PASSWORD, TOKEN};
use crate::{KEY, OTHER_KEY, acme, furnish, serve};
use cordboard_model::id::TenantId;
use serde_json::json;

const SIGN_IN: &str = "/api/v1/agents/1001/sign-in";

#[tokio::test]
async fn who_knows_the_password_needs_no_key_and_is_shown_his_token_once() {
    let served = serve().await;
    let body = json!({ "password": PASSWORD, "where": "desk 7" }).to_string();
    let answer = served.ask("POST", SIGN_IN, &[], &body).await.ok();
    assert_eq!(answer["token"], TOKEN);
    assert!(answer["agent"].to_string().contains("1001"), "{answer}");
    let other = json!({ "password": PASSWORD, "tenant": "acme" }).to_string();
    let answer = served.ask("POST", SIGN_IN, &[], &other).await.ok();
    assert!(answer["agent"].to_string().contains("acme"), "{answer}");
    let problem = served.ask("POST", SIGN_IN, &[("x-api-key", KEY)], &other).await.problem(400);
    assert_eq!(problem["field"], "tenant");
    let named = json!({ "password": PASSWORD, "by": "1009" }).to_string();
    assert_eq!(served.ask("POST", SIGN_IN, &[], &named).await.problem(400)["field"], "by");
    let long = json!({ "password": PASSWORD, "where": "x".repeat(65) }).to_string();
    assert_eq!(served.ask("POST", SIGN_IN, &[], &long).await.problem(400)["field"], "where");
    served.ask("POST", SIGN_IN, &[], "").await.problem(401);
}

#[tokio::test]
async fn each_reason_against_a_sign_in_has_its_status_and_its_word() {
    let served = serve().await;
    for (password, status, code) in [
        ("guess-11", 401, "wrong_password"),
        ("locked", 429, "locked"),
        ("soon", 429, "too_soon"),
        ("busy", 503, "busy"),
        ("aged-one", 403, "password_expired"),
        ("elsewhere", 409, "signed_in_elsewhere"),
    ] {
        let body = json!({ "password": password }).to_string();
        let answer = served.ask("POST", SIGN_IN, &[], &body).await;
        let waits = matches!(status, 429 | 503);
        assert_eq!(answer.has_header("retry-after"), waits, "{password}");
        let problem = answer.problem(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert!(!problem.to_string().contains(password) || code.contains(password), "{problem}");
    }
    let elsewhere = |take_over: bool| json!({ "password": "elsewhere", "take_over": take_over }).to_string();
    let problem = served.ask("POST", SIGN_IN, &[], &elsewhere(false)).await.problem(409);
    assert_eq!(problem["session"]["where"], "desk 7");
    assert_eq!(problem["session"]["since"], 1_795_212_000_000_u64);
    served.ask("POST", SIGN_IN, &[], &elsewhere(true)).await.ok();
    let fresh = json!({ "password": "aged-one", "new_password": "other-11" }).to_string();
    served.ask("POST", SIGN_IN, &[], &fresh).await.ok();
    let short = json!({ "password": PASSWORD, "new_password": "short" }).to_string();
    assert_eq!(served.ask("POST", SIGN_IN, &[], &short).await.problem(422)["code"], "password_short");
}

#[tokio::test]
async fn an_address_that_guesses_passwords_has_to_wait() {
    let served = serve().await;
    let guess = json!({ "password": "guess-11" }).to_string();
    for _ in 0..20 {
        served.ask("POST", SIGN_IN, &[], &guess).await.problem(401);
    }
    let right = json!({ "password": PASSWORD }).to_string();
    served.ask("POST", SIGN_IN, &[], &right).await.problem(429);
}

#[tokio::test]
async fn a_password_is_set_by_a_key_or_with_the_old_one() {
    let served = serve().await;
    let path = "/api/v1/agents/1001/password";
    let set = |key: &'static str, body: serde_json::Value| {
        let served = &served;
        async move {
            let headers: &[(&str, &str)] = if key.is_empty() { &[] } else { &[("x-api-key", key)] };
            served.ask("PUT", path, headers, &body.to_string()).await
        }
    };
    set(KEY, json!({ "password": "other-11" })).await.ok();
    set("", json!({ "password": "other-11", "old": PASSWORD })).await.ok();
    set(TOKEN, json!({ "password": "other-11", "old": PASSWORD })).await.ok();
    set("", json!({ "password": "other-11" })).await.problem(401);
    set("", json!({ "password": "other-11", "old": "guess-11" })).await.problem(401);
    assert_eq!(set(TOKEN, json!({ "password": "other-11" })).await.problem(400)["field"], "old");
    set(CHIEF, json!({ "password": "other-11", "old": PASSWORD })).await.problem(403);
    let problem = set(KEY, json!({ "password": "short" })).await.problem(422);
    assert_eq!(problem["code"], "password_short");
    assert_eq!(set(KEY, json!({ "password": "x".repeat(129) })).await.problem(400)["field"], "password");
}

/// By the token of his session an agent would otherwise be whoever he says: `by` was a word that any key could send.
#[tokio::test]
async fn with_his_token_an_agent_acts_at_his_own_desk_as_himself() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let own = |token: &'static str, path: &'static str, body: &'static str| {
        let served = &served;
        async move {
            let bearer = format!("Bearer {token}");
            served
                .ask("POST", &format!("/api/v1/agents/1001/{path}"), &[("authorization", &bearer)], body)
                .await
        }
    };
    let said = own(TOKEN, "hold", "").await.ok();
    assert!(said["done"][0].as_str().unwrap().starts_with("Seat(Hold(true)) by agent 1001"), "{said}");
    let said = own(TOKEN, "rest", r#"{"reason": "lunch"}"#).await.ok();
    assert!(said["done"][0].as_str().unwrap().contains("by agent 1001"), "{said}");
    let said = own(CHIEF, "not-ready", "").await.ok();
    assert!(said["done"][0].as_str().unwrap().contains("by agent 1009"), "{said}");
    let said = own(CHIEF, "supervise", r#"{"mode": "listen"}"#).await.ok();
    assert!(said["done"][0].as_str().unwrap().contains("by agent 1009"), "{said}");
    assert_eq!(own(TOKEN, "hold", r#"{"by": "1009"}"#).await.problem(400)["field"], "by");
    served.get(TOKEN, "/api/v1/agents/1001/desk").await.ok();
    served.get(CHIEF, "/api/v1/agents/1001/desk").await.ok();
    assert_eq!(served.get(TOKEN, "/api/v1/agents/1002/desk").await.problem(403)["code"], "not_his");
    let where_ = served.get(TOKEN, "/api/v1/agents/1001/session").await.ok();
    assert_eq!(where_["session"]["where"], "desk 7");
    served.get(TOKEN, "/api/v1/agents/1002/session").await.problem(403);
}

#[tokio::test]
async fn a_key_and_a_supervisor_let_an_agent_in_again_whom_a_lock_keeps_out() {
    const LOCK: &str = "/api/v1/agents/1001/lock";
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let said = served.ask("DELETE", LOCK, &[("x-api-key", KEY)], "").await.ok();
    assert!(said["done"][0].as_str().unwrap().contains("may sign in, says key"), "{said}");
    let chief = format!("Bearer {CHIEF}");
    let said = served.ask("DELETE", LOCK, &[("authorization", &chief)], "").await.ok();
    assert!(said["done"][0].as_str().unwrap().ends_with("says agent 1009"), "{said}");
    let own = format!("Bearer {TOKEN}");
    let problem = served.ask("DELETE", LOCK, &[("authorization", &own)], "").await.problem(403);
    assert_eq!(problem["code"], "not_his");
    served.ask("DELETE", LOCK, &[], "").await.problem(401);
    served.ask("DELETE", "/api/v1/agents/1999/lock", &[("x-api-key", KEY)], "").await.problem(404);
    let log = served.get(KEY, "/api/v1/audit").await.ok();
    assert!(log.to_string().contains("unlockAgent"), "{log}");
}

#[tokio::test]
async fn a_token_opens_no_route_that_needs_a_key() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let chief = ["/api/v1/queues", "/api/v1/agents"];
    let reads = crate::keys::READ.map(|path| ("GET", path)).into_iter();
    let orders = crate::keys::ORDER.map(|path| ("POST", path)).into_iter();
    for (method, path) in reads.chain(orders).filter(|(_, path)| !path.ends_with("/agents/1001/ready")) {
        let answer = served.ask(method, path, &[("x-api-key", TOKEN)], "").await;
        assert_eq!(answer.problem(403)["code"], "not_his", "{path}");
        let answer = served.ask(method, path, &[("x-api-key", CHIEF)], "").await;
        assert_eq!(answer.status, if chief.contains(&path) { 200 } else { 403 }, "{path}");
    }
    // The stream is his, too: this is no way to ask for it.
    served.get(TOKEN, "/api/v1/events").await.problem(400);
}

#[tokio::test]
async fn a_session_that_is_over_opens_nothing() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let problem = served.get("cbs_gone", "/api/v1/agents/1001/desk").await.problem(401);
    assert_eq!(problem["code"], "session_over");
    furnish(&served.switch, acme());
    served.get(OTHER_KEY, "/api/v1/agents/1001/desk").await.ok();
}
