//! Tags, branches, Call-IDs and random delays, all from the seed.
//!
//! Invariant: the same seed and the same calls give the same texts; each carries the shard and
//! 64 bits or more that a stranger cannot guess ("MUST be globally unique and cryptographically
//! random with at least 32 bits of randomness", RFC 3261 19.3).

use core::fmt::Write as _;
use core::time::Duration;

use rand_chacha::ChaCha12Rng;
use rand_core::{RngCore, SeedableRng};

use crate::wire::MAGIC_COOKIE;

/// Makes them.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    rng: ChaCha12Rng,
    /// For keys of media, of a stream of its own: what a stranger is told of the other one says nothing of it.
    secrets: ChaCha12Rng,
    /// For tags that are made anew from the same request.
    key: u64,
    shard: u8,
    start_secs: u32,
}

impl Tokens {
    pub(crate) fn new(seed: [u8; 32], shard: u8, start_secs: u32) -> Self {
        let mut rng = ChaCha12Rng::from_seed(seed);
        let mut secrets = rng.clone();
        secrets.set_stream(1);
        Self { key: rng.next_u64(), rng, secrets, shard, start_secs }
    }

    /// A tag for From or To.
    pub(crate) fn tag(&mut self) -> String {
        let mut text = String::with_capacity(20);
        let _ = write!(text, "{:02x}-{:016x}", self.shard, self.rng.next_u64());
        text
    }

    /// A To tag for an answer that leaves no state: "MUST be generated for responses in a
    /// stateless manner - in a manner that will generate the same tag for the same request
    /// consistently" (8.2.7). It opens no dialog, so it need not be hard to guess.
    pub(crate) fn stateless_tag(&self, branch: &str) -> String {
        // FNV-1a: spreads well enough for what is only compared for equality
        let hash = branch
            .bytes()
            .fold(self.key, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("{:02x}-{hash:016x}", self.shard)
    }

    /// A branch: "MUST always begin with the characters "z9hG4bK"" (8.1.1.7).
    pub(crate) fn branch(&mut self) -> String {
        let mut text = String::with_capacity(28);
        let _ = write!(text, "{MAGIC_COOKIE}-{:02x}-{:016x}", self.shard, self.rng.next_u64());
        text
    }

    /// A Call-ID, unique over restarts too.
    pub(crate) fn call_id(&mut self) -> String {
        let mut text = String::with_capacity(48);
        let _ = write!(
            text,
            "{:x}-{:02x}-{:016x}{:016x}",
            self.start_secs,
            self.shard,
            self.rng.next_u64(),
            self.rng.next_u64()
        );
        text
    }

    /// A first CSeq: "The sequence number value MUST be expressible as a 32-bit unsigned integer
    /// and MUST be less than 2**31" (8.1.1.5). Small, so that no call can reach the end.
    pub(crate) fn cseq(&mut self) -> u32 {
        self.rng.next_u32() & 0xffff | 1
    }

    /// A number of the `sess-id` kind, positive in 63 bits.
    pub(crate) fn number(&mut self) -> u64 {
        self.rng.next_u64() >> 2
    }

    /// What the keys of a session's streams are made from.
    pub(crate) fn key_seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.secrets.fill_bytes(&mut seed);
        seed
    }

    /// Bytes for a digest nonce or key.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// The delay after a 491 (14.1): "a randomly chosen value between 2.1 and 4 seconds in units
    /// of 10 ms" for the owner of the Call-ID, "between 0 and 2 seconds" for the other.
    pub(crate) fn glare_delay(&mut self, owns_call_id: bool) -> Duration {
        let units = match owns_call_id {
            true => 210 + self.rng.next_u32() % 191,
            false => self.rng.next_u32() % 201,
        };
        Duration::from_millis(u64::from(units) * 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_texts() {
        let (mut a, mut b) = (Tokens::new([7; 32], 3, 9), Tokens::new([7; 32], 3, 9));
        assert_eq!(a.tag(), b.tag());
        assert_eq!(a.call_id(), b.call_id());
        assert!(a.branch().starts_with("z9hG4bK-03-"));
        assert_ne!(a.tag(), a.tag());
    }

    #[test]
    fn the_owner_of_the_call_id_waits_longer_after_a_491() {
        let mut tokens = Tokens::new([1; 32], 0, 0);
        for _ in 0..500 {
            let owner = tokens.glare_delay(true).as_millis();
            let other = tokens.glare_delay(false).as_millis();
            assert!((2_100..=4_000).contains(&owner) && owner.is_multiple_of(10));
            assert!(other <= 2_000 && other.is_multiple_of(10));
        }
    }
}
