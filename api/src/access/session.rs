//! People sign in: with a password and, where they have one, a second factor. A session is a token that programs show as a key,
//! or a cookie that a page never sees.
//!
//! Invariant: what somebody shows is looked at by [`super::proof`], one person at a time from there on; a session is kept before its
//! token is shown.

use super::cookie::{COOKIE, cookie_of, csrf_of};
use super::people::{PersonSession, said_password};
use super::proof::{Second, Try, is_good, shows};
use super::{Doors, hash, id, secret};
use crate::asked::{Said, Says};
use crate::audit::{Audit, can_note};
use crate::catalog::{Op, Routes, open, person};
use crate::key::{Asking, key_of, source_of};
use crate::list::listed;
use crate::params::Params;
use crate::problem::Problem;
use crate::routes::{Answer, Page};
use crate::state::State;
use crate::switch::{Caller, Person, Refusal};
use axum::Json;
use axum::extract::{FromRequestParts, Path, State as Use};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::access::{
    AccessTerms, AccessWrite, Role, Scopes, USER_TOKEN_PREFIX, UserRecord, UserSession, scopes_of,
};
use cordboard_model::id::{Name, TenantId};
use cordboard_model::time::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Longest that is kept of what a program says it is, characters.
const AGENT_MAX: usize = 128;

