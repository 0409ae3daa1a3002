//! One leg's ICE agent (RFC 8445), with one candidate of its own.
//!
//! | state | what moves it |
//! | --- | --- |
//! | a pair waits | its time in the pacing comes: it is checked; or the peer checks it: it is next |
//! | a pair is being checked | its answer: it works; no answer to seven requests: it failed |
//! | a pair works | full and controlling: it is nominated; else the peer nominates it |
//! | a pair is selected | media go there; from now on it is asked for consent (RFC 7675) |
//! | the selected pair is silent | full and controlling: another that works is nominated; else the peer nominates it |
//!
//! Invariant: `selected` is a pair whose other end has proved to know the password: by its answer to our check, or, where
//! we are lite, by its own nominating check.

use super::check::{Pair, State};
use super::stun::{self, Class, Message, Role, Transaction, Writer};
use cordboard_model::path::{Candidate, IceTerms, PathFault};
use cordboard_model::time::{Duration, Time};
use core::net::SocketAddr;
use rand_core::RngCore;

/// Addresses of a peer that are kept, those learnt from its checks included: a browser names four to eight.
pub(super) const PAIRS_MAX: usize = 16;
/// Time between two checks of one leg: "Ta [...] SHOULD be 50 ms" (RFC 8445 14.2).
const PACE: Duration = Duration::from_millis(50);
/// "The pacing": first wait for an answer; it doubles (RFC 8489 6.2.1, RFC 8445 14.3).
const ANSWER_WAIT: Duration = Duration::from_millis(500);
/// Requests without an answer after which a pair has failed: Rc of RFC 8489 6.2.1.
const REQUESTS_MAX: u8 = 7;
/// When no way was found after this long, that is told; the agent goes on answering. Who answers a phone by hand has let
/// both ends exchange their descriptions by then.
const PATH_WAIT: Duration = Duration::from_secs(15);
/// "Each STUN transaction for consent ... randomised from 0.8 to 1.2 times the basic period", which is 5 s (RFC 7675 5.1).
const CONSENT_PERIOD: Duration = Duration::from_secs(5);
/// "If a valid STUN binding response is not received [...] for 30 seconds, the endpoint MUST cease transmission" (5.1).
const CONSENT_ENDS: Duration = Duration::from_secs(30);
/// A selected pair on which nothing has come for this long, neither media nor STUN, gives way to any other that is nominated:
/// less than the 2.5 s after which Chromium goes elsewhere, so that we follow at once.
const STALE: Duration = Duration::from_secs(2);
/// Where there is another pair, a silent selected one is asked this often: an answer says that only its media are silent.
const QUIET: Duration = Duration::from_millis(800);

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was not from who knows the password, or not STUN.
    Refused,
    /// It was taken.
    Taken,
    /// It was taken, and the answer stands at the front of the buffer.
    Answer(usize),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Agent {
    terms: IceTerms,
    controlling: bool,
    tie_breaker: u64,
    pairs: Vec<Pair>,
    selected: Option<SocketAddr>,
    /// When the selected pair's consent was last given.
    consent: Time,
    /// When anything last came by the selected pair.
    lived: Time,
    /// When the next check may leave.
    pace: Time,
    /// Since when a way is sought.
    since: Time,
    fault: Option<PathFault>,
    /// For consent's varying period.
    salt: u64,
}

impl Agent {
    /// Begins to look for a way.
    pub(crate) fn new(terms: &IceTerms, now: Time, rng: &mut impl RngCore) -> Self {
        let mut agent = Self {
            terms: terms.clone(),
            controlling: terms.controlling,
            tie_breaker: rng.next_u64(),
            pairs: Vec::with_capacity(PAIRS_MAX),
            selected: None,
            consent: now,
            lived: now,
            pace: now,
            since: now,
            fault: None,
            salt: rng.next_u64(),
        };
        agent.learn(&terms.candidates);
        agent
    }

    /// Takes what was negotiated anew. Other credentials are a restart (RFC 8445 9): everything is checked again, and media
    /// go where they went until another pair is selected. The role stays.
    pub(crate) fn renew(&mut self, terms: &IceTerms, now: Time) {
        let restarts = terms.ours != self.terms.ours || terms.theirs != self.terms.theirs;
        self.terms = terms.clone();
        if restarts {
            self.pairs.clear();
            (self.since, self.pace, self.fault) = (now, now, None);
        }
        self.learn(&terms.candidates);
    }

