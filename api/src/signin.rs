//! Agents sign in with their passwords, and set them.
//!
//! Who has a key orders without a password, as everywhere; who has none shows an agent's. A token is shown once, in the answer
//! that it is made for.

use crate::asked::{MaySay, Said, Says};
use crate::audit::Audit;
use crate::catalog::{self, Op, PASSWORDS, Routes, desk, oversee};
use crate::desk::Desk;
use crate::key::{Overseeing, Signed, Who, shows, source_of};
use crate::problem::Problem;
use crate::routes::{Answer, Done, order};
use crate::state::State;
use crate::switch::{Command, Refusal, SignIn, SignedIn, WantedSession};
use axum::Json;
use axum::extract::{FromRequestParts, Path, State as Use};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use cordboard_model::config::Secret;
use cordboard_model::id::{AgentId, TenantId};
use cordboard_model::service::AgentOrder;
use cordboard_model::signin::{PASSWORD_MAX, PLACE_MAX, SessionView, SignInFault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn routes() -> Routes {
    Routes::v1()
        .post(
            "/agents/{name}/sign-in",
            sign_in,
            catalog::password("signIn", "Signs an agent in, with his password or by an order")
                .may_take::<SignInBody>(r#"{"password": "correct horse"}"#)
                .gives::<Begun>()
                .gives::<Done>()
                .refuses(&[401, 403, 404, 409, 422, 429, 503])
                .tag("agents"),
        )
        .put(
            "/agents/{name}/password",
            set_password,
            catalog::password("setPassword", "Sets an agent's password")
                .takes::<PasswordBody>(r#"{"password": "battery staple", "old": "correct horse"}"#)
                .gives::<Set>()
                .refuses(&[401, 403, 404, 409, 422, 429, 503])
                .tag("agents"),
        )
        .get(
            "/agents/{name}/session",
            session,
            desk("readSession", "agents:read", "Where an agent is signed in with his password")
                .gives::<Where>()
                .tag("desk"),
        )
        .delete(
            "/agents/{name}/lock",
            unlock,
            oversee("unlockAgent", PASSWORDS, "Has wrong passwords of an agent count no longer")
                .gives::<Done>()
                .tag("agents"),
        )
}

/// Who asks, who may have neither a key nor a session: then only a password helps him.
struct Door {
    who: Option<Who>,
    from: IpAddr,
    audit: Audit,
}

impl FromRequestParts<State> for Door {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let from = source_of(parts);
        let audit = Audit::of(parts);
        if shows(&parts.headers) {
            let Signed(who) = Signed::from_request_parts(parts, state).await?;
            return Ok(Self { who: Some(who), from, audit });
        }
        match state.brake.wait(from, Instant::now()) {
            Some(seconds) => Err(Problem::slow_down(seconds)),
            None => {
                if let Some(op) = parts.extensions.get::<Arc<Op>>() {
                    audit.op(op);
                }
                Ok(Self { who: None, from, audit })
            }
        }
    }
}

impl Door {
    /// The agent of this number: of the asking tenant, or of the one that is named where nobody is known yet.
    fn agent(&self, name: &str, tenant: Option<&str>) -> Result<AgentId, Problem> {
        let named = tenant
            .map(|tenant| TenantId::new(tenant).map_err(|why| Problem::field("tenant", why.to_string())));
        let named = named.transpose()?;
        let tenant = match (&self.who, named) {
            (Some(who), Some(named)) if named != who.tenant() => {
                return Err(Problem::field("tenant", "not the one of the key or the session"));
            }
            (Some(who), _) => who.tenant(),
            (None, named) => named.unwrap_or(TenantId::DEFAULT),
        };
        AgentId::new(tenant, name).map_err(|why| Problem::not_found(why.to_string()))
    }

    /// Has it done. A password that is wrong counts against the address, too.
    async fn ask(&self, state: &State, order: SignIn) -> Result<SignedIn, Problem> {
        let agent = order.agent.clone();
        let done = state.switch.sign_in(order).await;
        // one that came too soon was not looked at: nobody fills the log with those
        let looked_at = !matches!(done, Err(Refusal::SignIn(SignInFault::TooSoon(_) | SignInFault::Busy)));
        if looked_at && self.who.is_none() && state.switch.access(agent.tenant).is_some() {
            self.audit.claims(agent.tenant, format!("agent {}", agent.name));
        }
        if let Err(Refusal::SignIn(SignInFault::Wrong | SignInFault::Locked(_))) = &done {
            state.brake.failed(self.from, Instant::now());
        }
        done.map_err(Problem::from)
    }
}

#[derive(Default, JsonSchema, Deserialize)]
#[schemars(rename = "SignIn")]
#[serde(deny_unknown_fields)]
struct SignInBody {
    password: Option<String>,
    new_password: Option<String>,
    #[serde(default)]
    take_over: bool,
    #[serde(default, rename = "where")]
    place: String,
    tenant: Option<String>,
    by: Option<String>,
}

impl Says for SignInBody {
    const FIELD: &'static str = "password";
    const EXPECTED: &'static str = r#"expected {"password": "..."} and perhaps "new_password", "take_over", "where" and "tenant"; with a key nothing, or {"by": "1009"}"#;
}

/// A session.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "SignedIn")]
struct Begun {
    agent: AgentId,
    /// Shown here and nowhere else.
    token: String,
}

fn password(field: &str, text: String) -> Result<Secret, Problem> {
    match text.len() {
        1..=PASSWORD_MAX => Ok(Secret(text)),
        _ => Err(Problem::field(field, format!("1 to {PASSWORD_MAX} bytes"))),
    }
}

async fn sign_in(
    Use(state): Use<State>,
    door: Door,
    Path(name): Path<String>,
    MaySay(body): MaySay<SignInBody>,
) -> Result<Response, Response> {
    let SignInBody { password: given, new_password, take_over, place, tenant, by } = body;
    let wrong = |problem: Problem| problem.into_response();
    let agent = door.agent(&name, tenant.as_deref()).map_err(wrong)?;
    let Some(given) = given else {
        let Some(who) = door.who else { return Err(Problem::unauthorized().into_response()) };
        let done = Desk::of(agent, who, state).want(AgentOrder::SignIn, by).await;
        return done.map(IntoResponse::into_response).map_err(wrong);
    };
    if by.is_some() {
        return Err(wrong(Problem::field(
            "by",
            "a password is an agent's own: nobody signs in for him with it",
        )));
    }
    if place.chars().count() > PLACE_MAX {
        return Err(wrong(Problem::field("where", format!("at most {PLACE_MAX} characters"))));
    }
    let new = new_password.map(|new| password("new_password", new)).transpose().map_err(wrong)?;
    let order = SignIn {
        agent: agent.clone(),
        password: Some(password("password", given).map_err(wrong)?),
        new,
        session: Some(WantedSession { place, take_over }),
        address: door.from.to_string(),
        by: format!("agent {}", agent.name),
    };
    let done = door.ask(&state, order).await.map_err(wrong)?;
    let token = done.token.map(|Secret(token)| token).unwrap_or_default();
    Ok(Json(Begun { agent, token }).into_response())
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "NewPassword")]
#[serde(deny_unknown_fields)]
struct PasswordBody {
    password: String,
    old: Option<String>,
    tenant: Option<String>,
}

impl Says for PasswordBody {
    const FIELD: &'static str = "password";
    const EXPECTED: &'static str =
        r#"expected {"password": "..."} with a key, and {"password": "...", "old": "..."} without"#;
}

/// It is set.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "PasswordSet")]
struct Set {
    agent: AgentId,
}

async fn set_password(
    Use(state): Use<State>,
    door: Door,
    Path(name): Path<String>,
    Said(body): Said<PasswordBody>,
) -> Answer<Set> {
    let agent = door.agent(&name, body.tenant.as_deref())?;
    let by = match (&door.who, &body.old) {
        (Some(Who::Key(caller)), None) => caller.to_string(),
        (Some(Who::Agent(caller)), _) if caller.agent != agent => return Err(Problem::not_his()),
        (_, Some(_)) => format!("agent {}", agent.name),
        (Some(Who::Agent(_)), None) => return Err(Problem::field("old", "the password that he has now")),
        (None, None) => return Err(Problem::unauthorized()),
    };
    let old = body.old.map(|old| password("old", old)).transpose()?;
    let new = Some(password("password", body.password)?);
    let (address, session) = (door.from.to_string(), None);
    let order = SignIn { agent: agent.clone(), password: old, new, session, address, by };
    door.ask(&state, order).await?;
    Ok(Json(Set { agent }))
}

/// Where an agent is signed in with his password: nothing if he is not.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "SessionOf")]
struct Where {
    session: Option<SessionView>,
}

async fn session(desk: Desk) -> Answer<Where> {
    desk.may_see()?;
    Ok(Json(Where { session: desk.session().await? }))
}

async fn unlock(
    Use(state): Use<State>,
    Overseeing(who): Overseeing,
    Path(name): Path<String>,
) -> Answer<Done> {
    let agent = AgentId::new(who.tenant(), &name).map_err(|why| Problem::not_found(why.to_string()))?;
    order(&state, agent.tenant, Command::Unlock(agent, who.to_string())).await
}
