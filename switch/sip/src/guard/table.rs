//! A map of fixed size that forgets what was not used for the longest time: nobody who sends can make it grow.

use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Table<K, V> {
    entries: BTreeMap<K, (u64, V)>,
    by_use: BTreeMap<u64, K>,
    uses: u64,
    max: usize,
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) const fn new(max: usize) -> Self {
        Self { entries: BTreeMap::new(), by_use: BTreeMap::new(), uses: 0, max }
    }

    /// Changes the size; what is over it is forgotten.
    pub(super) fn resize(&mut self, max: usize) {
        self.max = max;
        self.shrink(max);
    }

    /// The value, which does not count as a use.
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The value, which does not count as a use.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// Lets `act` use the value, which is made if there is none.
    pub(super) fn used<T>(&mut self, key: K, make: impl FnOnce() -> V, act: impl FnOnce(&mut V) -> T) -> T {
        self.uses += 1;
        let uses = self.uses;
        match self.entries.get_mut(&key) {
            Some((last, _)) => {
                self.by_use.remove(last);
                *last = uses;
            }
            None => self.shrink(self.max.saturating_sub(1)),
        }
        self.by_use.insert(uses, key.clone());
        let (_, value) = self.entries.entry(key).or_insert_with(|| (uses, make()));
        act(value)
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let (last, value) = self.entries.remove(key)?;
        self.by_use.remove(&last);
        Some(value)
    }

    /// All, by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, (_, value))| (key, value))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn shrink(&mut self, max: usize) {
        while self.entries.len() > max {
            let Some((_, key)) = self.by_use.pop_first() else {
                return;
            };
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_forgets_what_was_not_used_for_the_longest_time() {
        let mut table: Table<u32, u32> = Table::new(3);
        for key in [1, 2, 3, 1, 4] {
            table.used(key, || 0, |value| *value += 1);
        }
        let kept: Vec<_> = table.iter().map(|(key, uses)| (*key, *uses)).collect();
        assert_eq!(kept, [(1, 2), (3, 1), (4, 1)]);
        for key in 0..1_000 {
            table.used(key, || 0, |_| ());
            assert!(table.len() <= 3 && table.by_use.len() == table.len());
        }
        table.remove(&999);
        table.resize(1);
        assert_eq!((table.len(), table.by_use.len()), (1, 1));
    }
}
