//! Number portability by table: a number that was taken to another carrier is called by the number that stands for it
//! there, a routing number for one.
//!
//! The table is the tenant's, filled by a CSV file or by the API. What is called afterwards is looked up once, not again
//! and again: a table that leads round in a circle leads nowhere.

use cordboard_model::leg::PartyId;
use cordboard_model::routes::is_dialable;
use cordboard_plugin_api::{Change, Notes, RouteContext, RouteRequest, RoutingPlugin, Verdict, shown};

/// The plugin `portability`.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortabilityPlugin;

impl RoutingPlugin for PortabilityPlugin {
    fn name(&self) -> &'static str {
        "portability"
    }

    fn route(&self, req: &RouteRequest, ctx: &dyn RouteContext, notes: &mut Notes) -> Verdict {
        let number = req.to.user.as_str();
        let Some(ported) = &ctx.tenant().routes.ported else {
            return Verdict::Pass { why: "there is no table of numbers".to_owned() };
        };
        let (table, column) = (&ported.table, &ported.column);
        let Some(row) = ctx.row(table, number) else {
            return Verdict::Pass { why: format!("{} is not in table {table}", shown(number)) };
        };
        let other = row.iter().find(|(name, _)| name == column).map(|(_, cell)| cell.trim());
        match other {
            Some(other) if other != number && is_dialable(other) => Verdict::Amend {
                why: format!("{number} was taken elsewhere: {other} is called (table {table})"),
                changes: vec![Change::To(PartyId {
                    user: other.to_owned(),
                    display: req.to.display.clone(),
                })],
                then: None,
            },
            Some(other) if other != number && !other.is_empty() => {
                notes.reject(
                    format_args!("table {table}"),
                    format_args!("{} cannot be dialled", shown(other)),
                );
                Verdict::Pass { why: format!("table {table} has no number in the row of {}", shown(number)) }
            }
            Some(_) => Verdict::Pass { why: format!("{} is where it was (table {table})", shown(number)) },
            None => Verdict::Pass { why: format!("table {table} has no column {column}") },
        }
    }
}

#[cfg(test)]
mod tests;
