//! What the engine takes from the configuration: who may register and call, which domain means
//! which tenant, which address is a trunk's, the limits of registrations, the timers.

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet};

use crate::auth::Algorithm;
use cordboard_model::config::{DigestAlgorithm, SipTimers, Snapshot, Tenant};
use cordboard_model::flows::SipFlows;
use cordboard_model::guard::{GuardLimits, Network};
use cordboard_model::id::{Name, TenantId, TrunkId, UserId};
use cordboard_model::signin::PhoneSecret;

/// The realm of a tenant without a domain.
const NO_REALM: &str = "cordboard";

/// See the module. Made from a checked [`Snapshot`]; exchanged whole.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    timers: SipTimers,
    flows: SipFlows,
    guard: GuardLimits,
    register_min_secs: u32,
    register_max_secs: u32,
    contacts: usize,
    digest: Vec<Algorithm>,
    tenants: BTreeMap<TenantId, TenantPart>,
    domains: BTreeMap<String, TenantId>,
    trunks: BTreeMap<IpAddr, Vec<(u16, TrunkId)>>,
    /// What peers and gateways of trunks are told as our address, where that is their own.
    told: BTreeMap<IpAddr, IpAddr>,
    /// Emergency numbers of all tenants.
    help: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct TenantPart {
    realm: String,
    accounts: BTreeMap<Name, Account>,
    help: Option<Help>,
}

/// Who is called in need, and who may call there without a password.
#[derive(Clone, Debug)]
struct Help {
    numbers: Vec<String>,
    trunks: Vec<TrunkId>,
}

fn algorithm(digest: DigestAlgorithm) -> Algorithm {
    match digest {
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
        DigestAlgorithm::Md5 => Algorithm::Md5,
    }
}

/// What digest needs of an account.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) ha1_md5: String,
    pub(crate) ha1_sha256: String,
}

impl core::fmt::Debug for Account {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // the hashes are as good as the password
        write!(f, "Account({})", self.id)
    }
}

