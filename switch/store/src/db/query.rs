//! Questions. Each takes a tenant: there is no way to ask without one.

use super::{Store, StoreError};
use cordboard_model::cdr::{Cdr, RecordingEntry};
use cordboard_model::id::{CallId, IdError, Name, RecordingId, TenantId};
use cordboard_model::time::Wall;
use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row};

/// How long somebody waits for a record to be written before he is told that there is none.
const SOON: Duration = Duration::from_secs(1);

/// Records of one answer when nothing is said.
pub const PAGE: u32 = 100;
/// Most records of one answer.
pub const PAGE_MAX: u32 = 1_000;

/// A place in a list that is sorted from the newest: what follows began before it. Printed as
/// `milliseconds.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<Id> {
    /// When the last record of the page before began.
    pub started: Wall,
    /// Its id.
    pub id: Id,
}

impl<Id: fmt::Display> fmt::Display for Cursor<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.started.0, self.id)
    }
}

impl<Id: FromStr<Err = IdError>> FromStr for Cursor<Id> {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let (started, id) = text.split_once('.').ok_or(IdError::Shape)?;
        Ok(Cursor { started: Wall(started.parse().map_err(|_| IdError::Shape)?), id: id.parse()? })
    }
}

/// Which call records. Every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CdrFilter {
    /// Begun at or after this time.
    pub from: Option<Wall>,
    /// Begun before this time.
    pub to: Option<Wall>,
    /// This agent talked last.
    pub agent: Option<Name>,
    /// The call waited in this queue.
    pub queue: Option<Name>,
    /// At most so many, 1 to 1,000; 100 if none.
    pub limit: Option<u32>,
    /// What follows this place: [`CdrPage::next`] of the page before.
    pub before: Option<Cursor<CallId>>,
}

/// Call records, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdrPage {
    /// The records.
    pub items: Vec<Cdr>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Cursor<CallId>>,
}

/// Which recordings. Every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    /// Begun at or after this time.
    pub from: Option<Wall>,
    /// Begun before this time.
    pub to: Option<Wall>,
    /// Of this call.
    pub call: Option<CallId>,
    /// Begun for this, as [`RecordingEntry::label`] has it.
    pub label: Option<String>,
    /// At most so many, 1 to 1,000; 100 if none.
    pub limit: Option<u32>,
    /// What follows this place: [`RecordingPage::next`] of the page before.
    pub before: Option<Cursor<RecordingId>>,
}

/// Recordings, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingPage {
    /// The recordings.
    pub items: Vec<RecordingEntry>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Cursor<RecordingId>>,
}

pub(super) fn limit_of(limit: Option<u32>) -> u32 {
    limit.unwrap_or(PAGE).clamp(1, PAGE_MAX)
}

/// Reads a row of `id, record`.
pub(super) fn record<T: serde::de::DeserializeOwned>(row: &SqliteRow) -> Result<T, StoreError> {
    let json: &str = row.try_get(1)?;
    serde_json::from_str(json)
        .map_err(|e| StoreError::Unreadable { id: row.try_get(0).unwrap_or_default(), why: e.to_string() })
}

/// Adds the conditions that both lists have and the order, for a table called `t`.
fn span<Id: fmt::Display>(
    sql: &mut QueryBuilder<Sqlite>,
    id_column: &'static str,
    (from, to): (Option<Wall>, Option<Wall>),
    before: Option<&Cursor<Id>>,
    limit: u32,
) {
    if let Some(from) = from {
        sql.push(" AND t.started >= ").push_bind(from.0);
    }
    if let Some(to) = to {
        sql.push(" AND t.started < ").push_bind(to.0);
    }
    if let Some(before) = before {
        sql.push(" AND (t.started, t.").push(id_column);
        sql.push(") < (").push_bind(before.started.0);
        sql.push(", ").push_bind(before.id.to_string()).push(")");
    }
    sql.push(" ORDER BY t.started DESC, t.").push(id_column);
    sql.push(" DESC LIMIT ").push_bind(limit);
}

