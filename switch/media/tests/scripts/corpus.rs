//! Outside test material, beside the project's folder. A test that misses it says so and checks nothing.

use core::net::SocketAddr;
use std::path::PathBuf;

/// The bytes of a file of the corpora.
pub fn file(name: &str) -> Option<Vec<u8>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    let path = PathBuf::from(root).join(name);
    let read = std::fs::read(path).ok();
    if read.is_none() {
        println!("SKIPPED: ../shared/corpora/{name} is not here, so nothing was compared with it");
    }
    read
}

/// One UDP datagram of a capture.
#[derive(Clone, Debug)]
pub struct Datagram {
    pub micros: u64,
    pub to: SocketAddr,
    pub payload: Vec<u8>,
}

/// The UDP datagrams of a classic pcap file over Ethernet, Linux cooked or raw IP. Panics on a file
/// that is not one: the corpus is fixed.
pub fn pcap(bytes: &[u8]) -> Vec<Datagram> {
    let little = match bytes[..4] {
        [0xd4, 0xc3, 0xb2, 0xa1] => true,
        [0xa1, 0xb2, 0xc3, 0xd4] => false,
        _ => panic!("not a pcap file"),
    };
    let word = |at: usize| {
        let word = bytes[at..at + 4].try_into().unwrap();
        if little { u32::from_le_bytes(word) } else { u32::from_be_bytes(word) }
    };
    let link_header = match word(20) {
        1 => 14,
        113 => 16,
        101 | 12 => 0,
        other => panic!("link type {other}"),
    };
    let (mut at, mut out) = (24, Vec::new());
    while at + 16 <= bytes.len() {
        let micros = u64::from(word(at)) * 1_000_000 + u64::from(word(at + 4));
        let length = word(at + 8) as usize;
        let frame = bytes.get(at + 16..at + 16 + length).unwrap_or_default();
        out.extend(frame.get(link_header..).and_then(|ip| udp(ip, micros)));
        at += 16 + length;
    }
    out
}

fn udp(ip: &[u8], micros: u64) -> Option<Datagram> {
    if ip.first()? >> 4 != 4 || *ip.get(9)? != 17 {
        return None;
    }
    let udp = ip.get(usize::from(ip[0] & 0x0f) * 4..)?;
    let port = |at: usize| Some(u16::from_be_bytes([*udp.get(at)?, *udp.get(at + 1)?]));
    let address = |at: usize| <[u8; 4]>::try_from(ip.get(at..at + 4)?).ok();
    Some(Datagram {
        micros,
        to: SocketAddr::from((address(16)?, port(2)?)),
        payload: udp.get(8..usize::from(port(4)?))?.to_vec(),
    })
}
