//! Long work for a tenant, beside the threads that serve requests, one piece at a time.
//!
//! Invariant: a tenant has at most one piece of it under way, from the request until it is over or nobody waits for it any
//! more, and all tenants together have [`AT_ONCE`]. Whoever asks for a second one is told to come back.

use cordboard_api::switch::{Later, Refusal};
use cordboard_model::id::TenantId;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};

/// Pieces of work of all tenants that go on at once: they take processors from calls.
pub const AT_ONCE: usize = 2;

/// See the module.
#[derive(Debug)]
pub struct Alone {
    tenants: Arc<Mutex<BTreeSet<TenantId>>>,
    all: Arc<Semaphore>,
}

/// A tenant's place, which is free again when this is gone.
struct Place {
    tenants: Arc<Mutex<BTreeSet<TenantId>>>,
    tenant: TenantId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tenant);
    }
}

impl Default for Alone {
    fn default() -> Self {
        Self { tenants: Arc::default(), all: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Alone {
    fn place(&self, tenant: TenantId) -> Option<Place> {
        let free = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
        free.then(|| Place { tenants: Arc::clone(&self.tenants), tenant })
    }

    /// Does the work, unless the tenant has some under way. It may take a thread for as long as it likes, and is given up
    /// at its next wait when the answer is dropped.
    pub fn work<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Later<T> {
        let Some(place) = self.place(tenant) else {
            return Box::pin(async { Err(Refusal::Busy(1)) });
        };
        let all = Arc::clone(&self.all);
        Box::pin(async move {
            let turn = all.acquire_owned().await.map_err(|_| Refusal::Busy(1))?;
            let (mut answer, wait) = oneshot::channel();
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || {
                let done = runtime.block_on(async {
                    tokio::select! {
                        () = answer.closed() => None,
                        done = work => Some(done),
                    }
                });
                // free before the answer is read: who has it may ask again
                drop((place, turn));
                if let Some(done) = done {
                    let _ = answer.send(done);
                }
            });
            wait.await.unwrap_or_else(|_| Err(Refusal::Internal("the work has failed".into())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that waits for a word.
    fn waits(word: oneshot::Receiver<u32>) -> impl Future<Output = Result<u32, Refusal>> + Send + 'static {
        async { word.await.map_err(|_| Refusal::Internal("no word".into())) }
    }

    #[tokio::test]
    async fn a_tenants_second_report_at_the_same_time_is_refused_and_another_tenants_is_not() {
        let (ours, other) = (TenantId::DEFAULT, TenantId::new("acme").unwrap());
        let alone = Alone::default();
        let (say, word) = oneshot::channel();
        let first = tokio::spawn(alone.work(ours, waits(word)));
        assert_eq!(alone.work(ours, async { Ok(2) }).await, Err(Refusal::Busy(1)));
        assert_eq!(alone.work(other, async { Ok(3) }).await, Ok(3));
        say.send(1).unwrap();
        assert_eq!(first.await.unwrap(), Ok(1));
        assert_eq!(alone.work(ours, async { Ok(4) }).await, Ok(4));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_is_given_up() {
        let alone = Alone::default();
        let ((mut say, word), (begun, begins)) = (oneshot::channel(), oneshot::channel());
        let work = waits(word);
        let first = tokio::spawn(alone.work(TenantId::DEFAULT, async {
            let _ = begun.send(());
            work.await
        }));
        begins.await.unwrap();
        first.abort();
        // the work is gone, and with it who listens for the word
        say.closed().await;
    }
}
