//! How agents sign in: their passwords, the rules for them, and the one session that each may have.
//!
//! Invariant: nothing here that is printed holds a password, a token or the hash of one; only what the journal keeps has the
//! hashes.

use crate::config::Secret;
use crate::id::{AgentId, Name};
use crate::service::AgentOrder;
use crate::time::Wall;
use core::fmt;
use core::time::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest password, bytes.
pub const PASSWORD_MAX: usize = 128;
/// Longest word on where somebody signs in, characters.
pub const PLACE_MAX: usize = 64;
/// What tokens of sessions begin with: by it they are told from keys.
pub const TOKEN_PREFIX: &str = "cbs_";

/// What a tenant asks of its agents' passwords and sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRules {
    /// Fewest characters of a password.
    pub length: u8,
    /// Fewest digits of a password that is digits alone, of agents who may sign in by keys.
    pub digits: u8,
    /// Of how many kinds (small letters, capitals, digits, others) it must be. Not asked of digits alone.
    pub kinds: u8,
    /// So many earlier passwords are not taken again.
    pub history: u8,
    /// Days after which it must be changed; zero for never.
    pub age: u16,
    /// One that somebody else has set must be changed at the first sign-in.
    pub change_first: bool,
    /// Wrong passwords in a row after which nobody signs in for a while.
    pub tries: u8,
    /// For how long.
    pub lock: Duration,
    /// After a wrong password the next one is looked at so long after it, twice as long after each more.
    pub slow: Duration,
    /// A session without a request for so long is over.
    pub idle: Duration,
}

impl Default for SignInRules {
    fn default() -> Self {
        Self {
            length: 8,
            digits: 6,
            kinds: 2,
            history: 3,
            age: 90,
            change_first: true,
            tries: 5,
            lock: Duration::from_secs(900),
            slow: Duration::from_secs(1),
            idle: Duration::from_secs(43_200),
        }
    }
}

/// What the configuration says of one agent's sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSignIn {
    /// He may sign in by the keys of a telephone.
    pub phone: bool,
    /// The hash of his first password, as argon2 writes it.
    pub password: Option<Secret>,
    /// Days after which his password must be changed, where that is not the tenant's.
    pub age: Option<u16>,
    /// His softphone proves itself by his password, from when he has set one, and not by the secret of its account.
    #[serde(default)]
    pub unified: bool,
}

/// What it says of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSignIn {
    /// What it asks for.
    pub rules: SignInRules,
    /// Of agents who have anything of their own.
    pub agents: BTreeMap<Name, AgentSignIn>,
}

/// The hash of a password, with its salt and parameters, as argon2 writes it (PHC). No message shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub String);

/// What a [`PasswordHash`] begins with that stands for a secret of the environment and lives in memory alone.
pub const IN_MEMORY: &str = "memory:";

impl PasswordHash {
    /// Whether it may be written down: one that was made quickly, of a secret that is at hand at each start, may not.
    pub fn may_be_kept(&self) -> bool {
        !self.0.starts_with(IN_MEMORY)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hash)")
    }
}

/// SHA-256 of a session's token. No message shows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hash)")
    }
}

/// A password that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPassword {
    /// Its hash.
    pub hash: PasswordHash,
    /// Since when.
    pub set: Wall,
    /// Somebody else has set it.
    pub by_other: bool,
    /// Those before it, the newest first.
    #[serde(default)]
    pub former: Vec<PasswordHash>,
}

/// What a softphone shows that proves itself by its agent's password: digests of it (RFC 7616 3.4.2). One of an algorithm that
/// is not offered is empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneSecret {
    /// By MD5.
    pub md5: String,
    /// By SHA-256.
    pub sha256: String,
}

impl core::fmt::Debug for PhoneSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // as good as the password
        f.write_str("PhoneSecret")
    }
}

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Of its token; none of one that was begun by keys.
    pub token: Option<TokenHash>,
    /// Where he is, in his words; of one that was begun by keys, the number that he called from.
    pub place: String,
    /// The address that asked for it; empty of one that was begun by keys.
    #[serde(default)]
    pub address: String,
    /// Since when.
    pub since: Wall,
    /// It was begun by the keys of a telephone.
    #[serde(default)]
    pub phone: bool,
}

