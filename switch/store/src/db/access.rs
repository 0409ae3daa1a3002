//! Keys, people who administrate, their sessions, and the audit log.
//!
//! Invariant: a write is answered only when its transaction is committed and synced; several writes that are given together
//! are committed together. The audit log is only added to, and cut at its old end.
//!
//! Deliberately without a tenant is one question alone, [`Store::kept`]: whose a key is, is not known before it is looked up.

use super::query::{limit_of, record};
use super::writer::{Asked, Write};
use super::{Store, StoreError};
use cordboard_model::access::{AccessWrite, AuditEntry, AuditFilter, Kept, UserRecord};
use cordboard_model::campaign::CampaignWrite;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::once::{OnceAnswer, OnceMark};
use cordboard_model::time::Wall;
use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Row, Sqlite};
use tokio::sync::oneshot;

/// What somebody waits for.
#[derive(Debug)]
pub(crate) enum What {
    /// Changes, with their entries of the log.
    Kept(Vec<AccessWrite>, Vec<AuditEntry>),
    /// The log of a tenant is cut at this time.
    Cut(TenantId, Wall),
    /// What is kept of campaigns.
    Campaigns(Vec<CampaignWrite>),
}

pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|why| sqlx::Error::Encode(Box::new(why)))
}

/// Carries it out within the transaction of a batch.
pub(crate) async fn put(db: &mut SqliteConnection, what: &What) -> Result<(), sqlx::Error> {
    match what {
        What::Kept(writes, entries) => {
            for write in writes {
                keep(db, write).await?;
            }
            for entry in entries {
                add(db, entry).await?;
            }
            Ok(())
        }
        What::Cut(tenant, before) => cut(db, *tenant, *before).await,
        What::Campaigns(writes) => super::campaigns::put(db, writes).await,
    }
}

/// Notes what opens once. What would not be taken any more is forgotten, a few at a time.
async fn once(db: &mut SqliteConnection, shown: &OnceMark) -> Result<(), sqlx::Error> {
    let old =
        "DELETE FROM once WHERE mark IN (SELECT mark FROM once WHERE until <= ? ORDER BY until LIMIT 64)";
    sqlx::query(old).bind(shown.at.0).execute(&mut *db).await?;
    // a second one is a fault of its key, as a second person of one name is
    let sql = "INSERT INTO once VALUES (?, ?)";
    sqlx::query(sql).bind(shown.mark.as_slice()).bind(shown.until.0).execute(db).await.map(|_| ())
}

