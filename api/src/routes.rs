//! The routes. Each one reads its parameters, checks that they are the asking tenant's, and asks the switch.

use crate::asked::{MaySay, Of, On, Said, Says, own};
use crate::desk::Desk;
use crate::key::{Asking, Brake, Overseeing};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::{ApiConfig, State};
use crate::switch::{CdrFilter, Command, RecordingsAsked, Refusal, Switch, Why};
use crate::visitor::Watching;
use crate::{
    aside, begin, bulk, callback, chat, desk, device, figures, flows, listen, pages, recording, room, route,
    signin, stream, table, trace, transfer, visitor,
};
use axum::extract::{Path, State as Use};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use cordboard_model::cause::Cause;
use cordboard_model::id::{AgentId, CallId, LegId, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::Wall;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Rows of a page when none is asked for.
const PAGE: u32 = 100;
/// Most rows of a page.
const PAGE_MAX: u32 = 1_000;

/// What `from` and `to` are.
const MOMENT: &str = "a time in whole milliseconds since 1970";

pub(crate) type Answer<T> = Result<Json<T>, Problem>;

/// All routes. Serve it with connect info of `SocketAddr`, which the brake on guessing needs.
pub fn router(switch: Arc<dyn Switch>, config: ApiConfig) -> Router {
    let (brake, watching) = (Arc::new(Brake::default()), Watching::default());
    let state = State { switch, brake, watching, config: Arc::new(config) };
    let v1 = Router::new()
        .route("/calls", get(calls).post(begin::begin))
        .route("/calls/{id}", get(call).delete(begin::end))
        .route("/calls/{id}/hangup", post(hang_up))
        .route("/calls/{id}/trace", get(trace::trace))
        .route("/calls/{id}/trace.pcap", get(trace::capture))
        .route("/traces", get(traces))
        .route("/calls/{id}/transfer", post(transfer::begin))
        .route("/calls/{id}/transfer/complete", post(transfer::complete))
        .route("/calls/{id}/transfer/cancel", post(transfer::cancel))
        .route("/calls/{id}/aside", post(aside::begin).delete(aside::end))
        .route("/calls/{id}/recording", post(recording::order))
        .route("/calls/{id}/stream", post(listen::begin).delete(listen::end))
        .route("/calls/{id}/conference", post(room::conference))
        .route("/calls/{id}/conference/{leg}", delete(room::remove))
        .route("/calls/{id}/supervise", post(room::supervise).put(room::change).delete(room::end))
        .route("/legs/{id}/hold", post(hold))
        .route("/legs/{id}/mute", post(room::mute))
        .route("/legs/{id}/secret", post(secret))
        .route("/legs/{id}/keys", post(route::keys))
        .route("/route", get(route::explain))
        .route("/queues", get(queues))
        .route("/agents", get(agents))
        .route("/agents/{name}/explain", get(why_agent))
        .route("/queues/{name}/explain", get(why_queue))
        .route("/agents/{name}/{intent}", post(agent_intent))
        .route("/contacts", get(contacts))
        .route("/trunks", get(trunks))
        .route("/trunks/{name}/{order}", post(trunk_order))
        .route("/extensions/{number}/messages", put(messages))
        .route("/tables/{name}/{key}", get(table::read).put(table::put).delete(table::remove))
        .route("/bans", get(bans))
        .route("/bans/{source}/lift", post(lift_ban))
        .route("/cdrs", get(cdrs))
        .route("/cdrs/{id}", get(cdr))
        .route("/recordings", get(recordings))
        .route("/recordings/{id}", get(recording::download))
        .route("/recordings/{id}/hold", post(recording::hold))
        .route("/events", get(stream::events))
        .route("/config/reload", post(reload))
        .route("/stop", post(stop))
        .route("/stop/now", post(stop_now))
        .merge(figures::routes())
        .merge(flows::routes())
        .merge(desk::routes())
        .merge(device::routes())
        .merge(bulk::routes())
        .merge(signin::routes())
        .merge(callback::routes())
        .merge(chat::routes())
        .merge(visitor::routes(&state))
        .fallback(|| async { Problem::not_found("no such route under /api/v1") });
    Router::new()
        .nest("/api/v1", v1)
        .route("/healthz", get(health))
        .route("/metrics", get(metrics))
        .route("/page-key", get(pages::page_key))
        .fallback(pages::page)
        .layer(axum::middleware::map_response(secure))
        .with_state(state)
}

/// Headers that every answer carries, and one form for every error: those that axum makes itself (a method that a
/// route does not have, a request that is no WebSocket) become problems too.
async fn secure(response: Response) -> Response {
    let mut response = as_problem(response).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
    );
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Most bytes of an error's text that are passed on.
const ERROR_TEXT: usize = 1_024;

async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_text {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, ERROR_TEXT).await.unwrap_or_default();
    let title = status.canonical_reason().unwrap_or("refused");
    let problem = Problem::new(status, title, String::from_utf8_lossy(&text));
    let mut response = problem.into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

async fn health(Use(state): Use<State>) -> Response {
    let health = state.switch.health();
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

async fn metrics(Use(state): Use<State>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, state.switch.metrics()).into_response()
}

/// A list, and where the next page begins.
#[derive(Serialize)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(crate) fn page<T>(items: Vec<T>) -> Json<Page<T>> {
    Json(Page { items, next: None })
}