/// All that is kept of an agent's sign-in: the newest record counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRecord {
    /// Who.
    pub agent: AgentId,
    /// His password, if it is not the one of the configuration.
    #[serde(default)]
    pub password: Option<KeptPassword>,
    /// His session.
    #[serde(default)]
    pub session: Option<Session>,
    /// Until when no password is looked at, from wherever it comes.
    #[serde(default)]
    pub locked: Option<Wall>,
    /// Wrong passwords that count.
    #[serde(default)]
    pub tries: Option<KeptTries>,
    /// Since when the configuration has no such agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Wall>,
    /// What his softphone proves itself by, if that is his password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub softphone: Option<PhoneSecret>,
}

/// Wrong passwords of an agent that count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTries {
    /// From anywhere.
    pub total: u16,
    /// When the last came.
    pub last: Wall,
    /// Each place that they came from.
    #[serde(default)]
    pub sources: Vec<KeptSource>,
}

/// Wrong passwords from one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSource {
    /// An address, the network of one, or a number.
    pub from: String,
    /// How many, in a row.
    pub wrong: u8,
    /// Until when none from there is looked at.
    #[serde(default)]
    pub locked: Option<Wall>,
}

/// Nobody's password is looked at for an agent, for a while, after too many that were wrong.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SignInLock {
    /// If it comes from this address, network of IPv6 or number; from wherever it comes if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When it is over.
    pub until: Wall,
}

/// A session, as people are shown it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SessionView {
    /// Since when.
    pub since: Wall,
    /// Where, in the words of who signed in, or the number that he called from.
    #[serde(rename = "where")]
    pub place: String,
    /// The address that asked for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// It was begun by the keys of a telephone.
    pub phone: bool,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        Self {
            since: session.since,
            place: session.place.clone(),
            address: session.address.clone(),
            phone: session.phone,
        }
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// He signed out, or was signed out.
    SignedOut,
    /// He signed in elsewhere.
    TakenOver,
    /// Nothing was asked for too long.
    Idle,
    /// His password was changed.
    PasswordChanged,
}

/// What a password lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// It has fewer characters than these.
    Short(u8),
    /// It has more bytes than [`PASSWORD_MAX`].
    Long,
    /// It is of fewer kinds of characters than these.
    Kinds(u8),
    /// It is the agent's number, forwards or backwards.
    Number,
    /// It is among the first that anybody tries: a run, a piece again and again, or a common one.
    Guessed,
    /// It is his password, or was one of these last ones.
    Former(u8),
}

impl PasswordFault {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Short(_) => "password_short",
            Self::Long => "password_long",
            Self::Kinds(_) => "password_simple",
            Self::Number => "password_is_number",
            Self::Guessed => "password_guessed",
            Self::Former(_) => "password_used",
        }
    }
}

impl fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(least) => write!(f, "it has fewer than {least} characters"),
            Self::Long => write!(f, "it has more than {PASSWORD_MAX} bytes"),
            Self::Kinds(kinds) => {
                write!(f, "it must have characters of {kinds} kinds: small letters, capitals, digits, others")
            }
            Self::Number => f.write_str("it is the agent's own number, or that number backwards"),
            Self::Guessed => {
                f.write_str("it is among the first that anybody tries: a run, a repetition, or a common one")
            }
            Self::Former(last) => write!(f, "it is the present password, or one of the last {last}"),
        }
    }
}

