//! Ids of tokens that were shown: each opens once.
//!
//! Invariant: none is forgotten before the token that it is of has expired; where there is no room for more, none is taken.

use cordboard_model::time::Wall;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Most ids remembered.
const IDS: usize = 500_000;

/// A hash of an application's client id and a token's id.
type Mark = [u8; 16];

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
    /// Notes that a token is shown that is good until then.
    pub(super) fn note(&mut self, client: &str, id: &str, until: Wall, now: Wall) -> Result<(), Again> {
        while let Some((over, mark)) = self.order.first().copied().filter(|(over, _)| *over <= now.0) {
            self.order.remove(&(over, mark));
            self.until.remove(&mark);
        }
        let mut mark = Mark::default();
        // the length keeps `a` with `bc` apart from `ab` with `c`
        let hash = Sha256::digest(format!("{} {client}{id}", client.len()));
        mark.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        if self.until.contains_key(&mark) {
            return Err(Again::Shown);
        }
        if self.until.len() >= IDS {
            return Err(Again::Full);
        }
        self.until.insert(mark, until);
        self.order.insert((until.0, mark));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_once_until_it_has_expired() {
        let mut seen = Seen::default();
        assert_eq!(seen.note("crm", "a", Wall(100), Wall(0)), Ok(()));
        assert_eq!(seen.note("crm", "a", Wall(100), Wall(99)), Err(Again::Shown));
        assert_eq!(seen.note("other", "a", Wall(100), Wall(0)), Ok(()), "another application's");
        assert_eq!(seen.note("crma", "", Wall(100), Wall(0)), Ok(()));
        assert_eq!(seen.note("crm", "b", Wall(300), Wall(100)), Ok(()));
        assert_eq!((seen.until.len(), seen.order.len()), (1, 1), "what is over is forgotten");
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
