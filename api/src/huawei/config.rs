//! `[huawei]`: who may ask, with which keys.

use crate::gateway::config::GatewayTenant;
use cordboard_model::config::Secret;
use cordboard_model::id::TenantId;
use core::time::Duration;
use serde::Serialize;
use std::sync::Arc;

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// Tokens, call-backs and agents, by a token.
    Calls,
    /// Monitoring, by signed requests.
    Monitoring,
    /// Records and recordings, by signed requests.
    Files,
    /// Campaigns of calls, by signed requests.
    Campaigns,
}

impl Face {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Calls, Self::Monitoring, Self::Files, Self::Campaigns];

    /// The word of the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Monitoring => "monitoring",
            Self::Files => "files",
            Self::Campaigns => "campaigns",
        }
    }

    /// The face of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|face| face.as_str() == name)
    }
}

/// A pair of an access key and its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HuaweiKey {
    /// The access key, or app key.
    pub name: String,
    /// What goes with it; the second is the one before, while it is exchanged.
    pub secrets: Vec<Secret>,
    /// What it opens.
    pub opens: Vec<Face>,
}

/// A tenant that is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HuaweiTenant {
    /// Which, with the numbers that clients know it and its queues by.
    pub tenant: GatewayTenant,
    /// The number of the call centre that clients give.
    pub cc: u32,
    /// Where its agents' telephones register, as clients are told.
    pub sip: Option<(String, u16)>,
    /// Its keys.
    pub keys: Vec<HuaweiKey>,
}

/// `[huawei]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HuaweiConfig {
    /// Who is served. Nobody: the surfaces answer nobody.
    pub tenants: Vec<HuaweiTenant>,
    /// How far the time of a signed request may be from ours.
    pub clock_skew: Duration,
    /// Whether a signature opens once.
    pub once: bool,
}

impl Default for HuaweiConfig {
    fn default() -> Self {
        Self { tenants: Vec::new(), clock_skew: Duration::from_secs(900), once: true }
    }
}

impl HuaweiConfig {
    /// Whose key this is.
    pub fn key(&self, name: &str) -> Option<(&HuaweiTenant, &HuaweiKey)> {
        self.tenants.iter().find_map(|tenant| {
            let key = tenant.keys.iter().find(|key| key.name == name)?;
            Some((tenant, key))
        })
    }

    /// A tenant that is served.
    pub fn tenant(&self, id: TenantId) -> Option<&HuaweiTenant> {
        self.tenants.iter().find(|tenant| tenant.tenant.id == id)
    }
}

/// What is configured now: keys change with a reload.
pub trait Configured: Send + Sync + 'static {
    /// `[huawei]`, as it is in use.
    fn huawei(&self) -> Arc<HuaweiConfig>;
}
