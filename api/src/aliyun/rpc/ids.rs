//! Numbers for what has names here: agents, queues and departments.
//!
//! Invariant: a number is made of the name alone, unless two names have the same; no restart and no other process changes it.

use cordboard_model::id::Name;
use std::collections::BTreeMap;

/// The first number of what has none of its own.
const FIRST: u64 = 1_000_000_000;
/// So many numbers are there for those.
const NUMBERS: u64 = 8_000_000_000;
/// Numbers up to this are names' own.
const OWN: u64 = FIRST - 1;

/// Numbers of these names: a name that is a number has that.
pub(super) fn of<'a>(names: impl Iterator<Item = &'a Name>) -> BTreeMap<u64, &'a Name> {
    let mut known = BTreeMap::new();
    let (own, rest): (Vec<&Name>, Vec<&Name>) = names.partition(|name| own(name).is_some());
    for name in own {
        known.entry(self::own(name).unwrap_or_default()).or_insert(name);
    }
    for name in rest {
        let mut number = FIRST + hash(name.as_str()) % NUMBERS;
        while known.contains_key(&number) {
            number = FIRST + (number - FIRST + 1) % NUMBERS;
        }
        known.insert(number, name);
    }
    known
}

/// A name that is a number, written as numbers are.
fn own(name: &Name) -> Option<u64> {
    let number = name.as_str().parse().ok().filter(|number| (1..=OWN).contains(number))?;
    (number.to_string() == name.as_str()).then_some(number)
}

/// The number of a name among these.
pub(super) fn number(known: &BTreeMap<u64, &Name>, name: &str) -> u64 {
    known.iter().find(|(_, other)| other.as_str() == name).map_or(0, |(number, _)| *number)
}

/// FNV-1a of 64 bits: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_what_they_are_and_a_name_that_is_one_has_its_own() {
        let names = ["1001", "0101", "sales", "客服"].map(|name| Name::new(name).unwrap());
        let known = of(names.iter());
        assert_eq!(known.len(), 4);
        assert_eq!(number(&known, "1001"), 1001);
        assert!(number(&known, "0101") >= FIRST, "it would be 101, too");
        assert_eq!(number(&of(names[2..3].iter()), "sales"), number(&known, "sales"));
        assert_eq!(number(&known, "nobody"), 0);
    }
}
