//! Connections that read, shared among tenants.
//!
//! Invariant: with more than one connection no tenant's questions have all of them, however many it asks: another's finds one.
//! Whoever waits too long is told that the database is busy.

use super::StoreError;
use cordboard_model::id::TenantId;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// See the module.
#[derive(Debug)]
pub(super) struct Readers {
    pool: SqlitePool,
    /// Connections that one tenant has at most.
    share: usize,
    /// How long a question waits for its tenant's turn, and then for a connection.
    wait: Duration,
    /// What tenants who ask have left of their share.
    tenants: Mutex<BTreeMap<TenantId, Arc<Semaphore>>>,
}

/// A connection for one question, or a few of the same answer.
pub(super) struct Reader {
    db: PoolConnection<Sqlite>,
    _turn: OwnedSemaphorePermit,
}

impl Reader {
    pub(super) fn db(&mut self) -> &mut SqliteConnection {
        &mut self.db
    }
}

impl Readers {
    /// `count` connections are in the pool.
    pub(super) fn new(pool: SqlitePool, count: u32, wait: Duration) -> Self {
        let share = usize::try_from(count.saturating_sub(1)).unwrap_or(1).max(1);
        Self { pool, share, wait, tenants: Mutex::default() }
    }

    /// One for a tenant's question.
    pub(super) async fn of(&self, tenant: TenantId) -> Result<Reader, StoreError> {
        let turns = self.turns(tenant);
        let turn = tokio::time::timeout(self.wait, turns.acquire_owned()).await;
        let turn = turn.map_err(|_| StoreError::Busy)?.map_err(|_| StoreError::Closed)?;
        Ok(Reader { db: self.pool.acquire().await?, _turn: turn })
    }

    fn turns(&self, tenant: TenantId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        // who asks nothing has all of his share
        tenants.retain(|_, turns| Arc::strong_count(turns) > 1);
        Arc::clone(tenants.entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(self.share))))
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}
