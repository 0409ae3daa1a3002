//! What is changed through the API, by whom and from where, with what came of it.
//!
//! Invariants: a change by a key or a person is in the log before it is answered; nothing is in the log that could be used as a
//! secret. Every request that may change something comes by here, whatever route it has: a route need say nothing. What it
//! says with [`Audit::change`] is how the thing was before, and how it is now.
//!
//! Orders of agents at their own desks are not here: calls, stretches of work and events have them.

use crate::catalog::Op;
use crate::key::Who;
use crate::problem::Problem;
use crate::state::State;
use crate::switch::Refusal;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequestParts, Request, State as Use};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use cordboard_model::access::{AuditEntry, Outcome};
use cordboard_model::id::TenantId;
use serde::Serialize;
use serde_json::Value;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest body of a request that is looked into, bytes; of a longer one the log has its length.
const ASKED_MAX: usize = 64 * 1024;
/// Longest body of a request in JSON, bytes. One whose length is not said beforehand is cut at the same length by what reads it.
const BODY_MAX: usize = 2 << 20;
/// Longest text of one value that the log has, bytes.
const VALUE_MAX: usize = 8 * 1024;
/// Most changes of one request that have an entry each.
const CHANGES_MAX: usize = 1_000;
/// Longest time that an answer waits for its entry.
const WAIT: Duration = Duration::from_secs(5);
/// What stands where a secret was.
pub const HIDDEN: &str = "(hidden)";
/// Fields that are secrets, whatever they hold.
const SECRETS: [&str; 17] = [
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "cookie",
    "credential",
    "recovery",
    "old",
    "new_password",
    "csrf",
    "otpauth",
    "private",
    "pin",
    "code",
    "keys",
    "hash",
];

/// A thing that was changed.
#[derive(Clone, Debug, PartialEq)]
struct Change {
    resource: String,
    before: Option<Value>,
    after: Option<Value>,
}

#[derive(Debug, Default)]
struct Note {
    /// Whose tenant's, and who.
    by: Option<(TenantId, String)>,
    /// An agent at a desk.
    desk: bool,
    /// It is noted all the same.
    always: bool,
    op: Option<Arc<Op>>,
    changes: Vec<Change>,
    more: usize,
}

/// What the audit log will have of a request: an extractor of every handler that has something to say.
#[derive(Clone, Debug, Default)]
pub struct Audit(Arc<Mutex<Note>>);

impl<S: Send + Sync> FromRequestParts<S> for Audit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl Audit {
    /// Of this request.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_default()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Note) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A thing (`queues/sales`) was changed: how it was, if there was one, and how it is, if there is one. Secrets are taken out
    /// here. To be called where the change is made, also for each row of many.
    pub fn change(
        &self,
        resource: impl Into<String>,
        before: Option<&impl Serialize>,
        after: Option<&impl Serialize>,
    ) {
        let (before, after) = (before.map(shown), after.map(shown));
        let change = Change { resource: resource.into(), before, after };
        self.with(|note| match note.changes.len() {
            CHANGES_MAX.. => note.more += 1,
            _ => note.changes.push(change),
        });
    }

    /// Who asks; called by what finds it out.
    pub(crate) fn by(&self, who: &Who) {
        let (tenant, name) = (who.tenant(), who.to_string());
        let desk = matches!(who, Who::Agent(_));
        self.with(|note| (note.by, note.desk) = (Some((tenant, name)), desk));
    }

    /// Who asks has shown no key and no session yet: this is who he says that he is. It is noted, whatever comes of it.
    pub(crate) fn claims(&self, tenant: TenantId, name: String) {
        self.with(|note| (note.by, note.always) = (Some((tenant, name)), true));
    }

    /// The operation; called by what checks its scope.
    pub(crate) fn op(&self, op: &Arc<Op>) {
        self.with(|note| note.op = Some(Arc::clone(op)));
    }

