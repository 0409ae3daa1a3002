//! Management actions, one request each: `Action=NAME` at `/`, signed with the application's secret.
//!
//! Invariants: no action is looked at before the signature was right; what changes something is signed for once, comes by no GET, and
//! is in the audit log; every action of the reference is in [`rows`], built or left out with a reason.

mod agents;
mod calls;
mod groups;
mod ids;
mod numbers;
mod outbound;
mod rows;
mod said;
mod sign;

use super::PLACE;
use crate::again::{Unanswered, by_parameter};
use crate::audit::{Audit, can_note};
use crate::catalog::{Access, Op};
use crate::contract::Contract;
use crate::gateway::beside::FloorPlan;
use crate::key::source_of;
use crate::objects::{Expected, ObjectAct, ObjectChange, ObjectFault, ObjectKind, ObjectView};
use crate::pages;
use crate::problem::Problem;
use crate::state::State;
use crate::switch::Refusal;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State as Use};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::application::Application;
use cordboard_model::id::{AgentId, Name, TenantId};
pub(super) use rows::{BUILT, Row};
use said::{Said, pairs};
use serde_json::{Map, Value, json};
use sign::{ACS3, Acs3};
use std::sync::Arc;
use std::time::Instant;

/// How far a request's time may be from ours, milliseconds.
const SKEW_MS: i64 = 15 * 60_000;
/// Longest nonce, bytes.
const NONCE_MAX: usize = 128;
/// The parameter with which a change is made once.
const CLIENT_TOKEN: &str = "ClientToken";
/// Longest one, bytes.
const TOKEN_MAX: usize = 255;

/// Fields beyond the envelope.
type Fields = Map<String, Value>;
type Done = Result<Fields, Fault>;

/// Why an action is not done.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    code: &'static str,
    message: String,
    wait: Option<u32>,
}

impl Fault {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), wait: None }
    }

    fn missing(name: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MissingParameter", format!("{name} is needed"))
    }

    fn invalid(name: &str, why: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameter", format!("{name}: {why}"))
    }

    fn no_agent(name: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "NoAgentFound", format!("there is no agent {name:?}"))
    }

    fn nothing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", format!("there is no {what}"))
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let code = match problem.status {
            404 => "NotFound",
            409 | 412 | 428 => "OperationConflict",
            422 => "InvalidParameter",
            429 | 503 => "Throttling",
            _ => "SystemError",
        };
        let lines = [vec![problem.title.to_owned(), problem.detail], problem.errors].concat();
        let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        Self { status, code, message: lines.join("; "), wait: problem.retry_after_s }
    }
}

impl From<Refusal> for Fault {
    fn from(why: Refusal) -> Self {
        Problem::from(why).into()
    }
}

impl From<ObjectFault> for Fault {
    fn from(why: ObjectFault) -> Self {
        Problem::from(why).into()
    }
}

/// A request that was signed, and what it may be about.
pub(super) struct Call {
    state: State,
    audit: Audit,
    tenant: TenantId,
    application: Application,
    said: Said,
    from: String,
}

impl Call {
    fn by(&self) -> String {
        format!("{PLACE}{}", self.application.name)
    }

    async fn plan(&self) -> Result<FloorPlan, Fault> {
        Ok(self.state.switch.floor_plan(self.tenant).await?)
    }

    /// The agent that the request names.
    async fn agent(&self) -> Result<AgentId, Fault> {
        let name = self.said.need("AccountName")?;
        let known = self.plan().await?.agents.contains_key(name);
        AgentId::new(self.tenant, name).ok().filter(|_| known).ok_or_else(|| Fault::no_agent(name))
    }

    async fn objects(&self, kind: ObjectKind) -> Result<Vec<ObjectView>, Fault> {
        Ok(self.state.switch.objects(self.tenant, kind).await?)
    }

    /// Has all of it changed, or nothing; each thing is in the audit log as it was and as it is.
    async fn change(&self, changes: Vec<ObjectChange>) -> Result<(), Fault> {
        let mut before = Vec::new();
        for change in &changes {
            let known = self.objects(change.kind).await?;
            before.push(known.into_iter().find(|view| view.name == change.name.as_str()));
        }
        let named: Vec<(ObjectKind, Name)> = changes.iter().map(|c| (c.kind, c.name.clone())).collect();
        let done = self.state.switch.change_objects(self.tenant, self.by(), changes, true).await?;
        let mut faults: Vec<ObjectFault> = Vec::new();
        for ((row, before), (kind, name)) in done.into_iter().zip(before).zip(named) {
            match row {
                Ok(after) => {
                    let resource = format!("{}/{name}", kind.as_str());
                    self.audit.change(resource, before.as_ref(), after.as_ref());
                }
                Err(ObjectFault::WithOthers) => {}
                Err(why) => faults.push(why),
            }
        }
        faults.into_iter().next().map_or(Ok(()), |why| Err(why.into()))
    }
}

/// One thing that is to be made.
fn made(kind: ObjectKind, name: Name, document: Fields) -> ObjectChange {
    ObjectChange { kind, name, act: ObjectAct::Put(document), expected: Expected::Nothing }
}

