//! What is configured, over the API: versions, preconditions, rows of many changes.

use crate::http::Answer;
use crate::{KEY, OTHER_KEY, Served, furnish, serve};
use cordboard_model::id::{QueueId, TenantId};
use cordboard_model::leg::PartyId;
use serde_json::json;

const SALES: &str = "/api/v1/config/queues/sales";

async fn put(served: &Served, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let headers: Vec<_> = [("x-api-key", KEY)].into_iter().chain(more.iter().copied()).collect();
    served.ask("PUT", path, &headers, body).await
}

#[tokio::test]
async fn a_thing_is_made_read_changed_and_deleted_by_its_version() {
    let served = serve().await;
    let made =
        put(&served, SALES, &[("if-none-match", "*")], r#"{"ring": "20s", "password": "hidden"}"#).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(!made.text().contains("hidden"));
    assert_eq!(made.json()["secrets"], json!(["password"]));
    let first = made.header("etag").to_owned();
    let read = served.get(KEY, SALES).await;
    assert_eq!((read.status, read.header("etag")), (200, first.as_str()));
    let key = ("x-api-key", KEY);
    let same = served.ask("GET", SALES, &[key, ("if-none-match", &first)], "").await;
    assert_eq!((same.status, same.body.len()), (304, 0));

    // Whoever does not say which version he means would overwrite what he has not seen.
    assert_eq!(put(&served, SALES, &[], r#"{"ring": "25s"}"#).await.problem(428)["code"], "needs_if_match");
    put(&served, SALES, &[("if-none-match", "*")], "{}").await.problem(412);
    put(&served, SALES, &[("if-match", "\"7\"")], "{}").await.problem(412);
    let patched =
        served.ask("PATCH", SALES, &[key, ("if-match", &first)], r#"{"wrap_up": "5s", "ring": null}"#).await;
    assert_eq!(patched.ok()["document"], json!({ "wrap_up": "5s" }));
    let second = patched.header("etag").to_owned();
    assert_ne!(first, second);
    put(&served, SALES, &[("if-match", &first)], "{}").await.problem(412);

    served.ask("DELETE", SALES, &[key], "").await.problem(428);
    assert_eq!(served.ask("DELETE", SALES, &[key, ("if-match", &second)], "").await.status, 204);
    served.get(KEY, SALES).await.problem(404);
}

#[tokio::test]
async fn what_the_file_keeps_is_shown_with_its_place_and_not_changed() {
    let served = serve().await;
    let support = "/api/v1/config/queues/support";
    let shown = served.get(KEY, support).await.ok();
    assert_eq!((&shown["origin"], &shown["place"]), (&json!("file"), &json!("config/cordboard.toml:12:1")));
    let problem = put(&served, support, &[("if-match", "*")], "{}").await.problem(409);
    assert_eq!(problem["code"], "origin_file");
    assert!(problem["detail"].as_str().unwrap().contains("config/cordboard.toml:12:1"));
    served.get(OTHER_KEY, support).await.problem(404);
}

#[tokio::test]
async fn a_fault_names_its_field() {
    let served = serve().await;
    let problem = put(&served, SALES, &[], r#"{"rng": "20s"}"#).await.problem(422);
    assert_eq!(problem["field"], "rng");
    assert_eq!(put(&served, SALES, &[], "[1]").await.problem(400)["field"], "body");
    put(&served, SALES, &[], &format!(r#"{{"display": "{}"}}"#, "x".repeat(70_000))).await.problem(413);
    put(&served, "/api/v1/config/kings/a", &[], "{}").await.problem(404);
    assert_eq!(put(&served, "/api/v1/config/queues/a%20b", &[], "{}").await.problem(400)["field"], "name");
    // Tenants are the operator's: to the others there are none.
    served.get(OTHER_KEY, "/api/v1/config/tenants").await.problem(404);
    assert_eq!(served.get(KEY, "/api/v1/config/tenants").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_list_has_pages_whose_addresses_are_given() {
    let served = serve().await;
    for name in ["1001", "1002", "1003"] {
        put(&served, &format!("/api/v1/config/agents/{name}"), &[], "{}").await;
    }
    let names = |page: &serde_json::Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = served.get(KEY, "/api/v1/config/agents?limit=2&origin=store").await.ok();
    assert_eq!(names(&first), ["1001", "1002"]);
    let second = served.get(KEY, first["next"].as_str().unwrap()).await.ok();
    assert_eq!(names(&second), ["1003"]);
    assert_eq!(second.get("next"), None);
    assert!(names(&served.get(KEY, "/api/v1/config/agents?origin=file").await.ok()).is_empty());
    assert_eq!(served.get(KEY, "/api/v1/config/agents?origin=moon").await.problem(400)["field"], "origin");
}

#[tokio::test]
async fn many_changes_are_made_row_by_row_or_all_or_none() {
    let served = serve().await;
    let rows = [("agents", "1001", "{}"), ("queues", "support", "{}"), ("queues", "help", r#"{"rng": 1}"#)];
    let changes = rows.map(|(kind, name, document)| {
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        json!({ "do": "put", "kind": kind, "name": name, "document": document })
    });
    let ask = async |whole: bool| {
        let body = json!({ "whole": whole, "changes": changes }).to_string();
        served.post(KEY, "/api/v1/config/changes", &body).await.ok()
    };
    let statuses = |answer: &serde_json::Value| {
        let rows = answer["rows"].as_array().unwrap().iter();
        rows.map(|row| row["problem"]["status"].as_u64().unwrap_or(200)).collect::<Vec<_>>()
    };
    let none = ask(true).await;
    assert_eq!((statuses(&none), &none["changed"]), (vec![424, 409, 422], &json!(0)));
    served.get(KEY, "/api/v1/config/agents/1001").await.problem(404);
    let some = ask(false).await;
    assert_eq!(
        (statuses(&some), &some["changed"], &some["refused"]),
        (vec![200, 409, 422], &json!(1), &json!(2))
    );
    assert_eq!(some["rows"][2]["problem"]["field"], "rng");
    served.get(KEY, "/api/v1/config/agents/1001").await.ok();
    let bad = r#"{"changes": [{"do": "delete", "kind": "agents", "name": "1001", "document": {}}]}"#;
    let refused = served.post(KEY, "/api/v1/config/changes", bad).await.ok();
    assert_eq!(refused["rows"][0]["problem"]["field"], "document");
}

/// Who waits would lose his place without anybody having meant it.
#[tokio::test]
async fn a_queue_in_which_somebody_waits_is_deleted_only_if_that_is_said() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let made = put(&served, SALES, &[("if-none-match", "*")], r#"{"ring": "20s"}"#).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let sales = QueueId::new(TenantId::DEFAULT, "sales").unwrap();
    served.switch.on(TenantId::DEFAULT, |floor| {
        let call = floor.arrive(PartyId::new("anna"), "600");
        floor.enqueue(call, &sales);
    });
    let any = [("x-api-key", KEY), ("if-match", "*")];
    let refused = served.ask("DELETE", SALES, &any, "").await.problem(409);
    assert_eq!(refused["code"], "somebody_waits");
    assert!(refused["detail"].as_str().unwrap().starts_with("2 wait in it and 0 keep"), "{refused}");
    served.ask("DELETE", &format!("{SALES}?cascade=false"), &any, "").await.problem(409);
    served.ask("DELETE", &format!("{SALES}?cascade=perhaps"), &any, "").await.problem(400);
    served.get(KEY, SALES).await.ok();
    let many = r#"{"changes": [{"do": "delete", "kind": "queues", "name": "sales", "version": "*"}]}"#;
    let rows = served.post(KEY, "/api/v1/config/changes", many).await.ok();
    assert_eq!(
        (&rows["refused"], &rows["rows"][0]["problem"]["code"]),
        (&json!(1), &json!("somebody_waits")),
        "{rows}"
    );
    assert_eq!(served.ask("DELETE", &format!("{SALES}?cascade=true"), &any, "").await.status, 204);
    served.get(KEY, SALES).await.problem(404);
}
