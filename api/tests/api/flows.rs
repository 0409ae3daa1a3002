//! The life of a flow by the API.

use crate::{KEY, OTHER_KEY, serve};
use cordboard_api::flows::{FlowKeeper, FlowSource, FlowView};
use cordboard_model::id::{FlowId, TenantId};

fn main_flow() -> FlowSource {
    let view = FlowView {
        flow: FlowId::new(TenantId::DEFAULT, "main").unwrap(),
        kept: FlowKeeper::Api,
        file: "main@2.lua".into(),
        version: None,
        draft: None,
    };
    FlowSource { view, text: "call:answer()".into(), test: None }
}

#[tokio::test]
async fn a_flow_is_read_and_ordered_by_the_key_of_its_tenant_alone() {
    let served = serve().await;
    served.switch.on(TenantId::DEFAULT, |floor| floor.flows.push(main_flow()));
    let list = served.get(KEY, "/api/v1/flows").await.ok();
    assert_eq!((&list["items"][0]["kept"], &list["items"][0]["file"]), (&"api".into(), &"main@2.lua".into()));
    assert_eq!(served.get(KEY, "/api/v1/flows/main").await.ok()["text"], "call:answer()");
    assert_eq!(served.get(OTHER_KEY, "/api/v1/flows").await.ok()["items"].as_array().unwrap().len(), 0);
    served.get(OTHER_KEY, "/api/v1/flows/main").await.problem(404);
    served.get(KEY, "/api/v1/flows/main/versions/one").await.problem(404);
    served.get(KEY, "/api/v1/flows/ma%20in").await.problem(404);
    let done = served.post(KEY, "/api/v1/flows/main/publish", r#"{"note": "new hours"}"#).await.ok();
    let said = r#"key fake: default/main Publish { texts: None, note: "new hours" }"#;
    assert_eq!(done["done"][0], said);
    let done = served.post(KEY, "/api/v1/flows/main/rollback", r#"{"version": 3}"#).await.ok();
    assert_eq!(done["done"][0], r#"key fake: default/main RollBack { version: 3, note: "" }"#);
    assert_eq!(
        served.post(KEY, "/api/v1/flows/main/test", "").await.ok()["done"][0],
        "key fake: default/main Test(None)"
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_order_for_a_flow_is_named() {
    let served = serve().await;
    let problem = served.post(KEY, "/api/v1/flows/main/publish", r#"{"text": ""}"#).await.problem(422);
    assert_eq!(problem["errors"][0], "main.lua:1:1: Lua: nothing");
    let path = "/api/v1/flows/main/publish";
    assert_eq!(served.post(KEY, path, r#"{"test": "x"}"#).await.problem(400)["field"], "text");
    assert_eq!(served.post(KEY, path, r#"{"notes": "x"}"#).await.problem(400)["field"], "note");
    let long = format!(r#"{{"note": "{}"}}"#, "x".repeat(1_001));
    assert_eq!(served.post(KEY, path, &long).await.problem(400)["field"], "note");
    let path = "/api/v1/flows/main/rollback";
    for wrong in ["", "{}", r#"{"version": "one"}"#] {
        assert_eq!(served.post(KEY, path, wrong).await.problem(400)["field"], "version", "{wrong}");
    }
}
