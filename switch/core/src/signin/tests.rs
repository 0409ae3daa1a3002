//! Sign-ins in virtual time. Hashes are made here by writing a word before the password.

use super::*;
use cordboard_model::config::Secret;
use cordboard_model::event::EventKind;
use cordboard_model::id::TenantId;
use cordboard_model::journal::JournalRecord;
use cordboard_model::signin::{PasswordFault, PasswordHash, Session};
use cordboard_model::time::Wall;

const GOOD: &str = "correct7";
const OTHER: &str = "Horse-99";

fn hash(password: &str) -> PasswordHash {
    PasswordHash(format!("hash of {password}"))
}

fn hashed(work: &HashWork) -> Hashed {
    let right =
        work.check.as_ref().is_none_or(|(password, known)| known.as_ref() == Some(&hash(&password.0)));
    let new = work.make.as_ref().filter(|_| right);
    let used = new.is_some_and(|(new, former)| former.contains(&hash(&new.0)));
    let made = new.filter(|_| !used).map(|(new, _)| hash(&new.0));
    Hashed::Done { right, used, made }
}

struct Desk {
    all: SignIns,
    terms: Terms,
    ms: u64,
    tokens: u8,
    journal: Vec<SignInRecord>,
    events: Vec<EventKind>,
}

/// An agent whose first password is [`GOOD`], which need not be changed.
fn desk() -> Desk {
    let rules = SignInRules { change_first: false, ..SignInRules::default() };
    let terms = Terms { stranger: false, rules, phone: false, first: Some(hash(GOOD)), softphone: None };
    let (journal, events) = (Vec::new(), Vec::new());
    Desk { all: SignIns::default(), terms, ms: 0, tokens: 0, journal, events }
}

fn agent() -> AgentId {
    AgentId::new(TenantId::DEFAULT, "1001").unwrap()
}

fn secret(text: &str) -> Secret {
    Secret(text.into())
}

impl Desk {
    fn at(&self) -> At {
        At { time: Time::from_millis(self.ms), wall: Wall(i64::try_from(self.ms).unwrap()) }
    }

    fn wait(&mut self, seconds: u64) {
        self.ms += seconds * 1_000;
    }

    fn ask(&mut self, password: &str) -> Ask {
        self.tokens += 1;
        let session = NewSession {
            token: Some(TokenHash([self.tokens; 32])),
            place: format!("desk {}", self.tokens),
            address: "192.0.2.9".into(),
            phone: false,
            take_over: false,
        };
        let (from, by) = ("192.0.2.9".into(), "agent 1001".into());
        let (password, session) = (Some(secret(password)), Some(session));
        Ask { agent: agent(), password, new: None, session, from, by, version: 0 }
    }

    fn run(&mut self, mut ask: Ask) -> Result<Option<u64>, SignInFault> {
        let at = self.at();
        let terms = self.terms.clone();
        let work = self.all.begin(&terms, &mut ask, at)?;
        self.end(ask, hashed(&work))
    }

    fn end(&mut self, ask: Ask, hashed: Hashed) -> Result<Option<u64>, SignInFault> {
        let (at, terms) = (self.at(), self.terms.clone());
        let done = self.all.finish(&terms, ask, hashed, at);
        self.note();
        done
    }

    fn note(&mut self) {
        for told in self.all.take_told() {
            match told {
                Told::Journal(JournalRecord::SignIn(record)) => self.journal.push(*record),
                Told::Journal(other) => panic!("{other:?}"),
                Told::Event(what) => self.events.push(what),
                Told::LeftPhone => {}
            }
        }
    }

    fn sign_in(&mut self, password: &str) -> Result<(), SignInFault> {
        let ask = self.ask(password);
        self.run(ask).map(|_| ())
    }

    fn sign_in_from(&mut self, from: &str, password: &str) -> Result<(), SignInFault> {
        let ask = Ask { from: from.into(), ..self.ask(password) };
        self.run(ask).map(|_| ())
    }

