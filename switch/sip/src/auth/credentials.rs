//! Authorization and Proxy-Authorization (RFC 7616 3.4, RFC 3261 20.7, 20.28).

use super::algorithm::Request;
use super::{Algorithm, params};
use crate::wire::{HeaderName, Message};
use std::fmt;

/// Digest credentials as a client sends them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The realm.
    pub realm: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// The digest-uri. It may differ from the Request-URI, which proxies rewrite; the nonce
    /// count is what stops a replay towards another one.
    pub uri: String,
    /// The response. Never logged.
    pub(super) response: String,
    /// The algorithm as written.
    pub(super) algorithm: Option<String>,
    /// The client's nonce.
    pub(super) cnonce: Option<String>,
    /// The opaque of the challenge.
    pub(super) opaque: Option<String>,
    /// The quality of protection as written.
    pub(super) qop: Option<String>,
    /// The nonce count: eight hexadecimal digits.
    pub(super) nc: Option<String>,
    /// Whether the user name is hashed (RFC 7616 3.4.4), which we do not offer.
    pub(super) userhash: bool,
}

/// Why a request has no credentials to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialsError {
    /// There are none for this realm, or of another scheme: challenge.
    None,
    /// A Digest header cannot be read or lacks a part: 400.
    Malformed,
}

/// The Digest credentials of a request for `realm`; `name` is Authorization or
/// Proxy-Authorization.
///
/// # Errors
/// `None` asks for a challenge; `Malformed` is 400: "If a directive or its value is improper, or
/// required directives are missing, the proper response is 400 Bad Request" (RFC 2617 3.2.2).
pub fn find_credentials(
    request: &Message,
    name: &HeaderName,
    realm: &str,
) -> Result<Credentials, CredentialsError> {
    let mut why_not = CredentialsError::None;
    for value in request.headers.get_all(name) {
        let is_digest = value.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("Digest"));
        match Credentials::parse(value) {
            Some(credentials) if credentials.realm == realm => return Ok(credentials),
            None if is_digest => why_not = CredentialsError::Malformed,
            Some(_) | None => {}
        }
    }
    Err(why_not)
}

impl Credentials {
    /// Reads one header value. `None` when it is no Digest, malformed, or lacks username, realm,
    /// nonce, uri or response, or has `qop` without `nc` and `cnonce`.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let params = params::parse_digest(value)?;
        let get = |name| params::get(&params, name).map(str::to_owned);
        let (qop, nc, cnonce) = (get("qop"), get("nc"), get("cnonce"));
        if qop.is_some() && (count(nc.as_deref()?).is_none() || cnonce.is_none()) {
            return None;
        }
        Some(Self {
            username: get("username")?,
            realm: get("realm")?,
            nonce: get("nonce")?,
            uri: get("uri").filter(|uri| !uri.is_empty())?,
            response: get("response")?,
            algorithm: get("algorithm"),
            cnonce,
            opaque: get("opaque"),
            qop,
            nc,
            userhash: get("userhash").is_some_and(|hashed| hashed.eq_ignore_ascii_case("true")),
        })
    }

    /// The algorithm, MD5 when none is written; `None` for one that we do not do.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::parse(self.algorithm.as_deref().unwrap_or("MD5"))
    }

    /// The nonce count, if there is one.
    pub(super) fn nonce_count(&self) -> Option<u32> {
        count(self.nc.as_deref()?)
    }

    /// What the response is made of, for a request with this method.
    pub(super) fn request<'a>(&'a self, method: &'a str) -> Request<'a> {
        let qop = match (&self.nc, &self.cnonce, &self.qop) {
            (Some(nc), Some(cnonce), Some(qop)) => Some((nc.as_str(), cnonce.as_str(), qop.as_str())),
            _ => None,
        };
        Request { method, uri: &self.uri, nonce: &self.nonce, qop }
    }
}

/// `nc-value = 8LHEX`; shorter ones and capitals are taken too.
fn count(text: &str) -> Option<u32> {
    let is_hex = !text.is_empty() && text.len() <= 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(320);
        params::push_quoted(&mut out, "username", &self.username);
        params::push_quoted(&mut out, "realm", &self.realm);
        params::push_quoted(&mut out, "nonce", &self.nonce);
        params::push_quoted(&mut out, "uri", &self.uri);
        params::push_quoted(&mut out, "response", &self.response);
        if let Some(algorithm) = &self.algorithm {
            params::push_plain(&mut out, "algorithm", algorithm);
        }
        if let Some(cnonce) = &self.cnonce {
            params::push_quoted(&mut out, "cnonce", cnonce);
        }
        if let Some(opaque) = &self.opaque {
            params::push_quoted(&mut out, "opaque", opaque);
        }
        if let (Some(qop), Some(nc)) = (&self.qop, &self.nc) {
            params::push_plain(&mut out, "qop", qop);
            params::push_plain(&mut out, "nc", nc);
        }
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = concat!(
        r#"Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", "#,
        r#"algorithm=SHA-256, nonce="7ypf", nc=0000001A, cnonce="f2/w", qop=auth, "#,
        r#"response="7539", opaque="FQhe""#
    );

    #[test]
    fn printed_credentials_are_read_and_written() {
        let credentials = Credentials::parse(PRINTED).unwrap();
        assert_eq!((credentials.algorithm(), credentials.nonce_count()), (Some(Algorithm::Sha256), Some(26)));
        assert_eq!(Credentials::parse(&credentials.to_string()), Some(credentials));
    }

    #[test]
    fn debug_shows_neither_response_nor_nonce() {
        let shown = format!("{:?}", Credentials::parse(PRINTED).unwrap());
        assert!(shown.contains("Mufasa") && !shown.contains("7539") && !shown.contains("7ypf"), "{shown}");
    }

    #[test]
    fn a_missing_part_makes_it_malformed() {
        for part in [
            "username=\"Mufasa\",",
            "nonce=\"7ypf\",",
            "nc=0000001A,",
            "cnonce=\"f2/w\",",
            "response=\"7539\",",
        ] {
            assert_eq!(Credentials::parse(&PRINTED.replace(part, "")), None, "{part}");
        }
        for nc in ["nc=,", "nc=x,", "nc=123456789,", "nc=+1,"] {
            assert_eq!(Credentials::parse(&PRINTED.replace("nc=0000001A,", nc)), None, "{nc}");
        }
    }

    #[test]
    fn credentials_are_found_by_realm_among_others() {
        let uri = crate::wire::Uri::parse("sip:h").unwrap();
        let mut request = Message::request(crate::wire::Method::Register, uri);
        let find = |request: &Message, realm| {
            find_credentials(request, &HeaderName::Authorization, realm).map(|c| c.username)
        };
        assert_eq!(find(&request, "r"), Err(CredentialsError::None));
        request.push(HeaderName::Authorization, "NoOneKnowsThisScheme opaque-data=here");
        assert_eq!(find(&request, "r"), Err(CredentialsError::None));
        request.push(HeaderName::Authorization, "Digest damaged");
        assert_eq!(find(&request, "r"), Err(CredentialsError::Malformed));
        request.push(HeaderName::Authorization, PRINTED);
        assert_eq!(find(&request, "http-auth@example.org").as_deref(), Ok("Mufasa"));
        assert_eq!(find(&request, "other"), Err(CredentialsError::Malformed));
    }
}
