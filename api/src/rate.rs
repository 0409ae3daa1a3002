//! How often one who asks may ask.
//!
//! Invariant: a key or a session has a bucket of tokens that fills at a steady rate; a request takes one, and is answered 429 with
//! the time to the next one when there is none. Every answer to it says what is left (draft-ietf-httpapi-ratelimit-headers-10).
//!
//! Who has shown nothing has no bucket: the brake on guessing is for him.

use crate::key::token_of;
use crate::problem::Problem;
use crate::state::State;
use axum::extract::{Request, State as Use};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use dashmap::DashMap;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Most buckets; beyond it those that are full are forgotten.
const BUCKETS_MAX: usize = 10_000;

/// How many requests a key or a session may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// A second, in the long run.
    pub per_second: u32,
    /// At once.
    pub burst: u32,
}

impl Default for RateLimit {
    /// Far above what a page or a program in order does: it is there for loops.
    fn default() -> Self {
        Self { per_second: 1_000, burst: 2_000 }
    }
}

/// How often something dear may be had by who has shown nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DearLimit {
    /// One in this time, in the long run.
    pub(crate) each: Duration,
    /// At once.
    pub(crate) burst: u32,
}

/// What shows who asks, hashed.
pub(crate) type Credential = [u8; 32];

/// Whose request it is, as far as it shows something.
pub(crate) fn credential(headers: &HeaderMap) -> Option<Credential> {
    token_of(headers).map(|key| Sha256::digest(key).into())
}

/// The buckets.
#[derive(Default)]
pub struct Buckets {
    /// Until when the bucket would take to be full again.
    full_at: DashMap<Credential, Instant>,
}

/// What a request comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    /// Whether there was a token.
    ok: bool,
    /// Tokens left.
    left: u32,
    /// Seconds to the next token, or until the bucket is full.
    wait: u32,
}

fn seconds(span: Duration) -> u32 {
    u32::try_from(span.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

impl Buckets {
    /// Takes a token.
    fn take(&self, who: Credential, limit: RateLimit, now: Instant) -> Taken {
        self.take_one(who, Duration::from_secs(1) / limit.per_second.max(1), limit.burst, now)
    }

    /// Seconds until one who has shown nothing may have the dear thing that he asks for, by where he asks from; none if he may
    /// now, and it counts then.
    pub(crate) fn wait(&self, what: &str, source: IpAddr, limit: DearLimit, now: Instant) -> Option<u32> {
        let source = match source.to_canonical() {
            IpAddr::V6(ip) => format!("{:x}/64", ip.to_bits() >> 64),
            ip => ip.to_string(),
        };
        let who = Sha256::digest(format!("{what} {source}")).into();
        let taken = self.take_one(who, limit.each, limit.burst, now);
        (!taken.ok).then_some(taken.wait)
    }

    fn take_one(&self, who: Credential, one: Duration, burst: u32, now: Instant) -> Taken {
        if self.full_at.len() >= BUCKETS_MAX {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        let size = one * burst.max(1);
        // One bucket more than there may be is no bucket: the request goes by.
        if self.full_at.len() >= BUCKETS_MAX && !self.full_at.contains_key(&who) {
            return Taken { ok: true, left: burst, wait: 0 };
        }
        let mut full_at = self.full_at.entry(who).or_insert(now);
        let lacks = full_at.saturating_duration_since(now);
        if lacks + one > size {
            return Taken { ok: false, left: 0, wait: seconds(lacks + one - size).max(1) };
        }
        let lacks = lacks + one;
        *full_at = now + lacks;
        let left = (size - lacks).as_nanos() / one.as_nanos().max(1);
        Taken { ok: true, left: u32::try_from(left).unwrap_or(u32::MAX), wait: seconds(lacks) }
    }
}

/// Everything of the API goes by here.
pub(crate) async fn limit(Use(state): Use<State>, request: Request, next: Next) -> Response {
    let who = credential(request.headers()).filter(|_| request.uri().path().starts_with("/api/"));
    let Some(who) = who else { return next.run(request).await };
    let limit = state.config.rate;
    let taken = state.buckets.take(who, limit, Instant::now());
    let mut response = match taken.ok {
        true => next.run(request).await,
        false => {
            let why = format!("a key makes at most {} requests a second", limit.per_second);
            let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many requests", why);
            (problem.code, problem.retry_after_s) = (Some("rate_limit"), Some(taken.wait));
            problem.into_response()
        }
    };
    let window = limit.burst.div_ceil(limit.per_second.max(1)).max(1);
    let policy = format!("\"requests\";q={};w={window}", limit.burst);
    let left = format!("\"requests\";r={};t={}", taken.left, taken.wait);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_emptied_by_a_burst_and_fills_at_its_rate() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let limit = RateLimit { per_second: 10, burst: 5 };
        let who = [1; 32];
        for left in (0..5).rev() {
            let taken = buckets.take(who, limit, start);
            assert_eq!((taken.ok, taken.left), (true, left));
        }
        assert_eq!(buckets.take(who, limit, start), Taken { ok: false, left: 0, wait: 1 });
        assert!(buckets.take([2; 32], limit, start).ok, "another's bucket is another");
        let later = start + Duration::from_millis(100);
        assert!(buckets.take(who, limit, later).ok);
        assert!(!buckets.take(who, limit, later).ok, "a tenth of a second is one token");
        assert_eq!(buckets.take(who, limit, start + Duration::from_secs(60)).left, 4);
    }

    #[test]
    fn who_has_shown_nothing_has_a_bucket_by_where_he_asks_from() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let limit = DearLimit { each: Duration::from_secs(20), burst: 2 };
        let wait = |ip: &str, at| buckets.wait("check", ip.parse().unwrap(), limit, at);
        let two = [wait("192.0.2.1", start), wait("::ffff:192.0.2.1", start)];
        assert_eq!((two, wait("192.0.2.1", start)), ([None, None], Some(20)));
        assert_eq!(buckets.wait("other", "192.0.2.1".parse().unwrap(), limit, start), None);
        assert_eq!(wait("192.0.2.2", start), None, "another's bucket is another");
        assert_eq!(wait("192.0.2.1", start + Duration::from_secs(20)), None);
        let of_one_house = [wait("2001:db8::1", start), wait("2001:db8::2", start)];
        assert_eq!((of_one_house, wait("2001:db8::3", start)), ([None, None], Some(20)));
        assert_eq!(wait("2001:db8:0:1::1", start), None);
    }

    #[test]
    fn there_are_so_many_buckets_and_full_ones_make_room() {
        let (buckets, start, limit) =
            (Buckets::default(), Instant::now(), RateLimit { per_second: 1, burst: 2 });
        let who = |n: usize| {
            let mut who = [0; 32];
            who[..8].copy_from_slice(&(n as u64).to_be_bytes());
            who
        };
        for n in 0..BUCKETS_MAX {
            buckets.take(who(n), limit, start);
        }
        for _ in 0..5 {
            assert!(buckets.take(who(BUCKETS_MAX), limit, start).ok);
        }
        assert_eq!(buckets.full_at.len(), BUCKETS_MAX);
        buckets.take(who(BUCKETS_MAX), limit, start + Duration::from_secs(10));
        assert_eq!(buckets.full_at.len(), 1);
    }
}