    /// So many wrong ones from there, each as soon as it is looked at. Gives what the last was answered.
    fn guess(&mut self, from: &str, count: u32) -> SignInFault {
        let mut last = SignInFault::NoSession;
        for _ in 0..count {
            last = self.sign_in_from(from, "wrong-77").unwrap_err();
            self.wait(8);
        }
        last
    }

    fn change(&mut self, old: Option<&str>, new: &str) -> Result<(), SignInFault> {
        let ask = self.ask("");
        let (password, new) = (old.map(secret), Some(secret(new)));
        self.run(Ask { password, new, session: None, ..ask }).map(|_| ())
    }

    /// The last token that was asked for opens a session.
    fn last_opens(&mut self) -> bool {
        let now = self.at().time;
        self.all.used(&TokenHash([self.tokens; 32]), now) == Some(agent())
    }
}

/// 1001 left, and months later his number was another one's: the former one's password opened it, and the new one's first did
/// not.
#[test]
fn what_the_former_owner_of_a_number_had_set_opens_nothing() {
    let day = 86_400;
    for (days, opens) in [(1, true), (0, false)] {
        let mut desk = desk();
        desk.sign_in(GOOD).unwrap();
        desk.change(Some(GOOD), OTHER).unwrap();
        desk.sign_in(OTHER).unwrap();
        let told = desk.all.configured(|_| false, desk.at());
        desk.note();
        assert_eq!((told, desk.last_opens()), (vec![agent()], false), "who is gone has no session");
        assert!(desk.all.configured(|_| false, desk.at()).is_empty(), "it is told once");
        // a restart meanwhile changes nothing
        let kept = desk.journal.pop().unwrap();
        assert_eq!((kept.session.is_some(), kept.gone.is_some()), (false, true));
        desk.all = SignIns::default();
        desk.all.restore(kept, desk.terms.rules.idle, desk.at().time);
        desk.wait(if days == 1 { day } else { day - 1 });
        desk.all.configured(|_| true, desk.at());
        desk.note();
        let kept = desk.journal.pop().unwrap();
        assert_eq!((kept.password.is_none(), kept.gone), (opens, None));
        assert_eq!(desk.sign_in(GOOD).is_ok(), opens, "the configured one");
        desk.wait(10);
        assert_eq!(desk.sign_in(OTHER).is_ok(), !opens, "the former one's");
    }
}

#[test]
fn who_knows_the_password_has_a_session_and_who_does_not_has_none() {
    let mut desk = desk();
    assert_eq!(desk.sign_in("wrong-77"), Err(SignInFault::Wrong));
    assert!(!desk.last_opens());
    desk.wait(1);
    assert_eq!(desk.sign_in(GOOD), Ok(()));
    assert!(desk.last_opens());
    let [EventKind::SignInFailed { why, from, .. }, EventKind::SessionBegan { place, .. }] = &desk.events[..]
    else {
        panic!("{:?}", desk.events)
    };
    assert_eq!((why.as_str(), from.as_str(), place.as_str()), ("wrong_password", "192.0.2.9", "desk 2"));
    assert_eq!(desk.journal.last().unwrap().session.as_ref().unwrap().place, "desk 2");
}

/// Whoever tries names learns nothing of who exists: not by the words, nor by the pauses, the lock, or a new password that would
/// not be taken.
#[test]
fn who_is_not_configured_is_answered_as_one_whose_password_is_wrong() {
    let (mut desk, mut nobody) = (desk(), desk());
    nobody.terms = Terms { stranger: true, rules: desk.terms.rules.clone(), ..Terms::default() };
    let (mut ask, at) = (nobody.ask(GOOD), nobody.at());
    let by_key = &mut Ask { password: None, ..ask.clone() };
    assert_eq!(nobody.all.begin(&nobody.terms.clone(), by_key, at), Err(SignInFault::NoSuchAgent));
    ask.new = Some(secret("x"));
    for pause in [0, 0, 1, 2, 4, 8, 899, 1] {
        desk.wait(pause);
        nobody.wait(pause);
        let told = [&mut desk, &mut nobody].map(|desk| {
            let ask = Ask { password: Some(secret("wrong-77")), ..ask.clone() };
            desk.run(ask)
        });
        assert_eq!(told[0], told[1]);
        assert!(told[0].is_err());
    }
    assert!(nobody.journal.is_empty(), "nothing is kept of it");
    desk.wait(1_000);
    let short = Ask { new: Some(secret("x")), ..desk.ask(GOOD) };
    assert_eq!(desk.run(short), Err(SignInFault::Password(PasswordFault::Short(8))));
    desk.terms.first = None;
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::Wrong), "nor has one without a password any");
}

