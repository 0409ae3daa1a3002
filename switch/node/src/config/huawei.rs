//! `[huawei]`: who asks with an access key, and what it opens.

use super::Checks;
use super::section::{At, Section, Wrong};
use super::tree::Node;
use super::value::{boolean, duration, integer, secret, some_text, wrong};
use cordboard_api::gateway::config::{GatewayConfig, GatewayTenant};
use cordboard_api::huawei::config::{Face, HuaweiConfig, HuaweiKey, HuaweiTenant};
use cordboard_model::config::{Secret, Tenant};
use cordboard_model::id::TenantId;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// The shortest secret.
const SECRET_MIN: usize = 16;
/// The longest access key, bytes.
const KEY_MAX: usize = 64;

/// What the section says, before it is known which tenants there are.
pub(super) struct Asked<'a> {
    config: HuaweiConfig,
    tenants: Vec<(At<String>, Section<'a>)>,
}

/// Reads the section.
pub(super) fn read<'a>(section: &Section<'a>) -> Asked<'a> {
    let d = HuaweiConfig::default();
    let skew = duration(Duration::from_secs(10)..=Duration::from_secs(3_600));
    let config = HuaweiConfig {
        tenants: Vec::new(),
        clock_skew: section.or("clock_skew", d.clock_skew, skew),
        once: section.or("refuse_replays", d.once, boolean),
    };
    let asked = Asked { config, tenants: section.named("tenant") };
    section.finish();
    asked
}

impl Asked<'_> {
    /// The whole, now that the tenants are known. The numbers of a tenant and of its queues are those of the agent gateway,
    /// where it serves it.
    pub(super) fn with(
        mut self,
        tenants: &BTreeMap<TenantId, &Tenant>,
        gateway: &GatewayConfig,
        checks: &Checks<'_>,
    ) -> HuaweiConfig {
        let mut taken = BTreeSet::new();
        let count = u32::try_from(self.tenants.len()).unwrap_or(u32::MAX);
        for ((name, section), place) in self.tenants.iter().zip(1_u32..=count) {
            let id = TenantId::new(&name.value).ok().filter(|id| tenants.contains_key(id));
            let known = gateway.tenants.iter().find(|known| Some(known.id) == id).cloned();
            let usual = known.as_ref().map_or(place, |known| known.vdn);
            let vdn = section.or("vdn", usual, integer(1..=5_000, ""));
            let cc = section.or("cc", 1, integer(1..=65_535, ""));
            let sip = section.opt("sip", address).map(|at| at.value);
            let mut keys = Vec::new();
            for (name, section) in section.named("key") {
                let well =
                    name.value.len() <= KEY_MAX && name.value.bytes().all(|byte| byte.is_ascii_graphic());
                if !well || name.value.contains('/') {
                    section.conflict(
                        &name.value,
                        name.pos,
                        "an access key is 1 to 64 characters without a slash",
                    );
                } else if !taken.insert(name.value.clone()) {
                    section.conflict(&name.value, name.pos, "another tenant has this access key");
                }
                keys.push(key(name.value, &section, checks));
            }
            section.finish();
            let Some(id) = id else {
                section.conflict(&name.value, name.pos, "there is no such tenant");
                continue;
            };
            let skills = known.map(|known| known.skills).unwrap_or_default();
            let tenant = GatewayTenant { id, vdn, skills };
            self.config.tenants.push(HuaweiTenant { tenant, cc, sip, keys });
        }
        self.config
    }
}

fn key(name: String, section: &Section<'_>, checks: &Checks<'_>) -> HuaweiKey {
    let newest = super::webhooks::signing(section, ("secret", "secret_env"), checks);
    let before = super::webhooks::signing(section, ("old_secret", "old_secret_env"), checks);
    if section.has("secret").is_none() && section.has("secret_env").is_none() {
        let missing = "a secret of at least 16 characters, or secret_env";
        let _ = section.need("secret", missing, secret(SECRET_MIN));
    }
    let opens = section.list("opens", |node| {
        let text = some_text(node)?;
        Face::from_name(&text)
            .ok_or_else(|| wrong(node, "\"calls\", \"monitoring\", \"files\" or \"campaigns\""))
    });
    let all = || Face::ALL.to_vec();
    let opens = opens.map_or_else(all, |list| list.value.into_iter().map(|at| at.value).collect());
    section.finish();
    HuaweiKey { name, secrets: newest.into_iter().chain(before).map(Secret).collect(), opens }
}

/// `"192.0.2.1:5060"`.
fn address(node: &Node) -> Result<(String, u16), Wrong> {
    let text = some_text(node)?;
    let read = text.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse().ok().filter(|port| *port > 0)?;
        (!host.is_empty()).then(|| (host.to_owned(), port))
    });
    read.ok_or_else(|| wrong(node, "an address and a port, as \"192.0.2.1:5060\""))
}
