//! When the switch has more to do than it can: new calls are refused, early and cheaply, so that those that are up and
//! those that were taken go on (RFC 5390, RFC 6357).

use core::time::Duration;

use cordboard_model::time::Time;

use super::bucket::Bucket;
use super::table::Table;

/// Refused INVITEs that are remembered. A repetition of a refused one must not be taken: the caller has given up.
const REFUSED: usize = 65_536;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Overload {
    /// How long the message at hand has waited.
    pub(super) delay: Duration,
    all: Bucket,
    strangers: Bucket,
    refused: Table<u64, ()>,
}

/// An INVITE that was not refused before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Once(u64);

impl Overload {
    pub(super) fn new(size: usize) -> Self {
        Self {
            delay: Duration::ZERO,
            all: Bucket::default(),
            strangers: Bucket::default(),
            refused: Table::new(size.min(REFUSED)),
        }
    }

    pub(super) fn is_behind(&self, most: Duration, is_peer: bool) -> bool {
        self.delay > if is_peer { most * 2 } else { most }
    }

    /// None for the repetition of an INVITE that was refused.
    pub(super) fn first_time(&self, branch: &str) -> Option<Once> {
        // FNV-1a: two calls that share a value cost one of them its place, no more.
        let key = branch.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        self.refused.get(&key).is_none().then_some(Once(key))
    }

    pub(super) fn refuse(&mut self, once: Once) {
        self.refused.used(once.0, || (), |()| ());
    }

    /// Takes one of the calls of this second. A fifth of them is kept for trunks.
    pub(super) fn take(&mut self, per_second: u32, is_peer: bool, now: Time) -> bool {
        if per_second == 0 {
            return true;
        }
        let kept = per_second / 5;
        (is_peer || self.strangers.take(per_second - kept, now)) && self.all.take(per_second, now)
    }
}
