//! One order for many agents, answered agent by agent.
//!
//! Invariant: an agent whose order is refused stops nobody else's; each has a row, in the order in which they were named.

use crate::asked::{Said, Says};
use crate::catalog::{Routes, oversee};
use crate::key::{Overseeing, Who};
use crate::problem::Problem;
use crate::routes::Answer;
use crate::state::State;
use crate::switch::{Command, Refusal};
use axum::Json;
use axum::extract::State as Use;
use cordboard_model::desk::{DeskAct, DeskOrder};
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::service::AgentOrder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most agents of one request.
const AGENTS_MAX: usize = 10_000;

pub(crate) fn routes() -> Routes {
    let entry =
        oversee("orderAgents", "agents:control", "One order for many agents, answered agent by agent")
            .takes::<Orders>(r#"{"range": "1000-1099", "order": "rest"}"#)
            .gives::<Rows>();
    Routes::v1().post("/agents/orders", orders, entry)
}

/// What is ordered, and of whom.
#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "AgentOrders")]
#[serde(deny_unknown_fields)]
struct Orders {
    /// By name.
    #[serde(default)]
    agents: Vec<String>,
    /// Those there are from one number to another, as `1000-1099`.
    range: Option<String>,
    /// Those of one part of the house.
    organisation: Option<String>,
    #[serde(default)]
    order: String,
    reason: Option<String>,
    limit: Option<u64>,
    by: Option<String>,
}

impl Says for Orders {
    const FIELD: &'static str = "order";
    const EXPECTED: &'static str = r#"expected {"range": "1000-1099", "order": "rest"}, {"agents": ["1001", "1002"], ...} or {"organisation": "North", ...}; orders are sign-in, sign-out, ready, not-ready and rest, perhaps with "reason", "limit" and "by""#;
}

impl Orders {
    fn what(&self) -> Result<AgentOrder, Problem> {
        let order = self.order.as_str();
        if self.reason.is_some() && !matches!(order, "not-ready" | "rest") {
            return Err(Problem::field("reason", "goes with not-ready and rest alone"));
        }
        if self.limit.is_some() && order != "rest" {
            return Err(Problem::field("limit", "goes with rest alone"));
        }
        let (reason, limit) = (self.reason.clone(), self.limit.map(core::time::Duration::from_secs));
        Ok(match order {
            "sign-in" => AgentOrder::SignIn,
            "sign-out" => AgentOrder::SignOut,
            "ready" => AgentOrder::Ready,
            "not-ready" => AgentOrder::NotReady { reason },
            "rest" => AgentOrder::Rest { reason, limit },
            _ => return Err(Problem::field("order", Self::EXPECTED)),
        })
    }

    /// Whom it is about; a name that cannot be one is kept as it is.
    async fn whom(&self, state: &State, tenant: TenantId) -> Result<Vec<Result<AgentId, String>>, Problem> {
        let named = |name: &String| AgentId::new(tenant, name).map_err(|_| name.clone());
        if let Some(organisation) = &self.organisation {
            if self.range.is_some() || !self.agents.is_empty() {
                let why = "give agents, a range or an organisation, one of them";
                return Err(Problem::field("organisation", why));
            }
            let all = state.switch.agents(tenant).await?;
            let of_it = all.into_iter().filter(|view| view.organisation.as_ref() == Some(organisation));
            let agents: Vec<_> = of_it.take(AGENTS_MAX).map(|view| Ok(view.agent)).collect();
            return match agents.is_empty() {
                true => Err(Problem::not_found(format!("no agent is of organisation {organisation:?}"))),
                false => Ok(agents),
            };
        }
        match (&self.range, self.agents.as_slice()) {
            (None, []) => Err(Problem::field("agents", Self::EXPECTED)),
            (None, agents) if agents.len() > AGENTS_MAX => {
                Err(Problem::field("agents", format!("at most {AGENTS_MAX} of one request")))
            }
            (None, agents) => {
                let mut seen = BTreeSet::new();
                Ok(agents.iter().filter(|name| seen.insert(name.as_str())).map(named).collect())
            }
            (Some(range), []) => {
                let expected = "expected two numbers of as many digits, the lower first, as \"1000-1099\"";
                let span = span(range).ok_or_else(|| Problem::field("range", expected))?;
                let all = state.switch.agents(tenant).await?;
                let agents = all.into_iter().map(|view| view.agent).filter(|id| span.holds(id.name.as_str()));
                let agents: Vec<_> = agents.take(AGENTS_MAX).map(Ok).collect();
                match agents.is_empty() {
                    true => Err(Problem::not_found(format!("no agent has a number from {range}"))),
                    false => Ok(agents),
                }
            }
            (Some(_), _) => Err(Problem::field("agents", "give agents or a range, not both")),
        }
    }
}

/// Numbers from one to another, of as many digits.
struct Span<'a> {
    first: &'a str,
    last: &'a str,
}

