//! The routes. Each one reads its parameters, checks that they are the asking tenant's, and asks the switch.

use crate::access::Doors;
use crate::asked::{MaySay, Of, On, Said, Says, own};
use crate::catalog::{Routes, desk, key, open, operator, oversee};
use crate::desk::Desk;
use crate::key::{Asking, Brake, Overseeing};
use crate::list::newest_of;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::{ApiConfig, State};
use crate::switch::{CdrFilter, Command, Health, RecordingView, RecordingsAsked, Refusal, Switch, Why};
use crate::visitor::Watching;
use crate::{
    access, again, aliyun, aside, audit, begin, bulk, callback, campaigns, chat, check, click, control, desk,
    device, feed, figures, flows, listen, live, objects, openapi, pages, rate, recording, room, route,
    shield, signin, stream, table, third_party, trace, transfer, visitor, webhooks,
};
use axum::extract::{Path, State as Use};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use cordboard_model::cause::Cause;
use cordboard_model::cdr::Cdr;
use cordboard_model::id::{AgentId, CallId, LegId, QueueId, TenantId, TrunkId, UserId};
use cordboard_model::lookup::{RowsPage, TableView};
use cordboard_model::service::AgentOrder;
use cordboard_model::time::Wall;
use cordboard_model::trace::{TraceEntry, TraceView};
use cordboard_model::view::{CallView, RouteView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a page when none is asked for.
const PAGE: u32 = 100;
/// Ladders that are looked through for a page behind the first.
const TRACES_MAX: usize = 2_000;
/// Most rows of a page.
const PAGE_MAX: u32 = 1_000;

/// What `from` and `to` are.
pub(crate) const MOMENT: &str = "a time in whole milliseconds since 1970";

pub(crate) type Answer<T> = Result<Json<T>, Problem>;

/// All routes. Serve it with connect info of `SocketAddr`, which the brake on guessing needs.
pub fn router(switch: Arc<dyn Switch>, config: ApiConfig) -> Router {
    let (brake, doors) = (Arc::new(Brake::default()), Arc::new(Doors::default()));
    let (buckets, again) = (Arc::default(), Arc::default());
    let gateway = crate::gateway::router(&switch, config.gateway.clone(), &brake);
    let ways = Arc::default();
    let huawei = crate::huawei::router(&switch, &brake, &ways);
    let watching = Watching::default();
    let (pages, shown, turns) = (Arc::default(), Arc::default(), Arc::default());
    let config = Arc::new(config);
    let state = State { switch, brake, watching, doors, buckets, again, pages, shown, ways, turns, config };
    all()
        .router()
        .merge(aliyun::router())
        .nest_service(crate::gateway::BASE, gateway)
        .merge(huawei)
        .fallback(pages::page)
        .layer(from_fn_with_state(state.clone(), again::once))
        .layer(from_fn_with_state(state.clone(), rate::limit))
        .layer(from_fn_with_state(state.clone(), audit::watch))
        .layer(from_fn_with_state(state.clone(), shield::guard))
        .with_state(state)
}

/// Every route with its entry of the catalogue.
pub(crate) fn all() -> Routes {
    calls_routes()
        .merge(legs_routes())
        .merge(live::routes())
        .merge(crate::bans::routes())
        .merge(floor_routes())
        .merge(table_routes())
        .merge(kept_routes())
        .merge(figures::routes())
        .merge(flows::routes())
        .merge(desk::routes())
        .merge(device::routes())
        .merge(crate::own::routes())
        .merge(crate::bar::routes())
        .merge(bulk::routes())
        .merge(signin::routes())
        .merge(callback::routes())
        .merge(campaigns::routes())
        .merge(webhooks::routes())
        .merge(chat::routes())
        .merge(check::routes())
        .merge(click::routes())
        .merge(aside::routes())
        .merge(control::routes())
        .merge(visitor::routes())
        .merge(objects::routes())
        .merge(access::routes())
        .merge(third_party::routes())
        .merge(switch_routes())
}

fn calls_routes() -> Routes {
    call_routes().merge(party_routes()).merge(hearing_routes())
}

/// Calls, begun, seen and ended.
fn call_routes() -> Routes {
    let control = "calls:control";
    Routes::v1()
        .post(
            "/calls",
            begin::begin,
            key("beginCall", control, "Calls one party, then the other")
                .takes::<begin::Body>(r#"{"first": {"agent": "1001"}, "then": {"number": "+493012345"}}"#)
                .gives_as::<begin::Begun>(201),
        )
        .get("/calls/{id}", call, key("readCall", "calls:read", "A call that is up").gives::<CallView>())
        .delete("/calls/{id}", begin::end, key("endCall", control, "Ends a call").gives::<Done>())
        .post("/calls/{id}/hangup", hang_up, key("hangUp", control, "Ends a call").gives::<Done>())
        .get(
            "/calls/{id}/trace",
            trace::trace,
            key("readTrace", "calls:read", "The ladder of a call")
                .query(&["format", "messages"])
                .gives::<TraceView>()
                .gives_media(200, "text/plain"),
        )
        .get(
            "/calls/{id}/trace.pcap",
            trace::capture,
            key("downloadTrace", "calls:read", "The messages of a call as a capture")
                .gives_media(200, "application/vnd.tcpdump.pcap"),
        )
        .get(
            "/traces",
            traces,
            key("listTraces", "calls:read", "The ladders that are kept, newest first")
                .query(&["before", "limit"])
                .gives::<Page<TraceEntry>>(),
        )
}

/// Where its parties go.
fn party_routes() -> Routes {
    let control = "calls:control";
    Routes::v1()
        .post(
            "/calls/{id}/transfer",
            transfer::begin,
            key(
                "transferCall",
                control,
                "Sends the party who talks elsewhere, at once or after a consultation",
            )
            .takes::<transfer::Body>(r#"{"to": "1002"}"#)
            .gives::<Done>(),
        )
        .post(
            "/calls/{id}/transfer/complete",
            transfer::complete,
            key("completeTransfer", control, "Sends the party to the target that is consulted")
                .gives::<Done>(),
        )
        .post(
            "/calls/{id}/transfer/cancel",
            transfer::cancel,
            key("cancelTransfer", control, "Takes a transfer back").gives::<Done>(),
        )
}

/// Who hears it.
fn hearing_routes() -> Routes {
    let control = "calls:control";
    Routes::v1()
        .post(
            "/calls/{id}/recording",
            recording::order,
            key("recordCall", control, "Begins, ends, pauses or resumes the recording of a call")
                .takes::<recording::Body>(r#"{"do": "pause", "why": "card number"}"#)
                .gives::<Done>(),
        )
        .post(
            "/calls/{id}/stream",
            listen::begin,
            key("streamCall", control, "Has a program listen to a call")
                .takes::<listen::Body>(r#"{"url": "wss://bot.example/audio"}"#)
                .gives::<Done>(),
        )
        .delete(
            "/calls/{id}/stream",
            listen::end,
            key("endStream", control, "Has the program listen no longer").gives::<Done>(),
        )
        .post(
            "/calls/{id}/conference",
            room::conference,
            key("addToConference", control, "Adds a party to a call")
                .takes::<room::ConferenceBody>(r#"{"to": "1002"}"#)
                .gives::<Done>(),
        )
        .delete(
            "/calls/{id}/conference/{leg}",
            room::remove,
            key("removeFromConference", control, "Takes a party out of a call").gives::<Done>(),
        )
        .post(
            "/calls/{id}/supervise",
            room::supervise,
            key("superviseCall", control, "Rings a supervisor into a call")
                .takes::<room::SuperviseBody>(r#"{"mode": "listen", "agent": "1009"}"#)
                .gives::<Done>(),
        )
        .put(
            "/calls/{id}/supervise",
            room::change,
            key("changeSupervision", control, "Has the supervisor do something else")
                .takes::<room::ModeBody>(r#"{"mode": "whisper"}"#)
                .gives::<Done>(),
        )
        .delete(
            "/calls/{id}/supervise",
            room::end,
            key("endSupervision", control, "Lets the supervisor go").gives::<Done>(),
        )
}

fn legs_routes() -> Routes {
    let control = "calls:control";
    Routes::v1()
        .post(
            "/legs/{id}/hold",
            hold,
            key("holdLeg", control, "Puts the party of a leg on hold, or takes it off")
                .takes::<On>(r#"{"on": true}"#)
                .gives::<Done>(),
        )
        .post(
            "/legs/{id}/mute",
            room::mute,
            key("muteLeg", control, "Has nobody hear the party of a leg, or everybody again")
                .takes::<On>(r#"{"on": true}"#)
                .gives::<Done>(),
        )
        .post(
            "/legs/{id}/secret",
            secret,
            key("hideKeys", control, "Keys pressed on a leg are a secret, or no longer")
                .takes::<On>(r#"{"on": true}"#)
                .gives::<Done>(),
        )
        .post(
            "/legs/{id}/keys",
            route::keys,
            key("sendKeys", control, "Sends keys to the party of a leg")
                .takes::<route::Keys>(r#"{"keys": "12#"}"#)
                .gives::<Done>(),
        )
        .get(
            "/route",
            route::explain,
            key("explainRoute", "calls:read", "What would become of a call, and why")
                .query(&["from", "to", "trunk"])
                .gives::<RouteView>()
                .refuses(&[404]),
        )
}

fn floor_routes() -> Routes {
    Routes::v1()
        .get(
            "/agents/{name}/explain",
            why_agent,
            oversee("explainAgent", "agents:read", "Why an agent is what he is, in words").gives::<Words>(),
        )
        .get(
            "/queues/{name}/explain",
            why_queue,
            oversee("explainQueue", "queues:read", "Who gets whom in a queue, in words").gives::<Words>(),
        )
        .post(
            "/agents/{name}/{intent}",
            agent_intent,
            desk(
                "orderAgent",
                "agents:control",
                "What an agent is to be: sign-out, ready, not-ready or rest",
            )
            .may_take::<IntentBody>(r#"{"reason": "lunch", "limit": 1800}"#)
            .gives::<Done>(),
        )
        .post(
            "/trunks/{name}/{order}",
            trunk_order,
            key("orderTrunk", "trunks:control", "Takes a trunk out of service for new calls, or back in")
                .gives::<Done>(),
        )
        .put(
            "/extensions/{number}/messages",
            messages,
            key(
                "setMessages",
                "accounts:control",
                "What the lamp for waiting messages shows on the phones of an extension",
            )
            .takes::<MessagesBody>(r#"{"new": 2, "old": 8}"#)
            .gives::<Done>(),
        )
}

fn table_routes() -> Routes {
    Routes::v1()
        .get(
            "/tables",
            table::tables,
            key("listTables", "tables:read", "The tables that flows look things up in")
                .filters(&["after", "limit"])
                .gives::<Page<TableView>>(),
        )
        .get(
            "/tables/{name}",
            table::rows,
            key(
                "listRows",
                "tables:read",
                "The rows of a table by their keys, or those that have a text in them",
            )
            .query(&["find", "after", "limit"])
            .gives::<RowsPage>(),
        )
        .get(
            "/tables/{name}/{key}",
            table::read,
            key("readRow", "tables:read", "A row of a table").gives::<BTreeMap<String, String>>(),
        )
        .put(
            "/tables/{name}/{key}",
            table::put,
            key("putRow", "tables:write", "Puts a row into a table")
                .takes::<table::Cells>(r#"{"name": "Ada", "queue": "sales"}"#)
                .gives::<Done>()
                .refuses(&[412]),
        )
        .delete(
            "/tables/{name}/{key}",
            table::remove,
            key("removeRow", "tables:write", "Removes a row from a table").gives::<Done>().refuses(&[412]),
        )
}

fn kept_routes() -> Routes {
    Routes::v1()
        .get(
            "/cdrs",
            cdrs,
            key("listCdrs", "cdrs:read", "Call detail records, newest first")
                .query(&["from", "to", "agent", "queue", "before", "limit"])
                .gives::<Page<Cdr>>()
                .refuses(&[404]),
        )
        .get(
            "/cdrs/{id}",
            cdr,
            key("readCdr", "cdrs:read", "The call detail record of a call").gives::<Cdr>(),
        )
        .get(
            "/recordings",
            recordings,
            key("listRecordings", "recordings:read", "Recordings, newest first")
                .query(&["before", "limit", "label", "call"])
                .gives::<Page<RecordingView>>()
                .refuses(&[404]),
        )
        .get(
            "/recordings/{id}",
            recording::download,
            key("downloadRecording", "recordings:read", "The audio of a recording, or a part of it")
                .gives_media(200, "audio/wav")
                .gives_media(200, "audio/ogg")
                .gives_media(206, "audio/wav")
                .gives_media(206, "audio/ogg")
                .refuses(&[416]),
        )
        .post(
            "/recordings/{id}/hold",
            recording::hold,
            key("holdRecording", "recordings:write", "Keeps a recording from being deleted, or no longer")
                .takes::<On>(r#"{"on": true}"#)
                .gives::<Done>(),
        )
}

fn switch_routes() -> Routes {
    let v1 = Routes::v1()
        .get(
            "/events",
            stream::events,
            desk("streamEvents", feed::SCOPE, "The events, by WebSocket or as server-sent events")
                .query(&["since", "wall", "agent", "queue", "call", "kind"])
                .gives_media(101, "")
                .gives_media(200, "text/event-stream")
                .refuses(&[400, 426]),
        )
        .post(
            "/config/reload",
            reload,
            key("reload", "config:control", "Reads the configuration again; all or nothing").gives::<Done>(),
        )
        .post(
            "/stop",
            stop,
            operator(
                "stop",
                "switch:control",
                "Takes no new calls, and stops when those that are up are over",
            )
            .gives::<Done>(),
        )
        .post(
            "/stop/now",
            stop_now,
            operator("stopNow", "switch:control", "Ends the calls, and stops").gives::<Done>(),
        );
    let root = Routes::root()
        .get(
            "/openapi.json",
            openapi::serve,
            open("readApi", "This document").gives::<BTreeMap<String, serde_json::Value>>(),
        )
        .get(
            "/healthz",
            health,
            open("readHealth", "Whether the switch takes calls").gives::<Health>().gives_as::<Health>(503),
        )
        .get(
            "/metrics",
            metrics,
            open("readMetrics", "Figures for Prometheus").gives_media(200, "text/plain"),
        )
        .get(
            "/page-key",
            pages::page_key,
            open("readPageKey", "The key of the demo, for its own page on this machine")
                .gives::<pages::PageKey>()
                .refuses(&[404]),
        );
    v1.merge(root)
}

async fn health(Use(state): Use<State>) -> Response {
    let health = state.switch.health();
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

async fn metrics(Use(state): Use<State>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, state.switch.metrics() + &state.ways.render()).into_response()
}

/// A list, and where the next page begins.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A list that is short by what it is of.
pub(crate) fn page<T>(items: Vec<T>) -> Json<Page<T>> {
    Json(Page { items, next: None })
}

async fn call(of: Of<CallId>) -> Answer<cordboard_model::view::CallView> {
    Ok(Json(of.state.switch.call(of.id).await?))
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
#[derive(JsonSchema, Serialize)]
pub(crate) struct Done {
    done: Vec<String>,
}

impl Done {
    /// These words.
    pub(crate) fn of(done: Vec<String>) -> Self {
        Self { done }
    }
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
    let (rows, before) = (limit(&query)? as usize, query.text("before"));
    // The signalling thread makes the list: no more of it than the page needs.
    let most = if before.is_some() { TRACES_MAX } else { rows + 1 };
    let entries = state.switch.traces(who.tenant, most).await?;
    let id = |entry: &TraceEntry| entry.call_id.clone().unwrap_or_default();
    newest_of(&query, rows, entries, |entry| format!("{:020}.{}", entry.last.0, id(entry)))
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
#[derive(JsonSchema, Serialize)]
pub(crate) struct Words {
    text: String,
}

/// What may be said with an agent's order; nothing need be.
#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "AgentIntent")]
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

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Messages")]
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

pub(crate) fn bad_cursor() -> Problem {
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
    let query = query.only(&["before", "limit", "label", "call"])?;
    let (rows, call) = (limit(&query)?, live::call_of(&query, who.tenant)?);
    let before = query.text("before").map(|text| own(text, who.tenant));
    let before = before.transpose().map_err(|_| bad_cursor())?;
    let label = query.text("label").map(str::to_owned);
    let asked = RecordingsAsked { before, limit: rows, label, call };
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
