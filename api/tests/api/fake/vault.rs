//! What is kept of keys, people and the audit log, in memory; with a clock that tests move. A password's hash is the password with
//! a word before it: what makes hashes is tested where it is.

use super::Fake;
use cordboard_api::switch::{Later, Refusal};
use cordboard_api::vault::{NewPassword, Vault};
use cordboard_model::access::{
    AccessTerms, AccessWrite, AuditEntry, AuditFilter, Kept, KeyRecord, UserRecord, UserSession,
};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::once::PageSession;
use cordboard_model::signin::{PasswordFault, PasswordHash, SignInFault, SignInRules};
use cordboard_model::time::Wall;
use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// When it begins: 2026-11-21 00:00 UTC.
pub const BEGIN: Wall = Wall(1_795_219_200_000);

/// What is kept.
#[derive(Default)]
pub struct Chest {
    pub now: Option<Wall>,
    pub terms: BTreeMap<TenantId, AccessTerms>,
    pub keys: BTreeMap<(TenantId, Name), KeyRecord>,
    pub users: BTreeMap<(TenantId, Name), UserRecord>,
    pub sessions: BTreeMap<(TenantId, Name), UserSession>,
    pub once: BTreeSet<[u8; 16]>,
    pub answers: BTreeMap<[u8; 16], ([u8; 32], String)>,
    pub pages: BTreeMap<(TenantId, Name), PageSession>,
    pub log: Vec<AuditEntry>,
    /// What is shown once waits for a turn here, if there is such a gate.
    pub gate: Option<Arc<Semaphore>>,
    /// It is not said how a request was answered.
    pub deaf: bool,
    /// The audit log cannot be written.
    pub down: bool,
    drawn: u64,
}

/// Shared by the clones of a fake.
#[derive(Default)]
pub struct Shelf(Mutex<Chest>);

impl Shelf {
    pub fn open(&self) -> MutexGuard<'_, Chest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chest {
    fn put(&mut self, write: AccessWrite) {
        match write {
            AccessWrite::Key(key) => _ = self.keys.insert((key.tenant, key.id.clone()), *key),
            AccessWrite::User(user) | AccessWrite::NewUser(user) => {
                self.users.insert((user.tenant, user.name.clone()), *user);
            }
            AccessWrite::NoUser(tenant, name) => _ = self.users.remove(&(tenant, name)),
            AccessWrite::Session(session) => {
                self.sessions.insert((session.tenant, session.id.clone()), *session);
            }
            AccessWrite::NoSession(tenant, id) => _ = self.sessions.remove(&(tenant, id)),
            AccessWrite::Once(shown) => _ = self.once.insert(shown.mark),
            AccessWrite::NotOnce(mark) => _ = self.once.remove(&mark),
            AccessWrite::OnceAnswer(given) => {
                self.answers.insert(given.mark, (given.request, given.answer));
            }
            AccessWrite::Page(page) => {
                self.pages.insert((page.agent.tenant, page.id.clone()), *page);
            }
            AccessWrite::NoPage(tenant, id) => _ = self.pages.remove(&(tenant, id)),
        }
    }
}

fn later<T: Send + 'static>(answer: Result<T, Refusal>) -> Later<T> {
    Box::pin(ready(answer))
}

/// What becomes of a password here.
pub fn hashed(password: &str) -> PasswordHash {
    PasswordHash(format!("hash-of-{password}"))
}

impl Vault for Fake {
    fn moment(&self) -> Wall {
        self.shelf.open().now.unwrap_or(BEGIN)
    }

    /// Never the same twice, and from nowhere.
    fn random(&self, bytes: &mut [u8]) -> Result<(), Refusal> {
        let mut chest = self.shelf.open();
        for byte in bytes {
            chest.drawn =
                chest.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (chest.drawn >> 56) as u8;
        }
        Ok(())
    }

    fn access(&self, tenant: TenantId) -> Option<(AccessTerms, SignInRules)> {
        let terms = self.shelf.open().terms.get(&tenant).cloned().unwrap_or_default();
        self.keys.values().any(|known| *known == tenant).then(|| (terms, SignInRules::default()))
    }

    fn allows_origin(&self, origin: &str) -> bool {
        self.shelf.open().terms.values().any(|terms| terms.origins.contains(origin))
    }

