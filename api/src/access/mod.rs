//! Who may ask for what: keys that are made here, people who sign in, the audit log's pages.
//!
//! Invariants: what is decided is decided by [`known`], [`tries`] and [`totp`], which are given time and chance; a secret is shown
//! once, in the answer to what made it, and nobody gives another more than he has himself.

pub(crate) mod cookie;
mod factor;
mod keys;
mod known;
mod log;
mod people;
mod proof;
mod session;
mod totp;
mod tries;

use crate::catalog::Routes;
use crate::problem::Problem;
use crate::switch::{Caller, Refusal, Switch};
use cordboard_model::access::{AccessTerms, AccessWrite, KEY_PREFIX, USER_TOKEN_PREFIX};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::signin::SignInRules;
use cordboard_model::time::Wall;
pub(crate) use known::hash_of;
use known::{Known, Opened, hash_of as hash};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use tries::Tries;

/// Random bytes of a key or a token.
const SECRET: usize = 32;
/// Random bytes of an id that is no secret.
const ID: usize = 10;

pub(crate) fn routes() -> Routes {
    keys::routes()
        .merge(people::routes())
        .merge(session::routes())
        .merge(factor::routes())
        .merge(log::routes())
}

/// What the routes share of it.
#[derive(Default)]
pub struct Doors {
    /// Read from the store when it is asked for first.
    known: OnceCell<Mutex<Known>>,
    tries: Mutex<Tries>,
    /// Held by who changes people.
    people: tokio::sync::Mutex<()>,
}

/// Bytes in letters that may stand in paths and headers (RFC 4648 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A secret that nobody can guess.
pub(crate) fn secret(switch: &dyn Switch, prefix: &str) -> Result<String, Refusal> {
    let mut bytes = [0; SECRET];
    switch.random(&mut bytes)?;
    Ok(format!("{prefix}{}", base64url(&bytes)))
}

/// A name for paths that nobody else has. Small letters and digits: it is read out and typed.
pub(crate) fn id(switch: &dyn Switch) -> Result<Name, Refusal> {
    let mut bytes = [0; ID];
    switch.random(&mut bytes)?;
    Name::new(&totp::base32(&bytes).to_ascii_lowercase()).map_err(|why| Refusal::Internal(why.to_string()))
}

/// What is configured for a tenant.
fn terms(switch: &dyn Switch, tenant: TenantId) -> Result<(AccessTerms, SignInRules), Refusal> {
    switch.access(tenant).ok_or_else(|| Refusal::NotFound(format!("tenant {tenant}")))
}

impl Doors {
    /// Whether a token is one that this module knows of.
    pub(crate) fn opens(token: &str) -> bool {
        token.starts_with(KEY_PREFIX) || token.starts_with(USER_TOKEN_PREFIX)
    }

    async fn known(&self, switch: &dyn Switch) -> Result<&Mutex<Known>, Refusal> {
        let read = || async { Ok(Mutex::new(Known::from(switch.kept().await?))) };
        self.known.get_or_try_init(read).await
    }

    /// Does something with what is known.
    async fn with<T>(&self, switch: &dyn Switch, act: impl FnOnce(&mut Known) -> T) -> Result<T, Refusal> {
        let known = self.known(switch).await?;
        Ok(act(&mut known.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    fn tries<T>(&self, act: impl FnOnce(&mut Tries) -> T) -> T {
        act(&mut self.tries.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who has this token; none if it opens nothing now.
    pub(crate) async fn who(&self, switch: &Arc<dyn Switch>, token: &str) -> Result<Option<Caller>, Refusal> {
        let now = switch.moment();
        let terms = |tenant| switch.access(tenant).map(|(terms, _)| terms);
        let opened = self.with(&**switch, |known| {
            if token.starts_with(KEY_PREFIX) {
                let opened = known.key(token, now)?;
                let keep = opened.keep.map(|key| AccessWrite::Key(Box::new(key)));
                return Some(Opened { caller: opened.caller, keep });
            }
            let opened = known.session(token, terms, now)?;
            let keep = opened.keep.map(|session| AccessWrite::Session(Box::new(session)));
            Some(Opened { caller: opened.caller, keep })
        });
        let Some(Opened { caller, keep }) = opened.await? else { return Ok(None) };
        // a tenant that is configured no longer has nobody who could ask
        if switch.access(caller.tenant).is_none() {
            return Ok(None);
        }
        if let Some(write) = keep {
            // When it was used last is for people to look at: a moment that is lost costs nobody anything.
            drop(tokio::spawn(switch.keep(vec![write])));
        }
        Ok(Some(caller))
    }

    /// Ends the sessions that this says, here and in the store.
    async fn end(
        &self,
        switch: &dyn Switch,
        over: impl Fn(&cordboard_model::access::UserSession) -> bool,
    ) -> Result<usize, Refusal> {
        let ended = self.with(switch, |known| known.end(over)).await?;
        let count = ended.len();
        forget(switch, ended).await?;
        Ok(count)
    }

    /// Forgets sessions that are over.
    async fn sweep(&self, switch: &dyn Switch, now: Wall) -> Result<(), Refusal> {
        let terms = |tenant| switch.access(tenant).map(|(terms, _)| terms);
        let ended = self.with(switch, |known| known.end_old(terms, now)).await?;
        forget(switch, ended).await
    }
}

async fn forget(switch: &dyn Switch, ended: Vec<(TenantId, Name)>) -> Result<(), Refusal> {
    if ended.is_empty() {
        return Ok(());
    }
    switch.keep(ended.into_iter().map(|(tenant, id)| AccessWrite::NoSession(tenant, id)).collect()).await
}

/// Who asks may give all of this.
fn may_give(caller: &Caller, scopes: &cordboard_model::access::Scopes) -> Result<(), Problem> {
    if scopes.within(&caller.scopes) {
        return Ok(());
    }
    let more: Vec<&str> = scopes.iter().filter(|scope| !caller.scopes.cover(scope)).collect();
    let mut problem = Problem::new(
        axum::http::StatusCode::FORBIDDEN,
        "nobody gives more than he has",
        format!("these are not among the scopes of who asks: {}", more.join(", ")),
    );
    problem.code = Some("more_than_own");
    Err(problem)
}
