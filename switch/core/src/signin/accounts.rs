//! Who may sign in, and who has: passwords, tries, and the one session of each agent.
//!
//! Invariants: a password is looked at only after its try was counted, so that many at a time gain nothing; an agent has one
//! session at most, and its token opens nothing once it is over; what changes here is a record of the journal first.
//! Hashes are made and compared elsewhere: what is to be done is asked for, and the answer is a later input.

use super::rules::judge;
use super::tries::Tries;
use crate::kept::NOBODY;
use cordboard_model::config::{DigestAlgorithm, Secret, Snapshot};
use cordboard_model::event::EventKind;
use cordboard_model::id::AgentId;
use cordboard_model::journal::JournalRecord;
use cordboard_model::signin::{
    HashWork, Hashed, KeptPassword, PasswordFault, PasswordHash, PhoneSecret, Session, SessionEnd,
    SessionView, SignInFault, SignInLock, SignInRecord, SignInRules, TokenHash,
};
use cordboard_model::time::{Duration, Time, Wall};
use cordboard_sip::auth::{Algorithm, ha1};
use cordboard_sip::engine::Directory;
use std::collections::{BTreeMap, BTreeSet};

/// Most names without an agent whose tries are counted, so that they are answered as an agent's are.
const STRANGERS: usize = 1_024;
/// A day, milliseconds.
const DAY_MS: i64 = 86_400_000;
/// An agent who was left out by mistake is back by then.
const COMES_BACK_MS: i64 = DAY_MS;

/// A moment, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// For what lasts.
    pub time: Time,
    /// For what is kept.
    pub wall: Wall,
}

/// What the configuration says of an agent's sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// There is no such agent: the rules are his tenant's, by which tries at his name are counted all the same.
    pub stranger: bool,
    /// His tenant's rules, with an age of his own if he has one.
    pub rules: SignInRules,
    /// He may sign in by keys.
    pub phone: bool,
    /// The password that he begins with.
    pub first: Option<PasswordHash>,
    /// His softphone proves itself by his password.
    pub softphone: Option<Softphone>,
}

/// As whom a softphone proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Softphone {
    /// The name of the account.
    pub name: String,
    /// To whom.
    pub realm: String,
    /// How.
    pub digest: Vec<DigestAlgorithm>,
}

impl Softphone {
    fn secret(&self, password: &str) -> PhoneSecret {
        let by = |digest, algorithm| match self.digest.contains(&digest) {
            true => ha1(algorithm, &self.name, &self.realm, password),
            false => String::new(),
        };
        let (md5, sha256) =
            (by(DigestAlgorithm::Md5, Algorithm::Md5), by(DigestAlgorithm::Sha256, Algorithm::Sha256));
        PhoneSecret { md5, sha256 }
    }
}

impl Terms {
    /// What it says of this one.
    pub fn of(snapshot: &Snapshot, agent: &AgentId) -> Self {
        let Some(config) = snapshot.tenant(agent.tenant).map(|tenant| &tenant.sign_in) else {
            return Self { stranger: true, ..Self::default() };
        };
        if snapshot.agent(agent).is_none() {
            return Self { stranger: true, rules: config.rules.clone(), ..Self::default() };
        }
        let own = config.agents.get(&agent.name).cloned().unwrap_or_default();
        let mut rules = config.rules.clone();
        rules.age = own.age.unwrap_or(rules.age);
        let first = own.password.map(|Secret(hash)| PasswordHash(hash));
        let softphone = own.unified.then(|| softphone(snapshot, agent)).flatten();
        Self { stranger: false, rules, phone: own.phone, first, softphone }
    }

    fn judge(&self, agent: &AgentId, new: &str) -> Result<(), SignInFault> {
        judge(&self.rules, self.phone, agent.name.as_str(), new).map_err(SignInFault::Password)
    }
}

