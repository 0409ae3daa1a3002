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
    let terms = Terms { rules, phone: false, first: Some(hash(GOOD)) };
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
        let work = self.all.begin(Some(&terms), &mut ask, at)?;
        self.end(ask, hashed(&work))
    }

    fn end(&mut self, ask: Ask, hashed: Hashed) -> Result<Option<u64>, SignInFault> {
        let (at, terms) = (self.at(), self.terms.clone());
        let done = self.all.finish(Some(&terms), ask, hashed, at);
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

#[test]
fn who_is_not_configured_is_answered_as_one_whose_password_is_wrong() {
    let mut desk = desk();
    let (mut ask, at) = (desk.ask(GOOD), desk.at());
    let work = desk.all.begin(None, &mut ask, at).unwrap();
    assert_eq!(work.check, Some((secret(GOOD), None)));
    assert_eq!(desk.all.finish(None, ask.clone(), hashed(&work), at), Err(SignInFault::Wrong));
    let by_key = &mut Ask { password: None, ..ask };
    assert_eq!(desk.all.begin(None, by_key, at), Err(SignInFault::NoSuchAgent));
    desk.terms.first = None;
    assert_eq!(desk.sign_in(GOOD), Err(SignInFault::Wrong), "nor has one without a password any");
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
    assert_eq!(desk.journal.last().unwrap().locked, Some(Wall(915_000)));
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

/// Many at a time used to be looked at before the first was counted: then a lock after five tries let through as many
/// guesses as fit into the time of one hash.
#[test]
fn guesses_at_the_same_time_are_no_more_than_those_one_after_another() {
    let mut desk = desk();
    let (terms, at) = (desk.terms.clone(), desk.at());
    let mut under_way = Vec::new();
    for _ in 0..20 {
        let mut ask = desk.ask("wrong-77");
        match desk.all.begin(Some(&terms), &mut ask, at) {
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
        desk.all.begin(Some(&terms), &mut ask, at).unwrap();
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
        desk.all.begin(Some(&terms), &mut ask, at).unwrap();
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
    desk.change(Some(GOOD), GOOD).unwrap();
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
    let work = desk.all.begin(Some(&terms), &mut ask, at).unwrap();
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
    assert_eq!(
        *record,
        SignInRecord { agent: agent(), password: None, session: None, locked: None, gone: None }
    );
}

#[test]
fn nothing_that_is_printed_holds_a_password_a_token_or_a_hash() {
    let mut desk = desk();
    let mut ask = desk.ask(GOOD);
    ask.new = Some(secret(OTHER));
    let work =
        desk.all.begin(Some(&desk.terms.clone()), &mut ask, At { time: Time::ZERO, wall: Wall(0) }).unwrap();
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
