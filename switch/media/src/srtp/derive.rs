//! Session keys from a master key (RFC 3711 4.3, RFC 6188 3, RFC 7714 11).
//!
//! Invariant: the key derivation rate is 0, so a master key has one set of session keys for its whole life.

use super::cipher::{AUTH_KEY, Aes, SALT, Transform};
use cordboard_model::srtp::{SrtpKey, SrtpSuite};

/// What a session key is for; the value is the first of three labels: cipher key, authentication key, salt (4.3.1, 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Rtp = 0,
    Rtcp = 3,
}

/// The transform of a master key for one use.
pub(super) fn transform(master: &SrtpKey, usage: Use) -> Option<Transform> {
    let suite = master.suite();
    let prf = Aes::new(master.key())?;
    let mut key = [0; 32];
    let mut auth = [0; AUTH_KEY];
    let mut salt = [0; SALT];
    let key = key.get_mut(..suite.key_len())?;
    let salt = salt.get_mut(..suite.salt_len())?;
    derive(&prf, master.salt(), usage as u8, key);
    derive(&prf, master.salt(), usage as u8 + 1, &mut auth);
    derive(&prf, master.salt(), usage as u8 + 2, salt);
    Transform::new(suite, key, &auth, salt, tag_len(suite, usage))
}

/// RFC 4568 6.2.2 shortens the tag of SRTP alone: a short tag is bearable where one packet is 20 ms of sound, and a
/// report is believed for longer. The tag of SRTCP has 80 bits in all suites with HMAC (so too RFC 6188 4).
fn tag_len(suite: SrtpSuite, usage: Use) -> usize {
    match (suite, usage) {
        (SrtpSuite::Aes128CmSha1_32 | SrtpSuite::Aes256CmSha1_32, Use::Rtp) => 4,
        _ => 10,
    }
}

/// RFC 3711 4.3.1: "let x = key_id XOR master_salt, where key_id and master_salt are aligned so that their least
/// significant bits agree", with key_id = label || r and r = 0; 4.3.3: the keystream of AES-CM with IV = x * 2^16. The
/// 96 bits of salt of GCM are first multiplied by 2^16 (RFC 7714 11).
fn derive(prf: &Aes, salt: &[u8], label: u8, out: &mut [u8]) {
    let mut iv = [0; 16];
    for (to, from) in iv.iter_mut().zip(salt) {
        *to = *from;
    }
    iv[7] ^= label;
    out.fill(0);
    prf.counter_mode(iv, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 B.3.
    #[test]
    fn session_keys_are_those_of_rfc_3711() {
        let prf = Aes::new(&hex::decode("e1f97a0d3e018be0d64fa32c06de4139").unwrap()).unwrap();
        let salt = hex::decode("0ec675ad498afeebb6960b3aabe6").unwrap();
        let made = |label, len| {
            let mut out = vec![0xff; len];
            derive(&prf, &salt, label, &mut out);
            hex::encode(out)
        };
        assert_eq!(made(0, 16), "c61e7a93744f39ee10734afe3ff7a087");
        assert_eq!(made(2, 14), "30cbbc08863d8c85d49db34a9ae1");
        let auth = "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbcee049646c43d9327ad175578ef7227098\
                    6371c10c9a369ac2f94a8c5fbcdddc256d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2";
        assert_eq!(made(1, 94), auth);
    }

    /// RFC 6188 7, the key derivation for 256 bits.
    #[test]
    fn session_keys_of_256_bits_are_those_of_rfc_6188() {
        let master = "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6";
        let prf = Aes::new(&hex::decode(master).unwrap()).unwrap();
        let salt = hex::decode("3b04803de51ee7c96423ab5b78d2").unwrap();
        let made = |label, len| {
            let mut out = vec![0; len];
            derive(&prf, &salt, label, &mut out);
            hex::encode(out)
        };
        assert_eq!(made(0, 32), "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
        assert_eq!(made(2, 14), "fa31791685ca444a9e07c6c64e93");
        assert_eq!(made(1, 20), "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
    }
}
