//! Applications that have agents' sessions for tokens that they have signed.

use crate::fake::application::{ASKING_CLIENT, CLIENT, KNOWN, SECRET};
use crate::http::Answer;
use crate::{Served, furnish, serve, serve_on};
use base64::Engine;
use cordboard_api::state::ApiConfig;
use cordboard_model::id::TenantId;
use serde_json::Value;

const EXCHANGE: &str = "/oauth/token_exchange";
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";

/// A token that was signed once, by its name.
fn token(name: &str) -> &'static str {
    let lines = include_str!("../../src/aliyun/jwt/vectors.tsv").lines();
    let mut rows = lines.map(|line| line.split('\t').collect::<Vec<_>>());
    rows.find(|row| row[0] == name).unwrap()[2]
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

async fn house() -> Served {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    served
}

async fn ask(served: &Served, query: &str, body: &str) -> Answer {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let client = basic(CLIENT, SECRET);
    served.ask("POST", &format!("{EXCHANGE}{query}"), &[("authorization", &client), form], body).await
}

fn form(name: &str) -> String {
    format!("grant_type={GRANT}&scope=user_management%2C+hotline&subject_token={}", token(name))
}

fn error(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(!answer.has_header("set-cookie"));
    let said = answer.json();
    assert!(said["error_description"].as_str().is_some_and(|why| !why.is_empty()), "{said}");
    said["error"].clone()
}

