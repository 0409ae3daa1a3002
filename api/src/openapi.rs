//! The OpenAPI document of the API, made of the catalogue.
//!
//! Invariant: what the catalogue declares is what stands here; nothing is written twice.

use crate::catalog::{Access, Op, V1, catalog};
use crate::contract::{Given, shape};
use crate::problem::Problem;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::access::Role;
use cordboard_model::service::Role as AgentRole;
use cordboard_model::view::AgentStatus;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Where schemas lie in the document.
const SCHEMAS: &str = "/components/schemas";

/// The document, made once.
pub fn document() -> &'static Value {
    static MADE: OnceLock<Value> = OnceLock::new();
    MADE.get_or_init(make)
}

/// `GET /openapi.json`.
pub(crate) async fn serve() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}

/// Schemas of what is taken and of what is given. A field with a default may be left out of the one and is always in the
/// other.
struct Schemas {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|s| s.definitions_path = SCHEMAS.into());
        Self {
            taken: settings().for_deserialize().into_generator(),
            given: settings().for_serialize().into_generator(),
        }
    }

    fn take(mut self) -> Map<String, Value> {
        let mut all = self.taken.take_definitions(true);
        all.extend(self.given.take_definitions(true));
        all
    }
}

fn make() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut tags: Vec<&'static str> = Vec::new();
    for op in catalog() {
        if !tags.contains(&op.tag) {
            tags.push(op.tag);
        }
        let method = op.method.as_str().to_ascii_lowercase();
        paths.entry(op.path.clone()).or_default().insert(method, operation(&op, &mut schemas));
    }
    let tags: Vec<Value> = tags.into_iter().map(|name| json!({ "name": name })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cordboard",
            "version": "1",
            "summary": "The control API of a contact-centre switch",
            "description": "Errors are problems (RFC 9457): `status`, `title` and `detail`, `field` where one field is at \
                fault, `errors` where several are, and `code` where programs may need to tell kinds apart. Fields that \
                this document does not name may come with later versions; ignore them.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.take(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, as `Authorization: Bearer KEY`."
                },
                "headerKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Api-Key",
                    "description": "The same key in a header of its own."
                },
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that an agent is given when he signs in with his password."
                },
                "chat": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of a chat, for its customer."
                },
                "person": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that a person is given who signs in at /api/v1/session."
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": crate::access::cookie::COOKIE,
                    "description": "The same session in a cookie; what changes something shows X-CSRF-Token, too."
                }
            }
        }
    })
}

fn operation(op: &Op, schemas: &mut Schemas) -> Value {
    let mut made = json!({
        "operationId": op.id,
        "tags": [op.tag],
        "summary": op.summary,
        "parameters": parameters(op),
        "responses": responses(op, schemas),
        "security": security(op.access),
    });
    if let (Some(said), Some(fields)) = (who(op.access), made.as_object_mut()) {
        fields.insert("description".into(), said.into());
    }
    if let (Some(body), Some(fields)) = (op.contract.body, made.as_object_mut()) {
        let schema = (body.shape)(&mut schemas.taken);
        let example: Value = serde_json::from_str(body.example).unwrap_or_default();
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        fields.insert("requestBody".into(), json!({ "required": body.needed, "content": content }));
    }
    made
}

fn who(access: Access) -> Option<String> {
    Some(match access {
        Access::Open => return None,
        Access::Visitor => "Needs the token of a chat, and is about that chat.".into(),
        Access::Person => "Needs the session of a person who is signed in.".into(),
        Access::Password => "With an agent's password in the body, or with a key or a session.".into(),
        Access::Key(scope) => format!("Needs a key with the scope `{scope}`."),
        Access::Desk(scope) => {
            format!(
                "Needs a key with the scope `{scope}`, the session of this agent, or that of a supervisor."
            )
        }
        Access::Oversee(scope) => {
            format!("Needs a key with the scope `{scope}`, or the session of a supervisor.")
        }
        Access::Operator(scope) => {
            format!("Needs a key of the operator's own tenant with the scope `{scope}`.")
        }
    })
}

fn security(access: Access) -> Value {
    let keys = |scope: &str| vec![json!({ "key": [scope] }), json!({ "headerKey": [scope] })];
    match access {
        Access::Open => json!([]),
        Access::Visitor => json!([{ "chat": [] }]),
        Access::Person => json!([{ "person": [] }, { "cookie": [] }]),
        Access::Password => json!([{}, { "key": [] }, { "headerKey": [] }, { "session": [] }]),
        Access::Key(scope) | Access::Operator(scope) => keys(scope).into(),
        Access::Desk(scope) | Access::Oversee(scope) => {
            let mut all = keys(scope);
            all.push(json!({ "session": [] }));
            all.into()
        }
    }
}

