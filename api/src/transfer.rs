//! Transfers by the API: blind, after a consultation, or of one call to another.

use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::{Answer, Done, order, read};
use crate::state::{State, own};
use crate::switch::{Command, Transfer, TransferTo};
use axum::body::Bytes;
use axum::extract::{Path, State as Use};
use cordboard_model::id::{CallId, LegId, TenantId};
use serde::Deserialize;

/// Longest number that is taken, bytes: E.164 has 15 digits, access codes and names are longer.
pub(crate) const NUMBER_MAX: usize = 64;

const EXPECTED: &str =
    r#"expected {"to": "1002"}, {"to": "1002", "consult": true} or {"call": "..."}, and perhaps "leg""#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    to: Option<String>,
    #[serde(default)]
    consult: bool,
    call: Option<String>,
    leg: Option<String>,
}

pub(crate) async fn begin(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    let body: Body = read(&body, "to", EXPECTED)?;
    let by = leg_of(body.leg.as_deref(), who.tenant)?;
    let to = match (body.to, body.call) {
        (Some(to), None) => number(to, body.consult)?,
        (None, Some(_)) if body.consult => {
            return Err(Problem::field("consult", "who is in another call is spoken to already"));
        }
        (None, Some(other)) => TransferTo::Call(own(&other, who.tenant, |c: &CallId| c.tenant)?),
        _ => return Err(Problem::field("to", EXPECTED)),
    };
    order(&state, who.tenant, Command::Transfer(Transfer { call, by, to })).await
}

/// The leg that a body names, if it names one.
pub(crate) fn leg_of(leg: Option<&str>, tenant: TenantId) -> Result<Option<LegId>, Problem> {
    leg.map(|leg| own(leg, tenant, |l: &LegId| l.tenant)).transpose()
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

pub(crate) async fn complete(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    order(&state, who.tenant, Command::EndTransfer(call, true)).await
}

pub(crate) async fn cancel(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    order(&state, who.tenant, Command::EndTransfer(call, false)).await
}
