//! Who may ask the control plane for what: scopes and the roles made of them, keys, people who administrate, their sessions,
//! and the records of what they have changed.
//!
//! Invariant: nothing here that is printed holds a password, a key, a token or the hash of one.

use crate::id::{Name, TenantId};
use crate::once::{OnceAnswer, OnceMark, PageSession};
use crate::signin::{KeptPassword, TokenHash};
use crate::time::Wall;
use core::fmt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What keys that were made over the API begin with.
pub const KEY_PREFIX: &str = "cbk_";
/// What tokens of people's sessions begin with.
pub const USER_TOKEN_PREFIX: &str = "cbu_";
/// Most scopes of a key.
pub const SCOPES_MAX: usize = 64;
/// Longest name of a key that is shown, bytes.
pub const KEY_NAME_MAX: usize = 64;
/// Things of the machine and not of a tenant: `*` does not open them, they are named.
pub const MACHINE: [&str; 2] = ["bans", "switch"];

/// What somebody may ask for: `calls:read`, all of a thing (`calls:*`), one act on every thing (`*:read`), or `*`. Of the things
/// in [`MACHINE`] only what names them is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
#[schemars(with = "Vec<String>")]
pub struct Scopes(BTreeSet<String>);

/// Why a text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeError {
    /// It has not the form of one.
    Shape(String),
    /// There are more than [`SCOPES_MAX`].
    Many,
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => {
                write!(f, "{text:?} is not a scope, as calls:read, calls:*, *:read or * are")
            }
            Self::Many => write!(f, "more than {SCOPES_MAX} scopes"),
        }
    }
}

impl std::error::Error for ScopeError {}

/// Its thing and its act.
fn parts(scope: &str) -> (&str, &str) {
    if scope == "*" { ("*", "*") } else { scope.split_once(':').unwrap_or((scope, "")) }
}

fn is_scope(text: &str) -> bool {
    let word = |part: &str| {
        part == "*"
            || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
    };
    let (thing, act) = parts(text);
    text.len() <= 64 && word(thing) && word(act) && text != "*:*"
}

impl Scopes {
    /// Reads scopes.
    ///
    /// # Errors
    /// One has not the form of a scope, or there are too many.
    pub fn new<T: Into<String>>(scopes: impl IntoIterator<Item = T>) -> Result<Self, ScopeError> {
        let mut read = BTreeSet::new();
        for scope in scopes {
            let scope = scope.into();
            if !is_scope(&scope) {
                return Err(ScopeError::Shape(scope));
            }
            if read.len() == SCOPES_MAX {
                return Err(ScopeError::Many);
            }
            read.insert(scope);
        }
        Ok(Self(read))
    }

    /// Everything, the machine included.
    pub fn all() -> Self {
        let machine = MACHINE.iter().map(|thing| format!("{thing}:*"));
        Self(machine.chain(["*".to_owned()]).collect())
    }

    /// Whether they open this one.
    pub fn cover(&self, wanted: &str) -> bool {
        let (thing, act) = parts(wanted);
        let opens = |held: &String| {
            let (of, to) = parts(held);
            (of == thing || (of == "*" && !MACHINE.contains(&thing))) && (to == act || to == "*")
        };
        self.0.iter().any(opens)
    }

    /// Whether these give nothing that `others` do not give.
    pub fn within(&self, others: &Self) -> bool {
        self.0.iter().all(|scope| others.cover(scope))
    }

    /// Both.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<String>> for Scopes {
    type Error = ScopeError;
    fn try_from(scopes: Vec<String>) -> Result<Self, ScopeError> {
        Self::new(scopes)
    }
}

impl From<Scopes> for Vec<String> {
    fn from(scopes: Scopes) -> Self {
        scopes.0.into_iter().collect()
    }
}

/// What people who administrate are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// All that is the tenant's, users and keys too.
    Administrator,
    /// Calls, agents and queues as they are, records, recordings and figures.
    Supervisor,
    /// Flows, tables and what callers are routed by.
    Designer,
    /// Reads what was done and by whom, and changes nothing.
    Auditor,
    /// The machine: bans, trunks, the configuration file, stopping.
    Operator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Administrator, Self::Supervisor, Self::Designer, Self::Auditor, Self::Operator];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Supervisor => "supervisor",
            Self::Designer => "designer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// The role of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What it opens.
    pub fn grants(self) -> &'static [&'static str] {
        match self {
            Self::Administrator => &["*"],
            Self::Supervisor => &[
                "accounts:read",
                "agents:*",
                "callbacks:*",
                "calls:*",
                "campaigns:*",
                "cdrs:read",
                "chats:*",
                "events:read",
                "queues:*",
                "recordings:*",
                "reports:read",
                "trunks:read",
            ],
            Self::Designer => &[
                "agents:read",
                "calls:read",
                "cdrs:read",
                "config:read",
                "events:read",
                "flows:*",
                "queues:read",
                "tables:*",
                "trunks:read",
            ],
            Self::Auditor => &[
                "audit:read",
                "cdrs:read",
                "config:read",
                "keys:read",
                "recordings:read",
                "reports:read",
                "sessions:read",
                "users:read",
            ],
            Self::Operator => &[
                "accounts:*",
                "agents:read",
                "bans:*",
                "calls:read",
                "config:*",
                "events:read",
                "queues:read",
                "switch:*",
                "trunks:*",
            ],
        }
    }
}