fn softphone(snapshot: &Snapshot, agent: &AgentId) -> Option<Softphone> {
    let name = snapshot.agent(agent)?.user.name.to_string();
    let realm = Directory::realm_of(snapshot.tenant(agent.tenant)?).to_owned();
    Some(Softphone { name, realm, digest: snapshot.limits.digest.clone() })
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Of whose password or session.
    pub agent: AgentId,
    /// His password; none if a key vouches for who asks.
    pub password: Option<Secret>,
    /// Another one, from now on.
    pub new: Option<Secret>,
    /// The session that is to begin.
    pub session: Option<NewSession>,
    /// The address or number that it comes from, for the event of a failure.
    pub from: String,
    /// Who asks, for the event of a new password.
    pub by: String,
    /// Which of his passwords is looked at. Noted by [`SignIns::begin`].
    pub version: u32,
}

/// A session that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Of its token; none if it is begun by keys.
    pub token: Option<TokenHash>,
    /// Where, in words, or the number that he calls from.
    pub place: String,
    /// The address that asks; empty if it is begun by keys.
    pub address: String,
    /// It is begun by keys.
    pub phone: bool,
    /// One elsewhere is ended.
    pub take_over: bool,
}

#[derive(Debug, Default)]
struct Account {
    password: Option<KeptPassword>,
    /// Counts the passwords.
    version: u32,
    session: Option<Live>,
    tries: Tries,
    /// Since when the configuration has no such agent.
    gone: Option<Wall>,
    /// What his softphone proves itself by.
    softphone: Option<PhoneSecret>,
}

/// A session, and when it was used last.
#[derive(Debug)]
struct Live {
    session: Session,
    number: u64,
    seen: Time,
    /// When to look whether it was used; never at one without a token.
    look: Option<Time>,
}

/// What is to be told of a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// To the journal.
    Journal(JournalRecord),
    /// To readers of events.
    Event(EventKind),
    /// He is no longer at the telephone by which he had signed in.
    LeftPhone,
}

/// See the module.
#[derive(Debug, Default)]
pub struct SignIns {
    accounts: BTreeMap<AgentId, Account>,
    /// Tries at names that no agent has.
    strangers: BTreeMap<AgentId, Account>,
    tokens: BTreeMap<TokenHash, AgentId>,
    /// When to look whether a session was used.
    looks: BTreeSet<(Time, AgentId)>,
    sessions: u64,
    told: Vec<Told>,
}

impl SignIns {
    /// Takes back what the journal held. A session goes on, as if it had been used only now.
    pub fn restore(&mut self, record: SignInRecord, idle: Duration, now: Time) {
        let SignInRecord { agent, password, session, locked, tries, gone, softphone } = record;
        let tries = Tries::restored(tries, locked);
        let account = Account { password, version: 1, tries, gone, softphone, ..Account::default() };
        self.accounts.insert(agent.clone(), account);
        if let Some(session) = session {
            self.put(&agent, session, idle, now);
        }
    }

    /// Gives what has changed, in its order.
    pub fn take_told(&mut self) -> Vec<Told> {
        core::mem::take(&mut self.told)
    }

    /// Whether somebody may ask for this now: what has to be done with passwords for it. [`SignIns::finish`] is called with
    /// what comes of that. Who does not know the password is told nothing of an agent, not even that there is one: what is
    /// against him or against the new password is said after the old one was right.
    ///
    /// # Errors
    /// No password need be looked at to refuse it.
    pub fn begin(&mut self, terms: &Terms, ask: &mut Ask, now: At) -> Result<HashWork, SignInFault> {
        if ask.password.is_none() && terms.stranger {
            return Err(SignInFault::NoSuchAgent);
        }
        let account = self.account(terms, &ask.agent, now);
        match &ask.new {
            _ if ask.password.is_some() => account.tries.begin(&terms.rules, &ask.from, now)?,
            Some(Secret(new)) => terms.judge(&ask.agent, new)?,
            None => {}
        }
        ask.version = account.version;
        let known = account.known(terms);
        // For who names nobody nothing is made: his password is never right.
        let make = ask.new.clone().map(|new| (new, account.used(terms)));
        let check = ask.password.clone().map(|password| (password, known));
        Ok(HashWork { check, make })
    }

