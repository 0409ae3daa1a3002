//! Clients that were written for the reference contact centre of the other vendor: its exchange of tokens, and its management
//! actions.
//!
//! Invariant: an application acts for its own tenant alone, and for nobody for whom it shows no token that it has signed or that the
//! system which is configured for it knows.

pub mod beside;
mod jwt;
mod proof;
mod rpc;
mod seen;

pub use jwt::public_key;

use crate::audit::Audit;
use crate::key::source_of;
use crate::problem::Problem;
use crate::state::State;
use crate::surface::{Listed, Surface};
use crate::switch::{Refusal, SignIn, Switch, WantedSession};
use crate::third_party::{agent_of, cookie};
use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request, State as Use};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use cordboard_model::application::Application;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::time::Wall;
use jwt::Claims;
use seen::{Again, Seen};
use serde_json::json;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use subtle::ConstantTimeEq;

/// Where tokens are exchanged.
const EXCHANGE: &str = "/oauth/token_exchange";
/// What is asked for (RFC 8693 2.1).
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// What is shown, and what is given (RFC 8693 3).
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Longest body and query of an exchange, bytes.
const ASKED_MAX: usize = 32 << 10;
/// How the switch's list of sessions names those of applications.
const PLACE: &str = "application ";
/// What a client that says nothing gets.
const SCOPE: &str = "user_management,hotline";
/// What there is to have, with the word of the reference's samples for both.
const SCOPES: [&str; 3] = ["user_management", "hotline", "fuyun-dev"];

/// What was shown before.
#[derive(Debug, Default)]
pub struct Shown(Mutex<Seen>);

/// The exchange, and where actions are asked for: by which method an action comes, it says itself.
fn routes() -> Surface<State> {
    let actions = Surface::new().get("/", rpc::root).post("/", rpc::root).put("/", rpc::root);
    actions.delete("/", rpc::root).post(EXCHANGE, exchange)
}

/// Every route of it, and every action that is built.
pub(crate) fn listed() -> Vec<Listed> {
    let action =
        |row: &rpc::Row| Listed { method: "POST".to_owned(), path: format!("/?Action={}", row.name) };
    let mut all = routes().listed("");
    all.extend(rpc::BUILT.iter().map(action));
    all
}

/// Its routes.
pub(crate) fn router() -> Router<State> {
    routes().router()
}

/// Why a token is not exchanged (RFC 6749 5.2).
struct Refused {
    status: StatusCode,
    error: &'static str,
    why: String,
    wait: Option<u32>,
}

impl Refused {
    fn new(error: &'static str, why: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, why: why.into(), wait: None }
    }

    fn client() -> Self {
        let why = "Authorization: Basic with the client id and the secret is needed";
        Self { status: StatusCode::UNAUTHORIZED, ..Self::new("invalid_client", why) }
    }

    fn silent(why: &str) -> Self {
        let said = Self::new("temporarily_unavailable", format!("the other system does not answer: {why}"));
        Self { status: StatusCode::GATEWAY_TIMEOUT, ..said }
    }

    fn garbage(why: &str) -> Self {
        let said = Self::new("server_error", format!("the other system answers something else: {why}"));
        Self { status: StatusCode::BAD_GATEWAY, ..said }
    }

    fn later(seconds: u32, status: StatusCode) -> Self {
        Self { status, wait: Some(seconds), ..Self::new("temporarily_unavailable", "try again later") }
    }
}

