//! Webhooks over the API: a secret is shown once, and what is wrong is named.

use crate::{KEY, OTHER_KEY, serve};
use serde_json::json;

const ALL: &str = "/api/v1/webhooks";
const CRM: &str = "/api/v1/webhooks/crm";

#[tokio::test]
async fn a_webhook_is_made_with_a_secret_that_is_shown_once() {
    let served = serve().await;
    let key = [("x-api-key", KEY)];
    let body =
        json!({"name": "crm", "url": "https://crm.example/events", "kinds": ["call_ended"]}).to_string();
    let made = served.ask("POST", ALL, &key, &body).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!((&made["name"], &made["secret"]), (&json!("crm"), &json!("whsec_shown-once")));
    for path in [ALL, CRM] {
        let shown = served.ask("GET", path, &key, "").await.ok();
        assert!(!shown.to_string().contains("whsec"), "{shown}");
    }
    served.ask("POST", ALL, &key, &body).await.problem(409);
    let next = served.ask("POST", &format!("{CRM}/secret"), &key, "").await.ok();
    assert_eq!((&next["secret"], &next["secrets"]), (&json!("whsec_the-next"), &json!(2)));
    let off = served.ask("POST", &format!("{CRM}/disable"), &key, "").await.ok();
    assert_eq!((&off["doing"], off.get("secret")), (&json!("disabled"), None));
    assert_eq!(served.ask("POST", &format!("{CRM}/enable"), &key, "").await.ok()["doing"], "delivers");
    // Another tenant's does not exist.
    let other = [("x-api-key", OTHER_KEY)];
    assert_eq!(served.ask("GET", ALL, &other, "").await.ok()["items"], json!([]));
    for path in [CRM.to_owned(), format!("{CRM}/dead-letters")] {
        served.ask("GET", &path, &other, "").await.problem(404);
    }
    served.ask("DELETE", CRM, &key, "").await.ok();
    served.ask("GET", CRM, &key, "").await.problem(404);
}

#[tokio::test]
async fn what_is_wrong_with_a_webhook_is_named() {
    let served = serve().await;
    let key = [("x-api-key", KEY)];
    let url = "https://crm.example/";
    for (body, field) in [
        (json!({"name": "a b", "url": url}), "name"),
        (json!({"name": "crm", "url": url, "kinds": ["call_endet"]}), "kinds"),
        (json!({"name": "crm", "url": url, "kinds": vec!["alarm"; 51]}), "kinds"),
        (json!({"name": "crm", "url": url, "secret": "mine"}), "url"),
        (json!({"name": "crm"}), "url"),
    ] {
        let problem = served.ask("POST", ALL, &key, &body.to_string()).await.problem(400);
        assert_eq!(problem["field"], field, "{body}: {problem}");
    }
}

#[tokio::test]
async fn dead_letters_are_read_page_by_page_delivered_again_and_forgotten() {
    let served = serve().await;
    let key = [("x-api-key", KEY)];
    let body = json!({"name": "crm", "url": "https://crm.example/"}).to_string();
    served.ask("POST", ALL, &key, &body).await;
    let letters = format!("{CRM}/dead-letters");
    let page = served.ask("GET", &format!("{letters}?limit=1"), &key, "").await.ok();
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&json!(716), &json!("716")));
    let page = served.ask("GET", &format!("{letters}?limit=1&after=716"), &key, "").await.ok();
    assert_eq!(page, json!({"items": []}));
    served.ask("GET", &format!("{letters}?after=x"), &key, "").await.problem(400);
    served.ask("DELETE", &format!("{letters}/717"), &key, "").await.problem(404);
    served.ask("DELETE", &format!("{letters}/x"), &key, "").await.problem(404);
    served.ask("POST", &format!("{CRM}/replay"), &key, r#"{"id": 717}"#).await.problem(404);
    let gone = served.ask("POST", &format!("{CRM}/replay"), &key, r#"{"id": 716}"#).await.ok();
    assert_eq!(gone["dead_letters"], 0);
    served.ask("POST", &format!("{CRM}/replay"), &key, "").await.ok();
    served.ask("DELETE", &letters, &key, "").await.ok();
}
