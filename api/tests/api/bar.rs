//! What the agent bar asks for: a phone, targets, the desk as it changes, and the script for pages of other origins.

use crate::fake::door::{CHIEF, TOKEN};
use crate::fake::third_party::{GOOD, SPACE};
use crate::{KEY, OTHER_KEY, Served, acme, furnish, serve};
use cordboard_model::access::AccessTerms;
use cordboard_model::event::EventKind;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::view::AgentStatus;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

const SCRIPT: &str = "/service-cloud/ccdesktop/pages/cc-bar/js/ccbarclient.js";
const CRM: &str = "https://crm.example";

#[tokio::test]
async fn a_session_is_given_a_phone_for_its_own_agent_alone() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let path = "/api/v1/agents/1001/phone";
    let phone = served.ask("POST", path, &[("authorization", &format!("Bearer {TOKEN}"))], "").await;
    assert_eq!(phone.header("cache-control"), "no-store");
    let phone = phone.ok();
    assert_eq!(phone["uri"], "sip:1001@default.example");
    assert_eq!(phone["username"], "1001~1");
    assert_eq!(phone["lasts"], 600);
    assert_eq!(phone["path"], "/sip");
    assert!(phone["password"].as_str().is_some_and(|password| !password.is_empty()));
    served.post(KEY, path, "").await.ok();
    for token in [TOKEN, CHIEF] {
        let headers = [("authorization", format!("Bearer {token}"))];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = served.ask("POST", "/api/v1/agents/1002/phone", &headers, "").await.problem(403);
        assert_eq!(refused["code"], "not_his", "{token}");
    }
    served.post(KEY, "/api/v1/agents/nobody/phone", "").await.problem(404);
    served.ask("POST", path, &[], "").await.problem(401);
}

#[tokio::test]
async fn what_another_telephone_needs_is_told_to_its_agent_alone() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let path = "/api/v1/agents/1001/telephones";
    let own = served.ask("GET", path, &[("authorization", &format!("Bearer {TOKEN}"))], "").await.ok();
    assert_eq!((&own["account"]["name"], &own["domain"]), (&"1001".into(), &"default.example".into()));
    assert_eq!(
        own["servers"],
        serde_json::json!([{ "transport": "udp", "address": "192.0.2.5", "port": 5060 }])
    );
    assert_eq!(own["devices"][0]["user_agent"], "Desk phone 1");
    assert!(own.get("password").is_none());
    for token in [TOKEN, CHIEF] {
        let token = format!("Bearer {token}");
        let path = "/api/v1/agents/1002/telephones";
        let refused = served.ask("GET", path, &[("authorization", &token)], "").await.problem(403);
        assert_eq!(refused["code"], "not_his");
    }
    served.get(KEY, "/api/v1/agents/nobody/telephones").await.problem(404);
    served.ask("GET", path, &[], "").await.problem(401);
}

#[tokio::test]
async fn targets_are_colleagues_queues_flows_and_numbers_without_any_caller() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    furnish(&served.switch, acme());
    let headers = [("authorization", format!("Bearer {TOKEN}"))];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = served.ask("GET", "/api/v1/agents/1001/targets", &headers, "").await;
    let targets = answer.ok();
    let agents = targets["agents"].as_array().unwrap();
    assert!(
        agents.iter().all(|agent| agent["agent"]["name"] != "1001" && agent["agent"]["tenant"] == "default")
    );
    let queue = targets["queues"].as_array().unwrap().iter();
    let queue = queue.clone().find(|queue| queue["name"] == floor.queue.name.as_str()).unwrap();
    assert_eq!(queue["waiting"], 1);
    assert!(queue["since"].is_i64());
    assert_eq!(targets["numbers"], serde_json::json!(["+493055500"]));
    assert!(!answer.text().contains(&floor.waiting.to_string()), "who waits is nobody's business");
    served.get(KEY, "/api/v1/agents/nobody/targets").await.problem(404);
}

/// One who follows a desk.
struct Reader {
    lines: Lines<BufReader<OwnedReadHalf>>,
    _open: OwnedWriteHalf,
}

impl Reader {
    async fn open(served: &Served) -> Self {
        let (read, mut write) = TcpStream::connect(served.addr).await.unwrap().into_split();
        let request = format!(
            "GET /api/v1/agents/1001/desk/turns HTTP/1.1\r\nHost: switch\r\nAuthorization: Bearer {TOKEN}\r\n\
             Accept: text/event-stream\r\n\r\n"
        );
        write.write_all(request.as_bytes()).await.unwrap();
        Self { lines: BufReader::new(read).lines(), _open: write }
    }

