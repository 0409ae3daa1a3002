//! Our answer to a 401 or 407 (RFC 3261 22.2, 22.3; RFC 7616 3.4).

use super::algorithm::{Request, response};
use super::{Challenge, Credentials, Qop, ha1};
use crate::wire::{HeaderName, Message, Method};
use std::fmt;

/// Who we are to a peer that challenges us.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// The user name.
    pub username: &'a str,
    /// The password. Never logged.
    pub password: &'a str,
}

impl fmt::Debug for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why a challenge cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The response is no 401 and no 407, or carries no Digest challenge.
    NoChallenge,
    /// Only algorithms we do not do.
    Algorithm,
    /// Only `qop` values we do not do, auth-int among them.
    Qop,
    /// The request has credentials for that realm already and the nonce is not stale: the
    /// password is wrong.
    Rejected,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoChallenge => "no digest challenge",
            Self::Algorithm => "no digest algorithm in common",
            Self::Qop => "no quality of protection in common",
            Self::Rejected => "credentials rejected",
        })
    }
}

impl std::error::Error for ClientError {}

/// The header that answers a 401 or 407 to `request`, to be set in the request that is sent
/// again with a higher CSeq. The best algorithm is taken, wherever it stands: RFC 8760 2.5 would
/// have the topmost, and leaves it to local policy. `cnonce` is made by
/// the caller from its seed, 64 bits or more; `nc` is 1 for a new nonce.
///
/// # Errors
/// See [`ClientError`].
pub fn answer_challenge(
    response: &Message,
    request: &Message,
    identity: Identity<'_>,
    cnonce: &str,
    nc: u32,
) -> Result<(HeaderName, String), ClientError> {
    let (asked, answer) = match response.status() {
        Some(401) => (HeaderName::WwwAuthenticate, HeaderName::Authorization),
        Some(407) => (HeaderName::ProxyAuthenticate, HeaderName::ProxyAuthorization),
        _ => return Err(ClientError::NoChallenge),
    };
    let method = request.method().ok_or(ClientError::NoChallenge)?;
    let uri = request.request_uri().ok_or(ClientError::NoChallenge)?.to_string();
    let challenge = best_challenge(response, &asked)?;
    let was_sent = request
        .headers
        .get_all(&answer)
        .filter_map(Credentials::parse)
        .any(|sent| sent.realm == challenge.realm);
    if was_sent && !challenge.stale {
        return Err(ClientError::Rejected);
    }
    let credentials = respond(&challenge, identity, method, &uri, cnonce, nc)?;
    Ok((answer, credentials.to_string()))
}

/// The challenge with the best algorithm; among equals the first.
fn best_challenge(response: &Message, name: &HeaderName) -> Result<Challenge, ClientError> {
    let mut best: Option<Challenge> = None;
    let mut why_not = ClientError::NoChallenge;
    for challenge in response.headers.get_all(name).filter_map(Challenge::parse) {
        if challenge.algorithm.is_none() {
            why_not = ClientError::Algorithm;
        } else if challenge.qop == Qop::Unsupported {
            why_not = ClientError::Qop;
        } else if best.as_ref().is_none_or(|best| challenge.algorithm > best.algorithm) {
            best = Some(challenge);
        }
    }
    best.ok_or(why_not)
}