/// The question for a page of call records, with these words before it.
pub(super) fn cdrs_query(words: &str, tenant: TenantId, filter: &CdrFilter) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(words);
    sql.push(match filter.queue {
        None => "SELECT t.call_id, t.record FROM cdr t WHERE t.tenant = ",
        Some(_) => {
            "SELECT t.call_id, c.record FROM cdr_queue t
             JOIN cdr c ON c.call_id = t.call_id WHERE t.tenant = "
        }
    });
    sql.push_bind(tenant.to_string());
    if let Some(queue) = &filter.queue {
        sql.push(" AND t.queue = ").push_bind(queue.to_string());
    }
    if let Some(agent) = &filter.agent {
        let column = match filter.queue {
            None => " AND t.agent = ",
            Some(_) => " AND c.agent = ",
        };
        sql.push(column).push_bind(agent.to_string());
    }
    let times = (filter.from, filter.to);
    span(&mut sql, "call_id", times, filter.before.as_ref(), limit_of(filter.limit));
    sql
}

/// The question for a page of recordings, with these words before it.
pub(super) fn recordings_query(
    words: &str,
    tenant: TenantId,
    filter: &RecordingFilter,
) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(words);
    sql.push("SELECT t.recording_id, t.record FROM recording t ");
    // else all that the tenant has is read, for that is in the order of the page already
    sql.push(if filter.call.is_some() { "INDEXED BY recording_by_call " } else { "" });
    sql.push("WHERE t.tenant = ");
    sql.push_bind(tenant.to_string());
    if let Some(call) = &filter.call {
        sql.push(" AND t.call_id = ").push_bind(call.to_string());
    }
    if let Some(label) = &filter.label {
        sql.push(" AND json_extract(t.record, '$.label') = ").push_bind(label.clone());
    }
    let times = (filter.from, filter.to);
    span(&mut sql, "recording_id", times, filter.before.as_ref(), limit_of(filter.limit));
    sql
}

impl Store {
    /// A tenant's call records, the newest first.
    pub async fn cdrs(&self, tenant: TenantId, filter: &CdrFilter) -> Result<CdrPage, StoreError> {
        let limit = limit_of(filter.limit);
        let mut sql = cdrs_query("", tenant, filter);
        let rows = sql.build().fetch_all(self.settled(tenant).await?.db()).await?;
        let items = rows.iter().map(record).collect::<Result<Vec<Cdr>, _>>()?;
        let more = items.len() == limit as usize;
        let next = items.last().filter(|_| more).map(|last| Cursor { started: last.started, id: last.call });
        Ok(CdrPage { items, next })
    }

    /// One call's record; none if there is none, or if the call is another tenant's.
    pub async fn cdr(&self, tenant: TenantId, call: CallId) -> Result<Option<Cdr>, StoreError> {
        let row = sqlx::query("SELECT call_id, record FROM cdr WHERE tenant = ? AND call_id = ?")
            .bind(tenant.to_string())
            .bind(call.to_string())
            .fetch_optional(self.settled(tenant).await?.db())
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The same, of a call that may have ended just now: a record that waits for others, to be written with them, waits no longer.
    pub async fn cdr_now(&self, tenant: TenantId, call: CallId) -> Result<Option<Cdr>, StoreError> {
        match self.cdr(tenant, call).await? {
            None => {
                // a database that is down has it later
                let _ = tokio::time::timeout(SOON, self.flush()).await;
                self.cdr(tenant, call).await
            }
            found => Ok(found),
        }
    }

    /// A tenant's recordings, the newest first.
    pub async fn recordings(
        &self,
        tenant: TenantId,
        filter: &RecordingFilter,
    ) -> Result<RecordingPage, StoreError> {
        let limit = limit_of(filter.limit);
        let mut sql = recordings_query("", tenant, filter);
        let rows = sql.build().fetch_all(self.settled(tenant).await?.db()).await?;
        let items = rows.iter().map(record);
        let items = items.collect::<Result<Vec<RecordingEntry>, _>>()?;
        let more = items.len() == limit as usize;
        let next =
            items.last().filter(|_| more).map(|last| Cursor { started: last.started, id: last.recording });
        Ok(RecordingPage { items, next })
    }

    /// One recording; none if there is none, or if it is another tenant's.
    pub async fn recording(
        &self,
        tenant: TenantId,
        recording: RecordingId,
    ) -> Result<Option<RecordingEntry>, StoreError> {
        let select = "SELECT recording_id, record FROM recording
                      WHERE tenant = ? AND recording_id = ?";
        let row = sqlx::query(select)
            .bind(tenant.to_string())
            .bind(recording.to_string())
            .fetch_optional(self.settled(tenant).await?.db())
            .await?;
        row.as_ref().map(record).transpose()
    }
}
