//! The document of the API says what the routes are and what they answer.

use crate::tenants::record;
use crate::{KEY, Served, furnish, serve};
use cordboard_api::catalog::{Access, Op, catalog};
use cordboard_model::id::TenantId;
use serde_json::Value;
use std::collections::BTreeSet;

async fn document(served: &Served) -> Value {
    served.ask("GET", "/openapi.json", &[], "").await.ok()
}

fn operation<'a>(document: &'a Value, op: &Op) -> &'a Value {
    &document["paths"][&op.path][op.method.as_str().to_ascii_lowercase()]
}

#[tokio::test]
async fn every_route_of_the_catalogue_is_in_the_document_and_nothing_else_is() {
    let served = serve().await;
    let document = document(&served).await;
    let mut count = 0;
    for op in catalog() {
        let found = operation(&document, &op);
        assert_eq!(found["operationId"], op.id);
        assert_eq!(found["summary"], op.summary);
        let body = found.get("requestBody");
        assert_eq!(body.is_some(), op.contract.body.is_some(), "{}", op.id);
        if let Some(body) = body {
            let content = &body["content"]["application/json"];
            assert!(!content["example"].is_null(), "{}", op.id);
            let faults = faults(&document, &content["schema"], &content["example"], "");
            assert!(faults.is_empty(), "{}: {faults:?}", op.id);
        }
        for name in op.path_parameters().chain(op.contract.query.iter().copied()) {
            let known = found["parameters"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap();
            assert!(known["description"].as_str().is_some_and(|what| !what.is_empty()), "{}: {name}", op.id);
        }
        for status in found["responses"].as_object().unwrap().values() {
            assert!(status["description"].as_str().is_some_and(|what| !what.is_empty()), "{}", op.id);
        }
        count += 1;
    }
    let methods = document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len());
    assert_eq!(methods.sum::<usize>(), count);
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let served = serve().await;
    let document = document(&served).await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 40, "{found:?}");
    for reference in found {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
}

/// A key is asked for wherever the document says so, and nowhere else.
#[tokio::test]
async fn a_route_is_open_to_strangers_only_where_the_catalogue_says_so() {
    let served = serve().await;
    for op in catalog() {
        let path = op.path.replace(['{', '}'], "");
        let answer = served.ask(op.method.as_str(), &path, &[], "").await;
        let open = matches!(op.access, Access::Open | Access::Password);
        assert_eq!(
            answer.status == 401,
            // these two show their proof in the body, or in a cookie
            !open || ["signIn", "refreshThirdPartySession"].contains(&op.id),
            "{} {path}: {}",
            op.method,
            answer.text()
        );
    }
}

/// What the fake switch answers is what the document promises, field by field: one that the document does not name is a fault
/// here, so that a new field cannot be forgotten.
#[tokio::test]
async fn answers_are_as_the_document_says() {
    let served = serve().await;
    let floor = furnish(&served.switch, TenantId::DEFAULT);
    let recording = record(&served, &floor);
    let document = document(&served).await;
    let mut checked = 0;
    for op in catalog().iter().filter(|op| op.method == "GET") {
        let Some(path) = filled(&op.path, &floor, &recording.to_string()) else { continue };
        let query = if op.id == "explainRoute" { "?from=1001&to=1002" } else { "" };
        let answer = served.get(KEY, &format!("{path}{query}")).await;
        let said = &operation(&document, op)["responses"][answer.status.to_string()];
        assert!(!said.is_null(), "{} answers {}: {}", op.id, answer.status, answer.text());
        let kind = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
        let content = said["content"].as_object().and_then(|kinds| kinds.get(&kind));
        let content = content.unwrap_or_else(|| panic!("{} answers {kind:?}", op.id));
        if kind.ends_with("json") && op.id != "readApi" {
            let faults = faults(&document, &content["schema"], &answer.json(), "");
            assert!(faults.is_empty(), "{}: {faults:#?}", op.id);
            checked += u32::from(answer.status == 200);
        }
    }
    assert!(checked >= 20, "{checked}");
}

fn filled(path: &str, floor: &crate::Furnished, recording: &str) -> Option<String> {
    if path.contains("/events") {
        return None;
    }
    let call = if path.contains("/cdrs/") { floor.over } else { floor.talking }.to_string();
    let name = match path {
        path if path.contains("/config/") => "support",
        path if path.contains("/queues/") => "sales",
        _ => "1001",
    };
    let id = if path.contains("/recordings/") { recording } else { &call };
    let fill = [
        ("{id}", id),
        ("{name}", name),
        ("{by}", "queues"),
        ("{key}", "4930"),
        ("{version}", "1"),
        ("{kind}", "queues"),
    ];
    Some(fill.iter().fold(path.to_owned(), |path, (from, to)| path.replace(from, to)))
}

