//! Agents whom an enterprise's page signs in: whose yes is needed, which pages may, and what the cookies open.

use crate::fake::third_party::{GOOD, SPACE};
use crate::http::Answer;
use crate::{KEY, Served, furnish, serve};
use cordboard_model::access::AccessTerms;
use cordboard_model::id::TenantId;
use cordboard_model::time::Wall;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SESSION: &str = "/api/v1/third-party/session";
const REFRESH: &str = "/api/v1/third-party/session/refresh";
const CRM: &str = "https://crm.example";

async fn house() -> Served {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let terms = AccessTerms { origins: [CRM.to_owned()].into(), ..AccessTerms::default() };
    served.switch.shelf.open().terms.insert(TenantId::DEFAULT, terms);
    served
}

fn shown(token: &str) -> Value {
    json!({ "access_token": token, "tenantSpaceId": SPACE, "userAccount": "1001" })
}

async fn post(served: &Served, origin: &str, body: &Value) -> Answer {
    // as jQuery posts a text: no preflight comes before it
    let kind = ("content-type", "application/x-www-form-urlencoded");
    served.ask("POST", SESSION, &[("origin", origin), kind], &body.to_string()).await
}

/// The cookies that an answer sets, as a browser sends them back.
fn jar(answer: &Answer) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    answer.all("set-cookie").iter().filter_map(|line| pair(line)).collect()
}

