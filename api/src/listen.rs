//! Programs that listen to a call, by WebSocket in the media-stream format.

use crate::key::Asking;
use crate::problem::Problem;
use crate::routes::{self, Answer, Done, read};
use crate::state::{State, own};
use crate::switch::{Command, Listen};
use axum::body::Bytes;
use axum::extract::{Path, State as Use};
use cordboard_model::id::CallId;
use cordboard_model::stream::{PARAMETER_MAX, PARAMETERS_MAX, StreamWay, URL_MAX};
use serde::Deserialize;
use std::collections::BTreeMap;

const EXPECTED: &str = r#"expected {"url": "wss://..."}, and perhaps "tracks": "inbound", "outbound" or "both", and "parameters": {"name": "value"}"#;

/// Whom it hears.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tracks {
    Inbound,
    Outbound,
    #[default]
    Both,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    url: String,
    #[serde(default)]
    tracks: Tracks,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// Has a program listen.
pub(crate) async fn begin(
    Use(state): Use<State>,
    Asking(who): Asking,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    let Body { url, tracks, parameters } = read(&body, "url", EXPECTED)?;
    if url.len() > URL_MAX || !(url.starts_with("ws://") || url.starts_with("wss://")) {
        return Err(Problem::field(
            "url",
            format!("must begin with ws:// or wss:// and have at most {URL_MAX} bytes"),
        ));
    }
    let is_long = |(name, value): (&String, &String)| name.len().max(value.len()) > PARAMETER_MAX;
    if parameters.len() > PARAMETERS_MAX || parameters.iter().any(is_long) {
        let why = format!("at most {PARAMETERS_MAX}, each name and value of at most {PARAMETER_MAX} bytes");
        return Err(Problem::field("parameters", why));
    }
    let way = match tracks {
        Tracks::Inbound => StreamWay::Inbound,
        Tracks::Outbound => StreamWay::Outbound,
        Tracks::Both => StreamWay::Both,
    };
    let listen = Listen { call, url, parameters, way, by: format!("key {}", who.key) };
    routes::order(&state, who.tenant, Command::Listen(Box::new(listen))).await
}

/// Has it listen no longer.
pub(crate) async fn end(Use(state): Use<State>, Asking(who): Asking, Path(id): Path<String>) -> Answer<Done> {
    let call = own(&id, who.tenant, |c: &CallId| c.tenant)?;
    routes::order(&state, who.tenant, Command::ListenNoMore(call)).await
}