    /// Whose tenant's request it was, as far as that was found out.
    pub(crate) fn tenant(&self) -> Option<TenantId> {
        self.with(|note| note.by.as_ref().map(|(tenant, _)| *tenant))
    }
}

/// A value without its secrets, and not too long.
pub fn shown(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    redact(&mut value);
    let text = value.to_string();
    if text.len() <= VALUE_MAX { value } else { format!("({} bytes)", text.len()).into() }
}

/// Takes secrets out.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let holds = !value.is_null() && !value.is_boolean();
                if is_secret(name) && holds { *value = HIDDEN.into() } else { redact(value) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "key"
        || name.ends_with("_key")
        || SECRETS.iter().any(|word| {
            // short words are whole names: `code` is one, `wrap_up_code` none
            if word.len() <= 4 { name == *word } else { name.contains(word) }
        })
}

/// Everything that may change something comes by here.
pub(crate) async fn watch(Use(state): Use<State>, request: Request, next: Next) -> Response {
    let audit = Audit::default();
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(audit.clone());
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        let mut response = next.run(Request::from_parts(parts, body)).await;
        response.extensions_mut().insert(audit);
        return response;
    }
    let way = Way::of(&parts);
    let (body, asked) = match look_into(&parts, body).await {
        Ok(read) => read,
        Err(problem) => return problem.into_response(),
    };
    // who asked may give up: what was begun is ended, and noted, all the same
    let carried = tokio::spawn(carry(state, audit, way, asked, next, Request::from_parts(parts, body)));
    carried.await.unwrap_or_else(|why| Problem::from(Refusal::Internal(why.to_string())).into_response())
}

async fn carry(
    state: State,
    audit: Audit,
    way: Way,
    asked: Option<Value>,
    next: Next,
    request: Request,
) -> Response {
    let mut response = next.run(request).await;
    let entries = entries(&audit, way, asked, &response, state.switch.moment());
    if !entries.is_empty()
        && let Err(why) = note(&state, entries).await
    {
        tracing::error!(?why, "a change is done and its entry is not in the audit log yet");
        let calls = audit.with(|note| note.op.as_ref().is_some_and(|op| is_of_calls(op)));
        if !calls {
            return unwritten().into_response();
        }
    }
    response.extensions_mut().insert(audit);
    response
}

/// Whether an operation goes on while the log cannot be written: what is up is served first.
fn is_of_calls(op: &Op) -> bool {
    op.access.scope().is_some_and(|scope| scope.ends_with(":control"))
}

/// Refuses a change that could not be noted.
///
/// # Errors
/// The log cannot be written.
pub(crate) fn can_note(state: &State, op: &Op) -> Result<(), Problem> {
    match state.switch.audit_is_down() {
        Some(why) if op.changes && !is_of_calls(op) => {
            tracing::warn!(%why, op = op.id, "refused: the audit log cannot be written");
            Err(unwritten())
        }
        _ => Ok(()),
    }
}

fn unwritten() -> Problem {
    let mut problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the audit log cannot be written",
        "what would not be in it is not taken; look whether it was done already, and try again",
    );
    problem.code = Some("audit_down");
    problem.retry_after_s = Some(5);
    problem
}

async fn note(state: &State, entries: Vec<AuditEntry>) -> Result<(), Refusal> {
    let written = state.switch.note(entries);
    tokio::time::timeout(WAIT, written).await.unwrap_or(Err(Refusal::Busy(5)))
}

/// What is known of a request before it is carried out.
struct Way {
    method: Method,
    path: String,
    from: String,
}

impl Way {
    fn of(parts: &Parts) -> Self {
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let from = from.map(|info| info.0.ip().to_string()).unwrap_or_default();
        let path = parts.uri.path().chars().take(512).collect();
        Self { method: parts.method.clone(), path, from }
    }
}

