//! Ids of tokens that were shown: each opens once.
//!
//! Invariant: none is forgotten before the token that it is of has expired; where there is no room for more, none is taken.
//! What is here is of this start alone: the store has all, and is asked for each that is new here (`once.rs`).

use cordboard_model::time::Wall;
use std::collections::{BTreeMap, BTreeSet};

/// Most ids remembered.
const IDS: usize = 500_000;

/// A hash of an application's client id and a token's id.
pub(super) type Mark = [u8; 16];

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Seen {
    until: BTreeMap<Mark, Wall>,
    order: BTreeSet<(i64, Mark)>,
}

/// Why a token does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It was shown before.
    Shown,
    /// There is no room to remember it.
    Full,
}

impl Seen {
    /// Notes that a token is shown that is good until then; gives its mark.
    pub(super) fn note(&mut self, client: &str, id: &str, until: Wall, now: Wall) -> Result<Mark, Again> {
        while let Some((over, mark)) = self.order.first().copied().filter(|(over, _)| *over <= now.0) {
            self.order.remove(&(over, mark));
            self.until.remove(&mark);
        }
        let mark = crate::once::mark(&[client, id]);
        if self.until.contains_key(&mark) {
            return Err(Again::Shown);
        }
        if self.until.len() >= IDS {
            return Err(Again::Full);
        }
        self.until.insert(mark, until);
        self.order.insert((until.0, mark));
        Ok(mark)
    }

    /// It was not opened after all, for the store could not say: it may come again.
    pub(super) fn forget(&mut self, mark: Mark) {
        if let Some(until) = self.until.remove(&mark) {
            self.order.remove(&(until.0, mark));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_once_until_it_has_expired() {
        let mut seen = Seen::default();
        assert_eq!(seen.note("crm", "a", Wall(100), Wall(0)).map(drop), Ok(()));
        assert_eq!(seen.note("crm", "a", Wall(100), Wall(99)), Err(Again::Shown));
        assert_eq!(seen.note("other", "a", Wall(100), Wall(0)).map(drop), Ok(()), "another application's");
        assert_eq!(seen.note("crma", "", Wall(100), Wall(0)).map(drop), Ok(()));
        assert_eq!(seen.note("crm", "b", Wall(300), Wall(100)).map(drop), Ok(()));
        assert_eq!((seen.until.len(), seen.order.len()), (1, 1), "what is over is forgotten");
        let mark = seen.note("crm", "c", Wall(300), Wall(100)).unwrap();
        seen.forget(mark);
        assert_eq!(seen.note("crm", "c", Wall(300), Wall(100)), Ok(mark), "it was not opened");
    }

    #[test]
    fn where_there_is_no_room_none_is_taken() {
        let mut seen = Seen::default();
        for number in 0..IDS {
            seen.until.insert((number as u128).to_be_bytes(), Wall(100));
        }
        assert_eq!(seen.note("crm", "a", Wall(100), Wall(0)), Err(Again::Full));
    }
}
