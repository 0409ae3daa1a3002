//! Names and keys of secure RTP (RFC 3711), as signalling agrees on them and media threads use them.
//!
//! Invariant: a key is shown by nothing: `Debug` names its suite alone, and there is no other way to print one.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Whether streams are secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SrtpPolicy {
    /// Plain RTP alone.
    Off,
    /// Secure RTP where the peer has it.
    #[default]
    Optional,
    /// Secure RTP or no call.
    Required,
    /// Secure RTP whose keys are agreed on by DTLS, or no call.
    Dtls,
}

/// The rule for the streams of a tenant, an account or a trunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SrtpRule {
    /// Whether they are secured.
    pub policy: SrtpPolicy,
    /// Whether keys are offered over signalling that is not encrypted, where whoever hears it has the keys.
    pub without_tls: bool,
}

/// A crypto-suite: cipher, key length and length of the authentication tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SrtpSuite {
    /// AES in Galois/Counter Mode, 256 bits (RFC 7714).
    #[serde(rename = "AEAD_AES_256_GCM")]
    AeadAes256Gcm,
    /// AES in Galois/Counter Mode, 128 bits (RFC 7714).
    #[serde(rename = "AEAD_AES_128_GCM")]
    AeadAes128Gcm,
    /// AES in counter mode, 256 bits, tag of 80 bits (RFC 6188).
    #[serde(rename = "AES_256_CM_HMAC_SHA1_80")]
    Aes256CmSha1_80,
    /// AES in counter mode, 128 bits, tag of 80 bits (RFC 4568 6.2.1): what every implementation has.
    #[serde(rename = "AES_CM_128_HMAC_SHA1_80")]
    Aes128CmSha1_80,
    /// AES in counter mode, 256 bits, tag of 32 bits (RFC 6188).
    #[serde(rename = "AES_256_CM_HMAC_SHA1_32")]
    Aes256CmSha1_32,
    /// AES in counter mode, 128 bits, tag of 32 bits (RFC 4568 6.2.2).
    #[serde(rename = "AES_CM_128_HMAC_SHA1_32")]
    Aes128CmSha1_32,
}

impl SrtpSuite {
    /// Every suite, the strongest first.
    pub const ALL: [SrtpSuite; 6] = [
        SrtpSuite::AeadAes256Gcm,
        SrtpSuite::AeadAes128Gcm,
        SrtpSuite::Aes256CmSha1_80,
        SrtpSuite::Aes128CmSha1_80,
        SrtpSuite::Aes256CmSha1_32,
        SrtpSuite::Aes128CmSha1_32,
    ];

    /// The name in `a=crypto` lines (RFC 4568 6.2, RFC 6188 4, RFC 7714 14.2).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            SrtpSuite::AeadAes256Gcm => "AEAD_AES_256_GCM",
            SrtpSuite::AeadAes128Gcm => "AEAD_AES_128_GCM",
            SrtpSuite::Aes256CmSha1_80 => "AES_256_CM_HMAC_SHA1_80",
            SrtpSuite::Aes128CmSha1_80 => "AES_CM_128_HMAC_SHA1_80",
            SrtpSuite::Aes256CmSha1_32 => "AES_256_CM_HMAC_SHA1_32",
            SrtpSuite::Aes128CmSha1_32 => "AES_CM_128_HMAC_SHA1_32",
        }
    }

    /// The suite of a name; case does not matter, and neither does the order of cipher and length that some write.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let also = match name {
            "AES_CM_256_HMAC_SHA1_80" => Some(SrtpSuite::Aes256CmSha1_80),
            "AES_CM_256_HMAC_SHA1_32" => Some(SrtpSuite::Aes256CmSha1_32),
            _ => None,
        };
        also.or_else(|| Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name)))
    }

    /// Bytes of the master key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            SrtpSuite::AeadAes256Gcm | SrtpSuite::Aes256CmSha1_80 | SrtpSuite::Aes256CmSha1_32 => 32,
            SrtpSuite::AeadAes128Gcm | SrtpSuite::Aes128CmSha1_80 | SrtpSuite::Aes128CmSha1_32 => 16,
        }
    }

    /// Bytes of the master salt.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            SrtpSuite::AeadAes256Gcm | SrtpSuite::AeadAes128Gcm => 12,
            _ => 14,
        }
    }

    /// Bytes of key and salt together, as they stand in an `a=crypto` line.
    #[must_use]
    pub const fn material_len(self) -> usize {
        self.key_len() + self.salt_len()
    }
}

