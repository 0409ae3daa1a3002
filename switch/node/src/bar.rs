//! What agents' bars ask of the shard.

use crate::switch::{NodeSwitch, missing};
use cordboard_api::bar::phones::{PagePhone, PagePhones};
use cordboard_api::switch::Later;
use cordboard_model::id::AgentId;
use cordboard_model::telephone::TelephonesView;

impl PagePhones for NodeSwitch {
    fn page_phone(&self, agent: AgentId) -> Later<PagePhone> {
        let of = agent.clone();
        let answer = self.later(move |shard| shard.page_phone(&of, shard.now()));
        Box::pin(async move {
            let made = answer.await?.ok_or_else(|| missing(format!("agent {agent}")))?;
            Ok(PagePhone {
                user: made.user,
                domain: made.domain,
                username: made.username,
                password: made.password,
                lasts: made.lasts,
            })
        })
    }

    fn telephones(&self, agent: AgentId) -> Later<TelephonesView> {
        let of = agent.clone();
        let answer = self.later(move |shard| shard.telephones(&of));
        Box::pin(async move { answer.await?.ok_or_else(|| missing(format!("agent {agent}"))) })
    }

    fn numbers_to_show(&self, agent: AgentId) -> Later<Vec<String>> {
        self.later(move |shard| shard.numbers_to_show(&agent))
    }
}
