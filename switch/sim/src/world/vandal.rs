//! A vandal on the network: copies what phones send, damages the copy and sends it on, under his own address
//! or the phone's; and throws packets at open media ports.
//!
//! Invariant: his numbers are his own. A world with him differs from one without in what he adds alone.

use super::agenda::Happening;
use super::{SWITCH, World};
use cordboard_model::time::Duration;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

/// Where he is.
const VANDAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66)), 5_060);

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Vandal {
    pub rng: ChaCha8Rng,
    pub in_1000: u32,
}

impl Vandal {
    fn below(&mut self, most: usize) -> usize {
        (self.rng.next_u64() % (most.max(1) as u64)) as usize
    }

    /// Changes, removes, repeats or exchanges pieces.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let length = self.below(30).min(bytes.len().saturating_sub(at));
            match self.below(6) {
                0 => {
                    let value = self.rng.next_u32() as u8;
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = value;
                    }
                }
                1 => drop(bytes.drain(at..at + length)),
                2 => {
                    let piece: Vec<u8> = bytes.get(at..at + length).unwrap_or_default().to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                3 => bytes.truncate(at),
                4 => self.exchange_lines(&mut bytes),
                _ => self.other_number(&mut bytes),
            }
        }
        bytes
    }

    fn exchange_lines(&mut self, bytes: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
        let (a, b) = (self.below(lines.len()), self.below(lines.len()));
        if a < lines.len() && b < lines.len() {
            lines.swap(a, b);
        }
        *bytes = lines.concat();
    }

    /// A digit becomes another one: numbers, tags, branches, ports.
    fn other_number(&mut self, bytes: &mut [u8]) {
        let at = self.below(bytes.len());
        let digit = b'0' + self.below(10) as u8;
        if let Some(byte) = bytes.iter_mut().skip(at).find(|b| b.is_ascii_digit()) {
            *byte = digit;
        }
    }
}

impl World {
    /// The vandal sees a datagram of a phone.
    pub(super) fn vandalise(&mut self, from: SocketAddr, bytes: &[u8]) {
        let Some(vandal) = &mut self.vandal else { return };
        if vandal.rng.next_u32() % 1_000 >= vandal.in_1000 {
            return;
        }
        let damaged = vandal.damage(bytes);
        let from = if vandal.below(2) == 0 { VANDAL } else { from };
        let at = self.now + Duration::from_micros(vandal.rng.next_u64() % 50_000);
        self.agenda.plan(at, Happening::SipToSwitch { from, bytes: damaged });
        let port = 20_000 + 2 * vandal.below(40) as u16 + vandal.below(2) as u16;
        let length = vandal.below(200);
        let mut packet = vec![0; length];
        vandal.rng.fill_bytes(&mut packet);
        if let Some(first) = packet.first_mut() {
            *first = 0x80;
        }
        debug_assert_ne!(from, SWITCH);
        self.agenda.plan(at, Happening::MediaToSwitch { from: VANDAL, port, bytes: packet });
    }
}
