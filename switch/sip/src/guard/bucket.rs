//! A quantity that runs out with time: what sources have against them, and what they may still have.

use core::time::Duration;

use cordboard_model::time::Time;

/// Thousandths of what is counted. Begins empty, runs out evenly.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    filled: u64,
    at: Time,
}

impl Bucket {
    /// Lets out what has run out at `per_second` thousandths until `now`; what is in it then.
    fn level(&mut self, per_second: u64, now: Time) -> u64 {
        let past = now.since(self.at);
        let out = u128::from(per_second) * past.as_nanos() / 1_000_000_000;
        // A remainder under a thousandth is kept for the next look.
        if out > 0 || self.filled == 0 {
            self.filled = self.filled.saturating_sub(u64::try_from(out).unwrap_or(u64::MAX));
            self.at = now;
        }
        self.filled
    }

    /// Adds and says what is in it.
    pub(super) fn add(&mut self, milli: u64, per_second: u64, now: Time) -> u64 {
        self.filled = self.level(per_second, now).saturating_add(milli);
        self.filled
    }

    /// Takes out.
    pub(super) fn forgive(&mut self, milli: u64) {
        self.filled = self.filled.saturating_sub(milli);
    }

    /// Whether one more fits where `rate` a second run out and a second's worth is the most; if so it is added.
    pub(super) fn take(&mut self, rate: u32, now: Time) -> bool {
        let rate = u64::from(rate) * 1_000;
        let fits = self.level(rate, now) + 1_000 <= rate.max(1_000);
        if fits {
            self.filled += 1_000;
        }
        fits
    }
}

/// What runs out in a second so that `count` run out in `window`, thousandths.
pub(super) fn per_second(count: u32, window: Duration) -> u64 {
    let nanos = window.as_nanos().max(1);
    u64::try_from(u128::from(count) * 1_000 * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_holds_over_many_seconds_and_a_burst_is_a_second_long() {
        let mut bucket = Bucket::default();
        let taken = |bucket: &mut Bucket, ms: u64| bucket.take(10, Time::from_millis(ms));
        assert_eq!((0..50).filter(|_| taken(&mut bucket, 1_000)).count(), 10);
        // offered a thousand a second for ten seconds
        let served = (0..10_000).filter(|n| taken(&mut bucket, 1_000 + n)).count();
        assert!((98..=101).contains(&served), "{served}");
    }

    #[test]
    fn a_score_runs_out_in_its_window() {
        let leak = per_second(20, Duration::from_secs(60));
        let mut bucket = Bucket::default();
        for _ in 0..20 {
            bucket.add(1_000, leak, Time::from_millis(0));
        }
        assert!((9_900..10_100).contains(&bucket.add(0, leak, Time::from_millis(30_000))));
        assert!(bucket.add(0, leak, Time::from_millis(61_000)) < 100);
    }
}
