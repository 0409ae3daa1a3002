//! The ladder of a call: as JSON, as text for a terminal, and as a capture for tshark and Wireshark.
//!
//! `{id}` is an id of ours or a SIP Call-ID of one of its legs. Requests that became no call are the operator's own
//! tenant's.

mod pcap;
mod text;

use crate::key::Asking;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::State;
use crate::switch::Refusal;
use axum::Json;
use axum::extract::{Path, State as Use};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::id::{CallId, TenantId};
use cordboard_model::trace::{TraceKey, TraceView};

async fn find(state: &State, tenant: TenantId, id: &str) -> Result<TraceView, Problem> {
    let own = id.parse::<CallId>().ok().filter(|call| call.tenant == tenant);
    if let Some(call) = own {
        match state.switch.trace(TraceKey::Call(call)).await {
            Err(Refusal::NotFound(_)) => {}
            found => return Ok(found?),
        }
    }
    Ok(state.switch.trace(TraceKey::Sip(tenant, id.to_owned())).await?)
}

/// `GET /api/v1/calls/{id}/trace`: the ladder; `format=text` or `Accept: text/plain` as text, there with the messages
/// when `messages=true`.
pub async fn trace(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    query: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = query.only(&["format", "messages"])?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let as_text = match query.text("format") {
        None => accept.starts_with("text/plain"),
        Some("text") => true,
        Some("json") => false,
        Some(_) => return Err(Problem::field("format", "expected json or text")),
    };
    let messages = match query.text("messages") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::field("messages", "expected true or false")),
    };
    let view = find(&state, who.tenant, &id).await?;
    if !as_text {
        return Ok(Json(view).into_response());
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, text::print(&view, messages)).into_response())
}

/// `GET /api/v1/calls/{id}/trace.pcap`: the messages as a capture.
pub async fn capture(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = find(&state, who.tenant, &id).await?;
    let mut response = pcap::write(&view).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.tcpdump.pcap"));
    headers
        .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"call.pcap\""));
    Ok(response)
}
