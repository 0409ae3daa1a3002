//! What the routes give, and what the orders do.

use crate::fake::vault::BEGIN;
use crate::{KEY, furnish, serve};
use cordboard_model::cause::{Cause, Party};
use cordboard_model::guard::BanView;
use cordboard_model::id::TenantId;
use cordboard_model::leg::PartyId;
use cordboard_model::time::Wall;
use serde_json::json;

#[tokio::test]
async fn health_says_whether_calls_are_taken() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    let health = served.get("", "/healthz").await.ok();
    assert_eq!(health["ready"], true);
    assert_eq!(health["calls"], 2);
    served.switch.set_ready(false);
    let answer = served.get("", "/healthz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["problems"], json!(["the switch is stopping"]));
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let served = serve().await;
    let answer = served.get("", "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert!(answer.text().contains("\ncordboard_calls 0\n"));
}

#[tokio::test]
async fn calls_that_are_up_are_listed_and_read_one_by_one() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let list = served.get(KEY, "/api/v1/calls").await.ok();
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|call| call["call"].clone()).collect();
    assert_eq!(ids, [json!(floor.talking.to_string()), json!(floor.waiting.to_string())]);
    assert!(list.get("next").is_none());
    let one = served.get(KEY, &format!("/api/v1/calls/{}", floor.talking)).await.ok();
    assert_eq!(one["stage"], "bridged");
    assert_eq!(one["from"]["user"], "601");
    assert_eq!(one["agent"], json!({"tenant": "default", "name": "1001"}));
    assert_eq!(one["route"][0]["verdict"], "decide");
    served.get(KEY, &format!("/api/v1/calls/{}", floor.over)).await.problem(404);
}

#[tokio::test]
async fn queues_agents_and_contacts_are_listed() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let queues = served.get(KEY, "/api/v1/queues").await.ok();
    let queue = &queues["items"][0];
    assert_eq!(queue["queue"]["name"], "sales");
    assert_eq!(queue["waiting"][0]["call"], floor.waiting.to_string());
    assert_eq!(
        (&queue["offered"], &queue["answered"], &queue["abandoned"]),
        (&json!(3), &json!(1), &json!(1))
    );
    let agents = served.get(KEY, "/api/v1/agents").await.ok();
    assert_eq!(agents["items"][0]["status"], "talking");
    assert_eq!(agents["items"][0]["call"], floor.talking.to_string());
    let contacts = served.get(KEY, "/api/v1/contacts").await.ok();
    assert_eq!(contacts["items"][0]["user"]["name"], "1001");
}

#[tokio::test]
async fn a_call_is_hung_up_by_an_operator_and_leaves_its_record() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let path = format!("/api/v1/calls/{}/hangup", floor.talking);
    let done = served.post(KEY, &path, "").await.ok();
    assert_eq!(done["done"][0], format!("call {} ends", floor.talking));
    let cdr = served.get(KEY, &format!("/api/v1/cdrs/{}", floor.talking)).await.ok();
    assert_eq!((&cdr["cause"], &cdr["ended_by"]), (&json!("administrative"), &json!("operator")));
    served.post(KEY, &path, "").await.problem(404);
}

#[tokio::test]
async fn a_leg_is_held_and_taken_off() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    for on in [true, false] {
        let path = format!("/api/v1/legs/{}/hold", floor.talking_leg);
        served.post(KEY, &path, &json!({ "on": on }).to_string()).await.ok();
        let call = served.get(KEY, &format!("/api/v1/calls/{}", floor.talking)).await.ok();
        assert_eq!(call["legs"][1]["held"], on);
    }
}

#[tokio::test]
async fn an_agent_asks_for_each_of_his_states() {
    let served = serve().await;
    furnish(&served.switch, TenantId::DEFAULT);
    for (intent, status) in [
        ("not-ready", "not_ready"),
        ("rest", "rest"),
        ("ready", "ready"),
        ("sign-out", "signed_out"),
        ("sign-in", "not_ready"),
    ] {
        served.post(KEY, &format!("/api/v1/agents/1001/{intent}"), "").await.ok();
        let agents = served.get(KEY, "/api/v1/agents").await.ok();
        assert_eq!(agents["items"][0]["status"], status);
    }
}