    fn account(&mut self, terms: &Terms, agent: &AgentId, now: At) -> &mut Account {
        if !terms.stranger {
            return self.accounts.entry(agent.clone()).or_default();
        }
        if self.strangers.len() >= STRANGERS && !self.strangers.contains_key(agent) {
            self.strangers.retain(|_, account| account.tries.count(now));
            if self.strangers.len() >= STRANGERS {
                self.strangers.pop_first();
            }
        }
        self.strangers.entry(agent.clone()).or_default()
    }

    /// Does what was asked for, if the password is right. Gives the number of the session that has begun.
    ///
    /// # Errors
    /// It is wrong, or something else is against it.
    pub fn finish(
        &mut self,
        terms: &Terms,
        ask: Ask,
        hashed: Hashed,
        now: At,
    ) -> Result<Option<u64>, SignInFault> {
        let account = self.account(terms, &ask.agent, now);
        if ask.password.is_some() {
            account.tries.end(&ask.from);
        }
        let (right, used, made) = match hashed {
            // a password that is not the one of now says nothing
            Hashed::Done { right, used, made } if account.version == ask.version => (right, used, made),
            Hashed::Done { .. } | Hashed::Busy => return Err(SignInFault::Busy),
        };
        if !right || terms.stranger {
            return Err(self.refuse(terms, &ask, now));
        }
        if ask.password.is_some()
            && account.tries.right(&ask.from)
            && ask.new.is_none()
            && ask.session.is_none()
        {
            self.keep(&ask.agent);
        }
        if ask.session.as_ref().is_some_and(|session| session.phone) && !terms.phone {
            return Err(SignInFault::NotByPhone);
        }
        if let Some(Secret(new)) = &ask.new {
            terms.judge(&ask.agent, new)?;
        }
        let account = self.account(terms, &ask.agent, now);
        if ask.new.is_some() {
            let made = made.filter(|_| !used);
            let made = made.ok_or(SignInFault::Password(PasswordFault::Former(terms.rules.history)))?;
            self.set(terms, &ask, made, now);
        } else if ask.session.is_some() {
            account.is_good(terms, now.wall)?;
        }
        match ask.session {
            Some(wanted) => self.open(terms, &ask.agent, wanted, now).map(Some),
            None => Ok(None),
        }
    }

    /// A password was wrong: how that is answered.
    fn refuse(&mut self, terms: &Terms, ask: &Ask, now: At) -> SignInFault {
        let account = self.account(terms, &ask.agent, now);
        let (fault, kept) = account.tries.wrong(&terms.rules, &ask.from, now);
        if kept && !terms.stranger {
            self.keep(&ask.agent);
        }
        let failed = EventKind::SignInFailed {
            agent: ask.agent.clone(),
            from: ask.from.clone(),
            why: fault.as_str().to_owned(),
        };
        self.told.push(Told::Event(failed));
        fault
    }

    fn set(&mut self, terms: &Terms, ask: &Ask, hash: PasswordHash, now: At) {
        let account = self.accounts.entry(ask.agent.clone()).or_default();
        let mut former = account.used(terms);
        former.retain(PasswordHash::may_be_kept);
        let by_other = ask.password.is_none();
        account.password = Some(KeptPassword { hash, set: now.wall, by_other, former });
        account.version = account.version.wrapping_add(1);
        account.tries = Tries::default();
        let new = ask.new.as_ref().map(|Secret(new)| new);
        account.softphone = terms.softphone.as_ref().zip(new).map(|(phone, new)| phone.secret(new));
        let by = ask.by.clone();
        self.told.push(Told::Event(EventKind::PasswordSet { agent: ask.agent.clone(), by }));
        if !self.end(&ask.agent, SessionEnd::PasswordChanged) {
            self.keep(&ask.agent);
        }
    }

