//! Who asks: the API key of a request or the token of a session, and whether that opens the operation.
//!
//! Invariants: who asks is found out here alone, and whoever is found is held to the scope of the operation before its handler
//! runs: there is no other way to a tenant. What has no entry in the catalogue opens to who may do everything.
//!
//! A key comes in `Authorization: Bearer` or `X-Api-Key`; a browser's WebSocket cannot set headers, so there
//! it comes as a sub-protocol `key.<base64url>`; a person's session may be in a cookie. Never in a URL, which ends up in logs.

use crate::access::Doors;
use crate::access::cookie::{cookie_of, is_ours, is_shown};
use crate::audit::{self, Audit};
use crate::catalog::{Access, Op, PASSWORDS};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::State;
use crate::switch::{AgentCaller, Caller, Refusal};
use crate::third_party::cookie::token_of as agent_token_of;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use cordboard_model::access::USER_TOKEN_PREFIX;
use cordboard_model::desk::Actor;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::signin::TOKEN_PREFIX;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

pub use crate::brake::Brake;

/// What opens an operation that is not in the catalogue: `*` alone.
const EVERYTHING: &str = "everything:control";

/// Characters of a session's token behind its prefix.
const TOKEN: usize = 43;

/// The key in the headers, if there is one.
pub fn key_of(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(bearer) = text("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
        return Some(bearer.trim().to_owned());
    }
    if let Some(key) = text("x-api-key") {
        return Some(key.trim().to_owned());
    }
    let protocols = text("sec-websocket-protocol")?;
    let coded = protocols.split(',').find_map(|p| p.trim().strip_prefix("key."))?;
    decode_base64url(coded)
}

/// Reads unpadded base64url text (RFC 4648 5).
fn decode_base64url(coded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(coded.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u32);
    for c in coded.bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

/// Where a request comes from, as a proxy says that is trusted.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

/// The address that a request came from: the proxy's that has passed it on where that is not trusted to say whose.
pub fn source_of(parts: &Parts) -> IpAddr {
    if let Some(Client(ip)) = parts.extensions.get() {
        return *ip;
    }
    let source = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    source.unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

/// Whose request it is: of who has a key, or of an agent with the token of his session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Who has a key may order anything of its tenant, in whose name he says.
    Key(Caller),
    /// An agent acts as himself.
    Agent(AgentCaller),
}

impl Who {
    /// Whose tenant it is.
    pub fn tenant(&self) -> TenantId {
        match self {
            Who::Key(caller) => caller.tenant,
            Who::Agent(caller) => caller.agent.tenant,
        }
    }

    /// In whose name an order is carried, if the request names somebody.
    ///
    /// # Errors
    /// An agent names another.
    pub fn actor(&self, named: Option<AgentId>) -> Result<Actor, Problem> {
        match self {
            Who::Key(caller) => Ok(Actor { key: caller.actor(), agent: named }),
            Who::Agent(caller) if named.as_ref().is_some_and(|named| *named != caller.agent) => Err(
                Problem::field("by", "with the token of his session an agent orders in his own name alone"),
            ),
            Who::Agent(caller) => Ok(Actor { key: String::new(), agent: Some(caller.agent.clone()) }),
        }
    }

    /// Whether he may look at this agent's desk.
    ///
    /// # Errors
    /// It is another's, and he is no supervisor.
    pub fn may_see(&self, desk: &AgentId) -> Result<(), Problem> {
        match self {
            Who::Agent(caller) if !caller.supervisor && caller.agent != *desk => Err(Problem::not_his()),
            _ => Ok(()),
        }
    }
}

impl core::fmt::Display for Who {
    /// As the audit log has it.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Who::Key(caller) => caller.fmt(f),
            Who::Agent(caller) => write!(f, "agent {}", caller.agent.name),
        }
    }
}

/// Where the secret of a request was.
enum Shown {
    /// In a header that only a program sets.
    Header(String),
    /// In the cookie, which a browser sends for whatever page asks.
    Cookie(String),
}

fn shown(headers: &HeaderMap) -> Option<Shown> {
    key_of(headers).map(Shown::Header).or_else(|| of_cookies(headers).map(Shown::Cookie))
}

/// A browser may have a person's session and an agent's: which of them is meant is what the page shows against others' pages,
/// and otherwise the person's.
fn of_cookies(headers: &HeaderMap) -> Option<String> {
    let (person, agent) = (cookie_of(headers), agent_token_of(headers));
    match (person, agent) {
        (Some(_), Some(agent)) if is_shown(headers, agent) => Some(agent.to_owned()),
        (person, agent) => person.or_else(|| agent.map(str::to_owned)),
    }
}

/// What opens a request: a key or a token.
pub(crate) fn token_of(headers: &HeaderMap) -> Option<String> {
    shown(headers).map(|shown| match shown {
        Shown::Header(token) | Shown::Cookie(token) => token,
    })
}

/// Whether what opened an operation with this scope opens it yet, to the same. A switch that is too busy to say is asked
/// again by who asks.
pub(crate) async fn opens_yet(state: &State, token: &str, who: &Who, scope: &str) -> bool {
    let who_now = match who {
        Who::Agent(caller) => {
            return match state.switch.session(token).await {
                Ok(now) => now == *caller,
                Err(why) => !matches!(why, Refusal::NotFound(_)),
            };
        }
        Who::Key(_) if Doors::opens(token) => match state.doors.who(&state.switch, token).await {
            Ok(made) => made,
            Err(_) => return true,
        },
        Who::Key(_) => None,
    };
    let now = who_now.or_else(|| state.switch.authenticate(token));
    now.is_some_and(|now| now.tenant == who.tenant() && now.scopes.cover(scope))
}

