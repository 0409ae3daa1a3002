//! What is configured, over the API: read whoever keeps it, and made, changed and deleted where the API does.
//!
//! Invariant: what stands in the configuration file is read-only here, and every change is checked whole, as the file is,
//! before any of it is kept.

mod bulk;
mod schemas;

use crate::audit::Audit;
use crate::catalog::{Routes, key};
use crate::key::Asking;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, limit};
use crate::state::State;
use crate::switch::{Later, Refusal};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Use};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest document, bytes of its JSON.
pub const DOCUMENT_MAX: usize = 64 * 1024;

/// A kind of thing that is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// Tenants: the operator's own tenant alone makes and sees them.
    Tenants,
    /// Phones' accounts.
    Accounts,
    /// Agents.
    Agents,
    /// Skill queues.
    Queues,
    /// Queues under one name.
    SkillGroups,
    /// Called numbers, and where they lead.
    Numbers,
    /// Numbers that are shown to who is called.
    NumberGroups,
    /// Trunks.
    Trunks,
    /// Which trunks take which numbers.
    WaysOut,
    /// Flows whose texts the API keeps, and what holds for them.
    Flows,
    /// Calendars.
    Calendars,
}

impl ObjectKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Tenants,
        Self::Accounts,
        Self::Agents,
        Self::Queues,
        Self::SkillGroups,
        Self::Numbers,
        Self::NumberGroups,
        Self::Trunks,
        Self::WaysOut,
        Self::Flows,
        Self::Calendars,
    ];

    /// The word in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Accounts => "accounts",
            Self::Agents => "agents",
            Self::Queues => "queues",
            Self::SkillGroups => "skill-groups",
            Self::Numbers => "numbers",
            Self::NumberGroups => "number-groups",
            Self::Trunks => "trunks",
            Self::WaysOut => "ways-out",
            Self::Flows => "flows",
            Self::Calendars => "calendars",
        }
    }

    /// The one of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Who keeps a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration file: read-only here.
    File,
    /// The API.
    Store,
}

/// A thing as it is configured.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct ObjectView {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name: its id, which stays. What people see is `display` in the document.
    pub name: String,
    /// Who keeps it.
    pub origin: Origin,
    /// Where it stands: file, line and column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Its version, as the ETag has it.
    pub version: String,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Wall>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The secrets that are set in it. They are never shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Why it is left out, if it does not fit the rest of the configuration any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// Its keys, as the reference of the configuration has them.
    pub document: Map<String, Value>,
}

/// Which version is meant to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// None: there must be none yet, or any will do where that cannot lose anybody's change.
    Unsaid,
    /// There must be none yet.
    Nothing,
    /// Whichever there is.
    Any,
    /// One of these.
    Version(Vec<String>),
}

/// What is to become of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAct {
    /// It is this. Secrets that are left out stay.
    Put(Map<String, Value>),
    /// These keys of it change (RFC 7396).
    Merge(Map<String, Value>),
    /// It goes.
    Delete,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// Of what.
    pub kind: ObjectKind,
    /// Its name.
    pub name: Name,
    /// What is to become of it.
    pub act: ObjectAct,
    /// Which version of it is meant.
    pub expected: Expected,
}

/// Why a change is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectFault {
    /// There is no such thing.
    NotFound(String),
    /// The file keeps it; the text names the place.
    OfFile(String),
    /// It is not the version that was meant.
    Changed(String),
    /// Which version is meant has to be said.
    Unsaid,
    /// Something else needs it: what, a line each.
    InUse(Vec<String>),
    /// So many wait in the queue, and so many keep a place in it for a call-back: they would lose it.
    SomebodyWaits(usize, u32),
    /// It is wrong: fields with what is wrong with each.
    Invalid(Vec<(String, String)>),
    /// Another change of the same request is refused, and all are made or none.
    WithOthers,
}

