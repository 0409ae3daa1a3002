//! `[agent_gateway]`: whose agents sign in there, and by which numbers clients know queues.

use super::section::{At, Pos, Section, Wrong};
use super::tree::Node;
use super::value::{boolean, duration, integer, some_text, wrong};
use cordboard_api::gateway::config::{GatewayConfig, GatewayTenant};
use cordboard_model::config::Tenant;
use cordboard_model::id::{Name, TenantId};
use core::time::Duration;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The most numbers of queues that are made of their names begin here.
const SKILL_MAX: u32 = 99_999;

/// `[agent_gateway]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GatewayMachine {
    /// What the gateway is told.
    pub api: GatewayConfig,
    /// How URLs begin that events may be pushed to.
    pub push_allowed: Vec<String>,
    /// Whether they may be at private addresses.
    pub allow_private: bool,
    /// PEM: whom we trust when we push, if not those the system trusts.
    pub ca: Option<PathBuf>,
}

/// What the section says, before it is known which tenants there are.
pub(super) struct Asked<'a> {
    machine: GatewayMachine,
    tenants: Vec<(At<String>, Section<'a>)>,
}

/// Reads the section.
pub(super) fn read<'a>(section: &Section<'a>, base: &Path) -> Asked<'a> {
    let s = Duration::from_secs;
    let d = GatewayConfig::default();
    let ms = Duration::from_millis(100);
    let api = GatewayConfig {
        tenants: Vec::new(),
        guid_interval: section.or("guid_interval", d.guid_interval, duration(s(1)..=s(3_600))),
        guid_timeout: section.or("guid_timeout", d.guid_timeout, duration(s(2)..=s(7_200))),
        silence: section.or("silence", d.silence, duration(s(2)..=s(7_200))),
        poll_wait: section.or("poll_wait", d.poll_wait, duration(ms..=s(20))),
        events: usize::from(section.or("events", 256_u16, integer(16..=10_000, "events"))),
    };
    if api.guid_timeout <= api.guid_interval {
        let pos = section.has("guid_timeout").unwrap_or(section.pos);
        section.conflict("guid_timeout", pos, "it must be longer than guid_interval");
    }
    let machine = GatewayMachine {
        api,
        push_allowed: super::fetch::urls(section, "push_allowed"),
        allow_private: section.or("allow_private", false, boolean),
        ca: section.opt("ca", some_text).map(|at| base.join(at.value)),
    };
    let asked = Asked { machine, tenants: section.named("tenant") };
    section.finish();
    asked
}

impl Asked<'_> {
    /// The whole, now that the tenants are known: each is there, has the queues that are named, and shares no agent's number
    /// with another.
    pub(super) fn with(mut self, tenants: &BTreeMap<TenantId, &Tenant>) -> GatewayMachine {
        let mut taken: BTreeMap<&Name, TenantId> = BTreeMap::new();
        let count = u32::try_from(self.tenants.len()).unwrap_or(u32::MAX);
        for ((name, section), place) in self.tenants.iter().zip(1_u32..=count) {
            let vdn = section.or("vdn", place, integer(1..=512, ""));
            let skills = section.list("skills", skill).map_or_else(Vec::new, |list| list.value);
            section.finish();
            let tenant = TenantId::new(&name.value).ok().and_then(|id| tenants.get(&id).copied());
            let Some(tenant) = tenant else {
                section.conflict(&name.value, name.pos, "there is no such tenant");
                continue;
            };
            for agent in tenant.agents.keys() {
                if let Some(other) = taken.insert(agent, tenant.id) {
                    let why = format!(
                        "agent {agent} is in {other}, too: the gateway knows agents by their numbers alone"
                    );
                    section.conflict(&name.value, name.pos, why);
                    break;
                }
            }
            let skills = numbers(section, tenant, &skills);
            self.machine.api.tenants.push(GatewayTenant { id: tenant.id, vdn, skills });
        }
        self.machine
    }
}

/// The queues' numbers; each queue is there, and no number comes twice.
fn numbers(section: &Section<'_>, tenant: &Tenant, said: &[At<(String, u32)>]) -> BTreeMap<Name, u32> {
    let mut numbers: BTreeMap<Name, u32> = BTreeMap::new();
    let wrong = |pos: Pos, why: String| section.conflict("skills", pos, why);
    for At { value: (queue, number), pos } in said {
        let Some((name, _)) = tenant.queues.get_key_value(queue.as_str()) else {
            wrong(*pos, format!("there is no queue {queue:?}"));
            continue;
        };
        if numbers.values().any(|known| known == number) || numbers.insert(name.clone(), *number).is_some() {
            wrong(*pos, format!("queue {queue:?} or number {number} comes twice"));
        }
    }
    numbers
}

/// `"sales:21"`.
fn skill(node: &Node) -> Result<(String, u32), Wrong> {
    let text = some_text(node)?;
    let read = text.rsplit_once(':').and_then(|(queue, number)| {
        let number = number.parse().ok().filter(|number| (1..=SKILL_MAX).contains(number))?;
        Some((queue.to_owned(), number))
    });
    read.ok_or_else(|| wrong(node, "a queue and its number, 1 to 99999, as \"sales:21\""))
}