/// Notes how something that was shown once was answered. The first answer stands; what is too old is forgotten, a few at a time.
async fn answer(db: &mut SqliteConnection, given: &OnceAnswer) -> Result<(), sqlx::Error> {
    let old =
        "DELETE FROM answer WHERE mark IN (SELECT mark FROM answer WHERE until <= ? ORDER BY until LIMIT 64)";
    sqlx::query(old).bind(given.at.0).execute(&mut *db).await?;
    sqlx::query("INSERT INTO answer VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(given.mark.as_slice())
        .bind(given.until.0)
        .bind(given.request.as_slice())
        .bind(&given.answer)
        .execute(db)
        .await
        .map(|_| ())
}

async fn keep(db: &mut SqliteConnection, write: &AccessWrite) -> Result<(), sqlx::Error> {
    let (sql, tenant, name, record) = match write {
        AccessWrite::Once(shown) => return once(db, shown).await,
        AccessWrite::OnceAnswer(given) => return answer(db, given).await,
        AccessWrite::NotOnce(mark) => {
            let gone = sqlx::query("DELETE FROM once WHERE mark = ?").bind(mark.as_slice());
            return gone.execute(db).await.map(|_| ());
        }
        AccessWrite::Page(session) => (
            "INSERT INTO page_session VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record",
            session.agent.tenant,
            &session.id,
            Some(json(session)?),
        ),
        AccessWrite::NoPage(tenant, id) => {
            ("DELETE FROM page_session WHERE tenant = ? AND id = ?", *tenant, id, None)
        }
        AccessWrite::Key(key) => (
            "INSERT INTO access_key VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record",
            key.tenant,
            &key.id,
            Some(json(key)?),
        ),
        AccessWrite::User(user) => (
            "INSERT INTO access_user VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record",
            user.tenant,
            &user.name,
            Some(json(user)?),
        ),
        AccessWrite::NewUser(user) => {
            ("INSERT INTO access_user VALUES (?, ?, ?)", user.tenant, &user.name, Some(json(user)?))
        }
        AccessWrite::NoUser(tenant, name) => {
            ("DELETE FROM access_user WHERE tenant = ? AND name = ?", *tenant, name, None)
        }
        AccessWrite::Session(session) => (
            "INSERT INTO access_session VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record",
            session.tenant,
            &session.id,
            Some(json(session)?),
        ),
        AccessWrite::NoSession(tenant, id) => {
            ("DELETE FROM access_session WHERE tenant = ? AND id = ?", *tenant, id, None)
        }
    };
    let query = sqlx::query(sql).bind(tenant.to_string()).bind(name.to_string());
    let query = match record {
        Some(record) => query.bind(record),
        None => query,
    };
    query.execute(db).await.map(|_| ())
}

async fn add(db: &mut SqliteConnection, entry: &AuditEntry) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit (tenant, at, who, source, action, resource, outcome, record)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(entry.tenant.to_string())
    .bind(entry.at.0)
    .bind(&entry.who)
    .bind(&entry.from)
    .bind(&entry.action)
    .bind(&entry.resource)
    .bind(entry.outcome.as_str())
    .bind(json(entry)?)
    .execute(db)
    .await
    .map(|_| ())
}

async fn cut(db: &mut SqliteConnection, tenant: TenantId, before: Wall) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit_cut VALUES (?, ?) ON CONFLICT DO UPDATE SET before = max(before, excluded.before)",
    )
    .bind(tenant.to_string())
    .bind(before.0)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM audit WHERE tenant = ? AND at < ?")
        .bind(tenant.to_string())
        .bind(before.0)
        .execute(db)
        .await
        .map(|_| ())
}

/// The question for a page of the log.
pub(super) fn audit_query(words: &str, tenant: TenantId, filter: &AuditFilter) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new(words);
    // left to itself the database may sort all that a tenant has
    let by = match (&filter.who, &filter.action, &filter.resource) {
        (Some(_), _, _) => "audit_by_who",
        (None, Some(_), _) => "audit_by_action",
        (None, None, Some(_)) => "audit_by_resource",
        (None, None, None) => "audit_by_time",
    };
    sql.push("SELECT id, record FROM audit INDEXED BY ").push(by);
    sql.push(" WHERE tenant = ").push_bind(tenant.to_string());
    let numbers = [(" AND at >= ", filter.from), (" AND at < ", filter.to)];
    for (condition, at) in numbers.into_iter().filter_map(|(c, at)| Some((c, at?))) {
        sql.push(condition).push_bind(at.0);
    }
    let outcome = filter.outcome.map(|outcome| outcome.as_str().to_owned());
    let texts = [
        (" AND who = ", &filter.who),
        (" AND action = ", &filter.action),
        (" AND resource = ", &filter.resource),
        (" AND source = ", &filter.source),
        (" AND outcome = ", &outcome),
    ];
    for (condition, text) in texts.into_iter().filter_map(|(c, text)| Some((c, text.as_ref()?))) {
        sql.push(condition).push_bind(text.clone());
    }
    if let Some((at, id)) = filter.before {
        sql.push(" AND (at, id) < (").push_bind(at.0);
        sql.push(", ").push_bind(i64::try_from(id).unwrap_or(i64::MAX)).push(")");
    }
    sql.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(limit_of(Some(filter.limit)));
    sql
}