/// Reads a body that may be looked into, and gives it back with what the log will have of it.
async fn look_into(parts: &Parts, body: Body) -> Result<(Body, Option<Value>), Problem> {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|value| value.parse::<usize>().ok());
    let media = text(header::CONTENT_TYPE).unwrap_or_default();
    let other =
        ["multipart/", "audio/", "application/octet-stream"].iter().any(|kind| media.starts_with(kind));
    match length {
        Some(length) if length > BODY_MAX && !other => {
            let detail = format!("{length} bytes; at most {BODY_MAX} are taken");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long", detail))
        }
        Some(0) => Ok((body, None)),
        Some(length) if length <= ASKED_MAX && !other => {
            let read = axum::body::to_bytes(body, ASKED_MAX).await;
            let bytes: Bytes = read.map_err(|why| {
                Problem::new(StatusCode::BAD_REQUEST, "the request's body did not come", why.to_string())
            })?;
            // what is no JSON may be a secret as well as anything: not shown
            let asked = serde_json::from_slice::<Value>(&bytes).map(|value| shown(&value));
            let asked = asked.unwrap_or_else(|_| format!("({} bytes)", bytes.len()).into());
            Ok((Body::from(bytes), Some(asked)))
        }
        Some(length) => Ok((body, Some(format!("({length} bytes)").into()))),
        None => Ok((body, None)),
    }
}

/// The word of a problem, which its answer carries beside its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Code(pub(crate) &'static str);

fn entries(
    audit: &Audit,
    way: Way,
    asked: Option<Value>,
    response: &Response,
    at: cordboard_model::time::Wall,
) -> Vec<AuditEntry> {
    let note = audit.with(core::mem::take);
    // whoever comes after needs to know whose it was
    audit.with(|kept| (kept.by, kept.op) = (note.by.clone(), note.op.clone()));
    let changes = note.op.as_ref().is_none_or(|op| op.changes);
    let Some((tenant, who)) = note.by.filter(|_| changes && (!note.desk || note.always)) else {
        return Vec::new();
    };
    let Way { method, path, from } = way;
    let status = response.status().as_u16();
    let action = note.op.map_or_else(|| format!("{method} {path}"), |op| op.id.to_owned());
    let first = AuditEntry {
        id: 0,
        tenant,
        at,
        who,
        from,
        action,
        resource: path.strip_prefix("/api/v1/").unwrap_or(&path).to_owned(),
        outcome: Outcome::of_status(status),
        status,
        code: response.extensions().get::<Code>().map(|code| code.0.to_owned()),
        asked,
        before: None,
        after: None,
    };
    if note.changes.is_empty() {
        return vec![first];
    }
    let more = (note.more > 0)
        .then(|| AuditEntry { after: Some(format!("and {} more", note.more).into()), ..first.clone() });
    // each thing once: what was asked stands beside the first
    let each = note.changes.into_iter().enumerate().map(|(at, change)| {
        let Change { resource, before, after } = change;
        let asked = first.asked.clone().filter(|_| at == 0);
        AuditEntry { resource, before, after, asked, ..first.clone() }
    });
    each.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_taken_out_by_the_names_of_their_fields_wherever_they_stand() {
        let value = shown(&json!({
            "name": "li", "password": "x", "new_password": "y", "old": "z", "key": "k", "keys": "1234", "code": "123456",
            "list": [{ "webhook_secret": "s", "url": "https://example.org" }], "api_key": "k", "wrap_up_code": "sale",
            "access_token": "t", "change_password": true, "pin": null, "tokens": { "a": 1 },
        }));
        assert_eq!(
            value,
            json!({
                "name": "li", "password": HIDDEN, "new_password": HIDDEN, "old": HIDDEN, "key": HIDDEN, "keys": HIDDEN,
                "code": HIDDEN, "list": [{ "webhook_secret": HIDDEN, "url": "https://example.org" }], "api_key": HIDDEN,
                "wrap_up_code": "sale", "access_token": HIDDEN, "change_password": true, "pin": null, "tokens": HIDDEN,
            })
        );
    }

    #[test]
    fn what_is_too_long_is_its_length() {
        assert_eq!(shown(&json!({ "text": "x".repeat(10_000) })), json!("(10011 bytes)"));
    }
}
