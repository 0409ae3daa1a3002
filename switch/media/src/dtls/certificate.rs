//! Our certificate, made at start, and what is looked at of a peer's: the public key. Nothing else of it means anything here: the
//! fingerprint in the session description vouches for all of it (RFC 8122 3.1).

use super::provider;
use cordboard_model::path::FingerprintHash;
use dimpl::{Config, DtlsCertificate};
use ring::digest;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of the longest DTLS datagram we send: fits every path that carries IPv6 (1,280) with its headers.
pub(super) const MTU: usize = 1_200;
/// Records that wait in either direction of one handshake: a flight has at most eight.
const QUEUE: usize = 16;
/// First wait for a flight's answer; it doubles. RFC 6347 4.2.4.1 recommends a second, and less for WebRTC is usual, where ICE
/// has just shown that both ends are there.
const FLIGHT_WAIT: Duration = Duration::from_millis(200);
/// Longest handshake.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);

/// Why there is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// The operating system gave no randomness.
    NoRandomness,
    /// The key or the library's own checks failed.
    Unusable,
}

impl std::fmt::Display for IdentityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            IdentityError::NoRandomness => "the operating system gives no randomness",
            IdentityError::Unusable => "the key or the library's own checks failed",
        })
    }
}

impl std::error::Error for IdentityError {}

/// Who we are in DTLS: a key and a certificate of its own making, the same for all legs of a run.
#[derive(Clone)]
pub struct Identity {
    pub(super) certificate: DtlsCertificate,
    pub(super) config: Arc<Config>,
    /// For peers that have not shown by ICE that they are where they say: with a cookie (RFC 6347 4.2.1).
    pub(super) wary: Arc<Config>,
    pub(super) began: Instant,
    fingerprint: [u8; 32],
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// A fresh one. `began` is the moment that the engine's time counts from.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn new(began: Instant) -> Result<Self, IdentityError> {
        let random = SystemRandom::new();
        let no_randomness = |_| IdentityError::NoRandomness;
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).map_err(no_randomness)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random)
            .map_err(|_| IdentityError::Unusable)?;
        let mut serial = [0; 8];
        random.fill(&mut serial).map_err(no_randomness)?;
        let body = body(serial, key.public_key().as_ref());
        let signature = key.sign(&random, &body).map_err(no_randomness)?;
        let certificate = sequence(&[&body, &algorithm(), &bits(signature.as_ref())]);
        let digest = digest::digest(&digest::SHA256, &certificate);
        let fingerprint = digest.as_ref().try_into().map_err(|_| IdentityError::Unusable)?;
        let config = |cookie| {
            Config::builder()
                .with_crypto_provider(provider::provider())
                .mtu(MTU)
                .max_queue_rx(QUEUE)
                .max_queue_tx(QUEUE)
                .require_client_certificate(true)
                .use_server_cookie(cookie)
                .flight_start_rto(FLIGHT_WAIT)
                .handshake_timeout(HANDSHAKE_MAX)
                .build()
                .map(Arc::new)
                .map_err(|_| IdentityError::Unusable)
        };
        let private_key = pkcs8.as_ref().to_vec();
        Ok(Self {
            certificate: DtlsCertificate { certificate, private_key },
            config: config(false)?,
            wary: config(true)?,
            began,
            fingerprint,
        })
    }

    /// SHA-256 of the certificate, for session descriptions.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The certificate itself (DER).
    #[cfg(test)]
    pub(super) fn der(&self) -> &[u8] {
        &self.certificate.certificate
    }
}

/// The hash of a peer's certificate.
pub(super) fn digest_of(certificate: &[u8], hash: FingerprintHash) -> digest::Digest {
    let function = match hash {
        FingerprintHash::Sha256 => &digest::SHA256,
        FingerprintHash::Sha384 => &digest::SHA384,
        FingerprintHash::Sha512 => &digest::SHA512,
    };
    digest::digest(function, certificate)
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
/// ecdsa-with-SHA256 (RFC 5758 3.2).
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// id-ecPublicKey (RFC 5480 2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// secp256r1 (RFC 5480 2.1.1.1).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// secp384r1.
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// id-at-commonName (RFC 5280 A.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// TBSCertificate (RFC 5280 4.1). Its dates span every clock that a peer may have; nobody asks them.
fn body(serial: [u8; 8], public_key: &[u8]) -> Vec<u8> {
    let [first, rest @ ..] = serial;
    // positive, and of the shortest form
    let serial = [&[(first & 0x3f) | 0x40][..], &rest].concat();
    let name =
        sequence(&[&field(0x31, &sequence(&[&field(OBJECT, COMMON_NAME), &field(0x0c, b"cordboard")]))]);
    let dates = sequence(&[&field(0x17, b"000101000000Z"), &field(0x17, b"491231235959Z")]);
    let curve = sequence(&[&field(OBJECT, EC_PUBLIC_KEY), &field(OBJECT, P256)]);
    let key = sequence(&[&curve, &bits(public_key)]);
    let version = field(0xa0, &field(INTEGER, &[2]));
    sequence(&[&version, &field(INTEGER, &serial), &algorithm(), &name, &dates, &name, &key])
}

fn algorithm() -> Vec<u8> {
    sequence(&[&field(OBJECT, ECDSA_SHA256)])
}

fn bits(value: &[u8]) -> Vec<u8> {
    field(BIT_STRING, &[&[0], value].concat())
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    field(SEQUENCE, &parts.concat())
}

/// Tag, length, value; no value here is longer than 65,535 bytes.
fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    let [high, low] = (value.len() as u16).to_be_bytes();
    let head: &[u8] = match value.len() {
        0..=127 => &[tag, low],
        128..=255 => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [head, value].concat()
}

/// Curve of a public key that we can verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

/// The public key of a certificate (RFC 5280 4.1, RFC 5480): its curve and its point. `None` if it is no certificate with such a
/// key.
pub(super) fn public_key(certificate: &[u8]) -> Option<(Curve, &[u8])> {
    let (SEQUENCE, certificate, _) = read(certificate)? else { return None };
    let (SEQUENCE, mut rest, _) = read(certificate)? else { return None };
    // version, if it is told; serial, algorithm, issuer, validity, subject
    let skipped = if rest.first() == Some(&0xa0) { 6 } else { 5 };
    for _ in 0..skipped {
        rest = read(rest)?.2;
    }
    let (SEQUENCE, key, _) = read(rest)? else { return None };
    let (SEQUENCE, algorithm, behind) = read(key)? else { return None };
    let (OBJECT, kind, parameters) = read(algorithm)? else { return None };
    let (OBJECT, curve, _) = read(parameters)? else { return None };
    let (BIT_STRING, [0, point @ ..], _) = read(behind)? else { return None };
    let curve = match curve {
        P256 => Curve::P256,
        P384 => Curve::P384,
        _ => return None,
    };
    (kind == EC_PUBLIC_KEY).then_some((curve, point))
}

/// Tag and value of the first field, and what lies behind it.
fn read(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = der.split_first_chunk::<2>()?;
    let (len, rest) = match head[1] {
        short @ 0..=127 => (usize::from(short), rest),
        0x81 => {
            let (len, rest) = rest.split_first()?;
            (usize::from(*len), rest)
        }
        0x82 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        _ => return None,
    };
    let (value, behind) = rest.split_at_checked(len)?;
    Some((head[0], value, behind))
}