    fn open(
        &mut self,
        terms: &Terms,
        agent: &AgentId,
        wanted: NewSession,
        now: At,
    ) -> Result<u64, SignInFault> {
        let NewSession { token, place, address, phone, take_over } = wanted;
        if let Some(live) = self.accounts.get(agent).and_then(|account| account.session.as_ref()) {
            // who calls again from the same telephone is where he was
            let same = phone && live.session.phone && is_shown(&place) && live.session.place == place;
            if !take_over && !same {
                return Err(SignInFault::Elsewhere(SessionView::from(&live.session)));
            }
        }
        self.close(agent, SessionEnd::TakenOver);
        let (at, told) = (address.clone(), place.clone());
        let session = Session { token, place, address, since: now.wall, phone };
        let number = self.put(agent, session, terms.rules.idle, now.time);
        self.keep(agent);
        let (agent, place, address, device) = (agent.clone(), told, at, None);
        let began = EventKind::SessionBegan { agent, place, address, phone, device };
        self.told.push(Told::Event(began));
        Ok(number)
    }

    fn put(&mut self, agent: &AgentId, session: Session, idle: Duration, now: Time) -> u64 {
        self.sessions += 1;
        let look = session.token.map(|_| now + idle);
        if let Some((token, look)) = session.token.zip(look) {
            self.tokens.insert(token, agent.clone());
            self.looks.insert((look, agent.clone()));
        }
        let live = Live { session, number: self.sessions, seen: now, look };
        self.accounts.entry(agent.clone()).or_default().session = Some(live);
        self.sessions
    }

    /// Ends his session. False if he has none.
    pub fn end(&mut self, agent: &AgentId, why: SessionEnd) -> bool {
        let ended = self.close(agent, why);
        if ended {
            self.keep(agent);
        }
        ended
    }

    /// There is another configuration, which has these agents. Who is no longer one has no session; whose number comes back
    /// after a day is somebody else, and what the former one had set opens nothing. Gives of whom something is told.
    pub fn configured(&mut self, is_there: impl Fn(&AgentId) -> bool, now: At) -> Vec<AgentId> {
        let differs = |(agent, account): (&AgentId, &Account)| {
            (is_there(agent) == account.gone.is_some()).then(|| agent.clone())
        };
        let agents: Vec<AgentId> = self.accounts.iter().filter_map(differs).collect();
        for agent in &agents {
            let Some(account) = self.accounts.get_mut(agent) else { continue };
            match account.gone.take() {
                None => {
                    account.gone = Some(now.wall);
                    self.close(agent, SessionEnd::SignedOut);
                }
                Some(gone) if now.wall.0.saturating_sub(gone.0) >= COMES_BACK_MS => {
                    let version = account.version.wrapping_add(1);
                    *account = Account { version, ..Account::default() };
                }
                // it was a mistake
                Some(_) => {}
            }
            self.keep(agent);
        }
        agents
    }

    fn close(&mut self, agent: &AgentId, why: SessionEnd) -> bool {
        let account = self.accounts.get_mut(agent);
        let Some(live) = account.and_then(|account| account.session.take()) else {
            return false;
        };
        if let Some(token) = live.session.token {
            self.tokens.remove(&token);
        }
        if let Some(look) = live.look {
            self.looks.remove(&(look, agent.clone()));
        }
        if live.session.phone {
            self.told.push(Told::LeftPhone);
        }
        let place = live.session.place;
        self.told.push(Told::Event(EventKind::SessionEnded { agent: agent.clone(), why, place }));
        true
    }

    fn keep(&mut self, agent: &AgentId) {
        let account = self.accounts.entry(agent.clone()).or_default();
        let (locked, tries) = account.tries.kept();
        let record = SignInRecord {
            agent: agent.clone(),
            password: account.password.clone(),
            session: account.session.as_ref().map(|live| live.session.clone()),
            locked,
            tries,
            gone: account.gone,
            softphone: account.softphone.clone(),
        };
        self.told.push(Told::Journal(JournalRecord::SignIn(Box::new(record))));
    }

