//! Pairs of UDP ports: RTP on the even one, RTCP one up (RFC 3550 11), unless RTCP goes by the RTP port (RFC 5761).

use cordboard_model::media::OpenError;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The ports a media thread may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The address to bind.
    pub address: IpAddr,
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl PortRange {
    /// How many pairs it holds.
    pub fn pairs(&self) -> usize {
        let first = u32::from(self.first).next_multiple_of(2);
        ((u32::from(self.last) + 1).saturating_sub(first) / 2) as usize
    }

    /// The part of it that belongs to thread `index` of `threads`: pairs are dealt in blocks.
    pub fn part(&self, index: usize, threads: usize) -> Self {
        let each = self.pairs() / threads.max(1);
        let first = u32::from(self.first).next_multiple_of(2) as usize + 2 * each * index;
        let last = first + 2 * each - 1;
        let port = |p: usize| u16::try_from(p).unwrap_or(u16::MAX);
        Self { address: self.address, first: port(first), last: port(last) }
    }
}

/// Sockets of a pair that has both.
const WHOLE: usize = 2;

/// A bound pair.
#[derive(Debug)]
pub struct Pair {
    /// RTP.
    pub rtp: UdpSocket,
    /// RTCP; `None` while it goes by the RTP port.
    pub rtcp: Option<UdpSocket>,
    /// The even port.
    pub port: u16,
}

/// The ports that the switch has open now, over all media threads. What comes from one of them is a packet of ours that
/// somebody has sent back to us by naming our own address in his session description: relayed, it would go round for
/// ever, as fast as the machine can.
#[derive(Debug)]
pub struct OwnPorts {
    addresses: Vec<IpAddr>,
    open: Box<[AtomicU64]>,
    /// Sockets that may be bound beside those that are.
    left: AtomicUsize,
}

impl OwnPorts {
    /// None open. Ours are the bound `address` and those that peers are told.
    pub fn new(address: IpAddr, told: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut addresses: Vec<IpAddr> = told.into_iter().collect();
        match address {
            IpAddr::V4(ip) if ip.is_unspecified() => addresses.push(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => {
                addresses.extend([IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()]);
            }
            address => addresses.push(address),
        }
        let open = (0..1_024).map(|_| AtomicU64::new(0)).collect();
        Self { addresses, open, left: AtomicUsize::new(usize::MAX) }
    }

    /// At most the sockets of so many whole pairs are bound at once, over all threads: the process may open so many files.
    pub fn at_most(self, pairs: usize) -> Self {
        Self { left: AtomicUsize::new(pairs.saturating_mul(WHOLE)), ..self }
    }

    /// Takes the right to bind so many sockets more. False if there is none.
    fn take(&self, sockets: usize) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(sockets)).is_ok()
    }

    fn give(&self, sockets: usize) {
        // Without a bound it stays where it is.
        let _ = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_add(sockets));
    }

    fn set(&self, port: u16, is_open: bool) {
        let (word, bit) = (usize::from(port / 64), 1 << (port % 64));
        if let Some(word) = self.open.get(word) {
            match is_open {
                true => word.fetch_or(bit, Relaxed),
                false => word.fetch_and(!bit, Relaxed),
            };
        }
    }

    /// Whether a packet from there is one of ours.
    pub fn has(&self, from: SocketAddr) -> bool {
        let (word, bit) = (usize::from(from.port() / 64), 1u64 << (from.port() % 64));
        let is_open = self.open.get(word).is_some_and(|word| word.load(Relaxed) & bit != 0);
        is_open && self.addresses.contains(&from.ip().to_canonical())
    }
}

/// Ports that are not bound yet, each after the one below it. What is bound stays bound: see [`super::pairs`].
#[derive(Debug)]
pub struct PortPool {
    address: IpAddr,
    unbound: VecDeque<u16>,
    own: Arc<OwnPorts>,
}

impl PortPool {
    /// All even ports of the range. What is bound is noted in `own`.
    pub fn new(range: PortRange, own: Arc<OwnPorts>) -> Self {
        let first = u32::from(range.first).next_multiple_of(2);
        let even = (first..u32::from(range.last)).step_by(2).filter_map(|p| u16::try_from(p).ok());
        Self { address: range.address, unbound: even.collect(), own }
    }

