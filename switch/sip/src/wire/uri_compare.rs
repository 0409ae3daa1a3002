//! Equality of URIs (RFC 3261 19.1.4). It is not transitive, as the RFC says itself: a
//! parameter that only one side has is ignored unless it is one of the few that count.

use super::uri::unescape;
use super::{SipUri, Uri};
use std::borrow::Cow;

/// Parameters that "appearing in only one URI" make the URIs differ.
const COUNTING: [&str; 4] = ["user", "ttl", "method", "maddr"];

impl PartialEq for Uri {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sip(a), Self::Sip(b)) => a == b,
            (Self::Other { scheme: a, rest: x }, Self::Other { scheme: b, rest: y }) => {
                a.eq_ignore_ascii_case(b) && x == y
            }
            _ => false,
        }
    }
}

impl PartialEq for SipUri {
    fn eq(&self, other: &Self) -> bool {
        // "A SIP and SIPS URI are never equivalent."
        self.scheme == other.scheme
            // "Comparison of the userinfo of SIP and SIPS URIs is case-sensitive."
            && decoded(self.raw_user()) == decoded(other.raw_user())
            && decoded(self.raw_password()) == decoded(other.raw_password())
            && self.host == other.host
            // "A URI omitting any component with a default value will not match a URI
            // explicitly containing that component with its default value."
            && self.port == other.port
            && same_params(self, other)
            && same_headers(self, other)
    }
}

fn decoded(part: Option<&str>) -> Option<Cow<'_, str>> {
    part.map(unescape)
}

fn same_params(a: &SipUri, b: &SipUri) -> bool {
    agree(a, b) && agree(b, a)
}

/// Every parameter of `a` agrees with `b`: "Any uri-parameter appearing in both URIs must
/// match", and `transport` counts when one side lacks it, for its default is not written.
fn agree(a: &SipUri, b: &SipUri) -> bool {
    a.params.iter().all(|(name, value)| {
        let name = unescape(name);
        let value = unescape(value.unwrap_or_default());
        match b.param(&name) {
            Some(other) => value.eq_ignore_ascii_case(&other),
            None => !COUNTING.iter().chain(&["transport"]).any(|c| name.eq_ignore_ascii_case(c)),
        }
    })
}

/// "URI header components are never ignored. Any present header component MUST be present in
/// both URIs and match for the URIs to match."
fn same_headers(a: &SipUri, b: &SipUri) -> bool {
    let sorted = |uri: &SipUri| {
        let mut list: Vec<(String, String)> =
            uri.headers().map(|(n, v)| (n.to_ascii_lowercase(), v.into_owned())).collect();
        list.sort();
        list
    };
    match (a.raw_headers(), b.raw_headers()) {
        (None, None) => true,
        _ => sorted(a) == sorted(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(a: &str, b: &str) -> bool {
        let (a, b) = (Uri::parse(a).unwrap(), Uri::parse(b).unwrap());
        let (there, back) = (a.eq(&b), b.eq(&a));
        assert_eq!(there, back, "symmetric");
        there
    }

    #[test]
    fn the_pairs_the_rfc_calls_equal() {
        assert!(equal("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
        assert!(equal("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
        assert!(equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"));
        assert!(equal(
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"
        ));
        assert!(equal(
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x"
        ));
    }

    #[test]
    fn the_pairs_the_rfc_calls_different() {
        assert!(!equal("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
        assert!(!equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
        assert!(!equal("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
        assert!(!equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
        assert!(!equal("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
        assert!(!equal("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
        assert!(!equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
        assert!(!equal("sip:a@h", "sips:a@h"));
        assert!(!equal("sip:%00@host5.example.com", "sip:%00%00@host5.example.com"));
        assert!(!equal("sip:a@h", "sip:a@h;user=phone"));
    }
}