/// One thing of which some keys change.
fn changed(kind: ObjectKind, name: Name, keys: Fields) -> ObjectChange {
    ObjectChange { kind, name, act: ObjectAct::Merge(keys), expected: Expected::Any }
}

/// One thing that goes.
fn gone(kind: ObjectKind, name: Name) -> ObjectChange {
    ObjectChange { kind, name, act: ObjectAct::Delete, expected: Expected::Any }
}

/// Fields out of `json!({...})`.
fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => Map::from_iter([("Data".to_owned(), other)]),
    }
}

fn data(value: impl Into<Value>) -> Done {
    Ok(Map::from_iter([("Data".to_owned(), value.into())]))
}

/// Where no action is asked for it is the page.
pub(super) async fn root(Use(state): Use<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !asks(&parts) {
        return pages::page(parts.method, parts.uri).await;
    }
    let audit = Audit::of(&parts);
    let mut bytes = [0; 16];
    let id = state.switch.random(&mut bytes).map(|()| request_id(&bytes)).unwrap_or_default();
    if let Some(seconds) = state.brake.wait(source_of(&parts), Instant::now()) {
        let why = "too many wrong signatures came from this address";
        let fault = Fault::new(StatusCode::TOO_MANY_REQUESTS, "Throttling", why);
        return answer(&id, "", Err(Fault { wait: Some(seconds), ..fault }));
    }
    let body = match Bytes::from_request(Request::from_parts(parts.clone(), body), &state).await {
        Ok(body) => body,
        Err(why) => return why.into_response(),
    };
    match taken(state, audit, &parts, &body).await {
        Ok((call, action)) => carried(id, call, action).await,
        Err(fault) => answer(&id, "", Err(fault)),
    }
}

/// Does it; once where a change comes with a token of the client's, which gives the first answer for a day.
async fn carried(id: String, call: Call, action: String) -> Response {
    let changes = rows::row(&action).is_ok_and(|row| row.changes);
    let Some(token) = call.said.text(CLIENT_TOKEN).filter(|_| changes).map(str::to_owned) else {
        let done = rows::act(&call, &action).await;
        return answer(&id, &action, done);
    };
    if token.len() > TOKEN_MAX {
        return answer(&id, &action, Err(Fault::invalid(CLIENT_TOKEN, "it is longer than 255 bytes")));
    }
    let whose = format!("{} {} {action}", call.tenant, call.application.client_id);
    let (state, said) = (call.state.clone(), call.said.meant());
    let (own_id, own_action) = (id.clone(), action.clone());
    let next = async move {
        let done = rows::act(&call, &own_action).await;
        answer(&own_id, &own_action, done)
    };
    match by_parameter(&state, (&whose, &token), said.as_bytes(), next).await {
        Ok(response) => response,
        Err(why) => answer(&id, &action, Err(why.into())),
    }
}

impl From<Unanswered> for Fault {
    fn from(why: Unanswered) -> Self {
        let conflict = |why: &str| Self::new(StatusCode::CONFLICT, "OperationConflict", why);
        match why {
            Unanswered::Other => {
                let why = "this ClientToken was used with other parameters";
                Self::new(StatusCode::BAD_REQUEST, "IdempotentParameterMismatch", why)
            }
            Unanswered::UnderWay => conflict("the request of this ClientToken is being carried out"),
            Unanswered::Unknown => {
                conflict("a request of this ClientToken was begun, and what came of it is not known: look")
            }
            Unanswered::Busy => {
                let why = "what came of this ClientToken cannot be read now; nothing was done";
                Self { wait: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "Throttling", why) }
            }
        }
    }
}

/// Whether an action is asked for.
fn asks(parts: &Parts) -> bool {
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let form = "application/x-www-form-urlencoded";
    let has_form = header("content-type").is_some_and(|kind| kind.starts_with(form));
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let named = header("x-acs-action").is_some() || parts.uri.query().unwrap_or_default().contains("Action=");
    named || (has_form && !reads)
}

/// As the vendor's are written.
fn request_id(bytes: &[u8; 16]) -> String {
    let text = hex::encode_upper(bytes);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// The request, once it is known whose it is.
async fn taken(state: State, audit: Audit, parts: &Parts, body: &[u8]) -> Result<(Call, String), Fault> {
    let invalid = |what: &str| Fault::invalid(what, "it is no form");
    let query = pairs(parts.uri.query().unwrap_or_default()).ok_or_else(|| invalid("query"))?;
    let text = std::str::from_utf8(body).map_err(|_| invalid("body"))?;
    let form = pairs(text).ok_or_else(|| invalid("body"))?;
    let signed = signed(&state, parts, (&query, &form), body).inspect_err(|_| {
        state.brake.failed(source_of(parts), Instant::now());
    })?;
    let Signed { tenant, application, nonce, action } = signed;
    audit.claims(tenant, format!("{PLACE}{}", application.name));
    let row = rows::row(&action)?;
    let op = op(row);
    audit.op(&op);
    can_note(&state, &op)?;
    if row.changes {
        once(&state, parts, &application, &nonce).await?;
    }
    let said = Said::new([query, form].concat());
    for name in row.needs {
        said.need(name)?;
    }
    if said.text("InstanceId").is_some_and(|instance| instance != application.instance) {
        let why = "InstanceId is not that of this application's tenant";
        return Err(Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "NoTenantFound", why));
    }
    let from = source_of(parts).to_string();
    Ok((Call { state, audit, tenant, application, said, from }, action))
}

