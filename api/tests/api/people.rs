//! People who administrate: how they are made, sign in with a password and a second factor, and what ends that.

use crate::fake::vault::{BEGIN, hashed};
use crate::http::Answer;
use crate::{KEY, OTHER_KEY, Served, acme, serve};
use cordboard_model::access::{AccessTerms, UserRecord};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Wall;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};

/// None that a document shows as an example.
const PASSWORD: &str = "battery-staple-7";

/// A person with a password that is his own already.
pub async fn person(served: &Served, name: &str, roles: &[&str]) {
    let body = json!({ "name": name, "roles": roles, "password": PASSWORD }).to_string();
    assert_eq!(served.post(KEY, "/api/v1/users", &body).await.status, 201);
    on(served, name, |user| user.password.by_other = false);
}

fn on<T>(served: &Served, name: &str, act: impl FnOnce(&mut UserRecord) -> T) -> T {
    let mut chest = served.switch.shelf.open();
    act(chest.users.get_mut(&(TenantId::DEFAULT, Name::new(name).unwrap())).unwrap())
}

fn later(served: &Served, by_ms: i64) {
    let mut chest = served.switch.shelf.open();
    let now = chest.now.unwrap_or(BEGIN).0 + by_ms;
    chest.now = Some(Wall(now));
}

async fn sign_in(served: &Served, more: Value) -> Answer {
    let mut body = json!({ "user": "li", "password": PASSWORD });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    served.ask("POST", "/api/v1/session", &[("user-agent", "test/1")], &body.to_string()).await
}

/// The token of a session.
pub async fn token(served: &Served) -> String {
    let answer = sign_in(served, json!({})).await.ok();
    answer["token"].as_str().unwrap().to_owned()
}

