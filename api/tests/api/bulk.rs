//! One order for many agents.

use crate::fake::door::{CHIEF, TOKEN};
use crate::{KEY, OTHER_KEY, furnish, serve};
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::view::AgentStatus;

const ORDERS: &str = "/api/v1/agents/orders";

#[tokio::test]
async fn each_agent_of_a_bulk_order_has_a_row_and_none_stops_another() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let name = floor.agent.name.to_string();
    let body =
        format!(r#"{{"agents": ["4711", "{name}", "a b", "{name}"], "order": "rest", "reason": "drill"}}"#);
    let done = served.post(KEY, ORDERS, &body).await.ok();
    assert_eq!((done["ordered"].as_u64(), done["refused"].as_u64()), (Some(1), Some(2)), "{done}");
    let rows = done["rows"].as_array().unwrap();
    let named: Vec<_> =
        rows.iter().map(|row| (row["agent"].as_str().unwrap(), row["ok"].as_bool().unwrap())).collect();
    assert_eq!(named, [("4711", false), (name.as_str(), true), ("a b", false)]);
    assert_eq!(rows[0]["status"], 404);
    assert!(rows[1]["done"][0].as_str().unwrap().contains("rest (drill)"), "{done}");
    // nobody of another tenant's
    let others =
        served.post(OTHER_KEY, ORDERS, &format!(r#"{{"agents": ["{name}"], "order": "ready"}}"#)).await.ok();
    assert_eq!(others["refused"], 1, "{others}");
}

#[tokio::test]
async fn a_bulk_order_for_a_range_is_for_those_who_are_there() {
    let served = serve().await;
    for name in ["2000", "2001", "02001", "2002", "2100"] {
        let agent = AgentId::new(TenantId::DEFAULT, name).unwrap();
        served.switch.on(TenantId::DEFAULT, |floor| floor.add_agent(&agent, name, AgentStatus::NotReady));
    }
    let body = r#"{"range": "2001-2099", "order": "ready", "by": "1009"}"#;
    let done = served.post(KEY, ORDERS, body).await.ok();
    let named: Vec<_> =
        done["rows"].as_array().unwrap().iter().map(|row| row["agent"].as_str().unwrap()).collect();
    assert_eq!(named, ["2001", "2002"], "{done}");
    assert!(done["rows"][0]["done"][0].as_str().unwrap().contains("by agent 1009"), "{done}");
    served.post(KEY, ORDERS, r#"{"range": "9000-9001", "order": "ready"}"#).await.problem(404);
}

#[tokio::test]
async fn a_bulk_order_for_an_organisation_is_for_those_of_it() {
    let served = serve().await;
    for (name, of) in [("2000", "North"), ("2001", "South"), ("2002", "North")] {
        let agent = AgentId::new(TenantId::DEFAULT, name).unwrap();
        served.switch.on(TenantId::DEFAULT, |floor| {
            floor.add_agent(&agent, name, AgentStatus::NotReady);
            floor.of_organisation(&agent, of);
        });
    }
    let done = served.post(KEY, ORDERS, r#"{"organisation": "North", "order": "ready"}"#).await.ok();
    let named: Vec<_> =
        done["rows"].as_array().unwrap().iter().map(|row| row["agent"].as_str().unwrap()).collect();
    assert_eq!(named, ["2000", "2002"], "{done}");
    served.post(KEY, ORDERS, r#"{"organisation": "West", "order": "ready"}"#).await.problem(404);
}

#[tokio::test]
async fn what_a_bulk_order_gets_wrong_is_named() {
    let served = serve().await;
    for (body, field) in [
        ("{}", "order"),
        (r#"{"order": "ready"}"#, "agents"),
        (r#"{"agents": ["1001"], "order": "dance"}"#, "order"),
        (r#"{"agents": ["1001"], "range": "1-2", "order": "ready"}"#, "agents"),
        (r#"{"agents": ["1001"], "organisation": "North", "order": "ready"}"#, "organisation"),
        (r#"{"range": "2-1", "order": "ready"}"#, "range"),
        (r#"{"agents": ["1001"], "order": "ready", "by": "a b"}"#, "by"),
    ] {
        assert_eq!(served.post(KEY, ORDERS, body).await.problem(400)["field"], field, "{body}");
    }
}

/// A supervisor at his own desk gives such an order in his own name, and has the wall and reports; an agent has neither.
#[tokio::test]
async fn a_supervisor_signed_in_as_an_agent_orders_many_and_sees_the_wall_and_an_agent_does_not() {
    let served = serve().await;
    for name in ["2000", "2001"] {
        let agent = AgentId::new(TenantId::DEFAULT, name).unwrap();
        served.switch.on(TenantId::DEFAULT, |floor| floor.add_agent(&agent, name, AgentStatus::Ready));
    }
    let (chief, agent) = (format!("Bearer {CHIEF}"), format!("Bearer {TOKEN}"));
    let (chief, agent) = ([("authorization", chief.as_str())], [("authorization", agent.as_str())]);
    let body = r#"{"range": "2000-2001", "order": "rest"}"#;
    let done = served.ask("POST", ORDERS, &chief, body).await.ok();
    assert_eq!(done["ordered"], 2, "{done}");
    assert!(done["rows"][0]["done"][0].as_str().unwrap().contains("by agent 1009"), "{done}");
    let in_anothers = r#"{"range": "2000-2001", "order": "rest", "by": "1001"}"#;
    served.ask("POST", ORDERS, &chief, in_anothers).await.problem(400);
    served.ask("POST", ORDERS, &agent, body).await.problem(403);
    for path in ["/api/v1/wall", "/api/v1/reports/tenant"] {
        served.ask("GET", path, &chief, "").await.ok();
        served.ask("GET", path, &agent, "").await.problem(403);
    }
}
