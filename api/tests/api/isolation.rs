//! Two tenants full of things: whatever route is walked with the key of the one and the ids of the other, nothing of the other comes
//! back, and nothing tells whether there is such a thing.
//!
//! The routes come from the catalogue that the router is built of: a new one cannot be missed.

use crate::access::made;
use crate::http::Answer;
use crate::people::person;
use crate::tenants::record;
use crate::{KEY, OTHER_KEY, Served, acme, furnish, serve};
use cordboard_api::catalog::{Op, catalog};
use cordboard_model::id::{AgentId, IdMaker, QueueId, TenantId};
use cordboard_model::leg::PartyId;
use cordboard_model::view::AgentStatus;
use std::collections::BTreeMap;

/// What the first tenant's things are called: it must not come back to the second.
const PLANTED: &str = "planted";

/// An id by the folder of the path and the name of the parameter.
type Ids = BTreeMap<(&'static str, &'static str), String>;

struct House {
    served: Served,
    /// Of things that there are, and of some that there never were.
    theirs: Ids,
    nobodys: Ids,
}

async fn house() -> House {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    furnish(&served.switch, acme());
    let recording = record(&served, &floor);
    let (queue, agent) =
        (QueueId::new(TenantId::DEFAULT, "planted-queue"), AgentId::new(TenantId::DEFAULT, "planted-agent"));
    served.switch.on(TenantId::DEFAULT, |floor| {
        floor.add_queue(&queue.unwrap(), "planted display of a queue");
        floor.add_agent(&agent.unwrap(), "planted display of an agent", AgentStatus::Ready);
        let call = floor.arrive(PartyId::new("planted-caller"), "planted-number");
        floor.end(call, cordboard_model::cause::Cause::Normal, cordboard_model::cause::Party::Caller);
    });
    person(&served, "planted-user", &["auditor"]).await;
    let (_, key) = made(&served, &["calls:read"]).await;
    let signed = r#"{"user": "planted-user", "password": "battery-staple-7"}"#;
    let session =
        served.ask("POST", "/api/v1/session", &[], signed).await.ok()["id"].as_str().unwrap().to_owned();
    let (chat, callback) = planted(&served).await;
    let campaign = planted_campaign(&served).await;
    let mut ids = IdMaker::new(u32::MAX, 0);
    let none = TenantId::DEFAULT;
    let theirs = [
        (("calls", "id"), floor.talking.to_string()),
        (("calls", "leg"), floor.talking_leg.to_string()),
        (("legs", "id"), floor.talking_leg.to_string()),
        (("cdrs", "id"), floor.over.to_string()),
        (("recordings", "id"), recording.to_string()),
        (("keys", "id"), key),
        (("sessions", "id"), session.clone()),
        (("session", "id"), session),
        (("users", "name"), "planted-user".into()),
        (("agents", "name"), "planted-agent".into()),
        (("queues", "name"), "planted-queue".into()),
        (("config", "kind"), "queues".into()),
        (("config", "name"), "planted-object".into()),
        (("webhooks", "name"), "planted-hook".into()),
        (("tables", "name"), "planted-table".into()),
        (("tables", "key"), "planted-row".into()),
        (("chats", "id"), chat),
        (("callbacks", "id"), callback.clone()),
        (("campaigns", "campaign"), campaign.clone()),
        (("campaigns", "number"), "1".into()),
    ];
    let nobodys = [
        (("calls", "id"), ids.call(none).to_string()),
        (("calls", "leg"), ids.leg(none).to_string()),
        (("legs", "id"), ids.leg(none).to_string()),
        (("cdrs", "id"), ids.call(none).to_string()),
        (("recordings", "id"), ids.recording(none).to_string()),
        (("config", "kind"), "queues".into()),
        (("chats", "id"), ids.call(none).to_string()),
        (("callbacks", "id"), format!("{callback}999")),
        (("campaigns", "campaign"), format!("{campaign}999")),
        (("campaigns", "number"), "1".into()),
    ];
    House { served, theirs: theirs.into(), nobodys: nobodys.into() }
}

