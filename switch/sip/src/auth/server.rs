//! Our challenge of a peer, and the judgement of its answer (RFC 7616 3.3 to 3.6).

use super::algorithm::response;
use super::nonce::{NonceFault, Nonces};
use super::{Algorithm, Challenge, Credentials, DEFAULT_NONCE_LIFETIME};
use crate::wire::Method;
use cordboard_model::time::{Duration, Time};
use std::fmt;
use subtle::ConstantTimeEq;

/// What is kept of an account: HA1 of each algorithm in lower-case hexadecimal. An empty one
/// means that the account cannot use that algorithm.
#[derive(Clone, Copy)]
pub struct Ha1<'a> {
    /// H(username:realm:password) by MD5.
    pub md5: &'a str,
    /// The same by SHA-256.
    pub sha256: &'a str,
}

impl fmt::Debug for Ha1<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1")
    }
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sender knows the password, and these credentials were not seen before.
    Accepted,
    /// The sender knows the password but the nonce is not good: challenge again with `stale`.
    Stale,
    /// Challenge again, or give up with 403 after some tries.
    Refused(Refusal),
}

/// Why credentials are refused. All look alike to the peer; the name is for counters and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such user, or another password: never told apart.
    Response,
    /// Credentials of another realm.
    Realm,
    /// An algorithm we did not offer.
    Algorithm,
    /// `qop=auth-int`, which we did not offer: proxies and gateways change bodies.
    AuthInt,
    /// Another `qop` we did not offer.
    Qop,
    /// A hashed user name, which we did not offer.
    UserHash,
}

/// Challenges peers and checks what they answer. One for all tenants: the realm is in the nonce.
#[derive(Clone, Debug)]
pub struct Authenticator {
    nonces: Nonces,
}

impl Authenticator {
    /// `secret` comes from the seed; with another secret all nonces are stale.
    #[must_use]
    pub const fn new(secret: [u8; 32]) -> Self {
        Self::with_lifetime(secret, DEFAULT_NONCE_LIFETIME)
    }

    /// The same with another lifetime of nonces.
    #[must_use]
    pub const fn with_lifetime(secret: [u8; 32], nonce_lifetime: Duration) -> Self {
        Self { nonces: Nonces::new(secret, nonce_lifetime) }
    }

    /// The values of WWW-Authenticate (401) or Proxy-Authenticate (407), each a header of its
    /// own, in the order of `algorithms`, best first (RFC 8760 2.4). They share one nonce, which is good for `place` alone:
    /// the address it is given to.
    pub fn challenge(
        &mut self,
        realm: &str,
        place: &str,
        stale: bool,
        now: Time,
        algorithms: &[Algorithm],
    ) -> Vec<String> {
        let nonce = self.nonces.issue(&scope(realm, place), now);
        let write = |a: &Algorithm| Challenge::new(realm, &nonce, *a, stale).to_string();
        algorithms.iter().map(write).collect()
    }

    /// Checks credentials for a request with this method. `account` is what is kept for
    /// [`Credentials::username`]; pass `None` for a user that does not exist, and the answer
    /// takes as long.
    pub fn verify(
        &mut self,
        credentials: &Credentials,
        method: &Method,
        realm: &str,
        place: &str,
        account: Option<Ha1<'_>>,
        now: Time,
    ) -> Verdict {
        if let Err(refusal) = offered(credentials, realm) {
            return Verdict::Refused(refusal);
        }
        let Some(algorithm) = credentials.algorithm() else {
            return Verdict::Refused(Refusal::Algorithm);
        };
        if !response_is_right(credentials, method, algorithm, account) {
            return Verdict::Refused(Refusal::Response);
        }
        let count = credentials.qop.as_ref().and(credentials.nonce_count());
        match self.nonces.spend(&credentials.nonce, &scope(realm, place), count, now) {
            Ok(()) => Verdict::Accepted,
            Err(NonceFault::Foreign | NonceFault::Expired | NonceFault::Replayed) => Verdict::Stale,
        }
    }

    /// Nonces whose counts are kept.
    #[must_use]
    pub fn nonces_in_use(&self) -> usize {
        self.nonces.len()
    }
}

/// What a nonce is good for: a realm, and the place that it was given to. Whoever took it from the wire elsewhere has
/// nothing of it.
fn scope(realm: &str, place: &str) -> String {
    format!("{realm} {place}")
}

