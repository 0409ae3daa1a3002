//! Via (RFC 3261 20.42, 18.2; rport RFC 3581).
//!
//! rsip's typed Via is not used: it refuses the blanks around `/` that RFC 4475 3.1.1.1 has and
//! every transport it does not know. Its `Transport` is sound, and reads the known ones here.

use super::{Host, Params, scan};
use std::fmt;
use std::net::IpAddr;

/// What every branch of RFC 3261 begins with; a branch without it is of RFC 2543.
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// A transport as Via and the `transport` parameter name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// SCTP (RFC 4168).
    Sctp,
    /// TLS over SCTP (RFC 4168).
    TlsSctp,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS (RFC 7118).
    Wss,
    /// A transport this list does not know, as it came.
    Other(Box<str>),
}

impl Transport {
    /// Reads a transport token in any case; `None` if it is no token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(known) = text.parse::<rsip::Transport>() {
            return Some(known.into());
        }
        scan::is_token(text).then(|| Self::Other(text.into()))
    }

    /// The transport as Via prints it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::TlsSctp => "TLS-SCTP",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(other) => other,
        }
    }

    /// The port when none is written: 5061 over TLS, 80 and 443 for WebSocket, else 5060
    /// (RFC 3261 18.2.2, 19.1.2; RFC 7118).
    #[must_use]
    pub const fn default_port(&self) -> u16 {
        match self {
            Self::Tls | Self::TlsSctp => 5061,
            Self::Ws => 80,
            Self::Wss => 443,
            Self::Udp | Self::Tcp | Self::Sctp | Self::Other(_) => 5060,
        }
    }
}

impl From<rsip::Transport> for Transport {
    fn from(transport: rsip::Transport) -> Self {
        match transport {
            rsip::Transport::Udp => Self::Udp,
            rsip::Transport::Tcp => Self::Tcp,
            rsip::Transport::Tls => Self::Tls,
            rsip::Transport::Sctp => Self::Sctp,
            rsip::Transport::TlsSctp => Self::TlsSctp,
            rsip::Transport::Ws => Self::Ws,
            rsip::Transport::Wss => Self::Wss,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One Via: who sent the message, and where answers go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The transport the message was sent over.
    pub transport: Transport,
    /// The host of sent-by.
    pub host: Host,
    /// The port of sent-by, if one was written.
    pub port: Option<u16>,
    /// All parameters, branch, received and rport among them.
    pub params: Params,
}

impl Via {
    /// A Via with this branch; `rport` is asked for (RFC 3581) when `rport` says so.
    #[must_use]
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str, rport: bool) -> Self {
        let mut params = Params::new();
        if rport {
            params.set("rport", None);
        }
        params.set("branch", Some(branch));
        Self { transport, host, port, params }
    }

    /// Reads one Via. `None` when malformed or not of SIP/2.0.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let (version, mut via, params) = Self::parse_sent_by(value)?;
        via.params = Params::parse_header(params)?;
        (version == "2.0").then_some(via)
    }

    /// Reads as much as an answer needs from a Via whose parameters are damaged or that is of
    /// another version; the answer then says SIP/2.0, which is what we speak.
    pub(crate) fn salvage(value: &str) -> Option<Self> {
        let (_, mut via, params) = Self::parse_sent_by(value)?;
        via.params = Params::salvage_header(params);
        Some(via)
    }

    fn parse_sent_by(value: &str) -> Option<(&str, Self, &str)> {
        let (name, rest) = value.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        if !scan::trim(name).eq_ignore_ascii_case("SIP") {
            return None;
        }
        let rest = scan::trim(rest);
        let (transport, rest) = rest.split_at_checked(rest.find([' ', '\t'])?)?;
        let transport = Transport::parse(transport)?;
        let (sent_by, params) = rest.split_at_checked(rest.find(';').unwrap_or(rest.len()))?;
        let (host, port) = Host::parse_with_port(scan::trim(sent_by), true)?;
        Some((scan::trim(version), Self { transport, host, port, params: Params::new() }, params))
    }

