//! What the configuration tells the routing plugins of a tenant.

use crate::cause::Cause;
use crate::fetch::FetchHeader;
use crate::id::{FlowId, Name, TrunkId};
use crate::verb::Destination;
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Longest number that is dialled, bytes.
pub const NUMBER_MAX: usize = 32;

/// Whether this can stand as a number, or an account's name, in an address of ours: 1 to [`NUMBER_MAX`] letters, digits and
/// `+*#-_.`. Nothing else: what a caller dials must not become a host or a parameter.
pub fn is_dialable(number: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+*#-_.".contains(c);
    (1..=NUMBER_MAX).contains(&number.len()) && number.chars().all(fits)
}

/// Whether a text can stand as the value of Geolocation (RFC 6442): a URI that needs no escape.
pub fn is_location(uri: &str) -> bool {
    let named = |scheme: &str| !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'\\');
    let parts = uri.split_once(':').is_some_and(|(scheme, rest)| named(scheme) && !rest.is_empty());
    parts && uri.len() <= 512 && uri.bytes().all(plain)
}

/// Which numbers: one, or with `*` at its end all that begin so. `*` alone means all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumberPattern(String);

impl NumberPattern {
    /// As it is written.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means this number.
    pub fn has(&self, number: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(begin) => number.starts_with(begin),
            None => self.0 == number,
        }
    }
}

impl fmt::Display for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a list that says for which called numbers something holds has this one. An empty one has all.
pub fn covers(called: &[NumberPattern], number: &str) -> bool {
    called.is_empty() || called.iter().any(|pattern| pattern.has(number))
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// Who is called in need; none if these numbers are nothing special.
    #[serde(default)]
    pub emergency: Option<Emergency>,
    /// When a call goes round in a circle.
    pub loops: LoopLimits,
    /// Who may call, and who comes first. The first that decides does.
    pub lists: Vec<CallerList>,
    /// The table of numbers that were taken to another carrier.
    pub ported: Option<Ported>,
    /// What is open when; the first that applies decides.
    pub hours: Vec<OpeningRule>,
    /// Calls that go to several places by share; the first that applies decides.
    pub shares: Vec<Share>,
    /// Whether a caller gets the agent he had last.
    pub last_agent: Option<LastAgent>,
    /// A server that decides.
    pub http: Option<HttpDecision>,
    /// A flow that decides.
    pub lua: Option<LuaDecision>,
    /// By which trunks calls leave. The longest beginning decides.
    pub ways: Vec<WayOut>,
}

/// Numbers of help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emergency {
    /// As they are dialled; never empty.
    pub numbers: Vec<String>,
    /// Where such calls leave, in this order; never empty.
    pub trunks: Vec<TrunkId>,
    /// The number that is shown; the caller's own if none.
    pub caller: Option<String>,
    /// Where the caller is: a URI for Geolocation (RFC 6442).
    pub location: Option<String>,
    /// Accounts that are elsewhere.
    pub places: Vec<EmergencyPlace>,
    /// Trunks whose callers may place such calls; else only accounts may.
    pub from_trunks: Vec<TrunkId>,
    /// Most of these calls of the tenant at a time.
    pub calls: u32,
}

/// Where some accounts are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyPlace {
    /// Whose.
    pub users: Vec<NumberPattern>,
    /// The number that is shown.
    pub caller: Option<String>,
    /// A URI for Geolocation.
    pub location: Option<String>,
}

/// When a call is taken to go round in a circle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopLimits {
    /// Most diversions that a call brings along.
    pub diversions: u8,
    /// Most calls at a time from one number to one number.
    pub alike: u16,
}

impl Default for LoopLimits {
    fn default() -> Self {
        Self { diversions: 5, alike: 10 }
    }
}

/// What a list of callers does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListKind {
    /// Those on it do not get through.
    Block,
    /// Those that are not on it do not get through.
    Allow,
    /// Those on it come first.
    Vip,
}

