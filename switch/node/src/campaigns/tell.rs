//! Results that are posted to who asked for the calls.
//!
//! Invariant: a result is owed in the database until it was taken, or was posted as often as it is; one post of a campaign is under
//! way at a time.

use super::run::Runner;
use crate::clock::wall_now;
use cordboard_acd::campaign::posted_again;
use cordboard_api::gateway::beside::Post;
use cordboard_api::huawei::campaigns::{results, took};
use cordboard_model::campaign::CampaignNumber;
use cordboard_model::time::Wall;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Most results in one post.
const AT_ONCE: u32 = 20;
/// How long after a look that found nothing owed now it is looked again.
const LOOK_AGAIN_MS: i64 = 30_000;

/// What became of a post.
pub(super) struct Posted {
    campaign: u64,
    numbers: Vec<CampaignNumber>,
    taken: bool,
}

/// Who is told, and when.
pub(super) struct Telling {
    /// When it is looked what is owed.
    due: BTreeMap<u64, Wall>,
    under_way: BTreeSet<u64>,
    posted: (mpsc::Sender<Posted>, mpsc::Receiver<Posted>),
    /// What came back first, until it is looked at.
    heard: Option<Posted>,
}

impl Default for Telling {
    fn default() -> Self {
        let posted = mpsc::channel(16);
        Self { due: BTreeMap::new(), under_way: BTreeSet::new(), posted, heard: None }
    }
}

impl Telling {
    /// There is something to tell.
    pub(super) fn owes(&mut self, campaign: u64) {
        self.due.insert(campaign, Wall(0));
    }

    /// Nobody asks any more.
    pub(super) fn forget(&mut self, campaign: u64) {
        self.due.remove(&campaign);
    }

    /// Waits until a post came to something.
    pub(super) async fn told(&mut self) {
        if self.heard.is_none() {
            self.heard = self.posted.1.recv().await;
        }
    }
}

impl Runner {
    /// Posts what is owed.
    pub(super) async fn tell(&mut self, now: Wall) {
        let due =
            self.telling.due.iter().filter(|(id, at)| **at <= now && !self.telling.under_way.contains(id));
        let due: Vec<u64> = due.map(|(id, _)| *id).collect();
        for id in due {
            let url = self.diallers.get(&id).and_then(|dialler| dialler.campaign().spec.url.clone());
            let Some(url) = url else {
                self.telling.forget(id);
                continue;
            };
            let owed = self.ways.store.campaign_owed((self.tenant, id), now, AT_ONCE).await;
            let numbers = owed.unwrap_or_default();
            if numbers.is_empty() {
                self.telling.due.insert(id, Wall(now.0.saturating_add(LOOK_AGAIN_MS)));
                continue;
            }
            self.post(id, url, numbers);
        }
    }

    fn post(&mut self, campaign: u64, url: String, numbers: Vec<CampaignNumber>) {
        let config = Arc::clone(&self.ways.reloader.current().machine.huawei);
        let body = results(&config, self.tenant, &numbers);
        self.telling.under_way.insert(campaign);
        let (pushing, posted) = (Arc::clone(&self.ways.pushing), self.telling.posted.0.clone());
        let tenant = self.tenant;
        tokio::spawn(async move {
            let said = pushing.post(Post { url, headers: Vec::new(), body }).await;
            let taken = match said {
                Ok(answer) => took(&answer),
                Err(why) => {
                    tracing::info!(%tenant, campaign, ?why, "results of a campaign were not taken");
                    false
                }
            };
            // who has deleted it meanwhile is not told
            let _ = posted.send(Posted { campaign, numbers, taken }).await;
        });
    }

    /// What came of a post.
    pub(super) async fn told(&mut self) {
        let Some(Posted { campaign, numbers, taken }) = self.telling.heard.take() else { return };
        self.telling.under_way.remove(&campaign);
        if !self.diallers.contains_key(&campaign) {
            return;
        }
        let now = wall_now();
        let mut rows = Vec::with_capacity(numbers.len());
        for mut number in numbers {
            // what was said of it meanwhile stays
            let known = self.ways.store.campaign_number(self.tenant, number.id).await.ok().flatten();
            number = known.unwrap_or(number);
            number.posts = number.posts.saturating_add(1);
            number.owed = if taken { None } else { posted_again(number.posts, now) };
            if !taken && number.owed.is_none() {
                let (tenant, id) = (self.tenant, number.id);
                tracing::warn!(%tenant, campaign, number = id, "a result was not taken and is not posted any more");
            }
            rows.push(number);
        }
        self.telling.owes(campaign);
        self.write(rows).await;
    }
}
