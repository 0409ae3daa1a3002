//! Versions of single things that can be changed over the API outside /config, and requests that mean one of them
//! (RFC 9110 8.8.3, 13.1).
//!
//! A version is made of what a change could undo and of nothing else: counters, times and states that move by themselves would
//! have everybody's change refused. So it says whether a change may be made, and not whether an answer is known already.
//!
//! Invariant: between the look at the version that is meant and the change nobody else changes a thing of its kind over the API.

use crate::objects::{Expected, ObjectFault, expected};
use crate::problem::Problem;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use core::convert::Infallible;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Bytes of the hash that a version has: two versions of one thing are to differ, and nobody gains by making two that do not.
const BYTES: usize = 12;

/// The version of what is made of these.
pub(crate) fn version(of: &impl Serialize) -> String {
    let text = serde_json::to_vec(of).unwrap_or_default();
    hex::encode(Sha256::digest(text).get(..BYTES).unwrap_or_default())
}

/// A thing with its version in the ETag.
pub(crate) fn tagged(version: &str, view: impl Serialize) -> Response {
    let mut response = Json(view).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Which version a request means, if it says so.
pub(crate) struct Meant(Expected);

impl<S: Send + Sync> FromRequestParts<S> for Meant {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(expected(&parts.headers)))
    }
}

impl Meant {
    /// Whether it says anything.
    pub(crate) fn is_said(&self) -> bool {
        self.0 != Expected::Unsaid
    }

    /// Refuses a request that means another version than the one that is there.
    pub(crate) fn check(&self, there: Option<&str>) -> Result<(), Problem> {
        let why = match (&self.0, there) {
            (Expected::Unsaid, _) | (Expected::Nothing, None) | (Expected::Any, Some(_)) => return Ok(()),
            (Expected::Version(any), Some(there)) if any.iter().any(|tag| tag == there) => return Ok(()),
            (Expected::Nothing, Some(there)) => format!("it is there already, at version {there}"),
            (Expected::Version(_), Some(there)) => format!("it is at version {there} by now"),
            (Expected::Any | Expected::Version(_), None) => "it is not there".to_owned(),
        };
        Err(ObjectFault::Changed(why).into())
    }
}

/// One at a time where it matters who is first, for each kind.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    pub(crate) rows: RwLock<()>,
    pub(crate) flows: RwLock<()>,
    pub(crate) webhooks: RwLock<()>,
    pub(crate) keys: RwLock<()>,
    pub(crate) bans: RwLock<()>,
}

/// While it is held the version that was looked at is the one that is changed.
pub(crate) enum Turn<'a> {
    /// Beside others who mean no version either.
    Shared { _held: RwLockReadGuard<'a, ()> },
    /// With nobody else.
    Alone { _held: RwLockWriteGuard<'a, ()> },
}

impl Turn<'_> {
    /// The turn of a request that means this.
    pub(crate) async fn of<'a>(kind: &'a RwLock<()>, meant: &Meant) -> Turn<'a> {
        match meant.is_said() {
            true => Turn::Alone { _held: kind.write().await },
            false => Turn::Shared { _held: kind.read().await },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_on_with_the_version_that_it_means_alone() {
        let there = version(&("Ada", 1));
        assert_ne!(there, version(&("Ada", 2)));
        let goes = |meant: &Expected, there: Option<&str>| Meant(meant.clone()).check(there).is_ok();
        let it = Expected::Version(vec!["x".into(), there.clone()]);
        for (meant, with, without) in [
            (Expected::Unsaid, true, true),
            (Expected::Any, true, false),
            (Expected::Nothing, false, true),
            (it, true, false),
            (Expected::Version(vec!["x".into()]), false, false),
        ] {
            assert_eq!((goes(&meant, Some(&there)), goes(&meant, None)), (with, without), "{meant:?}");
        }
    }
}
