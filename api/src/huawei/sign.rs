//! Requests that are signed: `Authorization: auth-v2/{ak}/{time}/{signed headers}/{signature}`.
//!
//! The signature is hexadecimal HMAC-SHA256 over a text made of the request, keyed with the hexadecimal HMAC-SHA256 of what
//! stands before it in the header, keyed with the secret. How the text is made, byte for byte, is public in part only: a
//! request is taken if one of the ways of [`Way::ALL`] matches, and which one did is in the log.
//!
//! Invariant: a signature is compared in constant time, and every secret and every way is tried whatever the others gave.

use axum::http::{HeaderMap, Method};
use cordboard_model::calendar;
use cordboard_model::config::Secret;
use cordboard_model::time::Wall;
use core::time::Duration;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write;
use subtle::{Choice, ConstantTimeEq};

/// The longest header that is looked at, bytes.
const HEADER_MAX: usize = 1_024;
/// The most headers that may be signed.
const HEADERS_MAX: usize = 16;
/// A header that must be among them: otherwise the request could be sent to another.
const HOST: &str = "host";

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The access key.
    pub(crate) ak: String,
    /// When it was signed.
    pub(crate) at: Wall,
    /// All that stands before the signature.
    prefix: String,
    /// The names of the headers, as they stand there.
    names: String,
    /// Hexadecimal.
    pub(crate) signature: String,
}

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// There is no such header, or it is another's.
    Absent,
    /// It cannot be read.
    Shape,
    /// A header that is signed is not there, or `host` is not signed.
    Headers,
    /// The access key is not known, opens something else, or the signature is another.
    Wrong,
    /// Its time is too far from ours.
    Time,
    /// The same was here before.
    Again,
    /// So many were here lately that the next could not be told from one that was.
    Full,
}

impl Unsigned {
    /// In words.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Absent => "the header Authorization with auth-v2 is missing",
            Self::Shape => "expected auth-v2/AK/TIME/HEADERS/SIGNATURE",
            Self::Headers => "host is not signed, or a signed header is not there",
            Self::Wrong => "the key or the signature is wrong",
            Self::Time => "the time of the signature is too far from ours",
            Self::Again => "this signature was used before",
            Self::Full => "too many signed requests lately",
        }
    }
}

impl Signed {
    /// Reads the header.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Unsigned> {
        let text = headers.get("authorization").and_then(|value| value.to_str().ok());
        let text = text.map(str::trim).filter(|text| text.starts_with("auth-v2/")).ok_or(Unsigned::Absent)?;
        if text.len() > HEADER_MAX {
            return Err(Unsigned::Shape);
        }
        let (prefix, signature) = text.rsplit_once('/').ok_or(Unsigned::Shape)?;
        let mut parts = prefix.split('/');
        let (_, ak, time, names) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(ak), Some(time), Some(names), None) = (ak, time, names, parts.next()) else {
            return Err(Unsigned::Shape);
        };
        // with and without a fraction
        let at = calendar::read(time).filter(|_| time.ends_with('Z')).ok_or(Unsigned::Shape)?;
        let hex = signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !hex || ak.is_empty() {
            return Err(Unsigned::Shape);
        }
        Ok(Self {
            ak: ak.to_owned(),
            at,
            prefix: prefix.to_owned(),
            names: names.to_owned(),
            signature: signature.to_ascii_lowercase(),
        })
    }

    /// Whether it was signed about now.
    pub(crate) fn is_of(&self, now: Wall, skew: Duration) -> bool {
        u128::from(now.0.abs_diff(self.at.0)) <= skew.as_millis()
    }

    /// The way in which it matches with one of the secrets.
    ///
    /// # Errors
    /// Headers that are signed are not there, or nothing matches.
    pub(crate) fn matches(&self, request: &Asked<'_>, secrets: &[Secret]) -> Result<Way, Unsigned> {
        let headers = self.headers(request.headers)?;
        let mut found = None;
        for secret in secrets {
            let key = hex_hmac(secret.0.as_bytes(), &[self.prefix.as_bytes()]);
            for way in Way::ALL.iter().filter(|way| way.is_for(request)) {
                let text = way.text(request, &self.names, &headers);
                let made = hex_hmac(key.as_bytes(), &[text.as_bytes(), way.body(request.body).as_ref()]);
                let same: Choice = made.as_bytes().ct_eq(self.signature.as_bytes());
                if bool::from(same) && found.is_none() {
                    found = Some(*way);
                }
            }
        }
        found.ok_or(Unsigned::Wrong)
    }

    /// The headers that are signed, in order of their names.
    fn headers<'a>(&'a self, headers: &'a HeaderMap) -> Result<Vec<(String, &'a str)>, Unsigned> {
        let mut all = Vec::new();
        for name in self.names.split([';', ':']).filter(|name| !name.is_empty()) {
            let name = name.trim().to_ascii_lowercase();
            let value = headers.get(&name).and_then(|value| value.to_str().ok()).ok_or(Unsigned::Headers)?;
            all.push((name, value.trim()));
        }
        all.sort();
        match all.len() <= HEADERS_MAX && all.iter().any(|(name, _)| name == HOST) {
            true => Ok(all),
            false => Err(Unsigned::Headers),
        }
    }
}

