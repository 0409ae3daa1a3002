//! Programs that listen to a call, by WebSocket in the media-stream format.

use crate::asked::{Of, Said, Says};
use crate::problem::Problem;
use crate::routes::{Answer, Done};
use crate::switch::{Command, Listen};
use cordboard_model::id::CallId;
use cordboard_model::stream::{PARAMETER_MAX, PARAMETERS_MAX, StreamWay, URL_MAX};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Whom it hears.
#[derive(Clone, Copy, Default, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tracks {
    Inbound,
    Outbound,
    #[default]
    Both,
}

#[derive(JsonSchema, Deserialize)]
#[schemars(rename = "Listener")]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    url: String,
    #[serde(default)]
    tracks: Tracks,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

impl Says for Body {
    const FIELD: &'static str = "url";
    const EXPECTED: &'static str = r#"expected {"url": "wss://..."}, and perhaps "tracks": "inbound", "outbound" or "both", and "parameters": {"name": "value"}"#;
}

/// Has a program listen.
pub(crate) async fn begin(call: Of<CallId>, Said(body): Said<Body>) -> Answer<Done> {
    let Body { url, tracks, parameters } = body;
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
    let listen = Listen { call: call.id, url, parameters, way, by: call.by() };
    call.order(Command::Listen(Box::new(listen))).await
}

/// Has it listen no longer.
pub(crate) async fn end(call: Of<CallId>) -> Answer<Done> {
    call.order(Command::ListenNoMore(call.id)).await
}
