//! What holds for pairs and their sockets whichever way the operating system is asked: each test runs over epoll and over
//! `io_uring`. Where that is not to be had, its tests fail and say so.

use super::super::epoll::ByEpoll;
use super::super::ports::{OwnPorts, PortRange};
use super::super::sockets::Packet;
use super::super::uring::ByUring;
use super::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

const LINGER: Duration = Duration::from_millis(100);
const LONG: Option<Duration> = Some(Duration::from_secs(5));

/// A back end that has begun.
trait Begun: Sockets {
    fn begun() -> Self;
}

impl Begun for ByEpoll {
    fn begun() -> Self {
        ByEpoll::new().unwrap()
    }
}

impl Begun for ByUring {
    fn begun() -> Self {
        let mut sockets = ByUring::new(8).expect("io_uring is to be had where tests run");
        sockets.begin().unwrap();
        sockets
    }
}

/// Each of these over either, with ports of its own.
macro_rules! over_both {
    ($($name:ident: $first:literal,)*) => {
        mod by_epoll {
            $(#[test] fn $name() { super::$name::<super::ByEpoll>($first); })*
        }
        mod by_io_uring {
            $(#[test] fn $name() { super::$name::<super::ByUring>($first + 20); })*
        }
    };
}

over_both! {
    a_pair_rests_bound_until_it_was_silent_and_is_used_again_before_another_is_bound: 39_120,
    what_still_comes_for_a_pair_keeps_it_from_the_next_leg: 39_160,
    every_packet_comes_out_once_with_its_sender_and_the_bell_ends_a_wait: 39_220,
    a_port_of_every_address_hears_both_families_and_is_answered_from: 39_260,
    no_packet_is_lost_or_heard_twice_when_a_pair_goes_to_another_thread: 39_300,
    more_packets_than_may_be_under_way_all_leave_and_a_closed_port_ends_nothing: 39_340,
    a_pair_whose_reports_share_the_port_is_one_socket_and_whole_again_for_the_next: 39_420,
}

/// Pairs of three: ports from `first` on.
fn three(address: IpAddr, first: u16) -> Pairs {
    let range = PortRange { address, first, last: first + 5 };
    let own = Arc::new(OwnPorts::new(range.address, []));
    Pairs::new(PortPool::new(range, own), LINGER)
}

fn local(first: u16) -> Pairs {
    three(IpAddr::V4(Ipv4Addr::LOCALHOST), first)
}

/// The next packet, however many waits it takes; its bytes.
fn heard(sockets: &mut impl Sockets, pairs: &Pairs) -> (Packet, Vec<u8>) {
    let mut buf = [0; 2_048];
    loop {
        if let Some(packet) = sockets.next(pairs, &mut buf) {
            return (packet, buf[..packet.len].to_vec());
        }
        sockets.wait(LONG).unwrap();
    }
}

fn a_pair_rests_bound_until_it_was_silent_and_is_used_again_before_another_is_bound<S: Begun>(first: u16) {
    let (mut pairs, mut sockets) = (local(first), S::begun());
    let at = Time::from_millis;
    let (a, here) = pairs.open(&mut sockets, at(1_000)).unwrap();
    assert_eq!((a, here.port()), (PortKey(0), first));
    assert!(!pairs.is_late(a, at(1_000)), "it has a leg");
    pairs.rest(a, at(2_000));
    pairs.rest(a, at(2_000));
    assert_eq!(pairs.free(), 3);
    assert!(std::net::UdpSocket::bind(here).is_err(), "nobody else gets it");
    let (b, other) = pairs.open(&mut sockets, at(2_099)).unwrap();
    assert_eq!((b, other.port()), (PortKey(1), first + 2), "the first rests");
    assert_eq!(pairs.open(&mut sockets, at(2_100)).unwrap(), (a, here));
    assert_eq!(pairs.free(), 1);
}

fn what_still_comes_for_a_pair_keeps_it_from_the_next_leg<S: Begun>(first: u16) {
    let (mut pairs, mut sockets) = (local(first), S::begun());
    let at = Time::from_millis;
    let keys = [0; 3].map(|_| pairs.open(&mut sockets, at(0)).unwrap().0);
    assert_eq!(pairs.open(&mut sockets, at(0)).unwrap_err(), OpenError::RangeExhausted);
    keys.iter().for_each(|key| pairs.rest(*key, at(0)));
    // it is still listened to
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"late", ("127.0.0.1", first)).unwrap();
    let (packet, _) = heard(&mut sockets, &pairs);
    assert!(pairs.is_late(packet.key, at(90)));
    let again = [0; 2].map(|_| pairs.open(&mut sockets, at(150)).unwrap().0);
    assert_eq!(again, [keys[1], keys[2]]);
    assert_eq!(pairs.open(&mut sockets, at(189)).unwrap_err(), OpenError::RangeExhausted);
    assert_eq!(pairs.open(&mut sockets, at(190)).unwrap().0, keys[0]);
}

fn every_packet_comes_out_once_with_its_sender_and_the_bell_ends_a_wait<S: Begun>(first: u16) {
    let (mut pairs, mut sockets) = (local(first), S::begun());
    let keys = [0; 2].map(|_| pairs.open(&mut sockets, Time::ZERO).unwrap().0);
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut told = Vec::new();
    for byte in 0..100u8 {
        let port = first + u16::from(byte % 4);
        peer.send_to(&[byte; 172], ("127.0.0.1", port)).unwrap();
        told.push((keys[usize::from(byte % 4 / 2)], byte % 2 == 1, byte));
    }
    let mut came: Vec<_> = (0..100)
        .map(|_| {
            let (packet, bytes) = heard(&mut sockets, &pairs);
            assert_eq!((packet.from, bytes.len()), (peer.local_addr().unwrap(), 172));
            assert!(bytes.iter().all(|byte| *byte == bytes[0]));
            (packet.key, packet.is_rtcp, bytes[0])
        })
        .collect();
    // each socket's in their order
    for (key, is_rtcp) in keys.into_iter().flat_map(|key| [(key, false), (key, true)]) {
        let of = |all: &[(PortKey, bool, u8)]| -> Vec<u8> {
            all.iter().filter(|one| (one.0, one.1) == (key, is_rtcp)).map(|one| one.2).collect()
        };
        assert_eq!(of(&came), of(&told));
    }
    came.sort_unstable_by_key(|one| one.2);
    assert_eq!(came, told);
    let bell = sockets.bell();
    let rings = std::thread::spawn(move || bell.ring());
    sockets.wait(None).unwrap();
    assert_eq!(sockets.next(&pairs, &mut [0; 8]), None);
    rings.join().unwrap();
    // What was rung may be told once more where it was rung while it was noted; then it rings no more, and no wait is too short.
    let short = Duration::from_micros(2_100);
    let is_whole = (0..2).any(|_| {
        let begun = std::time::Instant::now();
        sockets.wait(Some(short)).unwrap();
        assert_eq!(sockets.next(&pairs, &mut [0; 8]), None);
        begun.elapsed() >= short
    });
    assert!(is_whole, "a wait ended before its time");
}

fn a_port_of_every_address_hears_both_families_and_is_answered_from<S: Begun>(first: u16) {
    let mut pairs = three(IpAddr::V6(Ipv6Addr::UNSPECIFIED), first);
    let mut sockets = S::begun();
    let (key, _) = pairs.open(&mut sockets, Time::ZERO).unwrap();
    for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
        let peer = UdpSocket::bind((ip, 0)).unwrap();
        peer.set_read_timeout(LONG).unwrap();
        peer.send_to(b"here", (ip, first)).unwrap();
        let (packet, bytes) = heard(&mut sockets, &pairs);
        assert_eq!((packet.key, packet.is_rtcp, bytes.as_slice()), (key, false, &b"here"[..]));
        assert_eq!(
            (packet.from.ip().to_canonical(), packet.from.port()),
            (ip, peer.local_addr().unwrap().port())
        );
        assert!(sockets.send(pairs.socket(key, false).unwrap(), b"there", packet.from));
        sockets.wait(Some(Duration::ZERO)).unwrap();
        let mut buf = [0; 16];
        let (len, from) = peer.recv_from(&mut buf).unwrap();
        assert_eq!((&buf[..len], from), (&b"there"[..], (ip, first).into()));
    }
}

