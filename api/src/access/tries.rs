//! How many passwords and codes were wrong in a row, by the name that was said.
//!
//! Invariants: a try counts when it begins, so that many at a time gain nothing; a name that nobody has is treated as one that
//! somebody has, so that the answers do not tell which there are.

use cordboard_model::id::TenantId;
use cordboard_model::signin::{SignInFault, SignInRules};
use cordboard_model::time::Wall;
use std::collections::BTreeMap;

/// Most names remembered; for one more the one that is of least weight is forgotten.
const NAMES: usize = 10_000;
/// A try that was not done with after so long was given up, milliseconds.
const GIVEN_UP_MS: i64 = 30_000;

#[derive(Clone, Copy, Debug)]
struct Tried {
    wrong: u8,
    looked_at: u8,
    began: Wall,
    next: Wall,
    locked: Option<Wall>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tries(BTreeMap<(TenantId, String), Tried>);

fn seconds(from: Wall, to: Wall) -> u32 {
    u32::try_from((to.0 - from.0).max(0).div_euclid(1_000) + 1).unwrap_or(u32::MAX)
}

fn after(at: Wall, wait: core::time::Duration) -> Wall {
    Wall(at.0.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
}

impl Tries {
    /// Whether a password may be looked at for this name now. It counts as a try.
    ///
    /// # Errors
    /// Not yet.
    pub(crate) fn begin(
        &mut self,
        who: &(TenantId, String),
        rules: &SignInRules,
        now: Wall,
    ) -> Result<(), SignInFault> {
        self.make_room(who);
        let fresh = Tried { wrong: 0, looked_at: 0, began: now, next: Wall(0), locked: None };
        let tried = self.0.entry(who.clone()).or_insert(fresh);
        if let Some(until) = tried.locked.filter(|until| now < *until) {
            return Err(SignInFault::Locked(seconds(now, until)));
        }
        tried.locked = None;
        if now < tried.next {
            return Err(SignInFault::TooSoon(seconds(now, tried.next)));
        }
        if now.0 - tried.began.0 > GIVEN_UP_MS {
            tried.looked_at = 0;
        }
        if u16::from(tried.wrong) + u16::from(tried.looked_at) >= u16::from(rules.tries) {
            return Err(SignInFault::TooSoon(1));
        }
        (tried.looked_at, tried.began) = (tried.looked_at.saturating_add(1), now);
        Ok(())
    }

    /// It was right: nothing counts any more.
    pub(crate) fn right(&mut self, who: &(TenantId, String)) {
        self.0.remove(who);
    }

    /// It was not looked at after all, or says nothing.
    pub(crate) fn unknown(&mut self, who: &(TenantId, String)) {
        if let Some(tried) = self.0.get_mut(who) {
            tried.looked_at = tried.looked_at.saturating_sub(1);
        }
    }

    /// It was wrong: how that is answered.
    pub(crate) fn wrong(&mut self, who: &(TenantId, String), rules: &SignInRules, now: Wall) -> SignInFault {
        let Some(tried) = self.0.get_mut(who) else { return SignInFault::Wrong };
        tried.looked_at = tried.looked_at.saturating_sub(1);
        let wait = rules.slow.saturating_mul(1 << u32::from(tried.wrong).min(16)).min(rules.lock);
        tried.wrong = tried.wrong.saturating_add(1);
        tried.next = after(now, wait);
        if tried.wrong < rules.tries {
            return SignInFault::Wrong;
        }
        (tried.wrong, tried.next) = (0, now);
        let until = after(now, rules.lock);
        tried.locked = Some(until);
        SignInFault::Locked(seconds(now, until))
    }

    /// There is room for this name.
    fn make_room(&mut self, who: &(TenantId, String)) {
        if self.0.len() < NAMES || self.0.contains_key(who) {
            return;
        }
        let least = self.0.iter().min_by_key(|(_, tried)| (tried.locked, tried.wrong, tried.began));
        if let Some(name) = least.map(|(name, _)| name.clone()) {
            self.0.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn li() -> (TenantId, String) {
        (TenantId::DEFAULT, "li".to_owned())
    }

    #[test]
    fn each_wrong_one_costs_twice_the_time_and_the_last_locks() {
        let (mut tries, rules) = (Tries::default(), SignInRules::default());
        let mut now = Wall(1_000_000);
        for wait in [1_000, 2_000, 4_000, 8_000] {
            assert_eq!(tries.begin(&li(), &rules, now), Ok(()));
            assert_eq!(tries.wrong(&li(), &rules, now), SignInFault::Wrong);
            let early = Wall(now.0 + wait - 1);
            assert!(matches!(tries.begin(&li(), &rules, early), Err(SignInFault::TooSoon(_))), "{wait}");
            now = Wall(now.0 + wait);
        }
        assert_eq!(tries.begin(&li(), &rules, now), Ok(()));
        assert!(matches!(tries.wrong(&li(), &rules, now), SignInFault::Locked(901)));
        let last = Wall(now.0 + 899_999);
        assert_eq!(tries.begin(&li(), &rules, last), Err(SignInFault::Locked(1)));
        let other = (TenantId::DEFAULT, "chen".to_owned());
        assert_eq!(tries.begin(&other, &rules, last), Ok(()), "nobody else waits");
        let over = Wall(now.0 + 900_000);
        assert_eq!(tries.begin(&li(), &rules, over), Ok(()));
        tries.right(&li());
        assert_eq!(tries.begin(&li(), &rules, over), Ok(()));
    }

    #[test]
    fn many_at_a_time_are_no_more_than_one_after_another() {
        let (mut tries, rules, now) = (Tries::default(), SignInRules::default(), Wall(1_000));
        let taken = (0..100).filter(|_| tries.begin(&li(), &rules, now).is_ok()).count();
        assert_eq!(taken, usize::from(rules.tries));
        let later = Wall(now.0 + GIVEN_UP_MS + 1);
        assert_eq!(tries.begin(&li(), &rules, later), Ok(()), "those that were given up do not lock him out");
    }

    #[test]
    fn names_that_are_made_up_do_not_push_out_one_that_is_locked() {
        let (mut tries, rules, now) = (Tries::default(), SignInRules::default(), Wall(1_000_000));
        for n in 0..i64::from(rules.tries) {
            let at = Wall(now.0 + n * 60_000);
            tries.begin(&li(), &rules, at).unwrap();
            tries.wrong(&li(), &rules, at);
        }
        let at = Wall(now.0 + 400_000);
        for n in 0..NAMES + 10 {
            tries.begin(&(TenantId::DEFAULT, format!("made-up-{n}")), &rules, at).unwrap();
        }
        assert_eq!(tries.0.len(), NAMES);
        assert!(matches!(tries.begin(&li(), &rules, at), Err(SignInFault::Locked(_))));
    }
}
