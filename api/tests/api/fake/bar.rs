//! What the fake has for agents' bars.

use super::Fake;
use cordboard_api::bar::phones::{PagePhone, PagePhones};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::config::Secret;
use cordboard_model::id::AgentId;
use std::time::Duration;

impl PagePhones for Fake {
    fn page_phone(&self, agent: AgentId) -> Later<PagePhone> {
        self.answer(agent.tenant, move |floor| {
            let view = floor.agents.get(&agent).ok_or_else(|| Refusal::NotFound(format!("agent {agent}")))?;
            Ok(PagePhone {
                user: view.user.clone(),
                domain: format!("{}.example", agent.tenant),
                username: format!("{}~1", view.user.name),
                password: Secret("a-pass-of-the-fake".into()),
                lasts: Duration::from_secs(600),
            })
        })
    }

    fn numbers_to_show(&self, agent: AgentId) -> Later<Vec<String>> {
        self.answer(agent.tenant, move |floor| match floor.agents.contains_key(&agent) {
            true => Ok(vec!["+493055500".to_owned()]),
            false => Ok(Vec::new()),
        })
    }
}