fn offered(credentials: &Credentials, realm: &str) -> Result<(), Refusal> {
    if credentials.realm != realm {
        return Err(Refusal::Realm);
    }
    if credentials.userhash {
        return Err(Refusal::UserHash);
    }
    match credentials.qop.as_deref() {
        Some(qop) if qop.eq_ignore_ascii_case("auth-int") => Err(Refusal::AuthInt),
        Some(qop) if !qop.eq_ignore_ascii_case("auth") => Err(Refusal::Qop),
        // clients from before RFC 2617 know no qop; they get one request per nonce
        Some(_) | None => Ok(()),
    }
}

fn response_is_right(
    credentials: &Credentials,
    method: &Method,
    algorithm: Algorithm,
    account: Option<Ha1<'_>>,
) -> bool {
    let kept = account.map(|account| match algorithm {
        Algorithm::Md5 => account.md5,
        Algorithm::Sha256 => account.sha256,
    });
    // a user that is not there is checked against this, in the same time, and always fails
    let ha1 = kept.filter(|ha1| !ha1.is_empty());
    let right = response(algorithm, ha1.unwrap_or(NOBODY), &credentials.request(method.as_str()));
    let given = credentials.response.to_ascii_lowercase();
    let same = bool::from(right.as_bytes().ct_eq(given.as_bytes()));
    same & ha1.is_some()
}

/// As long as a hash, and the hash of nothing.
const NOBODY: &str = "................................................................";

#[cfg(test)]
mod tests {
    use super::super::{Identity, client, ha1};
    use super::*;

    const NOW: Time = Time::from_millis(5_000);
    const REALM: &str = "example.com";
    const PLACE: &str = "192.0.2.7";

    struct Account {
        md5: String,
        sha256: String,
    }

    impl Account {
        fn new(password: &str) -> Self {
            let of = |algorithm| ha1(algorithm, "alice", REALM, password);
            Self { md5: of(Algorithm::Md5), sha256: of(Algorithm::Sha256) }
        }