/// Credentials for one challenge.
///
/// # Errors
/// The algorithm or quality of protection is none of ours.
pub(super) fn respond(
    challenge: &Challenge,
    identity: Identity<'_>,
    method: &Method,
    uri: &str,
    cnonce: &str,
    nc: u32,
) -> Result<Credentials, ClientError> {
    let algorithm = challenge.algorithm.ok_or(ClientError::Algorithm)?;
    let nc = format!("{nc:08x}");
    let qop = match challenge.qop {
        Qop::Auth => Some((nc.as_str(), cnonce, "auth")),
        Qop::Absent => None,
        Qop::Unsupported => return Err(ClientError::Qop),
    };
    let ha1 = ha1(algorithm, identity.username, &challenge.realm, identity.password);
    let request = Request { method: method.as_str(), uri, nonce: &challenge.nonce, qop };
    Ok(Credentials {
        username: identity.username.to_owned(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri.to_owned(),
        response: response(algorithm, &ha1, &request),
        algorithm: challenge.algorithm_is_written.then(|| algorithm.as_str().to_owned()),
        cnonce: qop.map(|(_, cnonce, _)| cnonce.to_owned()),
        opaque: challenge.opaque.clone(),
        qop: qop.map(|(_, _, qop)| qop.to_owned()),
        nc: qop.map(|(nc, _, _)| nc.to_owned()),
        userhash: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Uri;

    const MUFASA: Identity<'_> = Identity { username: "Mufasa", password: "Circle of Life" };

    fn request() -> Message {
        Message::request(Method::parse("GET").unwrap(), Uri::parse("sip:h").unwrap())
    }

    fn challenged(code: u16, values: &[&str]) -> Message {
        let name = if code == 401 { HeaderName::WwwAuthenticate } else { HeaderName::ProxyAuthenticate };
        let mut response = Message::response_to(&request(), code);
        for value in values {
            response.push(name.clone(), *value);
        }
        response
    }

    /// RFC 7616 3.9.1, from challenge to response.
    #[test]
    fn the_example_of_rfc_7616_is_answered_as_printed() {
        for (algorithm, printed) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = Challenge::parse(&format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            ));
            let method = Method::parse("GET").unwrap();
            let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let credentials =
                respond(&challenge.unwrap(), MUFASA, &method, "/dir/index.html", cnonce, 1).unwrap();
            assert_eq!(credentials.response, printed);
            let text = credentials.to_string();
            assert!(text.contains("qop=auth, nc=00000001") && text.contains("opaque=\"FQhe/"), "{text}");
        }
    }

    #[test]
    fn the_best_algorithm_is_taken_and_the_header_fits_the_code() {
        let values = [
            r#"Digest realm="r", nonce="1", algorithm=MD5, qop="auth""#,
            r#"Digest realm="r", nonce="2", algorithm=SHA-512-256, qop="auth""#,
            r#"Digest realm="r", nonce="3", algorithm=SHA-256, qop="auth""#,
        ];
        for (code, header) in [(401, HeaderName::Authorization), (407, HeaderName::ProxyAuthorization)] {
            let (name, value) =
                answer_challenge(&challenged(code, &values), &request(), MUFASA, "c", 1).unwrap();
            assert_eq!(name, header);
            assert!(value.contains("nonce=\"3\"") && value.contains("algorithm=SHA-256"), "{value}");
        }
    }

    #[test]
    fn challenges_that_cannot_be_answered_say_why() {
        let error = |code, values: &[&str]| {
            answer_challenge(&challenged(code, values), &request(), MUFASA, "c", 1).unwrap_err()
        };
        assert_eq!(error(403, &[]), ClientError::NoChallenge);
        assert_eq!(error(401, &["Basic realm=\"r\""]), ClientError::NoChallenge);
        assert_eq!(
            error(401, &[r#"Digest realm="r", nonce="n", algorithm=MD5-sess"#]),
            ClientError::Algorithm
        );
        assert_eq!(error(401, &[r#"Digest realm="r", nonce="n", qop="auth-int""#]), ClientError::Qop);
    }

    #[test]
    fn the_same_password_is_not_tried_twice_unless_the_nonce_was_stale() {
        let fresh = r#"Digest realm="r", nonce="1", qop="auth""#;
        let mut again = request();
        let (name, value) = answer_challenge(&challenged(401, &[fresh]), &again, MUFASA, "c", 1).unwrap();
        again.push(name, value);
        let next = r#"Digest realm="r", nonce="2", qop="auth""#;
        let answer = |value: &str| answer_challenge(&challenged(401, &[value]), &again, MUFASA, "c", 1);
        assert_eq!(answer(next).unwrap_err(), ClientError::Rejected);
        assert!(answer(&format!("{next}, stale=true")).is_ok());
        assert!(answer(&next.replace("\"r\"", "\"other\"")).is_ok());
    }
}
