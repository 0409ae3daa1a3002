//! Agents, for programs that keep accounts of their own beside ours.

use super::door::{Ask, why};
use super::reply::sent;
use crate::gateway::beside::{FloorPlan, PlanAgent};
use crate::gateway::number::skills;
use axum::http::StatusCode;
use axum::response::Response;
use cordboard_model::id::Name;
use cordboard_model::service::Role;
use serde_json::{Value, json};

/// Rows of a page if nothing is said.
const PAGE: usize = 10;
/// Most rows of a page.
const PAGE_MAX: usize = 100;

/// A work number is a number where it can be one.
fn workno(name: &Name) -> Value {
    name.as_str().parse::<u64>().map_or_else(|_| Value::from(name.as_str()), Value::from)
}

/// Every agent with his telephone's number. No password: it is kept nowhere in a form that could be given.
pub(crate) async fn info(ask: Ask) -> Response {
    let plan = match ask.shapes.switch.floor_plan(ask.tenant.tenant.id).await {
        Ok(plan) => plan,
        Err(refusal) => {
            let body = json!({ "retCode": "1", "retMsg": why(refusal), "agents": [] });
            return sent(StatusCode::OK, &body);
        }
    };
    let row = |(name, agent): (&Name, &PlanAgent)| {
        json!({
            "workNo": workno(name),
            "accountCode": name.as_str(),
            "sipAccount": agent.user.as_str(),
        })
    };
    let mut body = json!({ "agents": plan.agents.iter().map(row).collect::<Vec<_>>() });
    if let Some((ip, port)) = &ask.tenant.sip {
        body["sipServiceIp"] = json!(ip);
        body["sipServicePort"] = json!(port);
    }
    sent(StatusCode::OK, &body)
}

fn account(ask: &Ask, plan: &FloorPlan, (name, agent): (&Name, &PlanAgent)) -> Value {
    let numbers = skills(&ask.tenant.tenant, plan);
    let skill = |queue: &Name| {
        let id = numbers.get(queue).copied().unwrap_or_default();
        json!({ "skillId": id, "agentWeight": 1, "skillWeight": 1 })
    };
    json!({
        "userAccount": name.as_str(),
        "userName": agent.display,
        "phone": "",
        "email": "",
        "agentType": 4,
        "ccRoleId": if agent.role == Role::Supervisor { 3 } else { 2 },
        "sipAccount": agent.user.as_str(),
        "skills": agent.queues.iter().map(skill).collect::<Vec<_>>(),
        "workNo": name.as_str(),
        "transparentDisplayFlag": 0,
    })
}

/// A page of them, or those with an account or a work number.
pub(crate) async fn accounts(ask: Ask) -> Response {
    let failed = |code: &str, why: String| {
        sent(StatusCode::OK, &json!({ "resultCode": code, "resultMessage": why, "data": [], "total": 0 }))
    };
    let inner = ask.said.inner("requestParams");
    let said = inner.as_ref().unwrap_or(&ask.said);
    let (page, rows) = match (said.number::<usize>("pageNum"), said.number::<usize>("pageSize")) {
        (Ok(page), Ok(rows)) => (page.unwrap_or(1).max(1), rows.unwrap_or(PAGE)),
        (Err(why), _) | (_, Err(why)) => return failed("1", why.message()),
    };
    if !(1..=PAGE_MAX).contains(&rows) {
        return failed("1", format!("pageSize is not within 1 to {PAGE_MAX}"));
    }
    let plan = match ask.shapes.switch.floor_plan(ask.tenant.tenant.id).await {
        Ok(plan) => plan,
        Err(refusal) => return failed("1", why(refusal)),
    };
    let wanted = [said.text("userAccount"), said.text("workNo")];
    let fits = |name: &Name| wanted.iter().flatten().all(|wanted| wanted == name.as_str());
    let all: Vec<_> = plan.agents.iter().filter(|(name, _)| fits(name)).collect();
    let shown = all.iter().skip(rows.saturating_mul(page - 1)).take(rows);
    let data: Vec<Value> = shown.map(|row| account(&ask, &plan, *row)).collect();
    let body = json!({ "resultCode": "0", "resultMessage": "success", "data": data, "total": all.len() });
    sent(StatusCode::OK, &body)
}