async fn calls(Use(state): Use<State>, Asking(who): Asking) -> Result<impl IntoResponse, Problem> {
    Ok(page(state.switch.calls(who.tenant).await?))
}

async fn call(of: Of<CallId>) -> Answer<cordboard_model::view::CallView> {
    Ok(Json(of.state.switch.call(of.id).await?))
}

async fn queues(Use(state): Use<State>, Overseeing(who): Overseeing) -> Result<impl IntoResponse, Problem> {
    Ok(page(state.switch.queues(who.tenant()).await?))
}

async fn agents(Use(state): Use<State>, Overseeing(who): Overseeing) -> Result<impl IntoResponse, Problem> {
    Ok(page(state.switch.agents(who.tenant()).await?))
}

async fn contacts(Use(state): Use<State>, Asking(who): Asking) -> Result<impl IntoResponse, Problem> {
    Ok(page(state.switch.contacts(who.tenant).await?))
}

async fn trunks(Use(state): Use<State>, Asking(who): Asking) -> Result<impl IntoResponse, Problem> {
    Ok(page(state.switch.trunks(who.tenant).await?))
}

async fn trunk_order(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((name, wanted)): Path<(String, String)>,
) -> Answer<Done> {
    let trunk = TrunkId::new(who.tenant, &name).map_err(|why| Problem::not_found(why.to_string()))?;
    let block = match wanted.as_str() {
        "block" => true,
        "unblock" => false,
        other => return Err(Problem::not_found(format!("{other:?} is neither block nor unblock"))),
    };
    order(&state, who.tenant, Command::BlockTrunk(trunk, block)).await
}

/// Done, and what was done.
#[derive(Serialize)]
pub(crate) struct Done {
    done: Vec<String>,
}

pub(crate) async fn order(state: &State, tenant: TenantId, command: Command) -> Answer<Done> {
    Ok(Json(Done { done: state.switch.command(tenant, command).await? }))
}

async fn hang_up(call: Of<CallId>) -> Answer<Done> {
    call.order(Command::HangUp(call.id, Cause::Administrative)).await
}

async fn hold(leg: Of<LegId>, Said(On { on }): Said<On>) -> Answer<Done> {
    leg.order(Command::Hold(leg.id, on)).await
}

async fn secret(leg: Of<LegId>, Said(On { on }): Said<On>) -> Answer<Done> {
    leg.order(Command::Secret(leg.id, on)).await
}

async fn traces(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Result<impl IntoResponse, Problem> {
    let rows = limit(&query.only(&["limit"])?)?;
    Ok(page(state.switch.traces(who.tenant, rows as usize).await?))
}

async fn agent_intent(
    desk: Desk,
    Path((_, intent)): Path<(String, String)>,
    MaySay(body): MaySay<IntentBody>,
) -> Answer<Done> {
    let IntentBody { reason, limit, by } = body;
    let limit = limit.map(core::time::Duration::from_secs);
    let what = match intent.as_str() {
        "sign-out" => AgentOrder::SignOut,
        "ready" => AgentOrder::Ready,
        "not-ready" => AgentOrder::NotReady { reason },
        "rest" => AgentOrder::Rest { reason, limit },
        other => {
            let choices = "sign-in, sign-out, ready, not-ready or rest";
            return Err(Problem::not_found(format!("{other:?} is none of {choices}")));
        }
    };
    desk.want(what, by).await
}

/// Why an agent is what he is, in words.
async fn why_agent(
    Use(state): Use<State>,
    Overseeing(who): Overseeing,
    Path(name): Path<String>,
) -> Answer<Words> {
    let agent = AgentId::new(who.tenant(), &name).map_err(|why| Problem::not_found(why.to_string()))?;
    Ok(Json(Words { text: state.switch.why(Why::Agent(agent)).await? }))
}

/// Who gets whom in a queue, and why, in words.
async fn why_queue(
    Use(state): Use<State>,
    Overseeing(who): Overseeing,
    Path(name): Path<String>,
) -> Answer<Words> {
    let queue = QueueId::new(who.tenant(), &name).map_err(|why| Problem::not_found(why.to_string()))?;
    Ok(Json(Words { text: state.switch.why(Why::Queue(queue)).await? }))
}

/// An explanation.
#[derive(Serialize)]
pub(crate) struct Words {
    text: String,
}

/// What may be said with an agent's order; nothing need be.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntentBody {
    /// Why he is not ready or on a break, at most 64 characters.
    reason: Option<String>,
    /// How long the break may be before he is reminded, seconds.
    limit: Option<u64>,
    /// The agent who asks for it: he himself, or a supervisor.
    by: Option<String>,
}

