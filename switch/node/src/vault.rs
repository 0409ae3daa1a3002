//! What the control plane keeps of who may ask: the database, the configuration and the operating system's random bytes.

use crate::clock::wall_now;
use crate::switch::{NodeSwitch, store_refusal};
use cordboard_api::switch::{Later, Refusal};
use cordboard_api::vault::{NewPassword, Vault};
use cordboard_core::signin::judge;
use cordboard_model::access::{AccessTerms, AccessWrite, AuditEntry, AuditFilter, Kept, UserRecord};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::signin::{HashWork, Hashed, PasswordFault, PasswordHash, SignInFault, SignInRules};
use cordboard_model::time::Wall;
use cordboard_store::StoreError;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::Arc;
use std::time::Duration;

/// Longest time that a change may wait for the database.
const KEEP: Duration = Duration::from_secs(5);
/// How often logs are cut at their old ends.
const CUT: Duration = Duration::from_secs(3_600);

fn refused(why: StoreError) -> Refusal {
    match why {
        StoreError::Exists => Refusal::Named("exists", why.to_string()),
        other => store_refusal(other),
    }
}

impl NodeSwitch {
    fn keeping(&self, writes: Vec<AccessWrite>, entries: Vec<AuditEntry>) -> Later<()> {
        let store = Arc::clone(&self.store);
        Box::pin(async move {
            let kept = tokio::time::timeout(KEEP, store.keep(writes, entries)).await;
            kept.unwrap_or(Err(StoreError::Busy)).map_err(refused)
        })
    }
}

impl Vault for NodeSwitch {
    fn moment(&self) -> Wall {
        wall_now()
    }

    fn random(&self, bytes: &mut [u8]) -> Result<(), Refusal> {
        let random = SystemRandom::new().fill(bytes);
        random.map_err(|_| Refusal::Internal("the operating system gives no random bytes".to_owned()))
    }

    fn access(&self, tenant: TenantId) -> Option<(AccessTerms, SignInRules)> {
        let loaded = self.reloader.current();
        let tenant = loaded.snapshot.tenant(tenant)?;
        Some((tenant.access.clone(), tenant.sign_in.rules.clone()))
    }

    fn allows_origin(&self, origin: &str) -> bool {
        self.reloader.lists(origin)
    }

    fn is_password(&self, password: Secret, known: Option<PasswordHash>) -> Later<bool> {
        let hasher = self.hasher.clone();
        Box::pin(async move {
            match hasher.work(None, HashWork { check: Some((password, known)), make: None }).await {
                Hashed::Done { right, .. } => Ok(right),
                Hashed::Busy => Err(Refusal::SignIn(SignInFault::Busy)),
            }
        })
    }

    fn new_password(&self, new: NewPassword) -> Later<PasswordHash> {
        let (hasher, terms) = (self.hasher.clone(), self.access(new.tenant));
        Box::pin(async move {
            let NewPassword { user, password, former, .. } = new;
            let rules = terms.map(|(_, rules)| rules).unwrap_or_default();
            let refused = |fault| Refusal::SignIn(SignInFault::Password(fault));
            judge(&rules, false, user.as_str(), &password.0).map_err(refused)?;
            match hasher.work(None, HashWork { check: None, make: Some((password, former)) }).await {
                Hashed::Done { made: Some(hash), .. } => Ok(hash),
                Hashed::Done { .. } => Err(refused(PasswordFault::Former(rules.history))),
                Hashed::Busy => Err(Refusal::SignIn(SignInFault::Busy)),
            }
        })
    }

    fn kept(&self) -> Later<Kept> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.kept().await.map_err(refused) })
    }

    fn user(&self, tenant: TenantId, name: Name) -> Later<Option<UserRecord>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.user(tenant, &name).await.map_err(refused) })
    }

    fn users(&self, tenant: TenantId) -> Later<Vec<UserRecord>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.users(tenant).await.map_err(refused) })
    }

    fn answer(&self, mark: [u8; 16]) -> Later<Option<([u8; 32], String)>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.answer(mark).await.map_err(refused) })
    }

    fn keep(&self, writes: Vec<AccessWrite>) -> Later<()> {
        self.keeping(writes, Vec::new())
    }

    fn note(&self, entries: Vec<AuditEntry>) -> Later<()> {
        self.keeping(Vec::new(), entries)
    }

    fn audit_is_down(&self) -> Option<String> {
        self.store.status().down.map(|why| why.to_string())
    }

    fn audit(&self, tenant: TenantId, filter: AuditFilter) -> Later<Vec<AuditEntry>> {
        let store = Arc::clone(&self.store);
        Box::pin(async move { store.audit(tenant, &filter).await.map_err(refused) })
    }
}

/// Cuts the audit logs at their old ends, as each tenant's configuration says.
pub(crate) async fn cut_logs(switch: Arc<NodeSwitch>) {
    loop {
        let loaded = switch.reloader.current();
        for (tenant, config) in &loaded.snapshot.tenants {
            let keep = i64::try_from(config.access.audit_keep.as_millis()).unwrap_or(i64::MAX);
            let before = Wall(wall_now().0.saturating_sub(keep));
            if let Err(why) = switch.store.cut_audit(*tenant, before).await {
                tracing::warn!(%tenant, %why, "the audit log cannot be cut at its old end");
            }
        }
        tokio::time::sleep(CUT).await;
    }
}
