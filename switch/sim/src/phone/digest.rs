//! Digest answers of a phone (RFC 7616 3.4), written apart from the switch's own so that an error of one is
//! not an error of both.

use md5::{Digest as _, Md5};
use sha2::Sha256;
use std::fmt::Write as _;

/// A digest algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
}

impl Digest {
    pub(super) fn name(self) -> &'static str {
        match self {
            Digest::Md5 => "MD5",
            Digest::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Digest::Md5 => hex(&Md5::digest(text.as_bytes())),
            Digest::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }

    /// H(user ":" realm ":" password), which the switch keeps instead of the password.
    pub fn ha1(self, user: &str, realm: &str, password: &str) -> String {
        self.hash(&format!("{user}:{realm}:{password}"))
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Who answers, and for what.
pub(super) struct Asked<'a> {
    pub digest: Digest,
    pub user: &'a str,
    pub password: &'a str,
    pub method: &'a str,
    pub uri: &'a str,
    pub cnonce: &'a str,
}

/// The value of (Proxy-)Authorization for the challenge of our algorithm; none if it is not among them.
pub(super) fn answer<'a>(challenges: impl Iterator<Item = &'a str>, asked: &Asked<'_>) -> Option<String> {
    let fields = challenges.filter_map(fields).find(|fields| {
        let algorithm = find(fields, "algorithm").unwrap_or("MD5");
        algorithm.eq_ignore_ascii_case(asked.digest.name())
    })?;
    let (realm, nonce) = (find(&fields, "realm")?, find(&fields, "nonce")?);
    let digest = asked.digest;
    let ha1 = digest.ha1(asked.user, realm, asked.password);
    let ha2 = digest.hash(&format!("{}:{}", asked.method, asked.uri));
    let response = digest.hash(&format!("{ha1}:{nonce}:00000001:{}:auth:{ha2}", asked.cnonce));
    let opaque = find(&fields, "opaque").map_or(String::new(), |o| format!(", opaque=\"{o}\""));
    Some(format!(
        "Digest username=\"{}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{}\", response=\"{response}\", \
         algorithm={}, cnonce=\"{}\", qop=auth, nc=00000001{opaque}",
        asked.user,
        asked.uri,
        digest.name(),
        asked.cnonce,
    ))
}

/// Whether credentials prove that who sends them knows the password, for this challenge.
pub(super) fn proves(
    value: &str,
    digest: Digest,
    method: &str,
    password: &str,
    challenge: (&str, &str),
) -> bool {
    let (realm, nonce) = challenge;
    let proven = || {
        let fields = fields(value)?;
        let [user, uri, told, cnonce, count, qop] =
            ["username", "uri", "response", "cnonce", "nc", "qop"].map(|name| find(&fields, name));
        let same = find(&fields, "realm")? == realm && find(&fields, "nonce")? == nonce;
        let (ha1, ha2) = (digest.ha1(user?, realm, password), digest.hash(&format!("{method}:{}", uri?)));
        let wanted = digest.hash(&format!("{ha1}:{nonce}:{}:{}:{}:{ha2}", count?, cnonce?, qop?));
        Some(same && wanted == told?)
    };
    proven() == Some(true)
}

fn find<'a>(fields: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    let is = |field: &&(&'a str, &'a str)| field.0.eq_ignore_ascii_case(name);
    fields.iter().find(is).map(|(_, value)| *value)
}

/// The fields of a Digest challenge, quotes taken off.
fn fields(challenge: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = challenge.trim().strip_prefix("Digest ")?;
    let mut fields = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, next) = quoted.split_once('"')?;
                (value, next.trim_start().strip_prefix(',').unwrap_or(""))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.push((name.trim(), value.trim()));
        rest = next;
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 3.9.1, whose nonce count and quality are those we always send.
    #[test]
    fn the_examples_of_rfc_7616_are_answered_as_printed() {
        let challenge = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
            algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
            opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let md5 = challenge.replace("SHA-256", "MD5");
        let answered = |digest| {
            let asked = Asked {
                digest,
                user: "Mufasa",
                password: "Circle of Life",
                method: "GET",
                uri: "/dir/index.html",
                cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            };
            answer([challenge, md5.as_str()].into_iter(), &asked).unwrap()
        };
        let printed = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert!(answered(Digest::Sha256).contains(printed));
        assert!(answered(Digest::Md5).contains("8ca523f5e9506fed4657c9700eebdbec"));
    }
}
