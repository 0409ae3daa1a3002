//! Routers with NAT between phones and the network, by what RFC 4787 calls their mapping and filtering.
//!
//! Invariant: nothing comes in by a port that nothing went out of, nor by one whose time is over.

use cordboard_model::time::{Duration, Time};
use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;

/// The first port that a router gives out.
const FIRST: u16 = 20_000;

/// On what a mapping, or what it lets in, depends (RFC 4787 4.1 and 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depends {
    /// On the phone's own address and port alone.
    #[default]
    OnItself,
    /// On the far end's address as well.
    OnAddress,
    /// On the far end's address and port as well: as a mapping, what is called symmetric NAT.
    OnPort,
}

/// What kind of router it is.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Its address in the network.
    pub public: IpAddr,
    /// For what it gives out another port.
    pub mapping: Depends,
    /// From whom it lets packets in.
    pub filtering: Depends,
    /// How long it keeps a port open after the last packet that went out.
    pub lifetime: Duration,
}

/// A port that is open.
#[derive(Clone, Debug)]
struct Binding {
    inside: SocketAddr,
    /// Whom the phone sent to by it, and when last.
    outside: BTreeMap<SocketAddr, Time>,
}

impl Binding {
    fn is_open(&self, now: Time, lifetime: Duration) -> bool {
        self.outside.values().any(|sent| now.since(*sent) <= lifetime)
    }
}

/// A router.
#[derive(Clone, Debug)]
struct Router {
    edge: Edge,
    bindings: BTreeMap<u16, Binding>,
    next: u16,
}

impl Depends {
    fn alike(self, one: SocketAddr, other: SocketAddr) -> bool {
        match self {
            Depends::OnItself => true,
            Depends::OnAddress => one.ip() == other.ip(),
            Depends::OnPort => one == other,
        }
    }
}

impl Router {
    fn outward(&mut self, from: SocketAddr, to: SocketAddr, now: Time) -> u16 {
        let Edge { mapping, lifetime, .. } = self.edge;
        self.bindings.retain(|_, binding| binding.is_open(now, lifetime));
        let is_it = |binding: &&mut Binding| {
            binding.inside == from && binding.outside.keys().any(|far| mapping.alike(*far, to))
        };
        if let Some((port, binding)) = self.bindings.iter_mut().find(|(_, binding)| is_it(binding)) {
            binding.outside.insert(to, now);
            return *port;
        }
        let port = self.next;
        self.next = self.next.checked_add(1).unwrap_or(FIRST);
        self.bindings.insert(port, Binding { inside: from, outside: BTreeMap::from([(to, now)]) });
        port
    }

    fn inward(&self, port: u16, from: SocketAddr, now: Time) -> Option<SocketAddr> {
        let binding = self.bindings.get(&port)?;
        let Edge { filtering, lifetime, .. } = self.edge;
        let let_in =
            |(far, sent): (&SocketAddr, &Time)| now.since(*sent) <= lifetime && filtering.alike(*far, from);
        binding.outside.iter().any(let_in).then_some(binding.inside)
    }
}

/// All routers, and who is behind them. Everybody else is in the network itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    routers: BTreeMap<IpAddr, Router>,
    behind: BTreeMap<IpAddr, IpAddr>,
}

impl Edges {
    /// A router, if it is new, and a phone's address behind it.
    pub fn put(&mut self, edge: Edge, inside: IpAddr) {
        let router = Router { edge, bindings: BTreeMap::new(), next: FIRST };
        self.routers.entry(edge.public).or_insert(router);
        self.behind.insert(inside, edge.public);
    }

    /// Where a packet seems to come from.
    pub fn outward(&mut self, from: SocketAddr, to: SocketAddr, now: Time) -> SocketAddr {
        let public = self.behind.get(&from.ip());
        match public.and_then(|public| self.routers.get_mut(public)) {
            Some(router) => SocketAddr::new(router.edge.public, router.outward(from, to, now)),
            None => from,
        }
    }

