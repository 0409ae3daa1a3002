//! Tokens that were signed once, with a key that nobody has any more: each with what is said of it at one moment.

use super::*;

/// When they are looked at: 2026-11-21 00:00 UTC.
const NOW: Wall = Wall(1_795_219_200_000);
const DAY_MS: i64 = 86_400_000;

fn key() -> Vec<u8> {
    public_key(include_str!("crm.pem")).unwrap()
}

fn rules(key: &[u8]) -> Rules<'_> {
    let (issuer, audience) = ("https://crm.example", "client-of-the-crm");
    Rules { key, issuer, audience, longest_ms: 31 * DAY_MS }
}

fn fault(word: &str) -> Option<Fault> {
    Some(match word {
        "ok" => return None,
        "malformed" => Fault::Malformed,
        "signature" => Fault::Signature,
        "issuer" => Fault::Issuer,
        "audience" => Fault::Audience,
        "expired" => Fault::Expired,
        "too long" => Fault::TooLong,
        "claims" => Fault::Claims,
        other => panic!("{other}"),
    })
}

#[test]
fn each_token_is_taken_or_refused_for_its_own_reason() {
    let key = key();
    let mut seen = std::collections::BTreeMap::new();
    for line in include_str!("vectors.tsv").lines() {
        let [name, word, token] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(claims(token, &rules(&key), NOW).err(), fault(word), "{name}");
        *seen.entry(word).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 8, "every reason has a token: {seen:?}");
    assert!(seen["malformed"] >= 10 && seen["signature"] >= 5, "{seen:?}");
}

#[test]
fn a_good_token_says_who_and_until_when_in_seconds_or_milliseconds() {
    let key = key();
    let mut lines = include_str!("vectors.tsv").lines().map(|line| line.rsplit('\t').next().unwrap());
    let said = claims(lines.next().unwrap(), &rules(&key), NOW).unwrap();
    let id = "b774ef13-a5bc-4cf0-8346-042d879efb1a".to_owned();
    assert_eq!(said, Claims { user: "1001".into(), id, until: Wall(NOW.0 + 300_000) });
    let said = claims(lines.next().unwrap(), &rules(&key), NOW).unwrap();
    assert_eq!(said.until, Wall(NOW.0 + 300_000));
    let long = format!("{}.{}", "a".repeat(5_000), "b".repeat(5_000));
    assert_eq!(claims(&format!("{long}.c"), &rules(&key), NOW), Err(Fault::Malformed));
}

#[test]
fn a_key_is_read_out_of_both_forms_of_pem_and_a_short_one_is_none() {
    assert_eq!(public_key(include_str!("crm-pkcs1.pem")), Some(key()));
    assert_eq!(public_key(include_str!("short.pem")), None, "1024 bits");
    for none in
        ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----"]
    {
        assert_eq!(public_key(none), None, "{none}");
    }
    let cut = include_str!("crm.pem").replacen("MIIB", "MIIC", 1);
    assert_eq!(public_key(&cut), None);
}
