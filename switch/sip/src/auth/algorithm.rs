//! The hashes of digest (RFC 7616 3.3, 3.4; RFC 8760 2).

use md5::{Digest, Md5};
use sha2::Sha256;

/// A digest algorithm. The session variants ("-sess") and SHA-512-256 are not offered and are
/// refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// `MD5`, for the phones that know nothing else.
    Md5,
    /// `SHA-256`.
    Sha256,
}

impl Algorithm {
    /// What we offer, in the order of our preference, as RFC 8760 2.4 asks.
    pub const OFFERED: [Self; 2] = [Self::Sha256, Self::Md5];

    /// Reads the value of `algorithm`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::OFFERED.into_iter().find(|algorithm| text.eq_ignore_ascii_case(algorithm.as_str()))
    }

    /// The value of `algorithm`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// H(parts joined by ":"), in lower-case hexadecimal.
    pub(super) fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => hash_hex::<Md5>(parts),
            Self::Sha256 => hash_hex::<Sha256>(parts),
        }
    }
}

fn hash_hex<D: Digest>(parts: &[&str]) -> String {
    let mut hasher = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(part.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// HA1 = H(username ":" realm ":" password): what is kept instead of the password
/// (RFC 7616 3.4.2). It opens this realm as the password does; treat it as a secret.
#[must_use]
pub fn ha1(algorithm: Algorithm, username: &str, realm: &str, password: &str) -> String {
    algorithm.hash(&[username, realm, password])
}

/// What a response is made of, besides HA1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    pub nonce: &'a str,
    /// nc, cnonce and qop, as they are written; `None` in the way of RFC 2069.
    pub qop: Option<(&'a str, &'a str, &'a str)>,
}

/// The `response` value (RFC 7616 3.4.1, 3.4.3; RFC 2617 3.2.2.1).
pub(super) fn response(algorithm: Algorithm, ha1: &str, request: &Request<'_>) -> String {
    let ha2 = algorithm.hash(&[request.method, request.uri]);
    match request.qop {
        Some((nc, cnonce, qop)) => algorithm.hash(&[ha1, request.nonce, nc, cnonce, qop, &ha2]),
        None => algorithm.hash(&[ha1, request.nonce, &ha2]),
    }
}

/// HMAC-SHA-256 (RFC 2104). The key has 32 bytes, half a block.
pub(super) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        for (slot, key_byte) in block.iter_mut().zip(key) {
            *slot ^= key_byte;
        }
        block
    };
    let mut inner = Sha256::new();
    inner.update(pad(0x36));
    for part in parts {
        inner.update(part);
    }
    let mut outer = Sha256::new();
    outer.update(pad(0x5c));
    outer.update(inner.finalize());
    outer.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 3.9.1 and RFC 2617 3.5.
    #[test]
    fn the_responses_printed_in_the_rfcs() {
        let request = Request {
            method: "GET",
            uri: "/dir/index.html",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            qop: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth")),
        };
        let of = |algorithm| {
            let ha1 = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
            response(algorithm, &ha1, &request)
        };
        assert_eq!(of(Algorithm::Md5), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(of(Algorithm::Sha256), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
        let request = Request {
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            qop: Some(("00000001", "0a4f113b", "auth")),
            ..request
        };
        let ha1 = ha1(Algorithm::Md5, "Mufasa", "testrealm@host.com", "Circle Of Life");
        assert_eq!(ha1, "939e7578ed9e3c518a452acee763bce9");
        assert_eq!(response(Algorithm::Md5, &ha1, &request), "6629fae49393a05397450978507c4ef1");
    }

    /// The example of RFC 2069 2.4 with the erratum's response.
    #[test]
    fn without_qop_the_response_is_that_of_rfc_2069() {
        let request = Request {
            method: "GET",
            uri: "/dir/index.html",
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
            qop: None,
        };
        let ha1 = ha1(Algorithm::Md5, "Mufasa", "testrealm@host.com", "CircleOfLife");
        assert_eq!(response(Algorithm::Md5, &ha1, &request), "1949323746fe6a43ef61f9606e7febea");
    }

    /// RFC 4231 4.2 with its key padded with zeros, which HMAC does itself.
    #[test]
    fn the_keyed_hash_is_hmac() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            hex::encode(hmac_sha256(&key, &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn algorithms_are_named_as_the_registry_does() {
        assert_eq!(Algorithm::parse("sha-256"), Some(Algorithm::Sha256));
        assert_eq!(Algorithm::parse("MD5"), Some(Algorithm::Md5));
        for other in ["SHA256", "MD5-sess", "SHA-256-sess", "SHA-512-256", "", "AKAv1-MD5"] {
            assert_eq!(Algorithm::parse(other), None, "{other}");
        }
    }
}
