//! How SIP reaches its peers: what goes over which transport, and what is kept for them.

use crate::time::Duration;
use serde::{Deserialize, Serialize};

/// Limits of flows, subscriptions and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipFlows {
    /// A request longer than this, in bytes, leaves by TCP where it would leave by UDP and the switch listens on TCP
    /// (RFC 3261 18.1.1); 1,300. Zero: never.
    pub tcp_above: u32,
    /// How often a device keeps its flow alive, as it is asked to (RFC 5626 4.4); 120 s.
    pub flow_timer: Duration,
    /// Most subscriptions (RFC 6665) at a time; 20,000, of 2 KB each.
    pub subscriptions: u32,
    /// Most of one account: a panel of keys for colleagues, and some; 200.
    pub account_subscriptions: u32,
}

impl Default for SipFlows {
    fn default() -> Self {
        Self {
            tcp_above: 1_300,
            flow_timer: Duration::from_secs(120),
            subscriptions: 20_000,
            account_subscriptions: 200,
        }
    }
}
