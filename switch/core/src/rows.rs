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
/// Most bytes of them together: they are in memory, and in what the journal keeps.
pub const CHANGED_BYTES_MAX: usize = 8 << 20;
/// Most bytes of one: it goes to the journal beside the records of calls.
const ROW_MAX: usize = 4_096;
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
    /// The tenant has [`CHANGED_ROWS_MAX`], or [`CHANGED_BYTES_MAX`].
    Full,
    /// The key, a name or a cell is too long, or there are too many columns: which.
    TooLarge(&'static str),
}

/// See the module. A row without cells was removed.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    tables: BTreeMap<(TenantId, Name), BTreeMap<String, Option<Cells>>>,
    /// Rows and bytes of each tenant.
    sizes: BTreeMap<TenantId, (usize, usize)>,
}

/// What a row takes, bytes.
fn heft(key: &str, row: Option<&Cells>) -> usize {
    let cells = row.into_iter().flatten();
    key.len() + cells.map(|(name, cell)| name.len() + cell.len()).sum::<usize>()
}

impl Rows {
    fn get(&self, tenant: TenantId, table: &Name, key: &str) -> Option<&Option<Cells>> {
        self.tables.get(&(tenant, table.clone()))?.get(key)
    }

    /// The tables of a tenant of which rows were put or removed.
    pub(crate) fn tables_of(&self, tenant: TenantId) -> impl Iterator<Item = &Name> {
        self.tables.keys().filter(move |(whose, _)| *whose == tenant).map(|(_, name)| name)
    }

    /// What was put and removed of a table.
    pub(crate) fn of(&self, tenant: TenantId, table: &Name) -> Option<&BTreeMap<String, Option<Cells>>> {
        self.tables.get(&(tenant, table.clone()))
    }

    /// Whether rows of this table were put or removed.
    pub(crate) fn has(&self, tenant: TenantId, table: &Name) -> bool {
        self.tables.contains_key(&(tenant, table.clone()))
    }

    /// How many rows a tenant has here, and how many bytes they are.
    fn size(&self, tenant: TenantId) -> (usize, usize) {
        self.sizes.get(&tenant).copied().unwrap_or_default()
    }

    /// Puts a row, has it hidden (`Some(None)`), or forgets about it.
    #[expect(
        clippy::option_option,
        reason = "the outer says whether it stands here, the inner whether it was removed"
    )]
    pub(crate) fn set(&mut self, table: (TenantId, Name), key: String, row: Option<Option<Cells>>) {
        let size = self.sizes.entry(table.0).or_default();
        let rows = self.tables.entry(table.clone()).or_default();
        let new = row.as_ref().map(|row| heft(&key, row.as_ref()));
        let old = match row {
            Some(row) => rows.insert(key.clone(), row),
            None => rows.remove(&key),
        };
        if let Some(old) = old {
            *size = (size.0.saturating_sub(1), size.1.saturating_sub(heft(&key, old.as_ref())));
        }
        if let Some(new) = new {
            *size = (size.0 + 1, size.1 + new);
        }
        if rows.is_empty() {
            self.tables.remove(&table);
        }
        if *size == (0, 0) {
            self.sizes.remove(&table.0);
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
        let (rows, bytes) = self.rows.size(tenant);
        let grows = heft(&key, cells.as_ref());
        if !known && (!removed || hides) && rows >= CHANGED_ROWS_MAX {
            return Err(RowRefused::Full);
        }
        if !removed && bytes + grows > CHANGED_BYTES_MAX {
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
    if heft(key, Some(cells)) > ROW_MAX {
        return too_large("row");
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
        assert_eq!((rows.size(table.0), rows.has(table.0, &table.1)), ((2, 9), true));
        rows.set(table.clone(), "1".into(), Some(Some(cells("name", "Bo"))));
        assert_eq!(rows.size(table.0), (2, 8));
        assert_eq!(rows.get(table.0, &table.1, "2"), Some(&None));
        rows.set(table.clone(), "1".into(), None);
        rows.set(table.clone(), "2".into(), None);
        assert!(!rows.has(table.0, &table.1));
        assert_eq!(rows.size(table.0), (0, 0));
        let large = (0..5).map(|n| (n.to_string(), "a".repeat(1_000))).collect();
        assert_eq!(fits("k", &large), Err(RowRefused::TooLarge("row")));
    }
}
