//! The guid of a signed-in agent in its dynamic mode.
//!
//! Invariant: a guid opens until it is [`GuidRules::timeout`] old, and not a moment longer; at most two open at a time, the
//! present one and the one before, so that who missed an answer can go on.

use core::time::Duration;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What follows every guid: the name of the node that made it.
const NODE: &str = ".AgentGateway0";
/// Digits of a guid.
const DIGITS: usize = 32;

/// How long guids are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GuidRules {
    /// How old one is when the next is given.
    pub(crate) interval: Duration,
    /// How old one is when it opens nothing any more.
    pub(crate) timeout: Duration,
}

/// What a guid is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// It opens.
    Good,
    /// It did once.
    Stale,
    /// It never did, as far as is known.
    Wrong,
}

#[derive(Clone, Debug)]
struct Guid {
    text: String,
    since: Duration,
}

/// The guids of one session. Times are counted from any one moment.
#[derive(Debug)]
pub(crate) struct Guids {
    rules: GuidRules,
    /// Nobody knows it who is not told: the guids are made of it.
    secret: String,
    count: u64,
    present: Guid,
    former: Option<Guid>,
}

impl Guids {
    /// The first one, made of something that nobody can guess.
    pub(crate) fn new(rules: GuidRules, secret: String, now: Duration) -> Self {
        let present = Guid { text: made(&secret, 0), since: now };
        Self { rules, secret, count: 0, present, former: None }
    }

    /// As the client shows it: with the node, without `JSESSIONID=`.
    pub(crate) fn present(&self) -> &str {
        &self.present.text
    }

    /// What a request's guid is worth.
    pub(crate) fn look(&self, shown: &str, now: Duration) -> Worth {
        let is = |guid: &&Guid| bool::from(guid.text.as_bytes().ct_eq(shown.as_bytes()));
        let known = [Some(&self.present), self.former.as_ref()];
        match known.into_iter().flatten().find(is) {
            Some(guid) if now.saturating_sub(guid.since) < self.rules.timeout => Worth::Good,
            Some(_) => Worth::Stale,
            None => Worth::Wrong,
        }
    }

    /// A poll or a heartbeat with a good guid: gives the one to go on with, if that is another.
    pub(crate) fn beat(&mut self, shown: &str, now: Duration) -> Option<String> {
        if now.saturating_sub(self.present.since) >= self.rules.interval {
            self.count += 1;
            let next = Guid { text: made(&self.secret, self.count), since: now };
            self.former = Some(core::mem::replace(&mut self.present, next));
        }
        (self.present.text != shown).then(|| self.present.text.clone())
    }
}

fn made(secret: &str, count: u64) -> String {
    let mut digits = hex::encode(Sha256::digest(format!("guid {count} {secret}")));
    digits.truncate(DIGITS);
    digits.make_ascii_uppercase();
    digits + NODE
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: GuidRules =
        GuidRules { interval: Duration::from_secs(60), timeout: Duration::from_secs(120) };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_guid_is_renewed_after_a_minute_and_dead_after_two() {
        let mut guids = Guids::new(RULES, "cbs_secret".into(), at(0));
        let first = guids.present().to_owned();
        assert!(first.ends_with(NODE) && first.len() == DIGITS + NODE.len());
        assert_eq!(guids.beat(&first, at(59)), None);
        let second = guids.beat(&first, at(60)).unwrap();
        assert_ne!(first, second);
        assert_eq!((guids.look(&first, at(119)), guids.look(&second, at(119))), (Worth::Good, Worth::Good));
        assert_eq!((guids.look(&first, at(120)), guids.look(&second, at(120))), (Worth::Stale, Worth::Good));
        assert_eq!(guids.look("0123.AgentGateway0", at(61)), Worth::Wrong);
        assert_eq!(guids.look(&second, at(180)), Worth::Stale);
    }

    /// The answer that brought the new guid was lost: the client goes on with the old one, and is told again.
    #[test]
    fn who_missed_the_new_guid_is_told_it_again() {
        let mut guids = Guids::new(RULES, "cbs_secret".into(), at(0));
        let first = guids.present().to_owned();
        let second = guids.beat(&first, at(70)).unwrap();
        assert_eq!(guids.beat(&first, at(75)), Some(second.clone()));
        assert_eq!(guids.beat(&second, at(80)), None);
        let third = guids.beat(&second, at(130)).unwrap();
        assert_eq!(guids.look(&first, at(130)), Worth::Wrong);
        assert_ne!(second, third);
    }

    #[test]
    fn guids_of_two_sessions_differ() {
        let (one, two) = ("cbs_one".to_owned(), "cbs_two".to_owned());
        assert_ne!(Guids::new(RULES, one, at(0)).present(), Guids::new(RULES, two, at(0)).present());
    }
}
