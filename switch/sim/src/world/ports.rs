//! The invented RTP ports of the switch: a pair for each leg, taken again only when all others were.

use cordboard_media::PortKey;
use std::collections::{BTreeMap, VecDeque};

const FIRST: u16 = 20_000;
const PAIRS: u16 = 2_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Ports {
    free: VecDeque<u16>,
    keys: VecDeque<u32>,
    next_key: u32,
    by_port: BTreeMap<u16, PortKey>,
    by_key: BTreeMap<PortKey, u16>,
}

impl Ports {
    /// Those of the process that is started for the `start`th time: each begins elsewhere, since phones go on sending to
    /// the ports of the one before.
    pub fn new(start: u32) -> Self {
        let mut free: VecDeque<u16> = (0..PAIRS).map(|pair| FIRST + 2 * pair).collect();
        free.rotate_left(start as usize * 61 % usize::from(PAIRS));
        Self { free, keys: VecDeque::new(), next_key: 0, by_port: BTreeMap::new(), by_key: BTreeMap::new() }
    }

    pub fn open(&mut self) -> Option<(PortKey, u16)> {
        let port = self.free.pop_front()?;
        let key = PortKey(self.keys.pop_front().unwrap_or_else(|| {
            self.next_key += 1;
            self.next_key - 1
        }));
        self.by_port.insert(port, key);
        self.by_key.insert(key, port);
        Some((key, port))
    }

    pub fn close(&mut self, key: PortKey) {
        if let Some(port) = self.by_key.remove(&key) {
            self.by_port.remove(&port);
            self.free.push_back(port);
            self.keys.push_back(key.0);
        }
    }

    /// The pair that a datagram came to, and whether it is RTCP's half.
    pub fn find(&self, port: u16) -> Option<(PortKey, bool)> {
        let key = self.by_port.get(&(port & !1))?;
        Some((*key, port & 1 == 1))
    }

    pub fn port(&self, key: PortKey) -> Option<u16> {
        self.by_key.get(&key).copied()
    }

    pub fn open_count(&self) -> usize {
        self.by_key.len()
    }
}
