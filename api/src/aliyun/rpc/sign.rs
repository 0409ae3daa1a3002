//! Signatures of requests: HMAC-SHA1 over sorted parameters (version 1.0), and HMAC-SHA256 over a canonical request
//! (`ACS3-HMAC-SHA256`), as the vendor's clients of several years make them.
//!
//! Invariant: what is compared is recomputed from the request as it came, in constant time.

use base64::Engine;
use cordboard_model::time::Wall;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The algorithm of the newer kind.
pub(super) const ACS3: &str = "ACS3-HMAC-SHA256";

/// Text as both kinds have it in signatures (RFC 3986 2.3).
fn coded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            // writing to a text does not fail
            byte => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// Parameters in order, as signatures have them.
fn canonical<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut all: Vec<(String, String)> = pairs.map(|(name, value)| (coded(name), coded(value))).collect();
    all.sort();
    all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Whether this is the signature of version 1.0 over these parameters, without that of the signature itself.
pub(super) fn is_version_1(method: &str, pairs: &[(String, String)], secret: &str, signature: &str) -> bool {
    let signed = pairs.iter().filter(|(name, _)| name != "Signature");
    let query = canonical(signed.map(|(name, value)| (name.as_str(), value.as_str())));
    let text = format!("{method}&%2F&{}", coded(&query));
    let shown = base64::prelude::BASE64_STANDARD.decode(signature).unwrap_or_default();
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()) else { return false };
    mac.chain_update(text).verify_slice(&shown).is_ok()
}

/// What an `Authorization` header of the newer kind says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Acs3 {
    pub(super) id: String,
    names: Vec<String>,
    signature: String,
}

impl Acs3 {
    /// Reads the header.
    pub(super) fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(ACS3)?.trim_start();
        let fields: BTreeMap<&str, &str> =
            rest.split(',').filter_map(|field| field.trim().split_once('=')).collect();
        let of = |name: &str| fields.get(name).map(|value| (*value).to_owned());
        let names = of("SignedHeaders")?.split(';').map(str::to_owned).collect();
        Some(Self { id: of("Credential")?, names, signature: of("Signature")? })
    }

    /// Whether a header is signed.
    pub(super) fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Whether the request has this signature. `header` gives the value of a header.
    pub(super) fn is_of(
        &self,
        (method, path): (&str, &str),
        query: &[(String, String)],
        header: impl Fn(&str) -> Option<String>,
        body: &[u8],
        secret: &str,
    ) -> bool {
        let query = canonical(query.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut lines = String::new();
        for name in &self.names {
            let Some(value) = header(name) else { return false };
            lines.push_str(&format!("{name}:{}\n", value.trim()));
        }
        let (names, body) = (self.names.join(";"), hex::encode(Sha256::digest(body)));
        if header("x-acs-content-sha256").as_deref() != Some(body.as_str()) {
            return false;
        }
        let request = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body}");
        let text = format!("{ACS3}\n{}", hex::encode(Sha256::digest(request)));
        let shown = hex::decode(&self.signature).unwrap_or_default();
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
        mac.chain_update(text).verify_slice(&shown).is_ok()
    }
}

/// A moment as `2026-11-21T00:00:00Z`.
pub(super) fn moment(text: &str) -> Option<Wall> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    let fits = text.len() == 20 && marks.iter().all(|(at, mark)| text.as_bytes().get(*at) == Some(mark));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let real =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    // days since 1970, with years that begin in March
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (fits && real).then_some(Wall(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_signature_of_the_known_request_of_version_1_comes_out() {
        let mut all = pairs(&[
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("Version", "2014-05-26"),
            ("SignatureVersion", "1.0"),
        ]);
        let known = "OLeaidS1JvxuMvnyHOwuJ+uX5qY=";
        assert!(is_version_1("GET", &all, "testsecret", known));
        assert!(!is_version_1("POST", &all, "testsecret", known));
        assert!(!is_version_1("GET", &all, "another", known));
        assert!(!is_version_1("GET", &all, "testsecret", ""));
        all.push(("Signature".into(), known.into()));
        assert!(is_version_1("GET", &all, "testsecret", known), "it is not over itself");
        all.push(("Action".into(), "DeleteAgent".into()));
        assert!(!is_version_1("GET", &all, "testsecret", known));
    }

    #[test]
    fn the_signature_of_the_known_request_of_the_newer_kind_comes_out() {
        let names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
        let mark = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";
        let text = format!("{ACS3} Credential=YourAccessKeyId,SignedHeaders={names},Signature={mark}");
        let shown = Acs3::read(&text).unwrap();
        let header = |name: &str| {
            let value = match name {
                "host" => "ecs.cn-shanghai.aliyuncs.com",
                "x-acs-action" => "RunInstances",
                "x-acs-content-sha256" => "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "x-acs-date" => "2023-10-26T10:22:32Z",
                "x-acs-signature-nonce" => "3156853299f313e23d1673dc12e1703d",
                "x-acs-version" => "2014-05-26",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let image = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd";
        let query = pairs(&[("ImageId", image), ("RegionId", "cn-shanghai")]);
        let is_of = |query: &[(String, String)], body: &[u8], secret| {
            shown.is_of(("POST", "/"), query, header, body, secret)
        };
        assert!(is_of(&query, b"", "YourAccessKeySecret"));
        assert!(!is_of(&query, b"", "another"));
        assert!(!is_of(&query, b"x=y", "YourAccessKeySecret"), "the body is signed");
        assert!(!is_of(&query[..1], b"", "YourAccessKeySecret"));
        assert!(shown.covers("x-acs-date") && !shown.covers("content-type"));
        assert_eq!(Acs3::read("Basic eDp5"), None);
    }

    #[test]
    fn a_moment_is_read_strictly() {
        assert_eq!(moment("1970-01-01T00:00:00Z"), Some(Wall(0)));
        assert_eq!(moment("2016-02-29T12:46:24Z"), Some(Wall(1_456_749_984_000)));
        assert_eq!(moment("2026-11-21T00:00:00Z"), Some(Wall(1_795_219_200_000)));
        for none in [
            "",
            "2026-11-21",
            "2026-13-21T00:00:00Z",
            "2026-11-21 00:00:00Z",
            "2026-11-21T24:00:00Z",
            "äää6-11-21T00:00:0Z",
        ] {
            assert_eq!(moment(none), None, "{none}");
        }
    }
}
