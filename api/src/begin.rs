//! Calls that a program begins: `POST /calls` calls one party, then the other; `DELETE /calls/{id}` ends any call.

use crate::asked::{Of, Said, Says};
use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::state::State;
use crate::switch::Command;
use crate::transfer::is_number;
use axum::Json;
use axum::extract::State as Use;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordboard_model::cause::Cause;
use cordboard_model::desk::{Actor, Goal};
use cordboard_model::id::{AgentId, CallId, FlowId, IdError, QueueId, TenantId, UserId};
use cordboard_model::originate::{FirstGoal, NewCall, TOKEN_MAX};
use cordboard_model::verb::Destination;
use core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How long a phone may ring, seconds.
const RING: core::ops::RangeInclusive<u64> = 1..=600;

/// One of these.
#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "CallEnd")]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    number: Option<String>,
    agent: Option<String>,
    account: Option<String>,
    queue: Option<String>,
    flow: Option<String>,
    /// How long it rings, seconds.
    ring: Option<u64>,
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "NewCall")]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    first: End,
    then: End,
    /// The account whose rules count.
    account: Option<String>,
    caller_number: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, Value>,
    token: Option<String>,
}

impl Says for Body {
    const FIELD: &'static str = "first";
    const EXPECTED: &'static str = r#"expected {"first": {"agent": "1001"}, "then": {"number": "+4930..."}}: each with one of number, agent and account, "then" also with queue or flow, and perhaps "ring"; beside them perhaps account, caller_number, data and token"#;
}

/// What becomes of it.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CallBegun")]
pub(crate) struct Begun {
    call: CallId,
    done: Vec<String>,
}

fn bad(field: &'static str) -> impl Fn(IdError) -> Problem {
    move |why| Problem::field(field, why.to_string())
}

impl End {
    fn ring(&self, field: &'static str) -> Result<Option<Duration>, Problem> {
        match self.ring {
            Some(seconds) if !RING.contains(&seconds) => Err(Problem::field(
                field,
                format!("ring: expected {} to {} seconds", RING.start(), RING.end()),
            )),
            ring => Ok(ring.map(Duration::from_secs)),
        }
    }

    /// Whether it says how long it rings.
    pub(crate) fn rings(&self) -> bool {
        self.ring.is_some()
    }

    pub(crate) fn goal(self, field: &'static str, tenant: TenantId) -> Result<Goal, Problem> {
        let Self { number, agent, account, queue, flow, .. } = self;
        let place = |to| Ok(Goal::Place(to));
        match (number, agent, account, queue, flow) {
            (Some(number), None, None, None, None) if is_number(&number) => Ok(Goal::Number(number)),
            (None, Some(name), None, None, None) => {
                place(Destination::Agent(AgentId::new(tenant, &name).map_err(bad(field))?))
            }
            (None, None, Some(name), None, None) => {
                place(Destination::User(UserId::new(tenant, &name).map_err(bad(field))?))
            }
            (None, None, None, Some(name), None) => {
                place(Destination::Queue(QueueId::new(tenant, &name).map_err(bad(field))?))
            }
            (None, None, None, None, Some(name)) => {
                place(Destination::Flow(FlowId::new(tenant, &name).map_err(bad(field))?))
            }
            (Some(_), ..) => Err(Problem::field(field, "not one number or name that can be dialled")),
            _ => Err(Problem::field(field, Body::EXPECTED)),
        }
    }
}

pub(crate) async fn begin(
    Use(state): Use<State>,
    Asking(who): Asking,
    Said(body): Said<Body>,
) -> Result<Response, Problem> {
    let Body { first, then, account, caller_number, data, token } = body;
    let rings = [first.ring("first")?, then.ring("then")?];
    let first = match first.goal("first", who.tenant)? {
        Goal::Number(number) => FirstGoal::Number(number),
        Goal::Place(Destination::Agent(agent)) => FirstGoal::Agent(agent),
        Goal::Place(Destination::User(user)) => FirstGoal::User(user),
        Goal::Place(_) => {
            return Err(Problem::field("first", "a queue or flow is nobody who can be called first"));
        }
    };
    let then = then.goal("then", who.tenant)?;
    if caller_number.as_ref().is_some_and(|number| !is_number(number)) {
        return Err(Problem::field("caller_number", "not a number"));
    }
    if token.as_ref().is_some_and(|token| !(1..=TOKEN_MAX).contains(&token.len())) {
        return Err(Problem::field("token", format!("expected 1 to {TOKEN_MAX} bytes")));
    }
    let account = account.map(|name| UserId::new(who.tenant, &name)).transpose().map_err(bad("account"))?;
    let by = Actor { key: who.actor(), agent: None };
    let new = NewCall { first, then, account, shown: caller_number, rings, data, token, by };
    let done = state.switch.command(who.tenant, Command::NewCall(Box::new(new))).await?;
    let call = done.last().and_then(|call| call.parse::<CallId>().ok());
    let call =
        call.ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "no call", "no call began"))?;
    Ok((StatusCode::CREATED, Json(Begun { call, done })).into_response())
}

pub(crate) async fn end(call: Of<CallId>) -> Answer<Done> {
    call.order(Command::HangUp(call.id, Cause::Administrative)).await
}
