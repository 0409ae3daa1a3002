//! Who may call and register: digest authentication (RFC 3261 22, RFC 7616, RFC 8760).
//!
//! Invariant: an account that does not exist gets the answers, in the time, that a wrong password
//! gets. Nobody can ask which accounts there are.

use cordboard_model::id::{TenantId, UserId};

use super::tokens::Tokens;
use crate::auth::{self, Authenticator, CredentialsError, Ha1, find_credentials};
use crate::session::Base;
use crate::session::request::{refuse, respond_with};
use crate::transaction::TxId;
use crate::wire::HeaderName;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    authenticator: Authenticator,
}

/// What became of a request at the gate.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// It is this account's.
    Account(UserId),
    /// It has been refused or challenged.
    Answered,
}

impl Gate {
    pub(crate) fn new(tokens: &mut Tokens) -> Self {
        Self { authenticator: Authenticator::new(tokens.bytes()) }
    }

    /// Checks a request for an account of this tenant. Without good credentials it is answered
    /// with a challenge (22.2).
    pub(crate) fn check(&mut self, base: &mut Base, tx: TxId, tenant: TenantId) -> Verdict {
        let Some(request) = base.tx.request(tx) else {
            return Verdict::Answered;
        };
        let directory = &base.cx.directory;
        let realm = directory.realm(tenant);
        let mut stale = false;
        match find_credentials(request, &HeaderName::Authorization, realm) {
            // An algorithm that is not offered is not taken either: nobody can be talked down to it.
            Ok(credentials) if !offered(&credentials, directory.digest()) => {}
            Ok(credentials) => {
                let account = directory.account(tenant, &credentials.username);
                let ha1 = account.map(|account| Ha1 { md5: &account.ha1_md5, sha256: &account.ha1_sha256 });
                let now = base.cx.now;
                let verdict = request
                    .method()
                    .map(|method| self.authenticator.verify(&credentials, method, realm, ha1, now));
                match (verdict, account) {
                    (Some(auth::Verdict::Accepted), Some(account)) => {
                        return Verdict::Account(account.id.clone());
                    }
                    (verdict, _) => stale = verdict == Some(auth::Verdict::Stale),
                }
            }
            Err(CredentialsError::None) => {}
            Err(CredentialsError::Malformed) => {
                refuse(base, tx, 400, "Bad Request - Malformed Authorization");
                return Verdict::Answered;
            }
        }
        let digest = directory.digest();
        let challenges = self.authenticator.challenge(realm, stale, base.cx.now, digest);
        respond_with(base, tx, 401, |response| {
            for challenge in challenges {
                response.push(HeaderName::WwwAuthenticate, challenge);
            }
        });
        Verdict::Answered
    }
}

fn offered(credentials: &auth::Credentials, digest: &[auth::Algorithm]) -> bool {
    credentials.algorithm().is_some_and(|algorithm| digest.contains(&algorithm))
}