/// What changes something comes by a method that may, and once.
async fn once(state: &State, parts: &Parts, application: &Application, nonce: &str) -> Result<(), Fault> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        let why = "an action that changes something comes by POST";
        return Err(Fault::new(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHTTPMethod", why));
    }
    let now = state.switch.moment();
    let until = cordboard_model::time::Wall(now.0.saturating_add(2 * SKEW_MS));
    let whose = format!("nonce {}", application.client_id);
    if state.shown.note_once(&*state.switch, (&whose, nonce), until, now).await? {
        return Ok(());
    }
    let why = "this request was sent before, or there is no room to remember it";
    Err(Fault::new(StatusCode::BAD_REQUEST, "SignatureNonceUsed", why))
}

/// What the audit log has of an action.
fn op(row: &rows::Row) -> Arc<Op> {
    Arc::new(Op {
        method: Method::POST,
        path: "/".to_owned(),
        id: row.name,
        tag: "aliyun",
        summary: row.name,
        access: Access::Open,
        changes: row.changes,
        contract: Contract::default(),
    })
}

/// A parameter, as it was said.
type Pair = (String, String);

struct Signed {
    tenant: TenantId,
    application: Application,
    nonce: String,
    action: String,
}

/// Whose request it is, by either kind of signature.
fn signed(
    state: &State,
    parts: &Parts,
    (query, form): (&[Pair], &[Pair]),
    body: &[u8],
) -> Result<Signed, Fault> {
    let bad = |code, why: &str| Fault::new(StatusCode::BAD_REQUEST, code, why);
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let all = [query, form].concat();
    let said = |name: &str| {
        let mut found = all.iter().filter(|(known, _)| known == name).map(|(_, value)| value.clone());
        found.next().filter(|_| found.next().is_none())
    };
    let newer = header("authorization").filter(|text| text.starts_with(ACS3));
    let acs3 = newer.as_deref().and_then(Acs3::read);
    let (id, nonce, time, action) = match &acs3 {
        Some(shown) => {
            let names = ["x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"];
            if !names.iter().all(|name| shown.covers(name)) {
                return Err(bad("IncompleteSignature", "action, date, nonce and content have to be signed"));
            }
            let of = |name| header(name).unwrap_or_default();
            (shown.id.clone(), of("x-acs-signature-nonce"), of("x-acs-date"), of("x-acs-action"))
        }
        None => {
            let of = |name| said(name).unwrap_or_default();
            (of("AccessKeyId"), of("SignatureNonce"), of("Timestamp"), of("Action"))
        }
    };
    let known = state.switch.application(&id).filter(|(_, application)| application.actions);
    let secret = known.as_ref().map_or("", |(_, application)| application.secret.0.as_str());
    let right = match &acs3 {
        Some(shown) => shown.is_of((parts.method.as_str(), "/"), query, header, body, secret),
        None => {
            let signature = said("Signature").unwrap_or_default();
            sign::is_version_1(parts.method.as_str(), &all, secret, &signature)
        }
    };
    // who has no key is told the same as who has a wrong one
    let Some((tenant, application)) = known.filter(|_| right) else {
        let why = "the signature is not that of an application that may ask for actions";
        return Err(Fault::new(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", why));
    };
    let now = state.switch.moment();
    let near = sign::moment(&time).is_some_and(|at| at.0.abs_diff(now.0) <= SKEW_MS.unsigned_abs());
    match (near, (1..=NONCE_MAX).contains(&nonce.len())) {
        (false, _) => Err(bad("InvalidTimeStamp.Expired", "the time is more than 15 minutes from ours")),
        (_, false) => Err(bad("MissingParameter", "SignatureNonce is needed")),
        _ => Ok(Signed { tenant, application, nonce, action }),
    }
}

/// The envelope; some actions of the reference have less of it.
fn answer(id: &str, action: &str, done: Done) -> Response {
    let (status, mut body, wait) = match done {
        Ok(more) => {
            let mut body = Map::from_iter([("RequestId".to_owned(), json!(id))]);
            for (name, value) in rows::envelope(action) {
                body.insert((*name).to_owned(), value.clone());
            }
            body.extend(more);
            (StatusCode::OK, body, None)
        }
        Err(Fault { status, code, message, wait }) => {
            let body = json!({ "Code": code, "Message": message, "RequestId": id, "Success": false });
            (status, fields(body), wait)
        }
    };
    body.entry("HttpStatusCode").or_insert_with(|| json!(status.as_u16()));
    let mut response = (status, Json(Value::Object(body))).into_response();
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
