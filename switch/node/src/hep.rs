//! HEP version 3 to a Homer collector: a copy of every message of a call, over UDP, on a thread of its own.
//!
//! The signalling thread copies the bytes into a bounded lane and goes on; a full lane costs copies, which its counter
//! tells. Secrets are written over here, before anything is sent. Format ("HEP/EEP network protocol, revision 3"): the
//! word `HEP3`, the whole length, then chunks of vendor, type, length and value, all in network order.

use cordboard_core::{Tapped, Transport, redact};
use cordboard_lane::{Receiver, Sleep};
use cordboard_model::time::{Wall, WallClock};
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Most of a message that is sent: what a datagram holds beside the other chunks.
const PAYLOAD: usize = 64_000;
/// Most of a correlation id.
const CORRELATION: usize = 1_024;
/// Protocol type of SIP.
const SIP: u8 = 1;

/// A copy on its way.
#[derive(Debug)]
pub struct HepOrder {
    /// The message.
    pub tapped: Tapped,
    /// Turns its time into a date.
    pub wall: WallClock,
}

/// The thread that sends.
pub struct Hep {
    orders: Receiver<HepOrder>,
    socket: UdpSocket,
    collector: SocketAddr,
    capture_id: u32,
}

impl Hep {
    /// To a collector.
    ///
    /// # Errors
    /// No socket can be had.
    pub fn new(orders: Receiver<HepOrder>, collector: SocketAddr, capture_id: u32) -> std::io::Result<Self> {
        let any = if collector.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        Ok(Self { orders, socket: UdpSocket::bind(any)?, collector, capture_id })
    }

    /// Sends until the lane is closed and drained.
    pub fn run(mut self) {
        let thread = std::thread::current();
        if self.orders.set_waker(move || thread.unpark()).is_err() {
            return;
        }
        loop {
            while let Some(mut order) = self.orders.pop() {
                redact(&mut order.tapped.bytes);
                // A collector that is away costs what would have been told it.
                let _ = self.socket.send_to(&packet(&order, self.capture_id), self.collector);
            }
            match self.orders.prepare_sleep() {
                Sleep::Ready => {}
                Sleep::Armed => std::thread::park(),
                Sleep::Finished => return,
            }
        }
    }
}

/// The datagram for one message.
fn packet(order: &HepOrder, capture_id: u32) -> Vec<u8> {
    let HepOrder { tapped, wall } = order;
    let ends = (tapped.flow.local, tapped.flow.remote);
    let (from, to) = if tapped.sent { ends } else { (ends.1, ends.0) };
    let protocol: u8 = if tapped.flow.transport == Transport::Udp { 17 } else { 6 };
    let (seconds, micros) = date(order, *wall);
    let mut out = b"HEP3\0\0".to_vec();
    let mut chunk = |kind: u16, value: &[u8]| {
        let length = u16::try_from(value.len() + 6).unwrap_or(u16::MAX);
        for word in [0, kind, length] {
            out.extend(word.to_be_bytes());
        }
        out.extend(value);
    };
    match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            chunk(0x0001, &[2]);
            chunk(0x0003, &from.octets());
            chunk(0x0004, &to.octets());
        }
        (from, to) => {
            chunk(0x0001, &[10]);
            chunk(0x0005, &wide(from));
            chunk(0x0006, &wide(to));
        }
    }
    chunk(0x0002, &[protocol]);
    chunk(0x0007, &from.port().to_be_bytes());
    chunk(0x0008, &to.port().to_be_bytes());
    chunk(0x0009, &seconds.to_be_bytes());
    chunk(0x000a, &micros.to_be_bytes());
    chunk(0x000b, &[SIP]);
    chunk(0x000c, &capture_id.to_be_bytes());
    let correlation = correlation(tapped);
    chunk(0x0011, correlation.as_bytes().get(..CORRELATION).unwrap_or(correlation.as_bytes()));
    chunk(0x000f, tapped.bytes.get(..PAYLOAD).unwrap_or(&tapped.bytes));
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(4..6) {
        place.copy_from_slice(&length);
    }
    out
}

