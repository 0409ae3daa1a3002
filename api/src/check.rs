//! Who has not signed in yet has his way to the switch measured: a call to the flow `line-check`, and to nothing else.
//!
//! Invariant: nothing is shown that is secret and nobody is asked who he is, so there are few: a tenant without the flow has none,
//! an address has some in a minute, all addresses together hardly more than one in a second, and the switch has so many at a time.

use crate::asked::{Said, Says};
use crate::catalog::{Routes, open as anybody};
use crate::click::Opened;
use crate::key::source_of;
use crate::problem::Problem;
use crate::rate::DearLimit;
use crate::state::State;
use axum::Json;
use axum::extract::State as Use;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::click::{LINE_CHECK, NewClick};
use cordboard_model::id::{FlowId, TenantId};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// A whole check takes half a minute; who looks for what is wrong makes some in a row, and a house may be behind one address.
const LIMIT: DearLimit = DearLimit { each: Duration::from_secs(3), burst: 10 };
/// Of a tenant, wherever they are asked from: each leaves a record.
const LIMIT_OF_ALL: DearLimit = DearLimit { each: Duration::from_secs(1), burst: 20 };

pub(crate) fn routes() -> Routes {
    Routes::v1().post(
        "/line-checks",
        open,
        anybody(
            "openLineCheck",
            "Lets a page have its way to the switch measured before anybody has signed in",
        )
        .reads()
        .takes::<Body>(r#"{"tenant": "default"}"#)
        .gives_as::<Opened>(201)
        .refuses(&[404, 429, 503])
        .tag("desk"),
    )
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "LineCheckOpen")]
#[serde(deny_unknown_fields)]
struct Body {
    /// Whose flow `line-check` measures; the default tenant's if none is named.
    tenant: Option<String>,
}

impl Says for Body {
    const FIELD: &'static str = "tenant";
    const EXPECTED: &'static str = r#"expected {"tenant": "default"}, or {}"#;
}

async fn open(Use(state): Use<State>, parts: Parts, Said(body): Said<Body>) -> Result<Response, Problem> {
    let tenant = match &body.tenant {
        Some(tenant) => TenantId::new(tenant).map_err(|why| Problem::field("tenant", why.to_string()))?,
        None => TenantId::DEFAULT,
    };
    let (source, now) = (source_of(&parts), Instant::now());
    let of_all = format!("{LINE_CHECK} of {tenant}");
    let wait = state.buckets.wait(LINE_CHECK, source, LIMIT, now);
    let wait = wait.or_else(|| state.buckets.wait(&of_all, Ipv4Addr::UNSPECIFIED.into(), LIMIT_OF_ALL, now));
    if let Some(seconds) = wait {
        return Err(Problem::slow_down(seconds));
    }
    let flow = FlowId::new(tenant, LINE_CHECK).map_err(|why| Problem::field("tenant", why.to_string()))?;
    let opened = state.switch.open_click(NewClick::check_of(flow)).await??;
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(Opened::from(opened))).into_response())
}
