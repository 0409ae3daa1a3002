//! Raw records of figures: legs, queue visits and stretches of agents' work, in pages for readers, and one after another for
//! reports.

use super::query::{limit_of, record};
use super::{Store, StoreError};
use cordboard_model::id::{CallId, FlowId, Name, TenantId};
use cordboard_model::record::{AgentInterval, CallRow, LegRow, VisitRow};
use cordboard_model::time::Wall;
use core::fmt;
use serde::de::DeserializeOwned;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row};

/// Records that a report reads at once.
const BATCH: u32 = 5_000;
/// Most records that one report is made of: some minutes of work, and a month of a large centre.
pub const REPORT_MAX: u64 = 5_000_000;

/// A place in a list that is sorted from the newest. Printed as `milliseconds.id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowCursor {
    /// When the last record of the page before began.
    pub started: Wall,
    /// Its row.
    pub row: String,
}

impl RowCursor {
    /// Reads what was printed.
    pub fn read(text: &str) -> Option<Self> {
        let (started, row) = text.split_once('.')?;
        Some(Self { started: Wall(started.parse().ok()?), row: row.to_owned() })
    }
}

impl fmt::Display for RowCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.started.0, self.row)
    }
}

/// Which records. Every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Begun at or after this time.
    pub from: Option<Wall>,
    /// Begun before this time.
    pub to: Option<Wall>,
    /// Of this call.
    pub call: Option<CallId>,
    /// Of this agent.
    pub agent: Option<Name>,
    /// Of this queue. There are no legs of a queue.
    pub queue: Option<Name>,
    /// At most so many, 1 to 1,000; 100 if none.
    pub limit: Option<u32>,
    /// What follows this place.
    pub before: Option<RowCursor>,
}

/// Records, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPage<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page begins, if there may be one.
    pub next: Option<RowCursor>,
}

fn place(row: &SqliteRow) -> Result<RowCursor, StoreError> {
    Ok(RowCursor { started: Wall(row.try_get(2)?), row: row.try_get(0)? })
}

/// The question for a page, with these words before it.
pub(super) fn page_query(
    before: &str,
    table: &'static str,
    tenant: TenantId,
    filter: &RowFilter,
) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new(before);
    let queue = filter.queue.as_ref().filter(|_| table != "leg");
    // left to itself the database reads all that a tenant has, for that is in the order of the page already
    let by = match (filter.call, &filter.agent, queue) {
        (Some(_), _, _) => "_by_call",
        (None, Some(_), _) => "_by_agent",
        (None, None, Some(_)) => "_by_queue",
        (None, None, None) => "_by_time",
    };
    sql.push("SELECT row_id, record, started FROM ").push(table).push(" INDEXED BY ").push(table).push(by);
    sql.push(" WHERE tenant = ").push_bind(tenant.to_string());
    if let Some(from) = filter.from {
        sql.push(" AND started >= ").push_bind(from.0);
    }
    if let Some(to) = filter.to {
        sql.push(" AND started < ").push_bind(to.0);
    }
    if let Some(call) = filter.call {
        sql.push(" AND call_id = ").push_bind(call.to_string());
    }
    if let Some(agent) = &filter.agent {
        sql.push(" AND agent = ").push_bind(agent.to_string());
    }
    if let Some(queue) = queue {
        sql.push(" AND queue = ").push_bind(queue.to_string());
    }
    if let Some(last) = &filter.before {
        sql.push(" AND (started, row_id) < (").push_bind(last.started.0);
        sql.push(", ").push_bind(last.row.clone()).push(")");
    }
    sql.push(" ORDER BY started DESC, row_id DESC LIMIT ").push_bind(limit_of(filter.limit));
    sql
}

impl Store {
    /// A tenant's legs, the newest first.
    pub async fn legs(&self, tenant: TenantId, filter: &RowFilter) -> Result<RowPage<LegRow>, StoreError> {
        self.page("leg", tenant, filter).await
    }

    /// A tenant's queue visits, the newest first.
    pub async fn visits(
        &self,
        tenant: TenantId,
        filter: &RowFilter,
    ) -> Result<RowPage<VisitRow>, StoreError> {
        self.page("queue_visit", tenant, filter).await
    }

    /// Stretches of work of a tenant's agents, the newest first.
    pub async fn intervals(
        &self,
        tenant: TenantId,
        filter: &RowFilter,
    ) -> Result<RowPage<AgentInterval>, StoreError> {
        self.page("agent_interval", tenant, filter).await
    }

    async fn page<T: DeserializeOwned>(
        &self,
        table: &'static str,
        tenant: TenantId,
        filter: &RowFilter,
    ) -> Result<RowPage<T>, StoreError> {
        let limit = limit_of(filter.limit);
        let mut sql = page_query("", table, tenant, filter);
        let rows = sql.build().fetch_all(self.settled(tenant).await?.db()).await?;
        let items = rows.iter().map(record).collect::<Result<Vec<T>, _>>()?;
        let full = rows.len() == limit as usize;
        let next = rows.last().filter(|_| full).map(place).transpose()?;
        Ok(RowPage { items, next })
    }

