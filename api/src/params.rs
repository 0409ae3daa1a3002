//! The query of a request, read so that every fault names its parameter.
//!
//! Invariant: a parameter that a route does not know, or that comes twice, is an error and never ignored.

use crate::problem::Problem;
use axum::extract::{FromRequestParts, Query};
use axum::http::Uri;
use axum::http::request::Parts;
use core::str::FromStr;
use std::convert::Infallible;

/// The pairs of a query, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.uri))
    }
}

impl Params {
    /// The query of this address. Any text splits into pairs; what they mean is checked by name.
    pub fn of(uri: &Uri) -> Self {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
        Self(pairs.map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// Refuses what is not in `known`, and what comes twice.
    pub fn only(self, known: &[&str]) -> Result<Self, Problem> {
        for (at, (name, _)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Problem::field(name, unknown(known)));
            }
            if self.0.iter().take(at).any(|(other, _)| other == name) {
                return Err(Problem::field(name, "given twice"));
            }
        }
        Ok(self)
    }

    /// The text of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// A parameter that is a number; `what` says to one who gave none which number was expected.
    pub fn number<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, Problem> {
        let wrong = |text: &str| Problem::field(name, format!("{text:?} is not {what}"));
        self.text(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }
}

/// What is said of a parameter that a route does not know.
fn unknown(known: &[&str]) -> String {
    match known {
        [] => "not a parameter here; there are none".into(),
        known => format!("not a parameter here; known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn an_unknown_or_doubled_parameter_is_named() {
        let field = |p: Params| p.only(&["limit", "from"]).unwrap_err().field;
        assert_eq!(field(params(&[("limit", "1"), ("size", "2")])).as_deref(), Some("size"));
        assert_eq!(field(params(&[("from", "1"), ("from", "1")])).as_deref(), Some("from"));
        assert!(params(&[("limit", "1")]).only(&["limit"]).is_ok());
    }

    #[test]
    fn a_number_that_is_none_is_named() {
        let fault = params(&[("limit", "ten")]).number::<u32>("limit", "a number").unwrap_err();
        assert_eq!(fault.field.as_deref(), Some("limit"));
        assert_eq!(fault.detail, "\"ten\" is not a number");
        assert_eq!(params(&[("limit", "10")]).number::<u32>("limit", "a number"), Ok(Some(10)));
        assert_eq!(params(&[]).number::<u32>("limit", "a number"), Ok(None));
    }
}
