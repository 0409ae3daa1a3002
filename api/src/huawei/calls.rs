//! Calls that a program begins for an agent: his telephone first, then the other; and what is known of calls.

use super::answered::Answer;
use super::door::{Ask, why};
use super::reply::sent;
use crate::gateway::fields::Fields;
use crate::gateway::number::{call_of, of_call, skills};
use crate::gateway::voice::APP_DATA;
use crate::switch::{Command, Refusal};
use crate::transfer::is_number;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use cordboard_model::desk::Goal;
use cordboard_model::id::{AgentId, CallId, UserId};
use cordboard_model::originate::{FirstGoal, NewCall};
use cordboard_model::verb::Destination;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The longest number, bytes.
const NUMBER_MAX: usize = 32;
/// The longest call data, bytes.
const DATA_MAX: usize = 1_024;

/// Result codes of the reference, each with its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Code(&'static str, &'static str);

const NOT_ADDED: Code = Code("1", "the call could not be begun");
const DATA: Code = Code("2", "callData is too long");
const NO_SERIAL: Code = Code("3", "the call has no number");
const NOWHERE: Code = Code("4", "the number leads nowhere");
const FORMAT: Code = Code("5", "a number is wrong");
const VDN: Code = Code("6", "the switch takes no calls now");
const RANGE: Code = Code("8", "the number or agent is not the tenant's");

/// Not done: the code, and what is wrong here.
type Fault = (Code, String);

fn answered(done: Result<Value, Fault>) -> Response {
    let body = match done {
        Ok(result) => json!({ "retCode": "0", "retMsg": "success", "result": result }),
        Err((Code(code, words), detail)) => {
            let text = if detail.is_empty() { words.to_owned() } else { format!("{words}: {detail}") };
            json!({ "retCode": code, "retMsg": text, "result": {} })
        }
    };
    sent(StatusCode::OK, &body)
}

fn number(said: &Fields, name: &str) -> Result<Option<String>, Fault> {
    match said.text(name) {
        Some(text) if text.len() > NUMBER_MAX || !is_number(&text) => Err((FORMAT, name.to_owned())),
        text => Ok(text),
    }
}

fn needed(said: &Fields, name: &str) -> Result<String, Fault> {
    number(said, name)?.ok_or_else(|| (FORMAT, format!("{name} is missing")))
}

/// Where answers are told: a URL as base64 has it, at a host that is allowed.
fn told_to(ask: &Ask) -> Result<Option<String>, Fault> {
    let Some(coded) = ask.said.text("callBackUrl") else { return Ok(None) };
    let read = [STANDARD, STANDARD_NO_PAD, URL_SAFE].into_iter().find_map(|way| way.decode(&coded).ok());
    let url = read.and_then(|bytes| String::from_utf8(bytes).ok());
    let url = url.filter(|url| ask.shapes.switch.may_post(url));
    url.map(Some).ok_or_else(|| (NOT_ADDED, "callBackUrl is no base64, or not allowed".into()))
}

/// Who is called first, with the account whose rules count.
struct First {
    goal: FirstGoal,
    account: Option<UserId>,
    shown_as: String,
}

/// `v1`: a number of the agent's, which may be his own telephone.
async fn first(ask: &Ask) -> Result<First, Fault> {
    let caller = needed(&ask.said, "caller")?;
    let tenant = ask.tenant.tenant.id;
    let Some(workno) = ask.said.text("agentWorkNo") else {
        return Ok(First { goal: FirstGoal::Number(caller.clone()), account: None, shown_as: caller });
    };
    let plan = ask.shapes.switch.floor_plan(tenant).await.map_err(|refusal| (VDN, why(refusal)))?;
    let unknown = || (RANGE, format!("there is no agent {workno}"));
    let agent = plan.agents.get(workno.as_str()).ok_or_else(unknown)?;
    let id = AgentId::new(tenant, &workno).map_err(|_| unknown())?;
    let account = UserId { tenant, name: agent.user.clone() };
    let goal = match caller == workno || caller == agent.user.as_str() {
        true => FirstGoal::Agent(id),
        false => FirstGoal::Number(caller.clone()),
    };
    Ok(First { goal, account: Some(account), shown_as: caller })
}

/// `v3`: an account's telephones.
async fn first_phone(ask: &Ask) -> Result<First, Fault> {
    let phone = needed(&ask.said, "softPhone")?;
    let tenant = ask.tenant.tenant.id;
    let plan = ask.shapes.switch.floor_plan(tenant).await.map_err(|refusal| (VDN, why(refusal)))?;
    let unknown = |_| (RANGE, format!("there is no telephone {phone}"));
    let account = UserId::new(tenant, &phone).map_err(unknown)?;
    let of = plan.agents.iter().find(|(_, agent)| agent.user == account.name);
    let goal = match of.map(|(name, _)| AgentId { tenant, name: name.clone() }) {
        Some(agent) => FirstGoal::Agent(agent),
        None => FirstGoal::User(account.clone()),
    };
    Ok(First { goal, account: Some(account), shown_as: phone })
}

/// What the switch's refusals are here.
fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::NotFound(_) => RANGE,
        Refusal::Named("no_such_target" | "number_not_allowed" | "not_dialable" | "no_such_agent", _) => {
            RANGE
        }
        Refusal::Busy(_) | Refusal::Named("no_calls", _) => VDN,
        _ => NOT_ADDED,
    }
}

