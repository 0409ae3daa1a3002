//! Versions of single things: shown with them, and meant by who changes them.

use crate::http::Answer;
use crate::people::person;
use crate::{KEY, Served, furnish, serve};
use cordboard_api::flows::{FlowKeeper, FlowSource, FlowView};
use cordboard_model::guard::BanView;
use cordboard_model::id::{FlowId, TenantId};
use cordboard_model::time::Wall;
use serde_json::json;

const T: TenantId = TenantId::DEFAULT;

/// The ETag of what lies there.
async fn tag(served: &Served, path: &str) -> String {
    let answer = served.get(KEY, path).await;
    answer.ok();
    let tag = answer.header("etag").to_owned();
    assert!(tag.len() > 8 && tag.starts_with('"') && tag.ends_with('"'), "{path}: {tag:?}");
    tag
}

async fn with(served: &Served, method: &str, path: &str, header: (&str, &str), body: &str) -> Answer {
    served.ask(method, path, &[("x-api-key", KEY), header], body).await
}

/// Refused with a version that is not there, done with the one that is: after that this is another one.
async fn is_kept(served: &Served, read: &str, method: &str, path: &str, body: &str) {
    let read_tag = tag(served, read).await;
    assert_eq!(tag(served, read).await, read_tag, "{read} stays what it is");
    let refused = with(served, method, path, ("if-match", "\"other\""), body).await;
    assert_eq!(refused.problem(412)["code"], "changed", "{method} {path}");
    assert_eq!(tag(served, read).await, read_tag, "{method} {path} changed it all the same");
    let refused = with(served, method, path, ("if-none-match", "*"), body).await;
    assert_eq!(refused.problem(412)["code"], "changed", "{method} {path}");
    let any = format!("\"other\", {read_tag}");
    let done = with(served, method, path, ("if-match", &any), body).await;
    assert_eq!(done.status, 200, "{method} {path}: {}", done.text());
    let again = served.get(KEY, read).await;
    assert_ne!(again.header("etag"), read_tag, "{method} {path}");
    if again.status == 200 && done.has_header("etag") {
        assert_eq!(done.header("etag"), again.header("etag"), "{method} {path}");
    }
    with(served, method, path, ("if-match", &read_tag), body).await.problem(412);
}

