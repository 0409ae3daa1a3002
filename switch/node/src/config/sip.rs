//! `[sip]`: where SIP is spoken, over what, and with which certificates.

use super::machine::{MediaMachine, needs_public, told, told6};
use super::section::{At, Section, Wrong};
use super::tree::{Node, Value};
use super::value::{integer, some_text, wrong};
use crate::transport::{Pair, TlsStore};
use cordboard_sip::engine::Transport;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;
use serde::{Serialize, Serializer};
use std::path::{Path, PathBuf};

/// An address to listen on, and what is spoken there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listen {
    /// UDP unless the configuration says otherwise.
    pub transport: Transport,
    /// Port 0 lets the system choose.
    pub address: SocketAddr,
}

impl Listen {
    /// Whether a certificate is needed.
    pub fn is_secure(&self) -> bool {
        matches!(self.transport, Transport::Tls | Transport::Wss)
    }

    /// Whether browsers connect here.
    pub fn is_websocket(&self) -> bool {
        matches!(self.transport, Transport::Ws | Transport::Wss)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport.as_str(), self.address)
    }
}

impl FromStr for Listen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let named = text.split_once(':').and_then(|(word, rest)| Some((Transport::named(word)?, rest)));
        let (transport, address) = named.unwrap_or((Transport::Udp, text));
        Ok(Self { transport, address: address.parse().map_err(|_| ())? })
    }
}

