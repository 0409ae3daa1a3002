//! Tokens for an app key: who has the secret gets one, and it opens the calls for some minutes.
//!
//! Invariant: nothing is kept of a token: what it says of itself is signed with the secret of its key. So it survives a
//! restart, and is worth nothing once its secret is not the key's any more.

use super::config::{Face, HuaweiConfig, HuaweiKey, HuaweiTenant};
use super::sign::hex_hmac;
use cordboard_model::time::Wall;
use subtle::ConstantTimeEq;

/// How long a token is good if nothing is said, seconds.
pub(crate) const USUAL: u64 = 600;
/// The longest that may be asked for, seconds.
pub(crate) const LONGEST: u64 = 3_600;
/// What is signed begins so: no text of another purpose does.
const PURPOSE: &[u8] = b"cordboard-bearer\n";
/// The longest token that is looked at, bytes.
const TOKEN_MAX: usize = 512;

fn same(one: &str, other: &str) -> bool {
    // of one length, whatever theirs is
    let digest = |text: &str| hex_hmac(b"compare", &[text.as_bytes()]);
    digest(one).as_bytes().ct_eq(digest(other).as_bytes()).into()
}

/// The key that a pair opens, where it opens the calls.
pub(crate) fn key_of<'a>(
    config: &'a HuaweiConfig,
    name: &str,
    secret: &str,
) -> Option<(&'a HuaweiTenant, &'a HuaweiKey)> {
    let (tenant, key) = config.key(name)?;
    let fits = key.secrets.iter().filter(|known| same(&known.0, secret)).count() > 0;
    (fits && key.opens.contains(&Face::Calls)).then_some((tenant, key))
}

/// What is said, signed with this key's newest secret for a purpose that no other text has.
pub(crate) fn sealed(key: &HuaweiKey, purpose: &[u8], said: &str) -> Option<String> {
    let mac = hex_hmac(key.secrets.first()?.0.as_bytes(), &[purpose, said.as_bytes()]);
    Some(format!("{said}.{mac}"))
}

/// What was said, if a secret of this key has signed it for this purpose.
pub(crate) fn unsealed<'a>(key: &HuaweiKey, purpose: &[u8], token: &'a str) -> Option<&'a str> {
    let (said, mac) = token.rsplit_once('.')?;
    let made = |secret: &str| hex_hmac(secret.as_bytes(), &[purpose, said.as_bytes()]);
    (key.secrets.iter().filter(|secret| same(&made(&secret.0), mac)).count() > 0).then_some(said)
}

/// A token of this key from now on, for so many seconds.
pub(crate) fn mint(key: &HuaweiKey, now: Wall, seconds: u64) -> Option<String> {
    let until = now.0.checked_add_unsigned(seconds.checked_mul(1_000)?)?;
    let said = format!("{}.{:x}.{:x}", hex::encode(&key.name), now.0, until);
    sealed(key, PURPOSE, &said)
}

/// Whose token this is, if it is good now.
pub(crate) fn opens<'a>(
    config: &'a HuaweiConfig,
    token: &str,
    now: Wall,
) -> Option<(&'a HuaweiTenant, &'a HuaweiKey)> {
    let (said, _) = token.rsplit_once('.').filter(|_| token.len() <= TOKEN_MAX)?;
    let mut parts = said.split('.');
    let name = String::from_utf8(hex::decode(parts.next()?).ok()?).ok()?;
    let (tenant, key) = config.key(&name).filter(|(_, key)| key.opens.contains(&Face::Calls))?;
    unsealed(key, PURPOSE, token)?;
    let until = parts.nth(1).and_then(|text| i64::from_str_radix(text, 16).ok())?;
    (now.0 < until).then_some((tenant, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::config::GatewayTenant;
    use cordboard_model::config::Secret;
    use cordboard_model::id::TenantId;

    fn config(secrets: &[&str]) -> HuaweiConfig {
        let key = |name: &str, opens: &[Face]| HuaweiKey {
            name: name.into(),
            secrets: secrets.iter().map(|secret| Secret((*secret).into())).collect(),
            opens: opens.to_vec(),
        };
        let tenant = GatewayTenant { id: TenantId::DEFAULT, vdn: 1, skills: Default::default() };
        let keys = vec![key("crm", &[Face::Calls]), key("files", &[Face::Files])];
        let tenants = vec![HuaweiTenant { tenant, cc: 1, sip: None, keys }];
        HuaweiConfig { tenants, ..HuaweiConfig::default() }
    }

    #[test]
    fn a_token_opens_until_its_time_and_no_other_does() {
        let config = config(&["the-secret-of-the-crm"]);
        let (_, key) = key_of(&config, "crm", "the-secret-of-the-crm").unwrap();
        let token = mint(key, Wall(1_000), 600).unwrap();
        assert_eq!(opens(&config, &token, Wall(600_999)).unwrap().1.name, "crm");
        assert_eq!(opens(&config, &token, Wall(601_000)), None);
        let (said, mac) = token.rsplit_once('.').unwrap();
        let later = said.replacen(&format!("{:x}", 601_000), &format!("{:x}", 999_000), 1);
        assert_ne!(later, said);
        assert_eq!(opens(&config, &format!("{later}.{mac}"), Wall(1_000)), None);
        for wrong in ["", ".", "a.b.c.d", &token[1..], "636d72.1.2"] {
            assert_eq!(opens(&config, wrong, Wall(1_000)), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_exchanged_while_the_one_before_it_opens_yet() {
        let before = config(&["the-first-secret-1"]);
        let token = mint(&before.tenants[0].keys[0], Wall(0), 600).unwrap();
        let both = config(&["the-second-secret-2", "the-first-secret-1"]);
        assert!(key_of(&both, "crm", "the-first-secret-1").is_some());
        assert!(opens(&both, &token, Wall(1)).is_some());
        let after = config(&["the-second-secret-2"]);
        assert!(key_of(&after, "crm", "the-first-secret-1").is_none());
        assert!(opens(&after, &token, Wall(1)).is_none());
    }

    #[test]
    fn a_key_of_another_face_gets_no_token() {
        let config = config(&["the-secret-of-both"]);
        assert!(key_of(&config, "files", "the-secret-of-both").is_none());
        assert!(key_of(&config, "other", "the-secret-of-both").is_none());
        let token = mint(&config.tenants[0].keys[1], Wall(0), 600).unwrap();
        assert!(opens(&config, &token, Wall(1)).is_none());
    }
}
