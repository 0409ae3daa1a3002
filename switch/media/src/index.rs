//! Keys of a slab by id: one look, and no memory taken once it has its room.
//!
//! Invariant: it holds as many ids as it was made for without allocating, and frees nothing; which place of its table an id has
//! is never seen. A tree would take and give back a node with every few legs that come and go.

use core::hash::{Hash, Hasher};

/// A place that is empty; others hold a key and one.
const EMPTY: u32 = 0;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Index<K> {
    /// Open addressing, linear; at most half of it is taken.
    table: Vec<u32>,
    /// By key of the slab.
    ids: Vec<Option<K>>,
    len: usize,
}

impl<K: Copy + Eq + Hash> Index<K> {
    /// With room for so many ids, whose keys are below that number. Zeroes that nobody has touched take no memory.
    pub(crate) fn with_room(ids: usize) -> Self {
        let places = (ids.max(8) * 2).next_power_of_two();
        Self { table: vec![EMPTY; places], ids: Vec::with_capacity(ids), len: 0 }
    }

    /// The key of an id.
    pub(crate) fn get(&self, id: &K) -> Option<u32> {
        let place = self.place_of(id)?;
        self.key_at(place)
    }

    /// Whether an id is there.
    pub(crate) fn contains(&self, id: &K) -> bool {
        self.place_of(id).is_some()
    }

    /// How many ids there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Notes an id that was not there. Allocates if there are more than it was made for.
    pub(crate) fn insert(&mut self, id: K, key: u32) {
        if (self.len + 1) * 2 > self.table.len() {
            self.grow();
        }
        let at = key as usize;
        if self.ids.len() <= at {
            self.ids.resize(at + 1, None);
        }
        self.ids[at] = Some(id);
        self.len += 1;
        self.seat(&id, key);
    }

    /// Forgets an id.
    pub(crate) fn remove(&mut self, id: &K) -> Option<u32> {
        let mut hole = self.place_of(id)?;
        let key = self.key_at(hole)?;
        self.table[hole] = EMPTY;
        self.len -= 1;
        // What stands behind it in one run moves up, so that a run has no hole in it.
        let mut place = self.after(hole);
        while let Some(moved) = self.key_at(place) {
            let home = self.ids[moved as usize].map_or(place, |id| self.home(&id));
            let mask = self.table.len() - 1;
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(hole) & mask {
                self.table[hole] = self.table[place];
                self.table[place] = EMPTY;
                hole = place;
            }
            place = self.after(place);
        }
        self.ids[key as usize] = None;
        Some(key)
    }

    fn grow(&mut self) {
        let places = self.table.len() * 2;
        self.table.clear();
        self.table.resize(places, EMPTY);
        for key in 0..self.ids.len() {
            if let Some(id) = self.ids[key] {
                self.seat(&id, key as u32);
            }
        }
    }

    fn seat(&mut self, id: &K, key: u32) {
        let mut place = self.home(id);
        while self.table[place] != EMPTY {
            place = self.after(place);
        }
        self.table[place] = key + 1;
    }

    fn place_of(&self, id: &K) -> Option<usize> {
        let mut place = self.home(id);
        while let Some(key) = self.key_at(place) {
            if self.ids.get(key as usize)?.as_ref() == Some(id) {
                return Some(place);
            }
            place = self.after(place);
        }
        None
    }

    fn key_at(&self, place: usize) -> Option<u32> {
        self.table.get(place)?.checked_sub(1)
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.table.len() - 1)
    }

    fn home(&self, id: &K) -> usize {
        let mut mixed = Mixed(0);
        id.hash(&mut mixed);
        mixed.finish() as usize & (self.table.len() - 1)
    }
}

/// A hash that is the same on every machine. Ids are made by the switch: nobody can choose ones that meet.
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, byte)| *to = *byte);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_knows_what_a_tree_knows_however_ids_come_and_go() {
        let mut index = Index::with_room(64);
        let mut tree = BTreeMap::new();
        let (mut state, mut free): (u64, Vec<u32>) = (7, (0..200).rev().collect());
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let id = (state >> 33) % 300;
            match tree.get(&id).copied() {
                Some(key) => {
                    assert_eq!(index.remove(&id), Some(key));
                    tree.remove(&id);
                    free.push(key);
                }
                None if !free.is_empty() => {
                    let key = free.pop().unwrap();
                    index.insert(id, key);
                    tree.insert(id, key);
                }
                None => assert_eq!(index.remove(&id), None),
            }
            assert_eq!(index.len(), tree.len());
            let probe = (state >> 20) % 300;
            assert_eq!(index.get(&probe), tree.get(&probe).copied());
            assert_eq!(index.contains(&probe), tree.contains_key(&probe));
        }
    }
}