/// What several roles open together.
pub fn scopes_of(roles: &BTreeSet<Role>) -> Scopes {
    Scopes(roles.iter().flat_map(|role| role.grants()).map(|scope| (*scope).to_owned()).collect())
}

/// A key that was made over the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Whose tenant's.
    pub tenant: TenantId,
    /// Names it in paths; not a secret.
    pub id: Name,
    /// What it is for, in the words of who made it.
    pub name: String,
    /// SHA-256 of it.
    pub hash: TokenHash,
    /// What it opens.
    pub scopes: Scopes,
    /// Since when.
    pub made: Wall,
    /// Who made it.
    pub by: String,
    /// Until when.
    #[serde(default)]
    pub expires: Option<Wall>,
    /// It opens nothing any more since then.
    #[serde(default)]
    pub revoked: Option<Wall>,
    /// When it was last used, to some minutes.
    #[serde(default)]
    pub used: Option<Wall>,
}

impl KeyRecord {
    /// Whether it opens anything at this time.
    pub fn is_good(&self, now: Wall) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

/// The second factor of a person (RFC 6238).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpRecord {
    /// The secret that his device shares, bytes.
    pub secret: Vec<u8>,
    /// He has shown a code of it: from then on it is asked for.
    pub confirmed: bool,
    /// The step of the last code that was taken; neither it nor one before it is taken again.
    #[serde(default)]
    pub step: u64,
    /// SHA-256 of recovery codes that were not used yet.
    #[serde(default)]
    pub recovery: Vec<TokenHash>,
}

impl fmt::Debug for TotpRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TotpRecord").field("confirmed", &self.confirmed).finish_non_exhaustive()
    }
}

/// Somebody who administrates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// Of which tenant.
    pub tenant: TenantId,
    /// The name that he signs in with.
    pub name: Name,
    /// The name shown to people.
    #[serde(default)]
    pub display: String,
    /// What he is.
    pub roles: BTreeSet<Role>,
    /// His password.
    pub password: KeptPassword,
    /// His second factor.
    #[serde(default)]
    pub totp: Option<TotpRecord>,
    /// He may not sign in.
    #[serde(default)]
    pub disabled: bool,
    /// Since when there is he.
    pub made: Wall,
    /// Who made him.
    pub by: String,
    /// When he signed in last.
    #[serde(default)]
    pub signed_in: Option<Wall>,
}

/// A session of a person that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSession {
    /// Names it in paths; not a secret.
    pub id: Name,
    /// SHA-256 of its token.
    pub hash: TokenHash,
    /// Of which tenant.
    pub tenant: TenantId,
    /// Whose.
    pub user: Name,
    /// What he was when it began, or has been made since.
    pub roles: BTreeSet<Role>,
    /// Since when.
    pub since: Wall,
    /// It is over then, whatever happens.
    pub until: Wall,
    /// When it was last used, to some minutes.
    pub used: Wall,
    /// The address that asked for it.
    pub address: String,
    /// The program that asked for it, in its own words.
    #[serde(default)]
    pub agent: String,
    /// He has no second factor and must have one: it opens nothing but that.
    #[serde(default)]
    pub enrolling: bool,
}

/// What the configuration says of who may administrate a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTerms {
    /// A session without a request for so long is over.
    pub idle: core::time::Duration,
    /// No session lasts longer.
    pub longest: core::time::Duration,
    /// Everybody needs a second factor.
    pub totp_required: bool,
    /// Origins of pages that may read answers of this tenant's.
    pub origins: BTreeSet<String>,
    /// How long the audit log is kept.
    pub audit_keep: core::time::Duration,
}

impl Default for AccessTerms {
    fn default() -> Self {
        let hours = |hours: u64| core::time::Duration::from_secs(hours * 3_600);
        Self {
            idle: hours(1),
            longest: hours(12),
            totp_required: false,
            origins: BTreeSet::new(),
            audit_keep: hours(24 * 400),
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is not: who asked may not, or it was not possible.
    Refused,
    /// It is not, or not known to be: a fault of ours.
    Failed,
}

impl Outcome {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The outcome of this word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Done, Self::Refused, Self::Failed].into_iter().find(|outcome| outcome.as_str() == word)
    }

