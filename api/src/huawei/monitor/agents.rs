//! Agents: who they are, and what they do.

use super::{Answered, Ask, Code, Fault, Reply, failed, parameter};
use crate::gateway::seen::State;
use cordboard_model::service::Role;
use cordboard_model::view::AgentView;
use serde_json::{Map, Value, json};

/// Most agents of one question.
const IDS_MAX: usize = 6_000;
/// Most rows of a page.
const PAGE_MAX: usize = 1_000;

async fn all(ask: &Ask) -> Result<Vec<AgentView>, Fault> {
    ask.switch.agents(ask.id()).await.map_err(failed)
}

/// Since when an agent is signed in, milliseconds; 0 if he is not.
async fn login(ask: &Ask, view: &AgentView) -> i64 {
    let session = ask.switch.session_of(view.agent.clone()).await.ok().flatten();
    session.map_or(0, |session| session.since.0)
}

/// Seconds that he has been what he is.
fn seconds(ask: &Ask, view: &AgentView) -> i64 {
    ask.switch.moment().0.saturating_sub(view.since.0).max(0) / 1_000
}

fn state(view: &AgentView) -> State {
    State::of(view.status, view.reason.as_deref())
}

fn cti(view: &AgentView) -> u8 {
    state(view).cti_status(view.status)
}

fn lower(row: Value) -> Value {
    match row {
        Value::Object(entries) => {
            let entries: Map<_, _> = entries.into_iter().map(|(k, v)| (k.to_ascii_lowercase(), v)).collect();
            Value::Object(entries)
        }
        other => other,
    }
}

async fn of_skill(ask: &Ask) -> Result<Vec<Value>, Fault> {
    let skill = ask.said.text("skillId").ok_or((Code::Parameter, "skillId is missing".to_owned()))?;
    let queue = ask.queue(&skill).ok_or_else(|| (Code::Parameter, format!("there is no skill {skill}")))?;
    let serves = |view: &AgentView| {
        ask.plan.agents.get(&view.agent.name).is_some_and(|agent| agent.queues.contains(queue))
    };
    let mut rows = Vec::new();
    for view in all(ask).await?.iter().filter(|view| serves(view)) {
        rows.push(json!({
            "workNo": view.agent.name.as_str(),
            "name": view.display,
            "status": state(view).status(),
            "ctiStatus": cti(view),
            "groupId": 0,
            "mediaType": "TTF",
            "vdnId": ask.tenant.tenant.vdn,
            "phoneNumber": view.user.name.as_str(),
            "currentStateTime": seconds(ask, view),
            "loginDate": login(ask, view).await,
        }));
    }
    Ok(rows)
}

/// Agents who have a skill, signed in or not.
pub(crate) async fn by_skill(ask: Ask) -> Answered {
    Answered(of_skill(&ask).await.map(|rows| Reply::Rows(rows.into())))
}

pub(crate) async fn by_skill_lower(ask: Ask) -> Answered {
    let rows = of_skill(&ask).await;
    Answered(rows.map(|rows| Reply::Rows(rows.into_iter().map(lower).collect::<Vec<_>>().into())))
}

async fn one(ask: &Ask) -> Result<Value, Fault> {
    let id = ask.said.text("agentId").ok_or((Code::Parameter, "agentId is missing".to_owned()))?;
    let views = all(ask).await?;
    let none = || (Code::Parameter, format!("there is no agent {id}"));
    let view = views.iter().find(|view| view.agent.name.as_str() == id).ok_or_else(none)?;
    // `citStatus` is the reference's spelling
    Ok(json!({
        "workNo": view.agent.name.as_str(),
        "vdnId": ask.tenant.tenant.vdn,
        "citStatus": cti(view),
        "name": view.display,
        "phoneNumber": view.user.name.as_str(),
        "loginDate": login(ask, view).await,
        "currentStateTime": seconds(ask, view),
        "mediaType": "TTF",
        "status": state(view).status(),
    }))
}

pub(crate) async fn by_number(ask: Ask) -> Answered {
    Answered(one(&ask).await.map(Reply::Rows))
}