fn cookies(jar: &BTreeMap<String, String>) -> String {
    jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn an_agent_for_whom_his_enterprise_speaks_has_four_cookies_and_his_own_desk() {
    let served = house().await;
    let answer = post(&served, CRM, &shown(GOOD)).await;
    let said = answer.ok();
    assert!(said["agent"].to_string().contains("1001"), "{said}");
    assert_eq!(answer.header("access-control-allow-origin"), CRM);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    let jar = jar(&answer);
    assert_eq!(jar.keys().collect::<Vec<_>>(), ["sum_atime", "sum_refresh_token", "sum_sid", "sum_token"]);
    for line in answer.all("set-cookie") {
        assert!(line.contains("; Secure;") && line.contains("SameSite=None"), "{line}");
        assert_eq!(line.contains("HttpOnly"), !line.starts_with("sum_atime="), "{line}");
    }
    assert!(!answer.text().contains(&jar["sum_token"]), "no script sees it");
    assert!(!answer.text().contains(&jar["sum_refresh_token"]));
    let cookie = cookies(&jar);
    let own = served.ask("GET", SESSION, &[("cookie", &cookie), ("origin", CRM)], "").await.ok();
    assert_eq!(own["csrf"], said["csrf"]);
    assert_eq!(own["display"], "Li Wei");
    let desk = "/api/v1/agents/1001/desk";
    let seen = served.ask("GET", desk, &[("cookie", &cookie)], "").await;
    seen.ok();
    assert!(!seen.header("ratelimit").is_empty(), "his requests are counted as anybody's");
    let other = served.ask("GET", "/api/v1/agents/1002/desk", &[("cookie", &cookie)], "").await;
    assert_eq!(other.problem(403)["code"], "not_his");
    served.ask("GET", "/api/v1/users", &[("cookie", &cookie)], "").await.problem(403);
    assert_eq!(served.get(KEY, SESSION).await.problem(403)["code"], "no_agent");
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing_and_opens_nothing_to_other_pages() {
    let served = house().await;
    let answer = post(&served, CRM, &shown(GOOD)).await;
    let (said, cookie) = (answer.ok(), cookies(&jar(&answer)));
    let csrf = said["csrf"].as_str().unwrap();
    let hold = "/api/v1/agents/1001/hold";
    let ask = async |headers: &[(&str, &str)]| {
        let all: Vec<_> = [("cookie", cookie.as_str())].iter().chain(headers).copied().collect();
        served.ask("POST", hold, &all, "").await
    };
    assert_eq!(ask(&[("origin", CRM)]).await.problem(403)["code"], "csrf");
    assert_eq!(ask(&[("origin", CRM), ("x-csrf-token", "guess")]).await.problem(403)["code"], "csrf");
    let foreign = [("origin", "https://crm.example.evil.example"), ("x-csrf-token", csrf)];
    assert_eq!(ask(&foreign).await.problem(403)["code"], "csrf");
    let said = ask(&[("origin", CRM), ("x-csrf-token", csrf)]).await.ok();
    assert!(said["done"][0].as_str().unwrap().contains("by agent 1001"), "{said}");
    let evil = [("cookie", cookie.as_str()), ("origin", "https://evil.example")];
    let read = served.ask("GET", SESSION, &evil, "").await;
    assert!(!read.has_header("access-control-allow-origin"));
    read.problem(403);
}

#[tokio::test]
async fn only_a_yes_signs_in_and_each_other_answer_has_its_word() {
    let served = house().await;
    for (token, status, code) in [
        ("expired", 401, "not_vouched_for"),
        ("silent", 504, "enterprise_silent"),
        ("garbage", 502, "enterprise_garbage"),
    ] {
        let answer = post(&served, CRM, &shown(token)).await;
        assert!(!answer.has_header("set-cookie"), "{token}");
        assert_eq!(answer.problem(status)["code"], code, "{token}");
    }
    let said = post(&served, CRM, &shown("expired")).await.problem(401);
    assert_eq!(said["detail"], "the token has expired", "the enterprise's own words");
    let nobody = json!({ "access_token": GOOD, "tenantSpaceId": SPACE, "userAccount": "4711" });
    assert_eq!(post(&served, CRM, &nobody).await.problem(403)["code"], "no_such_agent");
    let elsewhere = json!({ "access_token": GOOD, "tenantSpaceId": "space-2", "userAccount": "1001" });
    assert_eq!(post(&served, CRM, &elsewhere).await.problem(401)["code"], "not_vouched_for");
    for (field, body) in [
        ("access_token", json!({ "access_token": "", "tenantSpaceId": SPACE, "userAccount": "1" })),
        ("tenantSpaceId", json!({ "access_token": "x", "tenantSpaceId": "", "userAccount": "1" })),
        ("userAccount", json!({ "access_token": "x", "tenantSpaceId": SPACE, "userAccount": "" })),
        ("access_token", json!([1])),
    ] {
        assert_eq!(post(&served, CRM, &body).await.problem(400)["field"], field, "{body}");
    }
    let sample = json!({ "access_token": GOOD, "tenantSpaceld": SPACE, "userAccount": "1001" });
    post(&served, CRM, &sample).await.ok();
}

#[tokio::test]
async fn no_page_but_those_that_the_tenant_lists_signs_anybody_in() {
    let served = house().await;
    for origin in ["https://evil.example", "https://CRM.example", "http://crm.example", "null"] {
        let answer = post(&served, origin, &shown(GOOD)).await;
        assert!(!answer.has_header("access-control-allow-origin"), "{origin}");
        assert_eq!(answer.problem(403)["code"], "origin", "{origin}");
    }
    let none = served.ask("POST", SESSION, &[], &shown(GOOD).to_string()).await;
    assert_eq!(none.problem(403)["code"], "origin");
    let own = format!("https://{}", served.addr);
    post(&served, &own, &shown(GOOD)).await.ok();
}

#[tokio::test]
async fn who_shows_tokens_that_no_enterprise_knows_has_to_wait() {
    let served = house().await;
    for _ in 0..20 {
        post(&served, CRM, &shown("guess")).await.problem(401);
    }
    let answer = post(&served, CRM, &shown(GOOD)).await;
    assert!(answer.has_header("retry-after"));
    answer.problem(429);
}

#[tokio::test]
async fn a_session_goes_on_with_other_cookies_and_a_stolen_one_ends() {
    let served = house().await;
    let first = jar(&post(&served, CRM, &shown(GOOD)).await);
    let again = async |jar: &BTreeMap<String, String>, origin: &str| {
        served.ask("POST", REFRESH, &[("cookie", &cookies(jar)), ("origin", origin)], "").await
    };
    assert_eq!(again(&first, "https://evil.example").await.problem(403)["code"], "origin");
    let answer = again(&first, CRM).await;
    answer.ok();
    let second = jar(&answer);
    assert_ne!(first["sum_token"], second["sum_token"]);
    assert_ne!(first["sum_refresh_token"], second["sum_refresh_token"]);
    assert_eq!(first["sum_sid"], second["sum_sid"]);
    assert_eq!(again(&first, CRM).await.problem(409)["code"], "refreshed_already");
    let now = served.switch.shelf.open().now.unwrap_or(crate::fake::vault::BEGIN);
    served.switch.shelf.open().now = Some(Wall(now.0 + 60_000));
    assert_eq!(again(&first, CRM).await.problem(401)["code"], "session_over");
    assert_eq!(again(&second, CRM).await.problem(401)["code"], "session_over", "neither has it any more");
    assert_eq!(again(&BTreeMap::new(), CRM).await.problem(401)["code"], "session_over");
}

#[tokio::test]
async fn a_page_that_is_loaded_again_keeps_its_session() {
    let served = house().await;
    let first = jar(&post(&served, CRM, &shown(GOOD)).await);
    let headers = [("origin", CRM), ("cookie", &cookies(&first))];
    let second = jar(&served.ask("POST", SESSION, &headers, &shown(GOOD).to_string()).await);
    assert_eq!(first["sum_token"], second["sum_token"]);
    // without the cookies it is another browser, and the session of the first one is taken over
    let third = jar(&post(&served, CRM, &shown(GOOD)).await);
    assert_ne!(first["sum_token"], third["sum_token"]);
    // a cookie does not stand for the enterprise's yes
    let refused = served.ask("POST", SESSION, &headers, &shown("expired").to_string()).await;
    refused.problem(401);
}

#[tokio::test]
async fn an_agent_signs_out_and_his_cookies_go() {
    let served = house().await;
    let answer = post(&served, CRM, &shown(GOOD)).await;
    let (said, cookie) = (answer.ok(), cookies(&jar(&answer)));
    let headers = [("cookie", cookie.as_str()), ("origin", CRM)];
    assert_eq!(served.ask("DELETE", SESSION, &headers, "").await.problem(403)["code"], "csrf");
    let headers = [headers[0], headers[1], ("x-csrf-token", said["csrf"].as_str().unwrap())];
    let out = served.ask("DELETE", SESSION, &headers, "").await;
    let done = out.ok();
    assert!(done["done"][0].as_str().unwrap().contains("SignOut"), "{done}");
    assert_eq!(out.all("set-cookie").len(), 4);
    assert!(out.all("set-cookie").iter().all(|line| line.ends_with("Max-Age=0")));
    let again = served.ask("POST", REFRESH, &headers, "").await;
    assert_eq!(again.problem(401)["code"], "session_over", "nothing is left to go on with");
}

#[tokio::test]
async fn sessions_of_agents_are_listed_and_ended_by_who_may() {
    let served = house().await;
    let list = served.get(KEY, "/api/v1/agent-sessions").await.ok();
    let first = &list["items"][0];
    assert!(first["agent"].to_string().contains("1001"), "{list}");
    assert_eq!(first["session"]["where"], "desk 7");
    let path = "/api/v1/agent-sessions/1001";
    let done = served.ask("DELETE", path, &[("x-api-key", KEY)], "").await.ok();
    assert!(done["done"][0].as_str().unwrap().contains("signed_out"), "{done}");
    let agent = jar(&post(&served, CRM, &shown(GOOD)).await);
    let his = served.ask("GET", "/api/v1/agent-sessions", &[("cookie", &cookies(&agent))], "").await;
    assert_eq!(his.problem(403)["code"], "not_his");
}