    /// What an answer of this HTTP status says.
    pub fn of_status(status: u16) -> Self {
        match status {
            0..=399 => Self::Done,
            400..=499 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// A change that somebody asked for.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, later ones higher; the store gives it.
    #[serde(default)]
    pub id: u64,
    /// Whose tenant's.
    pub tenant: TenantId,
    /// When.
    pub at: Wall,
    /// Who: `user li`, `key bar`, `agent 1001`.
    pub who: String,
    /// The address that asked.
    pub from: String,
    /// What was asked for: the operation's name.
    pub action: String,
    /// Of what: the path, or what the operation says it is about.
    pub resource: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The status of the answer.
    pub status: u16,
    /// The word of the problem, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was asked, without its secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<serde_json::Value>,
    /// How it was before, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<serde_json::Value>,
    /// How it is now, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
}

/// Which entries of a tenant's audit log, newest first. Every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// At or after.
    pub from: Option<Wall>,
    /// Before.
    pub to: Option<Wall>,
    /// By him.
    pub who: Option<String>,
    /// This was asked for.
    pub action: Option<String>,
    /// About this.
    pub resource: Option<String>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// From this address.
    pub source: Option<String>,
    /// What follows the entry of this time and number.
    pub before: Option<(Wall, u64)>,
    /// At most so many, 1 to 1,000.
    pub limit: u32,
}

/// A change of what is kept of keys, people and sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessWrite {
    /// A key is as this; one that is new or not.
    Key(Box<KeyRecord>),
    /// A person is as this.
    User(Box<UserRecord>),
    /// There is this person from now on; fails if there is one of this name.
    NewUser(Box<UserRecord>),
    /// There is no such person any more.
    NoUser(TenantId, Name),
    /// A session is as this.
    Session(Box<UserSession>),
    /// A session is over.
    NoSession(TenantId, Name),
    /// Something is shown that opens once; fails if it was shown before.
    Once(OnceMark),
    /// What was shown opened nothing: it may be shown again.
    NotOnce([u8; 16]),
    /// What was shown was answered so.
    OnceAnswer(Box<OnceAnswer>),
    /// A session that an enterprise's page has begun is as this.
    Page(Box<PageSession>),
    /// Such a session is over.
    NoPage(TenantId, Name),
}

/// What is kept of keys and sessions, for a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Every key, revoked ones too.
    pub keys: Vec<KeyRecord>,
    /// Every session.
    pub sessions: Vec<UserSession>,
    /// Every session that an enterprise's page has begun.
    pub pages: Vec<PageSession>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(texts: &[&str]) -> Scopes {
        Scopes::new(texts.iter().copied()).unwrap()
    }

    #[test]
    fn a_scope_opens_what_it_names_and_a_star_all_but_the_machine() {
        let some = scopes(&["calls:*", "cdrs:read", "*:read"]);
        for (wanted, open) in [
            ("calls:read", true),
            ("calls:control", true),
            ("cdrs:read", true),
            ("cdrs:write", false),
            ("users:read", true),
            ("bans:read", false),
            ("switch:control", false),
        ] {
            assert_eq!(some.cover(wanted), open, "{wanted}");
        }
        assert!(scopes(&["*"]).cover("users:write"));
        assert!(!scopes(&["*"]).cover("switch:control"));
        assert!(Scopes::all().cover("switch:control") && Scopes::all().cover("bans:read"));
        assert!(!Scopes::default().cover("calls:read"));
    }

    #[test]
    fn nobody_gives_more_than_he_has() {
        let some = scopes(&["calls:*", "cdrs:read"]);
        assert!(scopes(&["calls:read", "cdrs:read"]).within(&some));
        assert!(scopes(&["calls:*"]).within(&some));
        assert!(!scopes(&["*:read"]).within(&some));
        assert!(!scopes(&["*"]).within(&some));
        assert!(!scopes(&["switch:*"]).within(&scopes(&["*"])));
        assert!(scopes(&["*", "switch:*"]).within(&Scopes::all()));
        assert!(!Scopes::all().within(&scopes(&["*"])));
    }

    #[test]
    fn what_has_not_the_form_of_a_scope_is_none() {
        for text in ["", "calls", "calls:", ":read", "calls:read:more", "Calls:read", "*:*", "calls read"] {
            assert_eq!(Scopes::new([text]), Err(ScopeError::Shape(text.to_owned())), "{text:?}");
        }
        let many = (0..65).map(|n| format!("{}:read", "a".repeat(n % 30 + 1)));
        assert!(Scopes::new(many).is_ok(), "the same scope twice is one");
    }

    #[test]
    fn every_role_is_made_of_scopes_and_only_one_opens_the_machine() {
        for role in Role::ALL {
            let own = scopes_of(&BTreeSet::from([role]));
            assert_eq!(Scopes::new(own.iter()), Ok(own.clone()), "{role:?}");
            assert_eq!(own.cover("switch:control"), role == Role::Operator, "{role:?}");
            assert_eq!(own.cover("users:write"), role == Role::Administrator, "{role:?}");
            assert_eq!(Role::of(role.as_str()), Some(role));
        }
    }
}