#[test]
fn names_that_nobody_has_take_so_much_room_and_no_more() {
    let mut desk = desk();
    let terms = Terms { stranger: true, ..desk.terms.clone() };
    let (once, at) = (desk.ask("wrong-77"), desk.at());
    for number in 0..3_000 {
        let agent = AgentId::new(TenantId::DEFAULT, &number.to_string()).unwrap();
        let mut ask = Ask { agent, ..once.clone() };
        let work = desk.all.begin(&terms, &mut ask, at).unwrap();
        assert_eq!(desk.all.finish(&terms, ask, hashed(&work), at), Err(SignInFault::Wrong));
    }
    assert!(desk.all.strangers() <= 1_024);
}

#[test]
fn the_present_password_is_never_a_new_one_whatever_is_remembered() {
    let mut desk = desk();
    desk.terms.rules.history = 0;
    assert_eq!(desk.change(Some(GOOD), GOOD), Err(SignInFault::Password(PasswordFault::Former(0))));
    assert_eq!(desk.change(Some(GOOD), "other-11"), Ok(()));
    assert_eq!(desk.change(Some("other-11"), GOOD), Ok(()), "the one before may be");
}

#[test]
fn wrong_passwords_are_slowed_and_then_locked_for_a_while() {
    let mut desk = desk();
    for (tries, pause) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
        assert_eq!(desk.sign_in("wrong-77"), Err(SignInFault::Wrong), "try {tries}");
        assert_eq!(desk.sign_in(GOOD), Err(SignInFault::TooSoon(pause)), "after try {tries}");
        desk.wait(pause.into());
    }
    assert_eq!(desk.sign_in("wrong-77"), Err(SignInFault::Locked(900)));
    let kept = desk.journal.last().unwrap();
    let sources = &kept.tries.as_ref().unwrap().sources;
    assert_eq!((kept.locked, sources[0].locked, sources.len()), (None, Some(Wall(915_000)), 1));
    desk.wait(899);
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::Locked(1)));
    desk.wait(1);
    assert_eq!(desk.sign_in(GOOD), Ok(()));
    let why = |event: &EventKind| match event {
        EventKind::SignInFailed { why, .. } => Some(why.clone()),
        _ => None,
    };
    let failed: Vec<String> = desk.events.iter().filter_map(why).collect();
    assert_eq!(failed.join(" "), "wrong_password wrong_password wrong_password wrong_password locked");
}

/// Anybody locked any agent out from anywhere, for as long as he liked: five wrong passwords a quarter of an hour.
#[test]
fn one_address_locks_itself_out_and_keeps_nobody_else_from_the_agent() {
    let mut desk = desk();
    desk.terms.rules.slow = Duration::from_secs(60);
    assert_eq!(desk.sign_in_from("192.0.2.65", "wrong-77"), Err(SignInFault::Wrong));
    assert_eq!(desk.sign_in(GOOD), Ok(()), "the other's wrong password slows him no more than it locks him");
    desk.all.end(&agent(), SessionEnd::SignedOut);
    desk.terms.rules.slow = Duration::ZERO;
    for _ in 0..8 {
        assert_eq!(desk.guess("192.0.2.66", 5), SignInFault::Locked(900));
        assert_eq!(desk.sign_in(GOOD), Ok(()));
        desk.all.end(&agent(), SessionEnd::SignedOut);
        desk.wait(900);
    }
    desk.guess("2001:db8::1", 4);
    assert_eq!(desk.guess("2001:db8::2:1", 1), SignInFault::Locked(900), "a network of IPv6 is one place");
    assert_eq!(desk.guess("2001:db8:0:1::1", 1), SignInFault::Wrong);
}

