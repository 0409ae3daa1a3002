//! How agents sign in: a tenant's rules for passwords and sessions, and what is each agent's own.

use super::machine::flag;
use super::section::{Section, Wrong};
use super::tenant::Context;
use super::tree::Node;
use super::value::{duration, integer, one_of, some_text, text};
use crate::hashing;
use cordboard_model::config::Secret;
use cordboard_model::id::Name;
use cordboard_model::signin::{AgentSignIn, SignInRules, TenantSignIn};
use core::cell::RefCell;
use core::time::Duration;

/// Most days that a password may be good.
const AGE_MAX: u16 = 3_650;

/// By what a softphone proves itself: the secret of its account, or its agent's password.
const PHONE_AUTH: &[(&str, bool)] = &[("account", false), ("unified", true)];

/// What is read of it while agents are.
#[derive(Default)]
pub(super) struct SignIn(RefCell<TenantSignIn>);

impl SignIn {
    /// Reads the tenant's rules.
    pub(super) fn tenant(section: &Section<'_>) -> Self {
        let own = section.section("sign_in");
        let usual = SignInRules::default();
        let s = Duration::from_secs;
        let rules = SignInRules {
            length: own.or("length", usual.length, integer(6..=64, "characters")),
            digits: own.or("digits", usual.digits, integer(6..=32, "digits")),
            kinds: own.or("kinds", usual.kinds, integer(1..=4, "")),
            history: own.or("history", usual.history, integer(0..=10, "passwords")),
            age: own.or("password_age", usual.age, integer(0..=AGE_MAX, "days")),
            change_first: flag(&own, "change_first", usual.change_first),
            tries: own.or("tries", usual.tries, integer(1..=100, "")),
            lock: own.or("lock", usual.lock, duration(s(1)..=s(86_400))),
            slow: own.or("slow", usual.slow, duration(s(0)..=s(60))),
            idle: own.or("session_idle", usual.idle, duration(s(60)..=s(604_800))),
        };
        own.finish();
        Self(RefCell::new(TenantSignIn { rules, ..TenantSignIn::default() }))
    }

    /// Reads what is an agent's own.
    pub(super) fn agent(&self, context: &Context<'_>, name: &Name, section: &Section<'_>) {
        self.put(name, &self.read(context, name, section));
    }

    /// What an agent's section says, or a range's. `name` is what the hash of a password from the environment is salted with.
    pub(super) fn read(&self, context: &Context<'_>, name: &Name, section: &Section<'_>) -> AgentSignIn {
        let hash = section.opt("password_hash", hash);
        let variable = section.opt("password_env", some_text);
        if let (Some(_), Some(second)) = (&hash, &variable) {
            section.conflict("password_env", second.pos, "give one of password_hash and password_env");
        }
        let read = |password: String| hashing::configured(&context.id.to_string(), name.as_str(), &password);
        let password = match hash {
            Some(hash) => Some(hash.value),
            None => variable.and_then(|at| context.variable(section, &at)).map(read),
        };
        AgentSignIn {
            phone: flag(section, "phone_sign_in", false),
            password: password.map(Secret),
            age: section.opt("password_age", integer(0..=AGE_MAX, "days")).map(|at| at.value),
            unified: section.or("phone_auth", false, one_of(PHONE_AUTH)),
        }
    }

    /// That is what an agent has.
    pub(super) fn put(&self, name: &Name, own: &AgentSignIn) {
        if *own != AgentSignIn::default() {
            self.0.borrow_mut().agents.insert(name.clone(), own.clone());
        }
    }

    /// All of it.
    pub(super) fn take(&self) -> TenantSignIn {
        self.0.take()
    }
}

/// The hash of a password. What stands there instead may be the password itself: it is not shown.
fn hash(node: &Node) -> Result<String, Wrong> {
    let expected = "what `cordboard agent password --hash` prints: argon2id, at most 64 MiB and 8 passes";
    let wrong = || Wrong { expected: expected.into(), found: "something else".into() };
    text(node).ok().filter(|text| hashing::is_hash(text)).ok_or_else(wrong)
}
