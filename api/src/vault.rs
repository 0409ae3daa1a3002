//! What the control plane keeps at the switch of who may ask: keys, people, sessions, the audit log. `node` implements it over
//! the database.
//!
//! Invariant: what is kept is committed when the answer comes, and no answer holds a password or a key that could be used.

use crate::switch::{Later, Refusal};
use cordboard_model::access::{AccessTerms, AccessWrite, AuditEntry, AuditFilter, Kept, UserRecord};
use cordboard_model::config::Secret;
use cordboard_model::id::{Name, TenantId};
use cordboard_model::signin::{PasswordHash, SignInRules};
use cordboard_model::time::Wall;

/// What a password is compared with, or becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPassword {
    /// Of whose tenant the rules are.
    pub tenant: TenantId,
    /// Whose it is to be: it may not be his name.
    pub user: Name,
    /// It.
    pub password: Secret,
    /// Those that it may not be.
    pub former: Vec<PasswordHash>,
}

/// See the module.
pub trait Vault: Send + Sync + 'static {
    /// What time it is.
    fn moment(&self) -> Wall;
    /// Fills this with bytes that nobody can guess.
    ///
    /// # Errors
    /// The operating system gives none.
    fn random(&self, bytes: &mut [u8]) -> Result<(), Refusal>;
    /// What is configured of who may administrate a tenant, and its rules for passwords; none if there is no such tenant.
    fn access(&self, tenant: TenantId) -> Option<(AccessTerms, SignInRules)>;
    /// Whether pages of this origin may read answers of some tenant's.
    fn allows_origin(&self, origin: &str) -> bool;
    /// Whether this is the password of that hash. Where there is none it takes as long to say no.
    fn is_password(&self, password: Secret, known: Option<PasswordHash>) -> Later<bool>;
    /// The hash of a new password; refused if the tenant's rules do not take it.
    fn new_password(&self, new: NewPassword) -> Later<PasswordHash>;
    /// Keys and sessions of all tenants.
    fn kept(&self) -> Later<Kept>;
    /// A person.
    fn user(&self, tenant: TenantId, name: Name) -> Later<Option<UserRecord>>;
    /// The people of a tenant, by their names.
    fn users(&self, tenant: TenantId) -> Later<Vec<UserRecord>>;
    /// How a request of this mark was answered, and a hash of it; none if that was not kept.
    fn answer(&self, mark: [u8; 16]) -> Later<Option<([u8; 32], String)>>;
    /// Keeps all of it, or nothing. A name that is taken is a [`Refusal::Named`] `exists`.
    fn keep(&self, writes: Vec<AccessWrite>) -> Later<()>;
    /// Adds to the audit log.
    fn note(&self, entries: Vec<AuditEntry>) -> Later<()>;
    /// Why nothing can be added to the audit log now, if so.
    fn audit_is_down(&self) -> Option<String>;
    /// A page of a tenant's audit log, newest first.
    fn audit(&self, tenant: TenantId, filter: AuditFilter) -> Later<Vec<AuditEntry>>;
}
