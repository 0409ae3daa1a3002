//! An agent's own work: he sees his, and nobody else's.

use crate::tenants::record;
use crate::{KEY, OTHER_KEY, Served, furnish, serve};
use cordboard_model::cdr::{RecordedParty, RecordingDeleted};
use cordboard_model::id::{LegId, RecordingId, TenantId};
use cordboard_model::leg::PartyId;

const NAMED: &[(&str, &str)] = &[("x-api-key", KEY)];

#[tokio::test]
async fn an_agents_page_has_his_calls_his_figures_and_who_is_to_be_called_back() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let desk = format!("/api/v1/agents/{}", floor.agent.name);
    let calls = served.ask("GET", &format!("{desk}/calls?limit=10"), NAMED, "").await.ok();
    let items = calls["items"].as_array().unwrap();
    assert!(items.iter().all(|cdr| cdr["agent"]["name"] == floor.agent.name.as_str()), "{calls}");
    let figures = served.ask("GET", &format!("{desk}/figures"), NAMED, "").await.ok();
    assert!(figures["zone"].is_string() && figures["today"]["handled"].is_number(), "{figures}");
    served
        .ask("POST", "/api/v1/callbacks", NAMED, r#"{"number": "+493055512", "note": "after six"}"#)
        .await
        .ok();
    let listed = served.ask("GET", &format!("{desk}/callbacks"), NAMED, "").await.ok();
    assert_eq!(listed["items"][0]["number"], "+493055512");
}

#[tokio::test]
async fn an_agent_puts_one_who_is_to_be_called_back_on_the_list_in_his_name() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/agents/{}/callbacks", floor.agent.name);
    served.ask("POST", &path, NAMED, r#"{"number": "+493055513", "note": "after six"}"#).await.ok();
    let listed = served.ask("GET", &path, NAMED, "").await.ok();
    let found = listed["items"].as_array().unwrap().iter().find(|one| one["number"] == "+493055513");
    assert_eq!(found.unwrap()["note"], "after six");
    for (body, field) in [
        (r#"{"number": "a b"}"#, "number"),
        (r#"{"number": "1", "queue": ""}"#, "queue"),
        (&format!(r#"{{"number": "1", "note": "{}"}}"#, "x".repeat(5_000)), "note"),
    ] {
        assert_eq!(served.ask("POST", &path, NAMED, body).await.problem(400)["field"], field, "{body}");
    }
    let nobody = served.ask("POST", "/api/v1/agents/4242/callbacks", NAMED, r#"{"number": "1"}"#).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn a_recording_is_heard_by_who_was_in_its_call() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let recording = record(&served, &floor);
    for (agent, call) in [(floor.agent.name.as_str(), floor.talking), ("1009", floor.over)] {
        let path = format!("/api/v1/agents/{agent}/calls/{call}/recordings/{recording}");
        assert_eq!(served.ask("GET", &path, NAMED, "").await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_agent_of_another_tenant_is_not_there() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    for rest in ["calls", "figures", "callbacks", "messages"] {
        let path = format!("/api/v1/agents/{}/{rest}", floor.agent.name);
        assert_eq!(served.ask("GET", &path, &[("x-api-key", OTHER_KEY)], "").await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn an_agent_lists_and_hears_the_messages_for_his_queues_and_no_others() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let (sales, foreign, plain) = (record(&served, &floor), record(&served, &floor), record(&served, &floor));
    let queue = served.switch.on(TenantId::DEFAULT, |on| {
        let queue = on.queues.keys().next().unwrap().name.clone();
        for (entry, _) in &mut on.recordings {
            if entry.recording == sales {
                entry.label = format!("message for {queue}");
                let leg = LegId { tenant: TenantId::DEFAULT, start: 1, shard: 0, number: 1 };
                entry.parties = vec![RecordedParty { leg, party: PartyId::new("anna"), agent: None }];
            } else if entry.recording == foreign {
                entry.label = "message for nobody-here".into();
            }
        }
        queue
    });
    let desk = format!("/api/v1/agents/{}", floor.agent.name);
    let listed = served.ask("GET", &format!("{desk}/messages"), NAMED, "").await.ok();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{listed}");
    assert_eq!(
        (&items[0]["recording"], &items[0]["queue"]),
        (&sales.to_string().into(), &queue.to_string().into())
    );
    assert!(items[0]["from"]["user"] == "anna" && items[0]["length_ms"] == 2_500, "{listed}");
    let heard = async |id| served.ask("GET", &format!("{desk}/messages/{id}"), NAMED, "").await.status;
    assert_eq!((heard(sales).await, heard(foreign).await, heard(plain).await), (200, 404, 404));
}

/// All pages of a list, two rows at a time.
async fn pages(served: &Served, path: &str, mark: &str) -> Vec<serde_json::Value> {
    let (mut all, mut next) = (Vec::new(), String::new());
    for _ in 0..20 {
        let page = served.ask("GET", &format!("{path}?limit=2{next}"), NAMED, "").await.ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2, "{page}");
        all.extend(items.iter().cloned());
        let Some(from) = page["next"].as_str() else { return all };
        next = format!("&{mark}={from}");
    }
    panic!("{path} has no end");
}

#[tokio::test]
async fn an_agents_call_backs_and_messages_come_in_pages_without_gap_or_repetition() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let desk = format!("/api/v1/agents/{}", floor.agent.name);
    for number in 0..5 {
        let said = format!(r#"{{"number": "+49305551{number}"}}"#);
        served.ask("POST", &format!("{desk}/callbacks"), NAMED, &said).await.ok();
    }
    let whole = served.ask("GET", &format!("{desk}/callbacks"), NAMED, "").await.ok();
    assert!(whole["items"].as_array().unwrap().len() >= 5, "{whole}");
    let paged = pages(&served, &format!("{desk}/callbacks"), "after").await;
    assert_eq!(whole["items"], serde_json::Value::Array(paged));

    let recordings: Vec<RecordingId> = (0..7).map(|_| record(&served, &floor)).collect();
    served.switch.on(TenantId::DEFAULT, |on| {
        let queue = on.queues.keys().next().unwrap().name.clone();
        for (entry, _) in &mut on.recordings {
            if let Some(at) = recordings.iter().position(|one| *one == entry.recording) {
                entry.label = format!("message for {queue}");
                // a whole page of the newest is gone, and so is one in the middle
                let gone = RecordingDeleted { at: on.now, why: "age".into() };
                entry.deleted = [6, 5, 2].contains(&at).then_some(gone);
            }
        }
    });
    let listed = pages(&served, &format!("{desk}/messages"), "before").await;
    let listed: Vec<&str> = listed.iter().map(|message| message["recording"].as_str().unwrap()).collect();
    let left: Vec<String> = [4, 3, 1, 0].map(|at: usize| recordings[at].to_string()).into();
    assert_eq!(listed, left);
    for wrong in ["callbacks?after=x", "messages?before=x", "messages?limit=0", "callbacks?queue=sales"] {
        served.ask("GET", &format!("{desk}/{wrong}"), NAMED, "").await.problem(400);
    }
}