#[tokio::test]
async fn people_and_keys_are_changed_by_who_has_seen_them_as_they_are() {
    let served = serve().await;
    furnish(&served.switch, T);
    for name in ["ada", "li"] {
        person(&served, name, &["administrator"]).await;
    }
    let li = "/api/v1/users/li";
    let before = tag(&served, li).await;
    crate::people::token(&served).await;
    assert_eq!(tag(&served, li).await, before, "a sign-in changes nothing that another could undo");
    is_kept(&served, li, "PUT", li, r#"{"display": "Li Wei"}"#).await;
    let refused = with(&served, "DELETE", li, ("if-match", "\"other\""), "").await;
    assert_eq!(refused.problem(412)["code"], "changed");
    let now = tag(&served, li).await;
    assert_eq!(with(&served, "DELETE", li, ("if-match", &now), "").await.status, 200);
    let body = r#"{"name": "wall", "scopes": ["calls:read"]}"#;
    let made = served.post(KEY, "/api/v1/keys", body).await.json();
    let key = format!("/api/v1/keys/{}", made["id"].as_str().unwrap());
    is_kept(&served, &key, "DELETE", &key, "").await;
}

#[tokio::test]
async fn rows_bans_and_flows_are_changed_by_who_has_seen_them_as_they_are() {
    let served = serve().await;
    let row = "/api/v1/tables/vip/49301";
    let body = r#"{"name": "Ada"}"#;
    with(&served, "PUT", row, ("if-match", "*"), body).await.problem(412);
    assert_eq!(with(&served, "PUT", row, ("if-none-match", "*"), body).await.status, 200, "it is new");
    is_kept(&served, row, "PUT", row, r#"{"name": "Charles"}"#).await;
    let now = tag(&served, row).await;
    with(&served, "DELETE", row, ("if-match", "\"x\""), "").await.problem(412);
    assert_eq!(with(&served, "DELETE", row, ("if-match", &now), "").await.status, 200);
    served.switch.on(T, |floor| {
        let (source, by) = ("203.0.113.0/24".parse().unwrap(), Some("key fake".to_owned()));
        floor.bans.push(BanView { source, why: "x".into(), until: Wall(9), times: 1, dropped: 0, by });
        let view = FlowView {
            flow: FlowId::new(T, "main").unwrap(),
            kept: FlowKeeper::Api,
            file: "main@2.lua".into(),
            version: None,
            draft: None,
        };
        floor.flows.push(FlowSource { view, text: "call:answer()".into(), test: None });
    });
    let ban = "/api/v1/bans/203.0.113.0%2F24";
    let before = tag(&served, ban).await;
    served.switch.on(T, |floor| floor.bans[0].dropped = 7);
    assert_eq!(tag(&served, ban).await, before, "what it keeps off is not of it");
    served.get(KEY, "/api/v1/bans/203.0.113.9").await.problem(404);
    is_kept(&served, ban, "POST", &format!("{ban}/lift"), "").await;
    let (main, draft) = ("/api/v1/flows/main", "/api/v1/flows/main/draft");
    let (published, drafted) = (tag(&served, main).await, tag(&served, draft).await);
    let texts = r#"{"text": "call:hangup()"}"#;
    for (method, path, there, body) in [
        ("PUT", draft.to_owned(), &drafted, texts),
        ("DELETE", draft.to_owned(), &drafted, ""),
        ("POST", format!("{main}/publish"), &published, texts),
        ("POST", format!("{main}/rollback"), &published, r#"{"version": 1}"#),
    ] {
        let refused = with(&served, method, &path, ("if-match", "\"x\""), body).await;
        assert_eq!(refused.problem(412)["code"], "changed", "{method} {path}");
        assert_eq!(
            with(&served, method, &path, ("if-match", there), body).await.status,
            200,
            "{method} {path}"
        );
        assert_eq!(
            with(&served, method, &path, ("accept", "*/*"), body).await.status,
            200,
            "nothing need be said"
        );
    }
}

#[tokio::test]
async fn a_webhook_goes_elsewhere_for_who_has_seen_where_it_goes() {
    let served = serve().await;
    let crm = "/api/v1/webhooks/crm";
    let body = json!({"name": "crm", "url": "https://crm.example/", "kinds": ["call_ended"]}).to_string();
    served.post(KEY, "/api/v1/webhooks", &body).await;
    let before = tag(&served, crm).await;
    served.switch.on(T, |floor| floor.webhooks[0].delivered = 7);
    assert_eq!(tag(&served, crm).await, before, "what became of deliveries is not of it");
    is_kept(&served, crm, "PATCH", crm, r#"{"url": "https://crm.example/events"}"#).await;
    let patch = async |body: &str| served.ask("PATCH", crm, &[("x-api-key", KEY)], body).await;
    let shown = patch(r#"{"kinds": []}"#).await.ok();
    assert_eq!((&shown["url"], &shown["kinds"]), (&json!("https://crm.example/events"), &json!([])));
    assert!(shown.get("secret").is_none(), "{shown}");
    assert_eq!(patch(r#"{"kinds": ["call_endet"]}"#).await.problem(400)["field"], "kinds");
    assert_eq!(patch(r#"{"secret": "mine"}"#).await.problem(400)["field"], "url");
    served.ask("PATCH", "/api/v1/webhooks/no", &[("x-api-key", KEY)], "{}").await.problem(404);
    served.ask("PATCH", crm, &[("x-api-key", crate::OTHER_KEY)], "{}").await.problem(404);
    is_kept(&served, crm, "DELETE", crm, "").await;
}
