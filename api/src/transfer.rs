//! Transfers by the API: blind, after a consultation, or of one call to another.

use crate::asked::{Of, Said, Says, own};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::switch::{Command, Transfer, TransferTo};
use cordboard_model::id::{AgentId, CallId, FlowId, IdError, LegId, QueueId, TenantId, UserId};
use cordboard_model::verb::Destination;
use schemars::JsonSchema;
use serde::Deserialize;

/// Longest number that is taken, bytes: E.164 has 15 digits, access codes and names are longer.
pub(crate) const NUMBER_MAX: usize = 64;

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Transfer")]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    /// A number, as who sends would dial it.
    to: Option<String>,
    agent: Option<String>,
    account: Option<String>,
    queue: Option<String>,
    flow: Option<String>,
    #[serde(default)]
    consult: bool,
    call: Option<String>,
    leg: Option<String>,
}

impl Says for Body {
    const FIELD: &'static str = "to";
    const EXPECTED: &'static str = r#"expected {"to": "1002"}, or "agent", "account", "queue" or "flow" instead of "to", perhaps with "consult": true; or {"call": "..."}; and perhaps "leg""#;
}

pub(crate) async fn begin(call: Of<CallId>, Said(body): Said<Body>) -> Answer<Done> {
    let tenant = call.who.tenant;
    let by = leg_of(body.leg.as_deref(), tenant)?;
    let Body { agent, account, queue, flow, consult, .. } = body;
    if let Some(place) = place(tenant, [agent, account, queue, flow])? {
        if body.to.is_some() || body.call.is_some() {
            return Err(Problem::field("to", Body::EXPECTED));
        }
        let to = TransferTo::Place(place, consult);
        return call.order(Command::Transfer(Transfer { call: call.id, by, to })).await;
    }
    let to = match (body.to, body.call) {
        (Some(to), None) => number(to, consult)?,
        (None, Some(_)) if consult => {
            return Err(Problem::field("consult", "who is in another call is spoken to already"));
        }
        (None, Some(other)) => TransferTo::Call(own(&other, tenant)?),
        _ => return Err(Problem::field("to", Body::EXPECTED)),
    };
    call.order(Command::Transfer(Transfer { call: call.id, by, to })).await
}

/// The place that a body names by one of an agent, an account, a queue and a flow, if it names one.
fn place(tenant: TenantId, named: [Option<String>; 4]) -> Result<Option<Destination>, Problem> {
    let bad = |field| move |why: IdError| Problem::field(field, why.to_string());
    Ok(Some(match named {
        [None, None, None, None] => return Ok(None),
        [Some(name), None, None, None] => {
            Destination::Agent(AgentId::new(tenant, &name).map_err(bad("agent"))?)
        }
        [None, Some(name), None, None] => {
            Destination::User(UserId::new(tenant, &name).map_err(bad("account"))?)
        }
        [None, None, Some(name), None] => {
            Destination::Queue(QueueId::new(tenant, &name).map_err(bad("queue"))?)
        }
        [None, None, None, Some(name)] => Destination::Flow(FlowId::new(tenant, &name).map_err(bad("flow"))?),
        _ => return Err(Problem::field("to", Body::EXPECTED)),
    }))
}

/// The leg that a body names, if it names one.
pub(crate) fn leg_of(leg: Option<&str>, tenant: TenantId) -> Result<Option<LegId>, Problem> {
    leg.map(|leg| own(leg, tenant)).transpose()
}

/// Whether it can be dialled.
pub(crate) fn is_number(to: &str) -> bool {
    (1..=NUMBER_MAX).contains(&to.len()) && to.chars().all(|c| c.is_ascii_graphic())
}

fn number(to: String, consult: bool) -> Result<TransferTo, Problem> {
    match (is_number(&to), consult) {
        (false, _) => Err(Problem::field("to", "not a number or name that can be dialled")),
        (true, true) => Ok(TransferTo::Consult(to)),
        (true, false) => Ok(TransferTo::Number(to)),
    }
}

pub(crate) async fn complete(call: Of<CallId>) -> Answer<Done> {
    call.order(Command::EndTransfer(call.id, true)).await
}

pub(crate) async fn cancel(call: Of<CallId>) -> Answer<Done> {
    call.order(Command::EndTransfer(call.id, false)).await
}
