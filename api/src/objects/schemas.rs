//! What documents of each kind look like, for OpenAPI. The file of schemas is made by the readers of the configuration
//! themselves (`switch/node/src/config/forms.rs`), whose test fails when it differs.

use super::ObjectKind;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};
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

/// A document of any kind: which it is, the path says.
pub(super) struct AnyDocument;

impl JsonSchema for AnyDocument {
    fn schema_name() -> Cow<'static, str> {
        "ObjectDocument".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut kinds = Vec::new();
        for kind in ObjectKind::ALL {
            let Some(mut schema) = all().get(kind.as_str()).cloned() else { continue };
            if let Some(entries) = schema.as_object_mut() {
                let title = format!("A document of /api/v1/config/{}", kind.as_str());
                entries.insert("title".to_owned(), title.into());
            }
            let name = name_of(kind);
            generator.definitions_mut().insert(name.clone(), schema);
            kinds.push(json_schema!({ "$ref": format!("#/components/schemas/{name}") }));
        }
        json_schema!({
            "description": "A document of the kind that the path names.",
            "anyOf": kinds,
        })
    }
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
    }
}