/// The one that has the old pair alone.
pub(crate) async fn by_number_lower(ask: Ask) -> Answered {
    Answered(one(&ask).await.map(lower).map(Reply::Old))
}

async fn states_of(ask: &Ask) -> Result<Vec<Value>, Fault> {
    let ids = ask.list("agentIds", IDS_MAX)?;
    let views = all(ask).await?;
    let mut rows = Vec::new();
    for view in views.iter().filter(|view| ids.iter().any(|id| id == view.agent.name.as_str())) {
        let state = state(view);
        let reason = match &state {
            State::Busy(reason) | State::Rest(reason) => reason.clone(),
            _ => "0".to_owned(),
        };
        rows.push(json!({
            "agentId": view.agent.name.as_str(),
            "locationId": 0,
            "currentState": cti(view),
            "currentStateTime": seconds(ask, view),
            "currentStateReason": reason.parse::<u32>().unwrap_or_default(),
            "prevState": 0,
            "prevStateTime": 0,
            "logonTime": login(ask, view).await,
            "agentRelease": 0,
            "currentPrivateCallNum": 0,
        }));
    }
    Ok(rows)
}

pub(crate) async fn states(ask: Ask) -> Answered {
    Answered(states_of(&ask).await.map(|rows| Reply::Rows(rows.into())))
}

/// The page that is asked for: where it begins, and how long it is.
fn page(ask: &Ask) -> Result<(usize, usize), Fault> {
    let limit = ask.said.number::<usize>("limit").map_err(parameter)?.unwrap_or(PAGE_MAX);
    let offset = ask.said.number::<usize>("offset").map_err(parameter)?.unwrap_or(0);
    match (1..=PAGE_MAX).contains(&limit) {
        true => Ok((offset, limit)),
        false => Err((Code::Parameter, format!("limit is not within 1 to {PAGE_MAX}"))),
    }
}

async fn paged(ask: &Ask) -> Result<Reply, Fault> {
    let (offset, limit) = page(ask)?;
    let views = all(ask).await?;
    let row = |view: &AgentView| {
        json!({
            "agentId": view.agent.name.as_str(),
            "currentState": cti(view),
            "currentStateTime": seconds(ask, view),
            "locationId": 0,
        })
    };
    let rows: Vec<Value> = views.iter().skip(offset).take(limit).map(row).collect();
    Ok(Reply::Counted(rows.into(), views.len()))
}

/// All agents with what they are, by pages.
pub(crate) async fn all_states(ask: Ask) -> Answered {
    Answered(paged(&ask).await)
}

/// All of them at once.
pub(crate) async fn total_states(ask: Ask) -> Answered {
    let row = |view: &AgentView| json!({ "agentId": view.agent.name.as_str(), "state": cti(view) });
    let views = all(&ask).await;
    Answered(views.map(|views| Reply::Rows(views.iter().map(row).collect::<Vec<_>>().into())))
}

/// As the reference counts them from one: what each agent may here, and what an inspector may besides.
fn rights(role: Role) -> String {
    let may = |bit: &u8| match bit {
        1..=11 | 30 => true,
        13 | 14 | 15 | 17 => role == Role::Supervisor,
        _ => false,
    };
    (1..=32).map(|bit| if may(&bit) { '1' } else { '0' }).collect()
}

/// Agents as they are configured.
pub(crate) async fn configured(ask: Ask) -> Answered {
    let (offset, limit) = match page(&ask) {
        Ok(page) => page,
        Err(fault) => return Answered(Err(fault)),
    };
    let rows = ask.plan.agents.iter().skip(offset).take(limit).map(|(name, agent)| {
        json!({
            "agentId": name.as_str(),
            "groupId": 0,
            "rights": rights(agent.role),
            "name": agent.display,
            "realFlag": 1,
        })
    });
    Answered(Ok(Reply::Counted(rows.collect::<Vec<_>>().into(), ask.plan.agents.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inspector_may_listen_and_an_agent_may_not() {
        assert_eq!(rights(Role::Agent), "11111111111000000000000000000100");
        assert_eq!(rights(Role::Supervisor), "11111111111011101000000000000100");
    }
}