impl From<Refusal> for Refused {
    fn from(why: Refusal) -> Self {
        match why {
            Refusal::Busy(seconds) => Self::later(seconds, StatusCode::SERVICE_UNAVAILABLE),
            Refusal::SignIn(fault) => Self::new("invalid_grant", fault.to_string()),
            other => {
                let problem = Problem::from(other);
                let status =
                    StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Self { status, ..Self::new("server_error", problem.detail) }
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.why });
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"cordboard\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        if let Some(seconds) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// What an exchange says, in its body or, as the reference's sample sends it, in its query.
struct Asked {
    from: IpAddr,
    headers: HeaderMap,
    audit: Audit,
    said: Vec<(String, String)>,
}

impl FromRequest<State> for Asked {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let (from, audit) = (source_of(&parts), Audit::of(&parts));
        if let Some(seconds) = state.brake.wait(from, Instant::now()) {
            return Err(Refused::later(seconds, StatusCode::TOO_MANY_REQUESTS).into_response());
        }
        let (headers, query) = (parts.headers.clone(), parts.uri.query().unwrap_or_default().to_owned());
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(IntoResponse::into_response)?;
        let wrong = |why| Refused::new("invalid_request", why).into_response();
        let body = std::str::from_utf8(&body).map_err(|_| wrong("the body is no form"))?;
        let mut said = pairs(body).ok_or_else(|| wrong("the body is no form"))?;
        said.extend(pairs(&query).ok_or_else(|| wrong("the query is no form"))?);
        Ok(Self { from, headers, audit, said })
    }
}

/// The pairs of a form.
fn pairs(form: &str) -> Option<Vec<(String, String)>> {
    if form.len() > ASKED_MAX {
        return None;
    }
    let uri: Uri = format!("/?{}", form.trim()).parse().ok()?;
    Query::<Vec<(String, String)>>::try_from_uri(&uri).ok().map(|Query(pairs)| pairs)
}

impl Asked {
    /// A parameter that may be said once (RFC 6749 3.2); what the body says goes before the query.
    fn text(&self, name: &'static str) -> Result<Option<&str>, Refused> {
        let mut all = self.said.iter().filter(|(known, value)| known == name && !value.is_empty());
        let first = all.next().map(|(_, value)| value.as_str());
        match all.any(|(_, value)| Some(value.as_str()) != first) {
            true => Err(Refused::new("invalid_request", format!("{name} is said twice"))),
            false => Ok(first),
        }
    }

    /// The application that asks.
    fn client(&self, state: &State) -> Result<(TenantId, Application), Refused> {
        let known = basic(&self.headers).and_then(|(id, secret)| {
            let (tenant, application) = state.switch.application(&id)?;
            let right: bool = application.secret.0.as_bytes().ct_eq(secret.as_bytes()).into();
            right.then_some((tenant, application))
        });
        known.ok_or_else(|| {
            state.brake.failed(self.from, Instant::now());
            Refused::client()
        })
    }

    /// The scopes that are had: those that are asked for, if there are such.
    fn scope(&self) -> Result<String, Refused> {
        let Some(asked) = self.text("scope")? else { return Ok(SCOPE.to_owned()) };
        let all = || asked.split([',', ' ']).filter(|word| !word.is_empty());
        match all().all(|word| SCOPES.contains(&word)) {
            true => Ok(all().collect::<Vec<_>>().join(",")),
            false => Err(Refused::new("invalid_scope", format!("expected some of {}", SCOPES.join(", ")))),
        }
    }
}

/// Name and secret of a client (RFC 7617), plain as the reference has them: RFC 6749 2.3.1 would have them encoded as in a form.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    use base64::Engine;
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, coded) = text.split_once(' ')?;
    let bytes = base64::prelude::BASE64_STANDARD.decode(coded.trim()).ok()?;
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}