/// A program that is made of the document can send what a merge patch is, and nothing that could never be one.
#[tokio::test]
async fn the_body_of_a_merge_patch_is_described_by_kind() {
    let served = serve().await;
    let document = document(&served).await;
    let patch = catalog().into_iter().find(|op| op.id == "mergeObject").unwrap();
    let body = &operation(&document, &patch)["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["$ref"], "#/components/schemas/ObjectPatch");
    let kinds = document["components"]["schemas"]["ObjectPatch"]["anyOf"].as_array().unwrap();
    assert_eq!(kinds.len(), cordboard_api::objects::ObjectKind::ALL.len());
    let wrong = |kind: &str, text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        faults(&document, &document["components"]["schemas"][kind], &value, "")
    };
    for (kind, text) in [
        ("QueuesPatch", "{}"),
        (
            "QueuesPatch",
            r#"{"ring": "20s", "skill": {"english": null, "french": {"least": 2, "weight": null}}}"#,
        ),
        ("QueuesPatch", r#"{"skill": null, "record": null, "max_length": null}"#),
        ("NumbersPatch", r#"{"access_code": null}"#),
        ("NumbersPatch", r#"{"to": "queue:sales"}"#),
        ("AccountsPatch", r#"{"dtmf": null}"#),
    ] {
        assert_eq!(wrong(kind, text), Vec::<String>::new(), "{kind} {text}");
    }
    let changes = |text: &str| wrong("ObjectChanges", text);
    for text in [
        r#"{"changes": [{"do": "put", "kind": "numbers", "name": "501", "document": {"to": "queue:sales"}}]}"#,
        r#"{"whole": true, "changes": [{"do": "merge", "kind": "queues", "name": "sales", "version": "3", "document": {"ring": null}},
            {"do": "delete", "kind": "agents", "name": "1001"}]}"#,
    ] {
        assert_eq!(changes(text), Vec::<String>::new(), "{text}");
    }
    for text in [
        r#"{"changes": [{"do": "put", "kind": "number", "name": "501", "document": {"to": "queue:sales"}}]}"#,
        r#"{"changes": [{"do": "put", "kind": "numbers", "name": "501", "document": {"where": "queue:sales"}}]}"#,
    ] {
        assert_ne!(changes(text), Vec::<String>::new(), "{text}");
    }
    for (kind, text, at) in [
        ("QueuesPatch", r#"{"rings": "20s"}"#, "/rings"),
        ("QueuesPatch", r#"{"skill": {"french": {"least": "two"}}}"#, "/skill/french/least"),
        ("NumbersPatch", r#"{"to": null}"#, "/to"),
        ("AccountsPatch", r#"{"dtmf": "loud"}"#, "/dtmf"),
        ("CalendarsPatch", r#"{"holiday": [{"name": "May Day"}]}"#, "/holiday/0"),
    ] {
        let found = wrong(kind, text);
        assert!(found.len() == 1 && found[0].starts_with(at), "{kind} {text}: {found:?}");
    }
}

/// What of `value` is not as `schema` says: as much of JSON Schema as the document uses.
fn faults(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let found = document.pointer(reference.trim_start_matches('#')).unwrap();
        return faults(document, found, value, at);
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(ways) = schema[word].as_array() {
            let each = ways.iter().map(|way| faults(document, way, value, at));
            return each.min_by_key(Vec::len).unwrap_or_default();
        }
    }
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    let fits = match &schema["type"] {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().unwrap())),
        _ => true,
    };
    let among = schema["enum"].as_array().is_none_or(|words| words.contains(value));
    let same = schema.get("const").is_none_or(|only| only == value);
    if !(fits && among && same) {
        return vec![format!("{at}: {value} is not {schema}")];
    }
    let mut found = Vec::new();
    if let (Some(items), Some(each)) = (value.as_array(), schema.get("items")) {
        for (n, item) in items.iter().enumerate() {
            found.extend(faults(document, each, item, &format!("{at}/{n}")));
        }
    }
    if let Some(fields) = value.as_object() {
        found.extend(fields_of(document, schema, fields, at));
    }
    found
}

fn fields_of(
    document: &Value,
    schema: &Value,
    fields: &serde_json::Map<String, Value>,
    at: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    let others = schema.get("additionalProperties").filter(|others| **others != Value::Bool(false));
    for (name, value) in fields {
        let at = format!("{at}/{name}");
        match (schema["properties"].get(name), others) {
            (Some(schema), _) => found.extend(faults(document, schema, value, &at)),
            (None, Some(Value::Bool(true))) => {}
            (None, Some(schema)) => found.extend(faults(document, schema, value, &at)),
            (None, None) => found.push(format!("{at}: not in the document")),
        }
    }
    found
}
