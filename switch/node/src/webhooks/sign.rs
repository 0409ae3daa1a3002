//! What a delivery is signed with, as the Standard Webhooks have it: HMAC-SHA256 over its id, its time and its body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cordboard_model::config::Secret;
use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::rand::{SecureRandom, SystemRandom};

/// What a secret begins with that holds its key in base64.
const CODED: &str = "whsec_";
/// Bytes of a key that is made.
const KEY: usize = 32;

/// The signatures of a delivery, one for each secret, with a space between.
pub(super) fn signature(secrets: &[Secret], (id, at): (&str, i64), body: &str) -> String {
    let signed = format!("{id}.{at}.{body}");
    let one = |secret: &Secret| {
        let key = Key::new(HMAC_SHA256, &key(&secret.0));
        format!("v1,{}", STANDARD.encode(sign(&key, signed.as_bytes())))
    };
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The bytes of a secret: what stands in it as base64, or the text itself.
fn key(secret: &str) -> Vec<u8> {
    let coded = secret.strip_prefix(CODED).and_then(|coded| STANDARD.decode(coded).ok());
    coded.unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// A new secret; none if the system gives no random bytes.
pub(super) fn fresh() -> Option<Secret> {
    let mut bytes = [0; KEY];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(Secret(format!("{CODED}{}", STANDARD.encode(bytes))))
}

/// A share of a pause, from 80 to 120 of a hundred, so that those who failed together do not come together again.
pub(super) fn jittered(pause: std::time::Duration) -> std::time::Duration {
    let mut byte = [0];
    let drawn = SystemRandom::new().fill(&mut byte).map_or(128, |()| u32::from(byte[0]));
    pause * (800 + drawn * 400 / 255) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks' own libraries.
    #[test]
    fn the_signature_of_the_known_example_comes_out() {
        let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into());
        let id = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330);
        let made = signature(std::slice::from_ref(&secret), id, r#"{"test": 2432232314}"#);
        assert_eq!(made, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let plain = Secret("a secret in plain text".into());
        let both = signature(&[secret, plain], id, "{}");
        let both: Vec<_> = both.split(' ').collect();
        assert_eq!(both.len(), 2);
        assert!(both[0] != both[1] && both.iter().all(|one| one.starts_with("v1,")), "{both:?}");
    }

    #[test]
    fn secrets_differ_and_a_pause_stays_near_what_it_is() {
        assert_ne!(fresh().unwrap().0, fresh().unwrap().0);
        let second = std::time::Duration::from_secs(1);
        for _ in 0..200 {
            let pause = jittered(second);
            assert!(pause >= second * 8 / 10 && pause <= second * 12 / 10, "{pause:?}");
        }
    }
}