/// A parameter: what it is, its schema, one of it.
type Parameter = (String, Value, Value);

fn text(what: &str, example: &str) -> Parameter {
    (what.to_owned(), json!({ "type": "string", "minLength": 1 }), json!(example))
}

fn serial(what: &str) -> Parameter {
    let id = "^[a-z0-9-]{1,23}\\.[0-9a-f]{1,8}-[0-9]{1,3}-[0-9a-f]{1,16}$";
    (what.to_owned(), json!({ "type": "string", "pattern": id }), json!("default.6b000000-0-2a"))
}

fn word(what: &str, words: &[&str]) -> Parameter {
    (what.to_owned(), json!({ "type": "string", "enum": words }), json!(words.first()))
}

fn counted(what: &str) -> Parameter {
    (what.into(), json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }), json!(1))
}

fn moment(op: &Op) -> Parameter {
    match op.id {
        "readReport" => {
            text("A day (2026-03-29), a date with time and zone, or milliseconds since 1970.", "2026-03-29")
        }
        _ => (
            "A moment: milliseconds since 1970, UTC.".into(),
            json!({ "type": "integer", "format": "int64" }),
            json!(1_795_212_000_000_i64),
        ),
    }
}

/// What a parameter of a path is, by its name: a name means the same in every operation that has it, but for ids.
fn of_path(op: &Op, name: &str) -> Option<Parameter> {
    Some(match name {
        "id" if op.path.contains("/trace") => {
            text("The call, or the Call-ID of one of its legs.", "default.6b000000-0-2a")
        }
        "id" if op.path.contains("/callbacks/") => text("The entry of the list.", "1"),
        "id" if ["keys", "session", "sessions"].contains(&op.tag) => text("The id; no secret.", "k7f3q2mz5a"),
        "id" if op.path.contains("/dead-letters/") => text("The number of its first event.", "716"),
        "id" => serial("The id."),
        "kind" => word("What they are.", &crate::objects::ObjectKind::ALL.map(|kind| kind.as_str())),
        "leg" => serial("The leg."),
        "call" => serial("The call."),
        "recording" => serial("The recording."),
        "play" => serial("The playback."),
        "collect" => serial("The entry of keys."),
        "name" => text("The name, within the tenant of who asks.", "sales"),
        "campaign" => counted("The campaign's number."),
        "number" if op.tag == "campaigns" => counted("The number's own number."),
        "number" => text("The extension.", "1001"),
        "key" => text("The row's key.", "4930"),
        "source" => text("The address.", "192.0.2.7"),
        "version" => (
            "The number of the version.".into(),
            json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
            json!(1),
        ),
        "intent" => word("What he is to be.", &["ready", "not-ready", "rest", "sign-out"]),
        "order" => word("Out of service, or back in.", &["block", "unblock"]),
        "what" => word("What he does about it.", &["take", "give-back", "call", "done"]),
        "by" => word(
            "What the report has rows for.",
            &cordboard_model::figures::ReportBy::ALL.map(|by| by.as_str()),
        ),
        _ => return None,
    })
}

/// What a parameter means in a list of what there is now.
fn of_list(op: &Op, name: &str) -> Option<Parameter> {
    let yes = |what| word(what, &["true", "false"]);
    Some(match name {
        "status" => word("Those who are this now.", &AgentStatus::ALL.map(AgentStatus::as_str)),
        "stage" => text("Those that do this now, as `stage` of a call has it.", "queued"),
        "caller" => text("From this number or account alone, as `from.user` of a call has it.", "+493012345"),
        "called" => text("To this number alone, as `to.user` of a call has it.", "500"),
        "queue" if op.id == "listAgents" => text("Who serve this queue.", "sales"),
        "agent" if op.id == "listQueues" => text("Those that this agent serves.", "1001"),
        "waiting" => yes("Those in which somebody waits, or nobody."),
        "role" if op.id == "listUsers" => word("Who have this role.", &Role::ALL.map(Role::as_str)),
        "role" => word("Who are there for this.", &crate::live::ROLES.map(AgentRole::as_str)),
        "organisation" => text("Of this part of the house alone.", "north"),
        "user" if op.id == "listSessions" => text("Of this person alone.", "li"),
        "user" => text("Of this account alone.", "1001"),
        "blocked" => yes("Those that are out of service, or in it."),
        "disabled" => yes("Who may not sign in, or who may."),
        "state" => word("Those that open something, or nothing any more.", &["good", "over"]),
        "scope" => text("Those that open what needs this scope.", "calls:read"),
        "doing" => word("Those that do this now.", &["delivers", "retries", "disabled"]),
        "kept" => word("Those whose texts are kept there.", &["file", "api"]),
        "draft" => yes("Those with a draft, or without one."),
        "made" => word("Those that somebody made, or the guard.", &["by_hand", "by_guard"]),
        "after" if op.contract.whole => text("Where the last page ended: its `next`.", "1001"),
        _ => return None,
    })
}

