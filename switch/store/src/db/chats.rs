//! Records of chats that are over, with what was said.

use super::query::{Cursor, limit_of, record};
use super::writer::json;
use super::{Store, StoreError};
use cordboard_model::chat::ChatRecord;
use cordboard_model::id::{CallId, Name, TenantId};
use cordboard_model::time::Wall;
use sqlx::QueryBuilder;
use sqlx::sqlite::{Sqlite, SqliteConnection};

/// Which chats. Every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatFilter {
    /// Opened at or after this time.
    pub from: Option<Wall>,
    /// Opened before this time.
    pub to: Option<Wall>,
    /// This agent had it last.
    pub agent: Option<Name>,
    /// It came from this queue last.
    pub queue: Option<Name>,
    /// Of this customer, by the integrator's id.
    pub customer: Option<String>,
    /// At most so many, 1 to 1,000; 100 if none.
    pub limit: Option<u32>,
    /// What follows this place.
    pub before: Option<Cursor<CallId>>,
}

/// Chats, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatPage {
    /// The records.
    pub items: Vec<ChatRecord>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Cursor<CallId>>,
}

/// The newest version of a record stands.
pub(super) async fn put_chat(db: &mut SqliteConnection, chat: &ChatRecord) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO chat (chat_id, tenant, opened, closed, queue, agent, customer, version, record)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (chat_id) DO UPDATE SET version = excluded.version, record = excluded.record
         WHERE excluded.version > version",
    )
    .bind(chat.chat.to_string())
    .bind(chat.tenant().as_str().to_owned())
    .bind(chat.opened.0)
    .bind(chat.closed.unwrap_or(chat.opened).0)
    .bind(chat.queue.name.as_str().to_owned())
    .bind(chat.agent.as_ref().map(|agent| agent.name.as_str().to_owned()))
    .bind(&chat.customer.id)
    .bind(i64::from(chat.version))
    .bind(json(chat)?)
    .execute(&mut *db)
    .await?;
    Ok(())
}

/// The question for a page.
fn query(tenant: TenantId, filter: &ChatFilter) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT chat_id, record FROM chat WHERE tenant = ");
    sql.push_bind(tenant.to_string());
    if let Some(from) = filter.from {
        sql.push(" AND opened >= ").push_bind(from.0);
    }
    if let Some(to) = filter.to {
        sql.push(" AND opened < ").push_bind(to.0);
    }
    if let Some(agent) = &filter.agent {
        sql.push(" AND agent = ").push_bind(agent.to_string());
    }
    if let Some(queue) = &filter.queue {
        sql.push(" AND queue = ").push_bind(queue.to_string());
    }
    if let Some(customer) = &filter.customer {
        sql.push(" AND customer = ").push_bind(customer.clone());
    }
    if let Some(before) = &filter.before {
        sql.push(" AND (opened, chat_id) < (").push_bind(before.started.0);
        sql.push(", ").push_bind(before.id.to_string()).push(")");
    }
    sql.push(" ORDER BY opened DESC, chat_id DESC LIMIT ").push_bind(limit_of(filter.limit));
    sql
}

impl Store {
    /// A tenant's chats that are over, the newest first.
    pub async fn chats(&self, tenant: TenantId, filter: &ChatFilter) -> Result<ChatPage, StoreError> {
        let limit = limit_of(filter.limit);
        let mut sql = query(tenant, filter);
        let rows = sql.build().fetch_all(self.settled(tenant).await?.db()).await?;
        let items = rows.iter().map(record).collect::<Result<Vec<ChatRecord>, _>>()?;
        let more = items.len() == limit as usize;
        let next = items.last().filter(|_| more).map(|last| Cursor { started: last.opened, id: last.chat });
        Ok(ChatPage { items, next })
    }

    /// One of them; none if there is none, or if it is another tenant's.
    pub async fn chat(&self, tenant: TenantId, chat: CallId) -> Result<Option<ChatRecord>, StoreError> {
        let row = sqlx::query("SELECT chat_id, record FROM chat WHERE tenant = ? AND chat_id = ?")
            .bind(tenant.to_string())
            .bind(chat.to_string())
            .fetch_optional(self.settled(tenant).await?.db())
            .await?;
        row.as_ref().map(record).transpose()
    }
}
