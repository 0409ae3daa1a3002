//! Keys that were made over the API, and sessions of people: what opens a route, looked up at each request.
//!
//! Invariant: what is revoked, expired or over opens nothing from that moment on: there is no second place that could still know
//! it. Time is an argument.

use crate::switch::{Caller, Person};
use cordboard_model::access::{AccessTerms, Kept, KeyRecord, Role, Scopes, UserSession, scopes_of};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::signin::TokenHash;
use cordboard_model::time::Wall;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Most keys of a tenant that open anything.
pub(crate) const KEYS_MAX: usize = 1_000;
/// Most sessions of one person; one more ends the one that was used least lately.
pub(crate) const SESSIONS_MAX: usize = 10;
/// How old what is kept of the last use may be, milliseconds.
const USED_MS: i64 = 300_000;

/// What is kept of a key or a token.
pub(crate) fn hash_of(secret: &str) -> TokenHash {
    TokenHash(Sha256::digest(secret).into())
}

/// What a token opens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Opened<T> {
    /// Who asks.
    pub(crate) caller: Caller,
    /// What is to be kept of it again, for it was used.
    pub(crate) keep: Option<T>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Known {
    keys: BTreeMap<TokenHash, KeyRecord>,
    sessions: BTreeMap<TokenHash, Live>,
}

/// A session, and as of when the store has its last use.
#[derive(Debug)]
struct Live {
    session: UserSession,
    kept: Wall,
}

impl From<UserSession> for Live {
    fn from(session: UserSession) -> Self {
        Self { kept: session.used, session }
    }
}