impl Directory {
    /// The engine's part of a snapshot.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        let mut directory = Self {
            timers: snapshot.limits.sip,
            flows: snapshot.limits.flows,
            guard: snapshot.limits.guard.clone(),
            register_min_secs: secs(snapshot.limits.register_min),
            register_max_secs: secs(snapshot.limits.register_max).max(1),
            contacts: snapshot.limits.contacts as usize,
            digest: snapshot.limits.digest.iter().map(|d| algorithm(*d)).collect(),
            ..Self::default()
        };
        for tenant in snapshot.tenants.values() {
            for domain in &tenant.domains {
                let domain = domain.to_ascii_lowercase();
                directory.domains.entry(domain).or_insert(tenant.id);
            }
            for trunk in tenant.trunks.values() {
                if let Some(told) = trunk.told {
                    let gateways = trunk.gateways.iter().map(|gateway| gateway.address);
                    let all = trunk.peers.iter().copied().chain(gateways);
                    directory.told.extend(all.map(|peer| (peer.ip().to_canonical(), told)));
                }
                // A carrier that we register with calls from where we register.
                let registers = trunk.account.as_ref().is_some_and(|account| account.register.is_some());
                let gateways = trunk.gateways.iter().filter(|_| registers);
                let gateways = gateways.map(|gateway| SocketAddr::new(gateway.address.ip(), 0));
                for peer in trunk.peers.iter().copied().chain(gateways) {
                    let peers = directory.trunks.entry(peer.ip().to_canonical()).or_default();
                    peers.push((peer.port(), trunk.id.clone()));
                }
            }
            let accounts = tenant.users.iter().map(|(name, user)| {
                let account = Account {
                    id: user.id.clone(),
                    ha1_md5: user.ha1_md5.clone(),
                    ha1_sha256: user.ha1_sha256.clone(),
                };
                (name.clone(), account)
            });
            let part = TenantPart {
                realm: Self::realm_of(tenant).to_owned(),
                accounts: accounts.collect(),
                help: tenant
                    .routes
                    .emergency
                    .as_ref()
                    .map(|help| Help { numbers: help.numbers.clone(), trunks: help.from_trunks.clone() }),
            };
            directory.help.extend(part.help.iter().flat_map(|help| help.numbers.iter().cloned()));
            directory.tenants.insert(tenant.id, part);
        }
        directory
    }

    /// Digest algorithms in the order offered.
    pub(crate) fn digest(&self) -> &[Algorithm] {
        &self.digest
    }

    pub(crate) fn guard(&self) -> &GuardLimits {
        &self.guard
    }

    pub(crate) fn flows(&self) -> &SipFlows {
        &self.flows
    }

    pub(crate) fn timers(&self) -> &SipTimers {
        &self.timers
    }

    pub(crate) fn register_min_secs(&self) -> u32 {
        self.register_min_secs
    }

    pub(crate) fn register_max_secs(&self) -> u32 {
        self.register_max_secs
    }

    /// Most contacts of one account.
    pub(crate) fn contacts(&self) -> usize {
        self.contacts
    }

    /// The tenant a host means: by its domain, by the domain `*`, or as the only one.
    pub(crate) fn tenant_of(&self, host: &str) -> Option<TenantId> {
        let named = self.tenant_named(host).or_else(|| self.tenant_named("*"));
        named.or_else(|| match self.tenants.len() {
            1 => self.tenants.keys().next().copied(),
            _ => None,
        })
    }

    /// The tenant that has this very domain.
    pub(crate) fn tenant_named(&self, host: &str) -> Option<TenantId> {
        if let Some(tenant) = self.domains.get(host) {
            return Some(*tenant);
        }
        self.domains.get(&host.to_ascii_lowercase()).copied()
    }

    /// The digest realm of a tenant: its first domain; `cordboard` when it has none.
    pub(crate) fn realm(&self, tenant: TenantId) -> &str {
        self.tenants.get(&tenant).map_or(NO_REALM, |tenant| tenant.realm.as_str())
    }

    /// The same, for who keeps what accounts prove themselves by.
    pub fn realm_of(tenant: &Tenant) -> &str {
        tenant.domains.first().map(String::as_str).filter(|realm| !realm.is_empty()).unwrap_or(NO_REALM)
    }

    /// An account proves itself by this secret from now on, which is as good as the one of the configuration was.
    pub fn set_secret(&mut self, user: &UserId, secret: PhoneSecret) {
        let of_tenant = self.tenants.get_mut(&user.tenant);
        if let Some(account) = of_tenant.and_then(|tenant| tenant.accounts.get_mut(&user.name)) {
            (account.ha1_md5, account.ha1_sha256) = (secret.md5, secret.sha256);
        }
    }

    pub(crate) fn account(&self, tenant: TenantId, name: &str) -> Option<&Account> {
        self.tenants.get(&tenant)?.accounts.get(name)
    }

    /// What this address is told as ours, where that is not what all are told.
    pub(crate) fn told(&self, remote: IpAddr) -> Option<IpAddr> {
        self.told.get(&remote.to_canonical()).copied()
    }

    /// Whether this is an emergency number of any tenant: all that can be said before it is known who calls.
    pub(crate) fn is_help(&self, number: &str) -> bool {
        self.help.contains(number)
    }

    /// Whether a call to this number is one for help: of the tenant's own numbers, by an account, or by a trunk whose
    /// callers may.
    pub(crate) fn is_urgent(&self, tenant: TenantId, trunk: Option<&TrunkId>, number: &str) -> bool {
        let help = self.tenants.get(&tenant).and_then(|part| part.help.as_ref());
        help.is_some_and(|help| {
            help.numbers.iter().any(|known| known == number)
                && trunk.is_none_or(|trunk| help.trunks.contains(trunk))
        })
    }

    /// A trunk one of whose peers is in this network.
    pub(crate) fn trunk_among(&self, network: &Network) -> Option<&TrunkId> {
        let mut among = self.trunks.iter().filter(|(address, _)| network.contains(**address));
        among.find_map(|(_, peers)| peers.first()).map(|(_, id)| id)
    }

    /// The trunk whose peer this address is.
    pub(crate) fn trunk_of(&self, source: SocketAddr) -> Option<&TrunkId> {
        let peers = self.trunks.get(&source.ip().to_canonical())?;
        let is = |port: &u16| *port == 0 || *port == source.port();
        peers.iter().find(|(port, _)| is(port)).map(|(_, id)| id)
    }
}

fn secs(duration: core::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
