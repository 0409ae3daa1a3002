//! What documents of each kind look like, for OpenAPI. The file of schemas is made by the readers of the configuration
//! themselves (`switch/node/src/config/forms.rs`), whose test fails when it differs.

use super::ObjectKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::sync::OnceLock;

/// Of every kind, by its word in paths.
fn all() -> &'static Map<String, Value> {
    static ALL: OnceLock<Map<String, Value>> = OnceLock::new();
    ALL.get_or_init(|| serde_json::from_str(include_str!("schemas.json")).unwrap_or_default())
}

/// `SkillGroupsDocument` of `skill-groups`.
pub(crate) fn name_of(kind: ObjectKind) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    let words: String = kind.as_str().split('-').filter_map(capital).collect();
    format!("{words}Document")
}

/// `SkillGroupsPatch` of `skill-groups`.
fn patch_name_of(kind: ObjectKind) -> String {
    name_of(kind).trim_end_matches("Document").to_owned() + "Patch"
}

/// Has the schemas of all kinds among the definitions, each by its name, and gives references to them.
fn define(
    generator: &mut SchemaGenerator,
    what: &str,
    name: fn(ObjectKind) -> String,
    of: fn(&Value) -> Value,
) -> Vec<Schema> {
    let mut kinds = Vec::new();
    for kind in ObjectKind::ALL {
        let Some(mut schema) = all().get(kind.as_str()).map(of) else { continue };
        if let Some(entries) = schema.as_object_mut() {
            entries.insert("title".to_owned(), format!("{what} of /api/v1/config/{}", kind.as_str()).into());
        }
        let name = name(kind);
        kinds.push(json_schema!({ "$ref": format!("#/components/schemas/{name}") }));
        generator.definitions_mut().insert(name, schema);
    }
    kinds
}

/// A document of any kind: which it is, the path says.
pub(super) struct AnyDocument;

impl JsonSchema for AnyDocument {
    fn schema_name() -> Cow<'static, str> {
        "ObjectDocument".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = define(generator, "A document", name_of, Value::clone);
        json_schema!({
            "description": "A document of the kind that the path names.",
            "anyOf": kinds,
        })
    }
}

/// Keys of a document of any kind that are to change.
pub(super) struct AnyPatch;

impl JsonSchema for AnyPatch {
    fn schema_name() -> Cow<'static, str> {
        "ObjectPatch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = define(generator, "A merge patch for a document", patch_name_of, patch_of);
        json_schema!({
            "description": "What changes in a document of the kind that the path names (RFC 7396): keys that are left out stay \
                as they are, null takes one away, tables are merged and lists replaced. What comes of it has to be a whole \
                document.",
            "anyOf": kinds,
        })
    }
}

/// A document of any kind, or a merge patch for one: which of both, and of which kind, the change says.
pub(super) struct AnyChange;

impl JsonSchema for AnyChange {
    fn schema_name() -> Cow<'static, str> {
        "ObjectChangeDocument".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut kinds = define(generator, "A document", name_of, Value::clone);
        kinds.extend(define(generator, "A merge patch for a document", patch_name_of, patch_of));
        json_schema!({
            "description": "To put, a whole document of the kind; to merge, what changes in one.",
            "anyOf": kinds,
        })
    }
}

/// The word of a kind in paths.
pub(super) struct KindWord;

impl JsonSchema for KindWord {
    fn schema_name() -> Cow<'static, str> {
        "ObjectKindWord".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ObjectKind::ALL.map(ObjectKind::as_str) })
    }
}

/// What a merge patch for such a value looks like. No key is needed and none has a default, for what is left out stays. A key
/// that the document must have cannot be taken away. Lists are replaced, so their items are as in a document.
fn patch_of(schema: &Value) -> Value {
    let Some(entries) = schema.as_object() else { return schema.clone() };
    let needed: Vec<&str> = entries
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut made = Map::new();
    for (word, value) in entries {
        let value = match (word.as_str(), value) {
            ("required" | "default", _) => continue,
            ("properties", Value::Object(keys)) => {
                let each = keys.iter().map(|(key, schema)| match needed.contains(&key.as_str()) {
                    true => (key.clone(), patch_of(schema)),
                    false => (key.clone(), or_null(patch_of(schema))),
                });
                Value::Object(each.collect())
            }
            ("additionalProperties", Value::Object(_)) => or_null(patch_of(value)),
            ("anyOf", Value::Array(ways)) => ways.iter().map(patch_of).collect(),
            _ => value.clone(),
        };
        made.insert(word.clone(), value);
    }
    made.into()
}

/// The same, or null.
fn or_null(mut schema: Value) -> Value {
    let Some(entries) = schema.as_object_mut() else { return schema };
    if let Some(kinds) = entries.get_mut("type") {
        match kinds {
            Value::Array(kinds) => kinds.push("null".into()),
            kind => *kind = Value::Array(vec![kind.take(), "null".into()]),
        }
    }
    if let Some(Value::Array(words)) = entries.get_mut("enum") {
        words.push(Value::Null);
    }
    if let Some(Value::Array(ways)) = entries.get_mut("anyOf") {
        ways.push(json!({ "type": "null" }));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_with_fields() {
        assert_eq!(all().len(), ObjectKind::ALL.len());
        for kind in ObjectKind::ALL {
            let fields = all()[kind.as_str()]["properties"].as_object().unwrap();
            assert!(!fields.is_empty(), "{}", kind.as_str());
        }
        assert_eq!(name_of(ObjectKind::SkillGroups), "SkillGroupsDocument");
        assert_eq!(patch_name_of(ObjectKind::SkillGroups), "SkillGroupsPatch");
    }

    fn takes_null(schema: &Value) -> bool {
        let has_null = |word: &str| schema[word].as_array().is_some_and(|all| all.contains(&"null".into()));
        let way = schema["anyOf"].as_array().is_some_and(|ways| ways.contains(&json!({ "type": "null" })));
        let words = schema["enum"].as_array().is_none_or(|words| words.contains(&Value::Null));
        (has_null("type") || way) && words
    }

    /// Whether `patch` is to `document` what a merge patch is to it; counts the keys that were looked at.
    fn compare(at: &str, document: &Value, patch: &Value, seen: &mut usize) {
        assert!(patch.get("required").is_none() && patch.get("default").is_none(), "{at}");
        let needed = document["required"].as_array().cloned().unwrap_or_default();
        for (key, inner) in document["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{key}");
            let changed = &patch["properties"][key];
            assert_eq!(takes_null(changed), !needed.contains(&key.as_str().into()), "{at}: {changed}");
            compare(&at, inner, changed, seen);
            *seen += 1;
        }
        if document["additionalProperties"].is_object() {
            let (inner, changed) = (&document["additionalProperties"], &patch["additionalProperties"]);
            assert!(takes_null(changed), "{at}/*: {changed}");
            compare(&format!("{at}/*"), inner, changed, seen);
        } else {
            assert_eq!(patch["additionalProperties"], document["additionalProperties"], "{at}");
        }
        assert_eq!(patch["items"], document["items"], "{at}: a list is replaced");
    }

    #[test]
    fn a_merge_patch_needs_no_key_and_takes_away_all_but_those_that_a_document_needs() {
        let mut seen = 0;
        for kind in ObjectKind::ALL {
            let document = &all()[kind.as_str()];
            compare(kind.as_str(), document, &patch_of(document), &mut seen);
        }
        assert!(seen > 250, "{seen}");
    }
}