fn later(at: Wall, by: core::time::Duration) -> Wall {
    Wall(at.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

impl From<Kept> for Known {
    fn from(kept: Kept) -> Self {
        Self {
            keys: kept.keys.into_iter().map(|key| (key.hash, key)).collect(),
            sessions: kept.sessions.into_iter().map(|session| (session.hash, session.into())).collect(),
        }
    }
}

impl Known {
    /// Whose key this is, if it opens anything now.
    pub(crate) fn key(&mut self, secret: &str, now: Wall) -> Option<Opened<KeyRecord>> {
        let key = self.keys.get_mut(&hash_of(secret)).filter(|key| key.is_good(now))?;
        let keep = key.used.is_none_or(|used| now.0 - used.0 >= USED_MS).then(|| {
            key.used = Some(now);
            key.clone()
        });
        // with its id: names are chosen, and two keys may have the same
        let name = format!("{} {}", key.name, key.id);
        let caller = Caller { tenant: key.tenant, key: name, scopes: key.scopes.clone(), person: None };
        Some(Opened { caller, keep })
    }

    /// Whose session this token opens. One that is over is forgotten by [`Known::end_old`].
    pub(crate) fn session(
        &mut self,
        secret: &str,
        terms: impl FnOnce(TenantId) -> Option<AccessTerms>,
        now: Wall,
    ) -> Option<Opened<UserSession>> {
        let Live { session, kept } = self.sessions.get_mut(&hash_of(secret))?;
        let terms = terms(session.tenant)?;
        if now >= session.until || now >= later(session.used, terms.idle) {
            return None;
        }
        session.used = now;
        let most = i64::try_from(terms.idle.as_millis()).unwrap_or(i64::MAX) / 4;
        let keep = now.0 - kept.0 >= USED_MS.min(most);
        if keep {
            *kept = now;
        }
        let scopes = if session.enrolling { Scopes::default() } else { scopes_of(&session.roles) };
        let person =
            Person { name: session.user.clone(), session: session.id.clone(), enrolling: session.enrolling };
        let caller = Caller {
            tenant: session.tenant,
            key: session.user.to_string(),
            scopes,
            person: Some(Box::new(person)),
        };
        Some(Opened { caller, keep: keep.then(|| session.clone()) })
    }

    /// A key is as this from now on.
    pub(crate) fn put_key(&mut self, key: KeyRecord) {
        self.keys.insert(key.hash, key);
    }

    /// The keys of a tenant, by their ids.
    pub(crate) fn keys(&self, tenant: TenantId) -> Vec<KeyRecord> {
        let mut keys: Vec<_> = self.keys.values().filter(|key| key.tenant == tenant).cloned().collect();
        keys.sort_by(|one, other| (one.made, &one.id).cmp(&(other.made, &other.id)));
        keys
    }

    /// A session is as this from now on.
    pub(crate) fn put_session(&mut self, session: UserSession) {
        self.sessions.insert(session.hash, session.into());
    }

    /// The sessions of a tenant that go on, the longest first.
    pub(crate) fn sessions(&self, tenant: TenantId, terms: &AccessTerms, now: Wall) -> Vec<UserSession> {
        let goes_on = |session: &&UserSession| {
            session.tenant == tenant && now < session.until && now < later(session.used, terms.idle)
        };
        let all = self.sessions.values().map(|live| &live.session);
        let mut sessions: Vec<_> = all.filter(goes_on).cloned().collect();
        sessions.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        sessions
    }

    /// A session by its name in paths.
    pub(crate) fn session_of(&self, tenant: TenantId, id: &str) -> Option<&UserSession> {
        let mut all = self.sessions.values().map(|live| &live.session);
        all.find(|session| session.tenant == tenant && session.id.as_str() == id)
    }

    /// Those that are over, or belong to nobody any more, are forgotten: their names.
    pub(crate) fn end(&mut self, over: impl Fn(&UserSession) -> bool) -> Vec<(TenantId, Name)> {
        let mut ended = Vec::new();
        self.sessions.retain(|_, Live { session, .. }| {
            let goes = over(session);
            if goes {
                ended.push((session.tenant, session.id.clone()));
            }
            !goes
        });
        ended
    }

    /// Those that are over by time.
    pub(crate) fn end_old(
        &mut self,
        terms: impl Fn(TenantId) -> Option<AccessTerms>,
        now: Wall,
    ) -> Vec<(TenantId, Name)> {
        self.end(|session| {
            let idle = terms(session.tenant).map(|terms| terms.idle);
            idle.is_none_or(|idle| now >= session.until || now >= later(session.used, idle))
        })
    }

    /// There is room for one session more of this person: those that have to go for it.
    pub(crate) fn room(&mut self, tenant: TenantId, user: &Name) -> Vec<(TenantId, Name)> {
        let his = |session: &&UserSession| session.tenant == tenant && session.user == *user;
        let every = self.sessions.values().map(|live| &live.session);
        let mut all: Vec<_> = every.filter(his).map(|s| (s.used, s.id.clone())).collect();
        all.sort();
        let many = (all.len() + 1).saturating_sub(SESSIONS_MAX);
        let going: BTreeSet<Name> = all.into_iter().take(many).map(|(_, id)| id).collect();
        self.end(|session| session.tenant == tenant && going.contains(&session.id))
    }

    /// A person is something else from now on: so are his sessions.
    pub(crate) fn roles(
        &mut self,
        tenant: TenantId,
        user: &Name,
        roles: &BTreeSet<Role>,
    ) -> Vec<UserSession> {
        let all = self.sessions.values_mut().map(|live| &mut live.session);
        let his = all.filter(|s| s.tenant == tenant && s.user == *user);
        his.map(|session| {
            session.roles.clone_from(roles);
            session.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    const T: TenantId = TenantId::DEFAULT;

    fn terms(_: TenantId) -> Option<AccessTerms> {
        Some(AccessTerms { idle: Duration::from_secs(60), ..AccessTerms::default() })
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn key() -> KeyRecord {
        KeyRecord {
            tenant: T,
            id: name("k1"),
            name: "bar".into(),
            hash: hash_of("secret"),
            scopes: Scopes::new(["calls:read"]).unwrap(),
            made: Wall(0),
            by: "user li".into(),
            expires: Some(Wall(1_000_000)),
            revoked: None,
            used: None,
        }
    }

    fn session(id: &str, used: i64) -> UserSession {
        UserSession {
            id: name(id),
            hash: hash_of(id),
            tenant: T,
            user: name("li"),
            roles: BTreeSet::from([Role::Auditor]),
            since: Wall(0),
            until: Wall(200_000),
            used: Wall(used),
            address: String::new(),
            agent: String::new(),
            enrolling: false,
        }
    }

    #[test]
    fn a_key_opens_until_it_expires_or_is_revoked_and_its_use_is_kept_now_and_then() {
        let mut known = Known::default();
        known.put_key(key());
        let opened = known.key("secret", Wall(1)).unwrap();
        assert!(opened.keep.is_some() && opened.caller.scopes.cover("calls:read"));
        assert!(known.key("secret", Wall(2)).unwrap().keep.is_none());
        assert_eq!(
            known.key("secret", Wall(1 + USED_MS)).unwrap().keep.unwrap().used,
            Some(Wall(1 + USED_MS))
        );
        assert_eq!(known.key("Secret", Wall(3)), None);
        assert_eq!(known.key("secret", Wall(1_000_000)), None, "expired");
        known.put_key(KeyRecord { revoked: Some(Wall(5)), ..key() });
        assert_eq!(known.key("secret", Wall(6)), None, "revoked");
        assert_eq!(known.keys(T).len(), 1, "it is still listed");
        assert!(known.keys(TenantId::new("acme").unwrap()).is_empty());
    }

    #[test]
    fn a_session_is_over_when_it_is_idle_or_too_old_or_its_tenant_is_gone() {
        let mut known = Known::default();
        known.put_session(session("s", 0));
        assert!(known.session("s", terms, Wall(59_999)).is_some());
        assert!(known.session("s", terms, Wall(119_998)).is_some(), "it was used meanwhile");
        assert!(known.session("s", terms, Wall(119_998 + 60_000)).is_none(), "idle");
        known.put_session(session("s", 199_000));
        assert!(known.session("s", terms, Wall(199_999)).is_some());
        assert!(known.session("s", terms, Wall(200_000)).is_none(), "too old");
        assert!(known.session("s", |_| None, Wall(199_999)).is_none());
        assert_eq!(known.end_old(terms, Wall(199_999)), []);
        assert_eq!(known.end_old(terms, Wall(200_000)), [(T, name("s"))]);
    }

    #[test]
    fn one_session_too_many_ends_the_one_that_was_used_least_lately() {
        let mut known = Known::default();
        for n in 0..10 {
            known.put_session(session(&format!("s{n}"), if n == 4 { 1 } else { 100 + n }));
        }
        assert_eq!(known.room(T, &name("li")), [(T, name("s4"))]);
        assert_eq!(known.room(T, &name("li")), [], "now there is room");
        assert_eq!(known.room(T, &name("chen")), []);
    }

    #[test]
    fn who_is_made_something_else_is_so_in_the_sessions_that_he_has() {
        let mut known = Known::default();
        known.put_session(session("s", 0));
        let opens =
            |known: &mut Known, scope| known.session("s", terms, Wall(1)).unwrap().caller.scopes.cover(scope);
        assert!(opens(&mut known, "audit:read") && !opens(&mut known, "calls:control"));
        known.roles(T, &name("li"), &BTreeSet::from([Role::Supervisor]));
        assert!(!opens(&mut known, "audit:read") && opens(&mut known, "calls:control"));
        known.put_session(UserSession { enrolling: true, ..session("s", 0) });
        assert!(
            !opens(&mut known, "calls:control"),
            "who has no second factor and needs one may do nothing else"
        );
    }
}