    /// Whose session a token opens; it is used with that. What is looked up is the hash of what came: how long that takes says
    /// nothing of a token.
    pub fn used(&mut self, token: &TokenHash, now: Time) -> Option<AgentId> {
        let agent = self.tokens.get(token)?.clone();
        if let Some(live) = self.accounts.get_mut(&agent).and_then(|account| account.session.as_mut()) {
            live.seen = now;
        }
        Some(agent)
    }

    /// His session, with its number.
    pub fn session(&self, agent: &AgentId) -> Option<(u64, &Session)> {
        let live = self.accounts.get(agent)?.session.as_ref()?;
        Some((live.number, &live.session))
    }

    /// What an agent's softphone proves itself by, if he has set a password for it.
    pub fn softphone(&self, agent: &AgentId) -> Option<&PhoneSecret> {
        self.accounts.get(agent)?.softphone.as_ref()
    }

    /// Why no password is looked at for an agent now.
    pub fn locks(&self, agent: &AgentId, now: Wall) -> Vec<SignInLock> {
        self.accounts.get(agent).map(|account| account.tries.locks(now)).unwrap_or_default()
    }

    /// Wrong passwords of an agent count no longer. False if none did.
    pub fn unlock(&mut self, agent: &AgentId, by: String, now: At) -> bool {
        if !self.accounts.get_mut(agent).is_some_and(|account| account.tries.forget(now)) {
            return false;
        }
        self.keep(agent);
        self.told.push(Told::Event(EventKind::SignInUnlocked { agent: agent.clone(), by }));
        true
    }

    /// Ends the sessions that were not used for `idle` of their agent. Gives whose.
    pub fn handle_timeout(&mut self, idle: impl Fn(&AgentId) -> Duration, now: Time) -> Vec<AgentId> {
        let mut ended = Vec::new();
        while let Some((at, agent)) = self.looks.first().cloned().filter(|(at, _)| *at <= now) {
            self.looks.remove(&(at, agent.clone()));
            let live = self.accounts.get_mut(&agent).and_then(|account| account.session.as_mut());
            let Some(live) = live else { continue };
            let until = live.seen + idle(&agent);
            live.look = Some(until);
            if until > now {
                self.looks.insert((until, agent));
            } else if self.end(&agent, SessionEnd::Idle) {
                ended.push(agent);
            }
        }
        ended
    }

    /// Names without an agent whose tries are counted.
    #[cfg(test)]
    pub(super) fn strangers(&self) -> usize {
        self.strangers.len()
    }

    /// When to look at the next one.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.looks.first().map(|(at, _)| *at)
    }
}

impl Account {
    fn known(&self, terms: &Terms) -> Option<PasswordHash> {
        let kept = self.password.as_ref().map(|kept| &kept.hash);
        kept.or(terms.first.as_ref()).cloned()
    }

    /// The present password, and as many of those before it as are not taken again.
    fn used(&self, terms: &Terms) -> Vec<PasswordHash> {
        let former = self.password.as_ref().map(|kept| kept.former.clone()).unwrap_or_default();
        let more = usize::from(terms.rules.history).saturating_sub(1);
        self.known(terms).into_iter().chain(former.into_iter().take(more)).collect()
    }

    /// Whether his password may still be signed in with.
    fn is_good(&self, terms: &Terms, now: Wall) -> Result<(), SignInFault> {
        let by_other = self.password.as_ref().is_none_or(|kept| kept.by_other);
        if by_other && terms.rules.change_first {
            return Err(SignInFault::MustChange);
        }
        let age = i64::from(terms.rules.age) * DAY_MS;
        let old = |kept: &KeptPassword| age > 0 && now.0.saturating_sub(kept.set.0) >= age;
        if self.password.as_ref().is_some_and(old) { Err(SignInFault::Expired) } else { Ok(()) }
    }
}

/// Whether a telephone shows a number, and not that it shows none.
fn is_shown(place: &str) -> bool {
    !NOBODY.iter().any(|nobody| nobody.eq_ignore_ascii_case(place))
}