/// A queue of the configuration, a webhook, a row of a table; a chat and a call-back, whose ids are given.
async fn planted(served: &Served) -> (String, String) {
    let put = async |method: &str, path: &str, more: &[(&str, &str)], body: &str| {
        let headers: Vec<_> = [("x-api-key", KEY)].into_iter().chain(more.iter().copied()).collect();
        let answer = served.ask(method, &format!("/api/v1/{path}"), &headers, body).await;
        assert!(answer.status < 300, "{path}: {}", answer.text());
        answer
    };
    let web = QueueId::new(TenantId::DEFAULT, "web").unwrap();
    served.switch.on(TenantId::DEFAULT, |floor| floor.add_queue(&web, "planted display of a queue"));
    put("PUT", "config/queues/planted-object", &[("if-none-match", "*")], r#"{"ring": "20s"}"#).await;
    let hook = r#"{"name": "planted-hook", "url": "https://planted.example/", "kinds": ["call_ended"]}"#;
    put("POST", "webhooks", &[], hook).await;
    put("PUT", "tables/planted-table/planted-row", &[], r#"{"name": "planted cell"}"#).await;
    let chat = r#"{"queue": "web", "customer": {"id": "planted-customer"}, "text": "planted words"}"#;
    let chat = put("POST", "chats", &[], chat).await.json()["chat"].as_str().unwrap().to_owned();
    // tenants number theirs each by itself: none that the second makes has the number of the last one
    for _ in 0..8 {
        put("POST", "callbacks", &[], r#"{"number": "+493055512", "note": "planted note"}"#).await;
    }
    let listed = served.get(KEY, "/api/v1/callbacks").await.ok();
    let last = listed["items"].as_array().unwrap().last().unwrap();
    (chat, last["id"]["name"].as_str().unwrap().to_owned())
}

/// A campaign with a number, by its number: tenants number theirs each by itself, so there are several.
async fn planted_campaign(served: &Served) -> String {
    let post = async |path: &str, body: &str| {
        let answer = served.ask("POST", &format!("/api/v1/{path}"), &[("x-api-key", KEY)], body).await;
        answer.ok()
    };
    let new = r#"{"name": "planted campaign", "kind": "predictive", "goal": {"queue": "planted-queue"}, "begins": 1,
                  "ends": 4102444800000, "workdays": [{"from": 0, "to": 1440}]}"#;
    let mut id = String::new();
    for _ in 0..8 {
        id = post("campaigns", new).await["id"].to_string();
    }
    post(&format!("campaigns/{id}/numbers"), r#"{"numbers": [{"called": "900", "session": "planted row"}]}"#)
        .await;
    id
}

/// The path with ids put in: those that are known, or names that nobody has.
fn path(op: &Op, ids: &Ids, other: &str) -> (String, Vec<String>) {
    let rest = op.path.strip_prefix("/api/v1/").unwrap_or(&op.path);
    let folder = rest.split('/').next().unwrap_or_default().to_owned();
    let mut put = Vec::new();
    let parts = op.path.split('/').map(|part| {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            return part.to_owned();
        };
        let known = ids.iter().find(|((of, called), _)| *of == folder && *called == name);
        let id = known.map_or_else(|| other.to_owned(), |(_, id)| id.clone());
        put.push(id.clone());
        id
    });
    (parts.collect::<Vec<_>>().join("/"), put)
}

/// What of an answer must not differ, with what was asked for taken out.
fn told(answer: &Answer, asked: &[String]) -> (u16, String) {
    let mut text = answer.text();
    for id in asked {
        text = text.replace(id.as_str(), "<>");
    }
    // what he has made himself meanwhile has a version of its own
    if let Some((before, rest)) = text.split_once("\"version\":\"")
        && let Some((_, after)) = rest.split_once('"')
    {
        text = format!("{before}\"version\":\"<>\"{after}");
    }
    (answer.status, text)
}

fn body(op: &Op) -> &'static str {
    op.contract.body.map_or("", |body| body.example)
}

#[tokio::test]
async fn no_route_gives_a_tenant_what_is_anothers_or_tells_that_there_is_such_a_thing() {
    let House { served, theirs, nobodys } = house().await;
    let mut walked = 0;
    let mut ops: Vec<_> = catalog().into_iter().filter(|op| op.path.starts_with("/api/v1/")).collect();
    // The audit log has what this tenant itself has asked for, other tenants' names too: it is read before that.
    ops.sort_by_key(|op| !op.path.contains("/audit"));
    for op in &ops {
        let ask = async |ids: &Ids, other: &str| {
            let (path, asked) = path(op, ids, other);
            let answer = served.ask(op.method.as_str(), &path, &[("x-api-key", OTHER_KEY)], body(op)).await;
            (told(&answer, &asked), path)
        };
        let (with_theirs, path) = ask(&theirs, "planted-thing").await;
        assert!(!with_theirs.1.contains(PLANTED), "{} {path}: {with_theirs:?}", op.method);
        walked += 1;
        if op.path_parameters().next().is_none() {
            continue;
        }
        let (with_none, _) = ask(&nobodys, "nobodys-thing").await;
        assert_eq!(with_theirs, with_none, "{} {path}", op.method);
        let of_ids = op.path_parameters().any(|name| name == "id");
        assert!(!of_ids || with_theirs.0 >= 400, "{} {path}: {with_theirs:?}", op.method);
    }
    assert_eq!(walked, catalog().iter().filter(|op| op.path.starts_with("/api/v1/")).count());
    assert!(walked > 100, "{walked}");
}

/// That the walk above finds anything at all: the same ids open to the tenant whose they are.
#[tokio::test]
async fn the_ids_that_are_walked_are_there_for_the_tenant_whose_they_are() {
    let House { served, theirs, .. } = house().await;
    let mut open = Vec::new();
    for op in catalog()
        .iter()
        .filter(|op| op.path_parameters().any(|name| matches!(name, "id" | "name" | "campaign")))
    {
        let (path, _) = path(op, &theirs, "planted-thing");
        if op.method == "GET" && served.get(KEY, &path).await.status == 200 {
            open.push(op.id);
        }
    }
    for known in [
        "readCall",
        "readCdr",
        "downloadRecording",
        "readKey",
        "readUser",
        "readDesk",
        "readObject",
        "readWebhook",
        "readRow",
        "listRows",
        "readChat",
        "readChatMessages",
        "readCampaign",
        "listCampaignNumbers",
    ] {
        assert!(open.contains(&known), "{known} is not among {open:?}");
    }
    for list in ["calls", "queues", "agents", "users", "keys", "cdrs", "audit"] {
        let answer = served.get(KEY, &format!("/api/v1/{list}")).await;
        let planted = answer.text().contains(PLANTED) || list == "calls" || list == "keys";
        assert!(planted && answer.ok()["items"].as_array().is_some_and(|items| !items.is_empty()), "{list}");
    }
}

/// Secrets that were planted wherever there is room for one come back in no answer of any route.
#[tokio::test]
async fn no_answer_holds_a_secret() {
    let House { served, theirs, .. } = house().await;
    let secrets = {
        let chest = served.switch.shelf.open();
        let users = chest.users.values().map(|user| user.password.hash.0.clone());
        let hex = |hash: &cordboard_model::signin::TokenHash| {
            hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let hashes = chest.keys.values().map(|key| hex(&key.hash));
        let more = chest.sessions.values().map(|session| hex(&session.hash));
        users
            .chain(hashes)
            .chain(more)
            .chain([KEY, OTHER_KEY, "battery-staple-7"].map(str::to_owned))
            .collect::<Vec<String>>()
    };
    let numbers = {
        let chest = served.switch.shelf.open();
        chest.keys.values().map(|key| serde_json::to_string(&key.hash).unwrap()).collect::<Vec<_>>()
    };
    for op in catalog().iter().filter(|op| op.method == "GET") {
        let (path, _) = path(op, &theirs, "planted-thing");
        let text = served.get(KEY, &path).await.text();
        for secret in secrets.iter().chain(&numbers) {
            assert!(!text.contains(secret.as_str()), "{path} holds {secret}: {text}");
        }
    }
}