    async fn next(&mut self) -> Value {
        loop {
            let line = tokio::time::timeout(Duration::from_secs(10), self.lines.next_line()).await;
            let line = line.expect("a turn").unwrap().expect("the stream goes on");
            if let Some(text) = line.strip_prefix("data: ") {
                return serde_json::from_str(text).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_desk_that_is_followed_comes_whole_after_each_change_with_the_references_events() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
    let becomes = |status: AgentStatus| {
        let agent = agent.clone();
        served.switch.on(TenantId::DEFAULT, move |floor| {
            floor.event(EventKind::AgentStatus {
                agent,
                status,
                why: "asked for it".into(),
                call: None,
                reason: None,
                by: None,
            });
        });
    };
    becomes(AgentStatus::NotReady);
    let mut reader = Reader::open(&served).await;
    let first = reader.next().await;
    assert_eq!(first["desk"]["agent"]["name"], "1001");
    assert_eq!(first["events"], serde_json::json!([]), "what was before is not news");
    becomes(AgentStatus::Ready);
    let turn = reader.next().await;
    assert_eq!(turn["desk"]["status"], "ready");
    let kinds: Vec<&str> =
        turn["events"].as_array().unwrap().iter().map(|event| event["eventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["AgentState_CancelNotReady_Success", "AgentState_Ready"]);
    assert_eq!(turn["events"][1]["workNo"], "1001");
    assert!(turn["events"][1]["content"].is_null());
    becomes(AgentStatus::Rest);
    let turn = reader.next().await;
    assert_eq!(turn["events"][0]["eventType"], "AgentState_SetRest_Success");
    assert_eq!(turn["events"][0]["content"]["reason"], "0");
}

#[tokio::test]
async fn a_desk_is_followed_by_who_asks_for_a_stream_and_may_see_it() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    served.get(KEY, "/api/v1/agents/1001/desk/turns").await.problem(406);
    let stream = ("accept", "text/event-stream");
    let ask = async |path: &str, token: &str| {
        served.ask("GET", path, &[("authorization", &format!("Bearer {token}")), stream], "").await
    };
    ask("/api/v1/agents/1002/desk/turns", TOKEN).await.problem(403);
    ask("/api/v1/agents/nobody/desk/turns", KEY).await.problem(404);
    ask("/api/v1/agents/planted/desk/turns", OTHER_KEY).await.problem(404);
}

fn lists(served: &Served, tenant: TenantId) {
    let mut chest = served.switch.shelf.open();
    let terms: &mut AccessTerms = chest.terms.entry(tenant).or_default();
    terms.origins.insert(CRM.to_owned());
}

#[tokio::test]
async fn the_script_is_given_to_pages_that_the_tenant_lists_and_to_no_others() {
    let served = serve().await;
    lists(&served, TenantId::DEFAULT);
    let body = r#"{"access_token": "t", "tenantSpaceId": "default", "userAccount": "</script>"}"#;
    let headers = [("origin", CRM), ("content-type", "application/x-www-form-urlencoded")];
    let given = served.ask("POST", SCRIPT, &headers, body).await;
    assert_eq!(given.status, 200, "{}", given.text());
    assert_eq!(given.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(given.header("access-control-allow-origin"), CRM);
    assert_eq!(given.header("access-control-allow-credentials"), "true");
    assert_eq!(given.header("cross-origin-resource-policy"), "cross-origin");
    assert!(given.text().contains("ccbarclient") && !given.text().contains("</script>"));
    let by_element = served.ask("GET", &format!("{SCRIPT}?tenant=default&account=1001"), &[], "").await;
    assert!(by_element.text().contains(r#""account":"1001""#));
    // the other tenant does not list it, and neither does anybody another origin
    let other = r#"{"tenantSpaceId": "acme"}"#;
    assert_eq!(served.ask("POST", SCRIPT, &headers, other).await.problem(403)["code"], "origin");
    let evil = [("origin", "https://evil.example")];
    let refused = served.ask("POST", SCRIPT, &evil, body).await;
    assert!(!refused.has_header("access-control-allow-origin"));
    assert_eq!(refused.problem(403)["code"], "origin");
    assert_eq!(served.ask("POST", SCRIPT, &headers, "{").await.problem(400)["field"], "body");
}

#[tokio::test]
async fn the_bar_may_be_framed_by_pages_that_its_tenant_lists() {
    let served = serve().await;
    lists(&served, acme());
    let frames = async |path: &str| {
        let answer = served.ask("GET", path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").to_owned();
        let part = policy.split(';').find_map(|part| part.trim().strip_prefix("frame-ancestors "));
        part.unwrap_or_default().to_owned()
    };
    assert_eq!(frames("/bar.html?tenant=acme").await, format!("'self' {CRM}"));
    assert_eq!(frames("/bar.html").await, "'self'");
    assert_eq!(frames("/bar.html?tenant=nobody").await, "'self'");
    assert_eq!(frames("/?tenant=acme").await, "'none'");
}

#[tokio::test]
async fn a_page_whose_enterprise_speaks_for_its_agent_has_the_script_and_his_session_by_cookies() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    lists(&served, TenantId::DEFAULT);
    let body = |token: &str| {
        let shown =
            serde_json::json!({ "access_token": token, "tenantSpaceId": SPACE, "userAccount": "1001" });
        shown.to_string()
    };
    let headers = [("origin", CRM), ("content-type", "application/x-www-form-urlencoded")];
    let given = served.ask("POST", SCRIPT, &headers, &body(GOOD)).await;
    assert_eq!(given.status, 200, "{}", given.text());
    assert!(given.text().contains(r#""signed":true"#));
    let lines = given.all("set-cookie");
    assert_eq!(lines.len(), 4);
    let cookie = lines.iter().filter_map(|line| line.split(';').next()).collect::<Vec<_>>().join("; ");
    let own = served.ask("GET", "/api/v1/third-party/session", &[("cookie", &cookie)], "").await.ok();
    assert_eq!(own["agent"]["name"], "1001");
    let refused = served.ask("POST", SCRIPT, &headers, &body("another")).await;
    assert_eq!(refused.all("set-cookie").len(), 0);
    assert_eq!(refused.problem(401)["code"], "not_vouched_for");
}
