//! Lists: skills of the tenant, and agents by number or skill.

use super::ask::{Answered, Ask, refused, result};
use super::code::{Code, Fault};
use super::number::of_call;
use super::online::{media_type, skill_list};
use super::seen::State;
use cordboard_model::view::{AgentStatus, AgentView};
use serde_json::{Value, json};

/// Most agents of a list.
const LIMIT: usize = 500;

pub(crate) async fn skills(ask: Ask) -> Answered {
    let plan = &ask.seat.plan;
    let row = |name: &cordboard_model::id::Name| {
        let (id, display) = ask.seat.skill(name.as_str());
        json!({
            "name": display,
            "id": id,
            "mediatype": media_type(&ask, name.as_str()),
            "serviceType": 0,
            "realFlag": 1,
        })
    };
    match plan.queues.is_empty() {
        true => Err(Code::TENANT_SKILL.into()),
        false => result(Value::Array(plan.queues.keys().map(row).collect())),
    }
}

async fn agents(ask: &Ask) -> Result<Vec<AgentView>, Fault> {
    let found = ask.gateway.switch.agents(ask.seat.agent.tenant).await;
    found.map_err(|why| refused(why, |_| Code::INTERNAL))
}

/// The numbers of his call and of his chats.
fn of_calls(view: &AgentView) -> Vec<String> {
    let chats = view.chats.iter().copied().filter(|chat| view.call != Some(*chat));
    view.call.into_iter().chain(chats).map(of_call).collect()
}

/// An agent as lists have him.
fn row(ask: &Ask, view: &AgentView) -> Value {
    let state = State::of(view.status, view.reason.as_deref());
    let now = ask.gateway.switch.moment();
    let workno = view.agent.name.as_str();
    let other = ask.gateway.seat(workno).filter(|seat| seat.agent == view.agent);
    let reason = match &state {
        State::Busy(reason) | State::Rest(reason) => reason.clone(),
        _ => "0".to_owned(),
    };
    let phone = other.as_ref().map_or_else(|| view.user.name.to_string(), |seat| seat.phone.clone());
    let calls: Vec<String> = of_calls(view);
    json!({
        "workno": workno,
        "name": view.display,
        "status": state.status().to_string(),
        "ctiStatus": state.cti_status(view.status).to_string(),
        "groupid": 0,
        "groupname": "",
        "skilllist": skill_list(ask, workno),
        "mediatype": "TTF",
        "vdnid": ask.seat.vdn,
        "phonenumber": phone,
        "currentstatetime": now.0.saturating_sub(view.since.0).max(0) / 1_000,
        "logindate": other.map_or(0, |seat| seat.since.0),
        "callids": calls,
        "inMultimediaConf": false,
        "currentStateReason": reason,
    })
}

pub(crate) async fn agent(ask: Ask) -> Answered {
    let id = ask.agent(ask.path("workno"), Code::NO_SUCH_AGENT)?;
    let view = agents(&ask).await?.into_iter().find(|view| view.agent == id);
    result(row(&ask, &view.ok_or(Code::NO_SUCH_AGENT)?))
}

/// Those who are signed in to a skill; fewer, or of certain states alone, where the body says so.
pub(crate) async fn agents_by_skill(ask: Ask) -> Answered {
    let skill = ask.path("skillid").to_owned();
    let queue = ask.seat.queue_of(&skill).ok_or_else(|| Fault::new(Code::TENANT_SKILL, skill))?;
    let limit = ask.fields.number::<usize>("agentLimit")?;
    let states = ask.fields.numbers("agentStatus")?;
    if limit.is_some() != states.is_some() || limit.is_some_and(|limit| !(1..=LIMIT).contains(&limit)) {
        return Err(Fault::new(Code::PARAMETER, "agentLimit, 1 to 500, and agentStatus come together"));
    }
    let serves = |view: &&AgentView| {
        let plan = ask.seat.plan.agents.get(view.agent.name.as_str());
        plan.is_some_and(|agent| agent.queues.contains(&queue.name)) && view.status != AgentStatus::SignedOut
    };
    let is_one = |view: &&AgentView| {
        let status = u64::from(State::of(view.status, view.reason.as_deref()).status());
        states.as_ref().is_none_or(|states| states.contains(&status))
    };
    let views = agents(&ask).await?;
    let fitting = views.iter().filter(serves).filter(is_one).take(limit.unwrap_or(LIMIT));
    result(Value::Array(fitting.map(|view| row(&ask, view)).collect()))
}
