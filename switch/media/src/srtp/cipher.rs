//! The transforms of SRTP over the primitives of aes, hmac, sha1 and ring: AES in counter mode with HMAC-SHA1
//! (RFC 3711 4, RFC 6188) and AES-GCM (RFC 7714). The only file that sees those crates.
//!
//! Invariant: everything is done in place, in the caller's buffer, and allocates nothing.

use aes::cipher::{BlockEncrypt, KeyInit};
use aes::{Aes128Enc, Aes256Enc, Block};
use cordboard_model::srtp::SrtpSuite;
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;

/// Blocks made at a time: what the processor's AES units take side by side.
const BATCH: usize = 8;
const BLOCK: usize = 16;
/// "n_a = 160": the length of the session authentication key, bytes (RFC 3711 5.2).
pub(super) const AUTH_KEY: usize = 20;
/// Longest session salt, bytes.
pub(super) const SALT: usize = 14;
/// "the authentication tag is always 16 octets" (RFC 7714 13.2).
const GCM_TAG: usize = 16;

/// AES, for encryption alone: counter mode needs no other, and neither does the derivation of keys.
pub(super) enum Aes {
    A128(Box<Aes128Enc>),
    A256(Box<Aes256Enc>),
}

impl Aes {
    /// A key of 16 or 32 bytes.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128Enc::new_from_slice(key).ok().map(|key| Aes::A128(Box::new(key))),
            32 => Aes256Enc::new_from_slice(key).ok().map(|key| Aes::A256(Box::new(key))),
            _ => None,
        }
    }

    /// RFC 3711 4.1.1: the keystream is "the concatenation of E(k, IV) || E(k, IV + 1 mod 2^128) || ...", and the
    /// packet is combined with it by exclusive or.
    pub(super) fn counter_mode(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        let mut counter = u128::from_be_bytes(iv);
        for chunk in data.chunks_mut(BATCH * BLOCK) {
            let mut stream = [Block::default(); BATCH];
            let count = chunk.len().div_ceil(BLOCK);
            let Some(stream) = stream.get_mut(..count) else {
                return;
            };
            for block in stream.iter_mut() {
                *block = counter.to_be_bytes().into();
                counter = counter.wrapping_add(1);
            }
            match self {
                Aes::A128(key) => key.encrypt_blocks(stream),
                Aes::A256(key) => key.encrypt_blocks(stream),
            }
            for (byte, key) in chunk.iter_mut().zip(stream.iter().flatten()) {
                *byte ^= key;
            }
        }
    }
}

/// What a packet's place makes of it: the part of the initialisation vector that differs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// SSRC and 48 bits of rollover counter and sequence number.
    Rtp(u32, u64),
    /// SSRC and 31 bits of SRTCP index.
    Rtcp(u32, u32),
}

/// A session key at work, for RTP or for RTCP of one direction.
pub(super) enum Transform {
    CounterMode { cipher: Aes, salt: [u8; SALT], mac: Box<Hmac<Sha1>>, tag: usize },
    Gcm { key: Box<LessSafeKey>, salt: [u8; 12] },
}

