//! Sessions of agents, whatever they signed in by: listed, and ended by who may.

use crate::catalog::{Routes, oversee};
use crate::desk::Desk;
use crate::key::Overseeing;
use crate::list::listed;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Done, Page};
use crate::state::State;
use axum::extract::{Path, State as Use};
use cordboard_model::id::AgentId;
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::SessionView;
use cordboard_model::view::{AgentStatus, AgentView};
use schemars::JsonSchema;
use serde::Serialize;

pub(super) fn routes() -> Routes {
    Routes::v1()
        .get(
            "/agent-sessions",
            list,
            oversee("listAgentSessions", "agents:read", "Where agents are signed in, of those who are")
                .filters(&["agent", "after", "limit"])
                .gives::<Page<One>>(),
        )
        .delete(
            "/agent-sessions/{name}",
            end,
            oversee("endAgentSession", "agents:control", "Ends an agent's session, and signs him out")
                .gives::<Done>(),
        )
}

/// Where one is.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "AgentSession")]
struct One {
    agent: AgentId,
    session: SessionView,
}

async fn list(Use(state): Use<State>, Overseeing(who): Overseeing, query: Params) -> Answer<Page<One>> {
    let mut sessions = Vec::new();
    let wanted = |view: &AgentView| query.text("agent").is_none_or(|name| view.agent.name.as_str() == name);
    for view in state.switch.agents(who.tenant()).await? {
        if view.status == AgentStatus::SignedOut || !wanted(&view) {
            continue;
        }
        if let Some(session) = state.switch.session_of(view.agent.clone()).await? {
            sessions.push(One { agent: view.agent, session });
        }
    }
    listed(&query, sessions, |one| one.agent.name.to_string())
}

async fn end(Use(state): Use<State>, Overseeing(who): Overseeing, Path(name): Path<String>) -> Answer<Done> {
    let none = |why: String| Problem::not_found(why);
    let agent = AgentId::new(who.tenant(), &name).map_err(|why| none(why.to_string()))?;
    match state.switch.session_of(agent.clone()).await? {
        Some(_) => Desk::of(agent, who, state).want(AgentOrder::SignOut, None).await,
        None => Err(none(format!("agent {agent} has no session"))),
    }
}