/// Why nobody is signed in, or no password is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInFault {
    /// There is no such agent. Only who has a key is told; others hear [`SignInFault::Wrong`].
    NoSuchAgent,
    /// The password is wrong, or there is none.
    Wrong,
    /// No password is looked at for so many seconds more: too many were wrong.
    Locked(u32),
    /// The one before was wrong only now: so many seconds more.
    TooSoon(u32),
    /// Too many are being looked at.
    Busy,
    /// The password is too old: a new one must be given with it.
    Expired,
    /// Somebody else has set it: a new one must be given with it.
    MustChange,
    /// The new password is none that is taken.
    Password(PasswordFault),
    /// He is signed in elsewhere, and that was not to be taken over.
    Elsewhere(SessionView),
    /// This other agent is signed in at his telephone, and that was not to be taken over, or is not while he has a call.
    DeviceTaken(Name),
    /// He may not sign in by the keys of a telephone.
    NotByPhone,
    /// Nobody has signed in on this call, or somebody else has taken over since.
    NoSession,
}

impl SignInFault {
    /// Its word, which stays what it is.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NoSuchAgent => "no_such_agent",
            Self::Wrong => "wrong_password",
            Self::Locked(_) => "locked",
            Self::TooSoon(_) => "too_soon",
            Self::Busy => "busy",
            Self::Expired => "password_expired",
            Self::MustChange => "password_must_change",
            Self::Password(fault) => fault.as_str(),
            Self::Elsewhere(_) => "signed_in_elsewhere",
            Self::DeviceTaken(_) => "device_taken",
            Self::NotByPhone => "not_by_phone",
            Self::NoSession => "no_session",
        }
    }

    /// The word that flows are told.
    pub fn for_flow(&self) -> &'static str {
        match self {
            Self::NoSuchAgent | Self::Wrong | Self::NotByPhone => "wrong",
            Self::Locked(_) => "locked",
            Self::TooSoon(_) | Self::Busy => "busy",
            Self::Expired | Self::MustChange => "expired",
            Self::Password(_) => "refused",
            Self::Elsewhere(_) => "elsewhere",
            Self::DeviceTaken(_) => "taken",
            Self::NoSession => "no_session",
        }
    }
}

impl fmt::Display for SignInFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchAgent => f.write_str("there is no such agent"),
            Self::Wrong => f.write_str("the number or the password is wrong"),
            Self::Locked(seconds) => {
                write!(f, "too many passwords were wrong; none is looked at for {seconds} s")
            }
            Self::TooSoon(seconds) => write!(f, "the last password was wrong; try again in {seconds} s"),
            Self::Busy => f.write_str("too many passwords are being looked at; try again"),
            Self::Expired => f.write_str("the password is too old; give a new one with it"),
            Self::MustChange => f.write_str("somebody else has set the password; give a new one with it"),
            Self::Password(fault) => write!(f, "the new password is not taken: {fault}"),
            Self::Elsewhere(_) => f.write_str("he is signed in elsewhere; take_over ends that session"),
            Self::DeviceTaken(other) => write!(
                f,
                "agent {other} is signed in at his telephone; take_over signs that agent out, unless he has a call"
            ),
            Self::NotByPhone => f.write_str("he may not sign in by the keys of a telephone"),
            Self::NoSession => f.write_str("nobody is signed in here"),
        }
    }
}

/// What is to be done with passwords beside the signalling thread: it takes tens of milliseconds and megabytes each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashWork {
    /// Is this the password of that hash? Where there is none, as much time is taken to say no.
    pub check: Option<(Secret, Option<PasswordHash>)>,
    /// If so, and this is none of those, make its hash.
    pub make: Option<(Secret, Vec<PasswordHash>)>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hashed {
    /// It was done.
    Done {
        /// Whether the password was right, or none was asked for.
        right: bool,
        /// Whether the new one is one of those that it may not be.
        used: bool,
        /// The hash of the new one.
        made: Option<PasswordHash>,
    },
    /// There was no room for it.
    Busy,
}

/// What an agent on a telephone does by keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneAct {
    /// Sign in.
    SignIn {
        /// Who.
        agent: String,
        /// His password.
        password: Secret,
        /// The one that is to take its place.
        new: Option<Secret>,
        /// A session elsewhere is ended.
        take_over: bool,
    },
    /// Be something else: only who has signed in on this call.
    Want(AgentOrder),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneEnd {
    /// It is done.
    Ok,
    /// It is not; the word of [`SignInFault::for_flow`].
    Fault(String),
}