impl Transform {
    pub(super) fn new(suite: SrtpSuite, key: &[u8], auth: &[u8], salt: &[u8], tag: usize) -> Option<Self> {
        let algorithm = match suite {
            SrtpSuite::AeadAes128Gcm => &AES_128_GCM,
            SrtpSuite::AeadAes256Gcm => &AES_256_GCM,
            _ => {
                let cipher = Aes::new(key)?;
                let mac = Box::new(<Hmac<Sha1> as Mac>::new_from_slice(auth).ok()?);
                return Some(Transform::CounterMode { cipher, salt: salt.try_into().ok()?, mac, tag });
            }
        };
        let key = Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?));
        Some(Transform::Gcm { key, salt: salt.try_into().ok()? })
    }

    /// Bytes of the authentication tag.
    pub(super) fn tag_len(&self) -> usize {
        match self {
            Transform::CounterMode { tag, .. } => *tag,
            Transform::Gcm { .. } => GCM_TAG,
        }
    }

    /// Whether a packet can be shown to be right before its bytes are changed, so that a second guess is possible.
    pub(super) fn checks_first(&self) -> bool {
        matches!(self, Transform::CounterMode { .. })
    }

    /// Encrypts `packet[from..to]` and writes the tag: right behind it (GCM), or behind `packet[..end]`, which it covers
    /// with `trailer` (HMAC). `clear` is what GCM covers without encrypting it. `None` if there is no room.
    pub(super) fn seal(&self, packet: &mut [u8], span: Span, place: Place, trailer: [u8; 4]) -> Option<()> {
        match self {
            Transform::CounterMode { cipher, salt, mac, tag } => {
                cipher.counter_mode(counter_iv(salt, place), packet.get_mut(span.clear..span.end)?);
                let made = mac_of(mac, packet.get(..span.covered())?, place, trailer);
                let at = span.tag_at;
                packet.get_mut(at..at + tag)?.copy_from_slice(made.get(..*tag)?);
            }
            Transform::Gcm { key, salt } => {
                let (head, rest) = packet.split_at_mut_checked(span.clear)?;
                let body = rest.get_mut(..span.end.checked_sub(span.clear)?)?;
                let nonce = Nonce::assume_unique_for_key(gcm_iv(salt, place));
                let made = match place {
                    Place::Rtp(..) => key.seal_in_place_separate_tag(nonce, Aad::from(&*head), body),
                    Place::Rtcp(..) => {
                        let aad = rtcp_aad(head, trailer)?;
                        key.seal_in_place_separate_tag(nonce, Aad::from(aad), body)
                    }
                };
                let made = made.ok()?;
                packet.get_mut(span.tag_at..span.tag_at + GCM_TAG)?.copy_from_slice(made.as_ref());
            }
        }
        Some(())
    }

    /// Checks the tag and decrypts. `false`: the packet is not of who has the key, or not as it was sent. Its bytes
    /// are then worth nothing, unless [`Transform::checks_first`].
    pub(super) fn open(&self, packet: &mut [u8], span: Span, place: Place, trailer: [u8; 4]) -> bool {
        self.try_open(packet, span, place, trailer).is_some()
    }

    fn try_open(&self, packet: &mut [u8], span: Span, place: Place, trailer: [u8; 4]) -> Option<()> {
        match self {
            Transform::CounterMode { cipher, salt, mac, tag } => {
                let mut mac = Hmac::clone(mac);
                mac.update(packet.get(..span.covered())?);
                if matches!(place, Place::Rtp(..)) {
                    mac.update(&trailer);
                }
                // in constant time
                mac.verify_truncated_left(packet.get(span.tag_at..span.tag_at + tag)?).ok()?;
                cipher.counter_mode(counter_iv(salt, place), packet.get_mut(span.clear..span.end)?);
            }
            Transform::Gcm { key, salt } => {
                let (head, rest) = packet.split_at_mut_checked(span.clear)?;
                let sealed = rest.get_mut(..(span.end + GCM_TAG).checked_sub(span.clear)?)?;
                let nonce = Nonce::assume_unique_for_key(gcm_iv(salt, place));
                match place {
                    Place::Rtp(..) => key.open_in_place(nonce, Aad::from(&*head), sealed).ok()?,
                    Place::Rtcp(..) => {
                        let aad = rtcp_aad(head, trailer)?;
                        key.open_in_place(nonce, Aad::from(aad), sealed).ok()?
                    }
                };
            }
        }
        Some(())
    }
}

/// Where the parts of a packet lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Bytes at the front that stay readable.
    pub clear: usize,
    /// Where the encrypted part ends, tag not counted.
    pub end: usize,
    /// Bytes after `end` that an HMAC covers too: the index of an SRTCP packet.
    pub extra: usize,
    /// Where the tag begins.
    pub tag_at: usize,
}

impl Span {
    const fn covered(&self) -> usize {
        self.end + self.extra
    }
}

/// RFC 3711 4.2: "M = Authenticated Portion || ROC" for RTP, the Authenticated Portion alone for RTCP.
fn mac_of(mac: &Hmac<Sha1>, covered: &[u8], place: Place, trailer: [u8; 4]) -> [u8; 20] {
    let mut mac = mac.clone();
    mac.update(covered);
    if matches!(place, Place::Rtp(..)) {
        mac.update(&trailer);
    }
    mac.finalize().into_bytes().into()
}

/// RFC 3711 4.1.1: "IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16)".
fn counter_iv(salt: &[u8; SALT], place: Place) -> [u8; BLOCK] {
    let (ssrc, index) = match place {
        Place::Rtp(ssrc, index) => (ssrc, index),
        Place::Rtcp(ssrc, index) => (ssrc, u64::from(index)),
    };
    let mut padded = [0; BLOCK];
    for (to, from) in padded.iter_mut().zip(salt) {
        *to = *from;
    }
    (u128::from_be_bytes(padded) ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16).to_be_bytes()
}

