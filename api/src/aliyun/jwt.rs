//! Tokens about agents that an application has signed (RFC 7519, RFC 7515): RS256 and nothing else.
//!
//! Invariants: which algorithm is used is said by us and not by the token; nothing of a token is believed, nor told apart, before
//! its signature was right. Time is an argument.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use cordboard_model::time::Wall;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Longest token, bytes.
const TOKEN_MAX: usize = 8 << 10;
/// Longest name and id in one, characters.
const NAME_MAX: usize = 128;
/// How far clocks may be apart, milliseconds.
const SKEW_MS: i64 = 60_000;
/// Numbers of `exp` above this are milliseconds, as the reference has them; below, seconds (RFC 7519 2).
const MILLISECONDS: f64 = 100_000_000_000.0;
/// What an RSA key in a SubjectPublicKeyInfo begins with, behind the two lengths (RFC 3279 2.3.1).
const RSA: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// DER's tags of a sequence and of a bit string.
const SEQUENCE: u8 = 0x30;
const BITS: u8 = 0x03;

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is no token, or another algorithm's.
    Malformed,
    /// Its signature is not by the key.
    Signature,
    /// Somebody else has issued it.
    Issuer,
    /// It is for somebody else.
    Audience,
    /// It is over, or not good yet.
    Expired,
    /// It would be good for too long.
    TooLong,
    /// It says not about whom it is, or has no id.
    Claims,
}

impl Fault {
    /// For who sent it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "the subject token is no RS256 token",
            Self::Signature => "the subject token's signature is wrong",
            Self::Issuer => "the subject token is of another issuer",
            Self::Audience => "the subject token is for another audience",
            Self::Expired => "the subject token has expired, or is not good yet",
            Self::TooLong => "the subject token is good for longer than is allowed",
            Self::Claims => "the subject token needs user_name and jti",
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// About whom.
    pub(crate) user: String,
    /// Its id.
    pub(crate) id: String,
    /// Until when it is good.
    pub(crate) until: Wall,
}

/// By what a token is looked at.
pub(crate) struct Rules<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) longest_ms: i64,
}

/// An RSA public key out of PEM (RFC 7468), as [`Rules::key`] has it: of at least 2048 bits.
pub fn public_key(pem: &str) -> Option<Vec<u8>> {
    let between = |label: &str| {
        let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        BASE64_STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
    };
    let key = match between("PUBLIC KEY") {
        Some(info) => {
            let inner = whole(SEQUENCE, &info)?.strip_prefix(&RSA)?;
            whole(BITS, inner)?.strip_prefix(&[0])?.to_vec()
        }
        None => between("RSA PUBLIC KEY")?,
    };
    // a sequence of two numbers; the first of them is the modulus
    let (tag, modulus, _) = element(whole(SEQUENCE, &key)?)?;
    let bits = modulus.iter().skip_while(|byte| **byte == 0).count() * 8;
    (tag == 0x02 && (2_048..=8_192).contains(&bits)).then_some(key)
}

/// The first element of DER: its tag, what is in it, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (inner, rest) = rest.split_at_checked(length)?;
    Some((tag, inner, rest))
}

/// What is in the one element of this tag that these bytes are.
fn whole(tag: u8, der: &[u8]) -> Option<&[u8]> {
    element(der).filter(|(found, _, rest)| *found == tag && rest.is_empty()).map(|(_, inner, _)| inner)
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    crit: Option<Value>,
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

/// What a token says, if it is good.
pub(crate) fn claims(token: &str, rules: &Rules<'_>, now: Wall) -> Result<Claims, Fault> {
    let mut parts = token.split('.');
    let (Some(head), Some(body), Some(mark), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Fault::Malformed);
    };
    if token.len() > TOKEN_MAX {
        return Err(Fault::Malformed);
    }
    let header = decoded(head).and_then(|bytes| serde_json::from_slice::<Header>(&bytes).ok());
    let header = header.ok_or(Fault::Malformed)?;
    let other_type = header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if header.alg != "RS256" || header.crit.is_some() || other_type {
        return Err(Fault::Malformed);
    }
    let mark = decoded(mark).ok_or(Fault::Malformed)?;
    let signed = token.get(..head.len() + 1 + body.len()).ok_or(Fault::Malformed)?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rules.key);
    key.verify(signed.as_bytes(), &mark).map_err(|_| Fault::Signature)?;
    let said = decoded(body).and_then(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes).ok());
    looked_at(&said.ok_or(Fault::Malformed)?, rules, now)
}

fn looked_at(said: &Map<String, Value>, rules: &Rules<'_>, now: Wall) -> Result<Claims, Fault> {
    let text = |name: &str| said.get(name).and_then(Value::as_str);
    if text("iss") != Some(rules.issuer) {
        return Err(Fault::Issuer);
    }
    let is_ours = |audience: &Value| audience.as_str() == Some(rules.audience);
    let for_us = match said.get("aud") {
        None => true,
        Some(Value::Array(all)) => all.iter().any(is_ours),
        Some(one) => is_ours(one),
    };
    if !for_us {
        return Err(Fault::Audience);
    }
    let until = moment(said.get("exp")).flatten().ok_or(Fault::Expired)?;
    let begins = moment(said.get("nbf")).ok_or(Fault::Expired)?;
    if until.0 <= now.0 || begins.is_some_and(|at| at.0 > now.0.saturating_add(SKEW_MS)) {
        return Err(Fault::Expired);
    }
    if until.0.saturating_sub(now.0) > rules.longest_ms {
        return Err(Fault::TooLong);
    }
    let short = |name: &str| {
        text(name).filter(|text| (1..=NAME_MAX).contains(&text.chars().count())).map(str::to_owned)
    };
    let (user, id) = short("user_name").zip(short("jti")).ok_or(Fault::Claims)?;
    Ok(Claims { user, id, until })
}

/// A moment; none where there is none to read, and nothing where it is no moment.
fn moment(said: Option<&Value>) -> Option<Option<Wall>> {
    let Some(said) = said else { return Some(None) };
    let number = said.as_f64().filter(|number| *number > 0.0 && *number < 1.0e15)?;
    let ms = if number >= MILLISECONDS { number } else { number * 1_000.0 };
    Some(Some(Wall(ms as i64)))
}

#[cfg(test)]
mod tests;
