//! Campaigns: a task for each tenant that has some.
//!
//! Invariants: what calls whom when is decided by [`cordboard_acd::campaign`]; here it is only carried out. All that changes a
//! tenant's campaigns goes through its task, one after another. A number is called after the database has it as being called,
//! under a token of the number and the try, so that a crash at any moment has it called once.

mod news;
mod orders;
mod recover;
mod run;
mod tell;

use crate::gateway::Pushing;
use crate::hub::HubHandle;
use crate::reload::Reloader;
use crate::shard::Order;
use crate::switch::NodeSwitch;
use cordboard_api::campaign_switch::{CampaignDone, CampaignOrder, Campaigns};
use cordboard_api::switch::{Later, Refusal};
use cordboard_lane::Sender;
use cordboard_model::id::TenantId;
use cordboard_store::Store;
use run::Runner;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Orders that may wait for one tenant's task.
const ASKS: usize = 64;
/// How long who orders something waits.
const ANSWER: Duration = Duration::from_secs(10);
/// How long after a start the database is asked again which tenants have campaigns, if it did not say.
const AGAIN: Duration = Duration::from_secs(5);

/// An order, and who waits for what comes of it.
struct Asked {
    order: CampaignOrder,
    answer: oneshot::Sender<Result<CampaignDone, Refusal>>,
}

/// What every task uses.
pub(crate) struct Ways {
    pub(crate) store: Arc<Store>,
    pub(crate) shard: Sender<Order>,
    pub(crate) hub: HubHandle,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) pushing: Arc<Pushing>,
}

/// The tasks.
pub struct Dialling {
    ways: Arc<Ways>,
    tasks: Mutex<BTreeMap<TenantId, mpsc::Sender<Asked>>>,
}

impl Dialling {
    /// Begins with the tenants that have campaigns.
    pub(crate) fn start(ways: Ways) -> Arc<Self> {
        let all = Arc::new(Self { ways: Arc::new(ways), tasks: Mutex::default() });
        let begun = Arc::clone(&all);
        tokio::spawn(async move {
            loop {
                match begun.ways.store.campaigns().await {
                    Ok(campaigns) => {
                        for campaign in campaigns {
                            begun.task(campaign.tenant);
                        }
                        return;
                    }
                    Err(cordboard_store::StoreError::Closed) => return,
                    Err(why) => tracing::warn!(%why, "campaigns cannot be read; nobody is called by them"),
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        all
    }

    /// How something is posted to programs.
    pub(crate) fn pushing(&self) -> &Arc<Pushing> {
        &self.ways.pushing
    }

    /// A tenant's, which begins with the first word to it.
    fn task(&self, tenant: TenantId) -> mpsc::Sender<Asked> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || {
            let (asks, asked) = mpsc::channel(ASKS);
            tokio::spawn(Runner::new(tenant, Arc::clone(&self.ways), asked).run());
            asks
        };
        tasks.entry(tenant).or_insert_with(begin).clone()
    }
}

impl Campaigns for NodeSwitch {
    fn campaigns(&self, tenant: TenantId, order: CampaignOrder) -> Later<CampaignDone> {
        let task = self.dialling.task(tenant);
        Box::pin(async move {
            let (answer, wait) = oneshot::channel();
            task.try_send(Asked { order, answer }).map_err(|_| Refusal::Busy(1))?;
            match tokio::time::timeout(ANSWER, wait).await {
                Ok(Ok(answer)) => answer,
                _ => Err(Refusal::Busy(1)),
            }
        })
    }
}
