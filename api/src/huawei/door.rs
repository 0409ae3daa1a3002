//! The door of the calls: tokens for app keys, and requests that show one.

use super::Shapes;
use super::config::HuaweiTenant;
use super::reply::{refused, sent};
use super::token;
use crate::audit::Audit;
use crate::gateway::fields::Fields;
use crate::key::{Who, source_of};
use crate::switch::{Caller, Refusal};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State as Use};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use cordboard_model::desk::Actor;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// What is said to who has waited too little after too many failures.
pub(crate) fn slow(seconds: u32) -> Response {
    let mut response = refused(StatusCode::TOO_MANY_REQUESTS, "too many wrong keys; wait");
    response.headers_mut().insert("retry-after", seconds.into());
    response
}

/// For how long a token is wanted: the header, at most an hour. None if that is no number of seconds.
fn wanted(headers: &HeaderMap) -> Option<u64> {
    let Some(value) = headers.get("x-token-expire") else { return Some(token::USUAL) };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok()).filter(|s| *s > 0);
    seconds.map(|seconds| seconds.min(token::LONGEST))
}

/// `tokenByAkSk`: a token for an app key and its secret.
pub(crate) async fn token(Use(shapes): Use<Arc<Shapes>>, request: Request) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let (source, now) = (source_of(&parts), Instant::now());
    if let Some(seconds) = shapes.brake.wait(source, now) {
        return Err(slow(seconds));
    }
    let said = read(&shapes, &parts, body).await?;
    let bad = |why: &str| refused(StatusCode::BAD_REQUEST, why);
    let seconds = wanted(&parts.headers).ok_or_else(|| bad("X-Token-Expire is no number of seconds"))?;
    let name = said.text("app_key").ok_or_else(|| bad("app_key is missing"))?;
    let secret = said.text("app_secret").ok_or_else(|| bad("app_secret is missing"))?;
    let (config, at) = (shapes.config(), shapes.switch.moment());
    let Some((_, key)) = token::key_of(&config, &name, &secret) else {
        shapes.brake.failed(source, now);
        return Err(refused(StatusCode::UNAUTHORIZED, "the app key or its secret is wrong"));
    };
    let made = token::mint(key, at, seconds)
        .ok_or_else(|| refused(StatusCode::INTERNAL_SERVER_ERROR, "the key has no secret"))?;
    let body = json!({
        "AccessToken": made,
        "ApplyType": "Bearer",
        "CreateTime": at.0.div_euclid(1_000).to_string(),
        "Expires": seconds.to_string(),
        "Scope": "",
        "AppKey": key.name,
        "UserID": "Anonymous",
    });
    Ok(sent(StatusCode::OK, &body))
}

/// The entries of a body.
async fn read(shapes: &Arc<Shapes>, parts: &Parts, body: axum::body::Body) -> Result<Fields, Response> {
    let mut request = Request::new(body);
    *request.headers_mut() = parts.headers.clone();
    let long = |_| refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or did not come");
    let bytes = Bytes::from_request(request, shapes).await.map_err(long)?;
    Fields::body(&bytes).map_err(|why| refused(StatusCode::BAD_REQUEST, &why.message()))
}

/// A request that shows a token.
pub(crate) struct Ask {
    pub(crate) shapes: Arc<Shapes>,
    pub(crate) tenant: HuaweiTenant,
    /// The key's name.
    pub(crate) key: String,
    pub(crate) said: Fields,
    audit: Audit,
}

impl FromRequest<Arc<Shapes>> for Ask {
    type Rejection = Response;

    async fn from_request(request: Request, shapes: &Arc<Shapes>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let (source, now) = (source_of(&parts), Instant::now());
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let shown = text("authorization").and_then(|value| value.split_once(' '));
        let shown = shown.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let Some((_, shown)) = shown else {
            return Err(refused(StatusCode::UNAUTHORIZED, "expected Authorization: Bearer TOKEN"));
        };
        if let Some(seconds) = shapes.brake.wait_with(source, shown, now) {
            return Err(slow(seconds));
        }
        let config = shapes.config();
        let opened = token::opens(&config, shown.trim(), shapes.switch.moment());
        let Some((tenant, key)) = opened.map(|(tenant, key)| (tenant.clone(), key.name.clone())) else {
            shapes.brake.stale(source, now);
            return Err(refused(StatusCode::UNAUTHORIZED, "the token is wrong, or its time is over"));
        };
        shapes.brake.found(shown, now);
        if text("x-app-key").is_some_and(|named| named != key) {
            return Err(refused(StatusCode::UNAUTHORIZED, "X-APP-Key is not the key of this token"));
        }
        let said = read(shapes, &parts, body).await?;
        let audit = Audit::of(&parts);
        Ok(Self { shapes: Arc::clone(shapes), tenant, key, said, audit })
    }
}

impl Ask {
    /// Who asks, for records.
    pub(crate) fn by(&self) -> Actor {
        Actor { key: self.key.clone(), agent: None }
    }

    /// It changes something: the audit log has it.
    pub(crate) fn notes(&self) {
        self.audit.by(&Who::Key(Caller::key(self.tenant.tenant.id, self.key.as_str())));
    }
}

/// The switch's reason, in words.
pub(crate) fn why(refusal: Refusal) -> String {
    match refusal {
        Refusal::NotFound(why) | Refusal::Conflict(why) | Refusal::Named(_, why) | Refusal::Internal(why) => {
            why
        }
        Refusal::Invalid(why) => why.join("; "),
        Refusal::Busy(seconds) => format!("too busy; come back in {seconds} s"),
        Refusal::SignIn(why) => why.to_string(),
        Refusal::Chat(why) => why.to_string(),
    }
}