#[tokio::test]
async fn a_signed_token_is_exchanged_for_the_agents_own_session() {
    let served = house().await;
    let answer = ask(&served, "", &form("good")).await;
    let said = answer.ok();
    assert_eq!(said["token_type"], "bearer");
    assert_eq!(said["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert_eq!(said["scope"], "user_management,hotline");
    assert_eq!(said["iss"], "https://crm.example");
    assert_eq!(said["jti"], "b774ef13-a5bc-4cf0-8346-042d879efb1a");
    assert!(said["expires_in"].as_u64().is_some_and(|seconds| seconds > 60), "{said}");
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = said["access_token"].as_str().unwrap();
    let line = answer.header("set-cookie");
    assert!(line.starts_with(&format!("AC_TOKEN={token};")) && line.contains("HttpOnly"), "{line}");
    assert!(line.contains("; Secure;") && line.contains("SameSite=None"), "{line}");
    let bearer = format!("Bearer {token}");
    let desk = "/api/v1/agents/1001/desk";
    served.ask("GET", desk, &[("authorization", &bearer)], "").await.ok();
    let cookie = format!("AC_TOKEN={token}");
    served.ask("GET", desk, &[("cookie", &cookie)], "").await.ok();
    let hold = served.ask("POST", "/api/v1/agents/1001/hold", &[("cookie", &cookie)], "").await;
    assert_eq!(hold.problem(403)["code"], "csrf");
    assert_eq!(error(&ask(&served, "", &form("good")).await, 400), "invalid_grant", "it opens once");
    // the sample of the reference has everything in the query
    ask(&served, &format!("?{}", form("a later one")), "").await.ok();
}

#[tokio::test]
async fn only_the_application_itself_exchanges_tokens() {
    let served = house().await;
    for client in [
        "",
        "Bearer x",
        "Basic !",
        &basic(CLIENT, "another-secret-of-it"),
        &basic("another-client", SECRET),
        &basic(CLIENT, ""),
    ] {
        let answer = served.ask("POST", EXCHANGE, &[("authorization", client)], &form("good")).await;
        assert!(answer.header("www-authenticate").starts_with("Basic "), "{client}");
        assert_eq!(error(&answer, 401), "invalid_client", "{client}");
    }
    ask(&served, "", &form("good")).await.ok();
    for _ in 0..20 {
        served.ask("POST", EXCHANGE, &[("authorization", &basic(CLIENT, "x"))], "").await;
    }
    let slowed = ask(&served, "", &form("a later one")).await;
    assert!(slowed.has_header("retry-after"));
    assert_eq!(error(&slowed, 429), "temporarily_unavailable");
}

#[tokio::test]
async fn each_fault_of_an_exchange_has_the_word_of_the_standard() {
    let served = house().await;
    let good = form("good");
    for (body, word) in [
        (good.replace("grant-type", "grant"), "unsupported_grant_type"),
        (good.replace("grant_type", "type"), "unsupported_grant_type"),
        (good.replace("hotline", "everything"), "invalid_scope"),
        (good.replace("subject_token", "token"), "invalid_request"),
        (format!("{good}&subject_token=another"), "invalid_request"),
        (
            format!("{good}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2"),
            "invalid_request",
        ),
        (format!("{good}&subject_issuer=https%3A%2F%2Fother.example"), "invalid_request"),
        (form("expired"), "invalid_grant"),
        (form("other audience"), "invalid_grant"),
        (form("another key"), "invalid_grant"),
        (form("hmac with the public key"), "invalid_grant"),
        (form("alg none"), "invalid_grant"),
        (form("of another agent"), "invalid_grant"),
    ] {
        assert_eq!(error(&ask(&served, "", &body).await, 400), word, "{body}");
    }
    let whole = "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&subject_issuer=https%3A%2F%2Fcrm.example";
    ask(&served, "", &format!("{good}{whole}&redirect_url=https%3A%2F%2Fcrm.example%2Fcallback")).await.ok();
}

/// What this start does not remember, the store does; and where that cannot say, nothing opens and nothing is used up.
#[tokio::test]
async fn what_opens_once_is_asked_of_the_store_and_nothing_opens_while_that_is_down() {
    let served = house().await;
    served.switch.shelf.open().down = true;
    assert_eq!(ask(&served, "", &form("good")).await.status, 503);
    served.switch.shelf.open().down = false;
    ask(&served, "", &form("good")).await.ok();
    let again = serve_on(served.switch.clone(), ApiConfig::default()).await;
    assert_eq!(error(&ask(&again, "", &form("good")).await, 400), "invalid_grant", "after a restart, too");
    ask(&again, "", &form("a later one")).await.ok();
}

/// The exchange as the application asks for it whose system is asked.
async fn shown(served: &Served, token: &str, more: &str) -> Answer {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let client = basic(ASKING_CLIENT, SECRET);
    let body = format!("grant_type={GRANT}&subject_token={}{more}", token.replace('!', "%21"));
    served.ask("POST", EXCHANGE, &[("authorization", &client), form], &body).await
}

#[tokio::test]
async fn the_token_of_another_system_is_exchanged_as_often_as_that_knows_it() {
    let served = house().await;
    let kind = "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";
    let whole = format!("{kind}&subject_issuer=sales&scope=user_management,hotline");
    let answer = shown(&served, KNOWN, &whole).await;
    let said = answer.ok();
    assert_eq!((&said["token_type"], &said["iss"]), (&"bearer".into(), &"sales".into()));
    let token = said["access_token"].as_str().unwrap();
    assert!(answer.header("set-cookie").starts_with(&format!("AC_TOKEN={token};")));
    let bearer = format!("Bearer {token}");
    let desk = "/api/v1/agents/1001/desk";
    served.ask("GET", desk, &[("authorization", &bearer)], "").await.ok();
    let again = shown(&served, KNOWN, "").await.ok();
    assert_ne!(again["jti"], said["jti"], "each exchange has its own");
}

#[tokio::test]
async fn whom_the_other_system_does_not_know_is_nobody_and_is_slowed() {
    let served = house().await;
    let long = "x".repeat(9_000);
    for (token, status, word) in [
        ("of-a-stranger", 400, "invalid_grant"),
        ("of-nobody", 400, "invalid_grant"),
        ("of-somebody-else", 400, "invalid_grant"),
        ("two%20words", 400, "invalid_grant"),
        ("with%0D%0Aa-line", 400, "invalid_grant"),
        (&long, 400, "invalid_grant"),
        ("silent", 504, "temporarily_unavailable"),
        ("garbage", 502, "server_error"),
    ] {
        assert_eq!(error(&shown(&served, token, "").await, status), word, "{token}");
    }
    for wrong in [
        "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt",
        "&subject_issuer=https%3A%2F%2Fcrm.example",
    ] {
        assert_eq!(error(&shown(&served, KNOWN, wrong).await, 400), "invalid_request", "{wrong}");
    }
    // a signed token says nothing here, and the other application is not believed by an access token
    assert_eq!(error(&shown(&served, token("good"), "").await, 400), "invalid_grant");
    let body = form("good").replace(token("good"), "of-somebody-else");
    assert_eq!(error(&ask(&served, "", &body).await, 400), "invalid_grant");
    for _ in 0..20 {
        shown(&served, "of-somebody-else", "").await;
    }
    assert_eq!(error(&shown(&served, KNOWN, "").await, 429), "temporarily_unavailable");
}