fn no_packet_is_lost_or_heard_twice_when_a_pair_goes_to_another_thread<S: Begun>(first: u16) {
    const PACKETS: u32 = 3_000;
    let mut ends = [(local(first), S::begun()), (local(first + 6), S::begun())];
    let (mut key, here) = ends[0].0.open(&mut ends[0].1, Time::ZERO).unwrap();
    // another one at each end, which stays and must not be disturbed
    let still = ends.each_mut().map(|(pairs, sockets)| pairs.open(sockets, Time::ZERO).unwrap());
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (mut sent, mut came, mut at_rest) = (0u32, Vec::new(), 0);
    let mut at = 0;
    let mut buf = [0; 2_048];
    while (came.len() as u32) < PACKETS {
        // a few are on their way whenever it moves
        for _ in 0..(PACKETS - sent).min(7) {
            peer.send_to(&sent.to_be_bytes(), here).unwrap();
            sent += 1;
        }
        peer.send_to(b"rest", still[at].1).unwrap();
        let (pairs, sockets) = &mut ends[at];
        sockets.wait(Some(Duration::ZERO)).unwrap();
        while sent.is_multiple_of(3)
            && let Some(packet) = sockets.next(pairs, &mut buf)
        {
            match packet.key == key {
                true => came.push(buf[..packet.len].to_vec()),
                false => at_rest += 1,
            }
            sockets.wait(Some(Duration::ZERO)).unwrap();
        }
        let (pair, left) = pairs.let_go(sockets, key).unwrap();
        came.extend(left.into_iter().map(|one| one.bytes));
        at = 1 - at;
        let (pairs, sockets) = &mut ends[at];
        key = pairs.adopt(sockets, pair).unwrap().0;
    }
    let numbers: Vec<u32> =
        came.iter().map(|one| u32::from_be_bytes(one.as_slice().try_into().unwrap())).collect();
    assert_eq!(numbers, (0..PACKETS).collect::<Vec<u32>>());
    for (pairs, sockets) in &mut ends {
        while sockets.wait(Some(Duration::ZERO)).is_ok()
            && let Some(packet) = sockets.next(pairs, &mut buf)
        {
            assert_eq!(&buf[..packet.len], b"rest");
            at_rest += 1;
        }
    }
    assert!(at_rest > 100, "{at_rest}");
}