    fn learn(&mut self, candidates: &[Candidate]) {
        for candidate in candidates.iter().take(PAIRS_MAX) {
            if self.pair(candidate.address).is_none() && self.pairs.len() < PAIRS_MAX {
                self.pairs.push(Pair::new(candidate.address, candidate.priority));
            }
        }
        self.pairs.sort_by_key(|pair| core::cmp::Reverse(pair.priority));
    }

    /// Where media go.
    pub(crate) fn selected(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Whether a packet that has come from there is the peer's.
    pub(crate) fn knows(&mut self, from: SocketAddr, now: Time) -> bool {
        if self.selected == Some(from) {
            self.lived = now;
            return true;
        }
        self.pairs.iter().any(|pair| pair.remote == from && pair.is_proved())
    }

    /// What is wrong, if anything is.
    pub(crate) fn fault(&self) -> Option<PathFault> {
        self.fault
    }

    fn pair(&mut self, remote: SocketAddr) -> Option<&mut Pair> {
        self.pairs.iter_mut().find(|pair| pair.remote == remote)
    }

    fn role(&self) -> Role {
        match self.controlling {
            true => Role::Controlling(self.tie_breaker),
            false => Role::Controlled(self.tie_breaker),
        }
    }

    /// A datagram that [`stun::is_stun`]: the first `len` bytes of `buf`. The answer, if there is one, takes its place.
    pub(crate) fn hear(&mut self, from: SocketAddr, buf: &mut [u8], len: usize, now: Time) -> Heard {
        let Some(message) = buf.get(..len).and_then(stun::read) else {
            return Heard::Refused;
        };
        match message.class {
            Class::Request => {
                let Some(answer) = self.asked(from, &message, now) else {
                    return Heard::Refused;
                };
                let transaction = message.transaction;
                self.answer(answer, from, &transaction, buf).map_or(Heard::Taken, Heard::Answer)
            }
            Class::Success | Class::Error => match self.answered(from, &message, now) {
                Some(()) => Heard::Taken,
                None => Heard::Refused,
            },
            // "there is no response" (RFC 8489 6.3.2)
            Class::Indication => Heard::Taken,
        }
    }

    /// A check of the peer's. `None`: it is not from who has our password. Else the error to answer with, if any.
    ///
    /// A server would answer 400 or 401 to what has no right integrity (RFC 8489 9.1.3). We say nothing: what the peer of a
    /// call sends is right, and an answer to anybody else would tell him that somebody listens here.
    fn asked(&mut self, from: SocketAddr, message: &Message<'_>, now: Time) -> Option<Option<u16>> {
        let (ours, theirs) = (&self.terms.ours, &self.terms.theirs);
        let (first, second) = split(message.username?)?;
        let named = first == ours.user.as_bytes() && second == theirs.user.as_bytes();
        if !(named && message.fingerprint && message.is_of(ours.password.as_bytes())) {
            return None;
        }
        if let Some(conflict) = self.settle_roles(message.role) {
            return Some(Some(conflict));
        }
        if self.pair(from).is_none() {
            // a peer-reflexive candidate (RFC 8445 7.3.1.3)
            if self.pairs.len() >= PAIRS_MAX && !self.forget_one() {
                return Some(Some(500));
            }
            self.pairs.push(Pair::new(from, message.priority.unwrap_or_default()));
        }
        let (lite, controlling) = (self.terms.lite, self.controlling);
        if self.selected == Some(from) {
            self.lived = now;
        }
        let pair = self.pair(from)?;
        pair.proved = true;
        pair.nominated |= message.use_candidate && !controlling;
        // a triggered check (7.3.1.4)
        if !lite && matches!(pair.state, State::Waiting | State::Failed) {
            pair.state = State::Waiting;
            pair.triggered = true;
        }
        if pair.nominated && message.use_candidate && (lite || pair.state == State::Works) {
            self.select(from, now);
        }
        Some(None)
    }

    /// "If the agent is in the controlling role, and the ICE-CONTROLLING attribute is present in the request" (7.3.1.1): the
    /// larger tie-breaker controls. Says the error to answer with when it is the peer who must give in.
    fn settle_roles(&mut self, theirs: Option<Role>) -> Option<u16> {
        const ROLE_CONFLICT: u16 = 487;
        match (self.controlling, theirs) {
            // who only answers never chooses (RFC 8445 6.1.1)
            (true, Some(Role::Controlling(_))) if self.terms.lite => self.controlling = false,
            (true, Some(Role::Controlling(tie))) if self.tie_breaker >= tie => return Some(ROLE_CONFLICT),
            (true, Some(Role::Controlling(_))) => self.controlling = false,
            (false, Some(Role::Controlled(tie))) if self.tie_breaker >= tie => self.controlling = true,
            (false, Some(Role::Controlled(_))) => return Some(ROLE_CONFLICT),
            _ => {}
        }
        None
    }

    /// Makes room for an address that was just proved: one that failed, or never proved itself.
    fn forget_one(&mut self) -> bool {
        let at = self.pairs.iter().rposition(|pair| !pair.is_proved() && Some(pair.remote) != self.selected);
        at.map(|at| self.pairs.remove(at)).is_some()
    }

    fn answer(
        &self,
        error: Option<u16>,
        to: SocketAddr,
        transaction: &Transaction,
        buf: &mut [u8],
    ) -> Option<usize> {
        let class = if error.is_some() { Class::Error } else { Class::Success };
        let mut writer = Writer::new(buf, class, transaction)?;
        match error {
            Some(code) => writer.error(code)?,
            None => writer.mapped(to)?,
        }
        writer.finish(self.terms.ours.password.as_bytes())
    }

    /// An answer to a check of ours. `None`: it is none.
    fn answered(&mut self, from: SocketAddr, message: &Message<'_>, now: Time) -> Option<()> {
        let (lite, controlling, password) = (self.terms.lite, self.controlling, &self.terms.theirs.password);
        if lite || !message.is_of(password.as_bytes()) {
            return None;
        }
        let pair = self.pairs.iter_mut().find(|pair| pair.asks(&message.transaction))?;
        // "the source IP address and port of the response equal the destination" (7.2.5.2.1)
        if pair.remote != from {
            pair.state = State::Failed;
            return None;
        }
        if message.class == Class::Error {
            if message.error == Some(487) {
                // "the agent MUST switch" (7.2.5.1)
                self.controlling = pair.as_controlled;
                (pair.state, pair.triggered) = (State::Waiting, true);
            } else {
                pair.state = State::Failed;
            }
            return Some(());
        }
        let nominates = pair.nominates;
        (pair.state, pair.proved) = (State::Works, true);
        pair.transaction = None;
        if self.selected == Some(from) {
            (self.consent, self.lived) = (now, now);
        }
        let pair = self.pair(from)?;
        if controlling && nominates || !controlling && pair.nominated {
            pair.nominated = true;
            self.select(from, now);
        } else if controlling && !self.pairs.iter().any(|pair| pair.nominates || pair.nominated) {
            // the first that works is nominated (8.1.1): there is one address of ours, and none of the peer's is known
            // to be better than one that answers
            if let Some(pair) = self.pair(from) {
                (pair.nominates, pair.state, pair.triggered) = (true, State::Waiting, true);
            }
        }
        Some(())
    }

    /// A pair is nominated and works.
    fn select(&mut self, remote: SocketAddr, now: Time) {
        let priority = self.pair(remote).map(|pair| pair.priority);
        let current = self.pairs.iter().find(|pair| Some(pair.remote) == self.selected);
        // Of several that the peer nominates at once the best is used, on both sides the same.
        let fresh = now.since(self.lived) < STALE;
        let stays = current.is_some_and(|held| fresh && Some(held.priority) > priority);
        if self.selected == Some(remote) || stays {
            return;
        }
        (self.selected, self.fault) = (Some(remote), None);
        (self.consent, self.lived) = (now, now);
    }

    /// Another pair than the selected one that works, the best of them.
    fn other(&self) -> Option<usize> {
        let works = |pair: &Pair| Some(pair.remote) != self.selected && pair.state == State::Works;
        let others = self.pairs.iter().enumerate().filter(|(_, pair)| works(pair));
        others.max_by_key(|(_, pair)| pair.priority).map(|(at, _)| at)
    }

    /// When the selected pair has been silent for so long that we, who control, nominate another.
    ///
    /// RFC 8445 8.1.1 has a restart for that, which needs signalling; a browser's hangs on the network that just died. Who
    /// follows RFC 5245 takes another nomination, browsers among them; who does not loses nothing.
    fn gives_way(&self) -> Option<Time> {
        let is_ours = self.controlling && !self.terms.lite && self.selected.is_some();
        let tried =
            |pair: &Pair| Some(pair.remote) != self.selected && pair.nominates && pair.is_asked_first();
        (is_ours && self.other().is_some() && !self.pairs.iter().any(tried)).then(|| self.lived + STALE)
    }

    fn nominate_another(&mut self) {
        let selected = self.selected;
        if let Some(pair) = self.other().and_then(|at| self.pairs.get_mut(at)) {
            (pair.nominates, pair.state, pair.triggered) = (true, State::Waiting, true);
        }
        if let Some(pair) = self.pairs.iter_mut().find(|pair| Some(pair.remote) == selected) {
            pair.nominates = false;
        }
    }

    /// When [`Agent::poll`] is wanted next.
    pub(crate) fn due(&self) -> Option<Time> {
        let waiting = self.selected.is_none() && self.fault.is_none();
        let told = waiting.then(|| self.since + PATH_WAIT);
        if self.terms.lite {
            return told;
        }
        let checks = self.pairs.iter().filter_map(|pair| match pair.state {
            State::Waiting => Some(self.pace),
            State::Asked { again } => Some(again.max(self.pace)),
            State::Works | State::Failed => None,
        });
        let works = |pair: &&Pair| Some(pair.remote) == self.selected && pair.state == State::Works;
        let asks = self.pairs.iter().find(works).map(|_| self.next_consent().max(self.pace));
        let ends = self.selected.map(|_| (self.consent + CONSENT_ENDS).max(self.pace));
        let consent = asks.into_iter().chain(ends).min();
        let gives_way = self.gives_way().map(|at| at.max(self.pace));
        checks.chain(consent).chain(told).chain(gives_way).min()
    }

    fn next_consent(&self) -> Time {
        let asked = self.pairs.iter().find(|pair| Some(pair.remote) == self.selected);
        let last = asked.map_or(self.consent, |pair| pair.asked_at.max(self.consent));
        let spread = self.salt.rotate_left((last.as_millis() % 64) as u32) % 401;
        let usual = last + CONSENT_PERIOD * (800 + spread as u32) / 1_000;
        match self.gives_way() {
            Some(_) => usual.min(asked.map_or(self.lived, |pair| pair.asked_at.max(self.lived)) + QUIET),
            None => usual,
        }
    }

    /// The next check that is due, written to the front of `buf`, and where it goes.
    pub(crate) fn poll(
        &mut self,
        buf: &mut [u8],
        now: Time,
        rng: &mut impl RngCore,
    ) -> Option<(SocketAddr, usize)> {
        if self.selected.is_none() && self.fault.is_none() && now >= self.since + PATH_WAIT {
            self.fault = Some(PathFault::NoPath);
        }
        if self.terms.lite || now < self.pace {
            return None;
        }
        if self.selected.is_some() && now >= self.consent + CONSENT_ENDS {
            (self.selected, self.fault) = (None, Some(PathFault::ConsentLost));
        }
        if self.gives_way().is_some_and(|at| now >= at) {
            self.nominate_another();
        }
        let at = self.choose(now)?;
        self.pace = now + PACE;
        let mut transaction = Transaction::default();
        rng.fill_bytes(&mut transaction);
        let (role, controlling) = (self.role(), self.controlling);
        let pair = self.pairs.get_mut(at)?;
        pair.ask(transaction, now, ANSWER_WAIT, REQUESTS_MAX);
        pair.as_controlled = !controlling;
        let transaction = pair.transaction?;
        let nominates = pair.nominates && controlling;
        let remote = pair.remote;
        let (ours, theirs) = (&self.terms.ours, &self.terms.theirs);
        let mut writer = Writer::new(buf, Class::Request, &transaction)?;
        // "the username fragment of the peer, then a colon, then its own" (7.2.2)
        writer.username(&theirs.user, &ours.user)?;
        writer.priority(PEER_REFLEXIVE)?;
        writer.role(role)?;
        if nominates {
            writer.use_candidate()?;
        }
        Some((remote, writer.finish(theirs.password.as_bytes())?))
    }

    /// Which pair is to be asked now: what the peer has asked for, what is asked again, what waits, then consent.
    fn choose(&mut self, now: Time) -> Option<usize> {
        for pair in &mut self.pairs {
            pair.give_up(now, REQUESTS_MAX);
        }
        let first = |found: &dyn Fn(&Pair) -> bool| self.pairs.iter().position(found);
        let again = |pair: &Pair| matches!(pair.state, State::Asked { again } if now >= again);
        first(&|pair| pair.triggered && pair.state == State::Waiting)
            .or_else(|| first(&again))
            .or_else(|| first(&|pair| pair.state == State::Waiting))
            .or_else(|| {
                let selected = self.selected.filter(|_| now >= self.next_consent())?;
                first(&|pair| pair.remote == selected && pair.state == State::Works)
            })
    }
}

/// Of a peer-reflexive candidate of ours: type preference 110, local preference 65,535, component 1 (RFC 8445 5.1.2.1).
const PEER_REFLEXIVE: u32 = (110 << 24) | (65_535 << 8) | 255;

/// The two user fragments of a username.
fn split(username: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = username.iter().position(|byte| *byte == b':')?;
    Some((username.get(..at)?, username.get(at + 1..)?))
}