pub(super) fn routes() -> Routes {
    Routes::v1()
        .post(
            "/session",
            sign_in,
            open("beginSession", "A person signs in, for a token or a cookie")
                .tag("session")
                .takes::<NewSession>(r#"{"user": "li", "password": "correct-horse-7"}"#)
                .gives::<OwnSession>()
                .refuses(&[401, 403, 429]),
        )
        .get(
            "/session",
            read,
            person("readOwnSession", "Who is signed in, what he may, and until when").gives::<OwnSession>(),
        )
        .delete(
            "/session",
            sign_out,
            person("endSession", "Ends the session that asks").gives::<PersonSession>(),
        )
        .put(
            "/session/password",
            password,
            person("changeOwnPassword", "Sets one's own password")
                .takes::<OwnPassword>(r#"{"old": "correct-horse-7", "password": "another-horse-8"}"#)
                .gives::<Whose>()
                .refuses(&[422, 429]),
        )
        .get(
            "/session/mine",
            mine,
            person("listOwnSessions", "One's own sessions")
                .filters(&["after", "limit"])
                .gives::<Page<PersonSession>>(),
        )
        .delete(
            "/session/mine/{id}",
            end_mine,
            person("endMySession", "Ends one of one's own sessions").gives::<PersonSession>(),
        )
}

/// A person who is signed in.
pub(super) struct Signed {
    pub(super) caller: Caller,
    pub(super) person: Person,
}

impl FromRequestParts<State> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Asking(mut caller) = Asking::from_request_parts(parts, state).await?;
        let Some(person) = caller.person.take() else {
            let detail = "a person's session is needed: POST /api/v1/session with name and password";
            let mut problem = Problem::new(StatusCode::FORBIDDEN, "a key is no person", detail);
            problem.code = Some("no_person");
            return Err(problem);
        };
        Ok(Self { caller, person: *person })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSession {
    user: String,
    password: String,
    tenant: Option<String>,
    code: Option<String>,
    recovery: Option<String>,
    new_password: Option<String>,
    #[serde(default)]
    cookie: bool,
}

impl Says for NewSession {
    const FIELD: &'static str = "user";
    const EXPECTED: &'static str = r#"expected {"user": "li", "password": "..."} and perhaps "tenant", "code" or "recovery", "new_password", "cookie": true"#;
}

/// A session, as who has it sees it.
#[derive(JsonSchema, Serialize)]
struct OwnSession {
    id: Name,
    tenant: TenantId,
    user: Name,
    display: String,
    roles: BTreeSet<Role>,
    scopes: Scopes,
    since: Wall,
    until: Wall,
    /// He has a second factor.
    totp: bool,
    /// He must have one, and may do nothing else before.
    enrolling: bool,
    /// What a page shows in `X-CSRF-Token` when its session is in the cookie.
    csrf: String,
    /// Shown here and nowhere else; none where it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

fn own(user: &UserRecord, session: &UserSession, csrf: String, token: Option<String>) -> OwnSession {
    let scopes = if session.enrolling { Scopes::default() } else { scopes_of(&session.roles) };
    OwnSession {
        id: session.id.clone(),
        tenant: session.tenant,
        user: session.user.clone(),
        display: user.display.clone(),
        roles: session.roles.clone(),
        scopes,
        since: session.since,
        until: session.until,
        totp: user.totp.as_ref().is_some_and(|totp| totp.confirmed),
        enrolling: session.enrolling,
        csrf,
        token,
    }
}

/// Where a try comes from.
struct Source {
    address: IpAddr,
    agent: String,
    op: Option<Arc<Op>>,
}

impl FromRequestParts<State> for Source {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let address = source_of(parts);
        if let Some(seconds) = state.brake.wait(address, Instant::now()) {
            return Err(Problem::slow_down(seconds));
        }
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let agent = agent.unwrap_or_default().chars().take(AGENT_MAX).collect();
        Ok(Self { address, agent, op: parts.extensions.get::<Arc<Op>>().cloned() })
    }
}

async fn sign_in(
    Use(state): Use<State>,
    from: Source,
    audit: Audit,
    Said(mut said): Said<NewSession>,
) -> Result<Response, Problem> {
    if let Some(op) = &from.op {
        audit.op(op);
        can_note(&state, op)?;
    }
    let tenant = match &said.tenant {
        Some(tenant) => TenantId::new(tenant).map_err(|why| Problem::field("tenant", why.to_string()))?,
        None => TenantId::DEFAULT,
    };
    let configured = state.switch.access(tenant);
    if configured.is_some() {
        audit.claims(tenant, format!("user {}", said.user.chars().take(64).collect::<String>()));
    }
    let (terms, rules) = configured.unwrap_or_default();
    let who = (tenant, said.user.chars().take(64).collect());
    let asks = Try { state: &state, who, rules, address: Some(from.address) };
    let given = said_password("password", core::mem::take(&mut said.password))?;
    let new = said.new_password.take().map(|new| said_password("new_password", new)).transpose()?;
    let looked = asks.password(given).await?;
    let _one = state.doors.one().await;
    let mut user = asks.again(&looked).await?;
    let second = Second { code: said.code.take(), recovery: said.recovery.take() };
    asks.second(&mut user, &second)?;
    if let Some(new) = new {
        asks.set(&mut user, new).await?;
    } else {
        is_good(&user, &asks.rules, state.switch.moment()).inspect_err(|_| {
            state.doors.tries(|tries| tries.unknown(&asks.who));
        })?;
    }
    state.doors.tries(|tries| tries.right(&asks.who));
    begin(&state, &terms, user, &from, said.cookie).await
}

/// Begins a session.
async fn begin(
    state: &State,
    terms: &AccessTerms,
    mut user: UserRecord,
    from: &Source,
    cookie: bool,
) -> Result<Response, Problem> {
    let switch = &*state.switch;
    let now = switch.moment();
    let token = secret(switch, USER_TOKEN_PREFIX)?;
    user.signed_in = Some(now);
    let longest = i64::try_from(terms.longest.as_millis()).unwrap_or(i64::MAX);
    let session = UserSession {
        id: id(switch)?,
        hash: hash(&token),
        tenant: user.tenant,
        user: user.name.clone(),
        roles: user.roles.clone(),
        since: now,
        until: Wall(now.0.saturating_add(longest)),
        used: now,
        address: from.address.to_string(),
        agent: from.agent.clone(),
        enrolling: terms.totp_required && !user.totp.as_ref().is_some_and(|totp| totp.confirmed),
    };
    state.doors.sweep(switch, now).await?;
    let going = state.doors.with(switch, |known| known.room(user.tenant, &user.name)).await?;
    let going = going.into_iter().map(|(tenant, id)| AccessWrite::NoSession(tenant, id));
    let writes = [AccessWrite::User(Box::new(user.clone())), AccessWrite::Session(Box::new(session.clone()))];
    switch.keep(going.chain(writes).collect()).await?;
    state.doors.with(switch, |known| known.put_session(session.clone())).await?;
    let shown = (!cookie).then(|| token.clone());
    let answer = Json(own(&user, &session, csrf_of(&token), shown));
    if !cookie {
        return Ok(answer.into_response());
    }
    Ok(([(header::SET_COOKIE, set_cookie(&token, terms.longest.as_secs())?)], answer).into_response())
}

fn set_cookie(token: &str, seconds: u64) -> Result<HeaderValue, Problem> {
    let text = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    HeaderValue::from_str(&text).map_err(|why| Refusal::Internal(why.to_string()).into())
}

/// The person of a session, and the session.
pub(super) async fn his(state: &State, signed: &Signed) -> Result<(UserRecord, UserSession), Problem> {
    let (tenant, person) = (signed.caller.tenant, &signed.person);
    let session =
        state.doors.with(&*state.switch, |known| known.session_of(tenant, person.session.as_str()).cloned());
    let session = session.await?.ok_or_else(Problem::no_session)?;
    let user = state.switch.user(tenant, person.name.clone()).await?;
    Ok((user.ok_or_else(Problem::no_session)?, session))
}

async fn read(Use(state): Use<State>, signed: Signed, headers: HeaderMap) -> Answer<OwnSession> {
    let (user, session) = his(&state, &signed).await?;
    let token = key_of(&headers).or_else(|| cookie_of(&headers)).unwrap_or_default();
    Ok(Json(own(&user, &session, csrf_of(&token), None)))
}

async fn sign_out(Use(state): Use<State>, signed: Signed, audit: Audit) -> Result<Response, Problem> {
    let (_, session) = his(&state, &signed).await?;
    state.doors.end(&*state.switch, |other| other.hash == session.hash).await?;
    let view = PersonSession::from(&session);
    audit.change(format!("sessions/{}", session.id), Some(&view), None::<&PersonSession>);
    Ok(([(header::SET_COOKIE, set_cookie("", 0)?)], Json(view)).into_response())
}

async fn mine(Use(state): Use<State>, signed: Signed, query: Params) -> Answer<Page<PersonSession>> {
    let all = state.doors.sessions(&*state.switch, signed.caller.tenant).await?;
    let own = all.iter().filter(|session| session.user == signed.person.name);
    listed(&query, own.map(PersonSession::from).collect(), PersonSession::came)
}

async fn end_mine(
    Use(state): Use<State>,
    signed: Signed,
    Path(id): Path<String>,
    audit: Audit,
) -> Answer<PersonSession> {
    let all = state.doors.sessions(&*state.switch, signed.caller.tenant).await?;
    let own = |session: &UserSession| session.user == signed.person.name && session.id.as_str() == id;
    let session =
        all.into_iter().find(own).ok_or_else(|| Problem::not_found("no session of yours has this id"))?;
    state.doors.end(&*state.switch, |other| other.hash == session.hash).await?;
    let view = PersonSession::from(&session);
    audit.change(format!("sessions/{id}"), Some(&view), None::<&PersonSession>);
    Ok(Json(view))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    old: String,
    password: String,
}

impl Says for OwnPassword {
    const FIELD: &'static str = "password";
    const EXPECTED: &'static str = r#"expected {"old": "...", "password": "..."}"#;
}

/// Whose it is.
#[derive(JsonSchema, Serialize)]
pub(super) struct Whose {
    pub(super) user: Name,
}

async fn password(
    Use(state): Use<State>,
    signed: Signed,
    audit: Audit,
    Said(said): Said<OwnPassword>,
) -> Answer<Whose> {
    let new = said_password("password", said.password)?;
    let (asks, looked) = shows(&state, &signed, said.old).await?;
    let _one = state.doors.one().await;
    let mut user = asks.again(&looked).await?;
    asks.set(&mut user, new).await?;
    state.switch.keep(vec![AccessWrite::User(Box::new(user.clone()))]).await?;
    state.doors.end_of(&*state.switch, &user, Some(&signed.person.session)).await?;
    audit.change(format!("users/{}/password", user.name), None::<&()>, None::<&()>);
    Ok(Json(Whose { user: user.name }))
}

impl Doors {
    /// One request at a time changes people.
    pub(super) async fn one(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.people.lock().await
    }
}