impl Serialize for Listen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `[sip]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SipMachine {
    /// Where to listen; at least one.
    pub listen: Vec<Listen>,
    /// The address that peers are told instead of the one listened on. Always set when an address
    /// of `listen` is unspecified.
    pub public: Option<IpAddr>,
    /// The same for IPv6, beside an IPv4 address in `public`.
    pub public6: Option<Ipv6Addr>,
    /// Most connections for TCP, TLS and WebSocket.
    pub connections: u32,
    /// Origins of foreign pages that may connect by WebSocket.
    pub origins: Vec<String>,
    /// Certificates.
    pub tls: TlsMachine,
}

impl SipMachine {
    /// What goes into Via and Contact for requests that leave by `bound`, the address a socket of
    /// `listen` has got.
    pub fn advertised(&self, bound: SocketAddr) -> SocketAddr {
        let fits = |ip: &IpAddr| ip.is_ipv4() == bound.is_ipv4();
        let other = || self.public6.map(IpAddr::V6).filter(fits);
        let told = self.public.filter(fits).or_else(other).unwrap_or(bound.ip());
        SocketAddr::new(told, bound.port())
    }
}

/// `[sip.tls]` and `[[sip.certificate]]`. The files are read again by a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TlsMachine {
    /// What every listener shows that has none of its own, and what we show when we connect.
    pub default: Option<Pair>,
    /// Those of single listeners.
    pub own: Vec<(Listen, Pair)>,
    /// PEM: whom we trust when we connect; the system's certificates if none.
    pub ca: Option<PathBuf>,
}

impl TlsMachine {
    /// What a listener shows.
    pub fn pair_for(&self, listen: &Listen) -> Option<&Pair> {
        let own = self.own.iter().find(|(at, _)| at == listen).map(|(_, pair)| pair);
        own.or(self.default.as_ref())
    }
}

/// Also gives the first address listened on.
pub(super) fn read_sip(sip: &Section<'_>, base: &Path) -> (SipMachine, SocketAddr) {
    let loopback = Listen { transport: Transport::Udp, address: SocketAddr::from(([127, 0, 0, 1], 5060)) };
    let given = sip.list("listen", listen);
    let mut all: Vec<Listen> = Vec::new();
    for at in given.iter().flat_map(|list| &list.value) {
        if all.contains(&at.value) && at.value.address.port() != 0 {
            let why = format!("{} is listed twice", at.value);
            sip.conflict("listen", at.pos, why);
        }
        all.push(at.value);
    }
    if let Some(list) = given.as_ref().filter(|_| sip.is_empty_list("listen")) {
        sip.conflict("listen", list.pos, "expected at least one address");
    }
    let main = all.first().copied().unwrap_or(loopback).address;
    if all.is_empty() {
        all.push(loopback);
    }
    let public = sip.opt("public", told);
    let public6 = sip.opt("public6", told6);
    for key in unspecified(&all, public.as_ref().map(|at| at.value), public6.is_some()) {
        needs_public(sip, key, "listen", "an address that phones and carriers can reach");
    }
    let tls = read_tls(sip, base);
    if all.iter().any(Listen::is_secure)
        && let Err(why) = TlsStore::new(&tls, &all)
    {
        let pos = given.as_ref().map_or(sip.pos, |list| list.pos);
        sip.conflict("listen", pos, why.to_string());
    }
    let origins = sip.list("origins", origin).map(values).unwrap_or_default();
    let connections = sip.or("connections", 4_096, integer(1..=1_000_000, "connections"));
    if let Some(at) = public.as_ref().filter(|at| at.value.is_ipv6())
        && all.iter().any(|at| at.address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    {
        sip.conflict("public", at.pos, "expected an IPv4 address, because listen holds 0.0.0.0".to_owned());
    }
    let (public, public6) = (public.map(|at| at.value), public6.map(|at| at.value));
    let machine = SipMachine { listen: all, public, public6, connections, origins, tls };
    (machine, main)
}

/// The keys that must say what peers are told, where an address listened on is every one of its family.
fn unspecified(all: &[Listen], public: Option<IpAddr>, has_public6: bool) -> Vec<&'static str> {
    let of = |is_v4: bool| {
        let mut found = all.iter().map(|at| at.address.ip()).filter(IpAddr::is_unspecified);
        found.any(|ip| ip.is_ipv4() == is_v4)
    };
    let mut missing = Vec::new();
    if of(true) && !public.is_some_and(|public| public.is_ipv4()) {
        missing.push("public");
    }
    if of(false) && !has_public6 && !public.is_some_and(|public| public.is_ipv6()) {
        missing.push(if of(true) || public.is_some() { "public6" } else { "public" });
    }
    missing
}

pub(super) fn values<T>(list: At<Vec<At<T>>>) -> Vec<T> {
    list.value.into_iter().map(|at| at.value).collect()
}

fn read_tls(sip: &Section<'_>, base: &Path) -> TlsMachine {
    let tls = sip.section("tls");
    let machine = TlsMachine {
        default: read_pair(&tls, base),
        own: Vec::new(),
        ca: tls.opt("ca", some_text).map(|at| base.join(at.value)),
    };
    tls.finish();
    let own = sip.tables("certificate");
    let own = own.iter().filter_map(|section| {
        let of = section.need("listen", "the listener whose certificate it is, as in [sip] listen", listen);
        let pair = read_pair(section, base);
        if pair.is_none() {
            section.conflict("certificate", section.pos, "expected certificate and key");
        }
        section.finish();
        Some((of?.value, pair?))
    });
    TlsMachine { own: own.collect(), ..machine }
}

/// Certificate and key, both or neither.
fn read_pair(section: &Section<'_>, base: &Path) -> Option<Pair> {
    let file = |key| section.opt(key, some_text).map(|at| base.join(at.value));
    let (certificate, key, client_ca) = (file("certificate"), file("key"), file("client_ca"));
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Pair { certificate, key, client_ca }),
        (None, None) => {
            if let Some(pos) = section.has("client_ca") {
                section.conflict("client_ca", pos, "expected certificate and key beside it");
            }
            None
        }
        (Some(_), None) | (None, Some(_)) => {
            section.conflict("key", section.pos, "expected certificate and key, both or neither");
            None
        }
    }
}

/// An address to listen on, with its transport.
fn listen(node: &Node) -> Result<Listen, Wrong> {
    let expected = "an address and port as \"192.0.2.1:5060\" for UDP, or with one of udp:, tcp:, tls:, ws:, wss: \
                    before it; port 0 for any that is free";
    let found = match &node.value {
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    found.ok_or_else(|| wrong(node, expected))
}

/// An origin (RFC 6454 7): scheme and host, no path.
fn origin(node: &Node) -> Result<String, Wrong> {
    let text = some_text(node)?;
    let host = text.split_once("://").map(|(_, host)| host);
    let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
    match is_origin || text == "*" {
        true => Ok(text),
        false => Err(wrong(node, "an origin as \"https://desk.example.com\", without a path")),
    }
}

/// A SIP socket inside the range of media ports would take one from a call.
pub(super) fn no_overlap(section: &Section<'_>, sip: &SipMachine, media: &MediaMachine) {
    let Some(list) = section.list("listen", listen) else {
        return;
    };
    let range = media.port_min..=media.port_max;
    for at in list.value {
        let address = at.value.address;
        let same =
            address.ip() == media.address || address.ip().is_unspecified() || media.address.is_unspecified();
        let is_udp = at.value.transport == Transport::Udp;
        if is_udp && same && range.contains(&address.port()) && sip.listen.contains(&at.value) {
            let why = format!(
                "port {} lies in the range of media ports, {} to {}",
                address.port(),
                media.port_min,
                media.port_max
            );
            section.conflict("listen", at.pos, why);
        }
    }
}
