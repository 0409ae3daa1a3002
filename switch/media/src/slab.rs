//! A slab: values under small keys that are used again.

/// Values by key; keys of removed values are handed out again, the last one first.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// With room for so many values: until there are more, none is moved to make room, and nothing is allocated.
    pub(crate) fn with_room(values: usize) -> Self {
        Self { slots: Vec::with_capacity(values), free: Vec::with_capacity(values) }
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        match self.free.pop() {
            Some(key) => {
                self.slots[key as usize] = Some(value);
                key
            }
            None => {
                self.slots.push(Some(value));
                (self.slots.len() - 1) as u32
            }
        }
    }

    pub(crate) fn remove(&mut self, key: u32) -> Option<T> {
        let value = self.slots.get_mut(key as usize)?.take()?;
        self.free.push(key);
        Some(value)
    }

    pub(crate) fn get(&self, key: u32) -> Option<&T> {
        self.slots.get(key as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut T> {
        self.slots.get_mut(key as usize)?.as_mut()
    }

    /// Two different values at once.
    pub(crate) fn pair_mut(&mut self, a: u32, b: u32) -> Option<(&mut T, &mut T)> {
        let [a, b] = self.slots.get_disjoint_mut([a as usize, b as usize]).ok()?;
        Some((a.as_mut()?, b.as_mut()?))
    }

    /// One above the highest key handed out so far.
    pub(crate) fn reach(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_key_is_used_again_and_a_pair_is_two() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(a), Some("a"));
        assert_eq!(slab.remove(a), None);
        assert!(slab.pair_mut(a, b).is_none());
        assert_eq!(slab.insert("c"), a);
        assert_eq!(slab.pair_mut(a, b), Some((&mut "c", &mut "b")));
        assert!(slab.pair_mut(b, b).is_none());
        assert_eq!(slab.reach(), 2);
    }
}
