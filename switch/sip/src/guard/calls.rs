//! Limits of one account and of one called number: calls a second, and calls at a time.

use std::collections::BTreeMap;

use cordboard_model::guard::GuardLimits;
use cordboard_model::id::{TenantId, UserId};
use cordboard_model::time::Time;

use super::bucket::Bucket;
use super::table::Table;
use crate::engine::SessionId;

type Number = (TenantId, String);

/// Whose call it is and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) user: Option<UserId>,
    pub(crate) number: Number,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    of: BTreeMap<SessionId, Place>,
    users: BTreeMap<UserId, u32>,
    numbers: BTreeMap<Number, u32>,
    user_rate: Table<UserId, Bucket>,
    number_rate: Table<Number, Bucket>,
}

impl Calls {
    pub(super) fn new(size: usize) -> Self {
        Self {
            of: BTreeMap::new(),
            users: BTreeMap::new(),
            numbers: BTreeMap::new(),
            user_rate: Table::new(size),
            number_rate: Table::new(size),
        }
    }

    pub(super) fn resize(&mut self, size: usize) {
        self.user_rate.resize(size);
        self.number_rate.resize(size);
    }

    /// Whether one more call fits. It is counted against the rates.
    pub(super) fn fit(&mut self, limits: &GuardLimits, place: &Place, now: Time) -> bool {
        let room = |most: u32, up: Option<&u32>| most == 0 || up.copied().unwrap_or(0) < most;
        let number = &place.number;
        if !room(limits.number_calls, self.numbers.get(number)) {
            return false;
        }
        if let Some(user) = &place.user {
            let rate = limits.account_calls_per_second;
            if !room(limits.account_calls, self.users.get(user))
                || (rate > 0 && !self.user_rate.used(user.clone(), Bucket::default, |b| b.take(rate, now)))
            {
                return false;
            }
        }
        let rate = limits.number_calls_per_second;
        rate == 0 || self.number_rate.used(number.clone(), Bucket::default, |b| b.take(rate, now))
    }

    pub(super) fn began(&mut self, id: SessionId, place: Place) {
        if let Some(user) = &place.user {
            *self.users.entry(user.clone()).or_insert(0) += 1;
        }
        *self.numbers.entry(place.number.clone()).or_insert(0) += 1;
        self.of.insert(id, place);
    }

    pub(super) fn ended(&mut self, id: SessionId) {
        let Some(place) = self.of.remove(&id) else {
            return;
        };
        if let Some(user) = &place.user {
            less(&mut self.users, user);
        }
        less(&mut self.numbers, &place.number);
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}
