//! A person's session in a cookie: what of a request shows that a page of ours asks.
//!
//! Invariant: a cookie alone changes nothing, for a browser sends it whatever page asks; a header has to show what only a page of
//! ours can read.

use super::{base64url, hash};
use crate::problem::Problem;
use axum::http::{HeaderMap, StatusCode, header};
use cordboard_model::access::USER_TOKEN_PREFIX;
use std::collections::BTreeSet;
use subtle::ConstantTimeEq;

/// The cookie of a session. Of this prefix browsers take it only with Secure, for the whole host and from it alone.
pub(crate) const COOKIE: &str = "__Host-cordboard";
/// The header that shows that a page of ours asks.
const CSRF: &str = "x-csrf-token";

/// What a token's page has to show beside the cookie. Nobody can make it who does not know the token.
pub(crate) fn csrf_of(token: &str) -> String {
    base64url(&hash(&format!("csrf {token}")).0)
}

/// The token in the cookie of a request.
pub(crate) fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let token = pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| token.to_owned());
    token.filter(|token| token.starts_with(USER_TOKEN_PREFIX))
}

/// Whether an origin is this host's own, or one that the tenant allows.
pub(crate) fn is_from(headers: &HeaderMap, origin: &str, allowed: &BTreeSet<String>) -> bool {
    let host = origin.split_once("://").map(|(_, host)| host);
    let own = host.is_some() && host == headers.get("host").and_then(|value| value.to_str().ok());
    own || allowed.contains(origin)
}

/// Whether what a request shows against pages of others is of this token.
pub(crate) fn is_shown(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(CSRF).and_then(|value| value.to_str().ok());
    shown.is_some_and(|shown| shown.as_bytes().ct_eq(csrf_of(token).as_bytes()).into())
}

/// Whether a request whose session is in a cookie comes from a page that may ask: of this host, or of an origin that the tenant
/// allows; one that changes something shows the header, too.
///
/// # Errors
/// It is another page's.
pub(crate) fn is_ours(
    headers: &HeaderMap,
    changes: bool,
    token: &str,
    allowed: &BTreeSet<String>,
) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = |detail: &str| {
        let mut problem = Problem::new(StatusCode::FORBIDDEN, "the request is not one of our page's", detail);
        problem.code = Some("csrf");
        problem
    };
    if text("origin").is_some_and(|origin| !is_from(headers, origin, allowed)) {
        return Err(foreign("its origin is neither this host nor one that the tenant allows"));
    }
    if text("origin").is_none() && text("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err(foreign("it comes from a page of another site"));
    }
    match changes && !is_shown(headers, token) {
        true => Err(foreign(
            "with a cookie, what changes something needs X-CSRF-Token: `csrf` of GET /api/v1/session, or of third-party/session",
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| (name.parse().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect::<Vec<(axum::http::HeaderName, _)>>().into_iter().collect()
    }

    #[test]
    fn the_token_is_found_among_other_cookies() {
        let of = |text: &str| cookie_of(&headers(&[("cookie", text)]));
        assert_eq!(of("a=b; __Host-cordboard=cbu_x; c=d").as_deref(), Some("cbu_x"));
        assert_eq!(of("__Host-cordboard=a-key-of-somebody"), None, "no key comes in a cookie");
        assert_eq!(of("cordboard=cbu_x"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn what_changes_something_needs_the_header_and_an_origin_of_ours() {
        let allowed = BTreeSet::from(["https://desk.example.com".to_owned()]);
        let csrf = csrf_of("cbu_x");
        let (host, right) = (("host", "switch.example.com"), ("x-csrf-token", csrf.as_str()));
        let judged = |pairs: &[(&'static str, &str)], changes| {
            is_ours(&headers(pairs), changes, "cbu_x", &allowed).is_ok()
        };
        assert!(judged(&[host], false) && !judged(&[host], true));
        assert!(judged(&[host, right], true));
        assert!(!judged(&[host, ("x-csrf-token", &csrf_of("cbu_y"))], true), "another session's");
        let origin = |origin: &'static str, changes| judged(&[host, right, ("origin", origin)], changes);
        assert!(origin("https://switch.example.com", true) && origin("https://desk.example.com", true));
        for foreign in ["https://evil.example", "null", "https://switch.example.com.evil.example"] {
            assert!(
                !origin(foreign, true) && !origin(foreign, false),
                "{foreign}: reading, too, for a WebSocket is a GET"
            );
        }
        assert!(!judged(&[host, ("sec-fetch-site", "cross-site")], false));
        assert!(judged(&[host, ("sec-fetch-site", "same-origin")], false));
    }
}
