//! Every refusal is a problem that says what is wrong and where.

use crate::{KEY, OTHER_KEY, furnish, serve};
use cordboard_model::id::TenantId;
use serde_json::json;

#[tokio::test]
async fn each_fault_in_a_query_names_its_parameter() {
    let served = serve().await;
    for (path, field) in [
        ("cdrs?limit=0", "limit"),
        ("cdrs?limit=1001", "limit"),
        ("cdrs?limit=ten", "limit"),
        ("cdrs?from=yesterday", "from"),
        ("cdrs?to=1.5", "to"),
        ("cdrs?agent=a%20b", "agent"),
        ("cdrs?queue=", "queue"),
        ("cdrs?before=42", "before"),
        ("cdrs?before=acme.6b000000-0-1", "before"),
        ("cdrs?size=10", "size"),
        ("cdrs?limit=1&limit=2", "limit"),
        ("recordings?limit=-1", "limit"),
        ("recordings?before=x", "before"),
        ("recordings?from=1", "from"),
        ("events?since=42", "since"),
        ("events?until=1-2", "until"),
    ] {
        let answer = served.get(KEY, &format!("/api/v1/{path}")).await;
        let problem = answer.problem(400);
        assert_eq!(problem["field"], field, "{path}");
        assert!(problem["detail"].as_str().is_some_and(|why| !why.is_empty()), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_none_names_the_entry_expected() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/legs/{}/hold", floor.talking_leg);
    for body in ["", "on", r#"{"on": 1}"#, r#"{"on": true, "for": 3}"#, "{}"] {
        let problem = served.post(KEY, &path, body).await.problem(400);
        assert_eq!(problem["field"], "on", "{body}");
    }
}

#[tokio::test]
async fn a_transfer_that_cannot_be_read_names_the_entry() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/calls/{}/transfer", floor.talking);
    let call = floor.waiting;
    for (body, field) in [
        ("", "to"),
        ("{}", "to"),
        (r#"{"to": ""}"#, "to"),
        (r#"{"to": "10 02"}"#, "to"),
        (r#"{"to": "1002", "why": 1}"#, "to"),
        (&format!(r#"{{"to": "1002", "call": "{call}"}}"#), "to"),
        (&format!(r#"{{"call": "{call}", "consult": true}}"#), "consult"),
    ] {
        let problem = served.post(KEY, &path, body).await.problem(400);
        assert_eq!(problem["field"], field, "{body}");
    }
    for order in ["complete", "cancel"] {
        served.post(KEY, &format!("{path}/{order}"), "").await.problem(409);
    }
}

#[tokio::test]
async fn a_supervision_or_conference_that_cannot_be_read_names_the_entry() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let call = format!("/api/v1/calls/{}", floor.talking);
    for (route, body, field) in [
        ("supervise", "", "mode"),
        ("supervise", r#"{"mode": "spy", "agent": "1009"}"#, "mode"),
        ("supervise", r#"{"mode": "listen"}"#, "agent"),
        ("supervise", r#"{"mode": "listen", "agent": "1009", "extension": "1009"}"#, "agent"),
        ("supervise", r#"{"mode": "listen", "agent": "a b"}"#, "agent"),
        ("supervise", r#"{"mode": "listen", "extension": ""}"#, "extension"),
        ("conference", "{}", "to"),
        ("conference", r#"{"to": "10 02"}"#, "to"),
        ("conference", r#"{"to": "1002", "consulted": true}"#, "to"),
    ] {
        let problem = served.post(KEY, &format!("{call}/{route}"), body).await.problem(400);
        assert_eq!(problem["field"], field, "{route} {body}");
    }
    let key = [("x-api-key", KEY)];
    served.ask("DELETE", &format!("{call}/supervise"), &key, "").await.problem(409);
    let changed = served.ask("PUT", &format!("{call}/supervise"), &key, r#"{"mode": "whisper"}"#).await;
    assert_eq!(changed.status, 200);
    let problem =
        served.ask("PUT", &format!("{call}/supervise"), &key, r#"{"mode": "spy"}"#).await.problem(400);
    assert_eq!(problem["field"], "mode");
    let out = served.ask("DELETE", &format!("{call}/conference/{}", floor.talking_leg), &key, "").await;
    assert_eq!(out.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    for path in [
        "/api/v1/calls/default.6b000000-0-ffff",
        "/api/v1/calls/nonsense",
        "/api/v1/calls/%ff",
        "/api/v1/cdrs/default.6b000000-0-ffff",
        "/api/v1/recordings/default.6b000000-0-ffff",
        "/api/v1/nothing",
        "/api/v2/calls",
        "/api",
        "/assets/nothing.js",
        "/favicon.ico",
    ] {
        let answer = served.get(KEY, path).await;
        // What is no text at all is refused as such.
        answer.problem(if path.ends_with("%ff") { 400 } else { 404 });
    }
    for path in [
        "/api/v1/calls/default.6b000000-0-ffff/hangup",
        "/api/v1/agents/1009/ready",
        "/api/v1/agents/1001/dance",
        "/api/v1/agents/a%20b/ready",
        "/api/v1/forget/config",
    ] {
        served.post(KEY, path, "").await.problem(404);
    }
}

#[tokio::test]
async fn what_cannot_be_now_is_409() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    served.post(KEY, "/api/v1/agents/1001/sign-out", "").await.ok();
    let problem = served.post(KEY, "/api/v1/agents/1001/ready", "").await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("sign in first"));
}

#[tokio::test]
async fn a_method_that_a_route_does_not_have_is_405_and_names_those_it_has() {
    let served = serve().await;
    let answer = served.post(KEY, "/api/v1/queues", "").await;
    answer.problem(405);
    assert_eq!(answer.header("allow"), "GET,HEAD");
    let answer = served.get(KEY, "/api/v1/config/reload").await;
    answer.problem(405);
    assert_eq!(answer.header("allow"), "POST");
    served.post(KEY, "/", "").await.problem(405);
}

#[tokio::test]
async fn the_stream_asked_for_without_an_upgrade_is_a_problem() {
    let served = serve().await;
    let answer = served.get(KEY, "/api/v1/events").await;
    assert!((400..500).contains(&answer.status));
    answer.problem(answer.status);
}

#[tokio::test]
async fn every_answer_forbids_sniffing_and_caching() {
    let served = serve().await;
    for path in ["/api/v1/calls", "/api/v1/nothing", "/healthz"] {
        let answer = served.get(KEY, path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let default = if path.starts_with("/api/") { "default-src 'none'" } else { "default-src 'self'" };
        assert!(answer.header("content-security-policy").starts_with(default));
    }
}

#[tokio::test]
async fn data_of_a_call_is_changed_entry_by_entry_and_taken_away_with_null() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/calls/{}/data", floor.talking);
    let key = [("x-api-key", KEY)];
    served.ask("PATCH", &path, &key, r#"{"order": 4711, "lines": [1, 2]}"#).await.ok();
    served.ask("PATCH", &path, &key, r#"{"order": null, "vip": true}"#).await.ok();
    let view = served.get(KEY, &format!("/api/v1/calls/{}", floor.talking)).await.ok();
    let data = &view["data"];
    assert_eq!(
        (&data["lines"], &data["vip"], data.get("order")),
        (&json!([1, 2]), &json!(true), None),
        "{view}"
    );
    for wrong in ["", "[]", "7"] {
        served.ask("PATCH", &path, &key, wrong).await.problem(400);
    }
    served.ask("PATCH", &path, &[("x-api-key", OTHER_KEY)], "{}").await.problem(404);
}

#[tokio::test]
async fn who_is_sent_aside_goes_to_a_flow_that_is_named_with_data_and_is_taken_back() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/calls/{}/aside", floor.talking);
    for (body, field) in [
        ("", "flow"),
        ("{}", "flow"),
        (r#"{"flow": "a b"}"#, "flow"),
        (r#"{"flow": "verify", "data": 1}"#, "flow"),
        (r#"{"flow": "verify", "to": "1002"}"#, "flow"),
    ] {
        let problem = served.post(KEY, &path, body).await.problem(400);
        assert_eq!(problem["field"], field, "{body}");
    }
    let sent = served.post(KEY, &path, r#"{"flow": "verify", "data": {"amount": 1999}}"#).await;
    assert_eq!(sent.status, 200);
    let told = sent.text();
    assert!(told.contains("default/verify") && told.contains("1999"), "{told}");
    served.ask("DELETE", &path, &[("x-api-key", KEY)], "").await.problem(409);
}