#[test]
fn several_addresses_together_lock_the_agent_for_all() {
    let mut desk = desk();
    for (n, answered) in [(1, 900), (2, 900), (3, 900)] {
        assert_eq!(desk.guess(&format!("192.0.2.{n}"), 5), SignInFault::Locked(answered));
    }
    assert_eq!(desk.guess("192.0.2.4", 4), SignInFault::Wrong);
    assert_eq!(desk.sign_in_from("192.0.2.5", "wrong-77"), Err(SignInFault::Locked(900)));
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::Locked(900)));
    desk.wait(900);
    assert_eq!(desk.sign_in(GOOD), Ok(()));
    // each from an address of its own: few are remembered, and all count
    desk.all.end(&agent(), SessionEnd::SignedOut);
    for n in 0..19 {
        assert_eq!(desk.sign_in_from(&format!("198.51.100.{n}"), "wrong-77"), Err(SignInFault::Wrong));
    }
    assert_eq!(desk.sign_in_from("198.51.100.19", "wrong-77"), Err(SignInFault::Locked(900)));
    let most =
        desk.journal.iter().filter_map(|kept| kept.tries.as_ref()).map(|tries| tries.sources.len()).max();
    assert_eq!(most, Some(8));
}

/// Nobody saw that an agent was locked out, and the one cure was another password.
#[test]
fn a_lock_is_shown_and_taken_away_and_the_password_stays() {
    let mut desk = desk();
    desk.guess("192.0.2.66", 5);
    let at = desk.at();
    let locks = desk.all.locks(&agent(), at.wall);
    assert_eq!(locks, [SignInLock { from: Some("192.0.2.66".into()), until: Wall(at.wall.0 + 892_000) }]);
    assert!(desk.all.locks(&agent(), Wall(at.wall.0 + 892_000)).is_empty(), "it is over");
    assert_eq!(desk.sign_in_from("192.0.2.66", GOOD), Err(SignInFault::Locked(892)));
    assert!(desk.all.unlock(&agent(), "agent 1009".into(), at));
    desk.note();
    assert!(desk.all.locks(&agent(), at.wall).is_empty());
    let by = "agent 1009".to_owned();
    assert_eq!(desk.events.last(), Some(&EventKind::SignInUnlocked { agent: agent(), by }));
    let kept = desk.journal.last().unwrap();
    assert_eq!((&kept.tries, kept.locked), (&None, None), "over a restart, too");
    assert_eq!(desk.sign_in_from("192.0.2.66", GOOD), Ok(()));
    assert!(!desk.all.unlock(&agent(), "key desk".into(), at), "nothing counts any more");
    for n in 1..=4 {
        desk.guess(&format!("192.0.2.{n}"), 5);
    }
    let at = desk.at();
    assert_eq!(desk.all.locks(&agent(), at.wall).iter().map(|lock| &lock.from).collect::<Vec<_>>(), [&None]);
    assert!(desk.all.unlock(&agent(), "key desk".into(), at));
}

/// The count began anew with each start of the switch.
#[test]
fn wrong_passwords_count_over_a_restart_and_little_is_written_of_them() {
    let mut desk = desk();
    desk.guess("192.0.2.9", 4);
    assert_eq!(desk.journal.len(), 3, "of the first, the second and the fourth");
    let text = serde_json::to_string(&JournalRecord::SignIn(Box::new(desk.journal.pop().unwrap()))).unwrap();
    let Ok(JournalRecord::SignIn(record)) = serde_json::from_str(&text) else { panic!("{text}") };
    let mut again = Desk { all: SignIns::default(), ..desk };
    again.all.restore(*record, Duration::from_secs(60), again.at().time);
    assert_eq!(again.sign_in("wrong-77"), Err(SignInFault::Locked(900)));
    again.journal.clear();
    (again.terms.rules.tries, again.terms.rules.slow) = (100, Duration::ZERO);
    again.wait(900);
    again.guess("192.0.2.9", 99);
    assert_eq!(again.journal.len(), 7, "1, 2, 4, 8, 16, 32 and 64 of them");
    again.wait(900);
    assert_eq!(again.sign_in(GOOD), Ok(()));
    assert_eq!(again.journal.last().unwrap().tries, None, "a right one ends it");
}

