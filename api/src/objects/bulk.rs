//! Many changes of what is configured in one request, with a row for each.
//!
//! Invariant: a row says of its change what the change alone would have been answered, and the rows stand in the order of the
//! changes.

use super::schemas::{AnyChange, KindWord};
use super::{Expected, ObjectAct, ObjectChange, ObjectView, kind, named, who_waits};
use crate::asked::{Said, Says};
use crate::audit::Audit;
use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::Answer;
use crate::state::State;
use axum::Json;
use axum::extract::State as Use;
use cordboard_model::id::TenantId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Most changes of one request.
const CHANGES_MAX: usize = 1_000;

pub(super) const EXAMPLE: &str =
    r#"{"whole": true, "changes": [{"do": "put", "kind": "agents", "name": "1001", "document": {}}]}"#;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Do {
    /// Makes it, or says anew how it is.
    Put,
    /// Changes some keys of it.
    Merge,
    /// Deletes it.
    Delete,
}

/// One change.
#[derive(Clone, Debug, JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ObjectChange")]
struct Change {
    r#do: Do,
    /// As in paths: `agents`.
    #[schemars(with = "KindWord")]
    kind: String,
    name: String,
    /// The version that is meant; `*` for whichever there is. Needed to change what is there.
    version: Option<String>,
    #[schemars(with = "Option<AnyChange>")]
    document: Option<Map<String, Value>>,
    /// A queue is deleted although somebody waits in it: he is sent away.
    #[serde(default)]
    cascade: bool,
}

/// All of them.
#[derive(Clone, Debug, JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ObjectChanges")]
pub(super) struct Changes {
    /// All are made or none; else those are made that can be.
    #[serde(default)]
    whole: bool,
    /// In this order, at most 1,000.
    #[schemars(length(max = 1000))]
    changes: Vec<Change>,
}

impl Says for Changes {
    const FIELD: &'static str = "changes";
    const EXPECTED: &'static str = r#"expected {"changes": [{"do": "put", "kind": "agents", "name": "1001", "document": {...}}]} and perhaps "whole": true; "do" is put, merge or delete"#;
}

/// What came of one.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ObjectChanged")]
struct Row {
    kind: String,
    name: String,
    ok: bool,
    /// The thing as it is now; none if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectView>,
    /// What the change alone would have been answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// All of it.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ObjectsChanged")]
pub(super) struct Changed {
    changed: usize,
    refused: usize,
    rows: Vec<Row>,
}

impl Change {
    fn read(self, tenant: TenantId) -> Result<ObjectChange, Problem> {
        let (kind, name) = (kind(&self.kind, tenant)?, named(&self.name)?);
        let expected = match self.version.as_deref() {
            None => Expected::Unsaid,
            Some("*") => Expected::Any,
            Some(version) => Expected::Version(vec![version.trim_matches('"').to_owned()]),
        };
        let act = match (self.r#do, self.document) {
            (Do::Put, Some(document)) => ObjectAct::Put(document),
            (Do::Merge, Some(document)) => ObjectAct::Merge(document),
            (Do::Delete, None) => ObjectAct::Delete,
            (Do::Delete, Some(_)) => return Err(Problem::field("document", "what is deleted has none")),
            (_, None) => return Err(Problem::field("document", "expected a JSON object")),
        };
        Ok(ObjectChange { kind, name, act, expected })
    }
}

pub(super) async fn change(
    Use(state): Use<State>,
    Asking(who): Asking,
    audit: Audit,
    Said(said): Said<Changes>,
) -> Answer<Changed> {
    if said.changes.len() > CHANGES_MAX {
        return Err(Problem::field("changes", format!("at most {CHANGES_MAX} of one request")));
    }
    let labels: Vec<_> =
        said.changes.iter().map(|change| (change.kind.clone(), change.name.clone())).collect();
    let mut read = Vec::with_capacity(said.changes.len());
    for change in said.changes {
        let cascade = change.cascade;
        read.push(match change.read(who.tenant) {
            Ok(wanted) if !cascade => match who_waits(&state, who.tenant, &wanted).await? {
                Some(fault) => Err(fault.into()),
                None => Ok(wanted),
            },
            read => read,
        });
    }
    let unread = read.iter().any(Result::is_err);
    let mut rows = Vec::with_capacity(read.len());
    let (mut wanted, mut answers) = (Vec::new(), Vec::with_capacity(read.len()));
    for change in read {
        answers.push(change.map(|change| wanted.push(change)).err());
    }
    let kinds: BTreeSet<_> = wanted.iter().map(|change| change.kind).collect();
    let mut before = BTreeMap::new();
    for kind in kinds {
        let all = state.switch.objects(who.tenant, kind).await?.into_iter();
        before.extend(all.map(|view| ((kind.as_str().to_owned(), view.name.clone()), view)));
    }
    let mut done = match said.whole && unread {
        true => wanted.iter().map(|_| Err(super::ObjectFault::WithOthers)).collect(),
        false => {
            let by = who.to_string();
            state.switch.change_objects(who.tenant, by, wanted, said.whole).await?
        }
    }
    .into_iter();
    for ((kind, name), unread) in labels.into_iter().zip(answers) {
        let outcome = match unread {
            Some(problem) => Err(problem),
            None => done.next().unwrap_or(Err(super::ObjectFault::WithOthers)).map_err(Problem::from),
        };
        rows.push(match outcome {
            Ok(object) => {
                let was = before.get(&(kind.clone(), name.clone()));
                audit.change(format!("{kind}/{name}"), was, object.as_ref());
                Row { kind, name, ok: true, object, problem: None }
            }
            Err(problem) => Row { kind, name, ok: false, object: None, problem: Some(problem) },
        });
    }
    let refused = rows.iter().filter(|row| !row.ok).count();
    Ok(Json(Changed { changed: rows.len() - refused, refused, rows }))
}
