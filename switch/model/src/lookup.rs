//! Key-value tables that flows look things up in.

use crate::id::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest key, bytes.
pub const KEY_MAX: usize = 128;
/// Longest cell, bytes.
pub const CELL_MAX: usize = 1_024;
/// Most columns, the key's included.
pub const COLUMNS_MAX: usize = 32;
/// Most rows of a table.
pub const ROWS_MAX: usize = 100_000;

/// A table: rows that are known by the first of their cells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupTable {
    /// The file, for messages.
    pub file: String,
    /// The names of the columns, the key's first.
    pub columns: Vec<String>,
    /// The cells behind the key, by key.
    pub rows: BTreeMap<String, Vec<String>>,
}

impl LookupTable {
    /// The cells of a key with the names of their columns, the key's first.
    pub fn row(&self, key: &str) -> Option<Vec<(String, String)>> {
        let (key, cells) = self.rows.get_key_value(key)?;
        let values = core::iter::once(key).chain(cells).cloned();
        Some(self.columns.iter().cloned().zip(values).collect())
    }
}

/// A table of a tenant, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TableView {
    /// Its name.
    pub table: Name,
    /// The names of its columns as its file has them, the key's first; `key` alone without a file.
    pub columns: Vec<String>,
    /// How many rows its file has.
    pub in_file: usize,
    /// How many were put or removed over the API; they stand before those of the file.
    pub changed: usize,
}

/// A row, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RowView {
    /// Its key.
    pub key: String,
    /// Its cells by the names of their columns, the key's included.
    pub cells: BTreeMap<String, String>,
}

/// Which rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsWanted {
    /// Those whose key or one of whose cells has this in it, small letters for capitals.
    pub find: Option<String>,
    /// Those behind this key.
    pub after: Option<String>,
    /// At most so many.
    pub most: usize,
}

/// A page of rows, by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize)]
pub struct RowsPage {
    /// The rows.
    pub items: Vec<RowView>,
    /// The key behind which the next page begins, if there may be one: also of a page without rows, for a search looks at so many
    /// rows at once and no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_its_cells_under_the_names_of_their_columns() {
        let mut table =
            LookupTable { columns: vec!["number".into(), "name".into()], ..LookupTable::default() };
        table.rows.insert("4930".into(), vec!["Ada".into()]);
        let row = vec![("number".to_owned(), "4930".to_owned()), ("name".to_owned(), "Ada".to_owned())];
        assert_eq!((table.row("4930"), table.row("49")), (Some(row), None));
    }
}
