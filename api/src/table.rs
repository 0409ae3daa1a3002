//! Rows of the tables that flows look things up in: read, put, removed.

use crate::asked::{Said, Says};
use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::{Answer, Done, order};
use crate::state::State;
use crate::switch::{Command, Row};
use axum::Json;
use axum::extract::{Path, State as Use};
use cordboard_model::id::Name;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a cell may be written as; it is kept as a text.
#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
enum Cell {
    Text(String),
    Yes(bool),
    Number(serde_json::Number),
}

/// The cells behind the key by the names of their columns.
#[derive(JsonSchema, Deserialize)]
#[serde(transparent)]
pub(crate) struct Cells(BTreeMap<String, Cell>);

impl Says for Cells {
    const FIELD: &'static str = "name";
    const EXPECTED: &'static str =
        r#"expected the cells by the names of their columns: {"name": "Ada", "queue": "sales"}"#;
}

fn table(name: &str) -> Result<Name, Problem> {
    Name::new(name).map_err(|why| Problem::not_found(format!("table {name:?}: {why}")))
}

pub(crate) async fn read(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((name, key)): Path<(String, String)>,
) -> Answer<BTreeMap<String, String>> {
    Ok(Json(state.switch.row(who.tenant, table(&name)?, key).await?))
}

pub(crate) async fn put(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((name, key)): Path<(String, String)>,
    Said(Cells(cells)): Said<Cells>,
) -> Answer<Done> {
    let text = |cell| match cell {
        Cell::Text(text) => text,
        Cell::Yes(is) => is.to_string(),
        Cell::Number(number) => number.to_string(),
    };
    let cells = cells.into_iter().map(|(name, cell)| (name, text(cell))).collect();
    let row = Row { table: table(&name)?, key, cells: Some(cells), by: who.to_string() };
    order(&state, who.tenant, Command::Row(row)).await
}

pub(crate) async fn remove(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((name, key)): Path<(String, String)>,
) -> Answer<Done> {
    let row = Row { table: table(&name)?, key, cells: None, by: who.to_string() };
    order(&state, who.tenant, Command::Row(row)).await
}
