//! What is kept of passwords and keys: only what is needed to check them.

use cordboard_model::access::Scopes;
use cordboard_model::id::TenantId;
use core::fmt;
use md5::Md5;
use sha2::{Digest, Sha256};

/// A key to the control API. The key itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name, for logs.
    pub name: String,
    /// The tenant it is for.
    pub tenant: TenantId,
    /// What it opens.
    pub scopes: Scopes,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
}

impl ApiKey {
    /// Keeps the hash of `key`, which opens everything.
    pub fn new(name: String, tenant: TenantId, key: &str) -> Self {
        Self { name, tenant, scopes: Scopes::all(), sha256: Sha256::digest(key).into() }
    }

    /// The same, which opens this alone.
    pub fn with(self, scopes: Scopes) -> Self {
        Self { scopes, ..self }
    }

    /// Whether this is the key. Takes the same time for every wrong one.
    pub fn is(&self, key: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(key).into();
        let differs = given.iter().zip(self.sha256).fold(0, |d, (a, b)| d | (a ^ b));
        differs == 0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("name", &self.name)
            .field("tenant", &self.tenant)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

/// H(A1) of RFC 7616 3.4.2 with MD5 and with SHA-256: the hash of `user:realm:password`.
pub(crate) fn ha1(user: &str, realm: &str, password: &str) -> (String, String) {
    let a1 = format!("{user}:{realm}:{password}");
    (hex(&Md5::digest(&a1)), hex(&Sha256::digest(&a1)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ha1_of_the_example_in_rfc_7616_3_9_1() {
        let (md5, sha256) = ha1("Mufasa", "http-auth@example.org", "Circle of Life");
        assert_eq!(md5, "3d78807defe7de2157e2b0b6573a855f");
        let expected = "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232";
        assert_eq!(sha256, expected);
    }

    #[test]
    fn a_key_is_known_again_and_not_shown() {
        let key = ApiKey::new("bar".into(), TenantId::DEFAULT, "0123456789abcdef");
        assert!(key.is("0123456789abcdef"));
        assert!(!key.is("0123456789abcdeg"));
        assert!(!key.is(""));
        let shown = format!("{key:?}");
        assert!(!shown.contains("sha256"), "{shown}");
    }
}