/// Whether a request shows anything at all.
pub(crate) fn shows(headers: &HeaderMap) -> bool {
    shown(headers).is_some()
}

/// Nothing is opened by what was shown. What looks like a token of a session was one: no page makes them up.
fn missed(state: &State, token: &str, source: IpAddr, now: Instant) {
    let of = |prefix: &str| token.strip_prefix(prefix).is_some_and(|rest| rest.len() == TOKEN);
    match of(TOKEN_PREFIX) || of(USER_TOKEN_PREFIX) {
        true => state.brake.stale(source, now),
        false => state.brake.failed(source, now),
    }
}

/// Who asks, whatever he may.
pub(crate) async fn find(parts: &Parts, state: &State) -> Result<Who, Problem> {
    let (source, now) = (source_of(parts), Instant::now());
    let Some(shown) = shown(&parts.headers) else {
        return Err(Problem::unauthorized());
    };
    let token = match &shown {
        Shown::Header(token) | Shown::Cookie(token) => token,
    };
    if let Some(seconds) = state.brake.wait_with(source, token, now) {
        return Err(Problem::slow_down(seconds));
    }
    if token.starts_with(TOKEN_PREFIX) {
        return match state.switch.session(token).await {
            Ok(caller) => {
                state.brake.found(token, now);
                if matches!(shown, Shown::Cookie(_)) {
                    of_our_page(parts, state, token, caller.agent.tenant)?;
                }
                Ok(Who::Agent(caller))
            }
            Err(Refusal::NotFound(_)) => {
                missed(state, token, source, now);
                Err(Problem::no_session())
            }
            Err(other) => Err(other.into()),
        };
    }
    let made = match Doors::opens(token) {
        true => state.doors.who(&state.switch, token).await?,
        false => None,
    };
    // A key of the configuration may look like one that was made here.
    let Some(caller) = made.or_else(|| state.switch.authenticate(token)) else {
        missed(state, token, source, now);
        return Err(match token.starts_with(USER_TOKEN_PREFIX) {
            true => Problem::no_user_session(),
            false => Problem::unauthorized(),
        });
    };
    state.brake.found(token, now);
    if let Shown::Cookie(token) = &shown {
        of_our_page(parts, state, token, caller.tenant)?;
    }
    Ok(Who::Key(caller))
}

/// What shows a cookie has to be a page that may.
fn of_our_page(parts: &Parts, state: &State, token: &str, tenant: TenantId) -> Result<(), Problem> {
    let terms = state.switch.access(tenant).unwrap_or_default().0;
    let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    is_ours(&parts.headers, changes, token, &terms.origins)
}

/// Whether who asks may ask for this operation.
fn may(caller: &Caller, op: Option<&Arc<Op>>) -> Result<(), Problem> {
    let scope = match op.map(|op| op.access) {
        Some(Access::Open | Access::Visitor | Access::Person) => return Ok(()),
        Some(Access::Password) => PASSWORDS,
        Some(access) => access.scope().unwrap_or(EVERYTHING),
        None => EVERYTHING,
    };
    match caller.scopes.cover(scope) {
        true => Ok(()),
        false if caller.person.as_ref().is_some_and(|person| person.enrolling) => Err(Problem::needs_totp()),
        false => Err(Problem::scope(scope)),
    }
}

/// Who asks, and may.
async fn admit(parts: &Parts, state: &State) -> Result<Who, Problem> {
    let op = parts.extensions.get::<Arc<Op>>();
    let audit = Audit::of(parts);
    if let Some(op) = op {
        audit.op(op);
    }
    let who = find(parts, state).await?;
    audit.by(&who);
    if let Who::Key(caller) = &who {
        may(caller, op)?;
        op.map_or(Ok(()), |op| audit::can_note(state, op))?;
    }
    if let Some(op) = op {
        // A filter that is misspelt would be a list of everything.
        Params::of(&parts.uri).only(op.contract.query)?;
    }
    Ok(who)
}

/// A request by a key or by a session: extracting it is what opens a route to agents too.
pub struct Signed(pub Who);

impl FromRequestParts<State> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        admit(parts, state).await.map(Self)
    }
}

/// A request by a key, or by the session of a supervisor.
pub struct Overseeing(pub Who);

impl FromRequestParts<State> for Overseeing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        match Signed::from_request_parts(parts, state).await?.0 {
            Who::Agent(caller) if !caller.supervisor => Err(Problem::not_his()),
            who => Ok(Self(who)),
        }
    }
}

/// Who has a key, or is a person who is signed in: extracting it is what makes a route need one.
pub struct Asking(pub Caller);

impl FromRequestParts<State> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        match admit(parts, state).await? {
            Who::Key(caller) => Ok(Asking(caller)),
            Who::Agent(_) => Err(Problem::not_his()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_each_of_its_three_places() {
        let mut headers = HeaderMap::new();
        assert_eq!(key_of(&headers), None);
        headers.insert("sec-websocket-protocol", "cordboard.v1, key.c2VjcmV0LWtleQ".parse().unwrap());
        assert_eq!(key_of(&headers).as_deref(), Some("secret-key"));
        headers.insert("x-api-key", "other".parse().unwrap());
        assert_eq!(key_of(&headers).as_deref(), Some("other"));
        headers.insert("authorization", "Bearer third".parse().unwrap());
        assert_eq!(key_of(&headers).as_deref(), Some("third"));
    }
}
