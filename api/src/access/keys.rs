//! Keys that are made over the API. A key is shown once, in the answer that it is made in.

use super::{hash, id, may_give, secret};
use crate::asked::{Said, Says};
use crate::audit::Audit;
use crate::catalog::{Routes, catalog, key};
use crate::key::Asking;
use crate::list::{Came, listed, word};
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Page, page};
use crate::state::State;
use crate::tag::{Meant, Turn, tagged, version};
use axum::Json;
use axum::extract::{Path, State as Use};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cordboard_model::access::{AccessWrite, KEY_NAME_MAX, KEY_PREFIX, KeyRecord, Scopes};
use cordboard_model::desk::PERSON;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Routes {
    Routes::v1()
        .get(
            "/keys",
            list,
            key("listKeys", "keys:read", "The keys of the tenant that were made over the API")
                .filters(&["state", "scope", "after", "limit"])
                .gives::<Page<KeyView>>(),
        )
        .post(
            "/keys",
            make,
            key("createKey", "keys:write", "Makes a key, which is shown in the answer alone")
                .takes::<NewKey>(r#"{"name": "wallboard", "scopes": ["calls:read", "queues:read"]}"#)
                .gives_as::<MadeKey>(201)
                .refuses(&[409]),
        )
        .get(
            "/keys/{id}",
            read,
            key("readKey", "keys:read", "A key: what it opens, until when, when it was used")
                .gives::<KeyView>(),
        )
        .delete(
            "/keys/{id}",
            revoke,
            key("revokeKey", "keys:write", "Has a key open nothing any more, at once")
                .gives::<KeyView>()
                .refuses(&[412]),
        )
        .get(
            "/scopes",
            scopes,
            key("listScopes", "keys:read", "Every scope, with the operations that need it")
                .gives::<Page<ScopeView>>(),
        )
}

/// A key as people see it.
#[derive(Clone, JsonSchema, Serialize)]
pub(crate) struct KeyView {
    id: Name,
    name: String,
    scopes: Scopes,
    made: Wall,
    by: String,
    expires: Option<Wall>,
    revoked: Option<Wall>,
    used: Option<Wall>,
}

impl From<&KeyRecord> for KeyView {
    fn from(key: &KeyRecord) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            scopes: key.scopes.clone(),
            made: key.made,
            by: key.by.clone(),
            expires: key.expires,
            revoked: key.revoked,
            used: key.used,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    name: String,
    scopes: Vec<String>,
    #[serde(default)]
    expires: Option<i64>,
}

impl Says for NewKey {
    const FIELD: &'static str = "name";
    const EXPECTED: &'static str = r#"expected {"name": "wallboard", "scopes": ["calls:read"]} and perhaps "expires", milliseconds since 1970"#;
}

/// A key that was made.
#[derive(JsonSchema, Serialize)]
struct MadeKey {
    #[serde(flatten)]
    view: KeyView,
    /// Shown here and nowhere else.
    key: String,
}

/// Scopes that open something.
pub(crate) fn known_scopes(scopes: &Scopes) -> Result<(), Problem> {
    let ops = catalog();
    let opens = |scope: &str| {
        let one = Scopes::new([scope]).unwrap_or_default();
        ops.iter().filter_map(|op| op.access.scope()).any(|needed| one.cover(needed))
    };
    match scopes.iter().find(|scope| !opens(scope)) {
        Some(scope) => {
            let detail = format!("{scope:?} opens nothing; GET /api/v1/scopes lists what there is");
            Err(Problem::field("scopes", detail))
        }
        None => Ok(()),
    }
}

async fn make(
    Use(state): Use<State>,
    Asking(who): Asking,
    audit: Audit,
    Said(new): Said<NewKey>,
) -> Result<Response, Problem> {
    let switch = &*state.switch;
    let now = switch.moment();
    let NewKey { name, scopes, expires } = new;
    let plain = |c: char| !c.is_control();
    if name.starts_with(PERSON) {
        return Err(Problem::field("name", "records would have it as a person: it may not begin so"));
    }
    if name.trim().is_empty() || name.len() > KEY_NAME_MAX || !name.chars().all(plain) {
        return Err(Problem::field("name", format!("1 to {KEY_NAME_MAX} bytes, no control characters")));
    }
    let scopes = Scopes::new(scopes).map_err(|why| Problem::field("scopes", why.to_string()))?;
    if scopes.is_empty() {
        return Err(Problem::field("scopes", "at least one; GET /api/v1/scopes lists what there is"));
    }
    known_scopes(&scopes)?;
    may_give(&who, &scopes)?;
    if expires.is_some_and(|at| at <= now.0) {
        return Err(Problem::field("expires", "a time that is still to come, milliseconds since 1970"));
    }
    let held = state.doors.with(switch, |known| known.keys(who.tenant)).await?;
    if held.iter().filter(|key| key.is_good(now)).count() >= super::known::KEYS_MAX {
        return Err(Problem::new(StatusCode::CONFLICT, "too many keys", "revoke some first"));
    }
    let text = secret(switch, KEY_PREFIX)?;
    let key = KeyRecord {
        tenant: who.tenant,
        id: id(switch)?,
        name,
        hash: hash(&text),
        scopes,
        made: now,
        by: who.to_string(),
        expires: expires.map(Wall),
        revoked: None,
        used: None,
    };
    switch.keep(vec![AccessWrite::Key(Box::new(key.clone()))]).await?;
    let view = KeyView::from(&key);
    audit.change(format!("keys/{}", key.id), None::<&KeyView>, Some(&view));
    state.doors.with(switch, |known| known.put_key(key)).await?;
    Ok((StatusCode::CREATED, Json(MadeKey { view, key: text })).into_response())
}

async fn list(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<Page<KeyView>> {
    let good = word(&query, "state", &[true, false], |good| if good { "good" } else { "over" })?;
    let (scope, now) = (query.text("scope"), state.switch.moment());
    let mut keys = state.doors.with(&*state.switch, |known| known.keys(who.tenant)).await?;
    keys.retain(|key| {
        good.is_none_or(|good| key.is_good(now) == good) && scope.is_none_or(|scope| key.scopes.cover(scope))
    });
    listed(&query, keys.iter().map(KeyView::from).collect(), |view| Came(view.made, view.id.clone()))
}

async fn key_of(state: &State, tenant: TenantId, id: &str) -> Result<KeyRecord, Problem> {
    let keys = state.doors.with(&*state.switch, |known| known.keys(tenant)).await?;
    keys.into_iter()
        .find(|key| key.id.as_str() == id)
        .ok_or_else(|| Problem::not_found("the tenant has no key of this id"))
}

/// The version of a key: when it was used is not of it.
fn version_of(key: &KeyRecord) -> String {
    version(&(&key.name, &key.scopes, key.expires, key.revoked))
}

async fn read(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let key = key_of(&state, who.tenant, &id).await?;
    Ok(tagged(&version_of(&key), KeyView::from(&key)))
}

async fn revoke(
    Use(state): Use<State>,
    Asking(who): Asking,
    audit: Audit,
    Path(id): Path<String>,
    meant: Meant,
) -> Answer<KeyView> {
    let switch = &*state.switch;
    let _turn = Turn::of(&state.turns.keys, &meant).await;
    let before = key_of(&state, who.tenant, &id).await?;
    meant.check(Some(&version_of(&before)))?;
    let revoked = before.revoked.or(Some(switch.moment()));
    let key = KeyRecord { revoked, ..before.clone() };
    // it opens nothing from here on, whatever becomes of the store
    state.doors.with(switch, |known| known.put_key(key.clone())).await?;
    switch.keep(vec![AccessWrite::Key(Box::new(key.clone()))]).await?;
    let view = KeyView::from(&key);
    audit.change(format!("keys/{id}"), Some(&KeyView::from(&before)), Some(&view));
    Ok(Json(view))
}

/// A scope, and what it opens.
#[derive(JsonSchema, Serialize)]
struct ScopeView {
    scope: &'static str,
    /// Whether who asks has it.
    held: bool,
    operations: Vec<&'static str>,
}

async fn scopes(Asking(who): Asking) -> Answer<Page<ScopeView>> {
    let ops = catalog();
    let names: std::collections::BTreeSet<_> = ops.iter().filter_map(|op| op.access.scope()).collect();
    let view = |scope: &'static str| ScopeView {
        scope,
        held: who.scopes.cover(scope),
        operations: ops.iter().filter(|op| op.access.scope() == Some(scope)).map(|op| op.id).collect(),
    };
    Ok(page(names.into_iter().map(view).collect()))
}