/// What Homer puts messages together by: our call, so that both its legs are one; without one the Call-ID.
fn correlation(tapped: &Tapped) -> String {
    match tapped.call {
        Some(call) => call.to_string(),
        None => tapped.call_id(),
    }
}

fn wide(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// Seconds since 1970, and the microseconds beside them.
fn date(order: &HepOrder, wall: WallClock) -> (u32, u32) {
    let Wall(zero) = wall.at_zero;
    let since = i64::try_from(order.tapped.at.as_nanos() / 1_000).unwrap_or(i64::MAX);
    let at = zero.saturating_mul(1_000).saturating_add(since);
    let part = |n: i64| u32::try_from(n).unwrap_or(0);
    (part(at.div_euclid(1_000_000)), part(at.rem_euclid(1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_core::Flow;
    use cordboard_model::id::{IdMaker, TenantId};
    use cordboard_model::time::Time;
    use std::collections::BTreeMap;

    fn order(flow: Flow, sent: bool, bytes: &[u8]) -> HepOrder {
        let call = Some(IdMaker::new(1, 0).call(TenantId::DEFAULT));
        let tapped = Tapped { flow, sent, at: Time::from_millis(1_250), call, bytes: bytes.to_vec() };
        HepOrder { tapped, wall: WallClock { at_zero: Wall(1_795_000_000_000) } }
    }

    fn chunks(packet: &[u8]) -> BTreeMap<u16, Vec<u8>> {
        assert_eq!(&packet[..4], b"HEP3");
        let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        assert_eq!(usize::from(word(4)), packet.len());
        let (mut at, mut chunks) = (6, BTreeMap::new());
        while at < packet.len() {
            let length = usize::from(word(at + 4));
            assert_eq!(word(at), 0, "the vendor of all chunks is none");
            chunks.insert(word(at + 2), packet[at + 6..at + length].to_vec());
            at += length;
        }
        chunks
    }

    #[test]
    fn a_message_has_the_chunks_that_homer_wants() {
        let flow = Flow::udp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:5090".parse().unwrap());
        let all = chunks(&packet(&order(flow, false, b"INVITE x"), 2_001));
        assert_eq!((&all[&1], &all[&2], &all[&11]), (&vec![2], &vec![17], &vec![1]));
        assert_eq!((&all[&3], &all[&4]), (&vec![198, 51, 100, 7], &vec![192, 0, 2, 1]));
        assert_eq!((&all[&7][..], &all[&8][..]), (&5090u16.to_be_bytes()[..], &5060u16.to_be_bytes()[..]));
        let (seconds, micros) = (1_795_000_001u32, 250_000u32);
        assert_eq!((&all[&9][..], &all[&10][..]), (&seconds.to_be_bytes()[..], &micros.to_be_bytes()[..]));
        assert_eq!((&all[&12][..], &all[&15][..]), (&2_001u32.to_be_bytes()[..], &b"INVITE x"[..]));
        assert_eq!(all[&17], b"default.1-0-1");
    }

    #[test]
    fn a_sent_message_over_ipv6_has_our_end_as_its_source() {
        let (local, remote) = ("[2001:db8::1]:5061".parse().unwrap(), "[2001:db8::2]:40000".parse().unwrap());
        let flow = Flow { transport: Transport::Tls, local, remote };
        let long = vec![b'x'; 70_000];
        let all = chunks(&packet(&order(flow, true, &long), 1));
        assert_eq!((&all[&1], &all[&2]), (&vec![10], &vec![6]));
        assert_eq!((all[&5][15], all[&6][15]), (1, 2));
        assert_eq!(all[&15].len(), PAYLOAD, "what is too long for a datagram is cut");
    }
}