/// A request, as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    /// Its whole path, without the query.
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// How a header stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Headers {
    /// Name and value escaped, with a colon between.
    Apart,
    /// Escaped as one, the colon too.
    AsOne,
    /// As they are.
    Plain,
}

/// One way in which the text may have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// A line with the query stands behind the path.
    query: bool,
    headers: Headers,
    /// Bytes of the body are escaped as those of a path's segment.
    escaped: bool,
    /// A line end stands behind the headers although there is no body.
    end: bool,
}

const fn way(query: bool, headers: Headers, escaped: bool, end: bool) -> Way {
    Way { query, headers, escaped, end }
}

impl Way {
    /// The one that the reference describes first; then those that its clients may have made of it.
    pub(crate) const ALL: [Way; 18] = [
        way(false, Headers::Apart, true, true),
        way(false, Headers::AsOne, true, true),
        way(true, Headers::Apart, true, true),
        way(true, Headers::AsOne, true, true),
        way(false, Headers::Apart, true, false),
        way(false, Headers::AsOne, true, false),
        way(true, Headers::Apart, true, false),
        way(true, Headers::AsOne, true, false),
        way(false, Headers::Plain, true, true),
        way(true, Headers::Plain, true, true),
        way(false, Headers::Plain, true, false),
        way(true, Headers::Plain, true, false),
        way(false, Headers::Apart, false, true),
        way(false, Headers::AsOne, false, true),
        way(true, Headers::Apart, false, true),
        way(true, Headers::AsOne, false, true),
        way(false, Headers::Plain, false, true),
        way(true, Headers::Plain, false, true),
    ];

    /// Whether it differs from the others for this request: with a body the line end is there in any case, and of no body
    /// nothing is escaped.
    fn is_for(self, request: &Asked<'_>) -> bool {
        if request.body.is_empty() { self.escaped } else { self.end }
    }

    /// The text up to the body.
    fn text(self, request: &Asked<'_>, names: &str, headers: &[(String, &str)]) -> String {
        let mut text = format!("{}\n{}\n", request.method, request.path);
        if self.query {
            text.push_str(request.query.unwrap_or_default());
            text.push('\n');
        }
        text.push_str(names);
        for (name, value) in headers {
            text.push('\n');
            match self.headers {
                Headers::Apart => {
                    escape(&mut text, name.as_bytes());
                    text.push(':');
                    escape(&mut text, value.as_bytes());
                }
                Headers::AsOne => escape(&mut text, format!("{name}:{value}").as_bytes()),
                Headers::Plain => {
                    text.push_str(name);
                    text.push(':');
                    text.push_str(value);
                }
            }
        }
        if self.end {
            text.push('\n');
        }
        text
    }