/// Many at a time used to be looked at before the first was counted: then a lock after five tries let through as many
/// guesses as fit into the time of one hash.
#[test]
fn guesses_at_the_same_time_are_no_more_than_those_one_after_another() {
    let mut desk = desk();
    let (terms, at) = (desk.terms.clone(), desk.at());
    let mut under_way = Vec::new();
    for _ in 0..20 {
        let mut ask = desk.ask("wrong-77");
        match desk.all.begin(&terms, &mut ask, at) {
            Ok(work) => under_way.push((ask, hashed(&work))),
            Err(why) => assert_eq!(why, SignInFault::Busy),
        }
    }
    assert_eq!(under_way.len(), 5);
    let ends: Vec<_> =
        under_way.into_iter().map(|(ask, hashed)| desk.end(ask, hashed).unwrap_err()).collect();
    assert!(ends.contains(&SignInFault::Locked(900)), "{ends:?}");
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::Locked(900)));
}

/// A page that was closed while its password was looked at left its try counted for ever: after five such nobody could sign in
/// as that agent any more.
#[test]
fn tries_that_nobody_ends_are_forgotten() {
    let mut desk = desk();
    let terms = desk.terms.clone();
    for _ in 0..5 {
        let (mut ask, at) = (desk.ask(GOOD), desk.at());
        desk.all.begin(&terms, &mut ask, at).unwrap();
    }
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::Busy));
    desk.wait(30);
    assert_eq!(desk.sign_in(GOOD), Ok(()));
}

#[test]
fn what_there_was_no_room_for_does_not_count_as_a_try() {
    let mut desk = desk();
    for _ in 0..20 {
        let (mut ask, at, terms) = (desk.ask(GOOD), desk.at(), desk.terms.clone());
        desk.all.begin(&terms, &mut ask, at).unwrap();
        assert_eq!(desk.end(ask, Hashed::Busy), Err(SignInFault::Busy));
    }
    assert_eq!(desk.sign_in(GOOD), Ok(()));
}

#[test]
fn a_second_sign_in_is_refused_or_takes_over() {
    let mut desk = desk();
    desk.sign_in(GOOD).unwrap();
    desk.wait(10);
    let Err(SignInFault::Elsewhere(where_)) = desk.sign_in(GOOD) else { panic!() };
    assert_eq!((where_.place.as_str(), where_.since, where_.phone), ("desk 1", Wall(0), false));
    let mut ask = desk.ask(GOOD);
    ask.session.as_mut().unwrap().take_over = true;
    desk.run(ask).unwrap();
    assert!(desk.last_opens());
    let now = desk.at().time;
    assert_eq!(desk.all.used(&TokenHash([1; 32]), now), None, "the first token opens nothing");
    let ended =
        EventKind::SessionEnded { agent: agent(), why: SessionEnd::TakenOver, place: "desk 1".into() };
    assert!(desk.events.contains(&ended), "{:?}", desk.events);
    assert_eq!(desk.all.session(&agent()).unwrap().1.place, "desk 3");
}

#[test]
fn a_wrong_password_is_not_told_where_somebody_is_signed_in() {
    let mut desk = desk();
    desk.sign_in(GOOD).unwrap();
    assert_eq!(desk.sign_in("wrong-77"), Err(SignInFault::Wrong));
}

#[test]
fn a_session_lasts_as_long_as_it_is_used() {
    let mut desk = desk();
    desk.sign_in(GOOD).unwrap();
    let idle = desk.terms.rules.idle;
    let look = |desk: &mut Desk| {
        let now = desk.at().time;
        let ended = desk.all.handle_timeout(|_| idle, now);
        desk.note();
        ended
    };
    desk.wait(43_199);
    assert!(desk.last_opens());
    assert_eq!(desk.all.poll_timeout(), Some(Time::from_millis(43_200_000)));
    desk.wait(1);
    assert_eq!(look(&mut desk), []);
    assert_eq!(desk.all.poll_timeout(), Some(Time::from_millis((43_199 + 43_200) * 1_000)));
    desk.wait(43_199);
    assert_eq!(look(&mut desk), [agent()]);
    assert!(!desk.last_opens());
    assert_eq!(desk.all.poll_timeout(), None);
    assert!(matches!(desk.events.last(), Some(EventKind::SessionEnded { why: SessionEnd::Idle, .. })));
    assert_eq!(desk.journal.last().unwrap().session, None);
}