async fn exchange(Use(state): Use<State>, asked: Asked) -> Result<Response, Refused> {
    let (tenant, application) = asked.client(&state)?;
    asked.audit.claims(tenant, format!("application {}", application.name));
    if asked.text("grant_type")? != Some(GRANT) {
        return Err(Refused::new("unsupported_grant_type", format!("grant_type has to be {GRANT}")));
    }
    let kind = proof::kind(&application.proof);
    if asked.text("subject_token_type")?.is_some_and(|said| said != kind) {
        return Err(Refused::new("invalid_request", format!("subject_token_type has to be {kind}")));
    }
    if asked.text("subject_issuer")?.is_some_and(|issuer| issuer != application.issuer) {
        return Err(Refused::new("invalid_request", "subject_issuer is not the issuer of this application"));
    }
    let scope = asked.scope()?;
    let token = asked.text("subject_token")?;
    let token = token.ok_or_else(|| Refused::new("invalid_request", "subject_token is missing"))?;
    let (user, id) = proof::user(&state, asked.from, &application, token).await?;
    let agent = agent_of(&state, tenant, &user).await;
    let field = proof::field(&application.proof);
    let agent =
        agent.map_err(|problem| Refused::new("invalid_grant", format!("{field}: {}", problem.title)))?;
    asked.audit.claims(tenant, format!("agent {}", agent.name));
    let token = begin(&state, &asked, &application, &agent).await?;
    given(&state, &application, (agent, token), scope, id)
}

impl Shown {
    /// What is shown is remembered here first: a flood of the same does not reach the store.
    fn mark(&self, client: &str, id: &str, until: Wall, now: Wall) -> Result<[u8; 16], Again> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).note(client, id, until, now)
    }

    /// Whether this is shown for the first time: in the store, too, which knows what was shown before a restart.
    async fn is_first(
        &self,
        switch: &dyn Switch,
        mark: [u8; 16],
        until: Wall,
        now: Wall,
    ) -> Result<bool, Refusal> {
        let first = crate::once::take(switch, mark, until, now).await;
        if first.is_err() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).forget(mark);
        }
        first
    }

    /// Whether this changes something for the first time, and is remembered.
    ///
    /// # Errors
    /// The store cannot say.
    async fn note_once(
        &self,
        switch: &dyn Switch,
        (client, id): (&str, &str),
        until: Wall,
        now: Wall,
    ) -> Result<bool, Refusal> {
        match self.mark(client, id, until, now) {
            Ok(mark) => self.is_first(switch, mark, until, now).await,
            Err(_) => Ok(false),
        }
    }

    async fn note(
        &self,
        switch: &dyn Switch,
        application: &Application,
        said: &Claims,
        now: Wall,
    ) -> Result<(), Refused> {
        let again = || Refused::new("invalid_grant", "the subject token was shown before");
        let full = || Refused::later(60, StatusCode::SERVICE_UNAVAILABLE);
        let mark = self.mark(&application.client_id, &said.id, said.until, now).map_err(|why| match why {
            Again::Shown => again(),
            Again::Full => full(),
        })?;
        // a database that is down remembers nothing: nothing opens that might open twice
        match self.is_first(switch, mark, said.until, now).await.map_err(|_| full())? {
            true => Ok(()),
            false => Err(again()),
        }
    }
}

async fn begin(
    state: &State,
    asked: &Asked,
    application: &Application,
    agent: &AgentId,
) -> Result<String, Refused> {
    let place = format!("{PLACE}{}", application.name);
    let order = SignIn {
        agent: agent.clone(),
        password: None,
        new: None,
        session: Some(WantedSession { place, take_over: true }),
        address: asked.from.to_string(),
        by: format!("application {}", application.name),
    };
    let token = state.switch.sign_in(order).await?.token;
    Ok(token.ok_or_else(|| Refusal::Internal("a session without a token".to_owned()))?.0)
}

/// The answer, with the cookie that the reference sets.
fn given(
    state: &State,
    application: &Application,
    (agent, token): (AgentId, String),
    scope: String,
    id: String,
) -> Result<Response, Refused> {
    let idle = state.switch.access(agent.tenant).map(|(_, rules)| rules.idle.as_millis() / 1_000);
    let body = json!({
        "access_token": token,
        "token_type": "bearer",
        "issued_token_type": ACCESS,
        "expires_in": idle.unwrap_or_default(),
        "scope": scope,
        "iss": application.issuer,
        "jti": id,
    });
    let line = cookie::application(&token).map_err(|why| Refusal::Internal(why.detail))?;
    let mut response = Json(body).into_response();
    response.headers_mut().append(header::SET_COOKIE, line);
    Ok(response)
}
