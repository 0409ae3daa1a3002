//! One-time codes by time (RFC 6238), six digits and 30 seconds each, as authenticator programs have them.
//!
//! Invariant: a code is taken once. RFC 6238 5.2: "The verifier MUST NOT accept the second attempt of the OTP after the
//! successful validation has been issued for the first OTP"; neither is one of an earlier step taken.

use cordboard_model::time::Wall;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Length of a step, seconds (RFC 6238 5.2: "We RECOMMEND a default time-step size of 30 seconds").
const STEP_S: i64 = 30;
/// Steps by which a device's clock may be off, to both sides (RFC 6238 5.2: "at most one time step is allowed").
const SKEW: u64 = 1;
/// Bytes of a secret (RFC 4226 4, R6: "RECOMMENDs a shared secret length of 160 bits").
pub(crate) const SECRET: usize = 20;

/// The step that a time lies in.
fn step_of(now: Wall) -> u64 {
    u64::try_from(now.0.div_euclid(1_000).div_euclid(STEP_S)).unwrap_or(0)
}

/// The code of a step (RFC 4226 5.3).
fn code_at(secret: &[u8], step: u64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let at = usize::from(hash.last()? & 0x0F);
    let four: [u8; 4] = hash.get(at..at + 4)?.try_into().ok()?;
    let number = u32::from_be_bytes(four) & 0x7FFF_FFFF;
    Some(format!("{:06}", number % 1_000_000))
}

/// The step of this code, if it is one of now that is later than the last one taken.
pub(crate) fn check(secret: &[u8], code: &str, last: u64, now: Wall) -> Option<u64> {
    let here = step_of(now);
    let mut found = None;
    // all of them, whatever matches: the time that it takes says nothing
    for step in here.saturating_sub(SKEW)..=here + SKEW {
        let right = code_at(secret, step).is_some_and(|known| known.as_bytes().ct_eq(code.as_bytes()).into());
        if right && step > last {
            found = found.or(Some(step));
        }
    }
    found
}

/// Base32 (RFC 4648 6) without padding, as `otpauth` URIs have secrets.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut held, mut bits) = (0_u32, 0_u32);
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let mut push = |five: u32| {
        text.extend(LETTERS.get((five & 31) as usize).map(|letter| char::from(*letter)));
    };
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(held >> bits);
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        push(held << (5 - bits));
    }
    text
}

/// What an authenticator program reads as a picture of squares: `otpauth://totp/ISSUER:USER?secret=...`.
pub(crate) fn uri(issuer: &str, user: &str, secret: &[u8]) -> String {
    let escaped = |text: &str| -> String {
        let letter = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        };
        text.bytes().map(letter).collect()
    };
    let (issuer, user, secret) = (escaped(issuer), escaped(user), base32(secret));
    format!(
        "otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 4226, appendix D.
    #[test]
    fn the_codes_of_rfc_4226() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (step, code) in codes.iter().enumerate() {
            assert_eq!(code_at(SECRET, step as u64).as_deref(), Some(*code));
        }
    }

    /// RFC 6238, appendix B, of which six digits are the last six of its eight.
    #[test]
    fn the_codes_of_rfc_6238() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Wall(seconds * 1_000);
            assert_eq!(check(SECRET, code, 0, now), Some(step_of(now)), "{seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off_and_a_code_is_taken_once() {
        let at = |step: i64| Wall(step * 30_000 + 14_999);
        let code = code_at(SECRET, 100).unwrap();
        for (step, taken) in [(98, None), (99, Some(100)), (100, Some(100)), (101, Some(100)), (102, None)] {
            assert_eq!(check(SECRET, &code, 0, at(step)), taken, "{step}");
        }
        assert_eq!(check(SECRET, &code, 100, at(100)), None, "a replay");
        let before = code_at(SECRET, 99).unwrap();
        assert_eq!(check(SECRET, &before, 100, at(100)), None, "one of before");
        let next = code_at(SECRET, 101).unwrap();
        assert_eq!(check(SECRET, &next, 100, at(100)), Some(101));
        for wrong in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(check(SECRET, wrong, 0, at(100)), None, "{wrong}");
        }
    }

    /// RFC 4648, 10.
    #[test]
    fn base32_as_rfc_4648_has_it() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        let uri = uri("Cordboard acme", "li", SECRET);
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let whole = format!(
            "otpauth://totp/Cordboard%20acme:li?secret={secret}&issuer=Cordboard%20acme&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(uri, whole);
    }
}
