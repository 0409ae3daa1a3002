//! Hosts of URIs and Via (RFC 3261 25.1 `hostport` and `sent-by`, RFC 5118).
//! rsip's `HostWithPort` is not used: it cuts at the first colon, so every IPv6 reference is
//! taken apart, and a port that is no number becomes an error of another layer.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host name or address, printed as it came. Names compare without regard to case, addresses
/// by their value.
#[derive(Clone, Debug)]
pub struct Host {
    text: Box<str>,
    ip: Option<IpAddr>,
}

impl Host {
    /// Reads a host: a name, an IPv4 address or an IPv6 reference in brackets. `None` when
    /// malformed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let ip = parse_v6(inner.strip_suffix(']')?)?;
            return Some(Self { text: text.into(), ip: Some(IpAddr::V6(ip)) });
        }
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if text.is_empty() || text.len() > MAX_HOST_BYTES || !text.bytes().all(named) {
            return None;
        }
        let ip = match text.as_bytes().first() {
            Some(byte) if byte.is_ascii_digit() => text.parse().ok().map(IpAddr::V4),
            _ => None,
        };
        Some(Self { text: text.into(), ip })
    }

    /// The host as it is printed; an IPv6 address stands in brackets.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address, unless this is a name.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// Reads `host [ ":" port ]`, blanks allowed around the colon when `blanks` says so.
    pub(crate) fn parse_with_port(text: &str, blanks: bool) -> Option<(Self, Option<u16>)> {
        let end = match text.strip_prefix('[') {
            Some(_) => text.find(']')? + 1,
            None => text.find(':').unwrap_or(text.len()),
        };
        let trim = |part| {
            if blanks { super::scan::trim(part) } else { part }
        };
        let host = Self::parse(trim(text.get(..end)?))?;
        let rest = trim(text.get(end..)?);
        let Some(port) = rest.strip_prefix(':') else {
            return rest.is_empty().then_some((host, None));
        };
        let port = super::scan::digits(trim(port))?;
        match u16::try_from(port) {
            Ok(port) if port != 0 => Some((host, Some(port))),
            _ => None,
        }
    }
}

/// Bytes of a host name: a domain name has at most 253, and 255 with its length bytes.
const MAX_HOST_BYTES: usize = 255;

/// An IPv6 address; a third colon in a row is read as two, for the grammar of RFC 3261 allows
/// it by mistake and RFC 5118 4.10 asks to be lenient.
fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    text.contains(":::").then(|| text.replacen(":::", "::", 1).parse().ok()).flatten()
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => Self { text: format!("[{v6}]").into(), ip: Some(ip) },
        }
    }
}

impl From<Ipv4Addr> for Host {
    fn from(ip: Ipv4Addr) -> Self {
        Self { text: ip.to_string().into(), ip: Some(IpAddr::V4(ip)) }
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self.ip, other.ip) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self.text.eq_ignore_ascii_case(&other.text),
            _ => false,
        }
    }
}

impl Eq for Host {}

impl Hash for Host {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ip.hash(state);
        if self.ip.is_none() {
            self.text.to_ascii_lowercase().hash(state);
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_port(text: &str) -> Option<(String, Option<u16>)> {
        Host::parse_with_port(text, true).map(|(host, port)| (host.to_string(), port))
    }

    #[test]
    fn a_port_inside_the_brackets_belongs_to_the_address() {
        assert_eq!(with_port("[2001:db8::10:5070]"), Some(("[2001:db8::10:5070]".into(), None)));
        assert_eq!(with_port("[2001:db8::10]:5070"), Some(("[2001:db8::10]".into(), Some(5070))));
        assert_eq!(with_port("2001:db8::10"), None);
    }

    #[test]
    fn blanks_may_stand_around_the_colon_of_sent_by() {
        assert_eq!(with_port("192.0.2.1 : 5060"), Some(("192.0.2.1".into(), Some(5060))));
        assert!(Host::parse_with_port("192.0.2.1 : 5060", false).is_none());
    }

    #[test]
    fn damaged_hosts_and_ports_are_refused() {
        let bad = [
            "",
            ":5060",
            "a:",
            "a:x",
            "a:-1",
            "a:0",
            "a:65536",
            "a:99999999999999999999",
            "[",
            "[]",
            "[::1",
            "::1]",
            "[::1]x",
            "a b",
            "a@b",
            "[fe80::1%eth0]",
            "ä.example",
        ];
        for text in bad {
            assert_eq!(with_port(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_compare_by_value_names_without_case() {
        let host = |text| Host::parse(text).unwrap();
        assert_eq!(host("[2001:db8::192.0.2.1]"), host("[2001:DB8:0:0::c000:201]"));
        assert_eq!(host("[2001:db8:::192.0.2.1]"), host("[2001:db8::c000:201]"));
        assert_eq!(host("EXAMPLE.com"), host("example.COM"));
        assert_ne!(host("192.0.2.1"), host("[::ffff:192.0.2.1]"));
        assert_eq!(host("[::ffff:192.0.2.10]").as_str(), "[::ffff:192.0.2.10]");
    }
}
