//! Sessions that enterprises' pages have begun, by what the next token is had for.
//!
//! Invariants: a refresh token is good once; one that was used before and comes again much later was stolen by somebody, and ends
//! the session for both. Of refresh tokens nothing but hashes is held. What changes here is written down, with hashes alone, so
//! that a restart neither ends a session nor makes a used token good again.

use crate::access::hash_of;
use cordboard_model::access::AccessWrite;
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, Name};
use cordboard_model::once::PageSession;
use cordboard_model::signin::TokenHash;
use cordboard_model::time::Wall;
use std::collections::{BTreeMap, VecDeque};

/// Most sessions held; for one more the oldest is forgotten, whose page has to begin again.
const SESSIONS: usize = 50_000;
/// How long after its use a refresh token may come again without harm, milliseconds: two windows of a browser ask at once.
const TWICE_MS: i64 = 30_000;
/// A session that was not renewed for so long is forgotten by a start, milliseconds: no agent's session lasts as long unused.
const OLD_MS: i64 = 30 * 86_400_000;

/// One.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) agent: AgentId,
    /// Its id, which opens nothing.
    pub(crate) id: Name,
    /// Its present token; none since a start that has read it from the store.
    token: Option<Secret>,
    /// A hash of that.
    hash: TokenHash,
    /// As it is told where the agent is signed in.
    pub(crate) place: String,
}

impl Session {
    pub(crate) fn new(agent: AgentId, id: Name, token: Secret, place: String) -> Self {
        Self { agent, id, hash: hash_of(&token.0), token: Some(token), place }
    }

    /// Its present token: as it is known here, or as a request shows it.
    pub(crate) fn token(&self, shown: Option<&str>) -> Option<Secret> {
        let shown =
            || shown.filter(|token| hash_of(token) == self.hash).map(|token| Secret(token.to_owned()));
        self.token.clone().or_else(shown)
    }
}

#[derive(Debug)]
struct Held {
    session: Session,
    present: TokenHash,
    before: Option<(TokenHash, Wall)>,
    at: Wall,
}

impl Held {
    fn write(&self) -> AccessWrite {
        let Session { agent, id, hash, place, .. } = &self.session;
        AccessWrite::Page(Box::new(PageSession {
            id: id.clone(),
            agent: agent.clone(),
            token: *hash,
            refresh: self.present,
            before: self.before,
            place: place.clone(),
            at: self.at,
        }))
    }
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
    /// What a start finds in the store, and what is to be taken out of that.
    pub(crate) fn restore(mut kept: Vec<PageSession>, now: Wall) -> (Self, Vec<AccessWrite>) {
        let (mut all, mut writes) = (Self::default(), Vec::new());
        kept.sort_by_key(|session| session.at);
        for kept in kept {
            if now.0.saturating_sub(kept.at.0) > OLD_MS {
                writes.push(AccessWrite::NoPage(kept.agent.tenant, kept.id));
                continue;
            }
            let PageSession { id, agent, token: hash, refresh, before, place, at } = kept;
            if let Some((before, _)) = before {
                all.tokens.insert(before, id.clone());
            }
            let session = Session { agent, id, token: None, hash, place };
            writes.extend(all.insert(Held { session, present: refresh, before, at }));
        }
        (all, writes)
    }

    /// Holds one more; gives what has to be written of those that are forgotten for it.
    fn insert(&mut self, held: Held) -> Vec<AccessWrite> {
        let mut writes = Vec::new();
        while self.by_id.len() >= SESSIONS {
            let Some(oldest) = self.order.pop_front() else { break };
            writes.extend(self.forget(&oldest));
        }
        let id = held.session.id.clone();
        self.tokens.insert(held.present, id.clone());
        self.order.push_back(id.clone());
        self.by_id.insert(id, held);
        // those that were ended leave their names behind
        if self.order.len() > SESSIONS.saturating_mul(2) {
            let by_id = &self.by_id;
            self.order.retain(|id| by_id.contains_key(id));
        }
        writes
    }

