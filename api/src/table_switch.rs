//! What the control plane asks the switch about the tables that flows look things up in.

use crate::switch::Later;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::lookup::{RowsPage, RowsWanted, TableView};

/// Tables, listed and searched.
pub trait Tables: Send + Sync + 'static {
    /// Those of a tenant, by their names.
    fn tables(&self, tenant: TenantId) -> Later<Vec<TableView>>;
    /// A page of the rows of one.
    fn rows(&self, tenant: TenantId, table: Name, wanted: RowsWanted) -> Later<RowsPage>;
}
