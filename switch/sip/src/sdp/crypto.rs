//! Keys in session descriptions (RFC 4568, SDES): the `a=crypto` line read and written.
//!
//! Invariants: a line that asks for anything we do not do to its packets (no encryption, no authentication, derived keys,
//! several master keys) is passed over, as though it were of a suite we do not have; what is written is one suite
//! with one key of ours. Keys are as secret as the signalling that carries them: RFC 4568 7.6 wants it encrypted.

use super::{Negotiated, VideoSettled};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cordboard_model::path::{DtlsRole, IceCredentials};
use cordboard_model::srtp::{Mki, SrtpKey, SrtpPolicy, SrtpRule, SrtpSuite};
use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};
use std::fmt;

/// Base64 as 6.1 writes it; its padding is left out by some.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Packets that one key may secure (RFC 3711 9.2): a longer lifetime is none.
const LIFETIME_MAX: u64 = 1 << 48;
/// Least window against replays that may be asked for (6.3.7).
const WINDOW_MIN: u32 = 64;

/// A usable `a=crypto` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crypto {
    /// By which an answer names the line it takes.
    pub tag: u32,
    /// The key with which its author sends.
    pub key: SrtpKey,
}

impl Crypto {
    /// Reads the value of an `a=crypto` line. `None` if it is not one, or one that we can do nothing with.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mut fields = value.split_ascii_whitespace();
        let tag = fields.next().filter(|tag| tag.len() <= 9 && tag.bytes().all(|b| b.is_ascii_digit()))?;
        let suite = SrtpSuite::from_name(fields.next()?)?;
        let key = key(suite, fields.next()?)?;
        let usable = fields.all(is_harmless);
        usable.then_some(Self { tag: tag.parse().ok()?, key })
    }

    /// The value of the line.
    pub(super) fn print(&self) -> String {
        format!("{} {} inline:{}", self.tag, self.key.suite().name(), BASE64.encode(self.key.material()))
    }
}

/// `inline:<key and salt>["|" lifetime]["|" MKI ":" length]` (9.2). Several keys are parted by `;`.
fn key(suite: SrtpSuite, parameters: &str) -> Option<SrtpKey> {
    let method = parameters.get(..7).filter(|method| method.eq_ignore_ascii_case("inline:"))?;
    let info = parameters.get(method.len()..)?;
    if info.contains(';') {
        return None;
    }
    let mut parts = info.split('|');
    let key = SrtpKey::new(suite, &BASE64.decode(parts.next()?).ok()?)?;
    let mut named = None;
    for (at, part) in parts.enumerate() {
        match part.split_once(':') {
            Some((value, len)) => named = Some(mki(value, len).filter(|_| named.is_none() && at < 2)?),
            // the peer's own limit: it gives us another key in time, or goes on
            None if at == 0 => lifetime(part)?,
            None => return None,
        }
    }
    match named {
        Some(mki) => key.named(mki),
        None => Some(key),
    }
}

/// `2^20` or a plain number, never zero (6.1).
fn lifetime(text: &str) -> Option<()> {
    let packets = match text.strip_prefix("2^") {
        Some(power) => 1u64.checked_shl(power.parse().ok()?)?,
        None => text.parse().ok()?,
    };
    (1..=LIFETIME_MAX).contains(&packets).then_some(())
}

/// The name of the key and its length in packets (6.1), of which we take up to 8 bytes.
fn mki(value: &str, len: &str) -> Option<Mki> {
    let (value, len) = (value.parse::<u64>().ok()?, len.parse::<u8>().ok()?);
    let fits = len == 8 || matches!(len, 1..=7) && value >> (8 * len) == 0;
    fits.then_some(Mki { value, len })
}

/// Whether a session parameter (6.3) changes nothing that matters. One that is not known makes its line unusable, unless
/// it begins with "-", which says that it may be ignored (6.3.8).
fn is_harmless(parameter: &str) -> bool {
    let upper = parameter.to_ascii_uppercase();
    match upper.split_once('=') {
        Some(("WSH", size)) => size.parse::<u32>().is_ok_and(|size| size >= WINDOW_MIN),
        Some(("KDR", rate)) => rate == "0",
        _ => upper.starts_with('-'),
    }
}

/// From which the keys of a session are made.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeySeed(pub(crate) [u8; 32]);

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySeed")
    }
}

/// How the keys of a stream come to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keying {
    /// There are none.
    #[default]
    Plain,
    /// In the description (RFC 4568).
    Sdes,
    /// By DTLS beside the stream (RFC 5764).
    Dtls,
}