impl From<ObjectFault> for Problem {
    fn from(fault: ObjectFault) -> Self {
        let named = |status, title, code, detail: String| {
            let mut problem = Problem::new(status, title, detail);
            problem.code = Some(code);
            problem
        };
        match fault {
            ObjectFault::NotFound(what) => Problem::not_found(what),
            ObjectFault::OfFile(place) => {
                let detail = format!("it stands in the configuration file at {place}; change it there and reload");
                named(StatusCode::CONFLICT, "the configuration file keeps it", "origin_file", detail)
            }
            ObjectFault::Changed(why) => {
                named(StatusCode::PRECONDITION_FAILED, "not the version that is meant", "changed", why)
            }
            ObjectFault::Unsaid => named(
                StatusCode::PRECONDITION_REQUIRED,
                "which version is meant has to be said",
                "needs_if_match",
                "send the ETag of the version that was read in If-Match, or If-Match: * for whichever there is".into(),
            ),
            ObjectFault::InUse(by) => {
                let mut problem = named(
                    StatusCode::CONFLICT,
                    "something else needs it",
                    "in_use",
                    "change or delete what `errors` names first, or in the same request".into(),
                );
                problem.errors = by;
                problem
            }
            ObjectFault::SomebodyWaits(waiting, kept) => named(
                StatusCode::CONFLICT,
                "somebody waits in this queue",
                "somebody_waits",
                format!(
                    "{waiting} wait in it and {kept} keep a place for a call-back: place them elsewhere first, or delete \
                     it with cascade=true, which sends those who wait away and forgets the places"
                ),
            ),
            ObjectFault::Invalid(faults) => {
                let title = "the document is not valid";
                let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, title, "");
                problem.field = faults.first().map(|(field, _)| field.as_str().into());
                problem.errors = faults.into_iter().map(|(_, why)| why).collect();
                problem
            }
            ObjectFault::WithOthers => named(
                StatusCode::FAILED_DEPENDENCY,
                "not made, for another change was refused",
                "with_others",
                "all changes of this request are made or none".into(),
            ),
        }
    }
}

/// What came of a change: the thing as it is now, or none if it is gone.
pub type ObjectDone = Result<Option<ObjectView>, ObjectFault>;

/// What is configured, as the control plane sees it.
pub trait Objects {
    /// Every thing of this kind that the tenant has, in the order of names.
    fn objects(&self, tenant: TenantId, kind: ObjectKind) -> Later<Vec<ObjectView>>;
    /// Makes changes, in the order in which they are given. With `whole` all are made or none; else those are made that can
    /// be. `by` is who asks.
    fn change_objects(
        &self,
        tenant: TenantId,
        by: String,
        changes: Vec<ObjectChange>,
        whole: bool,
    ) -> Later<Vec<ObjectDone>>;
}

/// Whether a change meets the version that is meant.
///
/// # Errors
/// It does not, or the version has to be said.
pub fn meets(there: Option<&ObjectView>, change: &ObjectChange) -> Result<(), ObjectFault> {
    let name = &change.name;
    let missing = || ObjectFault::NotFound(format!("{} {name}", change.kind.as_str()));
    if let Some(view) = there.filter(|view| view.origin == Origin::File) {
        return Err(ObjectFault::OfFile(view.place.clone().unwrap_or_default()));
    }
    match (there, &change.expected) {
        (None, Expected::Version(_)) => Err(ObjectFault::Changed(format!("{name} is not there any more"))),
        (None, Expected::Any) => Err(ObjectFault::Changed(format!("there is no {name}"))),
        (None, _) if !matches!(change.act, ObjectAct::Put(_)) => Err(missing()),
        (None, _) => Ok(()),
        (Some(_), Expected::Nothing) => Err(ObjectFault::Changed(format!("{name} is there already"))),
        (Some(_), Expected::Unsaid) => Err(ObjectFault::Unsaid),
        (Some(_), Expected::Any) => Ok(()),
        (Some(view), Expected::Version(any)) if any.contains(&view.version) => Ok(()),
        (Some(view), Expected::Version(_)) => {
            Err(ObjectFault::Changed(format!("{name} is at version {} by now", view.version)))
        }
    }
}

