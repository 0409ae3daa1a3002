//! Whether streams are secured: the same two keys for a tenant, an account and a trunk.

use super::section::Section;
use super::value::{boolean, one_of};
use cordboard_model::config::{Gateway, NamedGateway, SipTransport};
use cordboard_model::srtp::{SrtpPolicy, SrtpRule};

const POLICIES: &[(&str, SrtpPolicy)] = &[
    ("off", SrtpPolicy::Off),
    ("optional", SrtpPolicy::Optional),
    ("required", SrtpPolicy::Required),
    ("dtls", SrtpPolicy::Dtls),
];

/// The rule of a section; what it does not say stands in the one above it.
pub(super) fn read(section: &Section<'_>, above: SrtpRule) -> SrtpRule {
    SrtpRule {
        policy: section.or("srtp", above.policy, one_of(POLICIES)),
        without_tls: section.or("srtp_without_tls", above.without_tls, boolean),
    }
}

/// Says where every call to a gateway would fail: its keys would have to be told in the clear, and may not.
pub(super) fn check(section: &Section<'_>, rule: SrtpRule, gateways: &[Gateway], named: &[NamedGateway]) {
    let is_clear = |transport: SipTransport| transport != SipTransport::Tls;
    let clear = gateways.iter().any(|gateway| is_clear(gateway.transport))
        || named.iter().any(|gateway| gateway.transport.is_some_and(is_clear));
    if rule.policy == SrtpPolicy::Required && !rule.without_tls && clear {
        let pos = section.has("srtp").unwrap_or(section.pos);
        let why = "calls to a gateway without transport = \"tls\" could not be secured: whoever hears the signalling \
                   has the keys. Give it transport = \"tls\", or srtp_without_tls = true where another tunnel hides them";
        section.conflict("srtp", pos, why);
    }
}
