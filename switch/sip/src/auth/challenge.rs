//! WWW-Authenticate and Proxy-Authenticate (RFC 7616 3.3, RFC 3261 20.27, 20.44).

use super::{Algorithm, params};
use crate::wire::scan;
use std::fmt;

/// Which quality of protection a challenge offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// No `qop`: a challenge of RFC 2069.
    Absent,
    /// `auth` is among the offered.
    Auth,
    /// Only others, `auth-int` among them, which we do not do.
    Unsupported,
}

/// A Digest challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The realm.
    pub realm: String,
    /// The nonce.
    pub nonce: String,
    /// To be returned as it is.
    pub opaque: Option<String>,
    /// The algorithm, MD5 when none is said; `None` for one that we do not do.
    pub algorithm: Option<Algorithm>,
    /// Whether the algorithm was written.
    pub(super) algorithm_is_written: bool,
    /// The quality of protection.
    pub qop: Qop,
    /// Whether only the nonce was at fault: the password need not be asked for again.
    pub stale: bool,
}

impl Challenge {
    /// Our challenge: qop "auth" alone.
    #[must_use]
    pub fn new(realm: &str, nonce: &str, algorithm: Algorithm, stale: bool) -> Self {
        Self {
            realm: realm.to_owned(),
            nonce: nonce.to_owned(),
            opaque: None,
            algorithm: Some(algorithm),
            algorithm_is_written: true,
            qop: Qop::Auth,
            stale,
        }
    }

    /// Reads one header value. `None` when it is no Digest, malformed, or lacks realm or nonce.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let params = params::parse_digest(value)?;
        let get = |name| params::get(&params, name);
        let algorithm = get("algorithm");
        let qop = match get("qop") {
            None => Qop::Absent,
            Some(list) if scan::split_list(list).any(|q| q.eq_ignore_ascii_case("auth")) => Qop::Auth,
            Some(_) => Qop::Unsupported,
        };
        Some(Self {
            realm: get("realm")?.to_owned(),
            nonce: get("nonce")?.to_owned(),
            opaque: get("opaque").map(str::to_owned),
            algorithm: Algorithm::parse(algorithm.unwrap_or("MD5")),
            algorithm_is_written: algorithm.is_some(),
            qop,
            stale: get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(160);
        params::push_quoted(&mut out, "realm", &self.realm);
        params::push_quoted(&mut out, "nonce", &self.nonce);
        if let Some(opaque) = &self.opaque {
            params::push_quoted(&mut out, "opaque", opaque);
        }
        if let Some(algorithm) = self.algorithm.filter(|_| self.algorithm_is_written) {
            params::push_plain(&mut out, "algorithm", algorithm.as_str());
        }
        if self.qop == Qop::Auth {
            params::push_quoted(&mut out, "qop", "auth");
        }
        if self.stale {
            params::push_plain(&mut out, "stale", "true");
        }
        f.write_str(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_as_it_was_written() {
        let challenge = Challenge::new("a \"b\"", "n,1", Algorithm::Sha256, true);
        assert_eq!(
            challenge.to_string(),
            r#"Digest realm="a \"b\"", nonce="n,1", algorithm=SHA-256, qop="auth", stale=true"#
        );
        assert_eq!(Challenge::parse(&challenge.to_string()), Some(challenge));
    }

    /// RFC 3261 20.44, RFC 7616 3.9.1 and what lies between.
    #[test]
    fn printed_challenges_are_understood() {
        let read = |value: &str| {
            let c = Challenge::parse(value).unwrap();
            (c.realm, c.algorithm, c.qop, c.stale)
        };
        let old = concat!(
            r#"Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth", "#,
            r#"nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=FALSE, algorithm=MD5"#
        );
        assert_eq!(read(old), ("atlanta.com".into(), Some(Algorithm::Md5), Qop::Auth, false));
        let new = r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf", opaque="FQhe""#;
        assert_eq!(read(new), ("http-auth@example.org".into(), Some(Algorithm::Sha256), Qop::Auth, false));
        let none = r#"Digest realm="r", nonce="n""#;
        assert_eq!(read(none), ("r".into(), Some(Algorithm::Md5), Qop::Absent, false));
        let other = r#"Digest realm="r", nonce="n", algorithm=AKAv1-MD5, qop="auth-int", stale=True"#;
        assert_eq!(read(other), ("r".into(), None, Qop::Unsupported, true));
        for bad in ["Digest realm=\"r\"", "Basic realm=\"r\"", "NoOneKnowsThisScheme opaque-data=here"] {
            assert_eq!(Challenge::parse(bad), None, "{bad}");
        }
    }
}
