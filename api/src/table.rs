//! The tables that flows look things up in: listed and searched; their rows read, put, removed.

use crate::asked::{Said, Says};
use crate::key::Asking;
use crate::list::listed;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Done, Page, limit, order};
use crate::state::State;
use crate::switch::{Command, Refusal, Row};
use crate::tag::{Meant, Turn, tagged, version};
use axum::Json;
use axum::extract::{Path, State as Use};
use axum::response::Response;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::lookup::{CELL_MAX, RowsPage, RowsWanted, TableView};
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

pub(crate) async fn tables(
    Use(state): Use<State>,
    Asking(who): Asking,
    query: Params,
) -> Answer<Page<TableView>> {
    listed(&query, state.switch.tables(who.tenant).await?, |view| view.table.to_string())
}

pub(crate) async fn rows(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(name): Path<String>,
    query: Params,
) -> Answer<RowsPage> {
    let query = query.only(&["find", "after", "limit"])?;
    let text = |name| query.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let (find, after) = (text("find"), text("after"));
    if find.as_ref().is_some_and(|find| find.len() > CELL_MAX) {
        return Err(Problem::field("find", format!("longer than {CELL_MAX} bytes")));
    }
    let wanted = RowsWanted { find, after, most: limit(&query)? as usize };
    Ok(Json(state.switch.rows(who.tenant, table(&name)?, wanted).await?))
}

pub(crate) async fn read(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((name, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let row = state.switch.row(who.tenant, table(&name)?, key).await?;
    Ok(tagged(&version(&row), row))
}

/// Changes a row, if it is the version that is meant.
async fn change(state: &State, tenant: TenantId, meant: &Meant, row: Row) -> Answer<Done> {
    let _turn = Turn::of(&state.turns.rows, meant).await;
    if meant.is_said() {
        let there = match state.switch.row(tenant, row.table.clone(), row.key.clone()).await {
            Ok(row) => Some(version(&row)),
            Err(Refusal::NotFound(_)) => None,
            Err(why) => return Err(why.into()),
        };
        meant.check(there.as_deref())?;
    }
    order(state, tenant, Command::Row(row)).await
}

pub(crate) async fn put(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((name, key)): Path<(String, String)>,
    meant: Meant,
    Said(Cells(cells)): Said<Cells>,
) -> Answer<Done> {
    let text = |cell| match cell {
        Cell::Text(text) => text,
        Cell::Yes(is) => is.to_string(),
        Cell::Number(number) => number.to_string(),
    };
    let cells = cells.into_iter().map(|(name, cell)| (name, text(cell))).collect();
    let row = Row { table: table(&name)?, key, cells: Some(cells), by: who.to_string() };
    change(&state, who.tenant, &meant, row).await
}

pub(crate) async fn remove(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path((name, key)): Path<(String, String)>,
    meant: Meant,
) -> Answer<Done> {
    let row = Row { table: table(&name)?, key, cells: None, by: who.to_string() };
    change(&state, who.tenant, &meant, row).await
}
