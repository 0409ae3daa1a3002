//! Sessions that enterprises' pages have begun, by what the next token is had for.
//!
//! Invariants: a refresh token is good once; one that was used before and comes again much later was stolen by somebody, and ends
//! the session for both. None but hashes of them are held. What a restart forgets is begun again by the enterprise's page.

use crate::access::hash_of;
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, Name};
use cordboard_model::signin::TokenHash;
use cordboard_model::time::Wall;
use std::collections::{BTreeMap, VecDeque};

/// Most sessions held; for one more the oldest is forgotten, whose page has to begin again.
const SESSIONS: usize = 50_000;
/// How long after its use a refresh token may come again without harm, milliseconds: two windows of a browser ask at once.
const TWICE_MS: i64 = 30_000;

/// One.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) agent: AgentId,
    /// Its id, which opens nothing.
    pub(crate) id: Name,
    /// Its present token.
    pub(crate) token: Secret,
    /// As it is told where the agent is signed in.
    pub(crate) place: String,
}

#[derive(Debug)]
struct Held {
    session: Session,
    present: TokenHash,
    before: Option<(TokenHash, Wall)>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: BTreeMap<Name, Held>,
    tokens: BTreeMap<TokenHash, Name>,
    order: VecDeque<Name>,
}

/// What a refresh token is.
#[derive(Debug)]
pub(crate) enum Found {
    /// Good.
    Present(Session),
    /// Used a moment ago.
    Twice,
    /// Used long ago: the session it was of is ended.
    Stolen(Session),
    /// None that is known.
    None,
}

impl Sessions {
    /// Holds a session with its first refresh token.
    pub(crate) fn put(&mut self, session: Session, refresh: &str) {
        let (id, present) = (session.id.clone(), hash_of(refresh));
        while self.by_id.len() >= SESSIONS {
            let Some(oldest) = self.order.pop_front() else { break };
            self.forget(&oldest);
        }
        self.tokens.insert(present, id.clone());
        self.order.push_back(id.clone());
        self.by_id.insert(id, Held { session, present, before: None });
        // those that were ended leave their names behind
        if self.order.len() > SESSIONS.saturating_mul(2) {
            let by_id = &self.by_id;
            self.order.retain(|id| by_id.contains_key(id));
        }
    }

    /// Looks one up.
    pub(crate) fn find(&mut self, refresh: &str, now: Wall) -> Found {
        let shown = hash_of(refresh);
        let Some(id) = self.tokens.get(&shown).cloned() else { return Found::None };
        let Some(held) = self.by_id.get(&id) else { return Found::None };
        if held.present == shown {
            return Found::Present(held.session.clone());
        }
        match held.before {
            Some((_, at)) if now.0.saturating_sub(at.0) <= TWICE_MS => Found::Twice,
            _ => {
                let session = held.session.clone();
                self.forget(&id);
                Found::Stolen(session)
            }
        }
    }

    /// The session goes on with another token and another refresh token. False if it does not go on.
    pub(crate) fn renew(&mut self, old: &str, refresh: &str, token: Secret, now: Wall) -> bool {
        let (shown, fresh) = (hash_of(old), hash_of(refresh));
        let Some(id) = self.tokens.get(&shown).cloned() else { return false };
        let Some(held) = self.by_id.get_mut(&id).filter(|held| held.present == shown) else { return false };
        let oldest = held.before.replace((shown, now));
        (held.present, held.session.token) = (fresh, token);
        if let Some((oldest, _)) = oldest {
            self.tokens.remove(&oldest);
        }
        self.tokens.insert(fresh, id);
        true
    }

    /// Forgets the session of this id.
    pub(crate) fn forget(&mut self, id: &Name) {
        if let Some(held) = self.by_id.remove(id) {
            self.tokens.remove(&held.present);
            if let Some((before, _)) = held.before {
                self.tokens.remove(&before);
            }
        }
    }

    /// The session with this token.
    pub(crate) fn of_token(&self, id: &str, token: &str) -> Option<Session> {
        let held = self.by_id.get(id)?;
        (held.session.token.0 == token).then(|| held.session.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::TenantId;

    fn session(id: &str) -> Session {
        Session {
            agent: AgentId::new(TenantId::DEFAULT, "1001").unwrap(),
            id: Name::new(id).unwrap(),
            token: Secret(format!("token of {id}")),
            place: String::new(),
        }
    }

    #[test]
    fn a_refresh_token_is_good_once_and_one_that_comes_again_late_ends_the_session() {
        let (mut all, now) = (Sessions::default(), Wall(1_000_000));
        all.put(session("a"), "first");
        all.put(session("b"), "other");
        assert!(matches!(all.find("first", now), Found::Present(held) if held.token.0 == "token of a"));
        assert!(all.renew("first", "second", Secret("new".into()), now));
        assert!(!all.renew("first", "third", Secret("newer".into()), now), "it was used");
        assert!(matches!(all.find("first", Wall(now.0 + TWICE_MS)), Found::Twice));
        assert!(matches!(all.find("second", now), Found::Present(held) if held.token.0 == "new"));
        assert!(matches!(all.find("first", Wall(now.0 + TWICE_MS + 1)), Found::Stolen(_)));
        assert!(matches!(all.find("second", now), Found::None), "neither of them has it any more");
        assert!(matches!(all.find("other", now), Found::Present(_)));
        assert!(all.of_token("b", "token of b").is_some() && all.of_token("b", "token of a").is_none());
    }

    #[test]
    fn no_more_are_held_than_there_is_room_for() {
        let mut all = Sessions::default();
        for number in 0..SESSIONS + 10 {
            all.put(session(&format!("s{number}")), &number.to_string());
        }
        assert_eq!(all.by_id.len(), SESSIONS);
        assert_eq!(all.tokens.len(), SESSIONS);
        assert!(matches!(all.find("0", Wall(0)), Found::None));
        assert!(matches!(all.find("10", Wall(0)), Found::Present(_)));
    }
}