    fn is_password(&self, password: Secret, known: Option<PasswordHash>) -> Later<bool> {
        later(Ok(known.is_some_and(|known| known == hashed(&password.0))))
    }

    fn new_password(&self, new: NewPassword) -> Later<PasswordHash> {
        let hash = hashed(&new.password.0);
        let fault = match new.password.0.len() {
            0..8 => Some(PasswordFault::Short(8)),
            _ if new.former.contains(&hash) => Some(PasswordFault::Former(3)),
            _ => None,
        };
        later(fault.map_or(Ok(hash), |fault| Err(Refusal::SignIn(SignInFault::Password(fault)))))
    }

    fn kept(&self) -> Later<Kept> {
        let chest = self.shelf.open();
        let (keys, sessions) = (chest.keys.values().cloned(), chest.sessions.values().cloned());
        let pages = chest.pages.values().cloned().collect();
        later(Ok(Kept { keys: keys.collect(), sessions: sessions.collect(), pages }))
    }

    fn user(&self, tenant: TenantId, name: Name) -> Later<Option<UserRecord>> {
        later(Ok(self.shelf.open().users.get(&(tenant, name)).cloned()))
    }

    fn users(&self, tenant: TenantId) -> Later<Vec<UserRecord>> {
        let chest = self.shelf.open();
        later(Ok(chest.users.values().filter(|user| user.tenant == tenant).cloned().collect()))
    }

    fn answer(&self, mark: [u8; 16]) -> Later<Option<([u8; 32], String)>> {
        let chest = self.shelf.open();
        later(if chest.deaf { Err(Refusal::Busy(1)) } else { Ok(chest.answers.get(&mark).cloned()) })
    }

    fn keep(&self, writes: Vec<AccessWrite>) -> Later<()> {
        let mut chest = self.shelf.open();
        if let Some(gate) = chest.gate.clone()
            && writes.iter().any(|write| matches!(write, AccessWrite::Once(_)))
        {
            let fake = self.clone();
            return Box::pin(async move {
                // A gate is never closed for good.
                if let Ok(turn) = gate.acquire().await {
                    turn.forget();
                }
                fake.shelf.open().gate = None;
                fake.keep(writes).await
            });
        }
        if chest.down && writes.iter().any(|write| matches!(write, AccessWrite::Once(_))) {
            return later(Err(Refusal::Busy(1)));
        }
        let taken = writes.iter().any(|write| match write {
            AccessWrite::NewUser(user) => chest.users.contains_key(&(user.tenant, user.name.clone())),
            AccessWrite::Once(shown) => chest.once.contains(&shown.mark),
            _ => false,
        });
        if taken {
            return later(Err(Refusal::Named("exists", "there is one of that name already".into())));
        }
        writes.into_iter().for_each(|write| chest.put(write));
        later(Ok(()))
    }

    fn note(&self, entries: Vec<AuditEntry>) -> Later<()> {
        let mut chest = self.shelf.open();
        if chest.down {
            return later(Err(Refusal::Busy(1)));
        }
        for entry in entries {
            let id = chest.log.len() as u64 + 1;
            chest.log.push(AuditEntry { id, ..entry });
        }
        later(Ok(()))
    }

    fn audit_is_down(&self) -> Option<String> {
        self.shelf.open().down.then(|| "no space left for the database".to_owned())
    }

    fn audit(&self, tenant: TenantId, filter: AuditFilter) -> Later<Vec<AuditEntry>> {
        let chest = self.shelf.open();
        let wanted = |entry: &&AuditEntry| {
            let is = |asked: &Option<String>, has: &str| asked.as_ref().is_none_or(|asked| asked == has);
            entry.tenant == tenant
                && is(&filter.who, &entry.who)
                && is(&filter.action, &entry.action)
                && is(&filter.resource, &entry.resource)
                && is(&filter.source, &entry.from)
                && filter.outcome.is_none_or(|outcome| outcome == entry.outcome)
                && filter.from.is_none_or(|from| entry.at >= from)
                && filter.to.is_none_or(|to| entry.at < to)
                && filter.before.is_none_or(|before| (entry.at, entry.id) < before)
        };
        let found = chest.log.iter().rev().filter(wanted).take(filter.limit as usize);
        later(Ok(found.cloned().collect()))
    }
}
