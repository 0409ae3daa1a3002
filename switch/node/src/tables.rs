//! Tables as the control plane lists them: the shard has them.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::switch::Later;
use cordboard_api::table_switch::Tables;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::lookup::{RowsPage, RowsWanted, TableView};

impl Tables for NodeSwitch {
    fn tables(&self, tenant: TenantId) -> Later<Vec<TableView>> {
        self.later(move |shard| shard.tables(tenant))
    }

    fn rows(&self, tenant: TenantId, table: Name, wanted: RowsWanted) -> Later<RowsPage> {
        let what = format!("table {table}");
        let answer = self.later(move |shard| shard.rows(tenant, &table, &wanted));
        Box::pin(async move { answer.await?.ok_or_else(|| missing(what)) })
    }
}