    /// Begins at another port, which the process before is unlikely to have begun at: phones whose calls were cut by its end
    /// go on sending for a while, and what comes to a port of a new call from the network of its party is taken for his.
    pub fn begin_at(mut self, turn: u32) -> Self {
        let count = self.unbound.len().max(1);
        self.unbound.rotate_left(turn as usize % count);
        self
    }

    /// Binds the next pair. Ports that another program holds go to the end of the line.
    ///
    /// # Errors
    /// None is free, so many are bound that the rest of the switch needs the files that are left, or the operating system
    /// refused every try.
    pub fn open(&mut self) -> Result<Pair, OpenError> {
        if !self.own.take(WHOLE) {
            return Err(OpenError::RangeExhausted);
        }
        self.bind_next().inspect_err(|_| self.own.give(WHOLE))
    }

    /// Binds the RTCP port of a pair that has done without.
    ///
    /// # Errors
    /// As for [`PortPool::open`]; another program may have it meanwhile.
    pub fn open_rtcp(&mut self, port: u16) -> Result<UdpSocket, OpenError> {
        if !self.own.take(1) {
            return Err(OpenError::RangeExhausted);
        }
        let Ok(rtcp) = bind_udp(SocketAddr::new(self.address, port + 1), None, self.takes_both()) else {
            self.own.give(1);
            return Err(OpenError::BindFailed);
        };
        self.own.set(port + 1, true);
        Ok(rtcp.into())
    }

    /// Closes the RTCP port of a pair.
    pub fn close_rtcp(&mut self, rtcp: UdpSocket, port: u16) {
        self.own.set(port + 1, false);
        self.own.give(1);
        drop(rtcp);
    }

    fn bind_next(&mut self) -> Result<Pair, OpenError> {
        /// Ports tried before giving up: enough to step over another program's handful.
        const TRIES: usize = 16;
        let mut error = OpenError::RangeExhausted;
        for _ in 0..TRIES.min(self.unbound.len()) {
            let Some(port) = self.unbound.pop_front() else {
                break;
            };
            match self.bind(port) {
                Ok(pair) => {
                    self.own.set(port, true);
                    self.own.set(port + 1, true);
                    return Ok(pair);
                }
                Err(_) => {
                    error = OpenError::BindFailed;
                    self.unbound.push_back(port);
                }
            }
        }
        Err(error)
    }

    fn bind(&self, port: u16) -> io::Result<Pair> {
        let both = self.takes_both();
        let rtp = bind_udp(SocketAddr::new(self.address, port), None, both)?;
        let rtcp = bind_udp(SocketAddr::new(self.address, port + 1), None, both)?;
        Ok(Pair { rtp: rtp.into(), rtcp: Some(rtcp.into()), port })
    }

    /// Whether its ports take packets of both address families: those of `::` do.
    pub fn takes_both(&self) -> bool {
        self.address == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    }

    /// Closes a pair.
    pub fn give_back(&mut self, pair: Pair) {
        self.own.set(pair.port, false);
        if let Some(rtcp) = pair.rtcp {
            self.close_rtcp(rtcp, pair.port);
        }
        self.own.give(1);
        self.unbound.push_back(pair.port);
    }

    /// Whether a packet from there is one of ours; see [`OwnPorts`].
    pub fn is_own(&self, from: SocketAddr) -> bool {
        self.own.has(from)
    }

    /// Pairs that are not bound.
    pub fn unbound(&self) -> usize {
        self.unbound.len()
    }

    /// Pairs that are not bound and may be.
    pub fn left(&self) -> usize {
        self.unbound.len().min(self.own.left.load(Relaxed) / WHOLE)
    }
}

