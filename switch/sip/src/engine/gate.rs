//! Who may call and register: digest authentication (RFC 3261 22, RFC 7616, RFC 8760).
//!
//! Invariant: an account that does not exist gets the answers, in the time, that a wrong password
//! gets. Nobody can ask which accounts there are.

use cordboard_model::id::{CallId, TenantId, UserId};

use super::Directory;
use super::context::{Context, PRODUCT};
use super::tokens::Tokens;
use crate::auth::{self, Authenticator, CredentialsError, Ha1, Pass, Passes, find_credentials};
use crate::wire::{HeaderName, Message, Via};
use cordboard_model::time::{Duration, Time};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    authenticator: Authenticator,
    passes: Passes,
}

/// What a request is at the gate.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// It is this account's.
    Account(UserId),
    /// It is a guest's, who may begin this call and do nothing else.
    Guest(CallId),
    /// Nobody's yet: to be challenged.
    Stranger {
        /// The password was right and only the nonce was not good.
        stale: bool,
    },
    /// Its credentials cannot be read.
    Malformed,
}

impl Gate {
    pub(crate) fn new(tokens: &mut Tokens) -> Self {
        let secret = tokens.bytes();
        Self { authenticator: Authenticator::new(secret), passes: Passes::new(&secret) }
    }

    /// A pass for an account, and the realm that it is good in; none if there is no such account.
    pub(crate) fn pass(
        &self,
        directory: &Directory,
        account: &UserId,
        (lasts, now): (Duration, Time),
    ) -> Option<(String, Pass)> {
        let known = directory.account(account.tenant, account.name.as_str())?;
        let realm = directory.realm(known.id.tenant);
        Some((realm.to_owned(), self.passes.issue(account.name.as_str(), realm, lasts, now)))
    }

    /// What a guest proves himself by, and the realm that it is good in.
    pub(crate) fn guest(&self, directory: &Directory, call: CallId) -> (String, Pass) {
        let realm = directory.realm(call.tenant);
        (realm.to_owned(), self.passes.issue_guest(call, realm))
    }

    /// Checks a request from `place` for an account, or a guest, of this tenant.
    pub(crate) fn check(
        &mut self,
        cx: &Context,
        request: &Message,
        tenant: TenantId,
        place: &str,
    ) -> Verdict {
        let directory: &Directory = &cx.directory;
        let realm = directory.realm(tenant);
        let credentials = match find_credentials(request, &HeaderName::Authorization, realm) {
            Ok(credentials) => credentials,
            Err(CredentialsError::None) => return Verdict::Stranger { stale: false },
            Err(CredentialsError::Malformed) => return Verdict::Malformed,
        };
        // An algorithm that is not offered is not taken either: nobody can be talked down to it.
        if !offered(&credentials, directory.digest()) {
            return Verdict::Stranger { stale: false };
        }
        let Some(method) = request.method() else {
            return Verdict::Malformed;
        };
        let guest = self.passes.read_guest(&credentials.username, realm);
        if let Some((call, hashes)) = guest.filter(|(call, _)| call.tenant == tenant) {
            let ha1 = Some(Ha1 { md5: &hashes.md5, sha256: &hashes.sha256 });
            return match self.authenticator.verify(&credentials, method, realm, place, ha1, cx.now) {
                auth::Verdict::Accepted => Verdict::Guest(call),
                verdict => Verdict::Stranger { stale: verdict == auth::Verdict::Stale },
            };
        }
        let pass = self.passes.read(&credentials.username, realm, cx.now);
        let name = pass.as_ref().map_or(credentials.username.as_str(), |(account, _)| *account);
        let account = directory.account(tenant, name);
        let ha1 = account.map(|account| match &pass {
            Some((_, hashes)) => Ha1 { md5: &hashes.md5, sha256: &hashes.sha256 },
            None => Ha1 { md5: &account.ha1_md5, sha256: &account.ha1_sha256 },
        });
        match (self.authenticator.verify(&credentials, method, realm, place, ha1, cx.now), account) {
            (auth::Verdict::Accepted, Some(account)) => Verdict::Account(account.id.clone()),
            (verdict, _) => Verdict::Stranger { stale: verdict == auth::Verdict::Stale },
        }
    }

    /// The challenge (22.2). It leaves no state, for "if unauthenticated requests were handled
    /// statefully, then malicious floods of unauthenticated requests could create massive amounts
    /// of transaction state" (8.2.7).
    pub(crate) fn challenge(
        &mut self,
        cx: &Context,
        request: &Message,
        (via, place): (&Via, &str),
        tenant: TenantId,
        stale: bool,
    ) -> Message {
        let mut response = Message::response_to(request, 401);
        response.set_to_tag(&cx.tokens.stateless_tag(via.branch().unwrap_or_default()));
        response.push(HeaderName::Server, PRODUCT);
        let realm = cx.directory.realm(tenant);
        for challenge in self.authenticator.challenge(realm, place, stale, cx.now, cx.directory.digest()) {
            response.push(HeaderName::WwwAuthenticate, challenge);
        }
        response
    }
}

fn offered(credentials: &auth::Credentials, digest: &[auth::Algorithm]) -> bool {
    credentials.algorithm().is_some_and(|algorithm| digest.contains(&algorithm))
}
