//! What the event stream is told of campaigns and their numbers.
//!
//! Invariant: what is told is in the database, unless that takes nothing just now. What the shard does not take is not kept for
//! later: the lists of the API have it.

use super::run::Runner;
use crate::switch::ask;
use cordboard_model::campaign::{Campaign, CampaignChange, CampaignNumber, CampaignState, NumberNews};
use cordboard_model::event::EventKind;
use cordboard_model::time::Wall;

impl Runner {
    /// Something became of a campaign.
    pub(super) async fn campaign_became(&self, campaign: &Campaign, change: CampaignChange) {
        let name = campaign.spec.name.clone();
        self.announce(vec![EventKind::CampaignChanged { campaign: campaign.id, name, change }]).await;
    }

    /// Numbers are somewhere else now.
    pub(super) async fn numbers_became(&self, numbers: &[CampaignNumber]) {
        let news = numbers.iter().map(|number| Box::new(NumberNews::from(number)));
        self.announce(news.map(|news| EventKind::CampaignNumber { news }).collect()).await;
    }

    /// Those whose time has come to an end since it was looked last.
    pub(super) async fn ends(&mut self, now: Wall) {
        let is_over = |campaign: &Campaign| campaign.state(now) == CampaignState::Over;
        let ended: Vec<u64> = {
            let open = self.diallers.values().map(|of| of.campaign()).filter(|campaign| !is_over(campaign));
            let open = open.map(|campaign| campaign.id).collect();
            let before = std::mem::replace(&mut self.open, open);
            before.difference(&self.open).copied().collect()
        };
        for id in ended {
            // one that was deleted has been told of
            let Some(campaign) = self.diallers.get(&id).map(|of| of.campaign().clone()) else { continue };
            self.campaign_became(&campaign, CampaignChange::Over).await;
        }
    }

    async fn announce(&self, news: Vec<EventKind>) {
        if news.is_empty() {
            return;
        }
        let tenant = self.tenant;
        let question = move |shard: &mut cordboard_core::Shard| shard.tell_campaign(tenant, news);
        if ask(self.ways.shard.clone(), question).await.is_err() {
            tracing::warn!(%tenant, "the event stream was not told of a campaign");
        }
    }
}
