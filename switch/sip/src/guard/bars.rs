//! Sources that somebody keeps off, by hand.
//!
//! Invariant: there are at most [`Bar::MAX`]; nobody who sends makes or forgets one.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use cordboard_model::guard::{BanView, Bar, BarFault, Network};
use cordboard_model::time::{Time, WallClock};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Bars(BTreeMap<Network, Barred>);

#[derive(Clone, Debug)]
struct Barred {
    bar: Bar,
    until: Time,
    dropped: u64,
}

impl Bars {
    pub(super) fn put(&mut self, bar: Bar, now: Time, clock: WallClock) -> Result<(), BarFault> {
        self.0.retain(|_, barred| barred.until > now);
        if self.0.len() >= Bar::MAX && !self.0.contains_key(&bar.source) {
            return Err(BarFault::Full);
        }
        let left = u64::try_from(bar.until.0.saturating_sub(clock.at(now).0)).unwrap_or(0);
        let dropped = self.0.get(&bar.source).map_or(0, |before| before.dropped);
        let until = now + Duration::from_millis(left);
        self.0.insert(bar.source, Barred { bar, until, dropped });
        Ok(())
    }

    /// False if there was none.
    pub(super) fn remove(&mut self, source: &Network, now: Time) -> bool {
        self.0.remove(source).is_some_and(|barred| barred.until > now)
    }

    pub(super) fn has(&self, address: IpAddr, now: Time) -> bool {
        self.0.iter().any(|(source, barred)| barred.until > now && source.contains(address))
    }

    /// A message of this address is not read.
    pub(super) fn drops(&mut self, address: IpAddr, now: Time) {
        let mut of =
            self.0.iter_mut().filter(|(source, barred)| barred.until > now && source.contains(address));
        if let Some((_, barred)) = of.next() {
            barred.dropped += 1;
        }
    }

    pub(super) fn views(&self, now: Time) -> impl Iterator<Item = BanView> + '_ {
        self.0.values().filter(move |barred| barred.until > now).map(|barred| BanView {
            source: barred.bar.source,
            why: barred.bar.why.clone(),
            until: barred.bar.until,
            times: 1,
            dropped: barred.dropped,
            by: Some(barred.bar.by.clone()),
        })
    }
}
