//! The brake on guessing: who fails too often has to wait.
//!
//! Invariants: who goes on showing what was right is never held up by others who fail from the same address: behind one there
//! may be a whole house, and behind a proxy everybody. What was not found right before is not looked at while its address has to
//! wait: otherwise the brake would tell a guesser which guess was right.

use dashmap::DashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Failed keys and passwords that an address may send within [`WINDOW`] before it is told to wait.
const TRIES: u32 = 20;
/// Tokens of sessions that are over, that it may show within [`WINDOW`]: nobody guesses one, but each is looked up, and a page
/// that nobody has closed shows one every second.
const STALE: u32 = 600;
/// How long failures count.
const WINDOW: Duration = Duration::from_secs(60);
/// Most addresses remembered; beyond it those go whose failures are the oldest.
const SOURCES: usize = 10_000;
/// Most keys and tokens remembered as good.
const GOOD: usize = 50_000;
/// How long one is remembered after it was last found good. Whether it still is, is looked up each time.
const REMEMBERED: Duration = Duration::from_secs(86_400);

/// Failures of one address.
#[derive(Clone, Copy, Debug)]
struct Failed {
    since: Instant,
    wrong: u32,
    stale: u32,
}

/// Failed tries by address.
#[derive(Default)]
pub struct Brake {
    failed: DashMap<IpAddr, Failed>,
    /// Keys and tokens that were good of late, by a hash that nobody outside can foresee.
    good: DashMap<u64, Instant>,
    hasher: RandomState,
}

impl Brake {
    /// Whether `source` has to wait with a password, in seconds, because it has shown too many wrong ones or wrong keys.
    pub fn wait(&self, source: IpAddr, now: Instant) -> Option<u32> {
        self.left(source, now, |failed| failed.wrong >= TRIES)
    }

    /// Whether `source` has to wait before this key or token is looked for: one that was good of late has not.
    pub fn wait_with(&self, source: IpAddr, shown: &str, now: Instant) -> Option<u32> {
        let waits = self.left(source, now, |failed| failed.wrong >= TRIES || failed.stale >= STALE)?;
        let is_good = |at: &Instant| now.duration_since(*at) < REMEMBERED;
        let known = self.good.view(&self.hasher.hash_one(shown), |_, at| is_good(at)).unwrap_or(false);
        (!known).then_some(waits)
    }

    fn left(&self, source: IpAddr, now: Instant, waits: impl Fn(&Failed) -> bool) -> Option<u32> {
        let left = |since: Instant| WINDOW.saturating_sub(now.duration_since(since)).as_secs() as u32 + 1;
        let held = |failed: &Failed| waits(failed) && now.duration_since(failed.since) < WINDOW;
        self.failed.view(&network(source), |_, failed| held(failed).then(|| left(failed.since))).flatten()
    }

    /// Counts a failed key or password from `source`.
    pub fn failed(&self, source: IpAddr, now: Instant) {
        self.count(source, now, |failed| {
            failed.wrong = failed.wrong.saturating_add(1);
            failed.wrong == TRIES
        });
    }

    /// Counts a token of a session that is over.
    pub fn stale(&self, source: IpAddr, now: Instant) {
        self.count(source, now, |failed| {
            failed.stale = failed.stale.saturating_add(1);
            failed.stale == STALE
        });
    }

    /// A key or token was good.
    pub fn found(&self, shown: &str, now: Instant) {
        if self.good.len() >= GOOD {
            self.good.retain(|_, at| now.duration_since(*at) < REMEMBERED);
        }
        if self.good.len() < GOOD {
            self.good.insert(self.hasher.hash_one(shown), now);
        }
    }

    fn count(&self, source: IpAddr, now: Instant, add: impl Fn(&mut Failed) -> bool) {
        let source = network(source);
        if self.failed.len() >= SOURCES && !self.failed.contains_key(&source) {
            self.make_room(now);
        }
        let fresh = Failed { since: now, wrong: 0, stale: 0 };
        let mut entry = self.failed.entry(source).or_insert(fresh);
        if now.duration_since(entry.since) >= WINDOW {
            *entry = fresh;
        }
        if add(&mut entry) {
            let (wrong, stale) = (entry.wrong, entry.stale);
            drop(entry);
            tracing::warn!(%source, wrong, stale, "this address has failed too often, and waits for a minute");
        }
    }

    fn make_room(&self, now: Instant) {
        self.failed.retain(|_, failed| now.duration_since(failed.since) < WINDOW);
        if self.failed.len() < SOURCES {
            return;
        }
        // Half of them, those that began first: so rarely that it costs little.
        let mut begun: Vec<Instant> = self.failed.iter().map(|entry| entry.since).collect();
        begun.sort_unstable();
        if let Some(middle) = begun.get(begun.len() / 2).copied() {
            self.failed.retain(|_, failed| failed.since > middle);
        }
    }
}

/// What of an address one host cannot change: of IPv6 its network's 64 bits.
fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_that_guesses_has_to_wait_and_is_forgiven() {
        let (brake, source, start) = (Brake::default(), ip("127.0.0.1"), Instant::now());
        for _ in 0..TRIES {
            assert_eq!(brake.wait(source, start), None);
            brake.failed(source, start);
        }
        assert_eq!(brake.wait(source, start), Some(61));
        assert_eq!(brake.wait(ip("127.0.0.2"), start), None);
        assert_eq!(brake.wait(source, start + WINDOW), None);
    }

    #[test]
    fn a_token_that_was_good_is_looked_up_whoever_else_fails_there() {
        let (brake, source, now) = (Brake::default(), ip("192.0.2.1"), Instant::now());
        brake.found("cbs_good", now);
        for _ in 0..TRIES {
            brake.failed(source, now);
        }
        assert_eq!(brake.wait_with(source, "cbs_good", now), None);
        assert_eq!(brake.wait_with(source, "cbs_other", now), Some(61));
        assert_eq!(brake.wait_with(source, "cbs_other", now + WINDOW), None);
    }

    #[test]
    fn a_page_that_shows_a_token_that_is_over_keeps_nobody_out() {
        let (brake, source, now) = (Brake::default(), ip("192.0.2.1"), Instant::now());
        for _ in 0..STALE {
            assert_eq!(brake.wait_with(source, "cbs_over", now), None);
            brake.stale(source, now);
        }
        assert_eq!(brake.wait(source, now), None, "keys and passwords are another matter");
        assert_eq!(brake.wait_with(source, "cbs_over", now), Some(61), "and no flood of them is looked up");
    }

    #[test]
    fn a_network_of_ipv6_is_one_source_and_many_sources_crowd_nobody_out() {
        let (brake, now) = (Brake::default(), Instant::now());
        for host in 0..TRIES {
            brake.failed(ip(&format!("2001:db8::{host:x}")), now);
        }
        assert_eq!(brake.wait(ip("2001:db8::ffff:1"), now), Some(61));
        assert_eq!(brake.wait(ip("2001:db8:0:1::1"), now), None);
        let later = now + Duration::from_secs(1);
        for source in 0..u32::try_from(SOURCES).unwrap() + 500 {
            brake.failed(IpAddr::V4(source.into()), later);
        }
        assert!(brake.failed.len() <= SOURCES);
        for _ in 0..TRIES {
            brake.failed(ip("192.0.2.77"), later);
        }
        assert!(brake.wait(ip("192.0.2.77"), later).is_some(), "the next guesser is counted all the same");
    }
}