/// A list of callers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerList {
    /// What it is called.
    pub name: Name,
    /// What it does.
    pub kind: ListKind,
    /// Who is on it.
    pub callers: Vec<NumberPattern>,
    /// Who is on it, too: the keys of a table.
    pub table: Option<Name>,
    /// For which called numbers it holds; all if empty.
    pub called: Vec<NumberPattern>,
    /// Where a call goes that it keeps out, or that comes first. A call that it keeps out is refused if none.
    pub to: Option<Destination>,
    /// The place in a queue of those who come first.
    pub priority: u8,
}

/// Numbers that were taken to another carrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ported {
    /// The table, by number.
    pub table: Name,
    /// The column with the number that is called instead.
    pub column: String,
}

/// What becomes of calls while a calendar says that it is not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningRule {
    /// The calendar.
    pub calendar: Name,
    /// For which called numbers; all if empty.
    pub called: Vec<NumberPattern>,
    /// Where calls go when it is closed; refused if none.
    pub closed: Option<Destination>,
    /// Where they go on a holiday; as when closed if none.
    pub holiday: Option<Destination>,
}

/// One part of a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Where.
    pub to: Destination,
    /// How many of a hundred.
    pub percent: u8,
}

/// Calls to some numbers go to several places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Which; never empty.
    pub called: Vec<NumberPattern>,
    /// The parts, a hundred together.
    pub parts: Vec<Part>,
}

/// A caller gets the agent he had last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAgent {
    /// For which called numbers; all if empty.
    pub called: Vec<NumberPattern>,
    /// How long that is remembered.
    pub within: Duration,
    /// Where the caller goes if that agent does not answer; the call ends if none.
    pub otherwise: Option<Destination>,
}

/// What is done where a plugin got no answer, or none that it can use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// The next plugin is asked.
    Pass,
    /// The call is refused.
    Refuse(Cause),
    /// The call goes there.
    To(Destination),
}

/// A server is asked where a call goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpDecision {
    /// For which called numbers; all if empty.
    pub called: Vec<NumberPattern>,
    /// Where: `http://` or `https://`.
    pub url: String,
    /// Beside those that HTTP needs.
    pub headers: Vec<(String, FetchHeader)>,
    /// How long an answer is waited for.
    pub within: Duration,
    /// Where it has none.
    pub otherwise: Otherwise,
}

/// A flow is asked where a call goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LuaDecision {
    /// For which called numbers; all if empty.
    pub called: Vec<NumberPattern>,
    /// Which.
    pub flow: FlowId,
    /// How long an answer is waited for.
    pub within: Duration,
    /// Where it has none.
    pub otherwise: Otherwise,
}

/// A trunk by which calls may leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayTrunk {
    /// Which.
    pub trunk: TrunkId,
    /// What it costs, in any unit: the least is tried first.
    pub cost: u32,
    /// Among those of one cost, its share of the calls.
    pub weight: u16,
}

/// By which trunks calls to some numbers leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayOut {
    /// How these numbers begin, as the tenant's plan reads them; empty for all.
    pub prefix: String,
    /// The trunks; never empty.
    pub trunks: Vec<WayTrunk>,
    /// Accounts that may call there; all if empty.
    pub users: Vec<NumberPattern>,
    /// Trunks whose callers may call there. Else only accounts may: whoever calls in must not call out at our cost.
    pub from_trunks: Vec<TrunkId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_one_number_or_all_that_begin_so() {
        let has = |pattern: &str, number| NumberPattern::new(pattern).has(number);
        assert!(has("5000", "5000") && !has("5000", "50001") && !has("5000", "500"));
        assert!(has("+4930*", "+493012345") && has("+4930*", "+4930") && !has("+4930*", "+4989"));
        assert!(has("*", "") && has("*", "anonymous"));
        assert!(covers(&[], "1") && !covers(&[NumberPattern::new("2*")], "1"));
    }

    #[test]
    fn what_could_be_a_host_or_a_parameter_cannot_be_dialled() {
        for good in ["112", "+493012345", "*21#", "anna-1", "a.b_c"] {
            assert!(is_dialable(good), "{good}");
        }
        let long = "1".repeat(33);
        for bad in ["", "1@evil.example", "1%40evil", "1;x=y", "1?Replaces=a", "1 2", "\u{661}", "a:b", &long]
        {
            assert!(!is_dialable(bad), "{bad}");
        }
    }
}
