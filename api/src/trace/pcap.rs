//! A ladder as a capture file (draft-ietf-opsawg-pcap), link type RAW: each packet begins with its IP header.
//!
//! What was never on the wire in this form is made up so that readers understand it: addresses that the socket was bound
//! to, and for streams a TCP segment per message with sequence numbers that follow each other. What was encrypted or in
//! WebSocket frames is shown as plain TCP to port 5060 on our side, for readers take 5061 for TLS.

use cordboard_model::trace::{TraceMessage, TraceView, TraceWhat};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// LINKTYPE_RAW.
const LINK: u32 = 101;
/// Most of a stream's message in one segment: what every reader takes, and IP's length field holds.
const SEGMENT: usize = 16_384;
/// Most of a datagram: what is left of 65,535 beside an IPv4 and a UDP header.
const DATAGRAM: usize = 65_507;
const UDP: u8 = 17;
const TCP: u8 = 6;

/// The file.
pub(super) fn write(view: &TraceView) -> Vec<u8> {
    let mut out = Vec::with_capacity(4_096);
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, LINK] {
        out.extend(word.to_le_bytes());
    }
    let mut sent: BTreeMap<(SocketAddr, SocketAddr), u32> = BTreeMap::new();
    for step in &view.steps {
        let TraceWhat::Message(message) = &step.what else {
            continue;
        };
        for packet in packets(message, &mut sent) {
            let len = u32::try_from(packet.len()).unwrap_or(0).to_le_bytes();
            let (seconds, micros) = (step.at_us.div_euclid(1_000_000), step.at_us.rem_euclid(1_000_000));
            out.extend(u32::try_from(seconds).unwrap_or(0).to_le_bytes());
            out.extend(u32::try_from(micros).unwrap_or(0).to_le_bytes());
            out.extend(len);
            out.extend(len);
            out.extend(packet);
        }
    }
    out
}

/// The packets of a message. `sent`: how much each end has sent to the other so far.
fn packets(message: &TraceMessage, sent: &mut BTreeMap<(SocketAddr, SocketAddr), u32>) -> Vec<Vec<u8>> {
    let mut local = message.local;
    if !matches!(message.transport.as_str(), "udp" | "tcp") {
        local.set_port(5060);
    }
    let (local, remote) = one_family(local, message.remote);
    let (from, to) = if message.sent { (local, remote) } else { (remote, local) };
    if message.transport == "udp" {
        let payload = message.bytes.get(..message.bytes.len().min(DATAGRAM)).unwrap_or_default();
        return vec![ip(UDP, from, to, udp(from, to, payload))];
    }
    let segment = |part: &[u8]| {
        let acknowledged = sent.get(&(to, from)).copied().unwrap_or(1);
        let next = sent.entry((from, to)).or_insert(1);
        let packet = ip(TCP, from, to, tcp(from, to, (*next, acknowledged), part));
        *next = next.wrapping_add(u32::try_from(part.len()).unwrap_or(0));
        packet
    };
    message.bytes.chunks(SEGMENT).map(segment).collect()
}

/// Both as IPv4, or both as IPv6.
fn one_family(a: SocketAddr, b: SocketAddr) -> (SocketAddr, SocketAddr) {
    let plain = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
    let (a, b) = (plain(a), plain(b));
    if a.is_ipv4() == b.is_ipv4() {
        return (a, b);
    }
    let wide = |at: SocketAddr| match at.ip() {
        // A socket for both families: its end is of the family of the other.
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), at.port()),
        IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), at.port()),
        IpAddr::V6(_) => at,
    };
    let narrow = |at: SocketAddr| match at.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new([0, 0, 0, 0].into(), at.port()),
        _ => at,
    };
    let (x, y) = (narrow(a), narrow(b));
    if x.is_ipv4() == y.is_ipv4() { (x, y) } else { (wide(a), wide(b)) }
}

fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + payload.len());
    out.extend(from.port().to_be_bytes());
    out.extend(to.port().to_be_bytes());
    out.extend(u16::try_from(8 + payload.len()).unwrap_or(0).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    let sum = match transport_sum(UDP, from, to, &out) {
        // RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
        0 => 0xffff,
        sum => sum,
    };
    put(&mut out, 6, sum);
    out
}

/// A segment with ACK and PSH.
fn tcp(from: SocketAddr, to: SocketAddr, (sent, acknowledged): (u32, u32), payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + payload.len());
    out.extend(from.port().to_be_bytes());
    out.extend(to.port().to_be_bytes());
    out.extend(sent.to_be_bytes());
    out.extend(acknowledged.to_be_bytes());
    out.extend([5 << 4, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend(payload);
    let sum = transport_sum(TCP, from, to, &out);
    put(&mut out, 16, sum);
    out
}

fn ip(protocol: u8, from: SocketAddr, to: SocketAddr, inner: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(40 + inner.len());
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            out.extend([0x45, 0]);
            out.extend(u16::try_from(20 + inner.len()).unwrap_or(0).to_be_bytes());
            out.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            out.extend(from.octets());
            out.extend(to.octets());
            let sum = !fold(sum(&out));
            put(&mut out, 10, sum);
        }
        (from, to) => {
            out.extend([0x60, 0, 0, 0]);
            out.extend(u16::try_from(inner.len()).unwrap_or(0).to_be_bytes());
            out.extend([protocol, 64]);
            out.extend(wide(from));
            out.extend(wide(to));
        }
    }
    out.extend(inner);
    out
}

