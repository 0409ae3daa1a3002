//! What one tenant's key opens does not exist for another's.

use crate::{Furnished, KEY, OTHER_KEY, Served, acme, furnish, serve};
use cordboard_model::cdr::RecordingEntry;
use cordboard_model::id::{RecordingId, TenantId};
use serde_json::json;

/// Adds a finished recording of a call; its file is this crate's manifest, which is always there.
pub fn record(served: &Served, floor: &Furnished) -> RecordingId {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    served.switch.on(floor.over.tenant, |on| {
        let recording = on.ids.recording(floor.over.tenant);
        let started = on.now;
        let entry = RecordingEntry {
            recording,
            call: floor.over,
            started,
            length_ms: 2_500,
            dropped_ms: 0,
            pauses: Vec::new(),
            parties: Vec::new(),
            label: String::new(),
            deleted: None,
        };
        on.recordings.push((entry, file.into()));
        recording
    })
}

/// Both tenants hold the same things, so that an id's text differs in the tenant alone.
#[tokio::test]
async fn every_route_with_an_id_of_another_tenant_is_404() {
    let served = serve().await;
    let theirs = furnish(&served.switch, TenantId::DEFAULT);
    let recording = record(&served, &theirs);
    furnish(&served.switch, acme());
    let (call, leg, over) = (theirs.waiting, theirs.talking_leg, theirs.over);
    for path in [
        format!("/api/v1/calls/{call}"),
        format!("/api/v1/cdrs/{over}"),
        format!("/api/v1/recordings/{recording}"),
    ] {
        assert_eq!(served.get(KEY, &path).await.status, 200, "{path}");
        served.get(OTHER_KEY, &path).await.problem(404);
    }
    let supervise = json!({ "mode": "listen", "agent": "1009", "leg": leg }).to_string();
    let hold = json!({ "on": true }).to_string();
    let (to, there) = (json!({ "to": "1002", "leg": leg }).to_string(), theirs.talking);
    for (path, body) in [
        (format!("/api/v1/calls/{there}/transfer"), to.as_str()),
        (format!("/api/v1/calls/{there}/conference"), to.as_str()),
        (format!("/api/v1/calls/{there}/supervise"), supervise.as_str()),
        (format!("/api/v1/legs/{leg}/mute"), hold.as_str()),
        (format!("/api/v1/calls/{call}/hangup"), ""),
        (format!("/api/v1/legs/{leg}/hold"), hold.as_str()),
    ] {
        served.post(OTHER_KEY, &path, body).await.problem(404);
        assert_eq!(served.post(KEY, &path, body).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_answer_does_not_tell_whether_another_tenant_has_it() {
    let served = serve().await;
    let theirs = furnish(&served.switch, TenantId::DEFAULT);
    let there = theirs.waiting.to_string();
    let nowhere = there.replace("-0-", "-1-");
    let of = async |id: &str| {
        let problem = served.get(OTHER_KEY, &format!("/api/v1/calls/{id}")).await.problem(404);
        problem.to_string().replace(id, "ID")
    };
    assert_eq!(of(&there).await, of(&nowhere).await);
}

#[tokio::test]
async fn lists_hold_the_asking_tenants_things_alone() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    record(&served, &floor);
    for list in ["calls", "queues", "agents", "contacts", "cdrs", "recordings"] {
        let path = format!("/api/v1/{list}");
        let own = served.get(KEY, &path).await.ok();
        assert!(!own["items"].as_array().unwrap().is_empty(), "{list}");
        let others = served.get(OTHER_KEY, &path).await.ok();
        assert_eq!(others["items"], json!([]), "{list}");
    }
}

#[tokio::test]
async fn an_order_reaches_the_agent_of_the_asking_tenant_alone() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let ours = furnish(&served.switch, acme());
    assert_eq!(ours.agent.name.as_str(), "1001");
    served.post(OTHER_KEY, "/api/v1/agents/1001/rest", "").await.ok();
    let status = async |key: &str| served.get(key, "/api/v1/agents").await.ok()["items"][0]["status"].clone();
    assert_eq!(status(OTHER_KEY).await, "rest");
    assert_eq!(status(KEY).await, "talking");
}