/// RFC 7714 8.1 and 9.1: two zero octets, SSRC, rollover counter and sequence number, or SSRC, two zero octets and the
/// index; "XORed to the 12-octet salt".
fn gcm_iv(salt: &[u8; 12], place: Place) -> [u8; 12] {
    let (ssrc, index) = match place {
        Place::Rtp(ssrc, index) => (ssrc, index & 0xffff_ffff_ffff),
        Place::Rtcp(ssrc, index) => (ssrc, u64::from(index)),
    };
    let mut iv = *salt;
    let word = u128::from(ssrc) << 48 | u128::from(index);
    for (to, from) in iv.iter_mut().zip(word.to_be_bytes().into_iter().skip(4)) {
        *to ^= from;
    }
    iv
}

/// RFC 7714 9.2: what is covered and not encrypted is the first 8 octets and the ESRTCP word.
fn rtcp_aad(head: &[u8], trailer: [u8; 4]) -> Option<[u8; 12]> {
    let mut aad = [0; 12];
    let (front, back) = aad.split_at_mut(8);
    front.copy_from_slice(head.get(..8)?);
    back.copy_from_slice(&trailer);
    Some(aad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    /// RFC 3711 B.2, the whole segment of 1,044,512 bytes; its middle by the digest of an independent computation.
    #[test]
    fn the_keystream_is_that_of_rfc_3711() {
        let key: [u8; 16] = bytes("2b7e151628aed2a6abf7158809cf4f3c");
        let mut stream = vec![0; 1_044_512];
        let aes = Aes::new(&key).unwrap();
        aes.counter_mode(bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"), &mut stream);
        let first: [u8; 48] = bytes(
            "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0",
        );
        let last: [u8; 48] = bytes(
            "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44",
        );
        assert_eq!(stream[..48], first);
        assert_eq!(stream[stream.len() - 48..], last);
        let digest = hex::encode(Sha256::digest(&stream));
        assert_eq!(digest, "ef30edb0e50297a4802215c6dc0648af90722580a5ba63ddb65f3cbe10846ae5");
        let mut part = vec![0; 131];
        aes.counter_mode(bytes("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"), &mut part);
        assert_eq!(part, stream[..131], "any length");
    }

    /// RFC 7714 16.1.1, 16.2.1: one packet under both keys, there and back.
    #[test]
    fn gcm_packets_are_those_of_rfc_7714() {
        let plain = hex::decode(
            "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573",
        )
        .unwrap();
        let sealed = [
            "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833\
             899d7f27beb16a9152cf765ee4390cce",
            "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b\
             7aa3db36dfffd6b0f9bb7878d7a76c13",
        ];
        for (suite, sealed) in [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm].into_iter().zip(sealed) {
            let key: Vec<u8> = (0..suite.key_len() as u8).collect();
            let transform = Transform::new(suite, &key, &[], b"Quid pro quo", 0).unwrap();
            let mut packet = plain.clone();
            packet.resize(plain.len() + 16, 0);
            let span = Span { clear: 12, end: plain.len(), extra: 0, tag_at: plain.len() };
            let place = Place::Rtp(0x5501_a0b2, 0xf17b);
            transform.seal(&mut packet, span, place, [0; 4]).unwrap();
            assert_eq!(hex::encode(&packet), sealed);
            assert!(transform.open(&mut packet, span, place, [0; 4]));
            assert_eq!(packet[..plain.len()], plain);
        }
    }

    /// RFC 7714 17.1, 17.2. (The text before 17.1 prints another packet; the sections themselves agree.)
    #[test]
    fn gcm_reports_are_those_of_rfc_7714() {
        let plain = hex::decode(
            "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
        )
        .unwrap();
        let sealed = [
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded\
             0bb9275bc84aa45896cf4d2fc5abf87245d9eade",
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047\
             6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be",
        ];
        for (suite, sealed) in [SrtpSuite::AeadAes128Gcm, SrtpSuite::AeadAes256Gcm].into_iter().zip(sealed) {
            let key: Vec<u8> = (0..suite.key_len() as u8).collect();
            let transform = Transform::new(suite, &key, &[], b"Quid pro quo", 0).unwrap();
            let mut packet = plain.clone();
            packet.resize(plain.len() + 16, 0);
            let span = Span { clear: 8, end: plain.len(), extra: 0, tag_at: plain.len() };
            let place = Place::Rtcp(0x4d61_7273, 0x5d4);
            transform.seal(&mut packet, span, place, [0x80, 0, 5, 0xd4]).unwrap();
            assert_eq!(hex::encode(&packet), sealed);
            let mut changed = packet.clone();
            assert!(!transform.open(&mut changed, span, place, [0, 0, 5, 0xd4]), "the flag is covered");
            assert!(transform.open(&mut packet, span, place, [0x80, 0, 5, 0xd4]));
            assert_eq!(packet[..plain.len()], plain);
        }
    }
}