/// The code of the device of who has this secret, by another reading of RFC 6238 than ours.
fn code(secret: &str, at: Wall) -> String {
    let bits: String =
        secret.bytes().map(|c| format!("{:05b}", if c >= b'A' { c - b'A' } else { c - b'2' + 26 })).collect();
    let bytes: Vec<u8> =
        (0..bits.len() / 8).map(|n| u8::from_str_radix(&bits[n * 8..n * 8 + 8], 2).unwrap()).collect();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&bytes).unwrap();
    mac.update(&(at.0 as u64 / 30_000).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = (hash[19] & 15) as usize;
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

#[tokio::test]
async fn a_person_is_made_signs_in_does_what_his_roles_allow_and_signs_out() {
    let served = serve().await;
    let body = json!({ "name": "li", "display": "Li Wei", "roles": ["supervisor", "auditor"] }).to_string();
    let answer = served.post(KEY, "/api/v1/users", &body).await;
    assert_eq!(answer.status, 201);
    let made = answer.json();
    let password = made["password"].as_str().unwrap().to_owned();
    assert!(password.len() >= 24, "{password}");
    assert_eq!(served.post(KEY, "/api/v1/users", &body).await.problem(409)["code"], "exists");
    let first = json!({ "password": password });
    let answer = sign_in(&served, first.clone()).await;
    assert_eq!(answer.problem(403)["code"], "password_must_change", "somebody else knows it");
    let mut change = first;
    change["new_password"] = PASSWORD.into();
    let begun = sign_in(&served, change).await.ok();
    let token = begun["token"].as_str().unwrap();
    assert_eq!(
        (&begun["user"], &begun["totp"], &begun["enrolling"]),
        (&json!("li"), &json!(false), &json!(false))
    );
    assert_eq!(served.get(token, "/api/v1/calls").await.status, 200);
    assert_eq!(served.get(token, "/api/v1/audit").await.status, 200);
    assert_eq!(served.get(token, "/api/v1/users").await.status, 200, "an auditor sees who there is");
    assert_eq!(served.post(token, "/api/v1/users", &body).await.problem(403)["field"], "users:write");
    let own = served.get(token, "/api/v1/session").await.ok();
    assert_eq!((&own["id"], own.get("token")), (&begun["id"], None));
    let listed = served.get(KEY, "/api/v1/sessions").await.ok();
    assert_eq!((&listed["items"][0]["user"], &listed["items"][0]["agent"]), (&json!("li"), &json!("test/1")));
    assert_eq!(served.get(KEY, "/api/v1/users/li").await.ok()["signed_in"], BEGIN.0);
    assert_eq!(served.ask("DELETE", "/api/v1/session", &[("x-api-key", token)], "").await.status, 200);
    assert_eq!(served.get(token, "/api/v1/calls").await.problem(401)["code"], "session_over");
    assert_eq!(served.get(KEY, "/api/v1/session").await.problem(403)["code"], "no_person");
}

#[tokio::test]
async fn who_does_not_know_the_password_learns_nothing_and_waits_ever_longer() {
    let served = serve().await;
    person(&served, "li", &["auditor"]).await;
    for name in ["li", "nobody", "no body"] {
        let mut waits = Vec::new();
        for n in 0..5 {
            let answer = sign_in(&served, json!({ "user": name, "password": "wrong-horse-7" })).await;
            let last = n == 4;
            assert_eq!(
                answer.problem(if last { 429 } else { 401 })["code"],
                if last { "locked" } else { "wrong_password" }
            );
            let soon = sign_in(&served, json!({ "user": name })).await;
            waits.push(soon.problem(429)["code"].clone());
            later(&served, 16_000);
        }
        assert_eq!(waits, ["too_soon", "too_soon", "too_soon", "too_soon", "locked"], "{name}");
        served.switch.shelf.open().now = Some(Wall(BEGIN.0 + 10_000_000));
        if name == "li" {
            assert_eq!(sign_in(&served, json!({})).await.status, 200, "it is over");
            break;
        }
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_is_answered_as_one_that_somebody_has() {
    let served = serve().await;
    person(&served, "li", &["auditor"]).await;
    let mut answers = Vec::new();
    for name in ["li", "nobody"] {
        let mut all = Vec::new();
        for _ in 0..6 {
            let answer = sign_in(&served, json!({ "user": name, "password": "wrong-horse-7" })).await;
            all.push((answer.status, answer.text(), answer.header("retry-after").to_owned()));
            later(&served, 16_000);
        }
        answers.push(all);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][5].0, 429);
}

#[tokio::test]
async fn a_source_that_guesses_has_to_wait_whatever_names_it_tries() {
    let served = serve().await;
    for n in 0..20 {
        sign_in(&served, json!({ "user": format!("name-{n}") })).await.problem(401);
    }
    sign_in(&served, json!({ "user": "name-20" })).await.problem(429);
    served.get(KEY, "/api/v1/calls").await.problem(429);
}

#[tokio::test]
async fn a_second_factor_is_begun_confirmed_asked_for_and_a_code_is_taken_once() {
    let served = serve().await;
    person(&served, "li", &["auditor"]).await;
    let first = token(&served).await;
    let wrong = json!({ "password": "wrong-horse-7" }).to_string();
    served.post(&first, "/api/v1/session/totp", &wrong).await.problem(401);
    later(&served, 2_000);
    let shown = json!({ "password": PASSWORD }).to_string();
    let begun = served.post(&first, "/api/v1/session/totp", &shown).await.ok();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    assert!(begun["otpauth"].as_str().unwrap().starts_with("otpauth://totp/Cordboard%20default:li?secret="));
    assert_eq!(sign_in(&served, json!({})).await.status, 200, "it is not in use before a code was shown");
    let bad = served.post(&first, "/api/v1/session/totp/confirm", r#"{"code": "000000"}"#).await;
    assert_eq!(bad.problem(401)["code"], "wrong_code");
    later(&served, 2_000);
    let now = served.switch.shelf.open().now.unwrap();
    let body = json!({ "code": code(&secret, now) }).to_string();
    let recovery = served.post(&first, "/api/v1/session/totp/confirm", &body).await.ok();
    let recovery: Vec<String> = serde_json::from_value(recovery["recovery"].clone()).unwrap();
    assert_eq!(recovery.len(), 10);
    assert_eq!(served.get(KEY, "/api/v1/users/li").await.ok()["totp"], true);
    assert_eq!(sign_in(&served, json!({})).await.problem(401)["code"], "code_needed");
    let again = sign_in(&served, json!({ "code": code(&secret, now) })).await;
    assert_eq!(again.problem(401)["code"], "wrong_code", "the code that confirmed it was taken already");
    later(&served, 30_000);
    let now = served.switch.shelf.open().now.unwrap();
    let right = json!({ "code": code(&secret, now) });
    assert_eq!(sign_in(&served, right.clone()).await.status, 200);
    assert_eq!(sign_in(&served, right).await.problem(401)["code"], "wrong_code", "a replay");
    later(&served, 5_000);
    let plain = recovery[0].replace('-', "").to_uppercase();
    assert_eq!(sign_in(&served, json!({ "recovery": plain })).await.status, 200);
    assert_eq!(sign_in(&served, json!({ "recovery": recovery[0] })).await.problem(401)["code"], "wrong_code");
    later(&served, 60_000);
    let now = served.switch.shelf.open().now.unwrap();
    let both = json!({ "password": PASSWORD, "code": code(&secret, now) }).to_string();
    assert_eq!(
        served.ask("DELETE", "/api/v1/session/totp", &[("x-api-key", &first)], &both).await.status,
        200
    );
    assert_eq!(sign_in(&served, json!({})).await.status, 200);
}

#[tokio::test]
async fn where_everybody_needs_a_second_factor_nothing_else_opens_before_there_is_one() {
    let served = serve().await;
    let terms = AccessTerms { totp_required: true, ..AccessTerms::default() };
    served.switch.shelf.open().terms.insert(TenantId::DEFAULT, terms);
    person(&served, "li", &["administrator"]).await;
    let begun = sign_in(&served, json!({})).await.ok();
    assert_eq!((&begun["enrolling"], &begun["scopes"]), (&json!(true), &json!([])));
    let token = begun["token"].as_str().unwrap();
    assert_eq!(served.get(token, "/api/v1/calls").await.problem(403)["code"], "totp_required");
    let shown = json!({ "password": PASSWORD }).to_string();
    let secret =
        served.post(token, "/api/v1/session/totp", &shown).await.ok()["secret"].as_str().unwrap().to_owned();
    let body = json!({ "code": code(&secret, BEGIN) }).to_string();
    assert_eq!(served.post(token, "/api/v1/session/totp/confirm", &body).await.status, 200);
    assert_eq!(served.get(token, "/api/v1/calls").await.status, 200, "the same session opens what it should");
    later(&served, 30_000);
    let both = json!({ "password": PASSWORD, "code": code(&secret, Wall(BEGIN.0 + 30_000)) }).to_string();
    let kept = served.ask("DELETE", "/api/v1/session/totp", &[("x-api-key", token)], &both).await;
    assert_eq!(kept.problem(409)["code"], "totp_required");
}

#[tokio::test]
async fn a_cookie_is_for_pages_of_ours_and_changes_nothing_without_the_header() {
    let served = serve().await;
    person(&served, "li", &["supervisor"]).await;
    let answer = sign_in(&served, json!({ "cookie": true })).await;
    let begun = answer.ok();
    assert_eq!(begun.get("token"), None, "a page never sees it");
    let set = answer.header("set-cookie").to_owned();
    for part in ["__Host-cordboard=cbu_", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(set.contains(part), "{part}: {set}");
    }
    let cookie = set.split(';').next().unwrap();
    let csrf = begun["csrf"].as_str().unwrap();
    let with = |more: &[(&'static str, String)]| {
        let mut headers = vec![("cookie", cookie.to_owned())];
        headers.extend(more.iter().cloned());
        headers
    };
    let ask = async |method: &str, path: &str, headers: Vec<(&str, String)>| {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        served.ask(method, path, &headers, "").await
    };
    assert_eq!(ask("GET", "/api/v1/session", with(&[])).await.ok()["csrf"], csrf);
    let order = "/api/v1/agents/1001/ready";
    assert_eq!(ask("POST", order, with(&[])).await.problem(403)["code"], "csrf");
    let right = ("x-csrf-token", csrf.to_owned());
    let code = ask("POST", order, with(std::slice::from_ref(&right))).await.json()["code"].clone();
    assert_ne!(code, "csrf");
    for origin in ["https://evil.example", "null"] {
        let foreign = with(&[right.clone(), ("origin", origin.to_owned())]);
        assert_eq!(ask("GET", "/api/v1/calls", foreign).await.problem(403)["code"], "csrf", "{origin}");
    }
    let own = with(&[right, ("origin", format!("http://{}", served.addr))]);
    assert_eq!(ask("GET", "/api/v1/calls", own).await.status, 200);
    // The token in a header is no cookie: a program sets it, and nobody else can.
    let bare = cookie.split_once('=').unwrap().1;
    assert_eq!(served.get(bare, "/api/v1/calls").await.status, 200);
}

#[tokio::test]
async fn a_session_is_over_when_it_is_idle_too_old_or_ended_and_its_person_is_changed() {
    let served = serve().await;
    person(&served, "li", &["supervisor"]).await;
    person(&served, "chen", &["administrator"]).await;
    let is_open = async |token: &str| served.get(token, "/api/v1/calls").await.status == 200;
    let one = token(&served).await;
    later(&served, 3_600_000);
    assert!(!is_open(&one).await, "idle");
    let one = token(&served).await;
    for _ in 0..15 {
        later(&served, 50 * 60_000);
        is_open(&one).await;
    }
    assert!(!is_open(&one).await, "twelve hours are the longest");
    let (one, two) = (token(&served).await, token(&served).await);
    let mine = served.get(&one, "/api/v1/session/mine").await.ok();
    assert_eq!(mine["items"].as_array().unwrap().len(), 2);
    let own = served.get(&two, "/api/v1/session").await.ok()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        served.ask("DELETE", &format!("/api/v1/session/mine/{own}"), &[("x-api-key", &one)], "").await.status,
        200
    );
    assert!(is_open(&one).await && !is_open(&two).await);
    let put = async |body: Value| {
        served.ask("PUT", "/api/v1/users/li", &[("x-api-key", KEY)], &body.to_string()).await
    };
    assert_eq!(put(json!({ "roles": ["auditor"] })).await.status, 200);
    assert_eq!(served.get(&one, "/api/v1/calls").await.problem(403)["field"], "calls:read", "at once");
    assert_eq!(put(json!({ "roles": ["supervisor"] })).await.status, 200);
    assert!(is_open(&one).await);
    assert_eq!(put(json!({ "disabled": true })).await.status, 200);
    assert!(!is_open(&one).await);
    assert_eq!(
        sign_in(&served, json!({})).await.problem(401)["code"],
        "wrong_password",
        "as if he were not there"
    );
    later(&served, 2_000);
    assert_eq!(put(json!({ "disabled": false })).await.status, 200);
    let (one, two) = (token(&served).await, token(&served).await);
    let new = json!({ "old": PASSWORD, "password": "another-horse-8" }).to_string();
    assert_eq!(served.ask("PUT", "/api/v1/session/password", &[("x-api-key", &one)], &new).await.status, 200);
    assert!(is_open(&one).await && !is_open(&two).await, "who changes his password ends his other sessions");
    let hash = on(&served, "li", |user| user.password.hash.clone());
    assert_eq!(hash, hashed("another-horse-8"));
    let reset = served.post(KEY, "/api/v1/users/li/password", "").await.ok();
    assert!(reset["password"].is_string() && !is_open(&one).await);
}

#[tokio::test]
async fn nobody_makes_more_of_another_than_he_is_and_the_last_administrator_stays() {
    let served = serve().await;
    person(&served, "li", &["administrator"]).await;
    let li = token(&served).await;
    let operator = json!({ "name": "chen", "roles": ["operator"] }).to_string();
    assert_eq!(served.post(&li, "/api/v1/users", &operator).await.problem(403)["code"], "more_than_own");
    assert_eq!(served.post(KEY, "/api/v1/users", &operator).await.status, 201);
    let reset = served.post(&li, "/api/v1/users/chen/password", "").await;
    assert_eq!(reset.problem(403)["code"], "more_than_own", "or he would sign in as the other");
    for (method, body) in
        [("DELETE", ""), ("PUT", r#"{"disabled": true}"#), ("PUT", r#"{"roles": ["auditor"]}"#)]
    {
        let answer = served.ask(method, "/api/v1/users/li", &[("x-api-key", &li)], body).await;
        assert_eq!(answer.problem(409)["code"], "last_administrator", "{method} {body}");
    }
    person(&served, "wang", &["administrator"]).await;
    assert_eq!(served.ask("DELETE", "/api/v1/users/li", &[("x-api-key", KEY)], "").await.status, 200);
    served.get(&li, "/api/v1/calls").await.problem(401);
    let elsewhere = json!({ "name": "op", "roles": ["operator"] }).to_string();
    assert_eq!(served.post(OTHER_KEY, "/api/v1/users", &elsewhere).await.problem(400)["field"], "roles");
    served.get(OTHER_KEY, "/api/v1/users/wang").await.problem(404);
    let there = json!({ "user": "wang", "password": PASSWORD, "tenant": acme().as_str() }).to_string();
    served.ask("POST", "/api/v1/session", &[], &there).await.problem(401);
}
