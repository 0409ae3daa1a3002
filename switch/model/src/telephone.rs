//! What a telephone of an account needs to be set up, and which are registered.

use crate::id::UserId;
use crate::view::ContactView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where telephones reach the switch.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SipServer {
    /// "udp", "tcp", "tls", "ws" or "wss".
    pub transport: String,
    /// Its address; none where it is whatever address reaches this machine.
    pub address: Option<String>,
    /// Its port.
    pub port: u16,
}

/// An account as a telephone is set up for it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TelephonesView {
    /// The account; its name is the user name of digest, too.
    pub account: UserId,
    /// What stands behind the `@`, and the realm of its password.
    pub domain: String,
    /// Where it registers, best first.
    pub servers: Vec<SipServer>,
    /// What is registered with it.
    pub devices: Vec<ContactView>,
}
