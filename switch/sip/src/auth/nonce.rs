//! Nonces that carry their own proof, and the counts that were used with them.
//!
//! Invariants: a challenge costs no memory, so a flood of requests without credentials fills
//! nothing; a count is accepted once; a nonce whose counts were forgotten is never accepted
//! again.

use super::algorithm::hmac_sha256;
use cordboard_model::time::{Duration, Time};
use std::collections::BTreeMap;
use std::fmt;
use subtle::ConstantTimeEq;

/// How long a nonce is good: long enough for a re-registration with the same one, short enough
/// that a captured one is worth little.
pub const DEFAULT_NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// Nonces whose counts are kept. Beyond it the oldest are forgotten and their users challenged
/// again, which costs them one round trip. At 60 bytes each the table has at most 4 MB.
pub const MAX_NONCES: usize = 65_536;

/// How far behind the highest count a late one may be: requests overtake each other on UDP.
const WINDOW: u32 = 64;

/// Bytes of the proof in a nonce: 128 bits.
const PROOF_BYTES: usize = 16;

/// Why a nonce is not good; all but a forged one would have been, earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonceFault {
    /// Not ours, or of another realm or an earlier start.
    Foreign,
    /// Older than its lifetime, or forgotten.
    Expired,
    /// The count was used before, or is too far behind.
    Replayed,
}

/// The counts used with one nonce.
#[derive(Clone, Copy, Debug)]
struct Counts {
    highest: u32,
    /// Bit n: highest - n was used.
    used: u64,
    issued: Time,
}

/// Makes nonces and remembers their counts.
#[derive(Clone)]
pub(super) struct Nonces {
    secret: [u8; 32],
    lifetime: Duration,
    /// Of the next nonce; makes those of one moment differ.
    serial: u64,
    /// Serials up to and with this one are forgotten, unless they are in the table.
    forgotten: Option<u64>,
    limit: usize,
    used: BTreeMap<u64, Counts>,
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nonces").field("used", &self.used.len()).finish_non_exhaustive()
    }
}

impl Nonces {
    pub(super) const fn new(secret: [u8; 32], lifetime: Duration) -> Self {
        Self { secret, lifetime, serial: 0, forgotten: None, limit: MAX_NONCES, used: BTreeMap::new() }
    }

    #[cfg(test)]
    pub(super) const fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// A new nonce for a realm: time, serial and proof in hexadecimal.
    pub(super) fn issue(&mut self, realm: &str, now: Time) -> String {
        let serial = self.serial;
        self.serial += 1;
        let mut bytes = [0; 16 + PROOF_BYTES];
        let (stamp, proof) = bytes.split_at_mut(16);
        stamp.copy_from_slice(&stamp_of(now, serial));
        proof.copy_from_slice(&self.proof(stamp, realm));
        hex::encode(bytes)
    }

    fn proof(&self, stamp: &[u8], realm: &str) -> [u8; PROOF_BYTES] {
        let full = hmac_sha256(&self.secret, &[stamp, realm.as_bytes()]);
        let mut proof = [0; PROOF_BYTES];
        for (slot, byte) in proof.iter_mut().zip(full) {
            *slot = byte;
        }
        proof
    }

    /// Uses up one count of a nonce; `None` for credentials of RFC 2069, which have no count
    /// and use the nonce up.
    pub(super) fn spend(
        &mut self,
        nonce: &str,
        realm: &str,
        count: Option<u32>,
        now: Time,
    ) -> Result<(), NonceFault> {
        let (issued, serial) = self.open(nonce, realm).ok_or(NonceFault::Foreign)?;
        if issued > now || now.since(issued) > self.lifetime {
            return Err(NonceFault::Expired);
        }
        if let Some(counts) = self.used.get_mut(&serial) {
            return counts.spend(count);
        }
        if self.forgotten.is_some_and(|forgotten| serial <= forgotten) {
            return Err(NonceFault::Expired);
        }
        self.forget_old(now);
        let highest = count.unwrap_or(u32::MAX);
        // without a count the whole window is used
        let used = if count.is_some() { 1 } else { u64::MAX };
        self.used.insert(serial, Counts { highest, used, issued });
        Ok(())
    }

    fn open(&self, nonce: &str, realm: &str) -> Option<(Time, u64)> {
        let mut bytes = [0; 16 + PROOF_BYTES];
        hex::decode_to_slice(nonce, &mut bytes).ok()?;
        let (stamp, proof) = bytes.split_at(16);
        if !bool::from(self.proof(stamp, realm).ct_eq(proof)) {
            return None;
        }
        let (time, serial) = stamp.split_at(8);
        let time = Time::from_nanos(u64::from_be_bytes(time.try_into().ok()?));
        Some((time, u64::from_be_bytes(serial.try_into().ok()?)))
    }

