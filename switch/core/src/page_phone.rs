//! What a phone in an agent's page is given: a password of his account that is good for a while, and the numbers that he may show.

use crate::shard::Shard;
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, UserId};
use cordboard_model::telephone::{SipServer, TelephonesView};
use cordboard_model::time::{Duration, Time};
use cordboard_sip::engine::Transport;
use core::net::IpAddr;
use std::collections::BTreeSet;

/// How long a password is good. The page asks for the next one before; a call that is up needs none.
pub const PAGE_PASS: Duration = Duration::from_secs(600);
/// Most numbers that are listed: a page has them chosen from.
const NUMBERS_MAX: usize = 500;

/// A phone for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePhone {
    /// The account that it registers.
    pub user: UserId,
    /// Where: what stands behind the `@`, and the realm of its password.
    pub domain: String,
    /// What it says as the user name of digest.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// For how long that is good.
    pub lasts: Duration,
}

impl Shard {
    /// A phone for an agent's page, which is one more device of his own account; none if he is not configured.
    pub fn page_phone(&self, agent: &AgentId, now: Time) -> Option<PagePhone> {
        let user = self.snapshot.agent(agent)?.user.clone();
        let (domain, pass) = self.sip.pass(&user, PAGE_PASS, now)?;
        let password = Secret(pass.password);
        Some(PagePhone { user, domain, username: pass.username, password, lasts: PAGE_PASS })
    }

    /// What another telephone of an agent's account needs, and which there are; none if he is not configured.
    pub fn telephones(&self, agent: &AgentId) -> Option<TelephonesView> {
        let account = self.snapshot.agent(agent)?.user.clone();
        let server = |(transport, address, port): (Transport, Option<IpAddr>, u16)| SipServer {
            transport: transport.as_str().to_owned(),
            address: address.map(|address| address.to_string()),
            port,
        };
        Some(TelephonesView {
            domain: self.sip.domain(account.tenant).to_owned(),
            servers: self.sip.servers().map(server).collect(),
            devices: self.sip.contacts(&account),
            account,
        })
    }

    /// The numbers that an agent may have shown where he calls out: his own, and those of the pools of his queues, in order.
    pub fn numbers_to_show(&self, agent: &AgentId) -> Vec<String> {
        let Some(tenant) = self.snapshot.tenant(agent.tenant) else { return Vec::new() };
        let own = tenant.desk.agents.get(&agent.name).and_then(|desk| desk.caller_number.clone());
        let queues = tenant.agents.get(&agent.name).map(|agent| agent.queues.iter());
        let pools = queues.into_iter().flatten().filter_map(|queue| {
            let pool = tenant.queues.get(&queue.name)?.caller_pool.as_ref()?;
            tenant.pools.get(pool)
        });
        let pooled: BTreeSet<String> = pools
            .flat_map(|pool| &pool.numbers)
            .filter(|number| own.as_ref() != Some(number))
            .cloned()
            .collect();
        own.into_iter().chain(pooled).take(NUMBERS_MAX).collect()
    }
}
