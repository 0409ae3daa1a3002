//! Tables by text that peers choose: branches, tags.
//!
//! Invariant: nobody walks through one, so that what happens never depends on its order; and the hash is keyed by the
//! engine's seed, so that nobody outside can choose texts that fall together.

use std::collections::HashMap;
use std::hash::{BuildHasher, DefaultHasher, Hasher};

#[derive(Clone, Copy, Debug, Default)]
struct Seed(u64);

impl BuildHasher for Seed {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keyed<V>(HashMap<String, V, Seed>);

impl<V> Keyed<V> {
    /// Empty, with the key of its hash.
    pub(crate) fn new(seed: u64) -> Self {
        Self(HashMap::with_hasher(Seed(seed)))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.0.get(key)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(crate) fn insert(&mut self, key: String, value: V) {
        self.0.insert(key, value);
    }

    /// Keeps what is there already.
    pub(crate) fn insert_first(&mut self, key: String, value: V) {
        self.0.entry(key).or_insert(value);
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