    /// Every queue visit that began within a time, in order. Says how many there were; more than [`REPORT_MAX`] are
    /// refused.
    pub async fn each_visit(
        &self,
        tenant: TenantId,
        within: (Wall, Wall),
        take: impl FnMut(VisitRow) + Send,
    ) -> Result<u64, StoreError> {
        self.each("queue_visit", tenant, within, take).await
    }

    /// Every leg that began within a time, in order.
    pub async fn each_leg(
        &self,
        tenant: TenantId,
        within: (Wall, Wall),
        take: impl FnMut(LegRow) + Send,
    ) -> Result<u64, StoreError> {
        self.each("leg", tenant, within, take).await
    }

    /// Every stretch of work that is partly within a time, and those that are for a visit which began within it.
    pub async fn each_interval(
        &self,
        tenant: TenantId,
        (from, to): (Wall, Wall),
        mut take: impl FnMut(AgentInterval) + Send,
    ) -> Result<u64, StoreError> {
        // Of each agent at most one began before and lasted into it: stretches of one agent do not overlap.
        let before = sqlx::query(
            "SELECT i.row_id, i.record FROM interval_agent a JOIN agent_interval i ON i.row_id = (
                 SELECT x.row_id FROM agent_interval x
                 WHERE x.tenant = a.tenant AND x.agent = a.agent AND x.started < ?1
                 ORDER BY x.started DESC, x.ended DESC LIMIT 1)
             WHERE a.tenant = ?2 AND i.ended > ?1",
        );
        let before =
            before.bind(from.0).bind(tenant.to_string()).fetch_all(self.settled(tenant).await?.db()).await?;
        let after = sqlx::query(
            "SELECT row_id, record FROM agent_interval
             WHERE tenant = ?1 AND visit >= ?2 AND visit < ?3 AND started >= ?3",
        );
        let after = after
            .bind(tenant.to_string())
            .bind(from.0)
            .bind(to.0)
            .fetch_all(self.settled(tenant).await?.db())
            .await?;
        for row in before.iter().chain(&after) {
            take(record(row)?);
        }
        let more = (before.len() + after.len()) as u64;
        Ok(more + self.each("agent_interval", tenant, (from, to), take).await?)
    }

    /// Every call that came within a time, in order.
    pub async fn each_call(
        &self,
        tenant: TenantId,
        (from, to): (Wall, Wall),
        mut take: impl FnMut(CallRow) + Send,
    ) -> Result<u64, StoreError> {
        let (mut after, mut count) = ((from.0, String::new()), 0);
        loop {
            let rows = sqlx::query(
                "SELECT call_id, json_extract(record, '$.flows'), started, answered IS NOT NULL FROM cdr
                 WHERE tenant = ? AND started >= ? AND started < ? AND (started, call_id) > (?, ?)
                 ORDER BY started, call_id LIMIT ?",
            );
            let rows = rows.bind(tenant.to_string()).bind(from.0).bind(to.0);
            let rows = rows
                .bind(after.0)
                .bind(&after.1)
                .bind(BATCH)
                .fetch_all(self.settled(tenant).await?.db())
                .await?;
            for row in &rows {
                let id: String = row.try_get(0)?;
                let unreadable = |why: String| StoreError::Unreadable { id: id.clone(), why };
                let call: CallId = id.parse().map_err(|_| unreadable("not the id of a call".into()))?;
                let flows: Vec<FlowId> = record(row)?;
                after = (row.try_get(2)?, id);
                take(CallRow { call, started: Wall(after.0), answered: row.try_get(3)?, flows });
            }
            count = enough(count, rows.len())?;
            if rows.len() < BATCH as usize {
                return Ok(count);
            }
        }
    }

    async fn each<T: DeserializeOwned>(
        &self,
        table: &'static str,
        tenant: TenantId,
        (from, to): (Wall, Wall),
        mut take: impl FnMut(T) + Send,
    ) -> Result<u64, StoreError> {
        let (mut after, mut count) = (RowCursor { started: from, row: String::new() }, 0);
        loop {
            let mut sql = QueryBuilder::<Sqlite>::new("SELECT row_id, record, started FROM ");
            sql.push(table).push(" WHERE tenant = ").push_bind(tenant.to_string());
            sql.push(" AND started >= ").push_bind(from.0).push(" AND started < ").push_bind(to.0);
            sql.push(" AND (started, row_id) > (").push_bind(after.started.0);
            sql.push(", ").push_bind(after.row).push(") ORDER BY started, row_id LIMIT ").push_bind(BATCH);
            let rows = sql.build().fetch_all(self.settled(tenant).await?.db()).await?;
            for row in &rows {
                take(record(row)?);
            }
            count = enough(count, rows.len())?;
            match rows.last() {
                Some(last) if rows.len() == BATCH as usize => after = place(last)?,
                _ => return Ok(count),
            }
        }
    }
}

fn enough(count: u64, more: usize) -> Result<u64, StoreError> {
    let count = count + more as u64;
    if count > REPORT_MAX { Err(StoreError::TooMany(REPORT_MAX)) } else { Ok(count) }
}