#[tokio::test]
async fn bans_are_listed_and_lifted_by_the_operator() {
    let served = serve().await;
    let ban = BanView {
        source: "203.0.113.5".parse().unwrap(),
        why: "wrong passwords".into(),
        until: Wall(9_000),
        times: 2,
        dropped: 7,
        by: None,
    };
    served.switch.on(TenantId::DEFAULT, |floor| floor.bans.push(ban));
    let list = served.get(KEY, "/api/v1/bans").await.ok();
    assert_eq!(list["items"][0]["source"], "203.0.113.5");
    assert_eq!(list["items"][0]["times"], 2);
    served.post(KEY, "/api/v1/bans/203.0.113.6/lift", "").await.problem(404);
    served.post(KEY, "/api/v1/bans/nobody/lift", "").await.problem(404);
    served.post(KEY, "/api/v1/bans/203.0.113.5/lift", "").await.ok();
    assert_eq!(served.get(KEY, "/api/v1/bans").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_source_is_banned_by_hand_by_the_operator_and_no_trunk_is() {
    let served = serve().await;
    let ban = async |body: &str| served.post(KEY, "/api/v1/bans", body).await;
    ban(r#"{"source": "203.0.113.77/24", "seconds": 3600, "why": "guesses passwords"}"#).await.ok();
    ban(r#"{"source": "2001:db8:1:2::/64"}"#).await.ok();
    let list = served.get(KEY, "/api/v1/bans").await.ok();
    let [first, second] = [&list["items"][0], &list["items"][1]];
    assert_eq!((&first["source"], &first["why"]), (&json!("203.0.113.0/24"), &json!("guesses passwords")));
    assert_eq!((&first["until"], &first["by"]), (&json!(BEGIN.0 + 3_600_000), &json!("key fake")));
    assert_eq!((&second["until"], &second["why"]), (&json!(BEGIN.0 + 86_400_000), &json!("")));
    for (body, field) in [
        (r#"{"source": "nobody"}"#, "source"),
        (r#"{"source": "10.0.0.0/7"}"#, "source"),
        (r#"{"source": "::/0"}"#, "source"),
        (r#"{"source": "203.0.113.5", "seconds": 59}"#, "seconds"),
        (r#"{"source": "203.0.113.5", "why": "two\nlines"}"#, "why"),
        (r#"{"why": "no source"}"#, "source"),
    ] {
        assert_eq!(ban(body).await.problem(400)["field"], field, "{body}");
    }
    assert_eq!(ban(r#"{"source": "198.51.100.0/24"}"#).await.problem(409)["code"], "trunk_address");
    for source in ["203.0.113.0%2F24", "2001:db8:1:2::%2F64"] {
        served.post(KEY, &format!("/api/v1/bans/{source}/lift"), "").await.ok();
    }
    assert_eq!(served.get(KEY, "/api/v1/bans").await.ok()["items"], json!([]));
}

#[tokio::test]
async fn a_reload_answers_what_changed_or_every_fault() {
    let served = serve().await;
    let done = served.post(KEY, "/api/v1/config/reload", "").await.ok();
    assert_eq!(done["done"], json!(["configuration 2 is in use"]));
    served.switch.on(TenantId::DEFAULT, |floor| floor.broken_config = true);
    let problem = served.post(KEY, "/api/v1/config/reload", "").await.problem(422);
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn records_are_paged_newest_first_without_loss_or_double() {
    let served = serve().await;
    let mut calls = served.switch.on(TenantId::DEFAULT, |floor| {
        let mut one = || {
            floor.now = Wall(floor.now.0 + 1_000);
            let call = floor.arrive(PartyId::new("600"), "500");
            floor.end(call, Cause::Normal, Party::Caller);
            call.to_string()
        };
        (0..5).map(|_| one()).collect::<Vec<_>>()
    });
    calls.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/v1/cdrs?limit=2".to_owned());
    loop {
        let page = served.get(KEY, &path).await.ok();
        let ids =
            page["items"].as_array().unwrap().iter().map(|cdr| cdr["call"].as_str().unwrap().to_owned());
        seen.extend(ids);
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/cdrs?limit=2&before={next}"),
            None => break,
        }
    }
    assert_eq!(seen, calls);
}

#[tokio::test]
async fn records_are_filtered_by_time_agent_and_queue() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    served.post(KEY, &format!("/api/v1/calls/{}/hangup", floor.talking), "").await.ok();
    let start = i64::from(crate::START) * 1_000;
    let of = async |query: &str| {
        let page = served.get(KEY, &format!("/api/v1/cdrs?{query}")).await.ok();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(of("").await, 2);
    assert_eq!(of(&format!("agent={}", floor.agent.name)).await, 1);
    assert_eq!(of(&format!("queue={}", floor.queue.name)).await, 2);
    assert_eq!(of("queue=other").await, 0);
    assert_eq!(of(&format!("from={start}&to={}", start + 1)).await, 2);
    assert_eq!(of(&format!("to={start}")).await, 0);
}