/// The same of a query.
fn of_query(op: &Op, name: &str) -> Parameter {
    if let Some(known) = of_list(op, name) {
        return known;
    }
    match name {
        "name_after" => text("Those after this name.", "sales"),
        "kind" if op.id == "listQueues" => {
            word("Of this kind alone.", &crate::live::KINDS.map(cordboard_model::service::QueueKind::as_str))
        }
        "kind" if op.id == "listWebhooks" => {
            text("Those that are told of events of this kind, or of all.", "call_ended")
        }
        "kind" => text("Events of these kinds alone, with commas.", "call_started,call_ended"),
        "source" => text("From this address alone.", "192.0.2.7"),
        "origin" => word("Those that are kept so.", &["file", "store"]),
        "call" => serial("Of this call alone."),
        "who" => text("By him alone: `user NAME`, `key NAME` or `agent NAME`.", "user li"),
        "action" => text("Of this operation alone.", "createUser"),
        "resource" => text("About this alone.", "users/li"),
        "outcome" => word("With this outcome alone.", &["done", "refused", "failed"]),
        "interval" => word(
            "What the report is cut into.",
            &cordboard_model::figures::ReportStep::ALL.map(|step| step.as_str()),
        ),
        "from" | "to" if op.id == "explainRoute" => text("A number or name, at most 64 bytes.", "1001"),
        "from" | "to" => moment(op),
        "agent" => text("Of this agent alone.", "1001"),
        "tenant" => text("Whose agents sign in there; the tenant `default` if none is named.", "default"),
        "account" => text("The agent who is to sign in, if that is known.", "1001"),
        "queue" => text("Of this queue alone.", "sales"),
        "trunk" => text("By this trunk.", "carrier"),
        "label" => text("Those that were begun for this alone.", "complaint"),
        "flow" => text("The flow; the first one of the call if none is named.", "main"),
        "find" => text("Those that have this in their key or a cell; capitals are as small letters.", "ada"),
        "after" if op.id == "listRows" => text("Those behind this key: `next` of the last page.", "49301"),
        "after" if op.tag == "campaigns" => counted("Those behind this one: `next` of the last page."),
        "state" => word("Those that are so alone.", &["pending", "calling", "done"]),
        "before" | "after" => text("Where the last page ended: its `next`.", "default.6b000000-0-2a"),
        "since" if op.path.contains("/chat") => (
            "The number of the last message that was read.".into(),
            json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
            json!(0),
        ),
        "since" => text("The last event that was seen: START-SEQ.", "1795212000-42"),
        "customer" => text("Of this customer alone, by the id that the chat was opened with.", "c-17"),
        "over" => word("Those that are over instead.", &["false", "true"]),
        "wait" => word("Whether the answer waits until there is something.", &["false", "true"]),
        "cascade" => {
            word("Whether it goes although somebody waits in it: they are sent away.", &["false", "true"])
        }
        "limit" if op.contract.whole => (
            "Rows of a page; all there are, at most 10,000, if it is not said.".into(),
            json!({ "type": "integer", "minimum": 1, "maximum": 1_000 }),
            json!(100),
        ),
        "limit" => (
            "Rows of a page.".into(),
            json!({ "type": "integer", "minimum": 1, "maximum": 1_000, "default": 100 }),
            json!(100),
        ),
        "format" if op.id == "readReport" => word("JSON, or a table (RFC 4180).", &["json", "csv"]),
        "format" => word("JSON, or text for a terminal.", &["json", "text"]),
        "messages" | "wall" => word("Whether they are wanted too.", &["true", "false"]),
        _ => text("", ""),
    }
}

fn parameter(op: &Op, name: &str, place: &str) -> Value {
    let is_path = place == "path";
    let known = of_path(op, name).filter(|_| is_path);
    let (what, schema, example) = known.unwrap_or_else(|| of_query(op, name));
    let needed = is_path || op.id == "explainRoute" && name != "trunk";
    json!({ "name": name, "in": place, "required": needed, "description": what, "schema": schema, "example": example })
}

/// Whether it may be sent with a key that has it carried out once.
fn may_come_again(op: &Op) -> bool {
    op.method == Method::POST && op.path.starts_with(V1)
}

