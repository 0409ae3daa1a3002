//! A party tells a secret, by keys or by word: nobody hears it and no recording has it.
//!
//! Invariant: what is covered ends only when the last key has been let go. Who collects keys knows the last one by its
//! first packets; its tones go on for as long as the finger stays.

use cordboard_model::time::{Duration, Time};

/// Still covered after the end, and after the last sign of a key: longer than a recording waits for a late packet.
const TAIL: Duration = Duration::from_millis(500);

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Secret {
    /// Covered until here; `FAR` while it is told.
    until: Time,
}

impl Secret {
    pub(crate) fn set(&mut self, on: bool, now: Time) {
        if on {
            self.until = Time::FAR;
        } else if self.until == Time::FAR {
            self.until = now + TAIL;
        }
    }

    /// Whether what comes now is nobody's business.
    pub(crate) fn covers(&self, now: Time) -> bool {
        now < self.until
    }

    /// A key is down.
    pub(crate) fn key(&mut self, now: Time) {
        if self.covers(now) && self.until != Time::FAR {
            self.until = now + TAIL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn the_last_key_stays_covered_until_it_is_let_go() {
        let mut secret = Secret::default();
        assert!(!secret.covers(at(0)));
        secret.set(false, at(0));
        assert!(!secret.covers(at(0)), "there was none to end");
        secret.set(true, at(10));
        assert!(secret.covers(at(1_000_000)));
        secret.set(false, at(1_000));
        secret.key(at(1_400));
        assert!(secret.covers(at(1_899)) && !secret.covers(at(1_900)));
        secret.key(at(2_500));
        assert!(!secret.covers(at(2_501)), "a later key is none of the secret");
    }
}