    /// Where a packet ends, if it comes in.
    pub fn inward(&self, from: SocketAddr, to: SocketAddr, now: Time) -> Option<SocketAddr> {
        match self.routers.get(&to.ip()) {
            Some(router) => router.inward(to.port(), from, now),
            // An address of the inside means nothing out here.
            None => (!self.behind.contains_key(&to.ip())).then_some(to),
        }
    }

    /// Whether a packet from `far` to what `near` sends from would come in.
    pub fn reaches(&self, far: SocketAddr, near: SocketAddr, now: Time) -> bool {
        let Some(router) = self.behind.get(&near.ip()).and_then(|public| self.routers.get(public)) else {
            return true;
        };
        router.bindings.keys().any(|port| router.inward(*port, far, now) == Some(near))
    }

    /// The router has been switched off and on.
    pub fn forget(&mut self, public: IpAddr) {
        if let Some(router) = self.routers.get_mut(&public) {
            router.bindings.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: &str = "10.0.0.2:5060";
    const SIP: &str = "192.0.2.1:5060";
    const RTP: &str = "192.0.2.1:40000";
    const STRANGER: &str = "203.0.113.9:5060";

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn edges(mapping: Depends, filtering: Depends) -> Edges {
        let public = "198.51.100.200".parse().unwrap();
        let mut edges = Edges::default();
        let edge = Edge { public, mapping, filtering, lifetime: Duration::from_secs(30) };
        edges.put(edge, addr(PHONE).ip());
        edges
    }

    #[test]
    fn only_a_mapping_by_the_far_end_gives_each_far_end_its_port() {
        for (mapping, ports) in [(Depends::OnItself, 1), (Depends::OnAddress, 2), (Depends::OnPort, 3)] {
            let mut edges = edges(mapping, Depends::OnPort);
            let mut seen: Vec<SocketAddr> =
                [SIP, RTP, STRANGER].map(|to| edges.outward(addr(PHONE), addr(to), Time::ZERO)).into();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), ports, "{mapping:?}");
        }
    }

    #[test]
    fn who_gets_in_is_whom_the_filter_takes_for_one_that_was_sent_to() {
        for (filtering, expected) in [
            (Depends::OnItself, [true, true, true]),
            (Depends::OnAddress, [true, true, false]),
            (Depends::OnPort, [true, false, false]),
        ] {
            let mut edges = edges(Depends::OnItself, filtering);
            let public = edges.outward(addr(PHONE), addr(SIP), Time::ZERO);
            let comes = |from| edges.inward(addr(from), public, Time::ZERO) == Some(addr(PHONE));
            assert_eq!([SIP, RTP, STRANGER].map(comes), expected, "{filtering:?}");
        }
    }

    #[test]
    fn a_port_is_closed_when_its_time_is_over_and_the_next_packet_has_another() {
        let mut edges = edges(Depends::OnItself, Depends::OnItself);
        let public = edges.outward(addr(PHONE), addr(SIP), Time::ZERO);
        let later = Time::ZERO + Duration::from_secs(30);
        assert!(edges.reaches(addr(SIP), addr(PHONE), later));
        let too_late = later + Duration::from_millis(1);
        assert_eq!(edges.inward(addr(SIP), public, too_late), None);
        assert!(!edges.reaches(addr(SIP), addr(PHONE), too_late));
        assert_ne!(edges.outward(addr(PHONE), addr(SIP), too_late), public);
    }

    #[test]
    fn nothing_comes_to_an_address_of_the_inside() {
        let edges = edges(Depends::OnItself, Depends::OnItself);
        assert_eq!(edges.inward(addr(SIP), addr(PHONE), Time::ZERO), None);
        assert_eq!(edges.inward(addr(SIP), addr(STRANGER), Time::ZERO), Some(addr(STRANGER)));
    }
}