pub(crate) fn routes() -> Routes {
    let (read, write) = ("config:read", "config:write");
    let example = r#"{"display": "Sales", "strategy": "longest_idle"}"#;
    Routes::v1()
        .get(
            "/config/{kind}",
            list,
            key("listObjects", read, "What is configured of a kind, whoever keeps it")
                .query(&["limit", "name_after", "origin"])
                .gives::<ObjectsPage>(),
        )
        .post(
            "/config/changes",
            bulk::change,
            key(
                "changeObjects",
                write,
                "Makes many changes, all or none or each by itself, with a row for each",
            )
            .takes::<bulk::Changes>(bulk::EXAMPLE)
            .gives::<bulk::Changed>(),
        )
        .get(
            "/config/{kind}/{name}",
            one,
            key("readObject", read, "One thing as it is configured").gives::<ObjectView>().refuses(&[304]),
        )
        .put(
            "/config/{kind}/{name}",
            put,
            key("putObject", write, "Makes a thing, or says anew how it is configured")
                .takes::<schemas::AnyDocument>(example)
                .gives::<ObjectView>()
                .gives_as::<ObjectView>(201)
                .refuses(&[412, 428]),
        )
        .patch(
            "/config/{kind}/{name}",
            merge,
            key("mergeObject", write, "Changes some keys of a thing; null takes one away (RFC 7396)")
                .takes::<schemas::AnyPatch>(r#"{"display": "Sales desk", "overflow": null}"#)
                .gives::<ObjectView>()
                .refuses(&[412, 428]),
        )
        .delete(
            "/config/{kind}/{name}",
            delete,
            key("deleteObject", write, "Deletes a thing that nothing else needs; a queue in which somebody waits with cascade=true alone")
                .query(&["cascade"])
                .gives_media(204, "")
                .refuses(&[412, 428]),
        )
}

/// A page of things.
#[derive(JsonSchema, Serialize)]
struct ObjectsPage {
    items: Vec<ObjectView>,
    /// Where the next page begins, if there is one: its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

fn kind(word: &str, tenant: TenantId) -> Result<ObjectKind, Problem> {
    let all = || ObjectKind::ALL.map(ObjectKind::as_str).join(", ");
    let kind = ObjectKind::from_name(word);
    let kind = kind.ok_or_else(|| Problem::not_found(format!("{word:?} is none of {}", all())))?;
    // To the others there is one tenant, and it is theirs.
    match kind == ObjectKind::Tenants && tenant != TenantId::DEFAULT {
        true => Err(Problem::not_found("tenants are the operator's")),
        false => Ok(kind),
    }
}

/// The name that a path or a row gives.
pub(crate) fn named(text: &str) -> Result<Name, Problem> {
    Name::new(text).map_err(|why| Problem::field("name", format!("{text:?}: {why}")))
}

async fn list(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(word): Path<String>,
    query: Params,
) -> Answer<ObjectsPage> {
    let kind = kind(&word, who.tenant)?;
    let query = query.only(&["limit", "name_after", "origin"])?;
    let most = limit(&query)? as usize;
    let origin = match query.text("origin") {
        None => None,
        Some("file") => Some(Origin::File),
        Some("store") => Some(Origin::Store),
        Some(other) => return Err(Problem::field("origin", format!("{other:?} is neither file nor store"))),
    };
    let mut items = state.switch.objects(who.tenant, kind).await?;
    items.retain(|item| origin.is_none_or(|origin| item.origin == origin));
    if let Some(after) = query.text("name_after") {
        items.retain(|item| item.name.as_str() > after);
    }
    let more = items.len() > most;
    items.truncate(most);
    let next = items.last().filter(|_| more).map(|last| {
        let origin = query.text("origin").map(|origin| format!("&origin={origin}")).unwrap_or_default();
        let after = last.name.replace('+', "%2B");
        format!("/api/v1/config/{word}?limit={most}&name_after={after}{origin}")
    });
    Ok(Json(ObjectsPage { items, next }))
}

/// With its version in the ETag.
fn tagged(status: StatusCode, view: ObjectView) -> Response {
    let tag = HeaderValue::from_str(&format!("\"{}\"", view.version));
    let mut response = (status, Json(view)).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The versions that a header names; `*` is none of them.
fn tags(headers: &HeaderMap, name: header::HeaderName) -> Option<Vec<String>> {
    let all: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    (!all.is_empty()).then(|| all.iter().flat_map(|value| value.split(',')).map(plain).collect())
}

/// The version that a request means.
pub(crate) fn expected(headers: &HeaderMap) -> Expected {
    let is_star = |tags: &Vec<String>| tags.iter().any(|tag| tag == "*");
    match (tags(headers, header::IF_MATCH), tags(headers, header::IF_NONE_MATCH)) {
        (Some(tags), _) if is_star(&tags) => Expected::Any,
        (Some(tags), _) => Expected::Version(tags),
        (None, Some(tags)) if is_star(&tags) => Expected::Nothing,
        (None, _) => Expected::Unsaid,
    }
}

async fn one(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((word, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let kind = kind(&word, who.tenant)?;
    let all = state.switch.objects(who.tenant, kind).await?;
    let view = all.into_iter().find(|view| view.name == name);
    let view = view.ok_or_else(|| Problem::not_found(format!("{word} {name}")))?;
    // RFC 9110 13.1.2: for GET it is 304 when one of them matches.
    let known = tags(&headers, header::IF_NONE_MATCH).unwrap_or_default();
    if known.iter().any(|tag| tag == "*" || *tag == view.version) {
        let mut response = tagged(StatusCode::NOT_MODIFIED, view);
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        return Ok(response);
    }
    Ok(tagged(StatusCode::OK, view))
}

fn document(body: &Bytes) -> Result<Map<String, Value>, Problem> {
    if body.len() > DOCUMENT_MAX {
        let why = format!("{} bytes; at most {DOCUMENT_MAX} are taken", body.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the document is too long", why));
    }
    serde_json::from_slice::<Map<String, Value>>(body)
        .map_err(|why| Problem::field("body", format!("{why}; expected a JSON object")))
}

/// Has one change made, and noted as it was before and is now.
async fn change(
    (state, audit): (&State, &Audit),
    tenant: TenantId,
    by: String,
    change: ObjectChange,
) -> Result<Option<ObjectView>, Problem> {
    let (kind, name) = (change.kind, change.name.to_string());
    let before = state.switch.objects(tenant, kind).await?.into_iter().find(|view| view.name == name);
    let mut done = state.switch.change_objects(tenant, by, vec![change], true).await?;
    let none = || Refusal::Internal("no answer to a change".to_owned());
    let after = done.pop().ok_or_else(none)??;
    audit.change(format!("{}/{name}", kind.as_str()), before.as_ref(), after.as_ref());
    Ok(after)
}

async fn put(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((word, name)): Path<(String, String)>,
    audit: Audit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let (kind, name) = (kind(&word, who.tenant)?, named(&name)?);
    let (act, expected) = (ObjectAct::Put(document(&body)?), expected(&headers));
    let is_new = !matches!(expected, Expected::Any | Expected::Version(_));
    let wanted = ObjectChange { kind, name, act, expected };
    let view = change((&state, &audit), who.tenant, who.to_string(), wanted).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(view.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |view| tagged(status, view)))
}

async fn merge(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((word, name)): Path<(String, String)>,
    audit: Audit,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let (kind, name) = (kind(&word, who.tenant)?, named(&name)?);
    let (act, expected) = (ObjectAct::Merge(document(&body)?), expected(&headers));
    let wanted = ObjectChange { kind, name, act, expected };
    let view = change((&state, &audit), who.tenant, who.to_string(), wanted).await?;
    Ok(view.map_or_else(|| StatusCode::NO_CONTENT.into_response(), |view| tagged(StatusCode::OK, view)))
}

async fn delete(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((word, name)): Path<(String, String)>,
    audit: Audit,
    headers: HeaderMap,
    query: Params,
) -> Result<Response, Problem> {
    let (kind, name) = (kind(&word, who.tenant)?, named(&name)?);
    let query = query.only(&["cascade"])?;
    let wanted = ObjectChange { kind, name, act: ObjectAct::Delete, expected: expected(&headers) };
    match query.text("cascade") {
        Some("true") => {}
        None | Some("false") => {
            if let Some(fault) = who_waits(&state, who.tenant, &wanted).await? {
                return Err(fault.into());
            }
        }
        Some(other) => return Err(Problem::field("cascade", format!("{other:?} is neither true nor false"))),
    }
    change((&state, &audit), who.tenant, who.to_string(), wanted).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Who would lose his place by a change, if it deletes a queue: a fault where nobody has said that he may.
pub(crate) async fn who_waits(
    state: &State,
    tenant: TenantId,
    change: &ObjectChange,
) -> Result<Option<ObjectFault>, Refusal> {
    if change.kind != ObjectKind::Queues || change.act != ObjectAct::Delete {
        return Ok(None);
    }
    let queues = state.switch.queues(tenant).await?;
    let found = queues.iter().find(|view| view.queue.name == change.name);
    let (waiting, kept) = found.map_or((0, 0), |view| (view.waiting.len(), view.callbacks));
    Ok((waiting > 0 || kept > 0).then_some(ObjectFault::SomebodyWaits(waiting, kept)))
}

/// A merge of documents (RFC 7396).
pub fn merged(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (key, value) in patch {
        match value {
            Value::Null => drop(into.remove(&key)),
            Value::Object(inner) => {
                let there = into.entry(key).or_insert_with(|| Value::Object(Map::new()));
                if !there.is_object() {
                    *there = Value::Object(Map::new());
                }
                if let Value::Object(there) = there {
                    merged(there, inner);
                }
            }
            value => drop(into.insert(key, value)),
        }
    }
}