/// What descriptions of ours say of DTLS and ICE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DtlsSelf {
    /// SHA-256 of our certificate.
    pub fingerprint: [u8; 32],
    /// We answer checks and make none (RFC 8445 2.5).
    pub ice_lite: bool,
}

/// How our side of a stream is to be secured, and with which keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Security {
    /// What is configured.
    pub rule: SrtpRule,
    /// How our offers to this peer are secured.
    pub(crate) offered: Keying,
    /// Without it DTLS is neither offered nor taken.
    pub(crate) dtls: Option<DtlsSelf>,
    /// Our part in the DTLS association that there is.
    pub(crate) role: Option<DtlsRole>,
    /// How often ICE was restarted.
    pub(crate) ice_generation: u32,
    pub(crate) seed: Option<KeySeed>,
    /// How often the suite has changed in this session: a key is never used by two runs of packets.
    pub(crate) generation: u32,
    /// Tag and suite of the one line that was taken.
    settled: Option<(u32, SrtpSuite)>,
    /// The same of the video.
    settled_video: Option<(u32, SrtpSuite)>,
    /// Our part in its DTLS association.
    role_video: Option<DtlsRole>,
    /// It is for video: keys of its own from the same seed.
    pub(super) is_video: bool,
}

impl Security {
    /// By a rule; nothing is offered yet.
    #[must_use]
    pub fn new(rule: SrtpRule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// The same for the video beside the audio: by the same rule, with keys of its own.
    pub(super) fn for_video(&self) -> Self {
        Self { is_video: true, settled: self.settled_video, role: self.role_video, ..self.clone() }
    }

    /// Offer and answer settled this about video; later offers of ours repeat it.
    pub(crate) fn settle_video(&mut self, settled: Option<&VideoSettled>) {
        let tagged = settled.and_then(|settled| settled.tag.zip(settled.keys));
        self.settled_video = tagged.map(|(tag, keys)| (tag, keys.send.suite()));
        let dtls = settled.and_then(|settled| settled.path.as_ref()?.dtls.as_ref());
        self.role_video = dtls.map(|dtls| dtls.role);
    }

    /// Whether streams without keys are refused.
    pub(super) fn is_required(&self) -> bool {
        matches!(self.rule.policy, SrtpPolicy::Required | SrtpPolicy::Dtls)
    }

    /// Whether streams secured in this way are taken.
    pub(crate) fn takes(&self, keying: Keying) -> bool {
        match keying {
            Keying::Plain => !self.is_required(),
            Keying::Sdes => matches!(self.rule.policy, SrtpPolicy::Optional | SrtpPolicy::Required),
            Keying::Dtls => self.rule.policy != SrtpPolicy::Off && self.dtls.is_some(),
        }
    }

    /// Our ICE credentials, always the same in one generation: "at least 24 bits" and "at least 128 bits" of randomness (RFC 8445
    /// 5.3).
    pub(super) fn ice(&self) -> Option<IceCredentials> {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut rng = ChaCha12Rng::from_seed(self.seed.as_ref()?.0);
        rng.set_stream(u64::from(self.is_video) << 49 | 1 << 48 | u64::from(self.ice_generation));
        let mut random = [0; 32];
        rng.fill_bytes(&mut random);
        let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 64)]);
        let (user, password) = random.split_at(8);
        Some(IceCredentials {
            user: user.iter().map(letter).collect(),
            password: password.iter().map(letter).collect(),
        })
    }

    /// Our key for a suite, always the same in one generation. None before the session has a seed.
    pub(super) fn key(&self, suite: SrtpSuite) -> Option<SrtpKey> {
        let mut rng = ChaCha12Rng::from_seed(self.seed.as_ref()?.0);
        rng.set_stream(u64::from(self.is_video) << 49 | u64::from(self.generation) << 8 | suite as u64);
        let mut material = [0; SrtpKey::MATERIAL_MAX];
        rng.fill_bytes(&mut material);
        SrtpKey::new(suite, material.get(..suite.material_len())?)
    }

    /// What we offer, the strongest first, each with a tag and a key of its own (5.1.1); later what was settled.
    pub(super) fn offers(&self) -> impl Iterator<Item = Crypto> {
        let all = || SrtpSuite::ALL.into_iter().zip(1..).map(|(suite, tag)| (tag, suite)).collect();
        let lines: Vec<(u32, SrtpSuite)> = self.settled.map_or_else(all, |settled| vec![settled]);
        let key = |(tag, suite)| Some(Crypto { tag, key: self.key(suite)? });
        lines.into_iter().filter_map(key).filter(|_| self.offered == Keying::Sdes)
    }

    /// Offer and answer settled this; later offers of ours repeat it.
    pub(crate) fn settle(&mut self, settled: &Negotiated) {
        let dtls = settled.path.as_ref().and_then(|path| path.dtls.as_ref());
        self.role = dtls.map(|dtls| dtls.role);
        self.offered = match (settled.keys, dtls) {
            (_, Some(_)) => Keying::Dtls,
            (Some(_), None) => Keying::Sdes,
            (None, None) => Keying::Plain,
        };
        self.settled = settled.tag.zip(settled.keys.map(|keys| keys.send.suite()));
        self.settle_video(settled.video.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    /// RFC 4568's own examples, and what phones write.
    #[test]
    fn lines_of_the_rfc_and_of_phones_are_read() {
        for line in [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1048576|1:4"),
            format!("1\tAES_CM_128_HMAC_SHA1_32  inline:{KEY}|2^31"),
            format!("999999999 aes_cm_128_hmac_sha1_80 INLINE:{KEY}|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=0 WSH=128 -FUTURE=1"),
        ] {
            assert!(Crypto::parse(&line).is_some(), "{line}");
        }
        let read = Crypto::parse(&format!("7 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^48|258:2")).unwrap();
        assert_eq!((read.tag, read.key.mki()), (7, Some(Mki { value: 258, len: 2 })));
        assert_eq!(read.key.material(), b"wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#");
        let unpadded = "0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHI";
        let read = Crypto::parse(&format!("1 AEAD_AES_256_GCM inline:{unpadded}"));
        assert_eq!(read.unwrap().key.suite(), SrtpSuite::AeadAes256Gcm);
    }

    #[test]
    fn what_would_weaken_or_confuse_is_passed_over() {
        let good = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
        assert!(Crypto::parse(&good).is_some());
        for line in [
            format!("{good} UNENCRYPTED_SRTP"),
            format!("{good} unencrypted_srtcp"),
            format!("{good} UNAUTHENTICATED_SRTP"),
            format!("{good} KDR=4"),
            format!("{good} WSH=63"),
            format!("{good} FEC_ORDER=FEC_SRTP"),
            format!("{good} SOMETHING"),
            format!("{good};inline:{KEY}"),
            format!("{good}|2^49"),
            format!("{good}|2^64"),
            format!("{good}|0"),
            format!("{good}|2^20|300:1"),
            format!("{good}|2^20|1:9"),
            format!("{good}|2^20|1:32"),
            format!("{good}|2^20|1:0"),
            format!("{good}|1:4|1:4"),
            format!("{good}|1:4|2^20"),
            format!("{good}|2^20|1:4|x"),
            format!("-1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AES_256_CM_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", &KEY[1..]),
            "1 AES_CM_128_HMAC_SHA1_80 inline:????".into(),
            format!("1 AES_CM_128_HMAC_SHA1_80 uri:{KEY}"),
            "1 AES_CM_128_HMAC_SHA1_80".into(),
            "1".into(),
            String::new(),
        ] {
            assert_eq!(Crypto::parse(&line), None, "{line}");
        }
    }

    #[test]
    fn our_keys_differ_by_suite_and_generation_are_read_back_and_not_shown() {
        let mut ours = Security::new(SrtpRule::default());
        assert_eq!(ours.offers().count(), 0);
        ours.offered = Keying::Sdes;
        assert_eq!(ours.offers().count(), 0, "without a seed there is no key");
        ours.seed = Some(KeySeed([5; 32]));
        let offers: Vec<Crypto> = ours.offers().collect();
        let tags: Vec<u32> = offers.iter().map(|offer| offer.tag).collect();
        assert_eq!(tags, [1, 2, 3, 4, 5, 6]);
        for offer in &offers {
            assert_eq!(Crypto::parse(&offer.print()), Some(*offer));
            assert_eq!(ours.key(offer.key.suite()), Some(offer.key));
        }
        for (at, offer) in offers.iter().enumerate() {
            let start = &offer.key.material()[..16];
            assert!(offers[at + 1..].iter().all(|other| &other.key.material()[..16] != start));
        }
        let shown = format!("{ours:?} {offers:?}");
        assert!(!shown.contains("[5") && !shown.contains("material"), "{shown}");
        ours.generation = 1;
        assert_ne!(ours.key(SrtpSuite::AeadAes128Gcm), Some(offers[1].key));
    }
}
