//! What there is on the floor now, in lists: calls, queues, agents, phones, trunks.

use crate::catalog::{Routes, key, oversee};
use crate::key::{Asking, Overseeing};
use crate::list::{flag, listed, word};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, MOMENT, Page};
use crate::state::State;
use axum::extract::State as Use;
use cordboard_model::id::{AgentId, CallId, Name, QueueId, TenantId, UserId};
use cordboard_model::leg::PartyId;
use cordboard_model::service::{QueueKind, Role};
use cordboard_model::time::Wall;
use cordboard_model::view::{AgentStatus, AgentView, CallStage, CallView, ContactView, QueueView, TrunkView};

/// What a queue may be for.
pub(crate) const KINDS: [QueueKind; 5] =
    [QueueKind::Voice, QueueKind::Video, QueueKind::Multimedia, QueueKind::VoiceClick, QueueKind::VideoClick];
/// What an agent may be there for.
pub(crate) const ROLES: [Role; 3] = [Role::Agent, Role::Supervisor, Role::Outbound];

pub(crate) fn routes() -> Routes {
    Routes::v1()
        .get(
            "/calls",
            calls,
            key("listCalls", "calls:read", "The calls that are up, in the order in which they came")
                .filters(&["queue", "agent", "stage", "caller", "called", "from", "to", "after", "limit"])
                .gives::<Page<CallView>>(),
        )
        .get(
            "/queues",
            queues,
            oversee("listQueues", "queues:read", "The queues, and who waits in them")
                .filters(&["kind", "agent", "waiting", "after", "limit"])
                .gives::<Page<QueueView>>(),
        )
        .get(
            "/agents",
            agents,
            oversee("listAgents", "agents:read", "The agents, and what they do")
                .filters(&["status", "queue", "role", "organisation", "after", "limit"])
                .gives::<Page<AgentView>>(),
        )
        .get(
            "/contacts",
            contacts,
            key("listContacts", "accounts:read", "The phones that are registered")
                .filters(&["user", "after", "limit"])
                .gives::<Page<ContactView>>(),
        )
        .get(
            "/trunks",
            trunks,
            key("listTrunks", "trunks:read", "The trunks, and how they are")
                .filters(&["blocked", "after", "limit"])
                .gives::<Page<TrunkView>>(),
        )
}

/// The queue that is asked for by name.
fn queue_of(query: &Params, tenant: TenantId) -> Result<Option<QueueId>, Problem> {
    let read = |name| QueueId::new(tenant, name).map_err(|why| Problem::field("queue", why.to_string()));
    query.text("queue").map(read).transpose()
}

/// The agent that is asked for by name.
fn agent_of(query: &Params, tenant: TenantId) -> Result<Option<AgentId>, Problem> {
    let read = |name| AgentId::new(tenant, name).map_err(|why| Problem::field("agent", why.to_string()));
    query.text("agent").map(read).transpose()
}

/// What a call may be doing, by its word.
fn stage(text: &str) -> Result<CallStage, Problem> {
    let read = serde_json::from_value(text.into());
    read.map_err(|_| Problem::field("stage", format!("{text:?} is nothing that a call does")))
}

async fn calls(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<CallView>> {
    let (queue, agent) = (queue_of(&query, who.tenant)?, agent_of(&query, who.tenant)?);
    let stage = query.text("stage").map(stage).transpose()?;
    let from = query.number("from", MOMENT)?.map(Wall);
    let to = query.number("to", MOMENT)?.map(Wall);
    let is = |party: &PartyId, name| query.text(name).is_none_or(|number| party.user == number);
    let mut items = state.switch.calls(who.tenant).await?;
    items.retain(|view| {
        queue.as_ref().is_none_or(|queue| view.queue.as_ref() == Some(queue))
            && agent.as_ref().is_none_or(|agent| view.agent.as_ref() == Some(agent))
            && stage.is_none_or(|stage| view.stage == stage)
            && is(&view.from, "caller")
            && is(&view.to, "called")
            && from.is_none_or(|from| view.started >= from)
            && to.is_none_or(|to| view.started < to)
    });
    listed(&query, items, |view| view.call)
}

async fn queues(
    Use(state): Use<State>,
    Overseeing(who): Overseeing,
    query: Params,
) -> Answer<Page<QueueView>> {
    let tenant = who.tenant();
    let kind = word(&query, "kind", &KINDS, QueueKind::as_str)?;
    let (agent, waiting) = (agent_of(&query, tenant)?, flag(&query, "waiting")?);
    let mut items = state.switch.queues(tenant).await?;
    items.retain(|view| waiting.is_none_or(|some| view.waiting.is_empty() != some));
    if kind.is_some() || agent.is_some() {
        let plan = state.switch.floor_plan(tenant).await?;
        let served = agent.map(|agent| plan.agents.get(&agent.name).map(|agent| agent.queues.clone()));
        items.retain(|view| {
            let name = &view.queue.name;
            let is_kind = kind.is_none_or(|kind| plan.queues.get(name).is_some_and(|one| one.kind == kind));
            let serves = |of: &Option<Vec<Name>>| of.as_ref().is_some_and(|queues| queues.contains(name));
            is_kind && served.as_ref().is_none_or(serves)
        });
    }
    listed(&query, items, |view| view.queue.name.to_string())
}

async fn agents(
    Use(state): Use<State>,
    Overseeing(who): Overseeing,
    query: Params,
) -> Answer<Page<AgentView>> {
    let tenant = who.tenant();
    let status = word(&query, "status", &AgentStatus::ALL, AgentStatus::as_str)?;
    let role = word(&query, "role", &ROLES, Role::as_str)?;
    let (queue, organisation) = (queue_of(&query, tenant)?, query.text("organisation"));
    let mut items = state.switch.agents(tenant).await?;
    items.retain(|view| {
        status.is_none_or(|status| view.status == status)
            && role.is_none_or(|role| view.role == role)
            && organisation.is_none_or(|part| view.organisation.as_deref() == Some(part))
    });
    if let Some(queue) = queue {
        let plan = state.switch.floor_plan(tenant).await?;
        let serves =
            |name: &Name| plan.agents.get(name).is_some_and(|agent| agent.queues.contains(&queue.name));
        items.retain(|view| serves(&view.agent.name));
    }
    listed(&query, items, |view| view.agent.name.to_string())
}

async fn contacts(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<ContactView>> {
    let read = |name| UserId::new(who.tenant, name).map_err(|why| Problem::field("user", why.to_string()));
    let user = query.text("user").map(read).transpose()?;
    let mut items = state.switch.contacts(who.tenant).await?;
    items.retain(|view| user.as_ref().is_none_or(|user| view.user == *user));
    listed(&query, items, |view| format!("{} {}", view.user.name, view.uri))
}

async fn trunks(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<TrunkView>> {
    let blocked = flag(&query, "blocked")?;
    let mut items = state.switch.trunks(who.tenant).await?;
    items.retain(|view| blocked.is_none_or(|blocked| view.blocked == blocked));
    listed(&query, items, |view| view.trunk.name.to_string())
}

/// The call whose things are asked for.
pub(crate) fn call_of(query: &Params, tenant: TenantId) -> Result<Option<CallId>, Problem> {
    let read = |text| crate::asked::own(text, tenant).map_err(|_| Problem::field("call", "no id of a call"));
    query.text("call").map(read).transpose()
}
