//! Agents for whom an enterprise's own server speaks: what is configured of it.

use serde::{Deserialize, Serialize};

/// What is configured of a tenant's enterprise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThirdPartyTerms {
    /// Where it is asked whether an access token is good.
    pub url: String,
    /// What the enterprise's page calls the tenant.
    pub space: String,
    /// An agent who is signed in elsewhere is signed out there.
    pub take_over: bool,
}
