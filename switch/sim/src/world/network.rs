//! The network between the switch and each host: latency, jitter, loss, reordering, duplication, partition.
//!
//! Invariant: on one path packets keep their order unless the path is told to reorder.

use cordboard_model::time::{Duration, Time};
use core::net::IpAddr;
use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;
use std::collections::BTreeMap;

/// The two directions of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// From the host to the switch.
    In,
    /// From the switch to the host.
    Out,
}

/// How packets fare in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Shortest time on the way.
    pub latency: Duration,
    /// Longest time on top of it.
    pub jitter: Duration,
    /// Lost, in a thousand.
    pub loss: u32,
    /// Overtaken by those behind it, in a thousand.
    pub reorder: u32,
    /// Delivered twice, in a thousand.
    pub duplicate: u32,
    /// Nothing passes.
    pub cut: bool,
}

impl Path {
    /// Ten milliseconds, and nothing goes wrong.
    pub const GOOD: Path = Path {
        latency: Duration::from_millis(10),
        jitter: Duration::ZERO,
        loss: 0,
        reorder: 0,
        duplicate: 0,
        cut: false,
    };
}

/// A rule that loses certain SIP messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drop {
    /// The host at the far end.
    pub host: IpAddr,
    /// The direction.
    pub way: Way,
    /// What the start line begins with: `ACK `, `SIP/2.0 200`.
    pub begins: String,
    /// What must stand in the message as well: `INVITE` in CSeq, for one; may be empty.
    pub holds: String,
    /// How many are still to be lost.
    pub count: u32,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Network {
    rng: ChaCha8Rng,
    default: Path,
    paths: BTreeMap<(IpAddr, Way), Path>,
    last: BTreeMap<(IpAddr, Way), Time>,
    drops: Vec<Drop>,
}

/// When a packet arrives: never, once or twice.
pub(super) type Arrivals = [Option<Time>; 2];

impl Network {
    pub fn new(rng: ChaCha8Rng) -> Self {
        Self { rng, default: Path::GOOD, paths: BTreeMap::new(), last: BTreeMap::new(), drops: Vec::new() }
    }

    pub fn set_default(&mut self, path: Path) {
        self.default = path;
    }

    pub fn path(&mut self, host: IpAddr, way: Way) -> &mut Path {
        let default = self.default;
        self.paths.entry((host, way)).or_insert(default)
    }

    pub fn is_cut(&self, host: IpAddr) -> bool {
        let cut = |way| self.paths.get(&(host, way)).unwrap_or(&self.default).cut;
        cut(Way::In) || cut(Way::Out)
    }

    pub fn lose(&mut self, rule: Drop) {
        self.drops.push(rule);
    }

    /// A packet is sent.
    pub fn send(&mut self, host: IpAddr, way: Way, now: Time) -> Arrivals {
        let path = self.paths.get(&(host, way)).copied().unwrap_or(self.default);
        if path.cut || self.happens(path.loss) {
            return [None, None];
        }
        let mut at = now + path.latency + self.up_to(path.jitter);
        let overtaken = self.happens(path.reorder);
        let again = self.happens(path.duplicate).then(|| self.up_to(Duration::from_millis(40)));
        if overtaken {
            at = at + Duration::from_millis(5) + self.up_to(Duration::from_millis(60));
        } else {
            let last = self.last.entry((host, way)).or_insert(at);
            at = at.max(*last);
            *last = at;
        }
        [Some(at), again.map(|later| at + later)]
    }

    /// Whether a rule loses this SIP message.
    pub fn is_dropped(&mut self, host: IpAddr, way: Way, bytes: &[u8]) -> bool {
        let holds = |text: &str| text.is_empty() || find(bytes, text.as_bytes());
        let rule = self.drops.iter_mut().find(|rule| {
            let place = rule.host == host && rule.way == way && rule.count > 0;
            place && bytes.starts_with(rule.begins.as_bytes()) && holds(&rule.holds)
        });
        match rule {
            Some(rule) => {
                rule.count -= 1;
                true
            }
            None => false,
        }
    }

    fn happens(&mut self, in_a_thousand: u32) -> bool {
        in_a_thousand > 0 && self.rng.next_u32() % 1_000 < in_a_thousand
    }

    fn up_to(&mut self, most: Duration) -> Duration {
        let most = most.as_micros() as u64;
        if most == 0 { Duration::ZERO } else { Duration::from_micros(self.rng.next_u64() % (most + 1)) }
    }
}

fn find(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