fn more_packets_than_may_be_under_way_all_leave_and_a_closed_port_ends_nothing<S: Begun>(first: u16) {
    let (mut pairs, mut sockets) = (local(first), S::begun());
    let (key, here) = pairs.open(&mut sockets, Time::ZERO).unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(LONG).unwrap();
    let to = peer.local_addr().unwrap();
    let mut next = 0u32;
    // more in one turn than there are slots, as far as the peer's buffer goes
    for _ in 0..20 {
        for n in next..next + 150 {
            assert!(sockets.send(pairs.socket(key, false).unwrap(), &n.to_be_bytes(), to));
        }
        if next.is_multiple_of(1_500) {
            sockets.wait(Some(Duration::ZERO)).unwrap();
            assert_eq!(sockets.next(&pairs, &mut [0; 8]), None);
        } else {
            sockets.flush();
        }
        for n in next..next + 150 {
            let mut buf = [0; 8];
            let (len, from) = peer.recv_from(&mut buf).unwrap();
            assert_eq!((&buf[..len], from), (&n.to_be_bytes()[..], here));
        }
        next += 150;
    }
    assert_eq!(sockets.take_refused(), 0);
    // Nobody is there: the operating system says so with a later call, and packets of others are heard all the same.
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for byte in 0..50u8 {
        sockets.send(pairs.socket(key, false).unwrap(), b"gone?", gone);
        sockets.wait(Some(Duration::ZERO)).unwrap();
        peer.send_to(&[byte], here).unwrap();
        assert_eq!(heard(&mut sockets, &pairs).1, [byte]);
    }
}

