//! What is drawn, by the seed alone.

use cordboard_model::time::Duration;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From `from` to `to`, both included.
    pub fn number(&mut self, from: u64, to: u64) -> u64 {
        from + self.0.next_u64() % (to.saturating_sub(from) + 1)
    }

    /// Whether something happens that does so `percent` times in a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.number(1, 100) <= percent
    }

    pub fn ms(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.number(from, to))
    }

    /// A small number of microseconds more or less: what a race is won by.
    pub fn us(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_micros(self.number(from, to))
    }

    /// One of these; the default of nothing.
    pub fn pick<T: Clone + Default>(&mut self, of: &[T]) -> T {
        let at = self.number(0, (of.len() as u64).saturating_sub(1)) as usize;
        of.get(at).cloned().unwrap_or_default()
    }
}