#[test]
fn a_password_that_somebody_else_has_set_is_changed_at_the_first_sign_in() {
    let mut desk = desk();
    desk.terms.rules.change_first = true;
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::MustChange), "the one of the configuration");
    desk.change(None, OTHER).unwrap();
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::Wrong), "the old one");
    desk.wait(1);
    assert_eq!(desk.sign_in(OTHER), Err(SignInFault::MustChange));
    let ask = desk.ask(OTHER);
    desk.run(Ask { new: Some(secret("my own 1")), ..ask }).unwrap();
    assert!(desk.last_opens());
    desk.all.end(&agent(), SessionEnd::SignedOut);
    assert_eq!(desk.sign_in("my own 1"), Ok(()));
}

#[test]
fn a_password_grows_old_and_may_not_be_one_of_the_last() {
    let mut desk = desk();
    desk.terms.rules.age = 30;
    desk.change(Some(GOOD), OTHER).unwrap();
    desk.wait(30 * 86_400 - 1);
    assert_eq!(desk.sign_in(OTHER), Ok(()));
    desk.all.end(&agent(), SessionEnd::SignedOut);
    desk.wait(1);
    assert_eq!(desk.sign_in(OTHER), Err(SignInFault::Expired));
    let former = Err(SignInFault::Password(PasswordFault::Former(3)));
    assert_eq!(desk.change(Some(OTHER), OTHER), former, "the present one");
    assert_eq!(desk.change(Some(OTHER), GOOD), former, "the one before");
    desk.change(Some(OTHER), "third-11").unwrap();
    assert_eq!(desk.change(Some("third-11"), GOOD), former, "the third from the end");
    desk.change(Some("third-11"), "fourth-11").unwrap();
    desk.change(Some("fourth-11"), GOOD).unwrap();
    desk.terms.rules.history = 0;
    desk.change(Some(GOOD), OTHER).unwrap();
    desk.change(Some(OTHER), GOOD).unwrap();
    desk.terms.rules.age = 0;
    desk.wait(4_000 * 86_400);
    assert_eq!(desk.sign_in(GOOD), Ok(()), "with no age it is never too old");
}

#[test]
fn a_new_password_obeys_the_rules_and_needs_the_old_one_or_a_key() {
    let mut desk = desk();
    let short = Err(SignInFault::Password(PasswordFault::Short(8)));
    assert_eq!(desk.change(Some(GOOD), "short-1"), short);
    assert_eq!(desk.change(None, "short-1"), short, "nor does a key set it");
    assert_eq!(desk.change(Some("wrong-77"), OTHER), Err(SignInFault::Wrong));
    desk.wait(1);
    assert_eq!(desk.change(Some(GOOD), OTHER), Ok(()));
    assert_eq!(desk.events.last(), Some(&EventKind::PasswordSet { agent: agent(), by: "agent 1001".into() }));
}

#[test]
fn another_password_ends_the_session_and_a_lock() {
    let mut desk = desk();
    desk.sign_in(GOOD).unwrap();
    desk.terms.rules.tries = 1;
    assert_eq!(desk.sign_in("wrong-77"), Err(SignInFault::Locked(900)));
    desk.change(None, OTHER).unwrap();
    let over =
        |event: &EventKind| matches!(event, EventKind::SessionEnded { why: SessionEnd::PasswordChanged, .. });
    assert!(desk.events.iter().any(over), "{:?}", desk.events);
    assert_eq!(desk.all.session(&agent()), None);
    assert_eq!(desk.sign_in(OTHER), Ok(()));
}