    /// Holds a session with its first refresh token; gives what has to be written.
    pub(crate) fn put(&mut self, session: Session, refresh: &str, now: Wall) -> Vec<AccessWrite> {
        let held = Held { session, present: hash_of(refresh), before: None, at: now };
        let write = held.write();
        let mut writes = self.insert(held);
        writes.push(write);
        writes
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

    /// The session goes on with another token and another refresh token; gives what has to be written. None if it does not
    /// go on.
    pub(crate) fn renew(
        &mut self,
        old: &str,
        refresh: &str,
        token: Secret,
        now: Wall,
    ) -> Option<AccessWrite> {
        let (shown, fresh) = (hash_of(old), hash_of(refresh));
        let id = self.tokens.get(&shown).cloned()?;
        let held = self.by_id.get_mut(&id).filter(|held| held.present == shown)?;
        let oldest = held.before.replace((shown, now));
        (held.present, held.at, held.session.hash) = (fresh, now, hash_of(&token.0));
        held.session.token = Some(token);
        let write = held.write();
        if let Some((oldest, _)) = oldest {
            self.tokens.remove(&oldest);
        }
        self.tokens.insert(fresh, id);
        Some(write)
    }

    /// Forgets the session of this id; gives what has to be written.
    pub(crate) fn forget(&mut self, id: &Name) -> Option<AccessWrite> {
        let held = self.by_id.remove(id)?;
        self.tokens.remove(&held.present);
        if let Some((before, _)) = held.before {
            self.tokens.remove(&before);
        }
        Some(AccessWrite::NoPage(held.session.agent.tenant, id.clone()))
    }

    /// The session with this token.
    pub(crate) fn of_token(&self, id: &str, token: &str) -> Option<Session> {
        let held = self.by_id.get(id)?;
        (held.session.hash == hash_of(token)).then(|| held.session.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordboard_model::id::TenantId;

    const NOW: Wall = Wall(1_000_000);

    fn session(id: &str) -> Session {
        let agent = AgentId::new(TenantId::DEFAULT, "1001").unwrap();
        Session::new(agent, Name::new(id).unwrap(), Secret(format!("token of {id}")), String::new())
    }

    fn is(session: &Session, token: &str) -> bool {
        session.token(None).is_some_and(|held| held.0 == token)
    }

    #[test]
    fn a_refresh_token_is_good_once_and_one_that_comes_again_late_ends_the_session() {
        let mut all = Sessions::default();
        all.put(session("a"), "first", NOW);
        all.put(session("b"), "other", NOW);
        assert!(matches!(all.find("first", NOW), Found::Present(held) if is(&held, "token of a")));
        assert!(all.renew("first", "second", Secret("new".into()), NOW).is_some());
        assert!(all.renew("first", "third", Secret("newer".into()), NOW).is_none(), "it was used");
        assert!(matches!(all.find("first", Wall(NOW.0 + TWICE_MS)), Found::Twice));
        assert!(matches!(all.find("second", NOW), Found::Present(held) if is(&held, "new")));
        assert!(matches!(all.find("first", Wall(NOW.0 + TWICE_MS + 1)), Found::Stolen(_)));
        assert!(matches!(all.find("second", NOW), Found::None), "neither of them has it any more");
        assert!(matches!(all.find("other", NOW), Found::Present(_)));
        assert!(all.of_token("b", "token of b").is_some() && all.of_token("b", "token of a").is_none());
    }

    #[test]
    fn a_start_holds_what_was_written_and_a_used_token_is_no_better_for_it() {
        let mut all = Sessions::default();
        all.put(session("a"), "first", NOW);
        let written = all.renew("first", "second", Secret("new".into()), NOW);
        let Some(AccessWrite::Page(kept)) = written else { panic!("{written:?}") };
        let text = serde_json::to_string(&kept).unwrap();
        assert!(!text.contains("second") && !text.contains("new"), "hashes alone: {text}");
        let old = PageSession { id: Name::new("old").unwrap(), at: Wall(NOW.0 - OLD_MS), ..(*kept).clone() };
        let (mut again, writes) = Sessions::restore(vec![(*kept).clone(), old], Wall(NOW.0 + 1));
        assert!(matches!(&writes[..], [AccessWrite::NoPage(_, id)] if id.as_str() == "old"), "{writes:?}");
        let Found::Present(session) = again.find("second", NOW) else { panic!("it goes on") };
        assert_eq!(session.token(None), None, "what opens the session was not written");
        assert_eq!(session.token(Some("guess")), None);
        assert_eq!(session.token(Some("new")), Some(Secret("new".into())));
        assert!(matches!(again.find("first", Wall(NOW.0 + TWICE_MS)), Found::Twice));
        assert!(matches!(again.find("first", Wall(NOW.0 + TWICE_MS + 1)), Found::Stolen(_)));
        assert!(matches!(again.find("second", NOW), Found::None));
    }

    #[test]
    fn no_more_are_held_than_there_is_room_for() {
        let mut all = Sessions::default();
        let mut gone = 0;
        for number in 0..SESSIONS + 10 {
            let writes = all.put(session(&format!("s{number}")), &number.to_string(), NOW);
            gone += writes.iter().filter(|write| matches!(write, AccessWrite::NoPage(..))).count();
        }
        assert_eq!((all.by_id.len(), all.tokens.len(), gone), (SESSIONS, SESSIONS, 10));
        assert!(matches!(all.find("0", Wall(0)), Found::None));
        assert!(matches!(all.find("10", Wall(0)), Found::Present(_)));
    }
}
