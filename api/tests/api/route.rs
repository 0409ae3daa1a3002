//! Calls that are explained and not placed; keys for a party.

use crate::{KEY, OTHER_KEY, furnish, serve};
use cordboard_model::id::TenantId;

#[tokio::test]
async fn a_route_is_explained_for_the_keys_tenant_and_wants_both_numbers() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let said = served.get(KEY, "/api/v1/route?from=1001&to=%2B4930").await.ok();
    assert_eq!(
        (&said["tenant"], &said["from"], &said["to"]),
        (&"default".into(), &"1001".into(), &"+4930".into())
    );
    assert_eq!(said["refused"], "no_route");
    assert_eq!(served.get(OTHER_KEY, "/api/v1/route?from=1&to=2").await.ok()["tenant"], "acme");
    assert_eq!(served.get(KEY, "/api/v1/route?from=1001").await.problem(400)["field"], "to");
    let long = "1".repeat(65);
    assert_eq!(
        served.get(KEY, &format!("/api/v1/route?from={long}&to=1")).await.problem(400)["field"],
        "from"
    );
    served.get(KEY, "/api/v1/route?from=1&to=2&trunk=nobody").await.problem(404);
    served.get(KEY, "/api/v1/route?from=1&to=2&tenant=acme").await.problem(400);
}

#[tokio::test]
async fn keys_are_sent_to_a_leg_of_ones_own_and_nothing_else_is() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/legs/{}/keys", floor.talking_leg);
    let done = served.post(KEY, &path, r#"{"keys": "12#D"}"#).await.ok();
    assert_eq!(done["done"][0], "4 keys are sent");
    let long = format!(r#"{{"keys": "{}"}}"#, "1".repeat(65));
    for wrong in ["", "{}", r#"{"keys": ""}"#, r#"{"keys": "x"}"#, r#"{"keys": "1", "to": 2}"#, long.as_str()]
    {
        assert_eq!(served.post(KEY, &path, wrong).await.problem(400)["field"], "keys", "{wrong}");
    }
    served.post(OTHER_KEY, &path, r#"{"keys": "1"}"#).await.problem(404);
}

#[tokio::test]
async fn a_row_is_put_read_and_removed_by_the_tenant_whose_it_is() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let path = "/api/v1/tables/vip/%2B49%2030";
    let done = served
        .ask("PUT", path, &[("x-api-key", KEY)], r#"{"name": "Ada", "age": 36, "vip": true}"#)
        .await
        .ok();
    assert!(done["done"][0].as_str().unwrap().starts_with("done by key "), "{done}");
    let row = served.get(KEY, path).await.ok();
    assert_eq!(row, serde_json::json!({"name": "Ada", "age": "36", "vip": "true"}));
    served.get(OTHER_KEY, path).await.problem(404);
    for wrong in ["", "[]", r#"{"name": null}"#, r#"{"name": {"first": "Ada"}}"#] {
        served.ask("PUT", path, &[("x-api-key", KEY)], wrong).await.problem(400);
    }
    let tables = served.get(KEY, "/api/v1/tables").await.ok();
    assert_eq!(
        tables["items"][0],
        serde_json::json!({"table": "vip", "columns": ["key"], "in_file": 0, "changed": 1})
    );
    assert_eq!(served.get(OTHER_KEY, "/api/v1/tables").await.ok()["items"], serde_json::json!([]));
    let rows = served.get(KEY, "/api/v1/tables/vip?find=Ada&limit=10").await.ok();
    assert_eq!(
        (&rows["items"][0]["key"], &rows["items"][0]["cells"]["age"]),
        (&"+49 30".into(), &"36".into())
    );
    assert_eq!(
        served.get(KEY, "/api/v1/tables/vip?after=%2B49%2030").await.ok()["items"],
        serde_json::json!([])
    );
    served.get(OTHER_KEY, "/api/v1/tables/vip").await.problem(404);
    for wrong in ["limit=0", "limit=1001", "page=2"] {
        served.get(KEY, &format!("/api/v1/tables/vip?{wrong}")).await.problem(400);
    }
    served.get(KEY, "/api/v1/tables/v%20p/1").await.problem(404);
    served.ask("DELETE", path, &[("x-api-key", KEY)], "").await.ok();
    served.ask("DELETE", path, &[("x-api-key", KEY)], "").await.problem(404);
    served.get(KEY, path).await.problem(404);
}
