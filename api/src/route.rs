//! What would become of a call, and keys for a party.

use crate::asked::{Of, Said, Says};
use crate::key::Asking;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::state::State;
use crate::switch::Command;
use axum::Json;
use axum::extract::State as Use;
use cordboard_model::id::{LegId, TrunkId};
use cordboard_model::view::RouteView;
use schemars::JsonSchema;
use serde::Deserialize;

/// Longest number that is taken, bytes.
const NUMBER_MAX: usize = 64;
/// Most keys of one order: as many as may wait for a party.
const KEYS_MAX: usize = 64;

pub(crate) async fn explain(Use(state): Use<State>, Asking(who): Asking, query: Params) -> Answer<RouteView> {
    let query = query.only(&["from", "to", "trunk"])?;
    let number = |name: &str| match query.text(name) {
        Some(text) if (1..=NUMBER_MAX).contains(&text.len()) => Ok(text.to_owned()),
        _ => Err(Problem::field(name, "expected a number or name of at most 64 bytes")),
    };
    let (from, to) = (number("from")?, number("to")?);
    let trunk = query.text("trunk").map(|name| TrunkId::new(who.tenant, name)).transpose();
    let trunk = trunk.map_err(|why| Problem::not_found(why.to_string()))?;
    Ok(Json(state.switch.explain(who.tenant, trunk, from, to).await?))
}

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    keys: String,
}

impl Says for Keys {
    const FIELD: &'static str = "keys";
    const EXPECTED: &'static str = r#"expected {"keys": "12#"}: at most 64 of 0-9, *, # and A-D"#;
}

pub(crate) async fn keys(leg: Of<LegId>, Said(Keys { keys }): Said<Keys>) -> Answer<Done> {
    let is_key = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D');
    if !(1..=KEYS_MAX).contains(&keys.len()) || !keys.chars().all(is_key) {
        return Err(Problem::field("keys", Keys::EXPECTED));
    }
    leg.order(Command::Keys(leg.id, keys)).await
}
