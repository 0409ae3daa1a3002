//! Key-value tables that flows look things up in.

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
