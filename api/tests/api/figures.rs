//! Reports, the wall and raw records, as routes give them.

use crate::{KEY, OTHER_KEY, acme, furnish, serve};
use cordboard_model::id::TenantId;
use serde_json::json;

#[tokio::test]
async fn a_report_is_json_or_a_table_for_spreadsheets_that_holds_no_formula() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let path = "/api/v1/reports/trunks?from=1000&to=901000&interval=15m";
    let report = served.get(KEY, path).await.ok();
    assert_eq!((&report["by"], &report["interval"]), (&json!("trunks"), &json!("15m")));
    assert_eq!((&report["from"], &report["rows"][0]["offered"]), (&json!(1_000), &json!(1)));
    assert_eq!(report["rows"][0]["service_level"], json!(null), "a part of nothing");
    let table = served.get(KEY, &format!("{path}&format=csv")).await;
    assert_eq!(table.status, 200);
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(table.header("content-disposition"), "attachment; filename=\"trunks-1000.csv\"");
    let text = table.text();
    assert!(text.starts_with("local,from,to,name,calls,") && text.ends_with("\r\n"), "{text}");
    assert!(text.contains(",1000,901000,'+1,"), "a name that begins like a formula is a text: {text}");
}

#[tokio::test]
async fn every_mistake_in_what_is_asked_for_is_named() {
    let served = serve().await;
    let field = async |path: &str| served.get(KEY, path).await.problem(400)["field"].clone();
    assert_eq!(field("/api/v1/reports/queues?interval=2h").await, "interval");
    assert_eq!(field("/api/v1/reports/queues?format=xls").await, "format");
    assert_eq!(field("/api/v1/reports/queues?from=yesterday").await, "from");
    assert_eq!(field("/api/v1/reports/queues?to=2026-3-1").await, "to");
    assert_eq!(field("/api/v1/reports/queues?queue=sales").await, "queue");
    assert_eq!(field("/api/v1/queue-visits?limit=0").await, "limit");
    assert_eq!(field("/api/v1/queue-visits?call=nonsense").await, "call");
    assert_eq!(field("/api/v1/legs?queue=sales").await, "queue");
    served.get(KEY, "/api/v1/reports/moods").await.problem(404);
    served.get("", "/api/v1/reports/queues").await.problem(401);
    served.get(KEY, "/api/v1/reports/queues?from=2026-13-01").await.problem(422);
    for good in ["2026-03-29", "1795220379511", "2026-03-29T08:00:00%2B02:00"] {
        served.get(KEY, &format!("/api/v1/reports/queues?from={good}")).await.ok();
    }
}

#[tokio::test]
async fn raw_records_are_found_by_queue_and_call_and_no_tenant_sees_what_is_anothers() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    furnish(&served.switch, acme());
    let list = served.get(KEY, "/api/v1/queue-visits?queue=sales").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let visit = &list["items"][0];
    assert_eq!((&visit["call"], &visit["outcome"]), (&json!(floor.over.to_string()), &json!("abandoned")));
    let none = served.get(KEY, "/api/v1/queue-visits?queue=help").await.ok();
    assert_eq!(none["items"], json!([]));
    // Another tenant's call is none that one could name.
    served.get(OTHER_KEY, &format!("/api/v1/queue-visits?call={}", floor.over)).await.problem(400);
    for path in ["legs", "agent-intervals"] {
        assert!(served.get(KEY, &format!("/api/v1/{path}?agent=1001")).await.ok()["items"].is_array());
    }
}

#[tokio::test]
async fn the_wall_is_the_tenants_own() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    assert_eq!(served.get(KEY, "/api/v1/wall").await.ok()["today"]["calls"], 2);
    assert_eq!(served.get(OTHER_KEY, "/api/v1/wall").await.ok()["today"]["calls"], 0);
}
