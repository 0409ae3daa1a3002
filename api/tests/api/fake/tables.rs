//! Tables of the fake: those whose rows were put.

use super::{Fake, missing};
use cordboard_api::switch::Later;
use cordboard_api::table_switch::Tables;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::lookup::{RowView, RowsPage, RowsWanted, TableView};
use std::collections::BTreeMap;

impl Tables for Fake {
    fn tables(&self, tenant: TenantId) -> Later<Vec<TableView>> {
        self.answer(tenant, |floor| {
            let mut tables = BTreeMap::new();
            for (table, _) in floor.rows.keys() {
                *tables.entry(table.clone()).or_insert(0) += 1;
            }
            let view =
                |(table, changed)| TableView { table, columns: vec!["key".into()], in_file: 0, changed };
            Ok(tables.into_iter().map(view).collect())
        })
    }

    fn rows(&self, tenant: TenantId, table: Name, wanted: RowsWanted) -> Later<RowsPage> {
        self.answer(tenant, move |floor| {
            let rows: Vec<_> = floor.rows.iter().filter(|((name, _), _)| *name == table).collect();
            if rows.is_empty() {
                return Err(missing(&table));
            }
            let behind = |key: &String| wanted.after.as_ref().is_none_or(|after| key > after);
            let has = |cells: &BTreeMap<String, String>| {
                wanted.find.as_ref().is_none_or(|find| cells.values().any(|cell| cell.contains(find)))
            };
            let fit = rows.into_iter().filter(|((_, key), cells)| behind(key) && has(cells));
            let view = |((_, key), cells): (&(Name, String), &BTreeMap<String, String>)| RowView {
                key: key.clone(),
                cells: cells.clone(),
            };
            Ok(RowsPage { items: fit.take(wanted.most).map(view).collect(), next: None })
        })
    }
}
