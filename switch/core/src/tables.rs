//! The tenants' tables as they are listed and searched: rows of their files with those that the API has put or removed.

use crate::shard::Shard;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::lookup::{RowView, RowsPage, RowsWanted, TableView};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// So many rows are looked at for one page: calls wait meanwhile.
const LOOKED_AT_MAX: usize = 1_000;
/// What the key is called in a table that has no file.
const KEY: &str = "key";

/// Keys behind this one, in order.
fn behind<'a, T>(
    rows: Option<&'a BTreeMap<String, T>>,
    after: Option<&'a str>,
) -> impl Iterator<Item = &'a String> {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    rows.into_iter().flat_map(move |rows| rows.range::<str, _>((from, Bound::Unbounded))).map(|(key, _)| key)
}

fn has(row: &[(String, String)], wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| row.iter().any(|(_, cell)| cell.to_lowercase().contains(wanted)))
}

impl Shard {
    /// The tables of a tenant by their names: those with a file, and those with rows of the API alone.
    pub fn tables(&self, tenant: TenantId) -> Vec<TableView> {
        let files = self.snapshot.tenant(tenant).map(|tenant| &tenant.kit.tables);
        let named = files.into_iter().flat_map(|files| files.keys());
        let names: BTreeSet<&Name> = named.chain(self.rows.tables_of(tenant)).collect();
        let view = |table: &Name| {
            let file = files.and_then(|files| files.get(table));
            TableView {
                table: table.clone(),
                columns: file.map_or_else(|| vec![KEY.to_owned()], |file| file.columns.clone()),
                in_file: file.map_or(0, |file| file.rows.len()),
                changed: self.rows.of(tenant, table).map_or(0, BTreeMap::len),
            }
        };
        names.into_iter().map(view).collect()
    }

    /// A page of the rows of a table; none if there is no such table.
    pub fn rows(&self, tenant: TenantId, table: &Name, wanted: &RowsWanted) -> Option<RowsPage> {
        let file = self.snapshot.tenant(tenant).and_then(|tenant| tenant.kit.tables.get(table));
        let changed = self.rows.of(tenant, table);
        if file.is_none() && changed.is_none() {
            return None;
        }
        let after = wanted.after.as_deref();
        let mut of_file = behind(file.map(|file| &file.rows), after).peekable();
        let mut of_api = behind(changed, after).peekable();
        let find = wanted.find.as_ref().map(|find| find.to_lowercase());
        let mut page = RowsPage::default();
        for _ in 0..LOOKED_AT_MAX {
            let Some(key) = of_file.peek().into_iter().chain(of_api.peek()).min().copied() else {
                page.next = None;
                return Some(page);
            };
            if page.items.len() >= wanted.most {
                return Some(page);
            }
            of_file.next_if_eq(&key);
            of_api.next_if_eq(&key);
            page.next = Some(key.clone());
            if let Some(row) = self.row(tenant, table, key).filter(|row| has(row, find.as_deref())) {
                page.items.push(RowView { key: key.clone(), cells: row.into_iter().collect() });
            }
        }
        Some(page)
    }
}
