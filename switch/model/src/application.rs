//! Applications of other systems that act for a tenant: what is configured of them.

use crate::config::Secret;
use crate::id::Name;
use serde::{Deserialize, Serialize};

/// One.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its name.
    pub name: Name,
    /// What it says that it is.
    pub client_id: String,
    /// What it shows for that.
    pub secret: Secret,
    /// Who signs tokens about agents, as its tokens say.
    pub issuer: String,
    /// The key that its tokens are signed with: an RSA public key in DER (RFC 8017 A.1.1).
    pub key: Vec<u8>,
    /// It may ask for management actions.
    pub actions: bool,
    /// What it calls the tenant.
    pub instance: String,
    /// Longest time that a token may have left.
    pub longest: core::time::Duration,
}