    /// Makes room: serials grow with time, so the first of the table is the oldest.
    fn forget_old(&mut self, now: Time) {
        while let Some((&serial, counts)) = self.used.first_key_value() {
            let is_old = now.since(counts.issued) > self.lifetime;
            if !is_old && self.used.len() < self.limit {
                return;
            }
            self.used.pop_first();
            self.forgotten = self.forgotten.max(Some(serial));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.used.len()
    }
}

impl Counts {
    fn spend(&mut self, count: Option<u32>) -> Result<(), NonceFault> {
        let count = count.ok_or(NonceFault::Replayed)?;
        if count > self.highest {
            let ahead = count - self.highest;
            self.used = if ahead < WINDOW { self.used << ahead | 1 } else { 1 };
            self.highest = count;
            return Ok(());
        }
        let behind = self.highest - count;
        if behind >= WINDOW || self.used >> behind & 1 == 1 {
            return Err(NonceFault::Replayed);
        }
        self.used |= 1 << behind;
        Ok(())
    }
}

fn stamp_of(now: Time, serial: u64) -> [u8; 16] {
    let mut stamp = [0; 16];
    let (time, number) = stamp.split_at_mut(8);
    time.copy_from_slice(&now.as_nanos().to_be_bytes());
    number.copy_from_slice(&serial.to_be_bytes());
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(1_000_000);

    fn nonces() -> Nonces {
        Nonces::new([7; 32], DEFAULT_NONCE_LIFETIME)
    }

    #[test]
    fn a_count_is_good_once_also_out_of_order() {
        let mut nonces = nonces();
        let nonce = nonces.issue("r", NOW);
        let mut spend = |count| nonces.spend(&nonce, "r", Some(count), NOW);
        assert_eq!([1, 3, 2, 70, 7].map(&mut spend), [Ok(()); 5]);
        for replayed in [1, 2, 3, 6, 7, 70, 0] {
            assert_eq!(spend(replayed), Err(NonceFault::Replayed), "{replayed}");
        }
        assert_eq!(spend(u32::MAX), Ok(()));
        assert_eq!(spend(u32::MAX), Err(NonceFault::Replayed));
        assert_eq!(spend(u32::MAX - 1), Ok(()));
    }

    #[test]
    fn without_a_count_a_nonce_is_good_once() {
        let mut nonces = nonces();
        let nonce = nonces.issue("r", NOW);
        assert_eq!(nonces.spend(&nonce, "r", None, NOW), Ok(()));
        for count in [None, Some(1), Some(u32::MAX), Some(u32::MAX - 5)] {
            assert_eq!(nonces.spend(&nonce, "r", count, NOW), Err(NonceFault::Replayed), "{count:?}");
        }
        let nonce = nonces.issue("r", NOW);
        assert_eq!(nonces.spend(&nonce, "r", Some(1), NOW), Ok(()));
        assert_eq!(nonces.spend(&nonce, "r", None, NOW), Err(NonceFault::Replayed));
    }

    #[test]
    fn a_nonce_of_another_realm_secret_or_time_is_not_good() {
        let mut nonces = nonces();
        let nonce = nonces.issue("r", NOW);
        let late = NOW + DEFAULT_NONCE_LIFETIME + Duration::from_nanos(1);
        assert_eq!(nonces.spend(&nonce, "other", Some(1), NOW), Err(NonceFault::Foreign));
        let mut other = Nonces::new([8; 32], DEFAULT_NONCE_LIFETIME);
        assert_eq!(other.spend(&nonce, "r", Some(1), NOW), Err(NonceFault::Foreign));
        assert_eq!(nonces.spend(&nonce, "r", Some(1), late), Err(NonceFault::Expired));
        assert_eq!(nonces.spend(&nonce, "r", Some(1), Time::ZERO), Err(NonceFault::Expired));
        for forged in
            ["", "00", "zz", &nonce[2..], &nonce.replacen(&nonce[0..1], "f", 1), &format!("{nonce}00")]
        {
            assert_eq!(nonces.spend(forged, "r", Some(1), NOW), Err(NonceFault::Foreign), "{forged}");
        }
        assert_eq!(nonces.spend(&nonce, "r", Some(1), NOW), Ok(()));
    }

    #[test]
    fn nonces_of_one_moment_differ_and_challenges_cost_no_memory() {
        let mut nonces = nonces();
        assert_ne!(nonces.issue("r", NOW), nonces.issue("r", NOW));
        for _ in 0..1000 {
            nonces.issue("r", NOW);
        }
        assert_eq!(nonces.len(), 0);
    }

    #[test]
    fn a_forgotten_nonce_is_not_good_again() {
        let mut nonces = nonces().with_limit(2);
        let issued: Vec<_> = (0..4).map(|_| nonces.issue("r", NOW)).collect();
        for nonce in &issued[..3] {
            assert_eq!(nonces.spend(nonce, "r", Some(1), NOW), Ok(()));
        }
        assert_eq!(nonces.len(), 2);
        assert_eq!(nonces.spend(&issued[0], "r", Some(2), NOW), Err(NonceFault::Expired));
        assert_eq!(nonces.spend(&issued[2], "r", Some(1), NOW), Err(NonceFault::Replayed));
        assert_eq!(nonces.spend(&issued[2], "r", Some(2), NOW), Ok(()));
        assert_eq!(nonces.spend(&issued[3], "r", Some(1), NOW), Ok(()));
        assert_eq!(nonces.len(), 2);
    }

    #[test]
    fn expired_nonces_leave_the_table() {
        let mut nonces = nonces();
        for _ in 0..100 {
            let nonce = nonces.issue("r", NOW);
            assert_eq!(nonces.spend(&nonce, "r", Some(1), NOW), Ok(()));
        }
        let late = NOW + DEFAULT_NONCE_LIFETIME * 2;
        let nonce = nonces.issue("r", late);
        assert_eq!(nonces.spend(&nonce, "r", Some(1), late), Ok(()));
        assert_eq!(nonces.len(), 1);
    }
}