impl Store {
    pub(super) async fn ask_for(&self, what: What) -> Result<(), StoreError> {
        let sender = self.sender().ok_or(StoreError::Closed)?;
        let (done, wait) = oneshot::channel();
        sender.try_send(Write::Asked(Asked::new(what, done))).map_err(|_| StoreError::QueueFull)?;
        self.now.notify_one();
        drop(sender);
        wait.await.map_err(|_| StoreError::Closed)?
    }

    /// Changes what is kept of keys, people and sessions, all of it or nothing, with entries of the log. It is committed when
    /// this answers. With a database that is down this is as long as it is down: give it a time limit.
    ///
    /// # Errors
    /// There is a person of that name already ([`StoreError::Exists`]), or the database is closed.
    pub async fn keep(&self, writes: Vec<AccessWrite>, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.ask_for(What::Kept(writes, entries)).await
    }

    /// Cuts a tenant's log: what is from before this time is gone.
    ///
    /// # Errors
    /// As [`Store::keep`].
    pub async fn cut_audit(&self, tenant: TenantId, before: Wall) -> Result<(), StoreError> {
        self.ask_for(What::Cut(tenant, before)).await
    }

    /// Keys and sessions of all tenants.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn kept(&self) -> Result<Kept, StoreError> {
        let mut reader = self.reader(TenantId::DEFAULT).await?;
        let keys = sqlx::query("SELECT id, record FROM access_key").fetch_all(reader.db()).await?;
        let sessions = sqlx::query("SELECT id, record FROM access_session").fetch_all(reader.db()).await?;
        let pages = sqlx::query("SELECT id, record FROM page_session").fetch_all(reader.db()).await?;
        Ok(Kept {
            pages: pages.iter().map(record).collect::<Result<_, _>>()?,
            keys: keys.iter().map(record).collect::<Result<_, _>>()?,
            sessions: sessions.iter().map(record).collect::<Result<_, _>>()?,
        })
    }

    /// How what this mark is of was answered, and a hash of what was asked; none if it was not, or that was not kept.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn answer(&self, mark: [u8; 16]) -> Result<Option<([u8; 32], String)>, StoreError> {
        let row = sqlx::query("SELECT request, answer FROM answer WHERE mark = ?")
            .bind(mark.as_slice())
            .fetch_optional(self.reader(TenantId::DEFAULT).await?.db())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let request: Vec<u8> = row.try_get(0)?;
        let known = <[u8; 32]>::try_from(request.as_slice()).ok();
        Ok(known.zip(Some(row.try_get(1)?)))
    }

    /// A person; none if the tenant has none of this name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn user(&self, tenant: TenantId, name: &Name) -> Result<Option<UserRecord>, StoreError> {
        let row = sqlx::query("SELECT name, record FROM access_user WHERE tenant = ? AND name = ?")
            .bind(tenant.to_string())
            .bind(name.to_string())
            .fetch_optional(self.reader(tenant).await?.db())
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The people of a tenant, by their names.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn users(&self, tenant: TenantId) -> Result<Vec<UserRecord>, StoreError> {
        let rows = sqlx::query("SELECT name, record FROM access_user WHERE tenant = ? ORDER BY name")
            .bind(tenant.to_string())
            .fetch_all(self.reader(tenant).await?.db())
            .await?;
        rows.iter().map(record).collect()
    }

    /// A page of a tenant's audit log, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn audit(&self, tenant: TenantId, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let mut sql = audit_query("", tenant, filter);
        let rows = sql.build().fetch_all(self.reader(tenant).await?.db()).await?;
        let entry = |row: &sqlx::sqlite::SqliteRow| {
            let entry: AuditEntry = record(row)?;
            let id: i64 = row.try_get(0)?;
            Ok(AuditEntry { id: u64::try_from(id).unwrap_or_default(), ..entry })
        };
        rows.iter().map(entry).collect()
    }
}