        fn ha1(&self) -> Ha1<'_> {
            Ha1 { md5: &self.md5, sha256: &self.sha256 }
        }
    }

    fn respond(challenge: &str, password: &str, nc: u32) -> Credentials {
        let identity = Identity { username: "alice", password };
        let challenge = Challenge::parse(challenge).unwrap();
        client::respond(&challenge, identity, &Method::Register, "sip:example.com", "c0ffee", nc).unwrap()
    }

    fn check(auth: &mut Authenticator, credentials: &Credentials, account: &Account, now: Time) -> Verdict {
        auth.verify(credentials, &Method::Register, REALM, PLACE, Some(account.ha1()), now)
    }

    #[test]
    fn sha_256_is_offered_before_md5_with_one_nonce() {
        let mut auth = Authenticator::new([1; 32]);
        let offered = auth.challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED);
        let [first, second] = [0, 1].map(|i| Challenge::parse(&offered[i]).unwrap());
        assert_eq!((first.algorithm, second.algorithm), (Some(Algorithm::Sha256), Some(Algorithm::Md5)));
        assert_eq!(first.nonce, second.nonce);
        assert!(
            !first.stale
                && auth
                    .challenge(REALM, PLACE, true, NOW, &Algorithm::OFFERED)
                    .iter()
                    .all(|value| value.ends_with("stale=true"))
        );
    }

    #[test]
    fn the_right_password_is_accepted_once_per_count() {
        let account = Account::new("secret");
        for algorithm in 0..2 {
            let mut auth = Authenticator::new([1; 32]);
            let challenge = auth.challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED)[algorithm].clone();
            let first = respond(&challenge, "secret", 1);
            assert_eq!(check(&mut auth, &first, &account, NOW), Verdict::Accepted);
            assert_eq!(check(&mut auth, &first, &account, NOW), Verdict::Stale);
            let second = respond(&challenge, "secret", 2);
            assert_eq!(check(&mut auth, &second, &account, NOW), Verdict::Accepted);
        }
    }

    #[test]
    fn a_wrong_password_an_unknown_user_and_another_method_look_alike() {
        let account = Account::new("secret");
        let mut auth = Authenticator::new([1; 32]);
        let challenge = auth.challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED)[0].clone();
        let refused = Verdict::Refused(Refusal::Response);
        let wrong = respond(&challenge, "Secret", 1);
        assert_eq!(check(&mut auth, &wrong, &account, NOW), refused);
        let right = respond(&challenge, "secret", 1);
        assert_eq!(auth.verify(&right, &Method::Register, REALM, PLACE, None, NOW), refused);
        assert_eq!(auth.verify(&right, &Method::Invite, REALM, PLACE, Some(account.ha1()), NOW), refused);
        let without_sha = Ha1 { sha256: "", ..account.ha1() };
        assert_eq!(auth.verify(&right, &Method::Register, REALM, PLACE, Some(without_sha), NOW), refused);
        assert_eq!(auth.nonces_in_use(), 0);
        assert_eq!(check(&mut auth, &right, &account, NOW), Verdict::Accepted);
    }

    /// A user that is not there must not be one whose hash can be computed.
    #[test]
    fn nobody_has_no_password() {
        let mut auth = Authenticator::new([1; 32]);
        let challenge = auth.challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED)[0].clone();
        let mut forged = respond(&challenge, "secret", 1);
        forged.response = response(Algorithm::Sha256, NOBODY, &forged.request("REGISTER"));
        let refused = Verdict::Refused(Refusal::Response);
        assert_eq!(auth.verify(&forged, &Method::Register, REALM, PLACE, None, NOW), refused);
    }

    #[test]
    fn old_and_foreign_nonces_are_stale_only_for_who_knows_the_password() {
        let account = Account::new("secret");
        let mut auth = Authenticator::new([1; 32]);
        let challenge =
            Authenticator::new([2; 32]).challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED)[0].clone();
        let foreign = respond(&challenge, "secret", 1);
        assert_eq!(check(&mut auth, &foreign, &account, NOW), Verdict::Stale);
        let wrong = respond(&challenge, "x", 1);
        assert_eq!(check(&mut auth, &wrong, &account, NOW), Verdict::Refused(Refusal::Response));
        let challenge = auth.challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED)[0].clone();
        let late = NOW + DEFAULT_NONCE_LIFETIME + Duration::from_secs(1);
        let old = respond(&challenge, "secret", 1);
        assert_eq!(check(&mut auth, &old, &account, late), Verdict::Stale);
    }

    #[test]
    fn what_was_not_offered_is_refused_by_name() {
        let account = Account::new("secret");
        let mut auth = Authenticator::new([1; 32]);
        let challenge = auth.challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED)[1].clone();
        let with = |from: &str, to: &str| {
            let text = respond(&challenge, "secret", 1).to_string();
            assert!(text.contains(from), "{text}");
            Credentials::parse(&text.replace(from, to)).unwrap()
        };
        let cases = [
            (with("qop=auth", "qop=auth-int"), Refusal::AuthInt),
            (with("qop=auth", "qop=other"), Refusal::Qop),
            (with("algorithm=MD5", "algorithm=MD5-sess"), Refusal::Algorithm),
            (with("algorithm=MD5", "algorithm=SHA-512-256"), Refusal::Algorithm),
            (with("algorithm=MD5", "userhash=true"), Refusal::UserHash),
            (with(REALM, "other.com"), Refusal::Realm),
        ];
        for (credentials, refusal) in cases {
            let verdict = check(&mut auth, &credentials, &account, NOW);
            assert_eq!(verdict, Verdict::Refused(refusal));
        }
    }

    #[test]
    fn a_client_of_rfc_2069_is_served_once_per_nonce() {
        let account = Account::new("secret");
        let mut auth = Authenticator::new([1; 32]);
        let challenge =
            auth.challenge(REALM, PLACE, false, NOW, &Algorithm::OFFERED)[1].replace(", qop=\"auth\"", "");
        let credentials = respond(&challenge, "secret", 1);
        assert!(!credentials.to_string().contains("nc="));
        assert_eq!(check(&mut auth, &credentials, &account, NOW), Verdict::Accepted);
        assert_eq!(check(&mut auth, &credentials, &account, NOW), Verdict::Stale);
    }

    #[test]
    fn secrets_are_not_shown() {
        let account = Account::new("secret");
        let shown = format!("{:?} {:?}", Authenticator::new([0xab; 32]), account.ha1());
        assert!(!shown.contains("171") && !shown.contains(&account.md5), "{shown}");
    }
}