/// A name for one of a peer's master keys, that its packets carry (RFC 3711 3.1, MKI).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mki {
    /// The value.
    pub value: u64,
    /// Bytes that each packet carries it in, 1 to 8.
    pub len: u8,
}

/// A master key with its salt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SrtpKey {
    suite: SrtpSuite,
    material: [u8; SrtpKey::MATERIAL_MAX],
    mki: Option<Mki>,
}

impl SrtpKey {
    /// Bytes of the longest key with its salt.
    pub const MATERIAL_MAX: usize = 46;

    /// A key for a suite. `None` unless `material` has the length of its key and salt.
    #[must_use]
    pub fn new(suite: SrtpSuite, material: &[u8]) -> Option<Self> {
        if material.len() != suite.material_len() {
            return None;
        }
        let mut own = [0; Self::MATERIAL_MAX];
        own.get_mut(..material.len())?.copy_from_slice(material);
        Some(Self { suite, material: own, mki: None })
    }

    /// The same key, by a name that its packets carry. `None` unless the name has 1 to 8 bytes.
    #[must_use]
    pub const fn named(self, mki: Mki) -> Option<Self> {
        if matches!(mki.len, 1..=8) { Some(Self { mki: Some(mki), ..self }) } else { None }
    }

    /// What packets under this key carry beside their tag.
    #[must_use]
    pub const fn mki(&self) -> Option<Mki> {
        self.mki
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> SrtpSuite {
        self.suite
    }

    /// Key and salt, one after the other: [`SrtpSuite::material_len`] bytes.
    #[must_use]
    pub fn material(&self) -> &[u8] {
        self.material.get(..self.suite.material_len()).unwrap_or_default()
    }

    /// The master key.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        self.material.get(..self.suite.key_len()).unwrap_or_default()
    }

    /// The master salt.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        self.material.get(self.suite.key_len()..self.suite.material_len()).unwrap_or_default()
    }
}

impl fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKey").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// The keys of one stream, each chosen by who sends with it (RFC 4568 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// Ours.
    pub send: SrtpKey,
    /// The peer's.
    pub receive: SrtpKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_one_name_and_its_lengths() {
        for suite in SrtpSuite::ALL {
            assert_eq!(SrtpSuite::from_name(&suite.name().to_ascii_lowercase()), Some(suite));
            assert!(suite.material_len() <= SrtpKey::MATERIAL_MAX);
        }
        let lengths = SrtpSuite::ALL.map(SrtpSuite::material_len);
        assert_eq!(lengths, [44, 28, 46, 30, 46, 30]);
        assert_eq!(SrtpSuite::from_name("F8_128_HMAC_SHA1_80"), None);
    }

    #[test]
    fn a_key_is_cut_where_its_suite_says_and_never_shown() {
        let material: Vec<u8> = (100..130).collect();
        let key = SrtpKey::new(SrtpSuite::Aes128CmSha1_80, &material).unwrap();
        assert_eq!((key.key(), key.salt()), (&material[..16], &material[16..]));
        assert_eq!(key.material(), material);
        assert_eq!(SrtpKey::new(SrtpSuite::AeadAes128Gcm, &material), None);
        assert_eq!(format!("{key:?}"), "SrtpKey { suite: Aes128CmSha1_80, .. }");
    }
}
