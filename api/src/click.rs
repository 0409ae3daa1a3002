//! Calls that visitors of web pages begin: the integrator's server asks for one, and its page makes it.

use crate::asked::{Said, Says};
use crate::catalog::{Routes, key};
use crate::key::Asking;
use crate::problem::Problem;
use crate::state::State;
use axum::Json;
use axum::extract::State as Use;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::chat::ChatCustomer;
use cordboard_model::click::{ClickFault, ClickTo, NewClick, OpenedClick};
use cordboard_model::id::{AgentId, CallId, QueueId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The path of the WebSocket that speaks SIP (RFC 7118).
const SIP: &str = "/sip";

pub(crate) fn routes() -> Routes {
    Routes::v1().post(
        "/click-calls",
        open,
        key(
            "openClickCall",
            "click-calls:control",
            "Lets a visitor's page call a queue of click-to-call, once and within a minute",
        )
        .takes::<Body>(r#"{"queue": "help", "customer": {"id": "c-17", "name": "Ann"}, "page": "https://www.example.com/cart"}"#)
        .gives_as::<Opened>(201)
        .refuses(&[429, 503]),
    )
}

impl From<ClickFault> for Problem {
    fn from(fault: ClickFault) -> Self {
        let status = match fault {
            ClickFault::NoSuchQueue | ClickFault::NotOfClicks | ClickFault::NoSuchAgent => {
                StatusCode::CONFLICT
            }
            ClickFault::NoSuchFlow => StatusCode::NOT_FOUND,
            ClickFault::BadText(_) | ClickFault::BadData(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ClickFault::TooMany | ClickFault::TooManyChecks => StatusCode::TOO_MANY_REQUESTS,
            ClickFault::NoCalls => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut problem = Self::new(status, "no call is given to this visitor", fault.to_string());
        problem.code = Some(fault.as_str());
        problem.field = fault.field().map(Into::into);
        problem.retry_after_s = match fault {
            ClickFault::TooMany | ClickFault::TooManyChecks => Some(10),
            ClickFault::NoCalls => Some(1),
            _ => None,
        };
        problem
    }
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ClickCallOpen")]
#[serde(deny_unknown_fields)]
struct Body {
    /// Of kind `voice_click` or `video_click`.
    queue: String,
    #[serde(default)]
    customer: ChatCustomer,
    /// The address of the page that he is on.
    #[serde(default)]
    page: String,
    #[serde(default)]
    data: BTreeMap<String, Value>,
    #[serde(default)]
    priority: u8,
    /// Whom he has first, for a minute: the agent who chats with him.
    agent: Option<String>,
}

impl Says for Body {
    const FIELD: &'static str = "queue";
    const EXPECTED: &'static str = r#"expected {"queue": "help"}, and perhaps "customer": {"id": "c-17", "name": "Ann"}, "page", "data", "priority" and "agent""#;
}

/// What the visitor's page calls by. All of it is good for this one call, which has to begin before it ends to be.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ClickCallOpened")]
pub(crate) struct Opened {
    /// The call that it will be: its events, its record and its call data have this id.
    call: CallId,
    /// Who calls: `sip:...@DOMAIN`, for From.
    uri: String,
    /// What he calls, and nothing else.
    to: String,
    /// What he says as the user name of digest.
    username: String,
    /// Shown here and nowhere else.
    password: String,
    /// For how long the call may begin, seconds.
    lasts: u64,
    /// The path of the WebSocket that speaks SIP (RFC 7118).
    path: &'static str,
    /// Whether the queue is one of video: the page offers its camera too.
    video: bool,
}

impl From<OpenedClick> for Opened {
    fn from(opened: OpenedClick) -> Self {
        let OpenedClick { call, to, domain, username, password, lasts, video } = opened;
        Self {
            call,
            uri: format!("sip:visitor@{domain}"),
            to: format!("sip:{to}@{domain}"),
            username,
            password: password.0,
            lasts: lasts.as_secs(),
            path: SIP,
            video,
        }
    }
}

async fn open(
    Use(state): Use<State>,
    Asking(who): Asking,
    Said(body): Said<Body>,
) -> Result<Response, Problem> {
    let Body { queue, customer, page, data, priority, agent } = body;
    let queue = QueueId::new(who.tenant, &queue).map_err(|why| Problem::field("queue", why.to_string()))?;
    let agent = agent.map(|name| AgentId::new(who.tenant, &name)).transpose();
    let agent = agent.map_err(|why| Problem::field("agent", why.to_string()))?;
    let to = ClickTo::Queue(queue);
    let new = NewClick { to, customer, page, data, priority, agent, by: who.to_string() };
    let opened = state.switch.open_click(new).await??;
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(Opened::from(opened))).into_response())
}
