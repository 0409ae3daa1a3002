//! `ccbarclient.js`, under the path at which the reference's pages ask for it.
//!
//! A page of another origin fetches it by POST, with what it knows of its agent, and runs what it gets; or has it by a script
//! element. Only pages of origins that the tenant lists (`access.origins`) get it, and only they may show the bar in a frame.

use crate::problem::Problem;
use crate::state::State;
use axum::body::Bytes;
use axum::extract::{Query, State as Use};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cordboard_model::id::TenantId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Where it lies.
pub(super) const PATH: &str = "/service-cloud/ccdesktop/pages/cc-bar/js/ccbarclient.js";
/// What it is.
pub(super) const KIND: &str = "text/javascript";
/// Longest body that is read.
const BODY_MAX: usize = 16 << 10;
/// Longest account or token of the other side's.
const TEXT_MAX: usize = 4_096;
/// Where the script has what it is told.
const TOLD: &str = "/*told*/{}";

/// The script.
const SCRIPT: &str = include_str!("ccbarclient.js");

/// What a page says of its agent. Everything may be left out: then the bar asks him.
#[derive(Clone, Debug, Default, JsonSchema, Deserialize)]
#[schemars(rename = "BarAsked")]
#[serde(default)]
pub(super) struct Said {
    /// What the other side made for its agent, and knows again.
    access_token: String,
    /// The tenant.
    #[serde(rename = "tenantSpaceId")]
    tenant: String,
    /// The agent's account.
    #[serde(rename = "userAccount")]
    account: String,
}

/// The same in the query, for a script element.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    tenant: String,
    account: String,
}

pub(super) async fn get(Use(state): Use<State>, headers: HeaderMap, Query(asked): Query<Asked>) -> Response {
    let said = Said { tenant: asked.tenant, account: asked.account, ..Said::default() };
    given(&state, &headers, &said)
}

/// The reference's pages send JSON as a form, so that the browser asks nobody before.
pub(super) async fn post(Use(state): Use<State>, headers: HeaderMap, body: Bytes) -> Response {
    let said = match body.iter().all(u8::is_ascii_whitespace) {
        true => Ok(Said::default()),
        false if body.len() > BODY_MAX => Err("too long".to_owned()),
        false => serde_json::from_slice::<Said>(&body).map_err(|why| why.to_string()),
    };
    match said {
        Ok(said) => given(&state, &headers, &said),
        Err(why) => Problem::field(
            "body",
            format!("expected JSON with access_token, tenantSpaceId and userAccount: {why}"),
        )
        .into_response(),
    }
}

/// The tenant that a page names; the default one where it names none that there is.
pub(crate) fn tenant_of(state: &State, named: &str) -> TenantId {
    let known = TenantId::new(named).ok().filter(|tenant| state.switch.access(*tenant).is_some());
    known.unwrap_or(TenantId::DEFAULT)
}

fn given(state: &State, headers: &HeaderMap, said: &Said) -> Response {
    let tenant = tenant_of(state, &said.tenant);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if let Some(origin) = text(header::ORIGIN)
        && !is_own(origin, host)
        && !state.switch.access(tenant).is_some_and(|(terms, _)| terms.origins.contains(origin))
    {
        let mut problem = Problem::new(
            StatusCode::FORBIDDEN,
            "pages of this origin may not have the bar",
            "the tenant does not list it under access.origins",
        );
        problem.code = Some("origin");
        return problem.into_response();
    }
    if said.account.len() > TEXT_MAX || said.access_token.len() > TEXT_MAX {
        return Problem::field("userAccount", "too long").into_response();
    }
    let told = json!({ "host": host, "tenant": tenant.as_str(), "account": said.account });
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, SCRIPT.replacen(TOLD, &safe(&told.to_string()), 1)).into_response()
}

/// Whether a page comes from where we are.
fn is_own(origin: &str, host: &str) -> bool {
    origin.split_once("://").is_some_and(|(_, of)| of == host)
}

/// JSON that may stand in a script, and in a script within a page.
fn safe(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_ends_no_script() {
        assert_eq!(safe(r#"{"a":"</script>"}"#), r#"{"a":"\u003c/script>"}"#);
        assert_eq!(safe("\u{2028}"), "\\u2028");
        assert_eq!(SCRIPT.matches(TOLD).count(), 1);
    }

    #[test]
    fn a_page_of_our_own_is_known_by_its_host() {
        assert!(is_own("https://cc.example:8443", "cc.example:8443"));
        assert!(!is_own("https://cc.example", "cc.example:8443"));
        assert!(!is_own("null", ""));
    }
}
