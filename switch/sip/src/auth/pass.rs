//! Passes: passwords of accounts that are good for a while, for a phone in a page that nobody has told the account's own; and those
//! of guests, who have no account and may begin one call.
//!
//! Invariant: nothing is kept of a pass. Its user name says whose it is and until when, its password proves that we have said so,
//! and an account that is not there any more has none. A guest's says which call it is: whether that may still begin is for who
//! keeps count of them.

use super::algorithm::hmac_sha256;
use super::{Algorithm, ha1};
use cordboard_model::id::CallId;
use cordboard_model::time::{Duration, Time};
use std::fmt;

/// What stands between the account and the time: no name of an account has it.
const MARK: char = '~';

/// A user name with its password, for digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    /// The account, and until when it is good.
    pub username: String,
    /// 256 bits that nobody can guess, in hexadecimal.
    pub password: String,
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pass({})", self.username)
    }
}

/// HA1 of a pass by each algorithm.
pub(crate) struct PassHashes {
    pub(crate) md5: String,
    pub(crate) sha256: String,
}

/// Makes passes, and knows its own again.
#[derive(Clone)]
pub struct Passes {
    secret: [u8; 32],
}

impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passes")
    }
}

impl Passes {
    /// `secret` comes from the seed: passes of an earlier start open nothing. It may be the one of nonces, for it is not used
    /// itself.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self { secret: hmac_sha256(secret, &[b"passes"]) }
    }

    /// A pass for an account in this realm, good for so long from now on.
    #[must_use]
    pub fn issue(&self, account: &str, realm: &str, lasts: Duration, now: Time) -> Pass {
        let until = (now + lasts).as_millis();
        let username = format!("{account}{MARK}{until:x}");
        let password = self.password(&username, realm);
        Pass { username, password }
    }

    /// A pass for the one call of a guest in this realm.
    #[must_use]
    pub fn issue_guest(&self, call: CallId, realm: &str) -> Pass {
        let username = format!("{MARK}{call}");
        let password = self.password(&username, realm);
        Pass { username, password }
    }

    /// The call that a user name would be a guest's for, and what its password's hashes are; none if it has not the form of a
    /// guest's.
    pub(crate) fn read_guest(&self, username: &str, realm: &str) -> Option<(CallId, PassHashes)> {
        let call = username.strip_prefix(MARK)?.parse().ok()?;
        Some((call, self.hashes(username, realm)))
    }

    fn hashes(&self, username: &str, realm: &str) -> PassHashes {
        let password = self.password(username, realm);
        let of = |algorithm| ha1(algorithm, username, realm, &password);
        PassHashes { md5: of(Algorithm::Md5), sha256: of(Algorithm::Sha256) }
    }

    fn password(&self, username: &str, realm: &str) -> String {
        hex::encode(hmac_sha256(&self.secret, &[username.as_bytes(), b"\0", realm.as_bytes()]))
    }

    /// Whose pass a user name would be, and what its password's hashes are; none if it is no pass, or was one.
    pub(crate) fn read<'a>(
        &self,
        username: &'a str,
        realm: &str,
        now: Time,
    ) -> Option<(&'a str, PassHashes)> {
        let (account, until) = username.split_once(MARK)?;
        let until = u64::from_str_radix(until, 16).ok()?;
        if now.as_millis() >= until {
            return None;
        }
        Some((account, self.hashes(username, realm)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::{IdMaker, TenantId};

    const REALM: &str = "example.com";
    const NOW: Time = Time::from_millis(5_000);
    const LASTS: Duration = Duration::from_secs(600);

    #[test]
    fn a_pass_is_its_accounts_until_its_time_and_nobody_elses() {
        let passes = Passes::new(&[7; 32]);
        let pass = passes.issue("1001", REALM, LASTS, NOW);
        assert_eq!(pass.username, "1001~93b48");
        let (account, hashes) = passes.read(&pass.username, REALM, NOW).unwrap();
        assert_eq!(account, "1001");
        assert_eq!(hashes.md5, ha1(Algorithm::Md5, &pass.username, REALM, &pass.password));
        assert_eq!(hashes.sha256, ha1(Algorithm::Sha256, &pass.username, REALM, &pass.password));
        let last = Time::from_millis(604_999);
        assert!(passes.read(&pass.username, REALM, last).is_some());
        assert!(passes.read(&pass.username, REALM, last + Duration::from_millis(1)).is_none());
    }

    #[test]
    fn who_moves_the_time_or_the_name_does_not_know_the_password() {
        let passes = Passes::new(&[7; 32]);
        let pass = passes.issue("1001", REALM, LASTS, NOW);
        for other in ["1001~ffffffff", "1002~93b48"] {
            let (_, hashes) = passes.read(other, REALM, NOW).unwrap();
            assert_ne!(hashes.sha256, ha1(Algorithm::Sha256, other, REALM, &pass.password), "{other}");
        }
        let (_, elsewhere) = passes.read(&pass.username, "other.example", NOW).unwrap();
        assert_ne!(elsewhere.md5, ha1(Algorithm::Md5, &pass.username, "other.example", &pass.password));
        assert_ne!(Passes::new(&[8; 32]).issue("1001", REALM, LASTS, NOW), pass);
    }

    #[test]
    fn what_is_no_pass_is_none() {
        let passes = Passes::new(&[7; 32]);
        for name in ["", "1001", "1001~", "1001~x", "~", "1001~1~2", "1001~fffffffffffffffff"] {
            assert!(passes.read(name, REALM, NOW).is_none(), "{name}");
        }
    }

    #[test]
    fn a_guests_pass_is_for_one_call_and_no_accounts() {
        let passes = Passes::new(&[7; 32]);
        let mut ids = IdMaker::new(1_800_000_000, 0);
        let (call, other) = (ids.call(TenantId::DEFAULT), ids.call(TenantId::DEFAULT));
        let pass = passes.issue_guest(call, REALM);
        let (of, hashes) = passes.read_guest(&pass.username, REALM).unwrap();
        assert_eq!(of, call);
        assert_eq!(hashes.sha256, ha1(Algorithm::Sha256, &pass.username, REALM, &pass.password));
        assert_ne!(passes.issue_guest(other, REALM).password, pass.password);
        let (_, elsewhere) = passes.read_guest(&pass.username, "other.example").unwrap();
        assert_ne!(elsewhere.md5, ha1(Algorithm::Md5, &pass.username, "other.example", &pass.password));
        // neither is taken for the other
        assert!(passes.read(&pass.username, REALM, NOW).is_none());
        for name in ["", "1001", "~", "~1", "~nobody", "1001~93b48", &call.to_string()] {
            assert!(passes.read_guest(name, REALM).is_none(), "{name}");
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let pass = Passes::new(&[7; 32]).issue("1001", REALM, LASTS, NOW);
        assert!(!format!("{pass:?}").contains(&pass.password));
    }
}