fn wide(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// The checksum over pseudo header, header and payload (RFC 768, RFC 9293 3.1, RFC 8200 8.1).
fn transport_sum(protocol: u8, from: SocketAddr, to: SocketAddr, segment: &[u8]) -> u16 {
    let addresses = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => sum(&from.octets()) + sum(&to.octets()),
        (from, to) => sum(&wide(from)) + sum(&wide(to)),
    };
    let length = u32::try_from(segment.len()).unwrap_or(0);
    !fold(addresses + u32::from(protocol) + length + sum(segment))
}

/// The sum of the 16-bit words. Some 64 KB of them stay below 32 bits.
fn sum(bytes: &[u8]) -> u32 {
    let word = |pair: &[u8]| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        [high] => u32::from(*high) << 8,
        _ => 0,
    };
    bytes.chunks(2).map(word).sum()
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}

fn put(out: &mut [u8], at: usize, sum: u16) {
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::trace::TraceStep;

    fn message(transport: &str, local: &str, remote: &str, sent: bool, text: &str) -> TraceStep {
        let message = TraceMessage {
            party: 0,
            sent,
            transport: transport.into(),
            local: local.parse().unwrap(),
            remote: remote.parse().unwrap(),
            repeated: false,
            leg: None,
            call_id: "x".into(),
            title: "INVITE".into(),
            sdp: false,
            bytes: text.as_bytes().to_vec(),
        };
        TraceStep { at_us: 1_795_000_000_000_123, what: TraceWhat::Message(message) }
    }

    fn records(steps: Vec<TraceStep>) -> Vec<Vec<u8>> {
        let file = write(&TraceView { call: None, parties: Vec::new(), steps, cut: false });
        let (mut rest, mut records) = (&file[24..], Vec::new());
        while !rest.is_empty() {
            assert_eq!(rest[..8], [1_795_000_000u32.to_le_bytes(), 123u32.to_le_bytes()].concat());
            let len = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
            records.push(rest[16..16 + len].to_vec());
            rest = &rest[16 + len..];
        }
        records
    }

    #[test]
    fn a_datagram_has_headers_whose_sums_are_right() {
        let all = records(vec![message("udp", "192.0.2.1:5060", "198.51.100.7:5090", false, "INVITE x")]);
        let packet = &all[0];
        assert_eq!(fold(sum(&packet[..20])), 0xffff, "the IP header");
        assert_eq!(packet[12..20], [198, 51, 100, 7, 192, 0, 2, 1]);
        let pseudo = sum(&packet[12..20]) + u32::from(UDP) + 16;
        assert_eq!(fold(pseudo + sum(&packet[20..])), 0xffff, "the datagram");
        assert_eq!(&packet[28..], b"INVITE x");
    }

    #[test]
    fn the_segments_of_a_stream_follow_each_other_both_ways() {
        let (local, remote) = ("[2001:db8::1]:5061", "[2001:db8::2]:40000");
        let long = "x".repeat(SEGMENT + 1);
        let all = records(vec![
            message("tls", local, remote, false, &long),
            message("tls", local, remote, true, "SIP"),
            message("tls", local, remote, false, "ACK"),
        ]);
        let word = |packet: &[u8], at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
        let ports = |packet: &[u8]| (packet[40..42].to_vec(), packet[42..44].to_vec());
        let seen: Vec<(u32, u32)> = all.iter().map(|p| (word(p, 44), word(p, 48))).collect();
        let end = u32::try_from(SEGMENT).unwrap() + 2;
        assert_eq!(seen, [(1, 1), (end - 1, 1), (1, end), (end, 4)]);
        assert_eq!(ports(&all[0]).1, 5060u16.to_be_bytes(), "shown as what it was before it was encrypted");
    }

    #[test]
    fn two_ends_of_two_families_become_one() {
        let of = |a: &str, b: &str| one_family(a.parse().unwrap(), b.parse().unwrap());
        assert!(of("[::]:5060", "192.0.2.1:5060").0.is_ipv4());
        assert!(of("[::]:5060", "[::ffff:192.0.2.1]:5060").1.is_ipv4());
        assert!(of("0.0.0.0:5060", "[2001:db8::1]:5060").0.is_ipv6());
        assert!(of("[2001:db8::2]:5060", "192.0.2.1:5060").1.is_ipv6());
    }
}
