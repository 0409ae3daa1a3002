//! Percentiles of durations from a bounded number of counters.
//!
//! Invariant: a percentile is never below the true one (by nearest rank) and at most [`ERROR`] of it above. What is below
//! 256 ms is exact. However many durations are counted, there are at most some 7,000 counters, and only those that count
//! something exist.

use std::collections::BTreeMap;

/// The most by which a percentile is too high, as the part of it that one in so many is: 1/128.
pub const ERROR: u64 = 128;
/// Durations below this have a counter each.
const EXACT: u64 = 256;

/// Durations, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    buckets: BTreeMap<u16, u32>,
    count: u64,
    sum: u64,
    max: u64,
}

/// The counter of a duration: its eight leading binary digits and how many follow them.
fn bucket(ms: u64) -> u16 {
    if ms < EXACT {
        return ms as u16;
    }
    let follow = 56 - u64::from(ms.leading_zeros());
    (EXACT + (follow - 1) * ERROR + ((ms >> follow) - ERROR)) as u16
}

/// The longest duration that a counter counts.
fn longest(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < EXACT {
        return bucket;
    }
    let (follow, lead) = ((bucket - EXACT) / ERROR + 1, (bucket - EXACT) % ERROR + ERROR);
    ((lead + 1) << follow).wrapping_sub(1)
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, ms: u64) {
        let counter = self.buckets.entry(bucket(ms)).or_default();
        *counter = counter.saturating_add(1);
        self.count += 1;
        self.sum = self.sum.saturating_add(ms);
        self.max = self.max.max(ms);
    }

    /// Counts all that another one has counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            let counter = self.buckets.entry(*bucket).or_default();
            *counter = counter.saturating_add(*count);
        }
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// The mean, rounded; none of none.
    pub fn mean(&self) -> Option<u64> {
        (self.count > 0).then(|| (self.sum + self.count / 2) / self.count)
    }

    /// The longest; none of none.
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// What so many in a hundred do not exceed: the shortest duration for which that is so.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.buckets {
            seen += u64::from(*count);
            if seen >= rank {
                return Some(longest(*bucket).min(self.max));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha12Rng;
    use rand_core::{RngCore, SeedableRng};

    #[test]
    fn percentiles_stay_within_the_stated_error_of_those_of_the_sorted_list() {
        let mut rng = ChaCha12Rng::from_seed([7; 32]);
        for round in 0..200 {
            let (mut all, mut histogram) = (Vec::new(), Histogram::default());
            for _ in 0..=round * 7 {
                // as many short ones as long ones
                let ms = rng.next_u64() >> (20 + rng.next_u32() % 44);
                all.push(ms);
                histogram.add(ms);
            }
            all.sort_unstable();
            for percent in [1, 50, 90, 99, 100] {
                let rank = (all.len() * percent).div_ceil(100).max(1);
                let (exact, told) = (all[rank - 1], histogram.percentile(percent as u64).unwrap());
                assert!(told >= exact && told - exact <= exact / ERROR, "{percent} %: {told} for {exact}");
            }
            assert_eq!(histogram.max(), all.last().copied());
            assert!(histogram.buckets.len() <= 7_424);
        }
    }

    #[test]
    fn two_merged_are_as_one_that_counted_all() {
        let (mut one, mut other, mut all) =
            (Histogram::default(), Histogram::default(), Histogram::default());
        for ms in [0, 255, 256, 257, 9_999, 600_000, u64::MAX] {
            if ms % 2 == 0 { &mut one } else { &mut other }.add(ms);
            all.add(ms);
        }
        one.merge(&other);
        assert_eq!(one, all);
        assert_eq!((Histogram::default().mean(), Histogram::default().percentile(50)), (None, None));
    }
}
