//! The figures of now, for all who ask at once.
//!
//! Invariant: the shard makes a tenant's at most once in a [`ROUND`], however many ask, and what an asker gets was made after
//! he asked: who has been told of an event sees it in them.

use cordboard_api::switch::{Later, Refusal};
use cordboard_model::figures::WallView;
use cordboard_model::id::TenantId;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The least time between two askings of the shard for one tenant. Who asks meanwhile waits for the next.
pub const ROUND: Duration = Duration::from_secs(1);

type Round = Shared<BoxFuture<'static, Result<Arc<WallView>, Refusal>>>;

/// What is known of a tenant's.
#[derive(Default)]
struct Kept {
    /// When the shard was asked last.
    asked: Option<Instant>,
    /// The asking that has not begun: whoever comes now has part in it.
    next: Option<Round>,
}

/// See the module.
#[derive(Default)]
pub struct Walls {
    tenants: Arc<Mutex<BTreeMap<TenantId, Kept>>>,
}

impl Walls {
    /// A tenant's figures of now. `question` is asked if it is the first of its round.
    pub fn of(&self, tenant: TenantId, question: Later<WallView>) -> Later<WallView> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = tenants.entry(tenant).or_default();
        let due = kept.asked.map(|asked| asked + ROUND);
        let round = kept.next.get_or_insert_with(|| self.round(tenant, due, question)).clone();
        Box::pin(async move { round.await.map(Arc::unwrap_or_clone) })
    }

    fn round(&self, tenant: TenantId, due: Option<Instant>, question: Later<WallView>) -> Round {
        let tenants = Arc::clone(&self.tenants);
        let round = async move {
            if let Some(due) = due {
                tokio::time::sleep_until(due).await;
            }
            let begun = Kept { asked: Some(Instant::now()), next: None };
            // what is dropped here is a second handle of this very round
            drop(tenants.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, begun));
            question.await.map(Arc::new)
        };
        round.boxed().shared()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::figures::Figures;
    use cordboard_model::time::Wall;
    use futures_util::future::join_all;
    use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

    const T: TenantId = TenantId::DEFAULT;

    /// A shard that counts how often it is asked; its figures say which time it was.
    fn asked(count: &Arc<AtomicI64>) -> Later<WallView> {
        let count = Arc::clone(count);
        Box::pin(async move { Ok(view(Wall(count.fetch_add(1, Relaxed) + 1))) })
    }

    fn view(at: Wall) -> WallView {
        WallView {
            tenant: T,
            at,
            zone: "UTC".into(),
            day: Wall(0),
            complete: true,
            waiting: 0,
            longest_wait_ms: None,
            agents_by_status: BTreeMap::new(),
            today: Figures::default(),
            queues: Vec::new(),
            agents: Vec::new(),
            trunks: Vec::new(),
            flows: Vec::new(),
        }
    }

    /// A hundred pages with the wall on them had the shard, which has all calls, make it a hundred times a second.
    #[tokio::test(start_paused = true)]
    async fn a_hundred_walls_of_a_second_are_one_question_to_the_shard() {
        let (walls, count) = (Walls::default(), Arc::new(AtomicI64::new(0)));
        let other = TenantId::new("acme").unwrap();
        for round in 1..=3 {
            let begun = Instant::now();
            let all = join_all((0..101).map(|_| walls.of(T, asked(&count)))).await;
            assert!(all.iter().all(|view| view.as_ref().unwrap().at.0 == round), "each after he asked");
            assert_eq!(begun.elapsed().as_secs(), u64::from(round > 1));
        }
        assert_eq!(count.load(Relaxed), 3);
        let of_others = Arc::new(AtomicI64::new(0));
        let begun = Instant::now();
        walls.of(other, asked(&of_others)).await.unwrap();
        assert_eq!((of_others.load(Relaxed), begun.elapsed().as_secs()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_that_nobody_waits_for_any_more_is_there_for_who_comes_next() {
        let (walls, count) = (Walls::default(), Arc::new(AtomicI64::new(0)));
        walls.of(T, asked(&count)).await.unwrap();
        drop(walls.of(T, asked(&count)));
        assert_eq!(walls.of(T, asked(&count)).await.unwrap().at.0, 2);
    }
}