/// A non-blocking UDP socket on `addr`, with a receive buffer of this many bytes if given. One for IPv6 takes IPv4 too
/// if it is to take `both`.
pub fn bind_udp(addr: SocketAddr, receive_buffer: Option<usize>, both: bool) -> io::Result<Socket> {
    let kind = Type::DGRAM.nonblocking();
    let socket = Socket::new(Domain::for_address(addr), kind, Some(Protocol::UDP))?;
    if let Some(bytes) = receive_buffer {
        // The kernel caps it at rmem_max; less than asked for is still right.
        let _ = socket.set_recv_buffer_size(bytes);
    }
    if addr.is_ipv6() {
        socket.set_only_v6(!both)?;
    }
    socket.bind(&addr.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const RANGE: PortRange =
        PortRange { address: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), first: 39_001, last: 39_012 };

    #[test]
    fn a_range_is_dealt_to_threads_without_overlap() {
        assert_eq!(RANGE.pairs(), 5);
        let (a, b) = (RANGE.part(0, 2), RANGE.part(1, 2));
        assert_eq!((a.first, a.last), (39_002, 39_005));
        assert_eq!((b.first, b.last), (39_006, 39_009));
    }

    #[test]
    fn each_process_begins_at_another_port_and_has_all_of_them() {
        let own = Arc::new(OwnPorts::new(RANGE.address, []));
        let ports = |turn| PortPool::new(RANGE, Arc::clone(&own)).begin_at(turn).unbound;
        assert_eq!(ports(0), [39_002, 39_004, 39_006, 39_008, 39_010]);
        assert_eq!(ports(13), [39_008, 39_010, 39_002, 39_004, 39_006]);
    }

    #[test]
    fn so_many_are_bound_over_all_threads_and_no_more() {
        let range = PortRange { first: 39_120, last: 39_127, ..RANGE };
        let own = Arc::new(OwnPorts::new(range.address, []).at_most(3));
        let [mut a, mut b] = [0, 1].map(|i| PortPool::new(range.part(i, 2), Arc::clone(&own)));
        let first = a.open().unwrap();
        let (_second, _third) = (a.open().unwrap(), b.open().unwrap());
        assert_eq!((b.unbound(), b.left()), (1, 0));
        assert_eq!(b.open().unwrap_err(), OpenError::RangeExhausted);
        a.give_back(first);
        assert_eq!((a.left(), b.left()), (1, 1));
        // A port that cannot be bound takes nothing of what is left.
        let taken = std::net::UdpSocket::bind((range.address, 39_127)).unwrap();
        assert_eq!(b.open().unwrap_err(), OpenError::BindFailed);
        drop(taken);
        b.open().unwrap();
        assert_eq!(a.open().unwrap_err(), OpenError::RangeExhausted);
    }

    #[test]
    fn a_port_of_every_ipv6_address_takes_ipv4_too_and_knows_its_own() {
        let address = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let range = PortRange { address, first: 39_200, last: 39_203 };
        let own = Arc::new(OwnPorts::new(address, []));
        let mut pool = PortPool::new(range, Arc::clone(&own));
        let pair = pool.open().unwrap();
        pair.rtp.set_nonblocking(false).unwrap();
        pair.rtp.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let peer = std::net::UdpSocket::bind((ip, 0)).unwrap();
            peer.send_to(b"x", (ip, pair.port)).unwrap();
            let (_, from) = pair.rtp.recv_from(&mut [0; 8]).unwrap();
            assert_eq!(from.ip().to_canonical(), ip);
            assert!(own.has(SocketAddr::new(from.ip(), pair.port)));
        }
    }

    #[test]
    fn a_bound_port_is_known_as_our_own_and_a_taken_one_is_stepped_over() {
        let range = PortRange { first: 39_112, last: 39_117, ..RANGE };
        let taken = std::net::UdpSocket::bind((range.address, 39_113)).unwrap();
        let own = Arc::new(OwnPorts::new(range.address, []));
        let mut pool = PortPool::new(range, Arc::clone(&own));
        let from = |ip: &str, port| SocketAddr::new(ip.parse().unwrap(), port);
        let (a, b) = (pool.open().unwrap(), pool.open().unwrap());
        assert_eq!((a.port, b.port), (39_114, 39_116));
        assert_eq!(pool.open().unwrap_err(), OpenError::BindFailed);
        assert!(own.has(from("127.0.0.1", a.port)) && own.has(from("127.0.0.1", a.port + 1)));
        assert!(!own.has(from("127.0.0.2", a.port)) && !own.has(from("127.0.0.1", 39_112)));
        pool.give_back(a);
        assert!(!own.has(from("127.0.0.1", 39_114)), "a phone may have it now");
        drop(taken);
        assert_eq!(pool.open().unwrap().port, 39_112);
        assert_eq!(pool.open().unwrap().port, 39_114);
        assert_eq!(pool.open().unwrap_err(), OpenError::RangeExhausted);
    }
}
