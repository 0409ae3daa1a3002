//! What flows count for all calls of a tenant: attempts, mostly. Each is kept for a time from its first count on; whoever
//! has them writes down what changes, so that a restart forgets nothing.

use cordboard_model::id::TenantId;
use cordboard_model::time::{Duration, Time};
use std::collections::BTreeMap;

/// Most counters of a tenant.
pub const COUNTERS_MAX: usize = 100_000;

#[derive(Clone, Copy, Debug)]
struct Counter {
    value: i64,
    ends: Time,
}

/// The counters of all tenants.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    tenants: BTreeMap<TenantId, BTreeMap<String, Counter>>,
}

/// There is no room for another counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl Counters {
    /// Takes one back as it was.
    pub fn restore(&mut self, (tenant, name): (TenantId, String), value: i64, ends: Time) {
        let counters = self.tenants.entry(tenant).or_default();
        if counters.len() < COUNTERS_MAX {
            counters.insert(name, Counter { value, ends });
        }
    }

    /// When one is forgotten; none if there is none.
    pub fn ends(&self, (tenant, name): (TenantId, &str)) -> Option<Time> {
        Some(self.tenants.get(&tenant)?.get(name)?.ends)
    }

    /// Counts. Gives the value, or none if it would be above `most`; then nothing was counted.
    ///
    /// # Errors
    /// The tenant has [`COUNTERS_MAX`] counters that are still of use.
    pub fn count(
        &mut self,
        (tenant, name): (TenantId, &str),
        add: i64,
        most: Option<i64>,
        kept: Duration,
        now: Time,
    ) -> Result<Option<i64>, TooMany> {
        let counters = self.tenants.entry(tenant).or_default();
        let known = counters.get(name).copied().filter(|counter| counter.ends > now);
        let value = known.map_or(0, |counter| counter.value).saturating_add(add);
        if add > 0 && most.is_some_and(|most| value > most) {
            return Ok(None);
        }
        if add == 0 {
            return Ok(Some(value));
        }
        if known.is_none() && counters.len() >= COUNTERS_MAX {
            counters.retain(|_, counter| counter.ends > now);
            if counters.len() >= COUNTERS_MAX {
                return Err(TooMany);
            }
        }
        let ends = known.map_or(now + kept, |counter| counter.ends);
        counters.insert(name.to_owned(), Counter { value, ends });
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const PIN: (TenantId, &str) = (TenantId::DEFAULT, "pin");

    #[test]
    fn a_count_ends_at_its_limit_and_begins_anew_when_its_time_is_over() {
        let mut counters = Counters::default();
        let mut count =
            |add, at: u64| counters.count(PIN, add, Some(2), HOUR, Time::from_millis(at)).unwrap();
        assert_eq!([count(1, 0), count(1, 10), count(1, 20), count(1, 30)], [Some(1), Some(2), None, None]);
        assert_eq!(count(0, 40), Some(2), "looking does not count");
        assert_eq!(count(1, 3_599_999), None);
        assert_eq!(count(0, 3_600_000), Some(0), "an hour after the first");
        assert_eq!(count(1, 3_600_000), Some(1));
        assert_eq!(count(-5, 3_600_001), Some(-4));
        assert_eq!(count(i64::MIN, 3_600_002), Some(i64::MIN));
    }

    #[test]
    fn a_count_that_was_taken_back_goes_on_and_ends_when_it_would_have() {
        let mut before = Counters::default();
        assert_eq!(before.count(PIN, 2, None, HOUR, Time::from_millis(1_000)), Ok(Some(2)));
        assert_eq!(before.ends(PIN), Some(Time::from_millis(3_601_000)));
        let mut after = Counters::default();
        after.restore((PIN.0, PIN.1.to_owned()), 2, Time::from_millis(600_000));
        assert_eq!(after.count(PIN, 1, Some(2), HOUR, Time::from_millis(599_999)), Ok(None));
        assert_eq!(after.count(PIN, 1, Some(2), HOUR, Time::from_millis(600_000)), Ok(Some(1)));
    }

    #[test]
    fn a_tenant_that_fills_its_counters_takes_no_room_from_another_and_gets_it_back_with_time() {
        let mut counters = Counters::default();
        for n in 0..COUNTERS_MAX {
            let name = n.to_string();
            let kept = if n == 0 { Duration::from_secs(1) } else { HOUR };
            counters.count((TenantId::DEFAULT, &name), 1, None, kept, Time::ZERO).unwrap();
        }
        assert_eq!(counters.count(PIN, 1, None, HOUR, Time::ZERO), Err(TooMany));
        let other = TenantId::new("other").unwrap();
        assert_eq!(counters.count((other, "pin"), 1, None, HOUR, Time::ZERO), Ok(Some(1)));
        assert_eq!(counters.count(PIN, 1, None, HOUR, Time::from_millis(1_000)), Ok(Some(1)));
    }
}
