//! The agent bar: what its page asks for beside an agent's desk, and the script by which other pages have it.
//!
//! Invariant: an agent's session is given a phone for that agent alone, and nobody else's name with it; of colleagues and queues
//! it sees what a transfer needs, and no caller of theirs.

pub mod phones;
mod script;
mod turns;

use crate::catalog::{Routes, desk, open};
use crate::desk::Desk;
use crate::problem::Problem;
use crate::routes::Answer;
use crate::state::State;
use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cordboard_model::click::LINE_CHECK;
use cordboard_model::id::{AgentId, Name};
use cordboard_model::service::Role;
use cordboard_model::telephone::TelephonesView;
use cordboard_model::time::Wall;
use cordboard_model::verb::Destination;
use cordboard_model::view::AgentStatus;
use schemars::JsonSchema;
use serde::Serialize;

/// The page itself.
pub(crate) const PAGE: &str = "/bar.html";

pub(crate) fn routes() -> Routes {
    let v1 = Routes::v1()
        .get(
            "/agents/{name}/desk/turns",
            turns::follow,
            desk("followDesk", "agents:read", "An agent's desk, whenever it changes, with what has happened")
                .gives_media(200, "text/event-stream")
                .refuses(&[406])
                .tag("desk"),
        )
        .get(
            "/agents/{name}/targets",
            targets,
            desk("listTargets", "agents:read", "Where an agent may send a call, and how it is there")
                .gives::<Targets>()
                .tag("desk"),
        )
        .post(
            "/agents/{name}/phone",
            phone,
            desk(
                "givePhone",
                "agents:control",
                "A phone for an agent's page: an account with a password for a while",
            )
            .gives::<GivenPhone>()
            .tag("desk"),
        );
    let v1 = v1.get(
        "/agents/{name}/telephones",
        telephones,
        desk(
            "listTelephones",
            "agents:read",
            "What another telephone of an agent needs, and which are registered",
        )
        .gives::<TelephonesView>()
        .tag("desk"),
    );
    let said = "The script by which a page of another origin has the agent bar";
    let root = Routes::root()
        .get(
            script::PATH,
            script::get,
            open("readBarScript", said)
                .query(&["tenant", "account"])
                .gives_media(200, script::KIND)
                .refuses(&[403]),
        )
        .post(
            script::PATH,
            script::post,
            open("askBarScript", said)
                .reads()
                .may_take::<script::Said>(r#"{"tenantSpaceId": "default", "userAccount": "1001"}"#)
                .gives_media(200, script::KIND)
                .refuses(&[400, 401, 403, 404, 409, 422, 429, 502, 503, 504]),
        );
    v1.merge(root)
}

/// Origins of pages that may show the bar: our own, those that may show every page of ours, and those of the tenant that the
/// bar's address names.
pub(crate) fn frames(state: &State, query: Option<&str>) -> Vec<String> {
    let mut named = query.unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("tenant="));
    let tenant = script::tenant_of(state, named.next().unwrap_or_default());
    let listed = state.switch.access(tenant).map(|(terms, _)| terms.origins).unwrap_or_default();
    let own = std::iter::once("'self'".to_owned());
    own.chain(state.config.frames.iter().cloned()).chain(listed).collect()
}

/// A colleague.
#[derive(JsonSchema, Serialize)]
struct TargetAgent {
    agent: AgentId,
    display: String,
    status: AgentStatus,
    since: Wall,
    reason: Option<String>,
    role: Role,
}

/// A queue.
#[derive(JsonSchema, Serialize)]
struct TargetQueue {
    name: Name,
    display: String,
    /// How many wait.
    waiting: usize,
    /// Since when the first of them does.
    since: Option<Wall>,
    agents_signed_in: u32,
    agents_ready: u32,
}

/// Where an agent may send a call.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Targets")]
pub(crate) struct Targets {
    agents: Vec<TargetAgent>,
    queues: Vec<TargetQueue>,
    flows: Vec<Name>,
    /// The numbers that he may have shown where he calls out; the first is what is shown if he says nothing.
    numbers: Vec<String>,
    /// The number that leads to the flow [`LINE_CHECK`]; none if none does.
    check: Option<String>,
}

async fn targets(desk: Desk) -> Answer<Targets> {
    desk.may_see()?;
    let (switch, tenant) = (desk.switch(), desk.tenant());
    // who is not there is told so before others are shown
    switch.desk(desk.agent().clone()).await?;
    let agents = switch.agents(tenant).await?.into_iter().filter(|view| view.agent != *desk.agent());
    let agents = agents.map(|view| TargetAgent {
        agent: view.agent,
        display: view.display,
        status: view.status,
        since: view.since,
        reason: view.reason,
        role: view.role,
    });
    let queues = switch.queues(tenant).await?.into_iter().map(|view| TargetQueue {
        name: view.queue.name,
        display: view.display,
        waiting: view.waiting.len(),
        since: view.waiting.iter().map(|waiting| waiting.since).min(),
        agents_signed_in: view.agents_signed_in,
        agents_ready: view.agents_ready,
    });
    let (agents, queues) = (agents.collect(), queues.collect());
    let plan = switch.floor_plan(tenant).await?;
    let is_check =
        |to: &Destination| matches!(to, Destination::Flow(flow) if flow.name.as_str() == LINE_CHECK);
    let check = plan.numbers.iter().find(|(_, to)| is_check(to)).map(|(number, _)| number.clone());
    let numbers = switch.numbers_to_show(desk.agent().clone()).await?;
    Ok(Json(Targets { agents, queues, flows: plan.flows, numbers, check }))
}

/// A phone for a page. It is one more device of the agent's account: it rings beside his desk phone.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PagePhone")]
pub(crate) struct GivenPhone {
    /// `sip:ACCOUNT@DOMAIN`.
    uri: String,
    /// What it says as the user name of digest.
    username: String,
    /// Shown here and nowhere else.
    password: String,
    /// For how long the password is good, seconds.
    lasts: u64,
    /// The path of the WebSocket that speaks SIP (RFC 7118).
    path: &'static str,
}

async fn telephones(desk: Desk) -> Answer<TelephonesView> {
    desk.may_be()?;
    Ok(Json(desk.switch().telephones(desk.agent().clone()).await?))
}

async fn phone(desk: Desk) -> Result<Response, Problem> {
    desk.may_be()?;
    let made = desk.switch().page_phone(desk.agent().clone()).await?;
    let given = GivenPhone {
        uri: format!("sip:{}@{}", made.user.name, made.domain),
        username: made.username,
        password: made.password.0,
        lasts: made.lasts.as_secs(),
        path: "/sip",
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(given)).into_response())
}