async fn begin(ask: &Ask, first: First) -> Result<Value, Fault> {
    let called = needed(&ask.said, "called")?;
    let shown = number(&ask.said, "callerPresent")?;
    number(&ask.said, "agentPresent")?;
    let data = ask.said.text("callData");
    if data.as_ref().is_some_and(|data| data.len() > DATA_MAX) {
        return Err((DATA, format!("at most {DATA_MAX} bytes")));
    }
    let url = told_to(ask)?;
    let entries: BTreeMap<String, Value> =
        data.iter().map(|data| (APP_DATA.to_owned(), Value::from(data.as_str()))).collect();
    let new = NewCall {
        first: first.goal,
        then: Goal::Number(called.clone()),
        account: first.account,
        shown,
        rings: [None, None],
        data: entries,
        token: None,
        by: ask.by(),
    };
    let tenant = ask.tenant.tenant.id;
    ask.notes();
    let done = ask.shapes.switch.command(tenant, Command::NewCall(Box::new(new))).await;
    let done = done.map_err(|refusal| (code_of(&refusal), why(refusal)))?;
    let call = done.last().and_then(|call| call.parse::<CallId>().ok());
    let call = call.ok_or_else(|| (NO_SERIAL, String::new()))?;
    if let Some(url) = url {
        let body = json!({
            "callSerialNo": of_call(call),
            "serviceNo": ask.said.text("callerPresent").unwrap_or(first.shown_as),
            "called": called,
            "callData": data.unwrap_or_default(),
        });
        ask.shapes.answers.watch(&ask.shapes.switch, Answer { call, url, body });
    }
    Ok(json!({ "callSerialNo": of_call(call) }))
}

pub(crate) async fn create(ask: Ask) -> Response {
    let done = match first(&ask).await {
        Ok(first) => begin(&ask, first).await,
        Err(fault) => Err(fault),
    };
    answered(done)
}

pub(crate) async fn create_by_phone(ask: Ask) -> Response {
    let done = match first_phone(&ask).await {
        Ok(first) => begin(&ask, first).await,
        Err(fault) => Err(fault),
    };
    answered(done)
}

/// What a number leads to: a skill, or somebody.
pub(crate) async fn called_info(ask: Ask) -> Response {
    answered(leads_to(&ask).await)
}

async fn leads_to(ask: &Ask) -> Result<Value, Fault> {
    let (called, caller) = (needed(&ask.said, "called")?, number(&ask.said, "caller")?.unwrap_or_default());
    let (tenant, switch) = (ask.tenant.tenant.id, &ask.shapes.switch);
    let route = switch.explain(tenant, None, caller, called.clone()).await;
    let route = route.map_err(|refusal| (NOWHERE, why(refusal)))?;
    let queue = match route.goes_to {
        Some(Destination::Queue(queue)) => queue,
        Some(_) => {
            return Ok(json!({ "devType": 1, "called": route.to, "skillId": "", "skillName": "" }));
        }
        None => return Err((NOWHERE, called)),
    };
    let plan = switch.floor_plan(tenant).await.map_err(|refusal| (NOWHERE, why(refusal)))?;
    let id = skills(&ask.tenant.tenant, &plan).get(&queue.name).copied().unwrap_or_default();
    let name =
        plan.queues.get(&queue.name).map(|queue| queue.display.clone()).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| queue.name.to_string());
    Ok(json!({ "devType": 0, "called": called, "skillId": id.to_string(), "skillName": name }))
}

/// A number as a number, where it is one.
fn numeric(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from)
}

/// A call by its number, while it is up and after.
pub(crate) async fn info(ask: Ask) -> Response {
    let missing = |why: &str| {
        let body = json!({ "retCode": "1", "retMsg": why });
        sent(StatusCode::OK, &body)
    };
    let Some(id) = ask.said.text("callId") else { return missing("callId is missing") };
    let tenant = ask.tenant.tenant.id;
    let Some(call) = call_of(tenant, &id) else { return missing("there is no such call") };
    let switch = &ask.shapes.switch;
    let (from, to, queue, data) = match switch.call(call).await {
        Ok(view) => (view.from, view.to, view.queue, view.data),
        Err(_) => match switch.cdr(call).await {
            Ok(cdr) => (cdr.from, cdr.to, cdr.queues.last().map(|visit| visit.queue.clone()), cdr.data),
            Err(_) => return missing("there is no such call"),
        },
    };
    let Ok(plan) = switch.floor_plan(tenant).await else { return missing("the tenant is not served now") };
    let known = skills(&ask.tenant.tenant, &plan);
    let skill = queue.as_ref().and_then(|queue| known.get(&queue.name).copied());
    let name =
        queue.as_ref().and_then(|queue| plan.queues.get(&queue.name)).map(|queue| queue.display.clone());
    let is_agent = |user: &str| plan.agents.values().any(|agent| agent.user.as_str() == user);
    let kind = match (is_agent(&from.user), is_agent(&to.user)) {
        (true, true) => 6,
        (true, false) => 7,
        _ => 0,
    };
    let body = json!({
        "retCode": "0",
        "retMsg": "success",
        "caller": numeric(&from.user),
        "called": numeric(&to.user),
        "mediaAbility": 1,
        "calldata": crate::gateway::data::app_data(&data),
        "callId": id,
        "callSkillId": skill.map(|id| id.to_string()).unwrap_or_default(),
        "callSkill": name.unwrap_or_default(),
        "callType": kind,
    });
    sent(StatusCode::OK, &body)
}
