//! What the fake has for agents' bars.

use super::Fake;
use cordboard_api::bar::phones::{PagePhone, PagePhones};
use cordboard_api::switch::{Later, Refusal};
use cordboard_model::config::Secret;
use cordboard_model::id::AgentId;
use cordboard_model::telephone::{SipServer, TelephonesView};
use cordboard_model::time::Wall;
use cordboard_model::view::ContactView;
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

    fn telephones(&self, agent: AgentId) -> Later<TelephonesView> {
        self.answer(agent.tenant, move |floor| {
            let view = floor.agents.get(&agent).ok_or_else(|| Refusal::NotFound(format!("agent {agent}")))?;
            let device = |uri: &str, user_agent: &str| ContactView {
                user: view.user.clone(),
                uri: uri.into(),
                flow: "udp:198.51.100.7:5060".into(),
                user_agent: user_agent.into(),
                expires: Wall(1_800_000_000_000),
            };
            Ok(TelephonesView {
                account: view.user.clone(),
                domain: format!("{}.example", agent.tenant),
                servers: vec![SipServer {
                    transport: "udp".into(),
                    address: Some("192.0.2.5".into()),
                    port: 5_060,
                }],
                devices: vec![device("sip:1001@198.51.100.7", "Desk phone 1")],
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
