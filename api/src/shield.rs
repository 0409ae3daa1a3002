//! What every answer carries: headers that keep browsers from misusing it, one form for every error, and who may read it from
//! another origin.
//!
//! Invariant: an answer can be read by pages of another origin only if that very origin is on the list of the tenant whose request
//! it was; what nobody was found to ask for has nothing of any tenant in it, and an origin of any list may read it.

use crate::audit::Audit;
use crate::problem::Problem;
use crate::state::State;
use axum::extract::{Request, State as Use};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Most bytes of an error's text that are passed on.
const ERROR_TEXT: usize = 1_024;
/// What scripts of other origins may send.
const MAY_SEND: &str = "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, range, x-api-key, x-csrf-token";
/// What they may do.
const MAY_DO: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// What they may read of an answer besides its body.
const MAY_READ: &str = "accept-ranges, content-disposition, content-range, etag, link, location, retry-after, www-authenticate, \
    ratelimit, ratelimit-policy";
/// Which pages may have what is answered as a script or a picture.
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// How long a browser may remember that, seconds.
const REMEMBERED: &str = "600";

/// Everything goes by here.
pub(crate) async fn guard(Use(state): Use<State>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let path = request.uri().path();
    let of_api = path.starts_with("/api/") || path.starts_with("/service-cloud/");
    let bar = (path == crate::bar::PAGE).then(|| crate::bar::frames(&state, request.uri().query()));
    let for_visitors = path == crate::pages::VISIT;
    if of_api && let Some(answer) = preflight(&state, &request, origin.as_ref()) {
        return dressed(&state, answer, of_api);
    }
    let response = next.run(request).await;
    let tenant = response.extensions().get::<Audit>().and_then(Audit::tenant);
    let mut response = dressed(&state, as_problem(response).await, of_api);
    if for_visitors {
        response.headers_mut().insert(RESOURCE, HeaderValue::from_static("cross-origin"));
    }
    if let Some(frames) = bar {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy(&frames));
    }
    if !of_api {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        let text = origin.to_str().unwrap_or_default();
        let reads = match tenant {
            Some(tenant) => {
                state.switch.access(tenant).is_some_and(|(terms, _)| terms.origins.contains(text))
            }
            None => state.switch.allows_origin(text),
        };
        if reads {
            allow(headers, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(MAY_READ));
        }
    }
    response
}

/// That very origin, and with what it is signed in by.
fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
}

/// The question of a browser whether a page of another origin may ask. It shows nobody's key: whose list the origin is on is found
/// out by the request itself.
fn preflight(state: &State, request: &Request, origin: Option<&HeaderValue>) -> Option<Response> {
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let origin = origin.filter(|_| asks && request.method() == Method::OPTIONS)?;
    if !state.switch.allows_origin(origin.to_str().unwrap_or_default()) {
        let mut problem = Problem::new(
            StatusCode::FORBIDDEN,
            "pages of this origin may not ask",
            "no tenant lists it under access.origins",
        );
        problem.code = Some("origin");
        return Some(problem.into_response());
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    allow(headers, origin.clone());
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, MAY_DO),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, MAY_SEND),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED),
        (header::VARY, "origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

/// With the headers that every answer carries.
fn dressed(state: &State, mut response: Response, of_api: bool) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE, HeaderValue::from_static(if of_api { "cross-origin" } else { "same-origin" }));
    headers.insert(header::CONTENT_SECURITY_POLICY, if of_api { nothing() } else { state.config.policy() });
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// What an answer of the API may load if somebody opens it as a page.
fn nothing() -> HeaderValue {
    HeaderValue::from_static(
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    )
}

/// What our pages may load, and which pages may show them in a frame.
pub(crate) fn policy(frames: &[String]) -> HeaderValue {
    let frames = if frames.is_empty() { "'none'".to_owned() } else { frames.join(" ") };
    let text = format!(
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; media-src 'self' blob:; \
         style-src 'self' 'unsafe-inline'; frame-ancestors {frames}; base-uri 'none'; object-src 'none'; form-action 'self'"
    );
    // what the configuration lets through is no other; nobody may frame a page whose rule cannot be said
    HeaderValue::from_str(&text).unwrap_or_else(|_| nothing())
}

/// One form for every error: those that axum makes itself (a method that a route does not have, a request that is no WebSocket)
/// become problems too.
async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_text {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = axum::body::to_bytes(body, ERROR_TEXT).await.unwrap_or_default();
    let title = status.canonical_reason().unwrap_or("refused");
    let problem = Problem::new(status, title, String::from_utf8_lossy(&text));
    let mut response = problem.into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}
