//! The schemas of documents of the control plane are what the readers ask for.

use super::super::forms::{Maker, Shipped};
use super::super::objects::{OfFile, SECRETS, Shape, is_of_the_machine, of_files, shape};
use super::*;
use cordboard_api::objects::ObjectKind;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Where `api` has them.
const FILE: &str = "../../api/src/objects/schemas.json";

/// `tenant.*.queue.*.ring` of `tenant.default.queue.sales.ring`.
fn pattern(path: &str) -> String {
    let mut made = String::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let part = if has_names(&made) { "*" } else { part };
        made = if made.is_empty() { part.to_owned() } else { format!("{made}.{part}") };
    }
    made
}

/// Of every kind, as the readers of the shipped file with all its examples ask for it.
fn made() -> Map<String, Value> {
    let (_scratch, path) = with_examples();
    let report = Report::default();
    let given = Given { stored: None, texts: None, may_leave_out: &|_| true };
    read(&report, &path, &checks(), (given, &BTreeMap::new()));
    let text = fs::read_to_string(manifest("../../config/cordboard.toml")).unwrap();
    let shipped = Shipped::read(&text, pattern);
    let forms = report.forms.borrow();
    let maker = Maker {
        forms: &forms,
        shipped: &shipped,
        hidden: &is_of_the_machine,
        secret: &|key| SECRETS.contains(&key),
    };
    let things: BTreeSet<&str> = ObjectKind::ALL
        .into_iter()
        .filter_map(|kind| match shape(kind) {
            Shape::Named(word) | Shape::Listed(word) => Some(word),
            Shape::Tenant => None,
        })
        .collect();
    let none = BTreeSet::new();
    let schema = |kind| match shape(kind) {
        Shape::Tenant => maker.table("tenant.*", &things),
        Shape::Named(word) => maker.table(&format!("tenant.*.{word}.*"), &none),
        Shape::Listed(word) => maker.table(&format!("tenant.*.{word}"), &none),
    };
    ObjectKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), schema(kind))).collect()
}

#[test]
fn the_schemas_of_the_control_plane_are_what_the_readers_ask_for() {
    let text = serde_json::to_string_pretty(&Value::Object(made())).unwrap() + "\n";
    let path = manifest(FILE);
    if std::env::var_os("WRITE_EXPECTED").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{FILE} is not what the readers say; WRITE_EXPECTED=1 writes it");
}

#[test]
fn a_schema_has_ranges_words_defaults_and_what_the_shipped_file_says() {
    let all = made();
    let field = |kind: &str, key: &str| all[kind]["properties"][key].clone();
    let ring = field("queues", "ring");
    assert_eq!((&ring["type"], &ring["default"]), (&"string".into(), &"30s".into()), "{ring}");
    assert_eq!(ring["x-range"], "a duration from \"100ms\" to \"10m\"");
    assert!(ring["description"].as_str().unwrap().starts_with("How long an agent's device rings"));
    let strategy = field("queues", "strategy");
    assert_eq!(
        (strategy["enum"].as_array().unwrap().len(), &strategy["default"]),
        (6, &"longest_idle".into())
    );
    let calls = field("trunks", "max_calls");
    assert_eq!((&calls["minimum"], &calls["maximum"]), (&1.into(), &100_000.into()), "{calls}");
    assert_eq!(field("queues", "skill")["additionalProperties"]["properties"]["weight"]["type"], "integer");
    assert_eq!(field("accounts", "password")["writeOnly"], true);
    assert!(field("flows", "file").is_null(), "files of the machine are not for the API");
}

/// What the shipped file configures is what a schema knows.
#[test]
fn every_document_of_the_shipped_file_has_fields_that_its_schema_knows() {
    let all = made();
    let report = Report::default();
    let text = uncommented();
    let source = report.add("cordboard.toml".into(), text.clone());
    let document = Document { source, entries: tree::parse(&text).0 };
    let mut seen = BTreeSet::new();
    for (key, OfFile { document, .. }) in of_files(&report, &[&document]) {
        seen.insert(key.kind);
        let known = all[key.kind.as_str()]["properties"].as_object().unwrap();
        let unknown: Vec<_> = document
            .keys()
            .filter(|field| !known.contains_key(*field) && !is_of_the_machine(field))
            .collect();
        assert!(unknown.is_empty(), "{} {}: {unknown:?}", key.kind.as_str(), key.name);
    }
    assert_eq!(seen.len(), ObjectKind::ALL.len(), "an example of every kind");
}
