//! Applications of other systems that act for a tenant: what is configured of them.

use crate::config::Secret;
use crate::id::Name;
use serde::{Deserialize, Serialize};

/// By what an application says who an agent is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// By a token that it has signed.
    Signed {
        /// The key that it signs with: an RSA public key in DER (RFC 8017 A.1.1).
        key: Vec<u8>,
        /// Longest time that a token may have left.
        longest: core::time::Duration,
    },
    /// By the access token that the agent has of another system, which is asked whose it is.
    Asked {
        /// Where it is asked: what OpenID Connect calls the UserInfo endpoint.
        url: String,
        /// The field of its answer that says who the agent is.
        field: String,
    },
}

/// One.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its name.
    pub name: Name,
    /// What it says that it is.
    pub client_id: String,
    /// What it shows for that.
    pub secret: Secret,
    /// Who signs tokens about agents, as its tokens say; of an application whose system is asked, what it says as `subject_issuer`.
    pub issuer: String,
    /// By what it says who an agent is.
    pub proof: Proof,
    /// It may ask for management actions.
    pub actions: bool,
    /// What it calls the tenant.
    pub instance: String,
}
