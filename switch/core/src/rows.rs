//! Rows of the tenants' tables that the API has put or removed. They stand before those of the files.
//!
//! Invariant: what changes here is written to the journal, and taken back from it at the next start.

use crate::shard::Shard;
use cordboard_model::event::EventKind;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::journal::JournalRecord;
use cordboard_model::lookup::{CELL_MAX, COLUMNS_MAX, KEY_MAX};
use std::collections::BTreeMap;

/// Most rows that a tenant may have put or removed.
pub const CHANGED_ROWS_MAX: usize = 10_000;
/// Longest name of a column, bytes.
const COLUMN_MAX: usize = 64;
/// What the key is called in a table that has no file.
const KEY: &str = "key";

/// The cells behind a key, by the names of their columns.
pub type Cells = BTreeMap<String, String>;

/// Why a row is not put or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowRefused {
    /// There is no such row.
    NotFound,
    /// The tenant has [`CHANGED_ROWS_MAX`].
    Full,
    /// The key, a name or a cell is too long, or there are too many columns: which.
    TooLarge(&'static str),
}

/// See the module. A row without cells was removed.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    tables: BTreeMap<(TenantId, Name), BTreeMap<String, Option<Cells>>>,
}

impl Rows {
    fn get(&self, tenant: TenantId, table: &Name, key: &str) -> Option<&Option<Cells>> {
        self.tables.get(&(tenant, table.clone()))?.get(key)
    }

    /// Whether rows of this table were put or removed.
    pub(crate) fn has(&self, tenant: TenantId, table: &Name) -> bool {
        self.tables.contains_key(&(tenant, table.clone()))
    }

    fn len(&self, tenant: TenantId) -> usize {
        let own = self.tables.iter().filter(|((whose, _), _)| *whose == tenant);
        own.map(|(_, rows)| rows.len()).sum()
    }

    /// Puts a row, has it hidden (`Some(None)`), or forgets about it.
    #[expect(
        clippy::option_option,
        reason = "the outer says whether it stands here, the inner whether it was removed"
    )]
    pub(crate) fn set(&mut self, table: (TenantId, Name), key: String, row: Option<Option<Cells>>) {
        match row {
            Some(row) => {
                self.tables.entry(table).or_default().insert(key, row);
            }
            None => {
                let rows = self.tables.entry(table.clone()).or_default();
                rows.remove(&key);
                if rows.is_empty() {
                    self.tables.remove(&table);
                }
            }
        }
    }
}

impl Shard {
    /// The row of a key with the names of its columns, the key's first.
    pub fn row(&self, tenant: TenantId, table: &Name, key: &str) -> Option<Vec<(String, String)>> {
        let file = self.snapshot.tenant(tenant).and_then(|tenant| tenant.kit.tables.get(table));
        match self.rows.get(tenant, table, key) {
            None => file?.row(key),
            Some(None) => None,
            Some(Some(cells)) => {
                let name = file.and_then(|file| file.columns.first()).map_or(KEY, String::as_str);
                let own = (name.to_owned(), key.to_owned());
                let others = cells.iter().filter(|(column, _)| *column != name);
                Some(core::iter::once(own).chain(others.map(|(a, b)| (a.clone(), b.clone()))).collect())
            }
        }
    }

    /// Puts a row of a table, or removes it; `by` is who asks.
    ///
    /// # Errors
    /// See [`RowRefused`]; nothing is changed then.
    pub fn set_row(
        &mut self,
        (tenant, table): (TenantId, Name),
        key: String,
        cells: Option<Cells>,
        by: String,
    ) -> Result<(), RowRefused> {
        let file = self.snapshot.tenant(tenant).and_then(|tenant| tenant.kit.tables.get(&table));
        let hides = file.is_some_and(|file| file.rows.contains_key(&key));
        if let Some(cells) = &cells {
            fits(&key, cells)?;
        } else if self.row(tenant, &table, &key).is_none() {
            return Err(RowRefused::NotFound);
        }
        let removed = cells.is_none();
        let known = self.rows.get(tenant, &table, &key).is_some();
        if !known && (!removed || hides) && self.rows.len(tenant) >= CHANGED_ROWS_MAX {
            return Err(RowRefused::Full);
        }
        let row = (!removed || hides).then(|| cells.clone());
        self.rows.set((tenant, table.clone()), key.clone(), row);
        let record = JournalRecord::TableRow { tenant, table: table.clone(), key: key.clone(), cells, hides };
        self.journal(None, record);
        self.event(tenant, EventKind::TableChanged { table, key, removed, by });
        Ok(())
    }
}

fn fits(key: &str, cells: &Cells) -> Result<(), RowRefused> {
    let too_large = |what| Err(RowRefused::TooLarge(what));
    if key.is_empty() || key.len() > KEY_MAX {
        return too_large("key");
    }
    if cells.len() >= COLUMNS_MAX {
        return too_large("number of columns");
    }
    if cells.keys().any(|name| name.is_empty() || name.len() > COLUMN_MAX) {
        return too_large("name of a column");
    }
    if cells.values().any(|cell| cell.len() > CELL_MAX) {
        return too_large("cell");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_limits_and_an_empty_table_is_forgotten() {
        let cells = |name: &str, cell: &str| Cells::from([(name.to_owned(), cell.to_owned())]);
        assert_eq!(fits("k", &cells("name", "Ada")), Ok(()));
        assert_eq!(fits("", &cells("name", "Ada")), Err(RowRefused::TooLarge("key")));
        assert_eq!(fits(&"k".repeat(129), &Cells::new()), Err(RowRefused::TooLarge("key")));
        assert_eq!(fits("k", &cells("", "Ada")), Err(RowRefused::TooLarge("name of a column")));
        assert_eq!(fits("k", &cells("name", &"a".repeat(1_025))), Err(RowRefused::TooLarge("cell")));
        let many = (0..32).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(fits("k", &many), Err(RowRefused::TooLarge("number of columns")));
        let (mut rows, table) = (Rows::default(), (TenantId::DEFAULT, Name::new("vip").unwrap()));
        rows.set(table.clone(), "1".into(), Some(Some(cells("name", "Ada"))));
        rows.set(table.clone(), "2".into(), Some(None));
        assert_eq!((rows.len(table.0), rows.has(table.0, &table.1)), (2, true));
        assert_eq!(rows.get(table.0, &table.1, "2"), Some(&None));
        rows.set(table.clone(), "1".into(), None);
        rows.set(table.clone(), "2".into(), None);
        assert!(!rows.has(table.0, &table.1));
    }
}
