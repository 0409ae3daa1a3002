//! Numbers the events of each tenant without gaps, from one or from where the last start left off.

use cordboard_model::event::{Event, EventKind};
use cordboard_model::id::TenantId;
use cordboard_model::time::Wall;
use std::collections::BTreeMap;

/// The last number of each tenant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbering {
    last: BTreeMap<TenantId, u64>,
}

impl Numbering {
    /// The next event of `tenant`.
    pub(crate) fn next(&mut self, tenant: TenantId, at: Wall, what: EventKind) -> Event {
        let last = self.last.entry(tenant).or_insert(0);
        *last += 1;
        Event { tenant, seq: *last, at, what }
    }

    /// Goes on from a number of an earlier start.
    pub(crate) fn go_on(&mut self, tenant: TenantId, last: u64) {
        let known = self.last.entry(tenant).or_insert(0);
        *known = last.max(*known);
    }

    /// The number of the last event of `tenant`; zero before the first.
    pub(crate) fn last(&self, tenant: TenantId) -> u64 {
        self.last.get(&tenant).copied().unwrap_or(0)
    }
}