    /// The branch; `None` when absent, as in RFC 2543.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.get("branch").filter(|branch| !branch.is_empty())
    }

    /// Whether the branch is of RFC 3261: the magic cookie and something after it.
    #[must_use]
    pub fn has_magic_cookie(&self) -> bool {
        self.branch().is_some_and(|b| b.len() > MAGIC_COOKIE.len() && b.starts_with(MAGIC_COOKIE))
    }

    /// The address the message came from, as an earlier hop noted it. Brackets around an IPv6
    /// address are accepted (RFC 5118 4.5).
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let value = self.params.get("received")?;
        let bare = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(value);
        bare.parse().ok()
    }

    /// RFC 3581: `None` when there is no `rport`, `Some(None)` when the sender asks for it,
    /// `Some(Some(port))` when it is filled in.
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|value| value.parse().ok().filter(|&port| port != 0))
    }

    /// Notes the source address (RFC 3261 18.2.1, RFC 3581 4).
    pub fn set_received(&mut self, ip: IpAddr) {
        self.params.set("received", Some(&ip.to_string()));
    }

    /// Fills in the source port (RFC 3581 4).
    pub fn set_rport(&mut self, port: u16) {
        self.params.set("rport", Some(&port.to_string()));
    }

    /// The port of sent-by, or the default of the transport.
    #[must_use]
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| self.transport.default_port())
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_may_stand_between_all_parts() {
        let via =
            Via::parse("SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8").unwrap();
        assert_eq!(via.to_string(), "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8");
        assert_eq!(via.port_or_default(), 5060);
        assert!(via.has_magic_cookie());
    }

    #[test]
    fn unknown_transports_are_kept() {
        let via = Via::parse("SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bK1").unwrap();
        assert_eq!(via.transport, Transport::Other("UNKNOWN".into()));
        assert_eq!(Transport::parse("tls-sctp"), Some(Transport::TlsSctp));
    }

    #[test]
    fn rport_and_received_are_filled_in() {
        let mut via = Via::parse("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff").unwrap();
        assert_eq!(via.rport(), Some(None));
        via.set_received("192.0.2.1".parse().unwrap());
        via.set_rport(9988);
        assert_eq!(
            via.to_string(),
            "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=z9hG4bKkjshdyff;received=192.0.2.1"
        );
        assert_eq!((via.rport(), via.received()), (Some(Some(9988)), "192.0.2.1".parse().ok()));
    }

    #[test]
    fn a_received_ipv6_address_may_stand_in_brackets() {
        for text in ["2001:db8::9:255", "[2001:db8::9:255]"] {
            let via = Via::parse(&format!("SIP/2.0/UDP [2001:db8::9:1];received={text}")).unwrap();
            assert_eq!(via.received(), "2001:db8::9:255".parse().ok());
        }
    }

    #[test]
    fn damaged_vias_are_refused_and_salvaged_for_an_answer() {
        let bad = [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0 host",
            "SIP/3.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP 192.0.2.15;;",
            "SIP/2.0/UDP h:x",
            ";",
            "SIP/2.0/U@P h",
        ];
        for value in bad {
            assert!(Via::parse(value).is_none(), "{value}");
        }
        let via = Via::salvage("SIP/2.0/UDP 192.0.2.15:5070;branch=z9hG4bK1;;").unwrap();
        assert_eq!(via.to_string(), "SIP/2.0/UDP 192.0.2.15:5070;branch=z9hG4bK1");
    }

    #[test]
    fn the_cookie_alone_is_no_branch_of_rfc_3261() {
        assert!(!Via::parse("SIP/2.0/UDP h;branch=z9hG4bK").unwrap().has_magic_cookie());
        assert!(!Via::parse("SIP/2.0/UDP h;branch=390skdjuw").unwrap().has_magic_cookie());
        assert_eq!(Via::parse("SIP/2.0/UDP h").unwrap().branch(), None);
    }
}