impl Says for IntentBody {
    const FIELD: &'static str = "reason";
    const EXPECTED: &'static str = r#"expected nothing, or {"reason": "lunch", "limit": 1800}"#;
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessagesBody {
    new: u32,
    old: u32,
}

impl Says for MessagesBody {
    const FIELD: &'static str = "new";
    const EXPECTED: &'static str = r#"expected {"new": 2, "old": 8}"#;
}

/// What the lamp for waiting messages shows on the phones of an extension (RFC 3842).
async fn messages(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(number): Path<String>,
    Said(body): Said<MessagesBody>,
) -> Answer<Done> {
    let user = UserId::new(who.tenant, &number).map_err(|why| Problem::not_found(why.to_string()))?;
    order(&state, who.tenant, Command::Messages(user, body.new, body.old)).await
}

async fn bans(Use(state): Use<State>, Asking(who): Asking) -> Result<impl IntoResponse, Problem> {
    Ok(page(state.switch.bans(who.tenant).await?))
}

async fn lift_ban(Use(state): Use<State>, Asking(who): Asking, Path(source): Path<String>) -> Answer<Done> {
    let source = source.parse().map_err(|_| Problem::not_found(format!("{source:?} is no IP address")))?;
    order(&state, who.tenant, Command::LiftBan(source)).await
}

async fn reload(Use(state): Use<State>, Asking(who): Asking) -> Answer<Done> {
    order(&state, who.tenant, Command::Reload).await
}

async fn stop(Use(state): Use<State>, Asking(who): Asking) -> Answer<Done> {
    order(&state, who.tenant, Command::Stop { now: false }).await
}

async fn stop_now(Use(state): Use<State>, Asking(who): Asking) -> Answer<Done> {
    order(&state, who.tenant, Command::Stop { now: true }).await
}

fn cdr_filter(query: Params, tenant: TenantId) -> Result<CdrFilter, Problem> {
    let query = query.only(&["from", "to", "agent", "queue", "before", "limit"])?;
    let agent =
        |text: &str| AgentId::new(tenant, text).map_err(|why| Problem::field("agent", why.to_string()));
    let queue =
        |text: &str| QueueId::new(tenant, text).map_err(|why| Problem::field("queue", why.to_string()));
    let call = |text: &str| own(text, tenant).map_err(|_| bad_cursor());
    Ok(CdrFilter {
        from: query.number("from", MOMENT)?.map(Wall),
        to: query.number("to", MOMENT)?.map(Wall),
        agent: query.text("agent").map(agent).transpose()?,
        queue: query.text("queue").map(queue).transpose()?,
        before: query.text("before").map(call).transpose()?,
        limit: limit(&query)?,
    })
}

fn bad_cursor() -> Problem {
    Problem::field("before", "not a cursor that an earlier page gave as `next`")
}

pub(crate) fn limit(query: &Params) -> Result<u32, Problem> {
    match query.number("limit", "a whole number")?.unwrap_or(PAGE) {
        rows @ 1..=PAGE_MAX => Ok(rows),
        rows => Err(Problem::field("limit", format!("{rows} is not within 1 to {PAGE_MAX}"))),
    }
}

async fn cdrs(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Result<impl IntoResponse, Problem> {
    let filter = cdr_filter(query, who.tenant)?;
    let rows = filter.limit as usize;
    let items = state.switch.cdrs(who.tenant, filter).await?;
    let next = items.last().filter(|_| items.len() == rows).map(|cdr| cdr.call.to_string());
    Ok(Json(Page { items, next }))
}

async fn cdr(of: Of<CallId>) -> Answer<cordboard_model::cdr::Cdr> {
    Ok(Json(of.state.switch.cdr(of.id).await?))
}

async fn recordings(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Result<impl IntoResponse, Problem> {
    let query = query.only(&["before", "limit", "label"])?;
    let rows = limit(&query)?;
    let before = query.text("before").map(|text| own(text, who.tenant));
    let before = before.transpose().map_err(|_| bad_cursor())?;
    let label = query.text("label").map(str::to_owned);
    let asked = RecordingsAsked { before, limit: rows, label };
    let items = state.switch.recordings(who.tenant, asked).await?;
    let next =
        items.last().filter(|_| items.len() == rows as usize).map(|view| view.entry.recording.to_string());
    Ok(Json(Page { items, next }))
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        Problem::from(refusal).into_response()
    }
}
