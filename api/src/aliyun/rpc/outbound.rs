//! Calling out: numbers that may be shown, and calls of two ends that a program begins.

use super::{Call, Done, Fault, Fields, data, fields};
use crate::gateway::voice::APP_DATA;
use crate::objects::ObjectKind;
use crate::switch::{Command, Refusal};
use crate::transfer::is_number;
use cordboard_model::cause::Cause;
use cordboard_model::desk::{Actor, Goal};
use cordboard_model::id::{AgentId, CallId, UserId};
use cordboard_model::originate::{FirstGoal, NewCall};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The longest `BizData`, bytes.
const DATA_MAX: usize = 1_024;

/// The groups of numbers that an agent's queues show, or all of them: each with its numbers.
async fn groups(call: &Call, agent: Option<AgentId>) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let wanted = match agent {
        None => None,
        Some(agent) => {
            let plan = call.plan().await?;
            let his = plan.agents.get(&agent.name).map(|agent| agent.queues.clone()).unwrap_or_default();
            let queues = call.objects(ObjectKind::Queues).await?;
            let shows = queues.iter().filter(|queue| his.iter().any(|name| name.as_str() == queue.name));
            let named = shows.filter_map(|queue| queue.document.get("caller_pool")?.as_str());
            Some(named.map(str::to_owned).collect::<BTreeSet<String>>())
        }
    };
    let all = call.objects(ObjectKind::NumberGroups).await?;
    let fitting = all.into_iter().filter(|group| wanted.as_ref().is_none_or(|w| w.contains(&group.name)));
    let numbers = |document: &Fields| {
        let list = document.get("numbers").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Ok(fitting.map(|group| (group.name.clone(), numbers(&group.document))).collect())
}

/// Every number once, in order.
fn apart(groups: &[(String, Vec<String>)]) -> Vec<&str> {
    let all: BTreeSet<&str> = groups.iter().flat_map(|(_, numbers)| numbers).map(String::as_str).collect();
    all.into_iter().collect()
}

/// The agent, where one is said.
async fn said(call: &Call) -> Result<Option<AgentId>, Fault> {
    match call.said.text("AccountName") {
        None => Ok(None),
        Some(_) => call.agent().await.map(Some),
    }
}

/// `ListOutboundPhoneNumber` and `GetConfigNumList`: numbers alone.
pub(super) async fn numbers(call: &Call) -> Done {
    if call.said.text("DepartmentId").is_some() {
        let why = "a department has no numbers of its own: a number group is shown by queues";
        return Err(Fault::invalid("DepartmentId", why));
    }
    let groups = groups(call, said(call).await?).await?;
    data(apart(&groups))
}

/// `GetOutbounNumList`: numbers, and the groups that they are of.
pub(super) async fn numbers_and_groups(call: &Call) -> Done {
    let groups = groups(call, Some(call.agent().await?)).await?;
    let entry = |kind: u8, value: &str| json!({ "Description": "", "Type": kind, "Value": value });
    let numbers: Vec<Value> = apart(&groups).into_iter().map(|number| entry(1, number)).collect();
    let named: Vec<Value> = groups.iter().map(|(name, _)| entry(2, name)).collect();
    data(json!({ "Num": numbers, "NumGroup": named }))
}

/// How many wait in the queues that an agent serves.
pub(super) async fn waiting(call: &Call) -> Done {
    let (agent, plan) = (call.agent().await?, call.plan().await?);
    let his = plan.agents.get(&agent.name).map(|agent| agent.queues.clone()).unwrap_or_default();
    let queues = call.state.switch.queues(call.tenant).await?;
    let of_his = queues.iter().filter(|queue| his.contains(&queue.queue.name));
    data(of_his.map(|queue| queue.waiting.len()).sum::<usize>())
}

fn number(call: &Call, name: &str) -> Result<String, Fault> {
    let text = call.said.need(name)?;
    let fits = is_number(text);
    if fits { Ok(text.to_owned()) } else { Err(Fault::invalid(name, "a number is expected")) }
}

/// The agent's end rings first, then the customer's.
pub(super) async fn begin(call: &Call) -> Done {
    let (agent, plan) = (call.agent().await?, call.plan().await?);
    let his = plan.agents.get(&agent.name).ok_or_else(|| Fault::no_agent(agent.name.as_str()))?;
    let first = number(call, "ServicerPhone")?;
    let member = number(call, "MemberPhone")?;
    let shown = Some(number(call, "OutboundCallNumber")?);
    let biz = call.said.text("BizData");
    if biz.is_some_and(|biz| biz.len() > DATA_MAX) {
        return Err(Fault::invalid("BizData", format!("at most {DATA_MAX} bytes")));
    }
    let account = Some(UserId { tenant: call.tenant, name: his.user.clone() });
    let first = match first == agent.name.as_str() || first == his.user.as_str() {
        true => FirstGoal::Agent(agent),
        false => FirstGoal::Number(first),
    };
    let entries: BTreeMap<String, Value> =
        biz.iter().map(|biz| (APP_DATA.to_owned(), Value::from(*biz))).collect();
    let by = Actor { key: call.by(), agent: None };
    let new = NewCall {
        first,
        then: Goal::Number(member),
        account,
        shown,
        rings: [None, None],
        data: entries,
        token: None,
        by,
    };
    let done = call.state.switch.command(call.tenant, Command::NewCall(Box::new(new))).await?;
    let begun = done.last().and_then(|call| call.parse::<CallId>().ok());
    let begun = begun.ok_or_else(|| Refusal::Internal("no call began".to_owned()))?;
    data(fields(json!({ "Acid": begun })))
}

/// Both ends are over.
pub(super) async fn end(call: &Call) -> Done {
    let text = call.said.need("Acid")?;
    let one = text.parse::<CallId>().ok().filter(|id| id.tenant == call.tenant);
    let one = one.ok_or_else(|| Fault::nothing(&format!("call {text:?}")))?;
    call.state.switch.command(call.tenant, Command::HangUp(one, Cause::Administrative)).await?;
    Ok(Fields::new())
}