/// A sign-in whose password was still being looked at when it was changed would have begun a session with the old one.
#[test]
fn a_password_that_is_changed_while_it_is_looked_at_is_not_enough() {
    let mut desk = desk();
    let (mut ask, at, terms) = (desk.ask(GOOD), desk.at(), desk.terms.clone());
    let work = desk.all.begin(&terms, &mut ask, at).unwrap();
    desk.change(None, OTHER).unwrap();
    assert_eq!(desk.end(ask, hashed(&work)), Err(SignInFault::Busy));
    assert_eq!(desk.all.session(&agent()), None);
}

#[test]
fn who_signs_in_by_keys_may_and_is_where_he_was_when_he_calls_again() {
    let mut desk = desk();
    let by_keys = |desk: &mut Desk, from: &str| {
        let ask = desk.ask(GOOD);
        let session = NewSession {
            token: None,
            place: from.into(),
            address: String::new(),
            phone: true,
            take_over: false,
        };
        desk.run(Ask { session: Some(session), ..ask })
    };
    assert_eq!(by_keys(&mut desk, "1001"), Err(SignInFault::NotByPhone));
    desk.terms.phone = true;
    let first = by_keys(&mut desk, "1001").unwrap();
    let again = by_keys(&mut desk, "1001").unwrap();
    assert_ne!(first, again);
    let Err(SignInFault::Elsewhere(where_)) = by_keys(&mut desk, "1002") else { panic!() };
    assert!(where_.phone && where_.place == "1001");
    assert_eq!(desk.all.poll_timeout(), None, "a telephone asks for nothing: its session is not idle");
}

#[test]
fn what_the_journal_holds_is_there_again_and_its_token_opens() {
    let mut desk = desk();
    desk.change(Some(GOOD), OTHER).unwrap();
    desk.sign_in(OTHER).unwrap();
    let text = serde_json::to_string(&JournalRecord::SignIn(Box::new(desk.journal.pop().unwrap()))).unwrap();
    assert!(!text.contains(OTHER) || text.contains("hash of"), "{text}");
    let Ok(JournalRecord::SignIn(record)) = serde_json::from_str(&text) else { panic!("{text}") };
    let mut again = Desk { all: SignIns::default(), ..desk };
    again.all.restore(*record, Duration::from_secs(60), again.at().time);
    assert!(again.last_opens());
    assert!(matches!(again.sign_in(OTHER), Err(SignInFault::Elsewhere(_))));
    assert_eq!(
        again.sign_in(GOOD),
        Err(SignInFault::Wrong),
        "the password of the configuration is not his any more"
    );
    assert_eq!(again.all.poll_timeout(), Some(Time::from_millis(60_000)));
}

#[test]
fn a_record_that_says_less_is_read_too() {
    let text = r#"{"kind":"sign_in","agent":{"tenant":"default","name":"1001"}}"#;
    let read: Result<JournalRecord, _> = serde_json::from_str(text);
    let record = read.or_else(|_| {
        serde_json::from_str(&text.replace(r#"{"tenant":"default","name":"1001"}"#, r#""default/1001""#))
    });
    let JournalRecord::SignIn(record) = record.unwrap() else { panic!() };
    let empty = SignInRecord {
        agent: agent(),
        password: None,
        session: None,
        locked: None,
        tries: None,
        gone: None,
        softphone: None,
    };
    assert_eq!(*record, empty);
}

#[test]
fn nothing_that_is_printed_holds_a_password_a_token_or_a_hash() {
    let mut desk = desk();
    let mut ask = desk.ask(GOOD);
    ask.new = Some(secret(OTHER));
    let work = desk.all.begin(&desk.terms.clone(), &mut ask, At { time: Time::ZERO, wall: Wall(0) }).unwrap();
    let session = Session {
        token: Some(TokenHash([7; 32])),
        place: String::new(),
        address: String::new(),
        since: Wall(0),
        phone: false,
    };
    let shown = format!("{ask:?} {work:?} {:?} {session:?}", hashed(&work));
    for hidden in [GOOD, OTHER, "hash of", "7, 7"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
