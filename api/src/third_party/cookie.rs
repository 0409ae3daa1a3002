//! The four cookies of a session that an enterprise's page has begun.
//!
//! Invariant: what opens something is never seen by a script. Browsers send them from pages of another site too, since the bar is
//! a frame there; where browsers keep cookies of frames apart by the page around them, these are kept so.

use crate::problem::Problem;
use crate::switch::Refusal;
use axum::http::{HeaderMap, HeaderValue, header};
use cordboard_model::signin::TOKEN_PREFIX;
use cordboard_model::time::Wall;

/// The session's token.
pub(crate) const TOKEN: &str = "sum_token";
/// What the next token is had for.
pub(crate) const REFRESH: &str = "sum_refresh_token";
/// The session's id. It opens nothing.
pub(crate) const ID: &str = "sum_sid";
/// When the session was last made or renewed, milliseconds; the only one that scripts may read.
const AT: &str = "sum_atime";

/// The session's token, where an application has had it for a token that it has signed.
const APPLICATION: &str = "AC_TOKEN";

/// What the cookies hold.
pub(crate) struct Jar<'a> {
    pub(crate) token: &'a str,
    pub(crate) refresh: &'a str,
    pub(crate) id: &'a str,
    pub(crate) at: Wall,
}

/// The cookie of this name, if a request has one alone: of two nobody knows which is ours.
pub(crate) fn of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// The token in the cookie of a request: of an enterprise's page, or of an application's.
pub(crate) fn token_of(headers: &HeaderMap) -> Option<&str> {
    let is_token = |token: &&str| token.starts_with(TOKEN_PREFIX);
    of(headers, TOKEN).filter(is_token).or_else(|| of(headers, APPLICATION).filter(is_token))
}

/// The line that sets the cookie of an application's page.
pub(crate) fn application(token: &str) -> Result<HeaderValue, Problem> {
    one(APPLICATION, token, true, "")
}

fn one(name: &str, value: &str, hidden: bool, end: &str) -> Result<HeaderValue, Problem> {
    let hidden = if hidden { " HttpOnly;" } else { "" };
    let text = format!("{name}={value}; Path=/; Secure;{hidden} SameSite=None; Partitioned{end}");
    HeaderValue::from_str(&text).map_err(|why| Refusal::Internal(why.to_string()).into())
}

/// Lines that set them. They go with the browser's window.
pub(crate) fn set(jar: &Jar<'_>) -> Result<[HeaderValue; 4], Problem> {
    Ok([
        one(TOKEN, jar.token, true, "")?,
        one(REFRESH, jar.refresh, true, "")?,
        one(ID, jar.id, true, "")?,
        one(AT, &jar.at.0.to_string(), false, "")?,
    ])
}

/// Lines that take them away.
pub(crate) fn clear() -> Result<[HeaderValue; 4], Problem> {
    let gone = |name, hidden| one(name, "", hidden, "; Max-Age=0");
    Ok([gone(TOKEN, true)?, gone(REFRESH, true)?, gone(ID, true)?, gone(AT, false)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_something_is_hidden_from_scripts_and_all_go_over_tls_alone() {
        let jar = Jar { token: "cbs_a", refresh: "cbr_b", id: "c", at: Wall(7) };
        let lines = set(&jar).unwrap().map(|line| line.to_str().unwrap().to_owned());
        for (line, name) in lines.iter().zip([TOKEN, REFRESH, ID, AT]) {
            assert!(line.starts_with(&format!("{name}=")), "{line}");
            assert!(line.contains("; Secure;") && line.contains("SameSite=None"), "{line}");
            assert_eq!(line.contains("HttpOnly"), name != AT, "{line}");
        }
        assert!(clear().unwrap().iter().all(|line| line.to_str().unwrap().ends_with("Max-Age=0")));
    }

    #[test]
    fn of_two_cookies_of_one_name_none_is_taken() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", text.parse().unwrap());
            token_of(&headers).map(str::to_owned)
        };
        assert_eq!(of("a=b; sum_token=cbs_x; sum_sid=1").as_deref(), Some("cbs_x"));
        assert_eq!(of("sum_token=cbs_x; sum_token=cbs_evil"), None);
        assert_eq!(of("sum_token=a-key"), None, "no key comes in a cookie");
    }
}
