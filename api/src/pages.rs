//! The pages, compiled into the binary, and the demo's key for its own page.

use crate::problem::Problem;
use crate::state::State;
use axum::Json;
use axum::extract::{ConnectInfo, State as Use};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use schemars::JsonSchema;
use serde::Serialize;
use std::net::SocketAddr;

/// The script that puts a call to a queue onto anybody's page: scripts of other origins are this one file.
pub(crate) const VISIT: &str = "/web-call.js";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/web/dist"]
struct Pages;

/// A page or one of its files. Unknown paths below `/assets` are 404; others are the page itself.
pub async fn page(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return Problem::not_found(format!("no route /{path}; the API is under /api/v1")).into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        return Problem::new(StatusCode::METHOD_NOT_ALLOWED, "pages are only read", "").into_response();
    }
    let file = if path.is_empty() { "index.html" } else { path };
    let (name, found) = match Pages::get(file) {
        Some(found) => (file, Some(found)),
        None if path.starts_with("assets/") || path.contains('.') => (file, None),
        None => ("index.html", Pages::get("index.html")),
    };
    let Some(found) = found else {
        return Problem::not_found(format!("no page /{path}")).into_response();
    };
    let mut response = found.data.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// The media type of a file of ours.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The demo's key.
#[derive(JsonSchema, Serialize)]
pub(crate) struct PageKey {
    key: String,
}

/// `GET /page-key`: the demo's key, for its own page on this machine only: the peer is on loopback, the Host is a
/// loopback name (so that a foreign name pointed at loopback gets nothing), and a foreign page cannot read the
/// answer, since no CORS header allows it.
pub async fn page_key(
    Use(state): Use<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = matches!(name, "127.0.0.1" | "localhost" | "[::1]");
    match &state.config.page_key {
        Some(key) if peer.ip().is_loopback() && local => Json(PageKey { key: key.clone() }).into_response(),
        _ => Problem::not_found("the page asks for a key; only the demo gives one").into_response(),
    }
}