impl Span<'_> {
    fn holds(&self, name: &str) -> bool {
        // as many digits each: they stand in the order of their texts
        let is_number = name.len() == self.first.len() && name.bytes().all(|b| b.is_ascii_digit());
        is_number && (self.first..=self.last).contains(&name)
    }
}

fn span(text: &str) -> Option<Span<'_>> {
    let (first, last) = text.split_once('-')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let fits = first.len() == last.len() && is_number(first) && is_number(last) && first <= last;
    fits.then_some(Span { first, last })
}

/// What became of it for one agent.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AgentOrdered")]
struct Row {
    agent: String,
    ok: bool,
    /// What was done, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    done: Vec<String>,
    /// What he would have been answered alone: the status, a word where there is one, and the sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Row {
    fn new(agent: String, answer: Result<Vec<String>, Refusal>) -> Self {
        match answer {
            Ok(done) => Self { agent, ok: true, done, status: None, code: None, detail: String::new() },
            Err(refusal) => {
                let Problem { status, code, detail, errors, .. } = Problem::from(refusal);
                let detail = if detail.is_empty() { errors.join("; ") } else { detail };
                Self { agent, ok: false, done: Vec::new(), status: Some(status), code, detail }
            }
        }
    }
}

/// All of it.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AgentsOrdered")]
struct Rows {
    ordered: usize,
    refused: usize,
    rows: Vec<Row>,
}

async fn orders(
    Use(state): Use<State>,
    Overseeing(who): Overseeing,
    Said(said): Said<Orders>,
) -> Answer<Rows> {
    let what = said.what()?;
    let whom = said.whom(&state, who.tenant()).await?;
    let by = said.by.as_ref().map(|by| AgentId::new(who.tenant(), by)).transpose();
    let by = by.map_err(|why| Problem::field("by", why.to_string()))?;
    let named = by.is_some();
    // a supervisor orders in his own name alone
    let by = who.actor(by)?;
    // Who asked may give up: what was begun is done for all of them.
    let rows = tokio::spawn(async move {
        let mut rows = Vec::with_capacity(whom.len());
        for agent in whom {
            let command = |agent| match &who {
                Who::Key(caller) if !named => Command::Agent(agent, what.clone(), caller.to_string()),
                _ => {
                    let act = DeskAct::Want(what.clone());
                    Command::Desk(Box::new(DeskOrder { agent, call: None, by: by.clone(), act }))
                }
            };
            rows.push(order(&state, who.tenant(), agent, command).await);
        }
        rows
    });
    let rows = rows.await.map_err(|why| Refusal::Internal(why.to_string()))?;
    let refused = rows.iter().filter(|row| !row.ok).count();
    Ok(Json(Rows { ordered: rows.len() - refused, refused, rows }))
}

/// One agent's row; his name alone if there is no such agent.
async fn order(
    state: &State,
    tenant: TenantId,
    agent: Result<AgentId, String>,
    command: impl FnOnce(AgentId) -> Command,
) -> Row {
    match agent {
        Ok(agent) => {
            let name = agent.name.to_string();
            Row::new(name, state.switch.command(tenant, command(agent)).await)
        }
        Err(name) => {
            let missing = Refusal::NotFound(format!("agent {name}"));
            Row::new(name, Err(missing))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_range_holds_numbers_of_as_many_digits() {
        let range = span("0998-1002").unwrap();
        let held =
            ["998", "0998", "1000", "1002", "1003", "0997", "10000", "10a0"].map(|name| range.holds(name));
        assert_eq!(held, [false, true, true, true, false, false, false, false]);
        for wrong in ["", "-", "1000", "1000-", "1000-999", "1002-1001", "a-b", "1-2-3"] {
            assert!(span(wrong).is_none(), "{wrong}");
        }
    }
}