/// The headers that mean something to it.
fn headers(op: &Op) -> Vec<Value> {
    let mut all = Vec::new();
    let mut put = |name: &str, what: &str, example: &str| {
        let schema = json!({ "type": "string" });
        all.push(json!({ "name": name, "in": "header", "required": false, "description": what, "schema": schema, "example": example }));
    };
    if op.contract.refusals.contains(&412) {
        put("If-Match", "The version that is meant, as its ETag, or * for whichever there is.", "*");
    }
    if op.contract.refusals.contains(&304) {
        put("If-None-Match", "The version that is known already.", "\"7\"");
    }
    if may_come_again(op) {
        let what =
            "Has it carried out once: sent again with the same body within a day it is answered as it was.";
        put("Idempotency-Key", what, "6f1d8c1e");
    }
    all
}

fn parameters(op: &Op) -> Vec<Value> {
    let path = op.path_parameters().map(|name| parameter(op, name, "path"));
    let query = op.contract.query.iter().map(|name| parameter(op, name, "query"));
    path.chain(query).chain(headers(op)).collect()
}

/// The statuses that such an operation refuses with.
fn refusals(op: &Op) -> BTreeSet<u16> {
    let mut all: BTreeSet<u16> = op.contract.refusals.iter().copied().collect();
    if op.access != Access::Open {
        all.extend([401, 429, 500, 503]);
    }
    if op.access.scope().is_some() || matches!(op.access, Access::Person | Access::Password | Access::Visitor)
    {
        all.insert(403);
    }
    if op.path_parameters().next().is_some() {
        all.extend([400, 404]);
    }
    if !op.contract.query.is_empty() {
        all.insert(400);
    }
    if op.contract.body.is_some() {
        all.extend([400, 413]);
    }
    if op.changes {
        all.extend([404, 409, 422]);
    }
    if may_come_again(op) {
        all.extend([400, 409, 413, 422]);
    }
    all
}

fn responses(op: &Op, schemas: &mut Schemas) -> Map<String, Value> {
    let mut all = Map::new();
    let mut by_status: BTreeMap<u16, Vec<Given>> = BTreeMap::new();
    for given in &op.contract.answers {
        by_status.entry(given.status).or_default().push(*given);
    }
    for (status, given) in by_status {
        let mut content: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for given in given.iter().filter(|given| !given.media_type.is_empty()) {
            let schema = given.shape.map(|shape| shape(&mut schemas.given).to_value());
            let kind = content.entry(given.media_type).or_default();
            kind.push(schema.unwrap_or_else(|| plain(given.media_type)));
        }
        let one = |mut schemas: Vec<Value>| match schemas.len() {
            1 => json!({ "schema": schemas.pop() }),
            _ => json!({ "schema": { "anyOf": schemas } }),
        };
        let content: Map<String, Value> =
            content.into_iter().map(|(kind, schemas)| (kind.to_owned(), one(schemas))).collect();
        let mut answer = json!({ "description": meaning(status) });
        if let (false, Some(answer)) = (content.is_empty(), answer.as_object_mut()) {
            answer.insert("content".into(), content.into());
        }
        all.insert(status.to_string(), answer);
    }
    for status in refusals(op) {
        let problem = shape::<Problem>(&mut schemas.given);
        let content = json!({ "application/problem+json": { "schema": problem } });
        let refusal = json!({ "description": meaning(status), "content": content });
        all.entry(status.to_string()).or_insert(refusal);
    }
    all
}

/// What a body that is no JSON looks like.
fn plain(media_type: &str) -> Value {
    match media_type.starts_with("text/") || media_type == "application/toml" {
        true => json!({ "type": "string" }),
        false => json!({ "type": "string", "format": "binary" }),
    }
}

fn meaning(status: u16) -> &'static str {
    match status {
        101 => "The events follow, by WebSocket.",
        200 => "Done.",
        201 => "It was made.",
        204 => "Done; there is nothing to say.",
        206 => "The part that was asked for.",
        304 => "It is as it was.",
        400 => "A parameter or a field of the body is not valid; `field` names it.",
        401 => "No valid key or session.",
        403 => "The key or the session does not open this.",
        404 => "There is no such thing in this tenant.",
        406 => "It comes in another form alone, which is to be asked for with Accept.",
        409 => "Not possible in the present state.",
        412 => "It has been changed since it was read.",
        413 => "The body is too long.",
        416 => "The recording does not have these bytes.",
        422 => "The request is understood and wrong; `errors` says why.",
        426 => "This is a WebSocket.",
        428 => "Say with If-Match which version is to be changed.",
        429 => "Too much; come back after Retry-After seconds.",
        500 => "A fault of ours.",
        502 => "Another's server did not answer as it should.",
        503 => "The switch is busy or stopping; come back after Retry-After seconds.",
        504 => "Another's server did not answer in time.",
        424 => "Not made, for another change was refused.",
        _ => "",
    }
}