fn a_pair_whose_reports_share_the_port_is_one_socket_and_whole_again_for_the_next<S: Begun>(first: u16) {
    let range = PortRange { address: IpAddr::V4(Ipv4Addr::LOCALHOST), first, last: first + 7 };
    // four sockets may be bound
    let own = Arc::new(OwnPorts::new(range.address, []).at_most(2));
    let (mut pairs, mut sockets) = (Pairs::new(PortPool::new(range, Arc::clone(&own)), LINGER), S::begun());
    let at = Time::from_millis;
    let (a, here) = pairs.open(&mut sockets, at(0)).unwrap();
    let (b, _) = pairs.open(&mut sockets, at(0)).unwrap();
    assert_eq!(pairs.open(&mut sockets, at(0)).unwrap_err(), OpenError::RangeExhausted);
    // Two that do without their second socket leave files for a third, which nobody else's port is taken for.
    for key in [a, b, a] {
        pairs.close_rtcp(&mut sockets, key);
    }
    let reports = SocketAddr::new(range.address, first + 1);
    assert!(pairs.socket(a, true).is_none() && !own.has(reports) && own.has(here));
    let (c, _) = pairs.open(&mut sockets, at(0)).unwrap();
    // It is heard on the port that it has, and nothing comes under its number for the other.
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"nobody", reports).unwrap();
    peer.send_to(b"both", here).unwrap();
    let (packet, bytes) = heard(&mut sockets, &pairs);
    assert_eq!((packet.key, packet.is_rtcp, bytes.as_slice()), (a, false, &b"both"[..]));
    // The party wants reports apart again: not while there is no file for that, nor while another program has the port.
    assert_eq!(pairs.open_rtcp(&mut sockets, a), Err(OpenError::RangeExhausted));
    pairs.close_rtcp(&mut sockets, c);
    let other = UdpSocket::bind(reports).unwrap();
    assert_eq!(pairs.open_rtcp(&mut sockets, a), Err(OpenError::BindFailed));
    drop(other);
    assert_eq!(pairs.open_rtcp(&mut sockets, a), Ok(()));
    peer.send_to(b"apart", reports).unwrap();
    let (packet, bytes) = heard(&mut sockets, &pairs);
    assert_eq!((packet.key, packet.is_rtcp, bytes.as_slice()), (a, true, &b"apart"[..]));
    // Whoever has a pair after it finds it whole; no file is left for another's second socket.
    pairs.rest(b, at(0));
    pairs.rest(a, at(0));
    assert_eq!(pairs.open(&mut sockets, at(200)).unwrap(), (a, here));
    assert!(pairs.socket(a, true).is_some() && pairs.socket(b, true).is_none());
    assert_eq!(pairs.open(&mut sockets, at(400)).unwrap_err(), OpenError::RangeExhausted);
    pairs.close_rtcp(&mut sockets, a);
    assert_eq!(pairs.open(&mut sockets, at(600)).unwrap().0, b);
    assert!(pairs.socket(b, true).is_some() && own.has(SocketAddr::new(range.address, first + 3)));
}

/// The kernel finds no buffer, ends its wait and is asked again: what is left in the socket is heard, too.
#[test]
fn more_packets_than_there_are_buffers_are_all_heard_by_io_uring() {
    let (mut pairs, mut sockets) = (local(39_400), ByUring::begun());
    let (_, here) = pairs.open(&mut sockets, Time::ZERO).unwrap();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    const PACKETS: u32 = 1_200;
    for n in 0..PACKETS {
        peer.send_to(&n.to_be_bytes(), here).unwrap();
        if n.is_multiple_of(20) {
            // They go over into buffers, and nobody takes them. At one go the kernel moves 32 of a socket.
            sockets.wait(Some(Duration::ZERO)).unwrap();
        }
    }
    for n in 0..PACKETS {
        assert_eq!(heard(&mut sockets, &pairs).1, n.to_be_bytes());
    }
}
