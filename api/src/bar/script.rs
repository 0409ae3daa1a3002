//! `ccbarclient.js`, under the path at which the reference's pages ask for it.
//!
//! A page of another origin fetches it by POST, with what it knows of its agent, and runs what it gets; or has it by a script
//! element. Only pages of origins that the tenant lists (`access.origins`) get it, and only they may show the bar in a frame.

use crate::problem::Problem;
use crate::state::State;
use crate::third_party::{self, Page, Shown};
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
/// Longest account.
const TEXT_MAX: usize = 128;
/// Where the script has what it is told.
const TOLD: &str = "/*told*/{}";

/// The script.
const SCRIPT: &str = include_str!("ccbarclient.js");

/// What a page says of its agent. Everything may be left out: then the bar asks him.
#[derive(Clone, Debug, Default, JsonSchema, Deserialize)]
#[schemars(rename = "BarAsked")]
#[serde(default)]
pub(super) struct Said {
    /// What the enterprise has made for its agent, and knows again.
    #[serde(rename = "access_token")]
    _token: String,
    /// The tenant, or what its enterprise's pages call it.
    #[serde(rename = "tenantSpaceId", alias = "tenantSpaceld")]
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
    let tenant = tenant_of(&state, &said.tenant);
    may_have(&state, &headers, tenant)
        .map_or_else(IntoResponse::into_response, |host| given(host, tenant, &said.account, false))
}

/// The reference's pages send JSON as a form, so that the browser asks nobody before. Where the tenant's enterprise speaks for its
/// agents, it is asked, and the bar has a session by cookies; else the agent signs in there himself.
pub(super) async fn post(
    Use(state): Use<State>,
    page: Page,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let said = match body.iter().all(u8::is_ascii_whitespace) {
        true => Ok(Said::default()),
        false if body.len() > BODY_MAX => Err("too long".to_owned()),
        false => serde_json::from_slice::<Said>(&body).map_err(|why| why.to_string()),
    };
    let wrong = |why: String| {
        let expected = "expected JSON with access_token, tenantSpaceId and userAccount";
        Problem::field("body", format!("{expected}: {why}"))
    };
    let said = said.map_err(wrong)?;
    if said.account.len() > TEXT_MAX {
        return Err(Problem::field("userAccount", "too long"));
    }
    let Some((tenant, _)) = state.switch.third_party(&said.tenant) else {
        let tenant = tenant_of(&state, &said.tenant);
        return Ok(given(may_have(&state, &headers, tenant)?, tenant, &said.account, false));
    };
    let host = may_have(&state, &headers, tenant)?;
    let shown: Shown = serde_json::from_slice(&body).map_err(|why| wrong(why.to_string()))?;
    let (agent, cookies) = third_party::enter(&state, &page, shown).await?.apart();
    let mut response = given(host, tenant, agent.name.as_str(), true);
    for line in cookies {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    Ok(response)
}

/// The tenant that a page names; the default one where it names none that there is.
pub(crate) fn tenant_of(state: &State, named: &str) -> TenantId {
    let known = TenantId::new(named).ok().filter(|tenant| state.switch.access(*tenant).is_some());
    known.unwrap_or(TenantId::DEFAULT)
}

/// The host that was asked, if a page of that origin may have the tenant's bar.
fn may_have<'a>(state: &State, headers: &'a HeaderMap, tenant: TenantId) -> Result<&'a str, Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let lists =
        |origin: &str| state.switch.access(tenant).is_some_and(|(terms, _)| terms.origins.contains(origin));
    match text(header::ORIGIN) {
        Some(origin) if !is_own(origin, host) && !lists(origin) => {
            let mut problem = Problem::new(
                StatusCode::FORBIDDEN,
                "pages of this origin may not have the bar",
                "the tenant does not list it under access.origins",
            );
            problem.code = Some("origin");
            Err(problem)
        }
        _ => Ok(host),
    }
}

/// The script, and what it is told: `signed` where a session is in the cookies.
fn given(host: &str, tenant: TenantId, account: &str, signed: bool) -> Response {
    let told = json!({ "host": host, "tenant": tenant.as_str(), "account": account, "signed": signed });
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
