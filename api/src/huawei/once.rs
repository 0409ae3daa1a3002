//! Signatures that were used, so that none opens twice. The store has them, too, for those that come again after a restart.
//!
//! Invariant: a signature is remembered as long as its time would be taken; where there is no room for the next, that is
//! refused. Only who has a key fills it.

use super::sign::Unsigned;
use cordboard_model::time::Wall;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Most signatures that are remembered.
const MOST: usize = 100_000;

#[derive(Debug, Default)]
struct Used {
    known: BTreeSet<String>,
    by_time: BTreeMap<i64, Vec<String>>,
}

/// Those that were used.
#[derive(Debug, Default)]
pub(crate) struct Once(Mutex<Used>);

impl Once {
    /// Takes a signature of this time.
    ///
    /// # Errors
    /// It was used before, or there is no room.
    pub(crate) fn take(&self, signature: &str, at: Wall, now: Wall, skew: Duration) -> Result<(), Unsigned> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let skew = i64::try_from(skew.as_millis()).unwrap_or(i64::MAX);
        let later = used.by_time.split_off(&now.0.saturating_sub(skew));
        let over = core::mem::replace(&mut used.by_time, later);
        for signature in over.values().flatten() {
            used.known.remove(signature);
        }
        if used.known.contains(signature) {
            return Err(Unsigned::Again);
        }
        if used.known.len() >= MOST {
            return Err(Unsigned::Full);
        }
        used.known.insert(signature.to_owned());
        used.by_time.entry(at.0).or_default().push(signature.to_owned());
        Ok(())
    }

    /// It opened nothing after all, for the store could not say: it may come again.
    pub(crate) fn forget(&self, signature: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).known.remove(signature);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_opens_once_while_its_time_would_be_taken() {
        let (once, skew) = (Once::default(), Duration::from_secs(900));
        let take = |signature: &str, at, now| once.take(signature, Wall(at), Wall(now), skew);
        assert_eq!(take("a", 1_000_000, 1_000_000), Ok(()));
        assert_eq!(take("a", 1_000_000, 1_000_001), Err(Unsigned::Again));
        assert_eq!(take("b", 1_000_000, 1_000_001), Ok(()));
        assert_eq!(take("a", 1_000_000, 1_900_000), Err(Unsigned::Again), "its time is taken yet");
        assert_eq!(take("c", 1_900_001, 1_900_001), Ok(()), "and then forgotten");
        assert_eq!(once.0.lock().unwrap().known.len(), 1);
        once.forget("c");
        assert_eq!(take("c", 1_900_001, 1_900_002), Ok(()));
    }

    #[test]
    fn where_there_is_no_room_the_next_is_refused_and_none_is_forgotten() {
        let (once, skew) = (Once::default(), Duration::from_secs(900));
        for n in 0..MOST {
            once.take(&n.to_string(), Wall(0), Wall(0), skew).unwrap();
        }
        assert_eq!(once.take("more", Wall(0), Wall(0), skew), Err(Unsigned::Full));
        assert_eq!(once.take("0", Wall(0), Wall(0), skew), Err(Unsigned::Again));
        assert_eq!(once.take("more", Wall(900_001), Wall(900_001), skew), Ok(()));
    }
}
