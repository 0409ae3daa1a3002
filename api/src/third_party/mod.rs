//! Agents for whom their enterprise speaks: its page shows what its server has given out, the server is asked whether that is good,
//! and what begins is an agent's own session, as by the own sign-in.
//!
//! Invariants: nobody is signed in but after a yes of the enterprise that is configured for the very tenant; only pages of this
//! host, or of an origin that the tenant lists, begin or renew a session, so that no other page signs a browser in as somebody
//! else; what opens the session is in cookies that no script sees, and a cookie alone changes nothing.

pub mod beside;
pub(crate) mod cookie;
mod held;
mod list;

use crate::access::cookie::{csrf_of, is_from};
use crate::access::{id, secret};
use crate::asked::{Said, Says};
use crate::audit::{Audit, can_note};
use crate::catalog::{Op, Routes, desk, open};
use crate::desk::Desk;
use crate::key::{Signed, Who, source_of, token_of};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::state::State;
use crate::switch::{AgentCaller, Refusal, SignIn, Switch, WantedSession};
use axum::Json;
use axum::extract::{FromRequestParts, State as Use};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use beside::{Question, Verdict};
use cookie::Jar;
use cordboard_model::access::AccessWrite;
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, Name, TenantId};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::{PLACE_MAX, SessionView};
use held::{Found, Session, Sessions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::OnceCell;

/// How refresh tokens begin.
const REFRESH_PREFIX: &str = "cbr_";
/// Longest access token, bytes.
const TOKEN_MAX: usize = 8 << 10;
/// Longest name of a tenant or an agent that an enterprise's page may say, characters.
const NAME_MAX: usize = 128;

pub(crate) fn routes() -> Routes {
    let path = "/third-party/session";
    let example = r#"{"access_token": "7c1f0e", "tenantSpaceId": "default", "userAccount": "1001"}"#;
    Routes::v1()
        .post(
            path,
            sign_in,
            open("beginThirdPartySession", "An enterprise's page signs its agent in, for cookies")
                .tag("third-party")
                .takes::<Shown>(example)
                .gives::<Begun>()
                .refuses(&[401, 403, 404, 409, 422, 429, 502, 503, 504]),
        )
        .get(
            path,
            read,
            desk("readThirdPartySession", "agents:read", "Whose session the cookie has")
                .tag("third-party")
                .gives::<Own>(),
        )
        .post(
            "/third-party/session/refresh",
            refresh,
            open("refreshThirdPartySession", "Has the session go on with other cookies")
                .tag("third-party")
                .gives::<Begun>()
                .refuses(&[401, 403, 404, 409, 429, 503]),
        )
        .delete(
            path,
            sign_out,
            desk("endThirdPartySession", "agents:control", "Signs the agent out, and takes the cookies away")
                .tag("third-party")
                .gives::<Done>(),
        )
        .merge(list::routes())
}

/// What the routes share of sessions that pages have begun.
#[derive(Debug, Default)]
pub struct Pages {
    /// Read from the store when it is asked for first.
    held: OnceCell<Mutex<Sessions>>,
    /// Held by who has a session go on.
    one: tokio::sync::Mutex<()>,
}

impl Pages {
    async fn held<T>(&self, switch: &dyn Switch, act: impl FnOnce(&mut Sessions) -> T) -> Result<T, Refusal> {
        let read = || async {
            let kept = switch.kept().await?.pages;
            let (sessions, writes) = Sessions::restore(kept, switch.moment());
            keep(switch, writes).await;
            Ok::<_, Refusal>(Mutex::new(sessions))
        };
        let held = self.held.get_or_try_init(read).await?;
        Ok(act(&mut held.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn forget(&self, switch: &dyn Switch, id: &Name) -> Result<(), Refusal> {
        let write = self.held(switch, |held| held.forget(id)).await?;
        keep(switch, write.into_iter().collect()).await;
        Ok(())
    }
}

/// Writes down what has changed. A page goes on while the database is down: what a restart does not know then, its enterprise
/// begins again.
async fn keep(switch: &dyn Switch, writes: Vec<AccessWrite>) {
    if writes.is_empty() {
        return;
    }
    if let Err(why) = switch.keep(writes).await {
        tracing::warn!(?why, "sessions of enterprises' pages cannot be written down");
    }
}

/// What an enterprise's page posts, by the names that it has for it.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ThirdPartySignIn")]
pub(crate) struct Shown {
    access_token: String,
    /// What is configured as the tenant's `space`.
    #[serde(rename = "tenantSpaceId", alias = "tenantSpaceld")]
    space: String,
    /// The agent's number, or the name of his account.
    #[serde(rename = "userAccount")]
    account: String,
}

impl Says for Shown {
    const FIELD: &'static str = "access_token";
    const EXPECTED: &'static str =
        r#"expected {"access_token": "...", "tenantSpaceId": "...", "userAccount": "1001"}"#;
}

impl Shown {
    fn question(self) -> Result<Question, Problem> {
        let Self { access_token, space, account } = self;
        let fits = |text: &str| !text.is_empty() && text.chars().count() <= NAME_MAX;
        match (access_token.len(), fits(&space), fits(&account)) {
            (1..=TOKEN_MAX, true, true) => {
                Ok(Question { access_token: Secret(access_token), space, account })
            }
            (1..=TOKEN_MAX, false, _) => Err(Problem::field("tenantSpaceId", "1 to 128 characters")),
            (1..=TOKEN_MAX, true, false) => Err(Problem::field("userAccount", "1 to 128 characters")),
            _ => Err(Problem::field("access_token", format!("1 to {TOKEN_MAX} bytes"))),
        }
    }
}

/// A session that has begun or goes on. What opens it is in the cookies.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ThirdPartySession")]
pub(crate) struct Begun {
    agent: AgentId,
    /// The session's id; no secret.
    session: Name,
    /// What a page shows in `X-CSRF-Token` with whatever changes something.
    csrf: String,
}

/// What a request comes with.
pub(crate) struct Page {
    from: IpAddr,
    headers: HeaderMap,
    op: Option<Arc<Op>>,
    audit: Audit,
}

impl Page {
    /// Of this request.
    pub(crate) fn of(parts: &Parts) -> Self {
        let op = parts.extensions.get::<Arc<Op>>().cloned();
        Self { from: source_of(parts), headers: parts.headers.clone(), op, audit: Audit::of(parts) }
    }

    /// The origin that it says, which has to be one of the tenant's pages or this host's own: a browser says it with every post.
    fn origin(&self, state: &State, tenant: TenantId) -> Result<String, Problem> {
        let terms = state.switch.access(tenant).unwrap_or_default().0;
        let said = self.headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
        match said.filter(|origin| is_from(&self.headers, origin, &terms.origins)) {
            Some(origin) => Ok(origin.to_owned()),
            None => {
                let detail = "the header Origin has to be this host or one of access.origins of the tenant";
                let mut problem =
                    Problem::new(StatusCode::FORBIDDEN, "pages of this origin may not sign in", detail);
                problem.code = Some("origin");
                Err(problem)
            }
        }
    }

    fn claims(&self, state: &State, tenant: TenantId, agent: &str) -> Result<(), Problem> {
        let named: String = agent.chars().filter(|c| !c.is_control()).take(64).collect();
        self.audit.claims(tenant, format!("agent {named}"));
        match &self.op {
            Some(op) => {
                self.audit.op(op);
                can_note(state, op)
            }
            None => Ok(()),
        }
    }
}

impl FromRequestParts<State> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let page = Self::of(parts);
        match state.brake.wait(page.from, Instant::now()) {
            Some(seconds) => Err(Problem::slow_down(seconds)),
            None => Ok(page),
        }
    }
}

fn refused(status: StatusCode, code: &'static str, title: &'static str, detail: String) -> Problem {
    let mut problem = Problem::new(status, title, detail);
    problem.code = Some(code);
    problem
}

fn not_vouched_for(state: &State, page: &Page, words: String) -> Problem {
    state.brake.failed(page.from, Instant::now());
    refused(StatusCode::UNAUTHORIZED, "not_vouched_for", "the enterprise does not know this agent", words)
}

/// A session with the lines that set its cookies.
pub(crate) struct Entered {
    begun: Begun,
    cookies: [HeaderValue; 4],
}

impl Entered {
    /// Who has it, and the lines.
    pub(crate) fn apart(self) -> (AgentId, [HeaderValue; 4]) {
        (self.begun.agent, self.cookies)
    }
}

impl IntoResponse for Entered {
    fn into_response(self) -> Response {
        let mut response = Json(self.begun).into_response();
        for line in self.cookies {
            response.headers_mut().append(header::SET_COOKIE, line);
        }
        response
    }
}

async fn sign_in(Use(state): Use<State>, page: Page, Said(shown): Said<Shown>) -> Result<Entered, Problem> {
    enter(&state, &page, shown).await
}

/// Signs in whom the enterprise vouches for.
pub(crate) async fn enter(state: &State, page: &Page, shown: Shown) -> Result<Entered, Problem> {
    let question = shown.question()?;
    let Some((tenant, terms)) = state.switch.third_party(&question.space) else {
        return Err(not_vouched_for(state, page, String::new()));
    };
    let account = question.account.clone();
    page.claims(state, tenant, &account)?;
    let origin = page.origin(state, tenant)?;
    match state.switch.is_vouched_for(question).await? {
        Verdict::Yes => {}
        Verdict::No(words) => return Err(not_vouched_for(state, page, words)),
        Verdict::Silent(why) => {
            let title = "the enterprise's server does not answer";
            return Err(refused(StatusCode::GATEWAY_TIMEOUT, "enterprise_silent", title, why));
        }
        Verdict::Garbage(why) => {
            let title = "the enterprise's server answers something else";
            return Err(refused(StatusCode::BAD_GATEWAY, "enterprise_garbage", title, why));
        }
    }
    let agent = agent_of(state, tenant, &account).await?;
    let place: String = origin.chars().take(PLACE_MAX).collect();
    if let Some(token) = goes_on(state, page, &agent).await? {
        return held_anew(state, agent, token, place).await;
    }
    let token = begin(state, page, &agent, &place, terms.take_over).await?;
    held_anew(state, agent, token, place).await
}

/// The agent of this number, or the one who has this account alone.
pub(crate) async fn agent_of(state: &State, tenant: TenantId, account: &str) -> Result<AgentId, Problem> {
    let plan = state.switch.floor_plan(tenant).await?;
    let mut his = plan.agents.iter().filter(|(_, agent)| agent.user.as_str() == account);
    let name = match plan.agents.get_key_value(account) {
        Some((name, _)) => Some(name),
        None => his.next().map(|(name, _)| name).filter(|_| his.next().is_none()),
    };
    let none = || {
        let detail = "userAccount is the number of an agent, or the account of one agent alone".to_owned();
        refused(StatusCode::FORBIDDEN, "no_such_agent", "there is no such agent", detail)
    };
    let name = name.ok_or_else(none)?;
    AgentId::new(tenant, name.as_str()).map_err(|why| Refusal::Internal(why.to_string()).into())
}

/// The token of the cookie, if that is of this agent's session: a page that is loaded again signs nobody out.
async fn goes_on(state: &State, page: &Page, agent: &AgentId) -> Result<Option<Secret>, Problem> {
    let Some(token) = cookie::token_of(&page.headers) else { return Ok(None) };
    match state.switch.session(token).await {
        Ok(caller) if caller.agent == *agent => Ok(Some(Secret(token.to_owned()))),
        Ok(_) | Err(Refusal::NotFound(_)) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

async fn begin(
    state: &State,
    page: &Page,
    agent: &AgentId,
    place: &str,
    take_over: bool,
) -> Result<Secret, Problem> {
    let order = SignIn {
        agent: agent.clone(),
        password: None,
        new: None,
        session: Some(WantedSession { place: place.to_owned(), take_over }),
        address: page.from.to_string(),
        by: format!("agent {}", agent.name),
    };
    let signed = state.switch.sign_in(order).await?;
    Ok(signed.token.ok_or_else(|| Refusal::Internal("a session without a token".to_owned()))?)
}

/// A session under another id, with a refresh token of its own.
async fn held_anew(state: &State, agent: AgentId, token: Secret, place: String) -> Result<Entered, Problem> {
    let switch = &*state.switch;
    let (id, refresh) = (id(switch)?, secret(switch, REFRESH_PREFIX)?);
    let now = switch.moment();
    let jar = Jar { token: &token.0, refresh: &refresh, id: id.as_str(), at: now };
    let cookies = cookie::set(&jar)?;
    let begun = Begun { agent: agent.clone(), session: id.clone(), csrf: csrf_of(&token.0) };
    let session = Session::new(agent, id, token, place);
    let writes = state.pages.held(switch, |held| held.put(session, &refresh, now)).await?;
    keep(switch, writes).await;
    Ok(Entered { begun, cookies })
}

async fn refresh(Use(state): Use<State>, page: Page) -> Result<Entered, Problem> {
    let switch = &*state.switch;
    let shown = cookie::of(&page.headers, cookie::REFRESH).unwrap_or_default();
    let _one = state.pages.one.lock().await;
    let now = switch.moment();
    let session = match state.pages.held(switch, |held| held.find(shown, now)).await? {
        Found::Present(session) => session,
        Found::Twice => {
            let detail = "another window of this browser did: its cookies are the present ones".to_owned();
            return Err(refused(
                StatusCode::CONFLICT,
                "refreshed_already",
                "the session goes on already",
                detail,
            ));
        }
        Found::Stolen(session) => return Err(end_stolen(&state, &page, session).await),
        Found::None => {
            state.brake.stale(page.from, Instant::now());
            return Err(over());
        }
    };
    // of a session from before a restart the token is in the browser alone
    let token = session.token(cookie::of(&page.headers, cookie::TOKEN));
    let Session { agent, id, place, .. } = session;
    page.claims(&state, agent.tenant, agent.name.as_str())?;
    page.origin(&state, agent.tenant)?;
    if !is_his(switch, token, &agent).await? {
        state.pages.forget(switch, &id).await?;
        return Err(over());
    }
    let next = secret(switch, REFRESH_PREFIX)?;
    let token = begin(&state, &page, &agent, &place, true).await?;
    let now = switch.moment();
    let write = state.pages.held(switch, |held| held.renew(shown, &next, token.clone(), now)).await?;
    keep(switch, write.into_iter().collect()).await;
    let cookies = cookie::set(&Jar { token: &token.0, refresh: &next, id: id.as_str(), at: now })?;
    Ok(Entered { begun: Begun { agent, session: id, csrf: csrf_of(&token.0) }, cookies })
}

/// Whether the session of this token goes on, and is this agent's.
async fn is_his(switch: &dyn Switch, token: Option<Secret>, agent: &AgentId) -> Result<bool, Refusal> {
    let Some(token) = token else { return Ok(false) };
    match switch.session(&token.0).await {
        Ok(caller) => Ok(caller.agent == *agent),
        Err(Refusal::NotFound(_)) => Ok(false),
        Err(why) => Err(why),
    }
}

fn over() -> Problem {
    let mut problem = Problem::no_session();
    problem.detail = "sign in again: POST /api/v1/third-party/session".to_owned();
    problem
}

/// A refresh token that was used long ago: one of two who have it has stolen it.
async fn end_stolen(state: &State, page: &Page, session: Session) -> Problem {
    state.brake.failed(page.from, Instant::now());
    let token = session.token(cookie::of(&page.headers, cookie::TOKEN));
    let Session { agent, id, place, .. } = session;
    keep(&*state.switch, vec![AccessWrite::NoPage(agent.tenant, id)]).await;
    // what comes of the order is in the log of events; the answer is the same
    let _ = page.claims(state, agent.tenant, agent.name.as_str());
    tracing::warn!(agent = %agent, from = %page.from, "a refresh token came again: its session is ended");
    let caller = match token {
        Some(token) => state.switch.session(&token.0).await.ok(),
        // from before a restart: his session of this place is the one
        None => {
            let his = state.switch.session_of(agent.clone()).await.ok().flatten();
            his.filter(|his| his.place == place)
                .map(|_| AgentCaller { agent: agent.clone(), supervisor: false })
        }
    };
    if let Some(caller) = caller {
        let who = Who::Agent(caller);
        let _ = Desk::of(agent, who, state.clone()).want(AgentOrder::SignOut, None).await;
    }
    over()
}

/// Whose session a request has.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "OwnThirdPartySession")]
struct Own {
    agent: AgentId,
    display: String,
    /// He may look after others.
    supervisor: bool,
    /// What a page shows in `X-CSRF-Token` when its session is in the cookie.
    csrf: String,
    /// Where he is signed in.
    session: Option<SessionView>,
}

/// The agent whose session a request has.
fn agent_who(who: Who) -> Result<AgentCaller, Problem> {
    match who {
        Who::Agent(caller) => Ok(caller),
        Who::Key(_) => {
            let detail = "the session of an agent is needed: POST /api/v1/third-party/session".to_owned();
            Err(refused(StatusCode::FORBIDDEN, "no_agent", "a key is no agent", detail))
        }
    }
}

async fn read(Use(state): Use<State>, Signed(who): Signed, headers: HeaderMap) -> Answer<Own> {
    let caller = agent_who(who)?;
    let csrf = csrf_of(&token_of(&headers).unwrap_or_default());
    let session = state.switch.session_of(caller.agent.clone()).await?;
    let plan = state.switch.floor_plan(caller.agent.tenant).await?;
    let display = plan.agents.get(&caller.agent.name).map(|agent| agent.display.clone());
    let (display, supervisor) = (display.unwrap_or_default(), caller.supervisor);
    Ok(Json(Own { agent: caller.agent, display, supervisor, csrf, session }))
}

async fn sign_out(
    Use(state): Use<State>,
    Signed(who): Signed,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let agent = agent_who(who.clone())?.agent;
    let done = Desk::of(agent, who, state.clone()).want(AgentOrder::SignOut, None).await?;
    let (id, token) = (cookie::of(&headers, cookie::ID), token_of(&headers).unwrap_or_default());
    let switch = &*state.switch;
    let his = state.pages.held(switch, |held| id.and_then(|id| held.of_token(id, &token))).await?;
    if let Some(session) = his {
        state.pages.forget(switch, &session.id).await?;
    }
    let mut response = done.into_response();
    for line in cookie::clear()? {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    Ok(response)
}