    fn body(self, body: &[u8]) -> Vec<u8> {
        if !self.escaped {
            return body.to_vec();
        }
        let mut text = String::with_capacity(body.len() * 2);
        escape(&mut text, body);
        text.into_bytes()
    }

    /// For the log: `path headers:apart body:escaped`.
    pub(crate) fn name(self) -> String {
        let query = if self.query { "query" } else { "path" };
        let headers = match self.headers {
            Headers::Apart => "apart",
            Headers::AsOne => "as-one",
            Headers::Plain => "plain",
        };
        let body = if self.escaped { "escaped" } else { "plain" };
        let end = if self.end { "" } else { " no-end" };
        format!("{query} headers:{headers} body:{body}{end}")
    }
}

/// RFC 3986 2.3: every byte but the unreserved ones as `%XX`.
fn escape(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(*byte))
            }
            // a text takes whatever is written to it
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
}

/// Hexadecimal HMAC-SHA256 of the parts, one behind the other.
pub(crate) fn hex_hmac(key: &[u8], parts: &[&[u8]]) -> String {
    // a key of any length is one
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return String::new() };
    parts.iter().for_each(|part| mac.update(part));
    hex::encode(mac.finalize().into_bytes())
}

/// The value of a header that signs a request of ours, in the way that the reference describes.
pub(crate) fn sign(
    ak: &str,
    secret: &Secret,
    time: &str,
    request: &Asked<'_>,
    names: &str,
) -> Option<String> {
    let prefix = format!("auth-v2/{ak}/{time}/{names}");
    let key = hex_hmac(secret.0.as_bytes(), &[prefix.as_bytes()]);
    let signed = Signed {
        ak: ak.to_owned(),
        at: calendar::read(time)?,
        names: names.to_owned(),
        signature: String::new(),
        prefix,
    };
    let headers = signed.headers(request.headers).ok()?;
    let [way, ..] = Way::ALL;
    let text = way.text(request, names, &headers);
    let made = hex_hmac(key.as_bytes(), &[text.as_bytes(), way.body(request.body).as_ref()]);
    Some(format!("{}/{made}", signed.prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AK: &str = "crm";
    const SK: &str = "a-secret-of-the-crm";
    const PATH: &str = "/rest/cmsapp/v1/openapi/configures/skills";
    const NAMES: &str = "content-length;content-type;host";
    const BODY: &str = "{\"ccId\": 1, \"vdn\": 5}";

    fn headers(length: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("content-length", length.into());
        headers.insert("content-type", "application/json;charset=UTF-8".parse().unwrap());
        headers.insert("host", "192.0.2.1:8080".parse().unwrap());
        headers
    }

    fn check(signature: &str, time: &str, query: Option<&str>, body: &str) -> Result<Way, Unsigned> {
        let mut headers = headers(body.len());
        let value = format!("auth-v2/{AK}/{time}/{NAMES}/{signature}");
        headers.insert("authorization", value.parse().unwrap());
        let signed = Signed::read(&headers)?;
        assert_eq!(signed.ak, AK);
        let method = Method::POST;
        let asked = Asked { method: &method, path: PATH, query, headers: &headers, body: body.as_bytes() };
        signed.matches(&asked, &[Secret("another-secret-before".into()), Secret(SK.into())])
    }

    /// Printed by tests/shapes/vectors.py: the way's name, the time, the query, the body, the signature.
    const VECTORS: &str = include_str!("vectors.tsv");

    #[test]
    fn every_way_of_the_reference_matches_a_signature_that_another_program_made() {
        assert_eq!(VECTORS.lines().count(), 96);
        for line in VECTORS.lines() {
            let [name, time, query, body, signature] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let query = (!query.is_empty()).then_some(query);
            let way = check(signature, time, query, body).map(Way::name);
            assert_eq!(way.as_deref(), Ok(name), "{line}");
            let upper = signature.to_ascii_uppercase();
            assert!(check(&upper, time, query, body).is_ok(), "hexadecimal of either case");
            let other = if body == BODY { "{\"ccId\": 1, \"vdn\": 6}" } else { BODY };
            assert_eq!(check(signature, time, query, other), Err(Unsigned::Wrong), "another body");
            let later = "2026-11-22T10:00:01Z";
            assert_eq!(check(signature, later, query, body), Err(Unsigned::Wrong), "another time");
        }
    }

    #[test]
    fn what_is_no_signature_is_named() {
        let good = "0".repeat(64);
        let read = |value: &str| {
            let mut headers = headers(0);
            headers.insert("authorization", value.parse().unwrap());
            Signed::read(&headers).err()
        };
        let time = "2026-11-22T10:00:00Z";
        assert_eq!(read(&format!("auth-v2/crm/{time}/{NAMES}/{good}")), None);
        assert_eq!(read("Bearer abc"), Some(Unsigned::Absent));
        for wrong in [
            format!("auth-v2/crm/{time}/{good}"),
            format!("auth-v2/crm/{time}/{NAMES}/more/{good}"),
            format!("auth-v2/crm/yesterday/{NAMES}/{good}"),
            format!("auth-v2/crm/2026-11-22T10:00:00+01:00/{NAMES}/{good}"),
            format!("auth-v2//{time}/{NAMES}/{good}"),
            format!("auth-v2/crm/{time}/{NAMES}/{}", &good[1..]),
            format!("auth-v2/crm/{time}/{NAMES}/{}g", &good[1..]),
            format!("auth-v2/{}/{time}/{NAMES}/{good}", "x".repeat(2_000)),
        ] {
            assert_eq!(read(&wrong), Some(Unsigned::Shape), "{wrong}");
        }
        assert_eq!(Signed::read(&HeaderMap::new()), Err(Unsigned::Absent));
    }

    #[test]
    fn the_host_must_be_signed_and_what_is_signed_must_be_there() {
        let method = Method::POST;
        for names in ["content-length", "host;x-other", ""] {
            let mut headers = headers(0);
            let value = format!("auth-v2/crm/2026-11-22T10:00:00Z/{names}/{}", "0".repeat(64));
            headers.insert("authorization", value.parse().unwrap());
            let asked = Asked { method: &method, path: PATH, query: None, headers: &headers, body: b"" };
            let said = Signed::read(&headers).unwrap().matches(&asked, &[Secret(SK.into())]);
            assert_eq!(said, Err(Unsigned::Headers), "{names}");
        }
    }

    #[test]
    fn a_time_may_be_off_by_the_skew_and_no_more() {
        let mut headers = headers(0);
        let value = format!("auth-v2/crm/2026-11-22T10:00:00.500Z/{NAMES}/{}", "0".repeat(64));
        headers.insert("authorization", value.parse().unwrap());
        let signed = Signed::read(&headers).unwrap();
        let skew = Duration::from_secs(900);
        for (off, fits) in [(0, true), (900_000, true), (-900_000, true), (900_001, false), (-900_001, false)]
        {
            assert_eq!(signed.is_of(Wall(signed.at.0 + off), skew), fits, "{off}");
        }
    }

    #[test]
    fn what_we_sign_is_taken_by_the_first_way() {
        let mut headers = headers(BODY.len());
        let method = Method::POST;
        let asked =
            Asked { method: &method, path: PATH, query: None, headers: &headers, body: BODY.as_bytes() };
        let secret = Secret(SK.into());
        let value = sign(AK, &secret, "2026-11-22T10:00:00Z", &asked, NAMES).unwrap();
        headers.insert("authorization", value.parse().unwrap());
        let asked =
            Asked { method: &method, path: PATH, query: None, headers: &headers, body: BODY.as_bytes() };
        let signed = Signed::read(&headers).unwrap();
        assert_eq!(signed.matches(&asked, &[secret]), Ok(Way::ALL[0]));
    }
}
