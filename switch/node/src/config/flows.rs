//! What `[sip]` says of flows.

use super::section::Section;
use super::value::{duration, integer};
use cordboard_model::flows::SipFlows;
use core::time::Duration;

/// The keys that are read here, of `[sip]`.
pub(super) const KEYS: [&str; 4] = ["tcp_above", "flow_timer", "subscriptions", "account_subscriptions"];

/// Reads them.
pub(super) fn read(sip: &Section<'_>) -> SipFlows {
    let d = SipFlows::default();
    let s = Duration::from_secs;
    SipFlows {
        tcp_above: sip.or("tcp_above", d.tcp_above, integer(0..=65_535, "bytes")),
        flow_timer: sip.or("flow_timer", d.flow_timer, duration(s(20)..=s(840))),
        subscriptions: sip.or("subscriptions", d.subscriptions, integer(0..=1_000_000, "subscriptions")),
        account_subscriptions: sip.or(
            "account_subscriptions",
            d.account_subscriptions,
            integer(0..=10_000, "subscriptions"),
        ),
    }
}
