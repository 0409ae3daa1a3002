//! Agents, by their account names: those are the names of their sections.

use super::said::Said;
use super::{Call, Done, Fault, Fields, changed, data, fields, gone, groups, ids, made};
use crate::gateway::beside::{FloorPlan, PlanAgent};
use crate::objects::ObjectKind;
use cordboard_model::id::Name;
use serde_json::{Value, json};

/// Random bytes of the password of an account that is made for an agent.
const PASSWORD: usize = 24;

fn name(said: &Said) -> Result<Name, Fault> {
    Name::new(said.need("AccountName")?).map_err(|why| Fault::invalid("AccountName", why))
}

/// The queues that a request lists, by either spelling.
fn queues(call: &Call, plan: &FloorPlan) -> Result<Option<Vec<Name>>, Fault> {
    let said = match call.said.numbers("SkillGroupId")? {
        Some(list) => Some(list),
        None => call.said.numbers("SkillGroupIdList")?,
    };
    let Some(list) = said else { return Ok(None) };
    let known = ids::of(plan.queues.keys());
    let find = |id: &u64| {
        known.get(id).map(|name| (*name).clone()).ok_or_else(|| Fault::nothing(&format!("skill group {id}")))
    };
    list.iter().map(find).collect::<Result<_, _>>().map(Some)
}

pub(super) async fn create(call: &Call) -> Done {
    let (name, plan) = (name(&call.said)?, call.plan().await?);
    let display = call.said.need("DisplayName")?;
    let queues = queues(call, &plan)?.unwrap_or_default();
    let mut changes = Vec::new();
    let accounts = call.objects(ObjectKind::Accounts).await?;
    if !accounts.iter().any(|account| account.name == name.as_str()) {
        // nobody knows it: who is to register a phone there sets another
        let mut bytes = [0; PASSWORD];
        call.state.switch.random(&mut bytes)?;
        let document = fields(json!({ "display": display, "password": hex::encode(bytes) }));
        changes.push(made(ObjectKind::Accounts, name.clone(), document));
    }
    let document = fields(json!({ "display": display, "user": name, "queues": queues, "kind": "all_round" }));
    changes.push(made(ObjectKind::Agents, name.clone(), document));
    call.change(changes).await?;
    data(ids::number(&ids::of(call.plan().await?.agents.keys()), name.as_str()))
}

pub(super) async fn update(call: &Call) -> Done {
    let (agent, plan) = (call.agent().await?, call.plan().await?);
    let mut keys = fields(json!({ "display": call.said.need("DisplayName")? }));
    if let Some(queues) = queues(call, &plan)? {
        keys.insert("queues".to_owned(), json!(queues));
    }
    call.change(vec![changed(ObjectKind::Agents, agent.name, keys)]).await?;
    Ok(Fields::new())
}

pub(super) async fn delete(call: &Call) -> Done {
    let agent = call.agent().await?;
    call.change(vec![gone(ObjectKind::Agents, agent.name)]).await?;
    Ok(Fields::new())
}

fn short(call: &Call, plan: &FloorPlan, name: &Name, agent: &PlanAgent) -> Fields {
    fields(json!({
        "AccountName": name,
        "AgentId": ids::number(&ids::of(plan.agents.keys()), name.as_str()),
        "DisplayName": agent.display,
        "Status": 0,
        "TenantId": call.tenant_number(),
    }))
}

pub(super) async fn get(call: &Call) -> Done {
    let (agent, plan) = (call.agent().await?, call.plan().await?);
    let his = plan.agents.get(&agent.name).ok_or_else(|| Fault::no_agent(agent.name.as_str()))?;
    let known = ids::of(plan.queues.keys());
    let views: Vec<Value> = his
        .queues
        .iter()
        .filter_map(|name| plan.queues.get(name).map(|queue| groups::listed(&known, name, queue)))
        .collect();
    let mut body = short(call, &plan, &agent.name, his);
    body.insert("GroupList".to_owned(), views.into());
    data(body)
}

/// By his number; without `ServicerType`, whose numbers are not public.
pub(super) async fn by_id(call: &Call) -> Done {
    let plan = call.plan().await?;
    let id = call.said.need_number("AgentId")?;
    let known = ids::of(plan.agents.keys());
    let found = known.get(&id).and_then(|name| plan.agents.get_key_value(name.as_str()));
    let (name, agent) = found.ok_or_else(|| Fault::no_agent(&id.to_string()))?;
    data(json!({
        "AgentId": id,
        "CreateUserName": "",
        "ForeignKey": agent.user,
        "ForeignNick": name,
        "RealName": agent.display,
        "ShowName": agent.display,
    }))
}

pub(super) async fn of_group(call: &Call) -> Done {
    let plan = call.plan().await?;
    let group = groups::named(call, &plan)?;
    let his = plan.agents.iter().filter(|(_, agent)| agent.queues.contains(&group));
    let views: Vec<Value> = his.map(|(name, agent)| short(call, &plan, name, agent).into()).collect();
    data(views)
}

pub(super) async fn leave_group(call: &Call) -> Done {
    let plan = call.plan().await?;
    let group = groups::named(call, &plan)?;
    let wanted = call.said.numbers("AgentIds")?.ok_or_else(|| Fault::missing("AgentIds"))?;
    let known = ids::of(plan.agents.keys());
    let mut changes = Vec::new();
    for id in wanted {
        let found = known.get(&id).and_then(|name| plan.agents.get_key_value(name.as_str()));
        let (name, agent) = found.ok_or_else(|| Fault::no_agent(&id.to_string()))?;
        if agent.queues.contains(&group) {
            let rest: Vec<&Name> = agent.queues.iter().filter(|queue| **queue != group).collect();
            changes.push(changed(ObjectKind::Agents, name.clone(), fields(json!({ "queues": rest }))));
        }
    }
    let count = changes.len();
    if count > 0 {
        call.change(changes).await?;
    }
    data(json!({ "SuccessCount": count }))
}

impl Call {
    /// The number of the tenant.
    pub(super) fn tenant_number(&self) -> u64 {
        let name = Name::new(self.tenant.as_str());
        name.map_or(0, |name| ids::of([&name].into_iter()).into_keys().next().unwrap_or_default())
    }
}
